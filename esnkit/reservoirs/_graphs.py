"""Recurrent weights on sparse graphs: small worlds, bands, antisymmetric matrices.

References
----------
Watts and Strogatz (1998), "Collective dynamics of 'small-world' networks", Nature 393, 440-442.

Chang, Chen, Haber and Chi (2019), "AntisymmetricRNN: a dynamical system view on recurrent neural
networks", ICLR, section 3.
"""

import numpy as np
import scipy.sparse as sp

from esnkit.reservoirs._columns import from_columns
from esnkit.reservoirs._weights import draw_weights
from esnkit.utils._validation import check_number

__all__ = ["antisymmetric", "band", "small_world"]


def small_world(
    n_units: int,
    rng: np.random.Generator,
    *,
    degree: int,
    weights: str,
    rewiring: float,
) -> sp.csr_array:
    """Connect each unit with its ``degree`` nearest ones on a ring, some rewired at random.

    A connection comes from a random other unit instead with probability ``rewiring``. Every unit
    keeps ``degree`` connections from different units, none of which is itself.
    """
    rewiring = check_number("topology_params['rewiring']", rewiring, 0.0, 1.0)
    degree = min(degree, n_units - 1)
    if degree == 0:  # of a single unit
        return sp.csr_array((n_units, n_units))
    distance = np.arange(degree) // 2 + 1
    shifts = np.where(np.arange(degree) % 2 == 0, distance, -distance)
    units = np.arange(n_units)[:, np.newaxis]
    columns = (units - shifts) % n_units
    rewired = rng.random(columns.shape) < rewiring
    _draw_sources(columns, rewired, rng)
    columns.sort(axis=1)
    return from_columns(columns, draw_weights(weights, columns.size, rng))


def _draw_sources(columns: np.ndarray, rewired: np.ndarray, rng: np.random.Generator) -> None:
    """Replace the rewired columns of every row by others, none of them twice or the row itself."""
    n_units = len(columns)
    columns[rewired] = rng.integers(n_units, size=np.count_nonzero(rewired))
    ordered = np.sort(columns, axis=1)
    twice = (ordered[:, 1:] == ordered[:, :-1]).any(axis=1)
    own = (columns == np.arange(n_units)[:, np.newaxis]).any(axis=1)
    for row in np.flatnonzero(twice | own):
        available = np.ones(n_units, dtype=bool)
        available[[row, *columns[row, ~rewired[row]]]] = False
        count = np.count_nonzero(rewired[row])
        columns[row, rewired[row]] = rng.choice(np.flatnonzero(available), count, replace=False)


def band(n_units: int, rng: np.random.Generator, *, degree: int, weights: str) -> sp.csr_array:
    """Fill the ``degree`` diagonals around the main one, which is the first of them.

    Unlike "diagonals" the band does not close to a ring: units near an end have fewer connections.
    """
    degree = min(degree, 2 * n_units - 1)
    offsets = np.arange(degree) - degree // 2
    entries = draw_weights(weights, (degree, n_units), rng)
    shape = n_units, n_units
    return sp.dia_array((entries, offsets), shape=shape).tocsr()


def antisymmetric(
    n_units: int, rng: np.random.Generator, *, degree: int, weights: str
) -> sp.csr_array:
    """Draw W = S - S^T, where S has half of ``degree`` cyclic diagonals.

    All eigenvalues are imaginary. An odd degree counts as the even one below it, at least 2.
    """
    shifts = np.arange(1, n_units // 2 + 1)
    shifts = rng.permutation(shifts)[: max(degree // 2, 1)]
    rows = np.repeat(np.arange(n_units), shifts.size)
    columns = (rows - np.tile(shifts, n_units)) % n_units
    entries = draw_weights(weights, rows.size, rng)
    S = sp.csr_array((entries, (rows, columns)), shape=(n_units, n_units))
    return S - S.T.tocsr()
