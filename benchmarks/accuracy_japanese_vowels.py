"""Japanese Vowels: number of misclassified utterances of 370, nine speakers.

    python benchmarks/accuracy_japanese_vowels.py [--data PATH] [--quick] [--select] [--seeds 10]

270 training utterances of 7 to 29 frames and 370 test utterances (Kudo, Toyama and Shimbo 1999),
twelve coefficients per frame. The model is one reservoir with one ridge readout of the states of an
utterance, without an ensemble or a search over seeds; the coefficients are standardised by the mean
and the standard deviation of the training frames. The data are read from the files of the aeon
package, which is not imported: ``pip install --no-deps aeon==1.6.0``, or ``--data`` with the path
of its wheel, or of a folder that contains JapaneseVowels_TRAIN.ts and JapaneseVowels_TEST.ts.

``--select`` finds the settings below by cross-validation on the 270 training utterances alone, five
folds stratified by speaker, for several seeds. The score is the number of errors in all folds plus
the mean squared error of the class indicators, which breaks ties between equal numbers of errors.

Published: 5 to 10 errors for single reservoirs, none for ensembles of hundreds (Jaeger et al.
2007, four units each, hyper-parameters also found by cross-validation).
"""

import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from _accuracy import format_settings, parse, print_goal, print_header, print_row, select
from sklearn.model_selection import StratifiedKFold

from esnkit import ESNClassifier, RidgeReadout

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
DATA_HELP = "aeon wheel, or folder with the .ts files"


def find_folder(path):
    """Return the folder of the two files, which may lie inside a wheel."""
    if path is None:
        spec = find_spec("aeon")  # does not import a top-level package
        if spec is None:
            sys.exit("the data are missing: pip install --no-deps aeon==1.6.0, or --data PATH")
        path = spec.submodule_search_locations[0]
    if zipfile.is_zipfile(path):
        return zipfile.Path(path) / "aeon" / "datasets" / "data" / "JapaneseVowels"
    train_file = next(Path(path).rglob("JapaneseVowels_TRAIN.ts"), None)
    if train_file is None:
        sys.exit(f"no JapaneseVowels_TRAIN.ts in {path}: pip install --no-deps aeon==1.6.0")
    return train_file.parent


def read_split(folder, split):
    """Return utterances, a list of (n_timesteps, 12), and speakers (n_utterances,)."""
    text = (folder / f"JapaneseVowels_{split}.ts").read_text(encoding="utf-8")
    lines = text.split("@data")[1].split()
    cases = [line.split(":") for line in lines]
    utterances = [np.array([c.split(",") for c in case[:-1]], float).T.copy() for case in cases]
    return utterances, np.array([case[-1] for case in cases])


class StandardisedClassifier:
    """A classifier of utterances, standardised by the training frames."""

    def __init__(self, utterances, speakers, seed, n_units, settings):
        frames = np.concatenate(utterances)
        self.mean, self.std = frames.mean(axis=0), frames.std(axis=0)
        settings = dict(settings)
        readout = RidgeReadout(settings.pop("alpha"), scoring="classification")
        model = ESNClassifier(n_units, readout=readout, random_state=seed, **settings)
        self.model = model.fit(self.standardise(utterances), speakers)

    def standardise(self, utterances):
        return [(u - self.mean) / self.std for u in utterances]

    def decision_function(self, utterances):
        return self.model.decision_function(self.standardise(utterances))

    def predict(self, utterances):
        return self.model.predict(self.standardise(utterances))


def cross_validate(
    utterances, speakers, n_units, n_seeds=5, first_seed=VALIDATION_SEED, **settings
):
    """Return the errors in five folds plus the squared error of the indicators, mean over seeds."""
    scores = []
    for seed in range(first_seed, first_seed + n_seeds):
        folds = StratifiedKFold(5, shuffle=True, random_state=seed).split(speakers, speakers)
        for train, test in folds:
            X_train, X_test = ([utterances[i] for i in fold] for fold in (train, test))
            model = StandardisedClassifier(X_train, speakers[train], seed, n_units, settings)
            values = model.decision_function(X_test)
            indicators = speakers[test, None] == model.model.classes_
            is_error = values.argmax(axis=1) != indicators.argmax(axis=1)
            scores.append(is_error.sum() + np.mean((values - indicators) ** 2))
    return float(np.sum(scores)) / n_seeds


def errors(train, test, seed, n_units, settings):
    """Return the number of misclassified test utterances."""
    model = StandardisedClassifier(*train, seed, n_units, settings)
    return np.count_nonzero(model.predict(test[0]) != test[1])


def main():
    options = parse(__doc__, data=(None, DATA_HELP))
    folder = find_folder(options.data)
    train, test = read_split(folder, "TRAIN"), read_split(folder, "TEST")
    n_units = 50 if options.quick else 300
    seeds = range(options.seeds or (2 if options.quick else 10))
    settings = SETTINGS
    if options.select:
        settings = select(lambda **s: cross_validate(*train, n_units, **s), GRID, SETTINGS)
    counts = f"{len(train[0])} training and {len(test[0])} test utterances"
    print(f"\nN = {n_units}, {len(seeds)} seeds, {counts}")
    print(format_settings(settings))
    print_header()
    median = print_row("errors", [errors(train, test, seed, n_units, settings) for seed in seeds])
    if not options.quick:
        print_goal("errors of 370, N = 300", median, "<=", 5)


if __name__ == "__main__":
    main()
