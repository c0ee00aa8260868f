"""Names of parameters are those that scikit-learn reads from the signature."""

import pytest
from sklearn.base import BaseEstimator, clone

from esnkit import NVAR, ESNRegressor, Reservoir, RidgeReadout


class Renamed(RidgeReadout):
    """A subclass with parameters of another name."""

    def __init__(self, alpha=1.0, *, another=2):
        super().__init__(alpha)
        self.another = another


@pytest.mark.parametrize("cls", [ESNRegressor, Reservoir, NVAR, RidgeReadout, Renamed])
def test_names_are_those_of_scikit_learn(cls):
    for _ in range(2):  # the second time they are known
        assert cls._get_param_names() == BaseEstimator._get_param_names.__func__(cls)


def test_a_subclass_has_names_of_its_own():
    RidgeReadout().get_params()
    assert Renamed(another=3).get_params() == {"alpha": 1.0, "another": 3}
    assert clone(Renamed(another=3)).another == 3
