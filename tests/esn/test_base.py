"""Learning from a stream: chunks of a series, or more sequences, give what one fit gives."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LinearRegression, SGDClassifier, SGDRegressor
from third_party import LeastMeanSquares, TappedDelayLine

from esnkit import (
    ESNClassifier,
    ESNRegressor,
    Reservoir,
    ReservoirClassifier,
    ReservoirRegressor,
    RidgeReadout,
    RLSReadout,
)

CUTS = [0, 3, 40, 41, 150, 299]


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def series(rng):
    t = np.arange(300)[:, None]
    return np.sin(t / 5) + 0.3 * np.sin(t / 2) + 0.05 * rng.standard_normal((300, 1))


@pytest.fixture
def sequences(rng):
    return [rng.normal(size=(n, 2)) for n in rng.integers(4, 20, 12)]


def in_chunks(model, X, y, **params):
    for start, stop in zip(CUTS[:-1], CUTS[1:], strict=True):
        rows = slice(start, stop)
        chunk = {name: value[rows] for name, value in params.items()}
        model.partial_fit(X[rows], y[rows], **chunk)
    return model


def assert_same(streamed, whole, rtol=1e-8):
    np.testing.assert_allclose(streamed.readout_.coef_, whole.readout_.coef_, rtol=rtol, atol=1e-10)
    np.testing.assert_allclose(
        streamed.readout_.intercept_, whole.readout_.intercept_, rtol=rtol, atol=1e-10
    )


MODELS = {
    "plain": ESNRegressor(25, alpha=1e-2, random_state=0),
    "washout": ESNRegressor(25, alpha=1e-2, washout=45, random_state=0),
    "noise": ESNRegressor(25, alpha=1e-2, noise=0.05, random_state=0),
    "feedback": ESNRegressor(25, alpha=1e-2, feedback=True, random_state=0),
    "everything": ESNRegressor(
        25, alpha=1e-2, feedback=True, noise=0.05, washout=45, leak_rate=(0.1, 1), random_state=0
    ),
    "qr": ESNRegressor(25, alpha=1e-4, solver="qr", random_state=0),
    "tapped delay line": ReservoirRegressor(TappedDelayLine(), RidgeReadout(1e-2)),
    "least mean squares": ReservoirRegressor(Reservoir(9, random_state=0), LeastMeanSquares()),
}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_chunks_of_a_series_give_what_one_fit_gives(model, series):
    X, y = series[:-1], series[1:]
    whole, streamed = clone(model).fit(X, y), in_chunks(clone(model), X, y)
    assert_same(streamed, whole)
    np.testing.assert_allclose(streamed.last_state_, whole.last_state_, rtol=1e-12)
    exog = X[:4] if model.feedback else None
    np.testing.assert_allclose(
        streamed.generate(4, exog=exog), whole.generate(4, exog=exog), rtol=1e-6
    )


def test_weights_of_chunks_are_those_of_their_rows(series, rng):
    X, y, w = series[:-1], np.hstack([series[1:], series[1:] ** 2]), rng.random((299, 2))
    model = ESNRegressor(20, alpha=1e-2, washout=10, random_state=0)
    streamed = in_chunks(clone(model), X, y, sample_weight=w)
    assert_same(streamed, clone(model).fit(X, y, sample_weight=w))


@pytest.mark.parametrize("feedback", [False, True, "force"])
def test_a_chunk_without_weight_advances_the_state_and_teaches_nothing(feedback, series):
    X, y, w = series[:-1], series[1:], np.ones(299)
    w[:3] = w[40:150] = 0.0  # the first chunk, and two in the middle
    readout = RLSReadout(1e-2) if feedback == "force" else RidgeReadout(1e-2)
    model = ReservoirRegressor(Reservoir(5, random_state=0), readout, feedback=feedback)
    streamed = in_chunks(clone(model), X, y, sample_weight=w)
    whole = clone(model).fit(X, y, sample_weight=w)
    assert_same(streamed, whole)
    np.testing.assert_allclose(streamed.last_state_, whole.last_state_, rtol=1e-12)


def test_a_chunk_of_a_class_without_weight_teaches_nothing(series):
    X, y = series[:-1], np.where(np.arange(299) < 150, "known", "unknown")
    reservoir, weights = Reservoir(5, random_state=0), {"known": 1.0, "unknown": 0.0}
    model = ReservoirClassifier(reservoir, RidgeReadout(1e-2), class_weight=weights)
    streamed = clone(model)
    for start, stop in ((0, 200), (200, 299)):
        streamed.partial_fit(X[start:stop], y[start:stop], classes=["known", "unknown"])
    assert_same(streamed, clone(model).fit(X, y))
    with pytest.raises(ValueError, match="leave nothing to be taught"):
        clone(model).fit(X[150:], y[150:])


def test_sequences_each_start_from_zero(sequences):
    y = [x.cumsum(axis=0) for x in sequences]
    model = ESNRegressor(20, alpha=1e-2, washout=2, random_state=0)
    streamed = clone(model).partial_fit(sequences[:5], y[:5]).partial_fit(sequences[5:], y[5:])
    assert_same(streamed, clone(model).fit(sequences, y))
    assert not hasattr(streamed, "last_state_")


@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_one_target_a_sequence(pooling, sequences):
    y = np.array([x[0, 0] for x in sequences])
    model = ESNRegressor(20, input_scaling=0.5, alpha=1e-2, pooling=pooling, random_state=0)
    streamed = clone(model).partial_fit(sequences[:5], y[:5]).partial_fit(sequences[5:], y[5:])
    assert_same(streamed, clone(model).fit(sequences, y))


def test_an_initial_state_starts_another_series(series):
    X, y = series[:-1], series[1:]
    model = ESNRegressor(20, alpha=1e-2, washout=5, random_state=0)
    streamed = clone(model).partial_fit(X[:100], y[:100])
    streamed.partial_fit(X[100:], y[100:], initial_state=np.zeros(20))
    both = clone(model).fit([X[:100], X[100:]], [y[:100], y[100:]])
    assert_same(streamed, both)


def test_partial_fit_continues_after_fit(series):
    X, y = series[:-1], series[1:]
    model = ESNRegressor(20, alpha=1e-2, random_state=0)
    assert_same(clone(model).fit(X[:80], y[:80]).partial_fit(X[80:], y[80:]), model.fit(X, y))


def test_classes_that_come_later_are_announced(sequences):
    y = np.array(["a", "b", "c"])[np.arange(12) % 3]
    order = np.argsort(y, kind="stable")
    X, y = [sequences[i] for i in order], y[order]
    weights = {"a": 2.0, "b": 1.0, "c": 1.0}
    model = ESNClassifier(
        20, input_scaling=0.5, alpha=1e-2, pooling="mean", class_weight=weights, random_state=0
    )
    streamed = clone(model).partial_fit(X[:5], y[:5], classes=["c", "b", "a"])
    streamed.partial_fit(X[5:], y[5:])
    whole = clone(model).fit(X, y)
    assert_same(streamed, whole)
    assert streamed.classes_.tolist() == ["a", "b", "c"]
    order = [model.predict_proba(X).argsort(axis=1) for model in (streamed, whole)]
    np.testing.assert_array_equal(*order)  # the temperatures differ


def test_labels_must_be_those_of_the_first_call(sequences):
    model = ESNClassifier(10, alpha=1e-2, random_state=0)
    model.partial_fit(sequences[:2], ["a", "b"])
    with pytest.raises(ValueError, match="unseen before"):
        model.partial_fit(sequences[:2], ["a", "z"])
    with pytest.raises(ValueError, match="classes must be those of the first call"):
        model.partial_fit(sequences[:2], ["a", "b"], classes=["a", "z"])
    balanced = ESNClassifier(10, alpha=1e-2, class_weight="balanced")
    with pytest.raises(ValueError, match="balanced"):
        balanced.partial_fit(sequences[:2], ["a", "b"])


def test_readouts_of_scikit_learn_learn_from_a_stream(series, sequences):
    reservoir = Reservoir(15, random_state=0)
    regressor = ReservoirRegressor(reservoir, SGDRegressor(random_state=0))
    for _ in range(20):
        regressor.partial_fit(series[:-1], series[1:, 0], initial_state=np.zeros(15))
    assert regressor.score(series[:-1], series[1:, 0]) > 0.5
    y = np.array(["a", "b"])[np.arange(12) % 2]
    classifier = ReservoirClassifier(reservoir, SGDClassifier(random_state=0))
    classifier.partial_fit(sequences[:6], y[:6]).partial_fit(sequences[6:], y[6:])
    assert classifier.predict(sequences).shape == (12,)


@pytest.mark.parametrize(
    "model",
    [
        ESNRegressor(alpha=[1e-2, 1.0]),
        ESNRegressor(readout=LinearRegression()),
        ReservoirRegressor(readout=RidgeReadout([1e-2, 1.0])),
        ESNClassifier(alpha=[1e-2, 1.0]),
        ESNClassifier(readout=LinearRegression()),
    ],
)
def test_partial_fit_exists_only_where_the_readout_has_it(model):
    assert not hasattr(model, "partial_fit")
    assert hasattr(type(model)(), "partial_fit")


@pytest.mark.parametrize("Model", [ESNRegressor, ESNClassifier])
def test_targets_of_sequences_need_one_alpha_in_a_stream(Model, sequences):
    with pytest.raises(ValueError, match="alpha=None .* one target per sequence.* number"):
        Model(5).partial_fit(sequences[:4], [0, 1, 0, 1])


def test_an_error_leaves_the_model_as_it_was(series):
    X, y = series[:-1], series[1:]
    model = ESNRegressor(20, alpha=1e-2, random_state=0).partial_fit(X[:100], y[:100])
    before, state = model.readout_.coef_.copy(), model.last_state_
    for wrong in ((X[:50], y[:40]), (X[:50], np.hstack([y, y])[:50]), (X[:50] * np.nan, y[:50])):
        with pytest.raises(ValueError, match=r".+"):
            model.partial_fit(*wrong)
    assert np.array_equal(model.readout_.coef_, before) and model.last_state_ is state
    model.partial_fit(X[100:], y[100:])
    assert_same(model, ESNRegressor(20, alpha=1e-2, random_state=0).fit(X, y))


def test_chunks_within_the_washout_teach_nothing(series):
    model = ESNRegressor(20, alpha=1e-2, washout=50, random_state=0)
    model.partial_fit(series[:30], series[1:31])
    model.partial_fit(series[30:200], series[31:201])
    whole = clone(model).fit(series[:200], series[1:201])
    assert_same(model, whole)


def test_single_precision_stays(series):
    X = series.astype(np.float32)
    model = ESNRegressor(20, alpha=1e-2, random_state=0).partial_fit(X[:100], X[1:101])
    assert model.partial_fit(X[100:-1], X[101:]).predict(X).dtype == np.float32


@pytest.mark.parametrize("call", ["fit", "partial_fit"])
def test_a_misspelt_keyword_is_refused(call, series):
    with pytest.raises(TypeError, match="sample_weights"):
        getattr(ESNRegressor(10), call)(series[:-1], series[1:], sample_weights=None)


def test_feedback_has_weights_and_a_scaling_of_its_own(series):
    u, y = np.cos(np.arange(300))[:, None], series
    scaling = np.array([0.1])
    model = ESNRegressor(
        20, input_scaling=scaling, feedback=True, feedback_scaling=3.0, random_state=0
    ).fit(u, y)
    reservoir = model.reservoir_
    assert reservoir.W_fb_.shape == reservoir.W_in_.shape == (20, 1)
    assert 1.0 < np.abs(reservoir.W_fb_).max() <= 3.0 and np.abs(reservoir.W_in_).max() <= 0.1
    assert reservoir.input_scaling is scaling, "parameters of a fitted part stay as they are"
    other = clone(model).set_params(feedback_scaling=1.5).fit(u, y).reservoir_
    np.testing.assert_allclose(other.W_fb_, reservoir.W_fb_ / 2)
    assert np.array_equal(other.W_in_, reservoir.W_in_)


def test_auto_scaling_serves_any_unit_in_fits_streams_and_closed_loops(series):
    plain = ESNRegressor(25, input_scaling="auto", include_input=False, alpha=1e-4, random_state=0)
    scaled = 1e6 * series - 3e7
    model, other = clone(plain).fit(series[:-1], series[1:]), clone(plain)
    other.fit(scaled[:-1], series[1:])
    np.testing.assert_allclose(other.predict(scaled), model.predict(series), atol=1e-6)
    looped = clone(plain).fit(scaled[:-1], scaled[1:])
    expected = 1e6 * model.generate(10) - 3e7
    np.testing.assert_allclose(looped.generate(10), expected, rtol=0, atol=10.0)
    streamed = in_chunks(clone(plain), scaled[:-1], series[1:])
    first = streamed.reservoir_
    np.testing.assert_allclose(first.input_scale_, scaled[: CUTS[1]].std(axis=0))
    np.testing.assert_allclose(first.input_mean_, scaled[: CUTS[1]].mean(axis=0))


def test_auto_scaling_leaves_feedback_alone(series):
    u = 1e3 * np.cos(np.arange(300))[:, None]
    params = {"feedback": True, "random_state": 0}
    auto, plain = (
        ESNRegressor(20, input_scaling=s, **params).fit(u, series).reservoir_ for s in ("auto", 0.5)
    )
    assert np.array_equal(auto.W_fb_, plain.W_fb_)
    np.testing.assert_allclose(auto.W_in_, plain.W_in_ / u.std())
