"""Warnings attributed to the user's own line of code."""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["BetterBaselineWarning", "muted", "warn"]

INTERNAL_PACKAGES = ("esnkit", "sklearn", "joblib")
MUTED: ContextVar[tuple[str, ...]] = ContextVar("MUTED", default=())


class BetterBaselineWarning(UserWarning):
    """A simple forecast is better than that of the model.

    Examples
    --------
    >>> import warnings
    >>> from esnkit.baselines import BetterBaselineWarning
    >>> warnings.simplefilter("ignore", BetterBaselineWarning)
    """


@contextmanager
def muted(*beginnings: str) -> Iterator[None]:
    """Leave out the warnings of :func:`warn` inside the block whose messages begin like that.

    The filters of `warnings` are those of the whole process: a block that replaces them, and
    another one in another thread, may leave those of one of them behind.
    """
    token = MUTED.set(MUTED.get() + beginnings)
    try:
        yield
    finally:
        MUTED.reset(token)


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the innermost line outside of esnkit, scikit-learn and joblib."""
    if message.startswith(MUTED.get()):
        return
    level, frame = 1, sys._getframe(0)
    while frame.f_back and _package_of(frame) in INTERNAL_PACKAGES:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


def _package_of(frame) -> str:
    return frame.f_globals.get("__name__", "").partition(".")[0]
