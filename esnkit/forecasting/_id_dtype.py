"""The dtype of ids of series in a frame, which forecasts of these have too."""

from typing import Any, NamedTuple

from esnkit.utils._plain_state import plain_record

__all__ = ["IdDtype", "as_column", "as_index", "dtype_of_column", "dtype_of_index"]


@plain_record
class IdDtype(NamedTuple):
    """A dtype as plain values."""

    name: str  # as pandas reads it, or its class in narwhals
    parameters: dict = {}


def dtype_of_index(dtype: Any) -> IdDtype:
    """Return the dtype of ids of pandas.

    Examples
    --------
    >>> import pandas as pd
    >>> dtype_of_index(pd.CategoricalDtype(["b", "a"])).parameters["categories"]
    ['b', 'a']
    """
    import pandas as pd

    if not isinstance(dtype, pd.CategoricalDtype):
        return IdDtype(str(dtype))
    categories = dtype.categories
    parameters = {"of_categories": str(categories.dtype), "ordered": dtype.ordered}
    return IdDtype("category", {"categories": categories.tolist(), **parameters})


def as_index(values: list, dtype: IdDtype, name: Any = None) -> Any:
    """Return ids as an index of pandas.

    Examples
    --------
    >>> import pandas as pd
    >>> as_index(["a", "a"], dtype_of_index(pd.CategoricalDtype(["b", "a"]))).codes.tolist()
    [1, 1]
    """
    import pandas as pd

    if dtype.name != "category":
        return pd.Index(values, dtype=dtype.name, name=name, tupleize_cols=False)
    known = dtype.parameters
    categories = pd.Index(known["categories"], dtype=known["of_categories"], tupleize_cols=False)
    return pd.CategoricalIndex(values, categories, ordered=known["ordered"], name=name)


def dtype_of_column(dtype: Any) -> IdDtype:
    """Return the dtype of ids of narwhals."""
    names = {"Enum": ("categories",), "Datetime": ("time_unit", "time_zone")}
    parameters = {name: getattr(dtype, name) for name in names.get(type(dtype).__name__, ())}
    return IdDtype(type(dtype).__name__, parameters)


def as_column(name: str, values: list, dtype: IdDtype, backend: Any) -> Any:
    """Return ids as a series of narwhals."""
    import narwhals as nw

    return nw.new_series(name, values, getattr(nw, dtype.name)(**dtype.parameters), backend=backend)
