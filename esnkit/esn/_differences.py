"""Sequences with the differences of their time steps as further inputs."""

from typing import NamedTuple, Self

import numpy as np

from esnkit.preprocessing._sequence_differencer import SequenceDifferencer
from esnkit.sequences._packing import Sequences
from esnkit.utils._moments import column_moments
from esnkit.utils._plain_state import plain_record

__all__ = ["ValuesAndDifferences", "side_by_side"]


@plain_record
class ValuesAndDifferences(NamedTuple):
    """Values and differences of successive time steps, standardised as the training sequences."""

    mean: np.ndarray  # (2 * n_features,), those of the values first
    scale: np.ndarray  # (2 * n_features,)

    @classmethod
    def of(cls, sequences: Sequences) -> Self:
        """Return the record with the means and standard deviations of training sequences."""
        return cls.of_moments(*column_moments(side_by_side(sequences)))

    @classmethod
    def of_moments(cls, mean: np.ndarray, deviation: np.ndarray) -> Self:
        """Return the record for means and standard deviations, zero for a constant."""
        return cls(mean, np.where(deviation > 0, deviation, 1.0))

    def append(self, sequences: Sequences) -> Sequences:
        """Return the sequences that the reservoir reads."""
        rows = (side_by_side(sequences) - self.mean) / self.scale
        return sequences._replace(values=rows.astype(sequences.values.dtype, copy=False))


def side_by_side(sequences: Sequences) -> np.ndarray:
    """Return rows of values and differences (n_rows, 2 * n_features)."""
    return SequenceDifferencer(include_values=True)._transform_rows(sequences)
