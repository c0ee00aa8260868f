"""Closed-loop forecasts of one echo state network, for many penalties and origins at once.

The states along a series do not depend on the readout: they are computed once. The readout of an
origin is fitted to the rows before it. One eigendecomposition gives its weights for all penalties:

    w(alpha) = V (L + alpha I)^-1 V' X'y,    X'X = V L V'

All closed loops then advance together, as sequences of one time step each.
"""

from typing import NamedTuple

import numpy as np

from esnkit.forecasting._differencing import Lag, count_lost
from esnkit.forecasting._ensemble import with_season_terms
from esnkit.forecasting._missing import taught_rows
from esnkit.forecasting._transforms import ExogTransform, RowTransform
from esnkit.reservoirs import Reservoir
from esnkit.sequences import Sequences

MAX_WASHOUT = 10
LARGEST_STEP = 1e3  # of a closed loop, in standard deviations: what reaches it has diverged


class Structure(NamedTuple):
    """What a candidate network is, but for the penalty of its readout."""

    differences: tuple[Lag, ...] = ()
    power: float | str | None = None  # of the Box-Cox transform, 0 for the logarithm
    seasons: tuple[tuple[float, int], ...] = ()  # periods and their numbers of harmonics
    leak_rate: float | tuple[float, float] = 1.0
    past_exog: bool = False  # whether the network has the past-only inputs

    @property
    def n_lost(self) -> int:
        """Number of rows that differencing takes from the start."""
        return count_lost(self.differences)


class PenaltyPath:
    """An echo state network along a series, with a readout per origin and penalty.

    The input of row t is z[t], the transformed series, with e[t+1], the exogenous inputs of the
    next row and its season terms. The readout predicts z[t+1] from the state after this input and
    the input itself. The forecasts are those of a `Forecaster` of an `ESNRegressor`.

    Parameters
    ----------
    structure : Structure
    reservoir : Reservoir
        Not fitted.
    penalties : ndarray of shape (n_penalties,)
    max_washout : int, default=10
        Number of rows that teach no readout, at most a quarter of all.
    """

    def __init__(
        self,
        structure: Structure,
        reservoir: Reservoir,
        penalties: np.ndarray,
        max_washout: int = MAX_WASHOUT,
    ):
        self.structure, self.reservoir, self.penalties = structure, reservoir, penalties
        self.max_washout = max_washout

    def fit(
        self, values: np.ndarray, exog: np.ndarray, known=None, n_past: int = 0
    ) -> "PenaltyPath":
        """Transform a series and its inputs (>= n_rows, n_exog), and compute states.

        `values` has the shape (n_rows,), or (n_rows, n_series) for several series, which one
        network forecasts together; the last `n_past` of them are past-only inputs. They are filled;
        `known` has the missing values, and tells which rows are taught, see `taught_rows`.
        """
        structure = self.structure
        self._taught = None
        if known is not None:
            self._taught = taught_rows(known.reshape(len(values), -1), structure.differences)[1:]
        self.transform = RowTransform(
            structure.differences, True, power=structure.power, n_past=n_past
        )
        self.n_dimensions, self.values = values.ndim, values.reshape(len(values), -1)
        self.z = self.transform.fit(self.values).transform(self.values)
        self.washout = min(self.max_washout, len(self.z) // 4)
        exog = with_season_terms(exog, structure.seasons, 0)
        seen = slice(1 + self.washout, None)
        self.exog_transform = ExogTransform(structure.differences, True, seen=seen)
        self.exog = self.exog_transform.fit(exog[: len(values)]).transform(exog)
        self.reservoir.prepare(self.z.shape[1] + exog.shape[1])
        inputs = np.hstack([self.z[:-1], self.exog[1 : len(self.z)]])
        # Row t of the states is the one before the input of row t.
        self.states = np.zeros((len(self.z), self.reservoir.n_units))
        state, offsets = self.states[:1].copy(), np.array([0, len(inputs)], dtype=np.int64)
        self.reservoir.run(Sequences(inputs, offsets, "series"), state, self.states[1:])
        self._X = np.hstack([self.states[1:], inputs])
        return self

    def weights(self, origins: np.ndarray) -> np.ndarray:
        """Return readouts (n_origins, n_penalties, n_series, 1 + n_columns), intercepts first."""
        if self._taught is None or self._taught.all():
            return self._weights(origins, self.z[1:], None)
        masks, kinds = np.unique(self._taught, axis=1, return_inverse=True)
        kinds, order = kinds.ravel(), np.argsort(kinds.ravel(), kind="stable")
        parts = [
            self._weights(origins, self.z[1:, kinds == k], mask) for k, mask in enumerate(masks.T)
        ]
        return np.concatenate(parts, axis=2)[:, :, np.argsort(order)]

    def _weights(self, origins: np.ndarray, targets: np.ndarray, taught) -> np.ndarray:
        """Return readouts of targets of which the same rows are taught, see `weights`."""
        X, middle = self._X, self._X.mean(axis=0)
        rows = np.hstack([np.ones((len(X), 1)), X - middle, targets])
        ends = np.asarray(origins) - self.structure.n_lost - 1  # rows with a known target
        start = min(self.washout, ends[0] // 4)
        sums, weights = np.zeros((rows.shape[1], rows.shape[1])), []
        for end in ends:
            new = rows[start:end] if taught is None else rows[start:end][taught[start:end]]
            sums += new.T @ new
            start = end
            weights.append(solve_ridge_path(sums, middle, self.penalties))
        return np.stack(weights)

    def roll(
        self,
        origins: np.ndarray,
        n_steps: int,
        n_fitted: int | None = None,
    ) -> np.ndarray:
        """Forecast from several origins, each with the readouts fitted to the rows before it.

        Parameters
        ----------
        origins : ndarray of int, increasing
            How many rows are known at each; the inputs of `fit` must reach `n_steps` further.
        n_steps : int
        n_fitted : int, default=None
            If given, the readouts are fitted to this many rows, and are the same for all origins.

        Returns
        -------
        ndarray of shape (n_origins, n_penalties, n_steps) or (..., n_steps, n_series)
            In the units of the series; large or infinite where a loop diverges.
        """
        weights = self.weights(origins if n_fitted is None else np.array([n_fitted]))
        if n_fitted is not None:
            weights = np.repeat(weights, len(origins), axis=0)
        steps = self._run_closed_loops(weights, origins, n_steps)
        forecasts = np.stack(
            [self._in_units(z, origin) for z, origin in zip(steps, origins, strict=True)]
        )
        return forecasts[..., 0] if self.n_dimensions == 1 else forecasts

    def _run_closed_loops(self, weights, origins, n_steps: int) -> np.ndarray:
        """Return transformed forecasts (n_origins, n_penalties, n_steps, n_series)."""
        n_penalties, last = weights.shape[1], origins - self.structure.n_lost - 1
        state = np.repeat(self.states[last], n_penalties, axis=0)
        z = np.repeat(self.z[last], n_penalties, axis=0)
        w = weights.reshape(*z.shape, -1)
        out, offsets = (
            np.empty((len(z), n_steps, z.shape[1])),
            np.arange(len(z) + 1, dtype=np.int64),
        )
        for k in range(n_steps):
            inputs = np.hstack([z, np.repeat(self.exog[last + 1 + k], n_penalties, axis=0)])
            self.reservoir.run(Sequences(inputs, offsets, "batch"), state)
            z = w[..., 0] + np.einsum("isj,ij->is", w[..., 1:], np.hstack([state, inputs]))
            np.clip(z, -LARGEST_STEP, LARGEST_STEP, out=z)
            out[:, k] = z
        return out.reshape(len(origins), n_penalties, n_steps, -1)

    def _in_units(self, z: np.ndarray, origin: int) -> np.ndarray:
        """Return forecasts (n_penalties, n_steps, n_series) from one origin to their units."""
        n_lost = self.structure.n_lost
        past = np.repeat(self.values[origin - n_lost : origin, None], len(z), axis=1)
        with np.errstate(over="ignore", invalid="ignore"):
            return self.transform.inverse_transform(z.swapaxes(0, 1), past).swapaxes(0, 1)


def solve_ridge_path(sums: np.ndarray, middle: np.ndarray, penalties: np.ndarray) -> np.ndarray:
    """Return the readouts (n_penalties, n_outputs, 1 + n_columns) of ridge regressions.

    Parameters
    ----------
    sums : ndarray of shape (1 + n_columns + n_outputs, 1 + n_columns + n_outputs)
        Sums of products of rows: 1, the columns minus `middle`, and the targets.
    middle : ndarray of shape (n_columns,)
    penalties : ndarray of shape (n_penalties,)

    Examples
    --------
    >>> rows = np.array([[1.0, -1.0, 2.0], [1.0, 1.0, 6.0]])  # y = 4 + 2 (x - 3)
    >>> solve_ridge_path(rows.T @ rows, np.array([3.0]), np.array([0.0, 2.0]))
    array([[[-2.,  2.]],
    <BLANKLINE>
           [[ 1.,  1.]]])
    """
    n_rows, k = max(sums[0, 0], 1.0), len(middle)  # no row, if all values are missing
    mean = sums[0, 1:] / n_rows
    central = sums[1:, 1:] - n_rows * np.outer(mean, mean)
    eigenvalues, V = np.linalg.eigh(central[:k, :k])
    w = (central[k:, :k] @ V / (np.maximum(eigenvalues, 0.0) + penalties[:, None, None])) @ V.T
    intercepts = mean[k:] - w @ (mean[:k] + middle)
    return np.concatenate([intercepts[..., None], w], axis=-1)
