"""Readouts applied to blocks of features: linear ones by a kernel, others by their methods."""

from collections.abc import Callable, Iterable

import numpy as np

from esnkit.kernels.linalg import affine
from esnkit.readouts._base import BaseReadout, is_linear
from esnkit.utils._validation import for_kernels

__all__ = ["check_outputs", "linear_map", "read_blocks", "read_rows"]


def linear_map(
    readout: BaseReadout, n_outputs: int, dtype: np.dtype
) -> tuple[np.ndarray, np.ndarray]:
    """Return the coefficients (n_outputs, n_features) and the intercept (n_outputs,)."""
    coef, intercept = readout._linear_map()
    coef = np.atleast_2d(coef)
    if len(coef) != n_outputs:  # a kernel would read beyond it
        raise ValueError(
            f"coef_ of the readout must have {n_outputs} rows, one for every output of n_outputs_, "
            f"got shape {coef.shape}"
        )
    if np.shape(intercept) != (n_outputs,):
        intercept = np.broadcast_to(intercept, n_outputs)
    return for_kernels(coef, dtype), for_kernels(intercept, dtype)


def read_rows(
    readout: BaseReadout, Z: np.ndarray, n_outputs: int, scores: bool = False
) -> np.ndarray:
    """Return the outputs (n_rows, n_outputs) of feature rows, or the scores of the classes.

    The kernel sums in a fixed order: the output of a row does not depend on the rows around it.
    """
    if is_linear(readout):
        out = np.empty((len(Z), n_outputs), Z.dtype)
        affine(Z, *linear_map(readout, n_outputs, Z.dtype), out)
        return out
    return np.reshape(readout.scores(Z) if scores else readout.predict(Z), (len(Z), -1))


def read_blocks(
    readout: BaseReadout,
    blocks: Iterable[tuple[int, int, np.ndarray]],
    shape: tuple[int, int],
    scores: bool = False,
    step: Callable[[int], object] = lambda stop: None,
) -> np.ndarray:
    """Return the outputs (n_rows, n_outputs) of a stream of (start, stop, features).

    ``step`` is called after every block with the number of rows that are done.
    """
    rows = None
    for start, stop, Z in blocks:
        block = read_rows(readout, Z, shape[1], scores)
        if rows is None:
            rows = np.empty((shape[0], block.shape[1]), block.dtype)
        rows[start:stop] = block
        step(stop)
    assert rows is not None  # every sequence has at least one time step
    return rows


def check_outputs(rows: np.ndarray) -> np.ndarray:
    """Return the outputs for pooled features; raise if sums of squares left the range."""
    if rows.dtype.kind == "f" and not np.isfinite(rows).all():
        raise ValueError(
            "X holds a sequence with values so far from those of fit that its features exceed the "
            f"range of {rows.dtype}: scale or clip them"
        )
    return rows
