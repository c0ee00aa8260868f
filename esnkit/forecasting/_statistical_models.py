"""Exponential smoothing, theta and ARIMA models of statsforecast, as members beside networks.

A model is fitted to the first rows of a series. Its forecasts start from the rows known at an
origin, with the parameters of this fit.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from esnkit.forecasting._missing import fill_seasons
from esnkit.forecasting._transforms import mean_and_scale
from esnkit.utils._plain_state import plain_record

__all__ = ["StatisticalModel", "check_models", "first_integer"]

CLASSES = {"ets": "AutoETS", "theta": "DynamicOptimizedTheta", "arima": "AutoARIMA"}
MAX_ROWS = 2000  # the last ones, to which a model is fitted
N_CACHED = 32


@plain_record
@dataclass(frozen=True)
class StatisticalModel:
    """The rows of a series that a model is fitted to, and those that follow.

    Of those that follow, the last observed value of the same season stands for a missing one.

    The model itself is no part of the state, which is plain numbers for that reason: its fit is
    repeated where it is not in the cache.
    """

    name: str
    season: int
    rows: np.ndarray  # (n_rows,), seen
    n_fitted: int

    models = ()

    def advance(self, values: np.ndarray, exog: np.ndarray) -> "StatisticalModel":
        """Return the model after the rows that follow; this one stays as it is."""
        return replace(self, rows=np.concatenate([self.rows, values[:, 0]]))

    def roll(self, values: np.ndarray, exog: np.ndarray, origins, n_steps: int) -> np.ndarray:
        """Forecast from several origins, see `Ensemble.roll`."""
        model, scale = _fit(self.name, self.season, self.rows[: self.n_fitted].tobytes())
        rows = np.concatenate([self.rows, values[:, 0]])
        rows = fill_seasons(rows[:, None], self.season)[:, 0] / scale
        pasts = (rows[: len(self.rows) + origin] for origin in origins)
        steps = np.stack([model.forward(past, n_steps)["mean"] for past in pasts])
        with np.errstate(over="ignore"):
            steps = steps * scale
        return np.where(np.isfinite(steps), steps, np.nan)[:, :, None]


def check_models(models) -> tuple[str, ...]:
    """Return the names of the models beside the networks.

    Raises
    ------
    ImportError
        Without statsforecast, where it is needed.
    ValueError
        For names that are not known, or without "esn".
    """
    if isinstance(models, str) and models == "esn":
        return ()
    known = ["esn", *CLASSES]
    names = tuple(models) if isinstance(models, Sequence) and not isinstance(models, str) else ()
    if "esn" not in names or not all(name in known for name in names):
        raise ValueError(f"models must be 'esn' or a tuple of 'esn' and some of {known[1:]}, got "
                         f"{models!r}")  # fmt: skip
    others = tuple(name for name in CLASSES if name in names)
    if others:
        _module()
    return others


def first_integer(periods: Sequence[float]) -> int:
    """Return the first whole period of several seasons, 1 without one.

    Examples
    --------
    >>> first_integer([52.18, 104.0]), first_integer([])
    (104, 1)
    """
    return next((int(period) for period in periods if float(period).is_integer()), 1)


def fit_statistical_model(name: str, season: int, rows: np.ndarray) -> StatisticalModel:
    """Fit a model to the last of the rows (n_rows,)."""
    rows = np.array(rows[-MAX_ROWS:], dtype=float)
    _fit(name, season, rows.tobytes())
    return StatisticalModel(name, season, rows, len(rows))


@lru_cache(maxsize=N_CACHED)
def _fit(name: str, season: int, rows: bytes):
    """Return a model of statsforecast, fitted to rows of float64 over their scale, and the scale.

    The optimisers of statsforecast have absolute tolerances: without a scale, forecasts depend on
    the unit. Signs stay as they are, on which the models depend.
    """
    model, values = getattr(_module(), CLASSES[name])(season_length=season), np.frombuffer(rows)
    scale = float(mean_and_scale(values[:, None])[1][0])
    return model.fit(values / scale), scale


def _module():
    try:
        from statsforecast import models
    except ImportError as error:
        raise ImportError(
            "models other than 'esn' need statsforecast: pip install 'esnkit[statsforecast]'"
        ) from error
    return models
