"""Diagonal similarities D^-1 A D that make the weights of a strongly connected A comparable.

They leave the eigenvalues as they are and take away most of the rounding error of a matrix whose
weights differ by many orders of magnitude. The scale of unit i is 2^x_i: with whole x_i the
similarity is exact.
"""

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as sla
from scipy.sparse.csgraph import connected_components

__all__ = ["balance_cycles", "balance_fully", "balance_sums", "rows_of"]

MAX_SWEEPS = 20
MAX_POLICIES = 1000
MAX_NEWTON_STEPS = 60
# Share of the two sums by which a row sum and the column sum of a balanced matrix may differ.
BALANCED = 1e-3


def rows_of(A):
    """Return the row of each entry of a CSR matrix."""
    return np.repeat(np.arange(A.shape[0]), np.diff(A.indptr))


def scaled_by(A, log_scale):
    """Return D^-1 A D for D = 2^x, with x rounded to whole numbers."""
    shift = np.rint(log_scale).astype(np.int32)
    data = np.ldexp(A.data, shift[A.indices] - shift[rows_of(A)])  # exact
    return sp.csr_array((data, A.indices, A.indptr), shape=A.shape)


def balance_sums(A):
    """Return A with row and column sums of moduli within a factor of four, if sweeps reach it.

    Returns
    -------
    csr_array
    bool
        Whether they reach it.
    """
    n, rows = A.shape[0], rows_of(A)
    log_scale, balanced = np.zeros(n), False
    weights = np.abs(A.data) * (rows != A.indices)
    for _ in range(MAX_SWEEPS):
        scale = np.exp2(log_scale)
        scaled = weights * (scale[A.indices] / scale[rows])
        change = np.log2(np.bincount(rows, scaled)) - np.log2(np.bincount(A.indices, scaled))
        if balanced := np.abs(change).max() < 2.0:
            break
        # Half the step that would balance a single unit, since all units change at once.
        log_scale = np.clip(log_scale + change / 4.0, -400.0, 400.0)
    return scaled_by(A, log_scale), bool(balanced)


def balance_cycles(A):
    """Return A with entries of at most mu, the largest geometric mean of the weights of a cycle.

    The scales are the eigenvector of log |A| in the max-plus algebra, by policy iteration: a policy
    chooses one entry in each row; its best cycle gives mu, and the paths to that cycle the scales.
    No range of the weights is too wide.

    References
    ----------
    Cochet-Terrasson, Cohen, Gaubert, McGettrick and Quadrat (1998), "Numerical computation of
    spectral elements in max-plus algebra", IFAC Conference on System Structure and Control.
    """
    rows, weights = rows_of(A), np.log2(np.abs(A.data))
    values, choice = np.zeros(A.shape[0]), _best_entries(weights, rows, A.indptr)[1]
    for _ in range(MAX_POLICIES):
        mean, values = _evaluate(A.indices[choice], weights[choice], values)
        best, entries = _best_entries(weights - mean + values[A.indices], rows, A.indptr)
        better = best > values + 1e-9 * (1.0 + abs(mean) + np.abs(values))
        if not better.any():
            break
        choice = np.where(better, entries, choice)
    return scaled_by(A, values)


def _best_entries(values, rows, indptr):
    """Return the largest value of each row, and the first entry that has it."""
    best = np.maximum.reduceat(values, indptr[:-1])
    at = np.flatnonzero(values == best[rows])[::-1]
    entries = np.empty(best.size, np.intp)
    entries[rows[at]] = at
    return best, entries


def _evaluate(following, weights, values):
    """Return the mean weight of the best cycle of a policy, and the value of each unit.

    The value of a unit is the sum of (weight - mean) along its path to the best cycle; units whose
    path ends elsewhere keep their values.
    """
    doublings = int(np.ceil(np.log2(following.size))) + 1
    far = following
    for _ in range(doublings):
        far = far[far]
    on_cycle = np.unique(far)
    links = np.arange(on_cycle.size), np.searchsorted(on_cycle, following[on_cycle])
    graph = sp.csr_array((np.ones(on_cycle.size), links), shape=(on_cycle.size,) * 2)
    labels = connected_components(graph, directed=False)[1]
    means = np.bincount(labels, weights[on_cycle]) / np.bincount(labels)
    end = on_cycle[np.flatnonzero(labels == np.argmax(means))[0]]
    to, total = following.copy(), weights - means.max()
    to[end], total[end] = end, 0.0
    for _ in range(doublings):
        total, to = total + total[to], to[to]
    return float(means.max()), np.where(to == end, total, values)


def balance_fully(A):
    """Return A with equal row and column sums of moduli, to the rounding of scales to 2^x.

    Newton's method on the convex sum of the moduli, as a function of the logarithms x of the
    scales; its Hessian is the Laplacian of the graph of A. Steps are at most one in each x, so A
    should come from `balance_cycles`, which is near the minimum whatever the weights were.
    """
    n, rows = A.shape[0], rows_of(A)
    off = (rows != A.indices) & (A.data != 0.0)  # scales may have made an entry underflow
    i, j, weights = rows[off], A.indices[off], np.log(np.abs(A.data[off]))
    x = np.zeros(n)
    for _ in range(MAX_NEWTON_STEPS):
        exponents = weights + x[j] - x[i]
        moduli = np.exp(exponents - exponents.max())
        row_sums, column_sums = np.bincount(i, moduli, n), np.bincount(j, moduli, n)
        gradient = column_sums - row_sums
        if np.all(np.abs(gradient) <= BALANCED * (row_sums + column_sums)):
            break
        links = sp.csr_array((moduli, (i, j)), shape=A.shape)
        laplacian = sp.csc_array(sp.diags_array(row_sums + column_sums) - links - links.T)
        # One scale is free: that of the first unit stays. Underflown links leave no solution.
        step = sla.splu(_regular(laplacian[1:, 1:])).solve(-gradient[1:])
        if not np.isfinite(step).all():
            break
        x[1:] += step / max(1.0, np.abs(step).max())
    return scaled_by(A, x / np.log(2.0))


def _regular(laplacian):
    """Return a Laplacian whose diagonal is larger by rounding errors, so that it has an inverse."""
    diagonal = laplacian.diagonal()
    return sp.csc_array(laplacian + sp.diags_array(1e-14 * diagonal + 1e-300))
