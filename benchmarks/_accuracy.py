"""What the accuracy benchmarks share: options, choice of settings, medians with their intervals."""

import argparse
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from _bench import describe

N_BOOTSTRAP = 10_000


def parse(doc: str, **options: Any) -> argparse.Namespace:
    """Read the command line, and say what the numbers to come depend on.

    Beside ``--quick``, ``--select`` and ``--seeds`` the options given as name=(default, help).
    """
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it runs")
    parser.add_argument(
        "--select", action="store_true", help="choose the settings again, on validation data"
    )
    parser.add_argument("--seeds", type=int, help="number of random seeds")
    for name, (default, text) in options.items():
        kind = str if default is None else type(default)
        parser.add_argument("--" + name.replace("_", "-"), type=kind, default=default, help=text)
    options = parser.parse_args()
    print(f"{doc.splitlines()[0]}\n")
    describe()
    return options


def select(
    score: Callable[..., float],
    grid: dict[str, Iterable[Any]],
    start: dict[str, Any],
    passes: int = 2,
) -> dict[str, Any]:
    """Return the settings with the lowest score, found one parameter at a time.

    From ``start`` on, every parameter in turn takes all its values while the others stay, and
    keeps the best; this is repeated until nothing changes, ``passes`` times at most. All that is
    tried is printed.
    """
    best, known = dict(start), {}

    def ask(settings):
        key = repr(sorted(settings.items()))
        if key not in known:
            began = time.perf_counter()
            known[key] = score(**settings)
            spent = time.perf_counter() - began
            print(f"  {known[key]:10.5g}  {show(settings)}  ({spent:.0f} s)", flush=True)
        return known[key]

    print("\nValidation scores, lower is better")
    for _ in range(passes):
        before = dict(best)
        for name, values in grid.items():
            best = min([best, *({**best, name: value} for value in values)], key=ask)
        if best == before:
            break
    print(f"chosen: {show(best)}, validation score {ask(best):.5g}")
    return best


def show(settings: dict[str, Any]) -> str:
    """Return settings in one line."""
    return ", ".join(
        f"{k}={v:g}" if isinstance(v, float) else f"{k}={v}" for k, v in settings.items()
    )


def free_run(model: Any, n_steps: int, warmup: np.ndarray, piece: int = 200) -> np.ndarray:
    """Return the closed loop after a warm-up, NaN from the piece on in which it diverges."""
    out, state = np.full((n_steps, warmup.shape[1]), np.nan), None
    for start in range(0, n_steps, piece):
        rows = out[start : start + piece]
        try:
            rows[:], state = model.generate(
                len(rows), warmup=warmup, initial_state=state, return_state=True
            )
        except FloatingPointError:
            break
        warmup = rows[-1:]
    return out


def heading(*extra: str) -> None:
    """Print the head of a table of :func:`row`."""
    print(f"\n{'':34}{'median':>11}  {'95 % interval':23}{'quartiles':23}{'range':23}", *extra)


def row(title: str, scores: Any, *extra: str) -> float:
    """Print the median of the scores with its interval, quartiles and range, and return it.

    ``scores`` is (n_seeds,), or (n_seeds, n_starts): then the interval resamples seeds, and
    starts within each of them.
    """
    scores = np.asarray(scores, dtype=np.float64)
    low, middle, high = interval(scores)
    parts = [low, high], np.quantile(scores, [0.25, 0.75]), [scores.min(), scores.max()]
    shown = "".join(f"{'[{:.4g}, {:.4g}]'.format(*pair):23}" for pair in parts)
    print(f"{title:34}{middle:11.4g}  {shown}", *extra, flush=True)
    return middle


def interval(scores: np.ndarray) -> tuple[float, float, float]:
    """Return the bootstrap interval's low end, the median and the high end."""
    rng = np.random.default_rng(0)
    medians = [np.median(_resample(scores, rng)) for _ in range(N_BOOTSTRAP)]
    low, high = np.quantile(medians, [0.025, 0.975])
    return low, float(np.median(scores)), high


def difference(ours: np.ndarray, theirs: np.ndarray) -> tuple[float, float, float]:
    """Return low end, value and high end of the difference of two medians, by bootstrap."""
    rng = np.random.default_rng(0)
    draws = [
        np.median(_resample(ours, rng)) - np.median(_resample(theirs, rng))
        for _ in range(N_BOOTSTRAP)
    ]
    low, high = np.quantile(draws, [0.025, 0.975])
    return low, float(np.median(ours) - np.median(theirs)), high


def _resample(scores, rng):
    n_seeds = len(scores)
    picked = scores[rng.integers(n_seeds, size=n_seeds)]
    if picked.ndim == 1:
        return picked
    n_starts = picked.shape[1]
    return np.take_along_axis(picked, rng.integers(n_starts, size=picked.shape), axis=1)


def verdict(name: str, value: float, sign: str, goal: float) -> None:
    """Print whether a goal is met."""
    met = value <= goal if sign == "<=" else value >= goal
    print(f"\ngoal: {name} {sign} {goal:g}: {value:.4g}, {'met' if met else 'MISSED'}")
