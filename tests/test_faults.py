"""Faults of the machine: forks, refused threads, full disks, and interrupts at any moment."""

import pickle
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from interrupts import Interrupt

from esnkit import (
    ESNClassifier,
    ESNRegressor,
    Forecaster,
    FromChannelsFirst,
    OneHotTokens,
    Reservoir,
    RNNRegressor,
    SequenceDifferencer,
    SequenceScaler,
    TokenEncoder,
)
from esnkit.cli import main
from esnkit.readouts import RidgeReadout
from esnkit.utils import _threads

RNG = np.random.default_rng(0)
SERIES = np.sin(np.arange(160) / 5) + 0.1 * RNG.standard_normal(160)
X, Y = SERIES[:-1, None], SERIES[1:]
SEQUENCES, LABELS = RNG.standard_normal((12, 9, 1)), np.arange(12) % 2

# What to interrupt, with a fitted estimator and with a new one.
FITS = {
    "regressor": (ESNRegressor(12, random_state=0), lambda e: e.fit(X, Y)),
    "alphas": (ESNRegressor(12, alpha=[1e-6, 1e-2], random_state=0), lambda e: e.fit(X, Y)),
    "stream": (ESNRegressor(12, random_state=0), lambda e: e.partial_fit(X, Y)),
    "classifier": (ESNClassifier(12, random_state=0), lambda e: e.fit(SEQUENCES, LABELS)),
    "reservoir": (Reservoir(30, random_state=0), lambda e: e.fit(X)),
    "ridge": (RidgeReadout(), lambda e: e.fit(SEQUENCES[:, :, 0], LABELS)),
    "qr": (RidgeReadout(solver="qr"), lambda e: e.fit(SEQUENCES[:, :, 0], LABELS)),
    "forecaster": (
        Forecaster(ESNRegressor(12, random_state=0), random_state=0), lambda e: e.fit(SERIES)
    ),
    "update": (
        Forecaster(ESNRegressor(12, random_state=0), random_state=0).fit(SERIES[:99]),
        lambda e: e.update(SERIES[99:]),
    ),
    "tokens": (TokenEncoder(), lambda e: e.fit(["abc", "cab"])),
    "scaler": (SequenceScaler(), lambda e: e.fit(SEQUENCES)),
    "differencer": (SequenceDifferencer(), lambda e: e.fit(SEQUENCES)),
    "channels first": (FromChannelsFirst(), lambda e: e.fit(SEQUENCES)),
    "one-hot": (OneHotTokens(), lambda e: e.fit([np.array([0, 2]), np.array([1])])),
    "network": (
        RNNRegressor(4, max_iter=2, random_state=0), lambda e: e.partial_fit(SEQUENCES, SEQUENCES)
    ),
}  # fmt: skip


def blas_threads():
    return [library.num_threads for library in _threads._blas()]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("name", FITS)
def test_an_interrupt_at_any_line_changes_nothing(name, first, request):
    """Six random moments; with --fuzz, 300."""
    blank, fit = FITS[name]
    fitted = pickle.dumps(fit(pickle.loads(pickle.dumps(blank))))
    start = pickle.dumps(blank) if first else fitted
    expected = pickle.dumps(fit(pickle.loads(start)))
    threads = blas_threads()
    for _ in range(2):  # the first run may fill caches
        estimator = pickle.loads(start)
        with Interrupt(0) as counter:
            fit(estimator)
    moments = np.random.default_rng(0).integers(1, counter.n_lines, 6)
    if request.config.getoption("--fuzz"):
        moments = np.random.default_rng().integers(1, counter.n_lines, 300)
    for k in moments:
        estimator = pickle.loads(start)
        before, attributes = dict(vars(estimator)), pickle.dumps(estimator)
        with pytest.raises(KeyboardInterrupt), Interrupt(k):
            fit(estimator)
        assert vars(estimator).keys() == before.keys(), f"line {k}"
        assert pickle.dumps(estimator) == attributes, f"line {k}"
        assert blas_threads() == threads and not _threads._state.limiting, f"line {k}"
        assert not _threads._state.callers
        assert pickle.dumps(fit(estimator)) == expected, f"line {k}"


FORKED = """
import os, threading, time, numpy as np
from esnkit import ESNRegressor
from esnkit.utils import _threads

X = np.sin(np.arange(30_000.0)).reshape(10, 3000, 1)
model = ESNRegressor(50, random_state=0).fit(X, X)
expected, stop, before = model.predict(X), threading.Event(), _threads.n_threads()

def fit_for_ever():
    while not stop.is_set():
        ESNRegressor(50, random_state=0).fit(X, X)

thread = threading.Thread(target=fit_for_ever)
thread.start()
codes = []
for k in range(5):
    time.sleep(0.003 * k)
    child = os.fork()
    if child == 0:
        same = np.array_equal(model.fit(X, X).predict(X), expected)
        os._exit(0 if same and _threads.n_threads() == before else 1)
    codes.append(os.waitpid(child, 0)[1])
stop.set()
thread.join()
print(codes)
"""


def test_children_forked_during_a_fit_fit_alike(output_of):
    assert output_of(FORKED) == "[0, 0, 0, 0, 0]\n"


REFUSED = """
import threading, numpy as np
from esnkit import ESNRegressor, Reservoir, RNNRegressor
from esnkit.datasets import make_lorenz
from esnkit.utils import _threads

X = np.random.default_rng(0).standard_normal((40, 60, 1))
LONG = np.zeros((2000, 1))
RUNS = (
    lambda: ESNRegressor(30, random_state=0).fit(X, X).predict(X),
    lambda: Reservoir(4200, random_state=0).fit(LONG).transform(LONG)[-1],
    lambda: RNNRegressor(70, max_iter=1, random_state=0).fit(X, X).predict(X),
    lambda: make_lorenz(50),
)

def refuse(thread):
    raise RuntimeError("can't start new thread")

start, threading.Thread.start = threading.Thread.start, refuse
_threads.MAX_CALL_WORK = 0
alone = [run() for run in RUNS]
threading.Thread.start = start
print([np.array_equal(run(), found) for run, found in zip(RUNS, alone)])
"""


def test_where_no_thread_can_start_results_are_the_same(output_of):
    assert output_of(REFUSED) == "[True, True, True, True]\n"


@contextmanager
def file_sizes_up_to(limit):
    """Make larger files fail, as a full disk does."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.skipif(sys.platform == "win32", reason="no limits of file sizes")
def test_a_full_disk_keeps_the_files_that_a_command_would_replace(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("in.csv").write_text("x\n" + "\n".join(str(k % 7) for k in range(30)))
    command = "forecast in.csv --column x --horizon 4 --units 10 --quick --out a.csv".split()
    assert main([*command, "--plot", "a.png"]) == 0
    for name in ("a.csv", "a.png"):
        whole = Path(name).read_bytes()
        command += ["--plot", name] if name == "a.png" else []
        for limit in (0, len(whole) // 2, len(whole) - 1):
            with file_sizes_up_to(limit):
                code = main(command)
            assert code == 2 and "File too large" in capsys.readouterr().err
            assert Path(name).read_bytes() == whole and len(list(Path().iterdir())) == 3
