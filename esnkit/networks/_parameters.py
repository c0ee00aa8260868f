"""The parameters of trained networks, checked: what network, how to train it, when to stop."""

import math
from typing import Any

import numpy as np

from esnkit.networks._hessian_free_update import Damping
from esnkit.networks._spec import Spec
from esnkit.networks._trainer import SOLVERS, Settings, Stopping
from esnkit.optim._first_order import MOMENTUM_SCHEDULES
from esnkit.sequences._packing import Sequences
from esnkit.sequences._targets import Targets
from esnkit.utils._validation import check_choice, check_flag, check_number, check_positive_int

__all__ = ["as_tokens", "count_tokens", "make_settings", "make_spec", "make_stopping"]

STARTS = ("zeros", "ones", "learned")
MOST_TOKENS = 100_000  # beyond, a column of integers is more likely of counts or times


def make_spec(
    estimator: Any,
    X: Any,
    sequences: Sequences,
    targets: Targets,
    loss: str,
    before: Spec | None = None,
) -> Spec:
    """Return the network that the parameters of an estimator ask for on these data.

    ``before`` is the network that is to go on; its tokens are known.
    """
    cell = check_choice("cell", estimator.cell, ("rnn", "lstm", "gru"))
    activation = check_choice("activation", estimator.activation, ("tanh", "relu"))
    resets_before = not check_flag("reset_after", estimator.reset_after)
    names = {"rnn": activation, "lstm": "lstm", "gru": "gru_before" if resets_before else "gru"}
    pooling = check_choice("pooling", estimator.pooling, ("last", "mean", "attention"))
    start = check_choice("start", estimator.start, STARTS)
    if start == "ones" and cell != "lstm":
        raise ValueError(f"start='ones' is for the cells of cell='lstm' alone, got cell={cell!r}")
    heads = "linear" if loss == "squared" else "softmax"
    if estimator.head is not None:
        check_choice("head", estimator.head, (heads,))
    dim = estimator.embedding_dim
    dim = 0 if dim is None else check_positive_int("embedding_dim", dim)
    if before is None:
        n_tokens = count_tokens(estimator, X, sequences)
    else:
        n_tokens = before.n_features if before.tokens else 0
    if dim and not n_tokens:
        raise ValueError(
            f"embedding_dim={dim} needs tokens: X of one column of integers, or their number as "
            f"n_tokens, got n_tokens={estimator.n_tokens!r}"
        )
    spec = Spec(
        names[cell],
        check_positive_int("n_units", estimator.n_units),
        n_tokens or sequences.values.shape[1],
        targets.values.shape[1],
        check_positive_int("n_layers", estimator.n_layers),
        check_flag("bidirectional", estimator.bidirectional),
        n_tokens > 0,
        dim,
        pooling if targets.kind == "sequence" else None,
        estimator.head is not None,
        loss,
        start == "learned",
        1.0 if start == "ones" else 0.0,
    )
    width = spec.n_units * spec.n_directions
    if not spec.head and spec.n_outputs > width:
        raise ValueError(
            f"head=None teaches the units themselves: {spec.n_outputs} outputs need as many "
            f"units, got n_units={width}"
        )
    return spec


def count_tokens(estimator: Any, X: Any, sequences: Sequences) -> int:
    """Return how many tokens an estimator takes X to be made of, 0 where it holds numbers."""
    asked, n_columns = estimator.n_tokens, sequences.values.shape[1]
    if asked is None and estimator.embedding_dim is not None:
        asked = "auto"  # only tokens are embedded
    if asked is None or (asked == "auto" and not (n_columns == 1 and _holds_integers(X))):
        return 0
    if asked != "auto":
        asked = check_positive_int("n_tokens", asked)
        if n_columns != 1:
            raise ValueError(f"X must have one column of tokens, got {n_columns} features")
        return asked
    n_tokens = int(max(sequences.values.max(), 0)) + 1
    if n_tokens > MOST_TOKENS:
        raise ValueError(
            f"X holds integers up to {n_tokens - 1}: n_tokens=None takes them for numbers, "
            f"n_tokens={n_tokens} for tokens, and n_tokens='auto' for tokens below {MOST_TOKENS}"
        )
    return n_tokens


def make_settings(estimator: Any, n_sequences: int, kind: str) -> Settings:
    """Return how the parameters of an estimator ask to train."""
    size, tbptt = estimator.batch_size, estimator.tbptt
    if isinstance(size, str):
        check_choice("batch_size", size, ("auto",))
        size = min(200, n_sequences)
    if tbptt is not None:
        tbptt = check_positive_int("tbptt", tbptt)
        if estimator.bidirectional:
            raise ValueError("tbptt needs bidirectional=False: the end is heard first")
        if kind == "sequence" and estimator.pooling != "last":
            raise ValueError(
                f"tbptt needs a target for every time step or pooling='last', got "
                f"pooling={estimator.pooling!r}"
            )
        if estimator.solver == "hessian_free":
            raise ValueError("tbptt needs solver='adam' or 'sgd': 'hessian_free' goes all the way")
    clip = estimator.clip_norm
    check_flag("early_stopping", estimator.early_stopping)
    check_flag("warm_start", estimator.warm_start)
    if not isinstance(estimator.verbose, (bool, int)):
        raise TypeError(f"verbose must be True, False or an integer, got {estimator.verbose!r}")
    return Settings(
        check_choice("solver", estimator.solver, SOLVERS),
        check_number("learning_rate_init", estimator.learning_rate_init, 0, low_open=True),
        check_number("momentum", estimator.momentum, 0, 1),
        check_choice("momentum_schedule", estimator.momentum_schedule, MOMENTUM_SCHEDULES),
        check_flag("nesterovs_momentum", estimator.nesterovs_momentum),
        None if clip is None else check_number("clip_norm", clip, 0, low_open=True),
        check_positive_int("batch_size", size),
        check_flag("shuffle", estimator.shuffle),
        check_number("alpha", estimator.alpha, 0),
        tbptt,
        Damping(
            check_number("damping", estimator.damping, 0),
            check_number("structural_damping", estimator.structural_damping, 0),
            check_positive_int("max_cg_iter", estimator.max_cg_iter),
        ),
    )


def make_stopping(estimator: Any) -> Stopping:
    """Return when the parameters of an estimator ask to stop."""
    patience = estimator.n_iter_no_change
    return Stopping(
        check_positive_int("max_iter", estimator.max_iter, 0),
        check_number("tol", estimator.tol, 0),
        math.inf if patience == math.inf else check_positive_int("n_iter_no_change", patience),
    )


def as_tokens(sequences: Sequences, n_tokens: int) -> np.ndarray:
    """Return the tokens (n_rows,) of sequences of one column, or raise."""
    values = sequences.values[:, 0]
    wrong = (values < 0) | (values >= n_tokens) | (values != np.floor(values))
    if np.any(wrong):
        raise ValueError(
            f"X holds the token {values[wrong][0]:g} in row {np.flatnonzero(wrong)[0]}, "
            f"expected integers in [0, {n_tokens - 1}]; n_tokens says how many there may be"
        )
    return values.astype(np.int64)


def _holds_integers(X: Any) -> bool:
    items = X if isinstance(X, (list, tuple)) else [X]
    return all(np.asarray(item).dtype.kind in "iu" for item in items)
