"""Plot of early classification: accuracy against the share of a sequence that is seen."""

import numpy as np

from esnkit.plotting._common import COLOURS, GREY, as_label, legend_beside, pyplot, style_axes
from esnkit.plotting._prefixes import check_probabilities, probabilities_of_prefixes

__all__ = ["EarlyClassificationDisplay"]


class EarlyClassificationDisplay:
    """Plot of the accuracy of a classifier that has seen a share of every sequence.

    A dashed line is the share of the sequences whose predicted label is final: it stays the same
    at all larger shares. Where this line is low and the accuracy high, labels still change.

    Make one with :meth:`from_estimator` or :meth:`from_predictions`; with the same `ax`, another
    one adds its lines.

    Parameters
    ----------
    shares : ndarray of shape (n_shares,)
        Shares of a sequence, in ascending order.
    accuracy : ndarray of shape (n_shares,)
        NaN where there is no prediction.
    final : ndarray of shape (n_shares,)
        Share of the sequences whose prediction is final.
    baseline : float
        Accuracy of the most frequent class.
    name : str, default=None
        Name of the classifier in the legend.

    Attributes
    ----------
    lines_ : list of matplotlib Line2D
        The two lines of the last `plot`.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    References
    ----------
    A. Gupta, H. P. Gupta, B. Biswas and T. Dutta (2020), Approaches and applications of early
    classification of time series: a review, IEEE Transactions on Artificial Intelligence 1.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit import ESNClassifier
    >>> from esnkit.plotting import EarlyClassificationDisplay
    >>> t = np.arange(40)
    >>> X = [np.sin(t[:, None] / period + phase) for period in (3, 5) for phase in range(6)]
    >>> y = ["fast"] * 6 + ["slow"] * 6
    >>> model = ESNClassifier(50, pooling="mean", random_state=0).fit(X, y)
    >>> display = EarlyClassificationDisplay.from_estimator(model, X, y, shares=[0.5, 1.0])
    >>> float(display.accuracy[-1]), float(display.final[-1])
    (1.0, 1.0)
    """

    def __init__(self, shares, accuracy, final, baseline, *, name=None):
        self.shares = shares
        self.accuracy = accuracy
        self.final = final
        self.baseline = baseline
        self.name = name

    @classmethod
    def from_estimator(cls, estimator, X, y, *, shares=None, name=None, ax=None):
        """Predict prefixes of sequences and plot.

        Parameters
        ----------
        estimator : classifier
            Fitted, with one label for every sequence and ``predict_proba``. If that takes
            ``steps``, the estimator runs once, also behind transformers whose attribute ``causal``
            is True, such as :class:`SequenceScaler`. Others predict cut sequences.
        X : array of shape (n_sequences, n_timesteps, n_features), or list of arrays
            Sequences that the estimator was not fitted to.
        y : array-like of shape (n_sequences,)
            Their labels.
        shares : array-like of float, default=None
            Ascending, in (0, 1]; None stands for 0.05, 0.1, ..., 1.
        name : str, default=None
            Name in the legend.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.

        Returns
        -------
        EarlyClassificationDisplay
        """
        record = probabilities_of_prefixes(estimator, X, y, shares)
        return cls._of(record, name).plot(ax=ax)

    @classmethod
    def from_predictions(cls, y_true, probabilities, *, classes, shares, name=None, ax=None):
        """Plot given probabilities of prefixes, such as those of a cross-validation.

        Parameters
        ----------
        y_true : array-like of shape (n_sequences,)
        probabilities : array-like of shape (n_sequences, n_shares, n_classes)
            As ``predict_proba(X, steps=shares)`` returns them.
        classes : array-like of shape (n_classes,)
        shares : array-like of float
            Ascending, in (0, 1].
        name : str, default=None
        ax : matplotlib Axes, default=None

        Returns
        -------
        EarlyClassificationDisplay
        """
        record = check_probabilities(y_true, probabilities, classes, shares)
        return cls._of(record, name).plot(ax=ax)

    @classmethod
    def _of(cls, record, name):
        """Compute the curves."""
        predicted, unknown = record.predicted, ~record.is_known
        accuracy = (predicted == record.true[:, None]).mean(axis=0)
        is_final = predicted == predicted[:, -1:]
        is_final = np.logical_and.accumulate(is_final[:, ::-1], axis=1)[:, ::-1]
        final = is_final.mean(axis=0)
        accuracy[unknown] = final[unknown] = np.nan
        baseline = np.bincount(record.true).max() / len(record.true)
        return cls(record.shares, accuracy, final, baseline, name=name)

    def plot(self, ax=None):
        """Draw the plot.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.

        Returns
        -------
        self : EarlyClassificationDisplay
        """
        plt = pyplot()
        if ax is None:
            _, ax = plt.subplots(figsize=(9, 4.5), layout="constrained")
        before = [line for line in ax.get_lines() if line.get_gid() == "accuracy"]
        colour = COLOURS[len(before) % (len(COLOURS) - 1)]  # the last one is the baseline's
        prefix = "" if self.name is None else f"{as_label(self.name)}: "
        look = {"color": colour, "marker": "o", "markersize": 4}
        self.lines_ = [
            *ax.plot(
                self.shares, self.accuracy, linewidth=1.8, label=f"{prefix}accuracy",
                gid="accuracy", **look,
            ),
            *ax.plot(
                self.shares, self.final, linestyle="--", linewidth=1.3,
                label=f"{prefix}predictions that are final", **look | {"markersize": 0},
            ),
        ]  # fmt: skip
        if not before:
            label = "accuracy of the most frequent class"
            ax.axhline(self.baseline, color=GREY, linestyle=":", linewidth=1.2, label=label)
        self._style(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _style(self, ax):
        from matplotlib.ticker import PercentFormatter

        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        style_axes(ax)
        ax.set_xlim(0, 1.01)
        ax.set_ylim(0, 1.03)
        ax.set_xlabel("share of the sequence seen")
        ax.set_ylabel("share of the sequences")
        legend_beside(ax)
