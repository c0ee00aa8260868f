"""Weights by name, out of a network and into it."""

import numpy as np
import pytest
from network_problems import SPECS, free_parameters, theta_of

from esnkit.networks._spec import n_parameters
from esnkit.networks._weights import join_weights, replaced, split_weights

every_spec = pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)


@every_spec
def test_named_weights_go_out_and_in(spec):
    theta, other = theta_of(spec), np.zeros(n_parameters(spec))
    named = split_weights(spec, theta)
    join_weights(spec, named, other)
    assert np.array_equal(other, theta)
    assert sum(part.size for part in named.values()) == free_parameters(spec).sum()


def test_wrong_weights_are_refused_by_name():
    named = split_weights(SPECS["gru"], theta_of(SPECS["gru"]))
    with pytest.raises(ValueError, match=r"weights has unknown names \['W_7'\]"):
        replaced(named, {"W_7": np.zeros(3)})
    with pytest.raises(ValueError, match=r"weights\['W_0'\] has shape \(3,\), expected \(12, 4\)"):
        replaced(named, {"W_0": np.zeros(3)})
