"""StatesDisplay: the raster is the states of the reservoir."""

import numpy as np
import pytest

from esnkit import ESNRegressor, Reservoir
from esnkit.plotting import StatesDisplay

pyplot = pytest.importorskip("matplotlib.pyplot")
X = np.random.default_rng(0).uniform(size=(30, 2))


def test_the_raster_has_a_row_for_every_unit():
    reservoir = Reservoir(7, random_state=0).fit(X)
    display = StatesDisplay.from_reservoir(reservoir, X, initial_state=np.ones(7))
    wanted = reservoir.transform(X, initial_state=np.ones(7))
    np.testing.assert_array_equal(display.image_.get_array(), wanted.T)
    low, high = display.image_.get_clim()
    assert -low == high == np.abs(wanted).max()
    raster, top = display.axes_
    assert raster is display.ax_ and raster.get_ylabel() == "unit"
    lines = np.transpose([line.get_ydata() for line in top.get_lines()])
    np.testing.assert_array_equal(lines, X)


def test_estimators_reservoirs_that_are_not_fitted_and_given_axes():
    model = ESNRegressor(5, random_state=0).fit(X, X[:, 0])
    _, axes = pyplot.subplots(2)
    display = StatesDisplay.from_reservoir(model, X, axes=axes)
    assert list(display.axes_) == list(axes)
    np.testing.assert_array_equal(display.states, model.reservoir_.transform(X))
    fresh = StatesDisplay.from_reservoir(Reservoir(5), X.astype("f4"), random_state=0)
    assert fresh.states.shape == (30, 5)


def test_states_alone_have_one_axes_and_zeros_a_scale():
    display = StatesDisplay(np.zeros((4, 3))).plot(cmap="gray")
    assert len(display.axes_) == 1 and display.image_.get_clim() == (-1, 1)
    assert display.image_.get_cmap().name == "gray"


def test_what_is_no_series_is_refused():
    with pytest.raises(ValueError, match=r"states must be of shape \(n_timesteps, n_units\)"):
        StatesDisplay(np.zeros(3)).plot()
    with pytest.raises(ValueError, match="X must be one series"):
        StatesDisplay.from_reservoir(Reservoir(3), [X, X])


def test_steps_and_units_are_counted_in_whole_numbers():
    for shape in ((5, 3), (1, 1)):
        ax = StatesDisplay(np.ones(shape)).plot().ax_
        ticks = [*ax.get_xticks(), *ax.get_yticks()]
        assert ticks == [round(tick) for tick in ticks]
