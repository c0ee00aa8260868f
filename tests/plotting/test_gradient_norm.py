"""GradientNormDisplay: what is drawn, on which axes, and what is refused."""

import numpy as np
import pytest

from esnkit import ESNRegressor, RNNClassifier, RNNRegressor
from esnkit.datasets import make_adding
from esnkit.plotting import GradientNormDisplay

pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(scope="module")
def adding():
    return make_adding(20, 60, family="urnn", random_state=0)[:2]


def drawn_net(X, y, **options):
    return RNNRegressor(10, max_iter=0, pooling="last", random_state=0, **options).fit(X, y)


def test_norms_are_drawn_on_a_log_scale_and_named(adding):
    model = drawn_net(*adding, cell="gru")
    display = GradientNormDisplay.from_estimator(model, *adding, name="GRU", color="k")
    ax, (line,) = display.ax_, display.lines_
    assert (ax.get_yscale(), ax.get_xlabel()) == ("log", "time step t")
    assert ax.get_ylabel() == "norm of ∂ loss / ∂ h(t)" and line.get_color() == "k"
    np.testing.assert_array_equal(line.get_xdata(), np.arange(60))
    np.testing.assert_array_equal(line.get_ydata(), model.gradient_norms(*adding)[0])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["GRU"]
    assert display.figure_ is ax.figure


def test_networks_come_together_on_the_same_axes(adding):
    X, y = adding
    first = GradientNormDisplay.from_estimator(drawn_net(X, y), X, y)
    classifier = RNNClassifier(5, n_layers=2, max_iter=0, random_state=0).fit(X, y > 1)
    more = GradientNormDisplay.from_estimator(classifier, X, y > 1, name="deep", ax=first.ax_)
    names = [text.get_text() for text in first.ax_.get_legend().get_texts()]
    assert names == ["RNNRegressor", "deep, layer 1", "deep, layer 2"]
    looks = [(line.get_color(), line.get_linestyle()) for line in first.ax_.get_lines()]
    assert more.ax_ is first.ax_ and len(set(looks)) == 3
    together = GradientNormDisplay.from_estimators(
        {f"{k}": drawn_net(X, y) for k in range(9)}, X, y
    )
    assert len({(line.get_color(), line.get_linestyle()) for line in together.lines_}) == 9
    assert together.plot().ax_ is not first.ax_


def test_weights_of_the_targets_reach_the_plot(adding):
    X, _ = adding
    weights = np.zeros(X.shape[:2])
    weights[:, 30] = 1
    model = drawn_net(X, X[:, :, :1])
    display = GradientNormDisplay.from_estimator(model, X, X[:, :, :1], sample_weight=weights)
    norms = display.norms["RNNRegressor"][0]
    assert norms[30] > 0 and not norms[31:].any()
    with pytest.raises(ValueError, match="relative=True needs a gradient at the last time step"):
        GradientNormDisplay(display.norms, relative=True).plot()


def test_small_weights_let_the_gradient_vanish_geometrically_and_open_gates_do_not(adding):
    small = drawn_net(*adding, cell="rnn")
    small.set_weights({"W_0": 0.5 * small.get_weights()["W_0"]})
    open_gates = drawn_net(*adding, cell="lstm")
    bias = open_gates.get_weights()["b_0"]
    bias[10:20] = 8.0  # of the forget gates
    open_gates.set_weights({"b_0": bias})
    networks = {"small": small, "open": open_gates}
    display = GradientNormDisplay.from_estimators(networks, *adding, relative=True)
    small_line, open_line = (line.get_ydata() for line in display.lines_)
    assert small_line[-1] == open_line[-1] == 1
    logs = np.log10(small_line)
    np.testing.assert_allclose(np.diff(logs), (logs[-1] - logs[0]) / 59, atol=0.15)
    assert logs[0] < 59 * np.log10(0.5)
    assert small_line[0] < 1e-15 * small_line[-10] and open_line[0] > 0.01 * open_line[-10]


def test_estimators_without_a_gradient_are_refused_by_name(adding):
    X, y = adding
    with pytest.raises(TypeError, match="the estimator 'ESNRegressor' must be an RNNRegressor or"):
        GradientNormDisplay.from_estimator(ESNRegressor(5).fit(X, y), X, y)
    with pytest.raises(TypeError, match="estimators must be a dict of networks by name, got list"):
        GradientNormDisplay.from_estimators([drawn_net(X, y)], X, y)


def test_wrong_norms_are_refused():
    with pytest.raises(ValueError, match="norms must be a dict of norms by name, got {}"):
        GradientNormDisplay({}).plot()
    with pytest.raises(TypeError, match="relative must be True or False"):
        GradientNormDisplay({"a": np.ones((1, 3))}, relative="x").plot()


def test_a_single_time_step_is_a_mark():
    one, many = GradientNormDisplay({"one": np.ones((1, 1)), "many": np.ones((1, 2))}).plot().lines_
    assert (one.get_marker(), many.get_marker()) == ("o", "None")
