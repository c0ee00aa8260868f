"""Simple forecasts that any model should beat."""

from esnkit.baselines._naive import autoregressive_order, persistence, seasonal_naive

__all__ = ["autoregressive_order", "persistence", "seasonal_naive"]
