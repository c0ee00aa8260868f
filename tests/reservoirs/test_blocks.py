"""Blocks of packed rows: together they are all rows, and none cuts what is not divisible."""

import numpy as np
import pytest

from esnkit.reservoirs._blocks import calls, segments


@pytest.fixture
def offsets():
    return np.concatenate([[0], np.cumsum(np.random.default_rng(0).integers(1, 30, 50))])


def test_segments_cover_every_row_once(offsets):
    pieces = list(segments(offsets, 16))
    assert [p[2] for p in pieces[1:]] == [p[3] for p in pieces[:-1]]
    assert pieces[0][2] == 0 and pieces[-1][3] == offsets[-1]
    assert all(stop - start <= 16 for _, _, start, stop in pieces)


def test_sequences_that_are_not_divisible_stay_whole(offsets):
    pieces = list(segments(offsets, 16, divisible=False))
    assert pieces[0][0] == 0 and pieces[-1][1] == len(offsets) - 1
    for first, last, start, stop in pieces:
        assert (start, stop) == (offsets[first], offsets[last])
        assert stop - start <= 16 or last == first + 1


@pytest.mark.parametrize("max_rows", [1, 7, 60, 10**6])
@pytest.mark.parametrize("n_together", [1, 4])
def test_calls_cover_every_time_step_once_and_in_order(max_rows, n_together):
    lengths = np.array([40, 40, 21, 20, 20, 7, 3, 3, 1])
    done = np.zeros(lengths.size, int)
    for first, last, start, stop in calls(lengths, max_rows, n_together):
        part = slice(first, last)
        assert np.all(done[part] == start) and np.all(lengths[part] > start)
        rows = np.minimum(lengths[part], stop) - start
        assert rows.sum() <= max(max_rows, n_together)
        done[part] += rows
    assert np.array_equal(done, lengths)
