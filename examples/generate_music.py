"""Generate melodies with a GRU trained on eleven traditional tunes.

The tunes are in the public domain. Their notation is a simplified ABC: a note is a pitch, followed
by its length in quarter notes if that is not one. Each tune is transposed to all twelve keys. The
first token of a sequence is the key, and the network predicts each next token until the token that
ends the tune.

You learn how to train a language model on tokens and how to sample from it with `generate`. Two
held-out tunes measure the accuracy of the next token, and the share of generated bars with four
beats measures whether the network has learned the metre. The baseline is a bigram model, which
knows only the previous token.

Writes generate_music.png.
"""

import re

import matplotlib.pyplot as plt
import numpy as np

from esnkit import RNNClassifier, TokenEncoder

TUNES = {
    "Ah! vous dirai-je, maman": "C C G G|A A G2|F F E E|D D C2|G G F F|E E D2|G G F F|E E D2|"
    "C C G G|A A G2|F F E E|D D C2",
    "Frère Jacques": "C D E C|C D E C|E F G2|E F G2|G/ A/ G/ F/ E C|G/ A/ G/ F/ E C|C G, C2|"
    "C G, C2",
    "Mary Had a Little Lamb": "E D C D|E E E2|D D D2|E G G2|E D C D|E E E E|D D E D|C4",
    "London Bridge": "G3/ A/ G F|E F G2|D E F2|E F G2|G3/ A/ G F|E F G2|D2 G2|E C3",
    "Au clair de la lune": "C C C D|E2 D2|C E D D|C4|C C C D|E2 D2|C E D D|C4|"
    "D D D D|A,2 A,2|D C B, A,|G,4|C C C D|E2 D2|C E D D|C4",
    "Hänschen klein": "G E E2|F D D2|C D E F|G G G2|G E E2|F D D2|C E G G|C4|"
    "D D D D|D E F2|E E E E|E F G2|G E E2|F D D2|C E G G|C4",
    "Yankee Doodle": "C C D E|C E D2|C C D E|C2 B,2|C C D E|F E D C|B, G, A, B,|C2 C2",
    "Hot Cross Buns": "E2 D2|C4|E2 D2|C4|C C C C|D D D D|E2 D2|C4",
    "Old MacDonald": "C C C G,|A, A, G,2|E E D D|C3 G,|C C C G,|A, A, G,2|E E D D|C4",
    "Alle meine Entchen": "C D E F|G2 G2|A A A A|G4|A A A A|G4|F F F F|E2 E2|D D D D|C4",
    "Go Tell Aunt Rhody": "E2 E D|C2 C2|D2 D2|F E D C|G2 G F|E2 E2|D C D E|C4",
}
NAMES = "C ^C D ^D E F ^F G ^G A ^A B".split()
BEATS = {"": 1, "/": 0.5, "3/": 1.5, "2": 2, "3": 3, "4": 4}
N_HELD_OUT, MAX_TOKENS = 2, 150


def parse(note):
    """Return the pitch in semitones above middle C, and the length as it is written."""
    name, octave, length = re.fullmatch(r"(\^?[A-G])([,']?)([\d/]*)", note).groups()
    return NAMES.index(name) + {",": -12, "": 0, "'": 12}[octave], length


def transpose(tune, key):
    """Return the tokens of a tune in a key: the key, notes and bar lines, the end."""

    def transpose_note(match):
        pitch, length = parse(match[0])
        octave, name = divmod(pitch + key, 12)
        return NAMES[name] + {-1: ",", 0: "", 1: "'"}[octave] + length

    notes = re.sub(r"[A-G][^ |]*", transpose_note, tune).replace("|", " | ")
    return f"K:{NAMES[key]} {notes} end"


def count_beats(tune):
    """Return the number of beats of each bar."""
    return [sum(BEATS[parse(note)[1]] for note in bar.split()) for bar in tune.split("|")]


def decode(codes):
    """Return the tune of these tokens, up to the token that ends it."""
    return encoder.inverse_transform([codes])[0].split(" end")[0]


def longest_copy(tune):
    """Return the largest number of consecutive notes that also occur in a training tune."""
    corpus, notes = " ".join(train_texts).replace("| ", ""), tune.replace("| ", "").split()
    spans = [(i, j) for i in range(len(notes)) for j in range(i + 1, len(notes) + 1)]
    return max(j - i for i, j in spans if " ".join(notes[i:j]) in corpus)


def sample_bigrams(code):
    """Return the tokens that the bigram model draws after a first token."""
    codes = [code]
    while len(codes) < MAX_TOKENS and bigrams[codes[-1]].any():
        counts = bigrams[codes[-1]]
        codes.append(rng.choice(len(counts), p=counts / counts.sum()))
    return codes[1:]


texts = [transpose(tune, key) for tune in TUNES.values() for key in range(12)]
train_texts, test_texts = texts[: -12 * N_HELD_OUT], texts[-12 * N_HELD_OUT :]
encoder = TokenEncoder("word").fit(texts)
network = RNNClassifier(
    96, cell="gru", embedding_dim=24, n_tokens=encoder.n_tokens_, batch_size=16,
    learning_rate_init=0.01, max_iter=40, random_state=0,
)  # fmt: skip
# The target of each token is the next one.
X, y = zip(*((codes[:-1], codes[1:, 0]) for codes in encoder.transform(train_texts)), strict=True)
X_test, y_test = zip(
    *((codes[:-1], codes[1:, 0]) for codes in encoder.transform(test_texts)), strict=True
)
network.fit(X, y)
bigrams = np.zeros((encoder.n_tokens_, encoder.n_tokens_))
np.add.at(bigrams, (np.concatenate(X)[:, 0], np.concatenate(y)), 1)

rng = np.random.default_rng(0)
generated = {"GRU": [], "bigram model": []}
for key, name in enumerate(NAMES):
    code = encoder.vocabulary_[f"K:{name}"]
    codes = network.generate(MAX_TOKENS, warmup=[[code]], temperature=1.0, random_state=key)
    generated["GRU"].append(decode(codes))
    generated["bigram model"].append(decode(sample_bigrams(code)))
predictions = {
    "GRU": np.concatenate(network.predict(X_test)),
    "bigram model": bigrams[np.concatenate(X_test)[:, 0]].argmax(axis=1),
}
print("              next-token accuracy, held-out tunes  generated bars with four beats")
for name, y_pred in predictions.items():
    accuracy = np.mean(y_pred == np.concatenate(y_test))
    beats = np.concatenate([count_beats(tune) for tune in generated[name]])
    print(f"{name:12}  {accuracy:35.0%}  {np.mean(beats == 4):30.0%}")

# The picture shows the longest generated tune in which every bar has four beats.
best = max((tune for tune in generated["GRU"] if set(count_beats(tune)) == {4}), key=len)
key = generated["GRU"].index(best)
n_notes = len(best.replace("| ", "").split())
print(f"\nK:{NAMES[key]}\n{best}")
print(f"({n_notes} notes; at most {longest_copy(best)} in a row also occur in a training tune)\n")

figure, panels = plt.subplots(
    2, 1, figsize=(12, 6.5), layout="constrained", sharex=True, sharey=True
)
training_tune = train_texts[12 * list(TUNES).index("Mary Had a Little Lamb") + key][4:-4]
titles = {training_tune: "training tune: Mary Had a Little Lamb", best: "generated by the GRU"}
shown = set()
for axes, (tune, title) in zip(panels, titles.items(), strict=True):
    pitches, lengths = zip(*map(parse, tune.replace("| ", "").split()), strict=True)
    shown.update(pitches)
    beats = np.array([BEATS[length] for length in lengths])
    axes.barh(pitches, beats - 0.1, left=np.cumsum(beats) - beats, height=0.8, color="#0072B2")
    for end in np.cumsum(count_beats(tune)):
        axes.axvline(end - 0.05, color="0.85", linewidth=1, zorder=0)
    axes.set_title(title, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
ticks = sorted(shown)
labels = [re.sub(r"\^(.)", r"\1♯", NAMES[pitch % 12]) + str(4 + pitch // 12) for pitch in ticks]
figure.supylabel("note and octave")
axes.set_yticks(ticks, labels)
axes.set_xlabel("beats (vertical lines: ends of bars)")
figure.savefig("generate_music.png", dpi=150)
print("wrote generate_music.png")
