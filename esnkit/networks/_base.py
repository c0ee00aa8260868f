"""The core of networks that are trained by gradients: data in, training, weights in and out."""

import sys
from copy import deepcopy
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from esnkit.networks._batch import Batch, InitialState, make_batch
from esnkit.networks._bptt import run, run_backward, state_rows
from esnkit.networks._callbacks import CallbackSupportMixin, FitReport, with_callbacks
from esnkit.networks._generation import first_state
from esnkit.networks._initializers import INITS, initial_theta
from esnkit.networks._losses import LOSSES
from esnkit.networks._minibatches import SequenceBatch, evaluate
from esnkit.networks._parameters import as_tokens, make_settings, make_spec, make_stopping
from esnkit.networks._spec import Spec
from esnkit.networks._stepper import Stepper
from esnkit.networks._torch import TorchMixin
from esnkit.networks._trainer import Trainer, name_changes
from esnkit.networks._validation_split import hold_out
from esnkit.sequences._initial_state import Clamp, resolve_clamp, resolve_initial_state
from esnkit.sequences._packing import FLOATS, Sequences, pack, restore
from esnkit.sequences._sample_weight import pack_weights
from esnkit.sequences._targets import Targets, pack_targets, stack_predictions
from esnkit.utils._rollback import rollback_on_error
from esnkit.utils._threads import one_blas_thread
from esnkit.utils._validation import (
    check_choice,
    check_number,
    check_seed,
    finite_array,
    for_kernels,
)

FIT_PARAMS = ("sample_weight", "initial_state", "clamp")


class GradientEstimator(TorchMixin, CallbackSupportMixin, BaseEstimator):
    """Base of networks that learn by backpropagation through time.

    A mixin says how targets become numbers (``_encode``) and numbers answers (``_decode``); a
    subclass says what it learns (``_loss``, ``_score_rows``).
    """

    # As for the echo state networks: rows are time steps, and a weight is not a row said twice.
    __metadata_request__fit = dict.fromkeys(FIT_PARAMS)
    __metadata_request__partial_fit = dict.fromkeys(FIT_PARAMS)

    _trainer: Trainer

    @rollback_on_error
    @with_callbacks
    def fit(self, X: Any, y: Any = None, **params: Any) -> Self:
        """Train the network on sequences and their targets.

        Parameters
        ----------
        X : array of shape (n_timesteps, n_features) or (n_sequences, n_timesteps, n_features), \
                or list of arrays of shape (n_timesteps_i, n_features)
            One series, sequences of equal length, or ragged sequences; or tokens, see `n_tokens`.
        y : array-like or list of array-likes
            A row for every time step, in a container like that of ``X``, or one target for every
            sequence.
        **params : sample_weight, initial_state, clamp
            ``sample_weight`` is the teaching signal: weights >= 0 per row, per sequence, or per
            row and output; what has weight zero is not taught. ``initial_state`` is the state
            before the first step: a vector (n_state,), a row a sequence, or a pair
            (indices, values); a vector of the units alone leaves the cells of an LSTM as they
            are. ``clamp`` is a pair (indices, values) of units that are held to given values at
            every time step: values of shape (n_held,), or with a row for every time step.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If shapes do not fit, values are not finite, or a parameter is out of its range.
        FloatingPointError
            If the loss diverges. As after every error, the model then answers as it did before.
        """
        data = self._prepare(X, y, params, fresh=not (self.warm_start and self._is_trained()))
        training, validation = data, None
        share = check_number(
            "validation_fraction", self.validation_fraction, 0, 1, low_open=True, high_open=True
        )
        if self.early_stopping:
            whole = self._loss == "softmax" and not data.per_step
            training, validation = hold_out(
                data, share, np.random.default_rng(self._split_seed),
                labels=data.Y.argmax(axis=1) if whole else None,
            )  # fmt: skip
        stopping = make_stopping(self)
        report = FitReport(self, X, y, stopping.max_iter)
        with one_blas_thread():
            self._trainer.fit(
                training, validation, stopping=stopping, score=self._score_rows,
                report=report.iteration,
            )  # fmt: skip
        self._finish(self._trainer.chosen_theta, data)
        report.end(self._theta)
        return self

    @rollback_on_error
    def _partial_fit(self, X: Any, y: Any, params: dict[str, Any]) -> Self:
        if self.early_stopping:
            raise ValueError("partial_fit has nothing to hold out: use early_stopping=False")
        data = self._prepare(X, y, params, fresh=not self._is_trained())
        with one_blas_thread():
            self._trainer.fit_once(data)
        if self.verbose:
            sys.stdout.write(self._trainer.progress())
        self._finish(self._trainer.chosen_theta, data)
        return self

    def _is_trained(self) -> bool:
        return hasattr(self, "_trainer")

    def _prepare(self, X, y, params, fresh):
        """Check everything and return the data; make the network if it is a fresh start."""
        unknown = set(params) - set(FIT_PARAMS)
        if unknown:
            raise TypeError(
                f"fit() got unexpected arguments {sorted(unknown)}, expected {list(FIT_PARAMS)}"
            )
        dtypes: Any = FLOATS if fresh else (self._theta.dtype,)
        if self.solver == "hessian_free":
            dtypes = (np.float64,)  # single precision is too coarse for conjugate gradients
        sequences = pack(self, X, reset=fresh, dtype=dtypes)
        check_choice("target", self.target, ("auto", "steps", "sequence"))
        check_choice("init", self.init, INITS)
        raw = pack_targets(y, sequences, self._target_of(y, sequences), numeric=self._numeric)
        self._fresh = fresh
        targets, class_weights = self._encode(raw, sequences.form)
        weights = pack_weights(params.get("sample_weight"), sequences, targets)
        weights = _combine(weights, class_weights, targets, self._loss)
        spec = make_spec(self, X, sequences, targets, self._loss, None if fresh else self._spec)
        dtype = sequences.values.dtype
        Y = finite_array("y", targets.values, dtype)
        settings = make_settings(self, sequences.n_sequences, targets.kind)
        if fresh:
            self._kind, self.n_outputs_, self._spec = targets.kind, Y.shape[1], spec
            self._trainer = self._make_trainer(spec, settings, sequences, Y, weights, dtype)
        else:
            self._refuse_another(spec, targets)
            self._trainer = deepcopy(self._trainer)  # so that an error leaves it as it was
        self._flat = targets.flat  # answers look like the last targets
        inputs = self._inputs(sequences)
        start = self._start(params.get("initial_state"), sequences.n_sequences, dtype)
        held = self._held(params.get("clamp"), sequences, dtype)
        per_step = targets.kind == "steps"
        self._trainer.use(settings)
        return SequenceBatch(inputs, sequences.offsets, Y, per_step, weights, start, held)

    def _inputs(self, sequences: Sequences) -> np.ndarray:
        """Return what the network hears: rows of numbers, or tokens."""
        if self._spec.tokens:
            return as_tokens(sequences, self._spec.n_features)
        return sequences.values

    def _make_trainer(self, spec, settings, sequences, Y, weights, dtype):
        seed = check_seed(self.random_state).randint(2**31 - 1)
        weight_seed, order_seed = np.random.SeedSequence(seed).spawn(2)
        self._split_seed = seed
        mean = np.zeros(Y.shape[1])
        if self._loss == "squared":  # one look at the data is worth many updates
            mean = _weighted_mean(Y, weights)
        theta = initial_theta(
            spec,
            np.random.default_rng(weight_seed),
            self.init,
            spectral_radius=self.spectral_radius,
            input_scaling=check_number("input_scaling", self.input_scaling, 0),
            longest=int(sequences.lengths.max()),
            head_bias=mean,
            dtype=dtype,
        )
        self._theta = theta
        return Trainer(spec, theta.copy(), settings, np.random.default_rng(order_seed))

    def _refuse_another(self, spec: Spec, targets: Targets) -> None:
        changes = name_changes(self._spec, spec)
        if targets.kind != self._kind:
            changes = f"the target was one for {self._kind!r} and is now for {targets.kind!r}"
        if changes:
            raise ValueError(
                "the network cannot go on with other data or parameters that change its shape: "
                f"{changes}; use warm_start=False, or a fresh estimator"
            )

    def _start(self, initial_state: Any, n_sequences: int, dtype: Any) -> InitialState | None:
        if initial_state is None:
            return None
        spec = self._spec
        given = np.ones(spec.n_state, dtype=bool)
        width = spec.n_state
        if isinstance(initial_state, tuple):
            values = resolve_initial_state(initial_state, n_sequences, width, dtype)
            given[:] = False
            given[np.atleast_1d(initial_state[0])] = True
            return InitialState(values, given)
        initial_state = finite_array("initial_state", initial_state, dtype)
        if spec.n_state > spec.n_hidden and initial_state.shape[-1:] not in (
            (spec.n_hidden,), (spec.n_state,)
        ):  # fmt: skip
            raise ValueError(
                f"initial_state has shape {initial_state.shape}, expected a vector, or a row for "
                f"each of {n_sequences} sequences, of {spec.n_hidden} numbers (all units) or of "
                f"{spec.n_state} (their cells too)"
            )
        if initial_state.shape[-1:] == (spec.n_hidden,):
            width = spec.n_hidden
            given[width:] = False
        values = np.zeros((n_sequences, spec.n_state), dtype)
        values[:, :width] = resolve_initial_state(initial_state, n_sequences, width, dtype)
        return InitialState(values, given)

    def _held(self, clamp: Any, sequences: Sequences, dtype: Any) -> Clamp | None:
        if clamp is None:
            return None
        units, values = resolve_clamp(clamp, sequences, self._spec.n_hidden, dtype)
        return Clamp(units, np.broadcast_to(values, (len(sequences.values), units.size)))

    def _finish(self, theta: np.ndarray, data: SequenceBatch) -> None:
        trainer = self._trainer
        self._theta = theta
        self.loss_curve_ = list(trainer.loss_curve)
        self.grad_norm_curve_ = list(trainer.grad_norm_curve)
        self.validation_scores_ = list(trainer.validation_scores) if self.early_stopping else None
        self.best_validation_score_ = trainer.best_score if self.early_stopping else None
        self.best_loss_ = trainer.best_loss
        self.n_iter_ = len(trainer.loss_curve)
        self.__dict__.pop("last_state_", None)
        if len(data.offsets) == 2 and not self._spec.bidirectional:
            self._last_target = data.Y[-1:].copy()
            with one_blas_thread():
                self.last_state_ = evaluate(self._spec, theta, data)[1]

    def stream(self, initial_state: Any = None) -> Stepper:
        """Begin a sequence that comes step by step.

        Parameters
        ----------
        initial_state : array or tuple (indices, values), default=None
            State before the first step, as in ``fit``.

        Returns
        -------
        Stepper
            Its ``step(x)`` hears one row and returns the outputs, which for a whole sequence are
            those of ``predict``, bit for bit; its ``state`` is what ``initial_state`` takes to go
            on. It keeps the weights that it was made with.

        Raises
        ------
        ValueError
            If the answer needs the steps to come: two directions, or pooling that is not "last".

        Examples
        --------
        >>> import numpy as np
        >>> from esnkit import RNNRegressor
        >>> s = np.sin(np.arange(100) / 4).reshape(-1, 1)
        >>> model = RNNRegressor(8, max_iter=3, random_state=0).fit(s[:-1], s[1:])
        >>> stepper = model.stream()
        >>> bool(np.array_equal([stepper.step(x) for x in s], model.predict(s)))
        True
        """
        check_is_fitted(self, "_theta")
        if self._spec.bidirectional or self._spec.pooling not in (None, "last"):
            raise ValueError(
                "stream needs a network of one direction, and a target for every time step or "
                "pooling='last'"
            )
        return Stepper(self._spec, self._theta, first_state(self, initial_state)[0])

    def predict(
        self, X: Any, *, initial_state: Any = None, clamp: Any = None, return_state: bool = False
    ) -> Any:
        """Predict the targets of every time step or sequence.

        Parameters
        ----------
        X : array of shape (n_timesteps, n_features) or (n_sequences, n_timesteps, n_features), \
                or list of arrays of shape (n_timesteps_i, n_features)
            Inputs.
        initial_state, clamp : optional
            As in ``fit``.
        return_state : bool, default=False
            Whether to return the last states too, which ``initial_state`` takes to go on: a series
            in two halves gives the same bits as the whole.

        Returns
        -------
        y : in the container and shape of the ``y`` of ``fit``
        last_state : ndarray of shape (n_sequences, n_state), if ``return_state``
            The units of all layers, then the cells of an LSTM.

        Raises
        ------
        ValueError
            If X is not like that of ``fit`` or not finite, a state or what is held does not fit, or
            ``return_state`` is asked of two directions.

        Examples
        --------
        >>> import numpy as np
        >>> from esnkit import RNNRegressor
        >>> s = np.sin(np.arange(100) / 4).reshape(-1, 1)
        >>> model = RNNRegressor(8, max_iter=3, random_state=0).fit(s[:-1], s[1:])
        >>> first, state = model.predict(s[:40], return_state=True)
        >>> rest = model.predict(s[40:], initial_state=state)
        >>> bool(np.array_equal(np.vstack([first, rest]), model.predict(s)))
        True
        """
        if return_state and hasattr(self, "_spec") and self._spec.bidirectional:
            raise ValueError(
                "return_state=True needs bidirectional=False: there is no state to go on from "
                "where one direction starts at the end"
            )
        values, state = self._outputs(X, initial_state, clamp)
        answer = self._decode(values)
        return (answer, state) if return_state else answer

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if hasattr(self, "_theta"):  # perhaps mapped from a file
            self._theta = for_kernels(self._theta)

    def _scores(self, X, initial_state, clamp):
        return self._outputs(X, initial_state, clamp)[0]

    def _outputs(self, X, initial_state=None, clamp=None):
        """Return the outputs, in X's container, and the last states."""
        check_is_fitted(self, "_theta")
        spec, dtype = self._spec, self._theta.dtype
        sequences = pack(self, X, reset=False, dtype=(dtype,))
        per_step = self._kind == "steps"
        n_rows = len(sequences.values) if per_step else sequences.n_sequences
        start = self._start(initial_state, sequences.n_sequences, dtype)
        held = self._held(clamp, sequences, dtype)
        data = SequenceBatch(
            self._inputs(sequences), sequences.offsets, np.empty((n_rows, 0)), per_step,
            initial_state=start, clamp=held,
        )  # fmt: skip
        with one_blas_thread():
            rows, states = evaluate(spec, self._theta, data)
        return (restore(rows, sequences) if per_step else rows), states

    def _compare(self, X, y, sample_weight, initial_state, clamp):
        """Return true and predicted rows (n_rows, n_outputs) and their weights, for a score."""
        check_is_fitted(self, "_theta")
        sequences = pack(self, X, reset=False, dtype=(self._theta.dtype,))
        truth = pack_targets(y, sequences, self._kind, numeric=self._numeric)
        weights = pack_weights(sample_weight, sequences, truth)
        answers = self.predict(X, initial_state=initial_state, clamp=clamp)
        answers = stack_predictions(answers, len(truth.values))
        return truth.values, answers, weights

    def attention_weights(self, X: Any) -> Any:
        """Tell how much each time step weighs in the answer of ``pooling="attention"``.

        Parameters
        ----------
        X : as in ``predict``

        Returns
        -------
        weights : ndarray of shape (n_timesteps,) or (n_sequences, n_timesteps), or list of \
                ndarrays of shape (n_timesteps_i,)
            One a time step, in the container of ``X``; those of a sequence sum to 1.

        Raises
        ------
        ValueError
            If the network reads the states in another way.

        Examples
        --------
        >>> import numpy as np
        >>> from esnkit import RNNRegressor
        >>> X = np.random.default_rng(0).uniform(size=(4, 3, 1))
        >>> model = RNNRegressor(8, pooling="attention", max_iter=2, random_state=0)
        >>> model.fit(X, X[:, 0, 0]).attention_weights(X).sum(axis=1).round(12)
        array([1., 1., 1., 1.])
        """
        check_is_fitted(self, "_theta")
        if self._spec.pooling != "attention":
            raise ValueError(
                "attention_weights needs a network with pooling='attention', fitted to one target "
                f"a sequence, got pooling={self.pooling!r} and a target a {self._kind}"
            )
        sequences, batch = self._pack_batch(X)
        with one_blas_thread():
            _, tape = run(self._spec, self._theta, batch)
        return restore(tape.attention.weights[:, 0], sequences)

    def gradient_norms(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        initial_state: Any = None,
        clamp: Any = None,
    ) -> np.ndarray:
        """Tell how much of the gradient arrives at each time step.

        Parameters
        ----------
        X, y : as in ``fit``
        sample_weight : array-like, default=None
            The teaching signal, as in ``fit``.
        initial_state, clamp : optional
            As in ``fit``.

        Returns
        -------
        norms : ndarray of shape (n_layers, n_timesteps)
            The norm of d loss / d h(t), along all paths through time that start at the units'
            outputs h(t), as the root of its mean square over the sequences that reach step t. The
            cells c(t) of an LSTM hand gradient back beside h(t), which is not in it.

        See Also
        --------
        esnkit.plotting.GradientNormDisplay : Picture of it.

        Raises
        ------
        ValueError
            If ``X`` or ``y`` is not like that of ``fit``.

        References
        ----------
        R. Pascanu, T. Mikolov and Y. Bengio (2013), On the difficulty of training recurrent neural
        networks, ICML, section 2.

        Examples
        --------
        >>> import numpy as np
        >>> from esnkit import RNNRegressor
        >>> X = np.random.default_rng(0).uniform(-1, 1, (20, 30, 1))
        >>> model = RNNRegressor(8, cell="rnn", max_iter=0, random_state=0).fit(X, X[:, 0, 0])
        >>> norms = model.gradient_norms(X, X[:, 0, 0])
        >>> norms.shape, bool(norms[0, 0] < 0.1 * norms[0, -1])  # it vanishes
        ((1, 30), True)
        """
        check_is_fitted(self, "_theta")
        spec, theta = self._spec, self._theta
        sequences, batch = self._pack_batch(X)
        truth = pack_targets(y, sequences, self._kind, numeric=self._numeric)
        targets = self._known(truth)
        if targets.values.shape[1] != self.n_outputs_:
            raise ValueError(
                f"y has {targets.values.shape[1]} outputs, expected {self.n_outputs_} as in fit"
            )
        weights = _combine(
            pack_weights(sample_weight, sequences, targets), None, targets, spec.loss
        )
        start = self._start(initial_state, sequences.n_sequences, theta.dtype)
        held = self._held(clamp, sequences, theta.dtype)
        with one_blas_thread():
            batch = batch._replace(initial_state=start, clamp=held)
            outputs, tape = run(spec, theta, batch)
            Y = finite_array("y", targets.values, theta.dtype)
            loss = LOSSES[spec.loss][0](outputs, Y, weights)
            states: list[np.ndarray] = []
            run_backward(spec, tape, loss.gradient, d_states=states)
        step = np.arange(len(batch.rows)) - np.repeat(sequences.offsets[:-1], sequences.lengths)
        rows = state_rows(spec, batch, states)
        squares = [np.bincount(step, np.sum(d.astype(float) ** 2, axis=1)) for d in rows]
        return np.sqrt(np.array(squares) / batch.n)

    def _pack_batch(self, X: Any) -> tuple[Sequences, Batch]:
        sequences = pack(self, X, reset=False, dtype=(self._theta.dtype,))
        return sequences, make_batch(self._inputs(sequences), sequences.offsets)

    def _known(self, truth: Targets) -> Targets:
        """Return the targets as numbers, in the way of the last ``fit``."""
        return truth

    def _replace(self, theta: np.ndarray) -> None:
        """Use other weights from now on; training goes on from them with an empty memory."""
        old = self._trainer
        self._theta = theta
        self._trainer = Trainer(self._spec, theta.copy(), old.settings, old.rng)
        self.__dict__.pop("last_state_", None)


def _combine(
    weights: np.ndarray | None, class_weights: np.ndarray | None, targets: Targets, loss: str
) -> np.ndarray | None:
    """Return the teaching signal with the weights of the classes in it."""
    if weights is not None and weights.ndim == 2 and loss == "softmax":
        weights = np.sum(weights * targets.values, axis=1)
    if class_weights is not None:
        weights = class_weights if weights is None else weights * class_weights
        if not np.any(weights):
            raise ValueError("class_weight and sample_weight together leave nothing to be taught")
    return weights


def _weighted_mean(Y: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
    if weights is None:
        return Y.mean(axis=0)
    share = weights.reshape(len(Y), -1)
    total = np.broadcast_to(share, Y.shape).sum(axis=0)
    return np.sum(share * Y, axis=0) / np.where(total > 0, total, 1.0)
