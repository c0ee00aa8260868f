"""Pooling: the feature rows of a sequence become one vector, for one target per sequence.

Estimators with a reservoir take it as ``pooling``: a name of the table ``POOLINGS``, a
:class:`ModelSpace`, a function ``(states) -> vector``, or a list of these.

A vector holds the first statistic of all features (the states, then the inputs if they are
included), then the second statistic of all features, and so on, in the order of the list and of
the names below; "quantiles" are in ascending order, "pyramid" has the whole sequence first, then
its halves and its quarters from left to right.

Statistics are computed block by block, as the reservoir yields its states: their memory does not
grow with the length of a sequence. Quantiles and functions need all states of one sequence at a
time.
"""

from esnkit.pooling._model_space import ModelSpace
from esnkit.pooling._table import POOLINGS

__all__ = ["POOLINGS", "ModelSpace"]
