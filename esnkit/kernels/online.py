"""Online learning of linear readouts, row by row: recursive least squares and least mean squares.

Features x are measured from their running mean, so that the intercept is not penalised and a common
offset costs no digits. All arrays are float64.
"""

from typing import NamedTuple

import numpy as np

from esnkit.kernels.compilation import kernel
from esnkit.kernels.linalg import LANES, affine_row, dot


class LinearMap(NamedTuple):
    """What both rules learn: y = mean_y + coef (x - mean_x)."""

    coef: np.ndarray  # (n_outputs, n_features)
    mean_x: np.ndarray  # (n_features,)
    mean_y: np.ndarray  # (n_outputs,)
    weight: np.ndarray  # (1,) sum of the weights of all rows, each faded by the forgetting since


class Covariance(NamedTuple):
    """The inverse P of the penalised Gram matrix in the factors P = U diag(d) U'."""

    factor: np.ndarray  # the columns of U above its unit diagonal, one after the other
    diagonal: np.ndarray  # d (n_features,)
    penalty: np.ndarray  # (n_features,) penalty of each feature that is in P
    renewed: np.ndarray  # (1,) int64: the next feature whose penalty is renewed


@kernel(inline="always")
def add_row(factor, d, x, first, gain, partial_sums):
    """Update P to (P^-1 + x x')^-1, and write the gain P x into ``gain`` (n,); x[:first] is zero.

    Bierman's recursion (1977, section V.3): every d is multiplied by a positive ratio, so rounding
    never makes P indefinite, as the subtraction P - P x x' P / (1 + x' P x) does.
    """
    for i in range(x.size):
        gain[i] = 0.0
    total = 1.0
    for j in range(first, x.size):
        begin = j * (j - 1) // 2
        f = x[j] + dot(factor, begin + first, x, first, j - first, partial_sums)
        v, before = d[j] * f, total
        total = before + v * f
        d[j] *= before / total
        ratio = f / before
        column = factor[begin : begin + j]
        for i in range(j):
            u = column[i]
            column[i] = u - ratio * gain[i]
            gain[i] += v * u
        gain[j] = v
    for i in range(x.size):
        gain[i] /= total


@kernel(inline="always")
def centre_row(linear, x, y, w, forgetting):
    """Subtract the means from x and y in place, move the means, and return the weight of the row.

    The weighted scatter matrix about the mean grows by that weight times x x' (Chan, Golub and
    LeVeque 1979, eq. 2.1); the first row has the weight zero.
    """
    before = forgetting * linear.weight[0]
    linear.weight[0] = before + w
    share = w / linear.weight[0]
    for j in range(x.size):
        x[j] -= linear.mean_x[j]
        linear.mean_x[j] += share * x[j]
    for o in range(y.size):
        y[o] -= linear.mean_y[o]
        linear.mean_y[o] += share * y[o]
    return before * share


@kernel
def recursive_least_squares(linear, covariance, X, Y, w, settings):
    """Learn the rows of X (m, n) and Y (m, n_outputs) of weights w (m,) in turn, in place.

    ``settings`` are (forgetting, alpha, number of penalties that a row renews). P^-1 is multiplied
    by the forgetting before each row; the penalties within it are then renewed in turn.
    """
    forgetting, alpha, n_renewed = settings
    n, n_outputs = X.shape[1], Y.shape[1]
    x, y, gain = np.empty(n), np.empty(n_outputs), np.empty(n)
    fitted, zeros, partial_sums = np.empty(n_outputs), np.zeros(n_outputs), np.empty(LANES)
    for t in range(X.shape[0]):
        if w[t] == 0.0:
            continue
        for j in range(n):
            x[j] = X[t, j]
            covariance.diagonal[j] /= forgetting
            covariance.penalty[j] *= forgetting
        for o in range(n_outputs):
            y[o] = Y[t, o]
        root = np.sqrt(centre_row(linear, x, y, w[t], forgetting))
        # Step 0 learns the row, those after it renew penalties: one body, compiled once.
        for step in range(1 + n_renewed):
            first = 0
            if step > 0:
                first, root = covariance.renewed[0], 0.0
                covariance.renewed[0] = (first + 1) % n
            for j in range(n):
                x[j] *= root
            for o in range(n_outputs):
                y[o] *= root
            if step > 0:
                missing = max(alpha - covariance.penalty[first], 0.0)
                covariance.penalty[first] += missing
                x[first] = np.sqrt(missing)
            add_row(covariance.factor, covariance.diagonal, x, first, gain, partial_sums)
            affine_row(x, linear.coef, zeros, partial_sums, fitted)
            for o in range(n_outputs):
                for j in range(n):
                    linear.coef[o, j] += (y[o] - fitted[o]) * gain[j]


@kernel
def least_mean_squares(coef, intercept, X, Y, w, settings):
    """Learn the rows of X (m, n) and Y (m, n_outputs) of weights w (m,) in turn, in place.

    The steps are coef += step e x' and intercept += step e of the error e of a row; ``settings``
    are (step size, whether it is divided by 1 + |x|^2).
    """
    step_size, normalized = settings
    fitted, partial_sums = np.empty(Y.shape[1]), np.empty(LANES)
    for t in range(X.shape[0]):
        affine_row(X[t], coef, intercept, partial_sums, fitted)
        length = 1.0
        for j in range(X.shape[1]):
            length += X[t, j] * X[t, j]
        rate = w[t] * step_size / (length if normalized else 1.0)
        for o in range(Y.shape[1]):
            step = rate * (Y[t, o] - fitted[o])
            intercept[o] += step
            for j in range(X.shape[1]):
                coef[o, j] += step * X[t, j]
