"""Trees of merges, a missing dask, and workers that are lost."""

import importlib
import sys
import warnings
from contextlib import contextmanager
from operator import add

import joblib
import numpy as np
import pytest

from esnkit import ESNRegressor, ReservoirSearchCV
from esnkit.distributed import _dask


@pytest.mark.parametrize("n", [1, 2, 3, 7, 8])
def test_a_tree_merges_neighbours_in_order(dask, n):
    parts = [dask.delayed(chr(97 + i)) for i in range(n)]
    assert _dask.compute(_dask.tree(add, parts)) == ("abcdefgh"[:n],)


def test_what_tasks_share_comes_first(dask):
    parts = [dask.delayed(k) for k in (1, 2)]
    assert _dask.compute(_dask.tree(lambda a, b, c: (a, b, c), parts, "merge"))[0] == (
        "merge",
        1,
        2,
    )


def test_without_dask_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "dask", None)
    with pytest.raises(ImportError, match=r"pip install 'esnkit\[dask\]'"):
        _dask.dask()


class Cluster:
    """A client of a cluster that has lost a worker, and got another one, when asked again."""

    def __init__(self):
        self.answers = [["tcp://a", "tcp://b"], ["tcp://b", "tcp://c"]]

    def run_on_scheduler(self, function):
        return self.answers.pop(0)


def test_a_lost_worker_is_logged(dask, monkeypatch, caplog):
    monkeypatch.setattr(_dask, "_client", Cluster)
    assert _dask.compute(dask.delayed(7)) == (7,)
    assert "lost 1 of 2 workers, tcp://a: dask has computed again what they held" in caplog.text


@contextmanager
def cluster_of_one(dask):
    distributed = pytest.importorskip("distributed.client") and importlib.import_module(
        "distributed"
    )
    settings = {"n_workers": 1, "processes": False, "dashboard_address": ":0"}
    with dask.config.set(scheduler=None), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of sockets and loops that distributed leaves open
        assert _dask._client() is None
        with distributed.LocalCluster(**settings) as cluster, distributed.Client(cluster) as client:
            yield client


def test_the_workers_of_a_cluster_are_known(dask, caplog):
    with cluster_of_one(dask) as client:
        assert _dask._client() is client
        assert len(_dask._workers(client)) == 1
        assert _dask.compute(_dask.tree(add, [dask.delayed(k) for k in (1, 2, 3)])) == (6,)
    assert [r for r in caplog.records if r.name == "esnkit.distributed"] == []


def test_searches_run_over_a_cluster(dask):
    X = np.random.default_rng(0).uniform(-1, 1, (60, 1))
    model = ESNRegressor(8, random_state=0)
    alone, search = (ReservoirSearchCV(model, {"alpha": [1e-3, 1.0]}, cv=2) for _ in range(2))
    with cluster_of_one(dask), joblib.parallel_config("dask", n_jobs=2):
        search.fit(X[1:], X[:-1, 0])
    alone.fit(X[1:], X[:-1, 0])
    for name in ("split0_test_score", "split1_test_score"):
        np.testing.assert_array_equal(search.cv_results_[name], alone.cv_results_[name])
