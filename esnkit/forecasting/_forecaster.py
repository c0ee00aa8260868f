"""`Forecaster`: any regressor becomes a forecaster of series."""

import copy

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from esnkit.forecasting._calibration import IntervalCalibrator
from esnkit.forecasting._candidates import Search, default_horizon
from esnkit.forecasting._capabilities import check_memory, check_regressor
from esnkit.forecasting._chosen_network import choose_network
from esnkit.forecasting._differencing import check_differences
from esnkit.forecasting._ensemble import ModelSpec, count_models, fit_ensemble
from esnkit.forecasting._forecasts_mixin import ForecastsMixin
from esnkit.forecasting._input import exog_argument, read_exog, read_series
from esnkit.forecasting._missing import interpolate
from esnkit.forecasting._penalty_path import Structure
from esnkit.forecasting._positive import check_positive, is_positive
from esnkit.forecasting._seasonality import MAX_SEASONS
from esnkit.forecasting._series_transform import (
    SeriesTransform,
    as_series_transform,
    make_row_transform,
)
from esnkit.forecasting._transforms import RowTransform
from esnkit.utils._callbacks import CallbackSupportMixin, with_callbacks
from esnkit.utils._plain_state import PlainStateMixin
from esnkit.utils._progress import fit_task
from esnkit.utils._rollback import rollback_on_error
from esnkit.utils._validation import (
    check_choice,
    check_flag,
    check_number,
    check_positive_int,
    check_seed,
    check_verbose,
)

__all__ = ["Forecaster"]


class Forecaster(ForecastsMixin, CallbackSupportMixin, PlainStateMixin, BaseEstimator):
    """Forecast one or several series with any regressor.

    The series is transformed, a model learns to predict its next values, and forecasts are returned
    in the units and in the kind of the series: an array, or a Series or DataFrame whose index
    continues.

    Parameters
    ----------
    estimator : estimator, default=None
        A regressor with a state, such as :class:`ESNRegressor`, or any scikit-learn regressor
        together with `lags`. None chooses an :class:`ESNRegressor` for the series, see Notes.
    strategy : {"recursive", "direct"}, default="recursive"
        Recursive: predict one step and feed the prediction back. Direct: predict every step up
        to `horizon` from the rows known, without feedback.
    lags : int or sequence of int, default=None
        Past rows that a regressor without a state sees: the last `lags`, or those named
        (1 is the latest). Required for such a regressor, refused for one with a state.
    horizon : int, default=None
        Number of steps that the direct strategy learns to predict, which requires it. For both
        strategies also the number of steps ahead that :meth:`score` evaluates, and for which a
        network is chosen; None chooses it for the first season, or 10 steps without one.
    transformer : SeriesTransform, default=None
        Power transform, differences and scale of the series. The exogenous inputs are differenced
        and scaled alike. None stands for ``SeriesTransform(differences=differences, scale=scale)``.
    differences : "auto", int or tuple of int or (int, int), default="auto"
        Order of differencing, at most 2, or the lags to difference at one after the other:
        ``(12, 1)`` takes a seasonal and then a first difference of monthly values. A pair of a
        lag and a number of seasons stands for differences from the mean of the last seasons:
        ``((12, 3),)`` subtracts the mean of the values 12, 24 and 36 months before. "auto" stands
        for 0 with an `estimator`, and is chosen for the series without one.
    scale : bool, default=True
        Standardise every (differenced) series and exogenous input for the model. The network that
        is chosen without an `estimator` needs it.
    n_ensemble : int, default=1
        Number of members, each fitted to the series with another seed.
    combine : {"mean", "median"}, default="mean"
        How the forecasts of the members are combined.
    calibration : float in (0, 1), default=0.3
        Share of the fitted series, at its end, whose forecast errors calibrate the intervals.
    intervals : {"split", "adaptive"}, default="split"
        Split: all these errors count the same. Adaptive: they count by the similarity of the
        states (or lagged rows) at their origins to the present one, where that gives better
        quantiles of the errors known; intervals are then narrow where the series is calm.
    positive : "auto" or bool, default="auto"
        Whether forecasts and intervals end at zero. "auto" does so for counts: whole numbers, none
        of them negative.
    calendar : {"hour", "weekday", "weekend", "day", "month", "holidays"} or sequence, default=None
        Inputs from the time stamps of the series, which it must have. Every hour, day of the week,
        day of the month or month has a column; weekends and holidays have one each. Hours of days
        off have separate columns, if weekdays, weekends or holidays are named too. What `fit` has
        not seen, such as the months after a series of a quarter, has no effect.
    country : str, default=None
        Country or region of the holidays, such as ``"US"`` or ``"DE-BY"``; required if `calendar`
        has ``"holidays"``, and refused otherwise. They come from the package holidays (extra
        ``holidays``).
    missing : {"predict", "raise"}, default="predict"
        What to do where the series has missing values (NaN): predict them, see the notes, or
        refuse them with a :class:`ValueError` that names the first.
    random_state : int, RandomState or None, default=None
        Seeds the members. None takes the first `random_state` that is not None among those of
        `estimator` and of its nested estimators.
    verbose : int, default=0
        With 1, progress of long calls and their end are written to the standard error, or are
        records of the logger ``esnkit`` if logging shows these.

    Attributes
    ----------
    estimators_ : list of fitted estimators
        One per member; for a direct strategy with a model per step, a list of these.
    transformer_ : SeriesTransform
        The fitted transform of the series, with the differences in use as `lags_`.
    smoothing_share_ : float
        Share of exponential smoothing in the forecast, see
        :func:`~esnkit.baselines.exponential_smoothing`: a logistic function of the gain of the
        network over it in the rolling forecasts (difference of both errors over their sum), one
        half without a gain, and none from three standard errors on. None for a given `estimator`;
        for rows too few to compare, half, of the seasonal naive forecast.
    n_features_in_ : int
        Number of series.
    n_exog_ : int
        Number of exogenous inputs, without those of `calendar`.
    n_past_exog_ : int
        Number of past-only inputs.
    n_timesteps_ : int
        Number of rows seen by `fit` and `update`.
    feature_names_in_ : ndarray of str
        Columns of the DataFrame fitted on, if it was one.

    Notes
    -----
    Without an `estimator`, rolling forecasts of the recent part of the series choose differences
    (none, first, seasonal, both), sines and cosines of the seasons as inputs, leak rates and the
    penalty `alpha` of a network. Seasons come from time stamps, or from the autocorrelation of a
    series without time stamps. Networks without differences must be better by the factor
    1 + 20 / n, for n rows. One network forecasts several series together: the mean of their errors,
    relative to their mean absolute changes, decides. The direct strategy takes what is best for
    recursive forecasts. Fewer than 10 rows, or too few for two rolling forecasts, have first
    differences and a large penalty. A share of the forecast is exponential smoothing, see
    `smoothing_share_`, where the network is not clearly better.
    :class:`AutoForecaster` combines several such networks.

    A forecast that runs away, 1000 times as far from the middle of the series as any value seen or
    not finite, gives way to a naive one with a warning, see :meth:`forecast`; a member of an
    ensemble that does so does not count. :meth:`score` is minus infinity then.

    With a power transform the forecast is the inverse of a mean, a median of the values to come,
    which has the smaller mean absolute error. Their mean, for totals, comes with
    ``forecast(n_steps, bias_adjust=True)``: after the power transform, each of the errors that
    calibrate intervals, less their mean, is added to the forecast, and the inverses are averaged
    (smearing, Duan 1983). Steps beyond half of the rows held out have the errors of the last step
    before. On simulated log-normal series of 400 rows the bias falls from 8 to 1 %. What the noise
    of the forecast itself adds remains, as after seasonal differences of a season that does not
    change. On real series, totals and squared errors change by less than their noise.

    Intervals are split-conformal (Vovk et al. 2005; Lei et al. 2018): a second model is fitted
    to the series without its last `calibration` share and forecasts that share from rolling
    origins. For each step ahead, the (m + 1) * level-th smallest of the m absolute errors is the
    half-width. That model is fitted when an interval is first asked for, with the differences,
    power and network chosen in `fit`; `update` adds errors.
    Quantiles take the errors with their signs. With fewer errors than the level needs, those of all
    steps are pooled, relative to a size that grows with the step; with almost none, residuals of
    the fit stand in, with a warning.

    Adaptive intervals weigh errors by the softmax of the cosine similarity of states over a
    temperature (reservoir conformal prediction, Neglia et al. 2025). The temperature is the one
    that gives the best quantiles of the known errors, or none, with equal weights.

    Exogenous inputs are known in advance: row t of `exog` belongs to row t of the series,
    and a forecast needs the rows of the steps ahead.

    Missing values are interpolated for a first fit, and for the choice of the default network, in
    which they are not learned and do not count. The fitted model is run along the series from its
    start: its one-step predictions, from the rows before, stand for the missing values. A second
    model is fitted to this series, and a third to that with the predictions of the second. The one
    of the three with the smallest one-step error, at observed rows that follow an observed row, is
    kept. No fit learns a target that is missing or differenced with a missing value; only where
    such targets are more than three quarters of those observed, a target is learned whose own value
    is observed. An estimator with a state has the weight zero for the others, output by output; one
    with `lags` is fitted without rows in which the value of any series is missing.
    Predictions are limited to three times the range of the series. Values missing at the end and in
    `update` are predicted too: a forecast starts after the last row. In past exogenous inputs the
    last value before stands for a missing one (at the start, the first one); inputs of the steps
    ahead must be known. Errors at missing values do not calibrate intervals.

    References
    ----------
    Vovk, V., Gammerman, A. and Shafer, G. (2005). Algorithmic Learning in a Random World.
    Lei, J. et al. (2018). Distribution-free predictive inference for regression. JASA 113.
    Neglia, R. et al. (2025). ResCP: reservoir conformal prediction for time series forecasting.
    arXiv 2510.05060.
    Duan, N. (1983). Smearing estimate: a nonparametric retransformation method. JASA 78.
    Ben Taieb, S. et al. (2012). A review and comparison of strategies for multi-step ahead
    time series forecasting. Expert Systems with Applications 39. (recursive, direct)

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> series = np.sin(np.arange(200) / 5)
    >>> model = Forecaster(Ridge(1e-9), lags=2).fit(series)
    >>> bool(np.abs(model.forecast(50) - np.sin(np.arange(200, 250) / 5)).max() < 1e-4)
    True
    """

    def __init__(
        self,
        estimator=None,
        *,
        strategy="recursive",
        lags=None,
        horizon=None,
        transformer=None,
        differences="auto",
        scale=True,
        n_ensemble=1,
        combine="mean",
        calibration=0.3,
        intervals="split",
        positive="auto",
        calendar=None,
        country=None,
        missing="predict",
        random_state=None,
        verbose=0,
    ):
        self.estimator = estimator
        self.strategy = strategy
        self.lags = lags
        self.horizon = horizon
        self.transformer = transformer
        self.differences = differences
        self.scale = scale
        self.n_ensemble = n_ensemble
        self.combine = combine
        self.calibration = calibration
        self.intervals = intervals
        self.positive = positive
        self.calendar = calendar
        self.country = country
        self.missing = missing
        self.random_state = random_state
        self.verbose = verbose

    @rollback_on_error
    @with_callbacks
    def fit(self, series, y=None, exog=None, past_exog=None) -> "Forecaster":
        """Fit the model to a series.

        Parameters
        ----------
        series : array-like of shape (n_timesteps,) or (n_timesteps, n_series)
            An array, list, pandas Series or DataFrame whose index, if it has one, is regular.
            NaN, None, NA and masked values are missing; every series has an observed one.
        y : array-like, default=None
            Exogenous inputs under the name by which scikit-learn's tools pass a second
            array, so that ``fit(series, exog)`` and grid searches work. A 1-D array
            beside a 1-D series is refused here, as that looks like a supervised call:
            name it `exog`.
        exog : array-like of shape (n_timesteps,) or (n_timesteps, n_exog), default=None
            Inputs known in advance, row by row with the series. The last value stands for
            missing ones.
        past_exog : array-like of shape (n_timesteps,) or (n_timesteps, n_past_exog), default=None
            Inputs known up to the present only, such as the weather. The model forecasts them
            together with the series, from which `forecast` and its like leave them out. They are
            differenced and scaled as the series is, without its power transform. Missing values
            are predicted.

        Returns
        -------
        self : Forecaster

        Raises
        ------
        ValueError
            For parameters out of range, a series that is too short or infinite, missing
            values with ``missing="raise"``, an irregular index, exogenous inputs that do
            not fit the series, or a `calendar` without time stamps.
        ImportError
            If `calendar` needs the package holidays, which is not installed.
        """
        spec = self._check_parameters()
        values, inputs = self._read(series, y, exog, past_exog)
        filled, columns = interpolate(values), values.T[: self.n_features_in_]
        floor = [0.0 if is_positive(self.positive, column) else -np.inf for column in columns]
        floor += [-np.inf] * self.n_past_exog_
        n_past = self.n_past_exog_
        power = RowTransform(spec.differences, False, power=spec.power, n_past=n_past).fit(filled)
        spec = spec._replace(floor=tuple(floor), power=power.power_, n_past=n_past)
        n_models = count_models(spec, inputs.shape[1])
        with fit_task(self, (n_models, "models"), {"X": series, "y": y}, n_models):
            if spec.estimator is None:
                spec = self._choose_network(spec, values, inputs)
            self._ensemble = fit_ensemble(spec, values, inputs)
        adaptive = self.intervals == "adaptive"
        self._calibrator = IntervalCalibrator(spec, len(values), self.calibration, adaptive)
        self._spec, self.smoothing_share_ = spec, spec.simple_share
        return self

    @property
    def estimators_(self) -> list:
        """Fitted estimators, one per member; a list per member where steps have their own."""
        check_is_fitted(self, "_ensemble")
        return [model.fitted for model in self._ensemble.models]

    @property
    def transformer_(self) -> SeriesTransform:
        """Fitted transform of the series."""
        check_is_fitted(self, "_ensemble")
        return as_series_transform(self._ensemble.series_transform)

    def _check_parameters(self) -> ModelSpec:
        """Check the parameters and return those of the models, which later changes do not reach."""
        check_choice("strategy", self.strategy, ("recursive", "direct"))
        check_choice("combine", self.combine, ("mean", "median"))
        check_choice("intervals", self.intervals, ("split", "adaptive"))
        check_positive_int("n_ensemble", self.n_ensemble)
        check_verbose(self.verbose)
        check_positive(self.positive)
        check_number("calibration", self.calibration, 0, 1, low_open=True, high_open=True)
        estimator = None if self.estimator is None else clone(check_regressor(self.estimator))
        horizon = None if self.horizon is None else check_positive_int("horizon", self.horizon)
        if self.strategy == "direct" and horizon is None:
            raise ValueError("horizon must be given for strategy='direct', got None")
        transform = self._check_transform()
        return ModelSpec(
            estimator=estimator,
            strategy=self.strategy,
            lags=self._check_lags(),
            horizon=horizon,
            differences=transform.differences,
            scale=transform.scale,
            n_ensemble=self.n_ensemble,
            combine=self.combine,
            random_state=copy.deepcopy(self.random_state),
            power=transform.power,
        )

    def _check_lags(self) -> tuple[int, ...] | None:
        """Check the lags; return None for an estimator with a state."""
        if self.estimator is not None:
            return check_memory(self.estimator, self.lags)
        if self.lags is not None:
            raise ValueError(
                f"lags must be None without an estimator, got {self.lags!r}: the network that is "
                "chosen has a state, which holds the past; for lags give an estimator, as in "
                "Forecaster(Ridge(), lags=12)"
            )
        return None

    def _check_transform(self) -> RowTransform:
        """Check the parameters of the transform."""
        check_flag("scale", self.scale)
        if self.transformer is not None:
            if not isinstance(self.transformer, SeriesTransform):
                raise TypeError(
                    f"transformer must be a SeriesTransform or None, got {self.transformer!r}"
                )
            if not (self._chooses_differences() and self.scale):
                raise ValueError(
                    "differences and scale must not be given beside transformer, got "
                    f"differences={self.differences!r} and scale={self.scale!r}: give them to "
                    "the SeriesTransform"
                )
            transform = make_row_transform(self.transformer)
        else:
            chosen = 0 if self._chooses_differences() else self.differences
            transform = RowTransform(check_differences(chosen), self.scale)
        if self.estimator is None and not transform.scale:
            raise ValueError(
                "scale must be True without an estimator, got False: the network that is chosen "
                "needs standardised values; give an estimator, such as ESNRegressor()"
            )
        return transform

    def _chooses_differences(self) -> bool:
        return isinstance(self.differences, str) and self.differences == "auto"

    def _choose_network(self, spec: ModelSpec, values, exog) -> ModelSpec:
        """Return the models of the network that is best in rolling forecasts of the series."""
        columns = interpolate(values[:, : self.n_features_in_]).T
        found = [self._season_periods(column) for column in columns]
        periods = sorted({period for periods in found for period in periods})[:MAX_SEASONS]
        assert not isinstance(spec.power, str)  # "auto" is a number by now
        given = None
        if self.transformer is not None or not self._chooses_differences():
            given = Structure(spec.differences, spec.power)
        horizon = spec.horizon or default_horizon(len(values), periods)
        seed = int(check_seed(copy.deepcopy(spec.random_state)).randint(2**31 - 1))
        max_lost = len(values) - spec.n_ahead - 1
        search = Search(horizon, seed=seed, n_past=self.n_past_exog_)
        chosen, rule, share = choose_network(values, exog, periods, search, given, max_lost)
        return spec._replace(
            estimator=chosen.spec.estimator,
            differences=chosen.structure.differences,
            seasons=chosen.structure.seasons,
            simple=rule if share else None,
            simple_share=share,
        )

    def _check_steps(self, n_steps) -> int:
        n_steps = check_positive_int("n_steps", n_steps)
        spec = self._spec
        if spec.strategy == "direct" and n_steps > spec.n_ahead:
            raise ValueError(
                f"n_steps must be at most horizon={spec.horizon} for strategy='direct', "
                f"got {n_steps}"
            )
        return n_steps

    def _rows_to_drive(self, series, y) -> tuple[np.ndarray, np.ndarray]:
        """Return rows and inputs of any part of a series, which drive the models from its start."""
        check_is_fitted(self, "_ensemble")
        if self.estimator is None or self.calendar is not None or self.n_past_exog_:
            raise ValueError(
                "free runs from any row of a series need a Forecaster with an estimator, without "
                f"calendar and past_exog, got estimator={self.estimator!r}, "
                f"calendar={self.calendar!r} and {self.n_past_exog_} past-only inputs"
            )
        rows, table = read_series(series, "series", self, reset=False)
        exog = exog_argument(series, y, None)
        inputs = rows[:, :0] if exog is None else read_exog(exog, len(rows), table).values
        if inputs.shape[1] != self.n_exog_:
            raise ValueError(
                f"y must have the {self.n_exog_} exogenous inputs of fit, got {inputs.shape[1]}"
            )
        return rows, inputs

    def _errors_ahead(self, n_steps: int, ahead: np.ndarray, level: float):
        rows, exog = self._seen_rows()
        return self._calibrator.errors_ahead(self._ensemble, rows, exog, ahead, n_steps, level)

    def _means(self, values: np.ndarray, ahead: np.ndarray) -> np.ndarray:
        means = self._calibrator.means(self._ensemble, *self._seen_rows(), values)
        if not np.isfinite(means).all():
            raise FloatingPointError(
                "bias_adjust=True has no finite mean: with the errors of this forecast, the "
                f"inverse of power={self._spec.power!r} is infinite; use a larger power, or "
                "bias_adjust=False"
            )
        return means

    def _sample(self, ahead: np.ndarray, n_steps: int, n_samples: int, rng) -> np.ndarray:
        if self._spec.strategy == "direct":
            raise ValueError(
                "sample runs models in closed loop, which strategy='direct' does not have: use "
                "strategy='recursive', or forecast(quantiles=...)"
            )
        errors = self._calibrator.step_errors(self._ensemble, *self._seen_rows())
        return self._ensemble.limit(self._ensemble.sample(errors, ahead, n_steps, n_samples, rng))

    @property
    def _block(self) -> int | None:
        return self._spec.horizon
