"""A tear sheet: one page of every kind, the same again, small, and every number with its unit."""

import base64
import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import allocator as al
from allocator.report.charts_sheet import sheet_pictures
from strategies import RiskParity, SixtyForty


@pytest.fixture(scope="module")
def study():
    return al.compare([SixtyForty(), RiskParity()], al.load_us_history())


@pytest.fixture(scope="module")
def sheet(study):
    return al.tear_sheet(study)


@pytest.fixture(scope="module")
def files(sheet, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sheet")
    return {kind: sheet.write(folder / f"sheet.{kind}") for kind in ("html", "pdf", "png")}


def test_a_png_is_an_a4_page(files):
    with Image.open(files["png"]) as picture:
        assert picture.height / picture.width == pytest.approx(2**0.5, rel=0.002)
        pixels = np.asarray(picture.convert("L"))
    edge = np.concatenate([pixels[:, 0], pixels[:, -1], pixels[0], pixels[-1]])
    assert (edge == 255).all(), "nothing is cut at the edge"


def test_a_pdf_is_one_page(files):
    data = files["pdf"].read_bytes()
    assert data.startswith(b"%PDF")
    assert len(re.findall(rb"/Type /Page\b", data)) == 1
    assert b"/Type3" not in data


def test_the_page_is_small_loads_nothing_and_runs_nothing(files):
    text = files["html"].read_text(encoding="utf-8")
    assert len(text) < 500_000
    assert not re.search(r"<(script|link|iframe|object|embed)", text)
    assert not re.search(r"https?:", text)
    assert "url(" not in text
    images = re.findall(r'<img alt="([^"]+)" src="data:image/png;base64,([^"]+)">', text)
    assert len(images) == text.count("<img") == 6
    assert all(base64.b64decode(data).startswith(b"\x89PNG") for _, data in images)
    assert "@media print" in text
    assert "@page{size:A4" in text


def test_equal_inputs_give_equal_bytes_of_every_kind(study, files, tmp_path):
    again = al.tear_sheet(study)
    for kind, path in files.items():
        assert again.write(tmp_path / f"again.{kind}").read_bytes() == path.read_bytes(), kind


def test_a_path_writes_at_once_and_folders_are_made(study, tmp_path):
    path = tmp_path / "deep" / "sheet.png"
    al.tear_sheet(study.backtests[0], path)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert [each.name for each in path.parent.iterdir()] == ["sheet.png"]


def test_every_number_of_the_table_is_on_the_page(sheet, files):
    text = files["html"].read_text(encoding="utf-8")
    table = sheet.study.table
    for name, row in table.iterrows():
        for cell in (f"{row['cagr']:.1%}", f"{row['sharpe']:.2f} ± {row['sharpe_se']:.2f}"):
            assert f"<td>{cell}</td>" in text, name
    for _, row in sheet.ranges.iterrows():
        assert f"<td>{row['cagr_low']:.0%} to {row['cagr_high']:.0%}</td>" in text
        assert f"<td>{row['drawdown_low']:.0%} to {row['drawdown_high']:.0%}</td>" in text
    for line in sheet.study.conventions:
        assert line.replace("'", "&#x27;") in text


def test_the_ranges_hold_what_was_observed(sheet):
    table, ranges = sheet.study.table, sheet.ranges
    assert ((ranges["cagr_low"] < table["cagr"]) & (table["cagr"] < ranges["cagr_high"])).all()
    assert (ranges["drawdown_low"] < ranges["drawdown_high"]).all()
    run = sheet.study.backtests[0]
    found = al.bootstrap_drawdown(run.returns, n_resamples=500).table.loc["max_drawdown"]
    assert ranges.iloc[0][["drawdown_low", "drawdown_high"]].to_list() == [found["low"], found["high"]]


def test_the_range_of_growth_is_about_two_errors_of_the_mean(sheet):
    logs = np.log1p(sheet.study.backtests[0].returns.to_numpy())
    error = logs.std(ddof=1) / len(logs) ** 0.5
    row = sheet.ranges.iloc[0]
    width = np.log1p(row["cagr_high"]) - np.log1p(row["cagr_low"])
    assert width == pytest.approx(2 * 1.96 * error, rel=0.3)


def test_the_correlation_of_the_market_is_shown_or_the_sharpe_ratio(sheet, study):
    assert sheet.correlation.names == ("stocks", "bonds")
    assert any("rolling correlation of stocks and bonds: yearly, 12 rows" in line for line in sheet.notes)
    other = al.tear_sheet(study, stocks="SPY")
    assert other.correlation is None
    assert other.notes[0] == "this market has no 'SPY': name stocks= and bonds= to see their correlation"
    assert [words for words, _ in sheet_pictures(other)][3].startswith("Sharpe ratio of the last 12 years")


def test_daily_returns_are_compounded_over_months_for_the_correlation():
    market = al.simulate_market(seed=2, years=5)
    sheet = al.tear_sheet(al.run_backtest(SixtyForty(), market, start=market.index[300].date()))
    pair = [al.monthly_returns(market.returns[name]) for name in ("stocks", "bonds")]
    pd.testing.assert_frame_equal(sheet.correlation.table, al.rolling_correlation(*pair, 3).table)
    assert repr(sheet).splitlines()[1].startswith("SIMULATED data")
    assert "SIMULATED data: made-up prices" in sheet._repr_html_()


def test_a_run_of_a_few_rows_says_what_is_missing():
    market = al.load_us_history().until("1950")
    sheet = al.tear_sheet(al.run_backtest(SixtyForty(), market, start="1940"), years=15.0)
    assert sheet.years is None
    assert sheet.ranges.isna().all(axis=None)
    assert "11 returns are too few" in repr(al.tear_sheet(sheet.study, stocks="none", years=15.0))
    assert sheet.figure is not None


def test_a_ruined_run_has_a_sheet():
    dates = pd.date_range("2000-01-31", periods=40, freq="ME")
    steps = np.random.default_rng(1).normal(0.005, 0.01, (39, 2))
    steps[30, 0] = -0.7
    prices = np.vstack([[1.0, 1.0], (1.0 + steps).cumprod(axis=0)])
    market = al.Market(pd.DataFrame(prices, dates, ["stocks", "bonds"]), 0.02)
    run = al.run_backtest(al.FixedMix({"stocks": 3.0}, name="levered"), market)
    assert run.ruined_on is not None
    sheet = al.tear_sheet(run, years=1.0)
    assert "–" in repr(sheet)
    assert "ruined" in repr(sheet)
    assert len(list(sheet_pictures(sheet))) == 5


def test_a_notebook_shows_table_pictures_and_conventions(sheet):
    shown = sheet._repr_html_()
    assert "<table>" in shown
    assert shown.count("<img") == 6
    assert "no test of a difference" in shown
    assert shown.count("<div") == shown.count("</div>")


def test_names_from_outside_are_text(study):
    market = al.load_us_history()
    run = al.run_backtest(al.FixedMix({"stocks": 1.0}, name="<script>$x$"), market)
    shown = al.tear_sheet(run)._repr_html_()
    assert "<script" not in shown
    assert "&lt;script&gt;$x$" in shown


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda study, folder: al.tear_sheet("60/40"), "expected a Comparison or a Backtest, got str"),
        (lambda study, folder: al.tear_sheet(study, folder / "x.svg"), r"'x.svg' is no .html, .pdf, .png"),
        (lambda study, folder: al.tear_sheet(study, years=3.0), "3.0 years hold 3 rows, at least 12"),
    ],
)
def test_what_cannot_be_is_refused(study, tmp_path, call, message):
    with pytest.raises(al.InputError, match=message):
        call(study, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_more_strategies_than_a_page_holds_are_refused():
    many = [al.FixedMix({"stocks": 0.1 * k}, name=f"{k}") for k in range(1, 7)]
    with pytest.raises(al.InputError, match="6 strategies, one page holds 5"):
        al.tear_sheet(al.compare(many, al.load_us_history()))


def test_a_place_that_cannot_be_written_is_refused(study, sheet, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(al.InputError, match="cannot write"):
        sheet.write(tmp_path / "file" / "sheet.html")
