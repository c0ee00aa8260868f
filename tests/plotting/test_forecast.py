"""ForecastDisplay: what is drawn, on which axes, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

from esnkit import AutoForecaster, Forecaster, SeriesTransform
from esnkit.forecasting._combination import Combination
from esnkit.plotting import ForecastDisplay

plt = pytest.importorskip("matplotlib.pyplot")

WAVE = np.sin(np.arange(140) / 4)

INDEXES = {
    "dates": pd.date_range("2024-01-01", periods=140, freq="D"),
    "zone": pd.date_range("2024-03-28", periods=140, freq="h", tz="Europe/Berlin"),
    "periods": pd.period_range("2010-01", periods=140, freq="M"),
    "numbers": pd.RangeIndex(1880, 2020),
}


def lagged(**options):
    model = Forecaster(Ridge(), lags=2).fit(np.sin(np.arange(20)))
    return ForecastDisplay.from_forecaster(model, 3, **options)


def predicted(**options):
    return ForecastDisplay.from_predictions([1.0, 2.0, 3.0], [4.0, 5.0], **options)


WRONG = [
    (lambda: ForecastDisplay.from_forecaster(Ridge(), 3), TypeError, "forecaster"),
    (lambda: ForecastDisplay.from_forecaster(None, 3), TypeError, "forecaster"),
    (lambda: lagged(n_history=0), ValueError, "n_history"),
    (lambda: lagged(observed=np.ones(4)), ValueError, "observed must have at most 3"),
    (lambda: lagged(observed="x"), ValueError, "observed"),
    (lambda: predicted(lower=[1, 2]), ValueError, "lower and upper"),
    (lambda: predicted(times=[1, 2]), ValueError, "times and history_times"),
    (lambda: predicted(times=[1], history_times=[0]), ValueError, "times must have 2 values"),
    (lambda: predicted(times=[1, 2], history_times=[0]), ValueError, "history_times must have 3"),
]


@pytest.mark.parametrize(("call", "error", "message"), WRONG)
def test_wrong_calls_are_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def lines(display):
    return {line.get_label(): line for line in display.ax_.get_lines()}


def fitted(series):
    return Forecaster(Ridge(1e-6), lags=6).fit(series)


def test_arrays_are_drawn_over_time_steps():
    model = fitted(WAVE[:100])
    display = ForecastDisplay.from_forecaster(model, 20, observed=WAVE[100:120], interval=0.9)
    drawn = lines(display)
    np.testing.assert_array_equal(drawn["history"].get_ydata(), WAVE[40:100])
    np.testing.assert_array_equal(drawn["forecast"].get_xdata(), np.arange(21))
    np.testing.assert_allclose(drawn["forecast"].get_ydata()[1:], model.forecast(20))
    np.testing.assert_array_equal(drawn["observed"].get_ydata()[1:], WAVE[100:120])
    assert [text.get_text() for text in display.ax_.get_legend().get_texts()] == [
        "90 % interval",
        "history",
        "observed",
        "forecast",
    ]
    assert display.figure_ is display.ax_.figure
    assert display.ax_.get_xlabel() == "time steps after the history"


@pytest.mark.parametrize("kind", INDEXES)
def test_the_time_axis_follows_the_index(kind, tmp_path):
    series = pd.Series(WAVE, INDEXES[kind], name="wave")
    display = ForecastDisplay.from_forecaster(fitted(series[:100]), 12, interval=0.8, n_history=30)
    assert display.ax_.get_ylabel() == "wave"
    ahead = display.times
    assert len(display.history) == 30 and ahead[0] > display.history_times[-1]
    display.figure_.savefig(tmp_path / "plot.png")
    assert (tmp_path / "plot.png").stat().st_size > 10_000


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


def test_a_display_can_be_drawn_again_on_given_axes():
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
    with pytest.raises(ValueError, match="observed must hold numbers"):
        ForecastDisplay.from_predictions([0.0], [1.0, 1.0], observed=["a", "b"])


@pytest.mark.parametrize("column", [2, -1])
def test_a_column_that_is_not_there_is_refused(column):
    model = fitted(np.column_stack([WAVE, WAVE]))
    with pytest.raises(ValueError, match="column must be an integer"):
        ForecastDisplay.from_forecaster(model, 5, column=column)
    with pytest.raises(ValueError, match="observed must have 2 columns, got 1"):
        ForecastDisplay.from_forecaster(model, 5, observed=np.ones((5, 1)))


def test_the_intervals_of_a_fan_share_their_sample_paths(monkeypatch):
    rng = np.random.default_rng(0)
    model = AutoForecaster(seasons=[], quick=True).fit(rng.normal(size=30).cumsum())
    wanted = [model.forecast(4, interval=level) for level in (0.5, 0.9)]
    drawn, sample = [], Combination.sample
    monkeypatch.setattr(Combination, "sample", lambda *args: drawn.append(1) or sample(*args))
    display = ForecastDisplay.from_forecaster(model, 4, interval=(0.5, 0.9))
    assert len(drawn) == 1
    for k, (_, lower, upper) in enumerate(wanted):
        np.testing.assert_array_equal([display.lower[k], display.upper[k]], [lower, upper])
    with pytest.raises(ValueError, match=r"interval must be a number in \(0, 1\), got 1.9"):
        ForecastDisplay.from_forecaster(model, 4, interval=(0.5, 1.9))


@pytest.mark.parametrize("series", [WAVE, pd.Series(WAVE), np.c_[WAVE, -WAVE]])
def test_a_fan_has_an_interval_per_level(series):
    model = fitted(series)
    display = ForecastDisplay.from_forecaster(model, 5, interval=(0.5, 0.9))
    assert display.lower.shape == display.upper.shape == (2, 5)
    for k, level in enumerate((0.5, 0.9)):
        one = ForecastDisplay.from_forecaster(model, 5, interval=level)
        np.testing.assert_array_equal(one.lower.ravel(), display.lower[k])
    labels = [c.get_label() for c in display.ax_.collections]
    assert labels == ["90 % interval", "50 % interval"]  # the widest first, below the others


@pytest.mark.parametrize("interval", [None, 0.9, (0.5, 0.9)])
def test_means_are_drawn_where_they_are_asked_for(interval):
    series = np.random.default_rng(0).lognormal(size=60)
    model = Forecaster(Ridge(), lags=1, transformer=SeriesTransform(power=0)).fit(series)
    display = ForecastDisplay.from_forecaster(model, 4, interval=interval, bias_adjust=True)
    assert display.forecast.tolist() == model.forecast(4, bias_adjust=True).tolist()


def test_the_interval_of_a_single_step_is_a_bar():
    display = ForecastDisplay.from_predictions([1.0, 2.0], [3.0], [2.5], [3.5], interval=0.9)
    (bar,) = display.ax_.collections
    np.testing.assert_array_equal(bar.get_segments()[0], [[1.0, 2.5], [1.0, 3.5]])
    assert bar.get_linewidth()[0] > 5 and bar.get_label() == "90 % interval"
    assert all(tick == round(tick) for tick in display.ax_.get_xticks())
