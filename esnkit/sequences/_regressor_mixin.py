"""Regression on sequences: numeric targets and predictions."""

from typing import Any

import numpy as np
from sklearn.base import MultiOutputMixin, RegressorMixin

from esnkit.sequences._scorer import compare
from esnkit.sequences._targets import Encoded, Targets
from esnkit.utils._collections import takes_collections

__all__ = ["SequenceRegressorMixin", "r2_of_rows"]

MIN_TOTAL = 1e-290  # a smaller sum of squares may have lost digits to underflow
# In units of the largest target: sums of larger squares may overflow in float32, and in float64.
MAX_SINGLE, MAX_ERROR = 1e8, 1e150


class SequenceRegressorMixin(MultiOutputMixin, RegressorMixin):
    """Encode, decode, score and tag numeric targets of sequences.

    The estimator provides ``target``, ``_flat`` and ``_true_rows``, which returns the targets of a
    score and their weights.
    """

    _numeric = True

    def _target_of(self, y: Any, sequences: Any) -> str:
        """Return the kind of target, "auto" if the shape of ``y`` is to decide."""
        return self.target

    def _encode(self, targets: Targets, form: str = "series", known: Any = None) -> Encoded:
        """Return the targets unchanged."""
        return Encoded(targets)

    def _decode(self, values: Any) -> Any:
        """Remove the axis of the outputs if the targets had none."""
        if not self._flat:
            return values
        return [rows[..., 0] for rows in values] if isinstance(values, list) else values[..., 0]

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
        """Return the coefficient of determination over all rows of all sequences.

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
        return r2_of_rows(*compare(self, X, y, sample_weight, initial_state, clamp))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags


def r2_of_rows(y_true: np.ndarray, y_pred: np.ndarray, weights: np.ndarray | None) -> float:
    """Return the coefficient of determination of rows (n_rows, n_outputs), as scikit-learn does.

    A search scores often: its function checks arrays for longer than it sums their rows. Its sums
    of squares may leave the range of float64: they are those of values of the size of one.
    """
    is_plain = y_true.dtype == y_pred.dtype == np.float64 and y_true.shape == y_pred.shape
    if weights is None and len(y_true) > 1 and is_plain:
        with np.errstate(over="ignore", invalid="ignore"):
            squares = np.sum((y_true - y_pred) ** 2, axis=0)
            total = np.sum((y_true - y_true.mean(axis=0)) ** 2, axis=0)
        if np.isfinite(squares).all() and np.isfinite(total).all() and (total > MIN_TOTAL).all():
            return float((1 - squares / total).mean())
    from sklearn.metrics import r2_score  # as in scikit-learn: slow to import

    if y_true.shape == y_pred.shape and np.isfinite(y_pred).all():
        power = np.frexp(np.abs(y_true).max(axis=0, initial=0))[1]
        with np.errstate(over="ignore"):
            scaled = np.ldexp(y_pred, -power)
            if np.abs(scaled).max(initial=0) > MAX_SINGLE:
                scaled = np.ldexp(y_pred.astype(np.float64), -power)
                scaled = np.clip(scaled, -MAX_ERROR, MAX_ERROR)
        y_true, y_pred = np.ldexp(y_true, -power), scaled
    return r2_score(y_true, y_pred, sample_weight=weights)
