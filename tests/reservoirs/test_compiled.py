"""A drawn reservoir as the kernels take it: shares of threads, blocks, order of sequences."""

import numpy as np
import pytest

from esnkit import ESNRegressor, Reservoir
from esnkit.reservoirs import _compiled
from esnkit.reservoirs._compiled import _shares


@pytest.mark.parametrize("multiple", [4, 32])
def test_shares_cover_all_sequences_in_pieces_of_the_multiple(multiple, monkeypatch):
    monkeypatch.setattr("esnkit.reservoirs._compiled.n_threads", lambda: 3)
    lengths = np.random.default_rng(0).integers(1, 100, 201)
    shares = _shares(lengths, multiple)
    assert shares[0][0] == 0 and shares[-1][1] == lengths.size
    assert [a for a, _ in shares[1:]] == [z for _, z in shares[:-1]]
    assert all(a % multiple == 0 for a, _ in shares)


def test_the_order_of_sequences_of_unequal_length_is_kept():
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(n, 1)) for n in rng.permutation(40) + 1]
    reservoir = Reservoir(12, random_state=0).fit(X)
    _, last = reservoir.transform(X, return_state=True)
    for x, state in zip(X, last, strict=True):
        np.testing.assert_array_equal(reservoir.transform(x)[-1], state)


def test_blocks_hold_more_rows_of_narrow_reservoirs():
    narrow, wide = (Reservoir(n, random_state=0).fit(np.zeros((1, 1))) for n in (10, 3000))
    assert narrow.block_rows(np.array([100_000])) == 8192
    assert 512 <= wide.block_rows(np.array([100_000]), n_extra=5) < 1000


def runs_of(topology):
    """Return states of every kind of run, with clamped units and noise, as arrays."""
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(n, 2)) for n in rng.permutation(90) + 1]
    many, clamp = Reservoir(24, topology=topology, noise=1e-3, random_state=0), ([3], [0.5])
    states = [*many.fit_transform(X), *many.transform(X), *many.transform(X[:3], clamp=clamp)]
    states += many.transform(X, return_state=True)[1:]
    series = rng.normal(size=(300, 2))
    moving = ([1, 5], rng.normal(size=(300, 2)))
    states += [many.fit_transform(series, clamp=moving), many.transform(series, clamp=moving)]
    model = ESNRegressor(24, topology=topology, random_state=0).fit(series[:-1], series[1:])
    states += [model.generate(200), model.generate(50, warmup=series)]
    fed = ESNRegressor(24, topology=topology, feedback=True, random_state=0).fit(series, series)
    return [*states, fed.predict(series, clamp=moving)]


@pytest.mark.parametrize("topology", ["diagonals", "random", "dense"])
@pytest.mark.parametrize("work", [1, 30_000])
def test_runs_that_are_cut_into_calls_have_the_bits_of_the_whole(topology, work, monkeypatch):
    whole = runs_of(topology)
    monkeypatch.setattr(_compiled, "MAX_CALL_WORK", work)
    monkeypatch.setattr(_compiled, "MIN_STATES", 1)
    for cut, wanted in zip(runs_of(topology), whole, strict=True):
        assert np.array_equal(cut, wanted)
