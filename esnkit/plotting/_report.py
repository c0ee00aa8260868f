"""Report of an automatic forecast: pictures and tables in one HTML file that needs no other."""

import base64
import io
import os
from html import escape
from typing import Any

import numpy as np

from esnkit.forecasting._zones import to_wall, utc_offsets
from esnkit.plotting._candidates import CandidatesDisplay
from esnkit.plotting._common import name_zone, offset_text, pyplot, stamps_ahead, zone_name
from esnkit.plotting._decomposition import DecompositionDisplay
from esnkit.plotting._forecast import ForecastDisplay
from esnkit.plotting._residuals import ResidualsDisplay
from esnkit.utils._validation import check_positive_int

__all__ = ["write_report"]

FAN = (0.95, 0.8, 0.5)  # coverage of the intervals, the widest first
MAX_SHORT = 20  # rows that may be too few for a backtest
MAX_HISTORY = 2000  # rows of the decomposition
STYLE = """\
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
       color: #222; background: #fff; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
img { width: 100%; } table { border-collapse: collapse; }
td, th { padding: 0.2rem 0.8rem 0.2rem 0; text-align: right; font-variant-numeric: tabular-nums; }
td:first-child, th:first-child { text-align: left; } th { border-bottom: 1px solid #999; }
"""


def write_report(
    file,
    forecaster,
    n_steps,
    *,
    exog=None,
    interval=FAN,
    bias_adjust=False,
    column=0,
    times=None,
    title=None,
):
    """Write a report of a fitted :class:`AutoForecaster` as one HTML file.

    It shows the forecast with a fan of intervals, the errors of the candidates beside those of the
    baselines, the seasons, the one-step errors of a backtest, and the numbers. Times of a zone are
    local times; the table has their offsets from UTC, and axes have the name of the zone.

    Parameters
    ----------
    file : path or file object
        Files are written as UTF-8.
    forecaster : AutoForecaster
        Fitted.
    n_steps : int >= 1
        Number of steps to forecast.
    exog : array-like of shape (>= n_steps, n_exog), default=None
        Inputs of the steps ahead, if the forecaster was fitted with any.
    interval : float or sequence of float, default=(0.95, 0.8, 0.5)
        Coverage of the interval, or of several.
    bias_adjust : bool, default=False
        Whether to forecast means, see :meth:`esnkit.AutoForecaster.forecast`.
    column : int, default=0
        Which of several series to show.
    times : array-like of shape (n_timesteps + n_steps,), default=None
        Positions on the time axis of the rows seen and of the steps ahead, numbers or dates; None
        takes the index of pandas, or counts.
    title : str, default=None

    Examples
    --------
    >>> import io
    >>> import numpy as np
    >>> from esnkit import AutoForecaster
    >>> from esnkit.plotting import write_report
    >>> model = AutoForecaster(quick=True).fit(np.random.default_rng(0).normal(size=40))
    >>> file = io.StringIO()
    >>> write_report(file, model, 6, title="Noise")
    >>> "<title>Noise</title>" in file.getvalue()
    True
    """
    if not hasattr(forecaster, "candidates_") or not hasattr(forecaster, "decompose"):
        raise TypeError(f"forecaster must be a fitted AutoForecaster, got {forecaster!r}")
    n_steps = check_positive_int("n_steps", n_steps)
    n_rows = forecaster.n_timesteps_ + n_steps
    if times is not None and len(times) != n_rows:
        raise ValueError(f"times must have {n_rows} values, got {len(times)}")
    title = "Forecast" if title is None else str(title)
    stamps = stamps_ahead(forecaster, n_steps, times)
    zone = zone_name(forecaster, stamps)
    display = ForecastDisplay.from_forecaster(
        forecaster, n_steps, exog=exog, interval=interval, bias_adjust=bias_adjust, column=column,
        times=times,
    )  # fmt: skip
    sections = [
        _section("Forecast", _forecast(display, stamps, zone)),
        _section("Candidates", _candidates(forecaster, column)),
    ]
    past = None if times is None else np.asarray(times)[:-n_steps]
    if forecaster._seasons_of(column):
        shown = min(MAX_HISTORY, forecaster.n_timesteps_)
        picture = DecompositionDisplay.from_forecaster(
            forecaster, column=column, n_history=shown, times=past
        )
        name_zone(picture, picture.axes_[-1], zone)
        sections.append(_section("Seasons", _image(picture.figure_, "seasons and the rest")))
    sections.append(_section("One-step errors", _residuals(forecaster, column, past, zone)))
    name = escape(title)
    head = f"<meta charset='utf-8'><title>{name}</title><style>{STYLE}</style>"
    page = f"<!doctype html><html lang='en'><head>{head}</head><body><h1>{name}</h1>"
    _write(file, f"{page}{''.join(sections)}</body></html>\n")


def _write(file: Any, text: str) -> None:
    if hasattr(file, "write"):
        file.write(text)
        return
    with open(os.fspath(file), "w", encoding="utf-8") as out:
        out.write(text)


def _section(title: str, content: str) -> str:
    return f"<h2>{escape(title)}</h2>{content}\n"


def _forecast(display: ForecastDisplay, stamps: tuple | None, zone: str) -> str:
    """Return the picture of the forecast, and a table of its numbers."""
    name_zone(display, display.ax_, zone)
    counts = np.arange(1, len(display.forecast) + 1)
    labels = counts if display.times is None else np.asarray(display.times)
    texts = _as_text(labels) if stamps is None else _with_offsets(*stamps)
    levels = np.atleast_1d(display.interval)
    names = [f"{100 * level:g} % {end}" for level in levels for end in ("lower", "upper")]
    lower, upper = np.atleast_2d(display.lower), np.atleast_2d(display.upper)
    ends = [row for pair in zip(lower, upper, strict=True) for row in pair]
    numbers = np.column_stack([display.forecast, *ends])
    rows = [
        [label, *(f"{value:.6g}" for value in row)]
        for label, row in zip(texts, numbers, strict=True)
    ]
    return _image(display.figure_, "forecast") + _table(["step", "forecast", *names], rows)


def _with_offsets(instants: np.ndarray, zone: Any) -> list[str]:
    """Write instants as local times with their offsets from UTC."""
    local, offsets = to_wall(instants, zone), utc_offsets(instants, zone)
    unit = "m" if (local == local.astype("M8[m]")).all() else "s"
    pairs = zip(local.astype(f"M8[{unit}]"), offsets, strict=True)
    return [f"{time}{offset_text(offset)}" for time, offset in pairs]


def _as_text(labels: np.ndarray) -> list[str]:
    """Write labels, dates in the coarsest unit that suits all."""
    if labels.dtype.kind != "M":
        return [str(label) for label in labels]
    for unit in ("D", "m", "s"):
        coarse = labels.astype(f"datetime64[{unit}]")
        if (labels == coarse).all():
            return coarse.astype(str).tolist()
    return labels.astype(str).tolist()


def _candidates(forecaster, column: int) -> str:
    """Return the picture of the candidates, and a table of the errors."""
    display = CandidatesDisplay.from_forecaster(forecaster, column=column)
    errors = {"this forecast": display.error, **display.baselines}
    rows = [[name, f"{error:.6g}"] for name, error in errors.items()]
    text = (
        f"<p>Mean absolute errors of forecasts of {forecaster.horizon_} steps from rolling origins "
        "in the recent part of the series, in which later ones weigh more.</p>"
    )
    return text + _image(display.figure_, "candidates") + _table(["forecast", "error"], rows)


def _residuals(forecaster, column: int, times, zone: str) -> str:
    """Return the picture of the one-step errors, or why a short series has none."""
    exog, past_exog = forecaster._seen_inputs()
    try:
        picture = ResidualsDisplay.from_forecaster(
            forecaster, exog=exog, past_exog=past_exog, column=column, times=times
        )
    except ValueError as error:
        if forecaster.n_timesteps_ > MAX_SHORT:
            raise
        return f"<p>Too few rows for a backtest: {escape(str(error))}</p>"
    name_zone(picture, picture.axes_[0], zone)
    return _image(picture.figure_, "one-step errors")


def _table(names: list[str], rows: list[list[str]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"


def _image(figure, description: str) -> str:
    """Return a figure as an image in the page, and close it."""
    plt = pyplot()
    out = io.BytesIO()
    # Without date and random identifiers, the same forecast gives the same file.
    with plt.rc_context({"svg.hashsalt": "esnkit"}):
        figure.savefig(out, format="svg", metadata={"Date": None})
    plt.close(figure)
    data = base64.b64encode(out.getvalue()).decode("ascii")
    return f"<img alt='{escape(description)}' src='data:image/svg+xml;base64,{data}'>"
