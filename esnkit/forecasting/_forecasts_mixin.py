"""What fitted forecasters have in common: forecasts, updates, backtests and scores."""

from typing import Any, NamedTuple, Self

import numpy as np
from sklearn.base import clone
from sklearn.utils import Bunch
from sklearn.utils.validation import check_is_fitted

from esnkit.forecasting._backtest import backtest
from esnkit.forecasting._calendar_features import calendar_inputs, check_calendar
from esnkit.forecasting._ensemble import check_finite
from esnkit.forecasting._frames import LabelledSeries, columns_or_none
from esnkit.forecasting._input import (
    check_names,
    exog_argument,
    read_exog,
    read_future_exog,
    read_series,
)
from esnkit.forecasting._labels import Labels, part_of
from esnkit.forecasting._missing import check_observed, fill_forward, observed_error
from esnkit.forecasting._positive import is_whole, round_outward
from esnkit.forecasting._runaway import (
    MAX_RELATIVE_REACH,
    RUNAWAY_REACH,
    fall_back,
    range_of,
    warn_beyond_reach,
)
from esnkit.forecasting._seasonality import season_periods
from esnkit.forecasting._series_kind import (
    INTERVAL_SUFFIXES,
    advance_labels,
    check_added_names,
    forecast_as,
    quantile_suffixes,
    quantiles_as,
    read_kind,
    rows_as,
)
from esnkit.metrics import nrmse
from esnkit.utils._progress import Task
from esnkit.utils._rollback import rollback_on_error
from esnkit.utils._validation import (
    check_choice,
    check_flag,
    check_number,
    check_positive_int,
    check_seed,
)
from esnkit.utils._warnings import warn

__all__ = ["ForecastsMixin"]

REMEDIES = "a larger alpha, differences, or strategy='direct'"


class ForecastsMixin:
    """Methods of a forecaster that `fit` leaves with the rows seen and an ensemble of models.

    The ensemble has the methods `roll`, `advance`, `limit` and `exog_out_of_range` of
    :class:`~esnkit.forecasting._ensemble.Ensemble`. A subclass also writes `_errors_ahead` and
    `_sample`, and one with power transforms `_means`.
    """

    _ensemble: Any
    n_features_in_: int
    missing = "raise"  # what to do with missing values, a parameter of those that predict them
    verbose: Any
    calendar: Any = None  # a parameter of those that have inputs from time stamps
    country: Any = None

    def _read(self, series, y, exog, past_exog=None) -> tuple[np.ndarray, np.ndarray]:
        """Check series and inputs in `fit`; keep their kind, and return both as rows.

        Columns of the calendar stand beside the exogenous inputs, past-only inputs beside the
        series, with which they are forecast.
        """
        self._calendar = check_calendar(self.calendar, self.country), self.country
        check_choice("missing", self.missing, ("predict", "raise"))
        values, table = read_series(series, "series", self, missing=self.missing)
        check_observed(values)
        self._kind, labels = read_kind(table)
        exog = exog_argument(series, y, exog)
        inputs, self._exog_names = values[:, :0], None
        if exog is not None:
            read = read_exog(exog, len(values), table, missing=self.missing)
            check_observed(read.values, "exog")
            inputs, self._exog_names = fill_forward(read.values), read.names
        self.n_exog_, self.n_timesteps_ = inputs.shape[1], len(values)
        inputs = self._with_calendar(inputs, labels)
        self._seen_labels = [] if labels is None else [labels]
        self._range, self._whole = range_of(values), is_whole(values)
        past, self._past_names = values[:, :0], None
        if past_exog is not None:
            found = read_exog(past_exog, len(values), table, True, self.missing, "past_exog")
            check_observed(found.values, "past_exog")
            past, self._past_names = found.values, found.names
        self.n_past_exog_, values = past.shape[1], np.hstack([values, past])
        self._seen = [(values, inputs)]
        return values, inputs

    def forecast(self, n_steps, exog=None, interval=None, quantiles=None, *, bias_adjust=False):
        """Forecast the steps that follow the rows seen so far.

        Parameters
        ----------
        n_steps : int >= 1
        exog : array-like of shape (>= n_steps, n_exog) or (>= n_steps,), default=None
            Inputs of the steps ahead; needed if, and only if, the model was fitted
            with exogenous inputs. Rows beyond `n_steps` are not used.
        interval : float in (0, 1), default=None
            Coverage of the interval around every value, such as 0.9; None gives no interval. If
            all values of a series are whole numbers, its ends are rounded outward.
        quantiles : sequence of float in (0, 1), default=None
            Levels of the quantiles that are returned in place of the forecast, such as
            ``[0.1, 0.5, 0.9]``; not together with `interval`. They are rounded as the ends of
            intervals are, except those of level 0.5.
        bias_adjust : bool, default=False
            Whether to forecast the mean of the values to come, for squared errors and totals. After
            a power transform the forecast is their median otherwise, see Notes of
            :class:`Forecaster` and :class:`AutoForecaster`; without one it stays the same. So does
            an interval, which may leave the mean of a skewed distribution outside. Not together
            with `quantiles`.

        Returns
        -------
        ndarray, Series or DataFrame
            `n_steps` rows of the kind fitted on; arrays have shape (n_steps,) or
            (n_steps, n_series). With `interval` a tuple of arrays ``(forecast, lower,
            upper)``, or a DataFrame of columns NAME, NAME_lower, NAME_upper. With `quantiles`
            an array of shape (n_steps, n_quantiles) or (n_steps, n_series, n_quantiles), or a
            DataFrame of columns NAME_0.1, ...

        Raises
        ------
        NotFittedError
            Before `fit`.
        TypeError
            For a number of steps that is not an integer.
        ValueError
            For a number of steps below 1 or beyond a direct model's horizon, an
            interval or quantiles outside (0, 1), or with column names that the series
            already has, `quantiles` with `bias_adjust`, and exogenous inputs that are missing, too
            short or misnamed.
        FloatingPointError
            If an interval or a mean is too large for float64.

        Warns
        -----
        RuntimeWarning
            If a forecast is 10 times as far from the middle of the series as any value seen. If it
            is 1000 times as far, or not finite, it runs away: the last value is returned instead,
            or, after differences at larger lags, as many last values as the largest lag, repeated.
        UserWarning
            If the series is so short that intervals or quantiles come from residuals of the fit,
            with the coverage that they likely have.

        Examples
        --------
        Values with a log-normal distribution have the median 1 and the mean exp(1 / 2) = 1.65:

        >>> from esnkit import Forecaster, SeriesTransform
        >>> from sklearn.linear_model import Ridge
        >>> series = np.random.default_rng(0).lognormal(size=2000)
        >>> model = Forecaster(Ridge(), lags=1, transformer=SeriesTransform(power=0)).fit(series)
        >>> model.forecast(1).round(1), model.forecast(1, bias_adjust=True).round(1)
        (array([1.]), array([1.7]))
        """
        check_is_fitted(self, "_ensemble")
        n_steps = self._check_steps(n_steps)
        levels = self._check_levels(interval, quantiles)
        check_bias_adjust(bias_adjust, quantiles)
        if interval is not None:
            return self._fan(n_steps, exog, (interval,), bias_adjust)[0]
        ahead, values = self._forecast_rows(n_steps, exog)
        if levels is None:
            return forecast_as(self._kind, self._point_forecast(values, ahead, bias_adjust))
        errors = self._errors_for_levels(n_steps, ahead, levels)
        with np.errstate(over="ignore"):
            ends = list(values + errors.quantiles(levels))
        return quantiles_as(self._kind, self._within_limits(ends, levels), levels)

    def _fan(self, n_steps, exog, levels: tuple, bias_adjust: bool = False) -> list:
        """Return what `forecast` does with an interval of each level, all from the same errors."""
        check_is_fitted(self, "_ensemble")
        n_steps = self._check_steps(n_steps)
        for level in levels:
            self._check_levels(level, None)
        ahead, values = self._forecast_rows(n_steps, exog)
        errors = self._errors_for_levels(n_steps, ahead, np.array(levels))
        forecast, found = self._point_forecast(values, ahead, bias_adjust), []
        for level in levels:
            half_width = errors.half_widths(level)
            with np.errstate(over="ignore"):
                ends = [values - half_width, values + half_width]
            ends = self._within_limits(ends, ends_of(level))
            found.append(forecast_as(self._kind, forecast, tuple(ends)))
        return found

    def _point_forecast(self, values: np.ndarray, ahead: np.ndarray, bias_adjust) -> np.ndarray:
        """Return the forecast of the series, of means if they are asked for."""
        values = values[:, : self.n_features_in_]
        if not bias_adjust:
            return values
        with Task(f"{type(self).__name__}.forecast", 2, "phases", verbose=self.verbose):
            return self._means(values, ahead)

    def _forecast_rows(self, n_steps: int, exog) -> tuple[np.ndarray, np.ndarray]:
        """Return the inputs of the steps ahead, and forecasts of series and past-only inputs."""
        ahead = self._read_future_exog(exog, n_steps)
        self._warn_of_exog(ahead)
        values = self._roll_or_fall_back(ahead, n_steps)
        warn_beyond_reach(values[:, : self.n_features_in_], self._range, "series", REMEDIES)
        return ahead, values

    def _errors_for_levels(self, n_steps: int, ahead: np.ndarray, levels: np.ndarray) -> Any:
        """Return errors that suffice for all levels, with the progress of computing them."""
        with Task(f"{type(self).__name__}.forecast", 2, "phases", verbose=self.verbose):
            return self._errors_ahead(n_steps, ahead, float(np.maximum(levels, 1 - levels).max()))

    def _within_limits(self, ends: list[np.ndarray], levels) -> list[np.ndarray]:
        """Return quantiles of the series, rounded for counts, in the range of forecasts."""
        limited = [self._ensemble.limit(end)[:, : self.n_features_in_] for end in ends]
        check_finite("interval", *limited)
        return [
            round_outward(end, level, self._whole)
            for end, level in zip(limited, levels, strict=True)
        ]

    def sample(self, n_steps, n_samples=100, exog=None, random_state=None) -> np.ndarray:
        """Draw sample paths of the steps that follow the rows seen so far.

        Each path runs in closed loop: the prediction of a step plus an error drawn from those of
        one-step predictions is the next input (bootstrap of residuals). The errors come from rows
        that a second model was not fitted to; for series too short for that, they are residuals of
        the fit. A path comes from one member, drawn at random.

        Parameters
        ----------
        n_steps : int >= 1
        n_samples : int >= 1, default=100
            Number of paths.
        exog : array-like of shape (>= n_steps, n_exog) or (>= n_steps,), default=None
            Inputs of the steps ahead, as in :meth:`forecast`.
        random_state : int, RandomState or None, default=None
            Seeds the draws.

        Returns
        -------
        ndarray of shape (n_samples, n_steps) or (n_samples, n_steps, n_series)
            In the units of the series, float64.

        Raises
        ------
        NotFittedError
            Before `fit`.
        TypeError
            For numbers of steps or paths that are not integers.
        ValueError
            For numbers below 1, a direct strategy, which has no closed loop, and exogenous inputs
            that are missing, too short or misnamed.
        FloatingPointError
            If a closed loop diverges, or a value is too large for float64.

        References
        ----------
        Pascual, L., Romo, J. and Ruiz, E. (2004). Bootstrap predictive inference for ARIMA
        processes. Journal of Time Series Analysis 25.

        Examples
        --------
        >>> from esnkit import Forecaster
        >>> from sklearn.linear_model import Ridge
        >>> walk = np.random.default_rng(0).normal(size=200).cumsum()
        >>> paths = Forecaster(Ridge(), lags=2).fit(walk).sample(10, 500, random_state=0)
        >>> paths.shape, bool(paths[:, 9].std() > 2 * paths[:, 0].std())
        ((500, 10), True)
        """
        check_is_fitted(self, "_ensemble")
        n_steps = self._check_steps(n_steps)
        n_samples = check_positive_int("n_samples", n_samples)
        rng = check_seed(random_state)
        ahead = self._read_future_exog(exog, n_steps)
        self._warn_of_exog(ahead)
        with Task(f"{type(self).__name__}.sample", 2, "phases", verbose=self.verbose):
            paths = self._sample(ahead, n_steps, n_samples, rng)[:, :, : self.n_features_in_]
        check_finite("sample", paths)
        return paths[:, :, 0] if self._kind.ndim == 1 else paths

    @rollback_on_error
    def update(self, new, exog=None, past_exog=None) -> Self:
        """Append observations: states advance, fitted weights stay as they are.

        An exception, also that of an interrupt, leaves the forecaster as it was before the call.

        Parameters
        ----------
        new : array-like of shape (n_new,) or (n_new, n_series)
            The rows right after those seen. The index of a pandas object must continue
            that of the series. Missing values are predicted one step ahead.
        exog : array-like of shape (n_new,) or (n_new, n_exog), default=None
            Their exogenous inputs; the last value stands for missing ones.
        past_exog : array-like of shape (n_new,) or (n_new, n_past_exog), default=None
            Their past-only inputs, if the model was fitted with any.

        Returns
        -------
        self

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            For other columns than those of the series, an index that does not continue its index,
            infinite values, and exogenous inputs that are missing, too short or misnamed.
        """
        check_is_fitted(self, "_ensemble")
        rows, table = read_series(new, "new", missing=self.missing)
        if rows.shape[1] != self.n_features_in_:
            raise ValueError(f"new must have {self.n_features_in_} columns, got {rows.shape[1]}")
        check_names(table, "new", self._kind.names, self._kind.ndim)
        inputs = self._read_new_exog(exog, len(rows))
        seen_range = range_of(np.vstack([rows, self._range]))
        rows = np.hstack([rows, self._read_past(past_exog, len(rows))])
        kind, labels = advance_labels(self._kind, table)
        self._warn_of_exog(inputs)
        self._ensemble, self._kind = self._ensemble.advance(rows, inputs), kind
        self._range = seen_range
        self._seen = [*self._seen, (rows, inputs)]
        if labels is not None:
            self._seen_labels = [*self._seen_labels, labels]
        self.n_timesteps_ += len(rows)
        return self

    def history(self, n_timesteps=None):
        """Return the last rows seen, in the kind fitted on; missing values are NaN.

        Parameters
        ----------
        n_timesteps : int >= 1, default=None
            Number of rows at most; None returns all.

        Returns
        -------
        ndarray, Series or DataFrame
        """
        check_is_fitted(self, "_ensemble")
        values = self._seen_rows()[0][:, : self.n_features_in_]
        labels = np.concatenate(self._seen_labels) if self._seen_labels else None
        if n_timesteps is not None:
            last = slice(-check_positive_int("n_timesteps", n_timesteps), None)
            values, labels = values[last], None if labels is None else labels[last]
        return rows_as(self._kind, values, labels)

    def _history_with_times(self):
        """Return `history()`, but arrays with time stamps for a series of a file or of polars."""
        known, library = self._kind.labels, self._kind.library
        if library is not None and library.name == "pandas":
            return self.history()
        rows = self._seen_rows()[0][:, : self.n_features_in_]
        rows = rows[:, 0] if self._kind.ndim == 1 else rows
        if known is None or known.kind != "times":
            return rows
        stamps = np.concatenate(self._seen_labels)
        labels = Labels(known.kind, stamps, known.style, known.style.zone)
        return LabelledSeries(rows, part_of(labels, known, 0, len(rows)))

    def _seen_inputs(self) -> tuple:
        """Return exogenous and past-only inputs of the rows seen, None where there are none."""
        rows, exog = self._seen_rows()
        parts = (
            (exog[:, : self.n_exog_], self._exog_names),
            (rows[:, self.n_features_in_ :], self._past_names),
        )
        return tuple(columns_or_none(*part) for part in parts)

    def backtest(
        self, series, horizon, n_windows=10, *, exog=None, past_exog=None, stride=None, refit=False,
        interval=None, bias_adjust=False,
    ) -> Bunch:  # fmt: skip
        """Forecast from rolling origins of a series and score against the observed values.

        A clone is fitted on the part before the first origin; at every later origin it
        is updated, or fitted anew. The last window ends where the series ends. Missing
        values after an origin have no part in the scores.

        Parameters
        ----------
        series : array-like of shape (n_timesteps,) or (n_timesteps, n_series)
        horizon : int >= 1
            Steps forecast from every origin.
        n_windows : int >= 1, default=10
            Number of origins.
        exog : array-like of shape (n_timesteps, n_exog), default=None
        past_exog : array-like of shape (n_timesteps, n_past_exog), default=None
            Past-only inputs, for a forecaster whose `fit` takes them.
        stride : int >= 1, default=None
            Rows from one origin to the next; None stands for `horizon`.
        refit : bool, default=False
            Fit anew at every origin, instead of once.
        interval : float in (0, 1), default=None
            Coverage of intervals whose ends are returned too.
        bias_adjust : bool, default=False
            Whether to forecast means, see :meth:`forecast`.

        Returns
        -------
        Bunch
            `forecasts` and `observed` of shape (n_windows, horizon) or (n_windows,
            horizon, n_series), `origins` (the number of rows known at each), `scores`
            with the keys ``"nrmse"`` (over all windows, relative to the standard
            deviation of the observed values) and ``"mase"`` (relative to the one-step
            changes before the first origin, from one observed value to the next), NaN
            where these do not vary or nothing is observed; with
            `interval` also `lower`, `upper` and ``scores["coverage"]``. `settings` has
            a dict per fit, of what its estimators have chosen: their penalties as
            ``"alpha"``, the best parameters of searches by their names; a list each.

            For a series of pandas, `forecasts`, `observed`, `lower` and `upper` are
            DataFrames whose index has the last label known, `origin`, and the label of
            the row; of polars and pyarrow, frames with these as their first columns.

        Examples
        --------
        >>> from esnkit import Forecaster
        >>> from sklearn.linear_model import Ridge
        >>> wave = np.sin(np.arange(300) / 4)
        >>> result = Forecaster(Ridge(1e-9), lags=4).backtest(wave, 20, n_windows=5)
        >>> result.forecasts.shape, result.origins, result.scores["nrmse"] < 1e-3
        ((5, 20), array([200, 220, 240, 260, 280]), True)
        """
        phases = 1 if refit is True else 2  # one fit before all windows, then the windows
        with Task(f"{type(self).__name__}.backtest", phases, "phases", verbose=self.verbose):
            return backtest(
                clone(self), series, horizon, n_windows,
                inputs={"exog": exog, "past_exog": past_exog},
                stride=stride, refit=refit,
                options={"interval": interval, "bias_adjust": bias_adjust},
            )  # fmt: skip

    def score(self, series, y=None, exog=None, past_exog=None) -> float:
        """Score forecasts of the rows after those seen: minus the NRMSE, larger is better.

        With `horizon` set, they are forecast in blocks of `horizon` steps, each from the
        rows before it; without, all from the end of the rows seen. Missing values have
        no part in the score. The forecaster does not change.

        Parameters
        ----------
        series : array-like of shape (n_steps,) or (n_steps, n_series)
            The observed values right after those seen, as in the test part of a
            `TimeSeriesSplit`.
        y, exog : array-like, default=None
            Exogenous inputs of these rows, under either name, see :meth:`fit`.
        past_exog : array-like of shape (n_steps, n_past_exog), default=None
            Their past-only inputs, if the model was fitted with any.

        Returns
        -------
        float
            Minus infinity if a forecast runs away, for which :meth:`forecast` returns a naive one:
            a search does not choose the settings that lead to it.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            For what `update` refuses, and for a series of which a column is constant.
        """
        check_is_fitted(self, "_ensemble")
        rows, table = read_series(series, "series", self, reset=False, missing=self.missing)
        # scikit-learn checks names of text only, and none of a Series
        check_names(table, "series", self._kind.names, self._kind.ndim)
        advance_labels(self._kind, table, "series")  # checks that they continue the rows seen
        low, high = range_of(rows)
        if not (high > low).all():
            raise ValueError(
                f"series must vary for its standard deviation to scale the error, got {len(rows)} "
                "row(s) of which a column is constant"
            )
        inputs = self._read_future_exog(exog_argument(series, y, exog), len(rows), exactly=True)
        self._warn_of_exog(inputs)
        n_series, rows = rows.shape[1], np.hstack([rows, self._read_past(past_exog, len(rows))])
        block = len(rows) if self._block is None else min(self._block, len(rows))
        origins = np.arange(0, len(rows), block)
        # Steps beyond the last row are cut off, so that their inputs do not matter.
        inputs = np.vstack([inputs, np.zeros((block, inputs.shape[1]))])
        with Task(f"{type(self).__name__}.score", 1, verbose=self.verbose):
            predictions = np.vstack(list(self._ensemble.roll(rows, inputs, origins, block)))
        if np.isnan(predictions).any():
            return -np.inf
        rows, predictions = rows[:, :n_series], predictions[: len(rows), :n_series]
        return -float(observed_error(nrmse, rows, predictions))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()  # type: ignore[misc]  # of BaseEstimator
        tags.input_tags.allow_nan = self.missing == "predict"
        return tags

    def _season_periods(self, values: np.ndarray) -> list[float]:
        """Return the periods of the seasons of a series (n_rows,)."""
        stamps = self._seen_labels[0] if self._seen_labels else None
        return season_periods(self._kind.labels, stamps, [values], len(values))

    def _roll_or_fall_back(self, exog: np.ndarray, n_steps: int) -> np.ndarray:
        """Forecast from the end of the rows seen; warn if a naive forecast takes the place."""
        rows, _ = self._seen_rows()
        forecasts = self._ensemble.roll(rows[:0], exog, [0], n_steps)
        runaway = np.isnan(forecasts).any(axis=(0, 1))
        if not runaway.any():
            return forecasts[0]
        lags = [min(lag, len(rows)) for lag in self._ensemble.naive_lags]
        first = lags[int(np.argmax(runaway))]
        instead = "value, repeated, stands" if first == 1 else f"{first} values, repeated, stand"
        warn(
            "the forecast runs away: it is not finite, or more than "
            f"{RUNAWAY_REACH:g} times as far from the middle of the series as any value seen; "
            f"the last {instead} in for it; use {REMEDIES}",
            RuntimeWarning,
        )
        return fall_back(forecasts, rows, [len(rows)], lags)[0]

    def _check_steps(self, n_steps) -> int:
        """Check a number of steps."""
        return check_positive_int("n_steps", n_steps)

    def _check_levels(self, interval, quantiles) -> np.ndarray | None:
        """Check interval and quantiles, and return the levels asked for."""
        asked = levels_asked(interval, quantiles)
        if asked is None:
            return None
        check_added_names(self._kind, asked.argument, asked.suffixes)
        return asked.levels

    def _errors_ahead(self, n_steps: int, ahead: np.ndarray, level: float) -> Any:
        """Return errors with `half_widths` and `quantiles` up to a level, see `StepErrors`."""
        raise NotImplementedError

    def _means(self, values: np.ndarray, ahead: np.ndarray) -> np.ndarray:
        """Return means of the values to come for a forecast (n_steps, n_series), see `smear`.

        Without a power transform it is not adjusted.
        """
        return values

    def _sample(self, ahead: np.ndarray, n_steps: int, n_samples: int, rng) -> np.ndarray:
        """Return sample paths (n_samples, n_steps, n_series)."""
        raise NotImplementedError

    @property
    def _block(self) -> int | None:
        """Number of steps that `score` forecasts at once; None stands for all."""
        return None

    def _read_future_exog(self, exog, n_steps: int, exactly: bool = False) -> np.ndarray:
        """Check the exogenous inputs of the next rows, and put the calendar beside them."""
        labels, names = self._kind.labels, self._exog_names
        inputs = read_future_exog(exog, n_steps, labels, self.n_exog_, names, exactly)
        return self._with_next_calendar(inputs)

    def _read_new_exog(self, exog, n_rows: int) -> np.ndarray:
        """Check the exogenous inputs of new rows, fill them in, and put the calendar beside."""
        labels, names = self._kind.labels, self._exog_names
        inputs = read_future_exog(exog, n_rows, labels, self.n_exog_, names, True, self.missing)
        return self._with_next_calendar(fill_forward(inputs, self._seen[-1][1][-1, : self.n_exog_]))

    def _read_past(self, past_exog, n_rows: int) -> np.ndarray:
        """Check the past-only inputs of the `n_rows` rows that follow those seen."""
        return read_future_exog(
            past_exog, n_rows, self._kind.labels, self.n_past_exog_, self._past_names, True,
            self.missing, "past_exog",
        )  # fmt: skip

    def _with_next_calendar(self, inputs: np.ndarray) -> np.ndarray:
        """Put the calendar of the rows after those seen beside their inputs."""
        labels = self._kind.labels
        if labels is None or not self._calendar[0]:
            return inputs
        return self._with_calendar(inputs, labels.after(len(inputs)))

    def _with_calendar(self, inputs: np.ndarray, labels: np.ndarray | None) -> np.ndarray:
        """Put the columns of the calendar at the labels of rows beside their inputs."""
        names, country = self._calendar
        if not names:
            return inputs
        return np.hstack([inputs, calendar_inputs(names, country, self._kind.labels, labels)])

    def _warn_of_exog(self, inputs: np.ndarray) -> None:
        """Warn of inputs of the next rows that are unlike all inputs of `fit`."""
        if not self.n_exog_:
            return
        names, n_exog = self._exog_names or range(self.n_exog_), self.n_exog_
        constants, reach = self._ensemble.exog_out_of_range(inputs)
        warn_of_exog(constants[constants < n_exog], reach[:, :n_exog], names)

    def _seen_rows(self) -> tuple[np.ndarray, np.ndarray]:
        """Return all rows seen and their exogenous inputs."""
        values, exog = zip(*self._seen, strict=True)
        return np.vstack(values), np.vstack(exog)


def warn_of_exog(constants: np.ndarray, reach: np.ndarray, names) -> None:
    """Warn of inputs of the next rows that are unlike all inputs of `fit`.

    Parameters
    ----------
    constants : ndarray of int
        Columns that did not vary in `fit`, and do now.
    reach : ndarray of shape (n_rows, n_exog)
        How far the rows are from the middle of their range in `fit`, whose ends are at 1.
    names : sequence
        Of the columns.
    """
    for column in constants:
        warn(
            f"exog column {names[column]!r} did not vary in fit and does now: as no effect of "
            "it could be learned, it has none; fit again once the series has rows with "
            "different values of it"
        )
    for column in np.flatnonzero((reach > MAX_RELATIVE_REACH).any(axis=0)):
        far = reach[:, column]
        warn(
            f"exog column {names[column]!r} leaves the range that it had in fit: in step "
            f"{int(np.argmax(far > MAX_RELATIVE_REACH)) + 1} it is more than "
            f"{MAX_RELATIVE_REACH} times as far from its middle as any value there, and at "
            f"most {far.max():.3g} times; what a model has not seen it cannot have learned"
        )


class AskedLevels(NamedTuple):
    """Levels of an interval or of quantiles."""

    argument: str  # "interval" or "quantiles"
    levels: np.ndarray
    suffixes: tuple  # of the columns that they become


def levels_asked(interval, quantiles) -> AskedLevels | None:
    """Check an interval or quantiles, of which one at most is given.

    Examples
    --------
    >>> levels_asked(None, [0.1, 0.9]).suffixes
    ('_0.1', '_0.9')
    """
    if interval is not None and quantiles is not None:
        raise ValueError(
            f"interval={interval!r} and quantiles={quantiles!r} exclude each other: ask "
            "for the quantiles of both ends"
        )
    if quantiles is not None:
        levels = check_quantiles(quantiles)
        return AskedLevels("quantiles", levels, quantile_suffixes(levels))
    if interval is None:
        return None
    interval = check_number("interval", interval, 0, 1, low_open=True, high_open=True)
    return AskedLevels("interval", np.array([interval]), INTERVAL_SUFFIXES)


def check_bias_adjust(bias_adjust, quantiles) -> None:
    """Check that means are not asked for together with quantiles."""
    if check_flag("bias_adjust", bias_adjust) and quantiles is not None:
        raise ValueError(
            f"bias_adjust=True and quantiles={quantiles!r} exclude each other: quantiles have "
            "no bias under a power transform"
        )


def ends_of(interval: float) -> tuple[float, float]:
    """Return the levels of both ends of an interval.

    Examples
    --------
    >>> ends_of(0.5)
    (0.25, 0.75)
    """
    return (1 - interval) / 2, (1 + interval) / 2


def check_quantiles(quantiles) -> np.ndarray:
    """Return levels of quantiles as an array, or raise.

    Examples
    --------
    >>> check_quantiles((0.1, 0.9))
    array([0.1, 0.9])
    """
    if isinstance(quantiles, str) or np.ndim(quantiles) != 1 or not len(quantiles):
        raise ValueError(
            "quantiles must be a sequence of levels between 0 and 1, such as [0.1, 0.5, 0.9], got "
            f"{quantiles!r}"
        )
    levels = [check_number("quantiles", q, 0, 1, low_open=True, high_open=True) for q in quantiles]
    if len(set(levels)) < len(levels):
        raise ValueError(f"quantiles must differ from each other, got {quantiles!r}")
    return np.array(levels, dtype=float)
