"""Packed series, against the same steps on each series alone."""

import numpy as np
import pytest

from esnkit.forecasting._differencing import difference
from esnkit.forecasting._packed_series import canonical_order, offsets_of, pack_series, steps_of

RNG = np.random.default_rng(0)
SERIES = [RNG.normal(size=n) for n in (7, 1, 4, 12)]
PACKED = pack_series(SERIES)


def unpack(packed):
    return np.split(packed.values, packed.offsets[1:-1])


def assert_same(packed, series):
    assert packed.n_series == len(series)
    for found, wanted in zip(unpack(packed), series, strict=True):
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("lags", [(), (1,), (3,), (2, 1)])
def test_differences_stay_within_a_series(lags):
    packed = PACKED.difference(lags)
    assert_same(packed, [difference(values, lags) for values in SERIES])
    assert packed.starts.tolist() == [5 + sum(lags), 11 + sum(lags), 8 + sum(lags), sum(lags)]


def test_rows_and_series_are_taken_and_left_out():
    assert_same(PACKED.take(np.array([3, 1])), [SERIES[3], SERIES[1]])
    assert_same(PACKED.head(np.array([2, 1, 9, 0])), [SERIES[0][:2], SERIES[1], SERIES[2], []])
    assert_same(
        PACKED.skip(np.array([2, 1, 0, 11])), [SERIES[0][2:], [], SERIES[2], SERIES[3][11:]]
    )
    last = PACKED.tail(4)
    assert_same(last, [values[-4:] for values in SERIES])
    assert last.starts.tolist() == [8, 11, 8, 8]


def test_rows_are_appended_series_by_series():
    new = pack_series([np.arange(2.0), np.array([5.0]), np.arange(3.0), np.array([7.0])])
    both = [np.concatenate(pair) for pair in zip(SERIES, unpack(new), strict=True)]
    assert_same(PACKED.append(new), both)


def test_means_count_the_rows_of_each_series():
    np.testing.assert_allclose(PACKED.means(PACKED.values), [values.mean() for values in SERIES])
    empty = PACKED.head(np.array([1, 0, 1, 1]))
    assert empty.means(empty.values)[1] == 0


def test_offsets_and_steps():
    assert offsets_of(np.array([2, 0, 3])).tolist() == [0, 2, 2, 5]
    assert steps_of(np.array([2, 0, 3])).tolist() == [0, 1, 0, 1, 2]


def test_observed_rows_and_inputs_go_with_the_values():
    series = [np.array([np.nan, 1.0, np.nan, 4.0, 6.0, np.nan]), np.array([5.0, np.nan, 9.0])]
    inputs = [np.arange(12.0).reshape(6, 2) ** 2, np.arange(6.0).reshape(3, 2)]
    packed = pack_series(series, inputs, [-rows for rows in inputs])
    assert packed.n_leading.tolist() == [1, 0] and packed.n_trailing.tolist() == [1, 0]
    assert packed.n_observed.tolist() == [3, 2]
    filled = packed.interpolated().values
    np.testing.assert_allclose(filled, [1, 1, 2.5, 4, 6, 6, 5, 7, 9])
    changes = packed.interpolated().difference((1,))
    assert changes.observed.tolist() == [False, False, False, True, False, False, False]
    np.testing.assert_array_equal(changes.inputs[:5], np.diff(inputs[0], axis=0))
    np.testing.assert_array_equal(packed.take(np.array([1])).inputs, inputs[1])
    means = packed.means(np.nan_to_num(packed.values), packed.observed)
    np.testing.assert_allclose(means, [11 / 3, 7])
    both = packed.append(packed)
    for part in (packed, changes, both, packed.take(np.array([1]))):
        np.testing.assert_array_equal(part.past, -part.inputs)
    assert both.observed.tolist() == [*packed.observed[:6]] * 2 + [*packed.observed[6:]] * 2
    np.testing.assert_array_equal(both.inputs, np.vstack([inputs[0]] * 2 + [inputs[1]] * 2))


def test_the_canonical_order_does_not_depend_on_the_one_given():
    order = np.array([2, 0, 3, 1])
    first = PACKED.take(canonical_order(PACKED))
    again = PACKED.take(order)
    again = again.take(canonical_order(again))
    np.testing.assert_array_equal(first.values, again.values)
    inputs = [np.ones((4, 1)), np.zeros((4, 1))]
    for kind in ("inputs", "past"):
        same = pack_series([np.ones(4)] * 2, **{kind: inputs})
        swapped = same.take(np.array([1, 0]))
        assert canonical_order(same).tolist() != canonical_order(swapped).tolist()
