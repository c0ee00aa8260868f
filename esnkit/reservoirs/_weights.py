"""Distributions of random weights before they are scaled."""

from collections.abc import Callable

import numpy as np

from esnkit.utils._validation import check_choice

__all__ = ["WEIGHTS", "draw_weights"]


def _uniform(rng, size):
    return rng.uniform(-1.0, 1.0, size)


def _normal(rng, size):
    return rng.standard_normal(size)


def _bernoulli(rng, size):
    return rng.integers(0, 2, size) * 2.0 - 1.0


WEIGHTS: dict[str, Callable] = {"uniform": _uniform, "normal": _normal, "bernoulli": _bernoulli}


def draw_weights(weights: str, size: int | tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Draw independent weights of mean zero.

    Parameters
    ----------
    weights : {"uniform", "normal", "bernoulli"}
        Uniform on (-1, 1), standard normal, or -1 and +1 with equal chances.
    size : int or tuple of int
        Shape of the result.
    rng : numpy.random.Generator
        Source of the random numbers.

    Returns
    -------
    ndarray of shape size, float64

    Raises
    ------
    ValueError
        If the name of the distribution is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit.reservoirs.topologies import draw_weights
    >>> sorted(set(draw_weights("bernoulli", 50, np.random.default_rng(0)).tolist()))
    [-1.0, 1.0]
    """
    return WEIGHTS[check_choice("weights", weights, WEIGHTS)](rng, size)
