"""Plot of the candidates of an automatic forecast: the error of each, and which are members."""

from typing import Any

import numpy as np

from esnkit.plotting._common import BLUE, COLOURS, GREY, ORANGE, pyplot, style_axes
from esnkit.utils._validation import check_column

__all__ = ["CandidatesDisplay"]

MAX_RANGE = 100.0  # candidates with a larger multiple of the smallest error stand at the edge

CANDIDATE: dict[str, Any] = {"color": GREY, "alpha": 0.45, "markersize": 5}
MEMBER: dict[str, Any] = {"color": BLUE, "markersize": 8}


class CandidatesDisplay:
    """Plot of the errors of candidates in rolling forecasts, beside those of baselines.

    Make one with :meth:`from_forecaster`.

    Parameters
    ----------
    labels : list of str
        Kinds of candidates.
    errors : list of ndarray
        Errors of the candidates of every kind.
    members : list of ndarray
        Errors of those of them that are members of the forecast.
    error : float
        Of the combination of the members.
    baselines : dict of str to float
        Errors of simple forecasts.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit import AutoForecaster
    >>> from esnkit.plotting import CandidatesDisplay
    >>> model = AutoForecaster(horizon=6).fit(np.sin(np.arange(60) / 2))
    >>> CandidatesDisplay.from_forecaster(model).ax_.get_xscale()
    'log'
    """

    def __init__(self, labels, errors, members, error, baselines):
        self.labels = labels
        self.errors = errors
        self.members = members
        self.error = error
        self.baselines = baselines

    @classmethod
    def from_forecaster(cls, forecaster, *, column=0, ax=None):
        """Plot the candidates of a fitted :class:`AutoForecaster`.

        Parameters
        ----------
        forecaster : AutoForecaster
        column : int, default=0
            Which of several series to show.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.

        Returns
        -------
        CandidatesDisplay
        """
        if not hasattr(forecaster, "candidates_") or not hasattr(forecaster, "decompose"):
            raise TypeError(f"forecaster must be a fitted AutoForecaster, got {forecaster!r}")
        n_series = forecaster.n_features_in_
        column = check_column(column, n_series)
        candidates, members, error, baselines = (
            part[column] if n_series > 1 else part
            for part in (
                forecaster.candidates_, forecaster.members_, forecaster.error_,
                forecaster.baselines_,
            )
        )  # fmt: skip
        kinds: dict[str, list] = {}
        for candidate in candidates:
            kinds.setdefault(_kind(candidate), []).append(candidate["error"])
        chosen = [(_kind(member), member["error"]) for member in members]
        of_kind = [np.array([e for kind, e in chosen if kind == label]) for label in kinds]
        errors = [np.array(values) for values in kinds.values()]
        return cls(list(kinds), errors, of_kind, error, baselines).plot(ax=ax)

    def plot(self, ax=None):
        """Draw the plot.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.

        Returns
        -------
        self : CandidatesDisplay
        """
        plt = pyplot()
        from matplotlib.ticker import LogFormatter

        if ax is None:
            height = 1.6 + 0.32 * len(self.labels)
            _, ax = plt.subplots(figsize=(9, height), layout="constrained")
        smallest = max(np.concatenate(self.errors).min(), np.finfo(float).tiny)
        limit = MAX_RANGE * smallest
        for row, (errors, members) in enumerate(zip(self.errors, self.members, strict=True)):
            ax.plot(np.clip(errors, smallest, limit), np.full(len(errors), row), "o", **CANDIDATE)
            ax.plot(members, np.full(len(members), row), "o", **MEMBER)
        ax.plot([], [], "o", label="candidate", **CANDIDATE)
        ax.plot([], [], "o", label="member", **MEMBER)
        ax.axvline(self.error, color=BLUE, linewidth=1.5, label="forecast")
        colours = (ORANGE, *COLOURS[2:6])
        for k, (name, error) in enumerate(self.baselines.items()):
            style = "--" if k < len(colours) else ":"
            ax.axvline(
                min(error, limit), color=colours[k % len(colours)], linestyle=style, linewidth=1.3,
                label=name,
            )  # fmt: skip
        ax.set_xscale("log")
        ax.xaxis.set_major_formatter(LogFormatter())
        ax.xaxis.set_minor_formatter(LogFormatter(minor_thresholds=(1, 0.5)))
        ax.set_yticks(range(len(self.labels)), self.labels)
        ax.invert_yaxis()
        cut = max([np.concatenate(self.errors).max(), *self.baselines.values()]) > limit
        shown = f", at most {limit:.3g} shown" if cut else ""
        ax.set_xlabel(f"mean absolute error of rolling forecasts{shown}")
        style_axes(ax)
        ax.grid(axis="x", color="0.9", linewidth=0.6)
        ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False, fontsize=9)
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _kind(candidate: dict) -> str:
    """Name the differences, the transform and the inputs of a candidate."""
    lags = candidate["differences"]
    words = [f"differences {', '.join(map(str, lags))}" if lags else "no differences"]
    if candidate["power"] is not None:
        words.append("logarithm" if candidate["power"] == 0 else f"power {candidate['power']:g}")
    if candidate["seasons"]:
        words += [f"{n} harmonics of {period:g}" for period, n in candidate["seasons"]]
    if candidate.get("past_exog"):
        words.append("past-only inputs")
    return ", ".join(words)
