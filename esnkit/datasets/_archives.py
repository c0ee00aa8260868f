"""Real sequences that other packages ship, and files of the UCR and UEA archives."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Iterator
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from esnkit.utils._validation import check_choice

PACKAGES = ("aeon", "sktime")  # they ship files of the archives, in datasets/data
ENDINGS = (".ts", ".tsv", ".txt")


def load_ucr(
    name: str, *, split: str = "train", folder: str | PathLike[str] | None = None
) -> tuple[list[NDArray[np.float64]], NDArray[np.str_]]:
    r"""Labelled sequences of the UCR and UEA archives [1]_, [2]_.

    The files are those in a folder, or those that the packages aeon and sktime ship, which are read
    without importing these packages: ``pip install 'esnkit[datasets]'``.

    Parameters
    ----------
    name : str
        Name of the data set, such as "GunPoint". aeon and sktime ship ACSF1, ArrowHead,
        BasicMotions, GunPoint, ItalyPowerDemand, JapaneseVowels and OSULeaf, and some more each.
    split : {"train", "test"}, default="train"
        Which of the two published parts.
    folder : path or None, default=None
        Folder with the file NAME_TRAIN or NAME_TEST, itself or in a folder NAME, that ends in .ts
        (the format of aeon and sktime), .tsv or .txt (a label and the values in a row, with tabs,
        spaces or commas between them).

    Returns
    -------
    X : list of ndarrays of shape (n_timesteps_i, n_channels), float64
        The end at which all channels are missing, which stands for a shorter sequence, is cut off.
        Other missing values are NaN, which estimators refuse.
    y : ndarray of shape (n_sequences,), str
        Labels.

    Raises
    ------
    ImportError
        If no package is installed that ships the data set, and no folder is given.
    FileNotFoundError
        If there is no such file.
    ValueError
        If a line of the file is not in the format.

    References
    ----------
    .. [1] H. A. Dau et al., "The UCR time series archive", IEEE/CAA Journal of Automatica Sinica 6,
       2019.
    .. [2] A. Bagnall et al., "The UEA multivariate time series classification archive, 2018",
       arXiv:1811.00075.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from esnkit.datasets import load_ucr
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "Toy_TRAIN.ts").write_text("@data\n1,2,3:4,5,6:up\n1,2:4,5:down")
    >>> X, y = load_ucr("Toy", folder=folder)
    >>> [x.shape for x in X], y.tolist()
    ([(3, 2), (2, 2)], ['up', 'down'])
    """
    check_choice("split", split, ("train", "test"))
    path = _find(name, f"{name}_{split.upper()}", folder)
    try:
        X, y = _read_ts(path) if path.suffix == ".ts" else _read_table(path)
    except ValueError as error:
        raise ValueError(f"{path} is not in the format of the archives: {error}") from error
    return [_without_padding(x) for x in X], np.array(y)


def load_japanese_vowels(
    *, split: str = "train"
) -> tuple[list[NDArray[np.float64]], NDArray[np.str_]]:
    """Japanese vowels: recordings of two successive vowels by nine speakers, to be identified.

    270 sequences of training, 30 of each speaker, and 370 of test, of 7 to 29 time steps [1]_. It
    is read from the package aeon or sktime: ``pip install 'esnkit[datasets]'``.

    Parameters
    ----------
    split : {"train", "test"}, default="train"

    Returns
    -------
    X : list of ndarrays of shape (n_timesteps_i, 12), float64
        LPC cepstrum coefficients.
    y : ndarray of shape (n_sequences,), str
        Speakers, "1" to "9".

    Raises
    ------
    ImportError
        If neither package is installed.
    ValueError
        If `split` is neither "train" nor "test".

    References
    ----------
    .. [1] M. Kudo, J. Toyama and M. Shimbo, "Multidimensional curve classification using
       passing-through regions", Pattern Recognition Letters 20, 1999. UCI Machine Learning
       Repository, https://doi.org/10.24432/C5NS47.

    Examples
    --------
    With aeon or sktime::

        >>> X, y = load_japanese_vowels()  # doctest: +SKIP
        >>> len(X), X[0].shape  # doctest: +SKIP
        (270, (20, 12))
    """
    return load_ucr("JapaneseVowels", split=split)


def load_santa_fe_laser() -> NDArray[np.float64]:
    """Santa Fe laser: the intensity of a far-infrared laser in a chaotic state.

    Data set A of the Santa Fe competition with its continuation [1]_, integers from 0 to 255. It is
    read from the package reservoirpy: ``pip install 'esnkit[datasets]'``.

    Returns
    -------
    X : ndarray of shape (10093, 1), float64

    Raises
    ------
    ImportError
        If reservoirpy is not installed.

    References
    ----------
    .. [1] U. Huebner, N. B. Abraham and C. O. Weiss, "Dimensions and entropies of chaotic intensity
       pulsations in a single-mode far-infrared NH3 laser", Physical Review A 40, 1989; A. S.
       Weigend and N. A. Gershenfeld, "Time series prediction", 1994.

    Examples
    --------
    With reservoirpy::

        >>> load_santa_fe_laser()[:5].ravel()  # doctest: +SKIP
        array([ 86., 141.,  95.,  41.,  22.])
    """
    package = _folder_of("reservoirpy")
    path = None if package is None else package / "datasets" / "santafe_laser.npy"
    if path is None or not path.exists():
        raise ImportError(
            "load_santa_fe_laser needs reservoirpy, which ships the series: pip install "
            "'esnkit[datasets]'"
        )
    return np.load(path).reshape(-1, 1).astype(np.float64)


def _folder_of(package: str) -> Path | None:
    """Return the folder of a package without importing it; None if it is not installed."""
    spec = importlib.util.find_spec(package)
    return None if spec is None or spec.origin is None else Path(spec.origin).parent


def _find(name: str, stem: str, folder: str | PathLike[str] | None) -> Path:
    """Return the path of a file, in the folder or in a package that ships the data set."""
    if not isinstance(name, str):
        raise TypeError(f"name must be the name of a data set, got {name!r}")
    if folder is not None:
        folders = [Path(folder)]
    else:
        packages = [found for p in PACKAGES if (found := _folder_of(p)) is not None]
        folders = [package / "datasets" / "data" for package in packages]
    for place in folders:
        for path in (p / f"{stem}{end}" for p in (place, place / name) for end in ENDINGS):
            if path.is_file():
                return path
    if not folders:
        raise ImportError(
            f"{name} needs aeon or sktime, which ship it: pip install 'esnkit[datasets]', or give "
            "the folder of its files"
        )
    places = " and ".join(str(place) for place in folders)
    stems = {path.stem for place in folders for end in ENDINGS for path in place.rglob(f"*{end}")}
    names = sorted({stem[:-6] for stem in stems if stem.endswith("_TRAIN")})
    raise FileNotFoundError(
        f"name must be a data set with a file {stem}.ts, .tsv or .txt in {places}, got {name!r}; "
        f"there are {', '.join(names) or 'none'}"
    )


def _read_ts(path: Path) -> tuple[list[np.ndarray], list[str]]:
    """Read a sequence per line: channels with colons between them, then the label."""
    X, y = [], []
    # Bytes that are not UTF-8, in labels and comments, are shown as they are.
    with open(path, encoding="utf-8-sig", errors="backslashreplace") as file:
        known = _read_header(_lines(file))
        for line in _lines(file):
            *channels, label = map(str.strip, line.split(":"))
            if not label or (known and f" {label.lower()} " not in known):
                raise ValueError(f"it has a line that does not end in a label, {line[-40:]!r}")
            X.append(_as_columns([_numbers(channel.split(",")) for channel in channels]))
            if X[-1].shape[1] != X[0].shape[1]:
                raise ValueError(
                    f"it has lines of {X[0].shape[1]} and of {X[-1].shape[1]} channels"
                )
            y.append(label)
    if not X:
        raise ValueError("it has no line after @data")
    return X, y


def _read_header(lines: Iterable[str]) -> str:
    """Read the lines up to @data; return the labels that they list, between spaces."""
    known = ""
    for line in lines:
        key, *values = line.lower().split()
        if key.startswith("@data"):
            break
        if (key, values) == ("@timestamps", ["true"]):
            raise ValueError("its values have time stamps, which are not read")
        if key == "@classlabel" and values[:1] == ["false"]:
            raise ValueError("its header says that there are no labels")
        if key == "@classlabel" and values[1:]:
            known = f" {' '.join(values[1:])} "
    return known


def _lines(file: Iterable[str]) -> Iterator[str]:
    """Yield the lines that are neither empty nor comments."""
    for line in map(str.strip, file):
        if line and not line.startswith("#"):
            yield line


def _numbers(texts: list[str]) -> np.ndarray:
    missing = ("", "?")
    return np.array(["nan" if text.strip() in missing else text for text in texts], np.float64)


def _as_columns(channels: list[np.ndarray]) -> np.ndarray:
    """Return channels, of which some may be shorter, as columns; NaN stands where one ends."""
    if not channels:
        raise ValueError("it has a line without values")
    x = np.full((max(map(len, channels)), len(channels)), np.nan)
    for k, channel in enumerate(channels):
        x[: len(channel), k] = channel
    return x


def _read_table(path: Path) -> tuple[list[np.ndarray], list[str]]:
    """Read a sequence per row: the label, then the values."""
    X, y = [], []
    with open(path, encoding="utf-8-sig") as file:
        for line in _lines(file):
            delimiter = next((mark for mark in ",\t" if mark in line), None)
            label, *values = line.split(delimiter)
            if not values:
                raise ValueError(f"it has a row without values, {line!r}")
            X.append(_numbers(values)[:, None])
            y.append(_plain_label(label.strip()))
    if not X:
        raise ValueError("it has no row")
    return X, y


def _plain_label(text: str) -> str:
    """Return a label as it is written, but 1.0000000e+00 as 1."""
    try:
        number = float(text.replace("_", "?"))  # to Python 1_0 is 10
    except ValueError:
        return text
    if np.isnan(number):
        raise ValueError("it has a row without a label")
    return f"{number:.15g}"


def _without_padding(x: np.ndarray) -> np.ndarray:
    """Cut the end at which all channels are missing."""
    present = np.flatnonzero(~np.isnan(x).all(axis=1))
    return x[: present.max(initial=-1) + 1].copy()
