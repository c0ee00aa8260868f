"""Estimators of this package as those of other libraries, which are imported at first use."""

import importlib as _importlib
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

if _TYPE_CHECKING:
    from esnkit.adapters._sktime_classifier import SktimeClassifier
    from esnkit.adapters._sktime_forecaster import SktimeForecaster

__all__ = ["SktimeClassifier", "SktimeForecaster"]

_FILES = {"SktimeClassifier": "_sktime_classifier", "SktimeForecaster": "_sktime_forecaster"}


def __getattr__(name: str) -> _Any:
    if name not in _FILES:
        raise AttributeError(f"module 'esnkit.adapters' has no attribute {name!r}")
    return getattr(_importlib.import_module(f"esnkit.adapters.{_FILES[name]}"), name)
