"""`PanelForecaster`: forecasts of many series by echo state networks that are fitted to all."""

from datetime import timedelta

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils import Bunch
from sklearn.utils.validation import check_is_fitted

from esnkit.forecasting._calendar_features import check_calendar
from esnkit.forecasting._calibration import warn_of_few
from esnkit.forecasting._candidates import default_horizon
from esnkit.forecasting._forecasts_mixin import (
    check_bias_adjust,
    ends_of,
    levels_asked,
    warn_of_exog,
)
from esnkit.forecasting._packed_series import PackedSeries, canonical_order
from esnkit.forecasting._panel import Panel, PanelReader, append_panel, read_panel
from esnkit.forecasting._panel_backtest import backtest_panel, make_origins
from esnkit.forecasting._panel_errors import PanelErrors
from esnkit.forecasting._panel_inputs import GivenInputs
from esnkit.forecasting._panel_selection import PanelSelection, error_sizes, select_for_panel
from esnkit.forecasting._positive import are_whole, check_positive, round_outward
from esnkit.forecasting._runaway import range_of, relative_reach
from esnkit.forecasting._seasonality import check_seasons, season_periods
from esnkit.forecasting._series_kind import stack_last
from esnkit.forecasting._static import read_static
from esnkit.utils._callbacks import CallbackSupportMixin, with_callbacks
from esnkit.utils._plain_state import PlainStateMixin
from esnkit.utils._progress import Task, fit_task
from esnkit.utils._rollback import rollback_on_error
from esnkit.utils._validation import (
    check_choice,
    check_flag,
    check_positive_int,
    check_seed,
    check_verbose,
)
from esnkit.utils._warnings import warn

__all__ = ["PanelForecaster"]

MIN_ROWS, MIN_LONGEST = 2, 10
MAX_ROWS = 20_000  # of a series, the last ones
MAX_VALUE = 1e140  # squares stay finite
MAX_SEASONAL_SERIES = 100  # whose autocorrelation is looked at
MAX_STEP_RATIO = 1.7  # of mean time steps: a few business days or months are not equally long


class PanelForecaster(CallbackSupportMixin, PlainStateMixin, BaseEstimator):
    """Forecast many series with echo state networks that are fitted to all of them.

    Each network has one reservoir and one readout for all series; what it learns from one serves
    the others. Every series is scaled for itself, so that their levels may differ. The candidates
    differ in their differences (none, first, seasonal, both), in the transform of the values (none,
    or where they permit it the logarithm or square root), and in their seasonal inputs: the value a
    season before the one to predict, or the sines and cosines of a time that all series share.
    Rolling forecasts of all series, or of 150 of many, judge them and choose the penalties of the
    readouts. The forecast is the median of the best few.

    Parameters
    ----------
    horizon : int, default=None
        Number of steps ahead at which candidates are judged. None stands for the first season, or
        10 steps without one, and for at most a fifth of the usual series.
    seasons : "auto", float or sequence of float, default="auto"
        Periods of the seasons in time steps. "auto" takes them from time stamps (12 for months, 24
        and 168 for hours): up to two that the usual series has at least twice. Without time stamps
        it takes the season that the autocorrelation of the most series shows, if that is a third of
        them; with time stamps too, if in half of the series it is none of the calendar and explains
        more than half of the variance, see :class:`AutoForecaster`.
    positive : "auto" or bool, default="auto"
        Whether forecasts and intervals end at zero. "auto" decides for each series: it does so for
        counts, whole numbers none of which is negative.
    calendar : {"hour", "weekday", "weekend", "day", "month", "holidays"} or sequence, default=None
        Inputs from the time stamps, which all series must have, see :class:`AutoForecaster`.
    country : str, default=None
        Country or region of the holidays, such as ``"US"`` or ``"DE-BY"``; required if `calendar`
        has ``"holidays"``, and refused otherwise.
    missing : {"predict", "raise"}, default="predict"
        What to do where series have missing values (NaN) after their first value: predict them, see
        the notes, or refuse them with a :class:`ValueError` that names the first.
    id, time, value : str, default=None
        Columns of a long frame. None finds them: the only column of text, the only one of times
        and the only one of numbers.
    random_state : int, RandomState or None, default=0
        Seeds the reservoirs and the choice of series that judge.
    verbose : int, default=0
        Whether to show the progress on standard error.

    Attributes
    ----------
    ids_ : list
        Names of the series; their numbers for arrays and lists.
    candidates_ : list of dict
        ``"differences"``, ``"power"``, ``"seasons"``, ``"lags"``, ``"past_exog"`` (whether it has
        the past-only inputs), ``"alpha"`` (penalty per row) and ``"error"`` of every candidate, the
        best first. The error is the mean absolute error of the rolling forecasts relative to the
        mean absolute change over a season, or over a step.
    members_ : list of dict
        Those whose median is the forecast, with a share of exponential smoothing.
    smoothing_share_ : float
        Share of exponential smoothing in the forecast, see the notes.
    error_ : float
        The same error of the forecast.
    baselines_ : dict
        The same error of the seasonal naive forecast, without a season of the naive one, and of
        exponential smoothing.
    seasons_ : list of float
        Periods of the seasons.
    horizon_ : int
        Number of steps of the rolling forecasts, at most a third of the usual series.
    n_features_in_ : int
        Number of series.
    n_exog_ : int
        Number of exogenous inputs of each series, without those of `calendar`.
    n_past_exog_ : int
        Number of past-only inputs of each series.
    n_timesteps_ : ndarray of shape (n_series,)
        Number of rows of every series seen by `fit` and `update`, from its first observed one.
    feature_names_in_ : ndarray of str
        Columns of the wide frame fitted on, if it was one.

    See Also
    --------
    AutoForecaster : Networks chosen for, and fitted to, each series alone.

    Notes
    -----
    A series needs two rows only: what its few rows do not tell, its scale and its drift, comes from
    the others. The members whose differences and lags need more rows than it has do not forecast
    it; if that leaves none, the best candidate that can does.

    Exponential smoothing of each series, see :func:`~esnkit.baselines.exponential_smoothing`, has a
    share of its forecast, unless it has fewer rows than all rolling forecasts knew. The shares of
    the median of the networks and of exponential smoothing are inversely proportional to the
    squares of their errors in the rolling forecasts (Bates and Granger 1969); a share of less than
    a fifth is none.

    Short series gain most. Long series that have little in common are often forecast better by
    `AutoForecaster`, each by its own networks.

    Networks are fitted to at most 100 000 rows, those of randomly chosen series.

    Exogenous inputs and those of the calendar are differenced as the series are. The mean of each
    series is subtracted from its inputs; their scales are those of all series. An input that does
    not vary in any series has no effect. Past-only inputs have a scale in each series. Where values
    are missing that past-only inputs are known beside, these lead the closed loop.

    Intervals and quantiles come from the errors of the rolling forecasts, relative to
    the mean absolute change of each series, pooled over all series and over the steps, relative to
    a size that grows with the step. Those of few series are up to half as much wider, since the
    members were chosen on the same forecasts. The forecast is the quantile of level 0.5. A constant
    series has intervals of no width, and no part in those of others.

    ``forecast(n_steps, bias_adjust=True)`` takes means in place of the medians that members with a
    logarithm or square root forecast (smearing, Duan 1983), before the median of all members: after
    the transform, the errors of the member in the rolling forecasts of all series, less their mean,
    are added to the forecast, in the scale of each series, and the inverses are averaged. Members
    without a transform forecast means by themselves. On simulated log-normal series of 200 rows the
    bias falls from -12 to 1 %; of 60 rows, whose levels are less known, from -12 to 6 %.

    Missing values are interpolated for a first choice of members. The median of their forecasts, in
    closed loop from the row before each gap, stands for the missing values in a second choice; the
    one with the smaller error is kept. Readouts learn, and errors count, observed values only, but
    where few differences are without a missing value. After a gap at the end, forecasts follow the
    last row, and intervals are as wide as so many steps after the last observed one.

    The order of the series changes no result.

    References
    ----------
    Bates, J. M. and Granger, C. W. J. (1969). The combination of forecasts. Operational Research
    Quarterly 20. (share of exponential smoothing)
    Duan, N. (1983). Smearing estimate: a nonparametric retransformation method. JASA 78.
    Montero-Manso, P. and Hyndman, R. J. (2021). Principles and algorithms for forecasting groups of
    time series: locality and globality. International Journal of Forecasting 37.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit import PanelForecaster
    >>> months = np.arange(60)
    >>> profile = 1 + 0.3 * np.sin(2 * np.pi * months / 12)
    >>> shops = {"north": 100 * profile, "south": 20 * profile[:50], "new": 50 * profile[:14]}
    >>> ahead = PanelForecaster(seasons=[12]).fit(shops).forecast(12)
    >>> bool(np.abs(ahead["south"] / (20 * (1 + 0.3 * np.sin(np.pi * np.arange(50, 62) / 6))) - 1)
    ...      .max() < 0.05)
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
        missing="predict",
        id=None,
        time=None,
        value=None,
        random_state=0,
        verbose=0,
    ):
        self.horizon = horizon
        self.seasons = seasons
        self.positive = positive
        self.calendar = calendar
        self.country = country
        self.missing = missing
        self.id = id
        self.time = time
        self.value = value
        self.random_state = random_state
        self.verbose = verbose

    @rollback_on_error
    @with_callbacks
    def fit(self, panel, y=None, exog=None, static=None, past_exog=None) -> "PanelForecaster":
        """Choose the members, and fit them to all series.

        Parameters
        ----------
        panel : list, dict, array or frame
            - a list or dict of series (arrays, lists or Series) of any lengths;
            - an array or frame of shape (n_timesteps, n_series); frames are of pandas, polars or
              pyarrow; series may start late and end early, with NaN before and after;
            - a long frame of these libraries with a row per value, and columns of ids, times and
              values, in any order of rows;
            - a Series or DataFrame of pandas whose index has the levels id and time.

            Series need at least 2 observed values, and one of them 10 rows. Times are regular, the
            same for all series, which may start and end at different ones.
        y : None
            Not used; scikit-learn's tools pass it.
        exog : list, dict, array, frame or list of str, default=None
            Inputs known in advance, the same for all series in number and meaning.

            - for a list or dict of series: a list or dict of array-likes of shape (n_timesteps,) or
              (n_timesteps, n_exog), row by row with the series;
            - for a wide table: such a dict, a table with one input per series, in columns as those
              of the series, a DataFrame whose columns have two levels, series and input, or an
              array of shape (n_timesteps, n_series, n_exog);
            - for a long frame or an index of two levels: the names of the columns of inputs.

            The last value stands for missing ones.
        static : array-like of shape (n_series, n_static), default=None
            Covariates of the series that do not change, in the order of the series; of a DataFrame,
            the index has their ids. They are standardised and become constant inputs.
        past_exog : list, dict, array, frame or list of str, default=None
            Inputs known up to the present only, such as the weather, in the forms of `exog`. Every
            candidate is tried without and with them; those with them forecast them together with
            the series. They are differenced and scaled as the series are, without their power
            transform. The last value stands for missing ones.

        Returns
        -------
        self : PanelForecaster

        Raises
        ------
        ImportError
            If `calendar` needs the package holidays, which is not installed.
        ValueError
            For parameters out of range, series that are too short, missing values with
            ``missing="raise"``, irregular or repeated times, series of different time steps,
            frames whose columns are not known, inputs that do not fit the series, and a `calendar`
            without time stamps.
        """
        given = self._read(panel, GivenInputs(exog, past_exog), static)
        with fit_task(self, (1, "panels"), {"X": panel, "y": y}, 0):
            self._fit_panel(given)
        return self

    def _read(self, panel, inputs: GivenInputs, static) -> Panel:
        """Check parameters, and read the series of `fit` with their inputs."""
        self._check_parameters()
        given = read_panel(panel, self._reader, "panel", inputs, self)
        static = read_static(static, given.ids)
        return given._replace(packed=given.packed._replace(static=static))

    def _fit_panel(self, panel: Panel) -> None:
        """Choose the members for series, and fit them to these."""
        _check_panel(panel)
        _check_steps(panel)
        self._order = canonical_order(panel.packed.tail(MAX_ROWS))
        recent = self._recent(panel.packed)
        known = recent.head(recent.lengths - recent.n_trailing)
        self.seasons_ = self._find_seasons(panel, known)
        horizon = self._find_horizon(known.lengths)
        seed = int(check_seed(self.random_state).randint(2**31 - 1))
        found = select_for_panel(known, self.seasons_, horizon, panel.has_clock, seed)
        self._store(panel._replace(stamps=None), found)
        if not recent.observed.all():
            self._continue(panel.packed)

    def _store(self, panel: Panel, found: PanelSelection) -> None:
        """Store what `fit` found."""
        self._panel, self._ensemble = panel, found.ensemble
        self._errors, self.horizon_ = found.relative_errors, found.relative_errors.shape[1]
        whole = are_whole(panel.packed.values) | ~panel.packed.observed
        self._whole = np.logical_and.reduceat(whole, panel.packed.offsets[:-1])
        self._positive = self._is_positive(panel)
        self.ids_, self.n_features_in_ = list(panel.ids), len(panel.ids)
        self.n_timesteps_ = panel.packed.lengths
        self.n_exog_, self.n_past_exog_ = panel.exog.n_exog, panel.past.n_exog
        self._exog_range = range_of(panel.packed.inputs[:, : self.n_exog_])
        self.candidates_ = [candidate.as_dict() for candidate in found.candidates]
        self.members_ = self.candidates_[: found.ensemble.n_chosen]
        self.error_ = found.error
        name = f"seasonal naive ({self._lag} steps)" if self._lag > 1 else "naive"
        self.baselines_ = {
            name: found.naive_error,
            "exponential smoothing": found.smoothing_error,
        }
        self.smoothing_share_ = found.ensemble.smoothing_share

    def forecast(self, n_steps, exog=None, interval=None, quantiles=None, *, bias_adjust=False):
        """Forecast the steps that follow each series.

        Parameters
        ----------
        n_steps : int >= 1
        exog : list, dict, array or frame, default=None
            Inputs of the steps ahead in the form of :meth:`fit`, needed if, and only if, the model
            was fitted with any. Rows beyond `n_steps` are not used. Of long frames and an index of
            two levels, a frame with ids, times and the columns of inputs.
        interval : float in (0, 1), default=None
            Coverage of the interval around every value, such as 0.9; None gives no interval. If
            all values of a series are whole numbers, its ends are rounded outward.
        quantiles : sequence of float in (0, 1), default=None
            Levels of the quantiles that are returned in place of the forecast, such as
            ``[0.1, 0.5, 0.9]``; not together with `interval`. They are rounded as the ends of
            intervals are, except those of level 0.5.
        bias_adjust : bool, default=False
            Whether to forecast the mean of the values to come, for squared errors and totals, see
            the notes; intervals stay the same. Not together with `quantiles`.

        Returns
        -------
        list, dict, array or frame
            `n_steps` rows for every series in the form fitted on. Columns NAME_lower and NAME_upper
            hold the interval; arrays become a tuple ``(forecast, lower, upper)``. Columns NAME_0.1
            and so on hold quantiles, of arrays the last axis.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            For a number of steps below 1, an interval or quantiles outside (0, 1), or with column
            names that the frame already has, `quantiles` with `bias_adjust`, and inputs that are
            missing, too short or misnamed.

        Warns
        -----
        RuntimeWarning
            If all members run away for a series: 10 times as far from the middle of its values as
            its extremes and zero. Its last value is then the forecast.
        UserWarning
            If the panel is so small that the interval has too few errors, with the coverage that
            it likely has; and for exogenous inputs unlike all those of `fit`.
        """
        check_is_fitted(self, "_ensemble")
        n_steps = check_positive_int("n_steps", n_steps)
        asked = levels_asked(interval, quantiles)
        check_bias_adjust(bias_adjust, quantiles)
        if asked is not None:
            self._panel.check_added_names(asked.argument, asked.suffixes)
        ahead = self._read_ahead(exog, n_steps)
        if asked is None or quantiles is None:
            parts = self._forecast_parts(ahead, interval, bias_adjust)
            return (
                self._panel.write(parts)
                if asked is None
                else self._panel.write(parts, asked.suffixes, tuple)
            )
        errors = self._errors_ahead(
            n_steps, float(np.maximum(asked.levels, 1 - asked.levels).max())
        )
        values = self._forecast(ahead) + errors.quantiles(asked.levels)
        ends = self._within_limits(values, asked.levels)
        return self._panel.write(ends, asked.suffixes, stack_last)

    def sample(self, n_steps, n_samples=100, exog=None, random_state=None):
        """Draw sample paths of the steps that follow each series.

        Each step of a path has the distribution of the quantiles of :meth:`forecast`. From step to
        step, a path keeps the ranks that the errors of one rolling forecast had among those of all
        (Schaake shuffle, Clark et al. 2004). Series are drawn independently of each other.

        Parameters
        ----------
        n_steps : int >= 1
        n_samples : int >= 1, default=100
            Number of paths.
        exog : list, dict, array or frame, default=None
            Inputs of the steps ahead, as in :meth:`forecast`.
        random_state : int, RandomState or None, default=None
            Seeds the draws.

        Returns
        -------
        list, dict, array or frame
            In the form fitted on. Columns NAME_1 to NAME_100 hold the paths; arrays have the shape
            (n_samples, n_steps), or (n_samples, n_steps, n_series) of a wide array.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            For numbers below 1, and inputs that are missing, too short or misnamed.

        References
        ----------
        Clark, M. et al. (2004). The Schaake shuffle: a method for reconstructing space-time
        variability in forecasted precipitation and temperature fields. Journal of Hydrometeorology
        5.
        """
        check_is_fitted(self, "_ensemble")
        n_steps = check_positive_int("n_steps", n_steps)
        n_samples = check_positive_int("n_samples", n_samples)
        rng = check_seed(random_state)
        suffixes = tuple(f"_{k}" for k in range(1, n_samples + 1))
        self._panel.check_added_names("sample", suffixes)
        values = self._forecast(self._read_ahead(exog, n_steps))
        errors = self._errors_of_series(n_steps)
        in_order = errors._replace(
            sizes=errors.sizes[self._order], n_before=errors.n_before[self._order]
        )
        paths = self._as_given(in_order.paths(n_samples, rng).swapaxes(0, 1)).swapaxes(0, 1)
        return self._panel.write(list(map(self._limit, values + paths)), suffixes, np.stack)

    def _forecast_parts(
        self, ahead: np.ndarray, interval: float | None, bias_adjust: bool
    ) -> list[np.ndarray]:
        """Return the forecast (n_series, n_steps), and the ends of an interval, if wanted."""
        values = self._forecast(ahead)
        forecast = self._means(values, ahead) if bias_adjust else values
        if interval is None:
            return [forecast]
        widths = self._errors_ahead(values.shape[1], interval).half_widths(interval)
        ends = [values - widths, values + widths]
        return [forecast, *self._within_limits(ends, ends_of(interval))]

    def _within_limits(self, ends, levels) -> list[np.ndarray]:
        """Return quantiles (n_series, n_steps), rounded for counts, in the range of forecasts."""
        whole = self._whole[:, None]
        return [
            round_outward(self._limit(end), level, whole)
            for end, level in zip(ends, levels, strict=True)
        ]

    def _errors_ahead(self, n_steps: int, level: float) -> PanelErrors:
        """Return errors for intervals of a level, with a warning if they are too few."""
        warn_of_few(int((~np.isnan(self._errors)).sum()), level)
        return self._errors_of_series(n_steps)

    def _errors_of_series(self, n_steps: int) -> PanelErrors:
        recent = self._panel.packed.tail(MAX_ROWS)
        sizes = error_sizes(recent.interpolated(), self._lag)
        return PanelErrors(self._errors, sizes, recent.n_trailing, n_steps)

    def _forecast(self, ahead: np.ndarray) -> np.ndarray:
        """Return forecasts (n_series, n_steps) with inputs (n_series, n_steps, n_inputs)."""
        packed = self._panel.packed
        values = self._as_given(self._ensemble.forecast(self._recent(packed), ahead[self._order]))
        missing = np.isnan(values).any(axis=1)
        if missing.any():
            values[missing] = packed.interpolated().values[packed.offsets[1:] - 1][missing, None]
            warn(
                f"the forecasts of {missing.sum()} series run away, such as that of "
                f"{self.ids_[int(missing.argmax())]!r}: their last values stand in their place",
                RuntimeWarning,
            )
        return self._limit(values)

    def _means(self, values: np.ndarray, ahead: np.ndarray) -> np.ndarray:
        """Return means of the values to come for a forecast (n_series, n_steps)."""
        recent = self._recent(self._panel.packed)
        means = self._ensemble.forecast(recent, ahead[self._order], bias_adjust=True)
        means = self._as_given(means)
        return self._limit(np.where(np.isnan(means), values, means))  # NaN where all run away

    def _recent(self, packed: PackedSeries) -> PackedSeries:
        """Return the last rows of each series, in the order in which networks have the series."""
        packed = packed.tail(MAX_ROWS).take(self._order)
        return packed.skip(packed.n_leading).interpolated()

    def _as_given(self, values: np.ndarray) -> np.ndarray:
        """Return values (n_series, ...) in the order in which the series were given."""
        given = np.empty_like(values)
        given[self._order] = values
        return given

    def _limit(self, values: np.ndarray) -> np.ndarray:
        """Return values (n_series, n_steps) within the range that forecasts may have."""
        return np.where(self._positive[:, None], np.maximum(values, 0.0), values)

    def _read_ahead(self, exog, n_steps: int) -> np.ndarray:
        """Check the inputs (n_series, n_steps, n_inputs) of the next rows; warn of unusual ones."""
        ahead = self._panel.inputs_ahead(exog, n_steps, self._reader.calendar)
        if self.n_exog_:
            self._warn_of_exog(ahead[:, :, : self.n_exog_])
        return ahead

    def _warn_of_exog(self, rows: np.ndarray) -> None:
        """Warn of inputs (n_series, n_steps, n_exog) that are unlike all those of `fit`."""
        low, high = self._exog_range
        constants = np.flatnonzero((low == high) & (rows != low).any(axis=(0, 1)))
        reach = relative_reach(rows, self._exog_range).max(axis=0)
        warn_of_exog(constants, reach, self._panel.exog.names or range(self.n_exog_))

    @property
    def _reader(self) -> PanelReader:
        """How panels are read."""
        return PanelReader(
            columns=(self.id, self.time, self.value),
            missing=self.missing,
            calendar=(check_calendar(self.calendar, self.country), self.country),
        )

    @property
    def _lag(self) -> int:
        """Rows from a value to the one that the naive forecast repeats."""
        return round(self.seasons_[0]) if self.seasons_ else 1

    @rollback_on_error
    def update(self, new, exog=None, past_exog=None) -> "PanelForecaster":
        """Append observations: states advance; fitted weights, scales and members stay.

        Parameters
        ----------
        new : list, dict, array or frame
            The rows right after those seen, in the form fitted on, with the same series; a long
            frame may have some of them, and has the columns of inputs. Missing values are
            predicted; to members that take logarithms, values without one are missing.
        exog : list, dict, array or frame, default=None
            Their inputs in the form of :meth:`fit`; None for long frames.
        past_exog : list, dict, array or frame, default=None
            Their past-only inputs in the form of :meth:`fit`; None for long frames.

        Returns
        -------
        self

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            For another form or other series than those of `fit`, times that do not follow those
            seen, and inputs that are missing, too short or misnamed.
        """
        check_is_fitted(self, "_ensemble")
        inputs = GivenInputs(exog, past_exog)
        panel = append_panel(self._panel, new, self._reader, "new", inputs)
        self._continue(panel.packed)
        self._panel = panel
        return self

    def _continue(self, packed: PackedSeries) -> None:
        """Advance to longer series."""
        self._ensemble = self._ensemble.advance(self._recent(packed))
        self._panel, self.n_timesteps_ = self._panel._replace(packed=packed), packed.lengths

    def backtest(
        self, panel, horizon, n_windows=10, *, exog=None, static=None, past_exog=None, stride=None,
        refit=False, interval=None, bias_adjust=False,
    ) -> Bunch:  # fmt: skip
        """Forecast from rolling origins of all series and score against the observed values.

        A clone is fitted on the rows before the first origin; at every later origin it is updated,
        or fitted anew. Origins are times that all series share, or of series without common times
        the same number of rows before their ends. The last window ends where the last series ends.
        A series with fewer than 2 observed values at the fit is not forecast. Missing values after
        an origin have no part in the scores.

        Parameters
        ----------
        panel : list, dict, array or frame
            As in :meth:`fit`.
        horizon : int >= 1
            Steps forecast from every origin.
        n_windows : int >= 1, default=10
            Number of origins.
        exog, static, past_exog : default=None
            As in :meth:`fit`.
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
            `forecasts` and `observed` of shape (n_windows, horizon, n_series), NaN where a series
            is not forecast or has no row; `origins` of shape (n_windows, n_series), the number of
            rows known of each series; `series_scores` with arrays (n_series,) under the keys
            ``"nrmse"`` and ``"mase"``, see :meth:`Forecaster.backtest`; `scores` with their means
            over the series that have one; and `table`, a row per series, origin and step, with the
            columns series (or its name in a long frame), origin, time (or step), observed and
            forecast: a frame, or a dict of columns for arrays. With `interval` also `lower`,
            `upper` and the scores ``"coverage"``.

        Raises
        ------
        ValueError
            For too few rows before the first origin, and as :meth:`fit`.

        Examples
        --------
        >>> import numpy as np
        >>> waves = np.sin(np.arange(60)[:, None] / 3 + np.arange(5))
        >>> result = PanelForecaster(seasons=()).backtest(waves, 5, n_windows=3)
        >>> result.forecasts.shape, result.series_scores["mase"].shape, result.scores["mase"] < 0.5
        ((3, 5, 5), (5,), True)
        """
        model = clone(self)
        given = model._read(panel, GivenInputs(exog, past_exog), static)
        levels_asked(interval, None)  # checks the interval
        options = {"interval": interval, "bias_adjust": check_flag("bias_adjust", bias_adjust)}
        origins = make_origins(given, horizon, n_windows, stride)
        with Task("PanelForecaster.backtest", 1, "phases", verbose=self.verbose):
            return backtest_panel(model, given, origins, refit, options, MIN_ROWS)

    def score(self, panel, y=None, exog=None, past_exog=None) -> float:
        """Score forecasts of the rows after those seen: minus their scaled error.

        Parameters
        ----------
        panel : list, dict, array or frame
            The observed values right after those seen, as for `update`.
        y : None
            Not used.
        exog : list, dict, array or frame, default=None
            Their inputs, as for `update`.
        past_exog : list, dict, array or frame, default=None
            Their past-only inputs, as for `update`.

        Returns
        -------
        float
            Minus the mean over series of the mean absolute error relative to the mean absolute
            change over a season, or a step; constant series and missing values do not count.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            For what `update` refuses.
        """
        check_is_fitted(self, "_ensemble")
        seen = self._panel.packed
        inputs = GivenInputs(exog, past_exog)
        after = append_panel(self._panel, panel, self._reader, "panel", inputs, self).packed
        new = after.skip(seen.lengths)
        rows = np.minimum(np.arange(new.lengths.max()), new.lengths[:, None] - 1)
        ahead = after.inputs[np.maximum(after.offsets[1:, None] - new.lengths[:, None] + rows, 0)]
        forecasts = self._forecast(ahead)
        errors = np.abs(new.values - forecasts[new.owners, new.positions])
        sizes = self._errors_of_series(1).sizes
        counted = (new.n_observed > 0) & (sizes > 0)
        if not counted.any():
            raise ValueError("panel must have an observed value of a series that is not constant")
        errors = new.means(errors, new.observed)
        return -float(np.mean(errors[counted] / sizes[counted]))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.missing == "predict"
        return tags

    def _check_parameters(self) -> None:
        """Check the parameters that reading and selection do not check."""
        if self.horizon is not None:
            check_positive_int("horizon", self.horizon)
        check_positive(self.positive)
        check_seasons(self.seasons)
        check_choice("missing", self.missing, ("predict", "raise"))
        check_verbose(self.verbose)

    def _find_seasons(self, panel: Panel, known: PackedSeries) -> list[float]:
        """Return the periods of the seasons that the usual series has at least twice."""
        given = check_seasons(self.seasons)
        if given is not None:
            return given
        labels = stamps = None
        if panel.stamps is not None:
            longest = int(panel.packed.lengths.argmax())
            labels, stamps = panel.row_labels[longest], panel.stamps[longest]
        some = np.linspace(0, known.n_series - 1, min(known.n_series, MAX_SEASONAL_SERIES))
        part = known.take(some.astype(int))
        series = np.split(part.values, part.offsets[1:-1])
        return season_periods(labels, stamps, series, float(np.median(panel.packed.lengths)))

    def _find_horizon(self, lengths: np.ndarray) -> int:
        if self.horizon is not None:
            return int(self.horizon)
        return default_horizon(int(np.median(lengths)), self.seasons_)

    def _is_positive(self, panel: Panel) -> np.ndarray:
        """Tell of which series the forecasts end at zero."""
        values, offsets = panel.packed.interpolated().values, panel.packed.offsets[:-1]
        least = np.minimum.reduceat(values, offsets)
        if isinstance(self.positive, str):
            return (least >= 0) & self._whole
        if self.positive and (least < 0).any():
            i = int(np.argmin(least))
            raise ValueError(
                f"positive=True needs series without negative values, got {least[i]} in "
                f"{panel.ids[i]!r}"
            )
        return np.full(len(least), self.positive)


def _check_steps(panel: Panel) -> None:
    """Raise if the time from one row to the next differs between series."""
    steps = panel.mean_steps
    if steps is None:
        return
    longest = int(panel.packed.lengths.argmax())
    ratios = steps / steps[longest]
    for other in np.flatnonzero(np.maximum(ratios, 1 / ratios) >= MAX_STEP_RATIO):
        # Two rows of business days may be those of a weekend.
        means = panel.means_of_steps(longest, panel.packed.lengths[other] - 1)
        if means.min() / MAX_STEP_RATIO < steps[other] < means.max() * MAX_STEP_RATIO:
            continue
        of_longest, of_other = (timedelta(seconds=steps[k]) for k in (longest, other))
        raise ValueError(
            f"panel must have series of one time step, got {of_longest} in {panel.ids[longest]!r} "
            f"and {of_other} in {panel.ids[other]!r}: forecast those of each step separately"
        )


def _check_panel(panel: Panel) -> None:
    lengths, values = panel.packed.lengths, panel.packed.interpolated().values
    n_observed = panel.packed.tail(MAX_ROWS).n_observed
    if n_observed.min() < MIN_ROWS:
        raise ValueError(
            f"panel must have at least {MIN_ROWS} rows of every series, got n_samples="
            f"{n_observed.min()} of {panel.ids[int(n_observed.argmin())]!r}; leave it out"
        )
    if lengths.max() < MIN_LONGEST:
        raise ValueError(
            f"panel must have a series of at least {MIN_LONGEST} rows, got n_samples="
            f"{lengths.max()} of the longest, {panel.ids[int(lengths.argmax())]!r}"
        )
    largest = {"panel": np.abs(values), "past_exog": np.abs(panel.packed.past).max(1, initial=0.0)}
    for name, sizes in largest.items():
        if sizes.max() > MAX_VALUE:
            owner = panel.packed.owners[int(sizes.argmax())]
            raise ValueError(
                f"{name} must have values up to {MAX_VALUE:g}, got {sizes.max():g} in "
                f"{panel.ids[owner]!r}: scale it"
            )
