"""Tasks of partitions, run one after another without dask."""

import pickle
from copy import copy

import numpy as np
import pytest
from partitioned import SERIES_CUTS, assert_same_fit, sequences, series

from esnkit import ESNClassifier, ESNRegressor
from esnkit.distributed import _tasks
from esnkit.distributed._partitions import Part
from esnkit.distributed._start_states import Start


def cut(array, edges):
    return np.split(array, edges[:-1])


@pytest.mark.parametrize("warm_up", [True, False])
def test_tasks_of_a_series_add_up_to_one_fit(warm_up):
    X, Y = series()
    one = ESNRegressor(20, random_state=0).fit(X, Y)
    parts = [Part(*p) for p in zip(cut(X, SERIES_CUTS), cut(Y, SERIES_CUTS), strict=True)]
    model = _tasks.Model(copy(one), "rows")
    start, ran = Start(np.zeros((1, 20))), []

    def reduce(task, merge):
        nonlocal start
        for i, part in enumerate(parts):
            sent = pickle.loads(pickle.dumps((task, model, part, start)))
            ran.append(_tasks.run(i, *sent))
            start = _tasks.next_start(i, model, part, start, warm_up)
        total = ran[0]
        for other in ran[1:]:
            total = _tasks.merge_runs(merge, total, other)
        return total.result

    again = copy(one)
    readout = one._parts.readout
    again.readout_ = type(readout)(**readout.get_params())
    example = np.empty((0, 23)), np.empty((0, 2)), None
    again.readout_.fit_partitions(reduce, example, len(X))
    assert_same_fit(again, one)
    assert [end.n_rows for run in ran for end in run.ends] == list(SERIES_CUTS)
    np.testing.assert_array_equal(ran[-1].ends[0].target, Y[-1:])


def test_a_summary_has_what_a_fit_sets_first():
    X, labels = sequences(9)
    part = Part(X, labels, [1.0] + [0.0] * 8)
    summary = _tasks.summarise(0, ESNClassifier(class_weight="balanced"), part, "bag")
    assert summary.target == "sequence" and summary.has_weight and summary.n_outputs is None
    assert summary.longest == max(map(len, X)) and summary.n_sequences == summary.n_targets == 9
    classes, counts = np.unique(labels, return_counts=True)
    np.testing.assert_array_equal(summary.labels[0], classes)
    np.testing.assert_array_equal(summary.labels[1], counts)
    assert summary.moments.n_rows == sum(map(len, X))
    assert summary.attributes["n_features_in_"] == 1 and "alpha" not in summary.attributes


@pytest.mark.parametrize("empty", [Part([], []), Part(np.empty((0, 2)), np.empty(0))])
def test_an_empty_partition_has_no_summary(empty):
    kind = "bag" if isinstance(empty.X, list) else "rows"
    assert _tasks.summarise(0, ESNRegressor(), empty, kind) is None


def test_an_error_names_the_partition():
    X, labels = sequences(4)
    X[2][3] = np.nan
    with pytest.raises(ValueError, match="NaN") as caught:
        _tasks.summarise(7, ESNClassifier(), Part(X, labels), "bag")
    assert "partition 7" in caught.value.__notes__[0]
    assert "partition 7" in pickle.loads(pickle.dumps(caught.value)).__notes__[0]


def test_rows_for_pooling_are_those_of_one_machine(monkeypatch):
    X, labels = sequences(60)
    one = ESNClassifier(10, washout=3, random_state=0).fit(X, labels)
    model = _tasks.Model(one, "bag")
    n_kept = sum(len(x) - 3 for x in X)
    monkeypatch.setattr(_tasks, "MAX_SAMPLED", n_kept // 5)

    def rows(first, last):
        n_before = sum(map(len, X[:first]))
        part = Part(X[first:last], labels[first:last])
        return _tasks.sample_rows(0, model, part, n_before, n_kept)

    apart = np.concatenate(rows(0, 17) + rows(17, 60))
    np.testing.assert_allclose(apart, np.concatenate(rows(0, 60)), rtol=0, atol=1e-14)
    assert len(apart) == pytest.approx(n_kept / 5, rel=0.1)
