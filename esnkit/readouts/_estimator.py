"""Regressors and classifiers of scikit-learn as readouts."""

from collections.abc import Callable, Iterable
from typing import Any, Self

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils.validation import has_fit_parameter

from esnkit.readouts._base import BaseReadout, Block
from esnkit.utils._multioutput import fit_outputs

__all__ = ["EstimatorReadout", "as_readout", "estimator_of"]


def as_readout(readout: Any, classes: np.ndarray | None = None) -> BaseReadout:
    """Return a readout: itself, or any other estimator wrapped.

    ``classes`` are the labels that the columns of the targets are the indicators of, if they are.
    """
    if isinstance(readout, BaseReadout):
        return readout
    return EstimatorReadout(readout, classes)


def estimator_of(readout: BaseReadout) -> Any:
    """Return what the user knows a readout as: the estimator that was wrapped, or itself."""
    return readout.estimator if isinstance(readout, EstimatorReadout) else readout


class EstimatorReadout(BaseReadout):
    """A regressor on numbers or indicators, or a classifier on the labels that these indicate.

    Parameters
    ----------
    estimator : scikit-learn regressor or classifier
        Fitted in place.
    classes : ndarray of shape (n_classes,) or None, default=None
        The labels, where targets are indicators.
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
        """Fit to all rows at once, as most estimators can only."""
        blocks = [(X.copy(), y, w) for X, y, w in make_blocks()]
        X, Y = (np.concatenate([block[i] for block in blocks]) for i in (0, 1))
        weights = None
        if blocks[0][2] is not None:
            weights = np.concatenate([block[2] for block in blocks])
        X, target, params = self._taught(X, Y, weights)
        self.estimator = fit_outputs(self.estimator, X, target, **params)
        return self

    def partial_fit(self, X: np.ndarray, y: np.ndarray, sample_weight: Any = None) -> Self:
        """Learn from more rows, if the estimator can."""
        X, target, params = self._taught(X, y, sample_weight)
        if not len(X):
            return self
        if self._classifies:
            params["classes"] = self.classes
        elif target.ndim == 2 and target.shape[1] == 1:
            target = target[:, 0]
        self.estimator = self.estimator.partial_fit(X, target, **params)
        return self

    def _taught(self, X, Y, weights):
        """Return the rows that are taught, their targets, and their weights as a keyword."""
        target = self.classes[Y.argmax(axis=1)] if self._classifies else Y
        if weights is None:
            return X, target, {}
        if weights.ndim > 1:
            raise ValueError("weights per output need the ridge readout, readout=None")
        taught = weights > 0
        X, target, weights = X[taught], target[taught], weights[taught]
        self._check_classes(target)
        if has_fit_parameter(self.estimator, "sample_weight"):
            return X, target, {"sample_weight": weights}
        if np.unique(weights).size > 1:
            raise ValueError(
                f"sample_weight: {type(self.estimator).__name__} takes no weights, so all rows "
                "that are taught must have the same"
            )
        return X, target, {}

    def _check_classes(self, labels) -> None:
        """Raise if the weights leave too few classes for a classifier."""
        if self._classifies and np.unique(labels).size < min(2, self.classes.size):
            raise ValueError(
                f"sample_weight, washout and class_weight leave one class, {labels[0]!r}, to be "
                f"taught to {type(self.estimator).__name__}: expected two or more"
            )

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return predictions; of a classifier the indicators of the predicted labels."""
        if not self._classifies:
            return self.estimator.predict(X)
        if self.classes.size == 1:
            return np.ones((len(X), 1), X.dtype)
        # Its labels need not be those of the largest score: it may have a threshold of its own.
        return (self.estimator.predict(X)[:, None] == self.classes).astype(X.dtype)

    @property
    def scores_are_unbounded(self) -> bool:
        """Whether the scores are those of a ``decision_function``, not estimates of indicators."""
        return hasattr(self.estimator, "decision_function") and not hasattr(
            self.estimator, "predict_proba"
        )

    def scores(self, X: np.ndarray) -> np.ndarray:
        """Return probabilities or decision values (n_rows, n_classes) of a classifier."""
        proba, decision = (
            hasattr(self.estimator, name) for name in ("predict_proba", "decision_function")
        )
        if not self._classifies or self.classes.size == 1 or not (proba or decision):
            return self.predict(X)
        if proba:
            scores, unknown = self.estimator.predict_proba(X), 0.0
        else:
            scores, unknown = self.estimator.decision_function(X), -np.inf
            scores = np.stack([-scores, scores], axis=1) / 2 if scores.ndim == 1 else scores
        known = self.estimator.classes_
        if scores.shape[1] != len(known) or (len(known) > 2 and _scores_pairs(self.estimator)):
            raise ValueError(
                "readout must score every class, got scores of pairs of classes from "
                f"{self.estimator!r}: use decision_function_shape='ovr'"
            )
        # A class whose rows all have weight zero is known here, but not to the estimator.
        full = np.full((len(X), self.classes.size), unknown, scores.dtype)
        full[:, np.searchsorted(self.classes, known)] = scores
        return full


def _scores_pairs(estimator: Any) -> bool:
    """Tell whether a classifier, at the end of a pipeline or found by a search, scores pairs."""
    found = getattr(estimator, "best_estimator_", estimator)
    last = found[-1] if hasattr(found, "steps") else found
    return getattr(last, "decision_function_shape", None) == "ovo"
