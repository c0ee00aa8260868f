"""Hessian-free updates of a network on all of its sequences."""

import math
from typing import Any, NamedTuple

import numpy as np

from esnkit.networks._bptt import run
from esnkit.networks._gauss_newton import curvature_product
from esnkit.networks._loss_gradient import loss_gradient, penalty
from esnkit.networks._losses import LOSSES
from esnkit.networks._minibatches import SequenceBatch, evaluate
from esnkit.networks._spec import Spec
from esnkit.optim._hessian_free import HessianFreeInfo, HessianFreeState, hessian_free_step

__all__ = ["Damping", "newton_step"]

# The gradient is summed over groups of so many sequences, which bounds its memory; the curvature
# is that of a tenth of the sequences, drawn anew for every update, but of no fewer than these.
GROUP, SHARE, FEWEST = 256, 0.1, 100


class Damping(NamedTuple):
    """How far a Hessian-free update may go."""

    damping: float = 0.1  # the first lambda
    structural: float = 1 / 30  # mu
    max_cg_iter: int = 250


def newton_step(
    spec: Spec,
    theta: np.ndarray,
    memory: HessianFreeState,
    data: SequenceBatch,
    rng: np.random.Generator,
    *,
    alpha: float,
    damping: Damping,
) -> tuple[np.ndarray, HessianFreeState, HessianFreeInfo]:
    """Make one Hessian-free update; see :func:`esnkit.optim.hessian_free_step`.

    Parameters
    ----------
    spec : Spec
    theta : ndarray of shape (n_parameters,), float64
    memory : HessianFreeState
    data : SequenceBatch
    rng : Generator
        Draws the sequences of the curvature.
    alpha : float
        As in :func:`esnkit.networks._bptt.loss_gradient`.
    damping : Damping

    Returns
    -------
    theta, memory, info
    """
    n = len(data.lengths)
    n_chosen = min(n, max(FEWEST, math.ceil(SHARE * n)))
    chosen = data if n_chosen == n else _subset_with_weight(data, n_chosen, rng)
    # The penalty is divided by the number of targets: of the part it must stay that of the whole.
    share = alpha * len(chosen.Y) / len(data.Y)
    model = _Model(spec, chosen, share)
    return hessian_free_step(
        theta,
        memory,
        lambda at: full_loss(spec, at, data, alpha),
        lambda at: full_gradient(spec, at, data, alpha),
        model.product,
        curvature_loss=lambda at: full_loss(spec, at, chosen, share),
        structural_damping=damping.structural,
        max_cg_iter=damping.max_cg_iter,
    )


def _subset_with_weight(
    data: SequenceBatch, n_chosen: int, rng: np.random.Generator
) -> SequenceBatch:
    """Draw sequences, at least one of which is taught."""
    order = rng.permutation(len(data.lengths))
    part = data.subset(np.sort(order[:n_chosen]))
    return part if part.weights is None or np.any(part.weights) else data


def full_loss(spec: Spec, theta: np.ndarray, data: SequenceBatch, alpha: float) -> float:
    """Return the loss over all sequences."""
    outputs, _ = evaluate(spec, theta, data)
    value = LOSSES[spec.loss][0](outputs, data.Y, data.weights).value
    return value + penalty(spec, theta, alpha, len(data.Y))[0]


def full_gradient(spec: Spec, theta: np.ndarray, data: SequenceBatch, alpha: float) -> np.ndarray:
    """Return the gradient of the loss over all sequences."""
    gradient, total = np.zeros_like(theta), 0.0
    n = len(data.lengths)
    for first in range(0, n, GROUP):
        part = data.subset(np.arange(first, min(first + GROUP, n)))
        _, slope, _, weight = loss_gradient(spec, theta, part.batch(), part.Y, part.weights)
        gradient += weight * slope
        total += weight
    return gradient / total + penalty(spec, theta, alpha, len(data.Y))[1]


class _Model:
    """The quadratic model of the loss of some sequences, around the last point asked for."""

    def __init__(self, spec: Spec, data: SequenceBatch, alpha: float):
        self.spec, self.data, self.alpha = spec, data, alpha
        self.batch = data.batch()
        self.at: np.ndarray | None = None
        self.forward: Any = None

    def product(self, theta: np.ndarray, v: np.ndarray, structural: float) -> np.ndarray:
        if self.at is None or not np.array_equal(self.at, theta):
            self.at = theta.copy()
            self.forward = run(self.spec, theta, self.batch)
        outputs, tape = self.forward
        return curvature_product(
            self.spec, v, outputs, tape, self.data.weights,
            alpha=self.alpha, structural=structural,
        )  # fmt: skip
