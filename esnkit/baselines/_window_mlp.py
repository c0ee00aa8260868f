"""`WindowMLP`: a feed-forward network on a window of past values."""

from esnkit.baselines._base import BaselineForecaster
from esnkit.forecasting._baseline_models import Regression
from esnkit.forecasting._capabilities import check_lags
from esnkit.utils._validation import check_seed

__all__ = ["WindowMLP"]


class WindowMLP(BaselineForecaster):
    """Forecast with a feed-forward network that sees a window of past values.

    The network, scikit-learn's :class:`~sklearn.neural_network.MLPRegressor`, predicts the next
    value of the standardised series from the values at some lags. A forecast runs in closed loop:
    each prediction enters the window of the next one. The memory of such a network ends with its
    window, where a recurrent network has a state. Several series have separate networks.

    Parameters
    ----------
    lags : int or sequence of int, default=None
        The window: the last `lags` values, or those named (1 is the latest). None stands for the
        last 10 log10(n_timesteps), and for at most a third of the rows.
    hidden_layer_sizes : sequence of int, default=(20,)
        Units of the hidden layers.
    activation : {"tanh", "relu", "logistic", "identity"}, default="tanh"
        Activation of the hidden units.
    alpha : float, default=1.0
        Penalty on the squared weights; scikit-learn divides it by the number of rows.
    max_iter : int, default=2000
        Iterations of the optimiser, L-BFGS, at most.
    positive : "auto" or bool, default="auto"
        Whether forecasts and intervals end at zero. "auto" does so for counts: whole numbers, none
        of them negative.
    random_state : int, RandomState or None, default=None
        Draws the initial weights.

    Attributes
    ----------
    estimators_ : list of MLPRegressor
        One per series.
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
    Intervals come from the errors of networks fitted before rolling origins in the recent part of
    the series, at most eight.

    References
    ----------
    Goodfellow, I., Bengio, Y. and Courville, A. (2016). Deep Learning, chapters 6 and 10.
    Zhang, G., Patuwo, B. E. and Hu, M. Y. (1998). Forecasting with artificial neural networks: the
    state of the art. International Journal of Forecasting 14.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit.baselines import WindowMLP
    >>> wave = np.sin(np.arange(120) / 4)
    >>> model = WindowMLP(lags=4, alpha=1e-4, random_state=0).fit(wave[:100])
    >>> bool(np.abs(model.forecast(20) - wave[100:]).max() < 0.1)
    True
    """

    def __init__(
        self,
        lags=None,
        *,
        hidden_layer_sizes=(20,),
        activation="tanh",
        alpha=1.0,
        max_iter=2000,
        positive="auto",
        random_state=None,
    ):
        self.lags = lags
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.alpha = alpha
        self.max_iter = max_iter
        self.positive = positive
        self.random_state = random_state

    def _make_model(self) -> Regression:
        from sklearn.neural_network import MLPRegressor

        check_seed(self.random_state)
        network = MLPRegressor(
            hidden_layer_sizes=self.hidden_layer_sizes,
            activation=self.activation,
            solver="lbfgs",
            alpha=self.alpha,
            max_iter=self.max_iter,
            random_state=self.random_state,
        )
        return Regression(network, None if self.lags is None else check_lags(self.lags))
