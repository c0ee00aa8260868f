"""Checks of what a forecaster is given: series and exogenous inputs as arrays of rows."""

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from esnkit.forecasting._index import SeriesKind, future_index, same_index
from esnkit.utils._pandas import is_frame, is_pandas


def read_rows(series, argument: str, estimator=None, reset: bool = True) -> np.ndarray:
    """Check a series and return it as rows (n_timesteps, n_series).

    An `estimator` stores the number and names of the columns, or checks them (``reset=False``).
    """
    table = _as_table(series, argument)
    rows = _as_numbers(table, argument)
    if estimator is not None:
        validate_data(estimator, table, reset=reset, skip_check_array=True)
    return rows


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


def _as_table(values, argument: str):
    """Return a 2-D object as it is, and a 1-D one as a column."""
    array = values
    if not hasattr(values, "ndim"):
        try:
            array = np.asarray(values)
        except ValueError as error:
            raise ValueError(f"{argument} must be 1-D or 2-D: {error}") from None
    if array.ndim not in (1, 2):
        raise ValueError(f"{argument} must be 1-D or 2-D, got {array.ndim} dimensions")
    if array.shape[0] == 0:
        raise ValueError(f"{argument} must have at least one time step, got none")
    dtypes = list(values.dtypes) if is_frame(values) else [getattr(array, "dtype", None)]
    if any(getattr(dtype, "kind", "") in ("m", "M") for dtype in dtypes):
        raise ValueError(
            f"{argument} must hold numbers, got times; convert them to numbers, or make them the "
            "index"
        )
    return values if array.ndim == 2 else np.reshape(np.asarray(values), (-1, 1))


def _as_numbers(table, argument: str) -> np.ndarray:
    """Copy a table to float64, in C order: the last bits of sums depend on the memory layout."""
    try:
        with np.errstate(over="ignore", invalid="ignore"):  # its test for NaN sums all values
            return check_array(table, dtype=np.float64, order="C", input_name=argument, copy=True)
    except (TypeError, ValueError) as error:
        if argument in str(error):
            raise
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{argument}: {error}") from None


def exog_argument(series, y, exog):
    """Return the exogenous inputs, given as `exog` or, by scikit-learn's tools, as `y`."""
    if y is None:
        return exog
    if exog is not None:
        raise ValueError("exog must be given once, got it as y too")
    if np.ndim(series) == 1 and np.ndim(y) == 1:
        raise ValueError(
            "y must be 2-D beside a 1-D series: a forecaster has no target, y stands for exog; "
            "name it exog=..."
        )
    return y


def read_exog(exog, n_rows: int, index, exactly: bool = True) -> np.ndarray:
    """Check exogenous inputs for `n_rows` rows, and their index against that of the series."""
    e = _as_numbers(_as_table(exog, "exog"), "exog")
    if len(e) < n_rows or (exactly and len(e) > n_rows):
        raise ValueError(
            f"exog must have {'' if exactly else 'at least '}{n_rows} rows, one per time step, "
            f"got {len(e)}"
        )
    if index is not None and is_pandas(exog) and not same_index(exog.index[:n_rows], index):
        raise ValueError(
            f"exog must have the index of its time steps, {index[0]} to {index[-1]}, got "
            f"{exog.index[0]} to {exog.index[-1]}; pass exog.to_numpy() to match rows by position"
        )
    return e


def read_future_exog(
    exog, n_rows: int, kind: SeriesKind, n_exog: int, names: tuple | None, exactly: bool = False
) -> np.ndarray:
    """Check the exogenous inputs of the `n_rows` rows that follow those a model has seen.

    `kind` describes the series up to there. The model was fitted with `n_exog` inputs; `names` are
    their columns, where they had names. Rows beyond `n_rows` are cut off, with `exactly` refused.
    """
    if exog is None and n_exog:
        raise ValueError(
            f"exog must be given: the model was fitted with {n_exog} exogenous inputs, "
            f"their values for these {n_rows} time steps are needed"
        )
    if exog is None:
        return np.empty((n_rows, 0))
    if not n_exog:
        raise ValueError("exog must be None: the model was fitted without exogenous inputs")
    if is_frame(exog) and names is not None:
        missing = [name for name in names if name not in exog.columns]
        if missing or len(exog.columns) != n_exog:
            raise ValueError(f"exog must have the columns {list(names)}, got {list(exog.columns)}")
        exog = exog[list(names)]
    e = read_exog(exog, n_rows, future_index(kind, n_rows), exactly)
    if e.shape[1] != n_exog:
        raise ValueError(f"exog must have {n_exog} columns, got {e.shape[1]}")
    return e[:n_rows]
