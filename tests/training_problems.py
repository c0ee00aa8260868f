"""Sequences to train on, and small networks, for the tests of training and of estimators."""

import numpy as np

from esnkit.networks._base import GradientEstimator
from esnkit.networks._initializers import initial_theta
from esnkit.networks._minibatches import SequenceBatch
from esnkit.networks._rnn import RNNRegressor
from esnkit.networks._solvers import Settings
from esnkit.networks._spec import Spec
from esnkit.networks._trainer import Stopping, Trainer, Validation
from esnkit.optim._optimizers import OptimizerParameters

QUICK = {"n_units": 8, "max_iter": 60, "learning_rate_init": 0.05, "random_state": 0}
PLAIN = {"standardize": False, "pooling": "last", "learning_rate": "constant"}
SPEC = Spec("lstm", 6, 2, 1)
LENGTHS = np.array([9, 4, 7, 9, 1, 6])


def echo(n_sequences=40, n_timesteps=8, seed=0):
    """Return sequences, and their first value as target of the sequence and of every step."""
    X = np.random.default_rng(seed).uniform(-1, 1, (n_sequences, n_timesteps, 2))
    return X, X[:, 0, 0], np.repeat(X[:, :1, :1], n_timesteps, axis=1)


def waves(n=20):
    """Return slow and fast sine waves, and these labels."""
    t = np.arange(15)
    period = np.where(np.arange(n) % 2, 2.0, 5.0)[:, None]
    phase = np.random.default_rng(0).uniform(0, 6, (n, 1))
    return np.sin(t / period + phase)[:, :, None], np.array(["slow", "fast"])[np.arange(n) % 2]


def quick(estimator=RNNRegressor, **params):
    """Return a small estimator, of a network without the aids that are the default."""
    plain = PLAIN if issubclass(estimator, GradientEstimator) else {}
    return estimator(**QUICK | plain | params)


def untrained(X, y, **params):
    """Return a small estimator with its initial weights."""
    return quick(**params | {"max_iter": 0}).fit(X, y)


def error_of(model, X, y):
    return np.mean((model.predict(X) - y) ** 2) / 2


def make_data(per_step=True, lengths=LENGTHS, seed=0):
    rng = np.random.default_rng(seed)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    X = rng.normal(size=(offsets[-1], 2))
    Y = np.cumsum(X[:, :1], axis=0) if per_step else rng.normal(size=(len(lengths), 1))
    return SequenceBatch(X, offsets, Y, per_step)


def make_trainer(spec=SPEC, seed=0, **settings):
    rng = np.random.default_rng(seed)
    return Trainer(spec, initial_theta(spec, rng), make_settings(**settings), rng)


def make_settings(**settings):
    """Return settings; parameters of optimisers stand beside the others."""
    settings = {"batch_size": 2} | settings
    names = OptimizerParameters._fields & settings.keys()
    optimizer = OptimizerParameters(**{name: settings.pop(name) for name in names})
    return Settings(optimizer=optimizer, **settings)


def negative_loss(outputs, data):
    return -float(np.mean((outputs - data.Y) ** 2))


def fit_trainer(
    trainer, data, validation=None, max_iter=5, tol=0.0, n_iter_no_change=100, report=None
):
    stopping = Stopping(max_iter, tol, n_iter_no_change)
    held_out = None if validation is None else Validation(validation, negative_loss)
    return trainer.fit(data, held_out, stopping=stopping, report=report)
