"""Partitions in one thread, whose sums are merged however few rows there are."""

import pytest


@pytest.fixture
def dask(monkeypatch):
    """The scheduler that runs tasks one after another; nothing is gathered."""
    dask = pytest.importorskip("dask")
    for module in ("_fit", "_fit_readout"):
        monkeypatch.setattr(f"esnkit.distributed.{module}.MAX_GATHERED", 0)
    with dask.config.set(scheduler="synchronous"):
        yield dask


@pytest.fixture
def arrays(dask):
    """A function that cuts an array along its rows."""
    da = pytest.importorskip("dask.array")

    def cut(array, edges):
        sizes = [stop - start for start, stop in zip((0, *edges[:-1]), edges, strict=True)]
        return da.from_array(array, chunks=(tuple(sizes), *array.shape[1:]))

    return cut


@pytest.fixture
def bags(dask):
    """A function that puts items into a bag of delayed lists."""
    db = pytest.importorskip("dask.bag")

    def cut(items, edges):
        starts = (0, *edges[:-1])
        lists = [items[start:stop] for start, stop in zip(starts, edges, strict=True)]
        return db.from_delayed([dask.delayed(part) for part in lists])

    return cut
