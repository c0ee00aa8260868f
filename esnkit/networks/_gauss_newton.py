"""Gauss-Newton products of recurrent networks: a tangent pass forward, a gradient pass back.

    G v = J' H J v,   J the derivative of the outputs by theta, H that of the loss by the outputs

Structural damping (Martens & Sutskever 2011) adds the curvature of a distance between the hidden
states before and after a step: of tanh units the distance that matches them, which multiplies
their pre-activations by 1 - h^2, of others half the squared distance.
"""

import numpy as np

from esnkit.kernels.blocks import gather, scatter
from esnkit.kernels.tangents import tangent
from esnkit.networks._bptt import Batch, Tape, run_backward
from esnkit.networks._losses import LOSSES
from esnkit.networks._pooling import attend_tangent, pool_rows
from esnkit.networks._spec import Spec, parameter_views, state_columns, weight_decay_mask

__all__ = ["curvature_product", "run_tangent"]


def run_tangent(
    spec: Spec, theta: np.ndarray, v: np.ndarray, batch: Batch, tape: Tape
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return how outputs move along a direction ``v`` of ``theta``.

    Parameters
    ----------
    spec, theta, batch : as in :func:`esnkit.networks._bptt.run`
    v : ndarray like ``theta``
    tape : Tape
        Of the forward pass at ``theta``.

    Returns
    -------
    moved : ndarray like the outputs
    hidden : list of ndarray
        For every layer and direction what structural damping multiplies, in the kernels' layout.
    """
    p, q, n_units = parameter_views(spec, theta), parameter_views(spec, v), spec.n_units
    rows = np.zeros_like(tape.rows[0])
    if spec.embedding_dim:
        rows = q["embedding"][batch.inputs]
    start = np.zeros_like(tape.state)
    if spec.learn_state:
        start += np.where(tape.given, 0, q["initial_state"])
    hidden: list[np.ndarray] = []
    here = rows
    for part in spec.layers():
        if part.position % spec.n_directions == 0:
            width = spec.n_directions * n_units
            rows, here = here, np.empty((len(batch.rows), width), v.dtype)
        index = batch.rows_reversed if part.reverse else batch.rows
        RH, damped = _layer_tangent(spec, p, q, batch, tape, part, rows, start, index)
        scatter(RH, index, batch.n, n_units, here, n_units if part.reverse else 0, n_units)
        hidden.append(damped)
    if spec.pooling == "attention":
        here = attend_tangent(p, q, tape.rows[-1], here, batch.offsets, tape.attention)
    elif spec.pooling is not None:
        here = pool_rows(here, batch.offsets, spec.pooling, n_units)
    if not spec.head:
        return here[:, : spec.n_outputs].copy(), hidden
    return here @ p["head_W"].T + tape.pooled @ q["head_W"].T + q["head_b"], hidden


def _layer_tangent(spec, p, q, batch, tape, part, X, start, index):
    name, _, _, place = part
    layer = tape.passes[place]
    M, V = p[f"M_{name}"], q[f"M_{name}"]
    hs, cs = state_columns(spec, place)
    Rh0 = np.ascontiguousarray(start[batch.order, hs].T)
    Rc0 = np.ascontiguousarray(start[batch.order, cs].T) if cs else np.zeros_like(Rh0)
    RS, RC = np.empty_like(layer.S), np.empty_like(layer.C)
    RZ = np.empty(len(M) * len(index), M.dtype)
    RH = np.empty(spec.n_units * len(index), M.dtype)
    gather(X, 0, X.shape[1], index, batch.n, M.shape[1], RS)
    moves = RS, RZ, RC, RH
    tangent(spec.cell_record.code, (M, V), batch.n, tuple(layer), (Rh0, Rc0), moves)
    return RH, RZ if spec.cell_record.damps_pre_activations else RH


def curvature_product(
    spec: Spec,
    theta: np.ndarray,
    v: np.ndarray,
    batch: Batch,
    outputs: np.ndarray,
    tape: Tape,
    weights: np.ndarray | None = None,
    *,
    alpha: float = 0.0,
    structural: float = 0.0,
) -> np.ndarray:
    """Return the Gauss-Newton matrix of the loss of a batch times ``v``.

    Parameters
    ----------
    spec, theta, batch : as in :func:`esnkit.networks._bptt.run`
    v : ndarray like ``theta``
    outputs, tape
        Of the forward pass at ``theta``.
    weights, alpha : as in :func:`esnkit.networks._bptt.loss_gradient`
    structural : float, default=0.0
        Weight of structural damping; its distance is summed over time, and divided by the number
        of targets as the penalty is.

    Returns
    -------
    ndarray like ``theta``

    References
    ----------
    N. Schraudolph (2002), Fast curvature matrix-vector products for second-order gradient descent.
    J. Martens and I. Sutskever (2011), Learning recurrent neural networks with Hessian-free
    optimization.
    """
    moved, hidden = run_tangent(spec, theta, v, batch, tape)
    curved = LOSSES[spec.loss][1](outputs, moved, weights)
    extra = None
    if structural:
        extra = [(structural / len(outputs)) * part for part in hidden]
    product = run_backward(spec, theta, batch, tape, curved, extra)
    if alpha:
        product += (alpha / len(outputs)) * np.where(weight_decay_mask(spec), v, 0)
    return product
