"""Regression on sequences: targets and predictions are numbers."""

from typing import Any

from sklearn.base import MultiOutputMixin, RegressorMixin

from esnkit.sequences._targets import Encoded, Targets


class SequenceRegressorMixin(MultiOutputMixin, RegressorMixin):
    """Encode, decode, score and tag numeric targets of sequences."""

    _numeric = True

    def _target_of(self, y: Any, sequences: Any) -> str:
        return self.target

    def _encode(self, targets: Targets, form: str = "series", known: Any = None) -> Encoded:
        """Return the targets as they are."""
        return Encoded(targets)

    def _decode(self, values: Any) -> Any:
        """Drop the axis of the outputs where the targets had none."""
        if not self._flat:
            return values
        return [rows[..., 0] for rows in values] if isinstance(values, list) else values[..., 0]

    def score(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        initial_state: Any = None,
        clamp: Any = None,
    ) -> float:
        """Return the coefficient of determination over all rows of all sequences.

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
        from sklearn.metrics import r2_score  # as scikit-learn does: costly to import

        truth, answer, weights = self._compare(X, y, sample_weight, initial_state, clamp)
        return r2_score(truth, answer, sample_weight=weights)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags
