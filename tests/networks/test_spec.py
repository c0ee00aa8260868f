"""Specifications: names and places of parameters, the weight-decay mask, changes by name."""

import numpy as np
import pytest
from network_problems import BASE, CELLS, SPECS
from training_problems import SPEC

from esnkit.networks._encoder_decoder import PairSpec
from esnkit.networks._initializers import initial_theta
from esnkit.networks._spec import (
    POOLINGS,
    Spec,
    describe_changes,
    n_parameters,
    parameter_slices,
    parameter_views,
    state_columns,
    weight_decay_mask,
)

every_spec = pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)


@every_spec
def test_parameters_fill_the_vector_without_gaps(spec):
    stops = [0] + [at.stop for at, _ in parameter_slices(spec).values()]
    starts = [at.start for at, _ in parameter_slices(spec).values()]
    assert stops[:-1] == starts and stops[-1] == n_parameters(spec)


@every_spec
def test_columns_of_all_layers_fill_a_state_row(spec):
    columns = [state_columns(spec, layer.position) for layer in spec.layers()]
    used = np.concatenate([np.r_[part] for pair in columns for part in pair if part is not None])
    assert np.array_equal(np.sort(used), np.arange(spec.n_state))


@pytest.mark.parametrize("cell", CELLS)
def test_only_cells_with_a_cell_state_have_a_wider_state(cell):
    spec = BASE._replace(cell=cell, n_layers=2)
    assert (spec.n_state == spec.n_hidden) != spec.cell_record.has_cell_state


def test_a_network_is_causal_in_one_direction_if_it_reads_the_last_state():
    assert BASE.is_causal and not BASE._replace(bidirectional=True).is_causal
    causal = {name: BASE._replace(pooling=name).is_causal for name in POOLINGS}
    assert causal == {"last": True, "mean": False, "max": False, "attention": False}


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
    pair = PairSpec(SPEC, SPEC, True)
    changes = describe_changes(pair, pair._replace(decoder=SPEC._replace(n_layers=2)))
    assert changes == "decoder.n_layers was 1 and is now 2"
