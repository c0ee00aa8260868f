"""Readouts: models of targets on feature rows, fitted from a stream of blocks."""

from esnkit.readouts._base import BaseReadout
from esnkit.readouts._checks import check_readout
from esnkit.readouts._ridge import RidgeReadout

__all__ = ["BaseReadout", "RidgeReadout", "check_readout"]
