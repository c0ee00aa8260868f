"""Slow, obvious twins of the fast code: loops over plain arrays, no numba, no esnkit."""

from fractions import Fraction
from itertools import product

import numpy as np
from scipy.integrate import solve_ivp


def mackey_glass_slope(y, delayed):
    """Right-hand side of the Mackey-Glass equation."""
    return 0.2 * delayed / (1.0 + delayed**10) - 0.1 * y


def mackey_glass_euler(n_steps, lag, step, initial_value):
    """Return y[0], ..., y[n_steps] of the recurrence of GMD report 148, one step at a time."""
    y = {n: initial_value for n in range(-lag, 1)}
    for n in range(n_steps):
        delayed = y[n - lag]
        y[n + 1] = y[n] + step * (0.2 * delayed / (1 + delayed**10) - 0.1 * y[n])
    return np.array([y[n] for n in range(n_steps + 1)])


def mackey_glass_exact(times, tau, initial_value):
    """Solve the delay equation interval by interval: on each, it is an ordinary equation.

    The delayed value comes from the dense output of the interval before.
    """
    values, history, start = np.empty(len(times)), lambda t: [initial_value], [initial_value]
    for m in range(int(np.max(times) // tau) + 1):
        end = (m + 1) * tau
        run = solve_ivp(
            lambda t, y, delayed=history: mackey_glass_slope(y, delayed(t - tau)[0]),
            (m * tau, end), start, method="DOP853", rtol=1e-13, atol=1e-13, dense_output=True,
        )  # fmt: skip
        here = (times >= m * tau) & (times < end)
        values[here] = run.sol(times[here])[0]
        history, start = run.sol, run.y[:, -1]
    return values


def lorenz_slope(t, state, sigma=10.0, rho=28.0, beta=8.0 / 3.0):
    """Right-hand side of the Lorenz 63 equations."""
    x, y, z = state
    return np.array([sigma * (y - x), x * (rho - z) - y, x * y - beta * z])


def lorenz_rk4(n_rows, dt, n_substeps, initial_state):
    """Return the Lorenz states every dt by the classical Runge-Kutta method in small steps."""
    state, h, rows = np.array(initial_state, dtype=float), dt / n_substeps, []
    for _ in range(n_rows):
        rows.append(state)
        for _ in range(n_substeps):
            k1 = lorenz_slope(0, state)
            k2 = lorenz_slope(0, state + h / 2 * k1)
            k3 = lorenz_slope(0, state + h / 2 * k2)
            k4 = lorenz_slope(0, state + h * k3)
            state = state + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return np.array(rows)


def narma(u, order):
    """Return y(1), ..., y(n) of the NARMA recurrence driven by u(0), ..., u(n - 1)."""
    y = {t: 0.0 for t in range(-order, 1)}
    for t in range(len(u)):
        first = u[t - (order - 1)] if t >= order - 1 else 0.0
        total = sum(y[t - i] for i in range(order))
        if order == 10:
            y[t + 1] = 0.3 * y[t] + 0.05 * y[t] * total + 1.5 * first * u[t] + 0.1
        elif order == 20:
            y[t + 1] = np.tanh(0.3 * y[t] + 0.05 * y[t] * total + 1.5 * first * u[t] + 0.01)
        else:
            y[t + 1] = 0.2 * y[t] + 0.04 * y[t] * total + 1.5 * first * u[t] + 0.001
    return np.array([y[t] for t in range(1, len(u) + 1)])


def affine_lanes(x, coef, intercept):
    """Return coef @ x + intercept, each sum in parts that are added pairwise.

    Four times as many products as fill 64 bytes are added to as many parts, each rounded once with
    its sum; what is left in the end goes to the first of the four.
    """
    out, dtype = [], x.dtype.type
    width = 64 // x.itemsize
    whole = x.size - x.size % (4 * width)
    for row, c in zip(coef, intercept, strict=True):
        lanes = [dtype(0)] * (4 * width)
        for k in range(x.size):
            lane = k % (4 * width) if k < whole else (k - whole) % width
            exact = Fraction(float(x[k])) * Fraction(float(row[k])) + Fraction(float(lanes[lane]))
            lanes[lane] = dtype(float(exact))
        parts = [np.array(lanes[i * width : (i + 1) * width]) for i in range(4)]
        total = (parts[0] + parts[1]) + (parts[2] + parts[3])
        while total.size > 1:
            total = total[: total.size // 2] + total[total.size // 2 :]
        out.append(total[0] + c)
    return np.array(out)


def ridge_augmented(X, Y, alpha, w, standardize=False):
    """Ridge with a free intercept by least squares on sqrt(w) [X 1] over sqrt(alpha) [I 0].

    Returns coefficients (n_features, n_outputs) and intercepts (n_outputs,). With ``standardize``,
    alpha penalises those of features divided by their weighted standard deviations.
    """
    n = X.shape[1]
    if standardize:
        size = np.sqrt((w @ (X - (w @ X) / w.sum()) ** 2) / w.sum())
        size[~(size > 1e-7 * np.abs(X).max(axis=0))] = 1.0
        coef, intercept = ridge_augmented(X / size, Y, alpha, w)
        return coef / size[:, None], intercept
    root = np.sqrt(w)[:, None]
    centre = (w @ X) / w.sum()  # the intercept is free, so this only moves it
    A = np.vstack([root * np.c_[X - centre, np.ones(len(X))], np.sqrt(alpha) * np.eye(n, n + 1)])
    solved = np.linalg.lstsq(A, np.vstack([root * Y, np.zeros((n, Y.shape[1]))]), rcond=None)[0]
    return solved[:n], solved[n] - centre @ solved[:n]


def leave_one_out_by_refits(X, Y, alpha, w):
    """Weighted mean squared error (n_outputs,) of every row foretold from all the others."""
    errors = np.zeros(Y.shape[1])
    for i in np.flatnonzero(w):
        others = np.arange(len(X)) != i
        B, c = ridge_augmented(X[others], Y[others], alpha, w[others])
        errors += w[i] * (Y[i] - X[i] @ B - c) ** 2
    return errors / w.sum()


ACTIVATIONS = {
    "tanh": np.tanh,
    "identity": lambda z: z,
    "relu": lambda z: np.maximum(z, 0.0),
    "sigmoid": lambda z: 1.0 / (1.0 + np.exp(-z)),
}


def power_times_vector(W, v, m):
    """Return W^m v of a dense W by m products."""
    for _ in range(m):
        v = W @ v
    return v


def reservoir_states(W, W_in, b, leak, f, U, x0=None, noise=None, units=(), held=()):
    """Return the states (n_steps, n_units) of x = (1 - a) x + a f(W_in u + W x + b) + noise.

    ``held`` has the values of ``units``, one row for every step.
    """
    x, states = np.zeros(len(b)) if x0 is None else np.array(x0, dtype=float), []
    for t, u in enumerate(U):
        x = (1 - leak) * x + leak * ACTIVATIONS[f](W_in @ u + W @ x + b)
        if noise is not None:
            x = x + noise[t]
        for j, unit in enumerate(units):
            x[unit] = held[t][j]
        states.append(x)
    return np.array(states)


def memory_reservoir_states(n_memory, radius, weights, inputs):
    """Return [m(t), h(t)]: m is a cycle of linear units, and the input of the reservoir h."""
    m, rows = np.zeros(n_memory), []
    n_inputs = len(inputs[0])
    for u in inputs:
        m = radius * np.array([m[i - 1] for i in range(n_memory)])
        for f in range(n_inputs):
            m[f * n_memory // n_inputs] += u[f]
        rows.append(m)
    return np.hstack([rows, reservoir_states(*weights, rows)])


def intrinsic_plasticity(W, leak, drive, f, target, x, gain, bias):
    """Return state, gains and biases after the rows of W_in u of a leaky reservoir."""
    (mean, std, eta), x, a, b = target, x.copy(), gain.copy(), bias.copy()
    for driven in drive:
        z = W @ x + driven
        y = ACTIVATIONS[f](a * z + b)
        x = (1 - leak) * x + leak * y
        if f == "sigmoid":
            db = eta * (1 - (2 + 1 / mean) * y + y**2 / mean)
        else:
            db = -eta * (-mean / std**2 + y / std**2 * (2 * std**2 + 1 - y**2 + mean * y))
        a, b = a + eta / a + db * z, b + db
    return x, a, b


def closed_loop(W, W_in, b, leak, f, coef, intercept, u, exog, x0, quadratic=False):
    """Return the outputs (n_steps, n_outputs) when each is heard as the first inputs of the next.

    The readout sees the state, and the input where it has a coefficient for it. If it is quadratic,
    it sees the squares of the second, fourth, ... state.
    """
    powers = 1 + np.arange(len(x0)) % 2 if quadratic else 1
    u, x, out = np.array(u, dtype=float), np.array(x0, dtype=float), []
    for beside in exog:
        u[len(u) - len(beside) :] = beside
        x = reservoir_states(W, W_in, b, leak, f, [u], x)[0]
        y = coef @ np.concatenate([x**powers, u])[: coef.shape[1]] + intercept
        u[: len(y)] = y
        out.append(y)
    return np.array(out)


def sequence_features(W, W_in, b, leak, f, sequences, pooling=None, x0=None, washout=0):
    """Return [x; u] for all steps of all sequences, or for each its last or mean where pooled."""
    rows = []
    for U in sequences:
        Z = np.hstack([reservoir_states(W, W_in, b, leak, f, U, x0), U])
        rows.append(
            {None: Z, "last": Z[-1:], "mean": Z[washout:].mean(axis=0, keepdims=True)}[pooling]
        )
    return np.vstack(rows)


def pooled(rows, name):
    """Return the vector that a pooling, by name, makes of the rows of one sequence."""
    if name == "statistics":
        return np.concatenate([pooled(rows, part) for part in STATISTICS])
    if name == "pyramid":
        n = len(rows)
        cuts = [(n * k // m, n * (k + 1) // m) for m in (1, 2, 4) for k in range(m)]
        return np.concatenate([rows[i : max(j, i + 1)].mean(axis=0) for i, j in cuts])
    if name == "mean_abs_change":
        return np.abs(np.diff(rows, axis=0, prepend=rows[:1])).sum(0) / max(len(rows) - 1, 1)
    of_columns = {
        "mean": np.mean, "std": np.std, "min": np.min, "max": np.max, "median": np.median,
        "last": lambda rows, axis: rows[-1],
        "quantiles": lambda rows, axis: np.quantile(rows, [0.25, 0.5, 0.75], axis=0).ravel(),
    }  # fmt: skip
    return of_columns[name](rows, axis=0)


STATISTICS = ("mean", "std", "min", "max", "last", "mean_abs_change")


def model_space(training, sequences, n_components, alpha):
    """Return the components of the training rows, and for every sequence its matrices [U, b].

    The components come from a singular value decomposition; an intercept without penalty is a
    regression of centred rows.
    """
    rows = np.vstack(training)
    mean = rows.mean(axis=0)
    components = np.linalg.svd(rows - mean, full_matrices=False)[2][:n_components]
    largest = np.abs(components).argmax(axis=1)
    components *= np.sign(components[np.arange(len(components)), largest])[:, None]
    penalty, models = alpha * (rows - mean).var(axis=0).sum(), []
    for Z in sequences:
        r = (Z - mean) @ components.T
        U, b = np.zeros((len(components), len(components))), r[0]
        if len(r) > 1:
            centred, targets = r[:-1] - r[:-1].mean(axis=0), r[1:] - r[1:].mean(axis=0)
            above = np.vstack([centred, np.sqrt(penalty) * np.eye(len(components))])
            U = np.linalg.lstsq(above, np.vstack([targets, 0 * U]), rcond=None)[0].T
            b = r[1:].mean(axis=0) - U @ r[:-1].mean(axis=0)
        models.append(np.column_stack([U, b]).ravel())
    return components, np.array(models)


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def cell_step(cell, M, x, h, c, units=(), values=(), E=None):
    """One step of a recurrent cell for one sequence; gates are rows of M [x; h; 1].

    Gates of a min gru, a min lstm and an lru are rows of M [x; 1].
    """
    n, s = len(h), np.concatenate([x, h, [1.0]])
    gate = [M[k * n : (k + 1) * n] for k in range(len(M) // n)]
    if cell == "rnn":
        new = np.tanh(gate[0] @ s)
    elif cell == "relu":
        new = np.maximum(gate[0] @ s, 0.0)
    elif cell == "lstm":
        i, f, g, o = (W @ s for W in gate)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        new = sigmoid(o) * np.tanh(c)
    elif cell == "gru":
        r, z = sigmoid(gate[0] @ s), sigmoid(gate[1] @ s)
        candidate = np.tanh(gate[2] @ s + r * (gate[3] @ s))
        new = (1 - z) * candidate + z * h
    elif cell == "mingru":
        z, candidate = (W @ np.append(x, 1.0) for W in gate)
        new = (1 - sigmoid(z)) * candidate + sigmoid(z) * h
    elif cell == "minlstm":
        i, f, candidate = (W @ np.append(x, 1.0) for W in gate)
        i, f = (sigmoid(gate) / (sigmoid(i) + sigmoid(f)) for gate in (i, f))
        new = f * h + i * candidate
    elif cell == "lru":
        v, z = (W @ np.append(x, 1.0) for W in gate)
        v, c = (part[: n // 2] + 1j * part[n // 2 :] for part in (v, c))
        c = (E[0] + 1j * E[1]) * c + E[2] * v
        c = np.concatenate([c.real, c.imag])
        new = c * sigmoid(z + c)
    else:
        r, z = sigmoid(gate[0] @ s), sigmoid(gate[1] @ s)
        candidate = np.tanh(gate[2] @ np.concatenate([x, r * h, [1.0]]))
        new = (1 - z) * candidate + z * h
    for unit, value in zip(units, values, strict=True):
        new[unit] = value
    return new, c


def cell_states(cell, M, U, h, c, units=(), held=(), E=None):
    """Return all states h (n_steps, n_units) and c of one sequence of inputs."""
    hs, cs = [], []
    for t, x in enumerate(U):
        h, c = cell_step(cell, M, x, h, c, units, held[t] if len(units) else (), E)
        hs.append(h)
        cs.append(c)
    return np.array(hs), np.array(cs)


def product_in_order(A, B, C):
    """Return C + A @ B, each number one sum in the order of the columns of A.

    Each product is rounded once, with its sum.
    """
    out = C.copy()
    for i, j in np.ndindex(C.shape):
        for k in range(A.shape[1]):
            exact = Fraction(float(A[i, k])) * Fraction(float(B[k, j])) + Fraction(float(out[i, j]))
            out[i, j] = C.dtype.type(float(exact))
    return out


def sum_of_products(A, B):
    """Return the sum over t of A[t] @ B[t].T in double precision."""
    total = np.zeros((A.shape[1], B.shape[1]))
    for a, b in zip(A.astype(float), B.astype(float), strict=True):
        for i, k in np.ndindex(total.shape):
            total[i, k] += np.sum(a[i] * b[k])
    return total


def exchanged(S, index, X):
    """Return X with X[index[j], i] = S[i, j]."""
    X = X.copy()
    for i, j in np.ndindex(S.shape):
        X[index[j], i] = S[i, j]
    return X


CELL_EQUATIONS = {
    # pre-activations of the gates, h and c of the step before -> activations, h and c
    "rnn": lambda z, h, c: ([np.tanh(z[0])], np.tanh(z[0]), c),
    "relu": lambda z, h, c: ([np.maximum(z[0], 0.0)], np.maximum(z[0], 0.0), c),
    "lstm": lambda z, h, c: _lstm_equations(*z, c),
    "gru": lambda z, h, c: _gru_equations(*z, h),
    "mingru": lambda z, h, c: ([sigmoid(z[0]), z[1]], z[1] + sigmoid(z[0]) * (c - z[1]), c),
    "minlstm": lambda z, h, c: _min_lstm_equations(*z, c),
}


def _lstm_equations(i, f, g, o, c):
    i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
    c = f * c + i * g
    return [i, f, g, o], o * np.tanh(c), c


def _gru_equations(r, u, nx, nh, h):
    r, u = sigmoid(r), sigmoid(u)
    n = np.tanh(nx + r * nh)
    return [r, u, n, nh], u * h + (1 - u) * n, h


def _min_lstm_equations(i, f, n, h):
    i, f = sigmoid(i), sigmoid(f)
    return [i, f, n], (f * h + i * n) / (f + i), h


def linear_recursion(F, u, offsets, x, backward=False):
    """Return x with x[t + 1] = F[k] x[t] + u[t], or x[t] = F[k] x[t + 1] + u[t] backward."""
    x = x.copy()
    for first, stop in zip(offsets[:-1], offsets[1:], strict=True):
        steps = range(first, stop - 1)
        for t in reversed(steps) if backward else steps:
            to, source = (t, t + 1) if backward else (t + 1, t)
            x[to] = F[min(t - first, len(F) - 1)] @ x[source] + u[t]
    return x


def hidden_markov(density, start, transition, offsets):
    """Return forward and backward probabilities, expected transitions, and Viterbi paths."""
    ahead, behind = np.zeros_like(density), np.ones_like(density)
    counts, states = np.zeros_like(transition), []
    for first, stop in zip(offsets[:-1], offsets[1:], strict=True):
        ahead[first] = start * density[first]
        for t in range(first + 1, stop):
            ahead[t] = (ahead[t - 1] @ transition) * density[t]
        for t in range(stop - 2, first - 1, -1):
            behind[t] = transition @ (density[t + 1] * behind[t + 1])
            joint = ahead[t][:, None] * transition * density[t + 1] * behind[t + 1]
            counts += joint / ahead[stop - 1].sum()
        best, paths = start * density[first], [[j] for j in range(len(start))]
        for t in range(first + 1, stop):
            scores = best[:, None] * transition
            chosen = scores.argmax(axis=0)
            best = scores.max(axis=0) * density[t]
            paths = [[*paths[i], j] for j, i in enumerate(chosen)]
        states += paths[int(best.argmax())]
    return ahead, behind, counts, states


def recursive_least_squares(X, Y, w, forgetting, alpha):
    """Return coefficients (n_outputs, n_features) and intercept of all rows at once.

    The weights fade with every later row, and so does the penalty of a feature since it was
    renewed; each row renews as many as leave at least half of alpha, in turn.
    """
    taught = w > 0
    X, Y, w = X[taught], Y[taught], w[taught]
    m, n = X.shape
    n_renewed = min(n, int(np.ceil(-n * np.log2(forgetting))))
    last = np.zeros(n)
    for k in range(m * n_renewed):
        last[k % n] = k // n_renewed + 1
    faded = w * forgetting ** np.arange(m - 1.0, -1.0, -1.0)
    mean_x, mean_y = (np.average(Z, axis=0, weights=faded) for Z in (X, Y))
    rows = np.sqrt(faded)[:, None]
    A = np.vstack([rows * (X - mean_x), np.diag(np.sqrt(alpha * forgetting ** (m - last)))])
    Z = np.vstack([rows * (Y - mean_y), np.zeros((n, Y.shape[1]))])
    B = np.linalg.lstsq(A, Z, rcond=None)[0]
    return B.T, mean_y - mean_x @ B


def covariance_recursion(P, coef, X, Y, forgetting):
    """Return the covariance and coefficients after rows, by the textbook form of the update."""
    for x, y in zip(X, Y, strict=True):
        gain = P @ x / (forgetting + x @ P @ x)
        coef = coef + np.outer(y - coef @ x, gain)
        P = (P - np.outer(gain, x @ P)) / forgetting
    return P, coef


def patches(field, size, overlap, mode):
    """Yield the corner of every patch, what it sees, and its points, from a padded field.

    The field is (n_steps, *shape); ``mode`` is "wrap" or "edge", as in np.pad.
    """
    padded = np.pad(field, [(0, 0), *((n, n) for n in overlap)], mode=mode)
    starts = [range(0, n, step) for n, step in zip(field.shape[1:], size, strict=True)]
    for corner in product(*starts):
        axes = list(zip(corner, size, overlap, strict=True))
        seen = padded[(slice(None), *(slice(c, c + n + 2 * more) for c, n, more in axes))]
        own = field[(slice(None), *(slice(c, c + n) for c, n, _ in axes))]
        yield corner, seen.reshape(len(field), -1), own.reshape(len(field), -1)


def patch_forecast(field, n_steps, networks, size, overlap, mode):
    """Run one network (W, W_in, b, leak, coef, intercept) per patch along a field, then freely.

    The features of a readout are the states and the inputs.
    """
    states = [np.zeros(len(network[0])) for network in networks]
    rows, forecast = list(field), []
    for t in range(len(field) + n_steps - 1):
        row = np.empty(field.shape[1:])
        cut = patches(rows[t][None], size, overlap, mode)
        for k, (corner, seen, _) in enumerate(cut):
            W, W_in, b, leak, coef, intercept = networks[k]
            states[k] = (1 - leak) * states[k] + leak * np.tanh(W @ states[k] + W_in @ seen[0] + b)
            outputs = coef @ np.concatenate([states[k], seen[0]]) + intercept
            where = tuple(slice(c, c + n) for c, n in zip(corner, size, strict=True))
            row[where] = outputs.reshape(size)
        if t >= len(field) - 1:
            forecast.append(row)
            rows.append(row)
    return np.array(forecast)


def exponential_smoothing(rows, observed, logs, alpha, gamma, drift, level, season, n_steps):
    """Return forecasts (n_rows + 1, n_steps) from every number of known rows, and their errors.

    Errors are the mean absolute ones of the steps up to the last row.
    """
    season, ahead, errors = list(season), [], []
    for t in range(len(rows) + 1):
        sums = [level + season[(t + i) % len(season)] + (i + 1) * drift for i in range(n_steps)]
        ahead.append(np.exp(sums) if logs else np.array(sums))
        if t < len(rows):
            known = observed[t : t + n_steps]
            errors.append(np.abs(known - ahead[-1][: len(known)]).mean())
            error = rows[t] - level - season[t % len(season)]
            level = level + alpha * error
            season[t % len(season)] += gamma * error
    return np.array(ahead), np.array(errors)
