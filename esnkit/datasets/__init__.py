"""Data sets: chaotic and synthetic series, long-memory tasks, and a real series."""

from esnkit.datasets._chaotic import make_lorenz, make_mackey_glass
from esnkit.datasets._memory import load_digits_sequences, make_adding, make_temporal_order
from esnkit.datasets._real import data_path, load_bike_sharing
from esnkit.datasets._synthetic import make_narma, make_sine

__all__ = [
    "data_path",
    "load_bike_sharing",
    "load_digits_sequences",
    "make_adding",
    "make_lorenz",
    "make_mackey_glass",
    "make_narma",
    "make_sine",
    "make_temporal_order",
]
