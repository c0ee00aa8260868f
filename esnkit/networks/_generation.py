"""Closed loops of trained networks: what comes out goes in, as numbers or as tokens."""

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from esnkit.networks._batch import InitialState, make_batch
from esnkit.networks._bptt import starting_state
from esnkit.networks._losses import log_softmax
from esnkit.networks._minibatches import SequenceBatch, evaluate
from esnkit.networks._spec import Spec, parameter_views
from esnkit.networks._stepper import Stepper
from esnkit.sequences._closed_loop import check_bounded, pack_one_series
from esnkit.utils._threads import one_blas_thread

__all__ = [
    "check_can_feed_back",
    "first_state",
    "generate_rows",
    "generate_tokens",
    "refuse_tokens_of_others",
    "warm_up",
]


def warm_up(estimator: Any, warmup: Any, initial_state: Any) -> np.ndarray:
    """Return the state (1, n_state) that has heard the warm-up, or the series of ``fit``.

    Without a warm-up, an initial state is returned as it is.
    """
    check_is_fitted(estimator, "_theta")
    spec, dtype = estimator._spec, estimator._theta.dtype
    if estimator._kind != "steps" or spec.bidirectional:
        raise ValueError(
            "generate needs a network of one direction, fitted to a target for every time step"
        )
    if warmup is None and initial_state is not None:
        return first_state(estimator, initial_state)
    if warmup is None:
        inputs, start = _end_of_training(estimator)
    else:
        inputs = _as_inputs(estimator, warmup)
        start = estimator._start(initial_state, 1, dtype)
    n = len(inputs)
    data = SequenceBatch(inputs, np.array([0, n]), np.empty((n, 0)), True, initial_state=start)
    with one_blas_thread():
        return evaluate(spec, estimator._theta, data)[1]


def first_state(estimator: Any, initial_state: Any) -> np.ndarray:
    """Return the state (1, n_state) before the first step of one sequence."""
    spec, theta = estimator._spec, estimator._theta
    start = estimator._start(initial_state, 1, theta.dtype)
    batch = make_batch(np.empty((1, 0)), np.array([0, 1]), start)
    return starting_state(spec, parameter_views(spec, theta), batch)[0]


def _end_of_training(estimator: Any) -> tuple[np.ndarray, InitialState]:
    """Return the last target, as the input that it is next, and the state before it."""
    if not hasattr(estimator, "last_state_"):
        raise ValueError(
            "warmup or initial_state is needed: the model was not fitted to one series, or its "
            "weights were replaced since"
        )
    spec = estimator._spec
    start = InitialState(estimator.last_state_, np.ones(spec.n_state, dtype=bool))
    if spec.tokens:
        token = estimator.classes_[estimator._last_target.argmax(axis=1)]
        return token.astype(np.int64), start
    if spec.n_features > spec.n_outputs:
        raise ValueError(
            "warmup is needed: the exogenous inputs beside the last target are not known"
        )
    return estimator._last_target, start


def _as_inputs(estimator: Any, warmup: Any) -> np.ndarray:
    listed = isinstance(warmup, (list, tuple)) and not any(np.ndim(item) for item in warmup)
    if estimator._spec.tokens and (listed or getattr(warmup, "ndim", None) == 1):
        warmup = np.asarray(warmup)[:, None]
    sequences = pack_one_series(estimator, "warmup", warmup, estimator._theta.dtype)
    try:
        return estimator._inputs(sequences)
    except ValueError as error:
        raise ValueError(f"warmup must be a series like the X of fit: {error}") from error


def check_can_feed_back(estimator: Any) -> None:
    """Raise where outputs are no inputs: too many, or numbers where tokens are heard."""
    spec = estimator._spec
    if spec.tokens or spec.n_outputs > spec.n_features:
        heard = "of tokens" if spec.tokens else "of numbers"
        raise ValueError(
            f"generate feeds {spec.n_outputs} outputs back into {estimator.n_features_in_} "
            f"features {heard}: fit the next row of the series, fit(series[:-1], series[1:]), as "
            "numbers"
        )


def refuse_tokens_of_others(estimator: Any) -> None:
    """Raise where the labels that a network is taught are not the tokens that it hears."""
    spec = estimator._spec
    known = set(estimator.classes_.tolist()) <= set(range(spec.n_features))
    if not (spec.tokens and known):
        raise ValueError(
            "generate needs a network that hears tokens and is taught tokens: integer X of one "
            f"column, and y of integers in [0, {spec.n_features - 1}]"
        )


def generate_rows(
    spec: Spec, theta: np.ndarray, state: np.ndarray, future: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return rows (n_steps, n_outputs), each heard beside a row of ``future``, and the state."""
    stepper = Stepper(spec, theta, state[0])
    rows = np.empty((len(future), spec.n_outputs), theta.dtype)
    with one_blas_thread():
        rows[0] = stepper.outputs_of_state()
        for k in range(1, len(rows)):
            stepper.advance(np.concatenate([rows[k - 1], future[k - 1]]))
            rows[k] = stepper.outputs()
    check_bounded(rows, "train longer, or on scaled data")
    return rows, stepper.state


def generate_tokens(
    spec: Spec,
    theta: np.ndarray,
    state: np.ndarray,
    n_steps: int,
    classes: np.ndarray,
    temperature: float,
    rng: np.random.RandomState,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw tokens (n_steps,), each heard before the next, and return them and the state."""
    stepper = Stepper(spec, theta, state[0])
    drawn = np.empty(n_steps, classes.dtype)
    with one_blas_thread():
        logits = stepper.outputs_of_state()
        for k in range(n_steps):
            drawn[k] = classes[_draw(logits, temperature, rng)]
            if k + 1 < n_steps:
                logits = stepper.step(drawn[k])
    return drawn, stepper.state


def _draw(logits: np.ndarray, temperature: float, rng: np.random.RandomState) -> int:
    if temperature == 0:
        return int(logits.argmax())
    # Subtracted first, a tiny temperature cannot make the largest infinite.
    p = np.exp(log_softmax((logits.astype(float) - logits.max()) / temperature))
    return min(int(np.searchsorted(np.cumsum(p), rng.random_sample())), len(p) - 1)
