"""Plot of a series, its season terms, and the rest."""

import numpy as np

from esnkit.plotting._common import (
    BLUE,
    GREY,
    ORANGE,
    column_of,
    line_of,
    plain_times,
    plot_line,
    pyplot,
    style_axes,
)
from esnkit.utils._pandas import is_pandas

__all__ = ["DecompositionDisplay"]


class DecompositionDisplay:
    """Plot of a series, of each of its seasons, and of the rest.

    Make one with :meth:`from_forecaster`.

    Parameters
    ----------
    series, rest : ndarray of shape (n_timesteps,)
    seasonal : ndarray of shape (n_timesteps, n_seasons)
    periods : list of float
        Of the seasons, in time steps.
    times : array-like of shape (n_timesteps,), default=None
        Positions on the time axis; None counts.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes, shape (2 + n_seasons,)
    figure_ : matplotlib Figure

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit import AutoForecaster
    >>> from esnkit.plotting import DecompositionDisplay
    >>> model = AutoForecaster(seasons=[6]).fit(np.tile([0.0, 1, 3, 2, 1, 0], 12))
    >>> len(DecompositionDisplay.from_forecaster(model).axes_)
    3
    """

    def __init__(self, series, seasonal, rest, periods, *, times=None):
        self.series = series
        self.seasonal = seasonal
        self.rest = rest
        self.periods = periods
        self.times = times

    @classmethod
    def from_forecaster(cls, forecaster, *, column=0, n_history=None, times=None, axes=None):
        """Plot the decomposition of the rows that a fitted :class:`AutoForecaster` has seen.

        Parameters
        ----------
        forecaster : AutoForecaster
        column : int, default=0
            Which of several series to show.
        n_history : int, default=None
            Number of rows to show, the last ones; None shows all.
        times : array-like of shape (n_timesteps,), default=None
            Positions of the rows seen on the time axis; None takes the index of pandas, or counts.
        axes : array-like of matplotlib Axes, default=None
            Axes to draw on, two more than seasons; None makes a new figure.

        Returns
        -------
        DecompositionDisplay
        """
        if not hasattr(forecaster, "decompose"):
            raise TypeError(f"forecaster must be a fitted AutoForecaster, got {forecaster!r}")
        parts = forecaster.decompose(column=column)
        history = forecaster.history(n_history)
        last = slice(-len(history), None)
        if times is None and is_pandas(history):
            times = plain_times(history.index)
        times = None if times is None else np.asarray(times)[last]
        series = line_of("series", column_of(history, column))
        display = cls(series, parts.seasonal[last], parts.rest[last], parts.periods, times=times)
        return display.plot(axes=axes)

    def plot(self, axes=None):
        """Draw the plot.

        Parameters
        ----------
        axes : array-like of matplotlib Axes, default=None
            Axes to draw on, two more than seasons; None makes a new figure.

        Returns
        -------
        self : DecompositionDisplay
        """
        plt = pyplot()
        n_axes = 2 + len(self.periods)
        if axes is None:
            size = (9, 1.2 + 1.4 * n_axes)
            _, axes = plt.subplots(n_axes, sharex=True, figsize=size, layout="constrained")
        axes = np.asarray(axes, dtype=object).ravel()
        if len(axes) != n_axes:
            raise ValueError(f"axes must be {n_axes} axes, two more than seasons, got {len(axes)}")
        times = np.arange(1 - len(self.series), 1) if self.times is None else self.times
        titles = ["series", *(f"season of {period:g} steps" for period in self.periods), "rest"]
        lines = [self.series, *self.seasonal.T, self.rest]
        colours = [GREY, *[BLUE] * len(self.periods), ORANGE]
        for ax, title, line, colour in zip(axes, titles, lines, colours, strict=True):
            plot_line(ax, times, line, color=colour, linewidth=1.1)
            ax.set_title(title, loc="left", fontsize=10)
            style_axes(ax)
        self.axes_, self.figure_ = axes, axes[0].figure
        return self
