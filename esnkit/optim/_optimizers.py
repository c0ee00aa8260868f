"""The first-order optimisers: one row per optimiser.

To add one, write a function that makes one update in place, and add a row to `OPTIMIZERS`. The key
of the row is then a value of the parameter `solver` of trained networks.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from esnkit.optim._first_order import (
    AdamState,
    SGDState,
    adam_state,
    adam_step,
    momentum_at,
    sgd_state,
    sgd_step,
)
from esnkit.utils._plain_state import plain_record

__all__ = ["OPTIMIZERS", "Optimizer", "OptimizerParameters"]


@plain_record
class OptimizerParameters(NamedTuple):
    """Parameters of the optimisers, with the names and meanings of scikit-learn's MLPRegressor.

    Parameters
    ----------
    learning_rate_init : float > 0, default=0.001
    momentum : float in [0, 1], default=0.9
    momentum_schedule : {"constant", "increasing", "delayed"}, default="constant"
        See :func:`momentum_at`.
    nesterovs_momentum : bool, default=True

    Examples
    --------
    >>> OptimizerParameters(learning_rate_init=0.01).momentum
    0.9
    """

    learning_rate_init: float = 1e-3
    momentum: float = 0.9
    momentum_schedule: str = "constant"
    nesterovs_momentum: bool = True


class Optimizer(NamedTuple):
    """A first-order optimiser of one flat parameter vector ``theta``.

    Parameters
    ----------
    init : callable
        ``init(theta)`` returns the state before the first update: an array or a tuple of arrays,
        so that it pickles.
    update : callable
        ``update(theta, gradient, state, n_updates, parameters)`` makes one update after
        ``n_updates`` others, with an :class:`OptimizerParameters`; it changes ``theta`` and
        ``state`` in place.

    Examples
    --------
    Plain gradient descent has no state:

    >>> import numpy as np
    >>> def descend(theta, gradient, state, n_updates, parameters):
    ...     theta -= parameters.learning_rate_init * gradient
    >>> optimizer, theta = Optimizer(lambda theta: None, descend), np.array([1.0])
    >>> optimizer.update(theta, np.array([2.0]), None, 0, OptimizerParameters(0.25))
    >>> theta
    array([0.5])
    """

    init: Callable[[np.ndarray], Any]
    update: Callable[[np.ndarray, np.ndarray, Any, int, OptimizerParameters], None]


def _adam_update(
    theta: np.ndarray,
    gradient: np.ndarray,
    state: AdamState,
    n_updates: int,
    parameters: OptimizerParameters,
) -> None:
    adam_step(theta, gradient, state, learning_rate_init=parameters.learning_rate_init)


def _sgd_update(
    theta: np.ndarray,
    gradient: np.ndarray,
    state: SGDState,
    n_updates: int,
    parameters: OptimizerParameters,
) -> None:
    momentum, next_momentum = (
        momentum_at(parameters.momentum_schedule, update, parameters.momentum)
        for update in (n_updates, n_updates + 1)
    )
    sgd_step(
        theta, gradient, state,
        learning_rate_init=parameters.learning_rate_init, momentum=momentum,
        nesterovs_momentum=parameters.nesterovs_momentum, next_momentum=next_momentum,
    )  # fmt: skip


OPTIMIZERS = {
    "adam": Optimizer(adam_state, _adam_update),
    "sgd": Optimizer(sgd_state, _sgd_update),
}
