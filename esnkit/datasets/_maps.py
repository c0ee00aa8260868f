"""Chaotic maps: Henon and logistic."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from esnkit.datasets._chaotic import LARGEST, check_state
from esnkit.utils._validation import check_number, check_positive_int, check_seed


def make_henon(
    n_timesteps: int = 1000,
    *,
    a: float = 1.4,
    b: float = 0.3,
    initial_state: ArrayLike | None = None,
    n_discard: int = 100,
    random_state: Any = None,
) -> NDArray[np.float64]:
    """Henon map, a chaotic map of the plane.

    The recurrence [1]_::

        x(t+1) = 1 - a x(t)^2 + y(t)
        y(t+1) = b x(t)

    Parameters
    ----------
    n_timesteps : int, default=1000
        Number of rows.
    a, b : float, default=1.4, 0.3
        Parameters, within +-1e6. At the defaults the largest Lyapunov exponent is 0.419 per step,
        and the sum of both is ln 0.3.
    initial_state : array-like of shape (2,) or None, default=None
        State at step 0. None takes zeros, or with a `random_state` draws a state uniformly from
        [-0.1, 0.1] x [-0.1, 0.1].
    n_discard : int, default=100
        Rows computed and dropped before the first one, so that the others lie on the attractor.
    random_state : int, RandomState instance or None, default=None
        Draws the initial state where `initial_state` is None.

    Returns
    -------
    X : ndarray of shape (n_timesteps, 2), float64
        Columns x, y.

    Raises
    ------
    ValueError
        If a parameter is out of its range, or the orbit grows without bound.

    References
    ----------
    .. [1] M. Henon, "A two-dimensional mapping with a strange attractor", Communications in
       Mathematical Physics 50, 1976.

    Examples
    --------
    >>> from esnkit.datasets import make_henon
    >>> make_henon(3, n_discard=0).round(6)
    array([[ 0. ,  0. ],
           [ 1. ,  0. ],
           [-0.4,  0.3]])
    """
    n_timesteps, n_discard = _check_lengths(n_timesteps, n_discard)
    a, b = check_number("a", a, -LARGEST, LARGEST), check_number("b", b, -LARGEST, LARGEST)
    if initial_state is None:
        rng = None if random_state is None else check_seed(random_state)
        initial_state = np.zeros(2) if rng is None else rng.uniform(-0.1, 0.1, 2)
    x, y = check_state(initial_state, 2).tolist()
    out = np.empty((n_discard + n_timesteps, 2))
    for t in range(len(out)):
        out[t, 0], out[t, 1] = x, y
        if not -LARGEST <= x <= LARGEST:
            raise ValueError(
                f"a, b and initial_state must give a bounded orbit, got {a!r}, {b!r} and an orbit "
                f"that leaves +-{LARGEST:g} at step {t}"
            )
        x, y = 1.0 - a * x * x + y, b * x
    return out[n_discard:].copy()


def make_logistic_map(
    n_timesteps: int = 1000,
    *,
    r: float = 4.0,
    initial_state: float | None = None,
    n_discard: int = 100,
    random_state: Any = None,
) -> NDArray[np.float64]:
    """Logistic map, a chaotic map of the interval: ``x(t+1) = r x(t) (1 - x(t))``.

    Parameters
    ----------
    n_timesteps : int, default=1000
        Number of rows.
    r : float, default=4.0
        Parameter in [0, 4]. At 4 the Lyapunov exponent is ln 2 per step, and the density of the
        values is ``1 / (pi sqrt(x (1 - x)))`` [1]_.
    initial_state : float or None, default=None
        Value at step 0, in [0, 1]. None takes 0.4, or with a `random_state` draws it uniformly from
        [0.1, 0.9].
    n_discard : int, default=100
        Rows computed and dropped before the first one, so that the transient is over.
    random_state : int, RandomState instance or None, default=None
        Draws the initial value where `initial_state` is None.

    Returns
    -------
    X : ndarray of shape (n_timesteps, 1), float64

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    References
    ----------
    .. [1] R. M. May, "Simple mathematical models with very complicated dynamics", Nature 261, 1976.

    Examples
    --------
    >>> from esnkit.datasets import make_logistic_map
    >>> make_logistic_map(3, initial_state=0.1, n_discard=0).ravel().round(4)
    array([0.1   , 0.36  , 0.9216])
    """
    n_timesteps, n_discard = _check_lengths(n_timesteps, n_discard)
    r = check_number("r", r, 0.0, 4.0)
    if initial_state is None:
        rng = None if random_state is None else check_seed(random_state)
        initial_state = 0.4 if rng is None else float(rng.uniform(0.1, 0.9))
    x = check_number("initial_state", initial_state, 0.0, 1.0)
    out = np.empty((n_discard + n_timesteps, 1))
    for t in range(len(out)):
        out[t, 0] = x
        x = r * x * (1.0 - x)
    return out[n_discard:].copy()


def _check_lengths(n_timesteps: int, n_discard: int) -> tuple[int, int]:
    n_timesteps = check_positive_int("n_timesteps", n_timesteps)
    return n_timesteps, check_positive_int("n_discard", n_discard, minimum=0)
