"""What only regressors with a reservoir do: learn from a stream, and generate in closed loop."""

from typing import Any, Self

import numpy as np
from sklearn.utils.metaestimators import available_if

from esnkit.esn._base import streams
from esnkit.esn._closed_loop import run_closed_loop, teacher_forced
from esnkit.esn._features import features
from esnkit.esn._readout import read_rows
from esnkit.sequences._closed_loop import future_rows, pack_one_series
from esnkit.sequences._packing import Sequences
from esnkit.sequences._regressor_mixin import SequenceRegressorMixin
from esnkit.utils._collections import takes_collections
from esnkit.utils._rollback import rollback_on_error
from esnkit.utils._validation import check_fitted, check_positive_int, finite_array


class ReservoirRegressorMixin(SequenceRegressorMixin):
    """Regression with ``partial_fit`` and ``generate``."""

    @available_if(streams)
    @takes_collections
    @rollback_on_error
    def partial_fit(
        self,
        X: Any,
        y: Any = None,
        *,
        sample_weight: Any = None,
        initial_state: Any = None,
        clamp: Any = None,
    ) -> Self:
        """Learn from more data; the result is that of ``fit`` on all data so far.

        The poolings "ppv" and "model_space", and the scale of ``input_scaling="auto"``, are those
        of the first call.

        One series continues where that of the call before ended: its state is carried on, and the
        washout applies to its first rows only. Give an ``initial_state`` to start another series.
        Several sequences each start from zero, as in ``fit``. A call whose rows all have the weight
        zero advances the state and teaches nothing. The method exists if the readout
        has ``partial_fit``, as the ridge readout does for a single ``alpha``.

        Parameters
        ----------
        X, y, sample_weight, initial_state, clamp : as in ``fit``

        Returns
        -------
        self

        Raises
        ------
        ValueError
            As ``fit``, and if the data are not like those of the first call.

        Examples
        --------
        >>> import numpy as np
        >>> from esnkit import ESNRegressor
        >>> s = np.sin(np.arange(400) / 4).reshape(-1, 1)
        >>> model = ESNRegressor(n_units=20, alpha=1e-3, random_state=0)
        >>> model = model.partial_fit(s[:200], s[1:201]).partial_fit(s[200:-1], s[201:])
        >>> whole = ESNRegressor(n_units=20, alpha=1e-3, random_state=0).fit(s[:-1], s[1:])
        >>> bool(np.allclose(model.readout_.coef_, whole.readout_.coef_))
        True
        """
        return self._partial_fit(X, y, sample_weight, initial_state, clamp)

    def generate(
        self,
        n_steps: int,
        warmup: Any = None,
        *,
        exog: Any = None,
        initial_state: Any = None,
        return_state: bool = False,
    ) -> Any:
        """Forecast in closed loop: the outputs become the next inputs.

        Parameters
        ----------
        n_steps : int
            Number of rows to generate.
        warmup : array of shape (n_timesteps, n_features), tuple (X, y) or None, default=None
            Series that is run with its observed values before the loop closes; the first
            generated row is the prediction after its last row. None continues the series that the
            model was fitted to: the first row follows its last target. With ``feedback`` a tuple
            of inputs and outputs.
        exog : array of shape (n_steps, n_exog) or None, default=None
            Inputs that are not outputs: the last ``n_features - n_outputs`` features (with
            ``feedback`` all features), ``exog[k]`` beside the generated row k.
        initial_state : array or tuple (indices, values), default=None
            State before ``warmup``, as in ``fit``.
        return_state : bool, default=False
            Whether to return the state after all rows but the last generated one. To continue,
            pass it as ``initial_state`` with that row as ``warmup``.

        Returns
        -------
        y : ndarray of shape (n_steps, n_outputs)
        state : ndarray of shape (1, n_units), if ``return_state``

        Raises
        ------
        ValueError
            If the model cannot run in closed loop, or ``warmup`` or ``exog`` does not fit.
        FloatingPointError
            If the loop diverges.

        Examples
        --------
        >>> import numpy as np
        >>> from esnkit import ESNRegressor
        >>> s = np.sin(np.arange(400) / 4).reshape(-1, 1)
        >>> model = ESNRegressor(n_units=40, random_state=0).fit(s[:-1], s[1:])
        >>> y, state = model.generate(5, warmup=s, return_state=True)
        >>> more = model.generate(3, warmup=y[-1:], initial_state=state)
        >>> bool(np.array_equal(model.generate(8, warmup=s), np.vstack([y, more])))
        True
        """
        check_fitted(self, "reservoir_")
        n_steps = check_positive_int("n_steps", n_steps)
        if not self._settings.per_step:
            raise ValueError("generate needs a model fitted to a target for every time step")
        self.reservoir_.check_causal("generate")
        if self._settings.feedback:
            rows, state = self._generate_with_feedback(n_steps, warmup, exog, initial_state)
        else:
            rows, state = self._generate(n_steps, warmup, exog, initial_state)
        return (rows, state) if return_state else rows

    def _generate(self, n_steps, warmup, exog, initial_state):
        """Feed the outputs back into the first inputs."""
        n_exog = self.n_features_in_ - self.n_outputs_
        if n_exog < 0:
            raise ValueError(
                f"generate feeds {self.n_outputs_} outputs back into {self.n_features_in_} "
                "features: fit the next row of the series, fit(series[:-1], series[1:])"
            )
        future = future_rows(exog, n_steps, n_exog, self._dtype, self)
        if warmup is None:
            sequences, state = self._end_of_training(initial_state)
        else:
            sequences = pack_one_series(self, "warmup", warmup, self._dtype)
            state = self._initial_state(initial_state, 1)
        rows = np.empty((n_steps, self.n_outputs_), state.dtype)
        rows[0] = self._last_output(sequences, state)
        if n_steps > 1:
            inputs = np.concatenate([rows[0], sequences.values[-1, self.n_outputs_ :]])
            run_closed_loop(self._parts, inputs, state[0], future[:-1], rows[1:])
        return rows, state

    def _last_output(self, sequences, state):
        """Run one series, of which ``state`` moves along, and return the output of its last row."""
        values, reservoir = sequences.values, self.reservoir_
        if len(values) > 1:
            before = Sequences(values[:-1], np.array([0, len(values) - 1]), "series")
            reservoir.advance(before, state)
        last = Sequences(values[-1:], np.array([0, 1]), "series")
        ((_, _, Z),) = features(reservoir, last, state, self._settings)
        return read_rows(self._parts.readout, Z, self.n_outputs_)[0]

    def _end_of_training(self, initial_state):
        """Return the last target, as the input that it is next, and the state before it."""
        if initial_state is not None:
            raise ValueError("initial_state needs a warmup of at least one row to continue from")
        self._check_one_series()
        if self.n_features_in_ > self.n_outputs_:
            raise ValueError(
                "warmup is needed: the exogenous inputs beside the last target are not known"
            )
        last = Sequences(self._last_target, np.array([0, 1], dtype=np.int64), "series")
        return last, self.last_state_.copy()

    def _check_one_series(self) -> None:
        if not hasattr(self, "last_state_"):
            raise ValueError("warmup is needed: the model was fitted to several sequences")

    def _generate_with_feedback(self, n_steps, warmup, exog, initial_state):
        """Feed the outputs back by the feedback weights."""
        future = future_rows(exog, n_steps, self.n_features_in_, self._dtype, self)
        if warmup is not None:
            state = self._run_warm_up_with_feedback(warmup, initial_state)
        elif initial_state is not None:
            state = self._initial_state(initial_state, 1)
        else:
            self._check_one_series()
            state = self.last_state_.copy()
        n_state = self.reservoir_.n_state_
        x = state[0, :n_state].copy()
        inputs = np.concatenate([state[0, n_state:], future[0]])
        rows = np.empty((n_steps, self.n_outputs_), x.dtype)
        run_closed_loop(self._parts, inputs, x, future, rows)
        return rows, np.hstack([x, rows[-1]])[None]

    def _run_warm_up_with_feedback(self, warmup, initial_state):
        """Return the state after a series with its observed outputs, these appended."""
        if not isinstance(warmup, tuple) or len(warmup) != 2:
            raise ValueError("warmup must be a pair (X, y) with feedback=True")
        sequences = pack_one_series(self, "warmup", warmup[0], self._dtype)
        Y = finite_array("warmup", warmup[1], sequences.values.dtype)
        Y = Y[:, None] if Y.ndim == 1 else Y
        if Y.shape != (len(sequences.values), self.n_outputs_):
            raise ValueError(
                f"warmup has outputs of shape {Y.shape}, expected ({len(sequences.values)}, "
                f"{self.n_outputs_})"
            )
        state = self._initial_state(initial_state, 1)
        n_state = self.reservoir_.n_state_
        inputs = teacher_forced(sequences, Y, state[:, n_state:])
        x = state[:, :n_state].copy()
        self.reservoir_.advance(inputs, x)
        return np.hstack([x, Y[-1:]])
