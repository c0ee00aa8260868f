import copy
import operator
import pickle

import joblib
import numpy as np
import pytest
import scipy.sparse as sp
from reference import reservoir_states
from sklearn.base import clone
from sklearn.preprocessing import StandardScaler

from esnkit import ESNRegressor, Reservoir
from esnkit.kernels.layouts import Csr, Diagonals, Ell, lay_out

DTYPES = [np.float64, np.float32]
both = pytest.mark.parametrize("dtype", DTYPES)


def uneven(n_units, rng):
    """Return a matrix that suits neither diagonals nor rows of equal length: it stays CSR."""
    W = rng.uniform(-1, 1, (n_units, n_units))
    W[1:][rng.random((n_units - 1, n_units)) < 0.95] = 0
    return W


KINDS = {
    "diagonals": Diagonals,
    "random": Ell,
    "dense": Diagonals,
    "cycle": Diagonals,
    uneven: Csr,
}
every_topology = pytest.mark.parametrize("topology", KINDS)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def X(rng):
    return rng.normal(size=(40, 3))


def reservoir(n_units=20, topology="diagonals", **params):
    params = {"degree": 4, "bias_scaling": 0.3, "leak_rate": 0.7, "random_state": 0} | params
    return Reservoir(n_units, topology=topology, **params)


def slow_states(fitted, X, **params):
    W, f = fitted.W_.toarray(), fitted.activation
    return reservoir_states(W, fitted.W_in_, fitted.b_, fitted.leak_rate_, f, X, **params)


def radius(W):
    return np.abs(np.linalg.eigvals(W.toarray())).max()


@every_topology
def test_each_topology_has_its_layout(topology, X):
    W = reservoir(topology=topology, degree=3).fit(X).W_
    assert isinstance(lay_out(W)[0], KINDS[topology])


@every_topology
@both
@pytest.mark.parametrize("n_units", [1, 2, 3, 20, 65])
def test_states_follow_the_equation(topology, dtype, n_units, X):
    X = X.astype(dtype)
    fitted = reservoir(n_units, topology, spectral_radius=0.8).fit(X)
    # The driven reservoir forgets, so that errors do not grow with time.
    limit = 2000 * np.finfo(dtype).eps
    np.testing.assert_allclose(fitted.transform(X), slow_states(fitted, X), rtol=0, atol=limit)


@pytest.mark.parametrize("activation", ["tanh", "identity", "relu", "sigmoid"])
def test_every_activation(activation, X):
    fitted = reservoir(activation=activation, spectral_radius=0.5).fit(X)
    np.testing.assert_allclose(fitted.transform(X), slow_states(fitted, X), rtol=1e-11, atol=1e-13)


@every_topology
@both
def test_two_halves_equal_the_whole_bit_for_bit(topology, dtype, X):
    X = X.astype(dtype)
    fitted = reservoir(topology=topology).fit(X)
    whole, end = fitted.transform(X, return_state=True)
    for cut in range(1, len(X)):
        head, middle = fitted.transform(X[:cut], return_state=True)
        tail, last = fitted.transform(X[cut:], initial_state=middle, return_state=True)
        assert np.array_equal(np.vstack([head, tail]), whole) and np.array_equal(last, end)


def test_two_halves_of_a_long_series_equal_the_whole(rng):
    X = rng.normal(size=(5000, 1))
    fitted = reservoir(10).fit(X)
    whole = fitted.transform(X)
    for cut in (1, 2047, 2048, 2049, 4097):
        head, middle = fitted.transform(X[:cut], return_state=True)
        tail = fitted.transform(X[cut:], initial_state=middle)
        assert np.array_equal(np.vstack([head, tail]), whole)


@every_topology
@both
def test_two_halves_of_a_batch_equal_the_whole(topology, dtype, rng):
    X = rng.normal(size=(70, 12, 2)).astype(dtype)
    fitted = reservoir(40, topology).fit(X)
    whole = fitted.transform(X)
    for cut in (1, 5, 11):
        head, middle = fitted.transform(X[:, :cut], return_state=True)
        tail = fitted.transform(X[:, cut:], initial_state=middle)
        assert np.array_equal(np.concatenate([head, tail], axis=1), whole)


@every_topology
@both
def test_a_sequence_alone_equals_itself_among_others_bit_for_bit(topology, dtype, rng):
    X = [rng.normal(size=(n, 2)).astype(dtype) for n in rng.integers(1, 20, 140)]
    fitted = reservoir(40, topology).fit(X)
    together, ends = fitted.transform(X, return_state=True)
    for one, states, end in zip(X, together, ends, strict=True):
        assert np.array_equal(fitted.transform(one), states)
        assert np.array_equal(states[-1], end)
    batch = np.stack([one[:5] for one in X if len(one) >= 5])
    shortened = [states[:5] for states in together if len(states) >= 5]
    assert np.array_equal(fitted.transform(batch), shortened)


def test_long_sequences_among_short_ones_are_as_if_alone(rng):
    X = [rng.normal(size=(n, 1)) for n in (3, 2500, 7, 2048, 2049, 1, 5000, 2)]
    fitted = reservoir(10).fit(X)
    for one, states in zip(X, fitted.transform(X), strict=True):
        assert np.array_equal(fitted.transform(one), states)


def test_states_of_all_kinds_start_a_run(X, rng):
    fitted = reservoir().fit(X)
    vector, each = rng.normal(size=20), rng.normal(size=(2, 20))
    batch = np.stack([X, -X])
    got = fitted.transform(X, initial_state=vector)
    np.testing.assert_allclose(got, slow_states(fitted, X, x0=vector), atol=1e-12)
    for s, states in enumerate(fitted.transform(batch, initial_state=each)):
        assert np.array_equal(states, fitted.transform(batch[s], initial_state=each[s]))
    partial = np.zeros(20)
    partial[[3, 17]] = 0.5, -0.5
    subset = fitted.transform(X, initial_state=([3, 17], [0.5, -0.5]))
    assert np.array_equal(subset, fitted.transform(X, initial_state=partial))


def test_a_clamp_holds_units_at_every_step(X, rng):
    fitted = reservoir().fit(X)
    rows = rng.normal(size=(len(X), 2))
    for values in (np.array([0.3, -0.2]), rows):
        states = fitted.transform(X, clamp=([4, 11], values))
        held = np.broadcast_to(values, rows.shape)
        assert np.array_equal(states[:, [4, 11]], held)
        wanted = slow_states(fitted, X, units=[4, 11], held=held)
        np.testing.assert_allclose(states, wanted, atol=1e-12)


def test_a_clamp_a_row_follows_blocks_and_sequences(rng):
    X = [rng.normal(size=(n, 1)) for n in (3, 5000, 2, 40)]
    fitted = reservoir(6).fit(X)
    rows = rng.normal(size=(5045, 1))
    states = np.vstack(fitted.transform(X, clamp=([2], rows)))
    apart = np.split(rows, np.cumsum([len(x) for x in X])[:-1])
    np.testing.assert_array_equal(np.vstack(fitted.transform(X, clamp=([2], apart))), states)
    assert np.array_equal(states[:, [2]], rows)


def test_leak_rates_as_a_vector_and_drawn_log_uniformly(X, rng):
    rates = rng.uniform(0.1, 1, 20)
    fitted = reservoir(leak_rate=rates).fit(X)
    assert np.array_equal(fitted.leak_rate_, rates)
    np.testing.assert_allclose(fitted.transform(X), slow_states(fitted, X), atol=1e-12)
    drawn = reservoir(4000, leak_rate=(0.001, 1.0), spectral_radius=None).fit(X).leak_rate_
    assert 0.001 <= drawn.min() and drawn.max() <= 1.0
    thirds = np.histogram(np.log10(drawn), [-3, -2, -1, 0])[0]
    assert np.all(np.abs(thirds - 4000 / 3) < 150), "as many rates in every decade"


def test_another_number_of_inputs_leaves_all_other_weights_alone(X):
    few, many = reservoir().fit(X[:, :1]), reservoir().fit(X)
    assert (few.W_ != many.W_).nnz == 0
    assert np.array_equal(few.W_in_, many.W_in_[:, :1])
    assert np.array_equal(few.b_, many.b_) and np.array_equal(few.leak_rate_, many.leak_rate_)


def test_streams_are_independent_of_each_others_settings(X):
    plain = reservoir().fit(X)
    for params in ({"bias_scaling": 1.0}, {"leak_rate": (0.1, 1)}, {"noise": 0.1}, {"degree": 2}):
        assert np.array_equal(reservoir(**params).fit(X).W_in_, plain.W_in_)
    changed = reservoir(input_density=0.5, leak_rate=(0.1, 1)).fit(X)
    assert (changed.W_ != plain.W_).nnz == 0 and np.array_equal(changed.b_, plain.b_)


def test_noise_is_added_while_training_only_and_can_be_repeated(X):
    noisy = reservoir(noise=0.1)
    training = noisy.fit_transform(X)
    assert np.array_equal(training, noisy.fit_transform(X))
    assert np.array_equal(noisy.transform(X), reservoir().fit(X).transform(X))
    first = training[0] - noisy.transform(X)[0]
    assert 0.03 < first.std() < 0.3
    assert not np.array_equal(training, reservoir(noise=0.1, random_state=1).fit_transform(X))


def test_noise_does_not_depend_on_how_rows_are_cut_into_blocks(rng):
    X = rng.normal(size=(5000, 1))
    params = {"noise": 0.1, "spectral_radius": 0.0, "leak_rate": 1.0, "topology": np.zeros((5, 5))}
    fitted = reservoir(5, **params | {"spectral_radius": None})
    added = fitted.fit_transform(X) - fitted.transform(X)
    assert len(np.unique(added[:, 0])) == 5000 and abs(added.std() - 0.1) < 0.005


def test_input_scaling_per_feature(X):
    scaling = np.array([0.0, 1.0, 3.0])
    W_in = reservoir(500, input_scaling=scaling, spectral_radius=None).fit(X).W_in_
    assert np.all(np.abs(W_in) <= scaling) and np.all(np.abs(W_in).max(axis=0) >= 0.95 * scaling)
    plain = reservoir(500, input_scaling=1.0, spectral_radius=None).fit(X).W_in_
    assert np.array_equal(W_in, plain * scaling)


@pytest.mark.parametrize("dtype, rtol", [("f8", 1e-9), ("f4", 1e-2)])
def test_auto_scaling_is_that_of_standardised_inputs(dtype, rtol, rng):
    X = (rng.normal([-40.0, 3e5, 7.0], [1e-2, 1e4, 0.0], (50, 3))).astype(dtype)
    Z = StandardScaler().fit_transform(X.astype("f8"))
    expected = reservoir(input_scaling=0.5).fit(Z).transform(Z)
    for given in (X, X.reshape(5, 10, 3), [X[:20], X[20:]]):
        auto = reservoir(input_scaling="auto").fit(given)
        np.testing.assert_allclose(auto.transform(X), expected, rtol=rtol, atol=rtol)
        np.testing.assert_allclose(auto.input_scale_, [*X.std(axis=0, dtype="f8")[:2], 1.0])
        np.testing.assert_allclose(auto.input_mean_, X.mean(axis=0, dtype="f8"))
    assert not hasattr(auto.set_params(input_scaling=0.5).fit(X), "input_scale_")


def test_auto_scaling_without_inputs_is_that_of_the_unit():
    drawn, plain = (reservoir(input_scaling=s).prepare(2) for s in ("auto", 0.5))
    assert np.array_equal(drawn.W_in_, plain.W_in_) and not hasattr(drawn, "input_scale_")
    with pytest.raises(
        ValueError, match=r"input_scaling / \(standard deviation of X\) must be fin"
    ):
        reservoir(input_scaling="auto").fit(np.array([[0.0], [1e-320]]))


def test_input_density_is_the_share_of_weights_that_are_not_zero(X):
    W_in = reservoir(200, input_density=0.3).fit(X).W_in_
    assert np.count_nonzero(W_in, axis=0).tolist() == [60, 60, 60]
    assert np.count_nonzero(reservoir(200, input_density=1e-9).fit(X).W_in_[:, 0]) == 1


def test_biases_are_within_their_scaling(X):
    b = reservoir(500, bias_scaling=0.2, spectral_radius=None).fit(X).b_
    assert 0.19 < np.abs(b).max() <= 0.2 and abs(b.mean()) < 0.02


def test_without_a_bias_all_biases_are_plain_zeros(X):
    b = reservoir(bias_scaling=0.0).fit(X).b_
    assert not b.any() and not np.signbit(b).any()


@every_topology
@both
def test_the_spectral_radius_is_reached(topology, dtype, X):
    W = reservoir(60, topology, spectral_radius=1.3).fit(X.astype(dtype)).W_
    assert radius(W) == pytest.approx(1.3, rel=1e-6)


def test_without_a_spectral_radius_weights_stay_as_given(X, rng):
    W = rng.normal(size=(20, 20))
    for given in (W, sp.csc_array(W), lambda n_units, rng: W):
        fitted = reservoir(topology=given, spectral_radius=None).fit(X)
        assert np.array_equal(fitted.W_.toarray(), W)
    scaled = reservoir(topology=W, spectral_radius=0.5).fit(X).W_.toarray()
    np.testing.assert_allclose(scaled / W, 0.5 / np.abs(np.linalg.eigvals(W)).max(), rtol=1e-6)


def test_a_given_matrix_is_left_alone(X, rng):
    W = sp.csr_array(rng.normal(size=(20, 20)))
    before = W.toarray()
    reservoir(topology=W).fit(X)
    assert np.array_equal(W.toarray(), before)


@pytest.mark.parametrize("weights", ["uniform", "normal", "bernoulli"])
@pytest.mark.parametrize("topology", ["diagonals", "random", "dense", "cycle", "orthogonal"])
@pytest.mark.parametrize("n_units", range(1, 7))
def test_every_seed_of_a_named_topology_reaches_the_spectral_radius(topology, weights, n_units):
    for seed in range(30 if weights == "bernoulli" else 4):  # these may cancel
        fitted = Reservoir(n_units, topology=topology, weights=weights, random_state=seed)
        assert radius(fitted.fit(np.zeros((1, 1))).W_) == pytest.approx(0.9, rel=1e-6)


def test_weights_that_cancel_are_drawn_again_at_any_size():
    # Two shifts n/2 apart make W a cycle of 2 x 2 blocks, half of which have rank one.
    for seed in range(100):
        Reservoir(30, degree=2, weights="bernoulli", random_state=seed).fit(np.zeros((1, 1)))


def test_a_given_matrix_is_not_drawn_again():
    calls = []

    def nilpotent(n_units, rng):
        calls.append(n_units)
        return np.eye(n_units, k=1)

    for topology in (nilpotent, np.eye(3, k=1)):
        with pytest.raises(ValueError, match="it is nilpotent"):
            Reservoir(3, topology=topology, weights="bernoulli").fit(np.zeros((1, 1)))
    assert calls == [3]


def test_float32_in_float32_out(X):
    X = X.astype(np.float32)
    fitted = reservoir().fit(X)
    for part in (fitted.W_.data, fitted.W_in_, fitted.b_, fitted.leak_rate_):
        assert part.dtype == np.float32
    assert fitted.transform(X).dtype == np.float32
    assert fitted.transform([X, X])[1].dtype == np.float32


def test_both_precisions_draw_the_same_reservoir(X):
    single, double = (reservoir().fit(X.astype(dtype)) for dtype in (np.float32, np.float64))
    assert np.array_equal(single.W_in_, double.W_in_.astype(np.float32))
    assert np.array_equal(single.W_.data, double.W_.data.astype(np.float32))


def test_twice_gives_the_same_twice(X):
    one, other = reservoir(noise=0.1), reservoir(noise=0.1)
    assert np.array_equal(one.fit_transform(X), other.fit_transform(X))
    before = joblib.hash(one)
    assert np.array_equal(one.transform(X), one.transform(X))
    assert joblib.hash(one) == before, "transform leaves the estimator as it was"


def test_states_come_back_in_the_container_that_came_in(X):
    fitted = reservoir().fit(X)
    assert fitted.transform(X).shape == (40, 20)
    assert fitted.transform(X.reshape(4, 10, 3)).shape == (4, 10, 20)
    assert [len(states) for states in fitted.transform([X[:3], X[:7]])] == [3, 7]


def test_read_only_inputs_are_read(X):
    X.setflags(write=False)
    assert reservoir().fit_transform(X).flags.writeable


def test_a_run_beyond_all_bounds_is_refused(rng):
    X = rng.normal(size=(3000, 1))
    growing = reservoir(activation="identity", spectral_radius=3.0)
    raised = pytest.raises(FloatingPointError, match="lower spectral_radius")
    with np.errstate(all="ignore"), raised:  # without the compiler NumPy warns on the way
        growing.fit_transform(X)


def test_a_list_of_two_leak_rates_is_a_range_unless_it_may_be_two_units(X):
    drawn = reservoir(leak_rate=[0.01, 1.0]).fit(X).leak_rate_
    assert np.array_equal(drawn, reservoir(leak_rate=(0.01, 1.0)).fit(X).leak_rate_)
    two = reservoir(2, leak_rate=[0.25, 0.75], degree=2).fit(X).leak_rate_
    assert two.tolist() == [0.25, 0.75]
    with pytest.raises(ValueError, match="pair"):
        reservoir(leak_rate=[1.0, 0.01]).fit(X)


def test_large_diagonals_are_banded():
    W = Reservoir(4096, random_state=0).fit(np.zeros((1, 1))).W_.tocoo()
    assert ((W.col - W.row) % 4096).max() < 4096 // 16
    W = Reservoir(4095, random_state=0).fit(np.zeros((1, 1))).W_.tocoo()
    assert ((W.col - W.row) % 4095).max() > 4095 // 16


WEIGHTS = ("W_in_", "b_", "leak_rate_")
SERIES = np.sin(np.arange(60) / 4)[:, None]


def fitted_reservoir():
    return Reservoir(20, leak_rate=0.7, topology="random", degree=3, random_state=0).fit(SERIES)


@pytest.mark.parametrize("name", [*WEIGHTS, "W_fb_"])
def test_weights_are_read_only(name):
    for reservoir in (fitted_reservoir(), pickle.loads(pickle.dumps(fitted_reservoir()))):
        with pytest.raises(ValueError, match=f"{name} is read-only.*assign .* reservoir.{name} = "):
            getattr(reservoir, name)[...] = 1.0
        with pytest.raises(ValueError, match=f"{name} is read-only"):
            setattr(reservoir, name, operator.imul(getattr(reservoir, name), 2))
    with pytest.raises(ValueError, match="W_ is read-only.*assign .* reservoir.W_ = "):
        reservoir.W_.data *= 0.5
    with pytest.raises(ValueError, match="W_ is read-only"):
        reservoir.W_ *= 0.5
    with pytest.raises(ValueError, match="W_ is read-only"):
        reservoir.W_[tuple(np.argwhere(reservoir.W_.toarray())[0])] = 1.0


def test_pickles_hold_ordinary_arrays():
    reservoir = fitted_reservoir()
    reservoir.b_ = np.zeros(20, np.float32)  # converted before it is pickled
    assert b"ReadOnlyWeights" not in pickle.dumps(reservoir)
    again = pickle.loads(pickle.dumps(reservoir))
    assert again.b_.dtype == np.float64
    assert np.array_equal(again.transform(SERIES), reservoir.transform(SERIES))


@pytest.mark.parametrize("name", ["n_state_", "n_features_out_"])
def test_the_number_of_units_cannot_be_assigned(name):
    reservoir = fitted_reservoir()
    setattr(reservoir, name, 3)
    with pytest.raises(ValueError, match="n_state_ and n_features_out_ must be 20"):
        reservoir.transform(SERIES)


def test_the_number_of_features_cannot_be_assigned():
    reservoir = fitted_reservoir()
    reservoir.n_features_in_ = 2
    with pytest.raises(ValueError, match="the 1 columns that W_fb_ and W_in_ have, got 2"):
        reservoir.transform(np.c_[SERIES, SERIES])


def test_a_matrix_that_was_given_stays_writable():
    W = sp.csr_array(0.5 * np.eye(4)[[1, 2, 3, 0]])
    reservoir = Reservoir(4, topology=W, spectral_radius=None, random_state=0).fit(SERIES)
    before = reservoir.transform(SERIES)
    W.data *= 0.0
    assert np.array_equal(reservoir.transform(SERIES), before) and reservoir.W_.data.all()


@pytest.mark.parametrize("name", [*WEIGHTS, "W_", "W_.data"])
def test_assigned_weights_take_effect_everywhere(name):
    reservoir, model = fitted_reservoir(), ESNRegressor(20, random_state=0).fit(SERIES, SERIES)
    copies = [clone(reservoir).fit(SERIES), copy.deepcopy(reservoir), copy.copy(reservoir)]
    before = reservoir.transform(SERIES)
    for part in (reservoir, model.reservoir_):
        attribute, _, data = name.partition(".")
        holder = getattr(part, attribute) if data else part
        setattr(holder, data or attribute, 0.5 * getattr(holder, data or attribute))
    W, W_in, b, a = (getattr(reservoir, k) for k in ("W_", "W_in_", "b_", "leak_rate_"))
    wanted = reservoir_states(W.toarray(), W_in, b, a, "tanh", SERIES, np.zeros(20))
    after = reservoir.transform(SERIES)
    np.testing.assert_allclose(after, wanted, rtol=1e-12)
    assert not np.allclose(after, before)
    assert np.array_equal(pickle.loads(pickle.dumps(reservoir)).transform(SERIES), after)
    assert np.array_equal(reservoir.transform(SERIES, return_state=True)[1][0], after[-1])
    assert np.array_equal(copies[0].transform(SERIES), before)
    assert np.array_equal(copies[1].transform(SERIES), before)
    rows = model.reservoir_.transform(SERIES)
    wanted = rows @ model.readout_.coef_[:, :20].T + SERIES @ model.readout_.coef_[:, 20:].T
    np.testing.assert_allclose(model.predict(SERIES), wanted + model.readout_.intercept_)


@pytest.mark.parametrize(("name", "value", "message"), [
    ("b_", np.zeros(19), r"b_ must have shape \(20,\), got \(19,\)"),
    ("W_in_", np.full((20, 1), np.nan), "W_in_"),
    ("b_", np.ma.masked_less(np.arange(20.0), 3), "b_ has masked values"),
    ("W_", np.eye(3), r"W_ must have shape \(20, 20\), got \(3, 3\)"),
    ("W_", np.ma.masked_less(np.eye(20), 1), "W_ has masked values"),
    ("W_", None, "W_ must be a square matrix"),
    ("W_", np.full((20, 20), np.inf), "W_ must be finite"),
    ("leak_rate_", np.full(20, 1.5), r"leak_rate_ must be in \(0, 1\]"),
])  # fmt: skip
def test_assigned_weights_that_do_not_fit_are_refused(name, value, message):
    reservoir = fitted_reservoir()
    setattr(reservoir, name, value)
    for _ in range(2):
        with pytest.raises(ValueError, match=message):
            reservoir.transform(SERIES)
        with pytest.raises(ValueError, match=message):
            pickle.dumps(reservoir)
