"""Recursions of hidden Markov models over packed sequences, in logarithms.

States i, j; times t; b[t, j] the logarithm of the density of row t in state j. Sequence s has the
rows offsets[s] up to offsets[s + 1]. Logarithms keep products of thousands of densities in range
(Rabiner 1989, equations 18 to 37); each sum of exponentials is relative to its largest term.
"""

import numpy as np

from esnkit.kernels.compilation import kernel


@kernel(inline="always")
def log_sum_exp(terms):
    """Return log(sum(exp(terms))), minus infinity where all terms are."""
    largest = -np.inf
    for i in range(terms.size):
        largest = max(largest, terms[i])
    if largest == -np.inf:
        return -np.inf
    total = 0.0
    for i in range(terms.size):
        total += np.exp(terms[i] - largest)
    return largest + np.log(total)


@kernel
def forward(b, log_start, log_transition, offsets, out):
    """Write log p(rows up to t of the sequence, state j at t) to out (n_rows, n_states).

    out[t, j] = log sum_i exp(out[t - 1, i] + log_transition[i, j]) + b[t, j]
    """
    n_states = b.shape[1]
    terms = np.empty(n_states)
    for s in range(offsets.size - 1):
        first = offsets[s]
        for j in range(n_states):
            out[first, j] = log_start[j] + b[first, j]
        for t in range(first + 1, offsets[s + 1]):
            for j in range(n_states):
                for i in range(n_states):
                    terms[i] = out[t - 1, i] + log_transition[i, j]
                out[t, j] = log_sum_exp(terms) + b[t, j]


@kernel
def backward(b, log_transition, offsets, out):
    """Write log p(rows after t of the sequence | state i at t) to out (n_rows, n_states).

    out[t, i] = log sum_j exp(log_transition[i, j] + b[t + 1, j] + out[t + 1, j])
    """
    n_states = b.shape[1]
    terms = np.empty(n_states)
    for s in range(offsets.size - 1):
        last = offsets[s + 1] - 1
        out[last] = 0.0
        for t in range(last - 1, offsets[s] - 1, -1):
            for i in range(n_states):
                for j in range(n_states):
                    terms[j] = log_transition[i, j] + b[t + 1, j] + out[t + 1, j]
                out[t, i] = log_sum_exp(terms)


@kernel
def count_transitions(b, log_transition, offsets, ahead, behind, out):
    """Add the expected numbers of transitions to out (n_states, n_states).

    `ahead` is the result of `forward`, `behind` that of `backward`. With the likelihood L of the
    sequence, the term of t is exp(ahead[t, i] + log_transition[i, j] + b[t+1, j] + behind[t+1, j])
    divided by L = sum_i exp(ahead[t, i] + behind[t, i]), which is the same at every t.
    """
    n_states = b.shape[1]
    terms = np.empty(n_states)
    for s in range(offsets.size - 1):
        for t in range(offsets[s], offsets[s + 1] - 1):
            for i in range(n_states):
                terms[i] = ahead[t, i] + behind[t, i]
            total = log_sum_exp(terms)
            for i in range(n_states):
                for j in range(n_states):
                    log_term = ahead[t, i] + log_transition[i, j] + b[t + 1, j] + behind[t + 1, j]
                    out[i, j] += np.exp(log_term - total)


@kernel
def viterbi(b, log_start, log_transition, offsets, best, pointers, states):
    """Write the most probable path of every sequence to states (n_rows,).

    best[t, j] = max_i (best[t - 1, i] + log_transition[i, j]) + b[t, j]

    `pointers` (n_rows, n_states) holds the maximising i, the first one of equal ones.
    """
    n_states = b.shape[1]
    for s in range(offsets.size - 1):
        first, last = offsets[s], offsets[s + 1] - 1
        for j in range(n_states):
            best[first, j] = log_start[j] + b[first, j]
        for t in range(first + 1, last + 1):
            for j in range(n_states):
                chosen, highest = 0, -np.inf
                for i in range(n_states):
                    value = best[t - 1, i] + log_transition[i, j]
                    if value > highest:
                        chosen, highest = i, value
                best[t, j] = highest + b[t, j]
                pointers[t, j] = chosen
        states[last] = np.argmax(best[last])
        for t in range(last - 1, first - 1, -1):
            states[t] = pointers[t + 1, states[t + 1]]
