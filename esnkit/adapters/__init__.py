"""Estimators of this package as those of other libraries."""

from esnkit.adapters._sktime_classifier import SktimeClassifier
from esnkit.adapters._sktime_forecaster import SktimeForecaster

__all__ = ["SktimeClassifier", "SktimeForecaster"]
