"""Equations of the recurrent cells for one time step, element by element, forward and backward.

z are the pre-activations (gate rows of Z_t = M S_t), a prime stands for the step before, d for the
derivative of the loss: dz = d loss / d z. All gates of a step are in one block of A, gate by gate,
``size = n_units * m`` numbers each for m sequences; dZ has the same form.

    rnn          h = tanh(z) or max(z, 0)
    lstm         c = f c' + i g,   h = o tanh(c)                        gates i, f, g, o
    gru          h = u h' + (1 - u) n,   n = tanh(nx + r nh)            gates r, u, n (nx), nh
    gru before   h = u h' + (1 - u) n,   n = tanh(W [x; r h'; 1])       gates r, u, n
    min gru      h = u h' + (1 - u) n                                   gates u, n
    min lstm     h = k h' + (1 - k) n,   k = f / (f + i)                gates i, f, n
    lru          c = l c' + s v,   h = c o,   o = sigmoid(z + c)        gates v, o

Gates of the last three depend on the inputs alone; n and v are linear. The c, v and l of an lru are
complex: their first n_units / 2 rows are real parts, the others imaginary parts, and each row has a
gate o. Its eigenvalues l and factors s do not depend on time.

Forward functions find pre-activations in A and leave activations there. Backward functions drop
what is nearer to zero than ``TINY`` (see :mod:`esnkit.kernels.simd.masked`): gradients that vanish
over many steps would become subnormal numbers, which processors compute with slowly.
"""

from typing import Any, NamedTuple

from esnkit.kernels.compilation import kernel
from esnkit.kernels.simd.addresses import number
from esnkit.kernels.simd.elementary import fma, positive, positive_sigmoid, tanh
from esnkit.kernels.simd.masked import drop_tiny, load_first, store_first
from esnkit.kernels.simd.selection import where_positive
from esnkit.kernels.simd.vectors import fill, load, store, width

RNN_TANH, RNN_RELU, LSTM, GRU_AFTER, GRU_BEFORE, MIN_GRU, MIN_LSTM, LRU = range(8)
N_GATES = (1, 1, 4, 4, 3, 2, 3, 2)
# Whether M multiplies h'.
MULTIPLIES_STATES = (True, True, True, True, True, False, False, False)
# Whether C holds c' before the step, and c after it; c of the min gru and the min lstm is h.
CARRIES_C = (False, False, True, False, False, True, True, True)


class Buffers(NamedTuple):
    """Addresses of flat arrays of blocks, one block a step (see :mod:`esnkit.kernels.cells`)."""

    S: Any  # what M multiplies: inputs, states before the step, ones
    A: Any  # gates
    C: Any  # cell states, or reset states r h' (gru before)
    H: Any  # states, which are the outputs
    E: Any  # Re l, Im l and s of an lru, n_units / 2 each


class Offsets(NamedTuple):
    """Where the blocks of a step begin in `Buffers`."""

    S: int
    h_before: int  # in S
    A: int
    C: int
    H: int
    E: int


class BackwardBuffers(NamedTuple):
    """Addresses of what the backward equations read and write."""

    S: Any
    A: Any
    C: Any
    c_before: Any  # c'
    dH: Any
    dZ: Any
    dh_before: Any  # one block, d loss / d h'
    dc: Any  # one block, d loss / d c, then d loss / d c'
    E: Any
    dE: Any  # sums of every row of E: a vector for each half of the batch


class BackwardOffsets(NamedTuple):
    """Where the blocks of a step begin in `BackwardBuffers`."""

    S: int
    h_before: int  # in S
    A: int
    C: int
    c_before: int
    dH: int
    dZ: int


@kernel(inline="always")
def _sigmoid(x, half):
    return fma(half, tanh(half * x), half)


@kernel
def rnn_step(cell, size, buffers, at):
    """Write h = tanh(z) or max(z, 0) from A to H, which may be one array."""
    A, H = buffers.A, buffers.H
    for k in range(0, size, width(A)):
        left = size - k
        z = load_first(A, at.A + k, left)
        store_first(H, at.H + k, tanh(z) if cell == RNN_TANH else positive(z), left)


@kernel
def rnn_back(cell, size, buffers, at):
    """Compute dz = dh (1 - h^2), or dh where h > 0; A holds h."""
    A, dH, dZ = buffers.A, buffers.dH, buffers.dZ
    one = fill(number(A, 1.0))
    for k in range(0, size, width(A)):
        left = size - k
        # tanh'(z) = 1 - h^2
        h, dh = load_first(A, at.A + k, left), load_first(dH, at.dH + k, left)
        dz = where_positive(h, dh) if cell == RNN_RELU else drop_tiny(dh * (one - h * h))
        store_first(dZ, at.dZ + k, dz, left)


@kernel
def lstm_step(size, buffers, at):
    """Compute c = f c' + i g, h = o tanh(c); on entry C holds c'."""
    A, C, H = buffers.A, buffers.C, buffers.H
    half = fill(number(A, 0.5))
    for k in range(0, size, width(A)):
        left, a = size - k, at.A + k
        i = _sigmoid(load_first(A, a, left), half)
        f = _sigmoid(load_first(A, a + size, left), half)
        g = tanh(load_first(A, a + 2 * size, left))
        o = _sigmoid(load_first(A, a + 3 * size, left), half)
        c = fma(f, load_first(C, at.C + k, left), i * g)
        store_first(A, a, i, left)
        store_first(A, a + size, f, left)
        store_first(A, a + 2 * size, g, left)
        store_first(A, a + 3 * size, o, left)
        store_first(C, at.C + k, c, left)
        store_first(H, at.H + k, o * tanh(c), left)


@kernel
def lstm_back(size, buffers, at):
    """Compute dz of all gates, and dc' = f (dc + o (1 - tanh(c)^2) dh), which replaces dc."""
    A, C, c_before = buffers.A, buffers.C, buffers.c_before
    dH, dZ, dc = buffers.dH, buffers.dZ, buffers.dc
    one = fill(number(A, 1.0))
    for k in range(0, size, width(A)):
        left, a, d = size - k, at.A + k, at.dZ + k
        i, f = load_first(A, a, left), load_first(A, a + size, left)
        g, o = load_first(A, a + 2 * size, left), load_first(A, a + 3 * size, left)
        tanh_c, dh = tanh(load_first(C, at.C + k, left)), load_first(dH, at.dH + k, left)
        # d loss / d c through h, plus what step t + 1 passes back; then each factor's share.
        to_c = dh * o * (one - tanh_c * tanh_c) + load_first(dc, k, left)
        dz_i = to_c * g * i * (one - i)
        dz_f = to_c * load_first(c_before, at.c_before + k, left) * f * (one - f)
        dz_g = to_c * i * (one - g * g)
        dz_o = dh * tanh_c * o * (one - o)
        store_first(dZ, d, drop_tiny(dz_i), left)
        store_first(dZ, d + size, drop_tiny(dz_f), left)
        store_first(dZ, d + 2 * size, drop_tiny(dz_g), left)
        store_first(dZ, d + 3 * size, drop_tiny(dz_o), left)
        store_first(dc, k, drop_tiny(to_c * f), left)


@kernel
def gru_after_step(size, buffers, at):
    """Compute n = tanh(nx + r nh), h = n + u (h' - n); nh stays as it is."""
    S, A, H = buffers.S, buffers.A, buffers.H
    half = fill(number(A, 0.5))
    for k in range(0, size, width(A)):
        left, a = size - k, at.A + k
        r = _sigmoid(load_first(A, a, left), half)
        u = _sigmoid(load_first(A, a + size, left), half)
        nh = load_first(A, a + 3 * size, left)
        n = tanh(fma(r, nh, load_first(A, a + 2 * size, left)))
        store_first(A, a, r, left)
        store_first(A, a + size, u, left)
        store_first(A, a + 2 * size, n, left)
        store_first(H, at.H + k, fma(u, load_first(S, at.h_before + k, left) - n, n), left)


@kernel
def gru_after_back(size, buffers, at):
    """Compute dz of all gates, and in dh_before the direct path u dh."""
    S, A, dH, dZ = buffers.S, buffers.A, buffers.dH, buffers.dZ
    one = fill(number(A, 1.0))
    for k in range(0, size, width(A)):
        left, a, d = size - k, at.A + k, at.dZ + k
        r, u = load_first(A, a, left), load_first(A, a + size, left)
        n, nh = load_first(A, a + 2 * size, left), load_first(A, a + 3 * size, left)
        dh = load_first(dH, at.dH + k, left)
        # dh / du = h' - n and dh / dn = 1 - u; nh enters n times r.
        dz_u = dh * (load_first(S, at.h_before + k, left) - n) * u * (one - u)
        dz_nx = dh * (one - u) * (one - n * n)
        dz_r = dz_nx * nh * r * (one - r)
        store_first(dZ, d, drop_tiny(dz_r), left)
        store_first(dZ, d + size, drop_tiny(dz_u), left)
        store_first(dZ, d + 2 * size, drop_tiny(dz_nx), left)
        store_first(dZ, d + 3 * size, drop_tiny(dz_nx * r), left)
        store_first(buffers.dh_before, k, dh * u, left)


@kernel
def reset_step(size, buffers, at):
    """Activate r and u of a gru that resets before, and write r h' to C."""
    S, A, C = buffers.S, buffers.A, buffers.C
    half = fill(number(A, 0.5))
    for k in range(0, size, width(A)):
        left, a = size - k, at.A + k
        r = _sigmoid(load_first(A, a, left), half)
        store_first(A, a, r, left)
        store_first(A, a + size, _sigmoid(load_first(A, a + size, left), half), left)
        store_first(C, at.C + k, r * load_first(S, at.h_before + k, left), left)


@kernel
def gru_before_step(size, buffers, at):
    """Compute n = tanh(z), h = n + u (h' - n), after `reset_step` and the product for n."""
    S, A, H = buffers.S, buffers.A, buffers.H
    for k in range(0, size, width(A)):
        left, a = size - k, at.A + k
        n, u = tanh(load_first(A, a + 2 * size, left)), load_first(A, a + size, left)
        store_first(A, a + 2 * size, n, left)
        store_first(H, at.H + k, fma(u, load_first(S, at.h_before + k, left) - n, n), left)


@kernel
def gru_before_back(size, buffers, at):
    """Compute dz of u and n; the product with the weights of n, which gives d(r h'), comes next."""
    S, A, dH, dZ = buffers.S, buffers.A, buffers.dH, buffers.dZ
    one = fill(number(A, 1.0))
    for k in range(0, size, width(A)):
        left, a, d = size - k, at.A + k, at.dZ + k
        u, n = load_first(A, a + size, left), load_first(A, a + 2 * size, left)
        dh = load_first(dH, at.dH + k, left)
        # As of the gru that resets after, but for r, whose share comes with `reset_back`.
        dz_u = dh * (load_first(S, at.h_before + k, left) - n) * u * (one - u)
        dz_n = dh * (one - u) * (one - n * n)
        store_first(dZ, d + size, drop_tiny(dz_u), left)
        store_first(dZ, d + 2 * size, drop_tiny(dz_n), left)


@kernel
def reset_back(size, buffers, at):
    """Compute dz of r, and dh' = r d(r h') + u dh, which replaces d(r h') in dh_before."""
    S, A, dH, dh_before = buffers.S, buffers.A, buffers.dH, buffers.dh_before
    one = fill(number(A, 1.0))
    for k in range(0, size, width(A)):
        left, a = size - k, at.A + k
        r, u = load_first(A, a, left), load_first(A, a + size, left)
        # r h' has the derivatives h' by r and r by h'; u dh is the direct path from h' to h.
        d_reset, h = load_first(dh_before, k, left), load_first(S, at.h_before + k, left)
        store_first(buffers.dZ, at.dZ + k, drop_tiny(d_reset * h * r * (one - r)), left)
        dh = load_first(dH, at.dH + k, left)
        store_first(dh_before, k, fma(d_reset, r, dh * u), left)


@kernel
def min_gru_step(size, buffers, at):
    """Compute h = n + u (h' - n); on entry C holds h'."""
    A, C, H = buffers.A, buffers.C, buffers.H
    half = fill(number(A, 0.5))
    for k in range(0, size, width(A)):
        left, a = size - k, at.A + k
        u, n = _sigmoid(load_first(A, a, left), half), load_first(A, a + size, left)
        store_first(A, a, u, left)
        store_first(H, at.H + k, fma(u, load_first(C, at.C + k, left) - n, n), left)


@kernel
def min_gru_back(size, buffers, at):
    """Compute dz of both gates, and dh' = u dh."""
    A, dH, dZ = buffers.A, buffers.dH, buffers.dZ
    one = fill(number(A, 1.0))
    for k in range(0, size, width(A)):
        left, a, d = size - k, at.A + k, at.dZ + k
        u, n = load_first(A, a, left), load_first(A, a + size, left)
        dh = load_first(dH, at.dH + k, left)
        dz_u = dh * (load_first(buffers.c_before, at.c_before + k, left) - n) * u * (one - u)
        store_first(dZ, d, drop_tiny(dz_u), left)
        store_first(dZ, d + size, drop_tiny(dh * (one - u)), left)
        store_first(buffers.dh_before, k, dh * u, left)


@kernel
def min_lstm_step(size, buffers, at):
    """Compute k = f / (f + i), h = n + k (h' - n); on entry C holds h'."""
    A, C, H = buffers.A, buffers.C, buffers.H
    for k in range(0, size, width(A)):
        left, a = size - k, at.A + k
        i = positive_sigmoid(load_first(A, a, left))
        f = positive_sigmoid(load_first(A, a + size, left))
        n, keep = load_first(A, a + 2 * size, left), f / (f + i)
        store_first(A, a, i, left)
        store_first(A, a + size, f, left)
        store_first(H, at.H + k, fma(keep, load_first(C, at.C + k, left) - n, n), left)


@kernel
def min_lstm_back(size, buffers, at):
    """Compute dz of all gates, and dh' = k dh."""
    A, dH, dZ = buffers.A, buffers.dH, buffers.dZ
    one = fill(number(A, 1.0))
    for k in range(0, size, width(A)):
        left, a, d = size - k, at.A + k, at.dZ + k
        i, f = load_first(A, a, left), load_first(A, a + size, left)
        n, dh = load_first(A, a + 2 * size, left), load_first(dH, at.dH + k, left)
        # k = f / (f + i) has the derivatives k (1 - k) / f by f and -k (1 - k) / i by i.
        keep = f / (f + i)
        to_keep = dh * (load_first(buffers.c_before, at.c_before + k, left) - n)
        to_keep = to_keep * keep * (one - keep)
        store_first(dZ, d, drop_tiny(to_keep * (i - one)), left)
        store_first(dZ, d + size, drop_tiny(to_keep * (one - f)), left)
        store_first(dZ, d + 2 * size, drop_tiny(dh * (one - keep)), left)
        store_first(buffers.dh_before, k, dh * keep, left)


@kernel
def lru_step(n_units, m, buffers, at):
    """Compute c = l c' + s v, in C, which holds c' on entry, then o, and h = c o."""
    _lru_states(n_units, m, buffers, at)
    A, C, H, size = buffers.A, buffers.C, buffers.H, n_units * m
    half = fill(number(A, 0.5))
    for k in range(0, size, width(A)):
        left, a = size - k, at.A + size + k
        c = load_first(C, at.C + k, left)
        o = _sigmoid(load_first(A, a, left) + c, half)
        store_first(A, a, o, left)
        store_first(H, at.H + k, c * o, left)


@kernel
def _lru_states(n_units, m, buffers, at):
    A, C, E, pairs = buffers.A, buffers.C, buffers.E, n_units // 2
    for row in range(pairs):
        e = at.E + row
        l_re, l_im, s = fill(E[e]), fill(E[e + pairs]), fill(E[e + 2 * pairs])
        for j in range(0, m, width(A)):
            left, re = m - j, row * m + j
            im = re + pairs * m
            c_re, c_im = load_first(C, at.C + re, left), load_first(C, at.C + im, left)
            v_re, v_im = load_first(A, at.A + re, left), load_first(A, at.A + im, left)
            new_re = fma(l_re, c_re, s * v_re - l_im * c_im)
            new_im = fma(l_re, c_im, fma(l_im, c_re, s * v_im))
            # States that fade over many steps would become subnormal, too.
            store_first(C, at.C + re, drop_tiny(new_re), left)
            store_first(C, at.C + im, drop_tiny(new_im), left)


@kernel
def lru_back(n_units, m, n_first, buffers, at):
    """Compute dz of o and v, sums for l and s, and dc', the conjugate of l times dc."""
    _lru_output_back(n_units * m, buffers, at)
    first = min(m, n_first)
    for half in range(2):
        columns = (0, first) if half == 0 else (first, m)
        _add_to_eigenvalues(n_units, m, columns, half, buffers, at)
    _lru_states_back(n_units, m, buffers, at)


@kernel
def _lru_output_back(size, buffers, at):
    """Compute dz of o, and add to dc what comes through h = c o."""
    dc, one = buffers.dc, fill(number(buffers.A, 1.0))
    for k in range(0, size, width(dc)):
        left = size - k
        o, c = load_first(buffers.A, at.A + size + k, left), load_first(buffers.C, at.C + k, left)
        dh = load_first(buffers.dH, at.dH + k, left)
        dz = dh * c * o * (one - o)
        store_first(buffers.dZ, at.dZ + size + k, drop_tiny(dz), left)
        # z + c is what the sigmoid has.
        store_first(dc, k, fma(dh, o, load_first(dc, k, left) + dz), left)


@kernel
def _lru_states_back(n_units, m, buffers, at):
    """Compute dz of v, and multiply dc by the conjugate of l."""
    dZ, dc, E = buffers.dZ, buffers.dc, buffers.E
    pairs = n_units // 2
    for row in range(pairs):
        l_re, l_im, s = fill(E[row]), fill(E[row + pairs]), fill(E[row + 2 * pairs])
        for j in range(0, m, width(dZ)):
            left, re = m - j, row * m + j
            im = re + pairs * m
            d_re, d_im = load_first(dc, re, left), load_first(dc, im, left)
            store_first(dZ, at.dZ + re, drop_tiny(s * d_re), left)
            store_first(dZ, at.dZ + im, drop_tiny(s * d_im), left)
            store_first(dc, re, drop_tiny(fma(l_re, d_re, l_im * d_im)), left)
            store_first(dc, im, drop_tiny(l_re * d_im - l_im * d_re), left)


@kernel
def _add_to_eigenvalues(n_units, m, columns, half, buffers, at):
    """Add the columns of one half of the batch to the sums for the rows of E.

    These are Re(conj(c') dc), Im(conj(c') dc) and the inner product of v and dc.
    """
    A, c_before, dc, dE = buffers.A, buffers.c_before, buffers.dc, buffers.dE
    (start, stop), pairs, size = columns, n_units // 2, width(A)
    for row in range(pairs if start < stop else 0):
        d = (3 * pairs * half + row) * size
        to_re, to_im, to_s = load(dE, d), load(dE, d + pairs * size), load(dE, d + 2 * pairs * size)
        for j in range(start, stop, size):
            left, re = stop - j, row * m + j
            im = re + pairs * m
            d_re, d_im = load_first(dc, re, left), load_first(dc, im, left)
            c_re = load_first(c_before, at.c_before + re, left)
            c_im = load_first(c_before, at.c_before + im, left)
            to_re = fma(c_re, d_re, fma(c_im, d_im, to_re))
            to_im = fma(c_re, d_im, to_im - c_im * d_re)
            v_re, v_im = load_first(A, at.A + re, left), load_first(A, at.A + im, left)
            to_s = fma(v_re, d_re, fma(v_im, d_im, to_s))
        store(dE, d, to_re)
        store(dE, d + pairs * size, to_im)
        store(dE, d + 2 * pairs * size, to_s)
