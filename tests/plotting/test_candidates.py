"""CandidatesDisplay: errors of candidates, members and baselines."""

import numpy as np
import pytest

from esnkit import AutoForecaster, PanelForecaster
from esnkit.plotting import CandidatesDisplay

pytest.importorskip("matplotlib.pyplot")
RNG = np.random.default_rng(0)
SERIES = 9 + np.tile([0.0, 1, 3, 2, 1, 0], 12) + 0.3 * RNG.standard_normal(72)


def test_all_candidates_members_and_baselines_are_drawn():
    model = AutoForecaster(seasons=[6]).fit(SERIES)
    display = CandidatesDisplay.from_forecaster(model)
    errors = sorted(candidate["error"] for candidate in model.candidates_)
    np.testing.assert_allclose(np.sort(np.concatenate(display.errors)), errors)
    members = sorted(member["error"] for member in model.members_)
    np.testing.assert_allclose(np.sort(np.concatenate(display.members)), members)
    names = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert names[:3] == ["candidate", "member", "forecast"]
    assert names[3:] == list(model.baselines_)
    labels = [text.get_text() for text in display.ax_.get_yticklabels()]
    assert "no differences, 2 harmonics of 6" in labels and "differences 6, 1, logarithm" in labels


def test_a_column_of_several_series():
    model = AutoForecaster(seasons=[6]).fit(np.c_[SERIES, SERIES[::-1]])
    display = CandidatesDisplay.from_forecaster(model, column=1)
    assert display.error == model.error_[1]
    with pytest.raises(ValueError, match="column must be an integer from 0 to 1, got 2"):
        CandidatesDisplay.from_forecaster(model, column=2)
    with pytest.raises(TypeError, match="fitted AutoForecaster"):
        CandidatesDisplay.from_forecaster(AutoForecaster())
    panel = PanelForecaster(seasons=()).fit([SERIES, SERIES[::-1]])
    with pytest.raises(TypeError, match="fitted AutoForecaster, got PanelForecaster"):
        CandidatesDisplay.from_forecaster(panel)


def test_the_label_tells_of_errors_that_are_cut_only():
    for error, text in ((50.0, "forecasts"), (5e3, "forecasts, at most 100 shown")):
        display = CandidatesDisplay(["a"], [np.array([1.0, error])], [np.ones(1)], 1.0, {}).plot()
        assert display.ax_.get_xlabel() == f"mean absolute error of rolling {text}"
