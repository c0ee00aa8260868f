import datetime
import sys
from decimal import Decimal

import numpy as np
import pytest

from esnkit.utils._frames import column_names, frame_ndim, has_frames, ndim_of, to_array, unwrap

pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")
pd = pytest.importorskip("pandas")
nw = pytest.importorskip("narwhals")

DATA = {"a": [1.5, 2.5], "b": [1, 2], "c": [True, False]}
FRAMES = [pl.DataFrame(DATA), pa.table(DATA), pa.RecordBatch.from_pydict(DATA)]
FRAMES.append(nw.from_native(FRAMES[0]))
COLUMNS = [pl.Series([1, 2]), pa.array([1, 2]), pa.chunked_array([[1], [2]])]
COLUMNS.append(nw.from_native(COLUMNS[0], series_only=True))
NOT_FRAMES = [
    np.zeros((2, 2)),
    [1.0],
    "text",
    None,
    3,
    pd.DataFrame(DATA),
    pa.scalar(3),
    pl.col("a"),
]


def name_of(obj):
    return f"{type(obj).__module__.partition('.')[0]} {type(obj).__name__}"


every_frame = pytest.mark.parametrize("frame", FRAMES, ids=name_of)
every_column = pytest.mark.parametrize("column", COLUMNS, ids=name_of)


@every_frame
def test_a_frame_is_a_2d_array_with_names(frame):
    assert (frame_ndim(frame), ndim_of(frame), has_frames([0, frame])) == (2, 2, True)
    assert column_names(frame) == ["a", "b", "c"]
    np.testing.assert_array_equal(to_array("X", frame), [[1.5, 1, 1], [2.5, 2, 0]])


@every_column
def test_a_column_is_a_1d_array(column):
    assert (frame_ndim(column), ndim_of(column), column_names(column)) == (1, 1, None)
    np.testing.assert_array_equal(to_array("y", column), [1, 2])


@pytest.mark.parametrize("obj", NOT_FRAMES, ids=name_of)
def test_other_objects_stay_as_they_are(obj):
    assert frame_ndim(obj) is None and not has_frames([obj]) and to_array("X", obj) is obj


def test_a_frame_of_pandas_inside_narwhals_is_unwrapped():
    frame = pd.DataFrame(DATA)
    wrapped = nw.from_native(frame)
    assert isinstance(unwrap(wrapped), pd.DataFrame) and to_array("X", wrapped).equals(frame)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pl.Series([1, None], dtype=pl.Int8), [1, np.nan]),
        (pa.array([1.5, None]), [1.5, np.nan]),
        (pl.Series([True, None]), [True, None]),
        (pl.Series(["a", None]), ["a", None]),
        (pa.array(["a", None]), ["a", None]),
        (pl.Series(["b", "a"], dtype=pl.Categorical), ["b", "a"]),
        (pa.array(["b", "a"]).dictionary_encode(), ["b", "a"]),
        (pl.Series([Decimal("1.5")]), [1.5]),
        (pa.array([Decimal("1.5")]), [1.5]),
        (pl.Series([2], dtype=pl.Int128), [2]),
    ],
)
def test_missing_values_and_rare_types(values, expected):
    np.testing.assert_array_equal(to_array("y", values, numeric=False), np.array(expected))


def test_types_are_those_of_the_columns():
    floats = pl.DataFrame({"a": [1.0], "b": [2.0]}, schema={"a": pl.Float32, "b": pl.Float32})
    assert to_array("X", floats).dtype == np.float32
    assert to_array("X", floats.with_columns(b=pl.lit(1))).dtype == np.float64
    assert to_array("X", pa.table({"t": [1, 2]})).dtype == np.int64


TIMES = [
    datetime.datetime(2024, 1, 1),
    datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC),
    datetime.date(2024, 1, 1),
    datetime.timedelta(hours=1),
    datetime.time(12),
]


@pytest.mark.parametrize("time", TIMES, ids=repr)
@pytest.mark.parametrize("make", [pl.DataFrame, pa.table], ids=["polars", "pyarrow"])
def test_a_column_of_times_is_refused_by_name(time, make):
    with pytest.raises(ValueError, match="X must hold numbers, got times in column 'when'"):
        to_array("X", make({"a": [1.0], "when": [time]}))
    assert to_array("y", make({"when": [time]}), numeric=False).shape == (1, 1)


@pytest.mark.parametrize(
    "column",
    [pl.Series("a", [[1, 2]]), pl.Series("a", [[1, 2]], dtype=pl.Array(pl.Int64, 2)),
     pl.Series("a", [{"x": 1}])],
    ids=["list", "array", "struct"],
)  # fmt: skip
def test_several_values_per_row_are_refused(column):
    with pytest.raises(ValueError, match="X must hold one value per row, got .* in column 'a'"):
        to_array("X", column.to_frame())


def test_columns_of_one_name_are_refused():
    table = pa.table([pa.array([1]), pa.array([2])], names=["a", "a"])
    with pytest.raises(ValueError, match=r"X must have distinct names of columns, got \['a', 'a'"):
        to_array("X", table)


def test_a_lazy_frame_is_to_be_collected():
    for lazy in (pl.LazyFrame(DATA), nw.from_native(pl.LazyFrame(DATA))):
        with pytest.raises(TypeError, match=r"X is a polars LazyFrame.*X\.collect\(\)"):
            to_array("X", lazy)


@pytest.mark.parametrize("values", [*FRAMES[:3], *COLUMNS[:3]], ids=name_of)
def test_without_narwhals_the_error_says_how_to_get_it(values, monkeypatch):
    monkeypatch.setitem(sys.modules, "narwhals", None)
    with pytest.raises(ImportError, match=r"X is a p.*pip install 'esnkit\[dataframe\]'"):
        to_array("X", values)


def test_frames_without_rows_or_columns():
    assert to_array("X", pl.DataFrame(DATA)[:0]).shape == (0, 3)
    assert to_array("X", pl.DataFrame()).shape == (0, 0)
