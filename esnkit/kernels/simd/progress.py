"""Progress counters through which kernels on several threads synchronise.

A compiler may turn plain loads in a loop into a single one and reorder plain stores; these are
atomic, with release and acquire order.
"""

from llvmlite import ir
from numba import types
from numba.extending import lower_builtin, type_callable

from esnkit.kernels.compilation import kernel
from esnkit.kernels.simd.vectors import emit_pointer

__all__ = ["STRIDE", "load_acquire", "spin_until", "store_release"]

STRIDE = 16  # int64 between the counters of two threads, so that no two share a cache line
_WORD = ir.IntType(64)


def store_release(progress, index, steps):
    """Write ``steps`` to ``progress[index]``, after all earlier writes of this thread."""
    progress[index] = steps


def load_acquire(progress, index):
    """Return ``progress[index]``, read before all later reads of this thread."""
    return progress[index]


type_callable(store_release)(lambda context: lambda progress, index, steps: types.none)
type_callable(load_acquire)(lambda context: lambda progress, index: progress.dtype)


@lower_builtin(store_release, types.Array, types.Integer, types.int64)
def _store_release(context, builder, signature, args):
    pointer = emit_pointer(context, builder, signature.args[0], args[0], args[1], _WORD)
    builder.store_atomic(args[2], pointer, "release", _WORD.width // 8)
    return context.get_dummy_value()


@lower_builtin(load_acquire, types.Array, types.Integer)
def _load_acquire(context, builder, signature, args):
    pointer = emit_pointer(context, builder, signature.args[0], args[0], args[1], _WORD)
    return builder.load_atomic(pointer, "acquire", _WORD.width // 8)


@kernel
def spin_until(progress, index, steps):
    """Wait until ``progress[index]`` is at least ``steps``; return the number of reads."""
    n_reads = 1
    while load_acquire(progress, index) < steps:
        n_reads += 1
    return n_reads
