"""Sequences, or the end of one, held out of training to be scored."""

import math

import numpy as np

from esnkit.networks._minibatches import SequenceBatch


def hold_out(
    data: SequenceBatch, fraction: float, rng: np.random.Generator, labels: np.ndarray | None = None
) -> tuple[SequenceBatch, SequenceBatch]:
    """Split off a share of the sequences, or the end of the only one, for validation.

    Of every label (n_sequences,) about the same share is held out, and one is left to train.

    Raises
    ------
    ValueError
        If too little is left on one side.
    """
    n = len(data.offsets) - 1
    if n == 1:
        training, validation = _end_held_out(data, fraction)
    else:
        held = _spread(np.zeros(n) if labels is None else labels, fraction, rng)
        training, validation = data.subset(np.flatnonzero(~held)), data.subset(np.flatnonzero(held))
    for part, use in ((training, "train on"), (validation, "score")):
        if part.weights is not None and not np.any(part.weights):
            raise ValueError(
                f"early_stopping with validation_fraction={fraction} leaves nothing to {use}: "
                "all of its sample_weight (times class_weight) are zero; change "
                "validation_fraction, random_state or sample_weight"
            )
    return training, validation


def _spread(labels, fraction, rng):
    """Choose a share of every label at random, but never all of it; True is chosen."""
    n = len(labels)
    order = rng.permutation(n)
    order = order[np.argsort(labels[order], kind="stable")]
    rest = np.delete(order, np.unique(labels[order], return_index=True)[1])
    n_held = math.ceil(fraction * n)
    if n_held > len(rest):
        raise ValueError(
            f"validation_fraction={fraction} of {n} sequences leaves none to train"
            + (", or none of a class" if n_held < n else "")
        )
    held = np.zeros(n, dtype=bool)
    held[rest[np.floor((np.arange(n_held) + rng.random()) * len(rest) / n_held).astype(int)]] = True
    return held


def _end_held_out(data, fraction):
    n_steps = int(data.offsets[-1])
    cut = n_steps - math.ceil(fraction * n_steps)
    if not data.per_step or cut < 1:
        raise ValueError(
            f"early_stopping needs sequences to hold out, got one of n_samples={n_steps} time steps"
        )
    # The network hears the start of the series before the end that it is scored on.
    weights = np.ones(n_steps) if data.weights is None else data.weights.copy()
    weights[:cut] = 0
    return data.subset(np.arange(1), 0, cut), data._replace(weights=weights)
