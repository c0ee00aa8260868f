"""`esnkit compile`."""

import numpy as np

from esnkit.cli import _compile, main


def test_compile_runs_all_jobs_and_says_what_is_there(capsys, monkeypatch):
    done = []
    monkeypatch.setattr(
        _compile, "_jobs", lambda: [(name, lambda name=name: done.append(name)) for name in "abc"]
    )
    assert main(["compile"]) == 0
    out, err = capsys.readouterr()
    assert done == ["a", "b", "c"] and err == ""
    assert out.split()[1:3] == ["kernels", "compiled,"]


def test_there_are_jobs_for_both_precisions():
    labels = [label for label, _ in _compile._jobs()]
    assert len(set(labels)) == len(labels)
    for part in ("reservoirs, diagonals", "readouts", "trained networks"):
        assert {f"{part}, float32", f"{part}, float64"} <= set(labels)


def test_jobs_run():
    series = np.sin(np.arange(60.0))[:, None]
    _compile._Reservoirs("random", series)()
    _compile._Readouts(np.random.default_rng(0).standard_normal((40, 3)))()
    _compile._generate_series()
