"""Plot of the information processing capacity, by the degree of the functions computed."""

import numpy as np

from esnkit.analysis import InformationCapacity, information_processing_capacity
from esnkit.plotting._capacity import CapacityDisplay
from esnkit.plotting._common import (
    BLUE,
    GREY,
    as_label,
    check_results,
    legend_beside,
    mix_with_white,
    pyplot,
    style_axes,
)

__all__ = ["InformationCapacityDisplay"]


class InformationCapacityDisplay(CapacityDisplay):
    """Information processing capacity of reservoirs, in parts by degree.

    Each bar is a reservoir. The lowest part is linear memory (degree one), the parts above it are
    products and powers of past inputs, paler by degree. The line above a bar is the number of
    features, the most that the parts can add up to. Make one with :meth:`from_reservoir` or
    :meth:`from_reservoirs`.

    Parameters
    ----------
    results : dict of str to InformationCapacity
        What :func:`esnkit.analysis.information_processing_capacity` has found, by name.

    Attributes
    ----------
    bars_ : list of matplotlib BarContainer
        One for every degree.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> from esnkit import Reservoir
    >>> from esnkit.plotting import InformationCapacityDisplay
    >>> linear = Reservoir(10, activation="identity", random_state=0)
    >>> display = InformationCapacityDisplay.from_reservoir(
    ...     linear, max_degree=2, n_timesteps=2000, random_state=0
    ... )
    >>> [round(bars[0].get_height()) for bars in display.bars_]
    [10, 0]
    """

    _estimate = staticmethod(information_processing_capacity)

    def plot(self, ax=None):
        """Draw the plot.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.

        Returns
        -------
        self : InformationCapacityDisplay
        """
        check_results(self.results, InformationCapacity)
        plt = pyplot()
        names, results = list(self.results), list(self.results.values())
        if ax is None:
            width = min(3.2 + 1.3 * len(names), 14)
            _, ax = plt.subplots(figsize=(width, 4.5), layout="constrained")
        heights = np.zeros((max(r.by_degree.size for r in results), len(results)))
        for column, result in enumerate(results):
            heights[: result.by_degree.size, column] = result.by_degree
        places, bottom = np.arange(len(names)), np.zeros(len(names))
        self.bars_ = []
        for degree, height in enumerate(heights, start=1):
            share = 1.0 - 0.85 * (degree - 1) / max(len(heights) - 1, 1)
            self.bars_.append(
                ax.bar(
                    places, height, 0.6, bottom, color=mix_with_white(BLUE, share),
                    edgecolor="white", linewidth=0.8, label=f"degree {degree}",
                )
            )  # fmt: skip
            bottom += height
        bounds = [r.n_features for r in results]
        bound = ax.hlines(bounds, places - 0.4, places + 0.4, color=GREY, linewidth=1.2)
        bound.set_label("number of features")
        self._style(ax, names, max(bounds))
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _style(self, ax, names, largest):
        style_axes(ax)
        ax.set_xlim(-0.6, len(names) - 0.4)
        ax.set_ylim(0, 1.08 * largest)
        ax.set_xticks(range(len(names)), [as_label(name) for name in names])
        ax.set_ylabel("information processing capacity")
        handles, labels = ax.get_legend_handles_labels()
        order = np.argsort([not label.startswith("number") for label in labels], kind="stable")
        handles = [handles[k] for k in (*order[:1], *order[:0:-1])]  # from the top down
        legend_beside(ax, handles=handles)
