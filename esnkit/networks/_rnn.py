"""Recurrent networks as scikit-learn estimators: plain, LSTM and GRU, trained by gradients."""

from typing import Any, Self

import numpy as np
from sklearn.metrics import accuracy_score
from sklearn.utils.validation import check_is_fitted

from esnkit.networks._base import FitParams, GradientEstimator
from esnkit.networks._generation import (
    check_can_feed_back,
    generate_rows,
    generate_tokens,
    refuse_tokens_of_others,
    warm_up,
)
from esnkit.networks._losses import log_softmax
from esnkit.networks._minibatches import SequenceBatch
from esnkit.sequences._classifier_mixin import (
    SequenceClassifierMixin,
    known_classes,
    labels_of,
)
from esnkit.sequences._closed_loop import future_rows
from esnkit.sequences._regressor_mixin import SequenceRegressorMixin
from esnkit.sequences._targets import Targets
from esnkit.utils._validation import check_number, check_positive_int, check_seed

__all__ = ["RNNClassifier", "RNNRegressor"]


class RNNRegressor(SequenceRegressorMixin, GradientEstimator):
    """Recurrent network that learns numbers, for every time step or for every sequence.

    The loss is half the mean squared error.

    Parameters
    ----------
    n_units : int, default=64
        Units of every layer, and of every direction.
    cell : {"lstm", "gru", "rnn"}, default="lstm"
        Kind of unit: with gates that let it remember for long, or plain.
    n_layers : int, default=1
        Layers, each hearing the one below.
    bidirectional : bool, default=False
        Whether a second network hears every sequence from its end; not for forecasts.
    activation : {"tanh", "relu"}, default="tanh"
        Activation of ``cell="rnn"``.
    reset_after : bool, default=True
        Whether the reset gate of ``cell="gru"`` acts after the recurrent product, as in cuDNN and
        PyTorch, or before it, as in Cho et al. (2014).
    n_tokens : int, "auto" or None, default=None
        How many tokens ``X``, of one column of integers from 0 on, is made of; None takes all for
        numbers. "auto" takes one column of an integer dtype for tokens, as many as `fit` sees.
    embedding_dim : int or None, default=None
        Length of the vector that is learned for each token, as which X is then taken; None hears
        them one-hot.
    pooling : {"last", "mean", "attention"}, default="last"
        For one target a sequence: read from the last state, from the mean of the states, or from
        a mean whose weights are learned.
    head : "linear" or None, default="linear"
        What reads the states; None teaches the first units of the last layer themselves.
    start : {"zeros", "ones", "learned"}, default="zeros"
        State before the first step; "ones" is for the cells of an LSTM alone.
    init : {"orthogonal", "glorot", "identity", "sparse", "chrono"}, default="orthogonal"
        How the recurrent weights are drawn: see Notes.
    spectral_radius : float, default=1.1
        Of the recurrent weights with ``init="sparse"``.
    input_scaling : float, default=0.001
        Standard deviation of the input weights with ``init="sparse"``.
    solver : {"adam", "sgd", "hessian_free"}, default="adam"
        How the weights follow the gradient; "hessian_free" makes one update an iteration, on all
        sequences, in double precision.
    learning_rate_init : float, default=0.001
        Size of the steps.
    momentum : float in [0, 1], default=0.9
        Of ``solver="sgd"``.
    momentum_schedule : {"constant", "increasing", "delayed"}, default="constant"
        How the momentum comes to its value, see :func:`esnkit.optim.momentum_at`.
    nesterovs_momentum : bool, default=True
        Whether the momentum is Nesterov's.
    clip_norm : float or None, default=1.0
        A gradient whose norm over all weights is larger is scaled down to this norm.
    batch_size : int or "auto", default=32
        Sequences an update; "auto" is ``min(200, n_sequences)``.
    shuffle : bool, default=True
        Whether the batches are drawn anew for every iteration.
    alpha : float, default=0.0
        Strength of the L2 penalty, divided by the number of targets in a batch.
    tbptt : int or None, default=None
        Truncated backpropagation: update after every so many time steps and let no gradient
        further back; the state is carried on.
    damping : float, default=0.1
        Of ``solver="hessian_free"``: the first lambda of Levenberg and Marquardt.
    structural_damping : float, default=1/30
        Of ``solver="hessian_free"``: weight, relative to the damping, of what holds the states.
    max_cg_iter : int, default=250
        Of ``solver="hessian_free"``: most iterations of conjugate gradients in an update.
    max_iter : int >= 0, default=200
        Most iterations, each over all sequences; 0 leaves the weights as they are drawn.
    tol : float, default=1e-4
        An iteration that does not improve the loss (or validation score) by as much is idle.
    n_iter_no_change : int, default=10
        Training stops after more idle iterations in a row.
    early_stopping : bool, default=False
        Whether to hold sequences out (of one series its end), and to keep the weights that score
        best on them instead of those with the least loss.
    validation_fraction : float in (0, 1), default=0.1
        Share that is held out.
    target : {"auto", "steps", "sequence"}, default="auto"
        Whether a target belongs to a time step or to a sequence; "auto" tells from the shape.
    warm_start : bool, default=False
        Whether `fit` goes on where the last one stopped, optimiser and all.
    random_state : int, RandomState instance or None, default=None
        Determines weights and batches.
    verbose : bool, default=False
        Whether to write a line an iteration.

    Attributes
    ----------
    n_outputs_ : int
        Number of outputs.
    loss_curve_ : list of float
        Loss of every iteration.
    grad_norm_curve_ : list of float
        Mean norm of the gradient in every iteration, before clipping.
    validation_scores_ : list of float or None
        Score on what is held out after every iteration, with `early_stopping`.
    best_validation_score_ : float or None
        The best of these scores, which the weights that are kept have.
    best_loss_ : float
        The least loss.
    n_iter_ : int
        Number of iterations; where it has come to `max_iter` the loss may yet improve.
    last_state_ : ndarray of shape (1, n_state)
        State at the end of the training series, where there was one.
    n_features_in_ : int
        Number of features seen in ``fit``.

    Notes
    -----
    "orthogonal" and "glorot" say how each gate's recurrent weights are drawn, with Glorot's input
    weights, and forget gates that are open (bias 1); "identity" (Le et al. 2015) and "sparse"
    (Sutskever et al. 2013) are made for ``cell="rnn"``; "chrono" (Tallec & Ollivier 2018) sets the
    gates of the others for memories up to the longest sequence.

    Nothing is scaled inside: give inputs and targets a deviation of about one (``StandardScaler``,
    ``TransformedTargetRegressor``), or training may stop early at the mean of the targets.

    References
    ----------
    S. Hochreiter and J. Schmidhuber (1997), Long short-term memory, Neural Computation 9(8).

    K. Cho et al. (2014), Learning phrase representations using RNN encoder-decoder, EMNLP.

    I. Sutskever, J. Martens, G. Dahl and G. Hinton (2013), On the importance of initialization
    and momentum in deep learning, ICML.

    Q. V. Le, N. Jaitly and G. E. Hinton (2015), A simple way to initialize recurrent networks of
    rectified linear units, arXiv 1504.00941.

    C. Tallec and Y. Ollivier (2018), Can recurrent neural networks warp time?, ICLR.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit import RNNRegressor
    >>> X = np.random.default_rng(0).uniform(size=(64, 10, 1))
    >>> y = X[:, 0, 0]  # what came first, to be told at the end
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
        pooling="last",
        head="linear",
        start="zeros",
        init="orthogonal",
        spectral_radius=1.1,
        input_scaling=1e-3,
        solver="adam",
        learning_rate_init=1e-3,
        momentum=0.9,
        momentum_schedule="constant",
        nesterovs_momentum=True,
        clip_norm=1.0,
        batch_size=32,
        shuffle=True,
        alpha=0.0,
        tbptt=None,
        damping=0.1,
        structural_damping=1 / 30,
        max_cg_iter=250,
        max_iter=200,
        tol=1e-4,
        n_iter_no_change=10,
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
        self.pooling = pooling
        self.head = head
        self.start = start
        self.init = init
        self.spectral_radius = spectral_radius
        self.input_scaling = input_scaling
        self.solver = solver
        self.learning_rate_init = learning_rate_init
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

    _loss = "squared"

    def partial_fit(
        self,
        X: Any,
        y: Any = None,
        *,
        sample_weight: Any = None,
        initial_state: Any = None,
        clamp: Any = None,
    ) -> Self:
        """Go once through sequences, from where training stopped.

        Parameters
        ----------
        X, y, sample_weight, initial_state, clamp : as in ``fit``

        Returns
        -------
        self

        Raises
        ------
        ValueError
            As ``fit``, if the data are not like those of the first call, or with `early_stopping`.
        FloatingPointError
            If the loss diverges; the model then stays as it was.

        Examples
        --------
        >>> import numpy as np
        >>> from esnkit import RNNRegressor
        >>> X = np.random.default_rng(0).uniform(size=(64, 10, 1))
        >>> model = RNNRegressor(8, random_state=0)
        >>> for turn in range(3):
        ...     model = model.partial_fit(X, X[:, 0, 0])
        >>> model.n_iter_
        3
        """
        return self._partial_fit(X, y, FitParams(sample_weight, initial_state, clamp))

    def _score_rows(self, outputs: np.ndarray, data: SequenceBatch) -> float:
        """Return the mean over the outputs of R^2, or where it is undefined minus the error."""
        weights = np.ones((len(data.Y), 1)) if data.weights is None else data.weights
        weights = np.broadcast_to(weights.reshape(len(data.Y), -1), data.Y.shape)
        total = np.maximum(weights.sum(axis=0), np.finfo(np.float64).tiny)
        mean = np.sum(weights * data.Y, axis=0) / total
        error = np.sum(weights * (outputs - data.Y) ** 2, axis=0)
        spread = np.sum(weights * (data.Y - mean) ** 2, axis=0)
        if np.any(spread == 0):
            return -float(np.mean(error / total))
        return float(np.mean(1 - error / spread))

    def generate(
        self,
        n_steps: int,
        warmup: Any = None,
        *,
        exog: Any = None,
        initial_state: Any = None,
        return_state: bool = False,
    ) -> Any:
        """Forecast in closed loop: the outputs become the next inputs.

        Parameters
        ----------
        n_steps : int
            Number of rows to generate.
        warmup : array of shape (n_timesteps, n_features) or None, default=None
            Series that is heard with its true values before the loop closes; the first generated
            row is the prediction after its last row. One row and an ``initial_state`` make a
            sequence out of a vector. None and an ``initial_state``: the first row is what the
            network says of that state, before it hears anything. None alone goes on from the
            series that the model was fitted to: the first row follows its last target.
        exog : array of shape (n_steps, n_exog) or None, default=None
            Inputs that are not outputs: the last ``n_features - n_outputs`` features, ``exog[k]``
            beside the generated row k.
        initial_state : array or tuple (indices, values), default=None
            State before ``warmup``, as in ``fit``.
        return_state : bool, default=False
            Whether to return the state too. It has heard all rows but the last generated one,
            which is the ``warmup`` to go on with.

        Returns
        -------
        y : ndarray of shape (n_steps, n_outputs)
        state : ndarray of shape (1, n_state), if ``return_state``

        Raises
        ------
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
        check_can_feed_back(self)
        state = warm_up(self, warmup, initial_state)
        n_exog = self.n_features_in_ - self.n_outputs_
        future = future_rows(exog, n_steps, n_exog, self._theta.dtype)
        rows, state = generate_rows(self._spec, self._theta, state, future)
        return (rows, state) if return_state else rows


class RNNClassifier(SequenceClassifierMixin, GradientEstimator):
    """Recurrent network that labels sequences, or every time step of them.

    The loss is the cross-entropy of the softmax of the outputs.

    Parameters
    ----------
    n_units : int, default=64
        Units of every layer, and of every direction.
    cell : {"lstm", "gru", "rnn"}, default="lstm"
        Kind of unit: with gates that let it remember for long, or plain.
    n_layers : int, default=1
        Layers, each hearing the one below.
    bidirectional : bool, default=False
        Whether a second network hears every sequence from its end; not for forecasts.
    activation : {"tanh", "relu"}, default="tanh"
        Activation of ``cell="rnn"``.
    reset_after : bool, default=True
        Whether the reset gate of ``cell="gru"`` acts after the recurrent product, as in cuDNN and
        PyTorch, or before it, as in Cho et al. (2014).
    n_tokens : int, "auto" or None, default="auto"
        How many tokens ``X``, of one column of integers from 0 on, is made of. "auto" takes one
        column of an integer dtype for tokens, as many as `fit` sees, at most 100 000; None takes
        all for numbers. A list of integer vectors is then one of sequences of tokens.
    embedding_dim : int or None, default=None
        Length of the vector that is learned for each token; None hears them one-hot.
    pooling : {"last", "mean", "attention"}, default="last"
        For one target a sequence: read from the last state, from the mean of the states, or from
        a mean whose weights are learned.
    head : "softmax" or None, default="softmax"
        What reads the states; None teaches the first units of the last layer themselves.
    start : {"zeros", "ones", "learned"}, default="zeros"
        State before the first step; "ones" is for the cells of an LSTM alone.
    init : {"orthogonal", "glorot", "identity", "sparse", "chrono"}, default="orthogonal"
        How the recurrent weights are drawn: see Notes.
    spectral_radius : float, default=1.1
        Of the recurrent weights with ``init="sparse"``.
    input_scaling : float, default=0.001
        Standard deviation of the input weights with ``init="sparse"``.
    solver : {"adam", "sgd", "hessian_free"}, default="adam"
        How the weights follow the gradient; "hessian_free" makes one update an iteration, on all
        sequences, in double precision.
    learning_rate_init : float, default=0.001
        Size of the steps.
    momentum : float in [0, 1], default=0.9
        Of ``solver="sgd"``.
    momentum_schedule : {"constant", "increasing", "delayed"}, default="constant"
        How the momentum comes to its value, see :func:`esnkit.optim.momentum_at`.
    nesterovs_momentum : bool, default=True
        Whether the momentum is Nesterov's.
    clip_norm : float or None, default=1.0
        A gradient whose norm over all weights is larger is scaled down to this norm.
    batch_size : int or "auto", default=32
        Sequences an update; "auto" is ``min(200, n_sequences)``.
    shuffle : bool, default=True
        Whether the batches are drawn anew for every iteration.
    alpha : float, default=0.0
        Strength of the L2 penalty, divided by the number of targets in a batch.
    tbptt : int or None, default=None
        Truncated backpropagation: update after every so many time steps and let no gradient
        further back; the state is carried on.
    damping : float, default=0.1
        Of ``solver="hessian_free"``: the first lambda of Levenberg and Marquardt.
    structural_damping : float, default=1/30
        Of ``solver="hessian_free"``: weight, relative to the damping, of what holds the states.
    max_cg_iter : int, default=250
        Of ``solver="hessian_free"``: most iterations of conjugate gradients in an update.
    max_iter : int >= 0, default=200
        Most iterations, each over all sequences; 0 leaves the weights as they are drawn.
    tol : float, default=1e-4
        An iteration that does not improve the loss (or validation score) by as much is idle.
    n_iter_no_change : int, default=10
        Training stops after more idle iterations in a row.
    early_stopping : bool, default=False
        Whether to hold sequences out (of one series its end), and to keep the weights that score
        best on them instead of those with the least loss.
    validation_fraction : float in (0, 1), default=0.1
        Share that is held out.
    target : {"auto", "steps", "sequence"}, default="auto"
        Whether a target belongs to a time step or to a sequence; "auto" tells from the shape.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, as in scikit-learn.
    warm_start : bool, default=False
        Whether `fit` goes on where the last one stopped, optimiser and all.
    random_state : int, RandomState instance or None, default=None
        Determines weights and batches.
    verbose : bool, default=False
        Whether to write a line an iteration.

    Attributes
    ----------
    classes_ : ndarray
        The labels, sorted.
    n_outputs_ : int
        Number of outputs, one a class.
    loss_curve_ : list of float
        Loss of every iteration.
    grad_norm_curve_ : list of float
        Mean norm of the gradient in every iteration, before clipping.
    validation_scores_ : list of float or None
        Score on what is held out after every iteration, with `early_stopping`.
    best_validation_score_ : float or None
        The best of these scores, which the weights that are kept have.
    best_loss_ : float
        The least loss.
    n_iter_ : int
        Number of iterations; where it has come to `max_iter` the loss may yet improve.
    last_state_ : ndarray of shape (1, n_state)
        State at the end of the training series, where there was one.
    n_features_in_ : int
        Number of features seen in ``fit``.

    Notes
    -----
    "orthogonal" and "glorot" say how each gate's recurrent weights are drawn, with Glorot's input
    weights, and forget gates that are open (bias 1); "identity" (Le et al. 2015) and "sparse"
    (Sutskever et al. 2013) are made for ``cell="rnn"``; "chrono" (Tallec & Ollivier 2018) sets the
    gates of the others for memories up to the longest sequence.

    Nothing is scaled inside: give inputs a deviation of about one (``StandardScaler``).

    References
    ----------
    S. Hochreiter and J. Schmidhuber (1997), Long short-term memory, Neural Computation 9(8).

    K. Cho et al. (2014), Learning phrase representations using RNN encoder-decoder, EMNLP.

    I. Sutskever, J. Martens, G. Dahl and G. Hinton (2013), On the importance of initialization
    and momentum in deep learning, ICML.

    Q. V. Le, N. Jaitly and G. E. Hinton (2015), A simple way to initialize recurrent networks of
    rectified linear units, arXiv 1504.00941.

    C. Tallec and Y. Ollivier (2018), Can recurrent neural networks warp time?, ICLR.

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
        pooling="last",
        head="softmax",
        start="zeros",
        init="orthogonal",
        spectral_radius=1.1,
        input_scaling=1e-3,
        solver="adam",
        learning_rate_init=1e-3,
        momentum=0.9,
        momentum_schedule="constant",
        nesterovs_momentum=True,
        clip_norm=1.0,
        batch_size=32,
        shuffle=True,
        alpha=0.0,
        tbptt=None,
        damping=0.1,
        structural_damping=1 / 30,
        max_cg_iter=250,
        max_iter=200,
        tol=1e-4,
        n_iter_no_change=10,
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
        self.pooling = pooling
        self.head = head
        self.start = start
        self.init = init
        self.spectral_radius = spectral_radius
        self.input_scaling = input_scaling
        self.solver = solver
        self.learning_rate_init = learning_rate_init
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

    _loss = "softmax"

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
        """Go once through sequences, from where training stopped.

        Parameters
        ----------
        X, y, sample_weight, initial_state, clamp : as in ``fit``
        classes : array-like or None, default=None
            All labels, in the first call; None takes those in ``y``.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            As ``fit``, if the data are not like those of the first call, or with `early_stopping`.
        FloatingPointError
            If the loss diverges; the model then stays as it was.

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

    def _known(self, truth: Targets) -> Targets:
        labels = labels_of(truth.values)
        codes = np.searchsorted(self.classes_, labels) % self.classes_.size
        if not np.array_equal(self.classes_[codes], labels):
            raise ValueError(f"y holds labels unseen in fit, expected {self.classes_.tolist()}")
        return Targets(np.eye(self.classes_.size)[codes], truth.kind, True)

    def _as_probabilities(self, outputs: np.ndarray) -> np.ndarray:
        return np.exp(log_softmax(outputs))

    def _score_rows(self, outputs: np.ndarray, data: SequenceBatch) -> float:
        right, wanted = outputs.argmax(axis=1), data.Y.argmax(axis=1)
        return float(accuracy_score(wanted, right, sample_weight=data.weights))

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
        """Draw a sequence of tokens from a network that was taught the next token.

        Parameters
        ----------
        n_steps : int
            Number of tokens to draw.
        warmup : array of shape (n_timesteps,) or (n_timesteps, 1), or None, default=None
            Tokens that are heard first; None and an ``initial_state``: the first token is what the
            network says of that state; None alone goes on after the last target of the sequence
            that the model was fitted to, if that was one.
        temperature : float >= 0, default=1.0
            The outputs are divided by it before the softmax: below 1 the likely becomes likelier;
            0 always takes the likeliest.
        initial_state : array or tuple (indices, values), default=None
            State before ``warmup``, as in ``fit``.
        random_state : int, RandomState instance or None, default=None
            Determines what is drawn.
        return_state : bool, default=False
            Whether to return the state too, which has heard all tokens but the last.

        Returns
        -------
        tokens : ndarray of shape (n_steps,)
        state : ndarray of shape (1, n_state), if ``return_state``

        Raises
        ------
        ValueError
            If the network does not hear the tokens that it is taught, or an argument is out of
            its range.

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
        refuse_tokens_of_others(self)
        state = warm_up(self, warmup, initial_state)
        codes, state = generate_tokens(
            self._spec, self._theta, state, n_steps, self.classes_, temperature, rng
        )
        return (codes, state) if return_state else codes
