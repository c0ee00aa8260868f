"""Hessian-free updates of a network on all of its sequences."""

import math
from typing import Any, NamedTuple

import numpy as np

from esnkit.networks._bptt import Tape, run
from esnkit.networks._gauss_newton import curvature_product
from esnkit.networks._loss_gradient import loss_gradient, penalty
from esnkit.networks._minibatches import SequenceBatch
from esnkit.networks._objective import network_loss
from esnkit.networks._spec import Spec
from esnkit.optim._hessian_free import HessianFreeInfo, HessianFreeState, hessian_free_step
from esnkit.utils._plain_state import plain_record

__all__ = ["Damping", "hessian_free_update"]

# The gradient is summed over groups of this many sequences, to bound the memory that it takes.
GRADIENT_GROUP = 256
# The curvature is that of a share of the sequences, drawn anew for every update, but of no fewer
# than MIN_CURVATURE_SEQUENCES.
CURVATURE_SHARE, MIN_CURVATURE_SEQUENCES = 0.1, 100


@plain_record
class Damping(NamedTuple):
    """Parameters of Hessian-free updates."""

    damping: float = 0.1  # initial value of lambda
    structural: float = 1 / 30  # mu, relative to lambda
    max_cg_iter: int = 250


def hessian_free_update(
    spec: Spec,
    theta: np.ndarray,
    state: HessianFreeState,
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
        Not changed.
    state : HessianFreeState
    data : SequenceBatch
    rng : Generator
        Draws the sequences of the curvature.
    alpha : float
        As in :func:`esnkit.networks._loss_gradient.loss_gradient`.
    damping : Damping

    Returns
    -------
    theta, state, info
    """
    subset = _curvature_subset(data, rng)
    # The penalty is divided by the number of targets; that of the subset must be that of all data.
    subset_alpha = alpha * len(subset.Y) / len(data.Y)
    return hessian_free_step(
        theta,
        state,
        lambda at: network_loss(spec, at, data, alpha),
        lambda at: full_gradient(spec, at, data, alpha),
        CurvatureModel(spec, subset, subset_alpha).product,
        curvature_loss=lambda at: network_loss(spec, at, subset, subset_alpha),
        structural_damping=damping.structural,
        max_cg_iter=damping.max_cg_iter,
    )


def _curvature_subset(data: SequenceBatch, rng: np.random.Generator) -> SequenceBatch:
    """Draw the sequences of the curvature, at least one of which has a weight."""
    n = len(data.lengths)
    n_chosen = min(n, max(MIN_CURVATURE_SEQUENCES, math.ceil(CURVATURE_SHARE * n)))
    if n_chosen == n:
        return data
    subset = data.subset(np.sort(rng.permutation(n)[:n_chosen]))
    return subset if subset.weights is None or np.any(subset.weights) else data


def full_gradient(spec: Spec, theta: np.ndarray, data: SequenceBatch, alpha: float) -> np.ndarray:
    """Return the gradient of the loss over all sequences."""
    gradient, total = np.zeros_like(theta), 0.0
    n = len(data.lengths)
    for first in range(0, n, GRADIENT_GROUP):
        group = data.subset(np.arange(first, min(first + GRADIENT_GROUP, n)))
        _, slope, _, weight = loss_gradient(spec, theta, group.batch(), group.Y, group.weights)
        gradient += weight * slope
        total += weight
    return gradient / total + penalty(spec, theta, alpha, len(data.Y))[1]


class CurvatureModel:
    """Gauss-Newton products on some sequences; one forward pass serves all products at a point.

    Parameters
    ----------
    spec : Spec
    data : SequenceBatch
    alpha : float
    """

    def __init__(self, spec: Spec, data: SequenceBatch, alpha: float):
        self.spec, self.data, self.alpha = spec, data, alpha
        self.batch = data.batch()
        self.last_theta: np.ndarray | None = None
        self.last_pass: Any = None

    def forward(self, theta: np.ndarray) -> tuple[np.ndarray, Tape]:
        """Return outputs and tape of the forward pass, that of the last call if it was the same."""
        if self.last_theta is None or not np.array_equal(self.last_theta, theta):
            self.last_theta = theta.copy()
            self.last_pass = run(self.spec, theta, self.batch)
        return self.last_pass

    def product(self, theta: np.ndarray, v: np.ndarray, structural: float) -> np.ndarray:
        """Return the Gauss-Newton matrix at ``theta``, with structural damping, times ``v``."""
        outputs, tape = self.forward(theta)
        return curvature_product(
            self.spec, v, outputs, tape, self.data.weights, alpha=self.alpha, structural=structural
        )
