"""Further parameters, given as a dict, of a part that a name chooses from a table."""

from collections.abc import Mapping
from typing import Any

__all__ = ["check_params", "complete_params"]


def check_params(name: str, params: Any) -> dict[str, Any]:
    """Return a copy of a dict of parameters, an empty one for None, or raise."""
    if params is not None and not isinstance(params, Mapping):
        raise TypeError(f"{name} must be a dict or None, got {params!r}")
    return dict(params or {})


def complete_params(
    kind: str, chosen: str, params: Any, defaults: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the parameters of what was chosen, with the defaults of those not given, or raise.

    ``kind`` is the parameter that chooses; ``kind_params`` is that of the dict.
    """
    given = check_params(f"{kind}_params", params)
    unknown = [key for key in given if key not in defaults]
    if unknown:
        raise ValueError(
            f"{kind}_params of {kind}={chosen!r} must have keys among {list(defaults)}, got "
            f"{unknown[0]!r}"
        )
    return {**defaults, **given}
