"""Nonlinear vector autoregression: products of delayed inputs, which need no random weights."""

from math import comb
from typing import Any, Self

import numpy as np

from esnkit.reservoirs._base import BaseReservoir
from esnkit.sequences._packing import Sequences
from esnkit.utils._validation import check_flag, check_positive_int, range_of_float

__all__ = ["NVAR"]


class NVAR(BaseReservoir):
    """Nonlinear vector autoregression, the next generation of reservoir computing.

    The feature row holds the monomials of the inputs at the last time steps,
    ``[u(t), u(t - s), ..., u(t - (delays - 1) s)]``: those of the first order are these numbers
    themselves. Time steps before the start of a sequence count as zeros, so that estimators need
    ``washout=(delays - 1) * spacing``.

    Parameters
    ----------
    delays : int, default=2
        Number of time steps that are read, the present one among them.
    spacing : int, default=1
        Number of time steps s from one of them to the next.
    orders : int or list of int, default=(1, 2)
        Orders of the monomials, each of which is a block of features.
    products : bool, default=True
        Whether the monomials of an order are all products of that many inputs. False leaves the
        powers of single inputs.
    constant : bool, default=False
        Whether the first feature is one, for a readout without intercept.

    Attributes
    ----------
    n_state_ : int
        Size of the buffer of inputs.
    n_features_out_ : int
        Number of monomials.
    n_features_in_ : int
        Number of features seen in ``fit``.

    Notes
    -----
    The monomials are nearly dependent where the spacing is small. A solution by singular values,
    without a penalty, is stable there (``readout=LinearRegression()`` of scikit-learn); a ridge
    penalty moves the coefficients.

    References
    ----------
    D. J. Gauthier, E. Bollt, A. Griffith and W. A. S. Barbosa (2021), Next generation reservoir
    computing, Nature Communications 12, 5564, eqs. 4-7.

    Examples
    --------
    The logistic map is a polynomial of second order:

    >>> import numpy as np
    >>> from sklearn.linear_model import LinearRegression
    >>> from esnkit import NVAR, ReservoirRegressor
    >>> x = [0.3]
    >>> for _ in range(99):
    ...     x.append(3.9 * x[-1] * (1 - x[-1]))
    >>> series = np.array(x).reshape(-1, 1)
    >>> model = ReservoirRegressor(NVAR(delays=1), LinearRegression(), include_input=False)
    >>> round(model.fit(series[:-1], series[1:]).score(series[:-1], series[1:]), 10)
    1.0
    """

    def __init__(self, delays=2, *, spacing=1, orders=(1, 2), products=True, constant=False):
        self.delays = delays
        self.spacing = spacing
        self.orders = orders
        self.products = products
        self.constant = constant

    def draw(self, n_inputs: int, n_feedback: int = 0, dtype: Any = np.float64) -> Self:
        """Check the parameters and count the features; there are no weights.

        Parameters
        ----------
        n_inputs : int
            Number of inputs.
        n_feedback : int, default=0
            Number of outputs that are fed back; they are inputs like the others.
        dtype : dtype, default=float64
            float64 or float32.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a parameter is out of its range.
        """
        width = n_inputs + n_feedback
        delays = check_positive_int("delays", self.delays)
        spacing = check_positive_int("spacing", self.spacing)
        self._products = check_flag("products", self.products)
        self._constant = check_flag("constant", self.constant)
        self._orders = _checked_orders(self.orders)
        # The buffer has at least one row, as a reservoir has a state.
        self._lags, self._n_past = spacing * np.arange(delays), max((delays - 1) * spacing, 1)
        self.n_state_ = self._n_past * width
        n_linear = delays * width
        counts = [comb(n_linear + p - 1, p) if self._products else n_linear for p in self._orders]
        self.n_features_out_ = self._constant + sum(counts)
        return self

    def run(self, sequences: Sequences, state: np.ndarray, out: np.ndarray | None = None) -> None:
        """Advance the buffer in place; if ``out`` is given, also store the monomials.

        Parameters
        ----------
        sequences : Sequences
        state : ndarray of shape (n_sequences, n_state_)
            The last rows of inputs, the oldest first.
        out : ndarray of shape (n_rows, >= n_features_out_) or None, default=None

        Raises
        ------
        FloatingPointError
            If a monomial leaves the range of its dtype.
        """
        width = sequences.values.shape[1]
        for i, (start, stop) in enumerate(sequences.bounds):
            past = state[i].reshape(self._n_past, width)
            rows = np.concatenate([past, sequences.values[start:stop]])
            if out is not None:
                linear = self._delayed(rows, stop - start)
                with range_of_float(f"monomials of the orders {self._orders}", linear.dtype):
                    self._write(linear, out[start:stop])
            past[:] = rows[-self._n_past :]

    def _delayed(self, rows: np.ndarray, n_rows: int) -> np.ndarray:
        """Return the delayed inputs (n_linear, n_rows), whose rows are contiguous."""
        first = self._n_past
        parts = [rows[first - lag : first - lag + n_rows].T for lag in self._lags]
        return np.ascontiguousarray(np.concatenate(parts))

    def _write(self, linear: np.ndarray, out: np.ndarray) -> None:
        """Write the constant and the monomials of every order to the first columns of ``out``."""
        if self._constant:
            out[:, 0] = 1.0
        column = int(self._constant)
        monomials, suffixes = linear, np.arange(len(linear))
        for order in range(1, max(self._orders) + 1):
            if order > 1 and self._products:
                monomials, suffixes = _times(linear, monomials, suffixes)
            elif order > 1:
                monomials = monomials * linear
            if order in self._orders:
                out[:, column : column + len(monomials)] = monomials.T
                column += len(monomials)


def _times(linear, monomials, suffixes):
    """Return all monomials of the next order, and where those begin that lack the first inputs.

    In lexicographic order, the monomials without the inputs before number i are those from
    ``suffixes[i]`` on. Input i times these are all that begin with input i.
    """
    sizes = len(monomials) - suffixes
    product = np.empty((int(sizes.sum()), linear.shape[1]), linear.dtype)
    starts = np.cumsum(sizes) - sizes
    for i, (start, size) in enumerate(zip(starts, sizes, strict=True)):
        np.multiply(linear[i], monomials[suffixes[i] :], out=product[start : start + size])
    return product, starts


def _checked_orders(orders: Any) -> tuple[int, ...]:
    """Return the orders, distinct and ascending, or raise."""
    given = orders if isinstance(orders, (list, tuple, np.ndarray)) else [orders]
    checked = [check_positive_int("orders", order) for order in given]
    if not checked or len(set(checked)) < len(checked):
        raise ValueError(f"orders must be one or more distinct integers >= 1, got {orders!r}")
    return tuple(sorted(checked))
