"""Callbacks of scikit-learn on fits of reservoirs and forecasters, and in searches around them."""

import threading

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR

from esnkit import (
    ESNClassifier,
    ESNRegressor,
    Forecaster,
    Reservoir,
    ReservoirRegressor,
    RidgeReadout,
)
from esnkit.utils._progress import current_task

callback = pytest.importorskip("sklearn.callback", reason="scikit-learn has none before 1.9")

SINE = np.sin(np.arange(400) / 5)[:, None]
SERIES = SINE[:120, 0]


class Recorder:
    """Notes which tasks of which estimators begin and end, as a progress bar does."""

    max_propagation_depth = None

    def __init__(self):
        self.open, self.ended, self.calls = [], [], []

    def setup(self, estimator, context):
        self.calls.append("setup")

    def teardown(self, estimator, context):
        self.calls.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        task = context.estimator_name, context.task_name, context.max_subtasks
        assert context.parent is None or context.task_id < (context.parent.max_subtasks or 9e9)
        self.open.append((id(context), task))

    def on_fit_task_end(self, estimator, context):
        began, task = self.open.pop()
        assert began == id(context), "tasks end in the reverse order of their begin"
        self.ended.append(task)


def ended(estimator, *data):
    """Return the tasks of a fit, in the order of their end."""
    recorder = Recorder()
    estimator.set_callbacks(recorder).fit(*data)
    assert recorder.open == [] and recorder.calls == ["setup", "teardown"]
    return recorder.ended


def small(**params):
    return ESNRegressor(10, random_state=0, **params)


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr("esnkit.reservoirs._compiled.MIN_BLOCK_ROWS", 100)
    monkeypatch.setattr("esnkit.reservoirs._compiled.BLOCK_BYTES", 100)


def test_blocks_and_the_solution_are_tasks_of_a_fit(small_blocks, monkeypatch):
    blocks = 4 * [("ESNRegressor", "block", 0)]
    run = [*blocks, ("ESNRegressor", "states and sums", 4), ("ESNRegressor", "solve", 0)]
    assert ended(small(), SINE, SINE) == [*run, ("ESNRegressor", "fit", 2)]
    several = small(alpha=[1.0, 2.0])
    assert ended(several, SINE, SINE) == [*run, ("ESNRegressor", "fit", 4)]  # few rows are kept
    monkeypatch.setattr("esnkit.readouts._kept_rows.MAX_KEPT", 100)
    assert ended(several, SINE, SINE) == [*run, *run, ("ESNRegressor", "fit", 4)]


@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_sequences_and_other_readouts(pooling, small_blocks):
    X, labels = SINE.reshape(20, 20, 1), [0, 1] * 10
    tasks = ended(ESNClassifier(10, pooling=pooling), X, labels)
    assert tasks[-1] == ("ESNClassifier", "fit", 4)  # at most
    model = ReservoirRegressor(Reservoir(10, noise=0.1), Ridge(), pooling=pooling)
    assert ended(model, X, X[:, 0])[-1] == ("ReservoirRegressor", "fit", 2)


class ThreePasses(RidgeReadout):
    """A readout that reads the rows more often than it announces."""

    def fit_blocks(self, make_blocks, n_rows=None):
        for _ in range(3):
            super().fit_blocks(make_blocks, n_rows)
        return self


def test_passes_that_were_not_announced_are_not_told():
    tasks = ended(ReservoirRegressor(Reservoir(10, random_state=0), ThreePasses()), SINE, SINE)
    assert [name for _, name, _ in tasks] == ["block", "states and sums", "solve", "fit"]


def test_callbacks_change_no_bit():
    plain, watched = small().fit(SINE, SINE), small().set_callbacks(Recorder()).fit(SINE, SINE)
    assert np.array_equal(plain.readout_.coef_, watched.readout_.coef_)


def test_a_score_can_be_monitored():
    monitor = callback.ScoringMonitor(scoring="r2")
    model = small().set_callbacks(monitor).fit(SINE, SINE)
    (row,) = monitor.get_logs().data
    assert row["task_name"] == "fit" and row["r2"] == pytest.approx(model.score(SINE, SINE))


FORECASTERS = {
    "networks": (Forecaster(small(), n_ensemble=3), 3, 3),
    "one output per step": (Forecaster(small(), strategy="direct", horizon=4), 1, 1),
    "lags": (Forecaster(Ridge(), lags=3, strategy="direct", horizon=4), 4, 0),
}


@pytest.mark.parametrize("name", FORECASTERS)
def test_models_are_tasks_of_a_forecaster(name):
    model, n_models, n_networks = FORECASTERS[name]
    tasks = ended(model, SERIES)
    assert tasks[-1] == ("Forecaster", "fit", n_models)
    fits = [task for task in tasks if task[1] == "fit"]
    assert fits.count(("ESNRegressor", "fit", 2)) == n_networks
    assert fits.count(("Forecaster", "fit", 0)) == n_models - n_networks  # the others are theirs
    assert not hasattr(model.estimator, "_skl_callbacks")


def test_models_that_are_fitted_once_per_output():
    series = np.column_stack([SERIES, SERIES**2])
    grid = GridSearchCV(make_pipeline(StandardScaler(), SVR()), {"svr__C": [1.0, 2.0]}, cv=2)
    tasks = ended_without_order(Forecaster(grid, lags=2), series)
    assert tasks[-1] == ("Forecaster", "fit", 1)


def ended_without_order(estimator, *data):
    """Return the ended tasks of a fit, some of which may have been given up."""
    recorder = Recorder()
    recorder.on_fit_task_end = lambda estimator, context: recorder.ended.append(
        (context.estimator_name, context.task_name, context.max_subtasks)
    )
    estimator.set_callbacks(recorder).fit(*data)
    assert recorder.calls == ["setup", "teardown"]
    return recorder.ended


def test_searches_and_pipelines_pass_them_on():
    grid = GridSearchCV(small(), {"alpha": [1.0, 2.0]}, cv=2)
    tasks = ended_without_order(grid, SINE, SINE)
    assert tasks.count(("ESNRegressor", "fit", 2)) == 5  # with the fit of the best
    tasks = ended(make_pipeline(StandardScaler(), small()), SINE, SINE)
    assert ("ESNRegressor", "fit", 2) in tasks
    assert not any(hasattr(step, "_skl_callbacks") for step in (grid.estimator, small()))


def test_an_error_in_a_callback_leaves_an_estimator_as_it_was():
    class Broken(Recorder):
        def on_fit_task_end(self, estimator, context):
            raise RuntimeError("broken")

    model = small().fit(SINE, SINE)
    before, coef = dict(vars(model)), model.readout_.coef_.copy()
    n_threads = threading.active_count()
    with pytest.raises(RuntimeError, match="broken"):
        model.set_params(verbose=1).set_callbacks(Broken()).fit(2 * SINE, SINE)
    assert threading.active_count() == n_threads  # the display has been closed
    assert current_task() is None
    model.set_callbacks()
    assert vars(model).keys() == before.keys() and np.array_equal(model.readout_.coef_, coef)
    assert model.fit(SINE, SINE).reservoir_ is not before["reservoir_"]
