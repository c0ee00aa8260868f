"""The scaler of sequences is a StandardScaler of their stacked rows, in every container."""

import pickle
import warnings

import numpy as np
import pytest
from checks import parametrize_with_checks
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    cross_val_predict,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from esnkit import ESNClassifier, ESNRegressor, Reservoir, RNNRegressor, SequenceScaler
from esnkit.metrics import make_sequence_scorer, nrmse

RNG = np.random.default_rng(0)
SERIES = RNG.normal([5.0, -3.0], [2.0, 100.0], (40, 2))
CONTAINERS = {
    "series": SERIES,
    "batch": SERIES.reshape(4, 10, 2),
    "list": [SERIES[:7], SERIES[7:9], SERIES[9:]],
}
every_container = pytest.mark.parametrize("X", CONTAINERS.values(), ids=CONTAINERS)


def rows(X):
    return np.concatenate(X) if isinstance(X, list) else X.reshape(-1, X.shape[-1])


@parametrize_with_checks([SequenceScaler(), SequenceScaler(with_mean=False, with_std=False)])
def test_common_checks(estimator, check):
    check(estimator)


@every_container
@pytest.mark.parametrize("with_mean", [True, False])
@pytest.mark.parametrize("with_std", [True, False])
def test_it_is_a_standard_scaler_of_the_rows(X, with_mean, with_std):
    expected = StandardScaler(with_mean=with_mean, with_std=with_std).fit(SERIES)
    scaler = SequenceScaler(with_mean=with_mean, with_std=with_std).fit(X)
    scaled = scaler.transform(X)
    assert type(scaled) is type(X) and len(scaled) == len(X)
    np.testing.assert_array_equal(rows(scaled), expected.transform(SERIES))
    np.testing.assert_array_equal(rows(scaler.fit_transform(X)), expected.transform(SERIES))
    np.testing.assert_allclose(rows(scaler.inverse_transform(scaled)), SERIES, rtol=1e-12)
    for name in ("mean_", "var_", "scale_", "n_samples_seen_"):
        np.testing.assert_array_equal(getattr(scaler, name), getattr(expected, name))


@every_container
def test_parts_give_the_moments_of_the_whole(X):
    scaler = SequenceScaler().partial_fit(X).partial_fit(SERIES[:5] + 1)
    whole = SequenceScaler().fit(np.vstack([SERIES, SERIES[:5] + 1]))
    np.testing.assert_allclose(scaler.mean_, whole.mean_)
    np.testing.assert_allclose(scaler.var_, whole.var_)
    assert scaler.n_samples_seen_ == 45 and scaler.fit(X).n_samples_seen_ == 40


def test_weights_are_of_steps_or_sequences():
    X = CONTAINERS["list"]
    expected = SequenceScaler().fit([X[0], X[0], X[1]])
    per_sequence = [2, 1, 0]
    per_step = [np.full(len(x), w) for x, w in zip(X, per_sequence, strict=True)]
    for weights in (per_sequence, per_step):
        np.testing.assert_allclose(SequenceScaler().fit(X, None, weights).mean_, expected.mean_)
    with pytest.raises(ValueError, match="sample_weight has shape"):
        SequenceScaler().fit(SERIES, sample_weight=np.ones((40, 2)))


def test_a_constant_feature_is_divided_by_one():
    X = [np.full((3, 1), 7.0), np.full((2, 1), 7.0)]
    scaler = SequenceScaler().fit(X)
    assert scaler.scale_.tolist() == [1.0] and not np.any(rows(scaler.transform(X)))


def test_float32_stays_float32():
    for X in CONTAINERS.values():
        small = [x.astype("f4") for x in X] if isinstance(X, list) else X.astype("f4")
        assert rows(SequenceScaler().fit_transform(small)).dtype == np.float32
    assert SequenceScaler().fit_transform([[1], [3]]).tolist() == [[-1.0], [1.0]]


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_have_names_and_one_series_is_a_frame(library):
    module = pytest.importorskip(library)
    frame = module.DataFrame({"a": SERIES[:, 0], "b": SERIES[:, 1]})
    scaler = SequenceScaler().set_output(transform=library)
    scaled = scaler.fit_transform(frame)
    assert isinstance(scaled, module.DataFrame) and list(scaled.columns) == ["a", "b"]
    assert scaler.get_feature_names_out().tolist() == ["a", "b"]
    assert isinstance(scaler.transform([frame, frame])[0], np.ndarray)
    assert isinstance(scaler.fit_transform(CONTAINERS["batch"]), np.ndarray)
    with pytest.raises(ValueError, match="feature names"):
        scaler.fit(frame).transform(frame[["b", "a"]])
    np.testing.assert_allclose(scaler.inverse_transform(np.asarray(scaled)), SERIES, rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda s: s.fit([SERIES, SERIES[:, :1]]), ValueError, r"X\[1\] has 1 features but X\[0\]"),
        (lambda s: s.fit(np.full((3, 1), np.nan)), ValueError, "X contains NaN"),
        (
            lambda s: s.fit(SERIES * [1, 1e200]),
            ValueError,
            "X has a feature whose variance",
        ),
        (lambda s: s.transform(SERIES[:, :1]), ValueError, "X has 1 features.* expecting 2"),
        (lambda s: s.inverse_transform(SERIES[:, :1]), ValueError, "X has 1 features, expected 2"),
        (lambda s: s.inverse_transform(SERIES * np.nan), ValueError, "SequenceScaler does not acc"),
        (lambda s: s.set_params(with_mean=1).fit(SERIES), TypeError, "with_mean must be True or F"),
        (lambda s: clone(s).transform(SERIES), NotFittedError, "SequenceScaler"),
    ],
)
def test_wrong_calls_are_refused_and_change_nothing(call, error, message):
    scaler = SequenceScaler().fit(SERIES)
    before = scaler.transform(SERIES)
    with pytest.raises(error, match=message):
        call(scaler)
    np.testing.assert_array_equal(scaler.transform(SERIES), before)


def test_copies_agree_and_fitted_values_are_not_replaced():
    scaler = SequenceScaler().fit(SERIES)
    copy = pickle.loads(pickle.dumps(scaler))
    np.testing.assert_array_equal(copy.transform(SERIES), scaler.transform(SERIES))
    with pytest.raises(AttributeError):
        scaler.mean_ = np.zeros(2)


@every_container
@pytest.mark.parametrize("scale", [1.0, 1e6])
def test_a_pipeline_works_in_every_container_and_unit(X, scale):
    Z = [scale * x for x in X] if isinstance(X, list) else scale * X
    y = [x[:, 0] for x in X] if isinstance(X, list) else X[..., 0]
    model = make_pipeline(
        SequenceScaler(), ESNRegressor(10, target="steps" if X is not SERIES else "auto",
                                       random_state=0)
    )  # fmt: skip
    assert model.fit(Z, y).score(Z, y) > 0.99
    reference = clone(model).fit(X, y).predict(X)
    for got, expected in zip(model.predict(Z), reference, strict=True):
        np.testing.assert_allclose(got, expected, atol=1e-8)


RAGGED = [RNG.normal([5.0, -3.0], [2.0, 100.0], (n, 2)) for n in (20, 26, 31, 24)]


def as_objects(arrays):
    objects = np.empty(len(arrays), dtype=object)
    objects[:] = arrays
    return objects


def frames(library, build):
    module = pytest.importorskip(library)
    return [build(module, {"a": x[:, 0], "b": x[:, 1]}) for x in RAGGED]


LISTS = {
    "tuple": lambda: tuple(RAGGED),
    "objects": lambda: as_objects(RAGGED),
    "pandas": lambda: frames("pandas", lambda pd, columns: pd.DataFrame(columns)),
    "polars": lambda: frames("polars", lambda pl, columns: pl.DataFrame(columns)),
    "pyarrow": lambda: frames("pyarrow", lambda pa, columns: pa.table(columns)),
}


@pytest.mark.parametrize("make", LISTS.values(), ids=LISTS)
def test_cross_validation_and_searches_take_ragged_sequences_in_every_kind_of_list(make):
    model = make_pipeline(SequenceScaler(), ESNRegressor(12, washout=2, random_state=0))
    X, y, targets = make(), [x[:, 0] for x in RAGGED], [x[-1, 0] for x in RAGGED]
    tools = {"scoring": make_sequence_scorer(r2_score), "cv": KFold(2), "error_score": "raise"}
    search = GridSearchCV(model, {"esnregressor__alpha": [1e-3, 1e9]}, **tools).fit(X, y)
    assert search.best_params_ == {"esnregressor__alpha": 1e-3}
    predictions = cross_val_predict(model, X, targets, cv=KFold(2))
    np.testing.assert_array_equal(
        predictions, cross_val_predict(model, RAGGED, targets, cv=KFold(2))
    )
    folds = cross_validate(model, X, y, return_estimator=True, return_indices=True, **tools)
    np.testing.assert_array_equal(folds["test_score"], cross_val_score(model, RAGGED, y, **tools))
    for fold, test in zip(folds["estimator"], folds["indices"]["test"], strict=True):
        train = np.setdiff1d(range(4), test)
        reference = clone(model).fit([RAGGED[i] for i in train], [y[i] for i in train])
        for i in test:
            np.testing.assert_array_equal(fold.predict([X[i]])[0], reference.predict(RAGGED)[i])


def test_values_whose_sum_is_beyond_the_range_are_scaled_without_a_warning():
    X = np.float32(3e38) * np.array([[1.0], [1.0], [-1.0], [-1.0]], np.float32)
    with warnings.catch_warnings(action="error"):
        scaled = SequenceScaler().fit(X).transform(X)
    np.testing.assert_allclose(scaled[:, 0], [1, 1, -1, -1], rtol=1e-6)


def test_a_large_constant_becomes_zero():
    stamp = 1764480000123456789.0
    rows = np.column_stack([np.arange(1234.0), np.full(1234, stamp)])
    for scaler in (SequenceScaler().fit(rows), SequenceScaler(with_std=False).fit(rows)):
        assert scaler.partial_fit(rows[:77]).mean_[1] == stamp
        assert not scaler.transform(rows)[:, 1].any()
    varied = scaler.partial_fit(np.column_stack([rows[:, 0], 2 * rows[:, 1]]))
    np.testing.assert_allclose(varied.mean_[1], stamp * (1311 + 2 * 1234) / (1311 + 1234))


def test_values_whose_variance_is_below_the_range_are_refused():
    with pytest.raises(ValueError, match="variance is below the range of float64"):
        SequenceScaler().fit(1e-170 * np.arange(6.0)[:, None])
    scaler = SequenceScaler().fit(np.full((3, 1), 1e-170))
    with pytest.raises(ValueError, match="variance is below the range of float64"):
        scaler.partial_fit(np.full((3, 1), 2e-170))
    assert scaler.n_samples_seen_ == 3
    assert SequenceScaler(with_std=False).fit(1e-170 * np.arange(6.0)[:, None]).mean_[0] > 0
    X, weights = np.array([[3e-170], [3e-170], [4.0]]), [1.0, 1.0, 0.0]
    assert SequenceScaler().fit(X, sample_weight=weights).mean_[0] == 3e-170


def test_values_that_scaling_makes_infinite_are_refused():
    scaler = SequenceScaler().fit(1e-100 * np.arange(6.0)[:, None])
    for rows in (np.full((2, 1), 1e250), np.full((2, 1), np.inf)):
        with pytest.raises(ValueError, match="X (has values that leave the range|contains inf)"):
            scaler.transform(rows)
    large = SequenceScaler().fit(1e60 * np.arange(6.0)[:, None])
    with pytest.raises(ValueError, match="leave the range of float32"):
        large.transform(np.ones((2, 1), np.float32))
    with pytest.raises(ValueError, match="leave the range of float64"):
        large.inverse_transform(np.full((2, 1), 1e260))


def test_pipelines_classify_search_and_feed_networks():
    X = [100 + 50 * np.sin(np.arange(30 + i)[:, None] / (2 + 4 * (i % 2))) for i in range(12)]
    labels = np.arange(12) % 2
    network = ESNClassifier(20, input_scaling=0.5, pooling="last", alpha=1.0, random_state=0)
    model = make_pipeline(SequenceScaler(), network)
    grid = {"sequencescaler": ["passthrough", SequenceScaler()]}
    search = GridSearchCV(model, grid, cv=KFold(3)).fit(X, labels)
    assert search.best_score_ > 0.8
    assert isinstance(search.best_params_["sequencescaler"], SequenceScaler)
    network = make_pipeline(SequenceScaler(), RNNRegressor(4, max_iter=2, random_state=0))
    steps = [x[:, 0] for x in X]
    assert [len(p) for p in network.fit(X, steps).predict(X)] == [len(x) for x in X]
    scorer = make_sequence_scorer(nrmse, greater_is_better=False)
    regressor = make_pipeline(SequenceScaler(), ESNRegressor(20, washout=5, random_state=0))
    grid = {"esnregressor__alpha": [1e-4, 1e4]}
    search = GridSearchCV(regressor, grid, scoring=scorer, cv=KFold(2))
    assert search.fit(X, steps).best_params_ == {"esnregressor__alpha": 1e-4}
    series = make_pipeline(SequenceScaler(), Reservoir(20, random_state=0), Ridge())
    assert series.fit(X[0], steps[0]).score(X[0], steps[0]) > 0.9
