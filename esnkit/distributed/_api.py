"""Functions that the methods of estimators call for dask collections."""

from typing import Any

from esnkit.distributed._fit import fit_reservoir
from esnkit.distributed._fit_readout import fit_readout
from esnkit.distributed._predict import predict_reservoir, predict_rows
from esnkit.utils._rollback import rollback_on_error

__all__ = ["decision_function", "fit", "predict", "predict_proba"]


@rollback_on_error
def fit(
    estimator: Any,
    X: Any,
    y: Any,
    sample_weight: Any = None,
    *,
    initial_state: Any = None,
    clamp: Any = None,
) -> Any:
    """Fit an estimator to dask collections; ``estimator.fit`` calls this function.

    The fitted attributes are those of ``fit`` on the same data in memory, but for rounding.

    Parameters
    ----------
    estimator : ESNRegressor, ESNClassifier, ReservoirRegressor, ReservoirClassifier, RidgeReadout
        Or any estimator with a reservoir, whose readout has ``fit_partitions`` as
        :class:`~esnkit.readouts.RidgeReadout` has. Few rows, up to 64 MB of features, are gathered,
        for any readout.
    X : dask collection
        A dask array (n_timesteps, n_features) or data frame: one series, cut into partitions along
        its rows. A dask array (n_sequences, n_timesteps, n_features), a bag of sequences
        (n_timesteps_i, n_features), or a list of delayed objects, each a sequence or a list of
        sequences: sequences are never cut. For a readout, rows (n_rows, n_features).
    y : dask collection
        Targets or labels in the same partitions; of an array also a NumPy array.
    sample_weight : dask collection or None, default=None
        As in the method of the estimator, in the same partitions.
    initial_state : array of shape (n_units,) or None, default=None
        State before the first step of the series, or of every sequence.
    clamp : None
        Not available for collections.

    Returns
    -------
    estimator

    Raises
    ------
    ImportError
        If dask is not installed.
    TypeError, ValueError
        As the method of the estimator, with the number of the partition; if partitions of X and y
        do not match; and for noise, which follows one sequence of random numbers.

    Notes
    -----
    The data are read several times: once to check them and to sum up what weights depend on, once
    for the states at the starts of the partitions of a series, once for the sums of the readout,
    once more for a list of penalties, and once to fit the pooling of sequences where there is
    something to fit. Keep them in the memory of the cluster if it is large enough, with
    ``X.persist()``.

    The state of a series at the start of a partition comes from the last rows of the one before,
    twice as many until the state does not change, and is compared with the state that the
    partition before ends in. A reservoir that does not forget carries its state from partition to
    partition, one after the other. The logger ``esnkit.distributed`` tells which it was, and which
    workers were lost.

    References
    ----------
    M. Rocklin (2015), Dask: parallel computation with blocked algorithms and task scheduling,
    SciPy.

    Examples
    --------
    >>> import dask.array as da
    >>> from esnkit import ESNRegressor
    >>> s = da.sin(da.arange(8000, chunks=2000) / 5)[:, None]
    >>> model = ESNRegressor(50, alpha=1e-3, random_state=0)
    >>> model.fit(s, da.roll(s, -1)).predict(s).chunks
    ((2000, 2000, 2000, 2000), (1,))
    """
    if hasattr(estimator, "fit_blocks"):
        _refuse_states(estimator, initial_state=initial_state, clamp=clamp)
        return fit_readout(estimator, X, y, sample_weight)
    _check_reservoir(estimator)
    if getattr(estimator, "feedback", False) == "force":
        raise ValueError(
            "feedback must not be 'force' for dask collections: every step needs what the readout "
            "has learned before it; fit arrays in memory, or use feedback=True"
        )
    return fit_reservoir(estimator, X, y, sample_weight, initial_state, clamp)


def predict(
    estimator: Any,
    X: Any,
    *,
    initial_state: Any = None,
    clamp: Any = None,
    return_state: Any = False,
) -> Any:
    """Predict a dask collection lazily, partition by partition.

    Parameters
    ----------
    estimator : fitted estimator
    X : dask collection
        As in :func:`fit`.
    initial_state : array of shape (n_units,) or None, default=None
        As in :func:`fit`.
    clamp : None
        Not available for collections.
    return_state : False
        Not available for collections.

    Returns
    -------
    y : dask array, bag or list of delayed objects
        An array for arrays and data frames; for a bag, a bag with an item for every sequence.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> from esnkit import ESNRegressor, distributed
    >>> s = np.sin(np.arange(400) / 5)[:, None]
    >>> model = ESNRegressor(50, random_state=0).fit(s[:-1], s[1:])
    >>> later = distributed.predict(model, da.from_array(s, chunks=(100, 1)))
    >>> bool(np.allclose(later.compute(), model.predict(s)))
    True
    """
    return _predict(estimator, X, "predict", initial_state, clamp, return_state)


def predict_proba(
    estimator: Any, X: Any, *, initial_state: Any = None, clamp: Any = None, steps: Any = None
) -> Any:
    """Return the probabilities of the classes lazily, as :func:`predict` does.

    Parameters
    ----------
    estimator, X, initial_state, clamp : as in :func:`predict`
    steps : None
        Not available for collections.

    Returns
    -------
    probabilities : dask array, bag or list of delayed objects

    Examples
    --------
    >>> import dask.bag as db
    >>> import numpy as np
    >>> from esnkit import ESNClassifier, distributed
    >>> t = np.arange(40)[:, None]
    >>> X = [np.sin(t / period + phase) for period in (6, 2) for phase in (0, 1, 2)]
    >>> model = ESNClassifier(20, random_state=0).fit(X, ["slow"] * 3 + ["fast"] * 3)
    >>> bag = db.from_sequence(X, npartitions=2)
    >>> len(distributed.predict_proba(model, bag).compute(scheduler="threads"))
    6
    """
    return _predict(estimator, X, "predict_proba", initial_state, clamp, steps)


def decision_function(
    estimator: Any, X: Any, *, initial_state: Any = None, clamp: Any = None
) -> Any:
    """Return the scores of the classes lazily, as :func:`predict` does.

    Parameters
    ----------
    estimator, X, initial_state, clamp : as in :func:`predict`

    Returns
    -------
    scores : dask array, bag or list of delayed objects

    Examples
    --------
    >>> import dask.bag as db
    >>> import numpy as np
    >>> from esnkit import ESNClassifier, distributed
    >>> t = np.arange(40)[:, None]
    >>> X = [np.sin(t / period + phase) for period in (6, 2) for phase in (0, 1, 2)]
    >>> model = ESNClassifier(20, random_state=0).fit(X, ["slow"] * 3 + ["fast"] * 3)
    >>> bag = db.from_sequence(X, npartitions=2)
    >>> scores = distributed.decision_function(model, bag).compute(scheduler="threads")
    >>> [bool(score > 0) for score in scores]
    [True, True, True, False, False, False]
    """
    return _predict(estimator, X, "decision_function", initial_state, clamp, None)


def _predict(
    estimator: Any, X: Any, method: str, initial_state: Any, clamp: Any, other: Any
) -> Any:
    """Call a method for every partition."""
    name = {"predict": "return_state", "predict_proba": "steps"}.get(method, "other")
    _refuse_states(estimator, **{"clamp": clamp, name: other or None})
    if hasattr(estimator, "fit_blocks"):
        _refuse_states(estimator, initial_state=initial_state)
        return predict_rows(estimator, X, method)
    _check_reservoir(estimator)
    return predict_reservoir(estimator, X, method, initial_state)


def _check_reservoir(estimator: Any) -> None:
    """Raise for an estimator without a reservoir."""
    if not hasattr(estimator, "_make_reservoir_and_readout"):
        raise TypeError(
            "estimator must be an ESNRegressor, ESNClassifier, ReservoirRegressor, "
            f"ReservoirClassifier or RidgeReadout, got {estimator!r}"
        )


def _refuse_states(estimator: Any, **given: Any) -> None:
    """Raise for arguments that must be None."""
    for name, value in given.items():
        if value is not None:
            raise ValueError(
                f"{name} must not be given for {type(estimator).__name__} and a dask collection, "
                f"got {value!r}: it is available for arrays in memory, such as X.compute()"
            )
