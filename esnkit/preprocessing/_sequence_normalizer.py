"""Z-normalisation: every sequence has mean zero and variance one."""

import numpy as np

from esnkit.preprocessing._stateless import StatelessSequenceTransformer
from esnkit.sequences._packing import Sequences
from esnkit.utils._moments import column_moments

__all__ = ["SequenceNormalizer"]


class SequenceNormalizer(StatelessSequenceTransformer):
    """Scale every feature of every sequence to mean zero and variance one over its time steps.

    Each sequence has a mean and a standard deviation of its own, whatever its length, so that
    sequences are compared by their shape: their levels and amplitudes are lost. A feature that is
    constant in a sequence becomes zero there. One series, a 2-D array, is one sequence.

    Attributes
    ----------
    causal : bool
        False: the mean and the deviation of a sequence depend on all of its time steps.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if `fit` saw frames.

    See Also
    --------
    SequenceScaler : One mean and one standard deviation for all sequences.
    sklearn.preprocessing.Normalizer : Every row to length one.

    References
    ----------
    T. Rakthanmanon et al. (2012), Searching and mining trillions of time series subsequences under
    dynamic time warping, KDD, section 3.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit import SequenceNormalizer
    >>> X = [np.array([[1.0], [3.0]]), np.array([[50.0], [70.0], [90.0]]), np.array([[4.0]])]
    >>> [x.ravel().round(2).tolist() for x in SequenceNormalizer().fit_transform(X)]
    [[-1.0, 1.0], [-1.22, 0.0, 1.22], [0.0]]
    """

    def _transform_rows(self, sequences: Sequences) -> np.ndarray:
        """Return z-normalised rows."""
        rows = np.empty_like(sequences.values)
        for start, stop in sequences.bounds:
            rows[start:stop] = _z_normalise(sequences.values[start:stop])
        return rows


def _z_normalise(rows: np.ndarray) -> np.ndarray:
    """Return the rows of one sequence with mean zero and variance one."""
    mean, deviation = column_moments(rows)
    # Halves: the difference of two large values may exceed the range of float64.
    divisor = np.where(deviation > 0, deviation / 2, 1.0)
    return np.where(deviation > 0, (rows / 2 - mean / 2) / divisor, 0.0)
