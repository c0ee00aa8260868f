"""The check of readouts passes for what keeps the contract, and names what breaks it."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from third_party import LeastMeanSquares, NearestRow

from esnkit import RidgeReadout, check_readout


@pytest.mark.parametrize(
    "readout",
    [RidgeReadout(0.1), RidgeReadout([0.1, 1.0]), RidgeReadout(1e-3, solver="qr"),
     LeastMeanSquares(), NearestRow()],
)  # fmt: skip
def test_the_check_of_readouts_passes(readout):
    check_readout(readout)


class KeepsBlocks(NearestRow):
    def fit_blocks(self, make_blocks, n_rows=None):
        blocks = list(make_blocks())
        self.X_, self.y_ = (np.concatenate([block[k] for block in blocks]) for k in (0, 1))
        self.X_ = np.nan_to_num(self.X_)
        return self


class IgnoresWeights(LeastMeanSquares):
    def partial_fit(self, X, y, sample_weight=None):
        return super().partial_fit(X, y)


class Forgets(LeastMeanSquares):
    def partial_fit(self, X, y, sample_weight=None):
        self.__dict__.pop("weights_", None)
        return super().partial_fit(X, y, sample_weight)


@pytest.mark.parametrize(
    ("readout", "message"),
    [
        (KeepsBlocks(), "without a copy|block"),
        (IgnoresWeights(), "weight zero"),
        (Forgets(), "blocks|partial_fit"),
        (LeastMeanSquares(step=0.0), "better than the mean"),
        (Ridge(), "BaseReadout"),
    ],
)
def test_the_check_of_readouts_names_what_is_broken(readout, message):
    with pytest.raises(AssertionError, match=message):
        check_readout(readout)
