"""State equations of a reservoir, one record each.

    pre(t) = R(W) x(t-1) + W_in u(t) + W_fb y(t-1) + b
    x(t)   = k P x(t-1) + g f(pre(t))

with one coefficient k and one gain g for every unit, a rotation P of the ring of units,
(P x)[i] = x[(i + shift) mod n_units], and recurrent weights R(W), which are W unless the record
says otherwise.

References
----------
Ceni and Gallicchio (2024), "Edge of stability echo state network", IEEE Transactions on Neural
Networks and Learning Systems, eq. 5: "es2n".

Gallicchio (2024), "Euler state networks: non-dissipative reservoir computing", Neurocomputing 579,
127411, eq. 8: "euler".

Ceni and Gallicchio (2025), "Residual reservoir memory networks", IJCNN, eq. 3; He, Zhang, Ren and
Sun (2016), "Deep residual learning for image recognition", CVPR: "residual".
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

from esnkit.reservoirs._own_params import complete_params
from esnkit.utils._validation import check_choice, check_number

__all__ = ["Rates", "UPDATES", "Update", "update_params_of"]


class Rates(NamedTuple):
    """Gains g and coefficients k of all units, and the rotation P of k P x(t-1).

    Parameters
    ----------
    gain, keep : ndarray of shape (n_units,)
    shift : int, default=0
        Unit i keeps x[(i + shift) mod n_units].

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit.reservoirs import Rates
    >>> Rates(np.array([0.25]), np.array([0.75])).shift
    0
    """

    gain: np.ndarray
    keep: np.ndarray
    shift: int = 0

    def kept(self) -> sp.csr_array:
        """Return k P.

        Returns
        -------
        csr_array of shape (n_units, n_units)
        """
        n_units = self.keep.size
        units = np.arange(n_units)
        columns = (units + self.shift) % n_units
        return sp.csr_array((self.keep, (units, columns)), shape=(n_units, n_units))

    def jacobian(self, recurrent: sp.csr_array) -> sp.csr_array:
        """Return k P + g R, which is d x(t) / d x(t-1) where the activation has the slope one.

        Parameters
        ----------
        recurrent : csr_array of shape (n_units, n_units)
            R, the weights of the pre-activation.

        Returns
        -------
        csr_array of shape (n_units, n_units)
        """
        return self.kept() + _diagonal(self.gain) @ recurrent


def _same(W: sp.csr_array, **own: Any) -> sp.csr_array:
    return W


class Update(NamedTuple):
    """A state equation, with one coefficient k and one gain g for every unit.

    Parameters
    ----------
    equation : str
        How it is written.
    rates : callable (leak_rate, **own) -> Rates
        Maps the leak rates (n_units,) to the gains, the coefficients and the rotation.
    own : dict, default={}
        Further parameters with their defaults, which ``update_params`` replaces.
    recurrent : callable (W, **own) -> W
        Maps the recurrent weights to those of the pre-activation. The default changes nothing.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit.reservoirs import UPDATES
    >>> gain, keep, shift = UPDATES["leaky"].rates(np.array([0.25]))
    >>> float(gain[0]), float(keep[0]), shift
    (0.25, 0.75, 0)
    """

    equation: str
    rates: Callable[..., Rates]
    own: Mapping[str, Any] = MappingProxyType({})
    recurrent: Callable[..., Any] = _same

    def jacobian(self, W: Any, leak_rate: np.ndarray, **own: Any) -> sp.csr_array:
        """Return d x(t) / d x(t-1) at the origin, for an activation of slope one there.

        Its spectral radius determines how long the reservoir remembers.

        Parameters
        ----------
        W : csr_array of shape (n_units, n_units)
            Recurrent weights.
        leak_rate : ndarray of shape (n_units,)
        **own : further parameters
            Those of the record, where they differ from the defaults.

        Returns
        -------
        csr_array of shape (n_units, n_units)
        """
        own = {**self.own, **own}
        rates = self.rates(np.asarray(leak_rate), **own)
        return rates.jacobian(self.recurrent(sp.csr_array(W), **own))


def _diagonal(values: np.ndarray) -> sp.csr_array:
    index = np.arange(values.size + 1)
    return sp.csr_array((values, index[:-1], index), shape=(values.size, values.size))


def _euler(leak: np.ndarray, diffusion: float) -> Rates:
    return Rates(leak, np.ones_like(leak))


def _with_diffusion(W: sp.csr_array, diffusion: float) -> sp.csr_array:
    """Return W - diffusion I."""
    diffusion = check_number("update_params['diffusion']", diffusion, 0.0)
    return W - diffusion * _diagonal(np.ones(W.shape[0], W.dtype))


def _residual(leak: np.ndarray, skip_weight: float, skip: str) -> Rates:
    weight = check_number("update_params['skip_weight']", skip_weight, 0.0, 1.0)
    skip = check_choice("update_params['skip']", skip, ("cycle", "identity"))
    return Rates(leak, np.full_like(leak, weight), leak.size - 1 if skip == "cycle" else 0)


# On a cycle unit i receives unit i - 1: the shift is n_units - 1.
UPDATES: dict[str, Update] = {
    "leaky": Update(
        equation="x(t) = (1 - a) x(t-1) + a f(pre(t))", rates=lambda leak: Rates(leak, 1 - leak)
    ),
    "es2n": Update(
        equation="x(t) = (1 - a) O x(t-1) + a f(pre(t)), O the cycle",
        rates=lambda leak: Rates(leak, 1 - leak, leak.size - 1),
    ),
    "euler": Update(
        equation="x(t) = x(t-1) + a f(pre(t)), pre with W - diffusion I in place of W",
        rates=_euler,
        own={"diffusion": 0.01},
        recurrent=_with_diffusion,
    ),
    "residual": Update(
        equation="x(t) = skip_weight O x(t-1) + a f(pre(t)), O the cycle or the identity",
        rates=_residual,
        own={"skip_weight": 0.9, "skip": "cycle"},
    ),
}


def update_params_of(update: Any, params: Any) -> dict[str, Any]:
    """Return the further parameters of a state equation, with their defaults, or raise."""
    check_choice("update", update, UPDATES)
    return complete_params("update", update, params, UPDATES[update].own)
