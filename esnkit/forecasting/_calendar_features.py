"""Inputs from the time stamps of a series: hour, weekday, month, and holidays.

Every value of a calendar field has a column of its own, which is 1 in its rows and 0 elsewhere.
Beside weekdays, weekends or holidays, the hours of days off have other columns than those of
working days: hour and day interact. With them, the mean absolute error of forecasts of hourly bike
rentals is 1 to 29 % smaller in seven of eight comparisons, and 6 % larger in one.
"""

import numpy as np

from esnkit.forecasting._labels import RowLabels
from esnkit.forecasting._seasonality import as_times
from esnkit.forecasting._zones import to_wall

__all__ = ["calendar_inputs", "check_calendar"]

SIZES = {"hour": 24, "weekday": 7, "weekend": 1, "day": 31, "month": 12, "holidays": 1}


def check_calendar(calendar, country) -> tuple[str, ...]:
    """Return the names of calendar fields, or raise."""
    if calendar is None:
        return ()
    names = (calendar,) if isinstance(calendar, str) else tuple(calendar)
    unknown = [name for name in names if name not in SIZES]
    if unknown or len(set(names)) < len(names):
        raise ValueError(
            f"calendar must have different names out of {list(SIZES)}, got {calendar!r}"
        )
    if ("holidays" in names) != (country is not None):
        raise ValueError(
            "country must be given, such as 'US' or 'DE-BY', if and only if calendar has "
            f"'holidays', got country={country!r} and calendar={calendar!r}"
        )
    return names


def calendar_inputs(
    names: tuple[str, ...], country: str | None, labels: RowLabels | None, values: np.ndarray | None
) -> np.ndarray:
    """Return the calendar fields of rows as columns of zeros and ones.

    Parameters
    ----------
    names : tuple of str
        Of the fields, see :func:`check_calendar`.
    country : str or None
        A country of the package holidays, with a subdivision after a hyphen.
    labels : RowLabels or None
        Of the series.
    values : ndarray of shape (n_rows,)
        The labels of the rows.

    Returns
    -------
    ndarray of shape (n_rows, n_columns)
        Field by field, in the order of the names; hours of working days before those of days off.

    Raises
    ------
    ValueError
        If the labels are no times.
    ImportError
        If the package holidays is needed and not installed.
    """
    times = None if labels is None or values is None else as_times(labels, values)
    if labels is None or times is None:
        raise ValueError(
            "calendar needs a series with time stamps, as the index of a pandas Series or "
            f"DataFrame, got calendar={names!r} and a series without"
        )
    if labels.kind == "times":
        times = to_wall(times, labels.style.zone)
    columns = {name: _one_hot(name, times, country) for name in names}
    off = _days_off(names, times, columns)
    if "hour" in names and off is not None:
        columns["hour"] = np.hstack([columns["hour"] * ~off, columns["hour"] * off])
    return np.hstack(list(columns.values()))


def _days_off(names: tuple[str, ...], times: np.ndarray, columns: dict) -> np.ndarray | None:
    """Return which rows (n_rows, 1) are on weekends or holidays, of which names tell."""
    found = []
    if "weekday" in names or "weekend" in names:
        found.append(_one_hot("weekend", times, None))
    if "holidays" in names:
        found.append(columns["holidays"])
    return np.any(found, axis=0) if found else None


def _one_hot(name: str, times: np.ndarray, country: str | None) -> np.ndarray:
    """Return the columns (n_rows, SIZES[name]) of a field at local times."""
    days = times.astype("datetime64[D]")
    weekday = (days.astype(np.int64) + 3) % 7  # 1970 began on a Thursday; Monday is 0
    if name == "weekend":
        return (weekday >= 5).astype(float)[:, None]
    if name == "holidays":
        return is_holiday(days, str(country))[:, None]
    months = times.astype("datetime64[M]")
    number = {
        "hour": lambda: times.astype("datetime64[h]").astype(np.int64) % 24,
        "weekday": lambda: weekday,
        "day": lambda: (days - months.astype("datetime64[D]")).astype(np.int64),
        "month": lambda: months.astype(np.int64) % 12,
    }[name]()
    return (number[:, None] == np.arange(SIZES[name])).astype(float)


def is_holiday(days: np.ndarray, country: str) -> np.ndarray:
    """Return 1 on the public holidays of a country, else 0."""
    try:
        import holidays
    except ImportError as error:
        raise ImportError(
            "calendar='holidays' needs the package holidays: pip install 'esnkit[holidays]'"
        ) from error
    name, _, part = country.partition("-")
    years = np.unique(days.astype("datetime64[Y]")).astype(np.int64) + 1970
    try:
        found = holidays.country_holidays(name, subdiv=part or None, years=years.tolist())
    except NotImplementedError as error:
        raise ValueError(f"country must be one of the package holidays: {error}") from None
    return np.isin(days, np.array(list(found), dtype="datetime64[D]")).astype(float)
