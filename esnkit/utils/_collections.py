"""Methods that take collections of other libraries, such as dask arrays, beside arrays.

What handles such collections stands above the estimators: the package registers its name here, and
it is imported when the first collection comes.
"""

import importlib
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

__all__ = ["HANDLERS", "handles_collections", "is_collection", "takes_collections"]

# By the name of a library: the module with a function (estimator, X, ...) for every method.
HANDLERS: dict[str, str] = {}

Method = TypeVar("Method", bound=Callable[..., Any])


def takes_collections(method: Method) -> Method:
    """Decorate a method (X, ...): a collection is handed to the function of the same name.

    Where the library has none, a TypeError names the method; as searches keep only this text of an
    error of a ``score``, it also tells how they do without.
    """

    @wraps(method)
    def dispatching(estimator: Any, X: Any, *args: Any, **params: Any) -> Any:
        module = HANDLERS.get(_library(X))
        if module is None:
            return method(estimator, X, *args, **params)
        function = getattr(importlib.import_module(module), method.__name__, None)
        if function is None:
            remedy = "X.compute() loads a collection into memory"
            if method.__name__ == "score":
                remedy += ", and scoring='r2' or 'accuracy' lets a search use predict instead"
            raise TypeError(
                f"X must be in memory for {type(estimator).__name__}.{method.__name__}, got a "
                f"{type(_first(X)).__module__.split('.')[0]} collection: {module} has functions "
                f"for fit and predict; {remedy}"
            )
        return function(estimator, X, *args, **params)

    dispatching.handles_collections = True  # type: ignore[attr-defined]
    return cast(Method, dispatching)


def handles_collections(method: Any) -> bool:
    """Return whether a method is one that `takes_collections` decorates."""
    return getattr(method, "handles_collections", False) is True


def is_collection(X: Any) -> bool:
    """Return whether X is a collection of a library with handlers."""
    return _library(X) in HANDLERS


def _first(X: Any) -> Any:
    """Return X, or the first item of a list."""
    return X[0] if isinstance(X, (list, tuple)) and X else X


def _library(X: Any) -> str:
    """Return the name of the library of a collection, or of the first item of a list."""
    return type(_first(X)).__module__.partition(".")[0]
