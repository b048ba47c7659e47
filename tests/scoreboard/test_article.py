"""The sixteen claims: on the embedded history, on made-up panels, and on the real ones where they are."""

import json
import re
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scoreboard.conftest import PAIR, made_up

import allocator as al
from allocator.__main__ import main
from allocator.scoreboard.anchor_claims import anchor_claims
from allocator.scoreboard.folder import LAYOUT, at_month_ends
from allocator.scoreboard.panels import folder_panels
from allocator.scoreboard.portfolio_claims import EVENTS, portfolio_claims
from allocator.scoreboard.yield_claims import yield_claims

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "data"
IDS = [f"{letter}{number}" for letter in "ABCD" for number in range(1, 5)]
WORDS = {"supported", "contradicted", "undecided"}
pytestmark = pytest.mark.filterwarnings("ignore:n=:UserWarning")


@pytest.fixture(scope="module")
def embedded():
    return al.score_article(PAIR)


@pytest.fixture(scope="module")
def walks(folder):
    return al.score_article(PAIR, folder)


@pytest.fixture(scope="module")
def real():
    if not SHARED.exists():
        pytest.skip("the real panels are not beside this checkout")
    return al.score_article(PAIR, SHARED)


def parts(board):
    return {(claim.claim, part.name): part for claim in board.claims for part in claim.parts}


@pytest.mark.parametrize("board", ["embedded", "walks"])
def test_every_claim_is_answered_with_its_sample(board, request):
    found = request.getfixturevalue(board)
    assert [claim.claim for claim in found.claims] == IDS
    for claim in found.claims:
        assert claim.verdict in WORDS
        for part in claim.parts:
            assert part.reason or (part.low <= part.value <= part.high and part.n > 0), part
            assert part.reason or part.sample, part


def test_yearly_data_do_not_pretend_to_know_what_happened_since_2022(embedded):
    for claim in embedded.claims:
        if claim.claim in {"A1", "A2", "A3", "A4", "B1", "B2", "B4", "C4"}:
            assert claim.verdict == "undecided"
            assert all(part.reason for part in claim.parts), claim.claim


def test_independent_random_walks_support_nothing_about_co_movement(walks):
    """Sixteen claims at 5 %: what is judged on walks that know nothing of each other is undecided."""
    for claim in walks.claims:
        if claim.claim[0] in "AB":
            assert claim.verdict != "supported", repr(claim)


def test_a_planted_break_of_the_dollar_is_found(folder, tmp_path):
    """The dollar follows the yield until March 2025 and goes the other way from then on."""
    path = shutil.copytree(folder, tmp_path / "planted")
    rates = pd.read_csv(path / "daily_yields_risk.csv", index_col=0, parse_dates=True)
    rng = np.random.default_rng(1)
    sign = np.where(rates.index >= "2025-04-01", -1.0, 1.0)
    moves = 0.05 * sign * rates["DGS10"].diff().fillna(0.0) + rng.normal(0, 1e-4, len(rates))
    dollar = pd.read_csv(path / "daily_global_price.csv", index_col=0, parse_dates=True)
    dollar["DXY"] = 100.0 * np.exp(moves.cumsum())
    dollar.to_csv(path / "daily_global_price.csv", date_format="%Y-%m-%d")
    claim = anchor_claims(folder_panels(path))[2]
    assert claim.verdict == "supported"
    assert claim.parts[0].value == pytest.approx(-0.1, abs=0.01)  # -5 less +5 % a percentage point
    assert claim.parts[1].value == pytest.approx(0.05, abs=0.01)


def test_what_happens_after_a_sample_does_not_change_it(folder, tmp_path, walks):
    """The dollar's ten years before April 2025 end there."""
    path = shutil.copytree(folder, tmp_path / "later")
    table = pd.read_csv(path / "daily_global_price.csv", index_col=0, parse_dates=True)
    table.loc["2026-06-01":, "DXY"] *= 3.0
    table.to_csv(path / "daily_global_price.csv", date_format="%Y-%m-%d")
    other = anchor_claims(folder_panels(path))[2].parts[1]
    assert other.value == pytest.approx(parts(walks)[("A3", "was positive")].value, rel=1e-9)


@pytest.mark.parametrize(
    ("file", "claims", "missing"),
    [
        ("monthly_eom_1962.csv", anchor_claims, {"A1", "A2", "A4"}),
        ("daily_etf_tr.csv", anchor_claims, {"A4"}),
        ("daily_yields_risk.csv", anchor_claims, {"A3", "A4"}),
        ("daily_global_price.csv", anchor_claims, {"A3"}),
        ("daily_core_balanced.csv", anchor_claims, set()),
        ("monthly_term_premium.csv", yield_claims, {"B1", "B2", "B3"}),
        ("daily_long_us.csv", partial(portfolio_claims, strategies=PAIR), {"C4"}),
    ],
)
def test_a_file_that_is_not_there_leaves_its_parts_out_and_says_so(folder, tmp_path, file, claims, missing):
    path = shutil.copytree(folder, tmp_path / "part", ignore=lambda *_: {file})
    found = claims(folder_panels(path))
    assert {claim.claim for claim in found if any(part.reason for part in claim.parts)} == missing
    assert all(claim.verdict == "undecided" for claim in found if claim.claim in missing)


def test_every_file_of_the_layout_is_left_out_once():
    marks = test_a_file_that_is_not_there_leaves_its_parts_out_and_says_so.pytestmark
    assert {case[0] for mark in marks for case in mark.args[1]} == set(LAYOUT)


def test_a_file_without_a_column_is_refused(folder, tmp_path):
    path = shutil.copytree(folder, tmp_path / "part")
    made_up("monthly_term_premium.csv", np.random.default_rng(0)).drop(columns="ACMTP10").to_csv(
        path / "monthly_term_premium.csv", date_format="%Y-%m-%d"
    )
    with pytest.raises(al.InputError, match=r"monthly_term_premium.csv.*no column 'ACMTP10'"):
        folder_panels(path)


@pytest.mark.parametrize("strategies", [(), PAIR[:1], ("60/40", "risk parity")])
def test_two_strategies_are_needed(strategies):
    with pytest.raises(al.InputError, match="60/40 and risk parity are needed"):
        al.score_article(strategies)


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        (
            "daily_yields_risk.csv",
            lambda t: t / 100.0,
            r"daily_yields_risk.csv\['DGS10'\]: typically .* fractions",
        ),
        (
            "monthly_term_premium.csv",
            lambda t: t / 100.0,
            r"monthly_term_premium.csv\['ACMY10'\].* fractions",
        ),
        ("monthly_eom_1962.csv", lambda t: t * 100.0, r"monthly_eom_1962.csv\['US_EQ_ret'\].* percent"),
        ("monthly_term_premium.csv", lambda t: t.drop(t.index[-9]), "on 2025-11-30: is not the month after"),
        (
            "daily_yields_risk.csv",
            lambda t: pd.concat([t, t.tail(1)]),
            "on 2026-06-30: is not later than the row",
        ),
        (
            "daily_global_price.csv",
            lambda t: t.assign(DXY=t["DXY"].where(t.index != "2025-06-30", 0.0)),
            r"daily_global_price.csv\['DXY'\] on 2025-06-30: is 0; a level is positive",
        ),
    ],
)
def test_a_file_in_other_units_or_with_other_dates_is_refused(folder, tmp_path, file, change, message):
    path = shutil.copytree(folder, tmp_path / "changed")
    table = pd.read_csv(path / file, index_col=0, parse_dates=True)
    change(table).rename_axis("date").to_csv(path / file, date_format="%Y-%m-%d")
    with pytest.raises(al.InputError, match=message):
        folder_panels(path)


def test_a_fund_that_ends_early_is_left_out_and_named(folder, tmp_path):
    path = shutil.copytree(folder, tmp_path / "early")
    funds = pd.read_csv(path / "daily_etf_tr.csv", index_col=0, parse_dates=True)
    funds.loc["2026-05-20":, "DBC"] = np.nan
    funds.to_csv(path / "daily_etf_tr.csv", date_format="%Y-%m-%d")
    panels = folder_panels(path)
    assert "commodities" not in panels.market.assets
    assert "left out: commodities, without a level at the end of 2026-06" in panels.lines


@pytest.mark.parametrize("first", ["1990-01-31", "2015-01-31", "2023-01-31"])
def test_a_short_monthly_file_leaves_undecided_what_it_cannot_answer(folder, tmp_path, first):
    path = shutil.copytree(folder, tmp_path / "short")
    months = pd.read_csv(path / "monthly_eom_1962.csv", index_col=0, parse_dates=True)
    months.loc[first:].to_csv(path / "monthly_eom_1962.csv", date_format="%Y-%m-%d")
    panels = folder_panels(path)
    claims = anchor_claims(panels) + portfolio_claims(panels, PAIR)
    assert all(part.reason or part.n for claim in claims for part in claim.parts)
    assert bool(claims[0].parts[0].reason) == (first > "2020")


def test_parts_have_the_n_of_their_own_sample(walks, folder):
    found, dollar = parts(walks), folder_panels(folder).dollar
    before = dollar.loc["2015-04-01":"2025-03-31"]
    assert found[("A3", "was positive")].n == len(before)
    assert found[("A3", "weaker")].n == len(dollar.loc["2025-04-01":])


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(al.InputError, match="holds none of"):
        al.score_article(PAIR, tmp_path)


def test_a_month_is_complete_when_it_is():
    days = pd.DataFrame({"x": 1.0}, pd.bdate_range("2024-01-01", "2024-05-30"))
    assert at_month_ends(days).index[-1] == pd.Timestamp("2024-04-30")  # the 31st was a Friday
    days = pd.DataFrame({"x": 1.0}, pd.bdate_range("2024-01-01", "2024-08-30"))  # the last weekday of August
    assert at_month_ends(days).index[-1] == pd.Timestamp("2024-08-31")


def test_the_documented_layout_is_the_one_that_is_read():
    text = (ROOT / "docs/data_folder.md").read_text(encoding="utf-8")
    for file, columns in LAYOUT.items():
        assert f"`{file}`" in text
        for column in columns.values():
            assert f"`{column}`" in text, (file, column)


def test_the_events_are_those_of_the_rules():
    rules = (ROOT / "docs/verdicts.md").read_text(encoding="utf-8")
    section = rules[rules.index("**C4's events**") : rules.index("**D: regimes**")]
    assert tuple(re.findall(r"\d{4}-\d\d-\d\d", section)) == EVENTS


def test_the_command_writes_page_and_records(tmp_path, capsys):
    records = tmp_path / "records.json"
    assert main(["article", "--out", str(tmp_path / "out"), "--json", str(records)]) == 0
    said = capsys.readouterr().out
    assert said.count("A1 Gold no longer moves with Treasuries") == 2  # in the table, and by itself
    found = json.loads(records.read_text(encoding="utf-8"))
    assert [record["claim"] for record in found] == IDS
    page = (tmp_path / "out/article.html").read_text(encoding="utf-8")
    assert len(page) < 500_000
    assert not re.search(r'(src|href)="(?!data:|#)', page)
    assert "<script" not in page
    assert (tmp_path / "out/article.json").read_text(encoding="utf-8") == records.read_text(encoding="utf-8")


def test_the_command_refuses_in_one_line(tmp_path, capsys):
    assert main(["article", "--data", str(tmp_path / "none")]) == 2
    said = capsys.readouterr().err
    assert said.startswith("allocator: data: ")
    assert said.count("\n") == 1


# --- on the real panels ---


def test_the_real_panels_answer_every_claim(real):
    for claim in real.claims:
        assert not any(part.reason for part in claim.parts), repr(claim)


def test_the_term_premium_made_the_rise_of_spring_2025(real):
    """Adrian, Crump and Moench by the New York Fed: +21 bp = +37 premium, -15 expected."""
    assert parts(real)[("B1", "the rise")].value == pytest.approx(36.9 - 21.4 / 2, abs=0.2)


def test_bonds_and_dollar_of_the_real_panels_are_where_they_should_be(real):
    assert parts(real)[("A1", "was positive")].n == 604  # September 1971 to December 2021
    assert parts(real)[("A3", "was positive")].value > 0.01
