"""Information processing capacity: closed forms, and single regressions as a twin."""

from math import comb

import numpy as np
import pytest
from driven_reservoirs import Features, delay_line, linear
from scipy.special import eval_legendre
from scipy.stats import chi2
from sklearn.linear_model import LinearRegression

from esnkit import Reservoir
from esnkit.analysis import Term, information_processing_capacity, memory_capacity
from esnkit.analysis._information_capacity import _blocks, _max_delays


def test_single_products_are_found_by_name():
    names = Features(
        lambda u, v, w: 5 * v,
        lambda u, v, w: 3 * u**2 + 7,
        lambda u, v, w: u * w,
        lambda u, v, w: w * (3 * v**2 - 1),
    )
    found = information_processing_capacity(names, max_delay=3, n_timesteps=2000, random_state=0)
    np.testing.assert_allclose(found.capacities, 1, atol=1e-9)
    assert set(found.products) == {
        (Term(1, 0, 1),),
        (Term(0, 0, 2),),
        (Term(0, 0, 1), Term(2, 0, 1)),
        (Term(1, 0, 2), Term(2, 0, 1)),
    }
    np.testing.assert_allclose(found.by_degree, [1, 2, 1])
    assert found.capacity == pytest.approx(4) and found.n_products == 4 + 10 + 20


def test_a_power_splits_into_its_polynomials():
    # u^3 = 2/5 P3 + 3/5 P1 of the variances 4/25/7 and 9/25/3: shares 0.16 and 0.84.
    cube = Features(lambda u, v, w: v**3)
    found = information_processing_capacity(cube, max_delay=2, n_timesteps=50_000, random_state=0)
    assert found.products == [(Term(1, 0, 1),), (Term(1, 0, 3),)]
    np.testing.assert_allclose(found.capacities, [0.84, 0.16], atol=0.01)


@pytest.mark.parametrize("seed", range(3))
def test_a_linear_reservoir_has_linear_capacity_only(seed):
    reservoir = linear("orthogonal", 30, seed, 0.9)
    found = information_processing_capacity(
        reservoir, max_degree=2, max_delay=[150, 10], n_timesteps=15_000, random_state=seed
    )
    assert 0.98 * 30 <= found.capacity <= 30 and not found.by_degree[1]
    memory = memory_capacity(reservoir, n_timesteps=15_000, random_state=seed)
    assert memory.capacity == pytest.approx(found.by_degree[0], rel=0.02)


@pytest.mark.parametrize(
    "topology, radius", [("cycle", 0.98), ("orthogonal", 0.98), ("random", 0.95)]
)
@pytest.mark.parametrize("n_units", [8, 20])
def test_the_defaults_find_the_capacity_of_linear_reservoirs(topology, radius, n_units):
    reservoir = linear(topology, n_units, 0, radius)
    found = information_processing_capacity(reservoir, max_degree=1, random_state=0)
    assert 0.98 * n_units <= found.capacity <= n_units


def test_directions_that_fade_nearly_to_rounding_errors_count():
    # The smallest of the singular values of the states are 3 and 24 eps of the largest.
    found = information_processing_capacity(
        linear("random", 50, seed=8), max_degree=1, n_timesteps=5000, random_state=8
    )
    assert 0.98 * 50 <= found.capacity <= 50


def test_a_permutation_has_the_capacity_of_its_distinct_eigenvalues():
    reservoir = linear("permutation", 30, seed=1).fit(np.zeros((3, 1)))
    eigenvalues = np.linalg.eigvals(reservoir.W_.toarray())
    n_distinct = len(np.unique(eigenvalues.round(6)))
    found = information_processing_capacity(
        reservoir, max_degree=1, n_timesteps=5000, random_state=0
    )
    assert n_distinct < 0.95 * 30 and 0.98 * n_distinct <= found.capacity <= n_distinct


def test_a_delay_line_of_n_units_has_the_capacity_n():
    found = information_processing_capacity(
        delay_line(15), max_degree=1, n_timesteps=2000, random_state=0
    )
    np.testing.assert_allclose(found.capacities, 1)
    assert [product[0].delay for product in sorted(found.products)] == list(range(15))


def test_a_nonlinear_reservoir_uses_all_its_units_at_many_degrees():
    reservoir = Reservoir(8, spectral_radius=0.5, input_scaling=1.0, random_state=0)
    found = information_processing_capacity(
        reservoir, max_degree=6, max_delay=[20, 20, 8, 5, 3, 2], n_timesteps=20_000, random_state=0
    )
    assert 0.97 * 8 < found.capacity <= 8 and (found.by_degree[:3] > 0.3).all()


def test_every_product_is_a_regression_of_its_own():
    reservoir = Reservoir(6, random_state=1).fit(np.zeros((3, 2)))
    found = information_processing_capacity(
        reservoir, max_degree=3, max_delay=1, n_timesteps=800, washout=20,
        input_range=(-2, 0), random_state=4,
    )  # fmt: skip
    u = np.random.RandomState(4).uniform(-2, 0, (820, 2))
    states, u = reservoir.transform(u)[20:], u + 1
    assert found.threshold == pytest.approx(2 * chi2.isf(1e-4, 6) / 800)
    wanted = {}
    for product in (product for block in _blocks([1, 1, 1], 2) for product in block):
        y = np.ones(800)
        for delay, column, degree in product:
            y *= eval_legendre(degree, u[20 - delay : 820 - delay, column])
        capacity = LinearRegression().fit(states, y).score(states, y)
        if capacity > found.threshold:
            wanted[product] = (capacity - 6 / 800) / (1 - 6 / 800)
    scale = min(1, 6 / sum(wanted.values()))
    assert dict(zip(found.products, found.capacities, strict=True)) == pytest.approx(
        {product: scale * capacity for product, capacity in wanted.items()}
    )
    assert len(wanted) > 4 and (np.diff(found.capacities) <= 0).all()


def test_all_products_come_once():
    products = [product for block in _blocks([12, 5, 3], 2) for product in block]
    assert len(products) == len(set(products)) == 26 + comb(13, 2) + comb(10, 3)
    for product in products:
        degree = sum(term.degree for term in product)
        assert max(term.delay for term in product) <= (12, 5, 3)[degree - 1]
        assert len({(term.delay, term.input) for term in product}) == len(product)


def test_delays_are_as_long_as_the_number_of_products_allows():
    assert _max_delays(None, 3, 1, 500) == [500, 61, 20]
    assert comb(63, 2) <= 2000 < comb(64, 2) and comb(23, 3) <= 2000 < comb(24, 3)
    assert _max_delays(7, 2, 1, 500) == [7, 7] and _max_delays((7, 3), 2, 1, 500) == [7, 3]
