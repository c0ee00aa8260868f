"""The reservoir kernels against loops over dense arrays, and against each other bit for bit."""

from pathlib import Path

import numpy as np
import pytest
from processes import outputs_of
from reference import closed_loop as closed_loop_reference
from reference import reservoir_states

from esnkit.kernels.activations import CODES
from esnkit.kernels.cache import drop_stale_code
from esnkit.kernels.layouts import Csr, Diagonals, Ell, Forcing, InputWeights
from esnkit.kernels.linalg import affine
from esnkit.kernels.reservoir import LANES, closed_loop, run, run_lanes

DTYPES = [np.float64, np.float32]
SIZES = [1, 2, 3, 7, 64, 65]
layouts = pytest.mark.parametrize("layout", ["diagonals", "ell", "csr"])
both = pytest.mark.parametrize("dtype", DTYPES)


def tolerance(dtype):
    return 200 * np.finfo(dtype).eps


def as_layout(layout, W):
    """Return a dense W in a layout, and its entries as Csr in the order in which it sums them."""
    n = len(W)
    rows, columns = np.nonzero(W)
    shift = (columns - rows) % n
    order = np.lexsort((shift if layout == "diagonals" else columns, rows))
    rows, columns, shift = rows[order], columns[order], shift[order]
    counts = np.bincount(rows, minlength=n)
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    csr = Csr(W[rows, columns], columns.astype(np.uint32), indptr)
    if layout == "csr":
        return csr, csr
    if layout == "diagonals":
        shifts = np.unique(shift)
        weights = np.zeros((shifts.size, n), W.dtype)
        weights[np.searchsorted(shifts, shift), rows] = W[rows, columns]
        return Diagonals(weights, shifts.astype(np.uint64)), csr
    place = np.arange(rows.size) - indptr[rows]
    weights = np.zeros((counts.max(initial=0), n), W.dtype)
    where = np.zeros(weights.shape, np.uint32)
    weights[place, rows], where[place, rows] = W[rows, columns], columns
    return Ell(weights, where), csr


class Case:
    """A random reservoir with inputs for sequences of the given lengths, in one precision."""

    def __init__(self, layout, n_units, n_features, lengths, dtype, *, degree=6, seed=0):
        rng = np.random.default_rng([seed, n_units, n_features, degree, len(lengths)])
        self.dtype, self.rng = dtype, rng
        self.W_dense = self.draw_W(layout, n_units, degree)
        self.W, self.csr = as_layout(layout, self.W_dense)
        self.W_in, self.b = self.draw(n_units, n_features), self.draw(n_units)
        leak = rng.uniform(0.1, 1.0, n_units).astype(dtype)
        self.drive = InputWeights(np.ascontiguousarray(self.W_in.T), self.b, leak, 1 - leak)
        self.lengths = np.array(lengths, dtype=np.int64)
        self.starts = np.cumsum(self.lengths) - self.lengths
        self.U = self.draw(self.lengths.sum(), n_features)
        self.x0 = self.draw(len(lengths), n_units)
        self.held = Forcing(
            *(np.empty((0, n_units), dtype), np.empty(0, np.int64), self.draw(1, 0))
        )

    def draw(self, *shape):
        return self.rng.normal(size=shape).astype(self.dtype)

    def draw_W(self, layout, n, degree):
        W = np.zeros((n, n))
        rows = np.arange(n)
        for _ in range(min(degree, n)):
            shifted = (rows + self.rng.integers(n)) % n
            W[rows, shifted if layout == "diagonals" else self.rng.permutation(n)] = 1
        if layout == "csr":
            W[0] = 1
        W *= self.rng.normal(size=(n, n))
        return (W / max(1, np.abs(W).sum(axis=1).max())).astype(self.dtype)

    def hold(self, noise=0.0, units=(), per_row=True):
        n_rows, n_units = len(self.U), len(self.b)
        added = noise * self.draw(n_rows if noise else 0, n_units)
        values = self.draw(n_rows if per_row and len(units) else 1, len(units))
        self.held = Forcing(added.astype(self.dtype), np.array(units, np.int64), values)
        return self

    def run(self, kernel=run, activation="tanh", every=True):
        """Return (states, last states); lanes take the longest sequences first."""
        order = np.argsort(-self.lengths, kind="stable")
        W = self.csr if kernel is run_lanes else self.W
        out = np.full((len(self.U) if every else 0, len(self.b)), np.nan, self.dtype)
        last = self.x0[order].copy()
        code = CODES[activation]
        kernel(
            W, self.drive, code, self.held, self.U, self.starts[order], self.lengths[order], last,
            out,
        )  # fmt: skip
        last[order] = last.copy()
        return out, last

    def reference(self, activation="tanh"):
        parts = []
        values = np.broadcast_to(self.held.values, (len(self.U), self.held.units.size))
        for s, (a, n) in enumerate(zip(self.starts, self.lengths, strict=True)):
            noise = self.held.noise[a : a + n] if len(self.held.noise) else None
            parts.append(
                reservoir_states(
                    self.W_dense,
                    self.W_in,
                    self.b,
                    self.drive.leak,
                    activation,
                    self.U[a : a + n],
                    self.x0[s],
                    noise,
                    self.held.units,
                    values[a : a + n],
                )  # fmt: skip
            )
        return np.vstack(parts)


def assert_close(got, wanted):
    # Every unit sums about twenty terms; W is a contraction, so errors do not grow with time.
    assert got.dtype in DTYPES
    limit = tolerance(got.dtype)
    np.testing.assert_allclose(got, wanted, rtol=limit, atol=limit * np.abs(wanted).max(initial=1))


@layouts
@both
@pytest.mark.parametrize("n_units", SIZES)
def test_run_equals_the_loop(layout, dtype, n_units):
    case = Case(layout, n_units, 3, [9, 1, 20], dtype)
    assert_close(case.run()[0], case.reference())


@layouts
@pytest.mark.parametrize("degree", [1, 4, 5, 6, 10, 13])
def test_run_equals_the_loop_for_every_degree(layout, degree):
    case = Case(layout, 29, 2, [12], np.float64, degree=degree)
    assert_close(case.run()[0], case.reference())


@layouts
@pytest.mark.parametrize("n_features", [1, 2, 4, 5, 13, 37])
def test_run_equals_the_loop_for_every_number_of_features(layout, n_features):
    case = Case(layout, 11, n_features, [12], np.float64)
    assert_close(case.run()[0], case.reference())


@layouts
@both
@pytest.mark.parametrize("activation", sorted(CODES))
def test_run_equals_the_loop_for_every_activation(layout, dtype, activation):
    case = Case(layout, 20, 2, [15, 3], dtype)
    assert_close(case.run(activation=activation)[0], case.reference(activation))


@layouts
@pytest.mark.parametrize("kernel", [run, run_lanes])
@pytest.mark.parametrize("per_row", [True, False])
def test_noise_and_held_units_come_after_the_step(layout, kernel, per_row):
    case = Case(layout, 9, 2, [7, 5], np.float64).hold(0.1, [4, 0], per_row)
    assert_close(case.run(kernel)[0], case.reference())


@layouts
@pytest.mark.parametrize("n_features", [2, 40])
def test_no_rows_are_no_steps(layout, n_features):
    case = Case(layout, 5, n_features, [0], np.float64)
    states, last = case.run()
    assert states.shape == (0, 5) and np.array_equal(last, case.x0)


def test_a_reservoir_without_connections_runs():
    for layout in ("diagonals", "ell", "csr"):
        case = Case(layout, 4, 1, [5], np.float64)
        case.W_dense = np.zeros((4, 4))
        case.W, case.csr = as_layout(layout, case.W_dense)
        assert_close(case.run()[0], case.reference())


@layouts
@both
@pytest.mark.parametrize("n_units", SIZES)
def test_lanes_equal_run_bit_for_bit(layout, dtype, n_units):
    lengths = np.random.default_rng(0).integers(1, 9, 2 * LANES + 3)
    case = Case(layout, n_units, 3, lengths, dtype).hold(0.1, [n_units - 1])
    for one, other in zip(case.run(), case.run(run_lanes), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("n_sequences", [1, 2, LANES - 1, LANES, LANES + 1])
@pytest.mark.parametrize("activation", sorted(CODES))
def test_lanes_equal_run_for_any_number_of_sequences(n_sequences, activation):
    lengths = 1 + np.arange(n_sequences) % 4
    case = Case("csr", 6, 5, lengths, np.float64)
    for kernel in (run, run_lanes):
        states, last = case.run(kernel, activation)
        assert_close(states, case.reference(activation))
        assert np.array_equal(last, states[case.starts + case.lengths - 1])
    assert np.array_equal(case.run(run, activation)[0], case.run(run_lanes, activation)[0])


@layouts
@both
@pytest.mark.parametrize("n_units, n_features", [(17, 3), (40, 12), (70, 40)])
@pytest.mark.parametrize("lengths", [[9, 9, 6, 20, 4, 4, 7], [5] * 8, [1, 3, 3, 3]])
def test_sequences_side_by_side_have_the_bits_of_each_alone(
    layout, dtype, n_units, n_features, lengths
):
    case = Case(layout, n_units, n_features, lengths, dtype)
    states, last = case.run()
    starts, lengths, x0 = case.starts, case.lengths, case.x0
    for s in range(len(lengths)):
        case.starts, case.lengths, case.x0 = starts[s : s + 1], lengths[s : s + 1], x0[s : s + 1]
        alone, end = case.run()
        rows = slice(starts[s], starts[s] + lengths[s])
        assert np.array_equal(alone[rows], states[rows]) and np.array_equal(end[0], last[s])


@layouts
@both
@pytest.mark.parametrize("kernel", [run, run_lanes])
@pytest.mark.parametrize("held", [{}, {"units": [2, 0], "per_row": True}, {"noise": 0.1}])
def test_last_states_alone_have_the_same_bits(layout, dtype, kernel, held):
    for n_units in (5, 40):
        case = Case(layout, n_units, 3, [9, 9, 1, 20, 4, 4, 7], dtype)
        if held:
            case.hold(**held)
        _, last = case.run(kernel)
        assert np.array_equal(case.run(kernel, every=False)[1], last)


@layouts
@both
def test_two_halves_equal_the_whole_bit_for_bit(layout, dtype):
    whole = Case(layout, 17, 4, [30], dtype)
    states, last = whole.run()
    for cut in range(1, 30):
        first = Case(layout, 17, 4, [30], dtype)
        first.lengths = np.array([cut])
        head, middle = first.run()
        first.starts, first.lengths, first.x0 = np.array([cut]), np.array([30 - cut]), middle
        tail, end = first.run()
        assert np.array_equal(np.vstack([head[:cut], tail[cut:]]), states)
        assert np.array_equal(end, last)


class Loop:
    """A closed loop of a case: 2 outputs, the other features from outside."""

    def __init__(self, case, n_steps, n_exog, include_input=True):
        self.case, n_units = case, len(case.b)
        n_seen = n_units + (2 + n_exog if include_input else 0)
        self.coef = (0.3 * case.draw(2, n_seen)).astype(case.dtype)
        self.intercept, self.u, self.x = case.draw(2), case.draw(2 + n_exog), case.draw(n_units)
        self.exog = case.draw(n_steps, n_exog)

    def run(self, exog, u, x, activation="tanh"):
        case, out = self.case, np.empty((len(exog), 2), self.case.dtype)
        u, x = u.copy(), x.copy()
        closed_loop(
            case.W, case.drive, CODES[activation], case.held, self.coef, self.intercept, u, exog,
            x, out,
        )  # fmt: skip
        return out, u, x


@layouts
@both
@pytest.mark.parametrize("n_exog", [0, 1, 3])
@pytest.mark.parametrize("include_input", [True, False])
def test_closed_loop_equals_the_loop(layout, dtype, n_exog, include_input):
    case = Case(layout, 13, 2 + n_exog, [1], dtype)
    loop = Loop(case, 12, n_exog, include_input)
    wanted = closed_loop_reference(
        case.W_dense, case.W_in, case.b, case.drive.leak, "tanh", loop.coef, loop.intercept,
        loop.u, loop.exog, loop.x,
    )  # fmt: skip
    # Errors go round the loop and may grow a little at each turn.
    np.testing.assert_allclose(loop.run(loop.exog, loop.u, loop.x)[0], wanted, rtol=0,
                               atol=100 * tolerance(dtype))  # fmt: skip


@layouts
@both
@pytest.mark.parametrize("n_units", SIZES)
@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_closed_loop_equals_run_on_its_own_outputs_bit_for_bit(layout, dtype, n_units, activation):
    case = Case(layout, n_units, 3, [10], dtype)
    loop = Loop(case, 10, 1)
    out, _, last = loop.run(loop.exog, loop.u, loop.x, activation)
    heard = np.vstack([loop.u[:2], out[:-1]])
    case.U, case.x0 = np.ascontiguousarray(np.hstack([heard, loop.exog])), loop.x[None]
    states, end = case.run(activation=activation)
    again = np.empty_like(out)
    affine(np.hstack([states, case.U]), loop.coef, loop.intercept, again)
    assert np.array_equal(out, again) and np.array_equal(last, end[0])


@both
def test_closed_loop_in_two_halves_equals_the_whole_bit_for_bit(dtype):
    loop = Loop(Case("diagonals", 21, 4, [1], dtype), 20, 2)
    whole, _, end = loop.run(loop.exog, loop.u, loop.x)
    for cut in range(1, 20):
        head, u, x = loop.run(loop.exog[:cut], loop.u, loop.x)
        tail, _, last = loop.run(loop.exog[cut:], u, x)
        assert np.array_equal(np.vstack([head, tail]), whole) and np.array_equal(last, end)


def test_closed_loop_holds_units():
    case = Case("ell", 8, 2, [1], np.float64)
    case.held = Forcing(np.empty((0, 8)), np.array([3]), case.draw(6, 1))
    loop = Loop(case, 6, 0, include_input=False)
    loop.coef[:], loop.intercept[:] = 0, 0
    loop.coef[0, 3] = 1.0
    assert np.array_equal(loop.run(loop.exog, loop.u, loop.x)[0][:, 0], case.held.values[:, 0])


def test_code_of_changed_sources_is_compiled_anew(tmp_path):
    sources, cache = tmp_path / "kernels", tmp_path / "somewhere" / "cache"
    sources.mkdir()
    for name in ("a", "b"):
        (sources / f"{name}.py").write_text(name)
    drop_stale_code(sources, cache)
    kept, index, code = cache / "note.txt", cache / "a.f-1.nbi", cache / "a.f-1.1.nbc"
    for path in (kept, index, code):
        path.write_text("")
    drop_stale_code(sources, cache)
    assert index.exists()
    (sources / "b.py").write_text("changed")
    drop_stale_code(sources, cache)
    assert not index.exists() and kept.exists()
    index.write_text("")
    drop_stale_code(sources, cache)
    assert index.exists()


def test_compiled_code_is_kept_where_sources_are_watched():
    assert (Path(run.stats.cache_path) / "sources.sha256").exists()


NO_PLACE = """
import warnings
from numba.core import caching
impl = getattr(caching, "CacheImpl", None) or caching._CacheImpl
impl._locator_classes = impl._locator_classes[:1]
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    from esnkit.kernels.activations import tanh_array
    from esnkit.kernels import cache
import numpy as np
x, out = np.zeros(1), np.ones(1)
tanh_array(x, out)
print(out[0], [w.filename == cache.__file__ for w in caught], "NUMBA_CACHE_DIR" in str(caught[0]))
print(tanh_array.stats.cache_path)
"""


def test_without_a_place_for_compiled_kernels_they_live_for_one_process():
    (out,) = outputs_of(NO_PLACE, {"NUMBA_CACHE_DIR": ""})
    first, place = out.splitlines()
    assert first == "0.0 [True] True"
    assert Path(place).parent.name.startswith("esnkit-") and not Path(place).exists()


UNCOMPILED = """
import numpy as np
from esnkit import Reservoir
X = np.random.default_rng(0).uniform(-1, 1, (40, 3))
sequences = X.reshape(20, 2, 3)
for topology in ("diagonals", "random"):
    reservoir = Reservoir(41, topology=topology, random_state=0).fit(X)
    print(*reservoir.transform(X).ravel(), *reservoir.transform(sequences).ravel())
"""


def test_uncompiled_kernels_give_the_same_states():
    found = outputs_of(UNCOMPILED, *({"NUMBA_DISABLE_JIT": disable} for disable in "01"))
    answers = [np.array(out.split(), float) for out in found]
    assert answers[0].size == 2 * 2 * 40 * 41
    np.testing.assert_allclose(answers[1], answers[0], rtol=1e-12, atol=1e-12)
