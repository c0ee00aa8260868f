"""Regressors with a reservoir: states, clamps and scores."""

import numpy as np
import pytest
from esn_models import assert_same_readout, coefficients, features, regressor, ridge_rows


@pytest.mark.parametrize("n_outputs", [None, 2])
def test_scores_are_over_all_rows_of_all_sequences(n_outputs, rng):
    batch = rng.normal(size=(5, 8, 2))
    y = rng.normal(size=(5, 8) if n_outputs is None else (5, 8, n_outputs))
    model = regressor(3, target="steps").fit(batch, y)
    rows, answer = y.reshape(40, -1), model.predict(batch).reshape(40, -1)
    wanted = 1 - ((rows - answer) ** 2).sum(axis=0) / ((rows - rows.mean(axis=0)) ** 2).sum(axis=0)
    for X, targets in ((batch, y), (list(batch), list(y)), (batch, y.tolist())):
        assert model.score(X, targets) == pytest.approx(wanted.mean())
    weights = rng.random(5)
    expected = model.score(batch, y, sample_weight=np.repeat(weights, 8))
    assert model.score(batch, y, sample_weight=weights) == pytest.approx(expected)


def test_initial_state_and_clamp_in_fit_and_predict(X, y, rng):
    x0 = rng.normal(size=15)
    model = regressor().fit(X, y, initial_state=x0)
    Z = features(model, [X], x0=x0)
    assert_same_readout(coefficients(model), ridge_rows(Z, y, np.ones(len(X))))
    rows = rng.normal(size=(len(X), 1))
    for values in ([0.7], rows):
        held = regressor().fit(X, y, clamp=([3], values))
        Z = np.c_[held.reservoir_.transform(X, clamp=([3], values)), X]
        assert_same_readout(coefficients(held), ridge_rows(Z, y, np.ones(len(X))))
        wanted = np.c_[Z, np.ones(len(X))] @ coefficients(held).T
        np.testing.assert_allclose(held.predict(X, clamp=([3], values)), wanted, atol=1e-11)


def test_a_clamp_holds_units_where_outputs_are_fed_back(X, y, rng):
    model = regressor(feedback=True).fit(X, y)
    rows = rng.normal(size=(2 * len(X), 15))
    answer = model.predict([X, -X], clamp=(np.arange(15), rows))
    # With all units held, an answer is the readout of them, of the one before and of X.
    coef, intercept = coefficients(model)[:, :-1], coefficients(model)[:, -1]
    for Z, u, got in zip(np.split(rows, 2), (X, -X), answer, strict=True):
        heard = np.vstack([np.zeros((1, 2)), got[:-1]])
        np.testing.assert_allclose(got, np.c_[Z, heard, u] @ coef.T + intercept, atol=1e-9)


def test_last_state_is_where_the_training_series_ended(X, y, rng):
    x0 = rng.normal(size=15)
    model = regressor().fit(X, y, initial_state=x0)
    _, end = model.predict(X, initial_state=x0, return_state=True)
    assert np.array_equal(model.last_state_, end)
    noisy = regressor(noise=0.1).fit(X, y, initial_state=x0)
    assert np.array_equal(noisy.last_state_, end)
    assert not hasattr(model.fit([X, X], [y, y]), "last_state_")
