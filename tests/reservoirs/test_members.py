"""Members of composed reservoirs: their parameters and seeds."""

import numpy as np
import pytest

from esnkit import (
    NVAR,
    BidirectionalReservoir,
    DeepReservoir,
    IntrinsicPlasticityReservoir,
    MemoryReservoir,
    ParallelReservoir,
    Reservoir,
    ReservoirRegressor,
)
from esnkit.reservoirs import _members
from esnkit.reservoirs._blocks import segments
from esnkit.reservoirs._members import make_members
from esnkit.sequences._packing import Sequences


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


@pytest.mark.parametrize("wrap", [BidirectionalReservoir, IntrinsicPlasticityReservoir])
def test_a_seed_of_a_nested_reservoir_makes_no_equal_members(wrap):
    template = wrap(Reservoir(3, random_state=1))
    seeds = [
        [member.reservoir.random_state for member in make_members(template, 2, "name", None, seed)]
        for seed in (0, None, None)
    ]
    assert seeds[0][0] != seeds[0][1]
    assert seeds[1] == seeds[2] != seeds[0]
    assert template.reservoir.random_state == 1


def test_nested_reservoirs_of_a_list_are_cloned_and_seeded():
    params = {"reservoir": [Reservoir(3, random_state=1), NVAR()]}
    members = make_members(BidirectionalReservoir(), 2, "name", params, 0)
    assert members[0].reservoir.random_state == members[0].random_state != 1
    assert params["reservoir"][0].random_state == 1


AUTO = Reservoir(5, input_scaling="auto", random_state=0)
WRAPPED = {
    "deep": DeepReservoir(AUTO, 2),
    "parallel": ParallelReservoir(AUTO, 2),
    "memory": MemoryReservoir(AUTO, 6),
    "memory of deep": MemoryReservoir(DeepReservoir(AUTO, 2, random_state=0), 6),
    "both directions": BidirectionalReservoir(AUTO),
    "plastic": IntrinsicPlasticityReservoir(AUTO, n_epochs=1),
}


@pytest.mark.parametrize("name", WRAPPED)
def test_auto_scaling_inside_makes_the_unit_of_inputs_irrelevant(name):
    X, y = np.random.default_rng(0).normal(size=(8, 9, 2)), np.arange(8.0)
    other_units = X * [1e3, 1e-3] + [1e5, 5.0]
    states = WRAPPED[name].fit_transform(X)
    np.testing.assert_allclose(WRAPPED[name].fit_transform(other_units), states, atol=1e-9)
    model = ReservoirRegressor(WRAPPED[name], pooling=["mean", "std"])
    pooled = model.fit(X, y).predict(X + 0.1)
    np.testing.assert_allclose(
        model.fit(other_units, y).predict(other_units + [1e2, 1e-4]), pooled, rtol=1e-5
    )


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


PLASTIC = IntrinsicPlasticityReservoir(Reservoir(9), n_epochs=1)
WIDE = Reservoir(35, update="es2n", leak_rate=0.5, degree=3)


@pytest.mark.parametrize("composed", [DeepReservoir, ParallelReservoir])
@pytest.mark.parametrize(
    ("member", "feedback"),
    [(WIDE, False), (WIDE, True), (PLASTIC, False)],
    ids=["", "feedback", "plastic"],
)
def test_compiled_loops_have_the_bits_of_single_steps(member, composed, feedback, monkeypatch):
    rng = np.random.default_rng(0)
    series, beside = np.sin(np.arange(90) / 4)[:, None], rng.normal(size=(90, 1))
    X = beside if feedback else np.hstack([series, beside])
    model = ReservoirRegressor(composed(member, 2, random_state=0), feedback=feedback)
    model.fit(X[:69], series[1:70])
    given = {"exog": beside[70:], "warmup": (X[:70], series[:70]) if feedback else X[:70]}
    compiled = model.generate(20, **given)
    monkeypatch.setattr(composed, "run_closed_loop", None)
    assert np.array_equal(model.generate(20, **given), compiled)


def test_members_without_state_equations_have_no_compiled_loop():
    for member in (NVAR(), DeepReservoir(Reservoir(4), 2), Reservoir(30, topology=np.eye(30))):
        fitted = ParallelReservoir(member, 2).fit(np.ones((3, 1)))
        assert (fitted.run_closed_loop is None) == (not isinstance(member, Reservoir))
    one_row = np.zeros((300, 300))
    one_row[0] = 1.0  # as `Csr`, which has no rows of units to pack
    fitted = ParallelReservoir(Reservoir(300, topology=one_row), 2).fit(np.ones((3, 1)))
    assert fitted.run_closed_loop is None


@pytest.mark.parametrize("noise", [0.0, 0.1])
@pytest.mark.parametrize("composed", [DeepReservoir, ParallelReservoir])
def test_a_long_sequence_in_pieces_is_the_whole(composed, noise, monkeypatch):
    X = np.random.default_rng(0).normal(size=(50, 2))
    reservoir = composed(Reservoir(9, noise=noise), 2, random_state=0)
    whole = reservoir.fit_transform(X)
    monkeypatch.setattr(_members, "CACHED_BYTES", 9 * 8 * 7)
    sequences = Sequences(X, np.array([0, 50]), "series")
    pieces = list(segments(sequences.offsets, reservoir._rows_at_once(sequences)))
    assert pieces[-1] == (0, 1, 49, 50)
    assert np.array_equal(reservoir.fit_transform(X), whole)
