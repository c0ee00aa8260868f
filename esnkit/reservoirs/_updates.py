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
    """A state equation, with one coefficient k and one gain g for every unit.

    Parameters
    ----------
    equation : str
        How it is written.
    coefficients : callable
        Maps the leak rates (n_units,) to the gains g and the coefficients k, both (n_units,).
    jacobian : callable
        Maps W and the leak rates to d x(t) / d x(t-1) at the origin, for an activation of slope
        one there. Its spectral radius determines how long the reservoir remembers.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit.reservoirs import UPDATES
    >>> gain, keep = UPDATES["leaky"].coefficients(np.array([0.25]))
    >>> float(gain[0]), float(keep[0])
    (0.25, 0.75)
    """

    equation: str
    coefficients: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
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
