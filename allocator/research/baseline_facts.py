"""What a baseline records of a backtest: results, and hashes of what went in."""

from __future__ import annotations

import datetime as dt
import hashlib
import importlib.metadata
import json
import platform
import re
import sys
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.engine import Backtest
from allocator.errors import UndefinedStatisticWarning, iso_date
from allocator.frequency import years_between
from allocator.market import Market, Signal
from allocator.research.baseline_file import RESOLUTION, Baseline, Data, Window
from allocator.statistics import performance_summary
from allocator.sweeps.digest import digest

__all__ = ["DATED_METRICS", "METRICS", "record_baseline"]

DATED_METRICS = ("peak", "trough", "recovery")
_PAID = ("interest", "borrow_spread", "short_fees", "commissions", "bid_ask", "fixed", "management_fee")
METRICS = (
    *("final_value", "cagr", "volatility", "sharpe", "sharpe_se", "sortino", "max_drawdown"),
    *DATED_METRICS,
    *("calmar", "var_95", "es_95", "skew", "kurtosis", "best", "worst", "n", "turnover"),
    *(f"total_{item}" for item in _PAID),
)
_PACKAGES = ("allocator-backtest", "numpy", "pandas", "scipy", "cvxpy")
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_LEAVES = (pd.Series, pd.DataFrame, pd.Index, np.ndarray, dt.date, Enum)
_LONGEST, _DEEPEST = 200, 8


def record_baseline(backtest: Backtest, target: str | None = None) -> Baseline:
    """Return what a backtest was; ``target`` names the function that made it, ``module:function``."""
    value, parameters, modules = backtest.value, *_parameters(backtest)
    targets = backtest.targets.loc[:, (backtest.targets != 0.0).any(axis=0)]
    return Baseline(
        name=backtest.name,
        target=target,
        window=Window(iso_date(value.index[0]), iso_date(value.index[-1]), len(value) - 1),
        metrics=_metrics(backtest),
        yearly_returns=_yearly(backtest.returns),
        conventions=backtest.conventions,
        parameters_sha256=_sha(json.dumps(parameters, sort_keys=True).encode()),
        parameters=parameters,
        versions=_versions(),
        code={module: _source(module) for module in sorted(modules)} | {"allocator": _library()},
        data=_data(backtest.market),
        assets=tuple(map(str, targets.columns)),
        weights={
            iso_date(date): tuple(row)
            for date, row in zip(targets.index, targets.to_numpy().tolist(), strict=True)
        },
        returns=_by_month(backtest.returns),
    )


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _metrics(backtest: Backtest) -> dict[str, float | str | None]:
    """Return the performance summary, what was traded a year, and what was paid in all, in money."""
    dates, frequency = pd.DatetimeIndex(backtest.value.index), backtest.market.frequency
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedStatisticWarning)  # an undefined one is null
        summary = performance_summary(
            backtest.returns, backtest.cash_returns, frequency.periods_per_year, dates[0]
        ).iloc[0]
    years, itemised = float(years_between(dates, frequency).sum()), backtest.itemised
    found = {
        **summary.to_dict(),
        "final_value": float(backtest.value.iloc[-1]),
        "turnover": float(backtest.turnover.iloc[1:].sum()) / years,
        **{f"total_{item}": float(itemised[item].sum()) for item in _PAID},
    }
    return {name: _plain(found[name]) for name in METRICS}


def _plain(value: Any) -> float | str | None:
    if pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp):
        return iso_date(value)
    number = value.item() if isinstance(value, np.generic) else value
    return number + 0.0 if isinstance(number, float) else int(number)  # + 0.0: no negative zero


def _yearly(returns: pd.Series[float]) -> dict[str, float]:
    """Return the return of each calendar year, from the rows dated in it; the first may be a part."""
    grown = (1.0 + returns).groupby(pd.DatetimeIndex(returns.index).year).prod() - 1.0
    return {f"{year:04d}": float(each) for year, each in grown.items()}


def _by_month(returns: pd.Series[float]) -> dict[str, str]:
    lines: dict[str, list[str]] = {}
    for date, each in zip(pd.DatetimeIndex(returns.index), returns.to_numpy(), strict=True):
        lines.setdefault(f"{date:%Y-%m}", []).append(f"{date:%d}:{round(each / RESOLUTION)}")
    return {month: " ".join(cells) for month, cells in lines.items()}


# Data.


def _data(market: Market) -> Data:
    months = market.index.strftime("%Y-%m").to_numpy()
    starts = np.flatnonzero(np.append(True, months[1:] != months[:-1]))
    columns = [*market.levels.T, market.cash]
    hashed = {
        str(months[a]): " ".join(_sha(_exact(market.days[a:b], column[a:b]))[:8] for column in columns)
        for a, b in zip(starts, np.append(starts[1:], len(months)), strict=True)
    }
    signals = {name: _signal(signal) for name, signal in market.signals.items()}
    listings = (market.listed_from, market.listed_until)
    whole = [json.dumps([market.assets, signals]).encode(), _exact(market.days, *columns, *listings)]
    return Data(
        name=market.name,
        frequency=str(market.frequency),
        first=iso_date(market.index[0]),
        last=iso_date(market.index[-1]),
        n_rows=len(market.index),
        sha256=_sha(b"\n".join(whole)),
        signals=signals,
        columns=(*market.assets, "cash"),
        months=hashed,
    )


def _exact(*arrays: NDArray[Any]) -> bytes:
    """Return the bytes of numbers, the same on every machine."""
    return b"".join(
        np.ascontiguousarray(each, dtype="<f8" if each.dtype.kind == "f" else "<i8").tobytes()
        for each in arrays
    )


def _signal(signal: Signal) -> str:
    dates = [pd.DatetimeIndex(signal.values.index)]
    dates += [signal.describes] if signal.describes is not None else []
    days = [each.to_numpy().astype("datetime64[D]").astype(np.int64) for each in dates]
    return _sha(_exact(*days, signal.values.to_numpy(dtype=float)))


# Parameters, and the code that reads them.


def _parameters(backtest: Backtest) -> tuple[dict[str, str], set[str]]:
    """Return what was asked for, a text a name, and the modules of the objects in it."""
    asked = {
        "strategy": backtest.strategy,
        "rebalancing": backtest.rebalancing,
        "costs": backtest.costs,
        "lag": backtest.lag,
        "mandate": backtest.mandate,
        "initial_value": backtest.initial_value,
    }
    modules: set[str] = set()
    texts = {name: text for key, value in asked.items() for name, text in _flat(key, value, modules, ())}
    texts |= {f"flows.{iso_date(date)}": repr(float(flow)) for date, flow in backtest.flows.items()}
    return texts, {name for name in modules if not name.startswith(("allocator.", "builtins"))}


def _flat(name: str, value: Any, modules: set[str], above: tuple[int, ...]) -> Iterator[tuple[str, str]]:
    """Yield what a parameter is made of, each part with its name."""
    if isinstance(value, Mapping) and value and len(above) < _DEEPEST:
        for key, each in value.items():
            yield from _flat(f"{name}.{key}", each, modules, (*above, id(value)))
        return
    inside = _inside(value)
    if inside is None:
        yield name, _leaf(value)
        return
    modules.add(type(value).__module__)
    yield name, f"{type(value).__module__}.{type(value).__qualname__}"
    if len(above) < _DEEPEST and id(value) not in above:
        for key, each in inside.items():
            yield from _flat(f"{name}.{key}", each, modules, (*above, id(value)))


def _inside(value: Any) -> dict[str, Any] | None:
    """Return what an object was made with, None for one that is no object of parameters."""
    if isinstance(value, type) or (callable(value) and not is_dataclass(value)):
        return None
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value) if field.init}
    if isinstance(value, _LEAVES) or not hasattr(value, "__dict__"):
        return None
    return dict(sorted(vars(value).items()))


def _leaf(value: Any) -> str:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, pd.Series | pd.DataFrame | np.ndarray):
        return f"{type(value).__name__} {value.shape} sha256 {digest(value)[:16]}"
    if isinstance(value, list | tuple):
        text = f"({', '.join(map(_leaf, value))})"
    elif isinstance(value, set | frozenset):
        text = f"{{{', '.join(sorted(map(_leaf, value)))}}}"
    elif callable(value):
        text = f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', type(value).__name__)}"
    else:
        text = _ADDRESS.sub("", repr(value))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… sha256 {_sha(text.encode())[:16]}"


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "platform": f"{sys.platform} {platform.machine()}"}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:  # run from a checkout
            found[package] = "not installed"
    return found


def _source(module: str) -> str:
    """Return the beginning of a SHA-256 of a module's source, the ends of lines aside."""
    file = getattr(sys.modules.get(module), "__file__", None)
    return "no source" if file is None else _hash_of(Path(file))


def _hash_of(file: Path) -> str:
    try:
        return _sha(file.read_bytes().replace(b"\r\n", b"\n"))[:16]
    except OSError:
        return "no source"


@cache
def _library() -> str:
    """Return the same of all modules of the library."""
    root = Path(__file__).resolve().parents[1]
    files = sorted(root.rglob("*.py"), key=lambda path: path.relative_to(root).as_posix())
    return _sha(
        "\n".join(f"{file.relative_to(root).as_posix()} {_hash_of(file)}" for file in files).encode()
    )[:16]
