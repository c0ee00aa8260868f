"""Least mean squares: what the steps reach, and steps that are too long."""

import numpy as np
import pytest

from esnkit.readouts import LMSReadout


def rows(n_rows=400, scale=1.0):
    rng = np.random.default_rng(0)
    X = scale * rng.standard_normal((n_rows, 3))
    return X, X @ np.array([[1.0], [-2.0], [0.5]]) / scale + 3.0


@pytest.mark.parametrize("scale", [0.3, 1.0, 30.0])
def test_normalised_steps_learn_features_of_any_size(scale):
    X, y = rows(3000, scale)
    model = LMSReadout(1.0).fit(X, y - 3.0)
    assert abs(model.predict(X) - y + 3.0).max() < 1e-2


def test_plain_steps_learn_features_of_size_one_and_diverge_on_large_ones():
    X, y = rows(1000)
    assert abs(LMSReadout(0.05, normalized=False).fit(X, y).predict(X) - y).max() < 1e-6
    with pytest.raises(ValueError, match="step_size must be so small .*0.5: use normalized=True"):
        LMSReadout(normalized=False).fit(100 * X, y)
    with pytest.raises(ValueError, match="step_size must be so small .*9: use a smaller step_size"):
        LMSReadout(9).fit(X, y)


@pytest.mark.parametrize("step_size", [0.0, -1.0, np.inf])
def test_a_wrong_step_is_refused(step_size):
    with pytest.raises(ValueError, match="^step_size must be"):
        LMSReadout(step_size).fit(*rows(5))


def test_a_flag_that_is_none_is_refused():
    with pytest.raises(TypeError, match="^normalized must be"):
        LMSReadout(normalized="yes").fit(*rows(5))
