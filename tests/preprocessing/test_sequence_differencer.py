"""First differences within every sequence."""

import numpy as np
import pytest
from checks import parametrize_with_checks
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from esnkit import ESNClassifier, SequenceDifferencer

SERIES = np.random.default_rng(0).normal([5.0, -3.0], [2.0, 100.0], (40, 2))
ROWS = "a row depends on the one before"


@parametrize_with_checks(
    [SequenceDifferencer(), SequenceDifferencer(include_values=True)],
    expected_failed_checks=lambda _: {
        "check_methods_sample_order_invariance": ROWS,
        "check_methods_subset_invariance": ROWS,
    },
)
def test_common_checks(estimator, check):
    check(estimator)


def twin(x):
    return np.diff(x, axis=0, prepend=x[:1])


def test_differences_do_not_cross_sequences():
    differencer = SequenceDifferencer().fit(SERIES)
    batch, ragged = SERIES.reshape(4, 10, 2), [SERIES[:7], SERIES[7:8], SERIES[8:]]
    np.testing.assert_array_equal(differencer.transform(SERIES), twin(SERIES))
    np.testing.assert_array_equal(differencer.transform(batch), [twin(x) for x in batch])
    for got, x in zip(differencer.transform(ragged), ragged, strict=True):
        np.testing.assert_array_equal(got, twin(x))
    both = SequenceDifferencer(include_values=True).fit_transform(batch)
    np.testing.assert_array_equal(both, [np.hstack([x, twin(x)]) for x in batch])


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_names_of_frames(library):
    module = pytest.importorskip(library)
    frame = module.DataFrame({"a": SERIES[:, 0], "b": SERIES[:, 1]})
    differencer = SequenceDifferencer(include_values=True).set_output(transform=library)
    result = differencer.fit_transform(frame)
    assert isinstance(result, module.DataFrame)
    assert list(result.columns) == ["a", "b", "a_difference", "b_difference"]
    only = SequenceDifferencer().fit(frame).get_feature_names_out().tolist()
    assert only == ["a_difference", "b_difference"]


def test_a_search_tells_whether_values_help():
    t = np.arange(25)[:, None]
    X = [np.sin(t / (1 + i % 2)) + i for i in range(12)]
    model = make_pipeline(SequenceDifferencer(), ESNClassifier(20, random_state=0))
    grid = {"sequencedifferencer__include_values": [True, False]}
    search = GridSearchCV(model, grid, cv=3).fit(X, np.arange(12) % 2)
    assert search.best_score_ > 0.9


def test_wrong_input_is_refused():
    with pytest.raises(ValueError, match="X has differences that exceed the range of float64"):
        SequenceDifferencer().fit_transform(np.array([[1.7e308], [-1.7e308]]))
    ends = [np.array([[1.7e308]]), np.array([[-1.7e308]])]
    assert not np.any(SequenceDifferencer().fit_transform(ends))
    with pytest.raises(TypeError, match="include_values must be True or False"):
        SequenceDifferencer(include_values="yes").fit(SERIES)
