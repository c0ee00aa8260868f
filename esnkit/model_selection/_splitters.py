"""Splits of a series for validation by free runs: a window to forecast, and rows that warm up."""

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.model_selection import BaseCrossValidator

from esnkit.sequences._packing import is_ragged
from esnkit.utils._frames import ndim_of
from esnkit.utils._validation import check_positive_int

__all__ = ["RecycleValidation", "WalkForwardValidation"]


class _WindowSplitter(BaseCrossValidator):
    """Base of splitters whose test rows are a window of a series and the rows before it."""

    n_windows: int
    horizon: int
    warmup: int | None
    stride: int | None

    def split(
        self, X: Any, y: Any = None, groups: Any = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the rows to train on and those to test on, window by window.

        Parameters
        ----------
        X : array-like of shape (n_timesteps, ...)
            One series.
        y, groups : ignored

        Yields
        ------
        train : ndarray of int
        test : ndarray of int
            The rows that warm up, then those of the window.

        Raises
        ------
        ValueError
            If a parameter is out of its range, X is not one series, or it is too short.
        """
        n_rows = _n_timesteps(X)
        for start, stop in self._windows(n_rows):
            first = 0 if self.warmup is None else start - self.warmup
            yield self._train_rows(start, n_rows), np.arange(first, stop)

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of splits.

        Parameters
        ----------
        X, y, groups : ignored

        Returns
        -------
        int
        """
        return check_positive_int("n_windows", self.n_windows)

    @property
    @abstractmethod
    def _n_before(self) -> int:
        """Number of rows that the first window needs before it."""

    @abstractmethod
    def _train_rows(self, start: int, n_rows: int) -> np.ndarray:
        """Return the rows to train on for the window from a row on."""

    def _windows(self, n_rows: int) -> list[tuple[int, int]]:
        """Return first row, and one past the last row, of every window; or raise."""
        n_windows = self.get_n_splits()
        horizon = check_positive_int("horizon", self.horizon)
        stride = horizon if self.stride is None else check_positive_int("stride", self.stride)
        n_before = self._n_before
        if self.warmup is not None:
            n_before = max(n_before, check_positive_int("warmup", self.warmup))
        stops = n_rows - stride * np.arange(n_windows)[::-1]
        if stops[0] - horizon < n_before:
            raise ValueError(
                f"X has {n_rows} time steps, too few for n_windows={n_windows} windows of "
                f"horizon={horizon} rows with stride={stride}: the first window needs {n_before} "
                "rows before it"
            )
        return [(int(stop) - horizon, int(stop)) for stop in stops]


class RecycleValidation(_WindowSplitter):
    """Splits that train on the whole series and test on windows inside it.

    The network is trained once, on all rows, and validated by free runs that start within them,
    from the states of the network that the observed rows drive [1]_. Free runs of many steps are
    a test on these rows too, of which only single steps were learned.

    Parameters
    ----------
    n_windows : int, default=5
        Number of windows, and of splits. The last window ends where the series ends.
    horizon : int, default=100
        Number of rows of a window.
    warmup : int or None, default=None
        Number of rows before the window that drive the network. None stands for all: the free run
        starts from the state that the network has in training.
    stride : int or None, default=None
        Number of rows from a window to the next. None stands for `horizon`; one Lyapunov time makes
        the chaotic recycle validation of [1]_, whose windows overlap.

    See Also
    --------
    valid_time, nrmse_at : Scores of free runs.
    WalkForwardValidation : Trains on the rows before each window.

    Notes
    -----
    All splits have the same training rows, so that :class:`ReservoirSearchCV` fits a candidate
    once. Other searches fit once per split; one split can have all windows, as
    ``RecycleValidation(1, horizon=840)`` has with ``nrmse_at(84, n_windows=10)``.

    The K-fold validation of [1]_ leaves the rows of a window out of the regression, but not out of
    the run of the network. A splitter cannot: the rows around the window would follow each other.

    References
    ----------
    .. [1] A. Racca and L. Magri, "Robust optimization and validation of echo state networks for
       learning chaotic dynamics", Neural Networks 142, 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit.model_selection import RecycleValidation
    >>> for train, test in RecycleValidation(2, horizon=3, warmup=2).split(np.zeros((10, 1))):
    ...     print(len(train), test)
    10 [2 3 4 5 6]
    10 [5 6 7 8 9]
    """

    def __init__(self, n_windows=5, *, horizon=100, warmup=None, stride=None):
        self.n_windows = n_windows
        self.horizon = horizon
        self.warmup = warmup
        self.stride = stride

    @property
    def _n_before(self) -> int:
        return 1

    def _train_rows(self, start: int, n_rows: int) -> np.ndarray:
        return np.arange(n_rows)


class WalkForwardValidation(_WindowSplitter):
    """Splits that train on the rows before a window, and test on it.

    Unlike the test rows of :class:`~sklearn.model_selection.TimeSeriesSplit`, those here begin with
    rows of training that drive the network, so that free runs start where the training ends [1]_.

    Parameters
    ----------
    n_windows : int, default=5
        Number of windows, and of splits. The last window ends where the series ends.
    horizon : int, default=100
        Number of rows of a window.
    train_size : int or None, default=None
        Number of rows to train on, which move forward with the window, as in [1]_. None stands for
        all rows before the window.
    warmup : int or None, default=None
        Number of rows before the window that drive the network. None stands for all rows.
    stride : int or None, default=None
        Number of rows from a window to the next. None stands for `horizon`.

    See Also
    --------
    RecycleValidation : Trains once, on all rows.

    References
    ----------
    .. [1] A. Racca and L. Magri, "Robust optimization and validation of echo state networks for
       learning chaotic dynamics", Neural Networks 142, 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit.model_selection import WalkForwardValidation
    >>> cv = WalkForwardValidation(2, horizon=3, train_size=4, warmup=2)
    >>> for train, test in cv.split(np.zeros((10, 1))):
    ...     print(train, test)
    [0 1 2 3] [2 3 4 5 6]
    [3 4 5 6] [5 6 7 8 9]
    """

    def __init__(self, n_windows=5, *, horizon=100, train_size=None, warmup=None, stride=None):
        self.n_windows = n_windows
        self.horizon = horizon
        self.train_size = train_size
        self.warmup = warmup
        self.stride = stride

    @property
    def _n_before(self) -> int:
        return 1 if self.train_size is None else check_positive_int("train_size", self.train_size)

    def _train_rows(self, start: int, n_rows: int) -> np.ndarray:
        return np.arange(0 if self.train_size is None else start - self.train_size, start)


def _n_timesteps(X: Any) -> int:
    """Return the number of rows of one series, or raise."""
    if is_ragged(X) or ndim_of(X) == 3:
        raise ValueError(
            "X must be one series (n_timesteps, n_features), got several sequences: their windows "
            "are not rows of one array; split the sequences with KFold, and give n_windows to the "
            "scorer"
        )
    return len(X)
