"""The folder that the scoreboard reads, as far as FRED and Yahoo have what goes into it.

All is made in memory and written at the end, each file at once: who interrupts the download finds the folder
as it was, and what had come in the cache.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import textwrap
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import pandas as pd

from allocator.disk import make_folder, write_whole
from allocator.errors import AllocatorError, DownloadError, InputError, iso_date
from allocator.macro import estimate_term_premium, zero_curve
from allocator.market import Downloads, constant_maturity_returns, read_fred, read_yahoo
from allocator.progress import progress_bar
from allocator.scoreboard.folder import LAYOUT, at_month_ends
from allocator.tables import csv_text, html_block, html_table, text_block, text_table

__all__ = ["DownloadedFolder", "FolderFile", "download_folder"]

_SOURCES = "sources.csv"
_WIDTH = 110
# Without DGS3: where it is close to a straight line between its neighbours, the five factors of the model
# have no unique prices, and the estimate is worthless.
_MATURITIES = ("DGS3MO", "DGS6MO", "DGS1", "DGS2", "DGS5", "DGS7", "DGS10")
_CURVE = dict(zip(_MATURITIES, (3, 6, 12, 24, 60, 84, 120), strict=True))  # months
_LARGEST_ERROR = 0.0025  # of the fitted ten-year yield, on average; on FRED's curve it is a few basis points
_CORE, _WORLD = (tuple(LAYOUT[file].values()) for file in ("daily_core_balanced.csv", "daily_etf_tr.csv"))
_PRICES = {
    "DXY": "DX-Y.NYB",
    "HSI": "^HSI",
    "CSI_300": "000300.SS",
    "CNY_per_USD": "CNY=X",
    "COPPER_usd_mt": "HG=F",
    "BTC_usd": "BTC-USD",
}
_POUNDS_PER_TONNE = 2204.622622
_BILL_DAYS = 91
_HOPELESS = 2  # series of one source that failed, none that came: the others are not tried

_Raw = Mapping[str, "pd.Series[float]"]


@final
@dataclass(frozen=True)
class FolderFile:
    """One file of the folder.

    Attributes
    ----------
    name
        Of the file.
    status
        ``written``, ``missing``, or ``kept`` from an earlier download because it could not be made now.
    rows, first, last
        What was written; 0 and blank where nothing was.
    made_of
        What it holds and what it was made of.
    missing
        What could not be had, and why, a line each.
    sha256
        Of the file as written.
    """

    name: str
    status: str
    rows: int
    first: str
    last: str
    made_of: str
    missing: tuple[str, ...]
    sha256: str


@final
@dataclass(frozen=True, repr=False)
class DownloadedFolder:
    """What was written, and what could not be had; prints itself.

    Attributes
    ----------
    path
        The folder.
    files
        A record for each file of the layout.
    """

    path: Path
    files: tuple[FolderFile, ...]

    @property
    def is_complete(self) -> bool:
        """Whether every file was written with all of its columns."""
        return all(each.status == "written" and not each.missing for each in self.files)

    def __repr__(self) -> str:
        head, rows, notes = _shown(self)
        lines = [line for note in notes for line in textwrap.wrap(note, _WIDTH, subsequent_indent="  ")]
        return text_block([f"Downloaded folder {str(self.path)!r}", *text_table(head, rows, 2), *lines])

    def _repr_html_(self) -> str:
        head, rows, notes = _shown(self)
        return html_block(f"Downloaded folder {str(self.path)!r}", html_table(head, rows), notes)


@final
@dataclass(frozen=True)
class _Recipe:
    """How a file is made: of what it cannot do without, of what it can, and in words."""

    make: Callable[[_Raw], pd.DataFrame]
    needs: Sequence[str]
    may_use: Sequence[str]
    made_of: str


def download_folder(
    out: str | os.PathLike[str], *, downloads: Downloads | None = None, progress: bool = True
) -> DownloadedFolder:
    """Assemble the folder that :func:`score_article` reads, from FRED and Yahoo; say what could not be had.

    Nothing is written before all is there. ``sources.csv`` in the folder says of each file what it was made
    of, its span, its SHA-256, and what is missing. What is made of what: docs/data.md.

    Parameters
    ----------
    out
        The folder; made if needed. Files in it that an earlier download did not write are not replaced.
    downloads
        Cache, age and network.
    progress
        Whether to show a bar on a terminal or in a notebook.

    Raises
    ------
    InputError
        The folder or the cache cannot be written, or holds files of these names from elsewhere.
    DownloadError
        Nothing could be had at all.
    """
    folder, options = Path(out), Downloads() if downloads is None else downloads
    ours = _earlier(folder)
    raw, failures = _collected(options, progress)
    made = {name: _made(name, raw, failures) for name in LAYOUT}
    if all(isinstance(each, str) for each in made.values()):
        raise DownloadError("download", f"no file could be made: {_first(failures, made)}")
    contents = {name: _csv(each) for name, each in made.items() if isinstance(each, pd.DataFrame)}
    files = tuple(_described(name, made[name], contents, failures, name in ours) for name in LAYOUT)
    _write(folder, files, contents)
    return DownloadedFolder(folder, files)


def _first(failures: Mapping[str, str], made: Mapping[str, Any]) -> str:
    return next(iter(failures.values()), str(next(iter(made.values()))))


# --- what is there ---


def _earlier(folder: Path) -> set[str]:
    """Return the files that an earlier download wrote, refusing a folder with files from elsewhere."""
    if folder.exists() and not folder.is_dir():
        raise InputError("out", f"{str(folder)!r} is no folder", fix="choose another name")
    listed = _listed(folder / _SOURCES)
    foreign = [name for name in (*LAYOUT, _SOURCES) if (folder / name).exists() and name not in listed]
    if foreign:
        problem = f"{str(folder / foreign[0])!r} is there and was not written by a download"
        raise InputError("out", problem, fix="choose an empty folder")
    return {name for name in listed if (folder / name).exists()}


def _listed(path: Path) -> set[str]:
    """Return the names that a list of sources has, none where it is not one of ours."""
    try:
        with path.open(encoding="utf-8") as file:
            lines = file.read(2**16).splitlines()[: len(LAYOUT) + 1]
    except (OSError, ValueError):
        return set()
    if not lines or lines[0] != ",".join(_COLUMNS):
        return set()
    return {line.partition(",")[0] for line in lines[1:]} | {_SOURCES}


# --- what comes in ---


def _collected(options: Downloads, progress: bool) -> tuple[dict[str, pd.Series[float]], dict[str, str]]:
    """Return the series that could be had, and why others could not, by their names at the source."""
    wanted = [("FRED", name) for name in (*_CURVE, "DFII10", "DTB3")]
    wanted += [("Yahoo", name) for name in dict.fromkeys(["^SP500TR", *_CORE, *_WORLD, *_PRICES.values()])]
    found: dict[str, pd.Series[float]] = {}
    failures: dict[str, str] = {}
    came, failed = Counter[str](), Counter[str]()
    with progress_bar(len(wanted), "series", "download", wanted=progress) as bar:
        for source, name in wanted:
            if failed[source] >= _HOPELESS and not came[source]:
                failures[name] = f"{source} {name}: not tried, as nothing else came from {source}"
            else:
                answer = _asked(source, name, options)
                (failed if isinstance(answer, str) else came)[source] += 1
                if isinstance(answer, str):
                    failures[name] = answer
                else:
                    found[name] = answer
            bar.update(1)
    return found, failures


def _asked(source: str, name: str, options: Downloads) -> pd.Series[float] | str:
    """Return a series, or why it could not be had."""
    read = read_fred if source == "FRED" else read_yahoo
    try:
        return read([name], downloads=options)[name]
    except DownloadError as failure:
        return str(failure)
    except InputError as refusal:
        if refusal.argument != "tickers":
            raise  # of the cache: nothing will work
        return f"{source} {name}: {refusal.problem}; {refusal.fix}"


# --- what is made of it ---


def _yields(raw: _Raw) -> pd.DataFrame:
    names = [name for name in (*_CURVE, "DFII10", "DTB3") if name in raw]
    return _beside({name: raw[name] for name in names}).dropna(how="all")


def _long_daily(raw: _Raw) -> pd.DataFrame:
    """Return returns of a 10-year par bond and of the bill between the days on which both are known."""
    both = _beside({name: raw[name] for name in ("DGS10", "DTB3")}).dropna() / 100.0
    bill = _bill_returns(both["DTB3"])
    return pd.DataFrame({"UST10_ret": constant_maturity_returns(both["DGS10"], 10), "TBILL_ret": bill})


def _bill_returns(discount: pd.Series[float]) -> pd.Series[float]:
    """Return what a 3-month bill of bank discount d, price 1 - 91 d/360, earns to the next row, smoothly."""
    price = 1.0 - discount.iloc[:-1].to_numpy() * _BILL_DAYS / 360.0
    index = pd.DatetimeIndex(discount.index)
    days = (index[1:] - index[:-1]).days.to_numpy()
    return pd.Series(price ** (-days / _BILL_DAYS) - 1.0, index=index[1:])


def _monthly(raw: _Raw) -> pd.DataFrame:
    """Return monthly returns from the first month in which stocks, bonds and the bill are all known.

    All end with the month in which all are known to its end: half a month of one beside a whole one of
    another would be no return of that month.
    """
    fixed = (1.0 + _long_daily(raw)).cumprod()
    columns = {"US_EQ_ret": raw["^SP500TR"], "GOLD_ret": raw["GLD"]}
    daily = _beside({**columns, **{name: fixed[name] for name in fixed}})
    ends = [pd.DatetimeIndex(daily[name].dropna().index)[-1] for name in daily]
    known = daily.loc[: min(ends)]
    levels = at_month_ends(known).dropna(subset=["US_EQ_ret", "UST10_ret", "TBILL_ret"])
    return levels.pct_change(fill_method=None)


def _core(raw: _Raw) -> pd.DataFrame:
    return _beside({name: raw[name] for name in _CORE}).dropna()


def _world(raw: _Raw) -> pd.DataFrame:
    return _with_blanks({name: name for name in _WORLD}, raw)


def _prices(raw: _Raw) -> pd.DataFrame:
    table = _with_blanks(_PRICES, raw)
    table["COPPER_usd_mt"] *= _POUNDS_PER_TONNE
    weekdays = pd.DatetimeIndex(table.index).day_of_week < 5  # bitcoin trades on Sunday, the others do not
    kept: pd.DataFrame = table[np.asarray(weekdays)]
    return kept.dropna(how="all")


def _term_premium(raw: _Raw) -> pd.DataFrame:
    curve = _beside({months: raw[name] for name, months in _CURVE.items()}).dropna() / 100.0
    zeros = zero_curve(at_month_ends(curve))
    found = estimate_term_premium(zeros)
    error = float((found.fitted[10] - zeros[120]).abs().mean())
    if not error <= _LARGEST_ERROR:
        raise DownloadError("term premium", f"the model misses the ten-year yield by {1e4 * error:,.0f} bp")
    parts = {"ACMY10": found.fitted, "ACMTP10": found.premium, "ACMRNY10": found.risk_neutral}
    return pd.DataFrame({name: 100.0 * part[10] for name, part in parts.items()})


def _beside(columns: Mapping[Any, pd.Series[float]]) -> pd.DataFrame:
    frame: pd.DataFrame = pd.concat(columns, axis=1, sort=True)
    return frame


def _with_blanks(names: Mapping[str, str], raw: _Raw) -> pd.DataFrame:
    """Return columns, blank where a series could not be had."""
    there = _beside({name: raw[ticker] for name, ticker in names.items() if ticker in raw})
    return there.reindex(columns=list(names)).dropna(how="all")


_RECIPES: Mapping[str, _Recipe] = {
    "daily_yields_risk.csv": _Recipe(
        _yields,
        ("DGS10", "DFII10"),
        tuple(name for name in (*_CURVE, "DTB3") if name != "DGS10"),
        "FRED's daily yields as they are, percent a year",
    ),
    "daily_long_us.csv": _Recipe(
        _long_daily,
        ("DGS10", "DTB3"),
        (),
        "10-year par bond bought anew each day, of FRED DGS10; 3-month bill, of FRED DTB3; no stocks",
    ),
    "monthly_eom_1962.csv": _Recipe(
        _monthly,
        ("DGS10", "DTB3", "^SP500TR", "GLD"),
        (),
        "stocks: S&P 500 total return, Yahoo ^SP500TR; bond and bill as in daily_long_us.csv; gold: the fund "
        "GLD after its fee, from its listing on (FRED has had no gold price since January 2022). From "
        "1988 on, not 1962, where the stocks begin",
    ),
    "monthly_term_premium.csv": _Recipe(
        _term_premium,
        tuple(_CURVE),
        (),
        "our own estimate after Adrian, Crump and Moench (2013), in hindsight, on zero yields bootstrapped "
        "from FRED's par yields; not the New York Fed's file, from whose level it differs",
    ),
    "daily_core_balanced.csv": _Recipe(
        _core, _CORE, (), "Yahoo's adjusted closes, days on which all have one"
    ),
    "daily_etf_tr.csv": _Recipe(_world, (), _WORLD, "Yahoo's adjusted closes"),
    "daily_global_price.csv": _Recipe(
        _prices,
        ("DX-Y.NYB",),
        tuple(ticker for ticker in _PRICES.values() if ticker != "DX-Y.NYB"),
        "Yahoo's closes on weekdays: "
        + ", ".join(f"{name} {ticker}" for name, ticker in _PRICES.items())
        + "; copper is made dollars a tonne from a pound's. DXY, not FRED's broad dollar, another index",
    ),
}


def _made(name: str, raw: _Raw, failures: Mapping[str, str]) -> pd.DataFrame | str:
    """Return the table of a file, or why there is none."""
    recipe = _RECIPES[name]
    lacking = next((need for need in recipe.needs if need in failures), None)
    if lacking is not None:
        return failures[lacking]
    if recipe.may_use and not recipe.needs and not any(each in raw for each in recipe.may_use):
        return failures[recipe.may_use[0]]
    try:
        table = recipe.make(raw)
    except AllocatorError as refusal:
        return str(refusal)
    return table if len(table) else "the series have no dates in common"


# --- what goes out ---

_COLUMNS = ("file", "status", "rows", "first", "last", "sha256", "made_of", "missing")


def _csv(table: pd.DataFrame) -> bytes:
    text = table.rename_axis("date").to_csv(date_format="%Y-%m-%d", lineterminator="\n")
    return text.encode()


def _described(
    name: str,
    made: pd.DataFrame | str,
    contents: Mapping[str, bytes],
    failures: Mapping[str, str],
    is_there: bool,
) -> FolderFile:
    recipe = _RECIPES[name]
    if isinstance(made, str):
        return FolderFile(name, "kept" if is_there else "missing", 0, "", "", recipe.made_of, (made,), "")
    first, last = iso_date(made.index[0]), iso_date(made.index[-1])
    blank = tuple(failures[each] for each in recipe.may_use if each in failures)
    digest = hashlib.sha256(contents[name]).hexdigest()
    return FolderFile(name, "written", len(made), first, last, recipe.made_of, blank, digest)


def _write(folder: Path, files: Sequence[FolderFile], contents: Mapping[str, bytes]) -> None:
    """Write the list first: a file that it names is ours to replace, should we be stopped before the end."""
    make_folder(folder, "out", "choose another folder")
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for each in files:
        facts = (each.status, each.rows, each.first, each.last, each.sha256, each.made_of)
        writer.writerow(map(csv_text, (each.name, *facts, " | ".join(each.missing))))
    write_whole(folder / _SOURCES, lines.getvalue().encode(), "out")
    for name, content in contents.items():
        write_whole(folder / name, content, "out")


def _shown(downloaded: DownloadedFolder) -> tuple[list[str], list[list[str]], list[str]]:
    """Return head, rows and footer of the table."""
    head = ["file", "status", "rows", "first", "last"]
    rows = [[each.name, each.status, f"{each.rows:,}", each.first, each.last] for each in downloaded.files]
    notes = [f"{each.name}: {each.made_of}" for each in downloaded.files]
    for each in downloaded.files:
        what = "a column is blank" if each.status == "written" else each.status
        notes += [f"{each.name}, {what}: {text}" for text in each.missing]
    return (
        head,
        rows,
        [*notes, "latest revised figures, not vintages; sources.csv in the folder says the same"],
    )
