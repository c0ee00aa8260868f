"""`esnkit compile`: compile all kernels beforehand, as for a container or for CI."""

import warnings
from collections.abc import Callable, Iterator

import numpy as np

from esnkit.cli._progress import progress

Job = tuple[str, Callable[[], object]]


def compile_kernels() -> int:
    """Run every kind of kernel on a few numbers; return the exit code."""
    from esnkit.cli._info import cache_summary

    jobs = list(_jobs())
    with progress("compile", len(jobs)) as part, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of networks that are hardly trained
        for label, job in jobs:
            with part(label):
                job()
    print(cache_summary())
    return 0


def _jobs() -> Iterator[Job]:
    """Yield what to run, by name: every layout, form of input, readout, cell and generator."""
    for name in ("float64", "float32"):
        rng = np.random.default_rng(0)
        series = np.sin(np.arange(120.0) / 5)[:, None].astype(name)
        for topology, matrix in _topologies(rng):
            yield f"reservoirs, {topology}, {name}", _Reservoirs(matrix, series)
        yield f"readouts, {name}", _Readouts(rng.standard_normal((90, 4)).astype(name))
        yield f"trained networks, {name}", _Networks(series)
    yield "linear dynamical systems, hidden Markov models", _fit_state_space_models
    yield "generators of series", _generate_series


def _topologies(rng) -> Iterator[tuple[str, object]]:
    """Yield a topology for every layout of W: diagonals, rows of equal and of unequal lengths."""
    yield "diagonals", "diagonals"
    yield "random", "random"
    one_long_row = np.diag(rng.uniform(0.1, 0.9, 100))
    one_long_row[0] = 0.1
    yield "unequal rows", one_long_row


class _Reservoirs:
    """Run reservoirs on a series, on batches of two sizes, with noise, and in closed loop."""

    def __init__(self, topology, series):
        self.topology, self.series = topology, series

    def __call__(self):
        from esnkit import ESNRegressor, Reservoir

        series, fixed = self.series, {"topology": self.topology, "random_state": 0}
        noisy = ESNRegressor(100, noise=1e-3, **fixed).fit(series[:-1], series[1:])
        noisy.predict(series)
        noisy.generate(3)
        batch = np.stack([series[:30]] * 4)
        for pooling in ("mean", "statistics", ["statistics", "pyramid", "model_space"]):
            ESNRegressor(100, pooling=pooling, **fixed).fit(batch, batch[:, -1, 0])
        for n_sequences in (4, 32):
            Reservoir(100, **fixed).fit_transform(np.stack([series[:30]] * n_sequences))
        if isinstance(self.topology, str) and self.topology == "diagonals":
            # Large enough that threads share the units.
            Reservoir(4608, **fixed).fit_transform(np.tile(series, (8, 1)))


class _Readouts:
    """Fit readouts by every solver, with and without weights."""

    def __init__(self, X):
        self.X = X

    def __call__(self):
        from esnkit import RidgeReadout

        for solver in ("gram", "qr"):
            for weights in (None, np.linspace(0.5, 1.0, len(self.X))):
                readout = RidgeReadout(solver=solver).fit(self.X, self.X, weights)
                readout.predict(self.X)


class _Networks:
    """Train a network by every kind of gradient, and run it in closed loop."""

    def __init__(self, series):
        self.series = series

    def __call__(self):
        from esnkit import RNNRegressor, Seq2SeqClassifier

        series, fixed = self.series, {"max_iter": 1, "random_state": 0}
        for solver in ("adam", "hessian_free"):
            network = RNNRegressor(8, solver=solver, **fixed).fit(series[:-1], series[1:])
            network.generate(3)
            network.stream().step(series[0])
        batch = np.stack([series[:30]] * 8)
        RNNRegressor(8, n_layers=2, pooling="attention", **fixed).fit(batch, batch[:, -1, 0])
        if series.dtype == np.float64:
            tokens = [np.array([0, 1, 2]), np.array([2, 1])] * 4
            Seq2SeqClassifier(8, **fixed).fit(tokens, tokens).predict(tokens)


def _fit_state_space_models():
    from esnkit.baselines import HiddenMarkovModel, LinearDynamicalSystem

    series = np.sin(np.arange(60.0) / 5)[:, None]
    LinearDynamicalSystem(max_iter=1).fit(series)
    HiddenMarkovModel(n_init=1, max_iter=1).fit(series).predict(series)


def _generate_series():
    from esnkit import datasets

    for method in ("rk4", "euler"):
        datasets.make_mackey_glass(20, method=method)
    datasets.make_lorenz(20)
    datasets.make_narma(20)
