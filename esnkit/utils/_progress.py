"""Progress of work that may take long: tasks, and who is told how far they are.

A :class:`Task` is a piece of work within the task that the same thread works on: a step of a
backtest fits a forecaster, whose models are fits of networks, which read rows. Nothing is told of
work that ends within two seconds. Of longer work, the outermost task sends records to the logger
``esnkit.progress``, and a task that is ``verbose`` is shown on standard error. The callbacks of
scikit-learn that an estimator has are called for the tasks of its fit.
"""

import logging
import threading
import time
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, Self, TypeVar

from esnkit.kernels.compilation import compile_seconds, has_handlers, is_compiling
from esnkit.utils._callbacks import FitCallbacks
from esnkit.utils._display import DELAY, Display, pause

__all__ = [
    "MIN_ROWS",
    "Task",
    "count_step",
    "current_task",
    "fit_model",
    "fit_task",
    "report_rows",
    "progress_text",
]

MIN_ROWS = 2000  # fewer rows are not worth a task
MIN_SHARE = 0.02  # of the work, before the rest is estimated

Block = TypeVar("Block", bound=tuple[Any, ...])

_logger = logging.getLogger("esnkit.progress")
_thread = threading.local()


class Task:
    """A piece of work, which is part of the current task of the thread.

    Within a ``with`` statement it is the current task itself. A task without one ends with its
    last step, or with the step of the task around it.

    Parameters
    ----------
    name : str
        What is done, such as "ESNRegressor.fit".
    total : float or None, default=None
        Number of steps, if it is known.
    unit : str, default=""
        What the steps are, in the plural; of unequal "phases" no time is estimated.
    verbose : int, default=0
        Whether to show the task on standard error, and to tell its end even if it is short.
    step_size : float, default=1
        How many steps are done at a time.
    callbacks : FitCallbacks or None, default=None
        They are told of the end of this task, whose begin they know.
    parent : Task or None, default=None
        The task around this one; None stands for the current one of the thread.
    """

    def __init__(
        self,
        name: str,
        total: float | None = None,
        unit: str = "",
        *,
        verbose: Any = 0,
        step_size: float = 1,
        callbacks: FitCallbacks | None = None,
        parent: "Task | None" = None,
    ):
        self.name, self.total, self.unit = name, total, unit
        self.verbose, self.callbacks = verbose, callbacks
        self.done: float = 0
        self.step_size = step_size
        self.start = time.monotonic()
        self.pace_from = self.start, compile_seconds(), 0.0  # and the share that was done then
        self.next_record, self.n_records = self.start + DELAY, 0
        self.reached = 0.0
        self.child: Task | None = None
        self.display: Display | None = None
        self.entered = False
        self.parent = _innermost_task() if parent is None else parent
        if self.parent is not None:
            self.parent._replace_child(self)

    def begin_callbacks(self, name: str, max_subtasks: int = 0) -> FitCallbacks | None:
        """Tell callbacks, if there are any, that a subtask with this name begins."""
        self._replace_child(None)
        return self.callbacks and self.callbacks.begin_subtask(name, max_subtasks)

    def step(self, done: float | None = None) -> None:
        """Count one more step, or set the number of steps that are done."""
        self._replace_child(None)
        is_first, root, now = self.done == 0, self, time.monotonic()
        self.done = self.done + 1 if done is None else done
        if is_first:  # it may include what the others do not, such as a calibration
            self.pace_from = now, compile_seconds(), self.share
        while root.parent is not None:
            root = root.parent
        if now >= root.next_record:
            root.next_record, root.n_records = now + pause(now - root.start), root.n_records + 1
            if _logger.isEnabledFor(logging.INFO):
                _logger.info(progress_text(root))
        if not self.entered and self.total and self.done >= self.total and self.parent:
            self.parent._replace_child(None)

    @property
    def share(self) -> float:
        """How much of the work is done, from 0 to 1; 0 if that is not known."""
        if not self.total:
            return 0.0
        child = self.child  # read once: a display reads in another thread
        within = 0.0 if child is None else child.share
        share = min((self.done + self.step_size * within) / self.total, 1.0)
        self.reached = max(self.reached, share)  # not less where a task within has ended
        return self.reached

    def __enter__(self) -> Self:
        self.is_told = bool(self.verbose) and not self._is_within_verbose()
        if self.is_told and not (has_handlers(_logger) and _logger.isEnabledFor(logging.INFO)):
            self.display = Display(partial(progress_text, self))
        self.entered, _thread.task = True, self
        return self

    def __exit__(self, kind: Any, *_: Any) -> None:
        _thread.task = self.parent
        end = ""
        try:
            if kind is None:
                self._end()
                end = f"{self.name} done in {_seconds(time.monotonic() - self.start)}"
        finally:  # also where a callback raises
            if self.parent is not None:
                self.parent.child = None
            if self.display is not None:
                self.display.close(end)
            elif end and (self.n_records or self.is_told):
                _logger.info(end)

    def _is_within_verbose(self) -> bool:
        """Return whether a task around this one is shown, and this one with it."""
        around = self.parent
        while around is not None and not around.verbose:
            around = around.parent
        return around is not None

    def _end(self) -> None:
        self._replace_child(None)
        if self.callbacks is not None:
            self.callbacks.end()

    def _replace_child(self, child: "Task | None") -> None:
        before, self.child = self.child, child
        if before is not None:
            before._end()


def fit_task(
    estimator: Any,
    steps: tuple[int, str],
    data: dict[str, Any],
    max_subtasks: int,
    scored: bool = False,
) -> Task:
    """Return the task of the fit of an estimator, and tell its callbacks that it begins.

    ``steps`` are their number and what they are; for the rest see :class:`FitCallbacks`.
    """
    callbacks = FitCallbacks.begin_fit(estimator, max_subtasks, data, scored)
    name = f"{type(estimator).__name__}.fit"
    return Task(name, *steps, verbose=estimator.verbose, callbacks=callbacks)


def current_task() -> Task | None:
    """Return the task that this thread works on."""
    return getattr(_thread, "task", None)


def _innermost_task() -> Task | None:
    """Return the current task, or the innermost one within it."""
    task = current_task()
    while task is not None and task.child is not None:
        task = task.child
    return task


def count_step() -> None:
    """Count one more step of the current task, if there is one."""
    task = current_task()
    if task is not None:
        task.step()


def report_rows(blocks: Iterable[Block], n_rows: int) -> Iterator[Block]:
    """Yield blocks of (X, ...), and report how many of their rows are done, as one step."""
    task = Task("", n_rows, "rows")
    for block in blocks:
        yield block
        task.step(task.done + len(block[0]))
    count_step()


def fit_model(estimator: Any, *data: Any, **params: Any) -> Any:
    """Fit an estimator as a subtask of the current task: its callbacks may propagate."""
    task = current_task()
    if task is None or task.callbacks is None:
        return estimator.fit(*data, **params)
    with task.callbacks.around_fit(estimator):
        return estimator.fit(*data, **params)


def progress_text(task: Task) -> str:
    """Return the time that a task took so far, what is done, how much of how much, and until when.

    The details come last: a line that is too long for a terminal loses them first.
    """
    parts: list[str] = []
    inner: Task | None = task
    estimated = False
    while inner is not None:
        part = _label(inner)
        if inner.total and inner.unit != "phases" and not estimated:
            part, estimated = f"{part} {_time_left(inner)}".strip(), True
        parts += [part] if part else []
        inner = inner.child
    parts += ["compiling kernels"] if is_compiling() else []
    return f"{_seconds(time.monotonic() - task.start)}: {', '.join(parts)}"


def _label(task: Task) -> str:
    if task.unit in ("", "phases") or task.total == 1:
        return task.name
    return f"{task.name} {task.done} of {task.total} {task.unit}".strip()


def _time_left(task: Task) -> str:
    """Return an estimate at the pace since the first step, without time to compile, or nothing."""
    (start, compiled, share), now = task.pace_from, task.share
    worked = time.monotonic() - start - (compile_seconds() - compiled)
    if now < share + MIN_SHARE or now >= 1.0 or is_compiling():
        return ""
    return f"(about {_seconds(worked * (1.0 - now) / (now - share))} left)"


def _seconds(seconds: float) -> str:
    """Write a duration with about two digits."""
    if seconds < 100:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"
