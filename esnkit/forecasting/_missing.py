"""Missing values of a series: NaN in its rows, for which predictions stand in."""

from collections.abc import Callable
from typing import Any

import numpy as np

from esnkit.forecasting._differencing import Lag, count_lost, difference

N_FITS = 3  # to interpolated values, then to values predicted by the fit before
N_COMPARED = 100  # predictions that choose one of the fits
MIN_UNTOUCHED = 0.25  # share of the observed rows

__all__ = [
    "check_observed",
    "fill_forward",
    "fill_seasons",
    "fit_with_missing",
    "interpolate",
    "observed_error",
    "predict_missing",
    "refuse_missing_values",
    "taught_rows",
]


def interpolate(values: np.ndarray) -> np.ndarray:
    """Return rows with missing values on the line between the observed ones around them.

    Before the first and after the last observed value of a column, that value is repeated.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_series)
        With an observed value in every column.

    Examples
    --------
    >>> interpolate(np.array([[np.nan], [1.0], [np.nan], [3.0], [np.nan]])).ravel()
    array([1., 1., 2., 3., 3.])
    """
    filled, rows = values.copy(), np.arange(len(values))
    for column in filled.T:
        missing = np.isnan(column)
        if missing.any():
            column[missing] = np.interp(rows[missing], rows[~missing], column[~missing])
    return filled


def fill_forward(values: np.ndarray, before: np.ndarray | None = None) -> np.ndarray:
    """Return rows in which the last value of a column stands for the missing ones after it.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
    before : ndarray of shape (n_columns,), default=None
        The row before them. Without one, the first value of a column stands for those missing
        before it.

    Examples
    --------
    >>> fill_forward(np.array([[np.nan], [1.0], [np.nan], [3.0]])).ravel()
    array([1., 1., 1., 3.])
    """
    observed = ~np.isnan(values)
    if observed.all():
        return values
    last = np.where(observed, np.arange(len(values))[:, None], -1)
    last = np.maximum.accumulate(last, axis=0)
    if before is None:
        before = values[observed.argmax(axis=0), np.arange(values.shape[1])]
    filled = np.take_along_axis(values, np.maximum(last, 0), axis=0)
    return np.where(last < 0, before, filled)


def fill_seasons(values: np.ndarray, period: int) -> np.ndarray:
    """Return rows in which the value one period before stands for a missing one.

    Where there is none, the value of the row before stands for it.

    Examples
    --------
    >>> fill_seasons(np.array([[1.0], [2.0], [np.nan], [4.0], [np.nan], [np.nan]]), 2).ravel()
    array([1., 2., 1., 4., 1., 4.])
    """
    if not np.isnan(values).any():
        return values
    n_rows, n_series = values.shape
    before = np.full((-n_rows % period, n_series), np.nan)
    seasons = np.vstack([before, values]).reshape(-1, period * n_series)
    return fill_forward(fill_forward(seasons).reshape(-1, n_series)[len(before) :])


def refuse_missing_values(values: np.ndarray, argument: str, names: tuple | None, way_out: str):
    """Raise if rows have missing values, and name the first."""
    missing = np.isnan(values)
    if not missing.any():
        return
    row, column = np.argwhere(missing)[0].tolist()
    where = f"row {row}"
    if values.shape[1] > 1 or (names or (None,))[0] is not None:
        where += f" of column {names[column] if names else column!r}"
    raise ValueError(
        f"{argument} contains NaN: {missing.sum()} of {missing.size} values are missing, the first "
        f"in {where}; {way_out}"
    )


def check_observed(values: np.ndarray, argument: str = "series") -> None:
    """Raise if a column has no observed value."""
    empty = np.isnan(values).all(axis=0)
    if empty.any():
        raise ValueError(
            f"{argument} contains NaN only in column {int(np.argmax(empty))}: leave the column out"
        )


def observed_error(
    metric: Callable, observed: np.ndarray, forecasts: np.ndarray, *past: np.ndarray
) -> float:
    """Return a metric of the observed values, the mean over columns; NaN where there are none.

    Parameters
    ----------
    metric : callable
        Takes observed values, forecasts and `past`, of a single series each.
    observed, forecasts : ndarray of shape (n_rows,) or (n_rows, n_series)
    """
    if not any(np.isnan(rows).any() for rows in (observed, *past)):
        return float(metric(observed, forecasts, *past))
    columns = zip(*(np.atleast_2d(rows.T) for rows in (observed, forecasts, *past)), strict=True)
    scores = []
    for true, predicted, *rows in columns:
        seen, rows = ~np.isnan(true), [row[~np.isnan(row)] for row in rows]
        scores.append(metric(true[seen], predicted[seen], *rows) if seen.any() else np.nan)
    return float(np.mean(scores))


def taught_rows(values: np.ndarray, lags: tuple[Lag, ...]) -> np.ndarray:
    """Tell which of the rows differenced at `lags` a model learns, (n_rows - n_lost, n_series).

    They are those that no missing value touches. Where these are few, rows of a column whose own
    value is observed suffice, if they do not reach back to before its first observed value.

    Examples
    --------
    >>> rows = np.array([[1.0], [2.0], [3.0], [np.nan], [5.0], [6.0]])
    >>> taught_rows(rows, (1,)).ravel()
    array([ True,  True, False, False,  True])
    """
    n_lost, observed = count_lost(lags), ~np.isnan(values)
    untouched = ~np.isnan(difference(values, lags))
    started = np.logical_or.accumulate(observed)
    taught = observed[n_lost:] & started[: len(values) - n_lost]
    few = untouched.sum(axis=0) < MIN_UNTOUCHED * taught.sum(axis=0)
    return np.where(few, taught, untouched)


def fit_with_missing(fit: Callable, values: np.ndarray, exog: np.ndarray) -> Any:
    """Fit an ensemble to a series with missing values.

    The first fit has interpolated values in their place. Every later one has the values that the
    one before predicts along the series, see `predict_missing`. The fit is kept that has the
    smallest error of one-step predictions for observed rows after observed rows, to which no
    interpolation brings a later value. Its predictions stand for the values missing at the end.

    Parameters
    ----------
    fit : callable
        From rows without missing values to an `Ensemble`.
    values, exog : ndarray of shape (n_rows, n_series) and (n_rows, n_exog)

    Returns
    -------
    Ensemble
    """
    filled, fits = interpolate(values), []
    for k in range(N_FITS):
        ensemble = fit(filled)
        fits.append((_one_step_error(ensemble, values, filled, exog), k, ensemble, filled))
        if k < N_FITS - 1:
            filled = predict_missing(ensemble, values, exog)
    _, _, ensemble, filled = min(fits)
    seen = np.logical_or.accumulate(~np.isnan(values)[::-1])[::-1]
    first, first_exog, _, later_exog = _split(ensemble, filled, exog)
    later = np.where(seen, filled, np.nan)[len(first) :]
    return ensemble.restart(first, first_exog).advance(later, later_exog)


def predict_missing(ensemble, values: np.ndarray, exog: np.ndarray) -> np.ndarray:
    """Return rows whose missing values an ensemble predicts one step ahead.

    Predictions stand for the missing values among the rows before. The first rows, before which
    there are too few for a prediction, are interpolated.
    """
    first, first_exog, _, later_exog = _split(ensemble, interpolate(values), exog)
    start = ensemble.restart(first, first_exog)
    return np.vstack([first, start.fill(values[len(first) :], later_exog)])


def _split(ensemble, values: np.ndarray, exog: np.ndarray) -> tuple:
    """Split rows and their inputs after the first that an ensemble needs."""
    n_first = ensemble.n_first
    return values[:n_first], exog[:n_first], values[n_first:], exog[n_first:]


def _one_step_error(ensemble, values, filled, exog) -> float:
    """Return the mean squared error of predictions for observed rows after observed rows."""
    first, first_exog, later, later_exog = _split(ensemble, filled, exog)
    values = values[len(first) :]
    observed = ~np.isnan(values).any(axis=1)
    rows = np.flatnonzero(observed[1:] & observed[:-1]) + 1
    if not len(rows):
        return 0.0
    rows = rows[np.unique(np.linspace(0, len(rows) - 1, N_COMPARED).astype(int))]
    start, later_exog = ensemble.restart(first, first_exog), np.vstack([later_exog, exog[-1:]])
    predictions = start.roll(later, later_exog, rows, 1)[:, 0]
    scale = filled.std(axis=0)
    errors = (predictions - values[rows]) / np.where(scale > 0, scale, 1.0)
    error = float(np.mean(errors**2))
    return error if np.isfinite(error) else np.inf  # NaN where a prediction runs away
