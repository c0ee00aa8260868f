"""The README's Python runs as it stands."""

import re
from pathlib import Path

import pytest

TEXT = (Path(__file__).resolve().parents[1] / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", TEXT, re.M | re.S)


def the_forecast_is_better_than_last_week_again(printed):
    forecast, last_week = re.findall(r": ([\d.]+)", printed)
    return float(forecast) < float(last_week)


def the_networks_are_compared_with_simple_models(printed):
    scores = [float(score) for score in re.findall(r"weeks: ([\d.]+)", printed)]
    return len(scores) == 4 and scores[0] < max(scores) and "'ridge (" in printed


def the_forecasts_of_the_shops_lie_within_their_intervals(printed):
    rows = re.findall(r"north 2025-\S+ +([\d.]+) +([\d.]+) +([\d.]+)", printed)
    return len(rows) == 3 and all(
        float(low) < float(sold) < float(high) for sold, low, high in rows
    )


def the_pipeline_and_the_search_find_the_memory(printed):
    score = re.search(r"steps: ([\d.]+)", printed)
    return float(score[1]) > 0.8 and "'spectral_radius': 0.6" in printed


def every_fold_of_the_ragged_list_is_predicted(printed):
    scores = [float(score) for score in re.findall(r"\d\.\d+", printed)]
    return len(scores) == 4 and min(scores) > 0.9


def partitions_are_predicted(printed):
    error, right = re.search(r"error: (\S+)\n.*: (\d+) of 200", printed).groups()
    return float(error) < 1e-3 and int(right) > 190


def the_forecast_follows_the_sines(printed):
    return float(re.search(r"days: ([\d.]+)", printed)[1]) < 0.3


def all_but_the_plain_network_can_add(printed):
    scores = dict(re.findall(r"(\S+): R2 on new sequences (\S+)", printed))
    return min(float(scores[name]) for name in ("network", "LSTM", "GRU")) > 0.9


CLAIMS = [
    the_forecast_is_better_than_last_week_again,
    the_forecasts_of_the_shops_lie_within_their_intervals,
    the_networks_are_compared_with_simple_models,
    the_pipeline_and_the_search_find_the_memory,
    every_fold_of_the_ragged_list_is_predicted,
    partitions_are_predicted,
    the_forecast_follows_the_sines,
    all_but_the_plain_network_can_add,
]


@pytest.mark.parametrize(("code", "claim"), list(zip(BLOCKS, CLAIMS, strict=True)))
def test_a_block_shows_what_it_is_there_for(code, claim, capsys):
    if "import dask" in code:
        pytest.importorskip("dask.array")
    exec(compile(code, "README.md", "exec"), {})
    assert claim(capsys.readouterr().out)
