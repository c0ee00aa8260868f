"""Model space against singular value decompositions and augmented least squares."""

import pickle
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pooling_problems import Problem, problems
from reference import model_space
from sklearn.base import clone

from esnkit import ESNClassifier
from esnkit.pooling import ModelSpace
from esnkit.pooling import _model_space as module
from esnkit.pooling._base import kept_rows, pool
from esnkit.pooling._table import check_pooling


@given(problems(), st.sampled_from([1, 2, 75]), st.sampled_from([0.01, 1.0]))
def test_model_space_against_numpy(problem, n_components, alpha):
    training = [Z.astype(float) for Z in problem.sequences]
    assume(len(np.vstack(training)) > 2 * problem.rows.shape[1])  # all components are distinct
    wanted = model_space(training, training, n_components, alpha)[1]
    found = problem.pooled(ModelSpace(n_components, alpha=alpha))
    limit = 1e-7 if problem.rows.dtype == np.float64 else 0.05
    np.testing.assert_allclose(found, wanted, rtol=0, atol=limit)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_how_rows_are_cut_changes_no_bit(dtype):
    problem = Problem([9, 1, 200, 4], 12, dtype)
    pooling = check_pooling(ModelSpace(3))
    pooling = pooling.fit(problem.training)
    results = []
    for block_rows in (3, 10**6):
        problem.block_rows = block_rows
        results.append(pooled_by(pooling, problem))
    np.testing.assert_array_equal(*results)


def pooled_by(pooling, problem):
    blocks = pool(pooling, problem.blocks(), problem.offsets, problem.washout)
    return np.concatenate([rows for _, _, rows in blocks])


def test_states_of_few_directions_have_few_components():
    problem = Problem([50, 60], 20)
    problem.rows = problem.rows[:, :4] @ np.random.default_rng(0).normal(size=(4, 20))
    pooling = check_pooling("model_space").fit(problem.training)
    assert pooling.components.shape == (4, 20)
    np.testing.assert_allclose(pooling.components @ pooling.components.T, np.eye(4), atol=1e-12)


@pytest.mark.parametrize("lengths", [[1], [1, 1], [2], [1, 2, 1]])
def test_short_sequences_have_finite_models(lengths):
    for same in (False, True):
        problem = Problem(lengths, 5)
        if same:
            problem.rows[:] = 0.5
        assert np.isfinite(problem.pooled("model_space")).all()


def test_the_components_of_many_rows_come_from_some_of_them():
    problem = Problem([31, 40, 29] * 10, 6, washout=3, block_rows=20)
    parts = kept_rows(problem.blocks, problem.offsets, 3, 455)  # half of those after the washout
    n, mean, scatter, _ = module._scatter(parts)
    after = np.concatenate([np.arange(a + 3, b) for a, b in pairwise(problem.offsets)])
    rows = problem.rows[after[after * 0.6180339887498949 % 1 < 0.5]]
    assert n == len(rows) and abs(n - 455) < 5
    np.testing.assert_allclose(mean, rows.mean(axis=0), atol=1e-13)
    np.testing.assert_allclose(scatter / n, np.cov(rows.T, bias=True), atol=1e-13)


def test_parameters_are_those_of_an_estimator():
    model = ESNClassifier(pooling=ModelSpace(5, alpha=0.1))
    assert model.get_params()["pooling__n_components"] == 5
    assert clone(model).set_params(pooling__alpha=2.0).pooling.alpha == 2.0
    assert model.pooling.alpha == 0.1


def test_a_pickled_model_predicts_the_same():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(6, 20, 1)), [0, 1] * 3
    model = ESNClassifier(10, pooling=["model_space", "std"], random_state=0).fit(X, y)
    other = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(other.predict_proba(X), model.predict_proba(X))
