"""Echo state networks as scikit-learn estimators: presets with flat parameters, and any parts."""

from typing import Any

from sklearn.base import clone

from esnkit.esn._base import ReservoirEstimator
from esnkit.esn._classification import ReservoirClassifierMixin
from esnkit.esn._regression import ReservoirRegressorMixin
from esnkit.readouts._ridge import RidgeReadout
from esnkit.reservoirs._members import seeded_clone
from esnkit.reservoirs._reservoir import Reservoir
from esnkit.utils._validation import check_flag, has_methods

ALPHAS = tuple(10.0**k for k in range(-3, 7))  # of standardised features
POOLING = ("statistics", "ppv", "model_space")
# What parameters that are None stand for.
PER_STEP: dict[str, Any] = {"leak_rate": 1.0, "input_scaling": 0.5, "alpha": 1e-6}
PER_SEQUENCE: dict[str, Any] = {"leak_rate": (0.1, 1.0), "input_scaling": "auto", "alpha": ALPHAS}
WITH_DIFFERENCES: dict[str, Any] = {"leak_rate": (0.3, 1.0), "input_scaling": 0.2}
MANY_SEQUENCES = 1000  # fewer learn better without differences

__all__ = ["ESNClassifier", "ESNRegressor", "ReservoirClassifier", "ReservoirRegressor"]


class ESNRegressor(ReservoirRegressorMixin, ReservoirEstimator):
    """Echo state network for regression and forecasting: a fixed reservoir, a ridge readout.

    Parameters
    ----------
    n_units : int, default=300
        Number of units of the reservoir.
    spectral_radius : float or None, default=0.9
        Modulus of the largest eigenvalue of the recurrent weights; nearer to 1 remembers longer.
    leak_rate : float, array of shape (n_units,), pair (low, high) or None, default=None
        Share of the state that a step replaces, in (0, 1]; a pair draws one rate per unit,
        log-uniform. None: 1.0 for a target at every time step, (0.1, 1.0) for one per sequence.
    input_scaling : float, array of shape (n_features,), "auto" or None, default=None
        Input weights are uniform on (-input_scaling, input_scaling). "auto": 0.5 for inputs of mean
        zero and standard deviation one, to which those of ``fit`` are brought by the weights and
        biases. ``partial_fit`` takes mean and standard deviation from its first call. None:
        0.5 for a target at every time step, "auto" for one per sequence.
    bias_scaling : float, default=0.5
        Biases are uniform on (-bias_scaling, bias_scaling).
    topology : str, matrix or callable, default="diagonals"
        Which units are connected: "diagonals", "random", "dense", "band", "small_world",
        "antisymmetric", "delay_line", "delay_line_feedback", "cycle", "cycle_jumps",
        "double_cycle", "chain_of_rings", "permutation", "orthogonal", "sparse_orthogonal" or
        "eigenvalues", see :class:`Reservoir`. From 4096 units on the diagonals of "diagonals" lie
        in a band of a sixteenth of the units.
    degree : int, default=10
        Connections into each unit, for the topologies that have a degree.
    weights : {"uniform", "normal", "bernoulli"}, default="uniform"
        Distribution of the recurrent weights.
    topology_params : dict or None, default=None
        Further parameters of the topology, such as ``{"jump_size": 3}`` for "cycle_jumps".
    input_weights : {"uniform", "normal", "bernoulli", "informed", "minimal", "chebyshev"}, \
            array of shape (n_units, n_features) or callable, default="uniform"
        Input weights before they are scaled, see :class:`Reservoir`.
    input_density : float in (0, 1], default=1.0
        Share of the input weights that are not zero.
    activation : {"tanh", "identity", "relu", "sigmoid"}, default="tanh"
        Activation of the units.
    update : {"leaky", "es2n", "euler", "residual"}, default="leaky"
        The state equation, see :class:`Reservoir`.
    update_params : dict or None, default=None
        Further parameters of the state equation, such as ``{"skip_weight": 0.8}`` for "residual".
    noise : float, default=0.0
        Standard deviation of noise added to the states in ``fit``.
    alpha : float, list of floats or None, default=None
        Ridge penalty, absolute as in :class:`sklearn.linear_model.Ridge`; for one target per
        sequence, of features divided by their standard deviations. From a list, the penalty with
        the smallest leave-one-out error is used. That is the error of single steps: choose the
        penalty of a closed loop by its forecasts. For data without noise it is tiny (1e-12).
        None: 1e-6 for a target at every time step, the list (1e-3, 1e-2, ..., 1e6) for one per
        sequence, for which ``partial_fit`` needs a number.
    solver : {"auto", "gram", "qr"}, default="auto"
        How the ridge problem is solved, see :class:`RidgeReadout`.
    include_input : bool, default=True
        Whether the inputs of a time step are features of the readout, beside the states. Pooled
        ones are standardised with ``input_scaling="auto"``.
    quadratic : bool, default=False
        Whether the readout reads the squares of the second, fourth, ... state in place of these
        states (Lu et al. 2017). Without biases, states are odd functions of the inputs: squares
        let the readout learn systems that are not, such as flows with a quadratic nonlinearity.
    feedback : bool or "force", default=False
        Whether the output of the previous time step is an input of the reservoir: in ``predict``
        the prediction, in ``fit`` with True the target (teacher forcing), and with "force" the
        prediction too, while the readout learns at every step (FORCE, Sussillo & Abbott 2009). It
        needs a readout with ``partial_fit``, such as :class:`~esnkit.readouts.RLSReadout`; rows of
        weight zero are not learned.
    feedback_scaling : float, default=1.0
        Feedback weights are uniform on (-feedback_scaling, feedback_scaling).
    washout : int, default=0
        Number of time steps at the start of every sequence that are neither taught nor scored,
        because their states depend on the start from zero. In a cross-validation every part
        starts from zero.
    target : {"auto", "steps", "sequence"}, default="auto"
        Whether there is a target for every time step or one for every sequence; "auto" infers it
        from the shape of ``y``.
    pooling : str, ModelSpace, callable or list of these, \
            default=("statistics", "ppv", "model_space")
        For one target per sequence: what its features are, made of those of its time steps after
        the washout. "last" (the last time step), "mean", "std", "min", "max", "mean_abs_change"
        (mean absolute difference of successive time steps), "median", "quantiles" (0.25, 0.5 and
        0.75); "statistics", the first six of these; "ppv", the share of the time steps above each
        of three quantiles of the training states; "pyramid", the means over the whole sequence,
        its halves and its quarters; "model_space", a linear model of the states, see
        :class:`~esnkit.pooling.ModelSpace`; or a function that turns the states
        (n_timesteps, n_features) of a sequence into a vector. A list such as ["mean", "std"] puts
        several side by side, in this order.
    readout : scikit-learn regressor, readout or None, default=None
        Replaces the ridge readout, by a regressor or a :class:`~esnkit.readouts.BaseReadout`.
    random_state : int, RandomState instance or None, default=None
        Determines all random weights.
    verbose : int, default=0
        With 1, progress of long calls and the end of every ``fit`` are written to the standard
        error, or are records of the logger ``esnkit`` if logging shows these.

    Attributes
    ----------
    reservoir_ : Reservoir
        The reservoir with its weights ``W_``, ``W_in_``, ``W_fb_``, ``b_`` and ``leak_rate_``.
    readout_ : estimator
        The fitted readout.
    pooling_ : Pooling
        The pooling, fitted where it has something to fit.
    n_outputs_ : int
        Number of outputs.
    last_state_ : ndarray of shape (1, n_units)
        State at the end of the training series, if there is one series; with ``feedback`` the
        last targets are appended, or with "force" the last outputs.
    n_features_in_ : int
        Number of features seen in ``fit``.

    See Also
    --------
    ReservoirRegressor : Any reservoir, with ``pooling="last"`` and a fixed penalty by default.

    Notes
    -----
    By default, the features of a sequence are 9 (n_units + n_features) + 930 numbers: the six
    "statistics" and three "ppv" of each feature of a time step, and 30 x 31 of the "model_space".

    References
    ----------
    H. Jaeger (2001), The "echo state" approach to analysing and training recurrent neural
    networks, GMD report 148.

    M. Lukoševičius (2012), A practical guide to applying echo state networks.

    Z. Lu et al. (2017), Reservoir observers: model-free inference of unmeasured variables in
    chaotic systems, Chaos 27, 041102.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit import ESNRegressor
    >>> series = np.sin(np.arange(500) / 5).reshape(-1, 1)
    >>> model = ESNRegressor(n_units=50, random_state=0).fit(series[:-1], series[1:])
    >>> model.generate(3).round(3).ravel()
    array([-0.506, -0.325, -0.13 ])
    """

    penalty = "alpha"

    def __init__(
        self,
        n_units=300,
        *,
        spectral_radius=0.9,
        leak_rate=None,
        input_scaling=None,
        bias_scaling=0.5,
        topology="diagonals",
        degree=10,
        weights="uniform",
        topology_params=None,
        input_weights="uniform",
        input_density=1.0,
        activation="tanh",
        update="leaky",
        update_params=None,
        noise=0.0,
        alpha=None,
        solver="auto",
        include_input=True,
        quadratic=False,
        feedback=False,
        feedback_scaling=1.0,
        washout=0,
        target="auto",
        pooling=POOLING,
        readout=None,
        random_state=None,
        verbose=0,
    ):
        self.n_units = n_units
        self.spectral_radius = spectral_radius
        self.leak_rate = leak_rate
        self.input_scaling = input_scaling
        self.bias_scaling = bias_scaling
        self.topology = topology
        self.degree = degree
        self.weights = weights
        self.topology_params = topology_params
        self.input_weights = input_weights
        self.input_density = input_density
        self.activation = activation
        self.update = update
        self.update_params = update_params
        self.noise = noise
        self.alpha = alpha
        self.solver = solver
        self.include_input = include_input
        self.quadratic = quadratic
        self.feedback = feedback
        self.feedback_scaling = feedback_scaling
        self.washout = washout
        self.target = target
        self.pooling = pooling
        self.readout = readout
        self.random_state = random_state
        self.verbose = verbose

    def _make_reservoir_and_readout(self):
        return _reservoir_and_readout(self, PER_SEQUENCE if self._pools else PER_STEP)


class ESNClassifier(ReservoirClassifierMixin, ReservoirEstimator):
    """Echo state network that classifies sequences, or every time step of them.

    Parameters
    ----------
    n_units : int or None, default=None
        Number of units of the reservoir. None: 300 for a label at every time step, 100 for one per
        sequence.
    spectral_radius : float or None, default=0.9
        Modulus of the largest eigenvalue of the recurrent weights; nearer to 1 remembers longer.
    leak_rate : float, array of shape (n_units,), pair (low, high) or None, default=None
        Share of the state that a step replaces, in (0, 1]; a pair draws one rate per unit,
        log-uniform. None: 1.0 for a target at every time step, (0.1, 1.0) for one per sequence.
    input_scaling : float, array of shape (n_features,), "auto" or None, default=None
        Input weights are uniform on (-input_scaling, input_scaling). "auto": 0.5 for inputs of mean
        zero and standard deviation one, to which those of ``fit`` are brought by the weights and
        biases. ``partial_fit`` takes mean and standard deviation from its first call. None:
        0.5 for a target at every time step, "auto" for one per sequence.
    bias_scaling : float, default=0.5
        Biases are uniform on (-bias_scaling, bias_scaling).
    topology : str, matrix or callable, default="diagonals"
        Which units are connected: "diagonals", "random", "dense", "band", "small_world",
        "antisymmetric", "delay_line", "delay_line_feedback", "cycle", "cycle_jumps",
        "double_cycle", "chain_of_rings", "permutation", "orthogonal", "sparse_orthogonal" or
        "eigenvalues", see :class:`Reservoir`. From 4096 units on the diagonals of "diagonals" lie
        in a band of a sixteenth of the units.
    degree : int, default=10
        Connections into each unit, for the topologies that have a degree.
    weights : {"uniform", "normal", "bernoulli"}, default="uniform"
        Distribution of the recurrent weights.
    topology_params : dict or None, default=None
        Further parameters of the topology, such as ``{"jump_size": 3}`` for "cycle_jumps".
    input_weights : {"uniform", "normal", "bernoulli", "informed", "minimal", "chebyshev"}, \
            array of shape (n_units, n_features) or callable, default="uniform"
        Input weights before they are scaled, see :class:`Reservoir`.
    input_density : float in (0, 1], default=1.0
        Share of the input weights that are not zero.
    activation : {"tanh", "identity", "relu", "sigmoid"}, default="tanh"
        Activation of the units.
    update : {"leaky", "es2n", "euler", "residual"}, default="leaky"
        The state equation, see :class:`Reservoir`.
    update_params : dict or None, default=None
        Further parameters of the state equation, such as ``{"skip_weight": 0.8}`` for "residual".
    noise : float, default=0.0
        Standard deviation of noise added to the states in ``fit``.
    alpha : float, list of floats or None, default=None
        Ridge penalty, absolute as in :class:`sklearn.linear_model.Ridge`; for one label per
        sequence, of features divided by their standard deviations. From a list, the penalty with
        the fewest wrong labels of rows left out is used, see ``scoring`` of
        :class:`~esnkit.readouts.RidgeReadout`; then there is no ``partial_fit``. None: 1e-2 for a
        label at every time step, the list (1e-3, 1e-2, ..., 1e6) for one per sequence, for which
        ``partial_fit`` needs a number.
    solver : {"auto", "gram", "qr"}, default="auto"
        How the ridge problem is solved, see :class:`RidgeReadout`.
    include_input : bool, default=True
        Whether the inputs of a time step are features of the readout, beside the states. Pooled
        ones are standardised with ``input_scaling="auto"``.
    quadratic : bool, default=False
        Whether the readout reads the squares of the second, fourth, ... state in place of these
        states (Lu et al. 2017). Without biases, states are odd functions of the inputs: squares
        let the readout learn systems that are not, such as flows with a quadratic nonlinearity.
    differences : bool or None, default=None
        For one label per sequence: whether the differences of successive time steps are inputs
        beside the values, both standardised over the training sequences, like those of a
        :class:`SequenceDifferencer` with ``include_values=True`` and a :class:`SequenceScaler`
        before the network. A `leak_rate` of None then stands for (0.3, 1.0), an `input_scaling`
        of None for 0.2. None: for 1000 training sequences or more, if both of these are None;
        fewer are classified better without. ``partial_fit`` takes the number, mean and standard
        deviation from its first call.
    washout : int, default=0
        Number of time steps at the start of every sequence that are neither taught nor scored,
        because their states depend on the start from zero. In a cross-validation every part
        starts from zero.
    target : {"auto", "steps", "sequence"}, default="auto"
        Whether there is a target for every time step or one for every sequence; "auto" infers it
        from the shape of ``y``.
    pooling : str, ModelSpace, callable or list of these, \
            default=("statistics", "ppv", "model_space")
        For one target per sequence: what its features are, made of those of its time steps after
        the washout. "last" (the last time step), "mean", "std", "min", "max", "mean_abs_change"
        (mean absolute difference of successive time steps), "median", "quantiles" (0.25, 0.5 and
        0.75); "statistics", the first six of these; "ppv", the share of the time steps above each
        of three quantiles of the training states; "pyramid", the means over the whole sequence,
        its halves and its quarters; "model_space", a linear model of the states, see
        :class:`~esnkit.pooling.ModelSpace`; or a function that turns the states
        (n_timesteps, n_features) of a sequence into a vector. A list such as ["mean", "std"] puts
        several side by side, in this order.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, as in scikit-learn.
    readout : scikit-learn classifier or regressor, readout or None, default=None
        Replaces the ridge readout, by a classifier, a regressor on the indicators of the classes,
        or a :class:`~esnkit.readouts.BaseReadout`. Probabilities of a regressor are its predictions
        clipped at zero.
    random_state : int, RandomState instance or None, default=None
        Determines all random weights.
    verbose : int, default=0
        With 1, progress of long calls and the end of every ``fit`` are written to the standard
        error, or are records of the logger ``esnkit`` if logging shows these.

    Attributes
    ----------
    reservoir_ : Reservoir
        The reservoir with its weights ``W_``, ``W_in_``, ``W_fb_``, ``b_`` and ``leak_rate_``.
    readout_ : estimator
        The fitted readout.
    pooling_ : Pooling
        The pooling, fitted where it has something to fit.
    classes_ : ndarray
        The labels, sorted.
    last_state_ : ndarray of shape (1, n_units)
        State at the end of the training series, if there is one series.
    n_features_in_ : int
        Number of features seen in ``fit``.

    See Also
    --------
    ESNEnsembleClassifier : Several networks, more accurate for one label per sequence.
    ReservoirClassifier : Any reservoir, with ``pooling="last"`` and a fixed penalty by default.

    Notes
    -----
    By default, the features of a sequence are 9 (n_units + n_features) + 930 numbers: the six
    "statistics" and three "ppv" of each feature of a time step, and 30 x 31 of the "model_space";
    n_features counts differences too. With these defaults and one label per sequence, the mean
    accuracy on fourteen public sets is 0.940, 0.965 on the seven of them that the defaults were not
    chosen on, for 0.5 s of CPU time a set.

    References
    ----------
    H. Jaeger (2001), The "echo state" approach to analysing and training recurrent neural
    networks, GMD report 148.

    M. Lukoševičius (2012), A practical guide to applying echo state networks.

    Z. Lu et al. (2017), Reservoir observers: model-free inference of unmeasured variables in
    chaotic systems, Chaos 27, 041102.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit import ESNClassifier
    >>> t = np.arange(40)
    >>> X = [np.sin(t[:, None] / period + phase) for period in (6, 2) for phase in (0, 1, 2)]
    >>> model = ESNClassifier(n_units=50, random_state=0).fit(X, ["slow"] * 3 + ["fast"] * 3)
    >>> model.predict([X[0][5:30]])
    array(['slow'], dtype='<U4')
    """

    penalty = "alpha"

    def __init__(
        self,
        n_units=None,
        *,
        spectral_radius=0.9,
        leak_rate=None,
        input_scaling=None,
        bias_scaling=0.5,
        topology="diagonals",
        degree=10,
        weights="uniform",
        topology_params=None,
        input_weights="uniform",
        input_density=1.0,
        activation="tanh",
        update="leaky",
        update_params=None,
        noise=0.0,
        alpha=None,
        solver="auto",
        include_input=True,
        quadratic=False,
        differences=None,
        washout=0,
        target="auto",
        pooling=POOLING,
        class_weight=None,
        readout=None,
        random_state=None,
        verbose=0,
    ):
        self.n_units = n_units
        self.spectral_radius = spectral_radius
        self.leak_rate = leak_rate
        self.input_scaling = input_scaling
        self.bias_scaling = bias_scaling
        self.topology = topology
        self.degree = degree
        self.weights = weights
        self.topology_params = topology_params
        self.input_weights = input_weights
        self.input_density = input_density
        self.activation = activation
        self.update = update
        self.update_params = update_params
        self.noise = noise
        self.alpha = alpha
        self.solver = solver
        self.include_input = include_input
        self.quadratic = quadratic
        self.differences = differences
        self.washout = washout
        self.target = target
        self.pooling = pooling
        self.class_weight = class_weight
        self.readout = readout
        self.random_state = random_state
        self.verbose = verbose

    def _wants_differences(self, n_sequences, per_step):
        wanted = self.differences
        if wanted is None:
            is_default = self.leak_rate is None and self.input_scaling is None
            wanted = is_default and not per_step and n_sequences >= MANY_SEQUENCES
        if not check_flag("differences", wanted):
            return False
        if per_step:
            raise ValueError(
                "differences=True needs one label for every sequence: for labels of time steps, "
                "put SequenceDifferencer(include_values=True) before the network"
            )
        return True

    def _make_reservoir_and_readout(self):
        defaults = PER_STEP | {"n_units": 300, "alpha": 1e-2}
        if self._pools:
            defaults = PER_SEQUENCE | {"n_units": 100}
            if self._settings.differences is not None:
                defaults |= WITH_DIFFERENCES
        return _reservoir_and_readout(self, defaults, scoring="classification")


class ReservoirRegressor(ReservoirRegressorMixin, ReservoirEstimator):
    """Any reservoir with any regressor on its features.

    Parameters
    ----------
    reservoir : reservoir or None, default=None
        A :class:`Reservoir` or any other :class:`~esnkit.reservoirs.BaseReservoir`, cloned in
        ``fit``; None stands for ``Reservoir()``.
    readout : scikit-learn regressor, readout or None, default=None
        Model of the targets on the features of the reservoir, cloned in ``fit``; None stands for
        ``RidgeReadout()``.
    include_input : bool, default=True
        Whether the inputs of a time step are features of the readout, beside the states. Pooled
        ones are standardised with ``input_scaling="auto"``.
    quadratic : bool, default=False
        Whether the readout reads the squares of the second, fourth, ... state in place of these
        states (Lu et al. 2017). Without biases, states are odd functions of the inputs: squares
        let the readout learn systems that are not, such as flows with a quadratic nonlinearity.
    feedback : bool or "force", default=False
        Whether the output of the previous time step is an input of the reservoir: in ``predict``
        the prediction, in ``fit`` with True the target (teacher forcing), and with "force" the
        prediction too, while the readout learns at every step (FORCE, Sussillo & Abbott 2009). It
        needs a readout with ``partial_fit``, such as :class:`~esnkit.readouts.RLSReadout`; rows of
        weight zero are not learned.
    washout : int, default=0
        Number of time steps at the start of every sequence that are neither taught nor scored,
        because their states depend on the start from zero. In a cross-validation every part
        starts from zero.
    target : {"auto", "steps", "sequence"}, default="auto"
        Whether there is a target for every time step or one for every sequence; "auto" infers it
        from the shape of ``y``.
    pooling : str, ModelSpace, callable or list of these, default="last"
        For one target per sequence: what its features are, made of those of its time steps after
        the washout. "last" (the last time step), "mean", "std", "min", "max", "mean_abs_change"
        (mean absolute difference of successive time steps), "median", "quantiles" (0.25, 0.5 and
        0.75); "statistics", the first six of these; "ppv", the share of the time steps above each
        of three quantiles of the training states; "pyramid", the means over the whole sequence,
        its halves and its quarters; "model_space", a linear model of the states, see
        :class:`~esnkit.pooling.ModelSpace`; or a function that turns the states
        (n_timesteps, n_features) of a sequence into a vector. A list such as ["mean", "std"] puts
        several side by side, in this order.
    random_state : int, RandomState instance or None, default=None
        Determines the random weights of a reservoir whose `random_state` is None.
    verbose : int, default=0
        With 1, progress of long calls and the end of every ``fit`` are written to the standard
        error, or are records of the logger ``esnkit`` if logging shows these.

    Attributes
    ----------
    reservoir_ : Reservoir
        The reservoir with its weights ``W_``, ``W_in_``, ``W_fb_``, ``b_`` and ``leak_rate_``.
    readout_ : estimator
        The fitted readout.
    pooling_ : Pooling
        The pooling, fitted where it has something to fit.
    n_outputs_ : int
        Number of outputs.
    last_state_ : ndarray of shape (1, n_units)
        State at the end of the training series, if there is one series; with ``feedback`` the
        last targets are appended, or with "force" the last outputs.
    n_features_in_ : int
        Number of features seen in ``fit``.

    See Also
    --------
    ESNRegressor : For one target per sequence, it pools more than the last time step and chooses
        the penalty, where this class keeps ``pooling="last"`` and 1e-6 unless told otherwise.

    References
    ----------
    H. Jaeger (2001), The "echo state" approach to analysing and training recurrent neural
    networks, GMD report 148.

    M. Lukoševičius (2012), A practical guide to applying echo state networks.

    Z. Lu et al. (2017), Reservoir observers: model-free inference of unmeasured variables in
    chaotic systems, Chaos 27, 041102.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import Ridge
    >>> from esnkit import Reservoir, ReservoirRegressor
    >>> series = np.sin(np.arange(300) / 5).reshape(-1, 1)
    >>> model = ReservoirRegressor(Reservoir(n_units=40, random_state=0), Ridge(1e-6))
    >>> round(model.fit(series[:-1], series[1:]).score(series[:-1], series[1:]), 3)
    1.0
    """

    def __init__(
        self,
        reservoir=None,
        readout=None,
        *,
        include_input=True,
        quadratic=False,
        feedback=False,
        washout=0,
        target="auto",
        pooling="last",
        random_state=None,
        verbose=0,
    ):
        self.reservoir = reservoir
        self.readout = readout
        self.include_input = include_input
        self.quadratic = quadratic
        self.feedback = feedback
        self.washout = washout
        self.target = target
        self.pooling = pooling
        self.random_state = random_state
        self.verbose = verbose

    def _make_reservoir_and_readout(self):
        reservoir = seeded_clone(self.reservoir, self.random_state)
        return reservoir, _ridge_or(self.readout, 1e-6)


class ReservoirClassifier(ReservoirClassifierMixin, ReservoirEstimator):
    """Any reservoir with any classifier, or a regressor on indicators, on its features.

    Parameters
    ----------
    reservoir : reservoir or None, default=None
        A :class:`Reservoir` or any other :class:`~esnkit.reservoirs.BaseReservoir`, cloned in
        ``fit``; None stands for ``Reservoir()``.
    readout : scikit-learn classifier or regressor, readout or None, default=None
        Model of the classes on the features of the reservoir, cloned in ``fit``; None stands for
        ``RidgeReadout(1e-2, scoring="classification")``.
    include_input : bool, default=True
        Whether the inputs of a time step are features of the readout, beside the states. Pooled
        ones are standardised with ``input_scaling="auto"``.
    quadratic : bool, default=False
        Whether the readout reads the squares of the second, fourth, ... state in place of these
        states (Lu et al. 2017). Without biases, states are odd functions of the inputs: squares
        let the readout learn systems that are not, such as flows with a quadratic nonlinearity.
    washout : int, default=0
        Number of time steps at the start of every sequence that are neither taught nor scored,
        because their states depend on the start from zero. In a cross-validation every part
        starts from zero.
    target : {"auto", "steps", "sequence"}, default="auto"
        Whether there is a target for every time step or one for every sequence; "auto" infers it
        from the shape of ``y``.
    pooling : str, ModelSpace, callable or list of these, default="last"
        For one target per sequence: what its features are, made of those of its time steps after
        the washout. "last" (the last time step), "mean", "std", "min", "max", "mean_abs_change"
        (mean absolute difference of successive time steps), "median", "quantiles" (0.25, 0.5 and
        0.75); "statistics", the first six of these; "ppv", the share of the time steps above each
        of three quantiles of the training states; "pyramid", the means over the whole sequence,
        its halves and its quarters; "model_space", a linear model of the states, see
        :class:`~esnkit.pooling.ModelSpace`; or a function that turns the states
        (n_timesteps, n_features) of a sequence into a vector. A list such as ["mean", "std"] puts
        several side by side, in this order.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, as in scikit-learn.
    random_state : int, RandomState instance or None, default=None
        Determines the random weights of a reservoir whose `random_state` is None.
    verbose : int, default=0
        With 1, progress of long calls and the end of every ``fit`` are written to the standard
        error, or are records of the logger ``esnkit`` if logging shows these.

    Attributes
    ----------
    reservoir_ : Reservoir
        The reservoir with its weights ``W_``, ``W_in_``, ``W_fb_``, ``b_`` and ``leak_rate_``.
    readout_ : estimator
        The fitted readout.
    pooling_ : Pooling
        The pooling, fitted where it has something to fit.
    classes_ : ndarray
        The labels, sorted.
    last_state_ : ndarray of shape (1, n_units)
        State at the end of the training series, if there is one series.
    n_features_in_ : int
        Number of features seen in ``fit``.

    See Also
    --------
    ESNClassifier : For one label per sequence, it pools more than the last time step and chooses
        the penalty, where this class keeps ``pooling="last"`` and 1e-2 unless told otherwise.

    References
    ----------
    H. Jaeger (2001), The "echo state" approach to analysing and training recurrent neural
    networks, GMD report 148.

    M. Lukoševičius (2012), A practical guide to applying echo state networks.

    Z. Lu et al. (2017), Reservoir observers: model-free inference of unmeasured variables in
    chaotic systems, Chaos 27, 041102.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from esnkit import Reservoir, ReservoirClassifier
    >>> t = np.arange(40)
    >>> slow, fast = (np.sin(t[:, None] / period) for period in (6, 2))
    >>> model = ReservoirClassifier(Reservoir(n_units=40, random_state=0), LogisticRegression())
    >>> model.fit([slow, fast], ["slow", "fast"]).predict([fast[3:]])
    array(['fast'], dtype='<U4')
    """

    def __init__(
        self,
        reservoir=None,
        readout=None,
        *,
        include_input=True,
        quadratic=False,
        washout=0,
        target="auto",
        pooling="last",
        class_weight=None,
        random_state=None,
        verbose=0,
    ):
        self.reservoir = reservoir
        self.readout = readout
        self.include_input = include_input
        self.quadratic = quadratic
        self.washout = washout
        self.target = target
        self.pooling = pooling
        self.class_weight = class_weight
        self.random_state = random_state
        self.verbose = verbose

    def _make_reservoir_and_readout(self):
        reservoir = seeded_clone(self.reservoir, self.random_state)
        return reservoir, _ridge_or(self.readout, 1e-2, scoring="classification")


RESERVOIR_PARAMS = (
    "n_units", "spectral_radius", "leak_rate", "input_scaling", "bias_scaling", "topology",
    "degree", "weights", "topology_params", "input_weights", "input_density", "activation",
    "update", "update_params", "noise", "random_state",
)  # fmt: skip


def _reservoir_and_readout(estimator: Any, defaults: dict, **readout: Any) -> tuple[Any, Any]:
    """Return the parts that flat parameters describe; ``defaults`` replace those that are None."""
    given = {name: getattr(estimator, name) for name in (*RESERVOIR_PARAMS, "alpha")}
    params = {k: defaults.get(k) if value is None else value for k, value in given.items()}
    alpha = params.pop("alpha")
    if hasattr(estimator, "feedback_scaling"):
        params["feedback_scaling"] = estimator.feedback_scaling
    readout |= {"solver": estimator.solver, "standardize": estimator._pools}
    return Reservoir(**params), _ridge_or(estimator.readout, alpha, **readout)


def _ridge_or(readout: Any, alpha: Any, **params: Any) -> Any:
    """Return a clone of the readout of the user, or a ridge readout."""
    if readout is None:
        return RidgeReadout(alpha, **params)
    if isinstance(readout, type) or not has_methods(readout, "fit", "predict"):
        raise TypeError(
            f"readout must be an estimator with fit and predict, or None, got {readout!r}"
        )
    return clone(readout)
