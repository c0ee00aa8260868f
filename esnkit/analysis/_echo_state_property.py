"""The echo state property: whether the state of a driven reservoir forgets where it started."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.linalg import matrix_balance
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import ArpackError, svds

from esnkit.analysis._driven import drawn_reservoir, random_inputs
from esnkit.analysis._lyapunov import driven_by
from esnkit.reservoirs import Rates, spectral_radius
from esnkit.sequences import Sequences
from esnkit.utils._validation import check_number, check_positive_int, check_seed

__all__ = ["EchoStateProperty", "check_echo_state_property", "echo_state_index"]

LARGEST_SLOPES = {"tanh": 1.0, "identity": 1.0, "relu": 1.0, "sigmoid": 0.25}
# Activations of slope one at zero, where they are smooth and keep the origin.
KEEP_ORIGIN = ("tanh", "identity")
N_ROWS_TOGETHER = 8192
DENSE_UP_TO = 200  # units, whose singular values are all computed


@dataclass(frozen=True)
class EchoStateProperty:
    """What :func:`check_echo_state_property` has found.

    Parameters
    ----------
    contraction : float or None
        Bound on the factor by which a step multiplies the distance of two states, in a norm that
        suits the reservoir. None if its state equation is not known.
    effective_spectral_radius : float or None
        Spectral radius of the Jacobian of the update at the origin, or None.
    distance : float
        Largest distance of two states at the end of the run, divided by that at its start; nan
        if they leave the range of their dtype.
    n_timesteps : int
        Time steps of the run.
    tol : float
        Up to this distance the states count as equal.

    Examples
    --------
    >>> from esnkit.analysis import EchoStateProperty
    >>> print(EchoStateProperty(1.7, 0.9, 1e-12, 1000, 1e-6))
    echo state property
      sufficient condition: not met (contraction 1.7, less than 1 is sufficient)
      necessary condition: met (effective spectral radius 0.9, less than 1 is necessary)
      driven from several states: forgotten (distance 1e-12 of that at the start, after 1000 steps)
    """

    contraction: float | None
    effective_spectral_radius: float | None
    distance: float
    n_timesteps: int
    tol: float

    @property
    def sufficient(self) -> bool | None:
        """Whether the sufficient condition holds: then every input has the property."""
        return None if self.contraction is None else self.contraction < 1.0

    @property
    def necessary(self) -> bool | None:
        """Whether the necessary condition holds: if not, the input zero does not have it."""
        radius = self.effective_spectral_radius
        return None if radius is None else radius < 1.0

    @property
    def empirical(self) -> bool:
        """Whether all initial states of the run have ended in the same one."""
        return self.distance <= self.tol

    def __repr__(self) -> str:
        told = {True: "met", False: "not met", None: "unknown"}
        contraction, radius = self.contraction, self.effective_spectral_radius
        lines = [
            "echo state property",
            f"  sufficient condition: {told[self.sufficient]}"
            + ("" if contraction is None else
               f" (contraction {contraction:.4g}, less than 1 is sufficient)"),
            f"  necessary condition: {told[self.necessary]}"
            + ("" if radius is None else
               f" (effective spectral radius {radius:.4g}, less than 1 is necessary)"),
            f"  driven from several states: {'forgotten' if self.empirical else 'not forgotten'} "
            f"(distance {self.distance:.2g} of that at the start, after {self.n_timesteps} steps)",
        ]  # fmt: skip
        return "\n".join(lines)


def check_echo_state_property(
    reservoir: Any,
    X: Any = None,
    *,
    n_states: int = 10,
    n_timesteps: int = 1000,
    tol: float = 1e-6,
    input_range: tuple[float, float] = (-1.0, 1.0),
    random_state: Any = None,
) -> EchoStateProperty:
    """Check whether the state of a reservoir forgets where it started.

    Three answers, which may differ: a condition that is sufficient for all inputs, one that is
    necessary for the input zero, and a run from several states for the inputs that are given. With
    the property, the state is a function of the past inputs (Jaeger 2001).

    Parameters
    ----------
    reservoir : BaseReservoir or estimator with a fitted reservoir
        A fitted reservoir is checked as it is; one that is not is cloned and drawn.
    X : array of shape (n_timesteps, n_features) or None, default=None
        One series of inputs for the run. None stands for independent uniform inputs.
    n_states : int, default=10
        Number of random initial states of the run, uniform on (-1, 1); zero is one more.
    n_timesteps : int, default=1000
        Time steps of the run, if `X` is None.
    tol : float, default=1e-6
        Up to this share of the distance at the start, states count as equal.
    input_range : tuple (low, high), default=(-1.0, 1.0)
        Interval of the inputs, if `X` is None.
    random_state : int, RandomState instance or None, default=None
        Draws the states and inputs, and the weights of a reservoir that is not fitted and has no
        seed.

    Returns
    -------
    EchoStateProperty
        Its ``sufficient``, ``necessary`` and ``empirical`` are True or False, or None where there
        is no such condition for the reservoir; printed, it is a report.

    Raises
    ------
    TypeError
        If ``reservoir`` is no reservoir and has none.
    ValueError
        If a parameter is out of its range, ``X`` does not fit, or the reservoir is not causal.

    Notes
    -----
    Sufficient: for a diagonal matrix D, a step shrinks all distances of D x. With leak rate one
    this is so if the largest singular value of D W D^-1, times the largest slope of the activation,
    is less than one (Buehner & Young 2006; Yildiz et al. 2012, as a linear matrix inequality), and
    then for all leak rates, too. ``contraction`` is the least factor found, with D = I, balanced W
    and the D that takes the norm of abs(W) to its spectral radius. Another D may be better.

    Necessary: the spectral radius of the Jacobian at the origin, of diag(1 - a) + diag(a) W for the
    leaky update, is less than one, with tanh or identity units. It is necessary where the origin is
    the state for the input zero, which is so without bias; large inputs or biases, which saturate
    tanh units, may give a reservoir of a larger radius the property (Yildiz et al. 2012).

    Of deep and parallel reservoirs both numbers are those of the least stable part.

    The run is evidence for these inputs and states only. Near a radius of one the distance falls
    slowly: more time steps tell. :func:`conditional_lyapunov_exponents` measures how fast.

    References
    ----------
    M. Buehner and P. Young (2006), A tighter bound for the echo state property, IEEE Transactions
    on Neural Networks 17.

    H. Jaeger (2001), The "echo state" approach to analysing and training recurrent neural networks,
    GMD Report 148.

    I. B. Yildiz, H. Jaeger and S. J. Kiebel (2012), Re-visiting the echo state property, Neural
    Networks 35.

    Examples
    --------
    >>> from esnkit import Reservoir
    >>> from esnkit.analysis import check_echo_state_property
    >>> found = check_echo_state_property(
    ...     Reservoir(50, spectral_radius=0.9, random_state=0), random_state=0
    ... )
    >>> found.sufficient, found.necessary, found.empirical
    (False, True, True)
    """
    n_states = check_positive_int("n_states", n_states)
    tol = check_number("tol", tol, 0.0)
    rng = check_seed(random_state)
    if X is None:
        reservoir = drawn_reservoir(reservoir, rng, input_range=input_range)
        reservoir.check_causal("driving from other initial states")
        n_timesteps = check_positive_int("n_timesteps", n_timesteps)
        inputs = random_inputs(reservoir, n_timesteps, input_range, rng)
    else:
        reservoir, sequences = driven_by(reservoir, X, rng)
        inputs = sequences.values
    states = _random_states(reservoir, n_states + 1, inputs.dtype, rng)
    states[0] = 0.0
    start = _spread(states)
    _drive_all(reservoir, inputs, states)
    distance = _spread(states) / start
    contraction, radius = _conditions(reservoir)
    return EchoStateProperty(contraction, radius, distance, len(inputs), tol)


def echo_state_index(
    reservoir: Any,
    X: Any,
    *,
    n_states: int = 50,
    tol: float = 1e-4,
    random_state: Any = None,
) -> int:
    """Count the stable responses of a reservoir to an input series (Ceni et al. 2020).

    The reservoir runs over the series from random initial states. The number of different states at
    its end is the echo index: one means the echo state property for this input, two or more mean
    that the response depends on where the reservoir started.

    Parameters
    ----------
    reservoir : BaseReservoir or estimator with a fitted reservoir
        As in :func:`check_echo_state_property`.
    X : array of shape (n_timesteps, n_features)
        One series of inputs, long enough for the states to converge.
    n_states : int, default=50
        Number of random initial states, uniform on (-1, 1).
    tol : float, default=1e-4
        States whose distance, divided by the largest at the start, is at most `tol` are one
        response; so are those that a chain of such distances joins.
    random_state : int, RandomState instance or None, default=None
        Draws the states, and the weights of a reservoir that is not fitted and has no seed.

    Returns
    -------
    int
        From 1 to `n_states`.

    Raises
    ------
    TypeError
        If ``reservoir`` is no reservoir and has none.
    ValueError
        If a parameter is out of its range, ``X`` does not fit, or the reservoir is not causal.

    Notes
    -----
    The estimate is a lower bound where a response attracts so few states that none was drawn: one
    that attracts a share p is missed with probability (1 - p)^n_states. It is too large where the
    states have not converged. As many responses as states are drawn mean that they do not converge
    at all, as in a chaotic reservoir, whose index is not finite; or that the series is too short.

    References
    ----------
    A. Ceni, P. Ashwin, L. Livi and C. Postlethwaite (2020), The echo index and multistability in
    input-driven recurrent neural networks, Physica D 412.

    Examples
    --------
    A unit that excites itself stays at either of two states, unless the input is large enough:

    >>> import numpy as np
    >>> from esnkit import Reservoir
    >>> from esnkit.analysis import echo_state_index
    >>> unit = Reservoir(
    ...     1, topology=[[1.5]], spectral_radius=None, input_weights=[[1.0]], bias_scaling=0.0
    ... )
    >>> waves = np.sin(np.arange(300) / 5).reshape(-1, 1)
    >>> [echo_state_index(unit, scale * waves, random_state=0) for scale in (0.1, 10.0)]
    [2, 1]
    """
    n_states = check_positive_int("n_states", n_states, minimum=2)
    tol = check_number("tol", tol, 0.0)
    rng = check_seed(random_state)
    reservoir, sequences = driven_by(reservoir, X, rng)
    states = _random_states(reservoir, n_states, sequences.values.dtype, rng)
    reach = tol * _spread(states)
    _drive_all(reservoir, sequences.values, states)
    return int(connected_components(_distances(states) <= reach, directed=False)[0])


def _random_states(reservoir, n_states, dtype, rng):
    return rng.uniform(-1.0, 1.0, (n_states, reservoir.n_state_)).astype(dtype)


def _drive_all(reservoir, inputs, states):
    """Run the same inputs from all states, which move along; states that overflow become nan."""
    together = max(N_ROWS_TOGETHER // len(inputs), 1)
    for first in range(0, len(states), together):
        part = states[first : first + together]
        offsets = np.arange(len(part) + 1) * len(inputs)
        try:
            reservoir.advance(Sequences(np.tile(inputs, (len(part), 1)), offsets, "batch"), part)
        except FloatingPointError:
            part[:] = np.nan


def _distances(states):
    """Return the Euclidean distances of all pairs of states."""
    states = states.astype(np.float64)
    with np.errstate(over="ignore"):  # of states that are unbounded
        return np.array([np.sqrt(((states - one) ** 2).sum(axis=1)) for one in states])


def _spread(states):
    return float(_distances(states).max())


def _conditions(reservoir):
    """Return the numbers of the sufficient and the necessary condition, None where unknown.

    Parts that drive each other one way forget if each of them does.
    """
    equations = reservoir.state_equations()
    if equations is None:
        return None, None
    equations = [_in_float64(equation) for equation in equations]
    contraction = max(map(_contraction, equations))
    if any(equation.activation not in KEEP_ORIGIN for equation in equations):
        return contraction, None
    return contraction, max(spectral_radius(equation.jacobian()) for equation in equations)


def _in_float64(equation):
    gain, keep, shift = equation.rates
    rates = Rates(gain.astype(np.float64), keep.astype(np.float64), shift)
    return equation._replace(recurrent=equation.recurrent.astype(np.float64), rates=rates)


def _contraction(equation):
    """Return the least factor found by which a step multiplies distances at most."""
    gain, _, shift = equation.rates
    R = LARGEST_SLOPES[equation.activation] * equation.recurrent
    factors = [_factor(equation.rates, _norm(R))]
    if shift == 0:  # k P commutes with diagonal matrices
        balanced = sp.csr_array(matrix_balance(R.toarray(), permute=False)[0])
        factors.append(_factor(equation.rates, _norm(balanced)))
    moduli = abs(equation.kept()) + sp.dia_array((gain, 0), R.shape) @ abs(R)
    try:
        factors.append(spectral_radius(moduli))
    except ValueError:  # not found to the precision that it promises: the others remain
        pass
    return min(factors)


def _factor(rates, size):
    """Return a bound on the norm of k P + g S R, |S| <= 1, for R of a given norm."""
    gain, keep, shift = rates
    bound = float(np.abs(keep).max() + gain.max() * size)
    if shift or not np.allclose(gain + keep, 1.0):
        return bound
    # The square of the norm of x / sqrt(g) changes by at most (size^2 - 1) times that of x.
    share = gain.min() if size < 1.0 else gain.max()
    return min(bound, float(np.sqrt(1.0 + (size**2 - 1.0) * share)))


def _norm(W):
    """Return the largest singular value."""
    if W.shape[0] > DENSE_UP_TO:
        try:
            return float(svds(W, k=1, v0=np.ones(W.shape[0]), return_singular_vectors=False)[0])
        except ArpackError:  # as of a matrix whose singular values are all equal
            pass
    return float(np.linalg.norm(W.toarray(), 2))
