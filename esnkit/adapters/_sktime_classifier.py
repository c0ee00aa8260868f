"""A classifier of this package as a classifier of sktime."""

from typing import Any

import numpy as np
from sklearn.base import clone

from esnkit.adapters._tags import estimator_or_default, tags_of
from esnkit.esn import ESNClassifier

try:
    from sktime.classification.base import BaseClassifier
except ImportError:
    from esnkit.adapters._missing import WithoutSktime as BaseClassifier

__all__ = ["SktimeClassifier"]


class SktimeClassifier(BaseClassifier):
    """Use a classifier of sequences of this package as one of sktime.

    It has the interface of sktime (Löning et al. 2019) and takes its containers of panels: arrays
    of shape (n_instances, n_dimensions, n_timepoints), lists of frames, frames with a MultiIndex.
    Needs ``pip install 'esnkit[sktime]'``.

    Parameters
    ----------
    classifier : ESNClassifier, ESNEnsembleClassifier, RNNClassifier or pipeline, default=None
        What classifies, a classifier of lists of sequences with one label each; ``None`` stands for
        :class:`ESNClassifier` with ``random_state=0``. Its parameters are those of the adapter with
        the prefix ``classifier__``.

    Attributes
    ----------
    classifier_ : estimator
        The fitted clone.

    Raises
    ------
    ImportError
        If sktime is not installed.
    TypeError
        If `classifier` is no classifier.

    References
    ----------
    Löning, M. et al. (2019). sktime: a unified interface for machine learning with time series.
    arXiv 1909.07872.

    Examples
    --------
    With sktime::

        >>> from sktime.datasets import load_japanese_vowels  # doctest: +SKIP
        >>> X, y = load_japanese_vowels(split="train")  # doctest: +SKIP
        >>> X_test, y_test = load_japanese_vowels(split="test")  # doctest: +SKIP
        >>> SktimeClassifier().fit(X, y).score(X_test, y_test) > 0.9  # doctest: +SKIP
        True
    """

    _tags = {
        "authors": "esnkit developers",
        "maintainers": "esnkit developers",
        "X_inner_mtype": ["df-list", "numpy3D"],
        "property:randomness": "stochastic",
        "capability:multivariate": True,
        "capability:unequal_length": True,
        "capability:missing_values": False,
        "capability:categorical_in_X": False,
        "capability:predict_proba": True,
    }

    def __init__(self, classifier=None):
        self.classifier = classifier
        super().__init__()

    def __post_init__(self):
        """Set the tags that depend on the classifier."""
        self.set_tags(**tags_of(self._given()))

    def _given(self) -> Any:
        return estimator_or_default(
            self.classifier,
            lambda: ESNClassifier(random_state=0),
            ("fit", "predict_proba"),
            "classifier must have fit and predict_proba",
        )

    def _fit(self, X, y):
        self.classifier_ = clone(self._given()).fit(_sequences(X), y)
        return self

    def _predict(self, X):
        return self.classifier_.predict(_sequences(X))

    def _predict_proba(self, X):
        return self.classifier_.predict_proba(_sequences(X))

    @classmethod
    def get_test_params(cls, parameter_set="default"):
        """Return parameters with which sktime's checks of estimators are quick.

        Parameters
        ----------
        parameter_set : str, default="default"
            All sets are the same.

        Returns
        -------
        list of dict
        """
        return [
            {"classifier": ESNClassifier(5, random_state=0)},
            {"classifier": ESNClassifier(5, pooling="last")},
        ]


def _sequences(X: Any) -> Any:
    """Return a panel as an array or list of sequences (n_timesteps, n_features)."""
    if isinstance(X, np.ndarray):
        return X.transpose(0, 2, 1)
    return [frame.to_numpy() for frame in X]
