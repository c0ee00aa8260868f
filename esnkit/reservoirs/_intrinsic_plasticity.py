"""Reservoirs whose units adapt to a wanted distribution of their outputs."""

from typing import Any, ClassVar, Self

import numpy as np
import scipy.sparse as sp

from esnkit.kernels.activations import CODES
from esnkit.kernels.plasticity import intrinsic_plasticity
from esnkit.reservoirs._base import BaseReservoir
from esnkit.reservoirs._compiled import Network
from esnkit.reservoirs._members import InputScaleMixin, seeded_clone
from esnkit.reservoirs._state_equation import StateEquation
from esnkit.reservoirs._updates import UPDATES, update_params_of
from esnkit.sequences._packing import Sequences
from esnkit.utils._validation import (
    check_choice,
    check_number,
    check_positive_int,
    range_of_float,
)

__all__ = ["IntrinsicPlasticityReservoir"]

DEFAULT_MEANS = {"tanh": 0.0, "sigmoid": 0.2}
# Gains are factors of the rows of W, which the diffusion of "euler" would share.
WITHOUT_DIFFUSION = ("leaky", "es2n", "residual")
BLOCK_ROWS = 4096


class IntrinsicPlasticityReservoir(InputScaleMixin, BaseReservoir):
    """Reservoir with gains and biases that are adapted to the inputs of ``fit``, without targets.

    Every unit changes the gain and the bias of its activation so that its outputs get a wanted
    distribution, which carries more information than that of units that are saturated or nearly
    linear: a Gaussian for tanh units, an exponential distribution for sigmoid units.

    Parameters
    ----------
    reservoir : Reservoir or None, default=None
        With ``activation="tanh"`` or ``"sigmoid"``; None stands for ``Reservoir()``.
    mean : float or None, default=None
        Mean of the outputs f(a z + b) of a unit. In (-1, 1) for tanh, in (0, 1) for sigmoid; None
        stands for 0 and 0.2.
    std : float, default=0.2
        Standard deviation of the Gaussian, in (0, 1). An exponential distribution has none.
    learning_rate : float, default=1e-3
        Size of the changes.
    n_epochs : int, default=10
        Number of passes over the inputs.
    random_state : int, RandomState instance or None, default=None
        Seeds the reservoir if it has no seed.

    Attributes
    ----------
    reservoir_ : Reservoir
        The adapted reservoir: the gains are factors of the rows of ``W_`` and ``W_in_``, the biases
        are ``b_``.
    gain_ : ndarray of shape (n_units,)
        The gains.
    n_state_, n_features_out_ : int
        Those of the reservoir.
    n_features_in_ : int
        Number of features seen in ``fit``.

    Notes
    -----
    Where the root mean square of what a unit receives from the inputs is above one, its gain starts
    from the inverse of that: the rule of the reference assumes inputs of moderate size.

    The rows of all sequences count as one series here. The spectral radius is that before the
    adaptation: `reservoir_` may have a larger one. Without inputs (as :func:`check_reservoir` draws
    it) nothing is adapted.

    References
    ----------
    B. Schrauwen, M. Wardermann, D. Verstraeten, J. J. Steil and D. Stroobandt (2008), Improving
    reservoirs using intrinsic plasticity, Neurocomputing 71, eqs. 6-9.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit import IntrinsicPlasticityReservoir, Reservoir
    >>> X = np.random.default_rng(0).uniform(-1, 1, (500, 1))
    >>> plastic = IntrinsicPlasticityReservoir(Reservoir(30, random_state=0), std=0.3)
    >>> round(float(plastic.fit_transform(X).std()), 2)
    0.29
    """

    allows_clamp: ClassVar[bool] = True
    state_is_features: ClassVar[bool] = True

    adapts_to_inputs = True

    def __init__(
        self,
        reservoir=None,
        *,
        mean=None,
        std=0.2,
        learning_rate=1e-3,
        n_epochs=10,
        random_state=None,
    ):
        self.reservoir = reservoir
        self.mean = mean
        self.std = std
        self.learning_rate = learning_rate
        self.n_epochs = n_epochs
        self.random_state = random_state

    def draw(self, n_inputs: int, n_feedback: int = 0, dtype: Any = np.float64) -> Self:
        """Draw the weights, without an adaptation.

        Parameters
        ----------
        n_inputs : int
            Number of inputs.
        n_feedback : int, default=0
            Number of outputs that are fed back.
        dtype : dtype, default=float64
            float64 or float32.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a parameter is out of its range.
        TypeError
            If ``reservoir`` is no :class:`Reservoir`.
        """
        return self.prepare(n_inputs, n_feedback, dtype)

    def prepare(
        self,
        n_inputs: int,
        n_feedback: int = 0,
        dtype: Any = np.float64,
        inputs: np.ndarray | None = None,
    ) -> Self:
        """Draw the weights, and adapt gains and biases to the inputs.

        Parameters
        ----------
        n_inputs, n_feedback, dtype : as in ``draw``
        inputs : ndarray of shape (n_rows, n_inputs) or None, default=None
            Inputs of ``fit``; None adapts nothing.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If outputs are fed back, which are not known here.
        FloatingPointError
            If gains do not stay positive and finite.
        """
        reservoir = seeded_clone(self.reservoir, self.random_state)
        if not hasattr(reservoir, "activation"):
            raise TypeError(f"reservoir must be a Reservoir, got {reservoir!r}")
        check_choice("activation of reservoir", reservoir.activation, DEFAULT_MEANS)
        check_choice("update of reservoir", reservoir.update, WITHOUT_DIFFUSION)
        target, n_epochs = self._target(reservoir.activation), self.n_epochs
        n_epochs = check_positive_int("n_epochs", n_epochs)
        self.reservoir_ = reservoir.prepare(n_inputs, n_feedback, dtype, inputs)
        self.gain_ = np.ones(reservoir.n_state_)
        if inputs is not None:
            if n_feedback:
                raise ValueError(
                    "feedback must be False: intrinsic plasticity adapts to inputs that are known, "
                    "not to outputs that are fed back"
                )
            self._adapt(inputs, target, n_epochs)
        self.n_state_ = self.n_features_out_ = reservoir.n_state_
        self.n_features_in_, self._dtype = n_feedback + n_inputs, np.dtype(dtype)
        return self

    def _target(self, activation: str) -> tuple[float, float, float]:
        """Return mean, standard deviation and learning rate, or raise."""
        mean = DEFAULT_MEANS[activation] if self.mean is None else self.mean
        low = -1.0 if activation == "tanh" else 0.0
        return (
            check_number("mean", mean, low, 1.0, low_open=True, high_open=True),
            check_number("std", self.std, 0.0, 1.0, low_open=True, high_open=True),
            check_number("learning_rate", self.learning_rate, 0.0, 1.0, low_open=True),
        )

    def _adapt(self, inputs: np.ndarray, target: tuple, n_epochs: int) -> None:
        """Adapt the gains and biases, and take them up in the weights."""
        drawn = self.reservoir_
        own = update_params_of(drawn.update, drawn.update_params)
        rates = UPDATES[drawn.update].rates(np.asarray(drawn.leak_rate_, np.float64), **own)
        # With input_scaling="auto" the units adapt to inputs less their mean, as it scales them.
        mean = getattr(drawn, "input_mean_", np.zeros(inputs.shape[1]))
        W_in = np.asarray(drawn.W_in_, np.float64)
        bias = np.asarray(drawn.b_, np.float64) + W_in @ mean
        first = _first_gain(inputs, mean, W_in)
        W = sp.csr_array(first[:, np.newaxis] * sp.csr_array(drawn.W_, dtype=np.float64))
        weights = np.asarray(W.data), W.indices, W.indptr
        W_in, gain = first[:, np.newaxis] * W_in, np.ones(drawn.n_state_)
        state, code = np.zeros(drawn.n_state_), CODES[drawn.activation]
        for _ in range(n_epochs):
            for start in range(0, len(inputs), BLOCK_ROWS):
                drive = (inputs[start : start + BLOCK_ROWS] - mean) @ W_in.T
                intrinsic_plasticity(weights, rates, drive, code, target, state, gain, bias)
        if not (np.isfinite(gain).all() and (gain > 0).all() and np.isfinite(bias).all()):
            raise FloatingPointError(
                f"gains left the positive numbers: lower learning_rate (now {self.learning_rate!r})"
            )
        dtype = drawn.b_.dtype
        drawn.W_ = sp.csr_array(gain[:, np.newaxis] * W).astype(dtype)
        W_in = gain[:, np.newaxis] * W_in
        drawn.W_in_, drawn.b_ = W_in.astype(dtype), (bias - W_in @ mean).astype(dtype)
        self.gain_ = first * gain

    @property
    def run_closed_loop(self) -> Any:  # type: ignore[override]
        """The compiled closed loop of the reservoir."""
        return self.reservoir_.run_closed_loop

    def noise_stream(self) -> np.random.Generator | None:
        """Return the random numbers of the noise, None without noise.

        Returns
        -------
        Generator or None
        """
        return self.reservoir_.noise_stream()

    def state_equations(self) -> list[StateEquation] | None:
        """Return the state equation with the adapted weights, in a list of one.

        Returns
        -------
        list of StateEquation
        """
        return self.reservoir_.state_equations()

    def network(self) -> Network | None:
        """Return the adapted weights as the kernels take them.

        Returns
        -------
        Network or None
        """
        return self.reservoir_.network()

    def jacobian_product(
        self, inputs: np.ndarray, state: np.ndarray, directions: np.ndarray
    ) -> np.ndarray:
        """Multiply the Jacobian of a step, d x(t) / d x(t-1), with directions.

        Parameters
        ----------
        inputs, state, directions : as in :meth:`Reservoir.jacobian_product`

        Returns
        -------
        ndarray of shape (n_units, n_directions), float64
        """
        return self.reservoir_.jacobian_product(inputs, state, directions)

    def block_rows(self, lengths: np.ndarray, n_extra: int = 0) -> int:
        """Return how many rows to run before the readout reads them.

        Parameters
        ----------
        lengths : ndarray of shape (n_sequences,)
        n_extra : int, default=0
            Columns beside the states.

        Returns
        -------
        int
        """
        return self.reservoir_.block_rows(lengths, n_extra)

    def run(
        self,
        sequences: Sequences,
        state: np.ndarray,
        out: np.ndarray | None = None,
        **forcing: Any,
    ) -> None:
        """Advance ``state`` in place; if ``out`` is given, also store every state.

        Parameters
        ----------
        sequences : Sequences
        state : ndarray of shape (n_sequences, n_units)
        out : ndarray of shape (n_rows, >= n_units) or None, default=None
        **forcing : as in :meth:`Reservoir.run`
        """
        self.reservoir_.run(sequences, state, out, **forcing)


def _first_gain(inputs: np.ndarray, mean: np.ndarray, W_in: np.ndarray) -> np.ndarray:
    """Return factors of the rows that bring W_in (u - mean) to a root mean square of one at most.

    Raise FloatingPointError if its squares overflow.
    """
    squares = np.zeros(len(W_in))
    for start in range(0, len(inputs), BLOCK_ROWS):
        drive = (inputs[start : start + BLOCK_ROWS] - mean) @ W_in.T
        with range_of_float("squares of W_in_ u(t)", np.float64):
            squares += np.sum(drive**2, axis=0)
    return 1.0 / np.maximum(np.sqrt(squares / len(inputs)), 1.0)
