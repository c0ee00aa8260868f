"""Instruments: memory, capacity, ranks and stability of reservoirs, and Lyapunov exponents.

Each takes a reservoir, or an estimator with a fitted one; the first lines of its docstring say what
it estimates, the notes with what error.
"""

from esnkit.analysis._echo_state_property import (
    EchoStateProperty,
    check_echo_state_property,
    echo_state_index,
)
from esnkit.analysis._information_capacity import (
    InformationCapacity,
    Term,
    information_processing_capacity,
)
from esnkit.analysis._lyapunov import (
    LyapunovSpectrum,
    conditional_lyapunov_exponents,
    lyapunov_spectrum,
)
from esnkit.analysis._memory_capacity import MemoryCapacity, memory_capacity
from esnkit.analysis._ranks import generalization_rank, kernel_rank

__all__ = [
    "EchoStateProperty",
    "InformationCapacity",
    "LyapunovSpectrum",
    "MemoryCapacity",
    "Term",
    "check_echo_state_property",
    "conditional_lyapunov_exponents",
    "echo_state_index",
    "generalization_rank",
    "information_processing_capacity",
    "kernel_rank",
    "lyapunov_spectrum",
    "memory_capacity",
]
