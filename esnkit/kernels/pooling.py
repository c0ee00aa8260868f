"""Pooling along sequences: running statistics, sums over segments, and linear state models."""

from typing import NamedTuple

import numpy as np

from esnkit.kernels.compilation import kernel
from esnkit.kernels.simd.addresses import HAS_32_REGISTERS
from esnkit.kernels.simd.elementary import absolute, fma, maximum, minimum
from esnkit.kernels.simd.masked import load_first, store_first
from esnkit.kernels.simd.vectors import address, fill, load, multiply, row_size, store, width

__all__ = [
    "add_segments",
    "add_statistics",
    "add_sums",
    "add_transitions",
    "count_above",
    "padded",
    "solve_transitions",
]

# Rows of the sums that `add_statistics` keeps. SHIFTS is the sum of x - CENTRE over all rows, and
# SQUARES + PART that of its square, where PART are the rows since the centre moved.
CENTRE, SHIFTS, SQUARES, PART, LOW, HIGH, CHANGE, LAST = range(8)
N_SUMS = 8
GROUP = 32  # rows after which the centre moves, and each power of two below
# Vectors of columns, whose sums do not wait for each other; a vector may be two registers.
TOGETHER = 2 if HAS_32_REGISTERS else 1
CHUNK = 64  # rows that are reduced before their products are summed up


class _Rows(NamedTuple):
    """Rows of one sequence, and its sums: addresses, and flat indices of the first numbers."""

    Z: np.ndarray
    first: int
    stride: int
    n_rows: int
    sums: np.ndarray  # (N_SUMS, n_columns)
    own: int
    n_whole: float  # rows of the sequence if the centre moves after these, or 0
    one: float  # constants, of the dtype of Z
    zero: float


@kernel
def add_statistics(Z, starts, stops, seen, sums):
    """Add the rows Z[starts[i]:stops[i]] to the running sums of sequence i.

    Sums have the same bits however rows are cut into calls. Deviations are from a centre, which is
    the first row at first, and moves to the mean so far after 1, 2, 4, ..., GROUP rows and after
    every GROUP rows more: then squares about it are at most twice those about the mean, and lose
    few digits in the difference (Chan, Golub and LeVeque 1983). LAST is the row before.

    Parameters
    ----------
    Z : (n_rows, n_columns), C-contiguous
    starts, stops, seen : (n_sequences,) int64; ``seen`` rows of the sequence came before
    sums : (n_sequences, N_SUMS, n_columns), C-contiguous, of the dtype of Z
    """
    n, v, stride = Z.shape[1], width(Z), row_size(Z)
    whole, zero = n - n % (TOGETHER * v), Z.dtype.type(0)
    # One, which the compiler does not know: it would replace x * 1 + y by x + y. Half of the
    # arithmetic units of some processors can only add, the others multiply and add as fast.
    one = Z.dtype.type(starts.size) / Z.dtype.type(starts.size)
    for i in range(starts.size):
        start, count = starts[i], seen[i]
        if count == 0 and start < stops[i]:
            sums[i, CENTRE] = Z[start]
            sums[i, LAST] = Z[start]  # from which the first row does not change
        while start < stops[i]:
            end = _group_end(count)
            m = min(end - count, stops[i] - start)
            count += m
            n_whole = Z.dtype.type(count) if count == end else zero
            rows = _Rows(
                address(Z), start * stride, stride, m, address(sums), i * N_SUMS * n,
                n_whole, one, zero,
            )  # fmt: skip
            for j in range(0, whole, TOGETHER * v):
                _add_columns(_load_whole, _store_whole, rows, j, n)
            for j in range(whole, n, v):
                _add_columns(_load_rest, _store_rest, rows, j, n)
            start += m


@kernel(inline="always")
def _group_end(count):
    """Return the number of rows after which the centre moves next."""
    end = 1
    while end <= min(count, GROUP - 1):
        end *= 2
    return end if count < GROUP else (count // GROUP + 1) * GROUP


@kernel
def add_sums(Z, starts, stops, seen, sums):
    """Update CENTRE, SHIFTS and LAST alone, with the same bits as `add_statistics`, and faster."""
    for i in range(starts.size):
        centre, shifts, count = sums[i, CENTRE], sums[i, SHIFTS], seen[i]
        if count == 0 and starts[i] < stops[i]:
            centre[:] = Z[starts[i]]
        end = _group_end(count)
        for t in range(starts[i], stops[i]):
            for j in range(centre.size):
                shifts[j] += Z[t, j] - centre[j]
            count += 1
            if count == end:
                _move_centre(centre, shifts, Z.dtype.type(count))
                end = _group_end(count)
        if starts[i] < stops[i]:
            sums[i, LAST] = Z[stops[i] - 1]


@kernel
def _move_centre(centre, shifts, n_rows):
    """Move the centre as `_add_columns` does."""
    share = centre.dtype.type(1) / n_rows
    for j in range(centre.size):
        last = centre[j]
        centre[j] = last + shifts[j] * share
        shifts[j] = fma(-n_rows, centre[j] - last, shifts[j])


@kernel(forceinline=True)
def _load_whole(array, index, n):
    return load(array, index, TOGETHER)


@kernel(forceinline=True)
def _store_whole(array, index, vector, n):
    store(array, index, vector)


@kernel(forceinline=True)
def _load_rest(array, index, n):
    return load_first(array, index, n)


@kernel(forceinline=True)
def _store_rest(array, index, vector, n):
    store_first(array, index, vector, n)


@kernel(forceinline=True)
def _add_columns(load_some, store_some, rows, j, n):
    """Add rows to the sums of the columns from j on that ``load_some`` loads at once."""
    Z, sums, at, left = rows.Z, rows.sums, rows.own + j, n - j
    low, high = load_some(sums, LOW * n + at, left), load_some(sums, HIGH * n + at, left)
    change, last = load_some(sums, CHANGE * n + at, left), load_some(sums, LAST * n + at, left)
    one = fill(rows.one, last)
    for t in range(rows.n_rows):
        x = load_some(Z, rows.first + t * rows.stride + j, left)
        low, high = minimum(x, low), maximum(x, high)
        change = fma(absolute(x - last), one, change)
        last = x
    store_some(sums, LOW * n + at, low, left)
    store_some(sums, HIGH * n + at, high, left)
    store_some(sums, CHANGE * n + at, change, left)
    store_some(sums, LAST * n + at, last, left)
    centre = load_some(sums, CENTRE * n + at, left)
    shifts, squares = load_some(sums, SHIFTS * n + at, left), load_some(sums, PART * n + at, left)
    minus_centre = multiply(fill(-rows.one, centre), centre)
    for t in range(rows.n_rows):  # again from the nearest cache: registers hold half of the sums
        shift = fma(load_some(Z, rows.first + t * rows.stride + j, left), one, minus_centre)
        shifts, squares = shifts + shift, fma(shift, shift, squares)
    if rows.n_whole > rows.zero:
        # With n rows, of shifts s, the centre moves by d, which is s / n but for the rounding of
        # the centre: the shifts become s - n d, and the squares lose 2 d s - n d^2.
        moved = centre + multiply(shifts, fill(rows.one / rows.n_whole, shifts))
        move = moved - centre
        rest = fma(fill(-rows.n_whole, shifts), move, shifts)
        squares = squares - multiply(move, shifts + rest)
        whole = load_some(sums, SQUARES * n + at, left)
        store_some(sums, SQUARES * n + at, whole + squares, left)
        store_some(sums, CENTRE * n + at, moved, left)
        shifts, squares = rest, fill(rows.zero, squares)
    store_some(sums, SHIFTS * n + at, shifts, left)
    store_some(sums, PART * n + at, squares, left)


@kernel
def add_segments(Z, starts, stops, seen, edges, sums):
    """Add the rows Z[starts[i]:stops[i]] to the sums of the segments of sequence i.

    Parameters
    ----------
    Z : (n_rows, n_columns)
    starts, stops, seen : (n_sequences,) int64; ``seen`` rows of the sequence came before
    edges : (n_sequences, n_segments, 2) int64, first row of a segment and one past the last
    sums : (n_sequences, n_segments, n_columns) float64
    """
    for i in range(starts.size):
        shift = starts[i] - seen[i]
        for k in range(edges.shape[1]):
            first = max(edges[i, k, 0] + shift, starts[i])
            for t in range(first, min(edges[i, k, 1] + shift, stops[i])):
                for j in range(Z.shape[1]):
                    sums[i, k, j] += Z[t, j]


class _Matrix(NamedTuple):
    """Entries of a matrix in a flat or C-contiguous array."""

    values: np.ndarray
    first: int  # flat index of the entry (0, 0)
    down: int  # from a row to the next
    across: int  # from a column to the next; 1 where vectors of a row are loaded


@kernel
def count_above(Z, starts, stops, thresholds, counts):
    """Count the values of the rows Z[starts[i]:stops[i]] that are above each threshold.

    Parameters
    ----------
    Z : (n_rows, n_columns)
    starts, stops : (n_sequences,) int64
    thresholds : (n_levels, n_columns), of the dtype of Z
    counts : (n_sequences, n_levels, n_columns) float64
    """
    for i in range(starts.size):
        for row in Z[starts[i] : stops[i]]:
            for k in range(thresholds.shape[0]):
                levels, own = thresholds[k], counts[i, k]
                for j in range(own.size):
                    own[j] += row[j] > levels[j]


@kernel
def _add_product(left, right, out, sizes):
    """Add left @ right, with sizes (m, n, k), to ``out``; n is a multiple of two vectors.

    The products of an entry are added one after another, so that it does not depend on the others.
    """
    m, n, k = sizes
    A, B, C, v = left.values, right.values, out.values, width(right.values)
    for j in range(0, n, 2 * v):
        whole = m - m % 4
        for i in range(0, whole, 4):  # four rows read a row of ``right`` together
            to = out.first + i * out.down + j
            c0, c1 = load(C, to, 2), load(C, to + out.down, 2)
            c2, c3 = load(C, to + 2 * out.down, 2), load(C, to + 3 * out.down, 2)
            for step in range(k):
                at = left.first + i * left.down + step * left.across
                b = load(B, right.first + step * right.down + j, 2)
                c0 = fma(fill(A[at], b), b, c0)
                c1 = fma(fill(A[at + left.down], b), b, c1)
                c2 = fma(fill(A[at + 2 * left.down], b), b, c2)
                c3 = fma(fill(A[at + 3 * left.down], b), b, c3)
            store(C, to, c0)
            store(C, to + out.down, c1)
            store(C, to + 2 * out.down, c2)
            store(C, to + 3 * out.down, c3)
        for i in range(whole, m):
            to = out.first + i * out.down + j
            c0 = load(C, to, 2)
            for step in range(k):
                b = load(B, right.first + step * right.down + j, 2)
                c0 = fma(fill(A[left.first + i * left.down + step * left.across], b), b, c0)
            store(C, to, c0)


@kernel
def padded(n, like):
    """Return the least multiple of two vectors that n columns fit in."""
    return (n + 2 * width(like) - 1) // (2 * width(like)) * (2 * width(like))


@kernel
def add_transitions(Z, starts, stops, seen, reduction, last, products):
    """Add products of reduced states: of every one, and of the next one, with it.

    A state z is reduced to r = z @ V + c. With p components, ``products[i, a, b]`` is the sum over
    the steps t of sequence i, up to the one before the last, of r_a(t) r_b(t) for a <= b < p, of
    r_a(t) for b = p, and of r_a(t) r_k(t + 1) for b = p + 1 + k; r_p(t) is 1.

    Parameters
    ----------
    Z : (n_rows, n_columns), C-contiguous
    starts, stops, seen : (n_sequences,) int64; ``seen`` rows of the sequence came before
    reduction : V (n_columns, padded(p)) and c (padded(p),), of the dtype of Z
    last : (n_sequences, p) float64, the reduced row before the first; moves along
    products : (n_sequences, p + 1, padded(2 p + 1)) float64
    """
    V, c = reduction
    p, n_columns, n = last.shape[1], Z.shape[1], products.shape[2]
    reduced = np.empty((CHUNK, c.size), Z.dtype)
    pairs = np.zeros((CHUNK, n))  # row t holds r(t), a one and r(t + 1)
    pairs[:, p] = 1
    flat, block = pairs.reshape(-1), padded(1, pairs)
    for i in range(starts.size):
        has_last = seen[i] > 0
        for start in range(starts[i], stops[i], CHUNK):
            m = min(CHUNK, stops[i] - start)
            reduced[:m] = c
            rows = _Matrix(Z.reshape(-1), start * n_columns, n_columns, 1)
            components = _Matrix(V.reshape(-1), 0, c.size, 1)
            to = _Matrix(reduced.reshape(-1), 0, c.size, 1)
            _add_product(rows, components, to, (m, c.size, n_columns))
            n_pairs = 0
            for t in range(m):
                if has_last:
                    for j in range(p):
                        pairs[n_pairs, j] = last[i, j]
                        pairs[n_pairs, p + 1 + j] = reduced[t, j]
                    n_pairs += 1
                for j in range(p):
                    last[i, j] = reduced[t, j]
                has_last = True
            sums = products[i].reshape(-1)
            for a in range(0, p + 1, block):  # rows of the upper triangle
                left, right = _Matrix(flat, a, 1, n), _Matrix(flat, a, n, 1)
                out = _Matrix(sums, a * n + a, n, 1)
                _add_product(left, right, out, (min(block, p + 1 - a), n - a, n_pairs))


@kernel
def solve_transitions(products, last, penalty, out):
    """Write the ridge model r(t + 1) = U r(t) + b of every sequence into a row of out: U, b.

    The intercept b is not penalised. A sequence of one step has U = 0, and its state is b.

    Parameters
    ----------
    products, last : as `add_transitions` leaves them; ``products`` is overwritten
    penalty : float > 0
    out : (n_sequences, p (p + 1)); entry a (p + 1) + b is U[a, b], or b[a] for b = p
    """
    n, p = products.shape[1], last.shape[1]
    for i in range(out.shape[0]):
        system = products[i]
        if system[p, p] == 0:
            out[i] = 0
            for a in range(p):
                out[i, a * n + p] = last[i, a]
            continue
        for a in range(p):
            system[a, a] += penalty
        _solve_cholesky(system)
        for a in range(p):
            for b in range(n):
                out[i, a * n + b] = system[b, n + a]


@kernel
def _solve_cholesky(system):
    """Solve A x = B in place for the columns of system = [A, B], A being positive definite.

    Only the upper triangle of A is read. Rows are subtracted from four others at a time.
    """
    n, n_all = system.shape
    flat, block = system.reshape(-1), padded(1, system)
    minus = np.empty(4 * n)
    for k in range(0, n, 4):  # the rows become those of L^T and L^-1 B, where A = L L^T
        m, j = min(4, n - k), k // block * block
        for t in range(k):
            for i in range(m):
                minus[t * 4 + i] = -system[t, k + i]
        left, right = _Matrix(minus, 0, 1, 4), _Matrix(flat, j, n_all, 1)
        _add_product(left, right, _Matrix(flat, k * n_all + j, n_all, 1), (m, n_all - j, k))
        for i in range(k, k + m):
            for t in range(k, i):
                _subtract(system[i], system[t, i], system[t], i)
            _divide(system[i], np.sqrt(system[i, i]), i)
    first = n // block * block  # of columns: a few of A are changed too, after they were read
    for k in range((n - 1) // 4 * 4, -1, -4):
        m = min(4, n - k)
        for t in range(k + m, n):
            for i in range(m):
                minus[(t - k - m) * 4 + i] = -system[k + i, t]
        pivots = system[k : k + m, k : k + m].copy()
        right = _Matrix(flat, (k + m) * n_all + first, n_all, 1)
        out = _Matrix(flat, k * n_all + first, n_all, 1)
        _add_product(_Matrix(minus, 0, 1, 4), right, out, (m, n_all - first, n - k - m))
        for i in range(m - 1, -1, -1):
            for t in range(i + 1, m):
                _subtract(system[k + i], pivots[i, t], system[k + t], n)
            _divide(system[k + i], pivots[i, i], n)


@kernel
def _subtract(row, factor, other, first):
    """Subtract a multiple of another row, from column ``first`` on."""
    for j in range(first, row.size):
        row[j] -= factor * other[j]


@kernel
def _divide(row, divisor, first):
    """Divide the row by a number, from column ``first`` on."""
    for j in range(first, row.size):
        row[j] /= divisor
