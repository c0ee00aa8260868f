"""Model selection: scores of free runs, and splits of a series for them."""

from esnkit.model_selection._scorers import nrmse_at, valid_time
from esnkit.model_selection._splitters import RecycleValidation, WalkForwardValidation

__all__ = ["RecycleValidation", "WalkForwardValidation", "nrmse_at", "valid_time"]
