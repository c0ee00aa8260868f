"""Sample weights as rows: per time step, per sequence, or per row and output."""

from typing import Any

import numpy as np

from esnkit.sequences._packing import Sequences
from esnkit.sequences._targets import Targets, is_list_of_rows
from esnkit.utils._validation import finite_array, refuse_masked

__all__ = ["pack_weights", "weight_rows"]


def pack_weights(
    sample_weight: Any,
    sequences: Sequences,
    targets: Targets,
    washout: int = 0,
    *,
    may_be_zero: bool = False,
) -> np.ndarray | None:
    """Return the weights of the targets; None if all are one.

    Parameters
    ----------
    sample_weight : array-like, list of array-likes or None
        A weight >= 0 per row, per sequence, or per row and output, as an array or in the container
        of the sequences.
    sequences : Sequences
    targets : Targets
    washout : int, default=0
        If targets have a row per time step, the first ``washout`` rows of every sequence get the
        weight zero.
    may_be_zero : bool, default=False
        Whether all given weights may be zero, as in a chunk of a stream that teaches nothing.

    Returns
    -------
    ndarray of shape (n_targets,) or (n_targets, n_outputs), or None

    Raises
    ------
    ValueError
        If shapes do not fit, a weight is negative or not finite, or all weights are zero without
        ``may_be_zero``.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit.sequences import Sequences, Targets, pack_weights
    >>> sequences = Sequences(np.zeros((5, 1)), np.array([0, 2, 5]), "ragged")
    >>> targets = Targets(np.zeros((5, 1)), "steps", True)
    >>> pack_weights([1.0, 3.0], sequences, targets, washout=1).tolist()
    [0.0, 1.0, 0.0, 3.0, 3.0]
    """
    weights = None
    if sample_weight is not None:
        weights = weight_rows(sample_weight, sequences, targets)
        if not may_be_zero and not np.any(weights):
            raise ValueError(
                "sample_weight is zero everywhere: give at least one row a positive weight"
            )
    if washout and targets.kind == "steps":
        return _apply_washout(weights, sequences, washout)
    return weights


def _apply_washout(weights: np.ndarray | None, sequences: Sequences, washout: int) -> np.ndarray:
    """Return a copy of the weights with zeros at the start of every sequence."""
    if np.all(sequences.lengths <= washout):
        raise ValueError(
            f"washout={washout} leaves no time step: the longest sequence has "
            f"n_samples={sequences.lengths.max()}"
        )
    weights = np.ones(len(sequences.values)) if weights is None else weights.copy()
    for start, stop in sequences.bounds:
        weights[start : min(start + washout, stop)] = 0.0
    if not np.any(weights):
        raise ValueError(
            f"washout={washout} and sample_weight together leave no row with a positive weight"
        )
    return weights


def weight_rows(sample_weight: Any, sequences: Sequences, targets: Targets) -> np.ndarray:
    """Return the given weights >= 0 as (n_targets,) or (n_targets, n_outputs), or raise."""
    refuse_masked("sample_weight", sample_weight)
    weights = _shaped(sample_weight, sequences, targets)
    if np.any(weights < 0):
        raise ValueError(f"sample_weight must be finite and >= 0 everywhere, got {weights.min()}")
    return weights


def _shaped(sample_weight: Any, sequences: Sequences, targets: Targets) -> np.ndarray:
    n_rows, n_outputs = targets.values.shape
    if sequences.form == "ragged" and targets.kind == "steps" and is_list_of_rows(sample_weight):
        weights = _stack_ragged_weights(sample_weight, sequences)
    else:
        weights = finite_array("sample_weight", sample_weight)
        if targets.kind == "steps" and sequences.form != "series":
            weights = _expand_to_steps(weights, sequences, (n_rows, n_outputs))
    if weights.shape == (n_rows, 1):
        weights = weights[:, 0]
    if weights.shape not in ((n_rows,), (n_rows, n_outputs)):
        got, expected = weights.shape, f"({n_rows},) or ({n_rows}, {n_outputs})"
        if sequences.form == "batch" and targets.kind == "steps":
            n, n_steps = sequences.n_sequences, int(sequences.lengths[0])
            got = np.shape(sample_weight)
            expected = f"({n},), ({n}, {n_steps}) or ({n}, {n_steps}, {n_outputs})"
        raise ValueError(
            f"sample_weight has shape {got}, expected {expected}: a weight for every "
            "row, every sequence, or every row and output"
        )
    return weights


def _stack_ragged_weights(sample_weight: Any, sequences: Sequences) -> np.ndarray:
    """Stack a list with one item per sequence and one row per time step."""
    items = [finite_array("sample_weight", item) for item in sample_weight]
    if [item.shape[0] for item in items] != sequences.lengths.tolist():
        raise ValueError("sample_weight must have one item per sequence, one row per time step")
    for i, item in enumerate(items):
        if item.shape[1:] != items[0].shape[1:]:
            raise ValueError(
                f"sample_weight[{i}] has shape {item.shape}, which does not match "
                f"{items[0].shape} of sample_weight[0]"
            )
    return np.concatenate(items)


def _expand_to_steps(
    weights: np.ndarray, sequences: Sequences, shape: tuple[int, int]
) -> np.ndarray:
    """Repeat weights of sequences for their time steps; stack weights of equally long ones."""
    if weights.ndim == 1 and weights.size == sequences.n_sequences:
        return np.repeat(weights, sequences.lengths)
    is_stacked = weights.shape == shape
    if weights.ndim > 1 and not is_stacked and np.all(sequences.lengths == weights.shape[1]):
        return weights.reshape(-1, *weights.shape[2:])
    return weights
