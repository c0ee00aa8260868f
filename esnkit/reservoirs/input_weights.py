"""Input weights before they are scaled.

Column f of a matrix W_in holds the weights of input f. Every kind is one function and one row of
the table ``INPUT_WEIGHTS``; a row added by a user works in ``Reservoir``. Random columns are drawn
one after the other, so that one more input leaves the weights of those before it as they are.

References
----------
Lu, Pathak, Hunt, Girvan, Brockett and Ott (2017), "Reservoir observers: model-free inference of
unmeasured variables in chaotic systems", Chaos 27, 041102: each unit receives one input.

Rodan and Tino (2011), "Minimum complexity echo state network", IEEE Transactions on Neural
Networks 22(1), 131-144, section III.B: signs from the digits of pi.

Xie, Wu, Li and Zhang (2024), "Time series prediction of ESN based on Chebyshev mapping and strongly
connected topology", Neural Processing Letters 56, 30.
"""

from collections.abc import Callable
from decimal import Decimal, localcontext
from functools import lru_cache
from typing import Any

import numpy as np

from esnkit.reservoirs._weights import WEIGHTS
from esnkit.utils._validation import check_choice, check_number, finite_array, refuse_masked

__all__ = ["INPUT_WEIGHTS", "make_input_weights"]

CHEBYSHEV_ORDER = 4


def _drawn(name: str) -> Callable[..., np.ndarray]:
    """Return the function that draws independent weights of a distribution."""
    return lambda n_units, column, n_columns, rng: WEIGHTS[name](rng, n_units)


def _informed(n_units, column, n_columns, rng):
    """Draw weights such that each unit receives one input, and every input as many units.

    Unit i receives input i modulo the number of inputs.
    """
    receives = np.arange(n_units) % n_columns == column
    return np.where(receives, rng.uniform(-1.0, 1.0, n_units), 0.0)


def _minimal(n_units, column, n_columns, rng):
    """Return weights of -1 or +1: digit n_units * column + i of pi is 0 to 4, or 5 to 9."""
    digits = _digits_of_pi(n_units * n_columns)[n_units * column : n_units * (column + 1)]
    return np.where(digits >= 5, 1.0, -1.0)


def _chebyshev(n_units, column, n_columns, rng):
    """Return an orbit of the chaotic map w -> cos(4 arccos(w)), the Chebyshev polynomial T4.

    The orbit of input f begins at sin((f + 1) / (n_inputs + 1)), which is no fixed point of it.
    """
    weights = np.empty(n_units)
    weight = np.sin((column + 1.0) / (n_columns + 1.0))
    for i in range(n_units):
        weights[i] = weight
        weight = np.cos(CHEBYSHEV_ORDER * np.arccos(weight))
    return weights


@lru_cache(maxsize=8)
def _digits_of_pi(count: int) -> np.ndarray:
    """Return the first decimals of pi, by the arithmetic-geometric mean (Gauss and Legendre)."""
    with localcontext() as context:
        context.prec = count + 10
        a, b, t, power = Decimal(1), 1 / Decimal(2).sqrt(), Decimal("0.25"), 1
        while abs(a - b) > Decimal(10) ** -(count + 5):
            a, b, before = (a + b) / 2, (a * b).sqrt(), a
            t -= power * (before - a) ** 2
            power *= 2
        pi = (a + b) ** 2 / (4 * t)
        decimals = f"{pi:f}"[2 : count + 2]
    return np.frombuffer(decimals.encode(), np.uint8) - ord("0")


INPUT_WEIGHTS: dict[str, Callable[..., np.ndarray]] = {
    "uniform": _drawn("uniform"),
    "normal": _drawn("normal"),
    "bernoulli": _drawn("bernoulli"),
    "informed": _informed,
    "minimal": _minimal,
    "chebyshev": _chebyshev,
}


def make_input_weights(
    input_weights: Any,
    n_units: int,
    n_inputs: int,
    rng: np.random.Generator,
    *,
    density: float = 1.0,
) -> np.ndarray:
    """Return unscaled input weights for a name, a matrix or a callable.

    Parameters
    ----------
    input_weights : {"uniform", "normal", "bernoulli", "informed", "minimal", "chebyshev"}, array \
            or callable
        A name in ``INPUT_WEIGHTS``, the matrix itself, or a function ``(n_units, n_inputs, rng)``
        that returns it.
    n_units, n_inputs : int
        Number of rows and columns.
    rng : numpy.random.Generator
        Source of the random numbers.
    density : float in (0, 1], default=1.0
        Share of the weights of every input that stay; the others, drawn at random, become zero.

    Returns
    -------
    ndarray of shape (n_units, n_inputs), float64

    Raises
    ------
    ValueError
        If the name is unknown, the matrix has another shape, ``density`` is out of range or less
        than one for a matrix, or a weight is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit.reservoirs.input_weights import make_input_weights
    >>> make_input_weights("minimal", 6, 1, np.random.default_rng(0)).ravel()
    array([-1., -1., -1.,  1.,  1., -1.])
    """
    density = check_number("input_density", density, 0.0, 1.0, low_open=True)
    if isinstance(input_weights, str):
        draw = INPUT_WEIGHTS[check_choice("input_weights", input_weights, INPUT_WEIGHTS)]
        return _columns(draw, (n_units, n_inputs), density, rng)
    refuse_masked("input_weights", input_weights)
    if callable(input_weights):
        input_weights = input_weights(n_units, n_inputs, rng)
    elif not hasattr(input_weights, "__len__"):
        raise TypeError(
            f"input_weights must be one of {list(INPUT_WEIGHTS)}, a matrix or a callable, got "
            f"{input_weights!r}"
        )
    matrix = finite_array("input_weights", input_weights)
    if matrix.shape != (n_units, n_inputs):
        raise ValueError(
            f"input_weights must have shape ({n_units}, {n_inputs}), got {matrix.shape}"
        )
    if density < 1.0:
        raise ValueError(
            f"input_density must be 1 if input_weights is a matrix or a callable, got {density}"
        )
    return matrix.astype(np.float64)


def _columns(draw, shape, density, rng):
    """Draw a matrix column by column, and set a share of every column to zero."""
    n_units, n_inputs = shape
    weights = np.empty((n_inputs, n_units))
    for f in range(n_inputs):
        weights[f] = draw(n_units, f, n_inputs, rng)
        zeros = rng.permutation(n_units)[max(1, round(density * n_units)) :]
        weights[f, zeros] = 0.0
    return weights.T
