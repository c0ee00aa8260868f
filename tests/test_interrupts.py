"""Ctrl-C ends a long call, wherever it is, long before the call would end by itself."""

import os
import signal
import threading
import time

import numpy as np
import pytest

from esnkit import ESNClassifier, ESNRegressor, Reservoir, RNNRegressor
from esnkit.datasets import make_lorenz, make_mackey_glass

RNG = np.random.default_rng(0)
LONG, WIDE = RNG.standard_normal((1_500_000, 1)), RNG.standard_normal((4, 60_000, 1))
MANY = RNG.standard_normal((2_000, 2_000, 1), dtype=np.float32)
SINE = np.sin(np.arange(300) / 5)[:, None]


def reservoir(n_units=400, **params):
    return Reservoir(n_units, random_state=0, **params).fit(SINE)


def fitted(estimator, X=SINE, y=SINE):
    return estimator.fit(X, y)


# Each would take several seconds.
CALLS = {
    "a long series": lambda: reservoir(300, topology="random").transform(LONG),
    "few long sequences": lambda: reservoir(3000, topology="random").transform(WIDE),
    "many sequences": lambda: fitted(ESNClassifier(2000), MANY[:8, :9], np.arange(8) % 2).predict(
        MANY
    ),
    "many units": lambda: reservoir(20_000).transform(LONG[:150_000], return_state=True),
    "dense weights": lambda: reservoir(900, degree=450).transform(LONG[:100_000]),
    "closed loop": lambda: fitted(ESNRegressor(500)).generate(5_000_000),
    "feedback": lambda: fitted(ESNRegressor(500, feedback=True)).predict(LONG),
    "a training pass": lambda: RNNRegressor(64).partial_fit(LONG[:300_000], LONG[:300_000]),
    "Lorenz": lambda: make_lorenz(1_500_000),
    "Mackey-Glass": lambda: make_mackey_glass(4_000_000),
}


@pytest.fixture(scope="module", autouse=True)
def compiled():
    """Compile the kernels beforehand: no interrupt is raised in the middle of a compilation."""
    make_lorenz(9), make_mackey_glass(9)
    RNNRegressor(8).partial_fit(SINE, SINE)
    model, pair = fitted(ESNRegressor(300)), np.stack([SINE, SINE])
    model.generate(3), model.predict(pair), reservoir(900, degree=450).transform(SINE)
    fitted(ESNClassifier(9), MANY[:8, :9], np.arange(8) % 2).predict(MANY[:99, :9])
    fitted(ESNRegressor(9, feedback=True)).predict(SINE)


@pytest.mark.parametrize("name", CALLS)
def test_an_interrupt_ends_a_long_call(name):
    started = threading.Event()
    sent = []

    def interrupt():
        started.wait()
        time.sleep(0.2)
        sent.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        started.set()
        CALLS[name]()
        pytest.fail("the call ended before it was interrupted")
    thread.join()
    assert time.perf_counter() - sent[0] < 2.0
