"""Reservoirs: fixed random recurrent networks that turn sequences into states."""

from esnkit.reservoirs._reservoir import Reservoir
from esnkit.reservoirs.spectral import effective_spectral_radius, rescale, spectral_radius

__all__ = ["Reservoir", "effective_spectral_radius", "rescale", "spectral_radius"]
