"""Scores of the prefixes of sequences, of a member of an ensemble that reads a view of them."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from esnkit.sequences._packing import restore
from esnkit.sequences._prefixes import Prefixes

__all__ = ["prefix_scores"]


def prefix_scores(prefixes: Prefixes, member: Any, view: Any, *, is_causal: bool) -> np.ndarray:
    """Return the scores (n_prefixes, n_classes) of a member.

    A view that is not causal, such as sequences of zero mean, shows another sequence for every
    prefix: these are cut, and read one by one.
    """
    if is_causal and member.reservoir_.causal:
        inputs = view.transform(restore(prefixes.sequences.values, prefixes.sequences))
        return member._prefix_scores(inputs, None, None, prefixes.steps)[1][0]
    groups = (member._scores(view.transform(cut), None, None) for cut in _cut(prefixes))
    return np.concatenate(list(groups))


def _cut(prefixes: Prefixes) -> Iterator[list[np.ndarray]]:
    """Yield cut sequences, some at a time."""
    ends = prefixes.ends
    starts = ends - prefixes.lengths.ravel()
    for some in prefixes.groups():
        yield [prefixes.sequences.values[starts[i] : ends[i]] for i in some]
