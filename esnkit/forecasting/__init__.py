"""Forecasts of series with any regressor, and with networks that are chosen for a series."""

from esnkit.forecasting._auto_forecaster import AutoForecaster
from esnkit.forecasting._closed_loop import forecast
from esnkit.forecasting._forecaster import Forecaster
from esnkit.forecasting._panel_forecaster import PanelForecaster
from esnkit.forecasting._patch_forecaster import PatchForecaster
from esnkit.forecasting._seasonality import find_seasons
from esnkit.forecasting._series_transform import SeriesTransform

__all__ = [
    "AutoForecaster",
    "Forecaster",
    "PanelForecaster",
    "PatchForecaster",
    "SeriesTransform",
    "find_seasons",
    "forecast",
]
