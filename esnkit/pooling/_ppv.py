"""Proportions of positive values: how often every feature lies above thresholds."""

from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np

from esnkit.kernels.pooling import count_above
from esnkit.kernels.selection import select_ranks
from esnkit.pooling._base import Pieces, Pooling, Training, share_out
from esnkit.utils._plain_state import plain_record
from esnkit.utils._validation import for_kernels

__all__ = ["ProportionsOfPositiveValues"]

WORK_OF_SELECTION = 8  # for each value, beside a comparison


@plain_record
@dataclass(frozen=True, eq=False)
class ProportionsOfPositiveValues(Pooling):
    """Share of the time steps at which a feature lies above each of its thresholds.

    The thresholds of a feature are quantiles of its values in the training sequences. The features
    are those of all lowest thresholds, then those of the next ones, ...

    References
    ----------
    A. Dempster, D. F. Schmidt and G. I. Webb (2021), MiniRocket: a very fast (almost) deterministic
    transform for time series classification, KDD, section 3.1.5: biases from quantiles.
    """

    is_running = True
    levels: tuple[float, ...] = (0.25, 0.5, 0.75)
    thresholds: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))

    @property
    def needs_fit(self) -> bool:  # type: ignore[override]
        """Whether there are no thresholds (n_levels, n_columns) yet."""
        return self.thresholds.size == 0

    def fit(self, training: Training) -> Self:
        """Return the pooling with the quantiles of rows as thresholds."""
        rows = for_kernels(np.concatenate(list(training.sample())))
        ranks = np.floor((len(rows) - 1) * np.array(self.levels)).astype(np.int64)
        thresholds = np.empty((len(ranks), rows.shape[1]), rows.dtype)

        def select_some(first, last):
            select_ranks(rows, ranks, first, last, thresholds)

        share_out(select_some, rows.shape[1], rows.size * WORK_OF_SELECTION)
        return replace(self, thresholds=thresholds)

    def width(self, n_columns: int) -> int:
        """Return how many features a sequence has."""
        return len(self.levels) * n_columns

    def start(self, n_sequences: int, n_columns: int, dtype: np.dtype) -> np.ndarray:
        """Return the counts (n_sequences, n_levels, n_columns) of no rows."""
        return np.zeros((n_sequences, len(self.levels), n_columns))

    def add(self, state: np.ndarray, Z: np.ndarray, pieces: Pieces) -> None:
        """Count the values above the thresholds."""
        thresholds = for_kernels(self.thresholds)

        def add_some(first, last):
            starts, stops, _, _ = pieces.part(first, last)
            count_above(Z, starts, stops, thresholds, state[first:last])

        share_out(add_some, len(state), Z.size * len(self.levels))

    def finish(self, state: np.ndarray, lengths: np.ndarray, dtype: np.dtype) -> np.ndarray:
        """Return the proportions."""
        return (state / lengths[:, None, None]).astype(dtype).reshape(len(state), -1)
