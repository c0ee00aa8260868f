"""Echo state networks as scikit-learn estimators."""

from esnkit.esn._presets import ESNClassifier, ESNRegressor, ReservoirClassifier, ReservoirRegressor

__all__ = ["ESNClassifier", "ESNRegressor", "ReservoirClassifier", "ReservoirRegressor"]
