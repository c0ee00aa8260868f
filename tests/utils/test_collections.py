"""Methods that hand collections of other libraries to the module that is registered for them."""

import sys
from functools import wraps
from types import ModuleType

import numpy as np
import pytest

from esnkit import ESNClassifier, ESNRegressor, RidgeReadout
from esnkit.utils import _collections
from esnkit.utils._collections import handles_collections, takes_collections


class Foreign:
    """A collection of a library of somebody else."""


Foreign.__module__ = "foreign.arrays"


class Model:
    @takes_collections
    def fit(self, X, y=None, *, weight=1):
        """Fit."""
        return X, y, weight

    @takes_collections
    def score(self, X):
        return 1.0

    @wraps(print)
    def show(self, X):
        return 2.0


@pytest.fixture
def foreign(monkeypatch):
    module = ModuleType("handler_of_foreign")
    module.fit = lambda estimator, X, y=None, *, weight=1: ("handled", type(estimator), y, weight)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(_collections.HANDLERS, "foreign", module.__name__)


@pytest.mark.parametrize(
    "X", [Foreign(), [Foreign()], (Foreign(), Foreign())], ids=["one", "list", "tuple"]
)
def test_a_collection_goes_to_its_handler(foreign, X):
    expected = "handled", Model, 2, 3
    assert Model().fit(X, 2, weight=3) == Model().fit(X=X, y=2, weight=3) == expected


@pytest.mark.parametrize("X", [np.zeros(3), [[1.0]], [], None, "foreign"])
def test_other_data_stay(foreign, X):
    assert Model().fit(X, 2) == (X, 2, 1)


def test_without_a_handler_data_stay():
    X = Foreign()
    assert Model().fit(X) == (X, None, 1)


def test_a_method_without_a_function_names_itself(foreign):
    message = r"for Model.score, got a foreign collection.*scoring='r2' or 'accuracy' lets a search"
    with pytest.raises(TypeError, match=message):
        Model().score(Foreign())


def test_decorated_methods_are_known():
    assert handles_collections(Model().score) and not handles_collections(Model().show)
    assert not handles_collections(None)


@pytest.mark.parametrize("method", ["fit", "predict", "partial_fit", "score"])
@pytest.mark.parametrize(
    "model", [ESNRegressor(), ESNClassifier(alpha=1.0), RidgeReadout()], ids=type
)
def test_methods_of_estimators_take_collections(foreign, model, method):
    arguments = () if method == "predict" else (None,)
    if method == "fit":
        assert model.fit(Foreign(), 1)[0] == "handled"
    else:
        with pytest.raises(TypeError, match=f"{type(model).__name__}.{method}"):
            getattr(model, method)(Foreign(), *arguments)
