"""Shared by all displays: colours, axes, and checks of the values to draw."""

from collections.abc import Mapping

import numpy as np

from esnkit.forecasting._frames import take_apart
from esnkit.forecasting._zones import to_wall, utc_offsets
from esnkit.utils._frames import frame_ndim
from esnkit.utils._pandas import is_pandas

# Okabe and Ito (2008): distinguishable with any colour vision, and in print
BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#4D4D4D"
COLOURS = (BLUE, ORANGE, "#009E73", "#CC79A7", "#E69F00", "#56B4E9", GREY)
STYLES = ("-", "--", ":", "-.")
MAX_ENTRIES = 14  # of a column of a legend


def pyplot():
    """Import matplotlib, or raise with the way to install it."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            "plots need matplotlib, which is not installed: pip install 'esnkit[plot]'"
        ) from error
    return plt


def mix_with_white(colour: str, share: float) -> str:
    """Return a share of a colour "#RRGGBB", the rest white.

    Examples
    --------
    >>> mix_with_white("#004080", 0.5)
    '#80a0c0'
    """
    parts = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    return "#" + "".join(f"{round(255 - share * (255 - part)):02x}" for part in parts)


def style_axes(ax):
    """Apply the style of all displays: thin axes, a light grid, no frame."""
    ax.margins(x=0.01)
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_linewidth(0.6)
    ax.tick_params(width=0.6, labelsize=9)
    ax.grid(axis="y", color="0.9", linewidth=0.6)
    ax.set_axisbelow(True)


def plot_line(ax, x, y: np.ndarray, *, color: str, linewidth: float, label: str | None = None):
    """Draw a line with gaps at missing values; values without neighbours become dots."""
    ax.plot(x, y, color=color, linewidth=linewidth, label=label)
    known = np.concatenate([[False], np.isfinite(y), [False]])
    alone = known[1:-1] & ~known[:-2] & ~known[2:]
    if alone.any():
        ax.plot(np.asarray(x)[alone], y[alone], "o", color=color, markersize=1.5 * linewidth)


def set_whole_ticks(axis):
    """Put the ticks of an axis at whole numbers."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def as_label(name) -> str:
    """Return a name that matplotlib draws as it is.

    A pair of dollars would be mathematics, and a legend leaves out what begins with an underscore.
    """
    text = str(name).replace("$", r"\$")
    return f"\N{ZERO WIDTH SPACE}{text}" if text.startswith("_") else text


def legend_beside(ax, **params):
    """Add a legend on the right of the axes, in columns of a length that fits."""
    n_entries = len(ax.get_legend_handles_labels()[1])
    columns = max(1, -(-n_entries // MAX_ENTRIES))
    look = {"bbox_to_anchor": (1.01, 0.5), "frameon": False, "fontsize": 9, "ncols": columns}
    ax.legend(loc="center left", **look | params)


def name_of(reservoir, name: str | None) -> str:
    """Return a given name, or that of the class."""
    return type(reservoir).__name__ if name is None else name


def reservoirs_by_name(reservoirs) -> Mapping:
    """Return a dict of reservoirs, or raise."""
    if not isinstance(reservoirs, Mapping) or not reservoirs:
        raise TypeError(f"reservoirs must be a dict of reservoirs by name, got {reservoirs!r}")
    return reservoirs


def check_results(results, kind: type) -> None:
    """Raise unless results are a dict of records of a kind."""
    values = list(results.values()) if isinstance(results, Mapping) else []
    if not values or not all(isinstance(result, kind) for result in values):
        raise TypeError(f"results must be a dict of {kind.__name__} by name, got {results!r}")


def column_of(table, column: int):
    """Return one column of a table, an array or a frame; a 1-D object as it is."""
    if frame_ndim(table):
        return take_apart(table, "table").numbers[:, column]
    if np.ndim(table) < 2:
        return table
    return table.iloc[:, column] if is_pandas(table) else np.asarray(table)[:, column]


def line_of(argument: str, values, length: int | None = None) -> np.ndarray:
    """Return values as a 1-D array, as long as the forecast where `length` is given."""
    try:
        line = np.asarray(values, dtype=float)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{argument} must hold numbers: {error}") from None
    if line.ndim == 2 and line.shape[1] == 1:
        line = line[:, 0]
    if line.ndim != 1 or not line.size:
        raise ValueError(f"{argument} must be 1-D and not empty, got shape {line.shape}")
    if length is not None and len(line) != length:
        raise ValueError(
            f"{argument} must have as many values as forecast, {length}, got {len(line)}"
        )
    return line


def split_times(times, n_past: int, n_steps: int) -> dict:
    """Return the positions of the last rows seen and of the steps ahead, by their names."""
    times = np.asarray(times)
    if len(times) < n_past + n_steps:
        raise ValueError(
            f"times must have the rows seen and the {n_steps} steps ahead, got {len(times)} values"
        )
    past, ahead = np.split(times, [len(times) - n_steps])
    return {"history_times": past[len(past) - n_past :], "times": ahead}


def plain_times(index):
    """Turn a pandas index into numbers, timedeltas in seconds, or datetime64; None stays None."""
    if index is None:
        return None
    if hasattr(index, "to_timestamp"):
        index = index.to_timestamp()
    if getattr(index, "tz", None) is not None:
        index = index.tz_localize(None)
    if hasattr(index, "total_seconds"):  # matplotlib has no axis of timedeltas
        index = index.total_seconds()
    return index.to_numpy()


def stamps_ahead(forecaster, n_steps: int, times) -> tuple | None:
    """Return the instants (n_steps,) of the steps ahead, and their zone.

    None without a zone, and for given times that are others.
    """
    labels = forecaster._kind.labels
    zone = None if labels is None else labels.style.zone
    if zone is None:
        return None
    instants = labels.after(n_steps)
    is_local = times is None or np.array_equal(to_wall(instants, zone), times[-n_steps:])
    return (instants, zone) if is_local else None


def zone_name(forecaster, stamps: tuple | None) -> str:
    """Return the name of the zone of stamps, or the offsets from UTC that rows have, or nothing."""
    if stamps is None:
        return ""
    instants, zone = stamps
    if forecaster._kind.labels.style.names_zone:
        name = getattr(zone, "key", None) or getattr(zone, "zone", None)  # of zoneinfo, of pytz
        if name:
            return name
    rows = np.concatenate([*forecaster._seen_labels, instants])
    offsets = np.unique(utc_offsets(rows, zone))
    return " and ".join(f"UTC{offset_text(offset)}" for offset in offsets)


def name_zone(display, ax, zone: str) -> None:
    """Write the name of a zone below the axis of a display that has times."""
    if display.times is not None and zone:
        ax.set_xlabel(zone)


def offset_text(offset: np.timedelta64) -> str:
    """Return an offset from UTC as ISO 8601 writes it.

    Examples
    --------
    >>> offset_text(np.timedelta64(-12600, "s"))
    '-03:30'
    """
    seconds = int(offset.astype("m8[s]").astype(int))
    hours, rest = divmod(abs(seconds) // 60, 60)
    return f"{'-' if seconds < 0 else '+'}{hours:02}:{rest:02}"
