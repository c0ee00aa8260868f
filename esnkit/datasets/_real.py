"""The real series that ships with the package, and the path of its file."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils import Bunch

from esnkit.utils._validation import check_flag


def data_path(name: str = "bike_sharing") -> Path:
    """Path of a CSV file that ships with the package.

    The file has a header line and one row per time step. A text file of the same name beside it
    gives source and licence. If the package is imported from an archive, the file is a temporary
    copy without that text file, removed at exit.

    Parameters
    ----------
    name : {"bike_sharing"}, default="bike_sharing"
        Name of the data set.

    Returns
    -------
    path : pathlib.Path

    Raises
    ------
    ValueError
        If there is no such data set.

    Examples
    --------
    >>> from esnkit.datasets import data_path
    >>> data_path("bike_sharing").name
    'bike_sharing.csv'
    """
    names = sorted(item.name[:-4] for item in _data().iterdir() if item.name.endswith(".csv"))
    if name not in names:
        raise ValueError(f"name must be one of {names}, got {name!r}")
    return _on_disk(f"{name}.csv")


def _data() -> Any:
    """Return the folder of the data sets, which may lie in an archive."""
    return files("esnkit.datasets") / "data"


@lru_cache
def _on_disk(name: str) -> Path:
    """Return the path of a file; one in an archive is copied to a temporary folder."""
    item = _data() / name
    if isinstance(item, Path):
        return item
    folder = tempfile.mkdtemp(prefix="esnkit-data-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = Path(folder) / name
    path.write_bytes(item.read_bytes())
    return path


def load_bike_sharing(*, return_X_y: bool = False, as_frame: bool = False) -> Any:
    """Hourly bike rentals in Washington, D.C., with the calendar: one year, 8760 hours.

    The number of bikes rented in every hour of 2011 from the Capital Bikeshare system [1]_. The
    features are known in advance: whether the day is a working day, and the time of day. Rentals
    have a daily (period 24) and a weekly (168) season, and differ between working days, with two
    rush hours, and other days, with one broad maximum: calendar and recent past interact, they do
    not simply add. As with counts in general, the variance grows with the level, so the square root
    is the natural scale to model.

    115 hours are missing in the source, most of them between two and five in the morning, the rest
    during outages and storms. They had no rental recorded and are 0 here.

    Parameters
    ----------
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.
    as_frame : bool, default=False
        Return pandas objects indexed by time. Needs pandas.

    Returns
    -------
    data : Bunch
        Dictionary-like object with these attributes.

        data : ndarray of shape (8760, 3), float64, or DataFrame
            The columns `working_day` (0 or 1), `hour_sin` and `hour_cos`: sine and cosine of
            2 pi hour / 24, to four digits, which are continuous at midnight.
        target : ndarray of shape (8760,), float64, or Series
            Rentals in the hour that begins at `time`.
        time : ndarray of shape (8760,), datetime64[m]
            Start of the hour, local time as the source gives it.
        feature_names : list of str
        target_name : str
        frame : DataFrame of shape (8760, 4)
            Features and target together; only with ``as_frame=True``, else None.
        filename : str
            Path of the CSV file.
        DESCR : str
            Source and licence (Creative Commons Attribution 4.0).
    (data, target) : tuple, if ``return_X_y=True``

    References
    ----------
    .. [1] H. Fanaee-T and J. Gama, "Event labeling combining ensemble detectors and background
       knowledge", Progress in Artificial Intelligence 2, 2014. Data: UCI Machine Learning
       Repository, https://doi.org/10.24432/C5W894.

    Examples
    --------
    >>> from esnkit.datasets import load_bike_sharing
    >>> bikes = load_bike_sharing()
    >>> bikes.target[:5], str(bikes.time[0])
    (array([16., 40., 32., 13.,  1.]), '2011-01-01T00:00')
    >>> bikes.feature_names
    ['working_day', 'hour_sin', 'hour_cos']
    """
    check_flag("return_X_y", return_X_y)
    check_flag("as_frame", as_frame)
    path = data_path("bike_sharing")
    names = ["rentals", "working_day", "hour_sin", "hour_cos"]
    values = np.loadtxt(path, delimiter=",", skiprows=1, usecols=(1, 2, 3, 4))
    time = np.loadtxt(path, delimiter=",", skiprows=1, usecols=0, dtype=str)
    time = np.char.replace(time, " ", "T").astype("datetime64[m]")
    data, target, frame = values[:, 1:].copy(), values[:, 0].copy(), None
    if as_frame:
        import pandas as pd

        index = pd.DatetimeIndex(time.astype("datetime64[ns]"), freq="infer", name="time")
        frame = pd.DataFrame(values, columns=names, index=index)[[*names[1:], names[0]]]
        data, target = frame[names[1:]], frame[names[0]]
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        time=time,
        feature_names=names[1:],
        target_name=names[0],
        frame=frame,
        filename=str(path),
        DESCR=(_data() / "bike_sharing.txt").read_text(encoding="utf-8"),
    )
