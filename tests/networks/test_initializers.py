"""Initial weights: each recipe has the property it is known for."""

import numpy as np
import pytest
from network_problems import free_parameters

from esnkit.networks._cells import CELLS
from esnkit.networks._initializers import INITS, initial_theta
from esnkit.networks._spec import Spec
from esnkit.networks._weights import split_weights
from esnkit.reservoirs.spectral import spectral_radius

ALL = [("tanh", "orthogonal"), ("tanh", "glorot"), ("relu", "identity"), ("tanh", "sparse")]
GATED = [cell for cell, record in CELLS.items() if record.is_gated]
ALL += [(cell, init) for cell in GATED for init in ("glorot", "chrono")]


def weights(cell, init, n_units=40, **params):
    spec = Spec(cell, n_units, 3, 2, n_layers=2, bidirectional=True, pooling="attention")
    rng = np.random.default_rng(0)
    return split_weights(spec, initial_theta(spec, rng, init, **params))


@pytest.mark.parametrize(("cell", "init"), ALL)
def test_every_initialisation_is_finite_and_keeps_the_zeros_of_a_gru(cell, init):
    spec = Spec(cell, 20, 3, 2, n_layers=2, tokens=True, embedding_dim=4)
    theta = initial_theta(spec, np.random.default_rng(0), init)
    assert np.all(np.isfinite(theta))
    assert not np.any(theta[~free_parameters(spec)])
    again = initial_theta(spec, np.random.default_rng(0), init)
    assert np.array_equal(theta, again)


@pytest.mark.parametrize("cell", ["tanh", "lstm", "gru", "gru_before"])
def test_every_gate_is_orthogonal(cell):
    W = weights(cell, "orthogonal")["W_1_reverse"].reshape(-1, 40, 40)
    np.testing.assert_allclose(W @ W.transpose(0, 2, 1), np.tile(np.eye(40), (len(W), 1, 1)),
                               atol=1e-12)  # fmt: skip


@pytest.mark.parametrize("n", [1, 3])
def test_orthogonal_weights_prefer_no_direction(n):
    rng = np.random.default_rng(0)
    drawn = np.array([INITS["orthogonal"].recurrent(rng, n, 1.0) for _ in range(2000)])
    assert np.abs(drawn.mean(axis=0)).max() < 0.06
    np.testing.assert_allclose(np.mean(drawn**2, axis=0), 1 / n, atol=0.03)


def test_glorot_has_its_limit():
    W_in = weights("lstm", "glorot")["W_in_0"]
    limit = np.sqrt(6 / (3 + 40))
    assert 0.95 * limit < np.abs(W_in).max() < limit


def test_forget_gates_are_open_and_the_head_starts_at_the_mean():
    named = weights("lstm", "orthogonal", head_bias=[1.5, -2.0])
    assert np.array_equal(named["b_0"].reshape(4, 40)[:, 0], [0.0, 1.0, 0.0, 0.0])
    assert np.array_equal(named["b_out"], [1.5, -2.0])


def test_identity_is_the_identity():
    assert np.array_equal(weights("relu", "identity")["W_0"], np.eye(40))


def test_sparse_has_its_degree_and_radius():
    named = weights("tanh", "sparse", n_units=60, spectral_radius=1.2, input_scaling=0.5)
    assert np.all(np.count_nonzero(named["W_0"], axis=1) == 15)
    assert spectral_radius(named["W_0"]) == pytest.approx(1.2, rel=1e-9)
    assert 0.4 < named["W_in_0"].std() < 0.6


def test_chrono_draws_time_scales_up_to_the_longest():
    b = weights("lstm", "chrono", longest=200)["b_0"].reshape(4, 40)
    assert np.array_equal(b[0], -b[1]) and np.all(b[1] > 0) and np.all(b[1] < np.log(199))
    z = weights("gru", "chrono", longest=200)["b_0"].reshape(3, 40)[1]
    nu = weights("lru", "chrono", n_units=80, longest=200)["nu_0"]
    for log_scales in (z, -nu):
        assert np.median(np.exp(log_scales)) == pytest.approx(100, rel=0.5)


@pytest.mark.parametrize("longest", [200, 10**6])
def test_gates_that_depend_on_inputs_alone_start_with_log_uniform_time_scales(longest):
    top = np.log(min(longest, 1000))
    z = weights("mingru", "orthogonal", 400, longest=longest)["b_0"].reshape(2, 400)
    b = weights("minlstm", "orthogonal", 400, longest=longest)["b_0"].reshape(3, 400)
    assert np.array_equal(b[0], -b[1]) and not z[1].any() and not b[2].any()
    nu = weights("lru", "orthogonal", 400, longest=longest)["nu_0"]
    for drawn in (z[0], b[1], -nu):
        np.testing.assert_allclose(
            np.quantile(drawn, [0, 0.25, 0.5, 1]), top * np.array([0, 0.25, 0.5, 1]), atol=0.1 * top
        )


@pytest.mark.parametrize(
    ("cell", "init"),
    [("lstm", "identity"), ("gru", "sparse"), ("tanh", "chrono"), ("lru", "identity")],
)
def test_an_initialisation_for_other_cells_is_refused(cell, init):
    with pytest.raises(ValueError, match=f"init='{init}'"):
        weights(cell, init)
    assert set(INITS) == {"orthogonal", "glorot", "identity", "sparse", "chrono"}


@pytest.mark.parametrize("init", ["orthogonal", "chrono", "identity"])
def test_standardised_inputs_give_pre_activations_of_variance_one(init):
    cell = "relu" if init == "identity" else "lstm"
    drawn = weights(cell, init, n_units=400, input_gains=np.ones((1, 3)))
    other = weights(cell, init, n_units=400)
    assert np.array_equal(drawn["W_in_1"], other["W_in_1"])
    if init == "identity":
        assert np.array_equal(drawn["W_in_0"], other["W_in_0"])
    else:
        for name in ("W_in_0", "W_in_0_reverse"):
            assert np.mean(np.sum(drawn[name] ** 2, axis=1)) == pytest.approx(1.0, rel=0.05)


def test_the_gates_of_a_unit_have_the_gains_of_one_sequence():
    of_sequences = np.array([[1.0, 1.0, 1.0], [100.0, 1.0, 4.0], [1e6, 2.0, 1.0]])
    plain, scaled = (
        weights("gru", "orthogonal", 400, input_gains=g) for g in (np.ones((1, 3)), of_sequences)
    )
    gains = (scaled["W_in_0"] / plain["W_in_0"]).reshape(3, 400, 3)
    np.testing.assert_allclose(gains, np.broadcast_to(gains[0], gains.shape))
    drawn = np.abs(gains[0][:, None] / of_sequences - 1).max(axis=2) < 1e-6
    assert np.all(drawn.sum(axis=1) == 1) and np.all(drawn.mean(axis=0) > 0.25)
