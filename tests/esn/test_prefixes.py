"""Probabilities of prefixes, against those of sequences that are cut."""

import warnings

import numpy as np
import pandas as pd
import pytest
from esn_models import classifier
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from third_party import MirroredSum

from esnkit import ReservoirClassifier, SequenceScaler
from esnkit.pooling import ModelSpace


def first_and_last(states):
    return np.r_[states[0], states[-1]]


POOLINGS = {
    "last": "last",
    "statistics": "statistics",
    "pyramid": "pyramid",
    "model_space": ModelSpace(3),
    "list": ["ppv", "quantiles"],
    "function": first_and_last,
}
LENGTHS = (30, 9, 14, 21, 9, 40, 11, 8)


def sequences_of(lengths, dtype=float):
    rng = np.random.default_rng(0)
    waves = [np.sin(np.arange(n)[:, None] / (2 + k % 3)) for k, n in enumerate(lengths)]
    return [(wave + 0.1 * rng.normal(size=(len(wave), 2))).astype(dtype) for wave in waves]


def model_of(X, **params):
    return classifier(**params).fit(X, np.arange(len(X)) % 3)


def cut_probabilities(model, X, lengths, **given):
    """Return the probabilities (n_sequences, n_steps, n_classes) of cut sequences."""
    table = np.broadcast_to(lengths, (len(X), np.shape(lengths)[-1]))
    columns = [
        model.predict_proba([x[:n] for x, n in zip(X, column, strict=True)], **given)
        for column in table.T
    ]
    return np.stack(columns, axis=1)


@pytest.mark.parametrize("pooling", POOLINGS.values(), ids=POOLINGS)
@settings(max_examples=3)
@given(
    dtype=st.sampled_from([np.float64, np.float32]),
    washout=st.sampled_from([0, 3]),
    include_input=st.booleans(),
    lengths=st.lists(st.integers(8, 25), min_size=3, max_size=6),
)
def test_probabilities_are_those_of_cut_sequences(pooling, dtype, washout, include_input, lengths):
    X = sequences_of(lengths, dtype)
    model = model_of(X, pooling=pooling, washout=washout, include_input=include_input)
    found = model.predict_proba(X, steps="all")
    n_missing = 0 if pooling == "last" else washout
    for x, rows in zip(X, found, strict=True):
        assert rows.shape == (len(x), 3) and rows.dtype == model.predict_proba(X).dtype
        assert np.isnan(rows[:n_missing]).all()
        wanted = model.predict_proba([x[: t + 1] for t in range(n_missing, len(x))])
        tolerance = 1e-10 if dtype == np.float64 else 2e-3
        np.testing.assert_allclose(rows[n_missing:], wanted, rtol=0, atol=tolerance)


@pytest.mark.parametrize("pooling", ["last", "statistics", ["ppv", "std"], "pyramid"], ids=str)
def test_the_last_step_has_the_bits_of_whole_sequences(pooling):
    X = sequences_of([12] * 6)
    model = model_of(X, pooling=pooling)
    found = model.predict_proba(X, steps=[12])
    np.testing.assert_array_equal(found[:, 0], model.predict_proba(X))


def test_initial_states_and_clamps_reach_the_prefixes():
    X, rng = sequences_of(LENGTHS), np.random.default_rng(1)
    model = model_of(X, pooling="mean")
    state = rng.normal(size=(len(X), 15))
    clamps = [rng.normal(size=(len(x), 2)) for x in X]
    found = model.predict_proba(
        X, steps="all", initial_state=state, clamp=(np.array([1, 4]), clamps)
    )
    for t in (1, 5, 8):
        cut = ([x[:t] for x in X], [values[:t] for values in clamps])
        given = {"initial_state": state, "clamp": (np.array([1, 4]), cut[1])}
        wanted = model.predict_proba(cut[0], **given)
        np.testing.assert_allclose([rows[t - 1] for rows in found], wanted, rtol=0, atol=1e-10)
    without = model.predict_proba(X, steps=[1])[:, 0]
    assert np.abs(without - [rows[0] for rows in found]).max() > 1e-3


def test_numbers_and_shares_of_steps_give_one_array():
    X = sequences_of(LENGTHS)
    model = model_of(X, pooling="mean", washout=2)
    found = model.predict_proba(X, steps=range(3, 9, 2))
    np.testing.assert_allclose(found, cut_probabilities(model, X, [3, 5, 7]), rtol=0, atol=1e-10)
    shares = np.array([0.1, 0.5, 1.0])
    found = model.predict_proba(X, steps=shares)
    lengths = np.rint(np.outer(LENGTHS, shares)).astype(int)
    is_missing = lengths <= 2
    assert is_missing.any() and np.array_equal(np.isnan(found).all(axis=2), is_missing)
    wanted = cut_probabilities(model, X, np.maximum(lengths, 3))
    np.testing.assert_allclose(found[~is_missing], wanted[~is_missing], rtol=0, atol=1e-10)
    assert np.isnan(model.predict_proba(X, steps=[1, 2])).all()


def test_the_container_of_all_steps_is_that_of_the_sequences():
    X = sequences_of([12] * 6)
    model = model_of(X, pooling="std")
    ragged = model.predict_proba(X, steps="all")
    batch = model.predict_proba(np.stack(X), steps="all")
    assert isinstance(ragged, list) and batch.shape == (6, 12, 3)
    np.testing.assert_array_equal(batch, ragged)
    frames = [pd.DataFrame(x) for x in X]
    np.testing.assert_array_equal(model.predict_proba(frames, steps="all"), ragged)
    series = model.predict_proba(X[0], steps="all")
    np.testing.assert_array_equal(series, ragged[0])
    assert model.predict_proba(X[0], steps=[4, 7]).shape == (1, 2, 3)


@pytest.mark.parametrize(("pooling", "washout"), [("statistics", 8500), ("pyramid", 20)])
def test_sequences_longer_than_a_block(pooling, washout):
    X = sequences_of([17_000, 9000, 9001])
    model = model_of(X, pooling=pooling, washout=washout)
    shares = [0.3, 0.45, 0.99, 1.0]
    found = model.predict_proba(X, steps=shares)
    lengths = np.rint(np.outer([len(x) for x in X], shares)).astype(int)
    is_missing = lengths <= washout
    assert np.array_equal(np.isnan(found).all(axis=2), is_missing)
    wanted = cut_probabilities(model, X, np.maximum(lengths, washout + 1))
    np.testing.assert_allclose(found[~is_missing], wanted[~is_missing], rtol=0, atol=1e-9)


def test_any_readout_and_a_pipeline_take_steps():
    X = sequences_of(LENGTHS)
    y = np.arange(len(X)) % 3
    model = classifier(pooling="mean", readout=LogisticRegression()).fit(X, y)
    found = model.predict_proba(X, steps=[4])
    np.testing.assert_allclose(found, cut_probabilities(model, X, [4]), rtol=0, atol=1e-10)
    pipeline = make_pipeline(SequenceScaler(), classifier(pooling="mean")).fit(X, y)
    found = pipeline.predict_proba(X, steps=[4])
    np.testing.assert_allclose(found, cut_probabilities(pipeline, X, [4]), rtol=0, atol=1e-10)


def test_prediction_changes_nothing():
    X = sequences_of(LENGTHS)
    model = model_of(X, pooling="model_space", verbose=0)
    before = model.predict_proba(X)
    model.predict_proba(X, steps="all")
    np.testing.assert_array_equal(model.predict_proba(X), before)


@pytest.mark.parametrize(
    "steps",
    ["each", True, 5, [], [0, 3], [3, 3], [5, 2], [0.0, 0.5], [0.5, 1.5], [np.nan, 1.0],
     [[1, 2]], ["a"], [True, False]],
    ids=str,
)  # fmt: skip
def test_wrong_steps_are_refused(steps):
    X = sequences_of(LENGTHS)
    with pytest.raises(ValueError, match="steps must be None, 'all', a list of ascending"):
        model_of(X, pooling="mean").predict_proba(X, steps=steps)


def test_what_has_no_prefixes_is_refused():
    X = sequences_of(LENGTHS)
    y = np.arange(len(X)) % 3
    with pytest.raises(ValueError, match=r"steps has 9 time steps, but X\[7\] has 8: give shares"):
        model_of(X, pooling="mean").predict_proba(X, steps=[9])
    per_step = classifier().fit(X, [np.full(len(x), k) for x, k in zip(X, y, strict=True)])
    with pytest.raises(ValueError, match="steps needs a model of one label for every sequence"):
        per_step.predict_proba(X, steps="all")
    both_ways = ReservoirClassifier(MirroredSum(), pooling="mean")
    with pytest.raises(ValueError, match="steps needs a causal reservoir"):
        both_ways.fit(X, y).predict_proba(X, steps="all")


def test_long_work_is_reported(capfd):
    X = np.zeros((5, 500, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of inputs that are all equal
        model = model_of(X, pooling="mean", verbose=1)
    capfd.readouterr()
    model.predict_proba(X, steps="all")
    assert "ESNClassifier.predict_proba done" in capfd.readouterr().err
