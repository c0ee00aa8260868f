"""Errors of forecasts: NRMSE with a named norm, MASE, and valid prediction time; scorers.

They take numbers of shape (n_timesteps,) or (n_timesteps, n_outputs) and return a float. The
calibration error of probabilities takes labels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from esnkit.sequences._scorer import make_sequence_scorer
from esnkit.utils._validation import (
    check_choice,
    check_number,
    check_positive_int,
    check_weights,
    finite_array,
    refuse_masked,
)

__all__ = [
    "expected_calibration_error",
    "make_sequence_scorer",
    "mase",
    "nrmse",
    "valid_prediction_time",
]

_MAX_SUM_ERROR = 1e-3  # of the probabilities of a row, which may be of half precision

_MULTIOUTPUT = ("uniform_average", "raw_values")
_NORMS = {
    # The computed deviation of a constant series may be a rounding error instead of zero.
    "std": lambda y: np.where(np.ptp(y, axis=0) == 0.0, 0.0, np.std(y, axis=0)),
    "range": lambda y: np.ptp(y, axis=0),
    "rms": lambda y: np.sqrt(np.mean(y**2, axis=0)),
    "mean": lambda y: np.abs(np.mean(y, axis=0)),
}


def nrmse(
    y_true: ArrayLike, y_pred: ArrayLike, *, norm: str = "std", multioutput: str = "uniform_average"
) -> Any:
    """Root mean squared error, normalised.

    ``sqrt(mean((y_true - y_pred)^2)) / norm(y_true)`` for every output, mean and norm over time.
    With norm "std", predicting the mean of `y_true` scores 1, and the square of the score is the
    NMSE of the literature. Papers use different norms: report the norm with every score.

    Parameters
    ----------
    y_true : array-like of shape (n_timesteps,) or (n_timesteps, n_outputs)
    y_pred : array-like of the same shape
    norm : {"std", "range", "rms", "mean"}, default="std"
        Norm of `y_true`: its population standard deviation (``ddof=0``), maximum minus minimum,
        root mean square, or absolute value of the mean.
    multioutput : {"uniform_average", "raw_values"}, default="uniform_average"
        Average the scores of the outputs, each with its own norm, or return them all.

    Returns
    -------
    score : float, or ndarray of shape (n_outputs,) with ``multioutput="raw_values"``
        At least 0, which is perfect.

    Raises
    ------
    ValueError
        If the shapes differ, a number is not finite, or the norm of an output is zero.

    Examples
    --------
    >>> from esnkit.metrics import nrmse
    >>> nrmse([1.0, 2.0, 3.0, 4.0], [2.5, 2.5, 2.5, 2.5])
    1.0
    >>> nrmse([0.0, 2.0, 4.0], [1.0, 3.0, 5.0], norm="range")
    0.25
    """
    true, pred = _check_pair(y_true, y_pred)
    check_choice("norm", norm, tuple(_NORMS))
    check_choice("multioutput", multioutput, _MULTIOUTPUT)
    power, power_of_error = _power(true), _power(true, pred)
    norms = _NORMS[norm](np.ldexp(true, -power))
    if np.any(norms == 0.0):
        raise ValueError(
            f'y_true has an output whose norm "{norm}" is zero, by which the error cannot be '
            "divided; choose another norm"
        )
    error = _difference(true, pred, power_of_error)
    return _combine(np.sqrt(np.mean(error**2, axis=0)) / norms, power_of_error - power, multioutput)


def mase(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    y_train: ArrayLike,
    *,
    period: int = 1,
    multioutput: str = "uniform_average",
) -> Any:
    """Mean absolute scaled error.

    ``mean(|y_true - y_pred|) / mean(|y_train[t] - y_train[t - period]|)`` for every output: the
    error relative to that of the (seasonal) naive forecast, one step or one period ahead, on the
    training series [1]_.

    Parameters
    ----------
    y_true : array-like of shape (n_timesteps,) or (n_timesteps, n_outputs)
    y_pred : array-like of the same shape
    y_train : array-like of shape (n_train,) or (n_train, n_outputs)
        The series that the model was fitted to; longer than `period`.
    period : int, default=1
        Length of the season in time steps; 1 means no season.
    multioutput : {"uniform_average", "raw_values"}, default="uniform_average"
        Average the scores of the outputs or return them all.

    Returns
    -------
    score : float, or ndarray of shape (n_outputs,) with ``multioutput="raw_values"``
        At least 0, which is perfect.

    Raises
    ------
    ValueError
        If the shapes differ, a number is not finite, `y_train` is not longer than `period`, or
        an output of `y_train` repeats exactly with that period.

    References
    ----------
    .. [1] R. J. Hyndman and A. B. Koehler, "Another look at measures of forecast accuracy",
       International Journal of Forecasting 22, 2006.

    Examples
    --------
    >>> from esnkit.metrics import mase
    >>> mase([5.0, 6.0], [4.0, 6.0], y_train=[1.0, 2.0, 3.0, 4.0])
    0.5
    """
    true, pred = _check_pair(y_true, y_pred)
    train = _check_numbers("y_train", y_train)
    period = check_positive_int("period", period)
    check_choice("multioutput", multioutput, _MULTIOUTPUT)
    if train.shape[1] != true.shape[1]:
        raise ValueError(
            f"y_train must have as many outputs as y_true, got {train.shape[1]} and {true.shape[1]}"
        )
    if len(train) <= period:
        raise ValueError(
            f"y_train must be longer than period = {period}, got {len(train)} time steps"
        )
    power, power_of_error = _power(train), _power(true, pred)
    train = np.ldexp(train, -power)
    scale = np.mean(np.abs(train[period:] - train[:-period]), axis=0)
    if np.any(scale == 0.0):
        raise ValueError(
            f"y_train has an output that repeats exactly every period = {period} steps: the error "
            "of its naive forecast is zero and cannot scale others"
        )
    error = _difference(true, pred, power_of_error)
    return _combine(np.mean(np.abs(error), axis=0) / scale, power_of_error - power, multioutput)


def valid_prediction_time(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    dt: float = 1.0,
    threshold: float = 0.3,
    lyapunov_exponent: float | None = None,
    std: ArrayLike | None = None,
) -> float:
    """Time for which a closed-loop forecast stays close to the observed values.

    The error of a row is ``sqrt(mean_d((y_true[t, d] - y_pred[t, d])^2 / std[d]^2))`` [1]_. The
    score is the time before the first row whose error exceeds `threshold`: ``k * dt`` if that is
    row ``k``, and ``n_timesteps * dt``, a lower bound, if there is none.

    Parameters
    ----------
    y_true : array-like of shape (n_timesteps,) or (n_timesteps, n_outputs)
    y_pred : array-like of the same shape
        A forecast may diverge: NaN and infinity exceed any threshold.
    dt : float, default=1.0
        Time between two rows.
    threshold : float, default=0.3
        Largest error that counts as valid. Report it with the score, which depends on it.
    lyapunov_exponent : float or None, default=None
        Largest Lyapunov exponent of the system per unit of time (0.9056 for Lorenz 63). When
        given, the score is in Lyapunov times, ``k * dt * lyapunov_exponent``.
    std : float, array-like of shape (n_outputs,) or None, default=None
        Long-run standard deviation of every output. None takes that of `y_true`; for a short
        series, prefer that of the training series.

    Returns
    -------
    time : float

    Raises
    ------
    ValueError
        If the shapes differ, `y_true` is not finite, a parameter is out of its range, or a
        standard deviation is not positive.

    References
    ----------
    .. [1] J. A. Platt et al., "A systematic exploration of reservoir computing for forecasting
       complex spatiotemporal dynamics", Neural Networks 153, 2022.

    Examples
    --------
    >>> from esnkit.metrics import valid_prediction_time
    >>> y_true = [0.0, 1.0, 0.0, -1.0]
    >>> valid_prediction_time(y_true, [0.0, 1.1, 0.1, -2.0], dt=0.5)
    1.5
    """
    true, pred = _check_pair(y_true, y_pred, finite_pred=False)
    dt = check_number("dt", dt, 0.0, low_open=True)
    threshold = check_number("threshold", threshold, 0.0, low_open=True)
    long_run = None if std is None else finite_array("std", std)
    if long_run is not None and (long_run.ndim > 1 or long_run.size not in (1, true.shape[1])):
        raise ValueError(
            f"std must be one number or one for each of {true.shape[1]} outputs, "
            f"got shape {long_run.shape}"
        )
    deviation = _NORMS["std"](np.ldexp(true, -_power(true))) if long_run is None else long_run
    if not np.all(deviation > 0.0):
        raise ValueError(f"std must be positive for every output, got {deviation}")
    power = _power(true, true if long_run is None else np.broadcast_to(long_run, true.shape))
    scale = deviation if long_run is None else np.ldexp(long_run, -power)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        error = np.sqrt(np.mean((_difference(true, pred, power) / scale) ** 2, axis=1))
    invalid = ~(error <= threshold)  # True for NaN, too
    n_valid = int(np.argmax(invalid)) if invalid.any() else len(invalid)
    if lyapunov_exponent is None:
        return n_valid * dt
    exponent = check_number("lyapunov_exponent", lyapunov_exponent, 0.0, low_open=True)
    return n_valid * dt * exponent


def expected_calibration_error(
    y_true: ArrayLike,
    proba: ArrayLike,
    *,
    n_bins: int = 15,
    labels: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Mean difference between the confidence of predictions and their accuracy.

    The confidence of a row is its largest probability, whose class is predicted. Rows fall into
    `n_bins` bins of equal width by their confidence, ((m - 1) / n_bins, m / n_bins]. The error is
    the mean over bins of ``|accuracy - mean confidence|``, weighted by their rows [1]_.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        Labels.
    proba : array-like of shape (n_rows, n_classes) or (n_rows,)
        Probabilities of the classes in the order of `labels`, as ``predict_proba`` returns them;
        or those of the second of two classes.
    n_bins : int, default=15
        Report it with the score.
    labels : array-like of shape (n_classes,) or None, default=None
        The classes, sorted, as ``classes_`` of a classifier. None takes those in `y_true`.
    sample_weight : array-like of shape (n_rows,) or None, default=None
        Weight of each row.

    Returns
    -------
    error : float
        From 0 to 1.

    Raises
    ------
    ValueError
        If shapes differ, a label is not among `labels`, or rows are no probabilities.

    References
    ----------
    .. [1] C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On calibration of modern neural
       networks", ICML 2017.

    Examples
    --------
    Four predictions of 0.8, of which three are right:

    >>> from esnkit.metrics import expected_calibration_error
    >>> proba = [[0.8, 0.2], [0.8, 0.2], [0.2, 0.8], [0.2, 0.8]]
    >>> round(expected_calibration_error(["a", "a", "b", "a"], proba), 6)
    0.05
    """
    n_bins = check_positive_int("n_bins", n_bins)
    P = _check_probabilities(proba)
    right = _label_codes(y_true, labels, P.shape) == P.argmax(axis=1)
    refuse_masked("sample_weight", sample_weight)
    weights = check_weights(sample_weight, len(P), 1)
    weights = np.ones(len(P)) if weights is None else weights.reshape(len(P))
    confidence = P.max(axis=1)
    if not weights.any():
        raise ValueError("sample_weight must not be zero for every row")
    weights = weights / weights.max()  # whose sum cannot overflow
    bins = np.searchsorted(np.arange(1, n_bins) / n_bins, confidence)
    gaps = np.bincount(bins, weights * (right - confidence))
    return float(np.abs(gaps).sum() / weights.sum())


def _check_probabilities(proba: ArrayLike) -> NDArray[np.float64]:
    """Return probabilities (n_rows, n_classes) in float64, or raise."""
    P = finite_array("proba", proba, np.float64)
    if P.ndim == 1:
        P = np.stack([1 - P, P], axis=1)
    if P.ndim != 2 or P.size == 0:
        raise ValueError(f"proba must have shape (n_rows, n_classes), got {P.shape}")
    sums = P.sum(axis=1)
    if P.min() < 0 or np.abs(sums - 1).max() > _MAX_SUM_ERROR:
        worst = int(np.argmax(np.where(P.min(axis=1) < 0, np.inf, np.abs(sums - 1))))
        raise ValueError(
            "proba must have rows of probabilities >= 0 that sum to 1, got "
            f"{P[worst].tolist()} in row {worst}: use predict_proba"
        )
    return P


def _label_codes(
    y_true: ArrayLike, labels: ArrayLike | None, shape: tuple[int, ...]
) -> NDArray[np.intp]:
    """Return the column of every label, or raise."""
    refuse_masked("y_true", y_true)
    y = np.asarray(y_true)
    if y.shape != shape[:1]:
        raise ValueError(f"y_true must have shape {shape[:1]}, a label a row, got {y.shape}")
    classes = np.unique(y if labels is None else np.asarray(labels))
    if labels is not None and not np.array_equal(classes, labels):
        raise ValueError(
            f"labels must be sorted and distinct, as the columns of proba are, got {labels!r}"
        )
    if len(classes) != shape[1]:
        origin = "y_true has" if labels is None else "labels has"
        raise ValueError(
            f"proba has {shape[1]} columns, but {origin} {len(classes)} classes, "
            f"{classes.tolist()}: give labels=classes_ of the classifier"
        )
    unknown = np.setdiff1d(y, classes)
    if unknown.size:
        raise ValueError(f"y_true has {unknown.tolist()}, which labels lacks: {classes.tolist()}")
    return np.searchsorted(classes, y)


def _check_pair(
    y_true: ArrayLike, y_pred: ArrayLike, finite_pred: bool = True
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both as float64 of shape (n_timesteps, n_outputs)."""
    true = _check_numbers("y_true", y_true)
    pred = _check_numbers("y_pred", y_pred, finite_pred)
    if true.shape != pred.shape:
        raise ValueError(
            "y_true and y_pred must have the same shape, got "
            f"{np.shape(y_true)} and {np.shape(y_pred)}"
        )
    return true, pred


def _check_numbers(name: str, y: ArrayLike, finite: bool = True) -> NDArray[np.float64]:
    """Return float64 of shape (n_timesteps, n_outputs), or raise."""
    refuse_masked(name, y)
    try:
        values = np.asarray(y)
        if values.dtype.kind not in "biufO":
            raise TypeError(f"got dtype {values.dtype}")
        values = values.astype(np.float64, copy=False)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{name} must be an array of numbers: {error}") from None
    if values.ndim not in (1, 2) or values.size == 0:
        raise ValueError(
            f"{name} must have shape (n_timesteps,) or (n_timesteps, n_outputs) and at least one "
            f"time step, got shape {values.shape}"
        )
    if finite and not np.isfinite(values).all():
        raise ValueError(f"{name} must be finite, got NaN or infinity")
    return values.reshape(len(values), -1)


def _power(*parts: NDArray[np.float64]) -> NDArray[np.int32]:
    """Return for every output the exponent of a power of two near its largest finite value.

    Division by a power of two is exact, and brings squares into the range of float64.
    """
    largest = [np.abs(np.where(np.isfinite(part), part, 0.0)).max(axis=0) for part in parts]
    return np.frexp(np.max(largest, axis=0))[1]


def _difference(
    true: NDArray[np.float64], pred: NDArray[np.float64], power: NDArray[np.int32]
) -> NDArray[np.float64]:
    """Return the errors of a forecast, divided by powers of two."""
    return np.ldexp(true, -power) - np.ldexp(pred, -power)


def _combine(scores: NDArray[np.float64], power: NDArray[np.int32], multioutput: str) -> Any:
    """Return scores times powers of two, or their mean."""
    with np.errstate(over="ignore"):
        scores = np.ldexp(scores, power)
    return scores if multioutput == "raw_values" else float(np.mean(scores))
