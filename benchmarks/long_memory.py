"""Long memory: which network solves what, in the same time of one core each.

    python benchmarks/long_memory.py [--budget 60] [--seeds 5] [--jobs 2] [--quick] [--plot FILE]

Adding (family "ms"), temporal order with two and with three symbols (family "ms"), each at T = 50,
100 and 200, and digits pixel by pixel (64 steps, shuffled split). Every method has the same budget,
seconds of the processor for fitting and for looking at 1000 check sequences, without the time in
which kernels are compiled. It stops when those are right; whether a seed has *solved* the task is
then measured on 10 000 fresh sequences: less than 1 % wrong (adding: an absolute error over 0.04,
and a mean error below 0.01), and for digits 95 % of a fifth of the set, held out.

    linear  ridge regression on the last T steps, no memory of its own
    esn     one reservoir, its leak rates log-uniform from 0.1 / T to 1; the readout is fitted to
            5000 sequences, then to twice as many, and so on
    rnn     plain network, ReLU from the identity (Le, Jaitly & Hinton 2015), Adam
    lstm    and gru: gates from the chrono start (Tallec & Ollivier 2018), Adam

The gradient-trained networks see fresh sequences at every update. One setting a method for all T
and tasks, printed with the table and tried on other sequences; nothing is searched here.
"""

import time
from typing import Any, NamedTuple

import numpy as np
from _accuracy import parse, show
from joblib import Parallel, delayed
from learning import N_CHECK, N_TEST, Task, adding, order
from sklearn.linear_model import Ridge, RidgeClassifier
from sklearn.model_selection import train_test_split

from esnkit import ESNClassifier, ESNRegressor, RNNClassifier, RNNRegressor
from esnkit.datasets import load_digits_sequences

LENGTHS = (50, 100, 200)
GATED = {"init": "chrono", "n_units": 32, "learning_rate_init": 0.01, "batch_size": 32}
SETTINGS: dict[str, dict[str, Any]] = {
    "linear": {"alpha": 1.0},
    "esn": {
        "n_units": 500, "spectral_radius": 0.01, "input_scaling": 1.0, "bias_scaling": 0.5,
        "alpha": [1e-8, 1e-6, 1e-4, 1e-2],
    },
    "rnn": {
        "cell": "rnn", "activation": "relu", "init": "identity", "n_units": 64,
        "learning_rate_init": 1e-3, "batch_size": 32,
    },
    "lstm": {"cell": "lstm"} | GATED,
    "gru": {"cell": "gru"} | GATED,
}  # fmt: skip
SOLVED_AT_ONCE = ("linear", "esn")
DECAY, N_FRESH, N_FIRST = 0.98, 2000, 5000
COLOURS = {
    "linear": "#4D4D4D", "esn": "#D55E00", "rnn": "#CC79A7", "lstm": "#0072B2", "gru": "#009E73",
}  # fmt: skip


class Linear:
    """Ridge regression on all steps of a sequence, the last ones side by side."""

    def __init__(self, classify, n_steps, alpha):
        self.n_steps = n_steps
        self.model = RidgeClassifier(alpha) if classify else Ridge(alpha)

    def flat(self, X):
        rows = np.zeros((len(X), self.n_steps, X[0].shape[1]), np.float32)
        for row, x in zip(rows, X, strict=True):
            row[self.n_steps - len(x[-self.n_steps :]) :] = x[-self.n_steps :]
        return rows.reshape(len(X), -1)

    def fit(self, X, y):
        self.model.fit(self.flat(X), y)
        return self

    def predict(self, X):
        return self.model.predict(self.flat(X))


class Result(NamedTuple):
    task: str
    n_steps: int
    method: str
    seed: int
    wrong: float
    solved: bool
    seconds: float


class Source(NamedTuple):
    """Where the sequences of a task come from."""

    task: Task
    teach: Any  # (n_sequences) -> X, y
    check: Any
    test: Any
    enough: float  # share of wrong check sequences at which training ends


def endless(task, seed):
    """Return fresh sequences for everything."""
    rng = np.random.RandomState(20_000 + seed)
    check, test = task.make(N_CHECK, rng), task.make(N_TEST, rng)
    return Source(task, lambda n: task.make(n, rng), check, test, 0.003)


def digits(seed):
    """Return the 8 x 8 digits: a fifth to test, a fifth of the rest to check."""
    X, y = load_digits_sequences(return_X_y=True)
    X, X_test, y, y_test = train_test_split(
        X.astype(np.float32), y, test_size=0.2, random_state=seed
    )
    X, X_check, y, y_check = train_test_split(X, y, test_size=0.2, random_state=seed)
    wrong = order(10).wrong
    task = Task(None, wrong, RNNClassifier, most_wrong=0.05)
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
        return Linear(classify, n_steps, **settings)
    if method == "esn":
        Model = ESNClassifier if classify else ESNRegressor
        leak = (0.1 / n_steps, 1.0)
        return Model(leak_rate=leak, target="sequence", random_state=seed, **settings)
    Model = RNNClassifier if classify else RNNRegressor
    return Model(random_state=seed, **settings)


def teach(model, method, source, turn):
    """Teach a model for the turn-th time; tell whether there is more to come."""
    if method in SOLVED_AT_ONCE:
        X, y = source.teach(N_FIRST * 2**turn)
        model.fit(X, y)
        return len(X) == N_FIRST * 2**turn and turn < 3
    model.set_params(learning_rate_init=SETTINGS[method]["learning_rate_init"] * DECAY**turn)
    model.partial_fit(*source.teach(N_FRESH))
    return True


def race(name, n_steps, method, seed, budget):
    """Return what a method does with a task in so many seconds."""
    make = TASKS[name][0]
    source = digits(seed) if make is None else endless(make(n_steps), seed)
    classify, spent, more = source.task.model is RNNClassifier, 0.0, True
    warm = make_model(method, classify, n_steps, seed)
    warm.fit(source.check[0][:40], source.check[1][:40])
    model = make_model(method, classify, n_steps, seed)
    turn = 0
    try:
        while more and spent <= budget:
            began = time.process_time()
            more = teach(model, method, source, turn)
            share, error = source.task.wrong(model.predict(source.check[0]), source.check[1])
            spent += time.process_time() - began
            more = more and not source.task.surely_solved(share, error, source.enough)
            turn += 1
    except FloatingPointError:
        return Result(name, n_steps, method, seed, 1.0, False, budget)
    wrong, error = source.task.wrong(model.predict(source.test[0]), source.test[1])
    solved = source.task.solved(wrong, error) and spent <= budget
    return Result(name, n_steps, method, seed, float(wrong), solved, spent)


def table(results):
    """Print a line for every task, length and method."""
    line = "{:<18}{:>5}  {:<8}{:>10}{:>12}{:>22}{:>12}"
    print("\n" + line.format("task", "T", "method", "solved", "wrong, %", "range", "seconds"))
    cases = dict.fromkeys((r.task, r.n_steps, r.method) for r in results)
    for name, n_steps, method in cases:
        own = [r for r in results if (r.task, r.n_steps, r.method) == (name, n_steps, method)]
        wrong = 100 * np.array([r.wrong for r in own])
        print(
            line.format(
                name, n_steps, method, f"{sum(r.solved for r in own)} of {len(own)}",
                f"{np.median(wrong):.2f}", f"[{wrong.min():.2f}, {wrong.max():.2f}]",
                f"{np.median([r.seconds for r in own]):.1f}",
            )
        )  # fmt: skip


def draw(results, budget, path):
    """Draw the seconds that every seed took; crosses are those that did not solve the task."""
    import matplotlib.pyplot as plt

    methods, n_lengths = list(SETTINGS), len(LENGTHS)
    figure, axes = plt.subplots(
        1, len(TASKS), figsize=(12, 4.2), sharey=True, layout="constrained",
        width_ratios=[n_lengths] * (len(TASKS) - 1) + [1.3],
    )  # fmt: skip
    for axis, (name, (_, lengths)) in zip(axes, TASKS.items(), strict=True):
        for place, n_steps in enumerate(lengths):
            for k, method in enumerate(methods):
                own = [
                    r for r in results if (r.task, r.n_steps, r.method) == (name, n_steps, method)
                ]
                x = place + 0.16 * (k - 2) + 0.02 * (np.arange(len(own)) - len(own) / 2)
                done = np.array([r.solved for r in own], bool)
                seconds = np.array([max(r.seconds, 0.02) for r in own])
                label = method if place == 0 else None
                axis.plot(x[done], seconds[done], "o", ms=5, color=COLOURS[method], label=label)
                axis.plot(x[~done], np.full((~done).sum(), 1.6 * budget), "x", ms=6,
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
    print(f"\nthe picture is in {path}")


def main():
    options = parse(
        __doc__,
        budget=(60.0, "seconds of one core for every method, task, length and seed"),
        jobs=(2, "how many run at the same time"),
        plot=("long_memory.png", "where the picture goes"),
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
    # The longest first: then all workers end together.
    order_of_work = sorted(range(len(cases)), key=lambda i: (cases[i][2] != "rnn", -cases[i][1]))
    found = Parallel(n_jobs=options.jobs)(delayed(race)(*cases[i]) for i in order_of_work)
    results = [found[order_of_work.index(i)] for i in range(len(cases))]
    print(f"\nBudget {budget:g} s, {n_seeds} seeds")
    for method, settings in SETTINGS.items():
        print(f"  {method}: {show(settings)}")
    table(results)
    draw(results, budget, options.plot)


if __name__ == "__main__":
    main()
