"""Files of skops hold every fitted estimator, and name no types but those that are published."""

import inspect
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import esnkit
from esnkit import (
    NVAR,
    AutoForecaster,
    BidirectionalReservoir,
    DeepReservoir,
    ESNClassifier,
    ESNEnsembleClassifier,
    ESNRegressor,
    Forecaster,
    FromChannelsFirst,
    IntrinsicPlasticityReservoir,
    MemoryReservoir,
    OneHotTokens,
    PanelForecaster,
    ParallelReservoir,
    PatchForecaster,
    Reservoir,
    ReservoirClassifier,
    ReservoirRandomizedSearchCV,
    ReservoirRegressor,
    ReservoirSearchCV,
    RidgeReadout,
    RNNClassifier,
    RNNRegressor,
    Seq2SeqClassifier,
    SequenceDifferencer,
    SequenceNormalizer,
    SequenceScaler,
    SeriesTransform,
    TokenEncoder,
    skops_trusted_types,
)
from esnkit.baselines import (
    AutoregressiveModel,
    ContextParrot,
    HiddenMarkovModel,
    LinearDynamicalSystem,
    RidgeAutoregression,
    WindowMLP,
)
from esnkit.pooling import ModelSpace
from esnkit.readouts import LMSReadout, RLSReadout

RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 2))
Y = np.stack([np.roll(X[:, 0], 1), X[:, 1] ** 2], axis=1)
PER_OUTPUT = RNG.integers(0, 2, (80, 2)).astype(float)
SEQUENCES = [RNG.normal(size=(n, 2)) for n in (9, 12, 10, 11)]
LABELS = np.array(["low", "high", "low", "high"], dtype=object)
STEPS = [x[:, 0] + 1 for x in SEQUENCES]
TEXTS, CLASSES = ["abc", "bcd", "aab", "dd"], [0, 1, 0, 1]
TOKENS = [np.array([0, 2]), np.array([1])]
SMALL = {"n_units": 12, "random_state": 0}
BRIEF = {"n_units": 3, "max_iter": 2, "random_state": 0}
ESN = ESNRegressor(**SMALL)
WAVE = np.sin(np.arange(60) / 5)
SINES = np.sin(np.arange(150) / 3) + np.sin(np.arange(150) / 7.3) + 0.01 * X[:, :1].ravel()[0]
RIDGE = {"estimator": Ridge(), "lags": 3}
HOURS = pd.date_range("2024-03-29", periods=60, freq="h", tz="Europe/Berlin", name="hour")
DAYS = pd.date_range("2024", periods=210)
MONDAYS_AND_FRIDAYS = DAYS[np.is_busday(DAYS.to_numpy().astype("M8[D]"), weekmask="1000100")]
EXOG = pd.DataFrame({"price": np.cos(np.arange(63) / 3)}, pd.date_range("2020", periods=63))


def dated(index, **params):
    series = pd.Series(WAVE, index, name="sold")
    return Forecaster(**(params or RIDGE)).fit(series)


FITTED = {
    "ESNRegressor": lambda: ESNRegressor(**SMALL, leak_rate=(0.1, 1.0)).fit(X, Y),
    "ESNRegressor, several alpha": lambda: ESNRegressor(**SMALL, alpha=[0.1, 1.0]).fit(X, Y),
    "ESNRegressor, feedback and noise": lambda: ESNRegressor(
        **SMALL, feedback=True, noise=1e-3
    ).fit(X, Y),
    "ESNRegressor, float32": lambda: ESNRegressor(**SMALL).fit(X.astype(np.float32), Y),
    "ESNRegressor, stream": lambda: (
        ESNRegressor(**SMALL, noise=0.01).partial_fit(X, Y).partial_fit(X[:3], Y[:3])
    ),
    "ESNRegressor, weights per output": lambda: ESNRegressor(**SMALL).fit(
        X, Y, sample_weight=PER_OUTPUT
    ),
    "ESNRegressor, given matrix": lambda: ESNRegressor(
        12, topology=Reservoir(**SMALL).fit(X).W_, random_state=0
    ).fit(X, Y),
    "ESNClassifier": lambda: ESNClassifier(**SMALL).fit(SEQUENCES, LABELS),
    "ESNEnsembleClassifier": lambda: ESNEnsembleClassifier(4, random_state=0).fit(
        SEQUENCES, LABELS
    ),
    "ModelSpace": lambda: ESNClassifier(**SMALL, pooling=["std", ModelSpace(3)]).fit(
        SEQUENCES, LABELS
    ),
    "ReservoirRegressor": lambda: ReservoirRegressor(Reservoir(**SMALL), Ridge()).fit(X, Y),
    "ReservoirClassifier": lambda: ReservoirClassifier(
        Reservoir(**SMALL), LogisticRegression()
    ).fit(SEQUENCES, LABELS),
    "Reservoir": lambda: Reservoir(**SMALL, noise=0.1).fit(X),
    "DeepReservoir": lambda: DeepReservoir(Reservoir(4), 2, random_state=0).fit(X),
    "ParallelReservoir": lambda: ParallelReservoir(Reservoir(4), 2, random_state=0).fit(X),
    "BidirectionalReservoir": lambda: BidirectionalReservoir(Reservoir(**SMALL)).fit(X),
    "IntrinsicPlasticityReservoir": lambda: IntrinsicPlasticityReservoir(Reservoir(**SMALL)).fit(X),
    "MemoryReservoir": lambda: MemoryReservoir(Reservoir(4), 5, random_state=0).fit(X),
    "NVAR": lambda: NVAR(3, constant=True).fit(X),
    "RidgeReadout": lambda: RidgeReadout(solver="qr").fit(X, Y),
    "ReservoirSearchCV": lambda: ReservoirSearchCV(RidgeReadout(), {"alpha": [1.0]}, cv=2).fit(
        X, Y
    ),
    "ReservoirRandomizedSearchCV": lambda: ReservoirRandomizedSearchCV(
        RidgeReadout(), {"alpha": [1.0]}, n_iter=1, cv=2
    ).fit(X, Y),
    "RidgeReadout, stream": lambda: RidgeReadout().partial_fit(X, Y).partial_fit(X[:2], Y[:2]),
    "RLSReadout": lambda: RLSReadout(forgetting=0.9).fit(X, Y),
    "LMSReadout": lambda: LMSReadout().fit(X, Y),
    "rnn": lambda: RNNRegressor(**BRIEF, cell="rnn", solver="hessian_free").fit(X, Y),
    "lstm": lambda: RNNRegressor(**BRIEF, cell="lstm", early_stopping=True).fit(SEQUENCES, STEPS),
    "gru": lambda: RNNRegressor(**BRIEF, cell="gru", solver="sgd", bidirectional=True).fit(X, Y),
    "RNNClassifier": lambda: RNNClassifier(**BRIEF).fit(SEQUENCES, LABELS),
    "Seq2SeqClassifier": lambda: Seq2SeqClassifier(**BRIEF).fit([[0, 1], [1, 2]], [[1], [0, 1]]),
    "SequenceScaler": lambda: SequenceScaler().fit(SEQUENCES),
    "SequenceNormalizer": lambda: SequenceNormalizer().fit(X),
    "SequenceDifferencer": lambda: SequenceDifferencer(include_values=True).fit(X),
    "FromChannelsFirst": lambda: FromChannelsFirst().fit(X),
    "OneHotTokens": lambda: OneHotTokens().fit(TOKENS),
    "SeriesTransform": lambda: SeriesTransform("auto", differences=1).fit(WAVE + 2),
    "TokenEncoder": lambda: TokenEncoder().fit(TEXTS),
    "pipeline of symbols": lambda: make_pipeline(
        TokenEncoder(), RNNClassifier(**BRIEF, embedding_dim=2)
    ).fit(TEXTS, CLASSES),
    "pipeline of sequences": lambda: make_pipeline(SequenceScaler(), ESN).fit(SEQUENCES, STEPS),
    "pipeline of states": lambda: make_pipeline(StandardScaler(), Reservoir(**SMALL), Ridge()).fit(
        X, Y
    ),
    "HiddenMarkovModel": lambda: HiddenMarkovModel(n_init=1, tol=0.1).fit(SEQUENCES),
    "LinearDynamicalSystem": lambda: LinearDynamicalSystem(1, tol=0.1).fit(SEQUENCES),
    "Forecaster": lambda: Forecaster(ESN).fit(WAVE),
    "AutoForecaster": lambda: AutoForecaster(seasons=[6]).fit(WAVE),
    "PanelForecaster": lambda: PanelForecaster(seasons=()).fit({"a": WAVE, "b": -WAVE[:40]}),
    "PanelForecaster, gaps": lambda: PanelForecaster(seasons=()).fit(
        {"a": WAVE, "b": np.r_[WAVE[:9], np.nan, WAVE[:20], np.nan]}
    ),
    "PatchForecaster": lambda: PatchForecaster(ESN).fit(np.outer(WAVE, [1.0, 2.0, -1.0, 0.5])),
    "AutoForecaster, a baseline": lambda: AutoForecaster(seasons=[], best=True).fit(SINES),
    "AutoregressiveModel": lambda: AutoregressiveModel(5).fit(np.stack([WAVE, -WAVE], axis=1)),
    "ContextParrot": lambda: ContextParrot().fit(dated(HOURS).history()),
    "RidgeAutoregression": lambda: RidgeAutoregression(3, alpha=1e-3).fit(WAVE),
    "WindowMLP": lambda: WindowMLP(2, hidden_layer_sizes=(2,), random_state=0).fit(WAVE),
    "Forecaster, default network": lambda: Forecaster(random_state=0).fit(WAVE),
    "Forecaster, trained network": lambda: Forecaster(RNNRegressor(**BRIEF)).fit(WAVE),
    "Forecaster, ensemble": lambda: Forecaster(
        ESN, differences=(7, 1), n_ensemble=2, combine="median"
    ).fit(np.stack([WAVE, -WAVE], axis=1)),
    "Forecaster, direct": lambda: Forecaster(ESN, strategy="direct", horizon=3).fit(WAVE),
    "Forecaster, direct lags": lambda: Forecaster(**RIDGE, strategy="direct", horizon=3).fit(WAVE),
    "Forecaster, exog": lambda: Forecaster(**RIDGE).fit(
        pd.Series(WAVE, EXOG.index[:60]), exog=EXOG[:60]
    ),
    "Forecaster, calendar": lambda: dated(HOURS, calendar=("hour", "weekday")),
    "hours of a zone": lambda: dated(HOURS, estimator=ESN),
    "hours of an offset": lambda: dated(HOURS.tz_convert("+02:00")),
    "midnights of another zone": lambda: dated(
        pd.date_range("2024-03-01", periods=60, tz="Europe/Berlin").tz_convert("UTC")
    ),
    "business days": lambda: dated(pd.bdate_range("2024-01-01", periods=60)),
    "holidays": lambda: dated(
        pd.date_range("2024", periods=60, freq=pd.offsets.CDay(holidays=["2024-01-02"]))
    ),
    "date offset": lambda: dated(
        pd.date_range("2024-01-31", periods=60, freq=pd.DateOffset(months=1))
    ),
    "business hours": lambda: dated(pd.date_range("2024", periods=60, freq="bh")),
    "days of the week": lambda: dated(MONDAYS_AND_FRIDAYS[:60]),
    "third Fridays": lambda: dated(
        pd.DatetimeIndex(list(pd.date_range("2020", periods=60, freq="WOM-3FRI")))
    ),
    "months": lambda: dated(pd.period_range("2001-01", periods=60, freq="M")),
    "durations": lambda: dated(pd.timedelta_range("1h", periods=60, freq="h")),
    "floats": lambda: dated(np.arange(60) / 10),
    "numbers of months": lambda: dated([(2001 + i // 12) * 100 + i % 12 + 1 for i in range(60)]),
    "row numbers": lambda: dated(pd.RangeIndex(10, 70)),
}


def frame_of(library):
    """Return dates and a series in a frame of polars or pyarrow."""
    table = pytest.importorskip("pyarrow").Table.from_pandas(
        pd.DataFrame({"hour": HOURS, "sold": WAVE}), preserve_index=False
    )
    if library == "pyarrow":
        return table
    return pytest.importorskip("polars").from_arrow(table)


FITTED |= {
    library: lambda library=library: Forecaster(**RIDGE).fit(frame_of(library))
    for library in ("polars", "pyarrow")
}


@cache
def fitted(name):
    """Fit once for all tests."""
    return FITTED[name]()


def answer(model):
    """Return predictions, forecasts or whatever else a fitted estimator is for."""
    if isinstance(model, PanelForecaster):
        return np.stack(list(model.forecast(3, interval=0.8).values()))
    if isinstance(model, PatchForecaster):
        return model.forecast(3, interval=0.8)
    if hasattr(model, "backtest"):
        ahead = None if not model.n_exog_ else EXOG[60:]
        return model.forecast(3, exog=ahead, interval=0.8)
    if isinstance(model, SeriesTransform):
        return model.transform(WAVE + 2)
    first = model[0] if hasattr(model, "steps") else model
    if isinstance(first, TokenEncoder):
        return (getattr(model, "predict", None) or model.transform)(TEXTS)
    if isinstance(model, Seq2SeqClassifier):
        return model.predict([[0, 1, 1]])
    if isinstance(model, OneHotTokens):
        return model.transform(TOKENS)
    ragged = hasattr(model, "classes_") or isinstance(first, SequenceScaler)
    for method in ("predict_proba", "predict", "transform"):
        if hasattr(model, method):
            return getattr(model, method)(SEQUENCES if ragged else X)


def continued(model):
    """Let an estimator see more data, by a method that continues from its state."""
    if isinstance(model, PanelForecaster):
        return model.update({"a": WAVE[:2], "b": WAVE[:2]})
    if isinstance(model, PatchForecaster):
        return model.update(np.ones((2, model.n_features_in_)))
    if hasattr(model, "backtest") and not model.n_exog_:
        return model.update(model.history(2) if model.n_features_in_ > 1 else WAVE[:2])
    if isinstance(model, ESNRegressor | RNNRegressor) and not isinstance(model.alpha, list):
        if model.n_features_in_ == 2 and not getattr(model, "early_stopping", False):
            return model.partial_fit(X, Y)
    if hasattr(model, "warm_start") and isinstance(model, Seq2SeqClassifier):
        return model.set_params(warm_start=True).fit([[0, 1], [1, 2]], [[1], [0, 1]])
    return model


def assert_same(found, expected):
    """Compare bit for bit, labels and types included."""
    assert type(found) is type(expected)
    if isinstance(expected, list | tuple):
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other)
    elif isinstance(expected, pd.DataFrame):
        pd.testing.assert_frame_equal(found, expected, check_exact=True)
    elif hasattr(expected, "equals"):
        assert found.equals(expected)
    else:
        np.testing.assert_array_equal(found, expected, strict=isinstance(expected, np.ndarray))


@pytest.fixture(scope="module")
def skops():
    return pytest.importorskip("skops.io")


@pytest.mark.parametrize("name", FITTED)
def test_a_file_of_skops_holds_a_fitted_estimator(skops, name):
    model = fitted(name)
    answer(model)  # intervals are calibrated when they are first asked for
    data = skops.dumps(model)
    again = skops.loads(data, trusted=skops_trusted_types())
    assert set(skops.get_untrusted_types(data=data)) <= set(skops_trusted_types())
    assert_same(answer(again), answer(model))
    assert_same(answer(continued(again)), answer(continued(model)))


def test_the_published_types_are_the_public_estimators():
    modules = (esnkit, esnkit.baselines, esnkit.pooling)
    public = [getattr(module, name) for module in modules for name in module.__all__]
    classes = [c for c in public if inspect.isclass(c) and not issubclass(c, Warning)]
    concrete = [c for c in classes if not inspect.isabstract(c)]
    assert all(issubclass(c, BaseEstimator) for c in concrete)
    ours = [name for name in skops_trusted_types() if name.startswith("esnkit.")]
    assert ours == sorted(f"{c.__module__}.{c.__name__}" for c in concrete)


def test_files_need_all_published_types_and_no_others(skops):
    classes = [name.rsplit(".")[-1] for name in skops_trusted_types()]
    models = [fitted(name) for name in {"rnn", *classes} & set(FITTED)]
    assert skops.get_untrusted_types(data=skops.dumps(models)) == skops_trusted_types()


FREQUENCIES = (
    "D 3D B C W-WED 2W ME MS BME BMS QE-FEB QS BQE YE YS-JUN BYE SME SMS WOM-3FRI LWOM-2TUE h 6h "
    "min 15min s ms us bh cbh CBME"
).split()
FREQUENCIES += [
    pd.DateOffset(months=2),
    pd.DateOffset(days=1, hours=6),
    pd.offsets.CDay(holidays=["2024-01-02"], weekmask="Mon Tue Wed Thu"),
    pd.offsets.CDay(calendar=np.busdaycalendar("1110011", ["2024-01-02"])),
    pd.offsets.BusinessHour(start="10:00", end="15:00"),
    pd.offsets.BusinessDay(offset=pd.Timedelta(hours=3).to_pytimedelta()),
    pd.offsets.Easter(),
    pd.offsets.FY5253(weekday=4, startingMonth=1, variation="last"),
]


@pytest.mark.skipif("not config.getoption('--fuzz')", reason="one series of each kind is enough")
@given(
    frequency=st.sampled_from(FREQUENCIES),
    zone=st.sampled_from([None, "UTC", "Europe/Berlin", "America/Santiago", "+05:30"]),
    carried=st.booleans(),
    n_rows=st.integers(20, 60),
)
def test_dated_forecasters_of_every_frequency(skops, frequency, zone, carried, n_rows):
    try:
        index = pd.date_range("2024-01-05", periods=n_rows, freq=frequency, tz=zone)
        index = index if carried else pd.DatetimeIndex(list(index))
        model = Forecaster(**RIDGE).fit(pd.Series(np.sin(np.arange(len(index)) / 3), index))
        expected = model.forecast(5)
    except ValueError:  # no such times, or no rule
        return
    again = skops.loads(skops.dumps(model), trusted=skops_trusted_types())
    for found, wanted in ((again.forecast(5), expected), (again.history(), model.history())):
        pd.testing.assert_series_equal(found, wanted, check_exact=True)
    assert again.forecast(5).index.freq == expected.index.freq
