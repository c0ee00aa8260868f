"""Regressors and classifiers of scikit-learn, wrapped as readouts."""

from collections.abc import Callable, Iterable
from typing import Any, Self

import numpy as np
from sklearn.base import is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from esnkit.readouts._base import BaseReadout, Block
from esnkit.utils._multioutput import fit_outputs

__all__ = ["EstimatorReadout", "as_readout", "estimator_of", "is_fitted"]


def as_readout(readout: Any, classes: np.ndarray | None = None) -> BaseReadout:
    """Return a readout unchanged, or any other estimator wrapped.

    If the targets are class indicators, ``classes`` holds the labels of their columns.
    """
    if isinstance(readout, BaseReadout):
        return readout
    return EstimatorReadout(readout, classes)


def estimator_of(readout: BaseReadout) -> Any:
    """Return the estimator that the user passed: the wrapped one, or the readout itself."""
    return readout.estimator if isinstance(readout, EstimatorReadout) else readout


def is_fitted(readout: BaseReadout) -> bool:
    """Return whether a readout, or the estimator that it wraps, can predict."""
    try:
        check_is_fitted(estimator_of(readout))
    except NotFittedError:
        return False
    return True


class EstimatorReadout(BaseReadout):
    """A scikit-learn estimator as a readout.

    A regressor is fitted to the targets, numbers or class indicators; a classifier is fitted to the
    labels that the indicators stand for.

    Parameters
    ----------
    estimator : scikit-learn regressor or classifier
        Fitted in place.
    classes : ndarray of shape (n_classes,) or None, default=None
        Labels of the columns, if the targets are class indicators.
    """

    def __init__(self, estimator: Any, classes: Any = None):
        self.estimator = estimator
        self.classes = classes

    @property
    def _classifies(self) -> bool:
        tagged = hasattr(self.estimator, "__sklearn_tags__")
        return self.classes is not None and tagged and is_classifier(self.estimator)

    def fit_blocks(
        self, make_blocks: Callable[[], Iterable[Block]], n_rows: int | None = None
    ) -> Self:
        """Fit to all rows at once: most estimators cannot fit to a stream."""
        blocks = [(X.copy(), y, w) for X, y, w in make_blocks()]
        X, Y = (np.concatenate([block[i] for block in blocks]) for i in (0, 1))
        weights = None
        if blocks[0][2] is not None:
            weights = np.concatenate([block[2] for block in blocks])
        X, target, params = self._training_rows(X, Y, weights)
        self.estimator = fit_outputs(self.estimator, X, target, **params)
        return self

    def partial_fit(self, X: np.ndarray, y: np.ndarray, sample_weight: Any = None) -> Self:
        """Learn from more rows, if the estimator has ``partial_fit``."""
        X, target, params = self._training_rows(X, y, sample_weight)
        if not len(X):
            return self
        if self._classifies:
            params["classes"] = self.classes
        elif target.ndim == 2 and target.shape[1] == 1:
            target = target[:, 0]
        self.estimator = self.estimator.partial_fit(X, target, **params)
        return self

    def _training_rows(self, X, Y, weights):
        """Return the rows of positive weight, their targets, and their weights as keywords."""
        target = self.classes[Y.argmax(axis=1)] if self._classifies else Y
        if weights is None:
            return X, target, {}
        if weights.ndim > 1:
            raise ValueError(
                "sample_weight: weights per output need the ridge readout, readout=None"
            )
        has_weight = weights > 0
        X, target, weights = X[has_weight], target[has_weight], weights[has_weight]
        self._check_classes(target)
        if has_fit_parameter(self.estimator, "sample_weight"):
            return X, target, {"sample_weight": weights}
        if np.unique(weights).size > 1:
            raise ValueError(
                f"sample_weight: {type(self.estimator).__name__} takes no weights, so all positive "
                "weights must be equal"
            )
        return X, target, {}

    def _check_classes(self, labels) -> None:
        """Raise if rows of positive weight have too few classes for a classifier."""
        if self._classifies and np.unique(labels).size < min(2, self.classes.size):
            only = labels[:1].tolist()[0]
            raise ValueError(
                f"sample_weight, washout and class_weight leave one class, {only!r}, to fit "
                f"{type(self.estimator).__name__} to: expected two or more"
            )

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return predictions; for a classifier, the indicators of the predicted labels."""
        if not self._classifies:
            return self.estimator.predict(X)
        if self.classes.size == 1:
            return np.ones((len(X), 1), X.dtype)
        # Not the label of the largest score: a classifier may apply a decision threshold.
        indicators = self.estimator.predict(X)[:, None] == self.classes
        if not indicators.any(axis=1).all():
            self._raise_unknown_labels()
        return indicators.astype(X.dtype)

    def _raise_unknown_labels(self) -> None:
        raise ValueError(
            f"classes_ must have the labels that {type(self.estimator).__name__} was fitted to, "
            f"got {self.classes.tolist()}: to change labels, fit again"
        )

    @property
    def scores_are_unbounded(self) -> bool:
        """Whether scores come from ``decision_function``: they do not estimate indicators."""
        return hasattr(self.estimator, "decision_function") and not hasattr(
            self.estimator, "predict_proba"
        )

    def scores(self, X: np.ndarray) -> np.ndarray:
        """Return probabilities or decision values (n_rows, n_classes) of a classifier."""
        if not self._classifies or self.classes.size == 1:
            return self.predict(X)
        if hasattr(self.estimator, "predict_proba"):
            return self._for_all_classes(self.estimator.predict_proba(X), absent=0.0)
        if hasattr(self.estimator, "decision_function"):
            scores = self.estimator.decision_function(X)
            scores = np.stack([-scores, scores], axis=1) / 2 if scores.ndim == 1 else scores
            return self._for_all_classes(scores, absent=-np.inf)
        return self.predict(X)

    def _for_all_classes(self, scores: np.ndarray, absent: float) -> np.ndarray:
        """Return the scores with a column for every class, ``absent`` for unknown ones.

        A class whose rows all have weight zero is unknown to the estimator.
        """
        known = self.estimator.classes_
        if not np.isin(known, self.classes).all():
            self._raise_unknown_labels()
        if scores.shape[1] != len(known) or (len(known) > 2 and _scores_pairs(self.estimator)):
            raise ValueError(
                "readout must score every class, got scores of pairs of classes from "
                f"{self.estimator!r}: use decision_function_shape='ovr'"
            )
        all_scores = np.full((len(scores), self.classes.size), absent, scores.dtype)
        all_scores[:, np.searchsorted(self.classes, known)] = scores
        return all_scores


def _scores_pairs(estimator: Any) -> bool:
    """Return whether a classifier, inside a pipeline or a search, scores pairs of classes."""
    found = getattr(estimator, "best_estimator_", estimator)
    last = found[-1] if hasattr(found, "steps") else found
    return getattr(last, "decision_function_shape", None) == "ovo"
