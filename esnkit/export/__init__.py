"""Fitted estimators in the formats of other libraries and languages."""

from esnkit.export._c import to_c
from esnkit.export._onnx import to_onnx
from esnkit.export._skops import skops_trusted_types

__all__ = ["skops_trusted_types", "to_c", "to_onnx"]
