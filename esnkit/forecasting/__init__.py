"""Forecasts of series with any regressor, and the choice of settings for them."""

from esnkit.forecasting._auto import (
    DEFAULT_SETTINGS,
    RankedSettings,
    candidate_settings,
    evaluate_settings,
    forecast_with_fallback,
    make_forecaster,
    rank_settings,
)
from esnkit.forecasting._auto_forecaster import AutoForecaster
from esnkit.forecasting._closed_loop import forecast
from esnkit.forecasting._forecaster import Forecaster
from esnkit.forecasting._panel_forecaster import PanelForecaster
from esnkit.forecasting._seasonality import find_seasons

__all__ = [
    "AutoForecaster",
    "DEFAULT_SETTINGS",
    "Forecaster",
    "PanelForecaster",
    "RankedSettings",
    "candidate_settings",
    "evaluate_settings",
    "find_seasons",
    "forecast",
    "forecast_with_fallback",
    "make_forecaster",
    "rank_settings",
]
