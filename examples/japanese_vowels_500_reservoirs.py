"""Identify speakers by a vowel: 500 reservoirs of four units make no error in 370 utterances.

    python examples/japanese_vowels_500_reservoirs.py

Nine speakers say /ae/; an utterance is a sequence of 7 to 29 frames of twelve coefficients. The
recipe is that of Jaeger et al. (2007): a reservoir of four leaky units reads the frames, a constant
and the length of the utterance; its states and inputs at three points of the utterance, 54 numbers,
are what a linear readout sees. One such voter is wrong on about 7 utterances. The mean of the
outputs of 500 of them, which differ in their random weights only, is wrong on none.

You learn how to pool states by a function of your own, and how to average many small networks.

The data are part of the packages aeon and sktime: ``pip install 'esnkit[datasets]'`` installs the
latter. If both are missing, the script prints this command and ends. It runs for about 20 seconds.

H. Jaeger, M. Lukoševičius, D. Popovici and U. Siewert (2007), Optimization and applications of echo
state networks with leaky-integrator neurons, Neural Networks 20.

Writes japanese_vowels_500_reservoirs.png.
"""

import sys

import matplotlib.pyplot as plt
import numpy as np

from esnkit import Reservoir, ReservoirClassifier, RidgeReadout
from esnkit.datasets import load_japanese_vowels

N_VOTERS = 500
N_POINTS = 3  # of an utterance, at which the states are read


def with_length(utterances, longest):
    """Return the frames with a constant and the length of the utterance beside them."""
    return [np.c_[u, np.ones(len(u)), np.full(len(u), len(u) / longest)] for u in utterances]


def support_states(states):
    """Return the states at points that divide a sequence in thirds, interpolated."""
    positions = np.arange(1, N_POINTS + 1) * (len(states) - 1) / N_POINTS
    first = np.minimum(positions.astype(int), len(states) - 2)
    share = (positions - first)[:, None]
    return ((1 - share) * states[first] + share * states[first + 1]).ravel()


def make_voter(seed):
    """Return a tiny network; only its random weights depend on the seed."""
    reservoir = Reservoir(
        4, topology="dense", spectral_radius=0.2, leak_rate=0.2, input_scaling=1.5, bias_scaling=0
    )
    return ReservoirClassifier(
        reservoir, RidgeReadout(1e-3), pooling=support_states, target="sequence", random_state=seed
    )


try:
    X_train, y_train = load_japanese_vowels()
    X_test, y_test = load_japanese_vowels(split="test")
except ImportError as error:
    print("the data are missing:", error)
    sys.exit()
longest = max(map(len, X_train))
X_train, X_test = with_length(X_train, longest), with_length(X_test, longest)

single, together, total = [], [], 0.0
for seed in range(N_VOTERS):
    voter = make_voter(seed).fit(X_train, y_train)
    scores = voter.decision_function(X_test)  # about 1 for the speaker, 0 for others
    # The targets of the paper are 0.9 and -0.9, of units with the activation tanh.
    total = total + np.tanh(np.arctanh(0.9) * (2 * scores - 1))
    for errors, outputs in ((single, scores), (together, total)):
        errors.append(np.count_nonzero(voter.classes_[outputs.argmax(axis=1)] != y_test))
print(f"one reservoir: {np.mean(single):.1f} of {len(y_test)} utterances wrong, on average")
print(f"{N_VOTERS} reservoirs together: {together[-1]} of {len(y_test)} wrong")

figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
axes.step(np.arange(1, N_VOTERS + 1), together, where="post", label="mean of the first n")
axes.plot(
    np.arange(1, N_VOTERS + 1), single, ".", color="0.7", markersize=3, label="the n-th alone"
)
axes.set_xscale("log")
axes.set(xlabel="number of reservoirs, n", ylabel=f"errors of {len(y_test)} utterances")
axes.set_title("Japanese Vowels: reservoirs of four units")
axes.legend()
figure.savefig("japanese_vowels_500_reservoirs.png", dpi=150)
print("wrote japanese_vowels_500_reservoirs.png")
