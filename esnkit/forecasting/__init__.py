"""Forecasts of series with any regressor."""

from esnkit.forecasting._forecaster import Forecaster
from esnkit.forecasting._reduction import forecast

__all__ = ["Forecaster", "forecast"]
