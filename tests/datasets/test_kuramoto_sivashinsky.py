"""The Kuramoto-Sivashinsky field against another integration, finer steps, and its symmetries."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from esnkit.datasets import make_kuramoto_sivashinsky as make_ks


def slope(t, v, n_points, length):
    """Return the derivative of the spectrum (real and imaginary parts)."""
    v = v[: v.size // 2] + 1j * v[v.size // 2 :]
    k = 2 * np.pi / length * np.arange(v.size)
    u = np.fft.irfft(v, n_points)
    v = (k**2 - k**4) * v - 0.5j * k * np.fft.rfft(u**2)
    return np.concatenate([v.real, v.imag])


def test_the_field_solves_the_equation():
    start = make_ks(1, n_points=32, random_state=0)[0]
    X = make_ks(5, n_points=32, initial_state=start, n_discard=0, n_substeps=32)
    v = np.fft.rfft(start)
    v = np.concatenate([v.real, v.imag])
    exact = solve_ivp(slope, (0, 1), v, "BDF", [1.0], rtol=1e-8, atol=1e-8, args=(32, 22.0)).y[:, 0]
    exact = np.fft.irfft(exact[:17] + 1j * exact[17:], 32)
    assert np.abs(X[4] - exact).max() < 2e-5 and np.abs(X[4] - X[0]).max() > 0.1


def test_steps_converge_with_fourth_order():
    start = make_ks(1)[0]
    fields = [
        make_ks(3, initial_state=start, n_discard=0, n_substeps=n)[2] for n in (2, 32, 64, 256)
    ]
    errors = [np.abs(field - fields[-1]).max() for field in fields]
    assert errors[0] < 1e-4 and errors[1] / errors[2] > 13


def test_twice_the_points_give_the_same_field():
    start = make_ks(1)[0]
    spectrum = np.concatenate([2 * np.fft.rfft(start), np.zeros(32)])
    fine = make_ks(
        20, n_points=128, initial_state=np.fft.irfft(spectrum, 128), n_discard=0, n_substeps=8
    )
    coarse = make_ks(20, initial_state=start, n_discard=0, n_substeps=8)
    np.testing.assert_allclose(fine[:, ::2], coarse, rtol=0, atol=1e-8)


def test_the_mean_stays_and_shifts_and_reflections_commute_with_time():
    start = make_ks(1, random_state=1)[0] + 0.3
    X = make_ks(30, initial_state=start, n_discard=0)
    np.testing.assert_allclose(X.mean(axis=1), start.mean(), rtol=0, atol=1e-13)
    shifted = make_ks(30, initial_state=np.roll(start, 5), n_discard=0)
    np.testing.assert_allclose(shifted, np.roll(X, 5, axis=1), rtol=0, atol=1e-9)
    reflected = make_ks(30, initial_state=-start[::-1], n_discard=0)
    np.testing.assert_allclose(reflected, -X[:, ::-1], rtol=0, atol=1e-9)


def test_the_field_is_chaotic_and_rows_belong_to_one_orbit():
    X = make_ks(300)
    assert 1.0 < X.std() < 1.6 and np.abs(X).max() < 4 and X.flags.c_contiguous
    assert np.array_equal(make_ks(5, n_discard=10), make_ks(15, n_discard=0)[10:])
    assert not np.array_equal(make_ks(3), make_ks(3, random_state=0))
    near = make_ks(600, initial_state=X[0] + 1e-6 * np.sin(np.arange(64)), n_discard=0)
    far = make_ks(600, initial_state=X[0], n_discard=0)
    growth = np.abs(near - far).max(axis=1)
    assert growth[-50:].max() > 10 * growth[20:40].max()


@pytest.mark.parametrize(
    "arguments, name",
    [
        ({"n_timesteps": 0}, "n_timesteps"),
        ({"length": -1.0}, "length"),
        ({"n_points": 6}, "n_points"),
        ({"n_points": 33}, "n_points"),
        ({"dt": 0.0}, "dt"),
        ({"n_substeps": 0}, "n_substeps"),
        ({"initial_state": np.zeros(63)}, "initial_state"),
        ({"initial_state": np.full(64, 1e3)}, "initial_state"),
        ({"dt": 50.0, "n_substeps": 1, "n_timesteps": 5}, "dt / n_substeps and .*"),
        ({"dt": 1e300, "n_timesteps": 5, "n_discard": 0}, "dt / n_substeps and .*"),
    ],
)
def test_a_wrong_value_is_refused_by_name(arguments, name):
    with pytest.raises(ValueError, match=f"^{name} must be"):
        make_ks(**arguments)


def test_too_few_points_are_named_as_a_cause_of_a_divergence():
    with pytest.raises(ValueError, match=r"length / n_points .* got 0.125 and 12.5"):
        make_ks(400, length=200, n_points=16)
