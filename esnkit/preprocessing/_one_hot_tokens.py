"""One-hot encoding of sequences of tokens."""

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.utils.validation import check_is_fitted

from esnkit.preprocessing._tokens import MAX_AUTO_TOKENS
from esnkit.sequences._packing import Sequences, pack, restore
from esnkit.sequences._set_output import tables_for_series_only
from esnkit.utils._rollback import rollback_on_error
from esnkit.utils._validation import check_positive_int

__all__ = ["OneHotTokens"]

MAX_INTEGER = 2.0**53  # larger integers are rounded in float64


@tables_for_series_only
class OneHotTokens(TransformerMixin, BaseEstimator):
    """Sequences of tokens as one-hot vectors, which a reservoir takes in place of magnitudes.

    Tokens are integers that stand for categories, such as those of :class:`TokenEncoder`.
    :class:`RNNClassifier` encodes them itself; to an echo state network they are numbers, so that
    token 10 is an input ten times as large as token 1.

    Parameters
    ----------
    n_tokens : int or "auto", default="auto"
        Number of tokens, the integers from 0 to ``n_tokens - 1``; "auto" takes the largest in
        ``fit`` plus one.

    Attributes
    ----------
    causal : bool
        True: no row depends on later time steps of its sequence.
    n_tokens_ : int
        Number of columns of the result.
    n_features_in_ : int
        1, the column of tokens.

    See Also
    --------
    TokenEncoder : Texts to tokens.
    sklearn.preprocessing.OneHotEncoder : The same for the columns of a table.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from esnkit import ESNClassifier, OneHotTokens, TokenEncoder
    >>> OneHotTokens().fit_transform([np.array([0, 2]), np.array([1])])
    [array([[1., 0., 0.],
           [0., 0., 1.]]), array([[0., 1., 0.]])]
    >>> model = make_pipeline(TokenEncoder(), OneHotTokens(), ESNClassifier(20, random_state=0))
    >>> model.fit(["abab", "cdcd"], ["first", "second"]).predict(["ab", "cdc"]).tolist()
    ['first', 'second']
    """

    causal = True

    def __init__(self, n_tokens: Any = "auto"):
        self.n_tokens = n_tokens

    @rollback_on_error
    def fit(self, X: Any, y: Any = None) -> Self:
        """Count the tokens.

        Parameters
        ----------
        X : list of arrays of shape (n_timesteps_i,) or (n_timesteps_i, 1), or array of shape \
                (n_timesteps, 1) or (n_sequences, n_timesteps, 1)
            Integers >= 0.
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If `X` has more than one column, or holds something other than tokens.
        """
        n_tokens = self.n_tokens
        if n_tokens != "auto":
            n_tokens = check_positive_int("n_tokens", n_tokens)
        sequences = self._pack(X, reset=True)
        found = int(_tokens(sequences).max()) + 1
        if n_tokens == "auto" and found > MAX_AUTO_TOKENS:
            raise ValueError(
                f"X contains integers up to {found - 1}: set n_tokens={found} if they are tokens; "
                f"n_tokens='auto' accepts tokens below {MAX_AUTO_TOKENS}"
            )
        self.n_tokens_ = found if n_tokens == "auto" else n_tokens
        self._check_known(found)
        return self

    def transform(self, X: Any) -> Any:
        """Return a row for every token, one in its column and zero elsewhere.

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        X_encoded : in the container of `X`, with n_tokens_ columns
            With ``set_output``, one series is a frame.

        Raises
        ------
        ValueError
            If `X` holds something other than the tokens 0 to ``n_tokens_ - 1``.
        """
        check_is_fitted(self, "n_tokens_")
        sequences = self._pack(X, reset=False)
        tokens = _tokens(sequences)
        self._check_known(int(tokens.max()) + 1)
        rows = np.zeros((tokens.size, self.n_tokens_), sequences.values.dtype)
        rows[np.arange(tokens.size), tokens] = 1.0
        return restore(rows, sequences)

    def inverse_transform(self, X: Any) -> Any:
        """Return the token of the largest value of every row.

        Parameters
        ----------
        X : as returned by ``transform``

        Returns
        -------
        tokens : in the container of `X`, with one column, int64

        Raises
        ------
        ValueError
            If `X` has another number of columns than ``n_tokens_``, or is not finite.
        """
        check_is_fitted(self, "n_tokens_")
        sequences = pack(clone(self), X, reset=True)
        if sequences.values.shape[1] != self.n_tokens_:
            raise ValueError(
                f"X has {sequences.values.shape[1]} columns, expected {self.n_tokens_}"
            )
        return restore(sequences.values.argmax(axis=1)[:, None], sequences)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the columns: "token0", "token1", ...

        Parameters
        ----------
        input_features : ignored

        Returns
        -------
        ndarray of str objects
        """
        check_is_fitted(self, "n_tokens_")
        return np.array([f"token{i}" for i in range(self.n_tokens_)], dtype=object)

    def _pack(self, X: Any, *, reset: bool) -> Sequences:
        """Return packed sequences of one column, or raise."""
        sequences = pack(self, X, reset=reset)
        if sequences.values.shape[1] != 1:
            raise ValueError(
                f"X must have one column of tokens, got {sequences.values.shape[1]}: give "
                "sequences of tokens as a list of vectors, list(X), or as X[:, :, None]"
            )
        return sequences

    def _check_known(self, found: int) -> None:
        if found > self.n_tokens_:
            raise ValueError(
                f"X contains the token {found - 1}, expected integers in [0, {self.n_tokens_ - 1}]"
                "; set n_tokens to the number of tokens"
            )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.input_tags.categorical = True
        return tags


def _tokens(sequences: Sequences) -> np.ndarray:
    """Return the tokens (n_rows,) as integers, or raise."""
    values = sequences.values[:, 0]
    wrong = (values < 0) | (values > MAX_INTEGER) | (values != np.floor(values))
    if wrong.any():
        raise ValueError(
            f"X contains {values[wrong][0]:g} in row {np.flatnonzero(wrong)[0]}, expected tokens, "
            "integers from 0 to 2**53"
        )
    return values.astype(np.int64)
