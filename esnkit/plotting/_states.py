"""Plot of the states of all units over time."""

import numpy as np

from esnkit.analysis._lyapunov import driven_by
from esnkit.plotting._common import COLOURS, pyplot, set_whole_ticks, style_axes
from esnkit.utils._validation import finite_array

__all__ = ["StatesDisplay"]


class StatesDisplay:
    """States of a driven reservoir as a raster: a row for every unit, a column for every step.

    Units that stay at the ends of the scale are saturated; rows of one colour do nothing for the
    readout. Make one with :meth:`from_reservoir`.

    Parameters
    ----------
    states : ndarray of shape (n_timesteps, n_features)
        Feature rows of a reservoir.
    inputs : ndarray of shape (n_timesteps, n_inputs) or None, default=None
        Drawn as lines above the raster.

    Attributes
    ----------
    image_ : matplotlib AxesImage
    axes_ : ndarray of matplotlib Axes
        The raster, and the axes of the inputs if there are any.
    ax_ : matplotlib Axes
        The raster.
    figure_ : matplotlib Figure

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit import Reservoir
    >>> from esnkit.plotting import StatesDisplay
    >>> X = np.sin(np.arange(100) / 5).reshape(-1, 1)
    >>> display = StatesDisplay.from_reservoir(Reservoir(30, random_state=0), X)
    >>> display.states.shape, display.image_.get_array().shape
    ((100, 30), (30, 100))
    """

    def __init__(self, states, *, inputs=None):
        self.states = states
        self.inputs = inputs

    @classmethod
    def from_reservoir(cls, reservoir, X, *, initial_state=None, axes=None, random_state=None):
        """Run a reservoir over a series and plot.

        Parameters
        ----------
        reservoir : BaseReservoir or estimator with a fitted reservoir
        X : array of shape (n_timesteps, n_features)
            One series of inputs.
        initial_state : array or tuple (indices, values), default=None
            As in ``transform`` of a reservoir; None stands for zeros.
        axes : sequence of two matplotlib Axes, default=None
            Axes of the raster and of the inputs; None makes a new figure.
        random_state : int, RandomState instance or None, default=None
            Draws the weights of a reservoir that is not fitted and has no seed.

        Returns
        -------
        StatesDisplay
        """
        reservoir, sequences = driven_by(reservoir, X, random_state)
        states = reservoir.transform(sequences.values, initial_state=initial_state)
        states = np.asarray(states, np.float64)
        return cls(states, inputs=sequences.values).plot(axes=axes)

    def plot(self, axes=None, **kwargs):
        """Draw the plot.

        Parameters
        ----------
        axes : sequence of matplotlib Axes, default=None
            Axes of the raster and, with inputs, of these; None makes a new figure.
        **kwargs : properties of the image
            As in :meth:`matplotlib.axes.Axes.imshow`.

        Returns
        -------
        self : StatesDisplay
        """
        states = finite_array("states", self.states)
        if states.ndim != 2 or not states.size:
            raise ValueError(f"states must be of shape (n_timesteps, n_units), got {states.shape}")
        axes = self._make_axes() if axes is None else np.atleast_1d(axes)
        raster, bound = axes[0], float(np.abs(states).max()) or 1.0
        look = {
            "aspect": "auto", "cmap": "RdBu_r", "vmin": -bound, "vmax": bound,
            "interpolation": "none" if max(states.shape) < 500 else "antialiased",
        }  # fmt: skip
        self.image_ = raster.imshow(states.T, **look | kwargs)
        raster.figure.colorbar(self.image_, ax=raster, label="state", pad=0.01)
        raster.set_xlabel("time step t")
        raster.set_ylabel("unit")
        for axis in (raster.xaxis, raster.yaxis):
            set_whole_ticks(axis)
        raster.tick_params(width=0.6, labelsize=9)
        if self.inputs is not None and len(axes) > 1:
            for k, line in enumerate(np.reshape(self.inputs, (len(states), -1)).T):
                axes[1].plot(line, color=COLOURS[k % len(COLOURS)], linewidth=1.0)
            style_axes(axes[1])
            axes[1].set_ylabel("input")
            axes[1].tick_params(labelbottom=False)
        self.axes_, self.ax_, self.figure_ = np.array(axes, object), raster, raster.figure
        return self

    def _make_axes(self):
        plt = pyplot()
        if self.inputs is None:
            return [plt.subplots(figsize=(9, 5), layout="constrained")[1]]
        _, (top, raster) = plt.subplots(
            2, 1, figsize=(9, 6), layout="constrained", sharex=True, height_ratios=(1, 4)
        )
        return [raster, top]
