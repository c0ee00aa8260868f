"""Inputs of a network: rows of numbers or tokens, initial states, clamps and weights of targets."""

from typing import Any

import numpy as np

from esnkit.networks._batch import InitialState
from esnkit.networks._minibatches import SequenceBatch
from esnkit.networks._spec import Spec
from esnkit.preprocessing._tokens import MAX_AUTO_TOKENS
from esnkit.sequences._initial_state import Clamp, resolve_clamp, resolve_initial_state
from esnkit.sequences._packing import Sequences
from esnkit.utils._validation import check_positive_int, finite_array

__all__ = [
    "combine_weights",
    "count_tokens",
    "input_batch",
    "network_clamp",
    "network_inputs",
    "network_state",
]


def count_tokens(n_tokens: Any, embedding_dim: Any, X: Any, sequences: Sequences) -> int:
    """Return the number of tokens that the parameters select for X, 0 if X contains numbers."""
    n_columns = sequences.values.shape[1]
    if n_tokens is None and embedding_dim is not None:
        n_tokens = "auto"  # only tokens can be embedded
    is_auto = isinstance(n_tokens, str) and n_tokens == "auto"
    if n_tokens is None or (is_auto and not (n_columns == 1 and _has_integers(X))):
        return 0
    if not is_auto:
        n_tokens = check_positive_int("n_tokens", n_tokens)
        if n_columns != 1:
            raise ValueError(f"X must have one column of tokens, got {n_columns} features")
        return n_tokens
    found = int(max(sequences.values.max(), 0)) + 1
    if found > MAX_AUTO_TOKENS:
        raise ValueError(
            f"X contains integers up to {found - 1}: set n_tokens=None if they are numbers, "
            f"n_tokens={found} if they are tokens; n_tokens='auto' accepts tokens below "
            f"{MAX_AUTO_TOKENS}"
        )
    return found


def _has_integers(X: Any) -> bool:
    items = X if isinstance(X, (list, tuple)) else [X]
    return all(np.asarray(item).dtype.kind in "iu" for item in items)


def network_inputs(spec: Spec, sequences: Sequences) -> np.ndarray:
    """Return rows of numbers (n_rows, n_features), or tokens (n_rows,) if the network takes tokens.

    Raises
    ------
    ValueError
        If a value is not a token of the network.
    """
    if not spec.tokens:
        return sequences.values
    values = sequences.values[:, 0]
    wrong = (values < 0) | (values >= spec.n_features) | (values != np.floor(values))
    if np.any(wrong):
        raise ValueError(
            f"X contains the token {values[wrong][0]:g} in row {np.flatnonzero(wrong)[0]}, "
            f"expected integers in [0, {spec.n_features - 1}]; set n_tokens to the number of "
            "tokens, or give numbers that are measurements as floats, X.astype(float)"
        )
    return values.astype(np.int64)


def network_state(
    spec: Spec, initial_state: Any, n_sequences: int, dtype: Any
) -> InitialState | None:
    """Return the initial states that a caller gives; states of other units are the network's.

    ``initial_state`` is None, a pair (indices, values), or a vector or a row per sequence: of the
    hidden states of all units, or of all hidden states and cell states.
    """
    if initial_state is None:
        return None
    given = np.ones(spec.n_state, dtype=bool)
    if isinstance(initial_state, tuple):
        values = resolve_initial_state(initial_state, n_sequences, spec.n_state, dtype)
        given[:] = False
        given[np.atleast_1d(initial_state[0])] = True
        return InitialState(values, given)
    initial_state = finite_array("initial_state", initial_state, dtype)
    width = initial_state.shape[-1] if initial_state.ndim else 0
    if spec.n_state > spec.n_hidden and width not in (spec.n_hidden, spec.n_state):
        raise ValueError(
            f"initial_state has shape {initial_state.shape}, expected a vector, or a row for each "
            f"of {n_sequences} sequences, of {spec.n_hidden} hidden states or of {spec.n_state} "
            "hidden and cell states"
        )
    width = spec.n_hidden if width == spec.n_hidden else spec.n_state
    given[width:] = False
    values = np.zeros((n_sequences, spec.n_state), dtype)
    values[:, :width] = resolve_initial_state(initial_state, n_sequences, width, dtype)
    return InitialState(values, given)


def network_clamp(spec: Spec, clamp: Any, sequences: Sequences, dtype: Any) -> Clamp | None:
    """Return the clamped units and their values, a row per time step."""
    if clamp is None:
        return None
    units, values = resolve_clamp(clamp, sequences, spec.n_hidden, dtype)
    return Clamp(units, np.broadcast_to(values, (len(sequences.values), units.size)))


def input_batch(
    spec: Spec, sequences: Sequences, kind: str, initial_state: Any = None, clamp: Any = None
) -> SequenceBatch:
    """Return sequences without targets as the network takes them.

    ``kind`` is that of the targets, "steps" or "sequence".
    """
    dtype, per_step = sequences.values.dtype, kind == "steps"
    n_targets = len(sequences.values) if per_step else sequences.n_sequences
    return SequenceBatch(
        inputs=network_inputs(spec, sequences),
        offsets=sequences.offsets,
        Y=np.empty((n_targets, 0)),
        per_step=per_step,
        initial_state=network_state(spec, initial_state, sequences.n_sequences, dtype),
        clamp=network_clamp(spec, clamp, sequences, dtype),
    )


def combine_weights(
    weights: np.ndarray | None, class_weights: np.ndarray | None
) -> np.ndarray | None:
    """Return the product of weights of rows and of classes, divided by powers of two.

    Losses are weighted means, in which their sizes cancel; sums of large ones may overflow.
    """
    weights, class_weights = _at_most_one(weights), _at_most_one(class_weights)
    if class_weights is None:
        return weights
    weights = class_weights if weights is None else weights * class_weights
    if not np.any(weights):
        raise ValueError(
            "class_weight times sample_weight is zero for every target: change one of them"
        )
    return weights


def _at_most_one(weights: np.ndarray | None) -> np.ndarray | None:
    return None if weights is None else np.ldexp(weights, -np.frexp(weights.max())[1])
