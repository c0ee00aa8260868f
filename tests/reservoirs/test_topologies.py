"""The graphs and weights of the topologies, matrices and callables in their place."""

import inspect
from math import gcd

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from esnkit import ESNRegressor, Reservoir
from esnkit.reservoirs import TOPOLOGIES, Topology
from esnkit.reservoirs.topologies import (
    BANDED_FROM,
    WEIGHTS,
    as_csr,
    draw_weights,
    make_topology,
    radius_by_formula,
)

EVERY = sorted(TOPOLOGIES)
FIXED = {  # nothing in them is random
    "chain_of_rings", "cycle", "cycle_jumps", "delay_line", "delay_line_feedback", "double_cycle",
}  # fmt: skip


def make(topology, n_units, seed=0, **options):
    return make_topology(topology, n_units, np.random.default_rng(seed), **options)


def shifts(W):
    rows = np.repeat(np.arange(W.shape[0]), np.diff(W.indptr))
    return np.unique((W.indices - rows) % W.shape[0])


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("n_units", [1, 2, 3, 10, 57])
def test_a_matrix_is_canonical(name, n_units):
    W = make(name, n_units)
    assert isinstance(W, sp.csr_array) and W.shape == (n_units, n_units)
    assert W.indices.dtype == W.indptr.dtype == np.int32
    assert W.data.dtype == np.float64 and W.data.all()
    for i in range(n_units):
        assert (np.diff(W.indices[W.indptr[i] : W.indptr[i + 1]]) > 0).all()


@pytest.mark.parametrize("name", EVERY)
def test_the_seed_decides(name):
    first, again, other = make(name, 40, 1), make(name, 40, 1), make(name, 40, 2)
    assert np.array_equal(first.toarray(), again.toarray())
    assert (name in FIXED) != (not np.array_equal(first.toarray(), other.toarray()))


@pytest.mark.parametrize("n_units", [1, 2, 3, 12, 30, 210, 211])
@pytest.mark.parametrize("degree", [1, 2, 10, 500])
@pytest.mark.parametrize("seed", range(5))
def test_diagonals_are_cyclic_and_one_shift_visits_all_units(n_units, degree, seed):
    W = make("diagonals", n_units, seed, degree=degree)
    k = min(degree, n_units)
    assert W.nnz == k * n_units and shifts(W).size == k
    assert any(gcd(int(shift), n_units) == 1 for shift in shifts(W))
    assert connected_components(W, connection="strong")[0] == 1


@pytest.mark.parametrize("n_units", [4095, 4096, 4290])
@pytest.mark.parametrize("degree", [1, 10, 300])
def test_diagonals_of_large_reservoirs_are_banded(n_units, degree):
    W = make("diagonals", n_units, degree=degree)
    assert W.nnz == degree * n_units and shifts(W).size == degree
    assert any(gcd(int(shift), n_units) == 1 for shift in shifts(W))
    is_banded = shifts(W).max() < max(n_units // 16, degree)
    assert is_banded == (n_units >= BANDED_FROM == 4096)


@pytest.mark.parametrize(
    "n_units, degree", [(1, 1), (2, 1), (9, 4), (9, 5), (9, 8), (9, 20), (500, 10)]
)
def test_random_has_a_fixed_number_of_distinct_columns(n_units, degree):
    W = make("random", n_units, degree=degree)
    assert (np.diff(W.indptr) == min(degree, n_units)).all()


@pytest.mark.parametrize("degree", [2, 4, 7])
def test_random_columns_are_uniform(degree):
    n_units, n_draws = 8, 4000
    rng = np.random.default_rng(0)
    pairs = np.zeros((n_units, n_units))
    for _ in range(n_draws // n_units):
        pattern = make_topology("random", n_units, rng, degree=degree).toarray() != 0
        pairs += pattern.T.astype(float) @ pattern
    together = degree / n_units * (degree - 1) / (n_units - 1)
    expected = np.full((n_units, n_units), together) + np.eye(n_units) * (
        degree / n_units - together
    )
    # Five standard errors of a share, over 36 shares.
    assert np.abs(pairs / n_draws - expected).max() < 5 * 0.5 / np.sqrt(n_draws)


def test_dense_fills_the_matrix():
    assert make("dense", 30).nnz == 900


def test_cycle_feeds_every_unit_to_the_next():
    W = make("cycle", 5, weights="normal").toarray()
    assert np.array_equal(W @ np.arange(5.0), [4.0, 0.0, 1.0, 2.0, 3.0])


def test_orthogonal_preserves_lengths_at_every_radius():
    for n_units in (1, 2, 30):
        W = make("orthogonal", n_units).toarray()
        np.testing.assert_allclose(W @ W.T, np.eye(n_units), atol=1e-14)
    reservoir = Reservoir(30, topology="orthogonal", spectral_radius=0.8, random_state=0)
    moduli = np.abs(np.linalg.eigvals(reservoir.fit(np.zeros((2, 1))).W_.toarray()))
    np.testing.assert_allclose(moduli, 0.8, rtol=1e-13)


def test_orthogonal_matrices_are_uniform():
    # Without the signs, the mean of the diagonal would be negative: QR makes R as it happens.
    draws = [make("orthogonal", 3, seed).toarray() for seed in range(300)]
    assert np.abs(np.mean(draws, axis=0)).max() < 5 / np.sqrt(3 * 300)
    np.testing.assert_allclose(np.mean(np.square(draws), axis=0), 1 / 3, atol=0.09)


@pytest.mark.parametrize("name", ["diagonals", "random", "dense"])
@pytest.mark.parametrize(
    "weights, mean_square, highest", [("uniform", 1 / 3, 1), ("normal", 1, 6), ("bernoulli", 1, 1)]
)
def test_weights_have_their_distribution(name, weights, mean_square, highest):
    data = make(name, 200, weights=weights).data
    assert abs(data.mean()) < 0.12 and np.abs(data).max() <= highest
    assert np.mean(data**2) == pytest.approx(mean_square, rel=0.15)


@pytest.mark.parametrize("weights", sorted(WEIGHTS))
def test_draw_weights_takes_a_shape(weights):
    assert draw_weights(weights, (3, 4), np.random.default_rng(0)).shape == (3, 4)


GIVEN = np.array([[0.0, 2.0, 0.0], [0.0, 0.0, -1.0], [0.5, 0.0, 0.0]])


@pytest.mark.parametrize(
    "form",
    [np.array, np.ndarray.tolist, np.asfortranarray, sp.csr_array, sp.csc_matrix, sp.coo_array]
    + [sp.lil_matrix, sp.dok_array, sp.dia_array, lambda W: lambda n, rng: W]
    + [lambda W: lambda n, rng: sp.csc_array(W)],
)
def test_a_matrix_or_callable_is_used_unchanged(form):
    W = make(form(GIVEN), 3)
    assert isinstance(W, sp.csr_array) and W.nnz == 3 and W.indices.dtype == np.int32
    assert np.array_equal(W.toarray(), GIVEN)


def test_a_callable_draws_from_the_generator():
    W = make(lambda n, rng: rng.uniform(size=(n, n)), 4, seed=3)
    assert np.array_equal(W.toarray(), np.random.default_rng(3).uniform(size=(4, 4)))


def test_a_given_matrix_is_copied_and_made_canonical():
    entries = (np.array([1.0, 2.0, 0.0, 3.0]), ([0, 0, 1, 1], [1, 1, 0, 1]))
    given = sp.coo_array(entries, shape=(2, 2))
    W = make(given, 2)
    assert np.array_equal(W.toarray(), [[0.0, 3.0], [0.0, 3.0]]) and W.nnz == 2
    csr = sp.csr_array(GIVEN)
    make(csr, 3).data[:] = 9.0
    assert np.array_equal(csr.toarray(), GIVEN)


def test_every_row_of_the_table_names_the_parameters_of_its_function():
    for draw, parameters, own, radius in TOPOLOGIES.values():
        arguments = list(inspect.signature(draw).parameters)
        assert arguments == ["n_units", "rng", *parameters, *own]
        assert radius is None or radius(20, **own) > 0


def radius_of(W):
    return np.abs(np.linalg.eigvals(W.toarray())).max()


@pytest.mark.parametrize("name", [name for name in EVERY if TOPOLOGIES[name].radius])
@pytest.mark.parametrize("n_units", [2, 3, 23])
def test_the_formula_of_the_radius_agrees_with_the_eigenvalues(name, n_units):
    W = make(name, n_units)
    formula = radius_by_formula(name, n_units, None)
    if name == "delay_line":
        assert radius_of(W) == 0.0 and formula == W.data.max() == W.data.min()
    else:
        # The rings of a chain have eigenvalues in common, which rounding moves far.
        rel = 1e-4 if name == "chain_of_rings" else 1e-9
        assert radius_of(W) == pytest.approx(formula, rel=rel)


@pytest.mark.parametrize("name", EVERY)
def test_a_reservoir_has_the_wanted_radius(name):
    W = Reservoir(23, topology=name, spectral_radius=0.7, random_state=0).fit(np.zeros((2, 1))).W_
    assert (W.data.max() if name == "delay_line" else radius_of(W)) == pytest.approx(0.7, rel=1e-4)


def test_a_formula_of_the_table_replaces_the_eigenvalues(monkeypatch):
    row = Topology(lambda n_units, rng, a: a * np.eye(n_units), (), {"a": 4.0}, lambda n, a: 2 * a)
    monkeypatch.setitem(TOPOLOGIES, "my", row)
    reservoir = Reservoir(3, topology="my", topology_params={"a": 8.0}, spectral_radius=1.0)
    np.testing.assert_array_equal(reservoir.fit(np.zeros((2, 1))).W_.toarray(), np.eye(3) / 2)


def test_a_line_of_one_unit_cannot_be_scaled():
    with pytest.raises(ValueError, match="spectral_radius=0.9 cannot be reached"):
        Reservoir(1, topology="delay_line").fit(np.zeros((2, 1)))


def test_a_callable_receives_the_parameters():
    W = make(lambda n_units, rng, scale: scale * np.eye(n_units), 2, params={"scale": 3.0})
    assert np.array_equal(W.toarray(), 3 * np.eye(2))


def test_large_structured_matrices_need_no_eigenvalues():
    for name in ("permutation", "sparse_orthogonal", "eigenvalues", "double_cycle"):
        W = Reservoir(20_000, topology=name, spectral_radius=0.5, random_state=0).fit([[0.0]]).W_
        assert W.nnz <= 10 * 20_000


def ring_with_chords(n_units, rng, *, weights):
    """Return a dense cycle with one more random connection into each unit."""
    W = np.roll(np.eye(n_units), 1, axis=0)
    W[np.arange(n_units), (np.arange(n_units) - 3) % n_units] = draw_weights(weights, n_units, rng)
    return W


def test_a_registered_topology_works_in_a_reservoir_and_an_estimator(monkeypatch):
    # What a user writes as TOPOLOGIES["my"] = Topology(...), undone at the end of the test.
    monkeypatch.setitem(TOPOLOGIES, "my", Topology(ring_with_chords, ("weights",)))
    X = np.sin(np.arange(60) / 3)[:, np.newaxis]
    reservoir = Reservoir(12, topology="my", weights="normal", random_state=0)
    W = reservoir.fit(X).W_
    assert isinstance(W, sp.csr_array) and W.nnz == 24
    assert np.array_equal(reservoir.fit(X).W_.toarray(), W.toarray())
    model = ESNRegressor(12, topology="my", random_state=0).fit(X[:-1], X[1:])
    assert model.score(X[:-1], X[1:]) > 0.9


def test_a_topology_that_is_removed_is_unknown_again(monkeypatch):
    monkeypatch.setitem(TOPOLOGIES, "my", Topology(ring_with_chords, ("weights",)))
    assert make("my", 5).shape == (5, 5)
    monkeypatch.delitem(TOPOLOGIES, "my")
    with pytest.raises(ValueError, match="topology must be one of .* got 'my'"):
        make("my", 5)


@pytest.mark.parametrize("names", [(), ("degree",), ("weights", "degree")])
def test_a_topology_receives_only_the_parameters_that_it_names(names, monkeypatch):
    received = {}

    def draw(n_units, rng, **parameters):
        received.update(parameters)
        return np.eye(n_units)

    monkeypatch.setitem(TOPOLOGIES, "my", Topology(draw, names))
    make("my", 3, degree=2, weights="normal")
    available = {"degree": 2, "weights": "normal"}
    assert received == {name: available[name] for name in names}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (Topology(ring_with_chords, ("weight",)), r"TOPOLOGIES\['my'\].parameters must be among"),
        (Topology(lambda n_units, rng: np.eye(n_units + 1)), "topology='my' must have shape"),
        (Topology(lambda n_units, rng: np.full((n_units, n_units), np.nan)), "must be finite"),
    ],
)
def test_a_wrong_row_of_the_table_is_named(row, message, monkeypatch):
    monkeypatch.setitem(TOPOLOGIES, "my", row)
    with pytest.raises(ValueError, match=message):
        make("my", 5)


@pytest.mark.parametrize("n_units", [None, 3])
def test_as_csr_names_the_matrix(n_units):
    assert np.array_equal(as_csr("W", GIVEN, n_units).toarray(), GIVEN)
    with pytest.raises(ValueError, match="W_hh must be a square matrix"):
        as_csr("W_hh", GIVEN[:2], n_units)


WRONG = [
    ("ring", 5, {}, ValueError, "topology must be one of .*'ring'"),
    (None, 5, {}, TypeError, "topology must be one of .* got None"),
    (
        "cycle",
        5,
        {"params": {"a": 1}},
        ValueError,
        r"topology_params of .*'cycle' .* \[\], got 'a'",
    ),
    ("cycle_jumps", 5, {"params": {"jump": 1}}, ValueError, "'jump_size', 'jump_weight'.* 'jump'"),
    ("cycle", 5, {"params": 3}, TypeError, "topology_params must be a dict or None, got 3"),
    (GIVEN, 3, {"params": {"a": 1}}, ValueError, "topology_params must be None for a given"),
    (3.5, 5, {}, TypeError, "topology must be one of .* got 3.5"),
    (GIVEN, 4, {}, ValueError, r"topology must have shape \(4, 4\), got \(3, 3\)"),
    (GIVEN[:2], 3, {}, ValueError, r"topology must be a square matrix, got shape \(2, 3\)"),
    ([[1.0], [1.0, 2.0]], 2, {}, ValueError, "topology must be a square matrix"),
    (GIVEN * 1j, 3, {}, ValueError, "topology must be a matrix of real numbers, got dtype complex"),
    (np.full((2, 2), "a"), 2, {}, ValueError, "topology must be a matrix of real numbers"),
    (GIVEN * np.nan, 3, {}, ValueError, "topology must be finite"),
    (
        np.full((2, 2), np.longdouble("1e400")),
        2,
        {},
        ValueError,
        "topology must be finite in float64",
    ),
    (lambda n, rng: GIVEN, 5, {}, ValueError, "returned by topology must have shape"),
    ("random", 0, {}, ValueError, "n_units must be .* got 0"),
    ("random", 2.5, {}, TypeError, "n_units must be .* got 2.5"),
    ("random", 5, {"degree": 0}, ValueError, "degree must be .* got 0"),
    ("random", 5, {"degree": "all"}, TypeError, "degree must be .* got 'all'"),
    ("random", 5, {"weights": "cauchy"}, ValueError, "weights must be one of .*'cauchy'"),
    ("cycle", 5, {"weights": "cauchy"}, ValueError, "weights must be one of .*'cauchy'"),
]


# NumPy before 1.24 warns of unequal rows, where later ones refuse them.
@pytest.mark.filterwarnings("ignore:Creating an ndarray from ragged nested sequences")
@pytest.mark.parametrize("topology, n_units, options, error, message", WRONG)
def test_wrong_calls_name_the_argument(topology, n_units, options, error, message):
    with pytest.raises(error, match=message):
        make(topology, n_units, **options)
