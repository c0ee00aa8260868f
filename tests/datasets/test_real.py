"""The real series as it ships."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from processes import outputs_of

import esnkit
from esnkit.datasets import data_path, load_bike_sharing


def test_bike_sharing_is_one_whole_year():
    bikes = load_bike_sharing()
    assert bikes.data.shape == (8760, 3) and bikes.target.shape == (8760,)
    assert bikes.target.sum() == 1_243_103  # the source's total of 2011
    assert np.all(np.diff(bikes.time) == np.timedelta64(1, "h"))
    assert bikes.time[0] == np.datetime64("2011-01-01T00:00")
    working_day, *clock = bikes.data.T
    angle = 2 * np.pi * np.arange(8760) / 24
    np.testing.assert_allclose(clock, [np.sin(angle), np.cos(angle)], rtol=0, atol=5e-5)
    weekend = (bikes.time.astype("datetime64[D]").astype(int) + 3) % 7 >= 5
    assert set(working_day) == {0.0, 1.0} and not working_day[weekend].any()
    assert (working_day[~weekend] == 0).sum() == 10 * 24  # public holidays
    assert "CC BY 4.0" in bikes.DESCR and bikes.filename == str(data_path())


def test_bike_sharing_as_arrays_and_as_frames():
    pd = pytest.importorskip("pandas")
    X, y = load_bike_sharing(return_X_y=True)
    bikes = load_bike_sharing(as_frame=True)
    frame = pd.read_csv(data_path("bike_sharing"), parse_dates=["time"], index_col="time")
    assert list(bikes.frame.columns) == ["working_day", "hour_sin", "hour_cos", "rentals"]
    assert pd.tseries.frequencies.to_offset(bikes.frame.index.freq) == pd.offsets.Hour()
    assert np.array_equal(bikes.frame.index, frame.index)
    assert np.array_equal(bikes.frame["rentals"], frame["rentals"])
    assert np.array_equal(bikes.data, X) and np.array_equal(bikes.target, y)
    X, y = load_bike_sharing(return_X_y=True, as_frame=True)
    assert list(X.columns) == ["working_day", "hour_sin", "hour_cos"] and y.name == "rentals"


@pytest.mark.parametrize(
    "make, arguments, name",
    [
        (data_path, {"name": "airline"}, "name"),
    ],
)
def test_a_wrong_value_is_refused_by_name(make, arguments, name):
    with pytest.raises(ValueError, match=rf"^{name} must be"):
        make(**arguments)


def test_the_data_are_found_in_an_archive(tmp_path):
    package = Path(esnkit.__file__).parent
    shutil.copytree(package, tmp_path / "tree" / "esnkit", ignore=shutil.ignore_patterns("__pyc*"))
    archive = shutil.make_archive(str(tmp_path / "esnkit"), "zip", tmp_path / "tree")
    code = (
        f"import sys; sys.path.insert(0, {archive!r}); import esnkit; "
        "assert '.zip' in esnkit.__file__; from esnkit.datasets import *; "
        "bikes = load_bike_sharing(); assert bikes.target.sum() == 1_243_103 and bikes.DESCR; "
        "print(data_path()); print(open(bikes.filename).readline().strip())"
    )
    (output,) = outputs_of(code, {})
    path, header = output.splitlines()
    assert header == "time,rentals,working_day,hour_sin,hour_cos" and not Path(path).exists()
