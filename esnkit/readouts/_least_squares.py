"""Sufficient statistics of ridge regression: a Gram matrix, or an orthogonal factor.

For features X and targets Y, centred by their weighted means and scaled by the square roots of the
weights, both keep what a ridge solution needs in memory O(n_features^2): the Gram form keeps X'X
and X'Y, the QR form keeps R and Q'Y of X = QR. Each block is centred by its own mean; the change of
the total mean adds one more row, sqrt(a b / (a + b)) (mean_b - mean_a), for total weights a of the
rows before and b of the block. A mean is stored as a rounded value and its rounding error, so that
a large or drifting offset of the features costs no digits.

Solutions do not depend on the units of the features: every factor is one of scaled columns. The
condition of a Gram matrix whose squares underflow is infinite; the QR form has no squares.

References
----------
T. F. Chan, G. H. Golub and R. J. LeVeque (1979), Updating formulae and a pairwise algorithm
for computing sample variances, eqs. 2.1.
"""

import copy
from abc import ABC, abstractmethod
from typing import Any, NamedTuple, Self

import numpy as np
from scipy.linalg import lapack

from esnkit.kernels import linalg
from esnkit.readouts._blas import add_gram, add_orthogonal
from esnkit.readouts._lapack import (
    cholesky,
    eigh,
    invert_triangle,
    matmul,
    reciprocal_condition,
    reciprocal_condition_of_triangle,
    robust_svd,
    solve_cholesky,
)
from esnkit.utils._plain_state import plain_record
from esnkit.utils._workspace import recycled

__all__ = [
    "EPS",
    "MODERATE_VALUE",
    "GramStatistics",
    "QRStatistics",
    "RidgeFactor",
    "RidgeSpectrum",
    "SufficientStatistics",
    "column_lengths",
    "deviations",
    "rows_are_moderate",
    "subtract_mean",
    "to_gram",
]

EPS = float(np.finfo(np.float64).eps)
# Sums of squares and of products below this one may have lost digits to underflow.
MIN_SUM = 1e-290
# Sums up to this size stay finite if moderate rows are added, or other moderate sums.
MODERATE_SUM = 1e290
# Rows are moderate if no number exceeds MODERATE_VALUE and no weight MODERATE_WEIGHT: even for 1e9
# of them, sums of w (x - mean)^2 are below 1e281. So is the term of the means, of totals of weights
# up to MODERATE_TOTAL.
MODERATE_VALUE, MODERATE_WEIGHT, MODERATE_TOTAL = 1e90, 1e90, 1e100
# Columns of sizes within this power of two are decomposed together as they are.
MAX_SPREAD_EXPONENT = 10
# The squares of numbers within these powers of two have a wide margin to the range of float64.
MAX_SQUARE_EXPONENT = 300
# Beside a row of weight one, a row of this weight keeps about half of its digits in the sums.
LIGHT_WEIGHT = EPS
# Up to this condition, rows of similar weights count as those that determine the solution.
MAX_CONDITION_OF_HEAVY_ROWS = 1e7
MIN_EXPONENT = -1000  # numbers below this power of two may lose digits to underflow
NO_SIZE = -2000  # in place of the power of two of a zero column


class RidgeFactor(NamedTuple):
    """Triangular factor R of X'X + alpha I = R'R, by scaled columns: R = upper diag(1 / scale)."""

    upper: np.ndarray  # (n_features, n_features), the lower half is never read
    scale: np.ndarray  # (n_features,)
    condition: float  # as `SufficientStatistics.solve` returns it
    coef: np.ndarray | None  # (n_features, n_outputs); None if singular up to rounding


class RidgeSpectrum(NamedTuple):
    """Ridge solutions for any alpha from X'X = V diag(l) V': B = V diag(1 / (l + alpha)) V'X'Y.

    If the features were scaled, V maps to coefficients of the features themselves, and alpha
    penalises the coefficients of the scaled ones.
    """

    eigenvalues: np.ndarray  # (n_features,) l, ascending or descending
    eigenvectors: np.ndarray  # (n_features, n_features) V, in columns
    cross: np.ndarray  # (n_features, n_outputs) V'X'Y
    rounding: float  # rounding error of the eigenvalues: a larger alpha outweighs it
    null_bound: float  # eigenvalues up to this one are zero up to rounding

    def inverse(self, alpha: float) -> np.ndarray:
        """Return 1 / (l + alpha); zero for null directions unless alpha outweighs rounding.

        With a tiny alpha, that is the least-squares solution of least norm.
        """
        penalised = self.eigenvalues + alpha
        with np.errstate(over="ignore"):  # the caller checks the range of the coefficients
            if alpha > self.rounding:
                inverse = 1 / penalised
                return np.where(np.isfinite(inverse), inverse, 0.0)  # of zero features
            is_null = self.eigenvalues <= self.null_bound
            return np.where(is_null, 0.0, 1 / np.where(is_null, 1.0, penalised))

    def solve(self, alpha: float) -> np.ndarray:
        """Return the ridge coefficients (n_features, n_outputs)."""
        with np.errstate(over="ignore", invalid="ignore"):  # the caller checks their range
            return self.eigenvectors @ (self.inverse(alpha)[:, None] * self.cross)

    def condition(self, alpha: float) -> float:
        """Return the 2-norm condition of the features with sqrt(alpha) I below them."""
        smallest = self.eigenvalues.min() + alpha
        return np.sqrt((self.eigenvalues.max() + alpha) / smallest) if smallest > 0 else np.inf


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
    largest_weight : float
    n_heavy_rows : int
        Number of rows whose weights are at least ``LIGHT_WEIGHT`` times the largest one.
    mean_x, mean_y : ndarray of shape (2, n_features), (2, n_outputs)
        Two rows that add up to the weighted mean: its rounded value, and the rounding error.
    triangle : ndarray of shape (n_features, n_features), Fortran-ordered
        Lower triangle of X'X, or the upper triangular factor R. The other half is never read.
    cross : ndarray of shape (n_features, n_outputs), Fortran-ordered
        X'Y, or Q'Y.
    largest_target : ndarray of shape (n_outputs,)
        Largest absolute value of the centred targets times the square roots of their weights.
    scale : ndarray of shape (n_features,) or None
        The features in `triangle` and `cross` are divided by it, if there is one; `mean_x` is not.
    """

    scale: np.ndarray | None = None
    condition_power: int  # of the condition of the features that multiplies the rounding error

    def __init__(self, n_features: int, n_outputs: int):
        self.n_rows = 0
        self.weight = 0.0
        self.largest_weight, self.n_heavy_rows = 0.0, 0
        self.mean_x = np.zeros((2, n_features))
        self.mean_y = np.zeros((2, n_outputs))
        self.triangle = np.zeros((n_features, n_features), order="F")
        self.cross = np.zeros((n_features, n_outputs), order="F")
        self.largest_target = np.zeros(n_outputs)
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
        largest = float(w.max())
        self._note_weights(largest, int(np.count_nonzero(w >= LIGHT_WEIGHT * largest)))
        mean_x, mean_y = np.empty_like(self.mean_x), np.empty_like(self.mean_y)
        relative = np.ldexp(w, -np.frexp(largest)[1])  # products with tiny weights may underflow
        # Means are relative to one row: not to a light one, whose distance to them is rounded.
        origin = int(w.argmax()) if w[0] < LIGHT_WEIGHT * largest else 0
        linalg.weighted_mean(X, relative, origin, mean_x)
        linalg.weighted_mean(Y, relative, origin, mean_y)
        root = np.sqrt(w)
        ZX, ZY = self._get_buffers(X.shape[0] + 1)
        self._centre(X, root, mean_x, ZX)
        self._centre(Y, root, mean_y, ZY)
        with np.errstate(over="ignore"):  # `check_overflow` reports it
            weight = w.sum()
        ZX[0], ZY[0] = self._update_means(weight, mean_x, mean_y)
        self._note_targets(ZY)
        self._add_centred(ZX, ZY)

    def _note_weights(self, largest: float, n_heavy_rows: int) -> None:
        """Count rows of which so many are heavy beside their largest weight."""
        before, self.largest_weight = self.largest_weight, max(self.largest_weight, largest)
        if before < LIGHT_WEIGHT * self.largest_weight:
            self.n_heavy_rows = 0
        if largest >= LIGHT_WEIGHT * self.largest_weight:
            self.n_heavy_rows += n_heavy_rows

    def depends_on_light_rows(self, alpha: float, condition: float) -> bool:
        """Return whether rows of tiny weights, of which few digits are left, may matter.

        They do not if the heavy rows determine the solution, or if alpha outweighs them.
        """
        with np.errstate(over="ignore"):
            outweighed = LIGHT_WEIGHT * self._sums_of_squares().max(initial=0.0)
        is_determined = (
            self.n_heavy_rows > len(self.triangle) + 1 and condition < MAX_CONDITION_OF_HEAVY_ROWS
        )
        return self.n_heavy_rows < self.n_rows and alpha <= outweighed and not is_determined

    def _note_targets(self, ZY: np.ndarray) -> None:
        """Note the largest target."""
        np.maximum(self.largest_target, np.abs(ZY).max(axis=0), out=self.largest_target)

    def _update_means(
        self, weight: float, mean_x: np.ndarray, mean_y: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Combine the means with those of new rows; return the row that the change adds.

        With a the weight so far and b that of the new rows, the means move by b / (a + b) times
        their difference; the row is sqrt(a b / (a + b)) times the difference.
        """
        if self.weight == 0:  # the first mean is copied: adding it to zero may round it
            self.mean_x[:], self.mean_y[:] = mean_x, mean_y
        with np.errstate(over="ignore", invalid="ignore"):  # `check_overflow` reports it
            total = self.weight + weight
            share = weight / total if total > 0 else 0.0
            root = np.sqrt(self.weight * share)
            step_x = (mean_x - self.mean_x).sum(axis=0)
            step_y = (mean_y - self.mean_y).sum(axis=0)
            linalg.move_mean(self.mean_x, share * step_x)
            linalg.move_mean(self.mean_y, share * step_y)
            self.weight = total
            return root * step_x, root * step_y

    def is_moderate(self) -> bool:
        """Return whether all sums stay finite when moderate rows or moderate sums are added."""
        with np.errstate(over="ignore", invalid="ignore"):
            # np.maximum keeps NaN, of products that overflow with both signs; max may not.
            largest_mean = np.maximum(np.abs(self.mean_x).max(), np.abs(self.mean_y).max())
            largest_sum = np.maximum(self._sums_of_squares().sum(), np.abs(self.cross).max())
        return bool(
            self.weight < MODERATE_TOTAL
            and largest_mean < MODERATE_VALUE
            and largest_sum < MODERATE_SUM
        )

    def check_overflow(self) -> None:
        """Raise ValueError if weights, features or targets have sums beyond the range."""
        if self.weight > 1 / MIN_SUM:
            self._refuse_weight()
        with np.errstate(over="ignore", invalid="ignore"):
            squares = self._sums_of_squares()
            worst = int(np.argmax(squares))
            if not np.isfinite(squares.sum()):
                raise ValueError(
                    "X must have sums of squares within the range of float64, got "
                    f"{squares[worst]:.3g} for feature {worst}: scale the features"
                )
        is_finite = np.isfinite(self.cross).all(axis=0) & np.isfinite(self.mean_y).all(axis=0)
        if not is_finite.all():
            raise ValueError(
                "y must have sums of products with the features within the range of float64, got "
                f"infinity for output {np.argmin(is_finite)}: scale y"
            )

    def check_small_sums(self) -> None:
        """Raise ValueError if sums of weights or of targets underflow."""
        if 0 < self.weight < MIN_SUM:
            self._refuse_weight()
        is_lost = (self.largest_target > 0) & (self.largest_target < MIN_SUM)
        if is_lost.any():
            o = np.argmax(is_lost)
            raise ValueError(
                f"y, times the root of sample_weight, must vary by {MIN_SUM:g} or more, got "
                f"{self.largest_target[o]:.3g} for output {o}: scale y"
            )

    def _refuse_weight(self) -> None:
        raise ValueError(
            f"sample_weight must have a sum from {MIN_SUM:g} to {1 / MIN_SUM:g}, got "
            f"{self.weight:.3g}: scale the weights"
        )

    def _get_buffers(self, m: int) -> tuple[np.ndarray, np.ndarray]:
        """Return buffers for m centred rows of features and targets, reused between calls."""
        n, p = self.cross.shape
        if not self._buffers or self._buffers[0].size < m * n:
            self._buffers = recycled((m * n,), np.float64), np.empty(m * p)
        ZX, ZY = self._buffers
        return self._as_rows(ZX[: m * n], m), self._as_rows(ZY[: m * p], m)

    def free_buffers(self) -> None:
        """Free the memory of the buffers; the next `add` allocates new ones."""
        self._buffers = ()

    def select_outputs(self, positions: np.ndarray) -> Self:
        """Return a copy for the outputs at some positions."""
        selected = type(self)(len(self.triangle), len(positions))
        selected.n_rows, selected.weight = self.n_rows, self.weight
        selected._note_weights(self.largest_weight, self.n_heavy_rows)
        selected.mean_x[:], selected.mean_y[:] = self.mean_x, self.mean_y[:, positions]
        selected.triangle[:] = self.triangle
        selected.cross[:] = self.cross[:, positions]
        selected.largest_target[:] = self.largest_target[positions]
        return selected

    def copy(self) -> Self:
        """Return a copy, without the buffers."""
        copied = type(self).__new__(type(self))
        for name, value in vars(self).items():
            is_array = isinstance(value, np.ndarray)
            setattr(copied, name, value.copy(order="K") if is_array else value)
        copied.free_buffers()
        return copied

    def scale_targets(self, factor: float) -> Self:
        """Return the statistics of scaled targets; the other arrays are shared, not copied."""
        scaled = copy.copy(self)
        scaled.mean_y, scaled.cross = factor * self.mean_y, factor * self.cross
        scaled.largest_target = factor * self.largest_target
        return scaled

    def standardised(self) -> Self:
        """Return the statistics of features divided by their standard deviations."""
        scaled = copy.copy(self)
        sizes = self._lengths() / np.sqrt(self.weight or 1.0)
        scaled.scale = deviations(sizes, self.mean_x[0], self.n_rows)
        scaled._divide_features(scaled.scale)
        scaled.free_buffers()
        return scaled

    def centred(self, X: np.ndarray) -> np.ndarray:
        """Return rows of features minus their means, in the units of `triangle`, in float64."""
        Z = subtract_mean(X, self.mean_x)
        if self.scale is not None:
            Z /= self.scale
        return Z

    def solve(self, alpha: float) -> tuple[np.ndarray, float]:
        """Return the ridge coefficients (n_features, n_outputs), and a condition estimate.

        It estimates the 1-norm condition of the features with sqrt(alpha) I below them, each
        column scaled to length one (that of the Gram matrix is its square); infinity if the matrix
        is singular up to rounding.
        """
        factor = self.factor(alpha)
        if factor.coef is None:
            spectrum, penalty = self.least_norm(alpha)
            return spectrum.solve(penalty), factor.condition
        return factor.coef, factor.condition

    def amplification(self, B: np.ndarray, condition: float) -> float:
        """Return about how much predictions by coefficients B amplify rounding errors.

        The terms of a prediction are coefficients times features, of their root-mean-square sizes.
        Where they are larger than the target, they cancel; the Gram form, whose error grows with
        the square of the condition, multiplies that by the condition once more.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            sizes = np.sqrt(self._sums_of_squares() / max(self.n_rows, 1))
            targets = np.where(self.largest_target > 0, self.largest_target, np.inf)
            cancellation = (sizes @ np.abs(B) / targets).max()
            return float(cancellation * np.float64(condition) ** (self.condition_power - 1))

    def least_norm(self, alpha: float) -> tuple[RidgeSpectrum, float]:
        """Return a spectrum and the alpha with which it solves a problem of singular features.

        Columns of very different sizes are scaled to similar ones, or the small ones would be
        taken for rounding errors of the large ones. The norm is then that of the coefficients of
        scaled columns.
        """
        scale = self.equalising_scale(alpha)
        return (self.spectrum(), alpha) if scale is None else (self.spectrum(alpha, scale), 0.0)

    def equalising_scale(self, alpha: float) -> np.ndarray | None:
        """Return powers of two that scale the columns to similar sizes; None if they are similar.

        Sizes are those of the features with sqrt(alpha) I below them.
        """
        exponents = self._column_exponents(alpha)
        sizes = exponents[exponents > NO_SIZE]
        top = int(sizes.max(initial=NO_SIZE))
        lowest = top - MAX_SPREAD_EXPONENT
        if not sizes.size or (sizes.min() >= lowest and abs(top) <= MAX_SQUARE_EXPONENT):
            return None
        exponents = np.where(exponents > NO_SIZE, exponents, top)
        return np.ldexp(1.0, np.maximum(exponents, lowest) - top - exponents)

    def squares_are_within_range(self, alpha: float) -> bool:
        """Return whether no squares of features with sqrt(alpha) I below them underflow."""
        exponents = self._column_exponents(alpha)
        sizes = exponents[exponents > NO_SIZE]
        return bool((np.abs(sizes) <= MAX_SQUARE_EXPONENT).all())

    @abstractmethod
    def check_underflow(self, alpha: float) -> None:
        """Raise ValueError if sums underflow, unless alpha makes them irrelevant."""

    @abstractmethod
    def merge(self, other: Self) -> None:
        """Add the rows of other statistics of the same kind, which stay unchanged."""

    @abstractmethod
    def factor(self, alpha: float) -> RidgeFactor:
        """Return the triangular factor of X'X + alpha I, and the solution."""

    @abstractmethod
    def spectrum(self, alpha: float = 0.0, scale: np.ndarray | None = None) -> RidgeSpectrum:
        """Return the eigenvalues and eigenvectors of X'X, from which any alpha is solved.

        Given a scale, powers of two, the matrix is D (X'X + alpha I) D with D = diag(scale).
        """

    def degrees_of_freedom(self, alpha: float) -> float:
        """Return the trace of X (X'X + alpha I)^-1 X'."""
        factor = self.factor(alpha)
        if factor.coef is None:
            spectrum, penalty = self.least_norm(alpha)
            return float(spectrum.eigenvalues @ spectrum.inverse(penalty))
        # Squares of the inverse alone may overflow.
        inverse = np.sqrt(alpha) * (factor.scale[:, None] * invert_triangle(factor.upper))
        return max(len(inverse) - float(np.einsum("ij,ij->", inverse, inverse)), 0.0)

    @abstractmethod
    def products_of(self, B: np.ndarray) -> np.ndarray:
        """Return the sums of products (n, n_outputs) of predictions and targets.

        The predictions are those of coefficients B (n_features, n).
        """

    @abstractmethod
    def squares_of(self, B: np.ndarray) -> np.ndarray:
        """Return the sums of squares (n,) of the predictions of coefficients (n_features, n)."""

    @abstractmethod
    def _divide_features(self, scale: np.ndarray) -> None:
        """Replace `triangle` and `cross` by those of features divided by a scale."""

    @abstractmethod
    def _column_exponents(self, alpha: float) -> np.ndarray:
        """Return the powers of two of the sizes of the columns, ``NO_SIZE`` for zero columns."""

    @abstractmethod
    def _sums_of_squares(self) -> np.ndarray:
        """Return the sum of squares of every centred feature."""

    @abstractmethod
    def _lengths(self) -> np.ndarray:
        """Return the roots of the sums of squares of the centred features."""

    @abstractmethod
    def _as_rows(self, flat: np.ndarray, m: int) -> np.ndarray:
        """Return a flat buffer as m rows, in the memory order that `_add_centred` needs."""

    @abstractmethod
    def _centre(self, X: np.ndarray, root: np.ndarray, mean: np.ndarray, Z: np.ndarray) -> None:
        """Write root[i] (X[i] - mean) into Z[i + 1]; Z[0] is left for the change of the mean."""

    @abstractmethod
    def _add_centred(self, ZX: np.ndarray, ZY: np.ndarray) -> None:
        """Add centred rows to `triangle` and `cross`."""


@plain_record
class GramStatistics(SufficientStatistics):
    """X'X and X'Y: the fastest form, but it squares the condition of the features.

    Attributes
    ----------
    varies : ndarray of bool, shape (n_features,)
        Whether a feature whose sum of squares is near zero varied nevertheless.
    """

    condition_power = 2

    def __init__(self, n_features: int, n_outputs: int):
        super().__init__(n_features, n_outputs)
        self.varies = np.zeros(n_features, bool)

    def select_outputs(self, positions: np.ndarray) -> Self:
        """Return a copy for the outputs at some positions."""
        selected = super().select_outputs(positions)
        selected.varies[:] = self.varies
        return selected

    def merge(self, other: Self) -> None:
        """Add the rows of other statistics: sums, and one row for the difference of the means."""
        self.n_rows += other.n_rows
        self._note_weights(other.largest_weight, other.n_heavy_rows)
        with np.errstate(over="ignore", invalid="ignore"):  # `check_overflow` reports it
            self.triangle += other.triangle
            self.cross += other.cross
        row_x, row_y = self._update_means(other.weight, other.mean_x, other.mean_y)
        self._add_centred(row_x[None], row_y[None])
        self.varies |= other.varies
        self._note_targets(other.largest_target[None])
        self._note_targets(row_y[None])

    def factor(self, alpha: float) -> RidgeFactor:
        """Factorise X'X + alpha I by Cholesky.

        The matrix is scaled on both sides to a unit diagonal first, so that features of different
        size do not raise its condition.
        """
        diagonal = self.triangle.diagonal() + alpha
        scale = np.where(diagonal > 0, diagonal, 1.0) ** -0.5
        G = np.empty(self.triangle.shape, order="F")
        norm = linalg.scale_lower(self.triangle, alpha, scale, G)
        is_valid = cholesky(G) == 0 and not self._find_underflow(diagonal)
        rcond = reciprocal_condition(G, norm) if is_valid else 0.0
        if rcond == 0:
            return RidgeFactor(G.T, scale, np.inf, None)
        solved = solve_cholesky(G, scale[:, None] * self.cross)
        with np.errstate(over="ignore"):  # the caller checks the range of the coefficients
            return RidgeFactor(G.T, scale, rcond**-0.5, scale[:, None] * solved)

    def _find_underflow(self, diagonal: np.ndarray) -> str:
        """Name sums that lost digits which matter to the solution; return "" if there are none.

        The diagonal is that of X'X + alpha I: a large alpha makes them irrelevant.
        """
        is_lost = self.varies & (diagonal < MIN_SUM)
        if is_lost.any():
            return f"X must have sums of squares, got underflow for feature {np.argmax(is_lost)}"
        is_used = diagonal > 0
        lengths = np.sqrt(self.triangle.diagonal()[is_used])
        smallest = MIN_SUM * (lengths / diagonal[is_used]).max(initial=0.0)
        is_lost = (self.largest_target > 0) & (self.largest_target < smallest)
        if is_lost.any():
            output = np.argmax(is_lost)
            return f"y must have sums of products with X, got underflow for output {output}"
        return ""

    def check_underflow(self, alpha: float) -> None:
        """Raise ValueError if sums underflow, unless alpha makes them irrelevant."""
        found = self._find_underflow(self.triangle.diagonal() + alpha)
        if found:
            raise ValueError(
                f'{found}: scale X and y, or use solver="qr" or a larger alpha than {alpha:g}'
            )

    def spectrum(self, alpha: float = 0.0, scale: np.ndarray | None = None) -> RidgeSpectrum:
        """Return the eigenvalues and eigenvectors of the Gram matrix."""
        G, cross = self.triangle, self.cross
        if scale is not None:
            G, cross = np.empty(G.shape, order="F"), scale[:, None] * cross
            linalg.scale_lower(self.triangle, alpha, scale, G)
        values, vectors = eigh(G)
        values = np.maximum(values, 0)
        rounding = EPS * values[-1]
        cross = vectors.T @ cross
        if scale is not None:
            vectors = scale[:, None] * vectors
        return RidgeSpectrum(values, vectors, cross, rounding, len(values) * rounding)

    def products_of(self, B: np.ndarray) -> np.ndarray:
        """Return B'X'Y."""
        return matmul(B.T, self.cross)

    def squares_of(self, B: np.ndarray) -> np.ndarray:
        """Return the diagonal of B'X'XB."""
        products = matmul(np.tril(self.triangle), B) + matmul(np.tril(self.triangle, -1).T, B)
        return np.maximum(np.einsum("ij,ij->j", B, products), 0)

    def _divide_features(self, scale: np.ndarray) -> None:
        self.triangle = np.asfortranarray(self.triangle / scale / scale[:, None])
        self.cross = np.asfortranarray(self.cross / scale[:, None])

    def _column_exponents(self, alpha: float) -> np.ndarray:
        sizes = np.sqrt(self.triangle.diagonal() + alpha)
        return np.where(sizes > 0, np.frexp(sizes)[1], NO_SIZE)

    def _note_varying(self, ZX: np.ndarray) -> None:
        """Note which features vary although their sums of squares are near zero."""
        is_small = self.triangle.diagonal() < MIN_SUM
        if is_small.any():
            self.varies[is_small] |= ZX[:, is_small].any(axis=0)

    def _sums_of_squares(self) -> np.ndarray:
        return self.triangle.diagonal()

    def _lengths(self) -> np.ndarray:
        return np.sqrt(self.triangle.diagonal())

    def _as_rows(self, flat: np.ndarray, m: int) -> np.ndarray:
        return flat.reshape(m, -1)

    def _centre(self, X: np.ndarray, root: np.ndarray, mean: np.ndarray, Z: np.ndarray) -> None:
        linalg.centre_rows(X, root, mean, Z[1:])

    def _add_centred(self, ZX: np.ndarray, ZY: np.ndarray) -> None:
        add_gram(self.triangle, self.cross, ZX, ZY)
        self._note_varying(ZX)


@plain_record
class QRStatistics(SufficientStatistics):
    """R and Q'Y of X = QR: about twice the work of the Gram form, without squared condition."""

    condition_power = 1

    def check_underflow(self, alpha: float) -> None:
        """Accept all sums: they have no squares; `factor` refuses tiny columns."""

    def merge(self, other: Self) -> None:
        """Add the rows of other statistics: its R as rows, and one row for the means."""
        self.n_rows += other.n_rows
        self._note_weights(other.largest_weight, other.n_heavy_rows)
        n, p = self.cross.shape
        ZX, ZY = np.empty((n + 1, n), order="F"), np.empty((n + 1, p), order="F")
        ZX[1:], ZY[1:] = other.triangle, other.cross
        ZX[0], ZY[0] = self._update_means(other.weight, other.mean_x, other.mean_y)
        self._note_targets(other.largest_target[None])
        self._note_targets(ZY[:1])
        add_orthogonal(self.triangle, self.cross, ZX, ZY, n_triangular=n)

    def factor(self, alpha: float) -> RidgeFactor:
        """Extend R to the factor of X'X + alpha I.

        It counts as singular if it is up to rounding, and alpha is too small to change that.
        """
        R, C, scale = self._extend(alpha)
        lengths = np.linalg.norm(R, axis=0)
        rcond = reciprocal_condition_of_triangle(R / np.where(lengths > 0, lengths, 1.0))
        condition = 1 / rcond if rcond > 0 else np.inf
        if rcond == 0 or (rcond <= len(R) * EPS and self._rounding_outweighs(alpha, scale)):
            return RidgeFactor(R, scale, condition, None)
        with np.errstate(over="ignore"):  # the caller checks the range of the coefficients
            return RidgeFactor(R, scale, condition, scale[:, None] * lapack.dtrtrs(R, C)[0])

    def _extend(self, alpha: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the triangular factor and Q'Y of [R; sqrt(alpha) I], and the scale of the columns.

        It consists of powers of two: it changes no digit, but squares of columns do not underflow.
        """
        n, p = self.cross.shape
        exponents = self._column_exponents(alpha)
        scale = np.ldexp(1.0, -np.where(exponents > NO_SIZE, exponents, 0))
        R, C = np.asfortranarray(np.triu(self.triangle) * scale), self.cross.copy(order="F")
        if alpha > 0:
            penalty = np.asfortranarray(np.diag(np.sqrt(alpha) * scale))
            add_orthogonal(R, C, penalty, np.zeros((n, p), order="F"), n_triangular=n)
        return R, C, scale

    def _rounding_outweighs(self, alpha: float, scale: np.ndarray) -> bool:
        """Return whether sqrt(alpha) is within the rounding error of R."""
        smallest = scale.min()  # that of the largest column
        return np.sqrt(alpha) * smallest <= EPS * np.linalg.norm(np.triu(self.triangle) * smallest)

    def spectrum(self, alpha: float = 0.0, scale: np.ndarray | None = None) -> RidgeSpectrum:
        """Return the squared singular values and the right singular vectors of R = U diag(s) V'."""
        R, cross = np.triu(self.triangle), self.cross
        if scale is not None:
            R, cross, own_scale = self._extend(alpha)
            R = R * (scale / own_scale)
        U, s, Vt = robust_svd(R)
        rounding = EPS * s[0]
        with np.errstate(over="ignore"):  # the caller checks the range of the coefficients
            cross = s[:, None] * (U.T @ cross)
        vectors = Vt.T if scale is None else scale[:, None] * Vt.T
        return RidgeSpectrum(s**2, vectors, cross, rounding**2, (len(s) * rounding) ** 2)

    def products_of(self, B: np.ndarray) -> np.ndarray:
        """Return (RB)'Q'Y."""
        return matmul(matmul(np.triu(self.triangle), B).T, self.cross)

    def squares_of(self, B: np.ndarray) -> np.ndarray:
        """Return the squared lengths of the columns of RB."""
        products = matmul(np.triu(self.triangle), B)
        return np.einsum("ij,ij->j", products, products)

    def _divide_features(self, scale: np.ndarray) -> None:
        self.triangle = np.asfortranarray(self.triangle / scale)

    def _column_exponents(self, alpha: float) -> np.ndarray:
        sizes = np.abs(np.triu(self.triangle)).max(axis=0, initial=np.sqrt(alpha))
        exponents = np.where(sizes > 0, np.frexp(sizes)[1], NO_SIZE)
        is_lost = (NO_SIZE < exponents) & (exponents < MIN_EXPONENT)
        if is_lost.any():
            j = np.argmax(is_lost)
            raise ValueError(
                f"X, times the root of sample_weight, must vary by 2**{MIN_EXPONENT} or more, got "
                f"{sizes[j]:.3g} for feature {j}: scale the features"
            )
        return exponents

    def _sums_of_squares(self) -> np.ndarray:
        R = np.triu(self.triangle)
        return np.einsum("ij,ij->j", R, R)

    def _lengths(self) -> np.ndarray:
        return column_lengths(np.triu(self.triangle))

    def _as_rows(self, flat: np.ndarray, m: int) -> np.ndarray:
        return flat.reshape(-1, m).T

    def _centre(self, X: np.ndarray, root: np.ndarray, mean: np.ndarray, Z: np.ndarray) -> None:
        linalg.centre_columns(X, root, mean, Z.T[:, 1:])

    def _add_centred(self, ZX: np.ndarray, ZY: np.ndarray) -> None:
        add_orthogonal(self.triangle, self.cross, ZX, ZY)


def rows_are_moderate(X: np.ndarray, Y: np.ndarray, w: np.ndarray) -> bool:
    """Return whether no number is so large that sums of these rows may overflow."""
    largest = max(float(np.abs(Z).max(initial=0)) for Z in (X, Y))
    return largest <= MODERATE_VALUE and float(w.max(initial=0)) <= MODERATE_WEIGHT


def column_lengths(Z: np.ndarray) -> np.ndarray:
    """Return the lengths of columns, whose squares may be out of range."""
    largest = np.abs(Z).max(axis=0, initial=0.0)
    scaled = Z / np.where(largest > 0, largest, 1.0)
    return largest * np.sqrt(np.einsum("ij,ij->j", scaled, scaled))


def deviations(sizes: np.ndarray, mean: np.ndarray, n_rows: int) -> np.ndarray:
    """Return the standard deviations of features, one for those that are constant up to rounding.

    The rule is that of :class:`sklearn.preprocessing.StandardScaler`.
    """
    return np.where(sizes <= n_rows * EPS * np.abs(mean), 1.0, sizes)


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
    gram._note_weights(statistics.largest_weight, statistics.n_heavy_rows)
    gram.mean_x[:], gram.mean_y[:] = statistics.mean_x, statistics.mean_y
    gram.largest_target[:] = statistics.largest_target
    R = np.ascontiguousarray(np.triu(statistics.triangle))
    gram._add_centred(R, np.ascontiguousarray(statistics.cross))
    return gram
