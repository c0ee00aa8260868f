"""Transposition of blocks, and the exchange of their columns with rows anywhere in an array.

Squares as wide as a vector are transposed in registers. Where the matrix ends before a square
does, masks keep the rest from being read or written.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from esnkit.kernels.compilation import kernel
from esnkit.kernels.simd.addresses import WORD, corner, vector_size
from esnkit.kernels.simd.tiles import Emitter

__all__ = ["gather_columns", "scatter_columns", "transpose"]


def _transposed(emit, vectors):
    """Return the columns of a square of vectors, swapping ever larger blocks of it."""
    vectors, n, size = list(vectors), emit.count, 1
    kind = ir.VectorType(ir.IntType(32), n)
    while size < n:
        # Of 2 by 2 blocks [[a b] [c d]] of this size, b and c change places.
        low = ir.Constant(kind, [i + (n - size if i & size else 0) for i in range(n)])
        high = ir.Constant(kind, [i + (n if i & size else size) for i in range(n)])
        for i in range(n):
            if not i & size:
                a, b = vectors[i], vectors[i + size]
                vectors[i] = emit.builder.shuffle_vector(a, b, low)
                vectors[i + size] = emit.builder.shuffle_vector(a, b, high)
        size *= 2
    return vectors


def _emit_square(emit, source, target, n_source, n_target):
    """Write the transpose of the first n_source rows of a square, (rows, numbers in a row).

    A row of the source has n_target numbers, and becomes a column of as many rows.
    """
    mask_in, mask_out = emit.mask(n_target), emit.mask(n_source)
    vectors = _transposed(emit, [emit.load(pointer, mask_in) for pointer in source])
    for i, vector in enumerate(vectors):
        inside = emit.builder.icmp_signed("<", WORD(i), n_target)
        with emit.builder.if_then(inside, likely=True):
            emit.store(vector, target[i], mask_out)


def _square(to_rows, by_index):
    """Make the exchange of a square of S with as many rows of X."""

    @intrinsic
    def exchange(typingctx, S, n_rows, n_columns, X, index):
        def codegen(context, builder, signature, args):
            emit = Emitter(context, builder, signature.args[0])
            S, X, index = (cgutils.unpack_tuple(builder, args[i]) for i in (0, 3, 4))
            n_rows, n_columns = args[1:3]
            last_row, last_column = builder.sub(n_rows, WORD(1)), builder.sub(n_columns, WORD(1))
            inside = emit.rows(S[0], S[1], last_row, emit.count)
            outside = emit.rows(X[0], X[1], last_column, emit.count)
            if by_index:
                where = emit.rows(index[0], WORD(1), last_column, emit.count)
                outside = [builder.gep(X[0], [builder.mul(builder.load(w), X[1])]) for w in where]
            if to_rows:
                _emit_square(emit, inside, outside, n_rows, n_columns)
            else:
                _emit_square(emit, outside, inside, n_columns, n_rows)
            return context.get_dummy_value()

        return types.none(S, types.intp, types.intp, X, index), codegen

    return exchange


# X[j, i] = S[i, j] for up to a vector of the rows and columns of S that are left; X[index[j], i] in
# place of X[j, i]; and the reverse of that.
_transpose_square = _square(True, False)
_scatter_square, _gather_square = _square(True, True), _square(False, True)


@kernel
def transpose(S, n_rows, n_columns, X):
    """X = S.T, where S is a block of n_rows by n_columns."""
    size = vector_size(S)
    for j in range(0, n_columns, size):
        for i in range(0, n_rows, size):
            # Nothing reads an index here, so any block will do.
            _transpose_square(corner(S, i, j), n_rows - i, n_columns - j, corner(X, j, i), X)


@kernel
def scatter_columns(S, n_rows, n_columns, X, index):
    """X[index[0, j], i] = S[i, j] for blocks: S has n_rows by n_columns, index one row of int64."""
    size = vector_size(S)
    for j in range(0, n_columns, size):
        for i in range(0, n_rows, size):
            _scatter_square(
                corner(S, i, j), n_rows - i, n_columns - j, corner(X, 0, i), corner(index, 0, j)
            )


@kernel
def gather_columns(X, index, S, n_rows, n_columns):
    """S[i, j] = X[index[0, j], i], the reverse of `scatter_columns`."""
    size = vector_size(S)
    for j in range(0, n_columns, size):
        for i in range(0, n_rows, size):
            _gather_square(
                corner(S, i, j), n_rows - i, n_columns - j, corner(X, 0, i), corner(index, 0, j)
            )
