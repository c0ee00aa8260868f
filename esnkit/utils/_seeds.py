"""The seeds of an estimator: its parameter `random_state` and those of nested estimators."""

from collections.abc import Iterable, Mapping
from numbers import Integral
from typing import Any

import numpy as np

__all__ = ["first_seed", "seed_names", "seeds_of_parts"]


def seed_names(names: Iterable[str]) -> list[str]:
    """Return the names that end in the parameter `random_state`, those of nested ones last."""
    seeds = [name for name in names if name.split("__")[-1] == "random_state"]
    return sorted(seeds, key=lambda name: name.count("__"))


def first_seed(params: Mapping[str, Any]) -> Any:
    """Return the first seed that is not None, outer estimators before nested ones, or None."""
    seeds = (params[name] for name in seed_names(params))
    return next((seed for seed in seeds if seed is not None), None)


def seeds_of_parts(names: Iterable[str], seed: Any) -> dict[str, Any]:
    """Return a seed for every parameter `random_state`, of which `seed` is the first.

    A nested estimator has the seed of the one around it. Others beside it, such as the members of
    a union or of a vote, which would be equal with the same seed, have seeds drawn from it.
    """
    rng = np.random.RandomState(int(seed)) if isinstance(seed, Integral) else None
    seeds: dict[str, Any] = {}
    passed_on = set()
    for name in seed_names(names):
        around = [other for other in seeds if name.startswith(other.removesuffix("random_state"))]
        outer = max(around, key=len, default=None)
        if rng is None or outer not in passed_on:
            seeds[name] = seed if outer is None else seeds[outer]
        else:
            seeds[name] = int(rng.randint(2**31 - 1))
        passed_on.add(outer)
    return seeds
