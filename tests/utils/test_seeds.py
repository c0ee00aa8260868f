from sklearn.ensemble import BaggingRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVR

from esnkit.utils._seeds import first_seed, seed_names, seeds_of_parts


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


def test_parts_side_by_side_have_different_seeds_and_nested_ones_that_of_the_outer():
    names = ["a__random_state", "a__x__random_state", "b__random_state", "a__y__random_state", "n"]
    seeds = seeds_of_parts(names, 5)
    assert sorted(seeds) == sorted(names[:-1]) and seeds == seeds_of_parts(names, 5)
    assert seeds["a__random_state"] == seeds["a__x__random_state"] == 5
    assert len({5, seeds["b__random_state"], seeds["a__y__random_state"]}) == 3
    nested = ["random_state", "reservoir__random_state", "reservoir__reservoir__random_state"]
    assert seeds_of_parts(nested, 7) == dict.fromkeys(nested, 7)
    assert seeds_of_parts(names[:3], None) == dict.fromkeys(names[:3])
