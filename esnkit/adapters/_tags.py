"""The estimator that an adapter clones, and the tags of sktime that follow from it."""

from collections.abc import Callable
from numbers import Integral
from typing import Any

from sklearn.utils import get_tags

from esnkit.utils._seeds import first_seed, seed_names
from esnkit.utils._validation import has_methods


def estimator_or_default(
    estimator: Any, make_default: Callable[[], Any], methods: tuple[str, ...], expected: str
) -> Any:
    """Return an estimator, the default one for None, or raise TypeError with what is expected."""
    if estimator is None:
        return make_default()
    if isinstance(estimator, type) or not has_methods(estimator, *methods, "get_params"):
        raise TypeError(f"{expected}, got {estimator!r}")
    return estimator


def tags_of(estimator: Any) -> dict[str, Any]:
    """Return whether an estimator takes missing values, and whether two fits are the same.

    They are if a seed is a number, or if there is nothing to seed.
    """
    params = estimator.get_params()
    is_fixed = isinstance(first_seed(params), Integral) or not seed_names(params)
    return {
        "capability:missing_values": get_tags(estimator).input_tags.allow_nan,
        "property:randomness": "deterministic" if is_fixed else "stochastic",
    }
