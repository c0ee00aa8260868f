"""Kernel rank and generalisation rank: how many inputs a reservoir separates, or confuses."""

from typing import Any

import numpy as np

from esnkit.analysis._driven import check_range, drawn_reservoir, random_inputs, run_batch
from esnkit.utils._validation import check_number, check_positive_int, check_seed

__all__ = ["generalization_rank", "kernel_rank"]


def kernel_rank(
    reservoir: Any,
    *,
    n_sequences: int | None = None,
    n_timesteps: int = 100,
    tol: float = 0.01,
    input_range: tuple[float, float] = (-1.0, 1.0),
    random_state: Any = None,
) -> int:
    """Estimate the kernel quality of a reservoir: the rank of its responses to unlike inputs.

    The reservoir runs over sequences of independent uniform inputs. The rank of the matrix of its
    last feature rows is the number of the sequences that a linear readout can map to any targets;
    the larger, the better the reservoir separates inputs (Legenstein & Maass 2007).

    Parameters
    ----------
    reservoir : BaseReservoir or estimator with a fitted reservoir
        As in :func:`memory_capacity`.
    n_sequences : int or None, default=None
        Number of sequences, which bounds the rank. None stands for the number of features.
    n_timesteps : int, default=100
        Time steps of every sequence.
    tol : float in [0, 1), default=0.01
        Singular values of at most `tol` times the largest do not count: noise would cover them. The
        rank depends on it. 0 leaves out rounding errors alone.
    input_range : tuple (low, high), default=(-1.0, 1.0)
        Interval of the inputs.
    random_state : int, RandomState instance or None, default=None
        Draws the inputs, and the weights of a reservoir that is not fitted and has no seed.

    Returns
    -------
    int
        From 0 to the smaller of the numbers of sequences and of features.

    Raises
    ------
    TypeError
        If ``reservoir`` is no reservoir and has none.
    ValueError
        If a parameter is out of its range.

    Notes
    -----
    The rank is that of one draw of the inputs. It differs from draw to draw by the singular values
    that lie near the tolerance; the mean over several values of ``random_state`` tells how much.

    References
    ----------
    R. Legenstein and W. Maass (2007), Edge of chaos and prediction of computational performance for
    neural circuit models, Neural Networks 20.

    Examples
    --------
    A delay line of five units keeps five inputs apart, whatever the length of the sequences:

    >>> from esnkit import Reservoir
    >>> from esnkit.analysis import kernel_rank
    >>> line = Reservoir(5, topology="delay_line", input_weights=[[1.0]] + 4 * [[0.0]])
    >>> kernel_rank(line, n_sequences=50, random_state=0)
    5
    """
    rng = check_seed(random_state)
    reservoir, n_sequences = _checked(reservoir, n_sequences, input_range, rng)
    n_timesteps = check_positive_int("n_timesteps", n_timesteps)
    inputs = random_inputs(reservoir, n_sequences * n_timesteps, input_range, rng)
    return _rank(reservoir, inputs.reshape(n_sequences, n_timesteps, -1), tol)


def generalization_rank(
    reservoir: Any,
    *,
    n_sequences: int | None = None,
    n_timesteps: int = 100,
    n_common: int | None = None,
    noise: float = 0.01,
    tol: float = 0.01,
    input_range: tuple[float, float] = (-1.0, 1.0),
    random_state: Any = None,
) -> int:
    """Estimate the generalisation rank of a reservoir: the rank of its responses to like inputs.

    The sequences are one sequence of independent uniform inputs plus a little noise; before their
    last `n_common` time steps they may have nothing in common. The rank of the matrix of last
    feature rows estimates the VC dimension of linear readouts on such inputs; the smaller, the
    better the reservoir takes like inputs for alike (Legenstein & Maass 2007).

    Parameters
    ----------
    reservoir : BaseReservoir or estimator with a fitted reservoir
        As in :func:`memory_capacity`.
    n_sequences : int or None, default=None
        Number of sequences, which bounds the rank. None stands for the number of features.
    n_timesteps : int, default=100
        Time steps of every sequence.
    n_common : int or None, default=None
        Time steps at the end that differ by the noise only; those before are drawn independently.
        None stands for all of them.
    noise : float, default=0.01
        Standard deviation of the Gaussian noise, as a share of the width of `input_range`.
    tol : float in [0, 1), default=0.01
        As in :func:`kernel_rank`.
    input_range : tuple (low, high), default=(-1.0, 1.0)
        Interval of the inputs, before the noise.
    random_state : int, RandomState instance or None, default=None
        Draws the inputs, and the weights of a reservoir that is not fitted and has no seed.

    Returns
    -------
    int
        From 0 to the smaller of the numbers of sequences and of features.

    Raises
    ------
    TypeError
        If ``reservoir`` is no reservoir and has none.
    ValueError
        If a parameter is out of its range.

    Notes
    -----
    Compare it with :func:`kernel_rank` at the same tolerance: reservoirs of a large difference
    between the two compute best (Legenstein & Maass 2007). It is the rank of one draw, too.

    References
    ----------
    R. Legenstein and W. Maass (2007), Edge of chaos and prediction of computational performance for
    neural circuit models, Neural Networks 20.

    Examples
    --------
    >>> from esnkit import Reservoir
    >>> from esnkit.analysis import generalization_rank, kernel_rank
    >>> reservoir = Reservoir(50, random_state=0)
    >>> generalization_rank(reservoir, random_state=0) < kernel_rank(reservoir, random_state=0)
    True
    """
    rng = check_seed(random_state)
    reservoir, n_sequences = _checked(reservoir, n_sequences, input_range, rng)
    n_timesteps = check_positive_int("n_timesteps", n_timesteps)
    n_common = n_timesteps if n_common is None else check_positive_int("n_common", n_common, 0)
    if n_common > n_timesteps:
        raise ValueError(f"n_common must be at most n_timesteps={n_timesteps}, got {n_common}")
    noise = check_number("noise", noise, 0.0)
    low, high = check_range(input_range)
    inputs = random_inputs(reservoir, n_sequences * n_timesteps, input_range, rng)
    inputs = inputs.reshape(n_sequences, n_timesteps, -1)
    first = n_timesteps - n_common
    inputs[:, first:] = inputs[0, first:]
    inputs[:, first:] += noise * (high - low) * rng.standard_normal(inputs[:, first:].shape)
    return _rank(reservoir, inputs, tol)


def _checked(reservoir, n_sequences, input_range, rng):
    """Return a drawn reservoir, and how many sequences it runs over."""
    reservoir = drawn_reservoir(reservoir, rng, input_range=input_range)
    if n_sequences is None:
        return reservoir, reservoir.n_features_out_
    return reservoir, check_positive_int("n_sequences", n_sequences)


def _rank(reservoir, inputs, tol):
    """Return the rank of the last feature rows of all sequences."""
    tol = check_number("tol", tol, 0.0, 1.0, high_open=True)
    state = np.zeros((len(inputs), reservoir.n_state_), inputs.dtype)
    rows = run_batch(reservoir, inputs, state)
    sizes = np.linalg.svd(rows.astype(np.float64), compute_uv=False)
    tol = max(tol, max(rows.shape) * float(np.finfo(inputs.dtype).eps))
    return int(np.count_nonzero(sizes > tol * sizes[0]))
