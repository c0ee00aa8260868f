"""The weights that training starts from, by name; a bad start is what makes long memory hard.

The input and head weights are uniform with Glorot's variance and the biases zero, but for the
forget gates of an LSTM (1) and the head (mean target), unless the recipe says otherwise.
"""

import math
from typing import Any

import numpy as np

from esnkit.networks._spec import Spec, n_parameters, parameter_views
from esnkit.reservoirs.spectral import rescale

__all__ = ["INITS", "glorot", "initial_theta"]

SPARSE_DEGREE = 15  # connections into a unit in Sutskever's sparse start
GATED = ("lstm", "gru", "gru_before")
IDENTITY_INPUT, SPARSE_HEAD = 1e-3, 0.1


def initial_theta(
    spec: Spec,
    rng: np.random.Generator,
    init: str = "orthogonal",
    *,
    spectral_radius: float = 1.1,
    input_scaling: float = 1e-3,
    longest: int = 100,
    head_bias: Any = 0.0,
    dtype: Any = np.float64,
) -> np.ndarray:
    """Draw the parameters of a network.

    Parameters
    ----------
    spec : Spec
    rng : Generator
    init : {"orthogonal", "glorot", "identity", "sparse", "chrono"}, default="orthogonal"
        The recurrent weights: orthogonal or Glorot-uniform, each gate by itself; the identity of
        Le et al. with small normal input weights (only ``rnn``); the sparse normal weights of
        Sutskever et al., 15 into each unit, brought to ``spectral_radius``, with normal input
        weights of size ``input_scaling`` (only ``rnn``); or orthogonal with the gate biases of
        Tallec & Ollivier, for memories up to ``longest`` steps (only gated cells).
    spectral_radius : float, default=1.1
    input_scaling : float, default=1e-3
    longest : int, default=100
    head_bias : float or array of shape (n_outputs,), default=0.0
    dtype : dtype, default=float64

    Returns
    -------
    theta : ndarray of shape (n_parameters,)

    Raises
    ------
    ValueError
        If the recipe is not made for the cell.

    References
    ----------
    Glorot & Bengio (2010); Saxe et al. (2014), orthogonal; Le, Jaitly & Hinton (2015), identity;
    Sutskever, Martens, Dahl & Hinton (2013), table 4, sparse; Tallec & Ollivier (2018), chrono.

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
    gated = spec.cell in GATED
    if init in ("identity", "sparse") and gated:
        raise ValueError(f"init={init!r} is made for cell='rnn': use 'orthogonal' or 'chrono'")
    if init == "chrono" and not gated:
        raise ValueError("init='chrono' sets the gates of cell='lstm' or 'gru', and 'rnn' has none")
    theta = np.zeros(n_parameters(spec))
    parts, n = parameter_views(spec, theta), spec.n_units
    for name, width, _, _ in spec.layers():
        for kind, block in _gates(spec, parts[f"M_{name}"]):
            if "x" in kind:
                block[:, :width] = _input_weights(rng, init, n, width, input_scaling)
            if "h" in kind:
                block[:, width:-1] = INITS[init](rng, n, spectral_radius)
        _set_biases(spec, parts[f"M_{name}"][:, -1], rng, init, longest)
    if spec.embedding_dim:
        parts["embedding"][:] = rng.standard_normal(parts["embedding"].shape)
    if spec.pooling == "attention":
        parts["attention_W"][:] = glorot(rng, *parts["attention_W"].shape)
        parts["attention_v"][:] = glorot(rng, 1, parts["attention_v"].size)[0]
    if spec.head:
        shape = parts["head_W"].shape
        normal = SPARSE_HEAD * rng.standard_normal(shape) if init == "sparse" else None
        parts["head_W"][:] = glorot(rng, *shape) if normal is None else normal
        parts["head_b"][:] = head_bias
    return theta.astype(dtype)


def _gates(spec: Spec, M: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """List the blocks of rows of the gates, and whether they see inputs (x) and states (h)."""
    n = spec.n_units
    blocks = [M[k * n : (k + 1) * n] for k in range(len(M) // n)]
    kinds = ["xh", "xh", "x", "h"] if spec.cell == "gru" else ["xh"] * len(blocks)
    return list(zip(kinds, blocks, strict=True))


def glorot(rng: np.random.Generator, n_out: int, n_in: int) -> np.ndarray:
    """Draw a matrix that is uniform with Glorot's variance."""
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


INITS = {
    "orthogonal": _orthogonal,
    "glorot": lambda rng, n, radius: glorot(rng, n, n),
    "identity": lambda rng, n, radius: np.eye(n),
    "sparse": _sparse,
    "chrono": _orthogonal,
}


def _input_weights(rng, init, n, width, input_scaling):
    if init == "identity":
        return IDENTITY_INPUT * rng.standard_normal((n, width))
    if init == "sparse":
        return input_scaling * rng.standard_normal((n, width))
    return glorot(rng, n, width)


def _set_biases(spec, biases, rng, init, longest):
    """Open the gates that keep the memory: fully by half, or each for its own span of time."""
    n = spec.n_units
    if init == "chrono":
        spans = np.log(rng.uniform(1.0, max(longest - 1, 1.0 + 1e-9), n))
        biases[n : 2 * n] = spans  # the forget gate, or z, which keeps the state of a GRU
        if spec.cell == "lstm":
            biases[:n] = -spans
    elif spec.cell == "lstm":
        biases[n : 2 * n] = 1.0
