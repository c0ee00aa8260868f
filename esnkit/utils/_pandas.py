"""Detection of pandas objects without importing pandas."""

from typing import Any

__all__ = ["is_frame", "is_pandas"]


def is_pandas(obj: Any) -> bool:
    """Return whether an object is a pandas Series or DataFrame."""
    return hasattr(obj, "iloc") and hasattr(obj, "index") and hasattr(obj, "to_numpy")


def is_frame(obj: Any) -> bool:
    """Return whether an object is a pandas DataFrame."""
    return is_pandas(obj) and obj.ndim == 2
