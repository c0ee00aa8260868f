"""StatesByClassDisplay: principal components against scikit-learn, means, and what is drawn."""

import numpy as np
import pytest
from labelled_waves import model, sequences
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from esnkit import ESNClassifier, SequenceScaler
from esnkit.plotting import StatesByClassDisplay
from esnkit.plotting import _states_by_class as module

pyplot = pytest.importorskip("matplotlib.pyplot")
X, y = sequences()


def aligned(found, wanted):
    """Return the wanted components with the signs of those found."""
    return wanted * np.sign((found * wanted).sum(axis=0))


def test_components_against_scikit_learn():
    classifier = model()
    display = StatesByClassDisplay.from_estimator(classifier, X, y)
    states = classifier.reservoir_.transform(X)
    pca = PCA(2).fit(np.concatenate(states))
    found, wanted = np.concatenate(display.states), pca.transform(np.concatenate(states))
    np.testing.assert_allclose(found, aligned(found, wanted), rtol=0, atol=1e-9)
    features = [np.r_[rows.mean(axis=0), x.mean(axis=0)] for rows, x in zip(states, X, strict=True)]
    pooled = make_pipeline(StandardScaler(), PCA(2))
    wanted = pooled.fit_transform(np.array(features))
    wanted = aligned(display.features, wanted)
    np.testing.assert_allclose(display.features, wanted, rtol=0, atol=1e-9)
    ratios = [pca.explained_variance_ratio_, pooled[-1].explained_variance_ratio_]
    np.testing.assert_allclose(display.shares, ratios, rtol=1e-9)


def test_few_states_are_in_memory_and_give_the_same_directions(monkeypatch):
    reservoir = model().reservoir_
    whole, _ = module._reduced_states(reservoir, X)
    monkeypatch.setattr(module, "MAX_ROWS", 300)
    monkeypatch.setattr(module, "N_TOGETHER", 5)
    some, _ = module._reduced_states(reservoir, X)
    assert [line.shape for line in some] == [line.shape for line in whole]
    a, b = np.concatenate(whole), np.concatenate(some)
    correlations = np.corrcoef(a.T, b.T)[[0, 1], [2, 3]]
    assert np.all(correlations > 0.98) and not np.array_equal(a, b)


def test_the_mean_of_a_class_ends_where_half_of_it_ends():
    lines = [np.full((n, 2), float(k)) for k, n in enumerate((2, 5, 9))]
    mean = module._mean_of_most(lines)
    np.testing.assert_array_equal(mean[:, 0], [1, 1, 1.5, 1.5, 1.5])


def test_classes_have_their_colours_in_both_plots():
    display = StatesByClassDisplay.from_estimator(model(), X, y)
    left, right = display.axes_
    marks = [line for line in right.get_lines() if line.get_label() in "abc"]
    assert len({line.get_color() for line in marks}) == 3
    for line, label in zip(marks, "abc", strict=True):
        np.testing.assert_array_equal(np.transpose(line.get_data()), display.features[y == label])
    thick = [line for line in left.get_lines() if line.get_linewidth() == 2]
    colours = [line.get_color() for line in thick if len(line.get_xdata()) > 1]
    assert colours == [line.get_color() for line in marks]
    assert display.figure_ is left.figure and "of the variance" in left.get_xlabel()


def test_pipelines_other_readouts_and_one_unit():
    scaled = make_pipeline(SequenceScaler(), ESNClassifier(20, pooling="std", random_state=0))
    display = StatesByClassDisplay.from_estimator(scaled.fit(X, y), X, y)
    own = scaled[:-1].transform(X)
    again = StatesByClassDisplay.from_estimator(scaled[-1], own, y)
    np.testing.assert_array_equal(display.features, again.features)
    tiny = ESNClassifier(
        1, degree=1, include_input=False, pooling="last", readout=LogisticRegression()
    )
    display = StatesByClassDisplay.from_estimator(tiny.fit(X, y), X, y)
    assert display.shares[:, 0].tolist() == [1, 1] and not display.features[:, 1].any()


def test_wrong_input_is_refused():
    with pytest.raises(TypeError, match="fitted model with a reservoir, .*one of estimators_"):
        StatesByClassDisplay.from_estimator(ESNClassifier(), X, y)
    for data, labels in ((X, y[:3]), (X[:1], y[:1]), (X, y[:, None])):
        with pytest.raises(ValueError, match="X must hold two sequences or more, and y a label"):
            StatesByClassDisplay.from_estimator(model(), data, labels)
    with pytest.raises(ValueError, match="X must hold several sequences"):
        StatesByClassDisplay.from_estimator(model(), X[0], y)
    per_step = ESNClassifier(5).fit(X, [np.zeros(len(x)) + k % 2 for k, x in enumerate(X)])
    with pytest.raises(ValueError, match="pooled features need a model of one target for every"):
        StatesByClassDisplay.from_estimator(per_step, X, y)
