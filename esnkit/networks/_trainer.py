"""Training of recurrent networks: epochs, the best parameters so far, and when to stop."""

import hashlib
import math
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from esnkit.networks._minibatches import SequenceBatch, evaluate
from esnkit.networks._objective import OBJECTIVES, Objective
from esnkit.networks._solvers import Problem, Settings, TrainingState, solvers
from esnkit.utils._plain_state import plain_record
from esnkit.utils._warnings import warn
from esnkit.utils._workspace import Workspace

__all__ = ["Stopping", "Trainer", "Validation"]

# Training has diverged if the loss exceeds this multiple of the loss of the initial weights, or of
# one, whichever is larger.
MAX_LOSS_GROWTH = 1e6
REPEAT_SECONDS = 10.0  # an interrupt so soon after one that ended a fit is raised


class Stopping(NamedTuple):
    """When to stop; names and ranges are those of the estimators' parameters."""

    max_iter: int = 200
    tol: float = 1e-4
    n_iter_no_change: float = 10


class Validation(NamedTuple):
    """Held-out sequences, and the score of the outputs on them, the larger the better."""

    data: SequenceBatch
    score: Callable[[np.ndarray, SequenceBatch], float]

    def evaluate(self, spec: Any, theta: np.ndarray) -> float:
        """Return the score of a network on the held-out sequences."""
        outputs, _ = evaluate(spec, theta, self.data)
        return self.score(outputs, self.data)


class Checkpoint(NamedTuple):
    """The end of an epoch."""

    n_epochs: int
    state: TrainingState


@plain_record
class Trainer:
    """Minimise the loss of a network epoch by epoch, and keep the best parameters.

    A trainer holds everything that training needs from one call to the next. It pickles, and
    training that continues from it gives the same bits as training without the break.

    Parameters
    ----------
    spec : Spec
        Or the specification of another kind of network, a key of OBJECTIVES.
    theta : ndarray of shape (n_parameters,)
        Initial parameters; changed in place.
    settings : Settings
    rng : Generator
        Shuffles the sequences.
    split_seed : int, default=0
        Seed of the split of validation data, so that every call holds the same sequences out.

    Attributes
    ----------
    state : TrainingState
        Current parameters, state of the optimiser, random numbers and number of updates.
    best_theta : ndarray of shape (n_parameters,)
        The best parameters so far, the initial ones included: by the validation score if there is
        one, else by the loss.
    fitted_theta : ndarray of shape (n_parameters,)
        The parameters to predict with: the best ones; or, if no epoch had a smaller loss than the
        initial parameters, the last ones if these have.
    loss_curve, grad_norm_curve, validation_scores : list of float
        For every epoch, the mean loss during it, the mean norm of the gradient before clipping, and
        the validation score after it.
    """

    def __init__(
        self,
        spec: Any,
        theta: np.ndarray,
        settings: Settings,
        rng: np.random.Generator,
        split_seed: int = 0,
    ):
        self.spec, self.settings = spec, settings
        self.split_seed = split_seed
        self.state = TrainingState(theta, solvers()[settings.solver].init(theta, settings), rng)
        self.loss_curve: list[float] = []
        self.grad_norm_curve: list[float] = []
        self.validation_scores: list[float] = []
        self.best_theta, self.best_loss, self.best_score = theta.copy(), math.inf, -math.inf
        self.fitted_theta = self.best_theta
        self.best_criterion = math.inf  # the least loss of an epoch, or minus the best score
        self.no_improvement_count = 0
        self.fingerprint = ""  # of the problem that the best parameters are the best for
        self.start_loss = math.inf  # of the best parameters when training on that problem began

    @property
    def objective(self) -> Objective:
        """The loss of this kind of network, and its gradients."""
        return OBJECTIVES[type(self.spec)]

    @property
    def theta(self) -> np.ndarray:
        """The current parameters."""
        return self.state.theta

    def restarted(self, theta: np.ndarray) -> "Trainer":
        """Return a new trainer that starts from other parameters."""
        return Trainer(self.spec, theta.copy(), self.settings, self.state.rng, self.split_seed)

    def use(self, settings: Settings) -> None:
        """Continue with other settings; another solver starts with a new optimiser state."""
        if solvers()[settings.solver].needs_float64:
            self.state.theta, self.best_theta = (
                self.theta.astype(float),
                self.best_theta.astype(float),
            )
        changed = settings.solver != self.settings.solver
        self.settings = settings
        if changed:
            self._reset_optimizer()

    def fit(
        self,
        data: Any,
        validation: Validation | None = None,
        *,
        stopping: Stopping,
        report: Callable[["Trainer"], Any] | None = None,
    ) -> bool:
        """Train until the loss, or the validation score, no longer improves.

        On the data and with the penalty of the last call, training continues and the best
        parameters stay the ones to improve on; on another problem they are evaluated anew.

        Parameters
        ----------
        data : SequenceBatch
            Or the data of another kind of network, as the objective takes it.
        validation : Validation or None, default=None
        stopping : Stopping
        report : callable or None, default=None
            Called after every epoch; training stops if it returns True.

        Returns
        -------
        bool
            Whether training stopped before ``max_iter`` epochs.

        Raises
        ------
        FloatingPointError
            If the loss diverges. Later training continues from the best parameters.
        """
        workspace, checkpoint, stopped = Workspace(), self._checkpoint(), False
        try:
            self._start_on(data, validation)
            for k in range(stopping.max_iter):
                checkpoint = self._checkpoint()
                problem = self._problem(data, k / stopping.max_iter)
                self._train_epoch(problem, validation, stopping.tol, workspace, checkpoint)
                stopped = bool(report is not None and report(self))
                if self.no_improvement_count > stopping.n_iter_no_change:
                    self.no_improvement_count, stopped = 0, True
                if stopped:
                    break
            self._choose(data, validation)
        except KeyboardInterrupt:
            if _is_repeated_interrupt():
                self._reset_to_best()
                raise
            self._restore(checkpoint)
            self.fitted_theta = self.best_theta
            warn(
                f"training was interrupted in iteration {len(self.loss_curve) + 1}: the best "
                "weights so far are kept; interrupt again within "
                f"{REPEAT_SECONDS:g} seconds to stop what called fit"
            )
        except FloatingPointError:
            self._reset_to_best()
            raise
        return stopped

    def partial_fit(self, data: Any) -> None:
        """Train for one epoch, and keep the parameters after it: the next data may be others."""
        self.fingerprint, self.start_loss = "", math.inf
        try:
            self.epoch(data)
        except BaseException:
            self._reset_to_best()
            raise
        self.best_loss, self.best_theta = min(self.loss_curve), self.theta.copy()
        self.fitted_theta = self.best_theta

    def epoch(self, data: Any, workspace: Workspace | None = None) -> float:
        """Make one pass over all sequences, and return the mean loss during it."""
        loss, norm = self._run_epoch(self._problem(data), workspace or Workspace())
        self._append(loss, norm)
        return loss

    def progress(self) -> str:
        """Return a line about the last epoch."""
        scores = self.validation_scores
        extra = f", validation score = {scores[-1]:.6f}" if scores else ""
        return f"Iteration {len(self.loss_curve)}, loss = {self.loss_curve[-1]:.8f}{extra}\n"

    def _start_on(self, data: Any, validation: Validation | None) -> None:
        """If the problem is new, evaluate the best parameters on it."""
        # The loss of an epoch includes the penalty of every update.
        alpha = self.settings.alpha * self._updates_per_epoch(data)
        held_out = None if validation is None else validation.data
        fingerprint = _fingerprint((data, held_out, alpha))
        if fingerprint == self.fingerprint:
            return
        with np.errstate(over="ignore", invalid="ignore"):  # the first epoch reports it
            loss = self.objective.loss(self.spec, self.best_theta, data, alpha)
            self.best_loss = self.start_loss = loss if math.isfinite(loss) else math.inf
            self.best_score, self.best_criterion = -math.inf, math.inf
            self.no_improvement_count = 0
            # The initial weights may be the best on few held-out sequences by chance.
            if validation is not None and self.state.n_updates:
                self.best_score = validation.evaluate(self.spec, self.best_theta)
        self.fingerprint = fingerprint

    def _updates_per_epoch(self, data: Any) -> int:
        settings = self.settings
        if solvers()[settings.solver].full_batch:
            return 1
        tbptt = settings.tbptt
        n_chunks = 1 if tbptt is None else math.ceil(data.lengths.max() / tbptt)
        return math.ceil(len(data.lengths) / settings.batch_size) * n_chunks

    def _train_epoch(
        self,
        problem: Problem,
        validation: Validation | None,
        tol: float,
        workspace: Workspace,
        checkpoint: Checkpoint,
    ) -> None:
        """Make one epoch, and record its loss or score, and the parameters if they are the best."""
        loss, norm = self._run_epoch(problem, workspace)
        theta, criterion, improved = self.theta, loss, loss < self.best_loss
        if validation is not None:
            score = validation.evaluate(self.spec, self.theta)
            criterion, improved = -score, score > self.best_score
            self.validation_scores.append(score)
            self.best_score = max(self.best_score, score)
        elif self.state.n_updates == checkpoint.state.n_updates + 1:
            # The loss of the only update of an epoch is that of the parameters before it.
            theta = checkpoint.state.theta
        self._append(loss, norm)
        self.best_loss = min(self.best_loss, loss)
        stalled = criterion > self.best_criterion - tol
        self.no_improvement_count = self.no_improvement_count + 1 if stalled else 0
        self.best_criterion = min(self.best_criterion, criterion)
        if improved:
            self.best_theta = theta.copy()

    def _problem(self, data: Any, share: float = 0.0) -> Problem:
        """Return what an epoch minimises after a share of the iterations of a fit."""
        return Problem(self.objective, self.spec, data, self.settings.after(share))

    def _run_epoch(self, problem: Problem, workspace: Workspace) -> tuple[float, float]:
        """Let the solver make one epoch; return the loss and the mean norm of the gradient."""
        solver = solvers()[self.settings.solver]
        try:
            with np.errstate(over="ignore", invalid="ignore"):  # the solver raises instead
                loss, norm = solver.epoch(problem, self.state, workspace)
            if loss > MAX_LOSS_GROWTH * max(self.start_loss, 1.0):
                raise FloatingPointError(
                    f"the loss is {loss:g}, at the start it was {self.start_loss:g}"
                )
        except FloatingPointError as error:
            raise FloatingPointError(
                f"training diverged in iteration {len(self.loss_curve) + 1}: {error}; "
                f"{solver.remedy(self.settings)}"
            ) from error
        return loss, norm

    def _append(self, loss: float, norm: float) -> None:
        self.loss_curve.append(loss)
        self.grad_norm_curve.append(norm)

    def _choose(self, data: Any, validation: Validation | None) -> None:
        """Choose the parameters to predict with: the best ones, or the last if they are better.

        No epoch has evaluated the parameters after the last update. The loss of an epoch is a mean
        over changing parameters, so it may exceed the initial loss although the last one does not.
        """
        n_updates = self.state.n_updates
        self.fitted_theta = self.best_theta
        if validation is not None or not n_updates:
            return
        if n_updates == len(self.loss_curve):  # one update per epoch
            loss = self.objective.loss(self.spec, self.theta, data, self.settings.alpha)
            if loss < self.best_loss:
                self.best_loss, self.best_theta = loss, self.theta.copy()
                self.fitted_theta = self.best_theta
        elif self.best_loss == self.start_loss:
            alpha = self.settings.alpha * self._updates_per_epoch(data)
            if self.objective.loss(self.spec, self.theta, data, alpha) < self.best_loss:
                self.fitted_theta = self.theta.copy()

    def _checkpoint(self) -> Checkpoint:
        return Checkpoint(len(self.loss_curve), self.state.copy())

    def _restore(self, checkpoint: Checkpoint) -> None:
        """Return to the end of the last epoch, unless an epoch has just ended."""
        if len(self.loss_curve) == checkpoint.n_epochs:
            self.state = checkpoint.state
            del self.validation_scores[checkpoint.n_epochs :]

    def _reset_to_best(self) -> None:
        """Continue from the best parameters, with a new optimiser state."""
        self.state.theta = self.best_theta.copy()
        self._reset_optimizer()

    def _reset_optimizer(self) -> None:
        solver = solvers()[self.settings.solver]
        self.state.optimizer_state = solver.init(self.theta, self.settings)


_last_interrupt = -math.inf


def _is_repeated_interrupt() -> bool:
    """Return whether an interrupt ended another fit a moment ago."""
    global _last_interrupt
    before, _last_interrupt = _last_interrupt, time.monotonic()
    return _last_interrupt - before < REPEAT_SECONDS


def _fingerprint(value: Any) -> str:
    """Return a digest of all arrays and numbers in nested tuples."""
    if isinstance(value, np.ndarray):
        content = hashlib.blake2b(np.ascontiguousarray(value).data).hexdigest()
        return f"{value.shape} {value.dtype} {content}"
    if isinstance(value, tuple):
        items = " ".join(_fingerprint(item) for item in value)
        return hashlib.blake2b(items.encode()).hexdigest()
    return repr(value)
