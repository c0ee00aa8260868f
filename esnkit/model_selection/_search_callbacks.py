"""Callbacks of a search, where scikit-learn has them: from its version 1.9 on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from inspect import signature
from typing import Any

__all__ = ["SearchCallbacks", "evaluation_contexts"]


class SearchCallbacks:
    """The tasks of a search, of which its callbacks are told: candidates on folds, and the refit.

    Parameters
    ----------
    search : estimator
    data : dict
        ``X``, ``y`` and ``metadata``.
    """

    def __init__(self, search: Any, data: dict[str, Any]):
        self.search, self.data, self.root = search, data, None
        if hasattr(search, "_init_callback_context"):
            n_tasks = 1 + (search.refit is not False)
            self.root = search._init_callback_context(max_subtasks=n_tasks)
            self.root.call_on_fit_task_begin(estimator=search, **data)

    def run_search(self, evaluate: Callable[..., Any]) -> None:
        """Let the search propose candidates to be evaluated."""
        takes_context = "callback_ctx" in signature(self.search._run_search).parameters
        context = {"callback_ctx": self.root} if takes_context else {}
        self.search._run_search(evaluate, **context)

    @contextmanager
    def around_refit(self, estimator: Any) -> Iterator[None]:
        """Tell of the fit to all data."""
        if self.root is None:
            yield
            return
        task = self.root.subcontext(task_name="refit-with-best-params")
        with task.propagate_callback_context(estimator):
            task.call_on_fit_task_begin(estimator=self.search, **self.data)
            yield
        task.call_on_fit_task_end(estimator=self.search, **self.data)

    def end(self) -> None:
        """Tell of the end of the search."""
        if self.root is not None:
            self.root.call_on_fit_task_end(estimator=self.search, **self.data)


def evaluation_contexts(context: Any, n: int) -> list[Any]:
    """Return what callbacks are told of n fits, None for each if there are no callbacks."""
    if context is None:
        return [None] * n
    name = "candidate-split-evaluation"
    return [context.subcontext(task_name=name, task_id=i) for i in range(n)]
