"""Selection of the networks that forecast one series, with their errors beside naive ones."""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from esnkit.forecasting._baseline_errors import better_baseline, evaluate_baselines
from esnkit.forecasting._candidates import (
    Candidate,
    Search,
    Windows,
    choose_members,
    evaluate_structures,
    make_structures,
    make_windows,
)
from esnkit.forecasting._combination import Combination
from esnkit.forecasting._ensemble import fit_ensemble
from esnkit.forecasting._noiseless import is_noiseless, much_worse, noiseless_candidates, reach
from esnkit.utils._progress import Task

__all__ = ["Selection", "select", "use_better_baseline"]


class Selection(NamedTuple):
    """The fitted members for one series, and errors of rolling forecasts."""

    combination: Combination
    candidates: list[dict]  # settings and errors, the best first
    members: list[dict]
    error: float  # of the median of the members
    baselines: dict[str, float]
    errors: np.ndarray  # (n_origins, horizon), absolute ones of the forecast
    better_baseline: str | None
    substitute: tuple[Any, np.ndarray] | None  # the model of this baseline, and its errors


def select(
    values: np.ndarray,
    exog: np.ndarray,
    periods: list[float],
    search: Search,
) -> Selection:
    """Choose members for a series (n_rows,) with inputs (n_rows, n_exog), and fit them.

    Parameters
    ----------
    values, exog : ndarray
    periods : list of float
        Of the seasons.
    search : Search
        What is tried, and for which horizon.
    """
    windows = make_windows(len(values), search.horizon, sum(search.settings.get("differences", ())))
    candidates, members, (low, high) = _choose(values, exog, periods, windows, search)
    fitted = [fit_ensemble(member.spec, values[:, None], exog) for member in members]
    combination = Combination(fitted, max(low, 0.0) if search.positive else low, high)
    observed = windows.observed(values)
    median = combination.combine([member.forecasts for member in members])
    baselines = evaluate_baselines(values, exog, periods, windows, combination.limit, search.n_exog)
    better = better_baseline(median, baselines, observed, windows)
    substitute = None
    if better is not None:
        model, forecasts = baselines[better]
        substitute = model, np.abs(forecasts - observed)
    return Selection(
        combination=combination,
        candidates=[_as_dict(candidate) for candidate in candidates],
        members=[_as_dict(member) for member in members],
        error=float(windows.errors(median, observed)),
        baselines={
            name: float(windows.errors(baseline.forecasts, observed))
            for name, baseline in baselines.items()
        },
        errors=np.abs(median - observed),
        better_baseline=better,
        substitute=substitute,
    )


def _choose(values, exog, periods, windows: Windows, search: Search) -> tuple:
    """Return all candidates, the members, and the range of their forecasts."""
    structures = make_structures(values, periods, search)
    with Task("", len(structures), "candidates"):
        candidates = evaluate_structures(values, exog, structures, windows, search)
    # Settings that are given are not replaced by those of larger networks.
    if not search.quick and not search.settings and is_noiseless(values, exog, search.seed):
        noiseless = noiseless_candidates(values, exog, windows, search.seed)
        if not much_worse(noiseless[0], candidates[0], windows.observed(values)):
            candidates = sorted(noiseless + candidates, key=lambda candidate: candidate.error)
            return candidates, noiseless, reach(values)
    return candidates, choose_members(candidates), (-np.inf, np.inf)


def use_better_baseline(selection: Selection, values: np.ndarray, exog: np.ndarray) -> Selection:
    """Return a selection whose better baseline, if there is one, forecasts the series."""
    if selection.substitute is None:
        return selection
    model, errors = selection.substitute
    fitted = model.fit(values[:, None], exog)
    combination = replace(selection.combination, members=[fitted])
    return selection._replace(combination=combination, errors=errors)


def _as_dict(candidate: Candidate) -> dict:
    """Return settings and error as plain values."""
    settings = candidate.structure._asdict()
    return settings | {"alpha": candidate.penalty, "error": candidate.error}
