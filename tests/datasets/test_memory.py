"""Every family of the long-memory tasks, against its published definition, sequence by sequence."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits

from esnkit import ESNClassifier, ESNRegressor, RidgeReadout
from esnkit.datasets import load_digits_sequences, make_adding, make_temporal_order

ADDING = ["ms", "hochreiter", "pascanu", "urnn", "tcn"]
ORDER = ["ms", "pascanu", "hochreiter"]
N = 4000


def uniform_over(found, low, high):
    """Tell whether integers take every value from low to high, all about equally often."""
    counts = np.bincount(found - low, minlength=high - low + 1)
    expected = len(found) / counts.size
    chi2 = np.sum((counts - expected) ** 2 / expected)
    return found.min() == low and found.max() == high and chi2 < counts.size + 6 * counts.size**0.5


def marks(X, column=1):
    return [np.flatnonzero(x[:, column] == 1.0) for x in X]


def lengths(X):
    return np.array([len(x) for x in X])


def test_adding_as_martens_and_sutskever():
    X, y, _ = make_adding(N, 60, random_state=0)
    assert uniform_over(lengths(X), 60, 66)
    for x, target, steps in zip(X, y, marks(X), strict=True):
        value, marker = x.T
        L = len(x)
        i, j = steps
        assert 1 <= i <= L // 10 <= j <= L // 2 and i < j
        assert target == (value[i] + value[j]) / 2
        assert np.flatnonzero(marker == -1.0).tolist() == [0, L - 3]
        assert np.count_nonzero(marker) == 4 and 0.0 <= value.min() and value.max() <= 1.0
    first = np.array([steps[0] for steps in marks(X)])
    second = np.array([steps[1] for steps, x in zip(marks(X), X, strict=True) if len(x) == 60])
    assert uniform_over(first, 1, 6) and second.min() == 6 and second.max() == 30


def test_adding_as_hochreiter_and_schmidhuber():
    X, y, _ = make_adding(N, 40, family="hochreiter", random_state=0)
    assert uniform_over(lengths(X), 40, 44)
    n_hidden, seen = 0, []
    for x, target, steps in zip(X, y, marks(X), strict=True):
        value, marker = x.T
        assert marker[0] == marker[-1] == -1.0 and np.all(marker[1:-1] >= 0.0)
        assert -1.0 <= value.min() and value.max() <= 1.0
        assert target == 0.5 + value[steps].sum() / 4.0
        assert 0.0 <= target <= 1.0
        if len(steps) == 1:  # the other one is the first step
            n_hidden += 1
            assert value[0] == 0.0
        else:
            assert len(steps) == 2 and value[0] != 0.0 and min(steps) <= 9
        seen.extend(steps)
    # One mark is among the first ten steps, the other among the first 19 that it leaves.
    assert set(seen) == set(range(1, 20))
    # The first step is marked first in 1 of 10, second in 9 of 10 times 1 of 19.
    assert abs(n_hidden / N - (0.1 + 0.9 / 19)) < 0.025


def test_adding_as_pascanu():
    X, y, _ = make_adding(N, 60, family="pascanu", random_state=0)
    assert uniform_over(lengths(X), 60, 65)
    for x, target, steps in zip(X, y, marks(X, 0), strict=True):
        marker, value = x.T
        L = len(x)
        i, j = steps
        assert 0 <= i < L // 10 <= j < L // 10 + int(0.4 * L)
        assert set(marker) == {0.0, 1.0} and 0.0 <= value.min() and value.max() <= 1.0
        assert target == (value[i] + value[j]) / 2
    assert uniform_over(np.array([steps[0] for steps in marks(X, 0)]), 0, 5)


@pytest.mark.parametrize("family", ["urnn", "tcn"])
def test_adding_at_one_length(family):
    X, y, _ = make_adding(N, 30, family=family, random_state=0)
    assert X.shape == (N, 30, 2) and set(X[:, :, 1].ravel()) == {0.0, 1.0}
    assert 0.0 <= X[:, :, 0].min() and X[:, :, 0].max() <= 1.0
    steps = np.array(marks(X))
    assert steps.shape == (N, 2)
    for x, target in zip(X, y, strict=True):
        assert target == x[x[:, 1] == 1.0, 0].sum()
    if family == "urnn":
        assert uniform_over(steps[:, 0], 0, 14) and uniform_over(steps[:, 1], 15, 29)
    else:
        assert uniform_over(steps.ravel(), 0, 29)
        assert abs(np.mean(steps[:, 1] < 15) - 15 * 14 / (30 * 29)) < 0.03
    assert abs(np.mean((y - 1.0) ** 2) - 1 / 6) < 0.01  # the best constant


def windows(family, n_symbols, T):
    starts = {2: (10, 50), 3: (10, 33, 66) if family == "hochreiter" else (10, 30, 60)}[n_symbols]
    last = T // 10 - (family == "pascanu")
    return [(s * T // 100, s * T // 100 + last) for s in starts]


@pytest.mark.parametrize("n_symbols", [2, 3])
@pytest.mark.parametrize("family", ORDER)
def test_temporal_order(family, n_symbols):
    T = 100
    X, y, _ = make_temporal_order(N, T, n_symbols=n_symbols, family=family, random_state=0)
    framed = family == "hochreiter"
    assert uniform_over(y, 0, 2**n_symbols - 1) and y.dtype == np.int64
    if framed:
        assert uniform_over(lengths(X), 100, 110)
    else:
        assert X.shape == (N, T, 6)
    places, between = [], []
    for x, label in zip(X, y, strict=True):
        assert x.shape[1] == (8 if framed else 6)
        assert np.array_equal(x.sum(axis=1), np.ones(len(x))) and set(x.ravel()) == {0.0, 1.0}
        symbols = x.argmax(axis=1)
        steps = np.flatnonzero(symbols < 2)
        places.append(steps)
        assert label == int("".join(map(str, symbols[steps])), 2)
        if framed:
            assert symbols[0] == 6 and symbols[-1] == 7
            symbols = symbols[1:-1]
        assert symbols.max() < 6
        between.append(symbols[symbols > 1][:40])
    assert uniform_over(np.concatenate(between), 2, 5)
    for steps, (low, high) in zip(np.array(places).T, windows(family, n_symbols, T), strict=True):
        assert uniform_over(steps, low, high)


def test_the_published_windows_of_hochreiter_and_schmidhuber():
    assert windows("hochreiter", 2, 100) == [(10, 20), (50, 60)]
    assert windows("hochreiter", 3, 100) == [(10, 20), (33, 43), (66, 76)]


TASKS = [(make_adding, family) for family in ADDING]
TASKS += [(make_temporal_order, family) for family in ORDER]
every_task = pytest.mark.parametrize(("make", "family"), TASKS)


def same(first, second):
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


@every_task
def test_a_seed_gives_the_same_sequences(make, family):
    one, again, other = (make(20, 30, family=family, random_state=s) for s in (1, 1, 2))
    assert all(same(a, b) for a, b in zip(one, again, strict=True))
    assert not same(one[1], other[1])


@every_task
def test_the_two_forms_of_targets_train_the_same_model(make, family):
    X, y, weights = make(60, 30, family=family, random_state=0)
    same_X, rows, row_weights = make(60, 30, family=family, target="steps", random_state=0)
    assert same(X, same_X) and isinstance(X, np.ndarray) == isinstance(rows, np.ndarray)
    assert y.shape == weights.shape == (60,) and np.all(weights == 1.0)
    for x, target, row, weight in zip(X, y, rows, row_weights, strict=True):
        assert weight.shape == (len(x),) and np.flatnonzero(weight).tolist() == [len(x) - 1]
        assert weight[-1] == 1.0
        assert row.shape == ((len(x), 1) if make is make_adding else (len(x),))
        assert np.all(row == target) and row.dtype == y.dtype
    # With a readout given, features of steps are penalised as those of sequences.
    fixed = {"leak_rate": 1.0, "input_scaling": 0.5, "pooling": "last", "random_state": 0}
    if make is make_adding:
        model = ESNRegressor(10, readout=RidgeReadout(), **fixed)
    else:
        model = ESNClassifier(10, readout=RidgeReadout(1e-2, scoring="classification"), **fixed)
    pooled = clone(model).fit(X, y, sample_weight=weights)
    stepwise = clone(model).fit(X, rows, sample_weight=row_weights)
    if make is make_adding:
        last = [values[-1, 0] for values in stepwise.predict(X)]
        np.testing.assert_allclose(last, pooled.predict(X), rtol=1e-5, atol=1e-7)
    else:
        assert [labels[-1] for labels in stepwise.predict(X)] == pooled.predict(X).tolist()


@every_task
def test_the_shortest_sequences(make, family):
    least = {"hochreiter": 11, "urnn": 2, "tcn": 2}.get(family, 10)
    least = least if make is make_adding else 10
    X, y, _ = make(500, least, family=family, random_state=0)
    assert set(lengths(X)) <= {least, least + 1} and np.all(np.isfinite(y))
    with pytest.raises(ValueError, match=f"n_timesteps must be an integer >= {least}, got"):
        make(5, least - 1, family=family)


@pytest.mark.parametrize("make", [make_adding, make_temporal_order])
@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"family": "x"}, "family must be one of .*'ms'.*got 'x'"),
        ({"target": "last"}, "target must be one of .*'steps'.*got 'last'"),
        ({"n_sequences": 0}, "n_sequences must be an integer >= 1, got 0"),
    ],
)
def test_parameters_out_of_range_are_refused_by_name(make, parameters, message):
    with pytest.raises(ValueError, match=message):
        make(**parameters)


def test_other_numbers_of_symbols_are_refused():
    with pytest.raises(ValueError, match="n_symbols must be 2 or 3, got 4"):
        make_temporal_order(5, n_symbols=4)


def test_digits_are_the_images_pixel_by_pixel():
    digits, images = load_digits_sequences(), load_digits()
    assert digits.data.shape == (1797, 64, 1) and digits.data.dtype == np.float64
    assert digits.data.min() == 0.0 and digits.data.max() == 1.0
    assert np.array_equal(digits.data[7, 8 * 3 + 5, 0] * 16.0, images.images[7, 3, 5])
    assert np.array_equal(digits.target, images.target) and digits.target.dtype == np.int64
    assert np.array_equal(digits.target_names, np.arange(10)) and "8x8" in digits.DESCR
    assert np.array_equal(digits.sample_weight, np.ones(1797))
    X, y = load_digits_sequences(return_X_y=True)
    assert np.array_equal(X, digits.data) and np.array_equal(y, digits.target)
    with pytest.raises(TypeError, match="return_X_y must be True or False, got 1"):
        load_digits_sequences(return_X_y=1)
