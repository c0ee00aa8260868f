"""The weights of a reservoir as one stream of vectors, in the order in which a step reads them.

A step is bound by how fast weights arrive from the caches, which prefetch a single stream best.
"""

from typing import NamedTuple

import numpy as np
from numba import int64
from numba.core import types
from numba.extending import overload

from esnkit.kernels.compilation import kernel
from esnkit.kernels.layouts import Csr, Diagonals, Ell
from esnkit.kernels.simd.vectors import aligned, load, store, width

BLOCK_VECTORS = 4  # vectors of units in a block, which a step computes side by side
MAX_PACKED_INPUTS = 32  # with more, W_in u + b of several rows at once is cheaper


class PackedWeights(NamedTuple):
    """Weights in blocks of units; the last block is padded with zeros.

    A block has `BLOCK_VECTORS` vectors of units. Block by block, ``weights`` holds one row of units
    after the other: the bias, the input weights of each feature, then the entries of W, term by
    term. ``rates`` holds rows of g and of k. ``columns`` holds the index in the state at which each
    diagonal of a block begins, or rows of the columns of gathered entries.
    """

    weights: np.ndarray  # (n_blocks * (1 + n_inputs + n_diagonals + n_gathered) * block,)
    rates: np.ndarray  # (2 * n_blocks * block,), or one block if g and k are those of all units
    columns: np.ndarray  # (n_blocks * (n_diagonals + n_gathered * block),) uint32
    kept: np.ndarray  # (n_blocks,) uint32, index of the first unit of P x that a block keeps
    n_units: int
    n_inputs: int  # features in ``weights``, or -1 if W_in u + b comes from elsewhere
    n_diagonals: int  # terms of a row whose columns are consecutive for consecutive units
    n_gathered: int  # terms of a row whose columns may be anywhere


@kernel
def pack_rows(rows, n_rows, first, block, out):
    """Write rows (k, n_units) to rows first, ..., first + k - 1 of every block of ``out``.

    A block of ``out`` has ``n_rows`` rows of ``block`` units; the last one may be partly filled:

        out[(i // block * n_rows + first + j) * block + i % block] = rows[j, i]
    """
    k, n_units = rows.shape
    n_full, v = n_units // block, width(out)
    # A block is a whole number of vectors, so these loads and stores end within rows and blocks.
    for b in range(n_full):
        for j in range(k):
            source, target = j * n_units + b * block, (b * n_rows + first + j) * block
            for i in range(0, block, v):
                store(out, target + i, load(rows, source + i))
    for j in range(k):
        target = (n_full * n_rows + first + j) * block
        for i in range(n_units - n_full * block):
            out[target + i] = rows[j, n_full * block + i]


@kernel(inline="always")
def zero_blocks(n_units, n_rows, block, like):
    """Return zeros for blocks of ``n_rows`` rows, aligned to a cache line."""
    out = aligned(-(-n_units // block) * n_rows * block, like)
    for k in range(out.size):
        out[k] = 0
    return out


@kernel
def _pack_shifts(shifts, n_units, block):
    """Return, for every block of units, where its diagonals begin in the state."""
    n_blocks = -(-n_units // block)
    out = np.empty(n_blocks * shifts.size, np.uint32)
    # Entry (i, (i + shift) mod n): block b begins at i = b * block, and its other columns follow.
    for b in range(n_blocks):
        for j in range(shifts.size):
            out[b * shifts.size + j] = (b * block + int(shifts[j])) % n_units
    return out


@kernel
def _pack_shift(shift, n_units, block):
    """Return, for every block of units, where its units of P x begin in the state."""
    out = np.empty(-(-n_units // block), np.uint32)
    for b in range(out.size):
        out[b] = (b * block + shift) % n_units
    return out


@kernel(inline="always")
def _pack_gathered(columns, n_units, block):
    """Return the gathered columns block by block, padded with zeros."""
    out = zero_blocks(n_units, columns.shape[0], block, columns)
    pack_rows(columns, columns.shape[0], int64(0), block, out)
    return out


@kernel(inline="always")
def _is_constant(values):
    constant = True
    for i in range(values.size):
        constant = constant and values[i] == values[0]
    return constant


@kernel(inline="always")
def pack(W, input_weights):
    """Return the weights of a reservoir as a stream of vectors.

    If W is a `Csr`, the rates alone are packed.
    """
    w_in, b, gain, keep, shift, _, _ = input_weights
    weights, n_diagonals, n_gathered = terms(W)
    n, block, n_inputs = b.size, BLOCK_VECTORS * width(b), w_in.shape[0]
    if n_inputs > MAX_PACKED_INPUTS or not is_packed(W):
        n_inputs = -1
    n_rows = 1 + n_inputs + weights.shape[0]  # without packed inputs there is no bias either
    stream = zero_blocks(n, n_rows, block, b)
    if n_inputs >= 0:
        pack_rows(b.reshape(1, -1), n_rows, int64(0), block, stream)
        pack_rows(w_in, n_rows, int64(1), block, stream)
    pack_rows(weights, n_rows, 1 + n_inputs, block, stream)
    n_rates = min(n, block) if _is_constant(gain) and _is_constant(keep) else n
    rates = zero_blocks(n_rates, int64(2), block, b)
    pack_rows(gain[:n_rates].reshape(1, -1), int64(2), int64(0), block, rates)
    pack_rows(keep[:n_rates].reshape(1, -1), int64(2), int64(1), block, rates)
    columns, kept = pack_columns(W, n, block), _pack_shift(shift, n, block)
    return PackedWeights(stream, rates, columns, kept, n, n_inputs, n_diagonals, n_gathered)


def is_packed(W):
    """Tell whether the layout of W has rows of units that can be packed: all but `Csr`."""
    return not isinstance(W, Csr)


def terms(W):
    """Return the weights of W (n_terms, n_units), and how many are diagonals and gathered."""
    if isinstance(W, Diagonals):
        return W.weights, W.shifts.size, 0
    if isinstance(W, Ell):
        return W.weights, 0, W.columns.shape[0]
    return np.empty((0, 0), W.weights.dtype), 0, 0


def pack_columns(W, n_units, block):
    """Return, for every block, where its diagonals begin in the state, or its gathered columns."""
    if isinstance(W, Ell):
        return _pack_gathered(W.columns, n_units, block)
    return _pack_shifts(W.shifts if isinstance(W, Diagonals) else W.indptr[:0], n_units, block)


def _layout(W):
    return W.instance_class if isinstance(W, types.NamedTuple) else None


@overload(is_packed, inline="always")
def _is_packed_overload(W):
    packed = _layout(W) is not Csr
    return lambda W: packed


@overload(terms, inline="always")
def _terms_overload(W):
    if _layout(W) is Diagonals:
        return lambda W: (W.weights, W.shifts.size, int64(0))
    if _layout(W) is Ell:
        return lambda W: (W.weights, int64(0), W.columns.shape[0])
    return lambda W: (np.empty((0, 0), W.weights.dtype), int64(0), int64(0))


@overload(pack_columns)
def _pack_columns_overload(W, n_units, block):
    if _layout(W) is Diagonals:
        return lambda W, n_units, block: _pack_shifts(W.shifts, n_units, block)
    if _layout(W) is Ell:
        return lambda W, n_units, block: _pack_gathered(W.columns, n_units, block)
    return lambda W, n_units, block: _pack_shifts(W.indptr[:0], n_units, block)
