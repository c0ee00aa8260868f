"""Recognition of pandas objects without an import of pandas."""


def is_pandas(obj) -> bool:
    """Tell whether an object is a pandas Series or DataFrame."""
    return hasattr(obj, "iloc") and hasattr(obj, "index") and hasattr(obj, "to_numpy")


def is_frame(obj) -> bool:
    """Tell whether an object is a pandas DataFrame."""
    return is_pandas(obj) and obj.ndim == 2
