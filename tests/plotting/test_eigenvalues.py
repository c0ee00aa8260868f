"""EigenvaluesDisplay: the eigenvalues drawn are those of the weights or of the update."""

import numpy as np
import pytest

from esnkit import NVAR, DeepReservoir, ESNRegressor, Reservoir
from esnkit.plotting import EigenvaluesDisplay

pytest.importorskip("matplotlib.pyplot")
X = np.zeros((4, 1))


def drawn(line):
    return np.sort_complex(line.get_xdata() + 1j * line.get_ydata())


@pytest.mark.parametrize("jacobian", [False, True])
def test_eigenvalues_of_the_weights_or_of_the_update(jacobian):
    reservoir = Reservoir(12, leak_rate=0.3, spectral_radius=0.8, random_state=0).fit(X)
    display = EigenvaluesDisplay.from_reservoir(reservoir, jacobian=jacobian)
    W = reservoir.W_.toarray()
    wanted = np.linalg.eigvals(0.7 * np.eye(12) + 0.3 * W if jacobian else W)
    np.testing.assert_allclose(drawn(display.lines_[0]), np.sort_complex(wanted), atol=1e-10)
    radius = np.abs(wanted).max()
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert texts == ["unit circle", f"radius {radius:.4g}", "Reservoir"]
    unit, own = display.ax_.get_lines()[:2]
    np.testing.assert_allclose(np.hypot(*unit.get_xydata().T), 1)
    np.testing.assert_allclose(np.hypot(*own.get_xydata().T), radius)
    assert display.ax_.get_aspect() == 1 and display.figure_ is display.ax_.figure


def test_several_reservoirs_and_all_parts_of_one():
    model = ESNRegressor(6, random_state=0).fit(X, X[:, 0])
    deep = DeepReservoir(Reservoir(5), 2, random_state=0)
    display = EigenvaluesDisplay.from_reservoirs({"model": model, "deep": deep})
    assert [len(line.get_xdata()) for line in display.lines_] == [6, 10]
    one, same = (
        EigenvaluesDisplay.from_reservoir(Reservoir(5), random_state=3).eigenvalues["Reservoir"]
        for _ in range(2)
    )
    np.testing.assert_array_equal(one, same)


def test_a_reservoir_without_recurrent_weights_is_refused():
    with pytest.raises(ValueError, match="must have a state equation with recurrent weights"):
        EigenvaluesDisplay.from_reservoir(NVAR())
    with pytest.raises(TypeError, match="jacobian must be True or False"):
        EigenvaluesDisplay.from_reservoir(Reservoir(3), jacobian=1)
