"""Least mean squares: a step along the error of every row."""

from typing import NamedTuple, NoReturn

import numpy as np

from esnkit.kernels.online import least_mean_squares
from esnkit.readouts._base import BaseReadout, RegressorReadoutMixin
from esnkit.readouts._online import OnlineReadoutMixin
from esnkit.utils._plain_state import plain_record
from esnkit.utils._validation import check_flag, check_number

__all__ = ["LMSReadout"]


@plain_record
class LMSState(NamedTuple):
    """What the rows so far have taught."""

    coef: np.ndarray  # (n_outputs, n_features)
    intercept: np.ndarray  # (n_outputs,)


class LMSReadout(OnlineReadoutMixin, RegressorReadoutMixin, BaseReadout):
    """Least mean squares: every row moves the coefficients a step along its error.

    For the error e = y - B x - c of a row x of weight w::

        B += w step e x',    c += w step e,    step = step_size / (1 + |x|^2), or step_size

    A row costs a few times n_features operations, where recursive least squares costs n_features^2,
    but the error falls slowly along directions in which the features vary little, as those of
    reservoirs do in most.

    Parameters
    ----------
    step_size : float > 0, default=0.5
        Normalised, the share of its error that a row removes, stable below 2: 1 is fastest and 0.5
        averages over noise. Else it must be below 2 / (1 + |x|^2) for most rows.
    normalized : bool, default=True
        Divide the step by 1 + |x|^2 [2]_, so that stability does not depend on the sizes of the
        features, as the usual recommendation is [3]_.

    Attributes
    ----------
    coef_ : ndarray (n_features,) or (n_outputs, n_features)
        In the dtype of X; sums are always float64.
    intercept_ : float or ndarray (n_outputs,)
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Only if X has column names.

    See Also
    --------
    RLSReadout : Exact least squares after every row.

    References
    ----------
    .. [1] B. Widrow and M. E. Hoff (1960), Adaptive switching circuits.
    .. [2] J. Nagumo and A. Noda (1967), A learning method for system identification.
    .. [3] S. Haykin (2002), Adaptive filter theory, chapter 6.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit.readouts import LMSReadout
    >>> X = np.sin(np.arange(400.0).reshape(200, 2))
    >>> y = X @ [1.0, -2.0] + 3.0
    >>> LMSReadout(step_size=1.0).fit(X, y).coef_.round(3)
    array([ 1., -2.])
    """

    def __init__(self, step_size: float = 0.5, *, normalized: bool = True):
        self.step_size = step_size
        self.normalized = normalized

    def _initial_state(self, n_features: int, n_outputs: int) -> LMSState:
        """Return coefficients of zero."""
        return LMSState(np.zeros((n_outputs, n_features)), np.zeros(n_outputs))

    def _learn(self, state: LMSState, X: np.ndarray, Y: np.ndarray, w: np.ndarray) -> None:
        """Learn rows in place."""
        step_size = check_number("step_size", self.step_size, 0.0, low_open=True)
        settings = step_size, check_flag("normalized", self.normalized)
        least_mean_squares(*state, X, Y, w, settings)

    def _map(self, state: LMSState) -> tuple[np.ndarray, np.ndarray]:
        """Return coefficients and intercept in float64."""
        return state.coef, state.intercept

    def _work_per_row(self, state: LMSState) -> float:
        """Return the number of multiply-adds."""
        return 2.0 * state.coef.size

    def _raise_diverged(self) -> NoReturn:
        """Raise with the remedy: the step is too long for rows of such weights and sizes."""
        remedy = "a smaller step_size" if self.normalized else "normalized=True"
        raise ValueError(
            f"step_size must be so small that the coefficients stay finite, got {self.step_size}: "
            f"use {remedy}, or scale X, y and sample_weight"
        )

    def __sklearn_tags__(self):
        """Return tags: a few rows are not enough for a good score."""
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        return tags
