"""`partial_fit` and `merge` change a readout whole or not at all, and equal one `fit`."""

import pickle
import signal
import warnings
from copy import deepcopy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from interrupts import Interrupt
from numpy.testing import assert_allclose, assert_array_equal
from ridge_problems import assert_same_model, data

import esnkit
from esnkit import ESNClassifier, ESNRegressor, Forecaster
from esnkit.readouts import RidgeReadout, _ridge
from esnkit.readouts._least_squares import MODERATE_VALUE, MODERATE_WEIGHT
from esnkit.readouts._ridge import MAX_WAITING_ROWS, MIN_ROWS_TO_ADD

SOLVERS = ["auto", "gram", "qr"]
PARTS = ("readouts", "esn", "forecasting", "utils/_roll")

seeds = st.integers(0, 2**32 - 1)
solvers = st.sampled_from(SOLVERS)


def moments(model, change, request, few):
    """Return at which lines of a change to interrupt it: some of them, all with --fuzz."""
    with Interrupt(0, PARTS) as counted:
        change(model)
    every = max(1, counted.n_lines // few)
    return range(1, counted.n_lines + 1, 1 if request.config.getoption("--fuzz") else every)


def assert_changes_whole_or_not_at_all(make, change, outputs, request, few=15):
    """Interrupt `change` of what `make` returns at many moments, and then repeat it."""
    before, changed = outputs(make()), make()
    change(changed)
    after, n_interrupted = outputs(changed), 0
    for k in moments(make(), change, request, few):
        model = make()
        try:
            with Interrupt(k, PARTS):  # it may come too late: other threads execute some lines
                change(model)
        except KeyboardInterrupt:
            n_interrupted += 1
            assert_array_equal(outputs(deepcopy(model)), before)
            change(model)
        assert_array_equal(outputs(model), after)
    assert n_interrupted > few / 2


def coefficients(model):
    return np.append(model.coef_, model.intercept_) if hasattr(model, "coef_") else []


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("n_before", [0, 7, 300])
@pytest.mark.parametrize("n_rows", [1, 300])
def test_an_interrupted_call_counts_no_row(solver, n_before, n_rows, request):
    X, Y = data(600, 5)

    def make():
        model = RidgeReadout(1e-3, solver=solver)
        if n_before:
            model.partial_fit(X[:n_before], Y[:n_before])
            model.partial_fit(X[300:303], Y[300:303])
        return model

    def change(model):
        model.partial_fit(X[-n_rows:], Y[-n_rows:])

    assert_changes_whole_or_not_at_all(make, change, coefficients, request)


@pytest.mark.parametrize("solvers", [("gram", "gram"), ("qr", "gram"), ("gram", "qr")])
def test_an_interrupted_merge_counts_no_row(solvers, request):
    X, Y = data(600, 5)
    other = RidgeReadout(1e-3, solver=solvers[1]).partial_fit(X[:300], Y[:300])
    other.partial_fit(X[:2], Y[:2])
    expected = other.coef_

    def make():
        model = RidgeReadout(1e-3, solver=solvers[0]).partial_fit(X[300:], Y[300:])
        return model.partial_fit(X[2:4], Y[2:4])

    assert_changes_whole_or_not_at_all(make, lambda m: m.merge(other), coefficients, request)
    assert_array_equal(other.coef_, expected)


@pytest.mark.parametrize("call", ["add_gram", "add_orthogonal"])
@pytest.mark.parametrize("k", range(1, 11, 3))
def test_an_error_in_a_thread_counts_no_row(call, k, monkeypatch):
    solver = "gram" if call == "add_gram" else "qr"
    X, Y = data(9000, 5)
    model, whole = (RidgeReadout(solver=solver).partial_fit(X[:500], Y[:500]) for _ in "ab")
    calls, module = [], esnkit.readouts._least_squares
    add = getattr(module, call)

    def failing(*arguments, **parameters):
        calls.append(1)
        if len(calls) == k:
            raise MemoryError
        return add(*arguments, **parameters)

    with monkeypatch.context() as patch, pytest.raises(MemoryError):
        patch.setattr(module, call, failing)
        model.partial_fit(X[500:], Y[500:])
    for each in (model, whole):
        each.partial_fit(X[500:], Y[500:])
    assert_array_equal(model.coef_, whole.coef_)


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("kind", ["regressor", "noisy", "classifier"])
def test_an_interrupted_call_leaves_an_estimator_as_it_was(kind, first, request):
    s = np.sin(np.arange(400) / 3)[:, None]
    target = s[:, 0] > 0 if kind == "classifier" else s[:, 0]
    empty = {
        "regressor": ESNRegressor(8, washout=5, random_state=0),
        "noisy": ESNRegressor(8, noise=1e-3, feedback=True, random_state=0),
        "classifier": ESNClassifier(8, random_state=0),
    }[kind]
    started = deepcopy(empty)
    if not first:
        known = {"classes": [False, True]} if kind == "classifier" else {}
        started.partial_fit(s[:200], target[:200], **known)

    def outputs(model):
        return model.predict(s) if hasattr(model, "readout_") else []

    assert_changes_whole_or_not_at_all(
        lambda: deepcopy(started),
        lambda model: model.partial_fit(s[200:], target[200:]),
        outputs,
        request,
        few=20,
    )


def test_an_interrupted_stream_of_many_rows_has_the_moments_of_its_rows():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((20_000, 10))
    y = X @ rng.standard_normal(10)
    model = RidgeReadout(1e-6, solver="gram").partial_fit(X[:5000], y[:5000])
    with pytest.raises(KeyboardInterrupt), Interrupt(300):
        model.partial_fit(X[5000:], y[5000:])
    model.partial_fit(X[5000:], y[5000:])
    assert model._accumulator.n_rows == 20_000
    assert_allclose(model.coef_, RidgeReadout(1e-6, solver="gram").fit(X, y).coef_, rtol=1e-12)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timer of the system")
@pytest.mark.parametrize("delay", [1e-4, 1e-3, 5e-3, 2e-2])
def test_a_signal_counts_no_row(delay):
    X, y = data(100_000, 12, 1)
    model = RidgeReadout(1e-3).partial_fit(X[:1000], y[:1000])
    expected = deepcopy(model).partial_fit(X, y).coef_
    previous = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, delay)
        model.partial_fit(X, y)
        signal.setitimer(signal.ITIMER_REAL, 0)
    except KeyboardInterrupt:  # perhaps after the call
        assert model._accumulator.n_rows in (1000, 101_000)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    if model._accumulator.n_rows == 1000:
        model.partial_fit(X, y)
    assert_array_equal(model.coef_, expected)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("n_before", [0, 5, 200])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ((1e200, 1, 1), "X must have sums of squares .* feature 1: scale the features"),
        ((1e307, 1, 1), "X must have sums of squares .* feature 1: scale the features"),
        ((1, 1, 1e305), "sample_weight must have a sum from .*: scale the weights"),
    ],
)
def test_rows_whose_sums_overflow_are_refused_before_they_are_stored(
    solver, n_before, change, message
):
    X, Y = data(300, 4)
    model, without = (RidgeReadout(1e-3, solver=solver) for _ in "ab")
    for each in (model, without):
        if n_before:
            each.partial_fit(X[:n_before], Y[:n_before])
    of_x, of_y, of_w = change
    rows, targets = X[200:203] * [1, of_x, 1, 1], Y[200:203] * [of_y, 1, 1]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match=message):
            model.partial_fit(rows, targets, np.full(3, float(of_w)))
    assert hasattr(model, "n_features_in_") == bool(n_before)
    for each in (model, without):
        each.partial_fit(X[200:], Y[200:])
    assert_array_equal(model.coef_, without.coef_)


@pytest.mark.parametrize("solver", SOLVERS)
def test_products_that_overflow_are_refused_by_a_gram_matrix_alone(solver):
    X, Y = data(300, 4)
    model = RidgeReadout(1e-3, solver=solver).partial_fit(X[:200], Y[:200])
    before = model.coef_
    rows, targets = 1e120 * X[200:203], 1e200 * Y[200:203]
    if model.solver_ == "gram":
        with pytest.raises(ValueError, match="y must have sums of products .* output 0: scale y"):
            model.partial_fit(rows, targets)
        assert_array_equal(model.coef_, before)
    stream = RidgeReadout(1e-3, solver="auto" if solver == "auto" else "qr")
    stream.partial_fit(rows, targets)
    for part in np.split(np.arange(300), 6):
        stream.partial_fit(X[part], Y[part])
    assert stream.solver_ == "qr" and np.isfinite(stream.coef_).all()


@pytest.mark.parametrize("few", [1, 300])
def test_a_mean_that_jumps_too_far_is_refused(few):
    X, Y = data(300, 4)
    model = RidgeReadout(1e-3).partial_fit(X, Y)
    before = model.coef_
    rows = np.full((few, 4), 1e200)  # without a variance of their own
    with pytest.raises(ValueError, match="X must have sums of squares"):
        model.partial_fit(rows, Y[:few])
    assert_array_equal(model.coef_, before)
    constant = RidgeReadout(1e-3, solver="gram").partial_fit(rows, Y[:few])
    with pytest.raises(ValueError, match="X must have sums of squares"):
        constant.partial_fit(X, Y)
    with pytest.raises(ValueError, match="X must have sums of squares"):
        model.merge(constant)
    assert_array_equal(model.coef_, before)


def test_a_row_that_overflows_leaves_an_estimator_as_it_was():
    s = np.sin(np.arange(300) / 3)[:, None]
    model = ESNRegressor(10, include_input=True, random_state=0).partial_fit(s[:200], s[:200])
    before = model.predict(s)
    with pytest.raises(ValueError, match="X must have sums of squares"):
        model.partial_fit(np.full((1, 1), 1e200), s[:1])
    assert_array_equal(model.predict(s), before)
    assert_array_equal(model.partial_fit(s[200:], s[200:]).predict(s).shape, s.shape)


def overflows(call):
    """Return whether a call refuses sums that overflow, whatever it says of the solution."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            call()
        except ValueError as error:
            message = str(error)
            return "within the range of float64" in message or "sample_weight must" in message
    return False


@given(
    seeds,
    solvers,
    st.lists(
        st.sampled_from([-140, -30, 0, 30, 95, 140, 152, 156, 200, 300]), min_size=3, max_size=3
    ),
    st.sampled_from([0, 0, 60, 150, 200]),
    st.sampled_from([0, 0, -60, 60, 120, 280]),
    st.integers(1, 80),
)
def test_partial_fit_refuses_what_fit_refuses(seed, solver, of_columns, of_y, of_w, n_rows):
    rng = np.random.default_rng(seed)
    X, y = rng.standard_normal((n_rows + 60, 3)), rng.standard_normal(n_rows + 60)
    w = rng.uniform(0.5, 2, len(X))
    large = slice(60, None)
    X[large] *= 10.0 ** np.array(of_columns)
    y[large] *= 10.0**of_y
    w[large] *= 10.0**of_w
    stream = RidgeReadout(1e-3, solver=solver).partial_fit(X[:60], y[:60], w[:60])
    before = stream.coef_
    is_refused = overflows(lambda: RidgeReadout(1e-3, solver=solver).fit(X, y, w))
    refuses = overflows(lambda: stream.partial_fit(X[large], y[large], w[large]))
    assert refuses <= is_refused
    assert of_w > 0 or refuses == is_refused  # huge weights magnify the rounding of a mean
    if refuses:
        assert_array_equal(stream.coef_, before)
    else:
        total = stream._add_pending().totals_in_range()[0][1]
        assert np.isfinite(total.cross).all()


@given(
    seeds,
    solvers,
    st.lists(st.integers(1, 45), min_size=1, max_size=12),
    st.sampled_from([None, "rows", "outputs", "some"]),
    st.sampled_from([np.float64, np.float32]),
)
def test_chunks_of_any_size_equal_one_fit(seed, solver, chunks, weighting, dtype):
    rng = np.random.default_rng(seed)
    n_rows = sum(chunks) + 20
    sizes = 10.0 ** rng.uniform(-4, 4, 4)
    X = (sizes * (rng.standard_normal((n_rows, 4)) + 3)).astype(dtype)
    Y = ((X / sizes) @ rng.standard_normal((4, 2)) + rng.standard_normal((n_rows, 2))).astype(dtype)
    w = np.ones((n_rows, 2) if weighting == "outputs" else n_rows)
    if weighting:
        w = w * rng.uniform(0.1, 2, w.shape) * (rng.random(w.shape) < 0.9)
    w[:20] = 1.0
    alpha = 1e-3 * sizes.max() ** 2
    stream, unread = (RidgeReadout(alpha, solver=solver) for _ in "ab")
    for start, stop in zip(np.cumsum([0, *chunks[:-1]]), np.cumsum(chunks), strict=True):
        stop = n_rows if stop == sum(chunks) else stop
        rows = slice(start, stop)
        weights = w[rows]
        if weighting is None or (weighting == "some" and rng.random() < 0.5):
            weights, w[rows] = None, 1.0
        for model in (stream, unread):
            model.partial_fit(X[rows], Y[rows], weights)
        assert stream.coef_.dtype == dtype
        assert sum(len(x) for x, _, _ in stream._pending) < MIN_ROWS_TO_ADD
    assert_array_equal(stream.coef_, unread.coef_)
    whole = RidgeReadout(alpha, solver=solver).fit(X, Y, w)
    precision = 1e-9 if dtype == np.float64 else 1e-5
    scale = np.abs(whole.coef_ * sizes).max()
    assert_allclose(stream.coef_ * sizes, whole.coef_ * sizes, rtol=0, atol=precision * scale)
    assert_allclose(stream.predict(X), whole.predict(X), rtol=0, atol=10 * precision * scale)


def test_pending_rows_are_copies_few_and_pickled():
    X, Y = data(400, 800)
    stream = RidgeReadout(1.0).partial_fit(X[:10], Y[:10])
    buffer = np.empty((1, 800))
    largest = 0
    for i in range(10, 400):
        buffer[:] = X[i]
        stream.partial_fit(buffer, Y[[i]])
        largest = max(largest, sum(len(x) for x, _, _ in stream._pending))
    assert largest == 800 // 8 - 1
    assert_same_model(stream, RidgeReadout(1.0).fit(X, Y), 1e-11)
    again = pickle.loads(pickle.dumps(stream))
    assert_array_equal(again.coef_, stream.coef_)
    merged = RidgeReadout(1.0).fit(X[:50], Y[:50]).merge(stream)
    assert_same_model(merged, RidgeReadout(1.0).fit(np.r_[X, X[:50]], np.r_[Y, Y[:50]]), 1e-11)
    assert not stream.fit(X, Y)._pending


@pytest.mark.parametrize("solver", SOLVERS)
def test_blocks_that_wait_have_the_bits_of_blocks_added_at_once(solver, monkeypatch):
    rng = np.random.default_rng(0)
    chunks = [(rng.normal(size=(m, 30)), rng.normal(size=m)) for m in (40, 9, 300, 33, 200, 70)]

    def coefficients(max_waiting_rows, solve_between):
        monkeypatch.setattr(_ridge, "MAX_WAITING_ROWS", max_waiting_rows)
        readout = RidgeReadout(alpha=1e-3, solver=solver)
        for X, y in chunks:
            before = deepcopy(readout.partial_fit(X, y))
            if solve_between:
                assert_array_equal(readout.coef_, before.coef_)
        return readout.coef_

    at_once = coefficients(0, False)
    for settings in ((0, True), (10**6, False), (10**6, True), (250, True)):
        assert_array_equal(coefficients(*settings), at_once)


def test_rows_that_wait_are_few_and_copies():
    X, y = np.random.default_rng(0).normal(size=(60, 3)), np.arange(60.0)
    readout, expected = RidgeReadout(alpha=0.1), RidgeReadout(alpha=0.1)
    for k in range(1, 150):
        chunk = X + k
        readout.partial_fit(chunk, y)
        chunk[:] = np.nan
        assert sum(len(rows) for rows, _, _ in readout._waiting) < MAX_WAITING_ROWS
        expected.partial_fit(X + k, y)
    assert readout._waiting
    for copied in (pickle.loads(pickle.dumps(readout)), deepcopy(readout)):
        assert_array_equal(copied.coef_, expected.coef_)


@pytest.mark.parametrize("row", [(MODERATE_VALUE * 2, 1), (1, MODERATE_WEIGHT * 2)])
def test_immoderate_rows_are_never_pending(row):
    X, Y = data(100, 3)
    stream = RidgeReadout(1.0).partial_fit(X, Y)
    assert stream.partial_fit(X[:1], Y[:1])._pending
    assert not stream.partial_fit(X[:1] * row[0], Y[:1], [float(row[1])])._pending


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_deep_copy_shares_the_statistics_and_learns_alone(solver):
    X, Y = data(700, 6)
    model = RidgeReadout(1e-3, solver=solver).partial_fit(X[:300], Y[:300])
    model.partial_fit(X[:1], Y[:1])
    expected = model.coef_.copy()
    copied = deepcopy(model)
    assert copied._accumulator is model._accumulator
    copied.coef_ = 0 * copied.coef_
    assert_array_equal(model.coef_, expected)
    copied.partial_fit(X[300:], Y[300:])
    copied.merge(model).partial_fit(X[:100], Y[:100])
    model._solution = None
    assert_array_equal(model.coef_, expected)
    assert deepcopy(RidgeReadout([1.0, 2.0])).alpha == [1.0, 2.0]


def test_a_column_too_small_for_squares_stays_in_the_orthogonal_factor():
    X, Y = data(400, 4)
    X[:, 1] *= 1e-170
    stream = RidgeReadout(0)
    for rows in np.split(np.arange(400), 20):
        stream.partial_fit(X[rows], Y[rows])
    assert stream.solver_ == "qr"
    assert_allclose(stream.predict(X), RidgeReadout(0).fit(X, Y).predict(X), rtol=1e-9)


def test_targets_too_small_at_first_may_grow_later():
    X, Y = data(400, 4)
    Y[:100] *= 1e-300
    for solver in SOLVERS:
        stream = RidgeReadout(1e-3, solver=solver)
        for rows in np.split(np.arange(400), 4):
            stream.partial_fit(X[rows], Y[rows])
        assert_same_model(stream, RidgeReadout(1e-3, solver=solver).fit(X, Y), 1e-11)


@pytest.mark.parametrize("n_before", [0, 50])
@pytest.mark.parametrize(
    ("dtype", "of_x", "of_y"),
    [(np.float64, 1e-100, 1e250), (np.float64, 1e-8, 1e303), (np.float32, 1e-8, 1e37)],
)
def test_targets_whose_coefficients_overflow_are_refused_at_once(dtype, of_x, of_y, n_before):
    X, Y = (of_x * data(100, 3)[0]).astype(dtype), data(100, 3)[1].astype(dtype)
    model = RidgeReadout(0)
    if n_before:
        model.partial_fit(X[:n_before], Y[:n_before]).partial_fit(X[:2], Y[:2])
    before = pickle.dumps(model)
    with pytest.raises(ValueError, match="y must have coefficients on X within the range of float"):
        model.partial_fit(X[50:], (dtype(of_y) * Y[50:]).astype(dtype))
    assert pickle.dumps(model) == before
    if n_before:
        penalised = RidgeReadout(1.0).fit(X, (dtype(of_y) * Y).astype(dtype))
        with pytest.raises(ValueError, match="y must have coefficients on X within the range"):
            model.merge(penalised)
        assert pickle.dumps(model) == before


def test_huge_targets_that_have_coefficients_are_taken():
    X, Y = data(100, 3)
    stream = RidgeReadout(0).partial_fit(X[:50], Y[:50]).partial_fit(X[50:], 1e250 * Y[50:])
    stream.partial_fit(X[:1], Y[:1])
    assert np.isfinite(stream.coef_).all()


def assert_unchanged_by(model, call):
    """Assert that a call is refused, and that it changes no bit of the pickled model."""
    before = pickle.dumps(model)
    with pytest.raises(ValueError):
        call(model)
    assert pickle.dumps(model) == before


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("params", [{}, {"feedback": True}, {"noise": 1e-3}, {"solver": "qr"}])
def test_what_an_estimator_refuses_changes_no_bit(method, params):
    s = np.sin(np.arange(120) / 5)[:, None]
    model = ESNRegressor(8, include_input=True, random_state=0, **params)
    huge = np.array([[0.0], [1e200], [0.1]])
    for started in (model, deepcopy(model).partial_fit(s[:-1], s[1:])):
        assert_unchanged_by(started, lambda m: getattr(m, method)(huge, s[:3]))
        assert_unchanged_by(started, lambda m: getattr(m, method)(s[:3], np.sign(huge) * 1.7e308))
        assert_unchanged_by(
            started, lambda m: getattr(m, method)(s[:3], s[:3], sample_weight=[1, 1e300, 1])
        )


@pytest.mark.parametrize("classes", [None, ["a", "b", "c"]])
def test_labels_that_a_classifier_refuses_change_no_bit(classes):
    s = np.sin(np.arange(120) / 5)[:, None]
    model = ESNClassifier(8, include_input=True, random_state=0)
    model.partial_fit(s, np.where(s[:, 0] > 0, "a", "b"), classes=["a", "b"])
    labels = ["a", "c", "b"] if classes is None else ["a", "b", "a"]
    assert_unchanged_by(model, lambda m: m.partial_fit(s[:3], labels, classes=classes))
    assert_unchanged_by(model, lambda m: m.partial_fit(1e200 * s[:3], ["a", "b", "a"]))


def test_an_interrupted_update_leaves_a_forecaster_as_it_was(request):
    s = np.sin(np.arange(120) / 5)
    started = Forecaster(ESNRegressor(8, random_state=0)).fit(s)
    assert_changes_whole_or_not_at_all(
        lambda: deepcopy(started),
        lambda model: model.update(s[:2]),
        lambda model: np.append(model.forecast(3), model.history()),
        request,
        few=20,
    )
