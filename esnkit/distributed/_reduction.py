"""Passes over the partitions: a task for each of them, and a tree that merges their results."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from esnkit.distributed._dask import compute, dask, log, tree
from esnkit.distributed._partitions import Part
from esnkit.distributed._start_states import Start, agree
from esnkit.distributed._tasks import Model, Ran, merge_runs, next_start, run
from esnkit.readouts._base import Block

__all__ = ["Passes"]


class Passes:
    """What :meth:`RidgeReadout.fit_partitions` calls: a pass over the partitions, and their sums.

    Parameters
    ----------
    model : Model
    parts : list of Part
        Delayed, none of them empty.
    start : Start or None
        Where a series starts; None for whole sequences.

    Attributes
    ----------
    end : Start or None
        After a pass: the end of a series, or of the only sequence.
    """

    def __init__(self, model: Model, parts: list[Part], start: Start | None):
        self.model, self.parts, self.start = model, parts, start
        self.end: Start | None = None
        self._starts: list[Start] | None = None

    def __call__(
        self, task: Callable[[Iterable[Block]], Any], merge: Callable[[Any, Any], Any]
    ) -> Any:
        """Return the merged results of a task for every partition."""
        ran = self._pass(task, merge)
        if self.start is not None and not _is_continuous(ran):
            log.warning(
                "the states at the starts of partitions differ from those that earlier rows lead "
                "to: they are carried from one partition to the next"
            )
            self._starts = self._find_starts(warm_up=False)
            ran = self._pass(task, merge)
        self.end = ran.ends[-1] if self.start is not None or len(ran.ends) == 1 else None
        return ran.result

    def _pass(self, task: Any, merge: Any) -> Ran:
        delayed = dask().delayed
        model, sent = delayed(self.model, pure=False), delayed(task, pure=False)
        starts: Any = [None] * len(self.parts)
        if self.start is not None:
            starts = self._starts = self._starts or self._find_starts(warm_up=True)
        runs = [
            delayed(run, pure=False)(i, sent, model, part, start)
            for i, (part, start) in enumerate(zip(self.parts, starts, strict=True))
        ]
        return compute(tree(merge_runs, runs, delayed(merge, pure=False)))[0]

    def _find_starts(self, warm_up: bool) -> list[Start]:
        """Return where the partitions start, each found after the one before.

        They are found in a pass of their own: in one with the tasks that need them, partitions
        would wait for these in memory, as starts are found much faster.
        """
        model = dask().delayed(self.model, pure=False)
        starts: list[Any] = [self.start]
        for i, part in enumerate(self.parts[:-1]):
            step = dask().delayed(next_start, pure=False)
            starts.append(step(i, model, part, starts[-1], warm_up))
        return compute(starts)[0]


def _is_continuous(ran: Ran) -> bool:
    """Return whether every partition starts where the one before has ended; log how."""
    pairs: Any = list(zip(ran.ends[:-1], ran.starts[1:], strict=True))
    differences = [float(np.abs(end.state - start.state).max()) for end, start in pairs]
    lengths = [start.n_warm_up for _, start in pairs if start.n_warm_up]
    if pairs:
        log.info(
            "%d of %d partitions start from a warm-up, of at most %d rows; their states differ "
            "from those of the rows before by at most %.1e",
            len(lengths), len(pairs), max(lengths, default=0), max(differences),
        )  # fmt: skip
    return all(agree(start.state, end.state) for end, start in pairs)
