"""Spectral radius against dense eigenvalues and closed forms, and scaling to a wanted one."""

import numpy as np
import pytest
import scipy.sparse as sp
from threadpoolctl import threadpool_limits

from esnkit.reservoirs import _eigenvalues
from esnkit.reservoirs.spectral import effective_spectral_radius, rescale, spectral_radius
from esnkit.reservoirs.topologies import TOPOLOGIES, make_topology

RANDOM = ["dense", "diagonals", "random"]


def make(topology, n_units, seed=0, **options):
    return make_topology(topology, n_units, np.random.default_rng(seed), **options)


def dense_radius(W):
    # One thread: on a busy machine the threads of LAPACK wait for each other longer than they work.
    with threadpool_limits(1, user_api="blas"):
        return np.abs(np.linalg.eigvals(W.toarray() if sp.issparse(W) else W)).max()


@pytest.mark.parametrize("name", RANDOM)
@pytest.mark.parametrize("weights", ["uniform", "normal", "bernoulli"])
def test_radius_equals_dense_eigenvalues_over_seeds(name, weights):
    for seed in range(5, 15):  # from 39 to 245 units
        n_units = int(np.random.default_rng(seed).integers(5, 260))
        W = make(name, n_units, seed, degree=(2, 3, 5, 10, 20)[seed % 5], weights=weights)
        assert spectral_radius(W) == pytest.approx(dense_radius(W), rel=1e-9)


@pytest.mark.parametrize("name", RANDOM)
@pytest.mark.parametrize("n_units", [79, 80, 81, 82, 100, 121, 500])
def test_radius_equals_dense_eigenvalues_where_the_method_changes(name, n_units):
    W = make(name, n_units, n_units)
    assert spectral_radius(W) == pytest.approx(dense_radius(W), rel=1e-9)


def test_radius_of_a_thousand_units_equals_dense_eigenvalues():
    W = make("diagonals", 1000)
    assert spectral_radius(W) == pytest.approx(dense_radius(W), rel=1e-9)


def test_radius_of_ten_thousand_units_is_what_a_wide_basis_finds():
    # ARPACK with k = 8, ncv = 200, tol = 1e-10 on this matrix; with k = 1 it may stop at another.
    assert spectral_radius(make("diagonals", 10_000)) == pytest.approx(1.836457873152709, rel=1e-9)


# Topologies whose radius no formula gives, and two whose radius is known.
COMPUTED = sorted(
    {name for name, row in TOPOLOGIES.items() if row.radius is None} | {"cycle", "orthogonal"}
)


@pytest.mark.parametrize("n_units", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("name", sorted(TOPOLOGIES))
def test_smallest_sizes(name, n_units):
    W = make(name, n_units, 5)
    if name == "delay_line" or W.nnz == 0:  # one unit, without a connection from itself
        with pytest.raises(ValueError, match="radius of W is 0"):
            rescale(W, 0.9)
        return
    assert dense_radius(rescale(W, 0.9)) == pytest.approx(0.9, rel=1e-9)


def entries(n_units, *triples):
    rows, columns, data = zip(*triples, strict=True)
    arrays = [np.broadcast_arrays(*triple) for triple in zip(rows, columns, data, strict=True)]
    i, j, w = (np.concatenate([array[part].ravel() for array in arrays]) for part in range(3))
    return sp.csr_array((w, (i % n_units, j % n_units)), shape=(n_units, n_units))


def bipartite(n_units):
    half = n_units // 2
    return sp.bmat([[None, make("random", half, 1)], [make("random", half, 2), None]])


def block_cycle(n_units):
    A, B, C = (make("random", n_units // 3, seed, degree=5) for seed in range(3))
    return sp.bmat([[None, None, A], [B, None, None], [None, C, None]])


def cycle_with_jumps(n_units, weight=0.4):
    i = np.arange(n_units)
    jumps = np.arange(0, n_units - 7, 7)
    return entries(n_units, (i + 1, i, 0.8), (jumps, jumps + 7, weight), (jumps + 7, jumps, weight))


def chords(n_units, n_chords):
    rng = np.random.default_rng(n_chords)
    i = np.arange(n_units)
    ends = rng.integers(n_units, size=(2, n_chords))
    return entries(n_units, (i + 1, i, rng.uniform(0.5, 1.5, n_units)), (*ends, 0.7))


def badly_scaled(n_units):
    scale = sp.diags(10.0 ** np.random.default_rng(3).uniform(-40, 40, n_units))
    return sp.csr_array(scale @ make("random", n_units) @ scale.power(-1))


def nearly_triangular(n_units):
    W = make("random", n_units, 6)
    return sp.tril(W) + 1e-6 * sp.triu(W, 1)


def heavy_tailed(n_units):
    W = make("random", n_units, 7)
    W.data = np.sign(W.data) * np.abs(W.data) ** -3.0
    return W


STRUCTURED = {
    "bipartite": bipartite,
    "three blocks in a cycle": block_cycle,
    "cycle with jumps": cycle_with_jumps,
    "cycle with jumps of the other sign": lambda n: cycle_with_jumps(n, -0.4),
    "cycle with one chord": lambda n: chords(n, 1),
    "cycle with chords": lambda n: chords(n, n),
    "symmetric": lambda n: make("random", n) + make("random", n).T,
    "skew": lambda n: make("random", n) - make("random", n).T,
    "non-negative": lambda n: abs(make("random", n)),
    "badly scaled": badly_scaled,
    "nearly triangular": nearly_triangular,
    "heavy-tailed": heavy_tailed,
    "separate blocks": lambda n: sp.block_diag([make("random", n // 3, s) for s in range(3)]),
    "a few cycles": lambda n: make("random", n, 8, degree=1),
    "sparse and reducible": lambda n: make("random", n, 8, degree=2),
}


@pytest.mark.parametrize("structure", sorted(STRUCTURED))
@pytest.mark.parametrize("n_units", [60, 240])
def test_structured_matrices(structure, n_units):
    W = STRUCTURED[structure](n_units)
    assert spectral_radius(W) == pytest.approx(dense_radius(W), rel=1e-8)


@pytest.mark.parametrize("n_units", [30, 300, 3000])
def test_delay_line_with_backward_links_has_a_closed_form(n_units):
    # Dense eigenvalues are wrong here, by a third at 300 units: the matrix is far from normal.
    W = sp.diags([0.5, 0.05], [-1, 1], shape=(n_units, n_units))
    expected = 2 * np.sqrt(0.5 * 0.05) * np.cos(np.pi / (n_units + 1))
    assert spectral_radius(W) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("n_units", [1, 2, 7, 5000])
def test_cycle_is_exact(n_units):
    W = make("cycle", n_units)
    assert spectral_radius(W) == 1.0
    assert np.array_equal(rescale(W, 0.9).data, np.full(n_units, 0.9))
    W.data = np.random.default_rng(0).uniform(0.1, 1.0, n_units)
    assert spectral_radius(W) == pytest.approx(np.exp(np.mean(np.log(W.data))), rel=1e-13)


def test_orthogonal_matrices_are_exact():
    Q = np.linalg.qr(np.random.default_rng(0).standard_normal((200, 200)))[0]
    assert spectral_radius(3.0 * Q) == pytest.approx(3.0, rel=1e-12)
    P = np.eye(200)[np.random.default_rng(0).permutation(200)]
    assert spectral_radius(P) == 1.0


@pytest.mark.parametrize("scale", [1e-300, 1e-200, 1e200, 1e300])
@pytest.mark.parametrize("n_units", [50, 200])
def test_scale_is_no_obstacle(scale, n_units):
    W = make("random", n_units)
    assert spectral_radius(W * scale) / scale == pytest.approx(spectral_radius(W), rel=1e-9)
    assert spectral_radius(rescale(W * scale, 0.9)) == pytest.approx(0.9, rel=1e-9)


def test_a_power_of_two_changes_no_bit():
    W = make("random", 200)
    assert spectral_radius(W * 2.0**-70) == spectral_radius(W) * 2.0**-70


@pytest.mark.parametrize("form", [np.array, np.ndarray.tolist, sp.csr_array, sp.csc_matrix])
def test_the_container_does_not_matter(form):
    W = make("random", 150).toarray()
    assert spectral_radius(form(W)) == spectral_radius(W)


def test_integers_and_float32_are_computed_in_float64():
    W = make("random", 150, weights="bernoulli")
    assert spectral_radius(W.astype(np.int8)) == spectral_radius(W)
    W = make("random", 150).astype(np.float32)
    assert spectral_radius(W) == spectral_radius(W.astype(np.float64))


@pytest.mark.parametrize("name", COMPUTED)
@pytest.mark.parametrize("n_units", [60, 150, 300])
def test_thread_count_changes_no_bit(name, n_units):
    answers = []
    for n_threads in (1, 2):
        with threadpool_limits(n_threads, user_api="blas"):
            answers += [rescale(make(name, n_units), 0.9).data for _ in range(2)]
    assert all(np.array_equal(answers[0], other) for other in answers[1:])


def test_no_convergence_falls_back_on_dense_eigenvalues_or_says_so(monkeypatch):
    W = make("random", 100)
    monkeypatch.setattr(_eigenvalues, "_krylov_radius", lambda *args: None)
    assert spectral_radius(W) == pytest.approx(dense_radius(W), rel=1e-9)
    monkeypatch.setattr(_eigenvalues, "MAX_DENSE_FALLBACK", 90)
    with pytest.raises(ValueError, match="spectral radius of W was not found.*100 connected"):
        spectral_radius(W)


def turned(index, n_units):
    """Return a dense matrix whose power ``index`` is the first that is zero."""
    rng = np.random.default_rng(0)
    Q = np.linalg.qr(rng.normal(size=(n_units, n_units)))[0]
    return Q @ np.diag((np.arange(1, n_units) % index != 0).astype(float), 1) @ Q.T


NILPOTENT = {
    "whole numbers": np.array([[6, -5, 4], [4, -3, 3], [-4, 3, -3]]),
    "dense, index 3": turned(3, 60),
    "dense and large, index 2": turned(2, 150),
    "dense and large, index 20": turned(20, 150),
    "zero": np.zeros((3, 3)),
    "one unit": np.zeros((1, 1)),
    "delay line": np.eye(50, k=-1),
    "triangular": np.triu(np.ones((50, 50)), 1),
    "with cycles": np.array([[1.0, 1.0], [-1.0, -1.0]]),
    "with more cycles": np.kron(np.ones((3, 3)), [[0.3, 0.3], [-0.3, -0.3]]),
    "long delay line": sp.diags([1.0], [-1], shape=(3000, 3000)),
}


def test_entries_that_underflow_do_not_matter_where_others_link_the_same_units():
    x = np.linspace(0, 30, 200)
    W = np.exp(-((x[:, None] - x) ** 2))
    assert W.min() < 1e-300 * W.max()
    assert spectral_radius(1e4 * W) == pytest.approx(1e4 * np.linalg.eigvalsh(W)[-1], 1e-9)


@pytest.mark.parametrize("kind", sorted(NILPOTENT))
def test_a_nilpotent_matrix_has_radius_zero_and_cannot_be_rescaled(kind):
    W = NILPOTENT[kind]
    assert spectral_radius(W) == 0.0
    reason = "all its entries are zero" if kind in {"zero", "one unit"} else "nilpotent"
    with pytest.raises(ValueError, match=f"spectral_radius=0.9 cannot be reached.*{reason}"):
        rescale(W, 0.9)


@pytest.mark.parametrize("form", ["csr", "csc", "coo", "lil", "dok", "bsr", "dia"])
@pytest.mark.parametrize("kind", [sp.csr_array, sp.csr_matrix])
def test_rescale_keeps_kind_format_and_input(form, kind):
    W = kind(make("random", 20, degree=3)).asformat(form)
    before = W.toarray()
    scaled = rescale(W, 0.7)
    assert type(scaled) is type(W) and scaled.format == form
    assert dense_radius(scaled) == pytest.approx(0.7, rel=1e-9)
    assert np.array_equal(W.toarray(), before)


def test_rescale_keeps_dense_arrays_and_float32():
    W = make("random", 120).toarray()
    assert isinstance(rescale(W, 0.7), np.ndarray)
    assert rescale(W.astype(np.float32), 0.7).dtype == np.float32
    assert spectral_radius(rescale(W.astype(np.float32), 0.7)) == pytest.approx(0.7, rel=1e-6)
    assert rescale(np.array([[2]]), 0.5).dtype == np.float64


@pytest.mark.parametrize("n_units", [20, 150])
@pytest.mark.parametrize("leak_rate", [1.0, 0.3, 0.02, "vector"])
def test_effective_radius_equals_dense_eigenvalues(n_units, leak_rate):
    W = make("diagonals", n_units)
    if leak_rate == "vector":
        leak_rate = 10.0 ** np.random.default_rng(0).uniform(-2, 0, n_units)
    leak = np.broadcast_to(leak_rate, n_units)
    expected = dense_radius(np.diag(1 - leak) + leak[:, np.newaxis] * W.toarray())
    assert effective_spectral_radius(W, leak_rate) == pytest.approx(expected, rel=1e-9)


def test_effective_radius_of_a_delay_line_is_one_less_the_leak():
    assert effective_spectral_radius(np.eye(9, k=-1), 0.25) == 0.75


GOOD = np.eye(3)
WRONG = [
    (lambda: spectral_radius(GOOD[:2]), ValueError, r"W must be a square matrix.*\(2, 3\)"),
    (lambda: spectral_radius(np.ones(3)), ValueError, r"W must be a square matrix.*\(3,\)"),
    (lambda: spectral_radius(np.ones((0, 0))), ValueError, "W must be a square matrix"),
    (lambda: spectral_radius(GOOD * 1j), ValueError, "W must be a matrix of real numbers.*complex"),
    (lambda: spectral_radius(GOOD * np.nan), ValueError, "W must be finite"),
    (lambda: rescale(sp.csr_array(GOOD) * np.inf, 0.9), ValueError, "W must be finite"),
    (lambda: rescale(GOOD, 0.0), ValueError, "spectral_radius must be .* got 0.0"),
    (lambda: rescale(GOOD, -1.0), ValueError, "spectral_radius must be .* got -1.0"),
    (lambda: rescale(GOOD, np.nan), ValueError, "spectral_radius must be .* got nan"),
    (lambda: rescale(GOOD, np.inf), ValueError, "spectral_radius must be .* got inf"),
    (lambda: rescale(GOOD, "big"), TypeError, "spectral_radius must be .* got 'big'"),
    (lambda: effective_spectral_radius(GOOD, 0.0), ValueError, "leak_rate must lie in .* got 0.0"),
    (lambda: effective_spectral_radius(GOOD, 1.5), ValueError, "leak_rate must lie in .* got 1.5"),
    (lambda: effective_spectral_radius(GOOD, np.nan), ValueError, "leak_rate must be finite"),
    (lambda: effective_spectral_radius(GOOD, [0.5, 1.0]), ValueError, r"leak_rate .*shape \(3,\)"),
    (lambda: spectral_radius(np.full((20, 20), 1e308)), ValueError, "W must .* range of float64"),
]


@pytest.mark.parametrize("call, error, message", WRONG)
def test_wrong_calls_name_the_argument(call, error, message):
    with pytest.raises(error, match=message):
        call()


def ring_with_chord(n_units, end, weak=1e-12):
    i = np.arange(n_units)
    W = entries(n_units, (i + 1, i, np.where(i == 0, weak, 1.0)), (0, end, weak))
    W.sort_indices()
    return W


def check_ring_with_chord(n_units, end):
    W = ring_with_chord(n_units, end)
    # x^n = p + q x^(n - 1 - end), with the products p of the ring and q of the shorter cycle.
    # The positive root is the radius of a non-negative matrix.
    low, high = 0.0, 2.0
    for _ in range(200):
        x = (low + high) / 2
        p, q = 1e-12, 1e-24
        low, high = (x, high) if x**n_units < p + q * x ** (n_units - 1 - end) else (low, x)
    assert spectral_radius(W) == pytest.approx(low, rel=1e-9)
    scaled = rescale(W, 0.9)
    assert spectral_radius(scaled) == pytest.approx(0.9, rel=1e-9)


@pytest.mark.parametrize("n_units, end", [(81, 40), (81, 7), (100, 50), (100, 93), (100, 2)])
def test_rings_with_very_unequal_weights(n_units, end):
    check_ring_with_chord(n_units, end)


def test_all_rings_with_one_weak_chord(request):
    if not request.config.getoption("--fuzz"):
        pytest.skip("178 rings; with --fuzz")
    for n_units in (81, 100):
        for end in range(1, n_units - 1):
            check_ring_with_chord(n_units, end)


def test_a_radius_below_the_normal_numbers_is_refused_where_bits_are_lost():
    assert spectral_radius([[0.0, 2.0**-1070], [2.0**-1070, 0.0]]) == 2.0**-1070
    with pytest.raises(ValueError, match="within the range of float64, got less"):
        spectral_radius([[0.0, 2.0**-1072], [2.0**-1073, 0.0]])


@pytest.mark.parametrize("target", [1e-5, 1e8])
def test_rescale_takes_weights_far_apart(target):
    W = np.array([[0.0, 1e300, 0.0], [1e-300, 0.0, 1e10], [0.0, 1e-20, 0.0]])
    assert spectral_radius(rescale(W, target)) == pytest.approx(target, rel=1e-9)


def test_rescale_refuses_a_radius_at_which_weights_vanish():
    W = np.array([[0.0, 1.0], [1e-30, 0.0]], np.float32)
    assert spectral_radius(rescale(W, 0.5)) == pytest.approx(0.5, rel=1e-6)
    with pytest.raises(ValueError, match="takes the weights out of the range of float32"):
        rescale(W, 1e-29)
    with pytest.raises(ValueError, match="takes the weights out of the range of float64"):
        rescale(np.array([[0.0, 1e150], [1e-150, 0.0]]), 1e-170)
