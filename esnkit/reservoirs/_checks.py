"""A test suite that any reservoir can run."""

import pickle
from typing import Any

import numpy as np
from sklearn.base import clone

from esnkit.reservoirs._base import BaseReservoir
from esnkit.sequences._initial_state import Clamp
from esnkit.sequences._packing import Sequences

__all__ = ["check_reservoir"]

LENGTHS = (7, 1, 12, 5)
N_INPUTS, N_FEEDBACK = 2, 1


def check_reservoir(reservoir: Any) -> None:
    """Check that a reservoir keeps the contract of :class:`BaseReservoir`.

    It draws the same weights from the same seed, counts its state and features, keeps sequences
    apart, gives the same features in one run and in two, and has a compiled closed loop, if any,
    that agrees with single steps.

    Parameters
    ----------
    reservoir : BaseReservoir
        Unfitted; it is cloned. Give it a ``random_state`` if it has one.

    Raises
    ------
    AssertionError
        At the first requirement that it misses, with a message that says which.

    Examples
    --------
    >>> from esnkit import Reservoir
    >>> from esnkit.reservoirs import check_reservoir
    >>> check_reservoir(Reservoir(n_units=10, random_state=0))
    """
    _require(isinstance(reservoir, BaseReservoir), "it must be a subclass of BaseReservoir")
    for dtype in (np.float64, np.float32):
        for n_feedback in (0, N_FEEDBACK):
            drawn = clone(reservoir).prepare(N_INPUTS, n_feedback, dtype)
            rows = _rows(drawn, dtype)
            _check_sizes(drawn, rows)
            _check_sequences_are_independent(drawn, rows)
            _check_advance(drawn, rows)
            if drawn.causal:
                _check_two_halves(drawn, rows)
                _check_causality(drawn, rows)
            if drawn.allows_clamp:
                _check_clamp(drawn, rows)
            for quadratic in (False, True):
                _check_closed_loop(drawn, dtype, quadratic)
    _check_reproducible(reservoir)
    _check_transform(reservoir)


def _require(condition: Any, message: str) -> None:
    if not condition:
        raise AssertionError(message)


def _rows(reservoir, dtype) -> Sequences:
    rng = np.random.default_rng(0)
    offsets = np.concatenate([[0], np.cumsum(LENGTHS)])
    values = rng.uniform(-1, 1, (offsets[-1], reservoir.n_features_in_)).astype(dtype)
    return Sequences(values, offsets, "ragged")


def _run(reservoir, rows: Sequences, state=None, **forcing):
    """Return the features and the last states."""
    dtype = rows.values.dtype
    if state is None:
        state = np.zeros((rows.n_sequences, reservoir.n_state_), dtype)
    out = np.full((len(rows.values), reservoir.n_features_out_ + 1), 7.0, dtype)
    state = state.copy()
    reservoir.run(rows, state, out, **forcing)
    _require((out[:, -1] == 7.0).all(), "run must leave further columns of out as they are")
    return out[:, :-1], state


def _check_sizes(reservoir, rows):
    for name in ("n_state_", "n_features_out_"):
        size: Any = getattr(reservoir, name, None)
        whole = isinstance(size, (int, np.integer))
        _require(whole and size >= 1, f"draw must set {name} to an integer >= 1, got {size!r}")
    before = rows.values.copy()
    features, state = _run(reservoir, rows)
    _require(np.array_equal(rows.values, before), "run must not write to its inputs")
    _require(np.isfinite(features).all(), "run must write every feature as a finite number")
    _require(np.isfinite(state).all(), "states must be finite")


def _check_sequences_are_independent(reservoir, rows):
    features, state = _run(reservoir, rows)
    for i, (start, stop) in enumerate(rows.bounds):
        alone, last = _run(reservoir, rows.part(i, i + 1))
        _require(
            np.allclose(alone, features[start:stop], rtol=1e-4, atol=1e-6)
            and np.allclose(last, state[i : i + 1], rtol=1e-4, atol=1e-6),
            f"sequence {i} must have the same features and last state alone and among others",
        )


def _check_advance(reservoir, rows):
    _, state = _run(reservoir, rows)
    advanced = np.zeros_like(state)
    reservoir.advance(rows, advanced)
    _require(
        np.array_equal(advanced, state), "run must end in the same states with out and without"
    )


def _check_two_halves(reservoir, rows):
    start, stop = rows.bounds[2]
    whole, last = _run(reservoir, rows.part(2, 3))
    parts: list[np.ndarray] = []
    state: Any = None
    for a, b in ((start, start + 5), (start + 5, stop)):
        half = Sequences(rows.values[a:b], np.array([0, b - a]), "series")
        features, state = _run(reservoir, half, state)
        parts.append(features)
    _require(
        np.array_equal(np.vstack(parts), whole) and np.array_equal(state, last),
        "a sequence in two halves, the state carried on, must give the same bits as the whole",
    )


def _check_causality(reservoir, rows):
    whole, _ = _run(reservoir, rows.part(2, 3))
    changed = rows.part(2, 3)
    values = changed.values.copy()
    values[6:] += 1.0
    other, _ = _run(reservoir, changed._replace(values=values))
    _require(
        np.array_equal(other[:6], whole[:6]),
        "features depend on later time steps of their sequence: set causal = False",
    )


def _check_clamp(reservoir, rows):
    units, value = np.array([reservoir.n_state_ - 1]), 0.25
    clamp = Clamp(units, np.full((1, 1), value, rows.values.dtype))
    _, state = _run(reservoir, rows, clamp=clamp)
    _require((state[:, units] == value).all(), "a clamp must hold its entries of the state")


def _check_closed_loop(reservoir, dtype, quadratic):
    """Compare the compiled closed loop with single steps."""
    if reservoir.run_closed_loop is None:
        return
    rng = np.random.default_rng(1)
    coef = rng.uniform(-0.1, 0.1, (1, reservoir.n_features_out_)).astype(dtype)
    intercept = np.full(1, 0.1, dtype)
    exog = rng.uniform(-1, 1, (6, reservoir.n_features_in_ - 1)).astype(dtype)
    state, out = np.zeros(reservoir.n_state_, dtype), np.empty((6, 1), dtype)
    inputs = np.concatenate([np.full(1, 0.3, dtype), exog[0]])
    reservoir.run_closed_loop((coef, intercept, quadratic), inputs, exog, state, out)
    expected, y = np.zeros((1, reservoir.n_state_), dtype), np.full(1, 0.3, dtype)
    for t in range(6):
        row = Sequences(np.concatenate([y, exog[t]])[None], np.array([0, 1]), "series")
        features, expected = _run(reservoir, row, expected)
        if quadratic:
            features[:, 1::2] **= 2
        y = features[0] @ coef.T + intercept
        _require(
            np.allclose(out[t], y, rtol=1e-4, atol=1e-6),
            "run_closed_loop must agree with single steps of run",
        )
    _require(
        np.allclose(state, expected[0], rtol=1e-4, atol=1e-6),
        "run_closed_loop must update the state in place",
    )


def _check_reproducible(reservoir):
    first, second = (clone(reservoir).prepare(N_INPUTS) for _ in range(2))
    rows = _rows(first, np.float64)
    features, _ = _run(first, rows)
    _require(
        np.array_equal(_run(second, rows)[0], features),
        "two draws with the same random_state must be equal",
    )
    copy = pickle.loads(pickle.dumps(first))
    _require(np.array_equal(_run(copy, rows)[0], features), "it must survive pickling")


def _check_transform(reservoir):
    rows = _rows(clone(reservoir).prepare(N_INPUTS), np.float64)
    sequences = np.split(rows.values, rows.offsets[1:-1])
    fitted = clone(reservoir).fit(sequences)
    states = fitted.transform(sequences)
    shapes = [(len(X), fitted.n_features_out_) for X in sequences]
    _require([a.shape for a in states] == shapes, "transform must return a row for every step")
    names = fitted.get_feature_names_out()
    _require(len(names) == fitted.n_features_out_, "every feature must have a name")
