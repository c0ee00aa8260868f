"""Moments of a stream of weighted rows: which rows go where, and which form suffices.

Outputs that have always had equal weights share one set of moments, and so one factor. Rows are
shared between two lanes that fill independently. Which row goes to which lane depends on the
rows alone, so that one thread and two give the same bits.
"""

import copy
from collections.abc import Callable
from functools import partial
from typing import ClassVar, Self

import numpy as np

from esnkit.readouts._base import Block
from esnkit.readouts._least_squares import (
    EPS,
    GramMoments,
    Moments,
    OrthogonalMoments,
    as_gram,
)
from esnkit.utils._threads import one_blas_thread, run_tasks
from esnkit.utils._validation import for_kernels

LANE_ROWS = 1024  # rows a lane takes at once: enough to fill BLAS, few enough to stay small
SHARED_ROWS = 128  # blocks with fewer rows are not worth sharing between the lanes

# The Gram is trusted up to this condition of the penalised features, columns scaled. On tanh
# reservoir states its predictions then differ from the orthogonal factor's by about 1e-8 of the
# target's deviation at most (benchmarks/speed_readout.py --part rule).
GRAM_CONDITION = 2e7
# With alpha this many times the Gram's rounding, eps times its trace, that condition is not
# reached, whatever the features.
GRAM_MARGIN = 300.0
# Rows whose end is not known may become this many times more.
UNKNOWN_END = 100.0


class Group:
    """Outputs with equal weights, and one or two lanes of their moments.

    Parameters
    ----------
    outputs : ndarray of int
    lanes : list of Moments
    """

    def __init__(self, outputs: np.ndarray, lanes: list[Moments]):
        self.outputs = outputs
        self.lanes = lanes

    def tasks(self, X: np.ndarray, Y: np.ndarray, w: np.ndarray) -> list[Callable[[], None]]:
        """Return what must be done to take in these rows, as independent tasks."""
        if not w.all():
            taught = w > 0
            X, Y, w = X[taught], Y[taught], w[taught]
        m = len(w)
        if m == 0:
            return []
        if m >= SHARED_ROWS and len(self.lanes) == 1:
            self.lanes.append(type(self.lanes[0])(X.shape[1], Y.shape[1]))
        parts = [slice(0, m)] if m < SHARED_ROWS else [slice(0, m // 2), slice(m // 2, m)]
        return [
            partial(lane.add, X[s], Y[s], w[s]) for lane, s in zip(self.lanes, parts, strict=False)
        ]

    def total(self) -> Moments:
        """Return the moments of all lanes, which stay as they are: others may read them too."""
        if len(self.lanes) == 1:
            return self.lanes[0]
        total = self.lanes[0].take(np.arange(len(self.outputs)))
        for lane in self.lanes[1:]:
            total.merge(lane)
        return total

    def join(self) -> None:
        """Join the lanes to one, without a copy, and give the work space back."""
        for lane in self.lanes[1:]:
            self.lanes[0].merge(lane)
        del self.lanes[1:]
        self.lanes[0].release()

    def take(self, inside: np.ndarray) -> "Group":
        """Return a copy for the outputs at these positions."""
        return Group(self.outputs[inside], [lane.take(inside) for lane in self.lanes])


class Accumulator:
    """Moments of a stream of rows, one set for each group of outputs with equal weights.

    Parameters
    ----------
    solver : {"gram", "qr"}
    n_features, n_outputs : int

    Attributes
    ----------
    n_rows : int
        Rows seen with a weight above zero.
    settled : bool
        Whether the solver is there to stay.
    """

    kinds: ClassVar[dict[str, type[Moments]]] = {"gram": GramMoments, "qr": OrthogonalMoments}

    def __init__(self, solver: str, n_features: int, n_outputs: int, settled: bool = True):
        self.solver = solver
        self.n_rows = 0
        self.settled = settled
        self.groups = [Group(np.arange(n_outputs), [self.kinds[solver](n_features, n_outputs)])]

    def add(self, X: np.ndarray, Y: np.ndarray, w: np.ndarray | None) -> Self:
        """Take in rows X (m, n_features), Y (m, n_outputs), weights w (m,), (m, n_outputs)."""
        w = np.ones(len(X)) if w is None else np.asarray(w, np.float64)
        X = np.ascontiguousarray(X)
        if w.ndim == 2:
            self.groups = _split(self.groups, lambda outputs: _equal_columns(w[:, outputs]))
        with one_blas_thread():
            for start in range(0, len(X), 2 * LANE_ROWS):
                s = slice(start, start + 2 * LANE_ROWS)
                for group in self.groups:
                    weights = w[s] if w.ndim == 1 else w[s, group.outputs[0]]
                    targets = np.ascontiguousarray(Y[s, group.outputs])
                    run_tasks(group.tasks(for_kernels(X[s]), targets, for_kernels(weights)))
        self.n_rows += int(np.count_nonzero(w if w.ndim == 1 else w.any(axis=1)))
        return self

    def merge(self, other: "Accumulator") -> None:
        """Take in all that another accumulator has seen; it is left as it was."""
        mine = self
        if self.solver != other.solver:
            mine, other = self.as_gram(), other.as_gram()
        labels = other.labels()
        divided = _split(mine.groups, lambda outputs: labels[outputs])
        # Copies, so that what stops a merge on the way leaves everything as it was.
        groups = [group.take(np.arange(len(group.outputs))) for group in divided]
        with one_blas_thread():
            for group in groups:
                theirs = other.groups[labels[group.outputs[0]]]
                inside = np.searchsorted(theirs.outputs, group.outputs)
                group.join()
                group.lanes[0].merge(theirs.take(inside).total())
        self.groups = groups
        self.solver = mine.solver
        self.n_rows += other.n_rows
        self.settled = mine.settled or other.settled

    def labels(self) -> np.ndarray:
        """Return the number of the group of every output."""
        labels = np.empty(sum(len(g.outputs) for g in self.groups), np.intp)
        for i, group in enumerate(self.groups):
            labels[group.outputs] = i
        return labels

    def as_gram(self) -> "Accumulator":
        """Return the same moments in Gram form."""
        gram = self.joined()
        gram.solver, gram.settled = "gram", True
        with one_blas_thread():
            gram.groups = [Group(g.outputs, [as_gram(g.total())]) for g in gram.groups]
        return gram

    def joined(self) -> "Accumulator":
        """Return the same moments with one lane in every group."""
        joined = copy.copy(self)
        with one_blas_thread():
            joined.groups = [Group(g.outputs, [g.total()]) for g in self.groups]
        return joined

    def join(self) -> Self:
        """Join the lanes of every group in place, once all rows have come."""
        with one_blas_thread():
            for group in self.groups:
                group.join()
        return self

    def totals(self) -> list[tuple[np.ndarray, Moments]]:
        """Return (outputs, moments) of every group; raise ValueError where they overflow."""
        with one_blas_thread():
            totals = [(group.outputs, group.total()) for group in self.groups]
        for _, moments in totals:
            moments.check()
        return totals

    def solve(self, alpha: float) -> tuple[list[np.ndarray], float]:
        """Return the coefficients of every group, and the largest condition met."""
        totals = self.totals()
        for outputs, moments in totals:
            if moments.weight == 0:
                raise ValueError(
                    f"sample_weight must not be zero for every row, as for output {outputs[0]}"
                )
        with one_blas_thread():
            solved = [moments.solve(alpha) for _, moments in totals]
        return [B for B, _ in solved], max(condition for _, condition in solved)


def take(
    moments: Accumulator | None, block: Block, solver: str, alpha: float, n_rows: int | None
) -> Accumulator:
    """Add a block to the moments (None: to new ones), and return them.

    With ``solver="auto"``, an alpha far above the Gram's rounding, as the first rows foretell
    it, decides for the Gram at once, and so does a good condition of its own. Where the first
    rows are too few to tell, the orthogonal factor goes first, and may still become a Gram.
    """
    X, Y, w = block
    Y = Y.reshape(len(Y), -1)
    shape = X.shape[1], Y.shape[1]
    if solver != "auto":
        return (moments or Accumulator(solver, *shape)).add(X, Y, w)
    if moments is None or moments.n_rows == 0:
        moments = Accumulator("gram", *shape).add(X, Y, w)
        if moments.n_rows == 0 or _outweighs(alpha, moments, n_rows):
            return moments
        settled = _can_tell(moments)
        if settled and _well_conditioned(alpha, moments, n_rows):
            return moments
        return Accumulator("qr", *shape, settled).add(X, Y, w)
    moments.add(X, Y, w)
    if not moments.settled and _can_tell(moments):
        moments.settled = True
        if _well_conditioned(alpha, moments, n_rows):
            return moments.as_gram()
    return moments


def _growth(moments: Accumulator, n_rows: int | None) -> float:
    """Return how many times the rows so far there may be in the end."""
    return UNKNOWN_END if n_rows is None else max(1.0, n_rows / moments.n_rows)


def _can_tell(moments: Accumulator) -> bool:
    """Return whether the rows are enough to see all that the features can do."""
    return moments.n_rows >= 1.25 * len(moments.groups[0].lanes[0].factor) + 50


def _well_conditioned(alpha: float, moments: Accumulator, n_rows: int | None) -> bool:
    """Return whether the condition seen so far, with a margin, suits a Gram."""
    smallest = alpha / _growth(moments, n_rows)
    totals = moments.totals()
    with one_blas_thread():
        return all(m.solve(smallest)[1] < GRAM_CONDITION / 2 for _, m in totals if m.weight)


def _outweighs(alpha: float, moments: Accumulator, n_rows: int | None) -> bool:
    """Return whether alpha is far above the rounding of the Gram of all rows to come."""
    if moments.n_rows < 50:
        return False
    trace = max(m.factor.trace() for _, m in moments.totals())
    return alpha > GRAM_MARGIN * EPS * trace * _growth(moments, n_rows)


def _split(groups: list[Group], labels_of: Callable[[np.ndarray], np.ndarray]) -> list[Group]:
    """Divide every group into one group for each label of its outputs."""
    divided = []
    for group in groups:
        labels = labels_of(group.outputs)
        kinds = np.unique(labels)
        if len(kinds) == 1:
            divided.append(group)
        else:
            divided += [group.take(np.flatnonzero(labels == k)) for k in kinds]
    return divided


def _equal_columns(w: np.ndarray) -> np.ndarray:
    """Return a label for each column of w, the same for equal columns."""
    return np.unique(w, axis=1, return_inverse=True)[1].reshape(-1)
