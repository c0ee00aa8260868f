"""Nonlinear vector autoregression against products written out."""

from itertools import combinations_with_replacement
from math import comb

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from esnkit import NVAR, Forecaster, ReservoirRegressor, RidgeReadout, check_reservoir

X = np.random.default_rng(0).normal(size=(12, 2))


def monomials(X, delays, spacing, orders, products, constant):
    """Return the features, entry by entry."""
    rows = []
    for t in range(len(X)):
        times = [t - k * spacing for k in range(delays)]
        linear = np.concatenate([X[s] if s >= 0 else np.zeros(X.shape[1]) for s in times])
        row = [1.0] if constant else []
        for p in sorted(np.ravel(orders)):
            if products:
                chosen = combinations_with_replacement(range(linear.size), p)
                row += [np.prod(linear[list(c)]) for c in chosen]
            else:
                row += (linear**p).tolist()
        rows.append(row)
    return np.array(rows)


@pytest.mark.parametrize("delays, spacing", [(1, 1), (2, 1), (3, 2), (2, 20)])
@pytest.mark.parametrize("orders", [1, (1, 2), [3, 1], 4])
@pytest.mark.parametrize("products, constant", [(True, False), (True, True), (False, True)])
def test_features_are_the_monomials(delays, spacing, orders, products, constant):
    model = NVAR(delays, spacing=spacing, orders=orders, products=products, constant=constant)
    expected = monomials(X, delays, spacing, orders, products, constant)
    features = model.fit_transform(X)
    assert features.shape == expected.shape == (12, model.n_features_out_)
    np.testing.assert_allclose(features, expected, rtol=1e-12)


def test_it_keeps_the_contract():
    check_reservoir(NVAR())
    check_reservoir(NVAR(3, spacing=2, orders=(1, 3), products=False, constant=True))


def test_the_number_of_features():
    assert NVAR(3, orders=(2, 4)).fit(X).n_features_out_ == comb(7, 2) + comb(9, 4)


def test_a_polynomial_map_is_recovered_without_penalty():
    x = [np.array([0.1, 0.2])]
    for _ in range(300):  # the map of Henon
        x.append(np.array([1 - 1.4 * x[-1][0] ** 2 + x[-1][1], 0.3 * x[-1][0]]))
    series = np.array(x)[100:, :1]
    model = ReservoirRegressor(NVAR(2), LinearRegression(), include_input=False, washout=1)
    model.fit(series[:-1], series[1:])
    # y(t+1) = 1 - 1.4 y(t)^2 + 0.3 y(t-1)
    np.testing.assert_allclose(model.readout_.coef_.ravel(), [0, 0.3, -1.4, 0, 0], atol=1e-10)
    assert model.readout_.intercept_ == pytest.approx(1.0)


def test_it_forecasts_in_closed_loop():
    series = np.sin(np.arange(200) / 5)
    model = ReservoirRegressor(
        NVAR(2, orders=1), LinearRegression(), include_input=False, washout=1
    )
    forecast = np.ravel(Forecaster(model).fit(series).forecast(20))
    np.testing.assert_allclose(forecast, np.sin(np.arange(200, 220) / 5), atol=1e-6)


@pytest.mark.parametrize(
    ("params", "error", "name"),
    [
        ({"delays": 0}, ValueError, "delays"),
        ({"spacing": 1.5}, TypeError, "spacing"),
        ({"orders": 0}, ValueError, "orders"),
        ({"orders": ()}, ValueError, "orders"),
        ({"orders": (2, 2)}, ValueError, "orders"),
        ({"orders": "two"}, TypeError, "orders"),
        ({"products": 1}, TypeError, "products"),
        ({"constant": "no"}, TypeError, "constant"),
    ],
)
def test_wrong_parameters_are_named(params, error, name):
    with pytest.raises(error, match=f"{name} must be"):
        NVAR(**params).fit(X)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_monomials_beyond_the_range_are_an_error_and_no_warning(dtype):
    rows = X.astype(dtype)
    large = rows * np.sqrt(np.finfo(dtype).max)
    model = ReservoirRegressor(NVAR(), RidgeReadout()).fit(rows, rows)
    message = r"monomials of the orders \(1, 2\) left the range of float.*: scale the inputs"
    for call in (NVAR().fit_transform, model.predict):
        with pytest.raises(FloatingPointError, match=message):
            call(large)
