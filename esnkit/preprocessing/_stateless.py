"""Base of transformers of sequences that learn nothing but the features."""

from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin

from esnkit.sequences._packing import Sequences, pack, restore
from esnkit.sequences._set_output import tables_for_series_only
from esnkit.utils._rollback import rollback_on_error

__all__ = ["StatelessSequenceTransformer"]


@tables_for_series_only
class StatelessSequenceTransformer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Base of transformers whose rows depend on their own sequence only.

    A subclass writes ``_transform_rows``, from packed sequences to rows, and sets ``causal = True``
    if no row depends on later time steps.
    """

    causal: ClassVar[bool] = False

    @rollback_on_error
    def fit(self, X: Any, y: Any = None) -> Self:
        """Check the sequences, and record the number and the names of their features.

        Parameters
        ----------
        X : array of shape (n_timesteps, n_features) or (n_sequences, n_timesteps, n_features), \
                or list of arrays of shape (n_timesteps_i, n_features)
            One series, sequences of equal length, or sequences of different lengths.
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If `X` is not finite.
        """
        pack(self, X, reset=True)
        return self

    def transform(self, X: Any) -> Any:
        """Transform every sequence.

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        X_transformed : in the container of `X`, arrays for frames
            With ``set_output``, one series is a frame.
        """
        sequences = pack(self, X, reset=False)
        return restore(self._transform_rows(sequences), sequences)

    def _transform_rows(self, sequences: Sequences) -> np.ndarray:
        """Return a row for every time step."""
        raise NotImplementedError

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
