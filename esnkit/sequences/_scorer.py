"""Scores over the rows of all sequences, as functions of an estimator and data."""

from collections.abc import Callable
from inspect import Parameter, signature
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.metadata_routing import UNUSED

from esnkit.sequences._targets import is_list_of_rows, labels_of, stack_predictions
from esnkit.utils._validation import check_choice, check_flag

__all__ = ["compare", "make_sequence_scorer"]

RESPONSE_METHODS = ("predict", "predict_proba", "decision_function")
# Attributes of meta-estimators that hold the fitted estimator to which they pass X on.
INNER = ("best_estimator_", "regressor_")


def compare(
    estimator: Any, X: Any, y: Any, sample_weight: Any, initial_state: Any = None, clamp: Any = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Return true and predicted rows (n_rows, n_outputs) and their weights, for a score."""
    y_true, weights = estimator._true_rows(X, y, sample_weight, initial_state)
    y_pred = estimator.predict(X, initial_state=initial_state, clamp=clamp)
    return y_true.values, stack_predictions(y_pred, len(y_true.values)), weights


def make_sequence_scorer(
    score_func: Callable,
    *,
    response_method: str = "predict",
    greater_is_better: bool = True,
    **kwargs: Any,
) -> "SequenceScorer":
    """Make a scorer for searches and cross-validation that works in every container.

    Unlike the scorers of :func:`sklearn.metrics.make_scorer`, it takes targets per time step of
    ragged lists and of 3-D arrays too: the time steps of all sequences are scored together.
    Like ``score``, it leaves the washout out.

    Parameters
    ----------
    score_func : callable
        ``score_func(y_true, y_pred, **kwargs)``, of rows of shape (n_rows,) or (n_rows,
        n_outputs); with weights of rows it also gets ``sample_weight``.
    response_method : {"predict", "predict_proba", "decision_function"}, default="predict"
        The method of the estimator that returns `y_pred`; of the probabilities of two classes,
        those of the second one.
    greater_is_better : bool, default=True
        False for an error or a loss: its sign is changed.
    **kwargs : dict
        Further parameters of `score_func`.

    Returns
    -------
    scorer : callable
        ``scorer(estimator, X, y, sample_weight=None)`` returns a float. The estimator may be a
        pipeline, a search or a :class:`~sklearn.compose.TransformedTargetRegressor` around one of
        esnkit; of other estimators all rows are scored.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not one of those above.

    Notes
    -----
    :func:`sklearn.model_selection.cross_val_predict` cannot join predictions of ragged lists. Their
    folds are predicted by the estimators and test indices that
    :func:`sklearn.model_selection.cross_validate` returns.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.metrics import mean_absolute_error
    >>> from sklearn.model_selection import KFold, cross_val_score
    >>> from esnkit import ESNRegressor
    >>> from esnkit.metrics import make_sequence_scorer
    >>> X = [np.sin(np.arange(n) / 4).reshape(-1, 1) for n in (80, 90, 100, 110)]
    >>> y = [np.roll(x, 3) for x in X]
    >>> scorer = make_sequence_scorer(mean_absolute_error, greater_is_better=False)
    >>> model = ESNRegressor(n_units=50, washout=5, random_state=0)
    >>> errors = -cross_val_score(model, X, y, scoring=scorer, cv=KFold(2))
    >>> bool(np.all(errors < 0.01))
    True
    """
    if not callable(score_func):
        raise TypeError(f"score_func must be a function of y_true and y_pred, got {score_func!r}")
    check_choice("response_method", response_method, RESPONSE_METHODS)
    check_flag("greater_is_better", greater_is_better)
    return SequenceScorer(score_func, response_method, greater_is_better, kwargs)


class SequenceScorer(BaseEstimator):
    """A scorer that stacks the rows of sequences, see :func:`make_sequence_scorer`.

    Parameters
    ----------
    score_func, response_method, greater_is_better : as in ``make_sequence_scorer``
    kwargs : dict
    """

    # It is an estimator for the routing of weights alone: of a scorer, scikit-learn asks ``score``.
    __metadata_request__score = {"estimator": UNUSED}

    def __init__(self, score_func, response_method, greater_is_better, kwargs):
        self.score_func = score_func
        self.response_method = response_method
        self.greater_is_better = greater_is_better
        self.kwargs = kwargs

    def __call__(self, estimator: Any, X: Any, y: Any, sample_weight: Any = None) -> float:
        return self.score(estimator, X, y, sample_weight)

    def score(self, estimator: Any, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the score of a fitted estimator.

        Parameters
        ----------
        estimator : fitted estimator
        X, y : as the estimator takes them
        sample_weight : array-like, default=None
            A weight per row or per sequence.

        Returns
        -------
        float
        """
        y_true, y_pred, weights = self._rows(estimator, X, y, sample_weight)
        params = dict(self.kwargs)
        if weights is not None:
            has_weight = np.reshape(weights > 0, (len(weights), -1)).any(axis=1)
            y_true, y_pred, weights = (rows[has_weight] for rows in (y_true, y_pred, weights))
        if sample_weight is not None:
            params["sample_weight"] = weights
        score = self.score_func(y_true, y_pred, **params)
        return score if self.greater_is_better else -score

    def _accept_sample_weight(self) -> bool:
        """Return whether the metric takes weights, as new searches of scikit-learn ask."""
        params = signature(self.score_func).parameters
        takes_any = any(param.kind is Parameter.VAR_KEYWORD for param in params.values())
        return takes_any or "sample_weight" in params

    def _rows(self, estimator, X, y, sample_weight):
        """Return true and predicted rows and their weights."""
        predictions = getattr(estimator, self.response_method)(X)
        model, inner_X = _find_model(estimator, X)
        if model is None:
            y_true, weights = _stack(y), sample_weight
            if weights is not None:
                weights = np.ravel(_stack(weights))
        else:
            targets, weights = model._true_rows(inner_X, y, sample_weight)
            y_true = targets.values if model._numeric else labels_of(targets.values)
        y_pred = stack_predictions(predictions, len(y_true))
        if self.response_method == "predict_proba" and y_pred.shape[1] == 2:
            y_pred = y_pred[:, 1:]
        return _without_axis(y_true), _without_axis(y_pred), weights


def _find_model(estimator: Any, X: Any) -> tuple[Any, Any]:
    """Return the model of esnkit inside an estimator, or None, and the X that reaches it."""
    from sklearn.pipeline import Pipeline  # as in scikit-learn: slow to import

    if isinstance(estimator, Pipeline):
        inner_X = estimator[:-1].transform(X) if len(estimator) > 1 else X
        return _find_model(estimator[-1], inner_X)
    for name in INNER:
        if hasattr(estimator, name):
            return _find_model(getattr(estimator, name), X)
    return (estimator if hasattr(estimator, "_true_rows") else None), X


def _stack(values: Any) -> np.ndarray:
    """Return the values of all sequences end to end."""
    return np.concatenate(list(values)) if is_list_of_rows(values) else np.asarray(values)


def _without_axis(rows: np.ndarray) -> np.ndarray:
    return rows[:, 0] if rows.ndim == 2 and rows.shape[1] == 1 else rows
