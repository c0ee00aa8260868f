"""The forecaster of many series: what it answers, in which form, and what it refuses."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from esnkit import PanelForecaster
from esnkit.forecasting import _panel_forecaster, _panel_selection

RNG = np.random.default_rng(0)
MONTHS = pd.date_range("2019-01-01", periods=60, freq="MS", name="month")
PROFILE = np.array([0.8, 0.7, 0.9, 1.0, 1.1, 1.3, 1.5, 1.4, 1.0, 0.9, 0.8, 1.2])
NOISE = np.exp(0.03 * RNG.normal(size=(60, 12)))
SHOPS = pd.DataFrame(
    10.0 ** np.linspace(0, 3, 12) * np.tile(PROFILE, 5)[:, None] * NOISE,
    MONTHS, [f"shop {i}" for i in range(12)],
)  # fmt: skip
SEEN, LATER = SHOPS[:48], SHOPS[48:]
LONG = SEEN.reset_index().melt("month", var_name="shop", value_name="sold")


@pytest.fixture(autouse=True, scope="module")
def few_candidates():
    """Judge candidates with two penalties and small reservoirs, to save time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_panel_selection, "PENALTIES", 10.0 ** np.array([-3.0, -1.0]))
        patch.setattr(_panel_selection, "NETWORK", _panel_selection.NETWORK | {"n_units": 20})
        yield


@pytest.fixture(scope="module")
def fitted(few_candidates):
    return PanelForecaster().fit(SEEN)


def test_shops_with_one_profile_are_forecast_better_than_by_the_last_season(fitted):
    error = (fitted.forecast(12) / LATER - 1).abs().to_numpy().mean()
    naive = np.abs(SHOPS[36:48].to_numpy() / LATER.to_numpy() - 1).mean()
    assert error < 0.95 * naive
    assert fitted.seasons_ == [12] and fitted.horizon_ == 9
    assert fitted.error_ < fitted.baselines_["seasonal naive (12 steps)"]
    assert fitted.members_ == fitted.candidates_[: len(fitted.members_)]
    errors = [candidate["error"] for candidate in fitted.candidates_]
    assert errors == sorted(errors) and fitted.n_timesteps_.tolist() == [48] * 12


def test_a_series_too_short_to_show_its_season_learns_it_from_the_others():
    panel = SEEN.assign(new=5 * np.tile(PROFILE, 4))
    panel.iloc[:40, -1] = np.nan  # eight rows are left
    ahead = PanelForecaster().fit(panel).forecast(12)["new"]
    assert np.abs(ahead / (5 * PROFILE) - 1).max() < 0.15


def test_series_too_short_for_all_members_have_the_next_best_candidate(fitted):
    arrays = [SEEN[name].to_numpy() for name in SEEN]
    short = [5 * PROFILE[[*range(12), 0, 1]], np.array([5.0, 5.5])]
    model = PanelForecaster(seasons=[12]).fit([*arrays, *short])
    lost = [
        sum(member["differences"]) + max(member["lags"], default=0) for member in model.members_
    ]
    assert min(lost) >= 14
    year, two = model.forecast(10)[12:]
    assert np.abs(year / (5 * PROFILE[2:]) - 1).max() < 0.1
    assert np.abs(two / 5.5 - 1).max() < 0.5


def test_wide_tables_are_answered_by_wide_tables(fitted):
    ahead = fitted.forecast(2, interval=0.9)
    assert list(ahead.columns[:3]) == ["shop 0", "shop 0_lower", "shop 0_upper"]
    assert list(ahead.index) == list(MONTHS[48:50]) and ahead.index.name == "month"
    bare = PanelForecaster(seasons=[12]).fit(SEEN.to_numpy())
    forecast, lower, upper = bare.forecast(2, interval=0.9)
    np.testing.assert_allclose(forecast, ahead[SEEN.columns], rtol=1e-12)
    assert (lower < forecast).all() and (forecast < upper).all() and forecast.shape == (2, 12)


def test_long_frames_in_any_order_are_answered_by_long_frames(fitted):
    rows = LONG.sample(frac=1, random_state=0)
    ahead = PanelForecaster().fit(rows).forecast(2, interval=0.9)
    assert list(ahead.columns) == ["shop", "month", "sold", "sold_lower", "sold_upper"]
    assert list(dict.fromkeys(ahead["shop"])) == list(dict.fromkeys(rows["shop"]))
    wanted = fitted.forecast(2, interval=0.9)
    found = ahead.pivot(index="month", columns="shop", values="sold_upper")
    assert list(found.index) == list(MONTHS[48:50])
    # Series in another order are others to judge and to sum up, but the same forecasts roughly.
    np.testing.assert_allclose(found[SEEN.columns], wanted.iloc[:, 2::3], rtol=0.05)


def test_an_index_of_ids_and_times_is_answered_by_one():
    series = LONG.set_index(["shop", "month"])["sold"]
    model = PanelForecaster().fit(series)
    ahead = model.forecast(2)
    assert list(ahead.index.names) == ["shop", "month"] and ahead.name == "sold"
    assert list(ahead.index[:2]) == [("shop 0", MONTHS[48]), ("shop 0", MONTHS[49])]
    assert list(model.forecast(1, interval=0.5).columns) == ["sold", "sold_lower", "sold_upper"]
    frame = PanelForecaster().fit(series.to_frame()).forecast(2)
    np.testing.assert_array_equal(frame["sold"], ahead)


@pytest.mark.parametrize("library", ["polars", "pyarrow"])
def test_frames_of_other_libraries_are_answered_in_kind(library):
    pl = pytest.importorskip("polars")
    give = pl.from_pandas if library == "polars" else lambda frame: pl.from_pandas(frame).to_arrow()
    rows = give(LONG)
    ahead = PanelForecaster().fit(rows).forecast(2)
    assert type(ahead) is type(rows)
    found = pl.from_arrow(ahead).to_pandas() if library == "pyarrow" else ahead.to_pandas()
    pd.testing.assert_frame_equal(
        found, PanelForecaster().fit(LONG).forecast(2), check_dtype=False, check_freq=False
    )


def test_lists_and_dicts_hold_answers_like_their_series():
    arrays = [SEEN[name].to_numpy()[i:] for i, name in enumerate(SEEN)]
    found = PanelForecaster(seasons=[12]).fit(arrays).forecast(3, interval=0.9)
    assert [len(part) for part in found] == [3] * 12 and found[0][0].shape == (3,)
    dated = PanelForecaster().fit({name: SEEN[name][i:] for i, name in enumerate(SEEN)})
    ahead = dated.forecast(3)
    assert list(ahead) == list(SEEN) and list(ahead["shop 3"].index) == list(MONTHS[48:51])
    np.testing.assert_allclose(ahead["shop 3"], found[3][0], rtol=0.2)  # without dates


def test_series_may_start_and_end_at_different_times():
    rows = LONG[~((LONG["shop"] == "shop 1") & (LONG["month"] >= MONTHS[40]))]
    rows = rows[~((rows["shop"] == "shop 2") & (rows["month"] < MONTHS[20]))]
    model = PanelForecaster().fit(rows)
    ahead = model.forecast(2)
    assert ahead.groupby("shop")["month"].min()["shop 1"] == MONTHS[40]
    assert ahead.groupby("shop")["month"].min()["shop 2"] == MONTHS[48]
    late = SEEN.copy()
    late.iloc[:20, 2] = np.nan
    wide = PanelForecaster().fit(late)
    assert wide.n_timesteps_.tolist() == [48, 48, 28] + [48] * 9


def test_updates_continue_the_series(fitted):
    model = clone(fitted).fit(SEEN)
    ahead = model.update(SHOPS[48:50]).forecast(2)
    assert list(ahead.index) == list(MONTHS[50:52]) and model.n_timesteps_[0] == 50
    assert (ahead / SHOPS[50:52] - 1).abs().to_numpy().mean() < 0.1
    assert -2 < model.score(SHOPS[50:]) < 0
    with pytest.raises(ValueError, match="continue the index of the series"):
        model.update(SHOPS[52:54])
    assert model.n_timesteps_[0] == 50


def test_updates_of_long_frames_may_have_some_of_the_series():
    new = LATER.reset_index().melt("month", var_name="shop", value_name="sold")
    some = new[(new["shop"] == "shop 3") & (new["month"] < MONTHS[50])]
    model = PanelForecaster().fit(LONG).update(some)
    starts = model.forecast(2).groupby("shop")["month"].min()
    assert starts["shop 3"] == MONTHS[50] and starts["shop 4"] == MONTHS[48]
    model.update(new[(new["shop"] == "shop 4")])
    assert (
        model.forecast(1).groupby("shop")["month"].min()["shop 4"]
        == MONTHS[59] + pd.offsets.MonthBegin()
    )
    with pytest.raises(ValueError, match="'shop 5' is followed by 2023-01-01"):
        model.update(new[(new["shop"] == "shop 5") & (new["month"] > MONTHS[50])])
    with pytest.raises(ValueError, match="'shop 99', which is new"):
        model.update(some.assign(shop="shop 99"))


def test_static_covariates_tell_series_apart():
    rng = np.random.default_rng(1)
    grows = np.arange(40) % 2
    series = [
        100 + np.cumsum((1.0 if up else -1.0) + 0.05 * rng.normal(size=n))
        for up, n in zip(grows, [30] * 36 + [2] * 4, strict=True)
    ]
    known = PanelForecaster(seasons=()).fit(series, static=grows)
    slopes = [float(np.diff(part).mean()) for part in known.forecast(5)[36:]]
    assert np.sign(slopes).tolist() == [-1, 1, -1, 1]
    names = [f"s{i}" for i in range(40)]
    frame = pd.DataFrame({"up": grows}, names).iloc[::-1]
    again = PanelForecaster(seasons=()).fit(dict(zip(names, series, strict=True)), static=frame)
    np.testing.assert_array_equal(list(again.forecast(5).values()), known.forecast(5))


def test_constant_series_and_zeros_are_continued():
    panel = [*WALKS, np.full(30, 7.0), np.zeros(30)]
    *_, sevens, zeros = PanelForecaster().fit(panel).forecast(4)
    np.testing.assert_allclose(sevens, 7, atol=1e-6)
    np.testing.assert_allclose(zeros, 0, atol=1e-6)


WALKS = [RNG.normal(size=30).cumsum() for _ in range(10)]


def test_scales_of_the_series_do_not_matter():
    model = PanelForecaster(seasons=())
    first = np.array(model.fit(WALKS).forecast(4))
    scales = 10.0 ** np.arange(-5, 5)
    scaled = np.array(
        model.fit([walk * scale for walk, scale in zip(WALKS, scales, strict=True)]).forecast(4)
    )
    np.testing.assert_allclose(scaled / scales[:, None], first, rtol=1e-6, atol=1e-8)


def test_forecasts_that_run_away_give_way_to_the_last_value(monkeypatch):
    model = PanelForecaster(seasons=()).fit(WALKS)
    monkeypatch.setattr(_panel_forecaster, "MAX_RELATIVE_REACH", 0.0)
    with pytest.warns(RuntimeWarning, match="forecasts of 10 series run away, such as that of 0"):
        ahead = model.forecast(3)
    np.testing.assert_array_equal(ahead, [[walk[-1]] * 3 for walk in WALKS])


def test_a_last_value_far_off_does_not_let_forecasts_run_away():
    panel = [np.r_[50 + walk, 1e8] for walk in WALKS]
    assert np.abs(PanelForecaster().fit(panel).forecast(9)).max() < 2e9


def test_two_rows_suffice_beside_longer_series():
    panel = [*(100 + walk for walk in WALKS), np.array([1000.0, 1010.0])]
    forecast, lower, upper = PanelForecaster(seasons=()).fit(panel).forecast(3, interval=0.9)[-1]
    assert np.abs(forecast - 1010).max() < 100 and (lower < forecast).all()


def test_intervals_of_three_series_are_as_wide_as_their_noise():
    rows = 20 + np.random.default_rng(0).normal(size=(60, 3))
    model = PanelForecaster(horizon=7, seasons=[7]).fit(rows[:50])
    forecast, lower, upper = model.forecast(10, interval=0.9)
    assert ((lower <= rows[50:]) & (rows[50:] <= upper)).mean() > 0.8
    assert 2 < (upper - lower).mean() < 7  # 3.3 for the exact quantiles
    with pytest.warns(UserWarning, match="the level 0.99 needs 99 forecast errors, the series g"):
        model.forecast(10, interval=0.99)


@pytest.mark.parametrize("positive", ["auto", True])
def test_counts_stay_at_zero_or_above(positive):
    counts = RNG.poisson(0.4, (40, 8)).astype(float)
    forecast, lower, upper = PanelForecaster(positive=positive).fit(counts).forecast(8, 0.9)
    assert (lower >= 0).all() and (forecast >= lower).all() and (upper > forecast).all()
    if positive == "auto":  # for each series: the other ones may fall below zero
        assert (PanelForecaster().fit([*counts.T, *WALKS]).forecast(2)[0] >= 0).all()


def test_a_seed_makes_it_reproducible_and_another_changes_it():
    first, again, other = (
        np.array(PanelForecaster(random_state=seed).fit(WALKS).forecast(3)) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0


def test_rows_before_the_last_many_do_not_count(monkeypatch):
    monkeypatch.setattr(_panel_forecaster, "MAX_ROWS", 25)
    model = PanelForecaster(seasons=())
    wanted = model.fit([walk[-25:] for walk in WALKS]).forecast(3)
    np.testing.assert_array_equal(model.fit(WALKS).forecast(3), wanted)


def test_columns_are_named_where_they_cannot_be_told_apart():
    rows = LONG.assign(shop=LONG["shop"].str[5:].astype(int), week=LONG.groupby("shop").cumcount())
    columns = {"id": "shop", "time": "week", "value": "sold"}
    ahead = PanelForecaster(seasons=[12], **columns).fit(rows[[*columns.values()]]).forecast(2)
    assert ahead["week"].tolist() == [48, 49] * 12 and ahead["shop"].tolist()[:3] == [0, 0, 1]
    with pytest.raises(ValueError, match="2 can be the id, a text: name the columns"):
        PanelForecaster().fit(LONG.assign(town="Ulm"))
    with pytest.raises(ValueError, match="no column 'store'"):
        PanelForecaster(id="store").fit(LONG)
    with pytest.raises(ValueError, match="must be a long frame for id, time and value"):
        PanelForecaster(id="shop").fit(WALKS)


def broken(position, **values):
    """Return the long frame with other values in one row."""
    rows = LONG.copy()
    for name, value in values.items():
        rows.loc[position, name] = value
    return rows


def with_hole(position):
    """Return the wide frame without one row's values."""
    rows = SEEN.copy()
    rows.iloc[position] = np.nan
    return rows


@pytest.mark.parametrize(
    ("panel", "message"),
    [
        (broken(50, month=MONTHS[1]), "in 'shop 1' 2019-02-01 .*is repeated"),
        (LONG.drop(index=60), "in 'shop 1' 2019-12-01 .*is followed by 2020-02-01"),
        (
            broken(50, sold=np.nan),
            r"missing or infinite \(NaN, inf\), in the series 'shop 1' at 2019-0",
        ),
        (broken(50, shop=None), "must have an id in every row of 'shop'"),
        (broken(50, month=MONTHS[3] + pd.Timedelta(days=1)), "regular"),
        (LONG.astype({"month": str}), "must have times, periods or numbers|can be the id"),
        (with_hole(9), "NaN in the series 'shop 0' after its first value"),
        (with_hole(47), "NaN in the series 'shop 0' after its first value"),
        (SEEN.set_axis(["a"] * 12, axis=1), "distinct names|unique column names"),
        ([], "at least one series"),
        ([*WALKS, np.ones(1)], "at least 2 rows of every series, got n_samples=1 of 10"),
        ({"a": np.ones(5), "b": np.arange(6)}, "a series of at least 10 rows, .* the longest, 'b'"),
        ({"a": np.ones((5, 2))}, r"panel\['a'\] must be 1-D"),
        ([*WALKS, np.r_[np.nan, WALKS[0]]], r"panel\[10\] contains NaN"),
        (np.ones(30), "must be several series"),
        ([*WALKS, 1e150 * WALKS[0]], "values up to 1e.140, got .* in 10"),
    ],
)
def test_panels_that_make_no_sense_are_refused(panel, message):
    with pytest.raises(ValueError, match=message):
        PanelForecaster().fit(panel)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"horizon": 0}, "horizon must be an integer >= 1"),
        ({"seasons": 12}, "seasons must be 'auto' or a sequence of periods"),
        ({"positive": True}, "positive=True needs series without negative values"),
    ],
)
def test_parameters_out_of_range_are_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        PanelForecaster(**parameters).fit(WALKS)


def test_what_a_fitted_forecaster_refuses(fitted):
    with pytest.raises(NotFittedError):
        PanelForecaster().forecast(1)
    with pytest.raises(ValueError, match="interval must be"):
        fitted.forecast(2, interval=1)
    with pytest.raises(ValueError, match="must have the form and the series of panel"):
        fitted.update(WALKS)
    with pytest.raises(ValueError, match="interval adds a column 'sold_lower'"):
        clashing = LONG.rename(columns={"shop": "sold_lower"})
        PanelForecaster().fit(clashing).forecast(2, interval=0.9)
