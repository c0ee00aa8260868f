"""What the trained networks learn, ten seeds a row, with the settings printed beside it.

    python benchmarks/learning.py [--row NAME ...] [--quick] [--seeds 10] [--data PATH]

adding          LSTM and GRU on the adding problem (family "ms"), T = 100. A sequence is right if
                the absolute error is at most 0.04 (Martens & Sutskever 2011); a seed has solved it
                if less than 1 % of 10 000 fresh sequences are wrong and the mean absolute error is
                below 0.01.
order           LSTM and GRU on the temporal order problem with two symbols, T = 100: solved if less
                than 1 % of 10 000 fresh sequences are wrong.
momentum        a plain network from the sparse start of Sutskever et al. (2013) on adding, T = 80:
                Nesterov's momentum 0.995, and gradient descent without momentum, as many updates.
                Published (their table 5): 0.00025 and 0.39 of the sequences wrong.
hessian_free    a plain network on adding, T = 30: Hessian-free, and gradient descent with momentum
                0.9 that may take as long.
vowels          a bidirectional LSTM on Japanese Vowels, share of the 370 test utterances; the data
                come as for accuracy_japanese_vowels.py.
digits          an LSTM on 8 x 8 digits pixel by pixel, shuffled split, a fifth to test.

Where sequences are made, every batch is of fresh ones, and training ends when 1000 others say so
(or after the most updates); what is printed is measured on 10 000 that nothing has seen. Times are
seconds of one core. The settings were tried on seeds that are not among those printed.
"""

import time
from typing import Any, NamedTuple

import numpy as np
from _accuracy import parse, show
from accuracy_japanese_vowels import DATA, find, read
from sklearn.model_selection import train_test_split

from esnkit import RNNClassifier, RNNRegressor
from esnkit.datasets import load_digits_sequences, make_adding, make_temporal_order

ROWS = ("adding", "order", "momentum", "hessian_free", "vowels", "digits")
N_TEST, N_CHECK = 10_000, 1000
GATED = {"init": "chrono", "n_units": 32, "learning_rate_init": 0.01, "batch_size": 32}
SPARSE = {"cell": "rnn", "init": "sparse", "n_units": 100}
NESTEROV = {
    "solver": "sgd", "learning_rate_init": 0.01, "momentum": 0.995, "momentum_schedule": "delayed",
    "batch_size": 100, "clip_norm": None,
}  # fmt: skip
PLAIN = NESTEROV | {"momentum": 0.0, "momentum_schedule": "constant"}
HESSIAN_FREE = {"solver": "hessian_free", "input_scaling": 0.25}
LENGTHY = NESTEROV | {"momentum": 0.9, "momentum_schedule": "constant", "input_scaling": 0.25}
VOWELS = {"n_units": 32, "cell": "lstm", "bidirectional": True, "pooling": "mean"}
VOWELS |= {"learning_rate_init": 0.005, "batch_size": 10}
DIGITS = {"n_units": 64, "cell": "lstm", "init": "chrono", "learning_rate_init": 0.005}


class Task(NamedTuple):
    """Sequences without end, and what is wrong of an answer."""

    make: Any  # (n, random_state) -> X, y
    wrong: Any  # (answers, y) -> share of wrong sequences, mean error
    model: Any
    solved: Any  # (wrong, error) -> bool


def adding(n_timesteps, centred=False):
    """Return the adding problem, where told with values around zero."""

    def make(n, rng):
        X, y, _ = make_adding(n, n_timesteps, random_state=rng)
        return [(x - [0.5 * centred, 0.0]).astype(np.float32) for x in X], y

    def wrong(answers, y):
        errors = np.abs(answers - y)
        return np.mean(errors > 0.04), errors.mean()

    return Task(make, wrong, RNNRegressor, lambda wrong, error: wrong < 0.01 and error < 0.01)


def order(n_timesteps, n_symbols=2):
    """Return the temporal order problem."""

    def make(n, rng):
        X, y, _ = make_temporal_order(n, n_timesteps, n_symbols=n_symbols, random_state=rng)
        return X.astype(np.float32), y

    def wrong(answers, y):
        return (np.mean(answers != y),) * 2

    return Task(make, wrong, RNNClassifier, lambda wrong, error: wrong < 0.01)


class Result(NamedTuple):
    wrong: float
    error: float
    n_updates: int
    seconds: float


def learn(task, settings, seed, *, n_fresh=2000, most=200, decay=1.0, enough=0.003, seconds=600.0):
    """Train on fresh sequences, ``n_fresh`` at a time, and measure on others.

    It ends after ``most`` times, after so many ``seconds`` of the processor, or when the share of
    wrong check sequences is below ``enough``, and their mean error three quarters of what counts.
    """
    rng = np.random.RandomState(10_000 + seed)
    model = task.model(random_state=seed, **settings)
    rate = settings.get("learning_rate_init")
    check, began = task.make(N_CHECK, rng), time.process_time()
    for turn in range(most):
        if rate is not None:
            model.set_params(learning_rate_init=rate * decay**turn)
        model.partial_fit(*task.make(n_fresh, rng))
        share, error = task.wrong(model.predict(check[0]), check[1])
        spent = time.process_time() - began
        if (share < enough and error < 0.0075) or spent > seconds:
            break
    X, y = task.make(N_TEST, rng)
    batch = n_fresh if settings.get("solver") == "hessian_free" else settings["batch_size"]
    return Result(*task.wrong(model.predict(X), y), (turn + 1) * -(-n_fresh // batch), spent)


def report(title, task, settings, seeds, **how):
    """Train for every seed, print a line each and what they say together."""
    print(f"\n{title}\n  {show(settings | how)}", flush=True)
    results = []
    for seed in seeds:
        try:
            result = learn(task, settings, seed, **how)
        except FloatingPointError as error:
            print(f"  seed {seed}: {str(error)[:70]}")
            result = Result(1.0, np.inf, 0, 0.0)
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
    return results


def accuracies(title, make, fit, settings, seeds, goal):
    """Print the share of right labels for every seed, and the median beside the goal."""
    print(f"\n{title}\n  {show(settings)}", flush=True)
    shares = []
    for seed in seeds:
        train, test = make(seed)
        began = time.process_time()
        model = fit(train, seed)
        shares.append(model.score(*test))
        print(f"  seed {seed}: {shares[-1]:.4f} right, {time.process_time() - began:.0f} s")
    middle = np.median(shares)
    verdict = "met" if middle >= goal else "MISSED"
    print(f"  median {middle:.4f}, least {min(shares):.4f}; goal >= {goal}: {verdict}", flush=True)


def gated(name, task, seeds, quick):
    for cell in ("lstm", "gru"):
        settings = {"cell": cell} | GATED
        report(f"{name}, {cell}", task, settings, seeds, decay=0.98, most=3 if quick else 200)


def momentum(seeds, quick):
    task, most = adding(80, centred=True), 2 if quick else 500
    for name, settings in (("Nesterov 0.995", NESTEROV), ("no momentum", PLAIN)):
        report(
            f"adding T = 80, rnn, {name}", task, SPARSE | settings, seeds,
            n_fresh=10_000, most=most, enough=0.005,
        )  # fmt: skip


def hessian_free(seeds, quick):
    task = adding(30, centred=True)
    report(
        "adding T = 30, rnn, Hessian-free", task, SPARSE | HESSIAN_FREE, seeds,
        n_fresh=5000, most=2 if quick else 200, enough=0.005,
    )  # fmt: skip
    report(
        "adding T = 30, rnn, gradient descent", task, SPARSE | LENGTHY, seeds,
        n_fresh=10_000, most=2 if quick else 200, enough=0.005,
    )  # fmt: skip


def vowels(seeds, quick, path):
    folder = find(path)
    (X, y), (X_test, y_test) = read(folder, "TRAIN"), read(folder, "TEST")
    frames = np.concatenate(X)
    mean, std = frames.mean(axis=0), frames.std(axis=0)
    X, X_test = ([((x - mean) / std).astype(np.float32) for x in part] for part in (X, X_test))

    def fit(train, seed):
        n_iter = 2 if quick else 40
        return RNNClassifier(max_iter=n_iter, random_state=seed, **VOWELS).fit(*train)

    accuracies(
        "Japanese Vowels, bidirectional lstm", lambda seed: ((X, y), (X_test, y_test)), fit, VOWELS,
        seeds, 0.95,
    )  # fmt: skip


def digits(seeds, quick):
    X, y = load_digits_sequences(return_X_y=True)

    def make(seed):
        parts = train_test_split(X.astype(np.float32), y, test_size=0.2, random_state=seed)
        return (parts[0], parts[2]), (parts[1], parts[3])

    def fit(train, seed):
        model = RNNClassifier(random_state=seed, **DIGITS)
        for turn in range(2 if quick else 100):
            model.set_params(learning_rate_init=DIGITS["learning_rate_init"] * 0.97**turn)
            model.partial_fit(*train)
        return model

    accuracies("digits, 64 steps, lstm", make, fit, DIGITS | {"decay": 0.97}, seeds, 0.95)


def main():
    options = parse(__doc__, row=("all", "one of " + ", ".join(ROWS)), data=(None, DATA))
    seeds, quick = range(options.seeds or (2 if options.quick else 10)), options.quick
    n_steps = 20 if quick else 100
    runs = {
        "adding": lambda: gated(f"adding T = {n_steps}", adding(n_steps), seeds, quick),
        "order": lambda: gated(f"temporal order T = {n_steps}", order(n_steps), seeds, quick),
        "momentum": lambda: momentum(seeds, quick),
        "hessian_free": lambda: hessian_free(seeds, quick),
        "vowels": lambda: vowels(seeds, quick, options.data),
        "digits": lambda: digits(seeds, quick),
    }
    for name in ROWS if options.row == "all" else (options.row,):
        runs[name]()


if __name__ == "__main__":
    main()
