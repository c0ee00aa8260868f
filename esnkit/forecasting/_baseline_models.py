"""Models of one series that any other should beat: rules without weights, and regressions on lags.

All have the attribute `min_rows` and the method `fit`, which returns a model with the methods of an
:class:`~esnkit.forecasting._ensemble.Ensemble`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from esnkit.forecasting._ensemble import Ensemble, ModelSpec, fit_ensemble, range_of
from esnkit.forecasting._exponential_smoothing import exponential_smoothing
from esnkit.forecasting._missing import fill_seasons, interpolate
from esnkit.forecasting._naive import (
    autoregressive_order,
    context_parrot,
    drift,
    persistence,
    seasonal_naive,
)
from esnkit.forecasting._runaway import clear_runaways
from esnkit.utils._plain_state import plain_record

__all__ = ["Regression", "Rule", "default_order", "least_squares", "ridge"]

# By name: the forecast of a past and a number of steps, given the rule.
RULES: dict[str, Callable[[np.ndarray, int, "Rule"], np.ndarray]] = {
    "mean": lambda past, n_steps, _: np.repeat(past.mean(axis=0, keepdims=True), n_steps, axis=0),
    "naive": lambda past, n_steps, _: persistence(past, n_steps),
    "drift": lambda past, n_steps, _: drift(past, n_steps),
    "seasonal naive": lambda past, n_steps, rule: seasonal_naive(past, n_steps, rule.length),
    "exponential smoothing": lambda past, n_steps, rule: exponential_smoothing(
        past, n_steps, rule.periods, rule.horizon
    ),
    "context parrot": lambda past, n_steps, rule: context_parrot(past, n_steps, rule.length),
}
MIN_ROWS_OF_RULES = {"drift": 2, "context parrot": 2}  # times the length; 1 for others
PENALTIES = tuple(10.0**k for k in range(-3, 5))
MIN_ROWS_PER_LAG = 3


@plain_record
class Rule(NamedTuple):
    """A forecast that is a function of the past, without weights."""

    name: str  # in RULES
    length: int = 1  # of the season, or of the context
    periods: tuple[int, ...] = ()  # of the seasons that exponential smoothing chooses from
    horizon: int | None = None  # of the rolling forecasts by which it chooses

    @property
    def min_rows(self) -> int:
        """Number of rows that a forecast needs."""
        return MIN_ROWS_OF_RULES.get(self.name, 1) * self.length

    def fit(self, values: np.ndarray, exog: np.ndarray) -> "FittedRule":
        """Keep the rows (n_rows, 1) of a series; a rule has no use for inputs."""
        return FittedRule(self, values)


@plain_record
@dataclass(frozen=True)
class FittedRule:
    """A rule and the rows seen, with the methods of an `Ensemble`.

    Before a forecast, the last observed value (of the same season) stands for a missing one.
    """

    rule: Rule
    rows: np.ndarray

    models = ()

    def advance(self, values: np.ndarray, exog: np.ndarray) -> "FittedRule":
        """Return the rule after the rows that follow; this one stays as it is."""
        return replace(self, rows=np.vstack([self.rows, values]))

    def roll(self, values: np.ndarray, exog: np.ndarray, origins, n_steps: int) -> np.ndarray:
        """Forecast from several origins, see `Ensemble.roll`."""
        rows, n_seen = np.vstack([self.rows, values]), len(self.rows)
        forecast, rule = RULES[self.rule.name], self.rule
        rows = fill_seasons(rows, 1 if rule.name == "context parrot" else rule.length)
        ahead = np.stack([forecast(rows[: n_seen + k], n_steps, rule) for k in origins])
        return clear_runaways(ahead, range_of(self.rows))

    def limit(self, values: np.ndarray) -> np.ndarray:
        """Return values within the range that forecasts may have, which is not limited here."""
        return values

    @property
    def naive_lags(self) -> list[int]:
        """See `Ensemble.naive_lags`; the last value is repeated."""
        return [1] * self.rows.shape[1]

    def exog_out_of_range(self, exog: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return that nothing is unusual about inputs, as they have no effect."""
        return np.empty(0, dtype=int), np.zeros(exog.shape)


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
