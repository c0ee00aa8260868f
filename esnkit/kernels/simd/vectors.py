"""Vectors of 64 bytes for kernels: loaded from and stored to any place in an array.

A compiler makes vector instructions of a plain loop only where it can prove, or test while it
runs, that no array overlaps another, and it gives up on loops that do many things at once. Said
explicitly, a whole step of a reservoir is one loop over vectors. LLVM cuts them to what the
processor has; elements never mix, so that each gets the bits that scalar arithmetic would give.

Places are flat indices into C-contiguous arrays. Uncompiled, a vector is an array.
"""

import llvmlite.binding as llvm
import numba
import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import lower_builtin, models, overload, register_model, type_callable

BYTES = 64
_FEATURES = numba.config.CPU_FEATURES or llvm.get_host_cpu_features().flatten()  # type: ignore[attr-defined]
_NAME = numba.config.CPU_NAME or llvm.get_host_cpu_name()  # type: ignore[attr-defined]
# Gathering eight or more at once beats as many loads, but for AMD's processors.
_GATHERS = "+avx512f" in _FEATURES and not _NAME.startswith("znver")


class Vector(types.Type):
    """Numba's type of a vector of float64 or float32, or of several of them in one."""

    def __init__(self, dtype, several=1):
        self.dtype, self.several = dtype, several
        super().__init__(f"Vector({dtype}, {several})")


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, dmm, fe_type):
        element = ir.DoubleType() if fe_type.dtype == types.float64 else ir.FloatType()
        super().__init__(
            dmm, fe_type, ir.VectorType(element, fe_type.several * _count(fe_type.dtype))
        )


def _count(dtype):
    return BYTES * 8 // dtype.bitwidth


def width(array):
    """Return how many elements of the array's dtype a vector has."""
    return BYTES // array.itemsize


def address(array):
    """Return where an array begins, which stands for it here but leaves its reference count alone.

    A function that is given arrays within a loop keeps their counts at every call, with
    instructions that wait for all stores before them.
    """
    return array.reshape(-1)


def load(array, place, several=1):
    """Return the vector that begins at ``place``, or several that do, as one.

    How many must be a constant. They are computed side by side, which keeps a processor busy that
    would wait for the one before it starts the next.
    """
    return array.reshape(-1)[int(place) : int(place) + several * width(array)].copy()


def store(array, place, vector):
    """Write the vector to the elements from ``place`` on."""
    array.reshape(-1)[int(place) : int(place) + vector.size] = vector


def store_past(array, place, vector):
    """Do as `store`, but leave the caches alone; a line of them must begin at ``place``."""
    store(array, place, vector)


def fill(value, like=None):
    """Return a vector with ``value`` everywhere, of the same kind as another one."""
    return np.full(width(value) if like is None else like.size, value)


def multiply(a, b):
    """Return the products of the elements of two vectors."""
    return a * b


def gather(array, start, places, place, several=1):
    """Return the elements of ``array[start:]`` at the vector of places begun at ``place``."""
    chosen = places[int(place) : int(place) + several * width(array)]
    return array[int(start) + chosen.astype(np.int64)]


def join(a, b, c, d):
    """Return four vectors as one."""
    return np.concatenate([a, b, c, d])


def repeat(vector):
    """Return a vector four times, as one."""
    return join(vector, vector, vector, vector)


def part(joined, k):
    """Return the k-th of the vectors that `join` was given; k must be a constant."""
    return np.split(joined, 4)[k]


def emit_pointer(context, builder, array_type, array, place, kind):
    """Emit a pointer of this kind to what begins at ``place`` in the array."""
    is_address = isinstance(array_type, types.CPointer)
    data = array if is_address else context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [place]), kind.as_pointer())


def _typed(function, answer):
    """Tell Numba the type of a call, from the types of its arguments."""
    type_callable(function)(lambda context: answer)


_ONE = types.literal(1)


def _vector(dtype, several):
    # Numba asks again with the constant where a call with any integer has no type.
    return Vector(dtype, several.literal_value) if isinstance(several, types.Literal) else None


def _load_type(array, place, several=_ONE):
    return _vector(array.dtype, several)


def _fill_type(value, like=None):
    return Vector(value) if like is None else like


def _gather_type(array, start, places, place, several=_ONE):
    return _vector(array.dtype, several)


# Lowered by hand, since a compiled function would keep the arrays' reference counts at each call.
_typed(address, lambda array: types.CPointer(array.dtype))
_typed(load, _load_type)
_typed(store, lambda array, place, vector: types.none)
_typed(store_past, lambda array, place, vector: types.none)
_typed(fill, _fill_type)
_typed(gather, _gather_type)
_typed(multiply, lambda a, b: a)
_typed(join, lambda a, b, c, d: Vector(a.dtype, 4 * a.several) if a == b == c == d else None)
_typed(repeat, lambda a: Vector(a.dtype, 4 * a.several))
_typed(part, lambda a, k: Vector(a.dtype, a.several // 4) if isinstance(k, types.Literal) else None)


@overload(width, inline="always")
def _width(array):
    count = _count(array.dtype)
    return lambda array: count


@lower_builtin(address, types.Array)
def _address(context, builder, signature, args):
    return context.make_array(signature.args[0])(context, builder, args[0]).data


@lower_builtin(load, types.Array, types.Integer)
@lower_builtin(load, types.Array, types.Integer, types.Integer)
@lower_builtin(load, types.CPointer, types.Integer, types.Integer)
def _load(context, builder, signature, args):
    array, kind = signature.args[0], context.get_value_type(signature.return_type)
    pointer = emit_pointer(context, builder, array, args[0], args[1], kind)
    return builder.load(pointer, align=array.dtype.bitwidth // 8)


@lower_builtin(store, types.Array, types.Integer, Vector)
def _store(context, builder, signature, args):
    array = signature.args[0]
    pointer = emit_pointer(context, builder, array, args[0], args[1], args[2].type)
    builder.store(args[2], pointer, align=array.dtype.bitwidth // 8)
    return context.get_dummy_value()


@lower_builtin(store_past, types.Array, types.Integer, Vector)
def _store_past(context, builder, signature, args):
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
    array, _, places = signature.args[:3]
    kind, index = (context.get_value_type(t) for t in (signature.return_type, places.dtype))
    data = emit_pointer(context, builder, array, args[0], args[1], kind.element)
    if _GATHERS:
        several = ir.VectorType(index, kind.count)
        first = emit_pointer(context, builder, places, args[2], args[3], several)
        return _emit_gather(
            builder, data, builder.load(first, align=places.dtype.bitwidth // 8), kind
        )
    first = emit_pointer(context, builder, places, args[2], args[3], index)
    result = ir.Constant(kind, ir.Undefined)
    for k in range(kind.count):
        where = builder.load(builder.gep(first, [ir.IntType(64)(k)]))
        value = builder.load(builder.gep(data, [builder.zext(where, ir.IntType(64))]))
        result = builder.insert_element(result, value, ir.IntType(32)(k))
    return result


def _emit_gather(builder, data, places, kind):
    word, bits = ir.IntType(64), 64 if kind.element == ir.DoubleType() else 32
    words = ir.VectorType(word, kind.count)
    start = emit_fill(builder, builder.ptrtoint(data, word), kind.count)
    # As signed integers, which the instruction takes in 32 bits.
    places = builder.mul(builder.sext(places, words), constant(words, bits // 8))
    pointers = ir.VectorType(kind.element.as_pointer(), kind.count)
    mask = constant(ir.VectorType(ir.IntType(1), kind.count), 1)
    arguments = (
        builder.inttoptr(builder.add(start, places), pointers),
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
    return _both(builder, _both(builder, *args[:2]), _both(builder, *args[2:]))


@lower_builtin(repeat, Vector)
def _repeat(context, builder, signature, args):
    twice = _both(builder, *args, *args)
    return _both(builder, twice, twice)


def _both(builder, a, b):
    places = ir.VectorType(ir.IntType(32), 2 * a.type.count)
    return builder.shuffle_vector(a, b, ir.Constant(places, list(range(places.count))))


@lower_builtin(part, Vector, types.Integer)
def _part(context, builder, signature, args):
    count = signature.return_type.several * _count(signature.return_type.dtype)
    first = signature.args[1].literal_value * count
    places = ir.Constant(ir.VectorType(ir.IntType(32), count), list(range(first, first + count)))
    return builder.shuffle_vector(args[0], args[0], places)


def constant(kind, value):
    """Return an LLVM constant for a scalar or vector type."""
    if isinstance(kind, ir.VectorType):
        return ir.Constant(kind, [value] * kind.count)
    return ir.Constant(kind, value)


def as_kind(kind, element):
    """Return the LLVM type with other elements that has as many of them."""
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
    """Emit a vector with ``value`` everywhere."""
    kind = ir.VectorType(value.type, count)
    one = builder.insert_element(ir.Constant(kind, ir.Undefined), value, ir.IntType(32)(0))
    first = constant(ir.VectorType(ir.IntType(32), count), 0)
    return builder.shuffle_vector(one, one, first)


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def row_size(A):
    """Return how far apart rows are; columns are next to each other."""
    return A.strides[A.ndim - 2] // A.itemsize


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def aligned(size, like):
    """Return an array that begins where a vector of the processor's widest kind may."""
    spare = np.empty(size + width(like), like.dtype)
    skip = -spare.ctypes.data % BYTES // spare.itemsize
    return spare[skip : skip + size]
