"""`PatchForecaster`: forecasts of fields on a line or a grid, patch by patch."""

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils import Bunch
from sklearn.utils.validation import check_is_fitted

from esnkit.esn import ESNRegressor
from esnkit.forecasting._backtest import backtest
from esnkit.forecasting._capabilities import carries_state, check_memory, check_regressor
from esnkit.forecasting._ensemble import find_seed, seeded_clones
from esnkit.forecasting._forecasts_mixin import levels_asked
from esnkit.forecasting._frames import n_dimensions
from esnkit.forecasting._input import read_series
from esnkit.forecasting._missing import refuse_missing_values
from esnkit.forecasting._patch_errors import PatchErrors
from esnkit.forecasting._patches import make_layout, make_patches, reflections, training_data
from esnkit.forecasting._runaway import range_of, warn_beyond_reach
from esnkit.forecasting._series_kind import (
    advance_labels,
    check_added_names,
    forecast_as,
    quantiles_as,
    read_kind,
)
from esnkit.metrics import nrmse
from esnkit.sequences._closed_loop import check_bounded
from esnkit.utils._plain_state import PlainStateMixin
from esnkit.utils._progress import Task
from esnkit.utils._rollback import rollback_on_error
from esnkit.utils._validation import (
    check_choice,
    check_flag,
    check_number,
    check_positive_int,
    check_seed,
)

__all__ = ["PatchForecaster"]

MIN_ROWS = 2
REMEDIES = "more noise, or a larger overlap"
DEFAULT = ESNRegressor(300, spectral_radius=0.3, input_scaling=0.1, bias_scaling=1.0, alpha=1e-6)


class PatchForecaster(PlainStateMixin, BaseEstimator):
    """Forecast a field on a line or a grid with a network for every patch of it.

    The field is cut into patches of equal size. A network sees the points of a patch and some of
    its neighbours on every side, and learns the next values of the points of the patch. In a
    forecast all networks advance together, and each of them sees the forecasts of its neighbours.
    So the size of a network does not grow with the field [1]_. Where the same laws hold everywhere,
    all patches share a network, which then learns from the rows of all of them [2]_.

    Parameters
    ----------
    estimator : estimator, default=None
        A regressor with a state, such as :class:`ESNRegressor`; its inputs and targets are values
        of the field, scaled to a standard deviation of one. None stands for
        ``ESNRegressor(300, spectral_radius=0.3, input_scaling=0.1, bias_scaling=1.0, alpha=1e-6)``.
    patch_size : int or tuple of int, default=None
        Points of a patch, along every axis or one number for each; it divides the number of points.
        None takes the largest divisor up to 4.
    overlap : int or tuple of int, default=None
        Points beyond each side of its patch that a network sees. It must not be smaller than the
        distance that an effect travels in a time step. None takes 4, or what there is on both
        sides, if that is less.
    periodic : bool, default=True
        Whether the field continues beyond an edge at the opposite one, as on a ring or a torus.
        False: there, networks see the value of the nearest point.
    shared : bool, default=True
        Whether one network serves all patches: for fields whose laws are the same everywhere.
        False: each patch has a network with weights of its own.
    reflection : {"even", "odd"}, default=None
        The symmetry of a field whose mirror image is a field too, of which networks then learn as
        well: with the same values ("even"), or with their negatives ("odd"), as in the
        Kuramoto-Sivashinsky equation. On a grid it holds for both axes.
    noise : float, default=1e-3
        Standard deviation of normal noise that `fit` adds to the inputs, not to the targets,
        relative to that of the field [3]_; see Notes.
    calibration : float in (0, 1), default=0.3
        Share of the fitted rows, at their end, whose forecast errors calibrate the intervals.
    random_state : int, RandomState or None, default=None
        Seeds the networks and the noise. None takes the first `random_state` that is not None among
        those of `estimator` and of its nested estimators.

    Attributes
    ----------
    estimators_ : list of fitted estimators
        The shared one, or one for every patch, in the order of the flattened field.
    patch_size_, overlap_ : tuple of int
        Along every axis.
    shape_ : tuple of int
        Points of the field along every axis.
    mean_, scale_ : float
        Mean and standard deviation of all values, by which the field is scaled. With
        ``reflection="odd"``, which holds for no other mean, `mean_` is zero and `scale_` the root
        mean square.
    n_features_in_ : int
        Number of points.
    n_timesteps_ : int
        Number of rows seen by `fit` and `update`.
    feature_names_in_ : ndarray of str
        Columns of the DataFrame fitted on, if it was one.

    Notes
    -----
    `fit` holds the inputs of all patches in memory, which are (1 + 2 overlap / patch_size) times
    the field for every axis, and twice that for every axis with a `reflection`, but never their
    states.

    Most fields that obey a differential equation are smooth: in the space of all values at all
    points they lie in few dimensions, and do not show what the network must do in the others. There
    its errors may grow from step to step. With `noise` it learns that they decay, whatever the
    number of rows, and the penalty of the readout can be tiny. If forecasts leave the range of the
    field after few steps, use more `noise`; the smaller it is, the more precise is a single step.

    A sum of a few waves, such as of two in opposite directions, has few dimensions even in a whole
    patch with its neighbours. There `noise` is not enough: other waves may grow in a long free run.
    With the largest `overlap`, of half of the points outside of a patch, networks see the whole
    field. Of 30 forecasts of 200 steps of such fields, 21 leave their range by default, 13 with ten
    times the noise, and 3 with the largest overlap.

    A network of a few hundred units does not learn products of many points. Patches and overlaps of
    twice the size that is needed may cost most of the valid time, if points are little alike, as
    those of :func:`esnkit.datasets.make_lorenz96`. A smooth field with many points per wave, as of
    the Kuramoto-Sivashinsky equation, gains if `overlap` and the number of units are larger than
    by default, and `noise` smaller.

    Intervals and quantiles are split-conformal, as those of :class:`Forecaster`. A second model is
    fitted to the rows without the last `calibration` share of those of `fit` when they are first
    asked for. It runs freely from about 100 of the rows after these, and its errors at every point
    and step ahead give the half-width there.

    Near points matter more than far ones. An array as `input_scaling` of the network, a value for
    every point that it sees, in the order of the flattened patch, can fall with the distance from
    the patch, which makes a step more precise.

    References
    ----------
    .. [1] J. Pathak et al., "Model-free prediction of large spatiotemporally chaotic systems from
       data: a reservoir computing approach", Physical Review Letters 120, 2018.
    .. [2] W. A. S. Barbosa and D. J. Gauthier, "Learning spatiotemporal chaos using next-generation
       reservoir computing", Chaos 32, 093137, 2022.
    .. [3] A. Wikner et al., "Stabilizing machine learning prediction of dynamics: novel
       noise-inspired regularization tested with reservoir computing", Neural Networks 170, 2024.

    Examples
    --------
    A wave that travels along a ring:

    >>> import numpy as np
    >>> from esnkit import PatchForecaster
    >>> t, s = np.arange(130)[:, None], np.arange(24)
    >>> field = np.sin(2 * np.pi * (s / 24 - t / 40))
    >>> model = PatchForecaster(patch_size=4, overlap=2, random_state=0).fit(field[:100])
    >>> forecast = model.forecast(30)
    >>> forecast.shape, bool(np.abs(forecast - field[100:]).max() < 0.01)
    ((30, 24), True)
    """

    def __init__(
        self,
        estimator=None,
        *,
        patch_size=None,
        overlap=None,
        periodic=True,
        shared=True,
        reflection=None,
        noise=1e-3,
        calibration=0.3,
        random_state=None,
    ):
        self.estimator = estimator
        self.patch_size = patch_size
        self.overlap = overlap
        self.periodic = periodic
        self.shared = shared
        self.reflection = reflection
        self.noise = noise
        self.calibration = calibration
        self.random_state = random_state

    @rollback_on_error
    def fit(self, field, y=None) -> "PatchForecaster":
        """Fit the networks to a field.

        Parameters
        ----------
        field : array-like of shape (n_timesteps, n_points) or (n_timesteps, n_rows, n_columns)
            A row for every time step; of a field on a line also a DataFrame.
        y : ignored

        Returns
        -------
        self : PatchForecaster

        Raises
        ------
        ValueError
            For parameters out of range, patches that do not fit the field, a field of fewer than
            two time steps, and missing or infinite values.
        """
        if self.reflection is not None:
            check_choice("reflection", self.reflection, ("even", "odd"))
        shared, periodic = check_flag("shared", self.shared), check_flag("periodic", self.periodic)
        noise = check_number("noise", self.noise, 0.0)
        share = check_number("calibration", self.calibration, 0, 1, low_open=True, high_open=True)
        estimator = check_regressor(DEFAULT if self.estimator is None else self.estimator)
        _check_state(estimator)
        values, table, self.shape_ = self._read(field, "field")
        if len(values) < MIN_ROWS:
            raise ValueError(f"field must have at least {MIN_ROWS} time steps, got 1 sample")
        layout = make_layout(self.shape_, self.patch_size, self.overlap)
        self.patch_size_, self.overlap_ = layout
        self._kind, _ = read_kind(table, "field")
        self._set_scale(values)
        rows = (values - self.mean_) / self.scale_
        patches = make_patches(self.shape_, layout, periodic)
        self._groups = [patches] if shared else patches.one_by_one()
        mirrors = reflections(layout, self.reflection)
        models = seeded_clones(estimator, len(self._groups), self.random_state)
        noisy = rows
        if noise:
            noisy = rows + noise * self._normal(rows.shape, estimator, len(models))
        self.estimators_ = [
            model.fit(*training_data(noisy[:-1], rows[1:], group, mirrors))
            for model, group in zip(models, self._groups, strict=True)
        ]
        self._next, self._states = self._run(rows, [None] * len(models))
        self.n_timesteps_, self._range = len(values), range_of(values.reshape(-1, 1))
        self._seen, self._errors = [values], PatchErrors(clone(self), len(values), share)
        return self

    def forecast(self, n_steps, interval=None, quantiles=None):
        """Forecast the rows that follow those seen so far.

        Parameters
        ----------
        n_steps : int >= 1
        interval : float in (0, 1), default=None
            Coverage of the interval around every value, such as 0.9; None gives no interval.
        quantiles : sequence of float in (0, 1), default=None
            Levels of the quantiles that are returned in place of the forecast, such as
            ``[0.1, 0.5, 0.9]``; not together with `interval`.

        Returns
        -------
        ndarray of shape (n_steps, n_points) or (n_steps, n_rows, n_columns), or DataFrame
            Of the kind fitted on. With `interval` a tuple of arrays ``(forecast, lower, upper)``,
            or a DataFrame of columns NAME, NAME_lower, NAME_upper. With `quantiles` an array with
            an axis (n_quantiles,) at the end, or a DataFrame of columns NAME_0.1, ...

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            For a number of steps below 1, an interval or quantiles outside (0, 1), or with column
            names that the field already has, and a field that is too short for them.
        FloatingPointError
            If the closed loop diverges.

        Warns
        -----
        RuntimeWarning
            If a value is 10 times as far from the middle of the field as any value seen.
        UserWarning
            If the field is too short for the level of an interval or quantile.
        """
        check_is_fitted(self, "_states")
        n_steps = check_positive_int("n_steps", n_steps)
        asked = levels_asked(interval, quantiles)
        if asked is not None:
            check_added_names(self._kind, asked.argument, asked.suffixes)
        rows = self._free_run(self._next[np.newaxis], self._states, n_steps)[0]
        check_bounded(rows, f"fit with {REMEDIES}")
        warn_beyond_reach(rows, self._range, "field", REMEDIES)
        if asked is None:
            return self._shaped(forecast_as(self._kind, rows))
        level = float(np.maximum(asked.levels, 1 - asked.levels).max())
        field = np.vstack(self._seen).reshape(-1, *self.shape_)
        errors = self._errors.errors_ahead(field, n_steps, level)
        if interval is not None:
            half_width = errors.half_widths(interval)
            return self._shaped(
                forecast_as(self._kind, rows, (rows - half_width, rows + half_width))
            )
        ends = list(rows + errors.quantiles(asked.levels))
        return self._shaped(quantiles_as(self._kind, ends, asked.levels))

    @rollback_on_error
    def update(self, new) -> "PatchForecaster":
        """Append observations: states advance, fitted weights stay as they are.

        Parameters
        ----------
        new : array-like like that of `fit`
            The rows right after those seen. The index of a DataFrame must continue theirs.

        Returns
        -------
        self : PatchForecaster
        """
        check_is_fitted(self, "_states")
        values, table, _ = self._read(new, "new", reset=False)
        self._kind, _ = advance_labels(self._kind, table)
        self._next, self._states = self._run((values - self.mean_) / self.scale_, self._states)
        self.n_timesteps_ += len(values)
        self._seen = [*self._seen, values]
        self._range = range_of(np.vstack([self._range, values.reshape(-1, 1)]))
        return self

    def backtest(
        self, field, horizon, n_windows=10, *, stride=None, refit=False, interval=None
    ) -> Bunch:
        """Forecast from rolling origins of a field and score against the observed values.

        A clone is fitted on the part before the first origin; at every later origin it is updated,
        or fitted anew. The last window ends where the field ends.

        Parameters
        ----------
        field : array-like like that of `fit`
        horizon : int >= 1
            Steps forecast from every origin.
        n_windows : int >= 1, default=10
            Number of origins.
        stride : int >= 1, default=None
            Rows from one origin to the next; None stands for `horizon`.
        refit : bool, default=False
            Fit anew at every origin, instead of once.
        interval : float in (0, 1), default=None
            Coverage of intervals whose ends are returned too.

        Returns
        -------
        Bunch
            As that of :meth:`Forecaster.backtest`; scores are means over the points.

        Examples
        --------
        >>> import numpy as np
        >>> from esnkit import PatchForecaster
        >>> t, s = np.arange(200)[:, None], np.arange(24)
        >>> field = np.sin(2 * np.pi * (s / 24 - t / 40))
        >>> result = PatchForecaster(random_state=0).backtest(field, 10, n_windows=3)
        >>> result.forecasts.shape, result.scores["nrmse"] < 0.05
        ((3, 10, 24), True)
        """
        if _count_axes(field, "field") != 3:
            return backtest(
                clone(self), field, horizon, n_windows,
                stride=stride, refit=refit, options={"interval": interval},
            )  # fmt: skip
        field = np.asarray(field)
        shape = field.shape[1:]
        found = backtest(
            _AsRows(clone(self), shape), field.reshape(len(field), -1), horizon, n_windows,
            stride=stride, refit=refit, options={"interval": interval},
        )  # fmt: skip
        for key in {"forecasts", "observed", "lower", "upper"} & found.keys():
            found[key] = found[key].reshape(*found[key].shape[:2], *shape)
        return found

    def score(self, field, y=None) -> float:
        """Score the forecast of the rows after those seen: minus the NRMSE, larger is better.

        Parameters
        ----------
        field : array-like like that of `fit`
            The observed rows right after those seen.
        y : ignored

        Returns
        -------
        float
            Minus the root mean square error of all values, relative to their standard deviation;
            minus infinity if the closed loop diverges.
        """
        check_is_fitted(self, "_states")
        values, table, _ = self._read(field, "field", reset=False)
        advance_labels(self._kind, table, "field")  # checks that they continue the rows seen
        rows = self._free_run(self._next[np.newaxis], self._states, len(values))[0]
        return -float(nrmse(values.ravel(), rows.ravel())) if np.isfinite(rows).all() else -np.inf

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    def _set_scale(self, values: np.ndarray) -> None:
        """Set mean and scale of all values."""
        self.mean_ = 0.0 if self.reflection == "odd" else float(values.mean())
        self.scale_ = float(np.sqrt(np.mean((values - self.mean_) ** 2))) or 1.0

    def _normal(self, shape: tuple[int, ...], estimator, n_networks: int) -> np.ndarray:
        """Draw normal numbers, with the seed that follows those of the networks."""
        random = check_seed(find_seed(estimator, self.random_state))
        seed = random.randint(2**31 - 1, size=n_networks + 1)[-1]
        return np.random.RandomState(seed).standard_normal(shape)

    def _read(self, field, argument: str, reset: bool = True):
        """Return a field as rows (n_timesteps, n_points), as a `Table`, and its shape."""
        n_axes = _count_axes(field, argument)
        shape: tuple[int, ...] = ()
        if n_axes == 3:
            field = np.asarray(field)
            shape, field = field.shape[1:], field.reshape(len(field), -1)
        rows, table = read_series(field, argument, self, reset, missing="predict")
        refuse_missing_values(rows, argument, table.names, "interpolate them")
        shape = shape or (rows.shape[1],)
        if not reset and shape != self.shape_:
            raise ValueError(f"{argument} must have points as in fit, {self.shape_}, got {shape}")
        return rows, table, shape

    def _run(self, rows: np.ndarray, states: list) -> tuple[np.ndarray, list]:
        """Run the networks along scaled rows; return what follows the last one, and the states."""
        row, after = np.empty(rows.shape[1]), []
        for model, patches, state in zip(self.estimators_, self._groups, states, strict=True):
            X = patches.cut(rows)
            outputs, state = model.predict(X, initial_state=state, return_state=True)
            row[patches.outputs] = outputs[:, -1]
            after.append(state)
        return row, after

    def _step(self, rows: np.ndarray, states: list) -> tuple[np.ndarray, list]:
        """Run one step of several fields (n_fields, n_points), whose states follow each other."""
        following, after = np.empty_like(rows), []
        for model, patches, state in zip(self.estimators_, self._groups, states, strict=True):
            X = patches.cut(rows)
            outputs, state = model.predict(
                X.reshape(-1, 1, X.shape[2]), initial_state=state, return_state=True
            )
            outputs = outputs.reshape(*X.shape[:2], -1)
            following[:, patches.outputs] = outputs.transpose(1, 0, 2)
            after.append(state)
        return following, after

    def _step_or_nan(self, rows: np.ndarray, states: list) -> tuple[np.ndarray, list]:
        """Run one step; NaN if states or features leave the range of their dtype."""
        try:
            with np.errstate(over="ignore", invalid="ignore"):
                return self._step(rows, states)
        except FloatingPointError:
            return np.full_like(rows, np.nan), states

    def _free_run(self, rows: np.ndarray, states: list, n_steps: int) -> np.ndarray:
        """Return (n_fields, n_steps, n_points) in the units of the field, the first one `rows`.

        From a divergence on a field is NaN.
        """
        out = np.full((len(rows), n_steps, rows.shape[1]), np.nan)
        is_finite = np.ones((len(rows), 1), bool)
        task = Task("PatchForecaster.forecast", n_steps, "time steps")
        for t in range(n_steps):
            if t > 0:
                rows, states = self._step_or_nan(np.where(is_finite, rows, 0.0), states)
                task.step()
            is_finite &= np.isfinite(rows).all(axis=1, keepdims=True)
            if not is_finite.any():
                break
            out[:, t] = np.where(is_finite, rows, np.nan)
        with np.errstate(over="ignore"):
            return out * self.scale_ + self.mean_

    def _roll(self, values: np.ndarray, origins: np.ndarray, n_steps: int) -> np.ndarray:
        """Forecast (n_origins, n_steps, n_points) from origins among the rows after those seen."""
        rows = (values - self.mean_) / self.scale_
        row, states, seen = self._next, self._states, 0
        starts, states_at = [], []
        for origin in origins:
            if origin > seen:
                row, states = self._run(rows[seen:origin], states)
            seen = origin
            starts.append(row)
            states_at.append(states)
        # The states of a network are in the order of patches, then of fields.
        together = [
            np.stack(of_group, axis=1).reshape(-1, of_group[0].shape[1])
            for of_group in zip(*states_at, strict=True)
        ]
        return self._free_run(np.stack(starts), together, n_steps)

    def _shaped(self, parts):
        """Return rows of points, or a tuple of them, with the axes of the field."""
        if len(self.shape_) == 1:
            return parts
        if isinstance(parts, tuple):
            return tuple(map(self._shaped, parts))
        return parts.reshape(len(parts), *self.shape_, *parts.shape[2:])


def _count_axes(field, argument: str) -> int:
    """Return the number of dimensions of a field, or raise if it is on no line or grid."""
    try:
        n_axes = n_dimensions(field)
        found = f"{n_axes} dimension(s)"
    except ValueError:  # of NumPy, which names no argument
        n_axes, found = 0, "rows of unequal length"
    if n_axes not in (2, 3):
        raise ValueError(
            f"{argument} must be a field on a line, (n_timesteps, n_points), or on a grid, "
            f"(n_timesteps, n_rows, n_columns), got {found}"
        )
    return n_axes


class _AsRows:
    """A forecaster of grids that takes and gives rows of points."""

    def __init__(self, model: PatchForecaster, shape: tuple[int, ...]):
        self.model, self.shape = model, shape

    def fit(self, rows: np.ndarray) -> None:
        self.model.fit(rows.reshape(-1, *self.shape))

    def update(self, rows: np.ndarray) -> None:
        self.model.update(rows.reshape(-1, *self.shape))

    def forecast(self, n_steps: int, interval=None):
        parts = self.model.forecast(n_steps, interval)
        if interval is None:
            return parts.reshape(n_steps, -1)
        return tuple(part.reshape(n_steps, -1) for part in parts)


def _check_state(estimator) -> None:
    """Raise if the estimator cannot continue a series from a state."""
    if not carries_state(estimator):
        raise ValueError(
            "estimator must carry a state from call to call, as ESNRegressor does, which "
            f"{type(estimator).__name__} does not"
        )
    check_memory(estimator, None)
