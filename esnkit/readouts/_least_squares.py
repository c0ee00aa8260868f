"""Streaming second moments for ridge regression: a Gram matrix, or an orthogonal factor.

Both hold, for features X and targets Y centred by their weighted means, what a ridge solution
needs, in memory O(n_features^2): the Gram keeps X'X and X'Y, the factor keeps R and Q'Y of
X = QR. Each block is centred by its own mean, and what the shift of the mean adds is one row
more, sqrt(a b / (a + b)) (mean_b - mean_a) for total weights a and b. Means are kept with what
their rounding left, so that a common or a drifting offset costs no digits.

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

EPS = float(np.finfo(np.float64).eps)


class Spectrum(NamedTuple):
    """Ridge solutions for any alpha, B = V diag(1 / (values + alpha)) cross."""

    values: np.ndarray  # (n,) eigenvalues of X'X
    vectors: np.ndarray  # (n, n) V, in columns
    cross: np.ndarray  # (n, n_outputs) V'X'Y
    resolved: float  # an alpha above this outweighs the rounding of the values
    null: float  # values up to this may be zeros

    def filters(self, alpha: float) -> np.ndarray:
        """Return 1 / (values + alpha), zero for null directions when alpha cannot decide."""
        if alpha > self.resolved:
            return 1 / (self.values + alpha)
        null = self.values <= self.null
        return np.where(null, 0.0, 1 / np.where(null, 1.0, self.values + alpha))

    def solve(self, alpha: float) -> np.ndarray:
        """Return the ridge coefficients (n, n_outputs)."""
        return self.vectors @ (self.filters(alpha)[:, None] * self.cross)


class Moments(ABC):
    """Weighted centred second moments of the rows seen so far, for outputs of equal weights.

    Parameters
    ----------
    n_features, n_outputs : int

    Attributes
    ----------
    n_rows : int
        Rows seen.
    weight : float
        Sum of all weights.
    mean_x, mean_y : ndarray (2, n_features), (2, n_outputs)
        Two rows that add up to the mean: rounded, and what the rounding left.
    factor : ndarray (n_features, n_features), Fortran-ordered
        Lower triangle of X'X, or the triangle R, of which the other half is never read.
    cross : ndarray (n_features, n_outputs), Fortran-ordered
        X'Y, or Q'Y.
    """

    def __init__(self, n_features: int, n_outputs: int):
        self.n_rows = 0
        self.weight = 0.0
        self.mean_x = np.zeros((2, n_features))
        self.mean_y = np.zeros((2, n_outputs))
        self.factor = np.zeros((n_features, n_features), order="F")
        self.cross = np.zeros((n_features, n_outputs), order="F")
        self._work: tuple[np.ndarray, ...] = ()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_work": ()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Copy what is mapped from a file and may not be written to: BLAS would do so."""
        for name, part in state.items():
            own = isinstance(part, np.ndarray)
            setattr(self, name, np.require(part, requirements="W") if own else part)

    def add(self, X: np.ndarray, Y: np.ndarray, w: np.ndarray) -> None:
        """Take in rows X (m, n_features), Y (m, n_outputs), with weights w (m,), all > 0."""
        self.n_rows += len(X)
        mean_x, mean_y = np.empty_like(self.mean_x), np.empty_like(self.mean_y)
        linalg.weighted_mean(X, w, mean_x)
        linalg.weighted_mean(Y, w, mean_y)
        root = np.sqrt(w)
        ZX, ZY = self._rows(X.shape[0] + 1)
        self._centre(X, root, mean_x, ZX)
        self._centre(Y, root, mean_y, ZY)
        ZX[0], ZY[0] = self._shift(w.sum(), mean_x, mean_y)
        self._absorb(ZX, ZY)

    def _shift(self, weight: float, mean_x: np.ndarray, mean_y: np.ndarray):
        """Move the means on to those with the new rows; return the row that accounts for it."""
        if self.weight == 0:  # a step from nowhere would not be exact
            self.mean_x[:], self.mean_y[:] = mean_x, mean_y
        total = self.weight + weight
        share = weight / total if total > 0 else 0.0
        root = np.sqrt(self.weight * share)
        with np.errstate(over="ignore", invalid="ignore"):  # `check` reports it by name
            step_x = (mean_x - self.mean_x).sum(axis=0)
            step_y = (mean_y - self.mean_y).sum(axis=0)
            linalg.move_mean(self.mean_x, share * step_x)
            linalg.move_mean(self.mean_y, share * step_y)
            self.weight = total
            return root * step_x, root * step_y

    def check(self) -> None:
        """Raise ValueError if the sums of squares of the features overflow."""
        with np.errstate(over="ignore"):
            squares = self._squares()
            worst = int(np.argmax(squares))
            if not np.isfinite(squares.sum()):
                raise ValueError(
                    "X must have sums of squares within the range of float64, got "
                    f"{squares[worst]:.3g} for feature {worst}: scale the features"
                )

    def _rows(self, m: int) -> tuple[np.ndarray, np.ndarray]:
        """Return work space for m centred rows of features and targets, kept between calls."""
        n, p = self.cross.shape
        if not self._work or self._work[0].size < m * n:
            self._work = np.empty(m * n), np.empty(m * p)
        ZX, ZY = self._work
        return self._layout(ZX[: m * n], m), self._layout(ZY[: m * p], m)

    def release(self) -> None:
        """Give the work space back."""
        self._work = ()

    def take(self, outputs: np.ndarray) -> Self:
        """Return a copy for some of the outputs."""
        copy = type(self)(len(self.factor), len(outputs))
        copy.n_rows, copy.weight = self.n_rows, self.weight
        copy.mean_x[:], copy.mean_y[:] = self.mean_x, self.mean_y[:, outputs]
        copy.factor[:] = self.factor
        copy.cross[:] = self.cross[:, outputs]
        return copy

    @abstractmethod
    def merge(self, other: Self) -> None:
        """Take in all that another one has seen."""

    @abstractmethod
    def solve(self, alpha: float) -> tuple[np.ndarray, float]:
        """Return the ridge coefficients (n_features, n_outputs) and the condition met.

        The condition is that of the features with sqrt(alpha) I below them, each column scaled
        to length one (the Gram's is its square); infinite where it could not be used.
        """

    @abstractmethod
    def spectrum(self) -> "Spectrum":
        """Return the eigenvalues of X'X, and all that ridge solutions need of the vectors."""

    @abstractmethod
    def _squares(self) -> np.ndarray:
        """Return the sum of squares of every centred feature."""

    @abstractmethod
    def _layout(self, flat: np.ndarray, m: int) -> np.ndarray: ...

    @abstractmethod
    def _centre(self, X: np.ndarray, root: np.ndarray, mean: np.ndarray, Z: np.ndarray): ...

    @abstractmethod
    def _absorb(self, ZX: np.ndarray, ZY: np.ndarray) -> None: ...


class GramMoments(Moments):
    """X'X and X'Y: cheapest, but squares the condition of the features."""

    def merge(self, other: Self) -> None:
        """Take in all that another one has seen."""
        self.n_rows += other.n_rows
        with np.errstate(over="ignore", invalid="ignore"):  # `check` reports it by name
            self.factor += other.factor
            self.cross += other.cross
        row_x, row_y = self._shift(other.weight, other.mean_x, other.mean_y)
        self._absorb(row_x[None], row_y[None])

    def solve(self, alpha: float) -> tuple[np.ndarray, float]:
        """Solve by Cholesky, or by eigenvalues where that fails."""
        size = self.factor.diagonal() + alpha
        scale = np.where(size > 0, size, 1.0) ** -0.5
        G = np.empty(self.factor.shape, order="F")
        norm = linalg.scale_lower(self.factor, alpha, scale, G)
        L, info = lapack.dpotrf(G, lower=1, clean=0, overwrite_a=1)
        rcond = lapack.dpocon(L, norm, uplo="L")[0] if info == 0 else 0.0
        if rcond == 0:
            return self.spectrum().solve(alpha), np.inf
        return scale[:, None] * lapack.dpotrs(L, scale[:, None] * self.cross, lower=1)[0], (
            rcond**-0.5
        )

    def spectrum(self) -> Spectrum:
        """Return the eigenvalues of the Gram."""
        values, vectors = eigh(self.factor, lower=True, driver="evd", check_finite=False)
        values = np.maximum(values, 0)
        top = EPS * values[-1]
        return Spectrum(values, vectors, vectors.T @ self.cross, top, len(values) * top)

    def _squares(self) -> np.ndarray:
        return self.factor.diagonal()

    def _layout(self, flat: np.ndarray, m: int) -> np.ndarray:
        return flat.reshape(m, -1)

    def _centre(self, X: np.ndarray, root: np.ndarray, mean: np.ndarray, Z: np.ndarray) -> None:
        linalg.centre_rows(X, root, mean, Z[1:])

    def _absorb(self, ZX: np.ndarray, ZY: np.ndarray) -> None:
        add_gram(self.factor, self.cross, ZX, ZY)


class OrthogonalMoments(Moments):
    """R and Q'Y of X = QR: about twice the work of the Gram, and the condition as it is."""

    def merge(self, other: Self) -> None:
        """Take in all that another one has seen."""
        self.n_rows += other.n_rows
        n, p = self.cross.shape
        ZX, ZY = np.empty((n + 1, n), order="F"), np.empty((n + 1, p), order="F")
        ZX[1:], ZY[1:] = other.factor, other.cross
        ZX[0], ZY[0] = self._shift(other.weight, other.mean_x, other.mean_y)
        add_orthogonal(self.factor, self.cross, ZX, ZY, n_triangular=n)

    def solve(self, alpha: float) -> tuple[np.ndarray, float]:
        """Solve by one more triangular step, or by singular values where that is at its end."""
        n, p = self.cross.shape
        R, C = np.array(np.triu(self.factor), order="F"), self.cross.copy(order="F")
        size = np.linalg.norm(R)
        if alpha > 0:
            add_orthogonal(
                R, C, np.asfortranarray(np.sqrt(alpha) * np.eye(n)), np.zeros((n, p), order="F"), n
            )
        scale = np.linalg.norm(R, axis=0)
        rcond = lapack.dtrcon(R / np.where(scale > 0, scale, 1.0))[0]
        if rcond == 0 or (np.sqrt(alpha) <= EPS * size and rcond <= n * EPS):
            return self.spectrum().solve(alpha), np.inf if rcond == 0 else 1 / rcond
        return lapack.dtrtrs(R, C)[0], 1 / rcond

    def spectrum(self) -> Spectrum:
        """Return the squared singular values of the factor."""
        R = np.triu(self.factor)
        try:
            U, s, Vt = svd(R, check_finite=False)
        except LinAlgError:  # the fast method may fail to converge, the slow one does not
            U, s, Vt = svd(R, check_finite=False, lapack_driver="gesvd")
        top = EPS * s[0]
        cross = s[:, None] * (U.T @ self.cross)
        return Spectrum(s**2, Vt.T, cross, top**2, (len(s) * top) ** 2)

    def _squares(self) -> np.ndarray:
        R = np.triu(self.factor)
        return np.einsum("ij,ij->j", R, R)

    def _layout(self, flat: np.ndarray, m: int) -> np.ndarray:
        return flat.reshape(-1, m).T

    def _centre(self, X: np.ndarray, root: np.ndarray, mean: np.ndarray, Z: np.ndarray) -> None:
        linalg.centre_columns(X, root, mean, Z.T[:, 1:])

    def _absorb(self, ZX: np.ndarray, ZY: np.ndarray) -> None:
        add_orthogonal(self.factor, self.cross, ZX, ZY)


def centre(X: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Return X less a mean (2, n), whose rows add up to it, in float64."""
    centred = X - mean[0]
    centred -= mean[1]
    return centred


def as_gram(moments: Moments) -> GramMoments:
    """Return the same moments as a Gram."""
    if isinstance(moments, GramMoments):
        return moments
    gram = GramMoments(*moments.cross.shape)
    gram.n_rows, gram.weight = moments.n_rows, moments.weight
    gram.mean_x[:], gram.mean_y[:] = moments.mean_x, moments.mean_y
    R, C = np.ascontiguousarray(np.triu(moments.factor)), np.ascontiguousarray(moments.cross)
    add_gram(gram.factor, gram.cross, R, C)
    return gram
