"""Backtests of many series: forecasts from rolling origins, scored for each series and for all."""

from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import Bunch

from esnkit.forecasting._backtest import score_windows
from esnkit.forecasting._frames import as_table, ids_as_column
from esnkit.forecasting._panel import Panel
from esnkit.utils._progress import Task
from esnkit.utils._validation import check_flag, check_positive_int

__all__ = ["backtest_panel", "make_origins"]


class PanelOrigins(NamedTuple):
    """Rolling origins of series, at times that all share."""

    known: np.ndarray  # (n_windows, n_series), number of rows before each origin
    rows: np.ndarray  # (n_windows, n_series, horizon), those after it; -1 where there is none

    def forecast_series(self, panel: Panel, window: int, min_rows: int) -> np.ndarray:
        """Return the numbers of the series with enough observed rows before an origin."""
        return np.flatnonzero(panel.packed.head(self.known[window]).n_observed >= min_rows)


def make_origins(panel: Panel, horizon, n_windows, stride) -> PanelOrigins:
    """Return origins of which the last is `horizon` steps before the last row of any series."""
    horizon = check_positive_int("horizon", horizon)
    n_windows = check_positive_int("n_windows", n_windows)
    stride = horizon if stride is None else check_positive_int("stride", stride)
    packed = panel.packed
    ends = packed.starts + packed.lengths
    times = ends.max() - horizon - stride * np.arange(n_windows)[::-1, None]
    if times[0, 0] - packed.starts.min() < 1:
        raise ValueError(
            f"panel has {ends.max() - packed.starts.min()} time steps, too few for "
            f"n_windows={n_windows} windows of horizon={horizon}"
        )
    known = np.clip(times - packed.starts, 0, packed.lengths)
    places = (times - packed.starts)[:, :, None] + np.arange(horizon)
    exists = (places >= 0) & (places < packed.lengths[:, None])
    return PanelOrigins(known, np.where(exists, packed.offsets[:-1, None] + places, -1))


def backtest_panel(
    model: Any, panel: Panel, origins: PanelOrigins, refit: bool, options: dict, min_rows: int
) -> Bunch:
    """Forecast from rolling origins, and score against the observed values.

    Parameters
    ----------
    model : PanelForecaster
        It changes.
    panel : Panel
        Right from `read_panel`.
    origins : PanelOrigins
    refit : bool
    options : dict
        ``"interval"`` and ``"bias_adjust"`` of `PanelForecaster.forecast`.
    min_rows : int
        Observed rows of a series that `fit` needs.
    """
    check_flag("refit", refit)
    parts: list = []
    series = origins.forecast_series(panel, 0, min_rows)
    with Task("", len(origins.known), "windows") as task:
        for k, known in enumerate(origins.known):
            if refit:
                series = origins.forecast_series(panel, k, min_rows)
            part = panel.head(known).take(series)
            if refit or k == 0:
                model._fit_panel(part)
            else:
                model._continue(part.packed)
            parts.append(_forecast_window(model, panel, origins.rows[k], series, options))
            task.step()
    return _evaluate(panel, origins, [np.stack(part) for part in zip(*parts, strict=True)])


def _forecast_window(model, panel: Panel, rows: np.ndarray, series, options) -> list[np.ndarray]:
    """Return the forecast, and the ends of its interval, (horizon, n_series); NaN without a row."""
    ahead = panel.packed.inputs[np.maximum.accumulate(rows, axis=1)[series]]
    found = []
    for part in model._forecast_parts(ahead, **options):
        values = np.full(rows.shape, np.nan)
        values[series] = part
        found.append(np.where(rows >= 0, values, np.nan).T)
    return found


def _evaluate(panel: Panel, origins: PanelOrigins, parts: list[np.ndarray]) -> Bunch:
    """Score forecasts, and the ends of intervals, (n_windows, horizon, n_series) each."""
    packed, rows = panel.packed, origins.rows.swapaxes(1, 2)
    observed = np.where((rows >= 0) & packed.observed[rows], packed.values[rows], np.nan)
    scored = np.where(np.isnan(parts[0]), np.nan, observed)
    scores = []
    for j, series in enumerate(np.split(packed.values, packed.offsets[1:-1])):
        history = series[: max(origins.known[0, j], 1)]
        of_series = [part[:, :, j] for part in parts]
        scores.append(score_windows(scored[:, :, j], of_series, None, history).scores)
    of_all = {name: np.array([found[name] for found in scores]) for name in scores[0]}
    result = Bunch(
        forecasts=parts[0],
        observed=observed,
        origins=origins.known,
        scores={name: _mean(values) for name, values in of_all.items()},
        series_scores=of_all,
    )
    if len(parts) == 3:
        result.lower, result.upper = parts[1:]
        inside = (result.lower <= observed) & (observed <= result.upper)
        result.scores["coverage"] = _mean(inside[~np.isnan(scored)].astype(float))
    result.table = _as_table(panel, origins, result)
    return result


def _mean(values: np.ndarray) -> float:
    """Return the mean of numbers that are not NaN, NaN without any."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else np.nan


def _as_table(panel: Panel, origins: PanelOrigins, result: Bunch) -> Any:
    """Return a row per series, origin and step: a frame of the library of the panel, or a dict."""
    series, window, step = np.nonzero(~np.isnan(result.forecasts).transpose(2, 0, 1))
    name, ids = panel.columns[0] if panel.columns else "series", [panel.ids[i] for i in series]
    if panel.columns and panel.library is not None:
        ids = ids_as_column(panel.library, name, ids)
    columns = {name: ids}
    columns |= _labels_of(panel, series, origins.known[window, series], step)
    for name in ("observed", "forecasts", "lower", "upper"):
        if name in result:
            column = "forecast" if name == "forecasts" else name
            columns[column] = result[name][window, step, series]
    library = panel.library or next((kind.library for kind in panel.kinds), None)
    return columns if library is None else as_table(library, columns)


def _labels_of(panel: Panel, series: np.ndarray, known: np.ndarray, step: np.ndarray) -> dict:
    """Return columns that tell the origin and the time of rows."""
    labels = panel.row_labels[0]
    if panel.stamps is None or labels is None:
        return {"origin": known, "step": step + 1}
    stamps = np.concatenate(panel.stamps)
    last = panel.packed.offsets[series] + known - 1
    name = panel.columns[1] if panel.columns else labels.style.name or "time"
    write = labels.style.write
    return {"origin": write(stamps[last]), name: write(stamps[last + 1 + step])}
