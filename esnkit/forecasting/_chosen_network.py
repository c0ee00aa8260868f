"""The network of a `Forecaster` without an estimator: one of those that `AutoForecaster` tries."""

import numpy as np

from esnkit.forecasting._candidates import (
    MAX_ROWS,
    PENALTIES,
    Candidate,
    Search,
    Windows,
    evaluate_structures,
    make_structures,
    make_windows,
)
from esnkit.forecasting._missing import fill_forward, interpolate
from esnkit.forecasting._penalty_path import Structure
from esnkit.forecasting._rules import Rule, naive_season, smoothing_rule
from esnkit.forecasting._simple_share import DEFAULT_SHARE, simple_share
from esnkit.utils._progress import Task

__all__ = ["choose_network"]

MIN_ROWS = 10
# That n rows return to their mean may be chance: without differences, the error must be smaller by
# the factor 1 + REVERSION_ROWS / n. At 195 origins of 99 real series this makes the mean absolute
# error 1 to 2 % smaller, and fewer forecasts three times as bad as the seasonal naive one.
REVERSION_ROWS = 20


def choose_network(
    values: np.ndarray,
    exog: np.ndarray,
    periods: list[float],
    search: Search,
    given: Structure | None,
    max_lost: int,
) -> tuple[Candidate, Rule, float]:
    """Choose differences, season terms, leak rates and penalty by rolling forecasts.

    Where the network is not clearly better than exponential smoothing, a share of the forecast is
    that one; for rows too few to compare, half is the seasonal naive forecast. This rule and its
    share are returned too.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_series + search.n_past)
        The series and their past-only inputs, which all candidates have and which are not judged.
        NaN where they are missing: such values, for which interpolated ones stand, are not learned
        and do not count. Of several series, one network forecasts all; errors count relative to the
        mean absolute change of each.
    exog : ndarray of shape (n_rows, n_exog)
    periods : list of float
        Of the seasons.
    search : Search
        Horizon and seed.
    given : Structure or None
        Its differences and power are those of all candidates. None leaves the differences to be
        chosen, without a power transform: on real series a network with one is worse.
    max_lost : int
        Largest number of rows that differences may take.
    """
    n_series, known = values.shape[1] - search.n_past, values[-MAX_ROWS:]
    filled = np.hstack([interpolate(values[:, :n_series]), fill_forward(values[:, n_series:])])
    values, exog = _relative_to_changes(filled[-MAX_ROWS:]), exog[-MAX_ROWS:]
    known = np.where(np.isnan(known), np.nan, values)
    structures = _structures(values, periods, search, given)
    structures = [structure for structure in structures if structure.n_lost <= max_lost]
    windows, candidates = _make_windows(known[:, :n_series], search.horizon, given), []
    if windows is not None:
        with Task("choice of the network", len(structures), "candidates"):
            candidates = evaluate_structures(values, exog, structures, windows, search, known)
    if windows is None or not candidates:
        network = _cautious_network(len(values), search, given)
        return network, Rule("seasonal naive", naive_season(periods, len(values))), DEFAULT_SHARE
    reversion = 1 + REVERSION_ROWS / len(values)
    best = min(candidates, key=lambda c: c.error * (1 if c.structure.differences else reversion))
    first = int(windows.origins[0])
    rule = smoothing_rule(periods, first, windows.horizon)
    series, later = values[:, :n_series], windows.origins - first
    smoothed = rule.fit(series[:first], exog).roll(series[first:], exog, later, windows.horizon)
    observed = windows.observed(known[:, :n_series])
    rolled = best.forecasts.reshape(observed.shape)
    return best, rule, simple_share(rolled, smoothed, observed, windows)


def _make_windows(known, horizon: int, given: Structure | None) -> Windows | None:
    """Return rolling forecasts, None if fewer than two follow observed rows."""
    if (~np.isnan(known)).any(axis=1).sum() < MIN_ROWS:
        return None
    n_lost = 0 if given is None else given.n_lost
    try:
        windows = make_windows(len(known), horizon, n_lost, values=known)
    except ValueError:
        return None
    return windows if len(windows.origins) > 1 else None


def _structures(values, periods, search: Search, given: Structure | None) -> list[Structure]:
    """List the structures to try, which differ in what is not given."""
    tried = [s for s in make_structures(values, periods, search) if s.power is None]
    if given is not None:
        tried = [given._replace(seasons=s.seasons, leak_rate=s.leak_rate) for s in tried]
    return list(dict.fromkeys(s._replace(past_exog=search.n_past > 0) for s in tried))


def _relative_to_changes(values: np.ndarray) -> np.ndarray:
    """Divide each series by its mean absolute change, without overflow."""
    values = values / (np.abs(values).max(axis=0) + np.finfo(float).tiny)
    change = np.abs(np.diff(values, axis=0)).sum(axis=0) / max(1, len(values) - 1)
    return values / np.where(change > 0, change, 1.0)


def _cautious_network(n_rows: int, search: Search, given: Structure | None) -> Candidate:
    """Return a network close to a random walk with drift, for series too short for a choice."""
    structure = Structure((1,)) if given is None else given
    network = search.network(n_rows)
    return Candidate(np.nan, structure, float(PENALTIES[-1]), np.empty((0, 0)), network)
