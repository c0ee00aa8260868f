"""What all online readouts share: the contract, chunks, estimators, errors that change nothing."""

import copy

import numpy as np
import pytest
from sklearn.base import clone

from esnkit import ESNRegressor, Reservoir, ReservoirClassifier, ReservoirRegressor
from esnkit.readouts import LMSReadout, RLSReadout, check_readout

READOUTS = {
    "rls": RLSReadout(1e-4),
    "rls, forgetting": RLSReadout(1e-4, forgetting=0.99),
    "lms": LMSReadout(),
}
every_readout = pytest.mark.parametrize("readout", READOUTS.values(), ids=READOUTS)


def series(n_rows=300):
    s = np.sin(np.arange(n_rows + 1) / 4)[:, None]
    return s[:-1], s[1:]


def esn(readout):
    return ESNRegressor(15, readout=readout, washout=20, random_state=0)


@every_readout
def test_the_contract_is_kept(readout):
    check_readout(readout)


def joined(readout):
    return ReservoirRegressor(Reservoir(15, random_state=0), readout, washout=20)


@every_readout
@pytest.mark.parametrize("make, n_rows", [(esn, 1), (joined, 70)], ids=["rows", "chunks"])
def test_rows_and_chunks_teach_an_estimator_the_same_bits(readout, make, n_rows):
    X, y = series(140)
    whole, parts = make(readout).fit(X, y), make(readout)
    for start in range(0, 140, n_rows):
        parts.partial_fit(X[start : start + n_rows], y[start : start + n_rows])
    assert np.array_equal(parts.readout_.coef_, whole.readout_.coef_)
    assert np.array_equal(parts.readout_.intercept_, whole.readout_.intercept_)
    assert whole.score(X, y) > 0.8
    closed = whole.generate(3, warmup=X)
    assert closed.shape == (3, 1) and np.isfinite(closed).all()


@every_readout
def test_targets_are_rounded_to_the_dtype_of_the_rows_in_chunks_too(readout):
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((50, 3)).astype(np.float32), rng.standard_normal((50, 20))
    chunks = clone(readout).partial_fit(X[:20], Y[:20]).partial_fit(X[20:], Y[20:])
    assert np.array_equal(chunks.coef_, clone(readout).fit(X, Y).coef_)


@every_readout
def test_more_rows_than_one_call_takes(readout):
    X = np.random.default_rng(0).standard_normal((2500, 3))
    y = X @ [1.0, 2.0, 3.0]
    halves = type(readout)(**readout.get_params()).partial_fit(X[:1100], y[:1100])
    halves.partial_fit(X[1100:], y[1100:])
    assert np.array_equal(halves.coef_, readout.fit(X, y).coef_)
    np.testing.assert_allclose(halves.coef_, [1.0, 2.0, 3.0], atol=1e-3)


@every_readout
def test_a_classifier_takes_it(readout):
    X, y = series()
    labels = np.where(y[:, 0] > 0, "up", "down")
    model = ReservoirClassifier(Reservoir(15, random_state=0), readout).fit(X, labels)
    assert model.score(X, labels) > 0.9


@every_readout
def test_an_error_or_a_copy_changes_nothing(readout):
    X, y = series(50)
    fitted = type(readout)(**readout.get_params()).fit(X, y)
    before, twin = fitted.coef_.copy(), copy.deepcopy(fitted)
    bad = {
        "y must have 1 outputs as before": (X, np.hstack([y, y])),
        "X has 2 features": (np.hstack([X, X]), y),
        "y contains NaN": (X, y * np.nan),
        r"X must have squares within the range of float64, got up to .*e\+199": (-1e200 * X**2, y),
    }
    for message, rows in bad.items():
        with pytest.raises(ValueError, match=message):
            fitted.partial_fit(*rows)
        assert np.array_equal(fitted.coef_, before)
    fitted.partial_fit(X[:9] + 1.0, y[:9])
    assert np.array_equal(twin.coef_, before) and not np.array_equal(fitted.coef_, before)
    assert np.array_equal(twin.partial_fit(X[:9] + 1.0, y[:9]).coef_, fitted.coef_)


def test_weights_that_differ_between_outputs_are_refused():
    X, y = series(20)
    Y, w = np.hstack([y, y]), np.ones((20, 2))
    equal = RLSReadout().fit(X, Y, w)
    assert np.array_equal(equal.coef_, RLSReadout().fit(X, Y).coef_)
    w[3, 1] = 0.0
    with pytest.raises(ValueError, match="sample_weight must have one weight per row"):
        RLSReadout().fit(X, Y, w)


@every_readout
def test_weights_that_are_all_zero_are_refused(readout):
    X, y = series(20)
    with pytest.raises(ValueError, match="sample_weight must not be zero in all rows"):
        readout.fit(X, y, np.zeros(20))


def test_interrupts_leave_a_readout_as_it_was(monkeypatch):
    X, y = series(50)
    model = RLSReadout().fit(X, y)
    before = model.coef_.copy()

    def interrupted(self, state, X, Y, w):
        state.linear.coef[:] = 7.0
        raise KeyboardInterrupt

    monkeypatch.setattr(RLSReadout, "_learn", interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.partial_fit(X, y)
    assert np.array_equal(model.coef_, before) and not (model._state.linear.coef == 7.0).any()
