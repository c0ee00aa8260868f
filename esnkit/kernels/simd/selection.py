"""Choices between the elements of two vectors."""

import numpy as np
from numba.extending import lower_builtin, type_callable

from esnkit.kernels.simd.vectors import Vector, constant

__all__ = ["where_positive"]


def where_positive(x, y):
    """Return y where x > 0, and zero elsewhere."""
    return np.where(x > 0, y, y.dtype.type(0))


type_callable(where_positive)(
    lambda context: lambda x, y: y if isinstance(x, Vector) and x == y else None
)


@lower_builtin(where_positive, Vector, Vector)
def _where_positive(context, builder, signature, args):
    zero = constant(args[0].type, 0.0)
    return builder.select(builder.fcmp_ordered(">", args[0], zero), args[1], zero)
