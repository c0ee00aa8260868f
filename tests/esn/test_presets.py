"""The presets: containers, bits, weights, and the general form."""

import inspect
import re

import joblib
import numpy as np
import pytest
from esn_models import (
    assert_same_readout,
    both,
    coefficients,
    every_topology,
    features,
    regressor,
    ridge_rows,
    slow_answer,
    with_and_without_input,
)
from sklearn.linear_model import Ridge

from esnkit import (
    ESNClassifier,
    ESNRegressor,
    Reservoir,
    ReservoirClassifier,
    ReservoirRegressor,
)
from esnkit.utils import _threads


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


def everything_predicted():
    """Yield predictions of every kind, of data that are long enough for two threads."""
    rng = np.random.default_rng(0)
    series = rng.normal(size=(5000, 2))
    many = [rng.normal(size=(n, 2)) for n in rng.integers(1, 200, 100)]
    for topology in ("diagonals", "random"):
        for solver in ("gram", "qr"):
            for X in (series, many):
                params = {"topology": topology, "solver": solver, "alpha": 1e-3}
                yield np.vstack(ESNRegressor(40, **params, random_state=0).fit(X, X).predict(X))
    model = ESNRegressor(40, random_state=0, target="sequence", pooling="mean")
    yield model.fit(many, [X[-1] for X in many]).predict(many)
    model = ESNRegressor(40, alpha=[1e-6, 1e-2], random_state=0)
    yield model.fit(series[:-1], series[1:]).generate(50)


def test_one_thread_and_two_give_the_same_bytes(monkeypatch):
    found = []
    for n in (1, 2):
        monkeypatch.setattr(_threads, "numba_threads", lambda n=n: n)
        monkeypatch.setattr(_threads._state, "blas_threads", lambda n=n: n)
        found.append([rows.tobytes() for rows in everything_predicted()])
    assert found[0] == found[1]


@both
def test_one_series_against_the_reference(dtype, X, y):
    X = X.astype(dtype)
    model = regressor().fit(X, y)
    # Coefficients are rounded to the dtype of X.
    limit = 1e-9 if dtype == np.float64 else 2e-4
    np.testing.assert_allclose(model.predict(X), slow_answer(model, [X], y), rtol=0, atol=limit)


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
    params = {"target": "sequence", "pooling": "last", "input_scaling": 0.5}
    model = regressor(**params).fit(ragged, y, sample_weight=w)
    wanted = ridge_rows(features(model, ragged, "last"), y, w, standardize=True)
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


def test_teaching_the_last_steps_only(ragged):
    targets = [X.cumsum(axis=0) for X in ragged]
    w = [(np.arange(len(X)) >= len(X) - 2) * 1.0 for X in ragged]
    model = regressor().fit(ragged, targets, sample_weight=w)
    wanted = ridge_rows(features(model, ragged), np.vstack(targets), np.concatenate(w))
    assert_same_readout(coefficients(model), wanted)


def test_the_reservoir_of_a_model_checks_its_inputs(X, y):
    model = regressor().fit(X, y)
    assert np.array_equal(model.reservoir_.transform(X)[-1:], model.last_state_)
    with pytest.raises(ValueError, match="X has 3 features"):
        model.reservoir_.transform(np.ones((5, 3)))


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


def descriptions_of(estimator):
    """Return what the docstring says of every parameter."""
    section = re.search(r"Parameters\n-+\n(.*?)\n\n\w+\n-+\n", inspect.getdoc(estimator), re.S)[1]
    found = re.findall(r"^(\w+) :.*?\n((?:    .*\n?)+)", section, re.M)
    return {name: " ".join(text.split()) for name, text in found}


def test_parameters_of_one_name_have_one_description():
    by_name = {}
    for estimator in (ESNRegressor, ESNClassifier, ReservoirRegressor, ReservoirClassifier):
        described = descriptions_of(estimator)
        assert list(described) == list(inspect.signature(estimator).parameters)
        for name, text in described.items():
            by_name.setdefault(name, set()).add(text)
    differ = {name for name, texts in by_name.items() if len(texts) > 1}
    # The size, the readout and its penalty differ by task, the seed by who draws.
    assert differ == {"n_units", "alpha", "readout", "random_state"}
