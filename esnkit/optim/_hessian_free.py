"""Hessian-free optimisation of one flat parameter vector.

One update solves the damped Gauss-Newton system by conjugate gradients,

    (G + lambda I + lambda mu G_S) delta = -g,

chooses one of the stored iterates, and steps along it by a line search. The matrix is never formed:
the caller supplies products with it, so this module does not depend on networks. The method is
that of Martens (2010); the structural damping G_S for recurrent networks is that of Martens &
Sutskever (2011).
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from esnkit.utils._plain_state import plain_record

__all__ = [
    "CGPath",
    "HessianFreeInfo",
    "HessianFreeState",
    "adapt_damping",
    "backtrack",
    "conjugate_gradients",
    "hessian_free_state",
    "hessian_free_step",
    "line_search",
]

Product = Callable[[np.ndarray], np.ndarray]
Loss = Callable[[np.ndarray], float]

STORE_BASE = 1.3  # iterates are stored at ceil(1.3 ** j)
MIN_WINDOW, WINDOW_SHARE = 10, 0.1  # progress is measured over max(10, 0.1 i) iterations
WARM_START = 0.95  # the next run starts from this share of the last direction
PRECONDITIONER_POWER = 0.75
DAMPING_FACTOR = 1.5
POOR_RATIO, GOOD_RATIO = 0.25, 0.75  # reduction ratios below and above which the damping changes
STEP_SHRINKAGE, MAX_SHRINKS, ARMIJO = 0.8, 60, 1e-2


@plain_record
class HessianFreeState(NamedTuple):
    """State of Hessian-free optimisation between updates, see :func:`hessian_free_step`.

    Parameters
    ----------
    damping : float
        Lambda.
    direction : ndarray of shape (n_parameters,)
        The last iterate of the last run of conjugate gradients.

    Examples
    --------
    >>> import numpy as np
    >>> hessian_free_state(np.ones(2))
    HessianFreeState(damping=0.1, direction=array([0., 0.]))
    """

    damping: float
    direction: np.ndarray


class HessianFreeInfo(NamedTuple):
    """Diagnostics of one Hessian-free update.

    Parameters
    ----------
    loss : float
        Loss before the update.
    new_loss : float
        Loss after the update.
    gradient_norm : float
        Norm of the gradient before the update.
    reduction_ratio : float
        Actual reduction of the loss over that of the undamped model.
    n_cg_iter : int
        Number of iterations of conjugate gradients.
    chosen_cg_iter : int
        The iterate that backtracking chose.
    step_size : float
        Step size of the line search; 0.0 means that no step was taken.

    Examples
    --------
    >>> import numpy as np
    >>> theta = np.array([2.0])
    >>> _, _, info = hessian_free_step(
    ...     theta,
    ...     hessian_free_state(theta, damping=0.0),
    ...     loss=lambda x: 0.5 * float(x @ x),
    ...     gradient=lambda x: x,
    ...     curvature_product=lambda x, v, s: v,
    ... )
    >>> info.loss, info.new_loss, info.n_cg_iter
    (2.0, 0.0, 1)
    """

    loss: float
    new_loss: float
    gradient_norm: float
    reduction_ratio: float
    n_cg_iter: int
    chosen_cg_iter: int
    step_size: float


class CGPath(NamedTuple):
    """Stored iterates of a run of conjugate gradients, the last iterate among them."""

    n_iter: list[int]
    iterates: list[np.ndarray]


def hessian_free_state(theta: np.ndarray, damping: float = 0.1) -> HessianFreeState:
    """Return the state before the first update of ``theta``.

    Parameters
    ----------
    theta : ndarray of shape (n_parameters,)
    damping : float >= 0, default=0.1
        Initial value of lambda.

    Returns
    -------
    HessianFreeState

    Examples
    --------
    >>> import numpy as np
    >>> hessian_free_state(np.ones(2), damping=1.0).damping
    1.0
    """
    return HessianFreeState(float(damping), np.zeros_like(theta))


def conjugate_gradients(
    product: Product,
    b: np.ndarray,
    start: np.ndarray,
    *,
    preconditioner: np.ndarray | None = None,
    max_iter: int = 250,
    tol: float = 5e-4,
) -> CGPath:
    """Minimise phi(x) = x'Ax / 2 - b'x until progress stalls.

    The run ends after iteration i > k if phi(x_i) < 0 and the last k = max(10, 0.1 i) iterations
    contributed less than ``k tol`` of it [1]_. It also ends when the residual is at the level of
    rounding errors, or when the curvature along the search direction is not positive.

    Parameters
    ----------
    product : callable
        Maps a vector v to A v, A symmetric and positive definite.
    b, start : ndarray of shape (n,), float64
    preconditioner : ndarray of shape (n,), default=None
        A positive diagonal that approximates that of A.
    max_iter : int, default=250
    tol : float, default=5e-4
        Minimal relative progress per iteration; with 0 the run continues while phi decreases.

    Returns
    -------
    CGPath
        The iterates at i = ceil(1.3^j), j = 0, 1, ..., and the last. Without any iteration it is
        `start`, as iterate 0.

    References
    ----------
    .. [1] J. Martens, "Deep learning via Hessian-free optimization", ICML 2010, sections 4.4
       and 4.6.

    Examples
    --------
    >>> import numpy as np
    >>> A, b = np.array([[4.0, 1.0], [1.0, 3.0]]), np.array([1.0, 2.0])
    >>> path = conjugate_gradients(lambda v: A @ v, b, np.zeros(2))
    >>> path.n_iter, path.iterates[-1].round(6)
    ([1, 2], array([0.090909, 0.636364]))
    """
    M = np.ones_like(b) if preconditioner is None else preconditioner
    x = start
    r = b - product(x) if np.any(x) else b.copy()
    d = r / M
    rho = float(r @ d)
    rounding = np.finfo(b.dtype).eps ** 2 * float(b @ (b / M))
    phi = [_phi(x, r, b)]
    to_store = {math.ceil(STORE_BASE**j) for j in range(1 + max_iter.bit_length() * 3)}
    path = CGPath([], [])
    i = 0
    while i < max_iter and rho > rounding and not _stalled(phi, tol):
        q = product(d)
        curvature = float(d @ q)
        if not curvature > 0.0:  # also true for NaN
            break
        i += 1
        x = x + (rho / curvature) * d
        r = r - (rho / curvature) * q
        s = r / M
        rho, before = float(r @ s), rho
        d = s + (rho / before) * d
        phi.append(_phi(x, r, b))
        if i in to_store:
            path.n_iter.append(i)
            path.iterates.append(x)
    if i not in path.n_iter:
        path.n_iter.append(i)
        path.iterates.append(x)
    return path


def _phi(x: np.ndarray, r: np.ndarray, b: np.ndarray) -> float:
    return -0.5 * float(x @ (r + b))


def _stalled(phi: list[float], tol: float) -> bool:
    i = len(phi) - 1
    k = max(MIN_WINDOW, math.ceil(WINDOW_SHARE * i))
    return i > k and phi[i] < 0.0 and (phi[i] - phi[i - k]) / phi[i] < k * tol


def backtrack(losses: Callable[[int], float], n_stored: int) -> tuple[int, float]:
    """Choose a stored iterate: go back from the last one while the true loss decreases.

    Parameters
    ----------
    losses : callable
        Maps the index of a stored iterate to its loss; a loss that is not finite counts as
        infinite.
    n_stored : int

    Returns
    -------
    index : int
    loss : float

    Examples
    --------
    >>> backtrack([9.0, 5.0, 3.0, 4.0].__getitem__, 4)
    (2, 3.0)
    """
    index = n_stored - 1
    best = _or_infinite(losses(index))
    while index > 0:
        loss = _or_infinite(losses(index - 1))
        if not (loss < best or best == math.inf):
            break
        index, best = index - 1, loss
    return index, best


def _or_infinite(loss: float) -> float:
    return float(loss) if math.isfinite(loss) else math.inf


def adapt_damping(damping: float, reduction_ratio: float) -> float:
    """Return the next lambda by the Levenberg-Marquardt rule.

    Parameters
    ----------
    damping : float
    reduction_ratio : float
        Actual over predicted reduction of the loss: below 1/4, or NaN, the damping is multiplied
        by 1.5; above 3/4 it is divided by 1.5.

    Returns
    -------
    float

    Examples
    --------
    >>> [round(adapt_damping(3.0, ratio), 6) for ratio in (0.1, 0.5, 0.9)]
    [4.5, 3.0, 2.0]
    """
    if reduction_ratio > GOOD_RATIO:
        return damping / DAMPING_FACTOR
    return damping if reduction_ratio >= POOR_RATIO else damping * DAMPING_FACTOR


def line_search(
    loss_along: Callable[[float], float], loss: float, slope: float
) -> tuple[float, float]:
    """Shrink a step until it satisfies the Armijo condition.

    Parameters
    ----------
    loss_along : callable
        Maps a step size to the loss after the step.
    loss : float
        The loss before the step.
    slope : float
        Derivative of the loss along the step, at 0.

    Returns
    -------
    step_size : float
        The first of 1, 0.8, 0.64, ... (60 values) that reduces the loss by at least 0.01 of what
        the slope predicts; 0.0 if none does, or if the slope is not negative.
    new_loss : float
        The loss after the step.

    Examples
    --------
    >>> line_search(lambda a: (1 - 4 * a) ** 2, 1.0, -8.0)[0].__round__(4)
    0.4096
    """
    if slope < 0.0:
        for n_shrinks in range(MAX_SHRINKS):
            step_size = STEP_SHRINKAGE**n_shrinks
            new_loss = float(loss_along(step_size))
            if new_loss <= loss + ARMIJO * step_size * slope:
                return step_size, new_loss
    return 0.0, loss


def hessian_free_step(
    theta: np.ndarray,
    state: HessianFreeState,
    loss: Loss,
    gradient: Callable[[np.ndarray], np.ndarray],
    curvature_product: Callable[[np.ndarray, np.ndarray, float], np.ndarray],
    *,
    curvature_loss: Loss | None = None,
    squared_gradients: Callable[[np.ndarray], np.ndarray] | None = None,
    structural_damping: float = 1 / 30,
    max_cg_iter: int = 250,
    tol: float = 5e-4,
) -> tuple[np.ndarray, HessianFreeState, HessianFreeInfo]:
    """Make one Hessian-free update.

    Conjugate gradients start from 0.95 of the last direction. Backtracking then chooses one of the
    stored iterates, the damping is adapted to how well the *undamped* model predicts the loss
    there, and a line search determines the step. If no step reduces the loss, the direction is
    reset to zero and the next update has a larger damping.

    Parameters
    ----------
    theta : ndarray of shape (n_parameters,), float64
        Not changed. float32 is not precise enough for conjugate gradients.
    state : HessianFreeState
        From :func:`hessian_free_state`, or from the last update.
    loss : callable
        Maps theta to the loss.
    gradient : callable
        Maps theta to the gradient of `loss`.
    curvature_product : callable
        Maps theta, a vector v and a number s to (G + s G_S) v, where G is the Gauss-Newton matrix
        of the loss with all of its penalties, and G_S that of structural damping. Without
        structural damping s is always 0.
    curvature_loss : callable, default=None
        The loss on the data of `curvature_product`, usually a tenth of the data of `loss`, drawn
        anew for every update. Backtracking and damping depend on it. None stands for `loss`.
    squared_gradients : callable, default=None
        Maps theta to the sum of the squared gradients of the examples; the preconditioner is
        (that + lambda)^0.75. None means no preconditioner.
    structural_damping : float >= 0, default=1/30
        mu, the weight of structural damping relative to lambda.
    max_cg_iter : int, default=250
    tol : float, default=5e-4
        As in :func:`conjugate_gradients`.

    Returns
    -------
    theta : ndarray of shape (n_parameters,)
    state : HessianFreeState
    info : HessianFreeInfo

    Raises
    ------
    ValueError
        If the loss or the gradient at ``theta`` is not finite.

    References
    ----------
    .. [1] J. Martens, "Deep learning via Hessian-free optimization", ICML 2010.
    .. [2] J. Martens and I. Sutskever, "Learning recurrent neural networks with Hessian-free
       optimization", ICML 2011, section 3 (structural damping).

    Examples
    --------
    A least-squares problem, A x = b, has the Gauss-Newton matrix A'A. Without damping, one step
    solves it:

    >>> import numpy as np
    >>> A, b = np.array([[2.0, 1.0], [0.0, 3.0], [1.0, 1.0]]), np.array([4.0, 6.0, 3.0])
    >>> start = np.zeros(2)
    >>> theta, state, info = hessian_free_step(
    ...     start,
    ...     hessian_free_state(start, damping=0.0),
    ...     loss=lambda x: 0.5 * np.sum((A @ x - b) ** 2),
    ...     gradient=lambda x: A.T @ (A @ x - b),
    ...     curvature_product=lambda x, v, s: A.T @ (A @ v),
    ... )
    >>> theta.round(6), info.step_size, f"{info.reduction_ratio:.6f}"
    (array([1., 2.]), 1.0, '1.000000')
    """
    start, g = float(loss(theta)), gradient(theta)
    gradient_norm = float(np.linalg.norm(g))
    _check_finite(start, gradient_norm)
    damping, preconditioner = state.damping, None
    if squared_gradients is not None:
        preconditioner = (squared_gradients(theta) + damping) ** PRECONDITIONER_POWER

    def damped(v: np.ndarray) -> np.ndarray:
        return curvature_product(theta, v, damping * structural_damping) + damping * v

    path = conjugate_gradients(
        damped, -g, WARM_START * state.direction,
        preconditioner=preconditioner, max_iter=max_cg_iter, tol=tol,
    )  # fmt: skip
    subset_loss = loss if curvature_loss is None else curvature_loss
    index, chosen_loss = backtrack(
        lambda i: subset_loss(theta + path.iterates[i]), len(path.iterates)
    )
    delta = path.iterates[index]
    slope = float(g @ delta)
    predicted = slope + 0.5 * float(delta @ curvature_product(theta, delta, 0.0))
    actual = chosen_loss - (start if curvature_loss is None else float(curvature_loss(theta)))
    ratio = actual / predicted if predicted < 0.0 else -math.inf
    step_size, end = line_search(lambda a: loss(theta + a * delta), start, slope)
    info = HessianFreeInfo(
        start, end, gradient_norm, ratio, path.n_iter[-1], path.n_iter[index], step_size
    )
    damping = adapt_damping(damping, ratio)
    if step_size == 0.0:
        return theta.copy(), hessian_free_state(theta, damping), info
    return theta + step_size * delta, HessianFreeState(damping, path.iterates[-1]), info


def _check_finite(loss: float, gradient_norm: float) -> None:
    for name, value in (("loss", loss), ("norm of the gradient", gradient_norm)):
        if not math.isfinite(value):
            raise ValueError(f"the {name} must be finite at the start of an update, got {value}")
