"""Reservoir computing and echo state networks that fit scikit-learn."""

import importlib
from typing import Any

from esnkit.esn import ESNClassifier, ESNRegressor, ReservoirClassifier, ReservoirRegressor
from esnkit.forecasting import Forecaster, forecast
from esnkit.readouts import RidgeReadout
from esnkit.reservoirs import Reservoir
from esnkit.spectral import effective_spectral_radius, rescale, spectral_radius

__version__ = "0.1.0"
__all__ = [
    "ESNClassifier",
    "ESNRegressor",
    "Forecaster",
    "Reservoir",
    "ReservoirClassifier",
    "ReservoirRegressor",
    "RidgeReadout",
    "datasets",
    "effective_spectral_radius",
    "forecast",
    "metrics",
    "plotting",
    "rescale",
    "spectral_radius",
]


def __getattr__(name: str) -> Any:
    if name in ("datasets", "metrics", "plotting"):
        return importlib.import_module(f"esnkit.{name}")
    raise AttributeError(f"module 'esnkit' has no attribute {name!r}")
