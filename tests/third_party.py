"""A reservoir and a readout as somebody else would write them, with nothing but the public API."""

import numpy as np
from sklearn.base import RegressorMixin

from esnkit.readouts import BaseReadout
from esnkit.reservoirs import BaseReservoir


class TappedDelayLine(BaseReservoir):
    """The last inputs as the state; they and the product of the two latest as features."""

    def __init__(self, n_taps=3):
        self.n_taps = n_taps

    def draw(self, n_inputs, n_feedback=0, dtype=np.float64):
        self._width = n_inputs + n_feedback
        self.n_state_ = self.n_taps * self._width
        self.n_features_out_ = self.n_state_ + self._width
        return self

    def run(self, sequences, state, out=None):
        for i, (start, stop) in enumerate(sequences.bounds):
            for t in range(start, stop):
                state[i] = np.concatenate([sequences.values[t], state[i, : -self._width]])
                if out is not None:
                    before = state[i, self._width : 2 * self._width]
                    features = [state[i], sequences.values[t] * before]
                    out[t, : self.n_features_out_] = np.concatenate(features)


class MirroredSum(BaseReservoir):
    """The sum of all inputs that are still to come: not causal."""

    causal = False

    def draw(self, n_inputs, n_feedback=0, dtype=np.float64):
        self.n_state_ = self.n_features_out_ = n_inputs + n_feedback
        return self

    def run(self, sequences, state, out=None):
        for i, (start, stop) in enumerate(sequences.bounds):
            sums = np.cumsum(sequences.values[start:stop][::-1], axis=0)[::-1]
            state[i] = sums[0]
            if out is not None:
                out[start:stop, : self.n_features_out_] = sums


class LeastMeanSquares(RegressorMixin, BaseReadout):
    """The normalised rule of Widrow and Hoff (1960): a step along the error of every row."""

    def __init__(self, step=0.5):
        self.step = step

    def fit_blocks(self, make_blocks, n_rows=None):
        for name in ("weights_", "coef_", "intercept_"):
            self.__dict__.pop(name, None)
        for X, y, weights in make_blocks():
            self.partial_fit(X, y, weights)
        return self

    def partial_fit(self, X, y, sample_weight=None):
        self._flat = np.ndim(y) == 1
        Y = np.reshape(y, (len(X), -1))
        if not hasattr(self, "weights_"):
            self.weights_ = np.zeros((Y.shape[1], X.shape[1] + 1))
        scale = np.ones(len(X)) if sample_weight is None else sample_weight
        scale = np.reshape(scale, (len(X), -1))
        for x, target, weight in zip(X, Y, scale, strict=True):
            row = np.append(x, 1.0)
            error = weight * (target - self.weights_ @ row)
            self.weights_ += self.step * np.outer(error, row) / (1e-3 + row @ row)
        return self

    @property
    def coef_(self):
        return self.weights_[0, :-1] if self._flat else self.weights_[:, :-1]

    @property
    def intercept_(self):
        return self.weights_[0, -1] if self._flat else self.weights_[:, -1]

    def predict(self, X):
        return np.asarray(X) @ self.coef_.T + self.intercept_


class NearestRow(BaseReadout):
    """The target of the nearest row seen: neither linear nor able to learn from a stream."""

    def fit_blocks(self, make_blocks, n_rows=None):
        rows = [
            (X[keep].copy(), np.asarray(y)[keep])
            for X, y, w in make_blocks()
            for keep in [slice(None) if w is None else np.reshape(w, (len(X), -1))[:, 0] > 0]
        ]
        self.X_, self.y_ = (np.concatenate(part) for part in zip(*rows, strict=True))
        return self

    def predict(self, X):
        distances = ((np.asarray(X)[:, None] - self.X_) ** 2).sum(axis=2)
        return self.y_[distances.argmin(axis=1)]
