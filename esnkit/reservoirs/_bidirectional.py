"""Bidirectional reservoirs: every sequence is run forwards and backwards."""

from typing import Any, Self

import numpy as np

from esnkit.reservoirs._base import BaseReservoir
from esnkit.reservoirs._members import (
    InputScaleMixin,
    check_template,
    members_read_inputs,
    run_member,
    seeded_clone,
)
from esnkit.sequences._packing import Sequences

__all__ = ["BidirectionalReservoir"]


class BidirectionalReservoir(InputScaleMixin, BaseReservoir):
    """One reservoir that runs every sequence forwards, and its time steps in reverse.

    The feature row of a time step holds the features of the run up to it, then those of the run
    from the end of the sequence down to it. It depends on the whole sequence: there is no initial
    state, no closed loop and no run step by step.

    Parameters
    ----------
    reservoir : BaseReservoir or None, default=None
        The reservoir, the same one for both directions; None stands for ``Reservoir()``.
    random_state : int, RandomState instance or None, default=None
        Seeds the reservoir if it has no seed.

    Attributes
    ----------
    reservoir_ : BaseReservoir
        The reservoir with its weights.
    n_state_, n_features_out_ : int
        Twice those of the reservoir.
    n_features_in_ : int
        Number of features seen in ``fit``.

    References
    ----------
    F. M. Bianchi, S. Scardapane, S. Løkse and R. Jenssen (2018), Bidirectional deep-readout echo
    state networks, ESANN, section 2.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit import BidirectionalReservoir, Reservoir
    >>> X = np.sin(np.arange(60) / 5).reshape(3, 20, 1)
    >>> BidirectionalReservoir(Reservoir(30, random_state=0)).fit_transform(X).shape
    (3, 20, 60)
    """

    causal = False

    def __init__(self, reservoir=None, *, random_state=None):
        self.reservoir = reservoir
        self.random_state = random_state

    @property
    def adapts_to_inputs(self) -> bool:  # type: ignore[override]
        """Whether the reservoir that is cloned adapts to its inputs."""
        return getattr(check_template(self.reservoir), "adapts_to_inputs", False)

    def draw(self, n_inputs: int, n_feedback: int = 0, dtype: Any = np.float64) -> Self:
        """Draw the weights.

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
            If ``reservoir`` is no reservoir.
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
        reservoir = seeded_clone(self.reservoir, self.random_state)
        self.reservoir_ = reservoir.prepare(n_inputs, n_feedback, dtype, inputs)
        self.n_state_ = 2 * reservoir.n_state_
        self.n_features_out_ = 2 * reservoir.n_features_out_
        self.n_features_in_, self._dtype = n_feedback + n_inputs, np.dtype(dtype)
        return self

    @property
    def reads_inputs(self) -> bool:
        """Whether weights depend on the inputs of ``prepare``, not only on their number."""
        return members_read_inputs(self.reservoir)

    def noise_stream(self) -> np.random.Generator | None:
        """Return the random numbers of the noise, None without noise.

        Returns
        -------
        Generator or None
        """
        return self.reservoir_.noise_stream()

    def run(
        self,
        sequences: Sequences,
        state: np.ndarray,
        out: np.ndarray | None = None,
        *,
        noise: np.random.Generator | None = None,
    ) -> None:
        """Advance both states in place; if ``out`` is given, also store every feature row.

        Parameters
        ----------
        sequences : Sequences
            Whole sequences.
        state : ndarray of shape (n_sequences, n_state_)
        out : ndarray of shape (n_rows, >= n_features_out_) or None, default=None
        noise : Generator or None, default=None
            From :meth:`noise_stream`.
        """
        member, with_features = self.reservoir_, out is not None
        n_state, width = member.n_state_, member.n_features_out_
        in_reverse = _rows_in_reverse(sequences)
        backwards = sequences._replace(values=sequences.values[in_reverse])
        for k, run in enumerate((sequences, backwards)):
            columns = slice(k * n_state, (k + 1) * n_state)
            features = run_member(member, run, state, columns, noise, with_features)
            if out is not None:
                out[:, k * width : (k + 1) * width] = features[in_reverse] if k else features


def _rows_in_reverse(sequences: Sequences) -> np.ndarray:
    """Return the row that takes the place of each when every sequence is reversed."""
    ends = sequences.offsets[:-1] + sequences.offsets[1:] - 1
    return np.repeat(ends, sequences.lengths) - np.arange(len(sequences.values))
