"""Sequences in any container: scaling, differences, axes; text as sequences of tokens."""

from esnkit.preprocessing._channels_first import FromChannelsFirst
from esnkit.preprocessing._one_hot_tokens import OneHotTokens
from esnkit.preprocessing._sequence_differencer import SequenceDifferencer
from esnkit.preprocessing._sequence_normalizer import SequenceNormalizer
from esnkit.preprocessing._sequence_scaler import SequenceScaler
from esnkit.preprocessing._tokens import PADDING, UNKNOWN, TokenEncoder

__all__ = [
    "FromChannelsFirst",
    "OneHotTokens",
    "PADDING",
    "SequenceDifferencer",
    "SequenceNormalizer",
    "SequenceScaler",
    "TokenEncoder",
    "UNKNOWN",
]
