"""Prefixes: how long they are, where they end, and in what groups they are cut."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator

from esnkit.sequences import _prefixes as module
from esnkit.sequences._packing import pack
from esnkit.sequences._prefixes import Prefixes, lengths_of_prefixes

RAGGED = [np.zeros((n, 2)) for n in (3, 1, 4)]


def prefixes_of(X, steps, **params):
    return Prefixes.of(pack(BaseEstimator(), X, reset=True), steps, **params)


def test_lengths_are_numbers_of_steps():
    lengths = np.array([3, 1, 4])
    assert lengths_of_prefixes("all", lengths).tolist() == [1, 2, 3, 1, 1, 2, 3, 4]
    assert lengths_of_prefixes([1], lengths).tolist() == [[1]] * 3
    assert lengths_of_prefixes([0.3, 1.0], lengths).tolist() == [[1, 3], [1, 1], [1, 4]]
    with pytest.raises(ValueError, match=r"steps has 2 time steps, but X\[1\] has 1"):
        lengths_of_prefixes(range(1, 3), lengths)
    for steps in ("some", [0], [2, 1], [1.5], 3, [True]):
        with pytest.raises(ValueError, match="steps must be None, 'all', a list of ascending"):
            lengths_of_prefixes(steps, lengths)


def test_every_prefix_ends_within_its_sequence():
    every = prefixes_of(RAGGED, "all")
    assert every.source.tolist() == [0, 0, 0, 1, 2, 2, 2, 2]
    assert every.ends.tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    some = prefixes_of(RAGGED, [0.5, 1.0])
    assert some.source.tolist() == [0, 0, 1, 1, 2, 2]
    assert some.ends.tolist() == [2, 3, 4, 4, 6, 8]


def test_rows_come_back_in_the_form_of_the_sequences():
    every, some = prefixes_of(RAGGED, "all"), prefixes_of(RAGGED, [0.5, 1.0])
    assert [len(rows) for rows in every.arrange(np.zeros((8, 5)))] == [3, 1, 4]
    assert some.arrange(np.zeros((6, 5))).shape == (3, 2, 5)
    assert prefixes_of(np.zeros((2, 3, 1)), "all").arrange(np.zeros((6, 5))).shape == (2, 3, 5)


def test_groups_have_few_rows_each(monkeypatch):
    monkeypatch.setattr(module, "MAX_ROWS", 6)
    groups = [group.tolist() for group in prefixes_of(RAGGED, "all").groups()]
    assert np.concatenate(groups).tolist() == list(range(8)) and 1 < len(groups) < 8


def test_labels_of_steps_have_no_prefixes():
    with pytest.raises(ValueError, match="steps needs a model of one label for every sequence"):
        prefixes_of(RAGGED, "all", per_step=True)
