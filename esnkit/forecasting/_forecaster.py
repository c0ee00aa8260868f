"""`Forecaster`: any regressor becomes a forecaster of series."""

import copy

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from esnkit.forecasting._capabilities import check_memory, check_regressor
from esnkit.forecasting._conformal import IntervalCalibrator
from esnkit.forecasting._differencing import check_differences
from esnkit.forecasting._ensemble import ModelSpec, count_models, default_network, fit_ensemble
from esnkit.forecasting._forecasts_mixin import ForecastsMixin
from esnkit.utils._callbacks import CallbackSupportMixin, with_callbacks
from esnkit.utils._plain_state import PlainStateMixin
from esnkit.utils._progress import fit_task
from esnkit.utils._rollback import rollback_on_error
from esnkit.utils._validation import (
    check_choice,
    check_flag,
    check_number,
    check_positive_int,
    check_verbose,
)

__all__ = ["Forecaster"]


class Forecaster(ForecastsMixin, CallbackSupportMixin, PlainStateMixin, BaseEstimator):
    """Forecast one or several series with any regressor.

    The series is differenced and standardised, a model learns to predict its next values, and
    forecasts are returned in the units and in the kind of the series: an array, or a Series or
    DataFrame whose index continues.

    Parameters
    ----------
    estimator : estimator, default=None
        A regressor with a state, such as :class:`ESNRegressor`, or any scikit-learn regressor
        together with `lags`. None stands for an :class:`ESNRegressor` that chooses its `alpha`
        from 1e-8, 1e-7, ..., 1e3 by leave-one-out; its washout is 30 rows, or a quarter of the
        series if that is less.
    strategy : {"recursive", "direct"}, default="recursive"
        Recursive: predict one step and feed the prediction back. Direct: predict every step up
        to `horizon` from the rows known, without feedback.
    lags : int or sequence of int, default=None
        Past rows that a regressor without a state sees: the last `lags`, or those named
        (1 is the latest). Required for such a regressor, refused for one with a state.
    horizon : int, default=None
        Number of steps that the direct strategy learns to predict, which requires it. For both
        strategies also the number of steps ahead that :meth:`score` evaluates.
    differences : int or tuple of int, default=0
        Order of differencing, at most 2, or the lags to difference at one after the other:
        ``(12, 1)`` takes a seasonal and then a first difference of monthly values.
    scale : bool, default=True
        Standardise every (differenced) series and exogenous input for the model.
    n_ensemble : int, default=1
        Number of members, each fitted to the series with another seed.
    combine : {"mean", "median"}, default="mean"
        How the forecasts of the members are combined.
    calibration : float in (0, 1), default=0.3
        Share of the fitted series, at its end, whose forecast errors calibrate the intervals.
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
    n_features_in_ : int
        Number of series.
    n_exog_ : int
        Number of exogenous inputs.
    n_timesteps_ : int
        Number of rows seen by `fit` and `update`.
    feature_names_in_ : ndarray of str
        Columns of the DataFrame fitted on, if it was one.

    Notes
    -----
    Intervals are split-conformal (Vovk et al. 2005; Lei et al. 2018): a second model is fitted
    to the series without its last `calibration` share and forecasts that share from rolling
    origins. For each step ahead, the (m + 1) * level-th smallest of the m absolute errors is the
    half-width. That model is fitted when an interval is first asked for; `update` adds errors.

    Leave-one-out chooses the penalty that is best for single steps. Under it, a recursive
    forecast may diverge: for noisy series choose `alpha` by :meth:`backtest` or :meth:`score`.

    Exogenous inputs are known in advance: row t of `exog` belongs to row t of the series,
    and a forecast needs the rows of the steps ahead.

    Missing values are interpolated for a first fit. The fitted model is run along the series from
    its start: its one-step predictions, from the rows before, stand for the missing values. A
    second model is fitted to this series, and a third to that with the predictions of the second.
    The one of the three with the smallest one-step error, at observed rows that follow an observed
    row, is kept. No fit learns a target that is missing or differenced with a missing value; only
    where such targets are more than three quarters of those observed, a target is learned whose
    own value is observed. An estimator with a state has the weight zero for the others, output by
    output; one with `lags` is fitted without rows in which the value of any series is missing.
    Predictions are limited to three times the range of the series. Values missing at the end and in
    `update` are predicted too: a forecast starts after the last row. In past exogenous inputs the
    last value before stands for a missing one (at the start, the first one); inputs of the steps
    ahead must be known. Errors at missing values do not calibrate intervals.

    References
    ----------
    Vovk, V., Gammerman, A. and Shafer, G. (2005). Algorithmic Learning in a Random World.
    Lei, J. et al. (2018). Distribution-free predictive inference for regression. JASA 113.
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
        differences=0,
        scale=True,
        n_ensemble=1,
        combine="mean",
        calibration=0.3,
        missing="predict",
        random_state=None,
        verbose=0,
    ):
        self.estimator = estimator
        self.strategy = strategy
        self.lags = lags
        self.horizon = horizon
        self.differences = differences
        self.scale = scale
        self.n_ensemble = n_ensemble
        self.combine = combine
        self.calibration = calibration
        self.missing = missing
        self.random_state = random_state
        self.verbose = verbose

    @rollback_on_error
    @with_callbacks
    def fit(self, series, y=None, exog=None) -> "Forecaster":
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

        Returns
        -------
        self : Forecaster

        Raises
        ------
        ValueError
            For parameters out of range, a series that is too short or infinite, missing
            values with ``missing="raise"``, an irregular index, or exogenous inputs that do
            not fit the series.
        """
        spec = self._check_parameters()
        values, inputs = self._read(series, y, exog)
        n_models = count_models(spec, self.n_exog_)
        with fit_task(self, (n_models, "models"), {"X": series, "y": y}, n_models):
            self._ensemble = fit_ensemble(spec, values, inputs)
        self._calibrator = IntervalCalibrator(spec, len(values), self.calibration)
        self._spec = spec
        return self

    @property
    def estimators_(self) -> list:
        """Fitted estimators, one per member; a list per member where steps have their own."""
        check_is_fitted(self, "_ensemble")
        return [model.fitted for model in self._ensemble.models]

    def _check_parameters(self) -> ModelSpec:
        """Check the parameters and return those of the models, which later changes do not reach."""
        check_choice("strategy", self.strategy, ("recursive", "direct"))
        check_choice("combine", self.combine, ("mean", "median"))
        check_positive_int("n_ensemble", self.n_ensemble)
        check_flag("scale", self.scale)
        check_verbose(self.verbose)
        check_number("calibration", self.calibration, 0, 1, low_open=True, high_open=True)
        estimator = self.estimator
        if estimator is not None:
            estimator = check_regressor(estimator)
        horizon = None if self.horizon is None else check_positive_int("horizon", self.horizon)
        if self.strategy == "direct" and horizon is None:
            raise ValueError("horizon must be given for strategy='direct', got None")
        return ModelSpec(
            estimator=None if estimator is None else clone(estimator),
            strategy=self.strategy,
            lags=check_memory(default_network(0) if estimator is None else estimator, self.lags),
            horizon=horizon,
            differences=check_differences(self.differences),
            scale=self.scale,
            n_ensemble=self.n_ensemble,
            combine=self.combine,
            random_state=copy.deepcopy(self.random_state),
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

    def _half_widths(self, n_steps: int, level: float) -> np.ndarray:
        return self._calibrator.half_widths(*self._seen_rows(), n_steps, level)

    @property
    def _block(self) -> int | None:
        return self._spec.horizon
