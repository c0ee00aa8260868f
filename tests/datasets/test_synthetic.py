"""NARMA and sine against their formulas."""

import warnings

import numpy as np
import pytest
import reference

from esnkit.datasets import make_mso, make_narma, make_sine


@pytest.mark.parametrize("order", [10, 20, 30])
def test_narma_lag_for_lag(order):
    u, y = make_narma(300, order=order, n_discard=0, random_state=3)
    assert u.shape == (300, 1) and y.shape == (300,)
    assert 0.0 <= u.min() and u.max() <= 0.5
    np.testing.assert_allclose(y, reference.narma(u[:, 0], order), rtol=1e-13)


@pytest.mark.parametrize("order", [10, 20, 30])
def test_narma_target_is_causal(order):
    u, y = make_narma(100, order=order, n_discard=0, random_state=3)
    changed = u[:, 0].copy()
    changed[60] = 0.5 - changed[60]
    moved = np.abs(reference.narma(changed, order) - y) > 1e-13
    assert np.flatnonzero(moved)[0] == 60


def test_narma_discards_the_start_of_the_same_stream():
    whole, part = (
        make_narma(n, n_discard=d, random_state=5) for n, d in ((250, 0), (200, 50))
    )  # fmt: skip
    for a, b in zip(whole, part, strict=True):
        assert np.array_equal(a[50:], b)


def test_a_diverging_narma_stream_is_dropped_whole_and_drawn_anew():
    n = 100_000
    seed = next(seed for seed in range(50) if diverges(n, seed))
    with pytest.warns(UserWarning, match="diverged"):
        u, y = make_narma(n, random_state=seed)
    assert np.isfinite(y).all() and y.max() < 2.0
    np.testing.assert_allclose(y[50:150], narma_rows(u[:, 0], y, range(50, 150)), rtol=1e-13)
    with pytest.warns(UserWarning, match="diverged"):
        assert np.array_equal(make_narma(n, random_state=seed)[1], y)


def diverges(n, seed):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        make_narma(n, random_state=seed)
    return bool(caught)


def narma_rows(u, y, rows):
    return [
        0.3 * y[t - 1]
        + 0.05 * y[t - 1] * sum(y[t - 1 - i] for i in range(10))
        + 1.5 * u[t - 9] * u[t]
        + 0.1
        for t in rows
    ]


def test_streams_that_all_diverge_end_in_an_error(monkeypatch):
    monkeypatch.setattr("esnkit.datasets._synthetic._MAX_MAGNITUDE", 0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(RuntimeError, match="n_timesteps"):
            make_narma(100, random_state=0)


def test_sine():
    X = make_sine(7, period=5.0, amplitude=2.0, phase=0.3)
    np.testing.assert_allclose(X[:, 0], 2 * np.sin(2 * np.pi * np.arange(7) / 5 + 0.3))
    noisy = make_sine(20_000, noise=0.5, random_state=0) - make_sine(20_000)
    assert abs(noisy.std() - 0.5) < 0.01 and abs(noisy.mean()) < 0.02


def test_generators_return_contiguous_float64():
    for X in (make_sine(9), *make_narma(9)):
        assert X.dtype == np.float64 and X.flags.c_contiguous and len(X) == 9


@pytest.mark.parametrize(
    "make, arguments, name",
    [
        (make_narma, {"n_timesteps": 0}, "n_timesteps"),
        (make_narma, {"order": 5}, "order"),
        (make_narma, {"order": "10"}, "order"),
        (make_narma, {"order": 10.0}, "order"),
        (make_narma, {"order": [10]}, "order"),
        (make_narma, {"random_state": "seed"}, "random_state"),
        (make_sine, {"random_state": -1}, "random_state"),
        (make_narma, {"n_discard": -1}, "n_discard"),
        (make_sine, {"period": 0.0}, "period"),
        (make_sine, {"noise": -1.0}, "noise"),
        (make_sine, {"amplitude": np.nan}, "amplitude"),
    ],
)
def test_a_wrong_value_is_refused_by_name(make, arguments, name):
    with pytest.raises(ValueError, match=rf"^{name} must be"):
        make(**arguments)


@pytest.mark.parametrize("make", [make_narma, make_sine])
def test_a_length_that_is_no_integer_is_refused(make):
    with pytest.raises(TypeError, match="n_timesteps"):
        make(10.5)


def test_mso_is_a_sum_of_sines_and_obeys_a_linear_recurrence():
    X = make_mso(50, n_oscillators=3)
    t = np.arange(50)
    np.testing.assert_allclose(
        X[:, 0], np.sin(0.2 * t) + np.sin(0.311 * t) + np.sin(0.42 * t), rtol=0, atol=1e-14
    )
    recurrence = np.array([1.0])
    for frequency in (0.2, 0.311, 0.42):
        recurrence = np.convolve(recurrence, [1.0, -2 * np.cos(frequency), 1.0])
    assert np.abs(np.convolve(X[:, 0], recurrence, "valid")).max() < 1e-13
    assert make_mso(5, n_oscillators=12).shape == (5, 1) and len(make_mso()) == 700


@pytest.mark.parametrize("n_oscillators", [0, 13])
def test_a_number_of_oscillators_without_frequencies_is_refused(n_oscillators):
    with pytest.raises(ValueError, match="^n_oscillators must be"):
        make_mso(5, n_oscillators=n_oscillators)
