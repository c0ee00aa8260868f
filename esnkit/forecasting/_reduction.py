"""Reductions of forecasting to regression: recursive and direct, with a state or with lags.

All models here have the methods `fit`, `advance` and `run` or `run_many`. They see `z`
(n, n_series), the transformed series, and `e` (n, n_exog), inputs known in advance. The values
z[t] of a row and the inputs e[t+1] of the next one predict z[t+1]. Recursive models feed their
predictions back; direct models have an output, or a separate model, for every step ahead.
Estimators with a state move it along the series; others see a window of lagged rows.

Of a series with missing values `z` is filled, and `observed` (n, n_series) tells which of its
values are taught. Estimators with a state have the weight zero for the others, output by output.
Others are fitted to the rows in which all targets are observed.
"""

import copy

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import has_fit_parameter

from esnkit.sequences._short_sequences import short_sequences_expected
from esnkit.utils._multioutput import fit_outputs
from esnkit.utils._plain_state import plain_record
from esnkit.utils._progress import Task, count_step, fit_model

LARGEST_STEP = 1e100  # of a closed loop on transformed values; squares of it are finite
_NOTHING_TAUGHT = (
    "series has too many missing values: no row to be predicted is observed, in one step ahead at "
    "least; use fewer lags, differences or steps, or leave out the series that has no values"
)


def make_reduction(estimator, strategy: str, lags: tuple[int, ...] | None, horizon: int):
    """Choose the model for an unfitted estimator; `lags` is None for one with a state."""
    if lags is None:
        if strategy == "recursive":
            return StatefulRecursive(estimator)
        return StatefulDirect(estimator, horizon)
    if strategy == "recursive":
        return LaggedRecursive(estimator, lags)
    return LaggedDirect(estimator, lags, horizon)


def rolling_forecasts(model, z, e, origins, n_steps: int) -> np.ndarray:
    """Forecast from rolling origins without refitting.

    Parameters
    ----------
    model : fitted model of this module
        It is not changed.
    z, e : ndarrays
        The rows that follow those the model has seen.
    origins : sequence of int, increasing
        How many of these rows are known at each origin.

    Returns
    -------
    ndarray of shape (n_origins, n_steps, n_series)
        NaN from origins where the closed loop diverges.
    """
    if hasattr(model, "run_many"):
        return model.run_many(z, e, np.asarray(origins), n_steps)
    if n_steps == 1 and len(origins) > 1 and hasattr(model, "predict_next"):
        return _predict_rows(model, z, e, np.asarray(origins))
    model, seen, forecasts = model.copy(), 0, []
    task = Task("", len(origins), "origins")
    for origin in origins:
        model.advance(z[seen:origin], e[seen:origin])
        forecasts.append(_run_or_nan(model, n_steps, e[origin : origin + n_steps], z.shape[1]))
        seen = origin
        task.step()
    return np.stack(forecasts)


def _predict_rows(model, z, e, origins) -> np.ndarray:
    """Forecast one step from all origins in a single pass, see `rolling_forecasts`."""
    last = origins[-1]
    rows = np.vstack([z[:last], np.zeros((1, z.shape[1]))])  # the last one is not read
    steps = model.predict_next(rows, e[: last + 1])[origins, None]
    return np.where(np.isfinite(steps).all(axis=2, keepdims=True), steps, np.nan)


def _run_or_nan(model, n_steps: int, e, n_series: int) -> np.ndarray:
    """Forecast from the end of the rows seen; return NaN if the closed loop diverges."""
    try:
        return model.run(n_steps, e)
    except FloatingPointError:
        return np.full((n_steps, n_series), np.nan)


@plain_record
class StatefulModel:
    """An estimator with a state that predicts rows t+delay .. t+delay+width-1 from row t.

    Its inputs at t are z[t] and e[t+delay]. The inputs of future rows are not known yet, so the
    state stays `delay` rows behind the end of the series, and `tail` keeps these last rows.
    """

    def __init__(self, estimator, delay: int = 1, width: int = 1):
        self.estimator, self.delay, self.width = estimator, delay, width

    def fit(self, z, e, observed=None):
        """Fit the estimator, then move its state over the rows."""
        n_rows = len(z) - self.delay - self.width + 1
        X = np.hstack([z[:n_rows], e[self.delay : self.delay + n_rows]])
        weights = {} if observed is None else self._weights(self._ahead(observed, n_rows))
        fit_model(self.estimator, X, self._ahead(z, n_rows), **weights)
        self.start(z, e)
        count_step()
        return self

    def _ahead(self, rows, n_rows: int) -> np.ndarray:
        """Return the `width` rows ahead of each of the first `n_rows` side by side."""
        ahead = [rows[self.delay + k : self.delay + k + n_rows] for k in range(self.width)]
        return np.hstack(ahead)

    def _weights(self, observed) -> dict:
        """Return the weights of targets, of which some are missing."""
        name = type(self.estimator).__name__
        if not has_fit_parameter(self.estimator, "sample_weight"):
            raise ValueError(
                f"series has missing values, which need the weight zero, but {name}.fit has no "
                "sample_weight: fill them in, as series.interpolate() of pandas does"
            )
        if not observed.any(axis=0).all():
            raise ValueError(_NOTHING_TAUGHT)
        same = (observed == observed[:, :1]).all()
        return {"sample_weight": (observed[:, 0] if same else observed).astype(np.float64)}

    def start(self, z, e):
        """Move the state over the first rows of a series, at least `delay` of them."""
        self.state, self.tail = None, z[:0]
        self.advance(z, e)

    def advance(self, z, e):
        """Move the state over new rows."""
        if not len(self.tail):  # at the start of the series the inputs run ahead by `delay`
            e = e[self.delay :]
        rows = np.vstack([self.tail, z])
        self.tail = rows[-self.delay :]
        if len(e):
            X = np.hstack([rows[: len(e)], e])
            _, self.state = self.estimator.predict(X, initial_state=self.state, return_state=True)

    def predict(self, e):
        """Predict the `width` rows from `delay` rows after the end; `e` is (delay, n_exog)."""
        X = np.hstack([self.tail, e])
        Y = self.estimator.predict(X, initial_state=self.state)
        return Y[-1].reshape(self.width, -1)

    def copy(self):
        """Copy the state, not the estimator: states and tails are replaced, never written to."""
        return copy.copy(self)

    def restart(self):
        """Return a copy before the first row."""
        other = copy.copy(self)
        other.state, other.tail = None, self.tail[:0]
        return other

    def states(self, z, e, origins):
        """Return the states (n_origins, n_state) after the last row known at each origin.

        Its inputs are those of the `delay` rows from the origin on, so `e` reaches further.
        """
        model, seen, states = self.copy(), 0, []
        for origin in origins:
            model.advance(z[seen:origin], e[seen:origin])
            X, seen = np.hstack([model.tail, e[origin : origin + self.delay]]), origin
            states.append(
                self.estimator.predict(X, initial_state=model.state, return_state=True)[1]
            )
        return np.vstack(states)

    @property
    def fitted(self):
        """The fitted estimator."""
        return self.estimator


@plain_record
class StatefulRecursive(StatefulModel):
    """A one-step estimator with a state, in closed loop."""

    def __init__(self, estimator):
        super().__init__(estimator)

    def run(self, n_steps: int, e):
        """Forecast from the end of the rows seen."""
        first = np.hstack([self.tail, e[:1]])
        if not hasattr(self.estimator, "generate"):
            return self._run_step_by_step(n_steps, first, e)
        # Row k of the output is fed back beside the inputs of row k + 1; the last one is not.
        later = np.vstack([e[1:], e[-1:]]) if e.shape[1] else None
        return self.estimator.generate(n_steps, first, exog=later, initial_state=self.state)

    def predict_next(self, z, e):
        """Predict every row that follows those seen from the rows before it."""
        X = np.hstack([np.vstack([self.tail, z])[: len(z)], e])
        return self.estimator.predict(X, initial_state=self.state).reshape(z.shape)

    def sample(self, noise, e):
        """Run a closed loop per row of `noise` (n_paths, n_steps, n_series), added to each step.

        Paths that diverge are NaN.
        """
        n_paths, n_steps, _ = noise.shape
        rows, paths = np.repeat(self.tail, n_paths, axis=0), np.empty_like(noise)
        state = None if self.state is None else np.repeat(self.state, n_paths, axis=0)
        diverged = np.zeros((n_paths, 1), dtype=bool)
        for k in range(n_steps):
            X = np.hstack([rows, np.repeat(e[k : k + 1], n_paths, axis=0)])[:, None]
            with short_sequences_expected():
                Y, state = self.estimator.predict(X, initial_state=state, return_state=True)
            rows = Y.reshape(n_paths, -1) + noise[:, k]
            diverged |= ~(np.abs(rows) < LARGEST_STEP).all(axis=1, keepdims=True)
            rows = paths[:, k] = np.where(diverged, 0.0, rows)  # estimators refuse NaN
        return np.where(diverged[:, None], np.nan, paths)

    def _run_step_by_step(self, n_steps: int, row, e):
        out, state = np.empty((n_steps, self.tail.shape[1])), self.state
        for k in range(n_steps):
            Y, state = self.estimator.predict(row, initial_state=state, return_state=True)
            out[k] = np.reshape(Y, -1)
            row = np.hstack([out[k : k + 1], e[k + 1 : k + 2]]) if k + 1 < n_steps else row
        return out


@plain_record
class StatefulDirect:
    """An estimator with a state that predicts all `horizon` rows at once.

    Without exogenous inputs one model has all steps ahead as its outputs. With them every step
    ahead has a separate model, which sees the inputs of the row it predicts.
    """

    def __init__(self, estimator, horizon: int):
        self.estimator, self.horizon = estimator, horizon

    def fit(self, z, e, observed=None):
        """Fit one model for all steps, or one per step."""
        if e.shape[1]:
            delays = range(1, self.horizon + 1)
            self.models = [StatefulModel(clone(self.estimator), delay) for delay in delays]
        else:
            self.models = [StatefulModel(self.estimator, 1, self.horizon)]
        for model in self.models:
            model.fit(z, e, observed)
        return self

    def start(self, z, e):
        """Move every state over the first rows of a series, at least `horizon` of them."""
        for model in self.models:
            model.start(z, e)

    def advance(self, z, e):
        """Move every state over new rows."""
        for model in self.models:
            model.advance(z, e)

    def run(self, n_steps: int, e):
        """Forecast from the end of the rows seen."""
        steps = [model.predict(e[: model.delay]) for model in self.models if model.delay <= n_steps]
        return np.vstack(steps)[:n_steps]

    def copy(self):
        """Copy the states, not the estimators."""
        other = copy.copy(self)
        other.models = [model.copy() for model in self.models]
        return other

    def restart(self):
        """Return a copy before the first row."""
        other = copy.copy(self)
        other.models = [model.restart() for model in self.models]
        return other

    def states(self, z, e, origins):
        """Return the states (n_origins, n_state) after the last row known at each origin."""
        return self.models[0].states(z, e, origins)

    @property
    def fitted(self):
        """The fitted estimator, or a list of one per step ahead."""
        fitted = [model.estimator for model in self.models]
        return fitted if self.models[0].width == 1 else fitted[0]


class LaggedModel:
    """An estimator without a state on lagged rows: row t is predicted from z[t - lag].

    The exogenous inputs of row t are e[t + 1 - lag], those of each row after a lagged one.
    """

    tail: np.ndarray  # the last rows seen, as many as the largest lag
    e_tail: np.ndarray

    def __init__(self, estimator, lags: tuple[int, ...], horizon: int = 1):
        self.estimator, self.lags, self.horizon = estimator, np.array(lags), horizon

    def run_many(self, z, e, origins, n_steps: int) -> np.ndarray:
        """Forecast from several origins, see `rolling_forecasts`."""
        raise NotImplementedError

    def run(self, n_steps: int, e):
        """Forecast from the end of the rows seen."""
        no_rows = np.empty((0, self.tail.shape[1]))
        return self.run_many(no_rows, e, np.zeros(1, dtype=int), n_steps)[0]

    def advance(self, z, e):
        """Keep the last rows, as many as the lags reach back to."""
        self.tail = np.vstack([self.tail, z])[-self.lags[-1] :]
        self.e_tail = np.vstack([self.e_tail, e])[-self.lags[-1] :]

    def copy(self):
        """Copy the tails, not the estimators: tails are replaced, never written to."""
        return copy.copy(self)

    def restart(self):
        """Return a copy before the first row."""
        other = copy.copy(self)
        other.tail, other.e_tail = self.tail[:0], self.e_tail[:0]
        return other

    def states(self, z, e, origins):
        """Return the features (n_origins, ...) of the next row at each origin."""
        rows, e = np.vstack([self.tail, z]), np.vstack([self.e_tail, e])
        return self._features(rows, e, np.asarray(origins) + self.lags[-1])

    def _fit_one(self, estimator, X, Y, observed=None):
        """Fit an estimator, and count it as a step of the fit of all."""
        if observed is not None:
            taught = observed.all(axis=1)
            X, Y = X[taught], Y[taught]
            if not len(Y):
                raise ValueError(_NOTHING_TAUGHT)
        fitted = fit_outputs(estimator, X, Y, fit=fit_model)
        count_step()
        return fitted

    def start(self, z, e):
        """Start with the first rows of a series."""
        self.tail, self.e_tail = z[:0], e[:0]
        self.advance(z, e)

    def _features(self, z, e, targets, ahead: int = 0):
        """Features (n_targets, ...) of the rows `ahead` rows after `targets`."""
        values = z[targets[:, None] - self.lags]
        return np.hstack([values.reshape(len(targets), -1), *self._inputs(e, targets, ahead)])

    def _inputs(self, e, targets, ahead: int = 0) -> list:
        """Inputs beside the lagged rows, and those from the first target to the one predicted."""
        if not e.shape[1]:
            return []
        beside = e[targets[:, None] + 1 - self.lags].reshape(len(targets), -1)
        first = 1 if self.lags[0] == 1 else 0  # with lag 1, `beside` holds those of the target
        return [beside, *(e[targets + k] for k in range(first, ahead + 1))]


@plain_record
class LaggedRecursive(LaggedModel):
    """A one-step estimator on lagged rows, in closed loop; all origins advance together."""

    def fit(self, z, e, observed=None):
        """Fit on all rows that have a full window before them."""
        targets = np.arange(self.lags[-1], len(z))
        taught = None if observed is None else observed[targets]
        X = self._features(z, e, targets)
        self.fitted = self._fit_one(self.estimator, X, z[targets], taught)
        self.start(z, e)
        return self

    def run_many(self, z, e, origins, n_steps: int):
        """Forecast from several origins, see `rolling_forecasts`."""
        rows, e = np.vstack([self.tail, z]), np.vstack([self.e_tail, e])
        past = np.stack([rows[origins + k] for k in range(self.lags[-1])])
        no_noise = np.broadcast_to(0.0, (len(origins), n_steps, rows.shape[1]))
        return self._close_loops(past, e, origins, no_noise)

    def predict_next(self, z, e):
        """Predict every row that follows those seen from the rows before it."""
        return self.run_many(z, e, np.arange(len(z)), 1)[:, 0]

    def sample(self, noise, e):
        """Run a closed loop per row of `noise` (n_paths, n_steps, n_series), added to each step.

        Paths that diverge are NaN.
        """
        past = np.repeat(self.tail[:, None], len(noise), axis=1)
        first = np.zeros(len(noise), dtype=int)
        return self._close_loops(past, np.vstack([self.e_tail, e]), first, noise)

    def _close_loops(self, past, e, origins, noise):
        """Continue pasts (depth, n_loops, n_series), adding noise (n_loops, n_steps, n_series)."""
        depth, (n_loops, n_steps, n_series) = len(past), noise.shape
        # (time, loop, series): every loop has its past, then its forecasts
        series = np.concatenate([past, np.empty((n_steps, n_loops, n_series))])
        task, diverged = Task("", n_steps, "steps"), np.zeros((n_loops, 1), dtype=bool)
        for k in range(n_steps):
            lagged = series[depth + k - self.lags].swapaxes(0, 1).reshape(n_loops, -1)
            inputs = self._inputs(e, origins + depth + k)
            step = self.fitted.predict(np.hstack([lagged, *inputs])).reshape(n_loops, -1)
            step = step + noise[:, k]
            diverged |= ~(np.abs(step) < LARGEST_STEP).all(axis=1, keepdims=True)
            series[depth + k] = np.where(diverged, 0.0, step)  # estimators refuse NaN
            task.step()
        forecasts = np.where(diverged, np.nan, series[depth:])
        return np.ascontiguousarray(forecasts.swapaxes(0, 1))


@plain_record
class LaggedDirect(LaggedModel):
    """A separate model for every step ahead, on lagged rows and all inputs up to that step."""

    def fit(self, z, e, observed=None):
        """Fit one clone per step ahead."""
        self.fitted = []
        for h in range(self.horizon):
            targets = np.arange(self.lags[-1], len(z) - h)
            X = self._features(z, e, targets, h)
            taught = None if observed is None else observed[targets + h]
            self.fitted.append(self._fit_one(clone(self.estimator), X, z[targets + h], taught))
        self.start(z, e)
        return self

    def run_many(self, z, e, origins, n_steps: int):
        """Forecast from several origins, see `rolling_forecasts`."""
        rows, e = np.vstack([self.tail, z]), np.vstack([self.e_tail, e])
        targets = origins + self.lags[-1]
        steps = [
            model.predict(self._features(rows, e, targets, h)).reshape(len(origins), -1)
            for h, model in enumerate(self.fitted[:n_steps])
        ]
        return np.stack(steps, axis=1)
