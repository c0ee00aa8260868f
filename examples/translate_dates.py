"""Translate written dates into ISO form with an encoder-decoder network and attention.

The dates are simulated: months as names or numbers, day or month first, years of two or four
digits, and sometimes the day of the week, which is irrelevant. A bidirectional encoder reads the
characters of a date; a decoder writes the ISO date character by character, and its attention
weights the encoder states at each of them.

You learn how to train a `Seq2SeqClassifier` on pairs of token sequences, and how to plot which
input characters each output character depends on.

Writes translate_dates.png.
"""

from datetime import date, timedelta

import matplotlib.pyplot as plt
import numpy as np

from esnkit import Seq2SeqClassifier, TokenEncoder

FORMATS = [
    "{d:%B} {n}, {d:%Y}",
    "{d:%b} {n}, {d:%y}",
    "{n} {d:%B} {d:%Y}",
    "{n}. {d:%b} {d:%Y}",
    "{d:%A}, {n} {d:%B} {d:%Y}",
    "{d:%a} {d:%b} {n} '{d:%y}",
    "{n}{suffix} of {d:%B} {d:%Y}",
    "the {n}{suffix} of {d:%b}, {d:%y}",
    "{d:%d}.{d:%m}.{d:%Y}",
    "{n}.{d.month}.{d:%y}",
    "{d:%m}/{d:%d}/{d:%y}",
    "{d.month}/{n}/{d:%Y}",
]
N_TRAIN, N_DATES = 4000, 5000
rng = np.random.default_rng(0)


def write(day, date_format):
    """Return a date as text; `n` is the day of the month without a leading zero."""
    n = day.day
    suffix = "th" if 10 < n < 20 else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return date_format.format(d=day, n=n, suffix=suffix)


# The range is a hundred years, so that two digits determine the year.
days = [date(1940, 1, 1) + timedelta(int(k)) for k in rng.integers(0, 36_525, N_DATES)]
texts = [write(day, rng.choice(FORMATS)) for day in days]
iso_dates = [day.isoformat() for day in days]
input_encoder, output_encoder = TokenEncoder().fit(texts), TokenEncoder().fit(iso_dates)
X, y = input_encoder.transform(texts), output_encoder.transform(iso_dates)

model = Seq2SeqClassifier(
    n_units=64, bidirectional=True, learning_rate_init=0.005, max_iter=8, random_state=0
)
model.fit(X[:N_TRAIN], y[:N_TRAIN])
test = [k for k in range(N_TRAIN, N_DATES) if texts[k] not in texts[:N_TRAIN]]
predictions = output_encoder.inverse_transform(model.predict([X[k] for k in test]))
accuracy = np.mean([text == iso_dates[k] for text, k in zip(predictions, test, strict=True)])
print(f"test accuracy: {accuracy:.1%} of {len(test)} dates that are not in the training set")
for k, prediction in list(zip(test, predictions, strict=True))[:8]:
    print(f"{texts[k]:>30}  ->  {prediction}")

shown = ["3rd of May 1994", "Wed Nov 21 '07"]
codes = input_encoder.transform(shown)
outputs = output_encoder.inverse_transform(model.predict(codes))
figure, panels = plt.subplots(1, 2, figsize=(12, 5), layout="constrained")
for axes, text, output, weights in zip(
    panels, shown, outputs, model.attention_weights(codes), strict=True
):
    row_edges, column_edges = (np.arange(n + 1) - 0.5 for n in weights.shape)
    mesh = axes.pcolormesh(
        column_edges, row_edges, weights, cmap="Blues", vmin=0, vmax=1, edgecolors="white"
    )
    axes.invert_yaxis()
    axes.set_xticks(range(len(text)), text, family="monospace", fontsize=16)
    axes.set_yticks(range(len(output)), output, family="monospace", fontsize=16)
    axes.tick_params(length=0, top=True, labeltop=True, bottom=False, labelbottom=False)
    axes.xaxis.set_label_position("top")
    axes.set_xlabel("input", fontsize=13)
    axes.set_ylabel("output", fontsize=13)
    axes.spines[:].set_visible(False)
colorbar = figure.colorbar(mesh, ax=panels, shrink=0.6, label="attention weight")
colorbar.outline.set_visible(False)
figure.savefig("translate_dates.png", dpi=150)
print("wrote translate_dates.png")
