"""Networks over series: readouts against scikit-learn's, closed loops against single steps."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from esnkit import Reservoir
from esnkit.forecasting._differencing import difference
from esnkit.forecasting._packed_series import pack_series
from esnkit.forecasting._panel_network import (
    Loops,
    PanelStructure,
    is_constant,
    make_network,
    shrink_sizes,
)
from esnkit.forecasting._seasonality import season_terms
from esnkit.forecasting._transforms import RowTransform
from esnkit.sequences import Sequences

RNG = np.random.default_rng(0)
SERIES = [np.exp(RNG.normal(size=n).cumsum() / 5) for n in (40, 30, 25)]
INPUTS = [np.stack([RNG.normal(size=len(v)), RNG.integers(0, 2, len(v))], 1) for v in SERIES]
PACKED = pack_series(SERIES, INPUTS)._replace(static=np.array([[1.0], [-1.0], [0.0]]))
STRUCTURES = [
    PanelStructure(),
    PanelStructure((4, 1), 0.0, lags=(4,)),
    PanelStructure((1,), 0.5, seasons=((6.0, 2),), lags=(2, 5)),
]
every_structure = pytest.mark.parametrize("structure", STRUCTURES, ids=str)


def make(structure, packed=PACKED):
    def draw(n_inputs):
        reservoir = Reservoir(15, leak_rate=(0.3, 1.0), bias_scaling=0.2, random_state=0)
        reservoir.prepare(n_inputs)
        return reservoir

    network = make_network(structure, draw, packed)
    return network, network.walk(packed)


def exog_by_hand(structure):
    """Return the inputs of every series, differenced, without their means and on common scales."""
    parts = [difference(inputs, structure.differences) for inputs in INPUTS]
    parts = [part - part.mean(axis=0) for part in parts]
    scale = np.vstack(parts).std(axis=0)
    return [part / np.maximum(scale, [0.0, 0.4]) for part in parts]


def inputs_by_hand(network, walk, series):
    """Return the inputs of the rows of one series that another one follows."""
    structure, exog = network.structure, exog_by_hand(network.structure)[series]
    z = walk.z.values[walk.z.offsets[series] : walk.z.offsets[series + 1]]
    rows = []
    for t in range(len(z) - 1):
        lagged = [z[t + 1 - lag] if t + 1 >= lag else 0.0 for lag in structure.lags]
        time = np.array([walk.z.starts[series] + t + 1])
        terms = season_terms(structure.seasons, time)[0]
        rows.append([z[t], *lagged, *terms, *exog[t + 1], *PACKED.static[series]])
    return np.array(rows)


def features_of(walk, series):
    """Return the features of one series."""
    first = walk.rows_before[series]
    return walk.features[first : first + walk.z.lengths[series] - 1]


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
        np.testing.assert_allclose(features_of(walk, i), np.hstack([states, inputs]), atol=1e-12)
        np.testing.assert_allclose(walk.state[i], states[-1], atol=1e-12)
        before = walk.state_before(np.array([i, i]), np.array([0, 3]))
        np.testing.assert_allclose(before, [np.zeros(15), states[2]], atol=1e-12)


@every_structure
def test_readouts_are_those_of_ridge_on_the_rows_known(structure):
    network, walk = make(structure)
    last = np.array([[15, 20, 4], [30, 24, 10]])
    last[1] = np.minimum(last[1], walk.z.lengths - 1)
    weights = network.readouts(walk, np.array([1e-3, 1.0]), last)
    for origin in range(2):
        X, y = learned_by_hand(structure, walk, last[origin])
        for k, penalty in enumerate((1e-3, 1.0)):
            ridge = Ridge(penalty * len(y), solver="svd").fit(X, y)
            wanted = np.r_[ridge.intercept_, ridge.coef_]
            np.testing.assert_allclose(weights[origin, k, 0], wanted, atol=1e-8)


def learned_by_hand(structure, walk, last, missing=()):
    """Return the rows that readouts learn, and their targets, but for differences of some rows."""
    X, y = [], []
    for i in range(3):
        first = max(min(10, walk.z.lengths[i] // 4), max(structure.lags, default=1) - 1)
        rows = np.arange(first, max(last[i], first))
        lost = {k + lag for k in missing for lag in lags_reached(structure.differences)}
        n_lost = sum(structure.differences)
        rows = np.array([t for t in rows if i != 0 or t + 1 + n_lost not in lost], dtype=int)
        X.append(features_of(walk, i)[rows])
        y.append(walk.z.values[walk.z.offsets[i] + rows + 1])
    return np.vstack(X), np.concatenate(y)


def lags_reached(lags):
    """Return how many rows later a value still is a part of a difference."""
    reached = {0}
    for lag in lags:
        reached |= {before + lag for before in reached}
    return reached


@every_structure
def test_missing_values_are_not_learned_nor_what_they_are_a_part_of(structure):
    observed = PACKED.observed.copy()
    observed[[20, 21]] = False
    network, walk = make(structure, PACKED._replace(observed=observed))
    last = walk.z.lengths - 1
    weights = network.readouts(walk, np.array([1e-2]), last[None])[0, 0, 0]
    X, y = learned_by_hand(structure, walk, last, missing=(20, 21))
    ridge = Ridge(1e-2 * len(y), solver="svd").fit(X, y)
    np.testing.assert_allclose(weights, np.r_[ridge.intercept_, ridge.coef_], atol=1e-8)


def test_where_few_differences_are_complete_observed_values_are_learned():
    observed = np.arange(len(PACKED.values)) % 2 == 0
    network, walk = make(PanelStructure((1,)), PACKED._replace(observed=observed))
    learned = np.flatnonzero(network._is_learned_from(walk))
    rows = PACKED.offsets[walk.z.owners[learned]] + walk.z.positions[learned] + 2
    assert len(rows) > 20 and observed[rows].all()


@every_structure
def test_closed_loops_are_single_steps_fed_back(structure):
    network, walk = make(structure)
    weights = network.readouts(walk, np.array([1e-2]), (walk.z.lengths - 1)[None])
    known, one = 24, np.array([1])
    last = np.array([known - sum(structure.differences) - 1])
    ahead = exog_by_hand(structure)[1][last[0] + 1 : last[0] + 6]
    loops = Loops(one, last, walk.state_before(one, last), weights, ahead[None])
    found = network.run_closed_loops(walk, loops)[0, 0]
    series = SERIES[1][:known]
    for _ in range(5):  # append the prediction from the series so far, run anew from its start
        packed = pack_series([np.append(series, 1.0)], [INPUTS[1][: len(series) + 1]])
        packed = packed._replace(starts=PACKED.starts[one], static=PACKED.static[one])
        z = weights[0, 0, 0, 0] + network.take(one).walk(packed).features[-1] @ weights[0, 0, 0, 1:]
        transform = RowTransform(structure.differences, False, power=structure.power)
        transform.fit(SERIES[1][:, None])
        step = np.array([[z * network.scale[1] + network.mean[1]]])
        series = np.append(series, transform.inverse_transform(step, series[:, None]))
    np.testing.assert_allclose(found, series[known:], rtol=1e-8)


@every_structure
def test_past_only_inputs_are_learned_and_fed_back(structure):
    structure = structure._replace(past_exog=True)
    lead = [np.c_[values[::-1] * 9, 2 * values if i == 2 else np.ones_like(values)]
            for i, values in enumerate(SERIES)]  # fmt: skip
    network, walk = make(structure, PACKED._replace(past=np.concatenate(lead)))
    z, rows = walk.z, slice(*walk.z.offsets[1:3])
    part = difference(lead[1][:, :1], structure.differences)[:, 0]
    np.testing.assert_allclose(z.past[rows, 0], (part - part.mean()) / network.past_scale[1, 0])
    assert network.past_scale[1, 0] == pytest.approx(part.std(), rel=0.2)
    assert (z.past[rows, 1] == 0).all() and np.ptp(z.past[z.offsets[2] :, 1]) > 1

    weights = network.readouts(walk, np.array([1e-2]), (z.lengths - 1)[None])
    taught = np.flatnonzero(network._is_learned_from(walk))
    steps = walk.rows_before[z.owners[taught]] + z.positions[taught]
    ridge = Ridge(1e-2 * len(steps), solver="svd")
    ridge.fit(walk.features[steps], np.c_[z.values, z.past][taught + 1])
    np.testing.assert_allclose(weights[0, 0], np.c_[ridge.intercept_, ridge.coef_], atol=1e-7)

    one, ahead = np.array([1]), np.zeros((1, 3, 2))
    loops = Loops(one, z.lengths[one] - 1, walk.state[one], weights, ahead)
    found = network.run_closed_loops(walk, loops)[0, 0]
    given = network.run_closed_loops(walk, loops._replace(past=np.ones((1, 3, 2))))[0, 0]
    for past_ahead, forecasts in ((None, found), (np.ones(2), given)):
        values, past, state = z.values[rows], z.past[rows][-1], walk.state[one].copy()
        for step in range(3):
            terms = season_terms(structure.seasons, z.starts[one] + z.lengths[one] + step)[0]
            lagged = [values[-lag] for lag in structure.lags]
            inputs = np.r_[values[-1], lagged, past, terms, 0, 0, PACKED.static[1]][None]
            network.reservoir.run(Sequences(inputs, np.array([0, 1]), "batch"), state)
            predicted = ridge.predict(np.hstack([state, inputs]))[0]
            values = np.append(values, predicted[0])
            past = [predicted[1], 0.0] if past_ahead is None else past_ahead
        transform = RowTransform(structure.differences, False, power=structure.power)
        transform.fit(SERIES[1][:, None])
        wanted = values[-3:] * network.scale[1] + network.mean[1]
        wanted = transform.inverse_transform(wanted[:, None], SERIES[1][:, None])[:, 0]
        np.testing.assert_allclose(forecasts, wanted, rtol=1e-5)


@every_structure
def test_inputs_ahead_are_transformed_as_those_known(structure):
    network, walk = make(structure)
    known = np.array([30, 20, 15])
    ahead = np.stack([inputs[n : n + 5] for inputs, n in zip(INPUTS, known, strict=True)])
    found = network.inputs_ahead(PACKED.head(known), np.array([2, 0]), ahead[[2, 0]])
    n_lost = sum(structure.differences)
    for part, i in zip(found, (2, 0), strict=True):
        first = known[i] - n_lost
        wanted = exog_by_hand(structure)[i][first : first + 5]
        np.testing.assert_allclose(part, wanted, atol=1e-12)


def test_inputs_that_do_not_vary_have_no_effect():
    packed = PACKED._replace(inputs=np.full_like(PACKED.inputs, 3.0))
    network, walk = make(PanelStructure(), packed)
    assert (walk.z.inputs == 0).all()
    assert (network.inputs_ahead(packed, np.arange(3), np.full((3, 2, 2), 9.0)) == 0).all()


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
    packed = pack_series([*SERIES, np.full(20, 3.0)])
    network, walk = make(PanelStructure(), packed)
    assert is_constant(packed).tolist() == [False, False, False, True]
    assert network.scale[-1] == 0 and (network.scale[:-1] > 0).all()
    assert (walk.z.values[walk.z.offsets[-2] :] == 0).all()


def test_sizes_of_series_of_which_none_is_known_are_zero():
    zeros = np.zeros(3)
    np.testing.assert_array_equal(shrink_sizes(zeros, np.full(3, 20), np.ones(3)), zeros)
