"""Pictures in scikit-learn's manner: `...Display.from_...(...)`, then `.plot()` again at will.

matplotlib is loaded by the first picture, not by the import.
"""

from collections.abc import Mapping

import numpy as np

from esnkit.labels import is_pandas
from esnkit.validation import check_flag, check_positive_int

__all__ = ["ForecastDisplay", "GradientNormDisplay"]

# Okabe and Ito (2008): told apart with any colour vision, and on paper
_BLUE, _ORANGE, _GREY = "#0072B2", "#D55E00", "#4D4D4D"
_COLOURS = (_BLUE, _ORANGE, "#009E73", "#CC79A7", "#E69F00", "#56B4E9", _GREY)
_STYLES = ("-", "--", ":", "-.")


def _pyplot():
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            "pictures need matplotlib, which is not installed: pip install 'esnkit[plot]'"
        ) from error
    return plt


class ForecastDisplay:
    """Picture of a forecast: the past, what is forecast, its interval, and what came.

    Make one with :meth:`from_forecaster` or :meth:`from_predictions`.

    Parameters
    ----------
    history : ndarray of shape (n_history,)
        The end of the series that the forecast goes on from.
    forecast : ndarray of shape (n_steps,)
    lower, upper : ndarray of shape (n_steps,), default=None
        Ends of an interval.
    truth : ndarray of shape (<= n_steps,), default=None
        What came.
    history_times, times : array-like, default=None
        Positions on the time axis (numbers or dates); None counts time steps, the
        first one forecast being 1.
    name : str, default=None
        Name of the series, the label of the vertical axis.
    interval : float, default=None
        Coverage of the interval, for the legend.

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
        truth=None,
        history_times=None,
        times=None,
        name=None,
        interval=None,
    ):
        self.history = history
        self.forecast = forecast
        self.lower = lower
        self.upper = upper
        self.truth = truth
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
        truth=None,
        n_history=None,
        column=0,
        ax=None,
    ):
        """Forecast with a fitted :class:`Forecaster` and plot.

        Parameters
        ----------
        forecaster : Forecaster
        n_steps : int >= 1
        exog : array-like of shape (>= n_steps, n_exog), default=None
        interval : float in (0, 1), default=None
        truth : array-like of shape (<= n_steps,) or (<= n_steps, n_series), default=None
            What came; its first row is that of the first step.
        n_history : int, default=None
            Rows of the past to show; None stands for three times `n_steps`.
        column : int, default=0
            Which of several series to show.
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
        answer = forecaster.forecast(n_steps, exog, interval)
        n_series = forecaster.n_features_in_
        if check_positive_int("column", column, minimum=0) >= n_series:
            raise ValueError(f"column must be an integer from 0 to {n_series - 1}, got {column}")
        truth = truth if truth is None or is_pandas(truth) else np.asarray(truth)
        if np.ndim(truth) == 2 and np.shape(truth)[1] != n_series:
            raise ValueError(f"truth must have {n_series} columns, got {np.shape(truth)[1]}")
        past = forecaster.history(3 * n_steps if n_history is None else n_history)
        parts = answer if isinstance(answer, tuple) else (answer,)
        if is_pandas(answer) and interval is not None:
            parts = tuple(answer.iloc[:, 3 * column + k] for k in range(3))
        return cls.from_predictions(
            _column(past, column),
            *(_column(part, column) for part in parts),
            truth=None if truth is None else _column(truth, column),
            interval=interval,
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
        truth=None,
        history_times=None,
        times=None,
        name=None,
        interval=None,
        ax=None,
    ):
        """Plot a forecast that has been made.

        Parameters
        ----------
        history : array-like of shape (n_history,)
        forecast : array-like of shape (n_steps,)
        lower, upper : array-like of shape (n_steps,), default=None
        truth : array-like of shape (<= n_steps,), default=None
        history_times, times : array-like, default=None
            Both or none, see the class. A pandas Series brings its own index.
        name : str, default=None
        interval : float, default=None
        ax : matplotlib Axes, default=None

        Returns
        -------
        ForecastDisplay
        """
        if is_pandas(history) and is_pandas(forecast) and times is None:
            history_times, times = _plain_times(history.index), _plain_times(forecast.index)
            name = name if name is not None else history.name
        past, values = _line("history", history), _line("forecast", forecast)
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
        truth = None if truth is None else _line("truth", truth)
        if truth is not None and len(truth) > len(values):
            raise ValueError(
                f"truth must have at most {len(values)} values, as forecast, got {len(truth)}"
            )
        display = cls(
            past,
            values,
            lower=None if lower is None else _line("lower", lower, len(values)),
            upper=None if upper is None else _line("upper", upper, len(values)),
            truth=truth,
            history_times=history_times,
            times=times,
            name=name,
            interval=interval,
        )
        return display.plot(ax=ax)

    def plot(self, ax=None):
        """Draw the picture.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.

        Returns
        -------
        self : ForecastDisplay
        """
        plt = _pyplot()
        if ax is None:
            _, ax = plt.subplots(figsize=(9, 4), layout="constrained")
        past, ahead = self._positions()
        # the forecast starts where the past ends, so that the line does not break
        start, level = past[-1:], self.history[-1:]
        if self.lower is not None and self.upper is not None:
            label = "interval" if self.interval is None else f"{100 * self.interval:g} % interval"
            ax.fill_between(
                ahead, self.lower, self.upper, color=_BLUE, alpha=0.18, linewidth=0, label=label
            )
        ax.plot(past, self.history, color=_GREY, linewidth=1.3, label="observed")
        if self.truth is not None:
            x = np.concatenate([start, ahead[: len(self.truth)]])
            y = np.concatenate([level, self.truth])
            ax.plot(x, y, color=_ORANGE, linewidth=1.3, label="what came")
        x, y = np.concatenate([start, ahead]), np.concatenate([level, self.forecast])
        ax.plot(x, y, color=_BLUE, linewidth=2.0, label="forecast")
        ax.axvline(past[-1], color=_GREY, linewidth=0.8, linestyle=(0, (2, 3)))
        self._dress(ax, past, ahead)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _positions(self):
        """Positions of past and forecast on the time axis."""
        if self.times is None or self.history_times is None:
            n_past = len(self.history)
            return np.arange(1 - n_past, 1), np.arange(1, len(self.forecast) + 1)
        return np.asarray(self.history_times), np.asarray(self.times)

    def _dress(self, ax, past, ahead):
        if np.issubdtype(past.dtype, np.datetime64):
            from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

            # days counted from the 1st would put the 29th or 31st beside the 1st that follows
            within_a_month = 4 <= (ahead[-1] - past[0]) / np.timedelta64(1, "D") <= 33
            locator = AutoDateLocator(minticks=4, maxticks=9, interval_multiples=not within_a_month)
            ax.xaxis.set_major_locator(locator)
            formatter = ConciseDateFormatter(locator)
            formatter.formats[2] = "%d %b"  # a day says its month, and the corner the year alone
            formatter.offset_formats[2] = "%Y"
            ax.xaxis.set_major_formatter(formatter)
        elif self.times is None:
            ax.set_xlabel("time steps from now")
        if self.name is not None:
            ax.set_ylabel(str(self.name), parse_math=False)  # US$ or $/kWh is no formula
        _quieten(ax)
        n_labels = len(ax.get_legend_handles_labels()[1])
        # on the right, for on the left stands the power of ten or the offset of the labels
        ax.legend(
            loc="lower right", bbox_to_anchor=(1, 1), ncols=n_labels, frameon=False, fontsize=9,
            borderaxespad=0.2, handlelength=1.6,
        )  # fmt: skip


class GradientNormDisplay:
    """Picture of how much of the gradient arrives at each time step, on a logarithmic scale.

    A line that falls towards the first steps is a gradient that vanishes on its way back in time,
    and what came early is not learned; one that rises is a gradient that explodes. What the cells
    of an LSTM hand back beside its units is not in its line, which may fall faster than the
    network forgets. Make a picture with :meth:`from_estimator` or :meth:`from_estimators`; another
    on the same axes adds its lines to it. A network fitted with ``max_iter=0`` shows the weights
    that training would start from.

    Parameters
    ----------
    norms : dict of str to ndarray of shape (n_layers, n_timesteps)
        Of every network, by its name, what ``gradient_norms`` returns.
    relative : bool, default=False
        Whether every line is drawn as a share of its value at the last time step.

    Attributes
    ----------
    lines_ : list of matplotlib Line2D
        The lines of the last `plot`, layer by layer.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> from esnkit.datasets import make_adding
    >>> from esnkit.plotting import GradientNormDisplay
    >>> from esnkit import RNNRegressor
    >>> X, y, _ = make_adding(20, 30, random_state=0)
    >>> networks = {
    ...     cell: RNNRegressor(8, cell=cell, max_iter=0, random_state=0).fit(X, y)
    ...     for cell in ("rnn", "lstm")
    ... }
    >>> display = GradientNormDisplay.from_estimators(networks, X, y)
    >>> [line.get_label() for line in display.lines_]
    ['rnn', 'lstm']
    """

    def __init__(self, norms, *, relative=False):
        self.norms = norms
        self.relative = relative

    @classmethod
    def from_estimator(
        cls, estimator, X, y, *, sample_weight=None, name=None, relative=False, ax=None, **kwargs
    ):
        """Measure a fitted network and plot.

        Parameters
        ----------
        estimator : RNNRegressor or RNNClassifier
        X, y : as in ``estimator.fit``
            The sequences whose loss is followed back.
        sample_weight : array-like, default=None
            The teaching signal, as in ``fit``.
        name : str, default=None
            Name in the legend; None stands for that of the class.
        relative : bool, default=False
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.
        **kwargs : properties of the lines
            As in :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        GradientNormDisplay
        """
        named = {type(estimator).__name__ if name is None else name: estimator}
        return cls.from_estimators(
            named, X, y, sample_weight=sample_weight, relative=relative, ax=ax, **kwargs
        )

    @classmethod
    def from_estimators(
        cls, estimators, X, y, *, sample_weight=None, relative=False, ax=None, **kwargs
    ):
        """Measure several fitted networks on the same sequences and plot.

        Parameters
        ----------
        estimators : dict of str to RNNRegressor or RNNClassifier
            The networks by their names in the legend.
        X, y, sample_weight, relative, ax, **kwargs
            As in :meth:`from_estimator`.

        Returns
        -------
        GradientNormDisplay

        Raises
        ------
        TypeError
            If ``estimators`` is no dict, or one of them is no trained network.
        """
        if not isinstance(estimators, Mapping):
            raise TypeError(
                f"estimators must be a dict of networks by name, got {type(estimators).__name__}"
            )
        for name, estimator in estimators.items():
            if not hasattr(estimator, "gradient_norms"):
                raise TypeError(
                    f"the estimator {name!r} must be an RNNRegressor or RNNClassifier, got "
                    f"{type(estimator).__name__}"
                )
        norms = {
            name: estimator.gradient_norms(X, y, sample_weight)
            for name, estimator in estimators.items()
        }
        return cls(norms, relative=relative).plot(ax=ax, **kwargs)

    def plot(self, ax=None, **kwargs):
        """Draw the picture.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.
        **kwargs : properties of the lines
            As in :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        self : GradientNormDisplay
        """
        check_flag("relative", self.relative)
        if not isinstance(self.norms, Mapping) or not self.norms:
            raise ValueError(f"norms must be a dict of norms by name, got {self.norms!r}")
        plt = _pyplot()
        curves = self._curves()
        if ax is None:
            _, ax = plt.subplots(figsize=(9, 4.5), layout="constrained")
        self.lines_ = []
        for label, values in curves:
            k = len(ax.get_lines())
            look = {
                "color": _COLOURS[k % len(_COLOURS)],
                "linestyle": _STYLES[k // len(_COLOURS) % len(_STYLES)],
                "linewidth": 1.6,
            }
            self.lines_ += ax.plot(values, label=label, **look | kwargs)
        self._dress(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _curves(self):
        """Pair every line with its label."""
        curves = []
        for name, norms in self.norms.items():
            for layer, values in enumerate(norms):
                label = name if len(norms) == 1 else f"{name}, layer {layer + 1}"
                if self.relative and not values[-1] > 0:
                    raise ValueError(
                        f"relative=True needs a gradient at the last time step, and that of "
                        f"{label!r} is zero: use relative=False"
                    )
                curves.append((label, values / values[-1] if self.relative else values))
        return curves

    def _dress(self, ax):
        ax.set_yscale("log", nonpositive="mask")  # what is too small for its type is no line
        ax.set_xlabel("time step t")
        of_what = ", that of the last step = 1" if self.relative else ""
        ax.set_ylabel(f"norm of ∂ loss / ∂ h(t){of_what}")
        _quieten(ax)
        ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, fontsize=9)


def _quieten(ax):
    """Take from axes what is no data."""
    ax.margins(x=0.01)
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_linewidth(0.6)
    ax.tick_params(width=0.6, labelsize=9)
    ax.grid(axis="y", color="0.9", linewidth=0.6)
    ax.set_axisbelow(True)


def _column(table, column: int):
    """Take one column of a table of any kind, or the whole of a 1-D one."""
    if np.ndim(table) < 2:
        return table
    return table.iloc[:, column] if is_pandas(table) else np.asarray(table)[:, column]


def _line(argument: str, values, length: int | None = None) -> np.ndarray:
    try:
        line = np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{argument} must hold numbers: {error}") from None
    if line.ndim == 2 and line.shape[1] == 1:
        line = line[:, 0]
    if line.ndim != 1 or not line.size:
        raise ValueError(f"{argument} must be 1-D and not empty, got shape {line.shape}")
    if length is not None and len(line) != length:
        raise ValueError(
            f"{argument} must have as many values as forecast, {length}, got {len(line)}"
        )
    return line


def _plain_times(index):
    """Turn a pandas index into numbers or datetime64 values; None stays None."""
    if index is None:
        return None
    if hasattr(index, "to_timestamp"):
        index = index.to_timestamp()
    if getattr(index, "tz", None) is not None:
        index = index.tz_localize(None)
    return index.to_numpy()
