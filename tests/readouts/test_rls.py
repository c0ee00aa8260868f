"""Recursive least squares against ridge regression, and over long streams."""

import numpy as np
import pytest
import reference

from esnkit import Reservoir
from esnkit.datasets import make_narma
from esnkit.readouts import RidgeReadout, RLSReadout


@pytest.fixture(scope="module")
def states():
    u, y = make_narma(900, random_state=0)
    X = Reservoir(40, random_state=0).fit(u).transform(u)
    w = np.random.default_rng(0).integers(0, 3, len(y)) / 2
    return X, np.column_stack([y, u[:, 0] ** 2 + 5.0]), w


@pytest.mark.parametrize("alpha", [1e-10, 1e-6, 1.0])
def test_without_forgetting_it_is_ridge(states, alpha):
    X, Y, w = states
    ridge = RidgeReadout(alpha, solver="qr").fit(X, Y, w)
    rls = RLSReadout(alpha).fit(X, Y, w)
    np.testing.assert_allclose(rls.predict(X), ridge.predict(X), rtol=0, atol=1e-11)
    np.testing.assert_allclose(rls.coef_, ridge.coef_, rtol=0, atol=1e-8 * abs(ridge.coef_).max())
    np.testing.assert_allclose(rls.intercept_, ridge.intercept_, rtol=1e-8)


@pytest.mark.parametrize("forgetting", [0.999, 0.99, 0.9, 0.5])
@pytest.mark.parametrize("n_rows", [1, 39, 500])
def test_with_forgetting_it_is_ridge_with_faded_weights_and_penalties(states, forgetting, n_rows):
    X, Y, w = (part[:n_rows] for part in states)
    w = np.maximum(w, 1.0) if n_rows == 1 else w
    coef, intercept = reference.recursive_least_squares(X, Y, w, forgetting, 1e-3)
    rls = RLSReadout(1e-3, forgetting=forgetting).fit(X, Y, w)
    np.testing.assert_allclose(rls.coef_, coef, rtol=0, atol=1e-8 * (abs(coef).max() + 1e-3))
    np.testing.assert_allclose(rls.intercept_, intercept, rtol=1e-8)


def dependent_rows(n_rows):
    """Return two features, each twice, and one that is always zero; and a target of them."""
    rng = np.random.default_rng(0)
    Z = rng.standard_normal((n_rows, 2))
    return np.column_stack([Z, Z, np.zeros(n_rows)]), Z @ [1.0, -2.0]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_long_streams_of_dependent_features_stay_accurate_with_forgetting(dtype):
    X, y = (part.astype(dtype) for part in dependent_rows(20_000))
    model = RLSReadout(1e-6, forgetting=0.9).fit(X, y)
    assert model.coef_.dtype == dtype
    # Equal features share a coefficient, by penalties that differ by a factor of 2 at most.
    np.testing.assert_allclose(model.coef_[:2] + model.coef_[2:4], [1.0, -2.0], atol=1e-6)
    assert (abs(model.coef_) < 2 / 3 * 2.001).all() and model.coef_[4] == 0.0
    diagonal = model._state.covariance.diagonal
    assert (diagonal > 0).all() and (diagonal < 2.1e6).all()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_textbook_form_overflows_on_such_a_stream():
    X, y = dependent_rows(8_000)
    start = np.eye(5) * 1e6, np.zeros((1, 5))
    _, coef = reference.covariance_recursion(*start, X, y[:, None], 0.9)
    assert np.isnan(coef).any()


def test_forgetting_follows_a_change():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, 3))
    B = np.where(np.arange(400)[:, None] < 200, [1.0, 2.0, 3.0], [3.0, 2.0, -1.0])
    y = (X * B).sum(axis=1)
    np.testing.assert_allclose(RLSReadout(forgetting=0.9).fit(X, y).coef_, B[-1], atol=1e-6)
    assert abs(RLSReadout().fit(X, y).coef_ - B[-1]).max() > 0.5


def test_a_smaller_alpha_between_two_calls_leaves_the_penalties_to_fade():
    X, y = dependent_rows(50)
    model = RLSReadout(1.0, forgetting=0.9).partial_fit(X, y).set_params(alpha=1e-3)
    model.partial_fit(X[:5], y[:5])
    penalty = model._state.covariance.penalty
    assert np.isfinite(model.coef_).all() and (penalty >= 1e-3).all() and (penalty < 1.0).all()


@pytest.mark.parametrize(
    "parameters, name",
    [
        ({"alpha": 0.0}, "alpha"),
        ({"alpha": -1.0}, "alpha"),
        ({"alpha": np.nan}, "alpha"),
        ({"forgetting": 0.0}, "forgetting"),
        ({"forgetting": 1.1}, "forgetting"),
    ],
)
def test_a_wrong_value_is_refused_by_name(parameters, name):
    X, y = dependent_rows(10)
    with pytest.raises(ValueError, match=f"^{name} must be"):
        RLSReadout(**parameters).fit(X, y)


@pytest.mark.parametrize("cut", [1, 39, 400])
@pytest.mark.parametrize("alpha", [1e-10, 1.0])
def test_merged_readouts_are_that_of_all_rows_and_learn_on(states, alpha, cut):
    X, Y, w = states
    first = RLSReadout(alpha).partial_fit(X[:cut], Y[:cut], w[:cut])
    # Their penalty counts once, whatever that of the other readout was.
    second = RLSReadout(7 * alpha).fit(X[cut:], Y[cut:], w[cut:])
    before = second.coef_.copy()
    merged, single = first.merge(second), RLSReadout(alpha).fit(X, Y, w)
    for _ in range(2):
        atol = 1e-10 * abs(single.coef_).max()
        np.testing.assert_allclose(merged.coef_, single.coef_, rtol=0, atol=atol)
        np.testing.assert_allclose(merged.intercept_, single.intercept_, rtol=1e-10)
        merged.partial_fit(X[:20], Y[:20])
        single.partial_fit(X[:20], Y[:20])
    np.testing.assert_allclose(
        merged._state.covariance.diagonal, single._state.covariance.diagonal, rtol=1e-10
    )
    assert (merged._state.covariance.penalty == alpha).all() and (second.coef_ == before).all()


def test_merge_of_dependent_features_and_of_rows_of_no_weight():
    X, y = dependent_rows(60)
    merged = RLSReadout().fit(X[:30], y[:30]).merge(RLSReadout().fit(X[30:], y[30:]))
    np.testing.assert_allclose(merged.coef_, RLSReadout().fit(X, y).coef_, rtol=0, atol=1e-9)
    nothing = [RLSReadout().partial_fit(X, y, np.zeros(60)) for _ in range(2)]
    assert (nothing[0].merge(nothing[1]).coef_ == 0.0).all()
    np.testing.assert_allclose(nothing[0].merge(merged).coef_, merged.coef_, rtol=0, atol=1e-9)


def test_what_has_no_sound_merge_is_refused_and_changes_nothing():
    X, y = dependent_rows(10)
    model = RLSReadout().fit(X, y)
    before = model.coef_.copy()
    with pytest.raises(TypeError, match="other must be an RLSReadout, got RidgeReadout"):
        model.merge(RidgeReadout().fit(X, y))
    with pytest.raises(ValueError, match="other must have 5 features and 1 outputs .* got 4 and 1"):
        model.merge(RLSReadout().fit(X[:, :4], y))
    with pytest.raises(ValueError, match="forgetting must be 1 for merge"):
        model.merge(RLSReadout(forgetting=0.9).fit(X, y))
    with pytest.raises(ValueError, match="forgetting must be 1 for merge"):
        RLSReadout(forgetting=0.9).fit(X, y).merge(model)
    assert (model.coef_ == before).all()
