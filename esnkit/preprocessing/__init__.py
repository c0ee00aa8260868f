"""Encoding of text as sequences of tokens."""

from esnkit.preprocessing._tokens import PADDING, UNKNOWN, TokenEncoder

__all__ = ["PADDING", "TokenEncoder", "UNKNOWN"]
