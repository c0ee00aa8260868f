"""Searches: ReservoirSearchCV against GridSearchCV of the same models, and a loop over reservoirpy.

    python benchmarks/speed_search.py [--part steps|sequences|large] [--jobs 2] [--quick]

steps      5 penalties x 16 reservoirs x 3 folds of TimeSeriesSplit, 5000 steps, N = 300, for
           penalties that a Gram matrix suits, and with one that needs QR; the loop over reservoirpy
           runs every reservoir anew for every penalty
sequences  the same for a classifier of 300 ragged sequences, and stratified folds
large      30 penalties x 40 reservoirs x 5 folds, 20 000 steps, N = 500: on 2 of the reservoirs,
           and with 3 of the penalties for GridSearchCV, whose times are alike; and the peak memory

Of every search the scores are compared, and the best parameters.
"""

import resource
import warnings
from functools import partial

import numpy as np
from _bench import compare, describe, import_peer, parse, print_header
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold, TimeSeriesSplit

from esnkit import ESNClassifier, ESNRegressor, ReservoirSearchCV
from esnkit.datasets import make_mackey_glass

RESERVOIRS = {"spectral_radius": [0.6, 0.8, 0.95, 1.1], "leak_rate": [0.3, 0.5, 0.8, 1.0]}


def make_series(n_steps):
    """Return a noisy Mackey-Glass series and its next value."""
    series = make_mackey_glass(n_steps + 1, random_state=0).reshape(-1, 1)
    series = series + 0.01 * np.random.default_rng(0).standard_normal(series.shape)
    return series[:-1], series[1:, 0]


def make_sequences(n_sequences):
    """Return noisy sines of four frequencies and of 40 to 80 steps, and their kinds."""
    rng = np.random.default_rng(0)
    kinds = np.arange(n_sequences) % 4
    X = []
    for kind in kinds:
        t = np.arange(rng.integers(40, 80))[:, None]
        phase, noise = rng.uniform(0, 6, 3), 0.5 * rng.standard_normal((len(t), 3))
        X.append(np.sin(t / (2 + kind / 2) + phase) + noise)
    return X, kinds


def print_differences(ours, theirs):
    """Print how far the scores of two fitted searches differ."""
    scores = [search.cv_results_["mean_test_score"] for search in (ours, theirs)]
    same = "the same" if ours.best_params_ == theirs.best_params_ else "OTHER"
    print(f"  largest difference of scores {np.abs(np.subtract(*scores)).max():.1e}, {same} best")


def loop_over_reservoirpy(rpy, n_units, grid, cv, X, y):
    """Fit and score every candidate on every fold."""
    best = -np.inf
    for radius in grid["spectral_radius"]:
        for rate in grid["leak_rate"]:
            for alpha in grid["alpha"]:
                scores = []
                for train, test in cv.split(X):
                    reservoir = rpy.nodes.Reservoir(n_units, sr=radius, lr=rate, seed=0)
                    model = reservoir >> rpy.nodes.Ridge(ridge=alpha)
                    model.fit(X[train], y[train, None])
                    scores.append(r2_score(y[test], model.run(X[test])))
                best = max(best, np.mean(scores))
    return best


def time_steps(args):
    n_steps, n_units = (600, 30) if args.quick else (5000, 300)
    X, y = make_series(n_steps)
    cv, rpy = TimeSeriesSplit(3), import_peer("reservoirpy")
    for smallest in (1e-6, 1e-8):
        grid = {"alpha": [smallest, 1e-4, 1e-2, 1.0, 100.0], **RESERVOIRS}
        params = {"cv": cv, "refit": False, "n_jobs": args.jobs}
        model = ESNRegressor(n_units, random_state=0)
        ours, theirs = (cls(model, grid, **params) for cls in (ReservoirSearchCV, GridSearchCV))
        cases = {
            f"ReservoirSearchCV, {args.jobs} jobs": partial(ours.fit, X, y),
            f"GridSearchCV, {args.jobs} jobs": partial(theirs.fit, X, y),
        }
        goals = {f"GridSearchCV, {args.jobs} jobs": 5.0, "loop over reservoirpy": 20.0}
        if rpy and smallest == 1e-6:
            run = partial(loop_over_reservoirpy, rpy, n_units, grid, cv, X, y)
            cases["loop over reservoirpy"] = run
        print_header(
            f"5 penalties from {smallest:g} x 16 reservoirs x 3 folds, {n_steps} steps, "
            f"N = {n_units}", "s"
        )  # fmt: skip
        compare("", cases, goals=goals, limit=0.8, repeats=args.repeats)
        print_differences(ours, theirs)


def time_sequences(args):
    n_sequences, n_units = (60, 20) if args.quick else (300, 300)
    X, y = make_sequences(n_sequences)
    grid = {"alpha": [1e-2, 1e-1, 1.0, 10.0, 100.0], **RESERVOIRS}
    params = {"cv": StratifiedKFold(3), "refit": False, "n_jobs": args.jobs}
    for name, pooling in (("default pooling", {}), ("mean", {"pooling": "mean"})):
        model = ESNClassifier(n_units, random_state=0, **pooling)
        ours, theirs = (cls(model, grid, **params) for cls in (ReservoirSearchCV, GridSearchCV))
        print_header(f"{n_sequences} ragged sequences, N = {n_units}, {name}", "s")
        cases = {
            f"ReservoirSearchCV, {args.jobs} jobs": partial(ours.fit, X, y),
            f"GridSearchCV, {args.jobs} jobs": partial(theirs.fit, X, y),
        }
        goals = {f"GridSearchCV, {args.jobs} jobs": 5.0}
        compare("", cases, goals=goals, repeats=args.repeats)
        print_differences(ours, theirs)


def time_large(args):
    n_steps, n_units = (2000, 50) if args.quick else (20_000, 500)
    X, y = make_series(n_steps)
    alphas = np.logspace(-9, 1, 30).tolist()
    reservoirs = {"leak_rate": [0.3, 1.0]}
    params = {"cv": TimeSeriesSplit(5), "refit": False, "n_jobs": args.jobs}
    model = ESNRegressor(n_units, random_state=0)
    ours = ReservoirSearchCV(model, {"alpha": alphas, **reservoirs}, **params)
    few = {"alpha": alphas[::14], **reservoirs}
    theirs = GridSearchCV(model, few, **params)
    ours.fit(X, y)  # the peak of our own memory, before that of the other search
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print_header(f"30 penalties x 40 reservoirs x 5 folds, {n_steps} steps, N = {n_units}", "s")
    cases = {
        "ReservoirSearchCV": partial(ours.fit, X, y),
        "GridSearchCV": partial(theirs.fit, X, y),
    }
    medians = compare("on 2 reservoirs, and 3 penalties of GridSearchCV", cases, repeats=1)
    mine, other = 20 * medians["ReservoirSearchCV"], 200 * medians["GridSearchCV"]
    print(f"  whole: {mine:.0f} s and {other:.0f} s, {other / mine:.1f} times (goal: 8)")
    print(f"  peak memory of the process: {peak:.0f} MB (goal: below 2000)")


PARTS = {"steps": time_steps, "sequences": time_sequences, "large": time_large}


def main():
    args = parse(
        __doc__,
        part=("all", "one of " + ", ".join(PARTS)),
        jobs=(2, "number of jobs"),
        repeats=(3, "timings of every case"),
    )
    warnings.simplefilter("ignore")
    describe()
    for name, part in PARTS.items():
        if args.part in ("all", name):
            part(args)


if __name__ == "__main__":
    main()
