"""Closed loops and feedback: two runs equal one, and both equal the equations."""

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
    weights_of,
    with_and_without_input,
)
from reference import closed_loop, recursive_least_squares
from sklearn.cross_decomposition import PLSRegression
from sklearn.linear_model import Ridge, SGDRegressor
from sklearn.neural_network import MLPRegressor

from esnkit import NVAR, ESNRegressor, ReservoirRegressor, RidgeReadout
from esnkit.datasets import make_lorenz
from esnkit.readouts import LMSReadout, RLSReadout


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


def slow_force(model, y, n_steps):
    """Return coefficients, intercept and last output of FORCE, by equations and batch solutions."""
    r, W = model.reservoir_, model.reservoir_.W_.toarray()
    x, output, rows = np.zeros(len(W)), 0.0, []
    for t in range(n_steps):
        pre = W @ x + r.W_fb_[:, 0] * output + r.b_
        x = (1 - r.leak_rate_) * x + r.leak_rate_ * np.tanh(pre)
        output = 0.0
        if t > 0:
            coef, intercept = recursive_least_squares(
                np.array(rows), y[:t, None], np.ones(t), 1.0, model.readout_.alpha
            )
            output = coef[0] @ x + intercept[0]
        rows.append(x)
    return output


def force(n_units=60, alpha=0.1, forgetting=1.0, **params):
    params = {"spectral_radius": 1.2, "leak_rate": 0.3, "include_input": False} | params
    readout = RLSReadout(alpha, forgetting=forgetting)
    return ESNRegressor(n_units, feedback="force", readout=readout, random_state=0, **params)


def four_sines(n_steps, period=120):
    t = 2 * np.pi * np.arange(n_steps) / period
    return np.sin(t) + 0.5 * np.sin(2 * t) + 0.25 * np.sin(3 * t) + 0.4 * np.sin(4 * t)


def nothing(n_steps):
    return np.zeros((n_steps, 1))


def test_force_feeds_the_outputs_back_that_the_readout_gives_while_it_learns():
    y = four_sines(40)
    model = force(8).fit(nothing(40), y)
    np.testing.assert_allclose(model.last_state_[0, -1], slow_force(model, y, 40), rtol=1e-6)
    assert abs(model.last_state_[0, -1] - y[-1]) > 1e-6


def test_force_in_chunks_is_force_at_once():
    y = four_sines(90)
    whole = force(noise=1e-3, washout=10).fit(nothing(90), y)
    parts = force(noise=1e-3, washout=10)
    for start in range(0, 90, 25):
        parts.partial_fit(nothing(90)[start : start + 25], y[start : start + 25])
    assert np.array_equal(parts.readout_.coef_, whole.readout_.coef_)
    assert np.array_equal(parts.last_state_, whole.last_state_)


def test_force_runs_several_sequences_from_zero_and_leaves_out_rows_of_weight_zero():
    y = np.stack([four_sines(50), four_sines(50)[::-1]])[:, :, None]
    X, w = np.zeros((2, 50, 1)), np.arange(100).reshape(2, 50) % 2
    model = force().fit(X, y, sample_weight=w)
    again = force().partial_fit(X[0], y[0], sample_weight=w[0])
    again.partial_fit(X[1], y[1], sample_weight=w[1], initial_state=np.zeros(61))
    assert np.array_equal(model.readout_.coef_, again.readout_.coef_)
    y[w == 0] = 99.0
    assert np.array_equal(model.readout_.coef_, force().fit(X, y, sample_weight=w).readout_.coef_)


def test_force_learns_a_sum_of_four_sines_and_runs_free():
    y = four_sines(3000)
    model = force(200, 0.01, spectral_radius=1.5, bias_scaling=0.0).fit(nothing(2400), y[:2400])
    free = model.generate(600, exog=nothing(600))[:, 0]
    assert np.sqrt(np.mean((free - y[2400:]) ** 2)) < 0.05 * y.std()


def test_force_learns_a_channel_of_lorenz_and_runs_free():
    x = make_lorenz(7600)[:, 0] / 8.0
    model = force(300, 1e-6, 0.999).fit(nothing(5600), x[:5600])
    free = model.generate(2000, exog=nothing(2000))[:, 0]
    assert abs(free - x[5600:])[:100].max() < 0.3  # one Lyapunov time
    assert 0.85 < free.std() / x.std() < 1.15 and abs(free).max() < 1.2 * abs(x).max()
    assert np.count_nonzero(np.diff(np.sign(free))) > 8  # it changes between the two lobes


def test_force_takes_an_online_regressor_of_scikit_learn():
    y = four_sines(300)
    readout = SGDRegressor(learning_rate="constant", eta0=0.05, random_state=0)
    model = force().set_params(readout=readout).fit(nothing(300), y)
    assert np.isfinite(model.last_state_).all() and model.readout_.t_ == 301


def test_force_needs_a_readout_that_learns_row_by_row():
    with pytest.raises(ValueError, match='feedback="force" needs a readout that learns row by row'):
        force().set_params(readout=Ridge()).fit(nothing(9), four_sines(9))


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_force_that_diverges_says_so_and_learns_nothing(dtype):
    model = (
        force().set_params(readout=LMSReadout(0.5)).fit(nothing(50).astype(dtype), four_sines(50))
    )
    model.readout_.set_params(step_size=50.0)
    before = model.readout_.coef_.copy()
    with pytest.raises(FloatingPointError, match=r'feedback="force" diverged after \d+ steps: use'):
        model.partial_fit(nothing(300).astype(dtype), four_sines(300))
    assert np.array_equal(model.readout_.coef_, before)


def test_a_loop_of_single_steps_that_diverges_raises_and_does_not_warn():
    x = 1.01 ** np.arange(100.0).reshape(-1, 1)
    model = ReservoirRegressor(NVAR(1, orders=3), RidgeReadout(1e-9), include_input=False)
    model.fit(x[:-1], x[1:] ** 3)
    with pytest.raises(FloatingPointError, match="diverge"):
        model.generate(30, warmup=10 * x)
