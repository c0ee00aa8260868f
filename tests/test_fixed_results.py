"""Fixed configurations of every estimator, topology, cell and solver give the stored numbers.

The numbers were computed by the first release. A change of structure leaves them as they are; a
change that is meant to change them says so and stores new ones:

    python tests/test_fixed_results.py
"""

import csv
import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from esnkit import (
    ESNClassifier,
    ESNRegressor,
    Forecaster,
    Reservoir,
    ReservoirClassifier,
    ReservoirRegressor,
    RidgeReadout,
    RNNClassifier,
    RNNRegressor,
    Seq2SeqClassifier,
    effective_spectral_radius,
    rescale,
    spectral_radius,
)
from esnkit.cli import main

STORED = Path(__file__).with_name("fixed_results.json")
# Processors sum in another order; training and closed loops amplify what that changes.
TOLERANCE = 1e-9


def wave(n_timesteps, n_features=1, seed=0):
    rng = np.random.default_rng(seed)
    t = np.arange(n_timesteps)[:, None] / (3.0 + 2.0 * np.arange(n_features))
    return np.sin(t) + 0.5 * np.sin(2.3 * t) + 0.05 * rng.standard_normal((n_timesteps, n_features))


def sequences(n_sequences=12, n_features=2, seed=1):
    rng = np.random.default_rng(seed)
    X = [wave(int(n), n_features, seed=i) for i, n in enumerate(rng.integers(8, 15, n_sequences))]
    y = np.array(["slow", "fast", "mixed"])[np.arange(n_sequences) % 3]
    return [x * (1 + 0.3 * (i % 3)) for i, x in enumerate(X)], y


def tokens(n_sequences=20, seed=2):
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 4, rng.integers(2, 6)) for _ in range(n_sequences)]


def esn_open_and_closed_loop():
    s = wave(400)
    model = ESNRegressor(60, alpha=1e-3, random_state=0, washout=20).fit(s[:-1], s[1:])
    return [model.predict(s[:50])[-5:], model.generate(10), model.last_state_[0, :5]]


def esn_random_topology_and_feedback():
    u, y = wave(300, 2), wave(300, 1, seed=5)
    model = ESNRegressor(
        50, topology="random", leak_rate=(0.1, 1.0), feedback=True, feedback_scaling=0.3,
        input_density=0.7, alpha=[1e-4, 1e-2, 1.0], weights="normal", random_state=1,
    ).fit(u, y)  # fmt: skip
    future = wave(320, 2)[300:]
    return [model.predict(u[:20]), model.generate(8, exog=future[:8]), [model.readout_.alpha_]]


def esn_topologies_and_activations():
    s, parts = wave(200, 2), []
    for topology in ("diagonals", "random", "dense", "cycle"):
        for activation in ("tanh", "identity", "relu", "sigmoid"):
            model = ESNRegressor(
                30, topology=topology, activation=activation, spectral_radius=0.7, noise=1e-3,
                leak_rate=0.5, input_scaling=[0.1, 0.4], alpha=1e-2, random_state=2,
            )  # fmt: skip
            parts.append(model.fit(s[:-1], s[1:]).predict(s[:30])[-2:])
    return parts


def esn_classifier_pooled():
    X, y = sequences()
    model = ESNClassifier(40, topology="cycle", pooling="mean", washout=2, random_state=0)
    return [model.fit(X, y).predict_proba(X), model.decision_function(X)]


def esn_classifier_per_step():
    s = wave(200, 2)
    labels = np.where(s[:, 0] > 0.5, 2, np.where(s[:, 0] < -0.5, 0, 1))
    model = ESNClassifier(40, class_weight="balanced", random_state=3).fit(s, labels)
    return [model.predict_proba(s)[-5:], [model.score(s, labels)]]


def reservoir_models_with_readouts_of_scikit_learn():
    s = wave(250)
    X, y = sequences()
    regressor = ReservoirRegressor(Reservoir(40, random_state=0), Ridge(1e-3)).fit(s[:-1], s[1:])
    classifier = ReservoirClassifier(
        Reservoir(40, random_state=0), LogisticRegression(C=0.1, tol=1e-10)
    )
    return [regressor.generate(6, warmup=s), classifier.fit(X, y).predict_proba(X)]


def reservoir_states():
    s = wave(60, 3)
    reservoir = Reservoir(35, noise=0.01, random_state=4, degree=4, weights="bernoulli")
    noisy = reservoir.fit_transform(s, clamp=([1, 3], [0.2, -0.1]), initial_state=([0], [0.5]))
    return [noisy[-2:], reservoir.transform(s)[-2:], reservoir.W_.data[:5], reservoir.b_[:5]]


def radii():
    rng = np.random.default_rng(0)
    W = rng.standard_normal((150, 150)) * (rng.random((150, 150)) < 0.1)
    large = Reservoir(4200, random_state=0).fit(np.zeros((2, 1)))
    return [
        [spectral_radius(W), effective_spectral_radius(W, 0.3)], rescale(W, 0.5)[0, :20],
        large.W_.data[:3],
    ]  # fmt: skip


def ridge():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 12))
    Y = X @ rng.standard_normal((12, 2)) + 0.1 * rng.standard_normal((300, 2))
    w = rng.random((300, 2))
    parts = []
    for solver in ("auto", "gram", "qr"):
        whole = RidgeReadout([1e-3, 1.0, 10.0], solver=solver).fit(X, Y, w)
        halves = RidgeReadout(0.1, solver=solver).partial_fit(X[:100], Y[:100])
        halves.merge(RidgeReadout(0.1, solver=solver).fit(X[100:], Y[100:]))
        parts += [whole.coef_, whole.intercept_, whole.loo_scores_, halves.coef_]
    return parts


def forecaster():
    s, e = wave(240)[:, 0] + 0.01 * np.arange(240), wave(260, 1, seed=9)
    network = ESNRegressor(40, alpha=1.0, random_state=0)
    model = Forecaster(network, differences=(7,), n_ensemble=2).fit(s, exog=e[:240])
    parts = list(model.forecast(10, e[240:250], interval=0.8))
    model.update(s[-5:], e[240:245])
    result = Forecaster(random_state=0).backtest(s, 6, 3)
    direct = Forecaster(network, strategy="direct", horizon=4).fit(s)
    lagged = Forecaster(Ridge(1e-2), lags=5, differences=1).fit(s)
    return [*parts, model.forecast(5, e[245:250]), result.forecasts, direct.forecast(4),
            lagged.forecast(4)]  # fmt: skip


def command_line():
    series = wave(150)[:, 0] + 2
    with tempfile.TemporaryDirectory() as folder:
        file, out = Path(folder, "series.csv"), Path(folder, "out.csv")
        file.write_text("value\n" + "\n".join(map(repr, series.tolist())) + "\n")
        assert main(["forecast", str(file), "--column", "value", "--horizon", "5", "--units", "30",
                     "--interval", "0.8", "--out", str(out)]) == 0  # fmt: skip
        with open(out) as lines:
            return [[float(x) for x in row] for row in list(csv.reader(lines))[1:]]


# Settings of networks in the first release.
PLAIN = {
    "standardize": False, "pooling": "last", "learning_rate": "constant",
    "learning_rate_init": 1e-3, "batch_size": 32,
}  # fmt: skip


def trained(cell, solver, **params):
    X, _ = sequences()
    y = np.array([x[:3].sum() for x in X])
    # Conjugate gradients amplify rounding: one update of few iterations.
    n_iter = 1 if solver == "hessian_free" else 3
    model = RNNRegressor(
        6, cell=cell, solver=solver, max_iter=n_iter, max_cg_iter=5, random_state=0,
        **PLAIN | params,
    )  # fmt: skip
    return [model.fit(X, y).predict(X), model.loss_curve_]


def networks_adam():
    parts = trained("lstm", "adam", n_layers=2, start="learned")
    parts += trained("gru", "adam", bidirectional=True, pooling="attention")
    return parts + trained("gru", "adam", reset_after=False, early_stopping=True, init="chrono")


def networks_momentum():
    parts = trained("rnn", "sgd", init="identity", activation="relu", momentum_schedule="delayed")
    parts += trained("rnn", "sgd", pooling="mean", nesterovs_momentum=False, alpha=0.1)
    return parts + trained("lstm", "sgd", start="ones", head=None)


def networks_hessian_free():
    parts = trained("rnn", "hessian_free", init="sparse", input_scaling=0.1)
    parts += trained("lstm", "hessian_free")
    parts += trained("gru", "hessian_free")
    return parts + trained("gru", "hessian_free", reset_after=False, pooling="mean")


def network_closed_loop():
    s = wave(120)
    model = RNNRegressor(8, cell="gru", tbptt=20, max_iter=3, random_state=0, **PLAIN)
    model.fit(s[:-1], s[1:])
    stepper = model.stream()
    steps = np.array([stepper.step(x) for x in s[:20]])
    return [model.generate(5), model.predict(s, clamp=([0], [0.1]))[-3:], steps[-3:],
            model.gradient_norms(s[:-1], s[1:])[:, -3:]]  # fmt: skip


def network_classifiers():
    X, y = sequences()
    parts = []
    for cell in ("rnn", "lstm", "gru"):
        model = RNNClassifier(
            6, cell=cell, max_iter=3, class_weight="balanced", random_state=0, **PLAIN
        )
        parts.append(model.fit(X, y).predict_proba(X)[:4])
    tune = np.tile([0, 1, 2, 1], 12)
    reader = RNNClassifier(5, embedding_dim=3, max_iter=2, random_state=0, **PLAIN)
    reader = reader.fit(tune[:-1, None], tune[1:])
    return [*parts, reader.predict_proba(tune[:6, None]), reader.generate(5, random_state=0)]


def networks_by_default():
    X, y = sequences()
    X = [50 + 20 * x for x in X]
    targets = np.array([x[:3, 0].mean() for x in X]) / 20
    parts = [RNNRegressor(6, max_iter=3, random_state=0).fit(X, targets).predict(X)]
    for cell in ("rnn", "lstm", "gru"):
        model = RNNClassifier(6, cell=cell, max_iter=3, random_state=0).fit(X, y)
        parts.append(model.predict_proba(X)[:4])
    return parts


def sequence_to_sequence():
    X = tokens()
    model = Seq2SeqClassifier(6, cell="gru", bidirectional=True, max_iter=3, random_state=0)
    model.fit(X, [x[::-1] for x in X])
    return [model.loss_curve_, *model.attention_weights(X[:3]), *model.predict(X[:3])]


CONFIGURATIONS = [
    esn_open_and_closed_loop,
    esn_random_topology_and_feedback,
    esn_topologies_and_activations,
    esn_classifier_pooled,
    esn_classifier_per_step,
    reservoir_models_with_readouts_of_scikit_learn,
    reservoir_states,
    radii,
    ridge,
    forecaster,
    command_line,
    networks_adam,
    networks_momentum,
    networks_hessian_free,
    network_closed_loop,
    network_classifiers,
    networks_by_default,
    sequence_to_sequence,
]


def numbers(configuration):
    return np.concatenate([np.ravel(part).astype(float) for part in configuration()])


@pytest.mark.filterwarnings("ignore:the baseline")  # of a network of few units
@pytest.mark.parametrize("configuration", CONFIGURATIONS, ids=lambda c: c.__name__)
def test_the_stored_numbers_come_out(configuration):
    stored = np.array(json.loads(STORED.read_text())[configuration.__name__])
    found = numbers(configuration)
    assert found.shape == stored.shape
    np.testing.assert_allclose(found, stored, rtol=0, atol=TOLERANCE * np.abs(stored).max())


if __name__ == "__main__":
    table = {c.__name__: numbers(c).tolist() for c in CONFIGURATIONS}
    lines = ",\n".join(f'"{name}": {json.dumps(values)}' for name, values in table.items())
    STORED.write_text("{\n" + lines + "\n}\n")
