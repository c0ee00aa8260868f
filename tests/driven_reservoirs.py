"""Reservoirs whose capacities are known in closed form."""

import numpy as np

from esnkit import Reservoir
from esnkit.reservoirs import BaseReservoir


class Features(BaseReservoir):
    """Functions of the last three inputs, of which the last two are the state."""

    def __init__(self, *functions):
        self.functions = functions

    def get_params(self, deep=True):
        return {}

    def __sklearn_clone__(self):
        return Features(*self.functions)

    def draw(self, n_inputs, n_feedback=0, dtype=np.float64):
        self.n_state_, self.n_features_out_ = 2, len(self.functions)
        return self

    def run(self, sequences, state, out=None):
        for i, (start, stop) in enumerate(sequences.bounds):
            u = np.concatenate([state[i, ::-1], sequences.values[start:stop, 0]])
            if out is not None:
                columns = [function(u[2:], u[1:-1], u[:-2]) for function in self.functions]
                out[start:stop, : len(columns)] = np.array(columns).T
            state[i] = u[:-3:-1]


def delay_line(n_units, weight=0.9):
    return Reservoir(
        n_units, topology="delay_line", spectral_radius=weight, activation="identity",
        input_weights=np.eye(n_units, 1), random_state=0,
    )  # fmt: skip


def linear(topology, n_units, seed=0, radius=0.95):
    return Reservoir(
        n_units, topology=topology, spectral_radius=radius, activation="identity",
        bias_scaling=0.0, random_state=seed,
    )  # fmt: skip
