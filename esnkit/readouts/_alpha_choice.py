"""The choice among several penalties by leave-one-out errors."""

from typing import NamedTuple

import numpy as np
from scipy.linalg import LinAlgWarning

from esnkit.readouts._accumulator import Accumulator
from esnkit.readouts._base import Reduce
from esnkit.readouts._classification_losses import LossSums
from esnkit.readouts._leave_one_out import LeaveOneOut, leave_one_out
from esnkit.utils._plain_state import plain_record
from esnkit.utils._warnings import warn

__all__ = [
    "AlphaChoice",
    "choose_by_losses",
    "choose_by_squared_error",
    "one_class",
    "smallest_error",
]

# Fewer alphas are a choice between given ones, not a range that may be too short.
MIN_ALPHAS = 3
# A mean squared error that is smaller by less than this share is as good as the other.
MIN_GAIN = 0.1


@plain_record
class AlphaChoice(NamedTuple):
    """A penalty, and the leave-one-out errors that it was chosen by."""

    alpha: float
    loo_scores: np.ndarray | None = None  # (n_alphas,)
    loo_log_losses: np.ndarray | None = None  # (n_alphas,)
    temperature: float | None = None


def choose_by_squared_error(
    accumulator: Accumulator, reduce: Reduce, alphas: np.ndarray
) -> AlphaChoice:
    """Return the alpha of smallest leave-one-out error, and the errors."""
    return smallest_error(leave_one_out(accumulator, reduce, alphas), alphas)


def smallest_error(errors: LeaveOneOut, alphas: np.ndarray) -> AlphaChoice:
    """Return the alpha of smallest mean squared error, and the errors."""
    scores = errors.errors.mean(axis=1)
    best = int(np.argmin(np.where(np.isnan(scores), np.inf, scores)))
    if not np.isfinite(scores[best]):
        warn(
            "no leave-one-out error is finite: for every alpha, some row alone determines its own "
            "prediction. The largest alpha is used"
        )
        best = int(np.argmax(alphas))
    if errors.is_imprecise.any():
        warn(
            f"loo_scores_ of alpha={alphas[errors.is_imprecise].max():g} has fewer than two "
            "correct digits, as some row almost alone determines its own prediction, or some "
            "features nearly depend on others: leave them out, or use larger alphas",
            LinAlgWarning,
        )
    _warn_at_end(alphas, scores, best, MIN_GAIN * scores[best])
    with np.errstate(over="ignore", under="ignore"):
        return AlphaChoice(float(alphas[best]), np.ldexp(scores, errors.exponent))


def choose_by_losses(sums: LossSums, alphas: np.ndarray) -> AlphaChoice:
    """Return the alpha of least log loss among those with about the fewest wrong rows.

    The counts may exceed the smallest one by a standard error: for few rows, many alphas have equal
    ones, or differ by chance. The sums are those of the distinct alphas, ascending.
    """
    distinct, positions = np.unique(alphas, return_inverse=True)
    rates, calibration = sums.error_rates(), sums.calibrate()
    n_wrong = rates * sums.n_effective()
    most = n_wrong.min() + _standard_error(n_wrong.min())
    best = int(np.argmin(np.where(n_wrong <= most, calibration.log_losses, np.inf)))
    _warn_at_end(distinct, n_wrong, best, _standard_error(n_wrong[best]))
    return AlphaChoice(
        float(distinct[best]),
        rates[positions],
        calibration.log_losses[positions],
        float(calibration.temperatures[best]),
    )


def one_class(alphas: np.ndarray) -> AlphaChoice:
    """Return the first alpha, without errors: every row is of the one class there is."""
    return AlphaChoice(float(alphas[0]), np.zeros(len(alphas)), np.zeros(len(alphas)), 1.0)


def _standard_error(n_wrong: float) -> float:
    """Return the standard error of a number of wrong rows, of one more so that it is not zero."""
    return float(np.sqrt(n_wrong + 1))


def _warn_at_end(alphas: np.ndarray, scores: np.ndarray, best: int, margin: float) -> None:
    """Warn if the best of several alphas is an end of the list, and clearly the best.

    That it is if the score of its neighbour is worse by more than a margin.
    """
    order = np.unique(alphas, return_index=True)[1]
    place = int(np.searchsorted(alphas[order], alphas[best]))
    if len(order) < MIN_ALPHAS or 0 < place < len(order) - 1:
        return
    neighbour, end, advice = order[1], "smallest", "add smaller ones to alpha"
    if place > 0:
        neighbour, end = order[-2], "largest"
        advice = "the features may tell nothing about the targets; otherwise add larger ones"
    if scores[neighbour] > scores[best] + margin:
        warn(
            f"alpha={alphas[best]:g}, the {end} of the list, has the least leave-one-out error: "
            f"{advice}"
        )
