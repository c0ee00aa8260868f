"""Scores of the prefixes of sequences, for early classification."""

from collections.abc import Callable

import numpy as np

from esnkit.esn._closed_loop import FittedParts
from esnkit.esn._features import pooled_washout, step_features
from esnkit.esn._readout import check_outputs, read_blocks
from esnkit.pooling._prefixes import pool_prefixes
from esnkit.sequences._initial_state import Clamp
from esnkit.sequences._prefixes import Prefixes

__all__ = ["read_prefixes"]


def read_prefixes(
    parts: FittedParts,
    prefixes: Prefixes,
    state: np.ndarray,
    clamp: Clamp | None,
    step: Callable[[int], object] = lambda stop: None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the scores (n_read, n_outputs) of prefixes that have a step after the washout.

    The second array (n_prefixes,) tells which these are. ``step`` is called with the number of
    prefixes that are done.
    """
    reservoir, readout, settings, n_outputs = parts
    washout = pooled_washout(settings)
    is_read = prefixes.lengths.ravel() > washout
    ends = prefixes.ends[is_read]
    if not ends.size:
        return np.empty((0, n_outputs), state.dtype), is_read
    blocks = step_features(reservoir, prefixes.sequences, state, settings, clamp=clamp)
    offsets = prefixes.sequences.offsets
    pooled = pool_prefixes(settings.pooling, blocks, offsets, washout, ends)
    rows = read_blocks(readout, pooled, (len(ends), n_outputs), True, step)
    return check_outputs(rows), is_read
