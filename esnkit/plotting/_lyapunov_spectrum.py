"""Plot of Lyapunov exponents."""

import numpy as np

from esnkit.analysis import (
    LyapunovSpectrum,
    conditional_lyapunov_exponents,
    lyapunov_spectrum,
)
from esnkit.plotting._common import (
    COLOURS,
    GREY,
    as_label,
    check_results,
    name_of,
    pyplot,
    reservoirs_by_name,
    style_axes,
)

__all__ = ["LyapunovSpectrumDisplay"]

MARKERS = ("o", "s", "^", "D")


class LyapunovSpectrumDisplay:
    """Lyapunov exponents by rank, the largest first, with their standard errors.

    Exponents above the line at zero are directions in which near states part. Those of minus
    infinity are left out. Make one with :meth:`from_reservoir` or :meth:`from_reservoirs`
    (conditional exponents of driven reservoirs), or :meth:`from_system` (a map or a flow); with the
    same `ax`, another one adds its exponents.

    Parameters
    ----------
    results : dict of str to LyapunovSpectrum
        What the functions of :mod:`esnkit.analysis` have found, by name.
    unit : str, default="time step"
        What the exponents are per, for the label of the axis.

    Attributes
    ----------
    lines_ : list of matplotlib ErrorbarContainer
        One for every spectrum.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit.plotting import LyapunovSpectrumDisplay
    >>> def henon(x):
    ...     return np.array([1.0 - 1.4 * x[0] ** 2 + x[1], 0.3 * x[0]])
    >>> display = LyapunovSpectrumDisplay.from_system(henon, [0.1, 0.1], name="Hénon", n_steps=500)
    >>> display.ax_.get_ylabel()
    'Lyapunov exponent per time step'
    """

    def __init__(self, results, *, unit="time step"):
        self.results = results
        self.unit = unit

    @classmethod
    def from_reservoir(cls, reservoir, X, *, name=None, ax=None, **params):
        """Estimate the conditional exponents of a reservoir that is driven by a series, and plot.

        Parameters
        ----------
        reservoir : BaseReservoir or estimator with a fitted reservoir
        X : array of shape (n_timesteps, n_features)
            The inputs.
        name : str, default=None
            Name in the legend; None stands for that of the class.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.
        **params : parameters of the estimate
            As in :func:`esnkit.analysis.conditional_lyapunov_exponents`.

        Returns
        -------
        LyapunovSpectrumDisplay
        """
        return cls.from_reservoirs({name_of(reservoir, name): reservoir}, X, ax=ax, **params)

    @classmethod
    def from_reservoirs(cls, reservoirs, X, *, ax=None, **params):
        """Estimate the conditional exponents of several reservoirs for the same series, and plot.

        Parameters
        ----------
        reservoirs : dict of str to BaseReservoir or estimator with a fitted reservoir
            By their names in the legend.
        X : array of shape (n_timesteps, n_features)
            The inputs.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.
        **params : parameters of the estimate
            As in :func:`esnkit.analysis.conditional_lyapunov_exponents`.

        Returns
        -------
        LyapunovSpectrumDisplay
        """
        given = reservoirs_by_name(reservoirs)
        results = {n: conditional_lyapunov_exponents(r, X, **params) for n, r in given.items()}
        return cls(results).plot(ax=ax)

    @classmethod
    def from_system(cls, step_or_flow, initial_state, *, name=None, ax=None, dt=None, **params):
        """Estimate the exponents of a map or a flow and plot.

        Parameters
        ----------
        step_or_flow : callable x -> ndarray of shape (n_dimensions,)
        initial_state : array-like of shape (n_dimensions,)
        name : str, default=None
            Name in the legend; None stands for that of the function.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.
        dt : float or None, default=None
            Time step of a flow; None stands for a map.
        **params : parameters of the estimate
            As in :func:`esnkit.analysis.lyapunov_spectrum`.

        Returns
        -------
        LyapunovSpectrumDisplay
        """
        spectrum = lyapunov_spectrum(step_or_flow, initial_state, dt=dt, **params)
        name = getattr(step_or_flow, "__name__", "system") if name is None else name
        unit = "time step" if dt is None else "unit of time"
        return cls({name: spectrum}, unit=unit).plot(ax=ax)

    def plot(self, ax=None, **kwargs):
        """Draw the plot.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.
        **kwargs : properties of the lines
            As in :meth:`matplotlib.axes.Axes.errorbar`.

        Returns
        -------
        self : LyapunovSpectrumDisplay
        """
        check_results(self.results, LyapunovSpectrum)
        plt = pyplot()
        if ax is None:
            _, ax = plt.subplots(figsize=(7.5, 4.5), layout="constrained")
        if not ax.get_lines():
            ax.axhline(0.0, color=GREY, linewidth=0.8)
        self.lines_ = []
        for name, (exponents, errors) in self.results.items():
            k = len(ax.containers)
            look = {
                "color": COLOURS[k % len(COLOURS)],
                "marker": MARKERS[k // len(COLOURS) % len(MARKERS)],
                "markersize": 5, "linewidth": 1.2, "elinewidth": 1.0, "capsize": 2.5,
            }  # fmt: skip
            kept = np.isfinite(exponents)
            self.lines_.append(
                ax.errorbar(
                    np.flatnonzero(kept) + 1, exponents[kept], errors[kept],
                    label=self._label(name, exponents), **look | kwargs,
                )
            )  # fmt: skip
        self._style(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _label(self, name, exponents):
        if not np.isfinite(exponents[0]):
            return f"{as_label(name)} (all minus infinity)"
        return f"{as_label(name)} (largest {exponents[0]:.3g})"

    def _style(self, ax):
        from matplotlib.ticker import MaxNLocator

        style_axes(ax)
        ax.margins(x=0.04)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set_xlabel("rank")
        ax.set_ylabel(f"Lyapunov exponent per {self.unit}")
        ax.legend(loc="best", frameon=False, fontsize=9)
