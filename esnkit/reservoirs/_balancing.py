"""Diagonal similarities D^-1 A D that make the weights of a strongly connected A comparable.

They leave the eigenvalues as they are and take away most of the rounding error of a matrix whose
weights differ by many orders of magnitude. The scale of unit i is 2^x_i: with whole x_i the
similarity is exact.
"""

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as sla
from scipy.sparse.csgraph import breadth_first_order, connected_components

__all__ = ["balance_fully", "balance_sums", "cycle_scales", "rows_of"]

MAX_SWEEPS = 20
MAX_POLICIES = 1000
MAX_NEWTON_STEPS = 100
# Share of the two sums by which a row sum and the column sum of a balanced matrix may differ, and
# share of the largest two sums. A link of this size from one group of units to another, without a
# way back, changes no eigenvalue by a relative 1e-7 whatever rounding errors add to it.
BALANCED = 1e-8
NEARLY_BALANCED = 1e-3  # suffices for most matrices if the last steps are of rounding errors
NEGLIGIBLE = 1e-8
REGULARISATION = 1e-12


def rows_of(A):
    """Return the row of each entry of a CSR matrix."""
    return np.repeat(np.arange(A.shape[0]), np.diff(A.indptr))


def _scaled_by(A, log_scale, exponent=0):
    """Return D^-1 A D / 2^exponent for D = 2^x, with x rounded to whole numbers."""
    shift = np.rint(log_scale).astype(np.int32)
    data = np.ldexp(A.data, shift[A.indices] - shift[rows_of(A)] - exponent)  # exact
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
    return _scaled_by(A, log_scale), bool(balanced)


def cycle_scales(A):
    """Return x such that |A| scaled by 2^x has entries of at most mu, and log2 of mu.

    mu is the largest geometric mean of the weights of a cycle. The scales are the eigenvector of
    log |A| in the max-plus algebra, by policy iteration: a policy chooses one entry in each row;
    its best cycle gives mu, and the paths to that cycle the scales. No range of the weights is too
    wide.

    References
    ----------
    Cochet-Terrasson, Cohen, Gaubert, McGettrick and Quadrat (1998), "Numerical computation of
    spectral elements in max-plus algebra", IFAC Conference on System Structure and Control.
    """
    rows, weights = rows_of(A), np.log2(np.abs(A.data))
    choice = _best_entries(weights, rows, A.indptr)[1]
    for _ in range(MAX_POLICIES):
        choice, mean, end = _lead_to_best_cycle(A, weights, choice)
        values = _path_values(A.indices[choice], weights[choice] - mean, end)
        best, entries = _best_entries(weights - mean + values[A.indices], rows, A.indptr)
        better = best > values + 1e-9 * (1.0 + abs(mean) + np.abs(values))
        if not better.any():
            break
        choice = np.where(better, entries, choice)
    return values, mean


def _best_entries(values, rows, indptr):
    """Return the largest value of each row, and the first entry that has it."""
    best = np.maximum.reduceat(values, indptr[:-1])
    at = np.flatnonzero(values == best[rows])[::-1]
    entries = np.empty(best.size, np.intp)
    entries[rows[at]] = at
    return best, entries


def _lead_to_best_cycle(A, weights, choice):
    """Return a policy in which all paths end in its best cycle, the mean weight, and a unit of it.

    A policy with a second cycle has no finite values, so units whose paths end in another cycle
    choose a shortest path to the best one instead.
    """
    following = A.indices[choice]
    far = _after_many_steps(following)
    on_cycle = np.unique(far)
    links = np.arange(on_cycle.size), np.searchsorted(on_cycle, following[on_cycle])
    graph = sp.csr_array((np.ones(on_cycle.size), links), shape=(on_cycle.size,) * 2)
    labels = connected_components(graph, directed=False)[1]
    means = np.bincount(labels, weights[choice[on_cycle]]) / np.bincount(labels)
    best = int(np.argmax(means))
    end = on_cycle[np.flatnonzero(labels == best)[0]]
    astray = labels[np.searchsorted(on_cycle, far)] != best
    if astray.any():
        choice = np.where(astray, _entries_towards(A, end), choice)
    return choice, float(means[best]), end


def _after_many_steps(following):
    """Return the unit at which each unit arrives after at least as many steps as there are."""
    for _ in range(int(following.size).bit_length()):
        following = following[following]
    return following


def _entries_towards(A, end):
    """Return the entry of each row that starts a shortest path to ``end``; that of ``end`` is 0."""
    following = breadth_first_order(A.T, end)[1]
    rows = rows_of(A)
    at = np.flatnonzero(A.indices == following[rows])
    entries = np.zeros(A.shape[0], np.intp)
    entries[rows[at]] = at
    return entries


def _path_values(following, weights, end):
    """Return the sum of the weights on the path from each unit to ``end``."""
    to, total = following.copy(), weights.copy()
    to[end], total[end] = end, 0.0
    for _ in range(int(following.size).bit_length()):
        total, to = total + total[to], to[to]
    return total


def balance_fully(A):
    """Balance the row and column sums of the moduli, to the rounding of scales to 2^x.

    Newton's method with a line search on the convex sum of the moduli, as a function of the
    logarithms x of the scales; its Hessian is the Laplacian of the graph of A. From `cycle_scales`
    on, which are near the minimum whatever the weights are, some ten steps suffice.

    Returns
    -------
    (csr_array, int) or None
        B, with entries of at most one, and an exponent: A is similar to B 2^exponent. Entries that
        underflow change no eigenvalue near the largest. None if Newton's method does not converge.
    """
    n, rows = A.shape[0], rows_of(A)
    off = rows != A.indices
    i, j, weights = rows[off], A.indices[off], np.log(np.abs(A.data[off]))
    x = np.log(2.0) * cycle_scales(A)[0]
    for _ in range(MAX_NEWTON_STEPS):
        exponents = weights + x[j] - x[i]
        moduli = np.exp(exponents - exponents.max())
        row_sums, column_sums = np.bincount(i, moduli, n), np.bincount(j, moduli, n)
        sums, gradient = row_sums + column_sums, column_sums - row_sums
        if np.all(np.abs(gradient) <= BALANCED * sums + NEGLIGIBLE * sums.max()):
            return _normalised_by(A, x / np.log(2.0))
        links = sp.csr_array((moduli, (i, j)), shape=A.shape)
        # The larger diagonal makes it regular: one scale is free, and links may have underflowed.
        laplacian = sp.diags_array(sums + REGULARISATION * sums.max()) - links - links.T
        step = sla.splu(sp.csc_array(laplacian)).solve(-gradient)
        x += _step_length(exponents, step[j] - step[i]) * step
    nearly = np.all(np.abs(gradient) <= NEARLY_BALANCED * sums + NEGLIGIBLE * sums.max())
    return _normalised_by(A, x / np.log(2.0)) if nearly else None


def _normalised_by(A, log_scale):
    """Return D^-1 A D / 2^exponent for D = 2^x, with entries of at most one, and the exponent."""
    x = np.rint(log_scale)
    exponents = np.frexp(A.data)[1] + x[A.indices] - x[rows_of(A)]
    exponent = int(exponents.max())
    B = _scaled_by(A, x, exponent)
    B.eliminate_zeros()
    return B, exponent


def _step_length(exponents, change):
    """Return t > 0 at which the convex sum of exp(exponents + t change) is nearly smallest."""

    def slope(t):
        values = exponents + t * change
        values = np.exp(values - values.max())
        return (values @ change) / values.sum()

    enough = 0.1 * abs(slope(0.0))
    low, high = 0.0, 1.0
    while slope(high) < -enough and high < 2.0**40:
        low, high = high, 2.0 * high
    t = high
    while abs(value := slope(t)) > enough and high - low > 1e-6 * high:
        low, high = (t, high) if value < 0.0 else (low, t)
        t = (low + high) / 2.0
    return t
