"""What the instruments have in common: the reservoir, its random inputs, and its feature rows."""

from typing import Any

import numpy as np
from sklearn.base import clone

from esnkit.sequences._packing import Sequences
from esnkit.utils._seeds import first_seed, seed_names, seeds_of_parts
from esnkit.utils._validation import check_number, finite_array, has_methods

__all__ = ["check_range", "drawn_reservoir", "features_of", "random_inputs", "run_batch"]

N_ROWS_TOGETHER, N_ROWS_TO_ADAPT = 8192, 1000
LARGEST = 1e100  # of the inputs, whose squares are summed


def drawn_reservoir(
    reservoir: Any,
    rng: np.random.RandomState,
    inputs: np.ndarray | None = None,
    input_range: Any = (-1.0, 1.0),
) -> Any:
    """Return the reservoir of a fitted estimator, a fitted reservoir, or a clone drawn for inputs.

    Without ``inputs`` (n_rows, n_inputs) these are a column of uniform ones, as weights may adapt.
    """
    found = reservoir
    if not has_methods(reservoir, "draw", "run"):
        found = getattr(reservoir, "reservoir_", None)
    if isinstance(found, type) or not has_methods(found, "draw", "run", "get_params"):
        raise TypeError(
            "reservoir must be a reservoir (esnkit.reservoirs.BaseReservoir) or a fitted estimator "
            f"with one, such as ESNRegressor(...).fit(X, y), got {reservoir!r}"
        )
    if hasattr(found, "n_features_in_"):
        return found
    found = clone(found)
    params = found.get_params()
    if seed_names(params) and first_seed(params) is None:
        found.set_params(**seeds_of_parts(params, rng.randint(np.iinfo(np.int32).max)))
    if inputs is None:
        inputs = rng.uniform(*check_range(input_range), (N_ROWS_TO_ADAPT, 1))
    return found.prepare(inputs.shape[1], dtype=inputs.dtype, inputs=inputs)


def check_range(input_range: Any) -> tuple[float, float]:
    """Return the ends of the interval of the inputs, or raise."""
    if not isinstance(input_range, (tuple, list)) or len(input_range) != 2:
        raise TypeError(f"input_range must be a pair (low, high), got {input_range!r}")
    low, high = (check_number("input_range", end, -LARGEST, LARGEST) for end in input_range)
    if not low < high:
        raise ValueError(f"input_range must be a pair (low, high) in order, got {input_range!r}")
    return low, high


def random_inputs(reservoir: Any, n_rows: int, input_range: Any, rng: Any) -> np.ndarray:
    """Draw independent uniform inputs (n_rows, n_inputs) for a drawn reservoir."""
    low, high = check_range(input_range)
    inputs = rng.uniform(low, high, (n_rows, reservoir.n_features_in_))
    return finite_array("input_range", inputs, reservoir._dtype)


def features_of(reservoir: Any, inputs: np.ndarray) -> np.ndarray:
    """Run one sequence from the state zero and return its feature rows as float64."""
    state = np.zeros((1, reservoir.n_state_), inputs.dtype)
    rows = np.empty((len(inputs), reservoir.n_features_out_), inputs.dtype)
    reservoir.run(Sequences(inputs, np.array([0, len(inputs)]), "series"), state, rows)
    return _finite(rows).astype(np.float64, copy=False)


def run_batch(reservoir: Any, inputs: np.ndarray, state: np.ndarray) -> np.ndarray:
    """Advance ``state`` (n_sequences, n_state_) in place; return the last feature row of each.

    ``inputs`` (n_sequences, n_timesteps, n_inputs).
    """
    n_sequences, n_steps, n_inputs = inputs.shape
    last = np.empty((n_sequences, reservoir.n_features_out_), inputs.dtype)
    together = max(N_ROWS_TOGETHER // n_steps, 1)
    for first in range(0, n_sequences, together):
        part = np.ascontiguousarray(inputs[first : first + together])
        offsets = np.arange(len(part) + 1) * n_steps
        rows = np.empty((len(part) * n_steps, reservoir.n_features_out_), inputs.dtype)
        sequences = Sequences(part.reshape(-1, n_inputs), offsets, "batch")
        reservoir.run(sequences, state[first : first + together], rows)
        last[first : first + together] = rows[n_steps - 1 :: n_steps]
    return _finite(last)


def _finite(rows: np.ndarray) -> np.ndarray:
    if not np.isfinite(rows).all():
        raise FloatingPointError(
            "the features of the reservoir must stay finite, got NaN or infinity: lower its "
            "spectral radius, or narrow input_range"
        )
    return rows
