"""`LinearDynamicalSystem`: real-valued hidden states with linear dynamics and Gaussian noise."""

from typing import Any, Self

import numpy as np
from scipy.stats import norm
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from esnkit.baselines._kalman import (
    Filtered,
    System,
    kalman_filter,
    kalman_smoother,
    maximise,
    smoothed_covariances,
    steps_of,
)
from esnkit.baselines._scale import column_scales
from esnkit.baselines._subspace import identify
from esnkit.sequences import Sequences, pack, restore
from esnkit.utils._plain_state import PlainStateMixin
from esnkit.utils._rollback import rollback_on_error
from esnkit.utils._threads import one_blas_thread
from esnkit.utils._validation import check_number, check_positive_int, check_seed
from esnkit.utils._warnings import warn

__all__ = ["LinearDynamicalSystem"]

NOISE_FLOOR = 1e-8  # of the variance of the rows: covariances keep their inverses


class LinearDynamicalSystem(PlainStateMixin, BaseEstimator):
    """Model sequences by a hidden state vector with linear dynamics and Gaussian noise.

    The state follows x(t + 1) = A x(t) + w(t), and emits the row y(t) = C x(t) + d + v(t), where w
    and v are independent normal noise with covariances Q and R.

    Parameters
    ----------
    n_states : int, default=2
        Number of components of the state.
    max_iter : int, default=100
        Largest number of iterations of the EM algorithm, which start from subspace identification;
        0 keeps its result.
    tol : float, default=1e-4
        The iterations end when they raise the mean log-likelihood of a time step by less.

    Attributes
    ----------
    A_ : ndarray of shape (n_states, n_states)
        Transition matrix.
    C_ : ndarray of shape (n_features, n_states)
        Emission matrix.
    d_ : ndarray of shape (n_features,)
        Offset of the rows.
    Q_, R_ : ndarray of shape (n_states, n_states) and (n_features, n_features)
        Covariances of the noise of states and rows.
    initial_mean_, initial_covariance_ : ndarray of shape (n_states,) and (n_states, n_states)
        Of the state at the first time step of a sequence.
    log_likelihoods_ : ndarray of shape (n_iter_ + 1,)
        Mean log-likelihood of a time step before the first iteration and after each; none is
        smaller than the one before, up to the floor of the covariances.
    n_iter_ : int
        Number of iterations.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if `fit` saw frames.

    See Also
    --------
    HiddenMarkovModel : Hidden states of which there are finitely many.

    Notes
    -----
    Given the rows, the state is uncertain. Its posterior distribution is normal, with the mean and
    the covariance that :meth:`filter` and :meth:`smooth` return. The state of a recurrent network
    is a deterministic function of the inputs, without such a distribution; but that function may be
    non-linear, while here all predictions are linear in the rows.

    References
    ----------
    Van Overschee, P. and De Moor, B. (1996). Subspace Identification for Linear Systems. (start)
    Shumway, R. H. and Stoffer, D. S. (1982). An approach to time series smoothing and forecasting
    using the EM algorithm. Journal of Time Series Analysis 3.
    Ghahramani, Z. and Hinton, G. E. (1996). Parameter estimation for linear dynamical systems.
    Technical report CRG-TR-96-2, University of Toronto.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit.baselines import LinearDynamicalSystem
    >>> t = np.arange(200)
    >>> X = np.sin(t / 5)[:, None] + 0.1 * np.random.default_rng(0).standard_normal((200, 1))
    >>> model = LinearDynamicalSystem(n_states=2, tol=1e-3).fit(X)
    >>> error = model.forecast(20)[:, 0] - np.sin(np.arange(200, 220) / 5)
    >>> bool(np.abs(error).max() < 0.1)
    True
    """

    def __init__(self, n_states=2, *, max_iter=100, tol=1e-4):
        self.n_states = n_states
        self.max_iter = max_iter
        self.tol = tol

    @rollback_on_error
    def fit(self, X: Any, y: Any = None) -> Self:
        """Fit the model: subspace identification, then the EM algorithm.

        Parameters
        ----------
        X : array of shape (n_timesteps, n_features) or (n_sequences, n_timesteps, n_features), \
                or list of arrays of shape (n_timesteps_i, n_features)
            One series, sequences of equal length, or sequences of different lengths.
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For parameters out of range, rows that are not finite, or too few rows.

        Warns
        -----
        ConvergenceWarning
            If the iterations end at `max_iter`, unless that is 0.
        """
        check_positive_int("n_states", self.n_states)
        check_positive_int("max_iter", self.max_iter, minimum=0)
        check_number("tol", self.tol, 0.0)
        sequences = pack(self, X, reset=True, dtype=(np.float64,))
        if len(sequences.values) < self.n_states + 2 or sequences.lengths.max() < 2:
            raise ValueError(
                f"X must have at least n_states + 2 = {self.n_states + 2} time steps, two of them "
                f"in one sequence, got n_samples={len(sequences.values)}"
            )
        mean, scale = column_scales(sequences.values)
        scaled = sequences._replace(values=(sequences.values - mean) / scale)
        with one_blas_thread():
            system, found = self._run_em(scaled)
        self._system = _in_units(system, mean, scale)
        self.log_likelihoods_ = np.array(found) - np.log(scale).sum()
        self.n_iter_ = len(found) - 1
        result = kalman_filter(self._system, sequences)
        self._last, self._form = _last_states(sequences, result), sequences.form
        if self.max_iter and self.n_iter_ == self.max_iter and found[-1] - found[-2] >= self.tol:
            warn(
                f"LinearDynamicalSystem did not converge in max_iter={self.max_iter} iterations: "
                "raise max_iter or tol",
                ConvergenceWarning,
            )
        return self

    def _run_em(self, sequences: Sequences) -> tuple[System, list[float]]:
        """Return the system, and the mean log-likelihoods of a time step."""
        n_rows = len(sequences.values)
        system = identify(sequences, self.n_states, NOISE_FLOOR)
        result = kalman_filter(system, sequences)
        found = [result.log_likelihood / n_rows]
        for _ in range(self.max_iter):
            moments = kalman_smoother(system, sequences, result)
            system = maximise(sequences, moments, NOISE_FLOOR)
            result = kalman_filter(system, sequences)
            found.append(result.log_likelihood / n_rows)
            if found[-1] - found[-2] < self.tol:
                break
        return system, found

    def predict(self, X: Any) -> Any:
        """Predict every row from the rows before it in its sequence.

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        predictions : in the shape and container of `X`
        """
        sequences, result = self._filter(X)
        system = self._system
        return restore(result.predicted @ system.C.T + system.d, sequences)

    def filter(self, X: Any, return_cov: bool = False) -> Any:
        """Return the posterior of the states given the rows up to each.

        Parameters
        ----------
        X : as in ``fit``
        return_cov : bool, default=False

        Returns
        -------
        means : ndarray of shape (..., n_states), in the container of X
        covariances : ndarray of shape (..., n_states, n_states), in the container of X
            Only with `return_cov`.
        """
        sequences, result = self._filter(X)
        means = restore(result.filtered, sequences)
        if not return_cov:
            return means
        k = steps_of(sequences, len(result.covariances.filtered))
        return means, restore(result.covariances.filtered[k], sequences)

    def smooth(self, X: Any, return_cov: bool = False) -> Any:
        """Return the posterior of the states given the whole sequence.

        Parameters
        ----------
        X : as in ``fit``
        return_cov : bool, default=False

        Returns
        -------
        means : ndarray of shape (..., n_states), in the container of X
        covariances : ndarray of shape (..., n_states, n_states), in the container of X
            Only with `return_cov`.
        """
        sequences, result = self._filter(X)
        means = restore(kalman_smoother(self._system, sequences, result).means, sequences)
        if not return_cov:
            return means
        found = result.covariances
        rows = [smoothed_covariances(self._system, found, n) for n in sequences.lengths]
        return means, restore(np.concatenate(rows), sequences)

    def score(self, X: Any, y: Any = None) -> float:
        """Return the mean log-likelihood of a time step.

        Parameters
        ----------
        X : as in ``fit``
        y : ignored

        Returns
        -------
        float
        """
        sequences, result = self._filter(X)
        return result.log_likelihood / len(sequences.values)

    def forecast(self, n_steps: int, X: Any = None, interval: float | None = None) -> Any:
        """Forecast the steps after sequences.

        Parameters
        ----------
        n_steps : int >= 1
        X : as in ``fit``, default=None
            None stands for the sequences of ``fit``.
        interval : float in (0, 1), default=None
            Coverage of the interval around every value, under the fitted model.

        Returns
        -------
        forecast : ndarray of shape (n_steps, n_features) or (n_sequences, n_steps, n_features)
            The first form is that of one series. With `interval` a tuple of arrays ``(forecast,
            lower, upper)``.

        Raises
        ------
        ValueError
            If `n_steps` is below 1, `interval` is outside (0, 1), or `X` has other features than
            that of `fit`.
        """
        check_is_fitted(self, "_system")
        n_steps = check_positive_int("n_steps", n_steps)
        last, form = self._last, self._form
        if X is not None:
            sequences, result = self._filter(X)
            last, form = _last_states(sequences, result), sequences.form
        means, deviations = _forecast(self._system, *last, n_steps)
        sequence: Any = 0 if form == "series" else slice(None)
        if interval is None:
            return means[sequence]
        check_number("interval", interval, 0, 1, low_open=True, high_open=True)
        half = norm.ppf((1 + interval) / 2) * deviations
        return tuple(part[sequence] for part in (means, means - half, means + half))

    def sample(self, n_steps: int, random_state: Any = None) -> tuple[np.ndarray, np.ndarray]:
        """Draw a sequence from the model.

        Parameters
        ----------
        n_steps : int >= 1
        random_state : int, RandomState or None, default=None

        Returns
        -------
        X : ndarray of shape (n_steps, n_features)
        states : ndarray of shape (n_steps, n_states)
        """
        check_is_fitted(self, "_system")
        n_steps, rng = check_positive_int("n_steps", n_steps), check_seed(random_state)
        A, C, d, Q, R, m, P = self._system
        states = np.empty((n_steps, len(A)))
        states[0] = _draw(rng, P, 1)[0] + m
        noise = _draw(rng, Q, n_steps)
        for t in range(1, n_steps):
            states[t] = A @ states[t - 1] + noise[t]
        return states @ C.T + d + _draw(rng, R, n_steps), states

    def _filter(self, X: Any) -> tuple[Sequences, Filtered]:
        check_is_fitted(self, "_system")
        sequences = pack(self, X, reset=False, dtype=(np.float64,))
        return sequences, kalman_filter(self._system, sequences)

    @property
    def A_(self) -> np.ndarray:
        """Transition matrix."""
        return self._fitted().A

    @property
    def C_(self) -> np.ndarray:
        """Emission matrix."""
        return self._fitted().C

    @property
    def d_(self) -> np.ndarray:
        """Offset of the rows."""
        return self._fitted().d

    @property
    def Q_(self) -> np.ndarray:
        """Covariance of the noise of the states."""
        return self._fitted().Q

    @property
    def R_(self) -> np.ndarray:
        """Covariance of the noise of the rows."""
        return self._fitted().R

    @property
    def initial_mean_(self) -> np.ndarray:
        """Mean of the first state."""
        return self._fitted().m

    @property
    def initial_covariance_(self) -> np.ndarray:
        """Covariance of the first state."""
        return self._fitted().P

    def _fitted(self) -> System:
        if "_system" not in vars(self):
            raise AttributeError(f"this {type(self).__name__} is not fitted yet")
        return self._system


def _in_units(system: System, mean: np.ndarray, scale: np.ndarray) -> System:
    """Return the system of rows that were scaled, for rows in their units."""
    return system._replace(
        C=system.C * scale[:, None], d=mean + scale * system.d, R=system.R * np.outer(scale, scale)
    )


def _last_states(sequences: Sequences, result: Filtered) -> tuple[np.ndarray, np.ndarray]:
    """Return means (n_sequences, n) and covariances of the states at the ends of sequences."""
    filtered = result.covariances.filtered
    k = np.minimum(sequences.lengths, len(filtered)) - 1
    return result.filtered[sequences.offsets[1:] - 1], filtered[k]


def _forecast(system: System, means, covariances, n_steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Return means and standard deviations (n_sequences, n_steps, p) of the rows ahead."""
    A, C, d, Q, R, _, _ = system
    ahead, widths = [], []
    for _ in range(n_steps):
        means, covariances = means @ A.T, A @ covariances @ A.T + Q
        ahead.append(means @ C.T + d)
        widths.append(np.sqrt(np.diagonal(C @ covariances @ C.T + R, axis1=1, axis2=2)))
    return np.stack(ahead, axis=1), np.stack(widths, axis=1)


def _draw(rng: np.random.RandomState, covariance: np.ndarray, n_rows: int) -> np.ndarray:
    """Draw rows from a normal distribution of mean zero."""
    factor = np.linalg.cholesky(covariance)
    return rng.standard_normal((n_rows, len(factor))) @ factor.T
