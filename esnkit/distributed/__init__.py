"""Fit and predict on dask collections: from one core to a cluster."""

from esnkit.distributed._api import decision_function, fit, predict, predict_proba

__all__ = ["decision_function", "fit", "predict", "predict_proba"]
