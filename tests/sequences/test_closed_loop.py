"""Validation of future inputs and warm-up series, and the check for divergence."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator

from esnkit.sequences import check_bounded, future_rows, pack, pack_one_series


@pytest.fixture
def estimator(batch):
    estimator = BaseEstimator()
    pack(estimator, batch, reset=True)
    return estimator


def test_without_exogenous_inputs_there_are_no_columns():
    rows = future_rows(None, 4, 0, np.float32)
    assert rows.shape == (4, 0) and rows.dtype == np.float32


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_future_inputs_are_contiguous_rows(dtype):
    exog = np.arange(6.0).reshape(3, 2, order="F")
    rows = future_rows(exog, 3, 2, dtype)
    assert rows.dtype == dtype and rows.flags.c_contiguous and np.array_equal(rows, exog)


def test_one_future_input_may_be_a_vector():
    assert future_rows([1, 2, 3], 3, 1, np.float64).tolist() == [[1.0], [2.0], [3.0]]


@pytest.mark.parametrize(
    ("exog", "n_exog", "message"),
    [
        (None, 2, r"exog is needed: an array of shape \(3, 2\)"),
        (np.zeros((2, 2)), 2, r"exog has shape \(2, 2\), expected \(3, 2\)"),
        (np.zeros(3), 2, r"exog has shape \(3,\), expected \(3, 2\)"),
        (np.zeros((3, 1)), 0, r"exog has shape \(3, 1\), expected \(3, 0\)"),
        ([0.0, np.nan, 0.0], 1, "exog must be finite"),
        (["a"] * 3, 1, "exog must hold numbers"),
    ],
)
def test_future_inputs_that_do_not_fit_are_refused(exog, n_exog, message):
    with pytest.raises(ValueError, match=message):
        future_rows(exog, 3, n_exog, np.float64)


def test_one_series_is_packed_in_the_given_dtype(estimator, batch):
    sequences = pack_one_series(estimator, "warmup", batch[0], np.float32)
    assert sequences.form == "series" and sequences.values.dtype == np.float32


@pytest.mark.parametrize(
    ("select", "message"),
    [
        (lambda batch: batch, r"warmup must be one series \(n_timesteps, n_features\)"),
        (lambda batch: list(batch), "warmup must be one series"),
        (lambda batch: batch[0, :, :2], "warmup must be a series like the X of fit: X has 2 feat"),
        (lambda batch: np.full((2, 3), np.nan), "warmup must be a series like the X of fit: .*NaN"),
        (lambda batch: "series", "warmup must be a series like the X of fit"),
    ],
)
def test_other_containers_name_the_argument(select, message, estimator, batch):
    with pytest.raises(ValueError, match=message):
        pack_one_series(estimator, "warmup", select(batch), np.float64)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_divergence_names_the_first_step_and_the_remedy(value):
    rows = np.zeros((5, 2))
    check_bounded(rows, "lower spectral_radius")
    rows[3, 1] = value
    with pytest.raises(FloatingPointError, match="diverged after 3 steps: lower spectral_radius"):
        check_bounded(rows, "lower spectral_radius")
