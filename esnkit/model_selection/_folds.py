"""The rows of every fold of a cross-validation, as scikit-learn selects them."""

import copy
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
from sklearn import config_context
from sklearn.base import BaseEstimator
from sklearn.model_selection import cross_validate

from esnkit.utils._pandas import is_pandas

__all__ = ["Fold", "Folds", "Rows", "Validation"]

SELECTING = Lock()


class Validation(NamedTuple):
    """Data and parameters of a cross-validation."""

    X: Any
    y: Any
    fit_params: dict[str, Any]
    score_params: dict[str, Any]
    splits: list[tuple[Any, Any]]  # of the training rows and the test rows


class Rows(NamedTuple):
    """Some rows of the data, and of the parameters that have a value for every row."""

    X: Any
    y: Any
    fit_params: dict[str, Any]
    score_params: dict[str, Any]

    def data(self) -> tuple[Any, ...]:
        """Return the positional arguments of ``fit`` and of a scorer."""
        return (self.X,) if self.y is None else (self.X, self.y)

    def copied(self) -> "Rows":
        """Return a copy of the data, for estimators that may change them."""
        return self._replace(X=_copy(self.X), y=_copy(self.y))


class Fold(NamedTuple):
    """Training and test rows."""

    train: Rows
    test: Rows
    packed: list[Any]  # rows as estimators have packed them, for other jobs

    def copied(self) -> "Fold":
        """Return a copy of the data, for estimators that may change them."""
        return self._replace(train=self.train.copied(), test=self.test.copied())


class Folds:
    """The folds of a cross-validation; the last ones used are kept, if the data are small.

    Parameters
    ----------
    validation : Validation
    max_bytes : float
        Memory for the folds that are kept.
    """

    def __init__(self, validation: Validation, max_bytes: float):
        self.validation = validation
        size = sum(map(_n_bytes, (validation.X, validation.y)))
        self.are_kept = 2 * len(validation.splits) * size <= max_bytes  # as given, and packed
        self.kept: dict[int, Fold] = {}

    def __len__(self) -> int:
        return len(self.validation.splits)

    def __getitem__(self, k: int) -> Fold:
        """Return fold k."""
        # Meanwhile scikit-learn replaces the warning filters, which are those of all threads.
        with SELECTING:
            if k in self.kept:
                return self.kept[k]
            train, test = (select(self.validation, rows) for rows in self.validation.splits[k])
            fold = Fold(train, test, packed=[])
            if self.are_kept:
                self.kept[k] = fold
            return fold

    def have_same_training_rows(self, i: int, k: int) -> bool:
        """Return whether two folds have the same training rows; the second one may not exist."""
        splits = self.validation.splits
        return k < len(splits) and np.array_equal(splits[i][0], splits[k][0])

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what can be selected again."""
        return {**self.__dict__, "kept": {}}


def select(validation: Validation, indices: Any) -> Rows:
    """Return some rows, by the rules of scikit-learn for any container and mask."""
    X, y, fit_params, score_params, _ = validation
    params = {f"fit_{name}": value for name, value in fit_params.items()}
    params |= {f"score_{name}": value for name, value in score_params.items()}
    with config_context(enable_metadata_routing=False):
        found = cross_validate(
            _RowKeeper(), X, y, cv=[(indices, indices)], scoring=_no_score, params=params,
            return_estimator=True, error_score="raise",
        )  # fmt: skip
    X, y, params = found["estimator"][0].rows_
    selected: dict[str, dict[str, Any]] = {"fit": {}, "score": {}}
    for name, value in params.items():
        kind, _, name = name.partition("_")
        selected[kind][name] = value
    return Rows(X, y, selected["fit"], selected["score"])


def _copy(data: Any) -> Any:
    """Return a copy of data in memory of the same order: others round sums otherwise."""
    if is_pandas(data) and len(data) > 1:
        # `copy` may change the order, and all rows as they are may be no copy; to turn them is one.
        reverse = np.arange(len(data))[::-1]
        return data.iloc[reverse].iloc[reverse]
    return copy.deepcopy(data)


class _RowKeeper(BaseEstimator):
    """An estimator that keeps the rows that it is fitted to."""

    def fit(self, X: Any, y: Any = None, **params: Any) -> "_RowKeeper":
        self.rows_ = X, y, params
        return self


def _no_score(*_: Any) -> float:
    return 0.0


def _n_bytes(data: Any) -> float:
    """Return about how many bytes an array, a frame or a list of these has."""
    if isinstance(data, (list, tuple)) or (isinstance(data, np.ndarray) and data.dtype == object):
        return sum(map(_n_bytes, data))
    if hasattr(data, "nbytes"):
        return float(data.nbytes)
    return 8.0 * float(np.prod(getattr(data, "shape", (1,))))
