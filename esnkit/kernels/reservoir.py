"""Reservoir dynamics on plain arrays.

    pre(t) = W_in u(t) + W x(t-1) + b
    x(t)   = (1 - a) x(t-1) + a f(pre(t)) + noise(t)

Every unit sums its terms in one fixed order (bias, inputs, then the entries of its row of W in
the order of the layout) with fused multiply-adds, whatever kernel runs it: a sequence alone, in a
group of lanes, cut in two, or in closed loop gives the same bits.
"""

import numpy as np
from numba import njit, uint64

from esnkit.kernels.activations import activate, activated, fma
from esnkit.kernels.layouts import WIDE, Csr, Diagonals, Ell, Forcing, InputWeights, pack, propagate
from esnkit.kernels.linalg import affine_row
from esnkit.kernels.simd.addresses import block
from esnkit.kernels.simd.masked import store_first
from esnkit.kernels.simd.progress import APART, announce, announced, wait_for
from esnkit.kernels.simd.transposition import scatter_columns
from esnkit.kernels.simd.vectors import BYTES as LINE
from esnkit.kernels.simd.vectors import (
    address,
    aligned,
    fill,
    gather,
    join,
    load,
    multiply,
    part,
    repeat,
    store,
    store_past,
    width,
)

__all__ = [
    "LANES",
    "Csr",
    "Diagonals",
    "InputWeights",
    "Ell",
    "Forcing",
    "closed_loop",
    "run",
    "run_lanes",
]
__all__ += ["run_part", "shared_by_parts"]

LANES = 32
TILE = 64  # units whose lanes are computed, then copied while they are still in the cache
ROWS = 16
FEW_INPUTS = 4  # of more, one call for a whole block reads each once instead of four times
PATIENCE = 2**25  # looks at the progress of another thread, some ten milliseconds
PAST = 2**25  # bytes of states; of more than that, the caches hold none that are read next


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _drive(d, U, out):
    """Write ``W_in u + b`` into the first columns of the rows of ``out``."""
    n_rows, n_features = U.shape
    n = d.b.size
    for t in range(n_rows):
        row = out[t]
        for i in range(n):
            row[i] = d.b[i]
    whole = n_features - n_features % 4
    for f in range(0, whole, 4):
        for t in range(n_rows):
            row = out[t]
            u0, u1, u2, u3 = U[t, f], U[t, f + 1], U[t, f + 2], U[t, f + 3]
            for i in range(n):
                total = fma(d.w_in[f, i], u0, row[i])
                total = fma(d.w_in[f + 1, i], u1, total)
                total = fma(d.w_in[f + 2, i], u2, total)
                row[i] = fma(d.w_in[f + 3, i], u3, total)
    for f in range(whole, n_features):
        for t in range(n_rows):
            row = out[t]
            u0 = U[t, f]
            for i in range(n):
                row[i] = fma(d.w_in[f, i], u0, row[i])


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _step_plain(W, d, code, drive, x, pre):
    for i in range(pre.size):
        pre[i] = drive[i]
    propagate(W, x, pre)
    activate(code, pre)
    for i in range(pre.size):
        pre[i] = fma(d.leak[i], pre[i], d.keep[i] * x[i])


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _room(n, x):
    """Return the room of a state, behind which the units of its first block stand once more."""
    w = width(x)
    return uint64((n + (WIDE + 1) * w - 1) // w * w)


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _n_blocks(n, x):
    return -(-n // (WIDE * width(x)))


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _after(arrays, counts, code, half, w, rows, block, inside, k, several):
    """Return what the states of one vector of units, or of several, are after a step.

    Parameters
    ----------
    arrays : addresses of numbers, rates and places, as they are packed, of U, drive and states
    counts : numbers of inputs, runs and gathered entries
    half, w : 0.5, of the dtype of all, and the units of a block
    rows : places in U, drive and states where what belongs to this step begins
    block : places in numbers, rates and places where their block begins
    inside : how many units into their block the units begin
    k : number of the first of the units
    """
    (numbers, rates, places, U, drive, x), (n_inputs, n_runs, n_gathered) = arrays, counts
    (heard, driven, now), (at, rate, place) = rows, block
    at, rate = at + inside, rate + inside
    if n_inputs < 0:
        value = load(drive, driven + k, several)
    else:
        value = load(numbers, at, several)
        at += w
        for f in range(n_inputs):
            value = fma(load(numbers, at, several), fill(U[heard + uint64(f)], value), value)
            at += w
    for j in range(n_runs):
        here = now + inside + uint64(places[place + uint64(j)])
        value = fma(load(numbers, at, several), load(x, here, several), value)
        at += w
    for j in range(n_gathered):
        these = place + inside + uint64(j) * w
        value = fma(load(numbers, at, several), gather(x, now, places, these, several), value)
        at += w
    value = activated(code, value, half)
    kept = multiply(load(rates, rate + w, several), load(x, now + k, several))
    return fma(load(rates, rate, several), value, kept)


# Within a caller this loop would lose the registers that it keeps its constants in.
@njit(cache=True, nogil=True, error_model="numpy", forceinline=False)
def _steps_of_one(
    numbers, rates, n_inputs, n_runs, n_gathered, places, code, units, U, start, stop, drive, x,
    now, out, far, past,
):  # fmt: skip
    """Make the steps of the rows from ``start`` to ``stop``; see `_steps`.

    Of the ``units[0]`` units they are those of the blocks from ``units[1]`` to ``units[2]``. All
    arrays are C-contiguous.
    """
    n, begin, end = units
    w, room, half = uint64(WIDE * width(x)), _room(n, x), x.dtype.type(0.5)
    counts = n_inputs, n_runs, n_gathered
    n_numbers = uint64(max(n_inputs + 1, 0) + n_runs + n_gathered) * w
    n_rates = w + w if uint64(rates.size) > w + w else uint64(0)
    n_places = uint64(n_runs) + uint64(n_gathered) * w
    far_inputs, far_driven = uint64(U.shape[1]), uint64(drive.shape[1])
    arrays = (
        address(numbers), address(rates), address(places), address(U), address(drive), address(x)
    )  # fmt: skip
    n_whole = min(end, n // (WIDE * width(x)))
    for t in range(start, stop):
        new, row = room - now, uint64(t) * far
        rows = uint64(t) * far_inputs, uint64(t - start) * far_driven, now
        for which in range(begin, n_whole):
            b = uint64(which)
            block, k = (b * n_numbers, b * n_rates, b * n_places), b * w
            value = _after(arrays, counts, code, half, w, rows, block, uint64(0), k, WIDE)
            store(x, new + k, value)
            if past:
                store_past(out, row + k, value)
            else:
                store(out, row + k, value)
        b = uint64(n_whole)
        block = b * n_numbers, b * n_rates, b * n_places
        # Vectors of a last block that is not full are computed one by one.
        for first in range(n_whole * WIDE * width(x), n if n_whole < end else 0, width(x)):
            k = uint64(first)
            vector = _after(arrays, counts, code, half, w, rows, block, k % w, k, 1)
            store(x, new + k, vector)
            if first + width(x) > n:
                store_first(out, row + k, vector, n - first)
            elif past:
                store_past(out, row + k, vector)
            else:
                store(out, row + k, vector)
        for v in range(0, WIDE * width(x) if begin == 0 else 0, width(x)):
            store(x, new + uint64(n + v), load(x, new + uint64(v)))
        now = new
    return now


@njit(cache=True, nogil=True, error_model="numpy", forceinline=False)
def _drive_of_four(numbers, at, n_inputs, U, ta, tb, tc, td, out):
    """Write ``W_in u + b`` of a block, for four rows of ``U``; every input is read twice."""
    v = uint64(width(out))
    w = uint64(WIDE) * v
    for first in range(0, WIDE, 2):  # of more vectors at once, AVX2 has not the registers
        k = uint64(first) * v
        to, k = k * uint64(4), at + k
        one, two = repeat(load(numbers, k)), repeat(load(numbers, k + v))
        for f in range(n_inputs):
            heard = join(fill(U[ta, f]), fill(U[tb, f]), fill(U[tc, f]), fill(U[td, f]))
            k += w
            one = fma(repeat(load(numbers, k)), heard, one)
            two = fma(repeat(load(numbers, k + v)), heard, two)
        store(out, to, one)
        store(out, to + w, two)


@njit(cache=True, nogil=True, error_model="numpy", forceinline=False)
def _steps_of_four(
    numbers, rates, n_inputs, n_runs, places, code, n, U, starts, n_steps, x, now, out, far, past
):
    """Make steps of four sequences side by side, which then read all numbers once.

    Their rows begin at ``starts``; each has room for two states in ``x``, one after the other.
    Nothing is gathered.
    """
    w, room, half = uint64(WIDE * width(x)), _room(n, x), x.dtype.type(0.5)
    gap, n_numbers = room + room, uint64(n_inputs + n_runs + 1)
    next_rate, driven = w + w if uint64(rates.size) > w + w else uint64(0), aligned(4 * int(w), x)
    for t in range(n_steps):
        new = room - now
        ta, tb, tc, td = starts[0] + t, starts[1] + t, starts[2] + t, starts[3] + t
        for first in range(0, n, width(x)):
            block, inside = uint64(first) // w, uint64(first) % w
            at, place = block * w * n_numbers + inside, block * uint64(n_runs)
            if n_inputs > FEW_INPUTS and inside == 0:
                _drive_of_four(numbers, at, n_inputs, U, ta, tb, tc, td, driven)
            if n_inputs > FEW_INPUTS:
                value = load(driven, inside * uint64(4), WIDE)
                at += uint64(n_inputs) * w
            else:
                value = repeat(load(numbers, at))
                for f in range(n_inputs):
                    at += w
                    heard = join(fill(U[ta, f]), fill(U[tb, f]), fill(U[tc, f]), fill(U[td, f]))
                    value = fma(repeat(load(numbers, at)), heard, value)
            for _ in range(n_runs):
                at += w
                a = now + inside + uint64(places[place])
                b, c, d = a + gap, a + gap + gap, a + gap + gap + gap
                before = join(load(x, a), load(x, b), load(x, c), load(x, d))
                value = fma(repeat(load(numbers, at)), before, value)
                place += uint64(1)
            a = now + uint64(first)
            b, c, d = a + gap, a + gap + gap, a + gap + gap + gap
            rate = block * next_rate + inside
            before = join(load(x, a), load(x, b), load(x, c), load(x, d))
            kept = multiply(repeat(load(rates, rate + w)), before)
            value = fma(repeat(load(rates, rate)), activated(code, value, half), kept)
            a = new + uint64(first)
            store(x, a, part(value, 0))
            store(x, a + gap, part(value, 1))
            store(x, a + gap + gap, part(value, 2))
            store(x, a + gap + gap + gap, part(value, 3))
            for s in range(4 if far else 0):
                vector = load(x, a + uint64(s) * gap)
                row = uint64(starts[s] + t) * far + uint64(first)
                if first + width(x) > n:
                    store_first(out, row, vector, n - first)
                elif past:
                    store_past(out, row, vector)
                else:
                    store(out, row, vector)
        for first in range(0, WIDE * width(x), width(x)):
            for s in range(4):
                here = new + uint64(first) + uint64(s) * gap
                store(x, here + uint64(n), load(x, here))
        now = new
    return now


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _put(state, x, now):
    """Write a state to ``x[now]``, its first block once more behind it."""
    n = state.size
    for i in range(n):
        x[now + uint64(i)] = state[i]
    for i in range(WIDE * width(x)):  # in order: of a state shorter than a block all again
        x[now + uint64(n + i)] = x[now + uint64(i)]


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _steps(W, packed, d, code, held, t, U, start, stop, drive, x, now, out, far, past):
    """Write the states of the rows from ``start`` to ``stop`` into ``out``, ``far`` apart there.

    The state before is at ``x[now]``, the last one at the returned place. The drive is in the rows
    of ``drive``, unless ``packed`` has what makes it of ``U``. Where anything is held, a single
    step is made, on which row ``t`` of it is imposed.
    """
    n, row = d.b.size, start if far else 0
    if packed.numbers.size > 0:
        now = _steps_of_one(
            packed.numbers, packed.rates, packed.n_inputs, packed.n_runs, packed.n_gathered,
            packed.places, code, (n, 0, _n_blocks(n, x)), U, start, stop, drive, x, now, out, far,
            past,
        )  # fmt: skip
    else:
        _step_plain(W, d, code, drive[0], x[now : now + uint64(n)], out[row, :n])
    if packed.numbers.size == 0 or held.noise.shape[0] > 0 or held.units.size > 0:
        _impose(held, t, out[row, :n])
        _put(out[row, :n], x, now)
    return now


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _goes_past(out, n):
    """Tell whether states are written past the caches: many, in rows that begin on lines."""
    aligned_rows = n % width(out) == 0 and out.shape[1] % width(out) == 0
    return out.size * out.itemsize >= PAST and aligned_rows and out.ctypes.data % LINE == 0


@njit(cache=True, nogil=True, error_model="numpy")
def run(W, d, code, held, U, starts, lengths, x0, out):
    """Run sequences one after the other, or four side by side.

    Parameters
    ----------
    W : Diagonals, Ell or Csr
    d : InputWeights
    code : int, activation
    held : Forcing
    U : (n_rows, n_features) inputs of all sequences
    starts, lengths : (n_sequences,) int64, first row and number of rows
    x0 : (n_sequences, n_units), states; updated in place
    out : (n_rows, >= n_units), on exit the states in the first columns; without rows where nobody
        asks for any but the last, in x0
    """
    n, far, w = d.b.size, uint64(out.shape[1]), width(x0)
    if len(out) == 0:
        out, far = np.empty((1, n), x0.dtype), uint64(0)
    past, packed = _goes_past(out, n), pack(W, d)
    in_step = packed.n_inputs >= 0
    # What is imposed on a state belongs between two steps.
    alone = packed.numbers.size == 0 or held.noise.shape[0] > 0 or held.units.size > 0
    in_fours = in_step and not alone and packed.n_gathered == 0
    n_rows = 1 if alone else max(1, len(U)) if in_step else ROWS
    drive = np.zeros((0, 0) if in_step else (n_rows, n + WIDE * w), U.dtype)
    gap = 2 * int(_room(n, x0))
    x = aligned(4 * gap, x0)
    for first in range(0, starts.size, 4):
        several, now, done = min(4, starts.size - first), uint64(0), 0
        for s in range(several):
            _put(x0[first + s], x, uint64(s * gap))
        if several == 4 and in_fours:
            done = lengths[first : first + 4].min()
            now = _steps_of_four(
                packed.numbers, packed.rates, packed.n_inputs, packed.n_runs, packed.places, code,
                n, U, starts[first : first + 4], done, x, now, out, far, past,
            )  # fmt: skip
        for s in range(first, first + several):
            own, here, end = x[(s - first) * gap :], now, starts[s] + lengths[s]
            for start in range(starts[s] + done, end, n_rows):
                stop = min(start + n_rows, end)
                if not in_step:
                    _drive(d, U[start:stop], drive)
                here = _steps(
                    W, packed, d, code, held, start, U, start, stop, drive, own, here, out, far,
                    past,
                )  # fmt: skip
            x0[s] = own[here : here + uint64(n)]


@njit(cache=True, nogil=True, error_model="numpy")
def _sectors(part, n_parts, n_blocks, edge):
    """Return the ranges of blocks of a part, in the order in which they are to be computed.

    First those at its two ends. Where the ring is closed, behind the last block, lies in the
    middle of the last part: what its first block repeats there no other part reads.
    """
    first, last = (2 * part + 1) * n_blocks // (2 * n_parts), (2 * part + 3) * n_blocks
    last //= 2 * n_parts
    middle = min(last - edge, n_blocks)
    sectors = np.array(
        [first, first + edge, last - edge, last, first + edge, middle, middle, middle]
    )
    if last > n_blocks:
        sectors[2:4] -= n_blocks
        sectors[6], sectors[7] = 0, last - edge - n_blocks
    return sectors.reshape(4, 2)


def shared_by_parts(n_parts, n_rows, x0):
    """Return what the parts of `run_part` share: room for two states, and the progress they make.

    The latter has the steps that each announces, and behind them how many are to be made.
    """
    done = np.zeros((n_parts + 1) * APART, np.int64)
    done[n_parts * APART] = n_rows
    return aligned(2 * int(_room(x0.size, x0)), x0), done


@njit(cache=True, nogil=True, error_model="numpy")
def run_part(W, d, code, U, x0, x, done, part, edge, out):
    """Run one sequence as `run` does, but of its units only one part of a ring of them.

    Other threads run the other parts meanwhile. The blocks near the two ends of a part, which
    alone hear or are heard by those of its neighbours, come first, so that these seldom wait.
    Where the first part does wait for long, as on a busy machine, it ends the run of all.

    Parameters
    ----------
    W : Diagonals
    d, code : as in `run`
    U : (n_rows, n_features), at most `PACKED_INPUTS` features
    x0 : (n_units,), state; updated in place
    x, done : what `shared_by_parts` returns
    part : int, which of the parts
    edge : int, how many blocks those near an end are, of at least twice that and two in a part
    out : as in `run`

    Returns
    -------
    int
        How many steps have been made: n_rows, or fewer.
    """
    n, far, n_parts = d.b.size, uint64(out.shape[1]), done.size // APART - 1
    if len(out) == 0:
        out, far = np.empty((1, n), x0.dtype), uint64(0)
    past, packed, w = _goes_past(out, n), pack(W, d), WIDE * width(x)
    sectors = _sectors(part, n_parts, _n_blocks(n, x), edge)
    left, right = (part - 1) % n_parts * APART, (part + 1) % n_parts * APART
    now, drive, looks, t = uint64(0), np.zeros((0, 0), U.dtype), 0, 0
    for s in range(4):
        for i in range(sectors[s, 0] * w, min(sectors[s, 1] * w, n)):
            x[i] = x0[i]
        for i in range(w if sectors[s, 0] == 0 else 0):
            x[n + i] = x[i]
    announce(done, part * APART, 1)
    while t < announced(done, n_parts * APART):
        looks += wait_for(done, left, t + 1) + wait_for(done, right, t + 1)
        if part == 0 and looks > PATIENCE + n * t:
            # No part is farther ahead of the first than there are others.
            announce(done, n_parts * APART, min(t + n_parts, len(U)))
            looks = np.iinfo(np.int64).min
        for s in range(4):
            units = n, sectors[s, 0], sectors[s, 1]
            _steps_of_one(
                packed.numbers, packed.rates, packed.n_inputs, packed.n_runs, packed.n_gathered,
                packed.places, code, units, U, t, t + 1, drive, x, now, out, far, past,
            )  # fmt: skip
            if s == 1:
                announce(done, part * APART, t + 2)
        now, t = _room(n, x) - now, t + 1
    for s in range(4):
        for i in range(sectors[s, 0] * w, min(sectors[s, 1] * w, n)):
            x0[i] = x[now + uint64(i)]
    return t


@njit(cache=True, nogil=True, error_model="numpy")
def closed_loop(W, d, code, held, coef, intercept, u, exog, x0, out):
    """Run with the outputs fed back into the first inputs.

    Every row: the other inputs come from ``exog``, a step is made, the readout of the new state
    is written to ``out`` and into the first inputs.

    Parameters
    ----------
    W, d, code, held : as in `run`
    coef : (n_outputs, n_units or n_units + n_features), readout of the state [and the input]
    intercept : (n_outputs,)
    u : (n_features,) first input; on exit the next one, but for its exogenous part
    exog : (n_steps, n_features - n_outputs)
    x0 : (n_units,) state; updated in place
    out : (n_steps, n_outputs)
    """
    n, n_features = d.b.size, u.size
    n_outputs = out.shape[1]
    packed = pack(W, d)
    x, now = aligned(2 * int(_room(n, x0)), x0), uint64(0)
    _put(x0, x, now)
    z, U = aligned(n + n_features, u).reshape(1, -1), u.reshape(1, -1)
    near = aligned(coef.size, coef).reshape(coef.shape)
    near[:] = coef
    drive = np.zeros((1, n + WIDE * width(u)), u.dtype)
    lanes = np.empty(16, u.dtype)
    numbers, rates, n_inputs, n_runs, n_gathered, places = packed
    simple = numbers.size > 0 and held.noise.shape[0] == 0 and held.units.size == 0
    units = n, 0, _n_blocks(n, x)
    for t in range(out.shape[0]):
        for f in range(n_outputs, n_features):
            u[f] = exog[t, f - n_outputs]
        if n_inputs < 0:
            _drive(d, U, drive)
        if simple:
            now = _steps_of_one(
                numbers, rates, n_inputs, n_runs, n_gathered, places, code, units, U, 0, 1, drive,
                x, now, z, uint64(0), False,
            )  # fmt: skip
        else:
            now = _steps(W, packed, d, code, held, t, U, 0, 1, drive, x, now, z, uint64(0), False)
        for f in range(n_features):
            z[0, n + f] = u[f]
        affine_row(z[0, : coef.shape[1]], near, intercept, lanes, out[t])
        for f in range(n_outputs):
            u[f] = out[t, f]
    x0[:] = x[now : now + uint64(n)]


@njit(cache=True, nogil=True, error_model="numpy")
def run_lanes(W, d, code, held, U, starts, lengths, x0, out):
    """Run many sequences, `LANES` at a time, one in each lane of the innermost axis.

    Parameters
    ----------
    W : Csr
        Entries of each row in the order in which the layout of `run` sums them.
    d, code, held, U : as in `run`; rows of all sequences
    starts, lengths : (n_sequences,) int64, first row and number of rows, longest first
    x0 : (n_sequences, n_units), states; updated in place
    out : as in `run`
    """
    n, n_features, every = d.b.size, U.shape[1], len(out) > 0
    if not every:
        out = np.empty((LANES, n), x0.dtype)
    x, u = aligned(2 * n * LANES, d.b), np.zeros(n_features * LANES, U.dtype)
    places, flat = np.empty(LANES, np.uint64), out.reshape(-1)
    now, new = uint64(0), uint64(n * LANES)
    imposing = held.noise.shape[0] > 0 or held.units.size > 0
    for first in range(0, starts.size, LANES):
        n_lanes = min(LANES, starts.size - first)
        for i in range(n):
            for lane in range(LANES):
                last = x0[first + lane, i] if lane < n_lanes else x0[first, i]
                x[now + uint64(i * LANES + lane)] = last
        for t in range(lengths[first]):
            while lengths[first + n_lanes - 1] <= t:
                n_lanes -= 1
            for lane in range(n_lanes):
                row = starts[first + lane] + t if every else lane
                places[lane] = uint64(row) * uint64(out.shape[1])
                for f in range(n_features):
                    u[f * LANES + lane] = U[starts[first + lane] + t, f]
            for tile in range(0, n, TILE):
                end = min(tile + TILE, n)
                _step_lanes(
                    W.weights, W.columns, W.indptr, d.w_in, d.b, d.leak, d.keep, code, tile, end,
                    u, x, now, new,
                )  # fmt: skip
                _spread(x, new, places, n_lanes, tile, end, flat)
            if imposing:
                for lane in range(n_lanes):
                    state = flat[places[lane] : places[lane] + uint64(n)]
                    _impose(held, starts[first + lane] + t, state)
                    for i in range(n):
                        x[new + uint64(i * LANES + lane)] = state[i]
            for lane in range(n_lanes):
                if lengths[first + lane] == t + 1:
                    x0[first + lane] = flat[places[lane] : places[lane] + uint64(n)]
            now, new = new, now


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _impose(held, t, x):
    if held.noise.shape[0] > 0:
        for i in range(x.size):
            x[i] += held.noise[t, i]
    if held.units.size > 0:
        values = held.values[min(t, held.values.shape[0] - 1)]
        for j in range(held.units.size):
            x[held.units[j]] = values[j]


@njit(cache=True, nogil=True, error_model="numpy")
def _step_lanes(weights, columns, indptr, w_in, b, leak, keep, code, begin, end, u, x, now, new):
    """Make one step of the units from ``begin`` to ``end``, from x[now] to x[new]."""
    half, w, lanes = b.dtype.type(0.5), uint64(width(x)), uint64(LANES)
    for i in range(begin, end):
        for lane in range(0, LANES, 2 * width(x)):
            k = uint64(lane)
            one = two = fill(b[i])
            for f in range(w_in.shape[0]):
                weight, place = fill(w_in[f, i]), uint64(f) * lanes + k
                one = fma(weight, load(u, place), one)
                two = fma(weight, load(u, place + w), two)
            for e in range(indptr[i], indptr[i + 1]):
                weight, place = fill(weights[e]), now + uint64(columns[e]) * lanes + k
                one = fma(weight, load(x, place), one)
                two = fma(weight, load(x, place + w), two)
            one, two = activated(code, one, half), activated(code, two, half)
            k += uint64(i) * lanes
            replaced, kept = fill(leak[i]), fill(keep[i])
            store(x, new + k, fma(replaced, one, multiply(kept, load(x, now + k))))
            store(x, new + k + w, fma(replaced, two, multiply(kept, load(x, now + k + w))))


@njit(cache=True, nogil=True, error_model="numpy")
def _spread(x, new, places, n_lanes, begin, end, flat):
    """Copy the units from ``begin`` to ``end`` of every lane to its place in ``flat``."""
    units, out = block(x, int(new) + begin * LANES, LANES), block(flat, begin, 1)
    scatter_columns(units, end - begin, n_lanes, out, block(places, 0, 1))
