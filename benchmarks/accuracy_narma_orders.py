"""NARMA-10, -20 and -30: NRMSE of a series driven by random input, beside hypercube-esn.

    python benchmarks/accuracy_narma_orders.py [--quick] [--select] [--seeds 10]

The model predicts y(t+1) from u(0), ..., u(t). Tasks 10, 20 and 30 are those of ``make_narma``, of
which 20 has a tanh. The tasks "tanh" are those of hypercube-esn, with the lag of the order and

    y(t) = tanh(0.3 y(t-1) + 0.05 y(t-1) [y(t-1) + ... + y(t-n)] + 1.5 u(t-n) u(t) + 0.1).

NRMSE is the root mean squared error divided by the standard deviation of the target over the test
steps. Every seed has its own reservoir and series. Lengths are those of hypercube-esn: a washout of
300 steps, then 6400 for training and 1600 for the test; "30, tanh" has 25 600 and 6400.

Published (github.com/dliptak001/HypercubeESN, examples/NARMA): 0.0927 (10) and 0.1588 ("20, tanh")
with 4096 units, means of five reservoirs on one series with the best of eight depths of the delay
line by these scores; 0.0441 ("30, tanh") with 1024 units, mean of the best five of twenty
reservoirs. The readouts are trained convolutional networks.

Three models, all with one output of linear coefficients:

- A reservoir that receives the input alone; the readout reads the squares of half of its units. On
  NARMA-30 it comes near all that products of two inputs can give: least squares of all 1830 of the
  last 60 inputs have a median NRMSE of 0.053 on six validation series, where 1000 units have 0.076
  and 2000 units 0.066. Products of four inputs are needed for less.
- The same behind ``NVAR(2, orders=2)``: the reservoir receives u(t)^2, u(t) u(t-s) and u(t-s)^2.
- NVAR of the last inputs and outputs, 10, 20 or 30 of each, and all products of two of them; in the
  test its outputs are fed back. The equations of orders 10 and 30 of ``make_narma`` have this form.

``--select`` finds the settings below, one for all tasks, and the lag s of each, on validation data:
its seeds and series differ from those of the table, and its networks have half of the units. The
score is the mean over the tasks of the logarithm of the median NRMSE. The penalty is selected by
leave-one-out on the training steps.
"""

import warnings
from functools import partial
from typing import NamedTuple

import numpy as np
from _accuracy import format_settings, parse, print_goal, print_header, print_row, select
from sklearn.pipeline import make_pipeline

from esnkit import NVAR, ESNRegressor, ReservoirRegressor, RidgeReadout
from esnkit.datasets import make_narma
from esnkit.metrics import nrmse

ALPHAS = [10.0**k for k in range(-14, -2)]
PLAIN = {
    "topology": "diagonals",
    "degree": 50,
    "spectral_radius": 0.95,
    "input_scaling": 0.005,
    "bias_scaling": 0.3,
    "leak_rate": 1.0,
    "quadratic": True,
}
PLAIN_GRID = {
    "leak_rate": (1.0, 0.5, (0.1, 1.0)),
    "spectral_radius": (0.8, 0.9, 0.95, 0.98, 1.02),
    "input_scaling": (0.001, 0.003, 0.005, 0.01, 0.03, 0.1),
    "bias_scaling": (0.05, 0.1, 0.2, 0.3, 0.5, 1.0),
    "degree": (10, 20, 50, 100),
    "quadratic": (True, False),
}
PRODUCTS = {
    "topology": "diagonals",
    "spectral_radius": 0.95,
    "leak_rate": (0.1, 1.0),
    "input_scaling": 0.3,
    "bias_scaling": 0.5,
}
PRODUCTS_GRID = {
    "topology": ("diagonals", "random", "sparse_orthogonal"),
    "leak_rate": (1.0, 0.5, (0.1, 1.0), (0.03, 1.0)),
    "spectral_radius": (0.8, 0.9, 0.95, 0.98, 1.0, 1.02),
    "input_scaling": (0.003, 0.01, 0.03, 0.1, 0.3, 1.0),
    "bias_scaling": (0.05, 0.1, 0.2, 0.5, 1.0),
}
WASHOUT, N_DISCARD = 300, 500
TEST, VALIDATION = 0, 1000  # first seeds


class Task(NamedTuple):
    order: int
    with_tanh: bool
    lag: int  # selected
    goal: float
    n_train: int = 6400
    n_test: int = 1600

    def series(self, seed):
        """Return the input and the target."""
        n_steps = WASHOUT + self.n_train + self.n_test
        if not self.with_tanh:
            return make_narma(n_steps, order=self.order, random_state=seed)
        return make_narma_with_tanh(n_steps, self.order, seed)

    def nrmse(self, model, seed):
        """Return the test error of a model, which runs over all steps."""
        u, y = self.series(seed)
        stop = WASHOUT + self.n_train
        model.fit(u[:stop], y[:stop])
        return nrmse(y[stop:], model.predict(u)[stop:])

    def nrmse_with_feedback(self, seed):
        """Return the test error of NVAR with its outputs fed back, from the last true ones on."""
        u, y = self.series(seed)
        stop = WASHOUT + self.n_train
        model = ReservoirRegressor(
            NVAR(self.order), RidgeReadout(1e-12), feedback=True, include_input=False,
            washout=WASHOUT,
        )  # fmt: skip
        model.fit(u[:stop], y[:stop])
        return nrmse(y[stop:], model.predict(u[stop:], initial_state=model.last_state_))


TASKS = {
    "10": Task(10, False, 9, 0.0927),
    "20": Task(20, False, 19, 0.1588),
    "20, tanh": Task(20, True, 20, 0.1588),
    "30": Task(30, False, 29, 0.0441),
    "30, tanh": Task(30, True, 30, 0.0441, 25_600, 6400),
}


def make_narma_with_tanh(n_steps, order, seed):
    """Return input and target of the task of hypercube-esn."""
    first = order + N_DISCARD
    u = np.random.default_rng(seed).uniform(0.0, 0.5, first + n_steps)
    y = np.zeros(first + n_steps)
    for t in range(order, len(y)):
        total = y[t - order : t].sum()
        y[t] = np.tanh(0.3 * y[t - 1] + 0.05 * y[t - 1] * total + 1.5 * u[t - order] * u[t] + 0.1)
    return u[first:, np.newaxis], y[first:]


def network(seed, n_units, lag, **settings):
    """Return a network, behind products of two inputs if there is a lag."""
    network = ESNRegressor(n_units, washout=WASHOUT, alpha=ALPHAS, random_state=seed, **settings)
    return make_pipeline(NVAR(2, spacing=lag, orders=2), network) if lag else network


def validate(n_units, lags, n_seeds=2, **settings):
    """Return the mean over the tasks of the logarithm of the median error on validation data."""
    seeds = range(VALIDATION, VALIDATION + n_seeds)
    medians = [
        np.median([task.nrmse(network(s, n_units, lag, **settings), s) for s in seeds])
        for task, lag in zip(TASKS.values(), lags, strict=True)
    ]
    return float(np.mean(np.log10(medians)))


def select_lag(name, n_units=50, longest=40):
    """Return the lag with the smallest error on a validation series, of a small network."""
    errors = [
        TASKS[name].nrmse(network(VALIDATION, n_units, lag, **PRODUCTS), VALIDATION)
        for lag in range(1, longest + 1)
    ]
    best = np.argsort(errors)[:3]
    print(f"NARMA-{name}: lags {best + 1}, errors {np.array(errors)[best].round(3)}", flush=True)
    return int(best[0]) + 1


def show(name, n_units, seeds, plain, products, lag):
    """Print the rows of a task and return the medians of the two networks."""
    task, medians = TASKS[name], []
    rows = (("input alone", plain, 0), (f"products, lag {lag}", products, lag))
    for title, settings, used in rows:
        scores = [task.nrmse(network(s, n_units, used, **settings), s) for s in seeds]
        medians.append(print_row(f"NARMA-{name}: {title}", scores))
    if not task.with_tanh:
        scores = [task.nrmse_with_feedback(seed) for seed in seeds]
        print_row(f"NARMA-{name}: NVAR, feedback", scores)
    return medians


def main():
    options = parse(__doc__)
    warnings.filterwarnings("ignore", "a NARMA stream", UserWarning)
    n_units = 100 if options.quick else 1000
    seeds = range(TEST, TEST + (options.seeds or (1 if options.quick else 10)))
    plain, products, lags = PLAIN, PRODUCTS, [task.lag for task in TASKS.values()]
    if options.select:
        lags = [select_lag(name) for name in TASKS]
        score, none = partial(validate, n_units // 2), len(lags) * [0]
        title = "Validation scores, {}".format
        products = select(partial(score, lags), PRODUCTS_GRID, PRODUCTS, title=title("products"))
        plain = select(partial(score, none), PLAIN_GRID, PLAIN, title=title("input alone"))
    print(f"\nN = {n_units}, {len(seeds)} seeds")
    print(f"input alone: {format_settings(plain)}\nproducts: {format_settings(products)}")
    print_header()
    names = list(TASKS)[: 1 if options.quick else None]
    medians = [
        show(name, n_units, seeds, plain, products, lag)
        for name, lag in zip(names, lags, strict=False)
    ]
    for name, pair in zip(names, medians, strict=True):
        for title, median in zip(("input alone", "products"), pair, strict=True):
            if not options.quick:
                print_goal(f"NRMSE, NARMA-{name}, {title}", median, "<=", TASKS[name].goal)


if __name__ == "__main__":
    main()
