"""Japanese Vowels: utterances wrongly given to one of nine speakers, of 370.

    python benchmarks/accuracy_japanese_vowels.py [--data PATH] [--quick] [--select] [--seeds 10]

270 utterances of 7 to 29 frames to train, 370 to test (Kudo, Toyama and Shimbo 1999), twelve
coefficients a frame. One reservoir, one ridge readout of the states of an utterance, no ensemble
and no search over seeds; the coefficients are scaled by mean and deviation of the training
frames. The data are read from the files of the aeon package, which is never
imported: ``pip install --no-deps aeon==1.6.0``, or ``--data`` with the path of its wheel, or of a
folder that has JapaneseVowels_TRAIN.ts and JapaneseVowels_TEST.ts somewhere in it.

The settings below are what ``--select`` finds by cross-validation on the 270 training utterances
alone, five folds stratified by speaker, for several seeds: the score is the number of errors a
reservoir makes in all folds, plus the mean squared error of the indicators, which
decides where errors are too few to do so.

Published: 5 to 10 errors for single reservoirs, none for ensembles of hundreds (Jaeger et al.
2007, four units each, with hyper-parameters found by cross-validation, too).
"""

import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from _accuracy import heading, parse, row, select, show, verdict
from sklearn.model_selection import StratifiedKFold

from esnkit import ESNClassifier

SETTINGS = {
    "spectral_radius": 1.2,
    "leak_rate": 0.05,
    "input_scaling": 0.2,
    "bias_scaling": 1.0,
    "alpha": 0.1,
    "pooling": "last",
}
GRID = {
    "pooling": ("last", "mean"),
    "spectral_radius": (0.5, 0.9, 1.2, 1.5),
    "leak_rate": (0.02, 0.05, 0.1, 0.2, 0.5, 1.0),
    "input_scaling": (0.05, 0.1, 0.2, 0.5, 1.0),
    "bias_scaling": (0.0, 0.2, 0.5, 1.0, 2.0),
    "alpha": (0.01, 0.03, 0.1, 0.3, 1.0),
}
VALIDATION_SEED = 100
DATA = "aeon wheel, or folder with the .ts files"


def find(path):
    """Return where the two files are, as a folder that may lie inside a wheel."""
    if path is None:
        spec = find_spec("aeon")  # of a package at the top: found, not imported
        if spec is None:
            sys.exit("the data are missing: pip install --no-deps aeon==1.6.0, or --data PATH")
        path = spec.submodule_search_locations[0]
    if zipfile.is_zipfile(path):
        return zipfile.Path(path) / "aeon" / "datasets" / "data" / "JapaneseVowels"
    found = next(Path(path).rglob("JapaneseVowels_TRAIN.ts"), None)
    if found is None:
        sys.exit(f"no JapaneseVowels_TRAIN.ts in {path}: pip install --no-deps aeon==1.6.0")
    return found.parent


def read(folder, part):
    """Return utterances, a list of (n_timesteps, 12), and speakers (n_utterances,)."""
    text = (folder / f"JapaneseVowels_{part}.ts").read_text(encoding="utf-8")
    lines = text.split("@data")[1].split()
    cases = [line.split(":") for line in lines]
    utterances = [np.array([c.split(",") for c in case[:-1]], float).T.copy() for case in cases]
    return utterances, np.array([case[-1] for case in cases])


class Scaled:
    """A classifier of utterances whose coefficients have mean 0 and deviation 1 in training."""

    def __init__(self, utterances, speakers, seed, n_units, settings):
        frames = np.concatenate(utterances)
        self.mean, self.std = frames.mean(axis=0), frames.std(axis=0)
        model = ESNClassifier(n_units, random_state=seed, **settings)
        self.model = model.fit(self.scaled(utterances), speakers)

    def scaled(self, utterances):
        return [(u - self.mean) / self.std for u in utterances]

    def values(self, utterances):
        return self.model.decision_function(self.scaled(utterances))

    def predict(self, utterances):
        return self.model.predict(self.scaled(utterances))


def cross_validate(utterances, speakers, n_units, n_seeds=5, first=VALIDATION_SEED, **settings):
    """Return the errors a reservoir makes on average in five folds, plus their squared error."""
    scores = []
    for seed in range(first, first + n_seeds):
        folds = StratifiedKFold(5, shuffle=True, random_state=seed).split(speakers, speakers)
        for taught, left in folds:
            heard = [utterances[i] for i in taught]
            model = Scaled(heard, speakers[taught], seed, n_units, settings)
            values = model.values([utterances[i] for i in left])
            truth = speakers[left, None] == model.model.classes_
            wrong = values.argmax(axis=1) != truth.argmax(axis=1)
            scores.append(wrong.sum() + np.mean((values - truth) ** 2))
    return float(np.sum(scores)) / n_seeds


def errors(train, test, seed, n_units, settings):
    """Return the number of test utterances given to a wrong speaker."""
    model = Scaled(*train, seed, n_units, settings)
    return np.count_nonzero(model.predict(test[0]) != test[1])


def main():
    options = parse(__doc__, data=(None, DATA))
    folder = find(options.data)
    train, test = read(folder, "TRAIN"), read(folder, "TEST")
    n_units = 50 if options.quick else 300
    seeds = range(options.seeds or (2 if options.quick else 10))
    settings = SETTINGS
    if options.select:
        settings = select(lambda **s: cross_validate(*train, n_units, **s), GRID, SETTINGS)
    print(f"\nN = {n_units}, {len(seeds)} seeds, {len(train[0])} to train, {len(test[0])} to test")
    print(show(settings))
    heading()
    middle = row("errors", [errors(train, test, seed, n_units, settings) for seed in seeds])
    if not options.quick:
        verdict("errors of 370, N = 300", middle, "<=", 5)


if __name__ == "__main__":
    main()
