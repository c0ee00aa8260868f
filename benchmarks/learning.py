"""Accuracy of the trained networks on long-memory tasks, vowels and digits, ten seeds per row.

    python benchmarks/learning.py [--row NAME] [--quick] [--seeds 10] [--jobs 1] [--data PATH]

adding          LSTM and GRU on the adding problem (family "ms"), T = 100. A sequence counts as an
                error if the absolute error exceeds 0.04 (Martens & Sutskever 2011). A seed solves
                the task if the error rate on 10 000 test sequences is below 1 % and the mean
                absolute error below 0.01.
order           LSTM and GRU on the temporal order problem with two symbols, T = 100. A seed solves
                the task if the error rate on 10 000 test sequences is below 1 %.
momentum        plain RNN with the sparse initialisation of Sutskever et al. (2013) on adding,
                T = 80: Nesterov momentum of 0.995, and gradient descent without momentum, each for
                at most 75 000 updates or ten minutes.
                Published (their table 5): error rates of 0.00025 and 0.39 after 50 000 updates.
                Unlike theirs, the input scaling is 3e-4 (theirs 1e-3), gradients are clipped at a
                norm of 1, and the learning rate decays once the error rate is 10 % or less: with
                larger steps or inputs, half of the seeds predicted no more than the mean.
hessian_free    plain RNN on adding, T = 30: Hessian-free, and gradient descent without momentum,
                which takes as long for 20 000 updates.
vowels          bidirectional LSTM on Japanese Vowels, accuracy on the 370 test utterances; the data
                are those of accuracy_japanese_vowels.py.
digits          LSTM on the 8 x 8 digits pixel by pixel, shuffled split, a fifth for testing.

Generated tasks draw new sequences for every batch. 1000 check sequences end the training early,
and the printed scores are from 10 000 test sequences. Times are CPU seconds. The settings were
selected on other sequences, those of the digits on other splits; those of Japanese Vowels are the
first that were tried.
"""

import time
from typing import Any, NamedTuple

import numpy as np
from _accuracy import format_settings, parse
from accuracy_japanese_vowels import DATA_HELP, find_folder, read_split
from joblib import Parallel, delayed
from sklearn.model_selection import train_test_split

from esnkit import RNNClassifier, RNNRegressor
from esnkit.datasets import load_digits_sequences, make_adding, make_temporal_order

ROWS = ("adding", "order", "momentum", "hessian_free", "vowels", "digits")
N_TEST, N_CHECK = 10_000, 1000
# Raw inputs, the last state and a constant learning rate, as in the papers.
AS_PUBLISHED = {"standardize": False, "pooling": "last", "learning_rate": "constant"}
GATED = {"init": "chrono", "n_units": 32, "learning_rate_init": 0.01, "batch_size": 32}
SPARSE = {"cell": "rnn", "init": "sparse", "n_units": 100}
NESTEROV = {
    "solver": "sgd", "learning_rate_init": 5e-4, "momentum": 0.995, "momentum_schedule": "delayed",
    "batch_size": 100, "clip_norm": 1.0, "input_scaling": 3e-4,
}  # fmt: skip
NO_MOMENTUM = NESTEROV | {
    "momentum": 0.0, "momentum_schedule": "constant", "learning_rate_init": 0.03,
}  # fmt: skip
HESSIAN_FREE = {"solver": "hessian_free", "input_scaling": 0.25, "max_cg_iter": 100}
GRADIENT_DESCENT = NO_MOMENTUM | {"input_scaling": 0.25}
VOWELS = {"n_units": 32, "cell": "lstm", "bidirectional": True, "pooling": "mean"}
VOWELS |= {"learning_rate_init": 0.005, "batch_size": 10}
DIGITS = {"n_units": 128, "cell": "lstm", "init": "chrono", "learning_rate_init": 0.05}
DIGITS |= {"alpha": 0.01, "batch_size": 32}


class Task(NamedTuple):
    """A generator of sequences, the errors of predictions, and when the task counts as solved."""

    make: Any  # (n, random_state) -> X, y
    score: Any  # (y_pred, y) -> error rate, mean error
    model: Any
    max_mean_error: float = np.inf
    max_error_rate: float = 0.01

    def is_solved(self, error_rate, mean_error):
        return bool(error_rate < self.max_error_rate and mean_error < self.max_mean_error)

    def may_stop(self, error_rate, mean_error, stop_error_rate):
        """Return whether training may end: solved with a margin, as other sequences differ."""
        return bool(error_rate < stop_error_rate and mean_error < 0.75 * self.max_mean_error)


def adding(n_timesteps, centred=False):
    """Return the adding problem; if centred, its values have a mean of zero."""

    def make(n, rng):
        X, y, _ = make_adding(n, n_timesteps, random_state=rng)
        return [(x - [0.5 * centred, 0.0]).astype(np.float32) for x in X], y

    def score(y_pred, y):
        errors = np.abs(y_pred - y)
        return np.mean(errors > 0.04), errors.mean()

    return Task(make, score, RNNRegressor, np.inf if centred else 0.01)


def order(n_timesteps, n_symbols=2):
    """Return the temporal order problem."""

    def make(n, rng):
        X, y, _ = make_temporal_order(n, n_timesteps, n_symbols=n_symbols, random_state=rng)
        return X.astype(np.float32), y

    return Task(make, zero_one_errors, RNNClassifier)


def zero_one_errors(y_pred, y):
    """Return the error rate, which is the mean error, too."""
    error_rate = np.mean(y_pred != y)
    return error_rate, error_rate


class Result(NamedTuple):
    """Scores on the test sequences, and the cost of the training."""

    error_rate: float
    mean_error: float
    n_updates: int
    seconds: float


def learn(
    task, settings, seed, *, n_sequences=2000, max_rounds=200, decay=1.0, decay_error_rate=1.0,
    stop_error_rate=0.003, max_seconds=600.0,
):  # fmt: skip
    """Train on new sequences, ``n_sequences`` per round, and score on test sequences.

    After a round whose error rate on the check sequences is at most ``decay_error_rate``, the
    learning rate is multiplied by ``decay``. Training ends after ``max_rounds``, after
    ``max_seconds`` of CPU time, or once the error rate is below ``stop_error_rate`` and the mean
    error below three quarters of its limit.
    """
    rng = np.random.RandomState(10_000 + seed)
    model = task.model(random_state=seed, **AS_PUBLISHED, **settings)
    rate = settings.get("learning_rate_init")
    (X_check, y_check), started = task.make(N_CHECK, rng), time.process_time()
    n_rounds, seconds = 0, 0.0
    while n_rounds < max_rounds and seconds <= max_seconds:
        if rate is not None:
            model.set_params(learning_rate_init=rate)
        model.partial_fit(*task.make(n_sequences, rng))
        error_rate, mean_error = task.score(model.predict(X_check), y_check)
        if rate is not None and error_rate <= decay_error_rate:
            rate *= decay
        n_rounds, seconds = n_rounds + 1, time.process_time() - started
        if task.may_stop(error_rate, mean_error, stop_error_rate):
            break
    X, y = task.make(N_TEST, rng)
    batch_size = n_sequences if settings.get("solver") == "hessian_free" else settings["batch_size"]
    n_updates = n_rounds * -(-n_sequences // batch_size)
    return Result(*task.score(model.predict(X), y), n_updates, seconds)


def try_learn(task, settings, seed, schedule):
    """Return the result of :func:`learn`; training that diverges has an error rate of 1."""
    try:
        return learn(task, settings, seed, **schedule)
    except FloatingPointError as error:
        print(f"  seed {seed}: {str(error)[:70]}")
        return Result(1.0, np.inf, 0, 0.0)


def report_errors(title, task, settings, options, **schedule):
    """Train for every seed; print a row per seed and the medians."""
    print(f"\n{title}\n  {format_settings(settings | schedule)}", flush=True)
    if options.quick:
        schedule["max_rounds"] = 2
    jobs = (delayed(try_learn)(task, settings, seed, schedule) for seed in options.range)
    results = []
    for seed, result in enumerate(Parallel(options.jobs, return_as="generator")(jobs)):
        results.append(result)
        print(
            f"  seed {seed}: {100 * result.error_rate:7.3f} % errors, "
            f"mean error {result.mean_error:.4f}, "
            f"{result.n_updates} updates, {result.seconds:.0f} s",
            flush=True,
        )
    n_solved = sum(task.is_solved(r.error_rate, r.mean_error) for r in results)
    error_rate = np.median([r.error_rate for r in results])
    mean_error = np.mean([r.mean_error for r in results])
    seconds = np.median([r.seconds for r in results])
    print(
        f"  solved: {n_solved} of {len(results)} seeds, {100 * error_rate:.3f} % errors (median), "
        f"mean error {mean_error:.4f}, {seconds:.0f} s (median)"
    )


def report_accuracy(title, make_split, fit, settings, options, goal):
    """Print the accuracy for every seed, and the median with the goal."""
    print(f"\n{title}\n  {format_settings(settings)}", flush=True)
    accuracies = []
    for seed in options.range:
        train, test = make_split(seed)
        started = time.process_time()
        model = fit(train, seed)
        accuracies.append(model.score(*test))
        seconds = time.process_time() - started
        print(f"  seed {seed}: accuracy {accuracies[-1]:.4f}, {seconds:.0f} s", flush=True)
    median = np.median(accuracies)
    outcome = "met" if median >= goal else "MISSED"
    print(
        f"  median {median:.4f}, minimum {min(accuracies):.4f}; goal >= {goal}: {outcome}",
        flush=True,
    )


def gated(name, task, options):
    for cell in ("lstm", "gru"):
        settings = {"cell": cell} | GATED
        report_errors(f"{name}, {cell}", task, settings, options, decay=0.98, max_rounds=200)


def momentum(options):
    task = adding(80, centred=True)
    schedule = {
        "n_sequences": 10_000, "decay": 0.99, "decay_error_rate": 0.1, "stop_error_rate": 0.005,
    }  # fmt: skip
    for name, settings in (("Nesterov 0.995", NESTEROV), ("no momentum", NO_MOMENTUM)):
        title = f"adding T = 80, rnn, {name}"
        report_errors(title, task, SPARSE | settings, options, max_rounds=750, **schedule)


def hessian_free(options):
    task, schedule = adding(30, centred=True), {"stop_error_rate": 0.005}
    title = "adding T = 30, rnn, Hessian-free"
    report_errors(title, task, SPARSE | HESSIAN_FREE, options, **schedule)
    title = "adding T = 30, rnn, gradient descent"
    settings = SPARSE | GRADIENT_DESCENT
    report_errors(title, task, settings, options, n_sequences=10_000, **schedule)


def vowels(options):
    folder = find_folder(options.data)
    (X, y), (X_test, y_test) = read_split(folder, "TRAIN"), read_split(folder, "TEST")
    frames = np.concatenate(X)
    mean, std = frames.mean(axis=0), frames.std(axis=0)
    X, X_test = ([((x - mean) / std).astype(np.float32) for x in split] for split in (X, X_test))
    settings = VOWELS | {"max_iter": 2 if options.quick else 40}

    def fit(train, seed):
        return RNNClassifier(random_state=seed, **AS_PUBLISHED | settings).fit(*train)

    title = "Japanese Vowels, bidirectional lstm"
    split = (X, y), (X_test, y_test)
    report_accuracy(title, lambda seed: split, fit, settings, options, 0.95)


def digits(options):
    X, y = load_digits_sequences(return_X_y=True)
    n_epochs, decay = 2 if options.quick else 60, 0.96

    def make_split(seed):
        X_train, X_test, y_train, y_test = train_test_split(
            X.astype(np.float32), y, test_size=0.2, random_state=seed
        )
        return (X_train, y_train), (X_test, y_test)

    def fit(train, seed):
        model = RNNClassifier(random_state=seed, **AS_PUBLISHED, **DIGITS)
        for epoch in range(n_epochs):
            model.set_params(learning_rate_init=DIGITS["learning_rate_init"] * decay**epoch)
            model.partial_fit(*train)
        return model

    settings = DIGITS | {"n_epochs": n_epochs, "decay": decay}
    report_accuracy("digits, 64 steps, lstm", make_split, fit, settings, options, 0.95)


def main():
    options = parse(
        __doc__,
        row=("all", "one of " + ", ".join(ROWS)),
        jobs=(1, "number of seeds that run in parallel"),
        data=(None, DATA_HELP),
    )
    options.range = range(options.seeds or (2 if options.quick else 10))
    n_steps = 20 if options.quick else 100
    runs = {
        "adding": lambda: gated(f"adding T = {n_steps}", adding(n_steps), options),
        "order": lambda: gated(f"temporal order T = {n_steps}", order(n_steps), options),
        "momentum": lambda: momentum(options),
        "hessian_free": lambda: hessian_free(options),
        "vowels": lambda: vowels(options),
        "digits": lambda: digits(options),
    }
    for name in ROWS if options.row == "all" else (options.row,):
        runs[name]()


if __name__ == "__main__":
    main()
