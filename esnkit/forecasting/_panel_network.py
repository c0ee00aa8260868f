"""One echo state network over many series, with a readout for each of many penalties and origins.

Each series is a sequence of the reservoir. The input of its row t is z[t], the transformed value,
with z[t + 1 - lag] for some lags, the season terms and the inputs known in advance of row t + 1,
and the static covariates of the series. The readout, one for all series, predicts z[t + 1] from the
state after this input and the input itself. One eigendecomposition gives its weights for all
penalties, and all closed loops advance together, as sequences of one time step each.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from esnkit.forecasting._differencing import CONSTANT_TOLERANCE, difference, integrate
from esnkit.forecasting._missing import MIN_UNTOUCHED
from esnkit.forecasting._packed_series import PackedSeries, offsets_of
from esnkit.forecasting._penalty_path import solve_ridge_path
from esnkit.forecasting._power import box_cox, inverse_box_cox
from esnkit.forecasting._seasonality import season_terms
from esnkit.forecasting._transforms import MIN_FLAG_SCALE
from esnkit.reservoirs import Reservoir
from esnkit.sequences import Sequences
from esnkit.utils._plain_state import plain_record

__all__ = [
    "Loops",
    "PanelNetwork",
    "PanelStructure",
    "Walk",
    "is_constant",
    "make_network",
    "shrink_sizes",
]

MAX_WASHOUT = 10
LARGEST_STEP = 1e2  # of a closed loop, in standard deviations: what reaches it has diverged
# Scale and drift of a series are means of its own and those of all series, which count as much as
# this many rows.
SCALE_PRIOR, DRIFT_PRIOR = 4, 20
MIN_CONSTANT = 8  # rows without a change that make a series constant


@plain_record
class PanelStructure(NamedTuple):
    """What a network over series is, but for the penalty of its readout."""

    differences: tuple[int, ...] = ()
    power: float | None = None  # of the Box-Cox transform, 0 for the logarithm
    seasons: tuple[tuple[float, int], ...] = ()  # periods and their numbers of harmonics
    lags: tuple[int, ...] = ()  # of values that are inputs beside the last one
    past_exog: bool = False  # whether the network has, and forecasts, the past-only inputs

    @property
    def n_lost(self) -> int:
        """Number of rows at the start of a series that teach the readout nothing."""
        return sum(self.differences) + max(self.lags, default=0)


@plain_record
class Walk(NamedTuple):
    """A network along series, up to the prediction of their last rows."""

    values: PackedSeries  # after the power transform
    z: PackedSeries  # differenced and scaled, with its inputs
    state: np.ndarray  # (n_series, n_units), before the input of the last row
    features: np.ndarray | None  # (n_rows of z that another one follows, n_units + n_inputs)

    @property
    def rows_before(self) -> np.ndarray:
        """Row of `features` of the first row of z of every series."""
        return _steps_before(self.z)[:-1]

    def state_before(self, series: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Return the states (n, n_units) before the inputs of rows of z at some places."""
        n_units = self.state.shape[1]
        assert self.features is not None
        rows = self.rows_before[series] + places - 1
        states = self.features[np.maximum(rows, 0), :n_units]
        return np.where(places[:, None] > 0, states, 0.0)


class Loops(NamedTuple):
    """Closed loops to run: where they start, and with which readouts."""

    series: np.ndarray  # (n_starts,)
    last: np.ndarray  # (n_starts,), place in z of the last known row of this series
    state: np.ndarray  # (n_starts, n_units), before the input of this row
    weights: np.ndarray  # (n_starts, n_penalties, 1 + n_past, 1 + n_features), intercepts first
    inputs: np.ndarray  # (n_starts, n_steps, n_inputs), known in advance, transformed
    past: np.ndarray | None = None  # (n_starts, n_steps, n_past), known where a gap is filled


@plain_record
@dataclass(frozen=True)
class PanelNetwork:
    """A reservoir that is drawn, and the transform of every series."""

    structure: PanelStructure
    reservoir: Reservoir
    mean: np.ndarray  # (n_series,), of the differenced series
    scale: np.ndarray  # (n_series,), 0 for constant series, which stay constant
    input_mean: np.ndarray  # (n_series, n_inputs), of the differenced inputs
    input_scale: np.ndarray  # (n_inputs,), infinite for inputs that do not vary
    past_mean: np.ndarray  # (n_series, n_past), of the differenced past-only inputs
    past_scale: np.ndarray  # (n_series, n_past), infinite where they do not vary

    def take(self, series: np.ndarray) -> "PanelNetwork":
        """Return the network for some of the series."""
        names = ("mean", "scale", "input_mean", "past_mean", "past_scale")
        return replace(self, **{name: getattr(self, name)[series] for name in names})

    def walk(self, packed: PackedSeries, with_features: bool = True) -> Walk:
        """Transform series, and compute the states along them."""
        values = _known_to(self.structure, packed)
        z = values.difference(self.structure.differences)
        scale = np.where(self.scale > 0, self.scale, 1.0)
        z = z._replace(
            values=(z.values - self.mean[z.owners]) / scale[z.owners],
            inputs=(z.inputs - self.input_mean[z.owners]) / self.input_scale,
            past=(z.past - self.past_mean[z.owners]) / self.past_scale[z.owners],
        )
        inputs, n_units = self._inputs(z), self.reservoir.n_units
        features = None
        if with_features:
            features = np.empty((len(inputs), n_units + inputs.shape[1]))
            features[:, n_units:] = inputs
        state = np.zeros((z.n_series, n_units))
        self.reservoir.run(Sequences(inputs, _steps_before(z), "ragged"), state, features)
        return Walk(values, z, state, features)

    def _inputs(self, z: PackedSeries) -> np.ndarray:
        """Return the inputs of the rows that another one follows.

        Lags that lead before a series give its mean, 0.
        """
        rows = np.flatnonzero(_has_next(z))
        next_row, owners = z.positions[rows] + 1, z.owners[rows]
        lagged = [
            np.where(next_row >= lag, z.values[rows + 1 - lag], 0.0) for lag in self.structure.lags
        ]
        terms = season_terms(self.structure.seasons, z.starts[owners] + next_row)
        known = np.hstack([terms, z.inputs[rows + 1], z.static[owners]])
        return np.column_stack([z.values[rows], *lagged, z.past[rows], known])

    def readouts(self, walk: Walk, penalties: np.ndarray, last: np.ndarray) -> np.ndarray:
        """Return readouts fitted to the rows known, of the series and the past-only inputs.

        Parameters
        ----------
        walk : Walk
            With features.
        penalties : ndarray of shape (n_penalties,)
            Relative to the number of rows.
        last : ndarray of shape (n_origins, n_series), each row above the one before
            Place in z of the last row known.

        Returns
        -------
        ndarray of shape (n_origins, n_penalties, 1 + n_past, 1 + n_features)
        """
        z, X = walk.z, walk.features
        assert X is not None
        rows = np.flatnonzero(self._is_learned_from(walk))
        owners, places = z.owners[rows], z.positions[rows]
        # A row joins at the first origin where its target is known.
        joins = (places + 1 > last[:, owners]).sum(axis=0)
        steps = walk.rows_before[owners] + places
        middle, weights = X.mean(axis=0), []
        n_columns = 1 + X.shape[1] + 1 + z.past.shape[1]
        sums = np.zeros((n_columns, n_columns))
        for origin in range(len(last)):
            new = joins == origin
            ones, targets = np.ones(new.sum()), rows[new] + 1
            A = np.column_stack([ones, X[steps[new]] - middle, z.values[targets], z.past[targets]])
            sums += A.T @ A
            n_rows = max(sums[0, 0], 1.0)
            weights.append(solve_ridge_path(sums, middle, n_rows * penalties))
        return np.stack(weights)

    def _is_learned_from(self, walk: Walk) -> np.ndarray:
        """Tell which rows of z have an observed target, all lags, and a state without its start.

        Where few targets are without a missing value among those that they are the difference of,
        an observed value suffices.
        """
        z, values = walk.z, walk.values
        washout = np.minimum(MAX_WASHOUT, z.lengths // 4)
        first = np.maximum(washout, max(self.structure.lags, default=1) - 1)
        taught = (z.positions >= first[z.owners]) & _has_next(z)
        untouched = taught.copy()
        untouched[:-1] &= z.observed[1:]
        n_lost = sum(self.structure.differences)
        taught[:-1] &= values.observed[values.positions >= n_lost][1:]
        few = untouched.sum() < MIN_UNTOUCHED * taught.sum()
        return taught if few else untouched

    def inputs_ahead(self, packed: PackedSeries, series: np.ndarray, ahead: np.ndarray):
        """Transform the inputs (n, n_steps, n_inputs) that follow some of the series."""
        lags = self.structure.differences
        rows = packed.offsets[series + 1, None] - sum(lags) + np.arange(sum(lags))
        known = np.concatenate([packed.inputs[rows], ahead], axis=1).swapaxes(0, 1)
        flat = difference(known.reshape(len(known), -1), lags)
        z = flat.reshape(len(flat), *known.shape[1:]).swapaxes(0, 1)
        return (z - self.input_mean[series, None]) / self.input_scale

    def run_closed_loops(self, walk: Walk, loops: Loops) -> np.ndarray:
        """Return forecasts (n_starts, n_penalties, n_steps) in the units of the series."""
        z, lags, terms = walk.z, self.structure.lags, self.structure.seasons
        n_starts, n_penalties = loops.weights.shape[:2]
        weights = loops.weights.reshape(n_starts * n_penalties, *loops.weights.shape[2:])
        span, n_steps = max(lags, default=1), loops.inputs.shape[1]
        steps = np.zeros((n_starts, span + n_steps))
        places = loops.last[:, None] + np.arange(1 - span, 1)
        rows = z.offsets[loops.series][:, None] + np.maximum(places, 0)
        steps[:, :span] = np.where(places >= 0, z.values[rows], 0.0)
        steps, state = (np.repeat(part, n_penalties, axis=0) for part in (steps, loops.state))
        next_row, static = z.starts[loops.series] + loops.last + 1, z.static[loops.series]
        past = np.repeat(z.past[z.offsets[loops.series] + loops.last], n_penalties, axis=0)
        offsets = np.arange(len(steps) + 1, dtype=np.int64)
        for now in range(span, span + n_steps):
            lagged = [steps[:, now - lag] for lag in lags]
            season = season_terms(terms, next_row + now - span)
            known = np.hstack([season, loops.inputs[:, now - span], static])
            known = np.repeat(known, n_penalties, axis=0)
            inputs = np.column_stack([steps[:, now - 1], *lagged, past, known])
            self.reservoir.run(Sequences(inputs, offsets, "batch"), state)
            features = np.hstack([state, inputs])
            predicted = np.einsum("isj,ij->is", weights[..., 1:], features) + weights[..., 0]
            predicted = np.clip(predicted, -LARGEST_STEP, LARGEST_STEP)
            steps[:, now], past = (
                predicted[:, 0],
                self._next_past(predicted[:, 1:], loops, now - span),
            )
        forecasts = self._in_units(walk.values, steps[:, span:], loops)
        return forecasts.reshape(n_starts, n_penalties, n_steps)

    def _next_past(self, predicted: np.ndarray, loops: Loops, step: int) -> np.ndarray:
        """Return the past-only inputs (n_loops, n_past) of a step: known ones, or predicted ones.

        Those that do not vary stay as they are.
        """
        n_penalties = loops.weights.shape[1]
        if loops.past is not None:
            return np.repeat(loops.past[:, step], n_penalties, axis=0)
        varies = np.isfinite(self.past_scale[loops.series])
        return predicted * np.repeat(varies, n_penalties, axis=0)

    def _in_units(self, values: PackedSeries, steps: np.ndarray, loops: Loops) -> np.ndarray:
        """Undo scale, differences and power."""
        lags, n_penalties = self.structure.differences, loops.weights.shape[1]
        series = np.repeat(loops.series, n_penalties)
        last = values.offsets[series] + np.repeat(loops.last, n_penalties) + sum(lags)
        history = values.values[last[:, None] + np.arange(1 - sum(lags), 1)].T
        steps = steps.T * self.scale[series] + self.mean[series]
        with np.errstate(over="ignore", invalid="ignore"):
            return inverse_box_cox(integrate(steps, history, lags), self.structure.power).T


def _has_next(packed: PackedSeries) -> np.ndarray:
    """Tell which rows another one follows in their series."""
    return packed.positions + 1 < packed.lengths[packed.owners]


def _steps_before(packed: PackedSeries) -> np.ndarray:
    """Return the offsets of the rows that another one follows."""
    return offsets_of(np.maximum(packed.lengths - 1, 0))


def make_network(
    structure: PanelStructure, draw: Callable[[int], Reservoir], packed: PackedSeries
) -> PanelNetwork:
    """Draw a reservoir for its number of inputs, and learn the transform of every series.

    The mean of differences, the drift, is shrunk to that of all series, relative to their scales.
    """
    values = _known_to(structure, packed)
    z = values.difference(structure.differences)
    power = 1.0 if structure.power is None else structure.power
    mean, scale = _mean_and_scale(values, z, packed.means(np.abs(packed.values)) ** power)
    if structure.differences:
        moving = scale > 0
        relative = np.where(moving, mean / np.where(moving, scale, 1.0), 0.0)
        common = scale * np.average(relative, weights=z.lengths * moving + 1e-9)
        weight = np.where(moving, DRIFT_PRIOR, 0.0)
        mean = (z.lengths * mean + weight * common) / np.maximum(z.lengths + weight, 1)
    n_terms = season_terms(structure.seasons, np.arange(1)).shape[1]
    n_known = n_terms + packed.inputs.shape[1] + packed.static.shape[1]
    reservoir = draw(1 + len(structure.lags) + values.past.shape[1] + n_known)
    scales = *_input_scales(packed, z), *_past_scales(values, z)
    return PanelNetwork(structure, reservoir, mean, scale, *scales)


def _known_to(structure: PanelStructure, packed: PackedSeries) -> PackedSeries:
    """Return transformed series, with past-only inputs for networks that have them."""
    n_past = packed.past.shape[1] if structure.past_exog else 0
    values = box_cox(packed.values, structure.power)
    return packed._replace(values=values, past=packed.past[:, :n_past])


def _mean_and_scale(values: PackedSeries, z: PackedSeries, level: np.ndarray):
    """Return mean and scale (n_series,) of differenced series `z`; scale 0 for constant ones.

    Few rows do not tell a scale: it is shrunk to the usual one of series of a level, the mean size
    of values to the power of their transform, which is 1 for all series with logarithms.
    """
    mean = z.means(z.values)
    variance = z.means((z.values - mean[z.owners]) ** 2)
    constant = _is_rounding(variance, values)
    scale = np.sqrt(shrink_sizes(np.where(constant, 0.0, variance), z.lengths, level**2))
    return mean, np.where(constant & (z.lengths >= MIN_CONSTANT), 0.0, scale)


def is_constant(packed: PackedSeries) -> np.ndarray:
    """Tell which series (n_series,) do not change, over rows enough to tell."""
    deviations = packed.values - packed.means(packed.values)[packed.owners]
    is_flat = _is_rounding(packed.means(deviations**2), packed)
    return is_flat & (packed.lengths >= MIN_CONSTANT)


def _is_rounding(variance: np.ndarray, packed: PackedSeries) -> np.ndarray:
    """Tell which variances (n_series,) are the rounding error of values of a size."""
    return variance <= (CONSTANT_TOLERANCE * packed.means(np.abs(packed.values))) ** 2


def _input_scales(packed: PackedSeries, z: PackedSeries) -> tuple[np.ndarray, np.ndarray]:
    """Return means (n_series, n_inputs) of differenced inputs, and scales that all series share."""
    means = [z.means(column) for column in z.inputs.T]
    mean = np.stack(means, axis=1) if means else np.empty((z.n_series, 0))
    squares = (z.inputs - mean[z.owners]) ** 2
    scale = np.sqrt(squares.sum(axis=0) / max(len(squares), 1))
    varies = scale > CONSTANT_TOLERANCE * np.abs(packed.inputs).max(axis=0, initial=0.0)
    is_flag = ((packed.inputs == 0) | (packed.inputs == 1)).all(axis=0)
    scale = np.maximum(scale, np.where(is_flag, MIN_FLAG_SCALE, 0.0))
    return mean, np.where(varies, scale, np.inf)


def _past_scales(values: PackedSeries, z: PackedSeries) -> tuple[np.ndarray, np.ndarray]:
    """Return means and scales (n_series, n_past) of differenced past-only inputs, as of series."""
    mean, scale = np.zeros((2, z.n_series, z.past.shape[1]))
    for j in range(z.past.shape[1]):
        levels, changes = (part._replace(values=part.past[:, j]) for part in (values, z))
        level = levels.means(np.abs(levels.values))
        mean[:, j], scale[:, j] = _mean_and_scale(levels, changes, level)
    return mean, np.where(scale > 0, scale, np.inf)


def shrink_sizes(sizes: np.ndarray, n_rows: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Shrink sizes of series to those that series of their level usually have.

    Parameters
    ----------
    sizes, n_rows, level : ndarray of shape (n_series,)
        What is to be shrunk, of how many rows it is the mean, and a size that is always known.

    Examples
    --------
    >>> shrink_sizes(np.array([2.0, 4.0, 0.0]), np.array([40, 40, 0]), np.array([1.0, 2.0, 3.0]))
    array([2., 4., 6.])
    """
    known = (sizes > 0) & (level > 0) & (n_rows >= min(np.median(n_rows), 2 * SCALE_PRIOR))
    usual = np.median(sizes[known] / level[known]) * level if known.any() else 0.0
    return (n_rows * sizes + SCALE_PRIOR * usual) / (n_rows + SCALE_PRIOR)
