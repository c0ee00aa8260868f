"""Series to try things on: exact generators, and a real series that ships with the package."""

from esnkit.datasets._chaotic import make_lorenz, make_mackey_glass
from esnkit.datasets._real import data_path, load_bike_sharing
from esnkit.datasets._synthetic import make_narma, make_sine

__all__ = [
    "data_path",
    "load_bike_sharing",
    "make_lorenz",
    "make_mackey_glass",
    "make_narma",
    "make_sine",
]
