"""`esnkit forecast FILE --id COLUMN`: every series of a long file, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from command_line import read, write

from esnkit import PanelForecaster
from esnkit.cli import main

pytestmark = pytest.mark.usefixtures("few_panel_candidates")
RNG = np.random.default_rng(0)
DAYS = pd.date_range("2024-01-01", periods=36)
SOLD = {
    key: np.round(size * (1 + 0.3 * np.sin(np.arange(36) * 2 * np.pi / 7)) + RNG.normal(size=36), 2)
    for key, size in {"north": 50, "south": 200, "east": 20}.items()
}
ROWS = [
    f"{key},{day:%d.%m.%Y},{value}"
    for k, day in enumerate(DAYS)
    for key, value in ((name, values[k]) for name, values in SOLD.items())
]
HEADER = "shop,day,sold"


PRICES = {key: np.round(RNG.normal(size=39), 2) for key in SOLD}
WITH_PRICES = ["shop,day,sold,price"]
WITH_PRICES += [
    f"{key},{day:%d.%m.%Y},{SOLD[key][k] if k < 36 else ''},{PRICES[key][k]}"
    for key in SOLD
    for k, day in enumerate(pd.date_range("2024-01-01", periods=39))
]


def forecast(*options):
    columns = ["--id", "shop", "--column", "sold", "--time", "day", "--horizon", "3"]
    return main(["forecast", "in.csv", *columns, *options])


def test_every_series_is_forecast_as_in_python(capsys):
    write([HEADER, *ROWS])
    assert forecast("--interval", "0.9", "--out", "o.csv") == 0
    out, err = capsys.readouterr()
    assert out == "" and "3 series; seasons of 7 time steps" in err and "9 steps written" in err
    rows = read("o.csv")
    assert list(rows[0]) == ["shop", "day", "sold", "sold_lower", "sold_upper"]
    assert [row["shop"] for row in rows] == [key for key in SOLD for _ in range(3)]
    assert [row["day"] for row in rows[:3]] == ["06.02.2024", "07.02.2024", "08.02.2024"]
    series = {key: pd.Series(values, DAYS) for key, values in SOLD.items()}
    wanted = pd.concat(PanelForecaster(horizon=3).fit(series).forecast(3, interval=0.9).values())
    found = [[float(row[name]) for name in list(rows[0])[2:]] for row in rows]
    np.testing.assert_allclose(found, wanted, rtol=1e-12)


def sold_by_shop(rows):
    return {key: [float(row["sold"]) for row in rows if row["shop"] == key] for key in SOLD}


def test_inputs_and_the_calendar_are_those_of_python():
    write(WITH_PRICES)
    options = ["--exog", "price", "--calendar", "weekday", "--out", "o.csv"]
    assert forecast(*options) == 0
    rows = read("o.csv")
    assert [row["day"] for row in rows[:3]] == ["06.02.2024", "07.02.2024", "08.02.2024"]
    series = {key: pd.Series(values, DAYS) for key, values in SOLD.items()}
    model = PanelForecaster(horizon=3, calendar="weekday")
    model.fit(series, exog={key: rows[:36] for key, rows in PRICES.items()})
    wanted = model.forecast(3, {key: rows[36:] for key, rows in PRICES.items()})
    for key, found in sold_by_shop(rows).items():
        np.testing.assert_allclose(found, wanted[key], rtol=1e-12)


RAIN = {key: np.round(RNG.normal(size=36), 2) for key in SOLD}
WITH_RAIN = [WITH_PRICES[0] + ",rain"]
WITH_RAIN += [f"{line},{RAIN[line.split(',')[0]][k % 39] if k % 39 < 36 else ''}"
              for k, line in enumerate(WITH_PRICES[1:])]  # fmt: skip


@pytest.mark.parametrize("exog", [True, False])
def test_past_only_inputs_are_those_of_python(exog):
    lines = [line for line in WITH_RAIN if exog or ",," not in line]
    write(lines)
    assert forecast("--past-exog", "rain", "--out", "o.csv", *["--exog", "price"][: 2 * exog]) == 0
    known = ahead = None
    if exog:
        known, ahead = ({key: rows[part] for key, rows in PRICES.items()}
                        for part in (slice(36), slice(36, None)))  # fmt: skip
    model = PanelForecaster(horizon=3)
    model.fit({key: pd.Series(rows, DAYS) for key, rows in SOLD.items()}, None, known,
              past_exog=RAIN)  # fmt: skip
    wanted = model.forecast(3, ahead)
    for key, found in sold_by_shop(read("o.csv")).items():
        np.testing.assert_allclose(found, wanted[key], rtol=1e-12)


@pytest.mark.parametrize("exog", [True, False])
def test_empty_cells_and_rows_that_lack_are_missing_values(exog, capsys):
    lines = WITH_PRICES if exog else [HEADER, *ROWS]
    lines = [line for line in lines if "south,20.01.2024" not in line]
    emptied = {"north,03.01.2024": 2, "east,30.01.2024": 2, "east,10.01.2024": 3}
    for k, line in enumerate(lines):
        for start, column in emptied.items():
            cells = line.split(",")
            if line.startswith(start) and column < len(cells):
                cells[column] = "-"
                lines[k] = ",".join(cells)
    write(lines)
    options = ["--exog", "price"] if exog else []
    assert forecast("--fill", "--out", "o.csv", *options) == 0
    told = "rows added as missing values: 1 of 108, the first at 20.01.2024\n"
    shown = capsys.readouterr().err
    assert told in shown and "missing values of 'sold': 2 of 108\n" in shown
    sold, prices = pd.DataFrame(SOLD, DAYS), pd.DataFrame(PRICES)
    for day, key in ((19, "south"), (2, "north"), (29, "east")):
        sold.loc[DAYS[day], key] = np.nan
    prices.loc[19, "south"] = prices.loc[9, "east"] = np.nan
    known = ahead = None
    if exog:
        known = {key: prices[key][:36].to_numpy() for key in SOLD}
        ahead = {key: prices[key][36:].to_numpy() for key in SOLD}
    wanted = PanelForecaster(horizon=3).fit({key: sold[key] for key in SOLD}, exog=known)
    wanted = wanted.forecast(3, ahead)
    for key, found in sold_by_shop(read("o.csv")).items():
        np.testing.assert_allclose(found, wanted[key], rtol=1e-12)


def test_means_are_those_of_python():
    write([HEADER, *ROWS])
    assert forecast("--bias-adjust", "--out", "o.csv") == 0
    series = {key: pd.Series(values, DAYS) for key, values in SOLD.items()}
    model = PanelForecaster(horizon=3).fit(series)
    wanted, medians = model.forecast(3, bias_adjust=True), model.forecast(3)
    for key, found in sold_by_shop(read("o.csv")).items():
        np.testing.assert_allclose(found, wanted[key], rtol=1e-12)
        assert (np.array(found) != medians[key].to_numpy()).any()


def test_files_without_time_stamps_have_forecasts_without(capsys):
    write([HEADER, *ROWS])
    assert main(["forecast", "in.csv", "--id", "shop", "--column", "sold", "--horizon", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "shop,sold" and len(lines) == 7 and lines[1].startswith("north,")


@pytest.mark.parametrize(
    ("lines", "options", "message"),
    [
        ([HEADER, *ROWS[:50], *ROWS[51:]], [], "gap in time, .* (series 'east')|series 'east'"),
        ([HEADER, *ROWS, ",1.1.2024,3"], [], "line 110: column 'shop' is empty"),
        ([HEADER, *ROWS, "west,1.1.2024,"], [], "line 110: column 'sold' is empty"),
        ([HEADER, *ROWS, "west,1.1.2024"], [], "line 110: 2 columns where the header has 3"),
        ([HEADER], [], "in.csv has no row below its header"),
        (["shop,day", "a,b"], [], "has no column 'sold'"),
        (
            [HEADER, *ROWS[:50], *ROWS[51:]],
            [],
            r"or --fill adds those that are missing \(series 'east'\)\n",
        ),
        ([HEADER, *ROWS, "west,1.1.2024,"], [], "missing values with --fill\n"),
        ([HEADER, *ROWS], ["--exog", "sold"], "column 'sold' is named twice"),
        ([HEADER, *ROWS], ["--plot", "o.png"], "--plot is for one series"),
        ([HEADER, *ROWS], ["--quick"], "--quick is for one series"),
        ([HEADER, *ROWS], ["--calendar", "holidays"], "--country must be given"),
        (
            [HEADER, ROWS[0].rpartition(",")[0] + ",-3", *ROWS[1:]],
            ["--positive"],
            r"has negative values, -3: leave out --positive \(series",
        ),
        (
            WITH_PRICES[:-1],
            ["--exog", "price"],
            "'east' must end with 3 rows .* 'sold' empty, found 2",
        ),
        (
            [WITH_PRICES[0], "north,1.1.2024,,1", *WITH_PRICES[1:]],
            ["--exog", "price"],
            "line 2: column 'sold' is empty",
        ),
        (
            [*WITH_PRICES, "west,1.1.2024,,1"],
            ["--exog", "price"],
            "the series 'west' has no row with a value in 'sold'",
        ),
        (
            [*WITH_RAIN[:-1], WITH_RAIN[-1] + "7"],
            ["--exog", "price", "--past-exog", "rain"],
            r"column 'rain' has values after the last one of 'sold', .* \(series 'east'\)",
        ),
        (
            [WITH_RAIN[0], "north,01.01.2024,50,1,", *WITH_RAIN[2:]],
            ["--exog", "price", "--past-exog", "rain"],
            "line 2: column 'rain' is empty",
        ),
        ([HEADER, *ROWS], ["--past-exog", "sold"], "column 'sold' is named twice"),
        ([HEADER, *ROWS], ["--units", "20"], "--units is for one series"),
        ([HEADER, *ROWS], ["--time", "shop"], "column 'shop' is named twice"),
        (
            ["sold_lower,day,sold", *ROWS],
            ["--id", "sold_lower", "--interval", "0.5"],
            "--id sold_lower is also the name that an end of the interval of 'sold' gets",
        ),
        ([HEADER, *ROWS], ["--out", "in.csv"], "are the same file"),
    ],
)
def test_what_makes_no_sense_is_refused(lines, options, message, capsys):
    import re

    write(lines)
    assert forecast(*options) == 2
    assert re.search(message, capsys.readouterr().err)
