"""The data of a study, and the digest by which they are known again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import pandas as pd

from allocator.disk import inside
from allocator.errors import InputError, iso_date
from allocator.market import Market, load_us_debt, load_us_history, read_prices
from allocator.market.market import signal_in_hindsight, with_signals
from allocator.papers.sections import fields_of, text_of
from allocator.scoreboard.folder import LAYOUT, open_folder, read_panel
from allocator.untrusted import local_path

__all__ = ["StudyData", "check_data", "open_data"]

_FORMS = ("history", "file", "folder")
_OF_FORM = {
    "history": {"history"},
    "file": {"file", "columns", "cash", "date_format", "frequency", "us_inflation", "name"},
    "folder": {"folder"},
}


@final
@dataclass(frozen=True, eq=False)
class StudyData:
    """What a study runs on.

    Attributes
    ----------
    market
        None for a folder of the scoreboard.
    folder
        That folder, else None.
    columns
        SHA-256 of each column by name: dates and values as bytes, whatever file they came from.
    sha256
        Of all columns, by which the data are known again.
    span
        Rows, first and last date of the market; empty without one.
    """

    market: Market | None
    folder: Path | None
    columns: Mapping[str, str]
    sha256: str
    span: Mapping[str, Any]


def check_data(given: Any) -> dict[str, Any]:
    """Return the section ``data`` of a study, or refuse it."""
    forms = [form for form in _FORMS if isinstance(given, Mapping) and form in given]
    if len(forms) != 1:
        fix = 'write history = "us_history", file = "prices.csv" or folder = "panels"'
        raise InputError("data", f"names {len(forms)} sources of data, expected one", fix=fix)
    section = fields_of(given, "data", {*_OF_FORM[forms[0]], "sha256"})
    for key in set(section) - {"columns", "cash", "us_inflation"}:
        text_of(section[key], f"data.{key}")
    if forms[0] == "history" and section["history"] != "us_history":
        raise InputError("data.history", f"{section['history']!r} is not embedded", fix='write "us_history"')
    if forms[0] == "file":
        _check_file(section)
    return section


def _check_file(section: Mapping[str, Any]) -> None:
    fields_of(section, "data", None, ["columns", "cash"])
    columns = section["columns"]
    if not isinstance(columns, dict) or not columns:
        fix = 'write columns = { stocks = "SPY", bonds = "IEF" }, our name = theirs'
        raise InputError("data.columns", "is no table of names", fix=fix)
    for name, column in columns.items():
        text_of(column, f"data.columns.{name}")
    if isinstance(section["cash"], bool) or not isinstance(section["cash"], str | int | float):
        raise InputError("data.cash", f"is {section['cash']!r}", fix="write a column, or 0.03 for 3 % a year")
    if not isinstance(section.get("us_inflation", False), bool):
        raise InputError("data.us_inflation", f"is {section['us_inflation']!r}", fix="write true or false")


def open_data(section: Mapping[str, Any], base: Path) -> StudyData:
    """Return the data that a section names, files looked up in a folder and never outside it.

    Raises
    ------
    InputError
        What the readers refuse, and data that are not those of a ``sha256`` in the section.
    """
    if "folder" in section:
        found = _folder_data(open_folder(_within(base, section["folder"], "data.folder")))
    else:
        market = load_us_history() if "history" in section else _file_market(section, base)
        found = _data(market, None, _columns(market) | (_debt() if "history" in section else {}))
    wanted = section.get("sha256")
    if wanted is not None and wanted != found.sha256:
        problem = f"the data have {found.sha256}, the study was written for {wanted}"
        raise InputError("data.sha256", problem, fix="find the data that it was written for, or change it")
    return found


def _within(base: Path, name: str, where: str) -> Path:
    """Return the path of what a study names, which is in the folder of the data, by no way out of it."""
    local_path(name, where)
    try:
        return base if name == "." else inside(base, name, where)
    except InputError as refusal:
        fix = "put it there, or name its folder: --data, data=..."
        raise InputError(where, refusal.problem, fix=fix) from None


def _file_market(section: Mapping[str, Any], base: Path) -> Market:
    names, cash = section["columns"], section["cash"]
    wanted = list(dict.fromkeys([*names.values(), *([cash] if isinstance(cash, str) else [])]))
    file = _within(base, section["file"], "data.file")
    prices = read_prices(file, wanted, date_format=section.get("date_format", "%Y-%m-%d"))
    held = prices[list(names.values())].set_axis(list(names), axis=1)
    rate = _bill_returns(prices[cash]) if isinstance(cash, str) else float(cash)
    title = section.get("name", Path(section["file"]).name)
    market = Market(held, rate, frequency=section.get("frequency"), name=title)
    return _with_inflation(market) if section.get("us_inflation", False) else market


def _with_inflation(market: Market) -> Market:
    inflation = signal_in_hindsight(load_us_history(), "inflation")
    source = "US consumer prices, yearly, from the embedded history, dated when known"
    return with_signals(market, {"inflation": inflation}, {"inflation": source})


def _bill_returns(levels: pd.Series[float]) -> pd.Series[float]:
    missing = levels.index[levels.isna()]
    if len(missing):
        raise InputError("data.cash", "has no price", asset=levels.name, date=missing[0])
    return levels.pct_change(fill_method=None).iloc[1:]


def _columns(market: Market) -> dict[str, str]:
    """Return the digest of each price, of cash and of each signal."""
    prices = market.prices
    series = {str(name): prices[name] for name in prices.columns} | {"cash (returns)": market.cash_returns}
    series |= {f"signal {name}": signal_in_hindsight(market, name).values for name in market.signals}
    return {name: _digest(values) for name, values in series.items()}


def _debt() -> dict[str, str]:
    """Return the digest of each column of the embedded debt, which the scoreboard reads as well."""
    debt = load_us_debt()
    return {f"debt {name}": _digest(debt[name]) for name in debt.columns}


def _folder_data(folder: Path) -> StudyData:
    columns: dict[str, str] = {}
    for file in LAYOUT:
        panel = read_panel(folder, file)
        if panel is not None:
            columns |= {f"{file} {name}": _digest(panel[name]) for name in panel.columns}
    embedded = _columns(load_us_history()) | _debt()  # for what the panels do not have: fiscal years
    return _data(None, folder, columns | {f"embedded {name}": found for name, found in embedded.items()})


def _data(market: Market | None, folder: Path | None, columns: Mapping[str, str]) -> StudyData:
    """Return the data with the digest of all columns."""
    text = "\n".join(f"{name!r} {digest}" for name, digest in columns.items())
    span: dict[str, Any] = {}
    if market is not None:
        first, last = (iso_date(market.index[row]) for row in (0, -1))
        span = {"rows": len(market.index), "first": first, "last": last}
    return StudyData(market, folder, columns, hashlib.sha256(text.encode()).hexdigest(), span)


def _digest(values: pd.Series[Any]) -> str:
    """Return the SHA-256 of the dates as days and the values as little-endian doubles, one NaN, one zero."""
    numbers = values.to_numpy(dtype="<f8") + 0.0
    numbers = np.where(np.isnan(numbers), np.nan, numbers).astype("<f8")
    days = pd.DatetimeIndex(values.index).values.astype("datetime64[D]").astype("<i8")
    return hashlib.sha256(days.tobytes() + numbers.tobytes()).hexdigest()
