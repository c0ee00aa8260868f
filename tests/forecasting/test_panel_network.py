"""Networks over series: readouts against scikit-learn's, closed loops against single steps."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from esnkit import Reservoir
from esnkit.forecasting._packed_series import pack_series
from esnkit.forecasting._panel_network import Loops, PanelStructure, make_network, shrink_sizes
from esnkit.forecasting._seasonality import season_terms
from esnkit.forecasting._transforms import RowTransform

RNG = np.random.default_rng(0)
SERIES = [np.exp(RNG.normal(size=n).cumsum() / 5) for n in (40, 30, 25)]
PACKED = pack_series(SERIES)._replace(static=np.array([[1.0], [-1.0], [0.0]]))
STRUCTURES = [
    PanelStructure(),
    PanelStructure((4, 1), 0.0, lags=(4,)),
    PanelStructure((1,), 0.5, seasons=((6.0, 2),), lags=(2, 5)),
]
every_structure = pytest.mark.parametrize("structure", STRUCTURES, ids=str)


def make(structure, packed=PACKED):
    reservoir = Reservoir(15, leak_rate=(0.3, 1.0), bias_scaling=0.2, random_state=0)
    network = make_network(structure, reservoir, packed)
    return network, network.walk(packed)


def inputs_by_hand(network, walk, series):
    """Return the inputs of one series, row by row."""
    structure = network.structure
    z = walk.z.values[walk.z.offsets[series] : walk.z.offsets[series + 1]]
    rows = []
    for t in range(len(z)):
        lagged = [z[t + 1 - lag] if t + 1 >= lag else 0.0 for lag in structure.lags]
        time = np.array([walk.z.starts[series] + t + 1])
        terms = season_terms(structure.seasons, time)[0]
        rows.append([z[t], *lagged, *terms, *PACKED.static[series]])
    return np.array(rows)


@every_structure
def test_each_series_is_transformed_and_run_as_if_alone(structure):
    network, walk = make(structure)
    for i, values in enumerate(SERIES):
        transform = RowTransform(structure.differences, False, power=structure.power)
        z = transform.fit(values[:, None]).transform(values[:, None])[:, 0]
        z = (z - network.mean[i]) / network.scale[i]
        rows = slice(walk.z.offsets[i], walk.z.offsets[i + 1])
        np.testing.assert_allclose(walk.z.values[rows], z, atol=1e-12)
        inputs = inputs_by_hand(network, walk, i)
        states = network.reservoir.transform(inputs)
        np.testing.assert_allclose(walk.features[rows], np.hstack([states, inputs]), atol=1e-12)
        np.testing.assert_allclose(walk.state[i], states[-1], atol=1e-12)


@every_structure
def test_readouts_are_those_of_ridge_on_the_rows_known(structure):
    network, walk = make(structure)
    last = np.array([[15, 20, 4], [30, 24, 10]])
    last[1] = np.minimum(last[1], walk.z.lengths - 1)
    weights = network.readouts(walk, np.array([1e-3, 1.0]), last)
    for origin in range(2):
        X, y = [], []
        for i in range(3):
            first = max(min(10, walk.z.lengths[i] // 4), max(structure.lags, default=1) - 1)
            rows = walk.z.offsets[i] + np.arange(first, max(last[origin, i], first))
            X.append(walk.features[rows])
            y.append(walk.z.values[rows + 1])
        X, y = np.vstack(X), np.concatenate(y)
        for k, penalty in enumerate((1e-3, 1.0)):
            ridge = Ridge(penalty * len(y), solver="svd").fit(X, y)
            wanted = np.r_[ridge.intercept_, ridge.coef_]
            np.testing.assert_allclose(weights[origin, k], wanted, atol=1e-8)


@every_structure
def test_closed_loops_are_single_steps_fed_back(structure):
    network, walk = make(structure)
    weights = network.readouts(walk, np.array([1e-2]), (walk.z.lengths - 1)[None])[0]
    known = 24
    last = np.array([known - sum(structure.differences) - 1])
    row = walk.z.offsets[1] + last
    n_units = network.reservoir.n_units
    loops = Loops(np.array([1]), last, walk.features[row, :n_units], weights)
    found = network.run_closed_loops(walk, loops, 5)[0]
    series = SERIES[1][:known]
    for _ in range(5):  # append the prediction from the series so far, run anew from its start
        packed = PACKED.take(np.array([1]))._replace(
            values=series, offsets=np.array([0, len(series)])
        )
        part = network.__class__(
            structure, network.reservoir, network.mean[1:2], network.scale[1:2]
        )
        again = part.walk(packed)
        z = weights[0, 0] + again.features[-1] @ weights[0, 1:]
        transform = RowTransform(structure.differences, False, power=structure.power)
        transform.fit(SERIES[1][:, None])
        step = np.array([[z * network.scale[1] + network.mean[1]]])
        series = np.append(series, transform.inverse_transform(step, series[:, None]))
    np.testing.assert_allclose(found, series[known:], rtol=1e-8)


def test_scales_are_those_of_long_series_and_shared_by_short_ones():
    rng = np.random.default_rng(1)
    long = [rng.normal(100 * k, 5 * k, 4000) for k in (1.0, 10.0)]
    packed = pack_series([*long, np.array([1000.0, 1000.1])])
    network, _ = make(PanelStructure(), packed)
    np.testing.assert_allclose(network.scale[:2], [values.std() for values in long], rtol=1e-2)
    np.testing.assert_allclose(network.scale[2], 50 * np.sqrt(4 / 6), rtol=5e-2)


def test_drifts_are_shrunk_to_that_of_all_series():
    rng = np.random.default_rng(1)
    series = [np.cumsum(rng.normal(1.0, 0.3, 200)) + 100 for _ in range(20)]
    network, _ = make(PanelStructure((1,)), pack_series([*series, np.array([100.0, 99.0])]))
    assert 0.2 < network.mean[-1] < 1.2  # and not -1


def test_constant_series_have_no_scale():
    network, walk = make(PanelStructure(), pack_series([*SERIES, np.full(20, 3.0)]))
    assert network.scale[-1] == 0 and (network.scale[:-1] > 0).all()
    assert (walk.z.values[walk.z.offsets[-2] :] == 0).all()


def test_sizes_of_series_of_which_none_is_known_are_zero():
    zeros = np.zeros(3)
    np.testing.assert_array_equal(shrink_sizes(zeros, np.full(3, 20), np.ones(3)), zeros)
