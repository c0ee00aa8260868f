"""Tags of sktime that follow from an estimator of scikit-learn."""

from typing import Any

from sklearn.utils import get_tags


def tags_of(estimator: Any) -> dict[str, Any]:
    """Return whether an estimator takes missing values, and whether two fits are the same."""
    seeds = [v for name, v in estimator.get_params().items() if name.endswith("random_state")]
    is_seeded = any(seed is not None for seed in seeds)
    return {
        "capability:missing_values": get_tags(estimator).input_tags.allow_nan,
        "property:randomness": "deterministic" if is_seeded else "stochastic",
    }
