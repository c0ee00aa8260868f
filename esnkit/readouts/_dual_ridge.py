"""Ridge regression of no more rows than features, which are standardised: the dual form.

With rows Z, centred, divided by the standard deviations and times the square roots of their
weights, and S = (ZZ' + alpha I)^-1, the coefficients are Z'Sy, and the error of row i of a model
fitted without it is (Sy)_i / S_ii. One decomposition of ZZ' serves all alphas, and no matrix of
features by features exists.

References
----------
C. Saunders, A. Gammerman and V. Vovk (1998), Ridge regression learning algorithm in dual variables.
"""

import numpy as np

from esnkit.readouts._dual_inverses import Complement, decompose, from_singular_values
from esnkit.readouts._lapack import eigh, matmul
from esnkit.readouts._least_squares import EPS, column_lengths, deviations

__all__ = ["DualRidge"]

# An alpha this many times the rounding error of ZZ' is precise with its eigenvectors; smaller ones
# need singular vectors of Z, which take several times as long.
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
        self.mean_x, self.mean_y = (w @ part.astype(np.float64) / self.weight for part in (X, Y))
        Z, target = X - self.mean_x, Y - self.mean_y
        Z *= self.root[:, None]
        sizes = column_lengths(Z) / np.sqrt(self.weight)
        self.scale = deviations(sizes, self.mean_x, len(w))
        self.Z, self.target = Z / self.scale, target * self.root[:, None]
        complement = Complement(self.root / np.sqrt(self.weight))
        rows = complement.restrict(self.Z)
        trace = float(np.einsum("ij,ij->", rows, rows))
        self.precise_above = MIN_ALPHA_OVER_ROUNDING * EPS * trace if trace > 0 else np.inf
        if smallest_alpha > self.precise_above:
            squares, vectors = eigh(matmul(rows, rows.T))
            self.values, self.U = np.sqrt(np.maximum(squares, 0)), complement.extend(vectors)
        else:
            self.values, self.U = decompose(rows, complement)
            self.precise_above = -np.inf
        self.projected = self.U.T @ self.target

    def is_precise(self, alpha: float) -> bool:
        """Return whether the decomposition is precise for an alpha."""
        return alpha > self.precise_above

    def solve(self, alpha: float) -> np.ndarray:
        """Return the coefficients (n_features, n_outputs) of the features as they are."""
        dual = self.U @ (self._inverse(alpha)[:, None] * self.projected)
        return (self.Z.T @ dual) / self.scale[:, None]

    def condition(self, alpha: float) -> float:
        """Return the 2-norm condition of the features with sqrt(alpha) I below them."""
        with np.errstate(divide="ignore"):
            return float(np.hypot(self.values.max(initial=0), np.sqrt(alpha)) / np.sqrt(alpha))

    def half_inverse(self, alpha: float) -> np.ndarray:
        """Return F (n_rows, n_rows - 1) with S proportional to FF', as `dual_inverses` does."""
        return from_singular_values(self.values, self.U, alpha)

    def _inverse(self, alpha: float) -> np.ndarray:
        """Return 1 / (values^2 + alpha), zero for null directions unless alpha outweighs rounding.

        With a tiny alpha, that is the solution of least norm.
        """
        is_used = (self.values > 0) | (np.sqrt(alpha) > EPS * self.values.max(initial=0.0))
        return np.where(is_used, 1, 0) / np.where(is_used, self.values**2 + alpha, 1)
