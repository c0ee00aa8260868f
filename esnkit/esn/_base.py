"""The general core: a reservoir, a readout, and the way of rows between them."""

from collections.abc import Iterator
from typing import Any, NamedTuple, Self

import numpy as np
from sklearn.base import BaseEstimator, is_classifier
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from esnkit.kernels.activations import CODES
from esnkit.kernels.layouts import Forcing
from esnkit.kernels.linalg import affine
from esnkit.kernels.reservoir import closed_loop
from esnkit.readouts._ridge import RidgeReadout
from esnkit.reservoirs._compiled import BLOCK_BYTES
from esnkit.reservoirs._reservoir import scale_of_features
from esnkit.sequences._closed_loop import check_bounded
from esnkit.sequences._initial_state import (
    clamp_rows,
    no_clamp,
    resolve_clamp,
    resolve_initial_state,
)
from esnkit.sequences._packing import Sequences, pack, pool, restore
from esnkit.sequences._sample_weight import pack_weights
from esnkit.sequences._targets import pack_targets, stack_predictions
from esnkit.utils._multioutput import fit_outputs
from esnkit.utils._rollback import rollback_on_error
from esnkit.utils._validation import (
    check_choice,
    check_flag,
    check_number,
    check_positive_int,
    finite_array,
    for_kernels,
)

FIT_PARAMS = ("sample_weight", "initial_state", "clamp")


class Fitted(NamedTuple):
    """Parameters as they were in ``fit``: another value, set later, waits for the next ``fit``."""

    include_input: bool
    feedback: bool
    pooling: str
    washout: int


class ReservoirEstimator(BaseEstimator):
    """Base of all models that read targets from the states of a reservoir.

    A subclass says what its parts are (``_parts``), how targets become numbers (``_encode``) and
    how numbers become answers (``_decode``).
    """

    # What metadata routing may pass to fit. It is declared here, and not by the signature, because
    # scikit-learn takes ``sample_weight`` in a signature as a promise that a weight of two equals
    # the row said twice, which no model of time steps can keep.
    __metadata_request__fit = dict.fromkeys(FIT_PARAMS)

    @rollback_on_error
    def fit(self, X: Any, y: Any = None, **params: Any) -> Self:
        """Run the sequences through the reservoir and fit the readout to the targets.

        Parameters
        ----------
        X : array of shape (n_timesteps, n_features) or (n_sequences, n_timesteps, n_features), \
                or list of arrays of shape (n_timesteps_i, n_features)
            One series, sequences of equal length, or ragged sequences.
        y : array-like or list of array-likes
            A row for every time step, in a container like that of ``X``, or one target for every
            sequence.
        **params : sample_weight, initial_state, clamp
            By keyword. ``sample_weight`` is the teaching signal: weights >= 0 per row, per
            sequence, or per row and output; what has weight zero is not taught. ``initial_state``
            is the state before the first step: a vector (n_units,), a row a sequence, or a pair
            (indices, values). ``clamp`` is a pair (indices, values) of units that are held to
            given values at every time step: values of shape (n_held,), or with a row for every
            time step (n_rows, n_held), or in a container like that of ``X``.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If shapes do not fit, values are not finite, or a parameter is out of its range.
        """
        unknown = set(params) - set(FIT_PARAMS)
        if unknown:
            raise TypeError(
                f"fit() got unexpected arguments {sorted(unknown)}, expected {list(FIT_PARAMS)}"
            )
        sequences = pack(self, X, reset=True)
        check_choice("pooling", self.pooling, ("last", "mean"))
        check_flag("include_input", self.include_input)
        check_flag("feedback", self.feedback)
        check_choice("target", self.target, ("auto", "steps", "sequence"))
        washout = check_positive_int("washout", self.washout, minimum=0)
        raw = pack_targets(y, sequences, self._target_of(y, sequences), numeric=self._numeric)
        targets, class_weights = self._encode(raw, sequences.form)
        weights = pack_weights(params.get("sample_weight"), sequences, targets, washout)
        if class_weights is not None:
            scale = (
                class_weights if weights is None or weights.ndim == 1 else class_weights[:, None]
            )
            weights = scale if weights is None else weights * scale
            if not np.any(weights):
                raise ValueError(
                    "class_weight, sample_weight and washout together leave nothing to be taught"
                )
        self._fit_rows(sequences, targets, weights, params)
        return self

    def _fit_rows(self, sequences, targets, weights, params):
        if self.feedback and targets.kind == "sequence":
            raise ValueError("feedback=True needs a target for every time step")
        self._fitted = Fitted(self.include_input, self.feedback, self.pooling, int(self.washout))
        Y = finite_array("y", targets.values, sequences.values.dtype)
        self.reservoir_, self.readout_ = self._parts()
        tagged = hasattr(self.readout_, "__sklearn_tags__")
        if self._numeric and tagged and is_classifier(self.readout_):
            raise TypeError(f"readout must be a regressor, got {type(self.readout_).__name__}")
        self.n_outputs_ = Y.shape[1]
        self._kind, self._flat = targets.kind, targets.flat
        if self._kind == "sequence":
            _check_longer(sequences.lengths, self._fitted.washout)
        n_fed = self.n_outputs_ if self.feedback else 0
        self._scale_inputs(sequences.values.shape[1])
        self.reservoir_._draw(n_fed + sequences.values.shape[1], sequences.values.dtype)
        n_units = self.reservoir_.W_in_.shape[0]
        state = self._initial_state(params.get("initial_state"), sequences.n_sequences)
        held = resolve_clamp(params.get("clamp"), sequences, n_units, state.dtype)
        inputs = sequences
        if self.feedback:
            inputs = self._teacher_forced(sequences, Y, state[:, n_units:])

        def make_blocks():
            last = state[:, :n_units].copy()
            noise = self.reservoir_._noise_stream()
            yield from self._taught(inputs, Y, weights, last, held, noise)
            self._last = last

        self._fit_readout(make_blocks, Y.shape[0])
        if sequences.n_sequences == 1:
            if self.reservoir_._noise:  # a forecast goes on from where the series truly ended
                self._last = state[:, :n_units].copy()
                self.reservoir_._advance(inputs, self._last, held)
            self.last_state_ = self._with_feedback(self._last, Y[-1:])
            self._last_target = Y[-1:].copy()
        else:
            self.__dict__.pop("last_state_", None)
        del self._last

    def _taught(self, inputs, Y, weights, state, held, noise) -> Iterator[tuple]:
        """Yield blocks of (features, targets, weights or None) for the readout."""
        for start, stop, Z in self._features(inputs, state, held, noise):
            yield Z, Y[start:stop], None if weights is None else weights[start:stop]

    def _features(self, inputs, state, held, noise=None) -> Iterator[tuple[int, int, np.ndarray]]:
        """Yield (start, stop, [x; u]): rows are time steps, or sequences where they are pooled."""
        n_units = state.shape[1]
        n_extra = inputs.values.shape[1] if self._fitted.include_input else 0
        if self._kind == "sequence" and self._fitted.pooling == "mean":
            _check_longer(inputs.lengths, self._fitted.washout)
        if self._kind == "sequence" and self._fitted.pooling == "last" and noise is None:
            yield from self._last_features(inputs, state, held, n_extra)
            return
        blocks = self.reservoir_._blocks(inputs, state, held, noise, n_extra=n_extra)
        pooled = None
        if self._kind == "sequence":
            pooled = _Pooled(self._fitted.pooling, inputs.offsets, self._fitted.washout)
        for start, stop, Z in blocks:
            if self._fitted.include_input:
                Z[:, n_units:] = inputs.values[start:stop]
            if pooled is None:
                yield start, stop, Z
            else:
                yield from pooled.take(start, stop, Z)

    def _last_features(self, inputs, state, held, n_extra):
        """Yield (start, stop, [x; u]) of the last time steps; no other states are kept."""
        n_units, offsets = state.shape[1], inputs.offsets
        size = max(1, BLOCK_BYTES // (state.itemsize * (n_units + n_extra)))
        for start in range(0, inputs.n_sequences, size):
            stop = min(start + size, inputs.n_sequences)
            values = clamp_rows(held[1], offsets[start], offsets[stop])
            self.reservoir_._advance(inputs.part(start, stop), state[start:stop], (held[0], values))
            Z = np.empty((stop - start, n_units + n_extra), state.dtype)
            Z[:, :n_units] = state[start:stop]
            if n_extra:
                Z[:, n_units:] = inputs.values[offsets[start + 1 : stop + 1] - 1]
            yield start, stop, Z

    def _fit_readout(self, make_blocks, n_rows):
        if isinstance(self.readout_, RidgeReadout):
            self.readout_.fit_blocks(make_blocks, n_rows=n_rows)
            return
        blocks = [(Z.copy(), Y, w) for Z, Y, w in make_blocks()]
        Z, Y = (np.concatenate([block[i] for block in blocks]) for i in (0, 1))
        target, weights = self._readout_target(Y), {}
        if blocks[0][2] is not None:
            w = np.concatenate([block[2] for block in blocks])
            if w.ndim > 1:
                raise ValueError("weights per output need the ridge readout, readout=None")
            taught = w > 0
            Z, target, w = Z[taught], target[taught], w[taught]
            self._check_taught(target)
            if has_fit_parameter(self.readout_, "sample_weight"):
                weights["sample_weight"] = w
            elif np.unique(w).size != 1:
                raise ValueError(
                    f"sample_weight: {type(self.readout_).__name__} takes no weights, so all rows "
                    "that are taught must have the same"
                )
        self.readout_ = fit_outputs(self.readout_, Z, target, **weights)

    def _readout_target(self, Y):
        return Y

    def _check_taught(self, target):
        pass

    def predict(
        self, X: Any, *, initial_state: Any = None, clamp: Any = None, return_state: bool = False
    ) -> Any:
        """Predict the targets of every time step or sequence.

        A regressor with ``feedback`` hears its own predictions.

        Parameters
        ----------
        X : array of shape (n_timesteps, n_features) or (n_sequences, n_timesteps, n_features), \
                or list of arrays of shape (n_timesteps_i, n_features)
            Inputs.
        initial_state, clamp : optional
            As in ``fit``.
        return_state : bool, default=False
            Whether to return the last states too, which ``initial_state`` takes to go on: a series
            in two halves gives the same bits as the whole (and, of a readout of your own, the same
            up to what it makes of rows in other company).

        Returns
        -------
        y : in the container and shape of the ``y`` of ``fit``
        last_state : ndarray of shape (n_sequences, n_units), if ``return_state``
            With ``feedback`` the last outputs are appended.
        """
        values, state = self._outputs(X, initial_state, clamp)
        answer = self._decode(values)
        return (answer, state) if return_state else answer

    def _scores(self, X, initial_state, clamp):
        return self._outputs(X, initial_state, clamp, self._ask_scores)[0]

    def _outputs(self, X, initial_state=None, clamp=None, ask=None):
        """Return the outputs of the readout, in X's container, and the last states.

        A readout of the user's own is asked by ``ask``, or by ``_ask_readout``.
        """
        check_is_fitted(self)
        sequences = pack(self, X, reset=False, dtype=(self.reservoir_.W_in_.dtype,))
        state = self._initial_state(initial_state, sequences.n_sequences)
        held = resolve_clamp(clamp, sequences, self.reservoir_.W_in_.shape[0], state.dtype)
        n_rows = sequences.n_sequences if self._kind == "sequence" else len(sequences.values)
        if self._fitted.feedback:
            rows = self._run_free(sequences, state, held)
        else:
            rows = self._read(self._features(sequences, state, held), n_rows, ask)
        values = restore(rows, sequences) if self._kind == "steps" else rows
        return values, state

    def _compare(self, X, y, sample_weight, initial_state, clamp):
        """Return true and predicted rows (n_rows, n_outputs) and their weights, for a score."""
        check_is_fitted(self)
        sequences = pack(self, X, reset=False, dtype=(self.reservoir_.W_in_.dtype,))
        truth = pack_targets(y, sequences, self._kind, numeric=self._numeric)
        washout = self._fitted.washout if initial_state is None else 0
        weights = pack_weights(sample_weight, sequences, truth, washout)
        answers = self.predict(X, initial_state=initial_state, clamp=clamp)
        answers = stack_predictions(answers, len(truth.values))
        return truth.values, answers, weights

    def _read(self, blocks, n_rows, ask):
        rows = None
        for start, stop, Z in blocks:
            block = self._apply_readout(Z, ask)
            if rows is None:
                rows = np.empty((n_rows, block.shape[1]), block.dtype)
            rows[start:stop] = block
        return rows

    def _apply_readout(self, Z, ask=None):
        if isinstance(self.readout_, RidgeReadout):
            coef, intercept = self._linear(Z.dtype)
            out = np.empty((Z.shape[0], coef.shape[0]), Z.dtype)
            affine(Z, coef, intercept, out)
            return out
        out = np.asarray((ask or self._ask_readout)(Z))
        return out.reshape(Z.shape[0], -1)

    def _ask_readout(self, Z):
        return self.readout_.predict(Z)

    def _linear(self, dtype):
        """Return the ridge readout as matrix and intercept, for the kernels."""
        coef = np.reshape(self.readout_.coef_, (self.n_outputs_, -1))
        intercept = np.broadcast_to(self.readout_.intercept_, self.n_outputs_)
        return for_kernels(coef, dtype), for_kernels(intercept, dtype)

    def _teacher_forced(self, sequences: Sequences, Y: np.ndarray, y0: np.ndarray) -> Sequences:
        """Put y(t-1) in front of u(t); ``y0`` (n_sequences, n_outputs) comes before the first."""
        fed = np.empty_like(Y)
        fed[1:] = Y[:-1]
        fed[sequences.offsets[:-1]] = y0
        values = np.ascontiguousarray(np.hstack([fed, sequences.values]))
        return Sequences(values, sequences.offsets, sequences.form)

    def _scale_inputs(self, n_features: int) -> None:
        if not self._fitted.feedback:
            return
        fed = check_number("feedback_scaling", self.feedback_scaling, 0.0)
        scaling = scale_of_features(self.reservoir_.input_scaling, n_features)
        self.reservoir_.input_scaling = np.concatenate([np.full(self.n_outputs_, fed), scaling])

    def _initial_state(self, initial_state, n_sequences):
        """Return states (n_sequences, n_units), with the fed-back outputs appended."""
        W_in = self.reservoir_.W_in_
        n_units = W_in.shape[0]
        full = n_units + (self.n_outputs_ if self._fitted.feedback else 0)
        short = not isinstance(initial_state, tuple) and np.shape(initial_state)[-1:] == (n_units,)
        if full > n_units and (short or isinstance(initial_state, tuple)):
            state = np.zeros((n_sequences, full), W_in.dtype)
            state[:, :n_units] = resolve_initial_state(
                initial_state, n_sequences, n_units, W_in.dtype
            )
            return state
        return resolve_initial_state(initial_state, n_sequences, full, W_in.dtype)

    def _with_feedback(self, state, y):
        return (
            np.hstack([state[:, : self.reservoir_.W_in_.shape[0]], y])
            if self._fitted.feedback
            else state
        )

    def _run_free(self, sequences, state, held):
        """Predict with the model's own outputs fed back; ``state`` moves along."""
        n_units, n_fed = self.reservoir_.W_in_.shape[0], self.n_outputs_
        rows = np.empty((len(sequences.values), n_fed), state.dtype)
        units, values = held
        for s in range(sequences.n_sequences):
            a, z = sequences.offsets[s], sequences.offsets[s + 1]
            u = np.concatenate([state[s, n_units:], sequences.values[a]])
            x = state[s, :n_units].copy()
            now = (units, clamp_rows(values, a, z))
            self._loop(u, x, sequences.values[a:z], rows[a:z], now)
            state[s, :n_units], state[s, n_units:] = x, rows[z - 1]
        return rows

    def _loop(self, u, x, exog, out, held=None):
        """Run with the outputs fed back into the first inputs; ``u``, ``x`` and ``out`` change."""
        held = held or no_clamp(x.dtype)
        loop = (
            self._loop_in_kernel if isinstance(self.readout_, RidgeReadout) else self._loop_slowly
        )
        loop(u, x, exog, out, *held)
        check_bounded(out, "train with a larger alpha, a little noise, or include_input=False")

    def _loop_in_kernel(self, u, x, exog, out, units, values):
        network = self.reservoir_._network
        coef, intercept = self._linear(x.dtype)
        closed_loop(
            network.W, network.drive, CODES[network.activation],
            Forcing(np.empty((0, x.size), x.dtype), units, values), coef, intercept, u,
            np.ascontiguousarray(exog), x, out,
        )  # fmt: skip

    def _loop_slowly(self, u, x, exog, out, units, values):
        """As the kernel, for any readout: it is asked at every step."""
        n_fed = out.shape[1]
        one_step = np.array([0, 1], dtype=np.int64)
        for t in range(len(out)):
            u[n_fed:] = exog[t]
            held = units, clamp_rows(values, t, t + 1)
            row = Sequences(u[None].copy(), one_step, "series")
            for _, _, Z in self._features(row, x[None], held):
                out[t] = self._apply_readout(Z)[0]
            if not np.all(np.isfinite(out[t])):
                out[t:] = np.nan
                return
            u[:n_fed] = out[t]


def _check_longer(lengths: np.ndarray, washout: int) -> None:
    shortest = int(np.argmin(lengths))
    if lengths[shortest] <= washout:
        raise ValueError(
            f"washout={washout} leaves no time step of X[{shortest}]: it has {lengths[shortest]}"
        )


class _Pooled:
    """Gathers blocks of time steps and gives one row for every sequence that is complete."""

    def __init__(self, pooling: str, offsets: np.ndarray, washout: int):
        self.pooling, self.offsets, self.washout = pooling, offsets, washout
        self.done = 0
        self.sums: np.ndarray | None = None

    def take(self, start: int, stop: int, Z: np.ndarray) -> Iterator[tuple[int, int, np.ndarray]]:
        offsets, first = self.offsets, self.done
        last = int(np.searchsorted(offsets, stop, side="right")) - 1
        if last > first and offsets[first] >= start:
            yield (
                first,
                last,
                pool(Z, offsets[first : last + 1] - start, self.pooling, self.washout),
            )
        elif self.pooling == "mean":
            total = Z[max(0, offsets[first] + self.washout - start) :].sum(axis=0)
            self.sums = total if self.sums is None else self.sums + total
            if last > first:
                length = offsets[first + 1] - offsets[first] - self.washout
                yield first, last, (self.sums / Z.dtype.type(length))[None]
                self.sums = None
        elif last > first:
            yield first, last, Z[-1:]
        self.done = last
