"""Running statistics of every feature of a sequence."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from esnkit.kernels import pooling as kernels
from esnkit.pooling._base import Pieces, Pooling, share_out
from esnkit.utils._plain_state import plain_record

__all__ = ["STATISTICS", "RunningStatistics"]


# From the sums (n_sequences, N_SUMS, n_columns) and the numbers of rows (n_sequences, 1).
Statistic = Callable[[np.ndarray, np.ndarray], np.ndarray]


def _mean(sums: np.ndarray, n: np.ndarray) -> np.ndarray:
    return sums[:, kernels.CENTRE] + sums[:, kernels.SHIFTS] / n


def _std(sums: np.ndarray, n: np.ndarray) -> np.ndarray:
    shifts = sums[:, kernels.SHIFTS]
    squares = sums[:, kernels.SQUARES] + (sums[:, kernels.PART] - shifts * (shifts / n))
    return np.sqrt(np.maximum(squares, 0) / n)  # rounding may leave less than zero


STATISTICS: dict[str, Statistic] = {
    "mean": _mean,
    "std": _std,
    "min": lambda sums, n: sums[:, kernels.LOW],
    "max": lambda sums, n: sums[:, kernels.HIGH],
    "last": lambda sums, n: sums[:, kernels.LAST],
    "mean_abs_change": lambda sums, n: sums[:, kernels.CHANGE] / np.maximum(n - 1, 1),
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
                kernels.add_sums(Z, starts, stops, seen, state[first:last])
            else:
                kernels.add_statistics(Z, starts, stops, seen, state[first:last])

        share_out(add_some, len(state), Z.size)

    def finish(self, state: np.ndarray, lengths: np.ndarray, dtype: np.dtype) -> np.ndarray:
        """Return the statistics."""
        n = lengths[:, None].astype(dtype)
        out = np.empty((len(state), len(self.names), state.shape[2]), dtype)
        for k, name in enumerate(self.names):
            out[:, k] = STATISTICS[name](state, n)
        return out.reshape(len(state), -1)
