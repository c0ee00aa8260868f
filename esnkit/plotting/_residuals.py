"""Plot of residuals: over time, as a histogram, and their autocorrelation."""

import numpy as np

from esnkit.plotting._common import (
    BLUE,
    GREY,
    ORANGE,
    line_of,
    plain_times,
    pyplot,
    set_whole_ticks,
    style_axes,
)
from esnkit.utils._pandas import is_pandas
from esnkit.utils._validation import check_column, check_positive_int

__all__ = ["ResidualsDisplay"]

MIN_RESIDUALS = 4
MAX_WINDOWS, LATE_SHARE = 200, 0.3  # of the backtest
MAX_LAGS = 40


class ResidualsDisplay:
    """Plot of one-step errors: over time, as a histogram, and their autocorrelation.

    Errors of a good model have mean zero, do not grow, and do not depend on each other: about one
    of twenty autocorrelations leaves the dashed lines, which are at 1.96 / sqrt(n).

    Make one with :meth:`from_forecaster` or :meth:`from_residuals`.

    Parameters
    ----------
    residuals : ndarray of shape (n_residuals,)
        Observed values minus forecasts.
    times : array-like of shape (n_residuals,), default=None
        Positions on the time axis; None counts.
    name : str, default=None
        Name of the series.

    Attributes
    ----------
    autocorrelation_ : ndarray of shape (n_lags,)
        At the lags 1, 2, ...
    axes_ : ndarray of matplotlib Axes, shape (3,)
    figure_ : matplotlib Figure

    References
    ----------
    Box, G. E. P. and Jenkins, G. M. (1970). Time Series Analysis: Forecasting and Control.
    (diagnostic checks)

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit.plotting import ResidualsDisplay
    >>> noise = np.random.default_rng(0).standard_normal(400)
    >>> display = ResidualsDisplay.from_residuals(noise)
    >>> bool(np.abs(display.autocorrelation_).max() < 0.2)
    True
    """

    def __init__(self, residuals, *, times=None, name=None):
        self.residuals = residuals
        self.times = times
        self.name = name

    @classmethod
    def from_forecaster(
        cls, forecaster, *, exog=None, past_exog=None, column=0, n_windows=None, times=None,
        axes=None,
    ):  # fmt: skip
        """Plot the one-step errors of a backtest over the end of the series.

        A clone is fitted to the rows before the first of them, so that they are errors of forecasts
        and not of a fit.

        Parameters
        ----------
        forecaster : Forecaster or AutoForecaster
            Fitted.
        exog : array-like of shape (n_timesteps, n_exog), default=None
            Inputs of the rows seen, if the forecaster was fitted with any.
        past_exog : array-like of shape (n_timesteps, n_past_exog), default=None
            Past-only inputs of the rows seen, if the forecaster was fitted with any.
        column : int, default=0
            Which of several series to show.
        n_windows : int, default=None
            Number of errors; None stands for the last 30 % of the series, at most 200.
        times : array-like of shape (n_timesteps,), default=None
            Positions of the rows seen on the time axis; None takes the index of pandas, or counts.
        axes : array-like of 3 matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.

        Returns
        -------
        ResidualsDisplay
        """
        if not hasattr(forecaster, "backtest") or not hasattr(forecaster, "history"):
            raise TypeError(f"forecaster must be a fitted Forecaster, got {forecaster!r}")
        n_series = forecaster.n_features_in_
        column = check_column(column, n_series)
        history = forecaster.history()
        if n_windows is None:
            n_windows = min(MAX_WINDOWS, max(MIN_RESIDUALS, int(LATE_SHARE * len(history))))
        n_windows = check_positive_int("n_windows", n_windows, minimum=MIN_RESIDUALS)
        series = forecaster._history_with_times()
        result = forecaster.backtest(series, 1, n_windows, exog=exog, past_exog=past_exog)
        observed, ahead = np.asarray(result.observed), np.asarray(result.forecasts)
        errors = (observed - ahead).reshape(n_windows, n_series)[:, column]
        seen = ~np.isnan(errors)  # of observed rows
        errors, index = errors[seen], np.flatnonzero(seen) - n_windows
        if times is None and is_pandas(history):
            times = plain_times(history.index)
        times = None if times is None else np.asarray(times)[index]
        return cls.from_residuals(errors, times=times, axes=axes)

    @classmethod
    def from_residuals(cls, residuals, *, times=None, name=None, axes=None):
        """Plot given residuals.

        Parameters
        ----------
        residuals : array-like of shape (n_residuals,)
            At least 4.
        times : array-like of shape (n_residuals,), default=None
        name : str, default=None
        axes : array-like of 3 matplotlib Axes, default=None

        Returns
        -------
        ResidualsDisplay
        """
        line = line_of("residuals", residuals)
        if len(line) < MIN_RESIDUALS or not np.isfinite(line).all():
            raise ValueError(
                f"residuals must hold at least {MIN_RESIDUALS} finite values, got {len(line)}"
            )
        if times is not None and len(times) != len(line):
            raise ValueError(f"times must have {len(line)} values, got {len(times)}")
        return cls(line, times=times, name=name).plot(axes=axes)

    def plot(self, axes=None):
        """Draw the plot.

        Parameters
        ----------
        axes : array-like of 3 matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.

        Returns
        -------
        self : ResidualsDisplay
        """
        plt = pyplot()
        if axes is None:
            _, grid = plt.subplot_mosaic("aa;bc", figsize=(9, 5), layout="constrained")
            axes = [grid[key] for key in "abc"]
        over_time, histogram, correlogram = axes
        self.autocorrelation_ = _autocorrelation(self.residuals)
        times = np.arange(1, len(self.residuals) + 1) if self.times is None else self.times
        over_time.plot(times, self.residuals, color=BLUE, linewidth=1.0)
        over_time.axhline(0.0, color=GREY, linewidth=0.8)
        over_time.set_title("one-step errors", loc="left", fontsize=10)
        if self.name is not None:
            over_time.set_ylabel(str(self.name), parse_math=False)
        self._plot_histogram(histogram)
        self._plot_autocorrelation(correlogram)
        for ax in axes:
            style_axes(ax)
        self.axes_, self.figure_ = np.array(axes, dtype=object), over_time.figure
        return self

    def _plot_histogram(self, ax):
        """Draw the histogram, with the normal density of the same mean and deviation."""
        ax.hist(self.residuals, bins="auto", density=True, color=BLUE, alpha=0.4)
        unit = np.abs(self.residuals).max() or 1.0  # whose square may leave the range of float64
        mean, deviation = self.residuals.mean(), (self.residuals / unit).std() * unit
        if deviation > 0:
            x = np.linspace(mean - 3.5 * deviation, mean + 3.5 * deviation, 200)
            density = np.exp(-(((x - mean) / deviation) ** 2) / 2) / np.sqrt(2 * np.pi) / deviation
            ax.plot(x, density, color=ORANGE, linewidth=1.3, label="normal")
            ax.legend(frameon=False, fontsize=9)
        ax.set_title("distribution", loc="left", fontsize=10)

    def _plot_autocorrelation(self, ax):
        lags = np.arange(1, len(self.autocorrelation_) + 1)
        ax.vlines(lags, 0.0, self.autocorrelation_, color=BLUE, linewidth=2.0)
        ax.axhline(0.0, color=GREY, linewidth=0.8)
        ax.set_xlim(0.5, len(lags) + 0.5)
        set_whole_ticks(ax.xaxis)
        limit = 1.96 / np.sqrt(len(self.residuals))
        for level in (-limit, limit):
            ax.axhline(level, color=ORANGE, linewidth=1.0, linestyle="--")
        ax.set_title("autocorrelation", loc="left", fontsize=10)
        ax.set_xlabel("lag")


def _autocorrelation(residuals: np.ndarray) -> np.ndarray:
    """Return the autocorrelation at lags 1, 2, ..., up to a quarter of the residuals."""
    centred = residuals - residuals.mean() if np.ptp(residuals) else np.zeros(len(residuals))
    centred /= np.abs(centred).max() or 1.0  # squares do not leave the range of float64
    total = centred @ centred
    n_lags = max(1, min(MAX_LAGS, len(residuals) // 4))
    products = [centred[lag:] @ centred[:-lag] for lag in range(1, n_lags + 1)]
    return np.array(products) / total if total > 0 else np.zeros(n_lags)
