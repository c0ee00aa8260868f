"""What baselines share: fits to each series alone, and intervals from rolling forecasts."""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from esnkit.forecasting._baseline_errors import forecast_windows
from esnkit.forecasting._calibration import warn_of_few
from esnkit.forecasting._candidates import make_windows
from esnkit.forecasting._combination import Combination, SeparateSeries
from esnkit.forecasting._forecasts_mixin import ForecastsMixin
from esnkit.forecasting._pooled_errors import BASELINE_FACTOR, PooledErrors, SeparateErrors
from esnkit.forecasting._positive import check_positive, is_positive
from esnkit.utils._plain_state import PlainStateMixin
from esnkit.utils._rollback import rollback_on_error

__all__ = ["BaselineForecaster"]


class BaselineForecaster(ForecastsMixin, PlainStateMixin, BaseEstimator):
    """Forecast every series with a model of its own, which knows no other series.

    A subclass has the parameter `positive`, and writes `_make_model`, which checks the others and
    returns a `Rule` or a `Regression`.
    """

    positive: Any
    verbose = 0
    missing = "predict"

    @rollback_on_error
    def fit(self, series, y=None, exog=None):
        """Fit the model to a series.

        Parameters
        ----------
        series : array-like of shape (n_timesteps,) or (n_timesteps, n_series)
            An array, list, Series or DataFrame whose index, if it has one, is regular. NaN, None,
            NA and masked values are missing: regressions predict them, as a :class:`Forecaster`
            does; for a context parrot the last value stands for them.
        y : array-like, default=None
            Exogenous inputs under the name by which scikit-learn's tools pass a second array.
        exog : array-like of shape (n_timesteps,) or (n_timesteps, n_exog), default=None
            Inputs known in advance, row by row with the series. The last value stands for missing
            ones.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For parameters out of range, a series that is too short or infinite, an irregular
            index, or exogenous inputs that do not fit the series.
        """
        model = self._make_model()
        check_positive(self.positive)
        values, inputs = self._read(series, y, exog)
        if len(values) < model.min_rows:
            raise ValueError(
                f"series has n_samples={len(values)} time steps, but {self!r} needs at least "
                f"{model.min_rows}"
            )
        self._ensemble = SeparateSeries(
            [
                Combination([model.fit(column[:, None], inputs)], self._least(column))
                for column in values.T
            ]
        )
        self._model = model
        return self

    @property
    def estimators_(self) -> list:
        """Fitted regressors, one per series."""
        check_is_fitted(self, "_ensemble")
        return [model.fitted for part in self._fitted for model in part.models]

    @property
    def _fitted(self) -> list:
        """The fitted model of each series."""
        return [part.members[0] for part in self._ensemble.parts]

    def _least(self, values: np.ndarray) -> float:
        """Return the least forecast of a series (n_rows,)."""
        return 0.0 if is_positive(self.positive, values) else -np.inf

    def _make_model(self) -> Any:
        """Check the parameters, and return the model to fit."""
        raise NotImplementedError

    def _errors_ahead(self, n_steps: int, ahead: np.ndarray, level: float) -> SeparateErrors:
        values, exog = self._seen_rows()
        columns = [
            self._errors(column, part.limit, exog, n_steps)
            for column, part in zip(values.T, self._ensemble.parts, strict=True)
        ]
        warn_of_few(min(int((~np.isnan(errors)).sum()) for errors in columns), level)
        return SeparateErrors(
            [PooledErrors(errors[:, :, None], n_steps, BASELINE_FACTOR) for errors in columns]
        )

    def _sample(self, ahead: np.ndarray, n_steps: int, n_samples: int, rng) -> np.ndarray:
        raise ValueError(
            f"sample needs a Forecaster or an AutoForecaster, got {self!r}: use "
            "forecast(quantiles=...), or Forecaster(Ridge(), lags=...) for sample paths"
        )

    def _errors(self, values: np.ndarray, limit, exog: np.ndarray, n_steps: int) -> np.ndarray:
        """Return errors (n_origins, horizon) of rolling forecasts."""
        windows = make_windows(len(values), n_steps, values=values)
        enough = windows.origins >= self._model.min_rows
        if not enough.any():
            raise ValueError(
                f"interval needs rolling forecasts: {self!r} needs {self._model.min_rows} rows "
                f"before, and {windows.horizon} after their origin, got {len(values)} rows; fit on "
                "a longer series"
            )
        windows = windows._replace(origins=windows.origins[enough])
        forecasts = limit(forecast_windows(self._model, values, exog, windows))
        return windows.observed(values) - forecasts
