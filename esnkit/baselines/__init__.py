"""Forecasts that any model should beat: naive ones, and simple models of the lecture room."""

from esnkit.baselines._autoregressive import AutoregressiveModel, RidgeAutoregression
from esnkit.baselines._parrot import ContextParrot
from esnkit.baselines._window_mlp import WindowMLP
from esnkit.forecasting._naive import (
    autoregressive_order,
    context_parrot,
    drift,
    persistence,
    seasonal_naive,
)
from esnkit.utils._warnings import BetterBaselineWarning

__all__ = [
    "AutoregressiveModel",
    "BetterBaselineWarning",
    "ContextParrot",
    "RidgeAutoregression",
    "WindowMLP",
    "autoregressive_order",
    "context_parrot",
    "drift",
    "persistence",
    "seasonal_naive",
]
