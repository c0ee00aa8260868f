"""The core of all models with a fixed reservoir and a fitted readout."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from copy import deepcopy
from functools import partial
from typing import Any, NamedTuple, Self

import numpy as np
from sklearn.base import BaseEstimator, is_classifier

from esnkit.esn._closed_loop import (
    FORCE,
    FittedParts,
    check_feedback,
    predict_with_feedback,
    run_while_learning,
    teacher_forced,
)
from esnkit.esn._differences import ValuesAndDifferences
from esnkit.esn._features import Settings, check_longer, count_blocks, features, fit_pooling
from esnkit.esn._readout import check_outputs, read_blocks
from esnkit.esn._shared_fits import (
    Fit,
    find_fit,
    fit_readout,
    keep_fit,
    pack_shared,
    pack_shared_targets,
    pack_to_fit,
    predict_features,
    prepare_reservoir,
)
from esnkit.pooling._base import Pooling
from esnkit.pooling._table import check_pooling
from esnkit.readouts._base import Block
from esnkit.readouts._estimator import as_readout, estimator_of
from esnkit.readouts._shared_rows import SharedRows
from esnkit.sequences._initial_state import Clamp, resolve_initial_state
from esnkit.sequences._misread_shapes import (
    refuse_vectors_of_integers,
    refuse_vectors_with_labels,
    warn_if_axes_are_misread,
    warn_if_tokens,
)
from esnkit.sequences._packing import Sequences, pack, restore
from esnkit.sequences._sample_weight import pack_weights
from esnkit.sequences._short_sequences import warn_if_short
from esnkit.sequences._targets import Targets
from esnkit.utils._callbacks import CallbackSupportMixin, with_callbacks
from esnkit.utils._collections import takes_collections
from esnkit.utils._param_names import ParamNamesMixin
from esnkit.utils._plain_state import PlainStateMixin, plain_record
from esnkit.utils._progress import MIN_ROWS, Task, fit_task
from esnkit.utils._rollback import rollback_on_error
from esnkit.utils._validation import (
    check_choice,
    check_fitted,
    check_flag,
    check_positive_int,
    check_verbose,
    finite_array,
)


class TrainingData(NamedTuple):
    """Sequences with the numbers that the readout learns."""

    sequences: Sequences
    Y: np.ndarray  # (n_rows, n_outputs), or (n_sequences, n_outputs)
    weights: np.ndarray | None  # (n,) or (n, n_outputs)


@plain_record
class StreamEnd(NamedTuple):
    """Where the last series ended, for ``partial_fit`` to continue it."""

    state: np.ndarray  # (1, n_state_), with the noise of training
    noise: np.random.Generator | None  # that the noise continues from
    n_rows: int  # time steps of the series so far


class ReservoirEstimator(CallbackSupportMixin, ParamNamesMixin, PlainStateMixin, BaseEstimator):
    """Base of all models that read targets from the features of a reservoir.

    A subclass creates reservoir and readout (``_make_reservoir_and_readout``); a mixin encodes
    targets as numbers (``_encode``) and decodes predictions (``_decode``).
    """

    feedback: Any = False
    reservoir_: Any
    readout_: Any
    last_state_: np.ndarray
    _settings: Settings
    _shortest: int

    @property
    def causal(self) -> bool:
        """Whether predictions depend on past time steps only, so that forecasts are possible."""
        reservoir = getattr(self, "reservoir_", getattr(self, "reservoir", None))
        return getattr(reservoir, "causal", True)

    @takes_collections
    @rollback_on_error
    @with_callbacks
    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        sample_weight: Any = None,
        initial_state: Any = None,
        clamp: Any = None,
    ) -> Self:
        """Run the sequences through the reservoir and fit the readout to the targets.

        Parameters
        ----------
        X : array of shape (n_timesteps, n_features) or (n_sequences, n_timesteps, n_features), \
                or list of arrays of shape (n_timesteps_i, n_features)
            One series, sequences of equal length, or ragged sequences.
        y : array-like or list of array-likes
            A row for every time step, in a container like that of ``X``, or one target for every
            sequence.
        sample_weight : array-like, default=None
            The teaching signal: weights >= 0 per row, per sequence, or per row and output; zero
            means not taught. The scale of ``input_scaling="auto"``, the principal components of
            "model_space" and the thresholds of "ppv" are those of all sequences.
        initial_state : array or tuple (indices, values), default=None
            State before the first step: a vector (n_units,), a row per sequence, or a pair
            (indices, values) for a subset of the units. None starts from zeros.
        clamp : tuple (indices, values), default=None
            Units that are held at given values at every time step: values of shape (n_clamped,),
            or with a row for every time step (n_rows, n_clamped), or in a container like that of
            ``X``.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If shapes do not fit, values are not finite, or a parameter is out of its range.

        Warns
        -----
        UserWarning
            If the rows of one series look like sequences, which are ``X[:, :, None]``; features
            look like time steps (see :class:`FromChannelsFirst`); or integers look like tokens
            (see :class:`OneHotTokens`).
        """
        arguments = X, y, sample_weight, initial_state, clamp
        found = find_fit(self, arguments)
        if found is not None:
            return self._fit_like(found)
        data = self._prepare(X, y, sample_weight)
        self._begin(data)
        n_passes = getattr(self.readout_, "n_passes", 1)
        given = {"X": X, "y": y}
        if sample_weight is not None:
            given["metadata"] = {"sample_weight": sample_weight}
        # For callbacks, every pass over the rows and what the readout does after it are subtasks.
        with fit_task(self, (n_passes, "passes"), given, 2 * n_passes, scored=True) as task:
            rows = self._teach(data, initial_state, clamp, task)
        keep_fit(self, arguments, rows)
        return self

    def _fit_like(self, found: Fit) -> Self:
        """Fit as another estimator was fitted to the same data, but with another penalty."""
        fitted = vars(found.estimator)
        self.__dict__.update({name: fitted[name] for name in fitted if name not in found.params})
        _, self.readout_ = self._make_reservoir_and_readout()
        self.readout_.fit_shared(found.rows)
        return self

    def _partial_fit(self, X, y, sample_weight, initial_state, clamp, known=None) -> Self:
        """Learn from more data, see the public methods."""
        if not hasattr(self, "reservoir_"):
            data = self._prepare(X, y, sample_weight, known, stream=True)
            self._begin(data)
            if not hasattr(self.readout_, "partial_fit"):
                raise ValueError(
                    "alpha=None stands for a list for one target per sequence, from which only fit "
                    "can choose: set alpha to a number, such as 1.0, for partial_fit"
                )
        else:
            data = self._prepare(X, y, sample_weight, known, stream=True, first=False)
            self._check_like_before(data)
            self.readout_ = deepcopy(self.readout_)  # so that an error leaves it as it was
        is_short = len(data.sequences.values) < MIN_ROWS and not self.verbose
        name = f"{type(self).__name__}.partial_fit"
        with nullcontext() if is_short else Task(name, 1, verbose=self.verbose) as task:
            self._teach(data, initial_state, clamp, task, stream=True)
        return self

    def _prepare(
        self, X, y, sample_weight, known=None, *, stream: bool = False, first: bool = True
    ) -> TrainingData:
        """Check everything that does not need the reservoir, and encode the targets."""
        if first:
            refuse_vectors_of_integers(X)
            sequences = pack_to_fit(self, X)
            settings, target = self._checked_settings()
        else:
            sequences = pack(self, X, reset=False, dtype=(self._dtype,))
            settings, target = self._settings, "steps" if self._settings.per_step else "sequence"
        if target == "auto":
            target = self._target_of(y, sequences)
        raw = pack_shared_targets(y, sequences, target, numeric=self._numeric)
        targets, class_weights, classes = self._encode(raw, sequences.form, known)
        if first:
            refuse_vectors_with_labels(X, sequences, targets, self.target)
            warn_if_tokens(X, sequences, targets, self.target)
            warn_if_axes_are_misread(sequences, targets, self.target, numeric=self._numeric)
        # A stream applies the washout to its first rows only, when it is clear where they are. Of a
        # chunk that teaches nothing it takes the rows that the states need.
        washout = 0 if stream else settings.washout
        weights = pack_weights(sample_weight, sequences, targets, washout, may_be_zero=stream)
        weights = _with_class_weights(weights, class_weights)
        if not (stream or weights is None or np.any(weights)):
            raise ValueError(
                "class_weight, sample_weight and washout together leave nothing to be taught"
            )
        per_step = targets.kind == "steps"
        if self.feedback and not per_step:
            raise ValueError(f"feedback={self.feedback!r} needs a target for every time step")
        if not per_step:
            check_longer(sequences.lengths, settings.washout)
        shortest = int(sequences.lengths.min())
        self._shortest = shortest if first else min(shortest, self._shortest)
        if first:
            differences = self._fit_differences(sequences, per_step)
            self._settings = settings._replace(per_step=per_step, differences=differences)
            if classes is not None:
                self.classes_ = classes
        self._flat = targets.flat
        Y = finite_array("y", targets.values, sequences.values.dtype)
        return TrainingData(self._as_inputs(sequences), Y, weights)

    def _fit_differences(self, sequences: Sequences, per_step: bool) -> ValuesAndDifferences | None:
        """Return what appends differences to the inputs, where the estimator reads these."""
        if not self._wants_differences(sequences.n_sequences, per_step):
            return None
        return ValuesAndDifferences.of(sequences)

    def _wants_differences(self, n_sequences: int, per_step: bool) -> bool:
        """Return whether the reservoir reads differences of the inputs too."""
        return False

    def _as_inputs(self, sequences: Sequences) -> Sequences:
        """Return what the reservoir reads."""
        differences = self._settings.differences
        return sequences if differences is None else differences.append(sequences)

    def _checked_settings(self) -> tuple[Settings, str]:
        check_verbose(self.verbose)
        target = check_choice("target", self.target, ("auto", "steps", "sequence"))
        settings = Settings(
            check_flag("include_input", self.include_input),
            check_feedback(self.feedback),
            check_pooling(self.pooling),
            check_positive_int("washout", self.washout, minimum=0),
            per_step=True,
            quadratic=check_flag("quadratic", self.quadratic),
        )
        return settings, target

    def _begin(self, data: TrainingData) -> None:
        """Create the reservoir and the readout, and draw the weights."""
        inputs = data.sequences.values
        self._dtype, self.n_outputs_ = inputs.dtype, data.Y.shape[1]
        self._draw(inputs)

    def _draw(self, inputs: np.ndarray) -> None:
        """Create reservoir and readout, for the inputs of ``fit`` or rows of the same moments."""
        self.reservoir_, self.readout_ = self._make_reservoir_and_readout()
        tagged = hasattr(self.readout_, "__sklearn_tags__")
        if self._numeric and tagged and is_classifier(self.readout_):
            raise TypeError(f"readout must be a regressor, got {type(self.readout_).__name__}")
        if self._settings.feedback:
            self.reservoir_.check_causal(f"feedback={self._settings.feedback!r}")
        if self._learns_in_closed_loop and not hasattr(self.readout_, "partial_fit"):
            raise ValueError(
                'feedback="force" needs a readout that learns row by row, with partial_fit, such '
                f"as RLSReadout(), got {self.readout_!r}"
            )
        self.reservoir_ = prepare_reservoir(self.reservoir_, self._n_fed, self._dtype, inputs)
        self._stream_end: StreamEnd | None = None

    @property
    def pooling_(self) -> Pooling:
        """The pooling, fitted where it has something to fit."""
        return self._settings.pooling

    @property
    def _pools(self) -> bool:
        """Whether there is one target per sequence, False before ``fit``."""
        return hasattr(self, "_settings") and not self._settings.per_step

    @property
    def _learns_in_closed_loop(self) -> bool:
        return self._settings.feedback == FORCE

    @property
    def _n_fed(self) -> int:
        """Number of outputs that are fed back to the reservoir."""
        return self.n_outputs_ if self._settings.feedback else 0

    @property
    def _shortest_in_fit(self) -> int:
        """Number of time steps of the shortest sequence, or of one series in several calls."""
        return self._shortest if self._stream_end is None else self._stream_end.n_rows

    @property
    def _parts(self) -> FittedParts:
        readout = as_readout(self.readout_, getattr(self, "classes_", None))
        return FittedParts(self.reservoir_, readout, self._settings, self.n_outputs_)

    def _check_like_before(self, data: TrainingData) -> None:
        if data.Y.shape[1] != self.n_outputs_:
            raise ValueError(
                f"y must have {self.n_outputs_} outputs as before, got {data.Y.shape[1]}"
            )

    def _teach(
        self, data: TrainingData, initial_state, clamp, task, *, stream: bool = False
    ) -> SharedRows | None:
        """Fit the readout to the features of all rows, or let it learn from more rows.

        Returns the rows, if other readouts can be fitted to their statistics.
        """
        sequences, Y, weights = data
        series = sequences.form == "series" and self._settings.per_step
        end = self._stream_end if stream and series and initial_state is None else None
        state = self._initial_state(initial_state, sequences.n_sequences)
        if end is not None:
            state = self._with_feedback(end.state, self._last_target)
        if stream and self._settings.per_step:
            weights = self._without_washout(data, end)
        resolved = self._clamp(clamp, sequences)
        inputs, n_state, shared = sequences, self.reservoir_.n_state_, None
        if self._settings.feedback and not self._learns_in_closed_loop:
            inputs = teacher_forced(sequences, Y, state[:, n_state:])
        self._settings = fit_pooling(
            self.reservoir_, inputs, state[:, :n_state], self._settings,
            clamp=resolved, noise=self.reservoir_.noise_stream,
        )  # fmt: skip
        rows = TaughtRows(self._parts, inputs, data._replace(weights=weights), resolved)
        rows.task = task
        rows.start_state = state if self._learns_in_closed_loop else state[:, :n_state]
        rows.first_noise = None if end is None else end.noise
        if not stream and not self._learns_in_closed_loop:
            readout, shared = fit_readout(rows.parts.readout, rows, len(Y))
            self.readout_ = estimator_of(readout)
            rows.task = None  # later passes belong to no fit
        else:
            for Z, target, weight in rows():
                if weight is None or np.any(weight):
                    rows.parts.readout.learn_block(Z, target, weight)
        self._finish(rows, series, 0 if end is None else end.n_rows)
        return shared

    def _without_washout(self, data: TrainingData, end: StreamEnd | None) -> np.ndarray | None:
        """Return the weights, zero for the time steps of the washout that are still to come."""
        n_left = self._settings.washout - (0 if end is None else end.n_rows)
        if n_left <= 0:
            return data.weights
        weights = np.ones(len(data.Y)) if data.weights is None else data.weights.copy()
        for start, stop in data.sequences.bounds:
            weights[start : min(start + n_left, stop)] = 0.0
        return weights

    def _finish(self, rows: "TaughtRows", series: bool, n_before: int) -> None:
        """Keep where a single sequence ended, for forecasts and for more data."""
        sequences, Y = rows.data.sequences, rows.data.Y
        self._stream_end = None
        if sequences.n_sequences > 1 or not self.reservoir_.causal:
            self.__dict__.pop("last_state_", None)
            return
        n_state = self.reservoir_.n_state_
        last, noise, outputs = rows.end_state[:, :n_state], rows.noise, Y[-1:]
        if self._learns_in_closed_loop:
            outputs = rows.end_state[:, n_state:]
        if series:
            self._stream_end = StreamEnd(last, noise, n_before + len(Y))
        # A forecast continues from where the series ends without noise.
        if noise is not None and not self._learns_in_closed_loop:
            last = self.last_state_[:, :n_state].copy() if n_before else rows.start_state.copy()
            self.reservoir_.advance(rows.inputs, last, clamp=rows.clamp)
        self.last_state_ = self._with_feedback(last, outputs)
        self._last_target = outputs.copy()

    @takes_collections
    def predict(
        self, X: Any, *, initial_state: Any = None, clamp: Any = None, return_state: bool = False
    ) -> Any:
        """Predict the targets of every time step or sequence.

        With ``feedback`` the predictions of a step are inputs of the next one.

        Parameters
        ----------
        X : array of shape (n_timesteps, n_features) or (n_sequences, n_timesteps, n_features), \
                or list of arrays of shape (n_timesteps_i, n_features)
            Inputs.
        initial_state, clamp : optional
            As in ``fit``.
        return_state : bool, default=False
            Whether to return the last states too; as ``initial_state`` they continue the run: a
            series in two halves gives the same bits as the whole, up to the batch-dependent
            rounding of a custom readout.

        Returns
        -------
        y : in the container and shape of the ``y`` of ``fit``
        last_state : ndarray of shape (n_sequences, n_units), if ``return_state``
            With ``feedback`` the last outputs are appended.

        Raises
        ------
        ValueError
            If ``X`` is not like that of ``fit`` or not finite, or a state or clamp does not fit.
        FloatingPointError
            If a run with ``feedback`` diverges.
        """
        values, state = self._outputs(X, initial_state, clamp, return_state=return_state)
        if return_state:
            self.reservoir_.check_causal("return_state=True")
        predictions = self._decode(values)
        return (predictions, state) if return_state else predictions

    def _scores(self, X, initial_state, clamp):
        """Return the scores of the classes, in the container of X."""
        return self._outputs(X, initial_state, clamp, scores=True)[0]

    def _outputs(self, X, initial_state, clamp, *, scores=False, return_state=False):
        """Return the outputs of the readout, in the container of X, and the last states."""
        check_fitted(self, "reservoir_")
        sequences = self._as_inputs(pack_shared(self, X))
        if initial_state is None and not return_state and self._settings.per_step:
            warn_if_short(sequences.lengths, self._shortest_in_fit, self._settings.washout)
        state = self._initial_state(initial_state, sequences.n_sequences)
        resolved, parts = self._clamp(clamp, sequences), self._parts
        run = partial(_read, parts, sequences, state, resolved, scores)
        rows = run() if len(sequences.values) < MIN_ROWS else self._report_predict(run, sequences)
        return (restore(rows, sequences) if self._settings.per_step else rows), state

    def _pooled_features(self, X) -> np.ndarray:
        """Return the features (n_sequences, width) that the readout reads, of whole sequences."""
        check_fitted(self, "reservoir_")
        if self._settings.per_step:
            raise ValueError("pooled features need a model of one target for every sequence")
        sequences = self._as_inputs(pack(self, X, reset=False, dtype=(self._dtype,)))
        state = self._initial_state(None, sequences.n_sequences)
        blocks = features(self.reservoir_, sequences, state, self._settings)
        return np.concatenate([Z.copy() for _, _, Z in blocks])

    def _reservoir_inputs(self, X) -> Any:
        """Return what the reservoir reads of sequences, in the container of X."""
        sequences = pack(self, X, reset=False, dtype=(self._dtype,))
        return restore(self._as_inputs(sequences).values, sequences)

    def _report_predict(self, run: Callable[..., np.ndarray], sequences: Sequences) -> np.ndarray:
        """Read long sequences, and report how many of them are read."""
        per_step, n_blocks = self._settings.per_step, sequences.n_sequences
        if not self._settings.feedback:
            n_blocks = count_blocks(self.reservoir_, sequences, self._settings)
        total, unit = len(sequences.values), "rows"
        if not per_step:
            total, unit = sequences.n_sequences, "sequences"
        name, step_size = f"{type(self).__name__}.predict", total / n_blocks
        with Task(name, total, unit, step_size=step_size, verbose=self.verbose) as task:
            return run(task.step)

    def _true_rows(
        self, X: Any, y: Any, sample_weight: Any, initial_state: Any = None
    ) -> tuple[Targets, np.ndarray | None]:
        """Return the targets and their weights, for a score.

        Without an initial state, the washout has the weight zero.
        """
        check_fitted(self, "reservoir_")
        sequences = pack_shared(self, X)
        kind = "steps" if self._settings.per_step else "sequence"
        y_true = pack_shared_targets(y, sequences, kind, numeric=self._numeric)
        washout = self._settings.washout if initial_state is None else 0
        return y_true, pack_weights(sample_weight, sequences, y_true, washout)

    def _clamp(self, clamp: Any, sequences: Sequences) -> Clamp | None:
        return self.reservoir_.resolve_clamp(clamp, sequences, self._dtype)

    def _initial_state(self, initial_state: Any, n_sequences: int) -> np.ndarray:
        """Return states (n_sequences, n_state), with the outputs that are fed back appended."""
        if initial_state is not None:
            self.reservoir_.check_causal("initial_state")
        n_state, dtype = self.reservoir_.n_state_, self._dtype
        subset = isinstance(initial_state, tuple)
        if self._n_fed and (subset or np.shape(initial_state)[-1:] == (n_state,)):
            state = np.zeros((n_sequences, n_state + self._n_fed), dtype)
            state[:, :n_state] = resolve_initial_state(initial_state, n_sequences, n_state, dtype)
            return state
        return resolve_initial_state(initial_state, n_sequences, n_state + self._n_fed, dtype)

    def _with_feedback(self, state: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Append the last outputs to a state, where they are fed back."""
        return np.hstack([state, y]) if self._settings.feedback else state.copy()


class TaughtRows:
    """A stream of blocks for a readout, which every call starts anew.

    After a pass ``end_state`` and ``noise`` are those after the last row.
    """

    def __init__(
        self, parts: FittedParts, inputs: Sequences, data: TrainingData, clamp: Clamp | None
    ):
        self.parts, self.inputs, self.data, self.clamp = parts, inputs, data, clamp

    start_state: np.ndarray  # (n_sequences, n_state_)
    first_noise: np.random.Generator | None = None  # None: from the seed
    task: Task | None = None  # that the blocks are part of, where they are worth a report

    def __call__(self) -> Iterator[Block]:
        """Yield blocks of (features, targets, weights or None)."""
        reservoir, _, settings, _ = self.parts
        _, Y, weights = self.data
        self.end_state = self.start_state.copy()
        self.noise = deepcopy(self.first_noise) or reservoir.noise_stream()
        if settings.feedback == FORCE:
            yield from self._while_learning()
            return
        blocks = features(
            reservoir, self.inputs, self.end_state, settings, clamp=self.clamp, noise=self.noise
        )
        for start, stop, Z in blocks if self.task is None else self._reported(blocks, self.task):
            yield Z, Y[start:stop], None if weights is None else weights[start:stop]

    def _while_learning(self) -> Iterator[Block]:
        """Yield single time steps, each of which needs what the readout has learned so far."""
        _, Y, weights = self.data
        steps = run_while_learning(self.parts, self.inputs, self.end_state, self.clamp, self.noise)
        for start, stop, Z in steps:
            yield Z, Y[start:stop], None if weights is None else weights[start:stop]

    def empty_block(self) -> Block:
        """Return a block without rows, which shows the number of features."""
        reservoir, _, settings, _ = self.parts
        n_fed = self.inputs.values.shape[1] if settings.include_input else 0
        n_columns = reservoir.n_features_out_ + n_fed
        width = n_columns if settings.per_step else settings.pooling.width(n_columns)
        return np.empty((0, width), self.start_state.dtype), self.data.Y[:0], None

    def _reported(self, blocks, task):
        """Yield blocks, and report them, then the work of the readout after them, as tasks."""
        reservoir, _, settings, _ = self.parts
        n_blocks = count_blocks(reservoir, self.inputs, settings, self.noise)
        total, unit = len(self.data.Y), "rows" if settings.per_step else "sequences"
        callbacks = task.begin_callbacks("states and sums", n_blocks)
        step_size = total / n_blocks
        rows = Task("", total, unit, step_size=step_size, callbacks=callbacks, parent=task)
        for start, stop, Z in blocks:
            block = rows.begin_callbacks("block")
            yield start, stop, Z
            if block is not None:
                block.end()
            rows.step(stop)
        task.step()
        Task("solve", callbacks=task.begin_callbacks("solve"), parent=task)


def _read(parts, sequences, state, clamp, scores, step=lambda stop: None) -> np.ndarray:
    """Return the outputs (n_rows or n_sequences, n_outputs); ``step`` is told how many are done."""
    reservoir, readout, settings, n_outputs = parts
    if settings.feedback:
        return predict_with_feedback(parts, sequences, state, clamp, step)
    n_rows = len(sequences.values) if settings.per_step else sequences.n_sequences
    blocks = predict_features(reservoir, sequences, state, settings, clamp)
    rows = read_blocks(readout, blocks, (n_rows, n_outputs), scores, step)
    return rows if settings.per_step else check_outputs(rows)


def _with_class_weights(weights, class_weights):
    """Return the teaching signal times the weights of the classes."""
    if class_weights is None:
        return weights
    scale = class_weights if weights is None or weights.ndim == 1 else class_weights[:, None]
    return scale if weights is None else weights * scale


def streams(estimator: Any) -> bool:
    """Tell whether the readout of an estimator can learn from one chunk after another."""
    readout = getattr(estimator, "readout_", None)
    if readout is None:
        _, readout = estimator._make_reservoir_and_readout()
    # An AttributeError tells why there is no such method.
    return callable(readout.partial_fit)
