"""Synthetic series given by a formula: NARMA, sine, and superimposed oscillators."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from esnkit.kernels import datasets as kernels
from esnkit.kernels.datasets import STEPS_PER_CALL
from esnkit.utils._validation import check_number, check_positive_int, check_seed
from esnkit.utils._warnings import warn

# order: (weight of y(t), weight of y(t) times the sum, constant, wrapped in tanh)
_NARMA = {
    10: (0.3, 0.05, 0.1, False),
    20: (0.3, 0.05, 0.01, True),
    30: (0.2, 0.04, 0.001, False),
}
_MAX_MAGNITUDE = 10.0  # of y in a stream that has not diverged
_MAX_DRAWS = 100
# Angular frequencies of the oscillators, in the order in which tasks of more of them add them.
_MSO = (0.2, 0.311, 0.42, 0.51, 0.63, 0.74, 0.85, 0.97, 1.08, 1.19, 1.27, 1.32)


def make_narma(
    n_timesteps: int = 1000,
    *,
    order: int = 10,
    n_discard: int = 200,
    random_state: Any = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """NARMA task: predict a nonlinear autoregressive moving average from its random input.

    The input is uniform on [0, 0.5], independent from step to step, and the target is::

        order 10:  y(t+1) = 0.3 y(t) + 0.05 y(t) [y(t) + ... + y(t-9)] + 1.5 u(t-9) u(t) + 0.1
        order 20:  y(t+1) = tanh(0.3 y(t) + 0.05 y(t) [y(t) + ... + y(t-19)]
                                 + 1.5 u(t-19) u(t) + 0.01)
        order 30:  y(t+1) = 0.2 y(t) + 0.04 y(t) [y(t) + ... + y(t-29)] + 1.5 u(t-29) u(t) + 0.001

    with u(t) = y(t) = 0 before the first step. Row ``t`` of the returned target is ``y(t+1)``:
    it depends on rows ``0..t`` of the input, so ``fit(u, y)`` is a causal task without a shift.

    Parameters
    ----------
    n_timesteps : int, default=1000
        Number of rows.
    order : {10, 20, 30}, default=10
        Which of the three recurrences, 10 from [1]_, 20 from [2]_ and 30 from [3]_.
    n_discard : int, default=200
        Steps computed and dropped before the first row, so that the transient is over. With 0, the
        sums of the first ``order`` rows still contain the zeros before the start.
    random_state : int, RandomState instance or None, default=None
        Draws the input. Pass an int for the same stream in every call.

    Returns
    -------
    u : ndarray of shape (n_timesteps, 1), float64
        The input.
    y : ndarray of shape (n_timesteps,), float64
        The target.

    Raises
    ------
    ValueError
        If a parameter is out of its range.
    RuntimeError
        If 100 streams in a row diverge, which happens only with very long ones.

    Warns
    -----
    UserWarning
        If a stream diverges. Orders 10 and 30 can, rarely: a long run of large inputs drives y past
        an unstable fixed point. A stream with any ``|y| > 10`` is dropped as a whole and the next
        one is drawn from the same `random_state`; values are never clipped.

    References
    ----------
    .. [1] A. F. Atiya and A. G. Parlos, "New results on recurrent network training", IEEE
       Transactions on Neural Networks 11, 2000, eq. 86.
    .. [2] A. Rodan and P. Tino, "Minimum complexity echo state network", IEEE Transactions on
       Neural Networks 22, 2011, eq. 6.
    .. [3] B. Schrauwen et al., "Improving reservoirs using intrinsic plasticity",
       Neurocomputing 71, 2008.

    Examples
    --------
    >>> from esnkit.datasets import make_narma
    >>> u, y = make_narma(100, random_state=0)
    >>> u.shape, y.shape
    ((100, 1), (100,))
    >>> t = 50
    >>> target = 0.3 * y[t-1] + 0.05 * y[t-1] * y[t-10:t].sum() + 1.5 * u[t-9, 0] * u[t, 0] + 0.1
    >>> bool(abs(y[t] - target) < 1e-15)
    True
    """
    n_timesteps = check_positive_int("n_timesteps", n_timesteps)
    n_discard = check_positive_int("n_discard", n_discard, minimum=0)
    if not isinstance(order, int | np.integer) or order not in _NARMA:
        raise ValueError(f"order must be one of {list(_NARMA)}, got {order!r}")
    rng = check_seed(random_state)
    y = np.empty(n_discard + n_timesteps)
    for _ in range(_MAX_DRAWS):
        u = rng.uniform(0.0, 0.5, size=y.size)
        for start in range(0, y.size, STEPS_PER_CALL):
            stop = min(start + STEPS_PER_CALL, y.size)
            kernels.narma(y, u, order, _NARMA[order], start, stop)
        if np.max(np.abs(y)) <= _MAX_MAGNITUDE:  # False for NaN, too
            return u[n_discard:, np.newaxis].copy(), y[n_discard:].copy()
        warn(f"a NARMA stream of order {order} diverged; another one is drawn")
    raise RuntimeError(
        f"{_MAX_DRAWS} NARMA streams of order {order} and {y.size} steps diverged in a row; "
        "use fewer n_timesteps"
    )


def make_sine(
    n_timesteps: int = 1000,
    *,
    period: float = 25.0,
    amplitude: float = 1.0,
    phase: float = 0.0,
    noise: float = 0.0,
    random_state: Any = None,
) -> NDArray[np.float64]:
    """Sine wave, optionally with Gaussian noise.

    Row ``t`` is ``amplitude * sin(2 pi t / period + phase) + noise * e(t)``, with e(t) standard
    normal and independent from step to step.

    Parameters
    ----------
    n_timesteps : int, default=1000
        Number of rows.
    period : float, default=25.0
        Length of a period in rows.
    amplitude : float, default=1.0
    phase : float, default=0.0
        Phase of the first row, in radians.
    noise : float, default=0.0
        Standard deviation of the noise.
    random_state : int, RandomState instance or None, default=None
        Draws the noise.

    Returns
    -------
    X : ndarray of shape (n_timesteps, 1), float64

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Examples
    --------
    >>> from esnkit.datasets import make_sine
    >>> make_sine(5, period=4).ravel().round(6) + 0.0
    array([ 0.,  1.,  0., -1.,  0.])
    """
    n_timesteps = check_positive_int("n_timesteps", n_timesteps)
    period = check_number("period", period, 0.0, low_open=True)
    noise = check_number("noise", noise, 0.0)
    amplitude = check_number("amplitude", amplitude)
    phase = check_number("phase", phase)
    rng = check_seed(random_state)
    wave = amplitude * np.sin(2.0 * np.pi / period * np.arange(n_timesteps) + phase)
    if noise > 0.0:
        wave += noise * rng.standard_normal(n_timesteps)
    return wave[:, np.newaxis]


def make_mso(n_timesteps: int = 700, *, n_oscillators: int = 8) -> NDArray[np.float64]:
    """Multiple superimposed oscillators: a sum of sines of incommensurate frequencies.

    Row ``t`` is ``sum_i sin(a_i t)`` with the angular frequencies a_i = 0.2, 0.311, 0.42, 0.51,
    0.63, 0.74, 0.85, 0.97, 1.08, 1.19, 1.27 and 1.32, of which the first `n_oscillators` count
    [1]_, [2]_. The usual task, MSO-n: 100 rows of washout, 300 of training, and a free run over the
    300 after them. A linear recurrence of order 2n continues the series exactly.

    Parameters
    ----------
    n_timesteps : int, default=700
        Number of rows.
    n_oscillators : int, default=8
        Number of sines, from 1 to 12.

    Returns
    -------
    X : ndarray of shape (n_timesteps, 1), float64

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    References
    ----------
    .. [1] D. Wierstra, F. J. Gomez and J. Schmidhuber, "Modeling systems with internal state using
       Evolino", GECCO 2005.
    .. [2] D. Koryakin, J. Lohmann and M. V. Butz, "Balanced echo state networks", Neural Networks
       36, 2012.

    Examples
    --------
    >>> from esnkit.datasets import make_mso
    >>> make_mso(3, n_oscillators=2).ravel().round(4)
    array([0.    , 0.5047, 0.9721])
    """
    n_timesteps = check_positive_int("n_timesteps", n_timesteps)
    n_oscillators = check_positive_int("n_oscillators", n_oscillators)
    if n_oscillators > len(_MSO):
        raise ValueError(f"n_oscillators must be at most {len(_MSO)}, got {n_oscillators}")
    waves = np.sin(np.arange(n_timesteps)[:, np.newaxis] * np.array(_MSO[:n_oscillators]))
    return waves.sum(axis=1, keepdims=True)
