"""Callbacks of scikit-learn, and the lines of verbose."""

import numpy as np
import pytest
from checks import Watcher
from training_problems import echo, quick


def test_callbacks_see_every_iteration_and_can_stop():
    pytest.importorskip("sklearn", minversion="1.9")
    X, y, _ = echo()
    watcher = Watcher(last=4)
    model = quick(max_iter=9).set_callbacks(watcher).fit(X, y)
    assert model.n_iter_ == len(watcher.scores) == 4 and watcher.max_iter == 9 and watcher.over
    assert len(set(watcher.scores)) == 4
    assert model.set_callbacks().fit(X, y).n_iter_ == 9
    watcher = Watcher(last=9)
    assert quick(max_iter=0).set_callbacks(watcher).fit(X, y).n_iter_ == 0
    assert watcher.scores == [] and watcher.over


def test_an_error_in_a_callback_leaves_the_training_state():
    pytest.importorskip("sklearn", minversion="1.9")
    X, y, _ = echo()
    whole = quick(max_iter=8, batch_size=10).fit(X, y)
    model = quick(max_iter=5, batch_size=10, warm_start=True).fit(X, y)

    class Broken(Watcher):
        def on_fit_task_end(self, estimator, context, **data):
            if context.task_name == "iteration":
                self.scores.append(0.0)
                assert len(self.scores) < 3, "broken"
            return False

    with pytest.raises(AssertionError, match="broken"):
        model.set_callbacks(Broken(last=9)).fit(X, y)
    model.set_callbacks().set_params(max_iter=3).fit(X, y)
    assert model.loss_curve_ == whole.loss_curve_
    assert np.array_equal(model.predict(X), whole.predict(X))


def test_verbose_writes_a_line_an_iteration(capsys):
    X, y, _ = echo(4)
    quick(verbose=True, max_iter=2).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in lines] == ["Iteration 1", "Iteration 2"]
