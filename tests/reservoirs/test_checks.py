"""The check of reservoirs passes for what keeps the contract, and names what breaks it."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from third_party import MirroredSum, TappedDelayLine

from esnkit import Reservoir, check_reservoir


@pytest.mark.parametrize(
    "reservoir",
    [Reservoir(20, random_state=0), TappedDelayLine(4), MirroredSum(), *(
        Reservoir(33, topology=name, activation=f, random_state=1, leak_rate=(0.1, 1.0))
        for name, f in [("random", "sigmoid"), ("dense", "relu"), ("diagonals", "identity")]
    )],
)  # fmt: skip
def test_the_check_of_reservoirs_passes(reservoir):
    check_reservoir(reservoir)


class Leaks(TappedDelayLine):
    """State flows from one sequence into the next."""

    def run(self, sequences, state, out=None):
        super().run(sequences, state, out)
        state[:] = state.sum(axis=0)


class LooksAhead(MirroredSum):
    causal = True


class WritesTooMuch(TappedDelayLine):
    def run(self, sequences, state, out=None):
        super().run(sequences, state, out)
        if out is not None:
            out[:, -1] = 0.0


class NeverDraws(TappedDelayLine):
    def draw(self, n_inputs, n_feedback=0, dtype=np.float64):
        super().draw(n_inputs, n_feedback, dtype)
        self.n_features_out_ = None
        return self


class OtherLoop(Reservoir):
    def run_closed_loop(self, readout, inputs, exog, state, out, clamp=None):
        super().run_closed_loop(readout, inputs, exog, state, out, clamp)
        out += 0.1


@pytest.mark.parametrize(
    ("reservoir", "message"),
    [
        (Leaks(), "alone and among others"),
        (LooksAhead(), "two halves|causal"),
        (WritesTooMuch(), "further columns"),
        (NeverDraws(), "n_features_out_"),
        (OtherLoop(10, random_state=0), "single steps"),
        (Reservoir(10), "same random_state"),
        (Ridge(), "BaseReservoir"),
    ],
)
def test_the_check_of_reservoirs_names_what_is_broken(reservoir, message):
    with pytest.raises(AssertionError, match=message):
        check_reservoir(reservoir)
