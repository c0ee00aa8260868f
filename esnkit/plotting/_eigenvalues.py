"""Plot of the eigenvalues of a reservoir in the complex plane."""

import numpy as np

from esnkit.analysis._driven import drawn_reservoir
from esnkit.plotting._common import (
    COLOURS,
    GREY,
    as_label,
    legend_beside,
    name_of,
    pyplot,
    reservoirs_by_name,
    style_axes,
)
from esnkit.utils._validation import check_flag, check_seed

__all__ = ["EigenvaluesDisplay"]

MARKERS = ("o", "s", "^", "D")


class EigenvaluesDisplay:
    """Eigenvalues of recurrent weights in the complex plane, with the unit circle.

    The dashed circle has the spectral radius of the first matrix. With ``jacobian=True`` the
    eigenvalues are those of the whole update at the origin, whose radius tells how long the
    reservoir remembers: for the leaky update, of diag(1 - a) + diag(a) W. Make one with
    :meth:`from_reservoir` or :meth:`from_reservoirs`.

    Parameters
    ----------
    eigenvalues : dict of str to ndarray of shape (n_units,), complex
        By name.

    Attributes
    ----------
    lines_ : list of matplotlib Line2D
        One for every name.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit import Reservoir
    >>> from esnkit.plotting import EigenvaluesDisplay
    >>> display = EigenvaluesDisplay.from_reservoir(Reservoir(50, random_state=0), name="W")
    >>> round(float(np.abs(display.eigenvalues["W"]).max()), 6)
    0.9
    """

    def __init__(self, eigenvalues):
        self.eigenvalues = eigenvalues

    @classmethod
    def from_reservoir(cls, reservoir, *, jacobian=False, name=None, ax=None, random_state=None):
        """Compute the eigenvalues of a reservoir and plot.

        Parameters
        ----------
        reservoir : BaseReservoir or estimator with a fitted reservoir
            With a known state equation. The eigenvalues of a deep or parallel reservoir are those
            of all its parts.
        jacobian : bool, default=False
            Whether to show the eigenvalues of the update at the origin, for an activation of slope
            one there, instead of those of the recurrent weights.
        name : str, default=None
            Name in the legend; None stands for that of the class.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.
        random_state : int, RandomState instance or None, default=None
            Draws the weights of a reservoir that is not fitted and has no seed.

        Returns
        -------
        EigenvaluesDisplay
        """
        given = {name_of(reservoir, name): reservoir}
        return cls.from_reservoirs(given, jacobian=jacobian, ax=ax, random_state=random_state)

    @classmethod
    def from_reservoirs(cls, reservoirs, *, jacobian=False, ax=None, random_state=None):
        """Compute the eigenvalues of several reservoirs and plot.

        Parameters
        ----------
        reservoirs : dict of str to BaseReservoir or estimator with a fitted reservoir
            By their names in the legend.
        jacobian, ax, random_state : as in :meth:`from_reservoir`

        Returns
        -------
        EigenvaluesDisplay
        """
        jacobian, rng = check_flag("jacobian", jacobian), check_seed(random_state)
        given = reservoirs_by_name(reservoirs).items()
        return cls({name: _eigenvalues(r, jacobian, rng) for name, r in given}).plot(ax=ax)

    def plot(self, ax=None, **kwargs):
        """Draw the plot.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.
        **kwargs : properties of the points
            As in :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        self : EigenvaluesDisplay
        """
        plt = pyplot()
        if ax is None:
            _, ax = plt.subplots(figsize=(7, 5), layout="compressed")
        radius = float(np.abs(next(iter(self.eigenvalues.values()))).max())
        circle = np.exp(2j * np.pi * np.linspace(0, 1, 361))
        ax.plot(circle.real, circle.imag, color=GREY, linewidth=0.8, label="unit circle")
        ax.plot(radius * circle.real, radius * circle.imag, color=COLOURS[0], linewidth=0.8,
                linestyle="--", label=f"radius {radius:.4g}")  # fmt: skip
        self.lines_ = []
        for k, (name, values) in enumerate(self.eigenvalues.items()):
            look = {
                "linestyle": "none", "marker": MARKERS[k // len(COLOURS) % len(MARKERS)],
                "color": COLOURS[k % len(COLOURS)], "markersize": 4, "alpha": 0.7,
                "markeredgewidth": 0, "label": as_label(name),
            }  # fmt: skip
            self.lines_ += ax.plot(values.real, values.imag, **look | kwargs)
        self._style(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _style(self, ax):
        style_axes(ax)
        ax.margins(0.05)
        ax.grid(axis="x", color="0.9", linewidth=0.6)
        ax.set_aspect("equal")
        ax.set_xlabel("real part")
        ax.set_ylabel("imaginary part")
        legend_beside(ax)


def _eigenvalues(reservoir, jacobian, rng):
    """Return the eigenvalues of all state equations of a reservoir."""
    equations = drawn_reservoir(reservoir, rng).state_equations()
    if equations is None:
        raise ValueError(
            "reservoir must have a state equation with recurrent weights, as Reservoir, "
            f"DeepReservoir and ParallelReservoir have, got {reservoir!r}"
        )
    matrices = [e.jacobian() if jacobian else e.recurrent for e in equations]
    return np.concatenate([np.linalg.eigvals(m.toarray().astype(np.float64)) for m in matrices])
