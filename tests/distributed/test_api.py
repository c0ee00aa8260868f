"""The functions are those that the methods of estimators call."""

import numpy as np
import pytest
from partitioned import SERIES_CUTS, assert_same_fit, series
from sklearn.linear_model import Ridge

from esnkit import ESNRegressor, distributed


def test_functions_and_methods_are_the_same(arrays):
    X, Y = series()
    parts = arrays(X, SERIES_CUTS), arrays(Y, SERIES_CUTS)
    model, again = ESNRegressor(20, random_state=0), ESNRegressor(20, random_state=0)
    assert distributed.fit(model, *parts) is model
    assert_same_fit(model, again.fit(*parts), rtol=0)
    np.testing.assert_array_equal(
        distributed.predict(model, parts[0]), again.predict(parts[0]).compute()
    )


def test_a_failed_fit_leaves_the_model_as_it_was(arrays):
    X, Y = series()
    model = ESNRegressor(20, random_state=0).fit(X, Y)
    before = dict(vars(model))
    X[1500] = np.nan
    with pytest.raises(ValueError, match="NaN") as caught:
        model.fit(arrays(X, SERIES_CUTS), Y)
    assert "partition 3" in caught.value.__notes__[0]
    assert vars(model) == before


def test_estimators_of_others_are_named(arrays):
    X, Y = (arrays(part, SERIES_CUTS) for part in series())
    for call in (lambda: distributed.fit(Ridge(), X, Y), lambda: distributed.predict(Ridge(), X)):
        with pytest.raises(TypeError, match=r"estimator must be an ESNRegressor.*got Ridge\(\)"):
            call()


def test_learning_in_closed_loop_is_refused(arrays):
    X, Y = (arrays(part, SERIES_CUTS) for part in series())
    with pytest.raises(ValueError, match="feedback must not be 'force' for dask collections"):
        ESNRegressor(20, feedback="force").fit(X, Y)
