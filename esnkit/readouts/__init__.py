"""Readouts: models of targets as a function of feature rows, fitted to a stream of blocks."""

from esnkit.readouts._base import BaseReadout
from esnkit.readouts._checks import check_readout
from esnkit.readouts._ridge import RidgeReadout

__all__ = ["BaseReadout", "RidgeReadout", "check_readout"]
