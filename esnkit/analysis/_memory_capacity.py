"""Memory capacity: how much of its past inputs a reservoir lets a linear readout recall."""

from typing import Any, NamedTuple

import numpy as np
from scipy.special import chdtri

from esnkit.analysis._driven import drawn_reservoir, features_of, random_inputs
from esnkit.utils._validation import check_positive_int, check_seed

__all__ = [
    "MemoryCapacity",
    "column_space",
    "default_delay",
    "default_length",
    "memory_capacity",
    "total",
    "within_bound",
]

# Chance that a delay of which nothing is remembered counts.
P_VALUE = 1e-4
N_ROWS_PER_FEATURE, MIN_ROWS, MAX_NUMBERS = 400, 50_000, 2**26
N_DELAYS_PER_FEATURE, MIN_DELAYS = 5, 300
N_TARGETS_TOGETHER = 64
TINY = float(np.finfo(np.float64).tiny)
# Singular values of dependent columns, relative to the largest: at most 2.1 eps were seen, of 20 to
# 200 units. The next larger ones still hold memory, as held-out rows confirm.
ROUNDING = 2.5 * float(np.finfo(np.float64).eps)


class MemoryCapacity(NamedTuple):
    """Memory capacity of a reservoir, see :func:`memory_capacity`.

    Parameters
    ----------
    capacity : float
        The sum of `curve`, at most the number of linearly independent features.
    curve : ndarray of shape (max_delay + 1, n_inputs)
        Share of the variance of the input that is recalled after 0, 1, 2, ... time steps; what
        chance explains is zero.
    threshold : float
        Squared correlations below it count as chance.
    n_features : int
        Number of feature columns.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit.analysis import MemoryCapacity
    >>> MemoryCapacity(1.5, np.array([[1.0], [0.5]]), 0.01, 10).capacity
    1.5
    """

    capacity: float
    curve: np.ndarray
    threshold: float
    n_features: int


def memory_capacity(
    reservoir: Any,
    *,
    max_delay: int | None = None,
    n_timesteps: int | None = None,
    washout: int = 1000,
    input_range: tuple[float, float] = (-1.0, 1.0),
    random_state: Any = None,
) -> MemoryCapacity:
    """Estimate the linear memory capacity of a reservoir (Jaeger 2001).

    The reservoir is driven by independent uniform inputs u(t). For every delay k a linear readout
    of the features, fitted by least squares to the first half of the time steps, recalls u(t - k)
    in the second half. The capacity is the sum over k of the squared correlations of what is
    recalled with u(t - k).

    Parameters
    ----------
    reservoir : BaseReservoir or estimator with a fitted reservoir
        A fitted reservoir runs as it is; one that is not is cloned and drawn for one input. The
        outputs that an estimator with ``feedback=True`` feeds back are inputs here.
    max_delay : int or None, default=None
        Longest delay. None stands for five times the number of features, and at
        least 300.
    n_timesteps : int or None, default=None
        Time steps after the washout, half of which fit the readout. None stands for 400 per
        feature, from 50 000 on to those whose features take 512 MB.
    washout : int, default=1000
        Time steps that are left out first, at least those of the longest delay.
    input_range : tuple (low, high), default=(-1.0, 1.0)
        Interval of the inputs. The capacity of a nonlinear reservoir depends on it.
    random_state : int, RandomState instance or None, default=None
        Draws the inputs, and the weights of a reservoir that is not fitted and has no seed.

    Returns
    -------
    MemoryCapacity
        With ``capacity``, the sum, and ``curve``, its parts by delay and input.

    Raises
    ------
    TypeError
        If ``reservoir`` is no reservoir and has none.
    ValueError
        If a parameter is out of its range, or there are fewer time steps than the readout needs.
    FloatingPointError
        If the states leave the range of their dtype.

    Notes
    -----
    Delay 0 counts, so that a delay line of N units has the capacity N, the largest that N features
    have for independent inputs. Jaeger sums from delay 1 on: ``curve[1:].sum()``.

    The estimate for a delay of capacity C is too low by about (1 - C) N / n, as the readout is
    fitted to n = n_timesteps / 2 steps. Its standard error is about 2 (1 - C) sqrt(C / n).
    Correlations that are negative, or so small that the chance of a larger one is 1e-4 without any
    memory, count as zero: n r^2 is then distributed as chi-square with one degree of freedom.
    Dambre et al. (2012) derive the threshold in this way for fitted rows, with one degree per
    feature. Where sampling errors take the sum above its bound, the number of linearly independent
    features, the whole curve is scaled down to that sum.

    A linear reservoir recalls N inputs in exact arithmetic; directions of its states that rounding
    errors cover, as those of long delays at a small spectral radius, are left out.

    References
    ----------
    H. Jaeger (2001), Short term memory in echo state networks, GMD Report 152.

    J. Dambre, D. Verstraeten, B. Schrauwen and S. Massar (2012), Information processing capacity of
    dynamical systems, Scientific Reports 2, 514.

    Examples
    --------
    >>> from esnkit import Reservoir
    >>> from esnkit.analysis import memory_capacity
    >>> line = Reservoir(
    ...     20, topology="delay_line", input_weights=[[1.0]] + 19 * [[0.0]], activation="identity"
    ... )
    >>> round(memory_capacity(line, random_state=0).capacity, 3)
    20.0
    """
    washout = check_positive_int("washout", washout, minimum=0)
    rng = check_seed(random_state)
    reservoir = drawn_reservoir(reservoir, rng, input_range=input_range)
    n_features = reservoir.n_features_out_
    if max_delay is None:
        max_delay = default_delay(n_features)
    max_delay = check_positive_int("max_delay", max_delay, minimum=0)
    n_timesteps = default_length(n_timesteps, n_features)
    start, half = max(washout, max_delay), n_timesteps // 2
    inputs = random_inputs(reservoir, start + 2 * half, input_range, rng)
    rows = features_of(reservoir, inputs)[start:]
    curve, rank = _recalled(rows, inputs.astype(np.float64), start, max_delay)
    threshold = float(chdtri(1, 2 * P_VALUE) / half)  # of one tail
    curve[curve < threshold] = 0.0
    curve = within_bound(curve, rank)
    return MemoryCapacity(total(curve, rank), curve, threshold, n_features)


def default_delay(n_features: int) -> int:
    """Return the longest delay to look for."""
    return max(N_DELAYS_PER_FEATURE * n_features, MIN_DELAYS)


def default_length(n_timesteps: int | None, n_features: int) -> int:
    """Return the number of time steps to record, or raise if they are too few."""
    if n_timesteps is None:
        n_timesteps = max(N_ROWS_PER_FEATURE * n_features, MIN_ROWS)
        n_timesteps = max(min(n_timesteps, MAX_NUMBERS // n_features), 8 * n_features)
    return check_positive_int("n_timesteps", n_timesteps, minimum=4 * n_features + 4)


def column_space(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return orthonormal columns U and a matrix M with U = (rows - their mean) M.

    Directions that rounding errors cover are left out. Columns are scaled first: the units at the
    end of a delay line are small, not dependent.
    """
    centred = rows - rows.mean(axis=0)
    lengths = np.sqrt(np.einsum("ij,ij->j", centred, centred))
    varying = lengths > 1e-13 * np.abs(rows).max(axis=0, initial=0.0) * np.sqrt(len(rows))
    scale = np.where(varying, 1.0 / np.where(varying, lengths, 1.0), 0.0)
    Q, R = np.linalg.qr(centred * scale)
    left, sizes, right = np.linalg.svd(R)
    kept = sizes > ROUNDING * max(sizes[0], TINY)
    M = scale[:, np.newaxis] * (right[kept].T / sizes[kept])
    return Q @ left[:, kept], M


def within_bound(capacities: np.ndarray, rank: int) -> np.ndarray:
    """Return capacities whose sum is at most the rank of the features, scaled where it is not."""
    size = float(capacities.sum())
    return capacities if size <= rank else capacities * (rank / size)


def total(capacities: np.ndarray, rank: int) -> float:
    """Return the sum, without rounding errors above the rank of the features."""
    return min(float(capacities.sum()), float(rank))


def _recalled(rows, inputs, start, max_delay):
    """Return squared correlations (max_delay + 1, n_inputs) on the second half, and the rank."""
    half = len(rows) // 2
    U, M = column_space(rows[:half])
    test = (rows[half:] - rows[:half].mean(axis=0)) @ M
    test -= test.mean(axis=0)
    curve = np.zeros((max_delay + 1, inputs.shape[1]))
    for column in range(inputs.shape[1]):
        delays = np.lib.stride_tricks.sliding_window_view(inputs[:, column], len(rows))
        for first in range(0, max_delay + 1, N_TARGETS_TOGETHER):
            k = np.arange(first, min(first + N_TARGETS_TOGETHER, max_delay + 1))
            targets = delays[start - k]
            curve[k, column] = _squared_correlations(test @ (U.T @ targets[:, :half].T),
                                                     targets[:, half:])  # fmt: skip
    return curve, U.shape[1]


def _squared_correlations(predicted, targets):
    """Return those of centred columns (n, m) with rows (m, n), zero where they are negative."""
    targets = targets - targets.mean(axis=1, keepdims=True)
    product = np.einsum("ij,ji->j", predicted, targets)
    sizes = np.einsum("ij,ij->j", predicted, predicted) * np.einsum("ij,ij->i", targets, targets)
    return np.where(product > 0, product, 0.0) ** 2 / np.where(sizes > 0, sizes, 1.0)
