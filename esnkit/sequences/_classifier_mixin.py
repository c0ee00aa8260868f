"""Classification of sequences: labels, class indicators, probabilities."""

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from esnkit.sequences._scorer import compare
from esnkit.sequences._targets import Encoded, Targets, has_row_per_step, labels_of
from esnkit.utils._collections import takes_collections
from esnkit.utils._validation import refuse_masked, refuse_missing

__all__ = ["SequenceClassifierMixin", "accuracy", "known_classes", "map_rows", "softmax"]


class SequenceClassifierMixin(ClassifierMixin):
    """Encode labels as class indicators; decode, score and tag the predictions.

    The estimator provides ``target``, ``class_weight``, ``classes_``, ``_scores``,
    ``_as_probabilities`` and ``_true_rows``, which returns the targets of a score and their
    weights.
    """

    _numeric = False

    def _target_of(self, y: Any, sequences: Any) -> str:
        """Return the kind of target, "auto" if the shape of ``y`` is to decide."""
        # A label has no second axis: if there are two axes, they are sequences and time steps.
        if self.target != "auto" or sequences.form == "series":
            return self.target
        return "steps" if has_row_per_step(y, sequences) else "auto"

    def _encode(self, targets: Targets, form: str = "series", known: Any = None) -> Encoded:
        """Return the class indicators (n_targets, n_classes), the class weights and the classes.

        ``known`` holds the sorted classes, if earlier data or the caller determine them.
        """
        labels = targets.values[:, 0]
        if targets.values.shape[1] > 1 or not targets.flat:
            warn = form == "series" or targets.kind == "sequence"
            labels = column_or_1d(targets.values, warn=warn)
        check_classification_targets(labels)
        seen, codes = np.unique(labels, return_inverse=True)
        classes = seen
        if known is not None:
            classes, codes = known, _positions(seen, known)[codes]
        indicators = np.zeros((codes.size, classes.size))
        indicators[np.arange(codes.size), codes] = 1.0
        weights = None
        if self.class_weight is not None:
            weights = self._class_weights(seen, labels)[np.searchsorted(seen, labels)]
        return Encoded(Targets(indicators, targets.kind, True), weights, classes)

    def _class_weights(self, classes: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Return the weight of each class, or raise."""
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
        """Return the label of the largest score."""
        return map_rows(values, lambda rows: self.classes_[rows.argmax(axis=-1)])

    @takes_collections
    def decision_function(self, X: Any, *, initial_state: Any = None, clamp: Any = None) -> Any:
        """Return the score of every class; for two classes, the second score minus the first.

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

        The largest one is that of the predicted label. A ridge readout calibrates them, see
        :class:`~esnkit.readouts.RidgeReadout`.

        Parameters
        ----------
        X, initial_state, clamp : as in ``predict``

        Returns
        -------
        probabilities : like ``predict``, with an axis (n_classes,) at the end
        """
        return map_rows(self._scores(X, initial_state, clamp), self._as_probabilities)

    @takes_collections
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

        Without ``initial_state``, the first ``washout`` time steps of every sequence are left out
        as they are in ``fit``: their states still depend on the initial zeros.

        Parameters
        ----------
        X, y : as in ``fit``
        sample_weight : array-like, default=None
            A weight per row or per sequence.
        initial_state, clamp : optional
            As in ``fit``.

        Returns
        -------
        float
        """
        y_true, y_pred, weights = compare(self, X, y, sample_weight, initial_state, clamp)
        return accuracy(labels_of(y_true), y_pred[:, 0], weights)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags


def accuracy(y_true: np.ndarray, y_pred: np.ndarray, weights: np.ndarray | None) -> float:
    """Return the share of labels that are predicted, as scikit-learn does.

    A search scores often: its function finds out what labels are for longer than it counts them.
    """
    if weights is None and len(y_true) and y_true.dtype.kind == y_pred.dtype.kind in "biuU":
        return float(np.average(y_true == y_pred))
    from sklearn.metrics import accuracy_score  # as in scikit-learn: slow to import

    return accuracy_score(y_true, y_pred, sample_weight=weights)


def _positions(seen: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return the positions of labels among the known classes, or raise."""
    unseen = np.setdiff1d(seen, known)
    if unseen.size:
        raise ValueError(
            f"y holds labels unseen before, {unseen.tolist()}, expected some of {known.tolist()}"
        )
    return np.searchsorted(known, seen)


def known_classes(estimator: Any, classes: Any, first: bool) -> np.ndarray | None:
    """Return the classes of ``partial_fit``: given in the first call, or learned; else None."""
    given = None
    if classes is not None:
        refuse_masked("classes", classes)
        refuse_missing("classes", classes, "give the labels that y may hold")
        given = np.unique(classes)
    if first:
        return given
    if given is not None and not np.array_equal(given, estimator.classes_):
        raise ValueError(
            f"classes must be those of the first call, {estimator.classes_.tolist()}, got "
            f"{given.tolist()}"
        )
    return estimator.classes_


def map_rows(values: Any, function: Callable[[np.ndarray], np.ndarray]) -> Any:
    """Apply a function to an array, or to every array of a list."""
    return [function(rows) for rows in values] if isinstance(values, list) else function(values)


def softmax(rows: np.ndarray) -> np.ndarray:
    """Return the softmax of the last axis."""
    powers = np.exp(rows - rows.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)
