"""First differences along time."""

from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from esnkit.preprocessing._stateless import StatelessSequenceTransformer
from esnkit.sequences._packing import Sequences
from esnkit.utils._validation import check_flag

__all__ = ["SequenceDifferencer"]


class SequenceDifferencer(StatelessSequenceTransformer):
    """Differences of successive time steps, x(t) - x(t-1), in every sequence.

    Sequences keep their lengths, so that targets and weights of time steps still fit: the first
    difference of a sequence is zero. Every call starts new sequences; of a series in chunks, give
    the row before a chunk as well and leave out its result.

    Parameters
    ----------
    include_values : bool, default=False
        Whether the values are features too, before their differences.

    Attributes
    ----------
    causal : bool
        True: no row depends on later time steps of its sequence.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if `fit` saw frames.

    See Also
    --------
    SeriesTransform : Differences, seasonal ones too, that forecasts are inverted from.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit import SequenceDifferencer
    >>> X = [np.array([[1.0], [3.0], [4.0]]), np.array([[5.0], [2.0]])]
    >>> [x.ravel().tolist() for x in SequenceDifferencer().fit_transform(X)]
    [[0.0, 2.0, 1.0], [0.0, -3.0]]
    >>> differencer = SequenceDifferencer(include_values=True).fit(X)
    >>> differencer.transform(X)[1].tolist(), differencer.get_feature_names_out().tolist()
    ([[5.0, 0.0], [2.0, -3.0]], ['x0', 'x0_difference'])
    """

    causal = True

    def __init__(self, *, include_values: bool = False):
        self.include_values = include_values

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
        TypeError
            If `include_values` is not a bool.
        ValueError
            If `X` is not finite.
        """
        check_flag("include_values", self.include_values)
        return super().fit(X)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the features: ``name_difference`` for the feature ``name``.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the inputs; None takes those of ``fit``, or "x0", "x1", ...

        Returns
        -------
        ndarray of str objects
        """
        check_is_fitted(self, "n_features_in_")
        names = super().get_feature_names_out(input_features)
        differences = np.array([f"{name}_difference" for name in names], dtype=object)
        return np.concatenate([names, differences]) if self.include_values else differences

    def _transform_rows(self, sequences: Sequences) -> np.ndarray:
        """Return the differences, beside the values if they are wanted."""
        values = sequences.values
        differences = np.zeros_like(values)
        with np.errstate(over="ignore"):
            np.subtract(values[1:], values[:-1], out=differences[1:])
        differences[sequences.offsets[:-1]] = 0.0
        if not np.isfinite(differences).all():
            raise ValueError(
                f"X has differences that exceed the range of {values.dtype}: divide it by a "
                "constant first"
            )
        if check_flag("include_values", self.include_values):
            return np.hstack([values, differences])
        return differences
