"""Simple forecasts that any model should beat, and models with hidden states to compare with."""

from esnkit.baselines._hidden_markov_model import HiddenMarkovModel
from esnkit.baselines._linear_dynamical_system import LinearDynamicalSystem
from esnkit.baselines._naive import autoregressive_order, persistence, seasonal_naive

__all__ = [
    "HiddenMarkovModel",
    "LinearDynamicalSystem",
    "autoregressive_order",
    "persistence",
    "seasonal_naive",
]
