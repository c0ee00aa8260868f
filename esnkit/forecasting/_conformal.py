"""Split-conformal prediction intervals from the errors of rolling forecasts.

    half-width = the ceil((m + 1) * level)-th smallest of m absolute errors

(Vovk et al. 2005; Lei et al. 2018, eq. 2), step ahead by step ahead. With
exchangeable errors the coverage is at least `level`.
"""

import numpy as np


class IntervalError(ValueError):
    """A series is too short for an interval: what is missing, and how to mend it."""

    def __str__(self) -> str:
        missing, remedy = self.args
        return f"interval needs {missing}: {remedy}"


def split_origins(n_fit: int, n_total: int, n_steps: int, share: float, limit: int = 500):
    """Choose the end of the part fitted on, and the origins of the rolling forecasts after it.

    The first `1 - share` of the `n_fit` rows is fitted on. Origins follow at every k-th
    row, so that there are at most `limit` of them up to row `n_fit`, and go on to the last
    one whose `n_steps` following rows are known; more rows only add origins at the end.
    """
    start = n_fit - int(n_fit * share)
    stride = max(1, -(-(n_fit - start) // limit))
    return start, np.arange(start, n_total - n_steps + 1, stride)


def half_widths(errors: np.ndarray, level: float) -> np.ndarray:
    """Conformal quantile of absolute errors along the first axis.

    Parameters
    ----------
    errors : ndarray of shape (n_origins, n_steps, n_series)
    level : float in (0, 1)

    Returns
    -------
    ndarray of shape (n_steps, n_series)

    Raises
    ------
    IntervalError
        If there are too few errors for a finite interval at this level.

    Examples
    --------
    >>> half_widths(np.arange(1.0, 20.0).reshape(19, 1, 1), 0.9)
    array([[18.]])
    """
    m = len(errors)
    # a level written in decimals must not cost a residual to rounding
    rank = max(1, int(np.ceil((m + 1) * level - 1e-9)))
    if rank > m:
        needed = int(np.ceil(level / (1 - level) - 1e-9))
        raise IntervalError(
            f"at least {needed} backtest errors at level {level:g}, the series gives {m}",
            "fit on a longer series, raise calibration, forecast fewer steps or lower interval",
        )
    return np.partition(np.abs(errors), rank - 1, axis=0)[rank - 1]
