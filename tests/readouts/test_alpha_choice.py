"""Which alpha a readout takes, and what it says of it."""

import warnings

import numpy as np
import pytest
from classification_problems import classes
from ridge_problems import data

from esnkit.readouts import RidgeReadout
from esnkit.readouts._alpha_choice import choose_by_losses
from esnkit.readouts._classification_losses import Calibration

ALPHAS = np.array([0.1, 1.0, 10.0])


class Losses:
    """Given numbers of wrong rows of a hundred, and log losses."""

    def __init__(self, n_wrong, log_losses):
        self.n_wrong, self.log_losses = np.array(n_wrong), np.array(log_losses)

    def error_rates(self):
        return self.n_wrong / 100

    def n_effective(self):
        return 100.0

    def calibrate(self):
        return Calibration(np.array([1.0, 2.0, 3.0]), self.log_losses)


@pytest.mark.parametrize(
    ("n_wrong", "log_losses", "best"),
    [
        ([6, 3, 6], [0.1, 0.3, 0.1], 1),
        ([5, 3, 5], [0.3, 0.2, 0.1], 2),  # a standard error of 3 is 2
        ([0, 0, 0], [0.1, 0.3, 0.2], 0),
    ],
)
def test_fewest_wrong_rows_then_least_log_loss(n_wrong, log_losses, best):
    choice = choose_by_losses(Losses(n_wrong, log_losses), ALPHAS)
    assert choice.alpha == ALPHAS[best] and choice.temperature == best + 1.0


@pytest.mark.parametrize(
    ("n_wrong", "message"),
    [
        ([3, 6, 6], "alpha=0.1, the smallest of the list, .* add smaller ones to alpha"),
        ([9, 6, 3], "alpha=10, the largest of the list, .* tell nothing .* add larger ones"),
    ],
)
def test_an_end_of_the_list_that_is_clearly_better_says_so(n_wrong, message):
    with pytest.warns(UserWarning, match=message):
        choose_by_losses(Losses(n_wrong, [0.1, 0.1, 0.1]), ALPHAS)


@pytest.mark.parametrize("n_wrong", [[0, 0, 0], [2, 3, 9], [9, 4, 3], [8, 3, 8]])
def test_a_flat_end_and_a_minimum_within_the_list_do_not_warn(n_wrong):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        choose_by_losses(Losses(n_wrong, np.array(n_wrong) / 10), ALPHAS)


def test_squared_errors_say_so_of_three_alphas_or_more():
    X, Y = data(60, 5, noise=0.1)
    with pytest.warns(UserWarning, match="alpha=100, the smallest of the list, .* add smaller"):
        RidgeReadout([100.0, 1e3, 1e4]).fit(X, Y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        RidgeReadout([100.0, 1e3]).fit(X, Y)
        RidgeReadout([1e-9, 1e-8, 1e-7]).fit(X, Y)  # flat


def test_classification_takes_smaller_penalties_than_squared_errors_of_few_rows_a_class():
    X, Y, _ = classes(80, 20, n_classes=40, distance=2.0)
    alphas = np.logspace(-4, 4, 9)
    squared, classified = (
        RidgeReadout(alphas, standardize=True, scoring=s).fit(X, Y)
        for s in ("squared_error", "classification")
    )
    assert classified.alpha_ < squared.alpha_
    assert classified.loo_scores_[alphas == classified.alpha_] == classified.loo_scores_.min()


def test_few_standardised_rows_choose_by_squared_errors_as_many_do():
    X, Y = data(12, 20, 2, noise=1.0)
    dual, qr = (RidgeReadout([0.1, 1, 50], standardize=True, solver=s) for s in ("auto", "qr"))
    np.testing.assert_allclose(dual.fit(X, Y).loo_scores_, qr.fit(X, Y).loo_scores_, rtol=1e-8)
    assert dual.solver_ == "dual" and dual.alpha_ == qr.alpha_
