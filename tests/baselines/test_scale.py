"""Scales of columns: constants are found whatever their mean is rounded to."""

import numpy as np
import pytest

from esnkit.baselines import HiddenMarkovModel, LinearDynamicalSystem
from esnkit.baselines._scale import column_scales

ROWS = np.random.default_rng(0).standard_normal((50, 2))


@pytest.mark.parametrize("value", [0.1, 0.7, 1e9 + 0.1])
def test_constants_keep_their_value_and_have_scale_one(value):
    for n_rows in (7, 50, 997):
        means, scales = column_scales(np.full((n_rows, 1), value))
        assert (means, scales) == (value, 1.0)
    means, scales = column_scales(ROWS)
    np.testing.assert_allclose(means, ROWS.mean(axis=0))
    np.testing.assert_allclose(scales, ROWS.std(axis=0))


@pytest.mark.parametrize("make", [LinearDynamicalSystem, HiddenMarkovModel])
def test_the_likelihood_of_a_constant_column_does_not_depend_on_its_rounding(make):
    parameters = {"random_state": 0} if make is HiddenMarkovModel else {}
    scores = []
    for value in (0.0, 0.1, 0.7):
        rows = np.column_stack([ROWS[:, 0], np.full(50, value)])
        scores.append(make(n_states=1, **parameters).fit(rows).score(rows))
    np.testing.assert_allclose(scores, scores[0], rtol=1e-9)


@pytest.mark.parametrize("make", [LinearDynamicalSystem, HiddenMarkovModel])
@pytest.mark.parametrize(("factor", "message"), [(1e-200, "not zero"), (1e200, "are finite")])
def test_values_whose_squares_leave_the_range_are_refused(make, factor, message):
    with pytest.raises(ValueError, match=f"{message}, .*: scale it"):
        make().fit(factor * ROWS)
