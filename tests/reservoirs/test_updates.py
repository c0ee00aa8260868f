"""State equations: the table, and an update that somebody else adds to it."""

import numpy as np
import pytest

from esnkit import ESNRegressor, Reservoir, check_reservoir, effective_spectral_radius
from esnkit.reservoirs import UPDATES, Rates, Update


@pytest.fixture
def additive():
    """Add the update x(t) = (1 - a) x(t-1) + f(pre(t)), and take it out again."""
    UPDATES["additive"] = Update(
        equation="x(t) = (1 - a) x(t-1) + f(pre(t))",
        rates=lambda leak: Rates(np.ones_like(leak), 1 - leak),
    )
    yield Reservoir(15, update="additive", leak_rate=0.4, random_state=0)
    del UPDATES["additive"]


def test_an_update_is_a_record(additive):
    X = np.random.default_rng(0).normal(size=(30, 2))
    states = additive.fit_transform(X)
    r, x = additive, np.zeros(15)
    for u, state in zip(X, states, strict=True):
        x = (1 - r.leak_rate_) * x + np.tanh(r.W_in_ @ u + r.W_ @ x + r.b_)
        np.testing.assert_allclose(state, x, atol=1e-13)
    check_reservoir(additive)


def test_an_unknown_update_is_refused():
    with pytest.raises(ValueError, match="update must be one of .*leaky.*got 'drifting'"):
        Reservoir(update="drifting").fit(np.zeros((3, 1)))


def test_the_jacobian_determines_the_effective_radius():
    rng = np.random.default_rng(0)
    W, leak = rng.normal(size=(30, 30)) / 6, rng.uniform(0.1, 1.0, 30)
    J = UPDATES["leaky"].jacobian(W, leak)
    radius = np.abs(np.linalg.eigvals(J.toarray())).max()
    assert effective_spectral_radius(W, leak) == pytest.approx(radius, rel=1e-6)


def twin(reservoir, X, linear, recurrent):
    """Return the states of x = linear(x) + a f(recurrent x + W_in u + b), one step at a time."""
    x, states = np.zeros(reservoir.n_units), []
    for u in X:
        pre = recurrent @ x + reservoir.W_in_ @ u + reservoir.b_
        x = linear(x, reservoir.leak_rate_) + reservoir.leak_rate_ * np.tanh(pre)
        states.append(x)
    return np.array(states)


LINEAR = {
    "es2n": ({}, lambda x, a: (1 - a) * np.roll(x, 1)),
    "euler": ({"diffusion": 0.1}, lambda x, a: x),
    "residual": ({"skip_weight": 0.7}, lambda x, a: 0.7 * np.roll(x, 1)),
    "residual, identity": ({"skip_weight": 0.7, "skip": "identity"}, lambda x, a: 0.7 * x),
}


@pytest.mark.parametrize("topology", ["diagonals", "random", "dense", "antisymmetric"])
@pytest.mark.parametrize("case", sorted(LINEAR))
@pytest.mark.parametrize("n_units", [1, 5, 37])
def test_states_follow_the_equation(case, topology, n_units):
    own, linear = LINEAR[case]
    if n_units == 1 and topology == "antisymmetric":
        pytest.skip("one unit has no antisymmetric weight")
    reservoir = Reservoir(
        n_units, topology=topology, degree=3, update=case.split(",")[0], update_params=own,
        leak_rate=(0.2, 0.9), random_state=1,
    )  # fmt: skip
    X = np.random.default_rng(0).normal(size=(40, 2))
    states = reservoir.fit_transform(X)
    W = reservoir.W_.toarray() - own.get("diffusion", 0.0) * np.eye(n_units)
    np.testing.assert_allclose(states, twin(reservoir, X, linear, W), atol=1e-12)
    # One by one, four at a time and in SIMD lanes, the bits are the same.
    many = reservoir.transform([X[:k] for k in range(1, 41)])
    assert all(np.array_equal(some, states[: len(some)]) for some in many)
    check_jacobian(reservoir, W, linear)


def check_jacobian(reservoir, W, linear):
    leak, n_units = reservoir.leak_rate_, reservoir.n_units
    name, own = reservoir.update, reservoir.update_params
    expected = np.array([linear(e, leak) for e in np.eye(n_units)]).T + leak[:, None] * W
    J = UPDATES[name].jacobian(reservoir.W_, leak, **own).toarray()
    np.testing.assert_allclose(J, expected, atol=1e-14)


@pytest.mark.parametrize("name", sorted(UPDATES))
def test_every_update_keeps_the_contract(name):
    check_reservoir(Reservoir(12, update=name, leak_rate=0.3, random_state=0))


@pytest.mark.parametrize("name", sorted(UPDATES))
def test_a_closed_loop_equals_single_steps(name):
    series = np.sin(np.arange(120) / 5)[:, np.newaxis]
    model = ESNRegressor(20, update=name, leak_rate=0.5, random_state=0)
    model.fit(series[:-1], series[1:])
    u, state, outputs = series[-1:], model.last_state_, []
    for _ in range(10):
        u, state = model.predict(u, initial_state=state, return_state=True)
        outputs.append(u[0])
    np.testing.assert_allclose(model.generate(10), outputs, atol=1e-9)


@pytest.mark.parametrize(
    ("name", "params", "error", "message"),
    [
        (
            "leaky",
            {"diffusion": 1},
            ValueError,
            r"'leaky' must have keys among \[\], got 'diffusion'",
        ),
        ("euler", {"gamma": 1}, ValueError, r"keys among \['diffusion'\], got 'gamma'"),
        ("euler", {"diffusion": -1.0}, ValueError, r"update_params\['diffusion'\] must be"),
        ("residual", {"skip_weight": 1.5}, ValueError, r"update_params\['skip_weight'\] must be"),
        ("residual", {"skip": "line"}, ValueError, r"update_params\['skip'\] must be one of"),
        ("residual", 0.9, TypeError, "update_params must be a dict or None, got 0.9"),
    ],
)
def test_wrong_parameters_are_named(name, params, error, message):
    with pytest.raises(error, match=message):
        Reservoir(5, update=name, update_params=params).fit(np.zeros((3, 1)))
