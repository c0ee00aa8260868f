"""Reservoir computing, echo state networks and trained recurrent ones that fit scikit-learn."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from esnkit.esn import ESNClassifier, ESNRegressor, ReservoirClassifier, ReservoirRegressor
    from esnkit.forecasting import Forecaster, forecast
    from esnkit.networks import RNNClassifier, RNNRegressor, Seq2SeqClassifier
    from esnkit.preprocessing import TokenEncoder
    from esnkit.readouts import RidgeReadout
    from esnkit.reservoirs import Reservoir, effective_spectral_radius, rescale, spectral_radius


__version__ = "0.1.0"
__all__ = [
    "ESNClassifier",
    "ESNRegressor",
    "Forecaster",
    "RNNClassifier",
    "RNNRegressor",
    "Reservoir",
    "ReservoirClassifier",
    "ReservoirRegressor",
    "RidgeReadout",
    "Seq2SeqClassifier",
    "TokenEncoder",
    "datasets",
    "effective_spectral_radius",
    "forecast",
    "metrics",
    "plotting",
    "rescale",
    "spectral_radius",
]

# Loaded where they are first used: whoever needs an echo state network waits for nothing else, and
# the command line answers Ctrl-C from the start.
_LATE = {
    "ESNClassifier": "esn",
    "ESNRegressor": "esn",
    "Forecaster": "forecasting",
    "RNNClassifier": "networks",
    "RNNRegressor": "networks",
    "Reservoir": "reservoirs",
    "ReservoirClassifier": "esn",
    "ReservoirRegressor": "esn",
    "RidgeReadout": "readouts",
    "Seq2SeqClassifier": "networks",
    "TokenEncoder": "preprocessing",
    "effective_spectral_radius": "reservoirs",
    "forecast": "forecasting",
    "rescale": "reservoirs",
    "spectral_radius": "reservoirs",
}


def __getattr__(name: str) -> Any:
    if name in {"datasets", "metrics", "plotting", *_LATE.values()}:
        return importlib.import_module(f"esnkit.{name}")
    if name in _LATE:
        return getattr(importlib.import_module(f"esnkit.{_LATE[name]}"), name)
    raise AttributeError(f"module 'esnkit' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
