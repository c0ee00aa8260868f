"""Distributions of random weights."""

import numpy as np
import pytest

from esnkit.reservoirs._weights import WEIGHTS, draw_weights


@pytest.mark.parametrize("name, mean_square", [("uniform", 1 / 3), ("normal", 1), ("bernoulli", 1)])
def test_weights_have_mean_zero_and_their_variance(name, mean_square):
    drawn = draw_weights(name, (100, 50), np.random.default_rng(0))
    assert drawn.shape == (100, 50) and abs(drawn.mean()) < 0.05
    assert np.mean(drawn**2) == pytest.approx(mean_square, rel=0.06)
    assert set(WEIGHTS) == {"uniform", "normal", "bernoulli"}


def test_an_unknown_distribution_is_named():
    with pytest.raises(ValueError, match="weights must be one of .* got 'cauchy'"):
        draw_weights("cauchy", 3, np.random.default_rng(0))
