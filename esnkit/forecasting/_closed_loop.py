"""`forecast`: any fitted one-step model in closed loop, each prediction the next input."""

import numpy as np

from esnkit.forecasting._frames import n_dimensions
from esnkit.forecasting._input import read_rows
from esnkit.sequences._short_sequences import short_sequences_expected
from esnkit.utils._pandas import is_frame
from esnkit.utils._validation import check_positive_int

# Number of steps on which predictions from the last row and from the full history must agree
# before the model counts as memoryless.
MEMORYLESS_CHECKS = 3


def forecast(model, X, n_steps: int) -> np.ndarray:
    """Run a fitted one-step model in closed loop: each prediction is the next input.

    Parameters
    ----------
    model : fitted estimator
        Predicts, for every row of a series, the next one. With `generate`, as
        :class:`ESNRegressor` has, the loop runs in a kernel; any other regressor is
        called step by step.
    X : array-like of shape (n_timesteps,) or (n_timesteps, n_features)
        The series up to the present.
    n_steps : int >= 1

    Returns
    -------
    ndarray of shape (n_steps,) or (n_steps, n_features)
        The first row is the prediction after the last row of X.

    Raises
    ------
    TypeError
        If `n_steps` is not an integer, or `model` has no `predict`.
    ValueError
        If `n_steps` is below 1, X is empty or not finite, or the model does not predict as
        many values as it takes.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> x = 0.5 ** np.arange(8.0)
    >>> model = LinearRegression(fit_intercept=False).fit(x[:-1, None], x[1:])
    >>> forecast(model, x, 2) * 2**9
    array([2., 1.])
    """
    n_steps = check_positive_int("n_steps", n_steps)
    if isinstance(model, type) or not hasattr(model, "predict"):
        raise TypeError(f"model must be a fitted regressor with predict, got {model!r}")
    rows = read_rows(X, "X")
    if hasattr(model, "generate"):
        out = np.reshape(model.generate(n_steps, X if is_frame(X) else rows), (n_steps, -1))
    else:
        out = _predict_step_by_step(model, X, rows, n_steps)
    return out[:, 0] if n_dimensions(X) == 1 else out


def _predict_step_by_step(model, X, rows: np.ndarray, n_steps: int) -> np.ndarray:
    """Feed predictions back; a model with memory predicts on the full history at every step."""

    def predict_last(rows):
        predictions = model.predict(type(X)(rows, columns=X.columns) if is_frame(X) else rows)
        return np.reshape(predictions[-1], -1)

    n_rows = len(rows)
    series, memoryless = np.vstack([rows, np.empty((n_steps, rows.shape[1]))]), True
    for k in range(n_rows, n_rows + n_steps):
        checking = k < n_rows + MEMORYLESS_CHECKS
        step = predict_last(series[:k] if checking or not memoryless else series[k - 1 : k])
        if step.size != rows.shape[1]:
            raise ValueError(
                f"model must predict the next row of X, {rows.shape[1]} values, got {step.size}"
            )
        if checking:
            with short_sequences_expected():
                from_last_row = predict_last(series[k - 1 : k])
            memoryless = memoryless and np.allclose(from_last_row, step, rtol=1e-9, atol=0.0)
        series[k] = step
    return series[n_rows:]
