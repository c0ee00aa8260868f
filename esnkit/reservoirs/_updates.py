"""State equations of a reservoir, one record each.

    x(t) = k x(t-1) + g f(W x(t-1) + W_in u(t) + W_fb y(t-1) + b)

with one coefficient k and one gain g for every unit.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

__all__ = ["UPDATES", "Update"]


class Update(NamedTuple):
    """A state equation."""

    equation: str
    # (leak rates) -> gains g and coefficients k, all of shape (n_units,)
    coefficients: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
    # (W, leak rates) -> d x(t) / d x(t-1) at the origin for f'(0) = 1, whose spectral radius
    # determines how long the reservoir remembers
    jacobian: Callable[[Any, np.ndarray], Any]


def _diagonal(values: np.ndarray) -> sp.csr_array:
    index = np.arange(values.size + 1)
    return sp.csr_array((values, index[:-1], index), shape=(values.size, values.size))


UPDATES = {
    "leaky": Update(
        equation="x(t) = (1 - a) x(t-1) + a f(pre(t))",
        coefficients=lambda leak: (leak, 1 - leak),
        jacobian=lambda W, leak: _diagonal(1.0 - leak) + _diagonal(leak) @ W,
    ),
}
