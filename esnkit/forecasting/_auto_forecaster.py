"""`AutoForecaster`: the median of the best few echo state networks of many, chosen for a series."""

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import Bunch
from sklearn.utils.validation import check_is_fitted

from esnkit.forecasting._adaptive_errors import adaptive_errors
from esnkit.forecasting._blended_errors import BlendedErrors, naive_sizes
from esnkit.forecasting._calibration import IntervalCalibrator, warn_of_few
from esnkit.forecasting._candidates import MAX_ROWS, Search, default_horizon, largest_horizon
from esnkit.forecasting._combination import (
    SeparateSeries,
    columns_of_series,
    known_to,
    of_series,
)
from esnkit.forecasting._decomposition import decompose
from esnkit.forecasting._differencing import count_lost
from esnkit.forecasting._forecasts_mixin import ForecastsMixin
from esnkit.forecasting._missing import interpolate
from esnkit.forecasting._pooled_errors import BASELINE_FACTOR, PooledErrors, SeparateErrors
from esnkit.forecasting._positive import check_positive, is_positive
from esnkit.forecasting._seasonality import check_seasons
from esnkit.forecasting._selection import Selection, select, use_better_baseline
from esnkit.forecasting._settings import check_settings
from esnkit.forecasting._statistical_models import check_models
from esnkit.utils._callbacks import CallbackSupportMixin, with_callbacks
from esnkit.utils._plain_state import PlainStateMixin
from esnkit.utils._progress import count_step, fit_task
from esnkit.utils._rollback import rollback_on_error
from esnkit.utils._validation import (
    check_choice,
    check_column,
    check_flag,
    check_positive_int,
    check_seed,
    check_verbose,
)
from esnkit.utils._warnings import BetterBaselineWarning, warn

__all__ = ["AutoForecaster"]

MIN_ROWS = 10
MAX_VALUE = 1e300  # sums of errors stay finite
N_PATHS = 300  # of the intervals
CALIBRATION = 0.3  # share of the rows whose one-step errors make sample paths


class AutoForecaster(ForecastsMixin, CallbackSupportMixin, PlainStateMixin, BaseEstimator):
    """Forecast a series with the median of the best few of many echo state networks.

    The candidates differ in their differences (none, first, seasonal, both; of a long series also
    from the means of the last few seasons), in the transform of the values (none, or where they
    permit it the logarithm or square root), in the sines and cosines with the periods of the
    seasons that they have as inputs, in leak rates, and in the penalty of the readout. Forecasts
    from rolling origins in the recent part of the series judge them. The best twelve that differ in
    more than leak rates and penalty are fitted to all rows, without those that are clearly worse:
    by 27 % of the least error where eight origins have no rows in common, by more where there are
    fewer. Several series have separate networks.

    Parameters
    ----------
    horizon : int, default=None
        Number of steps ahead at which candidates are judged. None stands for the first season,
        or 10 steps without one, and for at most a fifth of the series.
    seasons : "auto", float or sequence of float, default="auto"
        Periods of the seasons in time steps. "auto" takes them from time stamps (12 for months, 24
        and 168 for hours), and from the autocorrelation of a series without time stamps, or where
        it shows a season that is none of the calendar and explains more than half of the variance:
        the two shortest that the series has at least twice.
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
    settings : dict or None, default=None
        What all candidates have in common: ``"differences"`` as for :class:`Forecaster`, and
        parameters of :class:`ESNRegressor`: ``"n_units"``, ``"spectral_radius"``, ``"leak_rate"``,
        ``"input_scaling"``, ``"bias_scaling"``, ``"topology"``, ``"degree"``, ``"weights"``,
        ``"topology_params"``, ``"input_weights"``, ``"input_density"``, ``"activation"``,
        ``"update"``, ``"update_params"`` and ``"alpha"``. The rest is chosen for the series.
    missing : {"predict", "raise"}, default="predict"
        What to do where the series has missing values (NaN): predict them, see the notes, or
        refuse them with a :class:`ValueError` that names the first.
    quick : bool, default=False
        Whether to try half as many candidates, of up to 50 units and not 100, and no larger ones
        for series without noise. This takes less than half of the time, and makes forecasts of
        short noisy series about one percent worse.
    models : "esn" or tuple of str, default="esn"
        ``("esn", "ets", "theta")`` adds exponential smoothing (AutoETS) and the dynamic optimised
        theta model to the networks, ``"arima"`` AutoARIMA; they need ``pip install
        'esnkit[statsforecast]'``. Each is a member beside the networks, unless it is clearly worse.
        They know the first whole season only, and no exogenous inputs.
    intervals : {"pooled", "adaptive"}, default="pooled"
        Pooled: see the notes. Adaptive: errors on rows held out count by the similarity of the
        states of all networks at their origins to the present ones, where that gives better
        quantiles of the errors known; intervals are then narrow where the series is calm. Elsewhere
        they are pooled.
    best : bool, default=False
        Whether a baseline that is better than the networks, see `better_baseline_`, forecasts in
        their place.
    random_state : int, RandomState or None, default=0
        Seeds the reservoirs.
    verbose : int, default=0
        Whether to show the progress on standard error.

    Attributes
    ----------
    estimators_ : list of ESNRegressor
        The fitted network of every entry of `members_`. Of several series, this attribute and
        those up to `seasons_` are lists with an entry per series.
    candidates_ : list of dict
        ``"differences"``, ``"power"``, ``"seasons"``, ``"leak_rate"``, ``"past_exog"`` (whether it
        has the past-only inputs), ``"alpha"`` and ``"error"`` of every candidate, the best first.
        The error is the mean absolute error of the rolling forecasts, in which recent ones weigh
        more.
    members_ : list of dict
        Those whose median, with the forecasts of other `models`, is the forecast.
    smoothing_share_ : float
        Share of exponential smoothing in the forecast, see
        :func:`~esnkit.baselines.exponential_smoothing` [7]_. It is a logistic function of the gain
        of the median in the rolling forecasts, of which those that overlap count as fewer. A gain
        is the difference between both errors over their sum. The share is one half without a gain,
        and none from three standard errors on.
    error_ : float
        The same error of the forecast.
    baselines_ : dict
        The same error of simple forecasts: naive, seasonal naive for every season, drift, mean,
        exponential smoothing, context parrot, autoregressive by AIC and ridge with lags, see
        :mod:`esnkit.baselines`. All are fitted anew before every origin, without the inputs of
        `calendar` and without past-only inputs. Beside them the errors of other `models`, which
        are fitted before the first one.
    better_baseline_ : str or None
        The baseline with the smallest error, if that is smaller than the error of the median by
        more than the noise of the comparison: a one-sided t-test of the logarithms of the ratios
        between the errors of the rolling forecasts (Diebold and Mariano 1995), at the level 0.025.
        `fit` warns of it.
    seasons_ : list of float
        Periods of the seasons.
    horizon_ : int
        Number of steps of the rolling forecasts, at most a third of the rows.
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
    A series with next to no noise, such as one of a chaotic system, shows by single steps that a
    network predicts with less than an eighth of the error of the naive forecast. From 200 rows on
    it has networks of up to 500 units, with penalties down to 1e-12, which recycle validation
    chooses [3]_. The forecast is then the median of the best one with three seeds, and stays near
    the range of the series.

    The networks of a series of 1000 rows or more with two seasons of 24 rows or more, such as the
    days and weeks of hours or shorter steps, have slow units unless quick: leak rates from 0.1 to
    1, or from the inverse of the shorter season to 1.

    Of a series of more than 20 000 rows, the last 20 000 judge the candidates and train members.

    Half-widths of intervals are geometric means of three: of normal errors of the mean absolute
    size that those of the rolling forecasts have, a size that grows with the step; from the spread
    of 300 sample paths; and of 0.72 times the errors of the seasonal naive forecast all over the
    series, unless that has next to no noise. They are wider by the ratio of the quantiles of
    Student's t-distribution and of the normal one, since the size comes from a few windows: with as
    many degrees of freedom, and three more, as windows fit side by side in the rolling forecasts.
    So are the distances of quantiles from the forecast, which is the quantile of level 0.5.

    ``forecast(n_steps, bias_adjust=True)`` takes means in place of the medians that members with a
    logarithm or square root forecast, as that of a :class:`Forecaster` [6]_, before the median of
    all members. Members without one forecast means by themselves.

    Adaptive intervals and quantiles take the errors of networks fitted to the first 70 % of the
    rows, from rolling origins in the others, with weights from a softmax of the cosine similarity
    of states over a temperature [5]_. The state is that of all networks together. The temperature
    is the one that gives the best quantiles of the known errors. Other `models` have no part in
    these errors.

    A series with missing values is interpolated for a first choice of members. The median of their
    one-step predictions then stands for the missing values in a second choice; the one with the
    smaller error is kept. Readouts learn, and errors count, observed values only; the row before an
    origin of the rolling forecasts is observed, so that no interpolation brings later values to
    it. The members are fitted to the series with its missing values as a :class:`Forecaster` is.
    Baselines forecast the same filled series. Series with missing values do not get the larger
    networks for series without noise.

    References
    ----------
    .. [1] Box, G. E. P. and Cox, D. R. (1964). An analysis of transformations. JRSS B 26.
    .. [2] Petropoulos, F. and Svetunkov, I. (2020). A simple combination of univariate models.
       International Journal of Forecasting 36. (the median of forecasts)
    .. [3] Racca, A. and Magri, L. (2021). Robust optimization and validation of echo state
       networks for learning chaotic dynamics. Neural Networks 142.
    .. [4] Diebold, F. X. and Mariano, R. S. (1995). Comparing predictive accuracy. Journal of
       Business and Economic Statistics 13. (better baselines)
    .. [5] Neglia, R. et al. (2025). ResCP: reservoir conformal prediction for time series
       forecasting. arXiv 2510.05060. (adaptive intervals)
    .. [6] Duan, N. (1983). Smearing estimate: a nonparametric retransformation method. JASA 78.
    .. [7] Hyndman, R. J., Koehler, A. B., Ord, J. K. and Snyder, R. D. (2008). Forecasting with
       Exponential Smoothing: The State Space Approach.

    Examples
    --------
    >>> from esnkit import AutoForecaster
    >>> months = np.arange(96)
    >>> sales = 100 + months + 30 * np.sin(2 * np.pi * months / 12)
    >>> model = AutoForecaster(horizon=12, seasons=[12]).fit(sales[:84])
    >>> bool(np.abs(model.forecast(12) - sales[84:]).max() < 1)
    True
    """

    def __init__(
        self,
        *,
        horizon=None,
        seasons="auto",
        positive="auto",
        calendar=None,
        country=None,
        settings=None,
        missing="predict",
        quick=False,
        models="esn",
        intervals="pooled",
        best=False,
        random_state=0,
        verbose=0,
    ):
        self.horizon = horizon
        self.seasons = seasons
        self.positive = positive
        self.calendar = calendar
        self.country = country
        self.settings = settings
        self.missing = missing
        self.quick = quick
        self.models = models
        self.intervals = intervals
        self.best = best
        self.random_state = random_state
        self.verbose = verbose

    @rollback_on_error
    @with_callbacks
    def fit(self, series, y=None, exog=None, past_exog=None) -> "AutoForecaster":
        """Choose the members for a series, and fit them to it.

        Parameters
        ----------
        series : array-like of shape (n_timesteps,) or (n_timesteps, n_series)
            An array, list, Series or DataFrame with at least 10 observed values a series,
            whose index, if it has one, is regular. NaN, None, NA and masked values are missing.
        y : array-like, default=None
            Exogenous inputs under the name by which scikit-learn's tools pass a second array.
        exog : array-like of shape (n_timesteps,) or (n_timesteps, n_exog), default=None
            Inputs known in advance, row by row with the series. The last value stands for
            missing ones.
        past_exog : array-like of shape (n_timesteps,) or (n_timesteps, n_past_exog), default=None
            Inputs known up to the present only, such as the weather. Every candidate is tried
            without and with them; those with them forecast them together with the series. They are
            differenced and scaled as the series is, without its power transform. Missing values
            are predicted.

        Returns
        -------
        self : AutoForecaster

        Raises
        ------
        ImportError
            If `models` needs statsforecast, or `calendar` the package holidays, which is not
            installed.
        ValueError
            For parameters out of range, a series that is too short or infinite, missing
            values with ``missing="raise"``, an irregular index, exogenous inputs that do
            not fit the series, or a `calendar` without time stamps.

        Warns
        -----
        BetterBaselineWarning
            If a baseline is better than the networks, unless it forecasts in their place.
        """
        seed, settings = self._check_parameters(), check_settings(self.settings)
        rows, inputs = self._read(series, y, exog, past_exog)
        n_series = self.n_features_in_
        n_lost = count_lost(settings.get("differences", ()))
        rows, inputs = rows[-MAX_ROWS - n_lost :], inputs[-MAX_ROWS - n_lost :]
        _check_series(rows, n_series, n_lost)
        seasons = [self._find_seasons(values) for values in interpolate(rows[:, :n_series]).T]
        self.horizon_ = min(
            self._find_horizon(len(rows), seasons), largest_horizon(len(rows), n_lost)
        )
        search = Search(
            self.horizon_,
            seed=seed,
            quick=self.quick,
            n_exog=self.n_exog_,
            settings=settings,
            models=self._check_models(),
            n_past=self.n_past_exog_,
        )
        columns = columns_of_series(rows, n_series)
        with fit_task(self, (n_series, "series"), {"X": series, "y": y}, 0):
            selections = []
            for values, periods in zip(columns, seasons, strict=True):
                own = search._replace(positive=is_positive(self.positive, values[:, 0]))
                selections.append(select(values, inputs, periods, own))
                count_step()
        selections = self._compare_with_baselines(selections, columns, inputs)
        self._ensemble = SeparateSeries([selection.combination for selection in selections])
        self._errors = [selection.errors for selection in selections]
        self._n_windows = [selection.n_windows for selection in selections]
        self._adaptive = self.intervals == "adaptive"
        self._n_skipped = self.n_timesteps_ - len(rows)
        self._calibrators = [
            [IntervalCalibrator(spec, len(rows), CALIBRATION) for spec in selection.specs]
            for selection in selections
        ]
        self._store(seasons_=seasons)
        for name in (
            "candidates",
            "members",
            "smoothing_share",
            "error",
            "baselines",
            "better_baseline",
        ):
            self._store(**{f"{name}_": [getattr(selection, name) for selection in selections]})
        return self

    def _compare_with_baselines(self, selections: list, columns: list, inputs) -> list[Selection]:
        """Let better baselines forecast, or warn of them."""
        if self.best:
            return [
                use_better_baseline(selection, values, inputs)
                for selection, values in zip(selections, columns, strict=True)
            ]
        for j, selection in enumerate(selections):
            _warn_of_better_baseline(selection, j if len(selections) > 1 else None)
        return selections

    def _store(self, **attributes: list) -> None:
        """Store attributes with an entry per series, of a single series the entry itself."""
        for name, entries in attributes.items():
            setattr(self, name, of_series(entries))

    def _check_parameters(self) -> int:
        """Check the parameters; return a seed."""
        if self.horizon is not None:
            check_positive_int("horizon", self.horizon)
        check_positive(self.positive)
        check_flag("quick", self.quick)
        check_seasons(self.seasons)
        check_flag("best", self.best)
        check_choice("intervals", self.intervals, ("pooled", "adaptive"))
        check_verbose(self.verbose)
        return int(check_seed(self.random_state).randint(2**31 - 1))

    def _check_models(self) -> tuple[str, ...]:
        """Return the models beside the networks."""
        models = check_models(self.models)
        if models and (self.n_exog_ or self.n_past_exog_):
            raise ValueError(
                f"models={self.models!r} has no use for exogenous or past-only inputs, which only "
                "networks have: use models='esn'"
            )
        return models

    def _find_seasons(self, values: np.ndarray) -> list[float]:
        """Return the periods given, or those that the series has at least twice."""
        given = check_seasons(self.seasons)
        return self._season_periods(values) if given is None else given

    def _find_horizon(self, n_rows: int, seasons: list[list[float]]) -> int:
        if self.horizon is not None:
            return int(self.horizon)
        firsts = [periods[0] for periods in seasons if periods]
        return default_horizon(n_rows, [max(firsts)] if firsts else [])

    def decompose(self, column=0) -> Bunch:
        """Fit the season terms that networks have as inputs to the rows seen, by least squares.

        Parameters
        ----------
        column : int, default=0
            Which of several series.

        Returns
        -------
        Bunch
            `seasonal` of shape (n_timesteps, n_seasons), a column of mean zero per season; `rest`
            of shape (n_timesteps,), the series without them; and `periods`, those of the seasons.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If there is no such column.

        Examples
        --------
        >>> season = np.tile([0.0, 2.0, 1.0, -3.0], 12)
        >>> model = AutoForecaster(seasons=[4]).fit(season + np.arange(48))
        >>> model.decompose().seasonal[:4, 0].round(6) + 0.0
        array([ 0.,  2.,  1., -3.])
        """
        check_is_fitted(self, "_ensemble")
        column = check_column(column, self.n_features_in_)
        periods = self._seasons_of(column)
        seasonal, rest = decompose(self._seen_rows()[0][:, column], periods)
        return Bunch(seasonal=seasonal, rest=rest, periods=list(periods))

    def _seasons_of(self, column: int) -> list[float]:
        return self.seasons_[column] if self.n_features_in_ > 1 else self.seasons_

    @property
    def estimators_(self) -> list:
        """Fitted networks, one per member; of several series, a list of them per series."""
        check_is_fitted(self, "_ensemble")
        return of_series([combination.estimators for combination in self._ensemble.parts])

    def _errors_ahead(self, n_steps: int, ahead: np.ndarray, level: float) -> SeparateErrors:
        found = self._adaptive_errors(n_steps, ahead, level)
        of_steps = self._step_errors() if None in found else []
        return SeparateErrors(
            [
                self._errors_of(j, of_steps[j], ahead, n_steps, level) if errors is None else errors
                for j, errors in enumerate(found)
            ]
        )

    def _adaptive_errors(self, n_steps: int, ahead: np.ndarray, level: float) -> list:
        """Return adaptive errors of each series, None for those with pooled ones."""
        if not self._adaptive:
            return [None] * self.n_features_in_
        if not all(self._calibrators):
            raise ValueError(
                "intervals='adaptive' needs networks, but best=True has let a baseline forecast: "
                "use intervals='pooled', or best=False"
            )
        columns, exog = self._columns_and_exog()
        return [
            adaptive_errors(part, calibrators, values, exog, ahead, n_steps, level)
            for part, calibrators, values in zip(
                self._ensemble.parts, self._calibrators, columns, strict=True
            )
        ]

    def _columns_and_exog(self) -> tuple[list[np.ndarray], np.ndarray]:
        """Return the rows that networks are fitted to and those since, by series, and inputs."""
        rows, exog = (rows[self._n_skipped :] for rows in self._seen_rows())
        return columns_of_series(rows, self.n_features_in_), exog

    def _errors_of(self, column: int, of_steps: list, ahead, n_steps: int, level: float):
        """Return errors of one series for intervals, see `_errors_ahead`."""
        pooled = PooledErrors(self._errors[column][:, :, None], n_steps, BASELINE_FACTOR)
        part = self._ensemble.parts[column]
        if not of_steps or part.runs_away(ahead, n_steps):  # a baseline forecasts, without paths
            warn_of_few(int((~np.isnan(pooled.errors)).sum()), level)
            return pooled
        seed = np.random.RandomState(0)  # a forecast repeated is the same
        paths = part.sample(of_steps, ahead, n_steps, N_PATHS, seed)
        blended = BlendedErrors(pooled.sizes(), paths, self._n_windows[column])
        if np.isfinite(part.high):  # of a series without noise
            return blended
        values = self._columns_and_exog()[0][column][:, 0]
        periods = [round(period) for period in self._seasons_of(column)]
        return blended._replace(naive=naive_sizes(values, periods, n_steps))

    def _means(self, values: np.ndarray, ahead: np.ndarray) -> np.ndarray:
        columns, exog = self._columns_and_exog()
        by_series = [
            part.means(calibrators, rows, exog, ahead, len(values))
            for part, calibrators, rows in zip(
                self._ensemble.parts, self._calibrators, columns, strict=True
            )
        ]
        means = np.hstack(by_series)
        return np.where(np.isnan(means), values, means)  # NaN where all members run away

    def _sample(self, ahead: np.ndarray, n_steps: int, n_samples: int, rng) -> np.ndarray:
        errors = self._step_errors()
        if not all(errors):
            raise ValueError(
                "sample needs networks, but best=True has let a baseline forecast: use best=False, "
                "or forecast(quantiles=...)"
            )
        return self._ensemble.sample(errors, ahead, n_steps, n_samples, rng)

    def _step_errors(self) -> list[list[np.ndarray]]:
        """Return the one-step errors of every member of every series."""
        columns, exog = self._columns_and_exog()
        return [
            [
                calibrator.step_errors(member, known_to(member, values), exog)
                for member, calibrator in zip(part.members, calibrators, strict=False)
            ]
            for part, calibrators, values in zip(
                self._ensemble.parts, self._calibrators, columns, strict=True
            )
        ]


def _warn_of_better_baseline(selection: Selection, column: int | None) -> None:
    """Warn of a baseline that is better than the networks."""
    name = selection.better_baseline
    if name is not None:
        which = "" if column is None else f" of series {column}"
        warn(
            f"the baseline {name!r} forecasts better than the networks{which}: in the rolling "
            f"forecasts its mean error is {selection.baselines[name]:.3g}, theirs "
            f"{selection.error:.3g}, and the difference is larger than its noise; with best=True "
            "(--best) this baseline forecasts",
            BetterBaselineWarning,
        )


def _check_series(rows: np.ndarray, n_series: int, n_lost: int) -> None:
    n_observed = (~np.isnan(rows[:, :n_series])).sum(axis=0).min()
    if n_observed < MIN_ROWS + n_lost:
        given = " and these differences" if n_lost else ""
        raise ValueError(
            f"series has n_samples={n_observed} time steps, the choice of members needs at least "
            f"{MIN_ROWS + n_lost} with observed values{given}"
        )
    for name, part in {"series": rows[:, :n_series], "past_exog": rows[:, n_series:]}.items():
        largest = np.fmax.reduce(np.abs(part), axis=None, initial=0.0)
        if largest > MAX_VALUE:
            raise ValueError(
                f"{name} must have values up to {MAX_VALUE:g}, got {largest:g}: scale it"
            )
