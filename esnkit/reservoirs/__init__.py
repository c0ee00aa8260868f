"""Reservoirs: fixed random recurrent networks that turn sequences into feature rows."""

from esnkit.reservoirs._base import BaseReservoir
from esnkit.reservoirs._checks import check_reservoir
from esnkit.reservoirs._reservoir import Reservoir
from esnkit.reservoirs._updates import UPDATES, Update
from esnkit.reservoirs.input_weights import INPUT_WEIGHTS
from esnkit.reservoirs.spectral import effective_spectral_radius, rescale, spectral_radius
from esnkit.reservoirs.topologies import TOPOLOGIES, Topology

__all__ = [
    "BaseReservoir",
    "INPUT_WEIGHTS",
    "Reservoir",
    "TOPOLOGIES",
    "Topology",
    "UPDATES",
    "Update",
    "check_reservoir",
    "effective_spectral_radius",
    "rescale",
    "spectral_radius",
]
