"""Tasks: how far they are, and who is told."""

import io
import logging
import re
import threading

import numpy as np
import pytest
from terminals import Terminal

import esnkit
from esnkit import AutoForecaster, ESNClassifier, ESNRegressor, Forecaster, Reservoir, RidgeReadout
from esnkit.utils import _progress
from esnkit.utils._progress import Task, count_step, current_task, progress_text, report_rows

SINE = np.sin(np.arange(2500) / 5)[:, None]
SHORT = SINE[:150, 0]
NOISE = np.random.default_rng(0).standard_normal(60)
SMALL = ESNRegressor(10, random_state=0)
TINY = {"n_units": 10, "alpha": 1.0, "differences": 0}


@pytest.fixture
def records(caplog, monkeypatch):
    """Record every step, at once, as an application does that logs from the level INFO on."""
    monkeypatch.setattr(_progress, "DELAY", 0.0)
    monkeypatch.setattr(_progress, "pause", lambda elapsed: 0.0)
    caplog.set_level(logging.INFO, logger="esnkit")
    return caplog


def texts(records):
    """Return the messages without their durations."""
    ours = [record for record in records.records if record.name == "esnkit.progress"]
    return [record.getMessage().partition(": ")[2] for record in ours]


def test_the_share_of_a_task_includes_the_tasks_within():
    with Task("outer", 4, "windows") as outer:
        outer.step()
        with Task("fit", 2, "passes"):
            count_step()
            rows = Task("", 100, "rows")
            rows.step(50)
            assert outer.share == (1 + (1 + 0.5) / 2) / 4
            told = progress_text(outer)
            expected = "outer 1 of 4 windows, fit 1 of 2 passes, 50 of 100 rows"
            assert re.sub(r" \(about .* left\)", "", told.partition(" s: ")[2]) == expected
        assert outer.child is None and outer.share == (1 + (1 + 0.5) / 2) / 4  # never less
    assert current_task() is None


def test_the_time_left_follows_the_pace_since_the_first_step(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(_progress.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(_progress, "compile_seconds", lambda: 0.0)
    task = Task("run", 10, "windows")
    for now[0] in (30.0, 32.0, 34.0):  # the first one takes long
        task.step()
    assert progress_text(task) == "34 s: run 3 of 10 windows (about 14 s left)"
    now[0] = 7000.0
    assert progress_text(task).startswith("1 h 57 min: ")
    monkeypatch.setattr(_progress, "compile_seconds", lambda: 6966.0)
    assert "(about 14 s left)" in progress_text(task)
    monkeypatch.setattr(_progress, "is_compiling", lambda: True)
    assert progress_text(task) == "1 h 57 min: run 3 of 10 windows, compiling kernels"


def test_an_error_ends_tasks():
    with pytest.raises(ValueError), Task("outer", 2), Task("inner", 2):
        Task("", 5, "rows").step()
        raise ValueError
    assert current_task() is None
    assert Task("next").parent is None


def test_a_task_that_is_done_is_left():
    with Task("outer", 2, "steps") as outer:
        rows = Task("", 5, "rows")
        rows.step(4)
        assert outer.child is rows
        rows.step(5)
        assert outer.child is None and outer.done == 0
        assert len(list(report_rows([(np.ones(3),), (np.ones(2),)], 5))) == 2
        assert outer.child is None and outer.done == 1


def test_threads_have_tasks_of_their_own():
    with Task("outer", 2):
        found = []
        thread = threading.Thread(target=lambda: found.append(current_task()))
        thread.start()
        thread.join()
    assert found == [None]


CALLS = {
    "ESNRegressor.fit": lambda: SMALL.fit(SINE, SINE),
    "ESNRegressor.fit 1 of 2 passes": lambda: ESNRegressor(10, alpha=[1, 2]).fit(SINE, SINE),
    "ESNRegressor.partial_fit": lambda: ESNRegressor(10).partial_fit(SINE, SINE),
    "ESNRegressor.predict": lambda: ESNRegressor(10).fit(SINE, SINE).predict(SINE),
    "ESNClassifier.fit": lambda: ESNClassifier(10).fit(SINE.reshape(10, 250, 1), [0, 1] * 5),
    "RidgeReadout.fit": lambda: RidgeReadout().fit(SINE, SINE),
    "Forecaster.fit": lambda: Forecaster(SMALL).fit(SHORT),
    "Forecaster.forecast": lambda: Forecaster(SMALL).fit(SHORT).forecast(2, interval=0.5),
    "Forecaster.score": lambda: Forecaster(SMALL).fit(SHORT).score(SHORT[:5]),
    "Forecaster.backtest, 1 of 3 windows": lambda: Forecaster(SMALL).backtest(SHORT, 5, 3),
    "AutoForecaster.fit": lambda: AutoForecaster(settings=TINY).fit(NOISE),
    "Forecaster.fit 1 of 4 models": lambda: Forecaster(
        RidgeReadout(), lags=2, strategy="direct", horizon=4
    ).fit(SHORT),
    "RNNRegressor.fit 1 of 2 iterations": lambda: esnkit.RNNRegressor(4, max_iter=2).fit(
        SINE[:9], SINE[:9]
    ),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CALLS)
def test_long_calls_are_logged(name, records):
    CALLS[name]()
    found = texts(records)
    assert any(text.replace(" (about", ",").startswith(name) for text in found), found
    assert records.records[-1].getMessage().startswith(name.split()[0].strip(",") + " done in ")


def test_long_runs_of_a_reservoir_are_logged(records, monkeypatch):
    reservoir = Reservoir(10, random_state=0).fit(SINE)
    whole = reservoir.transform(SINE)
    monkeypatch.setattr("esnkit.reservoirs._compiled.MAX_CALL_WORK", 100_000)
    monkeypatch.setattr("esnkit.reservoirs._compiled.MIN_STATES", 1)
    assert np.array_equal(reservoir.transform(SINE), whole)
    batch = SINE.reshape(10, 250, 1)
    reservoir.transform(batch)
    SMALL.fit(SINE, SINE).generate(2500)
    runs = [text for text in texts(records) if text.startswith("reservoir")]
    assert len(runs) > 3 and all("of 2500 time steps" in text for text in runs[:3])


def test_nothing_is_told_by_default(capfd):
    SMALL.fit(SINE, SINE).predict(SINE)
    Forecaster(SMALL).backtest(SHORT, 5, 2, interval=0.5)
    assert capfd.readouterr() == ("", "")


def test_short_calls_are_not_logged(caplog):
    caplog.set_level(logging.INFO, logger="esnkit")
    SMALL.fit(SINE, SINE)
    assert caplog.records == []


VERBOSE = {
    "ESNRegressor.fit": lambda v: ESNRegressor(10, random_state=0, verbose=v).fit(SINE, SINE),
    "Forecaster.backtest": lambda v: Forecaster(SMALL, verbose=v).backtest(SHORT, 5, 2),
    "AutoForecaster.fit": lambda v: AutoForecaster(settings=TINY, verbose=v).fit(NOISE),
}


@pytest.mark.parametrize("name", VERBOSE)
def test_verbose_is_one_line_for_the_outermost_call(name, monkeypatch):
    for stream in (io.StringIO(), Terminal()):
        monkeypatch.setattr("sys.stderr", stream)
        VERBOSE[name](1)
        (line,) = stream.getvalue().splitlines()
        assert line.startswith(f"esnkit: {name} done in ")


@pytest.mark.parametrize("name", VERBOSE)
def test_verbose_is_a_record_where_these_are_handled(name, caplog, monkeypatch):
    caplog.set_level(logging.INFO, logger="esnkit")
    monkeypatch.setattr("sys.stderr", io.StringIO())
    VERBOSE[name](True)
    assert [record.getMessage().rpartition(" in ")[0] for record in caplog.records] == [
        f"{name} done"
    ]


def test_reports_change_no_bit(records):
    told = ESNRegressor(10, random_state=0, verbose=1).fit(SINE, SINE)
    records.set_level(logging.WARNING, logger="esnkit")
    quiet = ESNRegressor(10, random_state=0).fit(SINE, SINE)
    assert np.array_equal(told.predict(SINE), quiet.predict(SINE))


@pytest.mark.parametrize("verbose", [None, "yes", 1.5])
def test_other_kinds_of_verbose_are_refused(verbose):
    for name in VERBOSE:
        with pytest.raises(TypeError, match="verbose must be True, False or an integer"):
            VERBOSE[name](verbose)
