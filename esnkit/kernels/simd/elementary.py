"""Elementary functions of scalars and vectors: fused multiply-add, tanh, logistic sigmoid, max.

The C library's tanh is a call per element and keeps a loop scalar. Here, with
|x| = n ln(2) / 2 + r and n the integer that makes |r| least,

    tanh|x| = (tanh(n ln(2) / 2) + tanh(r)) / (1 + tanh(n ln(2) / 2) tanh(r))
            = ((2^n - 1) + (2^n + 1) tanh(r)) / ((2^n + 1) + (2^n - 1) tanh(r))

uses only arithmetic that has vector instructions; the error is below 3 ulp. The same numbers give

    exp(2 |x|) = 2^n (1 + tanh(r)) / (1 - tanh(r))

and with it a logistic sigmoid that has a small relative error where it is near zero, too.
"""

from typing import NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import lower_builtin, type_callable

from esnkit.kernels.simd.vectors import Vector, as_kind, constant, emit_fma

__all__ = [
    "absolute",
    "fma",
    "maximum",
    "minimum",
    "positive",
    "positive_sigmoid",
    "sigmoid",
    "tanh",
]


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


def positive_sigmoid(x):
    """Return 1 / (1 + exp(-x)) of a scalar or vector with a small relative error, never zero.

    Arguments below -80 count as -80, and those above 80 as 80.
    """
    return 1 / (1 + np.exp(-np.clip(x, -MAX_ARGUMENT, MAX_ARGUMENT)))


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


for function in (tanh, sigmoid, positive_sigmoid, positive, absolute):
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
# exp(80) and its reciprocal are normal numbers in single precision.
MAX_ARGUMENT = 80.0
_TWO_LOG2E, _HALF_LN2 = 2.8853900817779268, 0.34657359027997264


class _Emitter:
    """Constants of one type, and the parts of tanh and of the exponential function."""

    def __init__(self, builder, kind, form):
        number = ir.DoubleType() if form.bits == 64 else ir.FloatType()
        self.builder, self.form = builder, form
        self.real, self.whole = as_kind(kind, number), as_kind(kind, ir.IntType(form.bits))

    def c(self, value):
        """Return a constant, rounded to the precision of the format."""
        return constant(self.real, float(value if self.form.bits == 64 else np.float32(value)))

    def bits(self, x, mask):
        """Return these bits of a number, as an integer."""
        return self.builder.and_(self.builder.bitcast(x, self.whole), constant(self.whole, mask))

    def modulus(self, x, limit):
        """Emit |x|, at most the limit."""
        a = self.builder.bitcast(self.bits(x, 2 ** (self.form.bits - 1) - 1), self.real)
        return self.builder.select(
            self.builder.fcmp_ordered(">", a, self.c(limit)), self.c(limit), a
        )

    def parts(self, a):
        """Emit 2^n and tanh(r), where a = n ln(2) / 2 + r is not negative."""
        builder, form = self.builder, self.form
        # Adding 1.5 * 2^(mantissa bits) rounds to an integer and leaves that integer in the low
        # bits, so no conversion instruction, which AVX2 lacks, is needed. The exponent bias is
        # added with it. n * (ln(2) / 2) loses more bits the larger n is, but the slope of tanh
        # falls much faster.
        shift = self.c(1.5 * 2.0**form.mantissa + form.bias)
        t = emit_fma(builder, a, self.c(_TWO_LOG2E), shift)
        n = builder.fsub(t, shift)
        r = emit_fma(builder, n, self.c(-_HALF_LN2), a)
        z = builder.fmul(r, r)
        p = self.c(form.series[-1])
        for coefficient in form.series[-2::-1]:
            p = emit_fma(builder, p, z, self.c(coefficient))
        p = emit_fma(builder, builder.fmul(r, z), p, r)
        exponent = builder.shl(builder.bitcast(t, self.whole), constant(self.whole, form.mantissa))
        return builder.bitcast(exponent, self.real), p


def _emit_tanh(builder, x, form):
    """Emit tanh of a scalar or vector of this format."""
    emit = _Emitter(builder, x.type, form)
    power, p = emit.parts(emit.modulus(x, form.limit))
    less, more = builder.fsub(power, emit.c(1.0)), builder.fadd(power, emit.c(1.0))
    magnitude = builder.fdiv(emit_fma(builder, more, p, less), emit_fma(builder, less, p, more))
    sign = emit.bits(x, -(2 ** (form.bits - 1)))
    return builder.bitcast(builder.or_(builder.bitcast(magnitude, emit.whole), sign), emit.real)


def _emit_positive_sigmoid(builder, x, form):
    """Emit e / (e + 1) where x > 0 and 1 / (e + 1) elsewhere, e = exp(|x|)."""
    emit = _Emitter(builder, x.type, form)
    half = builder.fmul(emit.modulus(x, MAX_ARGUMENT), emit.c(0.5))
    power, p = emit.parts(half)
    up, down = emit_fma(builder, power, p, power), builder.fsub(emit.c(1.0), p)
    above = builder.fcmp_ordered(">", x, emit.c(0.0))
    return builder.fdiv(builder.select(above, up, down), builder.fadd(up, down))


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


@lower_builtin(positive_sigmoid, types.Float)
@lower_builtin(positive_sigmoid, Vector)
def _positive_sigmoid(context, builder, signature, args):
    return _emit_positive_sigmoid(builder, args[0], _format(signature.return_type))


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
