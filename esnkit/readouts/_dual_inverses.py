"""Inverses of the dual ridge problem: S = (ZZ' + alpha I)^-1 for no more rows than features.

They act on the complement of the intercept, a unit vector of the space of the rows. Each is
returned as a factor F with S proportional to FF': leave-one-out errors do not depend on its size.

References
----------
A. J. Cox and N. J. Higham (1998), Stability of Householder QR factorization for weighted least
squares problems: errors relative to each row of a matrix, if the rows are sorted by size.
"""

from collections.abc import Iterator

import numpy as np

from esnkit.readouts._blas import add_orthogonal
from esnkit.readouts._lapack import invert_triangle, pivoted_qr, robust_svd
from esnkit.readouts._least_squares import (
    EPS,
    MAX_SPREAD_EXPONENT,
    MAX_SQUARE_EXPONENT,
    MIN_EXPONENT,
)

__all__ = [
    "Complement",
    "decompose",
    "dual_errors",
    "dual_inverses",
    "errors_of",
    "from_singular_values",
]

# A singular value of zero counts as this many times the smallest other one, if sqrt(alpha) is less.
NULL_RATIO = 1e-30


def dual_inverses(
    Z: np.ndarray, intercept: np.ndarray, alphas: np.ndarray
) -> Iterator[np.ndarray | None]:
    """Yield the factor (n_rows, n_rows - 1) for every alpha.

    It yields None where no factor is precise: for a tiny alpha, features of very different sizes,
    and rows that are linearly dependent.

    Parameters
    ----------
    Z : ndarray of shape (n_rows, n_features)
        Centred rows times the square roots of their weights.
    intercept : ndarray of shape (n_rows,)
        Square roots of the weights, a vector of length one.
    alphas : ndarray of shape (n_alphas,)
    """
    complement = Complement(intercept)
    rows = complement.restrict(Z)
    triangle = decomposed = None
    for alpha in alphas:
        if len(rows) and not _are_similar(rows, alpha):
            triangle = triangle or TriangularRows(rows)
            is_precise = triangle.determines_inverse(alpha)
            yield complement.extend(triangle.inverse(alpha)) if is_precise else None
        else:
            decomposed = decomposed or decompose(rows, complement)
            yield from_singular_values(*decomposed, alpha)


class Complement:
    """The space of row vectors orthogonal to the intercept.

    The reflection I - vv' maps the intercept to a multiple of the first unit vector; the other
    coordinates of a reflected vector are those within the complement.
    """

    def __init__(self, intercept: np.ndarray):
        self.v = intercept.copy()
        self.v[0] += np.copysign(1.0, intercept[0])
        self.v /= np.sqrt(abs(self.v[0]))

    def restrict(self, vectors: np.ndarray) -> np.ndarray:
        """Return the coordinates (n_rows - 1, n) within the complement of vectors (n_rows, n)."""
        reflected = np.outer(self.v[1:], self.v @ vectors)
        return np.subtract(vectors[1:], reflected, out=reflected)

    def extend(self, coordinates: np.ndarray) -> np.ndarray:
        """Return the vectors (n_rows, n), Fortran-ordered, of coordinates (n_rows - 1, n)."""
        vectors = np.outer(self.v[1:] @ coordinates, -self.v).T
        vectors[1:] += coordinates
        return vectors


def _are_similar(rows: np.ndarray, alpha: float) -> bool:
    """Return whether features are of similar sizes, or small ones do not matter beside alpha."""
    sizes = np.abs(rows).max(axis=0)
    smallest = sizes[sizes > 0].min(initial=np.inf)
    if not np.isfinite(smallest):
        return True
    top = np.frexp(sizes.max())[1]
    lowest = np.frexp(max(smallest, np.sqrt(alpha)))[1]
    return bool(lowest >= top - MAX_SPREAD_EXPONENT and abs(top) <= MAX_SQUARE_EXPONENT)


def decompose(rows: np.ndarray, complement: Complement) -> tuple[np.ndarray, np.ndarray]:
    """Return the singular values of the rows, and their left vectors (n_rows, n_rows - 1)."""
    U, values, _ = robust_svd(rows)
    U = complement.extend(U)
    is_null = values <= len(U) * EPS * values.max(initial=0.0)
    values[is_null] = 0
    # A row without a component in the null space has one by rounding, which a tiny alpha would
    # amplify: set it to zero.
    is_outside = np.einsum("ij,ij->i", U[:, is_null], U[:, is_null]) <= len(U) * EPS
    U[np.ix_(is_outside, is_null)] = 0
    return values, U


def from_singular_values(values: np.ndarray, U: np.ndarray, alpha: float) -> np.ndarray:
    """Return the factor (n_rows, n_rows - 1) for one alpha, of a size that does not matter."""
    smallest = values[values > 0].min(initial=np.inf)
    floor = NULL_RATIO * smallest if np.isfinite(smallest) else 1.0
    penalised = np.hypot(values, max(np.sqrt(alpha), floor))
    return U * (penalised.min(initial=np.inf) / penalised)


def dual_errors(half: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the errors (S y)_i / S_ii with S = half half', and about their rounding errors.

    An error is infinite if S_ii is zero. Where a row almost determines its own prediction, S_ii and
    (S y)_i are tiny, and the rounding errors of S y, relative to its largest terms, are not.
    """
    product = half.T @ target
    diagonal = np.einsum("ij,ij->i", half, half)[:, None]
    return errors_of(diagonal, half @ product, np.linalg.norm(product, axis=0))


def errors_of(
    diagonal: np.ndarray, products: np.ndarray, sizes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return what `dual_errors` does from S_ii (n_rows, 1), Sy, and the roots of y'Sy."""
    safe = np.where(diagonal > 0, diagonal, 1)
    errors = np.where(diagonal > 0, products / safe, np.inf)
    rounding = len(diagonal) * EPS * np.sqrt(diagonal.max()) * sizes
    return errors, np.where(diagonal > 0, rounding / safe, 0)


class TriangularRows:
    """The triangular factor of rows of features of very different sizes: ZZ' = P R'R P'.

    With the features sorted by size, a pivoted QR factorisation of Z' has errors relative to each
    feature, not to the largest one.
    """

    def __init__(self, rows: np.ndarray):
        sizes = np.abs(rows).max(axis=0)
        self.exponent = max(int(np.frexp(sizes.max())[1]), MIN_EXPONENT)
        order = np.argsort(-sizes, kind="stable")
        features = np.ldexp(rows[:, order].T, -self.exponent)
        R, self.pivots = pivoted_qr(features)
        self.R = np.asfortranarray(R[: len(rows)])
        self.is_full = _is_full_rank(rows[:, sizes > 0] / sizes[sizes > 0])

    def determines_inverse(self, alpha: float) -> bool:
        """Return whether rows are independent, or alpha outweighs their rounding errors."""
        return self.is_full or np.ldexp(np.sqrt(alpha), -self.exponent) > len(self.R) * EPS

    def inverse(self, alpha: float) -> np.ndarray:
        """Return the factor (n_rows - 1, n_rows - 1) for one alpha."""
        n = len(self.R)
        root = np.ldexp(np.sqrt(alpha), -self.exponent)
        shift = max(0, int(np.frexp(root)[1]))  # sizes are relative to the larger of R and alpha
        R = np.asfortranarray(np.ldexp(self.R, -shift))
        if alpha > 0:
            penalty = np.asfortranarray(np.ldexp(root, -shift) * np.eye(n))
            empty = np.empty((n, 0), order="F")
            add_orthogonal(R, empty, penalty, empty.copy(order="F"), n_triangular=n)
        inverse = invert_triangle(R)
        factor = np.empty((n, n))
        factor[self.pivots] = np.ldexp(inverse, -np.frexp(np.abs(inverse).max())[1])
        return factor


def _is_full_rank(rows: np.ndarray) -> bool:
    """Return whether rows are linearly independent up to rounding."""
    diagonal = np.abs(np.diag(pivoted_qr(rows.T)[0]))
    return bool(len(rows) <= rows.shape[1] and diagonal.min() > len(rows) * EPS * diagonal.max())
