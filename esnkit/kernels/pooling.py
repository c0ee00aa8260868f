"""Pooling along sequences: running statistics, sums over segments, and linear state models."""

import numpy as np

from esnkit.kernels.compilation import kernel
from esnkit.kernels.linalg import affine

__all__ = ["add_segments", "add_statistics", "add_transitions", "solve_transitions"]

# Rows of the sums that `add_statistics` keeps; a statistic needs one or two of them.
SUM, MEAN, SQUARES, LOW, HIGH, CHANGE, LAST = range(7)
N_SUMS = 7
ROWS = 4  # that a loop over columns reads at a time: it stores sums once for so many rows
CHUNK = 64  # rows that are reduced before their products are summed up


@kernel
def add_statistics(Z, starts, stops, seen, place, sums):
    """Add the rows Z[starts[i]:stops[i]] to the running sums of sequence i.

    Every sum is updated row by row, so that it is the same however rows are cut into calls; but
    SUM is the sum of the sums of every call, each in the precision of Z.

    Parameters
    ----------
    Z : (n_rows, n_columns)
    starts, stops, seen : (n_sequences,) int64; ``seen`` rows of the sequence came before
    place : (N_SUMS,) int64, where the sums are in ``sums``; -1 for those that are not wanted
    sums : (n_sequences, n_wanted, n_columns) float64
    """
    for i in range(starts.size):
        rows, own = Z[starts[i] : stops[i]], sums[i]
        if rows.shape[0] == 0:
            continue
        if place[SUM] >= 0:
            _add_sum(rows, own[place[SUM]])
        if place[LOW] >= 0:
            _add_lowest(rows, own[place[LOW]])
        if place[HIGH] >= 0:
            _add_highest(rows, own[place[HIGH]])
        if place[MEAN] >= 0:
            _add_squares(rows, seen[i], own[place[MEAN]], own[place[SQUARES]])
        if place[CHANGE] >= 0:
            _add_change(rows, seen[i], own[place[LAST]], own[place[CHANGE]])
        if place[LAST] >= 0:
            own[place[LAST]] = rows[-1]


@kernel
def _add_sum(rows, total):
    """Add the sum of the rows to ``total``, in the precision of the rows."""
    part = np.zeros_like(rows[0])
    for row in rows:
        part += row
    for j in range(part.size):
        total[j] = rows.dtype.type(total[j]) + part[j]


@kernel
def _add_lowest(rows, low):
    for row in rows:
        for j in range(low.size):
            x = np.float64(row[j])
            low[j] = x if x < low[j] else low[j]


@kernel
def _add_highest(rows, high):
    for row in rows:
        for j in range(high.size):
            x = np.float64(row[j])
            high[j] = x if x > high[j] else high[j]


@kernel
def _add_squares(rows, seen, mean, squares):
    """Update the mean and the sum of squared deviations from it (Welford 1962)."""
    for t in range(rows.shape[0]):
        share = 1.0 / (seen + t + 1)
        for j in range(mean.size):
            x = np.float64(rows[t, j])
            step = x - mean[j]
            mean[j] += step * share
            squares[j] += step * (x - mean[j])


@kernel
def _add_change(rows, seen, last, change):
    """Add the absolute changes from row to row; ``last`` is the row before the first."""
    if seen > 0:
        for j in range(change.size):
            change[j] += abs(rows[0, j] - last[j])
    for t in range(1, rows.shape[0]):
        for j in range(change.size):
            change[j] += abs(np.float64(rows[t, j]) - np.float64(rows[t - 1, j]))


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


@kernel
def add_transitions(Z, starts, stops, seen, coef, intercept, last, products):
    """Add products of reduced states: of every one, and of the next one, with it.

    A state z is reduced to r = coef @ z + intercept. With p components, ``products[i, a, b]`` is
    the sum over the steps t of sequence i, up to the one before the last, of r_a(t) r_b(t) for
    b < p, of r_a(t) for b = p, and of r_a(t) r_c(t + 1) for b = p + 1 + c; r_p(t) is 1.

    Parameters
    ----------
    Z : (n_rows, n_columns)
    starts, stops, seen : (n_sequences,) int64; ``seen`` rows of the sequence came before
    coef, intercept : (p, n_columns) and (p,), of the dtype of Z
    last : (n_sequences, p) float64, the reduced row before the first; moves along
    products : (n_sequences, p + 1, 2 p + 1) float64
    """
    p = intercept.size
    reduced = np.empty((CHUNK, p), Z.dtype)
    # Row t holds r(t), a one and r(t + 1).
    pairs = np.ones((CHUNK, 2 * p + 1))
    for i in range(starts.size):
        has_last = seen[i] > 0
        for start in range(starts[i], stops[i], CHUNK):
            m = min(CHUNK, stops[i] - start)
            affine(Z[start : start + m], coef, intercept, reduced[:m])
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
            _add_products(pairs[:n_pairs], p + 1, products[i])


@kernel
def _add_products(rows, n, products):
    """Add to products[a] the sum over the rows x of x[a] x, for a < n, in the order of the rows."""
    whole = rows.shape[0] - rows.shape[0] % ROWS
    for t in range(0, whole, ROWS):
        x0, x1, x2, x3 = rows[t], rows[t + 1], rows[t + 2], rows[t + 3]
        for a in range(n):
            a0, a1, a2, a3, out = x0[a], x1[a], x2[a], x3[a], products[a]
            for b in range(out.size):
                out[b] = (((out[b] + a0 * x0[b]) + a1 * x1[b]) + a2 * x2[b]) + a3 * x3[b]
    for t in range(whole, rows.shape[0]):
        x = rows[t]
        for a in range(n):
            out = products[a]
            for b in range(out.size):
                out[b] += x[a] * x[b]


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
    """Solve A x = B in place for the columns of system = [A, B]; A is positive definite."""
    n = system.shape[0]
    for k in range(n):  # the rows become those of L^T and L^-1 B, where A = L L^T
        row = system[k]
        for m in range(k):
            factor = system[m, k]
            for j in range(k, row.size):
                row[j] -= factor * system[m, j]
        scale = 1.0 / np.sqrt(row[k])
        for j in range(k, row.size):
            row[j] *= scale
    for k in range(n - 1, -1, -1):
        row = system[k]
        for m in range(k + 1, n):
            factor = row[m]
            for j in range(n, row.size):
                row[j] -= factor * system[m, j]
        for j in range(n, row.size):
            row[j] /= row[k]
