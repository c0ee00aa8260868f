"""Ridge regression from a stream of rows, as precise as the features allow.

Minimises sum_i w_i |y_i - x_i B - c|^2 + alpha |B|^2, the intercept c unpenalised, in memory
O(n_features^2) however many rows there are.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, Self

import numpy as np
from scipy.linalg import LinAlgWarning
from sklearn.base import MultiOutputMixin, RegressorMixin
from sklearn.exceptions import NotFittedError
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from esnkit.kernels import linalg
from esnkit.readouts._accumulator import GRAM_CONDITION, Accumulator, take
from esnkit.readouts._base import BaseReadout, Block
from esnkit.readouts._leave_one_out import leave_one_out
from esnkit.sequences._packing import naming, refuse_times
from esnkit.utils._rollback import rollback_on_error
from esnkit.utils._threads import one_blas_thread
from esnkit.utils._validation import check_weights, for_kernels
from esnkit.utils._warnings import warn

BLOCK_ROWS = 2048


class Solution(NamedTuple):
    """What a solved readout knows."""

    coef: np.ndarray  # (n_outputs, n_features)
    intercept: np.ndarray  # (n_outputs,)
    centre: np.ndarray  # (n_features,), means of the features, in float64
    middle: np.ndarray  # (n_outputs,), what the centre is answered with
    alpha: float
    solver: str
    condition: float
    loo_scores: np.ndarray | None  # (n_alphas,)


def _may_stream(readout: "RidgeReadout") -> bool:
    """Return True, or raise where there are several alphas."""
    return np.ndim(readout.alpha) == 0 or readout._one_alpha() >= 0


class RidgeReadout(RegressorMixin, MultiOutputMixin, BaseReadout):
    """Ridge regression that streams, merges and chooses its own solver and penalty.

    Parameters
    ----------
    alpha : float >= 0 or array-like of float, default=1e-6
        Penalty on the squared coefficients, absolute as in
        :class:`sklearn.linear_model.Ridge`. Of several, the one with the smallest squared
        leave-one-out error is taken; that error is exact, in closed form, and all alphas
        share one factorisation, but it takes a second pass over the rows.
        0 gives the least-squares solution of least norm.
    solver : {"auto", "gram", "qr"}, default="auto"
        "gram" accumulates X'X: fast, but squares the condition of the features, so that an
        alpha below its rounding has no effect. "qr" accumulates an orthogonal factor: about
        twice the work, and precise down to the rounding of the features themselves. "auto"
        takes the Gram where a measured condition says that it can be trusted.

    Attributes
    ----------
    coef_ : ndarray (n_features,) or (n_outputs, n_features)
        In the dtype of X; sums are always kept in float64.
    intercept_ : float or ndarray (n_outputs,)
    alpha_ : float
        The penalty used.
    solver_ : {"gram", "qr"}
        The solver used.
    condition_ : float
        Estimated condition (1-norm) of the centred features with sqrt(alpha) I below them,
        columns scaled to length one; of several alphas, for the smallest.
    loo_scores_ : ndarray (n_alphas,)
        With several alphas, the weighted mean squared leave-one-out error of each, averaged
        over outputs. Where a row nearly decides its own fit alone, as an event that is seen once
        does under a tiny alpha, digits are lost; where none is left it is infinite.
    loo_mse_ : float
        The smallest of them.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where X has names for its columns.

    See Also
    --------
    sklearn.linear_model.Ridge : The same model from all rows at once.

    Notes
    -----
    After `partial_fit` or `merge` the equations are solved when the solution is first asked
    for. Rows are shared between two lanes by a fixed rule and BLAS is kept to one thread in
    each, so that a result has the same bits on one thread and on many; `predict` sums in a
    fixed order, so that a row's prediction does not depend on the rows around it.

    References
    ----------
    T. F. Chan, G. H. Golub and R. J. LeVeque (1979), Updating formulae and a pairwise
    algorithm for computing sample variances.
    G. H. Golub, M. Heath and G. Wahba (1979), Generalized cross-validation as a method for
    choosing a good ridge parameter, eq. 1.3: leave-one-out from the hat values.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit.readouts import RidgeReadout
    >>> X = np.arange(12.0).reshape(6, 2) ** 2
    >>> y = X @ [1.0, -2.0] + 3.0
    >>> RidgeReadout(alpha=0).fit(X, y).coef_.round(6)
    array([ 1., -2.])
    >>> halves = RidgeReadout(alpha=0).partial_fit(X[:2], y[:2]).partial_fit(X[2:], y[2:])
    >>> float(halves.intercept_.round(6))
    3.0
    """

    _moments: Accumulator
    _solution: Solution | None

    def __init__(self, alpha: Any = 1e-6, *, solver: str = "auto"):
        self.alpha = alpha
        self.solver = solver

    @rollback_on_error
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to rows X and targets y, forgetting all seen before.

        Parameters
        ----------
        X : array-like (n_rows, n_features)
        y : array-like (n_rows,) or (n_rows, n_outputs)
        sample_weight : array-like (n_rows,) or (n_rows, n_outputs), default=None
            Weight of each row, or of each row for each output; 0 leaves it out.

        Returns
        -------
        self : RidgeReadout

        Raises
        ------
        ValueError
            For a negative or non-finite alpha or weight, an unknown solver, weights that are
            all zero, or shapes that do not match.
        """
        self._alphas()
        X, y, w = self._validate(X, y, sample_weight, reset=True)
        return self.fit_blocks(lambda: _slices(X, y, w), n_rows=len(X))

    @rollback_on_error
    def fit_blocks(
        self, make_blocks: Callable[[], Iterable[Block]], n_rows: int | None = None
    ) -> Self:
        """Fit to a stream of rows, holding one block at a time.

        Parameters
        ----------
        make_blocks : callable () -> iterable of (X, y, sample_weight or None)
            Every call starts the same stream anew: several alphas, or a Gram that turns out
            not to be precise enough, need a second pass. Blocks are as for `fit`, and are
            neither checked nor kept; some thousand rows each are best.
        n_rows : int, default=None
            Rows in all, if known: a guide for ``solver="auto"``.

        Returns
        -------
        self : RidgeReadout

        Raises
        ------
        TypeError
            If `make_blocks` is not a function.
        ValueError
            If it gives no blocks, or for a wrong alpha or solver.
        """
        if not callable(make_blocks):
            raise TypeError(
                "make_blocks must be a function that returns a new iterator of blocks at every "
                f"call, got {type(make_blocks).__name__}"
            )
        alphas = self._alphas()
        moments = self._accumulate(make_blocks(), self.solver, n_rows)
        coefs, condition = moments.solve(alphas.min())
        if self.solver == "auto" and moments.solver == "gram" and condition > GRAM_CONDITION:
            moments = self._accumulate(make_blocks(), "qr", n_rows)
            coefs, condition = moments.solve(alphas.min())
        self._moments = moments
        if np.ndim(self.alpha) == 0:
            self._settle(moments, coefs, float(alphas[0]), condition)
            return self
        errors, spectra = leave_one_out(moments, make_blocks(), alphas)
        scores = errors.mean(axis=1)
        best = np.argmin(scores)
        if not np.isfinite(scores[best]):
            warn("every alpha lets a row decide its own fit alone: the largest is taken")
            best = np.argmax(alphas)
        alpha = float(alphas[best])
        with one_blas_thread():
            coefs = [spectrum.solve(alpha) for spectrum in spectra]
        self._settle(moments, coefs, alpha, condition, scores)
        return self

    @available_if(_may_stream)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Take in more rows; the result is that of `fit` on all rows so far.

        Here `alpha` must be one number: leave-one-out needs a second pass over the rows.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.

        Returns
        -------
        self : RidgeReadout

        Raises
        ------
        ValueError
            As for `fit`, and for features or outputs not as before.
        AttributeError
            With several alphas, there is no `partial_fit`.
        """
        alpha = self._one_alpha()
        moments: Accumulator | None = getattr(self, "_moments", None)
        X, y, w = self._validate(X, y, sample_weight, reset=moments is None)
        if moments is not None and (1 if y.ndim == 1 else y.shape[1]) != self._n_outputs:
            raise ValueError(f"y must have {self._n_outputs} outputs as before, got {y.shape}")
        for block in _slices(X, y, w):
            if moments is None:
                self._record_shapes(block)
            moments = self._moments = take(moments, block, self.solver, alpha, None)
        self._solution = None
        return self

    def merge(self, other: "RidgeReadout") -> Self:
        """Take in all that another readout has seen, as if its rows had come here.

        Parameters
        ----------
        other : RidgeReadout
            Fitted; it is left as it was.

        Returns
        -------
        self : RidgeReadout

        Raises
        ------
        TypeError
            If `other` is not a RidgeReadout.
        ValueError
            If the numbers of features or outputs differ, or the alpha of this readout is a list.
        """
        if not isinstance(other, RidgeReadout):
            raise TypeError(f"other must be a RidgeReadout, got {type(other).__name__}")
        check_is_fitted(self)
        check_is_fitted(other)
        shape = self.n_features_in_, self._n_outputs
        if (other.n_features_in_, other._n_outputs) != shape:
            raise ValueError(
                f"other must have {shape[0]} features and {shape[1]} outputs as this readout, "
                f"got {other.n_features_in_} and {other._n_outputs}"
            )
        self._one_alpha()
        self._moments.merge(other._moments)
        self._solution = None
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Return X @ coef + intercept.

        Parameters
        ----------
        X : array-like (n_rows, n_features)

        Returns
        -------
        y : ndarray (n_rows,) or (n_rows, n_outputs)
        """
        check_is_fitted(self)
        X = self._validate_rows(X, reset=False)
        solution = self._solve()
        dtype = np.result_type(X, solution.coef)
        out = np.empty((len(X), len(solution.coef)), dtype)
        coef, middle = for_kernels(solution.coef, dtype), for_kernels(solution.middle, dtype)
        for start in range(0, len(X), BLOCK_ROWS):
            rows = slice(start, start + BLOCK_ROWS)
            # An offset of the features would cost digits of their products.
            centred = (X[rows] - solution.centre).astype(dtype, copy=False)
            linalg.affine(centred, coef, middle, out[rows])
        return out[:, 0] if self._flat else out

    @property
    def coef_(self) -> np.ndarray:
        """Coefficients, (n_features,) or (n_outputs, n_features)."""
        coef = self._solve().coef
        return coef[0] if self._flat else coef

    @property
    def intercept_(self) -> Any:
        """Intercept, a number or (n_outputs,)."""
        intercept = self._solve().intercept
        return intercept[0] if self._flat else intercept

    @property
    def alpha_(self) -> float:
        """The penalty used."""
        return self._solve().alpha

    @property
    def solver_(self) -> str:
        """The solver used, "gram" or "qr"."""
        return self._solve().solver

    @property
    def condition_(self) -> float:
        """Estimated condition of the penalised features."""
        return self._solve().condition

    @property
    def loo_scores_(self) -> np.ndarray:
        """Mean squared leave-one-out error of each alpha."""
        scores = self._solve().loo_scores
        if scores is None:
            raise AttributeError("loo_scores_ exists only where alpha is a list")
        return scores

    @property
    def loo_mse_(self) -> float:
        """The smallest mean squared leave-one-out error."""
        return float(self.loo_scores_.min())

    def __sklearn_is_fitted__(self) -> bool:
        """Return whether there are rows to solve for."""
        return getattr(self, "_moments", None) is not None

    def _alphas(self) -> np.ndarray:
        """Return the checked penalties as an array; check the solver's name on the way."""
        if self.solver not in ("auto", "gram", "qr"):
            raise ValueError(f'solver must be "auto", "gram" or "qr", got {self.solver!r}')
        try:
            alphas = np.asarray(self.alpha)
        except ValueError:
            raise ValueError(
                f"alpha must be a number or a flat list of numbers, got {self.alpha!r}"
            ) from None
        if alphas.dtype.kind not in "iuf":
            raise TypeError(f"alpha must be a number or a list of numbers, got {self.alpha!r}")
        if alphas.ndim > 1 or alphas.size == 0:
            raise ValueError(f"alpha must be a number or a non-empty list, got {self.alpha!r}")
        if not (np.isfinite(alphas).all() and (alphas >= 0).all()):
            raise ValueError(f"alpha must be finite and not negative, got {self.alpha!r}")
        return np.atleast_1d(alphas).astype(np.float64)

    def _one_alpha(self) -> float:
        alphas = self._alphas()
        if np.ndim(self.alpha) > 0:
            raise ValueError(
                f"alpha must be one number to stream, got {self.alpha!r}: leave-one-out takes a "
                "second pass over the rows, as in fit and fit_blocks"
            )
        return float(alphas[0])

    def _validate(self, X: Any, y: Any, sample_weight: Any, reset: bool):
        if y is None:
            raise ValueError("RidgeReadout requires y to be passed, but the target y is None")
        X = self._validate_rows(X, reset)
        refuse_times("y", y)
        with naming("y"):
            y = check_array(y, ensure_2d=False, input_name="y")
        if len(y) != len(X):
            raise ValueError(
                f"y must have as many rows as X, {len(X)}, got {len(y)}: inconsistent numbers of "
                "samples"
            )
        if y.dtype not in (np.float64, np.float32):
            y = y.astype(np.float64)
        return X, y, check_weights(sample_weight, len(X), 1 if y.ndim == 1 else y.shape[1])

    def _validate_rows(self, X: Any, reset: bool) -> np.ndarray:
        refuse_times("X", X)
        with naming("X"):
            return validate_data(self, X, reset=reset, dtype=[np.float64, np.float32], order="C")

    def _record_shapes(self, block: Block) -> None:
        """Keep what the first block tells of shapes and dtype."""
        X, Y, _ = block
        self.n_features_in_ = X.shape[1]
        self._dtype, self._flat = X.dtype, Y.ndim == 1
        self._n_outputs = 1 if Y.ndim == 1 else Y.shape[1]

    def _accumulate(self, blocks: Iterable[Block], solver: str, n_rows: int | None) -> Accumulator:
        """Return the moments of all blocks, by the given solver or one chosen on the way."""
        moments = None
        smallest = float(self._alphas().min())
        for block in blocks:
            if moments is None:
                self._record_shapes(block)
            moments = take(moments, block, solver, smallest, n_rows)
        if moments is None:
            raise ValueError("make_blocks must yield at least one block, got none")
        return moments.join()

    def _solve(self) -> Solution:
        """Return the solution, computing it if rows have come since the last time."""
        if getattr(self, "_moments", None) is None:
            raise NotFittedError("This RidgeReadout is not fitted yet: call fit first")
        if self._solution is not None:
            return self._solution
        alpha = self._one_alpha()
        moments = self._moments.joined()
        coefs, condition = moments.solve(alpha)
        return self._settle(moments, coefs, alpha, condition)

    def _settle(
        self,
        moments: Accumulator,
        coefs: list[np.ndarray],
        alpha: float,
        condition: float,
        scores: np.ndarray | None = None,
    ) -> Solution:
        """Keep and return the solution of all groups; the intercept follows from the means."""
        coef = np.empty((self._n_outputs, self.n_features_in_), self._dtype)
        intercept, middle = (np.empty(self._n_outputs, self._dtype) for _ in range(2))
        with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
            totals = moments.totals()
            centre = totals[0][1].mean_x.sum(axis=0)
            for (outputs, m), B in zip(totals, coefs, strict=True):
                coef[outputs] = B.T
                intercept[outputs] = (m.mean_y - m.mean_x @ B).sum(axis=0)
                away = (centre - m.mean_x[0]) - m.mean_x[1]
                middle[outputs] = m.mean_y.sum(axis=0) + away @ B
        if not (np.isfinite(coef).all() and np.isfinite(intercept).all()):
            raise ValueError(
                f"y must have coefficients on X within the range of {coef.dtype}, got NaN or "
                "infinity: scale y, or the features"
            )
        if moments.solver == "gram" and condition > GRAM_CONDITION:
            warn(
                f"the condition of the features, {condition:.1e}, is too large for a Gram "
                'matrix: use solver="qr" or a larger alpha',
                LinAlgWarning,
            )
        self._solution = Solution(
            coef, intercept, centre, middle, alpha, moments.solver, condition, scores
        )
        return self._solution


def _slices(X: np.ndarray, y: np.ndarray, w: np.ndarray | None) -> Iterator[Block]:
    for start in range(0, len(X), BLOCK_ROWS):
        s = slice(start, start + BLOCK_ROWS)
        yield X[s], y[s], None if w is None else w[s]
