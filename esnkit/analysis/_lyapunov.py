"""Lyapunov exponents by QR factors of products of Jacobians (Benettin et al. 1980)."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg.lapack import dgeqrf, dorgqr
from sklearn.base import BaseEstimator

from esnkit.analysis._driven import drawn_reservoir
from esnkit.sequences._initial_state import resolve_initial_state
from esnkit.sequences._packing import Sequences, pack
from esnkit.utils._validation import check_number, check_positive_int, check_seed, finite_array

__all__ = ["LyapunovSpectrum", "conditional_lyapunov_exponents", "lyapunov_spectrum"]

N_BATCHES = 20  # of time steps, whose means give the standard errors
MIN_STEPS = 2 * N_BATCHES
LAPACK_BLOCK = 64
STEP = float(np.finfo(np.float64).eps) ** (1 / 3)  # of central differences

Step = Callable[[np.ndarray], np.ndarray]


class LyapunovSpectrum(NamedTuple):
    """Lyapunov exponents, the largest first.

    Parameters
    ----------
    exponents : ndarray of shape (n_exponents,)
        Natural logarithms of the growth per time step of a map or a reservoir, or per unit of time
        of a flow; -inf for directions that vanish at once.
    standard_errors : ndarray of shape (n_exponents,)
        Of the means over time, from the means of 20 parts of the run; nan for -inf.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit.analysis import LyapunovSpectrum
    >>> lorenz = LyapunovSpectrum(np.array([0.906, 0.0, -14.572]), np.zeros(3))
    >>> round(lorenz.kaplan_yorke_dimension, 3)
    2.062
    """

    exponents: np.ndarray
    standard_errors: np.ndarray

    @property
    def kaplan_yorke_dimension(self) -> float:
        """Dimension of the attractor by the formula of Kaplan and Yorke (1979).

        The number of exponents whose sum is not negative, and the share of the next one that takes
        the sum to zero. If the sum of all exponents is not negative, their number.
        """
        sums = np.cumsum(self.exponents)
        negative = np.flatnonzero(sums < 0.0)
        if not negative.size:
            return float(len(sums))
        j = int(negative[0])
        before = float(sums[j - 1]) if j else 0.0
        return j + before / abs(float(self.exponents[j]))


def lyapunov_spectrum(
    step_or_flow: Callable[[np.ndarray], ArrayLike],
    initial_state: ArrayLike,
    *,
    dt: float | None = None,
    jacobian: Callable[[np.ndarray], ArrayLike] | None = None,
    n_exponents: int | None = None,
    n_steps: int = 50_000,
    n_discard: int = 1000,
) -> LyapunovSpectrum:
    """Estimate the Lyapunov exponents of a map or a flow given as a Python function.

    An orthonormal frame moves along the orbit with the derivative of the map, or with the
    variational equation of the flow, and is made orthonormal again by a QR factorisation at every
    step. The exponents are the means of the logarithms of the diagonal of R.

    Parameters
    ----------
    step_or_flow : callable x -> ndarray of shape (n_dimensions,)
        A map, x(t+1) = step(x(t)), or with `dt` the right-hand side of a flow, dx/dt = flow(x).
    initial_state : array-like of shape (n_dimensions,)
        Where the orbit begins, in the basin of the attractor.
    dt : float or None, default=None
        Time step of the classical Runge-Kutta method, which integrates a flow together with its
        frame. None stands for a map.
    jacobian : callable x -> ndarray of shape (n_dimensions, n_dimensions), or None, default=None
        The derivative of `step_or_flow`. None takes central differences along the frame, which
        calls the function twice per exponent.
    n_exponents : int or None, default=None
        Number of exponents, the largest ones. None stands for all.
    n_steps : int, default=50_000
        Time steps of the average.
    n_discard : int, default=1000
        Time steps before it, which take the orbit to the attractor and the frame to its directions.

    Returns
    -------
    LyapunovSpectrum
        ``exponents``, the largest first, and their ``standard_errors``.

    Raises
    ------
    ValueError
        If a parameter is out of its range, or a function returns another shape.
    FloatingPointError
        If the orbit or the frame leaves the range of float64.

    Notes
    -----
    The sum of all exponents is the mean of the logarithm of ``abs(det(jacobian))`` over the orbit,
    of a flow the mean divergence, except for the error of the integration, which is of the order
    dt^4. The standard errors measure how much the finite orbit may mislead, without the error of
    the integration: compare with the exponents at half of `dt`.

    A time step of a flow of three dimensions takes some 40 microseconds.

    References
    ----------
    G. Benettin, L. Galgani, A. Giorgilli and J.-M. Strelcyn (1980), Lyapunov characteristic
    exponents for smooth dynamical systems and for Hamiltonian systems, Meccanica 15.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit.analysis import lyapunov_spectrum
    >>> def henon(x):
    ...     return np.array([1.0 - 1.4 * x[0] ** 2 + x[1], 0.3 * x[0]])
    >>> exponents = lyapunov_spectrum(henon, [0.1, 0.1], n_steps=4000).exponents
    >>> exponents.round(1), round(float(exponents.sum()), 6), round(float(np.log(0.3)), 6)
    (array([ 0.4, -1.6]), -1.203973, -1.203973)
    """
    x = finite_array("initial_state", initial_state).astype(np.float64)
    if x.ndim != 1 or not x.size:
        raise ValueError(f"initial_state must be of shape (n_dimensions,), got shape {x.shape}")
    for name, function in (("step_or_flow", step_or_flow), ("jacobian", jacobian)):
        if not callable(function) and (name, function) != ("jacobian", None):
            raise TypeError(f"{name} must be a function of the state, got {function!r}")
    n_exponents = _check_count(n_exponents, x.size, x.size)
    n_steps = check_positive_int("n_steps", n_steps, minimum=MIN_STEPS)
    n_discard = check_positive_int("n_discard", n_discard, minimum=0)
    derivative = _Derivative(step_or_flow, jacobian, x.size)
    time, step = 1.0, derivative
    if dt is not None:
        time = check_number("dt", dt, 0.0, low_open=True)
        step = _runge_kutta(derivative, time)
    growth = _growth(_orbit(step, x), np.eye(x.size, n_exponents), n_steps, n_discard)
    return _averages(growth / time)


def conditional_lyapunov_exponents(
    reservoir: Any,
    X: Any,
    *,
    n_exponents: int | None = None,
    initial_state: Any = None,
    washout: int = 100,
    random_state: Any = None,
) -> LyapunovSpectrum:
    """Estimate the Lyapunov exponents of a reservoir that is driven by a series.

    They are those of the state for given inputs. If the largest one is negative, the state forgets
    where it started: the reservoir has the echo state property for these inputs, and one over its
    modulus is the time that it remembers. If it is positive, the driven reservoir is chaotic.

    Parameters
    ----------
    reservoir : BaseReservoir or estimator with a fitted reservoir
        A fitted reservoir runs as it is; one that is not is cloned and drawn for `X`.
    X : array of shape (n_timesteps, n_features)
        One series of inputs; for an estimator with ``feedback=True``, the outputs that are fed back
        come before them.
    n_exponents : int or None, default=None
        Number of exponents, the largest ones. None stands for ten, or fewer if the state has fewer
        entries.
    initial_state : array or tuple (indices, values), default=None
        State before the first time step, as in ``transform`` of a reservoir; None stands for zeros.
    washout : int, default=100
        Time steps at the start that the average leaves out.
    random_state : int, RandomState instance or None, default=None
        Draws the weights of a reservoir that is not fitted and has no seed.

    Returns
    -------
    LyapunovSpectrum
        ``exponents`` per time step, the largest first, and their ``standard_errors``.

    Raises
    ------
    TypeError
        If ``reservoir`` is no reservoir and has none.
    ValueError
        If a parameter is out of its range, ``X`` does not fit or has fewer than 40 time steps after
        the washout, or the reservoir is not causal.

    Notes
    -----
    The products of Jacobians with a frame come from ``jacobian_product`` of the reservoir, which is
    exact for :class:`Reservoir` and central differences for a reservoir that has no derivatives of
    its own: then exponents below about -20 are rounding errors.

    References
    ----------
    G. Benettin, L. Galgani, A. Giorgilli and J.-M. Strelcyn (1980), Lyapunov characteristic
    exponents for smooth dynamical systems and for Hamiltonian systems, Meccanica 15.

    Examples
    --------
    The states of a linear reservoir lose their start like the powers of its weights:

    >>> import numpy as np
    >>> from esnkit import Reservoir
    >>> from esnkit.analysis import conditional_lyapunov_exponents
    >>> reservoir = Reservoir(20, topology="cycle", activation="identity", random_state=0)
    >>> X = np.random.default_rng(0).uniform(-1, 1, (300, 1))
    >>> spectrum = conditional_lyapunov_exponents(reservoir, X, n_exponents=2)
    >>> spectrum.exponents.round(6), round(float(np.log(0.9)), 6)
    (array([-0.105361, -0.105361]), -0.105361)
    """
    washout = check_positive_int("washout", washout, minimum=0)
    reservoir, sequences = driven_by(reservoir, X, random_state)
    n_steps = len(sequences.values) - washout
    if n_steps < MIN_STEPS:
        raise ValueError(
            f"X must have at least {MIN_STEPS} time steps after the washout of {washout}, got "
            f"{len(sequences.values)} in all"
        )
    n_state, dtype = reservoir.n_state_, sequences.values.dtype
    n_exponents = _check_count(n_exponents, min(n_state, 10), n_state)
    state = resolve_initial_state(initial_state, 1, n_state, dtype)
    # Random directions: those of the first units may belong to a subspace that the map keeps.
    frame = np.random.default_rng(0).standard_normal((n_state, n_exponents))
    steps = _driven_steps(reservoir, sequences.values, state)
    return _averages(_growth(steps, _qr(frame)[0], n_steps, washout))


def driven_by(reservoir: Any, X: Any, random_state: Any) -> tuple[Any, Sequences]:
    """Return a drawn causal reservoir and the one series ``X`` that drives it, both checked."""
    given = pack(BaseEstimator(), X, reset=True)
    if given.n_sequences != 1:
        raise ValueError(
            f"X must be one series (n_timesteps, n_features), got {given.n_sequences} sequences"
        )
    reservoir = drawn_reservoir(reservoir, check_seed(random_state), given.values)
    reservoir.check_causal("driving from other initial states")
    n_inputs = given.values.shape[1]
    if n_inputs != reservoir.n_features_in_:
        raise ValueError(
            f"X must have {reservoir.n_features_in_} features, as the reservoir has inputs, got "
            f"{n_inputs}"
        )
    return reservoir, given._replace(values=given.values.astype(reservoir._dtype, copy=False))


def _check_count(n_exponents: int | None, default: int, largest: int) -> int:
    if n_exponents is None:
        return default
    if check_positive_int("n_exponents", n_exponents) > largest:
        raise ValueError(f"n_exponents must be at most {largest}, got {n_exponents}")
    return int(n_exponents)


class _Derivative:
    """Maps [x, frame], side by side, to [f(x), Df(x) frame]; checks what users return."""

    def __init__(self, function, jacobian, n_dimensions):
        self.function, self.jacobian, self.n = function, jacobian, n_dimensions

    def __call__(self, columns):
        x, frame, out = columns[:, 0], columns[:, 1:], np.empty_like(columns)
        out[:, 0] = self._value(x.copy())
        if self.jacobian is None:
            out[:, 1:] = self._differences(x, frame)
            return out
        J = np.asarray(self.jacobian(x.copy()), np.float64)
        if J.shape != (self.n, self.n):
            raise ValueError(f"jacobian must return shape ({self.n}, {self.n}), got {J.shape}")
        np.matmul(J, frame, out=out[:, 1:])
        return out

    def _value(self, x):
        value = np.asarray(self.function(x), np.float64)
        if value.shape != (self.n,):
            raise ValueError(f"step_or_flow must return shape ({self.n},), got {value.shape}")
        return value

    def _differences(self, x, frame):
        size = float(np.abs(frame).max()) or 1.0  # the frame of a stage is not of length one
        step = STEP * max(float(np.abs(x).max()), 1.0) / size
        ends = [self._value(x + step * v) - self._value(x - step * v) for v in frame.T]
        return np.array(ends).T / (2.0 * step)


def _runge_kutta(derivative, dt):
    """Return a step of the classical Runge-Kutta method for a flow and its frame."""
    half = dt / 2

    def step(columns):
        k1 = derivative(columns)
        k2 = derivative(columns + half * k1)
        k3 = derivative(columns + half * k2)
        k4 = derivative(columns + dt * k3)
        return columns + (dt / 6) * (k1 + 2.0 * (k2 + k3) + k4)

    return step


def _orbit(step: Step, x: np.ndarray) -> Iterator[Step]:
    """Yield for every step of an orbit the function that moves a frame along."""

    def move(frame):
        nonlocal x
        columns = step(np.column_stack((x, frame)))
        x = columns[:, 0]
        return columns[:, 1:]

    while True:
        yield move


def _driven_steps(reservoir, inputs, state):
    """Yield for every step of a driven reservoir the function that moves a frame along."""
    offsets = np.array([0, 1])
    for row in inputs:
        yield lambda frame, row=row: reservoir.jacobian_product(row, state[0], frame)
        reservoir.advance(Sequences(row[np.newaxis], offsets, "series"), state)


def _growth(steps, frame, n_steps, n_discard):
    """Return the logarithms of the diagonals of R, a row for every step after those discarded."""
    growth = np.empty((n_steps, frame.shape[1]))
    for t in range(-n_discard, n_steps):
        with np.errstate(over="ignore", invalid="ignore"):  # the error below says it
            moved = next(steps)(frame)
        if not np.isfinite(moved).all():
            raise FloatingPointError(
                f"the orbit must stay finite, got NaN or infinity at step {t + n_discard}: start "
                "from another state, or take a smaller dt"
            )
        frame, diagonal = _qr(moved)
        if t >= 0:
            growth[t] = diagonal
    with np.errstate(divide="ignore"):
        return np.log(growth)


def _qr(A):
    """Return Q and the moduli of the diagonal of R, of few rows faster than numpy.linalg.qr."""
    work = LAPACK_BLOCK * A.shape[1]
    packed, scales, _, _ = dgeqrf(A, lwork=work)
    diagonal = np.abs(packed.diagonal())
    return dorgqr(packed, scales, lwork=work, overwrite_a=True)[0], diagonal


def _averages(growth):
    """Return means over time, the largest first, with standard errors from the means of parts."""
    exponents = growth.mean(axis=0)
    with np.errstate(invalid="ignore"):  # of -inf
        parts = np.array([part.mean(axis=0) for part in np.array_split(growth, N_BATCHES)])
        errors = parts.std(axis=0, ddof=1) / np.sqrt(N_BATCHES)
    order = np.argsort(-exponents, kind="stable")
    return LyapunovSpectrum(exponents[order], errors[order])
