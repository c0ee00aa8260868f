"""Activation functions by code, of arrays in place and of vectors."""

from esnkit.kernels.compilation import kernel
from esnkit.kernels.simd.elementary import fma, positive, sigmoid, tanh

__all__ = [
    "CODES",
    "IDENTITY",
    "RELU",
    "SIGMOID",
    "TANH",
    "activate",
    "activated",
    "fma",
    "positive",
    "sigmoid",
    "tanh",
    "tanh_array",
]

TANH, IDENTITY, RELU, SIGMOID = range(4)
CODES = {"tanh": TANH, "identity": IDENTITY, "relu": RELU, "sigmoid": SIGMOID}


@kernel
def tanh_array(x, out):
    """Write tanh of every element of the 1-D ``x`` into ``out``."""
    for i in range(x.size):
        out[i] = tanh(x[i])


@kernel(inline="always")
def activate(code, pre):
    """Apply the activation to the 1-D ``pre`` in place."""
    # One loop per activation: a branch within a loop would keep it from being vectorised.
    if code == TANH:
        for i in range(pre.size):
            pre[i] = tanh(pre[i])
    elif code == RELU:
        for i in range(pre.size):
            pre[i] = positive(pre[i])
    elif code == SIGMOID:
        for i in range(pre.size):
            pre[i] = sigmoid(pre[i])


@kernel(inline="always")
def activated(code, x):
    """Return the activation of the vector ``x``."""
    if code == TANH:
        return tanh(x)
    if code == RELU:
        return positive(x)
    if code == SIGMOID:
        return sigmoid(x)
    return x
