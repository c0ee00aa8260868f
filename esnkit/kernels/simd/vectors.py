"""Vectors of 64 bytes for kernels, loaded from and stored to any index of an array.

A compiler vectorises a plain loop only if it can prove, or test at run time, that the arrays do not
overlap, and it gives up on loops with many arrays. With explicit vectors a whole step of a
reservoir is one loop. LLVM splits a vector into what the processor has; elements never mix, so
each gets the bits of scalar arithmetic.

Indices are flat indices into C-contiguous arrays. In uncompiled code a vector is an array.
"""

import llvmlite.binding as llvm
import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import lower_builtin, models, register_model, type_callable

from esnkit.kernels.compilation import kernel

BYTES = 64  # of a vector, and of a cache line
_FEATURES = numba.config.CPU_FEATURES or llvm.get_host_cpu_features().flatten()  # type: ignore[attr-defined]
_NAME = numba.config.CPU_NAME or llvm.get_host_cpu_name()  # type: ignore[attr-defined]
# A gather instruction of eight or more elements beats single loads, except on AMD's processors.
_GATHERS = "+avx512f" in _FEATURES and not _NAME.startswith("znver")


class Vector(types.Type):
    """Numba's type of a vector of float64, float32 or uint32, or of several joined into one.

    Integers can be loaded and stored only.
    """

    def __init__(self, dtype, n_vectors=1):
        self.dtype, self.n_vectors = dtype, n_vectors
        super().__init__(f"Vector({dtype}, {n_vectors})")


_ELEMENTS = {
    types.float64: ir.DoubleType(),
    types.float32: ir.FloatType(),
    types.uint32: ir.IntType(32),
}


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, dmm, fe_type):
        count = fe_type.n_vectors * _count(fe_type.dtype)
        super().__init__(dmm, fe_type, ir.VectorType(_ELEMENTS[fe_type.dtype], count))


def _count(dtype):
    return BYTES * 8 // dtype.bitwidth


def width(array):
    """Return how many elements of the array's dtype a vector has."""
    return BYTES // array.itemsize


def address(array):
    """Return the address of an array's first element, to use in place of the array.

    Every call of a function that takes an array increments and decrements its reference count,
    with instructions that wait for all earlier stores; an address has no count. The caller must
    keep the array alive for as long as it uses the address.
    """
    return array.reshape(-1)


def load(array, index, n_vectors=1):
    """Return the vector that begins at ``index``, or ``n_vectors`` consecutive ones as one.

    ``n_vectors`` must be a constant. Arithmetic on several vectors at once is independent, so that
    the processor starts the next before the last is finished.
    """
    return array.reshape(-1)[int(index) : int(index) + n_vectors * width(array)].copy()


def store(array, index, vector):
    """Write the vector to the elements from ``index`` on."""
    array.reshape(-1)[int(index) : int(index) + vector.size] = vector


def store_nontemporal(array, index, vector):
    """Write the vector past the caches; ``index`` must be aligned to `BYTES` in memory."""
    store(array, index, vector)


def fill(value, like=None):
    """Return a vector with ``value`` in all elements, of the type of ``like`` if it is given."""
    return np.full(width(value) if like is None else like.size, value)


def multiply(a, b):
    """Return the elementwise product of two vectors."""
    return a * b


def gather(array, start, indices, first, n_vectors=1):
    """Return ``array[start + indices[first + k]]`` for every element k of a vector."""
    chosen = indices[int(first) : int(first) + n_vectors * width(array)]
    return array[int(start) + chosen.astype(np.int64)]


def join(a, b, c, d):
    """Return four vectors as one."""
    return np.concatenate([a, b, c, d])


def repeat(vector):
    """Return one vector four times, as one."""
    return join(vector, vector, vector, vector)


def part(joined, k):
    """Return the k-th of the vectors that `join` was given; k must be a constant."""
    return np.split(joined, 4)[k]


def emit_pointer(context, builder, array_type, array, index, kind):
    """Emit a pointer of this LLVM type to element ``index`` of an array or address."""
    is_address = isinstance(array_type, types.CPointer)
    data = array if is_address else context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), kind.as_pointer())


def _typed(function, return_type):
    """Tell Numba the return type of a call, as a function of its argument types."""
    type_callable(function)(lambda context: return_type)


_ONE = types.literal(1)


def _vector(dtype, n_vectors):
    if dtype not in _ELEMENTS:
        return None
    # If a call with any integer has no type, Numba asks again with the literal.
    return Vector(dtype, n_vectors.literal_value) if isinstance(n_vectors, types.Literal) else None


def _load_type(array, index, n_vectors=_ONE):
    return _vector(array.dtype, n_vectors)


def _fill_type(value, like=None):
    return Vector(value) if like is None else like


def _gather_type(array, start, indices, first, n_vectors=_ONE):
    return _vector(array.dtype, n_vectors)


# Lowered by hand: a compiled function would count references to its arrays at each call.
_typed(width, lambda array: types.intp)
_typed(address, lambda array: types.CPointer(array.dtype))
_typed(load, _load_type)
_typed(store, lambda array, index, vector: types.none)
_typed(store_nontemporal, lambda array, index, vector: types.none)
_typed(fill, _fill_type)
_typed(gather, _gather_type)
_typed(multiply, lambda a, b: a)
_typed(join, lambda a, b, c, d: Vector(a.dtype, 4 * a.n_vectors) if a == b == c == d else None)
_typed(repeat, lambda a: Vector(a.dtype, 4 * a.n_vectors))
_typed(
    part, lambda a, k: Vector(a.dtype, a.n_vectors // 4) if isinstance(k, types.Literal) else None
)


@lower_builtin(width, types.Array)
@lower_builtin(width, types.CPointer)
def _width(context, builder, signature, args):
    return context.get_constant(types.intp, _count(signature.args[0].dtype))


@lower_builtin(address, types.Array)
def _address(context, builder, signature, args):
    return context.make_array(signature.args[0])(context, builder, args[0]).data


@lower_builtin(load, types.Array, types.Integer)
@lower_builtin(load, types.Array, types.Integer, types.Integer)
@lower_builtin(load, types.CPointer, types.Integer)
@lower_builtin(load, types.CPointer, types.Integer, types.Integer)
def _load(context, builder, signature, args):
    array, kind = signature.args[0], context.get_value_type(signature.return_type)
    pointer = emit_pointer(context, builder, array, args[0], args[1], kind)
    return builder.load(pointer, align=array.dtype.bitwidth // 8)


@lower_builtin(store, types.Array, types.Integer, Vector)
@lower_builtin(store, types.CPointer, types.Integer, Vector)
def _store(context, builder, signature, args):
    array = signature.args[0]
    pointer = emit_pointer(context, builder, array, args[0], args[1], args[2].type)
    builder.store(args[2], pointer, align=array.dtype.bitwidth // 8)
    return context.get_dummy_value()


@lower_builtin(store_nontemporal, types.Array, types.Integer, Vector)
@lower_builtin(store_nontemporal, types.CPointer, types.Integer, Vector)
def _store_nontemporal(context, builder, signature, args):
    array = signature.args[0]
    pointer = emit_pointer(context, builder, array, args[0], args[1], args[2].type)
    stored = builder.store(args[2], pointer, align=BYTES)
    stored.set_metadata("nontemporal", builder.module.add_metadata([ir.IntType(32)(1)]))
    return context.get_dummy_value()


@lower_builtin(fill, types.Float)
@lower_builtin(fill, types.Float, Vector)
def _fill(context, builder, signature, args):
    return emit_fill(builder, args[0], context.get_value_type(signature.return_type).count)


@lower_builtin(gather, types.Array, types.Integer, types.Array, types.Integer)
@lower_builtin(gather, types.Array, types.Integer, types.Array, types.Integer, types.Integer)
@lower_builtin(gather, types.CPointer, types.Integer, types.CPointer, types.Integer, types.Integer)
def _gather(context, builder, signature, args):
    array, _, indices = signature.args[:3]
    kind, index = (context.get_value_type(t) for t in (signature.return_type, indices.dtype))
    data = emit_pointer(context, builder, array, args[0], args[1], kind.element)
    if _GATHERS:
        vector = ir.VectorType(index, kind.count)
        first = emit_pointer(context, builder, indices, args[2], args[3], vector)
        offsets = builder.load(first, align=indices.dtype.bitwidth // 8)
        return _emit_gather(builder, data, offsets, kind)
    first = emit_pointer(context, builder, indices, args[2], args[3], index)
    result = ir.Constant(kind, ir.Undefined)
    for k in range(kind.count):
        offset = builder.load(builder.gep(first, [ir.IntType(64)(k)]))
        value = builder.load(builder.gep(data, [builder.zext(offset, ir.IntType(64))]))
        result = builder.insert_element(result, value, ir.IntType(32)(k))
    return result


def _emit_gather(builder, data, offsets, kind):
    word, bits = ir.IntType(64), 64 if kind.element == ir.DoubleType() else 32
    words = ir.VectorType(word, kind.count)
    start = emit_fill(builder, builder.ptrtoint(data, word), kind.count)
    # As signed integers, which the instruction takes in 32 bits.
    offsets = builder.mul(builder.sext(offsets, words), constant(words, bits // 8))
    pointers = ir.VectorType(kind.element.as_pointer(), kind.count)
    mask = constant(ir.VectorType(ir.IntType(1), kind.count), 1)
    arguments = (
        builder.inttoptr(builder.add(start, offsets), pointers),
        ir.IntType(32)(bits // 8), mask, ir.Constant(kind, ir.Undefined),
    )  # fmt: skip
    signature = ir.FunctionType(kind, [a.type for a in arguments])
    name = f"llvm.masked.gather.v{kind.count}f{bits}.v{kind.count}p0"
    return builder.call(cgutils.get_or_insert_function(builder.module, signature, name), arguments)


@lower_builtin(multiply, Vector, Vector)
def _multiply(context, builder, signature, args):
    return builder.fmul(*args)


@lower_builtin(join, Vector, Vector, Vector, Vector)
def _join(context, builder, signature, args):
    return _concatenated(
        builder, _concatenated(builder, *args[:2]), _concatenated(builder, *args[2:])
    )


@lower_builtin(repeat, Vector)
def _repeat(context, builder, signature, args):
    twice = _concatenated(builder, *args, *args)
    return _concatenated(builder, twice, twice)


def _concatenated(builder, a, b):
    order = ir.VectorType(ir.IntType(32), 2 * a.type.count)
    return builder.shuffle_vector(a, b, ir.Constant(order, list(range(order.count))))


@lower_builtin(part, Vector, types.Integer)
def _part(context, builder, signature, args):
    count = signature.return_type.n_vectors * _count(signature.return_type.dtype)
    first = signature.args[1].literal_value * count
    order = ir.Constant(ir.VectorType(ir.IntType(32), count), list(range(first, first + count)))
    return builder.shuffle_vector(args[0], args[0], order)


def constant(kind, value):
    """Return an LLVM constant of a scalar or vector type."""
    if isinstance(kind, ir.VectorType):
        return ir.Constant(kind, [value] * kind.count)
    return ir.Constant(kind, value)


def as_kind(kind, element):
    """Return the LLVM type with as many elements as ``kind``, of another element type."""
    return ir.VectorType(element, kind.count) if isinstance(kind, ir.VectorType) else element


def emit_fma(builder, a, b, c):
    """Emit ``a * b + c``, rounded once, for scalars or vectors."""
    kind = a.type
    vector = isinstance(kind, ir.VectorType)
    bits = 64 if (kind.element if vector else kind) == ir.DoubleType() else 32
    name = f"llvm.fma.v{kind.count}f{bits}" if vector else f"llvm.fma.f{bits}"
    signature = ir.FunctionType(kind, (kind, kind, kind))
    return builder.call(cgutils.get_or_insert_function(builder.module, signature, name), (a, b, c))


def emit_fill(builder, value, count):
    """Emit a vector with ``value`` in all elements."""
    kind = ir.VectorType(value.type, count)
    one = builder.insert_element(ir.Constant(kind, ir.Undefined), value, ir.IntType(32)(0))
    first = constant(ir.VectorType(ir.IntType(32), count), 0)
    return builder.shuffle_vector(one, one, first)


@kernel(inline="always")
def row_size(A):
    """Return the stride between rows, in elements; columns are next to each other."""
    return A.strides[A.ndim - 2] // A.itemsize


@kernel(inline="always")
def aligned(size, like):
    """Return an uninitialised array of ``like``'s dtype that begins on a cache line."""
    spare = np.empty(size + width(like), like.dtype)
    skip = -spare.ctypes.data % BYTES // spare.itemsize
    return spare[skip : skip + size]


@kernel(inline="always")
def is_aligned(array):
    """Tell whether an array begins on a cache line."""
    return array.ctypes.data % BYTES == 0
