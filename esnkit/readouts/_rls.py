"""Recursive least squares: ridge regression that learns one row after the other, and forgets."""

import math
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import MultiOutputMixin, RegressorMixin

from esnkit.kernels.online import Covariance, LinearMap, recursive_least_squares
from esnkit.readouts._base import BaseReadout
from esnkit.readouts._online import OnlineReadoutMixin
from esnkit.utils._plain_state import plain_record
from esnkit.utils._validation import check_number

__all__ = ["RLSReadout"]

plain_record(LinearMap)
plain_record(Covariance)


@plain_record
class RLSState(NamedTuple):
    """What the rows so far have taught."""

    linear: LinearMap
    covariance: Covariance


class RLSReadout(OnlineReadoutMixin, RegressorMixin, MultiOutputMixin, BaseReadout):
    """Recursive least squares with forgetting: a ridge readout that is up to date after every row.

    After row n it minimises, over the coefficients B and the intercept c, which is not penalised::

        sum_i forgetting^(n - i) w_i |y_i - x_i B - c|^2 + sum_j p_j |B_j|^2

    With ``forgetting=1`` every p_j is alpha: the solution is that of :class:`RidgeReadout`. With
    less, old rows fade; p_j fades as they do and is renewed to alpha in turn, one feature or a few
    per row, so that it stays between alpha / 2 and alpha [1]_: without that, directions that the
    features do not excite would lose their penalty, and the covariance would overflow.

    Parameters
    ----------
    alpha : float > 0, default=1e-6
        Penalty on the squared coefficients.
    forgetting : float in (0, 1], default=1.0
        Factor by which each row reduces the weights of all rows before; about
        1 / (1 - forgetting) rows count.

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
    RidgeReadout : The same model without forgetting: faster for many rows at once, and rows of one
        output may have other weights than those of another.
    LMSReadout : A step costs n_features instead of their square, and many more are needed.

    Notes
    -----
    The covariance is kept as U D U', with U unit upper triangular and D diagonal, and updated by
    Bierman's recursion [2]_, which cannot make it indefinite, where rounding can if the covariance
    itself is updated [3]_. A row costs about 3 n_features^2 operations, and with forgetting 1.5
    times that or more, for the penalties. Features are measured from their running weighted mean.

    References
    ----------
    .. [1] S. L. Gay (1996), Dynamically regularized fast RLS with application to echo cancellation.
    .. [2] G. J. Bierman (1977), Factorization methods for discrete sequential estimation, V.3.
    .. [3] M. H. Verhaegen (1989), Round-off error propagation in four generally-applicable,
       recursive, least-squares estimation schemes.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit.readouts import RLSReadout
    >>> X = np.sin(np.arange(40.0).reshape(20, 2))
    >>> y = X @ [1.0, -2.0] + 3.0
    >>> RLSReadout().fit(X, y).coef_.round(6)
    array([ 1., -2.])
    >>> drifting = RLSReadout(forgetting=0.5).fit(X, y)
    >>> drifting.partial_fit(X, y + 1.0).intercept_.round(3)
    np.float64(4.0)
    """

    def __init__(self, alpha: float = 1e-6, *, forgetting: float = 1.0):
        self.alpha = alpha
        self.forgetting = forgetting

    def _initial_state(self, n_features: int, n_outputs: int) -> RLSState:
        """Return the state of no rows: the penalty alone."""
        alpha, _ = self._parameters()
        linear = LinearMap(
            np.zeros((n_outputs, n_features)), np.zeros(n_features), np.zeros(n_outputs),
            np.zeros(1),
        )  # fmt: skip
        covariance = Covariance(
            np.zeros(n_features * (n_features - 1) // 2), np.full(n_features, 1.0 / alpha),
            np.full(n_features, alpha), np.zeros(1, np.int64),
        )  # fmt: skip
        return RLSState(linear, covariance)

    def _learn(self, state: RLSState, X: np.ndarray, Y: np.ndarray, w: np.ndarray) -> None:
        """Learn rows in place."""
        alpha, forgetting = self._parameters()
        settings = forgetting, alpha, _n_renewed(forgetting, X.shape[1])
        recursive_least_squares(*state, X, Y, w, settings)

    def _map(self, state: RLSState) -> tuple[np.ndarray, np.ndarray]:
        """Return coefficients and intercept in float64."""
        coef, mean_x, mean_y, _ = state.linear
        return coef, mean_y - coef @ mean_x

    def _work_per_row(self, state: RLSState) -> float:
        """Return the number of multiply-adds."""
        n = len(state.linear.mean_x)
        return 1.5 * n * n * (1 + _n_renewed(self.forgetting, n))

    def _parameters(self) -> tuple[float, float]:
        """Return alpha and forgetting; raise if one is invalid."""
        alpha = check_number("alpha", self.alpha, 0.0, low_open=True)
        return alpha, check_number("forgetting", self.forgetting, 0.0, 1.0, low_open=True)


def _n_renewed(forgetting: Any, n_features: int) -> int:
    """Return how many penalties each row renews, so that none fades below half of alpha."""
    return min(n_features, math.ceil(-n_features * math.log2(forgetting)))
