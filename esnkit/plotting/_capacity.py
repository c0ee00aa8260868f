"""What the displays of capacities have in common: their results, by the names of reservoirs."""

from collections.abc import Callable
from typing import Any, ClassVar, Self

from esnkit.plotting._common import name_of, reservoirs_by_name


class CapacityDisplay:
    """Estimate what several reservoirs compute, and plot; a subclass writes `plot`."""

    _estimate: ClassVar[Callable[..., Any]]  # (reservoir, **params) -> result
    plot: Callable[..., Self]

    def __init__(self, results):
        self.results = results

    @classmethod
    def from_reservoir(cls, reservoir, *, name=None, ax=None, **params):
        """Estimate the capacity of a reservoir and plot.

        Parameters
        ----------
        reservoir : BaseReservoir or estimator with a fitted reservoir
        name : str, default=None
            Name in the plot; None stands for that of the class.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.
        **params : parameters of the estimate
            As in the function of :mod:`esnkit.analysis`.

        Returns
        -------
        display
        """
        return cls.from_reservoirs({name_of(reservoir, name): reservoir}, ax=ax, **params)

    @classmethod
    def from_reservoirs(cls, reservoirs, *, ax=None, **params):
        """Estimate the capacities of several reservoirs and plot.

        Parameters
        ----------
        reservoirs : dict of str to BaseReservoir or estimator with a fitted reservoir
            By their names in the plot.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.
        **params : parameters of the estimate
            As in the function of :mod:`esnkit.analysis`.

        Returns
        -------
        display
        """
        given = reservoirs_by_name(reservoirs)
        return cls({name: cls._estimate(r, **params) for name, r in given.items()}).plot(ax=ax)
