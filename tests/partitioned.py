"""Data in memory and in partitions, and what two fitted models must have in common."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

SERIES_CUTS = (700, 1400, 1407, 2000)


def series(n_rows=2000, dtype=float):
    """Return three inputs, and two delayed ones to predict."""
    X = np.random.default_rng(0).standard_normal((n_rows, 3)).astype(dtype)
    return X, np.column_stack([np.roll(X[:, 0], 1), np.roll(X[:, 1], 2)])


def sequences(n=90):
    """Return ragged sequences of three kinds, and their labels."""
    rng = np.random.default_rng(1)
    labels = rng.permutation(np.resize(["slow", "fast", "steady"], n))
    period = {"slow": 5.0, "fast": 2.0, "steady": np.inf}
    X = [
        np.sin(np.arange(k) / period[label] + rng.uniform(0, 6))[:, None]
        + 0.1 * rng.standard_normal((k, 1))
        for k, label in zip(rng.integers(15, 40, n), labels, strict=True)
    ]
    return X, labels.tolist()


def assert_same_fit(model, one, rtol=1e-9):
    """Compare all fitted attributes, but for those of the readout that are its settings."""
    assert set(vars(model)) == set(vars(one))
    for name in ("n_features_in_", "n_outputs_", "_shortest", "_flat", "_dtype"):
        assert getattr(model, name) == getattr(one, name), name
    assert_array_equal(getattr(model, "classes_", []), getattr(one, "classes_", []))
    end, wanted = (getattr(m, "last_state_", np.zeros((0, 0))) for m in (model, one))
    assert_allclose(end, wanted, atol=1e-6 if one._dtype == np.float32 else 1e-12)
    ours, theirs = model.readout_, one.readout_
    scale = np.abs(theirs.coef_).max()
    assert ours.coef_.dtype == theirs.coef_.dtype
    assert_allclose(ours.coef_, theirs.coef_, rtol=0, atol=rtol * scale)
    assert_allclose(ours.intercept_, theirs.intercept_, rtol=0, atol=rtol * scale)
    if hasattr(theirs, "alpha_"):
        assert (ours.alpha_, ours.solver_) == (theirs.alpha_, theirs.solver_)
