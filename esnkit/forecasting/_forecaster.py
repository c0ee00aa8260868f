"""`Forecaster`: any regressor becomes a forecaster.

series -> differenced -> scaled -> one-step or many-step model -> unscaled -> summed up
"""

import copy

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils import Bunch, get_tags
from sklearn.utils.validation import check_is_fitted

from esnkit.forecasting._conformal import IntervalError, half_widths, split_origins
from esnkit.forecasting._differencing import check_differences, difference, integrate, moments
from esnkit.forecasting._index import (
    advance_labels,
    check_interval_names,
    exog_argument,
    future_index,
    label_forecast,
    label_rows,
    past_index,
    read_exog,
    read_labels,
    read_rows,
)
from esnkit.forecasting._reduction import (
    carries_state,
    check_lags,
    forecast,
    make_strategy,
    memory_inside,
    roll,
)
from esnkit.utils._pandas import is_frame, is_pandas
from esnkit.utils._rollback import rollback_on_error
from esnkit.utils._validation import (
    check_choice,
    check_flag,
    check_number,
    check_positive_int,
    check_seed,
    has_methods,
)
from esnkit.utils._warnings import warn

__all__ = ["Forecaster", "forecast"]

WASHOUT = 30
FAR = 10  # times as far from the middle of a series as its own ends: no forecast to be trusted


class Forecaster(BaseEstimator):
    """Forecast one or several series with any regressor.

    The series is differenced and scaled, a model learns the next values, and its
    forecasts come back in the units, and in the kind (array, Series, DataFrame with
    its index going on), of the series.

    Parameters
    ----------
    estimator : estimator, default=None
        A model with memory (:class:`ESNRegressor`), or any scikit-learn regressor with
        `lags`. None stands for an :class:`ESNRegressor` whose `alpha` is the best of 1e-8,
        1e-7, ..., 1e3 by leave-one-out, after a washout of 30 rows, or of a quarter of them.
    strategy : {"recursive", "direct"}, default="recursive"
        Feed one-step forecasts back, or learn every step up to `horizon` by itself.
    lags : int or sequence of int, default=None
        Past rows that a regressor without memory sees: the last `lags`, or those named
        (1 is the latest). Needed for such a regressor, refused for one with memory.
    horizon : int, default=None
        The longest forecast of the direct strategy, which needs it. With either strategy
        the number of steps ahead that :meth:`score` is about.
    differences : int or tuple of int, default=0
        Order of differencing, at most 2, or the lags to difference at one after the other:
        ``(12, 1)`` takes a yearly and then a first difference of monthly values.
    scale : bool, default=True
        Standardise every (differenced) series and exogenous input for the model.
    n_ensemble : int, default=1
        Members with different seeds, each fitted to the series.
    combine : {"mean", "median"}, default="mean"
        How the members' forecasts become one.
    calibration : float in (0, 1), default=0.3
        Share of the fitted series, its end, whose forecast errors give the intervals.
    random_state : int, RandomState or None, default=None
        Seeds the members. None: from the `random_state` of `estimator`, or of what it is
        made of, the first that is not None.

    Attributes
    ----------
    estimators_ : list of fitted estimators
        One per member; for direct strategies with a model per step, a list of these.
    n_features_in_ : int
        Number of series.
    n_exog_ : int
        Number of exogenous inputs.
    n_timesteps_ : int
        Rows seen so far, by `fit` and `update`.
    feature_names_in_ : ndarray of str
        Columns of the DataFrame fitted on, if it was one.

    Notes
    -----
    Intervals are split-conformal (Vovk et al. 2005; Lei et al. 2018): a clone is fitted
    on the series without its last `calibration` share, forecasts from rolling origins
    there, and the (m + 1) * level-th smallest of the m absolute errors of each step
    ahead is the half-width. The clone is fitted at the first call that asks for an
    interval and kept; its errors go on over what `update` brings.

    A recursive forecast may run away under a penalty that is best for single steps, which
    leave-one-out finds: for noisy series choose `alpha` by :meth:`backtest` or :meth:`score`.

    Exogenous inputs are known in advance: row t of `exog` belongs to row t of the series,
    and a forecast needs the rows of the steps ahead.

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
        random_state=None,
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
        self.random_state = random_state

    @rollback_on_error
    def fit(self, series, y=None, exog=None) -> "Forecaster":
        """Fit the model to a series.

        Parameters
        ----------
        series : array-like of shape (n_timesteps,) or (n_timesteps, n_series)
            An array, list, pandas Series or DataFrame without missing values, whose
            index, if it has one, is regular.
        y : array-like, default=None
            Exogenous inputs under the name by which scikit-learn's tools pass a second
            array, so that ``fit(series, exog)`` and grid searches work. A 1-D array
            beside a 1-D series is refused here, as that looks like a supervised call:
            name it `exog`.
        exog : array-like of shape (n_timesteps,) or (n_timesteps, n_exog), default=None
            Inputs known in advance, row by row with the series.

        Returns
        -------
        self : Forecaster

        Raises
        ------
        ValueError
            For parameters out of range, a series that is too short or not finite, an
            irregular index, or exogenous inputs that do not fit the series.
        """
        plan = self._plan()
        self._fitted = clone(self)  # what is set later waits for the next fit
        values = read_rows(series, "series", self)
        self._labels = read_labels(series)
        exog = exog_argument(series, y, exog)
        index = series.index if is_pandas(series) else None
        past = read_exog(exog, len(values), index) if exog is not None else values[:, :0]
        self.n_exog_ = past.shape[1]
        self._exog_names = tuple(exog.columns) if is_frame(exog) else None
        needed = sum(plan.differences) + plan.n_rows
        if len(values) < needed:
            raise ValueError(
                f"series has n_samples={len(values)} time steps, but these lags, differences "
                f"and horizon need at least {needed}"
            )
        self._differences, self._blocks = plan.differences, [(values, past)]
        self.n_timesteps_ = self._n_fit = len(values)
        self._range = _range_of(values)
        self._calibrator: Forecaster | None = None
        self._errors: dict[int, np.ndarray] = {}
        z, e = difference(values, plan.differences), difference(past, plan.differences)
        if self.estimator is None:
            # The first states, like no others, would speak for far too large a penalty.
            n_taught = len(z) - (plan.horizon if self.strategy == "direct" else 1)
            plan.estimator.set_params(washout=min(WASHOUT, max(0, n_taught) // 4))
        self._location, self._spread = moments(z, self.scale)
        self._exog_location, self._exog_spread = moments(e, self.scale, "exog")
        self._models = [
            make_strategy(member, self.strategy, plan.lags, plan.horizon).fit(*self._encode(z, e))
            for member in self._members(plan.estimator)
        ]
        return self

    def forecast(self, n_steps, exog=None, interval=None):
        """Forecast the steps that follow the rows seen so far.

        Parameters
        ----------
        n_steps : int >= 1
        exog : array-like of shape (>= n_steps, n_exog) or (>= n_steps,), default=None
            Inputs of the steps ahead; needed if, and only if, the model was fitted
            with exogenous inputs. Rows beyond `n_steps` are not used.
        interval : float in (0, 1), default=None
            Coverage of the interval that is wanted around every value, such as 0.9.

        Returns
        -------
        ndarray, Series or DataFrame
            The kind fitted on, `n_steps` rows; arrays of shape (n_steps,) or
            (n_steps, n_series). With `interval` a tuple of arrays ``(forecast, lower,
            upper)``, or a DataFrame of columns NAME, NAME_lower, NAME_upper.

        Raises
        ------
        NotFittedError
            Before `fit`.
        TypeError
            For a number of steps that is not an integer.
        ValueError
            For a number of steps below 1 or beyond a direct model's horizon, an
            interval outside (0, 1), with too few errors to draw it from or whose
            columns would take the names of others, and exogenous inputs that are
            missing, short or misnamed.
        FloatingPointError
            If the closed loop runs away, or a forecast is too large for float64.

        Warns
        -----
        RuntimeWarning
            If a forecast is 10 times as far from the middle of the series as any value seen.
        """
        check_is_fitted(self, "_models")
        n_steps = self._check_steps(n_steps)
        if interval is not None:
            interval = check_number("interval", interval, 0, 1, low_open=True, high_open=True)
            check_interval_names(self._labels)
        ahead = self._future_exog(exog, n_steps)
        values = self._roll(np.empty((0, self.n_features_in_)), ahead, [0], n_steps)[0]
        self._check_reach(values)
        if interval is None:
            return label_forecast(self._labels, values)
        half = half_widths(self._backtest_errors(n_steps), interval)
        with np.errstate(over="ignore"):
            bounds = values - half, values + half
        _check_in_range("interval", *bounds)
        return label_forecast(self._labels, values, bounds)

    def update(self, new, exog=None) -> "Forecaster":
        """Append observations: the state moves on, the fitted weights stay.

        Parameters
        ----------
        new : array-like of shape (n_new,) or (n_new, n_series)
            The rows right after those seen. A pandas object must go on at the index.
        exog : array-like of shape (n_new,) or (n_new, n_exog), default=None
            Their exogenous inputs.

        Returns
        -------
        self : Forecaster
        """
        check_is_fitted(self, "_models")
        rows = read_rows(new, "new")
        if rows.shape[1] != self.n_features_in_:
            raise ValueError(f"new must have {self.n_features_in_} columns, got {rows.shape[1]}")
        if is_frame(new) and self._labels.names not in (None, tuple(new.columns)):
            raise ValueError(
                f"new must have the columns {list(self._labels.names)}, got {list(new.columns)}"
            )
        e = self._future_exog(exog, len(rows), exactly=True)
        labels = advance_labels(self._labels, new)
        z, e_new = self._encode(*self._difference_on(rows, e))
        models = [model.copy() for model in self._models]
        for model in models:
            model.advance(z, e_new)
        self._models, self._labels = models, labels
        self._range = _range_of(np.vstack([rows, self._range]))
        self._blocks.append((rows, e))
        self.n_timesteps_ += len(rows)
        return self

    def history(self, n_timesteps=None):
        """Return the last rows seen, in the kind fitted on.

        Parameters
        ----------
        n_timesteps : int >= 1, default=None
            How many, at most; None stands for all.

        Returns
        -------
        ndarray, Series or DataFrame
        """
        check_is_fitted(self, "_models")
        values, _ = self._seen()
        if n_timesteps is not None:
            values = values[-check_positive_int("n_timesteps", n_timesteps) :]
        return label_rows(self._labels, values, past_index(self._labels, len(values)))

    def backtest(
        self, series, horizon, n_windows=10, *, exog=None, stride=None, refit=False, interval=None
    ) -> Bunch:
        """Forecast from rolling origins of a series and score against what came.

        A clone is fitted on the part before the first origin; at every later origin it
        is updated, or fitted anew. The last window ends where the series ends.

        Parameters
        ----------
        series : array-like of shape (n_timesteps,) or (n_timesteps, n_series)
        horizon : int >= 1
            Steps forecast from every origin.
        n_windows : int >= 1, default=10
        exog : array-like of shape (n_timesteps, n_exog), default=None
        stride : int >= 1, default=None
            Rows from one origin to the next; None stands for `horizon`.
        refit : bool, default=False
        interval : float in (0, 1), default=None
            Return the ends of intervals too.

        Returns
        -------
        Bunch
            `forecasts` and `truths` of shape (n_windows, horizon) or (n_windows,
            horizon, n_series), `origins` (the number of rows known at each), `scores`
            with the keys ``"nrmse"`` (over all windows, by the standard deviation of
            the truths) and ``"mase"`` (by the one-step changes before the first
            origin), NaN where these do not vary; with `interval` also `lower`, `upper`
            and ``scores["coverage"]``.

        Examples
        --------
        >>> from sklearn.linear_model import Ridge
        >>> wave = np.sin(np.arange(300) / 4)
        >>> result = Forecaster(Ridge(1e-9), lags=4).backtest(wave, 20, n_windows=5)
        >>> result.forecasts.shape, result.origins, result.scores["nrmse"] < 1e-3
        ((5, 20), array([200, 220, 240, 260, 280]), True)
        """
        horizon = check_positive_int("horizon", horizon)
        n_windows = check_positive_int("n_windows", n_windows)
        stride = horizon if stride is None else check_positive_int("stride", stride)
        check_flag("refit", refit)
        values = read_rows(series, "series")
        read_labels(series)  # which must be regular, though arrays are returned
        index = series.index if is_pandas(series) else None
        e = None if exog is None else read_exog(exog, len(values), index)
        origins = len(values) - horizon - stride * np.arange(n_windows)[::-1]
        if origins[0] < 1:
            raise ValueError(
                f"series has {len(values)} time steps, too few for n_windows={n_windows} "
                f"windows of horizon={horizon}"
            )
        values = values[:, 0] if np.ndim(series) == 1 else values
        parts = self._forecast_windows(values, e, origins, horizon, refit, interval)
        truths = np.stack([values[origin : origin + horizon] for origin in origins])
        return _score_windows(truths, parts, origins, values[: origins[0]])

    def score(self, series, y=None, exog=None) -> float:
        """Score forecasts of the rows after those seen: minus the NRMSE, larger is better.

        With `horizon` set, they are forecast in blocks of so many steps, each from the
        rows before it; without, all from the end of the rows seen. Nothing of the
        forecaster changes.

        Parameters
        ----------
        series : array-like of shape (n_steps,) or (n_steps, n_series)
            What came right after, as the test part of a `TimeSeriesSplit` does.
        y, exog : array-like, default=None
            Exogenous inputs of these rows, under either name, see :meth:`fit`.

        Returns
        -------
        float
        """
        from esnkit.metrics import nrmse

        check_is_fitted(self, "_models")
        rows = read_rows(series, "series", self, reset=False)
        advance_labels(self._labels, series, "series")
        if not np.ptp(rows, axis=0).all():
            raise ValueError(
                f"series must vary to be scored by its deviation, got {len(rows)} row(s) of which "
                "a column is constant"
            )
        e = self._future_exog(exog_argument(series, y, exog), len(rows), exactly=True)
        horizon = self._fitted.horizon
        block = len(rows) if horizon is None else min(horizon, len(rows))
        stops = np.arange(0, len(rows), block)
        # the inputs past the end only reach forecasts that are cut off
        e = np.vstack([e, np.zeros((block, self.n_exog_))])
        ahead = np.vstack(list(self._roll(rows, e, stops, block)))[: len(rows)]
        return -float(nrmse(rows, ahead))

    @property
    def estimators_(self) -> list:
        """Fitted estimators, one per member; a list per member where steps have their own."""
        check_is_fitted(self, "_models")
        return [model.fitted for model in self._models]

    def _plan(self) -> Bunch:
        """Check the parameters and return those that `fit` works with."""
        check_choice("strategy", self.strategy, ("recursive", "direct"))
        check_choice("combine", self.combine, ("mean", "median"))
        check_positive_int("n_ensemble", self.n_ensemble)
        check_flag("scale", self.scale)
        check_number("calibration", self.calibration, 0, 1, low_open=True, high_open=True)
        estimator = _regressor_or_default(self.estimator)
        horizon = 1 if self.horizon is None else check_positive_int("horizon", self.horizon)
        if self.strategy == "direct" and self.horizon is None:
            raise ValueError("horizon must be given for strategy='direct', got None")
        if getattr(estimator, "feedback", False):
            raise ValueError(
                "feedback must be False: a Forecaster gives its model the values themselves, got "
                f"{type(estimator).__name__}(feedback=True)"
            )
        lags = None if self.lags is None else check_lags(self.lags)
        if carries_state(estimator) and lags is not None:
            raise ValueError(
                f"lags must be None for {type(estimator).__name__}, which has a memory of its "
                f"own, got {self.lags!r}"
            )
        inner = memory_inside(estimator)
        if inner is not None:
            raise ValueError(
                f"estimator must be a model that carries its state on, not {type(inner).__name__} "
                f"inside a {type(estimator).__name__}: use ESNRegressor, or "
                "ReservoirRegressor(reservoir, readout); the Forecaster scales by itself"
            )
        if not carries_state(estimator) and lags is None:
            raise ValueError(
                f"lags must be given for {type(estimator).__name__}, which has no memory of its "
                "own; try lags=12"
            )
        if carries_state(estimator) and getattr(estimator, "bidirectional", False):
            raise ValueError(
                f"estimator must hear the series from its start alone, got {estimator!r}: a "
                "direction that starts at the end cannot go on; use bidirectional=False"
            )
        return Bunch(
            estimator=estimator,
            horizon=horizon,
            lags=lags,
            differences=check_differences(self.differences),
            n_rows=(lags[-1] if lags else 1) + (horizon if self.strategy == "direct" else 1),
        )

    def _members(self, estimator) -> list:
        """Clone the estimator once per member, each with seeds of its own."""
        params = estimator.get_params(deep=True)
        seeded = [key for key in params if key.split("__")[-1] == "random_state"]
        seeded.sort(key=lambda key: key.count("__"))
        if self.n_ensemble > 1 and not seeded:
            raise ValueError(
                f"n_ensemble={self.n_ensemble} needs an estimator with a random_state, "
                f"{type(estimator).__name__} has none"
            )
        if self.n_ensemble == 1 and self.random_state is None:
            return [clone(estimator)]
        given = [self.random_state, *(params[key] for key in seeded)]
        source = next((seed for seed in given if seed is not None), None)
        seeds = check_seed(copy.deepcopy(source)).randint(2**31 - 1, size=self.n_ensemble)
        return [clone(estimator).set_params(**dict.fromkeys(seeded, int(seed))) for seed in seeds]

    def _check_steps(self, n_steps) -> int:
        n_steps = check_positive_int("n_steps", n_steps)
        fitted = self._fitted
        if fitted.strategy == "direct" and n_steps > fitted.horizon:
            raise ValueError(
                f"n_steps must be at most horizon={fitted.horizon} for strategy='direct', "
                f"got {n_steps}"
            )
        return n_steps

    def _future_exog(self, exog, n_steps: int, exactly: bool = False) -> np.ndarray:
        """Check the exogenous inputs of the `n_steps` rows after the last one seen."""
        if exog is None and self.n_exog_:
            raise ValueError(
                f"exog must be given: the model was fitted with {self.n_exog_} exogenous inputs, "
                f"their values for these {n_steps} time steps are needed"
            )
        if exog is None:
            return np.empty((n_steps, 0))
        if not self.n_exog_:
            raise ValueError("exog must be None: the model was fitted without exogenous inputs")
        if is_frame(exog) and self._exog_names is not None:
            missing = [name for name in self._exog_names if name not in exog.columns]
            if missing or len(exog.columns) != self.n_exog_:
                raise ValueError(
                    f"exog must have the columns {list(self._exog_names)}, got {list(exog.columns)}"
                )
            exog = exog[list(self._exog_names)]
        index = future_index(self._labels, n_steps)
        e = read_exog(exog, n_steps, index, exactly)
        if e.shape[1] != self.n_exog_:
            raise ValueError(f"exog must have {self.n_exog_} columns, got {e.shape[1]}")
        return e[:n_steps]

    def _difference_on(self, values, e):
        """Difference rows that follow the ones seen."""
        past, past_e = self._recent()
        whole, whole_e = np.vstack([past, values]), np.vstack([past_e, e])
        return difference(whole, self._differences), difference(whole_e, self._differences)

    def _recent(self):
        """Return the last rows seen, as many as differencing loses."""
        lost = sum(self._differences)
        if len(self._blocks[-1][0]) < lost:
            self._blocks = [self._seen()]
        values, e = self._blocks[-1]
        return values[len(values) - lost :], e[len(e) - lost :]

    def _seen(self):
        """Return all rows seen and their exogenous inputs."""
        return np.vstack([rows for rows, _ in self._blocks]), np.vstack(
            [e for _, e in self._blocks]
        )

    def _encode(self, z, e):
        with np.errstate(over="ignore", invalid="ignore"):
            z = (z - self._location) / self._spread
            e = (e - self._exog_location) / self._exog_spread
        for name, rows in (("series", z), ("exog", e)):
            if not np.isfinite(rows).all():
                raise ValueError(f"{name} must stay finite in float64 when differenced and scaled")
        return z, e

    def _roll(self, values, e, stops, n_steps: int) -> np.ndarray:
        """Forecast from origins among `values`, the rows after those seen, in original units.

        `e` goes on for `n_steps` rows after the last origin. Nothing of self changes.
        """
        past = np.vstack([self._recent()[0], values])
        z, _ = self._difference_on(values, e[: len(values)])
        _, e = self._difference_on(np.empty((len(e), values.shape[1])), e)
        z, e = self._encode(z, e)
        lost = len(past) - len(values)
        members = []
        for model in self._models:
            steps = roll(model, z, e, stops, n_steps)
            with np.errstate(over="ignore", invalid="ignore"):
                steps = steps * self._spread + self._location
            whole = [
                integrate(step, past[: lost + stop], self._differences)
                for step, stop in zip(steps, stops, strict=True)
            ]
            members.append(np.stack(whole))
        with np.errstate(over="ignore", invalid="ignore"):
            combined = (np.mean if self._fitted.combine == "mean" else np.median)(members, axis=0)
        _check_in_range("forecast", combined)
        return combined

    def _check_reach(self, forecasts) -> None:
        """Warn of forecasts far beyond the series seen."""
        low, high = self._range / 2
        reach = np.where(high > low, high - low, np.inf)
        with np.errstate(over="ignore", invalid="ignore"):
            times = np.abs(forecasts / 2 - (low + high) / 2) / (reach / 2)
        far = times.max(axis=1)
        if far.max() > FAR:
            warn(
                f"the forecast goes far beyond the series: in step {int(np.argmax(far > FAR)) + 1} "
                f"it is more than {FAR} times as far from its middle as any value seen, and at "
                f"most {far.max():.3g} times; if that is no trend, the closed loop runs away: use "
                "a larger alpha, differences, or strategy='direct'",
                RuntimeWarning,
            )

    def _backtest_errors(self, n_steps: int) -> np.ndarray:
        """Errors (n_origins, n_steps, n_series) of forecasts past the calibration split."""
        values, e = self._seen()
        share = self._fitted.calibration
        start, origins = split_origins(self._n_fit, len(values), n_steps, share)
        errors = self._errors.get(n_steps, np.empty((0, n_steps, values.shape[1])))
        new = origins[len(errors) :]
        if len(new):
            if self._calibrator is None:
                self._calibrator = self._fit_calibrator(values[:start], e[:start])
            ahead = self._calibrator._roll(values[start:], e[start:], new - start, n_steps)
            truths = np.stack([values[origin : origin + n_steps] for origin in new])
            errors = self._errors[n_steps] = np.concatenate([errors, truths - ahead])
        return errors

    def _fit_calibrator(self, values, e) -> "Forecaster":
        try:
            return clone(self._fitted).fit(values, exog=e if self.n_exog_ else None)
        except ValueError as error:
            raise IntervalError(
                f"to fit on a part of the series, of {len(values)} rows ({error})",
                "fit on a longer series or lower calibration",
            ) from error

    def _forecast_windows(self, values, e, origins, horizon: int, refit: bool, interval):
        """Return forecasts, or forecasts with lower and upper ends, from every origin."""
        model, parts, seen = clone(self), [], 0
        for origin in origins:
            if refit or not seen:
                model.fit(values[:origin], exog=None if e is None else e[:origin])
            else:
                model.update(values[seen:origin], None if e is None else e[seen:origin])
            ahead = None if e is None else e[origin : origin + horizon]
            part = model.forecast(horizon, ahead, interval)
            parts.append((part,) if interval is None else part)
            seen = origin
        return [np.stack(part) for part in zip(*parts, strict=True)]


def _regressor_or_default(estimator):
    if estimator is None:
        from esnkit.esn._presets import ESNRegressor

        return ESNRegressor(alpha=[10.0**k for k in range(-8, 4)])
    if isinstance(estimator, type) or not has_methods(estimator, "fit", "predict", "get_params"):
        raise TypeError(f"estimator must be a regressor with fit and predict, got {estimator!r}")
    kind = get_tags(estimator).estimator_type if hasattr(estimator, "__sklearn_tags__") else None
    if kind not in (None, "regressor"):
        raise TypeError(f"estimator must be a regressor, got the {kind} {estimator!r}")
    return estimator


def _range_of(rows: np.ndarray) -> np.ndarray:
    """Return the least and the largest values (2, n_series)."""
    return np.stack([rows.min(axis=0), rows.max(axis=0)])


def _check_in_range(what: str, *parts):
    """Raise for what left the range of float64 on its way back to the units of the series."""
    if not all(np.isfinite(part).all() for part in parts):
        raise FloatingPointError(f"the {what} is not finite: the series is too large for float64")


def _score_windows(truths, parts, origins, history) -> Bunch:
    from esnkit.metrics import mase, nrmse

    columns = truths.shape[2:]
    flat_truths, flat = truths.reshape(-1, *columns), parts[0].reshape(-1, *columns)
    scores = {"nrmse": np.nan, "mase": np.nan}
    # a constant stretch has no size to measure errors by
    if (np.ptp(flat_truths, axis=0) > 0).all():
        scores["nrmse"] = float(nrmse(flat_truths, flat))
    if len(history) > 1 and np.abs(np.diff(history, axis=0)).sum(axis=0).all():
        scores["mase"] = float(mase(flat_truths, flat, history))
    result = Bunch(forecasts=parts[0], truths=truths, origins=origins, scores=scores)
    if len(parts) == 3:
        result.lower, result.upper = parts[1:]
        inside = (result.lower <= truths) & (truths <= result.upper)
        scores["coverage"] = float(inside.mean())
    return result
