"""Label every step of a noisy signal: a blip that goes away, or a shift that stays?

Now and then the level of a made-up sensor jumps. After a blip it comes back within twelve steps,
after a shift it stays. The first steps of both look the same, so a network that only hears the past
has to guess there; one of two directions has heard how it ends. Both are LSTMs with a softmax at
every step, and are tried on signals that they have not seen.

Writes label_every_step.png.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap

from esnkit import RNNClassifier

NAMES, COLOURS = np.array(["calm", "blip", "shift"]), ["0.88", "#E69F00", "#0072B2"]
N_STEPS, LONGEST = 150, 12
rng = np.random.default_rng(0)


def make_signal():
    """Return values (n_steps, 1), labels, and how many steps ago the level last jumped."""
    level = np.full(N_STEPS, rng.normal())
    labels, since = np.zeros(N_STEPS, dtype=int), np.full(N_STEPS, N_STEPS)
    start = rng.integers(5, 25)
    while start < N_STEPS - LONGEST:
        stays = rng.random() < 0.5
        stop = start + (LONGEST if stays else rng.integers(3, LONGEST + 1))
        level[start : None if stays else stop] += rng.choice([-1, 1]) * rng.uniform(1, 2)
        labels[start:stop] = 1 + stays
        since[start:] = np.arange(N_STEPS - start)
        start = stop + rng.integers(8, 30)
    return (level + rng.normal(0, 0.25, N_STEPS))[:, None], NAMES[labels], since


X, y, since = (np.stack(part) for part in zip(*(make_signal() for _ in range(400)), strict=True))
train, test = slice(0, 300), slice(300, 400)
settings = {"max_iter": 30, "learning_rate_init": 0.02, "random_state": 0}
models = {
    "past alone": RNNClassifier(48, **settings),
    "past and future": RNNClassifier(24, bidirectional=True, **settings),
}
answers = {name: model.fit(X[train], y[train]).predict(X[test]) for name, model in models.items()}
jumped = y[test] != "calm"
print(f"{y[test].size} steps of unseen signals      all of them  after jumps")
for name, answer in {"always calm": np.full(y[test].shape, "calm"), **answers}.items():
    right = answer == y[test]
    print(f"{name:15} labels rightly {right.mean():15.1%}  {right[jumped].mean():11.1%}")

figure, axes = plt.subplot_mosaic(
    [["signal", "curve"], ["labels", "curve"]],
    figsize=(13, 5),
    width_ratios=(2, 1),
    height_ratios=(2, 1),
    layout="constrained",
)
axes["signal"].plot(X[test][0], color="0.3", linewidth=1.2)
axes["signal"].set_title("an unseen signal", loc="left")
axes["signal"].set(xlim=(-0.5, N_STEPS - 0.5), xticks=[])
rows = {"truth": y[test], **answers}
strips = np.array([np.argmax(row[0][:, None] == NAMES, axis=1) for row in rows.values()])
axes["labels"].imshow(strips, cmap=ListedColormap(COLOURS), aspect="auto", interpolation="none")
axes["labels"].set_yticks(range(3), rows)
axes["labels"].hlines([0.5, 1.5], -0.5, N_STEPS - 0.5, color="white", linewidth=6)
axes["labels"].set_xlabel("time step")
for name, colour in zip(NAMES, COLOURS, strict=True):
    axes["signal"].fill_between([], [], [], color=colour, label=name)
axes["signal"].legend(ncols=3, frameon=False, loc="lower right", bbox_to_anchor=(1, 1))
for (name, answer), colour in zip(answers.items(), ("0.5", "#009E73"), strict=True):
    right = [np.mean((answer == y[test])[jumped & (since[test] == k)]) for k in range(LONGEST)]
    axes["curve"].plot(right, "o-", color=colour, label=name)
axes["curve"].set(xlabel="steps since the jump", ylim=(0, 1.02))
axes["curve"].set_title("share of right labels", loc="left")
axes["curve"].legend(frameon=False, loc="lower right")
for one in axes.values():
    one.spines[["top", "right"]].set_visible(False)
figure.savefig("label_every_step.png", dpi=150)
print("wrote label_every_step.png")
