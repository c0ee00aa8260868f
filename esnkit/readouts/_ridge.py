"""Ridge regression from a stream of rows.

Minimises sum_i w_i |y_i - x_i B - c|^2 + alpha |B|^2 over the coefficients B and the intercept c,
which is not penalised, in memory O(n_features^2) for any number of rows.
"""

import copy
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, Self, cast

import numpy as np
from scipy.linalg import LinAlgWarning
from sklearn.exceptions import NotFittedError
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from esnkit.kernels import linalg
from esnkit.readouts._accumulator import MAX_GRAM_CONDITION, Accumulator, Solved, accumulate
from esnkit.readouts._alpha_choice import (
    AlphaChoice,
    choose_by_losses,
    choose_by_squared_error,
    one_class,
    smallest_error,
)
from esnkit.readouts._base import (
    BaseReadout,
    Block,
    Reduce,
    RegressorReadoutMixin,
    n_outputs_of,
)
from esnkit.readouts._dual_ridge import DualRidge
from esnkit.readouts._kept_rows import KeptRows
from esnkit.readouts._least_squares import MODERATE_VALUE, rows_are_moderate
from esnkit.readouts._leave_one_out import dual_leave_one_out
from esnkit.readouts._leave_one_out_scores import (
    classification_losses,
    dual_classification_losses,
)
from esnkit.readouts._partitioned_rows import PartitionedRows
from esnkit.readouts._residual_temperature import residual_temperature
from esnkit.readouts._shared_rows import SharedRows, share_arrays
from esnkit.sequences._classifier_mixin import softmax
from esnkit.utils._collections import takes_collections
from esnkit.utils._plain_state import plain_record
from esnkit.utils._progress import Task, report_rows
from esnkit.utils._read_only import read_only
from esnkit.utils._rollback import rollback_on_error
from esnkit.utils._sharing import shared_work
from esnkit.utils._threads import one_blas_thread
from esnkit.utils._validation import (
    check_choice,
    check_flag,
    finite_array,
    for_kernels,
    refuse_masked,
)
from esnkit.utils._warnings import warn

__all__ = ["RidgeReadout", "row_blocks"]

BLOCK_ROWS = 2048  # rows that `fit`, `partial_fit` and `predict` process at once
# Above this amplification of rounding errors, fewer than about seven of the sixteen digits of a
# prediction are correct, and the user is warned. Reservoir states reach 1e8 with the Gram matrix
# and 1e3 with QR.
MAX_AMPLIFICATION = {"gram": 1e9, "qr": 1e8}
# Terms of float32 that cancel by more than this leave about three of seven digits. Those of
# reservoir states reach 1e3.
MAX_CANCELLATION_OF_FLOAT32 = 1e4
# `partial_fit` joins rows to blocks of at least this many, or this many per feature, since fewer
# cost as much as these. It adds blocks to the statistics when they have MAX_WAITING_ROWS: each time
# it copies the statistics, which no error may half change. When it does so changes no result.
MIN_ROWS_TO_ADD = 32
MIN_ROWS_TO_ADD_PER_FEATURE = 1 / 8
MAX_WAITING_ROWS = 2048


# Larger targets may have coefficients beyond the range of the dtype: `partial_fit` and `merge` then
# solve the equations at once, so that they refuse rows that would spoil every later solution.
MAX_TARGET = {np.dtype(np.float32): 1e15, np.dtype(np.float64): MODERATE_VALUE}


WeightedBlock = tuple[np.ndarray, np.ndarray, np.ndarray]


@plain_record
class Solution(NamedTuple):
    """Coefficients, and how they were computed."""

    coef: np.ndarray  # (n_outputs, n_features)
    intercept: np.ndarray  # (n_outputs,)
    feature_means: np.ndarray  # (n_features,) in float64
    output_at_means: np.ndarray  # (n_outputs,) prediction at the means of the features
    solver: str
    condition: float
    choice: AlphaChoice


def _has_one_alpha(readout: "RidgeReadout") -> bool:
    """Return True for one alpha; raise for several."""
    return np.ndim(readout.alpha) == 0 or readout._one_alpha() >= 0


def _is_classification(readout: "RidgeReadout") -> bool:
    """Return whether the targets are class indicators."""
    return readout.scoring == "classification"


class RidgeReadout(RegressorReadoutMixin, BaseReadout):
    """Ridge regression that learns from streams, merges, and selects the solver and alpha.

    Parameters
    ----------
    alpha : float >= 0 or array-like of float, default=1e-6
        Penalty on the squared coefficients, absolute as in
        :class:`sklearn.linear_model.Ridge`. 0 gives the least-squares solution of least norm
        (for features of very different sizes, of those scaled to similar ones). Given several,
        the readout uses the one with the smallest leave-one-out error (the error on each row of a
        model fitted to all other rows), see `scoring`. That error is exact, in closed form; all
        alphas share one factorisation, but the rows are read a second time unless they are few.
        The solution is that of the one alpha alone. Features of very different sizes need more
        factorisations.
    solver : {"auto", "gram", "qr"}, default="auto"
        "gram" accumulates the Gram matrix X'X: fast, but it squares the condition of the
        features, so that an alpha below its rounding error has no effect. "qr" accumulates an
        orthogonal factor: about twice the work, and precise down to the rounding error of the
        features themselves. "auto" uses the Gram matrix if the measured condition allows it.
        With `standardize`, "auto" solves the dual problem for no more rows than features: then no
        matrix of features by features exists.
    standardize : bool, default=False
        Penalise the coefficients of features divided by their weighted standard deviations, as
        after a :class:`sklearn.preprocessing.StandardScaler`: alpha does not depend on the units
        of the features. `coef_` is that of the features as they are. Constant features are not
        divided. Leave-one-out errors use the standard deviations of all rows.
    scoring : {"squared_error", "classification"}, default="squared_error"
        What chooses among several alphas: the mean squared error, or for targets that are class
        indicators (n_rows, n_classes) the number of rows whose largest score is not that of their
        class. Squared errors of indicators lead to penalties far too large where a class has few
        rows. Among alphas that are wrong on m + sqrt(m + 1) rows at most, where m is the smallest
        number, the readout uses the one of least log loss of calibrated probabilities, see
        `temperature_`.
        Of three alphas or more, the readout warns if the best one is an end of the list and its
        neighbour is worse by more than 10 % of the squared error, or by sqrt(m + 1) rows.

    Attributes
    ----------
    coef_ : ndarray (n_features,) or (n_outputs, n_features)
        In the dtype of X; sums are always float64. A read-only array: to change coefficients,
        assign others, ``readout.coef_ = 0.5 * readout.coef_``, which hold until more rows are
        learned.
    intercept_ : float or ndarray (n_outputs,)
        Likewise.
    alpha_ : float
        The penalty used.
    solver_ : {"gram", "qr", "dual"}
        The solver used.
    condition_ : float
        Estimated condition (1-norm) of the centred features with sqrt(alpha) I below them,
        columns scaled to length one. Given several alphas, for the smallest.
    loo_scores_ : ndarray (n_alphas,)
        Given several alphas, the weighted mean squared leave-one-out error of each, averaged
        over outputs. It loses digits, with a ``LinAlgWarning``, if a row almost determines its own
        prediction, as an event that occurs once does under a tiny alpha, and is infinite if a row
        determines it alone. With ``scoring="classification"``, the weighted share of rows that
        are wrong when left out, also for one alpha.
    loo_mse_ : float
        The smallest of `loo_scores_`, if they are squared errors.
    loo_log_losses_ : ndarray (n_alphas,)
        With ``scoring="classification"``, the leave-one-out log loss of each alpha at the
        temperature that is best for it.
    temperature_ : float
        With ``scoring="classification"``, softmax(scores / temperature_) are the probabilities of
        the classes [1]_, see `probabilities`. The leave-one-out log loss is least for it, up to
        about 1 %. Of n rows, the targets are (n + 1) / (n + 2) for the class of the row, and the
        rest for the others, so that separable classes do not have infinite confidence [2]_. After
        `partial_fit` or `merge`, which read rows once, it is that of normal scores of equal
        covariance in every class [3]_, whose moments are those of residuals divided by 1 minus the
        mean hat value of rows of that weight; weights should differ between classes alone.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Only if X has column names.

    See Also
    --------
    sklearn.linear_model.Ridge : The same model from all rows at once.

    Notes
    -----
    After `partial_fit` or `merge`, the equations are solved at the first access to the solution.
    `partial_fit` collects few rows and adds them to the sums together: one row per call is cheap.
    The readout issues a ``LinAlgWarning`` if few digits of the predictions are correct, as features
    nearly depend on one another or rows of tiny weights determine the solution.
    Rows are divided between two partial sums by a fixed rule, and each uses one BLAS thread, so
    that a result has the same bits on one thread and on many. `predict` sums in a fixed order, so
    that the prediction of a row does not depend on the rows around it.

    References
    ----------
    T. F. Chan, G. H. Golub and R. J. LeVeque (1979), Updating formulae and a pairwise
    algorithm for computing sample variances.
    G. H. Golub, M. Heath and G. Wahba (1979), Generalized cross-validation as a method for
    choosing a good ridge parameter, eq. 1.3: leave-one-out from the hat values.

    .. [1] C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger (2017), On calibration of modern neural
       networks.
    .. [2] J. Platt (1999), Probabilistic outputs for support vector machines.
    .. [3] T. Hastie, R. Tibshirani and J. Friedman (2009), The elements of statistical learning,
       section 4.3: indicators and linear discriminant analysis.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit.readouts import RidgeReadout
    >>> X = np.arange(12.0).reshape(6, 2) ** 2
    >>> y = X @ [1.0, -2.0] + 3.0
    >>> RidgeReadout(alpha=0).fit(X, y).coef_.round(6)
    array([ 1., -2.])
    >>> labels = (y > 0).astype(int)
    >>> classes = RidgeReadout([0.1, 1.0, 10.0], standardize=True, scoring="classification")
    >>> probabilities = classes.fit(X, np.eye(2)[labels]).probabilities([0.2, 0.8])
    >>> bool(probabilities[1] > probabilities[0])
    True
    >>> halves = RidgeReadout(alpha=0).partial_fit(X[:2], y[:2]).partial_fit(X[2:], y[2:])
    >>> float(halves.intercept_.round(6))
    3.0
    """

    penalty = "alpha"  # the parameter that may change while the statistics of the rows do not
    # Never modified once it is stored: copies of a readout share it. None for the dual form.
    _accumulator: Accumulator | None = None
    _waiting: tuple[WeightedBlock, ...] = ()  # blocks that are not yet in the accumulator
    _pending: tuple[WeightedBlock, ...] = ()  # rows that follow them, too few for a block
    _unread: SharedRows  # only while leave-one-out losses are still to be computed from them
    _solution: Solution | None

    def __init__(
        self,
        alpha: Any = 1e-6,
        *,
        solver: str = "auto",
        standardize: bool = False,
        scoring: str = "squared_error",
    ):
        self.alpha = alpha
        self.solver = solver
        self.standardize = standardize
        self.scoring = scoring

    @takes_collections
    @rollback_on_error
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to rows X and targets y; the results of earlier fits are discarded.

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
        work = shared_work()
        if work is not None:
            use = self.keeps_rows, self.standardize
            return self._fit_rows(share_arrays(work, (X, y, w), BLOCK_ROWS, *use))
        with Task(f"{type(self).__name__}.fit", self.n_passes, "passes"):
            return self.fit_blocks(lambda: report_rows(row_blocks(X, y, w), len(X)), n_rows=len(X))

    @property
    def n_passes(self) -> int:  # type: ignore[override]
        """Passes over the rows in `fit_blocks`, at most: leave-one-out errors take a second."""
        return 2 if self._leaves_out else 1

    @property
    def _leaves_out(self) -> bool:
        """Whether `fit_blocks` computes leave-one-out errors."""
        return np.ndim(self.alpha) > 0 or self.scoring == "classification"

    @rollback_on_error
    def fit_blocks(
        self, make_blocks: Callable[[], Iterable[Block]], n_rows: int | None = None
    ) -> Self:
        """Fit to a stream of rows with one block in memory at a time.

        Parameters
        ----------
        make_blocks : callable () -> iterable of (X, y, sample_weight or None)
            Every call starts the same stream anew: several alphas need a second pass, and so does
            a Gram matrix that turns out to be too imprecise. Blocks have the shapes of `fit`; they
            are neither validated nor kept. Some thousand rows each are best.
        n_rows : int, default=None
            Number of rows of the stream, if known: it guides ``solver="auto"``.

        Returns
        -------
        self : RidgeReadout

        Raises
        ------
        TypeError
            If `make_blocks` is not callable.
        ValueError
            If it yields no blocks, or alpha or solver is invalid.
        """
        if not callable(make_blocks):
            raise TypeError(
                "make_blocks must be a function that returns a new iterator of blocks at every "
                f"call, got {type(make_blocks).__name__}"
            )
        self._alphas()
        return self._fit_rows(KeptRows(make_blocks, n_rows, self.keeps_rows))

    @property
    def keeps_rows(self) -> bool:
        """Whether `fit_blocks` keeps copies of the rows, if they are few."""
        return self._leaves_out or self.standardize

    @rollback_on_error
    def fit_shared(self, rows: SharedRows) -> Self:
        """Fit to rows whose statistics serve several penalties; the result is that of `fit_blocks`.

        Parameters
        ----------
        rows : SharedRows

        Returns
        -------
        self : RidgeReadout
        """
        with one_blas_thread():  # once for all steps, each of which asks for it
            return self._fit_rows(rows)

    @rollback_on_error
    def fit_partitions(self, reduce: Reduce, example: Block, n_rows: int | None = None) -> Self:
        """Fit to rows in several partitions, whose sufficient statistics are merged.

        The solution is that of `fit_blocks` for all rows, but for rounding: one solve follows
        after the statistics have been merged. Leave-one-out errors take one more pass over the
        partitions, and their sums are merged likewise.

        Parameters
        ----------
        reduce : callable (task, merge) -> result
            Calls ``task(blocks)`` for the blocks of every partition, at least one each, and returns
            the results merged in pairs, ``merge(first, second)``. Tasks can be pickled and do not
            depend on one another, so that they may run on other machines.
        example : tuple (X, y, sample_weight or None)
            A block of any number of rows, with the shapes and dtypes of all others.
        n_rows : int, default=None
            Number of rows of all partitions, if known: it guides ``solver="auto"``.

        Returns
        -------
        self : RidgeReadout

        Examples
        --------
        >>> import functools
        >>> import numpy as np
        >>> from esnkit.readouts import RidgeReadout
        >>> X = np.arange(12.0).reshape(6, 2) ** 2
        >>> y = X @ [1.0, -2.0] + 3.0
        >>> halves = [(X[:3], y[:3], None)], [(X[3:], y[3:], None)]
        >>> def reduce(task, merge):
        ...     return functools.reduce(merge, map(task, halves))
        >>> RidgeReadout(alpha=0).fit_partitions(reduce, halves[0][0]).coef_.round(6)
        array([ 1., -2.])
        """
        self._alphas()
        return self._fit_rows(PartitionedRows(reduce, example, n_rows))

    def _fit_rows(self, rows: KeptRows | SharedRows | PartitionedRows) -> Self:
        """Fit to a stream of rows."""
        alphas = self._alphas()
        smallest = float(alphas.min())
        self._store_shapes(rows.first)
        if not isinstance(rows, PartitionedRows):
            few = rows.remember("few", lambda: self._few_rows(rows))
            if few is not None:
                return self._fit_dual(rows, few, alphas)
        accumulator = rows.accumulate(self.solver, smallest, self.standardize)
        solved = accumulator.solve(smallest)
        if self.solver == "auto" and _needs_qr(accumulator, solved):
            accumulator = rows.accumulate("qr", smallest, self.standardize)
            solved = accumulator.solve(smallest)
        accumulator.check_underflow(smallest, solved.condition)
        self._accumulator = accumulator.check_overflow()
        self._waiting, self._pending, choice = (), (), AlphaChoice(float(alphas[0]))
        self.__dict__.pop("_unread", None)
        if isinstance(rows, SharedRows) and self._defers:
            self._unread = rows
        elif self._leaves_out:
            choice = self._choose_alpha(accumulator, rows.reduce, alphas)
            if choice.alpha > smallest:
                solved = accumulator.solve(choice.alpha)._replace(condition=solved.condition)
        self._store_solution(accumulator, solved, choice, smallest)
        return self

    @property
    def _defers(self) -> bool:
        """Whether a fit to shared rows leaves the losses of its one alpha to who asks for them."""
        return self._leaves_out and np.ndim(self.alpha) == 0

    def _few_rows(self, rows: KeptRows | SharedRows) -> WeightedBlock | None:
        """Return all rows with a weight if the dual form suits them, or None."""
        n_features = rows.first[0].shape[1]
        if not (self.standardize and self.solver == "auto" and rows.are_kept):
            return None
        if rows.n_rows > n_features:
            return None
        X, Y, w = _joined(tuple(_with_weights(*block) for block in rows()))[0]
        if w.ndim == 2 and (w != w[:, :1]).any():
            return None
        w = w if w.ndim == 1 else w[:, 0]
        is_used = w > 0
        if not (is_used.any() and rows_are_moderate(X, Y, w)):
            return None
        return (X, Y, w) if is_used.all() else (X[is_used], Y[is_used], w[is_used])

    def _fit_dual(
        self, rows: KeptRows | SharedRows, few: WeightedBlock, alphas: np.ndarray
    ) -> Self:
        """Solve for few rows, which later ones join."""
        smallest = alphas.min()
        with one_blas_thread():
            dual = rows.remember("dual", lambda: DualRidge(*few, smallest))
            if not dual.is_precise(smallest):  # it was decomposed for a larger alpha
                dual = rows.remember("dual", lambda: DualRidge(*few, smallest), anew=True)
            choice = AlphaChoice(float(alphas[0]))
            self.__dict__.pop("_unread", None)
            if isinstance(rows, SharedRows) and self._defers:
                self._unread = rows
            else:
                choice = self._choose_by_dual(dual, few, alphas)
            B = dual.solve(choice.alpha)
        self._accumulator, self._waiting, self._pending = None, (few,), ()
        coef = B.T.astype(self._dtype)
        intercept = (dual.mean_y - dual.mean_x @ B).astype(self._dtype)
        _check_range(coef, intercept)
        constant, condition = dual.mean_y.astype(self._dtype), dual.condition(smallest)
        self._solution = Solution(coef, intercept, dual.mean_x, constant, "dual", condition, choice)
        return self

    def _choose_by_dual(
        self, dual: DualRidge, few: WeightedBlock, alphas: np.ndarray
    ) -> AlphaChoice:
        """Return the alpha of least leave-one-out loss of few rows, or the one there is."""
        distinct, positions = np.unique(alphas, return_inverse=True)
        if self._classifies:
            return choose_by_losses(dual_classification_losses(dual, *few[1:], distinct), alphas)
        if _is_classification(self):
            return one_class(alphas)
        if self._leaves_out:
            return smallest_error(dual_leave_one_out(dual, distinct, positions), alphas)
        return AlphaChoice(float(alphas[0]))

    def _complete_choice(self) -> AlphaChoice:
        """Return the choice of alpha, with the losses that a fit to shared rows has deferred."""
        solution = self._solve()
        rows = self.__dict__.pop("_unread", None)
        if rows is not None:
            if self._accumulator is None:
                with one_blas_thread():
                    dual, few = rows.remembered["dual"], rows.remembered["few"]
                    choice = self._choose_by_dual(dual, few, self._alphas())
            else:
                choice = self._choose_alpha(self._accumulator, rows.reduce, self._alphas())
            self._solution = solution = solution._replace(choice=choice)
        return solution.choice

    @property
    def _classifies(self) -> bool:
        """Whether there are classes to tell apart."""
        return self.scoring == "classification" and self._n_outputs > 1

    def _choose_alpha(
        self, accumulator: Accumulator, reduce: Reduce, alphas: np.ndarray
    ) -> AlphaChoice:
        """Return the alpha of least leave-one-out loss."""
        if self._classifies:
            losses = classification_losses(accumulator, reduce, np.unique(alphas))
            return choose_by_losses(losses, alphas)
        if _is_classification(self):
            return one_class(alphas)
        return choose_by_squared_error(accumulator, reduce, alphas)

    @available_if(_has_one_alpha)
    @takes_collections
    @rollback_on_error
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn from more rows; the result is that of `fit` on all rows so far.

        It exists only if `alpha` is one number: the choice among several reads the rows twice. An
        exception, also that of an interrupt, leaves the readout as it was before the call.

        Parameters
        ----------
        X, y, sample_weight : as in `fit`

        Returns
        -------
        self : RidgeReadout

        Raises
        ------
        ValueError
            As for `fit`, if the numbers of features or outputs change, and if sums over all rows
            so far exceed the range of float64, or coefficients that of the dtype.
        AttributeError
            If `alpha` is a list.
        """
        self._one_alpha()
        is_first = not self.__sklearn_is_fitted__()
        X, y, w = self._validate(X, y, sample_weight, reset=is_first)
        if is_first:
            self._store_shapes((X, y, w))
        elif n_outputs_of(y) != self._n_outputs:
            raise ValueError(f"y must have {self._n_outputs} outputs as before, got {y.shape}")
        if self._accumulator is None or not self._keep(X, y, w):
            self._replace_accumulator(self._add_pending(row_blocks(X, y, w)).free_buffers())
        self._solution = None
        self.__dict__.pop("_unread", None)
        return self

    @rollback_on_error
    def merge(self, other: "RidgeReadout") -> Self:
        """Add all rows that another readout was fitted to.

        An exception leaves the readout as it was before the call.

        Parameters
        ----------
        other : RidgeReadout
            Fitted; it stays unchanged.

        Returns
        -------
        self : RidgeReadout

        Raises
        ------
        TypeError
            If `other` is not a RidgeReadout.
        ValueError
            If the numbers of features or outputs differ, if the alpha of this readout is a list, or
            if sums over all rows exceed the range of float64.
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
        self._replace_accumulator(self._add_pending().merge(other._add_pending()))
        return self

    @takes_collections
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
        X = self._validate_features(X, reset=False)
        solution = self._solve()
        dtype = np.result_type(X, solution.coef)
        out = np.empty((len(X), len(solution.coef)), dtype)
        coef = for_kernels(solution.coef, dtype)
        constant = for_kernels(solution.output_at_means, dtype)
        for start in range(0, len(X), BLOCK_ROWS):
            rows = slice(start, start + BLOCK_ROWS)
            # Products of centred features: a large offset would cost digits of the sum.
            centred = (X[rows] - solution.feature_means).astype(dtype, copy=False)
            linalg.affine(centred, coef, constant, out[rows])
        return out[:, 0] if self._flat else out

    @available_if(_is_classification)
    def probabilities(self, scores: Any) -> np.ndarray:
        """Return softmax(scores / temperature_).

        It exists only with ``scoring="classification"``. The largest probability is that of the
        largest score.

        Parameters
        ----------
        scores : array-like (..., n_classes)
            Predictions.

        Returns
        -------
        probabilities : ndarray (..., n_classes)
        """
        scores = np.asarray(scores)
        probabilities = softmax(scores / np.asarray(self.temperature_, scores.dtype))
        best = scores.argmax(axis=-1)[..., None]
        # Rounding may make the probabilities of close scores equal.
        largest = np.nextafter(probabilities.max(axis=-1, keepdims=True), 2, dtype=scores.dtype)
        is_tied = probabilities.argmax(axis=-1)[..., None] != best
        current = np.take_along_axis(probabilities, best, axis=-1)
        np.put_along_axis(probabilities, best, np.where(is_tied, largest, current), axis=-1)
        return probabilities

    @property
    def coef_(self) -> np.ndarray:
        """Coefficients, (n_features,) or (n_outputs, n_features); assign others to change them."""
        coef = read_only(self._solve().coef)
        return coef[0] if self._flat else coef

    @coef_.setter
    def coef_(self, coef: Any) -> None:
        self._assign(self._solve()._replace(coef=self._like("coef_", coef)))

    @property
    def intercept_(self) -> Any:
        """Intercept, a number or (n_outputs,); assign another to change it."""
        intercept = read_only(self._solve().intercept)
        return intercept[0] if self._flat else intercept

    @intercept_.setter
    def intercept_(self, intercept: Any) -> None:
        self._assign(self._solve()._replace(intercept=self._like("intercept_", intercept)))

    def _linear_map(self) -> tuple[np.ndarray, np.ndarray]:
        """Return coefficients and intercept for kernels, which take no read-only arrays."""
        solution = self._solve()
        return solution.coef, solution.intercept

    @property
    def alpha_(self) -> float:
        """The penalty used."""
        return self._solve().choice.alpha

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
        """Mean squared leave-one-out error of each alpha, or share of wrong rows."""
        scores = self._complete_choice().loo_scores
        if scores is None:
            raise AttributeError("loo_scores_ exists only where alpha is a list")
        return read_only(scores)

    @property
    def loo_log_losses_(self) -> np.ndarray:
        """Leave-one-out log loss of each alpha, calibrated."""
        losses = self._complete_choice().loo_log_losses
        if losses is None:
            raise AttributeError(
                'loo_log_losses_ exists only with scoring="classification", after fit'
            )
        return read_only(losses)

    @property
    def temperature_(self) -> float:
        """Temperature of the softmax that turns scores into probabilities."""
        if not _is_classification(self):
            raise AttributeError('temperature_ exists only with scoring="classification"')
        self._complete_choice()
        solution = self._solve()
        if solution.choice.temperature is None:
            found = 1.0
            if self._classifies:
                found = residual_temperature(self._add_pending(), solution.choice.alpha)
            solution = solution._replace(choice=solution.choice._replace(temperature=found))
            self._solution = solution
        return cast(float, solution.choice.temperature)

    @property
    def loo_mse_(self) -> float:
        """The smallest mean squared leave-one-out error."""
        if self.scoring == "classification":
            raise AttributeError('loo_mse_ exists only with scoring="squared_error"')
        return float(self.loo_scores_.min())

    def __sklearn_is_fitted__(self) -> bool:
        """Return whether there are rows to solve for."""
        return getattr(self, "_accumulator", None) is not None or bool(self._waiting)

    def __getstate__(self) -> Any:
        """Return the state with the losses that a fit to shared rows has deferred."""
        if "_unread" in self.__dict__:
            self._complete_choice()
        return super().__getstate__()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return a copy that shares the statistics and pending rows, which are never modified."""
        copied = type(self).__new__(type(self))
        memo[id(self)] = copied
        if "_unread" in self.__dict__:
            self._complete_choice()
        for shared in (getattr(self, "_accumulator", None), self._waiting, self._pending):
            memo[id(shared)] = shared
        copied.__dict__.update(copy.deepcopy(self.__dict__, memo))
        return copied

    def _validate(self, X: Any, y: Any, sample_weight: Any, *, reset: bool) -> Block:
        """Return checked arrays, as the base does; targets of a classification are indicators."""
        X, y, weights = super()._validate(X, y, sample_weight, reset=reset)
        if _is_classification(self):
            _check_indicators(y)
        return X, y, weights

    def _alphas(self) -> np.ndarray:
        """Return alpha as an array; raise if it or the solver is invalid."""
        check_choice("scoring", self.scoring, ("squared_error", "classification"))
        check_flag("standardize", self.standardize)
        check_choice("solver", self.solver, ("auto", "gram", "qr"))
        refuse_masked("alpha", self.alpha)
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
        """Return alpha, or raise if there are several."""
        alphas = self._alphas()
        if np.ndim(self.alpha) > 0:
            raise ValueError(
                f"alpha must be one number for partial_fit and merge, got {self.alpha!r}: the "
                "choice among several reads the rows twice, as fit and fit_blocks do"
            )
        return float(alphas[0])

    def _store_shapes(self, block: Block) -> None:
        """Store the shapes and the dtype of the first block."""
        X, Y, _ = block
        self.n_features_in_ = X.shape[1]
        self._dtype, self._flat = X.dtype, Y.ndim == 1
        self._n_outputs = n_outputs_of(Y)

    def _keep(self, X: np.ndarray, y: np.ndarray, w: np.ndarray | None) -> bool:
        """Keep a copy of rows if they are few, and of sizes that cannot overflow."""
        block = _with_weights(X, y, w)
        n_pending = len(X) + _n_rows(self._pending)
        is_block = n_pending >= max(MIN_ROWS_TO_ADD, MIN_ROWS_TO_ADD_PER_FEATURE * X.shape[1])
        is_enough = is_block and n_pending + _n_rows(self._waiting) >= MAX_WAITING_ROWS
        is_huge = np.abs(block[1]).max(initial=0) > MAX_TARGET.get(self._dtype, MODERATE_VALUE)
        stored = cast(Accumulator, self._accumulator)
        may_overflow = stored.may_overflow or not rows_are_moderate(*block)
        if is_enough or is_huge or may_overflow:
            return False
        X, y, w = (array.copy() for array in block)
        if is_block:
            self._waiting = (*self._waiting, *_joined(self._pending), (X, y, w))
            self._pending = ()
        else:
            self._pending = (*self._pending, (X, y, w))
        return True

    def _replace_accumulator(self, accumulator: Accumulator) -> None:
        """Replace the statistics; raise if they, or the coefficients of huge targets, overflow."""
        stored: Accumulator | None = getattr(self, "_accumulator", None)
        before = 0.0 if stored is None else stored.largest_target()
        self._accumulator = accumulator.check_overflow()
        self._waiting, self._pending, self._solution = (), (), None
        self.__dict__.pop("_unread", None)
        if accumulator.largest_target() > max(before, MAX_TARGET.get(self._dtype, MODERATE_VALUE)):
            self._solve()

    def _add_pending(self, blocks: Iterable[Block] = ()) -> Accumulator:
        """Return the statistics of all rows, those that wait and those of more blocks included."""
        return self._grown((*self._waiting, *_joined(self._pending), *blocks))

    def _grown(self, blocks: Iterable[Block]) -> Accumulator:
        """Return the stored statistics with more blocks; the stored ones do not change."""
        stored: Accumulator | None = getattr(self, "_accumulator", None)
        accumulator = None if stored is None else stored.share()
        smallest = float(self._alphas().min())
        for block in blocks:
            accumulator = accumulate(
                accumulator, block, self.solver, smallest, None, self.standardize
            )
        return cast(Accumulator, accumulator)

    def _solve(self) -> Solution:
        """Return the solution; compute it if rows were added since the last time."""
        if not self.__sklearn_is_fitted__():
            raise NotFittedError("This RidgeReadout is not fitted yet: call fit first")
        if self._solution is not None:
            return self._solution
        alpha = self._one_alpha()
        if self._waiting:
            grown = self._grown(self._waiting).check_overflow().free_buffers()
            self.__dict__.update(_accumulator=grown, _waiting=())  # both at once
        accumulator = self._add_pending().merged()
        solved = accumulator.solve(alpha)
        accumulator.check_underflow(alpha, solved.condition)
        return self._store_solution(accumulator, solved, AlphaChoice(alpha), alpha)

    def _like(self, name: str, value: Any) -> np.ndarray:
        """Return a checked copy of a value for an attribute, with a row per output."""
        before = np.asarray(getattr(self, name))
        array = finite_array(name, value, self._dtype)
        if array.shape != before.shape:
            raise ValueError(f"{name} must have shape {before.shape}, got {array.shape}")
        return array[None].copy() if self._flat else array.copy()

    def _assign(self, solution: Solution) -> None:
        """Use other coefficients or another intercept, until there are more rows."""
        constant = solution.intercept + solution.coef @ solution.feature_means
        self._solution = solution._replace(output_at_means=constant.astype(self._dtype))

    def _store_solution(
        self,
        accumulator: Accumulator,
        solved: Solved,
        choice: AlphaChoice,
        smallest_alpha: float,
    ) -> Solution:
        """Store and return the solution, from the coefficients of every group.

        The intercept is the mean of the targets minus that of the features times B.
        """
        coef = np.empty((self._n_outputs, self.n_features_in_), self._dtype)
        intercept, constant = (np.empty(self._n_outputs, self._dtype) for _ in range(2))
        totals = accumulator.totals()
        with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
            means = totals[0][1].mean_x.sum(axis=0)
            for (outputs, group), B in zip(totals, solved.coefs, strict=True):
                coef[outputs] = B.T
                intercept[outputs] = (group.mean_y - group.mean_x @ B).sum(axis=0)
                # The features of this group may have other means than those of the first one.
                offset = (means - group.mean_x[0]) - group.mean_x[1]
                constant[outputs] = group.mean_y.sum(axis=0) + offset @ B
        _check_range(coef, intercept)
        _warn_if_imprecise(accumulator, solved, self._dtype)
        _warn_of_light_rows(accumulator, smallest_alpha, solved.condition)
        self._solution = Solution(
            coef, intercept, means, constant, accumulator.solver, solved.condition, choice
        )
        return self._solution


def _needs_qr(accumulator: Accumulator, solved: Solved) -> bool:
    """Return whether a Gram matrix is too imprecise for the features, or for the coefficients."""
    return accumulator.solver == "gram" and (
        solved.condition > MAX_GRAM_CONDITION or solved.amplification > MAX_AMPLIFICATION["gram"]
    )


def _warn_if_imprecise(accumulator: Accumulator, solved: Solved, dtype: np.dtype) -> None:
    """Warn of coefficients whose predictions have few correct digits."""
    solver, condition, amplification = accumulator.solver, solved.condition, solved.amplification
    if solver == "gram" and condition > MAX_GRAM_CONDITION:
        warn(
            f"the condition of the features, {condition:.1e}, is too large for a Gram "
            'matrix: use solver="qr" or a larger alpha',
            LinAlgWarning,
        )
        return
    if amplification > MAX_AMPLIFICATION[solver]:
        other = 'solver="qr", ' if solver == "gram" else ""
        _warn_of_cancellation(amplification, 16, other)
        return
    if dtype == np.float32:
        cancellation = accumulator.cancellation(solved.coefs)
        if cancellation > MAX_CANCELLATION_OF_FLOAT32:
            _warn_of_cancellation(cancellation, 7, "float64, ")


def _warn_of_cancellation(amplification: float, n_digits: int, remedy: str) -> None:
    warn(
        f"predictions lose about {np.log10(amplification):.0f} of {n_digits} digits, as some "
        f"features nearly depend on others and their terms cancel: use {remedy}a larger alpha, or "
        "fewer features",
        LinAlgWarning,
    )


def _warn_of_light_rows(accumulator: Accumulator, alpha: float, condition: float) -> None:
    """Warn if the solution depends on rows whose weights are tiny beside the largest one."""
    if accumulator.depends_on_light_rows(alpha, condition):
        warn(
            "sample_weight has weights below 1e-16 of the largest one, and the rows of larger "
            "weights do not determine the solution: few digits of the other rows are left; use "
            "weights of similar sizes, 0 for rows that do not count, or a larger alpha",
            LinAlgWarning,
        )


def _check_indicators(y: np.ndarray) -> None:
    """Raise ValueError if rows of targets are not those of an identity matrix."""
    is_valid = y.ndim == 2 and bool(((y == 0) | (y == 1)).all() and (y.sum(axis=1) == 1).all())
    if not is_valid:
        raise ValueError(
            'y must hold class indicators (n_rows, n_classes) with scoring="classification", a '
            f"single 1 in every row and zeros, got shape {y.shape}, {y[:1].tolist()}: of integer "
            "labels they are np.eye(n_classes)[labels]"
        )


def _check_range(coef: np.ndarray, intercept: np.ndarray) -> None:
    if not (np.isfinite(coef).all() and np.isfinite(intercept).all()):
        raise ValueError(
            f"y must have coefficients on X within the range of {coef.dtype}, got NaN or "
            "infinity: scale y, or the features"
        )


def _with_weights(X: np.ndarray, y: np.ndarray, w: np.ndarray | None) -> WeightedBlock:
    """Return a block with weights, all one if there are none, and targets of two dimensions."""
    return X, y.reshape(len(y), -1), np.ones(len(X)) if w is None else w


def _n_rows(blocks: tuple[WeightedBlock, ...]) -> int:
    """Return the number of rows of blocks."""
    return sum(len(X) for X, _, _ in blocks)


def _joined(blocks: tuple[WeightedBlock, ...]) -> list[WeightedBlock]:
    """Return blocks as one, with weights per output if any block has them; no block for none."""
    if not blocks:
        return []
    per_output = any(w.ndim == 2 for _, _, w in blocks)
    weights = [
        np.broadcast_to(w[:, None], Y.shape) if per_output and w.ndim == 1 else w
        for _, Y, w in blocks
    ]
    X, Y = (np.concatenate([block[i] for block in blocks]) for i in (0, 1))
    return [(X, Y, np.concatenate(weights))]


def row_blocks(X: np.ndarray, y: np.ndarray, w: np.ndarray | None) -> Iterator[Block]:
    """Yield the rows in blocks of ``BLOCK_ROWS``."""
    for start in range(0, len(X), BLOCK_ROWS):
        s = slice(start, start + BLOCK_ROWS)
        yield X[s], y[s], None if w is None else w[s]
