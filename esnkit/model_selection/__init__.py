"""Model selection: searches that do shared work once, scores of free runs, splits of a series."""

from esnkit.model_selection._scorers import nrmse_at, valid_time
from esnkit.model_selection._search import ReservoirRandomizedSearchCV, ReservoirSearchCV
from esnkit.model_selection._splitters import RecycleValidation, WalkForwardValidation

__all__ = [
    "RecycleValidation",
    "ReservoirRandomizedSearchCV",
    "ReservoirSearchCV",
    "WalkForwardValidation",
    "nrmse_at",
    "valid_time",
]
