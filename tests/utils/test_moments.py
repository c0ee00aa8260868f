"""Moments of columns at every scale, against exact rational arithmetic."""

from fractions import Fraction

import numpy as np
import pytest

from esnkit.utils._moments import column_moments, merge_moments, moments_of


def exact_moments(column):
    values = [Fraction(float(v)) for v in column]
    mean = sum(values) / len(values)
    return mean, sum((v - mean) ** 2 for v in values) / len(values)


@pytest.mark.parametrize("level", [0.0, 1e9])
@pytest.mark.parametrize("unit", [1.0, 1e-200, 1e290])
def test_moments_are_exact_at_every_scale(level, unit):
    column = unit * (np.random.default_rng(0).standard_normal(50) + level)
    mean, deviation = column_moments(column[:, None])
    expected, variance = exact_moments(column)
    # The ratio is near one, so that it is a float where the variance is none.
    assert float(Fraction(deviation[0]) ** 2 / variance) == pytest.approx(1.0, rel=1e-12)
    scale = Fraction(max(abs(column)))
    assert abs(float((Fraction(mean[0]) - expected) / scale)) < 1e-15


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_constant_columns_have_no_deviation(dtype):
    value = np.array(0.1, dtype)
    rows = np.full((1000, 2), value)
    rows[::2, 1] = np.nextafter(value, np.array(1, dtype))  # the rounding of what made the rows
    mean, deviation = column_moments(rows)
    assert deviation.tolist() == [0.0, 0.0] and mean[0] == value
    assert column_moments(np.zeros((3, 1)))[1] == 0.0


@pytest.mark.parametrize("level", [0.0, 1e9])
@pytest.mark.parametrize("unit", [1.0, 1e-200, 1e290])
def test_moments_of_parts_are_those_of_all_rows(level, unit):
    rows = unit * (np.random.default_rng(0).standard_normal((50, 3)) + level)
    rows[:, 1] = rows[0, 1]
    rows[7:, 2] = 2.0 * rows[0, 2]  # constant in the second and the third part
    rows[:7, 2] = rows[0, 2]
    merged = merge_moments([moments_of(rows[s]) for s in (slice(7), slice(7, 9), slice(9, 50))])
    mean, deviation = column_moments(rows)
    np.testing.assert_allclose(merged.mean, mean, rtol=1e-15, atol=1e-15 * unit)
    np.testing.assert_allclose(merged.deviation, deviation, rtol=1e-7 if level else 1e-12)
    assert merged.n_rows == 50 and merged.deviation[1] == 0
    for found, wanted in zip(column_moments(merged.example()), (mean, deviation), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-7 if level else 1e-12, atol=1e-15 * unit)
