"""Warnings that point at a line of the caller's own."""

import sys
import warnings

__all__ = ["warn"]

INSIDE = ("esnkit", "sklearn", "joblib")


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn as from the first line outside of the package and of scikit-learn's tools."""
    level, frame = 1, sys._getframe(0)
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] in INSIDE:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
