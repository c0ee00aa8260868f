"""Translate dates as people write them into ISO form, and watch where the network looks.

The dates are made up here: with names of months or without, the day first or the month first, the
year in two digits or in four, and sometimes the day of the week, which is of no use. An encoder
hears the characters, in both directions; a decoder writes the answer, one character after the
other, and for each it looks back at the characters it heard.

Writes translate_dates.png.
"""

from datetime import date, timedelta

import matplotlib.pyplot as plt
import numpy as np

from esnkit import Seq2SeqClassifier, TokenEncoder

rng = np.random.default_rng(0)
FORMS = [
    "{d:%B} {n}, {d:%Y}",
    "{d:%b} {n}, {d:%y}",
    "{n} {d:%B} {d:%Y}",
    "{n}. {d:%b} {d:%Y}",
    "{d:%A}, {n} {d:%B} {d:%Y}",
    "{d:%a} {d:%b} {n} '{d:%y}",
    "{n}{th} of {d:%B} {d:%Y}",
    "the {n}{th} of {d:%b}, {d:%y}",
    "{d:%d}.{d:%m}.{d:%Y}",
    "{n}.{d.month}.{d:%y}",
    "{d:%m}/{d:%d}/{d:%y}",
    "{d.month}/{n}/{d:%Y}",
]


def write(day, form):
    """Write a date as people do."""
    n = day.day
    th = "th" if 10 < n < 20 else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return form.format(d=day, n=n, th=th)


# A hundred years, so that two digits say which year it is.
days = [date(1940, 1, 1) + timedelta(int(k)) for k in rng.integers(0, 36_525, 5000)]
texts = [write(day, rng.choice(FORMS)) for day in days]
dates = [day.isoformat() for day in days]
heard, written = TokenEncoder().fit(texts), TokenEncoder().fit(dates)
X, y = heard.transform(texts), written.transform(dates)

model = Seq2SeqClassifier(
    n_units=64, bidirectional=True, learning_rate_init=0.005, max_iter=8, random_state=0
)
model.fit(X[:4000], y[:4000])
fresh = [k for k in range(4000, 5000) if texts[k] not in texts[:4000]]
answers = written.inverse_transform(model.predict([X[k] for k in fresh]))
right = np.mean([answer == dates[k] for answer, k in zip(answers, fresh, strict=True)])
print(f"{right:.1%} of {len(fresh)} dates that it has not seen are translated right, such as")
for answer, k in list(zip(answers, fresh, strict=True))[:8]:
    print(f"{texts[k]:>30}  ->  {answer}")

shown = ["3rd of May 1994", "Wed Nov 21 '07"]
codes = heard.transform(shown)
answers = written.inverse_transform(model.predict(codes))
looks = model.attention_weights(codes)
figure, panels = plt.subplots(1, 2, figsize=(12, 5), layout="constrained")
for axes, text, answer, look in zip(panels, shown, answers, looks, strict=True):
    edges = [np.arange(n + 1) - 0.5 for n in look.shape]
    mesh = axes.pcolormesh(*edges[::-1], look, cmap="Blues", vmin=0, vmax=1, edgecolors="white")
    axes.invert_yaxis()
    axes.set_xticks(range(len(text)), text, family="monospace", fontsize=16)
    axes.set_yticks(range(len(answer)), answer, family="monospace", fontsize=16)
    axes.tick_params(length=0, top=True, labeltop=True, bottom=False, labelbottom=False)
    axes.xaxis.set_label_position("top")
    axes.set_xlabel("heard", fontsize=13)
    axes.set_ylabel("written", fontsize=13)
    axes.spines[:].set_visible(False)
figure.colorbar(mesh, ax=panels, shrink=0.6, label="attention").outline.set_visible(False)
figure.savefig("translate_dates.png", dpi=150)
print("wrote translate_dates.png")
