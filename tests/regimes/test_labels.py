"""A label is made of what was known when its period began, or says that it is not."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator.errors import InputError
from allocator.market import Market, Signal, load_us_history, simulate_market
from allocator.regimes import (
    US_ERAS,
    Regimes,
    correlation_sign,
    decades,
    eras,
    inflation_level,
    inflation_trend,
)
from allocator.regimes.labels import UNCLASSIFIED

few = settings(deadline=None, max_examples=30)
SPACINGS = {"daily": "B", "weekly": "W-FRI", "monthly": "ME", "quarterly": "QE", "yearly": "YE"}
SIGN_ROWS = {"daily": 252, "weekly": 156, "monthly": 36, "quarterly": 20, "yearly": 10}


def dates(rows: int, spacing: str = "monthly", start: str = "2000-01-01") -> pd.DatetimeIndex:
    return pd.date_range(start, periods=rows, freq=SPACINGS[spacing])


def walk(index: pd.DatetimeIndex, seed: int = 0) -> pd.DataFrame:
    steps = np.random.default_rng(seed).normal(0.001, 0.02, (len(index), 2))
    return pd.DataFrame(np.exp(steps.cumsum(axis=0)), index=index, columns=["stocks", "bonds"])


def monthly_inflation(index: pd.DatetimeIndex, seed: int = 0) -> Signal:
    """Figures of the months from four years before the first row on, known on the 15th of the next month."""
    months = pd.period_range(index[0].to_period("M") - 48, index[-1].to_period("M") - 1, freq="M")
    noise = np.random.default_rng(seed + 1).normal(0.0, 0.01, len(months))
    known = (months + 1).to_timestamp() + pd.Timedelta(days=14)
    return Signal(pd.Series(0.03 + noise, index=known), months.to_timestamp(how="end").normalize())


def market_of(index: pd.DatetimeIndex, signal: Signal | pd.Series | None = None, seed: int = 0) -> Market:
    known = monthly_inflation(index, seed) if signal is None else signal
    return Market(walk(index, seed), 0.02, {"inflation": known})


def published(values: dict[str, float]) -> pd.Series:
    return pd.Series(list(values.values()), index=pd.DatetimeIndex(list(values)), dtype=float)


KNOWN_THEN = {
    "level": lambda market: inflation_level(market),
    "trend": lambda market: inflation_trend(market),
    "sign": lambda market: correlation_sign(market),
    "decade": lambda market: decades(market.index[1:]),
}


# --- only what was known when the period began ---


@pytest.mark.parametrize("rule", KNOWN_THEN)
@few
@given(st.sampled_from(["daily", "monthly", "quarterly"]), st.integers(0, 2**16), st.data())
def test_rewriting_a_period_and_all_after_it_leaves_its_label(rule, spacing, seed, data):
    index = dates(320 if spacing == "daily" else 90, spacing)
    signal = monthly_inflation(index, seed)
    row = data.draw(st.integers(2, len(index) - 1), label="first row rewritten")
    prices = walk(index, seed)
    other_prices = prices.copy()
    other_prices.iloc[row:] = walk(index, seed + 7).iloc[row:] * 3.0
    values = signal.values.copy()
    values[values.index > index[row - 1]] = -0.5  # what was published after the period began
    before = KNOWN_THEN[rule](Market(prices, 0.02, {"inflation": signal}))
    after = KNOWN_THEN[rule](Market(other_prices, 0.02, {"inflation": Signal(values, signal.describes)}))
    assert not before.ex_post
    # The label at `row` belongs to the period that ends there and began at the row before.
    pd.testing.assert_series_equal(before.labels.iloc[:row], after.labels.iloc[:row])


@pytest.mark.parametrize("rule", ["level", "trend", "sign"])
def test_the_property_above_is_not_empty(rule):
    """The labels do change, and the next one does depend on the period that is over."""
    index = dates(400)
    labels = KNOWN_THEN[rule](market_of(index)).labels
    assert len(set(labels) - {UNCLASSIFIED}) == 2


def test_a_figure_published_on_the_day_before_the_period_counts_and_on_its_first_day_not():
    index = dates(6)
    known = {"1999-12-15": 0.01, "2000-03-31": 0.05, "2000-05-01": 0.01}
    labels = inflation_level(market_of(index, published(known))).labels
    assert labels["2000-03-31"] == "inflation under 3%"
    assert labels["2000-04-30"] == "inflation 3% or more"  # known at the close of 31 March
    assert labels["2000-05-31"] == "inflation 3% or more"  # 1 May is in the period
    assert labels["2000-06-30"] == "inflation under 3%"


def test_of_two_figures_the_newest_counts():
    known = {"2000-01-10": 0.01, "2000-01-20": 0.05}
    labels = inflation_level(market_of(dates(3), published(known))).labels
    assert set(labels) == {"inflation 3% or more"}


def test_labels_stand_on_every_period_of_the_market():
    for spacing in SPACINGS:
        market = market_of(dates(60, spacing))
        for regimes in (inflation_level(market), inflation_trend(market), correlation_sign(market)):
            assert regimes.labels.index.equals(market.index[1:])
            assert set(regimes.labels) == set(regimes.order)


# --- in hindsight ---


def test_ex_post_uses_the_figure_that_describes_the_period():
    index = dates(5)
    signal = Signal(
        published({"2000-02-15": 0.01, "2000-03-15": 0.05, "2000-04-15": 0.01, "2000-05-15": 0.05}),
        describes=pd.DatetimeIndex(["2000-01-31", "2000-02-29", "2000-03-31", "2000-04-30"]),
    )
    regimes = inflation_level(market_of(index, signal), ex_post=True)
    assert regimes.labels.tolist() == [
        "inflation 3% or more, same period",
        "inflation under 3%, same period",
        "inflation 3% or more, same period",
        UNCLASSIFIED,  # May is not described yet
    ]
    assert regimes.ex_post


def test_a_figure_published_after_the_last_row_serves_hindsight_but_not_a_cut_market():
    history = load_us_history()
    year = pd.Timestamp("2025-12-31")
    assert inflation_level(history, ex_post=True).labels[year] != UNCLASSIFIED
    past = history.until("2024-12-31")
    assert inflation_level(past, ex_post=True).labels[past.index[-1]] == UNCLASSIFIED


def test_ex_post_in_the_embedded_history():
    labels = inflation_level(load_us_history(), ex_post=True).labels
    assert labels["1980-12-31"] == "inflation 3% or more, same period"
    assert labels["2022-12-31"] == "inflation 3% or more, same period"
    assert labels["2015-12-31"] == "inflation under 3%, same period"
    known = inflation_level(load_us_history()).labels
    assert (
        known["2022-12-31"] == "inflation under 3%"
    )  # it began with the figure of 2020; 2021 came in January


# --- the threshold ---


@pytest.mark.parametrize("ex_post", [False, True])
def test_F153_a_tie_is_or_more(ex_post):
    index = dates(5)
    figures = pd.Series(0.03, index=index)
    labels = inflation_level(market_of(index, Signal(figures, index)), ex_post=ex_post).labels
    assert set(labels.str.removesuffix(", same period")) == {"inflation 3% or more"}


def test_any_threshold_is_named_in_full():
    market = market_of(dates(80))
    for threshold, text in ((0.03, "3%"), (0.0325, "3.25%"), (0.07, "7%"), (0.0, "0%"), (-0.01, "-1%")):
        regimes = inflation_level(market, threshold)
        assert set(regimes.order) <= {f"inflation under {text}", f"inflation {text} or more"}
        assert f"threshold {text}" in regimes.rule


def test_before_the_first_figure_is_unclassified_and_last_in_the_order():
    index = dates(12)
    regimes = inflation_level(market_of(index, published({"2000-04-10": 0.01, "2000-08-10": 0.09})))
    assert (regimes.labels == UNCLASSIFIED).sum() == 3  # February to April, which began on 31 March
    assert regimes.labels.iloc[3] == "inflation under 3%"
    assert regimes.order[-1] == UNCLASSIFIED


# --- the trend ---


def slow_trend(signal: pd.Series, years: float, when: pd.Timestamp) -> str:
    """The newest figure by ``when`` against the mean of those of the years before it."""
    known = signal[signal.index <= when]
    if not len(known):
        return UNCLASSIFIED
    last = known.index[-1]
    begin = last - pd.Timedelta(days=years * 365.25)
    slack = pd.Timedelta(days=15)
    window = known[(known.index >= begin - slack) & (known.index < last)]
    if known.index[0] > begin + slack or len(window) < 2:
        return UNCLASSIFIED
    return "inflation rising" if known.iloc[-1] > window.mean() else "inflation falling"


@pytest.mark.parametrize("spacing", ["daily", "monthly", "quarterly", "yearly"])
@pytest.mark.parametrize("years", [1.0, 3.0])
def test_the_trend_agrees_with_a_slow_loop(spacing, years):
    index = dates(60, spacing)
    signal = monthly_inflation(index, seed=3)
    labels = inflation_trend(market_of(index, signal), years).labels
    assert labels.tolist() == [slow_trend(signal.values, years, began) for began in index[:-1]]


def test_the_trend_by_hand():
    index = dates(7, "yearly")
    figures = published(
        {f"{year}-01-15": v for year, v in zip(range(2000, 2007), [1, 2, 3, 4, 3, 1, 2], strict=True)}
    )
    regimes = inflation_trend(market_of(index, figures / 100))
    # 2004 began with the figure of January 2003: 4 against (1 + 2 + 3)/3; 2005 with 3 against 3, a tie;
    # 2006 with 1 against (3 + 4 + 3)/3; those before lack three years.
    assert regimes.labels.iloc[:3].eq(UNCLASSIFIED).all()
    assert regimes.labels.iloc[3:].tolist() == ["inflation rising", "inflation falling", "inflation falling"]


@few
@given(st.floats(-0.1, 0.5), st.integers(1, 5))
def test_inflation_that_never_changes_is_not_rising(level, years):
    index = dates(90)
    signal = monthly_inflation(index)
    labels = inflation_trend(market_of(index, Signal(signal.values * 0 + level, signal.describes)), years)
    assert "inflation rising" not in labels.order


def test_a_window_is_never_shortened():
    """Three years before the fourth figure of yearly data; two would be another rule than the text says."""
    index = dates(30, "yearly", "1990-01-01")
    figures = pd.Series(np.linspace(0.01, 0.05, 30), index=index)
    labels = inflation_trend(market_of(index, Signal(figures, index))).labels
    assert (labels == UNCLASSIFIED).sum() == 3
    assert labels.iloc[3] == "inflation rising"


# --- eras and decades ---


def test_an_era_begins_on_its_first_day():
    days = pd.DatetimeIndex(
        ["1982-10-08", "1982-10-09", "1999-12-31", "2000-01-01", "2021-12-31", "2022-01-01"]
    )
    assert eras(days).labels.str[:4].tolist() == ["1966", "1982", "1982", "2000", "2000", "2022"]


def test_before_the_first_era_is_unclassified():
    regimes = eras(pd.DatetimeIndex(["1927-12-31", "1928-01-01"]))
    assert regimes.labels.tolist() == [UNCLASSIFIED, next(iter(US_ERAS))]
    assert regimes.order == (next(iter(US_ERAS)), UNCLASSIFIED)


def test_eras_of_ones_own():
    regimes = eras(dates(36), {"before": "1990", "after": "2001-06"})
    assert regimes.labels["2001-05-31"] == "before"
    assert regimes.labels["2001-06-30"] == "after"
    assert regimes.ex_post


def test_decades_are_counted_as_centuries_are():
    days = pd.DatetimeIndex(["1960-12-31", "1961-01-01", "1970-12-31", "1971-01-01"])
    assert decades(days).labels.tolist() == ["1951–1960", "1961–1970", "1961–1970", "1971–1980"]
    assert decades(days, first_year=0).labels.tolist() == ["1960–1969"] * 2 + ["1970–1979"] * 2
    assert not decades(days).ex_post


@given(st.integers(0, 9), st.integers(1700, 2200))
def test_a_year_is_in_its_decade(first_year, year):
    label = decades(pd.DatetimeIndex([f"{year}-06-30"]), first_year).labels.iloc[0]
    begin, end = map(int, label.split("–"))
    assert begin <= year <= end
    assert end == begin + 9
    assert begin % 10 == first_year


# --- the sign of the correlation ---


def slow_signs(market: Market, rows: int) -> list[str]:
    returns = market.returns
    names = {True: "stocks–bonds correlation was positive", False: "stocks–bonds correlation was negative"}
    labels = []
    for end in range(len(returns)):
        window = returns.iloc[max(end - rows, 0) : end].dropna()
        still = len(window) < rows or (window.max() - window.min() < 1e-14).any()
        labels.append(UNCLASSIFIED if still else names[bool(np.corrcoef(window.T)[0, 1] >= 0)])
    return labels


@pytest.mark.parametrize(("spacing", "rows"), SIGN_ROWS.items())
def test_the_sign_agrees_with_a_slow_loop(spacing, rows):
    market = market_of(dates(2 * rows + 50, spacing, "1950-01-01"), seed=2)
    regimes = correlation_sign(market)
    assert regimes.labels.tolist() == slow_signs(market, rows)
    assert (regimes.labels == UNCLASSIFIED).sum() == rows


def test_an_asset_listed_late_is_not_correlated_before():
    prices = walk(dates(120))
    prices.loc[:"2003", "bonds"] = np.nan
    market = Market(prices, 0.0)
    assert correlation_sign(market).labels.tolist() == slow_signs(market, 36)


@pytest.mark.parametrize("growth", [0.0, 0.003])
def test_F154_a_window_in_which_an_asset_stands_still_is_unclassified(growth):
    """Its variance is nothing or rounding, and so is the sign (F154)."""
    prices = walk(dates(160))
    prices.iloc[60:110, 1] = prices.iloc[60, 1] * (1.0 + growth) ** np.arange(50)
    market = Market(prices, 0.0)
    labels = correlation_sign(market).labels
    assert labels.tolist() == slow_signs(market, 36)
    assert (labels.iloc[36:] == UNCLASSIFIED).sum() == 14  # 49 still returns have 14 windows of 36


def test_an_asset_that_is_delisted_has_a_last_label():
    """The period in which its holders are paid began with a price; the next did not."""
    prices = walk(dates(80))
    prices.iloc[60:, 1] = np.nan
    market = Market(prices, 0.0, delisted={"bonds": 0.5})
    labels = correlation_sign(market).labels
    assert labels.iloc[:60].tolist() == slow_signs(market, 36)[:60]  # to the label on row 60
    assert labels.iloc[59] != UNCLASSIFIED
    assert (labels.iloc[60:] == UNCLASSIFIED).all()


def test_another_window():
    market = market_of(dates(100))
    assert correlation_sign(market, window_years=1.0).labels.tolist() == slow_signs(market, 12)


def test_the_simulated_regimes_show_in_the_sign():
    assert len(correlation_sign(simulate_market(seed=1)).order) == 3


# --- the label of the period to come ---


def next_labels(rule, market: Market, rows) -> list[str | None]:
    """What the rule says at each of these rows of the period that begins there, knowing no more."""
    return [rule(market.until(market.index[row].date())).next_label for row in rows]


@pytest.mark.parametrize("rule", ["level", "trend", "sign"])
@few
@given(st.sampled_from(["daily", "monthly", "quarterly", "yearly"]), st.integers(0, 2**16), st.data())
def test_what_was_said_of_the_next_period_is_its_label(rule, spacing, seed, data):
    index = dates(320 if spacing == "daily" else 60, spacing)
    prices = walk(index, seed)
    prices.iloc[: data.draw(st.integers(0, 30), label="listed"), 1] = np.nan
    delisted = {}
    if data.draw(st.booleans(), label="delisted"):
        prices.iloc[data.draw(st.integers(31, len(index) - 1), label="last") :, 1] = np.nan
        delisted = {"bonds": 0.4}
    market = Market(prices, 0.02, {"inflation": monthly_inflation(index, seed)}, delisted=delisted)
    rows = data.draw(st.lists(st.integers(1, len(index) - 2), min_size=5, max_size=5), label="rows")
    said = next_labels(KNOWN_THEN[rule], market, rows)
    assert said == KNOWN_THEN[rule](market).labels.iloc[rows].tolist()  # the label of row 1 stands at place 0


@pytest.mark.parametrize("rule", ["level", "trend"])
def test_every_next_label_of_the_embedded_history(rule):
    history = load_us_history()
    labels = KNOWN_THEN[rule](history).labels
    assert next_labels(KNOWN_THEN[rule], history, range(1, len(labels))) == labels.iloc[1:].tolist()
    assert len(set(labels)) == 3  # the first is unclassified


def test_every_next_sign_of_the_embedded_history():
    history = load_us_history()
    for y in ("bonds", "gold", "reits"):
        labels = correlation_sign(history, "stocks", y).labels
        said = next_labels(
            lambda past, y=y: correlation_sign(past, "stocks", y), history, range(1, len(labels))
        )
        assert said == labels.iloc[1:].tolist()


def test_a_correlation_of_nothing_but_rounding_has_one_sign_for_all():
    """Returns whose covariance is zero but for the order of the sums: the past alone must round alike."""
    rng = np.random.default_rng(0)
    quarter = rng.choice([0.01, -0.01], 18)
    ups = np.tile(np.concatenate([quarter, quarter]), 20)
    others = np.tile(np.concatenate([quarter, -quarter]), 20)
    index = dates(len(ups) + 1)
    levels = np.cumprod(np.column_stack([np.r_[0.0, ups], np.r_[0.0, others]]) + 1.0, axis=0)
    market = Market(pd.DataFrame(levels, index=index, columns=["stocks", "bonds"]), 0.0)
    labels = correlation_sign(market).labels
    assert next_labels(correlation_sign, market, range(1, len(labels))) == labels.iloc[1:].tolist()


def test_the_next_label_needs_what_is_published_on_the_last_date():
    index = dates(3)
    figures = published({"2000-01-10": 0.01, "2000-03-31": 0.05})
    assert inflation_level(market_of(index, figures)).next_label == "inflation 3% or more"
    assert inflation_level(market_of(index, figures)).labels.iloc[-1] == "inflation under 3%"


def test_before_the_first_figures_the_next_period_is_unclassified():
    market = market_of(dates(60), published({"2003-01-10": 0.01, "2003-09-10": 0.02, "2004-01-12": 0.06}))
    early, between = market.until("2002"), market.until("2003-06")
    assert inflation_level(early).next_label == inflation_trend(early, 1.0).next_label == UNCLASSIFIED
    assert inflation_level(between).next_label == "inflation under 3%"
    assert inflation_trend(between, 1.0).next_label == UNCLASSIFIED
    assert inflation_trend(market, 1.0).next_label == "inflation rising"


def test_labels_in_hindsight_and_of_the_calendar_say_nothing_of_the_next():
    market = market_of(dates(80))
    for make in (inflation_level, inflation_trend):
        assert make(market, ex_post=True).next_label is None
    assert eras(market.index).next_label is None
    assert decades(market.index).next_label is None


def test_labels_survive_a_pickle_and_are_made_once():
    regimes = inflation_level(market_of(dates(80)))
    assert regimes.labels is regimes.labels
    again = pickle.loads(pickle.dumps(correlation_sign(market_of(dates(80)))))
    pd.testing.assert_series_equal(again.labels, correlation_sign(market_of(dates(80))).labels)
    assert again.order == correlation_sign(market_of(dates(80))).order


# --- texts ---


def test_what_a_definition_says_of_itself():
    market = market_of(dates(80))
    said: list[tuple[Regimes, str, str, bool]] = [
        (inflation_level(market), "Inflation level", "threshold 3%; known when the period began", False),
        (inflation_level(market, ex_post=True), "Inflation level", "published after it", True),
        (inflation_trend(market, 2.0), "Inflation trend", "mean of the 2 years before; known", False),
        (inflation_trend(market, ex_post=True), "Inflation trend", "published after it", True),
        (correlation_sign(market), "Trailing correlation", "3-year window before the period", False),
        (eras(market.index), "Era", "hindsight", True),
        (decades(market.index), "Decade", "calendar", False),
    ]
    for regimes, name, rule, ex_post in said:
        assert (regimes.name, regimes.ex_post) == (name, ex_post)
        assert rule in regimes.rule
        assert regimes.labels.name == name


def test_labels_known_then_and_in_hindsight_have_different_names():
    market = market_of(dates(80))
    for make in (inflation_level, inflation_trend):
        assert not set(make(market).order) & (set(make(market, ex_post=True).order) - {UNCLASSIFIED})


# --- refusals ---


@pytest.mark.parametrize("make", [inflation_level, inflation_trend])
@pytest.mark.parametrize("ex_post", [False, True])
def test_a_market_without_inflation(make, ex_post):
    with pytest.raises(InputError, match=r"no 'inflation'; it has: growth"):
        make(Market(walk(dates(9)), 0.0, {"growth": published({"2000-01-01": 0.1})}), ex_post=ex_post)


@pytest.mark.parametrize("make", [inflation_level, inflation_trend])
def test_hindsight_without_knowing_what_a_figure_describes(make):
    signal = monthly_inflation(dates(9)).values
    with pytest.raises(InputError, match="describes=dates"):
        make(market_of(dates(9), signal), ex_post=True)


@pytest.mark.parametrize("threshold", [3.0, -4, np.nan, np.inf])
def test_a_threshold_in_percent(threshold):
    with pytest.raises(InputError, match=r"3 % is 0\.03"):
        inflation_level(market_of(dates(9)), threshold)


@pytest.mark.parametrize("years", [0, -1.0, np.nan, np.inf, 1e9])
def test_a_span_that_is_none(years):
    with pytest.raises(InputError, match="years"):
        inflation_trend(market_of(dates(9)), years)


@pytest.mark.parametrize("years", [0.05, 60.0])
def test_F156_a_span_that_no_figure_fills(years):
    """Two weeks of monthly figures, sixty years of four: both the span and the figures are said (F156)."""
    with pytest.raises(InputError, match=rf"no figure of 56 has {years:g} years"):
        inflation_trend(market_of(dates(9)), years)


def test_a_correlation_window_that_is_too_short_for_the_frequency():
    with pytest.raises(InputError, match="a window of 3 years has 3 yearly returns"):
        correlation_sign(market_of(dates(30, "yearly")), window_years=3.0)


def test_a_correlation_of_an_asset_that_is_not_there():
    with pytest.raises(InputError, match=r"no 'gold'; it has: stocks, bonds"):
        correlation_sign(market_of(dates(90)), "stocks", "gold")


@pytest.mark.parametrize(
    ("starts", "problem"),
    [
        ({}, "no eras"),
        ({"a": "2000", "b": "1990"}, "increase"),
        ({"a": "2000", "b": "2000-01-01"}, "increase"),
        ({"a": "soon"}, "soon"),
    ],
)
def test_eras_without_an_order(starts, problem):
    with pytest.raises(InputError, match=problem):
        eras(dates(9), starts)


@pytest.mark.parametrize("first_year", [-1, 10, 1961, "1", None])
def test_a_decade_that_does_not_begin(first_year):
    with pytest.raises(InputError, match="last digit"):
        decades(dates(9), first_year)


@pytest.mark.parametrize("make", [eras, decades])
@pytest.mark.parametrize("index", [pd.RangeIndex(3), ["2000-01-31"], pd.DatetimeIndex(["2000-01-31", None])])
def test_labels_of_what_are_no_dates(make, index):
    with pytest.raises(InputError, match="expected dates"):
        make(index)
