"""`HiddenMarkovModel`: a Markov chain of discrete hidden states, fitted by the EM algorithm."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, Self

import numpy as np
from scipy.special import logsumexp
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from esnkit.baselines._emissions import Categorical, Gaussian
from esnkit.baselines._scale import column_scales
from esnkit.kernels import hidden_markov
from esnkit.sequences import Sequences, pack, restore
from esnkit.utils._plain_state import PlainStateMixin, plain_record
from esnkit.utils._rollback import rollback_on_error
from esnkit.utils._threads import one_blas_thread
from esnkit.utils._validation import check_choice, check_number, check_positive_int, check_seed
from esnkit.utils._warnings import warn

__all__ = ["HiddenMarkovModel"]

# Of the variance of a feature, added to its variance in every state: a state of a single value has
# no density. scikit-learn's GaussianMixture adds 1e-6 whatever the units.
VARIANCE_FLOOR = 1e-6
MAX_SYMBOLS = 2**20
START_COUNT = 1.0  # of every transition, beside those between clusters, before the first iteration

FitEmission = Callable[[np.ndarray, np.ndarray], Gaussian | Categorical]


@plain_record
class _Chain(NamedTuple):
    """Parameters of the model."""

    start: np.ndarray  # (n_states,)
    transition: np.ndarray  # (n_states, n_states)
    emission: Gaussian | Categorical


class HiddenMarkovModel(PlainStateMixin, BaseEstimator):
    """Model sequences by a Markov chain of hidden states that emit the rows.

    At every time step the chain is in one of a few states. It changes to the next state by
    transition probabilities, and emits a row from the distribution of the state.

    Parameters
    ----------
    n_states : int, default=2
        Number of hidden states.
    emission : {"gaussian", "categorical"}, default="gaussian"
        Distribution of the rows in a state: normal with full covariance, or probabilities of the
        symbols 0, 1, ... in a single integer column.
    n_init : int, default=5
        Number of starting points, of whose models the one of highest likelihood is kept.
    max_iter : int, default=200
        Largest number of iterations of the EM algorithm.
    tol : float, default=1e-5
        The iterations end when they raise the mean log-likelihood of a time step by less.
    random_state : int, RandomState or None, default=None
        Seeds the starting points: clusters of rows, or random probabilities of symbols.

    Attributes
    ----------
    start_probabilities_ : ndarray of shape (n_states,)
        Of the states at the first time step.
    transition_probabilities_ : ndarray of shape (n_states, n_states)
        Row i has the probabilities of the states that follow state i.
    means_, covariances_ : ndarray of shape (n_states, n_features[, n_features])
        Of the rows in every state; with Gaussian emissions only.
    symbol_probabilities_ : ndarray of shape (n_states, n_symbols)
        Of the symbols in every state; with categorical emissions only.
    log_likelihoods_ : ndarray of shape (n_iter_,)
        Mean log-likelihood of a time step before each iteration; none is smaller than the one
        before, up to the floor of the variances.
    n_iter_ : int
        Number of iterations.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if `fit` saw frames.

    See Also
    --------
    LinearDynamicalSystem : Hidden states that are vectors of real numbers.

    Notes
    -----
    Given the rows, the state is uncertain, and :meth:`predict_proba` is its posterior distribution.
    The state of a recurrent network is a deterministic function of the inputs, without such a
    distribution: its uncertainty shows only in its outputs. On the other hand, n states of a
    Markov chain remember log2(n) bits of the past; a vector of n units can hold far more.

    Time per iteration grows with n_timesteps * n_states**2.

    References
    ----------
    Rabiner, L. R. (1989). A tutorial on hidden Markov models and selected applications in speech
    recognition. Proceedings of the IEEE 77. (forward-backward, Viterbi, Baum-Welch)

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit.baselines import HiddenMarkovModel
    >>> rng = np.random.default_rng(0)
    >>> states = np.repeat([0, 1, 0, 1], 50)
    >>> X = np.array([-1.0, 1.0])[states, None] + 0.3 * rng.standard_normal((200, 1))
    >>> model = HiddenMarkovModel(random_state=0).fit(X)
    >>> sorted(model.means_.ravel().round(1).tolist())
    [-1.0, 1.0]
    >>> path = model.predict(X)
    >>> int((np.diff(path) != 0).sum())
    3
    """

    def __init__(
        self,
        n_states=2,
        *,
        emission="gaussian",
        n_init=5,
        max_iter=200,
        tol=1e-5,
        random_state=None,
    ):
        self.n_states = n_states
        self.emission = emission
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state

    @rollback_on_error
    def fit(self, X: Any, y: Any = None) -> Self:
        """Fit the model by the EM algorithm of Baum and Welch.

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
            For parameters out of range, rows that are not finite or whose squares are not, fewer
            rows than states, or symbols that are no integers from 0.

        Warns
        -----
        ConvergenceWarning
            If the iterations end at `max_iter`.
        """
        rng = self._check_parameters()
        sequences = pack(self, X, reset=True, dtype=(np.float64,))
        rows = self._check_rows(sequences.values, MAX_SYMBOLS)
        if len(rows) < self.n_states:
            raise ValueError(
                f"X must have at least n_states={self.n_states} time steps, got "
                f"n_samples={len(rows)}"
            )
        with one_blas_thread():
            fit_emission = self._make_fit_emission(rows)
            runs = [self._run_em(sequences, rows, fit_emission, rng) for _ in range(self.n_init)]
        self._chain, self.log_likelihoods_ = max(runs, key=lambda run: run[1][-1])
        self.n_iter_ = len(self.log_likelihoods_)
        b = self._chain.emission.log_density(rows)
        self._last, self._form = self._filter_last(sequences, b), sequences.form
        if self.n_iter_ == self.max_iter and not _has_converged(self.log_likelihoods_, self.tol):
            warn(
                f"HiddenMarkovModel did not converge in max_iter={self.max_iter} iterations: raise "
                "max_iter or tol",
                ConvergenceWarning,
            )
        return self

    def _check_parameters(self) -> np.random.RandomState:
        check_positive_int("n_states", self.n_states)
        check_choice("emission", self.emission, ("gaussian", "categorical"))
        check_positive_int("n_init", self.n_init)
        check_positive_int("max_iter", self.max_iter)
        check_number("tol", self.tol, 0.0)
        return check_seed(self.random_state)

    def _check_rows(self, values: np.ndarray, n_symbols: int) -> np.ndarray:
        """Return rows as the emissions take them: as they are, or as symbols (n_rows,)."""
        if self.emission == "gaussian":
            return values
        if values.shape[1] != 1 or (values != np.floor(values)).any() or values.min() < 0:
            raise ValueError(
                "X must have one column of integers from 0 for emission='categorical', got "
                f"{values.shape[1]} column(s) with values from {values.min():g} to "
                f"{values.max():g}; see TokenEncoder for text"
            )
        if values.max() >= n_symbols:
            raise ValueError(
                f"X must have symbols below {n_symbols}, the number of those in fit (at most "
                f"{MAX_SYMBOLS}), got {values.max():g}"
            )
        return values[:, 0].astype(np.int64)

    def _make_fit_emission(self, rows: np.ndarray) -> FitEmission:
        """Return what fits the emissions to rows and the probabilities of their states."""
        if self.emission == "categorical":
            return partial(Categorical.fit, n_symbols=int(rows.max()) + 1)
        _, scale = column_scales(rows)
        return partial(Gaussian.fit, floor=VARIANCE_FLOOR * scale**2)

    def _run_em(self, sequences, rows, fit_emission, rng) -> tuple[_Chain, np.ndarray]:
        """Iterate from one starting point; return the model and the log-likelihoods."""
        chain, found = self._start(sequences, rows, fit_emission, rng), []
        for _ in range(self.max_iter):
            b = chain.emission.log_density(rows)
            posterior, transitions, log_likelihood = _expect(chain, b, sequences.offsets)
            found.append(log_likelihood / len(rows))
            emission = fit_emission(rows, posterior)
            chain = _maximise(posterior, transitions, sequences.offsets, emission)
            if _has_converged(found, self.tol):
                break
        return chain, np.array(found)

    def _start(self, sequences: Sequences, rows: np.ndarray, fit_emission, rng) -> _Chain:
        """Return a starting point: clusters of rows as states, or random probabilities."""
        transitions = np.full((self.n_states, self.n_states), START_COUNT)
        if self.emission == "categorical":
            random = rng.dirichlet(np.ones(self.n_states), size=int(rows.max()) + 1)
            transitions += rng.random_sample(transitions.shape)
            posterior = random[rows]
        else:
            labels = _cluster(rows, self.n_states, rng)
            for start, stop in sequences.bounds:
                np.add.at(transitions, (labels[start : stop - 1], labels[start + 1 : stop]), 1.0)
            posterior = np.eye(self.n_states)[labels]
        return _maximise(posterior, transitions, sequences.offsets, fit_emission(rows, posterior))

    def predict(self, X: Any) -> Any:
        """Return the most probable path of states (Viterbi).

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        states : ndarray of int, shape (n_timesteps,) or (n_sequences, n_timesteps), or list of them

        Raises
        ------
        ValueError
            If the fitted model cannot emit a sequence: for symbols in an order that `fit` has not
            seen, or values too far from those of `fit`.
        """
        sequences, b = self._read(X)
        best, pointers = np.empty(b.shape), np.zeros(b.shape, dtype=np.int64)
        states, (start, transition) = np.empty(len(b), dtype=np.int64), _logs(self._chain)
        hidden_markov.viterbi(b, start, transition, sequences.offsets, best, pointers, states)
        _check_possible(best[sequences.offsets[1:] - 1].max(axis=1))
        return restore(states, sequences)

    def predict_proba(self, X: Any) -> Any:
        """Return the probabilities of the states given the whole sequence (forward-backward).

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        probabilities : ndarray of shape (..., n_states), in the container of X

        Raises
        ------
        ValueError
            If the fitted model cannot emit a sequence: for symbols in an order that `fit` has not
            seen, or values too far from those of `fit`.
        """
        sequences, b = self._read(X)
        ahead = _forward(self._chain, b, sequences.offsets)
        behind = _backward(self._chain, b, sequences.offsets)
        return restore(_normalise(ahead + behind), sequences)

    def filter(self, X: Any) -> Any:
        """Return the probabilities of the states given the rows up to each (forward).

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        probabilities : ndarray of shape (..., n_states), in the container of X

        Raises
        ------
        ValueError
            If the fitted model cannot emit a sequence: for symbols in an order that `fit` has not
            seen, or values too far from those of `fit`.
        """
        sequences, b = self._read(X)
        return restore(_normalise(_forward(self._chain, b, sequences.offsets)), sequences)

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
        sequences, b = self._read(X)
        ahead = _forward(self._chain, b, sequences.offsets)
        return float(_log_likelihood(ahead, sequences.offsets) / len(b))

    def forecast(self, n_steps: int, X: Any = None) -> np.ndarray:
        """Return expected rows, or probabilities of symbols, of the steps after sequences.

        Parameters
        ----------
        n_steps : int >= 1
        X : as in ``fit``, default=None
            None stands for the sequences of ``fit``.

        Returns
        -------
        ndarray of shape (n_steps, n_columns) or (n_sequences, n_steps, n_columns)
            Columns are features, or with categorical emissions symbols. The first form is that of
            one series.

        Raises
        ------
        ValueError
            If the fitted model cannot emit a sequence: for symbols in an order that `fit` has not
            seen, or values too far from those of `fit`.
        """
        check_is_fitted(self, "_chain")
        n_steps = check_positive_int("n_steps", n_steps)
        last, form = self._last, self._form
        if X is not None:
            sequences, b = self._read(X)
            last, form = self._filter_last(sequences, b), sequences.form
        steps = []
        for _ in range(n_steps):
            last = last @ self._chain.transition
            steps.append(self._chain.emission.expected(last))
        ahead = np.stack(steps, axis=1)
        return ahead[0] if form == "series" else ahead

    def sample(self, n_steps: int, random_state: Any = None) -> tuple[np.ndarray, np.ndarray]:
        """Draw a sequence from the model.

        Parameters
        ----------
        n_steps : int >= 1
        random_state : int, RandomState or None, default=None

        Returns
        -------
        X : ndarray of shape (n_steps, n_features)
        states : ndarray of int, shape (n_steps,)
        """
        check_is_fitted(self, "_chain")
        n_steps, rng = check_positive_int("n_steps", n_steps), check_seed(random_state)
        chain, states = self._chain, np.empty(n_steps, dtype=np.int64)
        probabilities = chain.start
        for t in range(n_steps):
            states[t] = rng.choice(len(probabilities), p=probabilities)
            probabilities = chain.transition[states[t]]
        return chain.emission.sample(states, rng), states

    def _read(self, X: Any) -> tuple[Sequences, np.ndarray]:
        """Return sequences, and the log-densities of their rows in every state."""
        check_is_fitted(self, "_chain")
        sequences, emission = pack(self, X, reset=False, dtype=(np.float64,)), self._chain.emission
        n_symbols = emission.probabilities.shape[1] if isinstance(emission, Categorical) else 0
        return sequences, emission.log_density(self._check_rows(sequences.values, n_symbols))

    def _filter_last(self, sequences: Sequences, b: np.ndarray) -> np.ndarray:
        """Return the probabilities (n_sequences, n_states) at the ends of sequences."""
        ahead = _forward(self._chain, b, sequences.offsets)
        return _normalise(ahead[sequences.offsets[1:] - 1])

    @property
    def start_probabilities_(self) -> np.ndarray:
        """Probabilities of the states at the first time step."""
        return self._fitted().start

    @property
    def transition_probabilities_(self) -> np.ndarray:
        """Probabilities of the states that follow each state."""
        return self._fitted().transition

    @property
    def means_(self) -> np.ndarray:
        """Mean of the rows in every state."""
        return self._fitted().emission.means

    @property
    def covariances_(self) -> np.ndarray:
        """Covariance of the rows in every state."""
        return self._fitted().emission.covariances

    @property
    def symbol_probabilities_(self) -> np.ndarray:
        """Probabilities of the symbols in every state."""
        return self._fitted().emission.probabilities

    def _fitted(self) -> Any:
        if "_chain" not in vars(self):
            raise AttributeError(f"this {type(self).__name__} is not fitted yet")
        return self._chain


def _cluster(rows: np.ndarray, n_clusters: int, rng: np.random.RandomState) -> np.ndarray:
    """Return the cluster of every row; features of different units count alike."""
    from sklearn.cluster import KMeans

    _, scale = column_scales(rows)
    scaled = rows / scale
    n_distinct = len(np.unique(scaled, axis=0))
    return KMeans(min(n_clusters, n_distinct), n_init=1, random_state=rng).fit(scaled).labels_


def _expect(chain: _Chain, b: np.ndarray, offsets: np.ndarray) -> tuple:
    """Return posterior, expected transitions and log-likelihood (expectation step)."""
    ahead, behind = _forward(chain, b, offsets), _backward(chain, b, offsets)
    transitions = np.zeros_like(chain.transition)
    hidden_markov.count_transitions(b, _logs(chain)[1], offsets, ahead, behind, transitions)
    return _normalise(ahead + behind), transitions, _log_likelihood(ahead, offsets)


def _maximise(posterior, transitions, offsets, emission: Gaussian | Categorical) -> _Chain:
    """Return the chain of highest expected likelihood (maximisation step)."""
    start = posterior[offsets[:-1]].sum(axis=0)
    totals = transitions.sum(axis=1, keepdims=True)
    # A state that is only ever the last one has no transitions to count.
    shares = np.where(totals > 0, transitions / np.where(totals > 0, totals, 1.0), 1.0)
    return _Chain(start / start.sum(), shares / shares.sum(axis=1, keepdims=True), emission)


def _forward(chain: _Chain, b: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    ahead, (start, transition) = np.empty_like(b), _logs(chain)
    hidden_markov.forward(b, start, transition, offsets, ahead)
    return ahead


def _backward(chain: _Chain, b: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    behind = np.empty_like(b)
    hidden_markov.backward(b, _logs(chain)[1], offsets, behind)
    return behind


def _logs(chain: _Chain) -> tuple[np.ndarray, np.ndarray]:
    """Return the logarithms of start and transition probabilities."""
    with np.errstate(divide="ignore"):
        return np.log(chain.start), np.log(chain.transition)


def _normalise(logs: np.ndarray) -> np.ndarray:
    """Return probabilities (n_rows, n_states) from their logarithms up to a constant per row."""
    totals = logsumexp(logs, axis=1, keepdims=True)
    _check_possible(totals)
    return np.exp(logs - totals)


def _check_possible(log_probabilities: np.ndarray) -> None:
    if not np.isfinite(log_probabilities).all():
        raise ValueError(
            "X must have sequences that the model can emit, got one of probability zero: it has "
            "symbols in an order that fit has not seen, or values too far from those of fit"
        )


def _log_likelihood(ahead: np.ndarray, offsets: np.ndarray) -> float:
    """Return the sum of the log-likelihoods of all sequences."""
    return float(logsumexp(ahead[offsets[1:] - 1], axis=1).sum())


def _has_converged(log_likelihoods, tol: float) -> bool:
    return len(log_likelihoods) > 1 and log_likelihoods[-1] - log_likelihoods[-2] < tol
