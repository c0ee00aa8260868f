"""A forecaster of this package as a forecaster of sktime."""

from typing import Any

import numpy as np
from sklearn.base import clone

from esnkit.adapters._tags import estimator_or_default, tags_of
from esnkit.forecasting import AutoForecaster, Forecaster
from esnkit.utils._validation import check_flag

try:
    from sktime.forecasting.base import BaseForecaster, ForecastingHorizon
except ImportError:
    from esnkit.adapters._missing import WithoutSktime as BaseForecaster

__all__ = ["SktimeForecaster"]


class SktimeForecaster(BaseForecaster):
    """Use a forecaster of this package as one of sktime.

    It has the interface of sktime (Löning et al. 2019): forecasting horizons, splitters, pipelines,
    tuning, panels and hierarchies of series, each of which gets a clone. Needs
    ``pip install 'esnkit[sktime]'``.

    Parameters
    ----------
    forecaster : AutoForecaster or Forecaster, default=None
        What forecasts; ``None`` stands for :class:`AutoForecaster`. Its parameters are those of the
        adapter with the prefix ``forecaster__``.
    bias_adjust : bool, default=False
        Whether `predict` returns means where the forecaster has a power transform, see
        :meth:`esnkit.Forecaster.forecast`.

    Attributes
    ----------
    forecaster_ : AutoForecaster or Forecaster
        The fitted clone.

    Raises
    ------
    ImportError
        If sktime is not installed.
    TypeError
        If `forecaster` is no forecaster, or `bias_adjust` no bool.

    Notes
    -----
    The methods are those of sktime. `X` are exogenous inputs, known in advance: `predict` needs a
    row of them for every step up to the last one of `fh`. A `horizon` of the forecaster that is
    None takes the last step of an `fh` given to `fit`. `predict_interval` takes its ends from
    quantiles. ``update(y, update_params=False)`` advances states by the new rows, and leaves
    weights as they are; with ``update_params=True`` everything is fitted anew to all rows. There
    are no in-sample forecasts.

    References
    ----------
    Löning, M. et al. (2019). sktime: a unified interface for machine learning with time series.
    arXiv 1909.07872.

    Examples
    --------
    With sktime::

        >>> from sktime.datasets import load_airline  # doctest: +SKIP
        >>> model = SktimeForecaster().fit(load_airline(), fh=range(1, 13))  # doctest: +SKIP
        >>> model.predict_interval(coverage=0.9).shape  # doctest: +SKIP
        (12, 2)
    """

    _tags = {
        "authors": "esnkit developers",
        "maintainers": "esnkit developers",
        "y_inner_mtype": "pd.DataFrame",
        "X_inner_mtype": "pd.DataFrame",
        "requires-fh-in-fit": False,
        "property:randomness": "stochastic",
        "capability:multivariate": True,
        "capability:exogenous": True,
        "capability:categorical_in_X": False,
        "capability:non_contiguous_X": False,
        "capability:missing_values": True,
        "capability:insample": False,
        "capability:pred_int": True,
        "capability:pred_int:insample": False,
        "capability:update": True,
    }
    # The forecaster remembers the rows seen; sktime need not do so too.
    _config = {"remember_data": False}

    def __init__(self, forecaster=None, bias_adjust=False):
        self.forecaster = forecaster
        self.bias_adjust = bias_adjust
        super().__init__()

    def __post_init__(self):
        """Set the tags that depend on the forecaster."""
        self.set_tags(**tags_of(self._given()))
        self._y = self._X = None

    def _given(self) -> Any:
        return estimator_or_default(
            self.forecaster,
            AutoForecaster,
            ("forecast", "history"),
            "forecaster must be an AutoForecaster or Forecaster",
        )

    def _fit(self, y, X, fh):
        check_flag("bias_adjust", self.bias_adjust)
        _check_steps_of_one(y.index)
        self.forecaster_ = clone(self._given())
        if fh is not None and self.forecaster_.horizon is None:
            self.forecaster_.set_params(horizon=int(fh.to_relative(self.cutoff).to_numpy().max()))
        self.forecaster_.fit(y, exog=None if X is None else X.loc[y.index])
        self._end = self.cutoff
        return self

    def _update(self, y, X=None, update_params=True):
        is_new = y.index > self._end[0]
        if is_new.any():
            self.forecaster_.update(y[is_new], exog=None if X is None else X.loc[y.index[is_new]])
            self._end = self.cutoff
        if update_params:
            self.forecaster_.fit(
                self.forecaster_.history(), exog=self.forecaster_._seen_inputs()[0]
            )
        return self

    def _predict(self, fh, X):
        steps, exog = self._steps_ahead(fh, X)
        options = {"bias_adjust": True} if self.bias_adjust else {}
        forecast = self.forecaster_.forecast(steps.max(), exog=exog, **options).iloc[steps - 1]
        return forecast.set_axis(fh.to_absolute_index(self.cutoff))

    def _predict_quantiles(self, fh, X, alpha):
        import pandas as pd

        steps, exog = self._steps_ahead(fh, X)
        levels, of_alpha = np.unique(alpha, return_inverse=True)
        fan = self.forecaster_.forecast(steps.max(), exog=exog, quantiles=levels).to_numpy()
        fan = fan.reshape(len(fan), -1, len(levels))[steps - 1][:, :, of_alpha]
        columns = pd.MultiIndex.from_product([self._get_varnames(), alpha])
        index = fh.to_absolute_index(self.cutoff)
        return pd.DataFrame(fan.reshape(len(steps), -1), index=index, columns=columns)

    def _steps_ahead(self, fh, X) -> tuple[np.ndarray, Any]:
        """Return the steps of a horizon after the rows seen, and the inputs up to the last one."""
        steps = self._count_steps(fh)
        if steps.min() < 1:
            raise NotImplementedError(
                f"{type(self).__name__} can not perform in-sample prediction: fh must have steps "
                f"after {self._end[0]}, the last row seen, got {fh}"
            )
        if X is None:
            return steps, None
        ahead = ForecastingHorizon(np.arange(1, steps.max() + 1)).to_absolute_index(self._end)
        lacking = ahead.difference(X.index)
        if len(lacking):
            raise ValueError(
                f"X must have a row for each step up to the last of fh, {ahead[-1]}, got none for "
                f"{lacking[0]}"
            )
        return steps, X.loc[ahead]

    def _count_steps(self, fh) -> np.ndarray:
        """Return the steps of a horizon after the rows seen.

        Between times of a zone sktime counts hours of the wall clock, also where clocks change.
        """
        if fh.is_relative and self.cutoff.equals(self._end):
            return fh.to_numpy().astype(int)
        times, end = fh.to_absolute_index(self.cutoff), self._end
        if getattr(times, "tz", None) is not None and _is_within_days(fh.freq):
            times, end = times.tz_convert("UTC"), end.tz_convert("UTC")
        horizon = ForecastingHorizon(times, is_relative=False, freq=fh.freq)
        return horizon.to_relative(end).to_numpy().astype(int)

    @classmethod
    def get_test_params(cls, parameter_set="default"):
        """Return parameters with which sktime's checks of estimators are quick.

        Parameters
        ----------
        parameter_set : str, default="default"
            All sets are the same.

        Returns
        -------
        list of dict
        """
        from sklearn.linear_model import Ridge

        return [{"forecaster": Forecaster(Ridge(), lags=2)}, {"forecaster": _small_network()}]


def _check_steps_of_one(index) -> None:
    """Raise if numbers of rows are not consecutive: sktime takes each number for a step."""
    if index.dtype.kind in "iu" and (np.diff(index) != 1).any():
        raise ValueError(
            "y must have consecutive numbers as index, as sktime counts steps by them; "
            "reset_index(drop=True) numbers the rows"
        )


def _is_within_days(freq: str) -> bool:
    """Tell whether a frequency is one of hours, minutes or less."""
    from pandas.tseries.frequencies import to_offset

    return to_offset(freq).base.freqstr in ("h", "min", "s", "ms", "us", "ns")


def _small_network() -> Forecaster:
    from esnkit.esn import ESNRegressor

    return Forecaster(ESNRegressor(5, random_state=0), missing="raise")
