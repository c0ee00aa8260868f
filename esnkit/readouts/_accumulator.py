"""Streaming weighted least squares: row partitioning, and the choice between Gram matrix and QR.

Outputs whose weights have been equal in every row share one set of sufficient statistics, and so
one factorisation. Rows are divided between two partial sums that two threads fill independently.
Which rows go to which partial sum depends on the rows alone, so that one thread and two give the
same bits.
"""

import copy
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, ClassVar, NamedTuple, Self, cast

import numpy as np

from esnkit.readouts._base import Block
from esnkit.readouts._least_squares import (
    EPS,
    GramStatistics,
    QRStatistics,
    SufficientStatistics,
    to_gram,
)
from esnkit.utils._plain_state import plain_record
from esnkit.utils._threads import interruptible, one_blas_thread, run_tasks
from esnkit.utils._validation import for_kernels

__all__ = [
    "MAX_GRAM_CONDITION",
    "Accumulator",
    "Solved",
    "accumulate",
    "accumulate_blocks",
    "has_enough_rows",
    "is_enough",
    "rows_added_at_once",
    "settle",
    "suits_gram",
]

ROWS_PER_PARTIAL_SUM = 1024  # rows added at once: enough for BLAS, few enough for small buffers
MANY_FEATURES = 256  # of so many, half as many rows are enough for BLAS
MIN_ROWS_TO_DIVIDE = 128  # with fewer rows, a second partial sum costs more than it saves

# "auto" uses the Gram matrix up to this condition of the features with sqrt(alpha) I below them,
# columns scaled. On tanh reservoir states its predictions then differ from those of QR by at most
# about 1e-8 standard deviations of the target (benchmarks/speed_readout.py --part rule).
MAX_GRAM_CONDITION = 2e7
# An alpha this many times the rounding error of the Gram matrix, eps times its trace, keeps the
# condition below that bound for any features.
MIN_ALPHA_OVER_ROUNDING = 300.0
# If the number of rows is unknown, the rows so far are assumed to grow by this factor at most.
MAX_GROWTH_IF_UNKNOWN = 100.0
# Fewer rows than this tell nothing of the size of the features.
MIN_ROWS_TO_CHOOSE = 50

Totals = list[tuple[np.ndarray, SufficientStatistics]]  # (outputs, statistics) of every group


class Solved(NamedTuple):
    """Ridge coefficients of every group of outputs, and how far to trust them."""

    coefs: list[np.ndarray]  # (n_features, n_outputs of the group)
    condition: float  # the largest one of any group
    amplification: float  # about how much predictions amplify rounding errors, at most


@plain_record
class OutputGroup:
    """Outputs with equal weights, and one or two partial sums of their statistics.

    Parameters
    ----------
    outputs : ndarray of int
        Which outputs they are.
    partial_sums : list of SufficientStatistics

    Attributes
    ----------
    shared : set of int
        Which partial sums belong to another group too: they are copied before they change.
    """

    def __init__(self, outputs: np.ndarray, partial_sums: list[SufficientStatistics]):
        self.outputs = outputs
        self.partial_sums = partial_sums
        self.shared: set[int] = set()

    def add_tasks(self, X: np.ndarray, Y: np.ndarray, w: np.ndarray) -> list[Callable[[], None]]:
        """Return independent tasks that together add these rows to the partial sums."""
        parts: tuple[list[Block], list[Block]] = [], []  # of the rows, for each partial sum
        n_at_once = rows_added_at_once(X.shape[1])
        for start in range(0, len(X), n_at_once):
            rows: Any = slice(start, min(start + n_at_once, len(X)))
            if not w[rows].all():
                rows = start + np.flatnonzero(w[rows])
            piece = X[rows], Y[rows], w[rows]
            m = len(piece[0])
            middle = m if m < MIN_ROWS_TO_DIVIDE else m // 2
            for part, half in zip(parts, (slice(0, middle), slice(middle, m)), strict=True):
                if half.start < half.stop:
                    part.append(tuple(array[half] for array in piece))
        if parts[1] and len(self.partial_sums) == 1:
            self.partial_sums.append(type(self.partial_sums[0])(X.shape[1], Y.shape[1]))
        return [partial(self._add, k, part) for k, part in enumerate(parts) if part]

    def _add(self, k: int, blocks: list[Block]) -> None:
        """Add blocks to partial sum k."""
        statistics = self._own(k)
        for block in blocks:
            statistics.add(*map(for_kernels, block))

    def _own(self, k: int) -> SufficientStatistics:
        """Return partial sum k, copied first if another group has it too."""
        if k in self.shared:
            self.partial_sums[k] = self.partial_sums[k].copy()
            self.shared.discard(k)
        return self.partial_sums[k]

    def share(self) -> "OutputGroup":
        """Return a group with the same partial sums, which copies each before changing it."""
        group = OutputGroup(self.outputs, list(self.partial_sums))
        group.shared = set(range(len(self.partial_sums)))
        return group

    def total(self) -> SufficientStatistics:
        """Return the statistics of all rows; the partial sums stay unchanged."""
        if len(self.partial_sums) == 1:
            return self.partial_sums[0]
        total = self.partial_sums[0].copy()
        for statistics in self.partial_sums[1:]:
            total.merge(statistics)
        return total

    def merge_partial_sums(self) -> None:
        """Merge the partial sums into one, and free their buffers."""
        for statistics in self.partial_sums[1:]:
            self._own(0).merge(statistics)
        del self.partial_sums[1:]
        self.partial_sums[0].free_buffers()

    def merge(self, statistics: SufficientStatistics) -> None:
        """Add the rows of other statistics of the same outputs."""
        self.merge_partial_sums()
        self._own(0).merge(statistics)

    def select_outputs(self, positions: np.ndarray) -> "OutputGroup":
        """Return a copy for the outputs at some positions of the group."""
        selected = [statistics.select_outputs(positions) for statistics in self.partial_sums]
        return OutputGroup(self.outputs[positions], selected)


@plain_record
class Accumulator:
    """Sufficient statistics of a stream of rows, one set per group of outputs of equal weights.

    Parameters
    ----------
    solver : {"gram", "qr"}
    n_features, n_outputs : int
    solver_is_final : bool, default=True
        False if a QR factor may still be turned into a Gram matrix.
    standardize : bool, default=False
        Whether the penalty is that of features divided by their standard deviations.

    Attributes
    ----------
    n_rows : int
        Number of rows with a positive weight so far.
    target_sums : ndarray of shape (n_outputs,)
        Sums of their targets, without weights: of class indicators, the numbers of rows.
    groups : list of OutputGroup
    may_overflow : bool
        False if `check_overflow` has found all sums so small that moderate rows keep them finite,
        and none was added since.
    """

    kinds: ClassVar[dict[str, type[SufficientStatistics]]] = {
        "gram": GramStatistics,
        "qr": QRStatistics,
    }

    def __init__(
        self,
        solver: str,
        n_features: int,
        n_outputs: int,
        solver_is_final: bool = True,
        standardize: bool = False,
    ):
        self.solver = solver
        self.standardize = standardize
        self.n_rows = 0
        self.target_sums = np.zeros(n_outputs)
        self.solver_is_final = solver_is_final
        self.may_overflow = True
        statistics = self.kinds[solver](n_features, n_outputs)
        self.groups = [OutputGroup(np.arange(n_outputs), [statistics])]

    def add(self, X: np.ndarray, Y: np.ndarray, w: np.ndarray | None) -> Self:
        """Add rows X (m, n_features), Y (m, n_outputs), weights (m,) or (m, n_outputs)."""
        w = np.ones(len(X)) if w is None else np.asarray(w, np.float64)
        X = np.ascontiguousarray(X)
        if w.ndim == 2:
            self.groups = _divide(self.groups, lambda outputs: _label_equal_columns(w[:, outputs]))
        with one_blas_thread():
            for group in self.groups:
                weights = w if w.ndim == 1 else np.ascontiguousarray(w[:, group.outputs[0]])
                tasks = group.add_tasks(X, np.ascontiguousarray(Y[:, group.outputs]), weights)
                # An interrupt makes the caller forget the statistics.
                interruptible(len(X) * X.shape[1] ** 2, run_tasks, tasks)
            is_used = w > 0 if w.ndim == 1 else (w > 0).any(axis=1)
            with np.errstate(over="ignore", invalid="ignore"):
                self.target_sums = self.target_sums + is_used.astype(np.float64) @ Y
        self.n_rows += int(np.count_nonzero(is_used))
        self.may_overflow = True
        return self

    def share(self) -> "Accumulator":
        """Return an accumulator of the same rows, which may grow while this one does not change."""
        shared = copy.copy(self)
        shared.groups = [group.share() for group in self.groups]
        return shared

    def merge(self, other: "Accumulator") -> "Accumulator":
        """Return an accumulator of the rows of both, which stay unchanged."""
        if self.n_rows == 0 or other.n_rows == 0:  # whose solver says nothing
            return other if self.n_rows == 0 else self
        mine = self
        if self.solver != other.solver:
            mine, other = self.to_gram(), other.to_gram()
        mine = mine.share()
        other_group = other.group_numbers()
        mine.groups = _divide(mine.groups, lambda outputs: other_group[outputs])
        with one_blas_thread():
            for group in mine.groups:
                theirs = other.groups[other_group[group.outputs[0]]]
                positions = np.searchsorted(theirs.outputs, group.outputs)
                group.merge(theirs.select_outputs(positions).total())
        mine.n_rows += other.n_rows
        with np.errstate(over="ignore", invalid="ignore"):
            mine.target_sums = mine.target_sums + other.target_sums
        mine.solver_is_final = mine.solver_is_final or other.solver_is_final
        mine.may_overflow = True
        return mine

    def group_numbers(self) -> np.ndarray:
        """Return the number of the group of every output."""
        numbers = np.empty(sum(len(group.outputs) for group in self.groups), np.intp)
        for i, group in enumerate(self.groups):
            numbers[group.outputs] = i
        return numbers

    def to_gram(self) -> "Accumulator":
        """Return a copy in Gram form, with one partial sum per group."""
        gram = self.merged()
        gram.solver, gram.solver_is_final, gram.may_overflow = "gram", True, True
        with one_blas_thread():
            gram.groups = [
                OutputGroup(group.outputs, [to_gram(group.total())]) for group in gram.groups
            ]
        return gram

    def merged(self) -> "Accumulator":
        """Return a copy with one partial sum per group."""
        merged = copy.copy(self)
        with one_blas_thread():
            merged.groups = [OutputGroup(group.outputs, [group.total()]) for group in self.groups]
        return merged

    def merge_partial_sums(self) -> Self:
        """Merge the partial sums of every group in place, after the last row."""
        with one_blas_thread():
            for group in self.groups:
                group.merge_partial_sums()
        return self

    def totals(self) -> Totals:
        """Return (outputs, statistics) of every group."""
        if all(len(group.partial_sums) == 1 for group in self.groups):
            return [(group.outputs, group.partial_sums[0]) for group in self.groups]
        with one_blas_thread():
            return [(group.outputs, group.total()) for group in self.groups]

    def totals_in_range(self) -> Totals:
        """Return (outputs, statistics) of every group; raise ValueError if out of range."""
        totals = self.check_overflow().totals()
        for _, statistics in totals:
            statistics.check_small_sums()
        return totals

    def penalised_totals(self) -> Totals:
        """Return (outputs, statistics) of every group, of features in the units of the penalty."""
        return self._penalised(self.totals())

    def _penalised(self, totals: Totals) -> Totals:
        if not self.standardize:
            return totals
        return [(outputs, statistics.standardised()) for outputs, statistics in totals]

    def largest_target(self) -> float:
        """Return the largest centred target times the root of its weight."""
        return max(
            float(statistics.largest_target.max(initial=0.0))
            for group in self.groups
            for statistics in group.partial_sums
        )

    def is_moderate(self) -> bool:
        """Return whether all sums stay finite when moderate rows or moderate sums are added."""
        return all(
            statistics.is_moderate() for group in self.groups for statistics in group.partial_sums
        )

    def check_overflow(self) -> Self:
        """Raise ValueError if sums of all rows exceed the range of float64."""
        self.may_overflow = self.may_overflow and not self.is_moderate()
        if self.may_overflow:
            for _, statistics in self.totals():
                statistics.check_overflow()
        return self

    def free_buffers(self) -> Self:
        """Free the memory of the buffers; the next rows allocate new ones."""
        for group in self.groups:
            for statistics in group.partial_sums:
                statistics.free_buffers()
        return self

    def check_underflow(self, alpha: float, condition: float) -> None:
        """Raise ValueError if sums underflow, unless alpha makes them irrelevant.

        `solve` has found that they do not overflow. Its condition is infinite if they underflow,
        in the units of the penalty.
        """
        if not self.standardize and np.isfinite(condition):
            return
        smallest = 0.0 if self.standardize else alpha  # of the penalty on the features as they are
        for _, statistics in self.totals():
            statistics.check_underflow(smallest)

    def solve(self, alpha: float) -> Solved:
        """Return the coefficients of every group, and how far to trust them."""
        totals = self.totals_in_range()
        penalised = self._penalised(totals)
        for outputs, statistics in penalised:
            if statistics.weight == 0:
                raise ValueError(
                    f"sample_weight must not be zero for every row, as for output {outputs[0]}"
                )
        with one_blas_thread():
            solved = [statistics.solve(alpha) for _, statistics in penalised]
        scales = [statistics.scale for _, statistics in penalised]
        with np.errstate(over="ignore"):  # the caller checks the range of the coefficients
            coefs = [
                B if s is None else B / s[:, None] for (B, _), s in zip(solved, scales, strict=True)
            ]
        condition = max(condition for _, condition in solved)
        return Solved(coefs, condition, _amplification(totals, coefs, condition))

    def cancellation(self, coefs: list[np.ndarray]) -> float:
        """Return how much larger the terms of predictions are than the targets, at most."""
        return _amplification(self.totals(), coefs, 1.0)

    def depends_on_light_rows(self, alpha: float, condition: float) -> bool:
        """Return whether rows of tiny weights, of which few digits are left, may matter."""
        return any(
            statistics.depends_on_light_rows(alpha, condition)
            for _, statistics in self.penalised_totals()
        )


def _amplification(totals: Totals, coefs: list[np.ndarray], condition: float) -> float:
    """Return about how much predictions amplify rounding errors, at most, of all groups."""
    return max(
        statistics.amplification(B, condition)
        for (_, statistics), B in zip(totals, coefs, strict=True)
    )


def rows_added_at_once(n_features: int) -> int:
    """Return how many rows of a block are added at once, half of them to each partial sum.

    The sums of a whole number of such rows do not depend on the rows that follow.
    """
    return ROWS_PER_PARTIAL_SUM * (1 if n_features >= MANY_FEATURES else 2)


def accumulate(
    accumulator: Accumulator | None,
    block: Block,
    solver: str,
    alpha: float,
    n_rows: int | None,
    standardize: bool = False,
) -> Accumulator:
    """Add a block to an accumulator (None: to a new one), and return it.

    ``solver="auto"`` chooses the Gram matrix if alpha is far above its rounding error, or if the
    condition of the first rows is small. As long as the rows are too few to tell, the choice is
    QR, from which a Gram matrix can still be computed.
    """
    X, Y, w = block
    Y = Y.reshape(len(Y), -1)
    shape = X.shape[1], Y.shape[1]
    if solver != "auto":
        empty = accumulator or Accumulator(solver, *shape, standardize=standardize)
        return empty.add(X, Y, w)
    if accumulator is None or accumulator.n_rows == 0:
        gram = Accumulator("gram", *shape, standardize=standardize).add(X, Y, w)
        if gram.n_rows == 0 or suits_gram(alpha, gram, n_rows):
            return gram
        return Accumulator("qr", *shape, has_enough_rows(gram), standardize).add(X, Y, w)
    accumulator.add(X, Y, w)
    if not accumulator.solver_is_final and has_enough_rows(accumulator):
        accumulator.solver_is_final = True
        if is_well_conditioned(alpha, accumulator, n_rows):
            gram = accumulator.to_gram()
            return gram if gram.is_moderate() else accumulator  # Q'Y may be finite, X'Y not
    return accumulator


def accumulate_blocks(
    blocks: Iterable[Block],
    solver: str,
    alpha: float,
    n_rows: int | None,
    standardize: bool,
) -> Accumulator:
    """Return the statistics of all blocks, see `accumulate`; there is one at least."""
    accumulator = None
    for block in blocks:
        accumulator = accumulate(accumulator, block, solver, alpha, n_rows, standardize)
    return cast(Accumulator, accumulator).merge_partial_sums()


def settle(accumulator: Accumulator, alpha: float, n_rows: int | None) -> Accumulator:
    """Return merged statistics in the form that all rows together suggest.

    Each part may have had too few rows to tell, and be QR for that reason alone.
    """
    if accumulator.solver_is_final or accumulator.n_rows == 0:
        return accumulator
    is_precise = has_enough_rows(accumulator) and is_well_conditioned(alpha, accumulator, n_rows)
    gram = accumulator.to_gram()
    if is_precise or _alpha_outweighs_rounding(alpha, gram, n_rows):
        return gram if gram.is_moderate() else accumulator
    return accumulator


def suits_gram(alpha: float, gram: Accumulator, n_rows: int | None) -> bool:
    """Return whether the Gram matrix of the first rows shows that of all rows to be precise."""
    if _alpha_outweighs_rounding(alpha, gram, n_rows):
        return True
    return has_enough_rows(gram) and is_well_conditioned(alpha, gram, n_rows)


def _growth(accumulator: Accumulator, n_rows: int | None) -> float:
    """Return the largest factor by which the rows so far may still grow."""
    return MAX_GROWTH_IF_UNKNOWN if n_rows is None else max(1.0, n_rows / accumulator.n_rows)


def has_enough_rows(accumulator: Accumulator) -> bool:
    """Return whether the rows, by a margin more than the features, show their condition."""
    n_features = len(accumulator.groups[0].partial_sums[0].triangle)
    return is_enough(accumulator.n_rows, n_features)


def is_enough(n_rows: int, n_features: int) -> bool:
    """Return whether so many rows show the condition of the features."""
    return n_rows >= 1.25 * n_features + MIN_ROWS_TO_CHOOSE


def is_well_conditioned(alpha: float, accumulator: Accumulator, n_rows: int | None) -> bool:
    """Return whether the condition so far is below half the bound for a Gram matrix.

    Squares of features must be far from underflow, which a QR factor alone does not show.
    Sums of squares grow with the rows and alpha does not, so alpha is scaled down to match.
    """
    scaled = alpha / _growth(accumulator, n_rows)
    totals = accumulator.check_overflow().totals()
    smallest = 0.0 if accumulator.standardize else alpha
    with one_blas_thread():
        return all(
            statistics.squares_are_within_range(smallest)
            and penalised.solve(scaled)[1] < MAX_GRAM_CONDITION / 2
            for (_, statistics), (_, penalised) in zip(
                totals, accumulator.penalised_totals(), strict=True
            )
            if statistics.weight
        )


def _alpha_outweighs_rounding(alpha: float, gram: Accumulator, n_rows: int | None) -> bool:
    """Return whether alpha is far above the rounding error of the Gram matrix of all rows."""
    if gram.n_rows < MIN_ROWS_TO_CHOOSE:
        return False
    totals = gram.check_overflow().penalised_totals()
    trace = max(statistics.triangle.trace() for _, statistics in totals)
    return alpha > MIN_ALPHA_OVER_ROUNDING * EPS * trace * _growth(gram, n_rows)


def _divide(
    groups: list[OutputGroup], label: Callable[[np.ndarray], np.ndarray]
) -> list[OutputGroup]:
    """Divide every group into one group per label of its outputs."""
    divided = []
    for group in groups:
        labels = label(group.outputs)
        distinct = np.unique(labels)
        if len(distinct) == 1:
            divided.append(group)
        else:
            divided += [group.select_outputs(np.flatnonzero(labels == k)) for k in distinct]
    return divided


def _label_equal_columns(w: np.ndarray) -> np.ndarray:
    """Return a label for each column of w, the same for equal columns."""
    return np.unique(w, axis=1, return_inverse=True)[1].reshape(-1)
