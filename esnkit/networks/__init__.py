"""Recurrent networks trained by gradients: plain, LSTM, GRU, minimal ones and LRU."""

from esnkit.networks._cells import CELLS, Cell, Gate
from esnkit.networks._rnn import RNNClassifier, RNNRegressor
from esnkit.networks._seq2seq import Seq2SeqClassifier

__all__ = ["CELLS", "Cell", "Gate", "RNNClassifier", "RNNRegressor", "Seq2SeqClassifier"]
