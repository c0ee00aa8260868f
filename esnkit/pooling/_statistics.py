"""Running statistics of every feature of a sequence."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from esnkit.kernels import pooling as kernels
from esnkit.pooling._base import Pieces, Pooling, share_out
from esnkit.utils._plain_state import plain_record

__all__ = ["STATISTICS", "RunningStatistics"]


class Statistic(NamedTuple):
    """A statistic, made of a sum that a kernel updates row by row."""

    sum: int  # which row of the sums
    # From the sum (n_sequences, n_columns) and the numbers of rows (n_sequences, 1).
    finish: Callable[[np.ndarray, np.ndarray], np.ndarray]


STATISTICS = {
    "mean": Statistic(kernels.SUM, lambda total, n: total / n),
    "std": Statistic(kernels.SQUARES, lambda squares, n: np.sqrt(squares / n)),
    "min": Statistic(kernels.LOW, lambda low, n: low),
    "max": Statistic(kernels.HIGH, lambda high, n: high),
    "last": Statistic(kernels.LAST, lambda last, n: last),
    "mean_abs_change": Statistic(kernels.CHANGE, lambda total, n: total / np.maximum(n - 1, 1)),
}


@plain_record
@dataclass(frozen=True, eq=False)
class RunningStatistics(Pooling):
    """Statistics of every feature, which take a few numbers a feature, however long a sequence is.

    The features are all those of the first statistic, then all of the second one, ...
    """

    is_running = True
    names: tuple[str, ...]

    def width(self, n_columns: int) -> int:
        """Return how many features a sequence has."""
        return len(self.names) * n_columns

    def start(self, n_sequences: int, n_columns: int, dtype: np.dtype) -> np.ndarray:
        """Return the sums (n_sequences, n_sums, n_columns) of no rows."""
        sums = np.zeros((n_sequences, kernels.N_SUMS, n_columns), dtype)
        sums[:, kernels.LOW], sums[:, kernels.HIGH] = np.inf, -np.inf
        return sums

    def add(self, state: np.ndarray, Z: np.ndarray, pieces: Pieces) -> None:
        """Add rows to the sums."""

        def add_some(first, last):
            starts, stops, seen, _ = pieces.part(first, last)
            if {"mean", "last"}.issuperset(self.names):
                kernels.add_sums(Z, starts, stops, state[first:last])
            else:
                kernels.add_statistics(Z, starts, stops, seen, state[first:last])

        share_out(add_some, len(state), Z.size)

    def finish(self, state: np.ndarray, lengths: np.ndarray, dtype: np.dtype) -> np.ndarray:
        """Return the statistics."""
        n = lengths[:, None].astype(dtype)
        out = np.empty((len(state), len(self.names), state.shape[2]), dtype)
        for k, name in enumerate(self.names):
            statistic = STATISTICS[name]
            out[:, k] = statistic.finish(state[:, statistic.sum], n)
        return out.reshape(len(state), -1)
