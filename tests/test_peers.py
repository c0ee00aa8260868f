"""Cases from the tests of other libraries, and the same numbers as theirs where they are installed.

The first line of a case names the library and its test: reservoirpy 0.4.2
(``tests/test_mat_gen.py``, ``nodes/tests/``), PyRCN, ReservoirComputing.jl
(``test/Layers/esncell_tests.jl``) and rclib (``tests/python/test_model.py``). The package of
OpenReservoirComputing is ``orc``. RLS and LMS of reservoirpy are in ``kernels/test_online.py``.
"""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge

from esnkit import (
    NVAR,
    ESNRegressor,
    IntrinsicPlasticityReservoir,
    Reservoir,
    RidgeReadout,
    RLSReadout,
    datasets,
)
from esnkit.reservoirs.topologies import make_topology

UNITS, INPUTS = 30, 3


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


W = np.where(normal(UNITS, UNITS, seed=1) > 1, normal(UNITS, UNITS), 0.0) / 3
W_IN, U = normal(UNITS, INPUTS, seed=2) / 2, normal(200, INPUTS, seed=3)


def given(bias=None, **params):
    """Return a reservoir with exactly these weights."""
    reservoir = Reservoir(
        UNITS, topology=W, spectral_radius=None, input_weights=W_IN, input_scaling=1.0,
        bias_scaling=0.0, **params,
    ).fit(U)  # fmt: skip
    if bias is not None:
        reservoir.b_ = bias
    return reservoir


def test_given_matrices_are_used_verbatim():
    """reservoirpy, test_reservoir_init_from_matrices."""
    reservoir = given()
    assert np.array_equal(reservoir.W_.toarray(), W) and np.array_equal(reservoir.W_in_, W_IN)
    assert reservoir.n_units == UNITS and not reservoir.b_.any()


@pytest.mark.parametrize("topology", ["diagonals", "random"])
@pytest.mark.parametrize("degree", [3, 23])
def test_degree_and_connectivity(topology, degree):
    """reservoirpy, test_random_sparse: degree connections into each of 50 units."""
    drawn = make_topology(topology, 50, np.random.default_rng(42), degree=degree)
    assert (np.diff(drawn.indptr) == degree).all()
    reservoir = Reservoir(50, input_density=0.1, random_state=0).fit(normal(2, 50))
    assert np.count_nonzero(reservoir.W_in_) == 250


@pytest.mark.parametrize("topology, factor", [("cycle", 2.0**10), ("delay_line", 0.0)])
def test_powers_of_a_ring_and_of_a_line(topology, factor):
    """reservoirpy, test_ring_matrix and test_line_matrix: ten steps around, or past the end."""
    ring = Reservoir(10, topology=topology, spectral_radius=2.0).fit(U).W_
    assert ring[1, 0] == 2.0 and ring[0, -1] == (2.0 if factor else 0.0)
    x = np.eye(10)[0]
    for _ in range(10):
        x = ring @ x
    assert np.array_equal(x, factor * np.eye(10)[0])


@pytest.mark.parametrize("rewiring", [0.0, 0.3])
@pytest.mark.parametrize("seed", range(5))
def test_degrees_of_a_small_world(seed, rewiring):
    """reservoirpy, test_small_world_matrix: no unit feeds itself, each receives two others."""
    drawn = make_topology(
        "small_world", 10, np.random.default_rng(seed), degree=2, params={"rewiring": rewiring}
    ).toarray()
    assert not np.diag(drawn).any() and (np.count_nonzero(drawn, axis=1) == 2).all()
    if rewiring == 0.0:
        assert (np.count_nonzero(drawn, axis=0) == 2).all()


def test_many_series_are_their_concatenation_to_a_readout():
    """reservoirpy, test_ridge_fit_multiseries."""
    y = normal(200, 2, seed=4)
    parts = [slice(0, 50), slice(50, 60), slice(60, 200)]
    model = ESNRegressor(UNITS, random_state=0, alpha=1e-6)
    model.fit([U[part] for part in parts], [y[part] for part in parts])
    rows = [np.hstack([model.reservoir_.transform(U[part]), U[part]]) for part in parts]
    readout = RidgeReadout(1e-6).fit(np.vstack(rows), y)
    expected = [readout.predict(part) for part in rows]
    found = model.predict([U[part] for part in parts])
    np.testing.assert_allclose(np.vstack(found), np.vstack(expected), rtol=0, atol=1e-10)


def test_incremental_ridge_is_that_of_scikit_learn():
    """PyRCN, test_compare_ridge: on the diabetes data, and one chunk after the other."""
    X, y = load_diabetes(return_X_y=True)
    expected = Ridge(alpha=0.01, solver="svd").fit(X, y)
    readout, recursive = RidgeReadout(0.01), RLSReadout(0.01)
    for rows in np.array_split(np.arange(len(X)), 7):
        readout.partial_fit(X[rows], y[rows])
        recursive.partial_fit(X[rows], y[rows])
    for model in (readout, recursive):
        np.testing.assert_allclose(model.coef_, expected.coef_, rtol=1e-9)
        np.testing.assert_allclose(model.intercept_, expected.intercept_, rtol=1e-9)


def test_without_penalty_ridge_is_least_squares():
    """ReservoirComputing.jl, StandardRidge(0.0), the default of its train."""
    X, y = normal(60, 8), normal(60, 2, seed=1)
    solution = np.linalg.lstsq(np.column_stack([X, np.ones(60)]), y, rcond=None)[0]
    readout = RidgeReadout(0.0).fit(X, y)
    np.testing.assert_allclose(readout.coef_.T, solution[:-1], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(readout.intercept_, solution[-1], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("update", ["leaky", "es2n", "residual"])
def test_a_scalar_leak_is_a_vector_of_equal_ones(update):
    """ReservoirComputing.jl, scalar vs vector leak equivalence."""
    scalar = given(update=update, leak_rate=0.3).transform(U)
    vector = given(update=update, leak_rate=np.full(UNITS, 0.3)).transform(U)
    assert np.array_equal(scalar, vector)


@pytest.mark.parametrize("chunks", [[3, 4], [6, 1], [1] * 7], ids=str)
def test_generating_in_chunks_is_generating_all_rows(chunks):
    """rclib, test_predict_generative_in_chunks_equals_one_call."""
    wave = np.sin(np.arange(300) / 4).reshape(-1, 1)
    model = ESNRegressor(UNITS, random_state=0).fit(wave[:-1], wave[1:])
    rows, state, parts = wave, None, []
    for n_steps in chunks:
        rows, state = model.generate(n_steps, rows, initial_state=state, return_state=True)
        parts.append(rows)
        rows = rows[-1:]
    assert np.array_equal(np.vstack(parts), model.generate(7, wave))


@pytest.mark.parametrize("activation", ["tanh", "identity", "relu", "sigmoid"])
@pytest.mark.parametrize("leak", [1.0, 0.3, np.linspace(0.1, 1.0, UNITS)], ids=["1", "0.3", "all"])
def test_states_are_those_of_reservoirpy(activation, leak):
    nodes = pytest.importorskip("reservoirpy.nodes")
    bias = normal(UNITS, seed=5)
    found = given(bias, leak_rate=leak, activation=activation).transform(U)
    peer = nodes.Reservoir(W=W, Win=W_IN, bias=bias, lr=leak, activation=activation)
    np.testing.assert_allclose(found, peer.run(U), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("proximity", [0.1, 0.9])
def test_es2n_states_are_those_of_reservoirpy(proximity):
    nodes = pytest.importorskip("reservoirpy.nodes")
    bias = normal(UNITS, seed=5)
    found = given(bias, update="es2n", leak_rate=proximity).transform(U)
    cycle = np.roll(np.eye(UNITS), 1, axis=0)
    peer = nodes.ES2N(W=W, Win=W_IN, O=cycle, bias=bias, proximity=proximity)
    np.testing.assert_allclose(found, peer.run(U), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("delays, spacing, order", [(1, 1, 2), (3, 1, 2), (2, 4, 3)])
def test_features_of_nvar_are_those_of_reservoirpy(delays, spacing, order):
    nodes = pytest.importorskip("reservoirpy.nodes")
    found = NVAR(delays, spacing=spacing, orders=(1, order)).fit_transform(U)
    expected = nodes.NVAR(delay=delays, strides=spacing, order=order).run(U)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("activation, mean, std", [("tanh", 0.1, 0.3), ("sigmoid", 0.2, 0.5)])
def test_intrinsic_plasticity_is_that_of_reservoirpy(activation, mean, std):
    nodes = pytest.importorskip("reservoirpy.nodes")
    inputs = U / 10  # of moderate size: gains start from one
    peer = nodes.IPReservoir(
        W=sp.csr_array(W), Win=W_IN, bias=np.zeros(UNITS), mu=mean, sigma=std, learning_rate=1e-3,
        epochs=3, activation=activation,
    ).fit(inputs)  # fmt: skip
    found = IntrinsicPlasticityReservoir(
        given(activation=activation), mean=mean, std=std, learning_rate=1e-3, n_epochs=3
    ).fit(inputs)
    np.testing.assert_allclose(found.gain_, peer.a, rtol=1e-12)
    np.testing.assert_allclose(found.reservoir_.b_, peer.b, rtol=1e-12, atol=1e-12)
    peer.reset()
    np.testing.assert_allclose(found.transform(inputs), peer.run(inputs), rtol=1e-12, atol=1e-12)


def test_ridge_is_that_of_reservoirpy():
    nodes = pytest.importorskip("reservoirpy.nodes")
    y = normal(200, 2, seed=4)
    peer, found = nodes.Ridge(ridge=0.1).fit(U, y), RidgeReadout(0.1).fit(U, y)
    np.testing.assert_allclose(found.coef_.T, peer.Wout, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found.intercept_, peer.bias, rtol=1e-12, atol=1e-12)


@pytest.mark.filterwarnings("ignore")
def test_states_are_those_of_orc():
    drivers = pytest.importorskip("orc.drivers")
    pytest.importorskip("jax").config.update("jax_enable_x64", True)
    driver = drivers.ESNDriver(UNITS, leak=0.4, density=0.2, bias=0.7, seed=0)
    weights = np.asarray(driver.wr.todense())[0]
    reservoir = given(np.full(UNITS, 0.7), leak_rate=0.4)
    reservoir.W_ = sp.csr_array(weights)
    state, expected = driver.default_state(), []
    for drive in U[:50] @ W_IN.T:
        state = driver.advance(drive, state)
        expected.append(np.asarray(state))
    found = reservoir.transform(U[:50])
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


START = [0.3, 0.2, 0.1]
EXACT = {"method": "DOP853", "rtol": 1e-13, "atol": 1e-13}
RING = 2 * np.pi * np.arange(64) / 64
SERIES = {
    "make_henon": ("henon_map", {"x0": START[:2]}, START[:2]),
    "make_logistic_map": ("logistic_map", {"r": 4.0, "x0": 0.3}, 0.3),
    "make_lorenz": ("lorenz", {"h": 0.01, "x0": START} | EXACT, START),
    "make_rossler": ("rossler", {"h": 0.1, "x0": START} | EXACT, START),
    "make_double_scroll": ("doublescroll", {"h": 0.25, "x0": START} | EXACT, START),
}


@pytest.mark.parametrize("name", SERIES)
def test_series_are_those_of_reservoirpy(name):
    peers = pytest.importorskip("reservoirpy.datasets")
    theirs, params, start = SERIES[name]
    found = getattr(datasets, name)(40, initial_state=start, n_discard=0)
    if "h" in params:  # its rows are h n / (n - 1) apart
        params = params | {"h": params["h"] * 39 / 40}
    expected = getattr(peers, theirs)(40, **params)
    np.testing.assert_allclose(found, expected.reshape(found.shape), rtol=0, atol=1e-9)


def test_the_kuramoto_sivashinsky_equation_is_that_of_reservoirpy():
    peers = pytest.importorskip("reservoirpy.datasets")
    field = np.cos(RING) + np.sin(3 * RING)
    params = {"N": 64, "M": 16, "x0": field, "h": 0.25}
    found = datasets.make_kuramoto_sivashinsky(
        40, length=32 * np.pi, dt=0.25, n_substeps=1, initial_state=field, n_discard=0
    )
    np.testing.assert_allclose(found, peers.kuramoto_sivashinsky(40, **params), rtol=0, atol=1e-9)


@pytest.mark.filterwarnings("ignore")
def test_predictions_of_quadratic_readouts_are_those_of_orc():
    readouts = pytest.importorskip("orc.readouts")
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    y = normal(200, 2, seed=4)
    model = ESNRegressor(UNITS, quadratic=True, include_input=False, random_state=0).fit(U, y)
    states = jax.numpy.asarray(model.reservoir_.transform(U[:20]))
    squares = np.asarray(readouts.QuadraticReadout(2, UNITS).nonlinear_transform(states))
    expected = squares @ model.readout_.coef_.T + model.readout_.intercept_
    np.testing.assert_allclose(model.predict(U[:20]), expected, rtol=1e-10, atol=1e-10)
