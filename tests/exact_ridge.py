"""Ridge regression in exact rational arithmetic: a reference for features of any size."""

from fractions import Fraction

import numpy as np


def predictions(X, y, alpha, w):
    """Return the predictions of the rows that they were fitted to; None if not unique."""
    rows, targets, weights = _exact(X), _exact(y), _exact(w)
    model = _fit(rows, targets, Fraction(float(alpha)), weights)
    return None if model is None else np.array([float(_predict(model, row)) for row in rows])


def leave_one_out(X, y, alpha, w):
    """Return the weighted mean squared error of rows predicted from the others; None as above."""
    alpha, total = Fraction(float(alpha)), Fraction(0)
    rows, targets, weights = _exact(X), _exact(y), _exact(w)
    used = [i for i, weight in enumerate(weights) if weight > 0]
    for i in used:
        others = [k for k in used if k != i]
        pick = [[values[k] for k in others] for values in (rows, targets, weights)]
        model = _fit(pick[0], pick[1], alpha, pick[2])
        if model is None:
            return None
        total += weights[i] * (targets[i] - _predict(model, rows[i])) ** 2
    return float(total / sum(weights))


def _exact(values):
    return [_exact(v) if np.ndim(v) else Fraction(float(v)) for v in values]


def _dot(a, b):
    return sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0))


def _predict(model, row):
    coef, intercept = model
    return _dot(row, coef) + intercept


def _fit(rows, targets, alpha, weights):
    """Return coefficients and intercept by the smaller of the primal and the dual equations."""
    total = sum(weights)
    means = [_dot(weights, column) / total for column in zip(*rows, strict=True)]
    mean = _dot(weights, targets) / total
    Z = [[x - m for x, m in zip(row, means, strict=True)] for row in rows]
    target = [y - mean for y in targets]
    columns = list(zip(*Z, strict=True))
    if len(columns) <= len(Z):
        weighted = [[w * z for w, z in zip(weights, column, strict=True)] for column in columns]
        gram = [[_dot(a, b) for b in columns] for a in weighted]
        coef = _solve(_add_diagonal(gram, alpha), [_dot(a, target) for a in weighted])
    else:
        kernel = [[_dot(a, b) for b in Z] for a in Z]
        dual = _solve(_add_diagonal(kernel, *(alpha / w for w in weights)), target)
        coef = None if dual is None else [_dot(column, dual) for column in columns]
    return None if coef is None else (coef, mean - _dot(coef, means))


def _add_diagonal(matrix, *values):
    added = [list(row) for row in matrix]
    for i, row in enumerate(added):
        row[i] += values[i % len(values)]
    return added


def _solve(matrix, right):
    """Solve by Gauss elimination; None if the matrix is singular."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    n = len(rows)
    for i in range(n):
        pivot = next((k for k in range(i, n) if rows[k][i] != 0), None)
        if pivot is None:
            return None
        rows[i], rows[pivot] = rows[pivot], rows[i]
        for k in range(i + 1, n):
            ratio = rows[k][i] / rows[i][i]
            rows[k] = [a - ratio * b for a, b in zip(rows[k], rows[i], strict=True)]
    solution = [Fraction(0)] * n
    for i in reversed(range(n)):
        known = _dot(rows[i][i + 1 : n], solution[i + 1 :])
        solution[i] = (rows[i][n] - known) / rows[i][i]
    return solution
