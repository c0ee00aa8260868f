"""What the displays of capacities share: estimates by name, with the parameters given."""

from esnkit import Reservoir
from esnkit.plotting._capacity import CapacityDisplay


class Recorder(CapacityDisplay):
    _estimate = staticmethod(lambda reservoir, **params: (reservoir.n_units, params))

    def plot(self, ax=None):
        self.ax_ = ax
        return self


def test_results_are_the_estimates_by_name():
    given = {"small": Reservoir(3), "large": Reservoir(9)}
    display = Recorder.from_reservoirs(given, ax="axes", max_delay=7)
    assert display.results == {"small": (3, {"max_delay": 7}), "large": (9, {"max_delay": 7})}
    assert display.ax_ == "axes"


def test_a_single_reservoir_has_a_name_or_that_of_its_class():
    assert Recorder.from_reservoir(Reservoir(3)).results == {"Reservoir": (3, {})}
    assert list(Recorder.from_reservoir(Reservoir(3), name="mine").results) == ["mine"]
