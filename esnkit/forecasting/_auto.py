"""Choice of the settings of an echo state network for a series, by rolling forecasts.

The last 30 % of a series are held out. Settings are ranked by rolling forecasts on the rows before
them; rolling forecasts of the held-out rows then show, beside naive baselines, how good the choice
is. The final forecast is fitted to all rows.
"""

import warnings
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import Bunch

from esnkit.forecasting._backtest import windows_of
from esnkit.forecasting._differencing import check_differences
from esnkit.forecasting._forecaster import Forecaster
from esnkit.forecasting._frames import slice_rows
from esnkit.forecasting._input import read_exog, read_one_series, read_series
from esnkit.forecasting._naive import persistence, seasonal_naive
from esnkit.forecasting._seasonality import find_seasons
from esnkit.forecasting._series_kind import read_kind
from esnkit.utils._progress import Task
from esnkit.utils._validation import check_positive_int, check_verbose

__all__ = [
    "DEFAULT_SETTINGS",
    "RankedSettings",
    "candidate_settings",
    "evaluate_settings",
    "forecast_with_fallback",
    "make_forecaster",
    "rank_settings",
]

DEFAULT_SETTINGS: dict[str, Any] = {
    "n_units": 300,
    "spectral_radius": 0.9,
    "leak_rate": 0.7,
    "input_scaling": 0.3,
    "bias_scaling": 0.3,
    "alpha": 1.0,
    "differences": 0,
}
# Leave-one-out would choose the penalty for single steps, under which a long forecast may diverge.
ALPHAS = [1e-6, 1e-3, 1.0, 30.0, 1000.0]
SEARCH_SPACE: dict[str, list] = {
    "spectral_radius": [0.5, 0.7, 0.9, 0.99, 1.1],
    "leak_rate": [0.1, 0.3, 0.7, 1.0],
    "input_scaling": [0.05, 0.1, 0.3, 1.0],
    "bias_scaling": [0.0, 0.3, 1.0],
    "alpha": [1e-6, 1e-4, 1e-2, 1.0, 30.0, 1000.0],
}
N_MEMBERS = 5
MIN_ROWS = 10  # besides those of the horizon
MAX_RANKING_ROWS = 20_000  # the last ones before the held-out rows
TIE_TOLERANCE = 0.05  # errors at most this share above the smallest count as equal to it
# Sums of values near the largest float overflow, as do the forecasts of settings that diverge.
_ignore_overflow = np.errstate(over="ignore", invalid="ignore")


class RankedSettings(NamedTuple):
    """Settings and the error of their rolling forecasts, see :func:`rank_settings`.

    Parameters
    ----------
    nrmse : float
        Root mean squared error over the standard deviation of the series; infinite where it cannot
        be forecast with these settings.
    settings : dict

    Examples
    --------
    >>> from esnkit.forecasting import RankedSettings
    >>> error, settings = RankedSettings(0.1, {"alpha": 1.0})
    """

    nrmse: float
    settings: dict


class _Rows(NamedTuple):
    """A series as numbers, with its exogenous inputs."""

    values: np.ndarray  # (n_rows,)
    exog: np.ndarray | None  # (>= n_rows, n_exog)

    def part(self, rows: slice) -> "_Rows":
        return _Rows(self.values[rows], None if self.exog is None else self.exog[rows])


class _Windows(NamedTuple):
    """Rolling forecasts of the last rows of a series."""

    horizon: int
    n_windows: int
    stride: int


def make_forecaster(settings, *, n_ensemble=N_MEMBERS, random_state=0) -> Forecaster:
    """Make the unfitted forecaster that settings describe: a median of echo state networks.

    Parameters
    ----------
    settings : dict
        Values for keys of ``DEFAULT_SETTINGS``, whose values stand for those not given:
        `n_units`, `spectral_radius`, `leak_rate`, `input_scaling`, `bias_scaling` and `alpha` of
        :class:`ESNRegressor`, and `differences` of :class:`Forecaster`.
    n_ensemble : int, default=5
        Number of networks with different seeds.
    random_state : int, default=0
        Seeds the networks.

    Returns
    -------
    Forecaster

    Examples
    --------
    >>> from esnkit.forecasting import make_forecaster
    >>> make_forecaster({"alpha": 0.1, "differences": (7,)}).differences
    (7,)
    """
    from esnkit.esn import ESNRegressor

    settings = DEFAULT_SETTINGS | _check_settings("settings", settings)
    network = {key: value for key, value in settings.items() if key != "differences"}
    return Forecaster(
        ESNRegressor(**network),
        differences=settings["differences"],
        n_ensemble=n_ensemble,
        combine="median",
        random_state=random_state,
    )


def candidate_settings(series, *, fixed=None, n_draws=0, random_state=0) -> list[dict]:
    """List settings to compare for a series: penalties, differences, and random draws.

    The defaults come first, then each of five penalties with each kind of differences: none, first
    differences, and for every season of the series (:func:`find_seasons`) differences at its lag,
    without and with first differences after them.

    Parameters
    ----------
    series : array-like of shape (n_timesteps,)
        An array, list or pandas Series. Seasons are looked for before the last 30 %, which are
        held out.
    fixed : dict, default=None
        Settings that all candidates have, such as ``{"alpha": 0.1}``.
    n_draws : int, default=0
        Number of candidates to draw at random, in which all settings but the number of units vary.
    random_state : int, default=0
        Seeds the draws.

    Returns
    -------
    list of dict
        With the keys of ``DEFAULT_SETTINGS``; no two are equal.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit.forecasting import candidate_settings
    >>> series = np.sin(np.arange(200) * 2 * np.pi / 7)
    >>> settings = candidate_settings(series, fixed={"alpha": 0.1})
    >>> [candidate["differences"] for candidate in settings]
    [0, 1, (7,), (7, 1)]
    """
    values = read_one_series(series, MIN_ROWS)
    fixed = _check_settings("fixed", {} if fixed is None else fixed)
    n_draws = check_positive_int("n_draws", n_draws, minimum=0)
    seasonal = [(season,) for season in find_seasons(values[_ranking_rows(len(values))])]
    differences = [0, 1, *seasonal, *((*lag, 1) for lag in seasonal)]
    varied: list[dict] = [{}]
    varied += [{"alpha": alpha, "differences": d} for d in differences for alpha in ALPHAS]
    rng, space = np.random.default_rng(random_state), SEARCH_SPACE | {"differences": differences}
    for _ in range(n_draws):
        varied.append({key: several[rng.integers(len(several))] for key, several in space.items()})
    candidates = [DEFAULT_SETTINGS | one | fixed for one in varied]
    return [one for k, one in enumerate(candidates) if one not in candidates[:k]]


@_ignore_overflow
def rank_settings(
    series, horizon, settings, *, exog=None, random_state=0, callback=None, verbose=0
) -> list[RankedSettings]:
    """Rank settings by rolling forecasts of the rows before the held-out last 30 %.

    Every candidate, as one network, forecasts the last 30 % of these rows from some 20 origins,
    `horizon` steps each. At most the 20 000 rows before the held-out ones are used.

    Parameters
    ----------
    series : array-like of shape (n_timesteps,)
        An array, list or pandas Series, at least `horizon` + 10 time steps.
    horizon : int >= 1
        Number of steps to forecast.
    settings : list of dict
        The candidates, as :func:`candidate_settings` gives them.
    exog : array-like of shape (>= n_timesteps, n_exog) or (>= n_timesteps,), default=None
        Inputs known in advance, row by row with the series; rows after its end are not used.
    random_state : int, default=0
        Seeds the networks.
    callback : callable, default=None
        Called before every candidate with its number, from 1; for a progress bar.
    verbose : int, default=0
        With 1, progress of long calls and their end are written to the standard error, or are
        records of the logger ``esnkit`` if logging shows these.

    Returns
    -------
    list of RankedSettings
        By ascending error, but with one exception: of the candidates whose error is at most 5 %
        above the smallest, the one with the largest `alpha` comes first.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit.forecasting import rank_settings
    >>> line = np.arange(100.0)
    >>> candidates = [{"n_units": 20, "differences": order} for order in (0, 1)]
    >>> ranking = rank_settings(line, 5, candidates)
    >>> ranking[0].settings["differences"]
    1
    """
    horizon, rows = _read(series, horizon, exog)
    settings = _check_candidates(settings)
    part = rows.part(_ranking_rows(len(rows.values)))
    windows = _windows(horizon, _n_held_out(len(part.values)))
    ranking = []
    with Task("rank_settings", len(settings), "settings", verbose=check_verbose(verbose)) as task:
        for k, candidate in enumerate(settings):
            if callback is not None:
                callback(k + 1)
            model = make_forecaster(candidate, n_ensemble=1, random_state=random_state)
            ranking.append((_rolling_error(model, part, windows), k))
            task.step()
    ranking.sort()
    limit = (1 + TIE_TOLERANCE) * ranking[0][0]
    tied = [item for item in ranking if item[0] <= limit < np.inf]
    first = max(tied, key=lambda item: settings[item[1]]["alpha"], default=ranking[0])
    ordered = [first, *(item for item in ranking if item != first)]
    return [RankedSettings(error, settings[k]) for error, k in ordered]


@_ignore_overflow
def evaluate_settings(series, horizon, settings, *, exog=None, random_state=0, verbose=0) -> Bunch:
    """Evaluate settings on the held-out last 30 % of a series, beside naive baselines.

    Five networks, whose forecasts are combined by the median, are fitted to the rows before and
    forecast the held-out rows from some 20 origins, `horizon` steps each.

    Parameters
    ----------
    series : array-like of shape (n_timesteps,)
        An array, list or pandas Series, at least `horizon` + 10 time steps.
    horizon : int >= 1
        Number of steps to forecast.
    settings : dict
        As in :func:`make_forecaster`.
    exog : array-like of shape (>= n_timesteps, n_exog) or (>= n_timesteps,), default=None
        Inputs known in advance, row by row with the series; rows after its end are not used.
    random_state : int, default=0
        Seeds the networks.
    verbose : int, default=0
        With 1, progress of long calls and their end are written to the standard error, or are
        records of the logger ``esnkit`` if logging shows these.

    Returns
    -------
    Bunch
        `nrmse`, the root mean squared error of all forecasts over the standard deviation of the
        series, infinite where it cannot be forecast so; `baselines`, a dict of the same error of
        the naive forecast and of one seasonal naive forecast per season; `n_held_out`, the number
        of held-out rows; `horizon`, the number of steps forecast, at most `n_held_out`; and
        `n_windows`, the number of origins.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit.forecasting import evaluate_settings
    >>> series = np.tile([0.0, 1.0, 3.0, 2.0], 30)
    >>> evaluation = evaluate_settings(series, 4, {"n_units": 20, "differences": (4,)})
    >>> evaluation.nrmse < 1e-6
    True
    >>> {name: round(error, 2) for name, error in evaluation.baselines.items()}
    {'naive (last value repeated)': 1.41, 'seasonal naive (last 4 steps repeated)': 0.0}
    """
    horizon, rows = _read(series, horizon, exog)
    settings = _check_settings("settings", settings)
    before = _ranking_rows(len(rows.values))
    part = rows.part(slice(before.start, len(rows.values)))
    n_held_out = len(rows.values) - before.stop
    windows = _windows(horizon, n_held_out)
    model = make_forecaster(settings, random_state=random_state)
    with Task("evaluate_settings", 1, verbose=check_verbose(verbose)):
        error = _rolling_error(model, part, windows)
    return Bunch(
        nrmse=error,
        baselines=_baseline_errors(part.values, find_seasons(rows.values[before]), windows),
        n_held_out=n_held_out,
        horizon=windows.horizon,
        n_windows=windows.n_windows,
    )


def forecast_with_fallback(
    series, horizon, ranking, *, exog=None, interval=None, random_state=0, verbose=0
) -> Bunch:
    """Fit to all rows of a series and forecast with the first settings that do not diverge.

    A forecast counts as diverged if :class:`Forecaster` raises FloatingPointError, or warns that it
    leaves the range of the series. If that holds for all settings, those ranked first are used, and
    their error or warning is passed on.

    Parameters
    ----------
    series : array-like of shape (n_timesteps,)
        An array, list or pandas Series, at least `horizon` + 10 time steps.
    horizon : int >= 1
        Number of steps to forecast.
    ranking : list of RankedSettings
        As :func:`rank_settings` gives it, best first. Settings of infinite error are used only if
        there are no others.
    exog : array-like of shape (>= n_timesteps + horizon, n_exog), default=None
        Inputs known in advance, of all rows of the series and of the `horizon` rows after it.
    interval : float in (0, 1), default=None
        Coverage of the interval around every value, such as 0.9; None gives no interval.
    random_state : int, default=0
        Seeds the networks.
    verbose : int, default=0
        With 1, progress of long calls and their end are written to the standard error, or are
        records of the logger ``esnkit`` if logging shows these.

    Returns
    -------
    Bunch
        `forecast`, as from :meth:`Forecaster.forecast`; `settings`, those used; and `forecaster`,
        fitted with them.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit.forecasting import forecast_with_fallback, rank_settings
    >>> series = np.tile([0.0, 1.0, 3.0, 2.0], 30)
    >>> ranking = rank_settings(series, 4, [{"n_units": 20, "differences": (4,)}])
    >>> forecast_with_fallback(series, 4, ranking).forecast.round(6) + 0.0
    array([0., 1., 3., 2.])
    """
    horizon, _ = _read(series, horizon, exog, n_future=horizon)
    if not len(ranking):
        raise ValueError("ranking must have at least one entry, got none; see rank_settings")
    usable = [settings for error, settings in ranking if error < np.inf] or [ranking[0][1]]
    request = {"exog": exog, "interval": interval, "random_state": random_state}
    with Task("forecast_with_fallback", verbose=check_verbose(verbose)):
        for settings in usable:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("error", RuntimeWarning)
                    return _fit_and_forecast(series, horizon, settings, **request)
            except (RuntimeWarning, FloatingPointError):
                continue
        return _fit_and_forecast(series, horizon, usable[0], **request)


@_ignore_overflow
def _fit_and_forecast(series, horizon: int, settings: dict, *, exog, interval, random_state):
    model = make_forecaster(settings, random_state=random_state)
    known, ahead = _split_exog(exog, len(series), horizon)
    model.fit(series, exog=known)
    forecast = model.forecast(horizon, ahead, interval)
    return Bunch(forecast=forecast, settings=settings, forecaster=model)


def _split_exog(exog, n_rows: int, horizon: int):
    """Split exogenous inputs into those of the series and those of the steps ahead."""
    if exog is None:
        return None, None
    return slice_rows(exog, 0, n_rows), slice_rows(exog, n_rows, n_rows + horizon)


def _read(series, horizon, exog, n_future: int = 0) -> tuple[int, _Rows]:
    """Check series, horizon and exogenous inputs, and return them as numbers."""
    horizon = check_positive_int("horizon", horizon)
    values = read_one_series(series, required_rows(horizon))
    table = read_series(series, "series")[1]
    read_kind(table)  # checks that the index is regular
    if exog is None:
        return horizon, _Rows(values, None)
    inputs = read_exog(exog, len(values), table, exactly=False).values
    if len(inputs) < len(values) + n_future:
        raise ValueError(
            f"exog must have {len(values) + n_future} rows, {len(values)} for the series and "
            f"{n_future} for the steps ahead, got {len(inputs)}"
        )
    return horizon, _Rows(values, inputs)


def required_rows(horizon: int, differences: Any = 0) -> int:
    """Return the number of rows that a forecast of `horizon` steps needs at least."""
    return horizon + MIN_ROWS + sum(check_differences(differences))


def _check_settings(argument: str, settings: Any) -> dict:
    if not isinstance(settings, dict) or not settings.keys() <= DEFAULT_SETTINGS.keys():
        raise ValueError(
            f"{argument} must be a dict with keys among {list(DEFAULT_SETTINGS)}, got {settings!r}"
        )
    return settings


def _check_candidates(settings: Any) -> list[dict]:
    """Return a list of complete settings."""
    if isinstance(settings, dict) or not len(settings):
        raise ValueError(f"settings must be a list of one or more dicts, got {settings!r}")
    return [DEFAULT_SETTINGS | _check_settings("settings", one) for one in settings]


def _n_held_out(n_rows: int) -> int:
    """Return how many of the rows, at their end, are held out: 30 %, as for intervals."""
    return max(1, n_rows * 3 // 10)


def _ranking_rows(n_rows: int) -> slice:
    """Return the rows on which settings are ranked, those before the held-out ones."""
    stop = n_rows - _n_held_out(n_rows)
    return slice(max(0, stop - MAX_RANKING_ROWS), stop)


def _windows(horizon: int, n_held_out: int) -> _Windows:
    """Return some twenty rolling forecasts that end within the last `n_held_out` rows."""
    horizon = min(horizon, n_held_out)
    stride = max(1, (n_held_out - horizon) // 19)
    return _Windows(horizon, (n_held_out - horizon) // stride + 1, stride)


def _rolling_error(model: Forecaster, rows: _Rows, windows: _Windows) -> float:
    """Return the NRMSE of rolling forecasts, infinite where the series cannot be forecast."""
    try:
        with warnings.catch_warnings():
            # A forecast that diverges has a large error.
            warnings.simplefilter("ignore", RuntimeWarning)
            # The final forecast warns of the inputs once.
            warnings.filterwarnings("ignore", "exog column")
            result = model.backtest(rows.values, exog=rows.exog, **windows._asdict())
        return _nrmse(rows.values, result.forecasts, result.observed)
    except (FloatingPointError, ValueError, np.linalg.LinAlgError):
        return np.inf


def _baseline_errors(values: np.ndarray, seasons: list[int], windows: _Windows) -> dict:
    """Return the NRMSE of the naive forecast, and of a seasonal one per season."""
    horizon = windows.horizon
    origins = len(values) - horizon - windows.stride * np.arange(windows.n_windows)
    observed = windows_of(values, origins, horizon)

    def error(forecast, *period):
        forecasts = np.stack([forecast(values[:origin], horizon, *period) for origin in origins])
        return _nrmse(values, forecasts, observed)

    errors = {"naive (last value repeated)": error(persistence)}
    for season in seasons:
        name = f"seasonal naive (last {season} steps repeated)"
        errors[name] = error(seasonal_naive, season)
    return errors


def _nrmse(values: np.ndarray, forecasts: np.ndarray, observed: np.ndarray) -> float:
    """Return the root mean squared error over the standard deviation of all `values`."""
    largest = np.abs(values).max() or 1.0  # squares must not overflow
    error = np.sqrt(np.mean((forecasts / largest - observed / largest) ** 2))
    return float(error / (np.std(values / largest) or 1.0))
