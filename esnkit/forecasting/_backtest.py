"""Backtests: forecasts from rolling origins of a series, scored against the observed values."""

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.utils import Bunch

from esnkit.forecasting._frames import (
    LabelledSeries,
    Table,
    columns_or_none,
    put_together,
    put_windows_together,
    slice_rows,
)
from esnkit.forecasting._input import read_exog, read_series
from esnkit.forecasting._labels import part_of
from esnkit.forecasting._missing import observed_error
from esnkit.forecasting._seasonality import as_times
from esnkit.forecasting._series_kind import SeriesKind, read_kind
from esnkit.metrics import mase, nrmse
from esnkit.utils._progress import Task, count_step
from esnkit.utils._validation import check_flag, check_positive_int


def backtest(
    model: Any, series, horizon, n_windows, *, inputs=None, stride=None, refit=False, options=None
) -> Bunch:
    """Fit a forecaster before the first origin, and forecast from all; see `Forecaster.backtest`.

    `model` needs the methods `fit`, `update` and `forecast` of a :class:`Forecaster`, and changes.
    `inputs` has its keywords `exog` and `past_exog`, None where there are none; `options` has other
    ones of `forecast`, such as `interval`.
    """
    horizon = check_positive_int("horizon", horizon)
    n_windows = check_positive_int("n_windows", n_windows)
    stride = horizon if stride is None else check_positive_int("stride", stride)
    check_flag("refit", refit)
    missing = getattr(model, "missing", "raise")
    values, table = read_series(series, "series", missing=missing)
    kind, labels = read_kind(table)
    inputs = {
        name: columns_or_none(*read_exog(given, len(values), table, True, missing, name))
        for name, given in (inputs or {}).items()
        if given is not None
    }
    origins = len(values) - horizon - stride * np.arange(n_windows)[::-1]
    if origins[0] < 1:
        raise ValueError(
            f"series has {len(values)} time steps, too few for n_windows={n_windows} "
            f"windows of horizon={horizon}"
        )
    values = values[:, 0] if table.ndim == 1 else values
    rows = _rows_of(values, table, kind)
    options = {} if options is None else options
    forecasts, settings = _forecast_windows(model, rows, inputs, origins, horizon, refit, options)
    observed = windows_of(values, origins, horizon)
    result = score_windows(observed, forecasts, origins, values[: origins[0]])
    result.settings = settings
    if kind.library is not None:
        for key in {"forecasts", "observed", "lower", "upper"} & result.keys():
            result[key] = _windows_as_frame(kind, result[key], origins, labels)
    return result


def _rows_of(values: np.ndarray, table: Table, kind: SeriesKind) -> Callable[[int, int], Any]:
    """Return a function of two rows that gives those between, with their times, if any."""
    labels = None if kind.labels is None else table.labels("series")
    if labels is None or kind.labels is None or as_times(kind.labels, labels.values) is None:
        return lambda start, stop: values[start:stop]
    known, axis = labels, kind.labels
    return lambda start, stop: LabelledSeries(values[start:stop], part_of(known, axis, start, stop))


def windows_of(values: np.ndarray, origins, horizon: int) -> np.ndarray:
    """Return the `horizon` rows after each origin, (n_windows, horizon, ...)."""
    return np.stack([values[origin : origin + horizon] for origin in origins])


def _forecast_windows(model, rows, inputs: dict, origins, horizon: int, refit: bool, options: dict):
    """Return forecasts, or forecasts with lower and upper ends, and what each fit has chosen."""
    windows: list = []
    settings: list = []

    def inputs_of(start, stop):
        return {name: slice_rows(columns, start, stop) for name, columns in inputs.items()}

    def fit(n_rows):
        model.fit(rows(0, n_rows), **inputs_of(0, n_rows))
        settings.append(chosen_settings(model))

    if not refit:
        fit(origins[0])
        count_step()
    with Task("", len(origins), "windows") as task:
        for seen, origin in zip([origins[0], *origins], origins, strict=False):
            if refit:
                fit(origin)
            elif origin > seen:
                model.update(rows(seen, origin), **inputs_of(seen, origin))
            ahead = inputs_of(origin, origin + horizon)
            known = {"exog": ahead["exog"]} if "exog" in ahead else {}
            window = model.forecast(horizon, **options, **known)
            windows.append((window,) if options.get("interval") is None else window)
            task.step()
    return [np.stack(part) for part in zip(*windows, strict=True)], settings


def chosen_settings(model) -> dict:
    """Return what the estimators of a fitted forecaster have chosen, a list by name of setting.

    That are a penalty chosen from several (`alpha_`) and the best parameters of a search
    (`best_params_`).
    """
    chosen: dict = {}
    for estimator in _flatten(getattr(model, "estimators_", [])):
        found = dict(getattr(estimator, "best_params_", {}))
        readout = getattr(estimator, "readout_", estimator)
        penalty = getattr(readout, "alpha_", None)
        if penalty is not None:
            found["alpha"] = penalty
        for name, value in found.items():
            chosen.setdefault(name, []).append(value)
    return chosen


def _flatten(items) -> list:
    parts = (_flatten(item) if isinstance(item, list) else [item] for item in items)
    return [estimator for part in parts for estimator in part]


def _windows_as_frame(kind: SeriesKind, windows: np.ndarray, origins, labels) -> Any:
    """Return windows (n_windows, horizon, ...) as a frame with a row per origin and step."""
    n_windows, horizon = windows.shape[:2]
    names, library = _names(kind), kind.library
    assert library is not None
    columns = list(zip(names, _as_rows(windows), strict=True))
    if kind.labels is None or names != kind.names:
        library = library._replace(ids=None)
    if kind.labels is None:
        steps = np.tile(np.arange(1, horizon + 1), n_windows)
        columns = [("origin", np.repeat(origins, horizon)), ("step", steps), *columns]
        return put_together(library, columns, None)
    write = kind.labels.style.write
    known = write(labels[np.repeat(origins - 1, horizon)])
    ahead = write(labels[(origins[:, None] + np.arange(horizon)).ravel()])
    return put_windows_together(library, columns, known, ahead)


def _names(kind: SeriesKind) -> tuple:
    return tuple("series" if name in (None, "") else name for name in kind.names or ())


def _as_rows(windows: np.ndarray) -> np.ndarray:
    """Return windows as one row per series."""
    return windows.reshape(windows.shape[0] * windows.shape[1], -1).T


def score_windows(observed, forecasts: list, origins, history) -> Bunch:
    """Pack forecasts, and the ends of intervals after them, with scores of observed values."""
    columns = observed.shape[2:]
    y_true, y_pred = observed.reshape(-1, *columns), forecasts[0].reshape(-1, *columns)
    scores = {"nrmse": np.nan, "mase": np.nan}
    if _varies(y_true):  # else the standard deviation is zero
        scores["nrmse"] = observed_error(nrmse, y_true, y_pred)
    if _varies(history):
        scores["mase"] = observed_error(mase, y_true, y_pred, history)
    result = Bunch(forecasts=forecasts[0], observed=observed, origins=origins, scores=scores)
    if len(forecasts) == 3:
        result.lower, result.upper = forecasts[1:]
        inside = (result.lower <= observed) & (observed <= result.upper)
        seen = ~np.isnan(observed)
        scores["coverage"] = float(inside[seen].mean()) if seen.any() else np.nan
    return result


def _varies(rows: np.ndarray) -> bool:
    """Tell whether the observed values of every column vary."""
    return bool((np.fmax.reduce(rows) > np.fmin.reduce(rows)).all())
