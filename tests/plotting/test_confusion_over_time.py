"""ConfusionOverTimeDisplay: means of probabilities, and what is drawn."""

import numpy as np
import pytest
from labelled_waves import model, sequences

from esnkit.plotting import ConfusionOverTimeDisplay

pyplot = pytest.importorskip("matplotlib.pyplot")


def test_matrices_are_means_over_the_sequences_of_a_class():
    X, y = sequences(seed=1)
    classifier, shares = model(), [0.2, 0.5, 1.0]
    display = ConfusionOverTimeDisplay.from_estimator(classifier, X, y, shares=shares)
    for k, share in enumerate(shares):
        rows = classifier.predict_proba([x[: round(share * len(x))] for x in X])
        wanted = [rows[y == label].mean(axis=0) for label in "abc"]
        np.testing.assert_allclose(display.matrices[k], wanted, rtol=0, atol=1e-12)
    *matrices, lines = display.axes_
    titles = [ax.get_title() for ax in matrices]
    assert titles == ["20% seen", "50% seen", "50% seen", "100% seen"]
    np.testing.assert_array_equal(matrices[1].images[0].get_array(), display.matrices[1])
    for k, line in enumerate(lines.get_lines()[:3]):
        np.testing.assert_array_equal(line.get_ydata(), display.matrices[:, k, k])
    assert [text.get_text() for text in lines.get_legend().get_texts()] == ["a", "b", "c"]
    assert [text.get_text() for text in matrices[0].get_yticklabels()] == ["a", "b", "c"]
    assert isinstance(display.figure_, pyplot.Figure) and display.figure_.canvas is not None


def test_many_classes_and_classes_without_sequences():
    classes = [f"class {k}" for k in range(30)]
    values = np.full((2, 4, 30), 1 / 30)
    display = ConfusionOverTimeDisplay.from_predictions(
        classes[:2], values, classes=classes, shares=[0.25, 0.5, 0.75, 1.0]
    )
    assert not np.isnan(display.matrices[:, :2]).any() and np.isnan(display.matrices[:, 2:]).all()
    assert display.axes_[0].get_xticklabels() == []
    lines = display.axes_[-1].get_lines()[:28]
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == 28


def test_given_axes_are_drawn_on():
    X, y = sequences()
    figure, grid = pyplot.subplots(1, 5)
    display = ConfusionOverTimeDisplay.from_estimator(model(), X, y, shares=[1.0], axes=grid)
    assert display.figure_ is figure and list(display.axes_) == list(grid)
    assert display.plot().figure_ is not figure


def test_labels_that_would_overlap_are_in_the_legend_alone():
    classes = [f"a long label of class {k}" for k in "abcdefghijkl"]
    values = np.full((12, 4, 12), 1 / 12)
    display = ConfusionOverTimeDisplay.from_predictions(
        classes, values, classes=classes, shares=[0.25, 0.5, 0.75, 1.0]
    )
    assert display.axes_[0].get_yticklabels() == []
    texts = display.axes_[-1].get_legend().get_texts()
    assert [text.get_text() for text in texts] == classes
