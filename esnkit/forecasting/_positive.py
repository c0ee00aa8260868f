"""Whether the forecasts of a series end at zero."""

import numpy as np

__all__ = ["check_positive", "is_positive"]


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
        return bool((values >= 0).all() and (values == np.round(values)).all())
    if positive and (values < 0).any():
        raise ValueError(
            f"positive=True needs a series without negative values, got {values.min():g}: use "
            "positive=False"
        )
    return bool(positive)
