import numpy as np
import pandas as pd
import pytest

from esnkit import ESNClassifier
from esnkit.adapters import SktimeClassifier

pytest.importorskip("sktime")
from sktime.utils.estimator_checks import check_estimator  # noqa: E402

# sktime warns of what is to come in its own classes.
may_warn = pytest.mark.filterwarnings("ignore")

T = np.arange(30.0)
LABELS = np.array(["slow", "fast"] * 10)
WAVES = np.array([[np.sin(T / (2 + 2 * (i % 2)) + i), np.cos(T + i)] for i in range(20)])


@may_warn
def test_checks_of_sktime():
    check_estimator(SktimeClassifier, raise_exceptions=True, verbose=False)


@pytest.mark.parametrize("container", ["numpy3D", "df-list"])
def test_predictions_are_those_of_the_classifier(container):
    sequences = [wave.T[: 30 - i * (container == "df-list")] for i, wave in enumerate(WAVES)]
    X = WAVES if container == "numpy3D" else [pd.DataFrame(rows) for rows in sequences]
    model = SktimeClassifier(ESNClassifier(20, random_state=0)).fit(X, LABELS)
    ours = ESNClassifier(20, random_state=0).fit(sequences, LABELS)
    assert (model.predict(X) == ours.predict(sequences)).all()
    # Several sequences of one length run side by side, in another order of sums.
    expected = ours.predict_proba(sequences)
    np.testing.assert_allclose(model.predict_proba(X), expected, rtol=1e-10)
    assert model.classes_.tolist() == ours.classes_.tolist()


def test_none_stands_for_a_seeded_network_with_its_defaults():
    model = SktimeClassifier().fit(WAVES, LABELS)
    ours = ESNClassifier(random_state=0).fit(list(WAVES.transpose(0, 2, 1)), LABELS)
    expected = ours.predict_proba(list(WAVES.transpose(0, 2, 1)))
    np.testing.assert_allclose(model.predict_proba(WAVES), expected, rtol=1e-10)


def test_parameters_of_the_classifier_are_nested():
    model = SktimeClassifier(ESNClassifier(20)).set_params(classifier__n_units=7)
    assert model.classifier.n_units == 7
    assert model.get_tag("property:randomness") == "stochastic"
