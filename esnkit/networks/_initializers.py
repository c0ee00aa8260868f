"""Initial weights of recurrent networks: one record per initialisation.

Unless the record says otherwise, input and head weights are uniform with Glorot's variance, and
all biases are zero except those of the head, of the forget gates of an LSTM (1), and of gates that
keep the state and do not depend on it, whose time scales are log-uniform.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from esnkit.networks._cells import Cell
from esnkit.networks._eigenvalues import initial_exponents
from esnkit.networks._spec import Spec, n_parameters, parameter_views
from esnkit.reservoirs.spectral import rescale

__all__ = ["INITS", "Init", "glorot", "initial_theta"]

SPARSE_DEGREE = 15  # connections into a unit, Sutskever et al. (2013)
# Time scales are log-uniform up to the longest sequence, but not beyond this number of steps.
MAX_TIME_SCALE = 1000.0
IDENTITY_INPUT_SCALE, SPARSE_HEAD_SCALE = 1e-3, 0.1


def glorot(rng: np.random.Generator, n_out: int, n_in: int) -> np.ndarray:
    """Draw a matrix from the uniform distribution with Glorot's variance."""
    limit = math.sqrt(6.0 / (n_in + n_out))
    return rng.uniform(-limit, limit, (n_out, n_in))


def _orthogonal(rng: np.random.Generator, n: int, radius: float) -> np.ndarray:
    Q, R = np.linalg.qr(rng.standard_normal((n, n)))
    return Q * np.where(np.diag(R) < 0, -1.0, 1.0)  # without the signs Q is not uniform


def _sparse(rng: np.random.Generator, n: int, radius: float) -> np.ndarray:
    W = np.zeros((n, n))
    for row in W:
        chosen = rng.choice(n, min(SPARSE_DEGREE, n), replace=False)
        row[chosen] = rng.standard_normal(chosen.size)
    return rescale(W, radius)


def _glorot_inputs(rng: np.random.Generator, n: int, width: int, scaling: float) -> np.ndarray:
    return glorot(rng, n, width)


def _small_inputs(rng: np.random.Generator, n: int, width: int, scaling: float) -> np.ndarray:
    return IDENTITY_INPUT_SCALE * rng.standard_normal((n, width))


def _scaled_inputs(rng: np.random.Generator, n: int, width: int, scaling: float) -> np.ndarray:
    return scaling * rng.standard_normal((n, width))


def _normal_head(rng: np.random.Generator, n_outputs: int, n: int) -> np.ndarray:
    return SPARSE_HEAD_SCALE * rng.standard_normal((n_outputs, n))


class Init(NamedTuple):
    """One initialisation."""

    # (rng, n_units, spectral_radius) -> the recurrent weights of a gate
    recurrent: Callable[[np.random.Generator, int, float], np.ndarray]
    # (rng, n_units, n_inputs, input_scaling) -> the input weights of a gate
    inputs: Callable[[np.random.Generator, int, int, float], np.ndarray] = _glorot_inputs
    # (rng, n_outputs, n_units) -> the weights of the head
    head: Callable[[np.random.Generator, int, int], np.ndarray] = glorot
    gated: bool | None = None  # the cells it is defined for: with or without gates; None: all
    draws_time_scales: bool = False  # whether gate biases are drawn for random time scales


INITS = {
    "orthogonal": Init(_orthogonal),
    "glorot": Init(lambda rng, n, radius: glorot(rng, n, n)),
    "identity": Init(lambda rng, n, radius: np.eye(n), inputs=_small_inputs, gated=False),
    "sparse": Init(_sparse, inputs=_scaled_inputs, head=_normal_head, gated=False),
    "chrono": Init(_orthogonal, gated=True, draws_time_scales=True),
}


def initial_theta(
    spec: Spec,
    rng: np.random.Generator,
    init: str = "orthogonal",
    *,
    spectral_radius: float = 1.1,
    input_scaling: float = 1e-3,
    longest: int = 100,
    input_gains: np.ndarray | None = None,
    head_bias: Any = 0.0,
) -> np.ndarray:
    """Draw the initial parameters of a network.

    Parameters
    ----------
    spec : Spec
    rng : Generator
    init : {"orthogonal", "glorot", "identity", "sparse", "chrono"}, default="orthogonal"
        Recurrent weights: "orthogonal" and "glorot" draw the matrix of every gate separately;
        "identity" is the identity, with small normal input weights (Le et al.); "sparse" has 15
        normal weights per unit, rescaled to ``spectral_radius``, and normal input weights
        (Sutskever et al.); "chrono" is orthogonal, with gate biases for time scales from 1 to
        ``longest`` steps (Tallec & Ollivier). "identity" and "sparse" are defined for cells
        without gates, "chrono" for cells with gates.
    spectral_radius : float, default=1.1
        Spectral radius of the recurrent weights with ``init="sparse"``.
    input_scaling : float, default=1e-3
        Standard deviation of the input weights with ``init="sparse"``.
    longest : int, default=100
        The longest time scale with ``init="chrono"``.
    input_gains : ndarray of shape (n_sequences, n_features) or None, default=None
        For inputs with a variance of one: their weights have LeCun's variance 1 / n_features where
        Glorot's 2 / (n_features + n_units) would leave a few of them without effect, multiplied in
        every unit by the gains of a random sequence.
    head_bias : float or array of shape (n_outputs,), default=0.0

    Returns
    -------
    theta : ndarray of shape (n_parameters,), float64

    Raises
    ------
    ValueError
        If the initialisation is not defined for the cell.

    References
    ----------
    Glorot & Bengio (2010); LeCun, Bottou, Orr & Mueller (1998), Efficient BackProp, eq. 16; Saxe et
    al. (2014), orthogonal; Le, Jaitly & Hinton (2015), identity; Sutskever, Martens, Dahl & Hinton
    (2013), table 4, sparse; Tallec & Ollivier (2018), chrono.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit.networks._spec import Spec, parameter_views
    >>> spec = Spec("tanh", n_units=3, n_features=1, n_outputs=1)
    >>> theta = initial_theta(spec, np.random.default_rng(0), "identity")
    >>> parameter_views(spec, theta)["M_0"][:, 1:]
    array([[1., 0., 0., 0.],
           [0., 1., 0., 0.],
           [0., 0., 1., 0.]])
    """
    record = _init_for(spec.cell_record, init)
    theta = np.zeros(n_parameters(spec))
    views, n = parameter_views(spec, theta), spec.n_units
    for layer in spec.layers():
        M, width = views[f"M_{layer.name}"], layer.width
        for gate, rows in zip(spec.cell_record.gates, M.reshape(-1, n, M.shape[1]), strict=True):
            if gate.uses_inputs:
                rows[:, :width] = record.inputs(rng, n, width, input_scaling)
            if gate.uses_states:
                rows[:, width:-1] = record.recurrent(rng, n, spectral_radius)
        _set_gate_biases(spec.cell_record, M[:, -1], record, rng, n, longest)
        if spec.cell_record.has_eigenvalues:
            log_scales = _draw_log_scales(record, rng, n // 2, longest)
            exponents = initial_exponents(rng, log_scales, _longest_scale(longest))
            views[f"exponents_{layer.name}"][:] = exponents
    if input_gains is not None and record.inputs is _glorot_inputs:
        _scale_inputs(spec, views, rng, input_gains)
    if spec.embedding_dim:
        views["embedding"][:] = rng.standard_normal(views["embedding"].shape)
    if spec.has_attention:
        views["attention_W"][:] = glorot(rng, *views["attention_W"].shape)
        views["attention_v"][:] = glorot(rng, 1, views["attention_v"].size)[0]
    if spec.head:
        views["head_W"][:] = record.head(rng, *views["head_W"].shape)
        views["head_b"][:] = head_bias
    return theta


def _scale_inputs(
    spec: Spec, views: dict[str, np.ndarray], rng: np.random.Generator, gains: np.ndarray
) -> None:
    """Bring the input weights to LeCun's variance, times gains, which the gates of a unit share."""
    for layer in spec.layers()[: spec.n_directions]:
        M = views[f"M_{layer.name}"]
        gates = M.reshape(-1, spec.n_units, M.shape[1])
        drawn = gains[(len(gains) * rng.random(spec.n_units)).astype(int)]
        to_lecun = math.sqrt((layer.width + spec.n_units) / (2 * layer.width))
        gates[:, :, : layer.width] *= to_lecun * drawn


def _init_for(cell: Cell, init: str) -> Init:
    """Return the record of an initialisation, or raise if it is not defined for the cell."""
    record = INITS[init]
    if record.gated not in (None, cell.is_gated):
        possible = [name for name, other in INITS.items() if other.gated in (None, cell.is_gated)]
        raise ValueError(
            f"init={init!r} is not defined for cell={cell.family!r}: use one of {possible}"
        )
    return record


def _set_gate_biases(
    cell: Cell, biases: np.ndarray, record: Init, rng: np.random.Generator, n: int, longest: int
) -> None:
    """Set the biases of the gates that keep the state, and of those that write to it."""
    if cell.keep_gate is None:
        return
    keep_rows = cell.gate_rows(cell.keep_gate, n)
    biases[keep_rows] = cell.keep_bias
    if record.draws_time_scales or cell.spreads_time_scales:
        # A gate at sigmoid(log(T)) keeps the state for about T steps.
        log_scales = _draw_log_scales(record, rng, n, longest)
        biases[keep_rows] = log_scales
        if cell.write_gate is not None:
            biases[cell.gate_rows(cell.write_gate, n)] = -log_scales


def _draw_log_scales(record: Init, rng: np.random.Generator, n: int, longest: int) -> np.ndarray:
    """Draw logarithms of time scales: of chrono the scales are uniform, else their logarithms."""
    if record.draws_time_scales:
        return np.log(rng.uniform(1.0, max(longest - 1, 1.0 + 1e-9), n))
    return rng.uniform(0.0, math.log(_longest_scale(longest)), n)


def _longest_scale(longest: int) -> float:
    return min(max(longest, 1.0), MAX_TIME_SCALE)
