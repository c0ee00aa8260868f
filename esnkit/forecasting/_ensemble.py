"""The fitted core of a forecaster: transforms of the series, and one model per member.

series -> differenced, scaled -> models -> members combined -> unscaled, integrated
"""

import copy
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone

from esnkit.forecasting._differencing import Lag, count_lost, longest_lag
from esnkit.forecasting._missing import fit_with_missing, taught_rows
from esnkit.forecasting._reduction import make_reduction, rolling_forecasts
from esnkit.forecasting._rules import FittedRule, Rule
from esnkit.forecasting._runaway import add_share, clear_runaways, combine_members, range_of
from esnkit.forecasting._seasonality import season_terms
from esnkit.forecasting._transforms import ExogTransform, RowTransform
from esnkit.utils._plain_state import plain_record
from esnkit.utils._progress import Task
from esnkit.utils._seeds import first_seed, seed_names, seeds_of_parts
from esnkit.utils._validation import check_seed


@plain_record
class ModelSpec(NamedTuple):
    """Checked parameters of the models that a forecaster fits."""

    estimator: Any
    strategy: str
    lags: tuple[int, ...] | None
    horizon: int | None
    differences: tuple[Lag, ...]
    scale: bool
    n_ensemble: int
    combine: str
    random_state: Any
    power: float | str | None = None  # of the Box-Cox transform of the series
    seasons: tuple = ()  # periods and numbers of harmonics of sines and cosines beside the inputs
    floor: tuple[float, ...] = ()  # smallest forecasts, one per series; empty for none
    n_exog: int | None = None  # inputs, the first ones, that the models have; None for all
    n_past: int = 0  # past-only inputs, the last columns of the series
    simple: Rule | None = None  # a share of whose forecast is part of the forecast
    simple_share: float = 0.0

    @property
    def n_ahead(self) -> int:
        """Number of rows after the last input that a model learns to predict."""
        return self.horizon if self.strategy == "direct" and self.horizon is not None else 1

    @property
    def min_rows(self) -> int:
        """Number of rows that fitting needs at least."""
        return count_lost(self.differences) + (self.lags[-1] if self.lags else 1) + self.n_ahead

    @property
    def n_unexplained(self) -> int:
        """Number of rows at the start that the models only need as the past of others."""
        return count_lost(self.differences) + max(self.lags[-1] if self.lags else 1, self.n_ahead)


@plain_record
@dataclass(frozen=True)
class Ensemble:
    """Members fitted to one transformed series; their forecasts are in its units."""

    models: list
    series_transform: RowTransform
    exog_transform: ExogTransform
    combine: str
    recent: np.ndarray  # the last rows seen, as many as differencing needs
    recent_exog: np.ndarray
    last_row: np.ndarray  # (n_series,)
    n_rows: int  # seen
    seen_range: np.ndarray  # (2, n_series)
    seasons: tuple = ()
    floor: tuple[float, ...] = ()
    n_first: int = 1  # rows before the first prediction
    fill_range: Any = None  # (2, n_series), of predictions for missing values
    simple: FittedRule | None = None  # which has a share of the forecast, unless it runs away
    simple_share: float = 0.0

    def fill(self, values: np.ndarray, exog: np.ndarray) -> np.ndarray:
        """Return the rows that follow, with predictions in place of missing values.

        A missing value is predicted one step ahead from the rows before it, in which predictions
        stand for those that are missing too. Where a prediction runs away, the row before stands
        for it. The models alone predict, without a share of a simple forecast.
        """
        missing = np.isnan(values)
        values, ensemble, seen = values.copy(), replace(self, simple=None), 0
        for row in np.flatnonzero(missing.any(axis=1)).tolist():
            if row > seen:
                ensemble = ensemble.advance(values[seen:row], exog[seen:row])
            step = ensemble.roll(values[:0], exog[row : row + 1], [0], 1)[0, 0]
            step = np.where(np.isnan(step), ensemble.last_row, np.clip(step, *self.fill_range))
            values[row] = np.where(missing[row], step, values[row])
            seen = row
        return values

    def restart(self, values: np.ndarray, exog: np.ndarray) -> "Ensemble":
        """Return the ensemble, with the weights fitted, after the first rows of a series only."""
        exog = with_season_terms(exog, self.seasons, 0)
        z, e = self.series_transform.transform(values), self.exog_transform.transform(exog)
        models = [model.restart() for model in self.models]
        for model in models:
            model.advance(z, e)
        recent = _recent_rows(values, exog, self.series_transform.n_lost)
        simple = None if self.simple is None else self.simple.rule.fit(values, exog)
        return replace(self, models=models, n_rows=len(values), simple=simple, **recent)

    def advance(self, values: np.ndarray, exog: np.ndarray) -> "Ensemble":
        """Return the ensemble after the rows that follow; this one stays as it is."""
        if np.isnan(values).any():
            values = self.fill(values, exog)
        past, past_exog = self._past(values, exog)
        z, e = self.series_transform.transform(past), self.exog_transform.transform(past_exog)
        models = [model.copy() for model in self.models]
        for model in models:
            model.advance(z, e)
        recent = _recent_rows(past, past_exog, self.series_transform.n_lost)
        if self.simple is not None:
            recent["simple"] = self.simple.advance(values, exog)
        seen_range = range_of(np.vstack([self.seen_range, values]))
        n_rows = self.n_rows + len(values)
        return replace(self, models=models, n_rows=n_rows, seen_range=seen_range, **recent)

    def roll(self, values: np.ndarray, exog: np.ndarray, origins, n_steps: int) -> np.ndarray:
        """Forecast from several origins among the rows that follow those seen.

        Parameters
        ----------
        values : ndarray of shape (n_rows, n_series)
            The rows that follow those seen.
        exog : ndarray of shape (n_rows + n_steps, n_exog)
            Their inputs, and those of the `n_steps` rows after the last origin.
        origins : sequence of int, increasing
            How many of the rows are known at each origin.

        Returns
        -------
        ndarray of shape (n_origins, n_steps, n_series)
            In the units of the series. Members that run away do not count; NaN from origins where
            all do.
        """
        if np.isnan(values).any():
            values = self.fill(values, exog)
        past, past_exog = self._past(values, exog)
        z, e = self.series_transform.transform(past), self.exog_transform.transform(past_exog)
        members, task = [], Task("forecasts", len(self.models), "members")
        for model in self.models:
            steps = rolling_forecasts(model, z, e, origins, n_steps)
            forecasts = self._inverse_transform(steps, past, origins)
            members.append(clear_runaways(forecasts, self.seen_range))
            task.step()
        combined = combine_members(members, self.combine)
        if self.simple is not None:
            simple = self.simple.roll(values, exog, origins, n_steps)
            combined = add_share(combined, simple, self.simple_share)
        return self.limit(combined)

    def step_errors(self, values: np.ndarray, exog: np.ndarray) -> np.ndarray:
        """Return the errors of one-step predictions of the rows that follow those seen.

        Returns
        -------
        ndarray of shape (n_models * n_observed_rows, n_series)
            In the units of the series after its power transform and differences. Those of missing
            past-only inputs are zero.
        """
        n_series = values.shape[1] - self.series_transform.n_past
        observed = ~np.isnan(values[:, :n_series]).any(axis=1)
        if np.isnan(values).any():
            values = self.fill(values, exog)
        past, past_exog = self._past(values, exog)
        z, e = self.series_transform.transform(past), self.exog_transform.transform(past_exog)
        errors = np.vstack([(z - model.predict_next(z, e))[observed] for model in self.models])
        return errors * self.series_transform.scale_

    def sample(
        self, errors: np.ndarray, exog: np.ndarray, n_steps: int, n_samples: int, rng
    ) -> np.ndarray:
        """Draw sample paths, whose errors of every step are drawn from those given.

        Parameters
        ----------
        errors : ndarray of shape (n_errors, n_series)
            See `step_errors`; their mean is subtracted.
        exog : ndarray of shape (n_steps, n_exog)
            Inputs of the steps ahead.
        n_steps, n_samples : int
        rng : RandomState

        Returns
        -------
        ndarray of shape (n_samples, n_steps, n_series)
            In the units of the series.
        """
        past, past_exog = self._past(self.recent[:0], exog)
        e = self.exog_transform.transform(past_exog)
        pool = (errors - errors.mean(axis=0)) / self.series_transform.scale_
        noise = pool[rng.randint(len(pool), size=(n_samples, n_steps))]
        member, z = rng.randint(len(self.models), size=n_samples), np.empty_like(noise)
        for j in np.unique(member):
            z[member == j] = self.models[j].sample(noise[member == j], e)
        history = np.repeat(past[:, None], n_samples, axis=1)
        paths = self.series_transform.inverse_transform(z.swapaxes(0, 1), history).swapaxes(0, 1)
        if self.simple is None:
            return paths
        last = past[:0], exog, [0], n_steps  # paths move with the forecast
        return paths + (self.roll(*last) - replace(self, simple=None).roll(*last))

    def states(self, values: np.ndarray, exog: np.ndarray, origins) -> np.ndarray:
        """Return what the models know at each origin, (n_origins, n_state); see `roll`.

        These are states with the last row known, or lagged rows where there is no state.
        """
        past, past_exog = self._past(values, exog)
        z, e = self.series_transform.transform(past), self.exog_transform.transform(past_exog)
        return np.hstack([model.states(z, e, origins) for model in self.models])

    def limit(self, values: np.ndarray) -> np.ndarray:
        """Return values (..., n_series) within the range that forecasts may have."""
        return np.maximum(values, self.floor) if self.floor else values

    @property
    def naive_lags(self) -> list[int]:
        """For each series, how many of its last rows to repeat instead of a runaway forecast."""
        lag = longest_lag(self.series_transform.differences, 1)
        return [lag] * self.seen_range.shape[1]

    def exog_out_of_range(self, exog: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return what is unusual about the inputs of the rows that follow those seen.

        Returns
        -------
        constants : ndarray of int
            Columns that did not vary in `fit` and do now.
        reach : ndarray of shape (n_rows, n_exog)
            How far each row is from the middle of the range in `fit`, whose ends are at 1.
        """
        rows, n_exog = self._past(self.recent[:0], exog)[1], exog.shape[1]
        constants = self.exog_transform.changed_constants(rows)
        return constants[constants < n_exog], self.exog_transform.reach(rows)[:, :n_exog]

    def _inverse_transform(self, steps, past, origins) -> np.ndarray:
        n_lost = self.series_transform.n_lost
        ends = [n_lost + origin for origin in origins]
        return np.stack(
            [
                self.series_transform.inverse_transform(step, past[:end])
                for step, end in zip(steps, ends, strict=True)
            ]
        )

    def _past(self, values, exog):
        """Put the rows that differencing needs in front of new rows, and season terms beside."""
        exog = with_season_terms(exog, self.seasons, self.n_rows)
        return np.vstack([self.recent, values]), np.vstack([self.recent_exog, exog])


def _recent_rows(values: np.ndarray, exog: np.ndarray, n_rows: int) -> dict:
    """Copy the last rows; what they are part of may be large."""
    recent = {
        "recent": values[len(values) - n_rows :].copy(),
        "recent_exog": exog[len(exog) - n_rows :].copy(),
    }
    return recent | ({"last_row": values[-1].copy()} if len(values) else {})


def fit_ensemble(spec: ModelSpec, values: np.ndarray, exog: np.ndarray) -> Ensemble:
    """Fit transforms and members to a series (n_rows, n_series) and its inputs (n_rows, n_exog).

    Of a series with missing values see `fit_with_missing`.
    """
    if not np.isnan(values).any():
        return _fit_complete(spec, values, exog)
    taught = taught_rows(values, spec.differences)
    return fit_with_missing(lambda filled: _fit_complete(spec, filled, exog, taught), values, exog)


def _fit_complete(spec: ModelSpec, values, exog, taught=None) -> Ensemble:
    """Fit to filled rows; `taught` (n_rows - n_lost, n_series) tells which a model learns."""
    if len(values) < spec.min_rows:
        raise ValueError(
            f"series has n_samples={len(values)} time steps, but these lags, differences "
            f"and horizon need at least {spec.min_rows}"
        )
    exog = with_season_terms(exog, spec.seasons, 0)
    series_transform = RowTransform(
        spec.differences, spec.scale, power=spec.power, n_past=spec.n_past
    ).fit(values)
    members = _make_members(spec)
    seen = _rows_learned_from(members[0], spec)
    exog_transform = ExogTransform(spec.differences, spec.scale, seen=seen, n_used=spec.n_exog).fit(
        exog
    )
    z, e = series_transform.transform(values), exog_transform.transform(exog)
    models = [
        make_reduction(member, spec.strategy, spec.lags, spec.n_ahead).fit(z, e, taught)
        for member in members
    ]
    recent = _recent_rows(values, exog, series_transform.n_lost)
    return Ensemble(
        models, series_transform, exog_transform, spec.combine, **recent,
        n_rows=len(values), seen_range=range_of(values), seasons=spec.seasons, floor=spec.floor,
        n_first=spec.min_rows,
        fill_range=_fill_range(values, spec),
        simple=None if spec.simple is None else spec.simple.fit(values, exog),
        simple_share=spec.simple_share,
    )  # fmt: skip


def _fill_range(values: np.ndarray, spec: ModelSpec) -> np.ndarray:
    """Return the range (2, n_series) of predictions for missing values.

    It is three times as wide as that of the values; under a power transform it is positive.
    """
    low, high = values.min(axis=0), values.max(axis=0)
    with np.errstate(over="ignore"):
        width = high - low
        lowest = low - width
        if spec.power is not None:
            with_power = slice(len(low) - spec.n_past)
            lowest[with_power] = np.maximum(lowest[with_power], low[with_power] / 2)
        return np.stack([lowest, high + width])


def with_season_terms(exog: np.ndarray, seasons: tuple, first_row: int) -> np.ndarray:
    """Put the season terms of rows beside their inputs."""
    return np.hstack([exog, season_terms(seasons, first_row + np.arange(len(exog)))])


def count_models(spec: ModelSpec, n_exog: int) -> int:
    """Return how many models the members of an ensemble have together."""
    separate = spec.strategy == "direct" and (spec.lags is not None or n_exog > 0)
    return spec.n_ensemble * (spec.n_ahead if separate else 1)


def _make_members(spec: ModelSpec) -> list:
    """Clone the estimator once per member, each with another seed."""
    if spec.n_ensemble > 1 and not seed_names(spec.estimator.get_params()):
        raise ValueError(
            f"n_ensemble={spec.n_ensemble} needs an estimator with a random_state, "
            f"{type(spec.estimator).__name__} has none"
        )
    return seeded_clones(spec.estimator, spec.n_ensemble, spec.random_state)


def seeded_clones(estimator, n_clones: int, random_state) -> list:
    """Return clones of an estimator, each with another seed if there are several.

    The seeds come from `random_state`, or if it is None from the first `random_state` of the
    estimator and its nested estimators that is not None. A single clone without a `random_state`
    keeps those of the estimator.
    """
    if n_clones == 1 and random_state is None:
        return [clone(estimator)]
    names = estimator.get_params()
    seeds = check_seed(find_seed(estimator, random_state)).randint(2**31 - 1, size=n_clones)
    return [clone(estimator).set_params(**seeds_of_parts(names, int(seed))) for seed in seeds]


def find_seed(estimator, random_state):
    """Return a `random_state`, if it is None that of the estimator or of one nested in it."""
    given = first_seed(estimator.get_params()) if random_state is None else random_state
    return copy.deepcopy(given)


def _rows_learned_from(estimator, spec: ModelSpec) -> slice:
    """Return the rows whose exogenous inputs all models of a forecaster learn from.

    They predict the second row from the first, so that the inputs of the first one act on none; a
    direct model h steps ahead starts at row h, and a network leaves out its washout. Lagged rows
    end before the last one, if the latest lag is more than 1.
    """
    if spec.lags is None:
        washout = getattr(estimator, "washout", 0)  # checked where the estimator is fitted
        washout = washout if isinstance(washout, int | np.integer) else 0
        return slice(max(0, int(washout)) + spec.n_ahead, None)
    return slice(1, None if spec.n_ahead > 1 else 1 - spec.lags[0] or None)


def check_finite(what: str, *parts: np.ndarray) -> None:
    """Raise for numbers that left the range of float64 on the way to the units of the series."""
    if not all(np.isfinite(part).all() for part in parts):
        raise FloatingPointError(f"the {what} is not finite: the series is too large for float64")
