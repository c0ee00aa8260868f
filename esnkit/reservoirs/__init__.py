"""Reservoirs: fixed random recurrent networks that turn sequences into feature rows."""

from esnkit.reservoirs._base import BaseReservoir
from esnkit.reservoirs._bidirectional import BidirectionalReservoir
from esnkit.reservoirs._checks import check_reservoir
from esnkit.reservoirs._deep import DeepReservoir
from esnkit.reservoirs._intrinsic_plasticity import IntrinsicPlasticityReservoir
from esnkit.reservoirs._memory import MemoryReservoir
from esnkit.reservoirs._nvar import NVAR
from esnkit.reservoirs._parallel import ParallelReservoir
from esnkit.reservoirs._reservoir import Reservoir
from esnkit.reservoirs._state_equation import StateEquation
from esnkit.reservoirs._updates import UPDATES, Rates, Update
from esnkit.reservoirs.input_weights import INPUT_WEIGHTS
from esnkit.reservoirs.spectral import effective_spectral_radius, rescale, spectral_radius
from esnkit.reservoirs.topologies import TOPOLOGIES, Topology

__all__ = [
    "BaseReservoir",
    "BidirectionalReservoir",
    "DeepReservoir",
    "INPUT_WEIGHTS",
    "IntrinsicPlasticityReservoir",
    "MemoryReservoir",
    "NVAR",
    "ParallelReservoir",
    "Rates",
    "Reservoir",
    "StateEquation",
    "TOPOLOGIES",
    "Topology",
    "UPDATES",
    "Update",
    "check_reservoir",
    "effective_spectral_radius",
    "rescale",
    "spectral_radius",
]
