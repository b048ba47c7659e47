"""Names that a person chose, or a stranger: each door shows them as text, and nothing runs, loads or lies."""

import csv
import io
import json
import re
import subprocess
import sys
import unicodedata
import warnings
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import rc_context
from matplotlib.text import Text

import allocator as al
from allocator.__main__ import main
from allocator.report.latex import latex_text
from allocator.report.plain_tables import plain_csv
from allocator.report.style import plain
from allocator.research.check_command import _say
from allocator.scoreboard.page import board_page
from allocator.scoreboard.verdict import Claim, Part, Scoreboard
from allocator.tables import csv_text, html_text, printable, text_block

NAMES = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "$\\input{/etc/passwd}$",
    "\x1b[31mred\x1b[0m",
    "two\nlines\x00",
    "\u202egnp.exe",
    "=cmd()|'/c calc'!A0",
    "+1",
    "@x",
    "-2+3",
    "a\tb",
    "\\write18{id}",
    "100 %",
    "a|b & c",
    "n" * 300,
    "../../x",
    "a/b",
    "\U0001f468\u200d\U0001f469",
    "Fenerbahçe ı",
    "$x$",
    "a$b_{",
    "x;=1+1",
    "'=quoted",
    "::error file=x::y",
    "##[error]z",
    "\r=late",
    "&lt;b&gt;",
)
ATTRIBUTES = {
    "html": {"lang"},
    "meta": {"charset", "http-equiv", "content", "name"},
    "th": {"scope"},
    "img": {"alt", "src"},
    "p": {"class"},
    "div": {"class", "tabindex"},
}
OTHERS = {"head", "title", "style", "body", "h1", "h2", "h3", "table", "thead", "tbody", "tr", "td"}
OTHERS |= {"figure", "figcaption", "footer", "ul", "li", "dl", "dt", "dd", "br", "b", "small"}
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
FORMULA = tuple("=+-@\t\r\n")


class Page(HTMLParser):
    """The text of a page; any tag or attribute that the library does not write fails."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words, self.policies, self.inside = "", [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        assert tag in ATTRIBUTES or tag in OTHERS, tag
        names = [name for name, _ in attributes]
        assert set(names) <= ATTRIBUTES.get(tag, set()), (tag, names)
        found = dict(attributes)
        if tag == "img":
            assert re.fullmatch(r"data:image/png;base64,[A-Za-z0-9+/=]+", found["src"])
            self.words += f" {found['alt']} "
        if found.get("http-equiv") == "Content-Security-Policy":
            self.policies.append(found["content"])
        self.inside.append(tag)

    def handle_data(self, data):
        if self.inside and self.inside[-1] == "style":
            assert not re.search(r"url\(|@import|expression", data), data
        self.words += data

    def handle_comment(self, data):
        raise AssertionError(data)

    def handle_pi(self, data):
        raise AssertionError(data)


def assert_page(page, names, *, whole):
    """A page says each name as text, loads nothing, and forbids what it does not need."""
    read = Page(page)
    for name in names:
        assert "\n".join(map(printable, name.split("\n"))) in read.words, name
    assert read.policies == [POLICY] * whole
    assert_seen(read.words)


def assert_seen(text):
    """No character of a text does anything but be seen, but for the ends of lines."""
    for character in set(text) - {"\n", "\u200d", "\u200c"}:
        assert unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}, repr(character)


def assert_text(text, names):
    assert_seen(text)
    for name in names:
        assert printable(name) in text, name


def unmarked(cell):
    return cell[1:] if cell.startswith("'") else cell


def market_of(names, rows=60):
    steps = np.random.default_rng(0).normal(0.004, 0.03, (rows, len(names)))
    prices = pd.DataFrame(
        100 * np.exp(steps.cumsum(axis=0)), pd.date_range("2010-01-31", periods=rows, freq="ME")
    )
    prices.columns = pd.Index(names, dtype=object)
    sources = {name: f"<i>{name}" for name in names}
    return al.Market(prices, 0.02, name=NAMES[0] + NAMES[3] + NAMES[19], sources=sources)


@pytest.fixture(scope="module")
def many():
    """A market of all names, and strategies with all of them."""
    market = market_of(NAMES)
    mixes = [al.FixedMix({name: 0.6, NAMES[k - 1]: 0.4}, name=name) for k, name in enumerate(NAMES)]
    return al.compare(mixes, market)


@pytest.fixture(scope="module")
def few(many):
    """Five strategies with the worst names, and their regimes."""
    comparison = al.compare([run.strategy for run in many.backtests[:5]], many.market)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return comparison, al.study_regimes(comparison, NAMES[0], NAMES[2])


@pytest.fixture(scope="module")
def written(few, tmp_path_factory):
    return al.write_report(*few, tmp_path_factory.mktemp("report"))


# --- text and HTML ---


def test_F193_every_result_prints_names_without_control(many, few):
    comparison, study = few
    run = many.backtests[3]
    assert_text(repr(many.market), NAMES)
    assert_text(repr(many.market.sources), [])
    assert_text(repr(many), NAMES)
    assert_text(repr(study), NAMES[:5])
    assert_text(repr(run), [run.name])
    assert_text(repr(al.tear_sheet(run)), [run.name])
    assert_text(repr(comparison.sharpe_differences), NAMES[1:5])
    labels = pd.Series([NAMES[3], NAMES[4]] * 29 + [NAMES[5]], many.market.index[1:])
    assert_text(repr(al.given_labels(many.market, labels, 0)), [NAMES[5]])
    x = many.market.returns
    assert_text(repr(al.least_squares(x[NAMES[3]], x[[NAMES[4], NAMES[5]]])), NAMES[3:6])
    assert_text(repr(al.rolling_correlation(x[NAMES[3]], x[NAMES[4]], 2.0)), NAMES[3:5])


def test_F190_names_in_html_are_text(many, few):
    study = few[1]
    assert_page(many._repr_html_(), NAMES, whole=False)
    assert_page(many.market._repr_html_(), NAMES, whole=False)
    assert_page(study._repr_html_(), NAMES[:5], whole=False)
    assert_page(many.backtests[0]._repr_html_(), NAMES[:1], whole=False)


def test_F190_F193_labels_of_regimes_are_text(many):
    market, returns = many.market, many.market.returns
    labels = pd.Series(np.where(np.arange(59) % 24 < 12, NAMES[2], NAMES[3]), market.index[1:])
    regimes = al.given_labels(market, labels, 0)
    pair = returns[list(NAMES[:2])]
    by_regime = al.conditional_performance(pair, many.backtests[0].cash_returns, regimes, 12)
    together = al.conditional_correlation(pair[NAMES[0]], pair[NAMES[1]], regimes)
    for result, names in ((by_regime, NAMES[:4]), (together, NAMES[2:4])):
        assert_text(repr(result), names)
        assert_page(result._repr_html_(), names, whole=False)


def test_F190_pages_load_nothing_and_forbid_it(few, written, tmp_path):
    assert_page(written[0].read_text(encoding="utf-8"), NAMES[:5], whole=True)
    sheet = al.tear_sheet(few[0], stocks=NAMES[0], bonds=NAMES[2])
    for kind in ("html", "pdf", "png"):
        assert sheet.write(tmp_path / f"sheet.{kind}").stat().st_size > 10_000
    assert_page((tmp_path / "sheet.html").read_text(encoding="utf-8"), NAMES[:5], whole=True)


def test_F190_F193_the_articles_page_is_text(capsys):
    parts = [Part(name, name, 0.1, 0.0, 0.2, 0.5, 9, "above", 0.0, name, name, name, name) for name in NAMES]
    claim = Claim(NAMES[0], NAMES[3], tuple(parts), notes=NAMES)
    board = Scoreboard((claim,), NAMES)
    assert_page(board_page(board), NAMES, whole=True)
    assert_page(board._repr_html_(), NAMES[:2], whole=False)
    assert_text(repr(board), [])
    assert_text(repr(claim), [])


STUDY = """
title = {names[3]}
seed = 0
[data]
history = "us_history"
[[strategies]]
class = "FixedMix"
mix = {{ stocks = 1.0 }}
name = {names[0]}
[[strategies]]
class = "FixedMix"
mix = {{ stocks = 0.6, bonds = 0.4 }}
name = {names[2]}
[[strategies]]
class = "FixedMix"
mix = {{ bonds = 1.0 }}
name = {names[6]}
"""


def test_F190_F191_F193_what_reproduce_writes_of_names(tmp_path):
    """Names in a study come from a stranger as often as not."""
    quoted = [json.dumps(name) for name in NAMES]
    (tmp_path / "study.toml").write_text(STUDY.format(names=quoted), encoding="utf-8")
    found = al.reproduce(tmp_path / "study.toml", tmp_path / "out")
    assert_text(repr(found), [NAMES[0], NAMES[2], NAMES[3]])
    assert_page(found._repr_html_(), [NAMES[0], NAMES[2]], whole=False)
    files = {path.suffix: path for path in found.files if path.suffix in (".tex", ".md", ".csv")}
    texts = {kind: path.read_text(encoding="utf-8") for kind, path in files.items()}
    assert "\\input{" not in texts[".tex"]
    assert latex_text(NAMES[0]) in texts[".tex"]
    assert_seen(texts[".md"])
    cells = {cell for row in cells_of(texts[".csv"]) for cell in row}
    assert NAMES[6] in map(unmarked, cells)
    assert not any(map(is_formula, cells))


@given(st.text(max_size=60))
def test_F190_F193_any_text_is_only_text(text):
    assert_seen(printable(text))
    assert "\n" not in printable(text)
    assert text_block([text, text]).count("\n") == 1
    read = Page(f"<p>{html_text(text)}</p>")
    assert read.words == "\n".join(map(printable, text.split("\n")))
    assert read.inside == ["p"]


# --- CSV ---


def test_F191_csv_has_the_names_again_without_their_apostrophe(many):
    table = al.to_csv(many.table)
    rows = cells_of(table)
    assert tuple(unmarked(row[0]) for row in rows[1:]) == NAMES
    across = al.to_csv(many.table.T.rename_axis("statistic"))
    assert tuple(map(unmarked, cells_of(across)[0]))[1:] == NAMES
    for text in (table, across):
        for row in cells_of(text):
            assert not any(is_formula(cell) for cell in row), row


def cells_of(text):
    return list(csv.reader(io.StringIO(text, newline="")))


def is_formula(cell):
    number = re.fullmatch(r"[+-]?(\d+(\.\d*)?(e[+-]?\d+)?|inf)", cell)
    return cell.startswith(FORMULA) and not number


def test_F191_the_tables_of_a_report_have_no_formula(written):
    for path in written[5:]:
        rows = cells_of(path.read_text(encoding="utf-8"))
        assert not any(is_formula(cell) for row in rows for cell in row)
    names = {unmarked(row[0]) for row in cells_of(written[5].read_text(encoding="utf-8"))}
    assert {name.replace("\r", "\n") for name in NAMES[:5]} <= names


def test_F191_numbers_stay_numbers():
    frame = pd.DataFrame(
        {"-name": ["=a", "b"], "x": [-1.5, np.nan], "n": [-3, 4], "day": pd.to_datetime(["2020-01-01"] * 2)}
    )
    assert al.to_csv(frame) == "'-name,x,n,day\n'=a,-1.5,-3,2020-01-01\nb,,4,2020-01-01\n"


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=12), min_size=1, max_size=4))
@settings(max_examples=60)
def test_F191_any_text_comes_back_from_csv(texts):
    frame = pd.DataFrame({"name": pd.Series(texts, dtype=object), "x": -1.0})
    rows = cells_of(plain_csv(frame))
    assert [unmarked(row[0]) for row in rows[1:]] == texts
    assert [row[1] for row in rows[1:]] == ["-1.0"] * len(texts)
    assert all(not is_formula(csv_text(text)) for text in texts)


# --- LaTeX and Markdown ---

_SAID = re.compile(
    r"\\[{}$&#%_]"
    r"|\\(?:textbackslash|textless|textgreater|textbar|textasciicircum|textasciitilde|textasciigrave|ldots)\{\}"
    r"|\\texttt\{(?:U\+[0-9A-F]{4,6}|\\char34)\}"
    r"|\{(?:[][*-]|\\text[a-z]+)\}|\$[-a-zA-Z0-9\\{}^]+\$"
)


def assert_latex(text):
    rest = _SAID.sub("", text)
    assert not set(rest) & set("\\{}$&#%_^~"), rest
    assert rest.isascii() or not set(rest) & set("\x1b\u202e\n")


def test_F190_latex_sets_names_as_they_are(many):
    document = al.to_latex(many.table[["sharpe"]], title=NAMES[2], notes=NAMES)
    for name in NAMES:
        assert_latex(latex_text(name))
        assert latex_text(name) in document
    assert "\\input" not in document
    assert "\\write" not in document


@given(st.text(max_size=40))
def test_F190_any_text_is_safe_in_latex(text):
    assert_latex(latex_text(text))


def test_F190_markdown_keeps_names_in_their_cells(many):
    document = al.to_markdown(many.table[["sharpe"]], title=NAMES[0], notes=NAMES)
    assert_seen(document)
    lines = [line for line in document.splitlines() if line.startswith("|")]
    assert len(lines) == len(NAMES) + 2
    for line in lines:
        assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) == 3, line
    assert not re.search(r"(?<!\\)(?:\\\\)*<", document)


# --- pictures ---


def test_F190_no_picture_takes_a_name_for_mathematics(many, few):
    comparison, study = few
    market, run = many.market, many.backtests[0]
    x = market.returns
    worst = [x[NAMES[k]] for k in (2, 19, 20)]
    labels = pd.Series(np.where(np.arange(59) % 12 < 6, NAMES[2], NAMES[20]), market.index[1:])
    regimes = al.given_labels(market, labels, 0)
    path = al.rolling_correlation(worst[0], worst[2], 2.0)
    mix = al.FixedMix(dict.fromkeys(NAMES, 1 / len(NAMES)), name="a$b_{")
    equal = al.compare([mix], market)
    pictures = [
        al.plot_growth(comparison, regimes=regimes),
        al.plot_drawdown(comparison),
        al.plot_yearly_returns(comparison),
        al.plot_rolling_sharpe(comparison, 2.0),
        al.plot_holdings(equal.backtests[0]),
        al.plot_rolling_correlation(path, regimes=regimes),
        al.plot_regime_correlation(study),
        al.plot_sharpe_differences(comparison.sharpe_differences),
        al.plot_drawdown_distribution(al.bootstrap_drawdown(run.returns.rename("$x$"), n_resamples=50)),
    ]
    for figure in [*(ax.figure for ax in pictures), al.plot_weights(equal), al.tear_sheet(comparison).figure]:
        for text in figure.findobj(Text):
            shown, mode = text._preprocess_math(text.get_text())
            assert mode is False, text.get_text()
            assert_seen(shown)
    pictures[0].figure.draw_without_rendering()
    pictures[6].figure.draw_without_rendering()


def test_F190_a_style_that_asks_for_tex_gives_it_no_commands():
    with rc_context({"text.usetex": True}):
        for name in NAMES:
            assert_latex(plain(name, 400))
    assert plain("$x$") == r"\$x\$"


# --- commands ---


def test_F193_check_gives_no_command_to_the_service_that_runs_it(capsys):
    _say("::error::x\n  ::set-output name=a::b\na ##[error]b\n\x1b[2Jc")
    lines = capsys.readouterr().out.splitlines()
    assert not any(line.lstrip().startswith("::") or "##[" in line for line in lines)
    assert_seen("\n".join(lines))


MODULE = """
import allocator as al
NAMES = {names!r}
def made():
    market = al.load_us_history()
    mixes = [al.FixedMix({{"stocks": 1.0}}, name=name) for name in NAMES]
    return {{f"b{{k}}": al.run_backtest(mix, market, start="1990") for k, mix in enumerate(mixes)}}
"""
TESTS = """
import pytest, allocator as al
NAMES = {names!r}
@pytest.mark.parametrize("name", NAMES)
def test_mix(name, backtest_baseline):
    mix = al.FixedMix({{"stocks": 0.5}}, name=name)
    backtest_baseline.check(al.run_backtest(mix, al.load_us_history(), start="1990"), name)
"""


def test_F190_F193_what_check_prints_and_writes_of_names(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    names = NAMES[:8]
    source = MODULE.format(names=names)
    (tmp_path / "hostile_module.py").write_text(source, encoding="utf-8")
    files = [f"b{k}.json" for k in range(len(names))]
    assert main(["check", *files, "--run", "hostile_module:made", "--update"]) == 0
    sys.modules.pop("hostile_module")
    source = source.replace('"stocks": 1.0', '"bonds": 1.0')
    (tmp_path / "hostile_module.py").write_text(source, encoding="utf-8")
    capsys.readouterr()
    try:
        assert main(["check", *files, "--run", "hostile_module:made"]) == 1
    finally:
        sys.modules.pop("hostile_module", None)
    printed = capsys.readouterr()
    assert_text(printed.out + printed.err, [])
    assert printed.out.count("MOVED") == len(names)
    for name in names:
        assert repr(name) in printed.out
    assert_seen((tmp_path / "summary.md").read_text(encoding="utf-8"))


def test_F190_junits_report_is_xml_whatever_the_names(tmp_path):
    (tmp_path / "test_named.py").write_text(TESTS.format(names=NAMES[:6]), encoding="utf-8")
    words = ["-q", "-p", "no:cacheprovider", "--junitxml=j.xml", "--update-baselines-in-ci", "test_named.py"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    found = ElementTree.parse(tmp_path / "j.xml").getroot()
    assert len(found.findall(".//property")) >= 12
    assert all(path.name.startswith("test_named") for path in (tmp_path / "baselines").iterdir())
