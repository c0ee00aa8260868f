"""Running statistics of every feature of a sequence."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from esnkit.kernels import pooling as kernels
from esnkit.pooling._base import Pieces, Pooling, share_out
from esnkit.utils._plain_state import plain_record

__all__ = ["STATISTICS", "RunningStatistics"]

INITIAL = {kernels.LOW: np.inf, kernels.HIGH: -np.inf}  # other sums start from zero


class Statistic(NamedTuple):
    """A statistic, made of sums that a kernel updates row by row."""

    sums: tuple[int, ...]  # names of the kernel
    # From the sums (n_sequences, n_columns) and the numbers of rows (n_sequences, 1).
    finish: Callable[..., np.ndarray]


STATISTICS = {
    "mean": Statistic((kernels.SUM,), lambda n, total: total / n.astype(total.dtype)),
    "std": Statistic(
        (kernels.SQUARES, kernels.MEAN), lambda n, squares, mean: np.sqrt(squares / n)
    ),
    "min": Statistic((kernels.LOW,), lambda n, low: low),
    "max": Statistic((kernels.HIGH,), lambda n, high: high),
    "last": Statistic((kernels.LAST,), lambda n, last: last),
    "mean_abs_change": Statistic(
        (kernels.CHANGE, kernels.LAST), lambda n, change, last: change / np.maximum(n - 1, 1)
    ),
}


@plain_record
@dataclass(frozen=True, eq=False)
class RunningStatistics(Pooling):
    """Statistics of every feature, which take a few numbers a feature, however long a sequence is.

    The features are all those of the first statistic, then all of the second one, ...
    """

    names: tuple[str, ...]

    def width(self, n_columns: int) -> int:
        """Return how many features a sequence has."""
        return len(self.names) * n_columns

    @property
    def _place(self) -> np.ndarray:
        """Where the sums are in the state, -1 for those that are not wanted."""
        wanted = sorted({index for name in self.names for index in STATISTICS[name].sums})
        place = np.full(kernels.N_SUMS, -1)
        place[wanted] = np.arange(len(wanted))
        return place

    def start(self, n_sequences: int, n_columns: int, dtype: np.dtype) -> np.ndarray:
        """Return the sums (n_sequences, n_sums, n_columns) of no rows."""
        place = self._place
        sums = np.zeros((n_sequences, place.max() + 1, n_columns))
        for index, value in INITIAL.items():
            if place[index] >= 0:
                sums[:, place[index]] = value
        return sums

    def add(self, state: np.ndarray, Z: np.ndarray, pieces: Pieces) -> None:
        """Add rows to the sums."""
        place = self._place

        def add_some(first, last):
            starts, stops, seen, _ = pieces.part(first, last)
            kernels.add_statistics(Z, starts, stops, seen, place, state[first:last])

        share_out(add_some, len(state), Z.size)

    def finish(self, state: np.ndarray, lengths: np.ndarray, dtype: np.dtype) -> np.ndarray:
        """Return the statistics."""
        place, n = self._place, lengths[:, None]
        out = np.empty((len(state), len(self.names), state.shape[2]), dtype)
        for k, name in enumerate(self.names):
            statistic = STATISTICS[name]
            sums = [state[:, place[index]] for index in statistic.sums]
            if name == "mean":  # in the precision of the rows, as it was summed up
                sums = [total.astype(dtype) for total in sums]
            out[:, k] = statistic.finish(n, *sums)
        return out.reshape(len(state), -1)
