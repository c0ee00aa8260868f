"""The forecaster of many series: what it answers, in which form, and what it refuses."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.utils import check_random_state

from esnkit import PanelForecaster, Reservoir
from esnkit.forecasting import _panel_ensemble, _panel_forecaster, _panel_selection

pytestmark = pytest.mark.usefixtures("few_panel_candidates")
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


@pytest.fixture(scope="module")
def fitted(few_panel_candidates):
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


@pytest.mark.parametrize(
    ("first", "second"), [("D", "h"), ("h", "D"), ("30min", "h"), ("MS", "QS"), ("W", "D")]
)
def test_series_of_different_time_steps_are_refused(first, second):
    panel = {
        "a": pd.Series(np.arange(40.0), pd.date_range("2020-01-05", periods=40, freq=first)),
        "b": pd.Series(np.arange(12.0), pd.date_range("2020-01-05", periods=12, freq=second)),
    }
    with pytest.raises(ValueError, match="one time step, got .* in 'a' and .* in 'b'"):
        PanelForecaster().fit(panel)


@pytest.mark.parametrize(
    ("usual", "start", "n_rows"),
    [("B", "2020-01-03", 2), ("B", "2020-01-03", 4), ("MS", "2021-02", 4)],
)
def test_few_business_days_or_months_have_the_step_of_many(usual, start, n_rows):
    panel = {
        "a": pd.Series(PROFILE.repeat(4), pd.date_range("2020-01-05", periods=48, freq=usual)),
        "b": pd.Series(PROFILE[:n_rows], pd.date_range(start, periods=n_rows, freq=usual)),
    }
    model = PanelForecaster().fit(panel)
    assert [len(ahead) for ahead in model.forecast(2).values()] == [2, 2]


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


def test_scales_of_series_with_zeros_do_not_matter():
    rng = np.random.default_rng(0)
    counts = [rng.poisson(3, size=n).astype(float) for n in (40, 30, 16, 12)]  # square roots
    scales = 10.0 ** np.array([3, -3, 1, -1])
    model = PanelForecaster(positive=False)
    first = model.fit(counts).forecast(4)
    assert any(candidate["power"] == 0.5 for candidate in model.members_)
    scaled = model.fit([rows * c for rows, c in zip(counts, scales, strict=True)]).forecast(4)
    for rows, expected, c in zip(scaled, first, scales, strict=True):
        np.testing.assert_allclose(rows / c, expected, rtol=1e-6)


def test_forecasts_that_run_away_give_way_to_the_last_value(monkeypatch):
    model = PanelForecaster(seasons=()).fit(WALKS)
    monkeypatch.setattr(_panel_ensemble, "MAX_RELATIVE_REACH", 0.0)
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
    forecast, lower, upper = (
        PanelForecaster(positive=positive).fit(counts).forecast(8, interval=0.9)
    )
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
        (broken(50, sold=np.inf), r"infinite value \(inf\), in the series 'shop 1' at 2019-03-01"),
        (broken(50, shop=None), "must have an id in every row of 'shop'"),
        (broken(50, month=MONTHS[3] + pd.Timedelta(days=1)), "regular"),
        (LONG.astype({"month": str}), "must have times, periods or numbers|can be the id"),
        (SEEN.assign(new=np.nan), "NaN only in the series 'new'"),
        (SEEN.set_axis(["a"] * 12, axis=1), "distinct names|unique column names"),
        ([], "at least one series"),
        ([*WALKS, np.ones(1)], "at least 2 rows of every series, got n_samples=1 of 10"),
        ({"a": np.ones(5), "b": np.arange(6)}, "a series of at least 10 rows, .* the longest, 'b'"),
        ({"a": np.ones((5, 2))}, r"panel\['a'\] must be 1-D"),
        ([*WALKS, np.r_[np.inf, WALKS[0]]], r"panel\[10\] contains infinity"),
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
        ({"seasons": None}, "seasons must be 'auto', a period or a sequence of periods"),
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
    with pytest.raises(TypeError, match="bias_adjust must be"):
        fitted.forecast(2, bias_adjust=1)
    with pytest.raises(TypeError, match="bias_adjust must be"):
        fitted.backtest(WALKS, 2, 2, bias_adjust="yes")
    with pytest.raises(ValueError, match="bias_adjust=True and quantiles=.* exclude each other"):
        fitted.forecast(2, quantiles=[0.9], bias_adjust=True)
    with pytest.raises(ValueError, match="must have the form and the series of panel"):
        fitted.update(WALKS)
    with pytest.raises(ValueError, match="interval adds a column 'sold_lower'"):
        clashing = LONG.rename(columns={"shop": "sold_lower"})
        PanelForecaster().fit(clashing).forecast(2, interval=0.9)


# Inputs known in advance.

RNG2 = np.random.default_rng(5)
PROMOTED = RNG2.integers(0, 2, size=(60, 12)).astype(float)
TEMPERATURE = RNG2.normal(size=(60, 12))
SOLD = SHOPS * (1 + 0.5 * PROMOTED)
PAIRS = pd.MultiIndex.from_product([SHOPS.columns, ["promotion", "temperature"]])
BOTH = pd.DataFrame(np.stack([PROMOTED, TEMPERATURE], axis=2).reshape(60, 24), MONTHS, PAIRS)
ITEMS = {name: BOTH[name] for name in SHOPS}


@pytest.fixture(scope="module")
def promoted(few_panel_candidates):
    return PanelForecaster().fit(SOLD[:48], exog=BOTH[:48])


def test_inputs_known_in_advance_are_learned(promoted):
    ahead = promoted.forecast(12, BOTH[48:])
    error = (ahead / SOLD[48:] - 1).abs().to_numpy().mean()
    bare = (PanelForecaster().fit(SOLD[:48]).forecast(12) / SOLD[48:] - 1).abs().to_numpy().mean()
    assert error < 0.5 * bare and promoted.n_exog_ == 2
    effect = ahead.to_numpy() / promoted.forecast(12, BOTH[48:] * 0).to_numpy()
    np.testing.assert_allclose(effect.mean(where=PROMOTED[48:] == 1), 1.5, rtol=0.05)


def long_rows(sold, both):
    """Return the same rows as a long frame."""
    rows = sold.reset_index().melt("month", var_name="shop", value_name="sold")
    for name in ("promotion", "temperature"):
        rows[name] = both.xs(name, axis=1, level=1)[sold.columns].to_numpy().T.ravel()
    return rows.sample(frac=1, random_state=0)


@pytest.fixture(scope="module")
def plain(few_panel_candidates):
    """Fit without seasons, which is faster."""
    return PanelForecaster(seasons=()).fit(SOLD[:48], exog=BOTH[:48])


def test_inputs_in_every_form_give_the_same_forecasts(plain):
    wanted, names = plain.forecast(4, BOTH[48:]), ["promotion", "temperature"]
    seen, later = ({key: rows[part] for key, rows in ITEMS.items()}
                   for part in (slice(48), slice(48, None)))  # fmt: skip
    wide = PanelForecaster(seasons=()).fit(SOLD[:48], exog=seen).forecast(4, later)
    pd.testing.assert_frame_equal(wide, wanted)
    items = PanelForecaster(seasons=()).fit({name: SOLD[name][:48] for name in SOLD}, exog=seen)
    pd.testing.assert_frame_equal(pd.DataFrame(items.forecast(4, later)), wanted, check_freq=False)
    arrays = [SOLD[name].to_numpy()[:48] for name in SOLD]
    exog = [rows.to_numpy() for rows in ITEMS.values()]
    model = PanelForecaster(seasons=()).fit(arrays, exog=[rows[:48] for rows in exog])
    assert len(model.forecast(4, [rows[48:] for rows in exog])) == 12
    bare = PanelForecaster(seasons=()).fit(SOLD[:48].to_numpy(), exog=np.stack(exog, 1)[:48])
    found = bare.forecast(4, np.stack(exog, axis=1)[48:])
    np.testing.assert_array_equal(found, wanted.to_numpy())
    rows = long_rows(SOLD, BOTH)
    long = PanelForecaster(seasons=(), value="sold").fit(
        rows[rows["month"] < MONTHS[48]], exog=names
    )
    found = long.forecast(4, rows[rows["month"] >= MONTHS[48]].drop(columns="sold"))
    found = found.pivot(index="month", columns="shop", values="sold")[SOLD.columns]
    np.testing.assert_array_equal(found.to_numpy(), wanted.to_numpy())
    levels = rows.set_index(["shop", "month"])
    known = levels.index.get_level_values(1) < MONTHS[48]
    found = PanelForecaster(seasons=(), value="sold").fit(levels[known], exog=names)
    found = found.forecast(4, levels[~known][names])["sold"].unstack(0)[SOLD.columns]
    np.testing.assert_array_equal(found.to_numpy(), wanted.to_numpy())


def test_one_input_of_each_series_may_be_a_table_like_the_series():
    promotion = SHOPS * 0 + PROMOTED
    model = PanelForecaster(seasons=()).fit(SOLD[:48], exog=promotion[:48])
    wanted = model.forecast(3, promotion[48:])
    found = model.forecast(3, promotion[48:][SHOPS.columns[::-1]])  # columns in another order
    pd.testing.assert_frame_equal(found, wanted)
    pl = pytest.importorskip("polars")
    seen, later, ahead = (
        pl.from_pandas(frame.reset_index()) for frame in (SOLD[:48], promotion[48:], promotion[:48])
    )
    found = PanelForecaster(seasons=()).fit(seen, exog=ahead).forecast(3, later)
    np.testing.assert_array_equal(found.drop("month").to_numpy(), wanted.to_numpy())


def test_updates_and_scores_take_inputs(plain):
    model = clone(plain).fit(SOLD[:48], exog=BOTH[:48]).update(SOLD[48:50], BOTH[48:50])
    ahead = model.forecast(3, BOTH[50:])
    assert list(ahead.index) == list(MONTHS[50:53])
    assert (ahead / SOLD[50:53] - 1).abs().to_numpy().mean() < 0.3
    assert -2 < plain.score(SOLD[48:], exog=BOTH[48:]) < 0
    holes = BOTH[48:50].copy()
    holes.iloc[0] = np.nan  # the last value stands for it
    filled = holes.fillna(BOTH.iloc[47])
    first, again = (
        clone(plain).fit(SOLD[:48], exog=BOTH[:48]).update(SOLD[48:50], new)
        for new in (holes, filled)
    )
    pd.testing.assert_frame_equal(first.forecast(3, BOTH[50:]), again.forecast(3, BOTH[50:]))
    rows = long_rows(SOLD, BOTH)
    seen, new = rows[rows["month"] < MONTHS[48]], rows[rows["month"] >= MONTHS[50]]
    between = rows[(rows["month"] >= MONTHS[48]) & (rows["month"] < MONTHS[50])]
    long = PanelForecaster(seasons=(), value="sold").fit(seen, exog=["promotion", "temperature"])
    found = long.update(between).forecast(3, new)
    found = found.pivot(index="month", columns="shop", values="sold")[SOLD.columns]
    np.testing.assert_array_equal(found.to_numpy(), ahead.to_numpy())
    strict = long.set_params(missing="raise")
    with pytest.raises(ValueError, match="new contains NaN"):
        strict.update(new.assign(promotion=np.nan))


@pytest.mark.parametrize(
    ("exog", "message"),
    [
        (None, "exog must be given: the model was fitted with 24"),
        (BOTH[48:50], "at least 3 rows"),
        (BOTH[47:], "must have the index of its time steps"),
        (BOTH[48:].drop(columns=["shop 3"], level=0), "must have the columns"),
        (BOTH[48:].replace(0.0, np.nan), "exog contains NaN"),
        ({"shop 1": ITEMS["shop 1"][48:]}, "must have the 12 series of panel, differs in 'shop 0'"),
    ],
)
def test_inputs_of_the_future_that_do_not_fit_are_refused(promoted, exog, message):
    with pytest.raises(ValueError, match=message):
        promoted.forecast(3, exog)


def test_inputs_that_do_not_fit_the_panel_are_refused(fitted):
    model = PanelForecaster(seasons=())
    with pytest.raises(ValueError, match="list or dict with the inputs of each of the 10 series"):
        model.fit(WALKS, exog=np.ones(30))
    with pytest.raises(ValueError, match="same columns for all series, 1, got 2 of 9"):
        model.fit(WALKS, exog=[np.ones(30)] * 9 + [np.ones((30, 2))])
    with pytest.raises(ValueError, match="named as the series, or by two levels"):
        model.fit(SOLD[:48], exog=(SHOPS * 0 + PROMOTED)[:48].add_prefix("x"))
    with pytest.raises(ValueError, match="exog must name columns of panel, a long frame"):
        model.fit(LONG, exog=np.ones(3))
    with pytest.raises(ValueError, match="no column 'price'"):
        model.fit(LONG, exog=["price"])
    with pytest.raises(ValueError, match="exog must be None: the model was fitted without"):
        fitted.forecast(1, BOTH[48:])
    rows = long_rows(SOLD, BOTH)
    long = PanelForecaster(seasons=(), value="sold").fit(
        rows[rows["month"] < MONTHS[48]], exog=["promotion", "temperature"]
    )
    with pytest.raises(ValueError, match="the 2 times after those of 'shop [0-9]+', 2023-01-01"):
        long.forecast(2, rows[rows["month"] > MONTHS[48]])
    with pytest.raises(ValueError, match="exog must be None: new has the columns"):
        long.update(rows[rows["month"] == MONTHS[48]], exog=["promotion"])


def test_inputs_unlike_those_of_fit_are_warned_of(promoted):
    far = BOTH[48:].copy()
    far.loc[MONTHS[49], ("shop 2", "temperature")] = 500.0
    with pytest.warns(UserWarning, match="'temperature' leaves the range .* in fit: in step 2 it"):
        promoted.forecast(2, far)
    model = PanelForecaster(seasons=()).fit(WALKS, exog=[np.ones(30)] * 10)
    with pytest.warns(UserWarning, match="exog column 0 did not vary in fit and does now"):
        model.forecast(2, [np.zeros(2)] * 10)


def test_fields_of_the_calendar_are_inputs():
    days = pd.date_range("2024-01-01", periods=130)
    weekend = (days.day_of_week >= 5)[:, None]
    rows = 20 + 5.0 * weekend + np.random.default_rng(1).normal(size=(130, 4)) * 0.3
    frame = pd.DataFrame(rows, days, list("abcd"))
    seen = frame[:120]
    model = PanelForecaster(seasons=(), calendar="weekend").fit(seen)
    assert np.abs(model.forecast(10) - frame[120:]).to_numpy().mean() < 0.6
    flags = {key: weekend.astype(float) for key in frame}
    same = PanelForecaster(seasons=()).fit(seen, exog={k: v[:120] for k, v in flags.items()})
    ahead = same.forecast(10, {k: v[120:] for k, v in flags.items()})
    np.testing.assert_array_equal(ahead, model.forecast(10))
    late = frame.copy()
    late.loc[days[:30], "b"] = np.nan
    late = PanelForecaster(seasons=(), calendar="weekend").fit(late[:120])
    items = {key: seen[key][30 * (key == "b") :] for key in seen}
    for panel in (items, long_of(seen, items)):
        again = PanelForecaster(seasons=(), calendar="weekend").fit(panel).forecast(4)
        found = pd.DataFrame(again) if isinstance(again, dict) else wide_of(again)
        np.testing.assert_array_equal(found, late.forecast(4))
    updated = model.update(frame[120:125]).forecast(5)
    assert np.abs(updated - frame[125:]).to_numpy().mean() < 0.6
    with pytest.raises(ValueError, match="calendar needs a series with time stamps"):
        PanelForecaster(calendar="month").fit(WALKS)
    with pytest.raises(ValueError, match="country must be given"):
        PanelForecaster(calendar="holidays").fit(seen)


def long_of(frame, items):
    """Return some rows of the series of a wide frame as a long frame."""
    parts = [
        pd.DataFrame({"k": key, "t": rows.index, "y": rows.to_numpy()})
        for key, rows in items.items()
    ]
    return pd.concat(parts)


def wide_of(rows):
    return rows.pivot(index="t", columns="k", values="y")


# Independent computation.


def test_the_forecast_of_one_series_is_that_of_its_members_by_hand(monkeypatch):
    months = pd.date_range("2018-01-01", periods=70, freq="MS")
    rng = np.random.default_rng(3)
    price = rng.normal(size=74)
    values = 50 + np.cumsum(rng.normal(size=70)) + 4 * price[:70]
    series = pd.Series(values, months)
    model = PanelForecaster(calendar=["month"], seasons=(), positive=False)
    model.fit({"a": series}, exog={"a": price[:70]})
    month = pd.get_dummies(pd.date_range("2018-01-01", periods=74, freq="MS").month)
    inputs = np.column_stack([price, month.to_numpy(float)])
    seed = check_random_state(0).randint(2**31 - 1)
    by_hand = [forecast_by_hand(member, values, inputs, seed) for member in model.members_]
    ahead = model.forecast(4, {"a": price[70:]})["a"]
    assert model.smoothing_share_ == 0  # of a series that follows its input
    np.testing.assert_allclose(ahead, np.median(by_hand, axis=0), rtol=1e-8)


def forecast_by_hand(member, values, inputs, seed):
    """Forecast one series with a reservoir and a ridge regression of scikit-learn."""
    n_lost, n_ahead = sum(member["differences"]), len(inputs) - len(values)
    assert member["differences"] in ((), (1,)) and not member["seasons"] and not member["lags"]
    if member["power"] is not None:
        values = np.log(values)
    z, e = (np.diff(rows, axis=0) if n_lost else rows for rows in (values, inputs))
    mean, scale = z.mean(), z.std()
    z = list((z - mean) / scale)
    known = e[: len(z)]
    deviation = known.std(axis=0)
    minimum = 0.4 * np.r_[0.0, np.ones(12)]
    e = (e - known.mean(axis=0)) / np.maximum(deviation, minimum)
    reservoir = Reservoir(**_panel_selection.NETWORK, random_state=seed)
    reservoir.prepare(1 + e.shape[1])
    washout = min(10, len(z) // 4)
    rows = np.column_stack([z[:-1], e[1 : len(z)]])
    X = np.hstack([reservoir.transform(rows), rows])[washout:]
    readout = Ridge(member["alpha"] * len(X), solver="svd").fit(X, z[washout + 1 :])
    for _ in range(n_ahead):
        rows = np.column_stack([z, e[1 : len(z) + 1]])
        features = np.hstack([reservoir.transform(rows)[-1], rows[-1]])
        z.append(float(readout.predict(features[None])[0]))
    ahead = np.array(z[-n_ahead:]) * scale + mean
    if n_lost:
        ahead = values[-1] + np.cumsum(ahead)
    return ahead if member["power"] is None else np.exp(ahead)


def test_a_permutation_of_the_series_permutes_all_results_bit_for_bit(monkeypatch):
    monkeypatch.setattr(_panel_selection, "MAX_JUDGED", 6)
    rng = np.random.default_rng(0)
    panel = {f"s{i}": rng.normal(size=25 + i).cumsum() for i in range(9)}
    panel["s2"][[5, 6, 20, 26]] = np.nan
    exog = {key: rng.normal(size=(len(rows) + 3, 2)) for key, rows in panel.items()}
    static = pd.DataFrame(rng.normal(size=(9, 2)), list(panel))

    def results(keys):
        model = PanelForecaster(seasons=[4]).fit(
            {key: panel[key] for key in keys},
            exog={key: exog[key][:-3] for key in keys},
            static=static,
        )
        ahead = {key: exog[key][-3:] for key in keys}
        return (
            model.forecast(3, ahead, interval=0.8),
            model.forecast(3, ahead, quantiles=[0.2, 0.7]),
            model.sample(3, 4, ahead, random_state=0),
            {None: model.candidates_},
        )

    keys = list(panel)
    given, permuted = results(keys), results([keys[i] for i in rng.permutation(9)])
    for parts, again in zip(given[:3], permuted[:3], strict=True):
        assert list(parts) != list(again)
        for key in keys:
            np.testing.assert_array_equal(parts[key], again[key])
    assert given[3] == permuted[3]


# Quantiles and sample paths.


def test_quantiles_are_those_of_the_errors_in_the_form_of_the_forecast(fitted):
    ahead = fitted.forecast(2, quantiles=[0.1, 0.5, 0.9])
    assert list(ahead.columns[:4]) == [f"shop 0_{q}" for q in (0.1, 0.5, 0.9)] + ["shop 1_0.1"]
    np.testing.assert_allclose(ahead.iloc[:, 1::3], fitted.forecast(2), rtol=1e-12)
    assert (ahead.iloc[:, ::3].to_numpy() < ahead.iloc[:, 2::3].to_numpy()).all()
    wave = np.sin(np.arange(30))[:, None] + np.arange(3)
    model = PanelForecaster(seasons=())
    arrays, bounds = model.fit(wave).forecast(2, quantiles=[0.1, 0.9]), model.forecast(2, None, 0.8)
    assert arrays.shape == (2, 3, 2) and (bounds[1] < bounds[2]).all()
    rows = PanelForecaster(seasons=()).fit(LONG).forecast(2, quantiles=[0.25])
    assert list(rows.columns) == ["shop", "month", "sold_0.25"] and len(rows) == 24
    parts = model.fit(list(wave.T)).forecast(2, quantiles=[0.5])
    assert len(parts) == 3 and parts[0].shape == (2, 1)
    with pytest.raises(ValueError, match="exclude each other"):
        fitted.forecast(2, interval=0.9, quantiles=[0.5])


def test_samples_have_the_quantiles_and_differ_from_step_to_step_as_errors_do():
    levels, n = [0.1, 0.3, 0.5, 0.8, 0.95], 4000
    bare = PanelForecaster(seasons=(), horizon=9).fit(SEEN.to_numpy())
    paths = np.moveaxis(bare.sample(12, n, random_state=0), 0, -1)
    wanted = bare.forecast(12, quantiles=levels)
    below = (paths[..., None, :] <= wanted[..., None]).mean(axis=-1)
    # At most so many standard deviations of a binomial share, and of a rank of the errors.
    errors = bare._errors
    rank = 1 / errors.size
    spread = np.sqrt(np.multiply(levels, np.subtract(1, levels)) / n)
    assert (np.abs(below - levels) < 5 * spread + 2 * rank).all()
    beyond = np.corrcoef(paths[-1, 0], paths[-2, 0])[0, 1]
    assert beyond > 0.99  # steps beyond the horizon of 9 have the rank of its last
    wanted = np.corrcoef(rank_of(errors[:, 0]), rank_of(errors[:, 4]))[0, 1]
    found = np.corrcoef(rank_of(paths[0, 3]), rank_of(paths[4, 3]))[0, 1]
    assert abs(found - wanted) < 0.06
    assert abs(np.corrcoef(paths[0, 3], paths[0, 4])[0, 1]) < 0.1


def rank_of(values):
    return np.argsort(np.argsort(values))


def test_samples_have_the_form_of_the_forecast():
    model = PanelForecaster(seasons=()).fit(WALKS)
    paths = model.sample(3, 5, random_state=1)
    assert len(paths) == 10 and paths[0].shape == (5, 3)
    np.testing.assert_array_equal(model.sample(3, 5, random_state=1), paths)
    assert np.abs(np.array(model.sample(3, 5, random_state=2)) - paths).max() > 0
    assert PanelForecaster(seasons=()).fit(np.array(WALKS).T).sample(3, 5).shape == (5, 3, 10)
    rows = PanelForecaster(seasons=()).fit(LONG).sample(2, 3)
    assert list(rows.columns) == ["shop", "month", "sold_1", "sold_2", "sold_3"]
    counts = model.fit(RNG.poisson(0.4, (40, 8))).sample(4, 50)
    assert counts.min() == 0


# Gaps.


def test_missing_values_are_predicted_and_not_learned():
    rng = np.random.default_rng(1)
    holes = SHOPS.mask(rng.uniform(size=SHOPS.shape) < 0.2)
    holes.iloc[30:38, 4] = np.nan
    model = PanelForecaster().fit(holes[:48])
    ahead = model.forecast(12)
    assert (ahead / LATER - 1).abs().to_numpy().mean() < 0.08
    assert model.n_timesteps_.max() == 48 and -1 < model.score(holes[48:]) < 0
    later = model.update(holes[48:55]).forecast(5)
    assert (later / SHOPS[55:] - 1).abs().to_numpy().mean() < 0.08
    rows = holes[:48].reset_index().melt("month", var_name="shop", value_name="sold")
    same = clone(model).set_params(seasons=(), horizon=3)
    found, wanted = (same.fit(panel).forecast(2) for panel in (rows, holes[:48]))
    found = found.pivot(index="month", columns="shop", values="sold")[SHOPS.columns]
    np.testing.assert_array_equal(found.to_numpy(), wanted.to_numpy())
    with pytest.raises(ValueError, match=r"panel contains NaN in the series 'shop \d+', row"):
        PanelForecaster(missing="raise").fit(holes[:48])
    with pytest.raises(ValueError, match="missing must be"):
        PanelForecaster(missing="drop").fit(SEEN)
    with pytest.raises(ValueError, match="new contains NaN"):
        PanelForecaster(missing="raise", seasons=()).fit(SEEN).update(holes[48:55])


def test_a_series_that_ends_early_in_a_wide_frame_is_forecast_over_the_gap(monkeypatch):
    monkeypatch.setattr(_panel_selection, "N_MEMBERS", 1)
    early = SEEN.copy()
    early.iloc[44:, 5] = np.nan
    model = PanelForecaster(seasons=()).fit(early)
    items = {name: SEEN[name][: 44 if name == "shop 5" else 48] for name in SEEN}
    direct = PanelForecaster(seasons=()).fit(items)
    ahead, wanted = model.forecast(3, interval=0.9), direct.forecast(7, interval=0.9)
    np.testing.assert_allclose(ahead["shop 5"], wanted["shop 5"]["shop 5"][4:], rtol=1e-9)
    upper = wanted["shop 5"]["shop 5_upper"][4:]  # as wide as so many steps ahead
    np.testing.assert_allclose(ahead["shop 5_upper"], upper, rtol=1e-9)
    np.testing.assert_allclose(ahead["shop 3"], wanted["shop 3"]["shop 3"][:3], rtol=1e-9)
    quantiles = model.forecast(3, quantiles=[0.9])["shop 5_0.9"]
    np.testing.assert_allclose(
        quantiles, direct.forecast(7, quantiles=[0.9])["shop 5"]["shop 5_0.9"][4:], rtol=1e-9
    )
    updated = model.update(LATER[:2]).forecast(1)["shop 5"]
    assert abs(updated.iloc[0] / LATER["shop 5"].iloc[1] - 1) < 0.5


# Constant series.


def test_a_constant_series_has_an_interval_of_no_width_and_does_not_narrow_the_others():
    panel = [50 + walk for walk in WALKS]
    alone = PanelForecaster(seasons=()).fit(panel)
    model = PanelForecaster(seasons=()).fit([*panel, np.full(30, 7.0), np.zeros(30)])
    forecast, lower, upper = model.forecast(3, interval=0.9)[-2]
    np.testing.assert_allclose([forecast, lower, upper], np.full((3, 3), 7.0), rtol=1e-12)
    assert (np.array(model.sample(3, 5)[-1]) == 0).all()
    first, again = alone.forecast(3, interval=0.9)[0], model.forecast(3, interval=0.9)[0]
    width, others = again[2] - again[1], first[2] - first[1]
    assert (np.abs(width / others - 1) < 0.15).all()
    only = PanelForecaster(seasons=()).fit([np.full(30, 7.0), np.zeros(30)])
    np.testing.assert_allclose(only.forecast(2, interval=0.9)[0], np.full((3, 2), 7.0), rtol=1e-12)
    ends = [np.append(walk, walk[-1] + 1) for walk in panel]
    assert alone.score([walk[-1:] for walk in ends]) == pytest.approx(
        PanelForecaster(seasons=()).fit([*panel, np.full(30, 7.0)]).score(
            [*(walk[-1:] for walk in ends), np.array([9.0])]
        ), rel=0.2,
    )  # fmt: skip
