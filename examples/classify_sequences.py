"""Identify writers by their pen movements: classification of sequences of unequal length.

Ten simulated writers draw loops that differ in speed, slant and frequency ratio. A drawing is a
sequence of 25 to 89 pen positions. A reservoir turns each drawing into the mean of its states, and
a linear readout predicts the writer.

You learn how to pass a list of sequences to `ESNClassifier`, how to cross-validate it with
scikit-learn, and how to see how much of a drawing it needs.

Writes classify_sequences.png.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import ConfusionMatrixDisplay, accuracy_score
from sklearn.model_selection import cross_val_predict, train_test_split

from esnkit import ESNClassifier
from esnkit.plotting import EarlyClassificationDisplay

rng = np.random.default_rng(0)
names = np.array(["Ada", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gus", "Hana", "Ivo", "Jo"])
speeds, slants = rng.uniform(0.1, 0.25, 10), rng.uniform(-0.8, 0.8, 10)
frequency_ratios = rng.choice([1, 1.5, 2, 2.5, 3], 10)


def draw(writer):
    """Return pen positions (n_timesteps, 2) that start at a random point of the loop."""
    phase = rng.uniform(0, 2 * np.pi)
    steps = np.arange(rng.integers(25, 90))
    angle = phase + speeds[writer] * rng.normal(1, 0.05) * steps
    x, y = np.cos(angle), np.sin(frequency_ratios[writer] * angle)
    pen = np.stack([x + slants[writer] * y, y], axis=1)
    return pen + rng.normal(0, 0.03, pen.shape)


writers = np.repeat(np.arange(10), 40)
drawings = [draw(writer) for writer in writers]
y_true = names[writers]

# Many loops are symmetric about the origin. Without a bias, opposite points would have opposite
# states, which cancel in the mean.
model = ESNClassifier(
    n_units=300,
    leak_rate=0.5,
    input_scaling=1.0,
    bias_scaling=1.0,
    pooling="mean",
    random_state=0,
)
y_pred = cross_val_predict(model, drawings, y_true, cv=5)
accuracy = accuracy_score(y_true, y_pred)
print(f"accuracy in five-fold cross-validation: {accuracy:.1%} of {len(drawings)} drawings")

X_train, X_test, y_train, y_test = train_test_split(
    drawings, y_true, test_size=0.4, stratify=y_true, random_state=0
)
model.fit(X_train, y_train)
half, whole = model.predict_proba(X_test, steps=[0.5, 1.0]).swapaxes(0, 1)
for seen, probabilities in {"half of a drawing": half, "a whole drawing": whole}.items():
    share = accuracy_score(y_test, model.classes_[probabilities.argmax(axis=1)])
    print(f"accuracy from {seen}: {share:.1%} of {len(X_test)} other drawings")

figure = plt.figure(figsize=(12, 9.5), layout="constrained")
above, below = figure.subfigures(2, 1, height_ratios=(1.4, 1))
left, right = above.subfigures(1, 2, width_ratios=(1.1, 1))
for writer, axes in enumerate(left.subplots(2, 5).flat):
    first, second = np.flatnonzero(writers == writer)[:2]
    axes.plot(*drawings[second].T, linewidth=1.2, color="0.7")
    axes.plot(*drawings[first].T, linewidth=1.2, color="tab:blue")
    axes.set_aspect("equal", adjustable="box")
    axes.set_title(names[writer])
    axes.set_axis_off()
left.suptitle("two drawings by each writer")
axes = right.subplots()
ConfusionMatrixDisplay.from_predictions(
    y_true, y_pred, ax=axes, cmap="Blues", colorbar=False, xticks_rotation=45
)
axes.set(xlabel="predicted writer", ylabel="true writer")
axes.set_title(f"five-fold cross-validation, accuracy {accuracy:.1%}")
axes = below.subplots()
EarlyClassificationDisplay.from_estimator(model, X_test, y_test, ax=axes)
axes.set_title("early classification of drawings that the model was not fitted to")
figure.savefig("classify_sequences.png", dpi=150)
print("wrote classify_sequences.png")
