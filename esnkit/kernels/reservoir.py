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
from esnkit.kernels.layouts import Csr, Diagonals, Drive, Ell, Held, pack, propagate
from esnkit.kernels.linalg import affine_row
from esnkit.kernels.tiles import BYTES, block_to_rows
from esnkit.kernels.vectors import aligned, fill, gather, load, multiply, store, width

__all__ = ["LANES", "Csr", "Diagonals", "Drive", "Ell", "Held", "closed_loop", "run", "run_lanes"]

LANES = 32
TILE = 64  # units whose lanes are computed, then copied while they are still in the cache
ROWS = 16


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


# Within a caller this loop would lose the registers that it keeps its constants in.
@njit(cache=True, nogil=True, error_model="numpy", forceinline=False)
def _steps_of_vectors(
    numbers, rates, n_inputs, n_entries, shifts, columns, code, n, U, start, stop, drive, x, now,
    out, far,
):  # fmt: skip
    """Make the steps of the rows from ``start`` to ``stop``; see `_steps`."""
    # Flat places instead of views of rows, whose reference counts would be kept at every step. Two
    # vectors at once keep the processor busy while it waits for the sums of the one or the other.
    w, size, half = uint64(width(x)), uint64(n), x.dtype.type(0.5)
    next_rate = w + w + w + w if uint64(rates.size) > w + w + w + w else uint64(0)
    for t in range(start, stop):
        new = uint64(2 * n) - now
        row, driven = uint64(t) * far, uint64(t - start) * size
        at = place = rate = uint64(0)
        for first in range(0, n, 2 * width(x)):
            k = min(uint64(first), size - w - w)
            if n_inputs < 0:
                one, two = load(drive, driven + k), load(drive, driven + k + w)
            else:
                one, two = load(numbers, at), load(numbers, at + w)
                at += w + w
                for f in range(n_inputs):
                    u = fill(U[t, f])
                    one = fma(load(numbers, at), u, one)
                    two = fma(load(numbers, at + w), u, two)
                    at += w + w
            here = now + k
            for j in range(shifts.size):
                there = here + shifts[j]
                one = fma(load(numbers, at), load(x, there), one)
                two = fma(load(numbers, at + w), load(x, there + w), two)
                at += w + w
            for _ in range(n_entries - shifts.size):
                one = fma(load(numbers, at), gather(x, now, columns, place), one)
                two = fma(load(numbers, at + w), gather(x, now, columns, place + w), two)
                at += w + w
                place += w + w
            one, two = activated(code, one, half), activated(code, two, half)
            leak, keep = rate, rate + w + w
            one = fma(load(rates, leak), one, multiply(load(rates, keep), load(x, here)))
            two = fma(
                load(rates, leak + w), two, multiply(load(rates, keep + w), load(x, here + w))
            )
            rate += next_rate
            store(out, row + k, one)
            store(out, row + k + w, two)
            store(x, new + k, one)
            store(x, new + k + w, two)
            if shifts.size > 0:  # only they reach beyond the last unit
                store(x, new + size + k, one)
                store(x, new + size + k + w, two)
        now = new
    return now


@njit(cache=True, nogil=True, error_model="numpy", forceinline=False)
def _steps_of_two(
    numbers, rates, n_inputs, n_entries, shifts, columns, code, n, U, first, second, n_steps, x,
    gap, now, out, far,
):  # fmt: skip
    """Make the same steps of two sequences, which then read all numbers once.

    Their rows begin at ``first`` and ``second``; the states of the second are ``gap`` behind those
    of the first.
    """
    w, size, half = uint64(width(x)), uint64(n), x.dtype.type(0.5)
    next_rate = w + w + w + w if uint64(rates.size) > w + w + w + w else uint64(0)
    for t in range(n_steps):
        new = uint64(2 * n) - now
        row_a, row_b = uint64(first + t) * far, uint64(second + t) * far
        at = place = rate = uint64(0)
        for start in range(0, n, 2 * width(x)):
            k = min(uint64(start), size - w - w)
            a1 = b1 = load(numbers, at)
            a2 = b2 = load(numbers, at + w)
            at += w + w
            for f in range(n_inputs):
                one, two = load(numbers, at), load(numbers, at + w)
                u_a, u_b = fill(U[first + t, f]), fill(U[second + t, f])
                a1, a2 = fma(one, u_a, a1), fma(two, u_a, a2)
                b1, b2 = fma(one, u_b, b1), fma(two, u_b, b2)
                at += w + w
            a, b = now + k, now + k + gap
            for j in range(shifts.size):
                one, two, shift = load(numbers, at), load(numbers, at + w), shifts[j]
                a1, a2 = fma(one, load(x, a + shift), a1), fma(two, load(x, a + shift + w), a2)
                b1, b2 = fma(one, load(x, b + shift), b1), fma(two, load(x, b + shift + w), b2)
                at += w + w
            for _ in range(n_entries - shifts.size):
                one, two = load(numbers, at), load(numbers, at + w)
                a1 = fma(one, gather(x, now, columns, place), a1)
                a2 = fma(two, gather(x, now, columns, place + w), a2)
                b1 = fma(one, gather(x, now + gap, columns, place), b1)
                b2 = fma(two, gather(x, now + gap, columns, place + w), b2)
                at += w + w
                place += w + w
            leak, keep = rate, rate + w + w
            one, two = load(rates, leak), load(rates, leak + w)
            three, four = load(rates, keep), load(rates, keep + w)
            a1 = fma(one, activated(code, a1, half), multiply(three, load(x, a)))
            a2 = fma(two, activated(code, a2, half), multiply(four, load(x, a + w)))
            b1 = fma(one, activated(code, b1, half), multiply(three, load(x, b)))
            b2 = fma(two, activated(code, b2, half), multiply(four, load(x, b + w)))
            rate += next_rate
            store(out, row_a + k, a1)
            store(out, row_a + k + w, a2)
            store(out, row_b + k, b1)
            store(out, row_b + k + w, b2)
            a, b = new + k, new + k + gap
            for _ in range(2 if shifts.size > 0 else 1):
                store(x, a, a1)
                store(x, a + w, a2)
                store(x, b, b1)
                store(x, b + w, b2)
                a, b = a + size, b + size
        now = new
    return now


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _impose_twice(held, t, x, now, row):
    """Impose what is held on the new state in ``row``, and write it to ``x[now]``, twice."""
    n = row.size
    _impose(held, t, row)
    for i in range(n):
        x[now + uint64(i)] = row[i]
        x[now + uint64(n + i)] = row[i]


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _steps(W, packed, d, code, held, t, U, start, stop, drive, x, now, out, far):
    """Write the states of the rows from ``start`` to ``stop`` into ``out``, ``far`` apart there.

    The state before is at ``x[now]`` (twice in a row), the last one at the returned place. The
    drive is in the rows of ``drive``, unless ``packed`` has what makes it of ``U``. Where anything
    is held, a single step is made, on which row ``t`` of it is imposed.
    """
    n, row = d.b.size, start if far else 0
    if packed.numbers.size > 0:
        now = _steps_of_vectors(
            packed.numbers, packed.rates, packed.n_inputs, packed.n_entries, packed.shifts,
            packed.columns, code, n, U, start, stop, drive, x, now, out, far,
        )  # fmt: skip
    else:
        _step_plain(W, d, code, drive[0], x[now : now + uint64(2 * n)], out[row, :n])
    if packed.numbers.size == 0 or held.noise.shape[0] > 0 or held.units.size > 0:
        _impose_twice(held, t, x, now, out[row, :n])
    return now


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _begin(n, x0):
    """Return room for two states, each twice in a row, the first of them x0."""
    x = aligned(4 * n + 2 * width(x0), x0)
    x[:n] = x0
    x[n : 2 * n] = x0
    return x


@njit(cache=True, nogil=True, error_model="numpy")
def run(W, d, code, held, U, starts, lengths, x0, out):
    """Run sequences one after the other.

    Parameters
    ----------
    W : Diagonals, Ell or Csr
    d : Drive
    code : int, activation
    held : Held
    U : (n_rows, n_features) inputs of all sequences
    starts, lengths : (n_sequences,) int64, first row and number of rows
    x0 : (n_sequences, n_units), states; updated in place
    out : (n_rows, >= n_units), on exit the states in the first columns; without rows where nobody
        asks for any but the last, in x0
    """
    n, far = d.b.size, uint64(out.shape[1])
    if len(out) == 0:
        out, far = np.empty((1, n), x0.dtype), uint64(0)
    packed = pack(W, d)
    in_step = packed.n_inputs >= 0
    # What is imposed on a state belongs between two steps.
    alone = packed.numbers.size == 0 or held.noise.shape[0] > 0 or held.units.size > 0
    n_rows = 1 if alone else len(U) if in_step else ROWS
    drive = np.empty((0, 0) if in_step else (n_rows, n), U.dtype)
    gap = uint64(4 * n + 2 * width(x0))
    x = aligned(2 * int(gap), x0)
    for first in range(0, starts.size, 2):
        several, now, done = min(2, starts.size - first), uint64(0), 0
        for s in range(several):
            place = s * int(gap)
            x[place : place + n] = x0[first + s]
            x[place + n : place + 2 * n] = x0[first + s]
        if several == 2 and in_step and not alone:
            done = min(lengths[first], lengths[first + 1])
            now = _steps_of_two(
                packed.numbers, packed.rates, packed.n_inputs, packed.n_entries, packed.shifts,
                packed.columns, code, n, U, starts[first], starts[first + 1], done, x, gap, now,
                out, far,
            )  # fmt: skip
        for s in range(first, first + several):
            own, here, end = x[(s - first) * int(gap) :], now, starts[s] + lengths[s]
            for start in range(starts[s] + done, end, n_rows):
                stop = min(start + n_rows, end)
                if not in_step:
                    _drive(d, U[start:stop], drive)
                here = _steps(
                    W, packed, d, code, held, start, U, start, stop, drive, own, here, out, far
                )
            x0[s] = own[here : here + uint64(n)]


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
    x, now = _begin(n, x0), uint64(0)
    z, U = aligned(n + n_features, u).reshape(1, -1), u.reshape(1, -1)
    near = aligned(coef.size, coef).reshape(coef.shape)
    near[:] = coef
    drive = np.empty((1, n), u.dtype)
    lanes = np.empty(16, u.dtype)
    numbers, rates, n_inputs, n_entries, shifts, columns = packed
    simple = numbers.size > 0 and held.noise.shape[0] == 0 and held.units.size == 0
    for t in range(out.shape[0]):
        for f in range(n_outputs, n_features):
            u[f] = exog[t, f - n_outputs]
        if n_inputs < 0:
            _drive(d, U, drive)
        if simple:
            now = _steps_of_vectors(
                numbers, rates, n_inputs, n_entries, shifts, columns, code, n, U, 0, 1, drive, x,
                now, z, uint64(0),
            )  # fmt: skip
        else:
            now = _steps(W, packed, d, code, held, t, U, 0, 1, drive, x, now, z, uint64(0))
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
        for part in range(0, LANES, 2 * width(x)):
            k = uint64(part)
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
    one, size = flat.dtype.type(1), flat.itemsize
    vector = BYTES // size
    for i in range(begin, end, vector):
        units, out = x.ctypes.data + (int(new) + i * LANES) * size, flat.ctypes.data + i * size
        for lane in range(0, n_lanes, vector):
            which = places.ctypes.data + lane * places.itemsize
            block_to_rows(one, units + lane * size, LANES, end - i, out, 1, which, n_lanes - lane)
