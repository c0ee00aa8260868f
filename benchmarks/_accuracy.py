"""Shared by the accuracy benchmarks: options, search for settings, medians with intervals."""

import argparse
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from _bench import describe

N_BOOTSTRAP = 10_000


def parse(doc: str, **options: Any) -> argparse.Namespace:
    """Parse the command line, and print the title, the versions and the machine.

    The options are ``--quick``, ``--select``, ``--seeds`` and those given as name=(default, help).
    """
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="small sizes, to test the script")
    parser.add_argument(
        "--select", action="store_true", help="select the settings again, on validation data"
    )
    parser.add_argument("--seeds", type=int, help="number of random seeds")
    for name, (default, text) in options.items():
        kind = str if default is None else type(default)
        parser.add_argument("--" + name.replace("_", "-"), type=kind, default=default, help=text)
    args = parser.parse_args()
    print(f"{doc.splitlines()[0]}\n")
    describe()
    return args


def select(
    score: Callable[..., float],
    grid: dict[str, Iterable[Any]],
    start: dict[str, Any],
    n_passes: int = 2,
    title: str = "Validation scores",
) -> dict[str, Any]:
    """Return the settings with the lowest score, found by a search along one parameter at a time.

    From ``start`` on, each parameter in turn takes all its values while the others keep theirs, and
    then keeps its best value. At most ``n_passes`` passes; a pass that changes nothing ends the
    search. Every score is printed, below the ``title``.
    """
    best, scores = dict(start), {}

    def evaluate(settings):
        key = repr(sorted(settings.items()))
        if key not in scores:
            started = time.perf_counter()
            scores[key] = score(**settings)
            seconds = time.perf_counter() - started
            print(
                f"  {scores[key]:10.5g}  {format_settings(settings)}  ({seconds:.0f} s)", flush=True
            )
        return scores[key]

    print(f"\n{title}, lower is better")
    for _ in range(n_passes):
        before = dict(best)
        for name, values in grid.items():
            best = min([best, *({**best, name: value} for value in values)], key=evaluate)
        if best == before:
            break
    print(f"selected: {format_settings(best)}, validation score {evaluate(best):.5g}")
    return best


def format_settings(settings: dict[str, Any]) -> str:
    """Return settings in one line."""
    return ", ".join(
        f"{k}={v:g}" if isinstance(v, float) else f"{k}={v}" for k, v in settings.items()
    )


def closed_loop(model: Any, n_steps: int, warmup: np.ndarray, chunk: int = 200) -> np.ndarray:
    """Return a closed-loop forecast after a warm-up; chunks after a divergence are NaN."""
    forecast, state = np.full((n_steps, warmup.shape[1]), np.nan), None
    for start in range(0, n_steps, chunk):
        rows = forecast[start : start + chunk]
        try:
            rows[:], state = model.generate(
                len(rows), warmup=warmup, initial_state=state, return_state=True
            )
        except FloatingPointError:
            break
        warmup = rows[-1:]
    return forecast


def print_header() -> None:
    """Print the header of a table of :func:`print_row`."""
    print(f"\n{'':34}{'median':>11}  {'95 % interval':23}{'quartiles':23}{'range':23}")


def print_row(title: str, scores: Any) -> float:
    """Print the median of the scores with its interval, quartiles and range; return the median.

    ``scores`` is (n_seeds,) or (n_seeds, n_starts). In the second case the bootstrap resamples
    seeds, and starts within each of them.
    """
    scores = np.asarray(scores, dtype=np.float64)
    low, median, high = bootstrap_median(scores)
    pairs = [low, high], np.quantile(scores, [0.25, 0.75]), [scores.min(), scores.max()]
    spread = "".join(f"{'[{:.4g}, {:.4g}]'.format(*pair):23}" for pair in pairs)
    print(f"{title:34}{median:11.4g}  {spread}", flush=True)
    return median


def bootstrap_median(scores: np.ndarray) -> tuple[float, float, float]:
    """Return the lower bound of the 95 % bootstrap interval, the median and the upper bound."""
    rng = np.random.default_rng(0)
    medians = [np.median(_resample(scores, rng)) for _ in range(N_BOOTSTRAP)]
    low, high = np.quantile(medians, [0.025, 0.975])
    return low, float(np.median(scores)), high


def bootstrap_difference(a: np.ndarray, b: np.ndarray) -> tuple[float, float, float]:
    """Return lower bound, value and upper bound of median(a) - median(b), by bootstrap."""
    rng = np.random.default_rng(0)
    differences = [
        np.median(_resample(a, rng)) - np.median(_resample(b, rng)) for _ in range(N_BOOTSTRAP)
    ]
    low, high = np.quantile(differences, [0.025, 0.975])
    return low, float(np.median(a) - np.median(b)), high


def _resample(scores, rng):
    n_seeds = len(scores)
    sample = scores[rng.integers(n_seeds, size=n_seeds)]
    if sample.ndim == 1:
        return sample
    n_starts = sample.shape[1]
    return np.take_along_axis(sample, rng.integers(n_starts, size=sample.shape), axis=1)


def print_goal(name: str, value: float, sign: str, goal: float) -> None:
    """Print a goal and whether the value meets it."""
    met = value <= goal if sign == "<=" else value >= goal
    print(f"\ngoal: {name} {sign} {goal:g}: {value:.4g}, {'met' if met else 'MISSED'}")
