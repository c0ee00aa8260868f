"""Hessian-free optimisation: known solutions, explicit matrices, and a network as an example."""

import math
from typing import NamedTuple

import numpy as np
import pytest

from esnkit.optim._hessian_free import (
    adapt_damping,
    backtrack,
    conjugate_gradients,
    hessian_free_state,
    hessian_free_step,
    line_search,
)


def positive_definite(n, seed=0, condition=1e3):
    rng = np.random.default_rng(seed)
    Q = np.linalg.qr(rng.standard_normal((n, n)))[0]
    return (Q * np.geomspace(1.0, condition, n)) @ Q.T, rng.standard_normal(n)


@pytest.mark.parametrize("start", [0.0, 1.0])
@pytest.mark.parametrize("preconditioned", [False, True])
def test_conjugate_gradients_solve_the_system(preconditioned, start):
    A, b = positive_definite(30)
    diagonal = np.diag(A).copy() if preconditioned else None
    path = conjugate_gradients(
        lambda v: A @ v, b, np.full(30, start), preconditioner=diagonal, max_iter=300, tol=0.0
    )
    np.testing.assert_allclose(path.iterates[-1], np.linalg.solve(A, b), rtol=1e-8, atol=1e-10)


def test_a_preconditioner_that_knows_the_diagonal_needs_one_iteration():
    D = np.geomspace(1.0, 1e6, 40)
    path = conjugate_gradients(lambda v: D * v, np.ones(40), np.zeros(40), preconditioner=D)
    assert path.n_iter == [1]
    np.testing.assert_allclose(path.iterates[-1], 1 / D, rtol=1e-12)


def test_a_preconditioner_is_a_change_of_variables():
    A, b = positive_definite(30)
    scale = np.geomspace(1.0, 20.0, 30)  # y = scale x
    path = conjugate_gradients(
        lambda v: A @ v, b, np.ones(30), preconditioner=scale**2, max_iter=9, tol=0.0
    )
    plain = conjugate_gradients(
        lambda v: (A @ (v / scale)) / scale, b / scale, scale, max_iter=9, tol=0.0
    )
    assert path.n_iter == plain.n_iter == [1, 2, 3, 4, 5, 7, 9]
    np.testing.assert_allclose(path.iterates, plain.iterates / scale, rtol=1e-9)


def test_iterates_are_stored_at_powers_and_at_the_end():
    A, b = positive_definite(200, condition=1e6)
    path = conjugate_gradients(lambda v: A @ v, b, np.zeros(200), max_iter=50, tol=0.0)
    assert path.n_iter == [1, 2, 3, 4, 5, 7, 9, 11, 14, 18, 24, 31, 40, 50]
    phi = [0.5 * x @ A @ x - b @ x for x in path.iterates]
    assert np.all(np.diff(phi) < 0)


def test_the_run_ends_by_relative_progress():
    A, b = positive_definite(80)
    phi = [0.0]
    n_iter = conjugate_gradients(lambda v: A @ v, b, np.zeros(80), max_iter=300).n_iter[-1]
    for i in range(1, n_iter + 1):  # every iterate, by runs of every length
        x = conjugate_gradients(lambda v: A @ v, b, np.zeros(80), max_iter=i, tol=0.0).iterates[-1]
        phi.append(0.5 * x @ A @ x - b @ x)
        k = max(10, math.ceil(0.1 * i))
        stops = i > k and phi[i] < 0 and (phi[i] - phi[i - k]) / phi[i] < k * 5e-4
        assert stops == (i == n_iter)
    assert 11 < n_iter < 300


@pytest.mark.parametrize("value", [-1.0, np.nan])
def test_curvature_that_is_not_positive_ends_the_run(value):
    path = conjugate_gradients(lambda v: value * v, np.ones(3), np.zeros(3))
    assert path.n_iter == [0] and np.array_equal(path.iterates[0], np.zeros(3))


def test_a_start_that_solves_the_system_stays():
    A, b = positive_definite(4)
    assert conjugate_gradients(lambda v: A @ v, np.zeros(4), np.zeros(4)).n_iter == [0]
    start = np.linalg.solve(A, b)
    path = conjugate_gradients(lambda v: A @ v, b, start)
    np.testing.assert_allclose(path.iterates[-1], start, rtol=1e-10)


@pytest.mark.parametrize(
    ("losses", "index"),
    [
        ([9.0, 5.0, 3.0, 4.0], 2),
        ([1.0, 5.0, 3.0, 4.0], 2),  # it stops at the first increase
        ([4.0, 3.0, 2.0], 2),
        ([3.0, 3.0], 1),  # it does not go back without a decrease
        ([1.0, 2.0, 3.0], 0),
        ([4.0, 3.0, np.nan, np.inf], 1),
        ([np.nan, np.nan], 0),
        ([4.0], 0),
    ],
)
def test_backtracking(losses, index):
    found, loss = backtrack(losses.__getitem__, len(losses))
    assert found == index
    assert loss == (losses[index] if np.isfinite(losses[index]) else np.inf)


def test_the_damping_follows_the_reduction_ratio():
    ratios = (-np.inf, np.nan, 0.2499, 0.25, 0.75, 0.7501)
    found = [adapt_damping(1.0, ratio) for ratio in ratios]
    assert found == [1.5, 1.5, 1.5, 1.0, 1.0, 1 / 1.5]


def test_the_line_search_shrinks_by_a_fifth_sixty_times_and_then_refuses():
    asked = []
    assert line_search(lambda a: asked.append(a) or 2.0, 1.0, -1.0) == (0.0, 1.0)
    np.testing.assert_allclose(asked, 0.8 ** np.arange(60))
    assert line_search(lambda a: np.nan if a > 0.7 else 0.0, 1.0, -1.0) == (0.8**2, 0.0)
    assert line_search(lambda a: 1.0 - 0.0099 * a, 1.0, -1.0)[0] == 0.0
    assert line_search(lambda a: 1.0 - 0.0101 * a, 1.0, -1.0)[0] == 1.0
    assert line_search(lambda a: -5.0, 1.0, 0.0) == (0.0, 1.0)  # not downhill


class LeastSquares(NamedTuple):
    """Half a sum of squares, with the Gauss-Newton matrix J'J."""

    residuals: object
    jacobian: object

    def loss(self, theta):
        return 0.5 * np.sum(self.residuals(theta) ** 2)

    def gradient(self, theta):
        return self.jacobian(theta).T @ self.residuals(theta)

    def product(self, theta, v, structural):
        J = self.jacobian(theta)
        return J.T @ (J @ v)

    def step(self, theta, state, **parameters):
        return hessian_free_step(theta, state, self.loss, self.gradient, self.product, **parameters)


ROSENBROCK = LeastSquares(
    lambda x: np.array([10.0 * (x[1] - x[0] ** 2), 1.0 - x[0]]),
    lambda x: np.array([[-20.0 * x[0], 10.0], [-1.0, 0.0]]),
)


def linear(n=6, seed=0):
    rng = np.random.default_rng(seed)
    A, b = rng.standard_normal((2 * n, n)), rng.standard_normal(2 * n)
    return LeastSquares(lambda x: A @ x - b, lambda x: A), np.linalg.lstsq(A, b, rcond=None)[0]


def test_a_quadratic_is_solved_in_one_step():
    problem, minimum = linear()
    start = np.ones(6)
    kept = start.copy()
    theta, state, info = problem.step(start, hessian_free_state(start, damping=0.0))
    np.testing.assert_allclose(theta, minimum, rtol=1e-9)
    assert np.array_equal(start, kept)
    assert info.step_size == 1.0 and info.reduction_ratio == pytest.approx(1.0)
    assert info.loss == problem.loss(start) and info.new_loss == problem.loss(theta)
    assert info.gradient_norm == pytest.approx(np.linalg.norm(problem.gradient(start)))
    assert info.chosen_cg_iter == info.n_cg_iter
    again, _, info = problem.step(theta, state)
    np.testing.assert_allclose(again, minimum, rtol=1e-9)
    assert info.new_loss <= info.loss


def test_the_step_solves_the_damped_system():
    problem, _ = linear()
    theta, lam, mu = np.zeros(6), 0.7, 0.4
    G_S = positive_definite(6, seed=3, condition=10.0)[0]

    def product(theta, v, structural):
        return problem.product(theta, v, 0.0) + structural * (G_S @ v)

    new, state, info = hessian_free_step(
        theta,
        hessian_free_state(theta, lam),
        problem.loss,
        problem.gradient,
        product,
        structural_damping=mu,
    )
    G = problem.jacobian(theta).T @ problem.jacobian(theta)
    exact = np.linalg.solve(G + lam * np.eye(6) + lam * mu * G_S, -problem.gradient(theta))
    np.testing.assert_allclose(state.direction, exact, rtol=1e-6)
    # The model without damping is the loss itself, so its prediction is exact.
    assert info.reduction_ratio == pytest.approx(1.0)
    assert state.damping == lam / 1.5


@pytest.mark.parametrize("preconditioned", [False, True])
def test_rosenbrock(preconditioned):
    def squares(theta):
        return np.sum((ROSENBROCK.jacobian(theta) * ROSENBROCK.residuals(theta)[:, None]) ** 2, 0)

    theta = np.array([-1.2, 1.0])
    state = hessian_free_state(theta)
    losses = [ROSENBROCK.loss(theta)]
    while losses[-1] > 1e-18:
        theta, state, info = ROSENBROCK.step(
            theta, state, squared_gradients=squares if preconditioned else None
        )
        assert info.new_loss == ROSENBROCK.loss(theta) <= losses[-1] == info.loss
        losses.append(info.new_loss)
    np.testing.assert_allclose(theta, [1.0, 1.0], atol=1e-7)
    assert len(losses) < 60 and state.damping < 0.1


def test_the_preconditioner_is_made_of_squared_gradients_and_damping():
    D, lam = np.geomspace(1.0, 1e4, 20), 0.3

    def step(**parameters):
        return hessian_free_step(
            np.zeros(20),
            hessian_free_state(np.zeros(20), lam),
            lambda theta: 0.5 * theta @ (D * theta) - theta.sum(),
            lambda theta: D * theta - 1.0,
            lambda theta, v, structural: D * v,
            **parameters,
        )[2]

    # (squares + lam) ** 0.75 is the diagonal of the damped system, which is all of it.
    squares = (D + lam) ** (4 / 3) - lam
    # One step, or two where rounding leaves a residual; without it many.
    assert step(squared_gradients=lambda theta: squares).n_cg_iter <= 2 < step().n_cg_iter


def test_the_damping_grows_where_the_model_predicts_too_much():
    problem, minimum = linear()
    theta = np.ones(6)
    state = hessian_free_state(theta)

    def flat(theta, v, structural):
        return 0.01 * problem.product(theta, v, structural)

    for _ in range(4):
        before = state.damping
        theta, state, info = hessian_free_step(theta, state, problem.loss, problem.gradient, flat)
        assert info.reduction_ratio < 0.25 and state.damping == 1.5 * before
        assert info.new_loss < info.loss


def test_the_next_run_starts_from_the_decayed_last_iterate():
    problem, _ = linear()
    theta = np.zeros(6)
    state = hessian_free_state(theta)._replace(direction=np.arange(6.0))
    asked = []

    def product(theta, v, structural):
        asked.append(v.copy())
        return problem.product(theta, v, structural)

    hessian_free_step(theta, state, problem.loss, problem.gradient, product)
    np.testing.assert_allclose(asked[0], 0.95 * np.arange(6.0))


def test_the_direction_is_kept_as_it_was_before_backtracking():
    A, b = positive_definite(20, condition=1e4)
    stored = conjugate_gradients(lambda v: A @ v + 0.1 * v, b, np.zeros(20), max_iter=12)
    early = stored.iterates[2]

    def nearness(theta):
        return float(np.sum((theta - early) ** 2))

    new, state, info = hessian_free_step(
        np.zeros(20),
        hessian_free_state(np.zeros(20)),
        lambda theta: 0.5 * theta @ A @ theta - b @ theta,
        lambda theta: A @ theta - b,
        lambda theta, v, structural: A @ v,
        curvature_loss=nearness,
        max_cg_iter=12,
    )
    assert (info.chosen_cg_iter, info.n_cg_iter) == (3, 12)
    np.testing.assert_allclose(new, early, rtol=1e-12)
    predicted = 0.5 * early @ A @ early - b @ early
    assert info.reduction_ratio == pytest.approx(-nearness(np.zeros(20)) / predicted)
    np.testing.assert_allclose(state.direction, stored.iterates[-1], rtol=1e-12)


def test_a_refused_step_leaves_theta_and_drops_the_direction():
    theta = np.array([1.0, 2.0])

    def walled(x):
        return 0.0 if np.array_equal(x, theta) else np.inf

    state = hessian_free_state(theta)._replace(direction=np.ones(2))
    new, state, info = hessian_free_step(
        theta, state, walled, lambda x: np.ones(2), lambda x, v, s: v
    )
    assert np.array_equal(new, theta) and new is not theta
    assert info.step_size == 0.0 and info.new_loss == info.loss == 0.0
    assert np.array_equal(state.direction, np.zeros(2)) and state.damping == 0.1 * 1.5


def test_at_a_minimum_nothing_moves():
    theta = np.array([1.0, 1.0])
    new, _, info = ROSENBROCK.step(theta, hessian_free_state(theta))
    assert np.array_equal(new, theta) and info.n_cg_iter == 0 and info.gradient_norm == 0.0


@pytest.mark.parametrize("loss", [np.nan, np.inf])
def test_a_loss_that_is_not_finite_is_refused(loss):
    theta = np.ones(2)
    with pytest.raises(ValueError, match=f"the loss must be finite .* got {loss}"):
        hessian_free_step(
            theta, hessian_free_state(theta), lambda x: loss, lambda x: x, lambda x, v, s: v
        )


# A recurrent network in the open: h_t = tanh(W_xh u_t + W_hh h_{t-1} + b_h), o_t = W_ho h_t + b_o


class Network(NamedTuple):
    inputs: np.ndarray  # (n_timesteps, n_sequences, n_inputs)
    targets: np.ndarray  # (n_timesteps, n_sequences, n_outputs); one-hot with the softmax
    weights: np.ndarray  # (n_timesteps, n_sequences), the teaching signal
    n_units: int
    softmax: bool

    @property
    def shapes(self):
        n_inputs, n_outputs, n = self.inputs.shape[2], self.targets.shape[2], self.n_units
        return (n, n_inputs), (n, n), (n,), (n_outputs, n), (n_outputs,)

    @property
    def n_parameters(self):
        return sum(math.prod(shape) for shape in self.shapes)

    def unpack(self, theta):
        ends = np.cumsum([math.prod(shape) for shape in self.shapes])
        parts = np.split(theta, ends[:-1])
        return [part.reshape(shape) for part, shape in zip(parts, self.shapes, strict=True)]

    def forward(self, theta):
        """Return pre-activations, states (with the zero one at the start) and outputs."""
        W_xh, W_hh, b_h, W_ho, b_o = self.unpack(theta)
        states, x = [np.zeros((self.inputs.shape[1], self.n_units), theta.dtype)], []
        for u in self.inputs:
            x.append(u @ W_xh.T + states[-1] @ W_hh.T + b_h)
            states.append(np.tanh(x[-1]))
        return np.array(x), np.array(states), np.array(states[1:]) @ W_ho.T + b_o

    def probabilities(self, o):
        p = np.exp(o - o.max(axis=2, keepdims=True))
        return p / p.sum(axis=2, keepdims=True)

    def loss(self, theta):
        o = self.forward(theta)[2]
        if self.softmax:
            errors = np.log(np.exp(o).sum(axis=2)) - np.sum(o * self.targets, axis=2)
        else:
            errors = 0.5 * np.sum((o - self.targets) ** 2, axis=2)
        return np.sum(self.weights * errors) / self.inputs.shape[1]

    def gradient(self, theta):
        _, states, o = self.forward(theta)
        d = (self.probabilities(o) if self.softmax else o) - self.targets
        return self.backward(theta, states, self.weights[:, :, None] * d, np.zeros_like(states[1:]))

    def backward(self, theta, states, d, dx_extra):
        """Pull d loss / d o, and what reaches the pre-activations besides, back to theta."""
        _, W_hh, _, W_ho, _ = self.unpack(theta)
        gradient = np.zeros_like(theta)
        gW_xh, gW_hh, gb_h, gW_ho, gb_o = self.unpack(gradient)
        gx = np.zeros_like(states[0])
        for t in reversed(range(len(d))):
            h = states[t + 1]
            gx = (1 - h**2) * (d[t] @ W_ho + gx @ W_hh) + dx_extra[t]
            gW_xh += gx.T @ self.inputs[t]
            gW_hh += gx.T @ states[t]
            gb_h += gx.sum(axis=0)
            gW_ho += d[t].T @ h
            gb_o += d[t].sum(axis=0)
        return gradient / self.inputs.shape[1]

    def product(self, theta, v, structural):
        """Return (G + structural G_S) v by a tangent pass and a linear backward pass."""
        _, W_hh, _, W_ho, _ = self.unpack(theta)
        V_xh, V_hh, V_h, V_ho, V_o = self.unpack(v)
        _, states, o = self.forward(theta)
        Rh, Rx, Ro = np.zeros_like(states[0]), [], []
        for t, u in enumerate(self.inputs):
            Rx.append(Rh @ W_hh.T + states[t] @ V_hh.T + u @ V_xh.T + V_h)
            Rh = (1 - states[t + 1] ** 2) * Rx[-1]
            Ro.append(Rh @ W_ho.T + states[t + 1] @ V_ho.T + V_o)
        Rx, d = np.array(Rx), np.array(Ro)
        if self.softmax:
            p = self.probabilities(o)
            d = p * d - p * np.sum(p * d, axis=2, keepdims=True)
        extra = structural * (1 - states[1:] ** 2) * Rx
        return self.backward(theta, states, self.weights[:, :, None] * d, extra)


def network(softmax, n_timesteps=5, n_sequences=3, n_units=4, seed=0):
    rng = np.random.default_rng(seed)
    shape = n_timesteps, n_sequences
    targets = rng.standard_normal((*shape, 3))
    if softmax:
        targets = np.eye(3)[targets.argmax(axis=2)]
    weights = rng.uniform(0.0, 2.0, shape) * (rng.random(shape) < 0.7)
    net = Network(rng.standard_normal((*shape, 2)), targets, weights, n_units, softmax)
    return net, 0.7 * rng.standard_normal(net.n_parameters)


def jacobian(function, theta):
    """Return the derivatives by complex steps, exact to rounding: (..., n_parameters)."""
    steps = 1e-30j * np.eye(theta.size)
    return np.stack([function(theta + step).imag / 1e-30 for step in steps], axis=-1)


@pytest.mark.parametrize("softmax", [False, True])
def test_the_gradient_of_the_network(softmax):
    net, theta = network(softmax)
    exact = jacobian(net.loss, theta)
    np.testing.assert_allclose(net.gradient(theta), exact, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("softmax", [False, True])
def test_gauss_newton_products_equal_the_explicit_matrix(softmax):
    net, theta = network(softmax)
    J = jacobian(lambda theta: net.forward(theta)[2], theta)
    H = np.broadcast_to(np.eye(3), (5, 3, 3, 3))
    if softmax:
        p = net.probabilities(net.forward(theta)[2])
        H = p[..., None] * np.eye(3) - p[..., None] * p[..., None, :]
    G = np.einsum("tb,tboi,tbop,tbpj->ij", net.weights, J, H, J) / 3
    found = np.stack([net.product(theta, v, 0.0) for v in np.eye(theta.size)])
    np.testing.assert_allclose(found, G, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("softmax", [False, True])
def test_structural_damping_equals_its_explicit_matrix(softmax):
    net, theta = network(softmax)
    J = jacobian(lambda theta: net.forward(theta)[0], theta)
    slopes = 1 - net.forward(theta)[1][1:] ** 2  # D'' of the loss that matches tanh
    G_S = np.einsum("tbui,tbu,tbuj->ij", J, slopes, J) / 3
    v = np.random.default_rng(1).standard_normal(theta.size)
    found = net.product(theta, v, 0.3) - net.product(theta, v, 0.0)
    np.testing.assert_allclose(found, 0.3 * G_S @ v, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("structural_damping", [0.0, 1 / 30])
def test_a_network_learns_to_remember_the_first_of_many_inputs(structural_damping):
    rng = np.random.default_rng(0)
    n_timesteps, n_sequences = 12, 60
    inputs = rng.standard_normal((n_timesteps, n_sequences, 1))
    weights = np.zeros((n_timesteps, n_sequences))
    weights[-1] = 1.0  # only the last step has a target
    targets = np.repeat(np.sign(inputs[:1]), n_timesteps, axis=0)
    net = Network(inputs, targets, weights, 8, softmax=False)
    theta = rng.standard_normal(net.n_parameters) / 3
    state = hessian_free_state(theta)
    for _ in range(40):
        theta, state, info = hessian_free_step(
            theta,
            state,
            net.loss,
            net.gradient,
            net.product,
            structural_damping=structural_damping,
            max_cg_iter=60,
        )
    assert info.new_loss < 0.01  # 0.5 by the mean
