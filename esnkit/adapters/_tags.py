"""Tags of sktime that follow from an estimator of scikit-learn."""

from numbers import Integral
from typing import Any

from sklearn.utils import get_tags

from esnkit.utils._seeds import first_seed, seed_names


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
