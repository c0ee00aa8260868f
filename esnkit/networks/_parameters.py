"""The parameters of trained networks, checked: which network, how to train it, when to stop."""

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from esnkit.networks._cells import CELLS, check_n_units, find_cell
from esnkit.networks._hessian_free_update import Damping
from esnkit.networks._inputs import count_tokens
from esnkit.networks._solvers import LEARNING_RATES, Settings, solvers
from esnkit.networks._spec import POOLINGS, Spec
from esnkit.networks._trainer import Stopping
from esnkit.optim._first_order import MOMENTUM_SCHEDULES
from esnkit.optim._optimizers import OptimizerParameters
from esnkit.sequences._packing import Sequences
from esnkit.sequences._targets import Targets
from esnkit.utils._validation import (
    check_choice,
    check_flag,
    check_number,
    check_positive_int,
    check_verbose,
)

__all__ = [
    "STARTS",
    "check_batch_size",
    "check_clip_norm",
    "check_embedding_dim",
    "check_learning_rate",
    "make_settings",
    "make_spec",
    "make_stopping",
]

# An epoch of batch_size="auto" makes MIN_UPDATES or more, unless batches were tiny then.
MIN_UPDATES, MIN_AUTO_BATCH_SIZE, MAX_AUTO_BATCH_SIZE = 20, 4, 16


class Start(NamedTuple):
    """A kind of state before the first time step."""

    learned: bool = False
    cell_state: float = 0.0  # of cell states that are not learned; hidden states are zero


STARTS = {"zeros": Start(), "ones": Start(cell_state=1.0), "learned": Start(learned=True)}


def make_spec(
    estimator: Any, X: Any, sequences: Sequences, targets: Targets, before: Spec | None = None
) -> Spec:
    """Return the network that the parameters of an estimator select for these data.

    ``before`` is the network whose training continues; it determines the number of tokens.
    """
    cell = find_cell(estimator.cell, estimator.activation, estimator.reset_after)
    pooling = _choose_pooling(estimator)
    start = _check_start(estimator.start, cell)
    if estimator.head is not None:
        check_choice("head", estimator.head, (estimator._head,))
    dim = check_embedding_dim(estimator.embedding_dim)
    if before is None:
        n_tokens = count_tokens(estimator.n_tokens, estimator.embedding_dim, X, sequences)
    else:
        n_tokens = before.n_features if before.tokens else 0
    if dim and not n_tokens:
        raise ValueError(
            f"embedding_dim={dim} needs tokens: X of one column of integers, or n_tokens set to "
            f"their number, got n_tokens={estimator.n_tokens!r}"
        )
    spec = Spec(
        cell=cell,
        n_units=check_n_units(estimator.n_units, cell),
        n_features=n_tokens or sequences.values.shape[1],
        n_outputs=targets.values.shape[1],
        n_layers=check_positive_int("n_layers", estimator.n_layers),
        bidirectional=check_flag("bidirectional", estimator.bidirectional),
        tokens=n_tokens > 0,
        embedding_dim=dim,
        pooling=pooling if targets.kind == "sequence" else None,
        head=estimator.head is not None,
        loss=estimator._loss,
        learn_state=start.learned,
        cell_state=start.cell_state,
    )
    _check_headless(spec)
    return spec


def _choose_pooling(estimator: Any) -> str:
    """Return a key of POOLINGS; for "auto" the mean, of which truncated BPTT has no gradient."""
    pooling = check_choice("pooling", estimator.pooling, ("auto", *POOLINGS))
    if pooling != "auto":
        return pooling
    return "mean" if estimator.tbptt is None else "last"


def _check_start(start: Any, cell: str) -> Start:
    record = STARTS[check_choice("start", start, STARTS)]
    if record.cell_state and not CELLS[cell].has_cell_state:
        possible = _either(sorted(other.family for other in CELLS.values() if other.has_cell_state))
        raise ValueError(
            f"start={start!r} sets the cell states of cell={possible}, got "
            f"cell={CELLS[cell].family!r}"
        )
    return record


def _check_headless(spec: Spec) -> None:
    width = spec.n_units * spec.n_directions
    if not spec.head and spec.n_outputs > width:
        raise ValueError(
            f"head=None makes the first units of the last layer the outputs: {spec.n_outputs} "
            f"outputs need as many units, got {width}; increase n_units"
        )


def make_settings(estimator: Any, n_sequences: int, kind: str) -> Settings:
    """Return how the parameters of an estimator say to train; ``kind`` is that of the targets."""
    check_flag("early_stopping", estimator.early_stopping)
    check_flag("warm_start", estimator.warm_start)
    check_verbose(estimator.verbose)
    return Settings(
        solver=check_choice("solver", estimator.solver, solvers()),
        optimizer=_make_optimizer_parameters(estimator),
        clip_norm=check_clip_norm(estimator.clip_norm),
        batch_size=check_batch_size(estimator.batch_size, n_sequences),
        shuffle=check_flag("shuffle", estimator.shuffle),
        alpha=check_number("alpha", estimator.alpha, 0),
        tbptt=_check_tbptt(estimator, kind),
        damping=Damping(
            check_number("damping", estimator.damping, 0),
            check_number("structural_damping", estimator.structural_damping, 0),
            check_positive_int("max_cg_iter", estimator.max_cg_iter),
        ),
        learning_rate=check_choice("learning_rate", estimator.learning_rate, LEARNING_RATES),
    )


def _make_optimizer_parameters(estimator: Any) -> OptimizerParameters:
    return OptimizerParameters(
        check_learning_rate(estimator.learning_rate_init),
        check_number("momentum", estimator.momentum, 0, 1),
        check_choice("momentum_schedule", estimator.momentum_schedule, MOMENTUM_SCHEDULES),
        check_flag("nesterovs_momentum", estimator.nesterovs_momentum),
    )


def _check_tbptt(estimator: Any, kind: str) -> int | None:
    """Return the number of time steps of a chunk, or None for full backpropagation."""
    if estimator.tbptt is None:
        return None
    tbptt = check_positive_int("tbptt", estimator.tbptt)
    if estimator.bidirectional:
        raise ValueError(
            "tbptt needs bidirectional=False: the backward direction starts at the end"
        )
    if kind == "sequence" and not POOLINGS[_choose_pooling(estimator)].reads_last:
        possible = _either(name for name, pooling in POOLINGS.items() if pooling.reads_last)
        raise ValueError(
            f"tbptt needs a target for every time step or pooling={possible}, got "
            f"pooling={estimator.pooling!r}"
        )
    if not solvers()[check_choice("solver", estimator.solver, solvers())].supports_tbptt:
        possible = _either(name for name, solver in solvers().items() if solver.supports_tbptt)
        raise ValueError(f"tbptt needs solver={possible}, got solver={estimator.solver!r}")
    return tbptt


def _either(names: Iterable[str]) -> str:
    return " or ".join(map(repr, names))


def make_stopping(estimator: Any) -> Stopping:
    """Return when the parameters of an estimator say to stop."""
    patience = estimator.n_iter_no_change
    forever = np.ndim(patience) == 0 and patience == math.inf
    return Stopping(
        check_positive_int("max_iter", estimator.max_iter, 0),
        check_number("tol", estimator.tol, 0),
        math.inf if forever else check_positive_int("n_iter_no_change", patience),
    )


def check_learning_rate(learning_rate_init: Any) -> float:
    """Return the learning rate, or raise."""
    return check_number("learning_rate_init", learning_rate_init, 0, low_open=True)


def check_clip_norm(clip_norm: Any) -> float | None:
    """Return the norm to clip gradients to, None for no clipping, or raise."""
    return None if clip_norm is None else check_number("clip_norm", clip_norm, 0, low_open=True)


def check_batch_size(batch_size: Any, n_sequences: int) -> int:
    """Return the number of sequences of a mini-batch, or raise."""
    if isinstance(batch_size, str):
        if batch_size != "auto":
            raise ValueError(f"batch_size must be an integer >= 1 or 'auto', got {batch_size!r}")
        size = math.ceil(n_sequences / MIN_UPDATES)
        return min(max(size, MIN_AUTO_BATCH_SIZE), MAX_AUTO_BATCH_SIZE)
    return check_positive_int("batch_size", batch_size)


def check_embedding_dim(embedding_dim: Any) -> int:
    """Return the length of the vectors of tokens, 0 for one-hot vectors, or raise."""
    return 0 if embedding_dim is None else check_positive_int("embedding_dim", embedding_dim)
