"""Plot of the gradient norm at each time step of backpropagation."""

from collections.abc import Mapping

from esnkit.plotting._common import COLOURS, STYLES, as_label, legend_beside, pyplot, style_axes
from esnkit.utils._validation import check_flag


class GradientNormDisplay:
    """Plot of the norm of the gradient at each time step, on a logarithmic scale.

    A line that falls towards the first steps shows a vanishing gradient: the network does not learn
    from early inputs. One that rises shows an exploding gradient. The norm is that with respect to
    the hidden state h(t). The cell state of an LSTM or LRU carries gradient too, so its line may
    fall faster than the network forgets. Make a plot with :meth:`from_estimator` or
    :meth:`from_estimators`; with the same `ax`, another one adds its lines. A network fitted with
    ``max_iter=0`` shows the gradient at the initial weights.

    Parameters
    ----------
    norms : dict of str to ndarray of shape (n_layers, n_timesteps)
        The result of ``gradient_norms`` of every network, by name.
    relative : bool, default=False
        Whether to divide every line by its value at the last time step.

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
        """Compute the gradient norms of a fitted network and plot.

        Parameters
        ----------
        estimator : RNNRegressor or RNNClassifier
        X, y : as in ``estimator.fit``
            The sequences whose loss is differentiated.
        sample_weight : array-like, default=None
            Weights of the targets, as in ``fit``.
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
        """Compute the gradient norms of several fitted networks on the same sequences and plot.

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
            If ``estimators`` is not a dict, or one of them not a trained network.
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
        """Draw the plot.

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
        plt = pyplot()
        curves = self._curves()
        if ax is None:
            _, ax = plt.subplots(figsize=(9, 4.5), layout="constrained")
        self.lines_ = []
        for label, values in curves:
            k = len(ax.get_lines())
            look = {
                "color": COLOURS[k % len(COLOURS)],
                "linestyle": STYLES[k // len(COLOURS) % len(STYLES)],
                "linewidth": 1.6,
            }
            if len(values) == 1:  # which is no line
                look["marker"] = "o"
            self.lines_ += ax.plot(values, label=as_label(label), **look | kwargs)
        self._style(ax)
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
                        "relative=True needs a gradient at the last time step, and that of "
                        f"{label!r} is zero: use relative=False"
                    )
                curves.append((label, values / values[-1] if self.relative else values))
        return curves

    def _style(self, ax):
        ax.set_yscale("log", nonpositive="mask")  # norms that underflow to zero are left out
        ax.set_xlabel("time step t")
        unit = ", relative to the last step" if self.relative else ""
        ax.set_ylabel(f"norm of ∂ loss / ∂ h(t){unit}")
        style_axes(ax)
        legend_beside(ax)
