"""Members of composed reservoirs: their parameters and seeds."""

import numpy as np
import pytest

from esnkit import NVAR, DeepReservoir, ParallelReservoir, Reservoir
from esnkit.reservoirs._members import make_members


def test_members_have_their_own_values_and_seeds():
    params = {"leak_rate": [1.0, 0.5], "n_units": [4, 6]}
    members = make_members(Reservoir(3, degree=2), 2, "layer_params", params, 0)
    assert [member.n_units for member in members] == [4, 6]
    assert [member.leak_rate for member in members] == [1.0, 0.5]
    assert all(member.degree == 2 for member in members)
    again = make_members(Reservoir(3, random_state=0), 2, "layer_params", None, None)
    assert [m.random_state for m in members] == [m.random_state for m in again]
    assert members[0].random_state != members[1].random_state


def test_a_list_may_hold_the_seeds():
    members = make_members(Reservoir(3), 2, "layer_params", {"random_state": [5, 6]}, 0)
    assert [member.random_state for member in members] == [5, 6]


def test_a_reservoir_without_a_seed_needs_none():
    members = make_members(NVAR(), 2, "layer_params", {"delays": [1, 3]}, 0)
    assert [member.delays for member in members] == [1, 3]


@pytest.mark.parametrize(
    "composed, name", [(DeepReservoir, "layer"), (ParallelReservoir, "reservoir")]
)
@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ([1, 2], TypeError, "{}_params must be a dict or None, got"),
        ({"leak": [1.0] * 3}, ValueError, "{}_params must have parameters of Reservoir as keys"),
        ({"n_units": [4, 5]}, ValueError, r"{}_params\['n_units'\] must be a list of 3 values"),
        ({"n_units": 4}, ValueError, r"{}_params\['n_units'\] must be a list of 3 values"),
    ],
)
def test_wrong_parameters_are_named(composed, name, params, error, message):
    with pytest.raises(error, match=message.format(name)):
        composed(**{f"{name}_params": params}).fit(np.zeros((3, 1)))


@pytest.mark.parametrize("composed", [DeepReservoir, ParallelReservoir])
def test_the_reservoir_and_the_number_are_checked(composed):
    with pytest.raises(TypeError, match="reservoir must be a reservoir"):
        composed(Reservoir).fit(np.zeros((3, 1)))
    with pytest.raises(ValueError, match="n_(layers|reservoirs) must be an integer >= 1"):
        composed(Reservoir(4), 0).fit(np.zeros((3, 1)))
