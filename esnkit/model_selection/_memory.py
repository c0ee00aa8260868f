"""Amounts of memory, as users write them."""

import math
import re
from typing import Any

import numpy as np

__all__ = ["check_memory"]

UNITS = {"": 1.0, "B": 1.0, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12}


def check_memory(name: str, memory: Any) -> float:
    """Return an amount of memory in bytes, or raise."""
    if isinstance(memory, (int, float, np.number)) and not isinstance(memory, bool):
        number, unit = float(memory), ""
    elif isinstance(memory, str):
        match = re.fullmatch(r"\s*([0-9.]+(?:[eE][+-]?[0-9]+)?)\s*([kKMGT]?B?)\s*", memory)
        number, unit = _number(match[1]) if match else math.nan, match[2].upper() if match else ""
        unit = unit if unit.endswith("B") or not unit else unit + "B"
    else:
        raise TypeError(f"{name} must be {_expected()}, got {memory!r}")
    if not (math.isfinite(number) and number >= 0):
        raise ValueError(f"{name} must be {_expected()}, got {memory!r}")
    return number * UNITS[unit]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _expected() -> str:
    return 'a number of bytes >= 0 or a text such as "500MB" or "2GB"'
