"""The contract of a readout: a model of targets as a function of feature rows."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_array, validate_data

from esnkit.utils._validation import check_weights

__all__ = ["BaseReadout", "Block", "is_linear"]

# Features (n_rows, n_features), targets (n_rows,) or (n_rows, n_outputs), and weights (n_rows,) or
# (n_rows, n_outputs), None where all are one.
Block = tuple[np.ndarray, np.ndarray, np.ndarray | None]


class BaseReadout(BaseEstimator, ABC):
    """Base of everything that learns targets from the feature rows of a reservoir.

    A subclass writes :meth:`fit_blocks` and :meth:`predict`. Two more things are optional and used
    where they exist: ``partial_fit(X, y, sample_weight=None)``, by which estimators learn from one
    chunk of data after another, and ``coef_`` (n_outputs, n_features) with ``intercept_``
    (n_outputs,), by which a closed loop runs compiled. :func:`check_readout` tells whether a
    subclass keeps the contract.

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

    @abstractmethod
    def fit_blocks(
        self, make_blocks: Callable[[], Iterable[Block]], n_rows: int | None = None
    ) -> Self:
        """Fit to a stream of rows, forgetting all seen before.

        Parameters
        ----------
        make_blocks : callable () -> iterable of (X, y, sample_weight or None)
            Every call starts the same stream anew, for readouts that need several passes. A block
            may be overwritten by the next one: copy what is to be kept. A row of weight zero is
            not taught.
        n_rows : int or None, default=None
            Number of rows of the stream, if known.

        Returns
        -------
        self
        """

    @abstractmethod
    def predict(self, X: Any) -> np.ndarray:
        """Return predictions (n_rows,) or (n_rows, n_outputs), as the targets were.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)

        Returns
        -------
        y : ndarray
        """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to rows X and targets y, forgetting all seen before.

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
        X = validate_data(self, X, dtype=[np.float64, np.float32], order="C")
        y = check_array(y, ensure_2d=False, dtype=X.dtype, input_name="y")
        weights = check_weights(sample_weight, len(X), 1 if y.ndim == 1 else y.shape[1])
        return self.fit_blocks(lambda: [(X, y, weights)], n_rows=len(X))

    def scores(self, X: np.ndarray) -> np.ndarray:
        """Return the scores of the classes, if the targets are their indicators.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_features)

        Returns
        -------
        scores : ndarray of shape (n_rows, n_classes)
            The predictions, unless a subclass has better ones.
        """
        return self.predict(X)


def is_linear(readout: Any) -> bool:
    """Tell whether a fitted readout is ``X @ coef_.T + intercept_``."""
    return isinstance(readout, BaseReadout) and all(
        hasattr(readout, name) for name in ("coef_", "intercept_")
    )
