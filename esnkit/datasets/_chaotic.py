"""Chaotic series from accurate integration: Mackey-Glass and Lorenz 63."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from esnkit.kernels import datasets as kernels
from esnkit.kernels.datasets import STEPS_PER_CALL
from esnkit.utils._threads import interruptible
from esnkit.utils._validation import (
    check_choice,
    check_number,
    check_positive_int,
    check_seed,
    refuse_masked,
)

# Of parameters and states. Above it the Taylor series overflows, or needs tiny steps.
LARGEST = 1e6
_LORENZ_ROWS_PER_CALL = 2**14


def make_mackey_glass(
    n_timesteps: int = 1000,
    *,
    tau: float = 17.0,
    dt: float = 1.0,
    n_substeps: int = 10,
    method: str = "rk4",
    initial_value: float | None = None,
    n_discard: int = 1000,
    random_state: Any = None,
) -> NDArray[np.float64]:
    """Mackey-Glass series, the solution of a chaotic delay differential equation.

    The equation, with a constant history::

        dy/dt = 0.2 y(t - tau) / (1 + y(t - tau)^10) - 0.1 y(t),    y(t) = initial_value for t <= 0

    Row ``i`` of the result is ``y((n_discard + i) dt)``.

    Parameters
    ----------
    n_timesteps : int, default=1000
        Number of rows.
    tau : float, default=17.0
        Delay. The series is chaotic above about 16.8; 17 and 30 are the usual choices. It must be
        a whole number of integration steps ``dt / n_substeps``.
    dt : float, default=1.0
        Time between two rows.
    n_substeps : int, default=10
        Integration steps from one row to the next.
    method : {"rk4", "euler"}, default="rk4"
        Method of integration. "rk4" is the classical Runge-Kutta method with the delayed value
        interpolated by cubic Hermite polynomials: fourth order, with an error below 1e-6 over
        hundreds of time units at the default step. "euler" is the recurrence of [1]_, for which
        NRMSE84 scores are published: with the step ``h = dt / n_substeps`` and ``d = tau / h``,
        ``y[n+1] = y[n] + h (0.2 y[n-d] / (1 + y[n-d]^10) - 0.1 y[n])``, of which every
        ``n_substeps``-th value is kept.
    initial_value : float or None, default=None
        The constant history. None takes 1.2, or with a `random_state` draws a value uniformly from
        [0.5, 1.3].
    n_discard : int, default=1000
        Rows computed and dropped before the first one, so that the transient is over.
    random_state : int, RandomState instance or None, default=None
        Draws the history where `initial_value` is None. With None the series is always the same.

    Returns
    -------
    X : ndarray of shape (n_timesteps, 1), float64
        The raw values. The echo state literature transforms them by ``numpy.tanh(X - 1)`` and
        computes errors after the inverse, ``numpy.arctanh(X) + 1``.

    Raises
    ------
    ValueError
        If a parameter is out of its range, or `tau` is not a whole number of steps.

    References
    ----------
    .. [1] H. Jaeger, "The 'echo state' approach to analysing and training recurrent neural
       networks", GMD Report 148, 2001, section 4.2.
    .. [2] M. C. Mackey and L. Glass, "Oscillation and chaos in physiological control systems",
       Science 197, 1977.

    Examples
    --------
    >>> from esnkit.datasets import make_mackey_glass
    >>> X = make_mackey_glass(500)
    >>> X.shape
    (500, 1)
    >>> bool(0.2 < X.min() < X.max() < 1.4)
    True
    """
    n_timesteps = check_positive_int("n_timesteps", n_timesteps)
    n_substeps = check_positive_int("n_substeps", n_substeps)
    n_discard = check_positive_int("n_discard", n_discard, minimum=0)
    dt = check_positive("dt", dt)
    check_choice("method", method, ("rk4", "euler"))
    lag = _whole_lag(check_positive("tau", tau), dt / n_substeps)
    if initial_value is None:
        rng = None if random_state is None else check_seed(random_state)
        initial_value = 1.2 if rng is None else rng.uniform(0.5, 1.3)
    y = np.empty(lag + 1 + (n_discard + n_timesteps - 1) * n_substeps)
    y[: lag + 1] = check_positive("initial_value", initial_value)
    slope = (np.zeros(y.size),) if method == "rk4" else ()
    integrate = kernels.mackey_glass_rk4 if method == "rk4" else kernels.mackey_glass_euler
    for start in range(lag, y.size - 1, STEPS_PER_CALL):
        stop = min(start + STEPS_PER_CALL, y.size - 1)
        integrate(y, *slope, lag, dt / n_substeps, start, stop)
    if not np.isfinite(y).all():
        step = dt / n_substeps
        raise ValueError(f"dt / n_substeps must be small enough to integrate with, got {step:g}")
    return y[lag + n_discard * n_substeps :: n_substeps, np.newaxis].copy()


def make_lorenz(
    n_timesteps: int = 1000,
    *,
    dt: float = 0.01,
    sigma: float = 10.0,
    rho: float = 28.0,
    beta: float = 8.0 / 3.0,
    initial_state: ArrayLike | None = None,
    n_discard: int = 1000,
    random_state: Any = None,
) -> NDArray[np.float64]:
    """Lorenz 63 system, a chaotic flow in three dimensions.

    The equations [1]_::

        dx/dt = sigma (y - x)
        dy/dt = x (rho - z) - y
        dz/dt = x y - beta z

    Row ``i`` of the result is the state at time ``(n_discard + i) dt``, starting from
    `initial_state` at time 0. It is integrated by Taylor series of order 24 with a step so small
    that rounding is the only error [2]_. Rounding errors grow by a factor of e per Lyapunov time:
    no integrator in float64 follows the true orbit for more than about 35 of them.

    Parameters
    ----------
    n_timesteps : int, default=1000
        Number of rows.
    dt : float, default=0.01
        Time between two rows, at most 1000; it does not affect the accuracy.
    sigma, rho, beta : float, default=10, 28, 8/3
        Parameters of the system, positive and at most 1e6. At the defaults the largest Lyapunov
        exponent is 0.9056 per unit of time, and the Lyapunov time 1.104.
    initial_state : array-like of shape (3,) or None, default=None
        State at time 0, within +-1e6. None takes (1, 1, 1), or with a `random_state` draws a state
        uniformly from the box [-15, 15] x [-20, 20] x [10, 40] around the attractor.
    n_discard : int, default=1000
        Rows computed and dropped before the first one, so that the others lie on the attractor.
    random_state : int, RandomState instance or None, default=None
        Draws the initial state where `initial_state` is None. With None the series is always
        the same.

    Returns
    -------
    X : ndarray of shape (n_timesteps, 3), float64
        Columns x, y, z.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    References
    ----------
    .. [1] E. N. Lorenz, "Deterministic nonperiodic flow", Journal of the Atmospheric Sciences 20,
       1963, eqs. 25-27.
    .. [2] A. Jorba and M. Zou, "A software package for the numerical integration of ODEs by means
       of high-order Taylor methods", Experimental Mathematics 14, 2005.

    Examples
    --------
    >>> from esnkit.datasets import make_lorenz
    >>> make_lorenz(3, n_discard=0, initial_state=[1.0, 1.0, 1.0]).round(4)
    array([[1.    , 1.    , 1.    ],
           [1.0126, 1.2599, 0.9849],
           [1.0488, 1.524 , 0.9731]])
    """
    n_timesteps = check_positive_int("n_timesteps", n_timesteps)
    n_discard = check_positive_int("n_discard", n_discard, minimum=0)
    dt, sigma = check_positive("dt", dt, 1e3), check_positive("sigma", sigma, LARGEST)
    rho, beta = (
        check_positive("rho", rho, LARGEST),
        check_positive("beta", beta, LARGEST),
    )
    if initial_state is None:
        rng = None if random_state is None else check_seed(random_state)
        box = ((-15.0, -20.0, 10.0), (15.0, 20.0, 40.0))
        initial_state = np.ones(3) if rng is None else rng.uniform(*box)
    state = check_state(initial_state, 3)
    out = np.empty((n_discard + n_timesteps, 3))
    for start in range(0, len(out), _LORENZ_ROWS_PER_CALL):
        rows = out[start : start + _LORENZ_ROWS_PER_CALL]
        # A row of a long dt takes many steps, which the kernel chooses.
        interruptible(np.inf, kernels.lorenz, rows, state, dt, sigma, rho, beta)
    return out[n_discard:].copy()


def check_positive(name: str, value: float, largest: float = np.inf) -> float:
    """Return a positive number of at most ``largest``, or raise."""
    return check_number(name, value, 0.0, largest, low_open=True)


def check_state(initial_state: ArrayLike, n: int, largest: float = LARGEST) -> NDArray[np.float64]:
    """Return a copy, which the integration may overwrite, or raise."""
    refuse_masked("initial_state", initial_state)
    try:
        state = np.array(initial_state, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        state = np.empty(0)
    if state.shape != (n,) or not (np.abs(state) <= largest).all():
        raise ValueError(
            f"initial_state must be {n} numbers from {-largest:g} to {largest:g}, got "
            f"{initial_state!r}"
        )
    return state


def _whole_lag(tau: float, step: float) -> int:
    """Return the number of integration steps in tau."""
    lag = round(tau / step)
    if lag < 1 or abs(lag * step - tau) > 1e-9 * tau:
        raise ValueError(
            f"tau must be a whole number of integration steps dt / n_substeps = {step:g}, "
            f"got {tau!r}; change n_substeps"
        )
    return lag
