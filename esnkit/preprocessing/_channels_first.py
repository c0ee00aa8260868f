"""Arrays with the channels before the time, as other libraries have them."""

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin, clone
from sklearn.utils.validation import check_is_fitted

from esnkit.sequences._packing import FLOATS, pack, restore
from esnkit.sequences._set_output import arrays_only
from esnkit.utils._frames import to_array
from esnkit.utils._rollback import rollback_on_error
from esnkit.utils._validation import refuse_masked

__all__ = ["FromChannelsFirst"]


@arrays_only
class FromChannelsFirst(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Sequences of shape (channels, time), as in aeon and sktime, to (time, channels).

    An array ``(n_sequences, n_channels, n_timesteps)`` becomes ``(n_sequences, n_timesteps,
    n_channels)``, a list of arrays ``(n_channels, n_timesteps_i)`` one of ``(n_timesteps_i,
    n_channels)``. A 2-D array ``(n_sequences, n_timesteps)`` and a list of vectors hold sequences
    of one channel. (One series of several channels is ``X.T``.)

    Attributes
    ----------
    causal : bool
        True: no row depends on later time steps of its sequence.
    n_features_in_ : int
        Number of channels.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from esnkit import ESNClassifier, FromChannelsFirst
    >>> FromChannelsFirst().fit_transform(np.zeros((50, 3, 150))).shape
    (50, 150, 3)
    >>> FromChannelsFirst().fit_transform(np.zeros((50, 150))).shape
    (50, 150, 1)
    >>> X = np.sin(np.arange(40) / np.array([[6], [2]]))[:, None]  # (2, 1, 40)
    >>> model = make_pipeline(FromChannelsFirst(), ESNClassifier(10, random_state=0))
    >>> model.fit(X, ["slow", "fast"]).predict(X).tolist()
    ['slow', 'fast']
    """

    causal = True

    @rollback_on_error
    def fit(self, X: Any, y: Any = None) -> Self:
        """Record the number of channels.

        Parameters
        ----------
        X : array of shape (n_sequences, n_channels, n_timesteps) or (n_sequences, n_timesteps), \
                or list of arrays of shape (n_channels, n_timesteps_i) or (n_timesteps_i,)
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If `X` has another form, or is not finite.
        """
        pack(self, _time_first(X), reset=True)
        return self

    def transform(self, X: Any) -> Any:
        """Put the time before the channels.

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        X_transformed : array of shape (n_sequences, n_timesteps, n_channels), or list of arrays \
                of shape (n_timesteps_i, n_channels)

        Raises
        ------
        ValueError
            If `X` has another form or number of channels, or is not finite.
        """
        check_is_fitted(self, "n_features_in_")
        sequences = pack(self, _time_first(X), reset=False)
        return restore(sequences.values, sequences)

    def inverse_transform(self, X: Any) -> Any:
        """Put the channels before the time.

        Parameters
        ----------
        X : as returned by ``transform``

        Returns
        -------
        X_original : array of shape (n_sequences, n_channels, n_timesteps), or list of arrays of \
                shape (n_channels, n_timesteps_i)

        Raises
        ------
        ValueError
            If `X` has another number of channels, or is not finite.
        """
        check_is_fitted(self, "n_features_in_")
        sequences = pack(clone(self), X, reset=True, dtype=FLOATS)
        n_channels = sequences.values.shape[1]
        if n_channels != self.n_features_in_:
            raise ValueError(f"X has {n_channels} channels, expected {self.n_features_in_}")
        arrays = restore(sequences.values, sequences)
        return [x.T for x in arrays] if isinstance(arrays, list) else np.swapaxes(arrays, -1, -2)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False  # the columns of a 2-D array are time steps
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _time_first(X: Any) -> Any:
    """Return sequences with their axes swapped, or raise."""
    refuse_masked("X", X)
    if isinstance(X, (list, tuple)) or (isinstance(X, np.ndarray) and X.dtype == object):
        return [_swapped(f"X[{i}]", x) for i, x in enumerate(X)]
    array = np.asarray(to_array("X", X))
    if array.ndim not in (2, 3):
        raise ValueError(
            "X must be an array (n_sequences, n_channels, n_timesteps) or (n_sequences, "
            "n_timesteps), or a list of arrays (n_channels, n_timesteps_i), got an array of shape "
            f"{array.shape}"
        )
    return np.swapaxes(array, 1, 2) if array.ndim == 3 else array[:, :, None]


def _swapped(name: str, x: Any) -> np.ndarray:
    """Return one sequence as (time, channels), or raise."""
    array = np.asarray(to_array(name, x))
    if array.ndim not in (1, 2):
        raise ValueError(
            f"{name} must be an array (n_channels, n_timesteps) or (n_timesteps,), got an array "
            f"of shape {array.shape}"
        )
    return array.T if array.ndim == 2 else array[:, None]
