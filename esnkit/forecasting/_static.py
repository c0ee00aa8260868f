"""Static covariates of series: numbers that do not change with time."""

from typing import Any

import numpy as np
from sklearn.utils import check_array

from esnkit.forecasting._transforms import mean_and_scale
from esnkit.utils._pandas import is_pandas

__all__ = ["read_static"]


def read_static(static: Any, ids: list) -> np.ndarray:
    """Return covariates (n_series, n_static) as standardised columns; none for None.

    Parameters
    ----------
    static : array-like of shape (n_series, n_static) or (n_series,), or None
        A frame or Series of pandas has the ids as its index, and may have others.
    ids : list
        Of the series.

    Examples
    --------
    >>> read_static([1.0, 3.0], ["a", "b"])
    array([[-1.],
           [ 1.]])
    """
    if static is None:
        return np.empty((len(ids), 0))
    if is_pandas(static):
        static = _rows_of(static, ids)
    if np.ndim(static) == 1:
        static = np.asarray(static)[:, None]
    try:
        values = check_array(static, dtype=np.float64, input_name="static")
    except ValueError as error:
        if "could not convert" not in str(error):
            raise
        raise ValueError(
            f"static must hold numbers: {error}; give a column of 0 and 1 for each category "
            "(pd.get_dummies)"
        ) from None
    if len(values) != len(ids):
        raise ValueError(
            f"static must have a row for each of the {len(ids)} series, got {len(values)}"
        )
    mean, scale = mean_and_scale(np.sort(values, axis=0))  # bits do not depend on the order
    return (values - mean) / scale


def _rows_of(static: Any, ids: list) -> Any:
    """Return the rows of a frame in the order of the ids."""
    repeated = static.index[static.index.duplicated()]
    if len(repeated):
        raise ValueError(f"static must have one row for each id, got several of {repeated[0]!r}")
    missing = [key for key in ids if key not in static.index]
    if missing:
        raise ValueError(
            f"static must have the ids of the series as its index, got none of {missing[0]!r}; "
            "give an array for rows in the order of the series"
        )
    return static.loc[ids]
