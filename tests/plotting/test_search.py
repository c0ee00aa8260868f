"""SearchDisplay: cells, points, lines and the best score so far."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import loguniform
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV

from esnkit.plotting import SearchDisplay
from esnkit.plotting._search import parameter_axis

pytest.importorskip("matplotlib.pyplot")
NAN = np.nan


def display_of(candidates, scores, seconds=None):
    seconds = np.ones(len(scores)) if seconds is None else seconds
    return SearchDisplay(candidates, np.array(scores, dtype=float), np.array(seconds))


GRID = [{"a": a, "b": b, "c": c} for a in (10, 1) for b in ("x", "y") for c in (1, 2)]
SCORES = [1, 2, 3, 4, 5, 6, 7, NAN]


def cells_of(display):
    return np.ma.filled(np.ma.masked_invalid(display.ax_.images[-1].get_array()), NAN)


def test_a_cell_has_the_best_or_the_mean_score_of_its_candidates():
    display = display_of(GRID, SCORES).plot()
    np.testing.assert_array_equal(cells_of(display), [[6, 2], [7, 4]])  # a ascends, b as tried
    assert [t.get_text() for t in display.ax_.get_xticklabels()] == ["1", "10"]
    assert [t.get_text() for t in display.ax_.get_yticklabels()] == ["x", "y"]
    best = display.ax_.lines[0]
    assert (best.get_xdata()[0], best.get_ydata()[0]) == (0, 1)
    display = display_of(GRID, SCORES).plot(params=["c", "a"], reduce="mean")
    np.testing.assert_array_equal(cells_of(display), [[6, 6], [2, 3]])


def test_candidates_that_failed_and_pairs_not_tried_have_no_colour():
    candidates = [{"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": 2, "b": 2}]
    display = display_of(candidates, [1.0, -np.inf, 2.0]).plot()
    np.testing.assert_array_equal(cells_of(display), [[1, NAN], [NAN, 2]])
    failed = np.ma.filled(np.ma.masked_invalid(display.ax_.images[0].get_array()), 0.0)
    np.testing.assert_array_equal(failed, [[0, 1], [0, 0]])


def test_far_lower_scores_do_not_stretch_the_colours():
    display = display_of([{"a": k, "b": k} for k in range(5)], [-1e9, 1, 2, 3, 4]).plot()
    assert display.ax_.images[-1].get_clim() == (1.0, 4.0)


def test_values_of_a_random_search_are_points():
    search = RandomizedSearchCV(
        Ridge(), {"alpha": loguniform(1e-3, 1e3), "tol": loguniform(1e-5, 1e-3)}, n_iter=25,
        random_state=0, cv=2,
    ).fit(np.eye(8), np.arange(8.0))  # fmt: skip
    display = SearchDisplay.from_search(search)
    assert display.ax_.get_xscale() == display.ax_.get_yscale() == "log"
    (points,) = display.ax_.collections
    found = {tuple(point) for point in np.asarray(points.get_offsets())}
    assert found == {(c["alpha"], c["tol"]) for c in search.cv_results_["params"]}
    star = display.ax_.lines[-1]
    assert star.get_xdata()[0] == search.best_params_["alpha"]


def test_a_line_per_candidate_and_the_best_above_them():
    display = display_of(GRID, SCORES).plot(kind="parallel")
    (lines,) = display.ax_.collections
    assert len(lines.get_segments()) == 8
    best = display.ax_.lines[0].get_ydata()
    np.testing.assert_allclose(best, [0.0, 1.0, 0.0], atol=0.05)  # a=1, b="y", c=1
    assert [t.get_text() for t in display.ax_.get_xticklabels()] == ["a", "b", "c"]
    ends = np.array([segment[:, 1] for segment in lines.get_segments()])
    assert len(np.unique(ends[:, 0])) == 8  # side by side where they share a value


def test_the_best_score_so_far_over_the_seconds_of_all_folds():
    display = display_of(GRID[:5], [2.0, -1e9, 1.0, 3.0, NAN], [1, 2, 3, 4, 5])
    lines = {line.get_label(): line for line in display.plot(kind="seconds").ax_.lines}
    np.testing.assert_array_equal(lines["best so far"].get_xdata(), [1, 3, 6, 10, 15])
    np.testing.assert_array_equal(lines["best so far"].get_ydata(), [2, 2, 2, 3, 3])
    np.testing.assert_array_equal(lines["candidate"].get_xdata(), [1, 6, 10])
    np.testing.assert_array_equal(lines["candidate below, or failed"].get_xdata(), [3, 15])


def test_the_best_score_so_far_leaves_out_scores_that_are_not_finite():
    candidates = [{"a": k} for k in range(4)]
    ax = display_of(candidates, [1.0, np.inf, NAN, 2.0]).plot(kind="seconds").ax_
    np.testing.assert_array_equal(ax.lines[-1].get_ydata(), [1, 1, 1, 2])


def test_scores_and_seconds_come_from_the_results_of_a_search():
    search = GridSearchCV(
        Ridge(), {"alpha": [1.0, 2.0], "tol": [0.1, 0.2]}, cv=2, refit="low",
        scoring={"high": "r2", "low": "neg_mean_squared_error"},
    ).fit(np.eye(8), np.arange(8.0))  # fmt: skip
    display = SearchDisplay.from_search(search)
    assert display.score_name == "low"
    np.testing.assert_array_equal(display.scores, search.cv_results_["mean_test_low"])
    each = search.cv_results_["mean_fit_time"] + search.cv_results_["mean_score_time"]
    np.testing.assert_allclose(display.seconds, 2 * each)
    assert SearchDisplay.from_search(search, metric="high").score_name == "high"
    with pytest.raises(ValueError, match="metric must be one of .*'high', 'low'.*, got 'r2'"):
        SearchDisplay.from_search(search, metric="r2")


def test_axes_of_parameters():
    axis = parameter_axis("alpha", [1e-3, 10, 1e-3, 1.0])
    assert axis.is_log and axis.values == [1e-3, 1.0, 10.0]
    np.testing.assert_allclose(axis.heights, [0, 1, 0, 0.75])
    assert not parameter_axis("n", [1, 40]).is_log
    axis = parameter_axis("mixed", [None, True, 3, "a b", None])
    assert not axis.is_number and axis.labels == ["None", "True", "3", "a b"]
    many = parameter_axis("x", list(range(11)))
    assert [label for _, label in many.ticks] == ["0", "2.5", "5", "7.5", "10"]


def test_parameters_of_other_grids_are_not_set():
    display = display_of([{"a": 1, "b": 1}, {"a": 2, "b": 2}, {"a": 2}], [1, 2, 3]).plot()
    assert [t.get_text() for t in display.ax_.get_yticklabels()] == ["1", "2", "not set"]


def test_axes_are_taken_and_plots_drawn_again():
    import matplotlib.pyplot as plt

    _, ax = plt.subplots()
    display = display_of(GRID, SCORES).plot(ax=ax)
    assert display.ax_ is ax and display.figure_ is ax.figure
    assert display.plot(kind="seconds").ax_ is not ax


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda d: d.plot(kind="bars"),
            ValueError,
            "kind must be one of .*'heat_map', 'parallel', ",
        ),
        (
            lambda d: d.plot(reduce="min"),
            ValueError,
            "reduce must be one of .*'max', 'mean'.*, got",
        ),
        (
            lambda d: d.plot(params=["a", "z"]),
            ValueError,
            r"among \['a', 'b', 'c'\], got \['a', 'z",
        ),
        (lambda d: d.plot(params="ab"), ValueError, "params must be a list of parameters"),
        (lambda d: d.plot(params=3), ValueError, "params must be a list of parameters"),
        (lambda d: d.plot(params=[], kind="parallel"), ValueError, r"must be a list .*, got \[\]"),
        (
            lambda d: display_of([{"a": 1}] * 2, [1, 2]).plot(),
            ValueError,
            r"the search has \[\]: use kind='seconds'",
        ),
        (lambda d: d.plot(params=["a"]), ValueError, "params must name two parameters"),
        (
            lambda d: display_of([{"a": 1, "b": 1}, {"a": 2, "b": 1}], [1, 2]).plot(),
            ValueError,
            r"needs two parameters that vary, the search has \['a'\]: use kind='parallel'",
        ),
        (
            lambda d: display_of(GRID, [NAN] * 8).plot(),
            ValueError,
            "no candidate with a finite score",
        ),
        (
            lambda d: SearchDisplay.from_search(GridSearchCV(Ridge(), {})),
            TypeError,
            "search must be fitted, with cv_results_ as GridSearchCV has",
        ),
        (lambda d: SearchDisplay.from_search(SimpleNamespace()), TypeError, "got namespace"),
    ],
)
def test_wrong_calls_name_what_is_wrong(call, error, message):
    with pytest.raises(error, match=message):
        call(display_of(GRID, SCORES))


def test_of_equal_scores_the_first_candidate_is_the_best_in_every_plot():
    tied = display_of([{"a": a, "b": b} for a in (0, 1) for b in (0, 1)], np.ones(4))
    (star,) = tied.plot().ax_.get_lines()
    assert (star.get_xdata(), star.get_ydata()) == (0, 0)
    best = tied.plot(kind="parallel").ax_.get_lines()[0]
    assert np.all(best.get_ydata() < 0.1)  # the heights of the values 0


def test_values_with_a_long_text_that_begins_alike_are_told_apart():
    texts = [f"Reservoir(n_units=100, random_state=0, topology={name!r})" for name in "ab"]
    axis = parameter_axis("reservoir", [texts[0], texts[1], "short"])
    assert axis.codes.tolist() == [0, 1, 2] and axis.labels == [*texts, "short"]
    assert parameter_axis("reservoir", [texts[0], "short"]).labels == [
        "Reservoir(n_units=100, …", "short",
    ]  # fmt: skip


def test_parallel_axes_need_a_parameter_that_varies():
    with pytest.raises(ValueError, match="kind='parallel' needs a parameter that varies"):
        display_of([{"a": 1}], [0.5]).plot(kind="parallel")
