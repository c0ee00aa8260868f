"""Hidden Markov models against sums over all paths, and against hmmlearn where it is installed."""

import itertools

import numpy as np
import pytest
from checks import parametrize_with_checks
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn.exceptions import ConvergenceWarning

from esnkit.baselines import HiddenMarkovModel

RNG = np.random.default_rng(0)
TRANSITION = np.array([[0.9, 0.1, 0.0], [0.1, 0.8, 0.1], [0.3, 0.1, 0.6]])
MEANS = np.array([[0.0, 0.0], [3.0, 1.0], [-2.0, 4.0]])


def draw_states(n_steps, seed=0):
    rng, states = np.random.default_rng(seed), [0]
    while len(states) < n_steps:
        states.append(rng.choice(3, p=TRANSITION[states[-1]]))
    return np.array(states)


STATES = draw_states(600)
ROWS = MEANS[STATES] + RNG.standard_normal((600, 2))
SYMBOLS = (STATES + (RNG.random(600) < 0.2))[:, None]


@pytest.fixture(scope="module")
def gaussian():
    return HiddenMarkovModel(3, random_state=0).fit(ROWS)


@pytest.fixture(scope="module")
def categorical():
    parameters = {"emission": "categorical", "tol": 1e-4, "random_state": 0}
    return HiddenMarkovModel(2, **parameters).fit(SYMBOLS)


@pytest.fixture(params=["gaussian", "categorical"])
def model(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def rows(model):
    """A few rows for the model."""
    return (ROWS if model.emission == "gaussian" else SYMBOLS)[:7]


def log_densities(model, rows):
    if model.emission == "categorical":
        return np.log(model.symbol_probabilities_[:, rows[:, 0]]).T
    states = zip(model.means_, model.covariances_, strict=True)
    logs = [np.atleast_1d(multivariate_normal(*state).logpdf(rows)) for state in states]
    return np.stack(logs, axis=1)


def all_paths(model, rows):
    """Return all paths of states with the logarithms of their joint probabilities with the rows."""
    b, n_states = log_densities(model, rows), model.n_states
    paths = np.array(list(itertools.product(range(n_states), repeat=len(rows))))
    with np.errstate(divide="ignore"):
        start, transition = np.log(model.start_probabilities_), model.transition_probabilities_
        logs = start[paths[:, 0]] + np.log(transition)[paths[:, :-1], paths[:, 1:]].sum(axis=1)
    return paths, logs + b[np.arange(len(rows)), paths].sum(axis=1)


def test_all_probabilities_are_sums_over_all_paths(model, rows):
    paths, logs = all_paths(model, rows)
    np.testing.assert_allclose(model.score(rows), logsumexp(logs) / len(rows), rtol=1e-10)
    assert np.array_equal(model.predict(rows), paths[np.argmax(logs)])
    one_hot = paths[:, :, None] == np.arange(model.n_states)
    weights = np.exp(logs - logsumexp(logs))
    posterior = np.tensordot(weights, one_hot, 1)
    np.testing.assert_allclose(model.predict_proba(rows), posterior, atol=1e-10)
    for t in (0, 3):
        short, logs = all_paths(model, rows[: t + 1])
        share = np.exp(logs - logsumexp(logs)) @ (short[:, -1:] == np.arange(model.n_states))
        np.testing.assert_allclose(model.filter(rows)[t], share, atol=1e-10)


def test_iterations_never_lower_the_likelihood(model):
    assert np.diff(model.log_likelihoods_).min() > -1e-9
    assert model.n_iter_ == len(model.log_likelihoods_)


def test_an_iteration_is_that_of_sums_over_all_paths():
    model = HiddenMarkovModel(2, n_init=1, max_iter=1, random_state=3)
    longer = HiddenMarkovModel(2, n_init=1, max_iter=2, random_state=3)
    noise = np.random.default_rng(5).standard_normal((11, 1))
    rows = [noise[:6], noise[6:]]
    with pytest.warns(ConvergenceWarning):
        model.fit(rows)
        longer.fit(rows)
    start, counts, posteriors = 0.0, 0.0, []
    for part in rows:
        paths, logs = all_paths(model, part)
        weights = np.exp(logs - logsumexp(logs))
        one_hot = (paths[:, :, None] == np.arange(2)).astype(float)
        posteriors.append(np.tensordot(weights, one_hot, 1))
        start = start + posteriors[-1][0]
        counts = counts + np.einsum("p,pti,ptj->ij", weights, one_hot[:, :-1], one_hot[:, 1:])
    posterior, values = np.concatenate(posteriors), np.concatenate(rows)
    np.testing.assert_allclose(longer.start_probabilities_, start / 2, atol=1e-9)
    expected = counts / counts.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(longer.transition_probabilities_, expected, atol=1e-9)
    means = posterior.T @ values / posterior.sum(axis=0)[:, None]
    np.testing.assert_allclose(longer.means_, means, atol=1e-9)


def test_the_chain_that_made_the_rows_is_found(gaussian):
    order = np.argsort(gaussian.means_[:, 0])  # 2, 0, 1
    np.testing.assert_allclose(gaussian.means_[order], MEANS[[2, 0, 1]], atol=0.25)
    found = gaussian.transition_probabilities_[np.ix_(order, order)]
    np.testing.assert_allclose(found, TRANSITION[np.ix_([2, 0, 1], [2, 0, 1])], atol=0.15)
    labels = np.empty(3, int)
    labels[order] = [2, 0, 1]
    assert np.mean(labels[gaussian.predict(ROWS)] == STATES) > 0.95


def test_containers_and_forecasts(gaussian, categorical):
    batch = ROWS[:40].reshape(4, 10, 2)
    assert gaussian.predict(batch).shape == (4, 10)
    ragged = gaussian.predict_proba([ROWS[:5], ROWS[5:20]])
    np.testing.assert_array_equal(ragged[1], gaussian.predict_proba(ROWS[5:20]))
    ahead = gaussian.forecast(3, ROWS[:9])
    state = gaussian.filter(ROWS[:9])[-1]
    for step in ahead:
        state = state @ gaussian.transition_probabilities_
        np.testing.assert_allclose(step, state @ gaussian.means_)
    assert gaussian.forecast(3, batch).shape == (4, 3, 2)
    np.testing.assert_array_equal(gaussian.forecast(2), gaussian.forecast(2, ROWS))
    np.testing.assert_allclose(categorical.forecast(2).sum(axis=1), 1.0)


def test_samples_have_the_distribution_of_the_model(model):
    X, states = model.sample(20_000, random_state=0)
    moves = np.zeros((model.n_states, model.n_states))
    np.add.at(moves, (states[:-1], states[1:]), 1)
    moves /= moves.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(moves, model.transition_probabilities_, atol=0.03)
    for state in range(model.n_states):
        rows = X[states == state]
        if model.emission == "gaussian":
            np.testing.assert_allclose(rows.mean(axis=0), model.means_[state], atol=0.1)
            np.testing.assert_allclose(np.cov(rows.T), model.covariances_[state], atol=0.2)
        else:
            shares = np.bincount(rows[:, 0], minlength=4) / len(rows)
            np.testing.assert_allclose(shares, model.symbol_probabilities_[state], atol=0.02)


def test_clear_errors(categorical):
    with pytest.raises(ValueError, match="one column of integers from 0 .* got 2 column"):
        HiddenMarkovModel(emission="categorical").fit(ROWS)
    with pytest.raises(ValueError, match="symbols below 4, .* got 9"):
        categorical.predict([[0], [9]])
    with pytest.raises(ValueError, match="at least n_states=5 time steps, got n_samples=3"):
        HiddenMarkovModel(5).fit(ROWS[:3])
    for name, value in (("n_states", 0), ("emission", "poisson"), ("n_init", 0), ("tol", -1.0)):
        with pytest.raises(ValueError, match=name):
            HiddenMarkovModel(**{name: value}).fit(ROWS)
    cycle = np.arange(40)[:, None] % 2
    model = HiddenMarkovModel(2, emission="categorical", max_iter=1000, tol=0, random_state=0)
    model.fit(cycle)
    assert model.score(cycle) > -1e-6
    assert model.score(cycle[::2]) == -np.inf or model.score(cycle[::2]) < -1


def test_a_row_without_a_density_is_refused_without_a_warning_of_numpy(gaussian):
    with pytest.raises(ValueError, match="too far from those of fit"):
        gaussian.predict([[1e200, 0.0]])


def test_hmmlearn_agrees(gaussian):
    hmm = pytest.importorskip("hmmlearn.hmm")
    other = hmm.GaussianHMM(3, covariance_type="full")
    other.startprob_ = gaussian.start_probabilities_
    other.transmat_ = gaussian.transition_probabilities_
    other.means_, other.covars_ = gaussian.means_, gaussian.covariances_
    np.testing.assert_allclose(other.score(ROWS) / len(ROWS), gaussian.score(ROWS), rtol=1e-10)
    np.testing.assert_allclose(other.predict_proba(ROWS), gaussian.predict_proba(ROWS), atol=1e-9)
    assert np.array_equal(other.predict(ROWS), gaussian.predict(ROWS))


ORDER = {
    "check_methods_sample_order_invariance": "rows are time steps",
    "check_methods_subset_invariance": "rows are time steps",
}


@parametrize_with_checks(
    [HiddenMarkovModel(n_init=1, tol=1e-2)], expected_failed_checks=lambda estimator: ORDER
)
def test_common_checks(estimator, check):
    check(estimator)
