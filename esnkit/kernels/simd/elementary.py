"""Elementary functions of scalars and vectors: fused multiply-add, tanh, logistic sigmoid, max.

The C library's tanh is a call per element and keeps a loop scalar. Here, with
|x| = n ln(2) / 2 + r and n the integer that makes |r| least,

    tanh|x| = (tanh(n ln(2) / 2) + tanh(r)) / (1 + tanh(n ln(2) / 2) tanh(r))
            = ((2^n - 1) + (2^n + 1) tanh(r)) / ((2^n + 1) + (2^n - 1) tanh(r))

uses only arithmetic that has vector instructions; the error is below 3 ulp.
"""

from typing import NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import lower_builtin, type_callable

from esnkit.kernels.simd.vectors import Vector, as_kind, constant, emit_fma

__all__ = ["absolute", "fma", "maximum", "minimum", "positive", "sigmoid", "tanh"]


def fma(a, b, c):
    """Return ``a * b + c``, rounded once in compiled code.

    An explicit fused operation, instead of sums that the compiler may contract or not, makes
    different kernels agree bit for bit.
    """
    return a * b + c


def tanh(x):
    """Return the hyperbolic tangent of a scalar or vector, to 3 ulp in either precision."""
    return np.tanh(x)


def sigmoid(x):
    """Return 1 / (1 + exp(-x)) of a scalar or vector, as (1 + tanh(x / 2)) / 2."""
    half = x.dtype.type(0.5)
    return half * tanh(half * x) + half


def positive(x):
    """Return max(x, 0) of a scalar or vector; NaN stays NaN."""
    return np.where(x < 0, x.dtype.type(0), x)


def absolute(x):
    """Return the modulus of a scalar or vector."""
    return np.abs(x)


def minimum(a, b):
    """Return the lesser elements of two scalars or vectors without NaN."""
    return np.where(a < b, a, b)


def maximum(a, b):
    """Return the greater elements of two scalars or vectors without NaN."""
    return np.where(a > b, a, b)


def _is_number(a):
    return a in (types.float64, types.float32) or isinstance(a, Vector)


# Lowered by hand: an overload is compiled for every type before it is inlined.
type_callable(fma)(lambda context: lambda a, b, c: a if a == b == c and _is_number(a) else None)


@lower_builtin(fma, types.Float, types.Float, types.Float)
@lower_builtin(fma, Vector, Vector, Vector)
def _fma(context, builder, signature, args):
    return emit_fma(builder, *args)


for function in (tanh, sigmoid, positive, absolute):
    type_callable(function)(lambda context: lambda x: x if _is_number(x) else None)


for of_two in (minimum, maximum):
    type_callable(of_two)(lambda context: lambda a, b: a if a == b and _is_number(a) else None)


class _Format(NamedTuple):
    """The constants of tanh for one floating point format."""

    bits: int
    mantissa: int
    bias: int
    limit: float  # tanh of everything larger rounds to one
    series: tuple[float, ...]  # of (tanh(r) / r - 1) / r^2, in powers of r^2


# The series have the least relative error of tanh(r) for |r| <= ln 2 / 4: 4e-18 and 2e-10.
_FORMATS = {
    64: _Format(
        64, 52, 1023, 20.0,
        (
            -0.33333333333332488492, 0.13333333332785497116, -0.053968252784839768149,
            0.021869370912224469183, -0.0088573150076388974502, 0.0034449108283386255674,
        ),
    ),
    32: _Format(
        32, 23, 127, 10.0,
        (-0.33333322753397943208, 0.13331187556658049521, -0.052728010290260057546),
    ),
}  # fmt: skip
_TWO_LOG2E, _HALF_LN2 = 2.8853900817779268, 0.34657359027997264


def _emit_tanh(builder, x, form):
    """Emit tanh of a scalar or vector of this format."""
    number = ir.DoubleType() if form.bits == 64 else ir.FloatType()
    real, whole = as_kind(x.type, number), as_kind(x.type, ir.IntType(form.bits))

    def c(value):
        return constant(real, float(value if form.bits == 64 else np.float32(value)))

    def i(value):
        return constant(whole, value)

    bits = builder.bitcast(x, whole)
    a = builder.bitcast(builder.and_(bits, i(2 ** (form.bits - 1) - 1)), real)
    a = builder.select(builder.fcmp_ordered(">", a, c(form.limit)), c(form.limit), a)
    # Adding 1.5 * 2^(mantissa bits) rounds to an integer and leaves that integer in the low bits,
    # so no conversion instruction, which AVX2 lacks, is needed. The exponent bias is added with
    # it. n * (ln(2) / 2) loses more bits the larger n is, but the slope of tanh falls much faster.
    shift = c(1.5 * 2.0**form.mantissa + form.bias)
    t = emit_fma(builder, a, c(_TWO_LOG2E), shift)
    n = builder.fsub(t, shift)
    r = emit_fma(builder, n, c(-_HALF_LN2), a)
    z = builder.fmul(r, r)
    p = c(form.series[-1])
    for coefficient in form.series[-2::-1]:
        p = emit_fma(builder, p, z, c(coefficient))
    p = emit_fma(builder, builder.fmul(r, z), p, r)
    power = builder.bitcast(builder.shl(builder.bitcast(t, whole), i(form.mantissa)), real)
    less, more = builder.fsub(power, c(1.0)), builder.fadd(power, c(1.0))
    magnitude = builder.fdiv(emit_fma(builder, more, p, less), emit_fma(builder, less, p, more))
    sign = builder.and_(bits, i(-(2 ** (form.bits - 1))))
    return builder.bitcast(builder.or_(builder.bitcast(magnitude, whole), sign), real)


def _format(x):
    return _FORMATS[(x.dtype if isinstance(x, Vector) else x).bitwidth]


@lower_builtin(tanh, types.Float)
@lower_builtin(tanh, Vector)
def _tanh(context, builder, signature, args):
    return _emit_tanh(builder, args[0], _format(signature.return_type))


@lower_builtin(sigmoid, types.Float)
@lower_builtin(sigmoid, Vector)
def _sigmoid(context, builder, signature, args):
    half = constant(args[0].type, 0.5)
    tangent = _emit_tanh(builder, builder.fmul(half, args[0]), _format(signature.return_type))
    return emit_fma(builder, half, tangent, half)


@lower_builtin(positive, types.Float)
@lower_builtin(positive, Vector)
def _positive(context, builder, signature, args):
    zero = constant(args[0].type, 0.0)
    return builder.select(builder.fcmp_ordered("<", args[0], zero), zero, args[0])


@lower_builtin(absolute, types.Float)
@lower_builtin(absolute, Vector)
def _absolute(context, builder, signature, args):
    form = _format(signature.return_type)
    whole = as_kind(args[0].type, ir.IntType(form.bits))
    bits = builder.bitcast(args[0], whole)
    without_sign = builder.and_(bits, constant(whole, 2 ** (form.bits - 1) - 1))
    return builder.bitcast(without_sign, args[0].type)


def _select(function, sign):
    def emit(context, builder, signature, args):
        return builder.select(builder.fcmp_ordered(sign, *args), *args)

    for kind in (types.Float, Vector):
        lower_builtin(function, kind, kind)(emit)


_select(minimum, "<")
_select(maximum, ">")
