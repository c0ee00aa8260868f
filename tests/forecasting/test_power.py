"""The Box-Cox transform and the choice of its exponent, against plain loops."""

import numpy as np
import pytest
import scipy.stats

from esnkit.forecasting._power import POWERS, box_cox, choose_power, inverse_box_cox

VALUES = np.random.default_rng(0).lognormal(1.0, 0.8, size=(60, 2))


@pytest.mark.parametrize("power", [None, 0.0, 0.3, 1.0, -0.5, 2.0])
def test_the_inverse_returns_the_values(power):
    np.testing.assert_allclose(inverse_box_cox(box_cox(VALUES, power), power), VALUES, rtol=1e-12)


@pytest.mark.parametrize("power", [0.0, 0.3, -0.5, 2.0])
def test_the_transform_is_that_of_scipy(power):
    expected = scipy.stats.boxcox(VALUES.ravel(), lmbda=power)
    np.testing.assert_allclose(box_cox(VALUES, power).ravel(), expected, rtol=1e-12)


def test_transformed_values_beyond_the_range_become_zero_or_infinite():
    assert inverse_box_cox(np.array([-3.0]), 0.5) == 0.0
    assert inverse_box_cox(np.array([3.0]), -0.5) == np.inf
    assert inverse_box_cox(np.array([1e4]), 0.0) == np.inf


@pytest.mark.parametrize(
    "least, power, way_out",
    [
        (-1.0, 0.0, "use power=None, or add a constant"),
        (-1.0, 0.5, "use power=None, or add a constant"),
        (0.0, 0.0, "use power=None, power=0.5, which zeros have too, or add"),
        (0.0, -1.0, "use power=None, power=0.5"),
    ],
)
def test_values_without_a_power_are_refused_with_the_way_out(least, power, way_out):
    with pytest.raises(ValueError, match=f"new must be positive for power={power}.*{way_out}"):
        box_cox(np.array([least, 1.0]), power, "new")
    with pytest.raises(ValueError, match="series must be positive for power='auto'"):
        choose_power(np.array([[least], [1.0]]), 2)


def test_zeros_have_a_square_root():
    np.testing.assert_array_equal(box_cox(np.array([0.0, 4.0]), 0.5), [-2.0, 2.0])


def variation(values, power, length):
    """Coefficient of variation of s / m^(1 - power) over groups that end with the series."""
    ratios = []
    for stop in range(len(values), length - 1, -length):
        group = values[stop - length : stop]
        ratios.append(np.std(group, ddof=1) / np.mean(group) ** (1 - power))
    return np.std(ratios, ddof=1) / np.mean(ratios)


@pytest.mark.parametrize("length", [2, 7])
def test_the_exponent_minimises_the_variation_of_the_spread(length):
    sums = [sum(variation(y, power, length) for y in VALUES.T) for power in POWERS]
    assert choose_power(VALUES, length) == POWERS[np.argmin(sums)]


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_the_exponent_of_a_spread_that_grows_with_the_level_is_found(power):
    rng = np.random.default_rng(1)
    level = np.linspace(100, 1000, 4000)
    y = level + level ** (1 - power) * rng.normal(size=4000) * 0.1
    assert abs(choose_power(y[:, None], 20) - power) < 0.15


@pytest.mark.parametrize("values", [np.full((9, 1), 3.0), np.ones((1, 1)), np.ones((3, 2))])
def test_without_a_spread_nothing_is_transformed(values):
    assert choose_power(values, 2) == 1.0
