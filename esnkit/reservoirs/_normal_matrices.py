"""Recurrent weights whose eigenvalues are known: orthogonal matrices and given eigenvalues.

References
----------
White, Lee and Sompolinsky (2004), "Short-term memory in orthogonal neural networks", Physical
Review Letters 92(14), 148102: orthogonal weights.

Mezzadri (2007), "How to generate random matrices from the classical compact groups", Notices of
the AMS 54(5), 592-604: the signs in the QR decomposition.

Golub and Van Loan (2013), "Matrix computations", 4th edition, section 5.1.8: Givens rotations.
"""

import numpy as np
import scipy.sparse as sp

from esnkit.reservoirs._columns import from_columns
from esnkit.utils._threads import one_blas_thread

__all__ = [
    "given_eigenvalues", "given_radius", "orthogonal", "permutation", "sparse_orthogonal",
]  # fmt: skip

NAME = "topology_params['eigenvalues']"


def orthogonal(n_units: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a random orthogonal matrix, uniform over all of them.

    Every eigenvalue has modulus one, so that the spectral radius is the modulus of all: the state
    forgets in every direction at the same rate (White et al. 2004).
    """
    with one_blas_thread():  # several threads round differently
        Q, R = np.linalg.qr(rng.standard_normal((n_units, n_units)))
    # With the diagonal of R positive the decomposition is unique, and Q is uniform (Mezzadri 2007).
    return Q * np.where(np.diag(R) < 0, -1.0, 1.0)


def permutation(n_units: int, rng: np.random.Generator) -> sp.csr_array:
    """Draw a random permutation: each unit receives one unit and feeds one, with weight one."""
    return from_columns(rng.permutation(n_units)[:, np.newaxis], np.ones(n_units))


def sparse_orthogonal(n_units: int, rng: np.random.Generator, *, degree: int) -> sp.csr_array:
    """Draw a random permutation times rotations of random pairs of units: orthogonal and sparse.

    Each of k layers pairs all units at random and rotates each pair by a random angle, which
    doubles the connections of a unit. The largest k with 2^k <= ``degree`` is used.
    """
    W = permutation(n_units, rng)
    for _ in range(min(degree, n_units).bit_length() - 1):
        W = _rotations(n_units, rng) @ W
    W.sort_indices()
    return W


def _rotations(n_units: int, rng: np.random.Generator) -> sp.csr_array:
    """Return Givens rotations of random disjoint pairs; one unit is left if the number is odd."""
    units = rng.permutation(n_units)
    first, second = units[: n_units // 2], units[n_units // 2 : 2 * (n_units // 2)]
    angle = rng.uniform(0.0, 2.0 * np.pi, first.size)
    cos, sin = np.cos(angle), np.sin(angle)
    alone = units[2 * first.size :]
    rows = np.concatenate([first, first, second, second, alone])
    columns = np.concatenate([first, second, first, second, alone])
    entries = np.concatenate([cos, -sin, sin, cos, np.ones(alone.size)])
    return sp.csr_array((entries, (rows, columns)), shape=(n_units, n_units))


def given_eigenvalues(
    n_units: int, rng: np.random.Generator, *, eigenvalues: object
) -> sp.csr_array:
    """Return a real block-diagonal matrix with given eigenvalues, or with a ring of drawn ones.

    A pair a + bi, a - bi becomes the block [[a, -b], [b, a]]. None draws conjugate pairs of
    modulus one with phases uniform on (0, pi), and the eigenvalue 1 if the number is odd.
    """
    if eigenvalues is None:
        phases = rng.uniform(0.0, np.pi, n_units // 2)
        values = np.concatenate([np.exp(1j * phases), np.ones(n_units % 2)])
    else:
        values = _one_of_each_pair(eigenvalues, n_units)
    return _block_diagonal(values)


def given_radius(n_units: int, *, eigenvalues: object) -> float:
    """Return the largest modulus of the eigenvalues."""
    return 1.0 if eigenvalues is None else float(np.abs(np.asarray(eigenvalues)).max())


def _one_of_each_pair(eigenvalues: object, n_units: int) -> np.ndarray:
    """Return the real eigenvalues, and those of the complex ones above the real axis."""
    values = np.asarray(eigenvalues)
    if values.shape != (n_units,) or values.dtype.kind not in "iufc":
        raise ValueError(
            f"{NAME} must be n_units={n_units} numbers, got shape {values.shape} of dtype "
            f"{values.dtype}"
        )
    if not np.isfinite(values).all():
        raise ValueError(f"{NAME} must be finite, got NaN or infinity")
    values = values.astype(np.complex128)
    above = np.sort_complex(values[values.imag > 0])
    below = np.sort_complex(values[values.imag < 0].conj())
    if above.size != below.size or not np.allclose(above, below, rtol=1e-12, atol=0.0):
        raise ValueError(
            f"{NAME} must hold the conjugate of every complex number, as W is real, got "
            f"{above.size} above and {below.size} below the real axis that do not pair up"
        )
    return np.concatenate([above, values[values.imag == 0]])


def _block_diagonal(values: np.ndarray) -> sp.csr_array:
    """Return blocks of size 2 for complex values, then of size 1 for real ones."""
    pairs, real = values[values.imag != 0], values[values.imag == 0].real
    start = 2 * np.arange(pairs.size)
    single = 2 * pairs.size + np.arange(real.size)
    rows = np.concatenate([start, start, start + 1, start + 1, single])
    columns = np.concatenate([start, start + 1, start, start + 1, single])
    entries = [pairs.real, -pairs.imag, pairs.imag, pairs.real, real]
    n_units = 2 * pairs.size + real.size
    return sp.csr_array((np.concatenate(entries), (rows, columns)), shape=(n_units, n_units))
