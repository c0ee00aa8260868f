"""Rollback: a method that raises leaves its estimator as it was before the call."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

__all__ = ["rollback_on_error"]

Method = TypeVar("Method", bound=Callable[..., Any])


def rollback_on_error(method: Method) -> Method:
    """Decorate a method: if it raises, restore the attributes of the estimator.

    The restored attributes are the same objects, so a method must replace, not modify, them.
    """

    @wraps(method)
    def restoring(estimator: Any, *args: Any, **params: Any) -> Any:
        before = dict(vars(estimator))
        try:
            return method(estimator, *args, **params)
        except BaseException:
            estimator.__dict__ = before  # at once: another interrupt may follow
            raise

    return cast(Method, restoring)
