"""Solutions and leave-one-out errors do not depend on the units of features, targets and weights.

The reference is exact: rational arithmetic, or the same problem with all numbers times powers of
two.
"""

import warnings

import exact_ridge
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.linalg import LinAlgWarning

from esnkit import RidgeReadout

SOLVERS = ["auto", "gram", "qr"]

solvers = st.sampled_from(SOLVERS)
seeds = st.integers(0, 2**32 - 1)
spans = st.sampled_from([0, 2, 4, 8])  # columns are sized from 10**-span to 10**span
weightings = st.sampled_from([None, "positive", "some zero"])


def graded_problem(seed, n_rows, n_features, span, weighting=None, noise=0.5):
    rng = np.random.default_rng(seed)
    sizes = 10.0 ** rng.uniform(-span, span, n_features)
    X = sizes * (rng.standard_normal((n_rows, n_features)) + rng.choice([0, 3]))
    y = (X / sizes) @ rng.standard_normal(n_features) + noise * rng.standard_normal(n_rows)
    w = np.ones(n_rows) if weighting is None else rng.uniform(0.2, 2, n_rows)
    if weighting == "some zero":
        w[rng.permutation(n_rows)[: n_rows // 4]] = 0
    return X, y, w


def scores_and_single(alphas, solver, X, y, w):
    """Return the leave-one-out scores; assert that the list gives what its best alpha gives."""
    model = RidgeReadout(alphas, solver=solver).fit(X, y, w)
    single = RidgeReadout(model.alpha_, solver=model.solver_).fit(X, y, w)
    assert_array_equal(model.coef_, single.coef_)
    assert_array_equal(model.intercept_, single.intercept_)
    return model.loo_scores_


@pytest.fixture
def graded():
    rng = np.random.default_rng(0)
    sizes = 10.0 ** np.linspace(-4, 4, 30)
    X = rng.standard_normal((400, 30)) * sizes
    return X, (X / sizes) @ rng.standard_normal(30)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("alpha", [1e-10, 0.0, 1.0])
def test_a_list_of_one_alpha_gives_what_the_alpha_gives(graded, solver, alpha):
    single = RidgeReadout(alpha, solver=solver).fit(*graded)
    listed = RidgeReadout([alpha], solver=solver).fit(*graded)
    assert_array_equal(listed.coef_, single.coef_)
    assert listed.condition_ == pytest.approx(single.condition_)
    assert alpha == 1.0 or listed.score(*graded) > 1 - 1e-9


@pytest.mark.filterwarnings("ignore:alpha=")
@given(seeds, st.integers(6, 9), st.integers(1, 3), spans, weightings, solvers)
def test_leave_one_out_of_columns_of_any_size(seed, n_rows, n_features, span, weighting, solver):
    X, y, w = graded_problem(seed, n_rows, n_features, span, weighting)
    alphas = [0.0, *10.0 ** np.random.default_rng(seed).uniform(-2 * span - 2, 2 * span + 2, 3)]
    scores = scores_and_single(alphas, solver, X, y, w)
    wanted = [exact_ridge.leave_one_out(X, y, alpha, w) for alpha in alphas]
    assert_allclose(scores, wanted, rtol=1e-6, atol=1e-12)
    single = RidgeReadout(alphas[1], solver=solver).fit(X, y, w).predict(X)
    wanted = exact_ridge.predictions(X[w > 0], y[w > 0], alphas[1], w[w > 0])
    assert_allclose(single[w > 0], wanted, rtol=0, atol=1e-9 * np.abs(y).max())


@pytest.mark.filterwarnings("ignore:alpha=")
@given(seeds, st.integers(2, 6), st.integers(0, 4), spans, weightings, solvers)
def test_leave_one_out_of_few_rows_and_columns_of_any_size(
    seed, n_rows, n_more, span, weighting, solver
):
    X, y, w = graded_problem(seed, n_rows, n_rows - 1 + n_more, span, weighting)
    alphas = 10.0 ** np.random.default_rng(seed).uniform(-2 * span - 2, 2 * span + 2, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LinAlgWarning)
        scores = scores_and_single(alphas, solver, X, y, w)
    wanted = [exact_ridge.leave_one_out(X, y, alpha, w) for alpha in alphas]
    assert_allclose(scores, wanted, rtol=1e-8)


@given(seeds, st.sampled_from(["repeated", "multiple", "constant", "sum"]), spans, solvers)
def test_dependent_columns_of_any_size(seed, kind, span, solver):
    X, y, w = graded_problem(seed, 9, 3, span)
    rng = np.random.default_rng(seed)
    added = {
        "repeated": X[:, 0],
        "multiple": X[:, 0] * 2.0 ** rng.integers(-20, 20),
        "constant": np.full(9, 0.1),
        "sum": X[:, 0] + X[:, 1] * 2.0 ** np.round(np.log2(np.ptp(X[:, 0]) / np.ptp(X[:, 1]))),
    }[kind]
    wide = np.c_[X, added]
    alpha = np.ptp(wide, axis=0).max() ** 2 * 1e-6  # alpha must outweigh rounding for the Gram form
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LinAlgWarning)
        scores = scores_and_single([alpha, 10 * alpha], solver, wide, y, w)
    wanted = [exact_ridge.leave_one_out(wide, y, a, w) for a in (alpha, 10 * alpha)]
    assert_allclose(scores, wanted, rtol=1e-6)
    if solver != "gram":  # without a penalty the column changes no prediction
        without = RidgeReadout(0.0, solver=solver).fit(X, y).predict(X)
        predicted = RidgeReadout(0.0, solver=solver).fit(wide, y).predict(wide)
        assert_allclose(predicted, without, rtol=0, atol=1e-7 * np.abs(y).max())


def test_dependent_columns_of_very_different_sizes_lose_no_column(graded):
    X, y = graded
    wide = np.c_[X * 10.0 ** np.linspace(-4, 4, 30), X[:, -1] * 1e4]
    for alpha in (0.0, [0.0, 1e-22]):
        model = RidgeReadout(alpha).fit(wide, y)
        assert model.solver_ == "qr" and model.score(wide, y) > 1 - 1e-9


def nearly_dependent_problem(seed, gap):
    """Return features of sizes 1e-8 to 1e8, one of them another one's multiple up to a gap."""
    rng = np.random.default_rng(seed)
    n_rows, n_features = int(rng.integers(12, 60)), int(rng.integers(2, 6))
    X = rng.standard_normal((n_rows, n_features))
    near = X[:, [0]] + gap * rng.standard_normal((n_rows, 1))
    sizes = 10.0 ** rng.uniform(-8, 8, n_features + 1)
    y = X @ rng.standard_normal(n_features) + rng.standard_normal(n_rows)
    return np.c_[X, near] * sizes, y


@pytest.mark.filterwarnings("ignore:loo_scores_")
@pytest.mark.parametrize("gap", [1e-12, 1e-13])
@pytest.mark.parametrize("solver", ["auto", "qr"])
@pytest.mark.parametrize("alpha", [0, 1e-40, [0.0]])
def test_predictions_of_few_digits_are_warned_of(gap, solver, alpha):
    X, y = nearly_dependent_problem(0, gap)
    with pytest.warns(LinAlgWarning, match="predictions lose about 1. of 16 digits") as warned:
        model = RidgeReadout(alpha, solver=solver).fit(X, y)
    assert warned[0].filename == __file__ and 1e11 < model.condition_ < 1e16
    with pytest.warns(LinAlgWarning, match="cancel"):
        RidgeReadout(0, solver=solver).partial_fit(X, y).predict(X)


@given(seeds, st.floats(-15, 0), st.sampled_from([None, 1e-40, 1e-30, 1e-10, 1.0]))
def test_predictions_depend_on_the_order_of_rows_only_after_a_warning(seed, log_gap, alpha):
    X, y = nearly_dependent_problem(seed, 10.0**log_gap)
    penalty = 0 if alpha is None else alpha * np.ptp(X, axis=0).max() ** 2
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        predicted = RidgeReadout(penalty).fit(X, y).predict(X)
        order = np.random.default_rng(seed).permutation(len(X))
        again = RidgeReadout(penalty).fit(X[order], y[order]).predict(X)
    error = np.abs(again - predicted).max() / np.ptp(y)
    assert warned or error < 1e-3
    assert not warned or log_gap < -6  # no false alarm


@pytest.mark.parametrize("stream", [True, False])
def test_terms_that_cancel_need_the_orthogonal_factor(stream):
    X, y = nearly_dependent_problem(307, 1e-6)
    wanted = RidgeReadout(0, solver="qr").fit(X, y).predict(X)
    if not stream:
        model = RidgeReadout(0).fit(X, y)
        assert model.solver_ == "qr"
        assert_allclose(model.predict(X), wanted, rtol=1e-9)
        return
    with pytest.warns(LinAlgWarning, match='terms cancel: use solver="qr"'):
        predicted = RidgeReadout(0).partial_fit(X, y).predict(X)
    assert_allclose(predicted, wanted, atol=1e-2)


def test_well_posed_problems_raise_no_alarm():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for seed in range(96):
            X, y, w = graded_problem(
                seed, 40, 8, (0, 2, 4, 8)[seed % 4], (None, "some zero")[seed % 2]
            )
            y[seed % 3 == 0 :] += 1e3
            for alpha in (0, 1e-12, 1.0):
                RidgeReadout(alpha, solver=SOLVERS[seed % 3]).fit(X, y, w)
                RidgeReadout(alpha, solver="qr").fit(X[:4], y[:4])  # fewer rows than features
            RidgeReadout(0).fit(np.c_[X, X[:, :2], np.ones(40)], y)  # exactly dependent


def power_of_two_problem(seed, few_rows):
    rng = np.random.default_rng(seed)
    n_features = int(rng.integers(1, 6))
    n_rows = int(rng.integers(3, n_features + 3) if few_rows else rng.integers(12, 40))
    X = rng.standard_normal((n_rows, n_features))
    Y = X @ rng.standard_normal((n_features, 2)) + rng.standard_normal((n_rows, 2))
    return X, Y, rng.uniform(0.5, 2, n_rows)


exponents = st.integers(-480, 450)


@given(seeds, st.booleans(), exponents, st.integers(-400, 400), st.integers(-450, 450), solvers)
def test_units_change_nothing_but_units(seed, few_rows, of_x, of_w, of_y, solver):
    X, Y, w = power_of_two_problem(seed, few_rows)
    alphas = np.array([1e-3, 1.0])
    assume(abs(2 * of_x + of_w) < 900 and abs(of_y - of_x) < 900)
    assume(abs(of_x + of_w / 2) < 480 and abs(of_y + of_w / 2) < 900)
    assume(of_x + of_y + of_w < 1000)  # sums of products
    plain = RidgeReadout(alphas, solver=solver).fit(X, Y, w)
    assume(abs(plain.loo_scores_[0] / plain.loo_scores_[1] - 1) > 1e-6)  # no tie
    scaled_X, scaled_Y = np.ldexp(X, of_x), np.ldexp(Y, of_y)
    model = RidgeReadout(np.ldexp(alphas, 2 * of_x + of_w), solver=solver)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(scaled_X, scaled_Y, np.ldexp(w, of_w))
        predicted = np.ldexp(model.predict(scaled_X), -of_y)
    assert model.alpha_ == np.ldexp(plain.alpha_, 2 * of_x + of_w)
    assert_allclose(np.ldexp(model.coef_, of_x - of_y), plain.coef_, rtol=1e-8, atol=1e-11)
    assert_allclose(predicted, plain.predict(X), rtol=1e-9, atol=1e-9)
    with np.errstate(over="ignore"):
        wanted = np.ldexp(plain.loo_scores_, 2 * of_y)
    assert_allclose(model.loo_scores_, wanted, rtol=1e-7)


@given(
    seeds, st.lists(st.integers(-990, 480), min_size=5, max_size=5), st.sampled_from(["auto", "qr"])
)
def test_without_penalty_every_column_may_have_its_own_unit(seed, of_columns, solver):
    X, Y, _ = power_of_two_problem(seed, few_rows=False)
    scaled = np.ldexp(X, of_columns[: X.shape[1]])
    plain = RidgeReadout([0.0], solver="qr").fit(X, Y)
    single = RidgeReadout(0, solver=solver).fit(scaled, Y)
    listed = RidgeReadout([0, 0, 0], solver=solver).fit(scaled, Y)
    assert_array_equal(listed.coef_, single.coef_)
    assert_allclose(listed.predict(scaled), plain.predict(X), rtol=1e-9, atol=1e-9)
    assert_allclose(listed.loo_scores_, plain.loo_scores_[[0, 0, 0]], rtol=1e-8)


@pytest.mark.parametrize("alpha", [0, [0, 0, 0]])
@pytest.mark.parametrize("scale", [1e-150, 1e-162, 1e-290])
@pytest.mark.parametrize("weight", [1.0, 1e-50])
def test_squares_that_underflow_need_the_orthogonal_factor(alpha, scale, weight):
    rng = np.random.default_rng(0)
    X = scale * rng.standard_normal((50, 4))
    y = 10 * (X / scale) @ [1.0, 2.0, 3.0, 4.0]
    w = weight * (np.arange(50) % 2)
    if scale * weight**0.5 < 1e-300:
        pytest.skip("these features lose digits themselves")
    for solver in ("auto", "qr"):
        model = RidgeReadout(alpha, solver=solver).fit(X, y, w)
        assert model.solver_ == "qr"
        assert_allclose(model.predict(X), y, rtol=0, atol=1e-10)
        assert_array_equal(model.coef_, RidgeReadout(0, solver=solver).fit(X, y, w).coef_)
    with pytest.raises(ValueError, match='X must .* underflow for feature 0: .* solver="qr"'):
        RidgeReadout(alpha, solver="gram").fit(X, y, w)


def test_products_that_underflow_need_the_orthogonal_factor():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((50, 3))
    y = X @ [1.0, 2.0, 3.0]
    model = RidgeReadout(0).fit(1e-100 * X, 1e-230 * y)
    assert model.solver_ == "qr"
    assert_allclose(model.predict(1e-100 * X), 1e-230 * y, rtol=1e-12)
    with pytest.raises(ValueError, match='y must .* underflow for output 0: .* solver="qr"'):
        RidgeReadout(0, solver="gram").fit(1e-100 * X, 1e-230 * y)


def test_a_penalty_that_outweighs_underflow_needs_no_orthogonal_factor():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((50, 3)), rng.standard_normal(50)
    X[:, 1] *= 1e-170
    model = RidgeReadout(1e-6).fit(X, y)
    assert model.solver_ == "gram" and abs(model.coef_[1]) < 1e-150


def test_a_constant_column_is_no_underflow():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((3000, 3)), rng.standard_normal(3000)
    X[:, 1] = 0.1
    with pytest.warns(LinAlgWarning, match="inf"):
        RidgeReadout(0, solver="gram").fit(X, y)


@pytest.mark.parametrize(
    ("X", "alphas"),
    [
        (np.random.default_rng(1).standard_normal((3, 3)), [1e-302, 1e-300, 1e-298]),
        (np.random.default_rng(1).standard_normal((3, 3)) * [1e-302, 1e-300, 1e-298], [1e-6, 1.0]),
        (1e-300 * np.array([[1e-2], [1.0], [1e2]]), [1e-6, 1.0]),
        (np.zeros((3, 2)), [0.0, 1e-300, 1.0]),
    ],
)
def test_leave_one_out_of_three_rows_and_huge_targets(X, alphas):
    y = 1e100 * np.array([0.3, -1.0, 2.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scores = RidgeReadout(alphas).fit(X, y).loo_scores_
    # Without features, or with a penalty far above them, the others' mean predicts a row.
    wanted = [exact_ridge.leave_one_out(X, y, max(a, 1e-302), np.ones(3)) for a in alphas]
    assert_allclose(scores, wanted, rtol=1e-9)


@pytest.mark.filterwarnings("ignore:alpha=")
def test_leave_one_out_errors_beyond_the_range_still_choose():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 3))
    y = X @ [1.0, 2.0, 3.0] + 0.1 * rng.standard_normal(40)
    for scale in (1e200, 1e-200):
        model = RidgeReadout([1e3, 1e-3, 1e9]).fit(X, scale * y)
        assert model.alpha_ == 1e-3
        assert_allclose(model.predict(X) / scale, RidgeReadout(1e-3).fit(X, y).predict(X))


@pytest.mark.parametrize("alpha", [0, [0.0, 1.0]])
@pytest.mark.parametrize(
    ("solver", "of_x", "of_y", "of_w", "message"),
    [
        ("auto", 1e-305, 1, 1, "X, times the root of sample_weight, must vary .* feature 1: scale"),
        ("qr", 1e-305, 1, 1, "X, times the root of sample_weight, must vary .* feature 1: scale"),
        ("gram", 1e-305, 1, 1, "X must have sums of squares, got underflow for feature 1: scale X"),
        ("auto", 1, 1e-305, 1, "y, times the root of sample_weight, must vary .* output 0: scale"),
        ("qr", 1, 1, 1e-320, "sample_weight must have a sum from .*: scale the weights"),
        ("auto", 1, 1, 1e307, "sample_weight must have a sum from .*: scale the weights"),
        ("gram", 1e140, 1e200, 1, "y must have sums of products .* output 0: scale y"),
    ],
)
def test_numbers_out_of_range_are_named(solver, alpha, of_x, of_y, of_w, message):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((50, 2)), rng.standard_normal(50)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match=message):
            RidgeReadout(alpha, solver=solver).fit(X * [1, of_x], of_y * y, of_w * np.ones(50))


def weighted_rows(weights, seed=0, n_features=3, dtype=np.float64):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((len(weights), n_features)).astype(dtype)
    y = X @ rng.standard_normal(n_features) + rng.standard_normal(len(weights))
    return X, y, np.array(weights)


light_rows = pytest.warns(LinAlgWarning, match="sample_weight has weights below 1e-16 of the lar")


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_products_that_overflow_with_both_signs_are_refused(method):
    X, y = (
        1e130 * np.array([[1.0], [1.0], [-1.0], [-1.0]]),
        1e200 * np.array([1.0, -1.0, 1.0, -1.0]),
    )
    with pytest.raises(ValueError, match="y must have sums of products .* output 0: scale y"):
        getattr(RidgeReadout(solver="gram"), method)(X, y)


def test_standardised_coefficients_beyond_the_range_name_y():
    rng = np.random.RandomState(0)
    X, y = 1e-140 * rng.standard_normal((99, 2)), 1e180 * rng.standard_normal(99)
    with pytest.raises(ValueError, match="y must have coefficients on X within the range"):
        RidgeReadout(standardize=True).fit(X, y)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("weights", [[1e50, 1e50, *[1.0] * 8], [1.0, 1.0, *[1e-50] * 8]])
@pytest.mark.parametrize("alpha", [0.0, 1e-60])
@pytest.mark.filterwarnings("ignore:the condition")
@pytest.mark.filterwarnings("ignore:predictions lose")
def test_rows_that_light_weights_lose_are_warned_of(solver, weights, alpha):
    X, y, w = weighted_rows(weights)
    with light_rows as warned:
        RidgeReadout(alpha, solver=solver).fit(X, y, w)
    assert warned[0].filename == __file__
    stream = RidgeReadout(alpha, solver=solver)
    with light_rows:
        stream.partial_fit(X[5:], y[5:], w[5:]).partial_fit(X[:5], y[:5], w[:5]).coef_  # noqa: B018
    with light_rows:
        stream.merge(stream).coef_  # noqa: B018


@pytest.mark.parametrize("light", [0.0, 1e-50, 1e-17])
@pytest.mark.parametrize("solver", SOLVERS)
def test_light_rows_that_do_not_matter_raise_no_alarm(light, solver):
    X, y, w = weighted_rows([1.0] * 8 + [light] * 8)
    few, many = X[:8], y[:8]
    for alpha in (0.0, 1e-3):
        model = RidgeReadout(alpha, solver=solver).fit(X, y, w)
        assert_allclose(model.coef_, RidgeReadout(alpha).fit(few, many).coef_, rtol=1e-9)
    X, y, w = weighted_rows([1.0, 1.0, *[light] * 9])  # two rows, and a penalty
    model, two = (RidgeReadout(1.0, solver=solver) for _ in "ab")
    assert_allclose(model.fit(X, y, w).coef_, two.fit(X[:2], y[:2]).coef_, rtol=1e-9)
    forgetting = 0.99 ** np.arange(8000)
    X, y, w = weighted_rows(forgetting[::-1])
    RidgeReadout([0.0, 1e-6], solver=solver).fit(X, y, w)


@pytest.mark.parametrize("position", [0, 3, 9])
@pytest.mark.parametrize("alpha", [0.0119, 1e-6])
def test_one_heavy_row_leaves_the_others_their_digits(position, alpha):
    X, y, w = weighted_rows([1.0] * 10)
    X += 0.19
    w[position] = 1e50
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LinAlgWarning)
        predicted = RidgeReadout(alpha, solver="qr").fit(X, y, w).predict(X)
    assert_allclose(predicted, exact_ridge.predictions(X, y, alpha, w), rtol=1e-9, atol=1e-9)


def test_terms_of_float32_that_cancel_are_warned_of():
    X, y = nearly_dependent_problem(0, 1e-6)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        RidgeReadout(0, solver="qr").fit(X, y)
    with pytest.warns(LinAlgWarning, match="lose about 4 of 7 digits.*use float64, a larger alpha"):
        RidgeReadout(0, solver="qr").fit(X.astype(np.float32), y)


few_loo_digits = pytest.warns(LinAlgWarning, match="loo_scores_ of alpha=.* fewer than two cor")


@pytest.mark.parametrize(("n_rows", "event"), [(12, 1e7), (4, 1e11)])
def test_leave_one_out_errors_of_few_digits_are_warned_of(n_rows, event):
    X, y, w = weighted_rows([1.0] * n_rows, n_features=5)
    X[:, 0] = 0
    X[1, 0] = event  # which occurs once
    exact = [exact_ridge.leave_one_out(X, y, alpha, w) for alpha in (1e-1, 1e-3)]
    with few_loo_digits:
        model = RidgeReadout([1e-1, 1e-3], solver="qr").fit(X, y)
    assert model.loo_scores_ != pytest.approx(exact, rel=1e-3)
    X[1, 0] = 1e3
    exact = [exact_ridge.leave_one_out(X, y, alpha, w) for alpha in (1e-1, 1e-3)]
    assert_allclose(RidgeReadout([1e-1, 1e-3], solver="qr").fit(X, y).loo_scores_, exact, rtol=1e-3)


@pytest.mark.filterwarnings("ignore:no leave-one-out error is finite")
def test_leave_one_out_without_the_only_heavy_row_is_warned_of():
    X, y, w = weighted_rows([1e50, *[1.0] * 9])
    with few_loo_digits:
        RidgeReadout([1e60, 2e60]).fit(X, y, w)


@pytest.mark.filterwarnings("ignore:the condition of the features")
@pytest.mark.parametrize("alpha", [[1e-310, 0], [0, 5e-324, 1.0]])
@pytest.mark.parametrize("solver", SOLVERS)
def test_features_of_zero_and_a_subnormal_alpha(solver, alpha):
    y = 1e100 * np.random.default_rng(0).standard_normal(20)
    model = RidgeReadout(alpha, solver=solver).fit(np.zeros((20, 2)), y)
    assert_array_equal(model.coef_, 0)
    assert_allclose(model.predict(np.zeros((1, 2))), y.mean())


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_list_of_penalties_keeps_columns_of_small_scale(solver):
    rng = np.random.default_rng(0)
    sc = 10.0 ** np.linspace(-4, 4, 30)
    X = rng.standard_normal((400, 30)) * sc
    y = (X / sc) @ rng.standard_normal(30)
    single = RidgeReadout(1e-10, solver=solver).fit(X, y)
    listed = RidgeReadout([1e-10], solver=solver).fit(X, y)
    assert single.score(X, y) == pytest.approx(1, abs=1e-9)
    assert listed.score(X, y) == pytest.approx(1, abs=1e-9)
    assert_array_equal(listed.coef_, single.coef_)
    tiny = RidgeReadout(0, solver="qr").fit(X * 1e-162, y).predict(X * 1e-162)
    assert_allclose(tiny, y, rtol=0, atol=1e-9)


extreme_weights = st.sampled_from([[1], [0, 1], [1e-50, 1], [1, 1e50], [0, 1e-50, 1], [1e-7, 1e5]])


@given(
    seeds,
    st.integers(2, 9),
    st.integers(1, 4),
    spans,
    extreme_weights,
    st.booleans(),
    solvers,
    st.sampled_from([np.float64, np.float32]),
)
def test_no_large_error_is_silent(
    seed, n_rows, n_features, span, weights, is_sparse, solver, dtype
):
    rng = np.random.default_rng(seed)
    X, y, _ = graded_problem(seed, n_rows, n_features, span)
    if is_sparse:
        X *= rng.random(X.shape) < 0.4  # events that occur once, columns of zeros
    X, y = X.astype(dtype), y.astype(dtype)
    w = rng.uniform(0.5, 2, n_rows) * rng.choice(weights, n_rows)
    w[0] = w[0] or 1.0
    alphas = 10.0 ** rng.uniform(-2 * span - 12, 2 * span + 2, 2) * w.max()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        listed = RidgeReadout(alphas, solver=solver).fit(X, y, w)
        singles = [RidgeReadout(alpha, solver=solver).fit(X, y, w) for alpha in alphas]
    assert {warning.category for warning in warned} <= {LinAlgWarning, UserWarning}
    if warned:
        return
    rows = w > 0
    spread = max(np.ptp(y[rows]), 1e-6 * np.abs(y).max())
    for alpha, single, score in zip(alphas, singles, listed.loo_scores_, strict=True):
        wanted = exact_ridge.predictions(X[rows], y[rows], alpha, w[rows])
        error = 1e-3 if dtype == np.float64 else 2e-2
        assert_allclose(single.predict(X[rows]), wanted, rtol=0, atol=error * spread)
        if np.isfinite(score):
            wanted = exact_ridge.leave_one_out(X, y, alpha, w)
            assert_allclose(score, wanted, rtol=1e-2, atol=1e-12 * spread**2)
