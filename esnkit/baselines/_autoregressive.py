"""Autoregressive models: linear regressions of a series on its past values."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from esnkit.baselines._base import BaselineForecaster
from esnkit.forecasting._baseline_models import PENALTIES, Regression, least_squares, ridge
from esnkit.forecasting._capabilities import check_lags
from esnkit.forecasting._combination import of_series
from esnkit.utils._validation import check_number, check_positive_int

__all__ = ["AutoregressiveModel", "RidgeAutoregression"]


class AutoregressiveModel(BaselineForecaster):
    """Autoregressive model whose order Akaike's information criterion (AIC) chooses.

    y(t) = c + phi_1 y(t-1) + ... + phi_p y(t-p) + noise, fitted by least squares. A forecast runs
    in closed loop: each prediction is a past value of the next one. The model is linear and knows
    the last p values only, where a recurrent network has a state. Several series have separate
    models.

    Parameters
    ----------
    max_order : int, default=None
        Largest order to try, from 1 on. None stands for 10 log10(n_timesteps), and for at most a
        third of the rows.
    positive : "auto" or bool, default="auto"
        Whether forecasts and intervals end at zero. "auto" does so for counts: whole numbers, none
        of them negative.

    Attributes
    ----------
    order_ : int
        The order chosen; of several series, a list of them.
    coef_ : ndarray of shape (order_,)
        phi_1, ..., phi_p; of several series, a list of them.
    estimators_ : list of LinearRegression
        One per series, fitted to standardised values.
    n_features_in_ : int
        Number of series.
    n_exog_ : int
        Number of exogenous inputs. The values of the predicted row and of the row after each lagged
        value enter.
    n_timesteps_ : int
        Number of rows seen by `fit` and `update`.
    feature_names_in_ : ndarray of str
        Columns of the DataFrame fitted on, if it was one.

    See Also
    --------
    esnkit.baselines.autoregressive_order : The choice of the order.
    esnkit.Forecaster : The same with given lags and any regressor.

    Notes
    -----
    Intervals come from the errors of models fitted before rolling origins in the recent part of
    the series.

    References
    ----------
    Akaike, H. (1974). A new look at the statistical model identification. IEEE Transactions on
    Automatic Control 19.
    Brockwell, P. J. and Davis, R. A. (1991). Time Series: Theory and Methods.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit.baselines import AutoregressiveModel
    >>> noise = np.random.default_rng(0).normal(size=500)
    >>> series = np.zeros(500)
    >>> for t in range(2, 500):
    ...     series[t] = 0.5 * series[t - 1] - 0.7 * series[t - 2] + noise[t]
    >>> model = AutoregressiveModel().fit(series)
    >>> model.order_, model.coef_.round(1)
    (2, array([ 0.5, -0.7]))
    >>> model.forecast(3).shape
    (3,)
    """

    def __init__(self, max_order=None, *, positive="auto"):
        self.max_order = max_order
        self.positive = positive

    @property
    def order_(self):
        """The order chosen, an entry per series if there are several."""
        check_is_fitted(self, "_ensemble")
        return of_series([len(fitted.models[0].lags) for fitted in self._fitted])

    @property
    def coef_(self):
        """Coefficients of the lags, the latest first; an entry per series if there are several."""
        return _coefficients(self)

    def _make_model(self) -> Regression:
        lags = None
        if self.max_order is not None:
            lags = tuple(range(1, check_positive_int("max_order", self.max_order) + 1))
        return Regression(least_squares(), lags, by_aic=True)


class RidgeAutoregression(BaselineForecaster):
    """Autoregressive model with a ridge penalty: the regression on lags without the choice of one.

    Parameters
    ----------
    lags : int or sequence of int, default=None
        Past values that predict the next one: the last `lags`, or those named (1 is the latest).
        None stands for the last 10 log10(n_timesteps), and for at most a third of the rows.
    alpha : float or sequence of float, default=None
        Penalty on the squared coefficients of the standardised series. From several, the one with
        the least leave-one-out error is used; None stands for 1e-3, 1e-2, ..., 1e4.
    positive : "auto" or bool, default="auto"
        Whether forecasts and intervals end at zero. "auto" does so for counts: whole numbers, none
        of them negative.

    Attributes
    ----------
    coef_ : ndarray of shape (n_lags,)
        Coefficients of the lags, the latest first; of several series, a list of them.
    estimators_ : list of RidgeReadout
        One per series, fitted to standardised values; their `alpha_` is the penalty used.
    n_features_in_ : int
        Number of series.
    n_exog_ : int
        Number of exogenous inputs. The values of the predicted row and of the row after each lagged
        value enter.
    n_timesteps_ : int
        Number of rows seen by `fit` and `update`.
    feature_names_in_ : ndarray of str
        Columns of the DataFrame fitted on, if it was one.

    Notes
    -----
    Intervals come from the errors of models fitted before rolling origins in the recent part of
    the series.

    References
    ----------
    Hoerl, A. E. and Kennard, R. W. (1970). Ridge regression: biased estimation for nonorthogonal
    problems. Technometrics 12.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit.baselines import RidgeAutoregression
    >>> wave = np.sin(np.arange(120) / 4)
    >>> ahead = RidgeAutoregression(lags=4, alpha=1e-6).fit(wave[:100]).forecast(20)
    >>> bool(np.abs(ahead - wave[100:]).max() < 0.01)
    True
    """

    def __init__(self, lags=None, alpha=None, *, positive="auto"):
        self.lags = lags
        self.alpha = alpha
        self.positive = positive

    @property
    def coef_(self):
        """Coefficients of the lags, the latest first; an entry per series if there are several."""
        return _coefficients(self)

    def _make_model(self) -> Regression:
        lags = None if self.lags is None else check_lags(self.lags)
        return Regression(ridge(self._check_alpha()), lags)

    def _check_alpha(self):
        if self.alpha is None:
            return PENALTIES
        if np.ndim(self.alpha) == 0:
            return check_number("alpha", self.alpha, 0)
        return tuple(check_number("alpha", alpha, 0) for alpha in self.alpha)


def _coefficients(model):
    """Return the coefficients of the lags, without those of exogenous inputs."""
    check_is_fitted(model, "_ensemble")
    models = [fitted.models[0] for fitted in model._fitted]
    return of_series([lagged.fitted.coef_.ravel()[: len(lagged.lags)] for lagged in models])
