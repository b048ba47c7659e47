"""The embedded data: equal to the public figures, sourced, stamped when known, joined where it says."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator.market import Market, Signal, datasets, load_us_history
from allocator.market.show import Sources

FACTS = Path(__file__).resolve().parents[3] / "shared" / "facts"
ASSETS = ("stocks", "bonds", "gold", "developed", "emerging", "reits", "commodities", "bitcoin")
SIGNALS = ("inflation", "growth", "debt", "deficit", "interest", "term_premium", "bond_yield", "dollar")
HALF_A_DIGIT = 5.1e-7  # the tables have six decimals


@pytest.fixture(scope="module")
def market() -> Market:
    return load_us_history()


@pytest.fixture(scope="module")
def everything_known(market: Market) -> dict[str, Signal]:
    """The signals with the values of 2025 that became known after the last row."""
    return dict(market._signals)


def packaged(file: str) -> pd.DataFrame:
    with resources.files("allocator.market").joinpath("data", file).open(encoding="utf-8") as lines:
        return pd.read_csv(lines, index_col=0)


def joined(first: pd.Series, then: pd.Series, last_year_of_first: int) -> pd.Series:
    """The first series to a year, the second from the next."""
    return first.loc[:last_year_of_first].reindex(first.index).fillna(then.loc[last_year_of_first + 1 :])


def rebuild_history(facts: Path) -> pd.DataFrame:
    """The returns and cash as the public figures say."""
    us = pd.read_csv(facts / "us_annual.csv", index_col="year")
    world = pd.read_csv(facts / "global_annual.csv", index_col="year").reindex(us.index)
    percent = pd.DataFrame(
        {
            "stocks": us["sp500_tr_published"],
            "bonds": us["ust10_tr"],
            "gold": us["gold_ret"],
            "developed": joined(world["eafe_net"], world["eafe_fund"], 2018),
            "emerging": world["eem_fund"],
            "reits": joined(world["reit_allequity"], world["reit_fund"], 2010),
            "commodities": world["commodity_fund"],
            "bitcoin": 100.0 * world["btc_usd_yearend"].pct_change(fill_method=None),
            "cash": joined(us["tbill_ff"], us["tbill"], 1933),
        }
    )
    return percent / 100.0


def rebuild_signals(facts: Path) -> pd.DataFrame:
    """The signals by the year that they describe, as the public figures say."""
    us = pd.read_csv(facts / "us_annual.csv", index_col="year")
    percent = pd.DataFrame(
        {
            "inflation": us["inflation_dec_dec"],
            "growth": us["real_gdp_growth"],
            "debt": us["debt_public_fygdp"].loc[1940:],
            "deficit": -us["surplus_gdp"],
            "interest": us["net_interest_gdp"],
            "term_premium": us["acm_tp10_yearend"],
            "bond_yield": us["ust10_yield_yearend"],
        }
    )
    return (percent / 100.0).assign(dollar=us["dxy_yearend"])


@pytest.mark.parametrize(
    ("file", "rebuild"), [("us_history.csv", rebuild_history), ("us_history_signals.csv", rebuild_signals)]
)
def test_package_data_is_the_public_figures_as_fractions(file, rebuild):
    if not FACTS.is_dir():
        pytest.skip("the public figures that the package data is built from are not beside this checkout")
    expected = rebuild(FACTS)
    pd.testing.assert_frame_equal(packaged(file), expected, check_exact=False, rtol=0.0, atol=HALF_A_DIGIT)


@pytest.mark.parametrize(
    ("asset", "year", "published"),
    [
        ("stocks", 1928, 0.4361),
        ("stocks", 1931, -0.4334),
        ("stocks", 1954, 0.5262),
        ("stocks", 1974, -0.2647),
        ("stocks", 2008, -0.370),
        ("stocks", 2013, 0.3239),
        ("stocks", 2022, -0.1811),
        ("bonds", 1982, 0.3281),
        ("bonds", 2022, -0.1783),
        ("gold", 1931, -0.17385),
        ("gold", 1979, 1.26549),
        ("gold", 1981, -0.325986),
        ("gold", 2013, -0.273303),
        ("developed", 1986, 0.6946),
        ("developed", 2008, -0.4338),
        ("emerging", 2009, 0.6895),
        ("reits", 2008, -0.3773),
        ("commodities", 2008, -0.3180),
        ("bitcoin", 2022, 16547.5 / 46306.45 - 1.0),
    ],
)
def test_published_returns(market, asset, year, published):
    assert market.returns.loc[f"{year}-12-31", asset] == pytest.approx(published, abs=1e-6)


@pytest.mark.parametrize(
    ("year", "published"), [(1930, 0.0242618), (1933, 0.00300364), (1934, 0.0028), (1981, 0.1404)]
)
def test_published_cash_returns(market, year, published):
    assert market.cash_returns.loc[f"{year}-12-31"] == pytest.approx(published, abs=1e-6)


@pytest.mark.parametrize(
    ("signal", "described", "published"),
    [
        ("inflation", "2021-12-31", 0.0704),
        ("inflation", "1974-12-31", 0.1234),
        ("inflation", "1932-12-31", -0.1027),
        ("growth", "1932-12-31", -0.129),
        ("growth", "2020-12-31", -0.0208),
        ("debt", "1946-06-30", 1.0610),
        ("debt", "2020-09-30", 0.9850),
        ("deficit", "1943-06-30", 0.2955),
        ("deficit", "2000-09-30", -0.0234),
        ("interest", "2024-09-30", 0.0304),
        ("term_premium", "1981-12-31", 0.0458),
        ("bond_yield", "1981-12-31", 0.1398),
        ("dollar", "1984-12-31", 151.47),
    ],
)
def test_published_signals(everything_known, signal, described, published):
    given_signal = everything_known[signal]
    row = given_signal.describes.get_loc(pd.Timestamp(described))
    assert given_signal.values.iloc[row] == pytest.approx(published, abs=5.1e-5)


def test_table_is_yearly_from_1927_to_2025(market):
    assert market.name == "US history 1928-2025"
    assert market.frequency.name == "yearly"
    assert not market.simulated
    assert list(market.index) == [pd.Timestamp(year, 12, 31) for year in range(1927, 2026)]
    assert market.assets == ASSETS
    assert tuple(market.signals) == SIGNALS


@pytest.mark.parametrize(
    ("asset", "first"),
    [
        ("stocks", 1927),
        ("bonds", 1927),
        ("gold", 1927),
        ("developed", 1969),
        ("emerging", 2003),
        ("reits", 1971),
        ("commodities", 2006),
        ("bitcoin", 2010),
    ],
)
def test_an_asset_begins_at_one_the_year_before_its_first_return(market, asset, first):
    prices = market.prices[asset].dropna()
    assert prices.index[0] == pd.Timestamp(first, 12, 31)
    assert prices.iloc[0] == 1.0
    assert market.until(f"{first}-12-31").listed(asset)
    if first > 1927:
        assert not market.until(f"{first}-12-30").listed(asset)


def test_levels_compound_the_returns_of_the_table(market):
    table = packaged("us_history.csv").drop(columns="cash")
    np.testing.assert_allclose(market.returns.to_numpy(), table.to_numpy(), rtol=0, atol=1e-12)


@pytest.mark.parametrize("file", ["us_history.csv", "us_history_signals.csv"])
def test_no_series_has_a_hole(file):
    table = packaged(file)
    for name in table:
        assert table.loc[table[name].first_valid_index() :, name].notna().all(), name


@pytest.mark.parametrize("name", [n for n in SIGNALS if n != "dollar"])
def test_signals_are_fractions(everything_known, name):
    assert np.abs(everything_known[name].values).max() < 1.2


@pytest.mark.parametrize("name", SIGNALS)
def test_no_signal_is_known_before_what_it_describes_ended(everything_known, name):
    signal = everything_known[name]
    assert (signal.values.index >= signal.describes).all()


@pytest.mark.parametrize(
    ("name", "described", "known"),
    [
        ("inflation", "2021-12-31", "2022-01-15"),
        ("growth", "2021-12-31", "2022-01-31"),
        ("debt", "1976-06-30", "1976-10-31"),
        ("debt", "1977-09-30", "1977-10-31"),
        ("deficit", "2021-09-30", "2021-10-31"),
        ("interest", "1940-06-30", "1940-10-31"),
        ("term_premium", "1961-12-31", "1961-12-31"),
        ("bond_yield", "2021-12-31", "2021-12-31"),
        ("dollar", "2021-12-31", "2021-12-31"),
    ],
)
def test_signals_are_stamped_when_known(everything_known, name, described, known):
    signal = everything_known[name]
    assert signal.values.index[signal.describes.get_loc(pd.Timestamp(described))] == pd.Timestamp(known)


def test_inflation_of_2021_is_known_on_15_january_2022_and_not_the_day_before(everything_known):
    inflation = everything_known["inflation"]
    described = pd.Timestamp("2021-12-31")
    assert described not in inflation.known_by(pd.Timestamp("2022-01-14")).describes
    assert inflation.known_by(pd.Timestamp("2022-01-15")).describes[-1] == described


def test_a_strategy_at_the_end_of_2021_sees_the_inflation_of_2020(market):
    assert market.until("2021").signal("inflation").values.iloc[-1] == pytest.approx(0.0136, abs=5e-5)
    assert market.until("2022-01-14").signal("inflation").describes[-1] == pd.Timestamp("2020-12-31")
    assert market.until("2022").signal("inflation").values.iloc[-1] == pytest.approx(0.0704, abs=5e-5)


@settings(deadline=None)
@given(year=st.integers(1928, 2025))
def test_a_cut_market_knows_nothing_stamped_later(market, year):
    past = market.until(str(year))
    assert past.index[-1] == pd.Timestamp(year, 12, 31)
    for signal in past.signals.values():
        assert not len(signal.values) or signal.values.index[-1] <= past.index[-1]
        assert not len(signal.values) or signal.describes[-1] <= past.index[-1]


def test_every_series_has_a_source(market):
    assert set(market.sources) == {*ASSETS, "cash", *SIGNALS}
    assert all(len(text) > 40 for text in market.sources.values())


def test_every_splice_names_both_parts_and_where_they_meet(market):
    spliced = packaged("sources.csv")["splice"].dropna()
    assert set(spliced.index) == {"gold", "developed", "reits", "cash", "debt", "interest", "bond_yield"}
    for name, text in spliced.items():
        first, then = re.search(r"^\S.+ to (\d{4}), .+ from (\d{4})", text).groups()
        assert int(then) == int(first) + 1
        assert text in market.sources[name]


@pytest.mark.parametrize(
    ("series", "parts"),
    [
        ("gold", ["National Mining Association", "London year-end", "1933-1974", "1934-1971", "artefact"]),
        ("developed", ["EAFE net", "EFA", "net dividends", "unhedged"]),
        ("reits", ["FTSE Nareit All Equity", "VNQ"]),
        ("commodities", ["DBC", "GSCI", "not spliced"]),
        ("cash", ["Fama-French", "Damodaran"]),
        ("debt", ["15 months", "30 June to 1976", "30 September from 1977"]),
        ("growth", ["latest-revised, not vintage"]),
        ("term_premium", ["depends on the vintage"]),
    ],
)
def test_sources_say_what_a_reader_must_know(market, series, parts):
    assert [part for part in parts if part not in market.sources[series]] == []


def test_nothing_is_spliced_inside_2007_to_2010():
    for text in packaged("sources.csv")["splice"].dropna():
        joint = int(re.search(r"from (\d{4})", text).group(1))
        assert not 2007 <= joint <= 2010


def test_sources_print_within_a_hundred_columns(market):
    lines = str(market.sources).splitlines()
    assert max(map(len, lines)) <= 100
    assert [line.split()[0] for line in lines if line[0] != " "] == [*market.sources]


def test_sources_lose_no_word_when_wrapped(market):
    words = [word for name, text in market.sources.items() for word in (name, *text.split())]
    assert str(market.sources).split() == words


def test_no_sources_say_so():
    assert str(Sources({})) == "no sources given"


def test_sources_equal_the_mapping_they_were_made_of():
    assert Sources({"a": "somewhere"}) == {"a": "somewhere"}
    assert Sources({"a": "somewhere"}) != {"a": "elsewhere"}


def test_the_dataset_is_read_only(market):
    for array in (market.levels, market.cash, *(s.values.to_numpy() for s in market.signals.values())):
        assert not array.flags.writeable
    with pytest.raises(TypeError):
        market.sources["stocks"] = "made up"


def test_changing_a_copy_changes_no_other(market):
    before = market.levels.copy()
    mine = load_us_history()
    prices, inflation = mine.prices, mine.signal("inflation").values
    prices.iloc[:, :] = 0.0
    inflation.loc[pd.Timestamp("2030-01-15")] = 9.0
    np.testing.assert_array_equal(mine.levels, before)
    np.testing.assert_array_equal(load_us_history().levels, before)
    assert load_us_history().signal("inflation").values.max() < 0.2


def test_every_signal_column_has_a_release_date():
    assert tuple(packaged("us_history_signals.csv").columns) == SIGNALS == tuple(datasets._RELEASES)
