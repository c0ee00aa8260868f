"""Sequence-to-sequence networks: an encoder, attention and a decoder, for sequences of tokens."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from esnkit.networks._cells import check_n_units, find_cell
from esnkit.networks._encoder_decoder import (
    PairBatch,
    PairSpec,
    decode,
    initial_pair_theta,
    join_pair_weights,
    make_pair_batch,
    pair_gradient,
    pair_loss,
    split_pair_weights,
)
from esnkit.networks._fit_report import FitReport
from esnkit.networks._initializers import INITS
from esnkit.networks._inputs import count_tokens, network_inputs
from esnkit.networks._minibatches import SequenceBatch
from esnkit.networks._objective import OBJECTIVES, Objective
from esnkit.networks._parameters import (
    check_batch_size,
    check_clip_norm,
    check_embedding_dim,
    check_learning_rate,
    make_stopping,
)
from esnkit.networks._scale_check import column_sizes, unexplained_by_classes, warn_of_scale
from esnkit.networks._solvers import Settings
from esnkit.networks._spec import Spec, describe_changes
from esnkit.networks._trainer import Trainer
from esnkit.networks._weights import WeightsMixin
from esnkit.optim._optimizers import OptimizerParameters
from esnkit.sequences._packing import FLOATS, Sequences, pack
from esnkit.utils._callbacks import CallbackSupportMixin, with_callbacks
from esnkit.utils._frames import ndim_of
from esnkit.utils._plain_state import PlainStateMixin
from esnkit.utils._rollback import rollback_on_error
from esnkit.utils._threads import one_blas_thread
from esnkit.utils._validation import (
    check_choice,
    check_flag,
    check_number,
    check_positive_int,
    check_seed,
    check_verbose,
    refuse_masked,
)

__all__ = ["Seq2SeqClassifier"]


class Seq2SeqClassifier(WeightsMixin, CallbackSupportMixin, PlainStateMixin, BaseEstimator):
    """Recurrent neural network that maps sequences to sequences of tokens.

    A recurrent encoder runs over the input sequence. A recurrent decoder starts from a function of
    the last state of the encoder, and predicts one token per step: each is the next input, until
    the token that ends the sequence. With attention, every prediction also depends on a weighted
    mean of the states of the encoder. Training minimises the mean cross-entropy per token, given
    the true tokens before it.

    Parameters
    ----------
    n_units : int, default=64
        Number of units per layer, of the decoder and of each direction of the encoder, an even
        number with ``cell="lru"``.
    cell : {"lstm", "gru", "rnn", "mingru", "minlstm", "lru"}, default="lstm"
        Recurrent cell: with gates, which keep a state over many time steps, or plain ("rnn"). The
        last three have no recurrent weights, see the notes of :class:`RNNRegressor`.
    n_layers : int, default=1
        Number of layers of the encoder, and of the decoder.
    bidirectional : bool, default=False
        Whether the encoder also runs over the sequence in the backward direction.
    attention : bool, default=True
        Whether the decoder attends to all time steps of the input. Without attention, it depends
        on the last state of the encoder alone.
    n_tokens : int, "auto" or None, default="auto"
        Number of tokens, if ``X`` is one column of integers from 0 to ``n_tokens - 1`` that stand
        for tokens. "auto" takes one column of an integer dtype as tokens, and determines their
        number in `fit`; None takes ``X`` as numbers.
    embedding_dim : int or None, default=None
        Length of the embedding vector that is learned for each token. None encodes tokens one-hot.
    init : {"orthogonal", "glorot", "identity", "sparse", "chrono"}, default="orthogonal"
        Initialisation of the recurrent weights, see :class:`esnkit.networks.RNNClassifier`.
    learning_rate_init : float, default=0.001
        Step size of the updates, by Adam.
    clip_norm : float or None, default=1.0
        Maximum norm of the gradient of all weights; larger gradients are rescaled to it. None
        disables clipping.
    batch_size : int or "auto", default=32
        Number of sequences per mini-batch. "auto" is a twentieth of the sequences, at least 4 and
        at most 16.
    shuffle : bool, default=True
        Whether to draw new mini-batches in every iteration.
    alpha : float, default=0.0
        Strength of the L2 penalty on the weights; it is divided by the number of tokens in a
        mini-batch.
    max_iter : int >= 0, default=200
        Maximum number of iterations (epochs); 0 keeps the initial weights.
    tol : float, default=1e-4
        Minimum improvement of the loss that counts as one.
    n_iter_no_change : int, default=10
        Maximum number of consecutive iterations without such an improvement.
    max_length : int or None, default=None
        Maximum number of tokens of a prediction. None stands for the length of the longest target.
    warm_start : bool, default=False
        Whether `fit` continues from the weights, and the state of the optimiser, of the last call.
    random_state : int, RandomState instance or None, default=None
        Determines initial weights and mini-batches.
    verbose : bool, default=False
        Whether to write a line per iteration to the standard output.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The tokens of ``y``, sorted.
    loss_curve_ : list of float
        Mean loss during every iteration.
    grad_norm_curve_ : list of float
        Mean norm of the gradient during every iteration, before clipping.
    best_loss_ : float
        The least loss, which is that of the fitted weights.
    n_iter_ : int
        Number of iterations. If it is `max_iter`, the loss may improve with more.
    n_features_in_ : int
        Number of features seen in ``fit``.

    See Also
    --------
    esnkit.preprocessing.TokenEncoder : Turn texts into tokens and back.

    References
    ----------
    I. Sutskever, O. Vinyals and Q. V. Le (2014), Sequence to sequence learning with neural
    networks, NeurIPS.

    D. Bahdanau, K. Cho and Y. Bengio (2015), Neural machine translation by jointly learning to
    align and translate, ICLR: the initial state of the decoder.

    M.-T. Luong, H. Pham and C. D. Manning (2015), Effective approaches to attention-based neural
    machine translation, EMNLP: global attention with the general score.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit import Seq2SeqClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.integers(0, 3, rng.integers(1, 4)) for _ in range(300)]
    >>> y = [x[::-1] for x in X]
    >>> model = Seq2SeqClassifier(16, learning_rate_init=0.02, max_iter=30, random_state=0)
    >>> model.fit(X, y).predict([[0, 1, 2], [2, 1]])
    [array([2, 1, 0]), array([1, 2])]
    """

    def __init__(
        self,
        n_units=64,
        *,
        cell="lstm",
        n_layers=1,
        bidirectional=False,
        attention=True,
        n_tokens="auto",
        embedding_dim=None,
        init="orthogonal",
        learning_rate_init=1e-3,
        clip_norm=1.0,
        batch_size=32,
        shuffle=True,
        alpha=0.0,
        max_iter=200,
        tol=1e-4,
        n_iter_no_change=10,
        max_length=None,
        warm_start=False,
        random_state=None,
        verbose=False,
    ):
        self.n_units = n_units
        self.cell = cell
        self.n_layers = n_layers
        self.bidirectional = bidirectional
        self.attention = attention
        self.n_tokens = n_tokens
        self.embedding_dim = embedding_dim
        self.init = init
        self.learning_rate_init = learning_rate_init
        self.clip_norm = clip_norm
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.alpha = alpha
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.max_length = max_length
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    @rollback_on_error
    @with_callbacks
    def fit(self, X: Any, y: Any = None) -> Self:
        """Train the network on input sequences and target sequences.

        Parameters
        ----------
        X : list of integer arrays of shape (n_timesteps_i,) or (n_timesteps_i, 1), list of arrays \
                of shape (n_timesteps_i, n_features), or array of shape (n_sequences, \
                n_timesteps, n_features)
            Input sequences, of tokens (see `n_tokens`) or of rows of numbers.
        y : list of integer arrays of shape (n_i,) or (n_i, 1)
            Target sequences of tokens, one per input sequence; they may be empty.

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
            If numbers in ``X`` are very large or small, and the network has not learned from them:
            scale them to a standard deviation of about one.
        """
        fresh = not (self.warm_start and hasattr(self, "_trainer"))
        sequences = _pack(self, X, reset=fresh, dtype=FLOATS if fresh else (self._theta.dtype,))
        symbols, lengths = _pack_symbols(y, sequences.n_sequences)
        settings = self._make_settings(sequences.n_sequences)
        if fresh:
            trainer = self._begin(X, sequences, symbols, lengths, settings)
        else:
            trainer = self._continue(symbols, lengths, settings)
        codes = np.searchsorted(self.classes_, symbols)
        source = _as_batch(self._pair, sequences)
        self._train(trainer, make_pair_batch(source, codes, lengths, self._pair.end), X, y)
        return self

    def _begin(
        self,
        X: Any,
        sequences: Sequences,
        symbols: np.ndarray,
        lengths: np.ndarray,
        settings: Settings,
    ) -> Trainer:
        """Draw the initial weights, and return a trainer that starts from them."""
        if not symbols.size:
            raise ValueError("y contains no token: expected a sequence that is not empty")
        self.classes_ = np.unique(symbols)
        n_tokens = count_tokens(self.n_tokens, self.embedding_dim, X, sequences)
        n_features = n_tokens or sequences.values.shape[1]
        self._pair = self._make_spec(n_tokens > 0, n_features, self.classes_.size)
        self._longest = int(lengths.max())
        seed = check_seed(self.random_state).randint(2**31 - 1)
        weights, order = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(2))
        longest = max(self._longest, int(sequences.lengths.max()))
        dtype = sequences.values.dtype
        theta = initial_pair_theta(self._pair, weights, self.init, longest, dtype)
        trainer = Trainer(self._pair, theta, settings, order)
        self._theta = trainer.fitted_theta  # callbacks copy an estimator that can predict
        return trainer

    def _continue(self, symbols: np.ndarray, lengths: np.ndarray, settings: Settings) -> Trainer:
        """Return the trainer for another call, or raise if training cannot continue."""
        encoder = self._pair.encoder
        pair = self._make_spec(encoder.tokens, encoder.n_features, self.classes_.size)
        if pair != self._pair:
            raise ValueError(
                "training cannot continue with parameters that need another network: "
                f"{describe_changes(self._pair, pair)}; use warm_start=False"
            )
        unseen = np.setdiff1d(symbols, self.classes_)
        if unseen.size:
            raise ValueError(
                f"y contains tokens unseen before, {unseen.tolist()}, expected some of "
                f"{self.classes_.tolist()}; use warm_start=False"
            )
        self._longest = max(self._longest, int(lengths.max()))
        trainer = deepcopy(self._trainer)  # so that an error leaves the old one as it was
        trainer.use(settings)
        return trainer

    def _train(self, trainer: Trainer, batch: PairBatch, X: Any, y: Any) -> None:
        stopping = make_stopping(self)
        with FitReport(self, X, y, stopping.max_iter) as report, one_blas_thread():
            trainer.fit(batch, stopping=stopping, report=report.iteration)
        self._trainer, self._theta = trainer, trainer.fitted_theta
        self.loss_curve_ = list(trainer.loss_curve)
        self.grad_norm_curve_ = list(trainer.grad_norm_curve)
        self.best_loss_ = trainer.best_loss
        self.n_iter_ = len(trainer.loss_curve)
        if trainer.state.n_updates and not self._pair.encoder.tokens:
            indicators = batch.target.Y == np.arange(self._pair.decoder.n_features)
            warn_of_scale(
                column_sizes(batch.source.inputs),
                np.ones(1),
                lambda: unexplained_by_classes(self.best_loss_, indicators),
            )
        report.end(self._theta)

    def _make_settings(self, n_sequences: int) -> Settings:
        check_flag("warm_start", self.warm_start)
        check_choice("init", self.init, INITS)
        check_verbose(self.verbose)
        if self.max_length is not None:
            check_positive_int("max_length", self.max_length)
        return Settings(
            optimizer=OptimizerParameters(check_learning_rate(self.learning_rate_init)),
            clip_norm=check_clip_norm(self.clip_norm),
            batch_size=check_batch_size(self.batch_size, n_sequences),
            shuffle=check_flag("shuffle", self.shuffle),
            alpha=check_number("alpha", self.alpha, 0),
        )

    def _make_spec(self, tokens: bool, n_features: int, n_symbols: int) -> PairSpec:
        """Return the network that the parameters select; ``n_features`` may be that of tokens."""
        cell = find_cell(self.cell)
        n_units = check_n_units(self.n_units, cell)
        n_layers = check_positive_int("n_layers", self.n_layers)
        bidirectional = check_flag("bidirectional", self.bidirectional)
        dim = check_embedding_dim(self.embedding_dim)
        encoder = Spec(
            cell, n_units, n_features, n_units * (2 if bidirectional else 1), n_layers,
            bidirectional, tokens=tokens, embedding_dim=dim if tokens else 0, head=False,
        )  # fmt: skip
        decoder = Spec(
            cell, n_units, n_symbols + 1, n_units, n_layers,
            tokens=True, embedding_dim=dim, head=False,
        )  # fmt: skip
        return PairSpec(encoder, decoder, check_flag("attention", self.attention))

    def predict(self, X: Any) -> list[np.ndarray]:
        """Predict a sequence of tokens for every input sequence, by greedy decoding.

        Parameters
        ----------
        X : as in ``fit``
            Input sequences.

        Returns
        -------
        y : list of ndarrays of shape (n_i,)
            Predicted tokens, in the form that
            :meth:`esnkit.preprocessing.TokenEncoder.inverse_transform` takes.
        """
        return [self.classes_[codes] for codes, _ in self._decode(X)]

    def attention_weights(self, X: Any) -> list[np.ndarray]:
        """Return the attention of the decoder for every token that ``predict`` returns.

        Parameters
        ----------
        X : as in ``fit``
            Input sequences.

        Returns
        -------
        weights : list of ndarrays of shape (n_i, n_timesteps_i)
            A row per predicted token: weights of the time steps of the input, which sum to one.

        Raises
        ------
        ValueError
            If the model was fitted without attention.

        Examples
        --------
        >>> import numpy as np
        >>> from esnkit import Seq2SeqClassifier
        >>> X = [np.array([0, 1, 2]), np.array([2, 1])]
        >>> model = Seq2SeqClassifier(4, max_iter=2, random_state=0).fit(X, X)
        >>> for weights in model.attention_weights(X):
        ...     assert np.allclose(weights.sum(axis=1), 1.0)
        """
        check_is_fitted(self, "_theta")
        if not self._pair.attention:
            raise ValueError("attention_weights needs a model that was fitted with attention=True")
        return [weights for _, weights in self._decode(X)]

    def _decode(self, X: Any) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the codes and the attention weights of every sequence."""
        check_is_fitted(self, "_theta")
        sequences = _pack(self, X, reset=False, dtype=(self._theta.dtype,))
        max_length = self._longest
        if self.max_length is not None:
            max_length = check_positive_int("max_length", self.max_length)
        with one_blas_thread():
            yield from decode(self._pair, self._theta, _as_batch(self._pair, sequences), max_length)

    def score(self, X: Any, y: Any) -> float:
        """Return the proportion of sequences that are predicted without a single error.

        Parameters
        ----------
        X, y : as in ``fit``
            Input sequences and target sequences.

        Returns
        -------
        float
        """
        y_pred = self.predict(X)
        symbols, lengths = _pack_symbols(y, len(y_pred))
        y_true = np.split(symbols, np.cumsum(lengths)[:-1])
        return float(np.mean([np.array_equal(*pair) for pair in zip(y_pred, y_true, strict=True)]))

    def _split_weights(self, theta: np.ndarray) -> dict[str, np.ndarray]:
        return split_pair_weights(self._pair, theta)

    def _join_weights(self, named: dict[str, np.ndarray], theta: np.ndarray) -> None:
        join_pair_weights(self._pair, named, theta)

    def _replace_weights(self, theta: np.ndarray) -> None:
        self._theta, self._trainer = theta, self._trainer.restarted(theta)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False  # the ends of sequences would be unknown
        tags.input_tags.three_d_array = True
        tags.target_tags.required = True
        return tags


def _pair_gradients(
    pair: PairSpec, theta: np.ndarray, batch: PairBatch, alpha: float, tbptt: Any, workspace: Any
) -> Iterator[tuple[float, np.ndarray, float]]:
    """Yield loss, gradient and weight of the one update of a mini-batch."""
    yield pair_gradient(pair, theta, batch, alpha)


OBJECTIVES[PairSpec] = Objective(_pair_gradients, pair_loss)


def _as_batch(pair: PairSpec, sequences: Sequences) -> SequenceBatch:
    """Return the inputs of the encoder, without targets."""
    inputs = network_inputs(pair.encoder, sequences)
    return SequenceBatch(inputs, sequences.offsets, np.empty((len(inputs), 0)), True)


def _pack(estimator: Any, X: Any, *, reset: bool, dtype: Any = FLOATS) -> Sequences:
    """Validate sequences of rows, or of tokens, which may be vectors."""
    refuse_masked("X", X)
    if isinstance(X, (list, tuple)):
        items = [np.asarray(item) if ndim_of(item) is None else item for item in X]
        for i, item in enumerate(items):
            if ndim_of(item) not in (1, 2):
                raise ValueError(
                    f"X[{i}] must be an array of tokens (n_timesteps,) or of rows "
                    f"(n_timesteps, n_features), got {X[i]!r}"
                )
        X = [np.asarray(item)[:, None] if ndim_of(item) == 1 else item for item in items]
    elif getattr(X, "ndim", None) != 3:
        raise ValueError(
            "X must be a list of sequences, or an array (n_sequences, n_timesteps, n_features), "
            f"got {_describe(X)}; give a 2-D array of tokens, one sequence a row, as list(X)"
        )
    return pack(estimator, X, reset=reset, dtype=dtype)


def _pack_symbols(y: Any, n_sequences: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the tokens of all targets, one target after the other, and the length of each."""
    if y is None:
        raise ValueError("requires y to be passed, but the target y is None")
    if isinstance(y, (str, bytes)) or not hasattr(y, "__len__"):
        raise ValueError(f"y must be a list of integer arrays, got {_describe(y)}")
    refuse_masked("y", y)
    if len(y) != n_sequences:
        raise ValueError(f"y has {len(y)} items but X has {n_sequences} sequences")
    items = []
    for i, item in enumerate(y):
        codes = np.asarray(item)
        codes = codes[:, 0] if codes.ndim == 2 and codes.shape[1] == 1 else codes
        if codes.ndim != 1 or (codes.size and codes.dtype.kind not in "iu"):
            raise ValueError(
                f"y[{i}] must be integers, of shape (n_tokens,) or (n_tokens, 1), got "
                f"{_describe(codes)}"
            )
        if codes.size and int(codes.max()) > np.iinfo(np.int64).max:
            raise ValueError(f"y[{i}] must be integers below 2**63, got {codes.max()}")
        items.append(codes.astype(np.int64))
    return np.concatenate(items), np.array([item.size for item in items])


def _describe(value: Any) -> str:
    if hasattr(value, "dtype"):
        return f"an array of shape {value.shape} and dtype {value.dtype}"
    return f"{type(value).__name__} {value!r:.60}"
