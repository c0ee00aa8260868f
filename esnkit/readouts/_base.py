"""The contract of readouts: models of targets as a function of feature rows."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.utils.validation import check_array

from esnkit.sequences._regressor_mixin import r2_of_rows
from esnkit.utils._collections import takes_collections
from esnkit.utils._frames import frame_ndim, to_array, unwrap, validate_rows
from esnkit.utils._param_names import ParamNamesMixin
from esnkit.utils._plain_state import PlainStateMixin
from esnkit.utils._validation import (
    check_weights,
    finite_array,
    name_in_errors,
    refuse_datetimes,
    refuse_masked,
)

__all__ = [
    "BaseReadout",
    "Block",
    "Reduce",
    "RegressorReadoutMixin",
    "is_linear",
    "n_outputs_of",
]

# Features (n_rows, n_features), targets (n_rows,) or (n_rows, n_outputs), and weights (n_rows,) or
# (n_rows, n_outputs), or None if all weights are one.
Block = tuple[np.ndarray, np.ndarray, np.ndarray | None]
# reduce(task, merge) calls task(blocks) for the blocks of every partition of the rows, and merges
# the results, merge(first, second), in pairs. The tasks may run on other machines.
Reduce = Callable[[Callable[[Iterable[Block]], Any], Callable[[Any, Any], Any]], Any]


class BaseReadout(ParamNamesMixin, PlainStateMixin, BaseEstimator, ABC):
    """Base class of readouts: they learn targets from the feature rows of a reservoir.

    A subclass implements :meth:`fit_blocks` and :meth:`predict`. Two more capabilities are
    optional: ``partial_fit(X, y, sample_weight=None)`` lets estimators learn from one chunk of data
    after another; ``coef_`` (n_outputs, n_features) and ``intercept_`` (n_outputs,) of a linear
    readout let a closed loop run compiled; ``fit_partitions(reduce, example, n_rows)`` lets
    estimators learn from dask collections, see :class:`RidgeReadout`. A readout for classes may
    turn scores into probabilities itself, by ``probabilities(scores)``. :func:`check_readout`
    checks that a subclass keeps this contract.

    Examples
    --------
    A readout that predicts the mean of the targets:

    >>> import numpy as np
    >>> from esnkit.readouts import BaseReadout
    >>> class Mean(BaseReadout):
    ...     def fit_blocks(self, make_blocks, n_rows=None):
    ...         self.mean_ = np.concatenate([y for _, y, _ in make_blocks()]).mean(axis=0)
    ...         return self
    ...
    ...     def predict(self, X):
    ...         return np.broadcast_to(self.mean_, (len(X), *np.shape(self.mean_)))
    >>> Mean().fit([[0.0], [1.0]], [1.0, 3.0]).predict([[5.0]])
    array([2.])
    """

    n_passes: int = 1  # in which `fit_blocks` reads the rows, for reports of progress

    @abstractmethod
    def fit_blocks(
        self, make_blocks: Callable[[], Iterable[Block]], n_rows: int | None = None
    ) -> Self:
        """Fit to a stream of rows; the results of earlier fits are discarded.

        Parameters
        ----------
        make_blocks : callable () -> iterable of (X, y, sample_weight or None)
            Every call starts the same stream anew, for readouts that need several passes. The next
            block may overwrite the arrays of a block: copy what is kept. Rows of weight zero must
            have no effect.
        n_rows : int or None, default=None
            Number of rows of the stream, if known.

        Returns
        -------
        self
        """

    @abstractmethod
    def predict(self, X: Any) -> np.ndarray:
        """Return predictions in the shape of the targets: (n_rows,) or (n_rows, n_outputs).

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)

        Returns
        -------
        y : ndarray
        """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to rows X and targets y; the results of earlier fits are discarded.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
        y : array-like of shape (n_rows,) or (n_rows, n_outputs)
        sample_weight : array-like of shape (n_rows,) or (n_rows, n_outputs), default=None
            Weight of each row, or of each row for each output; 0 leaves it out.

        Returns
        -------
        self
        """
        X, y, weights = self._validate(X, y, sample_weight, reset=True)
        y = y.astype(X.dtype, copy=False)
        return self.fit_blocks(lambda: [(X, y, weights)], n_rows=len(X))

    def learn_block(self, X: np.ndarray, y: np.ndarray, sample_weight: Any = None) -> Self:
        """Learn more rows from a block as `fit_blocks` takes it, by ``partial_fit``.

        Estimators call it, once per block or, in closed loop, once per time step. A subclass may
        override it to save the validation of ``partial_fit``.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_features)
        y : ndarray of shape (n_rows,) or (n_rows, n_outputs)
        sample_weight : ndarray of shape (n_rows,) or (n_rows, n_outputs) or None, default=None

        Returns
        -------
        self
        """
        return self.partial_fit(X, y, sample_weight)  # type: ignore[attr-defined]

    def scores(self, X: Any) -> np.ndarray:
        """Return the scores of the classes, for a readout fitted to class indicators.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)

        Returns
        -------
        scores : ndarray of shape (n_rows, n_classes)
            The predictions, unless a subclass overrides this method.
        """
        return self.predict(X)

    def _validate(self, X: Any, y: Any, sample_weight: Any, *, reset: bool) -> Block:
        """Return checked arrays, each float64 or float32, or raise with the argument's name."""
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None"
            )
        X = self._validate_features(X, reset=reset)
        y = to_array("y", y)
        refuse_datetimes("y", y)
        refuse_masked("y", y)
        refuse_masked("sample_weight", sample_weight)
        with name_in_errors("y"):
            y = check_array(y, ensure_2d=False, input_name="y")
        if len(y) != len(X):
            raise ValueError(
                f"y must have as many rows as X, {len(X)}, got {len(y)}: inconsistent numbers of "
                "samples"
            )
        if y.dtype not in (np.float64, np.float32):
            y = y.astype(np.float64)
        return X, y, check_weights(sample_weight, len(X), n_outputs_of(y))

    def _linear_map(self) -> tuple[np.ndarray, Any]:
        """Return coefficients and intercept of a linear readout, for kernels."""
        return self.coef_, self.intercept_  # type: ignore[attr-defined]

    def _validate_features(self, X: Any, *, reset: bool) -> np.ndarray:
        frame = unwrap(X)
        X = to_array("X", frame)
        refuse_datetimes("X", X)
        refuse_masked("X", X)
        with name_in_errors("X"):
            named = frame if frame_ndim(frame) == 2 else None
            return validate_rows(self, X, named, reset=reset, dtype=[np.float64, np.float32])


class RegressorReadoutMixin(RegressorMixin, MultiOutputMixin):
    """Score of readouts that predict numbers."""

    predict: Callable[[Any], np.ndarray]

    @takes_collections
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the coefficient of determination R2 of the predictions.

        Parameters
        ----------
        X : array-like (n_rows, n_features)
        y : array-like (n_rows,) or (n_rows, n_outputs)
        sample_weight : array-like (n_rows,), default=None

        Returns
        -------
        score : float

        Raises
        ------
        ValueError
            If values are masked, missing or not finite.
        """
        y = finite_array("y", y)
        if sample_weight is not None:
            sample_weight = finite_array("sample_weight", sample_weight)
        y_pred = self.predict(X)
        return r2_of_rows(_as_rows(y), _as_rows(y_pred), sample_weight)


def _as_rows(y: np.ndarray) -> np.ndarray:
    return y[:, None] if y.ndim == 1 else y


def is_linear(readout: Any) -> bool:
    """Return whether a fitted readout predicts ``X @ coef_.T + intercept_``."""
    return isinstance(readout, BaseReadout) and all(
        hasattr(readout, name) for name in ("coef_", "intercept_")
    )


def n_outputs_of(y: np.ndarray) -> int:
    """Return the number of outputs of targets (n_rows,) or (n_rows, n_outputs)."""
    return 1 if y.ndim == 1 else y.shape[1]
