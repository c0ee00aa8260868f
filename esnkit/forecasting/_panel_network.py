"""One echo state network over many series, with a readout for each of many penalties and origins.

Each series is a sequence of the reservoir. The input of its row t is z[t], the transformed value,
with z[t + 1 - lag] for some lags, the season terms of row t + 1 and the static covariates of the
series. The readout, one for all series, predicts z[t + 1] from the state after this input and the
input itself. One eigendecomposition gives its weights for all penalties, and all closed loops
advance together, as sequences of one time step each.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from esnkit.forecasting._differencing import integrate
from esnkit.forecasting._packed_series import PackedSeries
from esnkit.forecasting._penalty_path import solve_ridge_path
from esnkit.forecasting._power import box_cox, inverse_box_cox
from esnkit.forecasting._seasonality import season_terms
from esnkit.forecasting._transforms import CONSTANT_TOLERANCE
from esnkit.reservoirs import Reservoir
from esnkit.sequences import Sequences
from esnkit.utils._plain_state import plain_record

__all__ = ["Loops", "PanelNetwork", "PanelStructure", "Walk", "make_network", "shrink_sizes"]

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

    @property
    def n_lost(self) -> int:
        """Number of rows at the start of a series that teach the readout nothing."""
        return sum(self.differences) + max(self.lags, default=0)


@plain_record
class Walk(NamedTuple):
    """A network along series."""

    values: PackedSeries  # after the power transform
    z: PackedSeries  # differenced and scaled
    state: np.ndarray  # (n_series, n_units), after the last row
    features: np.ndarray | None  # (n_rows of z, n_units + n_inputs)


class Loops(NamedTuple):
    """Closed loops to run: where they start, and with which readouts."""

    series: np.ndarray  # (n_loops,)
    last: np.ndarray  # (n_loops,), place in z of the last known row of this series
    state: np.ndarray  # (n_loops, n_units), after this row
    weights: np.ndarray  # (n_loops, 1 + n_units + n_inputs), the intercept first


@plain_record
@dataclass(frozen=True)
class PanelNetwork:
    """A reservoir that is drawn, and the transform of every series."""

    structure: PanelStructure
    reservoir: Reservoir
    mean: np.ndarray  # (n_series,), of the differenced series
    scale: np.ndarray  # (n_series,), 0 for constant series, which stay constant

    def walk(self, packed: PackedSeries, with_features: bool = True) -> Walk:
        """Transform series, and compute the states along them."""
        values = packed._replace(values=box_cox(packed.values, self.structure.power))
        z = values.difference(self.structure.differences)
        scale = np.where(self.scale > 0, self.scale, 1.0)
        z = z._replace(values=(z.values - self.mean[z.owners]) / scale[z.owners])
        inputs, n_units = self._inputs(z), self.reservoir.n_units
        features = None
        if with_features:
            features = np.empty((len(inputs), n_units + inputs.shape[1]))
            features[:, n_units:] = inputs
        state = np.zeros((z.n_series, n_units))
        self.reservoir.run(Sequences(inputs, z.offsets, "ragged"), state, features)
        return Walk(values, z, state, features)

    def _inputs(self, z: PackedSeries) -> np.ndarray:
        """Return the inputs of every row; lags that lead before a series give its mean, 0."""
        next_row, rows = z.positions + 1, np.arange(len(z.values))
        lagged = [
            np.where(next_row >= lag, z.values[rows + 1 - lag], 0.0) for lag in self.structure.lags
        ]
        terms = season_terms(self.structure.seasons, z.starts[z.owners] + next_row)
        return np.column_stack([z.values, *lagged, terms, z.static[z.owners]])

    def readouts(self, walk: Walk, penalties: np.ndarray, last: np.ndarray) -> np.ndarray:
        """Return readouts (n_origins, n_penalties, 1 + n_features) fitted to the rows known.

        Parameters
        ----------
        walk : Walk
            With features.
        penalties : ndarray of shape (n_penalties,)
            Relative to the number of rows.
        last : ndarray of shape (n_origins, n_series), each row above the one before
            Place in z of the last row known.
        """
        z, X = walk.z, walk.features
        assert X is not None
        rows = np.flatnonzero(self._is_learned_from(z))
        # A row joins at the first origin where its target is known.
        joins = (z.positions[rows] + 1 > last[:, z.owners[rows]]).sum(axis=0)
        middle, weights = X.mean(axis=0), []
        sums = np.zeros((X.shape[1] + 2, X.shape[1] + 2))
        for origin in range(len(last)):
            new = rows[joins == origin]
            A = np.column_stack([np.ones(len(new)), X[new] - middle, z.values[new + 1]])
            sums += A.T @ A
            n_rows = max(sums[0, 0], 1.0)
            weights.append(solve_ridge_path(sums, middle, n_rows * penalties)[:, 0])
        return np.stack(weights)

    def _is_learned_from(self, z: PackedSeries) -> np.ndarray:
        """Tell which rows have a target, all lags, and a state that forgot its start."""
        washout = np.minimum(MAX_WASHOUT, z.lengths // 4)
        first = np.maximum(washout, max(self.structure.lags, default=1) - 1)
        return (z.positions >= first[z.owners]) & (z.positions + 1 < z.lengths[z.owners])

    def run_closed_loops(self, walk: Walk, loops: Loops, n_steps: int) -> np.ndarray:
        """Return forecasts (n_loops, n_steps) in the units of the series."""
        z, lags, terms = walk.z, self.structure.lags, self.structure.seasons
        span = max(lags, default=1)
        steps = np.zeros((len(loops.series), span + n_steps))
        places = loops.last[:, None] + np.arange(1 - span, 1)
        rows = z.offsets[loops.series][:, None] + np.maximum(places, 0)
        steps[:, :span] = np.where(places >= 0, z.values[rows], 0.0)
        next_row = z.starts[loops.series] + loops.last + 1
        static, state = z.static[loops.series], loops.state.copy()
        offsets = np.arange(len(steps) + 1, dtype=np.int64)
        for now in range(span, span + n_steps):
            lagged = [steps[:, now - lag] for lag in lags]
            season = season_terms(terms, next_row + now - span)
            inputs = np.column_stack([steps[:, now - 1], *lagged, season, static])
            if now > span:  # the states given have seen the last row
                self.reservoir.run(Sequences(inputs, offsets, "batch"), state)
            features = np.hstack([state, inputs])
            predicted = np.einsum("ij,ij->i", loops.weights[:, 1:], features) + loops.weights[:, 0]
            steps[:, now] = np.clip(predicted, -LARGEST_STEP, LARGEST_STEP)
        return self._in_units(walk.values, steps[:, span:], loops)

    def _in_units(self, values: PackedSeries, steps: np.ndarray, loops: Loops) -> np.ndarray:
        """Undo scale, differences and power."""
        lags = self.structure.differences
        last = values.offsets[loops.series] + loops.last + sum(lags)
        history = values.values[last[:, None] + np.arange(1 - sum(lags), 1)].T
        steps = steps.T * self.scale[loops.series] + self.mean[loops.series]
        with np.errstate(over="ignore", invalid="ignore"):
            return inverse_box_cox(integrate(steps, history, lags), self.structure.power).T


def make_network(
    structure: PanelStructure, reservoir: Reservoir, packed: PackedSeries
) -> PanelNetwork:
    """Draw a reservoir, and learn the transform of every series.

    The mean of differences, the drift, is shrunk to that of all series, relative to their scales.
    """
    values = packed._replace(values=box_cox(packed.values, structure.power))
    z = values.difference(structure.differences)
    level = np.ones(z.n_series)
    if structure.power is None:
        level = values.means(np.abs(values.values))
    mean = z.means(z.values)
    variance = z.means((z.values - mean[z.owners]) ** 2)
    constant = variance <= (CONSTANT_TOLERANCE * values.means(np.abs(values.values))) ** 2
    scale = np.sqrt(shrink_sizes(np.where(constant, 0.0, variance), z.lengths, level**2))
    scale = np.where(constant & (z.lengths >= MIN_CONSTANT), 0.0, scale)
    if structure.differences:
        moving = scale > 0
        relative = np.where(moving, mean / np.where(moving, scale, 1.0), 0.0)
        common = scale * np.average(relative, weights=z.lengths * moving + 1e-9)
        weight = np.where(moving, DRIFT_PRIOR, 0.0)
        mean = (z.lengths * mean + weight * common) / np.maximum(z.lengths + weight, 1)
    n_terms = season_terms(structure.seasons, np.arange(1)).shape[1]
    reservoir.prepare(1 + len(structure.lags) + n_terms + packed.static.shape[1])
    return PanelNetwork(structure, reservoir, mean, scale)


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
