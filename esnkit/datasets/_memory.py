"""Long-memory tasks in their published forms: adding, temporal order, digits pixel by pixel.

The literature has several forms of each task under one name, with different inputs, lengths, cues
and success criteria; ``family`` selects one. Report it with every result.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import Bunch

from esnkit.utils._validation import check_choice, check_flag, check_positive_int, check_seed

# Shortest sequences that have room for all marks.
_ADDING = {"ms": 10, "hochreiter": 11, "pascanu": 10, "urnn": 2, "tcn": 2}
# Starts of the windows of the symbols, in hundredths of n_timesteps.
_ORDER = {
    "ms": {2: (10, 50), 3: (10, 30, 60)},
    "hochreiter": {2: (10, 50), 3: (10, 33, 66)},
    "pascanu": {2: (10, 50), 3: (10, 30, 60)},
}
_START, _END = 6, 7


def make_adding(
    n_sequences: int = 1000,
    n_timesteps: int = 100,
    *,
    family: str = "ms",
    target: str = "sequence",
    random_state: Any = None,
) -> Any:
    """Adding problem: find two marked numbers in a long random sequence and add them.

    Every step has a random value and a marker, which is 1 at two steps. The target, at the last
    step, is the sum of the values at these two. T is `n_timesteps`, L the length of a sequence,
    steps count from 0, and all draws are uniform and independent.

    ``family="ms"``, Martens & Sutskever [1]_, [2]_
        Columns value in [0, 1], marker. L in T..T+T/10. Marks at I in 1..L/10 and J in L/10..L/2,
        I < J. Cues: marker -1 at step 0 and at step L-3, two steps before the target, as in the
        authors' released code. Target (u_I + u_J) / 2. A sequence is correct if the absolute error
        is at most 0.04; the task is solved if less than 1 % of 10 000 new sequences are wrong.
    ``family="hochreiter"``, Hochreiter & Schmidhuber [3]_, section 5.4
        Columns value in [-1, 1], marker. L in T..T+T/10. One mark among the first ten steps, the
        other among the first T/2-1 that are still unmarked. Cues: marker -1 at the first and the
        last step. The -1 of the first step replaces its mark, so if it is one of the two marked
        steps, its value is set to 0. Target 0.5 + (X_1 + X_2) / 4. A sequence is correct if the
        absolute error is below 0.04; the paper tests on 2560.
    ``family="pascanu"``, the code behind [4]_
        Columns *marker*, value in [0, 1]. L in T..T+T/10-1. Marks at steps below L/10 and from
        L/10 to L/2-1. No cue. Target (u_I + u_J) / 2. A sequence is correct if the *squared* error
        is at most 0.04, an absolute error of 0.2.
    ``family="urnn"``, Arjovsky, Shah & Bengio [5]_
        Columns value in [0, 1], marker. L = T. One mark in each half. No cue. Target u_I + u_J.
        Scored by the mean squared error, which is 1/6 for the best constant.
    ``family="tcn"``, Bai, Kolter & Koltun [6]_
        Like "urnn", with marks at any two steps.

    Parameters
    ----------
    n_sequences : int, default=1000
    n_timesteps : int, default=100
        T, at least 10 for "ms" and "pascanu", 11 for "hochreiter", 2 for "urnn" and "tcn".
    family : {"ms", "hochreiter", "pascanu", "urnn", "tcn"}, default="ms"
    target : {"sequence", "steps"}, default="sequence"
        "sequence": one target per sequence, for a model that pools its steps. "steps": the target
        at every step, with weight zero at all steps but the last. Both train the same mapping.
    random_state : int, RandomState instance or None, default=None
        Pass an int for the same sequences in every call.

    Returns
    -------
    X : list of ndarrays of shape (L_i, 2), or ndarray of shape (n_sequences, T, 2), float64
        An array for "urnn" and "tcn", whose sequences have equal lengths.
    y : ndarray of shape (n_sequences,), float64
        With ``target="steps"`` in the form of X, with one column.
    sample_weight : ndarray of shape (n_sequences,), float64
        Weights of the targets, all ones. With ``target="steps"`` in the form of X, without columns:
        1 at the last step of every sequence, 0 elsewhere.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    References
    ----------
    .. [1] J. Martens and I. Sutskever, "Learning recurrent neural networks with Hessian-free
       optimization", ICML 2011.
    .. [2] I. Sutskever, J. Martens, G. Dahl and G. Hinton, "On the importance of initialization
       and momentum in deep learning", ICML 2013, appendix A.4.
    .. [3] S. Hochreiter and J. Schmidhuber, "Long short-term memory", Neural Computation 9, 1997.
    .. [4] R. Pascanu, T. Mikolov and Y. Bengio, "On the difficulty of training recurrent neural
       networks", ICML 2013.
    .. [5] M. Arjovsky, A. Shah and Y. Bengio, "Unitary evolution recurrent neural networks",
       ICML 2016.
    .. [6] S. Bai, J. Z. Kolter and V. Koltun, "An empirical evaluation of generic convolutional
       and recurrent networks for sequence modeling", arXiv:1803.01271, 2018.

    Examples
    --------
    >>> from esnkit.datasets import make_adding
    >>> X, y, sample_weight = make_adding(500, 50, random_state=0)
    >>> len(X), sorted({len(x) for x in X})
    (500, [50, 51, 52, 53, 54, 55])
    >>> value, marker = X[0].T
    >>> bool(y[0] == value[marker == 1].mean())
    True
    """
    n_sequences = check_positive_int("n_sequences", n_sequences)
    family = check_choice("family", family, _ADDING)
    n_timesteps = check_positive_int("n_timesteps", n_timesteps, _ADDING[family])
    target = check_choice("target", target, ("sequence", "steps"))
    rng = check_seed(random_state)
    lengths = _lengths(n_sequences, n_timesteps, family, rng)
    first, second = _adding_marks(family, lengths, n_timesteps, rng)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    begin, end = offsets[:-1], offsets[1:]
    value, marker = (1, 0) if family == "pascanu" else (0, 1)
    rows = np.zeros((offsets[-1], 2))
    rows[:, value] = rng.uniform(-1.0 if family == "hochreiter" else 0.0, 1.0, offsets[-1])
    rows[begin + first, marker] = rows[begin + second, marker] = 1.0
    if family == "hochreiter":
        rows[begin[(first == 0) | (second == 0)], value] = 0.0
        rows[begin, marker] = rows[end - 1, marker] = -1.0
    elif family == "ms":
        rows[begin, marker] = rows[end - 3, marker] = -1.0
    y = rows[begin + first, value] + rows[begin + second, value]
    if family == "hochreiter":
        y = 0.5 + y / 4.0
    elif family in ("ms", "pascanu"):
        y = y / 2.0
    equal_lengths = family in ("urnn", "tcn")
    return _in_container(rows, offsets, y[:, np.newaxis], target, equal_lengths)


def _adding_marks(family: str, lengths: Any, n_timesteps: int, rng: Any) -> tuple[Any, Any]:
    """Draw the steps of the two marks of every sequence."""
    n, tenth = lengths.size, lengths // 10
    if family == "ms":
        first = rng.randint(1, tenth + 1)
        return first, rng.randint(np.maximum(tenth, first + 1), lengths // 2 + 1)
    if family == "hochreiter":
        first, second = rng.randint(10, size=n), rng.randint(n_timesteps // 2 - 1, size=n)
        return first, second + (second >= first)
    if family == "pascanu":
        return rng.randint(0, tenth), tenth + rng.randint(0, 4 * lengths // 10)
    if family == "urnn":
        half = n_timesteps // 2
        return rng.randint(half, size=n), rng.randint(half, n_timesteps, size=n)
    first, second = rng.randint(n_timesteps, size=n), rng.randint(n_timesteps - 1, size=n)
    return first, second + (second >= first)


def make_temporal_order(
    n_sequences: int = 1000,
    n_timesteps: int = 100,
    *,
    n_symbols: int = 2,
    family: str = "ms",
    target: str = "sequence",
    random_state: Any = None,
) -> Any:
    """Temporal order problem: classify sequences by the order of a few early symbols.

    Two (or three) symbols, each X or Y, stand at random steps within fixed windows; all other steps
    are random distractors a, b, c, d. The class, predicted at the last step, is the symbols in
    order. T is `n_timesteps`, steps count from 0, and all draws are uniform and independent.
    Symbols are one-hot encoded: columns X, Y, a, b, c, d.

    ``family="ms"``, Martens & Sutskever [1]_
        Sequences of T steps. Windows T/10..2T/10 and 5T/10..6T/10; with three symbols T/10..2T/10,
        3T/10..4T/10 and 6T/10..7T/10, ends included. No cue: the last step is a distractor. A
        sequence is correct if the most probable class is; the task is solved if less than 1 % of
        10 000 new sequences are wrong.
    ``family="pascanu"``, the code behind [2]_
        Like "ms", but windows exclude their ends.
    ``family="hochreiter"``, Hochreiter & Schmidhuber [3]_, tasks 6a and 6b
        Two more columns, E and B. Lengths from T to T+T/10. E is the first step; the cue is B, at
        the last step. Windows 10..20 and 50..60 hundredths of T; with three symbols 10..20, 33..43
        and 66..76, ends included. A sequence is correct if every output is within 0.3 of its
        target, 1 for the class and 0 for the others.

    Parameters
    ----------
    n_sequences : int, default=1000
    n_timesteps : int, default=100
        T, at least 10.
    n_symbols : {2, 3}, default=2
        Number of symbols X or Y: 4 or 8 classes.
    family : {"ms", "pascanu", "hochreiter"}, default="ms"
    target : {"sequence", "steps"}, default="sequence"
        "sequence": one label per sequence, for a model that pools its steps. "steps": the label at
        every step, with weight zero at all steps but the last. Both train the same mapping.
    random_state : int, RandomState instance or None, default=None
        Pass an int for the same sequences in every call.

    Returns
    -------
    X : ndarray of shape (n_sequences, T, 6), or list of ndarrays of shape (L_i, 8), float64
        A list for "hochreiter".
    y : ndarray of shape (n_sequences,), int64
        The class: the symbols as a binary number, X as 0 and Y as 1, the first symbol as the
        highest bit. With ``target="steps"`` in the form of X, without columns.
    sample_weight : ndarray of shape (n_sequences,), float64
        Weights of the targets, all ones. With ``target="steps"`` in the form of y: 1 at the last
        step of every sequence, 0 elsewhere.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    References
    ----------
    .. [1] J. Martens and I. Sutskever, "Learning recurrent neural networks with Hessian-free
       optimization", ICML 2011.
    .. [2] R. Pascanu, T. Mikolov and Y. Bengio, "On the difficulty of training recurrent neural
       networks", ICML 2013.
    .. [3] S. Hochreiter and J. Schmidhuber, "Long short-term memory", Neural Computation 9, 1997,
       section 5.6.

    Examples
    --------
    >>> from esnkit.datasets import make_temporal_order
    >>> X, y, sample_weight = make_temporal_order(4, 20, random_state=0)
    >>> X.shape, y.tolist()
    ((4, 20, 6), [1, 3, 0, 2])
    >>> "".join("XYabcd"[symbol] for symbol in X[1].argmax(axis=1))
    'cddYabbbbabaYadbcdda'
    """
    n_sequences = check_positive_int("n_sequences", n_sequences)
    n_timesteps = check_positive_int("n_timesteps", n_timesteps, 10)
    if check_positive_int("n_symbols", n_symbols) not in (2, 3):
        raise ValueError(f"n_symbols must be 2 or 3, got {n_symbols!r}")
    family = check_choice("family", family, _ORDER)
    target = check_choice("target", target, ("sequence", "steps"))
    rng = check_seed(random_state)
    framed = family == "hochreiter"
    lengths = _lengths(n_sequences, n_timesteps, family if framed else "urnn", rng)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    symbols = 2 + rng.randint(4, size=offsets[-1])
    if framed:
        symbols[offsets[:-1]], symbols[offsets[1:] - 1] = _START, _END
    y = np.zeros(n_sequences, dtype=np.int64)
    width = n_timesteps // 10 + (family != "pascanu")
    for hundredths in _ORDER[family][n_symbols]:
        begin = hundredths * n_timesteps // 100
        drawn = rng.randint(2, size=n_sequences)
        symbols[offsets[:-1] + rng.randint(begin, begin + width, size=n_sequences)] = drawn
        y = 2 * y + drawn
    return _in_container(np.eye(8 if framed else 6)[symbols], offsets, y, target, not framed)


def _lengths(n_sequences: int, n_timesteps: int, family: str, rng: Any) -> Any:
    """Draw the length of every sequence; only some families vary it."""
    tenth = n_timesteps // 10
    n_lengths = {"ms": tenth + 1, "hochreiter": tenth + 1, "pascanu": tenth}.get(family, 1)
    return n_timesteps + rng.randint(n_lengths, size=n_sequences)


def _in_container(rows: Any, offsets: Any, y: Any, target: str, equal_lengths: bool) -> Any:
    """Return sequences, targets and their weights in the container of the family."""
    n_sequences = offsets.size - 1

    def container(values: Any) -> Any:
        if equal_lengths:
            return values.reshape(n_sequences, -1, *values.shape[1:])
        return np.split(values, offsets[1:-1])

    if target == "sequence":
        return container(rows), y.reshape(-1), np.ones(n_sequences)
    weights = np.zeros(offsets[-1])
    weights[offsets[1:] - 1] = 1.0
    return container(rows), container(np.repeat(y, np.diff(offsets), axis=0)), container(weights)


def load_digits_sequences(*, return_X_y: bool = False) -> Any:
    """Handwritten digits as sequences of 64 pixels, in ten classes.

    The 8 x 8 images of :func:`sklearn.datasets.load_digits`, row by row, one pixel per step. The
    order is that of the data set, in which the digits of a writer follow each other. Shuffle before
    splitting, and report it: otherwise the test set has other writers, and the accuracy is several
    points lower.

    Parameters
    ----------
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    data : Bunch
        Dictionary-like object with these attributes.

        data : ndarray of shape (1797, 64, 1), float64
            Grey values from 0 to 1.
        target : ndarray of shape (1797,), int64
            The digit.
        sample_weight : ndarray of shape (1797,), float64
            Weights of the targets, all ones.
        target_names : ndarray of shape (10,)
        DESCR : str
    (data, target) : tuple, if ``return_X_y=True``

    References
    ----------
    .. [1] E. Alpaydin and C. Kaynak, "Optical recognition of handwritten digits", UCI Machine
       Learning Repository, 1998, https://doi.org/10.24432/C50P49.

    Examples
    --------
    >>> from esnkit.datasets import load_digits_sequences
    >>> X, y = load_digits_sequences(return_X_y=True)
    >>> X.shape, y[:5].tolist()
    ((1797, 64, 1), [0, 1, 2, 3, 4])
    """
    from sklearn.datasets import load_digits

    return_X_y = check_flag("return_X_y", return_X_y)
    digits = load_digits()
    data = digits.data[:, :, np.newaxis] / 16.0
    target = digits.target.astype(np.int64)
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        sample_weight=np.ones(target.size),
        target_names=digits.target_names,
        DESCR=digits.DESCR,
    )
