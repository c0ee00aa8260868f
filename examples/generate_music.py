"""Let a network that has heard a few traditional tunes make up one of its own.

The tunes, all traditional and free to use, stand in ABC notation: pitch, then length in quarter
notes if it is not one. Each is heard in twelve keys. The first token says the key, and the network
tells the rest, one token after the other, until it says that the tune ends. Two tunes are kept to
see how often it foresees the next token, and the bars that it makes up are counted: do they hold
four beats? A table of what followed what, which knows only the token before, is the baseline.

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


def parse(note):
    """Return the pitch in half tones and the length of a note, as it is written."""
    name, octave, length = re.fullmatch(r"(\^?[A-G])([,']?)([\d/]*)", note).groups()
    return NAMES.index(name) + {",": -12, "": 0, "'": 12}[octave], length


def transpose(tune, key):
    """Return the tokens of a tune in a key: the key, notes and bar lines, the end."""

    def move(match):
        pitch, length = parse(match[0])
        octave, name = divmod(pitch + key, 12)
        return NAMES[name] + {-1: ",", 0: "", 1: "'"}[octave] + length

    return f"K:{NAMES[key]} {re.sub(r'[A-G][^ |]*', move, tune).replace('|', ' | ')} end"


def count_beats(tune):
    """Return the beats of every bar."""
    return [sum(BEATS[parse(n)[1]] for n in bar.split()) for bar in tune.split("|")]


def read(codes):
    """Return the tune that the tokens stand for, up to its end."""
    return encoder.inverse_transform([codes])[0].split(" end")[0]


def longest_copy(tune):
    """Return how many notes in a row are as in a tune that the network has heard."""
    heard, notes = " ".join(known).replace("| ", ""), tune.replace("| ", "").split()
    spans = [(i, j) for i in range(len(notes)) for j in range(i + 1, len(notes) + 1)]
    return max(j - i for i, j in spans if " ".join(notes[i:j]) in heard)


texts = [transpose(tune, key) for tune in TUNES.values() for key in range(12)]
known, new = texts[:-24], texts[-24:]
encoder = TokenEncoder("word").fit(texts)
network = RNNClassifier(
    96, cell="gru", embedding_dim=24, n_tokens=encoder.n_tokens_, batch_size=16,
    learning_rate_init=0.01, max_iter=40, random_state=0,
)  # fmt: skip
X, y = zip(*((tune[:-1], tune[1:, 0]) for tune in encoder.transform(known)), strict=True)
X_new, y_new = zip(*((tune[:-1], tune[1:, 0]) for tune in encoder.transform(new)), strict=True)
network.fit(X, y)
table = np.zeros((encoder.n_tokens_, encoder.n_tokens_))
np.add.at(table, (np.concatenate(X)[:, 0], np.concatenate(y)), 1)

rng, made_up = np.random.default_rng(0), {"network": [], "table": []}
for key, name in enumerate(NAMES):
    codes = [encoder.vocabulary_[f"K:{name}"]]
    tune = network.generate(150, warmup=[codes], temperature=1.0, random_state=key)
    made_up["network"].append(read(tune))
    while len(codes) < 150 and table[codes[-1]].any():
        codes.append(rng.choice(len(table), p=table[codes[-1]] / table[codes[-1]].sum()))
    made_up["table"].append(read(codes[1:]))
foreseen = {"network": np.concatenate(network.predict(X_new))}
foreseen["table"] = table[np.concatenate(X_new)[:, 0]].argmax(axis=1)
print("         unheard tokens foreseen  own bars that hold four beats")
for name, answer in foreseen.items():
    right = np.mean(answer == np.concatenate(y_new))
    bars = np.concatenate([count_beats(tune) for tune in made_up[name]])
    print(f"{name:7}  {right:23.0%}  {np.mean(bars == 4):29.0%}")

# Of the tunes without a broken bar, the longest.
own = max((tune for tune in made_up["network"] if set(count_beats(tune)) == {4}), key=len)
key = made_up["network"].index(own)
n_notes = len(own.replace("| ", "").split())
print(f"\nK:{NAMES[key]}\n{own}")
print(f"({n_notes} notes, at most {longest_copy(own)} in a row as in a tune that it heard)\n")

figure, panels = plt.subplots(2, 1, figsize=(12, 5), layout="constrained", sharex=True, sharey=True)
titles = {known[12 * 2 + key][4:-4]: "Mary Had a Little Lamb", own: "made up by the network"}
for axes, (tune, title) in zip(panels, titles.items(), strict=True):
    pitches, lengths = zip(*map(parse, tune.replace("| ", "").split()), strict=True)
    beats = np.array([BEATS[length] for length in lengths])
    axes.barh(pitches, beats - 0.1, left=np.cumsum(beats) - beats, height=0.8, color="#0072B2")
    for end in np.cumsum(count_beats(tune)):
        axes.axvline(end - 0.05, color="0.85", linewidth=1, zorder=0)
    axes.set_title(title, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
shown = sorted(set(pitches))
notes = [re.sub(r"\^(.)", r"\1♯", NAMES[pitch % 12]) + str(4 + pitch // 12) for pitch in shown]
figure.supylabel("note and octave")
axes.set_yticks(shown, notes)
axes.set_xlabel("beats, with a line at the end of every bar")
figure.savefig("generate_music.png", dpi=150)
print("wrote generate_music.png")
