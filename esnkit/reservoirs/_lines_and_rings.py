"""Recurrent weights of lines and rings of units: equal weights, nothing is random.

Row i of a matrix holds the weights of the connections into unit i. Each function has its spectral
radius beside it, where a formula gives it.

References
----------
Rodan and Tino (2011), "Minimum complexity echo state network", IEEE Transactions on Neural
Networks 22(1), 131-144, section III: delay line, delay line with feedback, cycle.

Rodan and Tino (2012), "Simple deterministically constructed cycle reservoirs with regular jumps",
Neural Computation 24(7), 1822-1852, section 3.

Fu, Li, Zhang, Jiang, Dai and Xu (2023), "A double-cycle echo state network topology", Chaos 33,
093113.

Strauss, Wustlich and Labahn (2012), "Design strategies for weight matrices of echo state
networks", Neural Computation 24(12), 3246-3276.
"""

import math

import numpy as np
import scipy.sparse as sp

from esnkit.reservoirs._columns import from_columns
from esnkit.utils._validation import check_number, check_positive_int

__all__ = [
    "chain_of_rings", "cycle", "cycle_jumps", "delay_line", "delay_line_feedback",
    "delay_line_feedback_radius", "double_cycle", "double_cycle_radius",
]  # fmt: skip


def _from_triplets(n_units: int, *entries: tuple) -> sp.csr_array:
    """Return the sum of groups of entries (rows, columns, one weight)."""
    groups = [np.broadcast_arrays(*group) for group in entries]
    rows, columns, weights = (np.concatenate(part) for part in zip(*groups, strict=True))
    return sp.csr_array((weights.astype(np.float64), (rows, columns)), shape=(n_units, n_units))


def delay_line(n_units: int, rng: np.random.Generator) -> sp.csr_array:
    """Return a line of units, in which each unit receives the one before it."""
    units = np.arange(n_units)
    return _from_triplets(n_units, (units[1:], units[:-1], 1.0))


def delay_line_feedback(
    n_units: int, rng: np.random.Generator, *, backward_weight: float
) -> sp.csr_array:
    """Return a delay line in which each unit also receives the one after it."""
    backward = _ratio("backward_weight", backward_weight, low_open=True)
    units = np.arange(n_units)
    return _from_triplets(n_units, (units[1:], units[:-1], 1.0), (units[:-1], units[1:], backward))


def delay_line_feedback_radius(n_units: int, *, backward_weight: float) -> float:
    """Return the radius of a tridiagonal Toeplitz matrix, 2 sqrt(r b) cos(pi / (n + 1))."""
    return 2.0 * math.sqrt(backward_weight) * math.cos(math.pi / (n_units + 1))


def cycle(n_units: int, rng: np.random.Generator) -> sp.csr_array:
    """Return the simple cycle: unit i feeds unit i + 1 and the last feeds the first.

    All weights are one; the spectral radius sets the single weight of the simple cycle reservoir.
    """
    columns = (np.arange(n_units)[:, np.newaxis] - 1) % n_units
    return from_columns(columns, np.ones(n_units))


def cycle_jumps(
    n_units: int, rng: np.random.Generator, *, jump_size: int, jump_weight: float
) -> sp.csr_array:
    """Return a cycle with connections in both directions between every ``jump_size``-th unit.

    The jumps begin at unit 0 and go around once; the last one ends at unit 0 if ``jump_size``
    divides the number of units, else no jump crosses unit 0.
    """
    size = check_positive_int("topology_params['jump_size']", jump_size, minimum=2)
    weight = _ratio("jump_weight", jump_weight)
    starts = np.arange(0, n_units - size + 1, size)
    ends = (starts + size) % n_units
    different = starts != ends  # a jump over the whole cycle would connect unit 0 with itself
    starts, ends = starts[different], ends[different]
    # Between the two units of one pair there is one connection in each direction.
    pairs = np.unique(np.sort(np.stack([starts, ends], axis=1), axis=1), axis=0)
    low, high = pairs[:, 0], pairs[:, 1]
    return cycle(n_units, rng) + _from_triplets(n_units, (low, high, weight), (high, low, weight))


def double_cycle(n_units: int, rng: np.random.Generator, *, backward_weight: float) -> sp.csr_array:
    """Return two cycles through all units, one in each direction."""
    backward = _ratio("backward_weight", backward_weight)
    units = np.arange(n_units)
    back = _from_triplets(n_units, (units, (units + 1) % n_units, backward))
    return cycle(n_units, rng) + back


def double_cycle_radius(n_units: int, *, backward_weight: float) -> float:
    """Return the sum of every row, which is the largest eigenvalue of a non-negative circulant."""
    return 1.0 + backward_weight


def chain_of_rings(
    n_units: int, rng: np.random.Generator, *, ring_size: int, coupling: float
) -> sp.csr_array:
    """Return cycles of ``ring_size`` units, each of which feeds the first unit of the next one.

    Unit 0 of a ring feeds unit 0 of the next; the last ring has the units that are left over. The
    matrix is block triangular, so that its eigenvalues are those of the rings.
    """
    size = check_positive_int("topology_params['ring_size']", ring_size)
    coupling = _ratio("coupling", coupling)
    units = np.arange(n_units)
    first = units - units % size
    length = np.minimum(first + size, n_units) - first
    before = first + (units - first - 1) % length
    heads = units[::size]
    return _from_triplets(n_units, (units, before, 1.0), (heads[1:], heads[:-1], coupling))


def _ratio(name: str, value: float, low_open: bool = False) -> float:
    """Return a weight relative to that of the line or ring, in [0, 1] or (0, 1]."""
    return check_number(f"topology_params[{name!r}]", value, 0.0, 1.0, low_open=low_open)
