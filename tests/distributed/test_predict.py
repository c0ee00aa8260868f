"""Lazy predictions by partitions against predictions in memory."""

import numpy as np
import pytest
from partitioned import SERIES_CUTS, sequences, series

from esnkit import ESNClassifier, ESNRegressor

SMALL = {"n_units": 20, "random_state": 0}
METHODS = ["predict", "predict_proba", "decision_function"]


@pytest.mark.parametrize("params", [{}, {"leak_rate": 0.001}, {"feedback": True}], ids=str)
@pytest.mark.parametrize("flat", [True, False])
def test_predictions_of_a_series(arrays, params, flat):
    X, Y = series()
    model = ESNRegressor(**SMALL, **params).fit(X, Y[:, 0] if flat else Y)
    found = model.predict(arrays(X, SERIES_CUTS))
    assert found.chunks[0] == (700, 700, 7, 593) and found.dtype == float
    np.testing.assert_allclose(found, model.predict(X), rtol=0, atol=1e-8)


@pytest.mark.parametrize("method", METHODS)
def test_labels_of_a_series(arrays, method):
    X, Y = series()
    model = ESNClassifier(**SMALL).fit(X, np.where(Y[:, 0] > 0, "up", "down"))
    wanted = getattr(model, method)(X)
    found = getattr(model, method)(arrays(X, SERIES_CUTS))
    assert found.dtype == wanted.dtype and found.shape == wanted.shape
    if method == "predict":
        np.testing.assert_array_equal(found, wanted)
    else:
        np.testing.assert_allclose(found, wanted, atol=1e-8)


@pytest.mark.parametrize("method", METHODS)
def test_bags_have_an_item_for_every_sequence(bags, method):
    X, labels = sequences(40)
    model = ESNClassifier(5, pooling="mean", alpha=1.0, random_state=0).fit(X, labels)
    found = getattr(model, method)(bags(X, (10, 10, 40))).compute()  # one partition is empty
    wanted = getattr(model, method)(X)
    assert len(found) == 40
    if method == "predict":
        assert found == wanted.tolist()
    else:
        np.testing.assert_allclose(found, wanted)


def test_sequences_have_predictions_of_every_step(bags):
    X = sequences(40)[0]
    model = ESNRegressor(**SMALL).fit(X, X)
    found, wanted = model.predict(bags(X, (10, 40))).compute(), model.predict(X)
    assert all(np.allclose(a, b) for a, b in zip(found, wanted, strict=True))


def test_delayed_sequences_have_delayed_predictions(dask):
    X = sequences(8)[0]
    model = ESNRegressor(pooling="mean", alpha=1.0, **SMALL).fit(X, [float(len(x)) for x in X])
    first, rest = dask.compute(*model.predict([dask.delayed(X[0]), dask.delayed(X[1:])]))
    np.testing.assert_allclose([first, *rest], model.predict(X))


@pytest.mark.parametrize("per_step", [False, True])
def test_batches(arrays, per_step):
    X = np.random.default_rng(0).standard_normal((60, 10, 2))
    model = ESNRegressor(pooling="last", alpha=1e-3, **SMALL).fit(X, X if per_step else X[:, -1])
    found = model.predict(arrays(X, (25, 60)))
    assert found.shape == ((60, 10, 2) if per_step else (60, 2))
    np.testing.assert_allclose(found, model.predict(X))


def test_frames_and_empty_partitions(dask, arrays):
    pd, dd = pytest.importorskip("pandas"), pytest.importorskip("dask.dataframe")
    X, Y = series(900)
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    model = ESNRegressor(**SMALL).fit(frame, Y)
    parts = dd.from_pandas(frame, npartitions=3)
    np.testing.assert_allclose(model.predict(parts), model.predict(frame), atol=1e-9)
    kept = parts.map_partitions(lambda f: f[(f.index < 300) | (f.index >= 600)])
    rows = frame[(frame.index < 300) | (frame.index >= 600)]
    np.testing.assert_allclose(model.predict(kept).compute(), model.predict(rows), atol=1e-9)


def test_nothing_is_computed_before_it_is_asked_for(dask):
    import dask.array as da

    def fail(block):
        raise AssertionError("computed")

    X, Y = series(900)
    model = ESNRegressor(**SMALL).fit(X, Y)
    lazy = model.predict(da.from_array(X, chunks=(300, 3)).map_blocks(fail, dtype=float))
    assert lazy.shape == (900, 2)


def test_bad_collections_are_named(arrays):
    X, Y = series(900)
    model = ESNRegressor(**SMALL).fit(X, Y)
    parts = arrays(X, (300, 900))
    for params, name in [
        ({"return_state": True}, "return_state"),
        ({"clamp": ([0], [1.0])}, "clamp"),
    ]:
        with pytest.raises(ValueError, match=f"{name} must not be given for ESNRegressor"):
            model.predict(parts, **params)
    with pytest.raises(ValueError, match="X has 2 features, but ESNRegressor is expecting 3"):
        model.predict(parts[:, :2])
    with pytest.raises(TypeError, match="X must be in memory for ESNRegressor.score"):
        model.score(parts, Y)
