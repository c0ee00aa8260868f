"""One-step and many-step models behind one face: fit, advance, run, roll.

A model sees `z` (n, n_series), scaled and differenced values, and `e` (n, n_exog),
inputs known in advance. What is known of row t, its values z[t] and the inputs
e[t+1] of the row to come, predicts z[t+1]. `recursive` models feed predictions
back; `direct` models have an output, or a model of their own, for every step ahead.
Models with memory carry a state; others see a window of lagged rows.
"""

import copy
import inspect

import numpy as np
from sklearn.base import clone

from esnkit.forecasting._index import read_rows
from esnkit.utils._multioutput import fit_outputs
from esnkit.utils._pandas import is_frame
from esnkit.utils._validation import check_positive_int

# A model that needs only the last row to say the same so many times has no memory to keep.
TRIED = 3


def forecast(model, X, n_steps: int) -> np.ndarray:
    """Run any fitted one-step model in closed loop from the end of a series.

    Parameters
    ----------
    model : fitted estimator
        Predicts, for every row of a series, the next one. With `generate`, as
        :class:`ESNRegressor` has, the loop runs in a kernel; any other regressor is
        called step by step.
    X : array-like of shape (n_timesteps,) or (n_timesteps, n_features)
        The series up to now.
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
        If `n_steps` is below 1, X is empty or not finite, or the model does not give back as
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
    one_d = np.ndim(X) == 1
    if hasattr(model, "generate"):
        out = np.reshape(model.generate(n_steps, X if is_frame(X) else rows), (n_steps, -1))
    else:
        out = _closed_loop(model, X, rows, n_steps)
    return out[:, 0] if one_d else out


def _closed_loop(model, X, rows, n_steps: int) -> np.ndarray:
    """Feed predictions back row by row; memory is kept by predicting on the whole series."""

    def last_answer(rows):
        answer = model.predict(type(X)(rows, columns=X.columns) if is_frame(X) else rows)
        return np.reshape(answer[-1], -1)

    n_rows = len(rows)
    whole, memoryless = np.vstack([rows, np.empty((n_steps, rows.shape[1]))]), True
    for k in range(n_rows, n_rows + n_steps):
        tried = k < n_rows + TRIED
        step = last_answer(whole[:k] if tried or not memoryless else whole[k - 1 : k])
        if step.size != rows.shape[1]:
            raise ValueError(
                f"model must predict the next row of X, {rows.shape[1]} values, got {step.size}"
            )
        if tried:
            alone = last_answer(whole[k - 1 : k])
            memoryless = memoryless and np.allclose(alone, step, rtol=1e-9, atol=0.0)
        whole[k] = step
    return whole[n_rows:]


def carries_state(estimator, method: str = "predict") -> bool:
    """Tell whether a method of an estimator takes a state and gives one back."""
    function = getattr(type(estimator), method, None)
    if not inspect.isfunction(function):
        return False
    return {"initial_state", "return_state"} <= set(inspect.signature(function).parameters)


def memory_inside(estimator):
    """Return the first part of an estimator with a memory that it cannot carry on, or None."""
    if carries_state(estimator):
        return None
    for part in estimator.get_params(deep=True).values():
        if carries_state(part) or carries_state(part, "transform"):
            return part
    return None


def check_lags(lags) -> tuple[int, ...]:
    """Return the lags as a sorted tuple; a number k stands for 1 to k."""
    whole = isinstance(lags, int | np.integer) and not isinstance(lags, bool)
    if whole and lags >= 1:
        return tuple(range(1, int(lags) + 1))
    if isinstance(lags, tuple | list | range | np.ndarray) and len(lags):
        chosen = sorted({int(lag) for lag in lags if isinstance(lag, int | np.integer)})
        if len(chosen) == len(lags) and chosen[0] >= 1:
            return tuple(chosen)
    raise ValueError(f"lags must be an integer >= 1 or distinct integers >= 1, got {lags!r}")


def make_strategy(estimator, strategy: str, lags, horizon: int):
    """Choose the model for an unfitted estimator; `lags` is None for one with memory."""
    if lags is None:
        return (_StateRecursive if strategy == "recursive" else _StateDirect)(estimator, horizon)
    if strategy == "recursive":
        return _LagRecursive(estimator, lags)
    return _LagDirect(estimator, lags, horizon)


def roll(model, z, e, stops, n_steps: int) -> np.ndarray:
    """Forecast from rolling origins without refitting.

    Parameters
    ----------
    model : a fitted strategy, left as it is
    z, e : ndarrays
        The rows that follow those the model has seen.
    stops : sequence of int, increasing
        How many of these rows each origin has seen.

    Returns
    -------
    ndarray of shape (n_origins, n_steps, n_series)
    """
    if hasattr(model, "run_many"):
        return model.run_many(z, e, np.asarray(stops), n_steps)
    model, seen, forecasts = model.copy(), 0, []
    for stop in stops:
        model.advance(z[seen:stop], e[seen:stop])
        forecasts.append(model.run(n_steps, e[stop : stop + n_steps]))
        seen = stop
    return np.stack(forecasts)


class _Head:
    """A model with memory that predicts rows t+delay .. t+delay+width-1 from row t.

    Its inputs at t are z[t] and e[t+delay]: the state stays `delay` rows behind the
    end of the data, because the inputs of the rows to come are not known yet.
    """

    def __init__(self, estimator, delay: int = 1, width: int = 1):
        self.estimator, self.delay, self.width = estimator, delay, width

    def fit(self, z, e):
        n_rows = len(z) - self.delay - self.width + 1
        X = np.hstack([z[:n_rows], e[self.delay : self.delay + n_rows]])
        ahead = [z[self.delay + k : self.delay + k + n_rows] for k in range(self.width)]
        self.estimator.fit(X, np.hstack(ahead))
        self.state, self.tail = None, z[:0]
        self.advance(z, e)
        return self

    def advance(self, z, e):
        """Move the state over new rows."""
        if not len(self.tail):  # the first rows of all: the inputs run ahead by `delay`
            e = e[self.delay :]
        rows = np.vstack([self.tail, z])
        self.tail = rows[-self.delay :]
        if len(e):
            X = np.hstack([rows[: len(e)], e])
            _, self.state = self.estimator.predict(X, initial_state=self.state, return_state=True)

    def predict(self, e):
        """Predict the `width` rows from `delay` rows after the end; `e` (delay, n_exog)."""
        X = np.hstack([self.tail, e])
        Y = self.estimator.predict(X, initial_state=self.state)
        return Y[-1].reshape(self.width, -1)

    def copy(self):
        # states and tails are replaced, never written to
        return copy.copy(self)

    @property
    def fitted(self):
        return self.estimator


class _StateRecursive(_Head):
    """A one-step model with memory, in closed loop."""

    def __init__(self, estimator, horizon: int = 1):
        super().__init__(estimator)

    def run(self, n_steps: int, e):
        """Forecast from the end of the rows seen."""
        first = np.hstack([self.tail, e[:1]])
        if not hasattr(self.estimator, "generate"):
            return self._run_by_steps(n_steps, first, e)
        # generated row k is fed back beside the inputs of row k + 1; the last is not fed back
        later = np.vstack([e[1:], e[-1:]]) if e.shape[1] else None
        return self.estimator.generate(n_steps, first, exog=later, initial_state=self.state)

    def _run_by_steps(self, n_steps: int, row, e):
        out, state = np.empty((n_steps, self.tail.shape[1])), self.state
        for k in range(n_steps):
            Y, state = self.estimator.predict(row, initial_state=state, return_state=True)
            out[k] = np.reshape(Y, -1)
            row = np.hstack([out[k : k + 1], e[k + 1 : k + 2]]) if k + 1 < n_steps else row
        return out


class _StateDirect:
    """A model with memory and `horizon` rows of output.

    Without exogenous inputs one fit gives all steps. With them every step has a model
    of its own, driven by the inputs of the very row it predicts.
    """

    def __init__(self, estimator, horizon: int):
        self.estimator, self.horizon = estimator, horizon

    def fit(self, z, e):
        """Fit one model for all steps, or one per step."""
        if e.shape[1]:
            self.heads = [_Head(clone(self.estimator), h + 1) for h in range(self.horizon)]
        else:
            self.heads = [_Head(self.estimator, 1, self.horizon)]
        for head in self.heads:
            head.fit(z, e)
        return self

    def advance(self, z, e):
        """Move every state over new rows."""
        for head in self.heads:
            head.advance(z, e)

    def run(self, n_steps: int, e):
        """Forecast from the end of the rows seen."""
        parts = [head.predict(e[: head.delay]) for head in self.heads if head.delay <= n_steps]
        return np.vstack(parts)[:n_steps]

    def copy(self):
        """Copy the states, not the models."""
        other = copy.copy(self)
        other.heads = [head.copy() for head in self.heads]
        return other

    @property
    def fitted(self):
        fitted = [head.estimator for head in self.heads]
        return fitted if self.heads[0].width == 1 else fitted[0]


def _check_bounded(step, k: int):
    """Raise if a closed loop has run away, well before squares of it overflow."""
    if not (np.abs(step) < 1e100).all():
        raise FloatingPointError(
            f"the closed loop diverged after {k} steps: use a stronger penalty, fewer lags or "
            "strategy='direct'"
        )


class _Lagged:
    """A model without memory on a window: rows z[t - lag] and inputs e[t + 1 - lag] for row t."""

    def __init__(self, estimator, lags: tuple[int, ...], horizon: int = 1):
        self.estimator, self.lags, self.horizon = estimator, lags, horizon

    tail: np.ndarray
    e_tail: np.ndarray

    def run_many(self, z, e, stops, n_steps: int) -> np.ndarray:
        """Forecast from several origins, see `roll`."""
        raise NotImplementedError

    def advance(self, z, e):
        """Keep the last rows, as many as the lags reach back to."""
        self.tail = np.vstack([self.tail, z])[-self.lags[-1] :]
        self.e_tail = np.vstack([self.e_tail, e])[-self.lags[-1] :]

    def copy(self):
        # tails are replaced, never written to
        return copy.copy(self)

    def run(self, n_steps: int, e):
        """Forecast from the end of the rows seen."""
        none = np.empty((0, self.tail.shape[1]))
        return self.run_many(none, e, np.zeros(1, dtype=int), n_steps)[0]

    def _window(self, z, e, targets, ahead: int = 0):
        """Features (n_targets, ...) of the rows `ahead` rows after `targets`."""
        values = [z[targets - lag] for lag in self.lags]
        return np.hstack(values + self._inputs(e, targets, ahead))

    def _inputs(self, e, targets, ahead: int = 0) -> list:
        """Inputs beside the lagged rows, and those from the first target to the one predicted."""
        beside = [e[targets + 1 - lag] for lag in self.lags]
        first = 1 if self.lags[0] == 1 else 0
        return beside + [e[targets + k] for k in range(first, ahead + 1)]


class _LagRecursive(_Lagged):
    """A one-step model on lagged rows, in closed loop; all origins advance together."""

    def fit(self, z, e):
        """Fit on all rows that have a full window before them."""
        targets = np.arange(self.lags[-1], len(z))
        X = self._window(z, e, targets)
        self.fitted = fit_outputs(self.estimator, X, z[targets])
        self.tail, self.e_tail = z[:0], e[:0]
        self.advance(z, e)
        return self

    def run_many(self, z, e, stops, n_steps: int):
        """Forecast from several origins, see `roll`."""
        targets = stops + self.lags[-1]
        rows, e = np.vstack([self.tail, z]), np.vstack([self.e_tail, e])
        # each origin writes its forecasts behind its own past: (time, origin, series)
        depth = self.lags[-1]
        own = np.empty((depth + n_steps, len(stops), rows.shape[1]))
        for k in range(depth):
            own[k] = rows[stops + k]
        for k in range(n_steps):
            lagged = [own[depth + k - lag] for lag in self.lags]
            step = self.fitted.predict(np.hstack(lagged + self._inputs(e, targets + k)))
            own[depth + k] = step.reshape(len(stops), -1)
            _check_bounded(own[depth + k], k)
        return np.ascontiguousarray(own[depth:].swapaxes(0, 1))


class _LagDirect(_Lagged):
    """A model of its own for every step ahead, on lagged rows and all inputs up to it."""

    def fit(self, z, e):
        """Fit one clone per step ahead."""
        self.fitted = []
        for h in range(self.horizon):
            targets = np.arange(self.lags[-1], len(z) - h)
            X = self._window(z, e, targets, h)
            self.fitted.append(fit_outputs(clone(self.estimator), X, z[targets + h]))
        self.tail, self.e_tail = z[:0], e[:0]
        self.advance(z, e)
        return self

    def run_many(self, z, e, stops, n_steps: int):
        """Forecast from several origins, see `roll`."""
        rows, e = np.vstack([self.tail, z]), np.vstack([self.e_tail, e])
        targets = stops + self.lags[-1]
        steps = [
            model.predict(self._window(rows, e, targets, h)).reshape(len(stops), -1)
            for h, model in enumerate(self.fitted[:n_steps])
        ]
        return np.stack(steps, axis=1)
