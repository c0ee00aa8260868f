"""Classify the sentiment of reviews in which word order matters.

A small grammar generates reviews such as "although the plot was dull , the cast was not bad at
all". A negation inverts an adjective, and only one of two clauses determines the label. For each
adjective, two of its eight phrases never occur in the training reviews; in the second test set
these unseen phrases determine the label.

You learn how to encode text as tokens, how to train a GRU with a word embedding and attention
pooling, and how to plot its attention weights. The baselines are logistic regressions on counts of
words and of groups of one to three adjacent words.

Writes classify_sentiment.png.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from esnkit import RNNClassifier, TokenEncoder

SUBJECTS = "film plot music acting ending dialogue camera cast".split()
POSITIVE = "good great charming clever moving funny".split()
NEGATIVE = "bad dull clumsy awful silly tedious".split()
PLAIN = ["was {}", "was very {}", "was really {}"]
NEGATED = ["was not {}", "was never {}", "was hardly {}", "was not very {}", "was not {} at all"]
TEMPLATES = [
    "{last}",
    "{first} but {last}",
    "although {first} , {last}",
    "{last} although {first}",
]
N_SHOWN = 10  # reviews in the picture
COLOURS = {"positive": "#0072B2", "negative": "#D55E00"}

rng = np.random.default_rng(1)
adjectives = POSITIVE + NEGATIVE
opinions = [(phrase, adjective) for adjective in adjectives for phrase in PLAIN + NEGATED]
unseen = [(rng.choice(group), adjective) for adjective in adjectives for group in (PLAIN, NEGATED)]
seen = [opinion for opinion in opinions if opinion not in unseen]


def make_reviews(n_reviews, deciding_opinions):
    """Return reviews and labels; the opinion that determines a label is one of those given."""
    reviews, labels = [], []
    for _ in range(n_reviews):
        pair = rng.choice(seen), rng.choice(deciding_opinions)
        first, last = (f"the {rng.choice(SUBJECTS)} {p.format(word)}" for p, word in pair)
        reviews.append(rng.choice(TEMPLATES).format(first=first, last=last))
        phrase, adjective = pair[1]
        is_positive = (adjective in POSITIVE) == (phrase in PLAIN)
        labels.append("positive" if is_positive else "negative")
    return reviews, np.array(labels)


def bag_of_ngrams(n_max):
    """Return a logistic regression on counts of groups of one to n_max adjacent words."""
    counts = CountVectorizer(ngram_range=(1, n_max), token_pattern=r"\S+")
    return make_pipeline(counts, LogisticRegression(max_iter=1000))


X_train, y_train = make_reviews(1500, seen)
X_seen, y_seen = make_reviews(500, seen)
X_unseen, y_unseen = make_reviews(500, unseen)
gru = RNNClassifier(
    24, cell="gru", embedding_dim=12, pooling="attention", learning_rate_init=0.01, max_iter=20,
    random_state=0,
)  # fmt: skip
models = {
    "GRU": make_pipeline(TokenEncoder("word"), gru),
    "bag of words": bag_of_ngrams(1),
    "bag of 1- to 3-grams": bag_of_ngrams(3),
}
print(
    f"test accuracy ({np.mean(y_unseen == 'negative'):.0%} negative)  seen phrases  unseen phrases"
)
for name, model in models.items():
    model.fit(X_train, y_train)
    print(
        f"{name:28}  {model.score(X_seen, y_seen):12.1%}  {model.score(X_unseen, y_unseen):14.1%}"
    )

shown = X_unseen[:N_SHOWN]
attention = gru.attention_weights(models["GRU"][0].transform(shown))
columns = {"true label": y_unseen[:N_SHOWN]}
columns |= {name: models[name].predict(shown) for name in ("GRU", "bag of words")}

figure, axes = plt.subplots(figsize=(13, 4.5), layout="constrained")
font = {"family": "monospace", "fontsize": 14, "va": "center"}
axes.text(0, 0, "attention weights of the GRU, unseen phrases", weight="bold", **font)
for row, (review, weights) in enumerate(zip(shown, attention, strict=True), start=1):
    x = 0
    for word, weight in zip(review.split(), weights, strict=True):
        box = {"facecolor": plt.cm.Blues(0.6 * weight), "edgecolor": "none", "pad": 2.5}
        axes.text(x, row, word, bbox=box, **font)
        x += len(word) + 1
for k, (name, labels) in enumerate(columns.items()):
    x = 72 + 11 * k
    axes.text(x, 0, name, weight="bold", **font)
    for row, label in enumerate(labels, start=1):
        axes.text(x, row, label, color=COLOURS[label], **font)
axes.set(xlim=(-0.5, 106), ylim=(N_SHOWN + 0.6, -0.6))
axes.set_axis_off()
figure.savefig("classify_sentiment.png", dpi=150)
print("wrote classify_sentiment.png")
