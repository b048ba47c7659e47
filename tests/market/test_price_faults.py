"""Bad prices, dates and cash, a test a case of docs/faults.md: what is refused, and what the message says.

Each refusal names the argument, the first asset and date at fault, and what to do, where these exist.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from allocator.errors import InputError
from allocator.frequency import infer_frequency
from allocator.market.files import read_prices
from allocator.market.market import Market

DAYS = pd.bdate_range("2020-01-01", periods=40)


def panel() -> pd.DataFrame:
    """Forty days of two assets without a fault."""
    return pd.DataFrame(
        {"SPY": np.linspace(300.0, 340.0, 40), "GLD": np.linspace(150.0, 140.0, 40)}, index=DAYS
    )


def with_cell(value: Any, row: int = 5, asset: str = "GLD") -> pd.DataFrame:
    """The panel with one cell changed, on 2020-01-08 unless told."""
    prices = panel().astype({asset: object})
    prices.iloc[row, prices.columns.get_loc(asset)] = value
    return prices if isinstance(value, str | bool | int | Decimal) else prices.astype({asset: float})


def refusal(prices: Any, cash: Any = 0.02, delisted: Any = None) -> InputError:
    """What the market says when it refuses."""
    with pytest.raises(InputError) as caught:
        Market(prices, cash, delisted=delisted)
    return caught.value


def assert_says(
    error: InputError, argument: str, *words: str, asset: Any = None, date: str | None = None
) -> None:
    """Check the parts of a message, and that it shows all of them."""
    assert error.argument == argument
    assert error.asset == asset
    assert (None if error.date is None else f"{error.date:%Y-%m-%d}") == date
    for part in (argument, *words, *([repr(asset)] if asset else []), *([date] if date else [])):
        assert part in str(error)


# --- the table ---


@pytest.mark.parametrize("given", [None, [1.0, 2.0], np.ones((3, 2)), pd.Series([1.0, 2.0])])
def test_F001_not_a_table(given):
    assert_says(refusal(given), "prices", "expected a DataFrame with dates as index", type(given).__name__)


def test_F002_no_rows():
    assert_says(refusal(panel().iloc[:0]), "prices", "no rows")
    assert_says(refusal(pd.DataFrame()), "prices", "no rows")


def test_F003_no_columns():
    assert_says(refusal(panel()[[]]), "prices", "no assets")


def test_F004_one_row():
    error = refusal(panel().iloc[:1])
    assert_says(error, "prices", "1 row (2020-01-01)", "at least 2 are needed for a return")


def test_F004_one_row_without_a_date():
    assert_says(
        refusal(pd.DataFrame({"SPY": [1.0]}, index=pd.DatetimeIndex([pd.NaT]))), "prices.index", "NaT"
    )


# --- the dates ---


def test_F005_range_index():
    error = refusal(panel().reset_index(drop=True))
    assert_says(error, "prices.index", "RangeIndex", "pass dates", "prices.set_index('date')")


def test_F006_text_as_dates():
    error = refusal(panel().set_axis(DAYS.strftime("%Y-%m-%d")))
    assert_says(error, "prices.index", "'2020-01-01'", "pd.to_datetime(..., format=")


def test_F007_ambiguous_day_and_month():
    error = refusal(panel().set_axis(DAYS.strftime("%d/%m/%Y")))
    assert_says(error, "prices.index", "'01/01/2020'", "day and month could be confused", "format=")


def test_F008_not_sorted():
    error = refusal(panel().iloc[[0, 1, 2, 4, 3, *range(5, 40)]])
    words = "2020-01-06 comes after 2020-01-07", "prices.sort_index()"
    assert_says(error, "prices.index", *words, date="2020-01-06")


def test_F009_newest_first():
    assert_says(refusal(panel().iloc[::-1]), "prices.index", "reverse", "sort_index()", date="2020-02-25")


def test_F010_repeated_date_same_prices():
    error = refusal(panel().iloc[[0, 1, 1, 2, 2, 3]])
    words = "2 rows have this date (first of 2)", "prices[~prices.index.duplicated(keep='last')]"
    assert_says(error, "prices.index", *words, date="2020-01-02")


def test_F011_repeated_date_other_prices():
    prices = panel().iloc[[0, 1, 1, 2]]
    prices.iloc[2, 1] = 99.5
    words = f"{prices.iloc[1, 1]} and 99.5", "keep one row a date"
    assert_says(refusal(prices), "prices", *words, asset="GLD", date="2020-01-02")


def test_F011_repeated_date_price_and_nothing():
    prices = panel().iloc[[0, 1, 1, 2]]
    prices.iloc[2, 1] = np.nan
    assert_says(refusal(prices), "prices", "nan", asset="GLD", date="2020-01-02")


def test_F012_two_prints_a_day():
    index = DAYS[:4].insert(2, pd.Timestamp("2020-01-02 16:00"))
    error = refusal(panel().iloc[:5].set_axis(index))
    words = "2020-01-02 00:00:00 and 2020-01-02 16:00:00", "groupby(prices.index.normalize()).last()"
    assert_says(error, "prices.index", *words, date="2020-01-02")


def test_F013_row_without_a_date():
    index = DAYS.to_series().mask(np.arange(40) == 7)
    error = refusal(panel().set_axis(pd.DatetimeIndex(index)))
    assert_says(error, "prices.index", "row 7 has no date (NaT)", "drop or date that row")


# --- the names ---


def test_F014_asset_twice():
    error = refusal(panel().set_axis(["SPY", "SPY"], axis=1))
    assert_says(error, "prices.columns", "'SPY' stands twice", "rename or drop one", asset="SPY")


@pytest.mark.parametrize(("first", "second"), [("SPY", "spy"), ("SPY", "SPY "), (" spy", "SPY")])
def test_F015_names_differ_by_case_or_space(first, second):
    error = refusal(panel().set_axis([first, second], axis=1))
    words = f"{first!r} and {second!r} differ by case or space", "rename or drop one"
    assert_says(error, "prices.columns", *words, asset=second)


@pytest.mark.parametrize(
    ("names", "kind"),
    [([1, 2], "int"), ([("SPY", "close"), ("GLD", "close")], "tuple"), ([DAYS[0], DAYS[1]], "Timestamp")],
)
def test_F016_names_that_are_not_text(names, kind):
    prices = panel().set_axis(pd.Index(names), axis=1)
    assert_says(refusal(prices), "prices.columns", kind, "name the assets with text")


def test_F016_asset_without_a_name():
    assert_says(refusal(panel().set_axis(["SPY", " "], axis=1)), "prices.columns", "no name", "name it")


# --- the types ---


@pytest.mark.parametrize("raw", ["1,234.50", "12%", "$5", "1.5"])
def test_F017_text_in_a_column(raw):
    words = f"{raw!r} is str, not a number", "strip thousands separators, %, $"
    assert_says(refusal(with_cell(raw)), "prices", *words, asset="GLD", date="2020-01-08")


def test_F017_a_column_of_text():
    assert_says(refusal(panel().astype({"GLD": str})), "prices", "is str", asset="GLD", date="2020-01-01")


@pytest.mark.parametrize("dtype", [bool, "boolean", "bool[pyarrow]", object])
def test_F018_booleans(dtype):
    prices = panel().assign(GLD=pd.Series(True, index=DAYS, dtype=dtype))
    assert_says(refusal(prices), "prices", asset="GLD", date="2020-01-01")


@pytest.mark.parametrize("values", [DAYS, DAYS - DAYS[0], np.full(40, 1 + 0j)])
def test_F019_dates_and_complex_numbers(values):
    prices = panel().assign(GLD=values)
    assert_says(refusal(prices), "prices", "not a number", asset="GLD", date="2020-01-01")


@pytest.mark.parametrize(
    "dtype", ["Float64", "double[pyarrow]", "Int64", "int64[pyarrow]", "object", "int64"]
)
def test_F020_other_numeric_types_are_converted(dtype):
    prices = panel().round()
    np.testing.assert_array_equal(Market(prices.astype(dtype), 0.02).levels, prices.to_numpy())


def test_F020_decimals_are_converted_to_the_nearest_float():
    cells = [Decimal("100.1"), Decimal("100.2"), Decimal("100.3")]
    market = Market(pd.DataFrame({"GLD": cells}, index=DAYS[:3]), 0.02)
    assert market.levels[:, 0].tolist() == [100.1, 100.2, 100.3]


@pytest.mark.parametrize(
    ("missing", "dtype"), [(pd.NA, "Float64"), (None, object), (pd.NA, object), (Decimal("sNaN"), object)]
)
def test_F020_every_missing_mark_is_missing(missing, dtype):
    prices = panel().assign(GLD=pd.Series([missing, missing, *range(1, 39)], index=DAYS, dtype=dtype))
    assert Market(prices, 0.02).listed_from.tolist() == [0, 2]


@pytest.mark.parametrize("dtype", ["float32", "Float32", "float[pyarrow]"])
def test_F021_float32_is_converted_and_noted(dtype):
    market = Market(panel().astype({"GLD": dtype}), 0.02)
    assert market.levels.dtype == np.float64
    assert market.notes[0] == "float32 prices, resolved to 1e-7 at best: GLD"
    assert "float32" in repr(market)


@pytest.mark.parametrize("dtype", ["int64", "Int64", object])
def test_F022_integers_beyond_exact_floats(dtype):
    prices = panel().round().astype({"GLD": dtype})
    prices.iloc[5, 1] = 2**53 + 1
    words = f"integer {2**53 + 1} is beyond 2**53", "rescale"
    assert_says(refusal(prices), "prices", *words, asset="GLD", date="2020-01-08")


def test_F022_integer_too_long_to_print():
    assert_says(refusal(with_cell(10**5000)), "prices", "beyond 2**53", asset="GLD", date="2020-01-08")


def test_F022_the_largest_exact_integer_is_a_price():
    assert Market(with_cell(2**53), 0.02).levels[5, 1] == 2.0**53


# --- the values ---


@pytest.mark.parametrize("zero", [0.0, -0.0])
def test_F023_zero_price(zero):
    prices = with_cell(zero)
    prices.iloc[9, 1] = 0.0
    assert_says(refusal(prices), "prices", "(first of 2)", "positive", asset="GLD", date="2020-01-08")
    assert str(refusal(with_cell(0.0))).startswith("prices['GLD'] on 2020-01-08: is 0.0; ")


def test_F024_negative_price():
    words = "is -36.98, negative", "build levels from returns"
    assert_says(refusal(with_cell(-36.98)), "prices", *words, asset="GLD", date="2020-01-08")


@pytest.mark.parametrize("infinite", [np.inf, -np.inf])
def test_F025_infinite_price(infinite):
    words = f"is {infinite}", "correct the source"
    assert_says(refusal(with_cell(infinite)), "prices", *words, asset="GLD", date="2020-01-08")


def test_F026_text_that_overflows(tmp_path):
    file = tmp_path / "prices.csv"
    file.write_text("date,SPY\n2020-01-01,1\n2020-01-02,1e400\n")
    with pytest.raises(
        InputError, match=r"data\['SPY'\].*line 3: '1e400' on 2020-01-02 is beyond the largest float"
    ):
        read_prices(file)


def test_F026_decimal_that_overflows():
    error = refusal(with_cell(Decimal("1e400")))
    assert_says(error, "prices", "is inf", asset="GLD", date="2020-01-08")


@pytest.mark.parametrize("tiny", [1e-310, 1e-101])
def test_F027_subnormal_price(tiny):
    words = f"is {tiny}, below 1e-100", "rescale"
    assert_says(refusal(with_cell(tiny)), "prices", *words, asset="GLD", date="2020-01-08")


@pytest.mark.parametrize("huge", [1e300, 1e101])
def test_F028_price_whose_products_overflow(huge):
    words = f"is {huge}, above 1e+100", "between 1e-100 and 1e+100"
    assert_says(refusal(with_cell(huge)), "prices", *words, asset="GLD", date="2020-01-08")


# --- what is missing ---


def test_F029_not_listed_yet():
    prices = panel()
    prices.iloc[:12, 1] = np.nan
    market = Market(prices, 0.02)
    assert market.listed_from.tolist() == [0, 12]
    assert market.index[market.listed_from[1]] == DAYS[12]
    assert not market.until(DAYS[11]).listed("GLD")
    assert market.until(DAYS[12]).listed("GLD")
    pd.testing.assert_frame_equal(market.prices, prices, check_freq=False)
    assert "2020-01-17" in repr(market)


def test_F030_hole():
    prices = panel()
    prices.iloc[[5, 6, 7, 20], 1] = np.nan
    words = "no price, a hole of 3 rows (first of 4)", "al.align_prices(prices, align=...)"
    assert_says(refusal(prices), "prices", *words, asset="GLD", date="2020-01-08")


def test_F031_no_price_at_the_end():
    prices = panel()
    prices.iloc[30:, 1] = np.nan
    error = refusal(prices)
    words = (
        "no price after 2020-02-11 (first of 10)",
        "Market(..., delisted={'GLD': 0.4})",
        "prices.loc[:'2020-02-11']",
        "or drop the asset",
    )
    assert_says(error, "prices", *words, asset="GLD", date="2020-02-12")


def test_F031_the_fixes_work():
    prices = panel()
    prices.iloc[30:, 1] = np.nan
    assert len(Market(prices.loc[:"2020-02-11"], 0.02).index) == 30
    assert len(Market(prices, 0.02, delisted={"GLD": 0.4}).index) == 40


def test_F031_only_the_assets_named_may_end():
    prices = panel().assign(TLT=100.0)
    prices.iloc[30:, 1:] = np.nan
    error = refusal(prices, delisted={"GLD": 0.4})
    assert_says(error, "prices", "delisted={'TLT': 0.4}", asset="TLT", date="2020-02-12")


def test_F031_a_hole_is_no_delisting():
    prices = panel()
    prices.iloc[[10, *range(30, 40)], 1] = np.nan
    error = refusal(prices, delisted={"GLD": 0.4})
    assert_says(error, "prices", "no price, a hole of 1 row;", asset="GLD", date="2020-01-15")


def test_F032_column_without_a_price():
    error = refusal(panel().assign(GLD=np.nan))
    assert_says(error, "prices", "no price at all", "drop the column", asset="GLD", date="2020-01-01")


def test_F033_row_without_a_price():
    prices = panel()
    prices.iloc[[5, 9]] = np.nan
    words = "no asset has a price (first of 2)", "prices.dropna(how='all')"
    assert_says(refusal(prices), "prices", *words, date="2020-01-08")


def test_F032_a_column_without_a_price_cannot_be_delisted():
    error = refusal(panel().assign(GLD=np.nan), delisted={"GLD": 1.0})
    assert_says(error, "prices", "no price at all", "drop the column", asset="GLD", date="2020-01-01")


def test_F033_a_holiday_after_a_delisting_is_still_a_row_without_a_price():
    prices = panel()
    prices.iloc[30:, 1] = np.nan
    prices.iloc[35] = np.nan
    error = refusal(prices, delisted={"GLD": 0.4})
    assert_says(error, "prices", "no asset has a price;", date="2020-02-19")


# --- what was delisted ---


def ended(row: int = 30) -> pd.DataFrame:
    """The panel with GLD's prices ending before a row."""
    return panel().mask(np.outer(np.arange(40) >= row, [False, True]))


@pytest.mark.parametrize("given", [["GLD"], "GLD", 0.4, {"GLD"}, False])
def test_F112_delisted_that_is_no_mapping(given):
    error = refusal(ended(), delisted=given)
    words = "expected a mapping of asset to recovery", type(given).__name__, "{'SPY': 0.4}"
    assert_says(error, "delisted", *words)


@pytest.mark.parametrize(
    "recovery",
    [-0.1, 1.0000001, 40, np.nan, np.inf, "0.4", None, True, np.True_, 0.4 + 0j, np.complex128(0.4)],
)
def test_F112_recovery_that_is_no_fraction(recovery):
    error = refusal(ended(), delisted={"GLD": recovery})
    assert_says(error, "delisted", repr(recovery), "as a fraction of the last price", "0 to 1", asset="GLD")


@pytest.mark.parametrize("recovery", [0, 1, 0.0, 1.0, 0.4, np.float64(0.4), np.float32(0.5), np.int64(1)])
def test_F112_recoveries_that_are_fractions(recovery):
    levels = Market(ended(), 0.02, delisted={"GLD": recovery}).levels[:, 1]
    assert (levels[30:] == levels[29] * float(recovery)).all()


def test_F111_delisted_without_an_end_of_its_prices():
    words = "has prices up to the last row, 2020-02-25", "leave it out, or end its prices with NaN"
    assert_says(refusal(panel(), delisted={"GLD": 0.4}), "delisted", *words, asset="GLD")


def test_F111_not_listed_yet_is_not_delisted():
    prices = panel()
    prices.iloc[:12, 1] = np.nan
    error = refusal(prices, delisted={"GLD": 0.4})
    assert_says(error, "delisted", "has prices up to the last row", asset="GLD")


@pytest.mark.parametrize(
    ("name", "hint"), [("GDL", "did you mean 'GLD'?"), ("xyz", "the assets are SPY, GLD"), (7, "SPY, GLD")]
)
def test_F111_delisted_that_is_no_asset(name, hint):
    error = refusal(ended(), delisted={name: 0.4})
    assert_says(error, "delisted", f"names {name!r}, which is no column of prices", hint)


def test_F113_all_assets_delisted():
    prices = ended()
    prices.iloc[35:] = np.nan
    market = Market(prices, 0.02, delisted={"GLD": 0.4, "SPY": 1.0})
    assert market.listed_until.tolist() == [35, 30]
    assert not any(market.listed(asset) for asset in market.assets)
    assert market.returns.iloc[35:].isna().all(axis=None)


def test_F113_rows_without_a_price_before_the_next_listing():
    prices = panel()
    prices.iloc[:20, 0] = np.nan
    prices.iloc[15:, 1] = np.nan
    market = Market(prices, 0.02, delisted={"GLD": 0.0})
    assert (market.listed_from.tolist(), market.listed_until.tolist()) == ([20, 0], [40, 15])
    prices.iloc[:3] = np.nan
    assert_says(refusal(prices, delisted={"GLD": 0.0}), "prices", "(first of 3)", date="2020-01-01")


def test_F114_the_only_asset_delisted():
    market = Market(ended()[["GLD"]], 0.02, delisted={"GLD": 0.25})
    assert market.returns["GLD"].iloc[29] == -0.75


# --- how often ---


def test_F039_daily_then_monthly():
    index = DAYS[:30].append(pd.date_range("2020-02-29", periods=10, freq="ME"))
    words = (
        "mixed frequency: the dates are daily",
        "2020-02-11 is followed by 2020-02-29",
        "cut the table there",
    )
    assert_says(refusal(panel().set_axis(index)), "prices.index", *words, date="2020-02-29")


def test_F042_periods_a_year_come_from_the_dates():
    market = Market(panel(), 0.02)
    assert (market.frequency.name, market.frequency.periods_per_year) == ("daily", 252)
    assert Market(panel(), 0.02, frequency="daily").frequency == market.frequency
    assert "daily" in repr(market)


@pytest.mark.parametrize("stated", ["monthly", "hourly", ["daily"], 252])
def test_F042_a_frequency_that_contradicts_the_dates(stated):
    with pytest.raises(InputError) as caught:
        Market(panel(), 0.02, frequency=stated)
    assert_says(caught.value, "frequency", repr(stated), "leave it out")


@pytest.mark.parametrize("days", [4, 10, 15, 60, 180])
@pytest.mark.parametrize("rows", [2, 40])
def test_F042_dates_that_fit_no_frequency(days, rows):
    index = pd.date_range("2020-01-01", periods=rows, freq=f"{days}D")
    frame = panel().iloc[:rows].set_axis(index)
    assert_says(refusal(frame), "prices.index", f"{days} days", "resample")


def test_F042_the_typical_step_is_the_median_and_not_the_mean():
    index = DAYS[0] + pd.to_timedelta(np.cumsum([0, 1, 1, 1, 4, 4, 4, 4]), "D")
    words = "the typical step of 4 days", "resample"
    assert_says(refusal(panel().iloc[:8].set_axis(index)), "prices.index", *words)


def test_F042_one_date_has_no_frequency():
    with pytest.raises(InputError, match=r"^prices\.index: one date has no frequency"):
        infer_frequency(DAYS[:1])


# --- time zones and times ---


def test_F043_naive_prices_and_aware_cash():
    cash = pd.Series(1e-4, index=DAYS.tz_localize("UTC"))
    words = "time zone UTC", "cash.index.tz_convert(<the exchange's zone>).tz_localize(None)"
    assert_says(refusal(panel(), cash), "cash.index", *words, date="2020-01-01")


def test_F044_two_time_zones():
    cash = pd.Series(1e-4, index=DAYS.tz_localize("Europe/London"))
    words = "time zone America/New_York", "session dates"
    error = refusal(panel().tz_localize("America/New_York"), cash)
    assert_says(error, "prices.index", *words, date="2020-01-01")


def test_F045_midnight_utc_is_the_evening_before():
    index = DAYS.tz_localize("UTC")
    words = "time zone UTC", "pass session dates", "tz_convert(<the exchange's zone>)"
    assert_says(refusal(panel().set_axis(index)), "prices.index", *words, date="2020-01-01")


def test_F046_intraday():
    index = DAYS.insert(3, DAYS[3] + pd.Timedelta(hours=9, minutes=30)).delete(4)
    words = "time of day 09:30:00", "rows are days or longer", "prices.index.normalize()"
    assert_says(refusal(panel().set_axis(index)), "prices.index", *words, date="2020-01-06")


@pytest.mark.parametrize("first", ["1500-01", "2300-01", "9990-01"])
@pytest.mark.parametrize("unit", ["s", "us"])
def test_F047_dates_outside_nanoseconds(first, unit):
    months = np.datetime64(first) + np.arange(40)
    prices = panel().set_axis(pd.DatetimeIndex(months.astype(f"datetime64[{unit}]")))
    market = Market(prices, 0.02)
    assert market.frequency.name == "monthly"
    assert f"{first}-01" in repr(market)
    assert market.index.tolist() == prices.index.tolist()


@pytest.mark.parametrize(("first", "year"), [("20000-01", "20000"), ("-0500-01", "-500")])
def test_F047_years_that_cannot_be_printed(first, year):
    months = np.datetime64(first) + np.arange(40)
    prices = panel().set_axis(pd.DatetimeIndex(months.astype("datetime64[s]")))
    assert_says(
        refusal(prices), "prices.index", f"row 0 is in the year {year}", "1 to 9999", "correct the date"
    )


# --- returns given as prices ---


def test_F050_returns_given_as_prices():
    returns = panel().pct_change().iloc[1:]
    words = "looks like returns", "pass levels: (1 + returns).cumprod()"
    assert_says(refusal(returns), "prices", *words, asset="GLD", date="2020-01-02")


def test_F050_small_prices_are_prices():
    assert Market(panel() * 1e-6, 0.02).levels.max() < 0.001


# --- memory ---


@pytest.mark.parametrize("order", ["C", "F"])
def test_F054_read_only_and_strided_arrays(order):
    wide = np.asarray(np.repeat(panel().to_numpy(), 2, axis=1), order=order)
    wide.flags.writeable = False
    prices = pd.DataFrame(wide[:, ::2], index=DAYS, columns=["SPY", "GLD"], copy=False)
    market = Market(prices, 0.02)
    np.testing.assert_array_equal(market.levels, panel().to_numpy())
    pd.testing.assert_frame_equal(prices, panel())


def test_F055_changed_after_the_door():
    prices, cash = panel(), pd.Series(1e-4, index=DAYS)
    market = Market(prices, cash)
    prices.iloc[:] = 1.0
    cash.iloc[:] = 0.0
    np.testing.assert_array_equal(market.levels, panel().to_numpy())
    assert (market.cash[1:] == 1e-4).all()


def test_F055_dates_changed_after_the_door():
    dates = DAYS.to_numpy().copy()
    market = Market(panel().set_axis(pd.DatetimeIndex(dates, copy=False)), 0.02)
    dates[0] = np.datetime64("1999-01-01")
    assert market.index[0] == DAYS[0]


# --- cash ---


@pytest.mark.parametrize(
    ("spacing", "annual"), [("B", 0.02), ("W-FRI", 0.04), ("ME", 0.06), ("QE", 0.21), ("YE", 1.01)]
)
def test_F098_annual_rate_where_a_return_per_row_is_meant(spacing, annual):
    index = pd.date_range("2000-01-01", periods=40, freq=spacing)
    prices = panel().set_axis(index)
    cash = pd.Series(annual, index=index)
    words = f"{annual:g} in one row", "pass the return per row, not an annual rate"
    assert_says(refusal(prices, cash), "cash", *words, date=f"{index[1]:%Y-%m-%d}")


def test_F098_a_loss_no_cash_has_in_a_day():
    words = "-0.02 in one row of daily data, beyond 0.01 (first of 39)", "pass the return per row"
    assert_says(refusal(panel(), pd.Series(-0.02, index=DAYS)), "cash", *words, date="2020-01-02")


@pytest.mark.parametrize("rate", [5.0, -2, 10**400, np.inf, np.nan])
def test_F098_percent_where_a_fraction_is_meant(rate):
    assert_says(refusal(panel(), rate), "cash", "fraction")


@pytest.mark.parametrize("cash", [None, "3%", True, np.bool_(True), 0.02 + 0j, np.complex128(0.02), [0.02]])
def test_F098_cash_that_is_no_rate(cash):
    assert_says(
        refusal(panel(), cash), "cash", "expected a Series of returns or an annual rate", type(cash).__name__
    )


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("0.0001", "'0.0001' is str"),
        (True, "true and false"),
        (1j, "complex128 is not a number"),
        (np.nan, "is nan (first of 39); give a return above -1"),
        (np.inf, "is inf (first of 39); give a return above -1"),
        (-1.0, "is -1.0 (first of 39); give a return above -1"),
    ],
)
def test_F098_cash_returns_that_are_none(cell, words):
    cash = pd.Series([cell] * 40, index=DAYS)
    assert_says(refusal(panel(), cash), "cash", words, date="2020-01-02")


def test_F099_cash_shorter_than_the_prices():
    cash = pd.Series(1e-4, index=DAYS[:30])
    words = "no return for 10 of the 39 rows", "give a return for each row"
    assert_says(refusal(panel(), cash), "cash", *words, date="2020-02-12")


def test_F099_cash_on_other_dates():
    monthly = panel().set_axis(pd.date_range("2020-01-31", periods=40, freq="ME"))
    days = pd.bdate_range("2020-01-31", "2023-12-31").union(monthly.index)
    words = "a date between the rows of prices, which would be lost (first of 817)", "compound"
    assert_says(refusal(monthly, pd.Series(1e-5, index=days)), "cash", *words, date="2020-02-03")


@pytest.mark.parametrize(("days_later", "is_lost"), [(-40, False), (0, False), (1, True), (28, True)])
def test_F099_a_return_dated_after_the_first_row_of_prices(days_later, is_lost):
    index = pd.date_range("2020-01-31", periods=40, freq="ME")
    first = index[0] + pd.Timedelta(days_later, "D")
    cash = pd.Series(1e-3, index=index[1:].insert(0, first))
    if is_lost:
        error = refusal(panel().set_axis(index), cash)
        assert_says(
            error, "cash", "a date between the rows of prices, which would be lost;", date=f"{first:%Y-%m-%d}"
        )
    else:
        assert (Market(panel().set_axis(index), cash).cash[1:] == 1e-3).all()


def test_F099_cash_needs_none_before_the_first_return_and_may_be_longer():
    longer = pd.Series(1e-4, index=pd.bdate_range("2019-06-03", "2021-01-01"))
    expected = Market(panel(), pd.Series(1e-4, index=DAYS[1:])).cash
    np.testing.assert_array_equal(Market(panel(), longer).cash, expected)
    assert expected[0] == 0.0


@pytest.mark.parametrize("cash", [-0.005, pd.Series(-2e-5, index=DAYS)])
def test_F100_negative_cash_is_allowed(cash):
    assert (Market(panel(), cash).cash[1:] < 0).all()
