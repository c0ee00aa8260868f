"""Recurrent networks as plain functions of one flat parameter vector ``theta``.

    inputs -> (embedding) -> layers of one or two directions -> (pooling) -> head -> outputs

A :class:`Batch` holds sequences side by side. :func:`run` returns outputs and a tape, with which
:func:`run_backward` turns a gradient of the outputs into one of ``theta``. State never stays here:
it is passed in and given back.
"""

from functools import lru_cache, partial
from typing import Any, NamedTuple

import numpy as np

from esnkit.kernels.blocks import add_last, gather, scatter, take_last
from esnkit.kernels.cells import forward
from esnkit.kernels.cells_backward import backward
from esnkit.kernels.linalg import affine, n_threads
from esnkit.networks._losses import LOSSES
from esnkit.networks._pooling import attend, attend_backward, pool_rows, pool_rows_backward
from esnkit.networks._spec import Spec, parameter_views, state_columns, weight_decay_mask
from esnkit.sequences._initial_state import Clamp
from esnkit.utils._threads import run_tasks
from esnkit.utils._workspace import Workspace

__all__ = [
    "Batch",
    "InitialState",
    "loss_gradient",
    "make_batch",
    "run",
    "run_backward",
    "starting_state",
    "state_rows",
]

# Batches of so many sequences run in two halves where a step has so many rows of gates: then a
# thread for each is worth its while. A half has a multiple of so many sequences, as vectors have.
LEAST, MANY_ROWS = 16, 256
# The gradient of the weights adds up steps that hold so many numbers in one product, few enough
# that they are still near then, but of large networks so many steps, if these hold not too many:
# every product reads and writes the whole gradient.
NEAR, STEPS, MANY = 2**14, 6, 2**19


class Batch(NamedTuple):
    """Sequences side by side; rows are in the order of the caller, columns longest first."""

    inputs: np.ndarray  # (n_rows, n_features), or (n_rows,) int64 tokens
    offsets: np.ndarray  # (n_sequences + 1,)
    order: np.ndarray  # (n_sequences,) the sequence of every column
    n: np.ndarray  # (n_timesteps,) sequences that still run at each step
    rows: np.ndarray  # (n_rows,) the row of every column of every step
    rows_reversed: np.ndarray  # the same where every sequence is read from its end
    n_beside: int  # sequences in the batch that this is a part of


def make_batch(inputs: np.ndarray, offsets: np.ndarray) -> Batch:
    """Lay out packed sequences for the kernels."""
    order, n, rows, back = _columns(offsets.astype(np.int64).tobytes())
    return Batch(inputs, offsets, order, n, rows, back, len(offsets) - 1)


@lru_cache(maxsize=8)  # equal lengths make all batches alike
def _columns(offsets_as_bytes: bytes) -> tuple[np.ndarray, ...]:
    """Return all of a batch that depends on where the sequences begin alone."""
    offsets = np.frombuffer(offsets_as_bytes, np.int64)
    lengths = np.diff(offsets)
    order = np.argsort(-lengths, kind="stable")
    sorted_lengths = lengths[order]
    steps = np.arange(sorted_lengths[0])
    n = np.searchsorted(-sorted_lengths, -steps, side="left").astype(np.int64)
    column = np.arange(offsets[-1]) - np.repeat(np.cumsum(n) - n, n)
    step = np.repeat(steps, n)
    rows = offsets[:-1][order][column] + step
    rows_reversed = offsets[1:][order][column] - 1 - step
    return order, n, rows, rows_reversed


class InitialState(NamedTuple):
    """States given by the caller; the others are the network's own."""

    values: np.ndarray  # (n_sequences, n_state)
    given: np.ndarray  # (n_state,) bool, or one for all


class LayerTape(NamedTuple):
    """Buffers of one layer and direction, see :mod:`esnkit.kernels.cells`."""

    S: np.ndarray
    A: np.ndarray
    C: np.ndarray
    c0: np.ndarray
    clamped: np.ndarray  # units


class Tape(NamedTuple):
    """What the backward pass needs of a forward pass."""

    p: dict[str, np.ndarray]  # the parameters by name
    passes: list[LayerTape]
    rows: list[np.ndarray]  # the rows into the first layer and out of every layer
    attention: Any
    pooled: np.ndarray  # the rows that the head sees
    given: np.ndarray  # (n_state,) bool, as in InitialState
    state: np.ndarray  # (n_sequences, n_state) after the last step
    workspace: Workspace  # where the rest of the tape lies
    n_used: int  # arrays of the workspace up to its end; the backward pass takes those behind


def run(
    spec: Spec,
    theta: np.ndarray,
    batch: Batch,
    initial_state: InitialState | None = None,
    clamp: Clamp | None = None,
    *,
    exact: bool = False,
    workspace: Workspace | None = None,
    cut: int = 0,
) -> tuple[np.ndarray, Tape]:
    """Run the network forward.

    Parameters
    ----------
    spec : Spec
    theta : ndarray of shape (n_parameters,), float64 or float32
    batch : Batch
    initial_state : InitialState or None, default=None
        States before the first step that are given.
    clamp : Clamp or None, default=None
    exact : bool, default=False
        Whether a row of the outputs must have the same bits whatever rows are around it, which
        costs a little time.
    workspace : Workspace or None, default=None
        Where to put the tape, and what the backward pass needs; None stands for a new one.
    cut : int, default=0
        Where a second half begins, of which the head is applied by itself, see `_halves`.

    Returns
    -------
    outputs : ndarray of shape (n_rows, n_outputs), or (n_sequences, n_outputs) where pooled
    tape : Tape
    """
    p, workspace = parameter_views(spec, theta), workspace or Workspace()
    state, given = starting_state(spec, p, batch, initial_state)
    rows = [input_rows(spec, p, batch.inputs, theta.dtype)]
    final, passes = np.empty_like(state), []
    n_units = spec.n_units
    for name, _, reverse, place in spec.layers():
        if place % spec.n_directions == 0:
            # Nobody looks at the rows of a last layer of which only the last states go on.
            unseen = spec.pooling == "last" and len(rows) == spec.n_layers
            n_rows, width = 0 if unseen else len(batch.rows), spec.n_directions * n_units
            rows.append(workspace.empty(n_rows * width, theta.dtype).reshape(n_rows, width))
        index = batch.rows_reversed if reverse else batch.rows
        hs, cs = state_columns(spec, place)
        own, imposed = _held_here(spec, batch, clamp, place, index, theta.dtype)
        first = _as_columns(state, hs, batch)
        c0 = _as_columns(state, cs, batch) if cs else np.zeros_like(first)
        buffers, H = _run_layer(
            spec, p[f"M_{name}"], batch, index, rows[-2:], first, c0, own, imposed, workspace
        )
        if len(rows[-1]):
            scatter(H, index, batch.n, n_units, rows[-1], n_units if reverse else 0, n_units)
        kept = batch.n if H.size == n_units * len(index) else batch.n[-1:]
        take_last(H, batch.order, kept, n_units, final, hs.start)
        if cs:
            take_last(buffers.C, batch.order, batch.n, n_units, final, cs.start)
        passes.append(buffers)
    pooled, attention = _pool(spec, p, rows[-1], final, batch.offsets)
    tape = Tape(p, passes, rows, attention, pooled, given, final, workspace, workspace.n_used)
    parts = _cut_rows(pooled, batch, cut)
    return _joined([_apply_head(spec, p, part, exact) for part in parts]), tape


def _run_layer(spec, M, batch, index, rows, h0, c0, own, imposed, workspace):
    cell, n_units, total = spec.cell_record, spec.n_units, len(index)
    (X, out), width = rows, M.shape[1]
    S = workspace.empty(width * total, M.dtype)
    gather(X, 0, X.shape[1], index, batch.n, width, S)
    # Where only the last outputs are asked for and all come with the last step, it alone is kept.
    n_kept = total if len(out) or batch.n[-1] < batch.n[0] else batch.n[0]
    plain = len(M) == n_units
    A = workspace.empty(len(M) * (n_kept if plain else total), M.dtype)
    C = workspace.empty(n_units * total if cell.stores_c else 0, M.dtype)
    H = A if plain else workspace.empty(n_units * n_kept, M.dtype)
    MT = M.T.copy() if batch.n[0] == 1 else np.empty((0, 0), M.dtype)
    forward(cell.code, (M, MT), batch.n, (h0, c0), (own, imposed), (S, A, C, H))
    return LayerTape(S, A, C, c0, own), H


def run_backward(
    spec: Spec,
    theta: np.ndarray,
    batch: Batch,
    tape: Tape,
    d_outputs: np.ndarray,
    extra: list[np.ndarray] | None = None,
    d_initial_state: np.ndarray | None = None,
    d_states: list[np.ndarray] | None = None,
    cut: int = 0,
) -> np.ndarray:
    """Turn the gradient of the outputs into that of the parameters.

    Parameters
    ----------
    spec, theta, batch : as in :func:`run`
    tape : Tape
    d_outputs : ndarray like the outputs
    extra : list of ndarray or None, default=None
        For every layer and direction, in the kernels' layout, what is added to d loss / d h.
    d_initial_state : ndarray of shape (n_sequences, n_state) or None, default=None
        Where to write d loss / d states before the first step.
    d_states : list of ndarray or None, default=None
        Where to put, for every layer and direction, in the kernels' layout (see
        :func:`state_rows`), d loss / d h at every time step, all paths through time together; the
        next backward pass with this tape writes over them.
    cut : int, default=0
        Where a second half begins, whose gradient is added up by itself, see `_halves`.

    Returns
    -------
    gradient : ndarray like ``theta``
    """
    tape.workspace.rewind(tape.n_used)
    p, gradients = tape.p, [np.zeros(theta.size, theta.dtype) for _ in range(2 if cut else 1)]
    d = parameter_views(spec, gradients[0])
    rest = parameter_views(spec, gradients[1]) if cut else d
    pooled, d_out = _cut_rows(tape.pooled, batch, cut), _cut_rows(d_outputs, batch, cut)
    d_pooled = _joined(
        [_head_backward(spec, p, *part) for part in zip((d, rest), pooled, d_out, strict=False)]
    )
    d_rows = _pool_backward(spec, p, d, batch, tape, d_pooled)
    d_initial_state = np.empty_like(tape.state) if d_initial_state is None else d_initial_state
    parts = spec.layers()
    for layer in range(spec.n_layers - 1, -1, -1):
        X, d_below = tape.rows[layer], None
        d_here = []
        for part in parts[layer * spec.n_directions : (layer + 1) * spec.n_directions]:
            more = None if extra is None else extra[part.position]
            keep = more is not None or d_states is not None
            last, dH = _columns_of(spec, batch, part, d_rows, more, keep, tape.workspace)
            width = X.shape[1] if layer or spec.embedding_dim else 0
            halves = cut or batch.n[0], d, rest
            dX = _layer_backward(
                spec, p, halves, batch, tape, part, last, dH, d_initial_state, width
            )
            d_below = dX if d_below is None else d_below + dX
            d_here.append(dH)
        if d_states is not None:
            d_states[:0] = d_here
        d_rows = d_below
    if spec.learn_state:
        d["initial_state"] += np.where(tape.given, 0, d_initial_state.sum(axis=0))
    if spec.embedding_dim:
        np.add.at(d["embedding"], batch.inputs, d_rows)
    for other in gradients[1:]:
        gradients[0] += other
    return gradients[0]


def state_rows(spec: Spec, batch: Batch, states: list[np.ndarray]) -> list[np.ndarray]:
    """Return as rows, for every layer, what the kernels' layout has for layers and directions."""
    rows: list[np.ndarray] = []
    n = spec.n_units
    for layer, blocks in zip(spec.layers(), states, strict=True):
        if not layer.reverse:
            rows.append(np.empty((len(batch.rows), spec.n_directions * n), blocks.dtype))
        index = batch.rows_reversed if layer.reverse else batch.rows
        scatter(blocks, index, batch.n, n, rows[-1], n if layer.reverse else 0, n)
    return rows


def _columns_of(spec, batch, part, rows, more, keep, workspace):
    """Return, of rows and more, what belongs to one layer and direction, in the kernels' layout.

    Rows of the last steps alone stand by themselves, if that is all there is, beside room for all
    steps only where these are to be kept; see `backward`.
    """
    index = batch.rows_reversed if part.reverse else batch.rows
    first, n = spec.n_units if part.reverse else 0, spec.n_units
    whole = len(rows) == len(index)
    n_columns = len(index) if whole or keep else len(rows)
    columns, last = workspace.empty(n * n_columns, rows.dtype), np.empty(0, rows.dtype)
    if whole:
        gather(rows, first, n, index, batch.n, n, columns)
        if more is not None:
            columns += more
        return last, columns
    last = _as_columns(rows, slice(first, first + n), batch).reshape(-1)
    if more is None:
        return last, columns
    columns[:] = more
    add_last(last, batch.n, n, columns)
    return last[:0], columns


def _layer_backward(spec, p, halves, batch, tape, part, last, dH, d_initial_state, width):
    """Return d loss / d inputs of one layer and direction.

    A width of zero leaves the inputs out.
    """
    name, _, reverse, place = part
    n = batch.n
    index = batch.rows_reversed if reverse else batch.rows
    S, A, C, c0, own = tape.passes[place]
    M, columns = p[f"M_{name}"], tape.workspace.empty(width * len(index), S.dtype)
    dh0, dc0 = np.empty_like(c0), np.empty_like(c0)
    numbers = len(M) * batch.n_beside
    together = max(1, NEAR // numbers, min(STEPS, MANY // numbers))
    cut, d, rest = halves
    gradients = d[f"M_{name}"], rest[f"M_{name}"], columns, dh0, dc0
    backward(
        spec.cell_record.code, (M, M.T.copy()), n, tuple(tape.passes[place]), (dH, last), gradients,
        (together, cut),
    )  # fmt: skip
    hs, cs = state_columns(spec, place)
    scatter(dh0.reshape(-1), batch.order, n[:1], len(dh0), d_initial_state, hs.start, len(dh0))
    if cs:
        scatter(
            dc0.reshape(-1),
            batch.order,
            n[:1],
            len(dc0),
            d_initial_state,
            cs.start,
            len(dc0),
        )
    dX = tape.workspace.empty(len(index) * width, M.dtype).reshape(len(index), width)
    if width:
        scatter(columns, index, n, width, dX, 0, width)
    return dX


def loss_gradient(
    spec: Spec,
    theta: np.ndarray,
    batch: Batch,
    Y: np.ndarray,
    weights: np.ndarray | None = None,
    *,
    alpha: float = 0.0,
    initial_state: InitialState | None = None,
    clamp: Clamp | None = None,
    workspace: Workspace | None = None,
) -> tuple[float, np.ndarray, np.ndarray, float]:
    """Return the loss of a batch, its gradient, the last states, and the sum of the weights.

    The loss is the weighted mean loss (`_losses.py`) plus :func:`penalty`. Where all weights
    are zero the backward pass is left out: loss and gradient are zero. Large networks run on two
    halves of the batch, side by side where there are threads.
    """
    workspace, cut = workspace or Workspace(), _middle(spec, batch)
    if cut and n_threads() < 2 and _goes_by_columns(spec, batch):
        parts, memories = [(batch, initial_state, clamp)], [workspace]
    else:
        parts = (
            _halves(batch, initial_state, clamp, cut) if cut else [(batch, initial_state, clamp)]
        )
        memories, cut = [workspace, workspace.sibling()], 0
    workspace.sibling().rewind()
    runs = _side_by_side(
        partial(run, spec, theta, *part, workspace=own, cut=cut)
        for part, own in zip(parts, memories, strict=False)
    )
    outputs = _joined([found[0] for found in runs])
    state = _joined([tape.state for _, tape in runs])
    loss = LOSSES[spec.loss][0](outputs, Y, weights)
    if loss.total == 0:
        return 0.0, np.zeros_like(theta), state, 0.0
    cuts = np.split(loss.gradient, [len(runs[0][0])]) if len(runs) > 1 else [loss.gradient]
    found = _side_by_side(
        partial(run_backward, spec, theta, part[0], tape, d_outputs, cut=cut)
        for part, (_, tape), d_outputs in zip(parts, runs, cuts, strict=True)
    )
    gradient = found[0]
    for other in found[1:]:
        gradient += other
    value = loss.value
    if alpha:
        added, slope = penalty(spec, theta, alpha, len(Y))
        value, gradient = value + added, gradient + slope
    return value, gradient, state, loss.total


def _middle(spec: Spec, batch: Batch) -> int:
    """Return how many sequences the first half of a batch has, 0 where it is not cut.

    What decides has nothing to do with threads, so that their number never changes a result: on
    one thread, too, the sums over the two halves are made by themselves.
    """
    offsets, n = batch.offsets, len(batch.offsets) - 1
    if n < 2 * LEAST or len(spec.cell_record.gates) * spec.n_units < MANY_ROWS:
        return 0
    middle = int(np.searchsorted(offsets, offsets[-1] / 2)) // LEAST * LEAST
    return min(max(middle, LEAST), n - LEAST)


def _goes_by_columns(spec: Spec, batch: Batch) -> bool:
    """Tell whether two halves may run as one: nothing but the heads and weights sums over them."""
    alike = batch.n[-1] == batch.n[0] and spec.cell_record.splits_columns
    sums = spec.embedding_dim or spec.learn_state or spec.pooling not in (None, "last")
    return alike and not sums


def _halves(batch, initial_state, clamp, cut):
    """Return batch, initial_state and what is clamped of both halves."""
    offsets, parts = batch.offsets, []
    n, row = len(offsets) - 1, int(offsets[cut])
    for sequences, rows in ((slice(0, cut), slice(0, row)), (slice(cut, n), slice(row, None))):
        first, last = sequences.start, sequences.stop
        part = make_batch(batch.inputs[rows], offsets[first : last + 1] - offsets[first])
        begun = initial_state and InitialState(initial_state.values[sequences], initial_state.given)
        taken = clamp and Clamp(clamp.units, clamp.values[rows])
        parts.append((part._replace(n_beside=n), begun, taken))
    return parts


def _cut_rows(rows, batch, cut):
    """Return rows of steps or of sequences, cut where the second half begins, if there is one."""
    if not cut:
        return [rows]
    place = cut if len(rows) == len(batch.offsets) - 1 else int(batch.offsets[cut])
    return [rows[:place], rows[place:]]


def _side_by_side(tasks):
    """Run tasks on threads, with the NumPy error settings of the caller."""
    first, *others = tasks
    if not others:
        return [first()]
    settings = np.geterr()

    def quietly(task):
        with np.errstate(**settings):
            return task()

    return run_tasks(partial(quietly, task) for task in (first, *others))


def _joined(parts):
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def penalty(
    spec: Spec, theta: np.ndarray, alpha: float, n_targets: int
) -> tuple[float, np.ndarray]:
    """Return ``alpha / 2`` times the squared weights over the number of targets, and its gradient.

    Biases and states are free, as in scikit-learn's multi-layer perceptron.
    """
    slope = (alpha / n_targets) * np.where(weight_decay_mask(spec), theta, 0)
    return 0.5 * float(np.vdot(slope, theta)), slope.astype(theta.dtype, copy=False)


def starting_state(
    spec: Spec, p: dict[str, np.ndarray], batch: Batch, initial_state: InitialState | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the states before the first step, a row a sequence, and which columns are given."""
    n_sequences, dtype = len(batch.offsets) - 1, p["M_0"].dtype
    rows = np.zeros((n_sequences, spec.n_state), dtype)
    if spec.learn_state:
        rows[:] = p["initial_state"]
    elif spec.cell_state:
        rows[:, spec.n_hidden :] = spec.cell_state
    if initial_state is None:
        return rows, np.zeros(spec.n_state, dtype=bool)
    return np.where(initial_state.given, initial_state.values, rows).astype(
        rows.dtype, order="C"
    ), initial_state.given


def input_rows(spec: Spec, p: dict[str, np.ndarray], inputs: np.ndarray, dtype: Any) -> np.ndarray:
    """Return what the first layer sees: numbers, embedded tokens, or one-hot ones."""
    if not spec.tokens:
        return inputs
    if spec.embedding_dim:
        return p["embedding"][inputs]
    rows = np.zeros((len(inputs), spec.n_features), dtype)
    rows[np.arange(len(inputs)), inputs] = 1.0
    return rows


def _as_columns(state: np.ndarray, columns: slice, batch: Batch) -> np.ndarray:
    """Return some columns of the states as a block of the kernels."""
    n_units = columns.stop - columns.start
    block = np.empty((n_units, len(state)), state.dtype)
    gather(state, columns.start, n_units, batch.order, batch.n[:1], n_units, block.reshape(-1))
    return block


def _held_here(spec, batch, clamp, place, index, dtype):
    """Return the clamped units of one part, and the blocks of values that they are clamped to."""
    none = np.empty(0, np.int64), np.empty(0, dtype)
    if clamp is None:
        return none
    here = np.flatnonzero(clamp.units // spec.n_units == place)
    if not here.size:
        return none
    values = np.ascontiguousarray(clamp.values[:, here], dtype=dtype)
    imposed = np.empty(values.size, dtype)
    gather(values, 0, here.size, index, batch.n, here.size, imposed)
    return clamp.units[here] - place * spec.n_units, imposed


def _pool(spec, p, rows, final, offsets):
    if spec.pooling is None:
        return rows, None
    if spec.pooling == "attention":
        return attend(p, rows, offsets)
    if spec.pooling == "last":
        width = spec.n_directions * spec.n_units
        return np.ascontiguousarray(final[:, spec.n_hidden - width : spec.n_hidden]), None
    return pool_rows(rows, offsets, spec.pooling, spec.n_units), None


def _pool_backward(spec, p, d, batch, tape, d_pooled):
    if spec.pooling in (None, "last"):
        return d_pooled
    if spec.pooling == "attention":
        return attend_backward(p, d, tape.rows[-1], batch.offsets, tape.attention, d_pooled)
    return pool_rows_backward(d_pooled, batch.offsets, spec.pooling, spec.n_units)


def _apply_head(spec, p, rows, exact):
    if spec.head and exact:
        outputs = np.empty((len(rows), spec.n_outputs), rows.dtype)
        affine(rows, p["head_W"], p["head_b"], outputs)
        return outputs
    if spec.head:
        return rows @ p["head_W"].T + p["head_b"]
    return rows[:, : spec.n_outputs].copy()


def _head_backward(spec, p, d, pooled, d_outputs):
    if spec.head:
        d["head_W"] += d_outputs.T @ pooled
        d["head_b"] += d_outputs.sum(axis=0)
        return d_outputs @ p["head_W"]
    d_rows = np.zeros_like(pooled)
    d_rows[:, : spec.n_outputs] = d_outputs
    return d_rows
