"""Lyapunov exponents: published and exact values, divergences, and distances of states."""

import numpy as np
import pytest
from driven_reservoirs import delay_line, linear
from third_party import MirroredSum, TappedDelayLine

from esnkit import ESNRegressor, Reservoir
from esnkit.analysis import (
    LyapunovSpectrum,
    conditional_lyapunov_exponents,
    lyapunov_spectrum,
)

DRIVE = np.random.default_rng(0).uniform(-1, 1, (300, 1))


def lorenz(v):
    x, y, z = v
    return np.array([10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z])


def lorenz_jacobian(v):
    x, y, z = v
    return np.array([[-10, 10, 0], [28 - z, -1, -x], [y, x, -8 / 3]])


def henon(v):
    return np.array([1 - 1.4 * v[0] ** 2 + v[1], 0.3 * v[0]])


def henon_jacobian(v):
    return np.array([[-2.8 * v[0], 1], [0.3, 0]])


def test_lorenz():
    spectrum = lyapunov_spectrum(
        lorenz, [1, 1, 1], dt=0.025, jacobian=lorenz_jacobian, n_steps=20_000
    )
    exponents, errors = spectrum
    assert exponents[0] == pytest.approx(0.9056, rel=0.02) and abs(exponents[1]) < 0.01
    assert exponents.sum() == pytest.approx(-10 - 1 - 8 / 3, rel=5e-4)
    assert spectrum.kaplan_yorke_dimension == pytest.approx(2.062, abs=0.002)
    assert abs(exponents[0] - 0.9056) < 3 * errors[0] < 0.08


def test_the_error_of_the_flow_is_of_fourth_order():
    sums = [
        lyapunov_spectrum(
            lorenz, [1, 1, 1], dt=dt, jacobian=lorenz_jacobian, n_steps=int(40 / dt), n_discard=0
        ).exponents.sum()
        for dt in (0.04, 0.02)
    ]
    errors = np.abs(np.array(sums) + 10 + 1 + 8 / 3)
    assert 10 < errors[0] / errors[1] < 60 and errors[1] < 0.01


def test_henon_with_and_without_derivatives():
    exact = lyapunov_spectrum(henon, [0.1, 0.1], jacobian=henon_jacobian, n_steps=8000)
    assert exact.exponents[0] == pytest.approx(0.419, rel=0.02)
    assert exact.exponents.sum() == pytest.approx(np.log(0.3), rel=1e-9)
    differences = lyapunov_spectrum(henon, [0.1, 0.1], n_steps=500)
    short = lyapunov_spectrum(henon, [0.1, 0.1], jacobian=henon_jacobian, n_steps=500)
    np.testing.assert_allclose(differences.exponents, short.exponents, atol=1e-7)
    (first,), _ = lyapunov_spectrum(henon, [0.1, 0.1], n_steps=500, n_exponents=1)
    assert first == pytest.approx(short.exponents[0], abs=1e-7)


def test_the_logistic_map():
    (exponent,), (error,) = lyapunov_spectrum(
        lambda x: 4 * x * (1 - x), [0.3], jacobian=lambda x: [4 - 8 * x], n_steps=10_000
    )
    assert exponent == pytest.approx(np.log(2), rel=2e-3) and abs(exponent - np.log(2)) < 4 * error


def test_linear_systems_have_the_logarithms_of_their_eigenvalues():
    A = np.array([[0.5, 1.0, 0.0], [0.0, 2.0, 1.0], [0.0, 0.0, 0.1]])
    sizes = np.log([2, 0.5, 0.1])
    found = lyapunov_spectrum(lambda x: A @ x * 0, [0, 0, 0], jacobian=lambda x: A, n_steps=40)
    np.testing.assert_allclose(found.exponents, sizes, atol=1e-9)
    flow = lyapunov_spectrum(lambda x: -(A @ x), [0, 0, 0], dt=0.05, n_steps=60, n_discard=600)
    np.testing.assert_allclose(flow.exponents, [-0.1, -0.5, -2], atol=1e-5)


def test_the_dimension_of_kaplan_and_yorke():
    for exponents, wanted in (
        ([0.2, -0.4], 1.5),
        ([0.3, 0.0, -0.6, -1], 2.5),
        ([-0.1, -2], 0.0),
        ([1.0, 0.5], 2.0),
        ([0.5, -np.inf], 1.0),
    ):
        spectrum = LyapunovSpectrum(np.array(exponents), np.zeros(len(exponents)))
        assert spectrum.kaplan_yorke_dimension == pytest.approx(wanted)


def test_an_orbit_that_leaves_is_refused_without_a_warning():
    with pytest.raises(FloatingPointError, match="must stay finite"):
        lyapunov_spectrum(lambda x: x**2, [3.0])


@pytest.mark.parametrize("leak", [1.0, 0.3])
def test_a_linear_reservoir_has_the_logarithms_of_its_eigenvalues(leak):
    reservoir = Reservoir(
        6, topology="eigenvalues", topology_params={"eigenvalues": [0.9, 0.7, -0.5, 0.3, 0.2, 0.1]},
        spectral_radius=None, activation="identity", leak_rate=leak, random_state=0,
    )  # fmt: skip
    moduli = np.abs(1 - leak + leak * np.array([0.9, 0.7, 0.3, 0.2, 0.1, -0.5]))
    found = conditional_lyapunov_exponents(reservoir, DRIVE, washout=200)
    np.testing.assert_allclose(found.exponents, np.sort(np.log(moduli))[::-1], atol=1e-6)


def test_the_largest_exponent_is_the_rate_at_which_states_meet():
    reservoir = Reservoir(30, spectral_radius=0.9, random_state=0).fit(DRIVE)
    state = reservoir.transform(DRIVE[:100], return_state=True)[1]
    near = state + 1e-6 * np.random.default_rng(1).normal(size=(1, 30))
    runs = [reservoir.transform(DRIVE[100:], initial_state=x) for x in (state, near)]
    distances = np.linalg.norm(runs[0] - runs[1], axis=1)
    rate = np.polyfit(np.arange(20, 60), np.log(distances[20:60]), 1)[0]
    found = conditional_lyapunov_exponents(reservoir, DRIVE, n_exponents=2)
    assert found.exponents[0] == pytest.approx(rate, rel=0.1) and found.exponents[0] < 0


def test_a_chaotic_reservoir_has_a_positive_exponent():
    wild = Reservoir(50, spectral_radius=3.0, bias_scaling=0.0, random_state=0)
    assert conditional_lyapunov_exponents(wild, 0.01 * DRIVE).exponents[0] > 0.1
    assert conditional_lyapunov_exponents(wild, 1000 * DRIVE).exponents[0] < 0


def test_any_reservoir_is_measured_by_differences():
    X = np.random.default_rng(0).uniform(size=(80, 1))
    taps = conditional_lyapunov_exponents(TappedDelayLine(), X, washout=10)
    assert taps.exponents.tolist() == 3 * [-np.inf]
    line = conditional_lyapunov_exponents(delay_line(4), X, washout=10)
    assert line.exponents.tolist() == 4 * [-np.inf] and np.isnan(line.standard_errors).all()


def test_an_estimator_is_measured_as_its_reservoir_and_n_exponents_have_a_default():
    model = ESNRegressor(15, random_state=0).fit(DRIVE, DRIVE[:, 0])
    one = conditional_lyapunov_exponents(model, DRIVE)
    other = conditional_lyapunov_exponents(model.reservoir_, DRIVE)
    np.testing.assert_array_equal(one.exponents, other.exponents)
    assert one.exponents.shape == (10,) and (np.diff(one.exponents) <= 0).all()
    single = conditional_lyapunov_exponents(Reservoir(15, random_state=0), DRIVE.astype("f4"))
    np.testing.assert_allclose(single.exponents, one.exponents, rtol=1e-3)


def test_the_start_of_the_run_counts():
    reservoir = linear("cycle", 4, radius=0.5).fit(DRIVE)
    state = ([0], [1e300])
    with pytest.raises(FloatingPointError):
        conditional_lyapunov_exponents(
            Reservoir(4, activation="identity", spectral_radius=2e3).fit(DRIVE),
            DRIVE, initial_state=state,
        )  # fmt: skip
    found = conditional_lyapunov_exponents(reservoir, DRIVE, initial_state=state)
    np.testing.assert_allclose(found.exponents, np.log(0.5), atol=1e-9)


def test_a_reservoir_that_looks_ahead_is_refused():
    with pytest.raises(ValueError, match="needs a causal reservoir"):
        conditional_lyapunov_exponents(MirroredSum(), DRIVE)
