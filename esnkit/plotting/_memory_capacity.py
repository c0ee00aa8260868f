"""Plot of how much a reservoir recalls of its inputs, by delay."""

import numpy as np

from esnkit.analysis import MemoryCapacity, memory_capacity
from esnkit.plotting._capacity import CapacityDisplay
from esnkit.plotting._common import (
    COLOURS,
    STYLES,
    as_label,
    check_results,
    pyplot,
    style_axes,
)

__all__ = ["MemoryCapacityDisplay"]


class MemoryCapacityDisplay(CapacityDisplay):
    """Memory curves: the share of the input that is recalled after every delay.

    The area under a curve is the memory capacity, which the legend shows beside its bound, the
    number of features. Make one with :meth:`from_reservoir` or :meth:`from_reservoirs`; with the
    same `ax`, another one adds its curves.

    Parameters
    ----------
    results : dict of str to MemoryCapacity
        What :func:`esnkit.analysis.memory_capacity` has found, by name.

    Attributes
    ----------
    lines_ : list of matplotlib Line2D
        The lines of the last `plot`, one for each input of each reservoir.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> from esnkit import Reservoir
    >>> from esnkit.plotting import MemoryCapacityDisplay
    >>> reservoirs = {
    ...     name: Reservoir(10, topology=name, activation="identity", random_state=0)
    ...     for name in ("cycle", "random")
    ... }
    >>> display = MemoryCapacityDisplay.from_reservoirs(
    ...     reservoirs, n_timesteps=2000, random_state=0
    ... )
    >>> [round(result.capacity) for result in display.results.values()]
    [10, 10]
    """

    _estimate = staticmethod(memory_capacity)

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
        self : MemoryCapacityDisplay
        """
        check_results(self.results, MemoryCapacity)
        plt = pyplot()
        if ax is None:
            _, ax = plt.subplots(figsize=(9, 4.5), layout="constrained")
        self.lines_ = []
        for name, result in self.results.items():
            for column, curve in enumerate(result.curve.T):
                k = len(ax.get_lines())
                look = {
                    "color": COLOURS[k % len(COLOURS)],
                    "linestyle": STYLES[k % len(STYLES)],  # equal curves hide each other
                    "linewidth": 1.8,
                    "label": self._label(name, result, column),
                }
                self.lines_ += ax.plot(np.arange(curve.size), curve, **look | kwargs)
        self._style(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _label(self, name, result, column):
        name, total = as_label(name), f"capacity {result.capacity:.1f} of {result.n_features}"
        if result.curve.shape[1] == 1:
            return f"{name}: {total}"
        own = f"input {column}: {result.curve[:, column].sum():.1f}"
        return f"{name}, {own}" + (f" ({total})" if column == 0 else "")

    def _style(self, ax):
        longest = 1
        for line in ax.get_lines():
            recalled = np.flatnonzero(line.get_ydata())
            longest = max(longest, recalled[-1] if recalled.size else 0)
        style_axes(ax)
        ax.set_xlim(-0.01 * longest, 1.04 * longest + 1)
        ax.set_ylim(-0.02, 1.05)
        ax.set_xlabel("delay k in time steps")
        ax.set_ylabel("share of u(t - k) recalled")
        ax.legend(loc="best", frameon=False, fontsize=9)
