"""The progress of a command: a bar on a terminal, a line every few seconds elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from esnkit.utils._display import Display
from esnkit.utils._progress import Task, progress_text

_WIDTH = 20

Part = Callable[..., AbstractContextManager[None]]


@contextmanager
def progress(command: str, total: float) -> Iterator[Part]:
    """Show on standard error how much of a command is done, from its third second on.

    Yields the function ``part(label="", size=1)``, a context manager around a part of the command
    that is ``size`` of ``total`` large.
    """
    with Task(command, total) as task:
        display = Display(lambda: progress_text(task), lambda: _bar(task.share))

        @contextmanager
        def part(label: str = "", size: float = 1) -> Iterator[None]:
            task.step_size = size
            with Task(label, 1):
                yield
            task.step(task.done + size)

        try:
            yield part
        finally:
            display.close()


def _bar(share: float) -> str:
    filled = int(_WIDTH * share)
    return f"[{'#' * filled}{'.' * (_WIDTH - filled)}] "
