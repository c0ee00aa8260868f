"""Readouts: models of targets as a function of feature rows, fitted to a stream of blocks."""

from esnkit.readouts._base import BaseReadout
from esnkit.readouts._checks import check_readout
from esnkit.readouts._lms import LMSReadout
from esnkit.readouts._ridge import RidgeReadout
from esnkit.readouts._rls import RLSReadout

__all__ = ["BaseReadout", "LMSReadout", "RLSReadout", "RidgeReadout", "check_readout"]
