"""Closed loops of trained networks: every prediction, a row or a token, is the next input."""

from typing import Any

import numpy as np

from esnkit.networks._batch import InitialState, make_batch
from esnkit.networks._bptt import starting_state
from esnkit.networks._inputs import network_inputs, network_state
from esnkit.networks._losses import log_softmax
from esnkit.networks._minibatches import SequenceBatch, evaluate
from esnkit.networks._spec import Spec, parameter_views
from esnkit.networks._stepper import Stepper
from esnkit.sequences._closed_loop import check_bounded, pack_one_series
from esnkit.utils._threads import one_blas_thread
from esnkit.utils._validation import refuse_masked

__all__ = [
    "check_feeds_rows_back",
    "check_feeds_tokens_back",
    "first_state",
    "generate_rows",
    "generate_tokens",
    "warm_up",
]


def warm_up(estimator: Any, warmup: Any, initial_state: Any) -> np.ndarray:
    """Return the state (1, n_state) after the warm-up, or after the training series.

    With an initial state and no warm-up, it is the initial state.
    """
    spec, theta = estimator._spec, estimator._theta
    if estimator._kind != "steps" or spec.bidirectional:
        raise ValueError(
            "generate needs bidirectional=False, and a network fitted to a target for every time "
            "step"
        )
    if warmup is None and initial_state is not None:
        return first_state(spec, theta, initial_state)
    start: InitialState | None
    if warmup is None:
        inputs, start = _end_of_training(estimator)
    else:
        inputs = _warmup_inputs(estimator, warmup)
        start = network_state(spec, initial_state, 1, theta.dtype)
    n = len(inputs)
    batch = SequenceBatch(inputs, np.array([0, n]), np.empty((n, 0)), True, initial_state=start)
    with one_blas_thread():
        return evaluate(spec, theta, batch)[1]


def first_state(spec: Spec, theta: np.ndarray, initial_state: Any) -> np.ndarray:
    """Return the state (1, n_state) before the first time step of one sequence."""
    start = network_state(spec, initial_state, 1, theta.dtype)
    batch = make_batch(np.empty((1, 0)), np.array([0, 1]), start)
    return starting_state(spec, parameter_views(spec, theta), batch)[0]


def _end_of_training(estimator: Any) -> tuple[np.ndarray, InitialState]:
    """Return the last target, as the next input, and the state before it."""
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


def _warmup_inputs(estimator: Any, warmup: Any) -> np.ndarray:
    refuse_masked("warmup", warmup)
    flat = isinstance(warmup, (list, tuple)) and not any(np.ndim(item) for item in warmup)
    if estimator._spec.tokens and (flat or getattr(warmup, "ndim", None) == 1):
        warmup = np.asarray(warmup)[:, None]
    sequences = pack_one_series(estimator, "warmup", warmup, estimator._theta.dtype)
    try:
        return network_inputs(estimator._spec, sequences)
    except ValueError as error:
        raise ValueError(f"warmup must be a series like the X of fit: {error}") from error


def check_feeds_rows_back(spec: Spec) -> None:
    """Raise unless a row of outputs can be (the first part of) the next input row."""
    if spec.tokens or spec.n_outputs > spec.n_features:
        n_columns, kind = (1, "tokens") if spec.tokens else (spec.n_features, "numbers")
        raise ValueError(
            f"generate feeds {spec.n_outputs} outputs back into {n_columns} features of {kind}: "
            "fit the network to the next row of the series, fit(series[:-1], series[1:]), as "
            "numbers"
        )


def check_feeds_tokens_back(spec: Spec, classes: np.ndarray) -> None:
    """Raise unless the predicted labels are tokens of the input."""
    if not (spec.tokens and set(classes.tolist()) <= set(range(spec.n_features))):
        raise ValueError(
            "generate needs a network whose inputs and labels are the same tokens: integer X of "
            f"one column, and y of integers in [0, {spec.n_features - 1}]"
        )


def generate_rows(
    spec: Spec, theta: np.ndarray, state: np.ndarray, future: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return rows (n_steps, n_outputs) and the state before the last of them.

    Row k, beside row k of the exogenous inputs ``future``, is the input that predicts row k + 1.
    """
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
    """Draw tokens (n_steps,), each the input that predicts the next; return them and the state."""
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
    # The maximum is subtracted first, so that a tiny temperature does not make it infinite.
    p = np.exp(log_softmax((logits.astype(float) - logits.max()) / temperature))
    return min(int(np.searchsorted(np.cumsum(p), rng.random_sample())), len(p) - 1)
