"""Specifications: names and places of parameters, the weight-decay mask, changes by name."""

import numpy as np
from network_problems import SPECS
from training_problems import SPEC

from esnkit.networks._initializers import initial_theta
from esnkit.networks._spec import (
    Spec,
    describe_changes,
    parameter_views,
    weight_decay_mask,
)


def test_parameters_are_views_of_one_vector():
    spec = Spec("lstm", 5, 3, 2)
    theta = initial_theta(spec, np.random.default_rng(0))
    parameter_views(spec, theta)["head_b"][:] = 7
    assert np.array_equal(theta[-2:], [7, 7])


def test_biases_and_states_are_not_penalised():
    spec = SPECS["attention"]._replace(learn_state=True)
    parts = parameter_views(spec, weight_decay_mask(spec))
    assert not parts["M_0"][:, -1].any() and parts["M_0"][:, :-1].all()
    assert not parts["initial_state"].any() and not parts["head_b"].any()
    assert not parts["attention_b"].any() and parts["attention_W"].all()


def test_changes_are_described_by_name():
    assert describe_changes(SPEC, SPEC) == ""
    assert describe_changes(SPEC, SPEC._replace(n_units=3, cell="gru")) == (
        "cell was 'lstm' and is now 'gru', n_units was 6 and is now 3"
    )
