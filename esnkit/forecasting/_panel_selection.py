"""Selection of the networks over many series: candidates, rolling forecasts, members, errors."""

from typing import Any, NamedTuple

import numpy as np

from esnkit.forecasting._candidates import powers_of
from esnkit.forecasting._packed_series import PackedSeries
from esnkit.forecasting._panel_ensemble import PanelEnsemble, PanelMember, clear_far
from esnkit.forecasting._panel_network import (
    Loops,
    PanelStructure,
    is_constant,
    make_network,
    shrink_sizes,
)
from esnkit.forecasting._panel_smoothing import (
    PanelSmoothing,
    share_of_second,
    smooth_series,
)
from esnkit.forecasting._smearing import power_errors
from esnkit.reservoirs import Reservoir
from esnkit.utils._progress import Task, count_step
from esnkit.utils._threads import one_blas_thread

__all__ = ["PanelSelection", "error_sizes", "select_for_panel"]

PENALTIES = 10.0 ** np.array([-6, -5, -4, -3, -2.5, -2, -1.5, -1, -0.5, 0])  # per row
NETWORK: dict[str, Any] = {"n_units": 100, "spectral_radius": 0.9, "input_scaling": 0.1}
NETWORK |= {"bias_scaling": 0.2, "leak_rate": (0.1, 1.0)}
N_HARMONICS = 6
N_WINDOWS = 3  # of each series; many series have many together
RECENCY = 0.5  # weights of windows fall by exp(-RECENCY) from the last origin to the first
MIN_KNOWN = 3  # rows before an origin, beyond those that a structure loses
MAX_JUDGED, MAX_JUDGED_ROWS = 150, 50_000
MAX_FITTED_ROWS = 100_000
# Errors of few series, on which the members were chosen, are smaller than those to come. With this,
# intervals of level 0.9 for panels of 1 to 12 of 98 real series cover 0.85 to 0.94 of the values.
FEW_SERIES, MAX_FACTOR = 8, 1.5
LARGEST_RELATIVE = 100.0  # error that counts for intervals
LARGEST_ERROR = 10.0  # of a window, relative to the naive forecast
TIE_TOLERANCE = 0.002
MAX_RELATIVE_ERROR = 1.1  # of a member, to the best one
N_MEMBERS = 5


class Reservoirs:
    """Reservoirs of a seed, drawn once for every number of inputs."""

    def __init__(self, seed: int):
        self.seed = seed
        self._drawn: dict[int, Reservoir] = {}

    def draw(self, n_inputs: int) -> Reservoir:
        """Return the reservoir for a number of inputs."""
        if n_inputs not in self._drawn:
            self._drawn[n_inputs] = Reservoir(**NETWORK, random_state=self.seed)
            self._drawn[n_inputs].prepare(n_inputs)
        return self._drawn[n_inputs]


class PanelWindows(NamedTuple):
    """Rolling forecasts that judge candidates."""

    packed: PackedSeries  # the series judged
    origins: np.ndarray  # (n_rounds, n_series), numbers of rows known, each round above the last
    rounds: np.ndarray  # (n_windows,)
    series: np.ndarray  # (n_windows,)
    horizon: int
    sizes: np.ndarray  # (n_series,), of the naive error before the first origin

    @property
    def known(self) -> np.ndarray:
        """Number of rows known in each window."""
        return self.origins[self.rounds, self.series]

    @property
    def observed(self) -> np.ndarray:
        """The rows after each origin, (n_windows, horizon)."""
        first = self.packed.offsets[self.series] + self.known
        return self.packed.values[first[:, None] + np.arange(self.horizon)]

    @property
    def is_observed(self) -> np.ndarray:
        """Whether the rows after each origin are observed, (n_windows, horizon)."""
        first = self.packed.offsets[self.series] + self.known
        return self.packed.observed[first[:, None] + np.arange(self.horizon)]

    def relative_errors(self, forecasts: np.ndarray) -> np.ndarray:
        """Return observed values minus forecasts (n_windows, ..., horizon), relative to the sizes.

        Errors at missing values tell nothing.
        """
        shape = (-1,) + (1,) * (forecasts.ndim - 1)
        observed = self.observed.reshape(len(forecasts), *shape[2:], self.horizon)
        sizes = self.sizes[self.series].reshape(shape)
        with np.errstate(over="ignore", invalid="ignore"):
            return (observed - forecasts) / np.where(sizes > 0, sizes, np.inf)

    def power_errors(
        self, forecasts: np.ndarray, power: float | None, scale: np.ndarray
    ) -> np.ndarray:
        """Return errors of forecasts (n_windows, horizon) after a power transform, see `smear`.

        They are relative to the scales (n_series,) of the series. NaN stands for those that tell
        nothing: at missing values, and of constant series and forecasts that run away.
        """
        near = clear_far(forecasts, self.packed, self.series)
        errors = power_errors(np.where(self.is_observed, self.observed, np.nan), near, power)
        scale = scale[self.series, None]
        return errors / np.where(scale > 0, scale, np.nan)

    def errors(self, forecasts: np.ndarray) -> np.ndarray:
        """Return weighted mean absolute errors of forecasts (n_windows, ..., horizon)."""
        shape = (-1,) + (1,) * (forecasts.ndim - 2) + (self.horizon,)
        seen = self.is_observed.reshape(shape)
        errors = np.abs(self.relative_errors(forecasts))
        errors = np.where(np.isnan(errors), np.inf, errors)
        errors = np.where(seen, errors, 0.0).sum(axis=-1) / seen.sum(axis=-1)
        weights = np.exp(-RECENCY * (N_WINDOWS - 1 - self.rounds) / (N_WINDOWS - 1))
        return np.average(np.minimum(errors, LARGEST_ERROR), axis=0, weights=weights)


class PanelCandidate(NamedTuple):
    """A structure with the penalty chosen for it, and its rolling forecasts."""

    error: float
    structure: PanelStructure
    penalty: float
    forecasts: np.ndarray  # (n_windows, horizon)
    power_errors: np.ndarray  # (n_windows, horizon), of these, see `PanelWindows`

    def as_dict(self) -> dict:
        """Return settings and error as plain values."""
        return self.structure._asdict() | {"alpha": self.penalty, "error": self.error}


class PanelSelection(NamedTuple):
    """The fitted members, and the errors of rolling forecasts."""

    ensemble: PanelEnsemble
    candidates: list[PanelCandidate]  # the best first
    error: float  # of the forecast
    naive_error: float
    smoothing_error: float
    relative_errors: np.ndarray  # (n_windows, horizon), of the forecast, wider for few series; NaN
    # where the value is missing


def select_for_panel(
    packed: PackedSeries, periods: list[float], horizon: int, has_clock: bool, seed: int
) -> PanelSelection:
    """Choose networks for series, and fit them to all.

    For series with missing values the choice is made twice: with interpolated values in their
    place, and with those that the members of the first choice predict. The one with the smaller
    error is kept.

    Parameters
    ----------
    packed : PackedSeries
        Each ends with an observed value.
    periods : list of float
        Of the seasons.
    horizon : int
        Steps of the rolling forecasts.
    has_clock : bool
        Whether rows of different series are known to be of the same time.
    seed : int
    """
    reservoirs = Reservoirs(seed)
    found = _select(packed, periods, horizon, has_clock, reservoirs)
    if packed.observed.all():
        return found
    again = _select(found.ensemble.fill(packed), periods, horizon, has_clock, reservoirs)
    return min(found, again, key=lambda selection: selection.error)


def _select(
    packed: PackedSeries,
    periods: list[float],
    horizon: int,
    has_clock: bool,
    reservoirs: Reservoirs,
) -> PanelSelection:
    structures = make_structures(packed.values, periods, has_clock, packed.past.shape[1])
    windows, structures = make_windows(packed, structures, horizon, periods, reservoirs.seed)
    candidates = []
    with Task("", len(structures), "candidates"):
        for structure in structures:
            candidates.append(evaluate(structure, windows, reservoirs))
            count_step()
    candidates.sort(key=lambda candidate: candidate.error)
    chosen = choose_members(candidates)
    members = chosen + reserve(chosen, candidates, packed.lengths)
    median = np.median([candidate.forecasts for candidate in chosen], axis=0)
    smoothing = PanelSmoothing(tuple(round(period) for period in periods), windows.horizon)
    smoothed = _smooth(windows, smoothing)
    smoothing_error = float(windows.errors(smoothed))
    smoothing = smoothing._replace(
        share=share_of_second(float(windows.errors(median)), smoothing_error),
        min_rows=int(windows.known.min()),
    )
    forecasts = smoothing.combine(median, smoothed)
    fitted = [fit_member(member, packed, reservoirs) for member in members]
    return PanelSelection(
        ensemble=PanelEnsemble(fitted, len(chosen), smoothing if smoothing.share else None),
        candidates=candidates,
        error=float(windows.errors(forecasts)),
        naive_error=float(windows.errors(_naive(windows, periods))),
        smoothing_error=smoothing_error,
        relative_errors=_errors_to_come(windows, forecasts),
    )


def _errors_to_come(windows: PanelWindows, forecasts: np.ndarray) -> np.ndarray:
    """Return relative errors (n_windows, horizon), wider where few series chose the members."""
    errors = np.nan_to_num(windows.relative_errors(forecasts), nan=LARGEST_RELATIVE)
    factor = min(1 + FEW_SERIES / windows.packed.n_series, MAX_FACTOR)
    errors = factor * np.clip(errors, -LARGEST_RELATIVE, LARGEST_RELATIVE)
    return np.where(windows.is_observed, errors, np.nan)


def make_structures(
    values: np.ndarray, periods: list[float], has_clock: bool, n_past: int = 0
) -> list[PanelStructure]:
    """List the structures to try for series with seasons of these periods.

    Where there are past-only inputs, each comes without and with them.
    """
    kinds: list[tuple] = [((), (), ()), ((1,), (), ())]
    lags = tuple(sorted({round(period) for period in periods}))
    if lags:
        kinds += [((), (), lags), ((1,), (), lags)]
    for lag in lags:
        for differences in ((lag,), (lag, 1)):
            kinds += [(differences, (), ()), (differences, (), (lag,))]
    if periods and has_clock:
        terms = tuple((period, min(int(period // 2), N_HARMONICS)) for period in periods)
        kinds += [((), terms, ()), ((1,), terms, ())]
    return [
        PanelStructure(differences, power, seasons, lag, past_exog)
        for past_exog in ((False, True) if n_past else (False,))
        for power in powers_of(values)
        for differences, seasons, lag in kinds
    ]


def make_windows(
    packed: PackedSeries,
    structures: list[PanelStructure],
    horizon: int,
    periods: list[float],
    seed: int,
) -> tuple[PanelWindows, list[PanelStructure]]:
    """Choose series and origins, and the structures that at least half of the series suffice for.

    All structures are judged by the same windows, those that all of them can forecast. The row
    before an origin is observed, so that no interpolation brings later values to it.
    """
    horizon = min(horizon, max(1, int(np.median(packed.lengths)) // 3))
    long = np.flatnonzero(packed.lengths >= horizon + MIN_KNOWN)
    n_judged = min(MAX_JUDGED, int(MAX_JUDGED_ROWS // np.median(packed.lengths[long])) + 1)
    judged = np.random.default_rng(seed).permutation(long)[:n_judged]
    packed = packed.take(np.sort(judged))
    back = max(1, horizon // 2) * np.arange(N_WINDOWS)[::-1, None]
    origins = _after_observed(packed, packed.lengths - horizon - back)
    needed = np.array([structure.n_lost + MIN_KNOWN for structure in structures])
    suffices = (origins[-1] >= needed[:, None]).mean(axis=1) >= 0.5
    usable = origins >= needed[suffices].max()
    first = np.where(usable, origins, packed.lengths).min(axis=0)
    lag = round(periods[0]) if periods else 1
    rounds, series = np.nonzero(usable)
    windows = PanelWindows(
        packed, origins, rounds, series, horizon, error_sizes(packed.head(first), lag)
    )
    windows = _without_constants(windows)
    return windows, [s for s, enough in zip(structures, suffices, strict=True) if enough]


def _after_observed(packed: PackedSeries, origins: np.ndarray) -> np.ndarray:
    """Move origins (n_rounds, n_series) back until the row before each is observed."""
    rows, starts = np.arange(len(packed.values)), packed.offsets[:-1]
    last = np.maximum.accumulate(np.where(packed.observed, rows, 0))
    before = last[starts + np.maximum(origins - 1, 0)] - starts
    return np.where(origins > 0, before + 1, origins)


def _without_constants(windows: PanelWindows) -> PanelWindows:
    """Leave out windows without an observed row, and those of constant series beside others."""
    seen = windows.is_observed.any(axis=1)
    if not seen.any():
        raise ValueError(
            "panel must have observed values to judge forecasts by, but the last rows of all its "
            f"series are gaps of at least {windows.horizon} rows: give the rows after the gaps, or "
            "those before them, or more series"
        )
    varies = windows.sizes[windows.series] > 0
    kept = seen & (varies if varies[seen].any() else True)
    return windows._replace(rounds=windows.rounds[kept], series=windows.series[kept])


def error_sizes(packed: PackedSeries, lag: int) -> np.ndarray:
    """Return mean absolute changes over `lag` rows, of short series shrunk to those of the rest.

    Constant series have size 0.
    """
    changes = packed.difference((lag,))
    sizes = changes.means(np.abs(changes.values), changes.observed)
    level = packed.means(np.abs(packed.values), packed.observed)
    sizes = shrink_sizes(sizes, np.where(sizes > 0, changes.n_observed, 0), level)
    return np.where(is_constant(packed), 0.0, sizes)


@one_blas_thread()
def evaluate(
    structure: PanelStructure, windows: PanelWindows, reservoirs: Reservoirs
) -> PanelCandidate:
    """Judge a structure, whose transform knows the rows before the first origin of each series."""
    packed, series = windows.packed, windows.series
    n_rows = packed.lengths.copy()
    np.minimum.at(n_rows, series, windows.known)
    network = make_network(structure, reservoirs.draw, packed.head(n_rows))
    walk = network.walk(packed)
    n_lost = sum(structure.differences)
    weights = network.readouts(walk, PENALTIES, windows.origins - n_lost - 1)
    last = windows.known - n_lost - 1
    state = walk.state_before(series, last)
    rows = walk.z.offsets[series] + last + 1
    inputs = walk.z.inputs[rows[:, None] + np.arange(windows.horizon)]
    loops = Loops(series, last, state, weights[windows.rounds], inputs)
    forecasts = network.run_closed_loops(walk, loops)
    errors = windows.errors(forecasts)
    k = int(np.flatnonzero(errors <= (1 + TIE_TOLERANCE) * errors.min()).max())
    forecasts = forecasts[:, k]
    of_power = windows.power_errors(forecasts, structure.power, network.scale)
    return PanelCandidate(float(errors[k]), structure, float(PENALTIES[k]), forecasts, of_power)


def choose_members(candidates: list[PanelCandidate]) -> list[PanelCandidate]:
    """Choose the best candidates, none much worse than the best.

    Of those that differ in their past-only inputs alone, one is chosen.
    """
    chosen: dict = {}
    for candidate in candidates:
        if candidate.error <= MAX_RELATIVE_ERROR * candidates[0].error:
            chosen.setdefault(candidate.structure._replace(past_exog=False), candidate)
    return list(chosen.values())[:N_MEMBERS]


def reserve(
    chosen: list[PanelCandidate], candidates: list[PanelCandidate], n_rows: np.ndarray
) -> list[PanelCandidate]:
    """Return the best candidates for series of `n_rows` rows that are too short for the chosen."""
    shortest = min(candidate.structure.n_lost for candidate in chosen)
    found = []
    for n in np.unique(n_rows[n_rows <= shortest])[::-1]:
        best = next(k for k, c in enumerate(candidates) if c.structure.n_lost < n)
        found.append(best)
    return [candidates[k] for k in sorted(set(found))]


def fit_member(
    candidate: PanelCandidate, packed: PackedSeries, reservoirs: Reservoirs
) -> PanelMember:
    """Fit a candidate to all rows; of many series, some teach the readout."""
    network = make_network(candidate.structure, reservoirs.draw, packed)
    order = np.random.default_rng(reservoirs.seed).permutation(packed.n_series)
    n_fitted = max(1, int(np.searchsorted(np.cumsum(packed.lengths[order]), MAX_FITTED_ROWS)))
    fitted = np.sort(order[:n_fitted])
    part = network.take(fitted)
    walk = part.walk(packed.take(fitted))
    penalty = np.array([candidate.penalty])
    weights = part.readouts(walk, penalty, (walk.z.lengths - 1)[None])[0, 0]
    if n_fitted < packed.n_series:
        walk = network.walk(packed, with_features=False)
    return PanelMember(network, weights, walk._replace(features=None), candidate.power_errors)


def _smooth(windows: PanelWindows, smoothing: PanelSmoothing) -> np.ndarray:
    """Return forecasts by exponential smoothing, those that run away as NaN."""
    forecasts = [
        smooth_series(windows.packed, series, known, windows.horizon, smoothing)
        for series, known in zip(windows.series, windows.known, strict=True)
    ]
    return clear_far(np.array(forecasts), windows.packed, windows.series)


def _naive(windows: PanelWindows, periods: list[float]) -> np.ndarray:
    """Return the last season repeated, or the last value."""
    lag = round(periods[0]) if periods else 1
    lag = lag if windows.known.min() >= lag else 1
    last = windows.packed.offsets[windows.series] + windows.known
    return windows.packed.values[last[:, None] - lag + np.arange(windows.horizon) % lag]
