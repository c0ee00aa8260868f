"""Time loops of the series generators, on plain float64 arrays.

Every kernel fills an array that it is given, or a part of it, and returns nothing. The docstrings
of :mod:`esnkit.datasets` give the equations.
"""

import numpy as np

from esnkit.kernels.compilation import kernel

TAYLOR_ORDER = 24
MAX_SIZE = 1e8  # of a state that may still be bounded
STEPS_PER_CALL = 2**20  # a fraction of a second: an interrupt waits for the end of a call


@kernel(error_model="python")
def mackey_glass_euler(y, lag, step, start, stop):
    """Make Euler steps from y[start], start >= lag; y[:start + 1] is given, y[stop] the last.

    y(t + h) = y(t) + h (0.2 d / (1 + d^10) - 0.1 y(t)), with d = y(t - tau)
    """
    for k in range(start, stop):
        delayed = y[k - lag]
        y[k + 1] = y[k] + step * (0.2 * delayed / (1.0 + delayed**10) - 0.1 * y[k])


@kernel(error_model="python")
def mackey_glass_rk4(y, slope, lag, step, start, stop):
    """Make classical Runge-Kutta steps from y[start], start >= lag, to y[stop].

    y[:start + 1] and slope[:start] are given, the latter zero up to lag.

    The delayed value in the middle of a step is the cubic Hermite interpolant of the values and
    slopes at its two ends, which keeps the method at fourth order.
    """
    for k in range(start, stop):
        first, last = y[k - lag], y[k - lag + 1]
        feed_start = 0.2 * first / (1.0 + first**10)
        slope[k] = feed_start - 0.1 * y[k]
        # The slope jumps at t = 0. An interval that ends there belongs to the constant history.
        end_slope = slope[k - lag + 1] if k - lag + 1 != lag else 0.0
        middle = 0.5 * (first + last) + 0.125 * step * (slope[k - lag] - end_slope)
        feed_middle = 0.2 * middle / (1.0 + middle**10)
        feed_end = 0.2 * last / (1.0 + last**10)
        k1 = slope[k]
        k2 = feed_middle - 0.1 * (y[k] + 0.5 * step * k1)
        k3 = feed_middle - 0.1 * (y[k] + 0.5 * step * k2)
        k4 = feed_end - 0.1 * (y[k] + step * k3)
        y[k + 1] = y[k] + step / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)


@kernel(error_model="python")
def lorenz_coefficients(a, sigma, rho, beta):
    """Write the Taylor coefficients of (x, y, z) in time to a[1:] (order, 3); a[0] is the state.

    The coefficient k + 1 of x is that of x' = sigma (y - x), k, divided by k + 1, and so on; the
    coefficients of products are convolutions.
    """
    for k in range(a.shape[0] - 1):
        xz = 0.0
        xy = 0.0
        for i in range(k + 1):
            xz += a[i, 0] * a[k - i, 2]
            xy += a[i, 0] * a[k - i, 1]
        a[k + 1, 0] = sigma * (a[k, 1] - a[k, 0]) / (k + 1)
        a[k + 1, 1] = (rho * a[k, 0] - a[k, 1] - xz) / (k + 1)
        a[k + 1, 2] = (xy - beta * a[k, 2]) / (k + 1)


@kernel(error_model="python")
def lorenz(out, state, dt, sigma, rho, beta):
    """Write the state (3,), which is updated in place, to a row of out every dt.

    The Taylor series of a step ends with terms below the rounding error (Jorba and Zou 2005), so
    the only error is that of float64 arithmetic.
    """
    a = np.empty((TAYLOR_ORDER + 1, 3))
    for t in range(out.shape[0]):
        out[t] = state
        left = dt
        while left > 0.0:
            a[0] = state
            lorenz_coefficients(a, sigma, rho, beta)
            h = left
            for k in (TAYLOR_ORDER - 1, TAYLOR_ORDER):
                last = np.max(np.abs(a[k]))
                if last > 0.0:
                    # The radius of convergence is about (size / last)^(1 / k); 0.22 of it makes
                    # the last term 0.22^24 = 1.6e-16 of the state.
                    h = min(h, 0.22 * ((1.0 + np.max(np.abs(state))) / last) ** (1.0 / k))
            # Horner's scheme: state = a[0] + h (a[1] + h (a[2] + ...)).
            state[:] = a[TAYLOR_ORDER]
            for k in range(TAYLOR_ORDER - 1, -1, -1):
                for j in range(3):
                    state[j] = state[j] * h + a[k, j]
            left -= h


@kernel(error_model="python")
def quadratic_flow(out, state, dt, terms, factors):
    """Write the state (n,), which is updated in place, to a row of out every dt.

    Term (i, j, k) of factor c stands for c x_j x_k in the derivative of x_i; x_k is 1 where k is
    -1, and so is x_j where j is -1. Steps and Taylor series are those of `lorenz`; the coefficients
    of products are convolutions. Rows after the state exceeds ``MAX_SIZE`` are NaN: some
    orbits become infinite in finite time, in ever shorter steps.
    """
    n = state.size
    a = np.empty((TAYLOR_ORDER + 1, n))
    for t in range(out.shape[0]):
        for i in range(n):
            out[t, i] = state[i]
        left = dt
        while left > 0.0:
            for i in range(n):
                a[0, i] = state[i]
            for m in range(TAYLOR_ORDER):
                for i in range(n):
                    a[m + 1, i] = 0.0
                for term in range(factors.size):
                    i, j, k = terms[term, 0], terms[term, 1], terms[term, 2]
                    total = 0.0
                    if k >= 0:
                        for q in range(m + 1):
                            total += a[q, j] * a[m - q, k]
                    elif j >= 0:
                        total = a[m, j]
                    elif m == 0:
                        total = 1.0
                    a[m + 1, i] += factors[term] * total / (m + 1)
            h = left
            size = 1.0
            for i in range(n):
                size = max(size, 1.0 + abs(state[i]))
            if size > MAX_SIZE:
                out[t + 1 :] = np.nan
                return
            for m in (TAYLOR_ORDER - 1, TAYLOR_ORDER):
                last = 0.0
                for i in range(n):
                    last = max(last, abs(a[m, i]))
                if last > 0.0:
                    h = min(h, 0.22 * (size / last) ** (1.0 / m))
            for i in range(n):
                total = a[TAYLOR_ORDER, i]
                for m in range(TAYLOR_ORDER - 1, -1, -1):
                    total = total * h + a[m, i]
                state[i] = total
            left -= h


@kernel(error_model="python")
def narma(y, u, order, equation, start, stop):
    """Write the NARMA recurrence of u (n,) to y[start:stop], y[t] being the target of u[:t + 1].

    y[t] = a y[t-1] + b y[t-1] sum_{i=1..order} y[t-i] + 1.5 u[t-order+1] u[t] + d, within tanh if
    ``squash``; what precedes the series is zero; ``equation`` is (a, b, d, squash).
    """
    a, b, d, squash = equation
    for t in range(start, stop):
        total = 0.0
        for i in range(max(t - order, 0), t):
            total += y[i]
        last = y[t - 1] if t > 0 else 0.0
        first = u[t - order + 1] if t >= order - 1 else 0.0
        value = a * last + b * last * total + 1.5 * first * u[t] + d
        y[t] = np.tanh(value) if squash else value
