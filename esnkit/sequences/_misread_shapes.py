"""Warnings about arrays whose axes, and integers whose meaning, are likely another than it seems.

A 2-D array is one series, whose state goes from row to row; other libraries take every row for a
sequence, and their 3-D arrays have the channels before the time.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np

from esnkit.sequences._packing import ROWS_AS_SEQUENCES, Sequences, are_vectors_of_integers
from esnkit.sequences._targets import Targets
from esnkit.utils._frames import ndim_of
from esnkit.utils._warnings import warn

__all__ = [
    "refuse_vectors_of_integers",
    "refuse_vectors_with_labels",
    "warn_if_axes_are_misread",
    "warn_if_channels_come_first",
    "warn_if_tokens",
]

# Of 14 sets of sequences (UCR and UEA), their rows as one series, neighbouring columns correlate by
# 0.70 and more (ACSF1, noise: 0.03), and rows up to 14 apart by 0.40 at most; of daily and
# half-daily profiles of 12 hourly series, real series of rows, rows correlate by 0.50 and more.
MIN_COLUMNS, MIN_ROWS = 20, 10
MIN_CORRELATION_OF_COLUMNS, MAX_CORRELATION_OF_ROWS = 0.6, 0.45
MAX_LAG = 14
# In arrays of aeon, neighbours in time correlate by 0.5 to 0.97, channels by less than 0.
MIN_SEQUENCES, MIN_CORRELATION_IN_TIME = 5, 0.4
# Channels may resemble each other, but time steps are seldom a tenth of the features.
MANY_FEATURES_A_STEP = 10
# Neighbouring letters of a text correlate by 0.1, words by 0.2, pixels of digits by 0.44. Of two
# values, as in tasks of parity, one-hot vectors tell no more than one number.
MAX_CORRELATION_OF_TOKENS, MIN_TOKENS, MAX_TOKENS = 0.3, 3, 100_000
# Codes of tokens begin near zero, perhaps after four special ones (padding, unknown, start, end);
# counts may vary around a mean far from it.
MAX_FIRST_TOKEN, MAX_SHARE_OF_FIRST_TOKEN = 4, 0.3
# The first rows suffice to tell.
MAX_ROWS, MAX_VALUES = 1000, 2**22


def refuse_vectors_of_integers(X: Any) -> None:
    """Raise if X is a list of vectors of integers: tokens, or rows, or sequences of numbers."""
    if are_vectors_of_integers(X):
        raise ValueError(
            "X is a list of vectors of integers, which may be tokens or numbers: one-hot encode "
            "sequences of tokens, OneHotTokens().fit_transform(X), or set n_tokens='auto' of a "
            "trained network; give sequences of numbers as [np.array(x)[:, None] for x in X], and "
            "the rows of one series as np.array(X)"
        )


def refuse_vectors_with_labels(X: Any, sequences: Sequences, targets: Targets, target: str) -> None:
    """Raise if X is a list of vectors with one target each: sequences, or rows of one series."""
    if sequences.form != "series" or target != "auto" or not targets.flat:
        return
    if isinstance(X, (list, tuple)) and len(X) > 1 and all(ndim_of(x) == 1 for x in X):
        raise ValueError(
            f"X is a list of {len(X)} vectors with one target each, which may be sequences or the "
            "rows of one series: give sequences of one feature as [np.array(x)[:, None] for x in "
            "X]; if rows are time steps, set target='steps'"
        )


def warn_if_tokens(
    X: Any, sequences: Sequences, targets: Targets | None = None, target: str = "auto"
) -> None:
    """Warn if integers do not vary like magnitudes, in sequences of one column or in long rows.

    Rows of one series are looked at if there are targets, flat ones, and ``target`` is "auto".
    """
    if not _holds_integers(X):
        return
    values = sequences.values
    if sequences.form != "series":
        if values.shape[1] == 1 and _are_like_tokens(values[:, 0], sequences.offsets):
            warn(
                "X holds integers in one column, which are taken for magnitudes; if they are "
                "tokens, encode them by OneHotTokens(), before the estimator in a pipeline; if "
                "they are numbers, give them as floats, such as X.astype(float)"
            )
    elif targets is not None and targets.flat and target == "auto":
        _warn_if_rows_are_tokens(_first(values))


def _warn_if_rows_are_tokens(rows: np.ndarray) -> None:
    """Warn if integers resemble neither the next one of the row nor that of the next row."""
    n_rows, n_columns = rows.shape
    if n_columns < MIN_COLUMNS or n_rows < MIN_ROWS:
        return
    if all(
        _are_like_tokens(way.ravel(), np.arange(len(way) + 1) * way.shape[1])
        for way in (rows, rows.T)
    ):
        warn(
            "X is one series of time steps, whose state goes on in the next row, but its rows "
            f"look like sequences of {n_columns} tokens: encode these by OneHotTokens(), as in "
            "OneHotTokens().fit_transform(list(X)); if rows are time steps, set target='steps'"
        )


def _are_like_tokens(values: np.ndarray, offsets: np.ndarray) -> bool:
    """Return whether integers of sequences begin near zero and do not resemble their neighbours."""
    low, high = values.min(), values.max()
    latest = max(MAX_FIRST_TOKEN, MAX_SHARE_OF_FIRST_TOKEN * high)
    if not (0 <= low <= latest and MIN_TOKENS <= high + 1 <= MAX_TOKENS):
        return False
    if np.diff(offsets).max() == 1:
        return False
    deviations = values.astype(np.float64) - values.mean(dtype=np.float64)
    products = deviations[1:] * deviations[:-1]
    products[offsets[1:-1] - 1] = 0.0  # of the last step of one and the first of the next
    return bool(products.sum() < MAX_CORRELATION_OF_TOKENS * (deviations @ deviations))


def warn_if_axes_are_misread(
    sequences: Sequences, targets: Targets, target: str, *, numeric: bool
) -> None:
    """Warn if rows of a series look like sequences, or features like time steps.

    Parameters
    ----------
    sequences : Sequences
    targets : Targets
        Numbers, or with ``numeric=False`` indicators of classes.
    target : {"auto", "steps", "sequence"}
        "steps" says that rows are time steps.
    numeric : bool
    """
    if targets.kind == "sequence":
        warn_if_channels_come_first(sequences)
    elif sequences.form == "series" and target == "auto" and targets.flat:
        classes = None if numeric else targets.values.argmax(axis=1)
        _warn_if_rows_are_sequences(sequences.values, classes)


def _warn_if_rows_are_sequences(rows: np.ndarray, classes: np.ndarray | None) -> None:
    """Warn if columns follow each other like time steps, but rows do not."""
    n_rows, n_columns = rows.shape
    if n_columns < MIN_COLUMNS or n_rows < MIN_ROWS:
        return
    deviations = _standardised(
        _first(rows), None if classes is None else classes[: len(_first(rows))]
    )
    between_columns = _correlation(deviations[:, :-1], deviations[:, 1:])
    if not between_columns > MIN_CORRELATION_OF_COLUMNS:
        return
    lags = range(1, min(MAX_LAG, len(deviations) // 3) + 1)
    between_rows = max(_correlation(deviations[:-lag], deviations[lag:]) for lag in lags)
    if between_rows < MAX_CORRELATION_OF_ROWS:
        warn(
            f"X of shape {rows.shape} is one series of {n_rows} time steps, but its rows look like "
            f"sequences of {n_columns} steps: neighbouring columns are alike (correlation "
            f"{between_columns:.2f}), rows are not (at most {between_rows:.2f}), and the state "
            f"goes on in the next row; {ROWS_AS_SEQUENCES}; if rows are time steps, set "
            "target='steps'"
        )


def warn_if_channels_come_first(sequences: Sequences) -> None:
    """Warn if features follow each other like time steps, but time steps do not."""
    n_sequences, n_features = sequences.n_sequences, sequences.values.shape[1]
    n_steps = int(sequences.lengths[0])
    if n_features < 2 * n_steps or np.any(sequences.lengths != n_steps):
        return
    if n_steps == 1:
        suspicious = n_features >= MIN_COLUMNS
    else:
        suspicious = n_sequences >= MIN_SEQUENCES and _varies_like_time(sequences)
    if suspicious:
        what = "1 time step" if n_steps == 1 else f"{n_steps} time steps"
        warn(
            f"X holds {n_sequences} sequences of {what} and {n_features} features, which look like "
            "channels and time steps: for arrays (sequence, channel, time), as in aeon and sktime, "
            "put FromChannelsFirst() first in a pipeline (or leave it out, if it is there), or "
            "give np.swapaxes(X, 1, 2)"
        )


def _varies_like_time(sequences: Sequences) -> bool:
    """Return whether features vary smoothly, and time steps do not."""
    n_steps, n_features = int(sequences.lengths[0]), sequences.values.shape[1]
    arrays = _first(sequences.values.reshape(-1, n_steps * n_features))
    deviations = _standardised(arrays).reshape(-1, n_steps, n_features)
    along_features = _correlation(deviations[:, :, :-1], deviations[:, :, 1:])
    along_steps = _correlation(deviations[:, :-1], deviations[:, 1:])
    if n_features >= MANY_FEATURES_A_STEP * n_steps:
        return along_features > MIN_CORRELATION_OF_COLUMNS
    return along_features > max(MIN_CORRELATION_IN_TIME, 2 * along_steps)


def _first(rows: np.ndarray) -> np.ndarray:
    """Return as many of the first rows as are looked at."""
    return rows[: min(MAX_ROWS, max(MIN_ROWS, MAX_VALUES // rows[0].size))]


def _standardised(rows: np.ndarray, classes: np.ndarray | None = None) -> np.ndarray:
    """Return deviations from the means of the classes, divided by their size in every column."""
    with np.errstate(over="ignore", invalid="ignore"):  # of an overflow nothing is said
        deviations = rows - rows.mean(axis=0, dtype=np.float64)
        for label in () if classes is None else np.unique(classes):
            members = classes == label
            deviations[members] -= deviations[members].mean(axis=0)
        size = np.sqrt(np.mean(np.square(deviations), axis=0))
        return deviations / np.where(size > 1e-12 * np.abs(rows).max(axis=0), size, np.inf)


def _correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Return the correlation of deviations; of constants it is zero."""
    scale = np.sqrt(np.sum(np.square(first)) * np.sum(np.square(second)))
    return float(np.sum(first * second) / scale) if scale > 0 else 0.0


def _holds_integers(X: Any) -> bool:
    items: Iterable[Any] = X if isinstance(X, (list, tuple)) else [X]
    return all(_is_integer(item) for item in items)


def _is_integer(item: Any) -> bool:
    dtype = getattr(item, "dtype", None)
    return dtype is not None and getattr(dtype, "kind", "") in ("i", "u")
