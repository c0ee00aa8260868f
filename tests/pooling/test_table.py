"""What users pass as pooling."""

import numpy as np
import pytest
from pooling_problems import Problem

from esnkit.pooling import POOLINGS, ModelSpace
from esnkit.pooling import _base as pooling_base
from esnkit.pooling._table import check_pooling


@pytest.mark.parametrize("name", POOLINGS)
def test_every_name_pools_sequences_of_one_and_more_steps(name):
    assert np.isfinite(Problem([1, 9, 2], 3).pooled(name)).all()


def test_a_list_puts_features_side_by_side():
    problem = Problem([9, 1, 130, 4], 5, np.float32, block_rows=64)
    items = ["std", "ppv", ModelSpace(2), "max", "mean", "quantiles", lambda rows: rows[0]]
    wanted = np.hstack([problem.pooled(item) for item in items])
    np.testing.assert_array_equal(problem.pooled(items), wanted)


def test_poolings_of_a_list_are_fitted_to_some_rows_of_one_run(monkeypatch):
    monkeypatch.setattr(pooling_base, "MAX_SAMPLED", 30)
    problem, runs = Problem([60, 40, 50], 5, block_rows=17), []
    blocks = problem.blocks
    problem.blocks = lambda: runs.append(1) or blocks()
    items = ["ppv", "mean", ModelSpace(2)]
    pooling = check_pooling(items).fit(problem.training)
    assert len(runs) == 1
    assert sum(map(len, problem.training.keep_sample().kept)) == pytest.approx(30, abs=3)
    for item, part in zip(items[::2], pooling.parts[::2], strict=True):
        alone = check_pooling(item).fit(problem.training)
        for name in ("thresholds", "components"):
            np.testing.assert_array_equal(getattr(part, name, 0), getattr(alone, name, 0))


def test_neighbours_in_a_list_are_computed_in_one_go():
    parts = check_pooling(["mean", "std", "median", "max", "min"]).parts
    assert [getattr(part, "names", None) for part in parts] == [
        ("mean", "std"), None, ("max", "min"),
    ]  # fmt: skip


@pytest.mark.parametrize("name", POOLINGS)
def test_a_name_twice_is_refused(name):
    first = POOLINGS[name].names[0] if name == "statistics" else name
    with pytest.raises(ValueError, match=f"not have a statistic twice, got '{first}' twice in"):
        check_pooling([name, ModelSpace(2), name])


def test_a_list_of_one_name_is_that_pooling():
    assert check_pooling(["mean"]).names == ("mean",)
    assert check_pooling(("statistics",)).names == POOLINGS["statistics"].names
