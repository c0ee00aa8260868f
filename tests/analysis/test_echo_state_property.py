"""The echo state property: its conditions by their definitions, and runs that confirm them."""

import numpy as np
import pytest
from third_party import MirroredSum, TappedDelayLine

from esnkit import DeepReservoir, ESNRegressor, ParallelReservoir, Reservoir
from esnkit.analysis import EchoStateProperty, check_echo_state_property, echo_state_index
from esnkit.analysis import _echo_state_property as module
from esnkit.reservoirs import UPDATES

WAVES = np.sin(np.arange(400) / 5)[:, None]


def given(W, **parameters):
    """Return a reservoir of given weights, without bias."""
    parameters = {"bias_scaling": 0.0, "spectral_radius": None, "random_state": 0} | parameters
    return Reservoir(len(W), topology=np.array(W, float), **parameters)


def test_both_conditions_are_those_of_the_weights():
    reservoir = Reservoir(30, leak_rate=0.4, spectral_radius=0.9, random_state=0).fit(WAVES)
    found = check_echo_state_property(reservoir, n_timesteps=50, random_state=0)
    W = reservoir.W_.toarray()
    radius = np.abs(np.linalg.eigvals(0.6 * np.eye(30) + 0.4 * W)).max()
    assert found.effective_spectral_radius == pytest.approx(radius)
    assert radius <= found.contraction <= 0.6 + 0.4 * np.linalg.norm(W, 2) * (1 + 1e-12)


@pytest.mark.parametrize("leak", [0.4, (0.1, 1.0)])
@pytest.mark.parametrize("update", UPDATES)
def test_no_step_stretches_distances_by_more_than_the_contraction_in_the_long_run(update, leak):
    rng = np.random.default_rng(0)
    for radius in (0.3, 0.6):
        reservoir = Reservoir(
            8, update=update, leak_rate=leak, spectral_radius=radius, random_state=0
        ).fit(WAVES)
        found = check_echo_state_property(reservoir, n_timesteps=5)
        (equation,) = reservoir.state_equations()
        kept, gain, R = equation.kept().toarray(), equation.rates.gain, equation.recurrent.toarray()
        v = rng.normal(size=8)
        for _ in range(60):  # the worst of some slopes, step by step
            slopes = rng.uniform(0, 1, (50, 8)).round(rng.integers(0, 2))
            moved = [kept @ v + gain * s * (R @ v) for s in slopes]
            v = max(moved, key=np.linalg.norm)
        growth = np.linalg.norm(v) ** (1 / 60)
        assert growth < found.contraction * 1.1
        radius = np.abs(np.linalg.eigvals(kept + gain[:, None] * R)).max()
        assert found.effective_spectral_radius == pytest.approx(radius)
        assert found.contraction >= radius * (1 - 1e-9)


def test_a_composed_reservoir_is_as_stable_as_its_least_stable_part():
    layers = {"spectral_radius": [0.3, 0.9], "leak_rate": [1.0, 0.5]}
    deep = DeepReservoir(Reservoir(10), 2, layer_params=layers, random_state=0).fit(WAVES)
    parallel = ParallelReservoir(Reservoir(10), 2, reservoir_params=layers, random_state=0)
    for composed in (deep, parallel.fit(WAVES)):
        found = check_echo_state_property(composed, n_timesteps=300, random_state=0)
        parts = getattr(composed, "layers_", None) or composed.reservoirs_
        each = [check_echo_state_property(p, n_timesteps=5) for p in parts]
        for name in ("contraction", "effective_spectral_radius"):
            assert getattr(found, name) == max(getattr(one, name) for one in each)
        assert found.empirical
    assert found.sufficient is False and each[0].sufficient


@pytest.mark.parametrize(
    ("W", "wanted"),
    [
        ([[0.0, 0.0], [9.0, 0.5]], 0.5),  # triangular: the radius of abs(W)
        ([[0.0, 4.0], [0.04, 0.0]], 0.4),  # balanced
        ([[0.6, 0.6], [-0.6, 0.6]], 0.6 * np.sqrt(2)),  # orthogonal: the largest singular value
    ],
)
def test_the_contraction_is_that_of_the_best_scale(W, wanted):
    found = check_echo_state_property(given(W), n_timesteps=300, random_state=0)
    assert found.contraction == pytest.approx(wanted) and found.sufficient and found.empirical


def test_the_contraction_bounds_the_largest_singular_value_of_some_scale():
    rng = np.random.default_rng(0)
    for n in (3, 8):
        W = rng.normal(size=(n, n)) * 10.0 ** rng.integers(-2, 3, n)
        bound = check_echo_state_property(given(W), n_timesteps=1).contraction
        scales = 10 ** rng.uniform(-3, 3, (300, n))
        assert bound <= min(np.linalg.norm(d[:, None] * W / d, 2) for d in scales) * (1 + 1e-9)


def test_leaky_steps_shrink_distances_where_the_condition_is_met():
    # The norm of D x / sqrt(a), for any leak rates.
    rng, leak = np.random.default_rng(0), np.array([0.01, 0.5, 1.0, 0.2])
    W = rng.normal(size=(4, 4))
    W *= 0.99 / np.linalg.norm(W, 2)
    for _ in range(200):
        slopes, v = rng.uniform(0, 1, 4), rng.normal(size=4)
        moved = (1 - leak) * v + leak * slopes * (W @ v)
        assert np.linalg.norm(moved / np.sqrt(leak)) < np.linalg.norm(v / np.sqrt(leak))
    assert check_echo_state_property(given(W, leak_rate=leak), n_timesteps=5).sufficient


def test_large_reservoirs_have_the_same_norm(monkeypatch):
    for topology in ("diagonals", "orthogonal", "cycle"):
        W = Reservoir(40, topology=topology, random_state=0).fit(WAVES).W_
        exact = np.linalg.norm(W.toarray(), 2)
        monkeypatch.setattr(module, "DENSE_UP_TO", 0)
        assert module._norm(W) == pytest.approx(exact, rel=1e-9)
        monkeypatch.undo()


@pytest.mark.parametrize(
    ("activation", "wanted"),
    [("tanh", (True, True)), ("identity", (True, True)), ("relu", (True, None)),
     ("sigmoid", (True, None))],
)  # fmt: skip
def test_which_conditions_an_activation_has(activation, wanted):
    reservoir = given([[0.9]], activation=activation)
    found = check_echo_state_property(reservoir, n_timesteps=300, random_state=0)
    assert (found.sufficient, found.necessary) == wanted and found.empirical
    scale = 0.25 if activation == "sigmoid" else 1.0
    assert found.contraction == pytest.approx(0.9 * scale)


def test_the_three_answers_may_differ():
    two_states = given([[1.5]], input_weights=[[1.0]])
    still = check_echo_state_property(two_states, 0 * WAVES, random_state=0)
    assert (still.sufficient, still.necessary, still.empirical) == (False, False, False)
    driven = check_echo_state_property(two_states, 10 * WAVES, random_state=0)
    assert (driven.sufficient, driven.necessary, driven.empirical) == (False, False, True)
    assert still.n_timesteps == driven.n_timesteps == 400
    wild = check_echo_state_property(
        Reservoir(20, activation="identity", spectral_radius=3.0, random_state=0), random_state=0
    )
    assert not wild.empirical and not np.isfinite(wild.distance)


def test_distances_are_relative_to_those_at_the_start():
    half = given([[0.5]], activation="identity")
    found = check_echo_state_property(half, WAVES[:3], random_state=0)
    assert found.distance == pytest.approx(1 / 8)
    for tol, wanted in ((0.13, 1), (0.12, 2)):
        assert echo_state_index(half, WAVES[:3], n_states=2, tol=tol, random_state=0) == wanted


def test_zero_is_one_of_the_initial_states():
    unstable = given([[1.5]])  # at zero
    for seed in range(6):
        found = check_echo_state_property(unstable, 0 * WAVES, n_states=1, random_state=seed)
        assert not found.empirical


def test_a_rotation_does_not_commute_with_scales():
    # In balanced units W is small, but not the rotation.
    rotated = given([[0.0, 4.0], [0.04, 0.0]], update="es2n", leak_rate=0.5)
    found = check_echo_state_property(rotated, n_timesteps=5)
    assert found.effective_spectral_radius == pytest.approx(np.sqrt(2.5 * 0.52))
    assert found.contraction >= found.effective_spectral_radius * (1 - 1e-9)


def test_reservoirs_without_weights_are_driven_only():
    found = check_echo_state_property(TappedDelayLine(), random_state=0, n_timesteps=3)
    assert (found.sufficient, found.necessary, found.empirical) == (None, None, True)
    assert not check_echo_state_property(TappedDelayLine(), n_timesteps=2, tol=0.01).empirical
    assert "sufficient condition: unknown\n" in repr(found)
    with pytest.raises(ValueError, match="needs a causal reservoir"):
        check_echo_state_property(MirroredSum())


def test_the_report_names_both_conditions():
    report = repr(EchoStateProperty(0.5, 1.25, 0.0, 10, 1e-6)).splitlines()
    assert report[1].endswith("met (contraction 0.5, less than 1 is sufficient)")
    assert "not met (effective spectral radius 1.25, less than 1 is necessary)" in report[2]
    assert "forgotten (distance 0 of that at the start, after 10 steps)" in report[3]


def test_an_estimator_is_checked_as_its_reservoir():
    model = ESNRegressor(10, random_state=0).fit(WAVES, WAVES[:, 0])
    assert check_echo_state_property(model, WAVES, random_state=0) == check_echo_state_property(
        model.reservoir_, WAVES, random_state=0
    )


@pytest.mark.parametrize("n_pairs", [1, 3])
def test_the_index_counts_the_stable_states(n_pairs):
    # Units that excite themselves, each of which stays positive or negative.
    W, rest = 1.5 * np.eye(n_pairs), np.zeros((100, 1))
    assert echo_state_index(given(W), rest, random_state=0) == 2**n_pairs
    assert echo_state_index(given(0.5 * W), rest, random_state=0) == 1


def test_the_index_depends_on_the_input_and_on_convergence():
    unit = given([[1.5]], input_weights=[[1.0]])
    found = [echo_state_index(unit, s * WAVES, random_state=0) for s in (0.1, 10)]
    assert found == [2, 1]
    slow = given([[0.999]])
    assert echo_state_index(slow, WAVES[:2], n_states=20, random_state=0) > 1
    wild = Reservoir(50, spectral_radius=3.0, bias_scaling=0.0, random_state=0)
    assert echo_state_index(wild, 0.01 * WAVES, n_states=12, random_state=0) == 12
