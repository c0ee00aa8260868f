"""Reservoirs whose units read only units near them, which threads can divide."""

import numpy as np
import pytest

from esnkit.kernels.activations import CODES
from esnkit.kernels.layouts import Diagonals, Forcing, lay_out_inputs
from esnkit.kernels.reservoir import InputSequences
from esnkit.sequences._initial_state import no_clamp

both_dtypes = pytest.mark.parametrize("dtype", [np.float64, np.float32])


class BandedProblem:
    """A banded reservoir on diagonals with the given shifts, and one sequence of inputs."""

    def __init__(self, n_units, shifts, dtype=np.float64, n_features=2, n_rows=40):
        self.rng = np.random.default_rng([n_units, n_features, *np.abs(shifts)])
        self.dtype, self.n_units = dtype, n_units
        shifts = np.sort(np.array(shifts) % n_units)
        weights = self.draw(shifts.size, n_units) / shifts.size
        self.W = Diagonals(weights, shifts.astype(np.uint64))
        w_in, b = self.draw(n_features, n_units), self.draw(n_units)
        gain = self.rng.uniform(0.2, 1.0, n_units).astype(dtype)
        self.input_weights = lay_out_inputs(w_in, b, gain, 1 - gain)
        self.U, self.x0 = self.draw(n_rows, n_features), self.draw(1, n_units)
        self.forcing = Forcing(np.empty((0, n_units), dtype), *no_clamp(dtype))

    def draw(self, *shape):
        return self.rng.normal(size=shape).astype(self.dtype)

    def run(self, kernel, first=0, every=True, n_rows=None):
        """Return (states, last state) of the rows from ``first`` on."""
        n_rows = n_rows or len(self.U)
        out = np.full((n_rows if every else 0, self.n_units), np.nan, self.dtype)
        last = self.x0.copy()
        inputs = InputSequences(self.U, np.array([first]), np.array([n_rows - first]))
        weights = self.W, self.input_weights, CODES["tanh"]
        kernel(*weights, self.forcing, inputs, last, out)
        return out, last
