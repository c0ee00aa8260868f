"""Selection of the networks that forecast one series, with their errors beside naive ones."""

from typing import NamedTuple

import numpy as np

from esnkit.baselines import seasonal_naive
from esnkit.forecasting._candidates import (
    Candidate,
    Windows,
    choose_members,
    evaluate_structures,
    make_structures,
    make_windows,
)
from esnkit.forecasting._combination import Combination
from esnkit.forecasting._ensemble import fit_ensemble
from esnkit.forecasting._missing import fill_forward, interpolate, predict_missing
from esnkit.utils._progress import Task

__all__ = ["Selection", "select"]


class Selection(NamedTuple):
    """The fitted members for one series, and errors of rolling forecasts."""

    combination: Combination
    candidates: list[dict]  # settings and errors, the best first
    members: list[dict]
    error: float  # of the median of the members
    baselines: dict[str, float]
    errors: np.ndarray  # (n_origins, horizon), absolute ones of the median


def select(
    values: np.ndarray,
    exog: np.ndarray,
    periods: list[float],
    horizon: int,
    positive: bool,
    seed: int,
    settings: dict,
) -> Selection:
    """Choose members for a series (n_rows,) with inputs (n_rows, n_exog), and fit them.

    Missing values are interpolated for a first choice. The median of its members predicts them for
    a second one, see `predict_missing`; the choice with the smaller error is returned.

    Parameters
    ----------
    values, exog : ndarray
    periods : list of float
        Of the seasons.
    horizon : int
        Steps of the rolling forecasts.
    positive : bool
        Whether forecasts end at zero.
    seed : int
    settings : dict
        What all candidates have in common, see `check_settings`.
    """
    rest = (exog, periods, horizon, positive, seed, settings)
    if not np.isnan(values).any():
        return _select(values, values, *rest)
    first = _select(values, interpolate(values[:, None])[:, 0], *rest)
    predicted = [
        predict_missing(member, values[:, None], exog) for member in first.combination.members
    ]
    second = _select(values, np.median(predicted, axis=0)[:, 0], *rest)
    return min(first, second, key=lambda selection: selection.error)


def _select(values, filled, exog, periods, horizon, positive, seed, settings) -> Selection:
    """Choose members for a series, in which `filled` rows stand for the missing ones."""
    windows = make_windows(len(values), horizon, sum(settings.get("differences", ())), values)
    structures = make_structures(filled, periods, settings)
    with Task("", len(structures), "candidates"):
        candidates = evaluate_structures(filled, exog, structures, windows, seed, settings, values)
    members = choose_members(candidates)
    fitted = [fit_ensemble(member.spec, values[:, None], exog) for member in members]
    combination = Combination(fitted, positive)
    observed = windows.observed(values)
    median = combination.combine([member.forecasts for member in members])
    return Selection(
        combination=combination,
        candidates=[_as_dict(candidate) for candidate in candidates],
        members=[_as_dict(member) for member in members],
        error=float(windows.errors(median, observed)),
        baselines=_baseline_errors(values, windows, [round(period) for period in periods]),
        errors=np.abs(median - observed),
    )


def _baseline_errors(values: np.ndarray, windows: Windows, lags: list[int]) -> dict[str, float]:
    """Return the errors of the naive forecast, and of a seasonal naive one per season."""
    names = {"naive": 1} | {f"seasonal naive ({lag} steps)": lag for lag in lags}
    errors = {}
    for name, lag in names.items():
        if lag <= windows.origins[0]:
            pasts = (_fill_seasons(values[:origin], lag) for origin in windows.origins)
            rows = np.stack([seasonal_naive(past, windows.horizon, lag) for past in pasts])
            errors[name] = float(windows.errors(rows, windows.observed(values)))
    return errors


def _fill_seasons(past: np.ndarray, lag: int) -> np.ndarray:
    """Return rows in which the value `lag` rows before stands for a missing one."""
    if not np.isnan(past).any():
        return past
    missing = np.full(-len(past) % lag, np.nan)
    seasons = fill_forward(np.concatenate([missing, past]).reshape(-1, lag))
    return fill_forward(seasons.reshape(-1, 1))[len(missing) :, 0]


def _as_dict(candidate: Candidate) -> dict:
    """Return settings and error as plain values."""
    settings = candidate.structure._asdict()
    return settings | {"alpha": candidate.penalty, "error": candidate.error}
