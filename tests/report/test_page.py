"""The page: one file that loads nothing, says everything, and does not run what a name says."""

import base64
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from allocator.market import Market, load_us_history, simulate_market
from allocator.report.charts import study_pngs
from allocator.report.comparison import compare
from allocator.report.page import study_page
from allocator.report.regime_study import study_regimes
from allocator.report.show import comparison_lines, comparison_rows
from allocator.report.show_sharpe import p_text
from allocator.tables import printable
from strategies import SixtyForty, default_study

VOID = {"meta", "img", "br"}
HOSTILE = "<script>alert('x')</script>"


class Page(HTMLParser):
    """What is on a page: tags with their attributes, text, and the cells of tables."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.cells: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data):
        self.words.append(data)
        if self.open and self.open[-1] in ("td", "th"):
            self.cells[-1] += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def text(self) -> str:
        return " ".join(self.words)


def written(comparison, stocks: str, bonds: str, folder: Path):
    study = study_regimes(comparison, stocks, bonds)
    pictures = study_pngs(comparison, study)
    (folder / "index.html").write_text(study_page(comparison, study, pictures), encoding="utf-8")
    return comparison, study, pictures, folder / "index.html"


@pytest.fixture(scope="module")
def yearly(tmp_path_factory):
    comparison = compare(default_study(), load_us_history())
    return written(comparison, "stocks", "bonds", tmp_path_factory.mktemp("yearly"))


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    comparison = compare(default_study(), simulate_market(seed=7, years=8))
    return written(comparison, "stocks", "bonds", tmp_path_factory.mktemp("simulated"))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    rng = np.random.default_rng(3)
    dates = pd.bdate_range("2015-01-01", periods=700)
    names = [HOSTILE, '"><img src=http://evil.example/x onerror=alert(1)>', "é & $x$"]
    prices = pd.DataFrame(np.exp(rng.normal(0.0, 0.01, (700, 3)).cumsum(axis=0)), dates, names)
    market = Market(
        prices,
        0.02,
        name=f"{HOSTILE} market \ud800",
        sources={HOSTILE: "</dd><iframe src=https://evil.example>"},
    )
    strategies = [
        SixtyForty(names[0], names[1], name=f"{HOSTILE}"),
        SixtyForty(names[1], names[2], name=names[1]),
    ]
    return written(compare(strategies, market), names[0], names[1], tmp_path_factory.mktemp("hostile"))


@pytest.fixture(params=["yearly", "simulated", "hostile"])
def any_study(request):
    return request.getfixturevalue(request.param)


def page_of(study) -> Page:
    return Page(study[3].read_text(encoding="utf-8"))


def test_every_tag_is_closed(any_study):
    assert page_of(any_study).open == []


def test_nothing_is_loaded_from_elsewhere_and_nothing_runs(any_study):
    page = page_of(any_study)
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "link", "iframe", "object", "embed", "form", "base", "svg", "a"}
    for tag, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on")], tag
        for name in ("src", "href", "srcset", "data", "action", "style"):
            value = attributes.get(name)
            assert value is None or value.startswith("data:image/png;base64,")
    style = re.search(r"<style>(.*?)</style>", any_study[3].read_text(encoding="utf-8"), re.DOTALL)
    assert style is not None
    assert not re.search(r"url\(|@import|http", style[1])


def test_the_policy_forbids_what_the_page_does_not_need(yearly):
    policies = [m["content"] for m in page_of(yearly).named("meta") if m.get("http-equiv")]
    assert len(policies) == 1
    rules = dict(rule.strip().split(" ", 1) for rule in policies[0].split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data:"
    assert "script-src" not in rules


def test_the_page_has_a_language_a_viewport_and_a_print_style(yearly):
    page = page_of(yearly)
    assert page.named("html") == [{"lang": "en"}]
    assert any(m.get("name") == "viewport" for m in page.named("meta"))
    assert "@media print" in yearly[3].read_text(encoding="utf-8")


def test_the_pictures_are_in_the_page_with_words_for_who_cannot_see_them(any_study):
    page = page_of(any_study)
    images = page.named("img")
    inside = [base64.b64decode(image["src"].split(",", 1)[1]) for image in images]
    assert inside == list(any_study[2].values())
    assert all(len(image["alt"] or "") > 30 for image in images)
    assert len(page.named("figcaption")) == 4


def test_every_number_of_the_comparison_is_on_the_page(any_study):
    comparison, cells = any_study[0], page_of(any_study).cells
    _, rows = comparison_rows(comparison)
    assert "p family" in [row[0] for row in rows]
    for row in rows:
        assert row[0] in cells
        for cell in row[1:]:
            assert cell in cells


def test_every_regime_is_on_the_page_with_its_numbers_and_its_test(simulated):
    _, study, _, _ = simulated
    page = page_of(simulated)
    for table in (*study.correlation, *study.month_end_correlation):
        known = "ex post" if table.regimes.ex_post else "known at the time"
        assert f"{table.regimes.name}, {known}" in page.text
        assert table.regimes.rule in page.text
        for regime, row in table.table.iterrows():
            assert regime in page.cells
            assert f"{row['n']:,}" in page.cells
            if np.isfinite(row["correlation"]):
                assert f"{row['correlation']:+.2f}" in page.cells
                assert f"{row['low']:+.2f} to {row['high']:+.2f}" in page.cells
        p = f"{table.p_equal:.3f}" if table.p_equal >= 0.0005 else "< 0.001"
        assert p in page.text
    for result in study.differences:
        assert f"{result.n_tests} tests" in page.text
        for _, row in result.table.iterrows():
            interval, p = f"{row['low']:+.2f} to {row['high']:+.2f}", f"p {p_text(row['p_family'])}"
            assert f"{row['difference']:+.2f}\n{interval}\n{p}" in page.cells
    for found in study.overall:
        assert f"{found.correlation:+.2f}" in page.cells
        assert f"{found.low:+.2f} to {found.high:+.2f}" in page.cells
    for table in study.performance:
        for _, row in table.table.iterrows():
            if np.isfinite(row["sharpe"]):
                interval = f"{row['low']:+.2f} to {row['high']:+.2f}"
                assert f"{row['sharpe']:+.2f}\n{interval}\n{row['max_drawdown']:.1%}" in page.cells


def test_a_regime_with_too_few_periods_says_so(yearly):
    assert "too few" in page_of(yearly).cells


def test_what_was_left_out_and_the_conventions_and_the_sources_are_said(yearly, hostile):
    for study in (yearly, hostile):
        comparison, regimes, _, _ = study
        text = page_of(study).text
        for line in (*comparison_lines(comparison), *comparison.market.notes, *regimes.left_out):
            assert printable(line) in text
    assert hostile[1].left_out
    for name, source in yearly[0].market.sources.items():
        assert name in page_of(yearly).text
        assert source in page_of(yearly).text


def test_simulated_data_are_said_to_be_simulated_in_title_and_banner(simulated, yearly):
    page = page_of(simulated)
    assert {"class": "banner"} in page.named("p")
    assert "<title>SIMULATED: " in simulated[3].read_text(encoding="utf-8")
    assert {"class": "banner"} not in page_of(yearly).named("p")
    assert "SIMULATED" not in page_of(yearly).text


def test_hostile_names_are_text(hostile):
    page = page_of(hostile)
    assert HOSTILE in page.cells
    assert f"{HOSTILE} market" in page.text
    assert "</dd><iframe src=https://evil.example>" in page.text
    assert "<script" not in hostile[3].read_text(encoding="utf-8")


def test_tables_scroll_in_their_own_box(yearly):
    text = yearly[3].read_text(encoding="utf-8")
    assert text.count("<table>") == text.count('<div class="box" tabindex="0"><table>')
    assert ".box{overflow-x:auto" in text


def test_the_page_is_small_and_the_same_again(any_study, tmp_path):
    comparison, study, pictures, path = any_study
    assert path.stat().st_size < 500_000
    assert study_page(comparison, study, pictures) == path.read_text(encoding="utf-8")
