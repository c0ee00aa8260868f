"""What transformers share that learn nothing but the features."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils import get_tags

from esnkit import SequenceDifferencer, SequenceNormalizer

SERIES = np.random.default_rng(0).standard_normal((6, 2))
every_transformer = pytest.mark.parametrize(
    "transformer", [SequenceNormalizer(), SequenceDifferencer()], ids=lambda t: type(t).__name__
)


@every_transformer
def test_they_need_no_fit(transformer):
    assert not get_tags(transformer).requires_fit and not hasattr(transformer, "n_features_in_")
    fitted = clone(transformer).fit(SERIES)
    np.testing.assert_array_equal(transformer.transform(SERIES), fitted.transform(SERIES))


@every_transformer
def test_a_failed_fit_changes_nothing(transformer):
    pandas = pytest.importorskip("pandas")
    fitted = clone(transformer).fit(SERIES)
    with pytest.raises(ValueError, match="X contains NaN"):
        fitted.fit(pandas.DataFrame({"a": [np.nan, 1.0]}))
    assert vars(fitted) == vars(clone(transformer).fit(SERIES))
