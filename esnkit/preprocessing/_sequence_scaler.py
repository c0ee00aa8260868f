"""Scaling of sequences in any container to mean zero and variance one."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin, clone
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from esnkit.sequences._packing import FLOATS, Sequences, pack, restore
from esnkit.sequences._sample_weight import pack_weights
from esnkit.sequences._set_output import tables_for_series_only
from esnkit.sequences._targets import Targets
from esnkit.utils._rollback import rollback_on_error
from esnkit.utils._validation import check_flag

__all__ = ["SequenceScaler"]


@tables_for_series_only
class SequenceScaler(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Scale every feature to mean zero and variance one over the time steps of all sequences.

    It does to one series what :class:`~sklearn.preprocessing.StandardScaler` does, and takes
    sequences too, so that a pipeline of it and an estimator of esnkit works in every container.

    Parameters
    ----------
    with_mean : bool, default=True
        Whether to subtract the mean.
    with_std : bool, default=True
        Whether to divide by the standard deviation; a constant feature is divided by one.

    Attributes
    ----------
    causal : bool
        True: no row depends on later time steps of its sequence.
    mean_, var_, scale_ : ndarray of shape (n_features,) or None
        Mean, variance and standard deviation of every feature; None where they are not needed.
    n_samples_seen_ : int or float
        Number of time steps, or the sum of their weights.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if `fit` saw frames.

    See Also
    --------
    SequenceNormalizer : Mean zero and variance one within every sequence.
    sklearn.preprocessing.StandardScaler : The same for one table.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from esnkit import ESNClassifier, SequenceScaler
    >>> X = [np.array([[1.0], [3.0]]), np.array([[5.0], [7.0], [9.0]])]
    >>> [x.ravel().round(2).tolist() for x in SequenceScaler().fit_transform(X)]
    [[-1.41, -0.71], [0.0, 0.71, 1.41]]
    >>> model = make_pipeline(SequenceScaler(), ESNClassifier(10, random_state=0))
    >>> model.fit(X, ["low", "high"]).predict(X).tolist()
    ['low', 'high']
    """

    causal = True
    _scaler: StandardScaler

    def __init__(self, *, with_mean: bool = True, with_std: bool = True):
        self.with_mean = with_mean
        self.with_std = with_std

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Compute mean and variance of every feature; those of earlier fits are discarded.

        Parameters
        ----------
        X : array of shape (n_timesteps, n_features) or (n_sequences, n_timesteps, n_features), \
                or list of arrays of shape (n_timesteps_i, n_features)
            One series, sequences of equal length, or sequences of different lengths.
        y : ignored
        sample_weight : array-like, default=None
            Weights >= 0, per time step or per sequence.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If `X` or a weight is not finite, or a variance leaves the range of float64.
        """
        return self._fit(X, sample_weight, first=True)

    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Update mean and variance by more time steps.

        Parameters
        ----------
        X, y, sample_weight : as in ``fit``

        Returns
        -------
        self
        """
        return self._fit(X, sample_weight, first=not hasattr(self, "_scaler"))

    @rollback_on_error
    def _fit(self, X: Any, sample_weight: Any, first: bool) -> Self:
        with_mean = check_flag("with_mean", self.with_mean)
        with_std = check_flag("with_std", self.with_std)
        sequences = pack(self, X, reset=first)
        weights = _row_weights(sample_weight, sequences)
        # After the first call a copy, so that an error leaves the scaler as it was.
        scaler = StandardScaler(with_mean=with_mean, with_std=with_std)
        scaler = scaler if first else deepcopy(self._scaler)
        with np.errstate(over="ignore", invalid="ignore"):
            scaler.partial_fit(sequences.values, sample_weight=weights)
        if scaler.var_ is not None and not np.all(np.isfinite(scaler.var_)):
            raise ValueError(
                f"X has a feature whose variance exceeds the range of {scaler.var_.dtype}: divide "
                "it by a constant first"
            )
        rows = sequences.values if weights is None else sequences.values[weights > 0]
        constant = _set_constants(scaler, rows, None if first else self._scaler)
        tiny = np.finfo(np.float64).tiny
        if scaler.var_ is not None and not np.all(constant | (scaler.var_ >= tiny)):
            raise ValueError(
                "X has a feature whose variance is below the range of float64: multiply it by a "
                "constant first"
            )
        self._scaler = scaler
        return self

    @property
    def mean_(self) -> np.ndarray | None:
        """Mean of every feature."""
        return self._scaler.mean_

    @property
    def var_(self) -> np.ndarray | None:
        """Variance of every feature."""
        return self._scaler.var_

    @property
    def scale_(self) -> np.ndarray | None:
        """Divisor of every feature."""
        return self._scaler.scale_

    @property
    def n_samples_seen_(self) -> Any:
        """Number of time steps, or the sum of their weights."""
        return self._scaler.n_samples_seen_

    def transform(self, X: Any) -> Any:
        """Scale sequences.

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        X_scaled : in the container of `X`, arrays for frames
            With ``set_output``, one series is a frame.
        """
        check_is_fitted(self)
        sequences = pack(self, X, reset=False)
        return _scaled(self._scaler.transform, sequences)

    def inverse_transform(self, X: Any) -> Any:
        """Undo the scaling.

        Parameters
        ----------
        X : as returned by ``transform``

        Returns
        -------
        X_original : in the container of `X`

        Raises
        ------
        ValueError
            If `X` has another number of features, or is not finite.
        """
        check_is_fitted(self)
        # As in scikit-learn, names are not compared: scaled values often come without.
        sequences = pack(clone(self), X, reset=True, dtype=FLOATS)
        n_features = sequences.values.shape[1]
        if n_features != self.n_features_in_:
            raise ValueError(f"X has {n_features} features, expected {self.n_features_in_}")
        return _scaled(self._scaler.inverse_transform, sequences)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_scaler")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _set_constants(
    scaler: StandardScaler, rows: np.ndarray, before: StandardScaler | None
) -> np.ndarray:
    """Set the mean of constant features to their value: a sum of large values is rounded.

    Return which features are constant.
    """
    constant = (rows == rows[0]).all(axis=0)
    if scaler.mean_ is None:
        return constant
    if before is not None:
        constant &= before.mean_ == rows[0]
        if before.var_ is not None:
            constant &= before.var_ == 0
    scaler.mean_[constant] = rows[0, constant]
    if scaler.var_ is not None:
        scaler.var_[constant], scaler.scale_[constant] = 0.0, 1.0
    return constant


def _scaled(function: Callable[[np.ndarray], np.ndarray], sequences: Sequences) -> Any:
    """Return scaled rows in the container of the sequences, or raise if they became infinite."""
    # The scaler sums all values to find out whether they are finite: sums may overflow.
    with np.errstate(over="ignore", invalid="ignore"):
        rows = function(sequences.values)
    if not np.isfinite(rows).all():
        raise ValueError(
            f"X has values that leave the range of {rows.dtype} when they are scaled: their size "
            "is far from that of the X of fit"
        )
    return restore(rows, sequences)


def _row_weights(sample_weight: Any, sequences: Sequences) -> np.ndarray | None:
    """Return the weights of the time steps (n_rows,), or None."""
    targets = Targets(np.empty((len(sequences.values), 1)), "steps", True)
    return pack_weights(sample_weight, sequences, targets)
