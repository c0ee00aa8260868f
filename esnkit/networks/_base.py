"""Base of the trained networks: data in, training, predictions out."""

import math
import sys
from copy import deepcopy
from typing import Any, NamedTuple, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from esnkit.networks._fit_report import FitReport
from esnkit.networks._generation import first_state
from esnkit.networks._initializers import INITS, initial_theta
from esnkit.networks._inputs import combine_weights, input_batch
from esnkit.networks._inspection import attention_rows, gradient_norms
from esnkit.networks._minibatches import SequenceBatch, evaluate
from esnkit.networks._parameters import make_settings, make_spec, make_stopping
from esnkit.networks._scale_check import (
    column_sizes,
    loss_of_constant,
    warn_of_scale,
    warn_unless_learned,
)
from esnkit.networks._solvers import Settings, solvers
from esnkit.networks._spec import Spec, describe_changes
from esnkit.networks._standardization import InputScale, input_scale
from esnkit.networks._stepper import Stepper
from esnkit.networks._torch import TorchMixin
from esnkit.networks._trainer import Trainer, Validation
from esnkit.networks._validation_split import hold_out
from esnkit.sequences._misread_shapes import (
    refuse_vectors_of_integers,
    refuse_vectors_with_labels,
    warn_if_axes_are_misread,
)
from esnkit.sequences._packing import FLOATS, Sequences, pack, restore
from esnkit.sequences._sample_weight import pack_weights
from esnkit.sequences._short_sequences import warn_if_short
from esnkit.sequences._targets import Encoded, Targets, pack_targets
from esnkit.utils._callbacks import CallbackSupportMixin, with_callbacks
from esnkit.utils._plain_state import PlainStateMixin
from esnkit.utils._rollback import rollback_on_error
from esnkit.utils._threads import one_blas_thread
from esnkit.utils._validation import (
    check_choice,
    check_flag,
    check_number,
    check_seed,
    finite_array,
    for_kernels,
)

__all__ = ["FitParams", "GradientEstimator"]


class FitParams(NamedTuple):
    """The parameters of ``fit`` besides X and y."""

    sample_weight: Any = None
    initial_state: Any = None
    clamp: Any = None


class GradientEstimator(TorchMixin, CallbackSupportMixin, PlainStateMixin, BaseEstimator):
    """Base of networks that are trained by backpropagation through time.

    A mixin encodes targets and decodes predictions. A subclass names its loss (``_loss``) and its
    head (``_head``), and says how they treat targets and weights, by the methods that raise
    NotImplementedError here.
    """

    _loss: str
    _head: str
    _trainer: Trainer
    _shortest: int

    @property
    def causal(self) -> bool:
        """Whether predictions at a time step depend on no later time step.

        It is False with ``bidirectional=True``. Only a causal network forecasts, streams and
        continues from a state.
        """
        spec = getattr(self, "_spec", None)
        return not (self.bidirectional if spec is None else spec.bidirectional)

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
        """Train the network on sequences and their targets.

        Parameters
        ----------
        X : array of shape (n_timesteps, n_features) or (n_sequences, n_timesteps, n_features), \
                or list of arrays of shape (n_timesteps_i, n_features)
            One sequence, sequences of equal length, or sequences of different lengths. Tokens are
            one column of integers, see `n_tokens`.
        y : array-like or list of array-likes
            Targets: a row for every time step, in a container like that of ``X``, or one target
            for every sequence.
        sample_weight : array-like, default=None
            Weights >= 0 of the targets, per time step, per sequence, or per row and output. A
            target with weight zero does not contribute to the loss.
        initial_state : array or tuple (indices, values), default=None
            State before the first time step: a vector of shape (n_state,), a row per sequence, or
            a pair (indices, values) for some of the states. A vector of the hidden states alone
            leaves the cell states of an LSTM or LRU at their default.
        clamp : tuple (indices, values), default=None
            Units that are clamped to given values at every time step. Values have the shape
            (n_clamped,), or a row for every time step.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If shapes do not fit, values are not finite, or a parameter is out of its range.
        FloatingPointError
            If the loss diverges. After an error, the estimator is as it was before the call.
        KeyboardInterrupt
            At the second Ctrl-C within ten seconds, so that a loop or search around ``fit`` ends
            too. The first one ends training with a warning, and the best weights so far are kept.

        Warns
        -----
        ConvergenceWarning
            If inputs or targets are very large or small, and the network has not learned from them:
            scale them to a standard deviation of about one. Or if, after ten iterations or more,
            the loss is not below those of a constant prediction and of the initial weights.
        UserWarning
            If the rows of one series look like sequences, which are ``X[:, :, None]``, or features
            look like time steps (see :class:`FromChannelsFirst`).
        """
        fresh = not (check_flag("warm_start", self.warm_start) and self._is_trained())
        known = None if fresh else getattr(self, "classes_", None)
        params = FitParams(sample_weight, initial_state, clamp)
        batch, trainer = self._prepare(X, y, params, fresh, known)
        standardized = self._standardize_batch(batch)
        training, validation = self._hold_out(standardized, trainer.split_seed)
        stopping, n_before = make_stopping(self), len(trainer.loss_curve)
        to_fitted = self._to_raw_inputs
        with FitReport(self, X, y, stopping.max_iter, to_fitted) as report, one_blas_thread():
            trainer.fit(training, validation, stopping=stopping, report=report.iteration)
        self._finish(trainer, batch)
        if trainer.state.n_updates:
            X_sizes = np.zeros(0) if self._spec.tokens else column_sizes(standardized.inputs)
            if not warn_of_scale(
                X_sizes, self._target_sizes(batch), lambda: self._unexplained(batch)
            ):
                start_loss = trainer.start_loss if fresh else math.inf
                self._warn_unless_learned(training, self.n_iter_ - n_before, start_loss)
        report.end(self._theta)
        return self

    def _warn_unless_learned(self, training: SequenceBatch, n_iter: int, start_loss: float) -> None:
        """Warn if the loss has not fallen below those of a constant prediction and of the start.

        With an L2 penalty, the loss without it is compared with that of a constant prediction.
        """
        if not self._spec.head:  # whose outputs are bounded
            return
        is_scaled = self.standardize or self._spec.tokens
        constant = loss_of_constant(self._spec.loss, training.Y, training.weights)
        loss, reference = self.best_loss_, min(constant, start_loss)
        if self.alpha:  # the losses of the trainer include the penalty
            trainer = self._trainer
            with one_blas_thread():
                loss = trainer.objective.loss(trainer.spec, trainer.fitted_theta, training, 0.0)
            reference = constant
        warn_unless_learned(
            n_iter,
            loss,
            reference,
            learning_rate=self.learning_rate_init,
            remedy="" if is_scaled else "; scale X, as standardize=True does",
        )

    @rollback_on_error
    def _partial_fit(self, X: Any, y: Any, params: FitParams, known: Any = None) -> Self:
        if self.early_stopping:
            raise ValueError(
                "partial_fit holds no validation data out: use early_stopping=False, got True"
            )
        batch, trainer = self._prepare(X, y, params, not self._is_trained(), known)
        with one_blas_thread():
            trainer.partial_fit(self._standardize_batch(batch))
        if self.verbose:
            sys.stdout.write(trainer.progress())
        self._finish(trainer, batch)
        return self

    def _is_trained(self) -> bool:
        return hasattr(self, "_trainer")

    def _prepare(
        self, X: Any, y: Any, params: FitParams, fresh: bool, known: Any
    ) -> tuple[SequenceBatch, Trainer]:
        """Check everything; return the data, and a trainer, a new one if training starts anew.

        ``known`` are the classes that earlier data, or the caller, determine.
        """
        check_choice("target", self.target, ("auto", "steps", "sequence"))
        check_choice("init", self.init, INITS)
        check_flag("standardize", self.standardize)
        solver = solvers()[check_choice("solver", self.solver, solvers())]
        dtypes: Any = FLOATS if fresh else (self._theta.dtype,)
        if solver.needs_float64:
            dtypes = (np.float64,)
        if fresh and self.n_tokens is None:
            refuse_vectors_of_integers(X)
        sequences = pack(self, X, reset=fresh, dtype=dtypes)
        encoded = self._encode_targets(y, sequences, known)
        targets = encoded.targets
        if fresh:
            refuse_vectors_with_labels(X, sequences, targets, self.target)
            warn_if_axes_are_misread(sequences, targets, self.target, numeric=self._numeric)
        shortest = int(sequences.lengths.min())
        self._shortest = shortest if fresh else min(shortest, self._shortest)
        spec = make_spec(self, X, sequences, targets, None if fresh else self._spec)
        if not fresh:
            self._check_unchanged(spec, targets.kind)
        settings = make_settings(self, sequences.n_sequences, targets.kind)
        batch = self._make_batch(spec, sequences, encoded, params)
        if encoded.classes is not None:
            self.classes_ = encoded.classes
        self._flat = targets.flat  # predictions have the form of the last targets
        if fresh:
            self._kind, self.n_outputs_, self._spec = targets.kind, spec.n_outputs, spec
            self._set_input_scale(batch)
            trainer = self._make_trainer(spec, settings, batch)
            # Callbacks copy an estimator that can predict.
            self._theta = self._to_raw_inputs(trainer.fitted_theta)
            return batch, trainer
        trainer = deepcopy(self._trainer)  # so that an error leaves the old one as it was
        trainer.use(settings)
        return batch, trainer

    def _encode_targets(self, y: Any, sequences: Sequences, known: Any) -> Encoded:
        raw = pack_targets(y, sequences, self._target_of(y, sequences), numeric=self._numeric)
        return self._encode(raw, sequences.form, known)

    def _make_batch(
        self, spec: Spec, sequences: Sequences, encoded: Encoded, params: FitParams
    ) -> SequenceBatch:
        """Return inputs and targets as the network takes them."""
        targets = encoded.targets
        weights = self._row_weights(pack_weights(params.sample_weight, sequences, targets), targets)
        batch = input_batch(spec, sequences, targets.kind, params.initial_state, params.clamp)
        return batch._replace(
            Y=finite_array("y", targets.values, sequences.values.dtype),
            weights=combine_weights(weights, encoded.weights),
        )

    def _make_trainer(self, spec: Spec, settings: Settings, batch: SequenceBatch) -> Trainer:
        """Draw the initial weights, and return a trainer that starts from them."""
        seed = check_seed(self.random_state).randint(2**31 - 1)
        weight_seed, order_seed = np.random.SeedSequence(seed).spawn(2)
        theta = initial_theta(
            spec,
            np.random.default_rng(weight_seed),
            self.init,
            spectral_radius=check_number("spectral_radius", self.spectral_radius, 0, low_open=True),
            input_scaling=check_number("input_scaling", self.input_scaling, 0),
            longest=int(batch.lengths.max()),
            input_gains=self._input_gains(batch, settings.alpha),
            head_bias=self._head_bias(batch.Y, batch.weights),
        ).astype(batch.Y.dtype)
        rng = np.random.default_rng(order_seed)
        return Trainer(spec, theta, settings, rng, split_seed=seed)

    def _set_input_scale(self, batch: SequenceBatch) -> None:
        """Determine how inputs are standardised, unless they are tokens or stay as they are."""
        for name in ("input_center_", "input_scale_"):
            self.__dict__.pop(name, None)
        if self.standardize and not self._spec.tokens:
            self.input_center_, self.input_scale_ = input_scale(batch.inputs)

    def _input_gains(self, batch: SequenceBatch, alpha: float) -> np.ndarray | None:
        """Return by how much units may amplify inputs; None leaves the input weights small.

        Large ones let units tell smooth sequences apart. They make states less linear in the
        inputs, so that numbers, such as the sum of noise over time, are learned worse.
        """
        scale = self._input_scale()
        if scale is None or batch.per_step or self._spec.loss != "softmax":
            return None
        moderate = alpha > 0 or not self._spec.cell_record.saturates
        return scale.gains(batch.inputs, batch.offsets, moderate=moderate)

    def _input_scale(self) -> InputScale | None:
        if not hasattr(self, "input_center_"):
            return None
        return InputScale(self.input_center_, self.input_scale_)

    def _standardize_batch(self, batch: SequenceBatch) -> SequenceBatch:
        """Return the inputs that the trainer's parameters are for."""
        scale = self._input_scale()
        if scale is None:
            return batch
        return batch._replace(inputs=scale.standardize(batch.inputs))

    def _to_raw_inputs(self, theta: np.ndarray) -> np.ndarray:
        """Return the trainer's parameters as parameters for inputs as they are."""
        scale = self._input_scale()
        return theta if scale is None else scale.to_raw(self._spec, theta)

    def _check_unchanged(self, spec: Spec, kind: str) -> None:
        """Raise unless training can continue with these parameters and data."""
        changes = describe_changes(self._spec, spec)
        if kind != self._kind:
            changes = f"targets were of kind {self._kind!r} and are now of kind {kind!r}"
        if changes:
            raise ValueError(
                "training cannot continue with parameters or data that need another network: "
                f"{changes}; use warm_start=False or a new estimator"
            )

    def _hold_out(self, batch: SequenceBatch, seed: int) -> tuple[SequenceBatch, Validation | None]:
        """Hold validation data out, with `early_stopping`."""
        fraction = check_number(
            "validation_fraction", self.validation_fraction, 0, 1, low_open=True, high_open=True
        )
        if not self.early_stopping:
            return batch, None
        rng = np.random.default_rng(seed)
        training, validation = hold_out(batch, fraction, rng, labels=self._strata(batch))
        return training, Validation(validation, self._score_rows)

    def _finish(self, trainer: Trainer, batch: SequenceBatch) -> None:
        """Set the attributes that training determines."""
        self._trainer, self._theta = trainer, self._to_raw_inputs(trainer.fitted_theta)
        self.loss_curve_ = list(trainer.loss_curve)
        self.grad_norm_curve_ = list(trainer.grad_norm_curve)
        self.validation_scores_ = list(trainer.validation_scores) if self.early_stopping else None
        self.best_validation_score_ = trainer.best_score if self.early_stopping else None
        self.best_loss_ = trainer.best_loss
        self.n_iter_ = len(trainer.loss_curve)
        self.__dict__.pop("last_state_", None)
        if len(batch.lengths) == 1 and self.causal:
            self._last_target = batch.Y[-1:].copy()
            with one_blas_thread():
                self.last_state_ = evaluate(self._spec, self._theta, batch)[1]

    def _row_weights(self, weights: np.ndarray | None, targets: Targets) -> np.ndarray | None:
        """Return weights of the form that the loss takes."""
        raise NotImplementedError

    def _head_bias(self, Y: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
        """Return the initial bias of the head."""
        raise NotImplementedError

    def _strata(self, batch: SequenceBatch) -> np.ndarray | None:
        """Return the labels by which validation data are stratified, None for no stratification."""
        raise NotImplementedError

    def _score_rows(self, outputs: np.ndarray, batch: SequenceBatch) -> float:
        """Return the score of outputs on validation data, the larger the better."""
        raise NotImplementedError

    def _target_sizes(self, batch: SequenceBatch) -> np.ndarray:
        """Return the standard deviation of every output, which decides whether it is scaled."""
        raise NotImplementedError

    def _unexplained(self, batch: SequenceBatch) -> np.ndarray:
        """Return the share of every output that the fitted network does not explain."""
        raise NotImplementedError

    def _encode_like_fit(self, targets: Targets) -> Targets:
        """Encode targets as the last ``fit`` encoded its own."""
        raise NotImplementedError

    def predict(
        self, X: Any, *, initial_state: Any = None, clamp: Any = None, return_state: bool = False
    ) -> Any:
        """Predict the targets of every time step or sequence.

        Parameters
        ----------
        X : array of shape (n_timesteps, n_features) or (n_sequences, n_timesteps, n_features), \
                or list of arrays of shape (n_timesteps_i, n_features)
            Input sequences.
        initial_state, clamp : optional
            As in ``fit``.
        return_state : bool, default=False
            Whether to return the states after the last time step too. Passed as ``initial_state``,
            they continue the sequences: two halves give the same bits as the whole.

        Returns
        -------
        y : in the container and shape of the ``y`` of ``fit``
            Predicted targets.
        last_state : ndarray of shape (n_sequences, n_state), if ``return_state``
            Hidden states of all layers, then the cell states of an LSTM or LRU.

        Raises
        ------
        ValueError
            If X does not have the form of that of ``fit`` or is not finite, an initial state or a
            clamp does not fit, or ``return_state=True`` with ``bidirectional=True``.

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
        check_is_fitted(self, "_theta")
        if return_state and not self.causal:
            raise ValueError(
                "return_state=True needs bidirectional=False: a network with a backward direction "
                "cannot continue from its last state"
            )
        outputs, state = self._outputs(X, initial_state, clamp, return_state)
        y = self._decode(outputs)
        return (y, state) if return_state else y

    def stream(self, initial_state: Any = None) -> Stepper:
        """Start a sequence whose time steps arrive one by one.

        Parameters
        ----------
        initial_state : array or tuple (indices, values), default=None
            State before the first time step, as in ``fit``.

        Returns
        -------
        Stepper
            Its ``step(x)`` takes one row and returns the outputs, with the same bits as those of
            ``predict`` on the whole sequence; its ``state`` can be passed as ``initial_state``. It
            keeps a copy of the weights.

        Raises
        ------
        ValueError
            If predictions need later time steps: with ``bidirectional=True``, or with one target
            per sequence and a pooling other than "last".

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
        if not self._spec.is_causal:
            raise ValueError(
                "stream needs bidirectional=False, and a target for every time step or "
                "pooling='last'"
            )
        return Stepper(
            self._spec, self._theta, first_state(self._spec, self._theta, initial_state)[0]
        )

    def attention_weights(self, X: Any) -> Any:
        """Return the weight of every time step in the mean of ``pooling="attention"``.

        Parameters
        ----------
        X : as in ``predict``
            Input sequences.

        Returns
        -------
        weights : ndarray of shape (n_timesteps,) or (n_sequences, n_timesteps), or list of \
                ndarrays of shape (n_timesteps_i,)
            One weight per time step, in the container of ``X``; those of a sequence sum to 1.

        Raises
        ------
        ValueError
            If the network has another pooling.

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
        if not self._spec.has_attention:
            raise ValueError(
                "attention_weights needs pooling='attention' and one target per sequence, got "
                f"pooling={self.pooling!r} and targets of kind {self._kind!r}"
            )
        sequences = pack(self, X, reset=False, dtype=(self._theta.dtype,))
        batch = input_batch(self._spec, sequences, self._kind)
        with one_blas_thread():
            return restore(attention_rows(self._spec, self._theta, batch), sequences)

    def gradient_norms(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        initial_state: Any = None,
        clamp: Any = None,
    ) -> np.ndarray:
        """Return the norm of the gradient with respect to the states at every time step.

        Parameters
        ----------
        X, y : as in ``fit``
            Input sequences and targets.
        sample_weight : array-like, default=None
            Weights of the targets, as in ``fit``.
        initial_state, clamp : optional
            As in ``fit``.

        Returns
        -------
        norms : ndarray of shape (n_layers, n_timesteps)
            The norm of d loss / d h(t), along all paths through time that start at the hidden
            state h(t): the root mean square over the sequences that reach step t. The gradient
            that flows through the cell states c(t) of an LSTM or LRU beside h(t) is not included.

        See Also
        --------
        esnkit.plotting.GradientNormDisplay : Plot of these norms.

        Raises
        ------
        ValueError
            If ``X`` or ``y`` does not have the form of that of ``fit``.

        References
        ----------
        R. Pascanu, T. Mikolov and Y. Bengio (2013), On the difficulty of training recurrent neural
        networks, ICML, section 2.

        Examples
        --------
        >>> import numpy as np
        >>> from esnkit import RNNRegressor
        >>> X = np.random.default_rng(0).uniform(-1, 1, (20, 30, 1))
        >>> model = RNNRegressor(8, cell="rnn", pooling="last", max_iter=0, random_state=0)
        >>> norms = model.fit(X, X[:, 0, 0]).gradient_norms(X, X[:, 0, 0])
        >>> norms.shape, bool(norms[0, 0] < 0.1 * norms[0, -1])  # the gradient vanishes
        ((1, 30), True)
        """
        check_is_fitted(self, "_theta")
        sequences = pack(self, X, reset=False, dtype=(self._theta.dtype,))
        raw = pack_targets(y, sequences, self._kind, numeric=self._numeric)
        targets = self._encode_like_fit(raw)
        if targets.values.shape[1] != self.n_outputs_:
            raise ValueError(
                f"y has {targets.values.shape[1]} outputs, expected {self.n_outputs_} as in fit"
            )
        params = FitParams(sample_weight, initial_state, clamp)
        batch = self._make_batch(self._spec, sequences, Encoded(targets), params)
        with one_blas_thread():
            return gradient_norms(self._spec, self._theta, batch)

    def _outputs(
        self, X: Any, initial_state: Any, clamp: Any, return_state: bool = False
    ) -> tuple[Any, np.ndarray]:
        """Return the outputs, in the container of X, and the last states."""
        check_is_fitted(self, "_theta")
        sequences = pack(self, X, reset=False, dtype=(self._theta.dtype,))
        batch = input_batch(self._spec, sequences, self._kind, initial_state, clamp)
        if initial_state is None and not return_state and batch.per_step:
            warn_if_short(sequences.lengths, self._shortest)
        with one_blas_thread():
            rows, states = evaluate(self._spec, self._theta, batch)
        return (restore(rows, sequences) if batch.per_step else rows), states

    def _scores(self, X: Any, initial_state: Any, clamp: Any) -> Any:
        return self._outputs(X, initial_state, clamp)[0]

    def _true_rows(
        self, X: Any, y: Any, sample_weight: Any, initial_state: Any = None
    ) -> tuple[Targets, np.ndarray | None]:
        """Return the targets and their weights, for a score."""
        check_is_fitted(self, "_theta")
        sequences = pack(self, X, reset=False, dtype=(self._theta.dtype,))
        y_true = pack_targets(y, sequences, self._kind, numeric=self._numeric)
        return y_true, pack_weights(sample_weight, sequences, y_true)

    def _replace_weights(self, theta: np.ndarray) -> None:
        """Use other weights; later training starts from them with a new optimiser state."""
        scale = self._input_scale()
        standard = theta if scale is None else scale.from_raw(self._spec, theta)
        self._theta, self._trainer = theta, self._trainer.restarted(standard)
        self.__dict__.pop("last_state_", None)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if hasattr(self, "_theta"):  # it may be mapped from a file
            self._theta = for_kernels(self._theta)
