"""The format of a plot, by the name of its file."""

import sys
from pathlib import Path

import pytest

from esnkit.cli._errors import UserError
from esnkit.cli._plot import plot_format, write_plot
from esnkit.plotting import ForecastDisplay


@pytest.mark.parametrize("path, expected", [("a.png", "png"), ("b/C.SVG", "svg"), (None, None)])
def test_the_suffix_is_the_format(path, expected):
    assert plot_format(path, required=True) == expected


@pytest.mark.parametrize("path", ["plot", "plot.xyz", "plot.pgf"])
def test_unknown_formats_are_refused(path):
    with pytest.raises(UserError, match=f"--plot {path} must end in one of .*png, ps, raw"):
        plot_format(path, required=True)


def test_without_matplotlib_only_a_required_plot_is_an_error(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert plot_format("a.png", required=False) is None
    with pytest.raises(UserError, match=r"pip install 'esnkit\[plot\]'"):
        plot_format("a.png", required=True)


def test_a_display_is_written_to_its_file():
    display = ForecastDisplay.from_predictions([1.0, 2.0], [3.0])
    write_plot("a.svg", display, "svg")
    assert "<svg" in Path("a.svg").read_text()
