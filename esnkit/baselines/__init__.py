"""Forecasts that any model should beat, and models with hidden states to compare with."""

from esnkit.baselines._autoregressive import AutoregressiveModel, RidgeAutoregression
from esnkit.baselines._hidden_markov_model import HiddenMarkovModel
from esnkit.baselines._linear_dynamical_system import LinearDynamicalSystem
from esnkit.baselines._parrot import ContextParrot
from esnkit.baselines._window_mlp import WindowMLP
from esnkit.forecasting._exponential_smoothing import exponential_smoothing
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
    "HiddenMarkovModel",
    "LinearDynamicalSystem",
    "RidgeAutoregression",
    "WindowMLP",
    "autoregressive_order",
    "context_parrot",
    "drift",
    "exponential_smoothing",
    "persistence",
    "seasonal_naive",
]
