"""Plots of a search: scores over two parameters, over all of them, and over the time spent."""

from typing import Any, NamedTuple

import numpy as np

from esnkit.plotting._common import BLUE, GREY, as_label, pyplot, style_axes
from esnkit.utils._validation import check_choice

__all__ = ["SearchDisplay"]

MAX_CELLS = 20  # distinct values of a number along an axis of cells; more are points
MAX_TICKS = 8  # distinct values with a tick each
LOG_RANGE = 50.0  # smallest ratio of positive values on a logarithmic axis
MAX_SPREAD = 4.0  # scores this many times as far below the best as the median have one colour
MAX_LETTERS = 23  # of the text of a value that is longer
SPREAD = 0.06  # of lines through one value, as a share of the axis
COLOURS = "viridis"
FAILED = "0.75"

KINDS = ("heat_map", "parallel", "seconds")


class SearchDisplay:
    """Plot of the scores of a search over parameters.

    A heat map of two parameters, parallel coordinates of all parameters, or the scores beside the
    seconds that the candidates took. Make one with :meth:`from_search`.

    Parameters
    ----------
    candidates : list of dict
        Parameters of the candidates, in the order in which they were tried.
    scores : ndarray of shape (n_candidates,)
        Larger is better. NaN or minus infinity for a candidate that failed.
    seconds : ndarray of shape (n_candidates,)
        Of the fits and scores of all folds of a candidate.
    score_name : str, default="score"

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> from sklearn.datasets import make_regression
    >>> from sklearn.linear_model import ElasticNet
    >>> from sklearn.model_selection import GridSearchCV
    >>> from esnkit.plotting import SearchDisplay
    >>> X, y = make_regression(60, 5, noise=5.0, random_state=0)
    >>> grid = {"alpha": [0.01, 0.1, 1.0], "l1_ratio": [0.1, 0.5, 0.9]}
    >>> search = GridSearchCV(ElasticNet(), grid, cv=3).fit(X, y)
    >>> display = SearchDisplay.from_search(search)
    >>> display.ax_.get_xlabel(), display.ax_.get_ylabel()
    ('alpha', 'l1_ratio')
    """

    def __init__(self, candidates, scores, seconds, score_name="score"):
        self.candidates = candidates
        self.scores = scores
        self.seconds = seconds
        self.score_name = score_name

    @classmethod
    def from_search(
        cls, search, *, kind="heat_map", params=None, reduce="max", metric=None, ax=None
    ):
        """Plot a fitted search.

        Parameters
        ----------
        search : fitted search
            With ``cv_results_``, as :class:`~sklearn.model_selection.GridSearchCV` has.
        kind, params, reduce
            As in :meth:`plot`.
        metric : str, default=None
            Which of several scores to show; None takes that of ``refit``, or the first.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.

        Returns
        -------
        SearchDisplay
        """
        results = getattr(search, "cv_results_", None)
        if results is None:
            raise TypeError(
                f"search must be fitted, with cv_results_ as GridSearchCV has, got {search!r}"
            )
        metric = _check_metric(metric, results, getattr(search, "refit", None))
        n_folds = sum(_is_fold_score(key, metric) for key in results)
        seconds = n_folds * (results["mean_fit_time"] + results["mean_score_time"])
        scores = np.asarray(results[f"mean_test_{metric}"], dtype=float)
        display = cls(list(results["params"]), scores, np.asarray(seconds), metric)
        return display.plot(ax=ax, kind=kind, params=params, reduce=reduce)

    def plot(self, ax=None, *, kind="heat_map", params=None, reduce="max"):
        """Draw the plot.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.
        kind : {"heat_map", "parallel", "seconds"}, default="heat_map"
            Heat map: a cell for every pair of values of two parameters, or a point for every
            candidate where they have more than 20 values. Parallel: a line for every candidate.
            Seconds: the candidates in their order, and the best score so far.
        params : sequence of str, default=None
            Parameters to show, two of them in a heat map. None takes those that vary, and of them
            the first two.
        reduce : {"max", "mean"}, default="max"
            The score of a cell of the heat map, from those of its candidates, which differ in the
            other parameters.

        Returns
        -------
        self : SearchDisplay
        """
        check_choice("kind", kind, KINDS)
        check_choice("reduce", reduce, ("max", "mean"))
        if not np.isfinite(self.scores).any():
            raise ValueError("the search has no candidate with a finite score, and nothing to show")
        axes = self._parameter_axes(params, kind)
        plt = pyplot()
        if ax is None:
            width = {"heat_map": 6.5, "parallel": 3 + 1.5 * len(axes), "seconds": 7.5}[kind]
            _, ax = plt.subplots(figsize=(width, 4.2), layout="constrained")
        draw = {"heat_map": self._heat_map, "parallel": self._parallel, "seconds": self._seconds}
        draw[kind](ax, axes, reduce)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _parameter_axes(self, params, kind) -> list["ParameterAxis"]:
        """Return an axis for every parameter to show, or raise."""
        n_wanted = 2 if kind == "heat_map" else None
        names = list(dict.fromkeys(name for candidate in self.candidates for name in candidate))
        if params is None:
            axes = [axis for axis in (self._axis(name) for name in names) if len(axis.values) > 1]
            if n_wanted is not None and len(axes) < n_wanted:
                others = "kind='parallel' or kind='seconds'" if axes else "kind='seconds'"
                raise ValueError(
                    f"a heat map needs two parameters that vary, the search has "
                    f"{[axis.name for axis in axes]}: use {others}"
                )
            if kind == "parallel" and not axes:
                raise ValueError(
                    "kind='parallel' needs a parameter that varies, the search has none: name "
                    "params, or use kind='seconds'"
                )
            return axes[:n_wanted]
        is_list = hasattr(params, "__len__") and not isinstance(params, str)
        if not is_list or not len(params) or not set(params) <= set(names):
            raise ValueError(f"params must be a list of parameters among {names}, got {params!r}")
        if n_wanted is not None and len(params) != n_wanted:
            raise ValueError(f"params must name two parameters for a heat map, got {params!r}")
        return [self._axis(name) for name in params]

    def _axis(self, name: str) -> "ParameterAxis":
        return parameter_axis(name, [candidate.get(name, NOT_SET) for candidate in self.candidates])

    def _limits(self) -> tuple[float, float]:
        """Return the scores at the ends of the colours: far lower ones do not stretch them."""
        finite = self.scores[np.isfinite(self.scores)]
        best = finite.max()
        reach = MAX_SPREAD * (best - np.median(finite))
        return finite[finite >= best - reach].min() if reach > 0 else finite.min(), best

    def _colour_bar(self, ax, mappable, words: str = "") -> None:
        low, _ = self._limits()
        is_cut = np.nanmin(self.scores) < low
        bar = ax.figure.colorbar(mappable, ax=ax, extend="min" if is_cut else "neither", pad=0.02)
        bar.set_label(f"{words}{self.score_name}", fontsize=9)
        bar.ax.tick_params(labelsize=8, width=0.6)
        bar.outline.set_linewidth(0.6)

    def _heat_map(self, ax, axes, reduce) -> None:
        """Draw the scores over two parameters."""
        x, y = axes
        if any(axis.is_number and len(axis.values) > MAX_CELLS for axis in axes):
            self._points(ax, x, y)
        else:
            self._cells(ax, x, y, reduce)
        ax.set_xlabel(x.name)
        ax.set_ylabel(y.name)

    def _cells(self, ax, x, y, reduce) -> None:
        cells = np.full((len(y.values), len(x.values)), np.nan)
        for i, j in {*zip(y.codes.tolist(), x.codes.tolist(), strict=True)}:
            inside = self.scores[(y.codes == i) & (x.codes == j)]
            inside = inside[~np.isnan(inside)]
            if inside.size:
                cells[i, j] = inside.max() if reduce == "max" else inside.mean()
        low, high = self._limits()
        tried = np.zeros(cells.shape, dtype=bool)
        tried[y.codes, x.codes] = True
        failed = np.where(tried & ~np.isfinite(cells), 1.0, np.nan)
        shown = np.where(np.isfinite(cells), cells, np.nan)
        ax.imshow(failed, cmap="Greys", vmin=0, vmax=4, origin="lower", aspect="auto")
        image = ax.imshow(shown, cmap=COLOURS, vmin=low, vmax=high, origin="lower", aspect="auto")
        best = np.unravel_index(np.nanargmax(shown), shown.shape)
        ax.plot(best[1], best[0], "*", color="white", markeredgecolor="black", markersize=13)
        for name, axis in (("x", x), ("y", y)):
            tilted = name == "x" and sum(map(len, axis.labels)) > 40
            look = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if tilted else {}
            getattr(ax, f"set_{name}ticks")(range(len(axis.labels)), axis.labels, **look)
        ax.tick_params(length=0, labelsize=9)
        ax.spines[:].set_visible(False)
        words = {"max": "best ", "mean": "mean "}[reduce]
        self._colour_bar(ax, image, words if len(self.scores) > tried.sum() else "")

    def _points(self, ax, x, y) -> None:
        low, high = self._limits()
        finite = np.isfinite(self.scores)
        ax.plot(x.places[~finite], y.places[~finite], "x", color=FAILED, markersize=5)
        order = np.argsort(self.scores[finite])
        points = ax.scatter(
            x.places[finite][order], y.places[finite][order], c=self.scores[finite][order],
            cmap=COLOURS, vmin=low, vmax=high, s=36, edgecolors="white", linewidths=0.5,
        )  # fmt: skip
        best = int(np.nanargmax(np.where(finite, self.scores, np.nan)))
        ax.plot(
            x.places[best], y.places[best], "*", color="white", markeredgecolor="black",
            markersize=13,
        )  # fmt: skip
        style_axes(ax)
        ax.margins(0.04)
        for name, axis in (("x", x), ("y", y)):
            if axis.is_log:
                getattr(ax, f"set_{name}scale")("log")
            elif not axis.is_number:
                getattr(ax, f"set_{name}ticks")(range(len(axis.labels)), axis.labels)
        self._colour_bar(ax, points)

    def _parallel(self, ax, axes, reduce) -> None:
        """Draw a line for every candidate, the best ones above the others."""
        from matplotlib.cm import ScalarMappable
        from matplotlib.collections import LineCollection
        from matplotlib.colors import Normalize

        order = np.argsort(np.where(np.isfinite(self.scores), self.scores, -np.inf))
        # Candidates with the same values stand side by side.
        beside = SPREAD * (np.argsort(order) / len(order) - 0.5)
        heights = np.column_stack(
            [axis.heights + (len(axis.values) <= MAX_TICKS) * beside for axis in axes]
        )
        low, high = self._limits()
        colours = ScalarMappable(Normalize(low, high), COLOURS)
        is_finite = np.isfinite(self.scores[order])
        drawn = colours.to_rgba(np.where(is_finite, self.scores[order], low))
        drawn[~is_finite] = [0.75, 0.75, 0.75, 1.0]
        places = np.arange(len(axes))
        lines = [np.column_stack([places, row]) for row in heights[order]]
        ax.add_collection(LineCollection(lines, colors=drawn, linewidths=1.1, alpha=0.7))
        best = int(np.nanargmax(np.where(np.isfinite(self.scores), self.scores, np.nan)))
        ax.plot(places, heights[best], color="black", linewidth=4)
        ax.plot(places, heights[best], color=colours.to_rgba(self.scores[best]), linewidth=2.4)
        for place, axis in zip(places, axes, strict=True):
            ax.axvline(place, color=GREY, linewidth=0.8, zorder=3)
            for height, label in axis.ticks:
                ax.annotate(
                    label, (place, height), xytext=(4, 0), textcoords="offset points",
                    fontsize=8, va="center", zorder=5,
                    bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.8},
                )  # fmt: skip
        ax.set_xticks(places, [axis.name for axis in axes])
        ax.set_yticks([])
        ax.set_xlim(-0.15, len(axes) - 0.6)
        ax.set_ylim(-0.05, 1.05)
        ax.tick_params(length=0, labelsize=9)
        ax.spines[:].set_visible(False)
        self._colour_bar(ax, colours)

    def _seconds(self, ax, axes, reduce) -> None:
        """Draw the scores of the candidates, and the best so far, over the seconds they took."""
        spent = np.cumsum(self.seconds)
        low, high = self._limits()
        scores = np.where(np.isfinite(self.scores), self.scores, -np.inf)
        inside = scores >= low
        edge = low - 0.05 * ((high - low) or 1.0)
        ax.plot(spent[inside], scores[inside], "o", color=GREY, alpha=0.5, markersize=4.5,
                label="candidate")  # fmt: skip
        if not inside.all():
            ax.plot(spent[~inside], np.full((~inside).sum(), edge), "v", color=GREY, alpha=0.5,
                    markersize=4.5, label="candidate below, or failed")  # fmt: skip
        best = np.maximum.accumulate(scores)
        known = np.isfinite(best)
        ax.step(spent[known], np.maximum(best[known], edge), where="post", color=BLUE,
                linewidth=1.8, label="best so far")  # fmt: skip
        style_axes(ax)
        ax.margins(x=0.02, y=0.05)
        ax.set_xlim(left=0)
        ax.set_xlabel("seconds of fits and scores, summed over candidates and folds")
        ax.set_ylabel(self.score_name)
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), frameon=False, fontsize=9, ncols=3)


NOT_SET = object()


class ParameterAxis(NamedTuple):
    """The values of one parameter, and where they stand."""

    name: str
    values: list  # distinct; numbers in ascending order
    codes: np.ndarray  # (n_candidates,), positions in values
    is_number: bool

    @property
    def is_log(self) -> bool:
        """Whether the values are positive numbers of different magnitudes."""
        first, last = self.values[0], self.values[-1]
        return self.is_number and first > 0 and last >= LOG_RANGE * first

    @property
    def labels(self) -> list[str]:
        """A text for every value, a short one if it tells the value from the others."""
        texts = [_text(value) for value in self.values]
        short = [text if len(text) <= MAX_LETTERS else f"{text[:MAX_LETTERS]}…" for text in texts]
        return [as_label(text) for text in (short if len(set(short)) == len(texts) else texts)]

    @property
    def places(self) -> np.ndarray:
        """Numbers, or positions of other values, of the candidates."""
        return np.asarray(self.values, dtype=float)[self.codes] if self.is_number else self.codes

    @property
    def heights(self) -> np.ndarray:
        """Places from 0 to 1, logarithms of them on a logarithmic axis."""
        return self._height_of(self.places)

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Heights and texts of the ticks of a parallel axis."""
        if len(self.values) <= MAX_TICKS or not self.is_number:
            places = (
                np.asarray(self.values, float) if self.is_number else np.arange(len(self.values))
            )
            return list(zip(self._height_of(places), self.labels, strict=True))
        spread = np.geomspace if self.is_log else np.linspace
        places = spread(self.values[0], self.values[-1], 5)
        return [(float(self._height_of(place)), f"{place:.3g}") for place in places]

    def _height_of(self, places):
        first, last = (
            (self.values[0], self.values[-1]) if self.is_number else (0, len(self.values) - 1)
        )
        if self.is_log:
            places, first, last = np.log(places), np.log(first), np.log(last)
        return (
            (places - first) / (last - first) if last > first else np.full_like(places, 0.5, float)
        )


def parameter_axis(name: str, values: list[Any]) -> ParameterAxis:
    """Return the axis of a parameter with the values of all candidates."""
    is_number = all(
        isinstance(value, int | float | np.integer | np.floating)
        and not isinstance(value, bool)
        and np.isfinite(value)
        for value in values
    )
    keys = [float(value) if is_number else _text(value) for value in values]
    distinct: list[Any] = sorted(set(keys)) if is_number else list(dict.fromkeys(keys))
    codes = np.array([distinct.index(key) for key in keys])
    return ParameterAxis(name, distinct, codes, is_number)


def _text(value: Any) -> str:
    """Return a value of a parameter in one line."""
    if value is NOT_SET:
        return "not set"
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return " ".join(text.split())


def _is_fold_score(key: str, metric: str) -> bool:
    return key.startswith("split") and key.endswith(f"_test_{metric}")


def _check_metric(metric: Any, results: Any, refit: Any) -> str:
    """Return the name of the score to show, or raise."""
    start = "mean_test_"
    known = [key.removeprefix(start) for key in results if key.startswith(start)]
    if metric is None:
        return refit if refit in known else known[0]
    return check_choice("metric", metric, known)
