"""Echo state networks as scikit-learn estimators."""

from esnkit.esn._ensemble import ESNEnsembleClassifier
from esnkit.esn._presets import ESNClassifier, ESNRegressor, ReservoirClassifier, ReservoirRegressor

__all__ = [
    "ESNClassifier",
    "ESNEnsembleClassifier",
    "ESNRegressor",
    "ReservoirClassifier",
    "ReservoirRegressor",
]
