"""Frames of pandas, polars and pyarrow mean the same to every estimator."""

import datetime

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from esnkit import (
    ESNClassifier,
    ESNRegressor,
    Reservoir,
    ReservoirClassifier,
    ReservoirRegressor,
    RidgeReadout,
    RNNClassifier,
    RNNRegressor,
    Seq2SeqClassifier,
    TokenEncoder,
)
from esnkit.sequences import pack

pd = pytest.importorskip("pandas")
pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")
nw = pytest.importorskip("narwhals")

RNG = np.random.default_rng(0)
X = RNG.standard_normal((40, 2))
y = X[:, 0] + 0.5 * X[:, 1]
LABELS = np.where(y > 0, "up", "down")
TIMES = [datetime.datetime(2024, 1, 1) + datetime.timedelta(hours=i) for i in range(40)]

FRAMES = {
    "pandas": pd.DataFrame,
    "polars": pl.DataFrame,
    "pyarrow": pa.table,
    "record batch": pa.RecordBatch.from_pydict,
    "narwhals": lambda data: nw.from_native(pl.DataFrame(data)),
    "narwhals of pandas": lambda data: nw.from_native(pd.DataFrame(data)),
}
every_kind = pytest.mark.parametrize("kind", FRAMES)
COLUMNS = {
    "pandas": pd.Series,
    "polars": pl.Series,
    "pyarrow": pa.array,
    "chunks": lambda values: pa.chunked_array([values[:7], values[7:]]),
    "narwhals": lambda values: nw.from_native(pl.Series(values), series_only=True),
}
every_column = pytest.mark.parametrize("kind", COLUMNS)
MODELS = [
    ESNRegressor(5, random_state=0),
    ESNClassifier(5, random_state=0),
    ReservoirRegressor(Reservoir(5, random_state=0)),
    ReservoirClassifier(Reservoir(5, random_state=0)),
    RNNRegressor(3, max_iter=1, random_state=0),
    RNNClassifier(3, max_iter=1, random_state=0),
    Reservoir(5, random_state=0),
]
every_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)


def frame(kind, names="ab", rows=X):
    return FRAMES[kind]({name: rows[:, "ab".index(name)] for name in names})


def target_of(model):
    return LABELS if hasattr(model, "predict_proba") else y


def answer(model, rows):
    return model.transform(rows) if hasattr(model, "transform") else model.predict(rows)


@every_kind
@every_model
def test_a_frame_is_an_array_with_names(kind, model):
    rows, target = frame(kind), target_of(model)
    model = clone(model).fit(rows, target)
    assert model.feature_names_in_.tolist() == ["a", "b"]
    expected = answer(clone(model).fit(X, target), X)
    np.testing.assert_array_equal(answer(model, rows), expected)
    for other in FRAMES:
        np.testing.assert_array_equal(answer(model, frame(other)), expected)


@every_kind
@every_model
def test_names_in_another_order_are_refused(kind, model):
    model = clone(model).fit(frame(kind), target_of(model))
    with pytest.raises(ValueError, match="in the same order as they were in fit"):
        answer(model, frame(kind, "ba"))
    with pytest.raises(ValueError, match="in the same order as they were in fit"):
        answer(model, [frame(kind, "ba")] * 2)
    with pytest.raises(ValueError, match="feature names"):
        answer(model, frame(kind, "a"))
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        answer(model, X)


@every_kind
def test_lists_of_frames_are_ragged_sequences(kind):
    arrays = [X[:10], X[10:30], X[30:]]
    frames = [frame(kind, rows=rows) for rows in arrays]
    model = ESNRegressor(5, random_state=0).fit(frames, [0.0, 1.0, 2.0])
    assert model.feature_names_in_.tolist() == ["a", "b"]
    expected = clone(model).fit(arrays, [0.0, 1.0, 2.0]).predict(arrays)
    np.testing.assert_array_equal(model.predict(frames), expected)
    objects = np.empty(3, object)
    objects[:] = frames
    np.testing.assert_array_equal(model.predict(objects), expected)
    with pytest.raises(ValueError, match=r"X\[1\] has other columns than X\[0\]: \['b', 'a'\]"):
        model.fit([frames[0], frame(kind, "ba")], [0.0, 1.0])


def test_lists_of_several_kinds_have_names_if_all_have_names():
    frames = [frame(kind) for kind in FRAMES]
    model = ESNRegressor(5, random_state=0)
    assert model.fit(frames, np.arange(6.0)).feature_names_in_.tolist() == ["a", "b"]
    assert not hasattr(model.fit([*frames, X], np.arange(7.0)), "feature_names_in_")


@every_kind
def test_columns_of_times_are_refused_by_name(kind):
    timed = FRAMES[kind]({"a": X[:, 0], "when": TIMES})
    with pytest.raises(ValueError, match="X must hold numbers, got times in column 'when'"):
        ESNRegressor(5).fit(timed, y)
    with pytest.raises(ValueError, match=r"X\[1\] must hold numbers, got times in column 'when'"):
        ESNRegressor(5).fit([FRAMES[kind]({"a": X[:, 0], "when": y}), timed], [0.0, 1.0])
    with pytest.raises(ValueError, match="y must hold numbers, got times in column 'when'"):
        ESNRegressor(5).fit(X, timed)


def test_times_among_other_objects_are_refused():
    time = np.datetime64("2024-01-01")
    for rows in ([[1.0, time]] * 40, np.array([[1.0, time]] * 40, object)):
        with pytest.raises(ValueError, match="X must hold numbers, got times"):
            ESNRegressor(5).fit(rows, y)


@every_kind
def test_missing_numbers_are_refused(kind):
    holes = FRAMES[kind]({"a": [None, *X[1:, 0].tolist()], "b": X[:, 1]})
    with pytest.raises(ValueError, match="X contains NaN"):
        ESNRegressor(5).fit(holes, y)
    with pytest.raises(ValueError, match="y contains NaN"):
        ESNRegressor(5).fit(X, holes)


@every_kind
def test_types_of_columns_are_kept(kind):
    model = ESNRegressor(5, random_state=0).fit(frame(kind, rows=X.astype(np.float32)), y)
    assert model.reservoir_.W_.dtype == np.float32
    mixed = {"a": X[:, 0].astype(np.float32), "b": np.arange(40), "c": y > 0}
    rows = np.column_stack(list(mixed.values()))
    sequences = pack(clone(model), FRAMES[kind](mixed), reset=True)
    assert sequences.values.dtype == np.float64
    np.testing.assert_array_equal(sequences.values, rows)


@every_kind
def test_a_readout_takes_frames(kind):
    readout = RidgeReadout().fit(frame(kind), frame(kind))
    assert readout.feature_names_in_.tolist() == ["a", "b"]
    expected = RidgeReadout().fit(X, X).predict(X)
    np.testing.assert_array_equal(readout.predict(frame(kind)), expected)
    with pytest.raises(ValueError, match="in the same order as they were in fit"):
        readout.predict(frame(kind, "ba"))
    timed = FRAMES[kind]({"a": X[:, 0], "when": TIMES})
    for call in (lambda: readout.fit(timed, y), lambda: readout.fit(X, timed)):
        with pytest.raises(ValueError, match="must hold numbers, got times in column 'when'"):
            call()


@every_column
def test_columns_are_targets_weights_and_states(kind):
    column = COLUMNS[kind]
    model, weights, start = ESNRegressor(5, random_state=0), np.abs(y), np.linspace(-1, 1, 5)
    expected = model.fit(X, y, sample_weight=weights, initial_state=start).predict(X)
    model.fit(X, column(y), sample_weight=column(weights), initial_state=column(start))
    np.testing.assert_array_equal(model.predict(X), expected)
    assert model.score(X, column(y)) == model.score(X, y)
    steps = ESNRegressor(5, random_state=0, target="steps")
    ragged = [X[:10], X[10:]]
    expected = steps.fit(ragged, [y[:10], y[10:]]).predict(ragged)[1]
    steps.fit(ragged, [column(y[:10]), column(y[10:])])
    np.testing.assert_array_equal(steps.predict(ragged)[1], expected)


@every_kind
def test_frames_are_targets(kind):
    model = ESNRegressor(5, random_state=0)
    expected = model.fit(X, X[:, ::-1]).predict(X)
    np.testing.assert_array_equal(model.fit(X, frame(kind, "ba")).predict(X), expected)


@every_column
@pytest.mark.parametrize("labels", [LABELS, y > 0, (y > 0).astype(int)], ids=str)
@pytest.mark.parametrize("model", [ESNClassifier(5), RNNClassifier(3, max_iter=1)], ids=repr)
def test_columns_are_labels(kind, labels, model):
    model = clone(model).set_params(random_state=0)
    expected = clone(model).fit(X, labels).predict(X)
    model.fit(X, COLUMNS[kind](labels))
    assert model.classes_.tolist() == np.unique(labels).tolist()
    np.testing.assert_array_equal(model.predict(X), expected)


def test_categories_are_labels():
    for labels in (
        pl.Series(LABELS, dtype=pl.Categorical),
        pl.Series(LABELS, dtype=pl.Enum(["up", "down"])),
        pa.array(LABELS).dictionary_encode(),
        pd.Series(LABELS, dtype="category"),
    ):
        assert ESNClassifier(5).fit(X, labels).classes_.tolist() == ["down", "up"]


@pytest.mark.parametrize("library", ["pandas", "polars"])
@every_kind
def test_states_come_as_frames_on_demand(kind, library):
    model = Reservoir(4, random_state=0).set_output(transform=library)
    states = model.fit_transform(frame(kind))
    assert type(states).__module__.startswith(library)
    assert list(states.columns) == [f"reservoir{i}" for i in range(4)]
    assert isinstance(model.transform([frame(kind)] * 2), list)


def test_pipelines_and_searches_take_frames():
    pipeline = make_pipeline(StandardScaler(), Reservoir(5, random_state=0), Ridge())
    pipeline.set_output(transform="polars").fit(frame("polars"), y)
    np.testing.assert_allclose(pipeline.predict(frame("polars")), pipeline.predict(frame("pandas")))
    search = GridSearchCV(ESNRegressor(5, random_state=0), {"alpha": [0.1]}, cv=TimeSeriesSplit(2))
    assert search.fit(frame("polars"), pl.Series(y)).best_score_ > 0.5


@every_kind
@pytest.mark.parametrize(
    "model", [ESNRegressor(5), RNNRegressor(3, max_iter=1)], ids=["ESN", "RNN"]
)
def test_future_inputs_have_the_names_of_fit(kind, model):
    model = clone(model).fit(frame(kind, rows=X[:-1]), X[1:, 0])
    future = FRAMES[kind]({"b": X[:3, 1]})
    rows = model.generate(3, frame(kind), exog=future)
    np.testing.assert_array_equal(rows, model.generate(3, frame(kind), exog=X[:3, 1:]))
    with pytest.raises(ValueError, match=r"exog has the columns \['a'\], expected \['b'\]"):
        model.generate(3, frame(kind), exog=FRAMES[kind]({"a": X[:3, 1]}))


def test_tokens_and_texts_come_in_columns():
    for column in COLUMNS.values():
        assert TokenEncoder().fit(column(["ab", "b"])).vocabulary_ == {"a": 2, "b": 3}
        items, labels = [column([0, 1]), column([1])], column([0, 1])
        model = RNNClassifier(3, max_iter=1).fit(items, labels)
        assert model.predict(items).shape == (2,)
        pairs = Seq2SeqClassifier(3, max_iter=1).fit(items, items)
        assert len(pairs.predict(items)) == 2
    with pytest.raises(TypeError, match="X must be a list of str, one per text, got DataFrame"):
        TokenEncoder().fit(pl.DataFrame({"text": ["ab"]}))
    frames = [frame("polars")] * 2
    model = Seq2SeqClassifier(3, max_iter=1).fit(frames, [[0], [1, 0]])
    assert model.feature_names_in_.tolist() == ["a", "b"]


# Panels: the index of pandas names an entity and a time.


def panel(n_entities=2):
    keys = [f"shop {i}" for i in range(n_entities)]
    return pd.concat({key: frame("pandas") for key in keys}, names=["shop", "time"])


@every_model
def test_a_panel_is_refused_with_the_line_that_splits_it(model):
    line = r"\[g for _, g in X\.groupby\(level=0\)\]"
    target = np.tile(target_of(model), 2)
    with pytest.raises(ValueError, match=rf"X has a MultiIndex with 2 entities.*{line}"):
        clone(model).fit(panel(), target)
    fitted = clone(model).fit(frame("pandas"), target_of(model))
    with pytest.raises(ValueError, match=line):
        answer(fitted, panel())


def test_a_panel_inside_narwhals_is_refused():
    with pytest.raises(ValueError, match="X has a MultiIndex with 2 entities"):
        ESNRegressor(5).fit(nw.from_native(panel()), np.tile(y, 2))


def test_the_line_that_splits_a_panel_works():
    groups = [g for _, g in panel().groupby(level=0)]
    model = ESNRegressor(5, random_state=0, target="steps")
    predictions = model.fit(groups, [g["a"] for g in groups]).predict(groups)
    expected = clone(model).fit([X, X], [X[:, 0]] * 2).predict([X, X])
    np.testing.assert_array_equal(predictions, expected)
    np.testing.assert_array_equal(model.predict(groups[0]), expected[0])
    with pytest.raises(ValueError, match=r"X\[1\] has a MultiIndex with 2 entities"):
        model.predict([groups[0], panel()])


def test_targets_of_a_panel_are_no_series():
    with pytest.raises(ValueError, match=r"y has a MultiIndex with 2 entities"):
        ESNRegressor(5).fit(panel().to_numpy(), panel()["a"])
    labels = pd.Series([0, 1], index=pd.MultiIndex.from_tuples([("a", 0), ("b", 0)]))
    assert ESNClassifier(5).fit([X, X + 1], labels).predict([X]).shape == (1,)


def test_one_entity_is_one_series():
    model = ESNRegressor(5, random_state=0).fit(panel(1), y)
    np.testing.assert_array_equal(model.predict(panel(1)), clone(model).fit(X, y).predict(X))
