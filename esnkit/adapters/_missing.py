"""What stands for the base classes of a package that is not installed."""

from typing import Any

__all__ = ["WithoutSktime"]


class WithoutSktime:
    """Base class in place of those of sktime: the adapter can be imported, but not made."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        raise ImportError(f"{cls.__name__} needs sktime: pip install 'esnkit[sktime]'")
