"""Data sets: chaotic and synthetic series, long-memory tasks, and real series and sequences."""

from esnkit.datasets._archives import load_japanese_vowels, load_santa_fe_laser, load_ucr
from esnkit.datasets._chaotic import make_lorenz, make_mackey_glass
from esnkit.datasets._dysts import make_dysts
from esnkit.datasets._flows import make_double_scroll, make_lorenz96, make_rossler
from esnkit.datasets._kuramoto_sivashinsky import make_kuramoto_sivashinsky
from esnkit.datasets._maps import make_henon, make_logistic_map
from esnkit.datasets._memory import load_digits_sequences, make_adding, make_temporal_order
from esnkit.datasets._real import data_path, load_bike_sharing
from esnkit.datasets._synthetic import make_mso, make_narma, make_sine

__all__ = [
    "data_path",
    "load_bike_sharing",
    "load_digits_sequences",
    "load_japanese_vowels",
    "load_santa_fe_laser",
    "load_ucr",
    "make_adding",
    "make_double_scroll",
    "make_dysts",
    "make_henon",
    "make_kuramoto_sivashinsky",
    "make_logistic_map",
    "make_lorenz",
    "make_lorenz96",
    "make_mackey_glass",
    "make_mso",
    "make_narma",
    "make_rossler",
    "make_sine",
    "make_temporal_order",
]
