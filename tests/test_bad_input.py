"""Wrong calls, one a row: the type of the exception, and a message that names the argument."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.cluster import KMeans
from sklearn.linear_model import Lasso, LinearRegression, LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import esnkit
from esnkit import (
    NVAR,
    DeepReservoir,
    ESNClassifier,
    ESNRegressor,
    Forecaster,
    MemoryReservoir,
    PatchForecaster,
    Reservoir,
    ReservoirClassifier,
    ReservoirRegressor,
    RidgeReadout,
    RNNClassifier,
    RNNRegressor,
    Seq2SeqClassifier,
    TokenEncoder,
    adapters,
)
from esnkit.analysis import (
    check_echo_state_property,
    conditional_lyapunov_exponents,
    echo_state_index,
    generalization_rank,
    information_processing_capacity,
    kernel_rank,
    lyapunov_spectrum,
    memory_capacity,
)
from esnkit.datasets import (
    data_path,
    load_bike_sharing,
    make_adding,
    make_lorenz,
    make_mackey_glass,
    make_narma,
    make_sine,
    make_temporal_order,
)
from esnkit.export import to_c, to_onnx
from esnkit.metrics import mase, nrmse, valid_prediction_time
from esnkit.model_selection import (
    RecycleValidation,
    WalkForwardValidation,
    nrmse_at,
    valid_time,
)
from esnkit.plotting import AttractorDisplay
from esnkit.pooling import ModelSpace
from esnkit.readouts import RLSReadout
from esnkit.reservoirs.topologies import make_topology

RNG = np.random.default_rng(0)
X = RNG.standard_normal((40, 2))
y = X[:, 0] + 0.5 * X[:, 1]
LABELS = np.where(y > 0, "up", "down")
BATCH = RNG.standard_normal((6, 10, 2))
RAGGED = [RNG.standard_normal((5 + i, 2)) for i in range(6)]
ONES = np.ones(40)
PER_SEQUENCE = np.arange(6.0)
NILPOTENT = np.diag(np.ones(4), 1)
WAVE = np.sin(np.arange(60) / 4)
FIELD = np.sin(np.arange(360.0)).reshape(30, 12)
TOKENS = np.arange(40)[:, None] % 3
SMALL = X.astype("f4")
TIMES = np.arange(40).astype("datetime64[D]")
nan, inf = np.nan, np.inf
V, T, A = ValueError, TypeError, AttributeError


def esn(**parameters):
    return ESNRegressor(**({"n_units": 5, "random_state": 0} | parameters))


def steps():
    return esn(target="steps")


def labeller(**parameters):
    return ESNClassifier(**({"n_units": 5, "random_state": 0} | parameters))


def reservoir(**parameters):
    return Reservoir(**({"n_units": 5, "random_state": 0} | parameters))


def given(**parameters):
    return esn(**parameters).fit(X, y)


def labelled():
    return labeller().fit(X, LABELS)


def closed():
    """Fit two features to follow themselves, so that the loop can be closed."""
    return esn().fit(X[:-1], X[1:])


def exogenous():
    """Fit one feature that is fed back, beside one that is given."""
    return esn().fit(X[:-1], X[1:, :1])


def fed():
    return esn(feedback=True).fit(X, y)


def ridge(**parameters):
    return RidgeReadout(**parameters).fit(X, y)


def rls(**parameters):
    return RLSReadout(**parameters).fit(X, y)


def deep(**parameters):
    return DeepReservoir(reservoir(), 2, **parameters).fit(X)


def remembering(**parameters):
    return MemoryReservoir(reservoir(), **parameters).fit(X)


def patchwise(**parameters):
    return PatchForecaster(esn(), **parameters).fit(FIELD)


def lagged(**parameters):
    return Forecaster(Ridge(), **({"lags": 2} | parameters))


def rnn(**parameters):
    return RNNRegressor(**({"n_units": 5, "max_iter": 1, "random_state": 0} | parameters))


def rnn_steps():
    return rnn(target="steps")


def rnn_labeller(**parameters):
    return RNNClassifier(**({"n_units": 5, "max_iter": 1, "random_state": 0} | parameters))


def trained(**parameters):
    return rnn(**parameters).fit(X, y)


def rnn_labelled(**parameters):
    return rnn_labeller(**parameters).fit(X, LABELS)


def rnn_closed():
    return rnn().fit(X[:-1], X[1:])


def rnn_exogenous():
    return rnn().fit(X[:-1], X[1:, :1])


def speaker(**parameters):
    """Fit tokens to follow themselves, so that they can be drawn."""
    return rnn_labeller(**parameters).fit(TOKENS[:-1], TOKENS[1:, 0])


def attractor(**parameters):
    given = {"trajectories": {"x": X}, **parameters}
    return AttractorDisplay.from_series(given.pop("trajectories"), **given)


def sktime(name, *parameters):
    pytest.importorskip("sktime")
    return getattr(adapters, name)(*parameters)


def pairs():
    """Fit a classifier that scores pairs of three classes."""
    readout = make_pipeline(SVC(decision_function_shape="ovo"))
    return labeller(readout=readout).fit(X, np.digitize(y, [-0.5, 0.5]))


def frame(*columns):
    return pytest.importorskip("pandas").DataFrame(X[:, : len(columns)], columns=list(columns))


def hole(values, what=nan):
    values = np.array(values, dtype=float)
    values.flat[3] = what
    return values


def masked(values):
    """Hide the first value."""
    array = np.ma.array(values, copy=True)
    array[(0,) * array.ndim] = np.ma.masked
    return array


def hidden(what, call):
    """One row for an argument with masked values."""
    return row(f"masked {what}", call, V, f"{what} has masked values")


def without_row(i):
    """Take one row from the targets of one ragged sequence."""
    return [x[:-1] if k == i else x for k, x in enumerate(RAGGED)]


class Deaf(Lasso):
    """A regressor that takes no weights."""

    def fit(self, X, y):
        return super().fit(X, y)


def with_a_gap():
    pd = pytest.importorskip("pandas")
    index = pd.date_range("2024-01-01", periods=61, freq="h").delete(30)
    return pd.Series(WAVE, index=index)


def row(name, call, error, message):
    return pytest.param(call, error, message, id=name)


def shown(value):
    simple = isinstance(value, (str, int, float, tuple, type(None))) and len(repr(value)) < 30
    return repr(value) if simple else type(value).__name__


def each(name, call, error, *values, message=None):
    """One row for every value of one argument, whose name must be in the message."""
    return [
        row(f"{name} {shown(value)}", lambda v=value: call(v), error, message or name)
        for value in values
    ]


def parameter(name, error, *values, **others):
    """One row for every value of a parameter of a network."""
    return each(name, lambda v: given(**{name: v}, **others), error, *values)


def hyper(name, error, *values, **others):
    """One row for every value of a parameter of a trained network."""
    return each(f"rnn {name}", lambda v: trained(**{name: v}, **others), error, *values,
                message=name)  # fmt: skip


def of_matrix(function, *more):
    """One row for everything that is no real square matrix."""
    wrong = (
        np.ones((2, 3)), np.ones(3), np.empty((0, 0)), np.full((2, 2), nan), np.diag([1, inf]),
        np.eye(2) * 1j, [["a"]], [[1.0], [1.0, 2.0]], sp.csr_array(np.full((2, 2), nan)), None, 3.0,
    )  # fmt: skip
    return each(f"{function.__name__} W", lambda W: function(W, *more), V, *wrong, message="W")


# fmt: off
INPUTS = [
    *each("X", lambda v: esn().fit(v, y), V, None, "series", {"a": 1}, X[None, None]),
    row("X 1-D", lambda: esn().fit(y, y), V, "Expected 2D array"),
    row("X scalar", lambda: esn().fit(1.0, y), V, "Expected 2D array"),
    row("X text", lambda: esn().fit([["a", "b"]] * 40, y), V, "X must hold real numbers"),
    row("X complex", lambda: esn().fit(X * 1j, y), V, "X must hold real numbers"),
    row("X complex batch", lambda: esn().fit(BATCH * 1j, PER_SEQUENCE), V, "X must hold real"),
    row("X times", lambda: esn().fit(TIMES[:, None], y), V, "X must hold numbers, got times"),
    row("X a column of times", lambda: esn().fit(frame("a").assign(b=TIMES), y), V,
        "X .* got times"),
    row("X sparse", lambda: esn().fit(sp.csr_array(X), y), T, "Sparse data was passed for X"),
    row("X NaN", lambda: esn().fit(hole(X), y), V, "X contains NaN"),
    row("X infinite", lambda: esn().fit(hole(X, inf), y), V, "X contains infinity"),
    row("X beyond float32", lambda: esn().fit(X.astype("f4"), y).predict(X * 1e300), V,
        "X contains"),
    row("X empty", lambda: esn().fit(X[:0], y[:0]), V, r"0 sample\(s\).*ESNRegressor"),
    row("X no features", lambda: esn().fit(X[:, :0], y), V, r"0 feature\(s\).*ESNRegressor"),
    row("X empty list", lambda: esn().fit([], []), V, "X is an empty list"),
    row("X no sequences", lambda: esn().fit(BATCH[:0], []), V, r"X has shape \(0, 10, 2\)"),
    row("X no steps", lambda: esn().fit(BATCH[:, :0], y[:6]), V, r"X has shape \(6, 0, 2\)"),
    row("X no features, 3-D", lambda: esn().fit(BATCH[..., :0], y[:6]), V,
        r"X has shape \(6, 10, 0"),
    row("X NaN in 3-D", lambda: esn().fit(hole(BATCH), PER_SEQUENCE), V, "X contains NaN"),
    row("X empty sequence", lambda: esn().fit([X, X[:0]], [0, 1]), V, r"X\[1\] is an empty"),
    row("X first one empty", lambda: esn().fit([X[:0], X], [0, 1]), V, r"X\[0\] is an empty"),
    *each("X", lambda v: esn().fit(v, y), T, (x for x in X), {1.0}, len, object()),
    row("X times in a list", lambda: esn().fit([X, TIMES[:, None]], [0, 1]), V, r"X\[1\] .* times"),
    row("X sparse in a list", lambda: esn().fit([X, sp.csr_array(X)], [0, 1]), V,
        r"X\[1\] must be a 2-D array"),
    row("X widths in nested lists", lambda: esn().fit([[[1.0], [2.0, 3.0]]], [0]), V, "X holds"),
    row("X widths", lambda: esn().fit([X, X[:, :1]], [0, 1]), V,
        r"X\[1\] has 1 features but X\[0\]"),
    row("X dimensions", lambda: esn().fit([X, y], [0, 1]), V, r"X\[1\] must be a 2-D array"),
    row("X 3-D in a list", lambda: esn().fit([X, BATCH], [0, 1]), V, r"X\[1\] must be a 2-D array"),
    row("X None in a list", lambda: esn().fit([X, None], [0, 1]), V, r"X\[1\] must be a 2-D array"),
    row("X NaN in a list", lambda: esn().fit([X, hole(X)], [0, 1]), V, "X contains NaN"),
    row("X list, no features", lambda: esn().fit([X[:, :0]] * 2, [0, 1]), V, r"0 feature\(s\)"),
    row("X columns", lambda: esn().fit([frame("a"), frame("b")], [0, 1]), V,
        r"X\[1\] has other col"),
    row("X reservoir NaN", lambda: reservoir().fit(hole(X)), V, "X contains NaN"),
    row("X reservoir 1-D", lambda: reservoir().fit_transform(y), V, "Expected 2D array"),
    row("X transform", lambda: reservoir().fit(X).transform(hole(X)), V, "X contains NaN"),
    row("X predict NaN", lambda: given().predict(hole(X)), V, "X contains NaN"),
    row("X predict empty", lambda: given().predict(X[:0]), V, r"0 sample\(s\)"),
    row("X predict 1-D", lambda: given().predict(y), V, "Expected 2D array"),
    row("X features", lambda: given().predict(X[:, :1]), V, "X has 1 features.* expecting 2"),
    row("X features of a batch", lambda: given().predict(BATCH[..., :1]), V, "X has 1 features"),
    row("X features of a list", lambda: given().predict([X[:, :1]]), V, "X has 1 features"),
    row("X features, transform", lambda: reservoir().fit(X).transform(X[:, :1]), V,
        "X has 1 features"),
    row("X features, readout", lambda: ridge().predict(X[:, :1]), V, "X has 1 features"),
    row("X names", lambda: esn().fit(frame("a"), y).predict(frame("b")), V, "feature names"),
    row("X order", lambda: esn().fit(frame("a", "b"), y).predict(frame("b", "a")), V,
        "feature names"),
]

TARGETS = [
    row("y missing", lambda: esn().fit(X), V, "requires y"),
    row("y None", lambda: labeller().fit(X, None), V, "requires y"),
    row("y missing, readout", lambda: RidgeReadout().fit(X, None), V, "requires y"),
    row("y short", lambda: esn().fit(X, y[:-1]), V, "y has 39 rows but X has 40 time steps"),
    row("y long", lambda: esn().fit(X[:-1], y), V, "y has 40 rows but X has 39"),
    row("y empty", lambda: esn().fit(X, []), V, "y has 0 rows"),
    row("y scalar", lambda: esn().fit(X, 1.0), V, "y has 0 dimensions"),
    row("y 3-D", lambda: esn().fit(X, y[:, None, None]), V, "y has 3 dimensions"),
    row("y no outputs", lambda: esn().fit(X, X[:, :0]), V, r"y has shape \(40, 0\)"),
    row("y NaN", lambda: esn().fit(X, hole(y)), V, "y contains NaN"),
    row("y infinite", lambda: esn().fit(X, hole(y, inf)), V, "y contains infinity"),
    row("y beyond float32", lambda: esn().fit(X.astype("f4"), y * 1e300), V,
        "y must be finite in f"),
    row("y text", lambda: esn().fit(X, LABELS), V, "y must hold real numbers"),
    row("y complex", lambda: esn().fit(X, y * 1j), V, "y must hold real numbers"),
    row("y times", lambda: esn().fit(X, TIMES), V, "y must hold numbers, got times"),
    row("y sparse", lambda: esn().fit(X, sp.csr_array(X)), T, "y is sparse"),
    row("y of others", lambda: esn().fit(BATCH, y), V, "y has 40 rows but X has 6 sequences"),
    row("y of other steps", lambda: esn().fit(BATCH, BATCH[:, :-1]), V, r"y has shape \(6, 9, 2\)"),
    row("y of five", lambda: esn().fit(RAGGED, [1.0] * 5), V, "y has 5 rows but X has 6"),
    row("y of five lists", lambda: esn().fit(RAGGED, RAGGED[:5]), V, "y has 5 items but X has 6"),
    row("y a row less", lambda: steps().fit(RAGGED, without_row(2)), V,
        r"y\[2\] has 6 rows but X\[2\]"),
    row("y outputs", lambda: steps().fit([X, X], [X, y]), V,
        "y must have the same number of outputs"),
    row("y NaN in a list", lambda: steps().fit([X, X], [y, hole(y)]), V, r"y\[1\] contains NaN"),
    row("y both", lambda: esn().fit(BATCH, BATCH[..., 0]), V,
        "target='steps' or target='sequence'"),
    row("y both, list", lambda: esn().fit([X, X], [y, y]), V,
        "target='steps' or target='sequence'"),
    row("y not steps", lambda: steps().fit(BATCH, PER_SEQUENCE), V,
        "target='steps' needs a row of y"),
    row("y not one", lambda: esn(target="sequence").fit(BATCH, BATCH), V, "target='sequence'"),
    row("y not one, list", lambda: esn(target="sequence").fit(RAGGED, RAGGED), V,
        "target='sequence'"),
    row("y not one, series", lambda: given(target="sequence"), V, "one series, but y has 40 rows"),
    row("y continuous labels", lambda: labeller().fit(X, y), V, "label type: continuous"),
    row("y two labels", lambda: labeller().fit(X, X > 0), V, "y should be a 1d array"),
    row("y NaN labels", lambda: labeller().fit(X, hole(y > 0)), V,
        r"y\[3\] is missing, got nan"),
    row("y mixed labels", lambda: labeller().fit(X, np.array([1, "a"] * 20, object)), V,
        "label type"),
    *each("y missing label", lambda v: labeller().fit(X, ["up", "down", v] + ["up"] * 37), V,
          None, nan, np.datetime64("NaT"), message=r"y\[2\] is missing, got .*leave its row out"),
    row("y missing label of a network", lambda: rnn_labeller().fit(X, [0, None] * 20), V,
        r"y\[1\] is missing"),
    row("y missing label in a list", lambda: labeller().fit([X, X], [LABELS, [*LABELS[1:], nan]]),
        V, r"y\[1\]\[39\] is missing"),
    row("y missing label of a score", lambda: labelled().score(X, [*LABELS[1:], None]), V,
        r"y\[39\] is missing"),
    row("classes missing", lambda: labeller(alpha=1e-2).partial_fit(X, LABELS, ["up", None]), V,
        r"classes\[1\] is missing"),
    row("y labels short", lambda: labeller().fit(X, LABELS[:9]), V, "y has 9 rows"),
    row("y of a score", lambda: given().score(X, y[:9]), V, "y has 9 rows"),
    row("y of a score NaN", lambda: given().score(X, hole(y)), V, "y contains NaN"),
    row("y of a score None", lambda: given().score(X, None), V, "requires y"),
    row("y of a score of labels", lambda: labelled().score(X, LABELS[:9]), V, "y has 9 rows"),
    row("y of a score of two labels", lambda: labelled().score(X, np.stack([LABELS] * 2, axis=1)),
        V, "y must hold one label each, got 2 columns"),
    row("y readout short", lambda: RidgeReadout().fit(X, y[:9]), V,
        "inconsistent numbers of samples"),
    row("y readout NaN", lambda: RidgeReadout().fit(X, hole(y)), V, "y contains NaN"),
]

MASKED = [
    hidden("X", lambda: esn().fit(masked(X), y)),
    hidden("X", lambda: esn().fit(masked(BATCH), PER_SEQUENCE)),
    hidden(r"X\[2\]", lambda: esn().fit([*RAGGED[:2], masked(RAGGED[2])], np.arange(3.0))),
    hidden(r"X\[1\]", lambda: esn().fit([X[0].tolist(), masked(X[1])], y[:2])),
    hidden(r"X\[0\]\[1\]", lambda: esn().fit([[0.0, np.ma.masked], [1.0, 1.0]], y[:2])),
    hidden("X", lambda: given().predict(masked(X))),
    hidden("X", lambda: given().score(masked(X), y)),
    hidden("X", lambda: given().partial_fit(masked(X), y)),
    hidden("X", lambda: labeller().fit(masked(X), LABELS)),
    hidden("X", lambda: labelled().predict_proba(masked(X))),
    hidden("X", lambda: reservoir().fit(masked(X))),
    hidden("X", lambda: reservoir().fit(X).transform(masked(X))),
    hidden("X", lambda: ReservoirClassifier(reservoir()).fit(masked(X), LABELS)),
    hidden("X", lambda: rnn().fit(masked(X), y)),
    hidden("X", lambda: trained().predict(masked(X))),
    hidden("X", lambda: rnn_labelled().decision_function(masked(X))),
    hidden(r"X\[0\]", lambda: Seq2SeqClassifier(5).fit([masked([1, 2])], [[1, 2]])),
    hidden(r"X\[0\]", lambda: TokenEncoder().fit(["ab"]).inverse_transform([masked([1, 2])])),
    hidden("y", lambda: esn().fit(X, masked(y))),
    hidden("y", lambda: esn().fit(BATCH, masked(BATCH))),
    hidden(r"y\[0\]", lambda: steps().fit(RAGGED, [masked(x) for x in RAGGED])),
    hidden("y", lambda: given().score(X, masked(y))),
    hidden("y", lambda: labeller().fit(X, masked(LABELS))),
    hidden("y", lambda: labeller().fit(X, masked(y > 0))),
    hidden("y", lambda: rnn().fit(X, masked(y))),
    hidden("y", lambda: rnn_labeller().fit(X, masked(LABELS))),
    hidden("y", lambda: trained().gradient_norms(X, masked(y))),
    hidden(r"y\[0\]", lambda: Seq2SeqClassifier(5).fit([[1, 2]], [masked([1, 2])])),
    hidden("classes", lambda: labeller(alpha=1e-2).partial_fit(X, LABELS, masked(["down", "up"]))),
    hidden("sample_weight", lambda: esn().fit(X, y, sample_weight=masked(ONES))),
    hidden("sample_weight", lambda: esn().fit(BATCH, PER_SEQUENCE, sample_weight=masked(ONES[:6]))),
    hidden(r"sample_weight\[1\]", lambda: steps().fit([X, X], [X, X], sample_weight=[
        ONES, masked(ONES)])),
    hidden("sample_weight", lambda: rnn().fit(X, y, sample_weight=masked(ONES))),
    hidden("sample_weight", lambda: given().score(X, y, sample_weight=masked(ONES))),
    hidden("initial_state", lambda: esn().fit(X, y, initial_state=masked(np.ones(5)))),
    hidden(r"initial_state\[1\]", lambda: given().predict(X, initial_state=([0, 1], masked([
        1.0, 2.0])))),
    hidden(r"initial_state\[0\]", lambda: given().predict(X, initial_state=(masked([0, 1]), [
        1.0, 2.0]))),
    hidden("initial_state", lambda: fed().predict(X, initial_state=masked(np.ones(5)))),
    hidden("initial_state", lambda: trained().predict(X, initial_state=masked(np.ones(5)))),
    hidden("initial_state", lambda: trained().stream(masked(np.ones(5)))),
    hidden("initial_state", lambda: make_lorenz(10, initial_state=masked([1.0, 1.0, 1.0]))),
    hidden(r"clamp\[1\]", lambda: given().predict(X, clamp=([0, 1], masked([1.0, 2.0])))),
    hidden(r"clamp\[1\]\[0\]", lambda: esn().fit([X, X], [0.0, 1.0], clamp=([0, 1], [
        masked(X), X]))),
    hidden(r"clamp\[1\]", lambda: trained().predict(X, clamp=([0], masked([1.0])))),
    hidden("warmup", lambda: closed().generate(3, masked(X))),
    hidden("warmup", lambda: fed().generate(3, (X, masked(y)), exog=X[:3])),
    hidden("warmup", lambda: speaker().generate(3, masked(TOKENS[:, 0]))),
    hidden("exog", lambda: exogenous().generate(3, X, exog=masked(np.zeros((3, 1))))),
    hidden("x", lambda: trained().stream().step(masked(X[0]))),
    hidden("leak_rate", lambda: given(leak_rate=masked([0.5] * 5))),
    hidden("input_scaling", lambda: given(input_scaling=masked([0.5] * 2))),
    hidden("topology", lambda: given(topology=masked(np.eye(5)))),
    hidden("W", lambda: esnkit.spectral_radius(masked(np.eye(5)))),
    hidden("y_true", lambda: nrmse(masked(y), y)),
    hidden("y", lambda: ridge().score(X, masked(y))),
    hidden("sample_weight", lambda: ridge().score(X, y, masked(ONES))),
    hidden("alpha", lambda: ridge(alpha=masked([1.0, 2.0]))),
    hidden(r"y_pred\[0\]", lambda: mase(X, [masked(x) for x in X], X)),
]

PARAMETERS = [
    *parameter("n_units", V, 0, -1, np.int64(0)),
    *parameter("n_units", T, 1.5, True, "10", None, nan, [5]),
    *parameter("degree", V, 0, -2),
    *parameter("degree", T, 2.5, None, "all", True),
    *parameter("spectral_radius", V, 0, -1.0, nan, inf),
    *parameter("spectral_radius", T, "big", True, [0.9], 1j),
    *parameter("leak_rate", V, 0, 0.0, -0.1, 1.1, nan, inf, [0.5] * 4, [0.5] * 6, ["a"] * 5,
          [0.5, 0.5, 0.5, 0.5, 0.0], [0.5, 0.5, 0.5, 0.5, nan], np.full((5, 5), 0.5)),
    *parameter("leak_rate", V, (0.1,), (0.1, 0.5, 1.0), (0.5, 0.1), (0.0, 1.0), (0.1, 2.0),
          (nan, 1)),
    *parameter("leak_rate", T, "slow", True, ("a", "b")),
    *parameter("input_scaling", V, -1, nan, inf, [1.0], [1.0] * 3, [1.0, -1.0], [1.0, nan],
          ["a", "b"], [[1.0, 1.0]], [1.0, [2.0]]),
    *parameter("input_scaling", V, -1.0, [1.0] * 3, [1.0, nan], feedback=True),
    *parameter("input_scaling", T, "big", True),
    row("scaling of text", lambda: given(input_scaling="Auto"), T, "or 'auto', got 'Auto'"),
    *parameter("bias_scaling", V, -0.1, nan, inf),
    *parameter("bias_scaling", T, "x", None, [1.0]),
    *parameter("noise", V, -0.1, nan, inf),
    *parameter("noise", T, "x", None, [1.0]),
    *parameter("input_density", V, 0, 2, -0.5, nan),
    *parameter("input_density", T, "half", None),
    *parameter("topology", V, "ring", "", np.ones((4, 4)), np.ones((5, 4)), np.ones(5),
          np.eye(5) * 1j, np.full((5, 5), nan), [["a"] * 5] * 5, [[1.0], [1.0, 2.0]]),
    *parameter("topology", V, lambda n, rng: np.ones((n, n + 1)), lambda n, rng: None),
    *parameter("topology", T, None, 3),
    *each("nilpotent", lambda v: given(topology=v), V, NILPOTENT, sp.csr_array(NILPOTENT),
          message="spectral_radius=0.9 cannot be reached.*nilpotent"),
    row("zero", lambda: given(topology=np.zeros((5, 5))), V, "spectral_radius=0.9 cannot .* zero"),
    *parameter("weights", V, "gaussian", None, 1),
    *parameter("topology_params", V, {"jump_size": 3}),
    *parameter("topology_params", T, 3, ["jump_size"]),
    *parameter("input_weights", V, "sparse", np.ones((5, 3)), [["a", "b"]] * 5),
    *parameter("input_weights", T, None, 3),
    *parameter("update", V, "drifting", None),
    *parameter("update_params", V, {"diffusion": 0.1}),
    *parameter("update_params", T, 3),
    *parameter("activation", V, "softmax", None, np.tanh),
    *parameter("pooling", V, "maximum", None, [], ["mean", "all"], ["mean", "mean"], [["mean"]],
          ["statistics", "std"], np.mean(BATCH), ModelSpace),
    row("components", lambda: given(pooling=ModelSpace(0)), V, "n_components .* got 0"),
    row("components T", lambda: given(pooling=[ModelSpace("all")]), T, "n_components .* 'all'"),
    row("penalty", lambda: given(pooling=ModelSpace(alpha=0)), V, "alpha .* got 0"),
    *each("function", lambda f: esn(pooling=f).fit(BATCH, PER_SEQUENCE), V,
          lambda Z: Z, lambda Z: Z[0] * nan, lambda Z: "mean", lambda Z: Z[0][:0],
          message="pooling=<lambda> must return"),
    row("function, lengths", lambda: esn(pooling=lambda Z: Z[:, 0]).fit(RAGGED, PER_SEQUENCE), V,
        "pooling=<lambda> must return vectors of one length"),
    *parameter("target", V, "all", None),
    *parameter("solver", V, "svd", None, 1),
    *parameter("random_state", V, -1, 2**40, "x", 1.5),
    *parameter("alpha", V, -1.0, nan, inf, [], [1.0, -1.0], [1.0, nan], [[1.0]]),
    *parameter("alpha", T, "small", {}, ["a"], True),
    *parameter("washout", V, -1, 40, 41, 10**9),
    *parameter("washout", T, 1.5, "10", None, True),
    row("washout batch", lambda: esn(washout=10).fit(BATCH, BATCH), V,
        "washout=10 .* longest .*10"),
    row("washout list", lambda: esn(washout=10).fit(RAGGED, RAGGED), V, "washout=10"),
    row("washout one", lambda: esn(washout=10, pooling="mean").fit(BATCH, PER_SEQUENCE), V,
        r"washout=10 leaves no time step of X\[0\]: it has 10"),
    row("washout last", lambda: esn(washout=10).fit(BATCH, PER_SEQUENCE), V,
        r"washout=10 leaves no time step of X\[0\]: it has 10"),
    row("washout one, predict", lambda: esn(washout=5, pooling="mean").fit(BATCH, PER_SEQUENCE)
        .predict(RAGGED), V, r"washout=5 leaves no time step of X\[0\]"),
    *parameter("feedback_scaling", V, -1.0, nan, feedback=True),
    *parameter("feedback", T, "yes", None, 1),
    row("feedback, readout", lambda: esn(feedback="force", readout=Ridge()).fit(X, y), V,
        'feedback="force" needs a readout that learns row by row'),
    *parameter("include_input", T, "no", None, 0),
    *parameter("quadratic", T, "no", None, 0),
    row("feedback, one", lambda: esn(feedback=True).fit(BATCH, PER_SEQUENCE), V,
        "feedback=True needs"),
    *parameter("readout", T, "ridge", Ridge, Reservoir(), LogisticRegression()),
    *each("reservoir", lambda v: ReservoirRegressor(v).fit(X, y), T, "x", Reservoir, Ridge(), 5),
    *each("reservoir", lambda v: ReservoirClassifier(v).fit(X, LABELS), T, "x", Reservoir, Ridge()),
    row("reservoir's n_units", lambda: ReservoirRegressor(Reservoir(0)).fit(X, y), V, "n_units"),
    row("readout's alpha", lambda: ReservoirRegressor(None, RidgeReadout(-1)).fit(X, y), V,
        "alpha"),
    *each("n_units", lambda v: reservoir(n_units=v).fit(X), V, 0, -3),
    *each("leak_rate", lambda v: reservoir(leak_rate=v).fit(X), V, 0, (0, 1)),
    row("unknown parameter", lambda: ESNRegressor(n_neurons=5), T, "n_neurons"),
    row("unknown to set_params", lambda: esn().set_params(leek_rate=1.0), V, "leek_rate"),
    row("unknown to fit", lambda: esn().fit(X, y, weight=y), T, "weight"),
    row("unknown to fit_transform", lambda: reservoir().fit_transform(X, start=y), T, "start"),
    *each("class_weight", lambda v: labeller(class_weight=v).fit(X, LABELS), V, "heavy", 2.0,
          {"left": 1.0}, {"up": -1.0}, {"up": nan}, {"up": "x"}, {"up": 0.0, "down": 0.0}),
    *each("boundless", lambda v: esn(activation=v, spectral_radius=50.0).fit(np.tile(X, (20, 1)),
          np.tile(y, 20)), FloatingPointError, "relu", "identity", message="lower spectral_radius"),
]

UNFITTED = [
    row("predict", lambda: esn().predict(X), V, "ESNRegressor.* not fitted"),
    row("generate", lambda: esn().generate(3), V, "not fitted"),
    row("score", lambda: esn().score(X, y), V, "not fitted"),
    row("last_state_", lambda: esn().last_state_, A, "last_state_"),
    row("last_state_ of six", lambda: esn().fit(BATCH, PER_SEQUENCE).last_state_, A, "last_state_"),
    row("transform", lambda: reservoir().transform(X), V, "Reservoir.* not fitted"),
    row("names", lambda: reservoir().get_feature_names_out(), V, "not fitted"),
    row("predict_proba", lambda: labeller().predict_proba(X), V, "not fitted"),
    row("decision_function", lambda: labeller().decision_function(X), V, "not fitted"),
    row("parts", lambda: ReservoirRegressor().predict(X), V, "not fitted"),
    row("readout", lambda: RidgeReadout().predict(X), V, "RidgeReadout.* not fitted"),
    row("coef_", lambda: RidgeReadout().coef_, A, "not fitted"),
    row("merge", lambda: RidgeReadout().merge(ridge()), V, "not fitted"),
    row("merge other", lambda: ridge().merge(RidgeReadout()), V, "not fitted"),
    row("forecast", lambda: lagged().forecast(3), V, "Forecaster.* not fitted"),
    row("update", lambda: lagged().update(WAVE), V, "not fitted"),
    row("forecast of a model", lambda: esnkit.forecast(esn(), X, 3), V, "not fitted"),
]

WEIGHTS = [
    *each("sample_weight", lambda v: esn().fit(X, y, sample_weight=v), V, -ONES, hole(ONES),
          hole(ONES, inf), ONES[:39], 1.0, 0 * ONES, np.ones((40, 2)), np.ones((40, 1, 1)),
          ["a"] * 40, "balanced", ONES * 1j, TIMES),
    *each("sample_weight", lambda v: esn().fit(BATCH, PER_SEQUENCE, sample_weight=v), V, ONES,
          -y[:6]),
    *each("sample_weight", lambda v: esn().fit(BATCH, BATCH, sample_weight=v), V, np.ones((6, 9))),
    *each("sample_weight", lambda v: steps().fit(RAGGED, RAGGED, sample_weight=v), V,
          [np.ones(5)] * 6, [np.ones(len(x)) for x in RAGGED[:5]],
          [["a"] * len(x) for x in RAGGED], [x[:, :1] if len(x) > 7 else x[:, 0] ** 2
                                             for x in RAGGED]),
    *each("sample_weight", lambda v: esn(washout=5).fit(X, y, sample_weight=v), V,
          np.arange(40) < 5),
    *each("sample_weight", lambda v: esn().fit(X, X, sample_weight=v), V,
          np.ones((40, 2)) * [1, 0]),
    *each("sample_weight", lambda v: labeller().fit(X, LABELS, sample_weight=v), V, -ONES, 0 * ONES,
          np.ones((40, 3))),
    *each("sample_weight", lambda v: given().score(X, y, sample_weight=v), V, ONES[:3], -ONES),
    *each("sample_weight", lambda v: RidgeReadout().fit(X, y, v), V, -ONES, hole(ONES), ONES[:3],
          0 * ONES, np.ones((40, 2)), "balanced"),
    row("weights of outputs", lambda: esn(readout=Ridge()).fit(X, X,
        sample_weight=np.ones((40, 2))),
        V, "weights per output need .* readout=None"),
    row("deaf readout", lambda: esn(readout=Deaf()).fit(X, y, sample_weight=np.arange(40)), V,
        "sample_weight: Deaf takes no weights"),
    row("weights and classes", lambda: labeller(class_weight={"up": 1.0, "down": 0.0}).fit(
        X, LABELS, sample_weight=LABELS == "down"), V, "class_weight, sample_weight and washout"),
]

SUBSETS = (([0], [1.0], [2.0]), ([0],), ([5], [1.0]), ([-1], [1.0]), ([1, 1], [0.0, 1.0]),
           ([0.5], [1.0]), (["a"], [1.0]), ([[0, 1]], [0.0, 1.0]), ([], []),
           ([0, 1, 2], [0.0, 1.0]),
           (np.array([True, False]), [0.0]), ([0, 1], np.zeros((3, 2))), ([0, 1], [0.0, nan]),
           ([0], ["a"]), ([0], np.zeros((4, 1, 1))), ([0], np.zeros((1, 2))),
           ([0], np.zeros((2, 20))))

STATES = [
    *each("initial_state", lambda v: given().predict(X, initial_state=v), V, *SUBSETS, np.zeros(4),
          np.zeros(6), 0.0, np.zeros((2, 5)), np.zeros((1, 1, 5)), np.full(5, nan), np.full(5, inf),
          "zeros", np.zeros(5) * 1j, {"units": 0}),
    *each("initial_state", lambda v: given().predict(BATCH, initial_state=v), V, np.zeros((5, 5))),
    *each("initial_state", lambda v: esn().fit(X, y, initial_state=v), V, np.zeros(4)),
    *each("initial_state", lambda v: reservoir().fit(X).transform(X, initial_state=v), V,
          np.zeros(4)),
    *each("initial_state", lambda v: labelled().predict_proba(X, initial_state=v), V, np.zeros(4)),
    *each("initial_state", lambda v: fed().predict(X, initial_state=v), V, np.zeros(7)),
    *each("clamp", lambda v: reservoir().fit(X).transform(X, clamp=v), V, *SUBSETS),
    *each("clamp", lambda v: reservoir().fit_transform(X, clamp=v), T, np.zeros(5), [[0], [1.0]],
          1.0),
    *each("clamp", lambda v: esn().fit(X, y, clamp=v), V, ([9], [0.0]), ([0], np.zeros((39, 1)))),
    *each("clamp", lambda v: labelled().predict(X, clamp=v), T, 1.0, "all"),
    *each("clamp", lambda v: steps().fit(RAGGED, RAGGED, clamp=([0], v)), V, without_row(2),
          [x[:, :1] for x in RAGGED[:5]], without_row(0), RAGGED,
          [x[:, :1] for x in without_row(3)], BATCH),
]

CLOSED_LOOP = [
    *each("n_steps", lambda v: closed().generate(v), V, 0, -1),
    *each("n_steps", lambda v: closed().generate(v), T, 1.5, None, "5", True),
    *each("warmup", lambda v: closed().generate(3, v), V, hole(X), hole(X, inf), y, BATCH, RAGGED,
          X[:, :1], X[:0], "series", 5, (X, X), TIMES[:, None]),
    *each("warmup", lambda v: fed().generate(3, v, exog=X[:3]), V, X, (X, y, y), (X, y[:9]),
          (X, hole(y)), (hole(X), y), (X, LABELS), (X, X), (X, None)),
    row("warmup missing", lambda: steps().fit(BATCH, BATCH).generate(3), V, "warmup is needed"),
    row("warmup of none", lambda: closed().generate(3, initial_state=np.zeros(5)), V,
        "needs a warmup"),
    *each("initial_state", lambda v: closed().generate(3, X, initial_state=v), V, np.zeros(4), "x"),
    *each("initial_state", lambda v: fed().generate(3, exog=X[:3], initial_state=v), V,
          np.zeros(9)),
    *each("exog", lambda v: exogenous().generate(3, exog=v), V, None, np.zeros((2, 1)),
          np.zeros((4, 1)), np.zeros((3, 2)), [0.0, nan, 0.0], ["a"] * 3, 0.0),
    *each("exog", lambda v: closed().generate(3, exog=v), V, np.zeros((3, 1)), [1.0, 2.0, 3.0]),
    *each("exog", lambda v: fed().generate(3, exog=v), V, None, X[:2], X[:3, :1]),
    row("outputs", lambda: esn().fit(X[:, :1], X).generate(3), V, "2 outputs .* 1 features"),
    row("one target", lambda: esn().fit(BATCH, PER_SEQUENCE).generate(3), V, "for every time step"),
    row("exog warm", lambda: exogenous().generate(3, exog=X[:3, :1]), V, "warmup is needed"),
    row("labels", lambda: labelled().generate(3), A, "generate"),
    *each("n_steps", lambda v: esnkit.forecast(closed(), X, v), V, 0, -1),
    *each("X", lambda v: esnkit.forecast(closed(), v, 3), V, hole(X), None, [], BATCH, "x",
          LABELS, RAGGED),
    *each("model", lambda v: esnkit.forecast(v, X, 3), T, None, "esn", ESNRegressor, Reservoir()),
    row("forecast width", lambda: esnkit.forecast(LinearRegression().fit(X, y), X, 3), V,
        "model must predict the next row of X, 2 values, got 1"),
]

TRAINED = [
    *each("rnn X", lambda v: rnn().fit(v, y), V, None, "series", {"a": 1}, X[None, None], hole(X),
          hole(X, inf), X[:0], X[:, :0], X * 1j, TIMES[:, None], [], BATCH[:0], BATCH[:, :0],
          BATCH[..., :0], [X, X[:0]], [X, X[:, :1]], [X, y], [X, BATCH], [X, None], [X, hole(X)],
          [["a", "b"]] * 40, [[1.0], [1.0, 2.0]], message=r"\bX\b"),
    row("rnn X 1-D", lambda: rnn().fit(y, y), V, "Expected 2D array"),
    row("rnn X sparse", lambda: rnn().fit(sp.csr_array(X), y), T, "Sparse data was passed for X"),
    *each("rnn X again", lambda v: trained().predict(v), V, hole(X), X[:0], X[:, :1],
          BATCH[..., :1], [X[:, :1]], message="X|0 sample"),
    row("rnn X names", lambda: rnn().fit(frame("a"), y).predict(frame("b")), V, "feature names"),
    row("rnn X columns", lambda: rnn().fit([frame("a"), frame("b")], [0, 1]), V,
        r"X\[1\] has other col"),
    *each("rnn y", lambda v: rnn().fit(X, v), V, None, y[:-1], [], 1.0, y[:, None, None],
          X[:, :0], hole(y), hole(y, inf), LABELS, y * 1j, TIMES, message=r"\by\b"),
    row("rnn y sparse", lambda: rnn().fit(X, sp.csr_array(X)), T, "y is sparse"),
    row("rnn y beyond float32", lambda: rnn().fit(X.astype("f4"), y * 1e300), V, "y must be fin"),
    *each("rnn y of a batch", lambda v: rnn().fit(BATCH, v), V, y, BATCH[:, :-1], BATCH[..., 0],
          message="y has|y of shape"),
    *each("rnn y of a list", lambda v: rnn().fit(RAGGED, v), V, [1.0] * 5, RAGGED[:5],
          without_row(2), message=r"\by\b"),
    row("rnn y not steps", lambda: rnn_steps().fit(BATCH, PER_SEQUENCE), V,
        "target='steps' needs a row of y"),
    row("rnn y not one", lambda: rnn(target="sequence").fit(BATCH, BATCH), V, "target='sequence'"),
    *each("rnn labels", lambda v: rnn_labeller().fit(X, v), V, None, y, X > 0, hole(y > 0),
          np.array([1, "a"] * 20, object), LABELS[:9], message=r"\by\b|label type"),
    *each("rnn score y", lambda v: trained().score(X, v), V, None, y[:9], hole(y), X,
          message=r"\by(_true)?\b"),
    *each("rnn score labels", lambda v: rnn_labelled().score(X, v), V, None, LABELS[:9],
          np.stack([LABELS, LABELS], axis=1), message=r"\by\b"),
    *each("rnn unseen labels", lambda v: rnn_labelled().partial_fit(X, v), V,
          np.where(LABELS == "up", "left", "down"), message="labels unseen before.*'left'"),
    *each("rnn classes", lambda v: rnn_labeller(alpha=1e-2).partial_fit(X, LABELS, classes=v), V,
          ["up"], ["a", "b"], message="labels unseen before"),
    row("rnn other classes", lambda: rnn_labelled().partial_fit(X, LABELS, classes=["up", "x"]),
        V, "classes must be those of the first call"),
    *each("rnn gradient_norms y", lambda v: trained().gradient_norms(X, v), V, None, y[:9],
          hole(y), X, message=r"\by\b"),

    *each("rnn sample_weight", lambda v: rnn().fit(X, y, sample_weight=v), V, -ONES, hole(ONES),
          hole(ONES, inf), ONES[:39], 1.0, 0 * ONES, np.ones((40, 2)), np.ones((40, 1, 1)),
          ["a"] * 40, "balanced", ONES * 1j, TIMES, message="sample_weight"),
    *each("rnn sample_weight", lambda v: rnn().fit(BATCH, PER_SEQUENCE, sample_weight=v), V, ONES,
          -y[:6], message="sample_weight"),
    *each("rnn sample_weight", lambda v: rnn_steps().fit(RAGGED, RAGGED, sample_weight=v), V,
          [np.ones(5)] * 6, [np.ones(len(x)) for x in RAGGED[:5]], message="sample_weight"),
    *each("rnn sample_weight", lambda v: trained().score(X, y, sample_weight=v), V, ONES[:3],
          -ONES, message="sample_weight"),
    row("rnn weights and classes", lambda: rnn_labeller(class_weight={"up": 1.0, "down": 0.0}).fit(
        X, LABELS, sample_weight=LABELS == "down"), V, "class_weight times sample_weight"),
    *each("rnn class_weight", lambda v: rnn_labelled(class_weight=v), V, "heavy", 2.0,
          {"left": 1.0}, {"up": -1.0}, {"up": nan}, {"up": "x"}, {"up": 0.0, "down": 0.0},
          message="class_weight"),
    row("rnn unknown to fit", lambda: rnn().fit(X, y, weight=y), T, "weight"),

    *each("rnn initial_state", lambda v: trained(cell="gru").predict(X, initial_state=v), V,
          *SUBSETS, np.zeros(4), np.zeros(6), 0.0, np.zeros((2, 5)), np.zeros((1, 1, 5)),
          np.full(5, nan), np.full(5, inf), "zeros", np.zeros(5) * 1j, {"units": 0},
          [[1, 2], [3]], message="initial_state"),
    *each("rnn initial_state", lambda v: rnn().fit(X, y, initial_state=v), V, np.zeros(9),
          np.zeros((2, 10)), message="initial_state"),
    *each("rnn initial_state", lambda v: trained().predict(BATCH, initial_state=v), V,
          np.zeros((5, 10)), message="initial_state"),
    *each("rnn clamp", lambda v: trained().predict(X, clamp=v), V, *SUBSETS, message="clamp"),
    *each("rnn clamp", lambda v: trained().predict(X, clamp=v), T, np.zeros(5), [[0], [1.0]], 1.0,
          message="clamp"),
    *each("rnn clamp", lambda v: rnn().fit(X, y, clamp=v), V, ([9], [0.0]),
          ([0], np.zeros((39, 1))), message="clamp"),
    *each("rnn clamp", lambda v: rnn_steps().fit(RAGGED, RAGGED, clamp=([0], v)), V,
          without_row(2), RAGGED, BATCH, message="clamp"),

    *hyper("n_units", V, 0, -1),
    *hyper("n_units", T, 1.5, True, "10", None),
    row("units of lru", lambda: rnn(n_units=5, cell="lru").fit(X, y), V, "n_units must be even"),
    *hyper("cell", V, "elman", None, 1),
    *hyper("n_layers", V, 0, -1),
    *hyper("n_layers", T, 1.5, None),
    *hyper("bidirectional", T, "yes", None, 1),
    *hyper("activation", V, "sigmoid", None),
    *hyper("reset_after", T, "yes", None, 0),
    *hyper("n_tokens", V, 0, -1),
    *hyper("n_tokens", T, 1.5, "many", True, ONES),
    row("rnn n_tokens of two columns", lambda: trained(n_tokens=9), V, "one column of tokens"),
    *hyper("embedding_dim", V, 0, -1, 4),
    *hyper("embedding_dim", T, 1.5, "wide"),
    *hyper("pooling", V, "maximum", None),
    *hyper("head", V, "softmax", 1),
    *hyper("start", V, "random", None, 0.0),
    *hyper("init", V, "he", None, "identity", "sparse"),
    *hyper("spectral_radius", V, 0, -1.0, nan, inf),
    *hyper("spectral_radius", T, "big", None),
    *hyper("input_scaling", V, -1.0, nan, inf),
    *hyper("input_scaling", T, "big", None),
    *hyper("solver", V, "lbfgs", None),
    *hyper("learning_rate_init", V, 0, -1e-3, nan, inf),
    *hyper("learning_rate_init", T, "fast", None),
    *hyper("momentum", V, -0.1, 1.1, nan),
    *hyper("momentum", T, "much", None),
    *hyper("momentum_schedule", V, "none", None),
    *hyper("nesterovs_momentum", T, "yes", None, 1),
    *hyper("clip_norm", V, 0, -1.0, nan, inf),
    *hyper("clip_norm", T, "short", True),
    *hyper("batch_size", V, 0, -1, "all"),
    *hyper("batch_size", T, 1.5, None),
    *hyper("shuffle", T, "yes", None, 1),
    *hyper("alpha", V, -1.0, nan, inf),
    *hyper("alpha", T, "small", None),
    *hyper("tbptt", V, 0, -1),
    *hyper("tbptt", T, 1.5, "long"),
    *hyper("tbptt", V, 5, bidirectional=True),
    *hyper("tbptt", V, 5, solver="hessian_free"),
    *hyper("damping", V, -1.0, nan),
    *hyper("structural_damping", V, -1.0, nan),
    *hyper("max_cg_iter", V, 0),
    *hyper("max_iter", V, -1),
    *hyper("max_iter", T, 1.5, None, inf),
    *hyper("tol", V, -1.0, nan),
    *hyper("n_iter_no_change", V, 0),
    *hyper("n_iter_no_change", T, 1.5, None, ONES),
    *hyper("early_stopping", T, "yes", None, 1),
    *hyper("validation_fraction", V, 0, 1, nan, early_stopping=True),
    *hyper("target", V, "all", None),
    *hyper("warm_start", T, "yes", None, 1, ONES),
    *hyper("random_state", V, -1, 2**40, "x", 1.5),
    *hyper("verbose", T, "loud", None),
    row("rnn learning_rate_init too large", lambda: trained(learning_rate_init=1e200, max_iter=9),
        FloatingPointError, "learning_rate_init"),

    row("rnn tokens beyond", lambda: speaker().predict([[9]]), V, "contains the token 9 in row 0"),
    row("rnn tokens below", lambda: speaker().predict([[0], [-1]]), V, "X contains the token -1"),
    row("rnn tokens between", lambda: speaker().predict([[0.0], [1.5]]), V, "the token 1.5 in row"),
    row("rnn tokens of fit", lambda: speaker(n_tokens=2), V, "X contains the token 2 in row 2"),
    row("rnn tokens in two columns", lambda: rnn_labeller(n_tokens=3).fit(TOKENS[:, [0, 0]],
        LABELS), V, "X must have one column of tokens, got 2"),
    row("rnn stamps", lambda: rnn_labeller().fit(10**9 + TOKENS, LABELS), V, "contains integers"),
    row("rnn embedding of numbers", lambda: rnn_labeller(embedding_dim=2).fit(
        TOKENS.astype(float), LABELS), V, "embedding_dim=2 needs tokens"),

    *each("rnn n_steps", lambda v: rnn_closed().generate(v), V, 0, -1, message="n_steps"),
    *each("rnn n_steps", lambda v: rnn_closed().generate(v), T, 1.5, None, "5", True,
          message="n_steps"),
    *each("rnn warmup", lambda v: rnn_closed().generate(3, v), V, hole(X), hole(X, inf), y, BATCH,
          RAGGED, X[:, :1], X[:0], "series", 5, (X, X), TIMES[:, None], message="warmup"),
    row("rnn warmup missing", lambda: rnn_steps().fit(BATCH, BATCH).generate(3), V,
        "warmup or initial_state is needed"),
    row("rnn stream of two directions", lambda: rnn(bidirectional=True).fit(BATCH, BATCH).stream(),
        V, "stream needs bidirectional=False"),
    *each("rnn row", lambda v: rnn_closed().stream().step(v), V, X[0, :1], X[:1], 5.0, [nan, 0.0],
          [0.0, inf], message="x must be"),
    *each("rnn token", lambda v: speaker().stream().step(v), V, -1, 7, 0.5, nan,
          message="x must be an integer in"),
    row("rnn partial_fit and early_stopping", lambda: rnn(early_stopping=True).partial_fit(
        X, y), V, "early_stopping=False"),
    *each("rnn warmup of tokens", lambda v: speaker().generate(3, v), V, [[5]], [[0.5]], X,
          np.array([0, 7]), message="warmup"),
    *each("rnn temperature", lambda v: speaker().generate(3, temperature=v), V, -1.0, nan, inf,
          message="temperature"),
    *each("rnn temperature", lambda v: speaker().generate(3, temperature=v), T, "hot", None,
          message="temperature"),
    *each("rnn random_state", lambda v: speaker().generate(3, random_state=v), V, -1, "x",
          message="random_state"),
    *each("rnn initial_state", lambda v: rnn_closed().generate(3, X, initial_state=v), V,
          np.zeros(4), "x", message="initial_state"),
    *each("rnn exog", lambda v: rnn_exogenous().generate(3, X, exog=v), V, None, np.zeros((2, 1)),
          np.zeros((4, 1)), np.zeros((3, 2)), [0.0, nan, 0.0], ["a"] * 3, 0.0, message="exog"),
    *each("rnn exog", lambda v: rnn_closed().generate(3, exog=v), V, np.zeros((3, 1)),
          message="exog"),
    row("rnn outputs", lambda: rnn().fit(X[:, :1], X).generate(3), V, "2 outputs .* 1 features"),
    row("rnn labels", lambda: rnn_labelled().generate(3, X), V, "generate needs a network"),
    *each("rnn labels of tokens", lambda v: rnn_labeller().fit(TOKENS, v).generate(3), V,
          ["a", "b"] * 20, [5, 6] * 20, [1.0, 7.0] * 20, message="y of integers in \\[0, 2\\]"),
    *each("lstm state", lambda v: trained(cell="lstm").predict(X, initial_state=v), V,
          np.zeros(7), np.zeros((1, 11)), message="initial_state .* of 5 hidden states or of 10"),
    row("rnn one target", lambda: rnn().fit(BATCH, PER_SEQUENCE).generate(3), V, "every time step"),
    row("rnn two ways", lambda: trained(bidirectional=True).predict(X, return_state=True), V,
        "return_state=True needs bidirectional=False"),
    row("rnn two ways, forecast", lambda: Forecaster(rnn(bidirectional=True)).fit(WAVE), V,
        "bidirectional=False"),
    row("rnn attention", lambda: trained().attention_weights(X), V, "pooling='attention'"),

    *each("rnn weights", lambda v: trained().set_weights(v), V, {"W_9": ONES}, {"W_0": ONES},
          {"b_out": [nan]}, {"b_out": ["a"]}, message="weights"),
    *each("rnn weights", lambda v: trained().set_weights(v), T, [1.0], None, message="weights"),
    *each("rnn state_dict", lambda v: trained().from_torch_state_dict(v), V, {},
          {"fc.weight": ONES}, message="state_dict"),
    *each("rnn state_dict", lambda v: trained().from_torch_state_dict(
              trained().to_torch_state_dict() | {"bias_hh_l0": v}), V,
          np.zeros(3), np.full(20, nan), message=r"state_dict\['bias_hh_l0'\]"),
    *each("rnn state_dict", lambda v: trained().from_torch_state_dict(v), T, [1.0], None,
          message="state_dict"),

    row("rnn predict", lambda: rnn().predict(X), V, "RNNRegressor.* not fitted"),
    row("rnn score", lambda: rnn().score(X, y), V, "not fitted"),
    row("rnn generate", lambda: rnn().generate(3), V, "not fitted"),
    row("rnn draw", lambda: rnn_labeller().generate(3), V, "not fitted"),
    row("rnn predict_proba", lambda: rnn_labeller().predict_proba(X), V, "not fitted"),
    row("rnn decision_function", lambda: rnn_labeller().decision_function(X), V, "not fitted"),
    row("rnn gradient_norms", lambda: rnn().gradient_norms(X, y), V, "not fitted"),
    row("rnn attention_weights", lambda: rnn().attention_weights(X), V, "not fitted"),
    row("rnn get_weights", lambda: rnn().get_weights(), V, "not fitted"),
    row("rnn set_weights", lambda: rnn().set_weights({}), V, "not fitted"),
    row("rnn to_torch", lambda: rnn().to_torch_state_dict(), V, "not fitted"),
    row("rnn last_state_ of six", lambda: rnn().fit(BATCH, PER_SEQUENCE).last_state_, A,
        "last_state_"),
]

READOUTS = [
    *each("X", lambda v: RidgeReadout().fit(v, y), V, TIMES[:, None], X * 1j, [[1.0, 2.0], [3.0]],
          np.char.add(X.astype(str), "a")),
    *each("y", lambda v: RidgeReadout().fit(X, v), V, TIMES, y * 1j, LABELS, y[:9], hole(y)),
    *each("y", lambda v: RidgeReadout().fit(X, v), T, sp.csr_array(y[:, None])),
    row("scores of pairs", lambda: pairs().decision_function(X), V, "readout must score every"),
    row("probabilities of pairs", lambda: pairs().predict_proba(X), V, "readout must score every"),
    *each("alpha", lambda v: ridge(alpha=v), V, -1, nan, inf, [], [1.0, -1.0], [[1.0]],
          [1.0, [2.0]]),
    *each("alpha", lambda v: ridge(alpha=v), T, "a", None, True, ["a"]),
    *each("solver", lambda v: ridge(solver=v), V, "cholesky", None, 3, ONES),
    row("partial_fit alpha", lambda: RidgeReadout([1.0, 2.0]).partial_fit(X, y), A, "partial_fit"),
    row("partial_fit X", lambda: ridge().partial_fit(X[:, :1], y), V, "X has 1 features"),
    row("partial_fit NaN", lambda: ridge().partial_fit(hole(X), y), V, "X contains NaN"),
    row("partial_fit y", lambda: ridge().partial_fit(X, X), V, "y must have 1 outputs"),
    row("partial_fit no y", lambda: ridge().partial_fit(X), T, "'y'"),
    *each("other", lambda v: ridge().merge(v), T, Ridge(), None, esn()),
    row("merge X", lambda: ridge().merge(RidgeReadout().fit(X[:, :1], y)), V, "other must have 2"),
    row("merge y", lambda: ridge().merge(RidgeReadout().fit(X, X)), V,
        "other must have .* 1 outputs"),
    row("merge alpha", lambda: ridge(alpha=[1.0, 2.0]).merge(ridge()), V, "alpha"),
    *each("other of rls", lambda v: rls().merge(v), T, ridge(), None, message="other must be an"),
    row("merge rls X", lambda: rls().merge(RLSReadout().fit(X[:, :1], y)), V, "other must have 2"),
    row("merge rls that forgets", lambda: rls(forgetting=0.9).merge(rls()), V, "forgetting must"),
    row("merge rls unfitted", lambda: rls().merge(RLSReadout()), V, "not fitted"),
    *each("make_blocks", lambda v: RidgeReadout().fit_blocks(v), T, None, [(X, y, None)]),
    row("no blocks", lambda: RidgeReadout().fit_blocks(lambda: iter(())), V, "make_blocks"),
    row("loo_scores_", lambda: ridge().loo_scores_, A, "alpha"),
]

FUNCTIONS = [
    *of_matrix(esnkit.spectral_radius),
    *of_matrix(esnkit.rescale, 0.5),
    *of_matrix(esnkit.effective_spectral_radius, 0.5),
    *each("spectral_radius", lambda v: esnkit.rescale(np.eye(2), v), V, 0, -1, nan, inf),
    *each("spectral_radius", lambda v: esnkit.rescale(np.eye(2), v), T, "big", None, 1j, True),
    *each("nothing to scale", lambda v: esnkit.rescale(v, 0.5), V, NILPOTENT, np.zeros((2, 2)),
          message="spectral_radius=0.5 cannot be reached"),
    *each("leak_rate", lambda v: esnkit.effective_spectral_radius(np.eye(2), v), V, 0, 1.5, nan,
          [0.5] * 3, [0.5, 0.0], "slow", 1j, [0.5, "a"], [0.5, [0.5]]),
    *each("topology", lambda v: make_topology(v, 5, RNG), V, "ring", np.eye(4)),
    *each("degree", lambda v: make_topology("random", 5, RNG, degree=v), V, 0, -1),
    *each("y_true", lambda v: nrmse(v, y), V, hole(y), [], LABELS, None, y[:-1], BATCH,
          y * 1j, TIMES, RAGGED),
    *each("y_pred", lambda v: nrmse(y, v), V, hole(y), [], LABELS, None, y[:-1]),
    *each("y_true", lambda v: nrmse(v, v), V, ONES, np.zeros(9)),
    *each("y_true", lambda v: nrmse(v, y), V, np.ma.array(y, mask=y > 0)),
    *each("norm", lambda v: nrmse(y, y, norm=v), V, "max", None),
    *each("multioutput", lambda v: nrmse(y, y, multioutput=v), V, "sum"),
    *each("period", lambda v: mase(y, y, y, period=v), V, 0, -1),
    *each("period", lambda v: mase(y, y, y, period=v), T, 1.5, None, "day"),
    *each("y_train", lambda v: mase(y, y, v), V, ONES, y[:1], X, [], hole(y)),
    *each("name", lambda v: to_c(given(), name=v), V, "", "2nd", "my model", "a-b", None, 1),
    *each("form", lambda v: to_onnx(given(), form=v), V, "batch", None),
    *each("model", to_onnx, T, None, Ridge(), Seq2SeqClassifier()),
    row("to_onnx: a step of two directions", lambda: to_onnx(
        trained(bidirectional=True, max_iter=0), form="step"), V, "got bidirectional=True"),
    row("to_onnx: a step of a mean", lambda: to_onnx(
        rnn(max_iter=0).fit(BATCH, PER_SEQUENCE), form="step"), V, "use form='sequence'"),
    *each("path", lambda v: to_c(given(), v), T, 5, ["esn.h"], b"esn.h"),
    *each("model", to_c, T, None, Ridge(), make_pipeline(StandardScaler(), esn())),
    row("to_c: target per sequence", lambda: to_c(esn().fit(BATCH, PER_SEQUENCE)), V,
        "model must have a target for every time step"),
    row("to_c: nonlinear readout", lambda: to_c(given(readout=KNeighborsRegressor())), V,
        "model must have a linear readout of this package, got KNeighborsRegressor: set readout="),
    *each("interlayer_scaling", lambda v: deep(interlayer_scaling=v), V, -1, nan, inf),
    *each("interlayer_scaling", lambda v: deep(interlayer_scaling=v), T, "big", None, True),
    *each("interlayer_weights", lambda v: deep(interlayer_weights=v), V, "dense", None),
    *each("memory interlayer_weights", lambda v: remembering(interlayer_weights=v), V, "dense",
          message="interlayer_weights must"),
    *each("n_memory", lambda v: remembering(n_memory=v), V, 0, 1),
    *each("n_memory", lambda v: remembering(n_memory=v), T, 2.5, "10", None),
    *each("memory_radius", lambda v: remembering(memory_radius=v), V, 0, 1.5, nan),
    *each("memory_radius", lambda v: remembering(memory_radius=v), T, "one", True),
    row("to_c: another reservoir", lambda: to_c(ReservoirRegressor(NVAR()).fit(X, y)), V,
        "model must have a Reservoir, .* got NVAR"),
    *each("dt", lambda v: valid_prediction_time(y, y, dt=v), V, 0, -1.0, nan),
    *each("threshold", lambda v: valid_prediction_time(y, y, threshold=v), V, 0, -0.3),
    *each("lyapunov_exponent", lambda v: valid_prediction_time(y, y, lyapunov_exponent=v), V, -0.9,
          0),
    *each("std", lambda v: valid_prediction_time(y, y, std=v), V, 0.0, -1.0, nan, [1.0, 1.0],
          "wide", [1.0, [2.0]], 1j),
    *each("y_pred", lambda v: valid_prediction_time(y, v), V, y[:5], X),
    *each("n_timesteps", lambda v: make_narma(v), V, 0, -1),
    *each("n_timesteps", lambda v: make_mackey_glass(v), T, 1.5, None, "9"),
    *each("order", lambda v: make_narma(50, order=v), V, 15, "ten", None, 10.0, True),
    *each("n_discard", lambda v: make_narma(9, n_discard=v), V, -1),
    *each("tau", lambda v: make_mackey_glass(9, tau=v), V, 0, -17, 16.123, nan),
    *each("tau", lambda v: make_mackey_glass(9, tau=v), T, "17", None),
    *each("dt", lambda v: make_mackey_glass(9, dt=v), V, 0, -1, inf),
    *each("method", lambda v: make_mackey_glass(9, method=v), V, "rk2", None),
    *each("initial_value", lambda v: make_mackey_glass(9, initial_value=v), V, nan, -1.0),
    *each("dt", lambda v: make_lorenz(9, dt=v), V, 0, -0.01, nan, 1e16),
    *each("random_state", lambda v: make_adding(5, 20, random_state=v), V, -1, "x"),
    *each("random_state", lambda v: make_temporal_order(5, 20, random_state=v), V, -1, "x"),
    *each("n_symbols", lambda v: make_temporal_order(5, 20, n_symbols=v), V, 4),
    *each("n_symbols", lambda v: make_temporal_order(5, 20, n_symbols=v), T, np.array([2, 3])),
    *each("return_X_y", lambda v: load_bike_sharing(return_X_y=v), T, "False", None),
    *each("as_frame", lambda v: load_bike_sharing(as_frame=v), T, 1),
    *each("spectral_radius", lambda v: esnkit.rescale(np.eye(2, dtype="f4"), v), V, 1e39, 1e-50),
    *each("W", lambda v: esnkit.spectral_radius(v), V, [[1e308, 1e308], [1e308, 1e308]]),
    *each("spectral_radius", lambda v: reservoir(spectral_radius=v).fit(SMALL), V, 1e39, 10**400),
    row("state int", lambda: make_lorenz(5, initial_state=[10**400] * 3), V, "initial_state"),
    row("series int", lambda: Forecaster().fit([10**400] * 9), V, "series: int too large"),
    row("y_true int", lambda: nrmse([10**400, 1], [1.0, 2.0]), V, "y_true must .*: int too large"),
    row("sample_weight int", lambda: esn().fit(X, y, sample_weight=10**400), V, "sample_weight"),
    row("X int", lambda: esn().fit([[10**400]] * 40, y), V, "X must be finite .* a larger one"),
    row("y int", lambda: esn().fit(X, [10**400] * 40), V, "y must be finite .* a larger one"),
    *each("input_scaling", lambda v: reservoir(input_scaling=v).fit(SMALL), V, 1e39),
    *each("bias_scaling", lambda v: reservoir(bias_scaling=v).fit(SMALL), V, 1e39),
    *each("leak_rate", lambda v: reservoir(leak_rate=v).fit(SMALL), V, 1e-50),
    *each("noise", lambda v: reservoir(noise=v).fit(SMALL), V, 1e39),
    *each("topology", lambda v: reservoir(topology=v, spectral_radius=None).fit(SMALL), V,
          1e300 * np.eye(5)),
    *each("n_units", lambda v: reservoir(n_units=v).fit(X), V, 10**30),
    *each("X", lambda v: TokenEncoder().fit(["a"]).inverse_transform(v), V, None, 5),
    *each("initial_state", lambda v: make_lorenz(9, initial_state=v), V, [1.0, 2.0], [1, 2, nan],
          "abc", [1e300] * 3),
    *each("rho", lambda v: make_lorenz(9, rho=v), T, "28", None),
    *each("period", lambda v: make_sine(9, period=v), V, 0, -1),
    *each("noise", lambda v: make_sine(9, noise=v), V, -1, nan),
    *each("name", lambda v: data_path(v), V, "iris", None, "../bike_sharing"),
]

FORECASTS = [
    *each("field", lambda v: PatchForecaster(esn()).fit(v), V, WAVE, np.ones((1, 4)), None, "x",
          np.ones((5, 2, 2, 2)), hole(np.ones((9, 4)), nan), hole(np.ones((9, 4)), inf),
          np.ones((9, 0)), np.ones((0, 4)), [[1.0], [1.0, 2.0]]),
    row("patches, ragged", lambda: PatchForecaster(esn()).backtest([[1.0], [1.0, 2.0]], 2), V,
        "field must be .* got rows of unequal length"),
    *each("patch_size", lambda v: patchwise(patch_size=v), V, 5, 0, (2, 2), []),
    *each("patch_size", lambda v: patchwise(patch_size=v), T, 1.5, True, "12"),
    *each("overlap", lambda v: patchwise(patch_size=2, overlap=v), V, 6, -1, (1, 1)),
    *each("overlap", lambda v: patchwise(patch_size=2, overlap=v), T, 0.5),
    *each("reflection", lambda v: patchwise(reflection=v), V, "mirror", True),
    *each("noise", lambda v: patchwise(noise=v), V, -1.0, nan),
    *each("noise", lambda v: patchwise(noise=v), T, "a", None),
    *each("shared", lambda v: patchwise(shared=v), T, "yes", 1),
    *each("periodic", lambda v: patchwise(periodic=v), T, "yes", 1),
    *each("random_state", lambda v: patchwise(random_state=v), V, -1, "x"),
    *each("estimator", lambda v: PatchForecaster(v).fit(FIELD), T, "esn", ESNRegressor, labeller()),
    row("patches without state", lambda: PatchForecaster(Ridge()).fit(FIELD), V,
        "estimator must carry a state"),
    row("patches, two ways", lambda: PatchForecaster(rnn(bidirectional=True)).fit(FIELD), V,
        "causal"),
    row("patches, feedback", lambda: PatchForecaster(esn(feedback=True)).fit(FIELD), V,
        "feedback must be False"),
    row("patches, update", lambda: patchwise().update(FIELD[:, :6]), V,
        "expecting 12 features"),
    row("patches, score", lambda: patchwise().score(FIELD.reshape(-1, 3, 4)), V, "field"),
    row("patches, steps", lambda: patchwise().forecast(0), V, "n_steps"),
    *each("calibration", lambda v: patchwise(calibration=v), V, 0, 1, -0.1, nan),
    *each("calibration", lambda v: patchwise(calibration=v), T, "all", None),
    *each("interval", lambda v: patchwise().forecast(2, interval=v), V, 0, 1, nan),
    *each("quantiles", lambda v: patchwise().forecast(2, quantiles=v), V, 0.5, [], [1.5]),
    row("patches, both", lambda: patchwise().forecast(2, 0.5, [0.5]), V, "exclude each other"),
    row("patches, windows", lambda: PatchForecaster(esn()).backtest(FIELD, 9, 9), V, "too few for"),
    row("patches, not fitted", lambda: PatchForecaster().forecast(3), V, "not fitted"),
    *each("estimator", lambda v: Forecaster(v).fit(WAVE), T, "esn", 5, Reservoir(), Ridge,
          ESNRegressor, LogisticRegression(), labeller(), KMeans()),
    *each("scale", lambda v: lagged(scale=v).fit(WAVE), T, "yes", 1, None),
    *each("random_state", lambda v: Forecaster(esn(), random_state=v).fit(WAVE), V, -1, 1.5, "x",
          RNG),
    *each("random_state", lambda v: Forecaster(esn(random_state=v), n_ensemble=2).fit(WAVE), V,
          -1, "x"),
    *each("lags", lambda v: lagged(lags=v).fit(WAVE), V, None, 0, -1, 1.5, True, "2", (), (1, 1),
          (0, 1)),
    *each("lags", lambda v: Forecaster(esn(), lags=v).fit(WAVE), V, 3),
    row("memory inside", lambda: Forecaster(make_pipeline(StandardScaler(), esn())).fit(WAVE), V,
        "not ESNRegressor inside a Pipeline"),
    row("a reservoir inside",
        lambda: Forecaster(make_pipeline(reservoir(), Ridge()), lags=1).fit(WAVE), V,
        "not Reservoir inside a Pipeline"),
    *each("series", lambda v: lagged().fit(v), V, WAVE[:2], [1.0], hole(WAVE, inf), BATCH,
          None, 1.0, [], np.empty((0, 2)), np.empty((2, 0)), ["a"] * 60, [[1.0], [1.0, 2.0]],
          WAVE * 1j),
    row("series NaN", lambda: lagged(missing="raise").fit(hole(WAVE)), V, "series contains NaN"),
    row("series of NaN", lambda: lagged().fit(WAVE * nan), V, "series contains NaN only"),
    *each("missing", lambda v: lagged(missing=v).fit(WAVE), V, None, True, "fill"),
    row("series sparse", lambda: lagged().fit(sp.csr_array(X)), T,
        "Sparse data was passed for series"),
    row("series with a gap", lambda: lagged().fit(with_a_gap()), V,
        "series must have a regular index"),
    row("lags too long", lambda: lagged(lags=60).fit(WAVE), V, "series has n_samples=60"),
    *each("strategy", lambda v: lagged(strategy=v).fit(WAVE), V, "both", None),
    *each("horizon", lambda v: lagged(strategy="direct", horizon=v).fit(WAVE), V, None, 0, -1),
    *each("differences", lambda v: lagged(differences=v).fit(WAVE), V, -1, 1.5, "12", (0,), (-1,),
          True, (1.0,), 11),
    row("differences of a season", lambda: lagged(differences=168).fit(np.tile(WAVE, 9)), V,
        r"differences must be .* write \(168,\)"),
    *each("n_ensemble", lambda v: lagged(n_ensemble=v).fit(WAVE), V, 0, -1),
    *each("combine", lambda v: lagged(combine=v).fit(WAVE), V, "max", None),
    *each("calibration", lambda v: lagged(calibration=v).fit(WAVE), V, 0, 1, nan, -0.5),
    *each("exog", lambda v: lagged().fit(WAVE, exog=v), V, WAVE[:9], WAVE * nan, BATCH, [],
          hole(WAVE, inf), 1.0, ["a"] * 60, np.ones((60, 2, 2))),
    row("exog as y", lambda: lagged().fit(WAVE, WAVE), V, "exog"),
    *each("exog", lambda v: lagged().fit(WAVE, exog=WAVE).forecast(3, v), V, None, [1.0],
          [1.0, nan, 1.0],
          np.ones((3, 2))),
    *each("exog", lambda v: lagged().fit(WAVE).forecast(3, v), V, np.ones(3)),
    *each("n_steps", lambda v: lagged().fit(WAVE).forecast(v), V, 0, -1),
    *each("n_steps", lambda v: lagged().fit(WAVE).forecast(v), T, 1.5, None, "3"),
    *each("n_steps", lambda v: lagged(strategy="direct", horizon=3).fit(WAVE).forecast(v), V, 4),
    *each("interval", lambda v: lagged().fit(WAVE).forecast(3, interval=v), V, 0.0, 1.0, 90, nan),
    *each("interval", lambda v: lagged().fit(WAVE).forecast(3, interval=v), T, "90%", True),
    *each("quantiles", lambda v: lagged().fit(WAVE).forecast(3, quantiles=v), V, [0.0], 0.5, [nan]),
    *each("bias_adjust", lambda v: lagged().fit(WAVE).forecast(3, bias_adjust=v), T, "yes", 1),
    *each("bias_adjust", lambda v: lagged().backtest(WAVE, 3, 2, bias_adjust=v), T, "yes"),
    *each(
        "bias_adjust",
        lambda v: lagged().fit(WAVE).forecast(3, quantiles=v, bias_adjust=True), V, [0.5],
    ),
    *each("new", lambda v: lagged().fit(WAVE).update(v), V, X, [inf], None, []),
    *each("series", lambda v: lagged().fit(WAVE).score(v), V, [], [nan], [1.0], [1.0, 1.0]),
    *each("series", lambda v: lagged().backtest(v, 30, 5), V, WAVE, None, hole(WAVE)),
    *each("horizon", lambda v: lagged().backtest(WAVE, v), V, 0, -1),
    *each("n_windows", lambda v: lagged().backtest(WAVE, 3, v), V, 0, -1),
    *each("stride", lambda v: lagged().backtest(WAVE, 3, stride=v), V, 0, -1),
    *each("refit", lambda v: lagged().backtest(WAVE, 3, refit=v), T, "yes", 1, None),
]

INSTRUMENTS = [
    *each("reservoir", memory_capacity, T, None, Ridge(), Reservoir, esn()),
    *each("reservoir", lambda v: conditional_lyapunov_exponents(v, X), T, None, esn()),
    *each("max_delay", lambda v: memory_capacity(reservoir(), max_delay=v), V, -1),
    *each("max_delay", lambda v: memory_capacity(reservoir(), max_delay=v), T, 1.5, "3"),
    *each("n_timesteps", lambda v: memory_capacity(reservoir(), n_timesteps=v), V, 0, 23),
    *each("washout", lambda v: memory_capacity(reservoir(), washout=v), V, -1),
    *each("input_range", lambda v: memory_capacity(reservoir(), input_range=v), V,
          (1, 1), (1, -1), (0, nan)),
    *each("input_range", lambda v: memory_capacity(reservoir(), input_range=v), T,
          1.0, (1, 2, 3), None, ("a", "b")),
    *each("random_state", lambda v: memory_capacity(reservoir(), random_state=v), V, -1, "x"),
    *each("max_degree", lambda v: information_processing_capacity(reservoir(), max_degree=v), V, 0),
    *each("max_delay", lambda v: information_processing_capacity(reservoir(), max_delay=v), V,
          [1, 2], -1, [1, 2, -1]),
    *each("max_delay", lambda v: information_processing_capacity(reservoir(), max_delay=v), T,
          [1, [2], 3], "abc", {1: 2, 2: 3, 3: 4}),
    *each("n_timesteps", lambda v: information_processing_capacity(reservoir(), n_timesteps=v), V,
          3),
    *each("n_sequences", lambda v: kernel_rank(reservoir(), n_sequences=v), V, 0),
    *each("n_timesteps", lambda v: kernel_rank(reservoir(), n_timesteps=v), V, 0),
    *each("tol", lambda v: kernel_rank(reservoir(), tol=v), V, -0.1, 1.0, nan),
    *each("noise", lambda v: generalization_rank(reservoir(), noise=v), V, -1.0, inf),
    *each("n_common", lambda v: generalization_rank(reservoir(), n_common=v), V, -1, 101),
    *each("step_or_flow", lambda v: lyapunov_spectrum(v, [0.5]), T, None, 3),
    *each("jacobian", lambda v: lyapunov_spectrum(np.cos, [0.5], jacobian=v), T, 3, [[1.0]]),
    *each("initial_state", lambda v: lyapunov_spectrum(np.cos, v), V, 0.5, [], [nan], "x", [[1]]),
    *each("dt", lambda v: lyapunov_spectrum(np.cos, [0.5], dt=v), V, 0, -0.1, inf),
    *each("n_steps", lambda v: lyapunov_spectrum(np.cos, [0.5], n_steps=v), V, 0, 39),
    *each("n_discard", lambda v: lyapunov_spectrum(np.cos, [0.5], n_discard=v), V, -1),
    *each("n_exponents", lambda v: lyapunov_spectrum(np.cos, [0.5], n_exponents=v), V, 0, 2),
    row("step of another shape", lambda: lyapunov_spectrum(lambda x: x[0], [0.5, 1.0]), V,
        r"step_or_flow must return shape \(2,\), got \(\)"),
    row("jacobian of another shape",
        lambda: lyapunov_spectrum(np.cos, [0.5, 1.0], jacobian=lambda x: -np.sin(x)), V,
        r"jacobian must return shape \(2, 2\), got \(2,\)"),
    *each("X", lambda v: conditional_lyapunov_exponents(reservoir(), v, washout=0), V,
          X[:39], BATCH, RAGGED, hole(X), [], None),
    row("X shorter than the washout", lambda: conditional_lyapunov_exponents(reservoir(), X[:30]),
        V, "washout of 100, got 30 in all"),
    row("X of other width", lambda: conditional_lyapunov_exponents(given(), X[:, :1]), V,
        "X must have 2 features, as the reservoir has inputs, got 1"),
    *each("washout", lambda v: conditional_lyapunov_exponents(reservoir(), X, washout=v), V, -1, 1),
    *each("n_exponents",
          lambda v: conditional_lyapunov_exponents(reservoir(), X, washout=0, n_exponents=v), V,
          0, 6),
    *each("n_states", lambda v: check_echo_state_property(reservoir(), n_states=v), V, 0),
    *each("n_timesteps", lambda v: check_echo_state_property(reservoir(), n_timesteps=v), V, 0),
    *each("tol", lambda v: check_echo_state_property(reservoir(), tol=v), V, -1, nan),
    *each("X", lambda v: check_echo_state_property(reservoir(), v), V, BATCH, [], hole(X)),
    *each("n_states", lambda v: echo_state_index(reservoir(), X, n_states=v), V, 1),
    *each("tol", lambda v: echo_state_index(reservoir(), X, tol=v), V, -1),
]

SEARCHES = [
    *each("horizon", nrmse_at, V, 0, -1),
    *each("horizon", nrmse_at, T, 1.5, None, "84"),
    *each("n_windows", lambda v: nrmse_at(3, n_windows=v), V, 0, -1),
    *each("stride", lambda v: nrmse_at(3, stride=v), V, 0, -1),
    *each("std", lambda v: nrmse_at(3, std=v), V, 0.0, -1.0, nan, [[1.0]]),
    *each("threshold", lambda v: valid_time(3, threshold=v), V, 0, -1.0, nan),
    *each("dt", lambda v: valid_time(3, dt=v), V, 0, inf),
    *each("lyapunov_exponent", lambda v: valid_time(3, lyapunov_exponent=v), V, 0, -1.0),
    *each("n_windows", lambda v: list(RecycleValidation(v, horizon=3).split(X)), V, 0, -1),
    *each("horizon", lambda v: list(RecycleValidation(1, horizon=v).split(X)), V, 0, 40),
    *each("warmup", lambda v: list(RecycleValidation(1, horizon=3, warmup=v).split(X)), V, 0, -1),
    *each("train_size", lambda v: list(WalkForwardValidation(1, horizon=3, train_size=v).split(X)),
          V, 0, -1),
]

PLOTS = [
    *each("trajectories", lambda v: attractor(trajectories=v), T, None, {}, [X], X, "x"),
    *each("trajectories", lambda v: attractor(trajectories={"x": X, "y": v}), V, X[:, :1], y),
    *each("trajectory 'x'", lambda v: attractor(trajectories={"x": v}), V, hole(X), hole(X, inf),
          BATCH, RAGGED, LABELS, X * 1j, [], None, 5),
    *each("columns", lambda v: attractor(columns=v), V, [], [0, 1, 0, 1]),
    *each("column", lambda v: attractor(columns=v), V, 2, -1, (0, 2)),
    *each("column", lambda v: attractor(columns=v), T, "x", 1.5, True, (0, "b")),
    *each("delay", lambda v: attractor(columns=0, delay=v), V, 0, -1, 20),
    *each("delay", lambda v: attractor(columns=0, delay=v), T, 1.5, "x", True),
    *each("n_dimensions", lambda v: attractor(columns=0, n_dimensions=v), V, 0, 1, 4),
    *each("n_dimensions", lambda v: attractor(columns=0, n_dimensions=v), T, 2.0, "3", None, [2]),
    *each("n_steps", lambda v: AttractorDisplay.from_estimator(closed(), X, v), V, 0, -1, 40),
    *each("n_steps", lambda v: AttractorDisplay.from_estimator(closed(), X, v), T, 1.5, None, "x"),
    *each("X", lambda v: AttractorDisplay.from_estimator(closed(), v, 3), V, None, hole(X), BATCH,
          RAGGED, LABELS, X[:, :1], [], "x", 5),
    *each("model", lambda v: AttractorDisplay.from_estimator(v, X, 3), T, None, "esn",
          ESNRegressor),
]

ADAPTERS = [
    *each("forecaster", lambda v: sktime("SktimeForecaster", v), T, "x", 5, Forecaster, Ridge(),
          esn(), patchwise()),
    *each("classifier", lambda v: sktime("SktimeClassifier", v), T, "x", 5, ESNClassifier, Ridge(),
          esn(), KMeans()),
    row("adapter forecaster later", lambda: sktime("SktimeForecaster").set_params(forecaster=1), T,
        "forecaster must be"),
]
# fmt: on

TABLE = [
    *INPUTS, *TARGETS, *MASKED, *PARAMETERS, *UNFITTED, *WEIGHTS, *STATES, *CLOSED_LOOP, *TRAINED,
    *READOUTS, *FUNCTIONS, *FORECASTS, *INSTRUMENTS, *SEARCHES, *PLOTS, *ADAPTERS,
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "message"), TABLE)
def test_a_wrong_call_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_the_calls_are_wrong_for_one_reason_only():
    given(), labelled(), closed(), exogenous(), fed(), ridge(), lagged().fit(WAVE)
    closed().generate(3, X)
    exogenous().generate(3, X, exog=np.zeros((3, 1)))
    fed().generate(3, (X, y), exog=X[:3])
    steps().fit(RAGGED, RAGGED)
    esn().fit(BATCH, PER_SEQUENCE)
    given().predict(X, initial_state=([0, 1], [0.5, 0.5]), clamp=([2], [1.0]))
    esn(readout=Deaf()).fit(X, y, sample_weight=ONES)
    trained(), rnn_labelled(), rnn_closed().generate(3, X)
    rnn_exogenous().generate(3, X, exog=np.zeros((3, 1)))
    speaker().generate(3, TOKENS[:3])
    rnn_steps().fit(RAGGED, RAGGED)
    rnn().fit(BATCH, PER_SEQUENCE)
    trained(cell="gru").predict(X, initial_state=([0, 1], [0.5, 0.5]), clamp=([2], [1.0]))
    trained(early_stopping=True, tbptt=5), trained(solver="hessian_free")
    trained(cell="rnn", init="sparse")
