"""Parallel reservoirs against their members, one by one."""

import numpy as np

from esnkit import (
    BidirectionalReservoir,
    ParallelReservoir,
    Reservoir,
    ReservoirClassifier,
    ReservoirRegressor,
    check_reservoir,
)

X = np.random.default_rng(0).normal(size=(40, 2))


def parallel(**params):
    scales = {"leak_rate": [1.0, 0.1], "n_units": [6, 4]}
    return ParallelReservoir(
        Reservoir(**params), n_reservoirs=2, reservoir_params=scales, random_state=0
    )


def test_features_are_those_of_the_members():
    fitted = parallel().fit([X, X[:10]])
    expected = [np.hstack([r.transform(x) for r in fitted.reservoirs_]) for x in (X, X[:10])]
    for states, other in zip(fitted.transform([X, X[:10]]), expected, strict=True):
        np.testing.assert_allclose(states, other, atol=1e-14)


def test_it_keeps_the_contract():
    check_reservoir(parallel(noise=0.01))
    check_reservoir(ParallelReservoir(BidirectionalReservoir(Reservoir(5)), 2, random_state=0))


def test_the_noise_of_each_is_its_own():
    noisy = parallel(noise=0.1)
    added = noisy.fit_transform(X) - noisy.transform(X)
    assert (np.abs(added).max(axis=0) > 0.01).all()
    assert abs(np.corrcoef(added[:, 0], added[:, 6])[0, 1]) < 0.9


def test_outputs_are_fed_back_to_all():
    y = np.sin(np.arange(40) / 3)
    model = ReservoirRegressor(parallel()).fit(y[:-1, None], y[1:])
    model.generate(5)
    assert ReservoirClassifier(parallel()).fit(X[:, None], y > 0).predict(X[:, None]).shape == (40,)
