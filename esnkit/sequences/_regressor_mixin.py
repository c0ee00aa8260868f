"""What regression adds to the core: targets as they are, scores, and the closed loop."""

from typing import Any

import numpy as np
from sklearn.base import MultiOutputMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from esnkit.sequences._closed_loop import future_rows, pack_one_series
from esnkit.sequences._initial_state import no_clamp
from esnkit.sequences._packing import Sequences
from esnkit.sequences._targets import Targets
from esnkit.utils._validation import check_positive_int, finite_array


class SequenceRegressorMixin(MultiOutputMixin, RegressorMixin):
    """Answers with numbers, and feeds them back to forecast."""

    _numeric = True

    def _target_of(self, y: Any, sequences: Any) -> str:
        return self.target

    def _encode(self, targets: Targets, form: str = "series") -> tuple[Targets, None]:
        return targets, None

    def _decode(self, values: Any) -> Any:
        if not self._flat:
            return values
        return [rows[..., 0] for rows in values] if isinstance(values, list) else values[..., 0]

    def score(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        initial_state: Any = None,
        clamp: Any = None,
    ) -> float:
        """Return the coefficient of determination over all rows of all sequences.

        Without ``initial_state`` the first ``washout`` time steps of a sequence, in which the
        state comes from zero, are left out, as they are in ``fit``.

        Parameters
        ----------
        X, y : as in ``fit``
        sample_weight : array-like, default=None
            A weight for every row or every sequence.
        initial_state, clamp : optional
            As in ``fit``.

        Returns
        -------
        float
        """
        from sklearn.metrics import r2_score  # as scikit-learn does: costly to import

        truth, answer, weights = self._compare(X, y, sample_weight, initial_state, clamp)
        return r2_score(truth, answer, sample_weight=weights)

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
            Series that is run with its true values before the loop closes; the first generated
            row is the prediction after its last row. None goes on from the series that the model
            was fitted to: the first row follows its last target. With ``feedback`` a tuple of
            inputs and outputs.
        exog : array of shape (n_steps, n_exog) or None, default=None
            Inputs that are not outputs: the last ``n_features - n_outputs`` features (with
            ``feedback`` all features), ``exog[k]`` beside the generated row k.
        initial_state : array or tuple (indices, values), default=None
            State before ``warmup``, as in ``fit``.
        return_state : bool, default=False
            Whether to return the state too. It has heard all rows but the last generated one,
            which is the ``warmup`` to go on with.

        Returns
        -------
        y : ndarray of shape (n_steps, n_outputs)
        state : ndarray of shape (1, n_units), if ``return_state``

        Raises
        ------
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
        check_is_fitted(self)
        n_steps = check_positive_int("n_steps", n_steps)
        if self._kind != "steps":
            raise ValueError("generate needs a model fitted to a target for every time step")
        if self._fitted.feedback:
            return self._generate_fed(n_steps, warmup, exog, initial_state, return_state)
        n_exog = self.n_features_in_ - self.n_outputs_
        if n_exog < 0:
            raise ValueError(
                f"generate feeds {self.n_outputs_} outputs back into {self.n_features_in_} "
                "features: fit the next row of the series, fit(series[:-1], series[1:])"
            )
        future = future_rows(exog, n_steps, n_exog, self.reservoir_.W_in_.dtype)
        u, state = self._warm_up(warmup, initial_state)
        Z = np.concatenate([state[0], u] if self._fitted.include_input else [state[0]])[None]
        out = np.empty((n_steps, self.n_outputs_), state.dtype)
        out[:1] = self._apply_readout(np.ascontiguousarray(Z))
        if n_steps > 1:
            u[: self.n_outputs_] = out[0]
            self._loop(u, state[0], future[:-1], out[1:])
        return (out, state) if return_state else out

    def _warm_up(self, warmup, initial_state):
        """Return the last input row and the state that has heard it."""
        if warmup is None:
            sequences, state = self._end_of_training(initial_state)
        else:
            sequences = pack_one_series(self, "warmup", warmup, self.reservoir_.W_in_.dtype)
            state = self._initial_state(initial_state, 1)
        self.reservoir_._advance(sequences, state, no_clamp(state.dtype))
        return sequences.values[-1].copy(), state

    def _end_of_training(self, initial_state):
        """Return the last target, as the input that it is next, and the state before it."""
        if initial_state is not None:
            raise ValueError("initial_state needs a warmup of at least one row to go on from")
        if not hasattr(self, "last_state_"):
            raise ValueError("warmup is needed: the model was fitted to several sequences")
        if self.n_features_in_ > self.n_outputs_:
            raise ValueError(
                "warmup is needed: the exogenous inputs beside the last target are not known"
            )
        last = Sequences(self._last_target, np.array([0, 1], dtype=np.int64), "series")
        return last, self.last_state_.copy()

    def _generate_fed(self, n_steps, warmup, exog, initial_state, return_state):
        W_in = self.reservoir_.W_in_
        future, n_units = future_rows(exog, n_steps, self.n_features_in_, W_in.dtype), len(W_in)
        if warmup is None:
            state = self._initial_state(initial_state, 1)
            if initial_state is None:
                if not hasattr(self, "last_state_"):
                    raise ValueError("warmup is needed: the model was fitted to several sequences")
                state = self.last_state_.copy()
        else:
            state = self._teach_warm_up(warmup, initial_state)
        u = np.concatenate([state[0, n_units:], future[0]])
        x = state[0, :n_units].copy()
        out = np.empty((n_steps, self.n_outputs_), x.dtype)
        self._loop(u, x, future, out)
        state = np.hstack([x, out[-1]])[None]
        return (out, state) if return_state else out

    def _teach_warm_up(self, warmup, initial_state):
        if not isinstance(warmup, tuple) or len(warmup) != 2:
            raise ValueError("warmup must be a pair (X, y) with feedback=True")
        sequences = pack_one_series(self, "warmup", warmup[0], self.reservoir_.W_in_.dtype)
        Y = finite_array("warmup", warmup[1], sequences.values.dtype)
        Y = Y[:, None] if Y.ndim == 1 else Y
        if Y.shape != (len(sequences.values), self.n_outputs_):
            raise ValueError(
                f"warmup has outputs of shape {Y.shape}, expected ({len(sequences.values)}, "
                f"{self.n_outputs_})"
            )
        state = self._initial_state(initial_state, 1)
        n_units = self.reservoir_.W_in_.shape[0]
        inputs = self._teacher_forced(sequences, Y, state[:, n_units:])
        x = state[:, :n_units].copy()
        self.reservoir_._advance(inputs, x, no_clamp(x.dtype))
        return np.hstack([x, Y[-1:]])

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags
