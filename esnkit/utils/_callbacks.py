"""Callbacks of scikit-learn, such as progress bars, from its version 1.9 on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stand in for the mixin of scikit-learn where it has none."""

    def with_callbacks(method: Callable[..., Any]) -> Callable[..., Any]:
        """Return the method unchanged."""
        return method


__all__ = ["CallbackSupportMixin", "FitCallbacks", "with_callbacks"]


class FitCallbacks:
    """A task of a fit for the callbacks of its estimator; it has subtasks, or is a leaf.

    Parameters
    ----------
    estimator : estimator
        The one that is fitted.
    context : sklearn.callback.CallbackContext
        Of the task.
    data : dict
        ``X``, ``y`` and perhaps ``metadata``.
    scored : bool, default=False
        Whether a copy of the estimator can be scored on ``X`` and ``y`` at the end of the task.
    """

    def __init__(self, estimator: Any, context: Any, data: dict[str, Any], scored: bool = False):
        self.estimator, self.context, self.data = estimator, context, data
        self.scored = scored
        self.n_subtasks = 0

    @classmethod
    def begin_fit(
        cls, estimator: Any, max_subtasks: int, data: dict[str, Any], scored: bool = False
    ) -> "FitCallbacks | None":
        """Begin a fit; return None if the estimator has no callbacks."""
        if not getattr(estimator, "_skl_callbacks", None):
            return None
        context = estimator._init_callback_context(max_subtasks=max_subtasks)
        return cls(estimator, context, data, scored)._begin()

    def begin_subtask(self, name: str, max_subtasks: int = 0) -> "FitCallbacks | None":
        """Begin a subtask; return None if there are as many as were announced."""
        subtask = self._subtask(name, max_subtasks)
        return None if subtask is None else subtask._begin()

    @contextmanager
    def around_fit(self, estimator: Any) -> Iterator[None]:
        """Fit another estimator as a subtask: callbacks that propagate are called for it too."""
        subtask = self._subtask("fit", 0)
        if subtask is None:
            yield
            return
        supported = hasattr(estimator, "set_callbacks")
        propagate = subtask.context.propagate_callback_context
        with propagate(estimator) if supported else nullcontext():
            subtask._begin()
            yield
            subtask.end()

    def end(self, fitted: dict[str, Any] | None = None) -> bool:
        """End the task; return whether a callback asks to stop.

        ``fitted`` are attributes that make a copy of the estimator a fitted one.
        """
        if fitted is None and self.scored:
            fitted = {}
        return self.context.call_on_fit_task_end(
            estimator=self.estimator, **self.data, reconstruction_attributes=fitted
        )

    def _subtask(self, name: str, max_subtasks: int) -> "FitCallbacks | None":
        if self.n_subtasks == self.context.max_subtasks:
            return None
        self.n_subtasks += 1
        context = self.context.subcontext(task_name=name, max_subtasks=max_subtasks)
        return FitCallbacks(self.estimator, context, self.data)

    def _begin(self) -> "FitCallbacks":
        self.context.call_on_fit_task_begin(estimator=self.estimator, **self.data)
        return self
