"""Probabilities of prefixes by an ensemble, against those of sequences that are cut."""

import numpy as np
import pytest
from third_party import MirroredSum

from esnkit import ESNEnsembleClassifier, Reservoir, SequenceNormalizer
from esnkit.esn import _ensemble_prefixes
from esnkit.sequences import _prefixes
from esnkit.sequences._prefixes import lengths_of_prefixes

RNG = np.random.default_rng(0)
LENGTHS = (12, 9, 14, 21, 9, 16)
X = [np.sin(np.arange(n)[:, None] / (1 + k % 3)) for k, n in enumerate(LENGTHS)]
X = [x + 0.1 * RNG.normal(size=(len(x), 2)) for x in X]
y = np.arange(len(X)) % 3


def ensemble(**params):
    given = {"reservoirs": [Reservoir(8)], "pooling": ["mean", "max", "std"], "random_state": 0}
    return ESNEnsembleClassifier(**given | params).fit(X, y)


@pytest.fixture(scope="module")
def fitted():
    return ensemble(views=["values", "normalized", "differences", SequenceNormalizer()])


def of_cut(model, lengths):
    """Return the probabilities (n_sequences, n_steps, n_classes) of cut sequences."""
    columns = np.broadcast_to(lengths, (len(X), np.shape(lengths)[-1])).T
    parts = [[x[:n] for x, n in zip(X, column, strict=True)] for column in columns]
    return np.stack([model.predict_proba(cut) for cut in parts], axis=1)


@pytest.mark.parametrize("n_jobs", [None, 2])
@pytest.mark.parametrize("max_rows", [_prefixes.MAX_ROWS, 20])
def test_probabilities_are_those_of_cut_sequences(fitted, n_jobs, max_rows, monkeypatch):
    monkeypatch.setattr(_prefixes, "MAX_ROWS", max_rows)
    fitted.n_jobs = n_jobs
    numbers = fitted.predict_proba(X, steps=[3, 9])
    np.testing.assert_allclose(numbers, of_cut(fitted, [3, 9]), rtol=0, atol=1e-10)
    shares = fitted.predict_proba(X, steps=[0.3, 1.0])
    lengths = lengths_of_prefixes([0.3, 1.0], np.array(LENGTHS))
    np.testing.assert_allclose(shares, of_cut(fitted, lengths), rtol=0, atol=1e-10)
    np.testing.assert_allclose(shares[:, -1], fitted.predict_proba(X), rtol=0, atol=1e-10)
    every = fitted.predict_proba(X, steps="all")
    assert [len(rows) for rows in every] == list(LENGTHS)
    np.testing.assert_allclose([rows[8] for rows in every], numbers[:, 1], rtol=0, atol=1e-10)


def test_equal_lengths_and_float32_come_back_alike(fitted):
    batch = np.stack([x[:9] for x in X])
    every = fitted.predict_proba(batch, steps="all")
    assert every.shape == (len(X), 9, 3)
    np.testing.assert_allclose(every[:, 8], fitted.predict_proba(batch), rtol=0, atol=1e-10)
    single = ensemble(views=["values", "normalized"])
    single.fit(batch.astype(np.float32), y)
    found = single.predict_proba(batch.astype(np.float32), steps=[4])[:, 0]
    wanted = single.predict_proba(batch[:, :4].astype(np.float32))
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-4)


def test_only_views_that_differ_for_prefixes_are_cut(monkeypatch):
    model = ensemble(views=["values", "differences"])
    monkeypatch.setattr(_ensemble_prefixes, "_cut", lambda prefixes: 1 / 0)
    assert model.predict_proba(X, steps=[2, 5]).shape == (len(X), 2, 3)
    with pytest.raises(ZeroDivisionError):
        ensemble(views=["values", "normalized"]).predict_proba(X, steps=[2, 5])


def test_reservoirs_that_look_ahead_read_cut_sequences():
    model = ensemble(views=["values"], reservoirs=[MirroredSum()])
    found = model.predict_proba(X, steps=[3, 9])
    np.testing.assert_allclose(found, of_cut(model, [3, 9]), rtol=0, atol=1e-10)


@pytest.mark.parametrize("steps", [[10], [0.5, 0.2], "some", [0]], ids=str)
def test_wrong_steps_are_refused(fitted, steps):
    with pytest.raises(ValueError, match="steps"):
        fitted.predict_proba(X, steps=steps)
