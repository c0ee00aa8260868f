"""AttractorDisplay: the points drawn, in columns and in delay coordinates, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from esnkit import forecast
from esnkit.plotting import AttractorDisplay
from esnkit.plotting._attractor import _decay_time

pyplot = pytest.importorskip("matplotlib.pyplot")
T = np.arange(120)
TURNING = np.stack([np.cos(T / 10), np.sin(T / 10)], axis=1)
FIVE = np.random.default_rng(0).normal(size=(40, 5))


def points_of(line):
    return np.transpose(line.get_data_3d() if hasattr(line, "get_data_3d") else line.get_data())


def labels_of(ax):
    return [getattr(ax, f"get_{axis}label")() for axis in "xyz" if hasattr(ax, f"get_{axis}label")]


@pytest.mark.parametrize("kind", [np.asarray, pd.DataFrame])
def test_a_free_run_stands_beside_the_rows_that_it_forecasts(kind):
    X = kind(TURNING)
    model = LinearRegression().fit(X[:-1], TURNING[1:])
    display = AttractorDisplay.from_estimator(model, X, 50)
    true, free = display.lines_
    assert np.array_equal(points_of(true), TURNING[70:])
    assert np.array_equal(points_of(free), forecast(model, X[:70], 50))
    np.testing.assert_allclose(points_of(free), TURNING[70:], atol=1e-9)
    left, right = display.axes_
    assert display.ax_ is left is not right and display.figure_ is right.figure
    assert left.get_xlim() == right.get_xlim() and labels_of(left) == ["column 0", "column 1"]
    names = [ax.get_legend().get_texts()[0].get_text() for ax in display.axes_]
    assert names == ["true", "free run"]


@pytest.mark.parametrize(
    "columns, chosen", [(None, [0, 1, 2]), ([4, 1], [4, 1]), ((3, 0, 1), [3, 0, 1])]
)
def test_columns_are_coordinates(columns, chosen):
    display = AttractorDisplay.from_series({"a": FIVE, "b": 2 * FIVE[:9]}, columns=columns)
    assert np.array_equal(points_of(display.lines_[0]), FIVE[:, chosen])
    assert np.array_equal(points_of(display.lines_[1]), 2 * FIVE[:9, chosen])
    assert labels_of(display.ax_) == [f"column {column}" for column in chosen]
    low, high = display.ax_.get_ylim()
    assert low < (2 * FIVE[:9, chosen[1]]).min() and high > FIVE[:, chosen[1]].max()


@pytest.mark.parametrize("series, columns", [(FIVE[:, 2], None), (FIVE, 2)])
@pytest.mark.parametrize("n_dimensions", [2, 3])
def test_delay_coordinates_of_one_column(series, columns, n_dimensions):
    display = AttractorDisplay.from_series(
        {"a": series}, columns=columns, delay=4, n_dimensions=n_dimensions
    )
    x, last = FIVE[:, 2], 4 * (n_dimensions - 1)
    wanted = [[x[t - 4 * k] for k in range(n_dimensions)] for t in range(last, 40)]
    assert np.array_equal(points_of(display.lines_[0]), wanted)
    assert labels_of(display.ax_) == ["x(t)", "x(t - 4)", "x(t - 8)"][:n_dimensions]


def test_the_delay_is_the_decay_time_of_the_first_trajectory():
    steps = np.convolve(np.random.default_rng(0).normal(size=3000), 0.9 ** np.arange(80))[:3000]
    centred = steps - steps.mean()
    covariance = [centred[k:] @ centred[: 3000 - k] for k in range(50)]
    wanted = np.flatnonzero(covariance < covariance[0] / np.e)[0]
    assert _decay_time(steps) == wanted and 5 < wanted < 15
    display = AttractorDisplay.from_series({"a": steps, "b": TURNING[:, 0]}, n_dimensions=2)
    assert labels_of(display.ax_) == ["x(t)", f"x(t - {wanted})"]
    assert _decay_time(np.ones(20)) == 1


def test_given_axes_take_all_trajectories_or_one_each():
    _, (one, two) = pyplot.subplots(1, 2)
    display = AttractorDisplay({"a": TURNING, "b": 2 * TURNING}).plot(one, linestyle=":")
    assert list(display.axes_) == [one, one] and len(one.get_lines()) == 2
    assert display.lines_[1].get_linestyle() == ":" and one.get_xlim()[1] > 2
    assert list(display.plot([one, two]).axes_) == [one, two]
    with pytest.raises(ValueError, match="axes must be one, or 2 for as many trajectories, got 3"):
        display.plot([one, two, one])
    with pytest.raises(ValueError, match="axes must be of the projection '3d' for three coord"):
        AttractorDisplay({"a": FIVE}).plot(one)


@pytest.mark.parametrize(
    "trajectories, options, error, message",
    [
        ([FIVE], {}, TypeError, "trajectories must be a dict of series by name"),
        ({"a": FIVE, "b": T}, {}, ValueError, "equally many columns, got {'a': 5, 'b': 1}"),
        ({"a": [[np.nan, 1.0]]}, {}, ValueError, "trajectory 'a' must be finite"),
        ({"a": np.ones((2, 2, 2))}, {}, ValueError, "trajectory 'a' must be of shape"),
        ({"a": FIVE}, {"columns": [0, 5]}, ValueError, "columns must be an integer from 0 to 4"),
        ({"a": FIVE}, {"columns": [0] * 4}, ValueError, "columns must be one, two or three"),
        ({"a": T}, {"delay": 0}, ValueError, "delay must be"),
        ({"a": T}, {"delay": 60}, ValueError, "'a' must have more than 120 time steps"),
        ({"a": T}, {"n_dimensions": 4}, ValueError, "n_dimensions must be 2 or 3, got 4"),
    ],
    ids=range(9),
)  # fmt: skip
def test_what_cannot_be_drawn_is_refused(trajectories, options, error, message):
    with pytest.raises(error, match=message):
        AttractorDisplay.from_series(trajectories, **options)


def test_a_free_run_needs_rows_before_it():
    model = LinearRegression().fit(TURNING[:-1], TURNING[1:])
    with pytest.raises(ValueError, match="n_steps must be smaller than the number of rows of X"):
        AttractorDisplay.from_estimator(model, TURNING, 120)


def test_a_fixed_point_is_a_mark():
    point, line = AttractorDisplay.from_series({"point": 0 * TURNING, "line": TURNING}).lines_
    assert (point.get_marker(), line.get_marker()) == ("o", "None")
