"""Ridge regression of no more rows than features, which are standardised: the dual form.

With rows Z, centred, divided by the standard deviations and times the square roots of their
weights, and S = (ZZ' + alpha I)^-1, the coefficients are Z'Sy, and the error of row i of a model
fitted without it is (Sy)_i / S_ii. One decomposition of ZZ' serves all alphas, and no matrix of
features by features exists.

Where every alpha outweighs the rounding errors of ZZ', the decomposition is ZZ' = QTQ' with a
tridiagonal T: for each alpha, S comes from the factors of T + alpha I, which take n steps.

References
----------
C. Saunders, A. Gammerman and V. Vovk (1998), Ridge regression learning algorithm in dual variables.
"""

from collections.abc import Iterable, Iterator
from functools import cached_property

import numpy as np
from scipy.linalg import eigvalsh_tridiagonal

from esnkit.kernels.linalg import inverse_diagonals
from esnkit.readouts._dual_inverses import (
    Complement,
    decompose,
    dual_errors,
    errors_of,
    from_singular_values,
)
from esnkit.readouts._lapack import (
    factor_tridiagonal,
    matmul,
    solve_tridiagonal,
    tridiagonal,
)
from esnkit.readouts._least_squares import EPS, column_lengths, deviations
from esnkit.utils._threads import interruptible

__all__ = ["DualRidge"]

# An alpha this many times the rounding error of ZZ' is precise with ZZ'; smaller ones need singular
# vectors of Z, which take several times as long.
MIN_ALPHA_OVER_ROUNDING = 300.0


class DualRidge:
    """Solutions and leave-one-out errors for any alpha.

    The standard deviations, and so the penalty, are those of all rows, also for a row left out.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
    Y : ndarray of shape (n_rows, n_outputs)
    w : ndarray of shape (n_rows,)
        Weights > 0.
    smallest_alpha : float

    Attributes
    ----------
    mean_x, mean_y : ndarray of shape (n_features,), (n_outputs,)
    scale : ndarray of shape (n_features,)
        Standard deviations, one for a constant feature.
    """

    def __init__(self, X: np.ndarray, Y: np.ndarray, w: np.ndarray, smallest_alpha: float):
        self.root, self.weight = np.sqrt(w), w.sum()
        means = (w @ part.astype(np.float64, copy=False) / self.weight for part in (X, Y))
        self.mean_x, self.mean_y = means
        Z, target = X - self.mean_x, (Y - self.mean_y) * self.root[:, None]
        Z *= self.root[:, None]
        sizes = column_lengths(Z) / np.sqrt(self.weight)
        self.scale = deviations(sizes, self.mean_x, len(w))
        Z /= self.scale
        self.Z = Z
        complement = Complement(self.root / np.sqrt(self.weight))
        rows = complement.restrict(Z)
        trace = float(np.einsum("ij,ij->", rows, rows))
        bound = MIN_ALPHA_OVER_ROUNDING * EPS * trace if trace > 0 else np.inf
        make_inverse = _OfTridiagonal if smallest_alpha > bound else _OfSingularValues
        self.precise_above = bound if smallest_alpha > bound else -np.inf
        self._inverse: _OfTridiagonal | _OfSingularValues = make_inverse(rows, complement, target)

    def is_precise(self, alpha: float) -> bool:
        """Return whether the decomposition is precise for an alpha."""
        return alpha > self.precise_above

    def solve(self, alpha: float) -> np.ndarray:
        """Return the coefficients (n_features, n_outputs) of the features as they are."""
        return (self.Z.T @ self._inverse.solve(alpha)) / self.scale[:, None]

    def condition(self, alpha: float) -> float:
        """Return the 2-norm condition of the features with sqrt(alpha) I below them."""
        if alpha == 0:
            return np.inf
        return float(np.hypot(self._inverse.largest, np.sqrt(alpha)) / np.sqrt(alpha))

    def errors(self, alphas: np.ndarray) -> Iterable[tuple[np.ndarray, np.ndarray]]:
        """Yield the leave-one-out errors (n_rows, n_outputs) times the roots of the weights.

        Beside them are about their rounding errors, as those of `dual_errors`.
        """
        return self._inverse.errors(alphas)


class _OfTridiagonal:
    """S from ZZ' = QTQ' with a tridiagonal T."""

    def __init__(self, rows: np.ndarray, complement: Complement, target: np.ndarray):
        self.diagonal, self.beside, Q = tridiagonal(matmul(rows, rows.T))
        self.U = complement.extend(Q)
        self.projected = self.U.T @ target

    def solve(self, alpha: float) -> np.ndarray:
        """Return Sy."""
        return self.U @ solve_tridiagonal(*self._factors(alpha), self.projected)

    @cached_property
    def largest(self) -> float:
        """The largest singular value of Z."""
        last = len(self.diagonal) - 1
        square = eigvalsh_tridiagonal(
            self.diagonal, self.beside, select="i", select_range=(last, last)
        )
        return float(np.sqrt(max(square[0], 0.0)))

    def errors(self, alphas: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield what `DualRidge.errors` does."""
        factors = [self._factors(alpha) for alpha in alphas]
        diagonals = np.empty((len(alphas), len(self.U)))
        arrays = self.U.T, *(np.stack(parts) for parts in zip(*factors, strict=True)), diagonals
        interruptible(self.U.size * len(alphas), inverse_diagonals, *arrays)
        duals = [solve_tridiagonal(*factor, self.projected) for factor in factors]
        products = np.split(self.U @ np.hstack(duals), len(alphas), axis=1)
        for diagonal, product, dual in zip(diagonals, products, duals, strict=True):
            size = np.sqrt(np.einsum("ij,ij->j", self.projected, dual))
            yield errors_of(diagonal[:, None], product, size)

    def _factors(self, alpha: float) -> tuple[np.ndarray, np.ndarray]:
        return factor_tridiagonal(self.diagonal + alpha, self.beside)


class _OfSingularValues:
    """S from the singular values and left vectors of Z."""

    def __init__(self, rows: np.ndarray, complement: Complement, target: np.ndarray):
        self.values, self.U = decompose(rows, complement)
        self.target, self.largest = target, self.values.max(initial=0)

    def solve(self, alpha: float) -> np.ndarray:
        """Return Sy, without null directions unless alpha outweighs rounding.

        With a tiny alpha, that is the solution of least norm.
        """
        is_used = (self.values > 0) | (np.sqrt(alpha) > EPS * self.largest)
        inverse = np.where(is_used, 1, 0) / np.where(is_used, self.values**2 + alpha, 1)
        return self.U @ (inverse[:, None] * (self.U.T @ self.target))

    def errors(self, alphas: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield what `DualRidge.errors` does."""
        for alpha in alphas:
            yield dual_errors(from_singular_values(self.values, self.U, alpha), self.target)
