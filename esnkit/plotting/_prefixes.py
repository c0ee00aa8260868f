"""Probabilities of the prefixes of labelled sequences, computed for displays or given by users."""

from inspect import signature
from typing import Any, NamedTuple

import numpy as np

from esnkit.utils._frames import ndim_of
from esnkit.utils._shares import steps_of_shares

__all__ = [
    "PrefixProbabilities",
    "check_probabilities",
    "check_sequences",
    "probabilities_of_prefixes",
]

SHARES = tuple(k / 20 for k in range(1, 21))


class PrefixProbabilities(NamedTuple):
    """Probabilities of prefixes, with the true classes."""

    true: np.ndarray  # (n_sequences,) int, positions in ``classes``
    values: np.ndarray  # (n_sequences, n_shares, n_classes); NaN where there are none
    classes: np.ndarray  # (n_classes,) labels
    shares: np.ndarray  # (n_shares,) of a sequence, ascending

    @property
    def predicted(self) -> np.ndarray:
        """Positions (n_sequences, n_shares) of the predicted classes."""
        return np.argmax(self.values, axis=2)

    @property
    def is_known(self) -> np.ndarray:
        """Whether every sequence has probabilities, for every share (n_shares,)."""
        return ~np.isnan(self.values).any(axis=(0, 2))


def check_probabilities(
    y_true: Any, probabilities: Any, classes: Any, shares: Any
) -> PrefixProbabilities:
    """Return the record of given probabilities.

    Raises
    ------
    ValueError
        If shapes do not fit, or a label is no class.
    """
    values, shares = np.asarray(probabilities, float), _ascending(shares)
    y, classes = np.asarray(y_true), np.asarray(classes)
    shape = (y.size, shares.size, classes.size)
    if y.ndim != 1 or values.shape != shape or not values.size:
        raise ValueError(
            "probabilities must have the shape (n_sequences, n_shares, n_classes), here "
            f"{shape} for y_true, shares and classes, got {values.shape}"
        )
    order = np.argsort(classes)
    place = np.clip(np.searchsorted(classes, y, sorter=order), 0, classes.size - 1)
    true = order[place]
    if not np.array_equal(classes[true], y):
        unknown = np.setdiff1d(y, classes)
        raise ValueError(
            f"y_true holds {unknown.tolist()}, which the classes {classes.tolist()} do not have"
        )
    return PrefixProbabilities(true, values, classes, shares)


def check_sequences(X: Any) -> None:
    """Raise if X does not hold several sequences."""
    is_list = isinstance(X, (list, tuple)) or ndim_of(X) == 1
    if ndim_of(X) != 3 and not (is_list and len(X) and all(ndim_of(x) == 2 for x in X)):
        raise ValueError(
            "X must hold several sequences: an array (n_sequences, n_timesteps, n_features) or a "
            f"list of arrays (n_timesteps_i, n_features), got {type(X).__name__}"
        )


def probabilities_of_prefixes(estimator: Any, X: Any, y: Any, shares: Any) -> PrefixProbabilities:
    """Return the probabilities of prefixes by a fitted classifier of whole sequences.

    One that takes ``steps`` in ``predict_proba`` runs once, also behind transformers that are
    causal; others predict cut sequences.
    """
    if not hasattr(estimator, "predict_proba") or not hasattr(estimator, "classes_"):
        raise TypeError(
            f"estimator must be a fitted classifier with predict_proba, got {estimator!r}"
        )
    shares = _ascending(SHARES if shares is None else shares)
    estimator, X = _after_causal_transformers(estimator, X)
    check_sequences(X)
    if len(y) != len(X):
        raise ValueError(f"y must have a label for every sequence, got {len(y)} for {len(X)}")
    takes_steps = "steps" in signature(estimator.predict_proba).parameters
    if takes_steps and getattr(estimator, "causal", True):
        values = estimator.predict_proba(X, steps=shares)
    else:
        values = _of_cut_sequences(estimator, X, shares)
    return check_probabilities(y, values, estimator.classes_, shares)


def _after_causal_transformers(estimator: Any, X: Any) -> tuple[Any, Any]:
    """Return what follows the causal transformers that a pipeline starts with, and its X.

    A prefix of what they return is what they return for a prefix.
    """
    estimator = getattr(estimator, "best_estimator_", estimator)  # of a search
    steps = getattr(estimator, "steps", [])
    while len(steps) > 1 and getattr(steps[0][1], "causal", False):
        X, estimator = steps[0][1].transform(X), estimator[1:]
        steps = estimator.steps
    return (steps[0][1] if len(steps) == 1 else estimator), X


def _of_cut_sequences(estimator: Any, X: Any, shares: np.ndarray) -> np.ndarray:
    """Return the probabilities (n_sequences, n_shares, n_classes) of sequences that end earlier."""
    ends = steps_of_shares(shares, [len(x) for x in X])
    parts = []
    for own in ends.T:
        part = estimator.predict_proba([x[:end] for x, end in zip(X, own, strict=True)])
        if np.ndim(part[0]) != 1:
            raise ValueError("estimator must have one label for every sequence, not for every step")
        parts.append(part)
    return np.stack(parts, axis=1)


def _ascending(shares: Any) -> np.ndarray:
    """Return shares, checked."""
    line = np.asarray(shares, float)
    if line.ndim != 1 or not line.size or not (0 < line[0] and line[-1] <= 1):
        raise ValueError(f"shares must be ascending numbers in (0, 1], got {shares!r}")
    if not np.all(line[1:] > line[:-1]):
        raise ValueError(f"shares must be in ascending order, got {shares!r}")
    return line
