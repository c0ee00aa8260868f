"""Plot of reservoir states over time and of pooled features, in two dimensions, by class."""

import numpy as np

from esnkit.plotting._common import (
    COLOURS,
    GREY,
    STYLES,
    as_label,
    legend_beside,
    pyplot,
    style_axes,
)
from esnkit.plotting._prefixes import check_sequences

__all__ = ["StatesByClassDisplay"]

MARKERS = ("o", "^", "D", "v")  # one for every style of lines
N_THIN = 24  # lines of single sequences, of all classes together
N_TOGETHER = 32  # sequences whose states are in memory at a time
MAX_ROWS = 20_000  # of the states that the principal components are computed from, about


class StatesByClassDisplay:
    """Plot of reservoir states over time and of pooled features, coloured by class.

    Left: the first two principal components of the states at every time step. Thick lines are the
    means over the sequences of a class, from a circle at the first step to a square at the last
    one; thin lines are single sequences. Classes whose lines part early can be told apart early.
    The mean of sequences of unequal length ends where fewer than half of them go on.

    Right: the first two principal components of the standardised pooled features, which the readout
    reads; a mark for every sequence. Classes that overlap here may differ in other directions.

    Make one with :meth:`from_estimator`.

    Parameters
    ----------
    states : list of ndarray of shape (n_timesteps_i, 2)
        Principal components of the states of every sequence.
    features : ndarray of shape (n_sequences, 2)
        Principal components of the pooled features.
    labels : ndarray of shape (n_sequences,)
    shares : ndarray of shape (2, 2)
        Share of the variance of each component: of the states, then of the features.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes, shape (2,)
    figure_ : matplotlib Figure

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit import ESNClassifier
    >>> from esnkit.plotting import StatesByClassDisplay
    >>> t = np.arange(40)
    >>> X = [np.sin(t[:, None] / period + phase) for period in (3, 5) for phase in range(6)]
    >>> y = ["fast"] * 6 + ["slow"] * 6
    >>> model = ESNClassifier(50, pooling="mean", random_state=0).fit(X, y)
    >>> display = StatesByClassDisplay.from_estimator(model, X, y)
    >>> len(display.states), display.states[0].shape, display.features.shape
    (12, (40, 2), (12, 2))
    """

    def __init__(self, states, features, labels, shares):
        self.states = states
        self.features = features
        self.labels = labels
        self.shares = shares

    @classmethod
    def from_estimator(cls, estimator, X, y, *, axes=None):
        """Run the reservoir of a fitted model over sequences and plot.

        Parameters
        ----------
        estimator : ESNClassifier or ReservoirClassifier, or a pipeline that ends with one
            Fitted, with one label for every sequence.
        X : array of shape (n_sequences, n_timesteps, n_features), or list of arrays
            Sequences.
        y : array-like of shape (n_sequences,)
            Their labels.
        axes : array-like of 2 matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.

        Returns
        -------
        StatesByClassDisplay
        """
        model = estimator
        if hasattr(estimator, "named_steps"):
            model = estimator[-1]
            X = estimator[:-1].transform(X) if len(estimator) > 1 else X
        if not hasattr(model, "reservoir_"):
            raise TypeError(
                "estimator must be a fitted model with a reservoir, such as one of estimators_ of "
                f"an ensemble, got {estimator!r}"
            )
        check_sequences(X)
        labels = np.asarray(y)
        if labels.shape != (len(X),) or len(X) < 2:
            raise ValueError(
                "X must hold two sequences or more, and y a label for each, got "
                f"{len(X)} sequences and y of shape {labels.shape}"
            )
        pooled = model._pooled_features(X).astype(float)
        deviations = pooled.std(axis=0)
        pooled = (pooled - pooled.mean(axis=0)) / np.where(deviations > 0, deviations, 1.0)
        features, share_of_features = _two_components(pooled)
        states, share_of_states = _reduced_states(model.reservoir_, model._reservoir_inputs(X))
        shares = np.array([share_of_states, share_of_features])
        return cls(states, features, labels, shares).plot(axes=axes)

    def plot(self, axes=None):
        """Draw the plot.

        Parameters
        ----------
        axes : array-like of 2 matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.

        Returns
        -------
        self : StatesByClassDisplay
        """
        plt = pyplot()
        if axes is None:
            _, axes = plt.subplots(1, 2, figsize=(12, 5), layout="constrained")
        left, right = axes
        classes = np.unique(self.labels)
        for k, label in enumerate(classes):
            colour, style = COLOURS[k % len(COLOURS)], k // len(COLOURS) % len(STYLES)
            own = np.flatnonzero(self.labels == label)
            lines = [self.states[i] for i in own]
            for line in lines[: max(N_THIN // len(classes), 1)]:
                left.plot(*line.T, color=colour, linewidth=0.6, alpha=0.35)
            mean = _mean_of_most(lines)
            left.plot(*mean.T, color=colour, linestyle=STYLES[style], linewidth=2.0)
            left.plot(*mean[0], "o", color=colour, markeredgecolor="white", markersize=8)
            left.plot(*mean[-1], "s", color=colour, markeredgecolor="white", markersize=8)
            look = {"color": colour, "marker": MARKERS[style], "markeredgecolor": "white"}
            right.plot(
                *self.features[own].T, linestyle="none", markersize=7, markeredgewidth=0.5,
                label=as_label(label), **look,
            )  # fmt: skip
        left.set_title("states over time", loc="left", fontsize=10)
        right.set_title("pooled features, a mark for every sequence", loc="left", fontsize=10)
        self._style(left, right)
        self.axes_, self.figure_ = np.array([left, right], dtype=object), left.figure
        return self

    def _style(self, left, right):
        """Name axes and marks."""
        for ax, shares in zip((left, right), self.shares, strict=True):
            style_axes(ax)
            ax.margins(0.05)
            ax.grid(axis="x", color="0.9", linewidth=0.6)
            ax.set_xlabel(f"principal component 1 ({shares[0]:.0%} of the variance)")
            ax.set_ylabel(f"principal component 2 ({shares[1]:.0%} of the variance)")
        marks = {"first time step": "o", "last time step": "s"}
        for label, marker in marks.items():
            left.plot([], [], marker, color=GREY, label=label, markersize=7)
        left.legend(frameon=False, fontsize=8, loc="best")
        legend_beside(right, title="class")


def _two_components(rows):
    """Return two principal components (n_rows, 2) of centred rows, and the shares of variance."""
    left, sizes, right = np.linalg.svd(rows, full_matrices=False)
    components = np.zeros((len(rows), 2))
    components[:, : len(sizes)] = left[:, :2] * sizes[:2] * _signs(right[:2])
    return components, _shares(sizes**2)


def _reduced_states(reservoir, X):
    """Return two principal components of the states of every sequence, and the shares."""
    share, rng = MAX_ROWS / sum(map(len, X)), np.random.default_rng(0)
    parts = (states[rng.random(len(states)) < share] for states in _states(reservoir, X))
    rows = np.concatenate(list(parts)).astype(float)
    mean = rows.mean(axis=0)
    variances, vectors = np.linalg.eigh(
        np.cov(rows, rowvar=False, bias=True).reshape(mean.size, -1)
    )
    vectors = np.pad(vectors[:, :-3:-1], ((0, 0), (0, max(2 - mean.size, 0))))
    vectors = vectors * _signs(vectors.T)
    reduced = [(states - mean) @ vectors for states in _states(reservoir, X)]
    return reduced, _shares(variances[::-1])


def _states(reservoir, X):
    """Yield the states (n_timesteps, n_units) of one sequence after another."""
    for first in range(0, len(X), N_TOGETHER):
        yield from reservoir.transform(list(X[first : first + N_TOGETHER]))


def _signs(vectors):
    """Return signs that make the largest entry of every vector positive."""
    largest = np.abs(vectors).argmax(axis=1)
    return np.where(vectors[np.arange(len(vectors)), largest] < 0, -1.0, 1.0)


def _shares(variances):
    """Return the shares of the first two of all variances."""
    total = variances.sum()
    return np.pad(variances, (0, 1))[:2] / total if total > 0 else np.zeros(2)


def _mean_of_most(lines):
    """Return the mean of lines of unequal length, as far as half of them reach."""
    lengths = sorted(map(len, lines))
    n_steps = lengths[len(lengths) // 2]
    sums, counts = np.zeros((n_steps, 2)), np.zeros((n_steps, 1))
    for line in lines:
        n = min(len(line), n_steps)
        sums[:n] += line[:n]
        counts[:n] += 1
    return sums / counts
