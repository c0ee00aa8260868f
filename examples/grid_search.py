"""Tune an echo state network inside a pipeline with scikit-learn's grid search.

NARMA-10 requires a memory of ten time steps, and products of inputs ten steps apart. The grid has
two parameters: the spectral radius controls how long the reservoir remembers, the input scaling how
nonlinear it is. Four folds in the order of time select the best pair.

You learn how to combine `ESNRegressor` with `GridSearchCV` and `TimeSeriesSplit`. Every fold starts
from the zero state, so the first `washout` steps are excluded from training and scoring.

Writes grid_search.png.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from esnkit import ESNRegressor
from esnkit.datasets import make_narma
from esnkit.metrics import nrmse

RADII = [0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 1.0]
SCALINGS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0]

u, y = make_narma(4000, order=10, random_state=0)
train, test = slice(0, 3000), slice(3000, 4000)

pipeline = make_pipeline(
    StandardScaler(), ESNRegressor(n_units=200, bias_scaling=0.2, washout=50, random_state=0)
)
search = GridSearchCV(
    pipeline,
    {"esnregressor__spectral_radius": RADII, "esnregressor__input_scaling": SCALINGS},
    cv=TimeSeriesSplit(4),
    n_jobs=2,
).fit(u[train], y[train])
# Predicting all steps lets the state at the first test step follow from the training steps.
y_pred = search.predict(u)
error = nrmse(y[test], y_pred[test])
print("best parameters:", search.best_params_)
print(f"NRMSE (std) on the 1000 test steps: {error:.3f}")

# GridSearchCV iterates over the parameters in alphabetical order: scaling, then radius.
scores = search.cv_results_["mean_test_score"].reshape(len(SCALINGS), len(RADII))
figure, (heatmap, lines) = plt.subplots(1, 2, figsize=(12, 5), layout="constrained")
image = heatmap.imshow(scores, origin="lower", cmap="viridis")
heatmap.set_xticks(range(len(RADII)), RADII)
heatmap.set_yticks(range(len(SCALINGS)), SCALINGS)
heatmap.set(xlabel="spectral radius", ylabel="input scaling")
heatmap.set_title("mean R² over four folds (star: best)")
row, column = np.unravel_index(scores.argmax(), scores.shape)
heatmap.scatter(column, row, marker="*", s=200, color="white", edgecolor="black")
figure.colorbar(image, ax=heatmap, shrink=0.8)
steps, last = np.arange(900, 1000), slice(3900, 4000)
lines.plot(steps, y[last], color="0.6", linewidth=2.5, label="observed")
lines.plot(steps, y_pred[last], color="tab:blue", linewidth=1.2, label="predicted, best network")
lines.set(xlabel="test step", ylabel="NARMA-10 series")
lines.set_title(f"last 100 of 1000 test steps (NRMSE of all: {error:.3f})")
lines.legend(frameon=False)
for axes in (lines, heatmap):
    axes.spines[["top", "right"]].set_visible(False)
figure.savefig("grid_search.png", dpi=150)
print("wrote grid_search.png")
