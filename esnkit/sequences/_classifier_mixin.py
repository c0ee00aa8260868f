"""Classification of sequences: labels, indicators of classes, probabilities."""

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from esnkit.sequences._targets import Encoded, Targets, has_row_per_step


class SequenceClassifierMixin(ClassifierMixin):
    """Encode labels as indicators of classes; decode, score and tag the predictions."""

    _numeric = False

    def _target_of(self, y: Any, sequences: Any) -> str:
        # A label has no second axis, so two axes are sequences and time steps.
        if self.target != "auto" or sequences.form == "series":
            return self.target
        return "steps" if has_row_per_step(y, sequences) else "auto"

    def _encode(self, targets: Targets, form: str = "series", known: Any = None) -> Encoded:
        """Return the indicators of the classes, their weights and the classes.

        ``known`` are the sorted classes, where earlier data or the caller determine them.
        """
        labels = targets.values[:, 0]
        if targets.values.shape[1] > 1 or not targets.flat:
            labels = column_or_1d(targets.values, warn=form == "series")
        check_classification_targets(labels)
        seen, codes = np.unique(labels, return_inverse=True)
        classes = seen if known is None else known
        codes = codes if known is None else _positions(seen, classes)[codes]
        indicators = np.zeros((codes.size, classes.size))
        indicators[np.arange(codes.size), codes] = 1.0
        weights = None
        if self.class_weight is not None:
            weights = self._class_weights(seen, labels)[np.searchsorted(seen, labels)]
        return Encoded(Targets(indicators, targets.kind, True), weights, classes)

    def _class_weights(self, classes: np.ndarray, labels: np.ndarray) -> np.ndarray:
        try:
            weights = compute_class_weight(self.class_weight, classes=classes, y=labels)
        except (TypeError, ValueError) as error:
            raise ValueError(
                "class_weight must be 'balanced', None or a dict of label: weight, got "
                f"{self.class_weight!r} ({error})"
            ) from error
        if not np.all(np.isfinite(weights) & (weights >= 0)):
            raise ValueError(
                f"class_weight must hold finite weights >= 0, got {self.class_weight!r}"
            )
        return weights

    def _decode(self, values: Any) -> Any:
        return map_rows(values, lambda rows: self.classes_[rows.argmax(axis=-1)])

    def decision_function(self, X: Any, *, initial_state: Any = None, clamp: Any = None) -> Any:
        """Return the score of every class; of two classes, by how much the second leads.

        Parameters
        ----------
        X, initial_state, clamp : as in ``predict``

        Returns
        -------
        scores : like ``predict``, with an axis for the classes if there are more than two
        """
        values = self._scores(X, initial_state, clamp)
        if self.classes_.size != 2:
            return values
        return map_rows(values, lambda rows: rows[..., 1] - rows[..., 0])

    def predict_proba(self, X: Any, *, initial_state: Any = None, clamp: Any = None) -> Any:
        """Return the probability of every class; the probabilities of a row sum to 1.

        Parameters
        ----------
        X, initial_state, clamp : as in ``predict``

        Returns
        -------
        probabilities : like ``predict``, with an axis (n_classes,) at the end
        """
        return map_rows(self._scores(X, initial_state, clamp), self._as_probabilities)

    def score(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        initial_state: Any = None,
        clamp: Any = None,
    ) -> float:
        """Return the accuracy over all rows of all sequences.

        Without ``initial_state`` the first ``washout`` time steps of a sequence, whose states
        still depend on the start from zero, are left out as they are in ``fit``.

        Parameters
        ----------
        X, y : as in ``fit``
        sample_weight : array-like, default=None
            A weight for every row or every sequence.
        initial_state, clamp : optional
            As in ``fit``.

        Returns
        -------
        float
        """
        from sklearn.metrics import accuracy_score  # as scikit-learn does: costly to import

        y_true, y_pred, weights = self._compare(X, y, sample_weight, initial_state, clamp)
        return accuracy_score(labels_of(y_true), y_pred[:, 0], sample_weight=weights)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags


def _positions(seen: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return the positions of labels among the known classes, or raise."""
    unseen = np.setdiff1d(seen, known)
    if unseen.size:
        raise ValueError(
            f"y holds labels unseen before, {unseen.tolist()}, expected some of {known.tolist()}"
        )
    return np.searchsorted(known, seen)


def known_classes(estimator: Any, classes: Any, first: bool) -> np.ndarray | None:
    """Return the classes that bind ``partial_fit``: those given in its first call, or learned."""
    given = None if classes is None else np.unique(classes)
    if first:
        return given
    if given is not None and not np.array_equal(given, estimator.classes_):
        raise ValueError(
            f"classes must be those of the first call, {estimator.classes_.tolist()}, got "
            f"{given.tolist()}"
        )
    return estimator.classes_


def labels_of(rows: np.ndarray) -> np.ndarray:
    """Return the labels (n_rows,) in rows of one, or raise."""
    if rows.shape[1] > 1:
        raise ValueError(f"y must hold one label each, got {rows.shape[1]} columns")
    return rows[:, 0]


def map_rows(values: Any, function: Callable[[np.ndarray], np.ndarray]) -> Any:
    """Apply a function to an array, or to every array of a list."""
    return [function(rows) for rows in values] if isinstance(values, list) else function(values)


def softmax(rows: np.ndarray) -> np.ndarray:
    """Return the softmax of the last axis."""
    powers = np.exp(rows - rows.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)
