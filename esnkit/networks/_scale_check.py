"""Warnings of data that a network has not learned, or that are of unusual size.

An update moves a weight by about the learning rate, so that targets of a million are out of reach;
and inputs of a million saturate the units, whose gradients vanish.
"""

from collections.abc import Callable

import numpy as np
from scipy.special import entr
from sklearn.exceptions import ConvergenceWarning

from esnkit.networks._losses import LOSSES
from esnkit.utils._warnings import warn

__all__ = [
    "column_sizes",
    "loss_of_constant",
    "unexplained_by_classes",
    "unexplained_shares",
    "warn_of_scale",
    "warn_unless_learned",
]

# On linear filters of noise, Adam explains most of the variance for columns of size one, and half
# of it at most beyond these bounds, with every cell.
LARGEST_SIZE, SMALLEST_SIZE = 300.0, 1 / 300
# Of data of an ordinary size, noise may leave less to explain; those of an unusual size are to be
# scaled before anyone can tell.
MAX_UNEXPLAINED = 0.5
MIN_ITERATIONS = 10  # fewer say nothing of the learning rate
MIN_GAIN = 1e-3  # of the loss, below which it has not fallen
MIN_LOSS = SMALLEST_SIZE**2 / 2  # a smaller one of constant outputs leaves nothing to learn
ROUNDING = 1e-10  # deviations below this share of the mean are those of constants


def warn_of_scale(
    X_sizes: np.ndarray, y_sizes: np.ndarray, unexplained: Callable[[], np.ndarray]
) -> bool:
    """Warn if sizes of inputs or targets are unusual, and outputs are hardly explained.

    Parameters
    ----------
    X_sizes : ndarray of shape (n_features,)
        Root mean squares; empty for tokens.
    y_sizes : ndarray of shape (n_outputs,)
        Standard deviations, or root mean squares where no bias is learned; ones for classes.
    unexplained : callable () -> ndarray of shape (n_outputs,)
        Returns the share of every output that the network does not explain. It is not called for
        data of usual sizes.

    Returns
    -------
    bool
        Whether there is a warning.
    """
    y_unusual = (y_sizes > LARGEST_SIZE) | ((y_sizes > 0) & (y_sizes < SMALLEST_SIZE))
    X_largest = float(X_sizes.max(initial=0.0))
    X_unusual = X_largest > LARGEST_SIZE or 0 < X_largest < SMALLEST_SIZE
    if not (X_unusual or y_unusual.any()):
        return False
    shares = unexplained()
    failed = ~(shares <= MAX_UNEXPLAINED)
    advice = []
    if (failed & y_unusual).any():
        advice.append(
            f"y is of the size {y_sizes[failed & y_unusual][0]:.2g}: scale it to a standard "
            "deviation of about one, as TransformedTargetRegressor does with StandardScaler()"
        )
    if failed.any() and X_unusual:
        effect = "saturate the units" if X_largest > 1 else "hardly move the units"
        advice.append(
            f"X is of the size {X_largest:.2g}, which {effect}: scale its columns, as "
            "SequenceScaler does"
        )
    if advice:
        explained = max(0.0, 1.0 - float(np.max(shares[failed])))
        warn(
            f"the network has learned {100 * explained:.0f} % of the variation of y; "
            + "; ".join(advice),
            ConvergenceWarning,
        )
    return bool(advice)


def warn_unless_learned(
    n_iter: int, best_loss: float, reference: float, *, learning_rate: float, remedy: str
) -> None:
    """Warn unless the loss of an iteration is below a reference.

    That is the loss of outputs that ignore the inputs or, if smaller, of the initial weights.
    """
    if n_iter < MIN_ITERATIONS or reference < MIN_LOSS:
        return
    if best_loss < (1 - MIN_GAIN) * reference:
        return
    warn(
        f"the network has learned nothing from X: after {n_iter} iterations its loss is "
        f"{best_loss:.3g}, while equal outputs for all of X, or the initial weights, have "
        f"{reference:.3g}; use a smaller learning_rate_init (now {learning_rate:g}) if loss_curve_ "
        f"jumps, else a larger one or more iterations{remedy}",
        ConvergenceWarning,
    )


def loss_of_constant(kind: str, Y: np.ndarray, weights: np.ndarray | None) -> float:
    """Return the least loss of outputs that are equal for all rows: means, or frequencies."""
    mean = _column_means(weights, Y)
    if kind == "softmax":
        mean = np.log(np.maximum(mean, np.finfo(np.float64).tiny))
    outputs = np.broadcast_to(mean, Y.shape).astype(Y.dtype)
    return LOSSES[kind][0](outputs, Y, weights).value


def column_sizes(
    rows: np.ndarray, weights: np.ndarray | None = None, *, centred: bool = False
) -> np.ndarray:
    """Return root mean squares, or standard deviations, of columns; zero for constant ones.

    ``weights`` are of the rows (n_rows,), or of rows and columns.
    """
    # Squares of values at either end of the range leave it; a power of two rounds nothing.
    exponent = np.frexp(np.abs(rows).max(axis=0).astype(np.float64))[1]
    with np.errstate(over="ignore", invalid="ignore"):
        values = np.ldexp(rows, -exponent)
        mean = _column_means(weights, values) if centred else np.zeros(rows.shape[1])
        values = values - mean
        sizes = np.sqrt(_column_means(weights, values, values))
        return np.where(sizes <= ROUNDING * np.abs(mean), 0.0, np.ldexp(sizes, exponent))


def unexplained_shares(
    outputs: np.ndarray, Y: np.ndarray, weights: np.ndarray | None
) -> np.ndarray:
    """Return the mean squared error of every output, divided by the variance of its targets.

    Of constant targets there is nothing to explain: zero.
    """
    deviation = column_sizes(Y, weights, centred=True)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        shares = (column_sizes(outputs - Y, weights) / deviation) ** 2
    return np.where(deviation > 0, shares, 0.0)


def unexplained_by_classes(
    loss: float, Y: np.ndarray, weights: np.ndarray | None = None
) -> np.ndarray:
    """Return the cross-entropy, relative to that of the frequencies of the classes, as an array."""
    chance = entr(np.average(Y, axis=0, weights=weights)).sum()
    return np.array([loss / max(chance, np.finfo(np.float64).tiny)])


def _column_means(weights: np.ndarray | None, *factors: np.ndarray) -> np.ndarray:
    """Return weighted means of products of columns, without an array of the products."""
    rows = factors[0]
    columns = ",".join(["ij"] * len(factors))
    if weights is None:
        return np.einsum(f"{columns}->j", *factors, dtype=np.float64) / len(rows)
    weights = np.broadcast_to(weights.reshape(len(rows), -1), rows.shape)
    total = np.maximum(weights.sum(axis=0), np.finfo(np.float64).tiny)
    return np.einsum(f"ij,{columns}->j", weights, *factors, dtype=np.float64) / total
