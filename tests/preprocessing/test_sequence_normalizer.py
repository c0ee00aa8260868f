"""Z-normalisation of every sequence by its own time steps."""

import pickle

import numpy as np
import pytest
from checks import parametrize_with_checks
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from esnkit import ESNClassifier, SequenceNormalizer

RNG = np.random.default_rng(0)
SERIES = RNG.normal([5.0, -3.0], [2.0, 100.0], (40, 2))
ROWS = "the rows of a series depend on each other"


def twin(x):
    """Return one sequence of mean zero and variance one, in plain NumPy."""
    return (x - x.mean(axis=0)) / x.std(axis=0)


@parametrize_with_checks(
    [SequenceNormalizer()], expected_failed_checks=lambda _: {
        "check_methods_subset_invariance": ROWS,
    },
)  # fmt: skip
def test_common_checks(estimator, check):
    check(estimator)


def test_every_sequence_is_normed_by_itself_in_every_container():
    normalizer = SequenceNormalizer().fit(SERIES)
    batch, ragged = SERIES.reshape(4, 10, 2), [SERIES[:7], SERIES[7:]]
    np.testing.assert_allclose(normalizer.transform(SERIES), twin(SERIES), rtol=1e-12)
    expected = np.stack([twin(x) for x in batch])
    np.testing.assert_allclose(normalizer.transform(batch), expected, rtol=1e-12)
    for got, x in zip(normalizer.transform(ragged), ragged, strict=True):
        np.testing.assert_allclose(got, twin(x), rtol=1e-12)
    for got, x in zip(normalizer.transform(batch), batch, strict=True):
        np.testing.assert_array_equal(got, normalizer.transform([x])[0])


def test_what_is_constant_in_a_sequence_is_zero_there():
    X = [np.array([[0.1, 1.0]] * 7 + [[0.1, 2.0]]), np.array([[3.0, 0.3]])]
    first, second = SequenceNormalizer().fit_transform(X)
    assert not first[:, 0].any() and not second.any()
    np.testing.assert_allclose(first[:, 1], twin(X[0][:, 1]))


@pytest.mark.parametrize("unit", [1e-300, 1.0, 1e308])
def test_units_do_not_matter(unit):
    x = np.array([[-1.0], [1.5], [1.5], [1.5]])
    np.testing.assert_allclose(SequenceNormalizer().fit_transform(unit * x), twin(x), rtol=1e-12)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_one_series_is_a_frame(library):
    module = pytest.importorskip(library)
    frame = module.DataFrame({"a": SERIES[:, 0], "b": SERIES[:, 1]})
    normalizer = SequenceNormalizer().set_output(transform=library).fit(frame)
    normed = normalizer.transform(frame)
    assert isinstance(normed, module.DataFrame) and list(normed.columns) == ["a", "b"]
    assert isinstance(normalizer.transform([frame, frame])[0], np.ndarray)
    with pytest.raises(ValueError, match="feature names"):
        normalizer.transform(frame[["b", "a"]])


def test_float32_stays_float32():
    x = SERIES.astype("f4")
    assert SequenceNormalizer().fit_transform(x).dtype == np.float32


def test_pipelines_forget_levels_and_amplitudes():
    t = np.arange(30)[:, None]
    waves = [RNG.uniform(1, 1e4) * np.sin(t / (1 + i % 2)) + 1e5 * i for i in range(12)]
    labels = np.array(["fast", "slow"] * 6)
    model = make_pipeline(SequenceNormalizer(), ESNClassifier(20, random_state=0))
    grid = {"sequencenormalizer": ["passthrough", SequenceNormalizer()]}
    search = GridSearchCV(model, grid, cv=3).fit(waves, labels)
    assert search.best_score_ == 1.0 and search.cv_results_["mean_test_score"][0] < 1.0
    copy = pickle.loads(pickle.dumps(search))
    assert copy.predict([7 * wave - 3 for wave in waves]).tolist() == labels.tolist()


def test_wrong_input_is_refused():
    normalizer = SequenceNormalizer().fit(SERIES)
    with pytest.raises(ValueError, match="X has 1 features.* expecting 2"):
        normalizer.transform(SERIES[:, :1])
    with pytest.raises(ValueError, match="X contains NaN"):
        normalizer.fit([np.full((3, 1), np.nan)])
    assert normalizer.n_features_in_ == 2
