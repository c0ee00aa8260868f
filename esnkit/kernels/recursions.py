"""Linear recursions along packed sequences."""

from esnkit.kernels.compilation import kernel


@kernel
def linear_recursion(F, u, offsets, x):
    """Write x[t + 1] = F[k] x[t] + u[t] along every sequence; its first row of x is given.

    The k-th step of a sequence has the matrix F[k], those after the last matrix have the last one.
    F has shape (n_matrices, n, n), u and x have shape (n_rows, n). The last row of u in a sequence
    is not used.
    """
    n_matrices, n = F.shape[0], F.shape[1]
    for s in range(offsets.size - 1):
        for t in range(offsets[s], offsets[s + 1] - 1):
            k = min(t - offsets[s], n_matrices - 1)
            for i in range(n):
                total = u[t, i]
                for j in range(n):
                    total += F[k, i, j] * x[t, j]
                x[t + 1, i] = total


@kernel
def backward_recursion(F, u, offsets, x):
    """Write x[t] = F[k] x[t + 1] + u[t] along every sequence; its last row of x is given.

    Row t is the k-th of its sequence, with the matrix F[k] or the last one of (n_matrices, n, n).
    """
    n_matrices, n = F.shape[0], F.shape[1]
    for s in range(offsets.size - 1):
        for t in range(offsets[s + 1] - 2, offsets[s] - 1, -1):
            k = min(t - offsets[s], n_matrices - 1)
            for i in range(n):
                total = u[t, i]
                for j in range(n):
                    total += F[k, i, j] * x[t + 1, j]
                x[t, i] = total
