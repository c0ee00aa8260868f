"""Gauss-Newton products of recurrent networks: a tangent pass forward, a gradient pass back.

    G v = J' H J v,   J the derivative of the outputs by theta, H that of the loss by the outputs

Structural damping (Martens & Sutskever 2011) adds the curvature of a distance between the hidden
states before and after a step: of tanh units the distance that matches them, which multiplies
their pre-activations by 1 - h^2, of others half the squared distance.
"""

import numpy as np

from esnkit.kernels.blocks import gather, scatter
from esnkit.kernels.tangents import tangent
from esnkit.networks._bptt import Tape, eigenvalues_of, row_index, run_backward
from esnkit.networks._eigenvalues import eigenvalue_tangent
from esnkit.networks._losses import LOSSES
from esnkit.networks._pooling import attend_tangent, pool_rows, take_values
from esnkit.networks._spec import Spec, parameter_views, state_columns, weight_decay_mask

__all__ = ["curvature_product", "run_tangent"]


def run_tangent(spec: Spec, v: np.ndarray, tape: Tape) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return how outputs move along a direction ``v`` of the parameters.

    Parameters
    ----------
    spec : Spec
    v : ndarray of shape (n_parameters,)
    tape : Tape
        Of the forward pass.

    Returns
    -------
    moved : ndarray like the outputs
    hidden : list of ndarray
        For every layer and direction what structural damping multiplies, as blocks of the kernels.
    """
    p, q, batch, n_units = tape.p, parameter_views(spec, v), tape.batch, spec.n_units
    # Inputs do not move, unless they are rows of an embedding, which is a parameter.
    rows = np.zeros_like(tape.rows[0])
    if spec.embedding_dim:
        rows = q["embedding"][batch.inputs]
    # Nor do given states; learned ones are parameters.
    state = np.zeros_like(tape.state)
    if spec.learn_state:
        state += np.where(tape.given, 0, q["initial_state"])
    hidden: list[np.ndarray] = []
    moved = rows
    for layer in spec.layers():
        if layer.position % spec.n_directions == 0:
            rows, moved = moved, np.empty((len(batch.rows), spec.n_directions * n_units), v.dtype)
        RH, damped = _layer_tangent(spec, q, tape, layer, rows, state)
        first = n_units if layer.reverse else 0
        scatter(RH, row_index(batch, layer), batch.n, n_units, moved, first, n_units)
        hidden.append(damped)
    if spec.pooling == "attention":
        moved = attend_tangent(p, q, tape.rows[-1], moved, batch.offsets, tape.pooling)
    elif spec.pooling == "max":
        moved = take_values(moved, tape.pooling)
    elif spec.pooling is not None:
        moved = pool_rows(moved, batch.offsets, spec.pooling, n_units)
    if not spec.head:
        return moved[:, : spec.n_outputs].copy(), hidden
    # R(W h + b) = W Rh + RW h + Rb
    return moved @ p["head_W"].T + tape.pooled @ q["head_W"].T + q["head_b"], hidden


def _layer_tangent(spec, q, tape, layer, rows, state):
    """Return how the states of one layer and direction move, and what is damped of them."""
    name, batch, layer_tape = f"M_{layer.name}", tape.batch, tape.layers[layer.position]
    M, V, index = tape.p[name], q[name], row_index(batch, layer)
    hs, cs = state_columns(spec, layer.position)
    Rh0 = np.ascontiguousarray(state[batch.order, hs].T)
    Rc0 = np.ascontiguousarray(state[batch.order, cs].T) if cs else Rh0
    E = eigenvalues_of(spec, tape.p, layer)
    RE = E
    if E.size:
        RE = eigenvalue_tangent(tape.p[f"exponents_{layer.name}"], q[f"exponents_{layer.name}"])
    RS = np.empty_like(layer_tape.S)
    RZ = np.empty(len(M) * len(index), M.dtype)
    RH = np.empty(spec.n_units * len(index), M.dtype)
    RC = RH if spec.cell_record.carries_h else np.empty_like(layer_tape.C)
    gather(rows, 0, rows.shape[1], index, batch.n, M.shape[1], RS)
    moves, weights = (RS, RZ, RC, RH), (M, V, E, RE)
    tangent(spec.cell_record.code, weights, batch.n, tuple(layer_tape), (Rh0, Rc0), moves)
    return RH, RZ if spec.cell_record.damps_pre_activations else RH


def curvature_product(
    spec: Spec,
    v: np.ndarray,
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
    spec : Spec
    v : ndarray of shape (n_parameters,)
    outputs, tape
        Of the forward pass.
    weights, alpha : as in :func:`esnkit.networks._loss_gradient.loss_gradient`
    structural : float, default=0.0
        Weight of structural damping; its distance is summed over time, and divided by the number
        of targets as the penalty is.

    Returns
    -------
    ndarray like ``v``

    References
    ----------
    N. Schraudolph (2002), Fast curvature matrix-vector products for second-order gradient descent.
    J. Martens and I. Sutskever (2011), Learning recurrent neural networks with Hessian-free
    optimization.
    """
    # J v, then H J v, then J' H J v; the damping adds its own H to the states.
    moved, hidden = run_tangent(spec, v, tape)
    curved = LOSSES[spec.loss][1](outputs, moved, weights)
    extra = [(structural / len(outputs)) * part for part in hidden] if structural else None
    product = run_backward(spec, tape, curved, extra_d_states=extra)
    if alpha:
        product += (alpha / len(outputs)) * np.where(weight_decay_mask(spec), v, 0)
    return product
