"""Readouts fitted to dask arrays and data frames of rows."""

import numpy as np
import pytest
from classification_problems import classes
from ridge_problems import assert_same_model, data

from esnkit.distributed import predict
from esnkit.readouts import RidgeReadout

CUTS = (150, 151, 400)


@pytest.mark.parametrize(
    "params",
    [{}, {"solver": "qr"}, {"alpha": [1e-2, 1.0]}, {"alpha": [1e-2, 1.0], "standardize": True}],
    ids=str,
)
def test_rows_are_fitted_as_on_one_machine(arrays, params):
    X, Y = data()
    w = np.random.default_rng(0).random(400)
    one = RidgeReadout(**params).fit(X, Y, w)
    model = RidgeReadout(**params).fit(*(arrays(a, CUTS) for a in (X, Y, w)))
    assert_same_model(model, one)
    assert set(vars(model)) == set(vars(one)) and model.alpha_ == one.alpha_
    np.testing.assert_allclose(model.predict(arrays(X, CUTS)), one.predict(X), atol=1e-9)


def test_classes_are_fitted_as_on_one_machine(arrays):
    X, Y, w = classes(400, 12)
    one = RidgeReadout([0.1, 1.0, 10.0], scoring="classification").fit(X, Y, w)
    model = RidgeReadout([0.1, 1.0, 10.0], scoring="classification")
    model.fit(*(arrays(a, CUTS) for a in (X, Y, w)))
    assert_same_model(model, one)
    np.testing.assert_allclose(model.loo_log_losses_, one.loo_log_losses_)


def test_few_rows_are_gathered(arrays, monkeypatch):
    monkeypatch.setattr("esnkit.distributed._fit_readout.MAX_GATHERED", 10**6)
    X, Y = data(40, 60)
    model = RidgeReadout([0.1, 1.0, 10.0], standardize=True).fit(arrays(X, (7, 40)), Y)
    one = RidgeReadout([0.1, 1.0, 10.0], standardize=True).fit(X, Y)
    assert model.solver_ == one.solver_ == "dual"
    assert_same_model(model, one)


def test_frames_have_names_and_one_target(dask, arrays):
    pd, dd = pytest.importorskip("pandas"), pytest.importorskip("dask.dataframe")
    X, Y = data(400, 2, 1)
    frame = pd.DataFrame(X, columns=["a", "b"]).assign(y=Y[:, 0])
    parts = dd.from_pandas(frame, npartitions=3)
    model = RidgeReadout().fit(parts[["a", "b"]], parts["y"])
    assert_same_model(model, RidgeReadout().fit(X, Y[:, 0]))
    assert model.feature_names_in_.tolist() == ["a", "b"]
    assert model.predict(parts[["a", "b"]]).compute().shape == (400,)
    model.fit(arrays(X, (300, 400)), arrays(Y, (300, 400)))
    assert not hasattr(model, "feature_names_in_")


def test_float32_stays(arrays):
    X, Y = (a.astype(np.float32) for a in data())
    model = RidgeReadout().fit(arrays(X, CUTS), arrays(Y, CUTS))
    assert model.coef_.dtype == np.float32 == model.predict(arrays(X, CUTS)).dtype
    assert_same_model(model, RidgeReadout().fit(X, Y), rtol=1e-5)


def test_bad_rows_are_named(arrays, bags):
    X, Y = data()
    model, parts = RidgeReadout(), arrays(X, CUTS)
    with pytest.raises(ValueError, match=r"X must be rows \(n_rows, n_features\) for RidgeReadout"):
        model.fit(bags([X, X], (1, 2)), bags([Y, Y], (1, 2)))
    with pytest.raises(ValueError, match="y must have as many rows as X, 400, got 300"):
        model.fit(parts, Y[:300])
    with pytest.raises(ValueError, match="initial_state must not be given for RidgeReadout"):
        predict(model.fit(parts, Y), parts, initial_state=X[0])
    with pytest.raises(ValueError, match="alpha must be finite"):
        RidgeReadout(-1.0).fit(parts, Y)
