"""Packed sequences, their targets, weights and initial states."""

from esnkit.sequences._classifier_mixin import SequenceClassifierMixin
from esnkit.sequences._initial_state import Clamp
from esnkit.sequences._packing import Sequences
from esnkit.sequences._regressor_mixin import SequenceRegressorMixin
from esnkit.sequences._targets import Targets

__all__ = ["Clamp", "SequenceClassifierMixin", "SequenceRegressorMixin", "Sequences", "Targets"]
