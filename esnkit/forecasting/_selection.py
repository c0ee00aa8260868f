"""Selection of the networks that forecast one series, with their errors beside naive ones."""

from typing import Any, NamedTuple

import numpy as np

from esnkit.forecasting._baseline_errors import better_baseline, evaluate_baselines
from esnkit.forecasting._candidates import (
    Candidate,
    choose_members,
    evaluate_structures,
    make_structures,
    make_windows,
)
from esnkit.forecasting._combination import Combination
from esnkit.forecasting._ensemble import fit_ensemble
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
    horizon: int,
    positive: bool,
    seed: int,
    settings: dict,
) -> Selection:
    """Choose members for a series (n_rows,) with inputs (n_rows, n_exog), and fit them.

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
    windows = make_windows(len(values), horizon, sum(settings.get("differences", ())))
    structures = make_structures(values, periods, settings)
    with Task("", len(structures), "candidates"):
        candidates = evaluate_structures(values, exog, structures, windows, seed, settings)
    members = choose_members(candidates)
    fitted = [fit_ensemble(member.spec, values[:, None], exog) for member in members]
    combination = Combination(fitted, positive)
    observed = windows.observed(values)
    median = combination.combine([member.forecasts for member in members])
    baselines = evaluate_baselines(values, exog, periods, windows, combination.limit)
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


def use_better_baseline(selection: Selection, values: np.ndarray, exog: np.ndarray) -> Selection:
    """Return a selection whose better baseline, if there is one, forecasts the series."""
    if selection.substitute is None:
        return selection
    model, errors = selection.substitute
    fitted = model.fit(values[:, None], exog)
    combination = Combination([fitted], selection.combination.positive)
    return selection._replace(combination=combination, errors=errors)


def _as_dict(candidate: Candidate) -> dict:
    """Return settings and error as plain values."""
    settings = candidate.structure._asdict()
    return settings | {"alpha": candidate.penalty, "error": candidate.error}
