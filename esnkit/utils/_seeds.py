"""The seeds of an estimator: its parameter `random_state` and those of nested estimators."""

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["first_seed", "seed_names"]


def seed_names(names: Iterable[str]) -> list[str]:
    """Return the names that end in the parameter `random_state`, those of nested ones last."""
    seeds = [name for name in names if name.split("__")[-1] == "random_state"]
    return sorted(seeds, key=lambda name: name.count("__"))


def first_seed(params: Mapping[str, Any]) -> Any:
    """Return the first seed that is not None, outer estimators before nested ones, or None."""
    seeds = (params[name] for name in seed_names(params))
    return next((seed for seed in seeds if seed is not None), None)
