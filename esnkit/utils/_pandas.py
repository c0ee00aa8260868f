"""Objects of pandas, told without importing it."""


def is_pandas(obj) -> bool:
    """Tell a pandas Series or DataFrame without importing pandas."""
    return hasattr(obj, "iloc") and hasattr(obj, "index") and hasattr(obj, "to_numpy")


def is_frame(obj) -> bool:
    """Tell a pandas DataFrame without importing pandas."""
    return is_pandas(obj) and obj.ndim == 2
