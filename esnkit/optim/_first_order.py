"""First-order updates of one flat parameter vector: Adam, gradient descent with momentum, clipping.

Every function changes its arrays in place. The state of an optimiser is a tuple of arrays, so it
pickles, and training continues from it. Parameters have the names and meanings of scikit-learn's
``MLPRegressor``; the caller checks them once, instead of before every update.
"""

import math
from typing import NamedTuple

import numpy as np
from scipy.linalg.blas import get_blas_funcs

from esnkit.kernels.updates import adam
from esnkit.utils._plain_state import plain_record
from esnkit.utils._validation import check_choice, check_number

__all__ = [
    "AdamState",
    "MOMENTUM_SCHEDULES",
    "SGDState",
    "adam_state",
    "adam_step",
    "clip_by_norm",
    "momentum_at",
    "sgd_state",
    "sgd_step",
]


@plain_record
class AdamState(NamedTuple):
    """State of Adam, see :func:`adam_step`, which changes its arrays in place.

    Parameters
    ----------
    first_moment : ndarray of shape (n_parameters,)
        Running mean of the gradient.
    second_moment : ndarray of shape (n_parameters,)
        Running mean of the squared gradient.
    n_updates : ndarray of shape (1,), int64
        Number of updates.

    Examples
    --------
    >>> import numpy as np
    >>> state = adam_state(np.ones(2))
    >>> state.first_moment, state.n_updates
    (array([0., 0.]), array([0]))
    """

    first_moment: np.ndarray
    second_moment: np.ndarray
    n_updates: np.ndarray


@plain_record
class SGDState(NamedTuple):
    """State of gradient descent with momentum, see :func:`sgd_step`.

    Parameters
    ----------
    velocity : ndarray of shape (n_parameters,)
        Changed in place by every update.

    Examples
    --------
    >>> import numpy as np
    >>> sgd_state(np.ones(2)).velocity
    array([0., 0.])
    """

    velocity: np.ndarray


def adam_state(theta: np.ndarray) -> AdamState:
    """Return the state of Adam before the first update.

    Parameters
    ----------
    theta : ndarray of shape (n_parameters,)

    Returns
    -------
    AdamState

    Examples
    --------
    >>> import numpy as np
    >>> adam_state(np.ones(2)).second_moment
    array([0., 0.])
    """
    return AdamState(np.zeros_like(theta), np.zeros_like(theta), np.zeros(1, dtype=np.int64))


def adam_step(
    theta: np.ndarray,
    gradient: np.ndarray,
    state: AdamState,
    *,
    learning_rate_init: float = 0.001,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-8,
) -> None:
    """Make one update of Adam, in place.

    With g the gradient and t the number of this update, from 1::

        m <- beta_1 m + (1 - beta_1) g        v <- beta_2 v + (1 - beta_2) g g
        theta <- theta - eps_t m / (sqrt(v) + epsilon)
        eps_t = learning_rate_init sqrt(1 - beta_2^t) / (1 - beta_1^t)

    This is the form at the end of section 2 of [1]_, as in scikit-learn. PyTorch adds epsilon after
    the bias correction of the root, where it has less effect on the first updates.

    Parameters
    ----------
    theta : ndarray of shape (n_parameters,), float32 or float64
        Changed in place.
    gradient : ndarray of shape (n_parameters,), same dtype
    state : AdamState
        From :func:`adam_state`; changed in place.
    learning_rate_init : float, default=0.001
    beta_1, beta_2 : float in [0, 1), default=0.9 and 0.999
        Decay rates of the two running means.
    epsilon : float, default=1e-8

    References
    ----------
    .. [1] D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", ICLR 2015,
       algorithm 1 and the remark on its order of computation.

    Examples
    --------
    The first update changes every parameter by the learning rate, whatever the gradient:

    >>> import numpy as np
    >>> theta = np.array([1.0, 1.0])
    >>> adam_step(theta, np.array([5.0, -0.1]), adam_state(theta), learning_rate_init=0.25)
    >>> theta.round(3)
    array([0.75, 1.25])
    """
    m, v, n_updates = state
    n_updates += 1
    t = int(n_updates[0])
    rate = learning_rate_init * math.sqrt(1.0 - beta_2**t) / (1.0 - beta_1**t)
    adam(theta, gradient, m, v, rate, beta_1, beta_2, epsilon)


def sgd_state(theta: np.ndarray) -> SGDState:
    """Return the state of gradient descent before the first update.

    Parameters
    ----------
    theta : ndarray of shape (n_parameters,)

    Returns
    -------
    SGDState

    Examples
    --------
    >>> import numpy as np
    >>> sgd_state(np.ones(2))
    SGDState(velocity=array([0., 0.]))
    """
    return SGDState(np.zeros_like(theta))


def sgd_step(
    theta: np.ndarray,
    gradient: np.ndarray,
    state: SGDState,
    *,
    learning_rate_init: float = 0.001,
    momentum: float = 0.9,
    nesterovs_momentum: bool = True,
    next_momentum: float | None = None,
) -> None:
    """Make one update of gradient descent with momentum, in place.

    Classical momentum, with f the loss, mu the momentum and eps the learning rate::

        v <- mu v - eps grad f(theta)               theta <- theta + v

    Nesterov's form [1]_ takes the gradient at the look-ahead point theta + mu v::

        v <- mu v - eps grad f(theta + mu v)        theta <- theta + v

    This function stores the look-ahead point in place of theta, so the caller takes the gradient at
    the vector that it has, as in the classical form. One update is then::

        v <- mu v - eps g                           ahead <- ahead + mu' v - eps g

    where mu' is the momentum of the next update. With mu' = mu this is scikit-learn's update; with
    mu' = 0 the result is theta itself. Both forms start from the same vector, because v = 0.

    Parameters
    ----------
    theta : ndarray of shape (n_parameters,), float32 or float64
        The parameters, or with Nesterov's momentum the look-ahead point, at which `gradient` was
        taken. Changed in place.
    gradient : ndarray of shape (n_parameters,), same dtype
    state : SGDState
        From :func:`sgd_state`; changed in place.
    learning_rate_init : float, default=0.001
    momentum : float in [0, 1), default=0.9
        mu of this update.
    nesterovs_momentum : bool, default=True
    next_momentum : float or None, default=None
        mu' of the next update, if a schedule changes it; None stands for `momentum`. Classical
        momentum ignores it.

    References
    ----------
    .. [1] I. Sutskever, J. Martens, G. Dahl and G. Hinton, "On the importance of initialization
       and momentum in deep learning", ICML 2013, eqs. 1-4.

    Examples
    --------
    >>> import numpy as np
    >>> theta = np.array([1.0])
    >>> state = sgd_state(theta)
    >>> for _ in range(2):
    ...     gradient = 2 * theta
    ...     sgd_step(theta, gradient, state, learning_rate_init=0.25, momentum=0.5)
    >>> theta
    array([-0.0625])
    """
    velocity = state.velocity
    step = learning_rate_init * gradient
    velocity *= momentum
    velocity -= step
    if nesterovs_momentum:
        theta -= step
        theta += (momentum if next_momentum is None else next_momentum) * velocity
    else:
        theta += velocity


def _constant(update: int, momentum: float) -> float:
    return momentum


def _increasing(update: int, momentum: float) -> float:
    return min(1.0 - 2.0 ** (-1.0 - math.log2(update // 250 + 1)), momentum)


def _delayed(update: int, momentum: float) -> float:
    return 0.9 if update < 1000 else momentum


MOMENTUM_SCHEDULES = {"constant": _constant, "increasing": _increasing, "delayed": _delayed}


def momentum_at(schedule: str, update: int, momentum: float) -> float:
    """Return the momentum of one update.

    ``"constant"``
        ``momentum`` at every update.
    ``"increasing"``
        min(1 - 2^(-1 - log2(floor(update / 250) + 1)), momentum): 0.5 at first, 0.75 after 250
        updates, up to `momentum`. Equation 5 of [1]_, for deep autoencoders.
    ``"delayed"``
        0.9 in the first 1000 updates, then `momentum`. Section 4 of [1]_, for recurrent networks.

    Parameters
    ----------
    schedule : {"constant", "increasing", "delayed"}
    update : int
        Number of updates made so far.
    momentum : float in [0, 1)

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If `schedule` is not one of these.

    References
    ----------
    .. [1] I. Sutskever, J. Martens, G. Dahl and G. Hinton, "On the importance of initialization
       and momentum in deep learning", ICML 2013.

    Examples
    --------
    >>> [momentum_at("increasing", t, 0.9) for t in (0, 250, 750, 10_000)]
    [0.5, 0.75, 0.875, 0.9]
    """
    names = MOMENTUM_SCHEDULES
    return names[check_choice("momentum_schedule", schedule, names)](update, momentum)


def clip_by_norm(gradient: np.ndarray, clip_norm: float | None) -> float:
    """Clip the norm of the gradient in place, and return the norm before clipping.

    The norm is that of all parameters as one vector; a gradient with a norm of at most `clip_norm`
    does not change. Nor does a gradient that is not finite: the caller sees it in the returned
    norm, which is infinite or NaN.

    Parameters
    ----------
    gradient : ndarray of shape (n_parameters,), float32 or float64
        Changed in place.
    clip_norm : float > 0 or None
        None returns the norm without clipping.

    Returns
    -------
    norm : float

    Raises
    ------
    ValueError
        If `clip_norm` is not a positive number.

    References
    ----------
    .. [1] R. Pascanu, T. Mikolov and Y. Bengio, "On the difficulty of training recurrent neural
       networks", ICML 2013, algorithm 1.

    Examples
    --------
    >>> import numpy as np
    >>> gradient = np.array([3.0, 4.0])
    >>> clip_by_norm(gradient, 1.0), gradient
    (5.0, array([0.6, 0.8]))
    """
    # BLAS scales while it sums, so the squares of a large gradient do not overflow.
    norm = float(get_blas_funcs("nrm2", (gradient,))(gradient))
    if clip_norm is not None:
        limit = check_number("clip_norm", clip_norm, 0.0, low_open=True)
        if limit < norm < math.inf:
            gradient *= limit / norm
    return norm
