"""Chaotic flows whose equations are quadratic: Lorenz 96, Roessler and the double scroll."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from esnkit.datasets._chaotic import LARGEST, check_positive, check_state
from esnkit.kernels.datasets import quadratic_flow
from esnkit.utils._threads import interruptible
from esnkit.utils._validation import check_number, check_positive_int, check_seed

ONE = -1  # the index that stands for the constant 1 in a term

Terms = list[tuple[int, int, int, float]]  # (i, j, k, c): c x_j x_k in the derivative of x_i


def make_rossler(
    n_timesteps: int = 1000,
    *,
    dt: float = 0.1,
    a: float = 0.2,
    b: float = 0.2,
    c: float = 5.7,
    initial_state: ArrayLike | None = None,
    n_discard: int = 1000,
    random_state: Any = None,
) -> NDArray[np.float64]:
    """Roessler system, a chaotic flow in three dimensions with one quadratic term.

    The equations [1]_::

        dx/dt = -y - z
        dy/dt = x + a y
        dz/dt = b + z (x - c)

    Row ``i`` of the result is the state at time ``(n_discard + i) dt``, integrated as that of
    :func:`make_lorenz`, up to rounding.

    Parameters
    ----------
    n_timesteps : int, default=1000
        Number of rows.
    dt : float, default=0.1
        Time between two rows; it does not affect the accuracy. An orbit takes about 6.
    a, b, c : float, default=0.2, 0.2, 5.7
        Parameters of the system, positive and at most 1e6. At the defaults the largest Lyapunov
        exponent is 0.0714 per unit of time.
    initial_state : array-like of shape (3,) or None, default=None
        State at time 0. None takes (1, 1, 1), or with a `random_state` draws a state uniformly from
        the box [-5, 5] x [-5, 5] x [0, 1].
    n_discard : int, default=1000
        Rows computed and dropped before the first one, so that the others lie on the attractor.
    random_state : int, RandomState instance or None, default=None
        Draws the initial state where `initial_state` is None.

    Returns
    -------
    X : ndarray of shape (n_timesteps, 3), float64
        Columns x, y, z.

    Raises
    ------
    ValueError
        If a parameter is out of its range, or the state does not stay finite: for some parameters
        and starts it grows without bound.

    References
    ----------
    .. [1] O. E. Roessler, "An equation for continuous chaos", Physics Letters A 57, 1976.

    Examples
    --------
    >>> from esnkit.datasets import make_rossler
    >>> make_rossler(3, n_discard=0).round(4)
    array([[1.    , 1.    , 1.    ],
           [0.8139, 1.1116, 0.6349],
           [0.6468, 1.2078, 0.402 ]])
    """
    a, b, c = (check_positive(*item, LARGEST) for item in (("a", a), ("b", b), ("c", c)))
    terms: Terms = [
        (0, 1, ONE, -1.0), (0, 2, ONE, -1.0), (1, 0, ONE, 1.0), (1, 1, ONE, a),
        (2, ONE, ONE, b), (2, 0, 2, 1.0), (2, 2, ONE, -c),
    ]  # fmt: skip
    box = ((-5.0, -5.0, 0.0), (5.0, 5.0, 1.0))
    state = _start(initial_state, np.ones(3), box, random_state)
    return _integrate(terms, state, n_timesteps, dt, n_discard)


def make_lorenz96(
    n_timesteps: int = 1000,
    *,
    n_features: int = 40,
    forcing: float = 8.0,
    dt: float = 0.01,
    initial_state: ArrayLike | None = None,
    n_discard: int = 1000,
    random_state: Any = None,
) -> NDArray[np.float64]:
    """Lorenz 96 system, a chaotic flow on a ring: a model of weather along a circle of latitude.

    The equations [1]_, with indices modulo `n_features`::

        dx_i/dt = (x_{i+1} - x_{i-2}) x_{i-1} - x_i + forcing

    Row ``i`` of the result is the state at time ``(n_discard + i) dt``, integrated as that of
    :func:`make_lorenz`, up to rounding.

    Parameters
    ----------
    n_timesteps : int, default=1000
        Number of rows.
    n_features : int, default=40
        Number of points on the ring, at least 4.
    forcing : float, default=8.0
        Within +-1e6; chaotic at 8, where the largest Lyapunov exponent of 40 points is 1.68 per
        unit of time, and 2.27 at 10.
    dt : float, default=0.01
        Time between two rows; it does not affect the accuracy.
    initial_state : array-like of shape (n_features,) or None, default=None
        State at time 0. None takes `forcing` everywhere, plus 0.01 at the first point, or with a
        `random_state` plus numbers drawn uniformly from [-0.5, 0.5] at all points.
    n_discard : int, default=1000
        Rows computed and dropped before the first one, so that the others lie on the attractor.
    random_state : int, RandomState instance or None, default=None
        Draws the initial state where `initial_state` is None.

    Returns
    -------
    X : ndarray of shape (n_timesteps, n_features), float64

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    References
    ----------
    .. [1] E. N. Lorenz, "Predictability: a problem partly solved", ECMWF seminar, 1996.

    Examples
    --------
    >>> from esnkit.datasets import make_lorenz96
    >>> make_lorenz96(100, n_features=5).shape
    (100, 5)
    """
    n = check_positive_int("n_features", n_features, minimum=4)
    forcing = check_number("forcing", forcing, -LARGEST, LARGEST)
    terms: Terms = []
    for i in range(n):
        before = (i - 1) % n
        terms += [
            (i, (i + 1) % n, before, 1.0), (i, (i - 2) % n, before, -1.0),
            (i, i, ONE, -1.0), (i, ONE, ONE, forcing),
        ]  # fmt: skip
    rest = np.full(n, forcing)
    default = rest.copy()
    default[0] += 0.01
    state = _start(initial_state, default, (rest - 0.5, rest + 0.5), random_state)
    return _integrate(terms, state, n_timesteps, dt, n_discard)


def make_double_scroll(
    n_timesteps: int = 1000,
    *,
    dt: float = 0.25,
    initial_state: ArrayLike | None = None,
    n_discard: int = 1000,
    random_state: Any = None,
) -> NDArray[np.float64]:
    """Double scroll, the chaotic flow of an electronic circuit with diodes.

    The equations of two voltages and a current [1]_, with ``V = V_1 - V_2``::

        dV_1/dt = V_1 / 1.2 - g(V)
        dV_2/dt = g(V) - I                 g(V) = V / 3.44 + 4.5e-5 sinh(11.6 V)
        dI/dt   = V_2 - 0.193 I

    Row ``i`` of the result is the state at time ``(n_discard + i) dt``, integrated as that of
    :func:`make_lorenz`, up to rounding: hyperbolic sine and cosine are two more states, whose
    derivatives are quadratic, and are computed anew from the voltages after every row.

    Parameters
    ----------
    n_timesteps : int, default=1000
        Number of rows.
    dt : float, default=0.25
        Time between two rows; it does not affect the accuracy. The largest Lyapunov exponent is
        0.128 per unit of time, the Lyapunov time 7.8.
    initial_state : array-like of shape (3,) or None, default=None
        State at time 0, within +-10. None takes (0.37926545, 0.058339, -0.08167691), or with a
        `random_state` draws a state uniformly from [-0.5, 0.5] x [-0.5, 0.5] x [-0.5, 0.5].
    n_discard : int, default=1000
        Rows computed and dropped before the first one, so that the others lie on the attractor.
    random_state : int, RandomState instance or None, default=None
        Draws the initial state where `initial_state` is None.

    Returns
    -------
    X : ndarray of shape (n_timesteps, 3), float64
        Columns V_1, V_2, I.

    Raises
    ------
    ValueError
        If a parameter is out of its range, or the state does not stay finite.

    References
    ----------
    .. [1] D. J. Gauthier, E. Bollt, A. Griffith and W. A. S. Barbosa, "Next generation reservoir
       computing", Nature Communications 12, 2021, eqs. 8-10.

    Examples
    --------
    >>> from esnkit.datasets import make_double_scroll
    >>> X = make_double_scroll(400)
    >>> bool((abs(X) < 3).all())
    True
    """
    first, second, current, sine, cosine = range(5)
    difference = {first: 1.0, second: -1.0}
    flow = {  # linear, with the sine as a state
        first: {first: 1 / 1.2 - 1 / 3.44, second: 1 / 3.44, sine: -1.0},
        second: {first: 1 / 3.44, second: -1 / 3.44, sine: 1.0, current: -1.0},
        current: {second: 1.0, current: -0.193},
    }
    terms: Terms = [(i, j, ONE, c) for i, row in flow.items() for j, c in row.items()]
    for i, sign in difference.items():
        for j, c in flow[i].items():
            terms += [(sine, cosine, j, 11.6 * sign * c), (cosine, sine, j, 11.6 * sign * c)]
    default = np.array([0.37926545, 0.058339, -0.08167691])
    state = _start(initial_state, default, (np.full(3, -0.5), np.full(3, 0.5)), random_state, 10.0)

    def lifted(state):
        angle = 11.6 * (state[first] - state[second])
        return np.r_[state[:3], 4.5e-5 * np.sinh(angle), 4.5e-5 * np.cosh(angle)]

    # Between two refreshes the exponentials change little, else rounding errors grow with them.
    n_steps = max(1, math.ceil(check_positive("dt", dt, 1e3) / 0.25))
    n_rows = n_steps * (check_positive_int("n_timesteps", n_timesteps) - 1) + 1
    n_before = n_steps * check_positive_int("n_discard", n_discard, minimum=0)
    rows = _integrate(terms, lifted(state), n_rows, dt / n_steps, n_before, lifted)
    return rows[::n_steps, :3].copy()


def _start(
    initial_state: ArrayLike | None,
    default: NDArray[np.float64],
    box: tuple[Any, Any],
    random_state: Any,
    largest: float = LARGEST,
) -> NDArray[np.float64]:
    """Return a copy of the state at time 0: the given, the default, or one drawn in a box."""
    if initial_state is None:
        rng = None if random_state is None else check_seed(random_state)
        initial_state = default if rng is None else rng.uniform(*box)
    return check_state(initial_state, default.size, largest)


def _integrate(
    terms: Iterable[tuple[int, int, int, float]],
    state: NDArray[np.float64],
    n_timesteps: int,
    dt: float,
    n_discard: int,
    refresh: Any = None,
) -> NDArray[np.float64]:
    """Return the states at all times after the transient; ``refresh`` is applied after each row."""
    n_timesteps = check_positive_int("n_timesteps", n_timesteps)
    n_discard = check_positive_int("n_discard", n_discard, minimum=0)
    dt = check_positive("dt", dt, 1e3)
    *indices, factors = (np.array(column) for column in zip(*terms, strict=True))
    rows = np.empty((n_discard + n_timesteps, state.size))
    system = np.stack(indices, axis=1), factors
    if refresh is None:
        # A row of a long dt takes many steps, which the kernel chooses.
        interruptible(np.inf, quadratic_flow, rows, state, dt, *system)
    for t in range(0 if refresh is None else len(rows)):
        quadratic_flow(rows[t : t + 1], state, dt, *system)
        state = refresh(state)
    if not np.isfinite(rows).all():
        raise ValueError("initial_state must be on a bounded orbit, got one that diverges")
    return rows[n_discard:].copy()
