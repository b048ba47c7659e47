"""The accounts of a government's debt: a table of fractions by period, from ratios or money, checked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError, iso_date
from allocator.macro.debt.law import read_debt, read_rate
from allocator.market.prices import float_column, validate_index

__all__ = ["ACCOUNTS", "CENTRAL_BANK", "MARKET_RATE", "debt_accounts", "period_name", "read_accounts"]

ACCOUNTS = ("debt", "interest_rate", "growth", "inflation", "primary_deficit")
MARKET_RATE, CENTRAL_BANK = "market_rate", "central_bank_share"
_AMOUNTS = ("debt", "interest", "deficit", "gdp", "real_gdp")
_HOLDINGS = "central_bank"
_FIRST_YEAR, _LAST_YEAR = 1, 9999
_MOST_TYPICAL = 4.0  # times GDP; debts of less than 4 % given in percent pass
_STEPS = {"yearly": (300, 12), "quarterly": (80, 3)}  # the typical days that make it so, months of a step


def debt_accounts(amounts: pd.DataFrame) -> pd.DataFrame:
    """Turn amounts of money into the accounts of a debt.

    Parameters
    ----------
    amounts
        A row a year or quarter (last dates, a PeriodIndex, or years as whole numbers), the first for its
        debt and GDP only. Columns ``debt`` (at the end), ``interest`` and ``deficit`` of the period (the
        deficit with interest, positive for a deficit), ``gdp`` (nominal, **at the annual rate**), all in one
        unit of money; ``real_gdp``, in any unit. Optional: ``central_bank``, the debt that it holds;
        ``market_rate``, a short market rate for the period, a fraction.

    Returns
    -------
    pandas.DataFrame
        ``debt`` over GDP; ``interest_rate``, interest over the debt of the period before; ``growth`` of real
        GDP; ``inflation``, of the price of GDP, so that both compound to nominal growth;
        ``primary_deficit`` over GDP; ``market_rate`` and ``central_bank_share`` (of the debt) where given.
        Rates are per period. The first row has the debt only.

    Raises
    ------
    InputError
        A column missing, unknown or not finite, debt or GDP not positive, a gap between periods (F168), or
        units that do not fit each other (F162, F166).
    """
    _refuse_columns(amounts, "amounts", _AMOUNTS, (_HOLDINGS, MARKET_RATE))
    table = _numbers(amounts, "amounts", ("debt", "gdp", "real_gdp", _HOLDINGS))
    for column in ("debt", "gdp", "real_gdp"):
        _refuse_not_positive(table[column])
    before = table.shift(1)
    growth = table["real_gdp"] / before["real_gdp"] - 1.0
    nominal = table["gdp"] / before["gdp"]
    accounts = pd.DataFrame(
        {
            "debt": table["debt"] / table["gdp"],
            "interest_rate": table["interest"] / before["debt"],
            "growth": growth,
            "inflation": nominal / (1.0 + growth) - 1.0,
            "primary_deficit": ((table["deficit"] - table["interest"]) / table["gdp"]).where(growth.notna()),
        }
    )
    if MARKET_RATE in table:
        accounts[MARKET_RATE] = table[MARKET_RATE].where(growth.notna())
    if _HOLDINGS in table:
        accounts[CENTRAL_BANK] = table[_HOLDINGS] / table["debt"]
    return read_accounts(accounts)


def read_accounts(accounts: pd.DataFrame) -> pd.DataFrame:
    """Validate accounts, and return a copy with floats and dates.

    Parameters
    ----------
    accounts
        As :func:`debt_accounts` returns them; the rates of the first row are not used and may be missing.

    Raises
    ------
    InputError
        As :func:`debt_accounts`.
    """
    _refuse_columns(accounts, "accounts", ACCOUNTS, (MARKET_RATE, CENTRAL_BANK))
    table = _numbers(accounts, "accounts", ("debt", CENTRAL_BANK))
    _refuse_percent(read_debt(table["debt"].to_numpy(), "accounts['debt']"))
    for column in table.columns.drop(["debt", CENTRAL_BANK], errors="ignore"):
        _refuse_minus_one(table[column].iloc[1:])
        _refuse_no_rate(table[column].iloc[1:])
    if CENTRAL_BANK in table:
        _refuse_no_share(table[CENTRAL_BANK])
    return table


def _refuse_no_rate(values: pd.Series[float]) -> None:
    try:
        read_rate(values.to_numpy(), str(values.name))
    except InputError as error:
        raise InputError("accounts", error.problem, asset=values.name, fix=error.fix) from None


def _refuse_percent(ratios: NDArray[np.float64]) -> None:
    """Refuse a history of ratios that no government has had for long: 8.2 is 8.2 %, not 820 %."""
    typical = float(np.median(np.abs(ratios)))
    if typical > _MOST_TYPICAL:
        problem = f"typically {typical:g} times GDP: no government has owed {_MOST_TYPICAL:g} for long"
        raise InputError("accounts", f"{problem}, so it is percent", asset="debt", fix="divide by 100")


def period_name(label: Any) -> str:
    """Return a period as a person writes it: 1998, or 2020-03-31."""
    return iso_date(label) if isinstance(label, pd.Timestamp) else str(label)


def _refuse_columns(table: object, argument: str, needed: tuple[str, ...], others: tuple[str, ...]) -> None:
    if not isinstance(table, pd.DataFrame):
        raise InputError(argument, f"expected a DataFrame, got {type(table).__name__}")
    missing = [name for name in needed if name not in table.columns]
    if missing:
        made = "; debt_accounts makes them of amounts of money" if argument == "accounts" else ""
        raise InputError(argument, f"no column {missing[0]!r}", fix=f"pass {', '.join(needed)}{made}")
    unknown = [name for name in table.columns if name not in (*needed, *others)]
    if unknown:
        known = ", ".join((*needed, *others))
        raise InputError(argument, f"column {unknown[0]!r} is none of {known}", fix="leave it out")
    if table.columns.has_duplicates:
        raise InputError(argument, "two columns have one name", fix="keep one of each")
    if len(table) < 2:
        raise InputError(argument, f"{len(table)} rows, at least two are needed")


def _numbers(table: pd.DataFrame, argument: str, from_first: tuple[str, ...]) -> pd.DataFrame:
    """Return a table of floats on checked periods; what the first row does not need may be missing there."""
    index = _read_periods(table.index, argument)
    numbers = pd.DataFrame(index=index)
    for column in table.columns:
        values = float_column(table[column], argument, index, column)  # type: ignore[arg-type]  # years, too
        _refuse_missing(values, index, argument, column, first=0 if column in from_first else 1)
        numbers[column] = values
    return numbers


def _refuse_missing(
    values: NDArray[np.float64], index: pd.Index, argument: str, column: str, first: int
) -> None:
    bad = np.flatnonzero(~np.isfinite(values[first:])) + first
    if len(bad):
        problem = f"{values[bad[0]]} in {period_name(index[bad[0]])}"
        raise InputError(
            argument,
            problem,
            count=len(bad),
            asset=column,
            fix="give it, or cut the table to where it is",
        )


def _read_periods(index: pd.Index, argument: str) -> pd.Index:
    """Return years as whole numbers or the last dates of periods, refusing gaps (F168)."""
    if isinstance(index, pd.PeriodIndex):
        index = index.to_timestamp(how="end").normalize()
    if pd.api.types.is_integer_dtype(index):
        years = np.asarray(index, dtype=np.int64)
        if len(years) and (years.min() < _FIRST_YEAR or years.max() > _LAST_YEAR):
            problem = f"whole numbers from {years.min()} to {years.max()}, which are no years"
            raise InputError(f"{argument}.index", problem, fix="pass years such as 1998, or the last dates")
        _refuse_gap(years, index, argument)
        return pd.Index(index.to_numpy(dtype=np.int64), name="year")
    dates = validate_index(index, argument)
    typical = float(np.median(np.diff(dates.to_numpy()).astype("timedelta64[D]").astype(np.int64)))
    months = next((step for shortest, step in _STEPS.values() if typical >= shortest), None)
    if months is None or typical > 400:
        problem = f"periods of typically {typical:g} days, neither years nor quarters"
        raise InputError(f"{argument}.index", problem, fix="pass a row a year or a quarter")
    # Counted in years and quarters, not in days: the US fiscal year 1977 ends 15 months after that of 1976.
    _refuse_gap(np.asarray((dates.year * 12 + dates.month - 1) // months), dates, argument)
    return dates


def _refuse_gap(numbers: NDArray[np.int64], index: pd.Index, argument: str) -> None:
    odd = np.flatnonzero(np.diff(numbers) != 1)
    if len(odd):
        before, after = period_name(index[odd[0]]), period_name(index[odd[0] + 1])
        raise InputError(
            f"{argument}.index",
            f"{before} is followed by {after}: periods must follow one another",
            count=len(odd),
            fix="fill in the periods between them, or cut the table there",
        )


def _refuse_not_positive(values: pd.Series[float]) -> None:
    bad = values[~(values > 0.0)]
    if len(bad):
        problem = f"{bad.iloc[0]:g} in {period_name(bad.index[0])} is not positive"
        raise InputError("amounts", problem, asset=values.name)


def _refuse_minus_one(values: pd.Series[float]) -> None:
    bad = values[values <= -1.0]
    if len(bad) and values.name in ("interest_rate", "growth", "inflation"):
        problem = f"{bad.iloc[0]:g} in {period_name(bad.index[0])}: at -1 or less nothing is left"
        raise InputError("accounts", problem, asset=values.name, fix="pass a fraction")


def _refuse_no_share(values: pd.Series[float]) -> None:
    bad = values[(values < 0.0) | (values > 1.0)]
    if len(bad):
        problem = f"{bad.iloc[0]:g} in {period_name(bad.index[0])} is no share between 0 and 1"
        raise InputError("accounts", problem, asset=values.name, fix="divide by the debt, in the same unit")
