"""Parallel reservoirs: several reservoirs receive the same inputs."""

from typing import Any, Self

import numpy as np

from esnkit.reservoirs._base import BaseReservoir
from esnkit.reservoirs._members import (
    check_template,
    equations_of,
    make_members,
    members_read_inputs,
    noise_of,
    run_member,
)
from esnkit.reservoirs._state_equation import StateEquation
from esnkit.sequences._packing import Sequences
from esnkit.utils._validation import check_positive_int

__all__ = ["ParallelReservoir"]


class ParallelReservoir(BaseReservoir):
    """Several reservoirs side by side, such as one for each time scale.

    Parameters
    ----------
    reservoir : BaseReservoir or None, default=None
        The reservoir that is cloned; None stands for ``Reservoir()``.
    n_reservoirs : int, default=3
        Number of reservoirs.
    reservoir_params : dict or None, default=None
        Parameters that differ from reservoir to reservoir, each with a list of `n_reservoirs`
        values: ``{"leak_rate": [1.0, 0.3, 0.1]}``.
    random_state : int, RandomState instance or None, default=None
        Seeds the reservoirs, each with a seed of its own.

    Attributes
    ----------
    reservoirs_ : list of BaseReservoir
        The reservoirs with their weights.
    n_state_, n_features_out_ : int
        Sums over the reservoirs.
    n_features_in_ : int
        Number of features seen in ``fit``.

    References
    ----------
    G. Tanaka, T. Matsumori, H. Yoshida and K. Aihara (2022), Reservoir computing with diverse
    timescales for prediction of multiscale dynamics, Physical Review Research 4, L032014.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit import ParallelReservoir, Reservoir
    >>> X = np.sin(np.arange(200) / 5).reshape(-1, 1)
    >>> scales = {"leak_rate": [1.0, 0.1]}
    >>> ParallelReservoir(Reservoir(50), 2, reservoir_params=scales).fit_transform(X).shape
    (200, 100)
    """

    def __init__(self, reservoir=None, n_reservoirs=3, *, reservoir_params=None, random_state=None):
        self.reservoir = reservoir
        self.n_reservoirs = n_reservoirs
        self.reservoir_params = reservoir_params
        self.random_state = random_state

    @property
    def causal(self) -> bool:  # type: ignore[override]
        """Whether the reservoir that is cloned is causal."""
        return check_template(self.reservoir).causal

    @property
    def adapts_to_inputs(self) -> bool:  # type: ignore[override]
        """Whether the reservoir that is cloned adapts to its inputs."""
        return getattr(check_template(self.reservoir), "adapts_to_inputs", False)

    def draw(self, n_inputs: int, n_feedback: int = 0, dtype: Any = np.float64) -> Self:
        """Draw the weights of all reservoirs.

        Parameters
        ----------
        n_inputs : int
            Number of inputs of each.
        n_feedback : int, default=0
            Number of outputs that are fed back to each.
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
            If ``reservoir`` is no reservoir, or ``reservoir_params`` no dict.
        """
        return self.prepare(n_inputs, n_feedback, dtype)

    def prepare(
        self,
        n_inputs: int,
        n_feedback: int = 0,
        dtype: Any = np.float64,
        inputs: np.ndarray | None = None,
    ) -> Self:
        """Draw the weights, and record the width and dtype of the rows.

        Parameters
        ----------
        n_inputs, n_feedback, dtype : as in ``draw``
        inputs : ndarray of shape (n_rows, n_inputs) or None, default=None
            Inputs of ``fit``.

        Returns
        -------
        self
        """
        n_reservoirs = check_positive_int("n_reservoirs", self.n_reservoirs)
        self.reservoirs_ = make_members(
            self.reservoir, n_reservoirs, "reservoir_params", self.reservoir_params,
            self.random_state,
        )  # fmt: skip
        for member in self.reservoirs_:
            member.prepare(n_inputs, n_feedback, dtype, inputs)
        self.n_state_ = sum(member.n_state_ for member in self.reservoirs_)
        self.n_features_out_ = sum(member.n_features_out_ for member in self.reservoirs_)
        self.n_features_in_, self._dtype = n_feedback + n_inputs, np.dtype(dtype)
        return self

    @property
    def reads_inputs(self) -> bool:
        """Whether weights depend on the inputs of ``prepare``, not only on their number."""
        return members_read_inputs(self.reservoir, self.reservoir_params)

    def noise_stream(self) -> Any:
        """Return the random numbers of the noise of every reservoir, None if none has noise.

        Returns
        -------
        list or None
        """
        return noise_of(self.reservoirs_)

    def state_equations(self) -> list[StateEquation] | None:
        """Return the state equations of all reservoirs, None if one of them has none.

        Returns
        -------
        list of StateEquation or None
        """
        return equations_of(self.reservoirs_)

    def run(
        self,
        sequences: Sequences,
        state: np.ndarray,
        out: np.ndarray | None = None,
        *,
        noise: Any = None,
    ) -> None:
        """Advance ``state`` in place; if ``out`` is given, also store every feature row.

        Parameters
        ----------
        sequences : Sequences
        state : ndarray of shape (n_sequences, n_state_)
        out : ndarray of shape (n_rows, >= n_features_out_) or None, default=None
        noise : list or None, default=None
            From :meth:`noise_stream`.
        """
        begin = column = 0
        for k, member in enumerate(self.reservoirs_):
            own = None if noise is None else noise[k]
            columns = slice(begin, begin + member.n_state_)
            features = run_member(member, sequences, state, columns, own, out is not None)
            begin += member.n_state_
            if out is not None:
                out[:, column : column + member.n_features_out_] = features
                column += member.n_features_out_
