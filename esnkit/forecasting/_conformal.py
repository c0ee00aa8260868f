"""Split-conformal prediction intervals from the errors of rolling forecasts.

    half-width = the ceil((m + 1) * level)-th smallest of m absolute errors

(Vovk et al. 2005; Lei et al. 2018, eq. 2), for each step ahead. With exchangeable errors the
coverage is at least `level`.
"""

import numpy as np

from esnkit.forecasting._ensemble import Ensemble, ModelSpec, count_models, fit_ensemble
from esnkit.forecasting._runaway import fall_back
from esnkit.utils._plain_state import plain_record
from esnkit.utils._progress import Task, count_step

MAX_ORIGINS = 500  # of the rolling forecasts within the rows of `fit`


class IntervalError(ValueError):
    """A series is too short for an interval: what is missing, and the remedy."""

    def __str__(self) -> str:
        missing, remedy = self.args
        return f"interval needs {missing}: {remedy}"


@plain_record
class IntervalCalibrator:
    """Half-widths of intervals, from forecast errors on rows that the models were not fitted to.

    A second ensemble is fitted to the first rows when an interval is first asked for. It forecasts
    from rolling origins in the rows after these; as the series grows, errors are added.

    Parameters
    ----------
    spec : ModelSpec
        Of the models to calibrate.
    n_fit : int
        Number of rows that `Forecaster.fit` got.
    share : float in (0, 1)
        Share of these rows, at their end, that calibration holds out.
    """

    def __init__(self, spec: ModelSpec, n_fit: int, share: float):
        self.spec, self.n_fit, self.share = spec, n_fit, share
        self._ensemble: Ensemble | None = None
        self._errors: dict[int, np.ndarray] = {}  # by the number of steps ahead

    def half_widths(self, values, exog, n_steps: int, level: float) -> np.ndarray:
        """Return the half-widths (n_steps, n_series) of intervals with coverage `level`.

        `values` and `exog` are all rows seen so far.
        """
        return half_widths(self.errors(values, exog, n_steps), level)

    def errors(self, values, exog, n_steps: int) -> np.ndarray:
        """Return the errors (n_origins, n_steps, n_series) of rolling forecasts."""
        start, origins = split_origins(self.n_fit, len(values), n_steps, self.share)
        errors = self._errors.get(n_steps, np.empty((0, n_steps, values.shape[1])))
        new = origins[len(errors) :]
        if len(new):
            if self._ensemble is None:
                self._ensemble = self._fit(values[:start], exog[:start])
            count_step()
            ahead = self._ensemble.roll(values[start:], exog[start:], new - start, n_steps)
            ahead = fall_back(ahead, values, new, self._ensemble.naive_lags)
            observed = np.stack([values[origin : origin + n_steps] for origin in new])
            errors = self._errors[n_steps] = np.concatenate([errors, observed - ahead])
        return errors

    def _fit(self, values, exog) -> Ensemble:
        n_models = count_models(self.spec, exog.shape[1])
        try:
            with Task("calibration of intervals", n_models, "models"):
                return fit_ensemble(self.spec, values, exog)
        except ValueError as error:
            raise IntervalError(
                f"a model fitted to the first {len(values)} rows alone, which fails ({error})",
                "fit on a longer series or lower calibration",
            ) from error


def split_origins(n_fit: int, n_total: int, n_steps: int, share: float) -> tuple[int, np.ndarray]:
    """Choose the end of the part to fit, and the origins of the rolling forecasts after it.

    The first `1 - share` of the `n_fit` rows is the part to fit. Origins follow at every k-th
    row, with k such that there are at most `MAX_ORIGINS` up to row `n_fit`, until the last row
    whose `n_steps` following rows are known; more rows only add origins at the end.
    """
    start = n_fit - int(n_fit * share)
    stride = max(1, -(-(n_fit - start) // MAX_ORIGINS))
    return start, np.arange(start, n_total - n_steps + 1, stride)


def half_widths(errors: np.ndarray, level: float) -> np.ndarray:
    """Conformal quantile of absolute errors along the first axis.

    Parameters
    ----------
    errors : ndarray of shape (n_origins, n_steps, n_series)
    level : float in (0, 1)

    Returns
    -------
    ndarray of shape (n_steps, n_series)

    Raises
    ------
    IntervalError
        If there are too few errors for a finite interval at this level.

    Examples
    --------
    >>> half_widths(np.arange(1.0, 20.0).reshape(19, 1, 1), 0.9)
    array([[18.]])
    """
    m = len(errors)
    # Rounding of (m + 1) * level, such as 20 * 0.9, must not raise the rank by one.
    rank = max(1, int(np.ceil((m + 1) * level - 1e-9)))
    if rank > m:
        needed = int(np.ceil(level / (1 - level) - 1e-9))
        raise IntervalError(
            f"at least {needed} forecast errors at level {level:g}, the series gives {m}",
            "fit on a longer series, raise calibration, forecast fewer steps or lower interval",
        )
    return np.partition(np.abs(errors), rank - 1, axis=0)[rank - 1]
