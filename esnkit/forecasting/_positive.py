"""Series of counts: forecasts that end at zero, and intervals of whole numbers."""

import numpy as np

__all__ = ["are_whole", "check_positive", "is_positive", "is_whole", "round_outward"]

WHOLE_TOLERANCE = 0.01  # nearer to a whole number, an end of an interval is not rounded


def check_positive(positive) -> None:
    """Check the parameter `positive`: "auto" or a bool."""
    if isinstance(positive, str) and positive == "auto":
        return
    if not isinstance(positive, bool | np.bool_):
        raise TypeError(f"positive must be 'auto', True or False, got {positive!r}")


def is_positive(positive, values: np.ndarray) -> bool:
    """Return whether forecasts of a series (n_rows,) must not be negative.

    For "auto" that is so if the series has counts: whole numbers, none of them negative.

    Examples
    --------
    >>> is_positive("auto", np.array([0.0, 3.0])), is_positive("auto", np.array([0.5, 3.0]))
    (True, False)
    """
    values = values[~np.isnan(values)]
    if isinstance(positive, str):
        return bool((values >= 0).all() and is_whole(values))
    if positive and (values < 0).any():
        raise ValueError(
            f"positive=True needs a series without negative values, got {values.min():g}: use "
            "positive=False"
        )
    return bool(positive)


def is_whole(values: np.ndarray) -> np.ndarray:
    """Return for each series (n_rows, ...) whether all observed values are whole numbers.

    Examples
    --------
    >>> is_whole(np.array([[0.0, 0.5], [-3.0, np.nan]]))
    array([ True, False])
    """
    return np.all(are_whole(values), axis=0)


def are_whole(values: np.ndarray) -> np.ndarray:
    """Return which values are whole numbers, or missing."""
    return (values == np.round(values)) | np.isnan(values)


def round_outward(quantile: np.ndarray, level: float, whole: np.ndarray) -> np.ndarray:
    """Return a quantile, rounded away from the median where the series has whole numbers only.

    An interval of [0, 0.6] covers zeros only, and that of [0, 1] ones too. Values up to 0.01 beyond
    a whole number stay as they are, so that the interval of a series of equal values does not grow.

    Parameters
    ----------
    quantile : ndarray
    level : float in (0, 1)
    whole : ndarray of bool
        Of a shape that broadcasts to that of `quantile`.

    Examples
    --------
    >>> ends = np.array([-0.4, 0.009, 0.6, 1.0])
    >>> round_outward(ends, 0.05, True).tolist(), round_outward(ends, 0.95, True).tolist()
    ([-1.0, 0.0, 0.0, 1.0], [0.0, 0.009, 1.0, 1.0])
    """
    if level < 0.5:
        rounded = np.minimum(np.floor(quantile + WHOLE_TOLERANCE), quantile)
    elif level > 0.5:
        rounded = np.maximum(np.ceil(quantile - WHOLE_TOLERANCE), quantile)
    else:
        return quantile
    return np.where(whole, rounded, quantile) + 0.0  # no negative zeros
