"""Plot of the probabilities of all classes while sequences of each true class are read."""

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
from esnkit.plotting._prefixes import check_probabilities, probabilities_of_prefixes

__all__ = ["ConfusionOverTimeDisplay"]

N_MATRICES = 4
# Labels stand beside a matrix if they are few and short, so that they do not overlap.
MAX_NAMED, MAX_LETTERS = 12, 72


class ConfusionOverTimeDisplay:
    """Plot of when the labels of sequences become certain, and with what they are confused before.

    Matrices at four shares of the sequences have a row for every true class, with the mean
    probabilities of all classes. The lines below are the mean probabilities of the true classes:
    the diagonals of the matrices.

    Make one with :meth:`from_estimator` or :meth:`from_predictions`.

    Parameters
    ----------
    shares : ndarray of shape (n_shares,)
        Shares of a sequence, in ascending order.
    matrices : ndarray of shape (n_shares, n_classes, n_classes)
        Mean probability of a class (last axis) over the sequences of a true class; NaN for a true
        class without sequences, or where there is no prediction.
    classes : ndarray of shape (n_classes,)
        Labels.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes, shape (5,)
        Those of the matrices, then that of the lines.
    figure_ : matplotlib Figure

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit import ESNClassifier
    >>> from esnkit.plotting import ConfusionOverTimeDisplay
    >>> t = np.arange(40)
    >>> X = [np.sin(t[:, None] / period + phase) for period in (3, 5) for phase in range(6)]
    >>> y = ["fast"] * 6 + ["slow"] * 6
    >>> model = ESNClassifier(50, pooling="mean", random_state=0).fit(X, y)
    >>> display = ConfusionOverTimeDisplay.from_estimator(model, X, y)
    >>> display.matrices.shape
    (20, 2, 2)
    """

    def __init__(self, shares, matrices, classes):
        self.shares = shares
        self.matrices = matrices
        self.classes = classes

    @classmethod
    def from_estimator(cls, estimator, X, y, *, shares=None, axes=None):
        """Predict prefixes of sequences and plot.

        Parameters
        ----------
        estimator, X, y, shares
            As in :meth:`EarlyClassificationDisplay.from_estimator`.
        axes : array-like of 5 matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.

        Returns
        -------
        ConfusionOverTimeDisplay
        """
        return cls._of(probabilities_of_prefixes(estimator, X, y, shares)).plot(axes=axes)

    @classmethod
    def from_predictions(cls, y_true, probabilities, *, classes, shares, axes=None):
        """Plot given probabilities of prefixes, such as those of a cross-validation.

        Parameters
        ----------
        y_true, probabilities, classes, shares
            As in :meth:`EarlyClassificationDisplay.from_predictions`.
        axes : array-like of 5 matplotlib Axes, default=None

        Returns
        -------
        ConfusionOverTimeDisplay
        """
        return cls._of(check_probabilities(y_true, probabilities, classes, shares)).plot(axes=axes)

    @classmethod
    def _of(cls, record):
        """Average over the sequences of each true class."""
        n_classes = record.classes.size
        matrices = np.full((record.shares.size, n_classes, n_classes), np.nan)
        for k in np.unique(record.true):
            matrices[:, k] = record.values[record.true == k].mean(axis=0)
        return cls(record.shares, matrices, record.classes)

    def plot(self, axes=None):
        """Draw the plot.

        Parameters
        ----------
        axes : array-like of 5 matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.

        Returns
        -------
        self : ConfusionOverTimeDisplay
        """
        plt = pyplot()
        if axes is None:
            figure = plt.figure(figsize=(10, 6.5), layout="constrained")
            above, below = figure.subfigures(2, 1, height_ratios=(1, 1.2))
            axes = [*above.subplots(1, N_MATRICES), below.subplots()]
        *matrix_axes, line_ax = axes
        wanted = np.arange(1, N_MATRICES + 1) / N_MATRICES
        shown = [int(np.argmin(np.abs(self.shares - share))) for share in wanted]
        for k, (ax, place) in enumerate(zip(matrix_axes, shown, strict=True)):
            image = self._plot_matrix(ax, place, named=k == 0)
        bar = matrix_axes[0].figure.colorbar(image, ax=matrix_axes, shrink=0.8, pad=0.01)
        bar.set_label("mean probability", fontsize=9)
        bar.ax.tick_params(labelsize=9, width=0.6)
        self._plot_lines(line_ax)
        for place in shown:
            line_ax.axvline(self.shares[place], color=GREY, linewidth=0.8, linestyle=":", zorder=0)
        self.axes_ = np.array([*matrix_axes, line_ax], dtype=object)
        self.figure_ = line_ax.figure.figure  # not a part of it
        return self

    def _plot_matrix(self, ax, place, named):
        """Draw the probabilities at one share, with the labels of the true classes if named."""
        n = len(self.classes)
        image = ax.imshow(self.matrices[place], cmap="Blues", vmin=0, vmax=1)
        ax.set_title(f"{self.shares[place]:.0%} seen", fontsize=10)
        ax.set_xlabel("predicted class", fontsize=9)
        labels = [as_label(label) for label in self.classes]
        if n > MAX_NAMED or sum(map(len, labels)) > MAX_LETTERS:
            labels = []
        places = range(len(labels))
        tilted = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
        ax.set_xticks(places, labels, **tilted if max(map(len, labels), default=0) > 2 else {})
        ax.set_yticks(places, labels if named else [""] * len(labels))
        if named:
            ax.set_ylabel("true class", fontsize=9)
        ax.tick_params(length=0, labelsize=8)
        return image

    def _plot_lines(self, ax):
        """Draw the mean probability of every true class."""
        from matplotlib.ticker import PercentFormatter

        for k, label in enumerate(self.classes):
            look = {
                "color": COLOURS[k % len(COLOURS)],
                "linestyle": STYLES[k // len(COLOURS) % len(STYLES)],
            }
            ax.plot(
                self.shares, self.matrices[:, k, k], linewidth=1.6, label=as_label(label), **look
            )
        ax.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        style_axes(ax)
        ax.set_xlim(0, 1.01)
        ax.set_ylim(0, 1.03)
        ax.set_xlabel("share of the sequence seen")
        ax.set_ylabel("mean probability of the true class")
        legend_beside(ax, title="true class")
