"""Groups of outputs, partial sums, and the choice between Gram matrix and QR."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import reference
from numpy.testing import assert_allclose, assert_array_equal
from ridge_problems import SOLVERS, assert_same_model, blocks_of, data, hilbert_like
from scipy.linalg import LinAlgWarning
from sklearn.base import clone
from sklearn.linear_model import Ridge

from esnkit.readouts import RidgeReadout
from esnkit.readouts._accumulator import (
    MANY_FEATURES,
    MAX_GRAM_CONDITION,
    MIN_ALPHA_OVER_ROUNDING,
    MIN_ROWS_TO_DIVIDE,
    ROWS_PER_PARTIAL_SUM,
    Accumulator,
    accumulate,
    rows_added_at_once,
)
from esnkit.readouts._least_squares import EPS


@pytest.mark.parametrize("solver", SOLVERS)
def test_weights_per_row_and_output(solver):
    X, Y = data()
    rng = np.random.default_rng(2)
    w = rng.random(Y.shape) * (rng.random(Y.shape) < 0.6)
    w[:, 2] = w[:, 0]
    model = RidgeReadout(0.1, solver=solver).fit(X, Y, w)
    for o in range(3):
        B, c = reference.ridge_augmented(X, Y[:, [o]], 0.1, w[:, o])
        assert_allclose(model.coef_[o], B[:, 0], rtol=1e-10, atol=1e-12)
        assert_allclose(model.intercept_[o], c[0], rtol=1e-10, atol=1e-12)
    assert [list(g.outputs) for g in model._accumulator.groups] == [[0, 2], [1]]


@pytest.mark.parametrize("solver", SOLVERS)
def test_groups_are_divided_when_weights_differ(solver):
    X, Y = data()
    w = np.ones(Y.shape)
    w[250:, 1] = 0
    stream = RidgeReadout(0.1, solver=solver).fit_blocks(blocks_of(X, Y, w))
    for o, n in enumerate((400, 250, 400)):
        alone = Ridge(0.1).fit(X[:n], Y[:n, o])
        assert_allclose(stream.coef_[o], alone.coef_, rtol=1e-10, atol=1e-12)


def test_merge_leaves_the_other_unchanged_and_divides_groups():
    X, Y = data()
    w = np.ones(Y.shape)
    w[:100, 0] = 0
    w[300:, 2] = 0
    whole = RidgeReadout(1e-2).fit(X, Y, w)
    a, b = (RidgeReadout(1e-2).fit(X[s], Y[s], w[s]) for s in (slice(0, 200), slice(200, 400)))
    before = b.coef_.copy()
    assert_same_model(a.merge(b), whole, 1e-11)
    assert_array_equal(clone(b).fit(X[200:], Y[200:], w[200:]).coef_, before)
    assert_array_equal(b.coef_, before)
    assert_same_model(
        RidgeReadout(1e-2, solver="gram")
        .fit(X[:200], Y[:200], w[:200])
        .merge(RidgeReadout(1e-2, solver="qr").fit(X[200:], Y[200:], w[200:])),
        whole,
        1e-11,
    )


def test_a_stream_may_begin_with_rows_of_weight_zero():
    X, Y = data()
    w = np.ones(400)
    w[:150] = 0
    stream = RidgeReadout(1e-3)
    for part in np.split(np.arange(400), 8):
        stream.partial_fit(X[part], Y[part], w[part])
    assert_same_model(stream, RidgeReadout(1e-3).fit(X[150:], Y[150:]), 1e-11)
    assert_same_model(RidgeReadout(1e-3).fit_blocks(blocks_of(X, Y, w, size=50)), stream, 1e-11)


def test_readouts_without_any_weight_are_merged():
    X, Y = data()
    empty = RidgeReadout(1e-3).partial_fit(X, Y, np.zeros(400))
    other = RidgeReadout(1e-3).partial_fit(X + 9, Y, np.zeros(400))
    stream = empty.merge(other).partial_fit(X, Y)
    assert_same_model(stream, RidgeReadout(1e-3).fit(X, Y), 1e-11)
    before = stream.coef_
    assert_array_equal(stream.merge(other).coef_, before)


@pytest.mark.parametrize("alpha", [0, 1e-3])
def test_an_output_may_have_weight_in_late_rows_only(alpha):
    X, Y = data()
    w = np.ones(Y.shape)
    w[:250, 1] = 0
    stream = RidgeReadout(alpha).fit_blocks(blocks_of(X, Y, w), n_rows=400)
    assert_same_model(stream, RidgeReadout(alpha).fit(X, Y, w), 1e-11)


@pytest.mark.parametrize("solver", SOLVERS)
def test_reading_changes_nothing(solver):
    X, Y = data(900, 4)
    read, unread = (RidgeReadout(1e-3, solver=solver).partial_fit(X[:500], Y[:500]) for _ in "ab")
    assert read.coef_.shape == (3, 4)
    RidgeReadout(1e-3, solver="gram").fit(X, Y).merge(read)
    for model in read, unread:
        model.partial_fit(X[500:], Y[500:])
    assert_array_equal(read.coef_, unread.coef_)


@pytest.mark.parametrize("solver", SOLVERS)
def test_threads_may_read_an_unsolved_readout_at_once(solver):
    X, Y = data(2000, 40)
    expected = RidgeReadout(1e-3, solver=solver).partial_fit(X, Y).coef_
    for _ in range(20):
        stream = RidgeReadout(1e-3, solver=solver).partial_fit(X, Y)
        start = threading.Barrier(4)

        def read(stream=stream, start=start):
            start.wait()
            return stream.coef_

        with ThreadPoolExecutor(4) as pool:
            for answer in [pool.submit(read) for _ in range(4)]:
                assert_array_equal(answer.result(), expected)


BITS = """
import hashlib, numba, numpy as np, threadpoolctl
from esnkit.readouts._ridge import RidgeReadout
from esnkit.utils._threads import n_threads as found

numba.set_num_threads(n_threads)
threadpoolctl.threadpool_limits(n_threads)
assert found() == n_threads
rng = np.random.default_rng(0)
X, Y = rng.standard_normal((1500, 203)), rng.standard_normal((1500, 2))
for solver in ("gram", "qr"):
    for alpha in (1e-3, [1e-3, 1.0]):
        model = RidgeReadout(alpha, solver=solver).fit(X, Y)
        scores = model.loo_scores_.tobytes() if isinstance(alpha, list) else b""
        bits = model.coef_.tobytes() + model.predict(X).tobytes() + scores
        print(hashlib.sha256(bits).hexdigest())
    stream = RidgeReadout(1e-3, solver=solver)
    for rows in np.split(np.arange(1500), [1, 2, 300, 301, 310, 500, 1300, 1490]):
        stream.partial_fit(X[rows], Y[rows])
        print(hashlib.sha256(stream.coef_.tobytes()).hexdigest())
"""


def test_the_number_of_threads_changes_no_bit(output_of):
    one, two = (output_of(f"n_threads = {n}\n{BITS}") for n in (1, 2))
    assert one == two


@pytest.mark.filterwarnings("ignore:loo_scores_")
@pytest.mark.parametrize("alpha", [1e-22, 1e-16, [1e-22, 1.0]])
def test_ill_conditioned_features_need_qr(alpha):
    X, y = hilbert_like()
    with pytest.warns(LinAlgWarning, match="condition"):
        gram = RidgeReadout(alpha, solver="gram").fit(X, y)
    qr, auto = RidgeReadout(alpha, solver="qr").fit(X, y), RidgeReadout(alpha).fit(X, y)
    error = {m.solver: np.abs(m.predict(X) - y).max() for m in (gram, qr, auto)}
    assert auto.solver_ == "qr" and auto.condition_ > 1e7
    assert error["qr"] < 1e-2 * error["gram"] and error["auto"] == error["qr"]


def test_auto_uses_the_gram_matrix_for_a_small_condition():
    X, Y = data(2000, 40)
    assert RidgeReadout(1e-6).fit(X, Y).solver_ == "gram"
    assert RidgeReadout(0).fit(X, Y).solver_ == "gram"
    stream = RidgeReadout(0)
    for s in np.split(np.arange(2000), 40):
        stream.partial_fit(X[s], Y[s])
    assert stream.solver_ == "gram"


def test_auto_reads_the_rows_again_if_the_first_ones_misled():
    X, Y = data(6000, 20)
    late = X.copy()
    late[:3000] *= 1e-3
    late[3000:] = X[3000:, :1] + 1e-9 * X[3000:]
    late[3000:] *= 1e4
    passes = []

    def make_blocks():
        passes.append(1)
        return blocks_of(late, Y, size=1000)()

    model = RidgeReadout(1e-9).fit_blocks(make_blocks, n_rows=6000)
    assert model.solver_ == "qr" and len(passes) == 2
    assert_same_model(model, RidgeReadout(1e-9, solver="qr").fit(late, Y), 1e-6)


def test_an_alpha_above_the_rounding_also_passes_the_measured_condition():
    # Otherwise rows would be read a second time after the quick test chose the Gram matrix.
    X, Y = data(1500, 60)
    X[:, 1:] = X[:, :1] + 1e-12 * X[:, 1:]
    trace = ((X - X.mean(axis=0)) ** 2).sum()
    alpha = MIN_ALPHA_OVER_ROUNDING * EPS * trace * 1.5
    model = RidgeReadout(alpha).fit(X, Y)
    assert model.solver_ == "gram" and model.condition_ < MAX_GRAM_CONDITION


def test_partial_sums_are_made_for_many_rows_and_merged_on_demand():
    X, Y = data(MIN_ROWS_TO_DIVIDE - 1, 5)
    accumulator = Accumulator("gram", 5, 3).add(X, Y, None)
    (group,) = accumulator.groups
    assert len(group.partial_sums) == 1
    accumulator.add(*data(MIN_ROWS_TO_DIVIDE, 5, seed=1), None)
    assert [sums.n_rows for sums in group.partial_sums] == [
        MIN_ROWS_TO_DIVIDE - 1 + MIN_ROWS_TO_DIVIDE // 2, MIN_ROWS_TO_DIVIDE // 2
    ]  # fmt: skip
    before, after = (stored.solve(1.0).coefs for stored in (accumulator.merged(), accumulator))
    assert_array_equal(before, after)
    accumulator.merge_partial_sums()
    assert len(group.partial_sums) == 1
    assert_array_equal(accumulator.solve(1.0).coefs, after)


@pytest.mark.parametrize(("n_features", "n_slices"), [(6, 3), (MANY_FEATURES, 5)])
@pytest.mark.parametrize("solver", SOLVERS)
def test_blocks_of_any_size_are_added_in_slices_of_bounded_size(solver, n_features, n_slices):
    X, Y = data(5 * ROWS_PER_PARTIAL_SUM, n_features)
    whole = Accumulator(solver, n_features, 3).add(X, Y, None)
    sliced, step = Accumulator(solver, n_features, 3), rows_added_at_once(n_features)
    starts = range(0, len(X), step)
    assert len(starts) == n_slices
    for start in starts:
        sliced.add(X[start : start + step], Y[start : start + step], None)
    assert whole.n_rows == sliced.n_rows == len(X)
    assert_array_equal(whole.solve(0.1)[0], sliced.solve(0.1)[0])


def test_a_qr_factor_turns_into_the_gram_matrix_of_the_same_rows():
    X, Y = data(300, 8)
    w = np.random.default_rng(0).random(Y.shape)
    qr, gram = (Accumulator(solver, 8, 3).add(X, Y, w) for solver in ("qr", "gram"))
    turned = qr.to_gram()
    assert (qr.solver, turned.solver, turned.n_rows) == ("qr", "gram", 300)
    for ours, theirs in zip(turned.solve(0.1)[0], gram.solve(0.1)[0], strict=True):
        assert_allclose(ours, theirs, rtol=1e-10)


@pytest.mark.parametrize(
    ("n_rows", "alpha", "total", "solver", "is_final"),
    [
        (40, 1e9, None, "qr", False),  # too few rows to compare alpha with anything
        (60, 1e9, None, "gram", True),  # alpha far above the rounding error
        (60, 0.0, None, "qr", False),  # too few rows to see the condition
        (200, 0.0, None, "gram", True),  # a small condition
    ],
)
def test_auto_decides_when_it_can(n_rows, alpha, total, solver, is_final):
    X, Y = data(n_rows, 40)
    accumulator = accumulate(None, (X, Y, None), "auto", alpha, total)
    assert (accumulator.solver, accumulator.solver_is_final) == (solver, is_final)


def test_auto_returns_to_the_gram_matrix_after_enough_rows():
    X, Y = data(300, 40)
    accumulator = accumulate(None, (X[:60], Y[:60], None), "auto", 0.0, None)
    assert accumulator.solver == "qr"
    accumulator = accumulate(accumulator, (X[60:], Y[60:], None), "auto", 0.0, None)
    assert accumulator.solver == "gram" and accumulator.n_rows == 300
