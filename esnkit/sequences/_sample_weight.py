"""The teaching signal: weights of time steps, of sequences, or of rows and outputs."""

from typing import Any

import numpy as np

from esnkit.sequences._packing import Sequences
from esnkit.sequences._targets import Targets, is_list_of_rows
from esnkit.utils._validation import finite_array


def pack_weights(
    sample_weight: Any, sequences: Sequences, targets: Targets, washout: int = 0
) -> np.ndarray | None:
    """Return the teaching signal as weights of rows, or of rows and outputs; None where all count.

    A weight may be given per row, per sequence, or per row and output; the first ``washout`` rows
    of every sequence count for nothing where targets are a row a time step.
    """
    n_rows, n_outputs = targets.values.shape
    weights = None
    if sample_weight is not None:
        weights = _weight_rows(sample_weight, sequences, targets)
        if np.any(weights < 0):
            raise ValueError(
                f"sample_weight must be finite and >= 0 everywhere, got {weights.min()}"
            )
        if not np.any(weights):
            raise ValueError("sample_weight is zero everywhere: nothing is left to be taught")
    if washout and targets.kind == "steps":
        if np.all(sequences.lengths <= washout):
            raise ValueError(
                f"washout={washout} leaves no time step: the longest sequence has "
                f"n_samples={sequences.lengths.max()}"
            )
        weights = np.ones(n_rows) if weights is None else weights.copy()
        for start, stop in zip(sequences.offsets[:-1], sequences.offsets[1:], strict=True):
            weights[start : min(start + washout, stop)] = 0.0
        if not np.any(weights):
            raise ValueError(
                f"washout={washout} and sample_weight together leave nothing to be taught"
            )
    return weights


def _weight_rows(sample_weight: Any, sequences: Sequences, targets: Targets) -> np.ndarray:
    n_rows, n_outputs = targets.values.shape
    if sequences.form == "ragged" and targets.kind == "steps" and is_list_of_rows(sample_weight):
        items = [finite_array("sample_weight", item) for item in sample_weight]
        if [item.shape[0] for item in items] != sequences.lengths.tolist():
            raise ValueError("sample_weight must have one item a sequence, one row a time step")
        for i, item in enumerate(items):
            if item.shape[1:] != items[0].shape[1:]:
                raise ValueError(
                    f"sample_weight[{i}] has shape {item.shape}, which does not go with "
                    f"{items[0].shape} of sample_weight[0]"
                )
        weights = np.concatenate(items)
    else:
        weights = finite_array("sample_weight", sample_weight)
        per_sequence = weights.ndim == 1 and weights.size == sequences.n_sequences
        if targets.kind == "steps" and sequences.form != "series":
            if per_sequence:
                weights = np.repeat(weights, sequences.lengths)
            elif weights.shape == (n_rows, n_outputs):
                pass
            elif weights.ndim > 1 and np.all(sequences.lengths == weights.shape[1]):
                weights = weights.reshape(-1, *weights.shape[2:])
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
