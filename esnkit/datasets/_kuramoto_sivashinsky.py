"""Kuramoto-Sivashinsky equation, a chaotic field on a ring."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from esnkit.datasets._chaotic import check_positive, check_state
from esnkit.utils._progress import Task
from esnkit.utils._validation import check_positive_int, check_seed

CONTOUR_POINTS = 32  # of the integrals along circles, whose error is then that of rounding


def make_kuramoto_sivashinsky(
    n_timesteps: int = 1000,
    *,
    length: float = 22.0,
    n_points: int = 64,
    dt: float = 0.25,
    n_substeps: int = 2,
    initial_state: ArrayLike | None = None,
    n_discard: int = 500,
    random_state: Any = None,
) -> NDArray[np.float64]:
    """Kuramoto-Sivashinsky equation, spatio-temporal chaos on a ring.

    The equation [1]_, with period `length` in s::

        du/dt = -u du/ds - d^2u/ds^2 - d^4u/ds^4

    Row ``i`` of the result is the field at time ``(n_discard + i) dt`` at the points
    ``j length / n_points``. It is integrated in Fourier space by the exponential method ETDRK4, of
    fourth order [2]_. Its mean over the ring does not change.

    Parameters
    ----------
    n_timesteps : int, default=1000
        Number of rows.
    length : float, default=22.0
        Period. 22 and 200 are the usual choices [3]_; at 22 the largest Lyapunov exponent is about
        0.05 per unit of time, at 200 about 0.09.
    n_points : int, default=64
        Number of points, even and at least 8. Three per unit of length resolve the field.
    dt : float, default=0.25
        Time between two rows.
    n_substeps : int, default=2
        Integration steps from one row to the next. At the defaults the error of a row is about 1e-5
        of the size of the field; twice as many divide it by 6 to 16.
    initial_state : array-like of shape (n_points,) or None, default=None
        Field at time 0, within +-100. None takes ``cos(p) (1 + sin(p)) + cos(2 p) / 2`` with
        ``p = 2 pi s / length``, or with a `random_state` a sum of the eight longest waves with
        normal coefficients.
    n_discard : int, default=500
        Rows computed and dropped before the first one, so that the others lie on the attractor.
    random_state : int, RandomState instance or None, default=None
        Draws the initial field where `initial_state` is None.

    Returns
    -------
    X : ndarray of shape (n_timesteps, n_points), float64

    Raises
    ------
    ValueError
        If a parameter is out of its range, or the steps are too long or the points too few for the
        integration.

    References
    ----------
    .. [1] Y. Kuramoto, "Diffusion-induced chaos in reaction systems", Progress of Theoretical
       Physics Supplement 64, 1978; G. I. Sivashinsky, Acta Astronautica 4, 1977.
    .. [2] A.-K. Kassam and L. N. Trefethen, "Fourth-order time-stepping for stiff PDEs", SIAM
       Journal on Scientific Computing 26, 2005.
    .. [3] J. Pathak et al., "Model-free prediction of large spatiotemporally chaotic systems from
       data", Physical Review Letters 120, 2018.

    Examples
    --------
    >>> from esnkit.datasets import make_kuramoto_sivashinsky
    >>> X = make_kuramoto_sivashinsky(10, n_discard=0)
    >>> X.shape, bool(abs(X.mean(axis=1)).max() < 1e-14)
    ((10, 64), True)
    """
    n_timesteps = check_positive_int("n_timesteps", n_timesteps)
    n_discard = check_positive_int("n_discard", n_discard, minimum=0)
    n_substeps = check_positive_int("n_substeps", n_substeps)
    length, dt = check_positive("length", length), check_positive("dt", dt)
    n_points = check_positive_int("n_points", n_points, minimum=8)
    if n_points % 2:
        raise ValueError(f"n_points must be even, got {n_points}")
    field = _initial_field(initial_state, n_points, random_state)
    spectrum, rows = np.fft.rfft(field), np.empty((n_discard + n_timesteps, n_points))
    task = Task("make_kuramoto_sivashinsky", len(rows), "rows")
    with np.errstate(over="ignore", invalid="ignore"):  # the error below says it
        scheme = _make_scheme(n_points, length, dt / n_substeps)
        for row in rows:
            row[:] = np.fft.irfft(spectrum, n_points)
            for _ in range(n_substeps):
                spectrum = _step(spectrum, scheme, n_points)
            task.step()
    if not np.isfinite(rows).all():
        step, distance = dt / n_substeps, length / n_points
        raise ValueError(
            "dt / n_substeps and length / n_points must be small enough to integrate with, as "
            f"0.125 and 0.5 are, got {step:g} and {distance:g}"
        )
    return rows[n_discard:].copy()


class _Scheme(NamedTuple):
    """Coefficients of ETDRK4 for every wave number, in the notation of Kassam and Trefethen."""

    E: np.ndarray  # exp(h L)
    E2: np.ndarray  # exp(h L / 2)
    Q: np.ndarray
    f1: np.ndarray
    f2: np.ndarray
    f3: np.ndarray
    g: np.ndarray  # the nonlinear part is g fft(u^2)


def _make_scheme(n_points: int, length: float, h: float) -> _Scheme:
    """Return the coefficients for steps h, from integrals along circles around each h L."""
    k = 2.0 * np.pi / length * np.arange(n_points // 2 + 1)
    L = k**2 - k**4
    angles = np.pi * (np.arange(1, CONTOUR_POINTS + 1) - 0.5) / CONTOUR_POINTS
    z = h * L[:, None] + np.exp(1j * angles)
    e = np.exp(z)
    Q = h * ((np.exp(z / 2) - 1) / z).mean(axis=1).real
    f1 = h * ((-4 - z + e * (4 - 3 * z + z**2)) / z**3).mean(axis=1).real
    f2 = h * ((2 + z + e * (z - 2)) / z**3).mean(axis=1).real
    f3 = h * ((-4 - 3 * z - z**2 + e * (4 - z)) / z**3).mean(axis=1).real
    g = -0.5j * k
    g[-1] = 0.0  # the derivative of the shortest wave is zero at all points
    return _Scheme(np.exp(h * L), np.exp(h * L / 2), Q, f1, f2, f3, g)


def _step(v: np.ndarray, scheme: _Scheme, n_points: int) -> np.ndarray:
    """Return the spectrum after a step (Kassam and Trefethen 2005, eqs. 2.3)."""
    E, E2, Q, f1, f2, f3, g = scheme

    def nonlinear(spectrum):
        return g * np.fft.rfft(np.fft.irfft(spectrum, n_points) ** 2)

    Nv = nonlinear(v)
    a = E2 * v + Q * Nv
    Na = nonlinear(a)
    b = E2 * v + Q * Na
    Nb = nonlinear(b)
    c = E2 * a + Q * (2 * Nb - Nv)
    return E * v + Nv * f1 + 2 * (Na + Nb) * f2 + nonlinear(c) * f3


def _initial_field(initial_state: ArrayLike | None, n_points: int, random_state: Any) -> np.ndarray:
    """Return the field at time 0."""
    if initial_state is not None:
        return check_state(initial_state, n_points, 100.0)
    phase = 2.0 * np.pi * np.arange(n_points) / n_points
    if random_state is None:
        return np.cos(phase) * (1.0 + np.sin(phase)) + 0.5 * np.cos(2.0 * phase)
    waves = np.arange(1, min(8, n_points // 4) + 1)[:, None] * phase
    coefficients = check_seed(random_state).standard_normal((2, len(waves)))
    return coefficients[0] @ np.cos(waves) + coefficients[1] @ np.sin(waves)
