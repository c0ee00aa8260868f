"""Packed sequences, and their targets, sample weights, initial states and clamps."""

from esnkit.sequences._classifier_mixin import SequenceClassifierMixin
from esnkit.sequences._closed_loop import check_bounded, future_rows, pack_one_series
from esnkit.sequences._initial_state import Clamp, resolve_clamp, resolve_initial_state
from esnkit.sequences._packing import Sequences, pack, restore
from esnkit.sequences._regressor_mixin import SequenceRegressorMixin
from esnkit.sequences._sample_weight import pack_weights
from esnkit.sequences._targets import Targets, pack_targets, stack_predictions

__all__ = [
    "Clamp",
    "SequenceClassifierMixin",
    "SequenceRegressorMixin",
    "Sequences",
    "Targets",
    "check_bounded",
    "future_rows",
    "pack",
    "pack_one_series",
    "pack_targets",
    "pack_weights",
    "resolve_clamp",
    "resolve_initial_state",
    "restore",
    "stack_predictions",
]
