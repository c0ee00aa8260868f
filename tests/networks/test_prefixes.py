"""Outputs of networks for prefixes, against those of sequences that are cut."""

import numpy as np
import pytest
from network_problems import BASE, LENGTHS, OFFSETS, theta_of

from esnkit.networks import _prefixes as module
from esnkit.networks._batch import InitialState
from esnkit.networks._minibatches import SequenceBatch, evaluate
from esnkit.networks._prefixes import prefix_outputs
from esnkit.networks._spec import POOLINGS
from esnkit.sequences import _prefixes
from esnkit.sequences._initial_state import Clamp
from esnkit.sequences._packing import Sequences
from esnkit.sequences._prefixes import Prefixes

SPECS = {pooling: BASE._replace(pooling=pooling, n_layers=2) for pooling in POOLINGS}
SPECS |= {f"{name} both ways": spec._replace(bidirectional=True) for name, spec in SPECS.items()}
SPECS["no head"] = BASE._replace(pooling="mean", head=False, learn_state=True)
SPECS["tokens"] = BASE._replace(pooling="last", tokens=True, embedding_dim=2, cell="gru")
STEPS = {"all": "all", "numbers": [1], "shares": [0.3, 0.6, 1.0]}


def data_of(spec):
    rng = np.random.default_rng(1)
    n, inputs = OFFSETS[-1], rng.normal(size=(OFFSETS[-1], spec.n_features))
    if spec.tokens:
        inputs = rng.integers(0, spec.n_features, n)
    state = InitialState(rng.normal(size=(len(LENGTHS), spec.n_state)), np.array(True))
    clamp = Clamp(np.array([1]), rng.normal(size=(n, 1)))
    return SequenceBatch(inputs, OFFSETS, np.empty((len(LENGTHS), 0)), False, None, state, clamp)


@pytest.mark.parametrize("steps", STEPS.values(), ids=STEPS)
@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_outputs_are_those_of_cut_sequences(spec, steps, monkeypatch):
    monkeypatch.setattr(module, "EVALUATED_SEQUENCES", 3)
    monkeypatch.setattr(_prefixes, "MAX_ROWS", 9)
    theta, data = theta_of(spec), data_of(spec)
    prefixes = Prefixes.of(Sequences(data.inputs, OFFSETS, "ragged"), steps)
    lengths = prefixes.lengths.ravel()
    found = prefix_outputs(spec, theta, data, prefixes)
    for row, i, n in zip(found, prefixes.source, lengths, strict=True):
        wanted, _ = evaluate(spec, theta, data.subset(np.array([i]), 0, int(n)))
        np.testing.assert_allclose(row, wanted[0], rtol=0, atol=1e-12)


def test_large_scores_of_attention_do_not_hide_early_steps():
    spec = BASE._replace(pooling="attention")
    theta, data = 1e4 * theta_of(spec), data_of(spec)
    prefixes = Prefixes.of(Sequences(data.inputs, OFFSETS, "ragged"), [1])
    found = prefix_outputs(spec, theta, data, prefixes)
    wanted, _ = evaluate(spec, theta, data.subset(np.arange(len(LENGTHS)), 0, 1))
    np.testing.assert_allclose(found, wanted, rtol=1e-12)
