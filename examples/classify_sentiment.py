"""Tell praise from blame where the order of the words decides.

A small grammar writes reviews such as "although the plot was dull , the cast was not bad at all":
negations turn a word round, and of two clauses one counts. A GRU reads word by word, through
vectors that it learns for them, and pools its states by attention. Counts of words, or of groups of
up to three neighbours, go to a logistic regression for comparison. Two of the eight phrases that
each adjective can stand in never occur with it in training; new reviews are decided by them.

Writes classify_sentiment.png.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from esnkit import RNNClassifier, TokenEncoder

SUBJECTS = "film plot music acting ending dialogue camera cast".split()
GOOD = "good great charming clever moving funny".split()
BAD = "bad dull clumsy awful silly tedious".split()
PLAIN = ["was {}", "was very {}", "was really {}"]
NEGATED = ["was not {}", "was never {}", "was hardly {}", "was not very {}", "was not {} at all"]
JOINTS = ["{last}", "{first} but {last}", "although {first} , {last}", "{last} although {first}"]
rng = np.random.default_rng(1)
opinions = [(phrase, word) for word in GOOD + BAD for phrase in PLAIN + NEGATED]
unseen = [(rng.choice(phrases), word) for word in GOOD + BAD for phrases in (PLAIN, NEGATED)]
seen = [opinion for opinion in opinions if opinion not in unseen]


def write(n_reviews, deciding):
    """Return reviews, of which some of these opinions decide, and what they are."""
    reviews, verdicts = [], []
    for _ in range(n_reviews):
        opinions = rng.choice(seen), rng.choice(deciding)
        first, last = (f"the {rng.choice(SUBJECTS)} {p.format(word)}" for p, word in opinions)
        reviews.append(rng.choice(JOINTS).format(first=first, last=last))
        phrase, word = opinions[1]
        verdicts.append("praise" if (word in GOOD) == (phrase in PLAIN) else "blame")
    return reviews, np.array(verdicts)


def count(longest):
    """Return a classifier that counts groups of words."""
    counts = CountVectorizer(ngram_range=(1, longest), token_pattern=r"\S+")
    return make_pipeline(counts, LogisticRegression(max_iter=1000))


(X, y), (X_seen, y_seen), (X_new, y_new) = write(1500, seen), write(500, seen), write(500, unseen)
reader = {"cell": "gru", "embedding_dim": 12, "pooling": "attention"}
network = RNNClassifier(24, **reader, learning_rate_init=0.01, max_iter=20, random_state=0)
models = {
    "GRU": make_pipeline(TokenEncoder("word"), network),
    "words": count(1),
    "triples": count(3),
}
print(f"fresh reviews, {np.mean(y_new == 'blame'):.0%} blame   known combinations  new ones")
for name, model in models.items():
    model.fit(X, y)
    print(f"{name:31}  {model.score(X_seen, y_seen):17.1%}  {model.score(X_new, y_new):8.1%}")

shown = X_new[:10]
attention = network.attention_weights(models["GRU"][0].transform(shown))
answers = {"truth": y_new[:10]} | {name: models[name].predict(shown) for name in ("GRU", "words")}
figure, axes = plt.subplots(figsize=(13, 4.5), layout="constrained")
font = {"family": "monospace", "fontsize": 13, "va": "center"}
axes.text(0, 0, "where the GRU looks in new reviews", weight="bold", **font)
for row, (review, weights) in enumerate(zip(shown, attention, strict=True), start=1):
    place = 0
    for word, weight in zip(review.split(), weights, strict=True):
        box = {"facecolor": plt.cm.Blues(0.6 * weight), "edgecolor": "none", "pad": 2.5}
        axes.text(place, row, word, bbox=box, **font)
        place += len(word) + 1
colours = {"praise": "#0072B2", "blame": "#D55E00"}
for k, (name, answer) in enumerate(answers.items()):
    axes.text(72 + 9 * k, 0, name, weight="bold", **font)
    for row, verdict in enumerate(answer, start=1):
        axes.text(72 + 9 * k, row, verdict, color=colours[verdict], **font)
axes.set(xlim=(-0.5, 98), ylim=(10.6, -0.6))
axes.set_axis_off()
figure.savefig("classify_sentiment.png", dpi=150)
print("wrote classify_sentiment.png")
