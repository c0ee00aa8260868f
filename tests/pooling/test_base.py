"""Blocks of rows become pooled rows of many sequences."""

import numpy as np
from hypothesis import given
from pooling_problems import Problem, problems

from esnkit.pooling import _base as module
from esnkit.pooling._base import count_pooled, pieces_of, pool
from esnkit.pooling._table import check_pooling
from esnkit.reservoirs._blocks import segments


@given(problems())
def test_pieces_cover_every_sequence_once(problem):
    for i, (first, last) in enumerate(zip(problem.offsets[:-1], problem.offsets[1:], strict=True)):
        position = 0
        for start, stop, _ in problem.blocks():
            piece = pieces_of(problem.offsets[i : i + 2], problem.washout, start, stop)
            a, b, seen, length = (int(array[0]) for array in piece)
            assert length == last - first - problem.washout
            if b > a:
                assert start + a == first + problem.washout + position and seen == position
                position += b - a
        assert position == last - first - problem.washout


def test_pooled_rows_come_many_at_a_time(monkeypatch):
    problem = Problem([3] * 200 + [50] + [2] * 9, 4, block_rows=30)
    for limit in (2**24, 4 * 8 * 8):  # of bytes: all sequences of a block at once, or 8 of them
        monkeypatch.setattr(module, "MAX_POOLED_BYTES", limit)
        pooling = check_pooling("std")
        found = list(pool(pooling, problem.blocks(), problem.offsets, 0))
        assert min(last - first for first, last, _ in found[:-1]) >= module.MIN_POOLED
        done = [
            (first, last)
            for first, last, _, stop in segments(problem.offsets, 30)
            if stop >= problem.offsets[last]
        ]
        assert count_pooled(pooling, done, 4, 8) == len(found)
        rows = np.concatenate([rows for _, _, rows in found])
        np.testing.assert_array_equal(rows, Problem([3] * 200 + [50] + [2] * 9, 4).pooled("std"))
