"""Recurrent networks as scikit-learn estimators: plain RNN, LSTM and GRU."""

from typing import Any, Self

import numpy as np
from sklearn.metrics import accuracy_score
from sklearn.utils.validation import check_is_fitted

from esnkit.networks._base import FitParams, GradientEstimator
from esnkit.networks._generation import (
    check_feeds_rows_back,
    check_feeds_tokens_back,
    generate_rows,
    generate_tokens,
    warm_up,
)
from esnkit.networks._inputs import input_batch
from esnkit.networks._losses import log_softmax
from esnkit.networks._minibatches import SequenceBatch, evaluate
from esnkit.networks._prefixes import prefix_outputs
from esnkit.networks._scale_check import (
    column_sizes,
    unexplained_by_classes,
    unexplained_shares,
)
from esnkit.sequences._classifier_mixin import SequenceClassifierMixin, known_classes
from esnkit.sequences._closed_loop import future_rows
from esnkit.sequences._packing import pack
from esnkit.sequences._prefixes import Prefixes
from esnkit.sequences._regressor_mixin import SequenceRegressorMixin
from esnkit.sequences._targets import Targets, labels_of
from esnkit.utils._threads import one_blas_thread
from esnkit.utils._validation import check_number, check_positive_int, check_seed

__all__ = ["RNNClassifier", "RNNRegressor"]


class RNNRegressor(SequenceRegressorMixin, GradientEstimator):
    """Recurrent neural network for regression on sequences.

    The target is a row for every time step or for every sequence. Training minimises half the mean
    squared error by backpropagation through time.

    Parameters
    ----------
    n_units : int, default=64
        Number of units per layer and direction, an even number with ``cell="lru"``.
    cell : {"lstm", "gru", "rnn", "mingru", "minlstm", "lru"}, default="lstm"
        Recurrent cell: with gates, which keep a state over many time steps, or plain ("rnn"). The
        last three have no recurrent weights: an update is several times as fast, see Notes.
    n_layers : int, default=1
        Number of layers; the hidden states of each are the inputs of the next.
    bidirectional : bool, default=False
        Whether every layer also runs over the sequence in the backward direction. The network is
        then not causal: it cannot forecast, stream or continue from a state.
    activation : {"tanh", "relu"}, default="tanh"
        Activation of ``cell="rnn"``; without effect on the others.
    reset_after : bool, default=True
        Whether the reset gate of ``cell="gru"`` is applied after the recurrent product, as in cuDNN
        and PyTorch, or before it, as in Cho et al. (2014).
    n_tokens : int, "auto" or None, default=None
        Number of tokens, if ``X`` is one column of integers from 0 to ``n_tokens - 1`` that stand
        for tokens. "auto" takes one column of an integer dtype as tokens, and determines their
        number in `fit`; None takes ``X`` as numbers.
    embedding_dim : int or None, default=None
        Length of the embedding vector that is learned for each token; ``n_tokens=None`` then means
        "auto". None encodes tokens one-hot.
    standardize : bool, default=True
        Whether training takes inputs less their median, divided by their standard deviation. The
        fitted weights contain both, so that they are for inputs as they are. Tokens and columns of
        zeros and ones stay as they are.
    pooling : {"auto", "last", "mean", "max", "attention"}, default="auto"
        For one target per sequence, how the states of its time steps become one vector: the last
        state, the mean, the maximum of every unit (Collobert et al. 2011), or a weighted mean with
        learned weights. "auto" is the mean, with `tbptt` the last state.
    head : "linear" or None, default="linear"
        Layer from the states to the outputs. With None, the first units of the last layer are the
        outputs.
    start : {"zeros", "ones", "learned"}, default="zeros"
        State before the first time step. "ones" sets the cell states of an LSTM or LRU to one;
        "learned" makes the state a parameter.
    init : {"orthogonal", "glorot", "identity", "sparse", "chrono"}, default="orthogonal"
        Initialisation of the recurrent weights, see Notes.
    spectral_radius : float, default=1.1
        Spectral radius of the initial recurrent weights with ``init="sparse"``.
    input_scaling : float, default=0.001
        Standard deviation of the initial input weights with ``init="sparse"``.
    solver : {"adam", "sgd", "hessian_free"}, default="adam"
        Optimiser. "hessian_free" makes one update per iteration, on all sequences, in double
        precision. Every row that is added to ``esnkit.optim.OPTIMIZERS`` is a solver too.
    learning_rate_init : float, default=0.01
        Step size of the first updates with ``solver="adam"`` or ``"sgd"``.
    learning_rate : {"constant", "cosine"}, default="cosine"
        Schedule of the step size in ``fit``: constant, or half a cosine wave from
        `learning_rate_init` towards zero after `max_iter` iterations. It is constant in
        ``partial_fit``.
    momentum : float in [0, 1], default=0.9
        Momentum with ``solver="sgd"``.
    momentum_schedule : {"constant", "increasing", "delayed"}, default="constant"
        Schedule of the momentum, see :func:`esnkit.optim.momentum_at`.
    nesterovs_momentum : bool, default=True
        Whether to use Nesterov's momentum with ``solver="sgd"``.
    clip_norm : float or None, default=1.0
        Maximum norm of the gradient of all weights; larger gradients are rescaled to it. None
        disables clipping.
    batch_size : int or "auto", default="auto"
        Number of sequences per mini-batch. "auto" is a twentieth of the sequences, at least 4 and
        at most 16, so that few sequences make several updates per iteration too.
    shuffle : bool, default=True
        Whether to draw new mini-batches in every iteration.
    alpha : float, default=0.0
        Strength of the L2 penalty on the weights; it is divided by the number of targets in a
        mini-batch.
    tbptt : int or None, default=None
        Number of time steps per chunk of truncated backpropagation through time: every chunk makes
        an update, and the state but no gradient crosses its borders. None backpropagates through
        whole sequences.
    damping : float, default=0.1
        Initial damping (lambda) with ``solver="hessian_free"``.
    structural_damping : float, default=1/30
        Weight, relative to the damping, of the structural damping term, which penalises changes of
        the hidden states, with ``solver="hessian_free"``.
    max_cg_iter : int, default=250
        Maximum number of conjugate gradient iterations per update with ``solver="hessian_free"``.
    max_iter : int >= 0, default=100
        Maximum number of iterations (epochs); 0 keeps the initial weights.
    tol : float, default=1e-4
        Minimum improvement of the loss, or of the validation score, that counts as one.
    n_iter_no_change : int, default=50
        Maximum number of consecutive iterations without such an improvement.
    early_stopping : bool, default=False
        Whether to hold out validation data (sequences, or the end of a single one), to stop when
        the score on them no longer improves, and to keep the weights with the best score instead
        of those with the least loss.
    validation_fraction : float in (0, 1), default=0.1
        Proportion of the data to hold out for `early_stopping`.
    target : {"auto", "steps", "sequence"}, default="auto"
        Whether there is a target for every time step or for every sequence; "auto" infers it from
        the shape of ``y``.
    warm_start : bool, default=False
        Whether `fit` continues from the weights, and the state of the optimiser, of the last call.
    random_state : int, RandomState instance or None, default=None
        Determines initial weights, mini-batches and validation data.
    verbose : bool, default=False
        Whether to write a line per iteration to the standard output.

    Attributes
    ----------
    n_outputs_ : int
        Number of outputs.
    loss_curve_ : list of float
        Mean loss during every iteration.
    grad_norm_curve_ : list of float
        Mean norm of the gradient during every iteration, before clipping.
    validation_scores_ : list of float or None
        Score on the validation data after every iteration, with `early_stopping`.
    best_validation_score_ : float or None
        The best of these scores, which is that of the fitted weights.
    best_loss_ : float
        The least loss.
    n_iter_ : int
        Number of iterations. If it is `max_iter`, the loss may improve with more.
    last_state_ : ndarray of shape (1, n_state)
        State after the last time step of the training data, if these are one sequence and the
        network is causal.
    input_center_, input_scale_ : ndarray of shape (n_features,)
        Median and divisor of every input in the first call of ``fit`` or ``partial_fit``, which the
        weights contain; only with `standardize`, and not for tokens.
    n_features_in_ : int
        Number of features seen in ``fit``.

    Notes
    -----
    The initialisations "orthogonal" and "glorot" draw the recurrent weights of every gate
    separately, the input weights by Glorot's rule, and set the biases
    of the forget gates of an LSTM to 1. "identity" (Le et al. 2015) and "sparse" (Sutskever et al.
    2013) are for ``cell="rnn"``. "chrono" (Tallec & Ollivier 2018) is for cells with gates, whose
    biases it sets for time scales up to the longest sequence.

    Three cells have an elementwise recurrence. With gates z, f and i and values n and v that are
    functions of the inputs x(t) alone, sigmoid(W x + b) and W x + b, and with complex c and l::

        "mingru"    h(t) = z h(t-1) + (1 - z) n
        "minlstm"   h(t) = (f h(t-1) + i n) / (f + i)
        "lru"       c(t) = l c(t-1) + s v,   h(t) = c(t) sigmoid(W x(t) + b + c(t))

    The first two are the minimal GRU and LSTM of Feng et al. (2024), whose z is 1 - z here. The
    third is the linear recurrent unit of Orvieto et al. (2023), with gates in place of the gated
    layer after it: l = exp(-exp(nu) + i exp(theta)) and s = exp(gamma), at first
    sqrt(1 - abs(l)^2). It has n_units / 2 complex states c. Their real parts, then their imaginary
    parts, each with a gate, are the n_units outputs, so that the head or the next layer is the real
    projection Re(C c). Unless ``init="chrono"``, gates and
    eigenvalues start with time scales that are log-uniform from 1 step to the longest sequence, at
    most 1000; so are the periods of the eigenvalues, from 2 steps on. Because these gates do not
    depend on the states, they tell positions in a sequence apart from the second layer on: use two
    or three layers of "mingru" or "minlstm" where an input means different things at different
    times.

    The estimator does not scale its targets. Scale them to a standard deviation of about one
    (``TransformedTargetRegressor``); otherwise training may end with predictions near their mean.
    If targets, or inputs with ``standardize=False``, are larger than 300 or smaller than 1/300, and
    the network explains less than half of the variance, `fit` issues a ``ConvergenceWarning``.

    The defaults fit noise where few sequences have one noisy target each. With 100 sequences, noise
    of the variance of the target and three kinds of targets, a GRU has a mean R2 of -0.2 on new
    sequences, and of 0.13 with ``early_stopping=True, validation_fraction=0.2,
    n_iter_no_change=100``, which costs little without noise (0.88 becomes 0.86); ``alpha=0.1``
    costs more (0.66).

    References
    ----------
    S. Hochreiter and J. Schmidhuber (1997), Long short-term memory, Neural Computation 9(8).

    K. Cho et al. (2014), Learning phrase representations using RNN encoder-decoder, EMNLP.

    R. Collobert, J. Weston, L. Bottou, M. Karlen, K. Kavukcuoglu and P. Kuksa (2011), Natural
    language processing (almost) from scratch, JMLR 12, section 3.3.2: the maximum over time.

    I. Sutskever, J. Martens, G. Dahl and G. Hinton (2013), On the importance of initialization
    and momentum in deep learning, ICML.

    Q. V. Le, N. Jaitly and G. E. Hinton (2015), A simple way to initialize recurrent networks of
    rectified linear units, arXiv 1504.00941.

    C. Tallec and Y. Ollivier (2018), Can recurrent neural networks warp time?, ICLR.

    A. Orvieto, S. L. Smith, A. Gu, A. Fernando, C. Gulcehre, R. Pascanu and S. De (2023),
    Resurrecting recurrent neural networks for long sequences, ICML, sections 3.2 to 3.4.

    L. Feng, F. Tung, M. O. Ahmed, Y. Bengio and H. Hajimirsadeghi (2024), Were RNNs all we
    needed?, arXiv 2410.01201, section 3.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit import RNNRegressor
    >>> X = np.random.default_rng(0).uniform(size=(64, 10, 1))
    >>> y = X[:, 0, 0]  # the first value, to be remembered until the end
    >>> model = RNNRegressor(16, learning_rate_init=0.02, max_iter=60, random_state=0)
    >>> bool(model.fit(X, y).score(X, y) > 0.9)
    True
    """

    def __init__(
        self,
        n_units=64,
        *,
        cell="lstm",
        n_layers=1,
        bidirectional=False,
        activation="tanh",
        reset_after=True,
        n_tokens=None,
        embedding_dim=None,
        standardize=True,
        pooling="auto",
        head="linear",
        start="zeros",
        init="orthogonal",
        spectral_radius=1.1,
        input_scaling=1e-3,
        solver="adam",
        learning_rate_init=1e-2,
        learning_rate="cosine",
        momentum=0.9,
        momentum_schedule="constant",
        nesterovs_momentum=True,
        clip_norm=1.0,
        batch_size="auto",
        shuffle=True,
        alpha=0.0,
        tbptt=None,
        damping=0.1,
        structural_damping=1 / 30,
        max_cg_iter=250,
        max_iter=100,
        tol=1e-4,
        n_iter_no_change=50,
        early_stopping=False,
        validation_fraction=0.1,
        target="auto",
        warm_start=False,
        random_state=None,
        verbose=False,
    ):
        self.n_units = n_units
        self.cell = cell
        self.n_layers = n_layers
        self.bidirectional = bidirectional
        self.activation = activation
        self.reset_after = reset_after
        self.n_tokens = n_tokens
        self.embedding_dim = embedding_dim
        self.standardize = standardize
        self.pooling = pooling
        self.head = head
        self.start = start
        self.init = init
        self.spectral_radius = spectral_radius
        self.input_scaling = input_scaling
        self.solver = solver
        self.learning_rate_init = learning_rate_init
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.momentum_schedule = momentum_schedule
        self.nesterovs_momentum = nesterovs_momentum
        self.clip_norm = clip_norm
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.alpha = alpha
        self.tbptt = tbptt
        self.damping = damping
        self.structural_damping = structural_damping
        self.max_cg_iter = max_cg_iter
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.target = target
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    _loss, _head = "squared", "linear"

    def partial_fit(
        self,
        X: Any,
        y: Any = None,
        *,
        sample_weight: Any = None,
        initial_state: Any = None,
        clamp: Any = None,
    ) -> Self:
        """Train for one epoch, from the current weights and state of the optimiser.

        Parameters
        ----------
        X, y, sample_weight, initial_state, clamp : as in ``fit``

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            As in ``fit``; if the data do not have the form of those of the first call; or with
            `early_stopping`.
        FloatingPointError
            If the loss diverges. The estimator is then as it was before the call.

        Examples
        --------
        >>> import numpy as np
        >>> from esnkit import RNNRegressor
        >>> X = np.random.default_rng(0).uniform(size=(64, 10, 1))
        >>> model = RNNRegressor(8, random_state=0)
        >>> for _ in range(3):
        ...     model = model.partial_fit(X, X[:, 0, 0])
        >>> model.n_iter_
        3
        """
        return self._partial_fit(X, y, FitParams(sample_weight, initial_state, clamp))

    def _row_weights(self, weights: np.ndarray | None, targets: Targets) -> np.ndarray | None:
        return weights

    def _head_bias(self, Y: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
        """Return the weighted mean of the targets, which saves many updates."""
        if weights is None:
            return Y.mean(axis=0)
        weights = weights.reshape(len(Y), -1)
        total = np.broadcast_to(weights, Y.shape).sum(axis=0)
        return np.sum(weights * Y, axis=0) / np.where(total > 0, total, 1.0)

    def _strata(self, batch: SequenceBatch) -> np.ndarray | None:
        return None

    def _score_rows(self, outputs: np.ndarray, batch: SequenceBatch) -> float:
        """Return the mean R^2 of the outputs; minus the mean squared error if R^2 is undefined."""
        Y, weights = batch.Y, batch.weights
        if np.all(column_sizes(Y, weights, centred=True) > 0):
            return float(np.mean(1 - unexplained_shares(outputs, Y, weights)))
        return -float(np.mean(column_sizes(outputs - Y, weights) ** 2))

    def _target_sizes(self, batch: SequenceBatch) -> np.ndarray:
        # Without a head no bias shifts the outputs to the mean of the targets.
        return column_sizes(batch.Y, batch.weights, centred=self._spec.head)

    def _unexplained(self, batch: SequenceBatch) -> np.ndarray:
        with one_blas_thread():
            outputs, _ = evaluate(self._spec, self._theta, batch)
        return unexplained_shares(outputs, batch.Y, batch.weights)

    def _encode_like_fit(self, targets: Targets) -> Targets:
        return targets

    def generate(
        self,
        n_steps: int,
        warmup: Any = None,
        *,
        exog: Any = None,
        initial_state: Any = None,
        return_state: bool = False,
    ) -> Any:
        """Forecast in closed loop: each prediction is the next input.

        Parameters
        ----------
        n_steps : int
            Number of rows to generate.
        warmup : array of shape (n_timesteps, n_features) or None, default=None
            Observed series that drives the network before the loop is closed. The first generated
            row is the prediction after the last row of the series. With None and an
            ``initial_state``, it is the output of that state. With None alone, generation
            continues the training series: the first row follows its last target.
        exog : array of shape (n_steps, n_exog) or None, default=None
            Exogenous inputs, the last ``n_features - n_outputs`` features: ``exog[k]`` beside the
            generated row k.
        initial_state : array or tuple (indices, values), default=None
            State before ``warmup``, as in ``fit``.
        return_state : bool, default=False
            Whether to return the state too. The last generated row has not been an input yet: pass
            it as ``warmup``, with this state as ``initial_state``, to continue.

        Returns
        -------
        y : ndarray of shape (n_steps, n_outputs)
            Generated rows.
        state : ndarray of shape (1, n_state), if ``return_state``
            State before the last generated row.

        Raises
        ------
        ValueError
            If the outputs do not fit the inputs, the network is not causal or was fitted to one
            target per sequence, or an argument is missing or does not fit.
        FloatingPointError
            If the loop diverges.

        Examples
        --------
        >>> import numpy as np
        >>> from esnkit import RNNRegressor
        >>> s = np.sin(np.arange(100) / 4).reshape(-1, 1)
        >>> model = RNNRegressor(8, max_iter=3, random_state=0).fit(s[:-1], s[1:])
        >>> y, state = model.generate(5, warmup=s, return_state=True)
        >>> more = model.generate(3, warmup=y[-1:], initial_state=state)
        >>> bool(np.array_equal(model.generate(8, warmup=s), np.vstack([y, more])))
        True
        """
        n_steps = check_positive_int("n_steps", n_steps)
        check_is_fitted(self, "_theta")
        check_feeds_rows_back(self._spec)
        state = warm_up(self, warmup, initial_state)
        n_exog = self.n_features_in_ - self.n_outputs_
        future = future_rows(exog, n_steps, n_exog, self._theta.dtype, self)
        rows, state = generate_rows(self._spec, self._theta, state, future)
        return (rows, state) if return_state else rows


class RNNClassifier(SequenceClassifierMixin, GradientEstimator):
    """Recurrent neural network for classification of sequences or of their time steps.

    Training minimises the cross-entropy of the softmax of the outputs by backpropagation through
    time.

    Parameters
    ----------
    n_units : int, default=64
        Number of units per layer and direction, an even number with ``cell="lru"``.
    cell : {"lstm", "gru", "rnn", "mingru", "minlstm", "lru"}, default="lstm"
        Recurrent cell: with gates, which keep a state over many time steps, or plain ("rnn"). The
        last three have no recurrent weights: an update is several times as fast, see Notes.
    n_layers : int, default=1
        Number of layers; the hidden states of each are the inputs of the next.
    bidirectional : bool, default=False
        Whether every layer also runs over the sequence in the backward direction. The network is
        then not causal: it cannot forecast, stream or continue from a state.
    activation : {"tanh", "relu"}, default="tanh"
        Activation of ``cell="rnn"``; without effect on the others.
    reset_after : bool, default=True
        Whether the reset gate of ``cell="gru"`` is applied after the recurrent product, as in cuDNN
        and PyTorch, or before it, as in Cho et al. (2014).
    n_tokens : int, "auto" or None, default="auto"
        Number of tokens, if ``X`` is one column of integers from 0 to ``n_tokens - 1`` that stand
        for tokens. "auto" takes one column of an integer dtype as tokens, and determines their
        number, at most 100 000, in `fit`; None takes ``X`` as numbers. A list of integer vectors is
        a list of sequences of tokens.
    embedding_dim : int or None, default=None
        Length of the embedding vector that is learned for each token. None encodes tokens one-hot.
    standardize : bool, default=True
        Whether training takes inputs less their median, divided by their standard deviation. The
        fitted weights contain both, so that they are for inputs as they are. Tokens and columns of
        zeros and ones stay as they are.
    pooling : {"auto", "last", "mean", "max", "attention"}, default="auto"
        For one target per sequence, how the states of its time steps become one vector: the last
        state, the mean, the maximum of every unit (Collobert et al. 2011), or a weighted mean with
        learned weights. "auto" is the mean, with `tbptt` the last state.
    head : "softmax" or None, default="softmax"
        Layer from the states to the outputs, whose softmax is the probabilities. With None, the
        first units of the last layer are the outputs.
    start : {"zeros", "ones", "learned"}, default="zeros"
        State before the first time step. "ones" sets the cell states of an LSTM or LRU to one;
        "learned" makes the state a parameter.
    init : {"orthogonal", "glorot", "identity", "sparse", "chrono"}, default="orthogonal"
        Initialisation of the recurrent weights, see Notes.
    spectral_radius : float, default=1.1
        Spectral radius of the initial recurrent weights with ``init="sparse"``.
    input_scaling : float, default=0.001
        Standard deviation of the initial input weights with ``init="sparse"``.
    solver : {"adam", "sgd", "hessian_free"}, default="adam"
        Optimiser. "hessian_free" makes one update per iteration, on all sequences, in double
        precision. Every row that is added to ``esnkit.optim.OPTIMIZERS`` is a solver too.
    learning_rate_init : float, default=0.01
        Step size of the first updates with ``solver="adam"`` or ``"sgd"``.
    learning_rate : {"constant", "cosine"}, default="cosine"
        Schedule of the step size in ``fit``: constant, or half a cosine wave from
        `learning_rate_init` towards zero after `max_iter` iterations. It is constant in
        ``partial_fit``.
    momentum : float in [0, 1], default=0.9
        Momentum with ``solver="sgd"``.
    momentum_schedule : {"constant", "increasing", "delayed"}, default="constant"
        Schedule of the momentum, see :func:`esnkit.optim.momentum_at`.
    nesterovs_momentum : bool, default=True
        Whether to use Nesterov's momentum with ``solver="sgd"``.
    clip_norm : float or None, default=1.0
        Maximum norm of the gradient of all weights; larger gradients are rescaled to it. None
        disables clipping.
    batch_size : int or "auto", default="auto"
        Number of sequences per mini-batch. "auto" is a twentieth of the sequences, at least 4 and
        at most 16, so that few sequences make several updates per iteration too.
    shuffle : bool, default=True
        Whether to draw new mini-batches in every iteration.
    alpha : float, default=0.0
        Strength of the L2 penalty on the weights; it is divided by the number of targets in a
        mini-batch.
    tbptt : int or None, default=None
        Number of time steps per chunk of truncated backpropagation through time: every chunk makes
        an update, and the state but no gradient crosses its borders. None backpropagates through
        whole sequences.
    damping : float, default=0.1
        Initial damping (lambda) with ``solver="hessian_free"``.
    structural_damping : float, default=1/30
        Weight, relative to the damping, of the structural damping term, which penalises changes of
        the hidden states, with ``solver="hessian_free"``.
    max_cg_iter : int, default=250
        Maximum number of conjugate gradient iterations per update with ``solver="hessian_free"``.
    max_iter : int >= 0, default=100
        Maximum number of iterations (epochs); 0 keeps the initial weights.
    tol : float, default=1e-4
        Minimum improvement of the loss, or of the validation score, that counts as one.
    n_iter_no_change : int, default=50
        Maximum number of consecutive iterations without such an improvement.
    early_stopping : bool, default=False
        Whether to hold out validation data (sequences, or the end of a single one), to stop when
        the score on them no longer improves, and to keep the weights with the best score instead
        of those with the least loss.
    validation_fraction : float in (0, 1), default=0.1
        Proportion of the data to hold out for `early_stopping`.
    target : {"auto", "steps", "sequence"}, default="auto"
        Whether there is a target for every time step or for every sequence; "auto" infers it from
        the shape of ``y``.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, as in scikit-learn.
    warm_start : bool, default=False
        Whether `fit` continues from the weights, and the state of the optimiser, of the last call.
    random_state : int, RandomState instance or None, default=None
        Determines initial weights, mini-batches and validation data.
    verbose : bool, default=False
        Whether to write a line per iteration to the standard output.

    Attributes
    ----------
    classes_ : ndarray
        The class labels, sorted.
    n_outputs_ : int
        Number of outputs, one per class.
    loss_curve_ : list of float
        Mean loss during every iteration.
    grad_norm_curve_ : list of float
        Mean norm of the gradient during every iteration, before clipping.
    validation_scores_ : list of float or None
        Score on the validation data after every iteration, with `early_stopping`.
    best_validation_score_ : float or None
        The best of these scores, which is that of the fitted weights.
    best_loss_ : float
        The least loss.
    n_iter_ : int
        Number of iterations. If it is `max_iter`, the loss may improve with more.
    last_state_ : ndarray of shape (1, n_state)
        State after the last time step of the training data, if these are one sequence and the
        network is causal.
    input_center_, input_scale_ : ndarray of shape (n_features,)
        Median and divisor of every input in the first call of ``fit`` or ``partial_fit``, which the
        weights contain; only with `standardize`, and not for tokens.
    n_features_in_ : int
        Number of features seen in ``fit``.

    Notes
    -----
    The initialisations "orthogonal" and "glorot" draw the recurrent weights of every gate
    separately, the input weights by Glorot's rule, and set the biases
    of the forget gates of an LSTM to 1. "identity" (Le et al. 2015) and "sparse" (Sutskever et al.
    2013) are for ``cell="rnn"``. "chrono" (Tallec & Ollivier 2018) is for cells with gates, whose
    biases it sets for time scales up to the longest sequence.

    Three cells have an elementwise recurrence. With gates z, f and i and values n and v that are
    functions of the inputs x(t) alone, sigmoid(W x + b) and W x + b, and with complex c and l::

        "mingru"    h(t) = z h(t-1) + (1 - z) n
        "minlstm"   h(t) = (f h(t-1) + i n) / (f + i)
        "lru"       c(t) = l c(t-1) + s v,   h(t) = c(t) sigmoid(W x(t) + b + c(t))

    The first two are the minimal GRU and LSTM of Feng et al. (2024), whose z is 1 - z here. The
    third is the linear recurrent unit of Orvieto et al. (2023), with gates in place of the gated
    layer after it: l = exp(-exp(nu) + i exp(theta)) and s = exp(gamma), at first
    sqrt(1 - abs(l)^2). It has n_units / 2 complex states c. Their real parts, then their imaginary
    parts, each with a gate, are the n_units outputs, so that the head or the next layer is the real
    projection Re(C c). Unless ``init="chrono"``, gates and
    eigenvalues start with time scales that are log-uniform from 1 step to the longest sequence, at
    most 1000; so are the periods of the eigenvalues, from 2 steps on. Because these gates do not
    depend on the states, they tell positions in a sequence apart from the second layer on: use two
    or three layers of "mingru" or "minlstm" where an input means different things at different
    times.

    With one label per sequence, the weights of standardised inputs have the initial variance
    ``1 / n_features`` (LeCun et al. 1998). Those of every unit are then multiplied by the ratio of
    the standard deviation of an input in all rows to that within a random sequence, if it is larger
    than 1, so that sequences of small values count beside those of large ones. The ratio is at most
    1e6; with ``alpha`` > 0, and with units that do not saturate (``cell="mingru"``, ``"minlstm"``
    or ``"lru"``, or ``activation="relu"``), at most 100.

    References
    ----------
    S. Hochreiter and J. Schmidhuber (1997), Long short-term memory, Neural Computation 9(8).

    K. Cho et al. (2014), Learning phrase representations using RNN encoder-decoder, EMNLP.

    R. Collobert, J. Weston, L. Bottou, M. Karlen, K. Kavukcuoglu and P. Kuksa (2011), Natural
    language processing (almost) from scratch, JMLR 12, section 3.3.2: the maximum over time.

    I. Sutskever, J. Martens, G. Dahl and G. Hinton (2013), On the importance of initialization
    and momentum in deep learning, ICML.

    Q. V. Le, N. Jaitly and G. E. Hinton (2015), A simple way to initialize recurrent networks of
    rectified linear units, arXiv 1504.00941.

    Y. LeCun, L. Bottou, G. B. Orr and K.-R. Mueller (1998), Efficient BackProp, in Neural Networks:
    Tricks of the Trade, Springer.

    C. Tallec and Y. Ollivier (2018), Can recurrent neural networks warp time?, ICLR.

    A. Orvieto, S. L. Smith, A. Gu, A. Fernando, C. Gulcehre, R. Pascanu and S. De (2023),
    Resurrecting recurrent neural networks for long sequences, ICML, sections 3.2 to 3.4.

    L. Feng, F. Tung, M. O. Ahmed, Y. Bengio and H. Hajimirsadeghi (2024), Were RNNs all we
    needed?, arXiv 2410.01201, section 3.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit import RNNClassifier
    >>> t = np.arange(20)
    >>> slow, fast = (np.sin(t[:, None] / period) for period in (6, 2))
    >>> model = RNNClassifier(8, learning_rate_init=0.05, max_iter=30, random_state=0)
    >>> model.fit([slow, fast], ["slow", "fast"]).predict([slow[2:]])
    array(['slow'], dtype='<U4')
    """

    def __init__(
        self,
        n_units=64,
        *,
        cell="lstm",
        n_layers=1,
        bidirectional=False,
        activation="tanh",
        reset_after=True,
        n_tokens="auto",
        embedding_dim=None,
        standardize=True,
        pooling="auto",
        head="softmax",
        start="zeros",
        init="orthogonal",
        spectral_radius=1.1,
        input_scaling=1e-3,
        solver="adam",
        learning_rate_init=1e-2,
        learning_rate="cosine",
        momentum=0.9,
        momentum_schedule="constant",
        nesterovs_momentum=True,
        clip_norm=1.0,
        batch_size="auto",
        shuffle=True,
        alpha=0.0,
        tbptt=None,
        damping=0.1,
        structural_damping=1 / 30,
        max_cg_iter=250,
        max_iter=100,
        tol=1e-4,
        n_iter_no_change=50,
        early_stopping=False,
        validation_fraction=0.1,
        target="auto",
        class_weight=None,
        warm_start=False,
        random_state=None,
        verbose=False,
    ):
        self.n_units = n_units
        self.cell = cell
        self.n_layers = n_layers
        self.bidirectional = bidirectional
        self.activation = activation
        self.reset_after = reset_after
        self.n_tokens = n_tokens
        self.embedding_dim = embedding_dim
        self.standardize = standardize
        self.pooling = pooling
        self.head = head
        self.start = start
        self.init = init
        self.spectral_radius = spectral_radius
        self.input_scaling = input_scaling
        self.solver = solver
        self.learning_rate_init = learning_rate_init
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.momentum_schedule = momentum_schedule
        self.nesterovs_momentum = nesterovs_momentum
        self.clip_norm = clip_norm
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.alpha = alpha
        self.tbptt = tbptt
        self.damping = damping
        self.structural_damping = structural_damping
        self.max_cg_iter = max_cg_iter
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.target = target
        self.class_weight = class_weight
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    _loss, _head = "softmax", "softmax"

    def partial_fit(
        self,
        X: Any,
        y: Any = None,
        classes: Any = None,
        *,
        sample_weight: Any = None,
        initial_state: Any = None,
        clamp: Any = None,
    ) -> Self:
        """Train for one epoch, from the current weights and state of the optimiser.

        Parameters
        ----------
        X, y, sample_weight, initial_state, clamp : as in ``fit``
        classes : array-like or None, default=None
            All class labels, in the first call; None stands for those in ``y``.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            As in ``fit``; if the data do not have the form of those of the first call; or with
            `early_stopping`.
        FloatingPointError
            If the loss diverges. The estimator is then as it was before the call.

        Examples
        --------
        >>> import numpy as np
        >>> from esnkit import RNNClassifier
        >>> X = np.random.default_rng(0).uniform(-1, 1, (20, 10, 1))
        >>> model = RNNClassifier(8, random_state=0)
        >>> model = model.partial_fit(X[:10], X[:10, 0, 0] > 0, classes=[False, True])
        >>> model.partial_fit(X[10:], X[10:, 0, 0] > 0).n_iter_
        2
        """
        known = known_classes(self, classes, first=not self._is_trained())
        return self._partial_fit(X, y, FitParams(sample_weight, initial_state, clamp), known)

    def _row_weights(self, weights: np.ndarray | None, targets: Targets) -> np.ndarray | None:
        """Return one weight per row: that of its class, if there is one for every class."""
        if weights is not None and weights.ndim == 2:
            return np.sum(weights * targets.values, axis=1)
        return weights

    def _head_bias(self, Y: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
        return np.zeros(Y.shape[1])

    def _strata(self, batch: SequenceBatch) -> np.ndarray | None:
        return None if batch.per_step else batch.Y.argmax(axis=1)

    def _score_rows(self, outputs: np.ndarray, batch: SequenceBatch) -> float:
        """Return the accuracy."""
        y_true, y_pred = batch.Y.argmax(axis=1), outputs.argmax(axis=1)
        return float(accuracy_score(y_true, y_pred, sample_weight=batch.weights))

    def _target_sizes(self, batch: SequenceBatch) -> np.ndarray:
        return np.ones(1)

    def _unexplained(self, batch: SequenceBatch) -> np.ndarray:
        return unexplained_by_classes(self.best_loss_, batch.Y, batch.weights)

    def _encode_like_fit(self, targets: Targets) -> Targets:
        labels = labels_of(targets.values)
        codes = np.searchsorted(self.classes_, labels) % self.classes_.size
        if not np.array_equal(self.classes_[codes], labels):
            raise ValueError(
                f"y contains labels that fit has not seen, expected some of "
                f"{self.classes_.tolist()}"
            )
        return Targets(np.eye(self.classes_.size)[codes], targets.kind, True)

    def predict_proba(
        self, X: Any, *, initial_state: Any = None, clamp: Any = None, steps: Any = None
    ) -> Any:
        """Return the probability of every class; the probabilities of a row sum to 1.

        With ``steps``, a network of one label for every sequence returns the probabilities of
        prefixes of the sequences, for early classification: what it would return for ``x[:t]``, up
        to rounding.

        Parameters
        ----------
        X, initial_state, clamp : as in ``predict``
        steps : None, "all", list of int or list of float, default=None
            After which time steps: None, after the last one; "all", after every one; after the
            given numbers of time steps, such as ``range(10, 101, 10)``; or after shares of every
            sequence in (0, 1], such as ``[0.25, 0.5, 1.0]``, rounded to a number of time steps.
            In ascending order.

        Returns
        -------
        probabilities : like ``predict``, with an axis (n_classes,) at the end
            For steps="all", a row (n_classes,) for every time step, in the container of ``X``; for
            numbers or shares, of shape (n_sequences, n_steps, n_classes).

        Raises
        ------
        ValueError
            If ``steps`` is none of these, or the network has a label for every time step.

        Notes
        -----
        The network runs once over the sequences, with any pooling. With ``bidirectional=True`` it
        runs over every prefix: the time of steps="all" grows with the square of the length.

        Examples
        --------
        >>> import numpy as np
        >>> from esnkit import RNNClassifier
        >>> X = np.random.default_rng(0).uniform(-1, 1, (20, 10, 1))
        >>> model = RNNClassifier(8, max_iter=5, random_state=0).fit(X, X.mean(axis=1)[:, 0] > 0)
        >>> model.predict_proba(X, steps=[0.25, 0.5, 1.0]).shape
        (20, 3, 2)
        """
        if steps is None:
            return super().predict_proba(X, initial_state=initial_state, clamp=clamp)
        check_is_fitted(self, "_theta")
        sequences = pack(self, X, reset=False, dtype=(self._theta.dtype,))
        prefixes = Prefixes.of(sequences, steps, per_step=self._kind == "steps")
        batch = input_batch(self._spec, sequences, self._kind, initial_state, clamp)
        with one_blas_thread():
            outputs = prefix_outputs(self._spec, self._theta, batch, prefixes)
        return prefixes.arrange(self._as_probabilities(outputs))

    def _as_probabilities(self, outputs: np.ndarray) -> np.ndarray:
        return np.exp(log_softmax(outputs))

    def generate(
        self,
        n_steps: int,
        warmup: Any = None,
        *,
        temperature: float = 1.0,
        initial_state: Any = None,
        random_state: Any = None,
        return_state: bool = False,
    ) -> Any:
        """Sample tokens in closed loop, from a network that was fitted to the next token.

        Parameters
        ----------
        n_steps : int
            Number of tokens to sample.
        warmup : array of shape (n_timesteps,) or (n_timesteps, 1), or None, default=None
            Tokens that drive the network before the loop is closed. With None and an
            ``initial_state``, the first token is sampled from the output of that state. With None
            alone, generation continues the training sequence after its last target.
        temperature : float >= 0, default=1.0
            Divisor of the outputs before the softmax. Values below 1 make likely tokens more
            likely; 0 always chooses the most likely token.
        initial_state : array or tuple (indices, values), default=None
            State before ``warmup``, as in ``fit``.
        random_state : int, RandomState instance or None, default=None
            Determines the samples.
        return_state : bool, default=False
            Whether to return the state too. The last token has not been an input yet: pass it as
            ``warmup``, with this state as ``initial_state``, to continue.

        Returns
        -------
        tokens : ndarray of shape (n_steps,)
            Sampled tokens.
        state : ndarray of shape (1, n_state), if ``return_state``
            State before the last token.

        Raises
        ------
        ValueError
            If inputs and labels are not the same tokens, the network is not causal or was fitted
            to one target per sequence, or an argument is missing or out of its range.

        Examples
        --------
        >>> import numpy as np
        >>> from esnkit import RNNClassifier
        >>> tune = np.tile([0, 1, 2, 1], 30)
        >>> model = RNNClassifier(8, cell="gru", learning_rate_init=0.05, random_state=0)
        >>> model = model.fit(tune[:-1, None], tune[1:])
        >>> model.generate(6, warmup=[0, 1, 2, 1, 0, 1], temperature=0)
        array([2, 1, 0, 1, 2, 1])
        """
        n_steps = check_positive_int("n_steps", n_steps)
        temperature = check_number("temperature", temperature, 0)
        rng = check_seed(random_state)
        check_is_fitted(self, "_theta")
        check_feeds_tokens_back(self._spec, self.classes_)
        state = warm_up(self, warmup, initial_state)
        tokens, state = generate_tokens(
            self._spec, self._theta, state, n_steps, self.classes_, temperature, rng
        )
        return (tokens, state) if return_state else tokens
