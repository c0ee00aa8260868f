"""`esnkit forecast FILE --id COLUMN`: every series of a long file, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from command_line import read, write

from esnkit import PanelForecaster
from esnkit.cli import main

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


def forecast(*options):
    columns = ["--id", "shop", "--column", "sold", "--time", "day", "--horizon", "3"]
    return main(["forecast", "in.csv", *columns, *options])


def test_every_series_is_forecast_as_in_python(capsys):
    write([HEADER, *ROWS])
    assert forecast("--interval", "0.9", "--out", "o.csv") == 0
    out, err = capsys.readouterr()
    assert out == "" and "3 series; seasons: 7 (time steps)" in err and "9 steps written" in err
    rows = read("o.csv")
    assert list(rows[0]) == ["shop", "day", "sold", "sold_lower", "sold_upper"]
    assert [row["shop"] for row in rows] == [key for key in SOLD for _ in range(3)]
    assert [row["day"] for row in rows[:3]] == ["06.02.2024", "07.02.2024", "08.02.2024"]
    series = {key: pd.Series(values, DAYS) for key, values in SOLD.items()}
    wanted = pd.concat(PanelForecaster(horizon=3).fit(series).forecast(3, 0.9).values())
    found = [[float(row[name]) for name in list(rows[0])[2:]] for row in rows]
    np.testing.assert_allclose(found, wanted, rtol=1e-12)


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
        ([HEADER, *ROWS[:50], *ROWS[51:]], [], r"time step needs its row \(series 'east'\)\n"),
        ([HEADER, *ROWS, "west,1.1.2024,"], [], "fill in every time step\n"),
        ([HEADER, *ROWS], ["--fill"], "--fill is for one series"),
        ([HEADER, *ROWS], ["--plot", "o.png"], "--plot is for one series"),
        ([HEADER, *ROWS], ["--quick"], "--quick is for one series"),
        ([HEADER, *ROWS], ["--calendar", "month"], "--calendar is for one series"),
        ([HEADER, *ROWS], ["--units", "20"], "--units is for one series"),
        ([HEADER, *ROWS], ["--time", "shop"], "column 'shop' is named twice"),
        ([HEADER, *ROWS], ["--out", "in.csv"], "are the same file"),
    ],
)
def test_what_makes_no_sense_is_refused(lines, options, message, capsys):
    import re

    write(lines)
    assert forecast(*options) == 2
    assert re.search(message, capsys.readouterr().err)
