import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import LeaveOneOut, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from esnkit import (
    ESNClassifier,
    ESNRegressor,
    Reservoir,
    ReservoirClassifier,
    ReservoirRegressor,
    RNNClassifier,
    RNNRegressor,
    forecast,
)
from esnkit.sequences._short_sequences import short_sequences_expected, warn_if_short

S = np.sin(np.arange(60) / 4).reshape(-1, 1)
LABELS = np.where(S[:, 0] > 0, "up", "down")
START = np.zeros(5)
MODELS = [
    ESNRegressor(5),
    ESNRegressor(5, feedback=True),
    ReservoirRegressor(Reservoir(5)),
    ESNClassifier(5),
    ReservoirClassifier(Reservoir(5)),
    RNNRegressor(5, cell="rnn", max_iter=1),
    RNNClassifier(5, cell="rnn", max_iter=1),
    make_pipeline(StandardScaler(), ESNRegressor(5)),
    make_pipeline(Reservoir(5), Ridge()),
]
every_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
short = pytest.warns(UserWarning, match="no sequence in X has more than .*use esnkit.Forecaster")


def target_of(model, x):
    return np.resize(LABELS if hasattr(model, "predict_proba") else S[:, 0], len(x))


def fitted(model, X=S):
    y = [target_of(model, x) for x in X] if isinstance(X, list) else target_of(model, X)
    return clone(model).fit(X, y)


@every_model
def test_single_rows_of_a_longer_series_warn(model):
    model = fitted(model)
    with short:
        model.predict(S[:1])
    if hasattr(model, "predict_proba"):
        with short:
            model.predict_proba(S[:1])
    model.predict(S[:2])


def test_the_warning_is_about_the_line_of_the_caller():
    with pytest.warns(UserWarning) as caught:
        fitted(ESNRegressor(5)).predict(S[:1])
    assert [warning.filename for warning in caught] == [__file__]
    message = str(caught[0].message)
    assert "more than 1 time step, whereas the model was fitted to 60 or more" in message


@pytest.mark.parametrize("X", [S[:7, None], list(S[:7, None]), [S[:1]]], ids=["3-D", "list", "one"])
def test_sequences_of_one_step_warn_in_every_container(X):
    with short:
        fitted(ESNRegressor(5)).predict(X)


@pytest.mark.parametrize("n_rows", [1, 7, 20])
def test_sequences_within_the_washout_warn(n_rows):
    model = fitted(ESNRegressor(5, washout=20))
    with pytest.warns(UserWarning, match=rf"more than {n_rows} time steps?, within washout=20"):
        model.predict(S[:n_rows])
    model.predict(S[:21])
    model.predict([S[:n_rows], S[:21]])


def test_a_given_or_an_asked_for_state_is_no_mistake():
    for model in map(fitted, [ESNRegressor(5, washout=3), RNNRegressor(5, cell="rnn", max_iter=1)]):
        _, state = model.predict(S[:1], return_state=True)
        model.predict(S[1:2], initial_state=state)
        model.predict(S[:1], initial_state=START)
    reservoir = Reservoir(5).fit(S)
    _, state = reservoir.transform(S[:1], return_state=True)
    reservoir.transform(S[1:2], initial_state=state)


@pytest.mark.parametrize("model", MODELS[:7], ids=repr)
def test_a_model_that_was_fitted_to_single_rows_predicts_them(model):
    model = fitted(model, [S[:1], S[:40], S[20:]])
    model.predict([S[:1]])
    model.predict([S[:1], S[1:2]])


def test_one_target_per_sequence_is_no_series():
    X = [S[:20], S[10:40], S[5:50]]
    for model in (ESNClassifier(5), RNNClassifier(3, max_iter=1)):
        assert model.fit(X, ["a", "b", "a"]).predict([S[:1], S[3:4]]).shape == (2,)


def test_a_stream_in_single_rows_is_a_series():
    model = ESNRegressor(5)
    for t in range(5):
        model.partial_fit(S[t : t + 1], S[t + 1])
    with short:
        model.predict(S[5:6])
    model.fit([S[:1], S[:9]], [S[:1], S[:9]])
    model.predict(S[:1])


def test_cross_validation_that_leaves_one_row_out_warns():
    with short:
        cross_val_predict(ESNRegressor(5), S[:4], S[:4, 0], cv=LeaveOneOut())


def test_a_closed_loop_of_ours_does_not_warn():
    for model in (make_pipeline(StandardScaler(), ESNRegressor(5)), ESNRegressor(5)):
        assert forecast(model.fit(S[:-1], S[1:]), S, 5).shape == (5, 1)


@pytest.mark.parametrize(
    ("lengths", "shortest_in_fit", "washout", "warns"),
    [
        ([1], 2, 0, True),
        ([1, 1], 2, 0, True),
        ([1], 1, 0, False),
        ([1, 2], 9, 0, False),
        ([2], 9, 0, False),
        ([2], 9, 2, True),
        ([2, 3], 9, 2, False),
        ([1], 1, 2, True),
    ],
)
def test_when_sequences_are_short(lengths, shortest_in_fit, washout, warns):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warn_if_short(np.array(lengths), shortest_in_fit, washout)
        with short_sequences_expected():
            warn_if_short(np.array(lengths), shortest_in_fit, washout)
    assert len(caught) == warns
