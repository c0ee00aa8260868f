"""Series with next to no noise: which these are, what is chosen for them, and how good it is."""

import numpy as np
import pytest

from esnkit import AutoForecaster
from esnkit.datasets import make_lorenz
from esnkit.forecasting import _noiseless
from esnkit.forecasting._blended_errors import naive_sizes
from esnkit.forecasting._candidates import Candidate, make_windows
from esnkit.forecasting._noiseless import (
    is_noiseless,
    much_worse,
    noiseless_candidates,
    reach,
    typical_errors,
)
from esnkit.forecasting._penalty_path import Structure
from esnkit.utils._progress import Task, current_task

pytestmark = pytest.mark.usefixtures("no_regressions_as_baselines")
RNG = np.random.default_rng(0)
MONTHS = 50 + np.tile(np.arange(12.0), 30) + 2 * RNG.normal(size=360)


@pytest.fixture(scope="module")
def lorenz():
    return make_lorenz(620, dt=0.1)[:, 0]


def is_noiseless_alone(values):
    return is_noiseless(values, np.empty((len(values), 0)), seed=0)


def test_chaotic_series_are_noiseless_and_noisy_or_short_ones_are_not(lorenz):
    assert is_noiseless_alone(lorenz)
    assert not is_noiseless_alone(lorenz + RNG.normal(size=620))
    assert not is_noiseless_alone(MONTHS)
    assert not is_noiseless_alone(MONTHS.cumsum())
    assert not is_noiseless_alone(lorenz[:199])


def test_typical_errors_are_geometric_means_and_finite():
    forecasts = np.stack([np.full((2, 3), 0.1), np.full((2, 3), 10.0)])
    assert typical_errors(forecasts, np.zeros((2, 1, 3))).tolist() == pytest.approx([1.0, 1.0])
    forecasts[0, 0], forecasts[:, 1] = np.inf, 0.0
    found = typical_errors(forecasts, np.zeros((2, 1, 3)))
    assert 1e100 < found[0] < np.inf and 0 < found[1] < 1e-300


def test_candidates_are_one_network_with_three_seeds_that_stays_in_reach(lorenz):
    values, no_exog = lorenz[:300], np.empty((300, 0))
    windows = make_windows(300, 5)
    found = noiseless_candidates(values, no_exog, windows, seed=0)
    assert [item.error for item in found] == sorted(item.error for item in found)
    assert len({item.network["random_state"] for item in found}) == 3
    same = [{**item.network, "random_state": 0} for item in found]
    assert same[0] == same[1] == same[2] and same[0]["n_units"] == 150
    low, high = reach(values)
    assert low < values.min() and high > values.max()
    for item in found:
        assert item.forecasts.min() >= low and item.forecasts.max() <= high
        assert item.error < 0.05 * values.std()


def test_noiseless_candidates_may_be_a_little_worse_since_they_are_safer():
    one, two, three = (
        Candidate(1.0, Structure(), 1.0, np.full((4, 2), error), {}) for error in (1.0, 1.9, 2.1)
    )
    assert not much_worse(two, one, np.zeros((4, 2))) and much_worse(three, one, np.zeros((4, 2)))


def test_chaotic_series_are_followed_for_more_than_a_lyapunov_time(lorenz):
    model = AutoForecaster(horizon=12, seasons=[]).fit(lorenz[:600])
    error = np.abs(model.forecast(12) - lorenz[600:612]).mean()
    assert error < 0.02 * lorenz.std()
    assert {member["alpha"] <= 1e-6 for member in model.members_} == {True}
    assert [network.reservoir_.n_units for network in model.estimators_] == [300] * 3
    (errors,) = model._errors_ahead(12, np.empty((12, 0)), 0.9).parts
    assert errors.naive is None  # whose errors say nothing of those of the networks
    far = model.forecast(400)
    low, high = reach(lorenz[:600])
    assert far.min() >= low and far.max() <= high


def test_quick_forecasts_have_small_networks_only(lorenz):
    model = AutoForecaster(horizon=12, seasons=[], quick=True).fit(lorenz[:600])
    assert {network.reservoir_.n_units for network in model.estimators_} == {50}
    (errors,) = model._errors_ahead(12, np.empty((12, 0)), 0.9).parts
    np.testing.assert_array_equal(errors.naive, naive_sizes(lorenz[:600], [], 12))


def test_every_larger_network_is_a_step_of_the_task(monkeypatch):
    seen = []

    def judged(*args):
        task = current_task()
        seen.append((task.done, task.total, task.unit))
        return Candidate(1.0, Structure(), 1.0, np.zeros((1, 1)), {})

    monkeypatch.setattr(_noiseless, "_validate", lambda *args: (1.0, None, {}, 1.0))
    monkeypatch.setattr(_noiseless, "_judge", judged)
    windows = make_windows(50, 1, 0, 0.0, -np.ones(50))
    with Task("fit", 1):
        _noiseless.noiseless_candidates(-np.ones(50), np.empty((50, 0)), windows, 0)
    n, total = len(_noiseless.SETTINGS), len(_noiseless.SETTINGS) + _noiseless.N_SEEDS
    assert seen == [(k, total, "larger networks") for k in range(n, total)]
