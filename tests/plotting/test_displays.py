"""Displays: what is drawn, on which axes, and what they say without matplotlib."""

import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

from esnkit import ESNRegressor
from esnkit.datasets import make_adding
from esnkit.forecasting._forecaster import Forecaster
from esnkit.networks._rnn import RNNClassifier, RNNRegressor
from esnkit.plotting import ForecastDisplay, GradientNormDisplay

WRONG_PICTURES = [
    (lambda: ForecastDisplay.from_forecaster(Ridge(), 3), TypeError, "forecaster"),
    (lambda: ForecastDisplay.from_forecaster(None, 3), TypeError, "forecaster"),
    (lambda: lagged(n_history=0), ValueError, "n_history"),
    (lambda: lagged(truth=np.ones(4)), ValueError, "truth must have at most 3"),
    (lambda: lagged(truth="x"), ValueError, "truth"),
    (lambda: predicted(lower=[1, 2]), ValueError, "lower and upper"),
    (lambda: predicted(times=[1, 2]), ValueError, "times and history_times"),
    (lambda: predicted(times=[1], history_times=[0]), ValueError, "times must have 2 values"),
    (lambda: predicted(times=[1, 2], history_times=[0]), ValueError, "history_times must have 3"),
    (lambda: GradientNormDisplay({}).plot(), ValueError, "norms"),
    (
        lambda: GradientNormDisplay({"a": np.ones((1, 3))}, relative="x").plot(),
        TypeError,
        "relative",
    ),
]


def lagged(**options):
    model = Forecaster(Ridge(), lags=2).fit(np.sin(np.arange(20)))
    return ForecastDisplay.from_forecaster(model, 3, **options)


def predicted(**options):
    return ForecastDisplay.from_predictions([1.0, 2.0, 3.0], [4.0, 5.0], **options)


@pytest.mark.parametrize(("call", "error", "message"), WRONG_PICTURES)
def test_wrong_pictures_are_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


plt = pytest.importorskip("matplotlib.pyplot")

WAVE = np.sin(np.arange(140) / 4)
INDEXES = {
    "dates": pd.date_range("2024-01-01", periods=140, freq="D"),
    "zone": pd.date_range("2024-03-28", periods=140, freq="h", tz="Europe/Berlin"),
    "periods": pd.period_range("2010-01", periods=140, freq="M"),
    "numbers": pd.RangeIndex(1880, 2020),
}


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def lines(display):
    return {line.get_label(): line for line in display.ax_.get_lines()}


def fitted(series):
    return Forecaster(Ridge(1e-6), lags=6).fit(series)


def test_arrays_are_drawn_over_time_steps_from_now():
    model = fitted(WAVE[:100])
    display = ForecastDisplay.from_forecaster(model, 20, truth=WAVE[100:120], interval=0.9)
    drawn = lines(display)
    np.testing.assert_array_equal(drawn["observed"].get_ydata(), WAVE[40:100])
    np.testing.assert_array_equal(drawn["forecast"].get_xdata(), np.arange(21))
    np.testing.assert_allclose(drawn["forecast"].get_ydata()[1:], model.forecast(20))
    np.testing.assert_array_equal(drawn["what came"].get_ydata()[1:], WAVE[100:120])
    assert [text.get_text() for text in display.ax_.get_legend().get_texts()] == [
        "90 % interval",
        "observed",
        "what came",
        "forecast",
    ]
    assert display.figure_ is display.ax_.figure
    assert display.ax_.get_xlabel() == "time steps from now"


@pytest.mark.parametrize("kind", INDEXES)
def test_the_time_axis_follows_the_index(kind, tmp_path):
    series = pd.Series(WAVE, INDEXES[kind], name="wave")
    display = ForecastDisplay.from_forecaster(fitted(series[:100]), 12, interval=0.8, n_history=30)
    assert display.ax_.get_ylabel() == "wave"
    ahead = display.times
    assert len(display.history) == 30 and ahead[0] > display.history_times[-1]
    display.figure_.savefig(tmp_path / "picture.png")
    assert (tmp_path / "picture.png").stat().st_size > 10_000


@pytest.mark.parametrize("first, n_days", [("2024-01-31", 33), ("2024-02-15", 18), ("2024", 60)])
def test_labels_can_be_read(first, n_days):
    index = pd.date_range(first, periods=n_days)
    y = pd.Series(1e7 + 1e6 * np.sin(np.arange(n_days)), index, name=r"US$ and $\frac$")
    display = ForecastDisplay.from_predictions(y[:-3], y[-3:], y[-3:] - 1, y[-3:] + 1)
    display.figure_.draw_without_rendering()
    ax = display.ax_
    assert ax.get_ylabel() == y.name
    offset, legend = ax.yaxis.get_offset_text(), ax.get_legend()
    assert offset.get_text() == "1e7"
    assert not offset.get_window_extent().overlaps(legend.get_window_extent())
    boxes = [label.get_window_extent() for label in ax.get_xticklabels() if label.get_text()]
    assert len(boxes) >= 4
    assert all(a.x1 + 5 < b.x0 for a, b in zip(boxes[:-1], boxes[1:], strict=True))


def test_one_of_several_series_is_shown():
    table = pd.DataFrame({"a": WAVE, "b": 5 + WAVE}, INDEXES["dates"])
    model = fitted(table)
    display = ForecastDisplay.from_forecaster(model, 5, column=1, interval=0.8)
    assert display.ax_.get_ylabel() == "b"
    assert (display.lower < display.forecast).all() and display.forecast.min() > 3
    as_array = ForecastDisplay.from_forecaster(fitted(table.to_numpy()), 5, column=1)
    np.testing.assert_allclose(as_array.forecast, display.forecast)


def test_a_picture_can_be_drawn_again_on_given_axes():
    _, (left, right) = plt.subplots(1, 2)
    display = ForecastDisplay.from_predictions(WAVE[:50], WAVE[50:60], ax=left)
    assert display.ax_ is left
    assert display.plot(ax=right).ax_ is right


def test_lengths_and_shapes_are_checked():
    with pytest.raises(ValueError, match="forecast must be 1-D"):
        ForecastDisplay.from_predictions(WAVE, np.ones((3, 2)))
    with pytest.raises(ValueError, match="history must be 1-D and not empty"):
        ForecastDisplay.from_predictions([], [1.0])
    with pytest.raises(ValueError, match="lower must have as many values as forecast, 2, got 1"):
        ForecastDisplay.from_predictions([0.0], [1.0, 1.0], [0.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="truth must hold numbers"):
        ForecastDisplay.from_predictions([0.0], [1.0, 1.0], truth=["a", "b"])


@pytest.mark.parametrize("column", [2, -1])
def test_a_column_that_is_not_there_is_refused(column):
    model = fitted(np.column_stack([WAVE, WAVE]))
    with pytest.raises(ValueError, match="column must be an integer"):
        ForecastDisplay.from_forecaster(model, 5, column=column)
    with pytest.raises(ValueError, match="truth must have 2 columns, got 1"):
        ForecastDisplay.from_forecaster(model, 5, truth=np.ones((5, 1)))


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"esnkit\[plot\]"):
        ForecastDisplay.from_predictions(WAVE[:50], WAVE[50:60])


@pytest.fixture(scope="module")
def adding():
    return make_adding(20, 60, family="urnn", random_state=0)[:2]


def drawn_net(X, y, **options):
    return RNNRegressor(10, max_iter=0, random_state=0, **options).fit(X, y)


def test_norms_are_drawn_on_a_log_scale_and_named(adding):
    model = drawn_net(*adding, cell="gru")
    display = GradientNormDisplay.from_estimator(model, *adding, name="GRU", color="k")
    ax, (line,) = display.ax_, display.lines_
    assert (ax.get_yscale(), ax.get_xlabel()) == ("log", "time step t")
    assert ax.get_ylabel() == "norm of ∂ loss / ∂ h(t)" and line.get_color() == "k"
    np.testing.assert_array_equal(line.get_xdata(), np.arange(60))
    np.testing.assert_array_equal(line.get_ydata(), model.gradient_norms(*adding)[0])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["GRU"]
    assert display.figure_ is ax.figure


def test_networks_come_together_on_the_same_axes(adding):
    X, y = adding
    first = GradientNormDisplay.from_estimator(drawn_net(X, y), X, y)
    classifier = RNNClassifier(5, n_layers=2, max_iter=0, random_state=0).fit(X, y > 1)
    more = GradientNormDisplay.from_estimator(classifier, X, y > 1, name="deep", ax=first.ax_)
    names = [text.get_text() for text in first.ax_.get_legend().get_texts()]
    assert names == ["RNNRegressor", "deep, layer 1", "deep, layer 2"]
    looks = [(line.get_color(), line.get_linestyle()) for line in first.ax_.get_lines()]
    assert more.ax_ is first.ax_ and len(set(looks)) == 3
    together = GradientNormDisplay.from_estimators(
        {f"{k}": drawn_net(X, y) for k in range(9)}, X, y
    )
    assert len({(line.get_color(), line.get_linestyle()) for line in together.lines_}) == 9
    assert together.plot().ax_ is not first.ax_


def test_the_teaching_signal_reaches_the_picture(adding):
    X, _ = adding
    weights = np.zeros(X.shape[:2])
    weights[:, 30] = 1
    model = drawn_net(X, X[:, :, :1])
    display = GradientNormDisplay.from_estimator(model, X, X[:, :, :1], sample_weight=weights)
    norms = display.norms["RNNRegressor"][0]
    assert norms[30] > 0 and not norms[31:].any()
    with pytest.raises(ValueError, match="relative=True needs a gradient at the last time step"):
        GradientNormDisplay(display.norms, relative=True).plot()


def test_small_weights_let_the_gradient_vanish_geometrically_and_open_gates_do_not(adding):
    small = drawn_net(*adding, cell="rnn")
    small.set_weights({"W_0": 0.5 * small.get_weights()["W_0"]})
    open_gates = drawn_net(*adding, cell="lstm")
    bias = open_gates.get_weights()["b_0"]
    bias[10:20] = 8.0  # of the forget gates
    open_gates.set_weights({"b_0": bias})
    networks = {"small": small, "open": open_gates}
    display = GradientNormDisplay.from_estimators(networks, *adding, relative=True)
    small_line, open_line = (line.get_ydata() for line in display.lines_)
    assert small_line[-1] == open_line[-1] == 1
    logs = np.log10(small_line)
    np.testing.assert_allclose(np.diff(logs), (logs[-1] - logs[0]) / 59, atol=0.15)
    assert logs[0] < 59 * np.log10(0.5)
    assert small_line[0] < 1e-15 * small_line[-10] and open_line[0] > 0.01 * open_line[-10]


def test_what_has_no_gradient_is_refused_by_name(adding):
    X, y = adding
    with pytest.raises(TypeError, match="the estimator 'ESNRegressor' must be an RNNRegressor or"):
        GradientNormDisplay.from_estimator(ESNRegressor(5).fit(X, y), X, y)
    with pytest.raises(TypeError, match="estimators must be a dict of networks by name, got list"):
        GradientNormDisplay.from_estimators([drawn_net(X, y)], X, y)
