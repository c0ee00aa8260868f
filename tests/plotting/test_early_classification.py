"""EarlyClassificationDisplay: its curves, against loops, and what is drawn."""

import numpy as np
import pytest
from labelled_waves import LABELS, model, sequences

from esnkit.plotting import EarlyClassificationDisplay

pytest.importorskip("matplotlib.pyplot")


def test_curves_against_a_loop():
    X, y = sequences(seed=1)
    classifier, shares = model(), [0.1, 0.4, 0.7, 1.0]
    display = EarlyClassificationDisplay.from_estimator(classifier, X, y, shares=shares)
    predicted = np.transpose(
        [classifier.predict([x[: round(share * len(x))] for x in X]) for share in shares]
    )
    for k in range(4):
        assert display.accuracy[k] == np.mean(predicted[:, k] == y)
        final = [len(set(labels[k:])) == 1 for labels in predicted]
        assert display.final[k] == np.mean(final)
    assert display.final[-1] == 1 and display.final[0] < 1 and display.baseline == 1 / 3
    for line, values in zip(display.lines_, (display.accuracy, display.final), strict=True):
        np.testing.assert_array_equal(line.get_xdata(), shares)
        np.testing.assert_array_equal(line.get_ydata(), values)
    ax = display.ax_
    assert ax.get_xlabel() == "share of the sequence seen" and display.figure_ is ax.figure
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts == [
        "accuracy",
        "predictions that are final",
        "accuracy of the most frequent class",
    ]


def test_a_prediction_that_changes_and_returns_is_not_final():
    values = np.eye(2)[[[0, 1, 0, 0], [1, 1, 1, 1]]]
    display = EarlyClassificationDisplay.from_predictions(
        ["x", "x"], values, classes=["x", "y"], shares=[0.25, 0.5, 0.75, 1.0]
    )
    assert display.final.tolist() == [0.5, 0.5, 1, 1]
    assert display.accuracy.tolist() == [0.5, 0, 0.5, 0.5]


def test_there_is_no_accuracy_within_the_washout():
    X, y = sequences()
    display = EarlyClassificationDisplay.from_estimator(model(washout=5), X, y, shares=[0.2, 1.0])
    assert np.isnan(display.accuracy).tolist() == np.isnan(display.final).tolist() == [True, False]


def test_classifiers_come_together_on_the_same_axes():
    X, y = sequences()
    first = EarlyClassificationDisplay.from_estimator(model(), X, y, name="mean")
    second = EarlyClassificationDisplay.from_estimator(
        model(pooling="last"), X, y, name="last", ax=first.ax_
    )
    assert second.ax_ is first.ax_ and len(first.ax_.get_lines()) == 5
    assert first.lines_[0].get_color() != second.lines_[0].get_color()
    assert second.lines_[0].get_color() == second.lines_[1].get_color()
    texts = [text.get_text() for text in first.ax_.get_legend().get_texts()]
    assert texts[0] == "mean: accuracy" and texts[-1] == "last: predictions that are final"
    assert set(LABELS) == set(y)
