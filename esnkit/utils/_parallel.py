"""Settings of the calling thread for jobs that joblib runs in other threads or processes."""

import os
import warnings
from collections.abc import Callable
from typing import Any

from sklearn import config_context, get_config

__all__ = ["WithSettings"]


class WithSettings:
    """A function that runs with the configuration of scikit-learn of the thread that made it so.

    In another process it also runs with the warning filters of this one. Threads share the
    filters. ``sklearn.utils.parallel.delayed`` replaces them for the time of each job, and with
    jobs side by side the last one to end may leave those of another job behind, or none.
    """

    def __init__(self, function: Callable[..., Any]):
        self.function = function
        self.config, self.filters = get_config(), list(warnings.filters)
        self.process = os.getpid()

    def __call__(self, *args: Any) -> Any:
        with config_context(**self.config):
            if os.getpid() == self.process:
                return self.function(*args)
            with warnings.catch_warnings():
                warnings.resetwarnings()
                warnings.filters.extend(self.filters)  # type: ignore[attr-defined]
                return self.function(*args)
