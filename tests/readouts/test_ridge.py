"""RidgeReadout against plain least squares, scikit-learn's Ridge, and itself in pieces."""

import copy
import pickle
import warnings

import joblib
import numpy as np
import pytest
from checks import parametrize_with_checks
from classification_problems import classes
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from ridge_problems import SOLVERS, assert_same_model, blocks_of, data, hilbert_like
from scipy.linalg import LinAlgWarning
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from esnkit import ESNRegressor
from esnkit.readouts import RidgeReadout


@parametrize_with_checks(
    [RidgeReadout(), RidgeReadout(solver="qr"), RidgeReadout([0.1, 1.0], standardize=True)]
)
def test_scikit_learn_contract(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # skipped checks warn
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
@pytest.mark.parametrize("alpha", [0.3, [0.03, 3.0]])
def test_zero_weight_equals_removal(solver, alpha):
    X, Y = data()
    w = (np.random.default_rng(3).random(len(X)) < 0.5).astype(float)
    Z = X.copy()
    Z[w == 0] = 1e200  # would overflow if it were read
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
        stream.predict(X)  # possible after every call, without an effect on later ones
        one = RidgeReadout(1e-2, solver=solver).partial_fit(X[part], Y[part], w[part])
        merged = one if merged is None else merged.merge(one)
    assert_same_model(stream, whole, 1e-11)
    assert_same_model(merged, whole, 1e-11)


@pytest.mark.parametrize("solver", SOLVERS)
def test_stream_of_blocks_equals_all_rows(solver):
    X, Y = data(1000, 30)
    whole = RidgeReadout(1e-2, solver=solver).fit(X, Y)
    assert_same_model(RidgeReadout(1e-2, solver=solver).fit_blocks(blocks_of(X, Y)), whole, 1e-11)


@pytest.mark.parametrize("solver", SOLVERS)
def test_rows_are_added_to_a_readout_mapped_from_a_file(solver, tmp_path):
    X, Y = data(600, 30)
    joblib.dump(RidgeReadout(1.0, solver=solver).fit(X[:300], Y[:300]), tmp_path / "readout")
    mapped = joblib.load(tmp_path / "readout", mmap_mode="r").partial_fit(X[300:], Y[300:])
    assert_same_model(mapped, RidgeReadout(1.0, solver=solver).fit(X, Y), 1e-11)


@pytest.mark.parametrize("solver", ["auto", "qr"])
@pytest.mark.parametrize("alpha", [0, [0.0]])
def test_alpha_zero_with_constant_and_repeated_columns_gives_the_least_norm(solver, alpha):
    X, Y = data(300, 5)
    wide = np.c_[X, np.full(300, 0.1), X[:, :2]]
    model = RidgeReadout(alpha, solver=solver).fit(wide, Y)
    centred = wide - wide.mean(axis=0)
    centred[:, 5] = 0
    assert_allclose(model.coef_, (np.linalg.pinv(centred) @ (Y - Y.mean(axis=0))).T, atol=1e-10)
    assert_array_equal(model.coef_[:, 5], 0)
    assert model.solver_ == "qr"


def test_alpha_zero_with_fewer_rows_than_features_interpolates():
    X, Y = data(10, 30)
    assert_allclose(RidgeReadout(0).fit(X, Y).predict(X), Y, atol=1e-10)


@pytest.mark.parametrize("scale", [1e-9, 1e9])
def test_features_of_very_different_size_are_solved_by_both_forms(scale):
    X, Y = data(200, 6)
    X = X * np.array([1, scale, 1, scale**-0.5, 1, 1])
    for solver in ("auto", "gram", "qr"):
        model = RidgeReadout(0, solver=solver).fit(X, Y)
        wanted = np.linalg.lstsq(np.c_[X / X.std(axis=0), np.ones(200)], Y, rcond=None)[0][:-1]
        assert_allclose(model.coef_ * X.std(axis=0), wanted.T, rtol=1e-8)
    assert RidgeReadout(0).fit(X, Y).solver_ == "gram"


def test_a_tiny_alpha_has_an_effect_with_qr():
    X, y = hilbert_like()
    y = np.sign(y)  # not smooth in X, so that it has a component in every direction
    with pytest.warns(LinAlgWarning, match="cancel"):
        sizes = [np.linalg.norm(RidgeReadout(a).fit(X, y).coef_) for a in (1e-26, 1e-22, 1e-16)]
    assert sizes[0] > 3 * sizes[1] > 9 * sizes[2]


def test_float32_rows_are_summed_in_float64():
    X, Y = data(3000, 10)
    X32, Y32 = (X + 1e3).astype(np.float32), Y.astype(np.float32)
    narrow, wide = RidgeReadout(1e-3).fit(X32, Y32), RidgeReadout(1e-3).fit(X32.astype(float), Y32)
    assert narrow.coef_.dtype == np.float32 and narrow.predict(X32).dtype == np.float32
    assert_allclose(narrow.coef_, wide.coef_, rtol=1e-6)


def test_prediction_of_a_row_does_not_depend_on_its_batch():
    X, Y = data(200, 77)
    model = RidgeReadout(1e-3).fit(X, Y)
    whole = model.predict(X)
    assert_array_equal(whole[50:93], model.predict(X[50:93]))
    assert_array_equal(whole[[111]], model.predict(X[[111]]))


@pytest.mark.parametrize(("dtype", "offset"), [(np.float64, 1e8), (np.float32, 2.0**20)])
def test_an_offset_of_the_features_costs_predictions_no_digits(dtype, offset):
    rng = np.random.default_rng(0)
    near = rng.integers(-8, 8, size=(400, 6)).astype(dtype)  # integers stay exact
    y = near @ rng.standard_normal((6, 2)).astype(dtype)
    w = np.ones(y.shape)
    w[:200, 1] = 0
    model = RidgeReadout(0.0).fit(near + dtype(offset), y, w)
    limit = 50 * np.finfo(dtype).eps
    assert_allclose(model.predict(near + dtype(offset)), y, rtol=limit, atol=limit * y.std())


def test_a_pickled_stream_continues_with_the_same_bits():
    X, Y = data()
    a = RidgeReadout(1e-3, solver="qr").partial_fit(X[:300], Y[:300])
    b = pickle.loads(pickle.dumps(a))
    for model in (a, b):
        model.partial_fit(X[300:], Y[300:])
    assert_array_equal(a.coef_, b.coef_)
    fitted = pickle.loads(pickle.dumps(RidgeReadout([1e-3, 1.0]).fit(X, Y)))
    assert_array_equal(fitted.predict(X), RidgeReadout([1e-3, 1.0]).fit(X, Y).predict(X))


def test_fit_discards_earlier_fits_and_repeats_its_bits():
    X, Y = data()
    once = RidgeReadout().fit(X, Y)
    again = RidgeReadout().fit(X[:50] + 7, Y[:50]).fit(X, Y)
    assert_array_equal(once.coef_, again.coef_)


def test_after_a_choice_of_alphas_one_alpha_continues():
    X, Y = data()
    chosen = RidgeReadout([1e-3, 1e-1]).fit(X[:300], Y[:300]).set_params(alpha=1e-2)
    whole = RidgeReadout(1e-2).fit(X, Y)
    assert_same_model(clone(whole).fit(X[300:], Y[300:]).merge(chosen), whole, 1e-11)
    assert_same_model(chosen.partial_fit(X[300:], Y[300:]), whole, 1e-11)


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
def test_wrong_calls_name_the_argument(call, error, message):
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
def test_the_warning_of_a_large_condition_points_at_the_callers_line(late):
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


@pytest.mark.parametrize("one_output", [True, False])
def test_solutions_are_read_only_and_assigned_ones_take_effect_everywhere(one_output):
    X, Y = data()
    Y = Y[:, 0] if one_output else Y
    fitted = RidgeReadout(0.1).fit(X + 5, Y)
    for model in (fitted, pickle.loads(pickle.dumps(fitted))):
        with pytest.raises(ValueError, match="read-only"):
            model.coef_ *= 0.5
        with pytest.raises(ValueError, match="read-only"):
            model.coef_[..., 0] = 0.0
    coef, intercept = 0.5 * fitted.coef_, np.asarray(fitted.intercept_) + 3
    fitted.coef_, fitted.intercept_ = coef, intercept
    for model in (fitted, pickle.loads(pickle.dumps(fitted)), copy.deepcopy(fitted)):
        assert_array_equal(model.coef_, coef)
        assert_array_equal(model.intercept_, intercept)
        assert_allclose(model.predict(X), X @ coef.T + intercept, rtol=1e-12, atol=1e-12)
    coef *= 0  # the readout has a copy
    assert fitted.coef_.any()
    more = fitted.partial_fit(X[:5] + 5, Y[:5])
    other = RidgeReadout(0.1).partial_fit(X + 5, Y).partial_fit(X[:5] + 5, Y[:5])
    assert_allclose(more.predict(X), other.predict(X))


def test_assigned_coefficients_run_closed_loops_and_keep_the_dtype():
    wave = np.sin(np.arange(80, dtype=np.float32) / 4)[:, None]
    model = ESNRegressor(15, random_state=0).fit(wave[:-1], wave[1:])
    before = model.generate(3)
    model.readout_.coef_ = 0.5 * model.readout_.coef_
    model.readout_.intercept_ = np.array([0.25])
    assert model.readout_.coef_.dtype == np.float32
    row, state, rows = wave[-1:], model.last_state_, []
    for _ in range(3):
        row, state = model.predict(row, initial_state=state, return_state=True)
        rows.append(row[0])
    assert_allclose(model.generate(3), rows, rtol=1e-5)
    assert not np.allclose(model.generate(3), before, rtol=0.1)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("coef_", np.zeros(3), r"coef_ must have shape \(\d+, \d+\), got \(3,\)"),
        ("intercept_", np.nan, "intercept_"),
    ],
)
def test_assigned_solutions_that_do_not_fit_are_refused(name, value, message):
    model = RidgeReadout().fit(*data())
    before = model.predict(data()[0])
    with pytest.raises(ValueError, match=message):
        setattr(model, name, value)
    assert_array_equal(model.predict(data()[0]), before)


@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.sampled_from([(6, 20), (15, 15), (40, 6), (200, 9)]),
    solver=st.sampled_from(["auto", *SOLVERS]),
    dtype=st.sampled_from([np.float64, np.float32]),
    log_alpha=st.floats(-3, 4),
)
def test_standardised_features_equal_a_scaler_before_ridge(seed, shape, solver, dtype, log_alpha):
    X, Y, w = classes(*shape, seed=seed)
    X[:, 2] = 0.125  # constant
    X, alpha = X.astype(dtype), 10.0**log_alpha
    model = RidgeReadout(alpha, solver=solver, standardize=True).fit(X, Y, w)
    with np.errstate(invalid="ignore"):  # of the variance of the constant
        scaler = StandardScaler().fit(X.astype(np.float64), sample_weight=w)
    theirs = Ridge(alpha).fit(scaler.transform(X.astype(np.float64)), Y, w)
    tolerance = {np.float64: 1e-9, np.float32: 1e-4}[dtype]
    wanted = theirs.predict(scaler.transform(X.astype(np.float64)))
    assert_allclose(model.predict(X), wanted, atol=tolerance)
    assert_allclose(X @ model.coef_.T + model.intercept_, wanted, atol=10 * tolerance)
    scaled = model.coef_ * scaler.scale_
    assert_allclose(scaled, theirs.coef_, atol=tolerance * np.abs(theirs.coef_).max())


@pytest.mark.parametrize("solver", ["auto", *SOLVERS])
@pytest.mark.parametrize("n_rows", [12, 90])  # fewer and more than the features
def test_standardised_features_in_chunks_and_merged(n_rows, solver):
    X, Y, w = classes(n_rows, 30)
    model = RidgeReadout(0.5, solver=solver, standardize=True)
    whole, first, second = clone(model).fit(X, Y, w), slice(0, 7), slice(7, None)
    chunks = clone(model).partial_fit(X[first], Y[first], w[first])
    assert_same_model(chunks.partial_fit(X[second], Y[second], w[second]), whole)
    continued = clone(model).fit(X[first], Y[first], w[first])
    assert_same_model(continued.partial_fit(X[second], Y[second], w[second]), whole)
    other = clone(model).set_params(alpha=[0.1, 1.0]).fit(X[second], Y[second], w[second])
    assert_same_model(clone(model).fit(X[first], Y[first], w[first]).merge(other), whole)
    assert_same_model(
        other.set_params(alpha=0.5).merge(continued),
        clone(other).fit(
            np.vstack([X[second], X]), np.vstack([Y[second], Y]), np.hstack([w[second], w])
        ),
    )


def test_weights_per_output_have_their_own_standard_deviations():
    X, Y, _ = classes(20, 8)
    w = np.random.default_rng(0).uniform(0.1, 3, Y.shape)
    model = RidgeReadout(2.0, standardize=True).fit(X, Y, w)
    for o in range(3):
        one = RidgeReadout(2.0, standardize=True).fit(X, Y[:, o], w[:, o])
        assert_allclose(model.coef_[o], one.coef_, rtol=1e-9)


def test_few_rows_in_any_state_of_the_readout(tmp_path):
    X, Y, w = classes(9, 30)
    model = RidgeReadout(0.5, standardize=True, scoring="classification").fit(X, Y, w)
    assert model.solver_ == "dual"
    path = tmp_path / "model.joblib"
    joblib.dump(model, path)
    for same in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model), joblib.load(path)):
        assert_array_equal(same.predict(X), model.predict(X))
        assert same.temperature_ == model.temperature_
        same.partial_fit(X, Y)
        assert_same_model(
            same,
            RidgeReadout(0.5, standardize=True).fit(
                np.vstack([X, X]), np.vstack([Y, Y]), np.hstack([w, np.ones(9)])
            ),
        )


def test_fit_forgets_the_rows_that_partial_fit_has_not_yet_added():
    X, Y = data(300)
    model = RidgeReadout(0.1).partial_fit(X[:50], Y[:50]).partial_fit(X[50:100], 9 * Y[50:100])
    model.fit(X[100:200], Y[100:200]).partial_fit(X[200:], Y[200:])
    assert_same_model(model, RidgeReadout(0.1).fit(X[100:], Y[100:]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_largest_probability_is_that_of_the_largest_score(dtype):
    X, Y, _ = classes(40, 6, distance=0.1)
    model = RidgeReadout(1.0, scoring="classification").fit(X.astype(dtype), Y)
    above = np.nextafter(dtype(0.3), dtype(1))
    scores = np.array([[0.3, above, 0.1], [0.2, 0.3, above], [1e30, 0, -1e30]], dtype)
    probabilities = model.probabilities(scores)
    assert probabilities.dtype == dtype and (probabilities >= 0).all()
    assert_array_equal(probabilities.argmax(axis=-1), scores.argmax(axis=-1))
    assert_allclose(probabilities.sum(axis=-1), 1, rtol=1e-6)
    plain = np.exp(scores[:2] / model.temperature_)
    assert_allclose(probabilities[:2], plain / plain.sum(axis=1, keepdims=True), rtol=1e-5)


@pytest.mark.parametrize("y", [[0, 1, 2, 1], [[0, 2], [1, 0], [1, 0], [1, 0]], np.ones((4, 2))])
def test_classification_takes_indicators_alone(y):
    model = RidgeReadout(scoring="classification")
    for method in (model.fit, model.partial_fit):
        with pytest.raises(ValueError, match=r"y must hold class indicators .*np.eye\(n_classes\)"):
            method(np.eye(4), y)


def test_one_class_is_certain():
    X = np.random.default_rng(0).normal(size=(9, 4))
    model = RidgeReadout([0.1, 1.0], scoring="classification").fit(X, np.ones((9, 1)))
    assert_allclose(model.probabilities(model.predict(X)), 1)


@pytest.mark.parametrize("name", ["temperature_", "loo_log_losses_", "probabilities"])
def test_squared_errors_have_no_probabilities(name):
    with pytest.raises(AttributeError):
        getattr(RidgeReadout([0.1, 1.0]).fit(*data(30)), name)


@pytest.mark.parametrize(
    ("params", "error"), [({"scoring": "accuracy"}, ValueError), ({"standardize": 1}, TypeError)]
)
def test_unknown_scoring_and_flags_are_refused(params, error):
    with pytest.raises(error, match=next(iter(params))):
        RidgeReadout(**params).fit(*data(30))


@pytest.mark.parametrize("shape", [(9, 20), (40, 6)])
def test_the_units_of_standardised_features_do_not_matter(shape):
    X, Y, w = classes(*shape)
    solver = "qr" if shape[0] > shape[1] else "auto"
    model = RidgeReadout(0.5, solver=solver, standardize=True).fit(X, Y, w)
    units = 2.0 ** np.linspace(-600, 200, shape[1]).round()
    other = clone(model).fit(X * units, Y, w)
    assert_allclose(other.coef_ * units, model.coef_, rtol=1e-8)
    with pytest.raises(ValueError, match="underflow for feature .*: scale X"):
        clone(model).set_params(solver="gram", alpha=1.0).fit(X * 1e-180, Y, w)
