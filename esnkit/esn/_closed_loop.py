"""Closed loops: the outputs of a step are inputs of the next one."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from esnkit.esn._features import Settings, features
from esnkit.esn._readout import linear_map, read_rows
from esnkit.readouts._base import BaseReadout, is_linear
from esnkit.readouts._estimator import is_fitted
from esnkit.reservoirs._base import BaseReservoir
from esnkit.sequences._closed_loop import check_bounded
from esnkit.sequences._initial_state import Clamp, clamp_rows
from esnkit.sequences._packing import Sequences
from esnkit.utils._progress import Task
from esnkit.utils._validation import check_flag

__all__ = [
    "FittedParts",
    "check_feedback",
    "predict_with_feedback",
    "run_closed_loop",
    "run_while_learning",
    "teacher_forced",
]

FORCE = "force"  # training feeds the outputs back that the readout gives while it learns
ONE_STEP = np.array([0, 1], dtype=np.int64)


class FittedParts(NamedTuple):
    """A fitted reservoir and readout, and how features go from one to the other."""

    reservoir: BaseReservoir
    readout: BaseReadout
    settings: Settings
    n_outputs: int


def check_feedback(value: Any) -> bool | str:
    """Return False, True or "force", or raise."""
    if isinstance(value, str) and value == FORCE:
        return FORCE
    try:
        return check_flag("feedback", value)
    except TypeError:
        raise TypeError(f'feedback must be False, True or "force", got {value!r}') from None


def run_while_learning(
    parts: FittedParts,
    sequences: Sequences,
    state: np.ndarray,
    clamp: Clamp | None = None,
    noise: np.random.Generator | None = None,
) -> Iterator[tuple[int, int, np.ndarray]]:
    """Yield (start, stop, features) of every time step, and feed its output back to the next one.

    The readout may learn between two steps: the output of a step is that before it learns this
    step, zeros before it has learned any. ``state`` (n_sequences, n_state_ + n_outputs), which
    moves along, ends in the last outputs.
    """
    reservoir, readout, settings, n_outputs = parts
    n_state = reservoir.n_state_
    task = Task("", len(sequences.values), "time steps")
    for s, (start, stop) in enumerate(sequences.bounds):
        x, output = state[s : s + 1, :n_state].copy(), state[s, n_state:]
        for t in range(start, stop):
            inputs = np.concatenate([output, sequences.values[t]])[None]
            clamped = clamp and Clamp(clamp.units, clamp_rows(clamp.values, t, t + 1))
            row = Sequences(inputs, ONE_STEP, "series")
            for _, _, Z in features(reservoir, row, x, settings, clamp=clamped, noise=noise):
                can_predict = is_linear(readout) or is_fitted(readout)
                with np.errstate(over="ignore", invalid="ignore"):  # the check reports it
                    output[:] = read_rows(readout, Z, n_outputs)[0] if can_predict else 0.0
                _check_squares(output, t - start)
                yield t, t + 1, Z
            task.step()
        state[s, :n_state] = x


def _check_squares(output: np.ndarray, n_steps: int) -> None:
    """Raise if an output that is fed back is too large for a readout to learn from."""
    if not np.all(np.abs(output) < np.sqrt(np.finfo(output.dtype).max)):
        raise FloatingPointError(
            f'the closed loop of feedback="force" diverged after {n_steps} steps: use an '
            "RLSReadout with a larger alpha, or a smaller step_size"
        )


def teacher_forced(sequences: Sequences, Y: np.ndarray, y0: np.ndarray) -> Sequences:
    """Put y(t-1) before u(t); ``y0`` (n_sequences, n_outputs) precedes the first step."""
    fed = np.empty_like(Y)
    fed[1:] = Y[:-1]
    fed[sequences.offsets[:-1]] = y0
    values = np.ascontiguousarray(np.hstack([fed, sequences.values]))
    return Sequences(values, sequences.offsets, sequences.form)


def predict_with_feedback(
    parts: FittedParts,
    sequences: Sequences,
    state: np.ndarray,
    clamp: Clamp | None = None,
    step: Callable[[int], object] = lambda stop: None,
) -> np.ndarray:
    """Return outputs (n_rows, n_outputs), each fed back to the next step of its sequence.

    ``state`` (n_sequences, n_state_ + n_outputs), which moves along, ends in the last outputs.
    ``step`` is called after every sequence with the number of rows that are done.
    """
    n_state = parts.reservoir.n_state_
    rows = np.empty((len(sequences.values), parts.n_outputs), state.dtype)
    for s, (start, stop) in enumerate(sequences.bounds):
        inputs = np.concatenate([state[s, n_state:], sequences.values[start]])
        x, clamped = state[s, :n_state].copy(), clamp
        if clamp is not None:
            clamped = Clamp(clamp.units, clamp_rows(clamp.values, start, stop))
        out = rows[start:stop]
        run_closed_loop(parts, inputs, x, sequences.values[start:stop], out, clamped)
        state[s, :n_state], state[s, n_state:] = x, out[-1]
        step(stop)
    return rows


def run_closed_loop(
    parts: FittedParts,
    inputs: np.ndarray,
    state: np.ndarray,
    exog: np.ndarray,
    out: np.ndarray,
    clamp: Clamp | None = None,
) -> None:
    """Run with the outputs fed back into the first inputs, compiled where both parts allow it.

    Parameters
    ----------
    parts : FittedParts
    inputs : ndarray of shape (n_features,)
        First row of inputs; overwritten.
    state : ndarray of shape (n_state_,)
        Updated in place.
    exog : ndarray of shape (n_steps, n_features - n_outputs)
        The inputs that are not outputs.
    out : ndarray of shape (n_steps, n_outputs)
        Written: the outputs.
    clamp : Clamp or None, default=None
    """
    reservoir, readout, settings, n_outputs = parts
    run = reservoir.run_closed_loop
    if run is not None and is_linear(readout):
        weights = *linear_map(readout, n_outputs, state.dtype), settings.quadratic
        run(weights, inputs, exog, state, out, clamp)
    else:
        with np.errstate(over="ignore", invalid="ignore"):  # the check below reports it
            _run_in_single_steps(parts, inputs, state, exog, out, clamp)
    check_bounded(out, "train with a larger alpha, a little noise, or include_input=False")


def _run_in_single_steps(parts, inputs, state, exog, out, clamp):
    """Run the loop for any reservoir and readout: both are asked at every step."""
    reservoir, readout, settings, n_outputs = parts
    task = Task("", len(out), "time steps")
    for t in range(len(out)):
        inputs[n_outputs:] = exog[t]
        clamped = clamp and Clamp(clamp.units, clamp_rows(clamp.values, t, t + 1))
        row = Sequences(inputs[None].copy(), ONE_STEP, "series")
        try:
            for _, _, Z in features(reservoir, row, state[None], settings, clamp=clamped):
                out[t] = read_rows(readout, Z, n_outputs)[0]
        except FloatingPointError:  # states or features left the range of their dtype
            out[t] = np.nan
        if not np.all(np.isfinite(out[t])):
            out[t:] = np.nan
            return
        inputs[:n_outputs] = out[t]
        task.step()
