"""Several forecasters of one series, whose median is the forecast; and series side by side."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from esnkit.forecasting._power import with_power
from esnkit.forecasting._runaway import add_share, clear_runaways, combine_members
from esnkit.utils._plain_state import plain_record

__all__ = ["Combination", "SeparateSeries", "columns_of_series", "known_to", "of_series"]

MAX_RELATIVE_DISTANCE = 1e3  # of a sample path from the median, in median distances


@plain_record
@dataclass(frozen=True)
class Combination:
    """Members fitted to one series, ensembles first; their median is the forecast.

    With `simple`, a fitted rule such as exponential smoothing, a share of the forecast is that of
    this rule, unless it runs away. Rows have the series as their first column, and past-only inputs
    as the others, which some members forecast too.
    """

    members: list
    low: float = -np.inf  # the range of the forecasts
    high: float = np.inf
    simple: Any = None
    simple_share: float = 0.0

    def advance(self, values: np.ndarray, exog: np.ndarray) -> "Combination":
        """Return the combination after the rows that follow; this one stays as it is."""
        members = [member.advance(known_to(member, values), exog) for member in self.members]
        simple = None if self.simple is None else self.simple.advance(values[:, :1], exog)
        return replace(self, members=members, simple=simple)

    def roll(self, values: np.ndarray, exog: np.ndarray, origins, n_steps: int) -> np.ndarray:
        """Forecast from several origins, see `Ensemble.roll`."""
        rolled = [_roll(member, values, exog, origins, n_steps) for member in self.members]
        if self.simple is None:
            return self.combine(rolled)
        return self.combine(rolled, _roll(self.simple, values, exog, origins, n_steps))

    def means(self, calibrators: list, values, exog, ahead, n_steps: int) -> np.ndarray:
        """Forecast (n_steps, 1) with means of members in place of their medians.

        Means that run away do not count. What they add to the median of the members is added to the
        simple forecast.

        Parameters
        ----------
        calibrators : list of IntervalCalibrator
            Of the networks, which are the first members.
        values : ndarray of shape (n_rows, 1 + n_past)
            All rows seen so far.
        exog, ahead : ndarray of shape (n_rows, n_exog) and (n_steps, n_exog)
        n_steps : int
        """
        last = values[:0], ahead, [0], n_steps
        rolled = [_roll(member, *last) for member in self.members]
        medians = combine_members(rolled, "median")
        for k, (member, calibrator) in enumerate(zip(self.members, calibrators, strict=False)):
            means = calibrator.means(member, known_to(member, values), exog, rolled[k][0])
            rolled[k] = clear_runaways(means[None], member.seen_range[:, :1])
        if self.simple is None:
            return self.combine(rolled)[0]
        shift = np.nan_to_num(combine_members(rolled, "median") - medians)
        return self.combine(rolled, _roll(self.simple, *last) + shift)[0]

    def sample(
        self, errors: list[np.ndarray], exog: np.ndarray, n_steps: int, n_samples: int, rng
    ) -> np.ndarray:
        """Draw sample paths, each from a network drawn at random, see `Ensemble.sample`.

        `errors` has those of every network. Paths that diverge do not count. The others move with
        the forecast, which other members may lead away from the networks.
        """
        drawn = rng.randint(len(errors), size=n_samples)
        paths = [
            self.members[j].sample(errors[j], exog, n_steps, int((drawn == j).sum()), rng)[..., :1]
            for j in np.unique(drawn)
        ]
        known = _plausible(np.concatenate(paths))
        if not len(known):
            raise FloatingPointError("the closed loop diverged in all sample paths")
        rows = np.append(
            np.arange(len(known)), rng.randint(len(known), size=n_samples - len(known))
        )
        return self.limit(known[rng.permutation(rows)] + self._shift(exog, n_steps, len(errors)))

    def runs_away(self, exog: np.ndarray, n_steps: int) -> bool:
        """Tell whether all members run away in the steps ahead."""
        last = np.empty((0, 1 + max(map(_count_past, self.members)))), exog, [0], n_steps
        return bool(np.isnan(self.roll(*last)).any())

    def _shift(self, exog: np.ndarray, n_steps: int, n_networks: int) -> np.ndarray:
        """Return the forecast minus the median of the networks, (n_steps, 1)."""
        if self.simple is None and n_networks == len(self.members):
            return np.zeros((n_steps, 1))
        n_past = max(map(_count_past, self.members))
        last = np.empty((0, 1 + n_past)), exog, [0], n_steps
        networks = [_roll(member, *last) for member in self.members[:n_networks]]
        shift = self.roll(*last) - combine_members(networks, "median")
        return np.nan_to_num(shift[0])

    def combine(self, forecasts: list[np.ndarray], simple: np.ndarray | None = None) -> np.ndarray:
        """Return the median of forecasts that do not run away, with its share of a simple one."""
        median = combine_members(forecasts, "median")
        if simple is not None:
            median = add_share(median, simple, self.simple_share)
        return self.limit(median)

    def limit(self, values: np.ndarray) -> np.ndarray:
        """Return values within the range that forecasts may have."""
        return np.clip(values, self.low, self.high)

    @property
    def naive_lags(self) -> list[int]:
        """See `Ensemble.naive_lags`; those of the best member."""
        return self.members[0].naive_lags

    @property
    def estimators(self) -> list:
        """Fitted estimators, one per ensemble."""
        return [model.fitted for member in self.members for model in member.models]

    def exog_out_of_range(self, exog: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return what is unusual about inputs, see `Ensemble.exog_out_of_range`."""
        return self.members[0].exog_out_of_range(exog)


def columns_of_series(values: np.ndarray, n_series: int) -> list[np.ndarray]:
    """Return, for each of the first `n_series` columns, that one beside all after them.

    Examples
    --------
    >>> [rows.tolist() for rows in columns_of_series(np.array([[1.0, 2.0, 9.0]]), 2)]
    [[[1.0, 9.0]], [[2.0, 9.0]]]
    """
    past = values[:, n_series:]
    return [np.hstack([values[:, j : j + 1], past]) for j in range(n_series)]


def known_to(member, values: np.ndarray) -> np.ndarray:
    """Return the columns that a member has, the series and past-only inputs if it takes them.

    Values of the series that its power transform has no place for are NaN. As for values that are
    missing, its own predictions stand for them.
    """
    transform = getattr(member, "series_transform", None)
    if transform is None:
        return values[:, :1]
    series = with_power(values[:, :1], transform.power)
    return np.hstack([series, values[:, 1 : 1 + transform.n_past]])


def _count_past(member) -> int:
    """Return how many past-only inputs a member has."""
    return getattr(getattr(member, "series_transform", None), "n_past", 0)


def _roll(member, values: np.ndarray, exog, origins, n_steps: int) -> np.ndarray:
    """Return the forecasts of the series by a member, (n_origins, n_steps, 1)."""
    return member.roll(known_to(member, values), exog, origins, n_steps)[:, :, :1]


def _plausible(paths: np.ndarray) -> np.ndarray:
    """Return the sample paths that stay near the others: noise has made no loop diverge."""
    paths = paths[np.isfinite(paths).all(axis=(1, 2))]
    if not len(paths):
        return paths
    with np.errstate(over="ignore"):
        distance = np.abs(paths - np.median(paths, axis=0))
    spread = np.median(distance, axis=0)
    near = (distance <= MAX_RELATIVE_DISTANCE * spread) | (spread == 0)
    return paths[near.all(axis=(1, 2))]


@plain_record
@dataclass(frozen=True)
class SeparateSeries:
    """Several series, each with a combination that knows no other series.

    Past-only inputs are the last columns of rows, the same for all.
    """

    parts: list[Combination]

    def advance(self, values: np.ndarray, exog: np.ndarray) -> "SeparateSeries":
        """Return the series after the rows that follow; these stay as they are."""
        return SeparateSeries(
            [part.advance(column, exog) for part, column in self._columns(values)]
        )

    def roll(self, values: np.ndarray, exog: np.ndarray, origins, n_steps: int) -> np.ndarray:
        """Forecast from several origins, see `Ensemble.roll`."""
        forecasts = [
            part.roll(rows, exog, origins, n_steps) for part, rows in self._columns(values)
        ]
        return np.concatenate(forecasts, axis=2)

    def sample(
        self, errors: list[list], exog: np.ndarray, n_steps: int, n_samples: int, rng
    ) -> np.ndarray:
        """Draw sample paths, see `Combination.sample`; `errors` has those of every series."""
        paths = [
            part.sample(of_members, exog, n_steps, n_samples, rng)
            for part, of_members in zip(self.parts, errors, strict=True)
        ]
        return np.concatenate(paths, axis=2)

    def limit(self, values: np.ndarray) -> np.ndarray:
        """Return values (n_steps, n_series) within the range that forecasts may have."""
        return np.hstack([part.limit(column) for part, column in self._columns(values)])

    @property
    def naive_lags(self) -> list[int]:
        """See `Ensemble.naive_lags`."""
        return [lag for part in self.parts for lag in part.naive_lags]

    def exog_out_of_range(self, exog: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return what is unusual about inputs, which are the same for all series."""
        return self.parts[0].exog_out_of_range(exog)

    def _columns(self, values: np.ndarray):
        """Pair every combination with the columns of its series and of past-only inputs."""
        return zip(self.parts, columns_of_series(values, len(self.parts)), strict=True)


def of_series(entries: list):
    """Return a list with an entry per series, of a single series the entry itself."""
    return entries[0] if len(entries) == 1 else entries
