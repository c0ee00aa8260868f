"""Autoregressive models against one least-squares problem each, written out."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

from esnkit import Forecaster
from esnkit.baselines import AutoregressiveModel, RidgeAutoregression, autoregressive_order

RNG = np.random.default_rng(0)
NOISE = RNG.normal(size=(300, 2))
SERIES = np.zeros((300, 2))
for t in range(3, 300):
    SERIES[t] = 5 + 0.6 * SERIES[t - 1] - 0.5 * SERIES[t - 3] + NOISE[t]


def closed_loop(values, order, n_steps):
    rows = [np.r_[1.0, values[t - order : t][::-1]] for t in range(order, len(values))]
    weights = np.linalg.lstsq(np.array(rows), values[order:], rcond=None)[0]
    run = list(values)
    for _ in range(n_steps):
        run.append(weights @ np.r_[1.0, run[-order:][::-1]])
    return np.array(run[-n_steps:]), weights[1:]


def test_it_is_least_squares_in_closed_loop_of_the_order_by_aic():
    model = AutoregressiveModel(max_order=9).fit(SERIES)
    ahead = model.forecast(30)
    for j, values in enumerate(SERIES.T):
        order = autoregressive_order(values, 9)
        expected, coefficients = closed_loop(values, order, 30)
        assert model.order_[j] == order >= 3
        np.testing.assert_allclose(ahead[:, j], expected, rtol=1e-9)
        np.testing.assert_allclose(model.coef_[j], coefficients, rtol=1e-8)
    alone = AutoregressiveModel(max_order=9).fit(SERIES[:, 0])
    assert alone.order_ == model.order_[0] and alone.coef_.shape == (alone.order_,)


def test_updates_keep_the_weights():
    model = AutoregressiveModel(max_order=4).fit(SERIES[:250, 0])
    before = model.coef_
    model.update(SERIES[250:, 0])
    np.testing.assert_array_equal(model.coef_, before)
    centre = SERIES[:250, 0].mean()
    one = model.forecast(1)[0] - centre
    lags = SERIES[::-1, 0][: model.order_] - centre
    assert one == pytest.approx(model.estimators_[0].intercept_ * SERIES[:250, 0].std()
                                + before @ lags)  # fmt: skip


def test_the_ridge_penalty_is_that_of_scikit_learn_on_standardised_values():
    found = RidgeAutoregression(lags=(1, 2, 5), alpha=3.0).fit(SERIES[:, 0])
    expected = Forecaster(Ridge(3.0), lags=(1, 2, 5)).fit(SERIES[:, 0])
    np.testing.assert_allclose(found.forecast(9), expected.forecast(9), rtol=1e-9)
    np.testing.assert_allclose(found.coef_, expected.estimators_[0].coef_, rtol=1e-8)
    chosen = RidgeAutoregression().fit(SERIES[:, 0])
    assert chosen.estimators_[0].alpha_ in [10.0**k for k in range(-3, 5)]
    assert chosen.coef_.shape == (24,)


def test_intervals_cover_about_as_often_as_they_say():
    days = pd.date_range("2024-01-01", periods=300)
    model = AutoregressiveModel().fit(pd.Series(SERIES[:, 0], days))
    ahead, lower, upper = model.forecast(5, interval=0.9).to_numpy().T
    width = upper - ahead
    np.testing.assert_allclose(width, ahead - lower)
    # Standard deviation of the noise is 1, that of the series 1.6: 1.64 to 2.7 for Gaussians.
    assert (np.diff(width) >= -1e-12).all() and 1.3 < width[0] < 2.6 and width[-1] < 4


def test_exogenous_inputs_are_used():
    driver = RNG.normal(size=130)
    driven = np.r_[0.0, 2 * driver[1:120]] + 0.01 * RNG.normal(size=120)
    for model in (AutoregressiveModel(2), RidgeAutoregression(lags=2, alpha=1e-6)):
        ahead = model.fit(driven, exog=driver[:120]).forecast(10, exog=driver[120:])
        np.testing.assert_allclose(ahead, 2 * driver[120:], atol=0.1)


WRONG = [
    (lambda: AutoregressiveModel().fit(np.arange(3.0)), "n_samples=3 time steps.* at least 4"),
    (lambda: AutoregressiveModel(3).fit(np.arange(7.0)), "n_samples=7 time steps.* at least 8"),
    (lambda: AutoregressiveModel(0).fit(SERIES), "max_order must be an integer >= 1, got 0"),
    (lambda: RidgeAutoregression([3, 9]).fit(np.arange(9.0)), "n_samples=9 .* at least 10"),
    (lambda: RidgeAutoregression(0).fit(SERIES), "lags must be an integer >= 1"),
    (lambda: RidgeAutoregression(alpha=-1.0).fit(SERIES), "alpha must be a finite number >= 0"),
    (lambda: RidgeAutoregression(alpha=[1, -1]).fit(SERIES), "alpha must be a finite number >= 0"),
    (lambda: RidgeAutoregression(14, 1.0).fit(np.sin(np.arange(15.0))).forecast(3, interval=0.9),
     "interval needs rolling forecasts: .* needs 15 rows"),
]  # fmt: skip


@pytest.mark.parametrize("case", range(len(WRONG)))
def test_wrong_calls_name_the_argument(case):
    call, message = WRONG[case]
    with pytest.raises(ValueError, match=message):
        call()
