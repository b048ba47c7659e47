"""FRED over HTTP: the shapes of its answers, and all that a network does, on a server on this machine."""

import datetime as dt
import email.utils
import socket
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from local_source import CPI, DGS10, DGS10_BEFORE_2025, GDP, THROTTLED, Answer, local_source, quick

import allocator as al
from allocator.market import fred
from allocator.market.cache import Cache
from allocator.market.download import read_table

DATES = pd.DatetimeIndex(["2024-12-30", "2024-12-31", "2025-01-01", "2025-01-02"])


@pytest.fixture(scope="module")
def source():
    with local_source() as running:
        yield running


@pytest.fixture(autouse=True)
def clean(source, monkeypatch):
    source.answers.clear()
    source.asked.clear()
    source.headers.clear()
    for name in ("ALLOCATOR_OFFLINE", "ALLOCATOR_CACHE", "http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def downloads(source, tmp_path):
    return quick(source, tmp_path)


# --- what comes back ---


@pytest.mark.parametrize(
    "body", [DGS10, DGS10_BEFORE_2025, DGS10.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + DGS10]
)
def test_a_series_comes_as_it_is_published(source, downloads, body):
    source.give("DGS10", body)
    table = al.read_fred(["DGS10"], downloads=downloads)
    expected = pd.DataFrame({"DGS10": [4.55, 4.58, np.nan, 4.57]}, index=DATES.astype("datetime64[us]"))
    pd.testing.assert_frame_equal(table, expected, check_freq=False)
    assert table.attrs["units"] == {"DGS10": "percent a year"}
    assert "latest revised, not vintages" in table.attrs["sources"]["DGS10"]


def test_series_stand_beside_one_another_in_the_order_asked_and_are_cut(source, downloads):
    source.give("DGS10", DGS10)
    source.give("CPIAUCNS", CPI)
    table = al.read_fred(["CPIAUCNS", "DGS10"], start="2024-11", end="2024-12-30", downloads=downloads)
    assert list(table) == ["CPIAUCNS", "DGS10"]
    assert [f"{date:%Y-%m-%d}" for date in table.index] == ["2024-11-01", "2024-12-01", "2024-12-30"]
    assert table["DGS10"].isna().tolist() == [True, True, False]


def test_a_yield_as_published_is_refused_where_fractions_are_wanted(source, downloads):
    source.give("DGS10", DGS10)
    published = al.read_fred(["DGS10"], downloads=downloads)["DGS10"].dropna()
    with pytest.raises(al.InputError, match="percent"):
        al.constant_maturity_returns(published, 10)


def test_what_is_sent_says_who_asks_and_wants_nothing_packed(source, downloads):
    source.give("DGS10", DGS10)
    al.read_fred(["DGS10"], downloads=downloads)
    assert source.headers[0]["Accept-Encoding"] == "identity"
    assert source.headers[0]["User-Agent"].startswith("allocator-backtest")


@pytest.mark.parametrize(
    ("series", "message"),
    [
        ("DGS10", r"series: 'DGS10' is no list of names"),
        ([], r"is no list of names"),
        (["DGS10", "DGS10"], "'DGS10' is named twice"),
        (["../etc"], r"'\.\./etc' is no name of a series"),
        (["dgs10&id=x"], "is no name of a series"),
        (["A" * 41], "is no name of a series"),
        ([1], "1 is no name of a series"),
    ],
)
def test_names_are_checked_before_anything_is_asked(source, downloads, series, message):
    with pytest.raises(al.InputError, match=message):
        al.read_fred(series, downloads=downloads)
    assert not source.asked


def test_a_reversed_span_is_refused(source, downloads):
    source.give("DGS10", DGS10)
    with pytest.raises(al.InputError, match="2026-01-01 is after 2025-01-02"):
        al.read_fred(["DGS10"], start="2026", downloads=downloads)


# --- what a network does ---


def test_throttling_is_waited_out(source, downloads):
    source.give("DGS10", Answer(THROTTLED, 429), Answer(b"", 503), DGS10)
    assert len(al.read_fred(["DGS10"], downloads=downloads)) == 4
    assert source.asked == ["DGS10"] * 3


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_counts_instead_of_our_own_wait(source, tmp_path, form):
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=2)
    after = "1" if form == "seconds" else email.utils.format_datetime(soon, usegmt=True)
    source.give("DGS10", Answer(b"", 429, {"Retry-After": after}), DGS10)
    began = time.monotonic()
    al.read_fred(["DGS10"], downloads=quick(source, tmp_path, backoff_seconds=30.0))
    assert 0.9 < time.monotonic() - began < 5.0


def test_a_wait_beyond_patience_is_refused(source, downloads):
    source.give("DGS10", Answer(b"", 429, {"Retry-After": "3600"}))
    with pytest.raises(al.DownloadError, match=r"FRED DGS10: answered 429 .*asks to wait 3,600 seconds"):
        al.read_fred(["DGS10"], downloads=downloads)
    assert source.asked == ["DGS10"]


def test_attempts_end(source, downloads):
    source.give("DGS10", Answer(b"", 500))
    with pytest.raises(al.DownloadError, match=r"answered 500 \(Internal Server Error\) \(4 attempts\)"):
        al.read_fred(["DGS10"], downloads=downloads)
    assert len(source.asked) == 4


@pytest.mark.parametrize("status", [400, 403, 404, 410])
def test_what_will_not_pass_is_not_tried_again(source, downloads, status):
    source.give("NOSUCH", Answer(THROTTLED, status))
    with pytest.raises(al.DownloadError, match=f"FRED NOSUCH: answered {status}"):
        al.read_fred(["NOSUCH"], downloads=downloads)
    assert len(source.asked) == 1


@pytest.mark.parametrize("cut", [Answer(DGS10[:40], length=len(DGS10)), Answer(DGS10[:40], chunked=True)])
def test_a_cut_answer_is_asked_for_again_and_never_kept(source, downloads, tmp_path, cut):
    source.give("DGS10", cut, DGS10)
    assert len(al.read_fred(["DGS10"], downloads=downloads)) == 4
    source.give("DGS2", cut)
    with pytest.raises(al.DownloadError, match=r"cut short: 40 of|connection broke \(IncompleteRead"):
        al.read_fred(["DGS2"], downloads=downloads)
    assert len(list(tmp_path.iterdir())) == 1


def test_an_answer_that_drips_is_given_up(source, tmp_path):
    source.give("DGS10", Answer(DGS10 * 50, drip=0.05))
    impatient = quick(source, tmp_path, timeout_seconds=0.3, attempts=2)
    began = time.monotonic()
    with pytest.raises(al.DownloadError, match=r"was not done after 0.3 seconds \(2 attempts\)"):
        al.read_fred(["DGS10"], downloads=impatient)
    assert time.monotonic() - began < 3.0


def test_silence_is_given_up(tmp_path):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/x.csv"
        options = al.Downloads(tmp_path, fred_url=url, timeout_seconds=0.2, attempts=1)
        with pytest.raises(al.DownloadError, match=r"timed out\) \(1 attempt\)"):
            al.read_fred(["DGS10"], downloads=options)


def test_nobody_there(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/x.csv"
    options = al.Downloads(tmp_path, fred_url=url, attempts=2, backoff_seconds=0.001)
    with pytest.raises(al.DownloadError, match=r"cannot be reached \(Connection refused\) \(2 attempts\)"):
        al.read_fred(["DGS10"], downloads=options)


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "text/csv"}])
def test_a_web_page_is_refused_with_its_title(source, downloads, tmp_path, headers):
    source.give("DGS10", Answer(b"\n " + THROTTLED, 200, headers))
    with pytest.raises(al.DownloadError, match="a web page titled 'Access & Denied – too fast' instead"):
        al.read_fred(["DGS10"], downloads=downloads)
    assert not list(tmp_path.iterdir())


def test_a_title_cannot_write_to_the_terminal(source, downloads):
    source.give("DGS10", b"<title>\x1b[31m red\x07</title>")
    with pytest.raises(al.DownloadError) as caught:
        al.read_fred(["DGS10"], downloads=downloads)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("length", [None, 10**12])
def test_F174_a_large_answer_is_not_read_to_its_end(source, tmp_path, length):
    source.give("DGS10", Answer(DGS10 * 10_000, length=length))
    with pytest.raises(al.DownloadError, match="more than 1,000 bytes"):
        al.read_fred(["DGS10"], downloads=quick(source, tmp_path, most_bytes=1000))


def test_F175_nothing_is_unpacked(source, downloads):
    source.give("DGS10", Answer(b"\x1f\x8b\x08\x00", 200))
    with pytest.raises(al.DownloadError, match="binary or packed"):
        al.read_fred(["DGS10"], downloads=downloads)
    source.give("DGS10", Answer(DGS10, 200, {"Content-Encoding": "gzip"}))
    with pytest.raises(al.DownloadError, match="compressed"):
        al.read_fred(["DGS10"], downloads=downloads)


@pytest.mark.parametrize(
    "target", ["http://example.org/x", "https://example.org/x", "file:///etc/passwd", "//example.org/x"]
)
def test_a_redirect_elsewhere_is_refused(source, downloads, target):
    source.give("DGS10", Answer(b"", 302, {"Location": target}))
    with pytest.raises(al.DownloadError, match=r"another host or not https|answered 302"):
        al.read_fred(["DGS10"], downloads=downloads)
    assert source.asked == ["DGS10"]


def test_a_redirect_within_the_host_is_followed(source, downloads):
    source.give("DGS10", Answer(b"", 301, {"Location": "/graph/fredgraph.csv?id=MOVED"}))
    source.give("MOVED", DGS10)
    assert len(al.read_fred(["DGS10"], downloads=downloads)) == 4


def test_a_redirect_to_itself_ends(source, downloads):
    source.give("DGS10", Answer(b"", 302, {"Location": "/graph/fredgraph.csv?id=DGS10"}))
    with pytest.raises(al.DownloadError, match="answered 302"):
        al.read_fred(["DGS10"], downloads=downloads)
    assert len(source.asked) < 10


@pytest.mark.parametrize(
    "url",
    [
        "http://fred.stlouisfed.org/x",
        "ftp://x/y",
        "x",
        "https://",
        "https://a@b/c",
        "file:///x",
        "https://a/b?c",
        "https://a:0/",
        "https://a:x/",
        3,
    ],
)
def test_only_https_or_this_machine_may_be_asked(url):
    with pytest.raises(al.InputError, match="fred_url"):
        al.Downloads(fred_url=url)


# --- tables that are none ---


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            b"observation_date,DGS2\n2024-12-31,4\n",
            r"line 1 .*'observation_date,DGS2', expected a date and 'DGS10'",
        ),
        (b"a;b\n", "line 1"),
        (b"observation_date,DGS10\n", "a header and no rows"),
        (b"observation_date,DGS10\n31/12/2024,4\n", "line 2 .*'31/12/2024,4' is not a date and a number"),
        (b"observation_date,DGS10\n2024-12-31,4,5\n", "line 2"),
        (b"observation_date,DGS10\n2024-12-31\n", "line 2"),
        (b"observation_date,DGS10\n2024-12-31,inf\n", "line 2"),
        (b"observation_date,DGS10\n2024-12-31,1e999\n", "line 2"),
        (b"observation_date,DGS10\n2024-02-30,4\n", "line 2"),
        (b"observation_date,DGS10\n20241231,4\n", "line 2"),
        (b"observation_date,DGS10\n2024-12-31,4\n2024-12-31,4\n", "line 3 .*does not come after 2024-12-31"),
        (b"observation_date,DGS10\n2024-12-31,4\xff\n", "not UTF-8"),
        (b'observation_date,DGS10\n2024-12-31,"4\n', "broken table"),
        (b"Error: too many requests", "line 1"),
    ],
)
def test_what_is_no_table_is_refused_and_not_kept(source, downloads, tmp_path, body, message):
    source.give("DGS10", body)
    with pytest.raises(al.DownloadError, match=message):
        al.read_fred(["DGS10"], downloads=downloads)
    assert not list(tmp_path.iterdir())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=80) | st.text(max_size=40).map(lambda text: b"d,X\n2024-01-01," + text.encode()))
def test_any_bytes_are_a_table_or_refused_by_us(body):
    try:
        values = read_table("FRED X", body, ("X",))
    except al.DownloadError:
        return
    assert values.index.is_monotonic_increasing
    assert not np.isinf(values).any()


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_numbers_come_back_to_the_last_bit(values):
    dates = pd.date_range("2000-01-03", periods=len(values))
    rows = "".join(f"{date:%Y-%m-%d},{value!r}\n" for date, value in zip(dates, values, strict=True))
    assert read_table("FRED X", b"d,X\n" + rows.encode(), ("X",)).tolist() == values


# --- the cache ---


def test_a_young_copy_is_used_and_an_old_one_replaced_whole(source, tmp_path):
    source.give("DGS10", DGS10)
    al.read_fred(["DGS10"], downloads=quick(source, tmp_path))
    source.give("DGS10", DGS10.replace(b"4.55", b"9.99"))
    assert al.read_fred(["DGS10"], downloads=quick(source, tmp_path)).iloc[0, 0] == 4.55
    assert len(source.asked) == 1
    assert al.read_fred(["DGS10"], downloads=quick(source, tmp_path, max_age_days=0)).iloc[0, 0] == 9.99
    assert al.read_fred(["DGS10"], downloads=quick(source, tmp_path)).iloc[0, 0] == 9.99


@pytest.mark.parametrize("by", ["argument", "variable"])
def test_offline_uses_a_copy_of_any_age_and_asks_nobody(source, tmp_path, monkeypatch, by):
    source.give("DGS10", DGS10)
    al.read_fred(["DGS10"], downloads=quick(source, tmp_path))
    if by == "variable":
        monkeypatch.setenv("ALLOCATOR_OFFLINE", "1")
    options = quick(source, tmp_path, max_age_days=0, offline=True if by == "argument" else None)
    assert len(al.read_fred(["DGS10"], downloads=options)) == 4
    with pytest.raises(
        al.DownloadError, match=r"FRED DGS2: offline, and not in the cache '.*'; download it once"
    ):
        al.read_fred(["DGS10", "DGS2"], downloads=options)
    assert len(source.asked) == 1


def test_offline_false_overrules_the_variable(source, tmp_path, monkeypatch):
    monkeypatch.setenv("ALLOCATOR_OFFLINE", "1")
    source.give("DGS10", DGS10)
    assert len(al.read_fred(["DGS10"], downloads=quick(source, tmp_path, offline=False))) == 4


def test_an_odd_variable_is_refused(source, tmp_path, monkeypatch):
    monkeypatch.setenv("ALLOCATOR_OFFLINE", "yes")
    with pytest.raises(al.InputError, match="ALLOCATOR_OFFLINE: is 'yes'; set it to 1 or 0"):
        al.read_fred(["DGS10"], downloads=quick(source, tmp_path))


def test_the_variable_names_the_cache(source, tmp_path, monkeypatch):
    monkeypatch.setenv("ALLOCATOR_CACHE", str(tmp_path / "there"))
    source.give("DGS10", DGS10)
    al.read_fred(["DGS10"], downloads=quick(source, None))
    assert len(list((tmp_path / "there").glob("fred-DGS10-*.entry"))) == 1


def test_a_failed_download_names_the_old_copy_and_does_not_use_it(source, tmp_path):
    source.give("DGS10", DGS10)
    al.read_fred(["DGS10"], downloads=quick(source, tmp_path))
    source.give("DGS10", Answer(b"", 503))
    today = f"{dt.datetime.now(dt.UTC):%Y-%m-%d}"
    with pytest.raises(al.DownloadError, match=f"answered 503.*a copy of {today}, which offline=True uses"):
        al.read_fred(["DGS10"], downloads=quick(source, tmp_path, max_age_days=0))


def test_F194_a_damaged_copy_is_downloaded_again_with_a_warning(source, downloads, tmp_path):
    source.give("DGS10", DGS10)
    al.read_fred(["DGS10"], downloads=downloads)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes().replace(b"4.55", b"5.55"))
    with pytest.warns(UserWarning, match="checksum"):
        assert al.read_fred(["DGS10"], downloads=downloads).iloc[0, 0] == 4.55
    assert len(source.asked) == 2
    assert al.read_fred(["DGS10"], downloads=downloads).iloc[0, 0] == 4.55  # whole again: no warning
    path.write_bytes(path.read_bytes()[:-1])
    offline = quick(source, tmp_path, offline=True)
    with pytest.warns(UserWarning, match="checksum"), pytest.raises(al.DownloadError, match="offline"):
        al.read_fred(["DGS10"], downloads=offline)


def test_a_copy_from_the_future_is_downloaded_again(source, downloads, monkeypatch):
    source.give("DGS10", DGS10)
    real = Cache.read
    ahead = dt.timedelta(days=3)
    al.read_fred(["DGS10"], downloads=downloads)

    def later(self, key):
        entry = real(self, key)
        return type(entry)(entry.body, entry.fetched + ahead)

    monkeypatch.setattr(Cache, "read", later)
    al.read_fred(["DGS10"], downloads=downloads)
    assert len(source.asked) == 2


def test_copies_of_two_mirrors_are_apart(source, tmp_path):
    source.give("DGS10", DGS10)
    al.read_fred(["DGS10"], downloads=quick(source, tmp_path))
    with local_source() as mirror:
        mirror.give("DGS10", DGS10.replace(b"4.55", b"9.99"))
        assert al.read_fred(["DGS10"], downloads=quick(mirror, tmp_path)).iloc[0, 0] == 9.99


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cache": 3}, "cache: 3 is no path"),
        ({"offline": "yes"}, "offline: 'yes'"),
        ({"max_age_days": -1}, "max_age_days: -1"),
        ({"max_age_days": float("nan")}, "max_age_days: nan"),
        ({"timeout_seconds": 0}, "timeout_seconds: 0"),
        ({"attempts": 0}, "attempts: 0"),
        ({"attempts": 1.5}, "attempts: 1.5"),
        ({"most_bytes": True}, "most_bytes: True"),
        ({"backoff_seconds": "1"}, "backoff_seconds: '1'"),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises(al.InputError, match=message):
        al.Downloads(**options)


# --- when figures were known ---


def test_figures_are_dated_by_their_publication(source, downloads):
    source.give("CPIAUCNS", CPI)
    source.give("GDPC1", GDP)
    source.give("DGS10", DGS10)
    found = al.read_fred_signals(["CPIAUCNS", "GDPC1", "DGS10"], downloads=downloads)
    prices, output, rates = found.values()
    assert [f"{date:%Y-%m-%d}" for date in prices.describes] == ["2024-10-31", "2024-11-30", "2024-12-31"]
    assert [f"{date:%Y-%m-%d}" for date in prices.values.index] == ["2024-11-20", "2024-12-20", "2025-01-20"]
    assert [f"{date:%Y-%m-%d}" for date in output.describes] == ["2024-06-30", "2024-09-30"]
    assert [f"{date:%Y-%m-%d}" for date in output.values.index] == ["2024-07-31", "2024-10-31"]
    assert rates.values.tolist() == pytest.approx([0.0455, 0.0458, 0.0457])  # fractions; the holiday is out
    assert (rates.values.index == rates.describes).all()
    assert prices.values.iloc[0] == 315.664  # an index stays one


def test_a_market_knows_a_figure_when_it_was_published_and_not_before(source, downloads):
    source.give("CPIAUCNS", CPI)
    signals = al.read_fred_signals(["CPIAUCNS"], downloads=downloads)
    index = pd.bdate_range("2024-12-02", "2025-01-31")
    market = al.Market(pd.DataFrame({"A": np.linspace(1, 2, len(index))}, index=index), 0.04, signals)
    assert market.until("2025-01-19").signal("CPIAUCNS").values.iloc[-1] == 315.493
    assert market.until("2025-01-20").signal("CPIAUCNS").values.iloc[-1] == 315.605


def test_a_lag_that_is_not_known_is_not_guessed(source, downloads):
    with pytest.raises(al.InputError, match=r"series\['CPIAUCSX'\].*not known.*published.*'CPIAUC"):
        al.read_fred_signals(["CPIAUCSX"], downloads=downloads)
    assert not source.asked


def test_every_release_is_sound():
    for name, release in fred.FRED_RELEASES.items():
        assert set(name) <= fred._CHARACTERS
        assert release.period in {"day", "month", "quarter"}
        assert release.lag_days >= (10 if release.period != "day" and not release.is_percent else 0)


def test_the_documented_table_is_the_one_that_is_used():
    from pathlib import Path

    text = (Path(__file__).resolve().parents[2] / "docs" / "data.md").read_text(encoding="utf-8")
    rows = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("| ").split("|")]
        if len(cells) == 5 and cells[4].isdecimal():
            rows |= dict.fromkeys(cells[0].replace("`", "").split(), (cells[2], cells[3], int(cells[4])))
    assert rows == {name: (each.unit, each.period, each.lag_days) for name, each in al.FRED_RELEASES.items()}


# --- nobody is asked unasked ---


def test_no_network_at_import_nor_for_anything_but_a_download():
    code = (
        "import socket, sys\n"
        "def refuse(*args, **options): raise AssertionError('network')\n"
        "socket.socket.connect = refuse; socket.getaddrinfo = refuse\n"
        "import allocator as al\n"
        "[getattr(al, name) for name in al.__all__ if not name.startswith('plot')]\n"
        "market = al.load_us_history(); repr(market)\n"
        "al.run_backtest(al.FixedMix({'stocks': 1.0}), market)\n"
        "doors = ('urllib.request', 'yfinance', 'narwhals', 'polars')\n"
        "sys.exit(any(name in sys.modules for name in doors))\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
