"""Transformers of text into sequences of tokens."""

from esnkit.preprocessing._tokens import PADDING, UNKNOWN, TokenEncoder

__all__ = ["PADDING", "TokenEncoder", "UNKNOWN"]
