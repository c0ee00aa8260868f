"""Larger networks for series with next to no noise, such as those of chaotic systems.

A closed loop of a network that has learned the law of such a series follows it for many steps.
What networks of 500 units and penalties near zero gain here, they lose on noisy series, so that
these have to pass a test first: errors of single steps far below those of the naive forecast.

Networks and penalties are chosen by recycle validation (Racca and Magri 2021): the readout is
fitted once, to all rows, and its closed loops start from states along the whole series. The errors
of such windows differ by orders of magnitude, so that their geometric mean is compared.

References
----------
Racca, A. and Magri, L. (2021). Robust optimization and validation of echo state networks for
learning chaotic dynamics. Neural Networks 142.
"""

from itertools import product
from typing import Any

import numpy as np

from esnkit.forecasting._candidates import (
    LARGEST_ERROR,
    NETWORK,
    PENALTIES,
    Candidate,
    Windows,
    powers_of,
)
from esnkit.forecasting._penalty_path import PenaltyPath, Structure
from esnkit.reservoirs import Reservoir
from esnkit.utils._progress import Task, count_step
from esnkit.utils._threads import one_blas_thread

MIN_ROWS = 200
MAX_UNITS, MAX_TEST_UNITS = 500, 100
WASHOUT = 100
# Median of single steps, relative to the naive one: up to 0.08 for chaotic series without
# noise, and at least 0.19 for real series of more than 200 rows.
MAX_STEP_ERROR = 0.12
TEST_SHARE, MAX_TEST_STEPS = 0.2, 200
N_WINDOWS = 40
SMALL_PENALTIES = 10.0 ** np.arange(-12, 1, 2)
# Spectral radius, input scaling, bias scaling and leak rates: from slow flows to maps.
SETTINGS: tuple[tuple[float, float, float, Any], ...] = (
    (0.9, 0.3, 0.2, 1.0),
    (0.9, 0.3, 0.2, (0.1, 1.0)),
    (0.9, 1.0, 0.2, 1.0),
    (0.9, 1.0, 0.5, (0.3, 1.0)),
    (0.5, 0.5, 0.5, 1.0),
    (0.5, 1.0, 1.0, 1.0),
    (0.3, 2.0, 1.0, 1.0),
)
N_SEEDS = 3
SMALLEST_ERROR = np.finfo(float).tiny
MAX_RELATIVE_ERROR = 2.0  # of these networks, to the best other candidate
MARGIN = 0.1  # of the range of the series, which forecasts do not leave by more


@one_blas_thread()
def is_noiseless(values: np.ndarray, exog: np.ndarray, seed: int) -> bool:
    """Return whether a network predicts single steps of the last rows nearly without error."""
    n_rows = len(values)
    if n_rows < MIN_ROWS:
        return False
    first = int((1 - TEST_SHARE) * n_rows)
    origins = np.unique(np.linspace(first, n_rows - 1, MAX_TEST_STEPS).astype(int))
    network = NETWORK | {"n_units": min(n_rows // 4, MAX_TEST_UNITS), "random_state": seed}
    path = PenaltyPath(Structure(), Reservoir(**network), PENALTIES).fit(values, exog)
    errors = np.abs(path.roll(origins, 1, n_fitted=first)[:, :, 0] - values[origins, None])
    steps = values[origins] - values[origins - 1]
    naive = np.abs(steps - np.median(steps))  # with drift, which makes all steps of a trend easy
    return bool(np.median(errors, axis=0).min() < MAX_STEP_ERROR * np.median(naive))


@one_blas_thread()
def noiseless_candidates(
    values: np.ndarray, exog: np.ndarray, windows: Windows, seed: int
) -> list[Candidate]:
    """Choose a network by recycle validation; return it with several seeds, the best first.

    Their rolling forecasts come from readouts of the rows before each origin, as those of all
    candidates.
    """
    seeds = [int(s) for s in np.random.RandomState(seed).randint(2**31 - 1, size=N_SEEDS)]
    powers, validated, several = powers_of(values), [], []
    with Task("", len(powers) * len(SETTINGS) + N_SEEDS, "larger networks"):
        for power, settings in product(powers, SETTINGS):
            network = _network(settings, len(values), seeds[0])
            validated.append(_validate(power, network, values, exog, windows.horizon))
            count_step()
        _, power, network, penalty = min(validated, key=lambda item: item[0])
        for s in seeds:
            found = network | {"random_state": s}
            several.append(_judge(power, found, penalty, values, exog, windows))
            count_step()
    return sorted(several, key=lambda candidate: candidate.error)


def much_worse(noiseless: Candidate, other: Candidate, observed: np.ndarray) -> bool:
    """Return whether the typical errors of one candidate are far above those of another."""
    errors = [typical_errors(candidate.forecasts, observed) for candidate in (noiseless, other)]
    return bool(errors[0] > MAX_RELATIVE_ERROR * errors[1])


def reach(values: np.ndarray) -> tuple[float, float]:
    """Return the range of forecasts of a series that stays on an attractor."""
    low, high = float(values.min()), float(values.max())
    return low - MARGIN * (high - low), high + MARGIN * (high - low)


def typical_errors(forecasts: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Return geometric means over windows of mean absolute errors, (n_windows, ..., n_steps)."""
    with np.errstate(over="ignore", invalid="ignore"):
        errors = np.abs(forecasts - observed).mean(axis=-1)
    errors = np.nan_to_num(errors, nan=LARGEST_ERROR, posinf=LARGEST_ERROR)
    return np.exp(np.log(np.maximum(errors, SMALLEST_ERROR)).mean(axis=0))


def _network(settings: tuple, n_rows: int, seed: int) -> dict[str, Any]:
    """Return parameters of an `ESNRegressor` but for its penalty."""
    names = ("spectral_radius", "input_scaling", "bias_scaling", "leak_rate")
    sizes = {"n_units": min(MAX_UNITS, n_rows // 2), "washout": min(WASHOUT, n_rows // 10)}
    return dict(zip(names, settings, strict=True)) | sizes | {"random_state": seed}


def _make_path(power, network: dict, penalties: np.ndarray, values, exog) -> PenaltyPath:
    reservoir = {key: value for key, value in network.items() if key != "washout"}
    structure = Structure(power=power, leak_rate=network["leak_rate"])
    path = PenaltyPath(structure, Reservoir(**reservoir), penalties, network["washout"])
    return path.fit(values, exog)


def _validate(power, network: dict, values, exog, horizon: int) -> tuple:
    """Return the error of recycle validation, the power, the network, and its best penalty."""
    path = _make_path(power, network, SMALL_PENALTIES, values, exog)
    first, last = len(values) // 10 + 1, len(values) - horizon
    origins = np.unique(np.linspace(min(first, last), last, N_WINDOWS).astype(int))
    forecasts = path.roll(origins, horizon, n_fitted=len(values))
    observed = values[origins[:, None] + np.arange(horizon)]
    errors = typical_errors(forecasts, observed[:, None])
    best = int(np.argmin(errors))
    return float(errors[best]), power, network, float(SMALL_PENALTIES[best])


def _judge(power, network: dict, penalty: float, values, exog, windows: Windows) -> Candidate:
    """Judge a network in the windows of all candidates."""
    path = _make_path(power, network, np.array([penalty]), values, exog)
    forecasts = np.clip(path.roll(windows.origins, windows.horizon)[:, 0], *reach(values))
    error = float(windows.errors(forecasts, windows.observed(values)))
    return Candidate(error, path.structure, penalty, forecasts, network)
