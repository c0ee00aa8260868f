"""Selection of the networks that forecast one series, with their errors beside naive ones."""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from esnkit.forecasting._baseline_errors import (
    better_baseline,
    evaluate_baselines,
)
from esnkit.forecasting._candidates import (
    Candidate,
    Search,
    Windows,
    choose_members,
    evaluate_structures,
    leak_rates_of,
    make_averaged_structures,
    make_structures,
    make_windows,
    max_member_error,
)
from esnkit.forecasting._combination import Combination, known_to
from esnkit.forecasting._differencing import count_lost
from esnkit.forecasting._ensemble import ModelSpec, fit_ensemble
from esnkit.forecasting._missing import fill_forward, interpolate, predict_missing
from esnkit.forecasting._noiseless import is_noiseless, much_worse, noiseless_candidates, reach
from esnkit.forecasting._runaway import clear_runaways, fall_back, range_of
from esnkit.forecasting._simple_share import simple_share
from esnkit.forecasting._statistical_models import first_integer, fit_statistical_model
from esnkit.utils._progress import Task
from esnkit.utils._warnings import warn

__all__ = ["Selection", "select", "use_better_baseline"]


class Selection(NamedTuple):
    """The fitted members for one series, and errors of rolling forecasts."""

    combination: Combination
    candidates: list[dict]  # settings and errors, the best first
    members: list[dict]
    smoothing_share: float  # of exponential smoothing in the forecast
    error: float  # of the forecast
    baselines: dict[str, float]
    errors: np.ndarray  # (n_origins, horizon), of the forecast
    n_windows: float  # without overlap, to which the rolling forecasts amount
    specs: list[ModelSpec]  # of the members; empty for a baseline
    better_baseline: str | None
    substitute: tuple[Any, np.ndarray] | None  # the model of this baseline, and its errors


def select(
    values: np.ndarray,
    exog: np.ndarray,
    periods: list[float],
    search: Search,
) -> Selection:
    """Choose members for a series, and fit them.

    Missing values are interpolated for a first choice, those of past-only inputs filled forward.
    The median of its members predicts them for a second one, see `predict_missing`; the choice with
    the smaller error is returned.

    Parameters
    ----------
    values : ndarray of shape (n_rows, 1 + search.n_past)
        The series, and its past-only inputs.
    exog : ndarray of shape (n_rows, n_exog)
    periods : list of float
        Of the seasons.
    search : Search
        What is tried, and for which horizon.
    """
    if not np.isnan(values).any():
        return _select(values, values, exog, periods, search)
    filled = np.hstack([interpolate(values[:, :1]), fill_forward(values[:, 1:])])
    first = _select(values, filled, exog, periods, search)
    networks = first.combination.members[: len(first.specs)]
    rows = [predict_missing(network, known_to(network, values), exog) for network in networks]
    for j in range(max(part.shape[1] for part in rows)):
        filled[:, j] = np.median([part[:, j] for part in rows if j < part.shape[1]], axis=0)
    second = _select(values, filled, exog, periods, search)
    return min(first, second, key=lambda selection: selection.error)


def _select(values, filled, exog, periods: list[float], search: Search) -> Selection:
    """Choose members for a series, in which `filled` rows stand for the missing ones."""
    series = filled[:, 0]
    n_lost = count_lost(search.settings.get("differences", ()))
    longest = max(periods, default=0.0)
    windows = make_windows(len(values), search.horizon, n_lost, longest, values[:, 0])
    candidates, members, (low, high) = _choose(values, filled, exog, periods, windows, search)
    fitted: list = [
        fit_ensemble(member.spec, values[:, : 1 + member.n_past], exog) for member in members
    ]
    observed = windows.observed(values[:, 0])
    models = _fit_statistical_models(search.models, first_integer(periods), series, windows)
    errors = {name: float(windows.errors(rows, observed)) for name, (rows, _) in models.items()}
    largest = max_member_error(candidates[0].error, windows)
    kept = [models[k] for k in models if errors[k] <= largest]
    fitted += [model for _, model in kept]
    combination = Combination(fitted, max(low, 0.0) if search.positive else low, high)
    forecasts = _without_runaways([member.forecasts for member in members], series, windows)
    forecasts += [rows for rows, _ in kept]
    baselines = evaluate_baselines(series, exog, periods, windows, combination.limit, search.n_exog)
    combined, forecasts = _combine(combination, forecasts, series, windows)
    rule, smoothed = baselines["exponential smoothing"]
    share = simple_share(combined, smoothed, observed, windows) if np.isinf(high) else 0.0
    if share:
        smoothing = rule.fit(series[:, None], exog)
        combination = replace(combination, simple=smoothing, simple_share=share)
        combined = combination.combine(forecasts, smoothed)
    better = better_baseline(combined, baselines, observed, windows)
    substitute = None
    if better is not None:
        model, rows = baselines[better]
        substitute = model, observed - rows
    return Selection(
        combination=combination,
        candidates=[_as_dict(candidate) for candidate in candidates],
        members=[_as_dict(member) for member in members],
        smoothing_share=share,
        error=float(windows.errors(combined, observed)),
        baselines={
            name: float(windows.errors(baseline.forecasts, observed))
            for name, baseline in baselines.items()
        }
        | errors,
        errors=observed - combined,
        n_windows=windows.n_separate,
        specs=[member.spec for member in members],
        better_baseline=better,
        substitute=substitute,
    )


def _without_runaways(forecasts: list[np.ndarray], series, windows: Windows) -> list[np.ndarray]:
    """Return rolling forecasts (n_origins, horizon), NaN from origins where one runs away."""
    ranges = [range_of(series[:origin, None]) for origin in windows.origins]
    return [
        np.concatenate(
            [
                clear_runaways(row[None, :, None], seen)
                for row, seen in zip(rows, ranges, strict=True)
            ]
        )[:, :, 0]
        for rows in forecasts
    ]


def _combine(combination: Combination, forecasts: list, series, windows: Windows) -> tuple:
    """Return the rolling forecasts of a combination, and those of its members.

    As for `forecast`, a naive one stands for them where all members run away.
    """
    combined = combination.combine(forecasts)[:, :, None]
    lost = np.isnan(combined).any(axis=1)
    lags = combination.naive_lags
    combined = fall_back(combined, series[:, None], windows.origins, lags)[:, :, 0]
    return combined, [np.where(lost, combined, rows) for rows in forecasts]


def _fit_statistical_models(names, season: int, values: np.ndarray, windows: Windows) -> dict:
    """Return rolling forecasts and the fitted model of each name; warn of those that fail."""
    found = {}
    for name in names:
        try:
            rolled = _roll(name, season, values, windows)
            found[name] = rolled, fit_statistical_model(name, season, values)
        except Exception as error:  # statsforecast raises plain exceptions
            warn(f"the model {name!r} of statsforecast fails, and is left out: {error}")
    return found


def _roll(name: str, season: int, values: np.ndarray, windows: Windows) -> np.ndarray:
    """Return rolling forecasts of a model fitted to the rows before the first origin."""
    first = windows.origins[0]
    model = fit_statistical_model(name, season, values[:first])
    rows, no_exog = values[first:, None], np.empty((0, 0))
    return model.roll(rows, no_exog, windows.origins - first, windows.horizon)[:, :, 0]


def _choose(values, filled, exog, periods, windows: Windows, search: Search) -> tuple:
    """Return all candidates, the members, and the range of their forecasts."""
    series = filled[:, 0]
    search = search._replace(leak_rates=leak_rates_of(len(series), periods))
    structures = make_structures(series, periods, search)
    structures += make_averaged_structures(series, periods, search)
    # Settings that are given are not replaced by those of larger networks.
    stays_small = search.quick or search.settings or np.isnan(values[:, 0]).any()
    try_larger = not stays_small and is_noiseless(series, exog, search.seed)
    noiseless: list[Candidate] = []
    with Task("", 1 + try_larger, "phases") as phases:
        with Task("", len(structures), "candidates"):
            candidates = evaluate_structures(filled, exog, structures, windows, search, values)
        phases.step()
        if try_larger:
            noiseless = noiseless_candidates(series, exog, windows, search.seed)
    if noiseless and not much_worse(noiseless[0], candidates[0], windows.observed(series)):
        candidates = sorted(noiseless + candidates, key=lambda candidate: candidate.error)
        return candidates, noiseless, reach(series)
    return candidates, choose_members(candidates, windows), (-np.inf, np.inf)


def use_better_baseline(selection: Selection, values: np.ndarray, exog: np.ndarray) -> Selection:
    """Return a selection whose better baseline, if there is one, forecasts the series."""
    if selection.substitute is None:
        return selection
    model, errors = selection.substitute
    fitted = model.fit(values[:, :1], exog)
    combination = replace(selection.combination, members=[fitted], simple=None, simple_share=0.0)
    return selection._replace(combination=combination, errors=errors, specs=[], smoothing_share=0.0)


def _as_dict(candidate: Candidate) -> dict:
    """Return settings and error as plain values."""
    settings = candidate.structure._asdict()
    return settings | {"alpha": candidate.penalty, "error": candidate.error}
