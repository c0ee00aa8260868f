"""DecompositionDisplay: the series, its seasons and the rest."""

import numpy as np
import pandas as pd
import pytest

from esnkit import AutoForecaster
from esnkit.plotting import DecompositionDisplay

plt = pytest.importorskip("matplotlib.pyplot")
SERIES = pd.Series(
    np.tile([0.0, 1, 3, 2], 18) + 0.1 * np.arange(72),
    index=pd.date_range("2001-01", periods=72, freq="QS"), name="sales",
)  # fmt: skip


def test_the_parts_add_up_to_the_series():
    model = AutoForecaster().fit(SERIES)
    display = DecompositionDisplay.from_forecaster(model, n_history=20)
    assert [ax.get_title("left") for ax in display.axes_] == ["series", "season of 4 steps", "rest"]
    lines = [ax.get_lines()[0].get_ydata() for ax in display.axes_]
    np.testing.assert_allclose(lines[0], SERIES[-20:])
    np.testing.assert_allclose(lines[1] + lines[2], lines[0])
    np.testing.assert_allclose(lines[1], np.tile([-1.5, -0.5, 1.5, 0.5], 5), atol=1e-9)
    assert display.axes_[0].get_lines()[0].get_xdata()[0] == SERIES.index[-20]
    _, axes = plt.subplots(2)
    with pytest.raises(ValueError, match="axes must be 3 axes, .* got 2"):
        display.plot(axes)
    with pytest.raises(TypeError, match="fitted AutoForecaster"):
        DecompositionDisplay.from_forecaster(None)
