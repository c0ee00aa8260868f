"""Masked loads and stores of vectors, and elementwise arithmetic of two vectors.

If an array ends before a vector does, the mask excludes the rest, which is neither read nor
written. Loops over vectors then need no second loop over the remaining elements.
"""

import operator

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import lower_builtin, type_callable

from esnkit.kernels.simd.vectors import Vector, constant, emit_fill, emit_pointer, load, width

# Gradients below this size are flushed to zero, well above the subnormal numbers, on which
# processors are slow.
TINY = {64: 2.0**-960, 32: 2.0**-100}


def load_first(array, index, n):
    """Return the vector that begins at ``index``, with zeros after its first n elements."""
    vector = np.zeros(width(array), array.dtype)
    elements = load(array, index)[:n]
    vector[: elements.size] = elements
    return vector


def store_first(array, index, vector, n):
    """Write the first n elements of the vector, or all if it has fewer, from ``index`` on."""
    n = min(n, vector.size)
    array.reshape(-1)[int(index) : int(index) + n] = vector[:n]


def drop_tiny(x):
    """Return x with every element smaller than `TINY` in modulus replaced by zero."""
    return np.where(np.abs(x) < TINY[8 * x.itemsize], x.dtype.type(0), x)


type_callable(load_first)(lambda context: lambda array, index, n: Vector(array.dtype))
type_callable(store_first)(lambda context: lambda array, index, vector, n: types.none)
type_callable(drop_tiny)(lambda context: lambda x: x)


@lower_builtin(load_first, types.Array, types.Integer, types.Integer)
@lower_builtin(load_first, types.CPointer, types.Integer, types.Integer)
def _load_first(context, builder, signature, args):
    kind = context.get_value_type(signature.return_type)
    array, index, n = args
    pointer = emit_pointer(context, builder, signature.args[0], array, index, kind)
    return emit_load(builder, pointer, emit_mask(builder, n, kind.count))


@lower_builtin(store_first, types.Array, types.Integer, Vector, types.Integer)
@lower_builtin(store_first, types.CPointer, types.Integer, Vector, types.Integer)
def _store_first(context, builder, signature, args):
    array, index, vector, n = args
    pointer = emit_pointer(context, builder, signature.args[0], array, index, vector.type)
    emit_store(builder, vector, pointer, emit_mask(builder, n, vector.type.count))
    return context.get_dummy_value()


@lower_builtin(drop_tiny, Vector)
def _drop_tiny(context, builder, signature, args):
    x, limit = args[0], TINY[signature.return_type.dtype.bitwidth]
    bounds = {">": constant(x.type, -limit), "<": constant(x.type, limit)}
    inside = [builder.fcmp_ordered(sign, x, bound) for sign, bound in bounds.items()]
    return builder.select(builder.and_(*inside), constant(x.type, 0.0), x)


def _arithmetic(function, instruction):
    type_callable(function)(
        lambda context: lambda a, b: a if isinstance(a, Vector) and a == b else None
    )
    lower_builtin(function, Vector, Vector)(
        lambda context, builder, signature, args: getattr(builder, instruction)(*args)
    )


_arithmetic(operator.add, "fadd")
_arithmetic(operator.sub, "fsub")
_arithmetic(operator.mul, "fmul")
_arithmetic(operator.truediv, "fdiv")


def emit_mask(builder, n, count):
    """Emit the mask of the first n elements of a vector, n being a 64-bit integer."""
    fewer = builder.icmp_signed("<", n, n.type(count))
    n = builder.trunc(builder.select(fewer, n, n.type(count)), ir.IntType(32))
    indices = ir.Constant(ir.VectorType(ir.IntType(32), count), list(range(count)))
    return builder.icmp_signed("<", indices, emit_fill(builder, n, count))


def emit_load(builder, pointer, mask):
    """Emit a load of the masked elements; the others are zero and are not read."""
    kind = pointer.type.pointee
    return _emit_masked(builder, "load", kind, [pointer], [mask, constant(kind, 0.0)])


def emit_store(builder, vector, pointer, mask):
    """Emit a store of the masked elements."""
    _emit_masked(builder, "store", vector.type, [vector, pointer], [mask])


def _emit_masked(builder, name, kind, front, back):
    bits = 64 if kind.element == ir.DoubleType() else 32
    arguments = [*front, ir.IntType(32)(bits // 8), *back]
    return_type = kind if name == "load" else ir.VoidType()
    signature = ir.FunctionType(return_type, [a.type for a in arguments])
    full = f"llvm.masked.{name}.v{kind.count}f{bits}.p0"
    function = cgutils.get_or_insert_function(builder.module, signature, full)
    return builder.call(function, arguments)
