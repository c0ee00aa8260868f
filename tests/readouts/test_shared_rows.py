"""Statistics of rows that serve several penalties and longer series, to the last bit."""

import copy
import pickle

import numpy as np
import pytest

from esnkit import RidgeReadout
from esnkit.readouts import _ridge
from esnkit.readouts._shared_rows import ArrayRows, SharedRows, share_arrays
from esnkit.utils._sharing import SharedWork, share_work

ALPHAS = [1e-12, 1e-6, 1.0]
BLOCK = 2048  # rows that a readout adds at once


pytestmark = pytest.mark.filterwarnings("ignore:the condition of the features")


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((5000, 6))
    X[:, 5] = X[:, 4] + 1e-9 * X[:, 5]  # so that tiny penalties need QR
    return X, X @ rng.standard_normal((6, 2)), rng.uniform(0.5, 2.0, 5000)


def shared(block, before=None, **params):
    X, y, w = block
    found = SharedRows(ArrayRows(block, BLOCK), (X[:0], y[:0], None), len(X), False, **params)
    found.before = before
    return found


def assert_same_bits(readout, alone):
    for name in ("coef_", "intercept_", "solver_", "condition_", "alpha_"):
        assert np.array_equal(getattr(readout, name), getattr(alone, name)), name


@pytest.mark.parametrize("solver", ["auto", "gram", "qr"])
@pytest.mark.parametrize("n_rows", [40, 2048, 2500, 5000])
def test_every_penalty_has_the_bits_of_a_fit_alone(rows, solver, n_rows):
    block = tuple(part[:n_rows] for part in rows)
    many = shared(block)
    for alpha in [*ALPHAS, [1e-6, 1.0]]:
        readout = RidgeReadout(alpha, solver=solver)
        alone = RidgeReadout(alpha, solver=solver).fit(*block)
        assert_same_bits(readout.fit_shared(many), alone)
        assert np.array_equal(readout.predict(block[0]), alone.predict(block[0]))


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize(("n_first", "n_rows"), [(2100, 2500), (2048, 5000), (4200, 5000)])
def test_longer_rows_start_from_the_statistics_of_the_first_ones(rows, alpha, n_first, n_rows):
    first = shared(tuple(part[:n_first] for part in rows))
    RidgeReadout(alpha).fit_shared(first)
    block = tuple(part[:n_rows] for part in rows)
    longer = shared(block, first)
    read = []
    source = longer.source
    blocks = source._blocks
    source._blocks = lambda start: read.append(start) or blocks(start)
    assert_same_bits(RidgeReadout(alpha).fit_shared(longer), RidgeReadout(alpha).fit(*block))
    assert read[0] == n_first // BLOCK * BLOCK


def test_equal_lengths_share_all_that_is_common(rows):
    first = shared(tuple(part[:4100] for part in rows))
    RidgeReadout(1.0).fit_shared(first)
    second = shared(tuple(part[:4100] for part in rows), first)
    third = shared(rows, second)
    for many, n_rows in ((second, 4100), (third, 5000)):
        alone = RidgeReadout(1.0).fit(*(part[:n_rows] for part in rows))
        assert_same_bits(RidgeReadout(1.0).fit_shared(many), alone)


def test_statistics_are_computed_once(rows, monkeypatch):
    many = shared(rows)
    RidgeReadout(1.0).fit_shared(many)
    monkeypatch.setattr(ArrayRows, "_blocks", None)
    RidgeReadout(2.0).fit_shared(many)


def test_arrays_are_found_by_their_values(rows, monkeypatch):
    X, y, w = rows
    with share_work(SharedWork(1e9)):
        RidgeReadout(1.0).fit(*rows)
        starts, blocks = [], ArrayRows._blocks
        monkeypatch.setattr(
            ArrayRows, "_blocks", lambda self, start: starts.append(start) or blocks(self, start)
        )
        RidgeReadout(2.0).fit(X.copy(), y.copy(), w.copy())
        assert starts == []
        for other in ((X + 1, y, w), (X, y + 1, w), (X, y, w + 1)):
            starts.clear()
            assert_same_bits(RidgeReadout(2.0).fit(*other), RidgeReadout(2.0).fit(*other))
            assert starts == [0]


def test_standardised_rows_are_not_taken_for_others(rows):
    X, y, w = rows
    work = SharedWork(1e9)
    found = [share_arrays(work, rows, BLOCK, False, standardize) for standardize in (False, True)]
    assert found[0] is not found[1] and found[1].before is None
    longer = share_arrays(work, (X[:4500], y[:4500], w[:4500]), BLOCK, False, True)
    assert longer is not found[1]


@pytest.mark.parametrize("n_rows", [30, 400])
def test_losses_of_classes_wait_until_they_are_asked_for(n_rows, monkeypatch):
    rng = np.random.default_rng(1)
    X = rng.standard_normal((n_rows, 40))
    y = np.eye(3)[rng.integers(0, 3, n_rows)]
    params = {"alpha": 0.1, "scoring": "classification", "standardize": True}
    alone = RidgeReadout(**params).fit(X, y)
    with share_work(SharedWork(1e9)):
        readout = RidgeReadout(**params).fit(X, y)
    assert "_unread" in vars(readout)
    copies = [pickle.loads(pickle.dumps(copy.copy(readout))), copy.deepcopy(copy.copy(readout))]
    for found in (readout, *copies):
        assert found.temperature_ == alone.temperature_ and "_unread" not in vars(found)
        assert np.array_equal(found.loo_log_losses_, alone.loo_log_losses_)
    again = RidgeReadout(**params | {"alpha": 1.0}).fit(X, y)
    assert again.temperature_ != alone.temperature_


def test_more_rows_end_the_wait(rows):
    X = rows[0][:300]
    y = np.eye(2)[(X[:, 0] > 0).astype(int)]
    with share_work(SharedWork(1e9)):
        readout = RidgeReadout(0.1, scoring="classification").fit(X, y)
    stream = RidgeReadout(0.1, scoring="classification").partial_fit(X, y).partial_fit(X, y)
    assert readout.partial_fit(X, y).temperature_ == pytest.approx(stream.temperature_)


def test_memory_counts_matrices(rows):
    many = shared(rows)
    before = many.n_bytes
    RidgeReadout(1.0).fit_shared(many)
    assert many.n_bytes > before and many.n_bytes >= 8 * 6 * 6 * 3


def test_block_rows_are_those_that_a_readout_adds_at_once():
    assert _ridge.BLOCK_ROWS == BLOCK


class Pieces(ArrayRows):
    """Rows in blocks of a few rows, each too few to show the condition of the features."""

    def __init__(self, block, block_rows, passes):
        super().__init__(block, block_rows)
        self.passes = passes

    def _blocks(self, first):
        self.passes.append(first)
        return super()._blocks(first)


@pytest.mark.parametrize("n_rows", [20, 40, 57, 200])
@pytest.mark.parametrize("spread", [1e-9, 1.0])
def test_blocks_of_few_rows_have_the_bits_of_a_fit_alone(rows, n_rows, spread):
    X, y, w = (part[:n_rows].copy() for part in rows)
    X[:, 5] = X[:, 4] + spread * X[:, 3] * X[:, 2]
    w[:10] = 0.0
    passes = []
    source = Pieces((X, y, w), 10, passes)
    many = SharedRows(source, (X[:0], y[:0], None), n_rows, False)
    for alpha in [1e-12, 1e-9, 1e-3, 1e3]:
        alone = RidgeReadout(alpha).fit_blocks(lambda: source._blocks(0), n_rows)
        passes.clear()
        assert_same_bits(RidgeReadout(alpha).fit_shared(many), alone)
    assert passes == []  # the last penalty needs no other pass
