"""Yields as sums of parts.

Invariants held for any yields: parts add up on every date, or the decomposition is refused; the decomposition
of a sum is the sum of the decompositions; taking credit out of a part leaves the total; changes over episodes
add up, and over adjoining episodes.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import allocator as al
from allocator.errors import InputError
from allocator.macro.yields import YieldDecomposition, carve_credit, decompose_yield, episode_table

SHARED = Path(__file__).resolve().parents[3] / "shared"
MONTHS = pd.date_range("2000-01-31", periods=120, freq="ME")


def shared(path: str) -> Path:
    if not (SHARED / path).exists():
        pytest.skip(f"needs ../shared/{path}, which is not part of the project")
    return SHARED / path


def walk(seed: int, level: float = 0.02, step: float = 0.002, n: int = 120) -> pd.Series:
    noise = np.random.default_rng(seed).normal(0.0, step, n)
    return pd.Series(level + np.cumsum(noise), index=MONTHS[:n])


def three(seed: int = 0) -> YieldDecomposition:
    parts = {"real": walk(seed), "inflation": walk(seed + 1), "term premium": walk(seed + 2, 0.01)}
    return decompose_yield(sum(parts.values()), parts, 10, ex_post=False)


def published(name: str = "ACMY10") -> pd.DataFrame:
    return pd.read_csv(shared("data/monthly_term_premium.csv"), index_col=0, parse_dates=True) / 100


def acm() -> YieldDecomposition:
    table = published()[["ACMY10", "ACMRNY10"]].dropna()
    return decompose_yield(
        table["ACMY10"], {"expected rates": table["ACMRNY10"]}, 10, ex_post=True, rest="term premium"
    )


# --- what holds for any yields ---


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.integers(1, 4), st.floats(-0.02, 0.05))
def test_a_rest_makes_the_parts_add_up(seed, n_parts, level):
    parts = {f"part {k}": walk(seed + k, level) for k in range(n_parts)}
    total = walk(seed + 99, 0.04)
    found = decompose_yield(total, parts, 10, ex_post=False, rest="rest")
    assert list(found.parts.columns) == [*parts, "rest"]
    assert (found.parts.sum(axis=1) - total).abs().max() < 1e-14


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.floats(-1.0, 1.0), st.floats(-1.0, 1.0))
def test_the_decomposition_of_a_sum_is_the_sum(seed, a, b):
    def split(total, real):
        return decompose_yield(total, {"real": real}, 10, ex_post=False, rest="breakeven")

    x, y = (walk(seed), walk(seed + 1)), (walk(seed + 2), walk(seed + 3))
    one, two = split(*x), split(*y)
    both = split(a * x[0] + b * y[0], a * x[1] + b * y[1])
    np.testing.assert_allclose(both.parts, a * one.parts + b * two.parts, atol=1e-15)
    np.testing.assert_allclose(both.changes, a * one.changes + b * two.changes, atol=1e-15)


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.floats(1.0, 900.0))
def test_credit_leaves_the_total_and_the_other_parts(seed, spread):
    whole = three(seed)
    cds = pd.Series(spread * np.random.default_rng(seed).uniform(0.5, 1.5, 120) + 1.0, index=MONTHS)
    carved = carve_credit(whole, cds)
    assert (carved.parts.sum(axis=1) - whole.total).abs().max() < 1e-14
    np.testing.assert_allclose(carved.parts["credit"], cds / 1e4, atol=1e-15)
    np.testing.assert_allclose(
        carved.parts["term premium"] + cds / 1e4, whole.parts["term premium"], atol=1e-14
    )
    assert carved.parts["real"].equals(whole.parts["real"])
    assert "taken out of term premium" in carved.notes[-1]


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.integers(0, 117), st.data())
def test_episodes_add_up_over_parts_and_over_time(seed, begin, data):
    end = data.draw(st.integers(begin + 1, 118))
    last = data.draw(st.integers(end + 1, 119))
    cuts = [MONTHS[row] for row in (begin, end, last)]
    episodes = {"first": (cuts[0], cuts[1]), "then": (cuts[1], cuts[2]), "all": (cuts[0], cuts[2])}
    found = episode_table(three(seed), episodes).table
    parts = found[["real", "inflation", "term premium"]]
    np.testing.assert_allclose(parts.sum(axis=1), found["total"], atol=1e-9)
    np.testing.assert_allclose(
        parts.loc["first"] + parts.loc["then"], parts.loc["all"].astype(float), atol=1e-9
    )


def test_the_input_is_not_changed_and_not_kept():
    real, total = walk(0), walk(1, 0.04)
    kept = real.copy(), total.copy()
    found = decompose_yield(total, {"real": real}, 10, ex_post=False, rest="breakeven")
    real.iloc[3] = total.iloc[3] = 0.3
    assert found.total.equals(kept[1])
    assert found.parts["real"].equals(kept[0].rename("real"))


def test_between_cuts_by_month_and_year_and_refuses_nothing():
    found = three().between("2001", "2002-06")
    assert found.total.index[0] == pd.Timestamp("2001-01-31")
    assert found.total.index[-1] == pd.Timestamp("2002-06-30")
    assert found.parts.index.equals(found.total.index)
    with pytest.raises(
        InputError, match="0 rows to 2031-12-31; the yields run from 2000-01-31 to 2009-12-31"
    ):
        three().between("2031", "2031")


# --- published numbers ---


@pytest.mark.parametrize(
    ("begin", "end", "total", "premium", "expected"),
    [
        ("2025-03", "2025-05", 21.4, 36.9, -15.4),
        ("2024-06", "2025-05", 13.8, 86.2, -72.5),
        ("2021-12", "2022-12", 226.8, 9.4, 217.4),
        ("2022-12", "2023-10", 110.0, 97.4, 12.6),
        ("2012-12", "2013-12", 145.3, 146.2, -0.9),
    ],
)
def test_episodes_of_the_published_term_premium(begin, end, total, premium, expected):
    row = episode_table(acm(), {"x": (begin, end)}).table.loc["x"]
    assert row["total"] == pytest.approx(total, abs=0.051)
    assert row["term premium"] == pytest.approx(premium, abs=0.051)
    assert row["expected rates"] == pytest.approx(expected, abs=0.051)


def test_all_published_episodes():
    episodes = json.loads(shared("cases/F_acm_episode_changes.json").read_text())["episodes_bp"]
    pairs = {name: tuple(name.split("->")) for name in episodes}
    found = episode_table(acm(), pairs).table
    expected = pd.DataFrame(episodes).T
    columns = ["total", "term premium", "expected rates"]
    np.testing.assert_allclose(found[columns], expected[["ACMY10", "ACMTP10", "ACMRNY10"]], atol=0.051)


def test_a_nominal_yield_is_the_real_yield_and_the_breakeven():
    table = published()[["DGS10_eom", "DFII10_eom", "T10YIE_eom"]].dropna()
    parts = {"real": table["DFII10_eom"], "breakeven": table["T10YIE_eom"]}
    found = decompose_yield(table["DGS10_eom"], parts, 10, ex_post=False)
    assert (found.parts.sum(axis=1) - found.total).abs().max() < 1e-10
    assert found.frequency.name == "monthly"


# --- what prints ---


def test_a_decomposition_says_its_sample_and_what_was_derived():
    parts = {"real": walk(0)}
    text = repr(decompose_yield(walk(1, 0.04), parts, 7, ex_post=True, rest="breakeven"))
    assert text.startswith("7-year yield = real + breakeven")
    assert "breakeven: the total less the other parts" in text
    assert "monthly, 2000-01-31 to 2009-12-31, n=120; parts estimated in hindsight (ex post)" in text


def test_an_episode_says_which_rows_and_leaves_out_shares_of_nearly_nothing():
    total, real = pd.Series(0.04, index=MONTHS), pd.Series(0.02, index=MONTHS)
    total.iloc[5:] += 0.0010
    real.iloc[5:] += 0.0200
    total.iloc[50:] += 0.0100
    real.iloc[50:] += 0.0080
    whole = decompose_yield(total, {"real": real}, 10, ex_post=False, rest="breakeven")
    found = episode_table(whole, {"cancels": ("2000-01", "2001"), "plain": ("2003-01-15", "2005")})
    assert found.shares.loc["cancels"].isna().all()
    assert found.shares.loc["plain"].tolist() == pytest.approx([0.8, 0.2])
    assert found.table.loc["plain", "from"] == pd.Timestamp("2002-12-31")
    assert "2002-12-31" in repr(found)
    assert "80%" in repr(found)
    assert "–" in repr(found).splitlines()[2]
    assert "<table>" in found._repr_html_()
    assert "<table>" in whole._repr_html_()


# --- refusals ---


def refused(match, total, parts, maturity=10.0, **options):
    with pytest.raises(InputError, match=match):
        decompose_yield(total, parts, maturity, **{"ex_post": False, **options})


def test_parts_that_do_not_add_up_are_refused_with_date_and_residual():
    real, rest = walk(0), walk(1)
    total = real + rest
    total.iloc[7] += 2e-10
    match = r"on 2000-08-31: the total less the parts is 2e-10 \(2e-06 bp\).*name it as the rest"
    refused(match, total, {"real": real, "rest": rest})
    total.iloc[7] -= 1.5e-10
    decompose_yield(total, {"real": real, "rest": rest}, 10, ex_post=False)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("DFII5", 5),
        ("T5YIE", 5),
        ("ACMTP02", 2),
        ("DGS3MO", 0.25),
        ("ACMY060M", 5),
        ("US_CDS_5Y", 5),
        ("5-year", 5),
        ("JGB 5 years", 5),
        ("ACMY060M_v2", 5),
        ("THREEFYTP05", 5),
    ],
)
def test_another_maturity_is_refused_by_name(name, said):
    match = rf"parts\['real'\]: '{name}' says {said:g} years, and the yield to decompose is of 10"
    refused(match, walk(1).rename("DGS10"), {"real": walk(0).rename(name)}, rest="rest")


@pytest.mark.parametrize(
    "name",
    [
        "DGS10",
        "DGS10_eom",
        "T10YIE",
        "ACMTP10",
        "JGB10Y",
        "ACMY120M",
        "CPI2015",
        None,
        3,
        "FF3 market",
        "part 3 model",
        "real_2_yield",
        "CPI 12m change",
        "DGS10_v2M",
        "fit v3m",
        "JGB10Y fit v2",
    ],
)
def test_the_same_maturity_and_names_that_say_none_are_taken(name):
    decompose_yield(walk(1).rename(name), {"real": walk(0)}, 10, ex_post=False, rest="rest")


def test_percent_is_refused_in_total_and_parts():
    refused(
        r"total on 2000-01-31: .* looks like percent \(first of [\d,]+\); divide by 100",
        100 * walk(1),
        {"a": walk(0)},
    )
    refused(r"parts\['a'\].* looks like percent", walk(1), {"a": 100 * walk(0)}, rest="b")
    small = pd.Series(0.02 + 0.2 * np.sin(np.arange(120)), index=MONTHS)  # a premium of a fifth of a percent
    refused(r"looks like percent: a monthly change is .* above 0.02", walk(1), {"a": small}, rest="b")


def test_two_years_of_months_in_percent_are_refused():
    """F162: yields of Japan are small enough in percent to look like fractions; their moves are not."""
    moves = np.tile([0.05, -0.04], 30)[:24]
    percent = pd.Series(np.concatenate([[0.1], 0.1 + np.cumsum(moves)]), index=MONTHS[:25])
    refused(r"looks like percent: a monthly change is 0\.0450 on average", percent, {"a": percent})
    decompose_yield(percent / 100, {"a": percent / 100}, 10, ex_post=False)
    days = pd.bdate_range("2000-01-03", periods=25)
    calm = percent.set_axis(days) / 10  # 0.0045 a day over 24 days has been seen of fractions, nearly
    decompose_yield(calm, {"a": calm}, 10, ex_post=False)


def test_the_yield_of_japan_in_percent_is_refused_on_five_years_of_months():
    table = pd.read_csv(shared("data/daily_yields_risk.csv"), index_col=0, parse_dates=True)
    months = table.loc["2016":"2020", "JGB10Y"].dropna().resample("ME").last()
    refused("looks like percent: a monthly change", months, {"a": months})


@pytest.mark.parametrize("name", ["total", "from", "to", "unclassified"])
def test_names_that_the_tables_use_are_refused(name):
    match = f"parts: a part is called '{name}', which is a word of the tables; rename it"
    refused(match, walk(0), {name: walk(0)})
    refused(match, walk(0), {"a": walk(1)}, rest=name)
    with pytest.raises(InputError, match=match):
        carve_credit(three(), pd.Series(25.0, index=MONTHS), name=name)


def test_other_dates_holes_and_mixed_dates_are_refused():
    refused(
        r"parts\['a'\] on 2009-12-31: its dates are not those of the total: 1 ",
        walk(1),
        {"a": walk(0, n=119)},
    )
    hole = walk(0)
    hole.iloc[4] = np.nan
    refused(r"parts\['a'\] on 2000-05-31: is nan;", walk(1), {"a": hole}, rest="b")
    keep = [row for row in range(120) if row != 60]
    refused("mixed frequency", walk(1).iloc[keep], {"a": walk(0).iloc[keep]}, rest="b")


def test_what_is_no_decomposition_is_refused():
    refused("expected a mapping of name to Series, got dict", walk(1), {})
    refused("expected a Series with dates, got list", [0.04], {"a": walk(0)})
    refused("two parts are called 'a'", walk(1), {"a": walk(0)}, rest="a")
    refused("maturity: is -1 years", walk(1), {"a": walk(0)}, maturity=-1)
    refused("maturity: '10' is not a number", walk(1), {"a": walk(0)}, maturity="10")
    refused("ex_post: 'no' is neither True nor False", walk(1), {"a": walk(0)}, rest="b", ex_post="no")


def test_credit_refuses_what_is_no_spread_in_basis_points():
    whole, cds = three(), pd.Series(25.0, index=MONTHS)
    with pytest.raises(InputError, match="out_of: 'premium' is no part: 'real', 'inflation', 'term premium'"):
        carve_credit(whole, cds, out_of="premium")
    with pytest.raises(InputError, match=r"the median spread is 0\.0025, which is not in basis points"):
        carve_credit(whole, cds / 1e4)
    for wide, said in (
        (cds * 1e4, "250,000 basis points is 2500%"),
        (cds * 200, "5,000 basis points is 50%"),
    ):
        with pytest.raises(InputError, match=f"cds on 2000-01-31: a spread of {said} a year; divide by"):
            carve_credit(whole, wide)
    with pytest.raises(InputError, match="decomposition: expected a YieldDecomposition, got NoneType"):
        carve_credit(None, cds)
    with pytest.raises(InputError, match="cds: 'US_CDS_5Y' says 5 years"):
        carve_credit(whole, cds.rename("US_CDS_5Y"))
    with pytest.raises(InputError, match="cds on 2000-01-31: a spread of -25"):
        carve_credit(whole, -cds)
    with pytest.raises(InputError, match="its dates are not those of the total"):
        carve_credit(whole, cds.iloc[1:])
    with pytest.raises(InputError, match="two parts are called 'real'"):
        carve_credit(whole, cds, name="real")


def test_episodes_refuse_dates_without_rows():
    whole = three()
    match = r"episodes\['x'\] on 1990-12-31: no row near it; the yields run from 2000-01-31 to 2009-12-31"
    with pytest.raises(InputError, match=match):
        episode_table(whole, {"x": ("1990", "2005")})
    with pytest.raises(InputError, match="no row near it"):
        episode_table(whole, {"x": ("2001", "2015")})
    with pytest.raises(InputError, match="2005 to 2001 does not go forward"):
        episode_table(whole, {"x": ("2005", "2001")})
    with pytest.raises(InputError, match="'2005' is no pair of dates"):
        episode_table(whole, {"x": "2005"})
    with pytest.raises(InputError, match="expected first and last date by name"):
        episode_table(whole, {})
    with pytest.raises(InputError, match="5 is no pair of dates"):
        episode_table(whole, {"x": 5})
    with pytest.raises(InputError, match="decomposition: expected a YieldDecomposition"):
        episode_table(None, {"x": ("2001", "2002")})


# --- the page ---


def test_the_page_names_what_there_is():
    page = (Path(__file__).resolve().parents[2] / "docs" / "yields.md").read_text(encoding="utf-8")
    names = set(re.findall(r"\bal\.([a-z_0-9]+)", page))
    assert len(names) > 12
    assert names <= set(al.__all__)
