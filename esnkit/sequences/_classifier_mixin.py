"""What classification adds to the core: labels, indicators, probabilities."""

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin, is_classifier
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from esnkit.sequences._targets import Targets, has_row_per_step


class SequenceClassifierMixin(ClassifierMixin):
    """Answers with labels; the readout learns their indicators."""

    _numeric = False
    feedback = False

    def _target_of(self, y: Any, sequences: Any) -> str:
        # A label has no second axis, so two axes are sequences and time steps.
        if self.target != "auto" or sequences.form == "series":
            return self.target
        return "steps" if has_row_per_step(y, sequences) else "auto"

    def _encode(self, targets: Targets, form: str = "series") -> tuple[Targets, np.ndarray | None]:
        labels = targets.values[:, 0]
        if targets.values.shape[1] > 1 or not targets.flat:
            labels = column_or_1d(targets.values, warn=form == "series")
        check_classification_targets(labels)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        indicators = np.zeros((codes.size, self.classes_.size))
        indicators[np.arange(codes.size), codes] = 1.0
        weights = None if self.class_weight is None else self._class_weights(labels)[codes]
        return Targets(indicators, targets.kind, True), weights

    def _class_weights(self, labels: np.ndarray) -> np.ndarray:
        try:
            weights = compute_class_weight(self.class_weight, classes=self.classes_, y=labels)
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

    def _readout_target(self, Y):
        return self.classes_[Y.argmax(axis=1)] if is_classifier(self.readout_) else Y

    def _check_taught(self, target: np.ndarray) -> None:
        """Raise where weights leave too little for a classifier as readout."""
        if is_classifier(self.readout_) and np.unique(target).size < min(2, self.classes_.size):
            raise ValueError(
                f"sample_weight, washout and class_weight leave one class, {target[0]!r}, to be "
                f"taught to {type(self.readout_).__name__}: expected two or more"
            )

    def _ask_readout(self, Z):
        if not is_classifier(self.readout_):
            return self.readout_.predict(Z)
        if self.classes_.size == 1:
            return np.ones((len(Z), 1), Z.dtype)
        # Its labels need not be those of the largest score: it may have a threshold of its own.
        return (self.readout_.predict(Z)[:, None] == self.classes_).astype(Z.dtype)

    def _ask_scores(self, Z):
        scored = [hasattr(self.readout_, way) for way in ("predict_proba", "decision_function")]
        if not is_classifier(self.readout_) or self.classes_.size == 1 or not any(scored):
            return self._ask_readout(Z)
        if scored[0]:
            scores, unknown = self.readout_.predict_proba(Z), 0.0
        else:
            scores, unknown = self.readout_.decision_function(Z), -np.inf
            scores = np.stack([-scores, scores], axis=1) / 2 if scores.ndim == 1 else scores
        known = self.readout_.classes_
        if scores.shape[1] != len(known) or (len(known) > 2 and _of_pairs(self.readout_)):
            raise ValueError(
                f"readout must score every class, got scores of pairs of classes from "
                f"{self.readout_!r}: use decision_function_shape='ovr'"
            )
        # A class whose rows all have weight zero is known to us, but not to the readout.
        full = np.full((len(Z), self.classes_.size), unknown, scores.dtype)
        full[:, np.searchsorted(self.classes_, known)] = scores
        return full

    def _decode(self, values: Any) -> Any:
        return _each(values, lambda rows: self.classes_[rows.argmax(axis=-1)])

    def decision_function(self, X: Any, *, initial_state: Any = None, clamp: Any = None) -> Any:
        """Return the score of every class; of two classes, the lead of the second.

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
        return _each(values, lambda rows: rows[..., 1] - rows[..., 0])

    def predict_proba(self, X: Any, *, initial_state: Any = None, clamp: Any = None) -> Any:
        """Return the probability of every class; they sum to 1.

        The ridge readout estimates the indicators of the classes, whose mean is their
        probability; estimates below zero are set to zero and the rest is scaled to sum to 1. A
        classifier as readout answers itself.

        Parameters
        ----------
        X, initial_state, clamp : as in ``predict``

        Returns
        -------
        probabilities : like ``predict``, with an axis (n_classes,) at the end
        """
        values = self._scores(X, initial_state, clamp)
        unbounded = hasattr(self.readout_, "decision_function")
        if unbounded and not hasattr(self.readout_, "predict_proba"):
            return _each(values, _softmax)
        return _each(values, _as_probabilities)

    def score(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        initial_state: Any = None,
        clamp: Any = None,
    ) -> float:
        """Return the share of right labels over all rows of all sequences.

        Without ``initial_state`` the first ``washout`` time steps of a sequence, in which the
        state comes from zero, are left out, as they are in ``fit``.

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

        truth, answer, weights = self._compare(X, y, sample_weight, initial_state, clamp)
        return accuracy_score(labels_of(truth), answer[:, 0], sample_weight=weights)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags


def labels_of(rows: np.ndarray) -> np.ndarray:
    """Return the labels (n_rows,) in rows of one, or raise."""
    if rows.shape[1] > 1:
        raise ValueError(f"y must hold one label each, got {rows.shape[1]} columns")
    return rows[:, 0]


def _of_pairs(readout: Any) -> bool:
    """Tell whether a classifier, at the end of a pipeline or found by a search, scores pairs."""
    found = getattr(readout, "best_estimator_", readout)
    last = found[-1] if hasattr(found, "steps") else found
    return getattr(last, "decision_function_shape", None) == "ovo"


def _each(values: Any, function: Any) -> Any:
    return [function(rows) for rows in values] if isinstance(values, list) else function(values)


def _as_probabilities(rows: np.ndarray) -> np.ndarray:
    positive = np.maximum(rows, 0.0)
    total = positive.sum(axis=-1, keepdims=True)
    # A regressor of the user's own may estimate no class above zero.
    return np.where(total > 0, positive, _softmax(rows)) / np.where(total > 0, total, 1.0)


def _softmax(rows: np.ndarray) -> np.ndarray:
    powers = np.exp(rows - rows.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)
