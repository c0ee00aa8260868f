"""Optimisers of one flat parameter vector; they know no network."""

from esnkit.optim._first_order import (
    MOMENTUM_SCHEDULES,
    AdamState,
    SGDState,
    adam_state,
    adam_step,
    clip_by_norm,
    momentum_at,
    sgd_state,
    sgd_step,
)
from esnkit.optim._hessian_free import (
    HessianFreeInfo,
    HessianFreeState,
    conjugate_gradients,
    hessian_free_state,
    hessian_free_step,
)
from esnkit.optim._optimizers import OPTIMIZERS, Optimizer, OptimizerParameters

__all__ = [
    "AdamState",
    "HessianFreeInfo",
    "HessianFreeState",
    "MOMENTUM_SCHEDULES",
    "OPTIMIZERS",
    "Optimizer",
    "OptimizerParameters",
    "SGDState",
    "adam_state",
    "adam_step",
    "clip_by_norm",
    "conjugate_gradients",
    "hessian_free_state",
    "hessian_free_step",
    "momentum_at",
    "sgd_state",
    "sgd_step",
]
