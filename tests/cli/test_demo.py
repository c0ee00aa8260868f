"""`esnkit forecast` without a file: table and plot."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.utils import Bunch

from esnkit.cli import _demo, main
from esnkit.datasets import load_bike_sharing


@pytest.fixture
def quick_table(monkeypatch):
    monkeypatch.setattr(_demo, "N_DAYS", 2)
    monkeypatch.setattr(_demo, "MAX_ORDER", 10)
    monkeypatch.setattr(_demo, "N_MEMBERS", 1)
    small = tuple({**settings, "n_units": 20} for settings in _demo.SETTINGS)
    monkeypatch.setattr(_demo, "SETTINGS", small)


@pytest.mark.parametrize("words", [[], ["forecast"], None])
def test_without_a_file_the_demo_runs(words, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["esnkit"])
    monkeypatch.setattr(_demo, "run_demo", lambda arguments: 7)
    assert main(words) == 7


def test_a_table_and_a_plot(capsys, quick_table):
    assert main([]) == 0
    out, err = capsys.readouterr()
    assert err == "" and "esnkit-forecast.png" in out
    assert "which kinds of model to show was decided on the last 8 weeks too." in out
    for name in ("naive (last value", "seasonal naive", "autoregressive", "echo state network"):
        assert name in out
    assert "NRMSE is the root mean squared error" in out and "MASE is the mean" in out
    assert Path("esnkit-forecast.png").stat().st_size > 30_000


def test_without_matplotlib_the_plot_is_left_out(capsys, quick_table, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main(["forecast"]) == 0
    assert "No plot: it needs matplotlib (pip install 'esnkit[plot]')" in capsys.readouterr().out
    assert main(["forecast", "--plot", "p.png"]) == 2
    assert "--plot needs matplotlib" in capsys.readouterr().err
    assert os.listdir() == []


def test_the_network_is_better_than_every_baseline():
    scores = _demo.compare(load_bike_sharing(), seed=0)
    *baselines, network = scores.values()
    assert all(network[k] < other[k] for other in baselines for k in (0, 1))


def test_inputs_are_known_a_day_in_advance():
    bikes = load_bike_sharing()
    other = Bunch(data=bikes.data, target=np.where(np.arange(8760) < 5000, bikes.target, 7.0))
    inputs, others = _demo.make_inputs(bikes), _demo.make_inputs(other)
    np.testing.assert_array_equal(inputs[:5024], others[:5024])
    assert (inputs[5024] != others[5024]).any()
    past = inputs[600, -len(_demo.LAGS) :]
    np.testing.assert_allclose(past**2, bikes.target[600 - np.array(_demo.LAGS)])


@pytest.mark.parametrize("option", [["--column", "x"], ["--bias-scaling", "0"], ["--positive"]])
def test_options_of_files_are_refused(option, capsys):
    assert main(["forecast", *option]) == 2
    assert f"error: {option[0]} needs a FILE" in capsys.readouterr().err
