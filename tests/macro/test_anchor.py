"""Relations by period, and all diagnostics in one call.

Invariants: what comes after a period does not change its row; a market cut at a date gives what the shorter
data give.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import allocator as al
from allocator.macro.anchor._equality import equal_coefficients
from allocator.market.resample import month_ends

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
FAST = {"n_resamples": 100}


def changes(n=240, seed=0, before=1.0, after=1.0, at=120):
    rng = np.random.default_rng(seed)
    dates = pd.date_range("2005-01-31", periods=n, freq="ME")
    x = 0.01 * rng.standard_normal(n)
    slope = np.where(np.arange(n) < at, before, after)
    return pd.Series(slope * x + 0.01 * rng.standard_normal(n), dates, name="y"), pd.Series(
        x, dates, name="x"
    )


def world(n=900, seed=0, end=None):
    """Return prices and yields that move with the nominal yield, the dollar no more after its date."""
    rng = np.random.default_rng(seed)
    dates = pd.bdate_range("2022-06-01", periods=n)
    step = 0.0006 * rng.standard_normal((n, 5))
    nominal = 0.04 + np.cumsum(step[:, 0])
    real = 0.015 + np.cumsum(0.8 * step[:, 0] + 0.3 * step[:, 1])
    dollar = np.cumsum(np.where(dates < "2025-04-01", 4.0, 0.0) * step[:, 0] + 2.0 * step[:, 2])
    gold = np.cumsum(-5.0 * step[:, 0] + 6.0 * step[:, 3] + 0.0005)
    prices = {
        "gold": gold,
        "bonds": np.cumsum(-7.0 * step[:, 0] + step[:, 4]),
        "stocks": np.cumsum(8.0 * step[:, 1]),
    }
    prices["developed"] = prices["stocks"] + np.cumsum(3.0 * step[:, 4])
    table = pd.DataFrame({name: 100.0 * np.exp(each) for name, each in prices.items()}, index=dates)
    beside = pd.DataFrame(
        {"bond_yield": nominal, "real_yield": real, "dollar": 100.0 * np.exp(dollar)}, index=dates
    )
    return table.loc[:end], beside.loc[:end]


@pytest.fixture(scope="module")
def diagnosed():
    prices, beside = world()
    return al.anchor_diagnostics(al.Market(prices, cash=0.02), beside, since=["2024-01-01"], **FAST)


# relations by period


def test_each_period_is_a_regression_of_its_own():
    y, x = changes()
    found = al.relation_by_period(y, x, ["2010-01-31", "2015"], al.HC1Errors(), per=0.01, **FAST).table
    for row, rows in zip(found.itertuples(), (slice(0, 60), slice(60, 120), slice(120, 240)), strict=True):
        alone = al.least_squares(y.iloc[rows], x.iloc[rows], al.HC1Errors()).table.loc["x"]
        assert (row.begin, row.end, row.n) == (y.index[rows][0], y.index[rows][-1], len(y.iloc[rows]))
        assert row.slope == pytest.approx(0.01 * alone["estimate"])
        assert (row.low, row.high) == pytest.approx((0.01 * alone["low"], 0.01 * alone["high"]))
        assert row.p_value == pytest.approx(alone["p_value"])
        assert row.correlation == pytest.approx(np.corrcoef(y.iloc[rows], x.iloc[rows])[0, 1])
    np.testing.assert_allclose(found["change"].iloc[1:], found["slope"].iloc[1:] - found["slope"].iloc[0])


def test_a_change_of_slope_is_welch_and_equal_relations_are_krishnamoorthy_and_yu():
    """Written out for two periods, of the covariances and degrees of the two fits."""
    y, x = changes()
    found = al.relation_by_period(y, x, ["2015"], al.HC1Errors(), per=0.01, **FAST)
    fits = [al.least_squares(a, b, al.HC1Errors()) for a, b in _halves(y, x)]
    gap = (fits[1].coefficients - fits[0].coefficients).to_numpy()
    one, two = (fit.covariance.to_numpy() for fit in fits)
    both = np.linalg.inv(one + two)
    assert found.equal_relations.statistic == pytest.approx(gap @ both @ gap)
    noise = sum(np.trace(v @ both @ v @ both) + np.trace(v @ both) ** 2 for v in (one, two)) / 118
    degrees = (2 + 4) / noise
    assert found.equal_relations.degrees == pytest.approx(degrees)
    f = gap @ both @ gap * (degrees - 1) / (2 * degrees)
    assert found.equal_relations.p_value == pytest.approx(stats.f.sf(f, 2, degrees - 1))
    variance = one[1, 1] + two[1, 1]
    welch = variance**2 / ((one[1, 1] ** 2 + two[1, 1] ** 2) / 118)
    p_value = 2 * stats.t.sf(abs(gap[1]) / np.sqrt(variance), welch)
    row = found.table.loc[2]
    assert found.equal_slopes.p_value == pytest.approx(p_value)
    assert row["change_p"] == pytest.approx(p_value)
    width = 0.01 * stats.t.ppf(0.975, welch) * np.sqrt(variance)
    assert row["change"] == pytest.approx(0.01 * gap[1])
    assert (row["change_low"], row["change_high"]) == pytest.approx(
        (0.01 * gap[1] - width, 0.01 * gap[1] + width)
    )


def test_the_mean_of_two_periods_has_the_degrees_of_welch():
    """One coefficient of two samples is Welch's t-test, as SciPy has it."""
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal(40), 3.0 * rng.standard_normal(13)
    fits = [al.least_squares(each, None, al.IndependentErrors()) for each in (a, b)]
    found, theirs = equal_coefficients(fits, ["intercept"]), stats.ttest_ind(a, b, equal_var=False)
    assert found.p_value == pytest.approx(theirs.pvalue)
    assert found.degrees == pytest.approx(theirs.df)


def test_several_periods_are_compared_in_whatever_order():
    y, x = changes()
    fits = [
        al.least_squares(y.iloc[rows], {"s": x.iloc[rows]})
        for rows in (slice(0, 60), slice(60, 150), slice(150, 240))
    ]
    names = ["intercept", "s"]
    one, other = (equal_coefficients([fits[j] for j in order], names) for order in ((0, 1, 2), (2, 0, 1)))
    assert one.statistic == pytest.approx(other.statistic)
    assert one.p_value == pytest.approx(other.p_value)
    assert len(one.restrictions) == 4


def test_a_short_period_is_not_told_from_a_long_one_by_chance():
    """247 and 12 rows of one relation: one regression on dummies of both rejected in 31 and 38 of 100."""
    rng, rejected = np.random.default_rng(0), np.zeros(2)
    for _ in range(300):
        y, x = rng.standard_normal((2, 259))
        fits = [al.least_squares(y[rows], x[rows]) for rows in (slice(0, 247), slice(247, None))]
        for j, names in enumerate((["x1"], ["intercept", "x1"])):
            rejected[j] += equal_coefficients(fits, names).p_value < 0.05
    assert (rejected <= 27).all()  # 5 % would be 15, with a deviation of 3.8


def test_an_exact_period_has_a_reason_and_no_empty_brackets():
    _, x = changes()
    text = repr(al.relation_by_period(2.0 * x.rename("y"), x, ["2015"], **FAST))
    assert "exact" in text
    assert "– ± –" not in text
    assert "(–)" not in text


def _halves(y, x):
    return [(y.iloc[:120], x.iloc[:120]), (y.iloc[120:], x.iloc[120:])]


def test_a_break_is_seen_and_no_break_is_not():
    broken = al.relation_by_period(*changes(before=1.0, after=-1.0), ["2015"], **FAST)
    assert broken.equal_slopes.p_value < 1e-3
    assert broken.table["change_high"].iloc[1] < 0.0
    assert al.relation_by_period(*changes(), ["2015"], **FAST).equal_slopes.p_value > 0.05


@given(st.integers(0, 1000))
@settings(max_examples=10, deadline=None)
def test_what_comes_after_a_period_does_not_change_it(seed):
    y, x = changes()
    rng = np.random.default_rng(seed)
    later = y.index >= "2015-01-01"
    other = y.where(~later, 0.01 * rng.standard_normal(len(y)))
    first, second = (al.relation_by_period(each, x, ["2015"], **FAST).table for each in (y, other))
    pd.testing.assert_series_equal(first.loc[1], second.loc[1])
    assert first.loc[2, "slope"] != second.loc[2, "slope"]


def test_levels_may_say_the_contrary_of_changes():
    """Two trends correlate in levels whatever their changes do: hence both stand in the table."""
    rng = np.random.default_rng(0)
    dates = pd.date_range("2005-01-31", periods=200, freq="ME")
    dy, dx = (
        pd.Series(s * 0.01 + 0.01 * rng.standard_normal(200), dates, name=n) for s, n in ((1, "y"), (1, "x"))
    )
    found = al.relation_by_period(dy, dx, levels=(dy.cumsum(), dx.cumsum()), **FAST).table.loc[1]
    assert found["levels"] > 0.9
    assert abs(found["correlation"]) < 0.2


def test_a_short_period_is_counted_and_not_estimated():
    found = al.relation_by_period(*changes(), ["2015", "2024-06"], **FAST)
    assert found.table.loc[3, "n"] == 7
    assert np.isnan(found.table.loc[3, "slope"])
    assert "n=7, at least 12" in found.table.loc[3, "reason"]
    assert len(found.equal_slopes.restrictions) == 1
    assert "n=7, at least 12" in repr(found)


def test_averages_are_noticed():
    rng = np.random.default_rng(0)
    days = pd.Series(np.cumsum(0.01 * rng.standard_normal(21 * 300))).groupby(np.arange(6300) // 21)
    dates = pd.date_range("1990-01-31", periods=300, freq="ME")
    _, x = changes(299)
    for made, is_noticed in ((days.mean(), True), (days.last(), False)):
        y = pd.Series(made.to_numpy(), dates).diff().iloc[1:].rename("price")
        found = al.relation_by_period(y, x.set_axis(y.index), **FAST)
        assert found.is_averaged is is_noticed
        assert ("a mean of its period?" in repr(found)) is is_noticed


RELATION_REFUSED = [
    (lambda y, x: al.relation_by_period(y, x.iloc[1:]), "they share 239"),
    (lambda y, x: al.relation_by_period(y.to_numpy(), x.to_numpy()), "no dates"),
    (lambda y, x: al.relation_by_period(y, x, ["2015", "2010"]), "starts on 2010-01-01: is not after"),
    (lambda y, x: al.relation_by_period(y, x, ["2040"]), "starts on 2040-01-01: no row"),
    (lambda y, x: al.relation_by_period(y, x, ["1990"]), "starts on 1990-01-01: no row"),
    (lambda y, x: al.relation_by_period(y, x, "2015"), "one text"),
    (lambda y, x: al.relation_by_period(y, x, ["soon"]), "'soon' is not a date"),
    (lambda y, x: al.relation_by_period(y, x, per=0.0), "per: 0.0"),
    (lambda y, x: al.relation_by_period(y, x, per="a"), "per: 'a'"),
    (lambda y, x: al.relation_by_period(y, x, None), "starts: None is no list of dates"),
    (lambda y, x: al.relation_by_period(y, x, pd.Timestamp("2015")), r"starts: .* pass \[Timestamp"),
    (lambda y, x: al.relation_by_period(y, x, seed=-1), "seed: -1"),
    (lambda y, x: al.relation_by_period(y, x, n_resamples=1.5), "n_resamples: 1.5"),
    (lambda y, x: al.relation_by_period(y, x, (), 4), "errors: 4"),
    (lambda y, x: al.relation_by_period(y, x, levels=y), "levels: expected two Series, got Series"),
    (
        lambda y, x: al.relation_by_period(y, x, levels=(y.to_numpy(), x)),
        "levels: expected a Series, got ndarray",
    ),
    (lambda y, x: al.relation_by_period(y.where(y.index != y.index[3]), x), "^y on 2005-04-30: NaN"),
    (lambda y, x: al.relation_by_period(y, x.where(x.index != x.index[3])), "^x on 2005-04-30: NaN"),
    (lambda y, x: al.relation_by_period(y, x, levels=(y, x.iloc[5:])), "levels on 2005-01-31: missing for 5"),
]


@pytest.mark.parametrize(
    ("call", "message"), RELATION_REFUSED, ids=[message for _, message in RELATION_REFUSED]
)
def test_relations_refuse(call, message):
    with pytest.raises(al.InputError, match=message):
        call(*changes())


# all diagnostics


def test_each_part_finds_what_the_world_was_made_of(diagnosed):
    assert diagnosed.gold_bonds.relation.table["low"].min() > 0.0
    assert diagnosed.gold_real_yield.relation.table["high"].max() < 0.0
    dollar = diagnosed.dollar.relation.table
    assert dollar.loc[1, "slope"] == pytest.approx(0.04, abs=0.005)  # 4 % for a percentage point
    assert dollar.loc[2, "slope"] == pytest.approx(0.0, abs=0.02)
    assert diagnosed.dollar_window.equal_slopes.p_value < 0.01
    assert set(diagnosed.valuation) == {"stocks"}
    betas = diagnosed.gold_asymmetry
    assert list(betas) == [
        "2022-06-02 to 2025-11-11",
        "2022-06-02 to 2023-12-29",
        "2024-01-01 to 2025-11-11",
    ]
    assert all(each.p_against < 0.05 for each in betas.values())
    assert list(diagnosed.gold_capture) == list(betas)


def test_the_window_of_the_dollar_ends_on_either_side_of_its_date():
    prices, beside = world()
    found = al.anchor_diagnostics(al.Market(prices, cash=0.02), beside, dollar_window_years=0.25, **FAST)
    assert [f"{each:%Y-%m-%d}" for each in found.dollar_window.table["begin"]] == ["2025-01-01", "2025-04-01"]
    assert [f"{each:%Y-%m-%d}" for each in found.dollar_window.table["end"]] == ["2025-03-31", "2025-07-01"]


def test_parts_are_those_of_the_functions_called_alone(diagnosed):
    prices, beside = world()
    gold, bonds = (prices[name].pct_change().iloc[1:] for name in ("gold", "bonds"))
    alone = al.asymmetric_beta(gold, bonds)
    whole = next(iter(diagnosed.gold_asymmetry.values()))
    pd.testing.assert_frame_equal(whole.fit.table, alone.fit.table)
    pair = gold, beside["real_yield"].diff().iloc[1:]
    levels = np.log(prices["gold"]), beside["real_yield"]
    table = al.relation_by_period(*pair, ["2024-01-01"], levels=levels, per=0.01, **FAST).table
    pd.testing.assert_frame_equal(diagnosed.gold_real_yield.relation.table, table)
    month_ends = prices["gold"].resample("ME").last().iloc[:-1].pct_change().iloc[1:]
    assert diagnosed.gold_bonds.monthly.table["n"].sum() == len(month_ends)


def test_what_is_missing_is_said(diagnosed):
    said = " | ".join(diagnosed.left_out)
    assert "emerging and the yield: no emerging ('emerging')" in said
    assert "valuation and the yield: no valuation ('valuation')" in said
    assert "worst 1 % of 899 rows of stocks: fewer than 12" in said
    assert "left out: emerging and the yield" in repr(diagnosed)
    short = al.anchor_diagnostics(al.Market(world(400)[0], cash=0.02), since=[], **FAST)
    assert short.gold_bonds.rolling is None
    assert "rolling correlation: years: a window of 756 rows" in repr(short)


def test_a_market_alone_leaves_out_what_it_does_not_have():
    prices, _ = world(200)
    found = al.anchor_diagnostics(
        al.Market(prices[["gold", "bonds"]], cash=0.02), since=[], rolling_years=0.5, **FAST
    )
    assert found.gold_real_yield is None
    assert found.dollar is None
    assert found.dollar_window is None
    assert not found.valuation
    assert not found.safe_haven
    assert len(found.gold_asymmetry) == 1
    assert found.gold_bonds.rolling is not None
    assert "no dollar ('dollar'), no nominal_yield ('bond_yield')" in repr(found)


def test_signals_of_the_market_serve_as_well_as_a_table_beside_it(diagnosed):
    prices, beside = world()
    market = al.Market(prices, cash=0.02, signals=beside)
    found = al.anchor_diagnostics(market, since=["2024-01-01"], **FAST)
    assert repr(found) == repr(diagnosed)


def test_a_cut_market_knows_no_more_than_the_shorter_data():
    prices, beside = world()
    cut = al.Market(prices, cash=0.02, signals=beside).until("2024-06-28")
    short, macro = world(end="2024-06-28")
    settings_ = {"since": ["2023-06-01"], "rolling_years": 1.0, **FAST}
    shorter = al.anchor_diagnostics(al.Market(short, cash=0.02), macro, **settings_)
    assert repr(al.anchor_diagnostics(cut, **settings_)) == repr(shorter)


def test_dates_without_a_value_are_left_out_and_counted():
    prices, beside = world()
    gaps = beside.copy()
    gaps.loc[gaps.index[10:15], "real_yield"] = np.nan
    extra = pd.DataFrame(np.nan, [pd.Timestamp("2022-06-04")], gaps.columns).assign(real_yield=0.02)
    gaps = pd.concat([gaps, extra]).sort_index()
    found = al.anchor_diagnostics(al.Market(prices, cash=0.02), gaps, since=[], **FAST)
    assert found.gold_real_yield.relation.table["n"].sum() == 899 - 5
    assert "real_yield: 895 values, 2022-06-01 to 2025-11-11; 1 on other dates" in repr(found)


def test_regimes_and_seeds_are_used():
    prices, beside = world(400)
    market = al.Market(prices, cash=0.02)
    labels = pd.Series(np.where(np.arange(400) % 2, "odd", "even"), prices.index)
    one, again, other = (
        al.anchor_diagnostics(market, beside, since=[], regimes=labels, seed=seed, **FAST)
        for seed in (0, 0, 1)
    )
    assert repr(one) == repr(again) != repr(other)
    assert list(one.gold_bonds.by_regime.table.index) == ["even", "odd"]
    assert "r by regime: even" in repr(one)


def test_it_prints_in_lines_of_110_and_as_html(diagnosed):
    text = repr(diagnosed)
    assert max(map(len, text.splitlines())) <= 110
    for heading in (
        "A1 gold and bonds",
        "A1 gold and the real yield",
        "A2 gold where",
        "A2 what gold captures",
    ):
        assert heading in text
    for heading in ("A3 the dollar and the yield", "A3 the dollar near its date", "A4 prices", "B4 stocks"):
        assert heading in text
    assert "nan" not in text
    assert not any(line != line.rstrip() for line in text.splitlines())
    html = diagnosed._repr_html_()
    assert html.count("<table") == 9
    assert "nan" not in html
    assert "<table" in diagnosed.gold_bonds._repr_html_()


def test_names_are_escaped():
    prices, beside = world(200)
    market = al.Market(prices.rename(columns={"gold": "<b>gold"}), cash=0.02)
    html = al.anchor_diagnostics(market, beside, gold="<b>gold", since=[], **FAST)._repr_html_()
    assert "<b>gold" not in html
    assert "&lt;b&gt;gold" in html


def market_and(change):
    prices, beside = world(200)
    return al.Market(prices, cash=0.02), change(beside)


REFUSED = [
    (
        {"gold": "GLD"},
        lambda b: b,
        r"gold: no series 'GLD'.*there are: gold, bonds, stocks, developed, bond_yield",
    ),
    (
        {},
        lambda b: b.assign(bond_yield=100.0 * b["bond_yield"]),
        r"nominal_yield\['bond_yield'\] on 2022-06-01: .* looks like percent",
    ),
    ({}, lambda b: b.assign(gold=1.0), "gold: 'gold' is in more than one"),
    (
        {},
        lambda b: b.assign(dollar=b["dollar"] - 150.0),
        "dollar on 2022-06-01: 'dollar' is -49.* not the level of a price",
    ),
    ({}, lambda b: b.assign(dollar="high"), r"beside\['dollar'\]: .* is not numeric"),
    ({}, lambda b: b.assign(dollar=np.inf), r"beside\['dollar'\] on 2022-06-01: infinite"),
    ({}, lambda b: b.set_axis(range(len(b))), "beside.index"),
    ({}, lambda b: b.set_axis(b.index.shift(1000)), "has no value on a date of the market"),
    (
        {},  # between -0.5 and 0.5, as ten years of US real yields were: how far it moves betrays percent
        lambda b: b.assign(
            real_yield=100.0 * (b["real_yield"] - b["real_yield"].iloc[0]).clip(-0.004, 0.004)
        ),
        r"real_yield\['real_yield'\] on .* looks like percent: a daily change",
    ),
    ({}, lambda b: b["dollar"], r"beside: expected a DataFrame .*beside.to_frame"),
    ({"bonds": "gold"}, lambda b: b, "bonds: 'gold' is gold, too"),
    ({"since": None}, lambda b: b, "since: None is no list of dates"),
    ({"since": pd.Timestamp("2022-09-01")}, lambda b: b, r"since: .* no list of dates; pass \[Timestamp"),
    ({"quantiles": 0.1}, lambda b: b, r"quantiles: 0.1 is no tuple of shares; pass \(0.1,\)"),
    ({"seed": -1}, lambda b: b, "seed: -1"),
    ({"seed": "a"}, lambda b: b, "seed: 'a'"),
    ({"seed": 1.5}, lambda b: b, "seed: 1.5"),
    ({"n_resamples": 1.5}, lambda b: b, "n_resamples: 1.5"),
    ({"rolling_years": "3"}, lambda b: b, "rolling_years: '3'"),
    ({"regimes": 3}, lambda b: b, "regimes: expected regimes or a Series"),
    ({"since": "2022"}, lambda b: b, "since: '2022' is one text"),
    ({"since": ["soon"]}, lambda b: b, "since: 'soon' is not a date"),
    ({"dollar_since": "soon"}, lambda b: b, "dollar_since: 'soon'"),
    ({"dollar_window_years": 0.0}, lambda b: b, "dollar_window_years: 0.0"),
    ({"rolling_years": -1.0}, lambda b: b, "rolling_years: -1.0"),
    ({"quantiles": (5,)}, lambda b: b, "quantiles: 5"),
    ({"errors": 4}, lambda b: b, "errors: 4"),
    ({"confidence": 95}, lambda b: b, "confidence: 95"),
    ({"n_resamples": 0}, lambda b: b, "n_resamples: is 0"),
]


@pytest.mark.parametrize(
    ("arguments", "change", "message"), REFUSED, ids=[message for *_, message in REFUSED]
)
def test_diagnostics_refuse(arguments, change, message):
    with pytest.raises(al.InputError, match=message):
        al.anchor_diagnostics(*market_and(change), **arguments)


def test_a_table_is_no_market():
    with pytest.raises(al.InputError, match="market: expected a Market, got DataFrame"):
        al.anchor_diagnostics(world(100)[0])


def test_month_ends_are_those_of_shared_dates():
    """Another calendar without three month ends of the market's: the month ends before them are taken."""
    prices, beside = world()
    ends = prices.index[np.flatnonzero(np.diff(prices.index.month))]
    gaps = beside.drop(index=ends[[4, 5, 11]])
    found = al.anchor_diagnostics(al.Market(prices, cash=0.02), gaps, since=[], **FAST).gold_real_yield
    assert found.relation.table["n"].sum() == 899 - 3
    assert found.monthly.table["n"].sum() == len(ends) - 1


def test_month_ends_that_cannot_be_take_no_daily_part_along():
    prices, beside = world()
    gap = (beside.index >= "2023-03-21") & (beside.index < "2023-04-01")  # a month that ends on its 20th
    found = al.anchor_diagnostics(al.Market(prices, cash=0.02), beside.loc[~gap], since=[], **FAST)
    part = found.gold_real_yield
    assert part.relation.table["n"].sum() == 899 - gap.sum()
    assert part.monthly is None
    assert "month ends: " in repr(part)
    assert found.dollar.monthly is None
    assert found.gold_bonds.monthly is not None


@pytest.mark.parametrize("frequency", ["YE", "QE"])
def test_the_rolling_window_fits_the_frequency(frequency):
    rng = np.random.default_rng(0)
    dates = pd.date_range("1950-12-31", periods=60, freq=frequency)
    prices = pd.DataFrame(
        np.exp(np.cumsum(0.1 * rng.standard_normal((60, 2)), axis=0)), dates, columns=["gold", "bonds"]
    )
    found = al.anchor_diagnostics(al.Market(prices, cash=0.02), since=[], **FAST)
    assert found.gold_bonds.rolling.table["n"].iloc[-1] == {"YE": 20, "QE": 40}[frequency]
    assert "rolling correlation" not in repr(found)


def test_constancy_says_what_it_takes_as_constant(diagnosed):
    assert "means and variances taken as constant" in " ".join(repr(diagnosed.gold_bonds).split())


# real data


def test_the_embedded_history_answers_what_years_can():
    found = al.anchor_diagnostics(al.load_us_history(), **FAST)
    assert found.gold_bonds.relation.frequency == "yearly"
    assert found.gold_bonds.monthly is None
    assert "gold and the real yield: no real_yield ('real_yield')" in found.left_out
    assert any("quantiles" in each for each in found.left_out)  # a tenth of 98 years is too few
    assert found.dollar_window is None


def test_funds_and_yields_since_2007():
    if not (DATA / "daily_core_balanced.csv").is_file():
        pytest.skip("the real panels are not beside this checkout")
    prices = pd.read_csv(DATA / "daily_core_balanced.csv", index_col=0, parse_dates=True)[
        ["GLD", "IEF", "SPY"]
    ]
    yields = pd.read_csv(DATA / "daily_yields_risk.csv", index_col=0, parse_dates=True)[["DGS10", "DFII10"]]
    names = {"gold": "GLD", "bonds": "IEF", "stocks": "SPY", "nominal_yield": "DGS10", "real_yield": "DFII10"}
    found = al.anchor_diagnostics(month_ends(al.Market(prices, cash=0.015)), yields / 100.0, **names, **FAST)
    table = found.gold_real_yield.relation.table
    # The levels parted; the changes did not: gold still falls when the real yield rises, by less.
    assert table["levels"].to_list() == pytest.approx([-0.90, 0.47], abs=0.01)
    assert table["slope"].to_list() == pytest.approx([-0.133, -0.058], abs=0.001)
    assert table["high"].max() < 0.0
    assert table.loc[2, "change_p"] < 0.05
    recent = list(found.gold_asymmetry.values())[-1]
    assert recent.p_claim > 0.5
