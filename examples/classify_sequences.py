"""Name who drew a loop by how the pen moved: sequences of unequal length.

Ten made-up writers draw loops that differ in speed, in slant and in how the pen trembles. Every
drawing is a sequence of pen positions, long or short. One reservoir turns each into the mean of its
states, a linear readout names the writer.

Writes classify_sequences.png.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.model_selection import cross_val_predict

from esnkit import ESNClassifier

rng = np.random.default_rng(0)
names = np.array(["Ada", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gus", "Hana", "Ivo", "Jo"])
speeds, slants = rng.uniform(0.1, 0.25, 10), rng.uniform(-0.8, 0.8, 10)
ratios = rng.choice([1, 1.5, 2, 2.5, 3], 10)


def draw(writer):
    """Return pen positions (n_timesteps, 2), begun anywhere on the loop."""
    phase = rng.uniform(0, 2 * np.pi)
    steps = np.arange(rng.integers(25, 90))
    angle = phase + speeds[writer] * rng.normal(1, 0.05) * steps
    x, y = np.cos(angle), np.sin(ratios[writer] * angle)
    pen = np.stack([x + slants[writer] * y, y], axis=1)
    return pen + rng.normal(0, 0.03, pen.shape)


writers = np.repeat(np.arange(10), 40)
drawings = [draw(writer) for writer in writers]
labels = names[writers]

# Loops are the same upside down; without a bias the mean of their states would be near zero.
model = ESNClassifier(
    n_units=300,
    leak_rate=0.5,
    input_scaling=1.0,
    bias_scaling=1.0,
    pooling="mean",
    random_state=0,
)
answers = cross_val_predict(model, drawings, labels, cv=5)
print(f"{np.mean(answers == labels):.1%} of {len(labels)} drawings were named right")

figure = plt.figure(figsize=(12, 5.5), layout="constrained")
left, right = figure.subfigures(1, 2, width_ratios=(1.1, 1))
for writer, axes in enumerate(left.subplots(2, 5).flat):
    for n, colour in zip(np.flatnonzero(writers == writer)[:2], ("tab:blue", "0.7"), strict=True):
        axes.plot(*drawings[n].T, linewidth=1.2, color=colour, zorder=colour == "tab:blue")
    axes.set_aspect("equal", adjustable="datalim")
    axes.set_title(names[writer])
    axes.set_axis_off()
left.suptitle("two drawings of each writer, the first in blue")
axes = right.subplots()
ConfusionMatrixDisplay.from_predictions(
    labels, answers, ax=axes, cmap="Blues", colorbar=False, xticks_rotation=45
)
axes.set(xlabel="named", ylabel="drawn by", title="five-fold cross-validation")
figure.savefig("classify_sequences.png", dpi=150)
print("wrote classify_sequences.png")
