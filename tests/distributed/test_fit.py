"""Fits to dask collections against fits to the same data in memory."""

import numpy as np
import pytest
from partitioned import SERIES_CUTS, assert_same_fit, sequences, series
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, Ridge
from third_party import MirroredSum, TappedDelayLine

from esnkit import ESNClassifier, ESNRegressor, Reservoir, ReservoirClassifier, ReservoirRegressor
from esnkit.pooling import ModelSpace
from esnkit.readouts import RidgeReadout
from esnkit.reservoirs import IntrinsicPlasticityReservoir

BAG_CUTS = (40, 41, 90)
SMALL = {"n_units": 20, "random_state": 0}


def fitted(model, X, y, cut, edges, w=None):
    """Return a model fitted to partitions, and one fitted to the data in memory."""
    one = clone(model).fit(X, y, sample_weight=w)
    w = None if w is None else cut(w, edges)
    return model.fit(cut(X, edges), cut(y, edges), sample_weight=w), one


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"washout": 1403},
        {"feedback": True},
        {"solver": "qr", "include_input": False},
        {"alpha": [1e-3, 1e-1], "input_scaling": "auto"},
        {"leak_rate": 0.01, "quadratic": True},
    ],
    ids=str,
)
def test_a_series_is_fitted_as_on_one_machine(arrays, params):
    model, one = fitted(ESNRegressor(**SMALL, **params), *series(), arrays, SERIES_CUTS)
    assert_same_fit(model, one)
    assert model._stream_end.n_rows == one._stream_end.n_rows == 2000


def test_a_series_of_float32_is_fitted_as_on_one_machine(arrays):
    model, one = fitted(ESNRegressor(**SMALL), *series(dtype=np.float32), arrays, SERIES_CUTS)
    assert_same_fit(model, one, rtol=1e-5)


@pytest.mark.parametrize("per_output", [False, True])
def test_rows_have_weights_which_may_all_be_zero_in_a_partition(arrays, per_output):
    X, Y = series()
    w = np.random.default_rng(2).random(Y.shape if per_output else len(Y))
    w[:1400] = 0.0
    model, one = fitted(ESNRegressor(**SMALL), X, Y, arrays, SERIES_CUTS, w)
    assert_same_fit(model, one)


def test_labels_of_time_steps_may_be_in_some_partitions_only(arrays):
    X, Y = series()
    labels = np.where(Y[:, 0] > 0, "up", "down").astype(object)
    labels[:900] = "start"
    model, one = fitted(
        ESNClassifier(class_weight="balanced", **SMALL), X, labels, arrays, SERIES_CUTS
    )
    assert_same_fit(model, one)
    assert model.readout_.temperature_ == pytest.approx(one.readout_.temperature_)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"pooling": "mean", "alpha": 1.0, "class_weight": {"slow": 2.0, "fast": 1.0, "steady": 0}},
        {"pooling": ["ppv", ModelSpace(4)], "alpha": [0.1, 1.0, 10.0], "washout": 4},
        {"pooling": [np.ptp, "last"], "alpha": 1.0},
        {"differences": True, "pooling": "mean"},
    ],
    ids=["defaults", "class_weight", "fitted", "function", "differences"],
)
def test_ragged_sequences_are_fitted_as_on_one_machine(bags, params):
    X, labels = sequences()
    if params.get("pooling", [None])[0] is np.ptp:
        params = params | {"pooling": [lambda states: np.ptp(states, axis=0), "last"]}
    params = {"pooling": ["statistics", "ppv", ModelSpace(3)]} | params
    model, one = fitted(ESNClassifier(5, random_state=0, **params), X, labels, bags, BAG_CUTS)
    assert_same_fit(model, one, rtol=1e-7)
    if params.get("alpha") != 1.0:
        np.testing.assert_allclose(model.readout_.loo_scores_, one.readout_.loo_scores_)


def test_sequences_have_targets_for_every_step(bags):
    X = sequences()[0]
    y = [np.cumsum(x, axis=0) for x in X]
    w = np.random.default_rng(0).random(90).tolist()
    model, one = fitted(ESNRegressor(washout=20, **SMALL), X, y, bags, BAG_CUTS, w)
    assert_same_fit(model, one)


def test_delayed_sequences_and_delayed_lists_of_them(dask):
    X, labels = sequences()
    one = ESNClassifier(5, pooling="mean", alpha=1.0, random_state=0)
    model = clone(one).fit(
        [dask.delayed(X[:50]), dask.delayed(X[50]), dask.delayed(X[51:])],
        [dask.delayed(labels[:50]), labels[50], labels[51:]],
    )
    assert_same_fit(model, one.fit(X, labels))


def test_a_batch_keeps_its_sequences_whole(arrays):
    X = np.random.default_rng(0).standard_normal((60, 10, 2))
    y = X[:, -1, 0] - X[:, -3, 1]
    model = ESNRegressor(pooling="last", alpha=1e-3, **SMALL)
    one = clone(model).fit(X, y)
    assert_same_fit(model.fit(arrays(X, (25, 60)), y), one)
    with pytest.raises(ValueError, match=r"never cut.*X.rechunk\({1: -1, 2: -1}\)"):
        model.fit(arrays(X, (25, 60)).rechunk((25, 5, 2)), y)


def test_data_frames_name_the_features(dask, arrays):
    pd, dd = pytest.importorskip("pandas"), pytest.importorskip("dask.dataframe")
    X, Y = series(900)
    frame = pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "y": Y[:, 0]})
    parts = dd.from_pandas(frame, npartitions=3)
    parts = parts[parts["y"].abs() < 100].repartition([0, 1, 300, 899], force=True)
    model = ESNRegressor(**SMALL).fit(parts[["a", "b"]], parts["y"])
    assert_same_fit(model, ESNRegressor(**SMALL).fit(frame[["a", "b"]], frame["y"]))
    assert model.feature_names_in_.tolist() == ["a", "b"]
    model.fit(arrays(X, (500, 900)), arrays(Y[:, 0], (500, 900)))
    assert not hasattr(model, "feature_names_in_")


def test_empty_partitions_are_left_out(dask, arrays):
    X, Y = series(900)
    kept = arrays(X, (300, 500, 900)), arrays(Y, (300, 500, 900))
    is_far = arrays(np.arange(900) >= 500, (300, 500, 900))
    model = ESNRegressor(**SMALL).fit(kept[0][is_far], kept[1][is_far])
    assert_same_fit(model, ESNRegressor(**SMALL).fit(X[500:], Y[500:]))
    with pytest.raises(ValueError, match="empty partitions only"):
        model.fit(kept[0][is_far & ~is_far], kept[1][is_far & ~is_far])


@pytest.mark.parametrize(
    "reservoir", [Reservoir(20, spectral_radius=2.0, random_state=0), TappedDelayLine()], ids=type
)
def test_any_causal_reservoir_is_fitted_to_a_series(arrays, reservoir):
    model = ReservoirRegressor(reservoir, RidgeReadout(1.0))
    assert_same_fit(*fitted(model, *series(), arrays, SERIES_CUTS))


def test_few_rows_are_gathered_for_any_readout(bags, monkeypatch):
    X, labels = sequences()
    reservoir = Reservoir(5, random_state=0)
    model = ReservoirClassifier(reservoir, LogisticRegression(), pooling="mean")
    with pytest.raises(TypeError, match="LogisticRegression needs all rows in memory"):
        fitted(model, X, labels, bags, BAG_CUTS)
    monkeypatch.setattr("esnkit.distributed._fit.MAX_GATHERED", 2**20)
    assert_same_fit(*fitted(model, X, labels, bags, BAG_CUTS), rtol=1e-4)
    assert_same_fit(*fitted(ReservoirRegressor(reservoir, Ridge()), *numeric(X), bags, BAG_CUTS))


def numeric(X):
    return X, [float(x.mean()) for x in X]


def test_initial_state_is_that_of_the_first_partition(arrays):
    X, Y = series()
    state = np.linspace(-1, 1, 20)
    one = ESNRegressor(**SMALL).fit(X, Y, initial_state=state)
    parts = arrays(X, SERIES_CUTS), arrays(Y, SERIES_CUTS)
    assert_same_fit(ESNRegressor(**SMALL).fit(*parts, initial_state=state), one)


def test_generate_and_partial_fit_continue_the_last_partition(arrays):
    s = np.sin(np.arange(1001) / 5)[:, None]
    edges = (600, 1000)
    one, model = (ESNRegressor(**SMALL, alpha=1e-3) for _ in range(2))
    one.fit(s[:-1], s[1:])
    model.fit(arrays(s[:-1], edges), arrays(s[1:], edges))
    np.testing.assert_allclose(model.generate(20), one.generate(20), atol=1e-8)
    for m in (one, model):
        m.partial_fit(s[:300], s[1:301])
    assert_same_fit(model, one, rtol=1e-7)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (ESNRegressor(noise=0.1), "noise must be 0 for dask collections"),
        (ReservoirRegressor(MirroredSum()), "a series in partitions needs a causal reservoir"),
        (ReservoirRegressor(IntrinsicPlasticityReservoir()), "reservoir must not adapt to all"),
        (ESNRegressor(washout=5000), "washout=5000 leaves no time step"),
        (ESNRegressor(target="sequence"), "is one series, but y has"),
        (ESNRegressor(alpha=-1), "alpha must be finite and not negative"),
    ],
    ids=["noise", "causal", "adapts", "washout", "target", "alpha"],
)
def test_what_cannot_be_done_in_partitions_is_named(arrays, model, message):
    X, Y = (arrays(part, SERIES_CUTS) for part in series())
    with pytest.raises(ValueError, match=message):
        model.fit(X, Y)
    assert not hasattr(model, "reservoir_")


def test_bad_arguments_are_named(arrays):
    X, Y = (arrays(part, SERIES_CUTS) for part in series())
    model = ESNRegressor(**SMALL)
    for params, message in [
        ({"clamp": ([0], [1.0])}, "clamp must be None"),
        ({"initial_state": ([0], [1.0])}, "initial_state must be a vector"),
        ({"sample_weight": 0 * Y[:, 0]}, "sample_weight is zero everywhere"),
        ({"sample_weight": -(Y[:, 0] ** 2)}, "sample_weight must be finite and >= 0"),
    ]:
        with pytest.raises(ValueError, match=message):
            model.fit(X, Y, **params)
    with pytest.raises(ValueError, match="requires y to be passed"):
        model.fit(X, None)


def test_partitions_must_be_alike(bags):
    X, labels = sequences(4)
    wide = [np.hstack([x, x]) for x in X[:2]]
    with pytest.raises(ValueError, match="same n_features, got 2 and in partition 1 1"):
        ESNClassifier().fit(bags(wide + X[2:], (2, 4)), bags(labels, (2, 4)))
