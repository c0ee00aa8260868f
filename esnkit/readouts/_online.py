"""What readouts share that learn one row after the other."""

from collections.abc import Callable, Iterable
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from esnkit.readouts._base import Block, n_outputs_of
from esnkit.utils._rollback import rollback_on_error
from esnkit.utils._threads import interruptible
from esnkit.utils._validation import for_kernels

__all__ = ["OnlineReadoutMixin"]

ROWS_PER_CALL = 1024  # converted to float64 at once


class OnlineReadoutMixin:
    """Learn rows in their order, with the same bits however they are divided into chunks.

    A subclass makes the state of learning (`_initial_state`), learns rows in place (`_learn`), and
    returns coefficients and intercept of a state (`_map`), all in float64.
    """

    # Arrays are never modified once they are stored: copies of a readout share them.
    _state: Any
    _learn: Callable[[Any, np.ndarray, np.ndarray, np.ndarray], None]
    _initial_state: Callable[[int, int], Any]
    _map: Callable[[Any], tuple[np.ndarray, np.ndarray]]
    _validate: Any
    _validate_features: Any
    _work_per_row: Callable[[Any], float]
    coef_: Any
    intercept_: Any

    @rollback_on_error
    def fit_blocks(
        self, make_blocks: Callable[[], Iterable[Block]], n_rows: int | None = None
    ) -> Self:
        """Learn a stream of rows from the start; the results of earlier fits are discarded.

        Parameters
        ----------
        make_blocks : callable () -> iterable of (X, y, sample_weight or None)
            Called once. Blocks have the shapes of `fit`; they are neither validated nor kept.
        n_rows : int, default=None
            Not used.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If all weights are zero, a weight differs between outputs, a parameter is invalid, or
            the coefficients do not stay finite.
        """
        state, is_taught = None, False
        for X, y, w in make_blocks():
            if state is None:
                state = self._begin(X, y)
            self._learn_rows(state, X, y, w)
            is_taught = is_taught or w is None or bool(np.any(w))
        if not is_taught:
            raise ValueError("sample_weight must not be zero in all rows: nothing is left to learn")
        return self._store(state)

    @rollback_on_error
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn more rows; the result is that of `fit` on all rows so far, bit for bit.

        An exception, also that of an interrupt, leaves the readout as it was before the call.

        Parameters
        ----------
        X, y, sample_weight : as in `fit`

        Returns
        -------
        self

        Raises
        ------
        ValueError
            As for `fit`, and if the numbers of features or outputs change.
        """
        is_first = not hasattr(self, "_state")
        X, y, w = self._validate(X, y, sample_weight, reset=is_first)
        if not is_first and n_outputs_of(y) != self._n_outputs:
            raise ValueError(f"y must have {self._n_outputs} outputs as before, got {y.shape}")
        return self.learn_block(X, y.astype(X.dtype, copy=False), w)  # as `fit` does

    def learn_block(self, X: np.ndarray, y: np.ndarray, sample_weight: Any = None) -> Self:
        """Learn more rows, as `partial_fit` does, of arrays that are not validated.

        Parameters
        ----------
        X, y : ndarray
        sample_weight : ndarray or None, default=None
            A block as `fit_blocks` takes it.

        Returns
        -------
        self
        """
        state = copied(self._state) if hasattr(self, "_state") else self._begin(X, y)
        self._learn_rows(state, X, y, sample_weight)
        return self._store(state)

    def predict(self, X: Any) -> np.ndarray:
        """Return X @ coef_.T + intercept_.

        Parameters
        ----------
        X : array-like (n_rows, n_features)

        Returns
        -------
        y : ndarray (n_rows,) or (n_rows, n_outputs)
        """
        check_is_fitted(self)
        X = self._validate_features(X, reset=False)
        return X @ self.coef_.T + self.intercept_

    def __sklearn_is_fitted__(self) -> bool:
        """Return whether there are coefficients."""
        return hasattr(self, "_state")

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return a copy that shares the state, whose arrays are never modified."""
        copy = type(self).__new__(type(self))
        memo[id(self)] = copy
        copy.__dict__.update(self.__dict__)
        return copy

    def _begin(self, X: np.ndarray, y: np.ndarray) -> Any:
        """Store the shapes of the first block, and return the state before it."""
        self.n_features_in_ = X.shape[1]
        self._dtype, self._flat, self._n_outputs = X.dtype, y.ndim == 1, n_outputs_of(y)
        return self._initial_state(self.n_features_in_, self._n_outputs)

    def _store(self, state: Any) -> Self:
        """Store the state, and its map in the dtype of X and the shape of the targets.

        Raise if it is not finite.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            coef, intercept = (part.astype(self._dtype) for part in self._map(state))
        if not (np.isfinite(coef).all() and np.isfinite(intercept).all()):
            self._raise_diverged()
        self._state = state
        self.coef_, self.intercept_ = (coef[0], intercept[0]) if self._flat else (coef, intercept)
        return self

    def _raise_diverged(self) -> None:
        raise ValueError(
            "X and y must have sizes at which the coefficients stay finite, got NaN or infinity: "
            "scale X or y"
        )

    def _learn_rows(self, state: Any, X: np.ndarray, y: np.ndarray, w: np.ndarray | None) -> None:
        """Learn checked rows in place."""
        w = self._one_weight_per_row(np.ones(len(X)) if w is None else w)
        Y = y.reshape(len(y), -1)
        for start in range(0, len(X), ROWS_PER_CALL):
            rows = slice(start, start + ROWS_PER_CALL)
            block = [for_kernels(part[rows], np.float64) for part in (X, Y, w)]
            if not np.isfinite(np.vdot(block[0], block[0])):
                raise ValueError(
                    "X must have squares within the range of float64, got up to "
                    f"{np.abs(X).max():g}: scale the features"
                )
            work = len(Y[rows]) * self._work_per_row(state)
            interruptible(work, self._learn, state, *block)

    def _one_weight_per_row(self, w: np.ndarray) -> np.ndarray:
        if w.ndim == 1:
            return w
        if (w != w[:, :1]).any():
            raise ValueError(
                f"sample_weight must have one weight per row for {type(self).__name__}, got "
                "weights that differ between outputs: use RidgeReadout, or a readout per output"
            )
        return w[:, 0]


def copied(state: Any) -> Any:
    """Return a copy of a record of arrays and records."""
    if isinstance(state, np.ndarray):
        return state.copy()
    return type(state)(*map(copied, state))
