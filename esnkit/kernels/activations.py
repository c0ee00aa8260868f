"""Activations that vectorise: a fused multiply-add and a branch-free tanh.

The C library's tanh is a call per element and keeps a loop scalar. Here

    tanh|x| = -e / (e + 2),   e = expm1(-2|x|) = 2^n expm1(r) + (2^n - 1),   -2|x| = n ln 2 + r

uses only arithmetic that LLVM turns into vector instructions; the error is below 4 ulp.
"""

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic, overload

TANH, IDENTITY, RELU, SIGMOID = range(4)
CODES = {"tanh": TANH, "identity": IDENTITY, "relu": RELU, "sigmoid": SIGMOID}


def fma(a, b, c):
    """Return ``a * b + c``, rounded once where compiled.

    Spelling the fused operation out, instead of letting the compiler contract sums as it
    likes, is what makes different kernels agree bit for bit.
    """
    return a * b + c


@intrinsic
def _fma_intrinsic(typingctx, a, b, c):
    def codegen(context, builder, signature, args):
        return builder.fma(*args)

    return a(a, a, a), codegen


@overload(fma, inline="always")
def _fma_overload(a, b, c):
    if a == b == c and a in (types.float64, types.float32):
        return lambda a, b, c: _fma_intrinsic(a, b, c)  # type: ignore[call-arg]


def _bitcast(source, target, llvm_type):
    @intrinsic
    def cast(typingctx, value):
        def codegen(context, builder, signature, args):
            return builder.bitcast(args[0], llvm_type)

        return target(source), codegen

    return cast


_bits64 = _bitcast(types.float64, types.int64, ir.IntType(64))
_float64 = _bitcast(types.int64, types.float64, ir.DoubleType())
_bits32 = _bitcast(types.float32, types.int32, ir.IntType(32))
_float32 = _bitcast(types.int32, types.float32, ir.FloatType())

# Adding 1.5 * 2^(mantissa bits) rounds to an integer and leaves that integer in the low bits,
# which needs no conversion instruction that AVX2 lacks.
_SIGN64, _SHIFT64, _BIAS64 = np.int64(-(2**63)), np.int64(52), np.int64(1023)
_ROUND64 = 1.5 * 2.0**52
_LOG2E = 1.4426950408889634
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10

_f = np.float32
_SIGN32, _SHIFT32, _BIAS32 = np.int32(-(2**31)), np.int32(23), np.int32(127)
_ROUND32 = _f(1.5 * 2.0**23)
_LOG2E_32 = _f(_LOG2E)
_LN2_HIGH_32, _LN2_LOW_32 = _f(0.693359375), _f(-2.12194440e-4)
_ONE_32, _TWO_32, _HALF_32, _ZERO_32, _LIMIT_32 = _f(1.0), _f(2.0), _f(0.5), _f(0.0), _f(10.0)
_C3, _C4, _C5 = _f(1 / 6), _f(1 / 24), _f(1 / 120)
_C6, _C7 = _f(1 / 720), _f(1 / 5040)


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _tanh64(x):
    a = abs(x)
    a = 20.0 if a > 20.0 else a
    y = -2.0 * a
    t = fma(y, _LOG2E, _ROUND64)
    n = t - _ROUND64
    r = fma(n, -_LN2_HIGH, y)
    r = fma(n, -_LN2_LOW, r)
    p = 1.0 / 6227020800.0
    p = fma(p, r, 1.0 / 479001600.0)
    p = fma(p, r, 1.0 / 39916800.0)
    p = fma(p, r, 1.0 / 3628800.0)
    p = fma(p, r, 1.0 / 362880.0)
    p = fma(p, r, 1.0 / 40320.0)
    p = fma(p, r, 1.0 / 5040.0)
    p = fma(p, r, 1.0 / 720.0)
    p = fma(p, r, 1.0 / 120.0)
    p = fma(p, r, 1.0 / 24.0)
    p = fma(p, r, 1.0 / 6.0)
    p = fma(p, r, 0.5)
    p = fma(p * r, r, r)
    power = _float64((_bits64(t) + _BIAS64) << _SHIFT64)
    e = fma(power, p, power - 1.0)
    magnitude = (0.0 - e) / (e + 2.0)
    return _float64(_bits64(magnitude) | (_bits64(x) & _SIGN64))


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _tanh32(x):
    a = abs(x)
    a = _LIMIT_32 if a > _LIMIT_32 else a
    y = -_TWO_32 * a
    t = fma(y, _LOG2E_32, _ROUND32)
    n = t - _ROUND32
    r = fma(n, -_LN2_HIGH_32, y)
    r = fma(n, -_LN2_LOW_32, r)
    p = _C7
    p = fma(p, r, _C6)
    p = fma(p, r, _C5)
    p = fma(p, r, _C4)
    p = fma(p, r, _C3)
    p = fma(p, r, _HALF_32)
    p = fma(p * r, r, r)
    power = _float32(types.int32((_bits32(t) + _BIAS32) << _SHIFT32))
    e = fma(power, p, power - _ONE_32)
    magnitude = (_ZERO_32 - e) / (e + _TWO_32)
    return _float32(types.int32(_bits32(magnitude) | (_bits32(x) & _SIGN32)))


def tanh(x):
    """Return the hyperbolic tangent of a scalar, to 4 ulp in either precision."""
    return np.tanh(x)


@overload(tanh, inline="always")
def _tanh_overload(x):
    if x == types.float64:
        return lambda x: _tanh64(x)
    if x == types.float32:
        return lambda x: _tanh32(x)


@njit(cache=True, nogil=True, error_model="numpy")
def tanh_array(x, out):
    """Write tanh of every element of the 1-D ``x`` into ``out``."""
    for i in range(x.size):
        out[i] = tanh(x[i])


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def activate(code, pre):
    """Apply the activation to the 1-D ``pre`` in place."""
    if code == TANH:
        for i in range(pre.size):
            pre[i] = tanh(pre[i])
    elif code == RELU:
        zero = pre.dtype.type(0.0)
        for i in range(pre.size):
            pre[i] = zero if pre[i] < zero else pre[i]
    elif code == SIGMOID:
        half = pre.dtype.type(0.5)
        for i in range(pre.size):
            pre[i] = fma(half, tanh(half * pre[i]), half)
