"""dask: imported where it is first used, reductions in a tree, and workers that fail."""

import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

__all__ = ["compute", "dask", "log", "tree"]

log = logging.getLogger("esnkit.distributed")


def dask() -> Any:
    """Import dask, or raise with the way to install it."""
    try:
        import dask
    except ImportError as error:
        raise ImportError(
            "esnkit.distributed needs dask, which is not installed: pip install 'esnkit[dask]'"
        ) from error
    return dask


def tree(task: Callable[..., Any], parts: Sequence[Any], *shared: Any) -> Any:
    """Return delayed parts merged in pairs of neighbours, task(*shared, first, second), and so on.

    Of one part, that is the part.
    """
    parts = list(parts)
    while len(parts) > 1:
        pairs = zip(parts[::2], parts[1::2], strict=False)
        last = parts[-1:] if len(parts) % 2 else []
        parts = [dask().delayed(task, pure=False)(*shared, *pair) for pair in pairs] + last
    return parts[0]


def compute(*delayed: Any) -> tuple[Any, ...]:
    """Compute delayed objects by the scheduler of the user; log which workers are lost."""
    with warnings.catch_warnings(), _reporting_lost_workers():
        warnings.filterwarnings("ignore", "Sending large graph", UserWarning)
        return dask().compute(*delayed)


@contextmanager
def _reporting_lost_workers() -> Iterator[None]:
    """Log the workers of a cluster that leave inside the block."""
    client = _client()
    before = _workers(client)
    yield
    lost = sorted(before - _workers(client))
    if lost:
        log.warning(
            "lost %d of %d workers, %s: dask has computed again what they held",
            len(lost), len(before), ", ".join(lost),
        )  # fmt: skip


def _client() -> Any:
    """Return the client of a cluster if that is what computes, or None."""
    scheduler = dask().base.get_scheduler()
    owner = getattr(scheduler, "__self__", None)
    return owner if hasattr(owner, "scheduler_info") else None


def _workers(client: Any) -> set[str]:
    """Return the addresses of the workers, as the scheduler knows them."""
    if client is None:
        return set()
    return set(client.run_on_scheduler(_addresses))


def _addresses(dask_scheduler: Any) -> list[str]:
    return list(dask_scheduler.workers)
