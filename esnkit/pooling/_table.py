"""The table of poolings by name, and what users pass as ``pooling``."""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from esnkit.pooling._base import Pieces, Pooling, Training
from esnkit.pooling._model_space import FittedModelSpace, ModelSpace
from esnkit.pooling._ppv import ProportionsOfPositiveValues
from esnkit.pooling._pyramid import Pyramid
from esnkit.pooling._statistics import STATISTICS, RunningStatistics
from esnkit.pooling._whole_sequences import FunctionPooling, Quantiles
from esnkit.utils._plain_state import plain_record

__all__ = ["DEFAULT_STATISTICS", "POOLINGS", "check_pooling"]

# Quantiles need all rows of a sequence and cost more than a reservoir: they are not among these.
DEFAULT_STATISTICS = ("mean", "std", "min", "max", "last", "mean_abs_change")
POOLINGS = {
    **{name: RunningStatistics((name,)) for name in STATISTICS},
    "median": Quantiles((0.5,)),
    "quantiles": Quantiles((0.25, 0.5, 0.75)),
    "statistics": RunningStatistics(DEFAULT_STATISTICS),
    "pyramid": Pyramid(),
    "ppv": ProportionsOfPositiveValues(),
    "model_space": FittedModelSpace.of(ModelSpace()),
}


@plain_record
@dataclass(frozen=True, eq=False)
class JoinedPooling(Pooling):
    """Several poolings: the features of the first one, then those of the second one, ..."""

    parts: tuple[Pooling, ...]

    @property
    def needs_fit(self) -> bool:  # type: ignore[override]
        """Whether a part must be fitted."""
        return any(part.needs_fit for part in self.parts)

    @property
    def is_running(self) -> bool:  # type: ignore[override]
        """Whether no part depends on later rows."""
        return all(part.is_running for part in self.parts)

    def fit(self, training: Training) -> Self:
        """Return the poolings, all fitted: several of them to rows of one run."""
        if sum(part.needs_fit for part in self.parts) > 1:
            training = training.keep_sample()
        fitted = (part.fit(training) if part.needs_fit else part for part in self.parts)
        return replace(self, parts=tuple(fitted))

    def width(self, n_columns: int) -> int:
        """Return how many features a sequence has."""
        return sum(part.width(n_columns) for part in self.parts)

    def start(self, n_sequences: int, n_columns: int, dtype: np.dtype) -> list[Any]:
        """Return the states of all poolings."""
        return [part.start(n_sequences, n_columns, dtype) for part in self.parts]

    def add(self, state: list[Any], Z: np.ndarray, pieces: Pieces) -> None:
        """Add rows to all states."""
        for part, own in zip(self.parts, state, strict=True):
            part.add(own, Z, pieces)

    def finish(self, state: list[Any], lengths: np.ndarray, dtype: np.dtype) -> np.ndarray:
        """Return the features of all poolings, side by side."""
        finished = zip(self.parts, state, strict=True)
        return np.hstack([part.finish(own, lengths, dtype) for part, own in finished])


def check_pooling(pooling: Any) -> Pooling:
    """Return the pooling that a user asks for: by name, as a record or function, or several.

    Raises
    ------
    ValueError
        If it is none of these, or several that have a statistic in common.
    """
    if not isinstance(pooling, (list, tuple)):
        return _one_pooling(pooling, pooling)
    parts: list[Any] = []
    for item in pooling:
        part = _one_pooling(item, pooling)
        if parts and _names(part) and _names(parts[-1]):  # one kernel computes both
            part = RunningStatistics(_names(parts.pop()) + _names(part))
        parts.append(part)
    _check_distinct(parts, pooling)
    return parts[0] if len(parts) == 1 else JoinedPooling(tuple(parts))


def _one_pooling(item: Any, pooling: Any) -> Pooling:
    """Return the pooling for a name, a ModelSpace or a function; ``pooling`` is for the error."""
    if isinstance(item, str) and item in POOLINGS:
        return POOLINGS[item]
    if isinstance(item, ModelSpace):
        return FittedModelSpace.of(item)
    if callable(item) and not isinstance(item, type):
        return FunctionPooling(item)
    raise ValueError(
        f"pooling must be one of {list(POOLINGS)}, a ModelSpace, a function (states of a sequence) "
        f"-> vector, or a list of these, got {pooling!r}"
    )


def _names(part: Any) -> tuple[str, ...]:
    """Return the names of running statistics, none for another pooling."""
    return part.names if isinstance(part, RunningStatistics) else ()


def _check_distinct(parts: list[Any], pooling: Any) -> None:
    """Raise if a list is empty or names a statistic twice."""
    if not parts:
        raise ValueError(f"pooling must name at least one pooling, got {pooling!r}")
    names = [name for part in parts for name in _names(part)]
    names += [item for item in pooling if isinstance(item, str) and not _names(POOLINGS[item])]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(
                f"pooling must not have a statistic twice, got {name!r} twice in {pooling!r}; "
                f"'statistics' stands for {list(DEFAULT_STATISTICS)}"
            )
