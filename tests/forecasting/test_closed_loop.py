"""`forecast` runs any fitted one-step model in closed loop."""

import numpy as np
import pandas as pd
import pytest
from forecast_problems import WAVE, T, esn
from sklearn.base import clone
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.pipeline import make_pipeline

from esnkit import Reservoir, forecast


def test_forecast_runs_any_one_step_model():
    table = np.c_[WAVE, np.cos(T / 5)]
    linear = LinearRegression().fit(table[:-1], table[1:])
    by_hand, row = [], table[-1:]
    for _ in range(4):
        row = linear.predict(row)
        by_hand.append(row[0])
    np.testing.assert_allclose(forecast(linear, table, 4), by_hand, rtol=1e-12)
    model = esn().fit(table[:-1], table[1:])
    np.testing.assert_array_equal(forecast(model, table, 4), model.generate(4, table))


def test_forecast_keeps_the_memory_of_models_that_have_one():
    class Sum(LinearRegression):
        def predict(self, X):
            return np.cumsum(X, axis=0) / 2

    out = forecast(Sum(), np.array([1.0, 1.0]), 3)
    np.testing.assert_allclose(out, [1.0, 1.5, 2.25])


def test_a_memory_that_shows_late_is_kept():
    impulse = np.append(np.zeros(5), 1.0)
    model = make_pipeline(Reservoir(30, bias_scaling=0, random_state=0), Ridge(1e-6))
    model.fit(WAVE[:300, None], WAVE[1:301])
    whole = impulse
    for _ in range(6):
        whole = np.append(whole, model.predict(whole[:, None])[-1])
    np.testing.assert_allclose(forecast(model, impulse, 6), whole[6:], rtol=1e-6)


@pytest.mark.parametrize("model", [esn(), Ridge()])
def test_a_frame_is_given_to_the_model_as_one(model):
    frame = pd.DataFrame({"a": WAVE[:200], "b": WAVE[100:300]})
    model = clone(model).fit(frame[:-1], frame[1:])
    plain = clone(model).fit(frame[:-1].to_numpy(), frame[1:].to_numpy())
    found = forecast(model, frame, 3)
    np.testing.assert_allclose(found, forecast(plain, frame.to_numpy(), 3), rtol=1e-9)
    with pytest.raises(ValueError, match="eature names"):
        forecast(model, frame[["b", "a"]], 3)
