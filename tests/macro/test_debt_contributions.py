"""Contributions to the debt ratio: CBO's baseline to the digit, sums that are exact, and the door."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import allocator as al
from allocator.errors import InputError

SHARED = Path(__file__).resolve().parents[3] / "shared"
INPUT = SHARED / "cases" / "G_cbo_baseline_2025_2035_input.csv"
EXPECTED = SHARED / "cases" / "G_cbo_baseline_2025_2035_expected.csv"
FACTS = SHARED / "facts" / "us_annual.csv"
QUARTERS = SHARED / "data" / "us_fiscal_quarterly.csv"
COLUMNS = ["interest", "growth", "inflation", "primary_deficit", "stock_flow"]


def needs(path: Path) -> Path:
    if not path.is_file():
        pytest.skip("the published cases and panels are not beside this checkout")
    return path


def money(n: int = 6, start: int = 2000) -> pd.DataFrame:
    """Amounts of a country that grows steadily."""
    years = np.arange(n)
    return pd.DataFrame(
        {
            "debt": 600.0 + 30.0 * years,
            "interest": np.full(n, 18.0),
            "deficit": np.full(n, 28.0),
            "gdp": 1000.0 * 1.045**years,
            "real_gdp": 1000.0 * 1.02**years,
        },
        index=pd.Index(np.arange(start, start + n), name="year"),
    )


def cbo() -> pd.DataFrame:
    table = pd.read_csv(needs(INPUT), index_col="fy")
    names = {"debt_held_by_public": "debt", "net_interest": "interest", "total_deficit": "deficit"}
    return al.debt_accounts(table.rename(columns=names)[["debt", "interest", "deficit", "gdp", "real_gdp"]])


def test_cbo_baseline_of_january_2025_closes_to_the_digit():
    result, published = al.debt_contributions(cbo()), pd.read_csv(needs(EXPECTED), index_col="fy")
    accounts = result.accounts.iloc[1:]
    names = {"interest_rate": "i_eff", "growth": "g", "inflation": "pi", "primary_deficit": "primary_deficit"}
    for ours, theirs in {"debt": "d_published", **names}.items():
        assert accounts[ours].to_numpy() == pytest.approx(published[theirs].to_numpy(), abs=1e-14)
    channels = ["contrib_interest", "contrib_growth", "contrib_inflation", "primary_deficit", "sfa"]
    for ours, theirs in zip(COLUMNS, channels, strict=True):
        assert result.exact[ours].to_numpy() == pytest.approx(published[theirs].to_numpy(), abs=1e-14)
    assert result.linear["gap"].to_numpy() == pytest.approx(published["approx_error"].to_numpy(), abs=1e-14)
    assert (result.accounts["debt"].iloc[[0, -1]] * 100).round(1).tolist() == [97.8, 118.5]


def test_cbo_stock_flow_is_its_other_means_of_financing():
    printed = pd.read_csv(needs(INPUT), index_col="fy")
    flow = al.debt_contributions(cbo()).exact["stock_flow"] * printed["gdp"].iloc[1:]
    assert flow.to_numpy() == pytest.approx(printed["sfa"].iloc[1:].to_numpy(), abs=1e-9)


def test_the_law_leads_from_each_year_of_cbo_to_the_next():
    accounts = cbo()
    flow = al.debt_contributions(accounts).exact["stock_flow"].to_numpy()
    rows = accounts.iloc[1:]
    path = al.debt_path(
        accounts["debt"].iloc[0],
        rows["interest_rate"],
        rows["growth"],
        rows["inflation"],
        rows["primary_deficit"],
        flow,
        first_year=2025,
    )
    assert path.table["debt"].to_numpy() == pytest.approx(rows["debt"].to_numpy(), abs=1e-13)


rate = st.floats(-0.3, 0.5)


@st.composite
def any_accounts(draw) -> pd.DataFrame:
    n = draw(st.integers(2, 5))
    columns = {name: draw(st.lists(rate, min_size=n, max_size=n)) for name in ("growth", "inflation")}
    columns["interest_rate"] = draw(st.lists(rate, min_size=n, max_size=n))
    columns["primary_deficit"] = draw(st.lists(rate, min_size=n, max_size=n))
    columns["debt"] = draw(st.lists(st.floats(0.01, 4.0), min_size=n, max_size=n))
    return pd.DataFrame(columns, index=pd.Index(range(1950, 1950 + n), name="year"))


@settings(max_examples=30, deadline=None)
@given(any_accounts())
def test_contributions_add_up_and_obey_the_law(accounts):
    result = al.debt_contributions(accounts)
    exact = result.exact
    assert exact[COLUMNS].sum(axis=1).to_numpy() == pytest.approx(exact["change"].to_numpy(), abs=1e-14)
    before, rows = accounts["debt"].to_numpy()[:-1], accounts.iloc[1:]
    arguments = (before, rows["interest_rate"], rows["growth"], rows["inflation"], rows["primary_deficit"])
    flow = exact["stock_flow"].to_numpy()
    law = al.next_debt_ratio(*arguments) + flow
    assert law == pytest.approx(rows["debt"].to_numpy(), abs=1e-13)
    linear = al.linear_debt_ratio(*arguments) + flow
    assert result.linear["gap"].to_numpy() == pytest.approx(linear - law, abs=1e-13)
    balance = result.measures["stabilising_balance"].to_numpy()
    assert al.debt_stabilising_balance(*arguments[:4]) == pytest.approx(balance, abs=1e-14)


@settings(max_examples=30, deadline=None)
@given(any_accounts())
def test_liquidation_is_what_a_zero_real_rate_would_have_cost_more(accounts):
    """Exact: the ratio under r = 0 less the ratio as it was, where r was negative."""
    result, rows = al.debt_contributions(accounts), accounts.iloc[1:]
    before = accounts["debt"].to_numpy()[:-1]
    i, g, p = (rows[name].to_numpy() for name in ("interest_rate", "growth", "inflation"))
    saved = before * (1 + p) / ((1 + g) * (1 + p)) - before * (1 + i) / ((1 + g) * (1 + p))
    assert result.measures["liquidation"].to_numpy() == pytest.approx(np.maximum(saved, 0.0), abs=1e-13)


def test_a_deficit_that_stabilises_leaves_the_ratio():
    accounts = pd.DataFrame(
        {"debt": 0.7, "interest_rate": 0.03, "growth": 0.02, "inflation": 0.02, "primary_deficit": 0.0},
        index=[1, 2],
    )
    accounts["primary_deficit"] = -al.debt_stabilising_balance(0.7, 0.03, 0.02, 0.02)
    exact = al.debt_contributions(accounts).exact
    assert exact["change"].tolist() == [0.0]
    assert exact["stock_flow"].iloc[0] == pytest.approx(0.0, abs=1e-16)


# --- amounts of money ----------------------------------------------------------------------------------


def test_money_becomes_accounts():
    accounts = al.debt_accounts(money())
    row = accounts.loc[2001]
    assert row["debt"] == 630.0 / 1045.0
    assert row["interest_rate"] == 18.0 / 600.0
    assert row["growth"] == pytest.approx(0.02)
    assert (1 + row["growth"]) * (1 + row["inflation"]) == pytest.approx(1.045, abs=1e-15)
    assert row["primary_deficit"] == 10.0 / 1045.0
    assert accounts.iloc[0].isna().tolist() == [False, True, True, True, True]
    assert al.debt_contributions(accounts).exact["stock_flow"].iloc[0] == pytest.approx(2.0 / 1045.0)


def test_the_unit_of_money_does_not_matter():
    other = money().mul({"debt": 1e3, "interest": 1e3, "deficit": 1e3, "gdp": 1e3, "real_gdp": 7.0})
    pd.testing.assert_frame_equal(al.debt_accounts(other), al.debt_accounts(money()), rtol=1e-12)


def test_inputs_are_not_changed():
    amounts = money()
    kept = amounts.copy()
    result = al.debt_contributions(al.debt_accounts(amounts))
    result.accounts.iloc[0, 0] = -1.0
    pd.testing.assert_frame_equal(amounts, kept)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(index=2003), r"amounts.index: 2002 is followed by 2004: .*; fill in"),
        (lambda t: t.drop(columns="real_gdp"), "amounts: no column 'real_gdp'"),
        (lambda t: t.assign(GDP=1.0), "column 'GDP' is none of"),
        (lambda t: t.assign(debt=t["debt"] * 100), r"accounts\['debt'\]: 60 times GDP.*percent"),
        (lambda t: t.assign(debt=t["debt"] * 12), r"accounts\['debt'\]: typically [78].* times GDP.*percent"),
        (
            lambda t: t.assign(deficit=t["deficit"] * 100),
            r"accounts\['primary_deficit'\]: typically .* percent",
        ),
        (
            lambda t: t.assign(interest=t["interest"] * 100),
            r"accounts\['interest_rate'\]: typically .* percent",
        ),
        (lambda t: t.assign(gdp=0.0), r"amounts\['gdp'\]: 0 in 2000 is not positive"),
        (lambda t: t.assign(debt=[-1.0, 1, 2, 3, 4, 5]), r"amounts\['debt'\]: -1 in 2000 is not positive"),
        (lambda t: t.assign(interest=[18, 18, np.nan, 18, 18, 18]), r"amounts\['interest'\]: nan in 2002"),
        (lambda t: t.assign(interest="much"), r"amounts\['interest'\] on 2000: 'much'"),
        (lambda t: t.iloc[:1], "1 rows, at least two"),
        (lambda t: t.set_axis(pd.date_range("2020", periods=6, freq="MS")), "neither years nor quarters"),
        (lambda t: t["debt"], "expected a DataFrame, got Series"),
    ],
)
def test_refused_amounts(change, message):
    with pytest.raises(InputError, match=message):
        al.debt_accounts(change(money()))


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("growth", -1.0, r"accounts\['growth'\]: -1 in 2001: at -1 or less"),
        ("interest_rate", -1.0, r"accounts\['interest_rate'\]: -1 in 2001"),
        ("central_bank_share", 20.0, r"accounts\['central_bank_share'\]: 20 in 2000 is no share"),
    ],
)
def test_refused_accounts(column, value, message):
    accounts = al.debt_accounts(money())
    accounts[column] = value
    with pytest.raises(InputError, match=message):
        al.debt_contributions(accounts)


def test_the_first_row_is_needed_for_its_debt_only():
    amounts = money().astype(float)
    amounts.loc[2000, ["interest", "deficit"]] = np.nan
    pd.testing.assert_frame_equal(al.debt_accounts(amounts), al.debt_accounts(money()))


def test_gaps_between_quarters_and_dated_years_are_found():
    quarters = pd.period_range("2000Q1", periods=6, freq="Q")
    fine = al.debt_accounts(money().set_axis(quarters))
    assert fine.index[0] == pd.Timestamp("2000-03-31")
    gap = pd.PeriodIndex([*quarters[:3], *(quarters[3:] + 1)])
    with pytest.raises(InputError, match="2000-09-30 is followed by 2001-03-31"):
        al.debt_accounts(money().set_axis(gap))
    years = pd.DatetimeIndex([f"{year}-09-30" for year in (2000, 2001, 2002, 2004, 2005, 2006)])
    with pytest.raises(InputError, match="2002-09-30 is followed by 2004-09-30"):
        al.debt_accounts(money().set_axis(years))


# --- the embedded history -----------------------------------------------------------------------------


def test_the_embedded_accounts_cover_1939_to_2025_without_a_gap():
    table = al.load_us_debt()
    assert table.index.year.tolist() == list(range(1939, 2026))
    assert table.index[table.index.year == 1976][0] == pd.Timestamp("1976-06-30")
    assert table.index[table.index.year == 1977][0] == pd.Timestamp("1977-09-30")
    result = al.debt_contributions(al.debt_accounts(table))
    assert len(result.exact) == 86
    assert (result.exact[COLUMNS].sum(axis=1) - result.exact["change"]).abs().max() < 1e-15


def test_the_embedded_accounts_agree_with_the_embedded_signals():
    """Two tables of the package, one of amounts and one of shares, say the same."""
    signals = al.load_us_history()._signals
    table = al.load_us_debt().loc["1940":]
    for share, amount in {"debt": "debt", "deficit": "deficit", "interest": "interest"}.items():
        signal = signals[share]
        published = pd.Series(signal.values.to_numpy(), signal.describes).reindex(table.index)
        ours = table[amount] / table["gdp"]
        assert (ours - published).abs().max() < 6e-6  # billions have one decimal in 1940


def test_the_embedded_amounts_are_the_public_figures():
    facts = pd.read_csv(needs(FACTS), index_col="year").loc[1939:]
    table = al.load_us_debt().set_axis(facts.index)
    columns = {"debt": "debt_public_bn", "interest": "net_interest_bn", "gdp": "gdp_fy_bn"}
    for ours, theirs in columns.items():
        pd.testing.assert_series_equal(table[ours], facts[theirs], check_names=False, rtol=1e-9)
    assert (table["deficit"] + facts["surplus_bn"]).abs().max() < 1e-6


def test_growth_blended_to_fiscal_years_is_near_that_of_quarterly_gdp():
    """What the blending costs: 0.3 points in the middle, 1.4 at most (in years that turn, such as 2009)."""
    quarters = pd.read_csv(needs(QUARTERS), index_col=0)["gdp_real_bn"].dropna()
    index = pd.PeriodIndex(quarters.index, freq="Q")
    groups = quarters.groupby(np.asarray(index.year + (index.quarter == 4)))
    true = groups.mean()[groups.count() == 4].pct_change().loc[1978:2025]
    ours = al.load_us_debt()["real_gdp"]
    ours = ours.set_axis(ours.index.year).pct_change().reindex(true.index)
    assert (ours - true).abs().median() < 0.003
    assert (ours - true).abs().max() < 0.014


def test_years_known_from_the_history_of_the_debt():
    """Acalin and Ball (2023): 106 % of GDP in 1946, 23 % in 1974; and nothing but the law in between."""
    accounts = al.debt_accounts(al.load_us_debt())
    ratio = accounts["debt"].set_axis(accounts.index.year)
    assert round(100 * ratio[1946]) == 106
    assert round(100 * ratio[1974]) == 23


def test_repression_after_the_war():
    """Reinhart and Sbrancia (2015): real rates negative about half of 1945-80."""
    measures = al.debt_contributions(al.debt_accounts(al.load_us_debt())).measures
    measures = measures.set_axis(measures.index.year).loc[1945:1980]
    assert 0.4 < (measures["real_rate"] < 0).mean() < 0.6
    assert ((measures["liquidation"] > 0) == (measures["real_rate"] < 0)).all()


def test_the_table_shows_every_channel_and_folds_a_long_history():
    result = al.debt_contributions(al.debt_accounts(al.load_us_debt()))
    text = str(result)
    assert "1940-06-30 to 2025-09-30, 86 periods" in text
    assert "…" in text
    assert result._repr_html_().count("<tr>") == 87
