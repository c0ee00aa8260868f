"""Validation data: sequences, or the end of one sequence, that are held out of training."""

import math

import numpy as np

from esnkit.networks._minibatches import SequenceBatch

__all__ = ["hold_out"]


def hold_out(
    data: SequenceBatch, fraction: float, rng: np.random.Generator, labels: np.ndarray | None = None
) -> tuple[SequenceBatch, SequenceBatch]:
    """Split off a fraction of the sequences, or the end of the only one, for validation.

    With ``labels`` (n_sequences,) the split is stratified, and keeps one sequence of every label
    for training.

    Raises
    ------
    ValueError
        If either side has no sequence, or no target with a weight.
    """
    n = len(data.lengths)
    if n == 1:
        training, validation = _hold_end_out(data, fraction)
    else:
        chosen = _choose(np.zeros(n) if labels is None else labels, fraction, rng)
        training = data.subset(np.flatnonzero(~chosen))
        validation = data.subset(np.flatnonzero(chosen))
    for side, use in ((training, "train on"), (validation, "score")):
        if side.weights is not None and not np.any(side.weights):
            raise ValueError(
                f"early_stopping with validation_fraction={fraction} leaves nothing to {use}: "
                "all of its sample_weight (times class_weight) are zero; change "
                "validation_fraction, random_state or sample_weight"
            )
    return training, validation


def _choose(labels: np.ndarray, fraction: float, rng: np.random.Generator) -> np.ndarray:
    """Return a mask that chooses a fraction of every label at random, but never all of a label."""
    n = len(labels)
    order = rng.permutation(n)
    order = order[np.argsort(labels[order], kind="stable")]
    candidates = np.delete(order, np.unique(labels[order], return_index=True)[1])
    n_chosen = math.ceil(fraction * n)
    if n_chosen > len(candidates):
        raise ValueError(
            f"validation_fraction={fraction} of {n} sequences leaves none to train"
            + (", or none of a class" if n_chosen < n else "")
        )
    # Candidates are sorted by label; equal distances between the chosen ones keep the proportions.
    positions = (np.arange(n_chosen) + rng.random()) * len(candidates) / n_chosen
    chosen = np.zeros(n, dtype=bool)
    chosen[candidates[np.floor(positions).astype(int)]] = True
    return chosen


def _hold_end_out(data: SequenceBatch, fraction: float) -> tuple[SequenceBatch, SequenceBatch]:
    n_steps = int(data.offsets[-1])
    cut = n_steps - math.ceil(fraction * n_steps)
    if not data.per_step or cut < 1:
        raise ValueError(
            "early_stopping needs several sequences, or one with a target for every time step, "
            f"got one of n_samples={n_steps} time steps"
        )
    # For validation the network runs over the whole series, so that its state at the cut is right.
    weights = np.ones(n_steps) if data.weights is None else data.weights.copy()
    weights[:cut] = 0
    return data.subset(np.arange(1), 0, cut), data._replace(weights=weights)
