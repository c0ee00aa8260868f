"""Forecasts that are functions of the past, without weights, as models of series."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from esnkit.forecasting._exponential_smoothing import MAX_ROWS, exponential_smoothing
from esnkit.forecasting._missing import fill_seasons
from esnkit.forecasting._naive import context_parrot, drift, persistence, seasonal_naive
from esnkit.forecasting._runaway import clear_runaways, range_of
from esnkit.utils._plain_state import plain_record

__all__ = ["FittedRule", "Rule", "naive_season", "smoothing_rule"]

# By name: the forecast of a past and a number of steps, given the rule.
RULES: dict[str, Callable[[np.ndarray, int, "Rule"], np.ndarray]] = {
    "mean": lambda past, n_steps, _: np.repeat(past.mean(axis=0, keepdims=True), n_steps, axis=0),
    "naive": lambda past, n_steps, _: persistence(past, n_steps),
    "drift": lambda past, n_steps, _: drift(past, n_steps),
    "seasonal naive": lambda past, n_steps, rule: seasonal_naive(
        past, n_steps, min(rule.length, len(past))
    ),
    "exponential smoothing": lambda past, n_steps, rule: exponential_smoothing(
        past, n_steps, rule.periods, rule.horizon
    ),
    "context parrot": lambda past, n_steps, rule: context_parrot(past, n_steps, rule.length),
}
MIN_ROWS_OF_RULES = {"drift": 2, "context parrot": 2}  # times the length; 1 for others


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

    @property
    def max_rows(self) -> int | None:
        """Number of the last rows that a forecast may depend on; None for all."""
        lasting = {"exponential smoothing": MAX_ROWS, "seasonal naive": self.length}
        return lasting.get(self.name)

    def fit(self, values: np.ndarray, exog: np.ndarray) -> "FittedRule":
        """Keep rows (n_rows, n_series); a rule has no use for inputs."""
        return FittedRule(self, _last(values, self.max_rows))


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
        return self.rule.fit(np.vstack([self.rows, values]), exog)

    def roll(self, values: np.ndarray, exog: np.ndarray, origins, n_steps: int) -> np.ndarray:
        """Forecast from several origins, see `Ensemble.roll`."""
        rows, n_seen = np.vstack([self.rows, values]), len(self.rows)
        forecast, rule = RULES[self.rule.name], self.rule
        rows = fill_seasons(rows, 1 if rule.name == "context parrot" else rule.length)
        ahead = np.stack([forecast(rows[: n_seen + k], n_steps, rule) for k in origins])
        if rule.name != "exponential smoothing":  # which alone may run away
            return ahead
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


def smoothing_rule(periods: Sequence[float], n_rows: int, horizon: int) -> Rule:
    """Return exponential smoothing for at least `n_rows` rows, judged by rolling forecasts."""
    lengths = tuple(round(period) for period in periods)
    return Rule("exponential smoothing", naive_season(periods, n_rows), lengths, horizon)


def naive_season(periods: Sequence[float], n_rows: int) -> int:
    """Return the length of the first season, 1 without one or if it is longer than the rows.

    Examples
    --------
    >>> naive_season([12.0, 52.2], 20), naive_season([52.2], 20), naive_season([], 20)
    (12, 1, 1)
    """
    first = round(periods[0]) if periods else 1
    return first if first <= n_rows else 1


def _last(rows: np.ndarray, n_rows: int | None) -> np.ndarray:
    """Copy the last rows, what they are part of may be large; None keeps all as they are."""
    return rows if n_rows is None else rows[-n_rows:].copy()
