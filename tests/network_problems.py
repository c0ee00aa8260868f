"""Small networks of every kind, and data that suit them."""

import numpy as np

from esnkit.networks import _cells as cells
from esnkit.networks._batch import make_batch
from esnkit.networks._spec import Spec, n_parameters, parameter_views

CELLS = list(cells.CELLS)
LENGTHS = [4, 6, 1, 4]
OFFSETS = np.concatenate([[0], np.cumsum(LENGTHS)])
BASE = Spec("lstm", 4, 3, 2)


def free_parameters(spec):
    """Return a mask of the parameters that the network uses: some gates of a GRU leave zeros."""
    free = np.ones(n_parameters(spec), dtype=bool)
    cell, n = spec.cell_record, spec.n_units
    for name, width, _, _ in spec.layers():
        M = parameter_views(spec, free)[f"M_{name}"]
        M[~cell.input_rows(n), :width] = False
        M[~cell.state_rows(n), width:-1] = False
    return free


def theta_of(spec, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(0, 0.5, n_parameters(spec)) * free_parameters(spec)


def problem(spec, weights=None, seed=1):
    """Return a ragged batch, targets and weights that suit a spec."""
    rng = np.random.default_rng(seed)
    n_rows = OFFSETS[-1]
    inputs = rng.normal(size=(n_rows, spec.n_features))
    if spec.tokens:
        inputs = rng.integers(0, spec.n_features, n_rows)
    n = n_rows if spec.pooling is None else len(LENGTHS)
    Y = rng.normal(size=(n, spec.n_outputs))
    if spec.loss == "softmax":
        Y = np.eye(spec.n_outputs)[rng.integers(0, spec.n_outputs, n)]
    if weights == "rows":
        weights = rng.uniform(0, 1, n) * (rng.random(n) > 0.3)
    elif weights == "outputs":
        weights = rng.uniform(0, 1, Y.shape) * (rng.random(Y.shape) > 0.3)
    return make_batch(inputs, OFFSETS), Y, weights


SPECS = {cell: BASE._replace(cell=cell) for cell in CELLS}
SPECS |= {f"two {cell}": BASE._replace(cell=cell, n_layers=2) for cell in CELLS}
SPECS |= {f"both ways {cell}": BASE._replace(cell=cell, bidirectional=True) for cell in CELLS}
SPECS |= {
    "two both ways": BASE._replace(cell="gru", n_layers=2, bidirectional=True),
    "last": BASE._replace(pooling="last", bidirectional=True),
    "mean": BASE._replace(pooling="mean"),
    "max": BASE._replace(pooling="max", bidirectional=True),
    "attention": BASE._replace(pooling="attention", bidirectional=True),
    "softmax": BASE._replace(loss="softmax", n_outputs=3),
    "softmax last": BASE._replace(loss="softmax", pooling="last"),
    "no head": BASE._replace(head=False, n_outputs=3, n_layers=2),
    "no head mean": BASE._replace(head=False, pooling="mean", n_outputs=4),
    "one-hot": BASE._replace(tokens=True, n_features=5),
    "embedding": BASE._replace(tokens=True, n_features=5, embedding_dim=2),
    "learned state": BASE._replace(learn_state=True, n_layers=2),
    "cells at one": BASE._replace(cell_state=1.0, bidirectional=True),
}
