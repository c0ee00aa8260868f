import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
from processes import outputs_of
from reference import closed_loop, ridge_augmented, sequence_features
from sklearn.cross_decomposition import PLSRegression
from sklearn.ensemble import StackingRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier, RidgeCV
from sklearn.metrics import r2_score
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.neighbors import KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.svm import SVC, SVR, LinearSVC

from esnkit import (
    ESNClassifier,
    ESNRegressor,
    Forecaster,
    Reservoir,
    ReservoirClassifier,
    ReservoirRegressor,
)

DTYPES = [np.float64, np.float32]
both = pytest.mark.parametrize("dtype", DTYPES)
with_and_without_input = pytest.mark.parametrize("include_input", [True, False])
every_topology = pytest.mark.parametrize("topology", ["diagonals", "random", "dense", "cycle"])


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def X(rng):
    return rng.normal(size=(60, 2))


@pytest.fixture
def y(X):
    """A target with memory, two outputs."""
    return np.c_[X[:, 0] + np.roll(X[:, 1], 1), np.tanh(X[:, 0] * X[:, 1])]


@pytest.fixture
def ragged(rng):
    """More sequences than lanes, of unequal lengths."""
    return [rng.normal(size=(n, 2)) for n in rng.integers(1, 15, 70)]


def regressor(n_units=15, **params):
    params = {"degree": 4, "bias_scaling": 0.3, "alpha": 1e-3, "random_state": 0} | params
    return ESNRegressor(n_units, **params)


def classifier(n_units=15, **params):
    return ESNClassifier(n_units, degree=4, bias_scaling=0.3, random_state=0, **params)


def weights_of(model):
    r = model.reservoir_
    return r.W_.toarray(), np.hstack([r.W_fb_, r.W_in_]), r.b_, r.leak_rate_, r.activation


def features(model, sequences, pooling=None, **params):
    return sequence_features(*weights_of(model), sequences, pooling, **params)


def slow_answer(model, sequences, y, w=None, pooling=None, alpha=1e-3, **params):
    """Fit by augmented least squares on the features of a loop; return its answer to them."""
    Z = features(model, sequences, pooling, **params)
    coef, intercept = ridge_augmented(Z, y, alpha, np.ones(len(Z)) if w is None else w)
    return Z @ coef + intercept


def coefficients(model):
    return np.c_[model.readout_.coef_, model.readout_.intercept_]


# One container or another, one piece or two


@every_topology
@both
@with_and_without_input
def test_predict_in_two_halves_equals_the_whole_bit_for_bit(topology, dtype, include_input, X, y):
    X = X.astype(dtype)
    model = regressor(topology=topology, include_input=include_input).fit(X, y)
    whole, end = model.predict(X, return_state=True)
    assert whole.dtype == dtype
    for cut in range(1, len(X)):
        head, middle = model.predict(X[:cut], return_state=True)
        tail, last = model.predict(X[cut:], initial_state=middle, return_state=True)
        assert np.array_equal(np.vstack([head, tail]), whole) and np.array_equal(last, end)


@both
@with_and_without_input
def test_feedback_in_two_halves_equals_the_whole_bit_for_bit(dtype, include_input, X, y):
    X = X.astype(dtype)
    model = regressor(feedback=True, include_input=include_input).fit(X, y)
    whole, end = model.predict(X, return_state=True)
    for cut in range(1, len(X)):
        head, middle = model.predict(X[:cut], return_state=True)
        tail, last = model.predict(X[cut:], initial_state=middle, return_state=True)
        assert np.array_equal(np.vstack([head, tail]), whole) and np.array_equal(last, end)


@pytest.mark.parametrize("feedback", [False, True])
def test_batches_and_lists_in_two_halves_equal_the_whole(feedback, ragged, rng):
    long = [X for X in ragged if len(X) > 5]
    batch = np.stack([X[:6] for X in long])
    model = regressor(feedback=feedback).fit(batch, batch.cumsum(axis=1))
    for cut in range(1, 6):
        head, middle = model.predict(batch[:, :cut], return_state=True)
        tail = model.predict(batch[:, cut:], initial_state=middle)
        assert np.array_equal(np.concatenate([head, tail], axis=1), model.predict(batch))
        head, middle = model.predict([X[:cut] for X in long], return_state=True)
        tail = model.predict([X[cut:] for X in long], initial_state=middle)
        for a, z, whole in zip(head, tail, model.predict(long), strict=True):
            assert np.array_equal(np.vstack([a, z]), whole)


@both
@pytest.mark.parametrize("feedback", [False, True])
@pytest.mark.parametrize("topology", ["diagonals", "random"])
def test_a_sequence_alone_in_a_list_and_in_a_batch_bit_for_bit(topology, feedback, dtype, ragged):
    ragged = [X.astype(dtype) for X in ragged]
    model = regressor(topology=topology, feedback=feedback).fit(ragged, ragged)
    together = model.predict(ragged)
    for X, answer in zip(ragged, together, strict=True):
        assert np.array_equal(model.predict(X), answer)
        assert np.array_equal(model.predict(X[None])[0], answer)


def test_all_containers_fit_the_same_model(rng):
    batch = rng.normal(size=(40, 9, 2))
    models = [
        regressor(target="steps").fit(batch, batch),
        regressor(target="steps").fit(list(batch), list(batch)),
        regressor(target="steps").fit(list(batch), batch),
    ]
    for other in models[1:]:
        assert np.array_equal(coefficients(models[0]), coefficients(other))


@pytest.mark.parametrize("solver", ["gram", "qr"])
def test_the_order_of_sequences_does_not_matter(solver, ragged, rng):
    order = rng.permutation(len(ragged))
    shuffled = [ragged[i] for i in order]
    targets = [X.cumsum(axis=0) for X in ragged]
    model = regressor(solver=solver).fit(ragged, targets)
    answer = model.predict(ragged)
    for i, rows in zip(order, model.predict(shuffled), strict=True):
        assert np.array_equal(rows, answer[i])
    other = regressor(solver=solver).fit(shuffled, [targets[i] for i in order])
    np.testing.assert_allclose(coefficients(other), coefficients(model), rtol=1e-8, atol=1e-10)


THREADED = """
import hashlib
import numpy as np
from esnkit import ESNRegressor
rng = np.random.default_rng(0)
series = rng.normal(size=(5000, 2))
many = [rng.normal(size=(n, 2)) for n in rng.integers(1, 200, 100)]
digest = hashlib.sha256()
for topology in ("diagonals", "random"):
    for solver in ("gram", "qr"):
        for X in (series, many):
            model = ESNRegressor(40, topology=topology, solver=solver, alpha=1e-3, random_state=0)
            answer = model.fit(X, X).predict(X)
            digest.update(np.vstack(answer).tobytes())
model = ESNRegressor(40, random_state=0, target="sequence", pooling="mean")
model.fit(many, [X[-1] for X in many])
digest.update(model.predict(many).tobytes())
model = ESNRegressor(40, alpha=[1e-6, 1e-2], random_state=0).fit(series[:-1], series[1:])
digest.update(model.generate(50).tobytes())
print(digest.hexdigest())
"""


def test_one_thread_and_two_give_the_same_bytes():
    one, two = outputs_of(THREADED, *({"NUMBA_NUM_THREADS": n} for n in "12"))
    assert one == two


# Against the slow reference


@both
def test_one_series_against_the_reference(dtype, X, y):
    X = X.astype(dtype)
    model = regressor().fit(X, y)
    # Coefficients are rounded to the dtype of X.
    limit = 1e-9 if dtype == np.float64 else 2e-4
    np.testing.assert_allclose(model.predict(X), slow_answer(model, [X], y), rtol=0, atol=limit)


@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_pooled_targets_against_the_reference_for_short_and_long_sequences(pooling, rng):
    # Longer than a block of 2048 rows, exactly as long, two blocks, and short ones between.
    lengths = [3, 5000, 1, 2048, 2049, 40, 4096, 2, 2047]
    sequences = [rng.normal(size=(n, 2)) for n in lengths]
    y = rng.normal(size=(len(lengths), 3))
    model = regressor(5, target="sequence", pooling=pooling).fit(sequences, y)
    wanted = slow_answer(model, sequences, y, pooling=pooling)
    np.testing.assert_allclose(model.predict(sequences), wanted, rtol=0, atol=1e-9)
    for X, answer in zip(sequences, model.predict(sequences), strict=True):
        assert np.array_equal(model.predict(X[None])[0], answer)


@pytest.mark.parametrize(
    ("washout", "lengths"), [(3, [4, 20_000, 40, 9, 8193]), (9000, [9001, 20_000, 9500])]
)
def test_the_mean_of_a_sequence_starts_after_the_washout(washout, lengths, rng):
    sequences = [rng.normal(size=(n, 2)) for n in lengths]
    y = rng.normal(size=(len(lengths), 2))
    model = regressor(5, pooling="mean", washout=washout).fit(sequences, y)
    wanted = slow_answer(model, sequences, y, pooling="mean", washout=washout)
    np.testing.assert_allclose(model.predict(sequences), wanted, rtol=0, atol=1e-9)


def test_the_last_state_does_not_know_a_washout(ragged, rng):
    y = rng.normal(size=len(ragged))
    most = min(map(len, ragged)) - 1
    with_it, without = regressor(washout=most).fit(ragged, y), regressor().fit(ragged, y)
    np.testing.assert_array_equal(with_it.predict(ragged), without.predict(ragged))


def test_a_score_leaves_out_the_washout_unless_the_state_goes_on(X, y):
    model = regressor(washout=7).fit(X, y)
    answer = model.predict(X)
    assert model.score(X, y) == pytest.approx(r2_score(y[7:], answer[7:]), rel=1e-12)
    batch, targets = X[:30].reshape(3, 10, -1), y[:30].reshape(3, 10, -1)
    rows = [part[:, 7:].reshape(9, -1) for part in (targets, model.predict(batch))]
    wanted = r2_score(*rows)
    assert model.score(batch, targets) == pytest.approx(wanted, rel=1e-12)
    state = model.last_state_
    answer = model.predict(X, initial_state=state)
    assert model.score(X, y, initial_state=state) == pytest.approx(r2_score(y, answer), rel=1e-12)
    with pytest.raises(ValueError, match="washout=7 leaves no time step"):
        model.score(X[:7], y[:7])


@both
def test_the_mean_of_a_long_sequence_keeps_its_digits(dtype, rng):
    X = rng.normal(size=(1, 20_000, 1)).astype(dtype)
    short = rng.normal(size=(6, 8, 1)).astype(dtype)
    model = regressor(5, pooling="mean", alpha=1.0).fit(short, short[:, -1])
    Z = features(model, X, "mean")
    wanted = Z @ model.readout_.coef_.T + model.readout_.intercept_
    limit = 300 * np.finfo(dtype).eps
    np.testing.assert_allclose(model.predict(X), wanted, rtol=limit, atol=limit)


def test_targets_a_step_in_batches_and_lists_against_the_reference(ragged, rng):
    batch = rng.normal(size=(7, 9, 2))
    for sequences in (batch, ragged):
        targets = [X.cumsum(axis=0) for X in sequences]
        model = regressor().fit(sequences, targets)
        wanted = slow_answer(model, sequences, np.vstack(targets))
        np.testing.assert_allclose(np.vstack(model.predict(sequences)), wanted, rtol=0, atol=1e-8)


@pytest.mark.parametrize("form", ["series", "batch", "ragged"])
@pytest.mark.parametrize("n_outputs", [None, 1, 3])
def test_answers_have_the_container_and_shape_of_the_targets(form, n_outputs, rng):
    batch = rng.normal(size=(4, 6, 2))
    X = {"series": batch[0], "batch": batch, "ragged": list(batch)}[form]
    shape = (4, 6) if n_outputs is None else (4, 6, n_outputs)
    targets = rng.normal(size=shape)
    y = {"series": targets[0], "batch": targets, "ragged": list(targets)}[form]
    answer = regressor(target="steps").fit(X, y).predict(X)
    assert type(answer) is type(y) and np.shape(answer) == np.shape(y)


@pytest.mark.parametrize("shape", [(4,), (4, 1), (4, 3)])
def test_answers_a_sequence_have_the_shape_of_the_targets(shape, rng):
    batch, y = rng.normal(size=(4, 6, 2)), rng.normal(size=shape)
    for X in (batch, list(batch)):
        assert regressor().fit(X, y).predict(X).shape == shape


def test_shapes_that_could_mean_both_name_the_parameter(rng):
    batch, y = rng.normal(size=(4, 6, 2)), rng.normal(size=(4, 6))
    for X in (batch, list(batch)):
        with pytest.raises(ValueError, match="target"):
            regressor().fit(X, y)
        assert np.shape(regressor(target="steps").fit(X, y).predict(X)) == (4, 6)
        assert regressor(target="sequence").fit(X, y).predict(X).shape == (4, 6)


def test_one_target_for_one_series(rng):
    X = rng.normal(size=(9, 2))
    model = regressor(target="sequence").fit(X, [[1.0, 2.0]])
    np.testing.assert_allclose(model.predict(X), [[1, 2]])


@pytest.mark.parametrize("n_outputs", [None, 2])
def test_scores_are_over_all_rows_of_all_sequences(n_outputs, rng):
    batch = rng.normal(size=(5, 8, 2))
    y = rng.normal(size=(5, 8) if n_outputs is None else (5, 8, n_outputs))
    model = regressor(3, target="steps").fit(batch, y)
    rows, answer = y.reshape(40, -1), model.predict(batch).reshape(40, -1)
    wanted = 1 - ((rows - answer) ** 2).sum(axis=0) / ((rows - rows.mean(axis=0)) ** 2).sum(axis=0)
    for X, targets in ((batch, y), (list(batch), list(y)), (batch, y.tolist())):
        assert model.score(X, targets) == pytest.approx(wanted.mean())
    weights = rng.random(5)
    expected = model.score(batch, y, sample_weight=np.repeat(weights, 8))
    assert model.score(batch, y, sample_weight=weights) == pytest.approx(expected)


# The teaching signal


def ridge_rows(Z, y, w):
    """Return the coefficients of a ridge on the rows of weight above zero, the rest left out."""
    kept = w > 0
    coef, intercept = ridge_augmented(Z[kept], y[kept], 1e-3, w[kept])
    return np.c_[coef.T, intercept]


def assert_same_readout(got, wanted):
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-8)


def test_weights_a_row_against_the_reference(X, y, rng):
    w = rng.random(len(X)) * (rng.random(len(X)) < 0.7)
    model = regressor().fit(X, y, sample_weight=w)
    assert_same_readout(coefficients(model), ridge_rows(features(model, [X]), y, w))


def test_weights_a_row_and_output_against_the_reference(X, y, rng):
    w = rng.random(y.shape) * (rng.random(y.shape) < 0.7)
    model = regressor().fit(X, y, sample_weight=w)
    Z = features(model, [X])
    for o in range(2):
        wanted = ridge_rows(Z, y[:, [o]], w[:, o])
        assert_same_readout(coefficients(model)[[o]], wanted)


def test_weights_a_sequence_against_the_reference(ragged, rng):
    w = rng.random(len(ragged)) * (rng.random(len(ragged)) < 0.7)
    y = [X.cumsum(axis=0) for X in ragged]
    model = regressor().fit(ragged, y, sample_weight=w)
    rows = np.repeat(w, [len(X) for X in ragged])
    wanted = ridge_rows(features(model, ragged), np.vstack(y), rows)
    assert_same_readout(coefficients(model), wanted)
    y = rng.normal(size=(len(ragged), 2))
    model = regressor(target="sequence").fit(ragged, y, sample_weight=w)
    wanted = ridge_rows(features(model, ragged, "last"), y, w)
    assert_same_readout(coefficients(model), wanted)


def test_weights_come_in_the_container_of_the_targets(ragged, rng):
    y = [X.cumsum(axis=0) for X in ragged]
    w = [rng.random(len(X)) for X in ragged]
    one = regressor().fit(ragged, y, sample_weight=w)
    other = regressor().fit(ragged, y, sample_weight=np.concatenate(w))
    assert np.array_equal(coefficients(one), coefficients(other))
    batch = rng.normal(size=(5, 8, 2))
    w = rng.random((5, 8))
    one = regressor().fit(batch, batch, sample_weight=w)
    other = regressor().fit(batch, batch, sample_weight=w.ravel())
    assert np.array_equal(coefficients(one), coefficients(other))


@pytest.mark.parametrize("washout", [1, 7])
def test_washout_is_zeros_at_the_start_of_every_sequence(washout, ragged, X, y):
    w = np.r_[np.zeros(washout), np.ones(len(X) - washout)]
    one, other = regressor(washout=washout).fit(X, y), regressor().fit(X, y, sample_weight=w)
    assert np.array_equal(coefficients(one), coefficients(other))
    targets = [X.cumsum(axis=0) for X in ragged]
    w = [(np.arange(len(X)) >= washout) * 1.0 for X in ragged]
    one = regressor(washout=washout).fit(ragged, targets)
    other = regressor().fit(ragged, targets, sample_weight=w)
    assert np.array_equal(coefficients(one), coefficients(other))


def test_teaching_the_last_steps_only(ragged):
    targets = [X.cumsum(axis=0) for X in ragged]
    w = [(np.arange(len(X)) >= len(X) - 2) * 1.0 for X in ragged]
    model = regressor().fit(ragged, targets, sample_weight=w)
    wanted = ridge_rows(features(model, ragged), np.vstack(targets), np.concatenate(w))
    assert_same_readout(coefficients(model), wanted)


def test_weights_reach_a_readout_of_scikit_learn(X, y, rng):
    w = rng.random(len(X)) * (rng.random(len(X)) < 0.7)
    model = regressor(readout=Ridge(1e-3)).fit(X, y, sample_weight=w)
    assert_same_readout(coefficients(model), ridge_rows(features(model, [X]), y, w))


def test_a_readout_without_weights_takes_zeros_and_ones(X, y):
    model = regressor(readout=KNeighborsRegressor(3), washout=5).fit(X, y)
    Z = features(model, [X])
    alone = KNeighborsRegressor(3).fit(Z[5:], y[5:])
    np.testing.assert_allclose(model.predict(X), alone.predict(Z), atol=1e-10)
    with pytest.raises(ValueError, match="sample_weight: KNeighborsRegressor takes no weights"):
        model.fit(X, y, sample_weight=np.arange(60.0))


# States that are given


def test_initial_state_and_clamp_in_fit_and_predict(X, y, rng):
    x0 = rng.normal(size=15)
    model = regressor().fit(X, y, initial_state=x0)
    Z = features(model, [X], x0=x0)
    assert_same_readout(coefficients(model), ridge_rows(Z, y, np.ones(len(X))))
    rows = rng.normal(size=(len(X), 1))
    for values in ([0.7], rows):
        held = regressor().fit(X, y, clamp=([3], values))
        Z = np.c_[held.reservoir_.transform(X, clamp=([3], values)), X]
        assert_same_readout(coefficients(held), ridge_rows(Z, y, np.ones(len(X))))
        wanted = np.c_[Z, np.ones(len(X))] @ coefficients(held).T
        np.testing.assert_allclose(held.predict(X, clamp=([3], values)), wanted, atol=1e-11)


def test_a_clamp_holds_units_where_outputs_are_fed_back(X, y, rng):
    model = regressor(feedback=True).fit(X, y)
    rows = rng.normal(size=(2 * len(X), 15))
    answer = model.predict([X, -X], clamp=(np.arange(15), rows))
    # With all units held, an answer is the readout of them, of the one before and of X.
    coef, intercept = coefficients(model)[:, :-1], coefficients(model)[:, -1]
    for Z, u, got in zip(np.split(rows, 2), (X, -X), answer, strict=True):
        heard = np.vstack([np.zeros((1, 2)), got[:-1]])
        np.testing.assert_allclose(got, np.c_[Z, heard, u] @ coef.T + intercept, atol=1e-9)


def test_last_state_is_where_the_training_series_ended(X, y, rng):
    x0 = rng.normal(size=15)
    model = regressor().fit(X, y, initial_state=x0)
    _, end = model.predict(X, initial_state=x0, return_state=True)
    assert np.array_equal(model.last_state_, end)
    noisy = regressor(noise=0.1).fit(X, y, initial_state=x0)
    assert np.array_equal(noisy.last_state_, end)
    assert not hasattr(model.fit([X, X], [y, y]), "last_state_")


def test_the_reservoir_of_a_model_checks_its_inputs(X, y):
    model = regressor().fit(X, y)
    assert np.array_equal(model.reservoir_.transform(X)[-1:], model.last_state_)
    with pytest.raises(ValueError, match="X has 3 features"):
        model.reservoir_.transform(np.ones((5, 3)))


# The closed loop


@pytest.fixture
def wave():
    t = np.arange(300)
    return np.c_[np.sin(t / 5), np.cos(t / 7)]


@both
@with_and_without_input
@every_topology
def test_generating_in_two_goes_equals_one_bit_for_bit(topology, include_input, dtype, wave):
    wave = wave.astype(dtype)
    model = regressor(topology=topology, include_input=include_input).fit(wave[:-1], wave[1:])
    whole = model.generate(20, warmup=wave)
    assert whole.dtype == dtype
    for cut in range(1, 20):
        head, state = model.generate(cut, warmup=wave, return_state=True)
        tail = model.generate(20 - cut, warmup=head[-1:], initial_state=state)
        assert np.array_equal(np.vstack([head, tail]), whole)


@both
def test_generating_beside_given_inputs_in_two_goes_equals_one(dtype, wave, rng):
    beside = rng.normal(size=(320, 3)).astype(dtype)
    X = np.hstack([wave.astype(dtype), beside[:300]])
    model = regressor().fit(X[:-1], wave[1:])
    whole = model.generate(20, warmup=X, exog=beside[300:])
    for cut in range(1, 20):
        middle = 300 + cut
        head, state = model.generate(cut, X, exog=beside[300:middle], return_state=True)
        last = np.hstack([head[-1:], beside[middle - 1 : middle]])
        tail = model.generate(20 - cut, last, exog=beside[middle:], initial_state=state)
        assert np.array_equal(np.vstack([head, tail]), whole)


@both
def test_generating_with_feedback_in_two_goes_equals_one(dtype, wave, rng):
    X, y = rng.normal(size=(320, 1)).astype(dtype), wave.astype(dtype)
    model = regressor(feedback=True).fit(X[:300], y)
    whole = model.generate(20, exog=X[300:])
    assert np.array_equal(whole, model.generate(20, warmup=(X[:300], y), exog=X[300:]))
    for cut in range(1, 20):
        middle = 300 + cut
        head, state = model.generate(cut, exog=X[300:middle], return_state=True)
        tail = model.generate(20 - cut, exog=X[middle:], initial_state=state)
        assert np.array_equal(np.vstack([head, tail]), whole)


@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_without_a_warmup_the_training_series_goes_on(noise, wave):
    model = regressor(noise=noise).fit(wave[:-1], wave[1:])
    assert np.array_equal(model.generate(10), model.generate(10, warmup=wave))
    assert np.array_equal(model.generate(10), model.generate(10))


def test_the_first_row_is_the_prediction_after_the_warmup(wave):
    model = regressor().fit(wave[:-1], wave[1:])
    assert np.array_equal(model.generate(1, warmup=wave), model.predict(wave)[-1:])


@with_and_without_input
def test_generate_against_the_reference(include_input, wave, rng):
    beside = rng.normal(size=(312, 1))
    X = np.hstack([wave, beside[:300]])
    model = regressor(include_input=include_input).fit(X[:-1], wave[1:])
    first = model.predict(X)[-1]
    state = model.reservoir_.transform(X)[-1]
    wanted = closed_loop(
        *weights_of(model), model.readout_.coef_, model.readout_.intercept_,
        np.r_[first, 0.0], beside[300:311], state,
    )  # fmt: skip
    got = model.generate(12, warmup=X, exog=beside[300:])
    np.testing.assert_allclose(got, np.vstack([first, wanted]), rtol=0, atol=1e-7)


def test_feedback_is_teacher_forced_in_fit_and_runs_free_in_predict(X, y):
    model = regressor(feedback=True, feedback_scaling=0.5).fit(X, y)
    assert np.all(np.abs(model.reservoir_.W_fb_) <= 0.5)
    heard = np.vstack([np.zeros((1, 2)), y[:-1]])
    wanted = slow_answer(model, [np.hstack([heard, X])], y)
    Z = np.hstack([heard, X])
    states = model.reservoir_.transform(Z)
    got = np.c_[states, Z, np.ones(len(X))] @ coefficients(model).T
    np.testing.assert_allclose(got, wanted, atol=1e-8)
    free = closed_loop(
        *weights_of(model), model.readout_.coef_, model.readout_.intercept_, np.zeros(4), X,
        np.zeros(15),
    )  # fmt: skip
    np.testing.assert_allclose(model.predict(X), free, rtol=0, atol=1e-6)


def test_feedback_stays_within_a_sequence(ragged, rng):
    start = rng.normal(size=(len(ragged), 17))
    y = [X.cumsum(axis=0) for X in ragged]
    model = regressor(feedback=True).fit(ragged, y, initial_state=start)
    Z = []
    for X, Y, state in zip(ragged, y, start, strict=True):
        U = np.hstack([np.vstack([state[None, 15:], Y[:-1]]), X])
        Z.append(features(model, [U], x0=state[:15]))
    wanted = ridge_rows(np.vstack(Z), np.vstack(y), np.ones(sum(map(len, y))))
    assert_same_readout(coefficients(model), wanted)


def test_feedback_starts_from_given_outputs(X, y, rng):
    start = rng.normal(size=17)
    model = regressor(feedback=True).fit(X, y)
    free = closed_loop(
        *weights_of(model), model.readout_.coef_, model.readout_.intercept_,
        np.r_[start[15:], 0, 0], X, start[:15],
    )  # fmt: skip
    np.testing.assert_allclose(model.predict(X, initial_state=start), free, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m, s: m.generate(0), "n_steps"),
        (lambda m, s: m.generate(3, exog=np.ones((3, 1))), r"exog has shape \(3, 1\)"),
        (lambda m, s: m.generate(3, initial_state=m.last_state_), "initial_state needs a warmup"),
        (lambda m, s: m.generate(3, warmup=[s, s]), "warmup must be one series"),
        (lambda m, s: m.generate(3, warmup=s[:, :1]), "features"),
        (lambda m, s: m.fit([s, s], [s, s]).generate(3), "warmup is needed"),
        (lambda m, s: m.fit(s[:, :1], s).generate(3), "feeds 2 outputs back into 1 features"),
        (lambda m, s: m.fit(s, s[:, 0]).generate(3), "exog is needed"),
        (lambda m, s: m.fit([s, s], [1.0, 2.0]).generate(3), "target for every time step"),
    ],
)
def test_what_cannot_be_generated_is_refused(call, message, wave):
    with pytest.raises(ValueError, match=message):
        call(regressor().fit(wave[:-1], wave[1:]), wave)


def test_a_loop_that_diverges_is_refused():
    growing = 1.5 ** np.arange(30.0)[:, None]
    model = regressor(alpha=1e-9).fit(growing[:-1], growing[1:])
    with pytest.raises(FloatingPointError, match="the closed loop diverged after"):
        model.generate(5000)


# Readouts


def test_a_list_of_alphas_takes_the_best_of_them(X, y):
    alphas = [1e-6, 1e-2, 1.0, 100.0]
    model = regressor(alpha=alphas).fit(X, y)
    Z = features(model, [X])
    by_scikit_learn = RidgeCV(alphas).fit(Z, y).alpha_
    assert model.readout_.alpha_ == by_scikit_learn
    one = regressor(alpha=by_scikit_learn).fit(X, y)
    np.testing.assert_allclose(model.predict(X), one.predict(X), atol=1e-8)


@pytest.mark.parametrize("readout", [Ridge(1e-3), RidgeCV([1e-3, 1.0])])
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_a_linear_readout_of_scikit_learn(readout, n_outputs, X, y):
    y = y[:, :n_outputs]
    model = regressor(readout=readout).fit(X, y)
    alpha = getattr(model.readout_, "alpha_", 1e-3)
    wanted = slow_answer(model, [X], y, alpha=alpha)
    np.testing.assert_allclose(model.predict(X), wanted, atol=1e-7)
    assert model.predict(X).shape == y.shape
    assert not hasattr(readout, "coef_"), "the readout given is left as it was"


def test_a_linear_readout_of_scikit_learn_closes_the_loop(wave):
    ours = regressor().fit(wave[:-1], wave[1:])
    theirs = regressor(readout=Ridge(1e-3)).fit(wave[:-1], wave[1:])
    np.testing.assert_allclose(theirs.generate(5), ours.generate(5), atol=1e-6)


@pytest.mark.parametrize(
    "readout",
    [
        MLPRegressor(hidden_layer_sizes=5, max_iter=2000, tol=1e-2, random_state=0),
        PLSRegression(1),  # has coefficients, but another formula for its answer
        Ridge(1e-6),
    ],
    ids=lambda readout: type(readout).__name__,
)
@with_and_without_input
def test_any_readout_closes_the_loop_with_its_own_answers(readout, include_input, wave):
    model = regressor(readout=readout, include_input=include_input).fit(wave[:-1], wave[1:])
    rows = model.generate(4, warmup=wave)
    for k in range(4):
        heard = np.vstack([wave, rows[:k]])
        np.testing.assert_allclose(rows[k], model.predict(heard)[-1], rtol=1e-9, atol=1e-12)


def test_parameters_set_after_fit_wait_for_the_next_fit(wave):
    model = regressor(include_input=False).fit(wave[:-1], wave[1:])
    before = model.predict(wave)
    model.set_params(include_input=True, pooling="mean", washout=7, feedback=True)
    assert np.array_equal(model.predict(wave), before)


def test_one_unit_is_held_to_a_value_at_every_step(wave):
    values = np.linspace(-1, 1, len(wave))
    reservoir = Reservoir(9, degree=3, random_state=0).fit(wave)
    states = reservoir.transform(wave, clamp=([4], values))
    assert np.array_equal(states[:, 4], values)
    assert np.array_equal(states, reservoir.transform(wave, clamp=([4], values[:, None])))


def test_the_preset_and_the_general_core_are_one_model(X, y):
    parts = Reservoir(15, degree=4, bias_scaling=0.3, random_state=0), Ridge(1e-3)
    general = ReservoirRegressor(*parts).fit(X, y)
    preset = regressor(readout=Ridge(1e-3)).fit(X, y)
    assert np.array_equal(general.predict(X), preset.predict(X))


# Repetition


@pytest.mark.parametrize("params", [{}, {"feedback": True}, {"noise": 0.1}, {"alpha": [1e-3, 1.0]}])
def test_twice_gives_the_same_twice(params, X, y):
    model, other = regressor(**params).fit(X, y), regressor(**params).fit(X, y)
    before = joblib.hash(model)
    assert np.array_equal(model.predict(X), other.predict(X))
    assert np.array_equal(model.predict(X), model.predict(X))
    model.score(X, y)
    model.generate(3, exog=X[:3] if params.get("feedback") else None)
    assert joblib.hash(model) == before, "predict leaves the estimator as it was"
    assert np.array_equal(model.fit(X, y).predict(X), other.predict(X))


def test_fit_leaves_its_arguments_alone(X, y, rng):
    w, x0 = rng.random(len(X)), rng.normal(size=15)
    copies = [a.copy() for a in (X, y, w, x0)]
    model = regressor(washout=3).fit(X, y, sample_weight=w, initial_state=x0)
    model.predict(X, initial_state=x0)
    assert all(np.array_equal(a, b) for a, b in zip((X, y, w, x0), copies, strict=True))


def test_read_only_inputs_are_read(X, y):
    X.setflags(write=False)
    y.setflags(write=False)
    for feedback in (False, True):
        assert regressor(feedback=feedback).fit(X, y).predict(X).shape == y.shape


# Labels

LABELS = {
    "strings": ["slow", "fast", "still"],
    "integers": [3, -1, 7],
    "booleans": [True, False, True],
    "whole floats": [1.0, 2.0, 5.0],
    "objects": np.array(["a", "b", "ccc"], object),
}


@pytest.fixture
def kinds(rng):
    """Sequences of three kinds that differ in their mean, and the numbers of their kinds."""
    numbers = np.arange(30) % 3
    return [rng.normal(k, 0.1, (4 + i % 3, 2)) for i, k in enumerate(numbers)], numbers


@pytest.mark.parametrize("name", LABELS)
@pytest.mark.parametrize("readout", [None, Ridge(), LogisticRegression(), LinearSVC()])
def test_labels_come_back_as_they_went_in(name, readout, kinds):
    sequences, numbers = kinds
    labels = np.asarray(LABELS[name])[numbers]
    model = classifier(readout=readout).fit(sequences, labels)
    answer = model.predict(sequences)
    assert answer.dtype == labels.dtype and set(answer) <= set(labels)
    assert np.array_equal(model.classes_, np.unique(labels))
    assert model.score(sequences, labels) > 0.9
    per_step = [np.full(len(X), k, labels.dtype) for X, k in zip(sequences, labels, strict=True)]
    for rows in classifier(readout=readout).fit(sequences, per_step).predict(sequences):
        assert rows.dtype == labels.dtype


@pytest.mark.parametrize("dtype", ["Int64", "boolean", "string", "object"])
def test_labels_of_pandas_come_back_as_plain_ones(dtype, rng):
    large = [2**62 + 1, 2**62 + 3]  # which float64 cannot tell apart
    labels = {"Int64": large, "boolean": [True, False], "string": ["a", "b"], "object": large}
    X, numbers = rng.normal(size=(40, 2)), np.arange(40) % 2
    y = pd.Series([labels[dtype][k] for k in numbers], dtype=dtype)
    model = classifier().fit(X, y)
    assert model.classes_.tolist() == sorted(labels[dtype])
    assert set(model.predict(X).tolist()) <= set(labels[dtype])


def test_regressors_of_one_output_read_several(rng):
    X = rng.normal(size=(60, 2))
    weights = np.arange(59) % 3
    one = regressor(readout=SVR()).fit(X[:-1], X[1:, 0], sample_weight=weights)
    both = regressor(readout=SVR()).fit(X[:-1], X[1:], sample_weight=weights)
    np.testing.assert_allclose(both.predict(X)[:, 0], one.predict(X), rtol=1e-9)
    assert classifier(readout=SVR()).fit(X, X[:, 0] > 0).score(X, X[:, 0] > 0) > 0.8


def test_searches_and_frozen_readouts_stay_what_they_are(rng):
    X = rng.normal(size=(60, 2))
    searched = regressor(readout=GridSearchCV(Ridge(), {"alpha": [0.1, 1.0]})).fit(X[:-1], X[1:])
    assert searched.readout_.best_params_["alpha"] in (0.1, 1.0)
    states = np.hstack([searched.reservoir_.transform(X), X])
    frozen = FrozenEstimator(Ridge().fit(states[:-1], X[1:]))
    assert regressor(readout=frozen).fit(X[:-1], X[1:]).predict(X).shape == (60, 2)


def test_regressors_that_predict_only_once_fitted_read_states(rng):
    X = rng.normal(size=(60, 2))
    readout = StackingRegressor([("a", Ridge())], cv=2)
    assert regressor(readout=readout).fit(X, X[:, 0]).score(X, X[:, 0]) > 0.5
    assert Forecaster(readout, lags=2).fit(X[:, 0]).forecast(3).shape == (3,)


@pytest.mark.parametrize(
    ("readout", "n_classes"),
    [
        (SVC(decision_function_shape="ovo"), 3),
        (SVC(decision_function_shape="ovo"), 4),
        (FixedThresholdClassifier(LogisticRegression(), threshold=0.9), 2),
    ],
)
def test_labels_are_those_of_the_readout_itself(readout, n_classes, rng):
    X = rng.normal(size=(200, 2))
    labels = np.digitize(X.sum(axis=1), np.linspace(-1, 1, n_classes + 1)[1:-1])
    model = classifier(readout=readout).fit(X, labels)
    Z = np.hstack([model.reservoir_.transform(X), X])
    assert np.array_equal(model.predict(X), model.readout_.predict(Z))
    assert model.score(X, labels) > 0.5


@pytest.mark.parametrize("readout", [None, RidgeClassifier(), MLPClassifier(max_iter=3)])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_one_class_is_always_right(readout, rng):
    X = rng.normal(size=(30, 2))
    model = classifier(readout=readout).fit(X, ["a"] * 30)
    assert set(model.predict(X)) == {"a"} and np.all(model.predict_proba(X) == 1)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(
    "readout", [None, Ridge(), Ridge(fit_intercept=False), LogisticRegression(), RidgeClassifier()]
)
def test_probabilities_scores_and_labels_agree(n_classes, readout, kinds, rng):
    sequences, numbers = kinds
    model = classifier(readout=readout).fit(sequences, numbers % n_classes)
    unseen = [3 * rng.normal(size=(5, 2)) for _ in range(200)]
    answer, proba = model.predict(unseen), model.predict_proba(unseen)
    scores = model.decision_function(unseen)
    assert proba.shape == (200, n_classes) and np.all((proba >= 0) & (proba <= 1))
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-12)
    assert np.array_equal(model.classes_[proba.argmax(axis=1)], answer)
    if n_classes == 2:
        assert scores.shape == (200,)
        assert np.array_equal(model.classes_[(scores > 0).astype(int)], answer)
    else:
        assert np.array_equal(model.classes_[scores.argmax(axis=1)], answer)


def test_labels_a_step_in_every_container(rng):
    batch = rng.normal(size=(8, 6, 2))
    labels = np.where(batch[..., 0] > 0, "up", "down")
    for X, y in (
        (batch[0], labels[0]),
        (batch, labels),
        (batch, labels.tolist()),
        (list(batch), list(labels)),
        (list(batch), labels.tolist()),
        (list(batch), labels),
    ):
        model = classifier().fit(X, y)
        answer, proba = model.predict(X), model.predict_proba(X)
        assert type(answer) is type(X) and np.shape(answer) == np.shape(y)
        assert np.shape(proba) == (*np.shape(y), 2)
        assert model.score(X, y) > 0.9
    ragged = [X[: 2 + i % 3] for i, X in enumerate(batch)]
    model = classifier().fit(ragged, [y[: len(X)] for X, y in zip(ragged, labels, strict=True)])
    assert [len(rows) for rows in model.predict(ragged)] == [len(X) for X in ragged]


def test_labels_against_the_reference(kinds):
    sequences, numbers = kinds
    model = classifier(alpha=1e-3, pooling="mean").fit(sequences, numbers)
    scores = slow_answer(model, sequences, np.eye(3)[numbers], pooling="mean")
    np.testing.assert_allclose(model.decision_function(sequences), scores, atol=1e-9)
    assert np.array_equal(model.predict(sequences), scores.argmax(axis=1))


@pytest.mark.parametrize("class_weight", ["balanced", {0: 1.0, 1: 5.0, 2: 0.0}])
@pytest.mark.parametrize("readout", [None, LogisticRegression()])
def test_class_weights_are_weights_of_rows(class_weight, readout, kinds):
    sequences, numbers = kinds
    sequences, numbers = sequences[:20], numbers[:20]
    per_class = class_weight
    if class_weight == "balanced":
        per_class = {k: 20 / (3 * np.sum(numbers == k)) for k in range(3)}
    w = np.array([per_class[k] for k in numbers])
    one = classifier(class_weight=class_weight, readout=readout).fit(sequences, numbers)
    other = classifier(readout=readout).fit(sequences, numbers, sample_weight=w)
    np.testing.assert_allclose(
        one.predict_proba(sequences), other.predict_proba(sequences), atol=1e-10
    )
    both_ways = classifier(class_weight=class_weight).fit(sequences, numbers, sample_weight=w)
    squared = classifier().fit(sequences, numbers, sample_weight=w**2)
    np.testing.assert_allclose(
        both_ways.predict_proba(sequences), squared.predict_proba(sequences), atol=1e-10
    )


def test_the_score_of_labels_counts_rows(rng):
    batch = rng.normal(size=(5, 8, 2))
    labels = rng.integers(0, 2, (5, 8))
    model = classifier(3).fit(batch, labels)
    right = model.predict(batch) == labels
    assert model.score(batch, labels) == pytest.approx(right.mean())
    assert model.score(list(batch), list(labels)) == pytest.approx(right.mean())
    w = rng.random((5, 8))
    assert model.score(batch, labels, w) == pytest.approx(np.average(right, weights=w))


def test_the_preset_and_the_general_core_classify_alike(kinds):
    sequences, numbers = kinds
    parts = Reservoir(15, degree=4, bias_scaling=0.3, random_state=0), LogisticRegression()
    general = ReservoirClassifier(*parts).fit(sequences, numbers)
    preset = classifier(readout=LogisticRegression()).fit(sequences, numbers)
    assert np.array_equal(general.predict_proba(sequences), preset.predict_proba(sequences))


def test_numbers_are_no_labels_and_columns_are_no_labels(kinds):
    sequences, _ = kinds
    with pytest.raises(ValueError, match="Unknown label type"):
        classifier().fit(sequences, np.linspace(0, 1, 30))
    with pytest.raises(ValueError, match="1d array"):
        classifier().fit(sequences, np.ones((30, 2), int))


def test_labels_of_steps_may_have_an_axis_of_their_own(rng):
    X = rng.normal(size=(4, 6, 2))
    labels = np.where(X[..., :1] > 0, "up", "down")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = ESNClassifier(n_units=20, random_state=0).fit(X, labels)
    assert model.predict(X).shape == (4, 6)
