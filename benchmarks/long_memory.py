"""Long-memory tasks: which network solves which task within the same CPU time.

    python benchmarks/long_memory.py [--budget 60] [--seeds 5] [--jobs 2] [--quick] [--plot FILE]

The tasks are adding and temporal order with two and with three symbols (family "ms"), each at
T = 50, 100 and 200, and the digits pixel by pixel (64 steps, shuffled split). The budget of every
method is the CPU time of training and of the predictions for 1000 check sequences, without
compilation. Training stops early once the error rate on the check sequences is low enough. A seed
*solves* a task if the error rate on 10 000 test sequences is below 1 % (adding: an error is an
absolute error above 0.04, and the mean error must be below 0.01), the digits if the accuracy on a
held-out fifth of them is above 95 %.

    linear  ridge regression on the last T steps
    esn     one reservoir, leak rates log-uniform from 0.1 / T to 1; the readout is fitted to 5000
            sequences, then to 10 000, 20 000 and 40 000
    rnn     plain RNN, ReLU with identity initialisation (Le, Jaitly & Hinton 2015), Adam
    lstm    and gru: chrono initialisation (Tallec & Ollivier 2018), Adam

The gradient-trained networks draw new sequences for every update. Each method has the same settings
for all tasks and T, printed with the table; they were selected on other sequences.
"""

import time
from typing import Any, NamedTuple

import numpy as np
from _accuracy import format_settings, parse
from joblib import Parallel, delayed
from learning import N_CHECK, N_TEST, Task, adding, order, zero_one_errors
from sklearn.linear_model import Ridge, RidgeClassifier
from sklearn.model_selection import train_test_split

from esnkit import ESNClassifier, ESNRegressor, RNNClassifier, RNNRegressor
from esnkit.datasets import load_digits_sequences

LENGTHS = (50, 100, 200)
# Raw inputs, the last state and a constant learning rate, as in the papers.
AS_PUBLISHED = {"standardize": False, "pooling": "last", "learning_rate": "constant"}
GATED = {"init": "chrono", "n_units": 32, "learning_rate_init": 0.01, "batch_size": 32}
SETTINGS: dict[str, dict[str, Any]] = {
    "linear": {"alpha": 1.0},
    "esn": {
        "n_units": 500, "spectral_radius": 0.01, "input_scaling": 1.0, "bias_scaling": 0.5,
        "alpha": [1e-8, 1e-6, 1e-4, 1e-2], "pooling": "last",
    },
    "rnn": {
        "cell": "rnn", "activation": "relu", "init": "identity", "n_units": 64,
        "learning_rate_init": 1e-3, "batch_size": 32,
    },
    "lstm": {"cell": "lstm"} | GATED,
    "gru": {"cell": "gru"} | GATED,
}  # fmt: skip
CLOSED_FORM = ("linear", "esn")  # each round fits them again, to twice as many sequences
N_FIRST_FIT, MAX_DOUBLINGS = 5000, 3
N_SEQUENCES, DECAY = 2000, 0.98  # per round of gradient-based training
COLOURS = {
    "linear": "#4D4D4D", "esn": "#D55E00", "rnn": "#CC79A7", "lstm": "#0072B2", "gru": "#009E73",
}  # fmt: skip


class LinearModel:
    """Ridge regression on the last steps of a sequence, padded with zeros at the start."""

    def __init__(self, classify, n_steps, alpha):
        self.n_steps = n_steps
        self.model = RidgeClassifier(alpha) if classify else Ridge(alpha)

    def flatten(self, X):
        rows = np.zeros((len(X), self.n_steps, X[0].shape[1]), np.float32)
        for row, x in zip(rows, X, strict=True):
            row[self.n_steps - len(x[-self.n_steps :]) :] = x[-self.n_steps :]
        return rows.reshape(len(X), -1)

    def fit(self, X, y):
        self.model.fit(self.flatten(X), y)
        return self

    def predict(self, X):
        return self.model.predict(self.flatten(X))


class Result(NamedTuple):
    """Outcome of one method and seed on a task."""

    task: str
    n_steps: int
    method: str
    seed: int
    error_rate: float
    solved: bool
    seconds: float


class Source(NamedTuple):
    """The sequences of a task."""

    task: Task
    make_training: Any  # (n_sequences) -> X, y
    check: Any  # X, y
    test: Any  # X, y
    stop_error_rate: float  # of the check sequences, at which training ends


def generated(task, seed):
    """Return a source that draws new sequences for training."""
    rng = np.random.RandomState(20_000 + seed)
    check, test = task.make(N_CHECK, rng), task.make(N_TEST, rng)
    return Source(task, lambda n: task.make(n, rng), check, test, 0.003)


def digits(seed):
    """Return the 8 x 8 digits: a fifth for testing, a fifth of the rest as check sequences."""
    X, y = load_digits_sequences(return_X_y=True)
    X, X_test, y, y_test = train_test_split(
        X.astype(np.float32), y, test_size=0.2, random_state=seed
    )
    X, X_check, y, y_check = train_test_split(X, y, test_size=0.2, random_state=seed)
    task = Task(None, zero_one_errors, RNNClassifier, max_error_rate=0.05)
    return Source(task, lambda n: (X, y), (X_check, y_check), (X_test, y_test), 0.02)


TASKS = {
    "adding": (adding, LENGTHS),
    "order, 2 symbols": (order, LENGTHS),
    "order, 3 symbols": (lambda n_steps: order(n_steps, 3), LENGTHS),
    "digits": (None, (64,)),
}


def make_model(method, classify, n_steps, seed):
    settings = SETTINGS[method]
    if method == "linear":
        return LinearModel(classify, n_steps, **settings)
    if method == "esn":
        Model = ESNClassifier if classify else ESNRegressor
        leak = (0.1 / n_steps, 1.0)
        return Model(leak_rate=leak, target="sequence", random_state=seed, **settings)
    Model = RNNClassifier if classify else RNNRegressor
    return Model(random_state=seed, **AS_PUBLISHED, **settings)


def train(model, method, source, round_index):
    """Train a model for one round; return whether another round may follow."""
    if method in CLOSED_FORM:
        n_sequences = N_FIRST_FIT * 2**round_index
        X, y = source.make_training(n_sequences)
        model.fit(X, y)
        return len(X) == n_sequences and round_index < MAX_DOUBLINGS
    rate = SETTINGS[method]["learning_rate_init"] * DECAY**round_index
    model.set_params(learning_rate_init=rate)
    model.partial_fit(*source.make_training(N_SEQUENCES))
    return True


def run(name, n_steps, method, seed, budget):
    """Return the result of a method on a task within a budget of CPU seconds."""
    make = TASKS[name][0]
    source = digits(seed) if make is None else generated(make(n_steps), seed)
    task, (X_check, y_check), (X_test, y_test) = source.task, source.check, source.test
    classify = task.model is RNNClassifier
    # Compile the kernels before the time is measured.
    make_model(method, classify, n_steps, seed).fit(X_check[:40], y_check[:40])
    model = make_model(method, classify, n_steps, seed)
    seconds, round_index, may_continue = 0.0, 0, True
    try:
        while may_continue and seconds <= budget:
            started = time.process_time()
            may_continue = train(model, method, source, round_index)
            error_rate, mean_error = task.score(model.predict(X_check), y_check)
            seconds += time.process_time() - started
            if task.may_stop(error_rate, mean_error, source.stop_error_rate):
                break
            round_index += 1
    except FloatingPointError:
        return Result(name, n_steps, method, seed, 1.0, False, budget)
    error_rate, mean_error = task.score(model.predict(X_test), y_test)
    solved = task.is_solved(error_rate, mean_error) and seconds <= budget
    return Result(name, n_steps, method, seed, float(error_rate), solved, seconds)


def print_table(results):
    """Print a row for every task, length and method."""
    line = "{:<18}{:>5}  {:<8}{:>10}{:>12}{:>22}{:>12}"
    print("\n" + line.format("task", "T", "method", "solved", "errors, %", "range", "seconds"))
    cases = dict.fromkeys((r.task, r.n_steps, r.method) for r in results)
    for name, n_steps, method in cases:
        group = select_results(results, name, n_steps, method)
        errors = 100 * np.array([r.error_rate for r in group])
        print(
            line.format(
                name, n_steps, method, f"{sum(r.solved for r in group)} of {len(group)}",
                f"{np.median(errors):.2f}", f"[{errors.min():.2f}, {errors.max():.2f}]",
                f"{np.median([r.seconds for r in group]):.1f}",
            )
        )  # fmt: skip


def select_results(results, name, n_steps, method):
    return [r for r in results if (r.task, r.n_steps, r.method) == (name, n_steps, method)]


def plot(results, budget, path):
    """Plot the CPU time of every seed; a cross is a seed that does not solve the task."""
    import matplotlib.pyplot as plt

    methods, n_lengths = list(SETTINGS), len(LENGTHS)
    figure, axes = plt.subplots(
        1, len(TASKS), figsize=(12, 4.2), sharey=True, layout="constrained",
        width_ratios=[n_lengths] * (len(TASKS) - 1) + [1.3],
    )  # fmt: skip
    for axis, (name, (_, lengths)) in zip(axes, TASKS.items(), strict=True):
        for position, n_steps in enumerate(lengths):
            for k, method in enumerate(methods):
                group = select_results(results, name, n_steps, method)
                x = position + 0.16 * (k - 2) + 0.02 * (np.arange(len(group)) - len(group) / 2)
                solved = np.array([r.solved for r in group], bool)
                seconds = np.array([max(r.seconds, 0.02) for r in group])
                axis.plot(x[solved], seconds[solved], "o", ms=5, color=COLOURS[method])
                axis.plot(x[~solved], np.full((~solved).sum(), 1.6 * budget), "x", ms=6,
                          color=COLOURS[method])  # fmt: skip
        axis.axhline(1.2 * budget, color="0.7", lw=0.8)
        axis.set(yscale="log", title=name, xlabel="time steps", xlim=(-0.5, len(lengths) - 0.5))
        axis.set_xticks(range(len(lengths)), lengths)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylim(0.015, 4 * budget)  # the axes share it
    axes[0].set_ylabel("seconds of one core until solved")
    axes[0].text(-0.45, 2.3 * budget, f"not solved in {budget:g} s", fontsize=8, color="0.4")
    figure.legend(
        handles=[plt.Line2D([], [], marker="o", ls="", color=COLOURS[m], label=m) for m in methods],
        ncols=len(methods), loc="outside lower center", frameon=False,
    )  # fmt: skip
    figure.savefig(path, dpi=150)
    print(f"\nwrote {path}")


def main():
    options = parse(
        __doc__,
        budget=(60.0, "CPU seconds for every method, task, length and seed"),
        jobs=(2, "number of processes"),
        plot=("long_memory.png", "file of the picture"),
    )
    budget = 2.0 if options.quick else options.budget
    n_seeds = options.seeds or (1 if options.quick else 5)
    cases = [
        (name, n_steps, method, seed, budget)
        for name, (_, lengths) in TASKS.items()
        for n_steps in (lengths[:1] if options.quick else lengths)
        for method in SETTINGS
        for seed in range(n_seeds)
    ]
    # The cases that take longest run first, so that all processes end at about the same time.
    schedule = sorted(range(len(cases)), key=lambda i: (cases[i][2] != "rnn", -cases[i][1]))
    scheduled = Parallel(n_jobs=options.jobs)(delayed(run)(*cases[i]) for i in schedule)
    results = [scheduled[schedule.index(i)] for i in range(len(cases))]
    print(f"\nBudget {budget:g} s, {n_seeds} seeds")
    for method, settings in SETTINGS.items():
        print(f"  {method}: {format_settings(settings)}")
    print_table(results)
    plot(results, budget, options.plot)


if __name__ == "__main__":
    main()
