"""The state equation of a fitted reservoir, as matrices, and its derivative.

x(t) = k P x(t-1) + g f(R x(t-1) + W_in u(t) + b),    (P x)[i] = x[(i + shift) mod n_units]
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from scipy.special import expit

from esnkit.reservoirs._updates import Rates

__all__ = ["SLOPES", "StateEquation"]

SLOPES: dict[str, Callable[[np.ndarray], np.ndarray]] = {  # derivatives of the activations
    "tanh": lambda pre: 1.0 - np.tanh(pre) ** 2,
    "identity": np.ones_like,
    "relu": lambda pre: np.where(pre > 0.0, 1.0, 0.0),
    "sigmoid": lambda pre: expit(pre) * expit(-pre),
}


class StateEquation(NamedTuple):
    """Weights of x(t) = k P x(t-1) + g f(R x(t-1) + W_in u(t) + b).

    Parameters
    ----------
    recurrent : csr_array of shape (n_units, n_units)
        R, the weights of the pre-activation.
    input_weights : ndarray of shape (n_units, n_feedback + n_inputs)
    bias : ndarray of shape (n_units,)
    rates : Rates
        Gains g, coefficients k and the rotation P.
    activation : {"tanh", "identity", "relu", "sigmoid"}

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit import Reservoir
    >>> (equation,) = Reservoir(1, leak_rate=0.4, random_state=0).fit([[0.0]]).state_equations()
    >>> equation.jacobian().toarray().round(2)
    array([[0.24]])
    """

    recurrent: sp.csr_array
    input_weights: np.ndarray
    bias: np.ndarray
    rates: Rates
    activation: str

    def kept(self) -> sp.csr_array:
        """Return k P.

        Returns
        -------
        csr_array of shape (n_units, n_units)
        """
        return self.rates.kept()

    def jacobian(self) -> sp.csr_array:
        """Return d x(t) / d x(t-1) where the activation has the slope one.

        Returns
        -------
        csr_array of shape (n_units, n_units)
        """
        return self.rates.jacobian(self.recurrent)

    def jacobian_product(
        self, inputs: np.ndarray, state: np.ndarray, directions: np.ndarray
    ) -> np.ndarray:
        """Multiply d x(t) / d x(t-1) with directions.

        Parameters
        ----------
        inputs : ndarray of shape (n_feedback + n_inputs,)
        state : ndarray of shape (n_units,)
            State before the step.
        directions : ndarray of shape (n_units, n_directions)

        Returns
        -------
        ndarray of shape (n_units, n_directions), float64
        """
        pre = self.recurrent @ state + self.input_weights @ inputs + self.bias
        gain, keep, shift = self.rates
        moved = (gain * SLOPES[self.activation](pre))[:, np.newaxis] * (self.recurrent @ directions)
        kept = keep[:, np.newaxis] * (np.roll(directions, -shift, axis=0) if shift else directions)
        return np.asarray(kept + moved, np.float64)
