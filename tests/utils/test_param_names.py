"""Names of parameters are those that scikit-learn reads from the signature."""

import pytest
from sklearn.base import BaseEstimator, clone

from esnkit import NVAR, DeepReservoir, ESNRegressor, Reservoir, ReservoirRegressor, RidgeReadout


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


def test_a_parameter_of_a_missing_estimator_is_named():
    model = ReservoirRegressor(DeepReservoir())
    with pytest.raises(ValueError, match="readout__alpha is a parameter of readout, which is None"):
        model.set_params(readout__alpha=1.0)
    with pytest.raises(ValueError, match="reservoir__n_units is a parameter of reservoir"):
        model.set_params(reservoir__reservoir__n_units=5)
    model.set_params(readout__alpha=1.0, readout=RidgeReadout(), reservoir__reservoir=NVAR())
    assert model.readout.alpha == 1.0
