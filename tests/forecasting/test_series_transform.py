"""SeriesTransform: exact inverses, containers, scikit-learn, and wrong calls."""

import numpy as np
import pandas as pd
import pytest
from checks import parametrize_with_checks
from sklearn.base import clone

from esnkit import SeriesTransform
from esnkit.forecasting._power import choose_power

RNG = np.random.default_rng(0)
LEVEL = np.exp(np.c_[RNG.normal(size=(90, 2)).cumsum(axis=0) / 10 + [1.0, 8.0]])
FITTED = SeriesTransform(power=0, differences=(4, 1)).fit(LEVEL)


@parametrize_with_checks(
    [SeriesTransform(), SeriesTransform(scale=False)],
    expected_failed_checks=lambda estimator: dict.fromkeys(
        ["check_fit1d", "check_fit2d_predict1d"], "a series may be one-dimensional"
    ),
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("differences", [0, 1, (12, 1)])
@pytest.mark.parametrize("power", [None, 0, 0.4, "auto"])
def test_the_inverse_returns_the_rows_that_follow(power, differences, scale):
    transform = SeriesTransform(power, differences=differences, scale=scale).fit(LEVEL[:60])
    z = transform.transform(LEVEL)
    assert z.shape == (90 - transform.n_lost_, 2)
    after = transform.inverse_transform(z[60 - transform.n_lost_ :], LEVEL[:60])
    np.testing.assert_allclose(after, LEVEL[60:], rtol=1e-9)


def test_attributes_are_those_of_the_transformed_rows():
    z = np.diff(np.log(LEVEL)[4:] - np.log(LEVEL)[:-4], axis=0)
    np.testing.assert_allclose(FITTED.mean_, z.mean(axis=0), atol=1e-15)
    np.testing.assert_allclose(FITTED.scale_, z.std(axis=0), rtol=1e-12)
    assert (FITTED.lags_, FITTED.n_lost_, FITTED.power_) == ((4, 1), 5, 0.0)
    np.testing.assert_allclose(FITTED.transform(LEVEL), (z - z.mean(axis=0)) / z.std(axis=0))


@pytest.mark.parametrize("differences, length", [(0, 2), (1, 2), ((12, 1), 12)])
def test_the_groups_that_choose_the_power_are_as_long_as_the_season(differences, length):
    transform = SeriesTransform("auto", differences=differences).fit(LEVEL)
    assert transform.power_ == choose_power(LEVEL, length)


def test_series_and_tables_of_every_kind_go_in():
    flat = SeriesTransform(0).fit(list(LEVEL[:, 0]))
    z = flat.transform(LEVEL[:, 0])
    assert z.shape == (90,) and flat.inverse_transform(z).shape == (90,)
    frame = pd.DataFrame(LEVEL, columns=["a", "b"])
    named = SeriesTransform(0).fit(frame)
    assert list(named.feature_names_in_) == ["a", "b"]
    np.testing.assert_array_equal(named.transform(frame), SeriesTransform(0).fit_transform(LEVEL))


def test_a_clone_has_the_parameters_alone():
    copy = clone(FITTED)
    assert copy.get_params() == {"power": 0, "differences": (4, 1), "scale": True}
    assert not [name for name in vars(copy) if name.endswith("_")]


def test_a_fit_that_fails_changes_nothing():
    transform = clone(FITTED).fit(LEVEL)
    before = transform.transform(LEVEL)
    with pytest.raises(ValueError, match="series must be positive"):
        transform.fit(-LEVEL[:, :1])
    np.testing.assert_array_equal(transform.transform(LEVEL), before)


WRONG = [
    (lambda: SeriesTransform("log").fit(LEVEL), "power must be a number, 'auto' or None"),
    (lambda: SeriesTransform(np.inf).fit(LEVEL), "power must be"),
    (lambda: SeriesTransform(differences=3).fit(LEVEL), r"differences.*write \(3,\)"),
    (
        lambda: SeriesTransform(0).fit(LEVEL - 5),
        "series must be positive for power=0.0.*None",
    ),
    (lambda: SeriesTransform("auto").fit(LEVEL - 5), "series must be positive for power='auto'"),
    (lambda: FITTED.transform(-LEVEL), "series must be positive"),
    (lambda: FITTED.transform(LEVEL[:5]), "series has n_samples=5 .* at least 6"),
    (
        lambda: SeriesTransform(differences=(90,)).fit(LEVEL),
        "has n_samples=90 .*need at least 91",
    ),
    (lambda: FITTED.inverse_transform(LEVEL), "history must be given: differences at the lags"),
    (lambda: FITTED.inverse_transform(LEVEL, LEVEL[:4]), "history has n_samples=4 .* at least 5"),
    (lambda: FITTED.inverse_transform(LEVEL[:, :1], LEVEL), "z must have 2 columns, got 1"),
    (lambda: FITTED.inverse_transform(LEVEL, LEVEL[:, 0]), "history must have 2 columns, got 1"),
]


@pytest.mark.parametrize("case", range(len(WRONG)))
def test_wrong_calls_name_the_argument(case):
    call, message = WRONG[case]
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("power, unit", [(2.0, 1e-9), (0.5, 1e-30), (-1.0, 1e16), ("auto", 1e-300)])
def test_units_in_which_rounding_makes_transformed_values_equal_are_refused(power, unit):
    rows = np.random.default_rng(0).lognormal(size=(60, 1)) ** 0.1
    assert SeriesTransform(power).fit(rows).transform(rows).std() == pytest.approx(1.0)
    if power == "auto":
        assert choose_power(rows, 2) == choose_power(rows * 1e300, 2) > 0
    with pytest.raises(ValueError, match="series must keep its digits under power=.*scale it"):
        SeriesTransform(power).fit(rows * unit)


def test_a_flag_that_is_none_is_refused():
    with pytest.raises(TypeError, match="scale must be"):
        SeriesTransform(scale=1).fit(LEVEL)


@pytest.mark.parametrize("names", [["a", "b"], [1, 2]], ids=["text", "numbers"])
def test_columns_in_another_order_are_refused(names):
    frame = pd.DataFrame(np.arange(1.0, 13.0).reshape(6, 2) ** 2, columns=names)
    transform = SeriesTransform(power=0, differences=1).fit(frame)
    z = transform.transform(frame)
    np.testing.assert_allclose(transform.inverse_transform(z[-2:], frame[:-2]), frame[-2:])
    with pytest.raises(ValueError, match="feature names should match|series must have the columns"):
        transform.transform(frame.iloc[:, ::-1])
    with pytest.raises(ValueError, match="history must have the columns"):
        transform.inverse_transform(z[-2:], frame.iloc[:-2, ::-1])
