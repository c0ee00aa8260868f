"""Plot of trajectories in the space of their states."""

from collections.abc import Mapping

import numpy as np

from esnkit.forecasting import forecast
from esnkit.plotting._common import COLOURS, GREY, as_label, pyplot
from esnkit.utils._pandas import is_pandas
from esnkit.utils._validation import check_column, check_positive_int, finite_array

__all__ = ["AttractorDisplay"]


class AttractorDisplay:
    """Trajectories in two or three coordinates: a true one and that of a model that runs freely.

    A free run that forecasts only for a while can have the attractor of the system nevertheless:
    the same shape, visited as often. Coordinates are columns of the series, or values of one column
    at several delays, whose trajectory has the same topology as that of all columns [1]_. Make one
    with :meth:`from_estimator` or :meth:`from_series`.

    Parameters
    ----------
    trajectories : dict of str to array of shape (n_timesteps,) or (n_timesteps, n_features)
        By name, the true one first.
    columns : int or sequence of two or three int, default=None
        Which columns are the coordinates; a single number stands for delay coordinates of that
        column. None stands for the first three columns, for both of two, and for delay coordinates
        of a single one.
    delay : int, default=None
        Steps from one delay coordinate to the next. None stands for the first delay at which the
        autocorrelation of the first trajectory is below 1/e.
    n_dimensions : {2, 3}, default=3
        Number of delay coordinates.

    Attributes
    ----------
    lines_ : list of matplotlib Line2D
        One for every trajectory.
    axes_ : ndarray of matplotlib Axes
        Those of every trajectory.
    ax_ : matplotlib Axes
        Those of the first trajectory.
    figure_ : matplotlib Figure

    References
    ----------
    .. [1] F. Takens (1981), Detecting strange attractors in turbulence, Lecture Notes in
       Mathematics 898.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit.plotting import AttractorDisplay
    >>> wave = np.sin(np.arange(200) / 10)
    >>> display = AttractorDisplay.from_series({"sine": wave}, delay=16, n_dimensions=2)
    >>> display.ax_.get_xlabel(), display.ax_.get_ylabel()
    ('x(t)', 'x(t - 16)')
    """

    def __init__(self, trajectories, *, columns=None, delay=None, n_dimensions=3):
        self.trajectories = trajectories
        self.columns = columns
        self.delay = delay
        self.n_dimensions = n_dimensions

    @classmethod
    def from_estimator(
        cls, estimator, X, n_steps, *, columns=None, delay=None, n_dimensions=3, axes=None
    ):
        """Run a fitted one-step model freely over the last rows of a series, and plot both.

        Parameters
        ----------
        estimator : fitted regressor
            Predicts, for every row, the next one, as for :func:`esnkit.forecast`.
        X : array-like of shape (n_timesteps,) or (n_timesteps, n_features)
            The series. The model reads the rows before the last `n_steps`.
        n_steps : int >= 1
            Number of rows of the free run.
        columns, delay, n_dimensions
            As for the class.
        axes : matplotlib Axes or sequence of two, default=None
            As for :meth:`plot`.

        Returns
        -------
        AttractorDisplay
        """
        rows = _trajectory("X", X)
        if check_positive_int("n_steps", n_steps) >= len(rows):
            raise ValueError(
                f"n_steps must be smaller than the number of rows of X, {len(rows)}, got {n_steps}"
            )
        known = X.iloc[:-n_steps] if is_pandas(X) else rows[:-n_steps]
        free = forecast(estimator, known, n_steps)
        given = {"true": rows[-n_steps:], "free run": free}
        options = {"columns": columns, "delay": delay, "n_dimensions": n_dimensions}
        return cls.from_series(given, axes=axes, **options)

    @classmethod
    def from_series(cls, trajectories, *, columns=None, delay=None, n_dimensions=3, axes=None):
        """Plot series by name.

        Parameters
        ----------
        trajectories, columns, delay, n_dimensions
            As for the class.
        axes : matplotlib Axes or sequence of these, default=None
            As for :meth:`plot`.

        Returns
        -------
        AttractorDisplay
        """
        display = cls(trajectories, columns=columns, delay=delay, n_dimensions=n_dimensions)
        return display.plot(axes=axes)

    def plot(self, axes=None, **kwargs):
        """Draw the plot.

        Parameters
        ----------
        axes : matplotlib Axes or sequence of these, default=None
            One for every trajectory, or one for all; of the projection "3d" for three coordinates.
            None makes a new figure with one for every trajectory.
        **kwargs : properties of the lines
            As in :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        self : AttractorDisplay
        """
        points, labels = self._coordinates()
        if axes is None:
            axes = _make_axes(len(points), len(labels))
        axes = np.atleast_1d(np.array(axes, object))
        if len(axes) not in (1, len(points)):
            raise ValueError(
                f"axes must be one, or {len(points)} for as many trajectories, got {len(axes)}"
            )
        self.lines_, self.axes_ = [], np.resize(axes, len(points))
        colours = [GREY, *COLOURS]  # the true trajectory is grey
        for k, (name, rows) in enumerate(points.items()):
            look = {"color": colours[k % len(colours)], "linewidth": 0.7, "label": as_label(name)}
            if not np.ptp(rows, axis=0).any():  # a point is no line
                look["marker"] = "o"
            self.lines_ += self.axes_[k].plot(*rows.T, **look | kwargs)
        limits = [(rows.min(axis=0), rows.max(axis=0)) for rows in points.values()]
        low, high = np.min([ends[0] for ends in limits], 0), np.max([ends[1] for ends in limits], 0)
        for ax in axes:
            _style(ax, labels, low, high)
        self.ax_, self.figure_ = axes[0], axes[0].figure
        return self

    def _coordinates(self):
        """Return the points (n_points, n_dimensions) of every trajectory, and their names."""
        if not isinstance(self.trajectories, Mapping) or not self.trajectories:
            raise TypeError(
                f"trajectories must be a dict of series by name, got {self.trajectories!r}"
            )
        given = {n: _trajectory(f"trajectory {n!r}", rows) for n, rows in self.trajectories.items()}
        first = next(iter(given.values()))
        if len({rows.shape[1] for rows in given.values()}) > 1:
            widths = {name: rows.shape[1] for name, rows in given.items()}
            raise ValueError(f"trajectories must have equally many columns, got {widths}")
        columns = _columns(self.columns, first.shape[1])
        if len(columns) > 1:
            labels = [f"column {column}" for column in columns]
            return {name: rows[:, columns] for name, rows in given.items()}, labels
        given = {name: rows[:, columns[0]] for name, rows in given.items()}
        if check_positive_int("n_dimensions", self.n_dimensions) not in (2, 3):
            raise ValueError(f"n_dimensions must be 2 or 3, got {self.n_dimensions!r}")
        delay = self.delay
        delay = _decay_time(first[:, columns[0]]) if delay is None else delay
        lags = check_positive_int("delay", delay) * np.arange(self.n_dimensions)
        labels = ["x(t)", *(f"x(t - {lag})" for lag in lags[1:])]
        return {name: _delayed(name, values, lags) for name, values in given.items()}, labels


def _trajectory(name, values):
    """Return finite rows (n_timesteps, n_features), or raise."""
    rows = finite_array(name, values)
    if rows.ndim not in (1, 2) or not rows.size:
        raise ValueError(
            f"{name} must be of shape (n_timesteps,) or (n_timesteps, n_features), got {rows.shape}"
        )
    return rows.reshape(len(rows), -1)


def _columns(columns, n_features):
    """Return one, two or three numbers of columns, or raise."""
    if columns is None:
        return list(range(min(n_features, 3)))
    chosen = np.atleast_1d(np.array(columns, object)).tolist()
    if not 1 <= len(chosen) <= 3:
        raise ValueError(f"columns must be one, two or three numbers of columns, got {columns!r}")
    return [check_column(column, n_features, "each of columns") for column in chosen]


def _decay_time(values):
    """Return the first delay at which the autocorrelation is below 1/e, 1 if there is none."""
    centred = values - values.mean()
    power = np.abs(np.fft.rfft(centred, 2 * len(values))) ** 2
    covariance = np.fft.irfft(power)[: len(values)]
    return max(int(np.argmax(covariance < covariance[0] / np.e)), 1)


def _delayed(name, values, lags):
    """Return the rows (x(t), x(t - lag), ...)."""
    reach = lags[-1]
    if len(values) <= reach:
        raise ValueError(
            f"trajectory {name!r} must have more than {reach} time steps, the largest delay, got "
            f"{len(values)}: choose a smaller delay"
        )
    return np.stack([values[reach - lag : len(values) - lag] for lag in lags], axis=1)


def _make_axes(n_axes, n_dimensions):
    plt = pyplot()
    _, axes = plt.subplots(
        1, n_axes, figsize=(min(4.6 * n_axes, 14), 4.6), layout="constrained", squeeze=False,
        subplot_kw={"projection": "3d"} if n_dimensions == 3 else {},
    )  # fmt: skip
    return axes[0]


def _style(ax, labels, low, high):
    """Label the coordinates, with the same limits for all trajectories."""
    if hasattr(ax, "set_zlim") != (len(labels) == 3):
        raise ValueError(
            f"axes must be of the projection '3d' for three coordinates only, got {ax!r} for "
            f"{len(labels)}"
        )
    from matplotlib.ticker import MaxNLocator

    margin = 0.03 * np.where(high > low, high - low, 1.0)
    for axis, label, start, stop in zip("xyz", labels, low - margin, high + margin, strict=False):
        getattr(ax, f"set_{axis}lim")(start, stop)
        getattr(ax, f"set_{axis}label")(label)
        getattr(ax, f"{axis}axis").set_major_locator(MaxNLocator(5))
    ax.tick_params(width=0.6, labelsize=8)
    if len(labels) == 3:
        ax.set_box_aspect(None, zoom=0.86)  # room for the label of the vertical axis
    else:
        ax.spines[["top", "right"]].set_visible(False)
        ax.grid(color="0.9", linewidth=0.6)
        ax.set_axisbelow(True)
    above = (0, 1 if len(labels) == 2 else 0.93)
    ax.legend(loc="lower left", bbox_to_anchor=above, ncols=2, frameon=False, fontsize=9)
