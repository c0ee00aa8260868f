"""What the accuracy benchmarks share: the search for settings."""

import importlib
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def accuracy(monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)
    return importlib.import_module("_accuracy")


def test_a_search_moves_along_one_parameter_at_a_time_and_scores_each_once(accuracy, capsys):
    scored = []

    def score(a, b):
        scored.append((a, b))
        return (a - 3) ** 2 + (a - b) ** 2

    found = accuracy.select(score, {"a": (0, 1, 2, 3), "b": (0, 1, 3)}, {"a": 0, "b": 0})
    assert found == {"a": 2, "b": 1}
    assert scored == [
        (0, 0),
        (1, 0),
        (2, 0),
        (3, 0),
        (1, 1),
        (1, 3),
        (0, 1),
        (2, 1),
        (3, 1),
        (2, 3),
    ]
    first, *rows, last = capsys.readouterr().out.strip().splitlines()
    assert first == "Validation scores, lower is better" and len(rows) == len(scored)
    assert last == "selected: a=2, b=1, validation score 2"


def test_medians_have_intervals_of_seeds_and_of_starts_within_them(accuracy):
    scores = np.arange(12.0).reshape(4, 3)
    low, median, high = accuracy.bootstrap_median(scores)
    assert scores.min() <= low < median == 5.5 < high <= scores.max()
    low, difference, high = accuracy.bootstrap_difference(scores + 20, scores)
    assert difference == 20 and 5 < low < 20 < high < 35
