"""`PatchForecaster`: forecasts of fields on a line or a grid, patch by patch."""

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from esnkit.esn import ESNRegressor
from esnkit.forecasting._capabilities import carries_state, check_memory, check_regressor
from esnkit.forecasting._ensemble import find_seed, range_of, seeded_clones
from esnkit.forecasting._frames import n_dimensions
from esnkit.forecasting._input import read_series
from esnkit.forecasting._missing import refuse_missing_values
from esnkit.forecasting._patches import make_layout, make_patches, reflections, training_data
from esnkit.forecasting._runaway import warn_beyond_reach
from esnkit.forecasting._series_kind import advance_labels, forecast_as, read_kind
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

    A network of a few hundred units does not learn products of many points. Patches and overlaps of
    twice the size that is needed may cost most of the valid time, if points are little alike, as
    those of :func:`esnkit.datasets.make_lorenz96`. A smooth field with many points per wave, as of
    the Kuramoto-Sivashinsky equation, gains if `overlap` and the number of units are larger than
    by default, and `noise` smaller.

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
        random_state=None,
    ):
        self.estimator = estimator
        self.patch_size = patch_size
        self.overlap = overlap
        self.periodic = periodic
        self.shared = shared
        self.reflection = reflection
        self.noise = noise
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
        return self

    def forecast(self, n_steps):
        """Forecast the rows that follow those seen so far.

        Parameters
        ----------
        n_steps : int >= 1

        Returns
        -------
        ndarray of shape (n_steps, n_points) or (n_steps, n_rows, n_columns), or DataFrame
            Of the kind fitted on.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            For a number of steps below 1.
        FloatingPointError
            If the closed loop diverges.

        Warns
        -----
        RuntimeWarning
            If a value is 10 times as far from the middle of the field as any value seen.
        """
        check_is_fitted(self, "_states")
        n_steps = check_positive_int("n_steps", n_steps)
        rows = self._free_run(n_steps)
        check_bounded(rows, "fit with a larger alpha, or a little noise")
        warn_beyond_reach(rows, self._range, "field", "more noise, or a larger alpha")
        return self._as_fitted_on(rows)

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
        self._range = range_of(np.vstack([self._range, values.reshape(-1, 1)]))
        return self

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
        rows = self._free_run(len(values))
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
        n_axes = n_dimensions(field)
        if n_axes not in (2, 3):
            raise ValueError(
                f"{argument} must be a field on a line, (n_timesteps, n_points), or on a grid, "
                f"(n_timesteps, n_rows, n_columns), got {n_axes} dimension(s)"
            )
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

    def _free_run(self, n_steps: int) -> np.ndarray:
        """Return the forecast in the units of the field; from a divergence on it is not finite."""
        rows, states = np.full((n_steps, len(self._next)), np.nan), self._states
        task = Task("PatchForecaster.forecast", n_steps, "time steps")
        row = self._next
        for t in range(n_steps):
            if t > 0:
                row, states = self._run_or_nan(row, states)
                task.step()
            if not np.isfinite(row).all():
                break
            rows[t] = row
        with np.errstate(over="ignore"):
            return rows * self.scale_ + self.mean_

    def _run_or_nan(self, row: np.ndarray, states: list) -> tuple[np.ndarray, list]:
        """Run one step further; NaN if states or features leave the range of their dtype."""
        try:
            with np.errstate(over="ignore", invalid="ignore"):
                return self._run(row[np.newaxis], states)
        except FloatingPointError:
            return np.full_like(row, np.nan), states

    def _as_fitted_on(self, rows: np.ndarray):
        """Return a forecast in the kind of the field fitted on."""
        if len(self.shape_) == 1:
            return forecast_as(self._kind, rows)
        return rows.reshape(-1, *self.shape_)


def _check_state(estimator) -> None:
    """Raise if the estimator cannot continue a series from a state."""
    if not carries_state(estimator):
        raise ValueError(
            "estimator must carry a state from call to call, as ESNRegressor does, which "
            f"{type(estimator).__name__} does not"
        )
    check_memory(estimator, None)
