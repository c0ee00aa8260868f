"""The leaky-integrator reservoir: a fixed random recurrent network."""

import operator
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import scipy.sparse as sp

from esnkit.kernels.activations import CODES
from esnkit.kernels.layouts import Forcing
from esnkit.kernels.reservoir import InputSequences, LinearReadout, LoopInputs
from esnkit.reservoirs._base import BaseReservoir
from esnkit.reservoirs._compiled import Network
from esnkit.reservoirs._state_equation import StateEquation
from esnkit.reservoirs._updates import UPDATES, update_params_of
from esnkit.reservoirs.input_weights import make_input_weights
from esnkit.reservoirs.spectral import rescale, scale_by
from esnkit.reservoirs.topologies import as_csr, make_topology, radius_by_formula
from esnkit.sequences._initial_state import Clamp, no_clamp
from esnkit.sequences._packing import Sequences
from esnkit.utils._moments import column_moments
from esnkit.utils._read_only import ReadOnlyWeights, read_only
from esnkit.utils._validation import (
    check_choice,
    check_number,
    check_positive_int,
    check_seed,
    finite_array,
    refuse_masked,
)

__all__ = ["Reservoir"]

AUTO_SCALING = 0.5  # of standardised inputs
DENSE_WEIGHTS = ("W_in_", "W_fb_", "b_", "leak_rate_")
REDRAWS = 50  # of two units, one matrix in four is nilpotent
UNBOUNDED = ("identity", "relu")


class Reservoir(BaseReservoir):
    """Leaky-integrator reservoir: sequences in, states of the units out; nothing is trained.

    ::

        pre(t) = W_in u(t) + W x(t-1) + W_fb y(t-1) + b
        x(t)   = (1 - a) x(t-1) + a f(pre(t))

    Parameters
    ----------
    n_units : int, default=100
        Number of units. More units remember more and cost more.
    spectral_radius : float or None, default=0.9
        Modulus of the largest eigenvalue of the recurrent weights, which are scaled to it with a
        relative error of 1e-6 or better. Nearer to 1 means longer memory. None leaves the weights
        as they are drawn or given.
    leak_rate : float, array of shape (n_units,) or pair (low, high), default=1.0
        Share ``a`` of the state that a step replaces, in (0, 1]; small values make slow units. A
        pair, as a tuple or a list, draws one rate per unit, log-uniform between the two. (For two
        units a list of two holds their rates.)
    input_scaling : float, array of shape (n_features,) or "auto", default=0.5
        Input weights are uniform on (-input_scaling, input_scaling), per feature, unless
        `input_weights` says otherwise. "auto": 0.5 for
        inputs of mean zero and standard deviation one. Weights and biases take up the mean and the
        standard deviation of the rows of ``fit`` (of the first chunk of a stream; one for a
        constant feature), so that inputs of any unit serve as they are.
    feedback_scaling : float, default=1.0
        Feedback weights are uniform on (-feedback_scaling, feedback_scaling). They exist only in
        an estimator with ``feedback=True``.
    bias_scaling : float, default=0.5
        The bias of each unit is uniform on (-bias_scaling, bias_scaling). Without bias a tanh
        reservoir is an odd function of its input, and closed loops often fail.
    topology : str, matrix or callable, default="diagonals"
        Which units are connected, a key of the table ``esnkit.reservoirs.TOPOLOGIES``: see the
        notes below. Or a dense or sparse matrix (n_units, n_units), or a callable
        ``(n_units, rng, **topology_params) -> matrix``.
    degree : int, default=10
        Connections into each unit, for "diagonals", "random", "band", "small_world",
        "antisymmetric" and "sparse_orthogonal".
    weights : {"uniform", "normal", "bernoulli"}, default="uniform"
        Distribution of the recurrent weights before they are scaled, for the first six topologies.
    topology_params : dict or None, default=None
        Further parameters of the topology, such as ``{"jump_size": 3}`` for "cycle_jumps".
    input_weights : {"uniform", "normal", "bernoulli", "informed", "minimal", "chebyshev"}, \
            array of shape (n_units, n_features) or callable, default="uniform"
        Input weights before they are multiplied by `input_scaling`: uniform on (-1, 1), standard
        normal, or -1 and +1 at random. "informed": each unit receives one input, with a uniform
        weight (Lu et al. 2017). "minimal": weights of -1 and +1 by the digits of pi (Rodan & Tiňo
        2011). "chebyshev": orbits of a Chebyshev polynomial. Or the matrix itself, or a callable
        ``(n_units, n_features, rng) -> matrix``.
    input_density : float in (0, 1], default=1.0
        Share of the input weights that are not zero.
    activation : {"tanh", "identity", "relu", "sigmoid"}, default="tanh"
        The function ``f``.
    update : {"leaky", "es2n", "euler", "residual"}, default="leaky"
        The state equation, a key of the table ``esnkit.reservoirs.UPDATES``: see the notes below.
    update_params : dict or None, default=None
        Further parameters of the state equation, such as ``{"skip_weight": 0.8}`` for "residual".
    noise : float, default=0.0
        Standard deviation of Gaussian noise that ``fit_transform`` and the training of a readout
        add to the states, as a regularisation of closed loops; ``transform`` adds none.
    random_state : int, RandomState instance or None, default=None
        Seeds independent streams of recurrent weights, input weights, biases, leak rates and
        noise: another number of features leaves the recurrent weights as they are.

    Attributes
    ----------
    W_ : csr_array of shape (n_units, n_units)
        Recurrent weights, scaled.
    W_in_ : ndarray of shape (n_units, n_inputs)
        Input weights.
    W_fb_ : ndarray of shape (n_units, n_feedback)
        Weights of the outputs that are fed back; no columns without feedback.
    b_ : ndarray of shape (n_units,)
        Biases.
    leak_rate_ : ndarray of shape (n_units,)
        Leak rate of each unit.
    input_mean_, input_scale_ : ndarray of shape (n_inputs,)
        Mean and divisor of every input, which `W_in_` and `b_` contain; only with
        ``input_scaling="auto"``.
    n_state_, n_features_out_ : int
        Both are the number of units: a feature row is the state.
    n_features_in_ : int
        Number of features seen in ``fit`` (and outputs fed back).
    feature_names_in_ : ndarray of str
        Their names, where ``fit`` was given any.

    Notes
    -----
    The topologies, with the keys of `topology_params` and their defaults:

    - "diagonals": `degree` cyclic diagonals at random positions with random weights, as accurate as
      unstructured weights and several times faster. From 4096 units on W is banded: all diagonals
      lie within a sixteenth of the units, so that threads can share a step.
    - "random": `degree` connections into each unit, from any units. "dense": from all units.
    - "band": the `degree` diagonals around the main one.
    - "small_world": `degree` connections from the nearest units on a ring, each of which comes from
      a random unit instead with probability ``rewiring`` (0.1; Watts & Strogatz 1998).
    - "antisymmetric": W = S - S^T of `degree` diagonals; all eigenvalues are imaginary.
    - "delay_line": a chain of equal weights. All its eigenvalues are zero; `spectral_radius` is its
      weight. "delay_line_feedback": each unit also receives the next one, with ``backward_weight``
      (0.25) times the weight of the chain (Rodan & Tiňo 2011).
    - "cycle": a ring of equal weights (Rodan & Tiňo 2011). "cycle_jumps": a cycle with connections
      in both directions between every ``jump_size``-th unit (5), of ``jump_weight`` (0.5) times
      the weight of the cycle (Rodan & Tiňo 2012). "double_cycle": a cycle in each direction, the
      second with ``backward_weight`` (0.5). "chain_of_rings": cycles of ``ring_size`` units (10),
      each of which feeds the next one with ``coupling`` (1.0).
    - "permutation": each unit receives one random unit and feeds one. "orthogonal": a random
      orthogonal matrix, which is dense. "sparse_orthogonal": a permutation times rotations of
      random pairs of units, with at most `degree` connections into each unit. All their eigenvalues
      have the modulus `spectral_radius`.
    - "eigenvalues": a block-diagonal matrix with given ``eigenvalues`` (n_units numbers, complex
      ones in conjugate pairs), scaled to `spectral_radius` unless that is None; without them
      conjugate pairs of one modulus and random phases.

    The state equations, with the leak rate a and the keys of `update_params` and their defaults:

    - "leaky": the equations above.
    - "es2n": x(t) = (1 - a) O x(t-1) + a f(pre(t)), where O is the cycle of all units: linear units
      that keep what they receive beside nonlinear ones; a is called the proximity (Ceni &
      Gallicchio 2024).
    - "euler": x(t) = x(t-1) + a f(pre(t)), where pre(t) has W - ``diffusion`` I (0.01) in place of
      W, for ``topology="antisymmetric"``; a is the step size (Gallicchio 2024).
    - "residual": x(t) = ``skip_weight`` O x(t-1) + a f(pre(t)), with a weight in [0, 1] (0.9),
      where O is the cycle or, with ``skip="identity"``, the identity (Ceni & Gallicchio 2025).

    The arrays of weights are read-only. To change weights, assign other ones, which every later
    call uses: ``reservoir.W_in_ = 2 * reservoir.W_in_``.

    References
    ----------
    H. Jaeger, M. Lukoševičius, D. Popovici and U. Siewert (2007), Optimization and applications
    of echo state networks with leaky-integrator neurons, Neural Networks 20.

    M. Lukoševičius (2012), A practical guide to applying echo state networks, eqs. 2-3.

    A. Rodan and P. Tiňo (2011), Minimum complexity echo state network, IEEE Transactions on Neural
    Networks 22; (2012), Simple deterministically constructed cycle reservoirs with regular jumps,
    Neural Computation 24.

    D. J. Watts and S. H. Strogatz (1998), Collective dynamics of "small-world" networks, Nature
    393.

    Z. Lu et al. (2017), Reservoir observers, Chaos 27.

    A. Ceni and C. Gallicchio (2024), Edge of stability echo state network, IEEE Transactions on
    Neural Networks and Learning Systems, eq. 5; (2025), Residual reservoir memory networks, IJCNN.

    C. Gallicchio (2024), Euler state networks, Neurocomputing 579, eq. 8.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit import Reservoir
    >>> X = np.sin(np.arange(200) / 5).reshape(-1, 1)
    >>> Reservoir(n_units=50, random_state=0).fit_transform(X).shape
    (200, 50)
    """

    allows_clamp: ClassVar[bool] = True
    state_is_features: ClassVar[bool] = True

    def __init__(
        self,
        n_units=100,
        *,
        spectral_radius=0.9,
        leak_rate=1.0,
        input_scaling=0.5,
        feedback_scaling=1.0,
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
        random_state=None,
    ):
        self.n_units = n_units
        self.spectral_radius = spectral_radius
        self.leak_rate = leak_rate
        self.input_scaling = input_scaling
        self.feedback_scaling = feedback_scaling
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
        self.random_state = random_state

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.non_deterministic = self.noise != 0  # `fit_transform` adds noise, `transform` none
        return tags

    def draw(self, n_inputs: int, n_feedback: int = 0, dtype: Any = np.float64) -> Self:
        """Draw all weights.

        Parameters
        ----------
        n_inputs : int
            Number of inputs.
        n_feedback : int, default=0
            Number of outputs that are fed back; their columns come before the inputs.
        dtype : dtype, default=float64
            float64 or float32.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a parameter is out of its range.
        """
        n_units = check_positive_int("n_units", self.n_units)
        check_choice("activation", self.activation, CODES)
        update_params = update_params_of(self.update, self.update_params)
        noise = check_number("noise", self.noise, 0.0, float(np.finfo(dtype).max) / 100)
        streams = self._streams()
        self.W_ = self._draw_recurrent(n_units, streams.W)
        source = "topology" if self.spectral_radius is None else "spectral_radius"
        self.W_.data = finite_array(source, self.W_.data, dtype)
        self.W_fb_, self.W_in_ = self._draw_input(n_inputs, n_feedback, streams.W_in, dtype)
        bias_scaling = check_number("bias_scaling", self.bias_scaling, 0.0)
        # Zero is added to turn -0 into 0, which no layout of W treats differently from another.
        bias = bias_scaling * streams.b.uniform(-1.0, 1.0, n_units) + 0.0
        self.b_ = finite_array("bias_scaling", bias, dtype)
        self.leak_rate_ = self._draw_leak(n_units, streams.leak).astype(dtype)
        if not self.leak_rate_.all():
            raise ValueError(f"leak_rate must be > 0 in {np.dtype(dtype)}, got {self.leak_rate!r}")
        self.n_state_ = self.n_features_out_ = n_units
        self._noise = noise
        self._noise_seed = streams.noise.entropy, streams.noise.spawn_key
        self._activation, self._update = self.activation, (self.update, update_params)
        for name in ("input_mean_", "input_scale_"):
            self.__dict__.pop(name, None)
        self._compile()
        return self

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
            Inputs whose mean and standard deviation ``input_scaling="auto"`` takes; None stands for
            mean zero and standard deviation one.

        Returns
        -------
        self
        """
        super().prepare(n_inputs, n_feedback, dtype)
        if is_auto(self.input_scaling) and inputs is not None:
            self._standardise(inputs)
        return self

    @property
    def reads_inputs(self) -> bool:
        """Whether weights depend on the inputs of ``prepare``, not only on their number."""
        return is_auto(self.input_scaling)

    def _standardise(self, inputs: np.ndarray) -> None:
        """Let the weights and biases bring inputs to mean zero and standard deviation one."""
        mean, deviation = column_moments(inputs)
        scale = np.where(deviation > 0, deviation, 1.0)
        with np.errstate(over="ignore", invalid="ignore"):  # refused by `finite_array`
            W_in = np.asarray(self.W_in_, np.float64) / scale
            bias = np.asarray(self.b_, np.float64) - W_in @ mean
        dtype = self.b_.dtype
        self.W_in_ = finite_array("input_scaling / (standard deviation of X)", W_in, dtype)
        self.b_ = finite_array("input_scaling * (mean of X)", bias, dtype)
        self.input_mean_, self.input_scale_ = mean, scale
        self._compile()

    def _compile(self) -> None:
        """Bring the weights into the layouts of the kernels; from now on they are read-only."""
        dense = {name: np.asarray(getattr(self, name)) for name in DENSE_WEIGHTS}
        W_in = np.hstack([dense["W_fb_"], dense["W_in_"]])
        W, (update, own) = self.W_, self._update
        rates = UPDATES[update].rates(dense["leak_rate_"], **own)
        recurrent = UPDATES[update].recurrent(W, **own)
        self._network = Network.build(recurrent, W_in, dense["b_"], rates, self._activation)
        self._equation = StateEquation(recurrent, W_in, dense["b_"], rates, self._activation)
        self.W_ = sp.csr_array(tuple(map(read_only, (W.data, W.indices, W.indptr))), W.shape)
        self.W_.data = ReadOnlyWeights.of("W_", self.W_.data)
        for name, weights in dense.items():
            setattr(self, name, ReadOnlyWeights.of(name, weights))
        self._compiled_weights = self._weights()

    def _weights(self) -> tuple[Any, ...]:
        """Return what `_compile` reads: an assignment replaces one of these objects."""
        W = self.W_  # a matrix of another kind, if it was assigned
        sparse = W, getattr(W, "data", None), getattr(W, "indices", None)
        sizes = self.n_state_, self.n_features_out_
        return *sparse, self.W_in_, self.W_fb_, self.b_, self.leak_rate_, *sizes

    def _up_to_date_network(self) -> Network:
        """Return the compiled weights, after those that were assigned since have been checked."""
        if not all(map(operator.is_, self._weights(), self._compiled_weights)):
            self._check_assigned()
            self._compile()
        return self._network

    def _check_assigned(self) -> None:
        """Raise if weights that were assigned do not fit those that were drawn."""
        before = dict(zip(DENSE_WEIGHTS, self._compiled_weights[3:7], strict=True))
        for name, drawn in before.items():
            weights = finite_array(name, getattr(self, name), drawn.dtype)
            if weights.shape != drawn.shape:
                raise ValueError(f"{name} must have shape {drawn.shape}, got {weights.shape}")
            setattr(self, name, weights.copy())
        if np.any((self.leak_rate_ <= 0) | (self.leak_rate_ > 1)):
            raise ValueError(f"leak_rate_ must be in (0, 1], got {self.leak_rate_!r}")
        n_units = before["b_"].size
        if (self.n_state_, self.n_features_out_) != (n_units, n_units):
            raise ValueError(
                f"n_state_ and n_features_out_ must be {n_units}, the number of units, got "
                f"{self.n_state_!r} and {self.n_features_out_!r}"
            )
        W = as_csr("W_", self.W_, n_units)
        W.data = finite_array("W_", W.data, self.b_.dtype)
        self.W_ = W

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what `_compile` computes from the rest."""
        if hasattr(self, "_compiled_weights"):
            self._up_to_date_network()  # which checks the weights that were assigned
        state = dict(super().__getstate__())
        for name in ("_compiled_weights", "_network", "_equation"):
            state.pop(name, None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if hasattr(self, "W_"):
            self._compile()

    def _streams(self) -> "_Streams":
        seed = check_seed(self.random_state).randint(np.iinfo(np.int32).max)
        W, W_in, b, leak, noise = np.random.SeedSequence(seed).spawn(5)
        rng = np.random.default_rng
        return _Streams(rng(W), rng(W_in), rng(b), rng(leak), noise)

    def _draw_recurrent(self, n_units, rng):
        """Draw W and scale it; weights of +-1 that cancel to a radius of 0 are drawn again."""
        redraws = REDRAWS
        while True:
            W = make_topology(
                self.topology, n_units, rng,
                degree=self.degree, weights=self.weights, params=self.topology_params,
            )  # fmt: skip
            if self.spectral_radius is None:
                return W
            radius = radius_by_formula(self.topology, n_units, self.topology_params)
            if W.nnz and radius:
                target = check_number("spectral_radius", self.spectral_radius, 0.0, low_open=True)
                return scale_by(W, target, radius)
            try:
                return rescale(W, self.spectral_radius)
            except ValueError:
                drawn = isinstance(self.topology, str) and self.weights == "bernoulli"
                if not drawn or redraws == 0:
                    raise
                redraws -= 1

    def _draw_input(self, n_inputs, n_feedback, rng, dtype):
        """Draw the weights of the outputs that are fed back, and those of the inputs."""
        n_units = self.W_.shape[0]
        fed = check_number("feedback_scaling", self.feedback_scaling, 0.0)
        scaling = scale_of_features(self.input_scaling, n_inputs)
        density = self.input_density
        W_fb = make_input_weights("uniform", n_units, n_feedback, rng, density=density) * fed
        W_in = make_input_weights(self.input_weights, n_units, n_inputs, rng, density=density)
        W_in = W_in * scaling
        return (
            np.ascontiguousarray(finite_array("feedback_scaling", W_fb, dtype)),
            np.ascontiguousarray(finite_array("input_scaling", W_in, dtype)),
        )

    def _draw_leak(self, n_units, rng):
        leak = self.leak_rate
        refuse_masked("leak_rate", leak)
        # A list is a pair, as JSON and YAML have no tuples, unless it may hold one rate a unit.
        if isinstance(leak, tuple) or (isinstance(leak, list) and len(leak) == 2 != n_units):
            if len(leak) != 2:
                raise ValueError(f"leak_rate must be a pair (low, high), got {leak!r}")
            low, high = (check_number("leak_rate", a, 0.0, 1.0, low_open=True) for a in leak)
            if low > high:
                raise ValueError(f"leak_rate must be a pair (low, high) in order, got {leak!r}")
            return np.exp(rng.uniform(np.log(low), np.log(high), n_units)).clip(low, high)
        if np.ndim(leak) == 0:
            return np.full(n_units, check_number("leak_rate", leak, 0.0, 1.0, low_open=True))
        rates = np.asarray(leak)
        if rates.shape != (n_units,) or rates.dtype.kind not in "iuf":
            raise ValueError(
                f"leak_rate must be a number in (0, 1], a pair (low, high) or an array of shape "
                f"({n_units},), got an array of shape {rates.shape}"
            )
        if not np.all((rates > 0) & (rates <= 1)):
            raise ValueError(f"leak_rate must be in (0, 1] for every unit, got {leak!r}")
        return rates.astype(np.float64)

    def noise_stream(self) -> np.random.Generator | None:
        """Return the random numbers of the noise, the same stream at every call.

        Returns
        -------
        Generator or None
            None without noise.
        """
        entropy, spawn_key = self._noise_seed
        seed = np.random.SeedSequence(entropy, spawn_key=spawn_key)
        return np.random.default_rng(seed) if self._noise else None

    def block_rows(self, lengths: np.ndarray, n_extra: int = 0) -> int:
        """Return how many rows to run before the readout reads them.

        Parameters
        ----------
        lengths : ndarray of shape (n_sequences,)
        n_extra : int, default=0
            Columns beside the states.

        Returns
        -------
        int
        """
        return self._up_to_date_network().block_rows(lengths, n_extra)

    def run(
        self,
        sequences: Sequences,
        state: np.ndarray,
        out: np.ndarray | None = None,
        *,
        clamp: Clamp | None = None,
        noise: np.random.Generator | None = None,
    ) -> None:
        """Advance ``state`` in place; if ``out`` is given, also store every state.

        Parameters
        ----------
        sequences : Sequences
            Rows [y(t-1); u(t)], the outputs fed back before the inputs.
        state : ndarray of shape (n_sequences, n_units)
        out : ndarray of shape (n_rows, >= n_units) or None, default=None
        clamp : Clamp or None, default=None
            Units that are held at given values at every time step.
        noise : Generator or None, default=None
            Random numbers of the noise, from :meth:`noise_stream`.

        Raises
        ------
        FloatingPointError
            If the states of unbounded units leave the range of their dtype.
        """
        network = self._up_to_date_network()
        n_units, (n_rows, n_inputs) = self.n_state_, sequences.values.shape
        if n_inputs != len(network.input_weights.w_in):
            raise ValueError(
                f"sequences must have the {len(network.input_weights.w_in)} columns that W_fb_ and "
                f"W_in_ have, got {n_inputs}"
            )
        added = np.empty((0, n_units), state.dtype)
        if noise is not None:
            added = (self._noise * noise.standard_normal((n_rows, n_units))).astype(state.dtype)
            out = np.empty((n_rows, n_units), state.dtype) if out is None else out
        forcing = Forcing(added, *(clamp or no_clamp(state.dtype)))
        out = np.empty((0, n_units), state.dtype) if out is None else out
        starts, lengths = sequences.offsets[:-1], sequences.lengths
        network.advance(forcing, sequences.values, starts, lengths, state, out)
        self._check_bounded(state)

    @property
    def adds_statistics(self) -> bool:  # type: ignore[override]
        """Whether :meth:`add_statistics` has a kernel for the weights, and agrees with ``run``."""
        return type(self).run is Reservoir.run and self._up_to_date_network().adds_statistics

    def add_statistics(
        self,
        sequences: Sequences,
        extra: np.ndarray,
        washout: int,
        state: np.ndarray,
        sums: np.ndarray,
    ) -> None:
        """Advance ``state`` in place, and add all states to running statistics at once.

        Parameters
        ----------
        sequences : Sequences
            As in ``run``.
        extra : ndarray of shape (n_rows, n_extra)
            Other features of the time steps, which are added too.
        washout : int
            Time steps of every sequence that are not added.
        state : ndarray of shape (n_sequences, n_units)
        sums : ndarray of shape (n_sequences, N_SUMS, n_columns)
            Of the kernel ``add_statistics``: of the states, then of ``extra``, then of zeros.

        Raises
        ------
        FloatingPointError
            If the states of unbounded units leave the range of their dtype.
        """
        starts, lengths = sequences.offsets[:-1], sequences.lengths
        inputs = InputSequences(sequences.values, starts, lengths)
        self._up_to_date_network().add_statistics(inputs, extra, washout, state, sums)
        self._check_bounded(state)

    def run_closed_loop(
        self,
        readout: tuple[np.ndarray, np.ndarray, bool],
        inputs: np.ndarray,
        exog: np.ndarray,
        state: np.ndarray,
        out: np.ndarray,
        clamp: Clamp | None = None,
    ) -> None:
        """Run with the outputs of a linear readout fed back into the first inputs, compiled.

        Parameters
        ----------
        readout : tuple (coef, intercept, quadratic)
            Arrays of shapes (n_outputs, n_units or n_units + n_features) and (n_outputs,): the
            readout of the state, or of the state and the inputs. With ``quadratic`` the second,
            fourth, ... number of the state is squared before the readout reads it.
        inputs : ndarray of shape (n_features,)
            First row of inputs; on exit the next one, but for its exogenous part.
        exog : ndarray of shape (n_steps, n_features - n_outputs)
            The inputs that are not outputs.
        state : ndarray of shape (n_units,)
            Updated in place.
        out : ndarray of shape (n_steps, n_outputs)
            Written: the outputs.
        clamp : Clamp or None, default=None
            Units that are held at given values.
        """
        forcing = Forcing(np.empty((0, state.size), state.dtype), *(clamp or no_clamp(state.dtype)))
        loop_inputs = LoopInputs(inputs, np.ascontiguousarray(exog))
        network = self._up_to_date_network()
        network.closed_loop(forcing, LinearReadout(*readout), loop_inputs, state, out)

    def jacobian_product(
        self, inputs: np.ndarray, state: np.ndarray, directions: np.ndarray
    ) -> np.ndarray:
        """Multiply the Jacobian of a step, d x(t) / d x(t-1), with directions.

        Parameters
        ----------
        inputs : ndarray of shape (n_feedback + n_inputs,)
            Inputs of the step, the outputs fed back before the others.
        state : ndarray of shape (n_units,)
            State before the step.
        directions : ndarray of shape (n_units, n_directions)

        Returns
        -------
        ndarray of shape (n_units, n_directions), float64
        """
        self._up_to_date_network()
        equation = self._equation
        return equation.jacobian_product(inputs, state, directions)

    def state_equations(self) -> list[StateEquation] | None:
        """Return the state equation with its weights, in a list of one.

        Returns
        -------
        list of StateEquation or None
            None for a subclass with its own ``run``.
        """
        if type(self).run is not Reservoir.run:
            return None
        self._up_to_date_network()
        return [self._equation]

    def network(self) -> Network | None:
        """Return the weights as the kernels take them.

        Returns
        -------
        Network or None
            None for a subclass with its own ``run``.
        """
        return self._up_to_date_network() if type(self).run is Reservoir.run else None

    def _check_bounded(self, state):
        activation = self._network.activation
        if activation in UNBOUNDED and not np.all(np.isfinite(state)):
            raise FloatingPointError(
                f"the states left the range of {state.dtype}: activation={activation!r} is not "
                "bounded; "
                f"lower spectral_radius (now {self.spectral_radius!r}) or input_scaling"
            )


def is_auto(scaling: Any) -> bool:
    """Return whether weights take up the mean and standard deviation of the inputs."""
    return isinstance(scaling, str) and scaling == "auto"


def scale_of_features(scaling: Any, n_features: int) -> np.ndarray:
    """Return ``input_scaling`` as one number >= 0 for each feature, or raise."""
    if is_auto(scaling):
        return np.full(n_features, AUTO_SCALING)
    if isinstance(scaling, str):
        raise TypeError(f"input_scaling must be a number, an array or 'auto', got {scaling!r}")
    if not hasattr(scaling, "__len__"):
        return np.full(n_features, check_number("input_scaling", scaling, 0.0))
    scales = finite_array("input_scaling", scaling)
    if scales.shape != (n_features,) or np.any(scales < 0):
        raise ValueError(
            f"input_scaling must be a number >= 0, 'auto' or an array of shape ({n_features},), "
            f"one >= 0 for each feature, got {scaling!r}"
        )
    return scales


class _Streams(NamedTuple):
    W: np.random.Generator
    W_in: np.random.Generator
    b: np.random.Generator
    leak: np.random.Generator
    noise: np.random.SeedSequence
