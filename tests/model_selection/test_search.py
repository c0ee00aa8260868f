"""Searches find what those of scikit-learn find, whatever they search and split."""

from functools import wraps

import joblib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import loguniform
from search_problems import assert_same_results, both, sequences, series
from sklearn import config_context
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneOut,
    RandomizedSearchCV,
    ShuffleSplit,
    StratifiedKFold,
    TimeSeriesSplit,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from esnkit import (
    ESNClassifier,
    ESNRegressor,
    Reservoir,
    ReservoirClassifier,
    ReservoirRandomizedSearchCV,
    ReservoirRegressor,
    ReservoirSearchCV,
    RidgeReadout,
    SequenceScaler,
)
from esnkit.metrics import make_sequence_scorer

ALPHAS = [1e-10, 1e-3, 1.0]
FOLDS = TimeSeriesSplit(3)


def regressor(**params):
    return ESNRegressor(**{"n_units": 8, "random_state": 0} | params)


def classifier(**params):
    return ESNClassifier(**{"n_units": 8, "random_state": 0, "pooling": "mean"} | params)


STEPS = {  # regressors and classifiers of time steps, and other values to try
    "preset": (regressor(washout=2), {"alpha": ALPHAS, "leak_rate": [0.3, 1.0]}),
    "preset, auto": (regressor(input_scaling="auto"), {"alpha": [*ALPHAS, [1e-6, 1e-2]]}),
    "feedback": (regressor(feedback=True, input_density=0.5), {"alpha": [1e-2, 1.0]}),
    "noise": (regressor(noise=0.01), {"alpha": [1e-2, 1.0], "random_state": [0, 1]}),
    "qr": (regressor(), {"solver": ["qr", "gram"], "alpha": [1e-3, 1.0]}),
    "parts": (
        ReservoirRegressor(Reservoir(8, random_state=0), RidgeReadout()),
        {"readout__alpha": ALPHAS, "reservoir__spectral_radius": [0.5, 0.9]},
    ),
    "other readout": (
        ReservoirRegressor(Reservoir(8, random_state=0), Ridge()),
        {"readout__alpha": [0.1, 1.0]},
    ),
    "readout": (RidgeReadout(), {"alpha": ALPHAS, "standardize": [False, True]}),
    "pipeline": (
        make_pipeline(StandardScaler(), regressor()),
        {"esnregressor__alpha": ALPHAS, "standardscaler": [StandardScaler(), "passthrough"]},
    ),
    "states": (
        make_pipeline(Reservoir(8, random_state=0), Ridge()),
        {"ridge__alpha": [0.1, 1.0], "reservoir__leak_rate": [0.3, 1.0]},
    ),
    "targets": (
        TransformedTargetRegressor(regressor(), transformer=StandardScaler()),
        {"regressor__alpha": ALPHAS},
    ),
}
STEP_FOLDS = {
    "time": TimeSeriesSplit(3),
    "gap": TimeSeriesSplit(2, gap=3, test_size=8, max_train_size=30),
    "k": KFold(3),
    "shuffled": KFold(3, shuffle=True, random_state=0),
    "random": ShuffleSplit(2, random_state=0),
    "pairs": [(np.arange(40), np.arange(40, 60)), (np.arange(20, 60), np.arange(20))],
    "masks": [(np.arange(60) < 40, np.arange(60) >= 40)],
}
SEQUENCES = {
    "labels": (classifier(), {"alpha": [*ALPHAS[1:], [1e-2, 1.0]], "leak_rate": [0.3, (0.1, 1)]}),
    "default": (classifier(pooling=("statistics", "ppv", "model_space")), {"alpha": [0.1, 1.0]}),
    "last": (
        ReservoirClassifier(Reservoir(8, random_state=0), LogisticRegression()),
        {"readout__C": [0.1, 1.0], "pooling": ["last", "mean"]},
    ),
    "pipeline": (
        make_pipeline(SequenceScaler(), classifier(class_weight="balanced")),
        {"esnclassifier__alpha": ALPHAS},
    ),
}
SEQUENCE_FOLDS = {
    "k": KFold(3),
    "shuffled": KFold(2, shuffle=True, random_state=0),
    "stratified": StratifiedKFold(2),
    "groups": GroupKFold(3),
    "random": ShuffleSplit(2, random_state=0),
}
SCORINGS = [None, ["accuracy", "neg_log_loss"], "neg_log_loss"]


@settings(max_examples=6)
@given(
    st.sampled_from(sorted(STEPS)),
    st.sampled_from(sorted(STEP_FOLDS)),
    st.sampled_from(["array", "float32", "frame", "outputs"]),
    st.booleans(),
)
def test_searches_over_time_steps(name, folds, container, return_train_score):
    estimator, grid = STEPS[name]
    X, y = series(60, n_features=2)
    if container == "float32":
        X = X.astype("f4")
    elif container == "frame":
        X, y = pd.DataFrame(X, columns=["a", "b"]), pd.Series(y)
    elif container == "outputs":
        y = np.c_[y, X[:, 0]]
    both(
        estimator, grid, X, y,
        cv=STEP_FOLDS[folds], refit=False, return_train_score=return_train_score,
    )  # fmt: skip


# A fold may lack a class: scikit-learn 1.6 then computes no log loss.
@pytest.mark.filterwarnings("ignore:Scoring failed", "ignore:One or more of the test scores")
@settings(max_examples=6)
@given(
    st.sampled_from(sorted(SEQUENCES)),
    st.sampled_from(sorted(SEQUENCE_FOLDS)),
    st.sampled_from(["list", "objects", "batch", "frames"]),
    st.sampled_from(SCORINGS),
)
def test_searches_over_sequences_with_a_label(name, folds, container, scoring):
    estimator, grid = SEQUENCES[name]
    X, y = sequences(18)
    if container == "objects":
        X, items = np.empty(len(X), object), X
        X[:] = items
    elif container == "batch":
        X = np.stack([x[:8] for x in X])
    elif container == "frames":
        X = [pd.DataFrame(x, columns=["a"]) for x in X]
    groups = {"groups": np.arange(18) // 3} if folds == "groups" else None
    both(
        estimator, grid, X, np.array(["a", "b", "c"])[y],
        cv=SEQUENCE_FOLDS[folds], scoring=scoring, refit=False, fit_params=groups,
    )  # fmt: skip


@pytest.mark.parametrize("cv", [LeaveOneOut(), KFold(3)])
@pytest.mark.parametrize("container", ["list", "batch"])
def test_searches_over_sequences_with_a_target_at_every_step(cv, container):
    X, _ = sequences(6)
    if container == "batch":
        X = np.stack([x[:8] for x in X])
    y = np.cumsum(X, axis=1) if container == "batch" else [np.cumsum(x, axis=0) for x in X]
    scorer = make_sequence_scorer(mean_absolute_error, greater_is_better=False)
    both(regressor(target="steps"), {"alpha": ALPHAS}, X, y, cv=cv, scoring=scorer)


def test_the_best_candidate_is_fitted_to_all_data():
    X, y = series()
    ours, theirs = both(regressor(), {"alpha": ALPHAS}, X, y, cv=FOLDS)
    assert np.array_equal(ours.predict(X), theirs.predict(X))
    assert ours.score(X, y) == theirs.score(X, y) and ours.refit_time_ > 0
    assert ours.n_features_in_ == 1 and ours.best_score_ == theirs.best_score_
    assert np.array_equal(ours.best_estimator_.predict(X), ours.predict(X))
    assert "ReservoirSearchCV" in ours._repr_html_()


def test_labels_and_probabilities_are_those_of_the_best_candidate():
    X, y = sequences()
    ours, theirs = both(classifier(), {"alpha": ALPHAS}, X, y, cv=2)
    assert np.array_equal(ours.classes_, theirs.classes_)
    for method in ("predict", "predict_proba", "decision_function"):
        assert np.array_equal(getattr(ours, method)(X), getattr(theirs, method)(X))
    assert not hasattr(ours, "transform")


def test_a_transformer_is_searched_and_transforms():
    X, y = series()

    def spread(model, X, y=None):
        return model.transform(X).std()

    ours, theirs = both(
        Reservoir(8, random_state=0), {"leak_rate": [0.3, 1.0]}, X, y, cv=FOLDS, scoring=spread
    )
    assert np.array_equal(ours.transform(X), theirs.transform(X))


def names_of_scores(model, X, y):
    predicted = model.predict(X)
    return {"r2": r2_score(y, predicted), "mae": -mean_absolute_error(y, predicted)}


@pytest.mark.parametrize(
    "scoring",
    [
        ["r2", "neg_mean_absolute_error"],
        {"r2": "r2", "neg_mean_absolute_error": "neg_mean_absolute_error"},
        names_of_scores,
    ],
)
@pytest.mark.parametrize("refit", [False, "r2"])
def test_several_scores(scoring, refit):
    X, y = series()
    ours, theirs = both(
        regressor(), {"alpha": ALPHAS}, X, y,
        cv=FOLDS, scoring=scoring, refit=refit, return_train_score=True,
    )  # fmt: skip
    assert ours.multimetric_ and hasattr(ours, "predict") is bool(refit)
    if refit:
        assert ours.score(X, y) == theirs.score(X, y)
    if isinstance(scoring, list):
        assert ours.scorer_.keys() == theirs.scorer_.keys()


def test_a_function_may_choose_the_best_candidate():
    X, y = series()
    ours, _ = both(
        regressor(), {"alpha": ALPHAS}, X, y, cv=FOLDS, refit=lambda results: len(results) % 3
    )
    assert not hasattr(ours, "best_score_")
    search = ReservoirSearchCV(regressor(), {"alpha": ALPHAS}, cv=FOLDS, refit=lambda r: 7)
    with pytest.raises(IndexError, match="best_index_ index out of range"):
        search.fit(X, y)


def test_several_scores_need_the_name_of_one():
    X, y = series()
    for scoring in (["r2", "neg_mean_absolute_error"], names_of_scores):
        search = ReservoirSearchCV(regressor(), {"alpha": ALPHAS}, cv=FOLDS, scoring=scoring)
        with pytest.raises(ValueError, match="For multi-metric scoring, the parameter refit must"):
            search.fit(X, y)


def test_random_candidates_are_those_of_scikit_learn():
    X, y = series()
    params = {
        "param_distributions": {"alpha": loguniform(1e-6, 1.0), "leak_rate": [0.3, 1.0]},
        "n_iter": 6, "cv": FOLDS, "random_state": 0,
    }  # fmt: skip
    ours = ReservoirRandomizedSearchCV(regressor(), **params).fit(X, y)
    assert_same_results(ours, RandomizedSearchCV(regressor(), **params).fit(X, y))


def test_several_grids_leave_parameters_out():
    X, y = series()
    grids = [{"alpha": ALPHAS}, {"leak_rate": [0.5], "alpha": [1.0]}, {}]
    both(regressor(), grids, X, y, cv=FOLDS)


def test_weights_are_those_of_the_rows_of_the_fold():
    X, y = series()
    weights = {"sample_weight": np.linspace(0.0, 1.0, 60)}
    both(regressor(), {"alpha": ALPHAS}, X, y, weights, cv=FOLDS)


def test_metadata_are_routed():
    X, y = series()
    weights = {"sample_weight": np.linspace(0.1, 1.0, 60), "groups": np.arange(60) // 12}
    with config_context(enable_metadata_routing=True):
        scored = regressor().set_fit_request(sample_weight=True)
        scored.set_score_request(sample_weight=True)
        both(scored, {"alpha": ALPHAS}, X, y, weights, cv=GroupKFold(3))


@pytest.mark.parametrize("n_jobs", [2, 3])
@pytest.mark.parametrize("grid", [{"alpha": ALPHAS}, {"alpha": ALPHAS, "leak_rate": [0.3, 1.0]}])
def test_jobs_change_no_result(n_jobs, grid):
    X, y = series()
    both(regressor(), grid, X, y, cv=FOLDS, n_jobs=n_jobs, pre_dispatch=2)


@pytest.mark.filterwarnings("ignore:os.fork:RuntimeWarning")  # of JAX, if a peer has imported it
def test_jobs_may_be_processes():
    X, y = series()
    with joblib.parallel_config("multiprocessing", n_jobs=2):
        search = ReservoirSearchCV(regressor(), {"alpha": ALPHAS}, cv=FOLDS).fit(X, y)
    alone = ReservoirSearchCV(regressor(), {"alpha": ALPHAS}, cv=FOLDS).fit(X, y)
    assert_same_results(search, alone)


@pytest.mark.parametrize("max_memory", [0, "10KB", "1MB"])
def test_less_memory_changes_no_score(max_memory):
    X, y = series()
    grid = {"alpha": ALPHAS, "leak_rate": [0.3, 1.0]}
    both(regressor(), grid, X, y, cv=FOLDS, return_train_score=True, max_memory=max_memory)


@pytest.mark.parametrize("max_memory", [0, "1GB"])
@pytest.mark.parametrize("container", [np.asarray, pd.DataFrame])
def test_transformers_that_change_the_data_change_no_other_fit(container, max_memory):
    X, y = series()
    scaler = StandardScaler(copy=False)
    model = make_pipeline(scaler, regressor())
    grid = {"esnregressor__alpha": ALPHAS, "standardscaler": [scaler, "passthrough"]}
    kept = container(5 * X + 3)
    both(
        model, grid, kept, y, cv=FOLDS, return_train_score=True, max_memory=max_memory, refit=False
    )
    np.testing.assert_array_equal(kept, container(5 * X + 3))


def test_without_a_seed_fits_differ_as_in_scikit_learn():
    X, y = series()
    search = ReservoirSearchCV(regressor(random_state=None), {"alpha": [1.0, 1.0]}, cv=FOLDS)
    scores = search.fit(X, y).cv_results_["mean_test_score"]
    assert scores[0] != scores[1]


@pytest.mark.parametrize("estimator", [Ridge(), make_pipeline(StandardScaler(), Ridge())])
def test_other_estimators_are_searched_by_scikit_learn(estimator):
    X, y = series()
    name = "alpha" if isinstance(estimator, Ridge) else "ridge__alpha"
    both(estimator, {name: ALPHAS}, X, y, cv=FOLDS)


def test_a_search_may_be_inside_of_others():
    X, y = series()
    search = ReservoirSearchCV(regressor(), {"alpha": ALPHAS}, cv=FOLDS)
    pipeline = make_pipeline(StandardScaler(), search).fit(X, y)
    assert np.isfinite(pipeline.predict(X)).all()
    grid = {"estimator__leak_rate": [0.3, 1.0]}
    outer = ReservoirSearchCV(search, grid, cv=FOLDS).fit(X, y)
    assert outer.best_estimator_.best_params_["alpha"] in ALPHAS
    assert clone(outer).get_params()["estimator__max_memory"] == "1GB"


@pytest.mark.parametrize("max_memory", ["much", -1, None])
def test_what_is_no_amount_of_memory_is_refused(max_memory):
    X, y = series()
    for estimator in (regressor(), Ridge()):
        search = ReservoirSearchCV(estimator, {"alpha": ALPHAS}, max_memory=max_memory)
        with pytest.raises((ValueError, TypeError), match="max_memory must be a number of bytes"):
            search.fit(X, y)


@pytest.mark.parametrize(
    "params", [{"error_score": "ignore"}, {"cv": 1}, {"n_jobs": "two"}, {"scoring": "r3"}]
)
def test_bad_parameters_raise_the_errors_of_scikit_learn(params):
    X, y = series()
    search = ReservoirSearchCV(regressor(), {"alpha": ALPHAS}, **params)
    with pytest.raises(Exception) as theirs:
        search_of_sklearn = super(ReservoirSearchCV.__mro__[1], search).fit
        search_of_sklearn(X, y)
    with pytest.raises(type(theirs.value)) as ours:
        search.fit(X, y)
    assert str(ours.value) == str(theirs.value)


def test_unknown_parameters_of_candidates_raise():
    X, y = series()
    with pytest.raises(ValueError, match="Invalid parameter 'beta'"):
        ReservoirSearchCV(regressor(), {"beta": [1]}, cv=FOLDS).fit(X, y)


def test_searches_refuse_dask_arrays_without_scoring():
    da = pytest.importorskip("dask.array")
    X, y = da.from_array(np.zeros((60, 1)), chunks=30), da.zeros(60, chunks=30)
    search = ReservoirSearchCV(ESNRegressor(5, random_state=0), {"alpha": [1e-3, 1.0]}, cv=2)
    with pytest.raises(TypeError, match="scoring must be given for collections"):
        search.fit(X, y)
    search.set_params(scoring="r2").fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@pytest.mark.parametrize("name", ["frame", "bag", "delayed"])
@pytest.mark.parametrize("search", [{}, {"search": "halving"}], ids=str)
def test_searches_refuse_dask_collections_without_rows(name, search):
    dask = pytest.importorskip("dask")
    rows = np.zeros((20, 1))
    if name == "frame":
        frames = pytest.importorskip("dask.dataframe")
        X = frames.from_pandas(pd.DataFrame(rows), npartitions=2)
    elif name == "bag":
        X = pytest.importorskip("dask.bag").from_sequence([rows, rows])
    else:
        X = [dask.delayed(rows), dask.delayed(rows)]
    kind = ReservoirRandomizedSearchCV if search else ReservoirSearchCV
    model = kind(ESNRegressor(5), {"alpha": [1.0, 2.0]}, scoring="r2", **search)
    with pytest.raises(TypeError, match=f"X must be a dask array.*got a dask {type(X).__name__}"):
        model.fit(X, rows)


def test_any_score_may_be_decorated():
    da = pytest.importorskip("dask.array")

    class Decorated(Ridge):
        @wraps(Ridge.score)
        def score(self, X, y):
            return 0.5

    X, y = da.from_array(np.eye(6), chunks=3), np.arange(6.0)
    search = ReservoirSearchCV(Decorated(), {"alpha": [1.0]}, cv=2).fit(X, y)
    assert search.best_score_ == 0.5
