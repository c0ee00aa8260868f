"""Input weights: their distribution, their columns, matrices in their place."""

import inspect

import numpy as np
import pytest

from esnkit import ESNRegressor, Reservoir
from esnkit.reservoirs.input_weights import INPUT_WEIGHTS, make_input_weights

PI = "14159265358979323846264338327950288419716939937510582097494459230781640628620899"


def make(kind, n_units=40, n_inputs=3, seed=0, **options):
    return make_input_weights(kind, n_units, n_inputs, np.random.default_rng(seed), **options)


@pytest.mark.parametrize("kind", sorted(INPUT_WEIGHTS))
def test_every_kind_has_its_shape_and_a_range(kind):
    W = make(kind, 300, 2)
    assert W.shape == (300, 2) and W.dtype == np.float64 and np.isfinite(W).all()
    assert np.abs(W).max() <= (6 if kind == "normal" else 1) and abs(W.mean()) < 0.15
    assert np.unique(W).size > 1
    assert list(inspect.signature(INPUT_WEIGHTS[kind]).parameters) == [
        "n_units", "column", "n_columns", "rng",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["uniform", "normal", "bernoulli", "minimal"])
def test_one_more_input_leaves_the_weights_of_the_others(kind):
    np.testing.assert_array_equal(make(kind, n_inputs=3)[:, :2], make(kind, n_inputs=2))


@pytest.mark.parametrize("n_units, n_inputs", [(40, 3), (3, 3), (10, 1), (2, 5)])
def test_an_informed_unit_receives_one_input(n_units, n_inputs):
    W = make("informed", n_units, n_inputs)
    assert (np.count_nonzero(W, axis=1) == 1).all()
    counts = np.count_nonzero(W, axis=0)
    assert counts.max() - counts.min() <= 1


def test_minimal_signs_are_those_of_the_digits_of_pi():
    signs = [1.0 if digit >= "5" else -1.0 for digit in PI]
    assert make("minimal", 40, 2).T.ravel().tolist() == signs
    assert make("minimal", 5000, 1)[:80, 0].tolist() == signs


def test_a_chebyshev_orbit_follows_the_polynomial():
    w = make("chebyshev", 6, 2)
    np.testing.assert_allclose(w[0], np.sin([1 / 3, 2 / 3]))
    np.testing.assert_allclose(w[1:], 8 * w[:-1] ** 4 - 8 * w[:-1] ** 2 + 1, atol=1e-12)


def test_the_density_applies_to_every_kind():
    assert (np.count_nonzero(make("bernoulli", density=0.25), axis=0) == 10).all()


def test_a_reservoir_multiplies_them_by_the_scaling_of_each_input():
    given = np.arange(8.0).reshape(4, 2)
    X = np.ones((3, 2))
    for kind in (given, given.tolist(), lambda n_units, n_inputs, rng: given):
        reservoir = Reservoir(4, input_weights=kind, input_scaling=[1.0, 0.5], random_state=0)
        np.testing.assert_array_equal(reservoir.fit(X).W_in_, given * [1.0, 0.5])
    model = ESNRegressor(4, input_weights="minimal", input_scaling=0.3).fit(X, X[:, :1])
    np.testing.assert_array_equal(np.abs(model.reservoir_.W_in_), np.full((4, 2), 0.3))


def test_the_weights_of_fed_back_outputs_stay_uniform():
    X = np.sin(np.arange(30.0))[:, np.newaxis]
    models = [
        ESNRegressor(5, input_weights=kind, feedback=True, random_state=0).fit(X, X)
        for kind in ("minimal", "uniform")
    ]
    np.testing.assert_array_equal(models[0].reservoir_.W_fb_, models[1].reservoir_.W_fb_)


@pytest.mark.parametrize(
    ("kind", "options", "error", "message"),
    [
        ("sparse", {}, ValueError, "input_weights must be one of .* got 'sparse'"),
        (None, {}, TypeError, "input_weights must be one of .* a matrix or a callable, got None"),
        (np.ones((40, 2)), {}, ValueError, r"input_weights must have shape \(40, 3\)"),
        (np.full((40, 3), np.nan), {}, ValueError, "input_weights must be finite"),
        (
            np.ones((40, 3)),
            {"density": 0.5},
            ValueError,
            "input_density must be 1 if input_weights",
        ),
        ("uniform", {"density": 0.0}, ValueError, "input_density must be"),
    ],
    ids=["name", "none", "shape", "nan", "density", "range"],
)
def test_wrong_input_weights_are_named(kind, options, error, message):
    with pytest.raises(error, match=message):
        make(kind, **options)
