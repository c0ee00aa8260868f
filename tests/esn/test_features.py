"""Features of the readout: states of every step, or pooled over a sequence."""

import numpy as np
import pytest
from esn_models import both, coefficients, features, regressor, slow_answer
from sklearn.metrics import r2_score

from esnkit.esn._features import _pool


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


@pytest.fixture
def sequences():
    rng = np.random.default_rng(0)
    return [rng.normal(size=(n, 2)) for n in (3, 9, 4)]


def packed(sequences):
    return np.concatenate(sequences), np.cumsum([0, *map(len, sequences)])


@pytest.mark.parametrize("washout", [0, 2])
@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_pooling_reduces_every_sequence_to_a_row(pooling, washout, sequences):
    rows = _pool(*packed(sequences), pooling, washout)
    wanted = [X[-1] if pooling == "last" else X[washout:].mean(axis=0) for X in sequences]
    np.testing.assert_allclose(rows, wanted, rtol=1e-14)
