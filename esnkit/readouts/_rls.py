"""Recursive least squares: ridge regression that learns one row after the other, and forgets."""

import math
from typing import Any, NamedTuple, Self

import numpy as np
from scipy.linalg import solve_triangular
from sklearn.utils.validation import check_is_fitted

from esnkit.kernels.online import Covariance, LinearMap, recursive_least_squares
from esnkit.readouts._base import BaseReadout, RegressorReadoutMixin
from esnkit.readouts._online import OnlineReadoutMixin
from esnkit.utils._plain_state import plain_record
from esnkit.utils._rollback import rollback_on_error
from esnkit.utils._validation import check_number

__all__ = ["RLSReadout"]

plain_record(LinearMap)
plain_record(Covariance)


@plain_record
class RLSState(NamedTuple):
    """What the rows so far have taught."""

    linear: LinearMap
    covariance: Covariance


class RLSReadout(OnlineReadoutMixin, RegressorReadoutMixin, BaseReadout):
    """Recursive least squares with forgetting: a ridge readout that is up to date after every row.

    After row n it minimises, over the coefficients B and the intercept c, which is not penalised::

        sum_i forgetting^(n - i) w_i |y_i - x_i B - c|^2 + sum_j p_j |B_j|^2

    With ``forgetting=1`` every p_j is alpha: the solution is that of :class:`RidgeReadout`. With
    less, old rows fade; p_j fades as they do and is renewed to alpha in turn, one feature or a few
    per row, so that it stays between alpha / 2 and alpha [1]_: without that, directions that the
    features do not excite would lose their penalty, and the covariance would overflow. Rows of
    weight zero do not count, and let nothing fade.

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
    LMSReadout : A row costs n_features operations, not their square, but many more are needed.

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
    >>> round(float(drifting.partial_fit(X, y + 1.0).intercept_), 3)
    4.0
    """

    def __init__(self, alpha: float = 1e-6, *, forgetting: float = 1.0):
        self.alpha = alpha
        self.forgetting = forgetting

    @rollback_on_error
    def merge(self, other: "RLSReadout") -> Self:
        """Add all rows that another readout learned: the result is that of one readout of all rows.

        The penalty stays that of this readout; that of the other is taken out of its covariance.
        An exception leaves the readout as it was before the call.

        Parameters
        ----------
        other : RLSReadout
            Fitted; it stays unchanged.

        Returns
        -------
        self : RLSReadout

        Raises
        ------
        TypeError
            If `other` is not an RLSReadout.
        ValueError
            If the numbers of features or outputs differ, or if one of the two readouts forgets:
            what counts is then the order of the rows, which two readouts do not share.

        Examples
        --------
        >>> import numpy as np
        >>> from esnkit.readouts import RLSReadout
        >>> X = np.sin(np.arange(40.0).reshape(20, 2))
        >>> y = X @ [1.0, -2.0] + 3.0
        >>> first, second = RLSReadout().fit(X[:12], y[:12]), RLSReadout().fit(X[12:], y[12:])
        >>> bool(np.allclose(first.merge(second).coef_, RLSReadout().fit(X, y).coef_))
        True
        """
        if not isinstance(other, RLSReadout):
            raise TypeError(f"other must be an RLSReadout, got {type(other).__name__}")
        check_is_fitted(self)
        check_is_fitted(other)
        shape = self.n_features_in_, self._n_outputs
        if (other.n_features_in_, other._n_outputs) != shape:
            raise ValueError(
                f"other must have {shape[0]} features and {shape[1]} outputs as this readout, "
                f"got {other.n_features_in_} and {other._n_outputs}"
            )
        for readout in (self, other):
            if readout.forgetting != 1.0:
                raise ValueError(
                    "forgetting must be 1 for merge, as the order of the rows of two readouts is "
                    f"unknown, got {readout.forgetting!r}: learn the rows with partial_fit"
                )
        return self._store(_merged(self._state, other._state))

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


def _merged(first: RLSState, second: RLSState) -> RLSState:
    """Return the state of the rows of both, with the penalties of the first.

    The rows of each state are as many as its features, of the same scatter matrix; those of the
    second are without its penalties. One more row is that of the distance between the means (Chan,
    Golub and LeVeque 1979, eq. 2.1). Square roots of all matrices keep the digits of small
    penalties.
    """
    n, before, added = len(first.linear.mean_x), first.linear, second.linear
    total = before.weight + added.weight
    share = np.divide(added.weight, total, out=np.zeros(1), where=total > 0)
    shift_x, shift_y = added.mean_x - before.mean_x, added.mean_y - before.mean_y
    factor = _information_factor(first.covariance)
    rows = [
        np.hstack([factor, factor @ before.coef.T]),
        _rows_without_penalty(second),
        np.sqrt(before.weight * share) * np.hstack([shift_x, shift_y]),
    ]
    R = np.asarray(np.linalg.qr(np.vstack(rows), mode="r"))[:n]
    coef = solve_triangular(R[:, :n], R[:, n:]).T
    linear = LinearMap(
        np.ascontiguousarray(coef), before.mean_x + share * shift_x,
        before.mean_y + share * shift_y, total,
    )  # fmt: skip
    U = solve_triangular(R[:, :n], np.eye(n))
    roots = np.diagonal(U).copy()
    covariance = first.covariance._replace(
        factor=(U / roots).T[np.tril_indices(n, -1)], diagonal=roots**2
    )
    return RLSState(linear, covariance)


def _information_factor(covariance: Covariance) -> np.ndarray:
    """Return an upper triangular R with R'R = P^-1, which is U'^-1 diag(d)^-1 U^-1."""
    n = len(covariance.diagonal)
    U = np.eye(n)
    U.T[np.tril_indices(n, -1)] = covariance.factor
    return solve_triangular(U, np.eye(n)) / np.sqrt(covariance.diagonal)[:, None]


def _rows_without_penalty(state: RLSState) -> np.ndarray:
    """Return n rows (features, outputs) whose least squares are those of the rows of a state."""
    roots = np.sqrt(state.covariance.penalty)
    # Relative to the penalties, the squared singular values are 1 + those of the scatter matrix.
    _, values, axes = np.linalg.svd(_information_factor(state.covariance) / roots)
    sizes = np.sqrt(np.maximum(values**2 - 1.0, 0.0))
    cross_products = values[:, None] ** 2 * (axes @ (roots[:, None] * state.linear.coef.T))
    outputs = np.zeros_like(cross_products)
    np.divide(cross_products, sizes[:, None], out=outputs, where=sizes[:, None] > 0)
    return np.hstack([sizes[:, None] * axes * roots, outputs])
