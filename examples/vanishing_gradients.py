"""See the gradient vanish: how much of it comes back to the first of a hundred steps.

The adding problem asks at its last step for the sum of two numbers that were marked long before.
A network can learn of an early step only what its gradient still holds when it has come back to
that step. It is measured here before any training, so that all depends on the kind of unit and on
how its weights are drawn. An LSTM keeps its memory in cells, so the line of its units h falls at
once to what they pass on themselves; how level it is from there on is what counts.

Writes vanishing_gradients.png.
"""

import matplotlib.pyplot as plt

from esnkit import RNNRegressor
from esnkit.datasets import make_adding
from esnkit.plotting import GradientNormDisplay

NETWORKS = {
    "plain": {
        "sparse, radius 1.1": {"cell": "rnn", "init": "sparse", "spectral_radius": 1.1},
        "identity, ReLU": {"cell": "rnn", "init": "identity", "activation": "relu"},
        "Glorot": {"cell": "rnn", "init": "glorot"},
        "orthogonal": {"cell": "rnn"},
        "sparse, radius 0.9": {"cell": "rnn", "init": "sparse", "spectral_radius": 0.9},
    },
    "gated": {
        "GRU, chrono": {"cell": "gru", "init": "chrono"},
        "LSTM, chrono": {"cell": "lstm", "init": "chrono"},
        "LSTM, Glorot": {"cell": "lstm", "init": "glorot"},
        "LSTM, orthogonal": {"cell": "lstm"},
        "GRU, orthogonal": {"cell": "gru"},
    },
}

X, y, _ = make_adding(500, 100, family="urnn", random_state=0)
figure, panels = plt.subplots(1, 2, figsize=(12, 5), layout="constrained", sharey=True)
print("share of the last step's gradient that arrives  at step 50  at step 0")
for axes, (kind, variants) in zip(panels, NETWORKS.items(), strict=True):
    models = {
        name: RNNRegressor(64, max_iter=0, random_state=0, **options).fit(X, y)
        for name, options in variants.items()
    }
    display = GradientNormDisplay.from_estimators(models, X, y, relative=True, ax=axes)
    for name, norms in display.norms.items():
        middle, first = norms[0, [50, 0]] / norms[0, -1]
        print(f"{kind:5}  {name:39}  {middle:10.1e}  {first:9.1e}")
    axes.set_title(f"{kind} units, untrained", loc="left")
    axes.legend(loc="lower right", frameon=False)
    axes.label_outer()
figure.savefig("vanishing_gradients.png", dpi=150)
print("wrote vanishing_gradients.png")
