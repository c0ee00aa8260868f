"""Members of a composed reservoir: clones of one reservoir that differ in some parameters."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.base import clone

from esnkit.reservoirs._base import BaseReservoir
from esnkit.reservoirs._reservoir import Reservoir
from esnkit.reservoirs._state_equation import StateEquation
from esnkit.sequences._packing import Sequences
from esnkit.utils._validation import check_seed, has_methods

__all__ = [
    "check_template",
    "equations_of",
    "make_members",
    "members_read_inputs",
    "noise_of",
    "run_member",
]


def check_template(reservoir: Any) -> Any:
    """Return the reservoir to clone, the default one for None, or raise."""
    reservoir = Reservoir() if reservoir is None else reservoir
    if isinstance(reservoir, type) or not has_methods(reservoir, "draw", "run", "get_params"):
        raise TypeError(
            f"reservoir must be a reservoir (esnkit.reservoirs.BaseReservoir), got {reservoir!r}"
        )
    return reservoir


def make_members(
    reservoir: Any, n_members: int, name: str, params: Any, random_state: Any
) -> list[BaseReservoir]:
    """Return clones with one value each of the given parameters, and one seed each.

    ``params`` maps parameters of the reservoir to sequences of ``n_members`` values; ``name`` is
    its own name, for errors. The seeds come from ``random_state`` or, if that is None, from the
    ``random_state`` of the reservoir.
    """
    template = check_template(reservoir)
    values = _checked(template, n_members, name, params)
    known = template.get_params()
    seeds: list[Any] = [None] * n_members
    if "random_state" in known:
        source = known["random_state"] if random_state is None else random_state
        seeds = list(check_seed(source).randint(np.iinfo(np.int32).max, size=n_members))
    members = []
    for k, seed in enumerate(seeds):
        own = {} if seed is None else {"random_state": int(seed)}
        own |= {key: value[k] for key, value in values.items()}
        members.append(clone(template).set_params(**own))
    return members


def _checked(template: Any, n_members: int, name: str, params: Any) -> dict[str, Sequence]:
    """Return the parameters if each is known and has a value for each member, or raise."""
    if params is not None and not isinstance(params, Mapping):
        raise TypeError(f"{name} must be a dict or None, got {params!r}")
    for key, value in (params or {}).items():
        if key not in template.get_params():
            raise ValueError(
                f"{name} must have parameters of {type(template).__name__} as keys, got {key!r}"
            )
        if not isinstance(value, (list, tuple, np.ndarray)) or len(value) != n_members:
            raise ValueError(
                f"{name}[{key!r}] must be a list of {n_members} values, one for each, got {value!r}"
            )
    return dict(params or {})


def members_read_inputs(reservoir: Any, params: Any = None) -> bool:
    """Return whether weights of any member depend on the inputs of ``prepare``."""
    varied = any(str(name).endswith("input_scaling") for name in params or {})
    return varied or bool(getattr(check_template(reservoir), "reads_inputs", True))


def noise_of(members: list[BaseReservoir]) -> list[Any] | None:
    """Return the noise streams of the members, None if none of them has any."""
    streams = [member.noise_stream() for member in members]
    return None if all(stream is None for stream in streams) else streams


def equations_of(members: list[BaseReservoir]) -> list[StateEquation] | None:
    """Return the state equations of all members, None if one of them has none."""
    equations: list[StateEquation] = []
    for member in members:
        own = member.state_equations()
        if own is None:
            return None
        equations += own
    return equations


def run_member(
    member: BaseReservoir,
    sequences: Sequences,
    state: np.ndarray,
    columns: slice,
    noise: Any,
    with_features: bool = True,
) -> np.ndarray:
    """Advance the columns of ``state`` that belong to a member, and return its features.

    The features (n_rows, n_features_out_) are C-contiguous, without rows if they are not wanted.
    """
    own = np.ascontiguousarray(state[:, columns])
    n_rows = len(sequences.values) if with_features or noise is not None else 0
    features = np.empty((n_rows, member.n_features_out_), state.dtype)
    forcing = {} if noise is None else {"noise": noise}
    member.run(sequences, own, features if n_rows else None, **forcing)
    state[:, columns] = own
    return features
