"""`ContextParrot`: what followed the most similar part of the past, once more."""

from esnkit.baselines._base import BaselineForecaster
from esnkit.forecasting._rules import Rule
from esnkit.utils._validation import check_positive_int

__all__ = ["ContextParrot"]


class ContextParrot(BaselineForecaster):
    """Forecast a series by copying what followed its most similar earlier segment.

    The last `context_length` values are compared with all earlier segments of this length that do
    not overlap them, by Euclidean distance. The values from the end of the nearest segment to the
    end of the series are the forecast, repeated as often as needed. Several series are forecast
    separately. There are no weights: :meth:`update` adds rows to search and to copy from.

    Parameters
    ----------
    context_length : int, default=5
        Number of values to compare, the embedding dimension of the reference. A whole season is
        better for seasonal series; a trend is not continued.
    positive : "auto" or bool, default="auto"
        Whether forecasts and intervals end at zero. "auto" does so for counts: whole numbers, none
        of them negative.

    Attributes
    ----------
    n_features_in_ : int
        Number of series.
    n_timesteps_ : int
        Number of rows seen by `fit` and `update`.
    feature_names_in_ : ndarray of str
        Columns of the DataFrame fitted on, if it was one.

    See Also
    --------
    esnkit.baselines.context_parrot : The same as a function of arrays.

    Notes
    -----
    A nearest-neighbour regressor in closed loop, ``Forecaster(KNeighborsRegressor(1), lags=...)``,
    searches anew at every step and may leave the segment; this forecast never does. Exogenous
    inputs are checked as those of all forecasters are, and have no effect.

    Intervals come from the errors of forecasts from rolling origins in the recent part of the
    series.

    References
    ----------
    Zhang, Y. and Gilpin, W. (2025). Context parroting: a simple but tough-to-beat baseline for
    foundation models in scientific machine learning. arXiv:2505.11349.

    Examples
    --------
    >>> from esnkit.baselines import ContextParrot
    >>> model = ContextParrot(context_length=2).fit([0.0, 1.0, 2.0, 5.0, 1.0, 2.0])
    >>> model.forecast(5)
    array([5., 1., 2., 5., 1.])
    """

    def __init__(self, context_length=5, *, positive="auto"):
        self.context_length = context_length
        self.positive = positive

    def _make_model(self) -> Rule:
        return Rule("context parrot", check_positive_int("context_length", self.context_length))
