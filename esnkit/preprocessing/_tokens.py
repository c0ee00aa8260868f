"""Text as sequences of integers: tokens, the learned vocabulary, and the inverse."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from esnkit.utils._frames import ndim_of, to_array
from esnkit.utils._rollback import rollback_on_error
from esnkit.utils._validation import check_choice, check_positive_int, refuse_masked

__all__ = ["MAX_AUTO_TOKENS", "PADDING", "UNKNOWN", "TokenEncoder"]

PADDING, UNKNOWN = 0, 1  # the integers of the two special tokens
# A column of larger integers is more likely to hold counts or times than tokens.
MAX_AUTO_TOKENS = 100_000
UNKNOWN_TEXT = "\ufffd"  # Unicode's replacement character


class TokenEncoder(TransformerMixin, BaseEstimator):
    """Turn texts into sequences of integers, one per character or one per word.

    The integers are 0 for padding, 1 for tokens that `fit` has not seen, and from 2 on the
    vocabulary in sorted order. They are categories: a network takes them one-hot encoded or through
    a learned embedding, a reservoir one-hot encoded by :class:`OneHotTokens`.

    Parameters
    ----------
    level : {"char", "word"}, default="char"
        What a token is: a character, or a run of characters between white space. For punctuation
        as tokens, put spaces around it first.
    n_timesteps : int or None, default=None
        Length of all sequences: longer texts are cut at the end, shorter ones padded. A network
        treats padding like any other token, so prefer None, which keeps the length of every text.
    min_frequency : int, default=1
        Tokens that occur less often in the texts of `fit` are unknown.
    max_tokens : int or None, default=None
        Size of the vocabulary: the most frequent tokens, and among equally frequent ones the first
        in sorted order. None sets no limit.

    Attributes
    ----------
    vocabulary_ : dict of str to int
        The vocabulary in sorted order, and its integers. Changes take effect in every later call.
    n_tokens_ : int
        Number of integers in use: the vocabulary, padding and unknown.

    See Also
    --------
    OneHotTokens : The integers as one-hot vectors.
    sklearn.feature_extraction.text.CountVectorizer : Counts of tokens, without their order.

    Examples
    --------
    >>> from esnkit import TokenEncoder
    >>> encoder = TokenEncoder("word").fit(["the cat sat", "the dog"])
    >>> encoder.vocabulary_
    {'cat': 2, 'dog': 3, 'sat': 4, 'the': 5}
    >>> codes = encoder.transform(["the dog sat", "the bird"])
    >>> [c.ravel().tolist() for c in codes]
    [[5, 3, 4], [5, 1]]
    >>> encoder.inverse_transform(codes)
    ['the dog sat', 'the \ufffd']
    >>> TokenEncoder(n_timesteps=4).fit_transform(["abcde", "ab"])[:, :, 0]
    array([[2, 3, 4, 5],
           [2, 3, 0, 0]])
    """

    def __init__(
        self,
        level: str = "char",
        *,
        n_timesteps: int | None = None,
        min_frequency: int = 1,
        max_tokens: int | None = None,
    ):
        self.level = level
        self.n_timesteps = n_timesteps
        self.min_frequency = min_frequency
        self.max_tokens = max_tokens

    @rollback_on_error
    def fit(self, X: Iterable[str], y: Any = None) -> "TokenEncoder":
        """Learn the vocabulary.

        Parameters
        ----------
        X : iterable of str
        y : ignored

        Returns
        -------
        self : TokenEncoder

        Raises
        ------
        TypeError
            If X is a single text, or holds something other than text.
        ValueError
            If a parameter is out of its range, or if no token is frequent enough.
        """
        min_frequency = check_positive_int("min_frequency", self.min_frequency)
        max_tokens = self.max_tokens
        if max_tokens is not None:
            max_tokens = check_positive_int("max_tokens", max_tokens)
        counts = Counter(token for tokens in self._tokens(X) for token in tokens)
        counts.pop(UNKNOWN_TEXT, None)
        frequent = [token for token in sorted(counts) if counts[token] >= min_frequency]
        if not frequent:
            raise ValueError(
                "X must have a token that occurs at least "
                f"min_frequency={min_frequency} times, got none"
            )
        kept = sorted(frequent, key=lambda token: -counts[token])[:max_tokens]
        first = max(PADDING, UNKNOWN) + 1
        self.vocabulary_ = {token: first + i for i, token in enumerate(sorted(kept))}
        return self

    @property
    def n_tokens_(self) -> int:
        """Number of integers in use."""
        return max([PADDING, UNKNOWN, *self.vocabulary_.values()]) + 1

    def fit_transform(self, X: Iterable[str], y: Any = None) -> Any:
        """Learn the vocabulary, and return the integers of the tokens of every text.

        Parameters
        ----------
        X : iterable of str
        y : ignored

        Returns
        -------
        codes : as from ``transform``
        """
        texts = list(X) if isinstance(X, Iterator) else X  # an iterator is exhausted by fit
        return self.fit(texts).transform(texts)

    def transform(self, X: Iterable[str]) -> Any:
        """Return the integers of the tokens of every text.

        Parameters
        ----------
        X : iterable of str

        Returns
        -------
        codes : list of ndarrays of shape (n_timesteps_i, 1), int64, or ndarray of shape \
                (n_texts, n_timesteps, 1)
            An array where the parameter `n_timesteps` is a number.

        Raises
        ------
        TypeError
            If X is a single text, or holds something other than text.
        ValueError
            If a text has no token.
        """
        check_is_fitted(self)
        code_of = self.vocabulary_.get
        codes = [
            np.array([[code_of(token, UNKNOWN)] for token in tokens], dtype=np.int64)
            for tokens in self._tokens(X)
        ]
        if self.n_timesteps is None:
            return codes
        padded = np.full((len(codes), self.n_timesteps, 1), PADDING, dtype=np.int64)
        for row, code in zip(padded, codes, strict=True):
            row[: len(code)] = code
        return padded

    def inverse_transform(self, X: Any) -> list[str]:
        """Return the texts of sequences of integers.

        Characters are joined without spaces, words with one. Padding is left out; an unknown token
        becomes the replacement character U+FFFD.

        Parameters
        ----------
        X : list of integer arrays of shape (n_timesteps_i,) or (n_timesteps_i, 1), or array of \
                shape (n_texts, n_timesteps) or (n_texts, n_timesteps, 1)

        Returns
        -------
        texts : list of str

        Raises
        ------
        ValueError
            If X holds something other than integers, or an integer beyond the vocabulary.
        """
        check_is_fitted(self)
        if not isinstance(X, Iterable):
            raise ValueError(f"X must be a list of integer arrays, one per text, got {X!r}")
        token_of = {code: token for token, code in self.vocabulary_.items()}
        separator = " " if self.level == "word" else ""
        texts = []
        for i, item in enumerate(X):
            codes = _as_codes(f"X[{i}]", item, self.n_tokens_)
            tokens = (token_of.get(code, UNKNOWN_TEXT) for code in codes if code != PADDING)
            texts.append(separator.join(tokens))
        return texts

    def _tokens(self, X: Any) -> list[list[str]]:
        """Split every text into tokens, at most `n_timesteps` of them."""
        level = check_choice("level", self.level, ("char", "word"))
        n_timesteps = self.n_timesteps
        if n_timesteps is not None:
            n_timesteps = check_positive_int("n_timesteps", n_timesteps)
        # Iterating over a DataFrame or a dict would give its column names or keys.
        several = isinstance(X, Iterable) and not isinstance(X, (str, bytes, Mapping))
        if not several or ndim_of(X) not in (None, 1):
            raise TypeError(f"X must be a list of str, one per text, got {type(X).__name__}")
        texts = list(to_array("X", X, numeric=False))
        if not texts:
            raise ValueError("X is empty: expected at least one text")
        split = []
        for i, text in enumerate(texts):
            if not isinstance(text, str):
                raise TypeError(f"X[{i}] must be a str, got {type(text).__name__}")
            tokens = (list(text) if level == "char" else text.split())[:n_timesteps]
            if not tokens:
                raise ValueError(f"X[{i}] must hold at least one token, got {text!r}")
            split.append(tokens)
        return split

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags


def _as_codes(name: str, item: Any, n_tokens: int) -> list[int]:
    """Return the integers of one text as a list, or raise."""
    refuse_masked(name, item)
    codes = np.asarray(item)
    if codes.ndim == 2 and codes.shape[1] == 1:
        codes = codes[:, 0]
    if codes.ndim != 1 or codes.dtype.kind not in "iuf" or np.any(codes != np.trunc(codes)):
        raise ValueError(
            f"{name} must hold integers, of shape (n_timesteps,) or (n_timesteps, 1), got "
            f"{codes.dtype} of shape {np.shape(item)}"
        )
    wrong = codes[(codes < 0) | (codes >= n_tokens)]
    if wrong.size:
        raise ValueError(f"{name} must hold integers in [0, {n_tokens - 1}], got {wrong[0]}")
    return codes.astype(np.int64).tolist()
