"""How the fits of a search are divided into jobs."""

import numpy as np
import pytest
from search_problems import both, series
from sklearn.model_selection import TimeSeriesSplit

from esnkit import ESNRegressor, Reservoir, ReservoirSearchCV
from esnkit.model_selection import RecycleValidation, _evaluator
from esnkit.model_selection._evaluator import _jobs
from esnkit.utils import _threads

MODEL = ESNRegressor(8, random_state=0)


def fits_of(candidates, n_splits, n_jobs):
    contexts = [(i, k) for i in range(len(candidates)) for k in range(n_splits)]
    jobs = _jobs(MODEL, candidates, n_splits, n_jobs, contexts)
    for job in jobs:
        fits = [(candidate.place, k) for k in job.folds for candidate in job.group]
        assert job.contexts == fits
    return [[(c.place, k) for k in job.folds for c in job.group] for job in jobs]


GRID = [{"alpha": a, "leak_rate": r} for a in (1.0, 2.0) for r in (0.5, 1.0)]


def test_a_job_is_a_group_on_all_folds():
    first, second = fits_of(GRID, 3, 2)
    assert first == [(0, 0), (2, 0), (0, 1), (2, 1), (0, 2), (2, 2)]
    assert [i for i, _ in second] == [1, 3, 1, 3, 1, 3]


@pytest.mark.parametrize(("n_jobs", "n_parts"), [(3, 2), (6, 3), (100, 3)])
def test_folds_are_divided_where_groups_are_few(n_jobs, n_parts):
    jobs = fits_of(GRID, 3, n_jobs)
    assert len(jobs) == 2 * n_parts
    assert sorted(sum(jobs, [])) == [(i, k) for i in range(4) for k in range(3)]


def test_no_candidates_are_no_jobs():
    assert _jobs(MODEL, [], 3, 2, []) == []


def test_a_search_without_candidates_is_refused():
    search = ReservoirSearchCV(MODEL, [], cv=TimeSeriesSplit(2))
    with pytest.raises(ValueError, match="No fits were performed"):
        search.fit(*series())


class TwoFolds(TimeSeriesSplit):
    """A splitter that says that it has more folds than it yields."""

    def get_n_splits(self, X=None, y=None, groups=None):
        return self.n_splits + 1


def test_a_splitter_that_miscounts_is_refused():
    search = ReservoirSearchCV(MODEL, {"alpha": [1.0]}, cv=TwoFolds(2))
    with pytest.raises(ValueError, match="Expected 3 splits, got 2"):
        search.fit(*series())


def test_states_are_computed_once_for_a_group(monkeypatch):
    n_rows, run = [], Reservoir.run

    def counted(self, sequences, *args, **forcing):
        n_rows.append(len(sequences.values))
        return run(self, sequences, *args, **forcing)

    monkeypatch.setattr(Reservoir, "run", counted)
    grid = {"alpha": np.logspace(-6, 0, 7), "leak_rate": [0.3, 1.0]}
    ReservoirSearchCV(MODEL, grid, cv=TimeSeriesSplit(2), refit=False).fit(*series(60))
    assert n_rows == 2 * [20, 20, 40, 20]


@pytest.mark.parametrize(("n_jobs", "expected"), [(1, 2), (2, 1)])
def test_jobs_side_by_side_share_the_processors(monkeypatch, n_jobs, expected):
    monkeypatch.setattr(_threads, "n_processors", lambda: 2)
    monkeypatch.setattr(_threads, "numba_threads", lambda: 2)
    monkeypatch.setattr(_threads._state, "blas_threads", lambda: 2)
    seen, run = [], Reservoir.run

    def noted(self, *args, **forcing):
        seen.append(_threads.n_threads())
        return run(self, *args, **forcing)

    monkeypatch.setattr(Reservoir, "run", noted)
    grid = {"leak_rate": [0.3, 1.0]}
    search = ReservoirSearchCV(MODEL, grid, cv=TimeSeriesSplit(2), refit=False, n_jobs=n_jobs)
    search.fit(*series(60))
    assert set(seen) == {expected}


def test_folds_with_the_same_training_rows_share_the_fit(monkeypatch):
    n_rows, run = [], Reservoir.run

    def counted(self, sequences, *args, **forcing):
        n_rows.append(len(sequences.values))
        return run(self, sequences, *args, **forcing)

    monkeypatch.setattr(Reservoir, "run", counted)
    cv = RecycleValidation(3, horizon=10, warmup=5)
    ReservoirSearchCV(MODEL, {"alpha": [1.0, 2.0]}, cv=cv, refit=False).fit(*series(60))
    assert n_rows == [60, 15, 15, 15]
    monkeypatch.undo()
    both(MODEL, {"alpha": [1.0, 2.0]}, *series(60), cv=cv)


def test_memory_is_divided_among_jobs(monkeypatch):
    found, evaluate = [], _evaluator.evaluate
    monkeypatch.setattr(
        _evaluator, "evaluate", lambda *args: found.append(args[3]) or evaluate(*args)
    )
    params = {"cv": TimeSeriesSplit(2), "n_jobs": 2, "max_memory": 8000}
    ReservoirSearchCV(MODEL, {"alpha": [1.0]}, **params).fit(*series(60))
    assert found == [3000.0, 3000.0]
