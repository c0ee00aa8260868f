"""The metrics against their formulas written out, known scores, and wrong calls."""

import numpy as np
import pytest

from esnkit.metrics import expected_calibration_error, mase, nrmse, valid_prediction_time

RNG = np.random.default_rng(0)
TRUE = RNG.normal(3.0, 2.0, size=(50, 3)) * [1.0, 10.0, 0.1]
PRED = TRUE + RNG.normal(size=(50, 3)) * [1.0, 10.0, 0.1]
TRAIN = RNG.normal(size=(40, 3))


@pytest.mark.parametrize(
    "norm, size",
    [
        ("std", lambda y: np.sqrt(np.mean((y - y.mean()) ** 2))),
        ("range", lambda y: y.max() - y.min()),
        ("rms", lambda y: np.sqrt(np.mean(y**2))),
        ("mean", lambda y: abs(y.mean())),
    ],
)
def test_nrmse_is_the_rmse_over_the_named_norm(norm, size):
    each = [np.sqrt(np.mean((TRUE[:, d] - PRED[:, d]) ** 2)) / size(TRUE[:, d]) for d in range(3)]
    raw = nrmse(TRUE, PRED, norm=norm, multioutput="raw_values")
    np.testing.assert_allclose(raw, each, rtol=1e-14)
    assert nrmse(TRUE, PRED, norm=norm) == pytest.approx(np.mean(each), rel=1e-14)
    assert nrmse(TRUE[:, 0], PRED[:, 0], norm=norm) == pytest.approx(each[0], rel=1e-14)


def test_nrmse_of_the_mean_is_one_and_of_a_perfect_forecast_zero():
    assert nrmse(TRUE, np.broadcast_to(TRUE.mean(axis=0), TRUE.shape)) == pytest.approx(1.0)
    assert nrmse(TRUE, TRUE) == 0.0


@pytest.mark.parametrize("size", [1e200, 1e-200, 1e308, 1e-300])
def test_numbers_whose_squares_leave_the_range_have_the_same_errors(size):
    true, pred, train = [0.5, -1.0, 0.25], [0.25, -0.75, -1.0], [1.0, -1.0, 0.5]
    with np.errstate(all="raise", under="ignore"):
        big = [size * np.array(part) for part in (true, pred, train)]
        for norm in "std", "range", "rms", "mean":
            assert nrmse(*big[:2], norm=norm) == pytest.approx(nrmse(true, pred, norm=norm))
        assert mase(*big) == pytest.approx(mase(true, pred, train))
        assert valid_prediction_time(*big[:2], threshold=1) == 2
        assert valid_prediction_time(*big[:2], threshold=1, std=size) == 2
    assert nrmse(np.array([1e-200, 3e-200]), [1e200, 1e200]) == np.inf


def test_a_given_deviation_scales_the_error_of_tiny_values():
    assert valid_prediction_time(np.full(3, 1e-305), [0, 1e4, 3e4], std=1e5, threshold=1) == 3
    assert valid_prediction_time([1e-310, 0, 0], [0, 1e4, 3e5], std=1e5, threshold=1) == 2


def test_nrmse_does_not_depend_on_the_unit():
    a, b = TRUE[:, 0], PRED[:, 0]
    assert nrmse(1e6 * a - 7e6, 1e6 * b - 7e6) == pytest.approx(nrmse(a, b), rel=1e-9)


@pytest.mark.parametrize("period", [1, 7])
def test_mase_is_the_error_in_units_of_the_naive_forecast(period):
    each = []
    for d in range(3):
        steps = [abs(TRAIN[t, d] - TRAIN[t - period, d]) for t in range(period, 40)]
        each.append(np.mean(np.abs(TRUE[:, d] - PRED[:, d])) / np.mean(steps))
    raw = mase(TRUE, PRED, TRAIN, period=period, multioutput="raw_values")
    np.testing.assert_allclose(raw, each, rtol=1e-13)
    assert mase(TRUE, PRED, TRAIN, period=period) == pytest.approx(np.mean(each), rel=1e-13)


def test_mase_of_the_naive_forecast_on_the_training_series_is_one():
    y = TRAIN[:, 0]
    assert mase(y[1:], y[:-1], y) == pytest.approx(1.0)
    assert mase(y[7:], y[:-7], y, period=7) == pytest.approx(1.0)


def test_valid_prediction_time_counts_the_rows_before_the_first_invalid_one():
    error = np.full(50, 0.1)
    error[20], error[30] = 0.31, 5.0
    scale = TRUE.std(axis=0)
    pred = TRUE + error[:, None] * scale
    assert valid_prediction_time(TRUE, pred, dt=0.01) == pytest.approx(0.2)
    in_lyapunov_times = valid_prediction_time(TRUE, pred, dt=0.01, lyapunov_exponent=0.9056)
    assert in_lyapunov_times == pytest.approx(0.2 * 0.9056)
    assert valid_prediction_time(TRUE, pred, threshold=0.4) == 30
    assert valid_prediction_time(TRUE, pred, threshold=0.05) == 0
    assert valid_prediction_time(TRUE, pred, threshold=10.0) == 50
    assert valid_prediction_time(TRUE, pred, std=scale / 10) == 0
    assert valid_prediction_time(TRUE[:, 0], pred[:, 0], std=TRUE[:, 0].std() * 2) == 30


def test_valid_prediction_time_averages_over_the_outputs():
    true = np.tile([[1.0, 1.0], [-1.0, -1.0]], (5, 1))
    pred = true.copy()
    pred[4, 0] += 0.4  # root mean square 0.28
    pred[6, 0] += 0.5  # root mean square 0.35
    assert valid_prediction_time(true, pred) == 6


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_valid_prediction_time_ends_where_the_forecast_diverges(value):
    pred = TRUE.copy()
    pred[11, 1] = value
    assert valid_prediction_time(TRUE, pred) == 11


def with_value(value):
    y = TRUE.copy()
    y[5, 1] = value
    return y


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: nrmse(TRUE, PRED[:-1]), "y_true and y_pred must have the same shape"),
        (lambda: nrmse(TRUE[:, 0], PRED), "y_true and y_pred must have the same shape"),
        (lambda: nrmse([], []), "y_true must have shape"),
        (lambda: nrmse(3.0, 3.0), "y_true must have shape"),
        (lambda: nrmse(np.ones((2, 2, 2)), np.ones((2, 2, 2))), "y_true must have shape"),
        (lambda: nrmse(["a"], [1.0]), "y_true must be an array of numbers"),
        (lambda: nrmse([[1.0], [1.0, 2.0]], [1.0, 2.0]), "y_true must be an array of numbers"),
        (lambda: nrmse(with_value(np.nan), PRED), "y_true must be finite"),
        (lambda: nrmse(TRUE, with_value(np.inf)), "y_pred must be finite"),
        (lambda: nrmse([0.1, 0.1, 0.1], [1.0, 2.0, 3.0]), 'y_true has an output whose norm "std"'),
        (lambda: nrmse(0 * TRUE, PRED, norm="rms"), 'y_true has an output whose norm "rms"'),
        (lambda: nrmse(TRUE, PRED, norm="iqr"), "norm must be one of"),
        (lambda: nrmse(TRUE, PRED, multioutput="sum"), "multioutput must be one of"),
        (lambda: mase(TRUE, PRED, TRAIN[:, :2]), "y_train must have as many outputs"),
        (lambda: mase(TRUE, PRED, TRAIN, period=40), "y_train must be longer than period = 40"),
        (lambda: mase(TRUE, PRED, TRAIN, period=0), "period must be an integer >= 1, got 0"),
        (lambda: mase(TRUE, PRED, TRAIN, period=-2), "period must be an integer >= 1, got -2"),
        (lambda: mase(TRUE, PRED, np.ones_like(TRAIN)), "y_train has an output that repeats"),
        (lambda: mase(TRUE, PRED, with_value(np.nan)), "y_train must be finite"),
        (lambda: mase(TRUE, with_value(np.nan), TRAIN), "y_pred must be finite"),
        (lambda: mase(TRUE, PRED, TRAIN, multioutput="all"), "multioutput must be one of"),
        (lambda: valid_prediction_time(with_value(np.nan), PRED), "y_true must be finite"),
        (lambda: valid_prediction_time(TRUE, PRED[:9]), "y_true and y_pred must have the same"),
        (lambda: valid_prediction_time(TRUE, PRED, dt=0.0), "dt must be"),
        (lambda: valid_prediction_time(TRUE, PRED, threshold=-0.3), "threshold must be"),
        (lambda: valid_prediction_time(TRUE, PRED, lyapunov_exponent=0), "lyapunov_exponent must"),
        (lambda: valid_prediction_time(TRUE, PRED, std=[1.0, 2.0]), "std must be one number or"),
        (lambda: valid_prediction_time(TRUE, PRED, std=0.0), "std must be positive"),
        (lambda: valid_prediction_time(np.ones(5), np.ones(5)), "std must be positive"),
    ],
)
def test_a_wrong_call_is_refused_with_the_reason(call, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        call()


def test_a_period_that_is_no_integer_is_refused():
    with pytest.raises(TypeError, match="period"):
        mase(TRUE, PRED, TRAIN, period=1.5)


def calibration_error(labels, P, n_bins, w):
    """Return the error as in the paper, bin by bin."""
    confidence, right = P.max(axis=1), P.argmax(axis=1) == labels
    error = 0.0
    for m in range(1, n_bins + 1):
        inside = ((m - 1) / n_bins < confidence) & (confidence <= m / n_bins)
        if w[inside].sum() > 0:
            accuracy = np.average(right[inside], weights=w[inside])
            gap = abs(accuracy - np.average(confidence[inside], weights=w[inside]))
            error += w[inside].sum() / w.sum() * gap
    return error


@pytest.mark.parametrize("n_bins", [1, 7, 15])
@pytest.mark.parametrize("n_classes", [2, 5])
def test_the_calibration_error_is_that_of_the_paper(n_classes, n_bins):
    P = RNG.dirichlet(np.full(n_classes, 0.4), 200)
    labels, w = RNG.integers(0, n_classes, 200), RNG.exponential(size=200)
    names = np.array([f"class {k}" for k in range(n_classes)])
    found = expected_calibration_error(
        names[labels], P, n_bins=n_bins, labels=names, sample_weight=w
    )
    assert found == pytest.approx(calibration_error(labels, P, n_bins, w), rel=1e-12)
    plain = expected_calibration_error(labels, P, n_bins=n_bins)
    assert plain == pytest.approx(calibration_error(labels, P, n_bins, np.ones(200)), rel=1e-12)


def test_the_calibration_error_of_certain_and_of_binary_predictions():
    assert expected_calibration_error([0, 1, 1], np.eye(2)[[0, 1, 1]]) == 0.0
    assert expected_calibration_error([0, 1, 1], np.eye(2)[[1, 0, 0]]) == 1.0
    p = RNG.random(50)
    labels = (RNG.random(50) < p).astype(int)
    both = np.stack([1 - p, p], axis=1)
    assert expected_calibration_error(labels, p) == expected_calibration_error(labels, both)


@pytest.mark.parametrize(
    ("y", "proba", "params", "message"),
    [
        ([0, 1], [[0.5, 0.6], [1, 0]], {}, r"proba must .* sum to 1, got \[0.5, 0.6\] in row 0"),
        ([0, 1], [[1, 0], [1.5, -0.5]], {}, "in row 1: use predict_proba"),
        ([0, 1], [[np.nan, 1], [0, 1]], {}, "proba must be finite"),
        ([0], [[1, 0], [0, 1]], {}, r"y_true must have shape \(2,\)"),
        ([0, 0], [[1, 0], [0, 1]], {}, "proba has 2 columns, but y_true has 1 classes"),
        ([0, 2], [[1, 0], [0, 1]], {"labels": [0, 1]}, r"y_true has \[2\], which labels lacks"),
        ([0, 1], [[1, 0], [0, 1]], {"labels": [1, 0]}, "labels must be sorted"),
        ([0, 1], [[1, 0], [0, 1]], {"n_bins": 0}, "n_bins"),
        ([0, 1], [[1, 0], [0, 1]], {"sample_weight": [0, 0]}, "sample_weight must not be zero"),
        ([0, 1], [[1, 0], [0, 1]], {"sample_weight": [1, -1]}, "sample_weight"),
        ([0, 1], [[[1, 0]], [[0, 1]]], {}, "proba must have shape"),
    ],
)
def test_calls_of_the_calibration_error_that_make_no_sense(y, proba, params, message):
    with pytest.raises(ValueError, match=message):
        expected_calibration_error(y, proba, **params)


def test_bins_end_at_fractions():
    # In binary, seven times 0.1 is above 0.7, the end of a bin.
    proba = np.array([[0.7, 0.3], [0.1 * 7, 1 - 0.1 * 7]])
    assert proba[1, 0] > proba[0, 0]
    error = expected_calibration_error([0, 1], proba, n_bins=10, labels=[0, 1])
    assert error == pytest.approx((0.3 + 0.7) / 2)  # in two bins; in one it is 0.2


@pytest.mark.parametrize("size", [2.0**-1050, 2.0**1022])
def test_the_size_of_weights_does_not_change_the_calibration_error(size):
    weights = np.array([1.0, 3.0, 2.0])
    given = [0, 1, 1], np.array([0.2, 0.4, 0.8])
    plain = expected_calibration_error(*given, sample_weight=weights)
    assert expected_calibration_error(*given, sample_weight=size * weights) == plain
