"""What a network is made of, and where its parameters are."""

import numpy as np
import pytest
from network_problems import SPECS

from esnkit.networks._spec import (
    n_parameters,
    parameter_slices,
    parameter_views,
    state_columns,
    weight_decay_mask,
)

every_spec = pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)


@every_spec
def test_parameters_lie_end_to_end(spec):
    theta = np.arange(n_parameters(spec))
    parts = parameter_views(spec, theta)
    assert list(parts) == list(parameter_slices(spec))
    assert np.array_equal(np.concatenate([part.ravel() for part in parts.values()]), theta)
    assert all(np.shares_memory(part, theta) for part in parts.values())


@every_spec
def test_every_column_of_a_state_belongs_to_one_layer(spec):
    seen = np.zeros(spec.n_state)
    for layer in spec.layers():
        for columns in state_columns(spec, layer.position):
            if columns is not None:
                seen[columns] += 1
    assert np.all(seen == 1)


def test_biases_and_states_are_not_penalised():
    spec = SPECS["attention"]._replace(learn_state=True)
    parts = parameter_views(spec, weight_decay_mask(spec))
    assert not parts["M_0"][:, -1].any() and parts["M_0"][:, :-1].all()
    assert not parts["initial_state"].any() and not parts["head_b"].any()
    assert not parts["attention_b"].any() and parts["attention_W"].all()
