"""Scaling of sequences, and text as sequences of tokens."""

from esnkit.preprocessing._sequence_scaler import SequenceScaler
from esnkit.preprocessing._tokens import PADDING, UNKNOWN, TokenEncoder

__all__ = ["PADDING", "SequenceScaler", "TokenEncoder", "UNKNOWN"]
