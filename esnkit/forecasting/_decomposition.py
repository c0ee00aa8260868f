"""Decomposition of a series into the season terms that networks have as inputs, and the rest."""

import numpy as np

from esnkit.forecasting._seasonality import season_terms

__all__ = ["decompose"]

MAX_HARMONICS = 6  # of each season, as for the candidates with many of them
TREND_DEGREE = 3  # of the polynomial fitted beside the seasons: no season takes up a trend


def decompose(values: np.ndarray, periods: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """Fit season terms to the observed values of a series by least squares.

    Parameters
    ----------
    values : ndarray of shape (n_timesteps,)
    periods : list of float
        Of the seasons, in time steps.

    Returns
    -------
    seasonal : ndarray of shape (n_timesteps, n_seasons)
        A column per season; they have mean zero.
    rest : ndarray of shape (n_timesteps,)
        The series without them.

    Examples
    --------
    >>> months = np.arange(48)
    >>> season = np.sin(2 * np.pi * months / 12)
    >>> seasonal, rest = decompose(season + 0.5 * months, [12])
    >>> bool(np.allclose(seasonal[:, 0], season) and np.allclose(rest, 0.5 * months))
    True
    """
    rows = np.arange(len(values))
    time = np.linspace(-1.0, 1.0, len(values))
    parts = [np.polynomial.legendre.legvander(time, TREND_DEGREE)]
    for period in periods:
        harmonics = max(1, min(int(period // 2), MAX_HARMONICS))
        parts.append(season_terms(((period, harmonics),), rows))
    seen = ~np.isnan(values)
    weights = np.linalg.lstsq(np.hstack(parts)[seen], values[seen], rcond=None)[0]
    ends = np.cumsum([part.shape[1] for part in parts])
    columns = [
        part @ weights[end - part.shape[1] : end]
        for part, end in zip(parts[1:], ends[1:], strict=True)
    ]
    seasonal = np.stack(columns, axis=1) if columns else np.empty((len(values), 0))
    seasonal -= seasonal.mean(axis=0)
    return seasonal, values - seasonal.sum(axis=1)
