"""`PanelForecaster`: forecasts of many series by echo state networks that are fitted to all."""

from collections import Counter

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from esnkit.forecasting._calibration import warn_of_few
from esnkit.forecasting._candidates import default_horizon
from esnkit.forecasting._forecasts_mixin import MAX_RELATIVE_REACH, MAX_SEASONS
from esnkit.forecasting._packed_series import PackedSeries
from esnkit.forecasting._panel import Panel, append_panel, read_panel
from esnkit.forecasting._panel_selection import (
    PanelMember,
    PanelSelection,
    error_sizes,
    select_for_panel,
)
from esnkit.forecasting._pooled_errors import PooledErrors
from esnkit.forecasting._positive import check_positive
from esnkit.forecasting._seasonality import calendar_seasons, check_seasons, find_seasons
from esnkit.forecasting._static import read_static
from esnkit.utils._callbacks import CallbackSupportMixin, with_callbacks
from esnkit.utils._plain_state import PlainStateMixin
from esnkit.utils._progress import fit_task
from esnkit.utils._rollback import rollback_on_error
from esnkit.utils._validation import (
    check_number,
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
    seasons : "auto" or sequence of float, default="auto"
        Periods of the seasons in time steps. "auto" takes them from time stamps (12 for months, 24
        and 168 for hours), and where there are none the one that the autocorrelation of the most
        series shows: up to two that the usual series has at least twice.
    positive : "auto" or bool, default="auto"
        Whether forecasts and intervals end at zero. "auto" decides for each series: it does so for
        counts, whole numbers none of which is negative.
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
        ``"differences"``, ``"power"``, ``"seasons"``, ``"lags"``, ``"alpha"`` (penalty per row) and
        ``"error"`` of every candidate, the best first. The error is the mean absolute error of the
        rolling forecasts relative to the mean absolute change over a season, or over a step.
    members_ : list of dict
        Those whose median is the forecast.
    error_ : float
        The same error of this median.
    baselines_ : dict
        The same error of the seasonal naive forecast, without a season of the naive one.
    seasons_ : list of float
        Periods of the seasons.
    horizon_ : int
        Number of steps of the rolling forecasts, at most a third of the usual series.
    n_features_in_ : int
        Number of series.
    n_timesteps_ : ndarray of shape (n_series,)
        Number of rows of every series seen by `fit` and `update`.
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

    Short series gain most. Long series that have little in common are often forecast better by
    `AutoForecaster`, each by its own networks.

    Networks are fitted to at most 100 000 rows, those of randomly chosen series.

    Intervals come from the errors of the median in the rolling forecasts, relative to the mean
    absolute change of each series, pooled over all series and over the steps, relative to a size
    that grows with the step. Those of few series are up to half as much wider, since the members
    were chosen on the same forecasts.

    References
    ----------
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
        id=None,
        time=None,
        value=None,
        random_state=0,
        verbose=0,
    ):
        self.horizon = horizon
        self.seasons = seasons
        self.positive = positive
        self.id = id
        self.time = time
        self.value = value
        self.random_state = random_state
        self.verbose = verbose

    @rollback_on_error
    @with_callbacks
    def fit(self, panel, y=None, static=None) -> "PanelForecaster":
        """Choose the members, and fit them to all series.

        Parameters
        ----------
        panel : list, dict, array or frame
            - a list or dict of series (arrays, lists or Series) of any lengths;
            - an array or frame of shape (n_timesteps, n_series); in a frame, of pandas, polars or
              pyarrow, a series may start late, with NaN before its first value;
            - a long frame of these libraries with a row per value, and columns of ids, times and
              values, in any order of rows;
            - a Series or DataFrame of pandas whose index has the levels id and time.

            Series need at least 2 rows, one of them 10, and no missing values after their first.
            Times are regular, the same for all series, which may start and end at different ones.
        y : None
            Not used; scikit-learn's tools pass it.
        static : array-like of shape (n_series, n_static), default=None
            Covariates of the series that do not change, in the order of the series; of a DataFrame,
            the index has their ids. They are standardised and become constant inputs.

        Returns
        -------
        self : PanelForecaster

        Raises
        ------
        ValueError
            For parameters out of range, series that are too short, missing values, irregular or
            repeated times, and frames whose columns are not known.
        """
        seed = self._check_parameters()
        given = read_panel(panel, self._columns, "panel", self)
        _check_panel(given)
        static = read_static(static, given.ids)
        packed = given.packed._replace(static=static)
        given = given._replace(packed=packed)
        recent = packed.tail(MAX_ROWS)
        self.seasons_ = self._find_seasons(given)
        horizon = self._find_horizon(recent.lengths)
        with fit_task(self, (1, "panels"), {"X": panel, "y": y}, 0):
            found = select_for_panel(recent, self.seasons_, horizon, given.has_clock, seed)
        self._store(given, found)
        return self

    def _store(self, panel: Panel, found: PanelSelection) -> None:
        """Store what `fit` found."""
        self._panel, self._members, self._n_chosen = panel, found.members, found.n_chosen
        self._errors, self.horizon_ = found.relative_errors, found.relative_errors.shape[1]
        self._positive = self._is_positive(panel)
        self.ids_, self.n_features_in_ = list(panel.ids), len(panel.ids)
        self.n_timesteps_ = panel.packed.lengths
        self.candidates_ = [candidate.as_dict() for candidate in found.candidates]
        self.members_ = self.candidates_[: found.n_chosen]
        self.error_ = found.error
        name = f"seasonal naive ({self._lag} steps)" if self._lag > 1 else "naive"
        self.baselines_ = {name: found.naive_error}

    def forecast(self, n_steps, interval=None):
        """Forecast the steps that follow each series.

        Parameters
        ----------
        n_steps : int >= 1
        interval : float in (0, 1), default=None
            Coverage of the interval around every value, such as 0.9; None gives no interval.

        Returns
        -------
        list, dict, array or frame
            `n_steps` rows for every series in the form fitted on. Columns NAME_lower and NAME_upper
            hold the interval; arrays become a tuple ``(forecast, lower, upper)``.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            For a number of steps below 1, an interval outside (0, 1), or column names of the
            interval that the frame already has.

        Warns
        -----
        RuntimeWarning
            If all members run away for a series: 10 times as far from the middle of its values as
            its extremes and zero. Its last value is then the forecast.
        UserWarning
            If the panel is so small that the interval has too few errors, with the coverage that
            it likely has.
        """
        check_is_fitted(self, "_members")
        n_steps = check_positive_int("n_steps", n_steps)
        if interval is not None:
            interval = check_number("interval", interval, 0, 1, low_open=True, high_open=True)
            self._panel.check_interval_names()
        values = self._forecast(n_steps)
        if interval is None:
            return self._panel.write(values)
        sizes = error_sizes(self._panel.packed.tail(MAX_ROWS), self._lag)
        widths = sizes[:, None] * self._relative_half_widths(n_steps, interval)
        return self._panel.write(
            values, (self._limit(values - widths), self._limit(values + widths))
        )

    def _relative_half_widths(self, n_steps: int, level: float) -> np.ndarray:
        """Return half-widths (n_steps,) of intervals, relative to the sizes of the series."""
        warn_of_few(self._errors.size, level)
        return PooledErrors(self._errors[:, :, None], n_steps).half_widths(level)[:, 0]

    def _forecast(self, n_steps: int) -> np.ndarray:
        """Return forecasts (n_series, n_steps): medians, and of short series the next member's."""
        missing = np.ones(len(self.ids_), dtype=bool)
        chosen = [
            self._bounded(member, n_steps, missing) for member in self._members[: self._n_chosen]
        ]
        missing = np.array(np.isnan(chosen).all(axis=(0, 2)))
        values = np.empty((len(missing), n_steps))
        values[~missing] = np.nanmedian(np.array(chosen)[:, ~missing], axis=0)
        for member in self._members[self._n_chosen :]:
            values[missing] = self._bounded(member, n_steps, missing)[missing]
            missing = missing & np.isnan(values).any(axis=1)
        if missing.any():
            packed = self._panel.packed
            values[missing] = packed.values[packed.offsets[1:] - 1][missing, None]
            warn(
                f"the forecasts of {missing.sum()} series run away, such as that of "
                f"{self.ids_[int(missing.argmax())]!r}: their last values stand in their place",
                RuntimeWarning,
            )
        return self._limit(values)

    def _bounded(self, member: PanelMember, n_steps: int, series: np.ndarray) -> np.ndarray:
        """Return the forecasts of a member for some series, those that run away as NaN."""
        values, packed = member.forecast(n_steps, series), self._panel.packed
        low, high = (
            f.reduceat(packed.values, packed.offsets[:-1]) for f in (np.minimum, np.maximum)
        )
        middle, half = low / 2 + high / 2, high / 2 - low / 2
        reach = MAX_RELATIVE_REACH * (half + np.abs(middle))
        far = ~(np.abs(values - middle[:, None]) <= reach[:, None])
        return np.where(far.any(axis=1, keepdims=True), np.nan, values)

    def _limit(self, values: np.ndarray) -> np.ndarray:
        """Return values (n_series, n_steps) within the range that forecasts may have."""
        return np.where(self._positive[:, None], np.maximum(values, 0.0), values)

    @property
    def _columns(self) -> tuple:
        """Names of the columns of a long frame."""
        return self.id, self.time, self.value

    @property
    def _lag(self) -> int:
        """Rows from a value to the one that the naive forecast repeats."""
        return round(self.seasons_[0]) if self.seasons_ else 1

    @rollback_on_error
    def update(self, new) -> "PanelForecaster":
        """Append observations: states advance; fitted weights, scales and members stay.

        Parameters
        ----------
        new : list, dict, array or frame
            The rows right after those seen, in the form fitted on, with the same series; a long
            frame may have some of them.

        Returns
        -------
        self
        """
        check_is_fitted(self, "_members")
        panel = append_panel(self._panel, new, self._columns, "new")
        recent = panel.packed.tail(MAX_ROWS)
        self._members = [member.advance(recent) for member in self._members]
        self._panel, self.n_timesteps_ = panel, panel.packed.lengths
        return self

    def score(self, panel, y=None) -> float:
        """Score forecasts of the rows after those seen: minus their scaled error.

        Parameters
        ----------
        panel : list, dict, array or frame
            The observed values right after those seen, as for `update`.
        y : None
            Not used.

        Returns
        -------
        float
            Minus the mean over series of the mean absolute error relative to the mean absolute
            change over a season, or a step; series that do not change do not count.
        """
        check_is_fitted(self, "_members")
        seen = self._panel.packed
        after = append_panel(self._panel, panel, self._columns, "panel", self).packed
        new = after.skip(seen.lengths)
        forecasts = self._forecast(int(new.lengths.max()))
        errors = new.means(np.abs(new.values - forecasts[new.owners, new.positions]))
        sizes = error_sizes(seen.tail(MAX_ROWS), self._lag)
        counted = (new.lengths > 0) & (sizes > 0)
        return -float(np.mean(errors[counted] / sizes[counted]))

    def _check_parameters(self) -> int:
        """Check the parameters; return a seed."""
        if self.horizon is not None:
            check_positive_int("horizon", self.horizon)
        check_positive(self.positive)
        check_seasons(self.seasons)
        check_verbose(self.verbose)
        return int(check_seed(self.random_state).randint(2**31 - 1))

    def _find_seasons(self, panel: Panel) -> list[float]:
        """Return the periods of the seasons that the usual series has at least twice."""
        given = check_seasons(self.seasons)
        if given is not None:
            return given
        periods = calendar_seasons(panel.row_labels, panel.stamps)
        if periods is None:
            periods = _seasons_of_most(panel.packed.tail(MAX_ROWS))
        usual = np.median(panel.packed.lengths)
        return [period for period in periods if usual >= 2 * period][:MAX_SEASONS]

    def _find_horizon(self, lengths: np.ndarray) -> int:
        if self.horizon is not None:
            return int(self.horizon)
        return default_horizon(int(np.median(lengths)), self.seasons_)

    def _is_positive(self, panel: Panel) -> np.ndarray:
        """Tell of which series the forecasts end at zero."""
        values, offsets = panel.packed.values, panel.packed.offsets[:-1]
        least = np.minimum.reduceat(values, offsets)
        if isinstance(self.positive, str):
            return (least >= 0) & np.logical_and.reduceat(values == np.round(values), offsets)
        if self.positive and (least < 0).any():
            i = int(np.argmin(least))
            raise ValueError(
                f"positive=True needs series without negative values, got {least[i]} in "
                f"{panel.ids[i]!r}"
            )
        return np.full(len(least), self.positive)


def _seasons_of_most(packed: PackedSeries) -> list[float]:
    """Return the season that the autocorrelations of most series show, if a third of them do."""
    some = np.linspace(0, packed.n_series - 1, min(packed.n_series, MAX_SEASONAL_SERIES))
    part = packed.take(some.astype(int))
    series = np.split(part.values, part.offsets[1:-1])
    found = Counter(period for values in series for period in find_seasons(values))
    period, count = max(found.items(), key=lambda item: (item[1], -item[0]), default=(0, 0))
    return [float(period)] if 3 * count >= part.n_series else []


def _check_panel(panel: Panel) -> None:
    lengths, values = panel.packed.lengths, panel.packed.values
    if lengths.min() < MIN_ROWS:
        raise ValueError(
            f"panel must have at least {MIN_ROWS} rows of every series, got n_samples="
            f"{lengths.min()} of {panel.ids[int(lengths.argmin())]!r}; leave it out"
        )
    if lengths.max() < MIN_LONGEST:
        raise ValueError(
            f"panel must have a series of at least {MIN_LONGEST} rows, got n_samples="
            f"{lengths.max()} of the longest, {panel.ids[int(lengths.argmax())]!r}"
        )
    if np.abs(values).max() > MAX_VALUE:
        owner = panel.packed.owners[int(np.abs(values).argmax())]
        raise ValueError(
            f"panel must have values up to {MAX_VALUE:g}, got {np.abs(values).max():g} in "
            f"{panel.ids[owner]!r}: scale it"
        )
