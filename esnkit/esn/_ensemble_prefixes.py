"""Scores of the prefixes of sequences, of a member of an ensemble that reads a view of them."""

from collections.abc import Iterator
from typing import Any, NamedTuple, Self

import numpy as np

from esnkit.esn._prefixes import lengths_of_prefixes
from esnkit.sequences._packing import Sequences, restore

__all__ = ["Prefixes"]

MAX_ROWS = 2**18  # of cut sequences that are in memory at a time, about


class Prefixes(NamedTuple):
    """Which prefixes of sequences are asked for, one sequence after another."""

    sequences: Sequences
    steps: Any  # as in ``predict_proba``
    lengths: np.ndarray  # as `lengths_of_prefixes` returns them

    @classmethod
    def of(cls, sequences: Sequences, steps: Any) -> Self:
        """Return the prefixes, or raise if ``steps`` is wrong."""
        return cls(sequences, steps, lengths_of_prefixes(steps, sequences.lengths))

    def scores(self, member: Any, view: Any, *, is_causal: bool) -> np.ndarray:
        """Return the scores (n_prefixes, n_classes) of a member.

        A view that is not causal, such as sequences of zero mean, shows another sequence for every
        prefix: these are cut, and read one by one.
        """
        if is_causal and member.reservoir_.causal:
            inputs = view.transform(restore(self.sequences.values, self.sequences))
            return member._prefix_scores(inputs, None, None, self.steps)[0]
        groups = (member._scores(view.transform(cut), None, None) for cut in self._cut())
        return np.concatenate(list(groups))

    def arrange(self, rows: np.ndarray) -> Any:
        """Return rows, one for each prefix, in the form of ``predict_proba``."""
        if self.lengths.ndim == 1:
            return restore(rows, self.sequences)
        return rows.reshape(*self.lengths.shape, -1)

    def _cut(self) -> Iterator[list[np.ndarray]]:
        """Yield cut sequences, some at a time."""
        values, first = self.sequences.values, self.sequences.offsets[:-1]
        lengths = self.lengths.ravel()
        n_each = self.sequences.lengths if self.lengths.ndim == 1 else self.lengths.shape[1]
        starts = np.repeat(first, n_each)
        groups = np.cumsum(lengths) // MAX_ROWS
        for some in np.split(np.arange(len(lengths)), np.flatnonzero(np.diff(groups)) + 1):
            yield [values[starts[i] : starts[i] + lengths[i]] for i in some]
