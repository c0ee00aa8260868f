"""How kernels on several threads tell one another how far they are.

Plain loads in a loop could be compiled to a single one, and plain stores in another order.
"""

from llvmlite import ir
from numba import njit, types
from numba.extending import lower_builtin, type_callable

from esnkit.kernels.simd.vectors import emit_pointer

__all__ = ["APART", "announce", "announced", "wait_for"]

APART = 16  # so far apart are numbers of several threads, none of which then waits for a cache line
_WORD = ir.IntType(64)


def announce(done, place, steps):
    """Write ``steps`` to ``done[place]``, after all that this thread has written before."""
    done[place] = steps


def announced(done, place):
    """Return ``done[place]``, read before all that this thread reads after."""
    return done[place]


type_callable(announce)(lambda context: lambda done, place, steps: types.none)
type_callable(announced)(lambda context: lambda done, place: done.dtype)


@lower_builtin(announce, types.Array, types.Integer, types.int64)
def _announce(context, builder, signature, args):
    pointer = emit_pointer(context, builder, signature.args[0], args[0], args[1], _WORD)
    builder.store_atomic(args[2], pointer, "release", _WORD.width // 8)
    return context.get_dummy_value()


@lower_builtin(announced, types.Array, types.Integer)
def _announced(context, builder, signature, args):
    pointer = emit_pointer(context, builder, signature.args[0], args[0], args[1], _WORD)
    return builder.load_atomic(pointer, "acquire", _WORD.width // 8)


@njit(cache=True, nogil=True, error_model="numpy")
def wait_for(done, place, steps):
    """Wait until ``done[place]`` is at least ``steps``; return how often that took a look."""
    looks = 1
    while announced(done, place) < steps:
        looks += 1
    return looks
