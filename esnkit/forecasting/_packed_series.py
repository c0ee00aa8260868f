"""Many series of different lengths, end to end in one array."""

from typing import NamedTuple

import numpy as np

from esnkit.utils._plain_state import plain_record

__all__ = ["PackedSeries", "offsets_of", "pack_series", "steps_of"]


@plain_record
class PackedSeries(NamedTuple):
    """Series end to end; series i is ``values[offsets[i]:offsets[i + 1]]``."""

    values: np.ndarray  # (n_rows,)
    offsets: np.ndarray  # (n_series + 1,)
    starts: np.ndarray  # (n_series,), number of the first row on a clock that all series share
    static: np.ndarray  # (n_series, n_static)

    @property
    def lengths(self) -> np.ndarray:
        """Number of rows of every series."""
        return np.diff(self.offsets)

    @property
    def n_series(self) -> int:
        """Number of series."""
        return len(self.offsets) - 1

    @property
    def owners(self) -> np.ndarray:
        """The series of every row."""
        return np.repeat(np.arange(self.n_series), self.lengths)

    @property
    def positions(self) -> np.ndarray:
        """Place of every row in its series."""
        return steps_of(self.lengths)

    def take(self, series: np.ndarray) -> "PackedSeries":
        """Return some of the series."""
        lengths = self.lengths[series]
        rows = np.repeat(self.offsets[series], lengths) + steps_of(lengths)
        starts, static = self.starts[series], self.static[series]
        return PackedSeries(self.values[rows], offsets_of(lengths), starts, static)

    def head(self, n_rows: np.ndarray) -> "PackedSeries":
        """Return the first rows of each series, `n_rows` (n_series,)."""
        kept = self.positions < n_rows[self.owners]
        lengths = np.minimum(self.lengths, n_rows)
        return self._replace(values=self.values[kept], offsets=offsets_of(lengths))

    def tail(self, n_rows: int) -> "PackedSeries":
        """Return the last `n_rows` rows of each series at most."""
        return self.skip(np.maximum(self.lengths - n_rows, 0))

    def skip(self, n_rows: np.ndarray) -> "PackedSeries":
        """Return the series without their first rows, `n_rows` (n_series,)."""
        kept = self.positions >= n_rows[self.owners]
        offsets = offsets_of(self.lengths - n_rows)
        return PackedSeries(self.values[kept], offsets, self.starts + n_rows, self.static)

    def append(self, new: "PackedSeries") -> "PackedSeries":
        """Return the series, each followed by its rows in `new`."""
        order = np.argsort(np.concatenate([self.owners, new.owners]), kind="stable")
        values = np.concatenate([self.values, new.values])[order]
        return self._replace(values=values, offsets=offsets_of(self.lengths + new.lengths))

    def difference(self, lags: tuple[int, ...]) -> "PackedSeries":
        """Difference each series at each lag in turn, as `difference` does with one."""
        packed = self
        for lag in lags:
            later = np.flatnonzero(packed.positions >= lag)
            packed = PackedSeries(
                packed.values[later] - packed.values[later - lag],
                offsets_of(np.maximum(packed.lengths - lag, 0)),
                packed.starts + lag,
                packed.static,
            )
        return packed

    def means(self, values: np.ndarray) -> np.ndarray:
        """Return the mean over each series of numbers per row, 0 for series without rows."""
        sums = np.bincount(self.owners, values, minlength=self.n_series)
        return sums / np.maximum(self.lengths, 1)


def pack_series(series: list[np.ndarray]) -> PackedSeries:
    """Pack arrays (n_rows_i,), which end at the same time, without static covariates.

    Examples
    --------
    >>> packed = pack_series([np.array([1.0, 2.0, 4.0]), np.array([5.0, 8.0])])
    >>> packed.difference((1,)).values, packed.starts.tolist()
    (array([1., 2., 3.]), [0, 1])
    """
    lengths = np.array([len(values) for values in series])
    values = np.concatenate(series).astype(np.float64)
    static = np.empty((len(series), 0))
    return PackedSeries(values, offsets_of(lengths), lengths.max() - lengths, static)


def offsets_of(lengths: np.ndarray) -> np.ndarray:
    """Return the offsets of sequences of these lengths."""
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def steps_of(lengths: np.ndarray) -> np.ndarray:
    """Return 0, 1, ... for every sequence, end to end."""
    return np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
