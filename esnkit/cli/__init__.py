"""The command line: `esnkit forecast`, which `esnkit` alone runs too, `compile` and `info`.

Exit codes: 0 done; 2 an error in the command or the file, described in one line on standard error;
130 stopped by Ctrl-C.
"""

import sys
import warnings
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import partial

from esnkit.cli._arguments import make_parser
from esnkit.cli._errors import GuardedOutput, OutputError, UserError, discard, say
from esnkit.cli._loading import loading

__all__ = ["main"]

# What warnings advise in Python, and on the command line.
_ADVICE = {
    ": use a larger alpha, differences, or strategy='direct'": "",
    "with best=True (--best)": "with --best",
}


def main(argv: list[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : list of str, default=None
        Arguments without the program's name; None takes those of the process.

    Returns
    -------
    int
        The exit code.

    Examples
    --------
    >>> from esnkit.cli import main
    >>> main(["--version"])  # doctest: +ELLIPSIS
    esnkit ...
    0
    """
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            return _run(argv)
    except KeyboardInterrupt:
        return _end("stopped", 130)
    except MemoryError:
        return _end("error: not enough memory; a smaller reservoir or fewer rows need less")
    except Exception as error:
        known = isinstance(error, UserError | ValueError | OSError | FloatingPointError)
        text = str(error) if known else f"unexpected {type(error).__name__}: {error}"
        return _end(f"error: {text}")


def _run(argv) -> int:
    """Run the command and flush standard output, so that errors in writing show here."""
    stream = sys.stdout
    try:
        if stream is None:
            return _exit_code_of(argv)
        with redirect_stdout(GuardedOutput(stream)):  # type: ignore[type-var]
            code = _exit_code_of(argv)
            sys.stdout.flush()
        return code
    except OutputError as error:
        discard(stream)
        if isinstance(error.__cause__, BrokenPipeError):  # the reader has closed the pipe
            return 141
        reason = getattr(error.__cause__, "strerror", None) or error.__cause__
        raise UserError(f"cannot write to standard output: {reason}") from None


def _exit_code_of(argv) -> int:
    try:
        return _dispatch(argv)
    except SystemExit as stop:  # raised by --help and --version
        return int(stop.code or 0)


def _end(message: str, code: int = 2) -> int:
    say(" ".join(message.split()))
    return code


def _show_warning(message, category, filename, lineno, file=None, line=None):
    text = " ".join(str(message).split())
    for python, option in _ADVICE.items():
        text = text.replace(python, option)
    say(f"warning: {text}")


def _dispatch(argv) -> int:
    """Parse the arguments and run their command, whose imports take a second."""
    words = sys.argv[1:] if argv is None else argv
    arguments = make_parser().parse_args(words or ["forecast"])
    if sys.stdout is None and getattr(arguments, "out", None) in (None, "-"):
        raise UserError("standard output is closed; there is nowhere to write to")
    with loading():
        run = _command(arguments)
    return run()


def _command(arguments) -> Callable[[], int]:
    """Return the function that runs a command, from the module that it needs."""
    if arguments.command == "info":
        from esnkit.cli._info import print_info

        return print_info
    if arguments.command == "compile":
        from esnkit.cli._compile import compile_kernels

        return compile_kernels
    if arguments.id is not None and arguments.file is not None:
        from esnkit.cli._forecast_panel import forecast_panel

        return partial(forecast_panel, arguments)
    if arguments.file is None:
        from esnkit.cli._demo import run_demo

        return partial(run_demo, arguments)
    from esnkit.cli._forecast_csv import forecast_csv

    return partial(forecast_csv, arguments)
