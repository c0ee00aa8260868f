"""Weights by name: out, in, and what is refused."""

import numpy as np
import pytest
from network_problems import SPECS, free_parameters, theta_of
from training_problems import echo, untrained

from esnkit.networks._spec import n_parameters
from esnkit.networks._weights import join_weights, replace_weights, split_weights


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_weights_are_split_and_joined(spec):
    theta, other = theta_of(spec), np.zeros(n_parameters(spec))
    named = split_weights(spec, theta)
    join_weights(spec, named, other)
    assert np.array_equal(other, theta)
    assert sum(part.size for part in named.values()) == free_parameters(spec).sum()


def test_wrong_weights_are_refused_by_name():
    spec = SPECS["gru"]
    theta = theta_of(spec)
    with pytest.raises(ValueError, match=r"weights has unknown names \['W_7'\]"):
        replace_weights(split_weights(spec, theta), {"W_7": np.zeros(3)})
    with pytest.raises(ValueError, match=r"weights\['W_0'\] has shape \(3,\), expected \(12, 4\)"):
        replace_weights(split_weights(spec, theta), {"W_0": np.zeros(3)})


def test_weights_are_exchanged_between_estimators():
    X, _, Y = echo(6)
    one, two = untrained(X, Y), untrained(X, Y, random_state=1)
    assert not np.array_equal(one.predict(X), two.predict(X))
    two.set_weights(one.get_weights())
    assert np.array_equal(one.predict(X), two.predict(X))
    two.set_weights({"b_out": [7.0]}).from_torch_state_dict(one.to_torch_state_dict())
    assert np.array_equal(one.predict(X), two.predict(X))
    names = {"weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"}
    assert set(one.to_torch_state_dict()) == names | {"head.weight", "head.bias"}
