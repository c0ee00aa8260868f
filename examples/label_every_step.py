"""Label every step of a noisy signal: a blip, or a lasting shift of the level?

The level of a simulated sensor jumps now and then. After a blip it returns within twelve steps;
after a shift it stays. The first steps of both look the same, so a unidirectional network can only
guess there; a bidirectional network also reads the steps that follow.

You learn how to train an `RNNClassifier` with one label per time step, and how much a bidirectional
LSTM gains over a unidirectional one, as a function of the time since the jump.

Writes label_every_step.png.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap

from esnkit import RNNClassifier

CLASSES, COLOURS = np.array(["normal", "blip", "shift"]), ["0.88", "#E69F00", "#0072B2"]
N_STEPS, MAX_EVENT_STEPS = 150, 12
rng = np.random.default_rng(0)


def make_signal():
    """Return values (n_steps, 1), labels (n_steps,) and the steps since the last jump (n_steps,).

    The first `MAX_EVENT_STEPS` steps of a shift have its label; then the new level is normal.
    """
    level = np.full(N_STEPS, rng.normal())
    codes, since_jump = np.zeros(N_STEPS, dtype=int), np.full(N_STEPS, N_STEPS)
    start = rng.integers(5, 25)
    while start < N_STEPS - MAX_EVENT_STEPS:
        is_shift = rng.random() < 0.5
        stop = start + (MAX_EVENT_STEPS if is_shift else rng.integers(3, MAX_EVENT_STEPS + 1))
        level[start : None if is_shift else stop] += rng.choice([-1, 1]) * rng.uniform(1, 2)
        codes[start:stop] = 1 + is_shift
        since_jump[start:] = np.arange(N_STEPS - start)
        start = stop + rng.integers(8, 30)
    return (level + rng.normal(0, 0.25, N_STEPS))[:, None], CLASSES[codes], since_jump


signals = [make_signal() for _ in range(400)]
X, y, since_jump = (np.stack(arrays) for arrays in zip(*signals, strict=True))
train, test = slice(0, 300), slice(300, 400)
y_test, since_jump = y[test], since_jump[test]
settings = {"max_iter": 30, "learning_rate_init": 0.02, "random_state": 0}
models = {
    "unidirectional": RNNClassifier(48, **settings),
    "bidirectional": RNNClassifier(24, bidirectional=True, **settings),
}
predictions = {
    name: model.fit(X[train], y[train]).predict(X[test]) for name, model in models.items()
}
is_event = y_test != "normal"
print(f"accuracy on {y_test.size} test steps  all steps  blips and shifts")
for name, y_pred in {"always normal": np.full(y_test.shape, "normal"), **predictions}.items():
    correct = y_pred == y_test
    print(f"{name:28}  {correct.mean():10.1%}  {correct[is_event].mean():16.1%}")

figure, axes = plt.subplot_mosaic(
    [["signal", "curve"], ["labels", "curve"]],
    figsize=(13, 5),
    width_ratios=(2, 1),
    height_ratios=(2, 1),
    layout="constrained",
)
axes["signal"].plot(X[test][0], color="0.3", linewidth=1.2)
axes["signal"].set_title("a test signal", loc="left")
axes["signal"].set(xlim=(-0.5, N_STEPS - 0.5), xticks=[])
rows = {"true labels": y_test, **predictions}
strips = np.array([np.argmax(labels[0][:, None] == CLASSES, axis=1) for labels in rows.values()])
axes["labels"].imshow(strips, cmap=ListedColormap(COLOURS), aspect="auto", interpolation="none")
axes["labels"].set_yticks(range(3), rows)
axes["labels"].hlines([0.5, 1.5], -0.5, N_STEPS - 0.5, color="white", linewidth=6)
axes["labels"].set_xlabel("time step")
for name, colour in zip(CLASSES, COLOURS, strict=True):
    axes["signal"].fill_between([], [], [], color=colour, label=name)
axes["signal"].legend(ncols=3, frameon=False, loc="lower right", bbox_to_anchor=(1, 1))
for (name, y_pred), colour in zip(predictions.items(), ("0.5", "#009E73"), strict=True):
    correct = y_pred == y_test
    accuracy = [correct[is_event & (since_jump == k)].mean() for k in range(MAX_EVENT_STEPS)]
    axes["curve"].plot(accuracy, "o-", color=colour, label=name)
axes["curve"].set(xlabel="steps since the jump", ylim=(0, 1.02))
axes["curve"].set_title("accuracy during blips and shifts", loc="left")
axes["curve"].legend(frameon=False, loc="lower right")
for panel in axes.values():
    panel.spines[["top", "right"]].set_visible(False)
figure.savefig("label_every_step.png", dpi=150)
print("wrote label_every_step.png")
