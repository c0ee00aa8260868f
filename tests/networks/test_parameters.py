"""Parameters of the estimators: what is refused, and with which remedy."""

import pytest
from training_problems import echo, quick, untrained

from esnkit.networks._cells import CELLS
from esnkit.networks._parameters import check_batch_size

BAD = {
    "n_units": (0, "n_units must be an integer >= 1, got 0"),
    "cell": ("elman", "cell must be one of"),
    "activation": ("sigmoid", "activation must be one of"),
    "n_layers": (0, "n_layers must be an integer >= 1"),
    "pooling": ("maximum", "pooling must be one of"),
    "learning_rate": ("adaptive", "learning_rate must be one of"),
    "head": ("softmax", "head must be one of"),
    "start": ("random", "start must be one of"),
    "init": ("he", "init must be one of"),
    "solver": ("lbfgs", "solver must be one of"),
    "learning_rate_init": (0.0, "learning_rate_init must be a finite number > 0"),
    "momentum": (1.5, r"momentum must be a number in \[0, 1\]"),
    "momentum_schedule": ("none", "momentum_schedule must be one of"),
    "clip_norm": (0.0, "clip_norm must be a finite number > 0, got 0.0"),
    "batch_size": (0, "batch_size must be an integer >= 1, got 0"),
    "alpha": (-1.0, "alpha must be a finite number >= 0"),
    "tbptt": (0, "tbptt must be an integer >= 1"),
    "max_iter": (-1, "max_iter must be an integer >= 0"),
    "tol": (-1.0, "tol must be a finite number >= 0"),
    "n_iter_no_change": (0, "n_iter_no_change must be an integer >= 1"),
    "target": ("all", "target must be one of"),
    "embedding_dim": (0, "embedding_dim must be an integer >= 1"),
    "n_tokens": (0, "n_tokens must be an integer >= 1"),
    "random_state": (-1, "random_state must be an integer"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_parameters_are_refused_by_name(name):
    value, message = BAD[name]
    X, y, _ = echo(4)
    X = X[:, :, :1] if name in ("n_tokens", "embedding_dim") else X
    with pytest.raises(ValueError, match=message):
        quick(**{name: value}).fit(X, y)


@pytest.mark.parametrize(
    "cell", sorted({record.family for record in CELLS.values() if not record.has_cell_state})
)
def test_only_cell_states_start_from_one(cell):
    X, y, _ = echo(4)
    message = "start='ones' sets the cell states of cell='lru' or 'lstm', got"
    with pytest.raises(ValueError, match=message):
        untrained(X, y, cell=cell, start="ones")


def test_the_pooling_is_the_mean_unless_training_is_truncated():
    X, y, _ = echo(4)
    assert untrained(X, y, pooling="auto")._spec.pooling == "mean"
    assert untrained(X, y, pooling="auto", tbptt=3)._spec.pooling == "last"
    assert untrained(X, X, pooling="auto")._spec.pooling is None


@pytest.mark.parametrize("n, size", [(3, 4), (80, 4), (101, 6), (5000, 16)])
def test_few_sequences_make_small_batches(n, size):
    assert check_batch_size("auto", n) == size
