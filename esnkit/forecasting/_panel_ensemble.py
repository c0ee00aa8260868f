"""Fitted networks over many series: the median of their forecasts, which also fills gaps.

A gap, missing values one after the other, is filled by forecasts from the row before it, in closed
loop: each prediction stands in for the value that is missing.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from esnkit.forecasting._packed_series import PackedSeries
from esnkit.forecasting._panel_network import Loops, PanelNetwork, Walk
from esnkit.forecasting._panel_smoothing import PanelSmoothing
from esnkit.forecasting._power import with_power
from esnkit.forecasting._runaway import MAX_RELATIVE_REACH
from esnkit.forecasting._smearing import smear
from esnkit.utils._plain_state import plain_record

__all__ = ["PanelEnsemble", "PanelMember", "clear_far"]

N_FILLS = 2  # the second time, states along the series know the predictions of the first
MAX_ROWS_AT_ONCE = 100_000  # whose states are in memory
MAX_ERRORS_AT_ONCE = 1_000_000


@plain_record
@dataclass(frozen=True)
class PanelMember:
    """A network fitted to all series, after their last rows."""

    network: PanelNetwork
    weights: np.ndarray  # (1 + n_past, 1 + n_features)
    walk: Walk
    errors: np.ndarray  # (n_windows, horizon), see `PanelCandidate`

    def advance(self, packed: PackedSeries) -> "PanelMember":
        """Return the member along longer series."""
        return replace(self, walk=self.network.walk(packed, with_features=False))

    def forecast(self, ahead: np.ndarray, series: np.ndarray) -> np.ndarray:
        """Return forecasts (n_series, n_steps); NaN where a series is too short, or not asked.

        Parameters
        ----------
        ahead : ndarray of shape (n_series, n_steps, n_inputs)
            Inputs of the steps ahead.
        series : ndarray of bool, shape (n_series,)
            Those asked for.
        """
        walk = self.walk
        chosen = np.flatnonzero(series & (walk.values.lengths > self.network.structure.n_lost))
        inputs = self.network.inputs_ahead(walk.values, chosen, ahead[chosen])
        last = walk.z.lengths[chosen] - 1
        forecasts = np.full(ahead.shape[:2], np.nan)
        loops = self._loops(chosen, last, walk.state[chosen], inputs)
        forecasts[chosen] = self.network.run_closed_loops(walk, loops)[:, 0]
        return forecasts

    def means(self, forecasts: np.ndarray, n_before: np.ndarray) -> np.ndarray:
        """Return means of the values to come, of which a power transform forecasts medians.

        Parameters
        ----------
        forecasts : ndarray of shape (n_series, n_steps)
        n_before : ndarray of int, shape (n_series,)
            Number of rows between the last observed one and the forecast: so many steps ahead is
            it.
        """
        power = self.network.structure.power
        if power is None:
            return forecasts
        n_series, n_steps = forecasts.shape
        steps = np.minimum(n_before + np.arange(n_steps)[:, None], self.errors.shape[1] - 1)
        n_blocks = 1 + n_steps * n_series * len(self.errors) // MAX_ERRORS_AT_ONCE
        means = np.empty_like(forecasts)
        for series in np.array_split(np.arange(n_series), min(n_blocks, n_series)):
            errors = self.errors[:, steps[:, series]] * self.network.scale[series]
            means[series] = smear(forecasts[series].T, errors, power).T
        return means

    def fill(self, packed: PackedSeries, series: np.ndarray, gaps: "Gaps") -> np.ndarray:
        """Return forecasts (n_gaps, n_steps) from the rows before gaps of some of the series.

        Parameters
        ----------
        packed : PackedSeries
            The series at the numbers `series`, with values that stand in until now.
        series : ndarray of int
        gaps : Gaps

        Returns
        -------
        ndarray
            NaN where a gap begins too early.
        """
        n_lost, n_steps = sum(self.network.structure.differences), int(gaps.lengths.max())
        forecasts = np.full((len(gaps.series), n_steps), np.nan)
        late = np.flatnonzero(gaps.first > self.network.structure.n_lost)
        owners, last = gaps.series[late], gaps.first[late] - n_lost - 1
        member = replace(self, network=self.network.take(series))
        walk = member.network.walk(packed)
        rows = np.minimum(last[:, None] + 1 + np.arange(n_steps), walk.z.lengths[owners, None] - 1)
        rows += walk.z.offsets[owners, None]
        state = walk.state_before(owners, last)
        loops = member._loops(owners, last, state, walk.z.inputs[rows])
        loops = loops._replace(past=walk.z.past[rows])
        forecasts[late] = member.network.run_closed_loops(walk, loops)[:, 0]
        return forecasts

    def _loops(self, series, last, state, inputs) -> Loops:
        """Return closed loops from some rows."""
        weights = np.broadcast_to(self.weights, (len(series), 1, *self.weights.shape))
        return Loops(series, last, state, weights, inputs)


class Gaps(NamedTuple):
    """Runs of missing values."""

    series: np.ndarray  # (n_gaps,)
    first: np.ndarray  # (n_gaps,), place of the first missing value
    lengths: np.ndarray  # (n_gaps,)


def find_gaps(packed: PackedSeries) -> Gaps:
    """Return the runs of missing values of series, each of which begins with an observed one.

    Examples
    --------
    >>> from esnkit.forecasting._packed_series import pack_series
    >>> gaps = find_gaps(pack_series([np.array([1.0, np.nan, np.nan, 2.0]), np.array([1, np.nan])]))
    >>> gaps.series, gaps.first, gaps.lengths
    (array([0, 1]), array([1, 1]), array([2, 1]))
    """
    missing = np.concatenate([[False], ~packed.observed, [False]])
    starts, ends = (np.flatnonzero(np.diff(missing.astype(int)) == sign) for sign in (1, -1))
    series = packed.owners[starts]
    return Gaps(series, starts - packed.offsets[series], ends - starts)


@plain_record
class PanelEnsemble(NamedTuple):
    """The members whose median is the forecast, and those for series too short for these.

    Exponential smoothing has a share of the forecast, not of what stands in for missing values.
    """

    members: list[PanelMember]
    n_chosen: int
    smoothing: PanelSmoothing | None = None

    @property
    def smoothing_share(self) -> float:
        """Share of exponential smoothing in the forecast."""
        return 0.0 if self.smoothing is None else self.smoothing.share

    def forecast(
        self, packed: PackedSeries, ahead: np.ndarray, bias_adjust: bool = False
    ) -> np.ndarray:
        """Return forecasts (n_series, n_steps) after series; NaN where all members run away.

        With `bias_adjust`, means of members stand in place of their medians, and what that adds to
        their median is added to exponential smoothing.
        """
        owners, shift = np.arange(packed.n_series), 0.0
        forecasts = self._combine(packed, owners, lambda member, some: member.forecast(ahead, some))
        if bias_adjust:
            means = self._combine(
                packed,
                owners,
                lambda member, some: member.means(member.forecast(ahead, some), packed.n_trailing),
            )
            forecasts, shift = means, means - forecasts
        if self.smoothing is None:
            return forecasts
        smoothed = clear_far(self.smoothing.forecast(packed, ahead.shape[1]), packed, owners)
        return self.smoothing.combine(forecasts, smoothed + shift)

    def advance(self, packed: PackedSeries) -> "PanelEnsemble":
        """Return the ensemble along longer series, whose missing values it predicts.

        Values without the power transform of a member are missing to that member.
        """
        powers = [member.network.structure.power for member in self.members]
        known = packed.observed.copy()
        for power in powers:
            known &= ~np.isnan(with_power(packed.values, power))
        filled = self.fill(packed._replace(observed=known).interpolated())
        plain = filled._replace(values=np.where(packed.observed, packed.values, filled.values))
        members = [
            member.advance(plain if power is None else filled)
            for member, power in zip(self.members, powers, strict=True)
        ]
        return self._replace(members=members)

    def fill(self, packed: PackedSeries) -> PackedSeries:
        """Return series in which forecasts stand in for missing values.

        Where there are none, as in the first rows, what stood there remains.
        """
        values = packed.values.copy()
        for series in _blocks(packed):
            part = packed.take(series)
            for _ in range(N_FILLS):
                part = self._fill_once(part, series)
            rows = np.isin(packed.owners, series)
            values[rows] = part.values
        return packed._replace(values=values)

    def _fill_once(self, packed: PackedSeries, series: np.ndarray) -> PackedSeries:
        values, gaps = packed.values.copy(), find_gaps(packed)
        size = np.ceil(np.log2(gaps.lengths))
        for k in np.unique(size):  # loops of similar length run together
            some = Gaps(*(part[size == k] for part in gaps))
            forecasts = self._combine(
                packed, some.series, lambda member, _, some=some: member.fill(packed, series, some)
            )
            inside = np.arange(forecasts.shape[1]) < some.lengths[:, None]
            known = inside & ~np.isnan(forecasts)
            rows = (packed.offsets[some.series] + some.first)[:, None] + np.arange(inside.shape[1])
            least = _least_stand_ins(packed)[some.series, None]
            values[rows[known]] = np.maximum(forecasts, least)[known]
        return packed._replace(values=values)

    def _combine(self, packed: PackedSeries, owners: np.ndarray, forecast: Callable) -> np.ndarray:
        """Return the median of the chosen members, and else the forecast of the next member.

        Parameters
        ----------
        packed : PackedSeries
            What the forecasts must not run away from.
        owners : ndarray of shape (n,)
            The series of each forecast.
        forecast : callable
            From a member, and what is wanted of it (n,), to forecasts (n, n_steps).
        """

        def bounded(member: PanelMember, wanted: np.ndarray) -> np.ndarray:
            return clear_far(forecast(member, wanted), packed, owners)

        missing = np.ones(len(owners), dtype=bool)
        chosen = np.array([bounded(member, missing) for member in self.members[: self.n_chosen]])
        missing = np.isnan(chosen).all(axis=(0, 2))
        values = np.full(chosen.shape[1:], np.nan)
        values[~missing] = np.nanmedian(chosen[:, ~missing], axis=0)
        for member in self.members[self.n_chosen :]:
            if missing.any():
                values[missing] = bounded(member, missing)[missing]
                missing = missing & np.isnan(values).any(axis=1)
        return values


def clear_far(values: np.ndarray, packed: PackedSeries, owners: np.ndarray) -> np.ndarray:
    """Return forecasts (n, n_steps) of series, those that run away as NaN."""
    low, high = (f.reduceat(packed.values, packed.offsets[:-1]) for f in (np.minimum, np.maximum))
    middle, half = (low / 2 + high / 2)[owners], (high / 2 - low / 2)[owners]
    reach = MAX_RELATIVE_REACH * (half + np.abs(middle))
    far = ~(np.abs(values - middle[:, None]) <= reach[:, None])
    return np.where(far.any(axis=1, keepdims=True), np.nan, values)


def _least_stand_ins(packed: PackedSeries) -> np.ndarray:
    """Return what values that stand in must not fall below, so that power transforms take them."""
    observed = np.where(packed.observed, packed.values, np.inf)
    least = np.minimum.reduceat(observed, packed.offsets[:-1])
    return np.where(least >= 0, least / 2, -np.inf)


def _blocks(packed: PackedSeries) -> list[np.ndarray]:
    """Return the numbers of series with missing values, in blocks of so many rows at most."""
    series = np.flatnonzero(packed.n_observed < packed.lengths)
    block = np.cumsum(packed.lengths[series]) // MAX_ROWS_AT_ONCE
    return [series[block == k] for k in np.unique(block)]
