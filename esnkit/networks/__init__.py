"""Recurrent networks trained by gradients: plain, LSTM and GRU."""

from esnkit.networks._rnn import RNNClassifier, RNNRegressor
from esnkit.networks._seq2seq import Seq2SeqClassifier

__all__ = ["RNNClassifier", "RNNRegressor", "Seq2SeqClassifier"]
