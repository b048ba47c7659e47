"""Constant-maturity bond returns: the published case, a slow oracle, limits, real bond funds, and refusals.

Invariants held for any yields: the return is that of every payment discounted by hand; at an unchanged
yield it is the accrual alone, whatever the coupon; what happens later changes no earlier return, to the bit.
"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markets import calendars

from allocator.errors import InputError
from allocator.frequency import infer_frequency, years_between
from allocator.market.bonds import constant_maturity_returns
from allocator.market.market import Market

SHARED = Path(__file__).resolve().parents[3] / "shared"
MONTH_ENDS = pd.date_range("2020-01-31", periods=3, freq="ME")
# Years and coupons a year.
BONDS = st.sampled_from([(1, 2), (2, 1), (2, 2), (7.5, 2), (10, 1), (10, 2), (10, 4), (0.25, 12), (30, 2)])


def shared(path: str) -> Path:
    if not (SHARED / path).exists():
        pytest.skip(f"needs ../shared/{path}, which is not part of the project")
    return SHARED / path


def shared_csv(path: str) -> pd.DataFrame:
    return pd.read_csv(shared(path), index_col=0, parse_dates=True)


@st.composite
def par_yields(draw: st.DrawFn, rows: tuple[int, int] = (2, 60)) -> pd.Series:
    """Yields between -1 % and 20 % that wander as yields do, some of them flat or zero."""
    index = draw(calendars(("daily", "weekly", "monthly", "quarterly"), (max(rows[0], 12), rows[1])))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    start, step = (
        draw(st.sampled_from([0.0, 1e-9, 0.001, 0.04, 0.15])),
        draw(st.sampled_from([0.0, 1e-4, 1e-3])),
    )
    walk = start + np.cumsum(rng.normal(0.0, step, len(index)))
    return pd.Series(np.clip(walk, -0.01, 0.2), index=index)


def month(before: float, after: float) -> pd.Series:
    return pd.Series([before, after], index=MONTH_ENDS[:2])


def one_return_by_hand(before: float, after: float, maturity: float, years: float, per_year: int) -> float:
    """Sum the payments of a par bond one by one, each discounted from its own date."""
    n_coupons = round(maturity * per_year)
    value = 0.0
    for payment in range(1, n_coupons + 1):
        cash = before / per_year + (1.0 if payment == n_coupons else 0.0)
        value += cash * (1.0 + after / per_year) ** (years * per_year - payment)
    return value - 1.0


# --- the number itself ---


def test_published_case_of_a_ten_year_par_bond_over_a_month():
    rows = json.loads(shared("cases/F_cmt_par_bond_return.json").read_text())["rows"]
    assert len(rows) == 5
    for row in rows:
        found = constant_maturity_returns(month(row["y0"], row["y1"]), 10).iloc[0]
        assert found == pytest.approx(row["monthly_total_return_exact"], rel=0, abs=1e-14)
        assert found == pytest.approx(row["approx"], rel=0, abs=7e-4)


def test_worked_by_hand():
    """A 1-year bond of 4 % sold three months later at 2 %: it still pays 2 in a quarter and 102 in three."""
    quarter = pd.Series([0.04, 0.02], index=pd.to_datetime(["2020-03-31", "2020-06-30"]))
    expected = 0.02 / 1.01**0.5 + 1.02 / 1.01**1.5 - 1
    found = constant_maturity_returns(quarter, 1).iloc[0]
    assert found == pytest.approx(expected, abs=1e-15)


@settings(max_examples=60)
@given(yields=par_yields(), bond=BONDS)
def test_agrees_with_every_payment_discounted_by_hand(yields, bond):
    maturity, per_year = bond
    years = years_between(yields.index, infer_frequency(yields.index))
    if years.max() > maturity:
        return
    found = constant_maturity_returns(yields, maturity, coupons_per_year=per_year)
    pairs = zip(yields[:-1], yields[1:], years, strict=True)
    expected = [one_return_by_hand(y0, y1, maturity, dt, per_year) for y0, y1, dt in pairs]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


@settings(max_examples=40)
@given(index=calendars(("daily", "weekly", "monthly"), (12, 60)), rate=st.floats(-0.04, 0.45), bond=BONDS)
def test_at_an_unchanged_yield_it_earns_the_accrual_alone(index, rate, bond):
    maturity, per_year = bond
    years = years_between(index, infer_frequency(index))
    found = constant_maturity_returns(pd.Series(rate, index=index), maturity, coupons_per_year=per_year)
    np.testing.assert_allclose(found, (1.0 + rate / per_year) ** (per_year * years) - 1.0, rtol=0, atol=4e-15)


def test_at_zero_yield_it_earns_nothing():
    assert constant_maturity_returns(month(0.0, 0.0), 10).tolist() == [0.0]


def test_no_digit_is_lost_near_zero():
    """Between yields of 0 and 1e-9 the loss is ten years of 1e-9, to first order."""
    found = constant_maturity_returns(month(0.0, 1e-9), 10).iloc[0]
    assert found == pytest.approx(-(10 - 1 / 12) * 1e-9, rel=1e-7)


@pytest.mark.parametrize("level", [-0.005, 0.0, 0.01, 0.05, 0.15])
@pytest.mark.parametrize("maturity", [2, 10, 30])
def test_small_moves_cost_duration_and_pay_convexity(level, maturity):
    """R(dy) = R(0) - D dy + C dy^2 / 2 with both from differences of the price; Fabozzi (2007), ch. 7."""
    move = 1e-4

    def price(rate: float) -> float:
        return one_return_by_hand(level, rate, maturity, 1 / 12, 2) + 1.0

    h = 1e-3
    duration = -(price(level + h) - price(level - h)) / (2 * h)
    convexity = (price(level + h) - 2 * price(level) + price(level - h)) / h**2
    assert duration > 0
    for change in (-move, move):
        found = constant_maturity_returns(month(level, level + change), maturity).iloc[0]
        expected = price(level) - 1 - duration * change + convexity * change**2 / 2
        assert found == pytest.approx(expected, abs=2e-6)


def test_a_fall_gains_more_than_the_rise_loses():
    up = constant_maturity_returns(month(0.04, 0.05), 10).iloc[0]
    down = constant_maturity_returns(month(0.04, 0.03), 10).iloc[0]
    flat = constant_maturity_returns(month(0.04, 0.04), 10).iloc[0]
    assert down - flat > flat - up > 0


def test_longer_bonds_lose_more():
    losses = [constant_maturity_returns(month(0.04, 0.05), m).iloc[0] for m in (1, 2, 5, 10, 30, 100)]
    assert losses == sorted(losses, reverse=True)


def test_a_coupon_within_the_period_is_reinvested_at_the_new_yield():
    yearly = pd.Series([0.04, 0.10], index=pd.to_datetime(["2019-12-31", "2020-12-31"]))
    found = constant_maturity_returns(yearly, 1).iloc[0]
    assert found == pytest.approx(0.02 * 1.05 + 1.02 - 1, abs=1e-15)


def test_days_are_counted_on_the_calendar():
    """Three days over a weekend accrue three days of 4 %."""
    days = pd.to_datetime(["2020-01-02", "2020-01-03", "2020-01-06"])
    found = constant_maturity_returns(pd.Series(0.04, index=days), 10)
    np.testing.assert_allclose(found, [1.02 ** (2 * d / 365.25) - 1 for d in (1, 3)], atol=1e-16)


# --- what comes back ---


def test_is_a_named_series_from_the_second_row_on():
    found = constant_maturity_returns(pd.Series(0.03, index=MONTH_ENDS, name="DGS10"), 10)
    assert found.name == "10-year par bond"
    assert list(found.index) == list(MONTH_ENDS[1:])
    assert found.dtype == np.float64
    for maturity, name in ((10.0, "10-year par bond"), (7.5, "7.5-year par bond")):
        assert constant_maturity_returns(pd.Series(0.03, index=MONTH_ENDS), maturity).name == name


def test_the_recipe_of_the_docstring_makes_a_market():
    yields = pd.Series(0.03 + 0.001 * np.sin(np.arange(40)), index=pd.bdate_range("2020-01-01", periods=40))
    returns = constant_maturity_returns(yields, 10)
    levels = pd.concat([pd.Series(1.0, index=yields.index[:1]), (1 + returns).cumprod()])
    market = Market(levels.to_frame("UST10"), 0.02)
    assert list(market.index) == list(yields.index)
    np.testing.assert_allclose(market.returns["UST10"], returns, rtol=1e-12)


@settings(max_examples=30)
@given(yields=par_yields((12, 60)), data=st.data())
def test_the_future_changes_nothing_of_the_past(yields, data):
    cut = data.draw(st.integers(6, len(yields)))
    whole = constant_maturity_returns(yields, 10)
    assert constant_maturity_returns(yields.iloc[:cut], 10).equals(whole.iloc[: cut - 1])
    later = yields.copy()
    later.iloc[cut:] = 0.03
    assert constant_maturity_returns(later, 10).iloc[: cut - 1].equals(whole.iloc[: cut - 1])


def test_the_input_is_unchanged():
    yields = pd.Series([0.03, 0.04, 0.05], index=MONTH_ENDS, name="DGS10").rename_axis("date")
    before = yields.copy(deep=True)
    constant_maturity_returns(yields, 10)
    pd.testing.assert_series_equal(yields, before)


def test_negative_yields_of_germany_and_japan_are_fine():
    assert constant_maturity_returns(month(-0.0085, -0.0030), 10).iloc[0] < 0
    assert constant_maturity_returns(month(-0.0030, -0.0085), 10).iloc[0] > 0


def test_decimals_and_integers_are_numbers():
    exact = pd.Series([Decimal("0.04"), Decimal("0.045"), 0], index=MONTH_ENDS, dtype=object)
    found = constant_maturity_returns(exact, 10)
    assert found.equals(constant_maturity_returns(exact.astype(float), 10))


# --- real bonds ---


def correlation_with_ief(column: str, maturity: float) -> tuple[float, int]:
    yields = shared_csv("data/daily_yields_risk.csv")[column].dropna() / 100
    fund = shared_csv("data/daily_core_balanced.csv")["IEF"].pct_change().dropna()
    both = pd.concat([constant_maturity_returns(yields, maturity), fund], axis=1, join="inner")
    return both.corr().iloc[0, 1], len(both)


@pytest.mark.parametrize(("column", "maturity", "expected"), [("DGS7", 7, 0.954), ("DGS10", 10, 0.9625)])
def test_moves_daily_with_a_fund_of_seven_to_ten_year_treasuries(column, maturity, expected):
    found, n_days = correlation_with_ief(column, maturity)
    assert n_days > 4500
    assert found >= 0.95
    assert found == pytest.approx(expected, abs=0.001)


@pytest.mark.parametrize(
    ("column", "maturity", "returns", "first"),
    [
        ("DGS2", 2, "UST2_TR", "1976"),
        ("DGS5", 5, "UST5_TR", "1962"),
        ("DGS10", 10, "UST10_TR", "1962"),
        ("DGS20", 20, "UST20_TR", "1993-10"),  # none from 1987 to 1993
        ("JGB10Y", 10, "JGB10_TR_local", "1986"),
        ("BUND10Y", 10, "BUND10_TR_local", "1991"),  # a hole in 1990
    ],
)
def test_agrees_with_the_panel_of_bond_returns(column, maturity, returns, first):
    """The panel's returns are rounded to eight digits or so; the same bond, days and all."""
    yields = shared_csv("data/daily_yields_risk.csv")[column].dropna().loc[first:] / 100
    panel = shared_csv("data/daily_cm_bond_returns.csv")[returns]
    both = pd.concat([constant_maturity_returns(yields, maturity), panel], axis=1, join="inner").dropna()
    assert len(both) > 8000
    np.testing.assert_allclose(both.iloc[:, 0], both.iloc[:, 1], rtol=0, atol=2e-8)


def test_a_hole_of_four_years_is_no_period():
    """The 30-year bond was not issued from 2002 to 2006."""
    yields = shared_csv("data/daily_yields_risk.csv")["DGS30"].dropna() / 100
    error = refusal(yields, 30)
    assert error.argument == "yields.index"
    assert f"{error.date:%Y-%m-%d}" == "2006-02-09"


@pytest.mark.parametrize(("first", "last"), [("1980", "1983"), ("2020-03-12", "2022-12-20")])
@pytest.mark.parametrize(("column", "maturity"), [("DGS1", 1), ("DGS10", 10), ("JGB2Y", 2), ("JGB10Y", 10)])
def test_the_wildest_and_the_tamest_years_pass_as_fractions(column, maturity, first, last):
    yields = shared_csv("data/daily_yields_risk.csv")[column].dropna().loc[first:last] / 100
    if len(yields):
        assert np.isfinite(constant_maturity_returns(yields, maturity)).all()


def test_yields_of_japan_in_percent_are_known_by_their_moves():
    """From 2020 to 2022 every one of them lies between -0.05 and 0.5."""
    percent = shared_csv("data/daily_yields_risk.csv").loc["2020-03-12":"2022-12-20", "JGB10Y"].dropna()
    assert percent.between(-0.05, 0.4999).all()
    assert_says(
        refusal(percent), "yields", "looks like percent", "a daily change is 0.0075", date="2020-03-13"
    )


# --- refusals ---


def refusal(yields, maturity=10, **options) -> InputError:
    with pytest.raises(InputError) as caught:
        constant_maturity_returns(yields, maturity, **options)
    return caught.value


def assert_says(error: InputError, argument: str, *words: str, date: str | None = None) -> None:
    assert error.argument == argument
    assert (None if error.date is None else f"{error.date:%Y-%m-%d}") == date
    for part in (argument, *words, *([date] if date else [])):
        assert part in str(error)


@pytest.mark.parametrize("given", [None, 0.04, [0.04, 0.05], pd.DataFrame({"DGS10": [0.04]})])
def test_refuses_what_is_no_series(given):
    assert_says(refusal(given), "yields", "a Series", type(given).__name__, "yields['DGS10']")


@pytest.mark.parametrize("rows", [0, 1])
def test_refuses_too_few_rows(rows):
    assert_says(refusal(pd.Series(0.04, index=MONTH_ENDS[:rows])), "yields", f"{rows} rows", "at least 2")


def test_refuses_dates_out_of_order():
    error = refusal(pd.Series(0.04, index=MONTH_ENDS[[0, 2, 1]]))
    assert_says(error, "yields.index", "not sorted", "yields.sort_index()", date="2020-02-29")


def test_refuses_repeated_dates():
    error = refusal(pd.Series(0.04, index=MONTH_ENDS[[0, 1, 1]]))
    assert_says(error, "yields.index", "2 rows have this date", date="2020-02-29")


def test_refuses_text():
    error = refusal(pd.Series([0.04, "4%", 0.05], index=MONTH_ENDS, dtype=object))
    assert_says(error, "yields", "'4%'", date="2020-02-29")


def test_refuses_missing_yields():
    error = refusal(pd.Series([0.04, np.nan, np.nan], index=MONTH_ENDS))
    assert_says(error, "yields", "missing (first of 2)", "yields.dropna()", date="2020-02-29")


def test_refuses_infinite_yields():
    assert_says(refusal(month(0.04, np.inf)), "yields", "is inf", date="2020-02-29")


@pytest.mark.parametrize("percent", [4.5, 0.5, -0.28, -0.0501, -1.0, -100.0, -2.0])
def test_refuses_percent_and_what_no_bond_yields(percent):
    error = refusal(month(0.04, percent))
    assert_says(error, "yields", f"{percent:g} looks like percent", "yields / 100", date="2020-02-29")
    assert "first of" not in str(error)


@pytest.mark.parametrize(("index", "step"), [("B", 0.005), ("W-FRI", 0.012), ("ME", 0.03), ("QE", 0.05)])
def test_refuses_small_percent_by_how_far_it_moves(index, step):
    dates = pd.date_range("1990-01-01", periods=61, freq=index)
    zigzag = pd.Series(0.2 + step * (np.arange(61) % 2), index=dates)
    assert_says(refusal(zigzag), "yields", "looks like percent", "yields / 100", date=f"{dates[1]:%Y-%m-%d}")
    constant_maturity_returns(zigzag / 10, 10)
    constant_maturity_returns(zigzag.iloc[:60], 10)  # too few to tell


def test_a_single_jump_is_not_percent():
    assert constant_maturity_returns(month(0.02, 0.40), 10).iloc[0] < -0.5


@pytest.mark.parametrize("maturity", [0.5, 0.25 + 0.25])
def test_refuses_a_bill(maturity):
    assert_says(refusal(month(0.04, 0.04), maturity), "maturity", "one coupon", "a bill", "as cash")


@pytest.mark.parametrize("maturity", [0, -1, 100.5, np.inf, np.nan])
def test_refuses_maturities_out_of_range(maturity):
    assert_says(refusal(month(0.04, 0.04), maturity), "maturity", f"is {maturity:g} years", "at most 100")


@pytest.mark.parametrize("maturity", ["10", None, True])
def test_refuses_maturities_that_are_no_numbers(maturity):
    assert_says(refusal(month(0.04, 0.04), maturity), "maturity", "not a number of years")


@pytest.mark.parametrize("maturity", [10.25, 1.1, 0.3])
def test_refuses_part_coupon_periods(maturity):
    assert_says(refusal(month(0.04, 0.04), maturity), "maturity", "not a whole number of coupon periods")


@pytest.mark.parametrize("coupons", [0, 3, -2, True, "2", None, 1.5])
def test_refuses_odd_coupons(coupons):
    error = refusal(month(0.04, 0.04), coupons_per_year=coupons)
    assert_says(error, "coupons_per_year", repr(coupons), "1, 2, 4, 12")


def test_refuses_a_bond_shorter_than_the_period():
    quarters = pd.Series(0.04, index=pd.date_range("2020-03-31", periods=3, freq="QE"))
    error = refusal(quarters, 2 / 12, coupons_per_year=12)
    assert_says(error, "maturity", "shorter than the period of 0.25 years", date="2020-06-30")


def test_refuses_a_bond_that_would_lose_everything():
    """Only a negative coupon valued at an absurd yield can."""
    assert_says(refusal(month(-0.05, 0.49), 100), "yields", "would be -1.", date="2020-02-29")
