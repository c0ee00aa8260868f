"""InformationCapacityDisplay: bars that stand on each other, and their bound."""

import numpy as np
import pytest
from driven_reservoirs import linear

from esnkit import Reservoir
from esnkit.analysis import information_processing_capacity
from esnkit.plotting import InformationCapacityDisplay

pytest.importorskip("matplotlib.pyplot")
FEW = {"max_degree": 3, "max_delay": [12, 6, 4], "n_timesteps": 1000, "random_state": 0}


def test_bars_are_the_capacities_by_degree_on_top_of_each_other():
    given = {"linear": linear("cycle", 6), "tanh": Reservoir(6, input_scaling=1, random_state=0)}
    display = InformationCapacityDisplay.from_reservoirs(given, **FEW)
    found = [information_processing_capacity(r, **FEW).by_degree for r in given.values()]
    heights = [[bar.get_height() for bar in bars] for bars in display.bars_]
    np.testing.assert_allclose(heights, np.transpose(found))
    bottoms = [[bar.get_y() for bar in bars] for bars in display.bars_]
    np.testing.assert_allclose(bottoms, np.cumsum([[0, 0], *heights[:-1]], axis=0))
    assert [label.get_text() for label in display.ax_.get_xticklabels()] == ["linear", "tanh"]
    (bound,) = display.ax_.collections
    assert [segment[0, 1] for segment in bound.get_segments()] == [6, 6]
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert texts == ["number of features", "degree 3", "degree 2", "degree 1"]


def test_results_of_unequal_degree_stand_side_by_side():
    few = {"max_delay": 3, "n_timesteps": 300}
    low, high = (
        information_processing_capacity(linear("cycle", 4), max_degree=d, **few) for d in (1, 2)
    )
    display = InformationCapacityDisplay({"low": low, "high": high}).plot()
    assert [len(bars) for bars in display.bars_] == [2, 2]
    again = display.plot(ax=display.ax_)
    assert again.ax_ is display.ax_ and again.figure_ is display.figure_
    one = InformationCapacityDisplay.from_reservoir(linear("cycle", 4), **FEW)
    assert [label.get_text() for label in one.ax_.get_xticklabels()] == ["Reservoir"]


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(TypeError, match="results must be a dict of InformationCapacity by name"):
        InformationCapacityDisplay({}).plot()
