"""The contract of a reservoir: packed sequences in, feature rows out, a state carried along."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin

from esnkit.reservoirs._blocks import BLOCK_BYTES, segments
from esnkit.reservoirs._compiled import Network
from esnkit.reservoirs._state_equation import StateEquation
from esnkit.sequences._initial_state import Clamp, clamp_rows, resolve_clamp, resolve_initial_state
from esnkit.sequences._misread_shapes import refuse_vectors_of_integers, warn_if_tokens
from esnkit.sequences._packing import Sequences, pack, restore
from esnkit.sequences._set_output import tables_for_series_only
from esnkit.sequences._short_sequences import warn_if_short
from esnkit.utils._param_names import ParamNamesMixin
from esnkit.utils._plain_state import PlainStateMixin
from esnkit.utils._rollback import rollback_on_error
from esnkit.utils._validation import check_fitted
from esnkit.utils._workspace import recycled

__all__ = ["BaseReservoir"]


@tables_for_series_only
class BaseReservoir(
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    ParamNamesMixin,
    PlainStateMixin,
    BaseEstimator,
    ABC,
):
    """Base of everything that turns packed sequences into feature rows while carrying a state.

    A subclass writes :meth:`draw` and :meth:`run`; all that estimators, forecasters and searches
    need follows from these two. :func:`check_reservoir` tells whether it keeps the contract.

    Attributes
    ----------
    n_state_ : int
        Numbers carried from step to step; set by ``draw``.
    n_features_out_ : int
        Columns of a feature row; set by ``draw``.
    causal : bool
        False if a feature row depends on later time steps of its sequence, as in a bidirectional
        reservoir: then there is no initial state, no closed loop and no step-by-step run.
    allows_clamp : bool
        Whether ``run`` takes a clamp: entries of the state held at given values.
    state_is_features : bool
        Whether the feature row of a step is the state after it.
    run_closed_loop : callable or None
        A compiled closed loop with a linear readout, if the reservoir has one:
        see :meth:`Reservoir.run_closed_loop`.
        None runs the loop in single steps.
    adapts_to_inputs : bool
        Whether ``prepare`` reads more of the inputs than their means and standard deviations. Then
        there is no fit to dask collections.
    adds_statistics : bool
        Whether there is a compiled run that adds the states to running statistics at once:
        see :meth:`Reservoir.add_statistics`. False stores the features of a block first.

    Examples
    --------
    A reservoir of one unit that sums up its inputs:

    >>> import numpy as np
    >>> from esnkit.reservoirs import BaseReservoir
    >>> class RunningSum(BaseReservoir):
    ...     def draw(self, n_inputs, n_feedback=0, dtype=np.float64):
    ...         self.n_state_ = self.n_features_out_ = 1
    ...         return self
    ...
    ...     def run(self, sequences, state, out=None):
    ...         for i, (start, stop) in enumerate(sequences.bounds):
    ...             for t in range(start, stop):
    ...                 state[i] += sequences.values[t].sum()
    ...                 if out is not None:
    ...                     out[t, :1] = state[i]
    >>> RunningSum().fit_transform([[1.0, 2.0], [3.0, 4.0]])
    array([[ 3.],
           [10.]])
    """

    causal: ClassVar[bool] = True
    adapts_to_inputs: ClassVar[bool] = False
    allows_clamp: ClassVar[bool] = False
    state_is_features: ClassVar[bool] = False
    run_closed_loop: Callable[..., None] | None = None
    adds_statistics: bool = False
    n_state_: int
    n_features_out_: int

    @abstractmethod
    def draw(self, n_inputs: int, n_feedback: int = 0, dtype: Any = np.float64) -> Self:
        """Draw the weights and set ``n_state_`` and ``n_features_out_``.

        Parameters
        ----------
        n_inputs : int
            Number of inputs u(t).
        n_feedback : int, default=0
            Number of outputs y(t-1) that are fed back. They are the first columns of the rows
            that ``run`` takes, before the inputs.
        dtype : dtype, default=float64
            float64 or float32, of the rows, the state and the features.

        Returns
        -------
        self
        """

    @abstractmethod
    def run(self, sequences: Sequences, state: np.ndarray, out: np.ndarray | None = None) -> None:
        """Advance ``state`` in place; if ``out`` is given, also store every feature row.

        Parameters
        ----------
        sequences : Sequences
            ``values`` (n_rows, n_feedback + n_inputs) and ``offsets``: the rows of sequence i are
            ``values[offsets[i]:offsets[i + 1]]``. Sequences do not influence each other.
        state : ndarray of shape (n_sequences, n_state_)
            States before the first step of each sequence; on exit those after the last.
        out : ndarray of shape (n_rows, >= n_features_out_) or None, default=None
            C-contiguous. The first ``n_features_out_`` columns are written.
        """

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
            Inputs of ``fit``, for a reservoir whose weights depend on their size. Of a dask
            collection, two rows of the same means and standard deviations.

        Returns
        -------
        self
        """
        self.draw(n_inputs, n_feedback, dtype)
        self.n_features_in_, self._dtype = n_feedback + n_inputs, np.dtype(dtype)
        return self

    @property
    def reads_inputs(self) -> bool:
        """Whether weights depend on the inputs of ``prepare``, not only on their number."""
        return type(self).prepare is not BaseReservoir.prepare

    def noise_stream(self) -> np.random.Generator | None:
        """Return the random numbers of the noise that training adds to the states.

        Every call starts the same stream anew. A reservoir that returns one takes it in ``run`` as
        the keyword ``noise``.

        Returns
        -------
        Generator or None
            None stands for no noise.
        """
        return None

    def block_rows(self, lengths: np.ndarray, n_extra: int = 0) -> int:
        """Return how many rows to run before the readout reads them.

        Parameters
        ----------
        lengths : ndarray of shape (n_sequences,)
            Number of time steps of every sequence.
        n_extra : int, default=0
            Columns beside the features.

        Returns
        -------
        int
        """
        row_bytes = 8 * (self.n_features_out_ + n_extra)
        return min(max(BLOCK_BYTES // row_bytes, 512), 8192)

    def blocks(
        self,
        sequences: Sequences,
        state: np.ndarray,
        *,
        clamp: Clamp | None = None,
        noise: np.random.Generator | None = None,
        n_extra: int = 0,
        reuse: bool = True,
    ) -> Iterator[tuple[int, int, np.ndarray]]:
        """Run block by block, so that no more than a block of features is in memory.

        Parameters
        ----------
        sequences : Sequences
        state : ndarray of shape (n_sequences, n_state_)
            Moves along.
        clamp : Clamp or None, default=None
        noise : Generator or None, default=None
        n_extra : int, default=0
            Columns beside the features that the caller fills.
        reuse : bool, default=True
            Whether the next block may be written over a block; False lets the caller keep blocks.

        Yields
        ------
        start, stop : int
            The rows of the block.
        features : ndarray of shape (stop - start, n_features_out_ + n_extra)
            Written over by the next block if ``reuse``. The last ``n_extra`` columns are left to
            the caller.
        """
        n_columns, buffer = self.n_features_out_ + n_extra, np.empty((0, 0), state.dtype)
        block_rows = self.block_rows(sequences.lengths, n_extra)
        for first, last, start, stop in segments(sequences.offsets, block_rows, self.causal):
            if len(buffer) < stop - start or not reuse:
                buffer = recycled((stop - start, n_columns), state.dtype)
            rows, forcing = buffer[: stop - start], _forcing(clamp, noise, start, stop)
            block = sequences.rows(first, last, start, stop)
            self.run(block, state[first:last], rows, **forcing)
            yield start, stop, rows

    def advance(
        self, sequences: Sequences, state: np.ndarray, *, clamp: Clamp | None = None
    ) -> None:
        """Advance ``state`` in place over all rows, without noise and without features.

        Parameters
        ----------
        sequences : Sequences
        state : ndarray of shape (n_sequences, n_state_)
        clamp : Clamp or None, default=None
        """
        self.run(sequences, state, **_forcing(clamp, None, 0, len(sequences.values)))

    def jacobian_product(
        self, inputs: np.ndarray, state: np.ndarray, directions: np.ndarray
    ) -> np.ndarray:
        """Multiply the Jacobian of a step, d x(t) / d x(t-1), with directions.

        A reservoir that knows its derivatives writes this method; here it is central differences of
        ``run``, whose relative error is about 1e-10 in float64.

        Parameters
        ----------
        inputs : ndarray of shape (n_feedback + n_inputs,)
            Inputs of the step.
        state : ndarray of shape (n_state_,)
            State before the step.
        directions : ndarray of shape (n_state_, n_directions)

        Returns
        -------
        ndarray of shape (n_state_, n_directions), float64
        """
        n_directions, dtype = directions.shape[1], state.dtype
        size = max(float(np.abs(state).max(initial=0.0)), 1.0)
        step = size * float(np.finfo(dtype).eps) ** (1 / 3)
        moves = step * directions.T
        states = np.concatenate([state + moves, state - moves]).astype(dtype)
        rows = np.tile(np.asarray(inputs, dtype), (2 * n_directions, 1))
        self.run(Sequences(rows, np.arange(len(rows) + 1), "batch"), states)
        ahead, behind = states.astype(np.float64).reshape(2, n_directions, -1)
        return (ahead - behind).T / (2.0 * step)

    def state_equations(self) -> list[StateEquation] | None:
        """Return the state equations that the reservoir consists of, with their weights.

        The inputs of each are inputs of the reservoir or features of parts before it, so that the
        reservoir is as stable as the least stable part.

        Returns
        -------
        list of StateEquation or None
            None if the reservoir has no such equations.
        """
        return None

    def network(self) -> Network | None:
        """Return the weights of the state equation as the kernels take them.

        Loops of a composed reservoir are compiled if each member has one, and its features are its
        state.

        Returns
        -------
        Network or None
            None if the reservoir has no single such equation, or runs it in its own way.
        """
        return None

    @rollback_on_error
    def fit(self, X: Any, y: Any = None) -> Self:
        """Draw the weights for the number of features of ``X``.

        Parameters
        ----------
        X : array of shape (n_timesteps, n_features) or (n_sequences, n_timesteps, n_features), \
                or list of arrays of shape (n_timesteps_i, n_features)
            Only the number of features, their names and the dtype count (and their mean and
            standard deviation with ``input_scaling="auto"``), and for a warning of ``transform``
            the length of the shortest sequence.
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a parameter is out of its range or ``X`` is not finite.
        """
        refuse_vectors_of_integers(X)
        sequences = pack(self, X, reset=True)
        warn_if_tokens(X, sequences)
        values = sequences.values
        self.prepare(values.shape[1], dtype=values.dtype, inputs=values)
        self._shortest = int(sequences.lengths.min())
        return self

    def transform(
        self, X: Any, *, initial_state: Any = None, clamp: Any = None, return_state: bool = False
    ) -> Any:
        """Run the sequences and return the features of every time step.

        Parameters
        ----------
        X : array of shape (n_timesteps, n_features) or (n_sequences, n_timesteps, n_features), \
                or list of arrays of shape (n_timesteps_i, n_features)
            Inputs.
        initial_state : array, tuple (indices, values) or None, default=None
            State before the first step: zeros, a vector (n_state_,), a row per sequence
            (n_sequences, n_state_), or values for a subset of its entries.
        clamp : tuple (indices, values) or None, default=None
            Entries of the state that are held at given values at every time step; values of shape
            (n_clamped,), or with a row for every time step: (n_rows, n_clamped), or in a
            container like that of X.
        return_state : bool, default=False
            Whether to return the last states too; as ``initial_state`` they continue the run.

        Returns
        -------
        features : like X, with n_features_out_ columns
        last_state : ndarray of shape (n_sequences, n_state_), if ``return_state``

        Raises
        ------
        ValueError
            If ``X`` is not like that of ``fit``, or the reservoir has no state to start from.
        """
        return self._features(X, initial_state, clamp, return_state, None)

    @rollback_on_error
    def fit_transform(
        self,
        X: Any,
        y: Any = None,
        *,
        initial_state: Any = None,
        clamp: Any = None,
        return_state: bool = False,
    ) -> Any:
        """Draw the weights and return the features of ``X``, with noise if the reservoir adds any.

        Parameters
        ----------
        X : as in ``fit``
        y : ignored
        initial_state, clamp, return_state : as in ``transform``

        Returns
        -------
        features : like X, with n_features_out_ columns
        last_state : ndarray of shape (n_sequences, n_state_), if ``return_state``
        """
        self.fit(X)
        return self._features(X, initial_state, clamp, return_state, self.noise_stream())

    def _features(self, X, initial_state, clamp, return_state, noise):
        check_fitted(self, "_dtype")
        sequences = pack(self, X, reset=False, dtype=(self._dtype,))
        for name, asked in (("initial_state", initial_state), ("return_state", return_state)):
            if asked is not None and asked is not False:
                self.check_causal(name)
        if initial_state is None and not return_state:
            warn_if_short(sequences.lengths, getattr(self, "_shortest", 1))
        n_sequences, dtype = sequences.n_sequences, self._dtype
        state = resolve_initial_state(initial_state, n_sequences, self.n_state_, dtype)
        clamp = self.resolve_clamp(clamp, sequences, dtype)
        out = recycled((len(sequences.values), self.n_features_out_), state.dtype)
        if noise is None:
            self.run(sequences, state, out, **_forcing(clamp, None, 0, len(out)))
        else:
            for start, stop, rows in self.blocks(sequences, state, clamp=clamp, noise=noise):
                out[start:stop] = rows
        return (restore(out, sequences), state) if return_state else restore(out, sequences)

    def resolve_clamp(self, clamp: Any, sequences: Sequences, dtype: Any) -> Clamp | None:
        """Check a clamp as ``transform`` takes it, and return it as ``run`` takes it.

        Parameters
        ----------
        clamp : tuple (indices, values) or None
        sequences : Sequences
        dtype : dtype

        Returns
        -------
        Clamp or None

        Raises
        ------
        ValueError
            If the clamp does not fit, or the reservoir takes none.
        """
        if clamp is None:
            return None
        if not self.allows_clamp:
            raise ValueError(f"clamp must be None for {type(self).__name__}, which takes no clamp")
        return resolve_clamp(clamp, sequences, self.n_state_, dtype)

    def check_causal(self, what: str) -> None:
        """Raise if the reservoir is not causal.

        Parameters
        ----------
        what : str
            What needs a causal reservoir, for the message.

        Raises
        ------
        ValueError
        """
        if not self.causal:
            raise ValueError(
                f"{what} needs a causal reservoir: {type(self).__name__} reads every sequence to "
                "its end before it gives the first row"
            )

    @property
    def _n_features_out(self) -> int:
        return self.n_features_out_

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _forcing(clamp, noise, start: int, stop: int) -> dict[str, Any]:
    """Return the clamp of some rows, and the noise, as keywords of ``run``."""
    forcing = {} if noise is None else {"noise": noise}
    if clamp is not None:
        forcing["clamp"] = Clamp(clamp.units, clamp_rows(clamp.values, start, stop))
    return forcing
