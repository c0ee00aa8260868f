"""The buffer in which the state of a sequence and the next one swap places at every step."""

from typing import NamedTuple

import numpy as np
from numba import uint64

from esnkit.kernels.compilation import kernel
from esnkit.kernels.packed_weights import BLOCK_VECTORS
from esnkit.kernels.simd.vectors import load, store, width


class StateBuffer(NamedTuple):
    """The current state and room for the next one, which swap at every step.

    The current state is ``states[position : position + n_units]``, position being 0 or the
    capacity of one state. A copy of its first block follows, so that a block of a cyclic diagonal,
    whose columns begin at any unit, is contiguous.
    """

    states: np.ndarray  # (2 * capacity,)
    position: np.uint64


@kernel(inline="always")
def state_capacity(n_units, states):
    """Return the size of one state in a `StateBuffer`: n_units and a block, in whole vectors."""
    v = width(states)
    return uint64((n_units + (BLOCK_VECTORS + 1) * v - 1) // v * v)


@kernel(inline="always")
def count_blocks(n_units, states):
    """Return the number of blocks of units, the last of which may be partly filled."""
    return -(-n_units // (BLOCK_VECTORS * width(states)))


@kernel(inline="always")
def put_state(state, states, position):
    """Write a state to a buffer, with its first block repeated behind it."""
    n = state.size
    for i in range(n):
        states[position + uint64(i)] = state[i]
    for i in range(BLOCK_VECTORS * width(states)):  # in order: a state may be shorter than a block
        states[position + uint64(n + i)] = states[position + uint64(i)]


@kernel(inline="always")
def take_state(states, position, out):
    """Copy the state at ``position`` of a buffer to ``out``."""
    for i in range(out.size):
        out[i] = states[position + uint64(i)]


@kernel(inline="always")
def repeat_first_block(states, position, n_units):
    """Copy the first block of the state at ``position`` behind its last unit."""
    for k in range(0, BLOCK_VECTORS * width(states), width(states)):
        store(states, position + uint64(n_units + k), load(states, position + uint64(k)))
