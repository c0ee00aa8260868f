"""Vanishing gradients: how much of the gradient reaches the first of a hundred time steps.

The target of the adding problem is the sum of two numbers that are marked at earlier time steps.
Gradient descent can learn from an early step only if the gradient of the loss with respect to the
state of that step has not vanished. The gradient norms are those of untrained networks, so they
depend only on the cell and on the initialisation of its weights.

You learn which initialisations preserve the gradient, and how to plot it with
`GradientNormDisplay`. An LSTM stores its memory in the cell state c, not in the plotted state h:
its line drops at the last step, and only its slope before that step shows how fast the gradient
vanishes.

Writes vanishing_gradients.png.
"""

import matplotlib.pyplot as plt

from esnkit import RNNRegressor
from esnkit.datasets import make_adding
from esnkit.plotting import GradientNormDisplay

NETWORKS = {
    "plain networks": {
        "sparse, radius 1.1": {"cell": "rnn", "init": "sparse", "spectral_radius": 1.1},
        "identity, ReLU": {"cell": "rnn", "init": "identity", "activation": "relu"},
        "Glorot": {"cell": "rnn", "init": "glorot"},
        "orthogonal": {"cell": "rnn"},
        "sparse, radius 0.9": {"cell": "rnn", "init": "sparse", "spectral_radius": 0.9},
    },
    "gated networks": {
        "GRU, chrono": {"cell": "gru", "init": "chrono"},
        "LSTM, chrono": {"cell": "lstm", "init": "chrono"},
        "LSTM, Glorot": {"cell": "lstm", "init": "glorot"},
        "LSTM, orthogonal": {"cell": "lstm"},
        "GRU, orthogonal": {"cell": "gru"},
    },
}

X, y, _ = make_adding(500, 100, family="urnn", random_state=0)
figure, panels = plt.subplots(1, 2, figsize=(12, 5), layout="constrained", sharey=True)
print("gradient norm relative to the last step            at step 50  at step 0")
for axes, (kind, networks) in zip(panels, NETWORKS.items(), strict=True):
    models = {
        name: RNNRegressor(64, max_iter=0, pooling="last", random_state=0, **parameters).fit(X, y)
        for name, parameters in networks.items()
    }
    display = GradientNormDisplay.from_estimators(models, X, y, relative=True, ax=axes)
    for name, norms in display.norms.items():
        middle, first = norms[0, [50, 0]] / norms[0, -1]
        print(f"{kind:14}  {name:30}  {middle:10.1e}  {first:9.1e}")
    axes.set_title(f"{kind}, untrained", loc="left")
    axes.legend(loc="lower right", frameon=False)
    axes.label_outer()
figure.savefig("vanishing_gradients.png", dpi=150)
print("wrote vanishing_gradients.png")
