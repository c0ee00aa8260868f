"""Closed loops of composed reservoirs, whose members make every step one after the other.

Each has the equation and the order of sums of :mod:`esnkit.kernels.steps`, so that the bits are
those of single steps.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numba import uint64

from esnkit.kernels.compilation import kernel
from esnkit.kernels.layouts import InputWeights
from esnkit.kernels.linalg import LANES
from esnkit.kernels.packed_weights import BLOCK_VECTORS, PackedWeights, pack
from esnkit.kernels.reservoir import aligned_readout, feed_back, project, set_exogenous
from esnkit.kernels.simd.vectors import aligned, width
from esnkit.kernels.state_buffer import (
    StateBuffer,
    count_blocks,
    put_state,
    state_capacity,
    take_state,
)
from esnkit.kernels.steps import BlockRange, OutputRows, StepInputs, run_steps

__all__ = ["Members", "join_members", "run_member_loop"]

N_UNITS, N_INPUTS, N_DIAGONALS, N_GATHERED, N_FEATURES, N_ENTRIES, CODE = range(7)
WEIGHTS, RATES, COLUMNS, KEPT, W_IN, ENTRIES, UNITS = range(7)


class Members(NamedTuple):
    """Weights of several reservoirs; in every array, those of one follow those of another."""

    weights: np.ndarray  # this and the next three are those of `PackedWeights`
    rates: np.ndarray
    columns: np.ndarray
    kept: np.ndarray
    w_in: np.ndarray  # this and the next three are those of `InputWeights`
    entries: np.ndarray
    b: np.ndarray
    features: np.ndarray  # the columns of ``entries``
    begins: np.ndarray  # (n_members + 1, 7) int64: where those of each begin
    sizes: np.ndarray  # (n_members, 7) int64: numbers of `PackedWeights`, features, ...
    is_chain: bool  # whether each receives the states of the one before it, else the inputs


@kernel
def _packed_weights(W, input_weights):
    return pack(W, input_weights)


def join_members(members: Sequence[tuple[Any, InputWeights, int]], is_chain: bool) -> Members:
    """Return the weights of members with (W, other weights, activation), W being no `Csr`."""
    parts = [_packed_weights(W, input_weights) for W, input_weights, _ in members]
    rows = [
        (*packed[:4], rest.w_in.ravel(), rest.entries.ravel(), rest.b, rest.columns.ravel())
        for packed, (_, rest, _) in zip(parts, members, strict=True)
    ]
    sizes = [
        (*packed[4:], len(rest.w_in), len(rest.entries), code)
        for packed, (_, rest, code) in zip(parts, members, strict=True)
    ]
    lengths = [[array.size for array in row[:-1]] for row in rows]
    begins = np.vstack([np.zeros((1, 7), np.int64), np.cumsum(lengths, axis=0)])
    arrays: list[Any] = [np.concatenate(column) for column in zip(*rows, strict=True)]
    arrays += [begins, np.array(sizes, np.int64), is_chain]
    return Members(*arrays)


@kernel(inline="always")
def _packed_member(members, weights, k):
    """Return the weights of member k; ``weights`` are all of them, aligned to cache lines."""
    first, last, sizes = members.begins[k], members.begins[k + 1], members.sizes[k]
    return PackedWeights(
        weights[first[WEIGHTS] : last[WEIGHTS]],
        members.rates[first[RATES] : last[RATES]],
        members.columns[first[COLUMNS] : last[COLUMNS]],
        members.kept[first[KEPT] : last[KEPT]],
        sizes[N_UNITS], sizes[N_INPUTS], sizes[N_DIAGONALS], sizes[N_GATHERED],
    )  # fmt: skip


@kernel(inline="always")
def _project_one(members, k, rows, projected):
    """Write ``W_in u + b`` of member k for the one row of ``rows``."""
    first, last, sizes = members.begins[k], members.begins[k + 1], members.sizes[k]
    n_units, begin, end = sizes[N_UNITS], first[ENTRIES], last[ENTRIES]
    w_in = members.w_in[first[W_IN] : last[W_IN]].reshape(sizes[N_FEATURES], n_units)
    entries = members.entries[begin:end].reshape(sizes[N_ENTRIES], n_units)
    features = members.features[begin:end].reshape(sizes[N_ENTRIES], n_units)
    b = members.b[first[UNITS] : last[UNITS]]
    project(InputWeights(w_in, b, b, b, 0, entries, features), rows, 0, 1, projected)


@kernel(inline="always")
def _largest(members):
    largest = 0
    for k in range(members.sizes.shape[0]):
        largest = max(largest, members.sizes[k, N_UNITS])
    return largest


@kernel
def run_member_loop(members, readout, inputs, x0, out):
    """Run one sequence with the outputs fed back into the first inputs, as `closed_loop` does.

    Parameters
    ----------
    members : Members
    readout : LinearReadout
        Of the states of all members, side by side, or of these and the inputs.
    inputs : LoopInputs
    x0 : (n_units of all members,) states; updated in place
    out : (n_steps, n_outputs)
    """
    n, u, units = x0.size, inputs.first, members.begins[:, UNITS]
    readout, weights = aligned_readout(readout), aligned(members.weights.size, x0)
    for i in range(weights.size):
        weights[i] = members.weights[i]
    z, partial_sums = aligned(n + u.size, u), aligned(LANES, u)
    gap = 2 * int(state_capacity(_largest(members), x0))  # from buffer to buffer
    states = aligned(members.sizes.shape[0] * gap, x0)
    positions = np.zeros(members.sizes.shape[0], np.uint64)
    projected = np.zeros((1, gap // 2 + BLOCK_VECTORS * width(u)), u.dtype)
    for k in range(positions.size):
        put_state(x0[units[k] : units[k + 1]], states[k * gap :], uint64(0))
    for t in range(out.shape[0]):
        set_exogenous(inputs, t, out.shape[1])
        received = u
        for k in range(positions.size):
            packed, state = _packed_member(members, weights, k), z[units[k] : units[k + 1]]
            rows = received.reshape(1, received.size)
            if packed.n_inputs < 0:
                _project_one(members, k, rows, projected)
            positions[k] = run_steps(
                packed, members.sizes[k, CODE], BlockRange(0, count_blocks(state.size, states)),
                StepInputs(rows, projected, 0, 1),
                StateBuffer(states[k * gap : (k + 1) * gap], positions[k]),
                OutputRows(state.reshape(1, state.size), uint64(0), False),
            )  # fmt: skip
            received = state if members.is_chain else u
        feed_back(readout, z, n, u, partial_sums, out[t])
    for k in range(positions.size):
        take_state(states[k * gap :], positions[k], x0[units[k] : units[k + 1]])
