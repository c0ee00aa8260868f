"""Methods that change an estimator as a whole, or not at all."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

__all__ = ["rollback_on_error"]

Method = TypeVar("Method", bound=Callable[..., Any])


def rollback_on_error(method: Method) -> Method:
    """Leave the attributes of an estimator as they were where this method of it raises."""

    @wraps(method)
    def restoring(estimator: Any, *args: Any, **params: Any) -> Any:
        before = dict(vars(estimator))
        try:
            return method(estimator, *args, **params)
        except BaseException:
            vars(estimator).clear()
            vars(estimator).update(before)
            raise

    return cast(Method, restoring)
