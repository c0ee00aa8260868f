"""Candidate networks for a series, judged by rolling forecasts over its recent part.

Candidates differ in differences, transform, season terms, leak rates and penalty. The forecast is
the median of the best few that differ in more than their leak rates and penalty.
"""

from typing import Any, NamedTuple

import numpy as np

from esnkit.forecasting._differencing import Lag
from esnkit.forecasting._ensemble import ModelSpec
from esnkit.forecasting._penalty_path import PenaltyPath, Structure
from esnkit.forecasting._power import box_cox, loses_digits
from esnkit.reservoirs import Reservoir
from esnkit.utils._progress import count_step
from esnkit.utils._threads import one_blas_thread

PENALTIES = 10.0 ** np.arange(-12, 4)
NETWORK: dict[str, Any] = {"spectral_radius": 0.9, "input_scaling": 0.3, "bias_scaling": 0.2}
LEAK_RATES = (1.0, (0.1, 1.0))
MIN_ROWS_OF_DAY = 24  # shortest first season that the time constants of slow units reach
MIN_UNITS, MAX_UNITS = 20, 100
QUICK_LEAK_RATES, QUICK_MAX_UNITS = LEAK_RATES[:1], 50
FEW_HARMONICS, MANY_HARMONICS = 2, 6
# Differences of long series from the means of so many of the longest seasons, or first seasons.
AVERAGED_SEASONS, AVERAGED_FIRST_SEASONS = (2, 6), (2, 7)
N_WINDOWS = 8
SEASONS_OF_WINDOWS = 6  # origins span this many of the longest season at least
MIN_COMPLETE = 0.25  # share of rows with all series, which origins follow
FIRST_ORIGIN = 9  # fewer rows before an origin teach no readout
MIN_TRANSFORMED_ROWS = 6  # before the first origin, after differences
FIRST_SHARE = 0.4  # origins lie after this share of the rows
RECENCY = 0.5  # weights of windows fall by exp(-RECENCY) from the last origin to the first
# A penalty below MIN_SAFE_PENALTY pays off on few windows by chance: in a series of fewer rows than
# LONG_SERIES it must reduce the error to this share of that of the larger ones.
LONG_SERIES = 1000
MIN_SAFE_PENALTY, GAIN_OF_SMALL_PENALTY = 1.0, 0.7
TIE_TOLERANCE, SMALL_TIE_TOLERANCE = 0.01, 0.1
# Errors of few rolling forecasts say little about which candidate is the best. With n of them, side
# by side, the error of a penalty may exceed the least one by the share n ** -TIE_POWER, and that of
# a member by EXCESS_OF_ONE * n ** -EXCESS_POWER: 0.27 for n = 8, 0.75 for 4, 2.1 for 2.
TIE_POWER = 2.0
EXCESS_OF_ONE, EXCESS_POWER = 6.0, 1.5
N_MEMBERS = 12
MAX_ROWS = 20_000  # the last ones, on which candidates are judged and members fitted
DEFAULT_HORIZON, MIN_HORIZON = 10, 4
LARGEST_ERROR = np.finfo(float).max / 1e9  # of a loop that diverges; means of it are finite


class Search(NamedTuple):
    """Which candidates are tried for a series, and what their forecasts are for."""

    horizon: int
    positive: bool = False  # whether forecasts end at zero
    seed: int = 0
    quick: bool = False  # whether to try fewer and smaller networks
    n_exog: int | None = None  # inputs, the first ones, that baselines have; None for all
    settings: dict[str, Any] = {}  # what all candidates have in common, see `check_settings`
    models: tuple[str, ...] = ()  # of statsforecast, which are members beside networks
    n_past: int = 0  # past-only inputs, the last columns of the rows
    leak_rates: tuple = LEAK_RATES  # where no settings have them, and unless quick

    @property
    def penalties(self) -> np.ndarray:
        """Penalties of the readout to try."""
        return np.array([self.settings["alpha"]]) if "alpha" in self.settings else PENALTIES

    def network(self, n_rows: int) -> dict[str, Any]:
        """Return parameters of the networks for a series of so many rows."""
        largest = QUICK_MAX_UNITS if self.quick else MAX_UNITS
        size = {"n_units": int(np.clip(n_rows // 2, MIN_UNITS, largest))}
        given = {k: v for k, v in self.settings.items() if k not in ("alpha", "differences")}
        return NETWORK | size | given | {"random_state": self.seed}


class Windows(NamedTuple):
    """Rolling forecasts that judge candidates."""

    origins: np.ndarray  # how many rows are known at each
    weights: np.ndarray  # sum to 1
    horizon: int

    @property
    def n_separate(self) -> float:
        """How many windows without overlap they amount to."""
        span = self.origins[-1] - self.origins[0] + self.horizon
        return float(min(len(self.origins), span / self.horizon))

    def observed(self, values: np.ndarray) -> np.ndarray:
        """Return the rows after each origin, (n_origins, horizon, ...)."""
        return values[self.origins[:, None] + np.arange(self.horizon)]

    def errors(self, forecasts: np.ndarray, observed: np.ndarray) -> np.ndarray:
        """Return weighted mean absolute errors of forecasts (n_origins, ..., horizon).

        Missing values, NaN in `observed`, do not count. Observed rows (n_origins, horizon,
        n_series) of several series have the mean error of all.
        """
        averaged, known = tuple(range(1 - observed.ndim, 0)), ~np.isnan(observed)
        while observed.ndim < forecasts.ndim:
            observed, known = observed[:, None], known[:, None]
        with np.errstate(over="ignore", invalid="ignore"):
            errors = np.abs(forecasts - observed).mean(axis=averaged, where=known)
        return np.tensordot(self.weights, np.where(np.isfinite(errors), errors, LARGEST_ERROR), 1)


class Candidate(NamedTuple):
    """A network for a series with the penalty chosen for it, and its rolling forecasts."""

    error: float  # weighted mean absolute error
    structure: Structure
    penalty: float
    forecasts: np.ndarray  # (n_origins, horizon), of several series (n_origins, horizon, n_series)
    network: dict[str, Any]  # parameters of an ESNRegressor
    n_past: int = 0  # past-only inputs that the network has

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
            n_past=self.n_past,
        )


def default_horizon(n_rows: int, periods: list[float]) -> int:
    """Return the length of the shortest season, or 10, and at most a fifth of the rows."""
    first = min(periods, default=DEFAULT_HORIZON)
    return int(min(max(first, MIN_HORIZON), max(n_rows // 5, 1)))


def largest_horizon(n_rows: int, n_lost: int) -> int:
    """Return how many steps rolling forecasts have at most."""
    return max(1, (n_rows - n_lost) // 3)


def make_windows(
    n_rows: int,
    horizon: int,
    n_lost: int = 0,
    longest_season: float = 0.0,
    values: np.ndarray | None = None,
) -> Windows:
    """Choose origins in the recent part of a series, at most `N_WINDOWS`.

    `n_lost` rows before the first one serve differences only. In `values`, (n_rows,) or (n_rows,
    n_series), with missing ones, the row before an origin is observed, so that values interpolated
    before it know none after it. So is at least one row of every window.
    """
    horizon = min(horizon, largest_horizon(n_rows, n_lost))
    last = n_rows - horizon
    span = int(max(N_WINDOWS * horizon, SEASONS_OF_WINDOWS * longest_season))
    first = max(int(FIRST_SHARE * n_rows), FIRST_ORIGIN, n_rows - span)
    first = min(max(first, n_lost + MIN_TRANSFORMED_ROWS), last)
    origins = np.unique(np.linspace(first, last, N_WINDOWS).astype(int))
    if values is not None:
        origins = _after_observed(values, origins, horizon)
    weights = np.exp(-RECENCY * (last - origins) / max(1, last - first))
    return Windows(origins, weights / weights.sum(), horizon)


def _after_observed(values: np.ndarray, origins: np.ndarray, horizon: int) -> np.ndarray:
    """Move origins back to the last observed rows before them; leave out empty windows."""
    observed = _observed_rows(values)
    last = np.maximum.accumulate(np.where(observed, np.arange(len(values)), -1))
    moved = np.unique(last[origins - 1] + 1)
    counts = np.array([observed[origin : origin + horizon].sum() for origin in moved])
    windows = moved[(counts > 0) & (moved > 0)]
    if not len(windows):
        raise ValueError(
            f"series has too few observed values, {observed.sum()}, to compare forecasts with"
        )
    return windows


def _observed_rows(values: np.ndarray) -> np.ndarray:
    """Tell which rows have all series, or any of them where few have all."""
    observed = ~np.isnan(values.reshape(len(values), -1))
    complete = observed.all(axis=1)
    return complete if complete.mean() >= MIN_COMPLETE else observed.any(axis=1)


def powers_of(values: np.ndarray) -> list[float | None]:
    """List the Box-Cox transforms to try for a series: none, and the logarithm or square root."""
    if (values > 0).all():
        return [None, 0.0]
    has_root = bool((values >= 0).all()) and not loses_digits(values, box_cox(values, 0.5))
    return [None, 0.5] if has_root else [None]


def leak_rates_of(n_rows: int, periods: list[float]) -> tuple:
    """Return the leak rates to try for a series of so many rows with seasons of these periods.

    Long series with two seasons of 24 rows or more, such as the days and weeks of hours or shorter
    steps, have networks with slow units only: time constants up to 10 steps, and up to the shorter
    season. With 1 in place of the latter rates, errors are larger by 1.3 % (standard error 0.9 %)
    on 110 parts of 47 series of hours or shorter steps.

    Examples
    --------
    >>> leak_rates_of(500, [24.0, 168.0])
    (1.0, (0.1, 1.0))
    >>> leak_rates_of(1000, [50.0, 350.0])
    ((0.1, 1.0), (0.02, 1.0))
    """
    if n_rows >= LONG_SERIES and len(periods) > 1 and min(periods) >= MIN_ROWS_OF_DAY:
        return LEAK_RATES[-1], (1.0 / min(periods), 1.0)
    return LEAK_RATES


def make_structures(values: np.ndarray, periods: list[float], search: Search) -> list[Structure]:
    """List the structures to try for a series with seasons of these periods; half of them if quick.

    Forecasts of 195 origins of 99 real series lose 0.7 % of their accuracy if quick.
    """
    lags = sorted({round(period) for period in periods})
    kinds: list[tuple] = [((), ()), ((1,), ())]
    for many in (FEW_HARMONICS, MANY_HARMONICS) if periods else ():
        terms = tuple((period, min(int(period // 2), many)) for period in periods)
        kinds += [((), terms), ((1,), terms)]
    kinds += [((lag,), ()) for lag in lags] + [((lag, 1), ()) for lag in lags]
    if "differences" in search.settings:
        kinds = [(search.settings["differences"], seasons) for _, seasons in kinds]
    return _vary(kinds, values, search)


def make_averaged_structures(
    values: np.ndarray, periods: list[float], search: Search
) -> list[Structure]:
    """List structures of a long series whose differences are from the means of its last seasons.

    Such a mean, a seasonal profile, has less noise than the last season and follows a series whose
    profile changes. At most as many seasons are averaged as leave one before the first origin to
    learn from. With two seasons, the mean of the first one is subtracted too, of what the longest
    leaves. On 62 parts of hourly and half-hourly series the errors fall by 4 %, and by 3 % or more
    on either half of these series.
    """
    if not periods or len(values) < LONG_SERIES or search.quick or "differences" in search.settings:
        return []
    first, longest = round(min(periods)), round(max(periods))
    most = int(FIRST_SHARE * len(values)) // longest - 1
    counts = sorted({min(n, most) for n in AVERAGED_SEASONS})
    lags: list[Lag] = [(longest, n) for n in counts if n >= 2]
    kinds: list[tuple] = [((lag,), ()) for lag in lags]
    if first < longest:
        profile = lags[-1] if lags else longest
        kinds += [((profile, (first, n)), ()) for n in AVERAGED_FIRST_SEASONS]
    return _vary(kinds, values, search)


def _vary(kinds: list[tuple], values: np.ndarray, search: Search) -> list[Structure]:
    """List structures of kinds (differences, seasons), with all transforms and leak rates.

    Where there are past-only inputs, each comes without and with them.
    """
    leak_rates = QUICK_LEAK_RATES if search.quick else search.leak_rates
    if "leak_rate" in search.settings:
        leak_rates = (search.settings["leak_rate"],)
    return [
        Structure(differences, power, seasons, leak_rate, past_exog)
        for past_exog in ((False, True) if search.n_past else (False,))
        for power in powers_of(values)
        for differences, seasons in dict.fromkeys(kinds)
        for leak_rate in leak_rates
    ]


@one_blas_thread()
def evaluate_structures(
    values: np.ndarray, exog: np.ndarray, structures, windows: Windows, search: Search, known=None
) -> list[Candidate]:
    """Judge structures that the rows before the first origin suffice for, the best first.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_series + search.n_past)
        Filled; past-only inputs are the last columns, whose forecasts are not judged.
    exog : ndarray of shape (n_rows, n_exog)
    structures : sequence of Structure
    windows : Windows
    search : Search
    known : ndarray, default=None
        Like `values`, with the missing ones.
    """
    penalties, n_series = search.penalties, values.shape[1] - search.n_past
    known = values if known is None else known
    observed = windows.observed(known[:, :n_series])
    candidates: list[Candidate] = []
    for structure in structures:
        count_step()
        if windows.origins[0] - structure.n_lost < MIN_TRANSFORMED_ROWS:
            continue
        network = search.network(len(values)) | {"leak_rate": structure.leak_rate}
        n_past = search.n_past if structure.past_exog else 0
        rows, seen = (part[:, : n_series + n_past] for part in (values, known))
        path = PenaltyPath(structure, Reservoir(**network), penalties)
        path.fit(rows, exog, seen, n_past)
        network["washout"] = path.washout
        forecasts = path.roll(windows.origins, windows.horizon)[..., :n_series]
        errors = windows.errors(forecasts, observed)
        k = choose_penalty(errors, len(values), windows) if len(penalties) > 1 else 0
        rolled = forecasts[:, k, :, 0] if n_series == 1 else forecasts[:, k]
        error, penalty = float(errors[k]), float(penalties[k])
        candidates.append(Candidate(error, structure, penalty, rolled, network, n_past))
    return sorted(candidates, key=lambda candidate: candidate.error)


def choose_penalty(errors: np.ndarray, n_rows: int, windows: Windows) -> int:
    """Choose a penalty by its errors for a series of so many rows, preferring large ones."""
    if n_rows >= LONG_SERIES:
        return int(np.flatnonzero(errors <= (1 + TIE_TOLERANCE) * errors.min()).max())
    noise = windows.n_separate**-TIE_POWER
    safe = np.flatnonzero(PENALTIES >= MIN_SAFE_PENALTY)
    least = errors[safe].min()
    if errors.min() < GAIN_OF_SMALL_PENALTY * least / (1 + noise):
        tolerance = max(noise, SMALL_TIE_TOLERANCE)
        return int(np.flatnonzero(errors <= (1 + tolerance) * errors.min()).max())
    return int(safe[errors[safe] <= (1 + max(noise, TIE_TOLERANCE)) * least].max())


def choose_members(candidates: list[Candidate], windows: Windows) -> list[Candidate]:
    """Choose the best candidates of different kinds, none much worse than the best."""
    members: dict = {}
    largest = max_member_error(candidates[0].error, windows)
    for candidate in candidates:
        if candidate.error <= largest:
            members.setdefault(candidate.kind, candidate)
    return list(members.values())[:N_MEMBERS]


def max_member_error(least: float, windows: Windows) -> float:
    """Return the largest error that a member may have, given that of the best candidate."""
    return least * (1 + EXCESS_OF_ONE * windows.n_separate**-EXCESS_POWER)
