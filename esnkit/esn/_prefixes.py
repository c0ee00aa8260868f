"""Scores of the prefixes of sequences, for early classification."""

from collections.abc import Callable
from typing import Any

import numpy as np

from esnkit.esn._closed_loop import FittedParts
from esnkit.esn._features import pooled_washout, step_features
from esnkit.esn._readout import check_outputs, read_blocks
from esnkit.pooling._prefixes import pool_prefixes
from esnkit.sequences._initial_state import Clamp
from esnkit.sequences._packing import Sequences
from esnkit.utils._shares import steps_of_shares

__all__ = ["lengths_of_prefixes", "read_prefixes"]


def lengths_of_prefixes(steps: Any, lengths: np.ndarray) -> np.ndarray:
    """Return how long the prefixes of sequences are.

    Parameters
    ----------
    steps : "all", numbers of time steps, or shares
        As in ``predict_proba``.
    lengths : ndarray of shape (n_sequences,)

    Returns
    -------
    ndarray of shape (n_rows,), or (n_sequences, n_steps) if "all" is not asked for

    Raises
    ------
    ValueError
        If ``steps`` is something else, or a sequence does not have so many steps.
    """
    if isinstance(steps, str) and steps == "all":
        first = np.cumsum(lengths) - lengths
        return np.arange(1, lengths.sum() + 1) - np.repeat(first, lengths)
    wanted = _checked(steps)
    if wanted.dtype.kind == "f":
        return steps_of_shares(wanted, lengths)
    shortest = int(np.argmin(lengths))
    if wanted[-1] > lengths[shortest]:
        raise ValueError(
            f"steps has {wanted[-1]} time steps, but X[{shortest}] has {lengths[shortest]}: give "
            "shares in (0, 1] for sequences of unequal length"
        )
    return np.tile(wanted.astype(np.int64), (len(lengths), 1))


def _checked(steps: Any) -> np.ndarray:
    """Return numbers of time steps, or shares, in ascending order; raise for others."""
    wanted = np.asarray(steps)
    limits = {"f": 1.0, "i": np.inf, "u": np.inf}
    is_list = wanted.ndim == 1 and wanted.size > 0 and wanted.dtype.kind in limits
    if is_list and wanted[0] > 0 and wanted[-1] <= limits[wanted.dtype.kind]:
        if np.all(wanted[1:] > wanted[:-1]):
            return wanted
    raise ValueError(
        "steps must be None, 'all', a list of ascending integers >= 1 (numbers of time steps), or "
        f"of ascending floats in (0, 1] (shares of every sequence), got {steps!r}"
    )


def read_prefixes(
    parts: FittedParts,
    sequences: Sequences,
    state: np.ndarray,
    clamp: Clamp | None,
    lengths: np.ndarray,
    step: Callable[[int], object] = lambda stop: None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the scores (n_read, n_outputs) of prefixes that have a step after the washout.

    The second array tells which of the prefixes these are, like ``lengths``, which are those of
    :func:`lengths_of_prefixes`. ``step`` is called with the number of prefixes that are done.
    """
    reservoir, readout, settings, n_outputs = parts
    washout = pooled_washout(settings)
    first = sequences.offsets[:-1]
    if lengths.ndim == 1:
        first = np.repeat(first, sequences.lengths)
    else:
        first = first[:, None]
    is_read = lengths > washout
    ends = (first + lengths)[is_read]
    if not ends.size:
        return np.empty((0, n_outputs), state.dtype), is_read
    blocks = step_features(reservoir, sequences, state, settings, clamp=clamp)
    pooled = pool_prefixes(settings.pooling, blocks, sequences.offsets, washout, ends)
    rows = read_blocks(readout, pooled, (len(ends), n_outputs), True, step)
    return check_outputs(rows), is_read
