"""Many series of different lengths, end to end in one array."""

import hashlib
from typing import NamedTuple

import numpy as np

from esnkit.utils._plain_state import plain_record

__all__ = ["PackedSeries", "canonical_order", "offsets_of", "pack_series", "steps_of"]


@plain_record
class PackedSeries(NamedTuple):
    """Series end to end; series i is ``values[offsets[i]:offsets[i + 1]]``.

    Values that stand in for missing ones are not observed.
    """

    values: np.ndarray  # (n_rows,)
    offsets: np.ndarray  # (n_series + 1,)
    starts: np.ndarray  # (n_series,), number of the first row on a clock that all series share
    static: np.ndarray  # (n_series, n_static)
    observed: np.ndarray  # (n_rows,), bool
    inputs: np.ndarray  # (n_rows, n_inputs), known in advance
    past: np.ndarray  # (n_rows, n_past), inputs known up to the present

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

    @property
    def n_observed(self) -> np.ndarray:
        """Number of observed values of every series."""
        return np.bincount(self.owners[self.observed], minlength=self.n_series)

    @property
    def n_leading(self) -> np.ndarray:
        """Number of rows of every series before its first observed value."""
        first = self.lengths.copy()
        np.minimum.at(first, self.owners[self.observed], self.positions[self.observed])
        return first

    @property
    def n_trailing(self) -> np.ndarray:
        """Number of rows of every series after its last observed value."""
        last = np.full(self.n_series, -1)
        np.maximum.at(last, self.owners[self.observed], self.positions[self.observed])
        return self.lengths - 1 - last

    def take(self, series: np.ndarray) -> "PackedSeries":
        """Return some of the series."""
        lengths = self.lengths[series]
        rows = np.repeat(self.offsets[series], lengths) + steps_of(lengths)
        return self._of_rows(rows, lengths, self.starts[series])._replace(
            static=self.static[series]
        )

    def head(self, n_rows: np.ndarray) -> "PackedSeries":
        """Return the first rows of each series, `n_rows` (n_series,)."""
        kept = self.positions < n_rows[self.owners]
        return self._of_rows(kept, np.minimum(self.lengths, n_rows), self.starts)

    def tail(self, n_rows: int) -> "PackedSeries":
        """Return the last `n_rows` rows of each series at most."""
        return self.skip(np.maximum(self.lengths - n_rows, 0))

    def skip(self, n_rows: np.ndarray) -> "PackedSeries":
        """Return the series without their first rows, `n_rows` (n_series,)."""
        kept = self.positions >= n_rows[self.owners]
        return self._of_rows(kept, self.lengths - n_rows, self.starts + n_rows)

    def interpolated(self) -> "PackedSeries":
        """Return series with values on the line between the observed ones in place of missing ones.

        The first observed value stands before, the last one after all observed ones of a series.
        """
        known, rows = np.flatnonzero(self.observed), np.arange(len(self.values))
        if len(known) == len(rows):
            return self
        first, last = self.offsets[:-1] + self.n_leading, self.offsets[1:] - 1 - self.n_trailing
        bounded = np.clip(rows, first[self.owners], last[self.owners])
        values = np.interp(bounded, known, self.values[known])
        return self._replace(values=np.where(self.observed, self.values, values))

    def append(self, new: "PackedSeries") -> "PackedSeries":
        """Return the series, each followed by its rows in `new`."""
        order = np.argsort(np.concatenate([self.owners, new.owners]), kind="stable")
        both = self._replace(
            values=np.concatenate([self.values, new.values]),
            observed=np.concatenate([self.observed, new.observed]),
            inputs=np.concatenate([self.inputs, new.inputs]),
            past=np.concatenate([self.past, new.past]),
        )
        return both._of_rows(order, self.lengths + new.lengths, self.starts)

    def difference(self, lags: tuple[int, ...]) -> "PackedSeries":
        """Difference series and inputs at each lag in turn, as `difference` does with one series.

        A difference is observed if both of its values are.
        """
        packed = self
        for lag in lags:
            later = np.flatnonzero(packed.positions >= lag)
            lengths = np.maximum(packed.lengths - lag, 0)
            packed = packed._of_rows(later, lengths, packed.starts + lag)._replace(
                values=packed.values[later] - packed.values[later - lag],
                observed=packed.observed[later] & packed.observed[later - lag],
                inputs=packed.inputs[later] - packed.inputs[later - lag],
                past=packed.past[later] - packed.past[later - lag],
            )
        return packed

    def _of_rows(self, rows: np.ndarray, lengths: np.ndarray, starts: np.ndarray):
        """Return some of the rows as series of some lengths."""
        return self._replace(
            values=self.values[rows],
            observed=self.observed[rows],
            inputs=self.inputs[rows],
            past=self.past[rows],
            offsets=offsets_of(lengths),
            starts=starts,
        )

    def means(self, values: np.ndarray, counted: np.ndarray | None = None) -> np.ndarray:
        """Return the mean over each series of numbers per row, 0 for series without rows.

        `counted` tells which rows count, None for all.
        """
        if counted is None:
            sums = np.bincount(self.owners, values, minlength=self.n_series)
            return sums / np.maximum(self.lengths, 1)
        owners = self.owners[counted]
        sums = np.bincount(owners, values[counted], minlength=self.n_series)
        return sums / np.maximum(np.bincount(owners, minlength=self.n_series), 1)


def pack_series(
    series: list[np.ndarray],
    inputs: list[np.ndarray] | None = None,
    past: list[np.ndarray] | None = None,
) -> PackedSeries:
    """Pack arrays (n_rows_i,), which end at the same time, without static covariates.

    Parameters
    ----------
    series : list of ndarray of shape (n_rows_i,)
        NaN is missing.
    inputs : list of ndarray of shape (n_rows_i, n_inputs), default=None
    past : list of ndarray of shape (n_rows_i, n_past), default=None

    Examples
    --------
    >>> packed = pack_series([np.array([1.0, 2.0, 4.0]), np.array([5.0, 8.0])])
    >>> packed.difference((1,)).values, packed.starts.tolist()
    (array([1., 2., 3.]), [0, 1])
    """
    lengths = np.array([len(values) for values in series])
    values = np.concatenate(series).astype(np.float64)
    return PackedSeries(
        values=values,
        offsets=offsets_of(lengths),
        starts=lengths.max() - lengths,
        static=np.empty((len(series), 0)),
        observed=~np.isnan(values),
        inputs=np.empty((len(values), 0)) if inputs is None else np.concatenate(inputs),
        past=np.empty((len(values), 0)) if past is None else np.concatenate(past),
    )


def canonical_order(packed: PackedSeries) -> np.ndarray:
    """Return an order of series (n_series,) that depends on what they hold, not on the one given.

    Sums over series in this order have the same last bits, whatever the order given.
    """
    digests, starts = [], packed.starts - packed.starts.min()
    for i, (start, stop) in enumerate(zip(packed.offsets, packed.offsets[1:], strict=False)):
        digest = hashlib.blake2b(packed.values[start:stop].tobytes())
        digest.update(packed.observed[start:stop].tobytes())
        digest.update(np.ascontiguousarray(packed.inputs[start:stop]).tobytes())
        digest.update(np.ascontiguousarray(packed.past[start:stop]).tobytes())
        digest.update(packed.static[i].tobytes() + int(starts[i]).to_bytes(8, "little"))
        digests.append(digest.digest())
    return np.array(sorted(range(len(digests)), key=digests.__getitem__))


def offsets_of(lengths: np.ndarray) -> np.ndarray:
    """Return the offsets of sequences of these lengths."""
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def steps_of(lengths: np.ndarray) -> np.ndarray:
    """Return 0, 1, ... for every sequence, end to end."""
    return np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
