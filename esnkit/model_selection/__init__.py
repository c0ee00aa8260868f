"""Searches over parameters that do shared work once."""

from esnkit.model_selection._search import ReservoirRandomizedSearchCV, ReservoirSearchCV

__all__ = ["ReservoirRandomizedSearchCV", "ReservoirSearchCV"]
