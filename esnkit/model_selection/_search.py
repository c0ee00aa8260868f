"""Grid and random search with the results of scikit-learn's, which do shared work once."""

import time
from functools import partial
from typing import Any, Self

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, check_cv
from sklearn.utils import indexable

from esnkit.model_selection._adaptive import is_adaptive, search_adaptively
from esnkit.model_selection._candidates import shares_work
from esnkit.model_selection._evaluation import report_failures
from esnkit.model_selection._evaluator import Evaluator
from esnkit.model_selection._memory import check_memory
from esnkit.model_selection._search_callbacks import SearchCallbacks
from esnkit.model_selection._trials import expect_failures
from esnkit.utils._callbacks import with_callbacks
from esnkit.utils._collections import handles_collections, is_collection

__all__ = ["ReservoirRandomizedSearchCV", "ReservoirSearchCV", "SharedSearchMixin"]


class SharedSearchMixin:
    """Evaluation of candidates in groups that share work; stands before a search of scikit-learn.

    The search has ``max_memory``, and proposes candidates in ``_run_search`` as in scikit-learn.
    """

    @with_callbacks
    def fit(self, X: Any, y: Any = None, **params: Any) -> Self:
        """Evaluate all candidates, and fit the best one to all data.

        Parameters
        ----------
        X : array of shape (n_timesteps, n_features) or (n_sequences, n_timesteps, n_features), \
                or list of arrays of shape (n_timesteps_i, n_features)
            Data in any container that the estimator and the splitter take.
        y : array-like or list of array-likes, default=None
            Targets, as the estimator takes them.
        **params : dict
            Parameters of the ``fit`` of the estimator, such as ``sample_weight``, of the scorer,
            and of the splitter, such as ``groups``. Of those with a value for every row or
            sequence, a fold has its part.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            As the search of scikit-learn, if ``max_memory`` is no amount of memory, and for
            strategies or seeds that do not fit the estimator or the parameters tried.
        """
        search: Any = self
        max_bytes = check_memory("max_memory", search.max_memory)
        _check_collection(search, X)
        if is_adaptive(search):
            return _fit_adaptively(search, X, y, params)
        if not hasattr(search.estimator, "get_params") or not shares_work(search.estimator):
            return super().fit(X, y, **params)  # type: ignore[misc]
        return self._fit_in_groups(X, y, params, max_bytes)

    def _fit_in_groups(self, X: Any, y: Any, params: dict[str, Any], max_bytes: float) -> Self:
        """Evaluate all candidates in groups that share work, and fit the best one."""
        search: Any = self
        search._validate_params()
        scorers, refit_metric = search._get_scorers()
        X, y = indexable(X, y)
        routed = search._get_routed_params_for_fit(params)
        callbacks = SearchCallbacks(search, {"X": X, "y": y, "metadata": _metadata(params)})
        cv = check_cv(search.cv, y, classifier=is_classifier(search.estimator))
        search.n_splits_ = cv.get_n_splits(X, y, **routed.splitter.split)
        evaluator = Evaluator(search, cv, scorers, (X, y), routed, max_bytes)
        with evaluator.parallel:
            callbacks.run_search(evaluator)
        _choose_best(search, evaluator, refit_metric)
        if search.refit:
            _refit(search, callbacks, (X, y), routed.estimator.fit)
        search.scorer_ = getattr(scorers, "_scorers", scorers)
        search.cv_results_ = evaluator.results
        callbacks.end()
        return self

    def _report_failures(self, outcomes: list[dict[str, Any]]) -> None:
        """Warn of fits that failed, or raise if all did."""
        report_failures(outcomes, self.error_score)  # type: ignore[attr-defined]


def _check_collection(search: Any, X: Any) -> None:
    """Refuse collections of dask that folds cannot be taken from, or that cannot be scored.

    The ``score`` of a pipeline may take them: its transformers may load them into memory.
    """
    if not is_collection(X):
        return
    if not hasattr(type(X), "chunks"):  # arrays have them; frames and bags are not cut by rows
        raise TypeError(
            "X must be a dask array, or in memory, for a search, got a dask "
            f"{type(X).__name__}: folds are rows of an array; X.compute() or dask.compute(*X) "
            "loads it"
        )
    if search.scoring is None and handles_collections(getattr(search.estimator, "score", None)):
        name = type(search.estimator).__name__
        raise TypeError(
            f"scoring must be given for collections, such as dask arrays: {name}.score needs X in "
            "memory; pass a name such as 'r2' or 'accuracy', or X.compute() and y.compute()"
        )


def _fit_adaptively(search: Any, X: Any, y: Any, params: dict[str, Any]) -> Any:
    """Fit a search whose candidates are evaluated more than once, or one after the other."""
    search._validate_params()
    X, y = indexable(X, y)
    routed = search._get_routed_params_for_fit(params)
    callbacks = SearchCallbacks(search, {"X": X, "y": y, "metadata": _metadata(params)})
    search_adaptively(search, (X, y), params, routed, partial(_listed_search, search))
    if search.refit:
        _refit(search, callbacks, (X, y), routed.estimator.fit)
    callbacks.end()
    return search


def _metadata(params: dict[str, Any]) -> dict[str, Any] | None:
    """Return what callbacks are told of the parameters of ``fit``."""
    weights = params.get("sample_weight")
    return None if weights is None else {"sample_weight": weights}


def _choose_best(search: Any, evaluator: Evaluator, refit_metric: Any) -> None:
    """Store which candidate is the best one."""
    first, results = evaluator.outcomes[0]["test_scores"], evaluator.results
    search.multimetric_ = isinstance(first, dict)
    if callable(search.scoring) and search.multimetric_:
        search._check_refit_for_multimetric(first)
        refit_metric = search.refit
    if not search.refit and search.multimetric_:
        return
    search.best_index_ = search._select_best_index(search.refit, refit_metric, results)
    if not callable(search.refit):
        search.best_score_ = results[f"mean_test_{refit_metric}"][search.best_index_]
    search.best_params_ = results["params"][search.best_index_]


def _refit(
    search: Any, callbacks: SearchCallbacks, data: tuple[Any, Any], params: dict[str, Any]
) -> None:
    """Fit the best candidate to all data."""
    X, y = data
    best = clone(search.estimator).set_params(**clone(search.best_params_, safe=False))
    search.best_estimator_ = best
    with callbacks.around_refit(best):
        start = time.time()
        best.fit(*((X,) if y is None else (X, y)), **params)
        search.refit_time_ = time.time() - start
    if hasattr(best, "feature_names_in_"):
        search.feature_names_in_ = best.feature_names_in_


class ReservoirSearchCV(SharedSearchMixin, GridSearchCV):
    """Grid search with the scores of scikit-learn's, which does shared work once.

    Constructor, methods and ``cv_results_`` are those of
    :class:`sklearn.model_selection.GridSearchCV`, and so are the scores.

    Parameters
    ----------
    estimator : estimator
        Such as :class:`ESNRegressor`, also inside of a pipeline.
    param_grid : dict or list of dicts
        Values to try for every parameter; all combinations are candidates.
    scoring : str, callable, list, tuple, dict or None, default=None
        One score or several, as in scikit-learn; None takes the ``score`` of the estimator.
    n_jobs : int or None, default=None
        Number of groups that are evaluated at the same time. Jobs are threads, in which the kernels
        run in parallel, unless ``joblib.parallel_config`` names a backend, such as "loky" or
        "dask".
    refit : bool, str or callable, default=True
        Whether to fit the best candidate to all data; with several scores, the name of the one
        that decides; or a function of ``cv_results_`` that returns the index of the best one.
    cv : int, splitter, iterable or None, default=None
        How to split the data; an int or None stands for ``KFold`` or ``StratifiedKFold``. For one
        series, use :class:`sklearn.model_selection.TimeSeriesSplit`, or
        :class:`RecycleValidation` with scores of free runs.
    verbose : int, default=0
        With 1, the number of fits is written to the standard output, and progress of long searches
        with the best score so far to the standard error; with 2 or more, also each fit.
    pre_dispatch : int or str, default="2*n_jobs"
        How many groups are handed out to the jobs in advance.
    error_score : "raise" or number, default=nan
        Score of a fit that fails, of which a ``FitFailedWarning`` tells; "raise" raises the error.
    return_train_score : bool, default=False
        Whether ``cv_results_`` holds scores on the training rows.
    max_memory : str or float, default="1GB"
        Memory of what fits share, "500MB", "2GB" or a number of bytes. With less, fewer results
        are kept and more are computed again; scores are the same.
    n_seeds : int, default=1
        Number of reservoirs of every candidate, whose scores are averaged. Their seeds are drawn
        from the ``random_state`` of the estimator.

    Attributes
    ----------
    cv_results_ : dict of ndarrays
        Scores, times and parameters of every candidate. Time of shared work counts for the first
        candidate that needs it. With several seeds, scores are means, with the deviation
        ``std_seeds_test_score`` over seeds, and times are sums.
    best_estimator_ : estimator
        The best candidate, fitted to all data, if ``refit`` is not False.
    best_score_, best_params_, best_index_ : float, dict, int
        Mean score, parameters and place of the best candidate.
    scorer_ : callable or dict
    n_splits_ : int
    refit_time_ : float
        Seconds of the last fit.
    multimetric_ : bool
        Whether there are several scores.
    classes_, n_features_in_, feature_names_in_
        Those of ``best_estimator_``.

    See Also
    --------
    ReservoirRandomizedSearchCV : Tries random candidates.

    Notes
    -----
    Candidates that differ in the penalty ``alpha`` alone form a group, in which the reservoir runs
    once for the training rows of a fold and once for its test rows, and every penalty is solved
    from the same statistics. A series that begins with the rows of another fold, as in
    ``TimeSeriesSplit``, starts from the state and the statistics at their end. The spectral radius
    of a matrix is computed once for all candidates of the same topology and seed.

    What is shared is found by comparing the inputs: a scaler that is fitted in every fold gives
    different ones, so that folds share nothing. Without an integer ``random_state``, every fit has
    other weights, and nothing is shared. Estimators that contain no reservoir and no ridge readout
    of esnkit are evaluated by scikit-learn.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.model_selection import TimeSeriesSplit
    >>> from esnkit import ESNRegressor, ReservoirSearchCV
    >>> s = np.sin(np.arange(300) / 4).reshape(-1, 1)
    >>> grid = {"alpha": [1e-8, 1e-4, 1.0], "leak_rate": [0.1, 1.0]}
    >>> search = ReservoirSearchCV(ESNRegressor(20, random_state=0), grid, cv=TimeSeriesSplit(3))
    >>> search.fit(s[:-1], s[1:]).best_params_
    {'alpha': 0.0001, 'leak_rate': 0.1}
    """

    def __init__(
        self,
        estimator,
        param_grid,
        *,
        scoring=None,
        n_jobs=None,
        refit=True,
        cv=None,
        verbose=0,
        pre_dispatch="2*n_jobs",
        error_score=np.nan,
        return_train_score=False,
        max_memory="1GB",
        n_seeds=1,
    ):
        self.estimator = estimator
        self.param_grid = param_grid
        self.scoring = scoring
        self.n_jobs = n_jobs
        self.refit = refit
        self.cv = cv
        self.verbose = verbose
        self.pre_dispatch = pre_dispatch
        self.error_score = error_score
        self.return_train_score = return_train_score
        self.max_memory = max_memory
        self.n_seeds = n_seeds


class ReservoirRandomizedSearchCV(SharedSearchMixin, RandomizedSearchCV):
    """Random search with the scores of scikit-learn's, which does shared work once.

    Constructor, methods and ``cv_results_`` are those of
    :class:`sklearn.model_selection.RandomizedSearchCV`, and so are the scores. Other strategies
    need fewer fits on all rows.

    Parameters
    ----------
    estimator : estimator
        Such as :class:`ESNRegressor`, also inside of a pipeline.
    param_distributions : dict or list of dicts
        A list of values, or a distribution with a method ``rvs``, for every parameter. Candidates
        share most if ``alpha`` is the only distribution beside short lists of values.
    n_iter : int, default=10
        Number of candidates.
    search : {"random", "halving", "optuna"}, default="random"
        Random: all candidates are drawn in advance. Halving: a third of them, the best ones, goes
        on to the next round, with three times the training rows [1]_. Optuna: a tree-structured
        Parzen estimator suggests candidates from the scores before [2]_, which needs the package
        optuna (extra ``optuna``); distributions are lists, ``uniform``, ``loguniform`` and
        ``randint`` of :mod:`scipy.stats`, or those of Optuna.
    study : optuna.Study or None, default=None
        For ``search="optuna"``, with ``direction="maximize"``: its sampler suggests candidates. Its
        pruner ends them between folds, which are evaluated one by one unless there is none. Its
        trials of earlier searches count as candidates, so that a study in a storage continues an
        interrupted search up to ``n_iter``. None makes one in memory, which does not prune.
    scoring : str, callable, list, tuple, dict or None, default=None
        One score or several, as in scikit-learn; None takes the ``score`` of the estimator.
    n_jobs : int or None, default=None
        Number of groups that are evaluated at the same time. Jobs are threads, in which the kernels
        run in parallel, unless ``joblib.parallel_config`` names a backend, such as "loky" or
        "dask".
    refit : bool, str or callable, default=True
        Whether to fit the best candidate to all data; with several scores, the name of the one
        that decides; or a function of ``cv_results_`` that returns the index of the best one.
    cv : int, splitter, iterable or None, default=None
        How to split the data; an int or None stands for ``KFold`` or ``StratifiedKFold``. For one
        series, use :class:`sklearn.model_selection.TimeSeriesSplit`, or
        :class:`RecycleValidation` with scores of free runs.
    verbose : int, default=0
        With 1, the number of fits is written to the standard output, and progress of long searches
        with the best score so far to the standard error; with 2 or more, also each fit. Strategies
        other than "random" write progress only.
    pre_dispatch : int or str, default="2*n_jobs"
        How many groups are handed out to the jobs in advance.
    random_state : int, RandomState instance or None, default=None
        Determines the candidates.
    error_score : "raise" or number, default=nan
        Score of a fit that fails, of which a ``FitFailedWarning`` tells; "raise" raises the error.
    return_train_score : bool, default=False
        Whether ``cv_results_`` holds scores on the training rows.
    max_memory : str or float, default="1GB"
        Memory of what fits share, "500MB", "2GB" or a number of bytes. With less, fewer results
        are kept and more are computed again; scores are the same.
    n_seeds : int, default=1
        Number of reservoirs of every candidate, whose scores are averaged. Their seeds are drawn
        from the ``random_state`` of the estimator.

    Attributes
    ----------
    cv_results_ : dict of ndarrays
        Scores, times and parameters of every candidate. Time of shared work counts for the first
        candidate that needs it. With several seeds, scores are means, with the deviation
        ``std_seeds_test_score`` over seeds, and times are sums. Halving adds the rounds, ``iter``,
        and the training rows, ``n_resources``.
    best_estimator_ : estimator
        The best candidate, fitted to all data, if ``refit`` is not False.
    best_score_, best_params_, best_index_ : float, dict, int
        Mean score, parameters and place of the best candidate.
    scorer_ : callable or dict
    n_splits_ : int
    refit_time_ : float
        Seconds of the last fit.
    multimetric_ : bool
        Whether there are several scores.
    classes_, n_features_in_, feature_names_in_
        Those of ``best_estimator_``.

    See Also
    --------
    ReservoirSearchCV : Tries all candidates of a grid; its notes tell what is shared.
    SearchDisplay : Plots the results.

    Notes
    -----
    The first round of halving has at least 100 rows of a series beyond twice the washout, or 30
    sequences. A series keeps its last training rows, sequences some of all parts of the data. The
    best candidate is one of the last round, which has all rows.

    The fits of one suggestion of Optuna share their work, those of different ones do not. A
    candidate that is pruned has NaN for the folds left out, and for its mean.

    References
    ----------
    .. [1] K. Jamieson and A. Talwalkar, "Non-stochastic best arm identification and hyperparameter
       optimization", AISTATS 2016.
    .. [2] T. Akiba et al., "Optuna: a next-generation hyperparameter optimization framework",
       KDD 2019.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.stats import loguniform
    >>> from sklearn.model_selection import TimeSeriesSplit
    >>> from esnkit import ESNRegressor, ReservoirRandomizedSearchCV
    >>> s = np.sin(np.arange(300) / 4).reshape(-1, 1)
    >>> tried = {"alpha": loguniform(1e-9, 1.0), "leak_rate": [0.1, 1.0]}
    >>> model, folds = ESNRegressor(20, random_state=0), TimeSeriesSplit(3)
    >>> search = ReservoirRandomizedSearchCV(model, tried, cv=folds, random_state=0)
    >>> search.fit(s[:-1], s[1:]).best_params_["leak_rate"]
    0.1
    """

    def __init__(
        self,
        estimator,
        param_distributions,
        *,
        n_iter=10,
        search="random",
        study=None,
        scoring=None,
        n_jobs=None,
        refit=True,
        cv=None,
        verbose=0,
        pre_dispatch="2*n_jobs",
        random_state=None,
        error_score=np.nan,
        return_train_score=False,
        max_memory="1GB",
        n_seeds=1,
    ):
        self.estimator = estimator
        self.param_distributions = param_distributions
        self.n_iter = n_iter
        self.search = search
        self.study = study
        self.scoring = scoring
        self.n_jobs = n_jobs
        self.refit = refit
        self.cv = cv
        self.verbose = verbose
        self.pre_dispatch = pre_dispatch
        self.random_state = random_state
        self.error_score = error_score
        self.return_train_score = return_train_score
        self.max_memory = max_memory
        self.n_seeds = n_seeds


class _ListedSearch(ReservoirSearchCV):
    """A search over candidates that are given, which keeps what each of their fits gave.

    The search that lists the candidates reports the fits that failed, of all together.
    """

    @with_callbacks
    def fit(self, X, y=None, **params):
        return self._fit_in_groups(X, y, params, check_memory("max_memory", self.max_memory))

    def _report_failures(self, outcomes):
        pass

    def _format_results(self, candidate_params, n_splits, out, more_results=None):
        self.fits_ = out
        with expect_failures():  # the table of all candidates tells of them
            return super()._format_results(candidate_params, n_splits, out, more_results)


def _listed_search(search: Any, grid: list[dict], folds: list) -> _ListedSearch:
    """Return a search like another one over some candidates in some folds."""
    return _ListedSearch(
        search.estimator, grid, scoring=search.scoring, n_jobs=search.n_jobs, refit=False,
        cv=folds, pre_dispatch=search.pre_dispatch, error_score=search.error_score,
        return_train_score=search.return_train_score, max_memory=search.max_memory,
    )  # fmt: skip
