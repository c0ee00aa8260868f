"""Random valid problems through fit and predict, against loops and augmented least squares."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from reference import closed_loop, ridge_augmented, sequence_features

from esnkit import ESNClassifier, ESNRegressor

ALPHA = 1e-2


reservoirs = st.fixed_dictionaries(
    {
        "n_units": st.integers(1, 12),
        "topology": st.sampled_from(
            ["diagonals", "random", "dense", "cycle", "orthogonal", "cycle_jumps", "permutation"]
        ),
        "degree": st.integers(1, 7),
        "weights": st.sampled_from(["uniform", "normal"]),
        # Small enough to keep the unbounded activations in bounds.
        "spectral_radius": st.sampled_from([0.2, 0.5]),
        "activation": st.sampled_from(["tanh", "sigmoid", "relu", "identity"]),
        "leak_rate": st.sampled_from([1.0, 0.3, (0.05, 1.0)]),
        "bias_scaling": st.sampled_from([0.0, 0.5]),
        "input_weights": st.sampled_from(["uniform", "minimal"]),
        "input_density": st.sampled_from([0.4, 1.0]),
        "random_state": st.integers(0, 1000),
    }
)
poolings = st.sampled_from(["last", "mean"])


class Problem:
    """Sequences, the container they come in, and a source of targets."""

    def __init__(self, form, sequences, rng):
        self.form, self.sequences, self.rng = form, sequences, rng
        self.lengths = [len(part) for part in sequences]
        self.X = self.contain(np.vstack(sequences))

    def contain(self, rows):
        """Give rows, one a time step, the container of X."""
        parts = np.split(rows, np.cumsum(self.lengths)[:-1])
        if self.form == "ragged":
            return parts
        return parts[0] if self.form == "series" else np.stack(parts)

    def rows(self, answer):
        """Take rows, one a time step, out of the container of X."""
        return answer if self.form == "series" else np.concatenate(list(answer))

    def __repr__(self):
        return f"{self.form} of lengths {self.lengths}, {self.sequences[0].shape[1]} features"


@st.composite
def problems(draw):
    """Draw sequences in one of the containers, as few as one and more than fit in the lanes."""
    form, n_features = draw(st.sampled_from(["series", "batch", "ragged"])), draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n_sequences = 1 if form == "series" else draw(st.sampled_from([1, 2, 3, 31, 64, 65, 130]))
    longest = draw(st.sampled_from([1, 2, 9, 60]))
    lengths = np.full(n_sequences, longest)
    if form == "ragged":
        lengths = rng.integers(1, longest + 1, n_sequences)
    return Problem(form, [rng.normal(size=(n, n_features)) for n in lengths], rng)


def weights_of(model):
    r = model.reservoir_
    return r.W_.toarray(), r.W_in_, r.b_, r.leak_rate_, r.activation


def slow_answer(model, problem, Y, w=None, pooling=None):
    Z = sequence_features(*weights_of(model), problem.sequences, pooling)
    w = np.ones(len(Y)) if w is None else w
    coef, intercept = ridge_augmented(Z, Y, ALPHA, w, standardize=pooling is not None)
    return Z @ coef + intercept


def assert_close(got, wanted):
    scale = max(1.0, np.abs(wanted).max())
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-8 * scale)


@given(problems(), reservoirs, st.integers(1, 3), st.sampled_from(["auto", "gram", "qr"]))
def test_targets_a_step_in_any_container(problem, params, n_outputs, solver):
    Y = problem.rng.normal(size=(sum(problem.lengths), n_outputs))
    model = ESNRegressor(alpha=ALPHA, solver=solver, target="steps", **params)
    answer = model.fit(problem.X, problem.contain(Y)).predict(problem.X)
    assert type(answer) is type(problem.X)
    assert_close(problem.rows(answer), slow_answer(model, problem, Y))


@given(problems(), reservoirs, poolings, st.integers(1, 3))
def test_targets_a_sequence_in_any_container(problem, params, pooling, n_outputs):
    Y = problem.rng.normal(size=(len(problem.sequences), n_outputs))
    model = ESNRegressor(alpha=ALPHA, target="sequence", pooling=pooling, **params)
    answer = model.fit(problem.X, Y).predict(problem.X)
    assert_close(answer, slow_answer(model, problem, Y, pooling=pooling))


@given(problems(), reservoirs)
def test_weights_are_those_of_the_ridge(problem, params):
    rng, n_rows = problem.rng, sum(problem.lengths)
    Y, w = rng.normal(size=(n_rows, 2)), rng.random(n_rows) * rng.integers(0, 2, n_rows)
    w[0] = 0.5
    model = ESNRegressor(alpha=ALPHA, target="steps", **params)
    model.fit(problem.X, problem.contain(Y), sample_weight=problem.contain(w))
    assert_close(problem.rows(model.predict(problem.X)), slow_answer(model, problem, Y, w))


@given(problems(), reservoirs, st.sampled_from([np.float64, np.float32]), st.booleans())
def test_a_sequence_is_as_if_alone_and_may_be_cut_anywhere(problem, params, dtype, feedback):
    params = params | {"activation": "tanh", "feedback": feedback}
    rows = np.vstack(problem.sequences).astype(dtype)
    X, Y = problem.contain(rows), problem.contain(rows[:, :1])
    model = ESNRegressor(alpha=1.0, target="steps", **params).fit(X, Y)
    answer, ends = model.predict(X, return_state=True)
    place = np.cumsum(problem.lengths)[:-1]
    parts = np.split(rows, place), np.split(problem.rows(answer), place), ends
    for part, whole, end in zip(*parts, strict=True):
        cut = int(problem.rng.integers(1, len(part) + 1))
        head, state = model.predict(part[:cut], return_state=True)
        assert np.array_equal(head, whole[:cut])
        if cut < len(part):
            tail, state = model.predict(part[cut:], initial_state=state, return_state=True)
            assert np.array_equal(tail, whole[cut:])
        assert np.array_equal(state[0], end)


@given(reservoirs, st.integers(0, 3), st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**32))
def test_the_closed_loop_in_any_shape(params, n_exog, a, b, seed):
    rng = np.random.default_rng(seed)
    n_outputs = int(rng.integers(1, 4))
    X, exog = rng.normal(size=(80, n_outputs + n_exog)), rng.normal(size=(a + b, n_exog))
    model = ESNRegressor(alpha=ALPHA, **params | {"activation": "tanh"})
    model.fit(X[:-1], X[1:, :n_outputs])
    whole = model.generate(a + b, X, exog=exog)
    head, state = model.generate(a, X, exog=exog[:a], return_state=True)
    last = np.hstack([head[-1:], exog[a - 1 : a]])
    tail = model.generate(b, last, exog=exog[a:], initial_state=state)
    assert np.array_equal(np.vstack([head, tail]), whole)
    first, state = model.predict(X, return_state=True)
    readout = model.readout_.coef_.reshape(n_outputs, -1), model.readout_.intercept_
    u = np.concatenate([first[-1], np.zeros(n_exog)])
    wanted = closed_loop(*weights_of(model), *readout, u, exog[:-1], state[0])
    np.testing.assert_allclose(whole, np.vstack([first[-1:], wanted]), rtol=0, atol=1e-6)


@given(problems(), reservoirs, st.integers(2, 4), st.booleans(), poolings)
def test_labels_are_those_of_the_largest_score(problem, params, n_classes, per_step, pooling):
    n_answers = sum(problem.lengths) if per_step else len(problem.sequences)
    names, codes = np.unique(problem.rng.integers(0, n_classes, n_answers), return_inverse=True)
    names = np.array(["a", "bc", "d", "e"])[names]
    y = problem.contain(names[codes]) if per_step else names[codes]
    target = "steps" if per_step else "sequence"
    model = ESNClassifier(alpha=ALPHA, target=target, pooling=pooling, **params)
    model.fit(problem.X, y)
    answer, proba = model.predict(problem.X), model.predict_proba(problem.X)
    if per_step:
        answer, proba = problem.rows(answer), problem.rows(proba)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    assert np.array_equal(names[proba.argmax(axis=1)], answer)
    scores = slow_answer(
        model, problem, np.eye(len(names))[codes], pooling=None if per_step else pooling
    )
    # Where the two best are equal but for rounding, either label is right.
    chosen = scores[np.arange(n_answers), np.searchsorted(names, answer)]
    assert np.all(scores.max(axis=1) - chosen < 1e-8 * max(1.0, np.abs(scores).max()))
