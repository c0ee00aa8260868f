"""What follows from a reservoir's own two methods: blocks, transforms, refusals."""

import numpy as np
import pandas as pd
import pytest
from third_party import MirroredSum, TappedDelayLine

from esnkit import Reservoir
from esnkit.sequences import Sequences


@pytest.fixture
def ragged():
    rng = np.random.default_rng(0)
    return [rng.normal(size=(n, 2)) for n in (3, 1200, 1, 40)]


def taps(X, n_taps=3):
    """Return the features of `TappedDelayLine` by their definition."""
    lagged = [np.vstack([np.zeros((k, X.shape[1])), X])[: len(X)] for k in range(n_taps)]
    return np.hstack([*lagged, lagged[0] * lagged[1]])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_transform_runs_every_container(dtype, ragged):
    ragged = [x.astype(dtype) for x in ragged]
    reservoir = TappedDelayLine().fit(ragged)
    for x, features in zip(ragged, reservoir.transform(ragged), strict=True):
        np.testing.assert_array_equal(features, taps(x).astype(dtype))
        assert features.dtype == dtype
    batch = np.stack([ragged[3], -ragged[3]])
    assert np.array_equal(reservoir.transform(batch)[1], taps(-ragged[3]).astype(dtype))


def test_blocks_are_the_features_of_one_run(ragged):
    reservoir = TappedDelayLine().prepare(2)
    offsets = np.concatenate([[0], np.cumsum([len(x) for x in ragged])])
    rows = Sequences(np.concatenate(ragged), offsets, "ragged")
    state, found = np.zeros((4, reservoir.n_state_)), np.empty((len(rows.values), 8))
    for start, stop, Z in reservoir.blocks(rows, state, n_extra=1):
        assert Z.shape == (stop - start, 9)
        found[start:stop] = Z[:, :8]
    np.testing.assert_array_equal(found, np.vstack([taps(x) for x in ragged]))


def test_a_run_continues_from_its_last_state(ragged):
    reservoir = TappedDelayLine().fit(ragged)
    head, state = reservoir.transform(ragged[1][:50], return_state=True)
    tail = reservoir.transform(ragged[1][50:], initial_state=state)
    np.testing.assert_array_equal(np.vstack([head, tail]), taps(ragged[1]))


def test_tables_of_one_series_have_names_and_index(ragged):
    frame = pd.DataFrame(ragged[3], columns=["a", "b"])
    reservoir = TappedDelayLine().set_output(transform="pandas").fit(frame)
    table = reservoir.transform(frame)
    assert list(table.columns) == [f"tappeddelayline{i}" for i in range(8)]
    assert isinstance(reservoir.transform([frame, frame]), list)


@pytest.mark.parametrize("params", [{"initial_state": np.zeros(2)}, {"return_state": True}])
def test_what_reads_whole_sequences_has_no_state(params, ragged):
    reservoir = MirroredSum().fit(ragged)
    with pytest.raises(ValueError, match="causal"):
        reservoir.transform(ragged, **params)


def test_a_clamp_needs_a_reservoir_that_takes_one(ragged):
    with pytest.raises(ValueError, match="clamp must be None for TappedDelayLine"):
        TappedDelayLine().fit(ragged).transform(ragged, clamp=([0], [1.0]))


@pytest.mark.parametrize("method", ["fit", "fit_transform"])
def test_a_fit_that_fails_leaves_a_reservoir_as_it_was(method):
    X = np.sin(np.arange(60.0))[:, None]
    reservoir = Reservoir(5, random_state=0).fit(X)
    before = reservoir.transform(X)
    reservoir.set_params(leak_rate=2.0)
    with pytest.raises(ValueError, match="leak_rate"):
        getattr(reservoir, method)(np.c_[X, X])
    assert np.array_equal(reservoir.transform(X), before)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_jacobian_of_any_reservoir_comes_from_differences(dtype):
    reservoir = TappedDelayLine().prepare(2, dtype=dtype)
    directions = np.random.default_rng(0).normal(size=(6, 4))
    moved = reservoir.jacobian_product(np.ones(2, dtype), np.arange(6, dtype=dtype), directions)
    shift = np.eye(6, k=-2)  # two inputs enter, all others move by two places
    tolerance = 1e-9 if dtype == np.float64 else 1e-2
    np.testing.assert_allclose(moved, shift @ directions, atol=tolerance)
    assert moved.dtype == np.float64
