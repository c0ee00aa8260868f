"""Ctrl-C ends a long call, wherever it is, long before the call would end by itself."""

import os
import signal
import threading
import time
from functools import partial

import numpy as np
import pytest

from esnkit import ESNClassifier, ESNRegressor, Reservoir, RNNRegressor, spectral_radius
from esnkit.datasets import make_lorenz, make_mackey_glass
from esnkit.readouts import RidgeReadout

RNG = np.random.default_rng(0)
SINE = np.sin(np.arange(300) / 5)[:, None]


def noise(*shape):
    return RNG.standard_normal(shape, dtype=np.float32)


def reservoir(n_units=400, **params):
    return Reservoir(n_units, random_state=0, **params).fit(SINE.astype(np.float32))


def regressor(n_units=500, **params):
    return ESNRegressor(n_units, random_state=0, **params).fit(SINE, SINE)


def classifier():
    labels = np.arange(8) % 2
    return ESNClassifier(1000, random_state=0).fit(noise(8, 9, 1), labels)


# What to call for several seconds, and before that for a moment, so that the kernels are compiled.
CALLS = {
    "a long series": lambda: partial(reservoir(topology="random").transform, noise(500_000, 1)),
    "few long sequences": lambda: partial(
        reservoir(2000, topology="random", degree=30).transform, noise(4, 30_000, 1)
    ),
    "many sequences": lambda: partial(classifier().predict, noise(2000, 1000, 1)),
    "many units": lambda: partial(
        reservoir(12_000, topology="random", degree=20, spectral_radius=None).transform,
        noise(20_000, 1),
    ),
    "dense weights": lambda: partial(reservoir(900, degree=450).transform, noise(60_000, 1)),
    "closed loop": lambda: partial(regressor().generate, 3_000_000),
    "feedback": lambda: partial(regressor(feedback=True).predict, noise(1_000_000, 1)),
    "a training pass": lambda: partial(RNNRegressor(64).partial_fit, *2 * [noise(300_000, 1)]),
    "Lorenz": lambda: partial(make_lorenz, 1_500_000),
    "Mackey-Glass": lambda: partial(make_mackey_glass, 4_000_000),
}


# Calls of LAPACK go on in another thread after the interrupt: too slow for every run.
LAPACK_CALLS = {
    "Cholesky": lambda: partial(RidgeReadout().fit, *2 * [noise(5000, 5000)]),
    "eigenvectors": lambda: partial(RidgeReadout([1e-3, 1.0]).fit, noise(3000, 2500), noise(3000)),
    "orthogonal": lambda: partial(RidgeReadout(solver="qr").fit, noise(6000, 3000), noise(6000)),
    "singular vectors": lambda: partial(
        RidgeReadout([1e-3, 1.0]).fit, noise(2000, 3000), noise(2000)
    ),
    "eigenvalues": lambda: partial(spectral_radius, noise(2500, 2500)),
}


def shortened(call):
    """Return the same call with fewer time steps."""
    return partial(
        call.func, *(a // 1000 if isinstance(a, int) else a[:150, :150] for a in call.args)
    )


@pytest.fixture
def default_handler():
    """Raise KeyboardInterrupt, even if the tests run in the background of a shell."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("name", [*CALLS, *LAPACK_CALLS])
def test_an_interrupt_ends_a_long_call(name, default_handler, request):
    if name in LAPACK_CALLS and not request.config.getoption("--fuzz"):
        pytest.skip("only with --fuzz")
    call, sent, ended = (CALLS | LAPACK_CALLS)[name](), [], []
    if name in CALLS:
        shortened(call)()

    def interrupt():
        sent.append(time.process_time())
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        threading.Timer(0.2, interrupt).start()
        call()
        ended.append(True)
        time.sleep(60)
    # Of the processors, which others may have meanwhile; a whole call takes longer.
    assert not ended and time.process_time() - sent[0] < 1.0
