"""Training of recurrent networks: mini-batches of whole sequences, epochs, and when to stop.

A :class:`Trainer` holds all that training remembers (parameters, what the optimiser remembers, the
stream of random numbers, the curves, the best parameters so far), so it pickles, and goes on where
it stopped.
"""

import math
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from esnkit.batches import Data, cut_batches, evaluate, in_chunks
from esnkit.hessian_free import hessian_free_state
from esnkit.layout import Spec
from esnkit.memory import Memory
from esnkit.network import Start, loss_gradient, make_batch
from esnkit.optimizers import (
    adam_state,
    adam_step,
    clip_by_norm,
    momentum_at,
    sgd_state,
    sgd_step,
)
from esnkit.second_order import Damping, full_loss, newton_step

__all__ = ["Learner", "SOLVERS", "Settings", "Stopping", "Trainer", "hold_out"]

SOLVERS = ("adam", "sgd", "hessian_free")


class Settings(NamedTuple):
    """How to train; the names mean what they mean in the estimators."""

    solver: str = "adam"
    learning_rate_init: float = 1e-3
    momentum: float = 0.9
    momentum_schedule: str = "constant"
    nesterovs_momentum: bool = True
    clip_norm: float | None = None
    batch_size: int = 32
    shuffle: bool = True
    alpha: float = 0.0
    tbptt: int | None = None
    damping: Damping = Damping()


class Stopping(NamedTuple):
    """When to stop."""

    max_iter: int = 200
    tol: float = 1e-4
    n_iter_no_change: float = 10


Score = Callable[[np.ndarray, Data], float]


class Learner(NamedTuple):
    """What is asked of a kind of network, with its spec, its parameters and data."""

    # (spec, theta, data, settings, memory) -> loss, gradient and weight of the updates of a batch
    gradients: Callable[..., Iterator[tuple[float, np.ndarray, float]]]
    loss: Callable[..., float]  # (spec, theta, data, alpha) -> the loss over all sequences


def chunk_gradients(
    spec: Spec, theta: np.ndarray, data: Data, settings: Settings, memory: Memory
) -> Iterator[tuple[float, np.ndarray, float]]:
    """Yield loss, gradient and weight of the updates of a batch.

    There is one, or with truncated backpropagation one for every chunk of time that has something
    to be taught in it.
    """
    ends, tbptt = data.lengths, settings.tbptt
    carried = None
    for k, (alive, _, part) in enumerate(in_chunks(data, tbptt)):
        if carried is not None:
            part = part._replace(start=Start(carried[alive], np.array(True)))
        if not data.per_step and tbptt is not None:
            here = ends[alive] <= (k + 1) * tbptt
            weights = np.ones(len(alive)) if part.weights is None else part.weights
            part = part._replace(weights=(weights.T * here).T)
        batch = make_batch(part.inputs, part.offsets)
        memory.rewind()
        loss, gradient, tape, total = loss_gradient(
            spec, theta, batch, part.Y, part.weights, alpha=settings.alpha,
            start=part.start, held=part.held, memory=memory,
        )  # fmt: skip
        carried = np.empty((len(ends), spec.n_state)) if carried is None else carried
        carried[alive] = tape.state
        if total > 0:
            yield loss, gradient, total


NETWORK = Learner(chunk_gradients, full_loss)


class Trainer:
    """A network in training.

    Parameters
    ----------
    spec : Spec
        Or what the learner knows as one.
    theta : ndarray of shape (n_parameters,)
        Where to start; changed in place.
    settings : Settings
    rng : Generator
        Shuffles the sequences.
    learner : Learner, default=NETWORK

    Attributes
    ----------
    theta : ndarray
        The parameters now.
    best_theta : ndarray
        The best parameters so far: by the score of the validation data, where there are such, else
        by the loss.
    loss_curve, grad_norm_curve, validation_scores : list of float
        One item an epoch: the loss over the epoch, the mean norm of the gradient before clipping,
        and the score after it.
    """

    def __init__(
        self,
        spec: Any,
        theta: np.ndarray,
        settings: Settings,
        rng: np.random.Generator,
        learner: Learner = NETWORK,
    ):
        self.spec, self.theta, self.settings, self.rng = spec, theta, settings, rng
        self.learner = learner
        self.memory: Any = _memory(settings, theta)
        self.n_updates = 0
        self.loss_curve: list[float] = []
        self.grad_norm_curve: list[float] = []
        self.validation_scores: list[float] = []
        self.best_theta, self.best_loss, self.best_score = theta.copy(), math.inf, -math.inf
        self.n_idle = 0  # epochs in a row without progress

    def use(self, settings: Settings) -> None:
        """Go on with other settings; another solver starts with an empty memory."""
        if settings.solver != self.settings.solver:
            self.memory = _memory(settings, self.theta)
        self.settings = settings

    def fit(
        self,
        data: Any,
        validation: Data | None = None,
        *,
        stopping: Stopping,
        score: Score | None = None,
        report: Callable[["Trainer"], Any] | None = None,
    ) -> bool:
        """Train until the loss, or the validation score, no longer improves.

        Parameters
        ----------
        data : Data
            Or what the learner knows as such.
        validation : Data or None, default=None
            Sequences to score the network on after every epoch.
        stopping : Stopping
        score : callable or None, default=None
            Maps outputs and data to a number, the larger the better; for validation.
        report : callable or None, default=None
            Called after every epoch; True stops.

        Returns
        -------
        bool
            Whether it stopped by itself.

        Raises
        ------
        FloatingPointError
            If the loss diverges.
        """
        memory = Memory()
        try:
            for _ in range(stopping.max_iter):
                self._epoch_and_score(data, validation, stopping.tol, score, memory)
                if report is not None and report(self):
                    return True
                if self.n_idle > stopping.n_iter_no_change:
                    self.n_idle = 0
                    return True
            if validation is None and self.n_updates == len(self.loss_curve):
                self._judge_last(data)
        except KeyboardInterrupt:
            best = "the first" if math.isinf(self.best_loss) else "the best"
            warnings.warn(
                f"training was interrupted in iteration {len(self.loss_curve) + 1}: {best} weights "
                "so far are kept",
                stacklevel=4,
            )
        return False

    def _epoch_and_score(self, data, validation, tol, score, memory):
        before, n_before = self.theta.copy(), self.n_updates
        loss = self.epoch(data, memory)
        # The loss of the only update of an epoch is that of the parameters before it.
        judged = before if self.n_updates == n_before + 1 else self.theta
        if validation is None:
            self.n_idle = self.n_idle + 1 if loss > self.best_loss - tol else 0
            if loss < self.best_loss:
                self.best_loss, self.best_theta = loss, judged.copy()
            return
        self.best_loss = min(self.best_loss, loss)
        outputs, _ = evaluate(self.spec, self.theta, validation)
        found = score(outputs, validation)
        self.validation_scores.append(found)
        self.n_idle = self.n_idle + 1 if found < self.best_score + tol else 0
        if found > self.best_score:
            self.best_score, self.best_theta = found, self.theta.copy()

    def _judge_last(self, data):
        """Look at the parameters after the very last update, which no epoch has judged yet."""
        loss = self.learner.loss(self.spec, self.theta, data, self.settings.alpha)
        if loss < self.best_loss:
            self.best_loss, self.best_theta = loss, self.theta.copy()

    def epoch(self, data: Any, memory: Memory | None = None) -> float:
        """Go through all sequences once, and return the loss over them."""
        memory = memory or Memory()
        if self.settings.solver == "hessian_free":
            return self._newton(data)
        losses, totals, norms, gradients = [], [], [], self.learner.gradients
        rng = self.rng if self.settings.shuffle else None
        with np.errstate(over="ignore", invalid="ignore"):  # _update tells of it
            for chosen in cut_batches(data.lengths, self.settings.batch_size, rng):
                part = data.subset(chosen)
                found = gradients(self.spec, self.theta, part, self.settings, memory)
                for loss, gradient, total in found:
                    losses.append(loss)
                    totals.append(total)
                    norms.append(self._update(loss, gradient))
        self.loss_curve.append(float(np.average(losses, weights=totals)))
        self.grad_norm_curve.append(float(np.mean(norms)))
        return self.loss_curve[-1]

    def _newton(self, data):
        """Make one Hessian-free update, which sees all sequences."""
        now = self.settings
        try:
            self.theta, self.memory, info = newton_step(
                self.spec, self.theta, self.memory, data, self.rng,
                alpha=now.alpha, damping=now.damping,
            )  # fmt: skip
        except ValueError as error:  # loss or gradient are not finite
            raise FloatingPointError(
                f"training diverged in iteration {len(self.loss_curve) + 1}: {error}; scale X and "
                "y, or start from other weights (init)"
            ) from error
        self.n_updates += 1
        self.loss_curve.append(info.loss)
        self.grad_norm_curve.append(info.gradient_norm)
        return info.loss

    def _update(self, loss, gradient):
        """Change the parameters along one gradient, and return the norm that it had."""
        now = self.settings
        norm = clip_by_norm(gradient, now.clip_norm)
        if not (math.isfinite(norm) and math.isfinite(loss)):
            raise FloatingPointError(
                f"training diverged in iteration {len(self.loss_curve) + 1}, update "
                f"{self.n_updates + 1}: the loss is {loss:g} and the norm of its gradient "
                f"{norm:g}; use a smaller learning_rate_init (now {now.learning_rate_init:g}) or "
                f"clip_norm (now {now.clip_norm}), and scale X and y"
            )
        if now.solver == "adam":
            adam_step(self.theta, gradient, self.memory, learning_rate_init=now.learning_rate_init)
        else:
            momentum, following = (
                momentum_at(now.momentum_schedule, update, now.momentum)
                for update in (self.n_updates, self.n_updates + 1)
            )
            sgd_step(
                self.theta, gradient, self.memory, learning_rate_init=now.learning_rate_init,
                momentum=momentum, nesterovs_momentum=now.nesterovs_momentum,
                next_momentum=following,
            )  # fmt: skip
        self.n_updates += 1
        return norm


def _memory(settings: Settings, theta: np.ndarray) -> Any:
    if settings.solver == "hessian_free":
        return hessian_free_state(theta, settings.damping.damping)
    return adam_state(theta) if settings.solver == "adam" else sgd_state(theta)


def hold_out(data: Data, fraction: float, rng: np.random.Generator) -> tuple[Data, Data]:
    """Split off a share of the sequences, or the end of the only one, for validation.

    Raises
    ------
    ValueError
        If too little is left on one side.
    """
    n = len(data.offsets) - 1
    if n > 1:
        n_held = math.ceil(fraction * n)
        if n_held == n:
            raise ValueError(
                f"validation_fraction={fraction} of {n} sequences leaves none to train"
            )
        order = rng.permutation(n)
        return data.subset(np.sort(order[n_held:])), data.subset(np.sort(order[:n_held]))
    n_steps = int(data.offsets[-1])
    cut = n_steps - math.ceil(fraction * n_steps)
    if not data.per_step or cut < 1:
        raise ValueError(
            f"early_stopping needs sequences to hold out, got one of {n_steps} time steps"
        )
    # The network hears the start of the series before the end that it is scored on.
    weights = np.ones(n_steps) if data.weights is None else data.weights.copy()
    weights[:cut] = 0
    return data.subset(np.arange(1), 0, cut), data._replace(weights=weights)
