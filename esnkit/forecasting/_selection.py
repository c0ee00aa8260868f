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
    quick_settings,
)
from esnkit.forecasting._combination import Combination
from esnkit.forecasting._ensemble import fit_ensemble
from esnkit.forecasting._noiseless import is_noiseless, much_worse, noiseless_candidates, reach
from esnkit.forecasting._statistical_models import first_integer, fit_statistical_model
from esnkit.utils._progress import Task

__all__ = ["Options", "Selection", "select"]


class Selection(NamedTuple):
    """The fitted members for one series, and errors of rolling forecasts."""

    combination: Combination
    candidates: list[dict]  # settings and errors, the best first
    members: list[dict]
    error: float  # of the median of the members
    baselines: dict[str, float]
    errors: np.ndarray  # (n_origins, horizon), absolute ones of the median


class Options(NamedTuple):
    """How members are chosen for every series."""

    horizon: int  # steps of the rolling forecasts
    quick: bool  # whether to try fewer and smaller networks
    seed: int
    settings: dict  # what all networks have in common, see `check_settings`
    models: tuple[str, ...]  # of statsforecast, which are members too


def select(
    values: np.ndarray, exog: np.ndarray, periods: list[float], positive: bool, options: Options
) -> Selection:
    """Choose members for a series (n_rows,) with inputs (n_rows, n_exog), and fit them.

    Parameters
    ----------
    values, exog : ndarray
    periods : list of float
        Of the seasons.
    positive : bool
        Whether forecasts end at zero.
    options : Options
    """
    n_lost = sum(options.settings.get("differences", ()))
    windows = make_windows(len(values), options.horizon, n_lost)
    candidates, members, (low, high) = _choose(values, exog, periods, windows, options)
    fitted = [fit_ensemble(member.spec, values[:, None], exog) for member in members]
    season, observed = first_integer(periods), windows.observed(values)
    rolled = {name: _roll(name, season, values, windows) for name in options.models}
    others = [fit_statistical_model(name, season, values) for name in rolled]
    combination = Combination(fitted + others, max(low, 0.0) if positive else low, high)
    median = combination.combine([*(member.forecasts for member in members), *rolled.values()])
    baselines = _baseline_errors(values, windows, [round(period) for period in periods])
    return Selection(
        combination=combination,
        candidates=[_as_dict(candidate) for candidate in candidates],
        members=[_as_dict(member) for member in members],
        error=float(windows.errors(median, observed)),
        baselines=baselines
        | {name: float(windows.errors(rows, observed)) for name, rows in rolled.items()},
        errors=np.abs(median - observed),
    )


def _roll(name: str, season: int, values: np.ndarray, windows: Windows) -> np.ndarray:
    """Return rolling forecasts of a model fitted to the rows before the first origin."""
    first = windows.origins[0]
    model = fit_statistical_model(name, season, values[:first])
    rows, no_exog = values[first:, None], np.empty((0, 0))
    return model.roll(rows, no_exog, windows.origins - first, windows.horizon)[:, :, 0]


def _choose(values, exog, periods, windows: Windows, options: Options) -> tuple:
    """Return all candidates, the networks among the members, and the range of forecasts."""
    _, quick, seed, settings, _ = options
    common = quick_settings(len(values)) | settings if quick else settings
    structures = make_structures(values, periods, common)
    with Task("", len(structures), "candidates"):
        candidates = evaluate_structures(values, exog, structures, windows, seed, common)
    if not quick and is_noiseless(values, exog, seed):
        noiseless = noiseless_candidates(values, exog, windows, seed, settings)
        if not much_worse(noiseless[0], candidates[0], windows.observed(values)):
            candidates = sorted(noiseless + candidates, key=lambda candidate: candidate.error)
            return candidates, noiseless, reach(values)
    return candidates, choose_members(candidates), (-np.inf, np.inf)


def _baseline_errors(values: np.ndarray, windows: Windows, lags: list[int]) -> dict[str, float]:
    """Return the errors of the naive forecast, and of a seasonal naive one per season."""
    names = {"naive": 1} | {f"seasonal naive ({lag} steps)": lag for lag in lags}
    errors = {}
    for name, lag in names.items():
        if lag <= windows.origins[0]:
            pasts = (values[:origin] for origin in windows.origins)
            rows = np.stack([seasonal_naive(past, windows.horizon, lag) for past in pasts])
            errors[name] = float(windows.errors(rows, windows.observed(values)))
    return errors


def _as_dict(candidate: Candidate) -> dict:
    """Return settings and error as plain values."""
    settings = candidate.structure._asdict()
    return settings | {"alpha": candidate.penalty, "error": candidate.error}
