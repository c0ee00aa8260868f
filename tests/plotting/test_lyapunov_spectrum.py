"""LyapunovSpectrumDisplay: the exponents drawn, of reservoirs and of systems."""

import numpy as np
import pytest
from driven_reservoirs import delay_line

from esnkit import Reservoir
from esnkit.analysis import LyapunovSpectrum, conditional_lyapunov_exponents
from esnkit.plotting import LyapunovSpectrumDisplay

pytest.importorskip("matplotlib.pyplot")
X = np.random.default_rng(0).uniform(-1, 1, (150, 1))


def points(container):
    return container.lines[0].get_xydata()


def test_exponents_are_drawn_by_rank_with_their_errors():
    reservoir = Reservoir(8, random_state=0)
    display = LyapunovSpectrumDisplay.from_reservoir(reservoir, X, name="tanh", n_exponents=5)
    found = conditional_lyapunov_exponents(reservoir, X, n_exponents=5)
    (drawn,) = display.lines_
    np.testing.assert_array_equal(points(drawn), np.c_[1:6, found.exponents])
    bars = np.array(drawn.lines[2][0].get_segments())[:, :, 1]
    np.testing.assert_allclose(np.diff(bars)[:, 0], 2 * found.standard_errors)
    (text,) = display.ax_.get_legend().get_texts()
    assert text.get_text() == f"tanh (largest {found.exponents[0]:.3g})"
    assert display.ax_.get_ylabel() == "Lyapunov exponent per time step"


def test_minus_infinity_is_left_out_and_more_spectra_join():
    given = {"line": delay_line(4), "tanh": Reservoir(4, random_state=0)}
    display = LyapunovSpectrumDisplay.from_reservoirs(given, X)
    assert [len(points(drawn)) for drawn in display.lines_] == [0, 4]
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert texts[0] == "line (all minus infinity)"
    part = LyapunovSpectrum(np.array([0.5, -np.inf]), np.array([0.1, np.nan]))
    more = LyapunovSpectrumDisplay({"part": part}).plot(ax=display.ax_)
    assert len(points(more.lines_[0])) == 1 and len(more.ax_.containers) == 3
    colours = {container.lines[0].get_color() for container in more.ax_.containers}
    assert len(colours) == 3


def test_a_flow_is_per_unit_of_time():
    def decay(x):
        return -x

    display = LyapunovSpectrumDisplay.from_system(decay, [1.0], dt=0.1, n_steps=50)
    assert display.ax_.get_ylabel() == "Lyapunov exponent per unit of time"
    np.testing.assert_allclose(points(display.lines_[0]), [[1, -1]], atol=1e-5)
    assert list(display.results) == ["decay"]


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(TypeError, match="results must be a dict of LyapunovSpectrum by name"):
        LyapunovSpectrumDisplay([1, 2]).plot()
