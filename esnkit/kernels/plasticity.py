"""Intrinsic plasticity: gains and biases that follow the outputs of the units, step by step."""

from esnkit.kernels.activations import SIGMOID, activate
from esnkit.kernels.compilation import kernel


@kernel
def intrinsic_plasticity(W, rates, projected, code, target, state, gain, bias):
    """Adapt gains a and biases b in place, along one series (Schrauwen et al. 2008, eqs. 6-9).

        z = W x(t-1) + W_in u(t),  y = f(a z + b),  x(t) = k P x(t-1) + g y

    tanh, towards a Gaussian of mean m and standard deviation s:

        db = -eta (-m / s^2 + y / s^2 (2 s^2 + 1 - y^2 + m y))

    sigmoid, towards an exponential of mean m: db = eta (1 - (2 + 1 / m) y + y^2 / m). In both cases
    da = eta / a + db z.

    Parameters
    ----------
    W : (data, indices, indptr) of the recurrent weights in compressed sparse rows
    rates : (g, k, shift)
    projected : (n_rows, n_units), W_in u of every row
    code : TANH or SIGMOID
    target : (m, s, eta)
    state : (n_units,), x before the first row; updated in place
    gain, bias : (n_units,), a and b; updated in place
    """
    (data, indices, indptr), (g, k, shift), (mean, std, eta) = W, rates, target
    z, y, last, n = state.copy(), state.copy(), state.copy(), state.size
    variance = std * std
    for t in range(projected.shape[0]):
        last[:] = state
        for i in range(n):
            total = projected[t, i]
            for entry in range(indptr[i], indptr[i + 1]):
                total += data[entry] * last[indices[entry]]
            z[i] = total
            y[i] = gain[i] * total + bias[i]
        activate(code, y)
        for i in range(n):
            state[i] = k[i] * last[(i + shift) % n] + g[i] * y[i]
            if code == SIGMOID:
                step = eta * (1.0 - (2.0 + 1.0 / mean) * y[i] + y[i] * y[i] / mean)
            else:
                slope = 2.0 * variance + 1.0 - y[i] * y[i] + mean * y[i]
                step = -eta * (-mean / variance + y[i] / variance * slope)
            bias[i] += step
            gain[i] += eta / gain[i] + step * z[i]
