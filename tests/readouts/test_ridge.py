"""RidgeReadout against plain least squares, scikit-learn's Ridge, and itself in pieces."""

import pickle
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest
import reference
from numpy.testing import assert_allclose, assert_array_equal
from processes import outputs_of
from scipy.linalg import LinAlgWarning
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.utils.estimator_checks import parametrize_with_checks

from esnkit.kernels import linalg
from esnkit.readouts._accumulator import MAX_GRAM_CONDITION, MIN_ALPHA_OVER_ROUNDING
from esnkit.readouts._least_squares import EPS
from esnkit.readouts._ridge import RidgeReadout
from esnkit.utils._threads import one_blas_thread, run_tasks

SOLVERS = ["gram", "qr"]


def data(n_rows=400, n_features=12, n_outputs=3, seed=0, noise=0.1):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n_rows, n_features)) + rng.standard_normal(n_features)
    Y = X @ rng.standard_normal((n_features, n_outputs)) + rng.standard_normal(n_outputs)
    return X, Y + noise * rng.standard_normal(Y.shape)


def hilbert_like(n_rows=300, n_features=24):
    """Powers of one variable: condition 1e16 and more, as the states of a smooth input have."""
    t = np.linspace(0, 1, n_rows)
    X = t[:, None] ** np.arange(1, n_features + 1)
    return X, np.cos(3 * t)


def blocks_of(X, Y, w=None, size=100):
    def make_blocks():
        buffer = np.empty((size, X.shape[1]), X.dtype)  # used again, as a reservoir's is
        for start in range(0, len(X), size):
            s = slice(start, start + size)
            block = buffer[: len(X[s])]
            block[:] = X[s]
            yield block, Y[s], None if w is None else w[s]

    return make_blocks


def assert_same_model(a, b, rtol=1e-9):
    scale = np.abs(b.coef_).max()
    assert_allclose(a.coef_, b.coef_, atol=rtol * scale, rtol=0)
    assert_allclose(a.intercept_, b.intercept_, rtol=rtol, atol=rtol * scale)


@parametrize_with_checks([RidgeReadout(), RidgeReadout(solver="qr")])
def test_scikit_learn_contract(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # checks that are skipped warn
        check(estimator)


@pytest.mark.parametrize("solver", ["auto", *SOLVERS])
@pytest.mark.parametrize("alpha", [1e-6, 1.0, 1e3])
@pytest.mark.parametrize("one_output", [True, False])
def test_equals_ridge_of_scikit_learn(solver, alpha, one_output):
    X, Y = data()
    y = Y[:, 0] if one_output else Y
    w = np.random.default_rng(1).random(len(X))
    ours, theirs = RidgeReadout(alpha, solver=solver).fit(X, y, w), Ridge(alpha).fit(X, y, w)
    assert ours.coef_.shape == theirs.coef_.shape
    assert_allclose(ours.coef_, theirs.coef_, rtol=1e-10, atol=1e-12)
    assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-10, atol=1e-12)
    assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("solver", SOLVERS)
def test_large_and_drifting_offsets_cost_no_accuracy(solver):
    X, Y = data(5000, 6)
    drift = 1e3 * np.cos(np.linspace(0, 3, 5000)[:, None] * np.arange(1, 7))
    moved = X + drift + 1e8 * np.array([1, -1, 1, 1, 0, 3])
    centred = moved.astype(np.longdouble)
    centred = (centred - centred.mean(axis=0)).astype(float)
    B, _ = reference.ridge_augmented(centred, Y, 1e-3, np.ones(5000))
    got = RidgeReadout(1e-3, solver=solver).fit_blocks(blocks_of(moved, Y, size=512))
    assert_allclose(got.coef_.T, B, rtol=1e-8, atol=1e-9 * np.abs(B).max())


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(("drift", "error"), [(0, 1e-13), (2.0**-8, 1e-11)])
def test_an_exact_offset_leaves_the_coefficients_as_they_are(solver, drift, error):
    X, Y = data(30_000, 6)
    X = np.round(X * 2**20) / 2**20 + drift * np.arange(30_000)[:, None]
    moved = X + 2.0**26 * np.array([1, -1, 0, 1, -1, 1])
    Y = np.round(Y * 2**20) / 2**20
    wanted = RidgeReadout(1e-3, solver=solver).fit(X, Y).coef_
    got = [RidgeReadout(1e-3, solver=solver) for _ in range(6)]
    got[0].fit(moved, Y + 2.0**26)
    for start in range(0, 30_000, 700):
        s = slice(start, start + 700)
        got[1].partial_fit(moved[s], Y[s])
    for i in range(4):
        got[2 + i].fit(moved[i::4], Y[i::4])
    got[2].merge(got[3]).merge(got[4].merge(got[5]))
    for model in got[:3]:
        assert_allclose(model.coef_, wanted, rtol=0, atol=error * np.abs(wanted).max())


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
def test_groups_of_outputs_part_when_their_weights_do(solver):
    X, Y = data()
    w = np.ones(Y.shape)
    w[250:, 1] = 0
    stream = RidgeReadout(0.1, solver=solver).fit_blocks(blocks_of(X, Y, w))
    for o, n in enumerate((400, 250, 400)):
        alone = Ridge(0.1).fit(X[:n], Y[:n, o])
        assert_allclose(stream.coef_[o], alone.coef_, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("alpha", [0.3, [0.03, 3.0]])
def test_zero_weight_equals_removal(solver, alpha):
    X, Y = data()
    w = (np.random.default_rng(3).random(len(X)) < 0.5).astype(float)
    Z = X.copy()
    Z[w == 0] = 1e200  # would overflow if it were touched
    some = RidgeReadout(alpha, solver=solver).fit(Z, Y, w)
    assert_same_model(some, RidgeReadout(alpha, solver=solver).fit(X[w > 0], Y[w > 0]), 1e-11)


@pytest.mark.parametrize("solver", ["auto", *SOLVERS])
@pytest.mark.parametrize("cuts", [[200], [1, 2, 3, 5, 399], [130, 270]])
def test_any_split_equals_the_whole(solver, cuts):
    X, Y = data()
    w = np.random.default_rng(4).random(len(X))
    whole = RidgeReadout(1e-2, solver=solver).fit(X, Y, w)
    stream, merged = RidgeReadout(1e-2, solver=solver), None
    for part in np.split(np.arange(len(X)), cuts):
        stream.partial_fit(X[part], Y[part], w[part])
        stream.predict(X)  # usable, and none the worse for it, after every call
        one = RidgeReadout(1e-2, solver=solver).partial_fit(X[part], Y[part], w[part])
        merged = one if merged is None else merged.merge(one)
    assert_same_model(stream, whole, 1e-11)
    assert_same_model(merged, whole, 1e-11)


def test_merge_leaves_the_other_and_joins_different_groupings():
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


@pytest.mark.parametrize("solver", SOLVERS)
def test_stream_of_blocks_equals_all_rows(solver):
    X, Y = data(1000, 30)
    whole = RidgeReadout(1e-2, solver=solver).fit(X, Y)
    assert_same_model(RidgeReadout(1e-2, solver=solver).fit_blocks(blocks_of(X, Y)), whole, 1e-11)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("weighted", [False, True])
def test_leave_one_out_equals_literal_refits(solver, weighted):
    X, Y = data(30, 8, 2, noise=1.0)
    rng = np.random.default_rng(5)
    w = rng.random(Y.shape) * (rng.random(Y.shape) < 0.8) if weighted else np.ones(Y.shape)
    alphas = [1e-6, 0.1, 3.0, 100.0]
    model = RidgeReadout(alphas, solver=solver).fit(X, Y, w)
    wanted = [
        np.mean([reference.leave_one_out_by_refits(X, Y[:, [o]], a, w[:, o]) for o in range(2)])
        for a in alphas
    ]
    assert_allclose(model.loo_scores_, wanted, rtol=1e-8)
    assert model.alpha_ == alphas[np.argmin(wanted)]
    assert model.loo_mse_ == model.loo_scores_.min()
    assert_same_model(model, RidgeReadout(model.alpha_, solver=solver).fit(X, Y, w), 1e-11)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(("n_rows", "n_features"), [(25, 40), (30, 30), (31, 30), (3, 50)])
def test_leave_one_out_of_few_rows_equals_literal_refits(solver, n_rows, n_features):
    X, Y = data(n_rows + 4, n_features, 2, noise=1.0)
    w = np.random.default_rng(5).uniform(0.5, 2, Y.shape)
    w[1:5] = 0  # rows that are not kept
    alphas = [1e-8, 0.1, 30.0]
    model = RidgeReadout(alphas, solver=solver)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LinAlgWarning)
        model.fit_blocks(lambda: [(X[:6], Y[:6], w[:6]), (X[6:], Y[6:], w[6:])])
    wanted = [
        np.mean([reference.leave_one_out_by_refits(X, Y[:, [o]], a, w[:, o]) for o in range(2)])
        for a in alphas
    ]
    assert_allclose(model.loo_scores_, wanted, rtol=1e-5)


@pytest.mark.parametrize(
    ("X", "alphas"),
    [
        (1e-9 * np.random.default_rng(0).normal(size=(15, 20)), [1e-18, 1e-17]),
        (np.random.default_rng(1).normal(size=(6, 2)) @ np.ones((2, 8)), [1e-12, 1.0]),
        (np.random.default_rng(2).normal(size=(7, 9))[[0, 0, 1, 2, 3, 4, 5]], [1e-10, 1.0]),
    ],
)
def test_leave_one_out_of_few_rows_of_any_size_and_rank(X, alphas):
    y = np.random.default_rng(3).normal(size=(len(X), 1))
    wanted = [reference.leave_one_out_by_refits(X, y, a, np.ones(len(X))) for a in alphas]
    model = RidgeReadout(alphas, solver="qr").fit(X, y)
    assert_allclose(model.loo_scores_, np.ravel(wanted), rtol=1e-4)


def test_a_row_alone_cannot_be_left_out():
    with pytest.warns(UserWarning, match="no leave-one-out error is finite"):
        model = RidgeReadout([1.0, 10.0, 2.0]).fit(np.ones((1, 3)), [1.0])
    assert np.all(model.loo_scores_ == np.inf) and model.alpha_ == 10.0


def test_weights_a_row_and_an_output_may_come_in_turn():
    X, Y = data(8, 20, 2)
    mixed = RidgeReadout([1.0, 10.0]).fit_blocks(
        lambda: iter([(X[:4], Y[:4], None), (X[4:], Y[4:], np.ones((4, 2)))])
    )
    assert_allclose(mixed.loo_scores_, RidgeReadout([1.0, 10.0]).fit(X, Y).loo_scores_, rtol=1e-9)


@pytest.mark.parametrize("solver", SOLVERS)
def test_rows_may_be_added_to_what_is_mapped_from_a_file(solver, tmp_path):
    X, Y = data(600, 30)
    joblib.dump(RidgeReadout(1.0, solver=solver).fit(X[:300], Y[:300]), tmp_path / "readout")
    mapped = joblib.load(tmp_path / "readout", mmap_mode="r").partial_fit(X[300:], Y[300:])
    assert_same_model(mapped, RidgeReadout(1.0, solver=solver).fit(X, Y), 1e-11)


def test_leave_one_out_of_few_rows_beside_an_output_with_many():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 30))
    Y = X[:, :2] + 0.1 * rng.standard_normal((60, 2))
    w = np.ones((60, 2))
    w[20:, 0] = 0
    alphas = [1e-12, 1e-3]
    wanted = [
        np.mean([reference.leave_one_out_by_refits(X, Y[:, [o]], a, w[:, o]) for o in range(2)])
        for a in alphas
    ]
    assert_allclose(RidgeReadout(alphas).fit(X, Y, w).loo_scores_, wanted, rtol=1e-6)


def test_leave_one_out_may_skip_directions_that_do_not_count():
    t = np.linspace(0, 40, 3000)[:, None]
    rng = np.random.default_rng(6)
    X = np.tanh(np.sin(t) @ rng.uniform(-1, 1, (1, 60)) + np.cos(t) @ rng.uniform(-1, 1, (1, 60)))
    y = np.sin(2 * t[:, 0]) + 0.1 * rng.standard_normal(3000)
    fast = RidgeReadout([1e-2, 1.0]).fit(X, y)
    left = [(y - _hat(X, a) @ y) / (1 - np.diag(_hat(X, a))) for a in (1e-2, 1.0)]
    assert_allclose(fast.loo_scores_, np.mean(np.square(left), axis=1), rtol=1e-8)


def _hat(X, alpha):
    Z = X - X.mean(axis=0)
    hat = Z @ np.linalg.solve(Z.T @ Z + alpha * np.eye(X.shape[1]), Z.T)
    return hat + 1 / len(X)


def test_a_row_that_fits_itself_alone_scores_infinity():
    X, Y = data(30, 3)
    X = np.hstack([X, np.eye(30)[:, :1]])
    model = RidgeReadout([0.0, 1.0]).fit(X, Y)
    assert model.loo_scores_[0] == np.inf and model.alpha_ == 1.0


@pytest.mark.parametrize("solver", ["auto", "qr"])
@pytest.mark.parametrize("alpha", [0, [0.0]])
def test_no_penalty_with_constant_and_repeated_columns_gives_the_least_norm(solver, alpha):
    X, Y = data(300, 5)
    wide = np.c_[X, np.full(300, 0.1), X[:, :2]]
    model = RidgeReadout(alpha, solver=solver).fit(wide, Y)
    centred = wide - wide.mean(axis=0)
    centred[:, 5] = 0
    assert_allclose(model.coef_, (np.linalg.pinv(centred) @ (Y - Y.mean(axis=0))).T, atol=1e-10)
    assert_array_equal(model.coef_[:, 5], 0)
    assert model.solver_ == "qr"


def test_no_penalty_with_fewer_rows_than_features_interpolates():
    X, Y = data(10, 30)
    assert_allclose(RidgeReadout(0).fit(X, Y).predict(X), Y, atol=1e-10)


@pytest.mark.parametrize("scale", [1e-9, 1e9])
def test_columns_of_very_different_size_are_no_reason_to_give_up(scale):
    X, Y = data(200, 6)
    X = X * np.array([1, scale, 1, scale**-0.5, 1, 1])
    for solver in ("auto", "gram", "qr"):
        model = RidgeReadout(0, solver=solver).fit(X, Y)
        wanted = np.linalg.lstsq(np.c_[X / X.std(axis=0), np.ones(200)], Y, rcond=None)[0][:-1]
        assert_allclose(model.coef_ * X.std(axis=0), wanted.T, rtol=1e-8)
    assert RidgeReadout(0).fit(X, Y).solver_ == "gram"


@pytest.mark.parametrize("alpha", [1e-22, 1e-16, [1e-22, 1.0]])
def test_ill_conditioned_features_need_the_orthogonal_factor(alpha):
    X, y = hilbert_like()
    with pytest.warns(LinAlgWarning, match="condition"):
        gram = RidgeReadout(alpha, solver="gram").fit(X, y)
    qr, auto = RidgeReadout(alpha, solver="qr").fit(X, y), RidgeReadout(alpha).fit(X, y)
    error = {m.solver: np.abs(m.predict(X) - y).max() for m in (gram, qr, auto)}
    assert auto.solver_ == "qr" and auto.condition_ > 1e7
    assert error["qr"] < 1e-2 * error["gram"] and error["auto"] == error["qr"]


def test_tiny_alpha_is_honoured_by_the_orthogonal_factor():
    X, y = hilbert_like()
    y = np.sign(y)  # no smooth function of X, so that every direction is asked for
    sizes = [np.linalg.norm(RidgeReadout(a).fit(X, y).coef_) for a in (1e-26, 1e-22, 1e-16)]
    assert sizes[0] > 3 * sizes[1] > 9 * sizes[2]


def test_auto_takes_the_gram_where_it_can_be_trusted():
    X, Y = data(2000, 40)
    assert RidgeReadout(1e-6).fit(X, Y).solver_ == "gram"
    assert RidgeReadout(0).fit(X, Y).solver_ == "gram"
    stream = RidgeReadout(0)
    for s in np.split(np.arange(2000), 40):
        stream.partial_fit(X[s], Y[s])
    assert stream.solver_ == "gram"


def test_auto_repeats_the_pass_when_the_first_rows_misled():
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


def test_float32_rows_are_summed_in_float64():
    X, Y = data(3000, 10)
    X32, Y32 = (X + 1e3).astype(np.float32), Y.astype(np.float32)
    narrow, wide = RidgeReadout(1e-3).fit(X32, Y32), RidgeReadout(1e-3).fit(X32.astype(float), Y32)
    assert narrow.coef_.dtype == np.float32 and narrow.predict(X32).dtype == np.float32
    assert_allclose(narrow.coef_, wide.coef_, rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [1, 15, 16, 64, 100, 131])
@pytest.mark.parametrize("apart", [0, 3])
def test_a_row_alone_has_the_same_bits_as_in_a_batch(dtype, n, apart):
    rng = np.random.default_rng(7)
    X = rng.standard_normal((37, n + apart)).astype(dtype)[:, :n]
    coef = rng.standard_normal((3, n)).astype(dtype)
    intercept, out = rng.standard_normal(3).astype(dtype), np.empty((37, 3), dtype)
    linalg.affine(X, coef, intercept, out)
    row, lanes = np.empty(3, dtype), np.empty(16, dtype)
    for i in range(37):
        linalg.affine_row(X[i], coef, intercept, lanes, row)
        assert_array_equal(row, out[i])
        assert_array_equal(row, reference.affine_lanes(X[i], coef, intercept))


def test_prediction_of_a_row_does_not_depend_on_its_batch():
    X, Y = data(200, 77)
    model = RidgeReadout(1e-3).fit(X, Y)
    whole = model.predict(X)
    assert_array_equal(whole[50:93], model.predict(X[50:93]))
    assert_array_equal(whole[[111]], model.predict(X[[111]]))


@pytest.mark.parametrize("n", [1, 2, 7, 40])
def test_kernels_scale_a_triangle_as_plain_numpy_does(n):
    rng = np.random.default_rng(n)
    rows, scale = rng.normal(size=(n + 3, n)), rng.uniform(0.5, 2.0, n)
    gram = rows.T @ rows
    lower, out = np.asfortranarray(gram), np.full((n, n), np.nan, order="F")
    lower[np.triu_indices(n, 1)] = np.nan  # never read
    norm = linalg.scale_lower(lower, 0.5, scale, out)
    wanted = scale[:, None] * (gram + 0.5 * np.eye(n)) * scale
    assert_allclose(np.tril(out), np.tril(wanted), rtol=1e-14, atol=1e-14)
    assert_allclose(norm, np.linalg.norm(wanted, 1), rtol=1e-13)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("offset", [0, 2.0**26])
def test_kernels_centre_as_plain_numpy_does(solver, offset):
    X, _ = data(50, 7)
    X = np.round(X * 2**20) / 2**20
    w = np.random.default_rng(8).random(50)
    mean, out = np.empty((2, 7)), np.empty((7, 50))
    linalg.weighted_mean(X + offset, w, mean)
    centred = X - np.average(X, axis=0, weights=w)
    assert_allclose(mean[0] - offset + mean[1], (X - centred)[0], rtol=1e-13)
    assert_array_equal(mean[0], mean.sum(axis=0))
    rows = out.reshape(50, 7) if solver == "gram" else out
    centre = linalg.centre_rows if solver == "gram" else linalg.centre_columns
    centre(X + offset, np.sqrt(w), mean, rows)
    wanted = np.sqrt(w)[:, None] * centred
    assert_allclose(rows if solver == "gram" else rows.T, wanted, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("dtype", "offset"), [(np.float64, 1e8), (np.float32, 2.0**20)])
def test_an_offset_of_the_features_costs_predictions_no_digits(dtype, offset):
    rng = np.random.default_rng(0)
    near = rng.integers(-8, 8, size=(400, 6)).astype(dtype)  # whole numbers, exact beside it
    y = near @ rng.standard_normal((6, 2)).astype(dtype)
    w = np.ones(y.shape)
    w[:200, 1] = 0
    model = RidgeReadout(0.0).fit(near + dtype(offset), y, w)
    limit = 50 * np.finfo(dtype).eps
    assert_allclose(model.predict(near + dtype(offset)), y, rtol=limit, atol=limit * y.std())


def test_a_mean_keeps_steps_below_its_rounding():
    mean = np.array([[2.0**26, -1.0], [0.0, 0.0]])
    for _ in range(1000):
        linalg.move_mean(mean, np.full(2, 2.0**-40))
    assert_array_equal(mean, [[2.0**26, -1.0 + 1000 * 2.0**-40], [1000 * 2.0**-40, 0.0]])


BITS = """
import hashlib, numpy as np
from esnkit.readouts._ridge import RidgeReadout
rng = np.random.default_rng(0)
X, Y = rng.standard_normal((1500, 203)), rng.standard_normal((1500, 2))
for solver in ("gram", "qr"):
    for alpha in (1e-3, [1e-3, 1.0]):
        model = RidgeReadout(alpha, solver=solver).fit(X, Y)
        scores = model.loo_scores_.tobytes() if isinstance(alpha, list) else b""
        bits = model.coef_.tobytes() + model.predict(X).tobytes() + scores
        print(hashlib.sha256(bits).hexdigest())
"""


def test_thread_count_changes_no_bit():
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
    one, two = outputs_of(BITS, *(dict.fromkeys(names, n) for n in "12"))
    assert one == two


def test_blas_gets_its_threads_back():
    from threadpoolctl import threadpool_info

    def threads():
        return [d["num_threads"] for d in threadpool_info() if d["user_api"] == "blas"]

    before = threads()
    with one_blas_thread(), one_blas_thread():
        assert set(threads()) == {1}
    assert threads() == before


def test_a_failing_task_waits_for_the_others_and_raises():
    done = []

    def slow():
        done.append(1)

    def wrong():
        raise KeyError("wrong")

    for tasks in ([wrong, slow], [slow, wrong]):
        with pytest.raises(KeyError):
            run_tasks(tasks)
    assert run_tasks([]) == [] and done


def test_pickled_in_mid_stream_goes_on():
    X, Y = data()
    a = RidgeReadout(1e-3, solver="qr").partial_fit(X[:300], Y[:300])
    b = pickle.loads(pickle.dumps(a))
    for model in (a, b):
        model.partial_fit(X[300:], Y[300:])
    assert_array_equal(a.coef_, b.coef_)
    fitted = pickle.loads(pickle.dumps(RidgeReadout([1e-3, 1.0]).fit(X, Y)))
    assert_array_equal(fitted.predict(X), RidgeReadout([1e-3, 1.0]).fit(X, Y).predict(X))


def test_fit_forgets_and_fitting_twice_gives_the_same_bits():
    X, Y = data()
    once = RidgeReadout().fit(X, Y)
    again = RidgeReadout().fit(X[:50] + 7, Y[:50]).fit(X, Y)
    assert_array_equal(once.coef_, again.coef_)


def test_rows_that_are_all_left_out_may_come_first():
    X, Y = data()
    w = np.ones(400)
    w[:150] = 0
    stream = RidgeReadout(1e-3)
    for part in np.split(np.arange(400), 8):
        stream.partial_fit(X[part], Y[part], w[part])
    assert_same_model(stream, RidgeReadout(1e-3).fit(X[150:], Y[150:]), 1e-11)
    assert_same_model(RidgeReadout(1e-3).fit_blocks(blocks_of(X, Y, w, size=50)), stream, 1e-11)


def test_rows_that_are_all_left_out_may_be_merged():
    X, Y = data()
    empty = RidgeReadout(1e-3).partial_fit(X, Y, np.zeros(400))
    other = RidgeReadout(1e-3).partial_fit(X + 9, Y, np.zeros(400))
    stream = empty.merge(other).partial_fit(X, Y)
    assert_same_model(stream, RidgeReadout(1e-3).fit(X, Y), 1e-11)
    before = stream.coef_
    assert_array_equal(stream.merge(other).coef_, before)


def test_a_choice_of_alphas_keeps_the_rows_to_go_on_with():
    X, Y = data()
    chosen = RidgeReadout([1e-3, 1e-1]).fit(X[:300], Y[:300]).set_params(alpha=1e-2)
    whole = RidgeReadout(1e-2).fit(X, Y)
    assert_same_model(clone(whole).fit(X[300:], Y[300:]).merge(chosen), whole, 1e-11)
    assert_same_model(chosen.partial_fit(X[300:], Y[300:]), whole, 1e-11)


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
def test_many_may_read_at_once_what_is_not_yet_solved(solver):
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


@pytest.mark.parametrize("alpha", [0, 1e-3])
def test_an_output_may_be_taught_by_late_rows_only(alpha):
    X, Y = data()
    w = np.ones(Y.shape)
    w[:250, 1] = 0
    stream = RidgeReadout(alpha).fit_blocks(blocks_of(X, Y, w), n_rows=400)
    assert_same_model(stream, RidgeReadout(alpha).fit(X, Y, w), 1e-11)


def fitted(**parameters):
    return RidgeReadout(**parameters).fit(*data())


X, Y = data(20, 4)
WRONG_CALLS = [
    (lambda: RidgeReadout(-1.0).fit(X, Y), ValueError, "alpha"),
    (lambda: RidgeReadout([1.0, -1.0]).fit(X, Y), ValueError, "alpha"),
    (lambda: RidgeReadout([]).fit(X, Y), ValueError, "alpha"),
    (lambda: RidgeReadout([[1.0]]).fit(X, Y), ValueError, "alpha"),
    (lambda: RidgeReadout(np.nan).fit(X, Y), ValueError, "alpha"),
    (lambda: RidgeReadout(np.inf).fit(X, Y), ValueError, "alpha"),
    (lambda: RidgeReadout("small").fit(X, Y), TypeError, "alpha"),
    (lambda: RidgeReadout(None).fit(X, Y), TypeError, "alpha"),
    (lambda: RidgeReadout(True).fit(X, Y), TypeError, "alpha"),
    (lambda: RidgeReadout([1.0, 2.0]).partial_fit(X, Y), AttributeError, "partial_fit"),
    (lambda: fitted(alpha=[1.0, 2.0]).merge(fitted()), ValueError, "alpha"),
    (lambda: RidgeReadout(solver="svd").fit(X, Y), ValueError, "solver"),
    (lambda: RidgeReadout(solver=["qr"]).fit(X, Y), ValueError, "solver"),
    (lambda: RidgeReadout().fit(X, Y, np.ones(19)), ValueError, "sample_weight"),
    (lambda: RidgeReadout().fit(X, Y, np.ones((20, 2))), ValueError, "sample_weight"),
    (lambda: RidgeReadout().fit(X, Y, -np.ones(20)), ValueError, "sample_weight"),
    (lambda: RidgeReadout().fit(X, Y, np.full(20, np.nan)), ValueError, "sample_weight"),
    (lambda: RidgeReadout().fit(X, Y, ["a"] * 20), ValueError, "sample_weight"),
    (lambda: RidgeReadout().fit(X, Y, np.zeros(20)), ValueError, "sample_weight"),
    (lambda: RidgeReadout([1.0]).fit(X, Y, np.zeros(20)), ValueError, "sample_weight"),
    (lambda: RidgeReadout().fit(X, Y, np.ones((20, 3)) * [1, 0, 1]), ValueError, "output 1"),
    (lambda: RidgeReadout().partial_fit(X, Y, np.zeros(20)).coef_, ValueError, "sample_weight"),
    (lambda: RidgeReadout().fit(X[:0], Y[:0]), ValueError, "0 sample"),
    (lambda: RidgeReadout().fit(X, Y[:10]), ValueError, "inconsistent"),
    (lambda: RidgeReadout().fit(X * np.nan, Y), ValueError, "X"),
    (lambda: RidgeReadout().fit(X, np.full(20, np.nan)), ValueError, "y"),
    (lambda: RidgeReadout().fit_blocks(lambda: iter(())), ValueError, "make_blocks"),
    (lambda: fitted().predict(X[:, :3]), ValueError, "features"),
    (lambda: fitted().partial_fit(X, Y), ValueError, "features"),
    (lambda: RidgeReadout().fit(X, Y).partial_fit(X, Y[:, :2]), ValueError, "y"),
    (lambda: fitted().merge(Ridge()), TypeError, "other"),
    (lambda: fitted().merge(RidgeReadout().fit(X, Y)), ValueError, "other"),
    (lambda: fitted().merge(RidgeReadout()), ValueError, "not fitted"),
    (lambda: RidgeReadout().predict(X), ValueError, "not fitted"),
    (lambda: RidgeReadout().coef_, AttributeError, "not fitted"),
    (lambda: fitted().loo_scores_, AttributeError, "alpha"),
]


@pytest.mark.parametrize(("call", "error", "message"), WRONG_CALLS)
def test_wrong_calls_say_what_is_wrong(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("solver", ["auto", *SOLVERS])
@pytest.mark.parametrize("alpha", [0, [0.0, 1.0]])
@pytest.mark.parametrize("scale", [1e154, 1e200])
def test_features_whose_squares_overflow_are_named(solver, alpha, scale):
    X, Y = data(300, 4)
    X = np.clip(X, -1, 1) * [1, scale, 1, 1]
    message = "X must have sums of squares .* feature 1: scale the features"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match=message):
            RidgeReadout(alpha, solver=solver).fit(X, Y)
        some = RidgeReadout(1.0, solver=solver).partial_fit(X[:30] / scale, Y[:30])
        with pytest.raises(ValueError, match=message):
            some.partial_fit(X, Y).predict(X)


@pytest.mark.parametrize("late", [False, True])
def test_the_warning_of_a_gram_points_at_the_callers_line(late):
    X, y = hilbert_like()
    readout = RidgeReadout(1e-14, solver="gram")
    with pytest.warns(LinAlgWarning, match="too large for a Gram") as warned:
        if late:
            readout.partial_fit(X, y).predict(X)
        else:
            readout.fit(X, y)
    assert warned[0].filename == __file__


@pytest.mark.parametrize("solver", SOLVERS)
def test_coefficients_beyond_the_dtype_name_y(solver):
    X, Y = data(300, 4)
    with pytest.raises(ValueError, match="y must have coefficients .* float32"):
        RidgeReadout(0, solver=solver).fit((X * 1e-20).astype(np.float32), Y * 1e20)


def test_trust_in_the_gram_is_of_one_piece():
    # an alpha that passes the quick test must pass the measured one, or passes are wasted
    X, Y = data(1500, 60)
    X[:, 1:] = X[:, :1] + 1e-12 * X[:, 1:]
    trace = ((X - X.mean(axis=0)) ** 2).sum()
    alpha = MIN_ALPHA_OVER_ROUNDING * EPS * trace * 1.5
    model = RidgeReadout(alpha).fit(X, Y)
    assert model.solver_ == "gram" and model.condition_ < MAX_GRAM_CONDITION
