"""Fit readouts to dask arrays and data frames of feature rows."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone

from esnkit.distributed._dask import compute, dask, tree
from esnkit.distributed._fit import MAX_GATHERED, copies_of, joined
from esnkit.distributed._partitions import Part, partitions, size_of
from esnkit.distributed._tasks import in_partition
from esnkit.readouts._base import Block
from esnkit.readouts._ridge import row_blocks
from esnkit.utils._threads import one_thread

__all__ = ["fit_readout"]


class Rows(NamedTuple):
    """What all partitions must agree on."""

    readout: Any  # with the attributes that validation sets
    example: tuple[np.ndarray, np.ndarray, None]  # of no rows
    n_rows: int


def fit_readout(readout: Any, X: Any, y: Any, sample_weight: Any) -> Any:
    """Fit a readout; see :func:`esnkit.distributed.fit`."""
    found = partitions(X, y, sample_weight)
    if not found.are_rows:
        raise ValueError(
            f"X must be rows (n_rows, n_features) for {type(readout).__name__}, a dask array of "
            f"two dimensions or a data frame, got {X!r}"
        )
    delayed, empty = dask().delayed, clone(readout)
    tasks = [delayed(check_rows, pure=False)(i, empty, part) for i, part in enumerate(found.parts)]
    results = compute(tasks)[0]
    kept = [(s, part) for s, part in zip(results, found.parts, strict=True) if s is not None]
    if not kept:
        raise ValueError("X must have at least one row, got empty partitions only: 0 sample(s)")
    first, n_rows = kept[0][0], sum(rows.n_rows for rows, _ in kept)
    for i, (rows, _) in enumerate(kept):
        _check_like(i, rows.example, first.example)
    readout.__dict__.pop("feature_names_in_", None)  # of an earlier fit
    set_in_fit = set(vars(first.readout)) - set(readout.get_params(deep=False))
    readout.__dict__.update({name: vars(first.readout)[name] for name in set_in_fit})
    dtypes = [[array.dtype for array in rows.example[:2]] for rows, _ in kept]
    X_dtype, y_dtype = (np.result_type(*found) for found in zip(*dtypes, strict=True))
    example = first.example[0].astype(X_dtype), first.example[1].astype(y_dtype), None
    passes = RowPasses(readout, [part for _, part in kept], (X_dtype, y_dtype))
    width = example[0].shape[1]
    if n_rows <= max(width, MAX_GATHERED // width):
        blocks = passes(copies_of, joined)
        return readout.fit_blocks(lambda: iter(blocks), n_rows=n_rows)
    return readout.fit_partitions(passes, example, n_rows)


def _check_like(i: int, block: Any, first: Any) -> None:
    """Raise if rows or targets have another shape than those of the first partition."""
    for name, found, wanted in zip(("X", "y"), block, first, strict=False):
        if found.shape != wanted.shape:
            raise ValueError(
                f"{name} must have rows of one shape in all partitions, {wanted.shape[1:]}, got "
                f"{found.shape[1:]} in partition {i}"
            )


class RowPasses(NamedTuple):
    """Passes over the rows of partitions, as a readout needs them."""

    readout: Any
    parts: list[Part]
    dtypes: tuple[np.dtype, np.dtype]

    def __call__(
        self, task: Callable[[Iterable[Block]], Any], merge: Callable[[Any, Any], Any]
    ) -> Any:
        """Return the merged results of a task for every partition."""
        delayed = dask().delayed
        shared = delayed((self.readout, self.dtypes), pure=False, traverse=False)
        sent = delayed(task, pure=False)
        merging = delayed(merge, pure=False)
        runs = [
            delayed(run_rows, pure=False)(i, sent, shared, part)
            for i, part in enumerate(self.parts)
        ]
        return compute(tree(merged_rows, runs, merging))[0]


@in_partition
def check_rows(readout: Any, part: Part) -> Rows | None:
    """Check the rows of a partition; None if there are none."""
    if size_of(part.X) == 0:
        return None
    checked = clone(readout)
    X, y, _ = checked._validate(*part, reset=True)
    return Rows(checked, (X[:0], y[:0], None), len(X))


@in_partition
def run_rows(task: Callable[[Iterable[Block]], Any], shared: Any, part: Part) -> Any:
    """Return what a task makes of the rows of a partition."""
    readout, (X_dtype, y_dtype) = shared
    X, y, w = clone(readout)._validate(*part, reset=True)
    return task(row_blocks(X.astype(X_dtype, copy=False), y.astype(y_dtype, copy=False), w))


def merged_rows(merge: Callable[[Any, Any], Any], first: Any, second: Any) -> Any:
    """Merge the results of neighbouring partitions."""
    with one_thread():
        return merge(first, second)
