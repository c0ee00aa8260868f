"""Sufficient statistics of ridge regression: a Gram matrix, or an orthogonal factor.

For features X and targets Y, centred by their weighted means and scaled by the square roots of the
weights, both keep what a ridge solution needs in memory O(n_features^2): the Gram form keeps X'X
and X'Y, the QR form keeps R and Q'Y of X = QR. Each block is centred by its own mean; the change of
the total mean adds one more row, sqrt(a b / (a + b)) (mean_b - mean_a), for total weights a of the
rows before and b of the block. A mean is stored as a rounded value and its rounding error, so that
a large or drifting offset of the features costs no digits.

References
----------
T. F. Chan, G. H. Golub and R. J. LeVeque (1979), Updating formulae and a pairwise algorithm
for computing sample variances, eqs. 2.1.
"""

from abc import ABC, abstractmethod
from typing import Any, NamedTuple, Self

import numpy as np
from scipy.linalg import LinAlgError, eigh, lapack, svd

from esnkit.kernels import linalg
from esnkit.readouts._blas import add_gram, add_orthogonal

__all__ = [
    "EPS",
    "GramStatistics",
    "QRStatistics",
    "RidgeSpectrum",
    "SufficientStatistics",
    "subtract_mean",
    "to_gram",
]

EPS = float(np.finfo(np.float64).eps)


class RidgeSpectrum(NamedTuple):
    """Ridge solutions for any alpha from X'X = V diag(l) V': B = V diag(1 / (l + alpha)) V'X'Y."""

    eigenvalues: np.ndarray  # (n_features,) l
    eigenvectors: np.ndarray  # (n_features, n_features) V, in columns
    cross: np.ndarray  # (n_features, n_outputs) V'X'Y
    rounding: float  # rounding error of the eigenvalues: a larger alpha outweighs it
    null_bound: float  # eigenvalues up to this one are zero up to rounding

    def inverse(self, alpha: float) -> np.ndarray:
        """Return 1 / (l + alpha); zero for null directions unless alpha outweighs rounding.

        With a tiny alpha, that is the least-squares solution of least norm.
        """
        if alpha > self.rounding:
            return 1 / (self.eigenvalues + alpha)
        is_null = self.eigenvalues <= self.null_bound
        return np.where(is_null, 0.0, 1 / np.where(is_null, 1.0, self.eigenvalues + alpha))

    def solve(self, alpha: float) -> np.ndarray:
        """Return the ridge coefficients (n_features, n_outputs)."""
        return self.eigenvectors @ (self.inverse(alpha)[:, None] * self.cross)


class SufficientStatistics(ABC):
    """Weighted centred second moments of a stream of rows, for outputs of equal weights.

    Parameters
    ----------
    n_features, n_outputs : int

    Attributes
    ----------
    n_rows : int
        Number of rows so far.
    weight : float
        Sum of their weights.
    mean_x, mean_y : ndarray of shape (2, n_features), (2, n_outputs)
        Two rows that add up to the weighted mean: its rounded value, and the rounding error.
    triangle : ndarray of shape (n_features, n_features), Fortran-ordered
        Lower triangle of X'X, or the upper triangular factor R. The other half is never read.
    cross : ndarray of shape (n_features, n_outputs), Fortran-ordered
        X'Y, or Q'Y.
    """

    def __init__(self, n_features: int, n_outputs: int):
        self.n_rows = 0
        self.weight = 0.0
        self.mean_x = np.zeros((2, n_features))
        self.mean_y = np.zeros((2, n_outputs))
        self.triangle = np.zeros((n_features, n_features), order="F")
        self.cross = np.zeros((n_features, n_outputs), order="F")
        self._buffers: tuple[np.ndarray, ...] = ()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_buffers": ()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Copy read-only arrays, such as those mapped from a file: BLAS would write to them."""
        for name, value in state.items():
            is_array = isinstance(value, np.ndarray)
            setattr(self, name, np.require(value, requirements="W") if is_array else value)

    def add(self, X: np.ndarray, Y: np.ndarray, w: np.ndarray) -> None:
        """Add rows X (m, n_features), Y (m, n_outputs) with weights w (m,), all > 0."""
        self.n_rows += len(X)
        mean_x, mean_y = np.empty_like(self.mean_x), np.empty_like(self.mean_y)
        linalg.weighted_mean(X, w, mean_x)
        linalg.weighted_mean(Y, w, mean_y)
        root = np.sqrt(w)
        ZX, ZY = self._get_buffers(X.shape[0] + 1)
        self._centre(X, root, mean_x, ZX)
        self._centre(Y, root, mean_y, ZY)
        ZX[0], ZY[0] = self._update_means(w.sum(), mean_x, mean_y)
        self._add_centred(ZX, ZY)

    def _update_means(
        self, weight: float, mean_x: np.ndarray, mean_y: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Combine the means with those of new rows; return the row that the change adds.

        With a the weight so far and b that of the new rows, the means move by b / (a + b) times
        their difference; the row is sqrt(a b / (a + b)) times the difference.
        """
        if self.weight == 0:  # the first mean is copied: adding it to zero may round it
            self.mean_x[:], self.mean_y[:] = mean_x, mean_y
        total = self.weight + weight
        share = weight / total if total > 0 else 0.0
        root = np.sqrt(self.weight * share)
        with np.errstate(over="ignore", invalid="ignore"):  # `check_overflow` reports it
            step_x = (mean_x - self.mean_x).sum(axis=0)
            step_y = (mean_y - self.mean_y).sum(axis=0)
            linalg.move_mean(self.mean_x, share * step_x)
            linalg.move_mean(self.mean_y, share * step_y)
            self.weight = total
            return root * step_x, root * step_y

    def check_overflow(self) -> None:
        """Raise ValueError if the sums of squares of the features overflow."""
        with np.errstate(over="ignore"):
            squares = self._sums_of_squares()
            worst = int(np.argmax(squares))
            if not np.isfinite(squares.sum()):
                raise ValueError(
                    "X must have sums of squares within the range of float64, got "
                    f"{squares[worst]:.3g} for feature {worst}: scale the features"
                )

    def _get_buffers(self, m: int) -> tuple[np.ndarray, np.ndarray]:
        """Return buffers for m centred rows of features and targets, reused between calls."""
        n, p = self.cross.shape
        if not self._buffers or self._buffers[0].size < m * n:
            self._buffers = np.empty(m * n), np.empty(m * p)
        ZX, ZY = self._buffers
        return self._as_rows(ZX[: m * n], m), self._as_rows(ZY[: m * p], m)

    def free_buffers(self) -> None:
        """Free the memory of the buffers; the next `add` allocates new ones."""
        self._buffers = ()

    def select_outputs(self, positions: np.ndarray) -> Self:
        """Return a copy for the outputs at some positions."""
        selected = type(self)(len(self.triangle), len(positions))
        selected.n_rows, selected.weight = self.n_rows, self.weight
        selected.mean_x[:], selected.mean_y[:] = self.mean_x, self.mean_y[:, positions]
        selected.triangle[:] = self.triangle
        selected.cross[:] = self.cross[:, positions]
        return selected

    @abstractmethod
    def merge(self, other: Self) -> None:
        """Add the rows of other statistics of the same kind, which stay unchanged."""

    @abstractmethod
    def solve(self, alpha: float) -> tuple[np.ndarray, float]:
        """Return the ridge coefficients (n_features, n_outputs), and a condition estimate.

        It estimates the 1-norm condition of the features with sqrt(alpha) I below them, each
        column scaled to length one (that of the Gram matrix is its square); infinity if the matrix
        is singular up to rounding.
        """

    @abstractmethod
    def spectrum(self) -> RidgeSpectrum:
        """Return the eigenvalues and eigenvectors of X'X, from which any alpha is solved."""

    @abstractmethod
    def _sums_of_squares(self) -> np.ndarray:
        """Return the sum of squares of every centred feature."""

    @abstractmethod
    def _as_rows(self, flat: np.ndarray, m: int) -> np.ndarray:
        """Return a flat buffer as m rows, in the memory order that `_add_centred` needs."""

    @abstractmethod
    def _centre(self, X: np.ndarray, root: np.ndarray, mean: np.ndarray, Z: np.ndarray) -> None:
        """Write root[i] (X[i] - mean) into Z[i + 1]; Z[0] is left for the change of the mean."""

    @abstractmethod
    def _add_centred(self, ZX: np.ndarray, ZY: np.ndarray) -> None:
        """Add centred rows to `triangle` and `cross`."""


class GramStatistics(SufficientStatistics):
    """X'X and X'Y: the fastest form, but it squares the condition of the features."""

    def merge(self, other: Self) -> None:
        """Add the rows of other statistics: sums, and one row for the difference of the means."""
        self.n_rows += other.n_rows
        with np.errstate(over="ignore", invalid="ignore"):  # `check_overflow` reports it
            self.triangle += other.triangle
            self.cross += other.cross
        row_x, row_y = self._update_means(other.weight, other.mean_x, other.mean_y)
        self._add_centred(row_x[None], row_y[None])

    def solve(self, alpha: float) -> tuple[np.ndarray, float]:
        """Solve (X'X + alpha I) B = X'Y by Cholesky, or by eigenvalues if that fails.

        The matrix is scaled on both sides to a unit diagonal first, so that features of different
        size do not raise its condition.
        """
        diagonal = self.triangle.diagonal() + alpha
        scale = np.where(diagonal > 0, diagonal, 1.0) ** -0.5
        G = np.empty(self.triangle.shape, order="F")
        norm = linalg.scale_lower(self.triangle, alpha, scale, G)
        L, info = lapack.dpotrf(G, lower=1, clean=0, overwrite_a=1)
        rcond = lapack.dpocon(L, norm, uplo="L")[0] if info == 0 else 0.0
        if rcond == 0:
            return self.spectrum().solve(alpha), np.inf
        solved, _ = lapack.dpotrs(L, scale[:, None] * self.cross, lower=1)
        return scale[:, None] * solved, rcond**-0.5

    def spectrum(self) -> RidgeSpectrum:
        """Return the eigenvalues and eigenvectors of the Gram matrix."""
        values, vectors = eigh(self.triangle, lower=True, driver="evd", check_finite=False)
        values = np.maximum(values, 0)
        rounding = EPS * values[-1]
        cross = vectors.T @ self.cross
        return RidgeSpectrum(values, vectors, cross, rounding, len(values) * rounding)

    def _sums_of_squares(self) -> np.ndarray:
        return self.triangle.diagonal()

    def _as_rows(self, flat: np.ndarray, m: int) -> np.ndarray:
        return flat.reshape(m, -1)

    def _centre(self, X: np.ndarray, root: np.ndarray, mean: np.ndarray, Z: np.ndarray) -> None:
        linalg.centre_rows(X, root, mean, Z[1:])

    def _add_centred(self, ZX: np.ndarray, ZY: np.ndarray) -> None:
        add_gram(self.triangle, self.cross, ZX, ZY)


class QRStatistics(SufficientStatistics):
    """R and Q'Y of X = QR: about twice the work of the Gram form, without squared condition."""

    def merge(self, other: Self) -> None:
        """Add the rows of other statistics: its R as rows, and one row for the means."""
        self.n_rows += other.n_rows
        n, p = self.cross.shape
        ZX, ZY = np.empty((n + 1, n), order="F"), np.empty((n + 1, p), order="F")
        ZX[1:], ZY[1:] = other.triangle, other.cross
        ZX[0], ZY[0] = self._update_means(other.weight, other.mean_x, other.mean_y)
        add_orthogonal(self.triangle, self.cross, ZX, ZY, n_triangular=n)

    def solve(self, alpha: float) -> tuple[np.ndarray, float]:
        """Solve by the triangular factor of [R; sqrt(alpha) I], or by singular values.

        Singular values are used if the factor is singular up to rounding and alpha is too small to
        change that.
        """
        n, p = self.cross.shape
        R, C = np.array(np.triu(self.triangle), order="F"), self.cross.copy(order="F")
        norm = np.linalg.norm(R)
        if alpha > 0:
            penalty = np.asfortranarray(np.sqrt(alpha) * np.eye(n))
            add_orthogonal(R, C, penalty, np.zeros((n, p), order="F"), n_triangular=n)
        scale = np.linalg.norm(R, axis=0)
        rcond = lapack.dtrcon(R / np.where(scale > 0, scale, 1.0))[0]
        if rcond == 0 or (np.sqrt(alpha) <= EPS * norm and rcond <= n * EPS):
            return self.spectrum().solve(alpha), np.inf if rcond == 0 else 1 / rcond
        return lapack.dtrtrs(R, C)[0], 1 / rcond

    def spectrum(self) -> RidgeSpectrum:
        """Return the squared singular values and the right singular vectors of R = U diag(s) V'."""
        R = np.triu(self.triangle)
        try:
            U, s, Vt = svd(R, check_finite=False)
        except LinAlgError:  # divide and conquer may fail to converge, QR iteration does not
            U, s, Vt = svd(R, check_finite=False, lapack_driver="gesvd")
        rounding = EPS * s[0]
        cross = s[:, None] * (U.T @ self.cross)
        return RidgeSpectrum(s**2, Vt.T, cross, rounding**2, (len(s) * rounding) ** 2)

    def _sums_of_squares(self) -> np.ndarray:
        R = np.triu(self.triangle)
        return np.einsum("ij,ij->j", R, R)

    def _as_rows(self, flat: np.ndarray, m: int) -> np.ndarray:
        return flat.reshape(-1, m).T

    def _centre(self, X: np.ndarray, root: np.ndarray, mean: np.ndarray, Z: np.ndarray) -> None:
        linalg.centre_columns(X, root, mean, Z.T[:, 1:])

    def _add_centred(self, ZX: np.ndarray, ZY: np.ndarray) -> None:
        add_orthogonal(self.triangle, self.cross, ZX, ZY)


def subtract_mean(X: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Return X minus a mean (2, n) whose two rows add up to it, in float64."""
    centred = X - mean[0]
    centred -= mean[1]
    return centred


def to_gram(statistics: SufficientStatistics) -> GramStatistics:
    """Return the same statistics in Gram form: X'X = R'R and X'Y = R'Q'Y."""
    if isinstance(statistics, GramStatistics):
        return statistics
    gram = GramStatistics(*statistics.cross.shape)
    gram.n_rows, gram.weight = statistics.n_rows, statistics.weight
    gram.mean_x[:], gram.mean_y[:] = statistics.mean_x, statistics.mean_y
    R = np.ascontiguousarray(np.triu(statistics.triangle))
    add_gram(gram.triangle, gram.cross, R, np.ascontiguousarray(statistics.cross))
    return gram
