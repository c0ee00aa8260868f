"""The systems of dysts, and what is said without it."""

import sys

import numpy as np
import pytest

from esnkit.datasets import make_dysts


def test_a_system_of_dysts_solves_its_equations():
    flows = pytest.importorskip("dysts.flows")
    X = make_dysts("MackeyGlass", 20, n_discard=5)
    assert X.shape[0] == 20 and X.flags.c_contiguous and np.isfinite(X).all()
    X, system = make_dysts("Lorenz", 60), flows.Lorenz()
    dt = system.period / 100
    slopes = np.array([system.rhs(x, 0.0) for x in X[1:-1]])
    error = np.abs((X[2:] - X[:-2]) / (2 * dt) - slopes).max()
    assert X.shape == (60, 3) and error < 0.02 * np.abs(slopes).max()


def test_an_unknown_system_is_named_with_near_ones():
    pytest.importorskip("dysts.flows")
    with pytest.raises(ValueError, match="^name must be one of the .* got 'Lorentz': .*Lorenz"):
        make_dysts("Lorentz")


def test_without_dysts_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "dysts", None)
    with pytest.raises(ImportError, match=r"make_dysts needs dysts: pip install 'esnkit\[dysts\]'"):
        make_dysts("Lorenz")


@pytest.mark.parametrize("name", ["n_timesteps", "points_per_period"])
def test_a_wrong_value_is_refused_by_name(name):
    with pytest.raises(ValueError, match=f"^{name} must be"):
        make_dysts("Lorenz", **{name: 0})
