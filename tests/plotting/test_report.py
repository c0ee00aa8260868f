"""The report: one file, all sections, and names that are no markup."""

import base64
import io
import re
import warnings
from datetime import timedelta, timezone
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from esnkit import AutoForecaster
from esnkit.plotting import _report, write_report
from esnkit.plotting._report import _image

plt = pytest.importorskip("matplotlib.pyplot")
pl = pytest.importorskip("polars")
pytestmark = pytest.mark.usefixtures("no_regressions_as_baselines")
SERIES = np.tile([0.0, 1, 3, 2], 18) + 0.1 * np.random.default_rng(0).standard_normal(72)


class Titles(HTMLParser):
    """Collects headings, and counts rows of tables."""

    def __init__(self):
        super().__init__()
        self.titles, self.n_rows = [], 0

    def handle_starttag(self, tag, attributes):
        self.n_rows += tag == "tr"
        self.last = tag

    def handle_data(self, data):
        if self.last == "h2" and data.strip():
            self.titles.append(data.strip())


def test_one_file_has_everything(tmp_path):
    model = AutoForecaster(seasons=[4], horizon=4, quick=True).fit(SERIES)
    path = tmp_path / "report.html"
    write_report(path, model, 5, title="A & <B>")
    page = path.read_text(encoding="utf-8")
    parser = Titles()
    parser.feed(page)
    assert parser.titles == ["Forecast", "Candidates", "Seasons", "One-step errors"]
    assert parser.n_rows == 1 + 5 + 1 + 1 + len(model.baselines_)
    assert "A &amp; &lt;B&gt;" in page
    assert not re.search(r"(src|href)='(?!data:)", page)
    pictures = re.findall(r"data:image/svg\+xml;base64,([^']+)", page)
    assert len(pictures) == 4
    assert all(b"<svg" in base64.b64decode(picture) for picture in pictures)
    assert f"{model.forecast(5)[4]:.6g}" in page


@pytest.mark.parametrize("interval", [0.3, (0.9, 0.5)])
def test_levels_of_the_intervals(interval, monkeypatch):
    for name in ("_candidates", "_residuals"):
        monkeypatch.setattr(_report, name, lambda *args: "")
    model = AutoForecaster(seasons=[], horizon=4, quick=True).fit(SERIES)
    write_report(file := io.StringIO(), model, 5, interval=interval)
    lower = re.findall("<th>([0-9]+) % lower</th>", file.getvalue())
    assert lower == [f"{100 * level:g}" for level in np.atleast_1d(interval)]
    ends = model.forecast(5, interval=np.atleast_1d(interval)[0])
    assert all(f"<td>{end:.6g}</td>" in file.getvalue() for end in np.ravel(ends))


def test_a_series_with_inputs_and_no_season(tmp_path):
    exog = np.random.default_rng(1).standard_normal(75)
    model = AutoForecaster(seasons=[], horizon=4, quick=True).fit(SERIES, exog=exog[:72])
    path = tmp_path / "report.html"
    write_report(path, model, 3, exog=exog[72:])
    parser = Titles()
    parser.feed(path.read_text(encoding="utf-8"))
    assert parser.titles == ["Forecast", "Candidates", "One-step errors"]
    with pytest.raises(TypeError, match="fitted AutoForecaster"):
        write_report(path, AutoForecaster(), 3)
    with pytest.raises(ValueError, match="times must have 75 values, got 72"):
        write_report(path, model, 3, exog=exog[72:], times=np.arange(72))


def test_a_series_too_short_for_a_backtest_has_a_report_that_says_so():
    model, file = AutoForecaster(seasons=[], quick=True).fit(SERIES[:11]), io.StringIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of few errors
        write_report(file, model, 2)
    assert "Too few rows for a backtest: series has n_samples=7" in file.getvalue()


def test_a_picture_is_the_same_each_time():
    def picture():
        _, ax = plt.subplots()
        ax.fill_between([0, 1], [0, 1])
        return _image(ax.figure, "a 'b'")

    assert picture() == picture()
    assert picture().startswith("<img alt='a &#x27;b&#x27;' src='data:image/svg+xml;base64,")


def page_of(model, n_steps=4, **options):
    """Return the first cells of the table of a forecast, and the texts of each picture."""
    file = io.StringIO()
    write_report(file, model, n_steps, **options)
    cells = re.findall("<tr><td>([^<]*)</td>", file.getvalue())[:n_steps]
    pictures = re.findall("base64,([^']*)", file.getvalue())
    return cells, [re.findall("<!-- (.*) -->", base64.b64decode(p).decode()) for p in pictures]


BERLIN = ["2024-10-27T02:00+02:00", "2024-10-27T02:00+01:00"]  # clocks go back


@pytest.mark.parametrize(
    ("zone", "name", "texts"),
    [
        ("Europe/Berlin", "Europe/Berlin", BERLIN),
        (timezone(timedelta(hours=-3, minutes=-30)), "UTC-03:30",
         ["2024-10-27T02:00-03:30", "2024-10-27T03:00-03:30"]),
    ],
)  # fmt: skip
def test_times_of_a_zone_have_their_offsets_and_axes_its_name(zone, name, texts):
    hours = pd.date_range("2024-10-24T01:00", "2024-10-27T00:00", freq="h", tz=zone)
    model = AutoForecaster(seasons=[4], horizon=4, quick=True).fit(pd.Series(SERIES, hours))
    cells, pictures = page_of(model)
    assert cells[1:3] == texts and cells[0] == f"2024-10-27T01:00{texts[0][-6:]}"
    assert [name in written for written in pictures] == [True, False, True, True]


@pytest.fixture
def tables_alone(monkeypatch):
    """Leave out what takes most of the time of a report."""
    monkeypatch.setattr(_report, "_image", lambda figure, description: "")
    monkeypatch.setattr(_report, "_residuals", lambda *args: "")


def test_local_times_have_no_offset(tables_alone):
    days = pd.date_range("2024-01-01", periods=72)
    model = AutoForecaster(seasons=[4], horizon=4, quick=True).fit(pd.Series(SERIES, days))
    assert page_of(model)[0][0] == "2024-03-13"


def test_given_times_have_no_offset_beside_those_of_a_zone(tables_alone):
    days = pd.date_range("2024-01-01", periods=72, tz="Europe/Berlin")
    model = AutoForecaster(seasons=[4], horizon=4, quick=True).fit(pd.Series(SERIES, days))
    assert page_of(model)[0][0] == "2024-03-13T00:00+01:00"
    assert page_of(model, times=np.arange(76.0))[0] == ["72.0", "73.0", "74.0", "75.0"]


@pytest.fixture(scope="module")
def pictures_of_an_array(no_regressions_as_baselines):
    model = AutoForecaster(seasons=[4], horizon=4, quick=True)
    return page_of(model.fit(np.column_stack([SERIES, SERIES[::-1]])), column=1)[1]


@pytest.mark.parametrize("with_times", [True, False])
def test_frames_of_other_libraries_have_the_report_of_arrays(with_times, pictures_of_an_array):
    hours = pd.date_range("2024-10-24T01:00", periods=72, freq="h", tz="Europe/Berlin")
    columns = {"load": SERIES, "hour": hours, "other": SERIES[::-1]}
    frame = pl.DataFrame(columns).drop([] if with_times else "hour")
    model = AutoForecaster(seasons=[4], horizon=4, quick=True)
    cells, pictures = page_of(model.fit(frame), column=1)
    assert cells[1:3] == (BERLIN if with_times else ["2", "3"])
    assert pictures == pictures_of_an_array
