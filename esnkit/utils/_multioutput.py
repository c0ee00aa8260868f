"""Several outputs from any scikit-learn estimator."""

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.multioutput import MultiOutputRegressor

__all__ = ["fit_outputs"]


def fit_outputs(
    estimator: Any,
    X: np.ndarray,
    Y: np.ndarray,
    *,
    fit: Callable[..., Any] = lambda estimator, *data, **weights: estimator.fit(*data, **weights),
    **weights: np.ndarray,
) -> Any:
    """Fit an estimator to Y (n_rows,) or (n_rows, n_outputs), and return the fitted estimator.

    An estimator that refuses several outputs is fitted once per output, by
    :class:`sklearn.multioutput.MultiOutputRegressor`. No tag tells which do: a grid search, for
    one, has the same tag whatever it searches. ``fit`` fits an estimator to all outputs.
    """
    Y = Y[:, 0] if Y.ndim == 2 and Y.shape[1] == 1 else Y
    try:
        return fit(estimator, X, Y, **weights)
    except ValueError:
        if Y.ndim == 1 or not hasattr(estimator, "__sklearn_tags__"):
            raise
        return MultiOutputRegressor(estimator).fit(X, Y, **weights)
