"""The readers of files: what each is given to begin with, and what must hold of whatever it accepts."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import random
import tempfile
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, final

import numpy as np
import pandas as pd

import allocator as al
from allocator.errors import AllocatorError
from allocator.market.cache import Cache
from allocator.market.download import read_table
from allocator.market.frames import read_frame
from allocator.market.yahoo import _sessions, _written
from allocator.papers import verification
from allocator.papers.data import open_data
from allocator.papers.manifest import read_manifest
from allocator.papers.reproduction import reproduce
from allocator.papers.study import Study, read_study
from allocator.research.baseline_facts import record_baseline
from allocator.research.baseline_file import baseline_text, read_baseline
from allocator.research.show_baseline import check_html
from allocator.scoreboard.folder import LAYOUT, at_month_ends, read_panel
from allocator.sweeps.store import read_store, sealed
from benchmarks.fuzz_mutate import STRUCTURE, mutated
from benchmarks.parquet_by_hand import ZSTD, page, parquet

__all__ = ["OF_OBJECTS", "READERS", "Reader", "UnmetError", "make_readers"]


class UnmetError(Exception):
    """A reader accepted what it should not have, or made something else of it."""


@final
@dataclass(frozen=True)
class Reader:
    """A reader under test.

    Attributes
    ----------
    make
        What it is given, of a generator of random numbers.
    run
        Reads that and checks what is accepted; raises AllocatorError for a refusal.
    """

    make: Callable[[random.Random], Any]
    run: Callable[[Any], None]


def _hold(condition: object, what: str) -> None:
    if not condition:
        raise UnmetError(what)


# --- prices ---

_CSV = (
    b"date,SPY,GLD\n2020-01-01,300.5,150\n2020-01-02,301.25,\n2020-01-03,299,151\n",
    b'"S&P, 500",Date\r\n" 1.5",2020-01-01\r\n2e3,2020-01-02\r\n',
    b"\xef\xbb\xbfDatum,a,b,c,d\n1999-12-31,1,NA,.,-1\n2000-01-03,1e-5,0,2,-2\n",
)


def _prices(path: Path) -> None:
    table = al.read_prices(path)
    _check_prices(table)
    if path.suffix == ".csv":
        _hold(not np.isinf(table.to_numpy()).any(), "infinite")


def _check_prices(table: pd.DataFrame) -> None:
    _hold(isinstance(table.index, pd.DatetimeIndex) and not table.index.hasnans, "no date")
    _hold(len(table) and len(table.columns) and table.columns.is_unique, "nothing, or a name twice")
    _hold(all(isinstance(name, str) and name.strip() for name in table.columns), "a name that is none")
    _hold(all(kind.kind == "f" for kind in table.dtypes), "no floats")
    try:
        al.Market(table, 0.0)
    except AllocatorError:
        return


def _parquet_seeds() -> list[bytes]:
    table = pd.DataFrame(
        {"date": pd.date_range("2020-01-01", periods=20), "SPY": 1.5, "GLD": np.arange(20.0)}
    )
    named = table.set_index("date").rename_axis(None)
    return [
        _written_parquet(table),
        _written_parquet(named, compression="none"),
        _written_parquet(table, compression="zstd", data_page_version="2.0"),
        parquet(),
        parquet(20),
    ]


def _written_parquet(table: pd.DataFrame, **options: Any) -> bytes:
    content = io.BytesIO()
    table.to_parquet(content, **options)
    return content.getvalue()


def _any_parquet(draw: random.Random, seeds: Sequence[bytes]) -> bytes:
    """Return a damaged file, one that lies about its sizes, or a sound one of columns of any kind."""
    kind = draw.random()
    if kind < 0.6:
        return mutated(draw, seeds, ())
    sizes = (0, 1, 3, 4, 100, 10**6, 10**7, 2**31 - 1, 2**40, -1)
    if kind < 0.8:
        names = ("rows", "group_rows", "values", "page_values", "unpacked")
        lies: dict[str, Any] = {name: draw.choice(sizes) for name in draw.sample(names, draw.randrange(4))}
        lies |= {"depth": draw.choice((0, 0, 3, 40))} if draw.random() < 0.3 else {}
        lies |= {"codec": draw.choice((0, 1, 2, ZSTD, 7, 99))} if draw.random() < 0.3 else {}
        if draw.random() < 0.3:
            lies["dictionary"] = page(draw.randbytes(draw.randrange(40)), draw.choice(sizes), kind=2)
        return parquet(draw.choice((0, 1, 3, 50)), **lies)
    import pyarrow.parquet as pq
    from pyarrow.lib import ArrowException

    content = io.BytesIO()
    try:
        pq.write_table(_any_table(draw), content)
    except ArrowException:  # what Parquet cannot hold
        return seeds[0]
    return content.getvalue()


_FLOATS = (None, 1.5, -0.0, float("inf"), float("nan"))


def _any_table(draw: random.Random) -> Any:
    """Return a table of Arrow with columns of any kind."""
    import pyarrow as pa

    n = draw.choice((0, 1, 2, 5))
    whole = [draw.choice((None, 0, 1, -1, 2**31 - 1, 20_000)) for _ in range(n)]
    kinds: tuple[Callable[[], Any], ...] = (
        lambda: pa.array([draw.choice(_FLOATS) for _ in range(n)], pa.float64()),
        lambda: pa.array([1.0] * n, pa.float32()),
        lambda: pa.array(whole, draw.choice((pa.int32(), pa.int64(), pa.date32(), pa.time32("s")))),
        lambda: pa.array(
            [None if each is None else each * draw.choice((1, 10**6, 2**31)) for each in whole],
            pa.timestamp(draw.choice(("s", "us", "ns")), draw.choice((None, None, "UTC"))),
        ),
        lambda: pa.array([draw.choice((None, "a", "2020-01-01")) for _ in range(n)], pa.string()),
        lambda: pa.array([[1.0]] * n, pa.list_(pa.float64())),
        lambda: pa.array([{"x": 1}] * n, pa.struct([("x", pa.int64())])),
        lambda: pa.array(["a"] * n, pa.string()).dictionary_encode(),
        lambda: pa.array(whole, pa.int64()).cast(pa.decimal128(38, 3)),
        lambda: pa.array([b"\x80\x04."] * n, pa.binary()),
        lambda: pa.nulls(n),
        lambda: pa.array(range(18_000, 18_000 + n), pa.int32()).cast(pa.date32()),
    )  # fmt: skip
    names = (
        "date",
        "Date",
        "when",
        "a",
        "b",
        "a.b",
        "",
        " ",
        "é",
        "\x1b[2J",
        "__index_level_0__",
        "x" * 2_000,
    )
    columns = [(draw.choice(names), draw.choice(kinds)()) for _ in range(draw.randrange(4))]
    columns += [("date", kinds[-1]())] if draw.random() < 0.7 else []
    draw.shuffle(columns)
    return pa.Table.from_arrays([each for _, each in columns], [name for name, _ in columns])


def _frame(table: Any) -> None:
    _check_frame(read_frame(table))


def _check_frame(table: pd.DataFrame) -> None:
    _hold(isinstance(table.index, pd.DatetimeIndex) and not table.index.hasnans, "no date")
    _hold(all(kind.kind == "f" for kind in table.dtypes), "no floats")


# --- downloads ---

_FRED = (
    b"observation_date,DGS10\n2020-01-01,.\n2020-01-02,1.88\n2020-01-03,-0.5\n",
    b"DATE,VALUE\n1999-12-31,1\n",
)


def _fred(body: bytes) -> None:
    values = read_table("FRED DGS10", body, ("DGS10", "VALUE"))
    index = pd.DatetimeIndex(values.index)
    _hold(len(values) and index.is_monotonic_increasing and index.is_unique, "dates out of order")
    _hold(not np.isinf(values.to_numpy()).any(), "infinite")


_KEY = {"source": "fred", "series": "DGS10"}


def _cache_seeds() -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        cache = Cache(Path(folder))
        cache.write(_KEY, _FRED[0])
        return [cache.path(_KEY).read_bytes()]


def _any_entry(draw: random.Random, seeds: Sequence[bytes]) -> bytes:
    """Return a damaged entry, or one with a checksum that fits whatever it holds."""
    if draw.random() < 0.4:
        return mutated(draw, seeds, ())
    header, _, body = seeds[0].partition(b"\n")[2].partition(b"\n")
    if draw.random() < 0.5:
        header = mutated(draw, [header], STRUCTURE["json"])
    else:
        length, body = len(body), mutated(draw, _FRED, STRUCTURE["table"])
        header = header.replace(b'"bytes": %d' % length, b'"bytes": %d' % len(body))
    rest = header + b"\n" + body
    return b"allocator-cache 1 %s\n" % hashlib.sha256(rest).hexdigest().encode() + rest


def _cache(content: bytes, folder: Path) -> None:
    cache = Cache(folder)
    cache.path(_KEY).write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            entry = cache.read(_KEY)
        except UserWarning as warning:
            raise AllocatorError(str(warning)) from None  # what is documented for a damaged entry
    _hold(entry is not None and entry.fetched.tzinfo is not None, "no entry, or no zone")
    assert entry is not None
    _hold(isinstance(dt.datetime.now(dt.UTC) - entry.fetched, dt.timedelta), "no age")
    _fred(entry.body)


def _any_answer(draw: random.Random) -> pd.DataFrame:
    """Return what a library of Yahoo might answer."""
    n = draw.choice((1, 2, 4))
    starts = (0, 1, -(10**9), 20_000, 10**8)
    days = [np.datetime64(draw.choice(starts) + j, "D") for j in range(n)]
    index: Any = pd.DatetimeIndex(np.array(days, "datetime64[s]"))
    if draw.random() < 0.3 and max(abs(day.astype(int)) for day in days) < 10**5:
        index = index.tz_localize("America/New_York")
    if draw.random() < 0.3:
        index = draw.choice((index[::-1], index.append(index), index.insert(0, pd.NaT), pd.RangeIndex(n)))
    cells = (1.5, 2, "x", None, float("inf"), float("nan"), True, pd.Timestamp(0), 10**400, 1j, b"x", [1])
    few = draw.sample(cells, draw.choice((1, 1, 2, 5)))
    column = [draw.choice(few) for _ in range(len(index))]
    made = pd.DataFrame({"Close": pd.Series(column, dtype=object)})
    made = made.infer_objects() if draw.random() < 0.8 else made
    made.index = index
    if draw.random() < 0.1:
        made = pd.concat([made, made], axis=1)
    return made


def _yahoo(answer: pd.DataFrame) -> None:
    library = type(
        "Yahoo", (), {"Ticker": lambda _, __: type("T", (), {"history": lambda _, **__: answer})()}
    )()
    from allocator.market.yahoo import _ask

    body = _written(_sessions("Yahoo SPY", _ask("Yahoo SPY", library, "SPY", 1.0)))
    values = read_table("Yahoo SPY", body, ("close",))
    _hold(values.index.is_monotonic_increasing and not np.isinf(values).any(), "dates or values")


# --- studies, manifests, baselines, sweeps, panels ---

_STUDY = b'title = "t"\nseed = 0\n[data]\nhistory = "us_history"\n[[strategies]]\nclass = "SixtyForty"\n'
_STUDIES = (
    _STUDY,
    b"""title = "A study"
seed = 7
figures = ["growth", "curve"]
[data]
file = "p.csv"
columns = { stocks = "A", bonds = "B" }
cash = 0.02
[window]
start = 1980-01-01
end = "2010"
[[strategies]]
class = "RiskParity"
assets = ["stocks", "bonds"]
covariance = { class = "LedoitWolfCovariance" }
target_volatility = 0.10
name = "levered"
[[strategies]]
class = "RegimeSwitch"
rule = { function = "inflation_level", threshold = 0.05 }
otherwise = { class = "SixtyForty", stock_weight = 0.3 }
[strategies.strategies]
"inflation under 5%" = { class = "FixedMix", mix = { stocks = 1.0 } }
[[runs]]
name = "One, dear"
lag = 1
rebalancing = [{ class = "Yearly" }, { class = "Band", width = 0.05, on = { class = "Monthly" } }]
costs = { trading = 0.001, bid_ask = { stocks = 0.002, bonds = 0.001 } }
[[regimes]]
function = "inflation_level"
threshold = 0.03
[[tests]]
kind = "sharpe_differences"
name = "differences"
n_resamples = 199
periods = [["", "1999"], ["2000", ""]]
[[tests]]
kind = "weight_curve"
name = "curve"
base = { stocks = 0.6, bonds = 0.4 }
asset = "gold"
weights = [0.1, 0.2]
funded_from = "bonds"
""",
)


def _study(path: Path) -> None:
    study = read_study(path)
    _hold(study.title is not None and study.strategies and study.runs, "nothing to run")
    _hold(len(study.sha256) == 64 and isinstance(study.seed, int), "no digest or seed")
    repr((study.strategies, study.runs, study.analyses))


def _market() -> al.Market:
    index = pd.bdate_range("2020-01-01", periods=60)
    return al.Market(pd.DataFrame({"stocks": np.linspace(1.0, 2.0, 60), "bonds": 1.0}, index), 0.0)


@final
@dataclass(frozen=True, eq=False)
class _Verified:
    """A study that was run once, to compare manifests with."""

    study: Study
    data: Any
    results: Any
    text: bytes


def _verified() -> _Verified:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "study.toml"
        path.write_bytes(_STUDY)
        found = reproduce(path, Path(folder) / "out")
        study = read_study(path)
        given = read_manifest(found.manifest)
        data = open_data(study.data, study.folder)
        return _Verified(study, data, given["results"], found.manifest.read_bytes())


def _manifest(path: Path, known: _Verified) -> None:
    given = read_manifest(path)
    json.dumps(given, allow_nan=False)
    lines, n, largest = verification._compared(given["results"], known.results, 1e-7)
    was = verification._not_as_it_was(given, known.study, known.data)
    worded = verification._worded({"performance": ["a"]}, given["conventions"])
    changes = (*was, *verification._elsewhere(given), *worded)
    shown = verification.Verification("different", tuple(lines), changes, n, largest, 1e-7)
    _hold(len(repr(shown)) > 10 and shown._repr_html_(), "nothing to show")
    repr(shown).encode("utf-8")
    _hold(not verification._compared(given["results"], given["results"], 0.0)[0], "not equal to itself")


def _baseline(path: Path, backtest: Any) -> None:
    check = al.check_baseline(backtest, path)
    was = read_baseline(path)
    str(check).encode("utf-8")
    check_html(check).encode("utf-8")
    path.write_bytes(baseline_text(was).encode("utf-8", "backslashreplace"))
    _hold(repr(read_baseline(path)) == repr(was), "does not come back as it was")


_SWEEP = (
    b'{"format": "allocator sweep", "version": 2, "runs": 4, "parts": {"market": "a", "lag": "b"}}\n'
    b'{"block": 0, "rows": [[1.0, null, 3], [Infinity, 2.0, -0.0]]}\n'
    b'{"block": 1, "rows": [[1, 2, 3], [4, 5, 6]]}\n'
)


def _sweep(path: Path) -> None:
    header, *lines = path.read_bytes().splitlines(keepends=True) or [b""]
    # Each line gets a digest that fits what it has become, or nothing after it would be looked at.
    path.write_bytes(header + b"".join(sealed(line.lstrip(b"{"), header) for line in lines))
    parts, sizes = {"market": "a", "lag": "b"}, [2, 2]
    done = read_store(path, parts, sizes, 3)
    _hold(all(type(j) is int and rows.shape == (2, 3) for j, rows in done.items()), "not the blocks")
    again = read_store(path, parts, sizes, 3)
    _hold(repr(again) == repr(done), "another answer the second time")


_PANEL = (
    b"date,DGS10,DFII10\n2020-01-30,1.5,0.1\n2020-01-31,1.6,.\n2020-02-03,1.7,0.2\n2020-02-28,1.6,0.2\n",
)


def _panel(path: Path) -> None:
    table = read_panel(path.parent, path.name)
    _hold(table is not None, "nothing")
    assert table is not None
    index = pd.DatetimeIndex(table.index)
    _hold(list(table.columns) == list(LAYOUT[path.name]), "other columns")
    _hold(index.is_monotonic_increasing and index.is_unique, "dates out of order")
    _hold(not np.isinf(table.to_numpy()).any(), "infinite")
    if index[0].year > 1700 and index[-1].year < 2200 and (index[-1] - index[0]).days < 10_000:
        at_month_ends(table)


# --- all of them ---

_FILES = {
    "csv": "prices.csv",
    "parquet": "prices.parquet",
    "study": "study.toml",
    "manifest": "manifest.json",
    "baseline": "baseline.json",
    "sweep": "sweep.jsonl",
    "panel": "daily_yields_risk.csv",
}
READERS = (
    "csv",
    "parquet",
    "frame",
    "fred",
    "yahoo",
    "cache",
    "study",
    "manifest",
    "baseline",
    "sweep",
    "panel",
)


OF_OBJECTS = ("frame", "yahoo")  # which are given tables, not bytes


def _from_bytes(seeds: Sequence[bytes], structure: str) -> Callable[[random.Random], bytes]:
    return lambda draw: mutated(draw, seeds, STRUCTURE[structure])


def _of_file(folder: Path, name: str, read: Callable[[Path], None]) -> Callable[[bytes], None]:
    def run(content: bytes) -> None:
        path = folder / _FILES[name]
        path.write_bytes(content)
        read(path)

    return run


def make_readers(folder: Path, names: Sequence[str] = READERS) -> dict[str, Reader]:
    """Return readers by name, which write what they read to a folder."""
    makers: dict[str, Callable[[], Reader]] = {
        "csv": lambda: Reader(_from_bytes(_CSV, "table"), _of_file(folder, "csv", _prices)),
        "parquet": lambda: Reader(
            partial(_any_parquet, seeds=_parquet_seeds()), _of_file(folder, "parquet", _prices)
        ),
        "frame": lambda: Reader(_any_table, _frame),
        "fred": lambda: Reader(_from_bytes(_FRED, "table"), _fred),
        "yahoo": lambda: Reader(_any_answer, _yahoo),
        "cache": lambda: Reader(partial(_any_entry, seeds=_cache_seeds()), partial(_cache, folder=folder)),
        "study": lambda: Reader(_from_bytes(_STUDIES, "toml"), _of_file(folder, "study", _study)),
        "manifest": lambda: _manifest_reader(folder),
        "baseline": lambda: _baseline_reader(folder),
        "sweep": lambda: Reader(_from_bytes([_SWEEP], "json"), _of_file(folder, "sweep", _sweep)),
        "panel": lambda: Reader(_from_bytes(_PANEL, "table"), _of_file(folder, "panel", _panel)),
    }
    return {name: makers[name]() for name in names}


def _manifest_reader(folder: Path) -> Reader:
    known = _verified()
    return Reader(
        _from_bytes([known.text], "json"), _of_file(folder, "manifest", partial(_manifest, known=known))
    )


def _baseline_reader(folder: Path) -> Reader:
    backtest = al.run_backtest(al.FixedMix({"stocks": 0.6, "bonds": 0.4}), _market())
    other = al.run_backtest(al.FixedMix({"stocks": 0.5, "bonds": 0.4}), _market())
    seeds = [baseline_text(record_baseline(each)).encode() for each in (backtest, other)]
    return Reader(
        _from_bytes(seeds, "json"), _of_file(folder, "baseline", partial(_baseline, backtest=backtest))
    )
