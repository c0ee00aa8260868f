"""Several outputs from any estimator of scikit-learn's."""

from typing import Any

import numpy as np
from sklearn.multioutput import MultiOutputRegressor

__all__ = ["fit_outputs"]


def fit_outputs(estimator: Any, X: np.ndarray, Y: np.ndarray, **weights: np.ndarray) -> Any:
    """Fit an estimator on Y (n_rows,) or (n_rows, n_outputs), and return what is fitted.

    That is a model for each output where the estimator takes only one. No tag tells: that of a
    search is the same whatever it searches.
    """
    Y = Y[:, 0] if Y.ndim == 2 and Y.shape[1] == 1 else Y
    try:
        return estimator.fit(X, Y, **weights)
    except ValueError:
        if Y.ndim == 1 or not hasattr(estimator, "__sklearn_tags__"):
            raise
        return MultiOutputRegressor(estimator).fit(X, Y, **weights)
