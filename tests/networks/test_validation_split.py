"""The split of validation data: the end of a series, stratification, weights on both sides."""

import numpy as np
import pytest
from training_problems import make_data

from esnkit.networks._validation_split import hold_out


def test_the_end_of_a_series_is_held_out():
    series = make_data(lengths=np.array([20]))
    data, validation = hold_out(series, 0.1, np.random.default_rng(0))
    assert data.lengths.tolist() == [18] and len(data.Y) == 18
    assert validation.weights.tolist() == [0.0] * 18 + [1.0] * 2
    with pytest.raises(ValueError, match="early_stopping needs several sequences"):
        hold_out(make_data(False, np.array([5])), 0.1, np.random.default_rng(0))
    with pytest.raises(ValueError, match="leaves none to train"):
        hold_out(make_data(lengths=np.array([5, 5])), 0.9, np.random.default_rng(0))


def test_the_split_is_stratified_and_trains_every_label():
    labels = np.array([0] * 18 + [1] * 2 + [2] * 40)
    lengths = np.ones(60, int)
    data = make_data(False, lengths)._replace(Y=labels[:, None])
    chosen = set()
    for seed in range(20):
        training, validation = hold_out(data, 0.3, np.random.default_rng(seed), labels)
        assert (len(training.Y), len(validation.Y)) == (42, 18)
        there = np.bincount(validation.Y[:, 0], minlength=3)
        assert there[1] <= 1 and 4 <= there[0] <= 7
        chosen.update(np.flatnonzero(np.isin(data.inputs[:, 0], validation.inputs[:, 0])).tolist())
    assert len(chosen) > 50  # another choice every time
    with pytest.raises(ValueError, match="leaves none to train, or none of a class"):
        hold_out(data, 0.97, np.random.default_rng(0), labels)


@pytest.mark.parametrize(
    ("weighted", "use"), [(slice(0, 15), "score"), (slice(15, 20), "train on")]
)  # of one series; the last quarter is chosen out
def test_a_side_without_weight_is_refused(weighted, use):
    series = make_data(lengths=np.array([20]))
    weights = np.zeros(20)
    weights[weighted] = 1
    with pytest.raises(ValueError, match=f"leaves nothing to {use}.*sample_weight.*change valid"):
        hold_out(series._replace(weights=weights), 0.25, np.random.default_rng(0))
    several = make_data(False)._replace(weights=np.eye(6)[0])
    with pytest.raises(ValueError, match="leaves nothing to (score|train on)"):
        hold_out(several, 0.3, np.random.default_rng(0))
