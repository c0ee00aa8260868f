"""Callbacks of scikit-learn, such as progress bars, from its version 1.9 on."""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stand in for the mixin of scikit-learn where it has none."""

    def with_callbacks(method: Callable[..., Any]) -> Callable[..., Any]:
        """Return the method unchanged."""
        return method


__all__ = ["CallbackSupportMixin", "FitReport", "with_callbacks"]


class FitReport:
    """Report a fit and its iterations to the callbacks of an estimator.

    If the estimator is ``verbose``, also write a line per iteration.

    Parameters
    ----------
    estimator : estimator
        Callbacks get a copy of it with the current ``_theta``.
    X, y : training data
    max_iter : int
    """

    def __init__(self, estimator: Any, X: Any, y: Any, max_iter: int):
        self.estimator, self.data, self.context = estimator, {"X": X, "y": y}, None
        if hasattr(estimator, "_init_callback_context"):
            self.context = estimator._init_callback_context(max_subtasks=max_iter)
            self.context.call_on_fit_task_begin(estimator=estimator, **self.data)

    def iteration(self, trainer: Any) -> bool:
        """Report one iteration; return whether a callback asks to stop."""
        if self.estimator.verbose:
            sys.stdout.write(trainer.progress())
        if self.context is None:
            return False
        task = self.context.subcontext(task_name="iteration")
        task.call_on_fit_task_begin(estimator=self.estimator, **self.data)
        return self._end(task, trainer.theta)

    def end(self, theta: np.ndarray) -> None:
        """Report the end of the fit."""
        if self.context is not None:
            self._end(self.context, theta)

    def _end(self, task: Any, theta: np.ndarray) -> bool:
        return task.call_on_fit_task_end(
            estimator=self.estimator,
            **self.data,
            reconstruction_attributes={"_theta": theta.copy()},
        )
