"""Checks of what a forecaster is given: series and exogenous inputs as arrays of rows."""

import sys
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from esnkit.forecasting._frames import Table, n_dimensions, take_apart
from esnkit.forecasting._labels import Labels, RowLabels, same_labels
from esnkit.forecasting._missing import refuse_missing_values

_WAY_OUT = (
    "fill them in ({}.interpolate() of pandas), or use a Forecaster or AutoForecaster with "
    "missing='predict'"
)


def read_series(series, argument: str, estimator=None, reset: bool = True, missing: str = "raise"):
    """Check a series and return it as rows (n_timesteps, n_series), and as a `Table`.

    An `estimator` stores the number and names of the columns, or checks them (``reset=False``).
    Missing values become NaN; with ``missing="raise"`` they are refused.
    """
    if isinstance(series, np.ma.MaskedArray) and missing != "raise":
        series = np.ma.filled(series.astype(np.float64), np.nan)
    table = take_apart(series, argument)
    rows = _as_numbers(table.numbers, argument)
    if missing == "raise":
        refuse_missing_values(rows, argument, table.names, _WAY_OUT.format(argument))
    if estimator is not None:
        keep_columns(estimator, table, reset)
    return rows, table


def read_rows(series, argument: str) -> np.ndarray:
    """Check a series and return it as rows (n_timesteps, n_series)."""
    return read_series(series, argument)[0]


def read_one_series(series, min_rows: int = 1) -> np.ndarray:
    """Check a single series and return its values (n_timesteps,)."""
    rows = read_rows(series, "series")
    if rows.shape[1] != 1:
        raise ValueError(
            f"series must be one series, of shape (n_timesteps,), got {rows.shape[1]} columns; "
            "pass them one at a time"
        )
    if len(rows) < min_rows:
        raise ValueError(f"series must have at least {min_rows} time steps, got {len(rows)}")
    return rows[:, 0]


def _as_numbers(table, argument: str) -> np.ndarray:
    """Copy a table to float64, in C order: the last bits of sums depend on the memory layout.

    NaN stays, infinity is refused.
    """
    table = _without_na(table)
    try:
        with np.errstate(over="ignore", invalid="ignore"):  # its test for NaN sums all values
            return check_array(
                table, dtype=np.float64, order="C", input_name=argument, copy=True,
                ensure_all_finite="allow-nan",
            )  # fmt: skip
    except (TypeError, ValueError, OverflowError) as error:
        if argument in str(error):
            raise
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{argument}: {error}") from None


def _without_na(table):
    """Return a table with NaN in place of NA of pandas among objects, which is no number."""
    pandas = sys.modules.get("pandas")
    dtypes = getattr(table, "dtypes", [getattr(table, "dtype", None)])
    if pandas is None or np.dtype(object) not in list(dtypes):
        return table
    return np.where(pandas.isna(table), np.nan, table)


def keep_columns(estimator, table: Table, reset: bool) -> None:
    """Store number and names of columns as scikit-learn does, or compare with those stored."""
    has_frame = table.library is not None and table.library.name != "pandas" and table.ndim == 2
    if not has_frame:
        validate_data(estimator, table.numbers, reset=reset, skip_check_array=True)
    elif reset:  # older versions of scikit-learn read no names from these frames
        validate_data(estimator, table.numbers, reset=True, skip_check_array=True)
        estimator.feature_names_in_ = np.asarray(table.names, dtype=object)
    else:
        names = getattr(estimator, "feature_names_in_", None)
        check_names(table, "series", None if names is None else tuple(names))
        if len(table.names or ()) != estimator.n_features_in_:
            raise ValueError(
                f"series must have {estimator.n_features_in_} columns, got {len(table.names or ())}"
            )


def has_names(table: Table) -> bool:
    """Tell whether columns have names; those of arrays have none, and a Series may have none."""
    return table.names is not None and (table.ndim == 2 or table.names[0] not in (None, ""))


def check_names(table: Table, argument: str, names: tuple | None, ndim: int = 2) -> None:
    """Raise if columns have other names than those that a model was fitted to.

    `names` are None for a model without names. With ``ndim=1`` they are that of a Series; another
    Series may have any name.
    """
    if names is None or not has_names(table) or table.ndim + ndim == 2:
        return
    if table.names != names:
        raise ValueError(
            f"{argument} must have the columns {list(names or ())}, got {list(table.names or ())}"
        )


def exog_argument(series, y, exog):
    """Return the exogenous inputs, given as `exog` or, by scikit-learn's tools, as `y`."""
    if y is None:
        return exog
    if exog is not None:
        raise ValueError("exog must be given once, got it as y too")
    if n_dimensions(series) == 1 and n_dimensions(y) == 1:
        raise ValueError(
            "y must be 2-D beside a 1-D series: a forecaster has no target, y stands for exog; "
            "name it exog=..."
        )
    return y


class Exog(NamedTuple):
    """Exogenous inputs as rows, and the names of their columns."""

    values: np.ndarray  # (n_rows, n_exog)
    names: tuple | None


def read_exog(
    exog,
    n_rows: int,
    series: Table | None = None,
    exactly: bool = True,
    missing: str = "raise",
    argument: str = "exog",
) -> Exog:
    """Check exogenous inputs for the `n_rows` rows of a series, and their labels against its.

    Missing values become NaN; with ``missing="raise"`` they are refused.
    """
    table = take_apart(exog, argument)
    e = _read_exog_rows(table, n_rows, exactly, missing, argument)
    expected = series.labels("series") if series is not None and table.index is not None else None
    found = None if expected is None else table.labels(argument)
    if found is not None and expected is not None:
        found = found._replace(values=found.values[:n_rows])
        if not same_labels(found, expected):
            raise _labels_error(found, expected, argument)
    return Exog(e, table.names if table.ndim == 2 else None)


def read_future_exog(
    exog,
    n_rows: int,
    rows: RowLabels | None,
    n_exog: int,
    names: tuple | None,
    exactly: bool = False,
    missing: str = "raise",
    argument: str = "exog",
) -> np.ndarray:
    """Check the exogenous inputs of the `n_rows` rows that follow those a model has seen.

    `rows` are the labels of the series. The model was fitted with `n_exog` inputs; `names` are
    their columns, where they had names. Rows beyond `n_rows` are cut off, with `exactly` refused.
    Missing values become NaN; with ``missing="raise"`` they are refused.
    """
    if exog is None and n_exog:
        raise ValueError(
            f"{argument} must be given: the model was fitted with {n_exog} exogenous inputs, "
            f"their values for these {n_rows} time steps are needed"
        )
    if exog is None:
        return np.empty((n_rows, 0))
    if not n_exog:
        raise ValueError(f"{argument} must be None: the model was fitted without such inputs")
    table = take_apart(exog, argument)
    order: Any = slice(None)
    if table.names is not None and names is not None and has_names(table):
        if len(table.names) != n_exog or set(table.names) != set(names):
            raise ValueError(
                f"{argument} must have the columns {list(names)}, got {list(table.names)}"
            )
        order = [table.names.index(name) for name in names]
    e = _read_exog_rows(table, n_rows, exactly, missing, argument)
    if e.shape[1] != n_exog:
        raise ValueError(f"{argument} must have {n_exog} columns, got {e.shape[1]}")
    found = table.labels(argument) if rows is not None else None
    if found is not None and rows is not None:
        found = found._replace(values=found.values[:n_rows])
        if not rows.are_continued_by(found):
            expected = found._replace(values=rows.after(n_rows), style=rows.style)
            raise _labels_error(found, expected, argument)
    return np.ascontiguousarray(e[:n_rows, order])


def _read_exog_rows(
    table: Table, n_rows: int, exactly: bool, missing: str, argument: str
) -> np.ndarray:
    e = _as_numbers(table.numbers, argument)
    if len(e) < n_rows or (exactly and len(e) > n_rows):
        at_least = "" if exactly else "at least "
        raise ValueError(
            f"{argument} must have {at_least}{n_rows} rows, one per time step, got {len(e)}"
        )
    if missing == "raise":
        way_out = f"fill them in, as {argument}.ffill() does"
        refuse_missing_values(e[:n_rows], argument, table.names, way_out)
    return e


def _labels_error(found: Labels, expected: Labels, argument: str) -> ValueError:
    return ValueError(
        f"{argument} must have the {found.style.place} of its time steps, {expected.text(0)} to "
        f"{expected.text(-1)}, got {found.text(0)} to {found.text(-1)}; to match rows by position "
        f"instead, {found.style.way_out}"
    )
