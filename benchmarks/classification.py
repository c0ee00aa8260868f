"""Accuracy of sequence classification beside MiniRocket, MultiRocket-Hydra, DTW and a linear model.

    python benchmarks/classification.py [--methods esn,ensemble,...] [--sets NAME,...]
        [--folder PATH] [--seeds 3] [--splits N] [--file FILE] [--figure FILE] [--quick]

Fourteen sets that install with packages (_classification_data.py), each with the training and test
sequences that it is published with, and all estimators as they come. The defaults of esnkit were
chosen on half A of the sets, by their names; half B was not looked at, and is the one to report.
The digits in one random order of their pixels come as well, and do not count in means. With
``--splits N`` every set is split N times at random into training and test sequences, of the same
sizes. With ``--folder`` the sets are those below a folder: NAME_TRAIN and NAME_TEST as .ts of the
UEA archive, or .tsv or .txt of the UCR archive.

Accuracy is the median over seeds, with half of its range; "mean" its mean over sets, "rank" the
mean rank among the methods, and wins, ties and losses are against MiniRocket. "ECE" is the
expected calibration error in 15 bins (Guo et al. 2017) and "log loss" that of the probabilities,
both means over sets. Time is CPU time of fit and predict, after a fit to a few sequences, which
compiles. ``--figure`` draws mean ranks as in Demsar (2006); a bar joins methods that do not differ
by Wilcoxon signed-rank tests with the correction of Holm (Benavoli, Corani and Mangili 2016).

Each fit is a row of the file, so that an interrupted run goes on where it stopped. A row counts
only for the same data, versions of packages and source code of esnkit. The rows of
classification_peers.csv count for any version: aeon needs an environment of its own, in which

    python benchmarks/classification.py --methods minirocket,hydra --file peers.csv

writes such a file. Methods (hydra, gru, lstm and search are slow):

    esn           ESNClassifier()
    ensemble      ESNEnsembleClassifier()
    search        ESNClassifier, its reservoir chosen from eight by cross-validation
    gru, lstm     RNNClassifier(cell=...)
    minirocket, hydra       MiniRocket and MultiRocket-Hydra of aeon
    dtw           the nearest neighbour by dynamic time warping, without a window
    svm           SVC on the values, all steps side by side, its C by cross-validation
    logistic      LogisticRegression on standardised values, all steps side by side

MiniRocket, Hydra and the linear model need equal lengths: shorter sequences are padded with their
mean and a little noise, as in the archives.
"""

import csv
import importlib
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from _bench import describe, parse, versions_of
from _classification_data import Problem, Sequences, load_folder, load_problems, pad
from _dtw import NearestByDTW
from _ranks import cliques, compare, draw, ranks_of
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import esnkit
from esnkit.metrics import expected_calibration_error

PEERS = Path(__file__).with_name("classification_peers.csv")
QUICK = ("ItalyPowerDemand", "GunPoint", "JapaneseVowels")
KEY = ("set", "method", "seed")
MEASURED = ("accuracy", "log_loss", "calibration_error", "cpu_seconds")
FIELDS = (*KEY, *MEASURED, "versions", "data")
REFERENCE = "minirocket"
PROBLEM_ROW = "  {:<22}{:>10}{:>9}{:>10}{:>9}{:>9}"
ROW = "  {:<22}{:>8}{:>8}{:>7}{:>7}{:>6}{:>8}{:>10}{:>9}{:>9}"
Results = dict[tuple[str, str, int], dict[str, float]]


class Method(NamedTuple):
    """An estimator: its name, how to make it, the packages that it depends on, whether it draws."""

    title: str
    make: Callable[[int], Any]
    packages: tuple[str, ...] = ("esnkit",)
    draws: bool = True
    probabilities: bool = True


class Padded:
    """An estimator for arrays: sequences are as long as the longest one that it is fitted to."""

    def __init__(self, model: Any, arrange: Callable[[np.ndarray], np.ndarray]) -> None:
        self.model, self.arrange = model, arrange

    def fit(self, X: Sequences, y: np.ndarray) -> "Padded":
        self.n_timesteps_ = max(map(len, X))
        self.model.fit(self.arrange(pad(X, self.n_timesteps_)), y)
        self.classes_ = self.model.classes_
        return self

    def predict(self, X: Sequences) -> np.ndarray:
        return self.model.predict(self.arrange(pad(X, self.n_timesteps_)))

    def predict_proba(self, X: Sequences) -> np.ndarray:
        return self.model.predict_proba(self.arrange(pad(X, self.n_timesteps_)))


def main() -> None:
    """Run what is missing in the files, and print the tables."""
    args = parse(
        __doc__,
        methods=("esn,ensemble,logistic,dtw,minirocket,hydra", "methods to run, with commas"),
        sets=("", "sets to run, with commas; all by default"),
        folder=("", "a folder of sets to run instead"),
        seeds=(3, "number of seeds of methods that draw random numbers"),
        splits=(0, "number of random splits in place of the given one"),
        file=("classification.csv", "where results are kept"),
        figure=("", "draw mean ranks to this file"),
    )
    names = args.methods.split(",")
    unknown = sorted(set(names) - METHODS.keys())
    if unknown:
        sys.exit(f"--methods must be among {', '.join(METHODS)}, got {', '.join(unknown)}")
    describe()
    chosen = args.sets.split(",") if args.sets else list(QUICK) if args.quick else None
    problems = list(load_folder(Path(args.folder)) if args.folder else load_problems(chosen))
    if args.splits:
        problems = [p.split_again(seed) for p in problems for seed in range(args.splits)]
    results = run(problems, names, 1 if args.quick else args.seeds, Path(args.file))
    for problem in problems:
        print_problem(problem, names, results)
    for title, parts in PARTS.items():
        print_table(title, [p for p in problems if p.part in parts], names, results)
    independent = [p for p in problems if p.part not in ("extra", "split")]
    print_ranks(independent, names, results, args.figure)


def run(problems: list[Problem], names: list[str], n_seeds: int, file: Path) -> Results:
    """Return the results by set, method and seed, computing those that no file has."""
    is_new = not file.exists()
    stored = {key(row): row for path in (PEERS, file) for row in read_rows(path)}
    results, missing = {}, set()
    with file.open("a", newline="") as out:
        writer = csv.DictWriter(out, FIELDS, lineterminator="\n")
        if is_new:
            writer.writeheader()
        for problem, name, seed in jobs(problems, names, n_seeds):
            row = stored.get((problem.name, name, seed, problem.fingerprint()))
            if row is None and can_run(name):
                row = measure(problem, name, seed)
                writer.writerow(row)
                out.flush()
            if row is None:
                missing.add(name)
            else:
                results[problem.name, name, seed] = {m: float(row[m] or "nan") for m in MEASURED}
    for name in sorted(missing):
        print(
            f"({name}: some results are missing, and {METHODS[name].packages[0]} does not import)"
        )
    return results


def jobs(
    problems: list[Problem], names: list[str], n_seeds: int
) -> Iterable[tuple[Problem, str, int]]:
    """Yield every set, method and seed."""
    for problem in problems:
        for name in names:
            for seed in range(n_seeds if METHODS[name].draws else 1):
                yield problem, name, seed


def read_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a file that count: those of the peers, and of the versions installed."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["method"] in METHODS]
    return [row for row in rows if path == PEERS or row["versions"] == versions(row["method"])]


def key(row: dict[str, str]) -> tuple[str, str, int, str]:
    return row["set"], row["method"], int(row["seed"]), row["data"]


@cache
def versions(name: str) -> str | None:
    """Return the versions that the results of a method depend on, None if one is not installed."""
    with suppress(ImportError):
        return " ".join(f"{k}={v}" for k, v in versions_of(*METHODS[name].packages).items())
    return None


@cache
def can_run(name: str) -> bool:
    """Return whether all that a method needs is installed."""
    with suppress(ImportError):
        METHODS[name].make(0)
        return versions(name) is not None
    return False


def measure(problem: Problem, name: str, seed: int) -> dict[str, Any]:
    """Fit to the training sequences and predict the others; probabilities are not timed."""
    method = METHODS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        few = first_of_each_class(problem.y_train)
        X, y = [problem.X_train[i] for i in few], problem.y_train[few]
        method.make(seed).fit(X, y).predict(X)
        start = time.process_time()
        model = method.make(seed).fit(problem.X_train, problem.y_train)
        predicted = model.predict(problem.X_test)
        seconds = time.process_time() - start
        row = {"log_loss": "", "calibration_error": ""}
        if method.probabilities:
            row |= judge(problem.y_test, model.predict_proba(problem.X_test), model.classes_)
    return row | {
        "set": problem.name,
        "method": name,
        "seed": seed,
        "accuracy": f"{np.mean(predicted == problem.y_test):.6f}",
        "cpu_seconds": f"{seconds:.4g}",
        "versions": versions(name),
        "data": problem.fingerprint(),
    }


def first_of_each_class(y: np.ndarray, n: int = 2) -> np.ndarray:
    """Return the indices of the first sequences of every class."""
    return np.sort(np.concatenate([np.flatnonzero(y == label)[:n] for label in np.unique(y)]))


def judge(y: np.ndarray, proba: np.ndarray, classes: np.ndarray) -> dict[str, str]:
    """Return scores of probabilities; classes unknown in training have probability zero."""
    labels = np.union1d(classes, y)
    full = np.zeros((len(y), len(labels)))
    full[:, np.searchsorted(labels, classes)] = proba
    return {
        "log_loss": f"{log_loss(y, full, labels=labels):.6f}",
        "calibration_error": f"{expected_calibration_error(y, full, labels=labels):.6f}",
    }


def values_of(results: Results, problem: Problem, name: str, what: str = "accuracy") -> list[float]:
    """Return what was measured with every seed."""
    return [row[what] for key, row in results.items() if key[:2] == (problem.name, name)]


def medians(problem: Problem, name: str, results: Results) -> list[float]:
    """Return the medians over seeds of MEASURED."""
    return [float(np.median(values_of(results, problem, name, what))) for what in MEASURED]


def print_problem(problem: Problem, names: list[str], results: Results) -> None:
    """Print the sizes of a set, and a row per method."""
    mark = ", defaults chosen on it" if problem.part == "A" else ""
    print(f"\n{problem.describe()}{mark}")
    print(PROBLEM_ROW.format("", "accuracy", "+-", "log loss", "ECE", "CPU s"))
    for name in names:
        if found := values_of(results, problem, name):
            accuracy, *others = medians(problem, name, results)
            columns = [f"{accuracy:.4f}", f"{np.ptp(found) / 2:.4f}", *map(_short, others)]
            print(PROBLEM_ROW.format(METHODS[name].title, *columns))


def compared(
    problems: list[Problem], names: list[str], results: Results
) -> tuple[list[Problem], list[str]]:
    """Return the methods that have results, and the sets for which all of these have them."""
    names = [name for name in names if any(values_of(results, p, name) for p in problems)]
    return [p for p in problems if all(values_of(results, p, n) for n in names)], names


def print_table(title: str, problems: list[Problem], names: list[str], results: Results) -> None:
    """Print a row per method: means over sets, rank, and the sets on which it beats REFERENCE."""
    problems, names = compared(problems, names, results)
    if not problems or not names:
        return
    table = np.array([[medians(p, name, results) for name in names] for p in problems])
    scores = table[:, :, 0]
    ranks = ranks_of(scores).mean(axis=0)
    print(f"\n{title}: {len(problems)} sets ({', '.join(p.name for p in problems)})")
    print(
        ROW.format(
            "", "mean", "median", "rank", "wins", "ties", "losses", "log loss", "ECE", "CPU s"
        )
    )
    for k, name in enumerate(names):
        reference = scores[:, names.index(REFERENCE)] if REFERENCE in names else None
        duels = ["-"] * 3 if reference is None else compare(scores[:, k], reference)
        accuracy, *others = table[:, k].mean(axis=0)
        columns = [f"{accuracy:.4f}", f"{np.median(scores[:, k]):.4f}", f"{ranks[k]:.2f}"]
        print(ROW.format(METHODS[name].title, *columns, *duels, *map(_short, others)))


def print_ranks(problems: list[Problem], names: list[str], results: Results, figure: str) -> None:
    """Print which methods differ significantly, and draw it if there is a file to draw to."""
    problems, names = compared(problems, names, results)
    if len(problems) < 2 or len(names) < 2:
        return
    scores = np.array([[medians(p, name, results)[0] for name in names] for p in problems])
    titles = [METHODS[name].title for name in names]
    order = np.argsort(ranks_of(scores).mean(axis=0), kind="stable")
    groups = [order[first : last + 1] for first, last in cliques(scores)]
    print(f"\nover {len(problems)} sets, no significant difference between" if groups else "")
    for group in groups:
        print("  " + ", ".join(titles[k] for k in group))
    if figure:
        draw(figure, titles, scores)


def _short(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.3g}"


def _channels_first(X: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(X.transpose(0, 2, 1))


def _aeon(module: str, name: str, **settings: Any) -> Callable[[int], Any]:
    def make(seed: int) -> Any:
        found = importlib.import_module(f"aeon.classification.{module}")
        return Padded(getattr(found, name)(random_state=seed, **settings), _channels_first)

    return make


def _logistic(seed: int) -> Padded:
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    return Padded(model, lambda X: X.reshape(len(X), -1))


def _folds(seed: int) -> KFold:
    return KFold(3, shuffle=True, random_state=seed)


def _svm(seed: int) -> Padded:
    search = GridSearchCV(SVC(), {"C": [1.0, 10.0, 100.0]}, cv=_folds(seed))
    return Padded(search, lambda X: X.reshape(len(X), -1))


def _search(seed: int) -> GridSearchCV:
    """Choose between the default with and without differences, and cycles of long memory."""
    model = esnkit.ESNClassifier(random_state=seed)
    cycles = {
        "n_units": [1000], "leak_rate": [1.0], "topology": ["cycle"], "spectral_radius": [1.0],
        "bias_scaling": [0.1], "input_scaling": [0.05, 0.1, 0.2], "differences": [False],
        "pooling": [["last"], ["last", "mean", "std"]],
    }  # fmt: skip
    grids = [{"differences": [False, True]}, cycles]
    named = [{f"esnclassifier__{name}": grid[name] for name in grid} for grid in grids]
    scaler = esnkit.SequenceScaler(with_mean=False)
    return GridSearchCV(make_pipeline(scaler, model), named, cv=_folds(seed))


def _rnn(cell: str) -> Callable[[int], Any]:
    return lambda seed: esnkit.RNNClassifier(cell=cell, random_state=seed)


METHODS: dict[str, Method] = {
    "esn": Method("ESNClassifier", lambda seed: esnkit.ESNClassifier(random_state=seed)),
    "ensemble": Method(
        "ESNEnsembleClassifier", lambda seed: esnkit.ESNEnsembleClassifier(random_state=seed)
    ),
    "search": Method("ESNClassifier, searched", _search, ("esnkit", "scikit-learn")),
    "gru": Method("RNNClassifier, GRU", _rnn("gru")),
    "lstm": Method("RNNClassifier, LSTM", _rnn("lstm")),
    "svm": Method(
        "SVC, searched", _svm, ("scikit-learn",), draws=False, probabilities=False
    ),
    "logistic": Method("logistic regression", _logistic, ("scikit-learn",), draws=False),
    "dtw": Method(
        "1-NN DTW", lambda seed: NearestByDTW(), ("numba",), draws=False, probabilities=False
    ),
    "minirocket": Method(
        "MiniRocket", _aeon("convolution_based", "MiniRocketClassifier"), ("aeon", "numba"),
        probabilities=False,
    ),
    "hydra": Method(
        "MultiRocket-Hydra", _aeon("convolution_based", "MultiRocketHydraClassifier"),
        ("aeon", "numba", "torch"), probabilities=False,
    ),
}  # fmt: skip
PARTS = {
    "half A, on which the defaults were chosen": "A",
    "half B": "B",
    "both halves": "AB",
    "sets of the folder": ("folder",),
    "random splits": ("split",),
}

if __name__ == "__main__":
    main()
