"""Candidate networks for a series, judged by rolling forecasts over its recent part.

Candidates differ in differences, transform, season terms, leak rates and penalty. The forecast is
the median of the best few that differ in more than their leak rates and penalty.
"""

from typing import Any, NamedTuple

import numpy as np

from esnkit.forecasting._ensemble import ModelSpec
from esnkit.forecasting._penalty_path import PenaltyPath, Structure
from esnkit.reservoirs import Reservoir
from esnkit.utils._progress import count_step

PENALTIES = 10.0 ** np.arange(-12, 4)
NETWORK: dict[str, Any] = {"spectral_radius": 0.9, "input_scaling": 0.3, "bias_scaling": 0.2}
LEAK_RATES = (1.0, (0.1, 1.0))
MIN_UNITS, MAX_UNITS, QUICK_MAX_UNITS = 20, 100, 50
FEW_HARMONICS, MANY_HARMONICS = 2, 6
N_WINDOWS = 8
FIRST_ORIGIN = 9  # fewer rows before an origin teach no readout
MIN_TRANSFORMED_ROWS = 6  # before the first origin, after differences
FIRST_SHARE = 0.4  # origins lie after this share of the rows
RECENCY = 0.5  # weights of windows fall by exp(-RECENCY) from the last origin to the first
# A penalty below MIN_SAFE_PENALTY pays off on few windows by chance: it must reduce the error to
# this share of that of the larger ones.
MIN_SAFE_PENALTY, GAIN_OF_SMALL_PENALTY = 1.0, 0.7
TIE_TOLERANCE, SMALL_TIE_TOLERANCE = 0.01, 0.1
MAX_RELATIVE_ERROR = 1.5  # of a member, to the best one
N_MEMBERS = 5
LARGEST_ERROR = np.finfo(float).max / 1e9  # of a loop that diverges; means of it are finite


class Windows(NamedTuple):
    """Rolling forecasts that judge candidates."""

    origins: np.ndarray  # how many rows are known at each
    weights: np.ndarray  # sum to 1
    horizon: int

    def observed(self, values: np.ndarray) -> np.ndarray:
        """Return the rows after each origin, (n_origins, horizon)."""
        return values[self.origins[:, None] + np.arange(self.horizon)]

    def errors(self, forecasts: np.ndarray, observed: np.ndarray) -> np.ndarray:
        """Return weighted mean absolute errors of forecasts (n_origins, ..., horizon)."""
        while observed.ndim < forecasts.ndim:
            observed = observed[:, None]
        with np.errstate(over="ignore", invalid="ignore"):
            errors = np.abs(forecasts - observed).mean(axis=-1)
        return np.tensordot(self.weights, np.where(np.isfinite(errors), errors, LARGEST_ERROR), 1)


class Candidate(NamedTuple):
    """A network for a series with the penalty chosen for it, and its rolling forecasts."""

    error: float  # weighted mean absolute error
    structure: Structure
    penalty: float
    forecasts: np.ndarray  # (n_origins, horizon)
    network: dict[str, Any]  # parameters of an ESNRegressor

    @property
    def kind(self) -> tuple:
        """What two members must not have in common."""
        return self.structure[:3]

    @property
    def spec(self) -> ModelSpec:
        """The models that fit the candidate to a series."""
        from esnkit.esn import ESNRegressor

        return ModelSpec(
            estimator=ESNRegressor(alpha=self.penalty, **self.network),
            strategy="recursive",
            lags=None,
            horizon=None,
            differences=self.structure.differences,
            scale=True,
            n_ensemble=1,
            combine="mean",
            random_state=None,
            power=self.structure.power,
            seasons=self.structure.seasons,
        )


def make_windows(n_rows: int, horizon: int, n_lost: int = 0) -> Windows:
    """Choose origins in the recent part of a series, at most `N_WINDOWS`.

    `n_lost` rows before the first one serve differences only.
    """
    horizon = min(horizon, max(1, (n_rows - n_lost) // 3))
    last = n_rows - horizon
    first = max(int(FIRST_SHARE * n_rows), FIRST_ORIGIN, n_rows - N_WINDOWS * horizon)
    first = min(max(first, n_lost + MIN_TRANSFORMED_ROWS), last)
    origins = np.unique(np.linspace(first, last, N_WINDOWS).astype(int))
    weights = np.exp(-RECENCY * (last - origins) / max(1, last - first))
    return Windows(origins, weights / weights.sum(), horizon)


def powers_of(values: np.ndarray) -> list[float | None]:
    """List the Box-Cox transforms to try for a series: none, and the logarithm or square root."""
    if (values > 0).all():
        return [None, 0.0]
    return [None, 0.5] if (values >= 0).all() else [None]


def quick_settings(n_rows: int) -> dict:
    """Return settings that leave few and small networks.

    Forecasts from 195 origins of 99 real series have errors that are 0.7 % larger with them.
    """
    n_units = int(np.clip(n_rows // 2, MIN_UNITS, QUICK_MAX_UNITS))
    return {"n_units": n_units, "leak_rate": LEAK_RATES[0]}


def make_structures(values: np.ndarray, periods: list[float], settings: dict) -> list[Structure]:
    """List the structures to try for a series with seasons of these periods.

    All have the differences and leak rates of `settings`, where these are given.
    """
    lags = sorted({round(period) for period in periods})
    kinds: list[tuple] = [((), ()), ((1,), ())]
    for many in (FEW_HARMONICS, MANY_HARMONICS) if periods else ():
        terms = tuple((period, min(int(period // 2), many)) for period in periods)
        kinds += [((), terms), ((1,), terms)]
    kinds += [((lag,), ()) for lag in lags] + [((lag, 1), ()) for lag in lags]
    if "differences" in settings:
        kinds = [(settings["differences"], seasons) for _, seasons in kinds]
    leak_rates = [settings["leak_rate"]] if "leak_rate" in settings else LEAK_RATES
    return [
        Structure(differences, power, seasons, leak_rate)
        for power in powers_of(values)
        for differences, seasons in dict.fromkeys(kinds)
        for leak_rate in leak_rates
    ]


def evaluate_structures(
    values: np.ndarray, exog: np.ndarray, structures, windows: Windows, seed: int, settings: dict
) -> list[Candidate]:
    """Judge structures that the rows before the first origin suffice for, the best first."""
    fixed = {key: settings[key] for key in settings if key not in ("alpha", "differences")}
    fixed = NETWORK | {"n_units": int(np.clip(len(values) // 2, MIN_UNITS, MAX_UNITS))} | fixed
    penalties = np.array([settings["alpha"]]) if "alpha" in settings else PENALTIES
    observed, candidates = windows.observed(values), []
    for structure in structures:
        count_step()
        if windows.origins[0] - structure.n_lost < MIN_TRANSFORMED_ROWS:
            continue
        network = fixed | {"leak_rate": structure.leak_rate, "random_state": seed}
        path = PenaltyPath(structure, Reservoir(**network), penalties).fit(values, exog)
        network["washout"] = path.washout
        forecasts = path.roll(windows.origins, windows.horizon)
        errors = windows.errors(forecasts, observed)
        k = choose_penalty(errors) if len(penalties) > 1 else 0
        candidates.append(
            Candidate(float(errors[k]), structure, float(penalties[k]), forecasts[:, k], network)
        )
    return sorted(candidates, key=lambda candidate: candidate.error)


def choose_penalty(errors: np.ndarray) -> int:
    """Choose a penalty by its errors, preferring large ones."""
    safe = np.flatnonzero(PENALTIES >= MIN_SAFE_PENALTY)
    least = errors[safe].min()
    if errors.min() < GAIN_OF_SMALL_PENALTY * least:
        return int(np.flatnonzero(errors <= (1 + SMALL_TIE_TOLERANCE) * errors.min()).max())
    return int(safe[errors[safe] <= (1 + TIE_TOLERANCE) * least].max())


def choose_members(candidates: list[Candidate], n_members: int = N_MEMBERS) -> list[Candidate]:
    """Choose the best candidates of different kinds, none much worse than the best."""
    members: dict = {}
    for candidate in candidates:
        if candidate.error <= MAX_RELATIVE_ERROR * candidates[0].error:
            members.setdefault(candidate.kind, candidate)
    return list(members.values())[:n_members]
