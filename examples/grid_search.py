"""Choose the settings of a network inside a pipeline with scikit-learn's own grid search.

NARMA-10 asks for ten steps of memory and for products of inputs that lie ten steps apart. The grid
tries how far the reservoir remembers (`spectral_radius`) against how nonlinear it is (the larger
the inputs, the more), and four folds that never look ahead say what is best. Every fold starts from
the state zero, so the first steps, `washout` of them, are neither taught nor scored.

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

u, y = make_narma(4000, order=10, random_state=0)
train, test = slice(0, 3000), slice(3000, 4000)

pipeline = make_pipeline(
    StandardScaler(), ESNRegressor(n_units=200, bias_scaling=0.2, washout=50, random_state=0)
)
radii, scalings = [0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 1.0], [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0]
search = GridSearchCV(
    pipeline,
    {"esnregressor__spectral_radius": radii, "esnregressor__input_scaling": scalings},
    cv=TimeSeriesSplit(4),
    n_jobs=2,
).fit(u[train], y[train])
error = nrmse(y[test], search.predict(u)[test])
print("best settings:", search.best_params_)
print(f"NRMSE (by the standard deviation) on the 1000 steps after training: {error:.3f}")

# GridSearchCV runs through the parameters in the order of their names: scaling, then radius.
scores = search.cv_results_["mean_test_score"].reshape(len(scalings), len(radii))
figure, (heat, line) = plt.subplots(1, 2, figsize=(12, 5), layout="constrained")
image = heat.imshow(scores, origin="lower", cmap="viridis")
heat.set_xticks(range(len(radii)), radii)
heat.set_yticks(range(len(scalings)), scalings)
heat.set(xlabel="spectral radius", ylabel="input scaling", title="R² over four folds")
row, column = np.unravel_index(scores.argmax(), scores.shape)
heat.scatter(column, row, marker="*", s=200, color="white", edgecolor="black")
figure.colorbar(image, ax=heat, shrink=0.8)
steps, last = np.arange(900, 1000), slice(3900, 4000)
line.plot(steps, y[last], color="0.6", linewidth=2.5, label="NARMA-10")
line.plot(steps, search.predict(u)[last], color="tab:blue", linewidth=1.2, label="best network")
line.set(xlabel="time step", title=f"the last of 1000 unseen steps, NRMSE of all {error:.3f}")
line.legend(frameon=False)
for axes in (line, heat):
    axes.spines[["top", "right"]].set_visible(False)
figure.savefig("grid_search.png", dpi=150)
print("wrote grid_search.png")
