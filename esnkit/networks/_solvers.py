"""The solvers of trained networks: one record per solver, which is all that training knows of it.

Every first-order optimiser of :mod:`esnkit.optim` is a solver; the Hessian-free method is another.
"""

import math
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from esnkit.networks._hessian_free_update import Damping, hessian_free_update
from esnkit.networks._minibatches import cut_batches
from esnkit.networks._objective import Objective
from esnkit.optim._first_order import clip_by_norm
from esnkit.optim._hessian_free import HessianFreeState, hessian_free_state
from esnkit.optim._optimizers import OPTIMIZERS, Optimizer, OptimizerParameters
from esnkit.utils._plain_state import plain_record
from esnkit.utils._workspace import Workspace

__all__ = ["LEARNING_RATES", "Problem", "Settings", "Solver", "TrainingState", "solvers"]


# Schedules of the learning rate: its factor after a share of the iterations.
LEARNING_RATES: dict[str, Callable[[float], float]] = {
    "constant": lambda share: 1.0,
    "cosine": lambda share: 0.5 * (1.0 + math.cos(math.pi * share)),
}


@plain_record
class Settings(NamedTuple):
    """How to train; names and ranges are those of the estimators' parameters."""

    solver: str = "adam"  # a key of solvers()
    optimizer: OptimizerParameters = OptimizerParameters()
    clip_norm: float | None = None
    batch_size: int = 32
    shuffle: bool = True
    alpha: float = 0.0
    tbptt: int | None = None
    damping: Damping = Damping()
    learning_rate: str = "constant"  # a key of LEARNING_RATES

    def after(self, share: float) -> "Settings":
        """Return the settings after a share, in [0, 1), of the largest number of iterations."""
        rate = self.optimizer.learning_rate_init * LEARNING_RATES[self.learning_rate](share)
        return self._replace(optimizer=self.optimizer._replace(learning_rate_init=rate))


class Problem(NamedTuple):
    """What an epoch minimises."""

    objective: Objective
    spec: Any
    data: Any
    settings: Settings


@plain_record
@dataclass
class TrainingState:
    """What an epoch changes."""

    theta: np.ndarray  # (n_parameters,)
    optimizer_state: Any
    rng: np.random.Generator
    n_updates: int = 0

    def copy(self) -> "TrainingState":
        """Return a copy that shares no array with this state."""
        optimizer_state, rng = deepcopy((self.optimizer_state, self.rng))
        return TrainingState(self.theta.copy(), optimizer_state, rng, self.n_updates)


class Solver(NamedTuple):
    """One solver.

    ``init(theta, settings)`` returns the state of the optimiser before the first update.
    ``epoch(problem, state, workspace)`` makes one pass over all sequences, changes the state, and
    returns the loss and the mean norm of the gradients before clipping. It raises
    FloatingPointError if one of them is not finite.
    """

    init: Callable[[np.ndarray, Settings], Any]
    epoch: Callable[[Problem, TrainingState, Workspace], tuple[float, float]]
    remedy: Callable[[Settings], str]  # what to change if the loss diverges
    full_batch: bool = False  # whether an epoch is one update on all sequences
    needs_float64: bool = False
    supports_tbptt: bool = True


def solvers() -> dict[str, Solver]:
    """Return the table of solvers: the optimisers, in their order, and the Hessian-free method."""
    first_order = {
        name: Solver(
            init=partial(_init_optimizer, optimizer),
            epoch=partial(_first_order_epoch, optimizer),
            remedy=_smaller_updates,
        )
        for name, optimizer in OPTIMIZERS.items()
    }
    return first_order | {"hessian_free": HESSIAN_FREE}


def _init_optimizer(optimizer: Optimizer, theta: np.ndarray, settings: Settings) -> Any:
    return optimizer.init(theta)


def _first_order_epoch(
    optimizer: Optimizer, problem: Problem, state: TrainingState, workspace: Workspace
) -> tuple[float, float]:
    """Make the updates of all mini-batches."""
    objective, spec, data, settings = problem
    losses, weights, norms = [], [], []
    rng = state.rng if settings.shuffle else None
    for chosen in cut_batches(data.lengths, settings.batch_size, rng):
        for loss, gradient, weight in objective.gradients(
            spec, state.theta, data.subset(chosen), settings.alpha, settings.tbptt, workspace
        ):
            losses.append(loss)
            weights.append(weight)
            norms.append(_update(optimizer, settings, state, loss, gradient))
    return float(np.average(losses, weights=weights)), float(np.mean(norms))


def _update(
    optimizer: Optimizer,
    settings: Settings,
    state: TrainingState,
    loss: float,
    gradient: np.ndarray,
) -> float:
    """Make one update along the clipped gradient, and return the norm before clipping."""
    norm = clip_by_norm(gradient, settings.clip_norm)
    if not (math.isfinite(norm) and math.isfinite(loss)):
        raise FloatingPointError(
            f"in update {state.n_updates + 1} the loss is {loss:g} and the norm of its gradient "
            f"{norm:g}"
        )
    optimizer.update(
        state.theta, gradient, state.optimizer_state, state.n_updates, settings.optimizer
    )
    state.n_updates += 1
    return norm


def _smaller_updates(settings: Settings) -> str:
    return (
        f"use a smaller learning_rate_init (now {settings.optimizer.learning_rate_init:g}) or "
        f"clip_norm (now {settings.clip_norm}), and scale X and y"
    )


def _init_hessian_free(theta: np.ndarray, settings: Settings) -> HessianFreeState:
    return hessian_free_state(theta, settings.damping.damping)


def _hessian_free_epoch(
    problem: Problem, state: TrainingState, workspace: Workspace
) -> tuple[float, float]:
    """Make one Hessian-free update on all sequences."""
    settings = problem.settings
    try:
        state.theta, state.optimizer_state, info = hessian_free_update(
            problem.spec, state.theta, state.optimizer_state, problem.data, state.rng,
            alpha=settings.alpha, damping=settings.damping,
        )  # fmt: skip
    except ValueError as error:  # the loss or its gradient is not finite
        raise FloatingPointError(str(error)) from error
    state.n_updates += 1
    return info.loss, info.gradient_norm


HESSIAN_FREE = Solver(
    init=_init_hessian_free,
    epoch=_hessian_free_epoch,
    remedy=lambda settings: "scale X and y, or use other initial weights (init)",
    full_batch=True,
    needs_float64=True,  # single precision is too coarse for conjugate gradients
    supports_tbptt=False,
)
