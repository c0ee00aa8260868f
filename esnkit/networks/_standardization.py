"""Standardised inputs: training sees them, and the weights for prediction take up their moments.

A gate computes W x + b. With x = (u - mean) / scale this is (W / scale) u + (b - W mean / scale),
so that the trained network is also a network of the inputs u as they are.
"""

from typing import NamedTuple

import numpy as np

from esnkit.networks._spec import Spec, parameter_views
from esnkit.utils._moments import column_moments
from esnkit.utils._plain_state import plain_record
from esnkit.utils._validation import finite_array

__all__ = ["InputMoments", "input_moments"]


@plain_record
class InputMoments(NamedTuple):
    """The mean and the divisor of every input."""

    mean: np.ndarray  # (n_features,)
    scale: np.ndarray  # (n_features,)

    def standardize(self, rows: np.ndarray) -> np.ndarray:
        """Return rows of standardised inputs, of the same dtype."""
        return ((rows - self.mean) / self.scale).astype(rows.dtype)

    def to_raw(self, spec: Spec, theta: np.ndarray) -> np.ndarray:
        """Return the parameters for inputs as they are, given those for standardised ones."""
        raw = theta.astype(np.float64)
        with np.errstate(over="ignore", invalid="ignore"):  # refused by `finite_array`
            for W, b in _input_weights(spec, raw):
                W /= self.scale
                b -= W @ self.mean
        return finite_array("(weights of inputs) / (standard deviation of X)", raw, theta.dtype)

    def from_raw(self, spec: Spec, theta: np.ndarray) -> np.ndarray:
        """Return the parameters for standardised inputs, given those for inputs as they are."""
        standard = theta.astype(np.float64)
        with np.errstate(over="ignore", invalid="ignore"):
            for W, b in _input_weights(spec, standard):
                b += W @ self.mean
                W *= self.scale
        return finite_array(
            "(weights of inputs) * (standard deviation of X)", standard, theta.dtype
        )


def input_moments(rows: np.ndarray) -> InputMoments:
    """Return the moments of inputs (n_rows, n_features): zero and one for columns of 0 and 1.

    Such columns are indicators, and a rare one divided by its deviation would saturate the units.
    A constant column is not divided.
    """
    mean, deviation = column_moments(rows)
    indicator = np.all((rows == 0) | (rows == 1), axis=0)
    scale = np.where(indicator | (deviation == 0), 1.0, deviation)
    return InputMoments(np.where(indicator, 0.0, mean), scale)


def _input_weights(spec: Spec, theta: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return views of the input weights and the biases of the gates of the first layer."""
    views = parameter_views(spec, theta)
    first = [
        (views[f"M_{layer.name}"], layer.width) for layer in spec.layers()[: spec.n_directions]
    ]
    return [(M[:, :width], M[:, -1]) for M, width in first]
