"""Plot of a forecast: history, forecast, interval and observed values."""

import numpy as np

from esnkit.plotting._common import (
    BLUE,
    GREY,
    ORANGE,
    column_of,
    line_of,
    mix_with_white,
    plain_times,
    plot_line,
    pyplot,
    set_whole_ticks,
    split_times,
    style_axes,
)
from esnkit.utils._frames import frame_ndim
from esnkit.utils._pandas import is_pandas
from esnkit.utils._validation import check_column, check_positive_int

__all__ = ["ForecastDisplay"]


class ForecastDisplay:
    """Plot of a forecast, after its history and beside the observed values.

    Make one with :meth:`from_forecaster` or :meth:`from_predictions`.

    Parameters
    ----------
    history : ndarray of shape (n_history,)
        The end of the series before the forecast.
    forecast : ndarray of shape (n_steps,)
    lower, upper : ndarray of shape (n_steps,) or (n_intervals, n_steps), default=None
        Ends of an interval, or of several.
    observed : ndarray of shape (<= n_steps,), default=None
        Observed values of the steps forecast, or of the first of them.
    history_times, times : array-like, default=None
        Positions on the time axis (numbers or dates); None counts time steps, and the
        first step of the forecast is 1.
    name : str, default=None
        Name of the series, the label of the vertical axis.
    interval : float or sequence of float, default=None
        Coverage of each interval, shown in the legend.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit.plotting import ForecastDisplay
    >>> wave = np.sin(np.arange(60) / 4)
    >>> display = ForecastDisplay.from_predictions(wave[:40], wave[40:], name="wave")
    >>> display.ax_.get_ylabel()
    'wave'
    """

    def __init__(
        self,
        history,
        forecast,
        *,
        lower=None,
        upper=None,
        observed=None,
        history_times=None,
        times=None,
        name=None,
        interval=None,
    ):
        self.history = history
        self.forecast = forecast
        self.lower = lower
        self.upper = upper
        self.observed = observed
        self.history_times = history_times
        self.times = times
        self.name = name
        self.interval = interval

    @classmethod
    def from_forecaster(
        cls,
        forecaster,
        n_steps,
        *,
        exog=None,
        interval=None,
        bias_adjust=False,
        observed=None,
        n_history=None,
        column=0,
        times=None,
        ax=None,
    ):
        """Forecast with a fitted :class:`Forecaster` and plot.

        Parameters
        ----------
        forecaster : Forecaster
        n_steps : int >= 1
        exog : array-like of shape (>= n_steps, n_exog), default=None
        interval : float in (0, 1) or sequence of them, default=None
            Coverage of the interval to draw, or of several as a fan; None draws none.
        bias_adjust : bool, default=False
            Whether to forecast means, see :meth:`esnkit.Forecaster.forecast`.
        observed : array-like of shape (<= n_steps,) or (<= n_steps, n_series), default=None
            Observed values of the steps forecast, from the first step on.
        n_history : int, default=None
            Rows of history to show; None shows three times `n_steps`.
        column : int, default=0
            Which of several series to show.
        times : array-like of shape (n_timesteps + n_steps,), default=None
            Positions on the time axis of the rows seen and of the steps ahead; None takes the
            index of pandas, or counts.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.

        Returns
        -------
        ForecastDisplay
        """
        if not hasattr(forecaster, "forecast") or not hasattr(forecaster, "history"):
            raise TypeError(f"forecaster must be a fitted Forecaster, got {forecaster!r}")
        if n_history is not None:
            n_history = check_positive_int("n_history", n_history)
        levels = () if interval is None else tuple(np.atleast_1d(interval).tolist())
        forecasts = _forecast_with_intervals(forecaster, n_steps, exog, levels, bias_adjust)
        n_series = forecaster.n_features_in_
        column = check_column(column, n_series)
        observed = observed if observed is None or is_pandas(observed) else np.asarray(observed)
        if np.ndim(observed) == 2 and np.shape(observed)[1] != n_series:
            raise ValueError(f"observed must have {n_series} columns, got {np.shape(observed)[1]}")
        past = forecaster.history(3 * n_steps if n_history is None else n_history)
        lines = [_split(forecast, column, bool(levels)) for forecast in forecasts]
        return cls.from_predictions(
            column_of(past, column),
            lines[0][0],
            *(np.array([line[k] for line in lines]) for k in (1, 2) if levels),
            observed=None if observed is None else column_of(observed, column),
            interval=levels or None,
            **({} if times is None else split_times(times, len(past), n_steps)),
            ax=ax,
        )

    @classmethod
    def from_predictions(
        cls,
        history,
        forecast,
        lower=None,
        upper=None,
        *,
        observed=None,
        history_times=None,
        times=None,
        name=None,
        interval=None,
        ax=None,
    ):
        """Plot a forecast given as arrays.

        Parameters
        ----------
        history : array-like of shape (n_history,)
        forecast : array-like of shape (n_steps,)
        lower, upper : array-like of shape (n_steps,) or (n_intervals, n_steps), default=None
        observed : array-like of shape (<= n_steps,), default=None
        history_times, times : array-like, default=None
            Both or none, see the class. For pandas Series, None takes their index.
        name : str, default=None
        interval : float or sequence of float, default=None
        ax : matplotlib Axes, default=None

        Returns
        -------
        ForecastDisplay
        """
        if is_pandas(history) and is_pandas(forecast) and times is None:
            history_times, times = plain_times(history.index), plain_times(forecast.index)
            name = name if name is not None else history.name
        past, values = line_of("history", history), line_of("forecast", forecast)
        if (lower is None) != (upper is None):
            raise ValueError("lower and upper must be given together, got one of them")
        if (times is None) != (history_times is None):
            raise ValueError("times and history_times must be given together, got one of them")
        for argument, given, line in (
            ("times", times, values),
            ("history_times", history_times, past),
        ):
            if given is not None and len(given) != len(line):
                raise ValueError(f"{argument} must have {len(line)} values, got {len(given)}")
        observed = None if observed is None else line_of("observed", observed)
        if observed is not None and len(observed) > len(values):
            raise ValueError(
                f"observed must have at most {len(values)} values, as forecast, got {len(observed)}"
            )
        display = cls(
            past,
            values,
            lower=None if lower is None else _ends("lower", lower, len(values)),
            upper=None if upper is None else _ends("upper", upper, len(values)),
            observed=observed,
            history_times=history_times,
            times=times,
            name=name,
            interval=interval,
        )
        return display.plot(ax=ax)

    def plot(self, ax=None):
        """Draw the plot.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.

        Returns
        -------
        self : ForecastDisplay
        """
        plt = pyplot()
        if ax is None:
            _, ax = plt.subplots(figsize=(9, 4), layout="constrained")
        past, ahead = self._positions()
        # Lines start at the last value of the history, so that there is no gap.
        start, level = past[-1:], self.history[-1:]
        if self.lower is not None and self.upper is not None:
            self._plot_intervals(ax, ahead)
        plot_line(ax, past, self.history, color=GREY, linewidth=1.3, label="history")
        if self.observed is not None:
            x = np.concatenate([start, ahead[: len(self.observed)]])
            y = np.concatenate([level, self.observed])
            plot_line(ax, x, y, color=ORANGE, linewidth=1.3, label="observed")
        x, y = np.concatenate([start, ahead]), np.concatenate([level, self.forecast])
        plot_line(ax, x, y, color=BLUE, linewidth=2.0, label="forecast")
        ax.axvline(past[-1], color=GREY, linewidth=0.8, linestyle=(0, (2, 3)))
        self._style(ax, past, ahead)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _plot_intervals(self, ax, ahead):
        """Fill the intervals, the widest of a fan first and lightest."""
        lower, upper = np.atleast_2d(self.lower), np.atleast_2d(self.upper)
        levels = [None] * len(lower) if self.interval is None else np.atleast_1d(self.interval)
        order = np.argsort(lower.mean(axis=1) - upper.mean(axis=1), kind="stable")
        for rank, k in enumerate(order):
            label = "interval" if levels[k] is None else f"{100 * levels[k]:g} % interval"
            colour = mix_with_white(BLUE, 0.18 + 0.42 * rank / len(order))
            if len(ahead) == 1:  # between which there is nothing to fill
                ax.vlines(ahead, lower[k], upper[k], color=colour, linewidth=14, label=label)
            else:
                ax.fill_between(ahead, lower[k], upper[k], color=colour, linewidth=0, label=label)

    def _positions(self):
        """Positions of past and forecast on the time axis."""
        if self.times is None or self.history_times is None:
            n_past = len(self.history)
            return np.arange(1 - n_past, 1), np.arange(1, len(self.forecast) + 1)
        return np.asarray(self.history_times), np.asarray(self.times)

    def _style(self, ax, past, ahead):
        if np.issubdtype(past.dtype, np.datetime64):
            from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

            # Ticks counted from the 1st would overlap: the 29th or 31st, and the 1st after it.
            within_a_month = 4 <= (ahead[-1] - past[0]) / np.timedelta64(1, "D") <= 33
            locator = AutoDateLocator(minticks=4, maxticks=9, interval_multiples=not within_a_month)
            ax.xaxis.set_major_locator(locator)
            formatter = ConciseDateFormatter(locator)
            formatter.formats[2] = "%d %b"  # each tick names its month, the corner only the year
            formatter.offset_formats[2] = "%Y"
            ax.xaxis.set_major_formatter(formatter)
        elif self.times is None:
            set_whole_ticks(ax.xaxis)
            ax.set_xlabel("time steps after the history")
        if self.name is not None:
            ax.set_ylabel(str(self.name), parse_math=False)  # US$ or $/kWh are units
        style_axes(ax)
        n_entries = len(ax.get_legend_handles_labels()[1])
        # On the right: the upper left corner holds the power of ten of the tick labels.
        ax.legend(
            loc="lower right", bbox_to_anchor=(1, 1), ncols=n_entries, frameon=False, fontsize=9,
            borderaxespad=0.2, handlelength=1.6,
        )  # fmt: skip


def _forecast_with_intervals(forecaster, n_steps, exog, levels: tuple, bias_adjust) -> list:
    """Return a forecast for each level; several share their errors, which are computed once."""
    if len(levels) > 1:
        return forecaster._fan(n_steps, exog, levels, bias_adjust)
    options = {"bias_adjust": bias_adjust} if bias_adjust else {}  # not all forecasters have it
    return [forecaster.forecast(n_steps, exog, interval=levels[0] if levels else None, **options)]


def _split(forecast, column: int, has_interval: bool) -> tuple:
    """Return forecast, lower and upper of one series; the forecast alone without an interval."""
    if has_interval and (is_pandas(forecast) or frame_ndim(forecast)):
        return tuple(column_of(forecast, 3 * column + k) for k in range(3))
    parts = forecast if isinstance(forecast, tuple) else (forecast,)
    return tuple(column_of(part, column) for part in parts)


def _ends(argument: str, values, n_steps: int) -> np.ndarray:
    """Return ends of one interval (n_steps,), or of several (n_intervals, n_steps)."""
    if np.ndim(values) == 2 and len(values) > 1:
        return np.stack([line_of(argument, row, n_steps) for row in values])
    return line_of(argument, values[0] if np.ndim(values) == 2 else values, n_steps)
