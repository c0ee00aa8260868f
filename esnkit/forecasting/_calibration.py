"""Forecast errors that calibrate intervals, quantiles, means and sample paths of a forecaster.

They come from rows that a second model was not fitted to. Where the series is too short for that,
they are residuals of the model itself.
"""

import numpy as np

from esnkit.forecasting._backtest import windows_of
from esnkit.forecasting._conformal import StepErrors, errors_needed
from esnkit.forecasting._ensemble import Ensemble, ModelSpec, count_models, fit_ensemble
from esnkit.forecasting._missing import interpolate
from esnkit.forecasting._pooled_errors import PooledErrors
from esnkit.forecasting._runaway import fall_back
from esnkit.forecasting._similarity import similarity_weights
from esnkit.forecasting._smearing import power_errors, smear
from esnkit.utils._plain_state import plain_record
from esnkit.utils._progress import Task, count_step
from esnkit.utils._warnings import warn

__all__ = ["IntervalCalibrator", "split_origins"]

MAX_ORIGINS = 500  # of the rolling forecasts within the rows of `fit`
MIN_ERRORS = 6  # fewer on rows held out tell less than residuals of the fit
# Few errors overlap and vary less than those to come. With this factor, pooled errors on rows held
# out give intervals of level 0.9 that cover 0.86 to 0.91 of the values after the first 16 to 60
# rows of 99 real series; without it, 0.78 to 0.85.
FACTOR = 1.3


@plain_record
class IntervalCalibrator:
    """Forecast errors on rows that the models were not fitted to.

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
    adaptive : bool, default=False
        Whether errors count by the similarity of the states at their origins to the last one.
    """

    def __init__(self, spec: ModelSpec, n_fit: int, share: float, adaptive: bool = False):
        self.spec, self.n_fit, self.share, self.adaptive = spec, n_fit, share, adaptive
        self._ensemble: Ensemble | None = None
        self._errors: dict[int, np.ndarray] = {}  # by the number of steps ahead

    def errors_ahead(
        self, ensemble: Ensemble, values, exog, ahead, n_steps: int, level: float
    ) -> StepErrors | PooledErrors:
        """Return errors that suffice for quantiles up to `level` of all steps ahead.

        Parameters
        ----------
        ensemble : Ensemble
            Fitted to the first `n_fit` rows, whose residuals stand in.
        values, exog : ndarray
            All rows seen so far.
        ahead : ndarray of shape (n_steps, n_exog)
            Inputs of the steps ahead.
        n_steps : int
        level : float in (0, 1)
        """
        errors = self.errors(values, exog, n_steps)
        if _count_known(errors, axis=0) >= errors_needed(level):
            exog = np.vstack([exog, ahead])
            return StepErrors(errors, self._weights(values, exog, errors, level))
        errors = self._errors_of_fewer_steps(values, exog, n_steps)
        n_known = _count_known(errors, axis=(0, 1))
        if n_known < MIN_ERRORS:
            errors = self._residuals(ensemble, values, exog)
            _warn_of_residuals(len(values), _count_known(errors, axis=(0, 1)))
        else:
            warn_of_few(n_known, level)
        return PooledErrors(errors, n_steps, FACTOR)

    def means(self, ensemble: Ensemble, values, exog, forecast: np.ndarray) -> np.ndarray:
        """Return means of the values to come, of which a power transform forecasts medians.

        Parameters
        ----------
        ensemble : Ensemble
            See `errors_ahead`.
        values, exog : ndarray
            All rows seen so far.
        forecast : ndarray of shape (n_steps, n_series)
            Without past-only inputs.

        Returns
        -------
        ndarray of the shape of `forecast`
            Infinite where the inverse of the power transform is so for one of the errors.
        """
        power = self.spec.power
        if power is None:
            return forecast
        assert not isinstance(power, str)  # "auto" is a number by now
        errors = self._errors_of_fewer_steps(values, exog, len(forecast))
        if _count_known(errors, axis=(0, 1)) >= MIN_ERRORS:
            origins = split_origins(self.n_fit, len(values), errors.shape[1], self.share)[1]
            observed = windows_of(values, origins[: len(errors)], errors.shape[1])
        else:
            errors = self._residuals(ensemble, values, exog)
            observed = values[len(values) - len(errors) :, None]
        observed, errors = (rows[..., : forecast.shape[1]] for rows in (observed, errors))
        return smear(forecast, power_errors(observed, observed - errors, power), power)

    def step_errors(self, ensemble: Ensemble, values, exog) -> np.ndarray:
        """Return one-step errors (n, n_series) of the transformed series, see `Ensemble`."""
        first = self.spec.n_unexplained
        if len(values) < first + 2:
            raise ValueError(
                f"sample needs a series of at least {first + 2} time steps with these lags, "
                f"differences and horizon, for one-step errors to draw from, got {len(values)}"
            )
        model = self._model(values, exog)
        errors = values[:0]
        if model is not None and self._start < len(values):
            errors = model.step_errors(values[self._start :], exog[self._start :])
        if len(errors) < MIN_ERRORS:
            start = ensemble.restart(interpolate(values)[:first], exog[:first])
            errors = start.step_errors(values[first:], exog[first:])
        return errors

    def errors(self, values, exog, n_steps: int) -> np.ndarray:
        """Return the errors (n_origins, n_steps, n_series) of rolling forecasts.

        There are none if the first rows are too few for a model.
        """
        start, origins = split_origins(self.n_fit, len(values), n_steps, self.share)
        errors = self._errors.get(n_steps, np.empty((0, n_steps, values.shape[1])))
        new = origins[len(errors) :]
        model = self._model(values, exog) if len(new) else None
        if model is None:
            return errors
        count_step()
        ahead = model.roll(values[start:], exog[start:], new - start, n_steps)
        ahead = fall_back(ahead, values, new, model.naive_lags)
        found = windows_of(values, new, n_steps) - ahead
        errors = self._errors[n_steps] = np.concatenate([errors, found])
        return errors

    def _errors_of_fewer_steps(self, values, exog, n_steps: int) -> np.ndarray:
        """Return errors of at most half as many steps as rows are held out, for several origins."""
        horizon = min(n_steps, max(1, (len(values) - self._start) // 2))
        return self.errors(values, exog, horizon)

    @property
    def _start(self) -> int:
        """Number of rows that the second ensemble is fitted to."""
        return split_origins(self.n_fit, self.n_fit, 1, self.share)[0]

    def _model(self, values, exog) -> Ensemble | None:
        """Return the second ensemble; None if its rows are too few."""
        if self._ensemble is None:
            n_models = count_models(self.spec, exog.shape[1])
            try:
                with Task("calibration of intervals", n_models, "models"):
                    rows = slice(self._start)
                    self._ensemble = fit_ensemble(self.spec, values[rows], exog[rows])
            except ValueError:
                return None
        return self._ensemble

    def _weights(self, values, exog, errors: np.ndarray, level: float) -> np.ndarray | None:
        """Return weights of the origins, by the similarity of their states to the last one."""
        if not self.adaptive:
            return None
        origins = split_origins(self.n_fit, len(values), errors.shape[1], self.share)[1]
        known = ~np.isnan(errors).any(axis=(1, 2))
        states = self.states(values, exog, np.append(origins[known], len(values)))
        found = similarity_weights(states, errors[known], origins[known], level)
        if found is None:
            return None
        weights = np.zeros(len(errors))
        weights[known] = found
        return weights

    def states(self, values, exog, origins: np.ndarray) -> np.ndarray:
        """Return the states (n_origins, n_state) of the second ensemble, which is fitted."""
        assert self._ensemble is not None
        start = self._start
        rows = self._ensemble.fill(values[start:], exog[start:])
        return self._ensemble.states(rows, exog[start:], origins - start)

    def _residuals(self, ensemble: Ensemble, values, exog) -> np.ndarray:
        """Return the errors (n, 1, n_series) of the ensemble for the rows that it was fitted to."""
        first = self.spec.n_unexplained
        rows = np.arange(len(values) - first)
        filled = interpolate(values)
        start = ensemble.restart(filled[:first], exog[:first])
        ahead = start.roll(values[first:], exog[first:], rows, 1)
        ahead = fall_back(ahead, filled, first + rows, ensemble.naive_lags)
        return values[first:, None] - ahead


def split_origins(n_fit: int, n_total: int, n_steps: int, share: float) -> tuple[int, np.ndarray]:
    """Choose the end of the part to fit, and the origins of the rolling forecasts after it.

    The first `1 - share` of the `n_fit` rows is the part to fit. Origins follow at every k-th
    row, with k such that there are at most `MAX_ORIGINS` up to row `n_fit`, until the last row
    whose `n_steps` following rows are known; more rows only add origins at the end.
    """
    start = n_fit - int(n_fit * share)
    stride = max(1, -(-(n_fit - start) // MAX_ORIGINS))
    return start, np.arange(start, n_total - n_steps + 1, stride)


def _count_known(errors: np.ndarray, axis) -> int:
    """Return how many errors along an axis are not NaN, the smallest count of all others."""
    return int((~np.isnan(errors)).sum(axis=axis).min())


def warn_of_few(n_errors: int, level: float) -> None:
    """Warn if there are too few errors for a finite conformal quantile at this level."""
    if errors_needed(level) > n_errors:
        warn(
            f"the level {level:g} needs {errors_needed(level)} forecast errors, the series gives "
            f"{n_errors}: the largest one stands in, with a likely coverage of at most "
            f"{n_errors / (n_errors + 1):.3g}; fit on a longer series, or lower the level"
        )


def _warn_of_residuals(n_rows: int, n_residuals: int) -> None:
    """Warn of intervals from residuals, with the coverage measured on short real series."""
    warn(
        f"the series, of {n_rows} time steps, is too short for forecast errors on rows held out: "
        "intervals and quantiles come from residuals of the fit, which are smaller; the likely "
        f"coverage is about {n_residuals / (n_residuals + 2):.1g} of the one asked for; fit on a "
        "longer series"
    )
