"""The folder that `download` assembles: what `article` reads, on made-up series in the sources' shapes."""

import csv
import functools
import io
import os
import shutil

import numpy as np
import pandas as pd
import pytest
from local_source import Answer, fake_yfinance, local_source, quick, yahoo_frame

import allocator as al
from allocator import __main__ as command_line
from allocator.market import cache
from allocator.scoreboard import download
from allocator.scoreboard.folder import LAYOUT, read_panel
from allocator.scoreboard.panels import folder_panels

DAYS = pd.bdate_range("2003-01-02", "2012-03-15")
FRED = {**download._CURVE, "DFII10": 120, "DTB3": 3}
TICKERS = {
    **dict.fromkeys(["^SP500TR", "SPY", "IEF", "DX-Y.NYB", "^HSI", "CNY=X", "HG=F"], "2003-01-02"),
    "GLD": "2004-11-18",
    "EFA": "2003-01-02",
    "EEM": "2003-04-14",
    "DBC": "2006-02-06",
    "VNQ": "2004-09-29",
    "SLV": "2006-04-28",
    "000300.SS": "2005-01-04",
}


def walk(seed, scale):
    return np.cumsum(np.random.default_rng(seed).normal(0.0, scale, len(DAYS)))


@functools.cache
def fred_csv(name):
    """Return a yield in percent, with holidays blank."""
    level = (
        3.0
        + 0.02 * FRED[name] ** 0.8
        + walk(1, 0.02)
        + walk(2, 0.01) * FRED[name] / 120
        + walk(len(name), 0.003)
    )
    level = np.maximum(level - 2.0 * (name == "DFII10"), 0.05)
    cells = [
        "" if (day.month, day.day) == (7, 4) else f"{value:.2f}"
        for day, value in zip(DAYS, level, strict=True)
    ]
    rows = "".join(f"{day:%Y-%m-%d},{cell}\n" for day, cell in zip(DAYS, cells, strict=True))
    return f"observation_date,{name}\n{rows}".encode()


def histories():
    return dict(all_histories())


@functools.cache
def all_histories():
    found = {}
    for seed, (ticker, listed) in enumerate(TICKERS.items(), start=10):
        prices = pd.Series(50.0 * np.exp(walk(seed, 0.01)), DAYS)
        found[ticker] = yahoo_frame(prices[listed:])
    every_day = pd.date_range("2010-07-19", DAYS[-1])
    found["BTC-USD"] = yahoo_frame(pd.Series(np.arange(1.0, len(every_day) + 1), every_day), "UTC")
    return found


@pytest.fixture(scope="module")
def source():
    with local_source() as running:
        yield running


@pytest.fixture(autouse=True)
def answers(source, monkeypatch):
    monkeypatch.delenv("ALLOCATOR_OFFLINE", raising=False)
    source.asked.clear()
    source.answers.clear()
    for name in FRED:
        source.give(name, fred_csv(name))


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """Return a folder of which everything could be had, and its cache."""
    base = tmp_path_factory.mktemp("full")
    with local_source() as source:
        for name in FRED:
            source.give(name, fred_csv(name))
        options = quick(source, base / "cache", yahoo=fake_yfinance(histories()))
        return al.download_folder(base / "data", downloads=options), base / "cache", source.url


def unwrapped(text):
    return text.replace("\n  ", " ")


def records(folder):
    with (folder / "sources.csv").open(encoding="utf-8", newline="") as file:
        return {row["file"]: row for row in csv.DictReader(file)}


# --- all can be had ---


def test_every_file_of_the_layout_has_a_recipe():
    assert set(download._RECIPES) == set(LAYOUT)


def test_the_folder_is_what_the_scoreboard_reads(full):
    folder = full[0]
    assert folder.is_complete
    panels = folder_panels(folder.path)
    assert panels.market.frequency.name == "monthly"
    assert panels.market.index[-1] == pd.Timestamp("2012-02-29")  # March is not over
    assert set(panels.market.assets) == {
        *("stocks", "bonds", "gold", "developed", "emerging", "commodities", "reits", "silver"),
        *("hong kong", "china", "copper", "bitcoin"),
    }
    for name in ("nominal", "real", "dollar", "daily", "long_daily"):
        assert getattr(panels, name).notna().to_numpy().sum() > 90, name
    assert len(panels.premium) == len(panels.market.index)
    assert panels.nominal.median() < 0.2  # percent in the file, fractions in the panels


def test_columns_hold_what_they_should(full):
    folder, _, _ = full
    yields = read_panel(folder.path, "daily_yields_risk.csv")
    assert pd.Timestamp("2005-07-04") not in yields.index  # nothing was known on the holiday
    long = read_panel(folder.path, "daily_long_us.csv")
    expected = al.constant_maturity_returns(yields["nominal"].dropna(), 10)
    np.testing.assert_allclose(long["bonds"].to_numpy(), expected.to_numpy(), rtol=0, atol=1e-15)
    monthly = read_panel(folder.path, "monthly_eom_1962.csv")
    whole = (1.0 + long["bonds"]).prod()
    through = (1.0 + long["bonds"]["2012-03":]).prod() * (1.0 + monthly["bonds"].iloc[1:]).prod()
    first = (1.0 + long["bonds"][:"2003-01-31"]).prod()
    assert whole == pytest.approx(through * first, rel=1e-12)  # months are made of all of their days
    assert monthly.index[0] == pd.Timestamp("2003-01-31")
    assert monthly["gold"].first_valid_index() == pd.Timestamp("2004-12-31")
    premium = read_panel(folder.path, "monthly_term_premium.csv")
    parts = premium["premium"] + premium["expected"]
    np.testing.assert_allclose(parts.to_numpy(), premium["yield"].to_numpy(), atol=1e-9)
    assert (read_panel(folder.path, "daily_global_price.csv").index.day_of_week < 5).all()
    assert not read_panel(folder.path, "daily_core_balanced.csv").isna().any().any()


def test_a_bill_earns_its_discount():
    """A bill bought at 5 % bank discount costs 98.7361 and pays 100 after 91 days (Stigum 2007, ch. 4)."""
    rates = pd.Series([0.05] * 3, pd.DatetimeIndex(["2024-01-01", "2024-04-01", "2024-04-02"]))
    earned = download._bill_returns(rates)
    assert earned.iloc[0] == pytest.approx(100.0 / (100.0 - 5.0 * 91 / 360) - 1.0, rel=1e-12)
    assert (1.0 + earned.iloc[1]) ** 91 == pytest.approx(1.0 + earned.iloc[0], rel=1e-12)


def test_a_return_uses_no_later_rate():
    rates = pd.Series([0.05, 0.05, 0.01], pd.bdate_range("2024-01-01", periods=3))
    later = rates.copy()
    later.iloc[2] = 0.09
    pd.testing.assert_series_equal(download._bill_returns(rates), download._bill_returns(later))


def test_a_series_that_ends_within_a_month_ends_the_monthly_file_before_it():
    days = pd.bdate_range("2020-01-01", "2020-06-30")
    whole = pd.Series(np.linspace(1.0, 2.0, len(days)), days)
    raw = {"^SP500TR": whole, "GLD": whole, "DGS10": whole, "DTB3": whole[:"2020-05-11"]}
    found = download._monthly(raw)
    assert found.index[-1] == pd.Timestamp("2020-04-30")
    assert not found.iloc[1:].isna().any().any()


def test_the_list_of_sources_says_what_each_file_is(full):
    folder, _, _ = full
    found = records(folder.path)
    assert list(found) == list(LAYOUT)
    for each in folder.files:
        row = found[each.name]
        content = (folder.path / each.name).read_bytes()
        assert row["sha256"] == each.sha256 == download.hashlib.sha256(content).hexdigest()
        assert (row["status"], row["missing"]) == ("written", "")
        assert int(row["rows"]) == len(content.splitlines()) - 1
        assert content.splitlines()[1].startswith(row["first"].encode())
        assert content.splitlines()[-1].startswith(row["last"].encode())
    assert "own estimate" in found["monthly_term_premium.csv"]["made_of"]
    assert "not the New York Fed's file" in unwrapped(repr(folder))
    assert "<script" not in folder._repr_html_()


def test_again_offline_gives_the_same_bytes(full, tmp_path):
    folder, kept, url = full
    options = al.Downloads(kept, offline=True, fred_url=url)
    again = al.download_folder(tmp_path / "data", downloads=options)
    assert [each.sha256 for each in again.files] == [each.sha256 for each in folder.files]


# --- not all can be had ---


def test_what_is_missing_is_said_and_the_rest_is_written(source, tmp_path):
    source.give("DFII10", Answer(b"<title>gone</title>", 404))
    given = histories()
    del given["000300.SS"], given["IEF"]
    options = quick(source, tmp_path / "cache", yahoo=fake_yfinance(given))
    folder = al.download_folder(tmp_path / "data", downloads=options)
    assert not folder.is_complete
    status = {each.name: each.status for each in folder.files}
    assert {name for name, each in status.items() if each == "missing"} == {
        *("daily_yields_risk.csv", "daily_core_balanced.csv")
    }
    assert not (tmp_path / "data" / "daily_core_balanced.csv").exists()
    text = unwrapped(repr(folder))
    assert "daily_yields_risk.csv, missing: FRED DFII10: answered 404" in text
    assert "daily_core_balanced.csv, missing: Yahoo IEF: answers with no prices" in text
    assert "daily_global_price.csv, a column is blank: Yahoo 000300.SS: answers with no prices" in text
    panels = folder_panels(tmp_path / "data")
    assert "china" not in panels.market.assets
    assert "copper" in panels.market.assets


def test_without_yfinance_there_are_yields(source, tmp_path, monkeypatch):
    def without():
        raise al.InputError("tickers", "reading from Yahoo needs yfinance", fix="pip install …")

    monkeypatch.setattr("allocator.market.yahoo._yfinance", without)
    folder = al.download_folder(tmp_path / "data", downloads=quick(source, tmp_path / "cache"))
    written = {each.name for each in folder.files if each.status == "written"}
    assert written == {"daily_yields_risk.csv", "daily_long_us.csv", "monthly_term_premium.csv"}
    assert "needs yfinance; pip install" in unwrapped(repr(folder))
    assert "not tried, as nothing else came from Yahoo" in unwrapped(repr(folder))


def test_nothing_at_all_is_one_refusal_and_asks_little(source, tmp_path):
    for name in FRED:
        source.give(name, Answer(b"", 403))
    options = quick(source, tmp_path / "cache", yahoo=fake_yfinance({}))
    with pytest.raises(al.DownloadError, match="no file could be made: FRED DGS3MO: answered 403"):
        al.download_folder(tmp_path / "data", downloads=options)
    assert len(source.asked) == 2
    assert not (tmp_path / "data").exists()


def test_too_short_a_curve_is_said(source, tmp_path):
    for name in FRED:
        source.give(name, b"\n".join(fred_csv(name).splitlines()[:300]))
    options = quick(source, tmp_path / "cache", yahoo=fake_yfinance(histories()))
    folder = al.download_folder(tmp_path / "data", downloads=options)
    assert {each.name: each.status for each in folder.files}["monthly_term_premium.csv"] == "missing"
    assert "monthly_term_premium.csv, missing: zeros" in unwrapped(repr(folder))


def test_a_term_premium_that_does_not_fit_the_curve_is_no_file(monkeypatch):
    raw = {
        name: pd.read_csv(io.BytesIO(fred_csv(name)), index_col=0, parse_dates=True)[name] for name in FRED
    }
    assert len(download._term_premium(raw)) == 110
    monkeypatch.setattr(download, "_LARGEST_ERROR", 1e-9)
    with pytest.raises(
        al.DownloadError, match=r"term premium: the model misses the ten-year yield by \d+ bp"
    ):
        download._term_premium(raw)


# --- what is there is safe ---


def test_files_from_elsewhere_are_not_replaced(source, tmp_path):
    mine = tmp_path / "daily_long_us.csv"
    mine.write_text("my own work")
    with pytest.raises(
        al.InputError, match=r"daily_long_us\.csv' is there and was not written by a download"
    ):
        al.download_folder(tmp_path, downloads=quick(source, tmp_path / "cache"))
    assert mine.read_text() == "my own work"
    assert not source.asked


def test_an_earlier_download_is_replaced_and_what_fails_now_is_kept(source, tmp_path):
    options = quick(source, tmp_path / "cache", yahoo=fake_yfinance(histories()), max_age_days=0)
    al.download_folder(tmp_path / "data", downloads=options)
    before = (tmp_path / "data" / "daily_yields_risk.csv").read_bytes()
    source.give("DFII10", Answer(b"", 404))
    folder = al.download_folder(tmp_path / "data", downloads=options)
    assert {each.name: each.status for each in folder.files}["daily_yields_risk.csv"] == "kept"
    assert (tmp_path / "data" / "daily_yields_risk.csv").read_bytes() == before
    assert "daily_yields_risk.csv" in download._earlier(tmp_path / "data")  # a kept file is still ours


def test_a_file_where_the_folder_should_be(source, tmp_path):
    (tmp_path / "data").write_text("")
    with pytest.raises(al.InputError, match=r"out: .*data' is no folder"):
        al.download_folder(tmp_path / "data", downloads=quick(source, tmp_path / "cache"))


@pytest.mark.parametrize("at", [1, 2, 8])
def test_interrupted_at_any_file_leaves_whole_ones_and_can_go_on(full, tmp_path, monkeypatch, at):
    done, kept, url = full
    options = al.Downloads(kept, offline=True, fred_url=url)
    out = tmp_path / "data"
    shutil.copytree(done.path, out)
    whole = {each.name: (out / each.name).read_bytes() for each in done.files}
    calls = []

    def stop(handle):
        calls.append(handle)
        if len(calls) == at:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", stop)
        with pytest.raises(KeyboardInterrupt):
            al.download_folder(out, downloads=options)
    assert {name: (out / name).read_bytes() for name in whole} == whole
    assert not list(out.glob(".*"))
    assert download._earlier(out) == {*LAYOUT, "sources.csv"}  # and may be replaced by the next download


# --- the command ---


def run(capsys, *arguments):
    code = command_line.main(["download", *map(str, arguments)])
    return code, *capsys.readouterr()


def test_the_command_writes_the_folder_and_says_what_is_next(full, tmp_path, capsys):
    _, kept, url = full
    code, out, error = run(capsys, "--out", tmp_path / "d", "--cache", kept, "--offline", "--fred-url", url)
    assert (code, error) == (0, "")
    assert f"next: python -m allocator article --data {tmp_path / 'd'}" in out
    assert "2012-02-29" in out


def test_the_command_says_no_where_something_is_missing(source, tmp_path, capsys, monkeypatch):
    given = histories()
    del given["CNY=X"]
    monkeypatch.setitem(__import__("sys").modules, "yfinance", fake_yfinance(given))
    code, out, _ = run(capsys, "--out", tmp_path / "d", "--cache", tmp_path / "c", "--fred-url", source.url)
    assert code == 1
    assert "a column is blank: Yahoo CNY=X" in unwrapped(out)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--fred-url", "http://example.org/x"], "fred_url: 'http://example.org/x' is no https address"),
        (["--max-age", "-1"], "max_age_days: -1.0"),
        (["--offline"], "download: no file could be made: FRED DGS3MO: offline, and not in the cache"),
    ],
)
def test_refusals_of_the_command_are_one_line(tmp_path, capsys, arguments, message):
    code, out, error = run(capsys, "--out", tmp_path / "d", "--cache", tmp_path / "c", *arguments)
    assert (code, out) == (2, "")
    assert error.startswith(f"allocator: {message}")
    assert error.count("\n") == 1
    assert not (tmp_path / "d").exists()


def test_ctrl_c_is_one_line_and_leaves_nothing(source, tmp_path, capsys, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(cache.os, "replace", stop)
    code, _, error = run(capsys, "--out", tmp_path / "d", "--cache", tmp_path / "c", "--fred-url", source.url)
    assert code == 2
    assert error == "allocator: interrupted; what had come is in the cache, the files are whole\n"
    assert not (tmp_path / "d").exists()
    assert not list((tmp_path / "c").iterdir())


def test_an_unknown_option_is_one_line(capsys):
    with pytest.raises(SystemExit, match="2"):
        command_line.main(["download", "--outt", "x"])
    assert capsys.readouterr().err.count("\n") == 1
