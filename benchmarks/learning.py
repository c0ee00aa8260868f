"""What the trained networks learn, ten seeds a row, with the settings printed beside it.

    python benchmarks/learning.py [--row NAME] [--quick] [--seeds 10] [--jobs 1] [--data PATH]

adding          LSTM and GRU on the adding problem (family "ms"), T = 100. A sequence is right if
                the absolute error is at most 0.04 (Martens & Sutskever 2011); a seed has solved it
                if less than 1 % of 10 000 fresh sequences are wrong and the mean absolute error is
                below 0.01.
order           LSTM and GRU on the temporal order problem with two symbols, T = 100: solved if less
                than 1 % of 10 000 fresh sequences are wrong.
momentum        a plain network from the sparse start of Sutskever et al. (2013) on adding, T = 80:
                Nesterov's momentum 0.995, and gradient descent without momentum, each for at most
                75 000 updates or ten minutes.
                Published (their table 5): 0.00025 and 0.39 of the sequences wrong, after 50 000
                updates. Unlike theirs, input weights are of 3e-4 (1e-3), gradients are clipped at
                a norm of 1, and the rate falls once a tenth of the sequences or fewer are wrong:
                with larger steps or inputs half of the draws stayed at the mean predictor.
hessian_free    a plain network on adding, T = 30: Hessian-free, and gradient descent without
                momentum, which takes as long with 20 000 updates.
vowels          a bidirectional LSTM on Japanese Vowels, share of the 370 test utterances; the data
                come as for accuracy_japanese_vowels.py.
digits          an LSTM on 8 x 8 digits pixel by pixel, shuffled split, a fifth to test.

Where sequences are made, every batch is of fresh ones, and training ends when 1000 others say so
(or after the most updates); what is printed is measured on 10 000 that nothing has seen. Times are
seconds of one core. The settings were chosen on other sequences, those for digits on other splits;
those for Japanese Vowels are the first that were tried.
"""

import time
from typing import Any, NamedTuple

import numpy as np
from _accuracy import parse, show
from accuracy_japanese_vowels import DATA, find, read
from joblib import Parallel, delayed
from sklearn.model_selection import train_test_split

from esnkit import RNNClassifier, RNNRegressor
from esnkit.datasets import load_digits_sequences, make_adding, make_temporal_order

ROWS = ("adding", "order", "momentum", "hessian_free", "vowels", "digits")
N_TEST, N_CHECK = 10_000, 1000
GATED = {"init": "chrono", "n_units": 32, "learning_rate_init": 0.01, "batch_size": 32}
SPARSE = {"cell": "rnn", "init": "sparse", "n_units": 100}
NESTEROV = {
    "solver": "sgd", "learning_rate_init": 5e-4, "momentum": 0.995, "momentum_schedule": "delayed",
    "batch_size": 100, "clip_norm": 1.0, "input_scaling": 3e-4,
}  # fmt: skip
PLAIN = NESTEROV | {
    "momentum": 0.0, "momentum_schedule": "constant", "learning_rate_init": 0.03,
}  # fmt: skip
HESSIAN_FREE = {"solver": "hessian_free", "input_scaling": 0.25, "max_cg_iter": 100}
LENGTHY = PLAIN | {"input_scaling": 0.25}
VOWELS = {"n_units": 32, "cell": "lstm", "bidirectional": True, "pooling": "mean"}
VOWELS |= {"learning_rate_init": 0.005, "batch_size": 10}
DIGITS = {"n_units": 128, "cell": "lstm", "init": "chrono", "learning_rate_init": 0.05}
DIGITS |= {"alpha": 0.01, "batch_size": 32}


class Task(NamedTuple):
    """Sequences without end, and what is wrong of an answer."""

    make: Any  # (n, random_state) -> X, y
    wrong: Any  # (answers, y) -> share of wrong sequences, mean error
    model: Any
    most_error: float = np.inf  # mean error and share of wrong sequences of a solved task
    most_wrong: float = 0.01

    def solved(self, wrong, error):
        return bool(wrong < self.most_wrong and error < self.most_error)

    def surely_solved(self, wrong, error, enough):
        """Tell it with a margin: what some sequences just pass, others may just fail."""
        return bool(wrong < enough and error < 0.75 * self.most_error)


def adding(n_timesteps, centred=False):
    """Return the adding problem, where told with values around zero."""

    def make(n, rng):
        X, y, _ = make_adding(n, n_timesteps, random_state=rng)
        return [(x - [0.5 * centred, 0.0]).astype(np.float32) for x in X], y

    def wrong(answers, y):
        errors = np.abs(answers - y)
        return np.mean(errors > 0.04), errors.mean()

    return Task(make, wrong, RNNRegressor, np.inf if centred else 0.01)


def order(n_timesteps, n_symbols=2):
    """Return the temporal order problem."""

    def make(n, rng):
        X, y, _ = make_temporal_order(n, n_timesteps, n_symbols=n_symbols, random_state=rng)
        return X.astype(np.float32), y

    def wrong(answers, y):
        return (np.mean(answers != y),) * 2

    return Task(make, wrong, RNNClassifier)


class Result(NamedTuple):
    wrong: float
    error: float
    n_updates: int
    seconds: float


def learn(
    task, settings, seed, *, n_fresh=2000, most=200, decay=1.0, settled=1.0, enough=0.003,
    seconds=600.0,
):  # fmt: skip
    """Train on fresh sequences, ``n_fresh`` at a time, and measure on others.

    The learning rate falls by ``decay`` every time that at most ``settled`` of the check sequences
    are wrong. It ends after ``most`` times, after so many ``seconds`` of the processor, or when the
    share of wrong check sequences is below ``enough`` and their mean error three quarters of the
    most.
    """
    rng = np.random.RandomState(10_000 + seed)
    model = task.model(random_state=seed, **settings)
    rate = settings.get("learning_rate_init")
    check, began = task.make(N_CHECK, rng), time.process_time()
    turns, spent = 0, 0.0
    while turns < most and spent <= seconds:
        if rate is not None:
            model.set_params(learning_rate_init=rate)
        model.partial_fit(*task.make(n_fresh, rng))
        share, error = task.wrong(model.predict(check[0]), check[1])
        if rate is not None and share <= settled:
            rate *= decay
        turns, spent = turns + 1, time.process_time() - began
        if task.surely_solved(share, error, enough):
            break
    X, y = task.make(N_TEST, rng)
    batch = n_fresh if settings.get("solver") == "hessian_free" else settings["batch_size"]
    return Result(*task.wrong(model.predict(X), y), turns * -(-n_fresh // batch), spent)


def attempt(task, settings, seed, how):
    """Return what :func:`learn` does, or that it failed."""
    try:
        return learn(task, settings, seed, **how)
    except FloatingPointError as error:
        print(f"  seed {seed}: {str(error)[:70]}")
        return Result(1.0, np.inf, 0, 0.0)


def report(title, task, settings, options, **how):
    """Train for every seed, print a line each and what they say together."""
    print(f"\n{title}\n  {show(settings | how)}", flush=True)
    if options.quick:
        how["most"] = 2
    work = (delayed(attempt)(task, settings, seed, how) for seed in options.range)
    results = []
    for seed, result in enumerate(Parallel(options.jobs, return_as="generator")(work)):
        results.append(result)
        print(
            f"  seed {seed}: {100 * result.wrong:7.3f} % wrong, mean error {result.error:.4f}, "
            f"{result.n_updates} updates, {result.seconds:.0f} s",
            flush=True,
        )
    solved = sum(task.solved(r.wrong, r.error) for r in results)
    middle = np.median([r.wrong for r in results])
    error = np.mean([r.error for r in results])
    print(
        f"  solved {solved} of {len(results)}, wrong {100 * middle:.3f} % (median), mean error "
        f"{error:.4f}, {np.median([r.seconds for r in results]):.0f} s (median)"
    )


def accuracies(title, make, fit, settings, options, goal):
    """Print the share of right labels for every seed, and the median beside the goal."""
    print(f"\n{title}\n  {show(settings)}", flush=True)
    shares = []
    for seed in options.range:
        train, test = make(seed)
        began = time.process_time()
        model = fit(train, seed)
        shares.append(model.score(*test))
        spent = time.process_time() - began
        print(f"  seed {seed}: {shares[-1]:.4f} right, {spent:.0f} s", flush=True)
    middle = np.median(shares)
    verdict = "met" if middle >= goal else "MISSED"
    print(f"  median {middle:.4f}, least {min(shares):.4f}; goal >= {goal}: {verdict}", flush=True)


def gated(name, task, options):
    for cell in ("lstm", "gru"):
        settings = {"cell": cell} | GATED
        report(f"{name}, {cell}", task, settings, options, decay=0.98, most=200)


def momentum(options):
    task = adding(80, centred=True)
    how = {"n_fresh": 10_000, "decay": 0.99, "settled": 0.1, "enough": 0.005}
    for name, settings in (("Nesterov 0.995", NESTEROV), ("no momentum", PLAIN)):
        title = f"adding T = 80, rnn, {name}"
        report(title, task, SPARSE | settings, options, most=750, **how)


def hessian_free(options):
    task, how = adding(30, centred=True), {"enough": 0.005}
    title = "adding T = 30, rnn"
    report(f"{title}, Hessian-free", task, SPARSE | HESSIAN_FREE, options, **how)
    title = f"{title}, gradient descent"
    report(title, task, SPARSE | LENGTHY, options, n_fresh=10_000, **how)


def vowels(options):
    folder = find(options.data)
    (X, y), (X_test, y_test) = read(folder, "TRAIN"), read(folder, "TEST")
    frames = np.concatenate(X)
    mean, std = frames.mean(axis=0), frames.std(axis=0)
    X, X_test = ([((x - mean) / std).astype(np.float32) for x in part] for part in (X, X_test))
    settings = VOWELS | {"max_iter": 2 if options.quick else 40}

    def fit(train, seed):
        return RNNClassifier(random_state=seed, **settings).fit(*train)

    title = "Japanese Vowels, bidirectional lstm"
    accuracies(title, lambda seed: ((X, y), (X_test, y_test)), fit, settings, options, 0.95)


def digits(options):
    X, y = load_digits_sequences(return_X_y=True)
    n_epochs, decay = 2 if options.quick else 60, 0.96

    def make(seed):
        parts = train_test_split(X.astype(np.float32), y, test_size=0.2, random_state=seed)
        return (parts[0], parts[2]), (parts[1], parts[3])

    def fit(train, seed):
        model = RNNClassifier(random_state=seed, **DIGITS)
        for turn in range(n_epochs):
            model.set_params(learning_rate_init=DIGITS["learning_rate_init"] * decay**turn)
            model.partial_fit(*train)
        return model

    told = DIGITS | {"n_epochs": n_epochs, "decay": decay}
    accuracies("digits, 64 steps, lstm", make, fit, told, options, 0.95)


def main():
    options = parse(
        __doc__,
        row=("all", "one of " + ", ".join(ROWS)),
        jobs=(1, "how many seeds run at the same time"),
        data=(None, DATA),
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
