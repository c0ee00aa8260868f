"""Training of recurrent networks: mini-batches of whole sequences, epochs, and when to stop.

A :class:`Trainer` holds all that training remembers (parameters, what the optimiser remembers, the
stream of random numbers, the curves, the best parameters so far), so it pickles, and goes on where
it stopped.
"""

import hashlib
import math
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any, NamedTuple

import numpy as np

from esnkit.networks._batch import InitialState
from esnkit.networks._hessian_free_update import Damping, full_loss, newton_step
from esnkit.networks._loss_gradient import loss_gradient
from esnkit.networks._minibatches import SequenceBatch, cut_batches, evaluate, tbptt_chunks
from esnkit.networks._spec import Spec
from esnkit.optim._first_order import (
    adam_state,
    adam_step,
    clip_by_norm,
    momentum_at,
    sgd_state,
    sgd_step,
)
from esnkit.optim._hessian_free import hessian_free_state
from esnkit.utils._warnings import warn
from esnkit.utils._workspace import Workspace

__all__ = [
    "Learner",
    "SOLVERS",
    "Settings",
    "Stopping",
    "Trainer",
    "name_changes",
]

SOLVERS = ("adam", "sgd", "hessian_free")
# A loss so many times that of the weights at the start (or one, if that is less) is a divergence.
HOPELESS = 1e6


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


Score = Callable[[np.ndarray, SequenceBatch], float]


class Learner(NamedTuple):
    """What is asked of a kind of network, with its spec, its parameters and data."""

    # (spec, theta, data, settings, workspace) -> loss, gradient and weight of every update
    gradients: Callable[..., Iterator[tuple[float, np.ndarray, float]]]
    loss: Callable[..., float]  # (spec, theta, data, alpha) -> the loss over all sequences


def chunk_gradients(
    spec: Spec, theta: np.ndarray, data: SequenceBatch, settings: Settings, workspace: Workspace
) -> Iterator[tuple[float, np.ndarray, float]]:
    """Yield loss, gradient and weight of the updates of a batch.

    There is one, or with truncated backpropagation one for every chunk of time that has something
    to be taught in it.
    """
    ends, tbptt = data.lengths, settings.tbptt
    carried = None
    for k, (alive, _, part) in enumerate(tbptt_chunks(data, tbptt)):
        if carried is not None:
            part = part._replace(initial_state=InitialState(carried[alive], np.array(True)))
        if not data.per_step and tbptt is not None:
            here = ends[alive] <= (k + 1) * tbptt
            weights = np.ones(len(alive)) if part.weights is None else part.weights
            part = part._replace(weights=(weights.T * here).T)
        workspace.rewind()
        loss, gradient, state, total = loss_gradient(
            spec, theta, part.batch(), part.Y, part.weights,
            alpha=settings.alpha, workspace=workspace,
        )  # fmt: skip
        carried = np.empty((len(ends), spec.n_state)) if carried is None else carried
        carried[alive] = state
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
        by the loss, those at the start among them.
    chosen_theta : ndarray
        The parameters to answer with: the best, or after `fit` the last ones, if no epoch was
        better than the start but they are.
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
        self.optimizer_state: Any = _optimizer_state(settings, theta)
        self.n_updates = 0
        self.loss_curve: list[float] = []
        self.grad_norm_curve: list[float] = []
        self.validation_scores: list[float] = []
        self.best_theta, self.best_loss, self.best_score = theta.copy(), math.inf, -math.inf
        self.chosen_theta = self.best_theta
        self.to_beat = math.inf  # the least loss of an epoch, or the best score, times minus one
        self.n_idle = 0  # epochs in a row without progress
        self.problem = ""  # a fingerprint of what the record is about
        self.start_loss = math.inf  # of the best parameters, when that problem was new

    def use(self, settings: Settings) -> None:
        """Go on with other settings; another solver starts with an empty memory."""
        if settings.solver == "hessian_free":  # which needs double precision
            self.theta, self.best_theta = self.theta.astype(float), self.best_theta.astype(float)
        if settings.solver != self.settings.solver:
            self.optimizer_state = _optimizer_state(settings, self.theta)
        self.settings = settings

    def fit(
        self,
        data: Any,
        validation: SequenceBatch | None = None,
        *,
        stopping: Stopping,
        score: Score | None = None,
        report: Callable[["Trainer"], Any] | None = None,
    ) -> bool:
        """Train until the loss, or the validation score, no longer improves.

        On the data of the last time, and with the same penalty, the best parameters stay those to
        beat; on others they are judged anew.

        Parameters
        ----------
        data : SequenceBatch
            Or what the learner knows as such.
        validation : SequenceBatch or None, default=None
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
            If the loss diverges; the best parameters are then those to go on from.
        """
        workspace, stopped, begun = Workspace(), False, self._progress_so_far()
        try:
            self._start_objective(data, validation, score)
            for _ in range(stopping.max_iter):
                begun = self._progress_so_far()
                self._epoch_and_score(data, validation, stopping.tol, score, workspace, begun)
                stopped = bool(report is not None and report(self))
                if self.n_idle > stopping.n_iter_no_change:
                    self.n_idle, stopped = 0, True
                if stopped:
                    break
            self._choose(data, validation)
        except KeyboardInterrupt:
            self._forget_half_an_epoch(*begun)
            self.chosen_theta = self.best_theta
            warn(
                f"training was interrupted in iteration {len(self.loss_curve) + 1}: the best "
                "weights so far are kept"
            )
        except FloatingPointError:
            self._go_back()
            raise
        return stopped

    def _progress_so_far(self):
        return (
            len(self.loss_curve),
            self.n_updates,
            self.theta.copy(),
            deepcopy((self.optimizer_state, self.rng)),
        )

    def _forget_half_an_epoch(self, n_epochs, n_updates, theta, others):
        """Return to the end of the last epoch, unless that is where it stands."""
        if len(self.loss_curve) == n_epochs:
            self.n_updates, self.theta, (self.optimizer_state, self.rng) = n_updates, theta, others
            del self.validation_scores[n_epochs:]

    def _choose(self, data, validation):
        """Choose the parameters to answer with: the best, or the last where they are better still.

        The loss of an epoch lags behind the parameters at its end, so it may be worse than that
        of the parameters at the start while they are not.
        """
        if validation is None and 0 < self.n_updates == len(self.loss_curve):
            self._judge_last(data)
        elif validation is None and self.n_updates and self.best_loss == self.start_loss:
            alpha = self.settings.alpha * self._updates_an_epoch(data)
            if self.learner.loss(self.spec, self.theta, data, alpha) < self.best_loss:
                self.chosen_theta = self.theta.copy()
                return
        self.chosen_theta = self.best_theta

    def progress(self) -> str:
        """Return a line on the last iteration."""
        scores = self.validation_scores
        extra = f", validation score = {scores[-1]:.6f}" if scores else ""
        return f"Iteration {len(self.loss_curve)}, loss = {self.loss_curve[-1]:.8f}{extra}\n"

    def fit_once(self, data: Any) -> None:
        """Make one epoch, after which the parameters are the best, for the next data may differ."""
        self.problem, self.start_loss = "", math.inf
        try:
            self.epoch(data)
        except BaseException:
            self._go_back()
            raise
        self.best_loss, self.best_theta = min(self.loss_curve), self.theta.copy()
        self.chosen_theta = self.best_theta

    def _go_back(self):
        """Go on from the best parameters, with an empty memory."""
        self.theta = self.best_theta.copy()
        self.optimizer_state = _optimizer_state(self.settings, self.theta)

    def _start_objective(self, data, validation, score):
        """Judge the best parameters on another problem than the last, and start a new record."""
        # The loss of an epoch has the penalty of every update in it.
        alpha = self.settings.alpha * self._updates_an_epoch(data)
        problem = _fingerprint((data, validation, alpha))
        if problem == self.problem:
            return
        with np.errstate(over="ignore", invalid="ignore"):  # the first update tells of it
            loss = self.learner.loss(self.spec, self.best_theta, data, alpha)
            self.best_loss = self.start_loss = loss if math.isfinite(loss) else math.inf
            self.best_score, self.to_beat, self.n_idle = -math.inf, math.inf, 0
            # Weights as they were drawn may be best on a few sequences by luck.
            if validation is not None and self.n_updates:
                outputs, _ = evaluate(self.spec, self.best_theta, validation)
                self.best_score = score(outputs, validation)
        self.problem = problem

    def _updates_an_epoch(self, data):
        now = self.settings
        if now.solver == "hessian_free":
            return 1
        n_chunks = 1 if now.tbptt is None else math.ceil(data.lengths.max() / now.tbptt)
        return math.ceil(len(data.lengths) / now.batch_size) * n_chunks

    def _epoch_and_score(self, data, validation, tol, score, workspace, begun):
        _, n_before, before, _ = begun
        loss, norm = self._go_through(data, workspace)
        if validation is None:
            # The loss of the only update of an epoch is that of the parameters before it.
            judged, found = before if self.n_updates == n_before + 1 else self.theta, loss
            better = loss < self.best_loss
        else:
            outputs, _ = evaluate(self.spec, self.theta, validation)
            judged, found = self.theta, -score(outputs, validation)
            better = -found > self.best_score
            self.validation_scores.append(-found)
            self.best_score = max(self.best_score, -found)
        self._note(loss, norm)
        self.best_loss = min(self.best_loss, loss)
        self.n_idle = self.n_idle + 1 if found > self.to_beat - tol else 0
        self.to_beat = min(self.to_beat, found)
        if better:
            self.best_theta = judged.copy()

    def _judge_last(self, data):
        """Look at the parameters after the very last update, which no epoch has judged yet."""
        loss = self.learner.loss(self.spec, self.theta, data, self.settings.alpha)
        if loss < self.best_loss:
            self.best_loss, self.best_theta = loss, self.theta.copy()

    def epoch(self, data: Any, workspace: Workspace | None = None) -> float:
        """Go through all sequences once, and return the loss over them."""
        self._note(*self._go_through(data, workspace or Workspace()))
        return self.loss_curve[-1]

    def _note(self, loss, norm):
        self.loss_curve.append(loss)
        self.grad_norm_curve.append(norm)

    def _go_through(self, data, workspace):
        """Make an epoch; return its loss and the mean norm of its gradients."""
        if self.settings.solver == "hessian_free":
            return self._newton(data)
        losses, totals, norms, gradients = [], [], [], self.learner.gradients
        rng = self.rng if self.settings.shuffle else None
        with np.errstate(over="ignore", invalid="ignore"):  # _update tells of it
            for chosen in cut_batches(data.lengths, self.settings.batch_size, rng):
                part = data.subset(chosen)
                found = gradients(self.spec, self.theta, part, self.settings, workspace)
                for loss, gradient, total in found:
                    losses.append(loss)
                    totals.append(total)
                    norms.append(self._update(loss, gradient))
        loss = float(np.average(losses, weights=totals))
        if loss > HOPELESS * max(self.start_loss, 1.0):
            raise self._diverged("", f"{loss:g}, at the start it was {self.start_loss:g}")
        return loss, float(np.mean(norms))

    def _newton(self, data):
        """Make one Hessian-free update, which sees all sequences."""
        now = self.settings
        try:
            with np.errstate(over="ignore", invalid="ignore"):  # newton_step tells of it
                self.theta, self.optimizer_state, info = newton_step(
                    self.spec, self.theta, self.optimizer_state, data, self.rng,
                    alpha=now.alpha, damping=now.damping,
                )  # fmt: skip
        except ValueError as error:  # loss or gradient are not finite
            raise FloatingPointError(
                f"training diverged in iteration {len(self.loss_curve) + 1}: {error}; scale X and "
                "y, or start from other weights (init)"
            ) from error
        self.n_updates += 1
        return info.loss, info.gradient_norm

    def _update(self, loss, gradient):
        """Change the parameters along one gradient, and return the norm that it had."""
        now = self.settings
        norm = clip_by_norm(gradient, now.clip_norm)
        if not (math.isfinite(norm) and math.isfinite(loss)):
            raise self._diverged(
                f", update {self.n_updates + 1}",
                f"{loss:g} and the norm of its gradient {norm:g}",
            )
        if now.solver == "adam":
            adam_step(
                self.theta, gradient, self.optimizer_state,
                learning_rate_init=now.learning_rate_init,
            )  # fmt: skip
        else:
            momentum, following = (
                momentum_at(now.momentum_schedule, update, now.momentum)
                for update in (self.n_updates, self.n_updates + 1)
            )
            sgd_step(
                self.theta, gradient, self.optimizer_state,
                learning_rate_init=now.learning_rate_init, momentum=momentum,
                nesterovs_momentum=now.nesterovs_momentum, next_momentum=following,
            )  # fmt: skip
        self.n_updates += 1
        return norm

    def _diverged(self, update, losses):
        now = self.settings
        return FloatingPointError(
            f"training diverged in iteration {len(self.loss_curve) + 1}{update}: the loss is "
            f"{losses}; use a smaller learning_rate_init (now {now.learning_rate_init:g}) or "
            f"clip_norm (now {now.clip_norm}), and scale X and y"
        )


def _optimizer_state(settings: Settings, theta: np.ndarray) -> Any:
    if settings.solver == "hessian_free":
        return hessian_free_state(theta, settings.damping.damping)
    return adam_state(theta) if settings.solver == "adam" else sgd_state(theta)


def _fingerprint(part: Any) -> str:
    """Return a digest of all arrays and numbers in nested tuples."""
    if isinstance(part, np.ndarray):
        content = hashlib.blake2b(np.ascontiguousarray(part).data).hexdigest()
        return f"{part.shape} {part.dtype} {content}"
    if isinstance(part, tuple):
        parts = " ".join(_fingerprint(item) for item in part)
        return hashlib.blake2b(parts.encode()).hexdigest()
    return repr(part)


def name_changes(before: Any, now: Any, prefix: str = "") -> str:
    """Tell by name in which fields two records differ, records within them too."""
    pairs = zip(before._fields, before, now, strict=True)
    return ", ".join(
        name_changes(old, new, f"{name}.")
        if hasattr(old, "_fields")
        else f"{prefix}{name} was {old!r} and is now {new!r}"
        for name, old, new in pairs
        if old != new
    )
