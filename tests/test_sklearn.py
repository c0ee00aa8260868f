"""The promises of scikit-learn: its own checks, and its tools around every estimator of ours."""

import pickle

import joblib
import numpy as np
import pytest
from checks import parametrize_with_checks
from scipy.sparse import csr_array, csr_matrix
from scipy.stats import loguniform, uniform
from sklearn import config_context
from sklearn.base import clone, is_classifier
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import VotingClassifier, VotingRegressor
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    KFold,
    RandomizedSearchCV,
    TimeSeriesSplit,
    cross_val_predict,
    cross_val_score,
    cross_validate,
)
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from esnkit import (
    NVAR,
    AutoForecaster,
    BaseReservoir,
    BidirectionalReservoir,
    DeepReservoir,
    ESNClassifier,
    ESNRegressor,
    Forecaster,
    IntrinsicPlasticityReservoir,
    MemoryReservoir,
    PanelForecaster,
    ParallelReservoir,
    PatchForecaster,
    Reservoir,
    ReservoirClassifier,
    ReservoirRandomizedSearchCV,
    ReservoirRegressor,
    ReservoirSearchCV,
    RidgeReadout,
    RNNClassifier,
    RNNRegressor,
)
from esnkit.baselines import AutoregressiveModel, ContextParrot, RidgeAutoregression, WindowMLP
from esnkit.kernels import reservoir as reservoir_kernels
from esnkit.kernels.cells import forward
from esnkit.kernels.cells_backward import backward
from esnkit.kernels.linalg import affine, centre_rows, weighted_mean
from esnkit.readouts import LMSReadout, RLSReadout

RESERVOIR_KERNELS = [
    kernel for kernel in vars(reservoir_kernels).values() if hasattr(kernel, "signatures")
]
GIVEN = [  # what differs from the defaults below in more than size
    ReservoirRegressor(Reservoir(12)),
    ReservoirClassifier(Reservoir(12)),
    ESNRegressor(12, feedback=True),
    ESNRegressor(12, feedback="force", readout=RLSReadout()),
    Forecaster(ESNRegressor(12)),
    Forecaster(Ridge(), lags=2),
    WindowMLP(2, hidden_layer_sizes=(3,), random_state=0),
]
PLAIN = [
    Reservoir(),
    DeepReservoir(Reservoir(12), 2),
    ParallelReservoir(Reservoir(12), 2),
    BidirectionalReservoir(Reservoir(12)),
    IntrinsicPlasticityReservoir(Reservoir(12)),
    MemoryReservoir(Reservoir(12)),
    NVAR(),
    RidgeReadout(),
    RLSReadout(),
    LMSReadout(),
    ReservoirRegressor(),
    ReservoirClassifier(),
    ESNRegressor(),
    ESNClassifier(),
    Forecaster(),
    AutoForecaster(settings={"n_units": 10, "leak_rate": 1.0, "alpha": 1.0}),
    PanelForecaster(),
    PatchForecaster(),
    AutoregressiveModel(),
    ContextParrot(),
    RidgeAutoregression(),
]
ONE_PENALTY = {"alpha": [1e-3]}
SEARCHES = [
    ReservoirSearchCV(ESNRegressor(8, random_state=0), ONE_PENALTY, cv=2, error_score="raise"),
    ReservoirRandomizedSearchCV(RidgeReadout(), ONE_PENALTY, n_iter=1, cv=2, error_score="raise"),
]
ORDER = {
    "check_methods_sample_order_invariance": "rows are time steps",
    "check_methods_subset_invariance": "rows are time steps",
}


WEIGHTS = {
    "check_sample_weight_equivalence_on_dense_data": "a repeated row is one more time step",
}


def expected_failures(estimator):
    if isinstance(estimator, LMSReadout):
        return {"check_sample_weight_equivalence_on_dense_data": "a repeated row is a second step"}
    if estimator in SEARCHES:  # GridSearchCV fails it too
        known = {"check_supervised_y_2d": "the tag of several outputs is not that of the estimator"}
        return known | (ORDER | WEIGHTS if isinstance(estimator, ReservoirSearchCV) else {})
    # A readout has no memory, and a forecaster no method that predicts row by row.
    if isinstance(
        estimator, RidgeReadout | RLSReadout | PanelForecaster | PatchForecaster
    ) or hasattr(estimator, "backtest"):
        return {}
    if isinstance(estimator, BaseReservoir):
        return ORDER
    if is_classifier(estimator):
        return ORDER | WEIGHTS | {"check_sample_weights_shape": "weights per row and class"}
    return ORDER | WEIGHTS


@parametrize_with_checks(GIVEN + PLAIN + SEARCHES, expected_failed_checks=expected_failures)
def test_common_checks(estimator, check, no_regressions_as_baselines):
    check(estimator)


@pytest.mark.parametrize(
    "readout", [None, LogisticRegression(), LinearSVC(), VotingClassifier([("a", LinearSVC())])]
)
def test_a_class_that_is_not_taught_keeps_its_place(readout):
    X = np.random.default_rng(0).standard_normal((200, 2))
    y = np.array(["a", "b", "c"])[np.digitize(X[:, 0], [-0.5, 0.5])]
    model = ReservoirClassifier(Reservoir(20, random_state=0), readout)
    model.fit(X, y, sample_weight=y != "a")
    assert model.score(X[y != "a"], y[y != "a"]) > 0.9
    proba = model.predict_proba(X)
    assert proba.shape == (200, 3) and np.allclose(proba.sum(axis=1), 1.0)
    assert np.array_equal(model.classes_[proba.argmax(axis=1)], model.predict(X))


def test_one_class_left_to_a_classifier_is_refused():
    X, y = np.random.default_rng(0).standard_normal((50, 2)), np.arange(50) % 2
    model = ReservoirClassifier(Reservoir(20), LogisticRegression())
    with pytest.raises(ValueError, match="sample_weight, washout and class_weight leave one class"):
        model.fit(X, y, sample_weight=y)


def test_probabilities_of_a_regressor_that_knows_nothing_are_equal():
    X, y = np.random.default_rng(0).standard_normal((50, 2)), np.arange(50) % 2
    readout = DummyRegressor(strategy="constant", constant=[-1.0, -1.0])
    model = ReservoirClassifier(Reservoir(20), readout).fit(X, y)
    assert np.all(model.predict_proba(X) == 0.5)


def series(n_timesteps=240, n_features=2):
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (n_timesteps, n_features))
    y = np.convolve(X[:, 0], [0.2, 0.5, 0.3])[:n_timesteps] + 0.1 * X[:, -1]
    return X, y


def batch(n_sequences=24, n_timesteps=20):
    """Waves of two kinds, labelled by words."""
    rng = np.random.default_rng(1)
    labels = np.array(["slow", "fast"])[np.arange(n_sequences) % 2]
    period = np.where(labels == "slow", 6.0, 2.0)[:, None, None]
    phase = rng.uniform(0, 1, (n_sequences, 1, 1))
    X = np.sin(np.arange(n_timesteps)[None, :, None] / period + phase)
    return X + 0.05 * rng.standard_normal(X.shape), labels


def ragged():
    X, labels = batch()
    return [x[: 12 + i % 7] for i, x in enumerate(X)], labels


def esn(n_units=20, **parameters):
    settings = {"input_scaling": 0.3, "bias_scaling": 0.0, "random_state": 0}
    return ESNRegressor(n_units, **(settings | parameters))


def rnn(n_units=8, estimator=RNNRegressor, **parameters):
    settings = {"cell": "gru", "learning_rate_init": 0.03, "max_iter": 3, "random_state": 0}
    return estimator(n_units, **(settings | parameters))


MODELS = {
    "reservoir": Reservoir(15, random_state=0),
    "readout": RidgeReadout(),
    "ReservoirRegressor": ReservoirRegressor(Reservoir(15, random_state=0), Ridge(1e-3)),
    "ReservoirClassifier": ReservoirClassifier(Reservoir(15, random_state=0), LogisticRegression()),
    "ESNRegressor": ESNRegressor(15, leak_rate=(0.1, 1.0), noise=1e-3, random_state=0),
    "feedback": ESNRegressor(15, feedback=True, random_state=0),
    "ESNClassifier": ESNClassifier(15, class_weight="balanced", random_state=0),
    "Forecaster": Forecaster(ESNRegressor(15), random_state=0),
    "RNNRegressor": rnn(cell="lstm", n_layers=2, tbptt=100),
    "RNNClassifier": rnn(estimator=RNNClassifier, bidirectional=True, class_weight="balanced"),
}


def data_for(model):
    X, y = series()
    if isinstance(model, Forecaster):
        return X, None
    return X, np.where(y > 0, "up", "down") if is_classifier(model) else y


def question(model, X):
    """Return the method of a model that answers, and its argument."""
    if isinstance(model, Forecaster):
        return model.forecast, 5
    return model.transform if hasattr(model, "transform") else model.predict, X


def answer(model, X):
    method, argument = question(model, X)
    return method(argument)


# Of every kind of model a parameter that is looked at when much of a fit is done.
CHECKED_LATE = ["max_iter", "spectral_radius", "reservoir__spectral_radius"]
CHECKED_LATE += ["estimator__spectral_radius", "alpha"]
TRAINING_GRID = {"learning_rate_init": [1e-4, 0.03], "n_units": [3, 8]}


@pytest.fixture(params=MODELS)
def case(request):
    """Yield a fitted model, its data, and its answer to them."""
    model = clone(MODELS[request.param])
    X, y = data_for(model)
    return model.fit(X, y), X, y, answer(model, X)


# What is copied, sent to another process, or run twice, stays the same.


def test_a_clone_has_the_parameters_and_nothing_else(case):
    model, X, y, before = case
    copy = clone(model)
    assert copy.get_params(deep=False).keys() == model.get_params(deep=False).keys()
    assert not [name for name in vars(copy) if name.endswith("_")]
    assert repr(copy) == repr(model)
    np.testing.assert_array_equal(answer(copy.fit(X, y), X), before)


def test_fitting_and_answering_twice_gives_the_same_bits(case):
    model, X, y, before = case
    np.testing.assert_array_equal(answer(model, X), before)
    np.testing.assert_array_equal(answer(model.fit(X, y), X), before)


def test_parameters_set_later_wait_for_the_next_fit(case):
    model, X, y, before = case
    for name in model.get_params(deep=False):
        setattr(model, name, object())
    np.testing.assert_array_equal(answer(model, X), before)
    if isinstance(model, Forecaster):
        model.forecast(5, interval=0.5)
        assert model.score(X[:5]) < 0


def test_a_fit_that_fails_changes_nothing(case):
    model, X, y, before = case
    state = vars(model).copy()
    name = next(name for name in CHECKED_LATE if name in model.get_params())
    model.set_params(**{name: -1})
    with pytest.raises(ValueError, match=name.split("__")[-1]):
        model.fit(np.vstack([X, X]) + 7, None if y is None else np.append(y, y))
    assert vars(model).keys() == state.keys()
    np.testing.assert_array_equal(answer(model, X), before)


def test_pickles_go_on_alike(case):
    model, X, y, before = case
    fresh = pickle.loads(pickle.dumps(clone(model)))
    np.testing.assert_array_equal(answer(fresh.fit(X, y), X), before)
    np.testing.assert_array_equal(answer(pickle.loads(pickle.dumps(model)), X), before)


def test_joblib_files_go_on_alike(case, tmp_path):
    model, X, _, before = case
    joblib.dump(model, tmp_path / "model.joblib")
    np.testing.assert_array_equal(answer(joblib.load(tmp_path / "model.joblib"), X), before)
    # Memory-mapped weights are read-only.
    mapped = joblib.load(tmp_path / "model.joblib", mmap_mode="r")
    np.testing.assert_array_equal(answer(mapped, X), before)


def test_nothing_is_compiled_for_arrays_that_may_not_be_written_to(case, tmp_path):
    model, X, y, before = case
    joblib.dump((model, X, y), tmp_path / "all.joblib")
    kernels = [affine, backward, forward, weighted_mean, centre_rows, *RESERVOIR_KERNELS]
    compiled = [len(kernel.signatures) for kernel in kernels]
    mapped, X, y = joblib.load(tmp_path / "all.joblib", mmap_mode="r")
    assert not X.flags.writeable
    np.testing.assert_array_equal(answer(mapped, X), before)
    np.testing.assert_array_equal(answer(clone(model).fit(X, y), X), before)
    assert [len(kernel.signatures) for kernel in kernels] == compiled


@pytest.mark.parametrize("backend", ["loky", "threading"])
@pytest.mark.parametrize("make", [esn, rnn])
def test_parallel_search_gives_the_bits_of_the_serial_one(make, backend):
    X, y = series()
    grid = {"spectral_radius": [0.5, 0.9], "alpha": [1e-6, 1e-2]}
    if make is rnn:
        grid = TRAINING_GRID
    search = GridSearchCV(make(), grid, cv=TimeSeriesSplit(2))
    serial = clone(search).fit(X, y).cv_results_["split1_test_score"]
    with joblib.parallel_config(backend, n_jobs=2):
        parallel = clone(search).fit(X, y).cv_results_["split1_test_score"]
    np.testing.assert_array_equal(parallel, serial)


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_models_may_be_used_by_many_at_once(backend, case):
    model, X, _, before = case
    method, argument = question(model, X)  # a function of this file would make processes import it
    with joblib.parallel_config(backend, n_jobs=2):
        answers = joblib.Parallel()(joblib.delayed(method)(argument) for _ in range(4))
    for one in answers:
        np.testing.assert_array_equal(one, before)


def test_estimators_print_as_code_and_as_a_diagram(case):
    model = case[0]
    assert repr(model).startswith(type(model).__name__ + "(")
    assert type(model).__name__ in model._repr_html_()


def test_only_what_differs_from_the_default_is_printed():
    assert repr(ESNRegressor(20, leak_rate=(0.1, 1.0))) == (
        "ESNRegressor(leak_rate=(0.1, 1.0), n_units=20)"
    )


# Searching and validating, in all three containers.

GRID = {"alpha": [1e-6, 1e-2], "spectral_radius": [0.5, 0.9], "topology": ["diagonals", "cycle"]}


def test_a_grid_is_searched_on_a_series():
    X, y = series()
    model = esn()
    search = GridSearchCV(model, GRID, cv=TimeSeriesSplit(3), error_score="raise").fit(X, y)
    assert len(search.cv_results_["params"]) == 8
    assert search.best_score_ > 0.95 and search.predict(X).shape == y.shape
    first = next(iter(TimeSeriesSplit(3).split(X)))
    alone = clone(model).set_params(**search.cv_results_["params"][0]).fit(X[first[0]], y[first[0]])
    score = alone.score(X[first[1]], y[first[1]])
    assert search.cv_results_["split0_test_score"][0] == score


def test_rates_and_units_of_a_trained_network_are_searched():
    X, y = series()
    model = rnn(batch_size=1, tbptt=20)
    search = GridSearchCV(model, TRAINING_GRID, cv=TimeSeriesSplit(2), error_score="raise")
    search.fit(X, y)
    assert search.best_params_ == {"learning_rate_init": 0.03, "n_units": 8}
    assert search.predict(X).shape == y.shape
    train, test = list(TimeSeriesSplit(2).split(X))[1]
    for parameters, score in zip(
        search.cv_results_["params"], search.cv_results_["split1_test_score"], strict=True
    ):
        alone = clone(model).set_params(**parameters).fit(X[train], y[train])
        assert alone.score(X[test], y[test]) == score


@pytest.mark.filterwarnings("ignore:the network has learned nothing")  # at the smaller rate
@pytest.mark.parametrize("make", [batch, ragged])
def test_a_trained_network_is_searched_on_sequences(make):
    X, labels = make()
    model = rnn(estimator=RNNClassifier, max_iter=40)
    search = GridSearchCV(model, TRAINING_GRID, cv=2, error_score="raise").fit(X, labels)
    assert search.best_params_["learning_rate_init"] == 0.03 and search.best_score_ > 0.8
    assert search.predict(X).shape == labels.shape


@pytest.mark.parametrize("make", [batch, ragged])
def test_a_grid_is_searched_on_sequences(make):
    X, labels = make()
    model = ESNClassifier(15, random_state=0)
    search = GridSearchCV(model, GRID, cv=3, error_score="raise").fit(X, labels)
    assert search.best_score_ > 0.9 and search.predict(X).shape == labels.shape


@pytest.mark.parametrize("make", [batch, ragged])
def test_a_grid_is_searched_with_targets_of_steps(make):
    X, _ = make()
    y = [np.cumsum(x) for x in X] if make is ragged else np.cumsum(X, axis=1)
    model = esn(target="steps")
    search = GridSearchCV(model, GRID, cv=3, error_score="raise").fit(X, y)
    assert np.isfinite(search.best_score_) and len(search.predict(X)) == len(X)


def test_labels_of_steps_are_searched_and_predicted():
    X, _ = ragged()
    y = [np.where(x[:, 0] > 0, "up", "down") for x in X]
    search = GridSearchCV(ESNClassifier(15, random_state=0), GRID, cv=KFold(3)).fit(X, y)
    assert search.best_score_ > 0.9
    assert [rows.shape for rows in search.predict(X)] == [rows.shape for rows in y]


def test_a_randomised_search_draws_from_distributions():
    X, y = series()
    space = {"spectral_radius": uniform(0.1, 1.0), "alpha": loguniform(1e-8, 1.0)}
    search = RandomizedSearchCV(esn(), space, n_iter=4, cv=TimeSeriesSplit(2), random_state=0)
    assert search.fit(X, y).best_score_ > 0.95


def test_halving_goes_by_sequences():
    X, labels = batch(48)
    model, grid = ESNClassifier(10, random_state=0), {"leak_rate": [0.2, 0.6, 1.0]}
    search = HalvingGridSearchCV(model, grid, cv=2, min_resources=12, random_state=0)
    assert search.fit(X, labels).best_score_ > 0.9


def test_scores_of_a_classifier_on_sequences():
    for X, labels in (batch(), ragged()):
        scores = cross_val_score(ESNClassifier(15, random_state=0), X, labels)
        assert scores.shape == (5,) and scores.mean() > 0.9


def test_any_scorer_takes_predictions_of_a_series():
    X, y = series()
    scoring = ["r2", "neg_root_mean_squared_error"]
    found = cross_validate(esn(), X, y, cv=TimeSeriesSplit(3), scoring=scoring)
    assert np.all(found["test_r2"] > 0.8)


def test_predictions_by_cross_validation():
    X, y = series()
    answers = cross_val_predict(esn(), X, y, cv=KFold(4))
    assert answers.shape == y.shape and r2_score(y[5:], answers[5:]) > 0.9
    X, labels = ragged()
    model = ESNClassifier(15, random_state=0)
    assert np.mean(cross_val_predict(model, X, labels, cv=4) == labels) > 0.9
    assert cross_val_predict(model, X, labels, cv=4, method="predict_proba").shape == (24, 2)
    X, _ = batch()
    answers = cross_val_predict(esn(), X, np.cumsum(X, axis=1), cv=4)
    assert answers.shape == X.shape


def test_predictions_of_a_trained_network_by_cross_validation():
    X, y = series()
    answers = cross_val_predict(rnn(), X, y, cv=KFold(3))
    model = clone(rnn()).fit(X[80:], y[80:])
    np.testing.assert_array_equal(answers[:80], model.predict(X[:80]))
    X, labels = ragged()
    model = rnn(estimator=RNNClassifier, max_iter=40)
    assert np.mean(cross_val_predict(model, X, labels, cv=3) == labels) > 0.8
    proba = cross_val_predict(model, X, labels, cv=3, method="predict_proba")
    assert proba.shape == (24, 2) and np.allclose(proba.sum(axis=1), 1)
    assert cross_val_predict(model, X, labels, cv=3, method="decision_function").shape == (24,)
    X, _ = batch()
    assert cross_val_predict(rnn(), X, np.cumsum(X, axis=1), cv=3).shape == X.shape


# Pipelines and other compositions.


def test_a_pipeline_of_scaler_reservoir_and_ridge():
    X, y = series()
    model = make_pipeline(StandardScaler(), Reservoir(30, random_state=0), Ridge(1e-4))
    assert model.fit(1e3 * X[:200] + 5e3, y[:200]).score(1e3 * X[200:] + 5e3, y[200:]) > 0.9
    assert model[:-1].get_feature_names_out().tolist()[:2] == ["reservoir0", "reservoir1"]
    grid = {"reservoir__spectral_radius": [0.3, 0.9], "ridge__alpha": [1e-6, 1e-2]}
    assert GridSearchCV(model, grid, cv=TimeSeriesSplit(2)).fit(X, y).best_score_ > 0.9


def test_reservoirs_side_by_side():
    X, y = series()
    union = make_union(Reservoir(10, random_state=0), Reservoir(20, leak_rate=0.3, random_state=0))
    states = union.fit_transform(X)
    assert states.shape == (240, 30) and len(union.get_feature_names_out()) == 30
    np.testing.assert_array_equal(states[:, :10], Reservoir(10, random_state=0).fit_transform(X))
    assert make_pipeline(union, Ridge(1e-4)).fit(X, y).score(X, y) > 0.9


def test_a_reservoir_for_some_of_the_columns():
    pd = pytest.importorskip("pandas")
    X, y = series()
    frame = pd.DataFrame(X, columns=["drive", "other"])
    columns = [("states", Reservoir(30, random_state=0), ["drive"]), ("as is", "passthrough", [1])]
    split = ColumnTransformer(columns)
    model = make_pipeline(split, Ridge(1e-6)).fit(frame, y)
    assert split.fit_transform(frame).shape == (240, 31) and model.score(frame, y) > 0.99


def test_a_transformed_target():
    X, y = series()
    model = TransformedTargetRegressor(esn(), func=np.expm1, inverse_func=np.log1p)
    assert model.fit(X, y).score(X, y) > 0.85
    scaled = TransformedTargetRegressor(esn(), transformer=StandardScaler())
    plain = esn().fit(X, y)
    np.testing.assert_allclose(scaled.fit(X, y).predict(X), plain.predict(X), atol=1e-5)


def test_votes_of_several_networks():
    X, y = series()
    members = [(f"seed {seed}", esn(random_state=seed)) for seed in range(3)]
    vote = VotingRegressor(members).fit(X, y)
    mean = np.mean([model.fit(X, y).predict(X) for _, model in members], axis=0)
    np.testing.assert_allclose(vote.predict(X), mean, rtol=1e-12)


def test_one_network_for_every_output():
    X, y = series()
    model = MultiOutputRegressor(esn()).fit(X, np.stack([y, -y], axis=1))
    np.testing.assert_allclose(model.predict(X), np.stack([1, -1]) * model.predict(X)[:, :1])


def test_a_column_that_matters_is_important():
    X, y = series(n_features=3)
    model = esn().fit(X, y)
    found = permutation_importance(model, X, y, n_repeats=3, random_state=0).importances_mean
    assert found.argmax() == 0 and found[1] < 0.02


def test_parameters_are_nested():
    model = ReservoirRegressor(Reservoir(10), Ridge())
    model.set_params(reservoir__spectral_radius=0.5, readout__alpha=0.25)
    assert model.reservoir.spectral_radius == 0.5 and model.readout.alpha == 0.25
    X, y = series()
    grid = {"reservoir__leak_rate": [0.01, 0.8], "readout": [None, Ridge(1e-3)]}
    search = GridSearchCV(model, grid, cv=TimeSeriesSplit(2)).fit(X, y)
    assert search.best_params_["reservoir__leak_rate"] == 0.8
    with pytest.raises(ValueError, match="spectral_radios"):
        ESNRegressor().set_params(spectral_radios=0.5)


def test_a_seed_of_its_own_wins_over_that_of_the_model():
    X, y = series()
    models = [
        ReservoirRegressor(Reservoir(10, random_state=1)),
        ReservoirRegressor(Reservoir(10), random_state=1),
        ReservoirRegressor(Reservoir(10, random_state=1), random_state=2),
    ]
    first, *others = (model.fit(X, y).predict(X) for model in models)
    for other in others:
        np.testing.assert_array_equal(other, first)


# Names and kinds of data.


def test_states_come_as_frames_on_demand():
    pd = pytest.importorskip("pandas")
    X, y = series()
    index = pd.date_range("2024-01-01", periods=len(X), freq="h")
    frame = pd.DataFrame(X, index=index, columns=["a", "b"])
    model = Reservoir(4, random_state=0).set_output(transform="pandas")
    states = model.fit_transform(frame)
    assert states.columns.tolist() == [f"reservoir{i}" for i in range(4)]
    assert states.index.equals(index) and model.transform(frame).equals(states)
    pipe = make_pipeline(StandardScaler(), model, Ridge()).set_output(transform="pandas")
    assert pipe.fit(frame, y)[-1].feature_names_in_.tolist() == states.columns.tolist()


def test_a_trained_network_takes_the_frames_of_a_scaler():
    pd = pytest.importorskip("pandas")
    X, y = series()
    frame = pd.DataFrame(X, columns=["a", "b"])
    pipe = make_pipeline(StandardScaler(), rnn()).set_output(transform="pandas").fit(frame, y)
    assert pipe[-1].feature_names_in_.tolist() == ["a", "b"]
    expected = make_pipeline(StandardScaler(), rnn()).fit(X, y).predict(X)
    np.testing.assert_allclose(pipe.predict(frame), expected, atol=1e-9)


def test_sequences_stay_arrays_where_frames_are_asked_for():
    X, _ = batch()
    model = Reservoir(4, random_state=0).set_output(transform="pandas").fit(X)
    assert isinstance(model.transform(X), np.ndarray)
    assert isinstance(model.transform(list(X)), list)


def test_names_of_features_are_kept_and_compared(case):
    pd = pytest.importorskip("pandas")
    model, X, y, before = case
    frame = pd.DataFrame(X, columns=["a", "b"])
    np.testing.assert_array_equal(answer(clone(model).fit(frame, y), frame), before)
    model = clone(model).fit(frame, y)
    assert model.feature_names_in_.tolist() == ["a", "b"] and model.n_features_in_ == 2
    if isinstance(model, Forecaster):
        return
    with pytest.raises(ValueError, match="feature names"):
        answer(model, frame.rename(columns={"a": "c"}))
    with pytest.raises(ValueError, match="feature names"):
        answer(model, frame[["b", "a"]])
    with pytest.warns(UserWarning, match="feature names"):
        answer(model, X)


def test_lists_of_frames_are_ragged_sequences():
    pd = pytest.importorskip("pandas")
    X, labels = ragged()
    frames = [pd.DataFrame(x, columns=["wave"]) for x in X]
    model = ESNClassifier(15, random_state=0).fit(frames, pd.Series(labels))
    assert model.feature_names_in_.tolist() == ["wave"]
    np.testing.assert_array_equal(model.predict(frames), clone(model).fit(X, labels).predict(X))
    with pytest.raises(ValueError, match="feature names"):
        model.predict([frame.rename(columns={"wave": "other"}) for frame in frames])


def test_targets_may_be_series_and_frames():
    pd = pytest.importorskip("pandas")
    X, y = series()
    index = np.arange(len(y)) + 1000
    expected = esn().fit(X, y).predict(X)
    for target in (pd.Series(y, index=index), pd.Series(y, index=index, dtype="Float64"), list(y)):
        model = esn().fit(X, target)
        np.testing.assert_array_equal(model.predict(X), expected)
    model = esn().fit(X, pd.DataFrame({"y": y}))
    np.testing.assert_array_equal(model.predict(X), expected[:, None])


@pytest.mark.parametrize("dtype", ["category", "string", "bool", "Int64"])
def test_labels_may_be_of_any_kind_of_pandas(dtype):
    pd = pytest.importorskip("pandas")
    X, y = series()
    labels = pd.Series(y > 0).astype(int).astype(dtype)
    model = ESNClassifier(15, random_state=0).fit(X, labels)
    assert np.mean(model.predict(X) == labels.to_numpy()) > 0.9


def layouts(X, folder):
    path = str(folder / "X.npy")
    np.save(path, X)
    read_only = X.copy()
    read_only.flags.writeable = False
    return {
        "memmap": np.load(path, mmap_mode="r"),
        "read-only": read_only,
        "Fortran": np.asfortranarray(X),
        "strided": np.repeat(X, 2, axis=0)[::2],
        "reversed": X[::-1].copy()[::-1],
        "big-endian": X.astype(">f8"),
        "object": X.astype(object),
        "list": X.tolist(),
    }


def test_the_layout_of_the_data_does_not_matter(case, tmp_path):
    model, X, y, before = case
    for name, Z in layouts(X, tmp_path).items():
        if name == "list" and isinstance(model, Forecaster):
            continue
        np.testing.assert_array_equal(answer(model, Z), before, err_msg=name)
        np.testing.assert_array_equal(answer(clone(model).fit(Z, y), Z), before, err_msg=name)


def test_the_layout_of_sequences_does_not_matter(tmp_path):
    X, labels = batch()
    model = ESNClassifier(15, random_state=0).fit(X, labels)
    before = model.decision_function(X)
    for name, Z in layouts(X, tmp_path).items():
        if name not in ("list", "object"):
            np.testing.assert_array_equal(model.decision_function(Z), before, err_msg=name)
    items = np.empty(len(X), dtype=object)
    items[:] = list(X)
    np.testing.assert_array_equal(model.decision_function(items), before)


def test_integers_are_numbers(case):
    model, X, y, _ = case
    whole = np.round(4 * X).astype(np.int8)
    model = clone(model).fit(whole.astype(float), y)
    before = answer(model, whole.astype(float))
    np.testing.assert_array_equal(answer(clone(model).fit(whole, y), whole), before)


def test_float32_stays_float32():
    X, y = (values.astype(np.float32) for values in series())
    for model in (esn(), esn(feedback=True), ReservoirRegressor()):
        assert model.fit(X, y).predict(X).dtype == np.float32
        assert model.reservoir_.W_.dtype == np.float32
    assert Reservoir(15).fit_transform(X).dtype == np.float32
    assert RidgeReadout().fit(X, y).predict(X).dtype == np.float32
    labels = y > 0
    assert ESNClassifier(15).fit(X, labels).predict_proba(X).dtype == np.float32
    assert esn().fit(X[:-1], X[1:]).generate(5).dtype == np.float32
    assert rnn().fit(X, y).predict(X).dtype == np.float32
    assert rnn().fit(X[:-1], X[1:]).generate(5).dtype == np.float32
    assert rnn(estimator=RNNClassifier).fit(X, labels).predict_proba(X).dtype == np.float32


@pytest.mark.parametrize("container", [csr_array, csr_matrix])
def test_sparse_data_are_refused(case, container):
    model, X, y, _ = case
    with pytest.raises(TypeError, match="[Ss]parse"):
        clone(model).fit(container(X), y)
    if not isinstance(model, Forecaster):
        with pytest.raises(TypeError, match="[Ss]parse"):
            answer(model, container(X))


# Weights, and the routing of metadata.


@pytest.fixture
def routing():
    with config_context(enable_metadata_routing=True):
        yield


def weights_of(X):
    return np.where(np.arange(len(X)) < 60, 0.0, np.linspace(1, 2, len(X)))


@pytest.mark.parametrize("make", [esn, rnn])
def test_weights_reach_a_step_of_a_pipeline(make):
    X, y = series()
    w = weights_of(X)
    scaled = StandardScaler().fit_transform(X)
    expected = make().fit(scaled, y, sample_weight=w).predict(scaled)
    model = make_pipeline(StandardScaler(), make())
    model.fit(X, y, **{f"{model.steps[1][0]}__sample_weight": w})
    np.testing.assert_array_equal(model.predict(X), expected)
    unweighted = clone(model).fit(X, y).predict(X)
    assert not np.array_equal(unweighted, expected)


@pytest.mark.parametrize("make", [esn, rnn])
def test_weights_are_routed_through_a_pipeline(routing, make):
    X, y = series()
    w = weights_of(X)
    last = make().set_fit_request(sample_weight=True)
    scaled = StandardScaler().fit_transform(X)
    expected = clone(last).fit(scaled, y, sample_weight=w).predict(scaled)
    scaler = StandardScaler().set_fit_request(sample_weight=False)
    model = make_pipeline(scaler, last).fit(X, y, sample_weight=w)
    np.testing.assert_array_equal(model.predict(X), expected)


ROUTED = {
    "ESNRegressor": {"include_input": [True, False]},
    "ESNClassifier": {"include_input": [True, False]},
    "ReservoirRegressor": {"include_input": [True, False]},
    "RNNRegressor": {"n_units": [3, 8]},
    "RNNClassifier": {"n_units": [3, 8]},
}


@pytest.mark.parametrize("name", ROUTED)
def test_weights_are_routed_through_a_search(routing, name):
    model = clone(MODELS[name]).set_fit_request(sample_weight=True)
    X, y = data_for(model)
    w = weights_of(X)
    split = TimeSeriesSplit(2)
    model.set_score_request(sample_weight=True)
    search = GridSearchCV(model, ROUTED[name], cv=split, error_score="raise")
    search.fit(X, y, sample_weight=w)
    train, test = list(split.split(X))[-1]
    alone = (
        clone(model)
        .set_params(**search.cv_results_["params"][0])
        .fit(X[train], y[train], sample_weight=w[train])
    )
    score = alone.score(X[test], y[test], sample_weight=w[test])
    assert search.cv_results_["split1_test_score"][0] == score


@pytest.mark.parametrize("make", [esn, rnn])
def test_weights_nobody_asked_for_are_refused(routing, make):
    X, y = series()
    model = make_pipeline(StandardScaler(), make())
    with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
        model.fit(X, y, sample_weight=weights_of(X))


@pytest.mark.parametrize("make", [esn, rnn])
def test_starts_are_routed_too(routing, make):
    X, y = series()
    start = np.full(20, 0.5)
    last = make(20).set_fit_request(initial_state=True)
    last.set_predict_request(initial_state=True)
    model = make_pipeline(last).fit(X, y, initial_state=start)
    alone = clone(last).fit(X, y, initial_state=start)
    np.testing.assert_array_equal(
        model.predict(X, initial_state=start), alone.predict(X, initial_state=start)
    )
    assert not np.array_equal(model.predict(X), alone.predict(X, initial_state=start))


@pytest.mark.parametrize("name", ["ESNRegressor", "ESNClassifier", "RNNRegressor"])
def test_scores_start_where_they_are_told(routing, name):
    model = clone(MODELS[name])
    X, y = data_for(model)
    model.fit(X, y)
    given = {"initial_state": ([0, 1], [0.9, -0.9]), "clamp": ([2], [2.0])}
    for states in ({"initial_state": given["initial_state"]}, {"clamp": given["clamp"]}):
        metric = accuracy_score if is_classifier(model) else r2_score
        expected = metric(y[:9], model.predict(X[:9], **states))
        assert model.score(X[:9], y[:9], **states) == expected != model.score(X[:9], y[:9])
    model.set_score_request(initial_state=True)
    pipe = make_pipeline(model).score(X[:9], y[:9], initial_state=given["initial_state"])
    assert pipe == model.score(X[:9], y[:9], initial_state=given["initial_state"])


def test_weights_reach_every_member_of_a_vote():
    X, y = series()
    w = weights_of(X)
    vote = VotingRegressor([("only", esn())])
    alone = esn().fit(X, y, sample_weight=w)
    with config_context(enable_metadata_routing=True):
        vote.estimators[0][1].set_fit_request(sample_weight=True)
        vote.fit(X, y, sample_weight=w)
    np.testing.assert_array_equal(vote.predict(X), alone.predict(X))


def test_weights_zero_are_a_washout():
    X, y = series()
    w = np.ones(len(y))
    w[:30] = 0
    by_weight = esn().fit(X, y, sample_weight=w)
    by_washout = esn(washout=30).fit(X, y)
    np.testing.assert_array_equal(by_weight.predict(X), by_washout.predict(X))
