"""Warnings attributed to the user's own line of code."""

import sys
import warnings

__all__ = ["BetterBaselineWarning", "warn"]

INTERNAL_PACKAGES = ("esnkit", "sklearn", "joblib")


class BetterBaselineWarning(UserWarning):
    """A simple forecast is better than that of the model.

    Examples
    --------
    >>> import warnings
    >>> from esnkit.baselines import BetterBaselineWarning
    >>> warnings.simplefilter("ignore", BetterBaselineWarning)
    """


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the innermost line outside of esnkit, scikit-learn and joblib."""
    level, frame = 1, sys._getframe(0)
    while frame.f_back and _package_of(frame) in INTERNAL_PACKAGES:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


def _package_of(frame) -> str:
    return frame.f_globals.get("__name__", "").partition(".")[0]
