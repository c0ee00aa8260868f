"""Standardised inputs: training sees them, and the weights for prediction take up their scale.

A gate computes W x + b. With x = (u - c) / s this is (W / s) u + (b - W c / s), so that the trained
network is also a network of the inputs u as they are.
"""

from typing import NamedTuple

import numpy as np

from esnkit.networks._spec import Spec, parameter_views
from esnkit.utils._moments import column_moments
from esnkit.utils._plain_state import plain_record
from esnkit.utils._validation import finite_array

__all__ = ["InputScale", "input_scale"]

# Moderate gains are for units that do not saturate, whose states are large in sequences of large
# values, and for weights that an L2 penalty covers.
MAX_GAIN, MAX_MODERATE_GAIN = 1e6, 100.0
MAX_BIAS_ROUNDING = 0.01  # of the bias of a unit with the largest gain, for inputs as they are
ROUNDING = 1e-12  # deviations below this share of the mean are those of constants


@plain_record
class InputScale(NamedTuple):
    """The center and the divisor of every input."""

    center: np.ndarray  # (n_features,)
    scale: np.ndarray  # (n_features,)

    def standardize(self, rows: np.ndarray) -> np.ndarray:
        """Return rows of standardised inputs, of the same dtype."""
        return ((rows - self.center) / self.scale).astype(rows.dtype)

    def gains(self, rows: np.ndarray, offsets: np.ndarray, *, moderate: bool) -> np.ndarray:
        """Return how much larger `scale` is than the deviation of an input within every sequence.

        Units whose inputs are multiplied by it tell sequences of small values apart. A gain is at
        least 1, and 1 where the input is constant.

        Returns
        -------
        gains : ndarray of shape (n_sequences, n_features)
        """
        standard, starts = self.standardize(rows.astype(np.float64)), offsets[:-1]
        lengths = np.diff(offsets)
        mean = np.add.reduceat(standard, starts) / lengths[:, None]
        squares = (standard - np.repeat(mean, lengths, axis=0)) ** 2
        deviation = np.sqrt(np.add.reduceat(squares, starts) / lengths[:, None])
        deviation[deviation <= ROUNDING * (1 + np.abs(mean))] = 1.0
        largest = MAX_MODERATE_GAIN if moderate else MAX_GAIN
        gains = np.minimum(1 / deviation, self._finest_gains(rows.dtype))
        return np.clip(gains, 1.0, largest)

    def _finest_gains(self, dtype: np.dtype) -> np.ndarray:
        """Return the gains g with which rounding a bias g * center / scale does no harm."""
        with np.errstate(divide="ignore", over="ignore"):
            return MAX_BIAS_ROUNDING / np.finfo(dtype).eps * self.scale / np.abs(self.center)

    def to_raw(self, spec: Spec, theta: np.ndarray) -> np.ndarray:
        """Return the parameters for inputs as they are, given those for standardised ones."""
        raw = theta.astype(np.float64)
        with np.errstate(over="ignore", invalid="ignore"):  # refused by `finite_array`
            for W, b in _input_weights(spec, raw):
                W /= self.scale
                b -= W @ self.center
        return finite_array("(weights of inputs) / (standard deviation of X)", raw, theta.dtype)

    def from_raw(self, spec: Spec, theta: np.ndarray) -> np.ndarray:
        """Return the parameters for standardised inputs, given those for inputs as they are."""
        standard = theta.astype(np.float64)
        with np.errstate(over="ignore", invalid="ignore"):
            for W, b in _input_weights(spec, standard):
                b += W @ self.center
                W *= self.scale
        return finite_array(
            "(weights of inputs) * (standard deviation of X)", standard, theta.dtype
        )


def input_scale(rows: np.ndarray) -> InputScale:
    """Return the medians and standard deviations of inputs (n_rows, n_features).

    Beside a few large values, the mean is far from all others. Columns of 0 and 1 are indicators
    and stay as they are: a rare one divided by its deviation would saturate the units. A constant
    column is not divided.
    """
    deviation = column_moments(rows)[1]
    indicator = np.all((rows == 0) | (rows == 1), axis=0)
    scale = np.where(indicator | (deviation == 0), 1.0, deviation)
    return InputScale(np.where(indicator, 0.0, _column_medians(rows)), scale)


def _column_medians(rows: np.ndarray) -> np.ndarray:
    """Return the median of every column, of an even number the lower one."""
    middle = (len(rows) - 1) // 2
    return np.partition(rows, middle, axis=0)[middle].astype(np.float64)


def _input_weights(spec: Spec, theta: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return views of the input weights and the biases of the gates of the first layer."""
    views = parameter_views(spec, theta)
    first = [
        (views[f"M_{layer.name}"], layer.width) for layer in spec.layers()[: spec.n_directions]
    ]
    return [(M[:, :width], M[:, -1]) for M, width in first]
