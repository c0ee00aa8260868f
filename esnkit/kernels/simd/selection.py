"""Choices between the elements of two vectors."""

import numpy as np
from numba.extending import intrinsic, overload

from esnkit.kernels.simd.vectors import Vector, constant

__all__ = ["where_positive"]


def where_positive(x, y):
    """Return y where x > 0, and zero elsewhere."""
    return np.where(x > 0, y, y.dtype.type(0))


@intrinsic
def _where_positive(typingctx, x, y):
    def codegen(context, builder, signature, args):
        zero = constant(args[0].type, 0.0)
        return builder.select(builder.fcmp_ordered(">", args[0], zero), args[1], zero)

    return y(x, y), codegen


@overload(where_positive, inline="always")
def _where_positive_overload(x, y):
    if isinstance(x, Vector) and x == y:
        return lambda x, y: _where_positive(x, y)  # type: ignore[call-arg]
