"""Matrix products inside kernels: BLAS gemm with accumulation, on blocks of row-major arrays."""

from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import overload

# Numba links this symbol for its own np.dot, which can neither add to its output nor transpose
# without a copy.
_gemm: Any = types.ExternalFunction(
    "numba_xxgemm",
    types.int32(
        types.char, types.char, types.char, types.intp, types.intp, types.intp,
        types.voidptr, types.voidptr, types.intp, types.voidptr, types.intp,
        types.voidptr, types.voidptr, types.intp,
    ),
)  # fmt: skip
_SINGLE, _DOUBLE = np.uint8(ord("s")), np.uint8(ord("d"))
_AS_IS, _TURNED = np.uint8(ord("n")), np.uint8(ord("t"))


@njit(cache=True, nogil=True, forceinline=True)
def _leading(A):
    """Return how far apart rows are; columns are next to each other."""
    return max(A.strides[0] // A.itemsize, A.shape[1])


@njit(cache=True, nogil=True, forceinline=True)
def _multiply(turn_a, turn_b, k, A, B, beta, C):
    scale = np.empty(2, C.dtype)
    scale[0], scale[1] = 1.0, beta
    kind = _SINGLE if C.itemsize == 4 else _DOUBLE
    m, n = C.shape
    # Row-major C = A B is column-major C' = B' A'.
    _gemm(
        kind, turn_b, turn_a, n, m, k, scale[:1].ctypes, B.ctypes, _leading(B), A.ctypes,
        _leading(A), scale[1:].ctypes, C.ctypes, _leading(C),
    )  # fmt: skip


def gemm(A, B, beta, C):
    """C = A @ B + beta C."""
    C[:] = A @ B + (beta * C if beta else 0.0)


@overload(gemm)
def _gemm_overload(A, B, beta, C):
    return lambda A, B, beta, C: _multiply(_AS_IS, _AS_IS, A.shape[1], A, B, beta, C)


def gemm_nt(A, B, beta, C):
    """C = A @ B.T + beta C."""
    C[:] = A @ B.T + (beta * C if beta else 0.0)


@overload(gemm_nt)
def _gemm_nt_overload(A, B, beta, C):
    return lambda A, B, beta, C: _multiply(_AS_IS, _TURNED, A.shape[1], A, B, beta, C)


def gemm_tn(A, B, beta, C):
    """C = A.T @ B + beta C."""
    C[:] = A.T @ B + (beta * C if beta else 0.0)


@overload(gemm_tn)
def _gemm_tn_overload(A, B, beta, C):
    return lambda A, B, beta, C: _multiply(_TURNED, _AS_IS, A.shape[0], A, B, beta, C)
