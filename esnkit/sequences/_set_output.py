"""Frames as the output of transformers, for one series only."""

from functools import wraps
from typing import Any

from esnkit.sequences._packing import is_ragged

__all__ = ["arrays_only", "tables_for_series_only"]


def tables_for_series_only(cls: Any) -> Any:
    """Let ``set_output`` make tables of one series only: several sequences stay arrays."""

    def choose(to_table, plain):
        @wraps(plain)
        def method(self, X, *args, **kwargs):
            sequences = is_ragged(X) or getattr(X, "ndim", None) == 3
            return (plain if sequences else to_table)(self, X, *args, **kwargs)

        return method

    # scikit-learn has wrapped both methods when the class was made.
    for name in ("transform", "fit_transform"):
        to_table = getattr(cls, name)
        setattr(cls, name, choose(to_table, to_table.__wrapped__))
    return cls


def arrays_only(cls: Any) -> Any:
    """Let ``set_output`` change nothing: the output is never one series."""
    for name in ("transform", "fit_transform"):
        setattr(cls, name, getattr(cls, name).__wrapped__)
    return cls
