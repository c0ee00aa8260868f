"""Readouts: linear models of reservoir states, fitted from a stream of rows."""

from esnkit.readouts._ridge import RidgeReadout

__all__ = ["RidgeReadout"]
