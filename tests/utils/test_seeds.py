from sklearn.ensemble import BaggingRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVR

from esnkit.utils._seeds import first_seed, seed_names


def test_seeds_of_outer_estimators_come_before_those_of_nested_ones():
    bagging = BaggingRegressor(make_pipeline(Ridge(random_state=1)))
    names = ["random_state", "estimator__ridge__random_state"]
    assert seed_names(bagging.get_params()) == names
    assert first_seed(bagging.get_params()) == 1
    assert first_seed(bagging.set_params(random_state=0).get_params()) == 0


def test_an_estimator_without_seeds_has_none():
    assert seed_names(SVR().get_params()) == []
    assert first_seed(SVR().get_params()) is None
    assert seed_names(["no_random_state", "random_state__x"]) == []
