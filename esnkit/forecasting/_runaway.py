"""Forecasts that run away: how far is too far, and what takes their place."""

import numpy as np

from esnkit.forecasting._missing import fill_seasons
from esnkit.forecasting._naive import seasonal_naive
from esnkit.utils._warnings import warn

__all__ = [
    "MAX_RELATIVE_REACH",
    "RUNAWAY_REACH",
    "add_share",
    "clear_runaways",
    "combine_members",
    "fall_back",
    "range_of",
    "relative_reach",
    "warn_beyond_reach",
]

# A trend may lead far out of the range of a series, but not by so many times that range.
RUNAWAY_REACH = 1e3
MAX_RELATIVE_REACH = 10  # the largest plausible one


def range_of(rows: np.ndarray) -> np.ndarray:
    """Return the smallest and the largest observed values (2, n_series)."""
    return np.stack([np.fmin.reduce(rows), np.fmax.reduce(rows)])


def relative_reach(forecasts: np.ndarray, observed_range: np.ndarray) -> np.ndarray:
    """Return how far forecasts are from the middle of a range, whose ends are at 1.

    Parameters
    ----------
    forecasts : ndarray of shape (..., n_series)
    observed_range : ndarray of shape (2, n_series)
        Smallest and largest values; a constant series has no range, and all is near.

    Examples
    --------
    >>> relative_reach(np.array([[1.0, 5.0], [7.0, 6.0]]), np.array([[1.0, 5.0], [3.0, 5.0]]))
    array([[1., 0.],
           [5., 0.]])
    """
    low, high = observed_range / 2  # halves, whose sums and differences do not overflow
    reach = np.where(high > low, high - low, np.inf)
    with np.errstate(over="ignore", invalid="ignore"):
        return np.abs(forecasts / 2 - (low + high) / 2) / (reach / 2)


def warn_beyond_reach(
    forecasts: np.ndarray, observed_range: np.ndarray, what: str, remedies: str
) -> None:
    """Warn of forecasts (n_steps, n_series) far outside the range of what was observed."""
    furthest = relative_reach(forecasts, observed_range).max(axis=1)
    if furthest.max() > MAX_RELATIVE_REACH:
        step = int(np.argmax(furthest > MAX_RELATIVE_REACH)) + 1
        warn(
            f"the forecast leaves the range of the {what}: in step {step} it is more than "
            f"{MAX_RELATIVE_REACH} times as far from its middle as any value seen, and at most "
            f"{furthest.max():.3g} times; unless that is a trend, the closed loop diverges: use "
            f"{remedies}",
            RuntimeWarning,
        )


def clear_runaways(forecasts: np.ndarray, observed_range: np.ndarray) -> np.ndarray:
    """Return forecasts (n_origins, n_steps, n_series), NaN from origins where one runs away."""
    near = relative_reach(forecasts, observed_range) <= RUNAWAY_REACH
    good = (near & np.isfinite(forecasts)).all(axis=(1, 2))
    return np.where(good[:, None, None], forecasts, np.nan)


def combine_members(members: list[np.ndarray], how: str) -> np.ndarray:
    """Return the mean or median of members (n_origins, n_steps, ...) that do not run away.

    Examples
    --------
    >>> combine_members([np.array([[[1.0]], [[2.0]]]), np.array([[[3.0]], [[np.nan]]])], "mean")
    array([[[2.]],
    <BLANKLINE>
           [[2.]]])
    """
    combined = np.full_like(members[0], np.nan)
    for k in range(len(combined)):
        kept = [member[k] for member in members if not np.isnan(member[k]).any()]
        if kept:
            combined[k] = np.mean(kept, axis=0) if how == "mean" else np.median(kept, axis=0)
    return combined


def add_share(forecasts: np.ndarray, simple: np.ndarray, share: float) -> np.ndarray:
    """Return forecasts with a share of simple ones, without it where these run away (NaN).

    Examples
    --------
    >>> add_share(np.array([4.0, 4.0]), np.array([8.0, np.nan]), 0.25)
    array([5., 4.])
    """
    return np.where(np.isnan(simple), forecasts, (1 - share) * forecasts + share * simple)


def fall_back(forecasts: np.ndarray, rows: np.ndarray, origins, lags: list[int]) -> np.ndarray:
    """Put a naive forecast where one ran away.

    Parameters
    ----------
    forecasts : ndarray of shape (n_origins, n_steps, n_series)
        NaN where one ran away.
    rows : ndarray of shape (n_rows, n_series)
    origins : sequence of int
        How many of the rows are known at each.
    lags : list of int
        By series, how many of the last rows are repeated.
    """
    forecasts = forecasts.copy()
    for k, j in np.argwhere(np.isnan(forecasts).any(axis=1)):
        past = fill_seasons(rows[: origins[k], j : j + 1], lags[j])[:, 0]
        forecasts[k, :, j] = seasonal_naive(past, forecasts.shape[1], min(lags[j], len(past)))
    return forecasts
