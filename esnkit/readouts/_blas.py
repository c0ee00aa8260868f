"""SciPy's own BLAS and LAPACK, called without holding the interpreter lock.

Two Python threads can then run them in parallel, each on one BLAS thread, so that the bits of a
result do not depend on the number of threads.
"""

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from esnkit.utils._threads import interruptible

__all__ = ["add_gram", "add_orthogonal", "call_lapack"]

# Columns per block reflector, and the number of columns from which on the wider ones are faster.
NARROW_PANEL, WIDE_PANEL, WIDE_FROM = 16, 32, 512


@cache
def _routine(name: str) -> tuple[Callable[..., None], Any]:
    """Return a BLAS or LAPACK routine of SciPy, and its integer type.

    SciPy exports them for Cython as capsules. Called through ctypes they release the
    interpreter lock, which the wrappers in ``scipy.linalg.blas`` and ``lapack`` hold.
    """
    from scipy.linalg import cython_blas, cython_lapack

    exported = {**cython_blas.__pyx_capi__, **cython_lapack.__pyx_capi__}
    api = ctypes.pythonapi
    name_of = ctypes.PYFUNCTYPE(ctypes.c_char_p, ctypes.py_object)(("PyCapsule_GetName", api))
    pointer_of = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
        ("PyCapsule_GetPointer", api)
    )
    signature = name_of(exported[name])
    parameters = signature[signature.index(b"(") + 1 : -1].split(b", ")
    integer = ctypes.c_int if b"int *" in parameters else ctypes.c_int64
    prototype = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * len(parameters))
    return prototype(pointer_of(exported[name], signature)), integer


def _call(name: str, *arguments: Any) -> None:
    """Call a Fortran routine: strings, integers and floats by reference, arrays by address."""
    routine, integer = _routine(name)
    pointers: list[Any] = []
    for a in arguments:
        if isinstance(a, int):
            pointers.append(ctypes.byref(integer(a)))
        elif isinstance(a, np.ndarray):
            pointers.append(a.__array_interface__["data"][0])  # a third of the time of a.ctypes
        elif isinstance(a, bytes):
            pointers.append(a)
        elif isinstance(a, ctypes._SimpleCData):
            pointers.append(ctypes.byref(a))
        else:
            number = ctypes.c_double(a) if isinstance(a, float) else integer(a)
            pointers.append(ctypes.byref(number))
    routine(*pointers)


def call_lapack(name: str, *arguments: Any) -> int:
    """Call a LAPACK routine without its last argument, the error code, and return that."""
    info = _routine(name)[1](0)
    _call(name, *arguments, info)
    return int(info.value)


def add_gram(G: np.ndarray, C: np.ndarray, ZX: np.ndarray, ZY: np.ndarray) -> None:
    """Add ZX.T @ ZX to the lower triangle of G and ZX.T @ ZY to C, in place.

    G (n, n) and C (n, n_out) are Fortran-ordered, ZX (m, n) and ZY (m, n_out) C-ordered.
    """
    interruptible(ZX.size * (ZX.shape[1] + ZY.shape[1]), _add_gram, G, C, ZX, ZY)


def _add_gram(G: np.ndarray, C: np.ndarray, ZX: np.ndarray, ZY: np.ndarray) -> None:
    """Do what `add_gram` does."""
    m, n = ZX.shape
    p = ZY.shape[1]
    # A C-ordered (m, n) array is its transpose in Fortran order, hence N (not transposed) for ZX'.
    _call("dsyrk", b"L", b"N", n, m, 1.0, ZX, n, 1.0, G, n)
    if p == 1:  # two to three times as fast as a product of matrices
        _call("dgemv", b"N", n, m, 1.0, ZX, n, ZY, 1, 1.0, C, 1)
    else:
        _call("dgemm", b"N", b"T", n, p, m, 1.0, ZX, n, ZY, p, 1.0, C, n)


def add_orthogonal(
    R: np.ndarray, C: np.ndarray, ZX: np.ndarray, ZY: np.ndarray, n_triangular: int = 0
) -> None:
    """Add rows to a QR factorisation in place: [R; ZX] = Q [R_new; 0], [C; ZY] = Q [C_new; rest].

    R (n, n), C (n, n_out), ZX (m, n) and ZY (m, n_out) are Fortran-ordered; all four are
    overwritten, ZY by the rest. The last ``n_triangular`` rows of ZX are upper triangular. As R is
    triangular, each reflector has a single entry in it, which makes 2 m n^2 operations in all.
    """
    work = 2 * ZX.size * (ZX.shape[1] + ZY.shape[1])
    interruptible(work, _add_orthogonal, R, C, ZX, ZY, n_triangular)


def _add_orthogonal(
    R: np.ndarray, C: np.ndarray, ZX: np.ndarray, ZY: np.ndarray, n_triangular: int
) -> None:
    """Do what `add_orthogonal` does."""
    m, n = ZX.shape
    p = ZY.shape[1]
    panel = min(n, NARROW_PANEL if n < WIDE_FROM else WIDE_PANEL)
    T = np.empty((panel, n), order="F")
    tri = min(n_triangular, n)
    call_lapack("dtpqrt", m, n, tri, panel, R, n, ZX, m, T, panel, np.empty(panel * n))
    work = np.empty(panel * p)
    call_lapack("dtpmqrt", b"L", b"T", m, p, n, tri, panel, ZX, m, T, panel, C, n, ZY, m, work)
