"""Windows of a series, the rows that warm up, and the rows to train on."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.model_selection import cross_validate

from esnkit.model_selection import RecycleValidation, WalkForwardValidation

SERIES = np.zeros((30, 2))


def splits(cv, X=SERIES):
    return [(list(train), list(test)) for train, test in cv.split(X)]


def test_recycle_validation_trains_on_all_rows_and_tests_on_windows_that_end_with_the_series():
    found = splits(RecycleValidation(3, horizon=4))
    assert found == [(list(range(30)), list(range(stop))) for stop in (22, 26, 30)]


def test_windows_may_overlap_and_warm_up_rows_be_limited():
    found = splits(RecycleValidation(3, horizon=4, warmup=5, stride=2))
    assert [test for _, test in found] == [list(range(s - 5, s + 4)) for s in (22, 24, 26)]


def test_walk_forward_validation_trains_before_the_window():
    found = splits(WalkForwardValidation(2, horizon=4, warmup=3))
    assert found == [
        (list(range(22)), list(range(19, 26))), (list(range(26)), list(range(23, 30))),
    ]  # fmt: skip
    found = splits(WalkForwardValidation(2, horizon=4, train_size=10))
    assert [train for train, _ in found] == [list(range(12, 22)), list(range(16, 26))]


class Recorder(RegressorMixin, BaseEstimator):
    """Remembers what it is fitted to and scored on."""

    def fit(self, X, y):
        self.trained_ = X
        return self

    def score(self, X, y):
        return 1000 * len(self.trained_) + len(X)


def test_tools_of_scikit_learn_take_them():
    cv = RecycleValidation(2, horizon=4, warmup=3)
    assert cv.get_n_splits() == 2
    found = cross_validate(Recorder(), SERIES, SERIES, cv=cv)
    np.testing.assert_array_equal(found["test_score"], [30_007, 30_007])
    assert repr(cv) == "RecycleValidation(horizon=4, n_windows=2, stride=None, warmup=3)"


@pytest.mark.parametrize(
    ("cv", "message"),
    [
        (RecycleValidation(0), "n_windows must be an integer >= 1, got 0"),
        (RecycleValidation(horizon=0), "horizon must be an integer >= 1, got 0"),
        (RecycleValidation(2, horizon=3, warmup=-1), "warmup must be an integer >= 1, got -1"),
        (RecycleValidation(2, horizon=3, stride=0), "stride must be an integer >= 1, got 0"),
        (RecycleValidation(3, horizon=10), "30 time steps, too few for n_windows=3 windows of"),
        (RecycleValidation(2, horizon=10, warmup=11), "first window needs 11 rows before it"),
        (WalkForwardValidation(2, horizon=5, train_size=21), "needs 21 rows before it"),
        (WalkForwardValidation(horizon=5, train_size=0), "train_size must be an integer >= 1"),
    ],
)
def test_windows_that_do_not_fit(cv, message):
    with pytest.raises(ValueError, match=message):
        splits(cv)


def test_the_first_window_may_start_with_the_second_row():
    ((_, test),) = splits(RecycleValidation(1, horizon=29))
    assert test == list(range(30))


@pytest.mark.parametrize("X", [np.zeros((4, 30, 1)), [SERIES, SERIES]], ids=["batch", "ragged"])
def test_several_sequences_are_refused(X):
    with pytest.raises(ValueError, match="X must be one series"):
        splits(RecycleValidation(1, horizon=2), X)
