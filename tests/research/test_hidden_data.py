"""Data that a strategy carries are given another future, or a caveat names where they are."""

from __future__ import annotations

import array
import collections
import json
import pickle
import types
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import hidden_store as filled_here  # another name: what imports it within finds it in no global
import numpy as np
import pandas as pd
import pytest
from leaks import ASSETS, by_score, leaky_market

import allocator as al
from allocator import audit_causality, load_us_history
from allocator.engine import FixedMix, Strategy
from allocator.market import Market

MARKET = leaky_market()
PRICES = MARKET.prices["stocks"]
TABLE = MARKET.prices[list(ASSETS)]
VALUES = [float(price) for price in PRICES]
N_ROWS = len(VALUES)
GLOBAL_PRICES = PRICES.copy()


@pytest.fixture(autouse=True)
def _store() -> Iterator[None]:
    filled_here.DATA["prices"] = PRICES.copy()
    yield
    filled_here.DATA.clear()


@dataclass(frozen=True, eq=False)
class Holds(Strategy):
    """Asks a function for a score of what it holds, which may lie ahead."""

    data: Any
    score: Callable[[Any, Market], float]
    name: str = "holds"

    def weights(self, past: Market) -> dict[str, float]:
        return by_score(("stocks", "bonds"), [self.score(self.data, past), 0.0])


def ahead(past: Market) -> int:
    return min(len(past.index) + 4, N_ROWS - 1)


def by_row(data: Any, past: Market) -> float:
    return float(data[ahead(past)]) / past.levels[-1, 0] * 50 - 50


def by_first_of_row(data: Any, past: Market) -> float:
    return float(data[ahead(past)][0]) / past.levels[-1, 0] * 50 - 50


def by_column(data: Any, past: Market) -> float:
    return float(data[0, ahead(past)]) / past.levels[-1, 0] * 50 - 50


def by_label(data: Any, past: Market) -> float:
    return 1.0 if data[ahead(past)] in ("up", True) else 0.0


def by_key(data: Any, past: Market) -> float:
    return float(np.mean([list(data.values())[k] for k in range(ahead(past), len(data))])) / 10


def by_month(data: Any, past: Market) -> float:
    return float(list(data.values())[-1]) / 10


def by_position(data: Any, past: Market) -> float:
    return float(np.asarray(data)[-1].sum()) / 50


class Slotted:
    """Keeps its data under a private name."""

    __slots__ = ("__prices",)

    def __init__(self, prices: list[float]) -> None:
        self.__prices = prices

    def __getitem__(self, row: int) -> float:
        return self.__prices[row]


def months() -> pd.Series[float]:
    return PRICES.groupby(PRICES.index.to_period("M")).last()


def by_dates_of_python() -> pd.DataFrame:
    return TABLE.set_axis(pd.Index([date.date() for date in TABLE.index], dtype=object))


ALTERED: dict[str, tuple[Callable[[], Any], Callable[[Any, Market], float]]] = {
    "a list of numbers of NumPy": (lambda: list(PRICES.to_numpy()), by_row),
    "a deque": (lambda: collections.deque(VALUES), by_row),
    "a list of rows": (lambda: TABLE.to_numpy().tolist(), by_first_of_row),
    "a list of tuples": (lambda: list(TABLE.itertuples(index=False, name=None)), by_first_of_row),
    "a list of arrays": (lambda: list(TABLE.to_numpy().copy()), by_first_of_row),
    "a list of records": (
        lambda: TABLE.to_dict("records"),
        lambda data, past: float(data[ahead(past)]["stocks"]) / past.levels[-1, 0] * 50 - 50,
    ),
    "lists by row in a list": (lambda: [list(VALUES)], lambda data, past: by_row(data[0], past)),
    "a list of labels": (lambda: ["up" if p > 100 else "down" for p in np.roll(VALUES, 7)], by_label),
    "a list of true and false": (lambda: [bool(k % 3) for k in range(N_ROWS)], by_label),
    "a dictionary by period": (lambda: dict(months().items()), by_month),
    "a dictionary by month as text": (lambda: {str(k): v for k, v in months().items()}, by_month),
    "a dictionary by year and month": (lambda: {(k.year, k.month): v for k, v in months().items()}, by_month),
    "a dictionary by row": (lambda: dict(enumerate(VALUES)), by_key),
    "a view of a dictionary": (lambda: types.MappingProxyType(dict(PRICES.items())), by_key),
    "a UserDict": (lambda: collections.UserDict(dict(PRICES.items())), by_key),
    "a ChainMap": (lambda: collections.ChainMap(dict(PRICES.items())), by_key),
    "an array of Python": (lambda: array.array("d", VALUES), by_row),
    "a view of memory": (lambda: memoryview(np.array(VALUES)), by_row),
    "an array of pandas": (lambda: pd.array(VALUES), by_row),
    "a weak reference": (
        lambda: weakref.ref(GLOBAL_PRICES),
        lambda ref, past: by_row(ref().to_numpy(), past),
    ),
    "a private slot": (lambda: Slotted(list(VALUES)), by_row),
    "an array with rows across": (lambda: TABLE.to_numpy().T.copy(), by_column),
    "a table by dates of Python": (by_dates_of_python, by_position),
    "a table by dates as text": (
        lambda: TABLE.set_axis(pd.Index([f"{date:%Y-%m-%d}" for date in TABLE.index])),
        by_position,
    ),
    "a stacked table": (
        lambda: TABLE.stack(),  # noqa: PD013
        by_position,
    ),
    "a table with dates across": (lambda: TABLE.T, lambda data, past: by_column(data.to_numpy(), past)),
    "a table by row": (lambda: TABLE.reset_index(drop=True), by_position),
}


@pytest.mark.parametrize("place", ALTERED)
def test_data_in_a_field_are_given_another_future(place: str) -> None:
    make, score = ALTERED[place]
    data = make()
    before = repr(data)
    audit = audit_causality(Holds(data, score), MARKET, every=4)
    assert not audit.passed, audit
    assert "remembers" not in str(audit)
    assert "Holds.data" in audit.altered[1], audit.altered
    assert "without dates" not in str(audit)
    assert repr(data) == before


NAMED: dict[str, tuple[Callable[[], Any], str]] = {
    "a tuple": (lambda: tuple(VALUES), "as long as the market, but cannot be written to"),
    "a long list": (lambda: VALUES[:50], "Holds.data: list of 50"),
    "dates": (lambda: set(MARKET.index[::60]), "Holds.data: set of 4"),
    "dates in a list": (lambda: [f"{date:%Y-%m-%d}" for date in MARKET.index], "Holds.data: list of 220"),
    "an index": (lambda: MARKET.index[::5], "Holds.data: DatetimeIndex of 44"),
    "a long dictionary": (lambda: {f"k{k}": v for k, v in enumerate(VALUES[:40])}, "Holds.data: dict of 40"),
    "pickled": (lambda: pickle.dumps(PRICES), "Holds.data: bytes of "),
    "JSON": (lambda: json.dumps(VALUES), "Holds.data: str of "),
    "a letter a row": (lambda: "".join("bs"[k % 2] for k in range(N_ROWS)), "Holds.data: str of 220"),
    "memory that is read-only": (lambda: memoryview(bytes(300)), "Holds.data: memoryview of 300"),
    "an array of pandas": (lambda: pd.array(["up"] * 60, dtype="string"), "Holds.data"),
    "an iterator": (lambda: iter(VALUES), "Holds.data: list_iterator"),
    "values of a dictionary": (lambda: dict(PRICES.items()).values(), "Holds.data: dict_values of 220"),
}


def nothing(data: Any, past: Market) -> float:
    return 0.0


@pytest.mark.parametrize("place", NAMED)
def test_what_is_not_understood_is_named(place: str) -> None:
    make, said = NAMED[place]
    audit = audit_causality(Holds(make(), nothing), MARKET, every=20)
    assert audit.passed
    assert said in str(audit)


@pytest.mark.parametrize(
    "data",
    [0.5, "a name", ASSETS, {"stocks": 0.5}, [0.1, 0.2], {"from": MARKET.index[0], "to": MARKET.index[-1]}],
    ids=str,
)
def test_parameters_are_not_taken_for_data(data: Any) -> None:
    assert len(audit_causality(Holds(data, nothing), MARKET, every=20).caveats) == 1


def test_many_names_of_assets_are_parameters() -> None:
    names = [f"asset {k}" for k in range(30)]
    market = Market(pd.DataFrame(1.01, MARKET.index[:40], names).cumprod(), 0.0)
    for data in (names, tuple(names), dict.fromkeys(names, 1 / 30)):
        assert len(audit_causality(FixedMix(dict.fromkeys(names, 1 / 30)), market).caveats) == 1
        audit = audit_causality(Names(data), market, every=20)
        assert len(audit.caveats) == 1, audit


@dataclass(frozen=True, eq=False)
class Names(Strategy):
    """Carries names of assets and holds cash."""

    assets: Any
    name: str = "names"

    def weights(self, past: Market) -> dict[str, float]:
        return {"cash": 1.0}


# Through the code


@dataclass(frozen=True)
class ImportsModule(Strategy):
    name: str = "import within"

    def weights(self, past: Market) -> dict[str, float]:
        import hidden_store

        prices = hidden_store.DATA["prices"]
        return by_score(("stocks", "bonds"), [prices.iloc[-1] / 10, 0.0])


@dataclass(frozen=True)
class ImportsName(Strategy):
    name: str = "import of a name within"

    def weights(self, past: Market) -> dict[str, float]:
        from hidden_store import DATA

        return by_score(("stocks", "bonds"), [DATA["prices"].iloc[-1] / 10, 0.0])


@dataclass(frozen=True)
class ByText(Strategy):
    name: str = "globals()"

    def weights(self, past: Market) -> dict[str, float]:
        return by_score(("stocks", "bonds"), [globals()["GLOBAL_PRICES"].iloc[-1] / 10, 0.0])


@pytest.mark.parametrize("strategy", [ImportsModule(), ImportsName(), ByText()], ids=lambda s: s.name)
def test_a_leak_is_found_through_what_the_code_names(strategy: Strategy) -> None:
    assert not audit_causality(strategy, MARKET, every=4).passed


def test_a_module_that_was_never_imported_is_imported(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "store_of_a_user.py").write_text("DATA = []\n", encoding="utf-8")
    (tmp_path / "strategy_of_a_user.py").write_text(
        "from allocator import Strategy\n"
        "class Hidden(Strategy):\n"
        "    name = 'hidden'\n"
        "    def weights(self, past):\n"
        "        import store_of_a_user as s\n"
        "        s.DATA.append(len(past.index))\n"
        "        return {'stocks': 0.01 * len(s.DATA)}\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(tmp_path)
    import strategy_of_a_user  # type: ignore[import-not-found]

    audit = audit_causality(strategy_of_a_user.Hidden(), MARKET)
    assert "remembers" in audit.findings[0].how


@dataclass(frozen=True)
class Loads(Strategy):
    how: str
    name: str = "loads"

    def weights(self, past: Market) -> dict[str, float]:
        return {"stocks": 0.5}

    def of_library(self) -> Any:
        return al.load_us_history()

    def simulated(self) -> Any:
        from allocator import simulate_market

        return simulate_market(seed=1)

    def of_part(self) -> Any:
        import allocator.market.files as files

        return files.read_prices("x.csv")

    def of_pandas(self) -> Any:
        return pd.read_parquet("x")

    def of_numpy(self) -> Any:
        return np.loadtxt("x")


def test_what_loads_data_while_it_decides_is_named() -> None:
    text = str(audit_causality(Loads(""), MARKET, every=20))
    for said in (
        "load_us_history of allocator in Loads.of_library",
        "simulate_market of allocator in Loads.simulated",
        "read_prices of allocator in Loads.of_part",
        "read_parquet of pandas in Loads.of_pandas",
        "loadtxt of numpy in Loads.of_numpy",
    ):
        assert said in text, text
    held = audit_causality(Holds(load_us_history, nothing), MARKET, every=20)
    assert "is loaded while it decides is the same in all worlds (Holds.data)" in str(held).replace(
        "what ", ""
    )
    assert "is loaded while" not in str(audit_causality(Names(ASSETS), MARKET, every=20))
