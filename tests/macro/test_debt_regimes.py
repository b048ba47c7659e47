"""How a debt was handled: the rule against a slow copy of its words, dated examples, what was known when."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import allocator as al
from allocator.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
QUARTERS = ROOT.parent / "shared" / "data" / "us_fiscal_quarterly.csv"
MEANS = ("growth", "inflation", "monetization", "tightening")


@pytest.fixture(scope="module")
def accounts() -> pd.DataFrame:
    return al.debt_accounts(al.load_us_debt())


@pytest.fixture(scope="module")
def us(accounts):
    return al.debt_regimes(accounts)


def by_year(table: pd.DataFrame | pd.Series) -> pd.DataFrame | pd.Series:
    return table.set_axis(table.index.year)


def world(**last: float) -> pd.DataFrame:
    """Two quiet years and a third as told; the debt obeys the law without stock-flow."""
    quiet = {
        "interest_rate": 0.03,
        "growth": 0.0,
        "inflation": 0.02,
        "primary_deficit": 0.0,
        "market_rate": 0.03,
    }
    rows = [quiet, quiet, {**quiet, **last}]
    debts = [1.0]
    for row in rows[1:]:
        names = ("interest_rate", "growth", "inflation", "primary_deficit")
        debts.append(al.next_debt_ratio(debts[-1], *(row[name] for name in names)))
    return pd.DataFrame(rows, index=[2000, 2001, 2002]).assign(debt=debts)


# --- signatures -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("last", "label"),
    [
        ({"growth": 0.05}, "growth"),
        ({"inflation": 0.08}, "inflation"),
        ({"primary_deficit": 0.08, "market_rate": 0.0}, "monetization"),
        ({"primary_deficit": -0.03}, "tightening"),
        ({}, "none"),
        ({"growth": 0.05, "interest_rate": 0.09}, "none"),  # growth is below the real rate
        ({"inflation": 0.08, "interest_rate": 0.10, "market_rate": 0.10}, "none"),  # no negative real rate
        ({"primary_deficit": 0.08, "market_rate": 0.05}, "none"),  # rates are not held down
        ({"growth": 0.01}, "none"),  # growth is too little against the interest
    ],
)
def test_each_signature_gives_its_label(last, label):
    assert al.debt_regimes(world(**last)).table["label"].loc[2002] == label


def test_a_fall_of_the_deficit_is_discipline_only_if_little_is_left():
    rows = world(primary_deficit=0.005)
    rows.loc[2001, "primary_deficit"] = 0.05
    assert al.debt_regimes(rows).table.loc[2002, "tightening_counts"]
    assert al.debt_regimes(rows).table.loc[2002, "tightening"] == pytest.approx(0.045)
    rows.loc[2002, "primary_deficit"] = 0.02
    assert not al.debt_regimes(rows).table.loc[2002, "tightening_counts"]


def test_purchases_of_the_central_bank_are_measured_where_they_are_given():
    """Its holdings in money, less those of the year before, over GDP."""
    rows = world(primary_deficit=0.08, market_rate=0.0)
    rows["central_bank_share"] = [0.10, 0.10, 0.15]
    result = al.debt_regimes(rows)
    gdp = 1.02  # of 2002, where that of 2001 is 1
    held = 0.15 * rows.loc[2002, "debt"] * gdp - 0.10 * rows.loc[2001, "debt"]
    assert result.table.loc[2002, "monetization"] == pytest.approx(held / gdp, abs=1e-15)
    assert result.table.loc[2002, "label"] == "monetization"
    assert result.proxies == ()
    rows["central_bank_share"] = [0.10, 0.10, 0.05]  # it sold: the deficit alone does not count
    assert al.debt_regimes(rows).table.loc[2002, "label"] == "none"


def test_what_stands_in_for_a_signal_is_said():
    result = al.debt_regimes(world(growth=0.05).drop(columns="market_rate"))
    assert len(result.proxies) == 2
    assert all(line in str(result) for line in result.proxies)
    assert result.table["real_market_rate"].equals(result.table["real_rate"].rename("real_market_rate"))


# --- the rule against a slow copy ------------------------------------------------------------------------


def slow_label(row: dict, previous_deficit: float | None, rule: al.DebtRule, mistake: dict) -> str:
    """The docstring of debt_regimes, word by word, for one year without holdings."""
    d, i, g, p, f = (
        row[name] for name in ("before", "interest_rate", "growth", "inflation", "primary_deficit")
    )
    size = (1 + g) * (1 + p)
    interest = d * i / size
    fallen = 0.0 if previous_deficit is None else previous_deficit - f
    measured = {
        "growth": d * g / size,
        "inflation": d * p * (1 + g) / size,
        "monetization": f,
        "tightening": -f if previous_deficit is None else max(-f, fallen),
    }
    measured = {name: size * mistake.get(name, 1.0) for name, size in measured.items()}
    real, market = (1 + i) / (1 + p) - 1, (1 + row["market_rate"]) / (1 + p) - 1
    signature = {
        "growth": g > real,
        "inflation": p >= rule.inflation_above and real < rule.real_rate_below,
        "monetization": market < rule.real_rate_below and f >= rule.deficit_above,
        "tightening": f <= rule.deficit_at_most,
    }
    stock_flow = row["debt"] - d * (1 + i) / size - f
    pushed = max(interest, 0.0) + max(f, 0.0) + max(stock_flow, 0.0)
    counting = [name for name in MEANS if signature[name] and measured[name] > 0]
    if not counting:
        return "none"
    best = max(counting, key=lambda name: measured[name])
    return best if measured[best] >= rule.coverage * pushed else "none"


AS_WRITTEN = ((al.DebtRule(), {}),)


def slow_labels(accounts: pd.DataFrame, variants=AS_WRITTEN) -> list[list[str]]:
    """The labels under each variant of the rule."""
    rows = accounts.assign(before=accounts["debt"].shift()).iloc[1:].to_dict("records")
    deficits = [None, *(row["primary_deficit"] for row in rows[:-1])]
    pairs = list(zip(rows, deficits, strict=True))
    return [[slow_label(row, last, rule, wrong) for row, last in pairs] for rule, wrong in variants]


def test_the_rule_is_what_its_words_say_on_the_embedded_history(accounts, us):
    assert us.table["label"].tolist() == slow_labels(accounts)[0]


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_rule_is_what_its_words_say_on_any_history(seed):
    rng = np.random.default_rng(seed)
    n = 8
    columns = {
        "debt": rng.uniform(0.2, 1.5, n).cumsum() / 4,
        "interest_rate": rng.uniform(0.0, 0.08, n),
        "growth": rng.normal(0.02, 0.04, n),
        "inflation": rng.normal(0.03, 0.04, n),
        "primary_deficit": rng.normal(0.01, 0.04, n),
        "market_rate": rng.uniform(0.0, 0.08, n),
    }
    table = pd.DataFrame(columns, index=range(1990, 1990 + n))
    assert al.debt_regimes(table).table["label"].tolist() == slow_labels(table)[0]


def test_confidence_is_the_share_of_variants_that_agree(accounts, us):
    """All 2,187 of them, by the slow copy, for years in which labels are disputed."""
    part = accounts.loc["2018-01-01":"2023-12-31"]
    rule = al.DebtRule()
    steps = {
        "inflation_above": 0.01,
        "real_rate_below": 0.005,
        "deficit_above": 0.01,
        "deficit_at_most": 0.005,
    }
    moved = [
        [getattr(rule, name) + s * step for s in (-1, 0, 1)]
        for name, step in {**steps, "coverage": 0.1}.items()
    ]
    mistakes = [{}, *({name: size} for name in MEANS for size in (0.9, 1.1))]
    variants = [(al.DebtRule(*values), wrong) for values, wrong in product(product(*moved), mistakes)]
    assert len(variants) == 2187
    agreeing = np.array(slow_labels(part, variants)) == np.array(slow_labels(part))
    ours = al.debt_regimes(part).table["confidence"].to_numpy()
    assert ours == pytest.approx(np.mean(agreeing, axis=0), abs=1e-12)
    assert ours.min() < 0.7 < ours.max()


# --- the embedded history ---------------------------------------------------------------------------------


def test_every_year_from_1940_to_2025_has_a_label_and_a_reason(us):
    table = by_year(us.table)
    assert table.index.tolist() == list(range(1940, 2026))
    assert table["label"].isin([*MEANS, "none"]).all()
    assert (table["reason"].str.len() > 10).all()
    assert table["confidence"].between(0.0, 1.0).all()


@pytest.mark.parametrize(
    ("years", "label"),
    [
        (range(2020, 2022), "monetization"),  # the pandemic
        (range(2022, 2024), "inflation"),  # the article says 2021-23: see docs/debt.md
        (range(1997, 2002), "tightening"),
        (range(1942, 1946), "monetization"),  # rates were pegged
        (range(1946, 1950), "inflation"),
    ],
)
def test_the_dated_examples(us, years, label):
    assert set(by_year(us.table)["label"].loc[list(years)]) == {label}


def test_in_2021_inflation_counts_for_less_than_the_deficit(us):
    row = by_year(us.table).loc[2021]
    assert row["inflation_counts"]
    assert row["inflation"] < row["growth"] < row["monetization"]


def test_the_future_has_no_part_in_a_label(accounts, us):
    """Other years after 1990: every earlier label, confidence and reason is the same."""
    other = accounts.copy()
    later = other.index > "1990-12-31"
    other.loc[later] = other.loc[later].to_numpy()[::-1]
    before = al.debt_regimes(other).table.loc[:"1990"]
    pd.testing.assert_frame_equal(before, us.table.loc[:"1990"], check_exact=True)
    assert not al.debt_regimes(other).table.equals(us.table)


# --- labels for returns -------------------------------------------------------------------------------------


def test_known_labels_are_those_published_before_the_year_began(us):
    market = al.load_us_history()
    regimes, labels = us.known(market, publication_lag=31), by_year(us.table)["label"]
    assert not regimes.ex_post
    for year in (1950, 1976, 1977, 2021, 2025):
        assert regimes.labels.loc[f"{year}-12-31"] == labels[year - 1]
    assert regimes.next_label == labels[2025]


def test_a_month_uses_a_fiscal_year_only_once_it_is_published(us):
    dates = pd.date_range("2015-01-31", "2025-09-30", freq="ME")
    market = al.Market(pd.DataFrame({"stocks": np.linspace(1, 2, len(dates))}, index=dates), 0.0)
    known = us.known(market, publication_lag=31).labels
    assert known.loc["2020-10-31"] == by_year(us.table)["label"].loc[2019]
    assert known.loc["2020-11-30"] == "monetization"  # known on 31 October, when November began
    assert us.known(market, publication_lag=40).labels.loc["2020-11-30"] == "none"


def test_labels_in_hindsight_of_years_and_of_months(us):
    labels = by_year(us.table)["label"]
    years = pd.DatetimeIndex([f"{year}-12-31" for year in range(1938, 2026)])
    regimes = us.hindsight(years)
    assert regimes.ex_post
    assert regimes.labels.iloc[:2].tolist() == ["unclassified"] * 2
    assert regimes.labels.iloc[2:].tolist() == labels.tolist()
    months = us.hindsight(pd.date_range("2020-08-31", "2022-11-30", freq="ME")).labels
    assert months.loc["2021-09-30"] == labels[2021]
    assert months.loc["2021-10-31"] == labels[2022]
    assert "not known then" not in regimes.rule
    assert "published after it" in regimes.rule


def test_dates_after_the_last_label_are_refused(us):
    with pytest.raises(InputError, match=r"2025-10-31: the last label is of 2025-09-30: none for 2 of 5"):
        us.hindsight(pd.date_range("2025-07-31", periods=5, freq="ME"))
    with pytest.raises(InputError, match="the last label is of 2025-09-30"):
        us.hindsight(pd.DatetimeIndex(["2024-12-31", "2025-12-31", "2026-12-31"]))


def test_accounts_by_number_of_year_cannot_label_dates():
    result = al.debt_regimes(world(growth=0.05))
    with pytest.raises(InputError, match="do not say when a year ended"):
        result.hindsight(pd.date_range("2001-01-31", periods=3, freq="ME"))


def test_months_before_the_first_fiscal_year_are_unclassified(us):
    labels = us.hindsight(pd.date_range("1939-04-30", periods=6, freq="ME")).labels
    assert labels.tolist() == ["unclassified"] * 3 + [us.table["label"].iloc[0]] * 3


# --- refusals and print ---------------------------------------------------------------------------


def test_quarterly_accounts_are_refused(accounts):
    quarters = pd.period_range("2000Q1", periods=len(accounts), freq="Q")
    with pytest.raises(InputError, match=r"quarterly .* the thresholds are a year's"):
        al.debt_regimes(accounts.set_axis(quarters))


@pytest.mark.parametrize("threshold", [3.0, float("nan")])
def test_a_threshold_in_percent_is_refused(threshold):
    with pytest.raises(InputError, match=r"inflation_above: .* is no (fraction|number)"):
        al.DebtRule(inflation_above=threshold)


def test_thresholds_move_the_labels(accounts, us):
    strict = al.debt_regimes(accounts, al.DebtRule(coverage=1.0))
    assert (strict.table["label"] == "none").sum() > (us.table["label"] == "none").sum()
    assert "coverage 100 %" in str(strict)


def test_the_table_names_the_rule_the_counts_and_the_proxies(us):
    text = str(us)
    assert "growth 15, inflation 14, monetization 9, tightening 13, none 35 of 86 periods" in text
    assert "no central_bank_share given" in text
    assert "market_rate given" not in text
    assert us._repr_html_().count("<tr>") == 87


# --- what docs/debt.md says ---------------------------------------------------------------------------


def years_of(text: str) -> list[int]:
    """1996–2001 means six years; 1940–41 two."""
    years = []
    for part in text.split(", "):
        first, _, last = part.partition("–")
        stop = int(first[: 4 - len(last)] + last) if last else int(first)
        years += range(int(first), stop + 1)
    return years


def test_the_page_lists_the_labels_that_come_out(us):
    page = (ROOT / "docs" / "debt.md").read_text(encoding="utf-8")
    labels = by_year(us.table)["label"]
    for label in (*MEANS, "none"):
        line = next(row for row in page.splitlines() if row.startswith(f"| {label} |"))
        assert years_of(line.split("|")[2].strip()) == labels.index[labels == label].tolist(), label


def test_the_figures_of_the_page(us):
    table, exact = by_year(us.table), by_year(us.contributions.exact) * 100
    assert (table.loc[1997:2001, "confidence"] == 1.0).all()
    assert table.loc[[1996, 2020, 2023], "confidence"].round(2).tolist() == [0.63, 0.64, 0.60]
    assert exact.loc[2021, ["primary_deficit", "inflation"]].round(1).tolist() == [10.5, -3.6]
    columns = ["change", "inflation", "growth", "primary_deficit"]
    assert exact.loc[2021:2023, columns].sum().round(1).tolist() == [-2.3, -14.0, -9.2, 17.8]
    assert exact.loc[2023, "change"].round(1) == 1.0
    after = exact.loc[1947:1974, [*columns, "interest"]].sum().round(1)
    assert after.tolist() == [-82.9, -48.9, -39.6, -26.1, 37.0]
    measures, gap = by_year(us.contributions.measures), by_year(us.contributions.linear)["gap"].abs() * 100
    assert (measures.loc[1945:1980, "real_rate"] < 0).mean().round(2) == 0.53
    sizes = [
        measures.loc[years, "liquidation"].mean() * 100 for years in (slice(1946, 1980), slice(1942, 1951))
    ]
    assert np.round(sizes, 1).tolist() == [0.9, 3.2]
    assert [round(gap.median(), 2), round(gap.max(), 1), gap.idxmax()] == [0.05, 1.6, 1942]


def test_with_the_holdings_of_the_federal_reserve():
    if not QUARTERS.is_file():
        pytest.skip("the panel with the holdings of the Federal Reserve is not beside this checkout")
    quarters = pd.read_csv(QUARTERS, index_col=0)["fed_treasuries_mn"].dropna() / 1000.0
    held = quarters[quarters.index.str.endswith("Q3")]
    amounts = al.load_us_debt().loc["2003-09-30":]
    amounts["central_bank"] = (
        held.set_axis(held.index.str[:4].astype(int)).reindex(amounts.index.year).to_numpy()
    )
    result = al.debt_regimes(al.debt_accounts(amounts))
    labels = by_year(result.table)["label"]
    assert labels.index[labels == "monetization"].tolist() == [2011, 2013, 2020]
    assert result.proxies == ()


def test_the_code_of_the_page_runs():
    page = (ROOT / "docs" / "debt.md").read_text(encoding="utf-8")
    names: dict = {}
    exec(page.split("```python\n")[1].split("```")[0], names)
    assert names["debt"].table["label"].iloc[-1] == "none"


@pytest.mark.parametrize(
    ("thresholds", "message"),
    [
        ({"coverage": 1.5}, "coverage: 1.5 is not between 0 and 1; 0.5: half of what pushed the ratio up"),
        ({"coverage": -0.1}, "coverage: -0.1 is not between 0 and 1"),
        ({"coverage": None}, "coverage: None is no number; pass a fraction, 0.5 for half"),
        ({"coverage": "3"}, "coverage: '3' is no number"),
        ({"coverage": True}, "coverage: True is no number"),
        ({"inflation_above": 3.0}, "3.0 is no fraction: it would be 300%; pass a fraction, 0.03 for 3 %"),
        ({"real_rate_below": float("nan")}, "real_rate_below: nan is no number"),
    ],
)
def test_thresholds_that_are_none_are_refused_at_once(thresholds, message):
    with pytest.raises(InputError, match=message):
        al.DebtRule(**thresholds)


@pytest.mark.parametrize("coverage", [0.0, 1.0])
@pytest.mark.parametrize("threshold", [-1.0, 1.0])
def test_every_rule_that_can_be_written_can_be_used(coverage, threshold):
    accounts = al.debt_accounts(al.load_us_debt())
    rule = al.DebtRule(threshold, threshold, threshold, threshold, coverage)
    assert al.debt_regimes(accounts, rule).rule == rule


def test_what_is_no_rule_and_no_market_is_refused():
    accounts = al.debt_accounts(al.load_us_debt())
    with pytest.raises(InputError, match=r"rule: expected a DebtRule, got dict; DebtRule\(coverage=0.5\)"):
        al.debt_regimes(accounts, {"coverage": 0.5})
    with pytest.raises(InputError, match="market: expected a Market, got DataFrame"):
        al.debt_regimes(accounts).known(accounts, 31)
