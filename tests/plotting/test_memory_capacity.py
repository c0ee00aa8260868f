"""MemoryCapacityDisplay: the curves drawn, their names, and what is refused."""

import numpy as np
import pytest
from driven_reservoirs import delay_line, linear

from esnkit import Reservoir
from esnkit.analysis import memory_capacity
from esnkit.plotting import MemoryCapacityDisplay

pytest.importorskip("matplotlib.pyplot")
FEW = {"n_timesteps": 400, "random_state": 0}


def labels_of(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


def test_the_curve_is_that_of_the_estimate():
    line = delay_line(10)
    display = MemoryCapacityDisplay.from_reservoir(line, name="line", **FEW)
    found = memory_capacity(line, **FEW)
    (drawn,) = display.lines_
    np.testing.assert_array_equal(drawn.get_ydata(), found.curve[:, 0])
    np.testing.assert_array_equal(drawn.get_xdata(), np.arange(301))
    assert labels_of(display) == ["line: capacity 10.0 of 10"]
    assert 9 < display.ax_.get_xlim()[1] < 15  # as far as something is recalled
    assert display.figure_ is display.ax_.figure and "delay" in display.ax_.get_xlabel()


def test_several_reservoirs_and_several_inputs_are_told_apart():
    two = Reservoir(5, random_state=0).fit(np.zeros((3, 2)))
    given = {"cycle": linear("cycle", 5), "two": two}
    display = MemoryCapacityDisplay.from_reservoirs(given, **FEW)
    assert len(display.lines_) == 3
    assert [label.split(":")[0] for label in labels_of(display)] == [
        "cycle", "two, input 0", "two, input 1",
    ]  # fmt: skip
    more = MemoryCapacityDisplay.from_reservoir(delay_line(5), ax=display.ax_, **FEW)
    assert more.ax_ is display.ax_ and len(labels_of(more)) == 4
    looks = [(line.get_color(), line.get_linestyle()) for line in more.ax_.get_lines()]
    assert len(set(looks)) == 4 and labels_of(more)[3].startswith("Reservoir: ")
    assert display.plot(color="k").lines_[0].get_color() == "k"


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(TypeError, match="reservoirs must be a dict of reservoirs by name, got"):
        MemoryCapacityDisplay.from_reservoirs([delay_line(5)])
    with pytest.raises(TypeError, match="results must be a dict of MemoryCapacity by name"):
        MemoryCapacityDisplay({"a": 3}).plot()
