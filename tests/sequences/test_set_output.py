import numpy as np
import pytest
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin

from esnkit.sequences._set_output import tables_for_series_only

pd = pytest.importorskip("pandas")


@tables_for_series_only
class Negative(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """A transformer that inherits ``fit_transform``."""

    def fit(self, X, y=None):
        self.n_features_in_ = np.shape(X[0] if isinstance(X, list) else X)[-1]
        return self

    def transform(self, X):
        return [-x for x in X] if isinstance(X, list) else -X


def test_only_one_series_becomes_a_frame():
    X = np.ones((4, 3, 2))
    model = Negative().set_output(transform="pandas").fit(X[0])
    for method in (model.transform, model.fit_transform):
        assert isinstance(method(X[0]), pd.DataFrame)
        assert isinstance(method(X), np.ndarray)
        assert all(isinstance(rows, np.ndarray) for rows in method(list(X)))
    assert isinstance(Negative().fit(X[0]).transform(X[0]), np.ndarray)
