"""Progress of a search, with the best score so far."""

import threading
from typing import Any

import numpy as np

from esnkit.model_selection._trials import score_of
from esnkit.utils._progress import Task, current_task

__all__ = ["BestSoFar", "FitsDone", "search_task"]


def search_task(search: Any, total: int, unit: str) -> Task:
    """Return the task of a search, without a name within another search."""
    name = f"{type(search).__name__}.fit" if current_task() is None else ""
    return Task(name, total, unit, verbose=search.verbose)


class BestSoFar:
    """Counts the steps of a task, and tells the best score beside their number.

    Parameters
    ----------
    task : Task
    """

    def __init__(self, task: Task):
        self.task, self.unit, self.best = task, task.unit, -np.inf

    def __call__(self, score: float, n_steps: int = 1) -> None:
        self.best = np.fmax(self.best, score)
        if np.isfinite(self.best):
            self.task.unit = f"{self.unit}, best score {self.best:.4g}"
        self.task.step(self.task.done + n_steps)


class FitsDone:
    """Tells of the fits of jobs, in any order and thread; in another process nothing is told.

    Parameters
    ----------
    task : Task
    metric : str or None
        Which of several scores is shown.
    n_splits : int
    """

    def __init__(self, task: Task, metric: Any, n_splits: int):
        self.best, self.metric, self.n_splits = BestSoFar(task), metric, n_splits
        self.scores: dict[int, list[float]] = {}
        self.lock = threading.Lock()

    def __call__(self, found: list[tuple[int, int, dict[str, Any]]]) -> None:
        if not hasattr(self, "best"):
            return
        with self.lock:
            for place, _, outcome in found:
                scores = self.scores.setdefault(place, [])
                scores.append(self._score(outcome["test_scores"]))
                self.best(float(np.mean(scores)) if len(scores) == self.n_splits else np.nan)

    def _score(self, scores: Any) -> float:
        several = isinstance(scores, dict)
        return np.nan if several and self.metric not in scores else score_of(scores, self.metric)

    def __getstate__(self) -> dict[str, Any]:
        """Leave all out: another process cannot tell."""
        return {}
