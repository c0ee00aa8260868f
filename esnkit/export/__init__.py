"""Fitted estimators in the formats of other libraries."""

from esnkit.export._skops import skops_trusted_types

__all__ = ["skops_trusted_types"]
