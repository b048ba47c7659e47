"""Yahoo through the seam of yfinance: a stand-in that answers in its shapes, errors among them."""

import builtins

import numpy as np
import pandas as pd
import pytest
from local_source import fake_yfinance, yahoo_frame

import allocator as al

DATES = pd.bdate_range("2024-12-30", periods=4)
SPY = yahoo_frame(pd.Series([588.25, 586.08, 584.64, 591.95], DATES))


class YFRateLimitError(Exception):
    """Of yfinance, by its name."""


def options(tmp_path, histories, **more):
    library = fake_yfinance(histories)
    return library, al.Downloads(tmp_path, yahoo=library, backoff_seconds=0.001, **more)


def test_adjusted_closes_by_the_exchange_s_own_dates(tmp_path):
    hong_kong = yahoo_frame(pd.Series([1.5, 2.5], DATES[:2]), "Asia/Hong_Kong")
    library, downloads = options(tmp_path, {"SPY": SPY, "^HSI": hong_kong})
    table = al.read_yahoo(["SPY", "^HSI"], downloads=downloads)
    assert table.index.tz is None
    assert (table.index == DATES).all()
    assert table["SPY"].tolist() == [588.25, 586.08, 584.64, 591.95]
    assert table["^HSI"].tolist()[:2] == [1.5, 2.5]
    assert table["^HSI"].isna().tolist() == [False, False, True, True]
    assert library.asked[0][1] == {
        "period": "max", "interval": "1d", "auto_adjust": True, "actions": False, "timeout": 30.0
    }  # fmt: skip


def test_the_row_of_the_present_day_is_left_out(tmp_path):
    for zone in ("America/New_York", "Asia/Tokyo"):
        today = pd.Timestamp.now(tz=zone).tz_localize(None).normalize()
        closes = pd.Series([1.0, 2.0, 3.0], pd.DatetimeIndex([*DATES[:2], today]))
        _, downloads = options(tmp_path / zone[:4], {"X": yahoo_frame(closes, zone)})
        assert (al.read_yahoo(["X"], downloads=downloads).index == DATES[:2]).all()


def test_closes_come_from_the_cache_to_the_last_bit_and_without_the_library(tmp_path):
    values = np.random.default_rng(0).lognormal(size=4)
    library, downloads = options(tmp_path, {"X": yahoo_frame(pd.Series(values, DATES))})
    first = al.read_yahoo(["X"], downloads=downloads)
    again = al.read_yahoo(["X"], downloads=al.Downloads(tmp_path, offline=True))  # imports no yfinance
    pd.testing.assert_frame_equal(first, again, check_exact=True)
    assert first["X"].tolist() == values.tolist()
    assert len(library.asked) == 1


def test_too_many_requests_are_waited_out_and_end(tmp_path):
    library, downloads = options(tmp_path, {"SPY": [YFRateLimitError("Too Many Requests."), SPY]})
    assert len(al.read_yahoo(["SPY"], downloads=downloads)) == 4
    assert len(library.asked) == 2
    _, downloads = options(tmp_path, {"IEF": YFRateLimitError("Too Many Requests.")}, attempts=2)
    with pytest.raises(al.DownloadError, match=r"Yahoo IEF: YFRateLimitError: Too Many.*\(2 attempts\)"):
        al.read_yahoo(["SPY", "IEF"], downloads=downloads)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (pd.DataFrame(), "Yahoo X: answers with no prices: an unknown or delisted ticker"),
        (None, "no prices"),
        (KeyError("chart"), "Yahoo X: KeyError: 'chart'"),
        (SPY[["Open"]], r"columns \['Open'\] and no closes"),
        (SPY.reset_index(drop=True), "no closes by date"),
        (SPY.iloc[[0, 0]], "line 3 of its answer: 2024-12-30 does not come after 2024-12-30"),
        (SPY.assign(Close=np.nan), "no close before today"),
        (SPY.assign(Close=np.inf), "is not a date and a number"),
    ],
)
def test_what_is_no_history_is_refused_and_not_kept(tmp_path, answer, message):
    _, downloads = options(tmp_path, {"X": answer})
    with pytest.raises(al.DownloadError, match=message):
        al.read_yahoo(["X"], downloads=downloads)
    assert not list(tmp_path.iterdir())


def test_a_missing_close_stays_missing(tmp_path):
    gap = pd.Series([1.0, np.nan, 3.0], DATES[:3])
    _, downloads = options(tmp_path, {"X": yahoo_frame(gap)})
    assert al.read_yahoo(["X"], downloads=downloads)["X"].isna().tolist() == [False, True, False]


@pytest.mark.parametrize("tickers", ["SPY", [], ["SPY", "SPY"], ["../x"], ["a b"], [None]])
def test_tickers_are_checked_first(tmp_path, tickers):
    library, downloads = options(tmp_path, {})
    with pytest.raises(al.InputError, match="tickers"):
        al.read_yahoo(tickers, downloads=downloads)
    assert not library.asked


def test_without_the_extra_it_is_named(tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "yfinance":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(al.InputError, match=r"needs yfinance; pip install 'allocator-backtest\[data\]'"):
        al.read_yahoo(["SPY"], downloads=al.Downloads(tmp_path, offline=False))
