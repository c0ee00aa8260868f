"""What only classifiers with a reservoir do: learn from a stream, and read scores of a readout."""

from functools import partial
from typing import Any, Self

import numpy as np
from sklearn.utils.metaestimators import available_if

from esnkit.esn._base import streams
from esnkit.esn._prefixes import read_prefixes
from esnkit.sequences._classifier_mixin import SequenceClassifierMixin, known_classes, softmax
from esnkit.sequences._packing import pack
from esnkit.sequences._prefixes import Prefixes
from esnkit.utils._collections import takes_collections
from esnkit.utils._progress import MIN_ROWS, Task
from esnkit.utils._rollback import rollback_on_error
from esnkit.utils._validation import check_fitted


class ReservoirClassifierMixin(SequenceClassifierMixin):
    """Classification with ``partial_fit`` and probabilities from the scores of a readout."""

    @available_if(streams)
    @takes_collections
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
        """Learn from more data; the scores are those of ``fit`` on all data so far.

        The poolings "ppv" and "model_space", and the scale of ``input_scaling="auto"``, are those
        of the first call. The temperature of the probabilities comes from sums alone, see
        :class:`~esnkit.readouts.RidgeReadout`.

        One series continues where that of the call before ended: its state is carried on, and the
        washout applies to its first rows only. Give an ``initial_state`` to start another series.
        Several sequences each start from zero, as in ``fit``. A call whose rows all have the weight
        zero advances the state and teaches nothing. The method exists if the readout
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

    @takes_collections
    def predict_proba(
        self, X: Any, *, initial_state: Any = None, clamp: Any = None, steps: Any = None
    ) -> Any:
        """Return the probability of every class; the probabilities of a row sum to 1.

        The largest one is that of the predicted label. A ridge readout calibrates them, see
        :class:`~esnkit.readouts.RidgeReadout`.

        With ``steps``, a model of one label for every sequence returns the probabilities of
        prefixes of the sequences, for early classification: what it would return for ``x[:t]``, up
        to rounding, from one run of the reservoir.

        Parameters
        ----------
        X, initial_state, clamp : as in ``predict``
        steps : None, "all", list of int or list of float, default=None
            After which time steps: None, after the last one; "all", after every one; after the
            given numbers of time steps, such as ``range(10, 101, 10)``; or after shares of every
            sequence in (0, 1], such as ``[0.25, 0.5, 1.0]``, rounded to a number of time steps.
            In ascending order.

        Returns
        -------
        probabilities : like ``predict``, with an axis (n_classes,) at the end
            For steps="all", a row (n_classes,) for every time step, in the container of ``X``; for
            numbers or shares, of shape (n_sequences, n_steps, n_classes). NaN where a prefix has no
            time step after the washout, where there is one.

        Raises
        ------
        ValueError
            If ``steps`` is none of these, the model has a label for every time step, or the
            reservoir is not causal.

        Notes
        -----
        Of a pipeline, ``steps`` reaches this step alone: a transformer before it, such as
        :class:`SequenceNormalizer`, has seen whole sequences.

        The poolings "pyramid", "median" and "quantiles", and functions, pool every prefix anew:
        the time of steps="all" grows with the square of the length. "model_space" solves one
        regression for every prefix.

        References
        ----------
        Z. Xing, J. Pei and P. S. Yu (2012), Early classification on time series, Knowledge and
        Information Systems 31.

        Examples
        --------
        >>> import numpy as np
        >>> from esnkit import ESNClassifier
        >>> t = np.arange(40)
        >>> X = [np.sin(t[:, None] / period + phase) for period in (3, 5) for phase in range(6)]
        >>> model = ESNClassifier(50, pooling="mean", random_state=0)
        >>> model = model.fit(X, ["fast"] * 6 + ["slow"] * 6)
        >>> model.predict_proba([np.sin(t[:, None] / 5 + 0.5)], steps=[10, 20, 40]).shape
        (1, 3, 2)
        """
        if steps is None:
            return super().predict_proba(X, initial_state=initial_state, clamp=clamp)
        prefixes, (scores, is_read) = self._prefix_scores(X, initial_state, clamp, steps)
        rows = self._as_probabilities(scores)
        if not is_read.all():
            read, rows = rows, np.full((is_read.size, rows.shape[1]), np.nan, rows.dtype)
            rows[is_read] = read
        return prefixes.arrange(rows)

    def _prefix_scores(self, X, initial_state, clamp, steps):
        """Return prefixes, the scores of those that are read, and which these are."""
        check_fitted(self, "reservoir_")
        sequences = self._as_inputs(pack(self, X, reset=False, dtype=(self._dtype,)))
        prefixes = Prefixes.of(sequences, steps, per_step=self._settings.per_step)
        self.reservoir_.check_causal("steps")
        state = self._initial_state(initial_state, sequences.n_sequences)
        resolved = self._clamp(clamp, sequences)
        run = partial(read_prefixes, self._parts, prefixes, state, resolved)
        if len(sequences.values) < MIN_ROWS:
            return prefixes, run()
        name = f"{type(self).__name__}.predict_proba"
        with Task(name, prefixes.lengths.size, "prefixes", verbose=self.verbose) as task:
            return prefixes, run(task.step)

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
