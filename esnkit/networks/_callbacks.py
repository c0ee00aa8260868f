"""Callbacks of scikit-learn (progress bars, early stops) where its version has them: 1.9 on."""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stands for the mixin of scikit-learn where there is none."""

    def with_callbacks(method: Callable[..., Any]) -> Callable[..., Any]:
        """Leave the method as it is."""
        return method


__all__ = ["CallbackSupportMixin", "FitReport", "with_callbacks"]


class FitReport:
    """Tells the callbacks of an estimator, if it has any, of its fit and of every iteration.

    Where the estimator is ``verbose``, it also writes a line an iteration.

    Parameters
    ----------
    estimator : estimator
        Its ``_theta`` is what a callback needs to have it ready to predict.
    X, y : training data
    max_iter : int
    """

    def __init__(self, estimator: Any, X: Any, y: Any, max_iter: int):
        self.estimator, self.data, self.context = estimator, {"X": X, "y": y}, None
        if hasattr(estimator, "_init_callback_context"):
            self.context = estimator._init_callback_context(max_subtasks=max_iter)
            self.context.call_on_fit_task_begin(estimator=estimator, **self.data)

    def iteration(self, trainer: Any) -> bool:
        """Tell of one iteration; return whether a callback asks to stop."""
        if self.estimator.verbose:
            sys.stdout.write(trainer.progress())
        if self.context is None:
            return False
        task = self.context.subcontext(task_name="iteration")
        task.call_on_fit_task_begin(estimator=self.estimator, **self.data)
        return self._end(task, trainer.theta)

    def end(self, theta: np.ndarray) -> None:
        """Tell that the fit is over."""
        if self.context is not None:
            self._end(self.context, theta)

    def _end(self, task: Any, theta: np.ndarray) -> bool:
        return task.call_on_fit_task_end(
            estimator=self.estimator,
            **self.data,
            reconstruction_attributes={"_theta": theta.copy()},
        )
