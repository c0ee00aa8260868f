"""Sequences into sequences of tokens: a recurrent encoder, attention, and a recurrent decoder."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from esnkit.networks._callbacks import CallbackSupportMixin, FitReport, with_callbacks
from esnkit.networks._encoder_decoder import (
    Pair,
    Pairs,
    decode,
    initial_pair,
    make_pairs,
    pair_gradient,
    pair_loss,
    pair_views,
)
from esnkit.networks._initializers import INITS
from esnkit.networks._minibatches import SequenceBatch
from esnkit.networks._parameters import as_tokens, count_tokens, make_stopping
from esnkit.networks._spec import Spec
from esnkit.networks._trainer import Learner, Settings, Trainer, name_changes
from esnkit.networks._weights import HEAD, WeightsMixin, join_weights, split_weights
from esnkit.sequences._packing import FLOATS, Sequences, pack
from esnkit.utils._rollback import rollback_on_error
from esnkit.utils._threads import one_blas_thread
from esnkit.utils._validation import (
    check_choice,
    check_flag,
    check_number,
    check_positive_int,
    check_seed,
)

__all__ = ["Seq2SeqClassifier"]

CELLS = {"rnn": "tanh", "lstm": "lstm", "gru": "gru"}
NETWORKS = ("encoder", "decoder")


class Seq2SeqClassifier(WeightsMixin, CallbackSupportMixin, BaseEstimator):
    """Recurrent networks that turn sequences into sequences of tokens, of a length of their own.

    An encoder hears a sequence. A decoder starts from the encoder's last state and says one token
    after the other, each with the one before in its ear, until it says that this is the end; with
    attention it looks back at every time step of the encoder each time. The loss is the mean
    cross-entropy of a token, given the true ones before it.

    Parameters
    ----------
    n_units : int, default=64
        Units of every layer: of the decoder, and of each direction of the encoder.
    cell : {"lstm", "gru", "rnn"}, default="lstm"
        Kind of unit: with gates that let it remember for long, or plain.
    n_layers : int, default=1
        Layers of the encoder, and of the decoder.
    bidirectional : bool, default=False
        Whether a second network of the encoder hears every sequence from its end.
    attention : bool, default=True
        Whether the decoder looks back at all time steps; without, all it knows is the last state.
    n_tokens : int, "auto" or None, default="auto"
        How many tokens ``X``, of one column of integers from 0 on, is made of. "auto" takes one
        column of an integer dtype for tokens, as many as `fit` sees; None takes all for numbers.
    embedding_dim : int or None, default=None
        Length of the vector that is learned for each token; None hears them one-hot.
    init : {"orthogonal", "glorot", "identity", "sparse", "chrono"}, default="orthogonal"
        How the recurrent weights are drawn, see :class:`esnkit.networks.RNNClassifier`.
    learning_rate_init : float, default=0.001
        Size of the steps of Adam.
    clip_norm : float or None, default=1.0
        A gradient whose norm over all weights is larger is scaled down to this norm.
    batch_size : int or "auto", default=32
        Sequences an update; "auto" is ``min(200, n_sequences)``.
    shuffle : bool, default=True
        Whether the batches are drawn anew for every iteration.
    alpha : float, default=0.0
        Strength of the L2 penalty, divided by the number of tokens in a batch.
    max_iter : int >= 0, default=200
        Most iterations, each over all sequences; 0 leaves the weights as they are drawn.
    tol : float, default=1e-4
        An iteration that does not improve the loss by as much is idle.
    n_iter_no_change : int, default=10
        Training stops after more idle iterations in a row.
    max_length : int or None, default=None
        Most tokens in an answer; None stands for the longest in ``y``.
    warm_start : bool, default=False
        Whether `fit` goes on where the last one stopped, optimiser and all.
    random_state : int, RandomState instance or None, default=None
        Determines weights and batches.
    verbose : bool, default=False
        Whether to write a line an iteration.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The tokens of ``y``.
    loss_curve_ : list of float
        Loss of every iteration.
    grad_norm_curve_ : list of float
        Mean norm of the gradient in every iteration, before clipping.
    best_loss_ : float
        The least loss; the weights are those that had it.
    n_iter_ : int
        Number of iterations.
    n_features_in_ : int
        Number of features seen in ``fit``.

    See Also
    --------
    esnkit.preprocessing.TokenEncoder : From texts to tokens and back.

    References
    ----------
    I. Sutskever, O. Vinyals and Q. V. Le (2014), Sequence to sequence learning with neural
    networks, NeurIPS.

    D. Bahdanau, K. Cho and Y. Bengio (2015), Neural machine translation by jointly learning to
    align and translate, ICLR: the start of the decoder.

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
        """Train on sequences and what they are to be turned into.

        Parameters
        ----------
        X : list of integer arrays of shape (n_timesteps_i,) or (n_timesteps_i, 1), list of arrays \
                of shape (n_timesteps_i, n_features), or array of shape (n_sequences, \
                n_timesteps, n_features)
            Sequences of tokens, see `n_tokens`, or of rows of numbers.
        y : list of integer arrays of shape (n_i,) or (n_i, 1)
            A sequence of tokens for each; it may be empty.

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
        fresh = not (self.warm_start and hasattr(self, "_trainer"))
        sequences = _pack(self, X, reset=fresh, dtype=FLOATS if fresh else (self._theta.dtype,))
        symbols, lengths = _pack_symbols(y, sequences.n_sequences)
        settings = self._settings(sequences.n_sequences)
        if fresh:
            self._begin(X, sequences, symbols, lengths, settings)
        else:
            self._go_on(symbols, settings)
        codes = np.searchsorted(self.classes_, symbols)
        self._train(make_pairs(self._hear(sequences), codes, lengths, self._pair.end), X, y)
        return self

    def _begin(self, X, sequences, symbols, lengths, settings):
        """Make the network, and what trains it."""
        if not symbols.size:
            raise ValueError("y holds no token: expected at least one sequence that is not empty")
        self.classes_ = np.unique(symbols)
        n_tokens = count_tokens(self, X, sequences)
        self._pair = self._make_pair(n_tokens, n_tokens or sequences.values.shape[1])
        self._longest = int(lengths.max())
        seed = check_seed(self.random_state).randint(2**31 - 1)
        weights, order = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(2))
        longest = max(self._longest, int(sequences.lengths.max()))
        self._theta = initial_pair(self._pair, weights, self.init, longest, sequences.values.dtype)
        self._trainer = Trainer(self._pair, self._theta.copy(), settings, order, LEARNER)

    def _go_on(self, symbols, settings):
        """Refuse what the network cannot go on with, and train it in the way of now."""
        encoder = self._pair.encoder
        pair = self._make_pair(encoder.n_features if encoder.tokens else 0, encoder.n_features)
        if pair != self._pair:
            raise ValueError(
                "the network cannot go on with parameters that change its shape: "
                f"{name_changes(self._pair, pair)}; use warm_start=False"
            )
        unseen = np.setdiff1d(symbols, self.classes_)
        if unseen.size:
            raise ValueError(
                f"y holds tokens unseen before, {unseen.tolist()}, expected some of "
                f"{self.classes_.tolist()}; use warm_start=False"
            )
        self._trainer = deepcopy(self._trainer)  # so that an error leaves it as it was
        self._trainer.use(settings)

    def _train(self, pairs: Pairs, X: Any, y: Any) -> None:
        stopping, trainer = make_stopping(self), self._trainer
        report = FitReport(self, X, y, stopping.max_iter)
        with one_blas_thread():
            trainer.fit(pairs, stopping=stopping, report=report.iteration)
        self._theta = trainer.chosen_theta
        self.loss_curve_ = list(trainer.loss_curve)
        self.grad_norm_curve_ = list(trainer.grad_norm_curve)
        self.best_loss_ = trainer.best_loss
        self.n_iter_ = len(trainer.loss_curve)
        report.end(self._theta)

    def _settings(self, n_sequences: int) -> Settings:
        clip, size = self.clip_norm, self.batch_size
        if isinstance(size, str):
            check_choice("batch_size", size, ("auto",))
            size = min(200, n_sequences)
        check_flag("warm_start", self.warm_start)
        check_choice("init", self.init, INITS)
        if self.max_length is not None:
            check_positive_int("max_length", self.max_length)
        if not isinstance(self.verbose, (bool, int)):
            raise TypeError(f"verbose must be True, False or an integer, got {self.verbose!r}")
        return Settings(
            learning_rate_init=check_number(
                "learning_rate_init", self.learning_rate_init, 0, low_open=True
            ),
            clip_norm=None if clip is None else check_number("clip_norm", clip, 0, low_open=True),
            batch_size=check_positive_int("batch_size", size),
            shuffle=check_flag("shuffle", self.shuffle),
            alpha=check_number("alpha", self.alpha, 0),
        )

    def _make_pair(self, n_tokens: int, n_features: int) -> Pair:
        cell = CELLS[check_choice("cell", self.cell, CELLS)]
        n_units = check_positive_int("n_units", self.n_units)
        n_layers = check_positive_int("n_layers", self.n_layers)
        both = check_flag("bidirectional", self.bidirectional)
        dim = self.embedding_dim
        dim = 0 if dim is None else check_positive_int("embedding_dim", dim)
        encoder = Spec(
            cell, n_units, n_features, n_units * (2 if both else 1), n_layers, both,
            tokens=n_tokens > 0, embedding_dim=dim if n_tokens else 0, head=False,
        )  # fmt: skip
        decoder = Spec(
            cell, n_units, len(self.classes_) + 1, n_units, n_layers,
            tokens=True, embedding_dim=dim, head=False,
        )  # fmt: skip
        return Pair(encoder, decoder, check_flag("attention", self.attention))

    def _hear(self, sequences: Sequences) -> SequenceBatch:
        inputs = sequences.values
        if self._pair.encoder.tokens:
            inputs = as_tokens(sequences, self._pair.encoder.n_features)
        return SequenceBatch(inputs, sequences.offsets, np.empty((len(inputs), 0)), True)

    def _decode(self, X: Any) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        check_is_fitted(self, "_theta")
        source = self._hear(_pack(self, X, reset=False, dtype=(self._theta.dtype,)))
        max_length = self._longest
        if self.max_length is not None:
            max_length = check_positive_int("max_length", self.max_length)
        with one_blas_thread():
            yield from decode(self._pair, self._theta, source, max_length)

    def predict(self, X: Any) -> list[np.ndarray]:
        """Turn every sequence into tokens, always taking the likeliest next one.

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        y : list of ndarrays of shape (n_i,)
            As :meth:`esnkit.preprocessing.TokenEncoder.inverse_transform` takes them.
        """
        return [self.classes_[codes] for codes, _ in self._decode(X)]

    def attention_weights(self, X: Any) -> list[np.ndarray]:
        """Tell where the decoder looked for every token that ``predict`` answers.

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        weights : list of ndarrays of shape (n_i, n_timesteps_i)
            The weights of a row, over the time steps of the sequence, sum to one.

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

    def _split(self, theta: np.ndarray) -> dict[str, np.ndarray]:
        named: dict[str, np.ndarray] = {}
        for name, part in pair_views(self._pair, theta).items():
            if name in NETWORKS:
                inner = split_weights(getattr(self._pair, name), part)
                named |= {f"{name}_{key}": value for key, value in inner.items()}
            else:
                named[HEAD.get(name, name)] = part.copy()
        return named

    def _join(self, named: dict[str, np.ndarray], theta: np.ndarray) -> None:
        for name, part in pair_views(self._pair, theta).items():
            if name in NETWORKS:
                start = f"{name}_"
                inner = {key[len(start) :]: named[key] for key in named if key.startswith(start)}
                join_weights(getattr(self._pair, name), inner, part)
            else:
                part[:] = named[HEAD.get(name, name)]

    def _replace(self, theta: np.ndarray) -> None:
        old = self._trainer
        self._theta = theta
        self._trainer = Trainer(self._pair, theta.copy(), old.settings, old.rng, LEARNER)

    def score(self, X: Any, y: Any) -> float:
        """Return the share of sequences whose answer is right from the first token to the last.

        Parameters
        ----------
        X, y : as in ``fit``

        Returns
        -------
        float
        """
        answers = self.predict(X)
        symbols, lengths = _pack_symbols(y, len(answers))
        wanted = np.split(symbols, np.cumsum(lengths)[:-1])
        return float(np.mean([np.array_equal(*both) for both in zip(answers, wanted, strict=True)]))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False  # which cannot say where a sequence ends
        tags.input_tags.three_d_array = True
        tags.target_tags.required = True
        return tags


def _gradients(pair, theta, pairs, settings, workspace):
    """Yield what the one update of a batch needs."""
    yield pair_gradient(pair, theta, pairs, settings.alpha)


LEARNER = Learner(_gradients, pair_loss)


def _pack(estimator: Any, X: Any, *, reset: bool, **options: Any) -> Sequences:
    """Validate sequences of rows, or of bare tokens."""
    if isinstance(X, (list, tuple)):
        items = [item if hasattr(item, "ndim") else np.asarray(item) for item in X]
        for i, item in enumerate(items):
            if item.ndim not in (1, 2):
                raise ValueError(
                    f"X[{i}] must be an array of tokens (n_timesteps,) or of rows "
                    f"(n_timesteps, n_features), got {X[i]!r}"
                )
        X = [item[:, None] if item.ndim == 1 else item for item in items]
    elif getattr(X, "ndim", None) != 3:
        raise ValueError(
            "X must be a list of sequences, or an array (n_sequences, n_timesteps, n_features), "
            f"got {_described(X)}; give a 2-D array of tokens, one sequence a row, as list(X)"
        )
    return pack(estimator, X, reset=reset, **options)


def _pack_symbols(y: Any, n_sequences: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the tokens of all targets end to end, and the length of each."""
    if y is None:
        raise ValueError("requires y to be passed, but the target y is None")
    if isinstance(y, (str, bytes)) or not hasattr(y, "__len__"):
        raise ValueError(f"y must be a list of integer arrays, got {_described(y)}")
    if len(y) != n_sequences:
        raise ValueError(f"y has {len(y)} items but X has {n_sequences} sequences")
    items = []
    for i, item in enumerate(y):
        codes = np.asarray(item)
        codes = codes[:, 0] if codes.ndim == 2 and codes.shape[1] == 1 else codes
        if codes.ndim != 1 or (codes.size and codes.dtype.kind not in "iu"):
            raise ValueError(
                f"y[{i}] must hold integers, of shape (n_tokens,) or (n_tokens, 1), got "
                f"{_described(codes)}"
            )
        items.append(codes.astype(np.int64))
    return np.concatenate(items), np.array([item.size for item in items])


def _described(value: Any) -> str:
    if hasattr(value, "dtype"):
        return f"an array of shape {value.shape} and dtype {value.dtype}"
    return f"{type(value).__name__} {value!r:.60}"
