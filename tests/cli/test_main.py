"""The whole command: exit codes, signals, closed streams and pipes."""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from command_line import SMALL, forecast, rows, write

from esnkit.cli import _forecast_csv, main

ROOT = Path(__file__).resolve().parents[2]

FULL = ["in.csv", "--column", "x", "--horizon", "6", *SMALL]


def test_unexpected_errors_are_one_line_too(capsys, monkeypatch):
    def broken(*args):
        raise RuntimeError("first\nsecond")

    monkeypatch.setattr(_forecast_csv, "check_length", broken)
    write(rows())
    assert forecast() == 2
    assert capsys.readouterr().err == "esnkit: error: unexpected RuntimeError: first second\n"


def test_closed_streams(capsys, monkeypatch):
    write(rows())
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", None)
        assert forecast() == 0 and main(["forecast", "--units", "0"]) == 2
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 7 and err == ""
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", None)
        assert forecast("--out", "o.csv") == 0 and forecast() == 2 and main(["info"]) == 2
    assert capsys.readouterr().err.count("error: standard output is closed") == 2


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a full disk")
def test_a_full_disk_is_told(capsys, monkeypatch):
    with open("/dev/full", "w") as full, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", full)
        assert main(["--version"]) == 2
    message = "esnkit: error: cannot write to standard output: No space left on device\n"
    assert capsys.readouterr().err == message


def start(*options, **how):
    command = [sys.executable, "-m", "esnkit", *options]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **how
    )


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_control_c_ends_with_one_line_and_130():
    os.mkfifo("pipe.csv")
    # A shell lets what it runs in the background ignore interrupts.
    listen = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    words = "forecast", "pipe.csv", "--column", "x", "--horizon", "3"
    run = start(*words, preexec_fn=listen)
    with open("pipe.csv", "w") as pipe:  # opens when the other side reads
        pipe.write("x\n")
        pipe.flush()
        time.sleep(0.3)
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=20)
    assert (run.returncode, out, err) == (130, "", "esnkit: stopped\n")


def test_control_c_while_libraries_are_loaded(tmp_path, monkeypatch):
    write("raise KeyboardInterrupt\n", "numpy.py")
    environment = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-m", "esnkit", "forecast", *FULL]
    run = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert (run.returncode, run.stdout, run.stderr) == (130, "", "esnkit: stopped\n")


def test_a_reader_that_goes_away_is_no_error():
    run = start("--version")
    run.stdout.close()
    run.stdout = None
    assert run.communicate(timeout=60)[1] == "" and run.returncode == 141


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("esnkit 0.")


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), BrokenPipeError(32, "p")]
)
def test_errors_of_the_system_elsewhere_are_not_those_of_standard_output(
    error, capsys, monkeypatch
):
    def failing(*args, **keywords):
        raise error

    monkeypatch.setattr(_forecast_csv, "AutoForecaster", failing)
    write(rows())
    assert forecast() == 2
    message = capsys.readouterr().err
    assert message.startswith(f"esnkit: error: [Errno {error.errno}]") and "output" not in message


def test_out_is_written_even_if_nobody_reads_standard_error(capsys, monkeypatch):
    write(rows())
    ours, theirs = os.pipe()
    os.close(ours)
    with os.fdopen(theirs, "w") as stream, monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", stream)
        assert forecast("--out", "o.csv") == 0
    assert capsys.readouterr().out == "" and len(Path("o.csv").read_text().splitlines()) == 7


def test_no_memory_is_told_without_options_that_were_not_given(capsys, monkeypatch):
    def failing(*args, **keywords):
        raise MemoryError

    monkeypatch.setattr(_forecast_csv, "AutoForecaster", failing)
    write(rows())
    assert main(["forecast", "in.csv", "--column", "x", "--horizon", "6"]) == 2
    assert "not enough memory" in (err := capsys.readouterr().err) and "--" not in err
