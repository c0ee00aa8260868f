"""Backpropagation through time of the recurrent cells: the gradient of `cells.forward`.

With dZ_t = d loss / d Z_t, which :mod:`esnkit.kernels.cell_equations` computes from dh_t,

    d loss / d S_t = M.T dZ_t        its rows are those of x_t, h_{t-1} and 1
    dM = sum over t of dZ_t S_t.T

One product sums several steps, because each product reads and writes all of dM; steps are summed
from the last one to the first. Layouts are those of :mod:`esnkit.kernels.cells`.
"""

from typing import Any, NamedTuple

import numpy as np

from esnkit.kernels.blocks import copy_columns, round_up_to_vectors
from esnkit.kernels.cell_equations import (
    CARRIES_C,
    GRU_AFTER,
    GRU_BEFORE,
    LRU,
    LSTM,
    MIN_GRU,
    MIN_LSTM,
    RNN_RELU,
    BackwardBuffers,
    BackwardOffsets,
    gru_after_back,
    gru_before_back,
    lru_back,
    lstm_back,
    min_gru_back,
    min_lstm_back,
    reset_back,
    rnn_back,
)
from esnkit.kernels.cells import Sizes, n_rows_of
from esnkit.kernels.compilation import kernel
from esnkit.kernels.simd.addresses import Block, block, corner, steps_of_blocks
from esnkit.kernels.simd.masked import drop_tiny, load_first, store_first
from esnkit.kernels.simd.products import (
    Part,
    add_products,
    matrix,
    multiply_blocks,
    multiply_part,
    transposed,
)
from esnkit.kernels.simd.tiles import Shape
from esnkit.kernels.simd.transposition import transpose
from esnkit.kernels.simd.vectors import address, aligned, width

__all__ = ["backward"]


class _Schedule(NamedTuple):
    """How the gradient of the weights is summed."""

    n_steps: int  # whose products are summed at once
    n_first: int  # columns in the first half of the batch


class _Work(NamedTuple):
    """Flat arrays that `backward` works with."""

    dZ: np.ndarray  # of the steps not yet summed, blocks of n_gates * n_units rows
    columns: np.ndarray  # of S of these steps, as rows: those of the first half, then the others
    dh_before: np.ndarray  # one block, d loss / d h_{t-1} through step t
    dc: np.ndarray  # one block, d loss / d c_t through step t + 1
    spare: np.ndarray  # one block
    dE: np.ndarray  # partial sums of the rows of E, a vector each, for both halves of the batch


class _Addresses(NamedTuple):
    """Addresses of the arguments of `backward` and of its work arrays."""

    S: Any
    A: Any
    C: Any
    c0: Any
    dH: Any
    last: Any
    dX: Any
    dZ: Any
    columns: Any
    dh_before: Any
    dc: Any
    spare: Any
    E: Any
    dE: Any


class _Layer(NamedTuple):
    """Sizes of a layer."""

    cell: int
    n_features: int
    n_units: int
    n_gate_rows: int
    n_rows: int  # of S
    h_rows: int  # of dH that each column of a step takes
    a_rows: int  # of A


class _Sums(NamedTuple):
    """What the gradient of the weights is summed from: steps, the last one first."""

    dZ: Block
    S: Block
    columns: Block  # of S, as rows


@kernel
def backward(cell, weights, n, tape, d_outputs, gradients, schedule):
    """Carry the gradient back through a run of `forward`.

    Parameters
    ----------
    cell, n : as in `forward`
    weights : (M, M.T, E), all as in `forward`
    tape : (S, A, C, c0, units), buffers of `forward` as it left them, cell states before the first
        step, and clamped units
    d_outputs : (dH, last)
        dH, blocks of n_units rows, the derivative of the loss with respect to h_t, to which that
        through later steps is added; zero for clamped units
        last, empty; or (n_units * n[0],), the same for the last step of every sequence, if the loss
        depends on no other output: then dH is only written, and may be a single block, which every
        step overwrites
    gradients : ((dM, dE), (dM, dE), dX, dh0, dc0)
        dM, like M, added to; the blocks of a gru where M is zero are left alone
        dE, like E, added to
        the same for the second half of the batch
        dX, blocks of n_features rows, written; empty if it is not needed
        dh0, dc0, (n_units, n[0]) each, written
    schedule : (n_steps, n_first), steps whose products are summed at once, and columns of the first
        half of the batch, n[0] for cells that reset before
    """
    (M, MT, E), (S, A, C, c0, units), (dH, last) = weights, tape, d_outputs
    (dM, dE), (dM_second, dE_second), dX, dh0, dc0 = gradients
    n_units, (n_gate_rows, n_rows), n_columns = dh0.shape[0], M.shape, n[0]
    n_features, W = n_rows - n_rows_of(cell, 0, n_units), matrix(M, MT)
    plan = _Schedule(min(n.size, schedule[0]), schedule[1])
    # Used once more at the end, so that these arrays outlive their addresses.
    work = _work_arrays(plan, n_columns, M.shape, n_units, E.size, S)
    ptr = _Addresses(
        address(S), address(A), address(C), address(c0), address(dH), address(last), address(dX),
        address(work.dZ), address(work.columns), address(work.dh_before), address(work.dc),
        address(work.spare), address(E), address(work.dE),
    )  # fmt: skip
    columns = block(ptr.columns, 0, round_up_to_vectors(n_rows, S))
    sums_to = block(dM, 0, n_rows), block(dM_second, 0, n_rows)
    # Rows of dH and A that each column takes: none if one block serves all steps.
    h_rows = 0 if dH.size == dh0.size else n_units
    a_rows = 0 if A.size == n_gate_rows * n_columns else n_gate_rows
    layer = _Layer(cell, n_features, n_units, n_gate_rows, n_rows, h_rows, a_rows)
    n_next, n_waiting, column = 0, 0, n.sum()
    for t in range(n.size - 1, -1, -1):
        m, n_before = n[t], n[t - 1] if t else 0
        column -= m
        buffers, at = _arrange_step(layer, ptr, column, m, n_next, n_before, n_waiting)
        _complete_output_gradient(ptr, at.dH, n_next, n_columns, m, n_units, last.size > 0)
        for k in range(units.size):
            for j in range(m):
                dH[at.dH + units[k] * m + j] = 0
        _store_columns(block(ptr.S, at.S, m), n_rows, m, columns, plan, n_waiting)
        _step_back(cell, W, Sizes(n_features, n_units, m), plan.n_first, buffers, at)
        if dX.size:
            dZ, x = block(ptr.dZ, at.dZ, m), block(ptr.dX, n_features * column, m)
            part = Part(0, n_features, 0, n_gate_rows)
            multiply_part(transposed(W), part, dZ, False, x, m)
        n_next, n_waiting = m, n_waiting + 1
        # A product takes steps of one width; r h' of a gru that resets before is not in S.
        if n_waiting == plan.n_steps or n_before != m or cell == GRU_BEFORE:
            _add_steps(layer, plan, ptr, at, (m, n_waiting), columns, sums_to)
            n_waiting = 0
    for i in range(n_units):
        for j in range(n_columns):
            dh0[i, j] = work.dh_before[i * n_columns + j]
            dc0[i, j] = work.dc[i * n_columns + j]
    _add_sums(work.dE, 0, dE)
    _add_sums(work.dE, E.size, dE_second)


@kernel(inline="always")
def _work_arrays(plan, n_columns, shape, n_units, n_sums, like):
    """Return new work arrays; dc, dh_before and dE are zero, all others are uninitialised."""
    n_gate_rows, n_rows = shape
    size = n_units * n_columns
    dh_before, spare, dc = aligned(size, like), aligned(size, like), aligned(size, like)
    dE = aligned(2 * n_sums * width(like), like)
    dc[:] = 0
    dh_before[:] = 0
    dE[:] = 0
    dZ = aligned(plan.n_steps * n_gate_rows * n_columns, like)
    # Each row begins where a vector may: products read vectors of the rows again and again.
    columns = aligned(plan.n_steps * n_columns * round_up_to_vectors(n_rows, like), like)
    return _Work(dZ, columns, dh_before, dc, spare, dE)


@kernel(inline="always")
def _add_sums(sums, first, dE):
    """Add the sums of the elements of vectors to the numbers of dE."""
    flat, size = dE.reshape(-1), width(sums)
    for k in range(flat.size):
        for i in range(size):
            flat[k] += sums[(first + k) * size + i]


@kernel
def _arrange_step(layer, ptr, column, m, n_next, n_before, n_waiting):
    """Return addresses and offsets of a step; give dc and c_{t-1} m columns."""
    cell, n_features, n_units, n_gate_rows, n_rows, h_rows, a_rows = layer
    # ``column`` columns of earlier steps lie before the blocks of this one.
    s, c = n_rows * column, n_units * column
    gates, a = ptr.A, a_rows * column
    if cell <= RNN_RELU and n_next == m:
        # S of the next step has the same outputs, and is nearer in the caches.
        gates, a = ptr.S, s + (n_rows + n_features) * m
    c_before, c_start = ptr.c0, 0
    if CARRIES_C[cell]:
        if n_next < m:  # for sequences that end here, dc is zero
            copy_columns(ptr.dc, 0, n_next, ptr.spare, 0, n_next, n_units)
            copy_columns(ptr.spare, 0, n_next, ptr.dc, 0, m, n_units)
        if n_before:
            c_before, c_start = ptr.C, c - n_units * n_before
        if n_before > m:
            copy_columns(ptr.C, c_start, n_before, ptr.spare, 0, m, n_units)
            c_before, c_start = ptr.spare, 0
    buffers = BackwardBuffers(
        ptr.S,
        gates,
        ptr.C,
        c_before,
        ptr.dH,
        ptr.dZ,
        ptr.dh_before,
        ptr.dc,
        ptr.E,
        ptr.dE,
    )
    z = n_waiting * n_gate_rows * m
    at = BackwardOffsets(s, s + n_features * m, a, c, c_start, h_rows * column, z)
    return buffers, at


@kernel
def _step_back(cell, M, sizes, n_first, buffers, at):
    """Carry dh of one step back: dZ by the equations, then dh_before = M.T dZ (rows of h)."""
    n_features, n_units, m = sizes
    size, MT = n_units * m, transposed(M)
    dh_before, dZ = block(buffers.dh_before, 0, m), block(buffers.dZ, at.dZ, m)
    if cell == LSTM:
        lstm_back(size, buffers, at)
        multiply_part(MT, Part(n_features, n_units, 0, 4 * n_units), dZ, False, dh_before, m)
    elif cell == GRU_AFTER:
        # Without the rows of nx, the third gate, which does not depend on the states.
        gru_after_back(size, buffers, at)
        multiply_part(MT, Part(n_features, n_units, 0, 2 * n_units), dZ, True, dh_before, m)
        part, dnh = Part(n_features, n_units, 3 * n_units, n_units), corner(dZ, 3 * n_units, 0)
        multiply_part(MT, part, dnh, True, dh_before, m)
    elif cell == GRU_BEFORE:
        gru_before_back(size, buffers, at)
        part, dn = Part(n_features, n_units, 2 * n_units, n_units), corner(dZ, 2 * n_units, 0)
        multiply_part(MT, part, dn, False, dh_before, m)  # d (r h'), which `reset_back` replaces
        reset_back(size, buffers, at)
        multiply_part(MT, Part(n_features, n_units, 0, 2 * n_units), dZ, True, dh_before, m)
    elif cell == MIN_GRU:
        min_gru_back(size, buffers, at)
    elif cell == MIN_LSTM:
        min_lstm_back(size, buffers, at)
    elif cell == LRU:
        lru_back(n_units, m, n_first, buffers, at)
    else:
        rnn_back(cell, size, buffers, at)
        multiply_part(MT, Part(n_features, n_units, 0, n_units), dZ, False, dh_before, m)


@kernel
def _complete_output_gradient(ptr, h, n_next, n_columns, m, n_units, last_only):
    """Complete dh_t: what the loss says, plus dh_before of step t + 1 for its n_next columns."""
    if last_only:
        _join_columns(ptr.dh_before, n_next, ptr.last, n_columns, ptr.dH, h, m, n_units)
    else:
        _add_columns(ptr.dh_before, n_next, ptr.dH, h, m, n_units)


@kernel
def _add_columns(source, n_source, target, t, n_target, n_rows):
    """Add a block of n_source columns to the leading columns of the block at target[t]."""
    if n_source == n_target:  # one row holds all numbers
        n_rows, n_source, n_target = 1, n_rows * n_source, n_rows * n_target
    for k in range(n_rows):
        for j in range(0, n_source, width(target)):
            left, index = n_source - j, t + k * n_target + j
            total = load_first(target, index, left) + load_first(source, k * n_source + j, left)
            store_first(target, index, drop_tiny(total), left)


@kernel
def _join_columns(source, n_source, last, n_last, target, t, n_target, n_rows):
    """Copy a block to the leading columns of that at target[t], and ``last`` to the others.

    A vector across the border gets ``last`` first, then its first elements from the source.
    """
    if n_source == n_target:  # one row holds all numbers
        n_rows, n_source, n_target = 1, n_rows * n_source, n_rows * n_target
    for k in range(n_rows):
        for j in range(0, n_target, width(target)):
            index = t + k * n_target + j
            if j + width(target) > n_source and n_source < n_target:
                vector = load_first(last, k * n_last + j, n_target - j)
                store_first(target, index, vector, n_target - j)
            vector = drop_tiny(load_first(source, k * n_source + j, n_source - j))
            store_first(target, index, vector, n_source - j)


@kernel
def _store_columns(S, n_rows, m, columns, plan, n_waiting):
    """Write the m columns of S as rows behind those of the n_waiting steps after it.

    These have as many columns in either half of the batch.
    """
    first = min(m, plan.n_first)
    second = m - first
    transpose(S, n_rows, first, corner(columns, n_waiting * first, 0))
    if second:
        row = plan.n_steps * plan.n_first + n_waiting * second
        transpose(corner(S, 0, first), n_rows, second, corner(columns, row, 0))


@kernel
def _add_steps(layer, plan, ptr, at, counts, columns, dM):
    """Add the sum of dZ S.T over the waiting steps to the gradients of both halves of the batch."""
    cell, _, n_units, n_gate_rows, n_rows, _, _ = layer
    m, n_steps = counts
    # The blocks of dZ have the last step first, those of S the first step.
    dZ = steps_of_blocks(ptr.dZ, 0, m, n_gate_rows * m)
    S = steps_of_blocks(ptr.S, at.S + n_rows * m * (n_steps - 1), m, -n_rows * m)
    if cell == GRU_BEFORE:
        shape = Shape(1, n_gate_rows, m, n_rows)
        _add_step_of_gru_before(dZ, columns, block(ptr.C, at.C, m), dM[0], shape, n_units)
        return
    first = min(m, plan.n_first)
    shape = Shape(n_steps, n_gate_rows, first, n_rows)
    _add_to_weights(cell, _Sums(dZ, S, columns), dM[0], shape, n_units)
    if first < m:
        others = corner(columns, plan.n_steps * plan.n_first, 0)
        second = _Sums(corner(dZ, 0, first), corner(S, 0, first), others)
        shape = Shape(n_steps, n_gate_rows, m - first, n_rows)
        _add_to_weights(cell, second, dM[1], shape, n_units)


@kernel
def _add_to_weights(cell, sums, dM, shape, n_units):
    """Add the sum of dZ S.T over some steps to dM, but not to blocks where a gru has zeros."""
    dZ, S, columns = sums
    if cell != GRU_AFTER:
        add_products(dZ, S, columns, dM, shape)
        return
    n_steps, _, m, n_rows = shape
    nx, nh = 2 * n_units, 3 * n_units  # first rows of these gates
    h, one = n_rows - n_units - 1, n_rows - 1  # first columns of M that these multiply
    add_products(dZ, S, columns, dM, Shape(n_steps, nx, m, n_rows))
    add_products(corner(dZ, nx, 0), S, columns, corner(dM, nx, 0), Shape(n_steps, n_units, m, h))
    add_products(
        corner(dZ, nx, 0), corner(S, one, 0), corner(columns, 0, one), corner(dM, nx, one),
        Shape(n_steps, n_units, m, 1),
    )  # fmt: skip
    add_products(
        corner(dZ, nh, 0), corner(S, h, 0), corner(columns, 0, h), corner(dM, nh, h),
        Shape(n_steps, n_units, m, n_units + 1),
    )  # fmt: skip


@kernel
def _add_step_of_gru_before(dZ, columns, reset, dM, shape, n_units):
    """Add dZ S.T of one step to dM, with r h' in place of h' for the rows of n."""
    _, _, m, n_rows = shape
    n = 2 * n_units  # its first row
    multiply_blocks(dZ, columns, True, dM, Shape(1, n, m, n_rows))
    transpose(reset, n_units, m, corner(columns, 0, n_rows - n_units - 1))
    multiply_blocks(corner(dZ, n, 0), columns, True, corner(dM, n, 0), Shape(1, n_units, m, n_rows))
