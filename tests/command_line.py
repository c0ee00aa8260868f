"""Files to forecast from the command line, for its test files."""

import csv
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from esnkit.cli import main

N = 120

RNG = np.random.default_rng(0)

U = RNG.normal(size=N + 12)

X = 10 + np.sin(np.arange(N + 12) / 4) + U

HOURS = [f"{datetime(2024, 2, 28) + timedelta(hours=k):%Y-%m-%d %H:%M}" for k in range(N + 12)]

SMALL = ["--units", "20"]

WEEK = 10 + np.tile([0.0, 1, 2, 3, 2, 1, 8], 30) + 0.1 * RNG.normal(size=210)


def rows(n=N, ahead=0, separator=","):
    lines = [separator.join(["when", "x", "u"])]
    for k in range(n + ahead):
        value = repr(float(X[k])) if k < n else ""
        lines.append(separator.join([HOURS[k], value, repr(float(U[k]))]))
    return lines


def write(lines, name="in.csv", **how):
    text = lines if isinstance(lines, str) else "\n".join(lines) + "\n"
    Path(name).write_text(text, **({"encoding": "utf-8"} | how))
    return name


def read(name):
    with open(name, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def forecast(*options):
    return main(["forecast", "in.csv", "--column", "x", "--horizon", "6", *SMALL, *options])
