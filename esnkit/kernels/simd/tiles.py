"""Tiles of matrices, held in registers: products of their rows, and rows turned into columns.

Vectors have the processor's own width. Where a matrix ends before a vector does, the rest of the
vector is masked: it is neither read nor written. Rows beyond the last are the last one again.
"""

import llvmlite.binding as llvm
import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from esnkit.kernels.simd.masked import emit_load, emit_mask, emit_store
from esnkit.kernels.simd.vectors import constant, emit_fill, emit_fma

_FEATURES = numba.config.CPU_FEATURES or llvm.get_host_cpu_features().flatten()  # type: ignore[attr-defined]
_MANY_REGISTERS = "+avx512f" in _FEATURES
BYTES = 64 if _MANY_REGISTERS else 32
# Two vectors of so many rows are summed at a time: half of the registers.
ROWS = 8 if _MANY_REGISTERS else 4
ROW_VECTORS = 8
SIDE = 4 if _MANY_REGISTERS else 2
_WORD = ir.IntType(64)


class _Emitter:
    """Emits LLVM code for vectors of numbers of one type."""

    def __init__(self, context, builder, number):
        self.builder = builder
        self.number = context.get_value_type(number)
        self.count = 8 * BYTES // number.bitwidth
        self.vector = ir.VectorType(self.number, self.count)

    def at(self, address):
        return self.builder.inttoptr(address, self.number.as_pointer())

    def rows(self, first, far, last, n):
        """Return pointers to n rows, so far apart; beyond the last one it is that again."""
        return [
            self.builder.gep(first, [self.builder.mul(self.smaller(_WORD(i), last), far)])
            for i in range(n)
        ]

    def smaller(self, a, b):
        return self.builder.select(self.builder.icmp_signed("<", a, b), a, b)

    def everywhere(self, value):
        return emit_fill(self.builder, value, self.count)

    def mask(self, n):
        return emit_mask(self.builder, n, self.count)

    def load(self, pointer, mask):
        return emit_load(self.builder, self._of_vector(pointer), mask)

    def store(self, vector, pointer, mask):
        emit_store(self.builder, vector, self._of_vector(pointer), mask)

    def total(self, start, vector):
        """Return start plus all elements of the vector."""
        bits = 8 * BYTES // self.count
        kind = ir.FunctionType(self.number, [self.number, self.vector])
        name = f"llvm.vector.reduce.fadd.v{self.count}f{bits}"
        function = cgutils.get_or_insert_function(self.builder.module, kind, name)
        return self.builder.call(function, [start, vector], fastmath=("reassoc",))

    def _of_vector(self, pointer):
        return self.builder.bitcast(pointer, self.vector.as_pointer())

    def _places(self, values):
        return ir.Constant(ir.VectorType(ir.IntType(32), self.count), values)

    def turned(self, vectors):
        """Return the columns of a square of vectors, swapping ever larger blocks of it."""
        vectors, n = list(vectors), self.count
        size = 1
        while size < n:
            low = self._places([i + (n - size if i & size else 0) for i in range(n)])
            high = self._places([i + (n if i & size else size) for i in range(n)])
            for i in range(n):
                if not i & size:
                    a, b = vectors[i], vectors[i + size]
                    vectors[i] = self.builder.shuffle_vector(a, b, low)
                    vectors[i + size] = self.builder.shuffle_vector(a, b, high)
            size *= 2
        return vectors


def _product(n_rows, n_vectors):
    @intrinsic
    def tile(typingctx, one, A, far_a, last, far_block, blocks, B, far_b, n, C, far_c, m, add):
        def codegen(context, builder, signature, args):
            _, A, far_a, last, far_block, blocks, B, far_b, n, C, far_c, m, add = args
            emit = _Emitter(context, builder, signature.args[0])
            shifts = [_WORD(v * emit.count) for v in range(n_vectors)]
            masks = [emit.mask(builder.sub(m, shift)) for shift in shifts]
            left = emit.rows(emit.at(A), far_a, last, n_rows)
            right = emit.at(B)
            out = emit.rows(emit.at(C), far_c, last, n_rows)
            out = [builder.gep(row, [shift]) for row in out for shift in shifts]
            zero = constant(emit.vector, 0.0)
            # LLVM keeps such variables in registers.
            sums = [cgutils.alloca_once_value(builder, zero) for _ in out]
            with builder.if_then(add):
                for i, place in enumerate(sums):
                    builder.store(emit.load(out[i], masks[i % n_vectors]), place)
            with cgutils.for_range(builder, blocks, intp=_WORD) as outer:
                before = builder.mul(outer.index, n)
                here = [builder.gep(p, [builder.mul(outer.index, far_block)]) for p in left]
                with cgutils.for_range(builder, n, intp=_WORD) as loop:
                    row = builder.mul(builder.add(before, loop.index), far_b)
                    row = builder.gep(right, [row])
                    vectors = [
                        emit.load(builder.gep(row, [shift]), mask)
                        for shift, mask in zip(shifts, masks, strict=True)
                    ]
                    for r in range(n_rows):
                        value = builder.load(builder.gep(here[r], [loop.index]))
                        value = emit.everywhere(value)
                        for v in range(n_vectors):
                            place = sums[r * n_vectors + v]
                            total = emit_fma(builder, value, vectors[v], builder.load(place))
                            builder.store(total, place)
            for i, place in enumerate(sums):
                emit.store(builder.load(place), out[i], masks[i % n_vectors])
            return context.get_dummy_value()

        return types.none(one, *[types.intp] * 11, types.boolean), codegen

    return tile


# C = A @ B for ROWS rows (`last` is the last there is) and up to one or two vectors of the m
# columns left, or for one row and several vectors. A, B, C are addresses, their rows far_a, far_b,
# far_c apart; `one` is any number of their type. The sums are over n columns of each of so many
# blocks of A, which are far_block apart.
narrow_product, broad_product = _product(ROWS, 1), _product(ROWS, 2)
row_product = _product(1, ROW_VECTORS)


@intrinsic
def add_dots(
    typingctx, one, A, far_a, last_a, block_a, B, far_b, last_b, block_b, blocks, n, C, far_c
):
    """Add products of up to SIDE rows of A with as many of B to C, in sums that go along rows.

    The rows of one block are n numbers; blocks are block_a and block_b apart. All the rest is as
    above.
    """

    def codegen(context, builder, signature, args):
        _, A, far_a, last_a, block_a, B, far_b, last_b, block_b, blocks, n, C, far_c = args
        emit = _Emitter(context, builder, signature.args[0])
        left = emit.rows(emit.at(A), far_a, last_a, SIDE)
        right = emit.rows(emit.at(B), far_b, last_b, SIDE)
        rows = emit.rows(emit.at(C), far_c, last_a, SIDE)
        out = [pointer for row in rows for pointer in emit.rows(row, _WORD(1), last_b, SIDE)]
        before = [builder.load(pointer) for pointer in out]
        zero = constant(emit.vector, 0.0)
        sums = [cgutils.alloca_once_value(builder, zero) for _ in out]
        vectors = builder.sdiv(builder.add(n, _WORD(emit.count - 1)), _WORD(emit.count))
        with cgutils.for_range(builder, blocks, intp=_WORD) as outer:
            shift_a, shift_b = (builder.mul(outer.index, block) for block in (block_a, block_b))
            with cgutils.for_range(builder, vectors, intp=_WORD) as loop:
                place = builder.mul(loop.index, _WORD(emit.count))
                mask = emit.mask(builder.sub(n, place))
                at_a, at_b = builder.add(shift_a, place), builder.add(shift_b, place)
                a = [emit.load(builder.gep(row, [at_a]), mask) for row in left]
                b = [emit.load(builder.gep(row, [at_b]), mask) for row in right]
                for i, total in enumerate(sums):
                    factors = a[i // SIDE], b[i % SIDE]
                    builder.store(emit_fma(builder, *factors, builder.load(total)), total)
        # Rows beyond the last come to what it comes to, and write that again.
        for start, total, pointer in zip(before, sums, out, strict=True):
            builder.store(emit.total(start, builder.load(total)), pointer)
        return context.get_dummy_value()

    return types.none(one, *[types.intp] * 12), codegen


def _turn(to_rows):
    @intrinsic
    def turn(typingctx, one, S, far_s, k, X, far_x, rows, m):
        def codegen(context, builder, signature, args):
            _, S, far_s, k, X, far_x, rows, m = args
            emit = _Emitter(context, builder, signature.args[0])
            one = _WORD(1)
            block = emit.rows(emit.at(S), far_s, builder.sub(k, one), emit.count)
            index = builder.inttoptr(rows, _WORD.as_pointer())
            which = emit.rows(index, one, builder.sub(m, one), emit.count)
            outside = [
                builder.gep(emit.at(X), [builder.mul(builder.load(row), far_x)]) for row in which
            ]
            mask_k, mask_m = emit.mask(k), emit.mask(m)
            if to_rows:
                source, mask, target, n, mask_out = block, mask_m, outside, m, mask_k
            else:
                source, mask, target, n, mask_out = outside, mask_k, block, k, mask_m
            vectors = emit.turned(emit.load(pointer, mask) for pointer in source)
            for i, vector in enumerate(vectors):
                with builder.if_then(builder.icmp_signed("<", _WORD(i), n), likely=True):
                    emit.store(vector, target[i], mask_out)
            return context.get_dummy_value()

        return types.none(one, *[types.intp] * 7), codegen

    return turn


# S[f far_s + j] = X[rows[j] far_x + f] for up to a vector of the k f and m j that are left, and the
# reverse. S, X and rows, which holds int64, are addresses.
rows_to_block, block_to_rows = _turn(False), _turn(True)
