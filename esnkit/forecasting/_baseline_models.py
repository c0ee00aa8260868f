"""Regressions on lags, as models of one series that any other should beat.

As a :class:`~esnkit.forecasting._rules.Rule`, they have the attribute `min_rows` and the method
`fit`, which returns a model with the methods of an
:class:`~esnkit.forecasting._ensemble.Ensemble`.
"""

from typing import Any, NamedTuple

import numpy as np

from esnkit.forecasting._ensemble import Ensemble, ModelSpec, fit_ensemble
from esnkit.forecasting._missing import interpolate
from esnkit.forecasting._naive import autoregressive_order
from esnkit.utils._plain_state import plain_record

__all__ = ["Regression", "default_order", "least_squares", "ridge"]

PENALTIES = tuple(10.0**k for k in range(-3, 5))
MIN_ROWS_PER_LAG = 3


@plain_record
class Regression(NamedTuple):
    """A regressor on lagged values of a standardised series, in closed loop."""

    estimator: Any
    lags: tuple[int, ...] | None = None  # None stands for those of `default_order`
    by_aic: bool = False  # whether Akaike's criterion chooses how many of them
    random_state: Any = None
    n_exog: int | None = None  # inputs, the first ones, that it has; None for all

    @property
    def min_rows(self) -> int:
        """Number of rows that fitting needs."""
        largest = self.lags[-1] if self.lags else 1
        return 2 * largest + 2 if self.by_aic else largest + 1

    def fit(self, values: np.ndarray, exog: np.ndarray) -> Ensemble:
        """Fit to a series (n_rows, 1) and its inputs."""
        lags = self.lags or tuple(range(1, default_order(len(values)) + 1))
        if self.by_aic:
            lags = lags[: autoregressive_order(interpolate(values)[:, 0], lags[-1])]
        spec = ModelSpec(
            estimator=self.estimator,
            strategy="recursive",
            lags=lags,
            horizon=None,
            differences=(),
            scale=True,
            n_ensemble=1,
            combine="mean",
            random_state=self.random_state,
            n_exog=self.n_exog,
        )
        return fit_ensemble(spec, values, exog)


def default_order(n_rows: int) -> int:
    """Return how many lags models of a series have at most, 10 log10(n_rows) as in R's `ar`.

    Examples
    --------
    >>> default_order(11), default_order(200)
    (3, 23)
    """
    return max(1, min(int(10 * np.log10(n_rows)), (n_rows - 2) // MIN_ROWS_PER_LAG))


def least_squares():
    """Return a linear regression, the least-norm solution where lags are dependent."""
    from sklearn.linear_model import LinearRegression

    return LinearRegression()


def ridge(alpha=PENALTIES):
    """Return a ridge regression, whose penalty leave-one-out chooses from several."""
    from esnkit.readouts import RidgeReadout

    return RidgeReadout(alpha)
