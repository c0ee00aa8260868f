"""The reservoir: a fixed random recurrent network that turns sequences into states."""

from collections import deque
from collections.abc import Iterator
from functools import wraps
from typing import Any, NamedTuple, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from esnkit.kernels.activations import CODES
from esnkit.kernels.layouts import Forcing
from esnkit.reservoirs._compiled import Network, segments
from esnkit.reservoirs.spectral import rescale
from esnkit.reservoirs.topologies import make_topology
from esnkit.sequences._initial_state import clamp_rows, resolve_clamp, resolve_initial_state
from esnkit.sequences._packing import (
    Sequences,
    is_ragged,
    pack,
    restore,
)
from esnkit.utils._validation import (
    check_choice,
    check_number,
    check_positive_int,
    check_seed,
    finite_array,
)
from esnkit.utils._workspace import recycled

__all__ = ["Reservoir"]

REDRAWS = 50  # of two units, one matrix in four is nilpotent
UNBOUNDED = ("identity", "relu")


def tables_for_series_only(cls: Any) -> Any:
    """Let ``set_output`` make tables of one series alone: sequences go out as they came in."""

    def choose(to_table, plain):
        @wraps(plain)
        def method(self, X, *args, **kwargs):
            sequences = is_ragged(X) or getattr(X, "ndim", None) == 3
            return (plain if sequences else to_table)(self, X, *args, **kwargs)

        return method

    # scikit-learn has wrapped both methods when the class was made.
    for name in ("transform", "fit_transform"):
        to_table = getattr(cls, name)
        setattr(cls, name, choose(to_table, to_table.__wrapped__))
    return cls


@tables_for_series_only
class Reservoir(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Leaky-integrator reservoir: sequences in, states of its units out; nothing is trained.

    ::

        pre(t) = W_in u(t) + W x(t-1) + b
        x(t)   = (1 - a) x(t-1) + a f(pre(t))

    Parameters
    ----------
    n_units : int, default=100
        Number of units; more remember more and cost more.
    spectral_radius : float or None, default=0.9
        Modulus of the largest eigenvalue that the recurrent weights are scaled to, to a relative
        error of 1e-6 or better. Nearer to 1 means longer memory. None leaves them as drawn or
        given.
    leak_rate : float, array of shape (n_units,) or tuple (low, high), default=1.0
        Share ``a`` of the state that is replaced at each step, in (0, 1]; small values make slow
        units. A tuple draws one rate a unit, log-uniform between the two.
    input_scaling : float or array of shape (n_features,), default=0.5
        Input weights are uniform on (-input_scaling, input_scaling), per feature.
    bias_scaling : float, default=0.5
        The bias of each unit is uniform on (-bias_scaling, bias_scaling). Without one a tanh
        reservoir is an odd function of its input, which closed loops rarely survive.
    topology : {"diagonals", "random", "dense", "cycle"}, matrix or callable, default="diagonals"
        Which units are connected. "diagonals": `degree` cyclic diagonals at random places, with
        random weights, as good as unstructured and several times faster; from 4096 units on they
        lie within a sixteenth of the units, so that threads can share a step. "random": `degree`
        connections into each unit from anywhere. "cycle": a ring of equal weights (Rodan & Tiňo
        2011). A dense or sparse matrix (n_units, n_units) or a callable
        ``(n_units, rng) -> matrix`` may be given instead.
    degree : int, default=10
        Connections into each unit, for "diagonals" and "random".
    weights : {"uniform", "normal", "bernoulli"}, default="uniform"
        Distribution of the recurrent weights before they are scaled.
    input_density : float in (0, 1], default=1.0
        Share of the input weights that are not zero.
    activation : {"tanh", "identity", "relu", "sigmoid"}, default="tanh"
        The function ``f``.
    noise : float, default=0.0
        Standard deviation of Gaussian noise added to the states by ``fit_transform`` (and while a
        readout is trained), never by ``transform``: it regularises closed-loop forecasts.
    random_state : int, RandomState instance or None, default=None
        Recurrent weights, input weights, biases, leak rates and noise are drawn from streams of
        their own, so that another number of features leaves the recurrent weights as they were.

    Attributes
    ----------
    W_ : csr_array of shape (n_units, n_units)
        Recurrent weights, scaled.
    W_in_ : ndarray of shape (n_units, n_features)
        Input weights.
    b_ : ndarray of shape (n_units,)
        Biases.
    leak_rate_ : ndarray of shape (n_units,)
        Leak rate of each unit.
    n_features_in_ : int
        Number of features seen in ``fit``.
    feature_names_in_ : ndarray of str
        Their names, where ``fit`` was given any.

    References
    ----------
    H. Jaeger, M. Lukoševičius, D. Popovici and U. Siewert (2007), Optimization and applications
    of echo state networks with leaky-integrator neurons, Neural Networks 20.

    M. Lukoševičius (2012), A practical guide to applying echo state networks, eqs. 2-3.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit import Reservoir
    >>> X = np.sin(np.arange(200) / 5).reshape(-1, 1)
    >>> Reservoir(n_units=50, random_state=0).fit_transform(X).shape
    (200, 50)
    """

    def __init__(
        self,
        n_units=100,
        *,
        spectral_radius=0.9,
        leak_rate=1.0,
        input_scaling=0.5,
        bias_scaling=0.5,
        topology="diagonals",
        degree=10,
        weights="uniform",
        input_density=1.0,
        activation="tanh",
        noise=0.0,
        random_state=None,
    ):
        self.n_units = n_units
        self.spectral_radius = spectral_radius
        self.leak_rate = leak_rate
        self.input_scaling = input_scaling
        self.bias_scaling = bias_scaling
        self.topology = topology
        self.degree = degree
        self.weights = weights
        self.input_density = input_density
        self.activation = activation
        self.noise = noise
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Self:
        """Draw the weights for the number of features of ``X``.

        Parameters
        ----------
        X : array of shape (n_timesteps, n_features) or (n_sequences, n_timesteps, n_features), \
                or list of arrays of shape (n_timesteps_i, n_features)
            Only the number of features, their names and the dtype count.
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a parameter is out of its range or ``X`` is not finite.
        """
        sequences = pack(self, X, reset=True)
        self._draw(sequences.values.shape[1], sequences.values.dtype)
        return self

    def transform(
        self, X: Any, *, initial_state: Any = None, clamp: Any = None, return_state: bool = False
    ) -> Any:
        """Run the sequences and return the state after every time step.

        Parameters
        ----------
        X : array of shape (n_timesteps, n_features) or (n_sequences, n_timesteps, n_features), \
                or list of arrays of shape (n_timesteps_i, n_features)
            Inputs.
        initial_state : array, tuple (indices, values) or None, default=None
            State before the first step: zeros, a vector (n_units,), a row a sequence
            (n_sequences, n_units), or values for a subset of the units.
        clamp : tuple (indices, values) or None, default=None
            Units that are held to given values at every time step; values of shape (n_held,), or
            with a row for every time step: (n_rows, n_held), or in a container like that of X.
        return_state : bool, default=False
            Whether to return the last states too, which ``initial_state`` takes to go on.

        Returns
        -------
        states : like X, with n_units features
        last_state : ndarray of shape (n_sequences, n_units), if ``return_state``
        """
        check_is_fitted(self)
        sequences = pack(self, X, reset=False, dtype=(self.W_in_.dtype,))
        states, last = self._states(sequences, initial_state, clamp, noisy=False)
        return (states, last) if return_state else states

    def fit_transform(self, X: Any, y: Any = None, **params: Any) -> Any:
        """Draw the weights and return the states of ``X``, with noise where `noise` is not zero.

        Parameters
        ----------
        X : as in ``fit``
        y : ignored
        **params : initial_state, clamp, return_state
            As in ``transform``.

        Returns
        -------
        states : like X, with n_units features
        """
        sequences = pack(self.fit(X), X, reset=False, dtype=(self.W_in_.dtype,))
        return_state = params.pop("return_state", False)
        initial_state, clamp = params.pop("initial_state", None), params.pop("clamp", None)
        if params:
            raise TypeError(f"fit_transform got unexpected arguments {sorted(params)}")
        states, last = self._states(sequences, initial_state, clamp, noisy=True)
        return (states, last) if return_state else states

    def _states(self, sequences, initial_state, clamp, *, noisy):
        n_units, dtype = self.W_in_.shape[0], self.W_in_.dtype
        last = resolve_initial_state(initial_state, sequences.n_sequences, n_units, dtype)
        held = resolve_clamp(clamp, sequences, n_units, dtype)
        noise = self._noise_stream() if noisy else None
        out = recycled((sequences.values.shape[0], n_units), dtype)
        self._advance(sequences, last, held, noise, out=out)
        return restore(out, sequences), last

    @property
    def _n_features_out(self) -> int:
        return self.W_in_.shape[0]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        tags.non_deterministic = self.noise != 0  # `fit_transform` adds noise, `transform` none
        return tags

    def _draw(self, n_features: int, dtype: Any) -> None:
        n_units = check_positive_int("n_units", self.n_units)
        check_choice("activation", self.activation, CODES)
        noise = check_number("noise", self.noise, 0.0, float(np.finfo(dtype).max) / 100)
        streams = self._streams()
        self.W_ = self._draw_recurrent(n_units, streams.W)
        source = "topology" if self.spectral_radius is None else "spectral_radius"
        self.W_.data = finite_array(source, self.W_.data, dtype)
        W_in = self._draw_input(n_units, n_features, streams.W_in)
        self.W_in_ = finite_array("input_scaling", W_in, dtype)
        bias_scaling = check_number("bias_scaling", self.bias_scaling, 0.0)
        # Zero is added to turn -0 into 0, which no layout of W treats differently from another.
        bias = bias_scaling * streams.b.uniform(-1.0, 1.0, n_units) + 0.0
        self.b_ = finite_array("bias_scaling", bias, dtype)
        self.leak_rate_ = self._draw_leak(n_units, streams.leak).astype(dtype)
        if not self.leak_rate_.all():
            raise ValueError(f"leak_rate must be > 0 in {np.dtype(dtype)}, got {self.leak_rate!r}")
        self.n_features_in_ = n_features
        self._noise = noise
        self._noise_seed = streams.noise
        self._activation = self.activation
        self._lay_out()

    def _lay_out(self) -> None:
        self._network = Network.build(
            self.W_, self.W_in_, self.b_, self.leak_rate_, self._activation
        )

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what `_lay_out` makes of the rest."""
        return {key: part for key, part in super().__getstate__().items() if key != "_network"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if hasattr(self, "W_"):
            self._lay_out()

    def _streams(self) -> "_Streams":
        seed = check_seed(self.random_state).randint(np.iinfo(np.int32).max)
        W, W_in, b, leak, noise = np.random.SeedSequence(seed).spawn(5)
        rng = np.random.default_rng
        return _Streams(rng(W), rng(W_in), rng(b), rng(leak), noise)

    def _draw_recurrent(self, n_units, rng):
        """Draw W and scale it; weights of +-1 that cancel to a radius of 0 are drawn again."""
        redraws = REDRAWS
        while True:
            W = make_topology(self.topology, n_units, rng, degree=self.degree, weights=self.weights)
            if self.spectral_radius is None:
                return W
            try:
                return rescale(W, self.spectral_radius)
            except ValueError:
                drawn = isinstance(self.topology, str) and self.weights == "bernoulli"
                if not drawn or redraws == 0:
                    raise
                redraws -= 1

    def _draw_input(self, n_units, n_features, rng):
        density = check_number("input_density", self.input_density, 0.0, 1.0, low_open=True)
        scaling = scale_of_features(self.input_scaling, n_features)
        # Feature by feature, so that one more feature leaves the weights of the others alone.
        W_in = np.empty((n_features, n_units))
        for f in range(n_features):
            W_in[f] = rng.uniform(-1.0, 1.0, n_units) * scaling[f]
            silent = rng.permutation(n_units)[max(1, round(density * n_units)) :]
            W_in[f, silent] = 0.0
        return np.ascontiguousarray(W_in.T)

    def _draw_leak(self, n_units, rng):
        leak = self.leak_rate
        if isinstance(leak, tuple):
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

    def _noise_stream(self) -> np.random.Generator | None:
        return np.random.default_rng(self._noise_seed) if self._noise else None

    def _advance(self, sequences, state, held, noise=None, *, out=None) -> None:
        """Run for the sake of the last states, which ``state`` becomes, or of ``out``."""
        if out is None and noise is None:
            n_units, dtype = self.W_in_.shape[0], self.W_in_.dtype
            self._network.advance(
                Forcing(np.empty((0, n_units), dtype), *held), sequences.values,
                sequences.offsets[:-1], sequences.lengths, state, np.empty((0, n_units), dtype),
            )  # fmt: skip
            self._check_bounded(state)
        else:
            deque(self._blocks(sequences, state, held, noise, out=out), maxlen=0)

    def _check_bounded(self, state):
        activation = self._network.activation
        if activation in UNBOUNDED and not np.all(np.isfinite(state)):
            raise FloatingPointError(
                f"the states grew beyond all bounds: activation={activation!r} has no limit; "
                f"lower spectral_radius (now {self.spectral_radius!r}) or input_scaling"
            )

    def _blocks(
        self,
        sequences: Sequences,
        state: np.ndarray,
        held: tuple[np.ndarray, np.ndarray],
        noise: np.random.Generator | None,
        *,
        n_extra: int = 0,
        out: np.ndarray | None = None,
    ) -> Iterator[tuple[int, int, np.ndarray]]:
        """Run block by block; yield (start, stop, rows), the first n_units columns are states.

        ``state`` (n_sequences, n_units) moves along. Without ``out`` the rows of one block are
        written over by the next.
        """
        n_units, dtype = self.W_in_.shape[0], self.W_in_.dtype
        network = self._network
        units, values = held
        buffer = None
        if out is not None and noise is None:
            block_rows = len(out)
        else:
            block_rows = network.block_rows(sequences.lengths, n_extra)
        for first, last, start, stop in segments(sequences.offsets, block_rows):
            n_rows = stop - start
            if out is not None:
                rows = out[start:stop]
            else:
                if buffer is None or buffer.shape[0] < n_rows:
                    buffer = np.empty((n_rows, n_units + n_extra), dtype)
                rows = buffer[:n_rows]
            added = np.empty((0, n_units), dtype)
            if noise is not None:
                added = (self._noise * noise.standard_normal((n_rows, n_units))).astype(dtype)
            imposed = Forcing(added, units, clamp_rows(values, start, stop))
            starts = np.maximum(sequences.offsets[first:last], start)
            lengths = np.minimum(sequences.offsets[first + 1 : last + 1], stop) - starts
            network.advance(
                imposed, sequences.values[start:stop], starts - start, lengths, state[first:last],
                rows,
            )  # fmt: skip
            self._check_bounded(state[first:last])
            yield start, stop, rows


def scale_of_features(scaling: Any, n_features: int) -> np.ndarray:
    """Return ``input_scaling`` as one number >= 0 for each feature, or raise."""
    if not hasattr(scaling, "__len__") or isinstance(scaling, str):
        return np.full(n_features, check_number("input_scaling", scaling, 0.0))
    scales = finite_array("input_scaling", scaling)
    if scales.shape != (n_features,) or np.any(scales < 0):
        raise ValueError(
            f"input_scaling must be a number >= 0 or an array of shape ({n_features},), one >= 0 "
            f"for each feature, got {scaling!r}"
        )
    return scales


class _Streams(NamedTuple):
    W: np.random.Generator
    W_in: np.random.Generator
    b: np.random.Generator
    leak: np.random.Generator
    noise: np.random.SeedSequence
