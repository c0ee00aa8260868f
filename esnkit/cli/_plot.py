"""Plots of the command line: the format of their file, and whether they can be drawn."""

import os

from esnkit.cli._errors import UserError

DEFAULT_PLOT = "esnkit-forecast.png"
DPI = 120


def plot_format(path: str | None, required: bool, option: str = "--plot") -> str | None:
    """Return the format of a plot by the name of its file; None where none is to be drawn.

    Without matplotlib, a plot that is `required` is an error.
    """
    if path is None:
        return None
    try:
        import matplotlib
        from matplotlib.backend_bases import FigureCanvasBase
    except ImportError:
        if required:
            raise UserError(
                f"{option} needs matplotlib, which is not installed: pip install 'esnkit[plot]'"
            ) from None
        return None
    matplotlib.use("agg")
    suffix = os.path.splitext(path)[1].lstrip(".").lower()
    known = FigureCanvasBase.get_supported_filetypes().keys() - {"pgf"}  # pgf needs TeX
    if suffix not in known:
        raise UserError(f"{option} {path} must end in one of {', '.join(sorted(known))}")
    return suffix


def write_plot(path: str, display, file_format: str) -> None:
    """Write the figure of a display to a file."""
    from esnkit.cli._csv import write_atomically

    figure = display.figure_
    write_atomically(path, lambda draft: figure.savefig(draft, format=file_format, dpi=DPI))
