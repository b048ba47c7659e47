"""The table of a sweep: a row a run, what varied and then what came of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.engine import AnyOf, Costs, Rebalancing
from allocator.sweeps.blocks import STATISTICS, Study
from allocator.sweeps.portfolios import Portfolios, plain

__all__ = ["describe_run", "make_table", "varied"]

Array = NDArray[np.float64]
Rows = NDArray[np.int64]


def varied(things: Sequence[Rebalancing | Costs | None]) -> pd.DataFrame:
    """Return the fields in which rules or costs differ, a row each; ``band_width`` is the width of a band."""
    given = [_parameters(each) for each in things]
    names = list(dict.fromkeys(name for each in given for name in each))
    different = [name for name in names if len({each[name] for each in given if name in each}) > 1]
    return pd.DataFrame(
        {name: [each.get(name, np.nan) for each in given] for name in different}, index=range(len(given))
    )


def _parameters(thing: Rebalancing | Costs | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in thing.rules if isinstance(thing, AnyOf) else (thing,):
        if not is_dataclass(part):
            continue
        kind = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(part).__name__).lower()
        for field in fields(part):
            name = f"{kind}_{field.name}"
            while name in found:  # two bands in one rule
                name += "_2"
            found[name] = plain(getattr(part, field.name))
    return found


def make_table(
    portfolios: Portfolios, study: Study, runs: tuple[Rows, Rows, Rows], results: Array
) -> pd.DataFrame:
    """Return the table; ``runs`` are the numbers of portfolio, rule and costs of each row."""
    columns: dict[Any, Any] = {}
    for part, numbers in zip(_leading(portfolios, study), runs, strict=True):
        for name, values in part.items():
            columns[_free(name, columns)] = values.array.take(numbers)
    columns |= {
        name: np.ascontiguousarray(values) for name, values in zip(STATISTICS, results.T, strict=True)
    }
    columns["n"] = results[:, 0].astype(np.int64)
    columns["ruined_on"] = _dates(study, results[:, -1])
    return pd.DataFrame(columns)


def _leading(portfolios: Portfolios, study: Study) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return what varied between portfolios, rules and costs, a row each."""
    names = pd.DataFrame({"portfolio": list(portfolios.names)})
    rules, costs = varied(study.rules), varied(study.costs)
    if len(study.rules) > 1:
        rules.insert(0, "rebalancing", [str(rule) for rule in study.rules])
    return pd.concat([names, portfolios.labels], axis=1), rules, costs


def _free(name: Any, taken: Mapping[Any, Any]) -> Any:
    """Return the name of a leading column, with ``_`` after it where something else is called that."""
    while name in taken or name in STATISTICS:
        name = f"{name}_"
    return name


def _dates(study: Study, rows: Array) -> pd.DatetimeIndex:
    missing = np.isnan(rows)
    dates = study.market.index[np.where(missing, 0.0, rows).astype(np.int64)]
    return pd.DatetimeIndex(dates.where(~missing))


def describe_run(portfolios: Portfolios, study: Study, run: int, numbers: tuple[int, int, int]) -> str:
    """Return what a run is, for a message."""
    facts = [portfolios.describe(numbers[0])]
    for part, number in zip(_leading(portfolios, study)[1:], numbers[1:], strict=True):
        facts += [f"{name}={part[name].iloc[number]}" for name in part.columns]
    return f"run {run}: {', '.join(facts)}"
