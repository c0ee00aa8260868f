"""Rows in several partitions, whose statistics are merged."""

from functools import partial

from esnkit.readouts._accumulator import Accumulator, accumulate_blocks, settle
from esnkit.readouts._base import Block, Reduce

__all__ = ["PartitionedRows"]


class PartitionedRows:
    """Rows that tasks read, partition by partition, perhaps on other machines.

    Parameters
    ----------
    reduce : callable (task, merge) -> result
        Runs a task for the blocks of every partition, and merges the results in pairs.
    first : Block
        A block with the shapes and dtypes of all others.
    n_rows : int or None
        Number of rows of all partitions, if known.
    """

    def __init__(self, reduce: Reduce, first: Block, n_rows: int | None):
        self.reduce, self.first, self.n_rows = reduce, first, n_rows

    def accumulate(self, solver: str, alpha: float, standardize: bool) -> Accumulator:
        """Return the statistics of all rows in the form that suits the solver and alpha."""
        task = partial(
            accumulate_blocks,
            solver=solver, alpha=alpha, n_rows=self.n_rows, standardize=standardize,
        )  # fmt: skip
        return settle(self.reduce(task, Accumulator.merge), alpha, self.n_rows)
