"""Further parameters of parts that a name chooses."""

import pytest

from esnkit.reservoirs._own_params import check_params, complete_params


def test_given_parameters_replace_the_defaults():
    defaults = {"size": 5, "weight": 0.5}
    assert complete_params("topology", "cycle", {"size": 3}, defaults) == {"size": 3, "weight": 0.5}
    assert complete_params("topology", "cycle", None, defaults) == defaults
    assert defaults == {"size": 5, "weight": 0.5}


def test_a_dict_is_copied():
    given = {"size": 3}
    assert check_params("topology_params", given) == given
    assert check_params("topology_params", given) is not given
    assert check_params("topology_params", None) == {}


def test_wrong_parameters_are_named():
    with pytest.raises(TypeError, match="update_params must be a dict or None, got 3"):
        complete_params("update", "euler", 3, {})
    message = r"update_params of update='euler' must have keys among \['a'\], got 'b'"
    with pytest.raises(ValueError, match=message):
        complete_params("update", "euler", {"b": 1}, {"a": 2})
