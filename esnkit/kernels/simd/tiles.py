"""Tiles of matrix products: a few rows by one or two vectors, whose sums stay in registers.

Matrices are blocks (:mod:`esnkit.kernels.simd.addresses`). Vectors are as wide as the registers of
the processor. Where a matrix ends before a vector does, a mask keeps the rest of the vector from
being read or written. A tile that has more rows than are left repeats the last row.
"""

from typing import NamedTuple

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from esnkit.kernels.simd.addresses import BYTES, HAS_32_REGISTERS, WORD
from esnkit.kernels.simd.masked import emit_load, emit_mask, emit_store
from esnkit.kernels.simd.vectors import constant, emit_fill, emit_fma

__all__ = [
    "DOT_ROWS",
    "Emitter",
    "ROW_VECTORS",
    "Shape",
    "TILE_ROWS",
    "add_dots",
    "multiply_row",
    "multiply_tile",
    "multiply_wide_tile",
]

# Rows of a tile; their sums in two vectors each fill half of the registers.
TILE_ROWS = 8 if HAS_32_REGISTERS else 4
ROW_VECTORS = 8  # vectors of a tile of a single row
DOT_ROWS = 4 if HAS_32_REGISTERS else 2  # rows of A, and of B, whose dot products are one tile


class Shape(NamedTuple):
    """Sizes of the product C = sum over time of A(t) @ B(t)."""

    n_steps: int
    n_rows: int  # of A and C
    n_inner: int  # columns of A, rows of B
    n_columns: int  # of B and C


class Emitter:
    """Emits LLVM code for vectors of the numbers that a block has."""

    def __init__(self, context, builder, block_type):
        self.builder = builder
        self.number = context.get_value_type(block_type[0].dtype)
        bits = 64 if self.number == ir.DoubleType() else 32
        self.count = 8 * BYTES // bits
        self.vector = ir.VectorType(self.number, self.count)
        self._sum_name = f"llvm.vector.reduce.fadd.v{self.count}f{bits}"

    def rows(self, first, stride, last, n):
        """Return pointers to n rows, of which those after the last one are that again."""
        return [
            self.builder.gep(first, [self.builder.mul(self.smaller(WORD(i), last), stride)])
            for i in range(n)
        ]

    def smaller(self, a, b):
        """Return the smaller of two integers."""
        return self.builder.select(self.builder.icmp_signed("<", a, b), a, b)

    def fill(self, value):
        """Return a vector of one value."""
        return emit_fill(self.builder, value, self.count)

    def mask(self, n):
        """Return which elements of a vector are among the first n."""
        return emit_mask(self.builder, n, self.count)

    def load(self, pointer, mask):
        """Load the elements of a vector that the mask selects; the others are zero."""
        return emit_load(self.builder, self._to_vector(pointer), mask)

    def store(self, vector, pointer, mask):
        """Store the elements of a vector that the mask selects."""
        emit_store(self.builder, vector, self._to_vector(pointer), mask)

    def add_elements(self, start, vector):
        """Return start plus the sum of the elements of a vector."""
        kind = ir.FunctionType(self.number, [self.number, self.vector])
        function = cgutils.get_or_insert_function(self.builder.module, kind, self._sum_name)
        return self.builder.call(function, [start, vector], fastmath=("reassoc",))

    def accumulators(self, n):
        """Return n vectors of zeros; LLVM keeps such variables in registers."""
        zero = constant(self.vector, 0.0)
        return [cgutils.alloca_once_value(self.builder, zero) for _ in range(n)]

    def accumulate(self, total, a, b):
        """Add the products of two vectors to an accumulator, each rounded once."""
        self.builder.store(emit_fma(self.builder, a, b, self.builder.load(total)), total)

    def _to_vector(self, pointer):
        return self.builder.bitcast(pointer, self.vector.as_pointer())


def _tile(n_rows, n_vectors):
    """Make the product of n_rows rows of A with n_vectors vectors of the columns of B."""

    @intrinsic
    def multiply(typingctx, A, B, add, C, shape):
        def codegen(context, builder, signature, args):
            emit = Emitter(context, builder, signature.args[0])
            A, B, C, shape = (cgutils.unpack_tuple(builder, args[i]) for i in (0, 1, 3, 4))
            n_steps, rows_left, n_inner, columns_left = shape
            last = builder.sub(rows_left, WORD(1))
            shifts = [WORD(v * emit.count) for v in range(n_vectors)]
            masks = [emit.mask(builder.sub(columns_left, shift)) for shift in shifts]
            left = emit.rows(A[0], A[1], last, n_rows)
            out = emit.rows(C[0], C[1], last, n_rows)
            out = [builder.gep(row, [shift]) for row in out for shift in shifts]
            sums = emit.accumulators(len(out))
            with builder.if_then(args[2]):
                for i, total in enumerate(sums):
                    builder.store(emit.load(out[i], masks[i % n_vectors]), total)
            with cgutils.for_range(builder, n_steps, intp=WORD) as time:
                # Row k of B(t) is row t n_inner + k of the rows of all time steps.
                first = builder.mul(time.index, n_inner)
                a = [builder.gep(row, [builder.mul(time.index, A[2])]) for row in left]
                with cgutils.for_range(builder, n_inner, intp=WORD) as inner:
                    k = builder.add(first, inner.index)
                    row = builder.gep(B[0], [builder.mul(k, B[1])])
                    b = [
                        emit.load(builder.gep(row, [shift]), mask)
                        for shift, mask in zip(shifts, masks, strict=True)
                    ]
                    for r in range(n_rows):
                        factor = emit.fill(builder.load(builder.gep(a[r], [inner.index])))
                        for v in range(n_vectors):
                            emit.accumulate(sums[r * n_vectors + v], factor, b[v])
            for i, total in enumerate(sums):
                emit.store(builder.load(total), out[i], masks[i % n_vectors])
            return context.get_dummy_value()

        return types.none(A, B, types.boolean, C, shape), codegen

    return multiply


# C = A @ B, or C + A @ B where `add`, for one tile; `shape` has the rows and columns that are left
# from its first ones on. Each number of C is one sum, in the order of time and then of the columns
# of A, so its bits depend neither on the tile nor on its neighbours. The rows of B of all time
# steps are consecutive: `step` of B and C is not used.
multiply_tile, multiply_wide_tile = _tile(TILE_ROWS, 1), _tile(TILE_ROWS, 2)
multiply_row = _tile(1, ROW_VECTORS)


@intrinsic
def add_dots(typingctx, A, B, C, shape):
    """Add A(t) @ B(t).T to C for up to DOT_ROWS rows of A and as many of B.

    ``shape`` has the rows of A (n_rows) and of B (n_columns) that are left. The sums run along the
    rows, vector by vector; the elements of the vectors are added at the end.
    """

    def codegen(context, builder, signature, args):
        emit = Emitter(context, builder, signature.args[0])
        A, B, C, shape = (cgutils.unpack_tuple(builder, arg) for arg in args)
        n_steps, rows_left, n_inner, columns_left = shape
        last_a, last_b = builder.sub(rows_left, WORD(1)), builder.sub(columns_left, WORD(1))
        left = emit.rows(A[0], A[1], last_a, DOT_ROWS)
        right = emit.rows(B[0], B[1], last_b, DOT_ROWS)
        rows = emit.rows(C[0], C[1], last_a, DOT_ROWS)
        out = [entry for row in rows for entry in emit.rows(row, WORD(1), last_b, DOT_ROWS)]
        before = [builder.load(entry) for entry in out]
        sums = emit.accumulators(len(out))
        n_vectors = builder.sdiv(builder.add(n_inner, WORD(emit.count - 1)), WORD(emit.count))
        with cgutils.for_range(builder, n_steps, intp=WORD) as time:
            shift_a, shift_b = (builder.mul(time.index, step) for step in (A[2], B[2]))
            with cgutils.for_range(builder, n_vectors, intp=WORD) as loop:
                k = builder.mul(loop.index, WORD(emit.count))
                mask = emit.mask(builder.sub(n_inner, k))
                at_a, at_b = builder.add(shift_a, k), builder.add(shift_b, k)
                a = [emit.load(builder.gep(row, [at_a]), mask) for row in left]
                b = [emit.load(builder.gep(row, [at_b]), mask) for row in right]
                for i, total in enumerate(sums):
                    emit.accumulate(total, a[i // DOT_ROWS], b[i % DOT_ROWS])
        # Repeated rows have the sum of the last one, and store the same number again: all of C was
        # loaded before.
        for start, total, entry in zip(before, sums, out, strict=True):
            builder.store(emit.add_elements(start, builder.load(total)), entry)
        return context.get_dummy_value()

    return types.none(A, B, C, shape), codegen
