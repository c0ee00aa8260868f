"""Sample paths: their distribution, their reproduction, and what they leave as it is."""

import pickle

import numpy as np
import pytest
from forecast_problems import DRIVEN, EXOG, WAVE, esn
from scipy.stats import binom
from sklearn.linear_model import LinearRegression

from esnkit import AutoForecaster, Forecaster


def autoregressive(n, rng):
    noise, y = rng.normal(size=n), np.zeros(n)
    for t in range(1, n):
        y[t] = 0.8 * y[t - 1] + noise[t]
    return y


def test_paths_of_an_autoregressive_process_have_its_distribution():
    y = autoregressive(3000, np.random.default_rng(0))
    model = Forecaster(LinearRegression(), lags=1).fit(y)
    paths = model.sample(6, 4000, random_state=0)
    k = np.arange(1, 7)
    np.testing.assert_allclose(paths.mean(axis=0), 0.8**k * y[-1], atol=0.12)
    np.testing.assert_allclose(paths.var(axis=0), (1 - 0.64**k) / 0.36, rtol=0.1)
    assert np.corrcoef(paths[:, 4], paths[:, 5])[0, 1] > 0.7


def test_bands_of_paths_cover_what_they_say():
    rng, inside, n_series = np.random.default_rng(1), [], 60
    for _ in range(n_series):
        y = autoregressive(154, rng)
        model = Forecaster(LinearRegression(), lags=2).fit(y[:-4])
        paths = model.sample(4, 200, random_state=0)
        low, high = np.quantile(paths, [0.05, 0.95], axis=0)
        inside.append((low <= y[-4:]) & (y[-4:] <= high))
    least, most = binom.interval(0.999, n_series, 0.9)
    counts = np.sum(inside, axis=0)
    assert ((least <= counts) & (counts <= most)).all(), counts / n_series


MODELS = {
    "lags": Forecaster(LinearRegression(), lags=3, differences=1),
    "state": Forecaster(esn(n_units=20, alpha=1.0), n_ensemble=2, differences=(7, 1)),
    "auto": AutoForecaster(horizon=4, seasons=[]),
}


@pytest.mark.parametrize("name", MODELS)
def test_paths_reproduce_and_change_nothing(name):
    model = MODELS[name].fit(DRIVEN[:60], exog=EXOG[:60])
    before = model.forecast(5, EXOG[60:65])
    paths = model.sample(5, 8, EXOG[60:65], random_state=3)
    np.testing.assert_array_equal(paths, model.sample(5, 8, EXOG[60:65], random_state=3))
    assert not np.array_equal(paths, model.sample(5, 8, EXOG[60:65], random_state=4))
    np.testing.assert_array_equal(model.forecast(5, EXOG[60:65]), before)
    loaded = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(paths, loaded.sample(5, 8, EXOG[60:65], random_state=3))
    spread = np.abs(paths - before).mean()
    other = np.abs(model.sample(5, 8, EXOG[60:65] + 2, random_state=3) - paths).mean()
    assert other > spread / 10  # the inputs ahead act


def test_errors_of_several_series_are_drawn_together():
    noise = np.random.default_rng(0).normal(size=(400, 1))
    twins = noise + np.array([[0.0, 5.0]])
    paths = Forecaster(LinearRegression(), lags=1).fit(twins).sample(3, 50, random_state=0)
    assert paths.shape == (50, 3, 2)
    assert np.corrcoef(paths[:, 0].T)[0, 1] > 0.999


def test_counts_and_logarithms_stay_positive():
    rng = np.random.default_rng(0)
    counts = rng.poisson(0.4, size=60).astype(float)
    assert AutoForecaster(horizon=4).fit(counts).sample(20, random_state=0).min() >= 0
    growth = np.exp(0.1 * np.arange(60) + 0.1 * rng.normal(size=60).cumsum())
    model = AutoForecaster(horizon=6).fit(growth)
    logarithms = [member["power"] == 0 for member in model.members_]
    assert any(logarithms)
    part = model._ensemble.parts[0]
    for member, is_log in zip(part.members, logarithms, strict=True):
        if is_log:
            errors = 2.0 * rng.normal(size=(50, 1))
            assert (
                member.sample(errors, np.empty((9, 0)), 9, 50, np.random.RandomState(0)) > 0
            ).all()


def test_paths_after_an_update_start_at_the_new_rows():
    model = Forecaster(LinearRegression(), lags=6).fit(WAVE[:200]).update(WAVE[200:250])
    paths = model.sample(5, 4, random_state=0)
    np.testing.assert_allclose(paths, np.tile(WAVE[250:255], (4, 1)), atol=1e-6)


def test_few_rows_that_give_no_errors_to_draw_from_are_refused():
    rows = np.array([1.0, 2.0, 4.0, 3.0])
    assert np.isfinite(Forecaster(random_state=0).fit(rows).sample(2, 3, random_state=0)).all()
    with pytest.raises(ValueError, match="sample needs a series of at least 4 time steps .* got 3"):
        Forecaster(random_state=0).fit(rows[:3]).sample(2, 3)
