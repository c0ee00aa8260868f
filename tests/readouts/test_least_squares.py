"""Sufficient statistics against plain NumPy, in both forms."""

import pickle

import numpy as np
import pytest
import reference
from numpy.testing import assert_allclose, assert_array_equal
from ridge_problems import SOLVERS, blocks_of, data, hilbert_like

from esnkit.readouts import RidgeReadout
from esnkit.readouts._least_squares import (
    GramStatistics,
    QRStatistics,
    subtract_mean,
    to_gram,
)

both_forms = pytest.mark.parametrize("form", [GramStatistics, QRStatistics])


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


def weighted(n_rows=90, n_features=7, seed=0):
    X, Y = data(n_rows, n_features, 2, seed)
    return X, Y, np.random.default_rng(seed).uniform(0.1, 2.0, n_rows)


def filled(form, *blocks):
    X, Y, _ = blocks[0]
    statistics = form(X.shape[1], Y.shape[1])
    for block in blocks:
        statistics.add(*block)
    return statistics


def moments(statistics):
    """Return X'X and X'Y, whatever the form."""
    if isinstance(statistics, GramStatistics):
        lower = np.tril(statistics.triangle)
        return lower + np.tril(lower, -1).T, statistics.cross
    R = np.triu(statistics.triangle)
    return R.T @ R, R.T @ statistics.cross


def assert_same_statistics(ours, theirs):
    assert ours.n_rows == theirs.n_rows
    assert_allclose(ours.weight, theirs.weight, rtol=1e-13)
    for mean in ("mean_x", "mean_y"):
        assert_allclose(getattr(ours, mean).sum(axis=0), getattr(theirs, mean).sum(axis=0))
    for a, b in zip(moments(ours), moments(theirs), strict=True):
        assert_allclose(a, b, rtol=1e-11, atol=1e-11)


@both_forms
def test_moments_are_weighted_and_centred(form):
    X, Y, w = weighted()
    statistics = filled(form, (X, Y, w))
    centred_X, centred_Y = (A - np.average(A, axis=0, weights=w) for A in (X, Y))
    gram, cross = moments(statistics)
    assert_allclose(gram, centred_X.T * w @ centred_X, rtol=1e-11, atol=1e-11)
    assert_allclose(cross, centred_X.T * w @ centred_Y, rtol=1e-11, atol=1e-11)
    assert_allclose(statistics.weight, w.sum())
    assert_allclose(statistics.mean_y.sum(axis=0), np.average(Y, axis=0, weights=w))


@both_forms
@pytest.mark.parametrize("cut", [1, 45, 89])
def test_blocks_and_merges_give_the_statistics_of_all_rows(form, cut):
    X, Y, w = weighted()
    first, rest = (X[:cut], Y[:cut], w[:cut]), (X[cut:], Y[cut:], w[cut:])
    whole, other = filled(form, (X, Y, w)), filled(form, rest)
    assert_same_statistics(filled(form, first, rest), whole)
    merged = filled(form, first)
    merged.merge(other)
    assert_same_statistics(merged, whole)
    assert_same_statistics(other, filled(form, rest))


@both_forms
@pytest.mark.parametrize("alpha", [1e-6, 0.1, 10.0])
def test_both_solutions_are_those_of_augmented_least_squares(form, alpha):
    X, Y, w = weighted()
    statistics = filled(form, (X, Y, w))
    expected, _ = reference.ridge_augmented(X, Y, alpha, w)
    B, condition = statistics.solve(alpha)
    assert_allclose(B, expected, rtol=1e-9)
    assert_allclose(statistics.spectrum().solve(alpha), expected, rtol=1e-9)
    assert 1 <= condition < 1e3


@both_forms
def test_a_singular_matrix_has_an_infinite_condition_and_the_solution_of_least_norm(form):
    X, Y, w = weighted()
    X[:, 3] = X[:, 2] = 0.0
    B, condition = filled(form, (X, Y, w)).solve(0.0)
    root = np.sqrt(w)[:, np.newaxis]
    centred_X, centred_Y = (root * (A - np.average(A, axis=0, weights=w)) for A in (X, Y))
    assert_allclose(B, np.linalg.pinv(centred_X) @ centred_Y, atol=1e-12)
    assert condition == np.inf


@both_forms
def test_the_condition_is_that_of_the_scaled_features(form):
    X, y = hilbert_like(n_features=8)
    centred = X - X.mean(axis=0)
    R = np.linalg.qr(centred / np.linalg.norm(centred, axis=0), mode="r")
    exact = np.linalg.cond(R, 1)
    _, estimate = filled(form, (X, y[:, np.newaxis], np.ones(len(X)))).solve(0.0)
    assert 1e5 < exact and exact / 20 < estimate < exact * 20


@both_forms
def test_selected_outputs_are_an_independent_copy(form):
    X, Y, w = weighted()
    both = filled(form, (X, Y, w))
    second = both.select_outputs(np.array([1]))
    assert_same_statistics(second, filled(form, (X, Y[:, 1:], w)))
    second.add(X, Y[:, 1:], w)
    assert_same_statistics(both, filled(form, (X, Y, w)))


@both_forms
def test_the_gram_matrix_of_either_form(form):
    X, Y, w = weighted()
    statistics = filled(form, (X, Y, w))
    gram = to_gram(statistics)
    assert_same_statistics(gram, filled(GramStatistics, (X, Y, w)))
    assert (gram is statistics) == (form is GramStatistics)


@both_forms
@pytest.mark.parametrize("span", [0, 6])
def test_spectra_give_the_ridge_solutions(form, span):
    X, Y, w = weighted()
    statistics = filled(form, (X * 10.0 ** np.linspace(-span, span, 7), Y, w))
    scale = statistics.equalising_scale(0.1)
    assert (scale is None) == (span == 0)
    solved = statistics.solve(0.1)[0]
    if span == 0:
        assert_allclose(statistics.spectrum().solve(0.1), solved, rtol=1e-9)
        scale = 2.0 ** np.arange(-3, 4)
    assert_allclose(statistics.spectrum(0.1, scale).solve(0), solved, rtol=1e-7)


@both_forms
def test_factors_reproduce_the_penalised_gram_matrix(form):
    X, Y, w = weighted()
    statistics = filled(form, (X, Y, w))
    factor = statistics.factor(0.5)
    R = np.triu(factor.upper) / factor.scale
    gram = np.tril(to_gram(statistics).triangle)
    assert_allclose(np.tril(R.T @ R), gram + 0.5 * np.eye(7), rtol=1e-10, atol=1e-10)


@both_forms
def test_scaled_targets_scale_the_solution_alone(form):
    X, Y, w = weighted()
    statistics = filled(form, (X, Y, w))
    before = statistics.solve(0.1)[0]
    assert_array_equal(statistics.scale_targets(4.0).solve(0.1)[0], 4 * before)
    assert_array_equal(statistics.solve(0.1)[0], before)


@both_forms
def test_sums_of_squares_that_overflow_name_the_feature(form):
    X, Y, w = weighted()
    filled(form, (X, Y, w)).check_overflow()
    X[:, 5] *= 1e200
    with pytest.raises(ValueError, match="feature 5: scale the features"):
        filled(form, (X, Y, w)).check_overflow()


@both_forms
def test_pickles_hold_no_buffers_and_continue(form):
    X, Y, w = weighted()
    statistics = filled(form, (X, Y, w))
    assert statistics._buffers
    copy = pickle.loads(pickle.dumps(statistics))
    assert copy._buffers == ()
    statistics.free_buffers()
    for each in (statistics, copy):
        each.add(X, Y, w)
    assert_array_equal(statistics.triangle, copy.triangle)


def test_a_mean_of_two_rows_is_subtracted_in_float64():
    X = np.full((2, 1), 2.0**24, np.float32)
    centred = subtract_mean(X, np.array([[2.0**24 - 1], [2.0**-30]]))
    assert centred.dtype == np.float64 and (centred == 1 - 2.0**-30).all()
