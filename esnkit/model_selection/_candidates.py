"""Candidates of a search, in groups that differ in the penalty of the readout alone."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from esnkit.utils._sharing import equal_values

__all__ = ["Candidate", "group_candidates", "shares_work"]


class Candidate(NamedTuple):
    """A setting of the parameters, and its place among all of a search."""

    place: int
    params: dict[str, Any]


def shares_work(estimator: Any) -> bool:
    """Return whether an estimator is, or contains, a model whose fits can share work."""
    parts = [estimator, *estimator.get_params(deep=True).values()]
    # Of the class: a property may raise for parameters that candidates replace.
    return any(hasattr(type(part), name) for part in parts for name in ("penalty", "reads_inputs"))


def group_candidates(estimator: Any, candidates: Iterable[Candidate]) -> list[list[Candidate]]:
    """Return groups of candidates that differ in penalties alone, in the order of the first."""
    groups: list[tuple[dict[str, Any], list[Candidate]]] = []
    penalties = _penalties(estimator)
    for candidate in candidates:
        others = {name: v for name, v in candidate.params.items() if name not in penalties}
        for known, group in groups:
            if known.keys() == others.keys() and all(
                equal_values(known[name], others[name]) for name in known
            ):
                group.append(candidate)
                break
        else:
            groups.append((others, [candidate]))
    return [group for _, group in groups]


def _penalties(estimator: Any) -> set[str]:
    """Return the names of the penalties that statistics of the rows do not depend on."""
    params = estimator.get_params(deep=True)
    names = {estimator.penalty} if hasattr(estimator, "penalty") else set()
    for name, part in params.items():
        if hasattr(part, "penalty"):
            names.add(f"{name}__{part.penalty}")
    return names
