"""The promises of scikit-learn: its own checks, and its tools around every estimator of ours."""

from sklearn.linear_model import Ridge
from sklearn.utils.estimator_checks import parametrize_with_checks

from esnkit import (
    ESNClassifier,
    ESNRegressor,
    Forecaster,
    Reservoir,
    ReservoirClassifier,
    ReservoirRegressor,
    RidgeReadout,
)

SMALL = [
    Reservoir(12, random_state=0),
    ReservoirRegressor(Reservoir(12)),
    ReservoirClassifier(Reservoir(12)),
    ESNRegressor(12),
    ESNRegressor(12, feedback=True),
    ESNClassifier(12),
    Forecaster(ESNRegressor(12)),
    Forecaster(Ridge(), lags=2),
]
PLAIN = [
    Reservoir(),
    RidgeReadout(),
    ReservoirRegressor(),
    ReservoirClassifier(),
    ESNRegressor(),
    ESNClassifier(),
    Forecaster(),
]
ORDER = {
    "check_methods_sample_order_invariance": "rows are time steps",
    "check_methods_subset_invariance": "rows are time steps",
}


def expected_failures(estimator):
    # A readout has no memory, and a forecaster no method that answers row by row.
    return {} if isinstance(estimator, (RidgeReadout, Forecaster)) else ORDER


@parametrize_with_checks(SMALL + PLAIN, expected_failed_checks=expected_failures)
def test_common_checks(estimator, check):
    check(estimator)
