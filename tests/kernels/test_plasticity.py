"""Intrinsic plasticity against its equations in NumPy."""

import numpy as np
import pytest
import scipy.sparse as sp
from reference import intrinsic_plasticity as slow

from esnkit.kernels.activations import CODES
from esnkit.kernels.plasticity import intrinsic_plasticity
from esnkit.reservoirs import Rates


@pytest.mark.parametrize("f, target", [("tanh", (0.1, 0.3, 1e-2)), ("sigmoid", (0.2, 0.3, 1e-2))])
def test_the_kernel_follows_the_equations(f, target):
    rng = np.random.default_rng(0)
    for n_units in (1, 4, 9):
        W = sp.csr_array(rng.normal(size=(n_units, n_units)) / 3)
        leak, drive = rng.uniform(0.3, 1, n_units), rng.normal(size=(50, n_units))
        state, gain, bias = rng.normal(size=n_units), np.ones(n_units), rng.normal(size=n_units)
        expected = slow(W, leak, drive, f, target, state, gain, bias)
        weights, rates = (W.data, W.indices, W.indptr), Rates(leak, 1 - leak)
        intrinsic_plasticity(weights, rates, drive, CODES[f], target, state, gain, bias)
        for got, wanted in zip((state, gain, bias), expected, strict=True):
            np.testing.assert_allclose(got, wanted, rtol=1e-10)
