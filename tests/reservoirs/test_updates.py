"""State equations: the table, and an update that somebody else adds to it."""

import numpy as np
import pytest

from esnkit import Reservoir, check_reservoir, effective_spectral_radius
from esnkit.reservoirs import UPDATES, Update


@pytest.fixture
def additive():
    """Add the update x(t) = (1 - a) x(t-1) + f(pre(t)), and take it out again."""
    UPDATES["additive"] = Update(
        equation="x(t) = (1 - a) x(t-1) + f(pre(t))",
        coefficients=lambda leak: (np.ones_like(leak), 1 - leak),
        jacobian=lambda W, leak: W + np.diag(1 - leak),
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
    radius = np.abs(np.linalg.eigvals(np.asarray(J))).max()
    assert effective_spectral_radius(W, leak) == pytest.approx(radius, rel=1e-6)
