"""What only classifiers with a reservoir do: learn from a stream, and read scores of a readout."""

from typing import Any, Self

import numpy as np
from sklearn.utils.metaestimators import available_if

from esnkit.esn._base import streams
from esnkit.sequences._classifier_mixin import SequenceClassifierMixin, known_classes, softmax
from esnkit.utils._rollback import rollback_on_error


class ReservoirClassifierMixin(SequenceClassifierMixin):
    """Classification with ``partial_fit`` and probabilities from the scores of a readout."""

    @available_if(streams)
    @rollback_on_error
    def partial_fit(
        self,
        X: Any,
        y: Any = None,
        classes: Any = None,
        *,
        sample_weight: Any = None,
        initial_state: Any = None,
        clamp: Any = None,
    ) -> Self:
        """Learn from more data; the result is that of ``fit`` on all data so far.

        One series continues where that of the call before ended: its state is carried on, and the
        washout applies to its first rows only. Give an ``initial_state`` to start another series.
        Several sequences each start from zero, as in ``fit``. The method exists if the readout
        has ``partial_fit``, as the ridge readout does for a single ``alpha``.

        Parameters
        ----------
        X, y, sample_weight, initial_state, clamp : as in ``fit``
        classes : array-like or None, default=None
            All labels, in the first call; None takes those in ``y``.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            As ``fit``, if the data are not like those of the first call, or for
            ``class_weight="balanced"``, which needs all labels at once.

        Examples
        --------
        >>> import numpy as np
        >>> from esnkit import ESNClassifier
        >>> t = np.arange(40)
        >>> slow, fast = (np.sin(t[:, None] / period) for period in (6, 2))
        >>> model = ESNClassifier(n_units=20, alpha=1e-2, random_state=0)
        >>> model = model.partial_fit([slow], ["slow"], classes=["fast", "slow"])
        >>> model.partial_fit([fast], ["fast"]).predict([slow])
        array(['slow'], dtype='<U4')
        """
        if self.class_weight == "balanced":
            raise ValueError(
                "class_weight='balanced' needs all labels at once, which partial_fit does not see: "
                "give the weights as a dict"
            )
        known = known_classes(self, classes, first=not hasattr(self, "reservoir_"))
        return self._partial_fit(X, y, sample_weight, initial_state, clamp, known)

    def _as_probabilities(self, scores: np.ndarray) -> np.ndarray:
        """Turn scores into probabilities.

        The ridge readout has a calibrated softmax. Of another one, estimates of indicators are
        clipped at zero and scaled to sum to one, and decision values go through a softmax.
        """
        readout = self._parts.readout
        if hasattr(readout, "probabilities"):
            return readout.probabilities(scores)
        if getattr(readout, "scores_are_unbounded", False):
            return softmax(scores)
        positive = np.maximum(scores, 0.0)
        total = positive.sum(axis=-1, keepdims=True)
        # A regressor of the user may estimate no class above zero.
        return np.where(total > 0, positive, softmax(scores)) / np.where(total > 0, total, 1.0)
