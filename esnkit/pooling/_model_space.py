"""Reservoir model space: a sequence is represented by a linear model of its states."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from scipy.linalg import eigh
from sklearn.base import BaseEstimator

from esnkit.kernels.pooling import add_transitions, padded, solve_transitions
from esnkit.pooling._base import Pieces, Pooling, Training, share_out
from esnkit.utils._plain_state import PlainStateMixin, plain_record
from esnkit.utils._threads import one_blas_thread
from esnkit.utils._validation import check_number, check_positive_int

__all__ = ["FittedModelSpace", "ModelSpace"]


class ModelSpace(PlainStateMixin, BaseEstimator):
    """Reservoir model space: the features of a sequence are a linear model of its states.

    The states of the training sequences are reduced to their first principal components. For every
    sequence, one ridge regression predicts the next reduced state from the current one,
    ::

        r(t+1) = U r(t) + b

    and the entries of U and b, row after row of [U, b], are the features of the sequence.

    Parameters
    ----------
    n_components : int, default=30
        Number of principal components, at most: components without variance are left out.
    alpha : float, default=0.003
        Penalty of the regressions, in units of the total variance of the states: with 1.0, the
        penalty on U is as large as the squared norm of one typical state about the mean.

    Notes
    -----
    ``fit`` runs the reservoir once more for the principal components, which it computes from all
    states, or from some where there are more than 16 000. ``partial_fit`` keeps the
    components of its first call. Features of float32 inputs are computed from states in float32,
    the regressions in float64.

    References
    ----------
    F. M. Bianchi, S. Scardapane, S. Løkse and R. Jenssen (2020), Reservoir computing approaches for
    representation and classification of multivariate time series, IEEE Transactions on Neural
    Networks and Learning Systems 32.

    H. Chen, P. Tiňo, A. Rodan and X. Yao (2014), Learning in the model space for cognitive fault
    diagnosis, IEEE Transactions on Neural Networks and Learning Systems 25.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit import ESNClassifier
    >>> from esnkit.pooling import ModelSpace
    >>> t = np.arange(40)
    >>> X = [np.sin(t[:, None] / period + phase) for period in (3, 5) for phase in (0, 1, 2)]
    >>> model = ESNClassifier(50, pooling=ModelSpace(n_components=5), random_state=0)
    >>> model.fit(X, ["fast"] * 3 + ["slow"] * 3).predict([np.sin(t[:, None] / 5 + 4)])
    array(['slow'], dtype='<U4')
    >>> model.pooling_.components.shape
    (5, 51)
    """

    def __init__(self, n_components=30, *, alpha=0.003):
        self.n_components = n_components
        self.alpha = alpha


@plain_record
@dataclass(frozen=True, eq=False)
class FittedModelSpace(Pooling):
    """Model space with checked parameters, and principal components after ``fit``."""

    is_running = True
    n_components: int
    alpha: float
    # A state z is reduced to components @ z + offset; both have the dtype of the states.
    components: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))  # (p, n_columns)
    offset: np.ndarray = field(default_factory=lambda: np.empty(0))  # (p,)
    penalty: float = 0.0

    @classmethod
    def of(cls, model_space: ModelSpace) -> Self:
        """Return the record of a model space that a user has passed."""
        n_components = check_positive_int("n_components", model_space.n_components)
        alpha = check_number("alpha", model_space.alpha, 0.0, low_open=True)
        return cls(n_components, alpha)

    @property
    def needs_fit(self) -> bool:  # type: ignore[override]
        """Whether there are no components yet."""
        return self.components.size == 0

    def fit(self, training: Training) -> Self:
        """Return the model space with the principal components of the rows."""
        with one_blas_thread():  # several threads round differently
            n_rows, mean, scatter, dtype = _scatter(training.sample())
            covariance = scatter / n_rows
            n = len(mean)
            first = max(n - self.n_components, 0)
            variances, vectors = eigh(covariance, subset_by_index=(first, n - 1))
        variances, components = variances[::-1], vectors.T[::-1]
        smallest = max(n, n_rows) * np.finfo(dtype).eps * variances[0]
        components = components[: max(np.count_nonzero(variances > smallest), 1)]
        # The sign of an eigenvector is that of its largest entry, whatever the library says.
        largest = np.argmax(np.abs(components), axis=1)
        signs = np.sign(components[np.arange(len(components)), largest])
        components = np.ascontiguousarray(components * signs[:, None], dtype)
        penalty = self.alpha * float(np.trace(covariance)) or self.alpha
        offset = (-components @ mean).astype(dtype)
        return replace(self, components=components, offset=offset, penalty=penalty)

    def width(self, n_columns: int) -> int:
        """Return how many features a sequence has."""
        p = len(self.components)
        return p * (p + 1)

    def start(
        self, n_sequences: int, n_columns: int, dtype: np.dtype
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the last reduced states, and the sums of products, of no rows."""
        p = len(self.components)
        width = padded(2 * p + 1, np.empty(0))
        return np.zeros((n_sequences, p)), np.zeros((n_sequences, p + 1, width))

    def add(self, state: tuple[np.ndarray, np.ndarray], Z: np.ndarray, pieces: Pieces) -> None:
        """Add products of successive reduced states."""
        last_states, products = state
        reduction = self._padded_reduction()

        def add_some(first, last):
            starts, stops, seen, _ = pieces.part(first, last)
            sums = last_states[first:last], products[first:last]
            add_transitions(Z, starts, stops, seen, reduction, *sums)

        share_out(add_some, len(products), Z.size * len(self.components))

    def finish(
        self, state: tuple[np.ndarray, np.ndarray], lengths: np.ndarray, dtype: np.dtype
    ) -> np.ndarray:
        """Return the coefficients of the regressions."""
        last_states, products = state
        p = last_states.shape[1]
        out = np.empty((len(products), p * (p + 1)))

        def solve_some(first, last):
            sums = products[first:last].copy(), last_states[first:last]  # solved in place
            solve_transitions(*sums, self.penalty, out[first:last])

        share_out(solve_some, len(products), products.size * p)
        return out.astype(dtype, copy=False)

    def _padded_reduction(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the transposed components and the offset, with zeros up to a whole vector."""
        p, n_columns = self.components.shape
        width = padded(p, self.components)
        V, c = (
            np.zeros((n_columns, width), self.components.dtype),
            np.zeros_like(self.offset, shape=width),
        )
        V[:, :p], c[:p] = self.components.T, self.offset
        return V, c


def _scatter(parts: Iterable[np.ndarray]) -> tuple[int, np.ndarray, np.ndarray, np.dtype]:
    """Return number, mean, and centred sums of products of rows, and their dtype."""
    n, mean, scatter, dtype = 0, np.zeros(0), np.zeros((0, 0)), np.dtype(float)
    for part in parts:
        rows = part.astype(np.float64)
        if n == 0:
            mean, scatter = np.zeros(rows.shape[1]), np.zeros((rows.shape[1], rows.shape[1]))
        dtype, m = part.dtype, len(rows)
        step = rows.mean(axis=0) - mean
        rows -= mean + step
        scatter += rows.T @ rows + np.outer(step, step) * (n * m / (n + m))
        mean += step * (m / (n + m))
        n += m
    return n, mean, scatter, dtype
