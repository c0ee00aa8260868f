"""Forecasts of real series beside those of the models that users would take instead.

    python benchmarks/forecasting.py [--models esn,ets,...] [--half B] [--file FILE] [--quick]

About a hundred series, yearly to half-hourly, that install with packages (_forecasting_data.py),
each from its last three origins. The names of the series divide them in two halves: rules of
AutoForecaster are tried on half A and kept if they help half B, which is the one to report. Rules
have been compared on both, so that half B is not untouched.

Error: the mean absolute error divided by that of the seasonal naive forecast (of the last value, if
there is no season) over the same rows, as a geometric mean over origins. "Worse" is the share of
origins at which it is above 1, "rank" the mean rank among the models. Coverage is that of intervals
of level 0.9, and "interval" their score (Winkler 1972; the width, plus 20 times what lies outside),
in errors of the seasonal naive forecast, as a geometric mean.

Each forecast is a line of the file, so that an interrupted run goes on where it stopped. A line
counts only for the versions of the packages in it, and for the same source code of esnkit. Models:

    esn           AutoForecaster()
    quick         AutoForecaster(quick=True)
    default       Forecaster()
    mean          AutoForecaster(models=("esn", "ets", "theta"))
    ets, arima, theta, mstl      of statsforecast, chosen by AICc
    boosting      HistGradientBoostingRegressor on lags, recursive
"""

import json
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from _bench import describe, parse, versions_of
from _forecasting_data import FREQUENCIES, Case, load_cases
from sklearn.ensemble import HistGradientBoostingRegressor

from esnkit import AutoForecaster, Forecaster
from esnkit.baselines import persistence, seasonal_naive

LEVEL = 0.9
SMALLEST_RATIO = 1e-3  # an error of zero has no logarithm
ROW = "  {:<12}{:>7}{:>8}{:>8}{:>8}{:>10}{:>10}{:>9}"


def main() -> None:
    """Run what is missing in the file, and print the tables."""
    args = parse(
        __doc__,
        models=("esn,ets,arima,theta,mstl,boosting", "models to run, with commas"),
        half=("AB", "A, B or AB: the series to take"),
        file=("forecasting.jsonl", "where forecasts are kept"),
        stride=(1, "take every k-th origin only"),
    )
    describe()
    cases = list(load_cases(args.half))[:: 12 if args.quick else args.stride]
    names = args.models.split(",")
    unknown = sorted(set(names) - MODELS.keys())
    if unknown:
        sys.exit(f"--models must be among {', '.join(MODELS)}, got {', '.join(unknown)}")
    results = run(cases, names, Path(args.file))
    table = pd.DataFrame([scores(case, name, results) for case in cases for name in names])
    table["rank"] = table.groupby("case").error.rank()
    for half, part in table.groupby("half"):
        print_table(f"half {half}", part)
    print_table("all", table)
    for frequency in FREQUENCIES:
        print_table(frequency, table[table.frequency == frequency])


def run(cases: Iterable[Case], names: list[str], file: Path) -> dict[tuple[str, str], dict]:
    """Return the results of models by origin, computing those that the file does not have."""
    lines = file.read_text().splitlines() if file.exists() else []
    stored = [json.loads(line) for line in lines if line.endswith("}")]
    results = {(r["case"], r["model"]): r for r in stored if r["versions"] == versions(r["model"])}
    with file.open("a") as out:
        for case in cases:
            for name in names:
                if (case.key, name) not in results:
                    result = forecast(case, name)
                    results[case.key, name] = result
                    out.write(json.dumps(result) + "\n")
                    out.flush()
    return results


def versions(name: str) -> dict[str, str]:
    """Return the versions that the forecasts of a model depend on."""
    return versions_of(*PACKAGES.get(name, ("esnkit",)))


def forecast(case: Case, name: str) -> dict:
    """Forecast from one origin; CPU seconds include the fit."""
    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows = np.asarray(MODELS[name](case), dtype=float)
    return {
        "case": case.key,
        "model": name,
        "versions": versions(name),
        "seconds": time.process_time() - start,
        "rows": rows.T.tolist(),  # forecast, lower and upper
    }


def scores(case: Case, name: str, results: dict) -> dict:
    """Return what a table shows of one forecast."""
    result, observed = results[case.key, name], case.observed
    ahead, lower, upper = np.array(result["rows"])
    past, h = case.past.to_numpy(), len(observed)
    naive = seasonal_naive(past, h, case.seasons[0]) if case.seasons else persistence(past, h)
    scale = np.abs(naive - observed).mean() or 1.0
    outside = np.maximum(lower - observed, 0) + np.maximum(observed - upper, 0)
    interval = np.mean(upper - lower + 2 / (1 - LEVEL) * outside)
    return {
        "case": case.key,
        "half": case.series.half,
        "frequency": case.series.frequency,
        "model": name,
        "error": max(np.abs(ahead - observed).mean() / scale, SMALLEST_RATIO),
        "coverage": np.mean((lower <= observed) & (observed <= upper)),
        "interval": max(interval / scale, SMALLEST_RATIO),
        "seconds": result["seconds"],
    }


def print_table(title: str, table: pd.DataFrame) -> None:
    """Print a row per model."""
    if table.empty:
        return
    print(f"\n{title}: {table.case.nunique()} origins of ", end="")
    print(f"{table.case.str.rsplit(':').str[0].nunique()} series")
    print(ROW.format("", "error", "median", "worse", "rank", "coverage", "interval", "CPU s"))
    for name, rows in table.groupby("model", sort=False):
        columns = [
            f"{np.exp(np.log(rows.error).mean()):.3f}",
            f"{rows.error.median():.3f}",
            f"{(rows.error > 1).mean():.0%}",
            f"{rows['rank'].mean():.2f}",
            f"{rows.coverage.mean():.3f}",
            f"{np.exp(np.log(rows.interval).mean()):.2f}",
            f"{rows.seconds.mean():.2f}",
        ]
        print(ROW.format(name, *columns))


def _auto(**settings: object) -> Callable[[Case], object]:
    def run(case: Case) -> object:
        model = AutoForecaster(horizon=len(case.observed), **settings)
        return model.fit(case.past).forecast(len(case.observed), interval=LEVEL)

    return run


def _default(case: Case) -> object:
    model = Forecaster(random_state=0).fit(case.past)
    return model.forecast(len(case.observed), interval=LEVEL)


def _boosting(case: Case) -> object:
    """Forecast first differences with trees on the lags of the first season, 12 at least."""
    lags = min(max(12, *case.seasons[:1], 0), len(case.past) // 3)
    model = Forecaster(HistGradientBoostingRegressor(random_state=0), lags=lags, differences=1)
    return model.fit(case.past).forecast(len(case.observed), interval=LEVEL)


def _statsforecast(make: Callable[[Case], object]) -> Callable[[Case], object]:
    def run(case: Case) -> object:
        level, n_steps = round(100 * LEVEL), len(case.observed)
        model = make(case).fit(case.past.to_numpy())  # type: ignore[attr-defined]
        found = model.predict(n_steps, level=[level])
        return np.column_stack([found["mean"], found[f"lo-{level}"], found[f"hi-{level}"]])

    return run


def _peer(name: str) -> Callable[[Case], object]:
    def make(case: Case) -> object:
        from statsforecast import models

        return getattr(models, name)(season_length=case.seasons[0] if case.seasons else 1)

    return _statsforecast(make)


def _make_mstl(case: Case) -> object:
    from statsforecast import models

    if not case.seasons:
        return models.AutoETS()
    return models.MSTL(season_length=list(case.seasons))


MODELS: dict[str, Callable[[Case], object]] = {
    "esn": _auto(),
    "quick": _auto(quick=True),
    "default": _default,
    "mean": _auto(models=("esn", "ets", "theta")),
    "ets": _peer("AutoETS"),
    "arima": _peer("AutoARIMA"),
    "theta": _peer("AutoTheta"),
    "mstl": _statsforecast(_make_mstl),
    "boosting": _boosting,
}
PACKAGES = dict.fromkeys(("ets", "arima", "theta", "mstl"), ("statsforecast",)) | {
    "boosting": ("esnkit", "scikit-learn"),
    "mean": ("esnkit", "statsforecast"),
}

if __name__ == "__main__":
    main()
