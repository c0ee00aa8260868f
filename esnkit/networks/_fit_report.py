"""Reports of the iterations of a fit: to callbacks, to the logger, and the lines of verbose."""

import sys
from collections.abc import Callable
from typing import Any, Self

import numpy as np

from esnkit.utils._callbacks import FitCallbacks
from esnkit.utils._progress import Task

__all__ = ["FitReport"]


class FitReport:
    """Report a fit and its iterations to the callbacks of an estimator and to the logger.

    If the estimator is ``verbose``, also write a line per iteration.

    Parameters
    ----------
    estimator : estimator
        Callbacks get a copy of it with the current ``_theta``.
    X, y : training data
    max_iter : int
    to_fitted : callable, default=identity
        Returns the parameters to predict with, given those of the trainer.
    """

    def __init__(
        self,
        estimator: Any,
        X: Any,
        y: Any,
        max_iter: int,
        to_fitted: Callable[[np.ndarray], np.ndarray] = np.asarray,
    ):
        self.estimator, self.to_fitted = estimator, to_fitted
        self.callbacks = FitCallbacks.begin_fit(estimator, max_iter, {"X": X, "y": y})
        self.task = Task(f"{type(estimator).__name__}.fit", max_iter, "iterations")

    def __enter__(self) -> Self:
        self.task.__enter__()
        return self

    def __exit__(self, *raised: Any) -> None:
        self.task.__exit__(*raised)

    def iteration(self, trainer: Any) -> bool:
        """Report one iteration; return whether a callback asks to stop."""
        if self.estimator.verbose:
            sys.stdout.write(trainer.progress())
        self.task.step()
        subtask = self.callbacks and self.callbacks.begin_subtask("iteration")
        if not subtask:
            return False
        return subtask.end({"_theta": self.to_fitted(trainer.theta).copy()})

    def end(self, theta: np.ndarray) -> None:
        """Report the end of the fit."""
        if self.callbacks is not None:
            self.callbacks.end({"_theta": theta.copy()})
