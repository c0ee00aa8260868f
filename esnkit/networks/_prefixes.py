"""Outputs of a network for the prefixes of sequences."""

import numpy as np

from esnkit.networks._bptt import apply_head, run
from esnkit.networks._minibatches import EVALUATED_SEQUENCES, SequenceBatch, evaluate
from esnkit.networks._pooling import pool_prefixes
from esnkit.networks._spec import Spec, parameter_views
from esnkit.sequences._prefixes import Prefixes

__all__ = ["prefix_outputs"]


def prefix_outputs(
    spec: Spec, theta: np.ndarray, data: SequenceBatch, prefixes: Prefixes
) -> np.ndarray:
    """Return the outputs (n_prefixes, n_outputs) of a network with a pooling.

    A network of one direction runs once over the sequences. The backward direction differs for
    every prefix: the network then runs over all of them.
    """
    of_prefixes = _of_cut_sequences if spec.bidirectional else _of_one_run
    outputs = np.empty((prefixes.lengths.size, spec.n_outputs), theta.dtype)
    of_prefixes(spec, theta, data, prefixes, outputs)
    return outputs


def _of_cut_sequences(spec, theta, data, prefixes, outputs):
    """Write the outputs, computed for sequences that end earlier."""
    source, lengths = prefixes.source, prefixes.lengths.ravel()
    for some in prefixes.groups():
        cut = data.subset(source[some], 0, lengths[some])
        outputs[some], _ = evaluate(spec, theta, cut)


def _of_one_run(spec, theta, data, prefixes, outputs):
    """Write the outputs, from states that do not depend on later steps."""
    parameters, ends = parameter_views(spec, theta), prefixes.ends
    # The parameters of the layers come before those of the pooling and of the head.
    of_states = spec._replace(pooling=None, head=False)
    n = len(data.offsets) - 1
    for first in range(0, n, EVALUATED_SEQUENCES):
        group = np.arange(first, min(first + EVALUATED_SEQUENCES, n))
        start, stop = data.offsets[first], data.offsets[group[-1] + 1]
        wanted = slice(*np.searchsorted(ends, [start, stop], side="right"))
        batch = data.subset(group).batch()
        _, tape = run(of_states, theta, batch)
        pooled = pool_prefixes(spec.pooling, parameters, tape.rows[-1], batch)
        last = ends[wanted] - start - 1
        outputs[wanted] = apply_head(spec, parameters, pooled[last], exact=True)
