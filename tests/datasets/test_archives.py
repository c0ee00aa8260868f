"""Files of the archives, and those that other packages ship."""

import numpy as np
import pytest

from esnkit.datasets import _archives, load_japanese_vowels, load_santa_fe_laser, load_ucr


def installed(*packages):
    if not any(_archives._folder_of(package) for package in packages):
        pytest.skip(f"needs one of {packages}")


def test_ts_files_with_channels_gaps_and_comments(tmp_path):
    text = "# a comment\n@problemName Toy\n@data\n1,2,?:4,5,?:a b\n\n?,2:4,?,6:c\n"
    (tmp_path / "Toy").mkdir()
    (tmp_path / "Toy" / "Toy_TEST.ts").write_text(text)
    X, y = load_ucr("Toy", split="test", folder=tmp_path)
    assert y.tolist() == ["a b", "c"]
    np.testing.assert_array_equal(X[0], [[1, 4], [2, 5]])
    np.testing.assert_array_equal(X[1], [[np.nan, 4], [2, np.nan], [np.nan, 6]])


def test_ts_files_with_a_byte_order_mark_and_labels_of_other_encodings(tmp_path):
    text = b"@classLabel true \xe9 \xe8 two words\r\n@data\r\n1:\xe9\r\n2:\xe8\r\n3:Two words\r\n"
    (tmp_path / "Toy_TRAIN.ts").write_bytes(text)
    assert load_ucr("Toy", folder=tmp_path)[1].tolist() == ["\\xe9", "\\xe8", "Two words"]
    (tmp_path / "Toy_TRAIN.ts").write_text("@data\n1,2:up\n", encoding="utf-8-sig")
    assert load_ucr("Toy", folder=tmp_path)[1].tolist() == ["up"]


@pytest.mark.parametrize(
    "ending, text", [("tsv", "1\t0.5\t2\n-1\t3\tNaN\n"), ("txt", "1,.5,2\n-1,3,NaN")]
)
def test_tables(tmp_path, ending, text):
    (tmp_path / f"Toy_TRAIN.{ending}").write_text(text, encoding="utf-8-sig")
    X, y = load_ucr("Toy", folder=str(tmp_path))
    assert y.tolist() == ["1", "-1"] and [x.shape for x in X] == [(2, 1), (1, 1)]
    np.testing.assert_array_equal(X[0][:, 0], [0.5, 2.0])


@pytest.mark.parametrize(
    "label, wanted",
    [
        ("1.0000000e+00", "1"),
        ("-2", "-2"),
        ("0.5", "0.5"),
        ("1234567", "1234567"),
        ("1_0", "1_0"),
        ("wave", "wave"),
    ],
)
def test_labels_of_tables_are_told_apart(tmp_path, label, wanted):
    (tmp_path / "Toy_TRAIN.tsv").write_text(f"# a comment\n{label}\t0.5\t?\t\t2\n1234568 3\n")
    X, y = load_ucr("Toy", folder=tmp_path)
    assert y.tolist() == [wanted, "1234568"]
    np.testing.assert_array_equal(X[0][:, 0], [0.5, np.nan, np.nan, 2.0])
    np.testing.assert_array_equal(X[1], [[3.0]])


def test_japanese_vowels():
    installed("aeon", "sktime")
    for split, sizes in (("train", [30] * 9), ("test", [31, 35, 88, 44, 29, 24, 40, 50, 29])):
        X, y = load_japanese_vowels(split=split)
        assert np.unique(y, return_counts=True)[1].tolist() == sizes
        assert {x.shape[1] for x in X} == {12} and all(np.isfinite(x).all() for x in X)
        assert min(map(len, X)) == 7 and max(map(len, X)) in (26, 29)


def test_a_set_that_a_package_does_not_ship_is_named_with_those_it_does():
    installed("aeon", "sktime")
    with pytest.raises(FileNotFoundError, match="name must be a data set .*there are .*GunPoint"):
        load_ucr("Gun")


def test_santa_fe_laser():
    installed("reservoirpy")
    X = load_santa_fe_laser()
    assert X.shape == (10_093, 1) and X.dtype == np.float64
    assert X[:5, 0].tolist() == [86, 141, 95, 41, 22] and X.sum() == 603_880


def test_without_the_packages_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(_archives.importlib.util, "find_spec", lambda name: None)
    for load in (load_japanese_vowels, load_santa_fe_laser):
        with pytest.raises(ImportError, match=r"pip install 'esnkit\[datasets\]'"):
            load()


@pytest.mark.parametrize(
    "ending, text",
    [
        ("ts", "@data\n1,x:a\n"),
        ("ts", "nothing\n"),
        ("ts", "@data\na\n"),
        ("ts", "@classLabel false\n@data\n1,2:3,4\n"),
        ("ts", "@timeStamps true\n@data\n(0,1),(1,2):a\n"),
        ("ts", "@data\n1,2:3,4:a\n1,2:3,4\n"),
        ("ts", "@data\n1,2:3,4:a\n1,2:3,4:\n"),
        ("ts", "@classLabel true 1 12\n@data\n1,2:12\n1,2:2\n"),
        ("tsv", ""),
        ("tsv", "label\tfirst\tsecond\n1\t2\t3\n"),
        ("tsv", "1\n2\n"),
        ("tsv", "NaN\t2\n"),
        ("txt", "1;2;3\n"),
    ],
)
def test_what_is_not_in_the_format_is_refused(tmp_path, ending, text):
    (tmp_path / f"Bad_TRAIN.{ending}").write_text(text)
    with pytest.raises(ValueError, match=f"Bad_TRAIN.{ending} is not in the format"):
        load_ucr("Bad", folder=tmp_path)


def test_wrong_arguments_are_refused(tmp_path):
    with pytest.raises(ValueError, match="^split must be one of"):
        load_japanese_vowels(split="all")
    with pytest.raises(TypeError, match="^name must be"):
        load_ucr(None, folder=tmp_path)
    with pytest.raises(FileNotFoundError, match="there are none"):
        load_ucr("Toy", folder=tmp_path)
    for ending in ("tsv", "ts"):
        (tmp_path / f"{ending}_TRAIN.{ending}").touch()
    with pytest.raises(FileNotFoundError, match="there are ts, tsv$"):
        load_ucr("Toy", folder=tmp_path)
