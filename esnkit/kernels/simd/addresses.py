"""Addresses of arrays: blocks of rows that compiled functions pass on without counting references.

A compiled function counts references to its array arguments with atomic instructions, at every
call. Blocks hold no reference: an array must outlive its blocks, as the arguments of a function do,
and local variables that are used once more after the last block. In uncompiled code the pointer of
a block is the rest of the array.
"""

from typing import Any, NamedTuple

import llvmlite.binding as llvm
import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import lower_builtin, type_callable

from esnkit.kernels.simd.vectors import emit_pointer

__all__ = [
    "BYTES",
    "Block",
    "HAS_32_REGISTERS",
    "WORD",
    "block",
    "corner",
    "number",
    "steps_of_blocks",
    "vector_size",
]

_FEATURES = numba.config.CPU_FEATURES or llvm.get_host_cpu_features().flatten()  # type: ignore[attr-defined]
HAS_32_REGISTERS = "+avx512f" in _FEATURES
BYTES = 64 if HAS_32_REGISTERS else 32  # of a vector as wide as a register
WORD = ir.IntType(64)


class Block(NamedTuple):
    """A matrix in memory, or one of the same shape for each of several time steps."""

    pointer: Any  # to its first number
    stride: int  # numbers from one row to the next
    step: int  # numbers from one time step to the next, which may be negative


def block(array, start, stride):
    """Return the block whose first number is ``start`` numbers behind that of an array."""
    return Block(array.reshape(-1)[start:], stride, 0)


def steps_of_blocks(array, start, stride, step):
    """Return the same as `block` for several time steps, which are ``step`` numbers apart."""
    return Block(array.reshape(-1)[start:], stride, step)


def corner(whole, row, column):
    """Return what a block has from this row and column on."""
    return whole._replace(pointer=whole.pointer[row * whole.stride + column :])


def vector_size(block):
    """Return how many numbers of a block make a vector."""
    return BYTES // block.pointer.itemsize


def number(array, value):
    """Return a value as a number of the array's type."""
    return array.dtype.type(value)


def _block_type(array):
    return types.NamedTuple([types.CPointer(array.dtype), types.intp, types.intp], Block)


# Lowered by hand: a compiled function would count references to the array.
type_callable(block)(lambda context: lambda array, start, stride: _block_type(array))
type_callable(steps_of_blocks)(
    lambda context: lambda array, start, stride, step: _block_type(array)
)
type_callable(vector_size)(lambda context: lambda block: types.intp)
type_callable(number)(lambda context: lambda array, value: array.dtype)
type_callable(corner)(lambda context: lambda whole, row, column: whole)


@lower_builtin(block, types.Array, types.Integer, types.Integer)
@lower_builtin(block, types.CPointer, types.Integer, types.Integer)
@lower_builtin(steps_of_blocks, types.Array, types.Integer, types.Integer, types.Integer)
@lower_builtin(steps_of_blocks, types.CPointer, types.Integer, types.Integer, types.Integer)
def _block(context, builder, signature, args):
    array, start, stride, *step = args
    element = context.get_value_type(signature.args[0].dtype)
    first = emit_pointer(context, builder, signature.args[0], array, start, element)
    values = first, stride, *(step or [WORD(0)])
    return context.make_tuple(builder, signature.return_type, values)


@lower_builtin(corner, types.BaseTuple, types.Integer, types.Integer)
def _corner(context, builder, signature, args):
    pointer, stride, step = cgutils.unpack_tuple(builder, args[0])
    first = builder.add(builder.mul(args[1], stride), args[2])
    values = builder.gep(pointer, [first]), stride, step
    return context.make_tuple(builder, signature.return_type, values)


@lower_builtin(vector_size, types.BaseTuple)
def _vector_size(context, builder, signature, args):
    size = BYTES // (signature.args[0][0].dtype.bitwidth // 8)
    return context.get_constant(types.intp, size)


@lower_builtin(number, types.Array, types.Float)
@lower_builtin(number, types.CPointer, types.Float)
def _number(context, builder, signature, args):
    return context.cast(builder, args[1], signature.args[1], signature.return_type)
