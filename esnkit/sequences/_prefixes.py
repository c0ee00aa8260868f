"""Prefixes of sequences, of which classifiers give probabilities for early classification."""

from collections.abc import Iterator
from typing import Any, NamedTuple, Self

import numpy as np

from esnkit.sequences._packing import Sequences, restore
from esnkit.utils._shares import steps_of_shares

__all__ = ["Prefixes", "lengths_of_prefixes"]

MAX_ROWS = 2**18  # of cut sequences that are in memory at a time, about


class Prefixes(NamedTuple):
    """Which prefixes of packed sequences are asked for, one sequence after another."""

    sequences: Sequences
    steps: Any  # as in ``predict_proba``
    lengths: np.ndarray  # as `lengths_of_prefixes` returns them

    @classmethod
    def of(cls, sequences: Sequences, steps: Any, *, per_step: bool = False) -> Self:
        """Return the prefixes; raise if ``steps`` is wrong, or there is a label for every step."""
        if per_step:
            raise ValueError(
                "steps needs a model of one label for every sequence: this one has a label for "
                "every time step, and predict_proba(X) returns the probabilities after each"
            )
        return cls(sequences, steps, lengths_of_prefixes(steps, sequences.lengths))

    @property
    def source(self) -> np.ndarray:
        """The sequence (n_prefixes,) that each prefix is one of."""
        n_each = self.sequences.lengths if self.lengths.ndim == 1 else self.lengths.shape[1]
        return np.repeat(np.arange(self.sequences.n_sequences), n_each)

    @property
    def ends(self) -> np.ndarray:
        """The packed rows (n_prefixes,) before which the prefixes end, in ascending order."""
        return self.sequences.offsets[self.source] + self.lengths.ravel()

    def groups(self) -> Iterator[np.ndarray]:
        """Yield indices of consecutive prefixes that have about MAX_ROWS rows together."""
        group = np.cumsum(self.lengths) // MAX_ROWS
        yield from np.split(np.arange(group.size), np.flatnonzero(np.diff(group)) + 1)

    def arrange(self, rows: np.ndarray) -> Any:
        """Return rows, one for each prefix, in the form of ``predict_proba``."""
        if self.lengths.ndim == 1:
            return restore(rows, self.sequences)
        return rows.reshape(*self.lengths.shape, -1)


def lengths_of_prefixes(steps: Any, lengths: np.ndarray) -> np.ndarray:
    """Return how long the prefixes of sequences are.

    Parameters
    ----------
    steps : "all", numbers of time steps, or shares
        As in ``predict_proba``.
    lengths : ndarray of shape (n_sequences,)

    Returns
    -------
    ndarray of shape (n_rows,), or (n_sequences, n_steps) if "all" is not asked for

    Raises
    ------
    ValueError
        If ``steps`` is something else, or a sequence does not have so many steps.
    """
    if isinstance(steps, str) and steps == "all":
        first = np.cumsum(lengths) - lengths
        return np.arange(1, lengths.sum() + 1) - np.repeat(first, lengths)
    wanted = _checked(steps)
    if wanted.dtype.kind == "f":
        return steps_of_shares(wanted, lengths)
    shortest = int(np.argmin(lengths))
    if wanted[-1] > lengths[shortest]:
        raise ValueError(
            f"steps has {wanted[-1]} time steps, but X[{shortest}] has {lengths[shortest]}: give "
            "shares in (0, 1] for sequences of unequal length"
        )
    return np.tile(wanted.astype(np.int64), (len(lengths), 1))


def _checked(steps: Any) -> np.ndarray:
    """Return numbers of time steps, or shares, in ascending order; raise for others."""
    wanted = np.asarray(steps)
    limits = {"f": 1.0, "i": np.inf, "u": np.inf}
    is_list = wanted.ndim == 1 and wanted.size > 0 and wanted.dtype.kind in limits
    if is_list and wanted[0] > 0 and wanted[-1] <= limits[wanted.dtype.kind]:
        if np.all(wanted[1:] > wanted[:-1]):
            return wanted
    raise ValueError(
        "steps must be None, 'all', a list of ascending integers >= 1 (numbers of time steps), or "
        f"of ascending floats in (0, 1] (shares of every sequence), got {steps!r}"
    )
