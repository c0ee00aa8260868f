"""Small data, and the evaluation of candidates on them, for tests of searches."""

import numpy as np
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold

from esnkit.model_selection import ReservoirSearchCV
from esnkit.model_selection._search import _listed_search
from esnkit.model_selection._trials import Evaluator

RNG = np.random.default_rng(0)
X = RNG.standard_normal((60, 4))
Y = X @ [1.0, -2.0, 0.5, 0.0] + 0.3 * RNG.standard_normal(60)
FOLDS = list(KFold(3).split(X))


def evaluator(estimator=None, folds=FOLDS, seeds=None, **parameters):
    """Return an evaluator of ridge regression, or of another estimator."""
    search = ReservoirSearchCV(Ridge() if estimator is None else estimator, {}, **parameters)

    def make_search(grid, folds):
        return _listed_search(search, grid, folds)

    return Evaluator(make_search, (X, Y), {}, folds, [{}] if seeds is None else seeds)
